"""Which function a platform calls: the handler that the user or the project names."""

from __future__ import annotations

import ast
import posixpath
import re
from dataclasses import replace
from pathlib import Path

from slugcheck.errors import UsageError
from slugcheck.model import BundleKind, Platform
from slugcheck.model.rehearsal import FUNCTION
from slugcheck.project import processes, source
from slugcheck.project.app import Subject
from slugcheck.project.source import Code
from slugcheck.rehearsing.plan import ProcessType, RehearseOptions
from slugcheck.rehearsing.requests import DEFAULT
from slugcheck.text import listed, printable

_DEFAULT = "lambda_function.lambda_handler"  # of a function that is made in Lambda's console
_HANDLER = re.compile(r"[A-Za-z_][\w./-]*\.[A-Za-z_]\w*")
_LONGEST = 128  # characters: CreateFunction
_QUOTED = 80
_EXAMPLE = "for example --handler app.handler, of the function handler in app.py"
# Where a tool's own format names the handler; none of them is read.
_TEMPLATES = ("template.yaml", "template.yml", "serverless.yml", "serverless.yaml")
_OF_GOOGLE = ("google-cloud-functions", "google-cloud-functions-gen2")
_FRAMEWORK = (
    "a function of Google's runs in its Functions Framework, which listens: add it to the "
    "requirements, then --platform cloud-run --command 'functions-framework --target NAME'"
)


def function(
    options: RehearseOptions, subject: Subject, platform: Platform, dockerfile: Path | None
) -> ProcessType:
    """Return the function to call.

    :raises UsageError: no file names it, it cannot be a handler, the platform's functions cannot be
        called here, or an option is one of processes that listen.
    """
    if platform.invocation is None:
        message = f"{platform.title} calls functions in a way that rehearse cannot repeat"
        hint = "rehearse what listens on $PORT for another platform, such as --platform docker"
        raise UsageError(message, hint=_FRAMEWORK if platform.name in _OF_GOOGLE else hint)
    _refuse(options, platform)
    if subject.project is None or subject.files is None:
        raise UsageError("rehearse needs a project folder", hint="name it: slugcheck rehearse .")
    code = Code(
        folder=subject.path,
        top=subject.top,
        paths=frozenset(member.path for member in subject.files.files),
    )
    if options.handler is not None:
        found = ProcessType(name=FUNCTION, command=options.handler, place="--handler")
    else:
        found = _of_files(code, platform, dockerfile)
    if not _HANDLER.fullmatch(found.command) or len(found.command) > _LONGEST:
        shown = printable(found.command)[:_QUOTED]
        message = f"{found.place} {shown!r}: not a module and a function"
        raise UsageError(message, hint=_EXAMPLE)
    if platform.bundle.kind is BundleKind.IMAGE:
        return replace(found, folder=_folder(found.command, code, found.folder))
    return found


def entry(process: ProcessType, subject: Subject) -> str | None:
    """Return the script of a function, which ``check`` follows; None where it is in a package."""
    files = subject.files.files if subject.files is not None else ()
    found = {member.path for member in files}
    return next((path for path in _scripts(process.command, process.folder) if path in found), None)


def _scripts(handler: str, folder: str) -> tuple[str, str]:
    """Return where a handler's module may be: a file, or a folder's own."""
    path = posixpath.join(folder, handler.rpartition(".")[0].replace(".", "/"))
    return f"{path}.py", f"{path}/__init__.py"


def _folder(handler: str, code: Code, folder: str) -> str:
    """Return the folder that an image has at its root: where the module is, if that is one place.

    A variable of the base image, such as ``${LAMBDA_TASK_ROOT}``, is not known.
    """
    if any(path in code.paths for path in _scripts(handler, folder)):
        return folder
    (script, _) = _scripts(handler, "")
    found = [path.removesuffix(f"/{script}") for path in code.paths if path.endswith(f"/{script}")]
    return found[0] if len(found) == 1 else folder


def refuse(options: RehearseOptions, platform: Platform) -> None:
    """Refuse the options of functions where processes listen.

    :raises UsageError: one of them was given.
    """
    given = {
        "--handler": options.handler,
        "--event": options.events,
        "--function-timeout": options.timeout,
    }
    if named := [name for name, value in given.items() if value]:
        message = f"{listed(named)}: {platform.title} starts processes, and calls no functions"
        raise UsageError(message, hint="choose a platform such as --platform aws-lambda")


def _refuse(options: RehearseOptions, platform: Platform) -> None:
    given = {
        "--command": options.command,
        "--process": options.types,
        "--release": options.release,
        "--request": options.requests not in ((), (DEFAULT,)),
        "--until-it-breaks": options.until_it_breaks,
    }
    if named := [name for name, value in given.items() if value]:
        message = f"{listed(named)}: {platform.title} calls a function; no process listens"
        hint = "name the function with --handler app.handler, and its events with --event FILE"
        raise UsageError(message, hint=hint)
    if (options.load.concurrency or 1) > 1:
        message = (
            f"--concurrency {options.load.concurrency}: one execution environment of "
            f"{platform.title} answers one request at a time"
        )
        raise UsageError(message, hint="leave it out: more requests get more environments")
    limits = platform.invocation
    if options.timeout is not None and limits and options.timeout > limits.most_timeout_seconds:
        message = f"--function-timeout {options.timeout}: {platform.title} allows at most"
        raise UsageError(f"{message} {limits.most_timeout_seconds} s", hint="leave it out, or less")


def _of_files(code: Code, platform: Platform, dockerfile: Path | None) -> ProcessType:
    """Return the function that the Dockerfile's CMD names, or Lambda's own default.

    :raises UsageError: there is neither.
    """
    if dockerfile is not None:
        process = processes.web_process(code, dockerfile=dockerfile, platform=platform.name)
        words = process.command.split() if process is not None else []
        if process is not None and words and (len(words) == 1 or "awslambdaric" in words):
            return ProcessType(
                name=FUNCTION,
                command=words[-1],
                place=process.place,
                folder=process.folder,
                variables=process.variables,
            )
    module, _, name = _DEFAULT.rpartition(".")
    text = code.text(f"{module}.py")
    if text is not None and _defines(text, name):
        return ProcessType(name=FUNCTION, command=_DEFAULT, place=f"{module}.py")
    unread = [path for path in _TEMPLATES if path in code.paths]
    why = f" ({unread[0]} is not read)" if unread else ""
    raise UsageError(f"no file says which function is called{why}", hint=_EXAMPLE)


def _defines(text: bytes, name: str) -> bool:
    tree = source.parsed(text)
    if tree is None:
        return name.encode() in text  # it cannot be parsed: Lambda will say why
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=found) | ast.AsyncFunctionDef(name=found):
                names = {found}
            case ast.Assign(targets=targets):
                names = {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.ImportFrom(names=aliases):
                names = {alias.asname or alias.name for alias in aliases}
            case _:
                continue
        if name in names:
            return True
    return False

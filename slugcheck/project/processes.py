"""The process that serves: which program, which module of the app, and how many workers.

It is read from the Procfile, a Dockerfile's CMD, another platform's file, or ``--entry``. Commands
are split as a shell would and never run; variables stay as they are written. What is not understood
is said in notes.

Sources: the servers' own command lines (gunicorn 26, uvicorn 0.40, hypercorn 0.18, waitress 3.0,
daphne 4.2, uwsgi 2.0, streamlit 1.52, flask 3.1, fastapi-cli 0.0.20), and the Procfile's expression
in heroku/buildpacks-procfile's SPEC.md.
"""

from __future__ import annotations

import ast
import posixpath
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slugcheck import reading
from slugcheck.errors import MeasureError, UsageError
from slugcheck.model import Dyno, EntryPoint, Program, WebProcess, Workers
from slugcheck.packages.known import PROGRAMS
from slugcheck.project.source import Code, parsed
from slugcheck.text import printable

# The expression that heroku/buildpacks-procfile's SPEC.md gives for the classic Procfile, which
# has no other specification; the colon may be missing, the blank behind it may not.
# Blanks around it are cut off before, since looking for them behind it is quadratic.
_LINE = re.compile(r"([A-Za-z0-9_-]+):?\s+(.*)", re.ASCII)
_BLANKS = " \t\r\v\f"
_QUOTED = 60
_LONGEST_COMMAND = 8_000  # characters
_LONGEST_SCRIPT = 100_000
_MOST_COMMANDS = 500
_MOST_SCRIPT = 400_000  # characters of all scripts of a process
_MOST_WORKERS = 10_000
_DEEPEST = 4  # scripts in each other
CONCURRENCY = "WEB_CONCURRENCY"
_PYTHON = re.compile(r"(?:.*/)?(?:python|pypy)3?(?:\.\d+)?")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?-([^${}]*))?\})")
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
# Programs that start what comes behind them, with those of their options that take a value.
_WRAPPERS: dict[str, frozenset[str]] = {
    "exec": frozenset({"-a"}), "nohup": frozenset(), "time": frozenset(), "command": frozenset(),
    "env": frozenset({"-u", "--unset"}), "nice": frozenset({"-n"}), "tini": frozenset(),
    "dumb-init": frozenset(), "--": frozenset(), "ddtrace-run": frozenset(),
    "opentelemetry-instrument": frozenset(), "gosu": frozenset(), "su-exec": frozenset(),
    "dotenv": frozenset({"-f", "--file"}), "doppler": frozenset(),
    "start-nginx": frozenset(), "start-nginx-solo": frozenset(), "start-stunnel": frozenset(),
    "start-pgbouncer": frozenset(), "start-pgbouncer-stunnel": frozenset(),
}  # fmt: skip
_RUNNERS = {"poetry": "run", "pipenv": "run", "uv": "run", "pdm": "run", "rye": "run"}
_RUNNER_VALUES = frozenset(
    "--extra --group --with --python -p --directory --project --env-file --package -C".split()
)
# Programs of which nothing serves: they prepare, wait or say something.
_PREPARING = frozenset(
    "cd export echo set sleep mkdir touch chmod cp mv rm ls cat pwd true source . alembic pip pip3 "
    "wait wait-for-it.sh ./wait-for-it.sh test [ if then else elif fi for do done while until case "
    "esac return exit trap ulimit umask unset printf curl wget npm node yarn aerich nc".split()
)
_SEPARATORS = frozenset({"&&", "||", ";", "|", "&", ";;", "|&"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Procfile:
    """Process types with their commands, in the order of the file; the last duplicate wins.

    ``lines`` are the numbers of their lines.
    """

    types: Mapping[str, str]
    lines: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def procfile(folder: Path, top: Path | None = None) -> Procfile:
    """Read the folder's Procfile; without one there are no process types.

    ``top`` is the folder that files may be read from, by default the folder's checkout.

    :raises Refused: it is a link out of ``top``, or no regular file.
    :raises MeasureError: it cannot be read.
    """
    path = folder / "Procfile"
    try:
        data = reading.read(path, within=top or reading.top_of(folder), limit=reading.SMALL_FILE)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return Procfile(types={})
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise MeasureError(message, hint="make it readable") from None
    text = data.decode("utf-8", "replace")
    types: dict[str, str] = {}
    lines: dict[str, int] = {}
    notes: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip(_BLANKS))
        if match is None or not match[2]:
            shown = repr(printable(line)[:_QUOTED])
            notes.append(f"Procfile:{number}: ignored {shown}: not a line like web: command")
            continue
        if match[1] in types:
            notes.append(f"Procfile:{number}: {match[1]} is defined twice; the last one wins")
        types[match[1]] = match[2]
        lines[match[1]] = number
    return Procfile(types=types, lines=lines, notes=tuple(notes))


# --------------------------------------------------------------------------- which command


def web_process(
    code: Code,
    *,
    entry: str | None = None,
    dockerfile: Path | None = None,
    platform: str = "",
) -> WebProcess | None:
    """Return the process that serves, None where no file says which it is.

    ``entry`` is what the user names: a script, a module, ``module:attribute``, or a whole command,
    which has a blank. ``dockerfile`` is the one that the platform builds from, whose CMD comes
    before the Procfile. What ``platform`` reads of its own comes before both.

    :raises UsageError: ``entry`` is neither, or the Dockerfile cannot be read.
    :raises MeasureError: the Procfile cannot be read.
    """
    if entry is not None:
        if is_command(entry):
            return _process(_Command(text=entry, place="--entry"), code)
        return _named(entry, code)
    for command in _commands(code, dockerfile, platform):
        return _process(command, code)
    return None


def is_command(entry: str) -> bool:
    """Whether what the user names is a whole command."""
    return len(entry.split()) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """A command as it is written: a line for a shell, or ``words`` without one."""

    text: str
    place: str
    words: tuple[str, ...] = ()
    folder: str = ""
    variables: tuple[tuple[str, str], ...] = ()


def _commands(code: Code, image: Path | None, platform: str) -> Iterator[_Command]:
    """Yield the commands that start the web process, the deciding one first."""
    own = [name for name in _PLATFORM_FILES if name.partition(".")[0] in platform.split("-")]
    for name in own:
        yield from _of_platform_file(name, code)
    if image is not None and (command := _of_dockerfile(image, code)) is not None:
        yield command
    if "Procfile" in code.paths:
        found = procfile(code.folder, code.top)
        if "web" in found.types:
            yield _Command(text=found.types["web"], place=f"Procfile:{found.lines['web']}")
        elif len(found.types) == 1:  # a bot without a web process
            ((name, text),) = found.types.items()
            yield _Command(text=text, place=f"Procfile:{found.lines[name]}")
    for name in _PLATFORM_FILES:
        yield from _of_platform_file(name, code)


# Railway: docs.railway.com/config-as-code and /deployments/start-command (it overrides an image's
# ENTRYPOINT); Fly: fly.io/docs/apps/processes; [env] there, and Nixpacks:
# second-hand.
_PLATFORM_FILES: dict[str, tuple[str, ...]] = {
    "railway.json": ("deploy", "startCommand"),
    "railway.toml": ("deploy", "startCommand"),
    "fly.toml": ("processes", "app"),
    "nixpacks.toml": ("start", "cmd"),
}


def _of_platform_file(name: str, code: Code) -> Iterator[_Command]:
    """Yield the command that a platform's file names, if it names one."""
    data = code.text(name)
    settings = _settings_file(data, toml=name.endswith(".toml")) if data is not None else None
    value: object = settings
    for key in _PLATFORM_FILES[name]:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value or settings is None:
        return
    env = settings.get("env") if name == "fly.toml" else None
    pairs = list(env.items())[:_MOST_COMMANDS] if isinstance(env, dict) else []
    variables = tuple((key, text) for key, text in pairs if isinstance(text, str))
    yield _Command(text=value, place=name, variables=variables)


def _settings_file(data: bytes, *, toml: bool) -> dict[str, Any] | None:
    text = data.decode("utf-8", "replace")
    try:
        value: object = reading.toml(text) if toml else reading.json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _of_dockerfile(path: Path, code: Code) -> _Command | None:
    """Return what a container of the last stage runs; None where the base image decides it."""
    from slugcheck.project import dockerfile

    name = printable(path.name)
    try:
        data = reading.read(path, within=code.top, limit=reading.SMALL_FILE)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror or error}") from None
    read = dockerfile.parse(data.decode("utf-8", "replace"), name)
    number: int | None = len(read.stages) - 1
    above: list[dockerfile.Stage] = []
    while number is not None:
        above.insert(0, read.stages[number])
        number = read.find(read.stages[number].base or "", before=number)
    values, workdir = dockerfile.inherited(above[0].base)
    variables: dict[str, str] = {}
    copied: dict[str, str] = {}
    begin: dockerfile.Instruction | None = None
    last: dockerfile.Instruction | None = None
    for instruction in (item for stage in above for item in stage.instructions):
        match instruction.name:
            case "ENV" | "ARG":
                for key, given in dockerfile.assignments(instruction.text):
                    known = None if given is None else dockerfile.expand(given, values)
                    if known is not None:
                        values[key] = known
                        if instruction.name == "ENV":
                            variables[key] = known
            case "WORKDIR":
                written = dockerfile.expand(instruction.text.strip(), values) or ""
                workdir = posixpath.normpath(posixpath.join(workdir, written))
            case "COPY" | "ADD" if not instruction.flag("from"):
                sources = [dockerfile.unquoted(word) for word in dockerfile.words(instruction.text)]
                if len(sources) == 2:
                    source, target = sources
                    place = posixpath.normpath(posixpath.join(workdir, target))
                    copied[place] = posixpath.normpath(source.strip("/") or ".")
            case "ENTRYPOINT":
                begin, last = instruction, None
            case "CMD":
                last = instruction
            case _:
                pass
    deciding = begin or last
    if deciding is None:
        return None
    words = [*(begin.form or () if begin else ()), *(last.form or () if last else ())]
    shell = next((item.text for item in (begin, last) if item and item.form is None), "")
    return _Command(
        text=shell or shlex.join(words),
        place=f"{name}:{(last or deciding).line}",
        words=() if shell else tuple(words),
        folder=_in_context(workdir, copied),
        variables=tuple(variables.items()),
    )


def _in_context(place: str, copied: Mapping[str, str]) -> str:
    """Return the folder of the project that a folder of the image was copied from, else "".

    ``COPY . .`` makes them the same; ``COPY backend/ /code`` makes /code that folder.
    """
    for target, source in copied.items():
        inside = target.removeprefix(f"{place}/")
        if inside != target and source.endswith(f"/{inside}"):  # COPY backend/app /code/app
            return source.removesuffix(f"/{inside}")
    where = place
    while True:
        if where in copied:
            source = copied[where]
            rest = posixpath.relpath(place, where)
            joined = posixpath.normpath(posixpath.join(source, rest))
            return "" if joined == "." or joined.startswith("..") else joined
        if where == "/":
            return ""
        where = posixpath.dirname(where)


def _named(entry: str, code: Code) -> WebProcess:
    module, _, attribute = entry.partition(":")
    path = posixpath.normpath(entry)
    if path in code.paths and path.endswith(".py"):
        point = EntryPoint(script=path)
        folder = posixpath.dirname(path)
    elif _MODULE.fullmatch(module):
        point = EntryPoint(module=module, attribute=attribute)
        folder = ""
    else:
        raise UsageError(
            f"--entry {printable(entry)[:_QUOTED]}: neither a script of the project nor a module",
            hint="name one like app.py, or mysite.wsgi",
        )
    return WebProcess(
        command=entry,
        place="--entry",
        server="python" if point.script else "",
        entries=(point,),
        import_folders=tuple(dict.fromkeys((folder, ""))),
    )


# --------------------------------------------------------------------------- commands


@dataclass(slots=True)
class _Shell:
    """Where commands run, and what they have set so far; ``arguments`` are those of a script."""

    code: Code
    place: str
    folder: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    wrapped: list[str] = field(default_factory=list)  # modules that a wrapper loads
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    arguments: tuple[str, ...] = ()
    left: int = _MOST_COMMANDS  # of this process, in all its scripts
    text_left: int = _MOST_SCRIPT

    def doubt(self, note: str) -> None:
        """Note what may start or load more than is counted."""
        self.notes.append(note)
        self.doubts.append(note)


def _process(command: _Command, code: Code) -> WebProcess:
    shell = _Shell(code, command.place, command.folder, dict(command.variables))
    if command.words:
        found = _one(list(command.words), shell, 0)
    else:
        found = _line(command.text[:_LONGEST_COMMAND], shell, 0)
    if found is None:
        shell.doubt(
            f"{command.place}: the command is not one that slugcheck knows: it cannot say what "
            "the app imports; name its module with --entry"
        )
        found = WebProcess(command="", place="", server="", entries=())
    folders = found.import_folders
    for path in reversed(shell.variables.get("PYTHONPATH", "").split(":")):
        place = _inside(path, shell) if path and "$" not in path else None
        folders = folders if place is None else (place, *folders)
    return replace(
        found,
        command=command.text,
        place=command.place,
        folder=shell.folder,
        modules=(*shell.wrapped, *found.modules),
        # Heroku's buildpack puts the app's folder into PYTHONPATH (bin/compile)
        import_folders=tuple(dict.fromkeys((*folders, shell.folder, ""))),
        variables=tuple(shell.variables.items()),
        notes=tuple(dict.fromkeys((*shell.notes, *found.notes))),
        doubts=tuple(dict.fromkeys(shell.doubts)),
    )


def _split(text: str) -> list[list[str]] | None:
    """Return the simple commands of a line, each with what separates it from the next at its end.

    None if a shell would not accept the line.
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    lexer.commenters = ""
    commands: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word in _SEPARATORS:
                commands[-1].append(word)
                commands.append([])
            else:
                commands[-1].append(word)
            if len(commands) > _MOST_COMMANDS:
                return None
    except ValueError:  # a quotation mark without its partner
        return None
    return [command for command in commands if command]


def _line(text: str, shell: _Shell, deep: int) -> WebProcess | None:
    """Return the last process of a line that serves; earlier commands only prepare."""
    commands = _split(text)
    if commands is None:
        shell.doubt(f"{shell.place}: its quotation marks do not match")
        return None
    found: WebProcess | None = None
    for words in commands:
        background = words[-1] == "&"
        words = [word for word in words if word not in _SEPARATORS]
        one = _one(words, shell, deep)
        if one is None:
            if background and words and posixpath.basename(words[0]) not in _PREPARING:
                name = printable(posixpath.basename(words[0]))[:_QUOTED]
                shell.doubt(f"{shell.place}: starts {name} beside the app; it is not counted")
            continue
        if found is not None and (background or found.server):
            shell.doubt(f"{shell.place}: starts more than one program; the last one counts")
        found = one
    return found


def _one(words: list[str], shell: _Shell, deep: int) -> WebProcess | None:
    """Return the process that a simple command starts, None if it does not serve the app."""
    words = list(words)
    shell.left -= 1
    while words and shell.left > 0:
        if match := _ASSIGNMENT.fullmatch(words[0]):
            shell.variables[match[1]] = _filled(match[2], shell)
            words.pop(0)
            continue
        name = posixpath.basename(words[0])
        if name in _WRAPPERS:
            words = _behind(words[1:], _WRAPPERS[name], skip=name in ("gosu", "su-exec"))
            if name == "ddtrace-run":
                shell.wrapped.append("ddtrace")
            if name in ("dotenv", "doppler") and words[:1] == ["run"]:
                words = _behind(words[1:], frozenset(), skip=False)
            continue
        if name in _RUNNERS and _RUNNERS[name] in words[1:6]:
            words = words[words.index(_RUNNERS[name]) + 1 :]
            words = _behind(words, _RUNNER_VALUES, skip=False)
            continue
        if name == "newrelic-admin" and words[1:2] == ["run-program"]:
            shell.wrapped.append("newrelic.agent")
            words = words[2:]
            continue
        break
    if not words or shell.left <= 0:
        return None
    return _program(words, shell, deep)


def _behind(words: list[str], with_value: frozenset[str], *, skip: bool) -> list[str]:
    """Return what comes after a program's options, and after its first argument with ``skip``."""
    while words and words[0].startswith("-") and words[0] != "--":
        words = words[2 if words[0] in with_value else 1 :]
    words = words[1:] if words[:1] == ["--"] else words
    return words[1:] if skip else words


def _program(words: list[str], shell: _Shell, deep: int) -> WebProcess | None:
    name, rest = posixpath.basename(words[0]), words[1:]
    if name == "cd" and rest:
        folder = _inside(_filled(rest[0], shell), shell)
        if folder is None:
            shell.notes.append(f"{shell.place}: changes to a folder that is not the project's")
        else:
            shell.folder = folder
        return None
    if name == "export":
        for word in rest:
            if match := _ASSIGNMENT.fullmatch(word):
                shell.variables[match[1]] = _filled(match[2], shell)
        return None
    if words[0] in ("$@", "$*"):
        handed_on, shell.arguments = list(shell.arguments), ()
        return _one(handed_on, shell, deep)
    if name in _SHELLS:
        return _shell(rest, shell, deep)
    if _PYTHON.fullmatch(words[0]):
        return _python(rest, shell)
    if name in _SERVERS:
        return _SERVERS[name](rest, shell)
    if words[0].endswith((".sh", ".bash")) or "/" in words[0]:
        return _script(words[0], tuple(rest), shell, deep)
    if name in ("manage.py", "./manage.py"):
        return _python(words, shell)
    return None


def _shell(words: list[str], shell: _Shell, deep: int) -> WebProcess | None:
    for number, word in enumerate(words):
        if word.startswith("-") and "c" in word.strip("-") and not word.startswith("--"):
            return _line(words[number + 1], shell, deep + 1) if number + 1 < len(words) else None
        if not word.startswith("-"):
            return _script(word, tuple(words[number + 1 :]), shell, deep)
    return None


def _script(path: str, arguments: tuple[str, ...], shell: _Shell, deep: int) -> WebProcess | None:
    """Follow a shell script of the project."""
    place = _inside(path, shell)
    data = shell.code.text(place) if place is not None else None
    if data is None and (name := posixpath.basename(path)) in shell.code.paths:
        place, data = name, shell.code.text(name)  # /app/start.sh, or copied elsewhere
    if data is None or place is None or deep >= _DEEPEST:
        return None
    if data[:2] == b"#!" and b"python" in data.partition(b"\n")[0]:
        return _python([place], shell)
    data = data[: min(_LONGEST_SCRIPT, shell.text_left)]
    shell.text_left -= len(data)
    text = data.decode("utf-8", "replace").replace("\\\n", " ")
    found: WebProcess | None = None
    shell.arguments = arguments
    for line in text.splitlines()[:_MOST_COMMANDS]:
        line = line.strip()[:_LONGEST_COMMAND]
        if not line or line.startswith("#"):
            continue
        if _split(line) is None:  # a quotation that goes on in the next line
            continue
        one = _line(line, shell, deep + 1)
        if one is not None and found is not None and str(one.entries) != str(found.entries):
            shell.doubt(f"{place}: starts more than one program; the last one counts")
        found = one or found
    return found


def _inside(path: str, shell: _Shell) -> str | None:
    """Return a path relative to the project's folder; None where it leads outside.

    /app is where Heroku and most images have the project.
    """
    if path.startswith("/"):
        if not path.startswith("/app"):
            return None
        joined = posixpath.normpath(path[len("/app") :].lstrip("/"))
    else:
        joined = posixpath.normpath(posixpath.join(shell.folder, path))
    if joined == "." or not joined:
        return ""
    return None if joined.startswith("..") else joined


def _filled(text: str, shell: _Shell) -> str:
    """Return text with the variables that the command itself set; others stay."""

    def value(match: re.Match[str]) -> str:
        return shell.variables.get(match[1] or match[2], match[0])

    return _VARIABLE.sub(value, text)[:_LONGEST_COMMAND]


# --------------------------------------------------------------------------- options


@dataclass(slots=True)
class _Options:
    """The options and the arguments of a program, in their order."""

    values: list[tuple[str, str]]
    arguments: list[str]

    def get(self, *names: str) -> str | None:
        return next((value for key, value in reversed(self.values) if key in names), None)

    def has(self, *names: str) -> bool:
        return any(key in names for key, _ in self.values)


def _options(words: Sequence[str], flags: frozenset[str], *, interspersed: bool = True) -> _Options:
    """Split a command line. ``flags`` are the options without a value."""
    found = _Options([], [])
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--" or (found.arguments and not interspersed):
            found.arguments += rest if word == "--" else [word, *rest]
            break
        if not word.startswith("-") or word == "-":
            found.arguments.append(word)
        elif word.startswith("--"):
            key, equals, value = word.partition("=")
            if not equals and key not in flags and rest:
                value = rest.pop(0)
            found.values.append((key, value))
        else:
            key, value = word[:2], word[2:].removeprefix("=")
            if not value and key not in flags and rest:
                value = rest.pop(0)
            found.values.append((key, value))
    return found


def _number(text: str | None, origin: str, shell: _Shell) -> Workers | None:
    """Return a number of workers as an option gives it; None where it is not known."""
    if text is None:
        return None
    filled = _filled(text, shell)
    if filled.isascii() and filled.isdigit() and len(filled) < 6:
        return Workers(fixed=int(filled), origin=origin)
    match = _VARIABLE.fullmatch(filled)
    name = (match[1] or match[2]) if match else ""
    default = match[3] if match else None
    known = default is not None and default.isascii() and default.isdigit() and len(default) < 6
    if name == CONCURRENCY:
        return Workers(fixed=int(default) if default and known else 1, origin=origin, variable=name)
    if name and default and known:
        return Workers(fixed=int(default), origin=origin, variable=name)
    shell.doubt(f"{shell.place}: {printable(origin)[:_QUOTED]} is not a plain number")
    return None


def _by_variable(server: str, shell: _Shell) -> Workers | None:
    """Return the workers of a server that is told no number: WEB_CONCURRENCY, else 1."""
    given = shell.variables.get(CONCURRENCY)
    if given is not None:  # by the command or the Dockerfile, whatever the platform sets
        return _number(given, CONCURRENCY, shell)
    return Workers(fixed=1, origin=f"{server}'s default", variable=CONCURRENCY)


def _entry(text: str, shell: _Shell) -> EntryPoint | None:
    """Return ``module:attribute`` of a server's command line."""
    module, _, attribute = text.partition(":")
    # gunicorn takes a module whose name is no identifier, such as 05-app, for it imports by text
    plain = module and "/" not in module and "$" not in module and len(module) <= 200
    if not (_MODULE.fullmatch(module) or plain):
        shell.notes.append(f"{shell.place}: {printable(text)[:_QUOTED]!r} names no module")
        return None
    return EntryPoint(module=module.removesuffix(".py"), attribute=attribute)


def _served(
    server: str, app: str | None, shell: _Shell, modules: Sequence[str], **more: Any
) -> WebProcess:
    entry = _entry(app, shell) if app else None
    if app is None:
        shell.notes.append(f"{shell.place}: {server} is not told which app to serve")
    process = WebProcess(
        command="",
        place=shell.place,
        server=server,
        entries=(entry,) if entry else (),
        modules=tuple(modules),
        import_folders=(shell.folder,),
    )
    return replace(process, **more)


# --------------------------------------------------------------------------- servers

_UVICORN_MODULES = (
    "uvicorn.main", "uvicorn.loops.auto", "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto", "uvicorn.lifespan.on",
)  # fmt: skip
_GUNICORN_FLAGS = frozenset(
    "--reload --spew --check-config --print-config --preload --preload-app --no-sendfile "
    "--reuse-port -D --daemon --initgroups --capture-output -R --enable-stdio-inheritance "
    "--disable-redirect-access-to-syslog --proxy-protocol --suppress-ragged-eofs --log-syslog "
    "--do-handshake-on-connect --strip-header-spaces --permit-obsolete-folding "
    "--permit-unconventional-http-method --permit-unconventional-http-version "
    "--casefold-http-method -v --version -h --help".split()
)
_GUNICORN_WORKERS = {
    "sync": "gunicorn.workers.sync",
    "gthread": "gunicorn.workers.gthread",
    "gevent": "gunicorn.workers.ggevent",
    "gevent_wsgi": "gunicorn.workers.ggevent",
    "gevent_pywsgi": "gunicorn.workers.ggevent",
    "eventlet": "gunicorn.workers.geventlet",
    "tornado": "gunicorn.workers.gtornado",
    "asgi": "gunicorn.workers.gasgi",
}
_ONE = "one process"


def _gunicorn(words: list[str], shell: _Shell) -> WebProcess:
    line = _options(words, _GUNICORN_FLAGS)
    more = shell.variables.get("GUNICORN_CMD_ARGS", "")
    try:
        given = _options(shlex.split(more), _GUNICORN_FLAGS) if more else _Options([], [])
    except ValueError:
        given = _Options([], [])
    options = _Options([*given.values, *line.values], line.arguments)
    chdir = options.get("--chdir")
    if chdir is not None and (folder := _inside(_filled(chdir, shell), shell)) is not None:
        shell.folder = folder
    config = _python_config(options.get("-c", "--config") or "gunicorn.conf.py", "gunicorn", shell)
    workers = _number(options.get("-w", "--workers"), "gunicorn's --workers", shell)
    if workers is None and not options.has("-w", "--workers"):
        # without the setting gunicorn takes WEB_CONCURRENCY, else 1
        default = _by_variable("gunicorn", shell)
        workers = config.workers if config.sets_workers else default
    threads = _number(options.get("--threads"), "gunicorn's --threads", shell) or config.threads
    kind = options.get("-k", "--worker-class") or config.worker_class or "sync"
    if kind == "sync" and threads is not None and (threads.per_core or threads.fixed > 1):
        kind = "gthread"
    kind = kind.removeprefix("egg:gunicorn#")
    worker = _GUNICORN_WORKERS.get(kind) or kind.rpartition(".")[0]
    paths = [path for path in (options.get("--pythonpath") or "").split(",") if path]
    folders = [place for path in paths if (place := _inside(path, shell)) is not None]
    extra = _UVICORN_MODULES[1:] if "uvicorn" in kind.lower() else ()
    return _served(
        "gunicorn",
        options.arguments[0] if options.arguments else config.app,
        shell,
        [name for name in ("gunicorn.app.wsgiapp", worker, *extra) if name],
        workers=workers,
        preload=options.has("--preload", "--preload-app") or config.preload,
        supervisor=True,
        import_folders=(*folders, shell.folder),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Config:
    workers: Workers | None = None
    sets_workers: bool = False
    threads: Workers | None = None
    worker_class: str = ""
    preload: bool = False
    app: str | None = None


def _python_config(path: str, server: str, shell: _Shell) -> _Config:
    """Read a server's settings in Python, such as gunicorn.conf.py, as far as plain text goes."""
    if path.startswith("python:"):
        path = path.removeprefix("python:").replace(".", "/") + ".py"
    place = _inside(_filled(path, shell).removeprefix("file:"), shell)
    data = shell.code.text(place) if place is not None else None
    if data is None or place is None:
        if path != "gunicorn.conf.py":
            shell.doubt(f"{shell.place}: {server}'s settings cannot be found in the project")
        return _Config()
    tree = parsed(data)
    if tree is None:
        shell.doubt(f"{place}: cannot be read as Python: {server}'s settings are not known")
        return _Config()
    held: dict[str, ast.expr] = {}
    unsure: set[str] = set()
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                held[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                held[name] = value
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass  # hooks
            case _ if names := sorted(_settings_in(node), reverse=True):
                unsure.update(names)
                shell.doubt(f"{place}:{node.lineno}: how it sets {names[0]} is not understood")
            case _:
                pass

    def number(name: str) -> Workers | None:
        if name not in held or name in unsure:
            return None
        formula = _formula(held[name], held, 0)
        origin = f"{place}:{held[name].lineno}"
        if formula is None or max(formula.fixed, formula.per_core) > _MOST_WORKERS:
            shell.doubt(f"{origin}: {name} is computed in a way that is not understood")
            return None
        return replace(formula, origin=origin)

    def text(name: str) -> str | None:
        value = held.get(name)
        constant = value.value if isinstance(value, ast.Constant) else None
        return constant if isinstance(constant, str) else None

    preload = held.get("preload_app")
    return _Config(
        workers=number("workers"),
        sets_workers="workers" in held or "workers" in unsure,
        threads=number("threads"),
        worker_class=text("worker_class") or "",
        preload="preload_app" not in unsure
        and isinstance(preload, ast.Constant)
        and preload.value is True,
        app=text("wsgi_app"),
    )


_SETTINGS = frozenset({"workers", "preload_app", "wsgi_app"})  # that decide what is loaded


def _settings_in(node: ast.stmt) -> frozenset[str]:
    """Return the settings that a statement gives a value in another way than ``name = value``."""
    names: set[str] = set()
    for inner in reading.nodes(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            names.add(inner.id)
        elif isinstance(inner, ast.alias):
            names |= _SETTINGS - {"wsgi_app"} if inner.name == "*" else {inner.asname or inner.name}
        elif isinstance(inner, ast.Call) and _is_call_of(inner, "globals", "exec", "locals"):
            names.add("workers")
    return _SETTINGS & names


def _is_call_of(node: ast.Call, *names: str) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in names


def _formula(node: ast.expr, names: Mapping[str, ast.expr], deep: int) -> Workers | None:
    """Return a number as a constant plus a multiple of the cores, None if it has another form."""
    if deep > 12:
        return None

    def below(inner: ast.expr) -> Workers | None:
        return _formula(inner, names, deep + 1)

    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool) and value < 10_000:
            return Workers(fixed=value, origin="")
        case ast.Constant(value=str(text)) if text.isascii() and text.isdigit() and len(text) < 5:
            return Workers(fixed=int(text), origin="")
        case ast.Name(id=name) if name in names:
            return below(names[name])
        case ast.Call(func=func, args=args):
            called = ast.unparse(func) if isinstance(func, ast.Name | ast.Attribute) else ""
            if called in ("int", "str") and args:
                return below(args[0])
            if called.rpartition(".")[2] == "cpu_count":
                return Workers(fixed=0, per_core=1, origin="")
            if called in ("os.environ.get", "os.getenv", "environ.get", "getenv") and args:
                return _variable(args, below)
            return None
        case ast.BoolOp(op=ast.Or(), values=[first, second]):
            head, tail = below(first), below(second)
            return replace(tail, variable=head.variable) if head and tail else None
        case ast.BinOp(left=left, op=op, right=right):
            return _sum(below(left), op, below(right))
        case _:
            return None


def _variable(
    args: Sequence[ast.expr], below: Callable[[ast.expr], Workers | None]
) -> Workers | None:
    name = args[0].value if isinstance(args[0], ast.Constant) else None
    if not isinstance(name, str):
        return None
    default = below(args[1]) if len(args) > 1 else Workers(fixed=1, origin="")
    return replace(default, variable=name) if default is not None else None


def _sum(head: Workers | None, op: ast.operator, tail: Workers | None) -> Workers | None:
    # a variable may replace a whole number only, not a part of a sum
    if head is None or tail is None or head.variable or tail.variable:
        return None
    sign = {ast.Add: 1, ast.Sub: -1}.get(type(op))
    if sign is not None:
        return replace(
            head,
            fixed=head.fixed + sign * tail.fixed,
            per_core=head.per_core + sign * tail.per_core,
        )
    if isinstance(op, ast.Mult) and not (head.per_core and tail.per_core):
        factor, other = (tail, head) if head.per_core else (head, tail)
        return replace(
            other, fixed=other.fixed * factor.fixed, per_core=other.per_core * factor.fixed
        )
    return None


def _uvicorn(words: list[str], shell: _Shell) -> WebProcess:
    flags = frozenset(
        "--reload --use-colors --no-use-colors --access-log --no-access-log --proxy-headers "
        "--no-proxy-headers --server-header --no-server-header --date-header --no-date-header "
        "--factory --version --help".split()
    )
    options = _options(words, flags)
    workers = _number(options.get("--workers"), "uvicorn's --workers", shell)
    if options.has("--reload"):  # then it ignores --workers
        workers = Workers(fixed=1, origin="uvicorn's --reload")
    elif workers is None and not options.has("--workers"):
        workers = _by_variable("uvicorn", shell)
    app = options.arguments[0] if options.arguments else None
    factory = app is not None and options.has("--factory") and not app.endswith("()")
    folder = _inside(options.get("--app-dir") or ".", shell)
    several = workers is not None and (workers.fixed > 1 or bool(workers.variable))
    return _served(
        "uvicorn",
        f"{app}()" if factory else app,
        shell,
        _UVICORN_MODULES,
        workers=workers,
        supervisor=several,
        import_folders=tuple(dict.fromkeys((folder or "", shell.folder))),
    )


def _hypercorn(words: list[str], shell: _Shell) -> WebProcess:
    options = _options(words, frozenset({"--debug", "--reload", "-h", "--help"}))
    workers = _number(options.get("-w", "--workers"), "hypercorn's --workers", shell)
    if workers is None and not options.has("-w", "--workers"):
        workers = _hypercorn_workers(options.get("-c", "--config"), shell)
    app = options.arguments[0] if options.arguments else None
    return _served(
        "hypercorn",
        app.removeprefix("asgi:").removeprefix("wsgi:") if app else None,
        shell,
        ("hypercorn.__main__", "hypercorn.run", "hypercorn.asyncio.run"),
        workers=workers,
        supervisor=True,
    )


def _hypercorn_workers(path: str | None, shell: _Shell) -> Workers | None:
    """Return the workers of a settings file, TOML or with a prefix Python, else the default."""
    default = Workers(fixed=1, origin="hypercorn's default")
    if path is None:
        return default
    if path.startswith(("python:", "file:")):
        config = _python_config(path, "hypercorn", shell)
        return config.workers if config.sets_workers else default
    place = _inside(_filled(path, shell), shell)
    data = shell.code.text(place) if place is not None else None
    settings = _settings_file(data, toml=True) if data is not None else None
    if settings is None:
        shell.doubt(f"{shell.place}: hypercorn's settings cannot be read in the project")
        return None
    number = settings.get("workers", 1)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 10_000:
        shell.doubt(f"{place}: workers is not a plain number")
        return None
    return Workers(fixed=number, origin=f"{place}: workers") if "workers" in settings else default


# The options are those of uWSGI 2.0.31 (uwsgi --help). Without lazy-apps it loads the app once and
# forks the workers after that.


def _uwsgi(words: list[str], shell: _Shell) -> WebProcess | None:
    options = _options(words, _without_value(words))
    ini = options.get("--ini") or next((a for a in options.arguments if a.endswith(".ini")), None)
    if ini is not None:
        given = _uwsgi_ini(_filled(ini, shell), shell)
        options = _Options([*given, *options.values], options.arguments)
    chdir = options.get("--chdir", "chdir")
    if chdir is not None and (folder := _inside(_filled(chdir, shell), shell)) is not None:
        shell.folder = folder
    if options.has("--yaml", "-y", "--json", "-j", "--xml", "-x", "--toml"):
        shell.doubt(f"{shell.place}: of uwsgi's settings files only .ini is read")
    number = options.get("-p", "--processes", "--workers", "processes", "workers")
    workers: Workers | None = Workers(fixed=1, origin="uwsgi's default")
    if number == "%k":
        workers = Workers(fixed=0, per_core=1, origin="uwsgi's %k")
    elif number is not None:
        text = re.sub(r"\$\((\w+)\)", r"$\1", number)
        workers = _number(text, "uwsgi's processes", shell)
    mount = (options.get("--mount", "mount") or "").rpartition("=")[2]
    module = options.get("-w", "--module", "--wsgi", "module", "wsgi") or mount or None
    attribute = options.get("--callable", "callable")
    script = options.get("--wsgi-file", "--file", "wsgi-file", "file")
    if module is None and script is not None:
        found = _python([script], shell)
    else:
        whole = module and attribute and ":" not in module
        found = _served("uwsgi", f"{module}:{attribute}" if whole else module, shell, ())
    if found is None:
        return None
    paths = [value for key, value in options.values if key.strip("-") in ("pythonpath", "pp")]
    folders = [place for path in paths if (place := _inside(_filled(path, shell), shell))]
    return replace(
        found,
        server="uwsgi",
        workers=workers,
        preload=not options.has("--lazy-apps", "--lazy", "lazy-apps", "lazy"),
        supervisor=options.has("-M", "--master", "master"),
        import_folders=tuple(dict.fromkeys((*folders, *found.import_folders))),
    )


def _without_value(words: Sequence[str]) -> frozenset[str]:
    """Return the options behind which another one stands, or nothing."""
    pairs = zip(words, [*words[1:], "-"], strict=True)
    return frozenset(word for word, after in pairs if after.startswith("-"))


def _uwsgi_ini(path: str, shell: _Shell) -> list[tuple[str, str]]:
    """Return what the section [uwsgi] of a settings file sets."""
    place = _inside(path.partition(":")[0], shell)
    data = shell.code.text(place) if place is not None else None
    if data is None:
        shell.doubt(f"{shell.place}: uwsgi's settings cannot be found in the project")
        return []
    found: list[tuple[str, str]] = []
    section = ""
    for line in data[:_LONGEST_SCRIPT].decode("utf-8", "replace").splitlines()[:_MOST_COMMANDS]:
        line = line.strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif section == "uwsgi" and line and line[0] not in "#;":
            key, _, value = line.partition("=")
            if value.strip() != "false":
                found.append((key.strip(), value.strip()))
    return found


def _waitress(words: list[str], shell: _Shell) -> WebProcess:
    flags = {"--call", "--help", "--expose-tracebacks", "--no-expose-tracebacks"}
    options = _options(words, frozenset(flags))
    app = options.get("--app") or (options.arguments[0] if options.arguments else None)
    return _served(
        "waitress",
        f"{app}()" if app and options.has("--call") else app,
        shell,
        ("waitress.runner", "waitress.server"),
        workers=Workers(fixed=1, origin=_ONE),
    )


def _daphne(words: list[str], shell: _Shell) -> WebProcess:
    options = _options(words, frozenset({"--no-server-name", "--proxy-headers", "-h", "--help"}))
    return _served(
        "daphne",
        options.arguments[0] if options.arguments else None,
        shell,
        ("daphne.cli", "daphne.server"),
        workers=Workers(fixed=1, origin=_ONE),
    )


def _streamlit(words: list[str], shell: _Shell) -> WebProcess | None:
    if words[:1] != ["run"]:
        return None
    options = _options(words[1:], frozenset({"--help"}))
    script = options.arguments[0] if options.arguments else "streamlit_app.py"
    found = _python([script], shell)
    if found is None:
        return None
    return replace(
        found,
        server="streamlit",
        modules=("streamlit.web.cli", "streamlit.web.bootstrap"),
        workers=Workers(fixed=1, origin=_ONE),
    )


def _flask(words: list[str], shell: _Shell) -> WebProcess | None:
    flags = frozenset(
        "--debug --no-debug --reload --no-reload --debugger --no-debugger --with-threads "
        "--without-threads --version --help".split()
    )
    options = _options(words, flags)
    if "run" not in options.arguments:
        return None
    app = options.get("--app", "-A") or shell.variables.get("FLASK_APP")
    if app is None:
        found = [name for name in ("wsgi.py", "app.py") if _join(shell, name) in shell.code.paths]
        app = found[0] if found else None
    if app is not None and app.partition(":")[0].endswith(".py"):
        path, _, attribute = app.partition(":")
        app = path.removesuffix(".py").removeprefix("./").replace("/", ".")
        app = f"{app}:{attribute}" if attribute else app
    return _served("flask", app, shell, ("flask.cli",), workers=Workers(fixed=1, origin=_ONE))


def _fastapi(words: list[str], shell: _Shell) -> WebProcess | None:
    if words[:1] not in (["run"], ["dev"]):
        return None
    flags = frozenset({"--reload", "--no-reload", "--proxy-headers", "--no-proxy-headers"})
    options = _options(words[1:], flags)
    usual = ("main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py")
    paths = [name for name in usual if _join(shell, name) in shell.code.paths]
    path = options.arguments[0] if options.arguments else paths[0] if paths else None
    workers = _number(options.get("--workers"), "fastapi's --workers", shell)
    if workers is None and not options.has("--workers"):
        workers = _by_variable("uvicorn", shell)
    # it imports from above the outermost folder with an __init__.py (fastapi_cli.discover)
    module, base = None, shell.folder
    if path is not None:
        place = _inside(path, shell) or ""
        folder, _, name = place.rpartition("/")
        parts = [name.removesuffix(".py")]
        while folder and f"{folder}/__init__.py" in shell.code.paths:
            folder, _, name = folder.rpartition("/")
            parts.insert(0, name)
        module, base = ".".join(parts), folder
    entry = options.get("-e", "--entrypoint") or module
    return _served(
        "fastapi",
        entry,
        shell,
        ("fastapi_cli.cli", *_UVICORN_MODULES),
        workers=workers,
        import_folders=tuple(dict.fromkeys((base, shell.folder))),
    )


_SERVERS: dict[str, Callable[[list[str], _Shell], WebProcess | None]] = {
    "gunicorn": _gunicorn,
    "uvicorn": _uvicorn,
    "hypercorn": _hypercorn,
    "uwsgi": _uwsgi,
    "waitress-serve": _waitress,
    "daphne": _daphne,
    "streamlit": _streamlit,
    "flask": _flask,
    "fastapi": _fastapi,
}
_PYTHON_FLAGS = frozenset("-u -O -OO -B -I -s -S -E -q -b -d -i -P -v -x".split())


def _python(words: list[str], shell: _Shell) -> WebProcess | None:
    while words and words[0].startswith("-"):
        if words[0] == "-m" and len(words) > 1:
            return _run_module(words[1], words[2:], shell)
        if words[0] == "-c":
            shell.notes.append(f"{shell.place}: python -c runs code of the command itself")
            return None
        words = words[1:] if words[0] in _PYTHON_FLAGS or len(words[0]) > 2 else words[2:]
    if not words:
        return None
    place = _inside(_filled(words[0], shell), shell)
    if place is None or place not in shell.code.paths:
        shell.notes.append(
            f"{shell.place}: {printable(words[0])[:_QUOTED]} is not among the project's files"
        )
        return None
    process = WebProcess(
        command="",
        place=shell.place,
        server="python",
        entries=(EntryPoint(script=place),),
        workers=Workers(fixed=1, origin=_ONE),
        import_folders=tuple(dict.fromkeys((posixpath.dirname(place), shell.folder))),
    )
    if posixpath.basename(place) != "manage.py":
        return process
    if words[1:2] != ["runserver"]:  # migrate, collectstatic
        return None
    reloads = "--noreload" not in words
    origin = "runserver and its reloader" if reloads else _ONE
    return replace(
        process,
        server="django",
        modules=("django.core.management", "django.core.management.commands.runserver"),
        workers=Workers(fixed=2 if reloads else 1, origin=origin),
    )


_RUN_AS_MODULE = {"waitress": "waitress-serve", "streamlit.web.cli": "streamlit"}


def _run_module(module: str, words: list[str], shell: _Shell) -> WebProcess | None:
    name = _RUN_AS_MODULE.get(module, module)
    if name in _SERVERS:
        return _SERVERS[name](words, shell)
    if not _MODULE.fullmatch(module):
        return None
    path = module.replace(".", "/")
    for script in (f"{path}/__main__.py", f"{path}.py"):
        if _join(shell, script) in shell.code.paths:
            return WebProcess(
                command="",
                place=shell.place,
                server="python",
                entries=(EntryPoint(script=_join(shell, script), module=module),),
                workers=Workers(fixed=1, origin=_ONE),
                import_folders=(shell.folder,),
            )
    shell.notes.append(f"{shell.place}: python -m {module[:_QUOTED]} is not the project's own")
    return None


def _join(shell: _Shell, name: str) -> str:
    return posixpath.join(shell.folder, name) if shell.folder else name


# --------------------------------------------------------------------------- workers


def worker_count(workers: Workers | None, dyno: Dyno | None) -> int | None:
    """Return how many workers a machine starts; None where that is not known.

    The platform's number for the machine stands for WEB_CONCURRENCY (Dyno.workers), and what the
    machine shows as its processors for the cores.
    """
    if workers is None:
        return None
    variable = dyno.concurrency if dyno is not None and workers.variable == CONCURRENCY else None
    return workers.count(cores=dyno.processors if dyno is not None else None, variable=variable)


def worker_origin(workers: Workers | None, dyno: Dyno | None) -> str:
    """Return what decides the number of workers on a machine, "" where nothing does."""
    if workers is None:
        return ""
    by_platform = workers.variable == CONCURRENCY and not workers.single
    if dyno is not None and dyno.concurrency and by_platform:
        return f"{CONCURRENCY} on {dyno.name}"
    return workers.origin


def refusal(workers: Workers | None, dyno: Dyno | None) -> str:
    """Return why a server stops at once on a machine, "" where it does not."""
    if workers is None or not workers.single or workers.variable != CONCURRENCY:
        return ""
    if dyno is None or (dyno.concurrency or 0) < 2:
        return ""
    return (
        f"{workers.origin}: uvicorn stops at once on {dyno.name}, where {CONCURRENCY} is "
        f'{dyno.concurrency}: give it the app as "module:app", or workers=1'
    )


def forks(process: WebProcess) -> bool:
    """Return whether the server forks its workers, which then share its memory."""
    return process.server in ("gunicorn", "uwsgi")


# --------------------------------------------------------------------------- what must be installed

# What may bring a program otherwise than by the requirements: packages of the system or of conda,
# another build, hooks of this one, and what a dyno's shell reads before the command.
_OTHER_WAYS = frozenset(
    "Aptfile .buildpacks heroku.yml environment.yml conda-requirements.txt bin/pre_compile "
    "bin/post_compile .profile".split()
)
_OWN_BUILDPACKS = re.compile(
    r"(?:https://github\.com/)?heroku/(?:heroku-buildpack-)?(?:python|nodejs)(?:\.git)?"
)
_NEXT = frozenset({"", "&&", ";", "&"})
_HARMLESS = frozenset("cd echo export mkdir printf set sleep touch true ulimit umask".split())


def programs(code: Code) -> tuple[Program, ...]:
    """Return Python's programs that the Procfile's processes certainly look for on PATH.

    Those of the web process come first, then those of the release phase. A command counts only
    where all of it is understood: a shell script, a tool such as Poetry, or another buildpack may
    bring the program.

    :raises MeasureError: the Procfile cannot be read.
    """
    if "Procfile" not in code.paths or _has_other_ways(code):
        return ()
    found = procfile(code.folder, code.top)
    own = {posixpath.basename(path) for path in code.paths}
    order = sorted(found.types, key=lambda process: (process != "web", process != "release"))
    return tuple(
        Program(name=name, process=process, line=found.lines[process])
        for process in order
        for name in _needed(found.types[process][:_LONGEST_COMMAND])
        if name not in own
    )


def _has_other_ways(code: Code) -> bool:
    """Whether programs may come from elsewhere than the requirements."""
    if not _OTHER_WAYS.isdisjoint(code.paths):
        return True
    if any(path.startswith(".profile.d/") for path in code.paths):
        return True
    if b"pip" in (code.text("package.json") or b"") or b"buildpacks" in (
        code.text("project.toml") or b""
    ):
        return True
    app = code.text("app.json")
    settings = _settings_file(app, toml=False) if app is not None else {}
    listed = settings.get("buildpacks") or [] if settings is not None else None
    if not isinstance(listed, list):
        return True
    urls = [one.get("url") if isinstance(one, dict) else None for one in listed]
    return not all(isinstance(url, str) and _OWN_BUILDPACKS.fullmatch(url) for url in urls)


def _needed(text: str) -> tuple[str, ...]:
    """Return the programs of Python without which a command fails; none where that is not sure."""
    found: list[str] = []
    for words in _split(text) or ():
        after = words.pop() if words[-1] in _SEPARATORS else ""
        names = _looked_for(words)
        if names is None or after not in _NEXT:
            return ()
        found += names
        if after in (";", "&"):  # the next command starts all the same
            found.clear()
    return tuple(dict.fromkeys(found))


def _looked_for(words: list[str]) -> list[str] | None:
    """Return the programs of Python that a simple command starts, None where it may do more."""
    found: list[str] = []
    while words:
        name = words[0]
        if match := _ASSIGNMENT.fullmatch(name):
            if match[1] == "PATH":
                return None
            words = words[1:]
        elif name in ("exec", "env", "nohup", "time", "nice"):
            words = _behind(words[1:], _WRAPPERS[name], skip=False)
        elif name in ("ddtrace-run", "opentelemetry-instrument"):
            found.append(name)
            words = _behind(words[1:], frozenset(), skip=False)
        elif name == "newrelic-admin" and words[1:2] == ["run-program"]:
            found.append(name)
            words = words[2:]
        else:
            break
    if not words:
        return found
    if words[0] in PROGRAMS:
        return [*found, words[0]]
    migrates = _PYTHON.fullmatch(words[0]) and words[1:2] == ["manage.py"]
    sets_path = any(word.startswith("PATH=") for word in words)
    return found if (words[0] in _HARMLESS and not sets_path) or migrates else None

"""What to rehearse: the user's options, and the commands that the project's files name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slugcheck.errors import UsageError
from slugcheck.model import Platform
from slugcheck.model.options import Options
from slugcheck.project import processes
from slugcheck.project.app import Subject
from slugcheck.project.source import Code
from slugcheck.rehearsing.requests import Request
from slugcheck.text import listed, printable

WEB = "web"
_RELEASE = "release"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = 60
_TELLING = re.compile(r"SECRET|PASS|TOKEN|KEY|AUTH|CREDENTIAL|DSN|URL|SALT", re.IGNORECASE)
_LONG = 12  # characters
_MOST_FILE = 2**20
DEFAULT_REQUESTS = 200
DEFAULT_LEAST_SECONDS = 5.0  # a fast app answers 200 in a moment, in which no memory can be seen
LONGEST_LOAD_SECONDS = 60.0
WATCH_SECONDS = 10.0  # a process without a port


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How much to ask for: ``requests`` at least, for ``least_seconds`` or more."""

    requests: int = DEFAULT_REQUESTS
    least_seconds: float = DEFAULT_LEAST_SECONDS
    seconds: float = LONGEST_LOAD_SECONDS
    concurrency: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearseOptions:
    """The user's options.

    ``interpreter`` is of an environment that has the packages: then nothing is built. ``memory`` is
    where the processes are killed, in bytes; None: where the platform kills them. ``variables`` are
    the config vars with their values.
    """

    check: Options
    interpreter: Path | None = None
    types: tuple[str, ...] = ()
    command: str | None = None
    requests: tuple[Request, ...] = ()
    load: LoadOptions = LoadOptions()
    memory: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    release: bool = False
    until_it_breaks: str | None = None  # "workers" or "concurrency"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessType:
    """A process to start: its name, its command as it is written, and where it is written."""

    name: str
    command: str = field(repr=False)
    place: str
    folder: str = ""
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def serves(self) -> bool:
        """Whether it gets a port and requests."""
        return self.name == WEB


def process_types(
    options: RehearseOptions, subject: Subject, platform: Platform, dockerfile: Path | None
) -> tuple[ProcessType, ...]:
    """Return what to start, with the release phase first where it was asked for.

    :raises UsageError: no file says how the app is started, or a type is not in the Procfile.
    """
    if options.command is not None:
        return (ProcessType(name=WEB, command=options.command, place="--command"),)
    if subject.project is None or subject.files is None:
        raise UsageError("rehearse needs a project folder", hint="name it: slugcheck rehearse .")
    found = processes.procfile(subject.path, subject.top)
    in_slug = subject.files.absent("Procfile") is None
    types = dict(found.types) if in_slug else {}
    wanted = options.types or (WEB,)
    chosen = []
    if options.release:
        wanted = (_RELEASE, *(name for name in wanted if name != _RELEASE))
    for name in wanted:
        if name in types and (name != WEB or platform.buildpack is not None):
            place = f"Procfile:{found.lines[name]}"
            chosen.append(ProcessType(name=name, command=types[name], place=place))
        elif name == WEB:
            chosen.append(_web(subject, platform, dockerfile, tuple(types)))
        else:
            known = listed(sorted(types)) or "none"
            message = f"there is no process type {printable(name)[:_QUOTED]!r}"
            raise UsageError(message, hint=f"the Procfile has: {known}")
    return tuple(chosen)


def _web(
    subject: Subject, platform: Platform, dockerfile: Path | None, others: tuple[str, ...]
) -> ProcessType:
    """Return the web process that another platform's file names."""
    assert subject.files is not None  # noqa: S101 - the caller has looked
    paths = frozenset(member.path for member in subject.files.files)
    code = Code(folder=subject.path, top=subject.top, paths=paths)
    process = processes.web_process(code, dockerfile=dockerfile, platform=platform.name)
    if platform.buildpack is not None and process is not None and process.place[:9] == "Procfile:":
        process = None  # of another type: the only one there is
    if process is None or not process.command:
        if others:
            hint = f"name one with --process: {listed(sorted(others))}"
            raise UsageError("the Procfile has no web process", hint=hint)
        message = "no file says how the app is started"
        hint = "add a Procfile (web: gunicorn app:app), or give --command 'gunicorn app:app'"
        raise UsageError(message, hint=hint)
    return ProcessType(
        name=WEB,
        command=process.command,
        place=process.place,
        folder=process.folder,
        variables=process.variables,
    )


# --------------------------------------------------------------------------- config vars


def variables(given: tuple[str, ...], files: tuple[Path, ...]) -> dict[str, str]:
    """Return the config vars of ``--env`` and ``--env-file``; what comes later wins.

    :raises UsageError: a name is wrong, not set here, or a file cannot be read.
    """
    found: dict[str, str] = {}
    for path in files:
        found |= _of_file(path)
    for text in given:
        name, equals, value = text.partition("=")
        if not _NAME.fullmatch(name):
            message = f"--env {printable(name)[:_QUOTED]!r}: not the name of a variable"
            raise UsageError(message, hint="for example --env DATABASE_URL, or --env DEBUG=0")
        if not equals:
            if name not in os.environ:
                raise UsageError(f"--env {name}: it is not set here", hint=f"--env {name}=VALUE")
            value = os.environ[name]
        found[name] = value
    return found


def secrets(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the values that no output may show: those of telling names, and all long ones."""
    for name, value in variables.items():
        if _TELLING.search(name) or len(value) >= _LONG:
            yield value


def _of_file(path: Path) -> dict[str, str]:
    from io import StringIO

    from dotenv import dotenv_values

    try:
        if path.stat().st_size > _MOST_FILE:
            raise UsageError(f"--env-file {printable(str(path))} is larger than 1 MiB")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        message = f"--env-file {printable(str(path))} cannot be read: {reason}"
        raise UsageError(message, hint="name a file with lines such as NAME=VALUE") from None
    values = dotenv_values(stream=StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value is not None}

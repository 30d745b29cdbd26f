"""What to rehearse: the user's options, and the commands that the project's files name."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from slugcheck.errors import UsageError
from slugcheck.model import Platform
from slugcheck.model.options import Options
from slugcheck.model.rehearsal import WEB
from slugcheck.project import processes
from slugcheck.project.app import Subject
from slugcheck.project.source import Code
from slugcheck.rehearsing.requests import Request
from slugcheck.text import listed, printable

RELEASE = "release"  # runs once, before the others
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = 60
_TELLING = re.compile(r"SECRET|PASS|TOKEN|KEY|AUTH|CREDENTIAL|DSN|URL|SALT", re.IGNORECASE)
_LONG = 12  # characters
_MOST_FILE = 2**20
DEFAULT_REQUESTS = 200
DEFAULT_CONCURRENCY = 4
DEFAULT_LEAST_SECONDS = 5.0  # a fast app answers 200 in a moment, in which no memory can be seen
LONGEST_LOAD_SECONDS = 60.0
_USUAL_GRACE_SECONDS = 30.0  # Kubernetes' default, where the platform's own is not known
WATCH_SECONDS = 10.0  # a process without a port
_LINES = "its lines are such as NAME=VALUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How much to ask for: ``requests`` at least, for ``least_seconds`` or more.

    ``concurrency`` is None where the user has not said how many at the same time.
    """

    requests: int = DEFAULT_REQUESTS
    least_seconds: float = DEFAULT_LEAST_SECONDS
    seconds: float = LONGEST_LOAD_SECONDS
    concurrency: int | None = None

    @property
    def clients(self) -> int:
        """How many requests at the same time."""
        return self.concurrency or DEFAULT_CONCURRENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearseOptions:
    """The user's options.

    ``interpreter`` is of an environment that has the packages: then nothing is built. ``memory`` is
    where the processes are killed, in bytes; None: where the platform kills them. ``variables`` are
    the config vars with their values.

    The last three are of a function: the one that is called, the events that it gets, and what an
    invocation may take, in seconds; None or none for what the project and the platform say.
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
    handler: str | None = None
    events: tuple[Request, ...] = ()
    timeout: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessType:
    """A process to start: its name, its command as it is written, and where it is written.

    The command of a function is its handler.
    """

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
        wanted = (RELEASE, *(name for name in wanted if name != RELEASE))
    for name in wanted:
        if name in types and (name != WEB or platform.buildpack is not None):
            place = f"Procfile:{found.lines[name]}"
            chosen.append(ProcessType(name=name, command=types[name], place=place))
        elif name == WEB:
            paths = frozenset(member.path for member in subject.files.files)
            code = Code(folder=subject.path, top=subject.top, paths=paths)
            chosen.append(_web(code, platform, dockerfile, tuple(types)))
        else:
            known = listed(sorted(types)) or "none"
            message = f"there is no process type {printable(name)[:_QUOTED]!r}"
            raise UsageError(message, hint=f"the Procfile has: {known}")
    return tuple(chosen)


def grace_seconds(platform: Platform) -> float:
    """Return how long a process may take to end after SIGTERM."""
    period = platform.grace_period
    return float(period.seconds) if period is not None else _USUAL_GRACE_SECONDS


def _web(
    code: Code, platform: Platform, dockerfile: Path | None, others: tuple[str, ...]
) -> ProcessType:
    """Return the web process that another platform's file names."""
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
    """Yield the values that no output may show: those of telling names, and all long ones.

    With them come the password of a URL, each line of several, and what a program makes of them
    that prints a mapping or JSON.
    """
    for name, value in variables.items():
        if not _TELLING.search(name) and len(value) < _LONG:
            continue
        parts = [value, *(line for line in value.splitlines() if len(line.strip()) >= _LONG)]
        with suppress(ValueError):
            if password := urlsplit(value).password:
                parts += [password, unquote(password)]
        for part in parts:
            yield from {part, repr(part)[1:-1], json.dumps(part)[1:-1]}


def _of_file(path: Path) -> dict[str, str]:
    from io import StringIO

    from dotenv.parser import parse_stream

    label = f"--env-file {printable(str(path))}"
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_FILE + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{label} cannot be read: {reason}", hint=_LINES) from None
    if len(content) > _MOST_FILE:
        raise UsageError(f"{label} is larger than 1 MiB", hint=_LINES)
    found = {}
    for binding in parse_stream(StringIO(text)):
        where = f"{label}: line {binding.original.line}"
        if binding.error:
            raise UsageError(f"{where} cannot be understood", hint=_LINES)
        if binding.key is None:
            continue  # a comment, or nothing
        if not _NAME.fullmatch(binding.key):
            name = printable(binding.key)[:_QUOTED]
            raise UsageError(f"{where}: {name!r} is not the name of a variable", hint=_LINES)
        if binding.value is None:
            raise UsageError(f"{where}: {binding.key} has no value", hint=_LINES)
        if "\0" in binding.value:
            raise UsageError(f"{where}: {binding.key} has a zero byte", hint=_LINES)
        found[binding.key] = binding.value
    return found

"""Records of the web process and of what the app imports, found without running either."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class When(StrEnum):
    """When a module is loaded."""

    START = "start"  # before the process serves: every worker has it
    REQUEST = "request"  # with the first request or page, as Django's URLs and Streamlit's script
    LATER = "later"  # in a function that nothing calls at the start, or perhaps never


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoint:
    """What a process runs: a ``script`` by its path, or a ``module`` that it imports.

    ``attribute`` is what a server takes from the module: ``app``, or a call, ``create_app()``.
    Paths are relative to the project's folder.
    """

    module: str = ""  # dotted
    script: str = ""
    attribute: str = ""

    def __str__(self) -> str:
        if self.script:
            return self.script
        return f"{self.module}:{self.attribute}" if self.attribute else self.module


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """How many processes are started: ``fixed`` plus ``per_core`` for each core.

    ``variable`` decides instead where it is set: ``WEB_CONCURRENCY``, which Heroku sets. ``origin``
    says where that is written: "-w 4", "gunicorn.conf.py:3", "gunicorn's default". A ``single`` one
    is all that the server can start: it stops at once where the variable says more.
    """

    fixed: int
    origin: str
    per_core: int = 0  # of the cores that the process sees
    variable: str = ""
    single: bool = False

    def count(self, *, cores: int | None, variable: int | None = None) -> int | None:
        """Return the number; None where it depends on cores whose number is not known.

        ``variable`` is the value that the platform gives the variable, None without one.
        """
        if self.single:
            return 1
        if self.variable and variable is not None:
            return max(1, variable)
        if not self.per_core:
            return max(1, self.fixed)
        return None if cores is None else max(1, self.fixed + self.per_core * cores)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebProcess:
    """The command that serves, as far as its plain text says.

    ``server`` is the program: ``gunicorn``, ``uvicorn``, ``hypercorn``, ``waitress``, ``daphne``,
    ``streamlit``, ``flask``, ``fastapi``, ``django`` (manage.py), ``python`` (a script of the app),
    or "" where it was not understood. ``modules`` are what that program itself imports first.
    ``workers`` is None where the number of processes is not known. Folders are relative to the
    project's folder, "" for itself; imports look into ``import_folders`` one after another.
    """

    command: str = field(repr=False)  # as it is written; it may hold credentials
    place: str  # "Procfile:1", "Dockerfile:12", "--entry"
    server: str
    entries: tuple[EntryPoint, ...]
    modules: tuple[str, ...] = ()
    workers: Workers | None = None
    preload: bool = False  # the app is loaded once, and the workers share its pages
    supervisor: bool = False  # one more process starts the workers and does not load the app
    folder: str = ""  # where it runs
    import_folders: tuple[str, ...] = ("",)
    # that the command or the Dockerfile sets; they may hold credentials
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()  # what was not understood, and what that means
    doubts: tuple[str, ...] = ()  # those of the notes for which it may start or load more


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that a process of the Procfile looks for on PATH, and cannot start without."""

    name: str  # "gunicorn"
    process: str  # "web"
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A module that is not the app's own, and the first place that imports it.

    ``names`` are what ``from module import ...`` takes, "*" for all: a lazy package loads by them.
    ``distribution`` is the canonical name of the distribution that provides it, "" for Python
    itself, None if no known distribution does. ``chain`` lists the app's files from the entry point
    to that place.
    """

    module: str  # "sklearn.ensemble"
    place: str  # "detector.py:3"
    chain: tuple[str, ...]  # ("app.py", "detector.py")
    when: When
    distribution: str | None
    names: tuple[str, ...] = ()
    optional: bool = False  # in a try that goes on without it

    @property
    def root(self) -> str:
        """The top-level name: ``sklearn``."""
        return self.module.partition(".")[0]

    @property
    def paths(self) -> tuple[str, ...]:
        """The module, and what is taken from it as a part of its path."""
        return (self.module, *(f"{self.module}.{name}" for name in self.names if name != "*"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file of the app, or an import in it, whose own imports are not known, and why.

    ``when`` is the earliest time that it is loaded.
    """

    place: str  # "legacy.py", "plugins.py:12"
    reason: str
    when: When = When.START


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model that the app's code loads, and the first place that loads it.

    ``path`` is relative to the project's folder; what is no file there may be a name that the
    loader downloads or a package. It is "" where the code computes it. ``chain`` lists the app's
    files from the entry point to that place. ``mapped``: the file is mapped into memory, not read.
    """

    path: str  # "models/detector.onnx"
    loader: str  # "onnxruntime.InferenceSession"
    place: str  # "detector.py:3"
    chain: tuple[str, ...]
    when: When
    mapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a process imports, in the order in which it is first reached.

    A module is there once, at the earliest time that it is loaded. ``process`` is None where the
    direct requirements stand for the app: then each has its main module. ``files`` are the app's
    own files that are loaded before ``When.LATER``, ``models`` what all of them load, each once at
    the earliest time. ``knows_all_packages`` is False where the files
    of some distribution are not known, so that nothing can be said to be missing.
    """

    process: WebProcess | None
    imports: tuple[Import, ...]
    files: tuple[str, ...] = ()
    models: tuple[LoadedModel, ...] = ()
    unread: tuple[Unread, ...] = ()
    knows_all_packages: bool = True
    notes: tuple[str, ...] = ()

    def at(self, *times: When) -> tuple[Import, ...]:
        """Return the imports of certain times."""
        return tuple(item for item in self.imports if item.when in times)

    @property
    def missing(self) -> tuple[Import, ...]:
        """The modules that the process needs to start and that no requirement provides."""
        if not self.knows_all_packages:
            return ()
        return tuple(
            item for item in self.at(When.START) if item.distribution is None and not item.optional
        )

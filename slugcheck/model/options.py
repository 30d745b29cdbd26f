"""The user's options, and the environment variables that a checked file may use.

``${NAME}`` in a file is replaced only for names that the command line allows with ``--env NAME``:
the file may be a stranger's, and decides where a value goes, for example to which server.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import UsageError
from slugcheck.model import FindingSeverity, IndexOptions, Service, Target
from slugcheck.model.platform import arch_name
from slugcheck.text import keep_secret

_USED = re.compile(r"\$\{([A-Z0-9_]+)\}")  # pip's and uv's; a lower-case name is no variable there
DEFAULT_PLATFORM = "heroku"
RUNTIME = "runtime"  # among the provided: the platform's own list
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Variables:
    """The names that may be replaced; values are read when used, and never kept."""

    names: frozenset[str] = frozenset()

    @classmethod
    def allowed(cls, names: Iterable[str]) -> Variables:
        """Return those of ``--env``; their values are masked in all output from now on.

        :raises UsageError: one is not the name of a variable.
        """
        variables = frozenset(names)
        for name in variables:
            if not _NAME.fullmatch(name):
                message = "--env takes the name of an environment variable"
                raise UsageError(message, hint="write --env NAME, without a value")
        keep_secret(os.environ.get(name, "") for name in variables)
        return cls(variables)

    def value(self, name: str) -> str | None:
        """Return the value of an allowed name; None if it is not allowed, unset or empty."""
        return os.environ.get(name) or None if name in self.names else None

    def fill(self, text: str) -> str:
        """Return text with the allowed names replaced; those without a value stay."""
        return _USED.sub(lambda match: self.value(match[1]) or match[0], text)

    def missing(self, text: str) -> tuple[str, ...]:
        """Return the names in text that are not replaced."""
        return tuple(name for name in used(text) if self.value(name) is None)

    def why(self, missing: Collection[str]) -> str:
        """Return the message for names not replaced: ``uses ${X}; allow it with --env X``."""
        refused = [name for name in missing if name not in self.names]
        unset = [name for name in missing if name in self.names]
        sentences = []
        if refused:
            sentences.append(
                f"uses {_listed(refused)}; allow {_it(refused)} with {_options(refused)}"
            )
        if unset:
            sentences.append(f"uses {_listed(unset)}, which {_is(unset)} not set")
        return "; it ".join(sentences)


def used(text: str) -> tuple[str, ...]:
    """Return the names in a text, each once."""
    return tuple(dict.fromkeys(_USED.findall(text)))


def _listed(names: Collection[str]) -> str:
    return " and ".join(f"${{{name}}}" for name in names)


def _options(names: Collection[str]) -> str:
    return " ".join(f"--env {name}" for name in names)


def _it(names: Collection[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _is(names: Collection[str]) -> str:
    return "is" if len(names) == 1 else "are"


# --------------------------------------------------------------------------- options


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The user's options. ``index`` adds to the indexes of the file."""

    path: Path
    text: str | None = field(default=None, repr=False)  # read in place of the path
    platform: str | None = None  # None: the settings', else DEFAULT_PLATFORM
    stack: str | None = None
    python: str | None = None
    python_origin: str = "--python"  # where ``python`` comes from
    dyno: str | None = None
    base: str | None = None  # of a container image, as FROM names it
    base_size: int | None = None  # bytes on disk of a base that is not known
    dockerfile: Path | None = None  # None: that of the folder
    entry: str | None = None  # what the web process runs, "app:app"; None: as the files say
    tier: str | None = None  # of the platform's size limit; None: what the project says
    tier_origin: str = "--tier"  # where ``tier`` comes from
    arch: str | None = None
    bytecode: bool | None = None  # None: as the platform's own installer does
    provided: tuple[str, ...] = ()  # distributions that the runtime has; RUNTIME: its whole list
    layers: tuple[str, ...] = ()  # files, folders and sizes
    index: IndexOptions = field(default_factory=IndexOptions)
    extras: tuple[str, ...] = ()  # of a pyproject.toml
    groups: tuple[str, ...] = ()  # dependency groups of a pyproject.toml
    default_groups: bool = False  # of a uv.lock: those that uv sync installs by default
    env: tuple[str, ...] = ()  # names of variables that the file may use
    exclude_newer: str | None = None
    offline: bool = False
    refresh: bool = False  # whether every index is asked again
    use_cache: bool = True
    allow_unsized: tuple[str, ...] = ()
    allow_all_unsized: bool = False
    limits: tuple[tuple[str, str], ...] = ()
    build: bool = False
    models: tuple[str, ...] = ()  # paths, globs and URLs
    remote_models: bool = False  # whether the project's settings may name models on servers
    fail_on: FindingSeverity = FindingSeverity.ERROR  # findings that decide the exit code
    verify: bool = False
    rehearsal: Path | None = None  # a saved rehearsal, whose figures replace what is predicted
    audit: Service | None = None  # the vulnerability service, None for no audit
    config: Path | None = None  # a settings file in place of the project's own
    head_decides: bool = False  # with a revision as base: the change's own settings, not the base's
    named: Path | None = None  # what the command line named, where ``path`` is a copy of it
    top: Path | None = None  # the folder that files may be read from; None: the path's checkout

    @property
    def is_lock(self) -> bool:
        """Whether the file is a ``pylock.toml`` (PEP 751: ``pylock.toml``, ``pylock.x.toml``)."""
        return self.path.suffix == ".toml" and self.path.name != "pyproject.toml"

    @property
    def shown_path(self) -> str:
        """What messages and reports call the path."""
        if self.text is not None:
            return "<text>"
        return "<stdin>" if self.path == reading.STDIN else str(self.path)

    @property
    def within(self) -> Path:
        """The folder outside of which no file of the project is read, a real path."""
        return self.top or reading.top_of(self.path if self.text is None else Path())

    @property
    def variables(self) -> Variables:
        """The variables that the file may use.

        :raises UsageError: a name is invalid.
        """
        return Variables.allowed(self.env)

    @property
    def of_image(self) -> tuple[str, ...]:
        """The options given that are about a container image."""
        given = {
            "--base": self.base, "--base-size": self.base_size, "--dockerfile": self.dockerfile
        }  # fmt: skip
        return tuple(name for name, value in given.items() if value is not None)

    @property
    def is_folder(self) -> bool:
        """Whether the path is a project folder."""
        return self.text is None and self.path.is_dir()


def options_for(target: Target, *, project: bool) -> tuple[str, ...]:
    """Return the options that name a target; a project's folder names its base image itself."""
    given: list[str] = []
    if target.platform.option != DEFAULT_PLATFORM:
        given += ("--platform", target.platform.option)
    if target.base is not None and not project:
        given += ("--base", target.base.name)
    if target.python_origin == "--python":
        given += ("--python", target.minor)
    usual = target.stack.arches[:1]
    if usual and target.stack.arch not in usual:
        given += ("--arch", arch_name(target.stack.arch))
    if target.bytecode is not None:
        given.append("--bytecode" if target.bytecode else "--no-bytecode")
    if target.provided and target.provided == tuple(sorted(target.platform.bundle.provided)):
        return (*given, "--provided")
    return (*given, *(part for name in target.provided for part in ("--provided", name)))

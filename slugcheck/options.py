"""What the user asked for, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from slugcheck import reading
from slugcheck.model import IndexOptions, Service
from slugcheck.variables import Variables

DEFAULT_PLATFORM = "heroku"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for. ``index`` adds to what the file itself says."""

    path: Path
    platform: str | None = None  # None: the settings', else DEFAULT_PLATFORM
    stack: str | None = None
    python: str | None = None
    python_origin: str = "--python"  # what ``python`` was given with
    dyno: str | None = None
    index: IndexOptions = field(default_factory=IndexOptions)
    env: tuple[str, ...] = ()  # names of variables that the file may use
    exclude_newer: str | None = None
    offline: bool = False
    use_cache: bool = True
    allow_unsized: tuple[str, ...] = ()
    allow_all_unsized: bool = False
    limits: tuple[tuple[str, str], ...] = ()
    build: bool = False
    models: tuple[str, ...] = ()  # paths, globs and URLs
    remote_models: bool = False  # whether the project's settings may name models on servers
    verify: bool = False
    audit: Service | None = None  # whom to ask for vulnerabilities, None for nobody
    config: Path | None = None  # a settings file in place of the project's own
    head_decides: bool = False  # with a revision as base: the change's own settings, not the base's
    top: Path | None = None  # the folder that files may be read from; None: the path's checkout

    @property
    def is_lock(self) -> bool:
        """Whether the file is a ``pylock.toml`` (PEP 751: ``pylock.toml``, ``pylock.x.toml``)."""
        return self.path.suffix == ".toml"

    @property
    def within(self) -> Path:
        """The folder outside of which no file of the project is read, a real path."""
        return self.top or reading.top_of(self.path)

    @property
    def variables(self) -> Variables:
        """The variables that the file may use.

        :raises UsageError: a name is none.
        """
        return Variables.allowed(self.env)

    @property
    def is_folder(self) -> bool:
        """Whether a project folder was named."""
        return self.path.is_dir()

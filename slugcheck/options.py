"""What the user asked for, as a value, and the file it is about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from slugcheck.index import requirements
from slugcheck.model import IndexOptions, RequirementSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for. ``index`` adds to what the file itself says."""

    path: Path
    platform: str = "heroku"
    stack: str | None = None
    python: str | None = None
    dyno: str | None = None
    index: IndexOptions = field(default_factory=IndexOptions)
    exclude_newer: str | None = None
    offline: bool = False
    use_cache: bool = True
    allow_unsized: tuple[str, ...] = ()
    allow_all_unsized: bool = False
    limits: tuple[tuple[str, str], ...] = ()
    build: bool = False

    @property
    def is_lock(self) -> bool:
        """Whether the file is a ``pylock.toml`` (PEP 751: ``pylock.toml``, ``pylock.x.toml``)."""
        return self.path.suffix == ".toml"


def read_requirements(options: Options) -> RequirementSet | None:
    """Read the file with the options of the command line added; None for a lock.

    :raises RequirementsError: the file cannot be read, or pip's grammar refuses it.
    """
    if options.is_lock:
        return None
    found = requirements.read(options.path)
    own, more = found.options, options.index
    return replace(
        found,
        options=replace(
            own,
            index_url=more.index_url or own.index_url,
            extra_index_urls=(*more.extra_index_urls, *own.extra_index_urls),
            find_links=(*more.find_links, *own.find_links),
            prerelease=own.prerelease or more.prerelease,
        ),
    )

"""What the user asked for, as a value, and the file it is about."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from slugcheck.audit import Service
from slugcheck.errors import UsageError
from slugcheck.index import requirements
from slugcheck.model import IndexOptions, RequirementSet

DEFAULT_PLATFORM = "heroku"
# Where uv and pip take indexes from; Heroku hands PIP_EXTRA_INDEX_URL to the build.
_DEFAULT_INDEX = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
_EXTRA_INDEXES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")


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
    exclude_newer: str | None = None
    offline: bool = False
    use_cache: bool = True
    allow_unsized: tuple[str, ...] = ()
    allow_all_unsized: bool = False
    limits: tuple[tuple[str, str], ...] = ()
    build: bool = False
    models: tuple[str, ...] = ()  # paths, globs and URLs
    verify: bool = False
    audit: Service | None = None  # whom to ask for vulnerabilities, None for nobody
    config: Path | None = None  # a settings file in place of the project's own
    settings_top: Path | None = None  # the last folder that settings are looked for in

    @property
    def is_lock(self) -> bool:
        """Whether the file is a ``pylock.toml`` (PEP 751: ``pylock.toml``, ``pylock.x.toml``)."""
        return self.path.suffix == ".toml"

    @property
    def is_folder(self) -> bool:
        """Whether a project folder was named."""
        return self.path.is_dir()


def read_requirements(options: Options, *, empty: bool = False) -> RequirementSet:
    """Read the file with the options of the command line added; ``empty`` allows an empty one.

    :raises RequirementsError: the file cannot be read, or pip's grammar refuses it.
    :raises UsageError: an index URL or a folder of wheels is none.
    """
    more = indexes(options)
    found = requirements.read(options.path, empty=empty)
    own = found.options
    for url in filter(None, (own.index_url, *own.extra_index_urls)):
        _check_url(url)
    return replace(
        found,
        options=replace(
            own,
            index_url=options.index.index_url or own.index_url or more.index_url,
            extra_index_urls=(*more.extra_index_urls, *own.extra_index_urls),
            find_links=(*more.find_links, *own.find_links),
        ),
    )


def indexes(options: Options, environ: Mapping[str, str] = os.environ) -> IndexOptions:
    """Return the indexes of the command line and the environment, checked.

    :raises UsageError: one of them is no URL, or no folder.
    """
    given = options.index
    default = next(filter(None, (environ.get(name) for name in _DEFAULT_INDEX)), None)
    extra = [url for name in _EXTRA_INDEXES for url in environ.get(name, "").split()]
    # uv lets an index have a name: name=https://...
    extra = [url.partition("=")[2] if "=" in url.partition("://")[0] else url for url in extra]
    found = replace(
        given,
        index_url=given.index_url or default,
        extra_index_urls=(*given.extra_index_urls, *extra),
    )
    for url in filter(None, (found.index_url, *found.extra_index_urls)):
        _check_url(url)
    for place in found.find_links:
        if "://" in place:
            _check_url(place)
        elif not Path(place).exists():
            message = f"--find-links {place}: there is no such folder"
            raise UsageError(message, hint="name a folder with wheels, or a page that links them")
    return found


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https", "file") and "@" not in parts.path
        sound = sound and (parts.port is None or parts.port >= 0) and "%00" not in url
        sound = sound and (bool(parts.hostname) or parts.scheme == "file")
    except ValueError:
        sound = False
    if not sound:
        shown = "one that holds a password" if "@" in url else repr(url)
        message = f"an index URL cannot be understood: {shown}"
        hint = "write https://host/simple/; in a password, / and @ are written %2F and %40"
        raise UsageError(message, hint=hint)

"""Requirements, the resolution, and what is inside a wheel."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A line of a file, for messages and annotations."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement line that can be handed to the resolver.

    ``text`` is the PEP 508 form without hashes. ``url`` is set for a direct reference (a URL or an
    absolute local path), ``hashes`` holds ``algorithm:hexdigest`` strings.
    """

    name: str  # canonical; "" for a bare URL or path whose name is not yet known
    text: str
    origin: Origin
    extras: tuple[str, ...] = ()
    specifier: str = ""
    marker: str = ""
    url: str | None = field(default=None, repr=False)
    hashes: tuple[str, ...] = ()
    editable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """Where packages come from and which files count, as pip's options say it.

    URLs may hold credentials: never print them; ``repr`` leaves them out.
    """

    index_url: str | None = field(default=None, repr=False)
    extra_index_urls: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    no_index: bool = False
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    prerelease: bool = False
    prefer_binary: bool = False
    require_hashes: bool = False
    trusted_hosts: tuple[str, ...] = ()
    named_origins: tuple[str, ...] = ()  # scheme://host:port of what the user named, not the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsized:
    """A distribution that could not be measured, and why."""

    name: str
    version: str | None
    reason: str
    origin: Origin | None = None
    marker: str = ""  # where the line is wanted at all; "" means everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSet:
    """A requirements file with all its includes, read. ``set_aside`` is what no size can have."""

    path: str
    sha256: str  # of the top file's bytes followed by those of each include, in reading order
    requirements: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...]
    options: IndexOptions
    set_aside: tuple[Unsized, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """The file an installer would fetch. ``url`` may hold credentials; ``repr`` leaves it out."""

    filename: str
    url: str = field(repr=False)  # http(s) URL or file: URL
    size: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file inside a wheel: bytes when unpacked, and bytes it takes in the archive."""

    path: str
    size: int
    compressed: int
    stored: bool = False  # not deflated: ``compressed`` says nothing about how it would gzip


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What a wheel holds, from its ZIP directory, METADATA and entry_points.txt.

    ``entries`` are files only, in archive order. ``dist_info`` is the top-level ``*.dist-info``
    name. ``console_scripts`` and ``gui_scripts`` are (name, "module:attr") pairs. ``via`` says how
    it was read: ``range``, ``full``, ``local``, ``cache`` or ``sdist``.
    """

    filename: str
    sha256: str | None
    file_bytes: int
    dist_info: str
    entries: tuple[Entry, ...]
    requires_dist: tuple[str, ...]
    provides_extra: tuple[str, ...]
    requires_python: str | None
    console_scripts: tuple[tuple[str, str], ...]
    gui_scripts: tuple[tuple[str, str], ...]
    via: str
    # members of *.data/scripts/ whose first line is "#!python": the installer rewrites it
    python_scripts: tuple[str, ...] = ()
    # share of a module's bytecode size that a sample of its sources showed, against the model:
    # 1.1 means 10 % larger than the model of bytecode.py says; None when nothing was sampled
    bytecode_factor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBuild:
    """That a distribution is built from source on the platform, and how its size was found."""

    reason: str
    native: bool
    method: str  # in words, after "sized from": "its archive", "its wheel for cp311"
    nearest: str | None  # filename of the wheel that stood in
    newest_python_with_wheel: str | None
    low_factor: float  # the interval of its sizes, as factors of the value
    high_factor: float
    notes: tuple[str, ...] = ()  # what the archive does not tell, such as files made by its build


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One pinned distribution of the resolution."""

    name: str
    version: str
    artifact: Artifact
    direct: bool
    origins: tuple[Origin, ...] = ()
    extras: tuple[str, ...] = ()  # asked for by the file itself
    direct_url: bool = False
    source_build: SourceBuild | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Traffic of slugcheck itself (what the resolver fetched is not in it)."""

    requests: int = 0
    bytes: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the target's installer would install."""

    distributions: tuple[Distribution, ...]
    unsized: tuple[Unsized, ...]
    notes: tuple[str, ...]
    resolver: str  # "uv 0.13.9", or "pylock.toml"

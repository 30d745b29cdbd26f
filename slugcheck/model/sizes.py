"""Records of requirements, distributions, their files and their sizes, in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from slugcheck.model.figures import Basis, Estimate
from slugcheck.model.platform import BundleKind, Target
from slugcheck.text import MEGABYTES, Scale, unit_of

NOTHING = Estimate[int].measured(0)


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
    """A distribution that could not be measured, and why.

    ``refusal`` says why it cannot be installed either, "" if it may be.
    """

    name: str
    version: str | None
    reason: str
    origin: Origin | None = None
    marker: str = ""  # where the line is wanted at all; "" means everywhere
    refusal: str = ""


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
    # the same for the compressed bytes of its sources with their bytecode, against compression.py
    slug_factor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildNeed:
    """A package of the build image that a source build cannot do without.

    ``package`` is its name in Ubuntu: ``cargo``, ``gfortran``, ``unixodbc-dev``. ``fetched``: the
    build downloads it where it is missing.
    """

    package: str
    fetched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBuild:
    """That a distribution has no wheel that is installed, and how its size was found.

    ``needs`` and ``failure`` are what is certain about its build. ``failure`` says why no machine
    can install it with the target's Python, "" if one may: "PyO3 0.21.2 supports Python 3.12 at
    most". ``doubt`` says why a build is likely to fail where that is not certain.
    ``pythons_that_build`` are those of the platform, such as "3.10", on which ``failure`` does not
    hold. ``refused``: the installer does not even start a build.
    """

    reason: str
    native: bool
    method: str  # in words, after "sized from": "its archive", "its wheel for cp311"
    nearest: str | None  # filename of the wheel that stood in
    newest_python_with_wheel: str | None
    low_factor: float  # the interval of its sizes, as factors of the value
    high_factor: float
    notes: tuple[str, ...] = ()  # what the archive does not tell, such as files made by its build
    needs: tuple[BuildNeed, ...] = ()
    failure: str = ""
    refused: bool = False
    doubt: str = ""
    pythons_with_wheels: tuple[str, ...] = ()  # of the platform's, such as "3.11"
    pythons_that_build: tuple[str, ...] = ()
    wheel_fits: bool = False  # a wheel would fit the target, but the file asks for a build


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


class Kind(StrEnum):
    """What a file is, for the breakdown."""

    NATIVE = "native"
    PYTHON = "python"
    BYTECODE = "bytecode"
    TESTS = "tests"
    METADATA = "metadata"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionSize:
    """The size of one distribution as installed on the target.

    ``plain`` is what the installer writes without bytecode, ``bytecode`` the ``.pyc`` files,
    ``slug`` the gzip -6 share of both, ``bundle`` what the platform counts of it (on Heroku the
    slug). ``required_by`` names the distributions that need it. ``provided_bytes`` is None unless
    the platform's runtime provides it: then it is what would be installed, and all other figures
    are 0.
    """

    distribution: Distribution
    via: str
    download_bytes: int | None
    plain: Estimate[int]
    bytecode: Estimate[int]
    slug: Estimate[int]
    bundle: Estimate[int]
    files: int
    bytecode_files: int
    by_kind: Mapping[Kind, int]
    required_by: tuple[str, ...]
    provided_bytes: int | None = None

    @property
    def name(self) -> str:
        """The canonical name."""
        return self.distribution.name

    @property
    def installed_bytes(self) -> int:
        """Bytes on disk with bytecode."""
        return self.plain.value + self.bytecode.value

    @property
    def installed(self) -> Estimate[int]:
        """Bytes on disk with bytecode, with their interval."""
        if self.basis is Basis.MEASURED:
            return Estimate[int].measured(self.installed_bytes)
        low, high = self.plain.low + self.bytecode.low, self.plain.high + self.bytecode.high
        return Estimate[int].predicted(self.installed_bytes, low, high)

    @property
    def basis(self) -> Basis:
        """Measured only when nothing in the installed size was predicted."""
        measured = self.plain.basis is self.bytecode.basis is Basis.MEASURED
        return Basis.MEASURED if measured else Basis.PREDICTED


@dataclass(frozen=True, slots=True, kw_only=True)
class RootSize:
    """A direct requirement's share: installed, slug and bundle bytes.

    ``exclusive`` would go if the line went; ``shared`` is the rest of what it reaches;
    ``closure`` is all it reaches (exclusive + shared). Roots are never summed.
    """

    name: str
    exclusive_bytes: int
    shared_bytes: int
    exclusive_slug_bytes: int
    shared_slug_bytes: int
    exclusive_bundle_bytes: int
    shared_bundle_bytes: int
    exclusive_names: tuple[str, ...]
    shared_names: tuple[str, ...] = ()

    @property
    def closure_bytes(self) -> int:
        """Installed bytes of all that it reaches, itself included."""
        return self.exclusive_bytes + self.shared_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Heavy distributions (``names``) under the direct requirements ``roots``, such as CUDA's.

    ``shared``: several roots need them, so that deleting one line frees none of them; else they are
    part of what their only root frees. The bytes of shared ones never overlap.
    """

    name: str  # of the distribution, or of the group: "CUDA libraries of torch"
    names: tuple[str, ...]
    roots: tuple[str, ...]
    shared: bool
    installed_bytes: int
    slug_bytes: int
    bundle_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Paths that two or more distributions write; on disk only one of them remains."""

    names: tuple[str, ...]
    files: int
    bytes: int  # counted once too often by a plain sum
    slug_bytes: int
    example: str
    bundle_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something else in the bundle: runtime, package manager, app, models, what the build makes."""

    name: str
    group: str  # "runtime", "base", "app", "models", "layers", "static", "nltk", "cache", "other"
    installed: Estimate[int]
    slug: Estimate[int]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSplit:
    """How a bundle that is too large for one function is split, in bytes.

    ``fixed_bytes`` must be in the function: app, models, runtime, what installs the rest, and the
    distributions in ``fixed``, which cannot be installed at a cold start. ``bundled`` are in the
    function too, as long as there is room below ``limit``. ``installed`` are installed at every
    cold start, together ``installed_bytes``. Names are in order of size, the largest first.
    """

    limit: int
    fixed_bytes: int
    function_bytes: int
    installed_bytes: int
    fixed: tuple[str, ...]
    bundled: tuple[str, ...]
    installed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeReport:
    """Every size, with totals that are sums of the parts."""

    target: Target
    distributions: tuple[DistributionSize, ...]
    roots: tuple[RootSize, ...]
    parts: tuple[Part, ...]
    overlaps: tuple[Overlap, ...]
    unsized: tuple[Unsized, ...]
    transfer: Transfer
    installed: Estimate[int]  # distributions and parts, with bytecode
    slug: Estimate[int]  # the gzip -6 tar of everything
    bundle: Estimate[int]  # what the platform counts against its size limit; on Heroku the slug
    causes: tuple[Cause, ...] = ()
    zipped: Estimate[int] = NOTHING  # a zip archive of distributions, app files and models

    @property
    def bundle_kind(self) -> BundleKind:
        """What the platform counts."""
        return self.target.platform.bundle.kind

    @property
    def counts_slug(self) -> bool:
        """Whether the platform's size limit is about the slug."""
        return self.bundle_kind is BundleKind.GZIP_TAR

    @property
    def unit(self) -> Scale:
        """The unit of the bundle: the one that the platform's limit on it is round in."""
        platform = self.target.platform
        limits = [limit.value for limit in platform.limits if limit.figure == platform.size_figure]
        return unit_of(limits[0] if limits else None, default=MEGABYTES)

    def part_bundle(self, part: Part) -> Estimate[int]:
        """Return what the platform counts of a part."""
        return part.slug if self.bundle_kind.is_packed else part.installed

    @property
    def provided(self) -> tuple[DistributionSize, ...]:
        """What the runtime provides and the bundle leaves out."""
        return tuple(d for d in self.distributions if d.provided_bytes is not None)

    @property
    def download_bytes(self) -> int:
        """Bytes of the files the target's installer would fetch, where known."""
        return sum(d.download_bytes or 0 for d in self.distributions)

    @property
    def plain_bytes(self) -> int:
        """Installed bytes of the distributions without bytecode, shared paths counted once."""
        return sum(d.plain.value for d in self.distributions) - sum(o.bytes for o in self.overlaps)

    @property
    def bytecode_bytes(self) -> int:
        """Bytes of the distributions' bytecode."""
        return sum(d.bytecode.value for d in self.distributions)

    @property
    def dependencies_slug_bytes(self) -> int:
        """Slug bytes of the distributions, shared paths counted once."""
        both = sum(o.slug_bytes for o in self.overlaps)
        return sum(d.slug.value for d in self.distributions) - both

    @property
    def files(self) -> int:
        """Files of the distributions without bytecode files, shared paths counted once."""
        return sum(d.files for d in self.distributions) - sum(o.files for o in self.overlaps)

    def group_bytes(self, group: str) -> int:
        """Installed bytes of the parts of one group."""
        return sum(p.installed.value for p in self.parts if p.group == group)

    @property
    def dependencies_bundle_bytes(self) -> int:
        """Bundle bytes of the distributions, shared paths counted once."""
        both = sum(o.bundle_bytes for o in self.overlaps)
        return sum(d.bundle.value for d in self.distributions) - both

    def group_slug_bytes(self, group: str) -> int:
        """Slug bytes of the parts of one group."""
        return sum(p.slug.value for p in self.parts if p.group == group)

    def line_of(self, name: str) -> Origin | None:
        """Return the line of a distribution: its own, or the nearest that requires it."""
        by_name = {size.name: size for size in self.distributions}
        waiting, seen = [name], {name}
        while waiting:
            current = waiting.pop(0)
            size = by_name.get(current)
            if size is None:
                continue
            if size.distribution.origins:
                return size.distribution.origins[0]
            more = [other for other in size.required_by if other not in seen]
            seen.update(more)
            waiting += more
        return None

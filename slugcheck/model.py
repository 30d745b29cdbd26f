"""The values that flow one way: target, resolution, inventories, report, verdicts.

Rule of this module: frozen values only. It computes totals from parts (so that no total can
disagree with them), starts nothing, prints nothing and imports nothing of slugcheck.

Sizes are ``int`` bytes unless a name says otherwise; seconds are ``float``. MB is 10**6 bytes and
MiB is 2**20 bytes; the "M" that Heroku prints is MiB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

N = TypeVar("N", int, float)


class Basis(StrEnum):
    """How a figure is known."""

    MEASURED = "measured"
    PREDICTED = "predicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Generic[N]):
    """A figure with its interval; ``low == value == high`` for a measured one."""

    value: N
    low: N
    high: N
    basis: Basis

    @classmethod
    def measured(cls, value: N) -> Estimate[N]:
        """Return a figure without doubt."""
        return cls(value=value, low=value, high=value, basis=Basis.MEASURED)

    @classmethod
    def predicted(cls, value: N, low: N, high: N) -> Estimate[N]:
        """Return a predicted figure; the true one is expected within ``low`` to ``high``."""
        return cls(value=value, low=min(low, value), high=max(high, value), basis=Basis.PREDICTED)

    @property
    def percent(self) -> float:
        """Half the width of the interval, in percent of the value (0 for a measured figure)."""
        if not self.value or self.basis is Basis.MEASURED:
            return 0.0
        return 50.0 * (self.high - self.low) / self.value


# --------------------------------------------------------------------------- platforms


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a constant comes from, and when that was read (``YYYY-MM-DD``)."""

    text: str
    date: str


class Severity(StrEnum):
    """What passing a limit means."""

    FAIL = "fail"  # gates: exit 1
    WARN = "warn"  # said, does not gate
    NOTE = "note"  # what the platform itself would do, beside the user's own budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of a platform: ``figure`` may not be more than ``value`` (equal passes).

    ``figure`` names what is held against it: ``slug``, ``installed``, ``download``, ``build``,
    ``boot`` or ``ram``. ``value`` is bytes or seconds, by ``unit``. ``text`` is the limit as its
    platform writes it ("500M", "15 minutes").
    """

    name: str
    figure: str
    value: int
    unit: str  # "bytes" or "seconds"
    severity: Severity
    text: str
    source: Source
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """An operating system image of a platform. ``glibc`` decides which manylinux wheels fit."""

    name: str
    glibc: tuple[int, int]
    arch: str
    missing_libraries: tuple[str, ...]
    status: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimePart:
    """Something the platform puts beside the app's packages, such as Python itself or pip.

    Bytes: ``installed_bytes`` unpacked with bytecode, ``slug_bytes`` after gzip -6.
    ``error_percent`` is the half width of both figures' interval.
    """

    name: str
    installed_bytes: int
    slug_bytes: int
    error_percent: float
    note: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonRelease:
    """A Python that a platform offers: its newest patch release and what it puts in the slug."""

    minor: str
    version: str
    parts: tuple[RuntimePart, ...]
    status: str  # "supported", "deprecated"
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Dyno:
    """A size of machine. ``r14_bytes``: memory where swapping starts; ``r15_bytes``: the kill."""

    name: str
    ram_bytes: int
    r14_bytes: int
    r15_bytes: int
    workers: int  # WEB_CONCURRENCY that the platform sets
    usd_per_month: float | None
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A place to deploy to, as its TOML file describes it."""

    name: str
    title: str
    about: str
    size_figure: str  # the figure its size limit is about: "slug" or "installed"
    installer: str
    compiles_bytecode: bool
    gpu: bool
    prefix: str  # where Python lives, e.g. /app/.heroku/python
    stacks: tuple[Stack, ...]
    default_stack: str
    pythons: tuple[PythonRelease, ...]
    default_python: str  # minor, e.g. "3.14"
    limits: tuple[Limit, ...]
    dynos: tuple[Dyno, ...]
    default_dyno: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is deployed to: platform, stack, Python and machine size."""

    platform: Platform
    stack: Stack
    python: PythonRelease
    python_version: str  # full, e.g. "3.11.16": a marker sees the patch release
    python_origin: str  # "--python", ".python-version", "runtime.txt", "the platform's default"
    dyno: Dyno | None

    @property
    def minor(self) -> str:
        """The minor Python version, such as ``3.11``."""
        return ".".join(self.python_version.split(".")[:2])


# --------------------------------------------------------------------------- requirements


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
    url: str | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsized:
    """A distribution that could not be measured, and why."""

    name: str
    version: str | None
    reason: str
    origin: Origin | None = None


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


# --------------------------------------------------------------------------- resolution


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


# --------------------------------------------------------------------------- sizes


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
    ``slug`` the gzip -6 share of both. ``required_by`` names the distributions that need it.
    """

    distribution: Distribution
    via: str
    download_bytes: int | None
    plain: Estimate[int]
    bytecode: Estimate[int]
    slug: Estimate[int]
    files: int
    bytecode_files: int
    by_kind: Mapping[Kind, int]
    required_by: tuple[str, ...]

    @property
    def name(self) -> str:
        """The canonical name."""
        return self.distribution.name

    @property
    def installed_bytes(self) -> int:
        """Bytes on disk with bytecode."""
        return self.plain.value + self.bytecode.value

    @property
    def basis(self) -> Basis:
        """Measured only when nothing in the installed size was predicted."""
        measured = self.plain.basis is self.bytecode.basis is Basis.MEASURED
        return Basis.MEASURED if measured else Basis.PREDICTED


@dataclass(frozen=True, slots=True, kw_only=True)
class RootSize:
    """A direct requirement's share, installed and slug bytes.

    ``exclusive`` would go if the line went; ``shared`` is the rest of what it reaches;
    ``closure`` is all it reaches (exclusive + shared). Roots are never summed.
    """

    name: str
    exclusive_bytes: int
    shared_bytes: int
    exclusive_slug_bytes: int
    shared_slug_bytes: int
    exclusive_names: tuple[str, ...]

    @property
    def closure_bytes(self) -> int:
        """Installed bytes of all that it reaches, itself included."""
        return self.exclusive_bytes + self.shared_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Paths that two or more distributions write; on disk only one of them remains."""

    names: tuple[str, ...]
    files: int
    bytes: int  # counted once too often by a plain sum
    slug_bytes: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something in the slug that is no distribution: runtime, package manager, app, models."""

    name: str
    group: str  # "runtime", "app", "models"
    installed: Estimate[int]
    slug: Estimate[int]
    note: str


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
    slug: Estimate[int]  # the whole slug

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


# --------------------------------------------------------------------------- verdicts


class Status(StrEnum):
    """The outcome of one budget."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One budget held against its figure. ``measured`` is None when there is no figure."""

    budget: str
    status: Status
    gates: bool  # whether FAIL or UNKNOWN decides the exit code
    figure: Estimate[int] | Estimate[float] | None
    limit: int
    unit: str
    limit_text: str
    sentence: str
    source: Source


class FindingSeverity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # the deploy would break
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong or wasteful, with the exact lines that mend it.

    ``saves_bytes`` (installed) and ``saves_slug_bytes`` are None when the saving was not measured.
    """

    code: str
    severity: FindingSeverity
    subject: str
    sentence: str
    fix: str
    saves_bytes: int | None = None
    saves_slug_bytes: int | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a rendering shows."""

    path: str
    kind: str  # "requirements" or "pylock"
    sha256: str
    sizes: SizeReport
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    allowed_unsized: tuple[str, ...] = ()
    seconds: float = 0.0  # wall time of the run; kept out of the comparable part
    tool_version: str = ""

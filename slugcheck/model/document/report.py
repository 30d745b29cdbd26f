"""The document of a check: one record for each object of its JSON, with the names of the JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from slugcheck.model.figures import Basis
from slugcheck.model.imports import When
from slugcheck.model.numbers import Integer, Number, Size
from slugcheck.model.platform import BundleKind
from slugcheck.model.report import (
    BaseTotals,
    Change,
    Download,
    FindingSeverity,
    FolderSize,
    PartChange,
    Status,
    Unaudited,
    Vulnerability,
)
from slugcheck.model.sizes import FunctionSplit, Origin, Overlap, SourceBuild


class Tool(Struct, frozen=True, kw_only=True):
    """The program that made the document."""

    name: str
    version: str


class Subject(Struct, frozen=True, kw_only=True):
    """What was checked; ``manager`` and ``dependency_file`` are null unless it is a project."""

    path: str
    kind: str
    sha256: str
    manager: str | None = None
    dependency_file: str | None = None


class BaseImage(Struct, frozen=True, kw_only=True):
    """What a container image starts from; its bytes are None where its size is not known."""

    name: str
    release: str = ""
    disk_bytes: int | None = None
    pull_bytes: int | None = None
    date: str = ""
    source: str = ""


class Target(Struct, frozen=True, kw_only=True):
    """What is deployed to. ``size_figure`` is the figure that the platform limits.

    ``bundle_kind`` is what it counts. ``tier`` is the one of its limit that applies, if it has any.
    ``arch`` is named as in wheel tags. ``bytecode``: installed packages have it. ``provided`` are
    the distributions that the runtime has.
    """

    platform: str
    title: str
    size_figure: str
    bundle_kind: BundleKind = BundleKind.UNZIPPED
    tier: str | None = None
    stack: str
    glibc: str = ""
    musl: str = ""
    base: BaseImage | None = None
    python: str
    python_full: str
    python_origin: str = ""
    arch: str
    dyno: str | None
    bytecode: bool | None = None
    provided: tuple[str, ...] = ()


class Requirement(Struct, frozen=True, kw_only=True):
    """A line of the requirements file; ``name`` is empty for a bare URL."""

    name: str
    text: str
    origin: Origin | None = None


class Totals(Struct, frozen=True, kw_only=True):
    """Sums: ``installed_bytes`` of the distributions, ``all_installed_bytes`` of everything.

    ``bundle_bytes`` is what the platform counts against its size limit: on Heroku the slug.
    """

    distributions: Size
    files: Size
    download_bytes: Size
    installed_bytes: Size
    bytecode_bytes: Size
    dependencies_slug_bytes: Size
    runtime_bytes: Size
    runtime_slug_bytes: Size
    app_bytes: Size
    app_slug_bytes: Size
    model_bytes: Size
    model_slug_bytes: Size
    by_kind: Mapping[str, Size] = field(default_factory=dict)
    all_installed_bytes: Size
    all_installed_low_bytes: Size
    all_installed_high_bytes: Size
    slug_bytes: Size
    slug_low_bytes: Size
    slug_high_bytes: Size
    dependencies_bundle_bytes: Size = 0
    bundle_bytes: Size = 0
    bundle_low_bytes: Size = 0
    bundle_high_bytes: Size = 0
    zipped_bytes: Size = 0
    zipped_low_bytes: Size = 0
    zipped_high_bytes: Size = 0
    basis: Basis


class Distribution(Struct, frozen=True, kw_only=True):
    """A distribution and its sizes. ``exclusive_bytes`` is null unless the file names it.

    Where the runtime provides it, ``provided_bytes`` is what would be installed, and every other
    size is 0.
    """

    name: str
    version: str
    filename: str = ""
    sha256: str | None = None
    direct: bool
    extras: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    required_by: tuple[str, ...]
    download_bytes: Integer | None
    installed_bytes: Integer
    installed_low_bytes: Integer
    installed_high_bytes: Integer
    exclusive_bytes: Integer | None = None
    bytecode_bytes: Integer
    bytecode_low_bytes: Integer = 0
    bytecode_high_bytes: Integer = 0
    slug_bytes: Integer
    slug_low_bytes: Integer
    slug_high_bytes: Integer
    bundle_bytes: Integer = 0
    bundle_low_bytes: Integer = 0
    bundle_high_bytes: Integer = 0
    files: Integer
    bytecode_files: Integer = 0
    by_kind: Mapping[str, Integer] = field(default_factory=dict)
    via: str = ""
    basis: Basis
    plain_basis: Basis | None = None
    source_build: SourceBuild | None = None
    provided_bytes: Integer | None = None


class Root(Struct, frozen=True, kw_only=True):
    """A direct requirement: what goes with it (``exclusive``), what it shares, all it reaches."""

    name: str
    exclusive_bytes: Integer
    shared_bytes: Integer
    closure_bytes: Integer
    exclusive_slug_bytes: Integer
    shared_slug_bytes: Integer
    exclusive_bundle_bytes: Integer = 0
    shared_bundle_bytes: Integer = 0
    exclusive: tuple[str, ...]
    shared: tuple[str, ...] = ()


class Cause(Struct, frozen=True, kw_only=True):
    """Heavy distributions under direct requirements; ``shared``: no single line frees them."""

    name: str
    names: tuple[str, ...]
    roots: tuple[str, ...]
    shared: bool
    installed_bytes: Integer
    slug_bytes: Integer
    bundle_bytes: Integer = 0


class Part(Struct, frozen=True, kw_only=True):
    """What is counted beside the distributions: the runtime, the app or the models."""

    name: str
    group: str
    installed_bytes: Integer
    installed_low_bytes: Integer
    installed_high_bytes: Integer
    slug_bytes: Integer
    slug_low_bytes: Integer
    slug_high_bytes: Integer
    basis: Basis
    note: str


class App(Struct, frozen=True, kw_only=True):
    """The app's own files, and its largest folders."""

    files: Integer
    bytes: Integer
    slug_bytes: Integer
    checkout_bytes: Integer
    ignored_files: Integer
    ignored_bytes: Integer
    tracked: bool
    folders: tuple[FolderSize, ...]


class Model(Struct, frozen=True, kw_only=True):
    """A model file. ``place`` is ``app``, ``local`` or ``remote``."""

    path: str
    bytes: Integer
    slug_bytes: Integer
    slug_low_bytes: Integer = 0
    slug_high_bytes: Integer = 0
    basis: Basis | None = None
    place: str = ""
    method: str = ""


class StorageOption(Struct, frozen=True, kw_only=True):
    """One way to store the models; ``slug_bytes`` is the whole slug with it."""

    storage: str
    title: str
    status: Status
    recommended: bool
    slug_bytes: Integer
    slug_low_bytes: Integer
    slug_high_bytes: Integer
    downloads: tuple[Download, ...]
    reasons: tuple[str, ...]


class Predicted(Struct, frozen=True, kw_only=True):
    """What was predicted of the figures that ``--verify`` measured."""

    installed_bytes: Integer
    installed_low_bytes: Integer
    installed_high_bytes: Integer
    plain_bytes: Integer
    bytecode_bytes: Integer
    bytecode_low_bytes: Integer
    bytecode_high_bytes: Integer
    slug_bytes: Integer
    slug_low_bytes: Integer
    slug_high_bytes: Integer
    seconds: Number
    zipped_bytes: Integer | None = None


class ErrorPercent(Struct, frozen=True, kw_only=True):
    """Predicted against measured, in percent of the measured figure."""

    installed: Number
    plain: Number
    bytecode: Number
    slug: Number
    seconds: Number
    zipped: Number | None = None


class Verification(Struct, frozen=True, kw_only=True):
    """What a real install, a real tar and a real zip archive measured."""

    python: str
    installer: str
    command: str
    seconds: Number
    installed_bytes: Integer
    plain_bytes: Integer
    bytecode_bytes: Integer
    slug_bytes: Integer
    predicted: Predicted
    error_percent: ErrorPercent
    notes: tuple[str, ...]
    zipped_bytes: Integer | None = None


class Unsized(Struct, frozen=True, kw_only=True):
    """A package that could not be sized; ``allowed``: it does not decide the exit code."""

    name: str
    version: str | None
    reason: str
    origin: Origin | None = None
    allowed: bool


class Verdict(Struct, frozen=True, kw_only=True):
    """The verdict on one budget; the figures are null if nothing was measured."""

    budget: str
    status: Status
    gates: bool
    measured: Integer | Number | None
    low: Integer | Number | None = None
    high: Integer | Number | None = None
    basis: Basis | None = None
    limit: Integer
    limit_text: str
    unit: str
    sentence: str
    source: str = ""
    source_date: str = ""
    subject: str = ""
    headline: str = ""
    since: str = ""
    set_by: str = ""


class Finding(Struct, frozen=True, kw_only=True):
    """Something wrong or wasteful, with its fix; what was not measured is null.

    ``then_bytes`` is the bundle once the fix is applied.
    """

    code: str
    severity: FindingSeverity
    subject: str
    sentence: str
    fix: str
    saves_bytes: Integer | None = None
    saves_slug_bytes: Integer | None = None
    saves_bundle_bytes: Integer | None = None
    then_bytes: Integer | None = None
    then_status: Status | None = None
    origin: Origin | None = None
    ids: tuple[str, ...] = ()


class Obstacle(Struct, frozen=True, kw_only=True):
    """What keeps the project from being measured as it is; ``instead`` says what was sized."""

    sentence: str
    fix: str
    instead: str
    refused: bool
    origin: Origin | None = None


class IgnoredFinding(Finding, frozen=True, kw_only=True):
    """A finding that the settings ignore, up to and including the day ``expires``."""

    reason: str
    expires: str | None


class Base(Struct, frozen=True, kw_only=True):
    """The base of ``--against``; ``problem`` says why it has no ``totals``."""

    label: str
    totals: BaseTotals | None = None
    problem: str | None = None
    installed_bytes: Integer | None = None
    installed_doubt_bytes: Integer | None = None
    slug_bytes: Integer | None = None
    slug_doubt_bytes: Integer | None = None
    bundle_bytes: Integer | None = None
    bundle_doubt_bytes: Integer | None = None
    parts: tuple[PartChange, ...] = ()
    notes: tuple[str, ...] = ()


class Audit(Struct, frozen=True, kw_only=True):
    """The outcome of ``--audit``; ``problem`` says why it did not run."""

    service: str
    problem: str | None
    audited: Integer
    unaudited: tuple[Unaudited, ...]
    vulnerabilities: tuple[Vulnerability, ...]


class Transfer(Struct, frozen=True, kw_only=True):
    """Traffic and time of the run; not a part of what is comparable."""

    requests: Integer
    bytes: Integer
    cached: Integer
    seconds: Number


class MemoryPart(Struct, frozen=True, kw_only=True):
    """What one distribution's imports add to a worker, in bytes of resident memory.

    ``measured_version`` is the version that was measured, null where its files were the measure.
    ``chain`` is a shortest path of imports that loads it.
    """

    name: str
    version: str
    resident_bytes: Size
    resident_low_bytes: Size
    resident_high_bytes: Size
    anonymous_bytes: Size
    import_seconds: Number
    measured_version: str | None
    chain: tuple[str, ...]


class LoadedModel(Struct, frozen=True, kw_only=True):
    """A model that the app's code loads; bytes of resident memory.

    ``path`` is empty where the code computes it. ``when`` is "start", "request" or "later" (in a
    function that nothing calls at the start). ``file_bytes`` is null where it is not among the
    app's files. Only ``counted`` ones are in the floor; ``measured`` is false where nobody measured
    what such a file takes.
    """

    path: str
    loader: str
    place: str
    when: When
    counted: bool
    measured: bool
    file_bytes: Size | None
    resident_bytes: Size | None
    resident_low_bytes: Size | None
    resident_high_bytes: Size | None


class MachineMemory(Struct, frozen=True, kw_only=True):
    """The least RAM on one size of machine, with the workers that start there."""

    name: str
    ram_bytes: Integer
    workers: Integer
    floor_bytes: Size
    floor_low_bytes: Size
    floor_high_bytes: Size
    too_small: bool


class Memory(Struct, frozen=True, kw_only=True):
    """The least RAM that the app takes once it has imported; ``floor_bytes`` is of all processes.

    ``of_app``: the imports are those of its code, else of every direct requirement. ``process`` is
    the command that serves, null without one. ``missing`` are modules that the app needs to start
    and nothing installs. ``unread`` are places in its code whose imports are not known, with the
    reason.
    """

    floor_bytes: Size
    floor_low_bytes: Size
    floor_high_bytes: Size
    basis: Basis
    of_app: bool
    process: str | None
    place: str | None
    workers: Integer
    workers_origin: str
    preload: bool
    worker_bytes: Size
    worker_low_bytes: Size
    worker_high_bytes: Size
    worker_anonymous_bytes: Size
    interpreter_bytes: Size
    standard_library_bytes: Size
    import_seconds: Number
    import_low_seconds: Number
    import_high_seconds: Number
    by_distribution: tuple[MemoryPart, ...]
    machines: tuple[MachineMemory, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    measured_python: str
    measured_on: str
    models: tuple[LoadedModel, ...] = ()
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class ReportDocument(Struct, frozen=True, kw_only=True):
    """A report of ``slugcheck check``.

    ``function`` is null unless the platform installs a part of the bundle at every cold start.
    """

    schema: Literal[1]
    tool: Tool
    subject: Subject
    target: Target
    requirements: tuple[Requirement, ...]
    totals: Totals
    distributions: tuple[Distribution, ...]
    roots: tuple[Root, ...] = ()
    causes: tuple[Cause, ...] = ()
    parts: tuple[Part, ...] = ()
    app: App | None = None
    models: tuple[Model, ...]
    storage: tuple[StorageOption, ...] = ()
    function: FunctionSplit | None = None
    verify: Verification | None = None
    overlaps: tuple[Overlap, ...] = ()
    unsized: tuple[Unsized, ...]
    memory: Memory | None = None
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...] = ()
    ignored: tuple[IgnoredFinding, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    base: Base | None = None
    changes: tuple[Change, ...] = ()
    audit: Audit | None = None
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    transfer: Transfer | None = None

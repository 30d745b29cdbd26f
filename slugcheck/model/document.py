"""Saved documents: the JSON of reports, matrices, comparisons, ``why`` and bench results.

One record for each object of the JSON, with the names of the JSON. ``model.to_document`` makes the
documents, ``dumps`` writes their text, ``loads`` reads it back with every type checked, and
``compare`` works on them. ``docs/schemas`` has their JSON Schemas.

A field with a default may be missing from an older document. A new field needs a default; one
renamed or removed needs another ``SCHEMA``. Schema history:

1. the first.

Sizes are int bytes, seconds are float. Everything but ``transfer`` follows from the file, the
target, the index and slugcheck's version; a distribution's ``via`` says how its wheel was read,
which a cache changes. Artefacts are named by filename, never by URL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec
from msgspec import Struct, field, structs

from slugcheck import reading
from slugcheck.errors import UsageError
from slugcheck.model import rehearsal
from slugcheck.model.bench import (
    BootFit,
    BudgetVerdict,
    ColdStart,
    Conclusion,
    Conditions,
    Contrast,
    Fit,
    Host,
    Latency,
    Outcome,
    Ratio,
    Sample,
    Spread,
    Variant,
)
from slugcheck.model.comparison import Footprint, Recommendation, Savings, Step
from slugcheck.model.figures import Basis
from slugcheck.model.imports import When
from slugcheck.model.matrix import Outcome as TargetOutcome
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
from slugcheck.model.why import FileLine, Freed, RemedyKind, Standing
from slugcheck.text import printable, without_credentials

SCHEMA: Final = 1
_LARGEST_SHOWN = 10**9  # a wrong schema number that a message repeats
REPORT_HINT = "make one with: slugcheck FILE --format json --output report.json"


# --------------------------------------------------------------------------- report


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


# --------------------------------------------------------------------------- matrix


class TargetName(Struct, frozen=True, kw_only=True):
    """A target; ``title`` is the platform's.

    ``python`` is empty where there is no report and no Python was named.
    """

    platform: str
    title: str
    python: str


class TargetReport(Struct, frozen=True, kw_only=True):
    """A target: its report, or in ``problem`` and ``hint`` why it has none.

    ``exit_code`` is that of a check for it alone, and 2 where it is impossible.
    """

    target: TargetName
    outcome: TargetOutcome
    exit_code: Integer
    problem: str | None
    hint: str | None
    report: ReportDocument | None


class MatrixRow(Struct, frozen=True, kw_only=True):
    """A target in figures; what was not measured or is not limited is null.

    ``bundle_bytes`` is what its platform counts against ``limit_bytes``.
    """

    platform: str
    python: str
    outcome: TargetOutcome
    exit_code: Integer
    size_figure: str | None = None
    bundle_bytes: Integer | None = None
    bundle_low_bytes: Integer | None = None
    bundle_high_bytes: Integer | None = None
    limit_bytes: Integer | None = None
    installed_bytes: Integer | None = None
    build_seconds: Number | None = None


class MatrixDocument(Struct, frozen=True, kw_only=True):
    """Several targets of ``slugcheck check``: ``matrix`` in figures, ``targets`` in whole."""

    schema: Literal[1]
    tool: Tool
    path: str
    exit_code: Integer
    matrix: tuple[MatrixRow, ...]
    targets: tuple[TargetReport, ...]
    transfer: Transfer


# --------------------------------------------------------------------------- comparison


class Candidate(Struct, frozen=True, kw_only=True):
    """One candidate; what it saves is compared with the first one (negative: it is larger)."""

    label: str
    path: str
    totals: Totals
    status: Status
    room_bytes: Integer | None
    saved_installed_bytes: Integer
    saved_slug_bytes: Integer
    saved_bundle_bytes: Integer
    saved_percent: Number | None
    verdicts: tuple[Verdict, ...]
    models: tuple[Model, ...]
    unsized: tuple[Unsized, ...]
    memory: Memory | None = None


class DifferenceRow(Struct, frozen=True, kw_only=True):
    """A distribution in each candidate, by label; null where a candidate lacks it."""

    name: str
    versions: Mapping[str, str | None]
    installed_bytes: Mapping[str, Integer | None]
    slug_bytes: Mapping[str, Integer | None]
    bundle_bytes: Mapping[str, Integer | None]


class Migration(Struct, frozen=True, kw_only=True):
    """The lines to change from one candidate to another; null if one of them has no lines."""

    from_: str = field(name="from")
    to: str
    steps: tuple[Step, ...] | None


class ComparisonDocument(Struct, frozen=True, kw_only=True):
    """A comparison of ``slugcheck compare``."""

    schema: Literal[1]
    tool: Tool
    target: Target
    stacks: tuple[Candidate, ...]
    differences: tuple[DifferenceRow, ...]
    migrations: tuple[Migration, ...]
    savings: Savings | None
    recommendation: Recommendation
    footprints: Mapping[str, Footprint | None]
    notes: tuple[str, ...]


# --------------------------------------------------------------------------- why


class UnsizedReason(Struct, frozen=True, kw_only=True):
    """Why the distribution has no size."""

    version: str | None
    reason: str
    origin: Origin | None


class Need(Struct, frozen=True, kw_only=True):
    """What requires the distribution; ``by`` is null for a line of the file."""

    by: str | None
    version: str | None
    extra: str | None
    asks: str
    lines: tuple[str, ...]
    origin: Origin | None
    unmet: str | None


class RootPaths(Struct, frozen=True, kw_only=True):
    """A direct requirement that leads to the distribution, with the shortest paths."""

    name: str
    version: str | None
    lines: tuple[FileLine, ...]
    paths: tuple[tuple[str, ...], ...]
    more_paths: Integer


class Brings(Struct, frozen=True, kw_only=True):
    """What the distribution requires; ``exclusive`` would be removed with it."""

    exclusive: tuple[str, ...]
    shared: tuple[str, ...]
    unsized: tuple[str, ...]
    freed: Freed


class MeasuredSaving(Struct, frozen=True, kw_only=True):
    """The sizes of the changed file and what they save; ``left_version`` is null if it is gone."""

    saves_installed_bytes: Integer
    saves_slug_bytes: Integer
    saves_bundle_bytes: Integer
    installed_doubt_bytes: Integer
    slug_doubt_bytes: Integer
    bundle_doubt_bytes: Integer
    left_version: str | None
    changes: tuple[Change, ...]
    unsized_gone: tuple[str, ...]
    all_installed_bytes: Integer
    all_installed_low_bytes: Integer
    all_installed_high_bytes: Integer
    slug_bytes: Integer
    slug_low_bytes: Integer
    slug_high_bytes: Integer
    bundle_bytes: Integer
    bundle_low_bytes: Integer
    bundle_high_bytes: Integer


class Remedy(Struct, frozen=True, kw_only=True):
    """A change of the file; ``reason`` says why it was not measured."""

    kind: RemedyKind
    roots: tuple[str, ...]
    before: tuple[FileLine, ...]
    after: tuple[FileLine, ...]
    graph: Freed | None
    measured: MeasuredSaving | None
    tried: bool
    reason: str | None


class WhyDocument(Struct, frozen=True, kw_only=True):
    """An answer of ``slugcheck why``."""

    schema: Literal[1]
    tool: Tool
    subject: Subject
    target: Target
    totals: Totals
    transfer: Transfer | None
    name: str
    extras: tuple[str, ...]
    standing: Standing
    distribution: Distribution | None
    unsized: UnsizedReason | None
    needs: tuple[Need, ...]
    roots: tuple[RootPaths, ...]
    brings: Brings | None
    memory: MemoryPart | None = None
    remedies: tuple[Remedy, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


# --------------------------------------------------------------------------- bench


class Summary(Struct, frozen=True, kw_only=True):
    """The summary of a runtime's samples; memory in bytes, by stage and ``peak``."""

    rss_bytes: Mapping[str, Spread]
    anon_bytes: Mapping[str, Spread]
    pss_bytes: Spread | None = None
    uss_bytes: Spread | None = None
    import_seconds: Spread
    load_seconds: Spread | None = None
    first_seconds: Spread | None = None
    cold_start_seconds: Spread | None
    cold_start_evicted_seconds: Spread | None = None
    cpu_ms: Spread
    latency: Latency
    threads: Integer | None = None


class Runtime(Struct, frozen=True, kw_only=True):
    """A runtime in its environment, with what was measured; ``failure`` says what is missing."""

    label: str
    runtime: str
    model: str
    model_bytes: Integer | None = None
    python: str = ""
    version: str
    versions: Mapping[str, str] = field(default_factory=dict)
    environment_bytes: Integer | None = None
    failure: str | None = None
    doubts: tuple[str, ...] = ()
    summary: Summary | None
    samples: tuple[Sample, ...] = ()
    cold_starts: tuple[ColdStart, ...] = ()


class OutputDifference(Struct, frozen=True, kw_only=True):
    """The largest differences of one output; null where they are infinite."""

    name: str
    absolute: Number | None
    relative: Number | None
    agrees: bool


class Agreement(Struct, frozen=True, kw_only=True):
    """Whether the runtimes compute the same outputs."""

    status: Status
    labels: tuple[str, ...] = ()
    outputs: tuple[OutputDifference, ...] = ()
    sentence: str
    max_abs: Number | None = None
    max_rel: Number | None = None


class DynoFit(Struct, frozen=True, kw_only=True):
    """Machine sizes with equal limits, and how each runtime fits them."""

    names: tuple[str, ...]
    ram_bytes: Integer
    killed_at_bytes: Integer
    workers_started: Integer
    fits: tuple[Fit, ...]


class Trial(Struct, frozen=True, kw_only=True):
    """A worker under a memory limit; ``emulated``: a watchdog enforced it, not the kernel."""

    label: str
    limit_bytes: Integer
    method: str
    outcome: Outcome
    reached: str
    seconds: Number
    peak_rss: Integer | None
    peak_anon: Integer | None
    faults: Integer
    sentence: str
    emulated: bool


class BenchDocument(Struct, frozen=True, kw_only=True):
    """A result of ``slugcheck bench``."""

    kind: Literal["bench"]
    stacks: tuple[Runtime, ...]
    agreement: Agreement | None
    host: Host
    schema: Literal[1]
    tool: Tool
    platform: str = ""
    dyno: str | None = None
    ratio: Ratio | None = None
    contrasts: tuple[Contrast, ...] = ()
    dynos: tuple[DynoFit, ...] = ()
    boots: tuple[BootFit, ...] = ()
    trials: tuple[Trial, ...] = ()
    variants: tuple[Variant, ...] = ()
    findings: tuple[Finding, ...] = ()
    conclusion: Conclusion | None = None
    conditions: Conditions | None = None
    budgets: tuple[BudgetVerdict, ...] = ()
    app: Memory | None = None
    notes: tuple[str, ...] = ()


# --------------------------------------------------------------------------- rehearse


class RehearsalDocument(Struct, frozen=True, kw_only=True):
    """A result of ``slugcheck rehearse``: see ``model.rehearsal``.

    ``pins`` are the versions that ran. ``floor_bytes`` is what ``check`` predicts that the web
    process takes at least.
    """

    kind: Literal["rehearsal"]
    schema: Literal[1]
    tool: Tool
    path: str
    platform: str
    title: str
    dyno: str | None
    ram_bytes: Integer | None
    python: str
    cores: Integer
    build: rehearsal.Build | None
    processes: tuple[rehearsal.ProcessRun, ...]
    pins: dict[str, str]
    variables: tuple[str, ...] = ()
    floor_bytes: Integer | None = None
    floor_low_bytes: Integer | None = None
    floor_high_bytes: Integer | None = None
    predicted_slug_bytes: Integer | None = None
    breaking_points: tuple[rehearsal.BreakingPoint, ...] = ()
    budgets: tuple[rehearsal.Judgement, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: Number = 0.0


class RehearsalsDocument(Struct, frozen=True, kw_only=True):
    """Rehearsals beside each other, as ``slugcheck compare`` writes them."""

    kind: Literal["rehearsals"]
    schema: Literal[1]
    tool: Tool
    labels: tuple[str, ...]
    rehearsals: tuple[RehearsalDocument, ...]


Document = (
    ReportDocument
    | MatrixDocument
    | ComparisonDocument
    | WhyDocument
    | BenchDocument
    | RehearsalDocument
    | RehearsalsDocument
)
D = TypeVar("D", bound=Document)
KINDS: Mapping[str, type[Document]] = {
    "report": ReportDocument,
    "matrix": MatrixDocument,
    "comparison": ComparisonDocument,
    "why": WhyDocument,
    "bench": BenchDocument,
    "rehearsal": RehearsalDocument,
    "rehearsals": RehearsalsDocument,
}


# --------------------------------------------------------------------------- JSON


def dumps(document: Document) -> str:
    """Return a document as JSON: keys sorted, escaped to ASCII and so safe in any log."""
    plain = msgspec.to_builtins(document)
    text = json.dumps(plain, indent=2, sort_keys=True, allow_nan=False)
    if not isinstance(document, WhyDocument):  # which quotes lines and the resolver as they are
        return text
    return without_credentials(text)  # it stops at blanks, so never removes more than a string


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of document, one of ``KINDS``."""
    json_schema = msgspec.json.schema(KINDS[kind])
    for part in json_schema["$defs"].values():  # docstrings become plain text
        part["description"] = " ".join(part["description"].split()).replace("``", "`")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **json_schema}


def content_of(path: Path, *, hint: str = "check its permissions") -> bytes:
    """Return the content of a saved document.

    :raises UsageError: it cannot be read, is a link out of its checkout, or too large.
    """
    try:
        top = reading.top_of(path)
        return reading.read(path, within=top, limit=reading.SAVED_REPORT)
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint=hint) from None


def text_of(path: Path) -> str | None:
    """Return the text of a saved report; None where the file is something else.

    :raises UsageError: it cannot be read, is a link out of its checkout, or too large.
    """
    content = content_of(path)
    if path.suffix.lower() == ".json" or content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return content.decode("utf-8-sig", "replace")
    return None


def loads(kind: type[D], text: str, label: str, *, hint: str = REPORT_HINT) -> D:
    """Read a saved document of a kind; ``label`` names it in messages. Unknown names are ignored.

    :raises UsageError: it is not from slugcheck, has another schema or an invalid value.
    """
    try:
        raw = reading.json(text)
    except ValueError:
        raise UsageError(f"{label} is not JSON", hint=hint) from None
    number = raw.get("schema") if isinstance(raw, dict) else None
    if type(number) is not int:
        raise UsageError(f"{label} is not a report of slugcheck", hint=hint)
    if number != SCHEMA:
        made = "a newer slugcheck; update this one" if number > SCHEMA else "an older slugcheck"
        shown = number if abs(number) < _LARGEST_SHOWN else "of many digits"
        message = f"{label} has schema {shown}; this version reads schema {SCHEMA}"
        raise UsageError(message, hint=f"it was made by {made}, or make the report again")
    if kind is ReportDocument and "matrix" in raw:
        message = f"{label} has several targets"
        raise UsageError(message, hint="name a report of one of them")
    try:
        saved = msgspec.convert(raw, kind)
        if isinstance(saved, ReportDocument) and "bundle_bytes" not in raw["totals"]:
            return _with_bundles(saved)
        return saved
    except msgspec.ValidationError as error:
        raise UsageError(f"{label}: {_mistake(str(error))}", hint=hint) from None
    except UnicodeError:  # a name with half of a surrogate pair
        raise UsageError(f"{label} is not JSON", hint=hint) from None


def _with_bundles(report: D) -> D:
    """Fill in what reports of version 0.1 lack: they counted the slug, or all installed."""
    assert isinstance(report, ReportDocument)  # noqa: S101 - the caller has looked
    totals, by_slug = report.totals, report.target.size_figure == "slug"
    packed = totals.slug_bytes, totals.slug_low_bytes, totals.slug_high_bytes
    installed = (
        totals.all_installed_bytes,
        totals.all_installed_low_bytes,
        totals.all_installed_high_bytes,
    )
    value, low, high = packed if by_slug else installed
    rows = []
    for row in report.distributions:
        own = row.slug_bytes, row.slug_low_bytes, row.slug_high_bytes
        whole = row.installed_bytes, row.installed_low_bytes, row.installed_high_bytes
        names = "bundle_bytes", "bundle_low_bytes", "bundle_high_bytes"
        counted = zip(names, own if by_slug else whole, strict=True)
        rows.append(structs.replace(row, **dict(counted)))
    kind = BundleKind.GZIP_TAR if by_slug else BundleKind.UNZIPPED
    figure = "slug" if by_slug else "bundle"
    return structs.replace(
        report,
        target=structs.replace(report.target, bundle_kind=kind, size_figure=figure),
        distributions=tuple(rows),
        totals=structs.replace(
            totals,
            dependencies_bundle_bytes=totals.dependencies_slug_bytes
            if by_slug
            else totals.installed_bytes,
            bundle_bytes=value,
            bundle_low_bytes=low,
            bundle_high_bytes=high,
        ),
    )


_WORDS = {
    "str": "a string", "int": "a whole number", "float": "a number", "bool": "true or false",
    "array": "a list", "object": "an object",
}  # fmt: skip
_MISTAKE = re.compile(r"(.*?)(?: - at `(?:key in `)?\$\.?([^`]*)`+)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_RANGE = re.compile(r"Expected `\w+` [<>]|.* out of range")
_WRONG_TYPE = re.compile(r"Expected `([^`]+)`, got .*")


def _mistake(error: str) -> str:
    """Return what msgspec says of a value in plain words, led by the value's path."""
    match = _MISTAKE.fullmatch(error)
    complaint, path = (match[1], match[2] or "") if match else (error, "")
    if missing := _MISSING.fullmatch(complaint):
        return f"{f'{path}.{missing[1]}'.lstrip('.')} is missing"
    if wrong := _WRONG_TYPE.fullmatch(complaint):
        words = [_WORDS.get(name, name) for name in wrong[1].split(" | ") if name != "null"]
        return f"{path} is not {' or '.join(words)}"
    if complaint.startswith("Invalid enum value"):
        return f"{path} has an unknown value"
    return f"{path} is {'out of range' if _RANGE.match(complaint) else 'not valid'}"

"""The report of a check, and the records in it: project, verdicts, findings, audit, changes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from slugcheck.model.figures import Estimate
from slugcheck.model.memory import RamFloor
from slugcheck.model.platform import Source
from slugcheck.model.sizes import FunctionSplit, Origin, Requirement, SizeReport

if TYPE_CHECKING:
    from slugcheck.errors import BuildError


class Status(StrEnum):
    """The outcome of one budget."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on one budget. ``figure`` is None if it was not measured.

    ``headline`` is what a screen's first line says of it, "" for name and sentence. ``rejects``:
    the limit is the platform's own, beside a budget. ``since`` and ``set_by`` are the limit's.
    """

    budget: str
    status: Status
    gates: bool  # whether FAIL or UNKNOWN decides the exit code
    figure: Estimate[int] | Estimate[float] | None
    limit: int
    unit: str
    limit_text: str
    sentence: str
    source: Source
    subject: str = ""  # the distribution it is about, or the largest contributor; "" for none
    headline: str = ""
    rejects: bool = False
    since: str = ""
    set_by: str = ""


class FindingSeverity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # the deploy would break
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterFix:
    """The outcome of a check with a fix applied: resolved, sized and judged again.

    ``bundle`` is what the platform counts, in bytes; ``status`` is the worst of the gating budgets
    on sizes.
    """

    bundle: Estimate[int]
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong or wasteful, with the exact lines that fix it.

    ``saves_bytes`` (installed), ``saves_slug_bytes`` and ``saves_bundle_bytes`` (what the platform
    counts) are None if the saving was not measured, and ``after`` is None if the fix was not
    applied and sized.
    """

    code: str
    severity: FindingSeverity
    subject: str
    sentence: str
    fix: str
    saves_bytes: int | None = None
    saves_slug_bytes: int | None = None
    saves_bundle_bytes: int | None = None
    after: AfterFix | None = None
    origin: Origin | None = None
    ids: tuple[str, ...] = ()  # of a vulnerability: its own and its aliases


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """What keeps the project from being measured as it is; the sizes are of something else.

    ``refused``: the platform's build would refuse the project for it. ``instead`` says what was
    sized in its place, such as "sized with Python 3.10"; "" if that changes nothing.
    """

    sentence: str
    fix: str = ""
    instead: str = ""
    refused: bool = True
    origin: Origin | None = None

    @property
    def text(self) -> str:
        """What is in the way, and what was sized instead."""
        return "; ".join(filter(None, (self.sentence, self.instead)))

    @classmethod
    def of(cls, error: BuildError) -> Obstacle:
        """Return what stands in the way of a run that goes on after an error."""
        fix = error.hint or ""
        return cls(sentence=str(error), fix=fix, instead=error.instead, refused=error.refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A finding that the project's settings ignore, with their reason.

    ``expires`` is the last day on which it is ignored (``YYYY-MM-DD``), None without an end.
    """

    finding: Finding
    reason: str
    expires: str | None


OSV_URL = "https://api.osv.dev/v1/query"  # pip-audit's own default for the OSV service


@dataclass(frozen=True, slots=True, kw_only=True)
class Vulnerability:
    """One known vulnerability of one resolved distribution.

    ``severity`` is the service's word in lower case (``low``, ``medium``, ``high``, ``critical``),
    None if the service gives none. ``fixed_versions`` is empty if no release fixes it.
    """

    id: str
    name: str
    version: str
    aliases: tuple[str, ...]
    fixed_versions: tuple[str, ...]
    severity: str | None
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unaudited:
    """A distribution that was not audited, and why; it does not count as "clean"."""

    name: str
    version: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The outcome of an audit. ``problem`` says why it did not run at all; None when it did.

    ``service`` is the service's name or URL, without credentials. ``audited`` counts the
    distributions that the service answered for; with ``unaudited`` they are all that there are.
    """

    service: str
    audited: int
    vulnerabilities: tuple[Vulnerability, ...]
    unaudited: tuple[Unaudited, ...]
    notes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A vulnerability service. ``url`` may hold credentials: it is handed on and never shown."""

    name: str = "osv"
    url: str = OSV_URL


class ChangeKind(StrEnum):
    """How a distribution changed."""

    ADDED = "added"
    REMOVED = "removed"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    SAME_VERSION = "same-version"  # but another size: another wheel or Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One distribution that differs from the base.

    The bytes are what it adds (negative: removes); ``percent`` is relative to what the platform
    counted of it before, None if it is new. ``because`` names what
    requires it: ``direct`` and distributions.
    """

    name: str
    kind: ChangeKind
    before: str | None  # version
    after: str | None
    installed_bytes: int
    slug_bytes: int
    percent: float | None
    because: tuple[str, ...]
    bundle_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartChange:
    """A change of the runtime, the app files or the models."""

    name: str
    installed_bytes: int
    slug_bytes: int
    bundle_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseTotals:
    """The sums of the base, in bytes; ``installed`` counts everything that is in the bundle."""

    distributions: int
    installed_bytes: int
    slug_bytes: int
    bundle_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A report against its base. ``problem`` says why ``base`` is None."""

    label: str  # what the base is: "origin/main", "base.json", "old.txt"
    base: BaseTotals | None
    changes: tuple[Change, ...]  # the largest first
    parts: tuple[PartChange, ...]
    installed_bytes: int  # the whole change
    slug_bytes: int
    bundle_bytes: int
    # half the width of their intervals; what did not change cancels out
    installed_doubt_bytes: int = 0
    slug_doubt_bytes: int = 0
    bundle_doubt_bytes: int = 0
    notes: tuple[str, ...] = ()
    problem: str | None = None


class Manager(StrEnum):
    """The package manager that the build uses; the value is the command's name."""

    PIP = "pip"
    UV = "uv"
    POETRY = "poetry"
    PIPENV = "pipenv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project folder as the platform's build reads it.

    ``dependency_file`` is the file that decides what is installed (requirements.txt, uv.lock,
    poetry.lock or Pipfile.lock). ``notes`` say what the build does that is not measured. ``top`` is
    the folder that files may be read from, a real path.
    """

    folder: Path
    top: Path
    manager: Manager
    dependency_file: Path
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSize:
    """A folder (or a file at the top) of the app. ``path`` is relative, folders end in ``/``."""

    path: str
    files: int
    bytes: int
    slug_bytes: int  # its files' share of the gzip -6 tar, deflated one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFiles:
    """The app's own files in the slug, measured from the files themselves.

    Model files are not among ``files``, ``bytes`` and ``slug_bytes``; they are in ``models``.
    ``checkout_bytes`` is what git checks out before ``.slugignore``, models included.
    """

    files: int
    bytes: int
    slug_bytes: int  # gzip -6 of their tar under ./app
    checkout_bytes: int
    ignored_files: int
    ignored_bytes: int
    folders: tuple[FolderSize, ...]  # the biggest first
    tracked: bool  # True: the files that git tracks; False: all files, outside of a checkout
    notes: tuple[str, ...] = ()
    left_out_by: str = ".slugignore leaves out"  # what leaves out the ignored ones


class ModelPlace(StrEnum):
    """Where a model file is today."""

    APP = "app"  # among the app's own files: pushed with them
    LOCAL = "local"  # another file of this machine
    REMOTE = "remote"  # s3://, gs://, https://


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model file. ``path`` is what is shown: relative, or a URL without credentials.

    ``slug`` is what it takes in the slug after gzip -6: measured when the whole file was
    compressed, predicted when a sample was; ``method`` says which, in words.
    """

    path: str
    bytes: int
    slug: Estimate[int]
    place: ModelPlace
    method: str


class Storage(StrEnum):
    """A way to bring model files to the running app."""

    SLUG = "slug"  # in git, and so in the slug
    BOOT = "boot"  # in object storage, downloaded when a dyno boots
    BUILD = "build"  # in object storage, fetched by bin/post_compile: in the slug, not in git


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Seconds that fetching all models takes at an assumed bandwidth (bytes a second)."""

    bytes_per_second: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageOption:
    """One way to store the models, judged. ``slug`` is the whole slug with it.

    ``reasons`` are sentences with their numbers, the decisive one first. ``downloads`` is empty
    where nothing is downloaded.
    """

    storage: Storage
    title: str
    status: Status
    slug: Estimate[int]
    downloads: tuple[Download, ...]
    reasons: tuple[str, ...]
    recommended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a real install and a real gzip -6 tar measured, beside what was predicted.

    Of the distributions (``installed_bytes`` with bytecode, ``bytecode_bytes``) and of the tar of
    distributions, app files and model files (``slug_bytes``); the platform's own runtime is in
    neither. ``seconds`` is installing and compressing on this machine.
    """

    python: str  # full version of the interpreter that installed
    installer: str  # "pip 26.2.1"
    command: str  # as the build runs it
    seconds: float
    installed_bytes: int
    bytecode_bytes: int
    slug_bytes: int
    predicted_seconds: Estimate[float]
    predicted_installed: Estimate[int]
    predicted_bytecode: Estimate[int]
    predicted_slug: Estimate[int]
    plain_by_name: tuple[tuple[str, int], ...]  # bytes of each distribution without bytecode
    bytecode_by_name: tuple[tuple[str, int], ...]
    notes: tuple[str, ...] = ()
    zipped_bytes: int | None = None  # a zip archive of the same, where the platform limits it
    predicted_zipped: Estimate[int] | None = None

    @property
    def plain_bytes(self) -> int:
        """Installed bytes without bytecode."""
        return self.installed_bytes - self.bytecode_bytes

    @property
    def predicted_plain_bytes(self) -> int:
        """Predicted installed bytes without bytecode."""
        return self.predicted_installed.value - self.predicted_bytecode.value

    def error_percent(self) -> dict[str, float]:
        """Return predicted against measured, in percent, by figure."""
        pairs: dict[str, tuple[float, float]] = {
            "installed": (self.predicted_installed.value, self.installed_bytes),
            "plain": (self.predicted_plain_bytes, self.plain_bytes),
            "bytecode": (self.predicted_bytecode.value, self.bytecode_bytes),
            "slug": (self.predicted_slug.value, self.slug_bytes),
            "seconds": (self.predicted_seconds.value, self.seconds),
        }
        if self.zipped_bytes is not None and self.predicted_zipped is not None:
            pairs["zipped"] = (self.predicted_zipped.value, self.zipped_bytes)
        return {
            name: 100.0 * (predicted - measured) / measured if measured else 0.0
            for name, (predicted, measured) in pairs.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a rendering shows.

    ``project`` and ``app`` are None unless a project folder was checked; ``verification``,
    ``difference`` and ``audit`` are None unless requested.
    """

    path: str
    kind: str  # "requirements", "pylock" or "project"
    sha256: str  # of the file that decides what is installed
    sizes: SizeReport
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    project: Project | None = None
    app: AppFiles | None = None
    models: tuple[ModelFile, ...] = ()
    storage: tuple[StorageOption, ...] = ()
    verification: Verification | None = None
    difference: Difference | None = None
    audit: Audit | None = None
    ignored: tuple[Ignored, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    ram: RamFloor | None = None  # None where nothing is known of what is imported
    function: FunctionSplit | None = None  # where a part of the bundle is installed at cold starts
    reasons: tuple[str, ...] = ()  # the resolver's own, whole, for what it could not resolve
    requirements: tuple[Requirement, ...] = ()  # the lines of the file; a lock has none
    allowed_unsized: tuple[str, ...] = ()
    fail_on: FindingSeverity = FindingSeverity.ERROR  # the mildest that decides the exit code
    assumptions: tuple[str, ...] = ()  # what the predicted build time rests on
    seconds: float = 0.0  # wall time of the run; kept out of the comparable part
    tool_version: str = ""

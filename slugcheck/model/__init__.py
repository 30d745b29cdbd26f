"""The values that flow one way: target, resolution, inventories, report, verdicts.

Rule of this module: frozen values only. It computes totals from parts (so that no total can
disagree with them), starts nothing, prints nothing and imports nothing else of slugcheck.

Sizes are ``int`` bytes unless a name says otherwise; seconds are ``float``. MB is 10**6 bytes and
MiB is 2**20 bytes; the "M" that Heroku prints is MiB.
"""

from slugcheck.model.audit import (
    Audit,
    Unaudited,
    Vulnerability,
)
from slugcheck.model.changes import (
    BaseTotals,
    Change,
    ChangeKind,
    Difference,
    PartChange,
)
from slugcheck.model.comparison import (
    Comparison,
    Migration,
    Recommendation,
    Savings,
    Setup,
    SetupRow,
    SharedRow,
    Step,
    StepKind,
)
from slugcheck.model.figures import (
    Basis,
    Estimate,
)
from slugcheck.model.packages import (
    Artifact,
    Distribution,
    Entry,
    IndexOptions,
    Inventory,
    Origin,
    Requirement,
    RequirementSet,
    Resolution,
    SourceBuild,
    Transfer,
    Unsized,
)
from slugcheck.model.platform import (
    Dyno,
    Limit,
    Platform,
    PythonRelease,
    RuntimePart,
    Severity,
    Source,
    Stack,
    Target,
)
from slugcheck.model.project import (
    AppFiles,
    Download,
    FolderSize,
    Manager,
    ModelFile,
    ModelPlace,
    Project,
    Storage,
    StorageOption,
    Verification,
)
from slugcheck.model.report import Report
from slugcheck.model.rules import (
    Budget,
    Denied,
    Ignore,
    IncreaseLimit,
    PackageLimit,
    Rules,
)
from slugcheck.model.sizes import (
    DistributionSize,
    Kind,
    Overlap,
    Part,
    RootSize,
    SizeReport,
)
from slugcheck.model.verdicts import (
    Finding,
    FindingSeverity,
    Ignored,
    Status,
    Verdict,
)

__all__ = [
    "AppFiles",
    "Artifact",
    "Audit",
    "BaseTotals",
    "Basis",
    "Budget",
    "Change",
    "ChangeKind",
    "Comparison",
    "Denied",
    "Difference",
    "Distribution",
    "DistributionSize",
    "Download",
    "Dyno",
    "Entry",
    "Estimate",
    "Finding",
    "FindingSeverity",
    "FolderSize",
    "Ignore",
    "Ignored",
    "IncreaseLimit",
    "IndexOptions",
    "Inventory",
    "Kind",
    "Limit",
    "Manager",
    "Migration",
    "ModelFile",
    "ModelPlace",
    "Origin",
    "Overlap",
    "PackageLimit",
    "Part",
    "PartChange",
    "Platform",
    "Project",
    "PythonRelease",
    "Recommendation",
    "Report",
    "Requirement",
    "RequirementSet",
    "Resolution",
    "RootSize",
    "Rules",
    "RuntimePart",
    "Savings",
    "Setup",
    "SetupRow",
    "Severity",
    "SharedRow",
    "SizeReport",
    "Source",
    "SourceBuild",
    "Stack",
    "Status",
    "Step",
    "StepKind",
    "Storage",
    "StorageOption",
    "Target",
    "Transfer",
    "Unaudited",
    "Unsized",
    "Verdict",
    "Verification",
    "Vulnerability",
]

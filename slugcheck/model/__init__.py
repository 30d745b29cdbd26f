"""The values that flow one way: target, resolution, inventories, report, verdicts.

Rule of this module: frozen values only. It computes totals from parts (so that no total can
disagree with them), starts nothing, prints nothing and imports nothing else of slugcheck.

Sizes are ``int`` bytes unless a name says otherwise; seconds are ``float``. MB is 10**6 bytes and
MiB is 2**20 bytes; the "M" that Heroku prints is MiB.
"""

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
    Report,
    Status,
    Verdict,
)

__all__ = [
    "Artifact",
    "Basis",
    "Distribution",
    "DistributionSize",
    "Dyno",
    "Entry",
    "Estimate",
    "Finding",
    "FindingSeverity",
    "IndexOptions",
    "Inventory",
    "Kind",
    "Limit",
    "Origin",
    "Overlap",
    "Part",
    "Platform",
    "PythonRelease",
    "Report",
    "Requirement",
    "RequirementSet",
    "Resolution",
    "RootSize",
    "RuntimePart",
    "Severity",
    "SizeReport",
    "Source",
    "SourceBuild",
    "Stack",
    "Status",
    "Target",
    "Transfer",
    "Unsized",
    "Verdict",
]

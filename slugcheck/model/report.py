"""The whole report, as every rendering gets it."""

from __future__ import annotations

from dataclasses import dataclass

from slugcheck.model.audit import Audit
from slugcheck.model.changes import Difference
from slugcheck.model.packages import Requirement
from slugcheck.model.project import AppFiles, ModelFile, Project, StorageOption, Verification
from slugcheck.model.sizes import SizeReport
from slugcheck.model.verdicts import Finding, FindingSeverity, Ignored, Verdict


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
    requirements: tuple[Requirement, ...] = ()  # the lines of the file; a lock has none
    allowed_unsized: tuple[str, ...] = ()
    fail_on: FindingSeverity = FindingSeverity.ERROR  # the mildest that decides the exit code
    assumptions: tuple[str, ...] = ()  # what the predicted build time rests on
    seconds: float = 0.0  # wall time of the run; kept out of the comparable part
    tool_version: str = ""

"""A report as SARIF 2.1.0 (OASIS), for code scanning: a rule a code, a result a remark."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from slugcheck.model import FindingSeverity, Report
from slugcheck.model.matrix import Matrix, TargetResult
from slugcheck.render.annotations import Remark, of_missing, remarks
from slugcheck.render.place import Place
from slugcheck.text import printable

Json = dict[str, Any]
_VERSION = "2.1.0"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
# What a code means, for the list of rules; a code that is not here is described by its name.
_RULES = {
    "budget-slug": "The compressed slug is over its budget, or too close to call",
    "budget-installed": "The installed size is over its budget, or too close to call",
    "budget-build": "The build takes longer than its limit, or is too close to call",
    "budget-increase": "The change adds more than its limit allows",
    "budget-package_increase": "One distribution adds more than its limit allows",
    "budget-package": "A distribution is larger than its own budget",
    "budget-deny": "A distribution is installed that the project denies",
    "budget-vulnerabilities": "There are known vulnerabilities, or the audit failed",
    "obstacle": "The project could not be measured as it is",
    "unsized": "A distribution could not be sized, so the totals are without it",
    "vulnerability": "A resolved version has a known vulnerability",
    "cuda-on-cpu": "GPU code on a platform without a GPU",
    "opencv-gui": "OpenCV with a GUI, which needs libraries that the platform lacks",
    "two-opencvs": "Two distributions of OpenCV overwrite each other",
    "collectstatic-fails": "The build's collectstatic fails with these settings",
    "build-fails": "A distribution that the platform cannot build or install",
    "build-may-fail": "A distribution whose build is likely to fail",
    "missing-library": "A distribution that needs a library which the platform lacks",
    "missing-program": "A process starts a program that no requirement installs",
    "built-from-source": "A distribution is compiled during the build",
    "heavy-dependency": "A later version of a distribution requires less",
    "other-system": "A distribution for another operating system",
    "placeholder": "A placeholder instead of the real distribution",
    "python-deprecated": "The platform has deprecated this Python",
    "development-tools": "Development tools would be deployed",
}


def render(report: Report, place: Place) -> str:
    """Return the report as SARIF text; paths are relative to the root of the repository."""
    return _written([_of_report(report, place)])


def render_matrix(matrix: Matrix, place: Place) -> str:
    """Return several targets as SARIF text: a run for each, of a category of its own."""
    runs = []
    for target in matrix.targets:
        name = f"{target.platform}, Python {target.python}"
        run = (
            _of_report(target.report, place, f"{name}: ")
            if target.report is not None
            else _of_missing(target, matrix.tool_version)
        )
        category = printable(f"slugcheck/{target.platform}/{target.python}/")
        runs.append(run | {"automationDetails": {"id": category}})
    return _written(runs)


def _written(runs: Sequence[Json]) -> str:
    document = {"$schema": _SCHEMA, "version": _VERSION, "runs": runs}
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False)


def _of_report(report: Report, place: Place, lead: str = "") -> Json:
    all_remarks = [replace(remark, title=lead + remark.title) for remark in remarks(report)]
    project = report.project
    subject = str(project.dependency_file) if project is not None else report.path
    results = [_result(remark, place, subject) for remark in all_remarks]
    return _run(report.tool_version, all_remarks, {"executionSuccessful": True}, results)


def _of_missing(target: TargetResult, version: str) -> Json:
    remark = of_missing(target)
    level = "note" if remark.level is FindingSeverity.INFO else "error"
    notification = {"level": level, "message": {"text": "\n".join(remark.lines)}}
    invocation = {"executionSuccessful": False, "toolExecutionNotifications": [notification]}
    return _run(version, (), invocation, [])


def _run(
    version: str, all_remarks: Iterable[Remark], invocation: Json, results: list[Json]
) -> Json:
    return {
        "tool": {"driver": _driver(version, all_remarks)},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"ROOT": {"description": {"text": "the root of the repository"}}},
        "invocations": [invocation],
        "results": results,
    }


def _driver(version: str, all_remarks: Iterable[Remark]) -> Json:
    codes = sorted({remark.code for remark in all_remarks})
    return {
        "name": "slugcheck",
        "version": version or "0",
        "rules": [_rule(code) for code in codes],
    }


def _rule(code: str) -> Json:
    text = _RULES.get(code, code.replace("-", " ").replace("_", " "))
    return {
        "id": printable(code),
        "shortDescription": {"text": printable(text)},
        "fullDescription": {"text": f"{printable(text)}."},
        "help": {"text": f"The message says what was found. {printable(text)}."},
    }


def _result(remark: Remark, place: Place, subject: str) -> Json:
    path = place.relative(remark.origin.file if remark.origin else subject)
    result: Json = {
        "ruleId": printable(remark.code),
        "level": "note" if remark.level is FindingSeverity.INFO else str(remark.level),
        "message": {"text": "\n".join([printable(remark.title), *remark.lines])},
        "partialFingerprints": {"slugcheck/v1": _fingerprint(remark, path)},
    }
    if path is not None:
        result["locations"] = [_location(path, remark.origin.line if remark.origin else 1)]
    return result


def _location(path: str, line: int) -> Json:
    uri = quote(path, errors="surrogateescape")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": "ROOT"},
            "region": {"startLine": max(line, 1)},
        }
    }


def _fingerprint(remark: Remark, path: str | None) -> str:
    """What stays alike while lines and figures move: the rule, the distribution, the file."""
    text = "\n".join([remark.code, remark.subject, path or ""])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

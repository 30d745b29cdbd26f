"""A report as JUnit XML, in the form that Jenkins' xunit plugin publishes a schema of.

Each budget is a test case, each finding and each distribution without a size one that fails.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

from slugcheck.model import FindingSeverity, Report, Status, Verdict
from slugcheck.model.matrix import Matrix, Outcome, TargetResult
from slugcheck.render.annotations import STATUS_WORDS, Remark, of_missing, package_remarks
from slugcheck.text import printable

# What XML 1.0 has no way to write; printable() has written out the controls before.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SUITE = "slugcheck"
_COUNTS = ("tests", "failures", "errors")
_NOT_FINDINGS = ("obstacle", "unsized")  # measuring failed there, not the app


def render(report: Report) -> str:
    """Return the report as XML text."""
    return _written([_of_report(report, f"{_SUITE}: {report.path}")], report.seconds)


def render_matrix(matrix: Matrix) -> str:
    """Return several targets as XML text: a suite for each, whose tests its name tells apart."""
    suites = []
    for target in matrix.targets:
        name = f"{_SUITE}: {matrix.path}, {target.platform}, Python {target.python}"
        report = target.report
        suite = _of_report(report, name) if report is not None else _of_missing(target, name)
        own = _text(f"{_SUITE}.{target.platform}-py{target.python.replace('.', '')}")
        for case in suite.iter("testcase"):
            case.set("classname", case.get("classname", "").replace(_SUITE, own, 1))
        suites.append(suite)
    return _written(suites, matrix.seconds)


def _written(suites: Sequence[ET.Element], seconds: float) -> str:
    sums = {name: sum(int(suite.get(name, "0")) for suite in suites) for name in _COUNTS}
    shown = {name: str(count) for name, count in sums.items()}
    root = ET.Element("testsuites", {"name": _SUITE, "time": _time(seconds), **shown})
    root.extend(suites)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _of_report(report: Report, name: str) -> ET.Element:
    cases = [*_budgets(report), *_others(report)]
    return _suite(name, report.seconds, [_properties(report)], cases)


def _of_missing(target: TargetResult, name: str) -> ET.Element:
    remark = of_missing(target)
    case = _case("target", remark.title)
    kind = "skipped" if target.outcome is Outcome.IMPOSSIBLE else "error"
    _outcome(case, kind, remark.code, remark.text, _body(remark))
    return _suite(name, 0.0, [], [case])


def _suite(
    name: str, seconds: float, properties: Sequence[ET.Element], cases: Sequence[ET.Element]
) -> ET.Element:
    counts = {"tests": len(cases), "skipped": 0, "failures": 0, "errors": 0}
    for case in cases:
        for kind, count in (("skipped", "skipped"), ("failure", "failures"), ("error", "errors")):
            counts[count] += case.find(kind) is not None
    shown = {key: str(count) for key, count in counts.items()}
    suite = ET.Element("testsuite", {"name": _text(name), "time": _time(seconds), **shown})
    suite.extend(properties)
    suite.extend(cases)
    return suite


def _time(seconds: float) -> str:
    return f"{min(seconds, 999.0):.3f}"


def _properties(report: Report) -> ET.Element:
    sizes = report.sizes
    properties = ET.Element("properties")
    for name, value in (
        ("platform", sizes.target.platform.name),
        ("stack", sizes.target.stack.name),
        ("python", sizes.target.python_version),
        ("installed_bytes", str(sizes.installed.value)),
        ("slug_bytes", str(sizes.slug.value)),
    ):
        ET.SubElement(properties, "property", {"name": name, "value": _text(value)})
    return properties


def _case(group: str, name: str) -> ET.Element:
    return ET.Element("testcase", {"classname": f"{_SUITE}.{group}", "name": _text(name)})


def _budgets(report: Report) -> Iterator[ET.Element]:
    for verdict in report.verdicts:
        case = _case("budget", verdict.budget)
        _judge(case, verdict)
        yield case


def _judge(case: ET.Element, verdict: Verdict) -> None:
    kinds = {Status.FAIL: "failure", Status.UNKNOWN: "error"}
    if verdict.gates and verdict.status in kinds:
        words = STATUS_WORDS[verdict.status]
        _outcome(case, kinds[verdict.status], words, verdict.sentence)
    elif verdict.status is Status.UNKNOWN:
        _outcome(case, "skipped", "not measured", verdict.sentence)
    else:
        ET.SubElement(case, "system-out").text = _text(verdict.sentence)


def _others(report: Report) -> Iterator[ET.Element]:
    for remark in package_remarks(report):
        case = _case(remark.code if remark.code in _NOT_FINDINGS else "finding", remark.title)
        if remark.level is FindingSeverity.INFO:
            ET.SubElement(case, "system-out").text = _body(remark)
        else:
            kind = "error" if remark.code in _NOT_FINDINGS else "failure"
            _outcome(case, kind, remark.code, remark.text, _body(remark))
        yield case


def _outcome(case: ET.Element, kind: str, label: str, message: str, body: str = "") -> None:
    outcome = ET.SubElement(case, kind, {"type": _text(label), "message": _text(message)})
    outcome.text = body or None


def _body(remark: Remark) -> str:
    text, *fix = remark.lines
    place = [f"at {printable(str(remark.origin))}"] if remark.origin is not None else []
    return _ILLEGAL.sub("�", "\n".join([text, *place, *fix]))


def _text(text: str) -> str:
    return _ILLEGAL.sub("�", printable(text))

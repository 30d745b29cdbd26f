"""The JSON document: stable names, nothing that changes by itself, no secrets; read back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from slugcheck.errors import UsageError
from slugcheck.model import Report
from slugcheck.model.document.report import ReportDocument
from slugcheck.model.document.saved import SCHEMA, dumps, loads
from slugcheck.model.to_document.report import report_document
from tests.support import cases, reports

# What other tools may rely on; more fields may come, none of these may go or change its type.
NAMES: dict[str, Any] = {
    "schema": int,
    "tool": {"name": str, "version": str},
    "subject": {"path": str, "kind": str, "sha256": str},
    "target": {"platform": str, "stack": str, "python": str, "arch": str, "dyno": str},
    "totals": {
        "distributions": int, "files": int, "download_bytes": int, "installed_bytes": int,
        "bytecode_bytes": int, "runtime_bytes": int, "app_bytes": int, "model_bytes": int,
        "slug_bytes": int, "slug_low_bytes": int, "slug_high_bytes": int, "basis": str,
    },
    "distributions": [{
        "name": str, "version": str, "filename": str, "sha256": str, "direct": bool,
        "required_by": list, "download_bytes": int, "installed_bytes": int, "bytecode_bytes": int,
        "slug_bytes": int, "files": int, "via": str, "basis": str,
    }],
    "unsized": [{"name": str, "version": str, "reason": str}],
    "models": [{"path": str, "bytes": int, "slug_bytes": int}],
    "verdicts": [{"budget": str, "status": str, "limit": int, "unit": str, "sentence": str,
                  "source": str}],
    "findings": [{"code": str, "severity": str, "subject": str, "sentence": str, "fix": str}],
    "transfer": {"requests": int, "bytes": int, "seconds": float, "cached": int},
}  # fmt: skip


def check(names: Any, value: Any, path: str) -> None:
    if isinstance(names, dict):
        for name, expected in names.items():
            check(expected, value[name], f"{path}.{name}")
    elif isinstance(names, list):
        assert value, path
        for one in value:
            check(names[0], one, path)
    else:
        assert type(value) is names, path


def text_of(report: Report) -> str:
    return dumps(report_document(report))


def plain(report: Report) -> dict[str, Any]:
    """The document of a report as a program reads it."""
    found: dict[str, Any] = json.loads(text_of(report))
    return found


def test_the_stable_names_are_there_with_their_types() -> None:
    check(NAMES, json.loads(text_of(cases.hostile())), "")


def test_the_document_is_as_it_was_approved() -> None:
    reports.assert_golden("document-hostile.json", text_of(cases.hostile()) + "\n")


@pytest.mark.parametrize("case", cases.CASES)
def test_the_text_is_ascii_sorted_and_the_same_every_time(case: str) -> None:
    text = text_of(cases.CASES[case]())
    assert text.isascii()
    assert text == text_of(cases.CASES[case]())
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True)


def test_only_transfer_tells_of_the_run() -> None:
    report = cases.onnx()
    transfer = replace(report.sizes.transfer, requests=0, bytes=0, cached=99)
    later = replace(report, seconds=77.7, sizes=replace(report.sizes, transfer=transfer))
    first, second = plain(report), plain(later)
    assert first.pop("transfer") != second.pop("transfer")
    assert first == second


def test_the_totals_are_the_sums_of_their_parts() -> None:
    document = plain(cases.cuda())
    rows, totals = document["distributions"], document["totals"]
    twice = sum(overlap["bytes"] for overlap in document["overlaps"])
    assert totals["installed_bytes"] == sum(row["installed_bytes"] for row in rows) - twice
    runtime = sum(part["installed_bytes"] for part in document["parts"])
    assert totals["runtime_bytes"] == runtime
    assert totals["all_installed_bytes"] == totals["installed_bytes"] + runtime
    assert sum(totals["by_kind"].values()) == totals["installed_bytes"] + twice
    assert totals["bytecode_bytes"] == totals["by_kind"]["bytecode"]


def test_models_are_counted_apart() -> None:
    document = plain(cases.hostile())
    models = [(one["path"], one["bytes"], one["slug_bytes"]) for one in document["models"]]
    assert models[0] == ("models/[b]*.onnx", 9_000_000, 8_000_000)
    assert document["totals"]["model_bytes"] == sum(size for _, size, _ in models)
    assert document["totals"]["model_slug_bytes"] == sum(slug for _, _, slug in models)
    assert document["totals"]["app_bytes"] == document["app"]["bytes"]


def test_no_url_of_an_artefact_and_no_password_gets_in() -> None:
    text = text_of(cases.hostile())
    assert "s3cret" not in text
    assert "wheels.example" not in text
    assert "https://***@host.example/x failed" in text


# --------------------------------------------------------------------------- reading back


@pytest.mark.parametrize("case", cases.CASES)
def test_what_was_written_is_read_back(case: str) -> None:
    report: Report = cases.CASES[case]()
    assert loads(ReportDocument, text_of(report), "base.json") == report_document(report)


def test_fields_of_a_later_version_are_no_hindrance() -> None:
    document = plain(cases.onnx()) | {"later": 1, "base": {"label": "main", "later": [10**40]}}
    assert loads(ReportDocument, json.dumps(document), "x").totals.distributions == 25


def test_a_report_without_the_names_that_came_later_is_read() -> None:
    report = cases.whole()
    document = plain(report)
    for later in ("app", "storage", "verify", "audit", "changes", "base", "ignored", "transfer"):
        del document[later]
    del document["target"]["glibc"], document["totals"]["by_kind"]
    del document["distributions"][0]["plain_basis"], document["verdicts"][0]["source"]
    older = loads(ReportDocument, json.dumps(document), "older.json")
    assert older.distributions[1:] == report_document(report).distributions[1:]
    assert older.app is None


def broken(**changes: Any) -> str:
    return json.dumps(plain(cases.onnx()) | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "r.json is not JSON"),
        ("[" * 100_000, "r.json is not JSON"),
        ("[]", "r.json is not a report of slugcheck"),
        ('{"schema": true}', "r.json is not a report of slugcheck"),
        (broken(schema=SCHEMA + 1), "r.json has schema 2; this version reads schema 1"),
        (broken(schema=10**4000), "r.json has schema of many digits; this version reads schema 1"),
        (broken(totals=None), "r.json: totals is not an object"),
        (
            broken(totals=plain(cases.onnx())["totals"] | {"slug_bytes": -5}),
            "r.json: totals.slug_bytes is out of range",
        ),
        (broken(totals={}), "r.json: totals.distributions is missing"),
        (broken(distributions={}), "r.json: distributions is not a list"),
        (
            broken(unsized=[{"name": "x", "version": 1, "reason": "", "allowed": False}]),
            "r.json: unsized[0].version is not a string",
        ),
        (
            broken(unsized=[{"name": "x", "version": None, "reason": "", "allowed": 0}]),
            "r.json: unsized[0].allowed is not true or false",
        ),
        (broken(app={"files": "`$.x` - at `$.y`\n"}), "r.json: app.files is not a whole number"),
        (broken(schema=1, notes=[1]), "r.json: notes[0] is not a string"),
        (
            broken(verdicts=[plain(cases.onnx())["verdicts"][0] | {"status": "`$.y`\n\x1b"}]),
            "r.json: verdicts[0].status has an unknown value",
        ),
        (
            broken(verdicts=[plain(cases.onnx())["verdicts"][0] | {"measured": float("nan")}]),
            "r.json: verdicts[0].measured is out of range",
        ),
        (broken(**{"\ud800": 1}), "r.json is not JSON"),
    ],
)
def test_what_is_no_report_is_refused_with_the_place_of_the_mistake(
    text: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        loads(ReportDocument, text, "r.json")
    assert str(caught.value) == message
    assert caught.value.hint

"""The published JSON Schemas: generated from the code, true of what slugcheck writes and takes."""

from __future__ import annotations

import json
import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from slugcheck.errors import UsageError
from slugcheck.model.document.saved import dumps
from slugcheck.model.to_document.bench import bench_document
from slugcheck.model.to_document.report import report_document
from slugcheck.policy import settings
from tests.support import cases, reports
from tests.support.benches import heavy, light, result
from tests.support.schemas import SCHEMAS, held, validator

DOCS = Path(__file__).parent.parent / "docs"


def test_the_schemas_are_up_to_date() -> None:
    generated = runpy.run_path(str(DOCS / "generate.py"))["schemas"]()
    assert {DOCS / name for name in generated} == set(SCHEMAS.iterdir())
    for name, text in generated.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, "run `python docs/generate.py`"
        jsonschema.Draft202012Validator.check_schema(json.loads(text))


# --------------------------------------------------------------------------- documents


@pytest.mark.parametrize("case", cases.CASES)
def test_every_report_is_as_its_schema_says(case: str) -> None:
    held(json.loads(dumps(report_document(cases.CASES[case]()))))


def test_the_approved_report_and_a_bench_result_are_as_their_schemas_say() -> None:
    held(json.loads((reports.GOLDEN / "document-hostile.json").read_text(encoding="utf-8")))
    held(json.loads(dumps(bench_document(result(heavy(), light())))))


@pytest.mark.parametrize(
    ("name", "value"),
    [("totals", None), ("distributions", [{}]), ("schema", 2), ("findings", [{"code": 1}])],
)
def test_a_document_with_a_wrong_value_is_not(name: str, value: Any) -> None:
    document = json.loads(dumps(report_document(cases.onnx())))
    with pytest.raises(jsonschema.ValidationError):
        held(document | {name: value})


# --------------------------------------------------------------------------- settings

SETTINGS = validator("settings")


def read(text: str) -> Any:
    """What a TOML text holds, with dates as JSON has them."""
    return json.loads(json.dumps(tomllib.loads(text), default=str))


def test_the_settings_of_the_pages_are_as_the_schema_says() -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", (DOCS / "settings.md").read_text(), re.M | re.S)
    assert blocks
    for block in blocks:
        SETTINGS.validate(read(block))


def test_the_first_settings_file_is_as_the_schema_says_with_and_without_its_comments() -> None:
    report = cases.onnx()
    proposal = settings.proposals(report)["tight"]
    text = settings.settings_text(report, given={}, proposal=proposal)
    SETTINGS.validate(read(text))
    active = re.sub(r'^# ("?[\w.">= ]+ = |\[)', r"\1", text, flags=re.M)
    assert "ignore" in read(active)
    SETTINGS.validate(read(active))


@pytest.mark.parametrize(
    "text",
    [
        'platfrom = "heroku"',
        "python = 3.12",
        'models = "a.onnx"',
        'budgets = { slug = { message = "no limit" } }',
        "budgets = { slug = true }",
        'budgets = { package.numpy = { limit = "1MB", on = "disk" } }',
        "deny = { torch = 1 }",
        'ignore = [{ code = "x", reason = "y" }]',
        'ignore = [{ code = "x", reason = "y", expires = 2027-05-31, until = 1 }]',
    ],
)
def test_the_schema_and_slugcheck_refuse_the_same_mistakes(text: str, tmp_path: Path) -> None:
    (tmp_path / "slugcheck.toml").write_text(text)
    with pytest.raises(UsageError):
        settings.load(tmp_path)
    assert not SETTINGS.is_valid(read(text))

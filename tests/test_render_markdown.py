"""The Markdown for pull requests: reads well on GitHub, and no text in it becomes markup."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from slugcheck.model import Report
from slugcheck.render import markdown
from slugcheck.render.views import check
from slugcheck.text import Inert
from tests.support import cases, reports

PARSER = MarkdownIt("commonmark").enable("table")


def page(report: Report) -> Inert:
    return markdown.write(check.view(report))


def html(report: Report) -> str:
    return str(PARSER.render(page(report)))


@pytest.mark.parametrize(
    "case", ["onnx", "whole", "cuda", "source", "hostile", "functions", "empty"]
)
def test_the_text_looks_as_it_was_approved(case: str) -> None:
    reports.assert_golden(f"markdown-{case}.md", page(cases.CASES[case]()))


@pytest.mark.parametrize("case", cases.CASES)
def test_every_row_of_a_table_has_the_cells_of_its_head(case: str) -> None:
    for table in re.findall(r"<table>.*?</table>", html(cases.CASES[case]()), re.DOTALL):
        widths = {len(re.findall(r"<t[hd][ >]", row)) for row in table.split("</tr>")[:-1]}
        assert len(widths) == 1
    text = page(cases.CASES[case]())
    heads = [line for line in text.splitlines() if re.fullmatch(r"\|[-:|]+\|", line)]
    assert html(cases.CASES[case]()).count("<table>") == len(heads)  # each parsed as one
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


@pytest.mark.parametrize(
    ("case", "heading"),
    [
        ("onnx", "## ✅ FITS Heroku: 137.4M of 500M, 362.6M left"),
        ("cuda", "## ❌ OVER BUDGET: 3.1G of 500M (and over Heroku's own limit of 1000M: the push"),
        ("source", "## ❔ UNKNOWN: 80M of 500M, but 3 packages could not be sized: mylib"),
    ],
)
def test_the_verdict_comes_first(case: str, heading: str) -> None:
    assert page(cases.CASES[case]()).startswith(heading)


def test_small_distributions_are_folded_only_when_there_are_many() -> None:
    many, few = page(cases.onnx()), reports.measured("onnx")[:15]
    assert "<summary>19 more</summary>" in many
    assert "<details>" not in page(reports.report(few))
    for one in cases.onnx().sizes.distributions:
        assert len(re.findall(rf"^\| `{one.name}` {one.distribution.version} ", many, re.M)) == 1


def test_the_lines_of_a_fix_are_a_code_block() -> None:
    text = page(cases.cuda())
    for finding in cases.cuda().findings:
        assert f"```text\n{finding.fix}\n```" in text


def test_what_could_not_be_sized_is_listed_with_place_and_reason() -> None:
    text = page(cases.source())
    assert f"| `pywin32 306` | `requirements.txt:5` | {cases.WINDOWS} |" in text


def test_text_from_outside_becomes_no_markup() -> None:
    shown = html(cases.hostile())
    tags = set(re.findall(r"<(/?[a-zA-Z!][^\s>]*)", shown))
    ours = "h2 h3 p br code pre strong em table thead tbody tr th td ul li".split()
    allowed = {*ours, *(f"/{tag}" for tag in ours), "!--"}
    assert tags <= allowed
    assert "<h1>" not in shown
    source = page(cases.hostile())
    assert not re.search(r"@\w(?!\w*`)", re.sub(r"`[^`]*`", "", source))
    assert not re.search(r"^\s*::|##\[", source, re.MULTILINE)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", source)
    assert "s3cret" not in source

"""``slugcheck compare``: stacks side by side, with the very numbers that check has for each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from slugcheck.compare import Candidate
from slugcheck.compare import compare as compared
from slugcheck.model import BundleKind
from slugcheck.model.to_document.report import report_document
from slugcheck.render import terminal
from slugcheck.render.views.compare import view
from slugcheck.text import heroku_m
from tests.support import cases, stock
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    return stock.fill(package_server)


@pytest.fixture
def stacks(requirements: Write) -> tuple[Path, Path]:
    """A heavy stack and a light one with the same framework, in other versions."""
    return (
        requirements("framework==1.0\nwebapp==1.0\nheavy==5.0  # slow\n", "heavy.txt"),
        requirements("framework==2.0\nwebapp==1.0\nlight==1.1\n", "light.txt"),
    )


def flags(index: PackageServer) -> tuple[str, ...]:
    return ("--index-url", index.index_url, "--python", "3.12")


def compare(index: PackageServer, *more: object) -> Done:
    return slugcheck("compare", *more, *flags(index))


def test_the_numbers_are_those_of_check_on_each_alone(
    index: PackageServer, stacks: tuple[Path, Path], tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(stock.noise(500_000, 9))
    done = compare(index, *stacks, "--model", model, "--format", "json")
    assert done.code == 0, done.err
    for path, stack in zip(stacks, done.document["stacks"], strict=True):
        alone = slugcheck(path, *flags(index), "--model", model, "--format", "json").document
        for figure, value in stack["totals"].items():
            assert value == alone["totals"][figure], figure
        assert stack["verdicts"][0]["sentence"] == alone["verdicts"][0]["sentence"]
        assert [one["bytes"] for one in stack["models"]] == [500_000]


def test_savings_are_the_difference_of_the_totals(
    index: PackageServer, stacks: tuple[Path, Path]
) -> None:
    document = compare(index, *stacks, "--format", "json").document
    heavy, light = (one["totals"] for one in document["stacks"])
    savings = document["savings"]
    assert savings["slug_bytes"] == heavy["slug_bytes"] - light["slug_bytes"] > 0
    assert savings["installed_bytes"] == (
        heavy["all_installed_bytes"] - light["all_installed_bytes"]
    )
    assert savings["percent"] == pytest.approx(100 * savings["slug_bytes"] / heavy["slug_bytes"])
    second = document["stacks"][1]
    assert second["saved_slug_bytes"] == savings["slug_bytes"]
    limit = 524_288_000
    assert second["room_bytes"] == limit - light["slug_bytes"]


def test_what_only_one_has_and_what_both_have_at_which_version(
    index: PackageServer, stacks: tuple[Path, Path]
) -> None:
    document = compare(index, *stacks, "--format", "json").document
    versions = {one["name"]: one["versions"] for one in document["differences"]}
    assert versions == {
        "heavy": {"heavy.txt": "5.0", "light.txt": None},
        "tensors": {"heavy.txt": "3.0", "light.txt": None},
        "light": {"heavy.txt": None, "light.txt": "1.1"},
        "framework": {"heavy.txt": "1.0", "light.txt": "2.0"},
        "webapp": {"heavy.txt": "1.0", "light.txt": "1.0"},
    }


def test_the_steps_turn_one_file_into_the_other(
    index: PackageServer, stacks: tuple[Path, Path]
) -> None:
    (found,) = compare(index, *stacks, "--format", "json").document["migrations"]
    steps = {(step["kind"], step["before"], step["after"]) for step in found["steps"]}
    assert steps == {
        ("remove", "heavy==5.0", ""),
        ("change", "framework==1.0", "framework==2.0"),
        ("add", "", "light==1.1"),
    }


@pytest.mark.parametrize(
    ("limit", "label", "said"),
    [
        ("slug=100M", "light.txt", "smaller than heavy.txt"),
        ("slug=22M", "light.txt", "heavy.txt does not fit"),
        ("slug=1M", None, "no candidate fits; light.txt is the closest"),
    ],
)
def test_the_recommendation_follows_from_the_numbers(
    index: PackageServer, stacks: tuple[Path, Path], limit: str, label: str | None, said: str
) -> None:
    done = compare(index, *stacks, "--limit", limit, "--format", "json")
    assert done.code == 0, done.err
    assert done.document["recommendation"]["label"] == label
    assert said in " ".join(done.document["recommendation"]["because"])


def test_stacks_that_are_alike_get_no_recommendation(
    index: PackageServer, requirements: Write
) -> None:
    one, other = requirements("light\n", "a.txt"), requirements("light==1.1\n", "b.txt")
    done = compare(index, one, other, "--format", "json")
    assert done.document["recommendation"]["label"] is None
    assert "too close to call" in done.document["recommendation"]["because"][-1]
    assert done.document["savings"] is None


def test_something_unsized_is_no_zero_in_a_recommendation(
    index: PackageServer, requirements: Write
) -> None:
    odd = requirements("light\ngit+https://127.0.0.1:9/x.git#egg=odd\n", "odd.txt")
    plain = requirements("heavy\n", "plain.txt")
    done = compare(index, odd, plain, "--format", "json")
    assert done.code == 0
    assert done.document["recommendation"]["label"] is None
    assert any("odd" in note for note in done.document["notes"])
    accepted = compare(index, odd, plain, "--allow-unsized", "odd", "--format", "json")
    assert accepted.document["recommendation"]["label"] == "odd.txt"


def test_several_candidates_that_cannot_be_judged_are_named_together(
    index: PackageServer, requirements: Write
) -> None:
    odd = [
        requirements(f"light\ngit+https://127.0.0.1:9/x.git#egg={name}\n", f"{name}.txt")
        for name in ("one", "other")
    ]
    because = compare(index, *odd, "--format", "json").document["recommendation"]["because"]
    assert because[-1] == "unknown whether one.txt and other.txt fit"


def test_saved_reports_and_folders_stand_beside_files(
    index: PackageServer, stacks: tuple[Path, Path], tmp_path: Path
) -> None:
    saved = tmp_path / "yesterday.json"
    slugcheck(stacks[0], *flags(index), "--format", "json", "-o", saved)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.txt").write_text("light\n")
    (folder / "app.py").write_text("x = 1\n")
    done = compare(index, saved, folder, stacks[1], "--format", "json")
    assert done.code == 0, done.err
    labels = [one["label"] for one in done.document["stacks"]]
    assert labels == ["yesterday.json", "project", "light.txt"]
    report = json.loads(saved.read_text())
    assert done.document["stacks"][0]["totals"]["slug_bytes"] == report["totals"]["slug_bytes"]
    assert [one["to"] for one in done.document["migrations"]] == ["project", "light.txt"]


def test_labels_are_the_shortest_that_tell_or_the_ones_given(
    index: PackageServer, requirements: Write
) -> None:
    one, other = requirements("light\n", "a/req.txt"), requirements("heavy\n", "b/req.txt")
    done = compare(index, one, other, "--format", "json")
    assert [s["label"] for s in done.document["stacks"]] == ["a/req.txt", "b/req.txt"]
    named = compare(index, one, other, "--label", "small", "--label", "big", "--format", "json")
    assert [s["label"] for s in named.document["stacks"]] == ["small", "big"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{a}",), "at least two candidates"),
        (("{a}", "{b}", "--label", "x", "--label", "x"), "two candidates are called x"),
        (("{a}", "{b}", *("--label", "x", "--label", "y", "--label", "z")), "3 labels for 2"),
        (("{a}", "{a}"), "two candidates are called"),
        (("{a}", "no-such.txt"), "no-such.txt: "),
    ],
)
def test_usage_is_told_before_anything_is_measured(
    index: PackageServer, requirements: Write, arguments: tuple[str, ...], said: str
) -> None:
    places = {"a": requirements("light\n", "a.txt"), "b": requirements("heavy\n", "b.txt")}
    done = compare(index, *(text.format(**places) for text in arguments))
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_stack_that_cannot_be_measured_is_named(
    index: PackageServer, requirements: Write
) -> None:
    good, bad = requirements("light\n", "good.txt"), requirements("nosuchthing\n", "bad.txt")
    done = compare(index, good, bad)
    assert (done.code, done.out) == (3, "")
    assert "bad.txt: " in done.err
    assert "nosuchthing" in done.err


def test_the_screen_and_the_page_have_all_the_tables(
    index: PackageServer, stacks: tuple[Path, Path], tmp_path: Path
) -> None:
    page = tmp_path / "c.md"
    done = compare(index, *stacks, "-o", page)
    for said in (
        "heavy.txt, MB", "light.txt, MB", "comparison", "room left", "distributions",
        "size summary", "- heavy==5.0", "+ framework==2.0", "take light.txt",
    ):  # fmt: skip
        assert said in done.out, said
    text = page.read_text()
    for said in (
        "## ✅ take light.txt", "### Comparison", "### Size summary", "```diff\n- heavy==5.0",
        "### Distributions",
    ):  # fmt: skip
        assert said in text, said


@pytest.mark.parametrize("format_", ["table", "markdown", "json"])
def test_hostile_labels_and_lines_are_harmless(
    index: PackageServer, requirements: Write, format_: str
) -> None:
    label = "[red]x|`y`\x1b[2J<script>\n::error::z"
    one = requirements("light ; python_version > '3' # [bold]|`\n", "a.txt")
    other = requirements("heavy\n", "b.txt")
    done = compare(
        index, one, other, "--label", label, "--label", "b", "--format", format_
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert not any(line.lstrip().startswith("::") for line in done.out.splitlines())
    if format_ == "markdown":
        assert "<script>" not in done.out.replace("`", "")


def test_a_file_that_is_no_report_is_said(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    one = requirements("light\n", "a.txt")
    for text, said in (
        ("{}", "is not a report"),
        ('{"schema": 99}', "schema 99"),
        ("{", "is not JSON"),
    ):
        path = tmp_path / "r.json"
        path.write_text(text)
        done = compare(index, one, path)
        assert (done.code, done.out) == (2, "")
        assert said in done.err


@pytest.mark.parametrize("format_", ["table", "markdown"])
def test_on_a_platform_without_a_slug_the_bundle_is_compared_with_its_limit(
    index: PackageServer, stacks: tuple[Path, Path], format_: str
) -> None:
    function = "--platform", "aws-lambda"
    done = compare(index, *stacks, *function, "--format", format_)
    document = compare(index, *stacks, *function, "--format", "json").document
    shown = " ".join(done.out.split())
    assert done.code == 0, done.err
    assert "bundle of 250 MiB unzipped" in shown
    assert "gzipped of" not in shown
    for title in ("ize summary, bundle, MB", "istributions, bundle, MB"):
        assert title in shown
    for stack in document["stacks"]:
        verdict = next(one for one in stack["verdicts"] if one["gates"])
        assert heroku_m(stack["totals"]["bundle_bytes"]) in shown
        assert verdict["sentence"].split(" of ")[0] in shown  # the same unit as the verdict's


@pytest.mark.parametrize("width", [80, 100])
def test_long_labels_are_not_broken_in_the_middle_of_a_word(width: int) -> None:
    report = report_document(cases.onnx())
    labels = "services/api/requirements_heroku.txt", "services/api/requirements_heroku_onnx.txt"
    found = compared([Candidate(label=label, report=report) for label in labels])
    for kind in (BundleKind.GZIP_TAR, BundleKind.UNZIPPED):
        shown = terminal.write(view(replace(found, bundle_kind=kind)), width=width, color=False)
        for table in ("comparison ", "size summary, ", "distributions, "):
            start = shown.index(f"\n{table}")
            lines = shown[start : shown.index("\n\n", start + 2)].split("\n")
            cut = [one for one in lines if "heroku" in one and "heroku.txt" not in one]
            assert all("heroku_onnx.txt" in one for one in cut)

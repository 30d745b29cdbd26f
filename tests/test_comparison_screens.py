"""The screen of a comparison: every kind of candidate, row and step, and its page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from slugcheck.compare import Candidate, Result, compare, join
from slugcheck.model import BundleKind, Status
from slugcheck.model.comparison import Comparison
from slugcheck.model.document.bench import BenchDocument
from slugcheck.model.document.report import ReportDocument, Requirement
from slugcheck.model.to_document.bench import bench_document
from slugcheck.model.to_document.report import report_document
from slugcheck.render import markdown, terminal
from slugcheck.render.views.compare import _room, view
from tests.support import cases, reports
from tests.support.benches import heavy, result, sample, stack

SLUG = BundleKind.GZIP_TAR


def document(
    *names: str,
    kind: BundleKind = SLUG,
    lines: tuple[str, ...] = (),
    slug: int = 9_000_000,
) -> ReportDocument:
    rows = []
    for number, text in enumerate(names):
        name, _, version = text.partition(" ")
        made = reports.distribution(name, version or "1.0", slug=slug - 70_000 * number)
        rows.append(made)
    path = "apps/r.txt" if len(names) > 20 else "r.txt"
    report = reports.report(rows, on=reports.target(kind=kind), path=path)
    compared = tuple(Requirement(name=line.partition("=")[0], text=line) for line in lines)
    return structs.replace(report_document(report), requirements=compared)


MANY = tuple(f"part-{number:02d}" for number in range(30))


def three(kind: BundleKind = BundleKind.GZIP_TAR) -> Comparison:
    """One that is too large, one that fits, one that cannot be judged."""
    large = document(
        "torch 2.0", "shared", "moved 1.0", *MANY, kind=kind, slug=60_000_000,
        lines=("torch==2.0", "moved==1.0", "same"),
    )  # fmt: skip
    small = document("onnx 1.5", "shared", "moved 2.0", kind=kind, lines=("same", "moved==2.0"))
    odd = document("shared", "moved 2.0", "b", kind=kind)
    verdicts = tuple(structs.replace(v, status=Status.UNKNOWN) for v in odd.verdicts[:1])
    model = report_document(cases.whole())
    small = structs.replace(
        small,
        models=model.models,
        totals=structs.replace(small.totals, model_bytes=21_000_000, model_slug_bytes=19_000_000),
    )
    return compare(
        [
            Candidate(label="services/large.txt", report=large),
            Candidate(label="services/small.txt", report=small),
            Candidate(label="odd", report=structs.replace(odd, verdicts=verdicts)),
        ]
    )


def benched() -> Comparison:
    """Two runtimes with their footprints, one of them noisy, and a candidate without any."""
    noisy = [sample(steady=110, peak=115, anon=80, share=0.5)] * 6
    candidates = [
        Candidate(label="torch", report=document("torch 1.0", lines=("torch",))),
        Candidate(label="onnx", report=document("onnxruntime 1.0", lines=("torch",))),
        Candidate(label="none", report=document("flask 1.0")),
    ]
    run = bench_document(result(heavy(), replace(stack("ONNX Runtime", noisy), cold_starts=())))
    assert isinstance(run, BenchDocument)
    return join(compare(candidates), candidates, [Result(label="r.json", bench=run)])


SHOWN = {
    "three": three,
    "three-installed": lambda: three(BundleKind.UNZIPPED),
    "benched": benched,
}


@pytest.mark.parametrize("width", [80, 130])
@pytest.mark.parametrize("name", SHOWN)
def test_the_screen_looks_as_it_was_approved(name: str, width: int) -> None:
    text = terminal.write(view(SHOWN[name]()), width=width, color=False)
    reports.assert_golden(f"table-compare-{name}-{width}.txt", text)


@pytest.mark.parametrize("name", SHOWN)
def test_the_page_looks_as_it_was_approved(name: str) -> None:
    reports.assert_golden(f"markdown-compare-{name}.md", markdown.write(view(SHOWN[name]())))


def test_all_rows_shows_every_distribution_of_each() -> None:
    compared = three()
    few = terminal.write(view(compared), width=130, color=False)
    every = terminal.write(view(compared, all_rows=True), width=130, color=False)
    assert "more" in few
    assert " more" not in every
    for number in range(30):
        assert every.count(f"part-{number:02d} ") == 2  # in its sizes, and in the differences
    assert every.count("shared") == 4  # in each candidate's sizes, and once as alike


def test_alike_candidates_and_a_missing_limit() -> None:
    first = structs.replace(document("flask 1.0", lines=("flask",)), verdicts=())
    alike = compare([Candidate(label="a", report=first), Candidate(label="b", report=first)])
    text = terminal.write(view(alike), width=100, color=False)
    assert text.splitlines()[0] == "? no recommendation"
    assert "the requirements are the same" in text
    assert "alike: flask" in text
    assert "of 500M" not in text


@pytest.mark.parametrize(
    ("kind", "room", "shown"),
    [
        (SLUG, 2**20, "1M"), (SLUG, 0, "0M"), (SLUG, -1, "0.1M over"), (SLUG, None, ""),
        (BundleKind.UNZIPPED, -(2**20), "1M over"),
    ],
)  # fmt: skip
def test_the_room_is_what_is_left_or_what_is_over(
    kind: BundleKind, room: int | None, shown: str
) -> None:
    compared = three(kind)
    setup = replace(compared.stacks[0], room_bytes=room)
    assert "".join(span.text for span in _room(setup, compared)) == shown

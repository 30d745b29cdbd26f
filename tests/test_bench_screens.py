"""The screens of bench beside the usual one: odd figures, failures, few processes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slugcheck.benching import trials
from slugcheck.benching.statistics import spread
from slugcheck.model import FindingSeverity, Status
from slugcheck.model.bench import (
    Agreement,
    BenchResult,
    Fed,
    Outcome,
    Ratio,
    StackResult,
    Trial,
    Variant,
)
from slugcheck.render import markdown, terminal
from slugcheck.render.views import bench
from tests.support import reports
from tests.support.benches import MIB, heavy, light, result, sample, stack


def trial(outcome: Outcome, sentence: str, *, peak: int | None = 90 * MIB) -> Trial:
    return Trial(
        label="PyTorch", limit_bytes=300 * MIB, method="cgroup-v2", outcome=outcome,
        reached="steady", seconds=1.0, peak_rss=peak, peak_anon=None, faults=0, sentence=sentence,
    )  # fmt: skip


def variant(name: str, **more: object) -> Variant:
    base = Variant(
        label="PyTorch", name=name, advice=f"how to {name}", samples=(), rss=None,
        peak=spread([230.0 * MIB]), cpu_ms=spread([53.26]), saves_bytes=-3 * MIB,
        significant=True, cpu_percent=-4.4, error=0.00123,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def close() -> StackResult:
    """Few processes, each a little different; a core that others used; starts from the disk."""
    samples = [
        sample(steady=240 + n, peak=260 + 4 * n, anon=100, cpu_ms=2 + n / 9, share=0.7,
               import_seconds=0.011 + n / 100)
        for n in range(3)
    ]  # fmt: skip
    return stack("PyTorch", samples, cold=[0.03, 0.04, 0.08], evicted=41.0)


def alone() -> BenchResult:
    """One runtime that may swap, with every outcome of a limit, variants and a finding."""
    measured = result(close(), asked=True)
    outcomes = tuple(
        trial(outcome, f"the sentence of {outcome}", peak=None if number % 2 else 90 * MIB)
        for number, outcome in enumerate(Outcome)
    )
    finding = reports.finding(
        "threads-beyond-cores", FindingSeverity.WARNING, "PyTorch", "too many", "torch.x(1)"
    )
    inputs = (Fed(name="x", dtype="float32", shape=(1, 3), origin="a.npy"),)
    return replace(
        measured,
        trials=outcomes,
        variants=(
            variant("one"), variant("two", significant=False, saves_bytes=None, error=None),
            variant("none", cpu_percent=None, rss=spread([1.0 * MIB])), variant("x", reason="why"),
        ),
        findings=(finding,),
        notes=("a note",),
        conditions=replace(measured.conditions, inputs=inputs, threads=0, processes=3, runs=1),
        host=replace(measured.host, memory_bytes=None),
    )  # fmt: skip


def undecided() -> BenchResult:
    """Two alike, with a ratio that tells them apart a little, on no machine."""
    cpu = spread([1.2] * 8)
    ratio = Ratio(
        labels=("ONNX Runtime", "PyTorch"), cpu=cpu, wall=cpu, blocks=(), wall_blocks=(),
        significant=True,
    )  # fmt: skip
    other = replace(light(), stack=heavy().stack)
    differ = Agreement(
        status=Status.FAIL, labels=("PyTorch", "ONNX Runtime"), outputs=(), sentence="they differ"
    )
    measured = replace(result(other, light(), ratio=ratio), agreement=differ)
    return replace(measured, conclusion=replace(measured.conclusion, label=None, because=("so",)))


def failed() -> BenchResult:
    """One that was measured once, and one that failed after two processes."""
    once = stack("ONNX Runtime", [sample(steady=100, peak=110, anon=80)])
    return result(once, replace(heavy(2), failure="it was killed", summary=None))


SHOWN = {"alone": alone, "undecided": undecided, "failed": failed}


@pytest.mark.parametrize("name", SHOWN)
def test_the_screen_looks_as_it_was_approved(name: str) -> None:
    text = terminal.write(bench.view(SHOWN[name]()), width=100, color=False)
    reports.assert_golden(f"table-bench-{name}-100.txt", text)


def test_the_page_looks_as_it_was_approved() -> None:
    reports.assert_golden("markdown-bench-alone.md", markdown.write(bench.view(alone())))


@pytest.mark.parametrize(
    ("significant", "sentence"),
    [
        (False, "alternating, a and b do not differ significantly in CPU time"),
        (True, "alternating, a takes 0.50 times the CPU time of b (0.50 to 0.50; wall time 0.50)"),
    ],
)
def test_a_ratio_is_said_where_nothing_is_concluded(significant: bool, sentence: str) -> None:
    blocks = [[[[50, 50]], [[100, 100]]]] * 8
    ratio = replace(trials.of_blocks(("a", "b"), blocks), significant=significant)
    measured = replace(undecided(), ratio=ratio)
    assert f"· {sentence}" in terminal.write(bench.view(measured), width=150, color=False)
    taken = replace(measured, conclusion=replace(measured.conclusion, label="ONNX Runtime"))
    assert sentence not in terminal.write(bench.view(taken), width=150, color=False)


def test_machines_are_shown_up_to_the_first_that_is_large_enough() -> None:
    measured = result(light())
    rows = [row.names for row in measured.dynos]
    text = terminal.write(bench.view(measured), width=100, color=False)
    chosen = next(number for number, names in enumerate(rows) if "standard-1x" in names)
    assert all(names[0] in text for names in rows[: chosen + 2])
    assert rows[chosen + 2][0] not in text
    few = replace(measured, dynos=measured.dynos[: chosen + 3])
    assert rows[chosen + 2][0] in terminal.write(bench.view(few), width=100, color=False)

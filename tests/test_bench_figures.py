"""What bench makes of samples that were recorded: medians, doubts, judgements, the conclusion."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from slugcheck.benching import agreement, host, judgement, trials
from slugcheck.benching.statistics import differ, peak, percentile, spread
from slugcheck.model import Status
from slugcheck.model.bench import Agreement, BenchResult, Outcome, Trial, Variant
from slugcheck.model.document.saved import dumps
from slugcheck.model.to_document.bench import bench_document
from slugcheck.render import markdown, terminal
from slugcheck.render.views import bench
from slugcheck.text import inert
from tests.support import reports
from tests.support.benches import MIB, heavy, light, result, sample, stack

# --------------------------------------------------------------------------- statistics


def test_six_processes_are_the_fewest_whose_range_holds_the_median_with_95_percent() -> None:
    six, five = spread([1, 2, 3, 4, 5, 6]), spread([1, 2, 3, 4, 5])
    assert (six.low, six.median, six.high) == (1, 3.5, 6)
    assert six.confidence == pytest.approx(1 - 2 / 64)
    assert five.confidence < 0.95
    assert spread([7.0]).confidence == 0.0


def test_with_many_processes_the_interval_leaves_the_outliers_out() -> None:
    found = spread([*range(1, 20), 1000])
    assert found.high < 20
    assert found.confidence >= 0.95


def test_groups_that_overlap_do_not_differ_and_such_that_do_not_overlap_do() -> None:
    assert differ([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12])
    assert not differ([1, 3, 5, 7, 9, 11], [2, 4, 6, 8, 10, 12])
    assert not differ([1, 2, 3], [4, 5, 6])  # too few to tell
    assert not differ([], [1, 2, 3])


def test_equal_samples_never_differ() -> None:
    assert not differ([5.0] * 6, [5.0] * 6)


def test_a_percentile_is_one_of_the_values() -> None:
    ordered = [float(n) for n in range(1, 101)]
    assert percentile(ordered, 0.5) == 50
    assert percentile(ordered, 0.99) == 99
    assert percentile([3.0], 0.99) == 3.0


def test_the_largest_anonymous_memory_is_what_the_largest_rss_leaves_beside_file_pages() -> None:
    one = sample(steady=300, peak=380, anon=210)
    assert peak(one, "rss") == 380 * MIB
    assert peak(one, "anon") == pytest.approx((380 - 90) * MIB, abs=2)


def test_a_stable_run_has_no_doubts() -> None:
    assert heavy().doubts == ()


def test_few_processes_an_unstable_figure_and_a_busy_core_are_told() -> None:
    samples = [sample(steady=s, peak=s, anon=80, share=0.6) for s in (100, 150, 200)]
    text = " | ".join(stack("ONNX Runtime", samples).doubts)
    assert "3 processes" in text
    assert "peak RSS is unstable" in text
    assert "CPU time was 60 % of wall time" in text


def test_p99_of_few_inferences_is_called_that() -> None:
    few = stack("ONNX Runtime", [sample(steady=100, peak=100, anon=80, runs=5)] * 6)
    assert "p99 is based on only 30 inferences" in " ".join(few.doubts)


# --------------------------------------------------------------------------- dynos


def fits(found: BenchResult, name: str) -> dict[str, Status]:
    row = next(one for one in found.dynos if name in one.names)
    return {fit.label: fit.status for fit in row.fits}


def test_workers_started_times_the_peak_decides_on_each_dyno() -> None:
    found = result(heavy(), light())
    # two workers of 382 MiB, 290 of them anonymous: 580 of 512; one alone fits
    assert fits(found, "standard-1x") == {
        "PyTorch": Status.FAIL, "ONNX Runtime": Status.PASS,
    }  # fmt: skip
    assert fits(found, "performance-m") == {"PyTorch": Status.PASS, "ONNX Runtime": Status.PASS}


def test_between_anonymous_memory_and_rss_nobody_can_say() -> None:
    samples = [sample(steady=270, peak=270, anon=200)] * 6
    assert fits(result(stack("PyTorch", samples)), "standard-1x")["PyTorch"] is Status.UNKNOWN


def test_little_room_is_a_warning_and_twice_the_quota_a_kill() -> None:
    close = [sample(steady=240, peak=240, anon=200)] * 6
    assert fits(result(stack("PyTorch", close)), "standard-1x")["PyTorch"] is Status.WARN
    huge = [sample(steady=700, peak=700, anon=650)] * 6
    row = next(d for d in result(stack("PyTorch", huge)).dynos if "standard-1x" in d.names)
    assert row.fits[0].sentence.startswith("killed (R15): 1,300")


def test_dynos_that_are_alike_share_a_row() -> None:
    row = next(one for one in result(light()).dynos if "standard-1x" in one.names)
    assert row.names == ("eco", "basic", "standard-1x")


def test_a_cold_start_is_held_against_the_boot_limit() -> None:
    found = result(heavy(evicted=70.0), light())
    slow, quick = found.boots
    assert (slow.status, slow.limit) == (Status.FAIL, 60)
    assert "70.0 s" in slow.sentence
    assert quick.status is Status.PASS


@pytest.mark.parametrize(
    ("dyno", "asked", "code"),
    [("standard-1x", True, 0), ("standard-1x", False, 0), ("performance-m", True, 0)],
)
def test_one_stack_that_fits_is_enough(dyno: str, asked: bool, code: int) -> None:
    assert judgement.exit_code(result(heavy(), light(), dyno=dyno, asked=asked)) == code


def test_a_named_dyno_that_no_stack_fits_is_exit_1_and_one_that_may_swap_exit_3() -> None:
    assert judgement.exit_code(result(heavy(), asked=True)) == 1
    assert judgement.exit_code(result(heavy())) == 0
    between = stack("PyTorch", [sample(steady=270, peak=270, anon=200)] * 6)
    assert judgement.exit_code(result(between, asked=True)) == 3


def test_a_stack_that_failed_is_exit_3() -> None:
    assert judgement.exit_code(result(light(), replace(heavy(), failure="it hung"))) == 3


# --------------------------------------------------------------------------- the conclusion


def test_the_stack_that_fits_is_taken_with_the_figures_that_say_so() -> None:
    blocks = [[[[50, 50]] * 4, [[100, 100]] * 4]] * 8
    found = result(heavy(), light(), ratio=trials.of_blocks(("ONNX Runtime", "PyTorch"), blocks))
    assert found.conclusion.label == "ONNX Runtime"
    text = " | ".join(found.conclusion.because)
    assert "PyTorch on standard-1x with 2 workers: swaps (R14)" in text
    assert "peak RSS: 265.0 MiB (69 %) less than PyTorch" in text
    assert "CPU time of an inference: 0.50 times that of PyTorch" in text


def test_stacks_that_are_alike_get_no_recommendation() -> None:
    samples = [sample(steady=100 + n % 2, peak=110 + n % 2, anon=80) for n in range(6)]
    cold = [0.5, 0.6] * 3
    found = result(stack("PyTorch", samples, cold=cold), stack("ONNX Runtime", samples, cold=cold))
    assert found.conclusion.label is None
    assert "no significant difference" in found.conclusion.because[0]


def test_stacks_that_do_not_compute_the_same_get_no_recommendation() -> None:
    failed = agreement.compare(("PyTorch", "ONNX Runtime"), [{"name": "a"}], [])
    found = replace(result(heavy(), light()), agreement=failed)
    assert judgement.conclusion_of(found).label is None
    assert judgement.exit_code(found) == 3


def test_a_ratio_whose_blocks_lie_around_one_is_no_difference() -> None:
    blocks = [[[[100 + (-1) ** n * 5, 1]], [[100, 1]]] for n in range(8)]
    assert not trials.of_blocks(("a", "b"), blocks).significant


# --------------------------------------------------------------------------- renderings


def two_runtimes() -> BenchResult:
    found = result(heavy(), light(), asked=True)
    agreed = Agreement(
        status=Status.PASS, labels=("PyTorch", "ONNX Runtime"), outputs=(),
        sentence="outputs agree: the largest difference is 1e-06 of the channel's largest value",
    )  # fmt: skip
    trial = Trial(
        label="ONNX Runtime", limit_bytes=128 * MIB, method="watchdog", outcome=Outcome.SLOW,
        reached="steady", seconds=0.4, peak_rss=126 * MIB, peak_anon=90 * MIB, faults=9,
        sentence="first result after 0.4 s, with 9 pages read again",
    )  # fmt: skip
    variant = Variant(
        label="ONNX Runtime", name="no arena", advice="SessionOptions.enable_cpu_mem_arena = False",
        samples=(), rss=spread([98.0 * MIB]), peak=spread([101.0 * MIB]), cpu_ms=spread([53.0]),
        saves_bytes=16 * MIB, significant=True, cpu_percent=1.0, error=0.0,
    )  # fmt: skip
    left_out = replace(variant, name=".ort file", peak=None, reason="the converter is missing")
    return replace(found, agreement=agreed, trials=(trial,), variants=(variant, left_out))


@pytest.mark.parametrize("width", [60, 80])
def test_the_screen_looks_as_it_was_approved(width: int) -> None:
    screen = terminal.write(bench.view(two_runtimes()), width=width, color=False)
    assert all(cell_len(line) <= width for line in screen.splitlines())
    reports.assert_golden(f"table-bench-{width}.txt", screen)


def test_the_page_looks_as_it_was_approved() -> None:
    reports.assert_golden("markdown-bench.md", markdown.write(bench.view(two_runtimes())))


def test_all_rows_shows_every_machine_size() -> None:
    few, many = (
        terminal.write(bench.view(two_runtimes(), all_rows=everything), width=80, color=False)
        for everything in (False, True)
    )
    assert "… 13 larger" in few
    assert "performance-2xl" not in few
    assert "larger" not in many
    assert "performance-2xl" in many


DIFFER = Agreement(status=Status.FAIL, labels=("a", "b"), outputs=(), sentence="they differ by 2")


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (result(heavy(), light(), asked=True), "take ONNX Runtime"),
        (result(light(), asked=True), "FITS standard-1x"),
        (result(heavy(), asked=True), "DOES NOT FIT standard-1x"),
        (result(heavy()), "DOES NOT FIT standard-1x"),
        (result(light(), replace(light(), stack=heavy().stack)), "NO SIGNIFICANT DIFFERENCE"),
        (result(light(), replace(heavy(), failure="killed")), "NOT MEASURED"),
        (replace(result(light(), heavy()), agreement=DIFFER), "OUTPUTS DIFFER"),
        (
            result(stack("PyTorch", [sample(steady=280, peak=290, anon=120)] * 6), asked=True),
            "MAY SWAP on standard-1x",
        ),
        (replace(result(light()), dynos=()), "MEASURED"),
    ],
)
def test_the_verdict_and_the_exit_code_agree(found: BenchResult, word: str) -> None:
    screen = terminal.write(bench.view(found), width=200, color=False)
    first, last = screen.splitlines()[0], screen.splitlines()[-1]
    assert first == last
    assert first[2:].startswith(f"{word}: ")
    assert (first[0] in "✓!") == (judgement.exit_code(found) == 0)


def test_hostile_names_and_reasons_are_harmless_in_every_form() -> None:
    bad = "[bold]a|b<script>`x`\x1b[31m\n::error::now"
    one = replace(light(), stack=replace(light().stack, model=bad), doubts=(bad,))
    two = replace(heavy(), failure=bad)
    found = replace(result(two, one), notes=(bad,))
    screen = inert(terminal.write(bench.view(found), width=100, color=False), "table")
    text = markdown.write(bench.view(found))
    for form in (screen, text, dumps(bench_document(found))):
        assert "\x1b" not in form
        assert not re.search(r"^\s*::error", form, re.MULTILINE)
    assert "[bold]a|b" in screen  # told as it is, not read as markup
    code = re.compile(r"(`+) ?.*?\1")  # GitHub shows what stands in it as it is
    assert "<script>" not in code.sub("", text)
    plain = terminal.write(bench.view(found), width=80, color=False, unicode=False)
    assert plain.isascii()


# --------------------------------------------------------------------------- hosts


def test_this_machine_is_described_without_its_name() -> None:
    import platform

    found = host.describe()
    assert found.identity == host.describe().identity
    assert platform.node() not in str(found) or not platform.node()
    assert found.cores >= 1

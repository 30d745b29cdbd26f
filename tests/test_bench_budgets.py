"""``slugcheck bench --limit`` and ``--baseline``: on recorded samples, and one real run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from slugcheck.benching import budgets, judgement
from slugcheck.benching.budgets import Budgets
from slugcheck.errors import UsageError
from slugcheck.model import Status
from slugcheck.model.bench import BenchResult, BudgetVerdict, Fed, StackResult
from slugcheck.model.document.saved import dumps
from slugcheck.model.to_document.bench import bench_document
from slugcheck.render import markdown
from slugcheck.render.views import bench as views
from tests.support.benches import HOST, heavy, light, result, sample, stack, write_onnx
from tests.support.commands import slugcheck


def judged(found: BenchResult, given: Budgets) -> dict[str, BudgetVerdict]:
    return {verdict.figure: verdict for verdict in budgets.judge(found, given)}


def saved(folder: Path, former: BenchResult) -> Path:
    path = folder / "base.json"
    path.write_text(dumps(bench_document(former)))
    return path


def grown(folder: Path, former: StackResult, now: StackResult, **given: str) -> BenchResult:
    limits = [f"{name}={value}" for name, value in given.items()]
    found = result(now)
    wanted = budgets.parse(limits, saved(folder, result(former)))
    return replace(found, budgets=budgets.judge(found, wanted))


def processes(peak: float, cpu_ms: float = 50, count: int = 6) -> StackResult:
    return stack(
        "ONNX Runtime",
        [sample(steady=peak - 5, peak=peak + n, anon=80, cpu_ms=cpu_ms + n) for n in range(count)],
    )


# --------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("limit", "status", "sentence"),
    [
        ("peak_rss=130M", Status.PASS, "peak RSS 117.5 MiB of 130.0 MiB, 12.5 MiB left"),
        ("peak_rss=114M", Status.FAIL, "peak RSS 117.5 MiB of 114.0 MiB, 3.5 MiB over"),
        (
            "peak_rss=116.5M", Status.UNKNOWN,
            "peak RSS 117.5 MiB of 116.5 MiB is too close to call: between 115.0 MiB and 120.0 MiB",
        ),
        ("cpu_ms=40", Status.FAIL, "CPU per inference 52.5 ms of 40.0 ms, 12.5 ms over"),
        ("cpu_ms=60 ms", Status.PASS, "CPU per inference 52.5 ms of 60.0 ms, 7.5 ms left"),
        ("import=0.05s", Status.FAIL, "import 0.10 s of 0.05 s, 0.05 s over"),
        ("cold_start=2", Status.PASS, "cold start 0.12 s of 2.00 s, 1.88 s left"),
        ("peak_anon=1G", Status.PASS, "peak anonymous memory 85.0 MiB of 1,024.0 MiB"),
    ],
)  # fmt: skip
def test_a_limit_is_held_against_the_interval(limit: str, status: Status, sentence: str) -> None:
    (verdict,) = budgets.judge(result(light()), budgets.parse([limit], None))
    assert verdict.status is status
    assert verdict.sentence.startswith(sentence)
    found = replace(result(light()), budgets=(verdict,))
    expected = {Status.PASS: 0, Status.FAIL: 1, Status.UNKNOWN: 3}[status]
    assert judgement.exit_code(found) == expected


def test_a_figure_that_was_not_measured_leaves_the_other_limits_in_force() -> None:
    found = result(replace(light(), cold_starts=()))
    given = budgets.parse(["cold_start=2", "peak_rss=114M"], None)
    by_name = judged(found, given)
    assert by_name["cold_start"].sentence == "cold start is not known here"
    assert by_name["cold_start"].status is Status.UNKNOWN
    assert by_name["peak_rss"].status is Status.FAIL


def test_every_runtime_is_held_against_a_limit_and_the_head_says_which_fails() -> None:
    found = result(heavy(), light())
    found = replace(found, budgets=budgets.judge(found, budgets.parse(["peak_rss=300M"], None)))
    assert [(v.label, v.status) for v in found.budgets] == [
        ("PyTorch", Status.FAIL), ("ONNX Runtime", Status.PASS),
    ]  # fmt: skip
    shown = markdown.write(views.view(found))
    assert "OVER BUDGET" in shown.splitlines()[0]
    assert "PyTorch: peak RSS 382.5 MiB of 300.0 MiB, 82.5 MiB over" in shown
    assert "ONNX Runtime: peak RSS 117.5 MiB of 300.0 MiB, 182.5 MiB left" in shown


def test_all_wrong_limits_are_told_at_once() -> None:
    texts = [
        "peak=300M",
        "peak_rss=much",
        "cpu_ms=1s",
        "import=0",
        "cold_start",
        "increase_percent=10",
    ]
    with pytest.raises(UsageError) as caught:
        budgets.parse(texts, None)
    lines = str(caught.value).splitlines()
    assert lines[0] == "--limit peak=300M: unknown limit; did you mean peak_rss?"
    assert lines[1].startswith("--limit peak_rss=much: 'much' is not a size")
    assert lines[2] == (
        "--limit cpu_ms=1s: '1s' is not a number of milliseconds; write 50 or 12.5ms"
    )
    assert lines[3] == "--limit import=0: the limit must be greater than zero"
    assert lines[4] == "--limit cold_start: expected NAME=VALUE"
    assert lines[5] == (
        "--limit increase_percent needs a saved run to compare with: --baseline FILE.json"
    )
    assert "peak_rss, peak_anon, cpu_ms, import, cold_start, increase_percent" in (
        caught.value.hint or ""
    )


# --------------------------------------------------------------------------- growth


def test_memory_that_grows_by_more_than_is_allowed_fails(tmp_path: Path) -> None:
    found = grown(tmp_path, processes(100), processes(130), increase_percent="10")
    by_name = {verdict.figure: verdict for verdict in found.budgets}
    assert by_name["peak_rss"].status is Status.FAIL
    assert by_name["peak_rss"].sentence == (
        "peak RSS 132.5 MiB, +29.3 % from 102.5 MiB; 10 % are allowed"
    )
    assert by_name["cpu_ms"].sentence == (
        "CPU per inference 52.5 ms, +0.0 % from 52.5 ms, no significant difference"
    )
    assert judgement.exit_code(found) == 1
    found = grown(tmp_path, processes(100), processes(130), increase_percent="30 %")
    assert judgement.exit_code(found) == 0


def test_chance_does_not_fail_and_too_few_processes_cannot_tell(tmp_path: Path) -> None:
    noisy = [processes(100, cpu_ms=cpu, count=1).samples[0] for cpu in (40, 90, 60, 95, 41, 97)]
    base = [processes(100, cpu_ms=cpu, count=1).samples[0] for cpu in (39, 88, 55, 94, 42, 60)]
    found = grown(
        tmp_path, stack("ONNX Runtime", base), stack("ONNX Runtime", noisy), increase_percent="5"
    )
    cpu = next(verdict for verdict in found.budgets if verdict.figure == "cpu_ms")
    assert cpu.percent is not None
    assert cpu.percent > 5
    assert cpu.status is Status.PASS
    few = grown(tmp_path, processes(100, count=3), processes(130, count=6), increase_percent="10")
    rss = next(verdict for verdict in few.budgets if verdict.figure == "peak_rss")
    assert rss.status is Status.UNKNOWN
    assert "too few processes to tell, measure at least 4 on both sides" in rss.sentence
    assert judgement.exit_code(few) == 3


def test_without_a_limit_a_baseline_is_shown_and_does_not_gate(tmp_path: Path) -> None:
    found = grown(tmp_path, processes(100), processes(130))
    assert judgement.exit_code(found) == 0
    assert "ONNX Runtime: peak RSS 132.5 MiB, +29.3 % from 102.5 MiB" in markdown.write(
        views.view(found)
    )


def test_times_of_another_machine_are_not_compared_but_memory_is(tmp_path: Path) -> None:
    former = replace(result(processes(100)), host=replace(HOST, identity="b"))
    given = budgets.parse(["increase_percent=10"], saved(tmp_path, former))
    verdicts = judged(result(processes(130, cpu_ms=500)), given)
    assert verdicts["cpu_ms"].sentence == (
        "CPU per inference is not compared: base.json is of another machine"
    )
    assert not verdicts["cpu_ms"].gates
    assert verdicts["peak_rss"].status is Status.FAIL


@pytest.mark.parametrize("what", ["model", "inputs", "threads", "runtime"])
def test_a_saved_run_of_other_work_is_not_compared(tmp_path: Path, what: str) -> None:
    former = result(processes(100))
    if what == "model":
        only = former.stacks[0]
        former = replace(former, stacks=(replace(only, stack=replace(only.stack, model="other")),))
    elif what == "inputs":
        fed = (Fed(name="x", dtype="float32", shape=(1, 8), origin="drawn"),)
        former = replace(former, conditions=replace(former.conditions, inputs=fed))
    elif what == "threads":
        former = replace(former, conditions=replace(former.conditions, threads=4))
    else:
        former = result(heavy())
    given = budgets.parse(["increase_percent=10"], saved(tmp_path, former))
    found = result(processes(100))
    (verdict,) = budgets.judge(found, given)
    assert (verdict.status, verdict.gates) == (Status.UNKNOWN, True)
    assert "base.json" in verdict.sentence


def test_a_file_that_is_no_saved_bench_is_told(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    path.write_text("{}")
    done = slugcheck("bench", "--baseline", path)
    assert (done.code, done.out) == (2, "")
    assert "base.json is not a report of slugcheck" in done.err
    assert "slugcheck bench -o FILE.json" in done.err


def test_a_saved_run_that_no_machine_can_have_made_is_told(tmp_path: Path) -> None:
    below = saved(tmp_path, result(processes(100.0, cpu_ms=-50)))
    with pytest.raises(UsageError, match=r"stacks\[0\] has figures below zero"):
        budgets.parse(["increase_percent=5"], below)
    many = saved(tmp_path, result(processes(100.0)))
    run = json.loads(many.read_text())
    run["stacks"][0]["samples"] *= 200
    many.write_text(json.dumps(run))
    with pytest.raises(UsageError, match="more than 1,000 processes"):
        budgets.parse(["increase_percent=5"], many)


def test_a_saved_run_of_many_processes_is_compared(tmp_path: Path) -> None:
    for peak, now, status in ((100.0, 1_500.0, Status.FAIL), (100.0, 100.0, Status.PASS)):
        found = grown(
            tmp_path, processes(peak, count=40), processes(now, count=40), increase_percent="5"
        )
        assert {v.figure: v.status for v in found.budgets}["peak_rss"] is status


# --------------------------------------------------------------------------- a real run


@pytest.mark.slow
def test_a_real_run_is_compared_with_a_saved_one(tmp_path: Path) -> None:
    model = write_onnx(tmp_path / "tiny.onnx", ("Add", "x", "x"), (1, 8))
    quick = ("bench", "-q", "--processes", "1", "--runs", "3", "--onnx", model)
    base = tmp_path / "base.json"
    assert slugcheck(*quick, "-o", base).code == 0
    limits = ("--limit", "peak_rss=20M", "--limit", "increase_percent=50")
    done = slugcheck(*quick, "--baseline", base, *limits, "--format", "json")
    assert done.code == 1, done.err
    found = {(one["figure"], one["base"] is not None) for one in done.document["budgets"]}
    assert found == {
        ("peak_rss", False), ("peak_rss", True), ("peak_anon", True), ("cpu_ms", True),
    }  # fmt: skip

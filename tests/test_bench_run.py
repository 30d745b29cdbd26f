"""A whole run of bench over two programs that answer as workers do: order, turns, what is kept.

The programs are real processes in the place of interpreters, and write down each job they get.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from slugcheck.bench import Bench
from slugcheck.benching import model
from slugcheck.benching.plan import BenchOptions
from slugcheck.errors import MeasureError
from slugcheck.model import Status
from slugcheck.model.bench import BenchResult, Outcome
from tests.support.commands import slugcheck

PROGRAM = """#!{python} -ESs
import json, os, struct, sys
NAME, DIAL = {name!r}, {dial!r}
def tell(event, **more): print(json.dumps(dict(more, event=event)), flush=True)
job = json.loads(sys.stdin.readline())
with open({log!r}, "a") as log:
    log.write(json.dumps([NAME, job.get("mode", "describe"), job]) + "\\n")
if "distributions" in job:
    there = {{"runtime": "1." + NAME, "versions": {{}}}} if DIAL.get("there", True) else {{}}
    tell("environment", python="3.1", bytes=7, places=[{log!r}], **there)
    if job.get("signature"):
        if DIAL.get("unloadable"):
            tell("failed", kind="ValueError", reason="no model")
            sys.exit(1)
        tell("signature", inputs=[dict(name="x", dtype="float32", shape=[1, 2])])
    tell("end"); sys.exit(0)
if DIAL.get("dies") == job["mode"]:
    sys.exit("out of luck")
PEAK = DIAL.get("peak", 10**8) + (DIAL.get("grows", 0) if job.get("options") else 0)
SIZES = dict(rss=10**8, anon=8 * 10**7, pss=1, uss=1, peak=PEAK)
if job["mode"] != "serve":
    for stage in ("baseline", "import", "load"):
        tell(stage, seconds=0.5, memory=SIZES)
    tell("first", seconds=0.1, memory=SIZES, since_spawn=DIAL.get("cold", 0.5), cpu=0.1, faults=3)
if job["mode"] == "full":
    times = [DIAL.get("ns", 10**6)] * job["runs"]
    tell("steady", memory=SIZES, wall_ns=times, cpu_ns=times, foreign_cores=0.0, threads=2,
         loop_faults=0)
    if job.get("outputs"):
        path = os.path.join(job["outputs"], "0.bin")
        with open(path, "wb") as stream:
            stream.write(struct.pack("<2f", 1.0, DIAL.get("output", 2.0)))
        tell("outputs", outputs=[dict(name="y", dtype="float32", shape=[1, 2], path=path)])
    if job.get("ask_gradients"):
        tell("gradients", on=False)
if job["mode"] == "serve":
    tell("ready")
    while sys.stdin.readline():
        tell("served", wall_ns=2000, cpu_ns=DIAL.get("ns", 10**6))
tell("end")
"""


@dataclass(frozen=True)
class Ran:
    """What a run made, and the jobs that its programs got."""

    result: BenchResult
    jobs: list[tuple[str, str, dict[str, Any]]]
    steps: list[tuple[int, int]]

    def order(self, *modes: str) -> str:
        """The programs' first letters, one for each job of some modes."""
        return "".join(name[0] for name, mode, _ in self.jobs if mode in modes)


def prepared(tmp_path: Path, dials: dict[str, dict[str, Any]]) -> tuple[dict[str, Any], Path]:
    """Write a program and a file of the built-in model for each runtime.

    Return the options that name them, and the file that the programs write to.
    """
    log = tmp_path / "jobs.txt"
    log.write_text("")
    files = model.write(tmp_path)
    programs = {}
    for runtime, name in (("torch", "torch"), ("onnx", "onnx")):
        if name in dials:
            program = tmp_path / f"python-{name}"
            program.write_text(
                PROGRAM.format(python=sys.executable, name=name, dial=dials[name], log=str(log))
            )
            program.chmod(0o755)
            programs[runtime] = str(program)
    chosen: dict[str, Any] = {
        "torch": str(files.weights.with_suffix(".pt")) if "torch" in dials else None,
        "onnx": files.onnx if "onnx" in dials else None,
    }
    if chosen["torch"]:
        Path(str(chosen["torch"])).write_bytes(b"weights")
    given = tuple(f"{runtime}={path}" for runtime, path in programs.items())
    return {"pythons": given, **chosen}, log


def run(tmp_path: Path, dials: dict[str, dict[str, Any]], **more: Any) -> Ran:
    """Bench the built-in model's files on a program for each runtime."""
    named, log = prepared(tmp_path, dials)
    fields: dict[str, Any] = {"processes": 3, "runs": 4, "time_limit": 30.0} | more
    options = BenchOptions(**named, **fields)
    with Bench(options) as bench:
        bench.prepare(lambda _: None, lambda _: None)
        steps = list(bench.measure())
        result = bench.result()
    jobs = [(name, mode, job) for name, mode, job in map(json.loads, log.read_text().splitlines())]
    return Ran(result=result, jobs=jobs, steps=steps)


BOTH: dict[str, dict[str, Any]] = {"torch": {"ns": 4 * 10**6, "peak": 3 * 10**8}, "onnx": {}}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(tmp_path_factory.mktemp("both"), BOTH)


def test_runtimes_take_turns_and_the_order_alternates(ran: Ran) -> None:
    assert ran.order("full") == "to" + "ot" + "to"
    # before all of it once each; then each round without, and with, what was evicted
    assert ran.order("cold") == "to" + "toto" + "otot" + "toto"
    assert ran.steps == [(number, 22) for number in range(1, 23)]
    first, second = ran.result.stacks
    assert [s.stack.label for s in (first, second)] == ["PyTorch", "ONNX Runtime"]
    assert [(s.stack.version, s.stack.environment_bytes) for s in (first, second)] == [
        ("1.torch", 7), ("1.onnx", 7),
    ]  # fmt: skip
    assert [len(s.samples) for s in (first, second)] == [3, 3]
    assert [len(s.cold_starts) for s in (first, second)] == [6, 6]
    assert [start.evicted for start in first.cold_starts] == [False, True] * 3
    assert first.summary is not None
    assert (first.summary.peak_rss, first.summary.threads) == (3 * 10**8, 2)
    conditions = ran.result.conditions
    assert (conditions.processes, conditions.runs, conditions.threads) == (3, 4, 1)


def test_every_worker_gets_the_same_inputs_and_only_the_first_keeps_outputs(ran: Ran) -> None:
    jobs = [job for _, mode, job in ran.jobs if mode in ("full", "cold", "serve")]
    assert len({json.dumps(job["inputs"]) for job in jobs}) == 1
    assert [("outputs" in job) for _, mode, job in ran.jobs if mode == "full"] == [
        True, True, False, False, False, False,
    ]  # fmt: skip
    assert {job["runs"] for _, mode, job in ran.jobs if mode == "full"} == {4}


def test_outputs_are_compared_and_then_both_infer_in_turn(ran: Ran) -> None:
    assert ran.result.agreement is not None
    assert ran.result.agreement.status is Status.PASS
    assert ran.result.agreement.labels == ("PyTorch", "ONNX Runtime")
    assert sorted(ran.order("serve")) == ["o", "t"]
    assert ran.result.ratio is not None
    assert ran.result.ratio.labels == ("ONNX Runtime", "PyTorch")
    assert ran.result.ratio.cpu.median == 0.25
    assert ran.result.conclusion.label == "ONNX Runtime"


def test_outputs_that_differ_leave_no_ratio(tmp_path: Path) -> None:
    own = run(tmp_path, {"torch": {"output": 9.0}, "onnx": {}}, processes=1)
    assert own.result.agreement is not None
    assert own.result.agreement.status is Status.FAIL
    assert (own.order("serve"), own.result.ratio) == ("", None)


def test_outputs_that_differ_fail_and_are_no_advice(tmp_path: Path) -> None:
    named, _ = prepared(tmp_path, {"torch": {"output": 9.0}, "onnx": {}})
    pythons = [word for program in named["pythons"] for word in ("--python", program)]
    models = ("--torch", named["torch"], "--onnx", named["onnx"])
    done = slugcheck("bench", "-q", "--processes", "1", "--runs", "3", *models, *pythons)
    assert done.code == 3
    assert "outputs differ" in done.out
    assert "take ONNX" not in done.out
    assert "in turn" not in done.out  # times of different work


def test_one_that_fails_is_not_started_again_and_the_other_goes_on(tmp_path: Path) -> None:
    own = run(tmp_path, {"torch": {"dies": "full"}, "onnx": {}})
    assert own.order("full") == "tooo"
    failed, other = own.result.stacks
    assert failed.failure == "at its start: it exited with code 1 before it finished: out of luck"
    assert failed.summary is None
    assert len(other.samples) == 3
    assert (own.result.agreement, own.result.ratio) == (None, None)
    later = run(tmp_path, {"torch": {"dies": "cold"}, "onnx": {}}, processes=2)
    partly = later.result.stacks[0]
    assert len(partly.samples) == 1
    assert str(partly.failure).endswith("out of luck (process 2)")


def test_one_runtime_alone_has_no_turns(tmp_path: Path) -> None:
    own = run(tmp_path, {"onnx": {}}, processes=1)
    assert own.order("full", "cold", "serve") == "oooo"
    assert len(own.result.stacks) == 1
    assert (own.result.agreement, own.result.ratio) == (None, None)


def test_limits_are_tried_from_the_largest_down(tmp_path: Path) -> None:
    limits = (200 * 2**20, 400 * 2**20)
    own = run(tmp_path, BOTH, processes=1, memory_limits=limits)
    tried = [(trial.label, trial.limit_bytes) for trial in own.result.trials]
    assert tried == [
        ("PyTorch", limits[1]), ("ONNX Runtime", limits[1]), ("PyTorch", limits[0]),
        ("ONNX Runtime", limits[0]),
    ]  # fmt: skip
    assert {trial.outcome for trial in own.result.trials} == {Outcome.OK}


def test_variants_run_three_times_each_with_their_settings(tmp_path: Path) -> None:
    own = run(tmp_path, {"onnx": {}}, processes=1, variants=True)
    by_name = {variant.name: variant for variant in own.result.variants}
    pattern = by_name["no memory pattern"]
    assert (len(pattern.samples), pattern.error, pattern.reason) == (3, 0.0, "")
    assert pattern.saves_bytes == 0
    options = [job["options"] for _, mode, job in own.jobs if mode == "full"]
    assert options.count({"mem_pattern": False}) == 3
    assert options.count({"mem_pattern": False, "arena": False}) == 3
    threads = [job["threads"] for _, mode, job in own.jobs if mode == "full"]
    assert (threads.count(0), threads.count(2)) == (3, 3)
    assert by_name[".ort file"].reason  # nothing here converts a model


@pytest.mark.slow
def test_a_variant_that_takes_more_memory_in_each_process_is_significant(tmp_path: Path) -> None:
    own = run(tmp_path, {"onnx": {"grows": 10**7}}, processes=5, variants=True)
    by_name = {variant.name: variant for variant in own.result.variants}
    grown, alike = by_name["no memory pattern"], by_name["MALLOC_ARENA_MAX=2"]
    assert (grown.saves_bytes, grown.significant) == (-(10**7), True)
    assert (alike.saves_bytes, alike.significant) == (0, False)


def test_an_interpreter_without_the_runtime_is_named(tmp_path: Path) -> None:
    own = run(tmp_path, {"torch": {"there": False}, "onnx": {}}, processes=1)
    by_label = {stack.stack.label: stack for stack in own.result.stacks}
    assert str(by_label["PyTorch"].failure).endswith("(Python 3.1) has no torch")
    assert by_label["ONNX Runtime"].failure is None
    with pytest.raises(MeasureError, match=r"python-onnx \(Python 3\.1\) has no onnxruntime"):
        run(tmp_path, {"onnx": {"there": False}})


def test_a_model_that_cannot_be_loaded_is_a_failure_of_its_runtime(tmp_path: Path) -> None:
    own = run(tmp_path, {"torch": {"unloadable": True}, "onnx": {}}, processes=1)
    first, second = own.result.stacks
    assert str(first.failure).endswith("cannot be loaded: ValueError: no model")
    assert second.failure is None
    assert own.order("full", "cold") == "oooo"
    with pytest.raises(MeasureError, match=r"ONNX Runtime: .* cannot be loaded"):
        run(tmp_path, {"onnx": {"unloadable": True}})

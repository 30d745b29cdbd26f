"""Interpreters, workers and recorded samples for the tests of bench."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from slugcheck import platforms
from slugcheck.benching import judgement, statistics
from slugcheck.benching.statistics import doubts, summarise
from slugcheck.model.bench import (
    STAGES,
    BenchResult,
    ColdStart,
    Conclusion,
    Conditions,
    Host,
    Memory,
    Ratio,
    Runtime,
    Sample,
    Stack,
    StackResult,
)
from slugcheck.running.launcher import Worker

MIB = 2**20
_VARIABLE = "SLUGCHECK_TORCH_PYTHON"


@pytest.fixture(scope="session")
def torch_python() -> str:
    """An interpreter that has PyTorch; it is never imported into the tests' own process."""
    if named := os.environ.get(_VARIABLE):
        return named
    if importlib.util.find_spec("torch"):
        return sys.executable
    pytest.skip(f"PyTorch is not installed, and {_VARIABLE} names no interpreter that has it")


def environment(folder: Path, torch: str | None = None) -> Path:
    """A virtual environment; ``torch`` is the source of a package of that name in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    place = next(folder.glob("lib/python*/site-packages"))
    if torch is not None:
        (place / "torch.py").write_text(torch, encoding="utf-8")
        info = place / "torch-9.9.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 9.9\n")
        (info / "RECORD").write_text("torch.py,,\ntorch-9.9.dist-info/METADATA,,\n")
    return folder / "bin" / "python"


def write_onnx(
    path: Path,
    node: tuple[str, str, str],
    shape: Sequence[int | str],
    weights: Sequence[TensorProto] = (),
) -> Path:
    """Write a model of one operator (its kind and two inputs) from ``x`` to ``y``."""
    kind, *inputs = node
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy")
    graph = helper.make_graph([helper.make_node(kind, inputs, ["y"])], "tiny", [x], [y], weights)
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[opset]), path)
    return path


def script(folder: Path, text: str) -> Worker:
    """A worker that runs a script of the test's own."""
    path = folder / "worker.py"
    path.write_text(text, encoding="utf-8")
    return Worker(python=sys.executable, script=str(path), job={}, environment={})


# --------------------------------------------------------------------------- recorded samples


def sample(
    *, steady: float, peak: float, anon: float, cpu_ms: float = 50.0, share: float = 1.0,
    import_seconds: float = 0.1, runs: int = 30,
) -> Sample:  # fmt: skip
    """A process with so many MiB; ``share`` is CPU time in wall time."""
    stages = dict(zip(STAGES, (10, steady / 3, steady / 2, steady * 0.9, steady), strict=True))
    memory = {
        stage: Memory(
            rss=int(value * MIB), anon=int(value * anon / steady * MIB), pss=int(value * MIB),
            uss=int(value * MIB), peak=int((peak if stage == "steady" else value) * MIB),
        )
        for stage, value in stages.items()
    }  # fmt: skip
    cpu = int(cpu_ms * 1e6)
    return Sample(
        memory=memory, import_seconds=import_seconds, load_seconds=0.02, first_seconds=0.05,
        wall_ns=(int(cpu / share),) * runs, cpu_ns=(cpu,) * runs, foreign_cores=0.0, threads=1,
    )  # fmt: skip


def stack(
    label: str,
    samples: Sequence[Sample],
    *,
    cold: Sequence[float] = (),
    evicted: float | None = None,
) -> StackResult:
    """A stack with recorded samples, summarised as a run does it."""
    starts = [ColdStart(seconds=s, cpu_seconds=s, faults=0, evicted=False) for s in cold]
    if evicted is not None:
        starts += [ColdStart(seconds=evicted, cpu_seconds=evicted, faults=9, evicted=True)] * 6
    summary = summarise(samples, starts, threads=1)
    runtime = Runtime.TORCH if label == "PyTorch" else Runtime.ONNX
    return StackResult(
        stack=Stack(
            label=label, runtime=runtime, model="m", model_bytes=12_000_000, python="3.12.1",
            version="1.0", environment_bytes=100_000_000,
        ),
        samples=tuple(samples), cold_starts=tuple(starts), summary=summary,
        doubts=doubts(summary, processes=len(samples)),
    )  # fmt: skip


HOST = Host(
    identity="a", system="Linux 6", machine="x86_64", processor="AMD EPYC", cores=2,
    memory_bytes=16 * 10**9, load=0.1,
)  # fmt: skip


def result(
    *stacks: StackResult, dyno: str = "standard-1x", asked: bool = False, ratio: Ratio | None = None
) -> BenchResult:
    platform = platforms.load("heroku")
    found = BenchResult(
        tool_version="1", platform="Heroku", dyno=dyno, dyno_asked=asked, stacks=stacks,
        agreement=None, ratio=ratio, contrasts=statistics.contrasts_of(stacks),
        dynos=judgement.judge(platform, stacks), boots=judgement.boots(platform, stacks),
        trials=(), variants=(), findings=(), conclusion=Conclusion(label=None, because=()),
        host=HOST, notes=(),
        conditions=Conditions(threads=1, processes=6, runs=30, inputs=(), seconds=1.0),
    )  # fmt: skip
    return replace(found, conclusion=judgement.conclusion_of(found))


def heavy(count: int = 6, **more: float) -> StackResult:
    samples = [sample(steady=300 + n, peak=380 + n, anon=215, cpu_ms=90 + n) for n in range(count)]
    return stack("PyTorch", samples, cold=[0.9 + n / 100 for n in range(count)], **more)


def light(count: int = 6) -> StackResult:
    samples = [sample(steady=110 + n, peak=115 + n, anon=80, cpu_ms=50 + n) for n in range(count)]
    return stack("ONNX Runtime", samples, cold=[0.1 + n / 100 for n in range(count)])

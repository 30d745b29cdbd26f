"""Variants: other settings for the same model, each measured against the normal run.

They are documented settings of the runtimes and of the allocator. Their effect on a model cannot be
predicted: for a YOLOv8n, disabling only ONNX Runtime's arena took more memory than keeping it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slugcheck.benching import agreement, statistics, trials
from slugcheck.benching.plan import Setup
from slugcheck.model.bench import Runtime, Sample, Spread, Variant
from slugcheck.running.launcher import Launcher, Worker

GRADIENTS = "gradients left on"
DEFAULT_THREADS = "default threads"
ONE_THREAD = {
    Runtime.ONNX: "SessionOptions.intra_op_num_threads = 1",
    Runtime.TORCH: "torch.set_num_threads(1)",
}
_SHRINK = 'RunOptions: memory.enable_memory_arena_shrinkage = "cpu:0"'
_SPIN = 'SessionOptions: session.intra_op.allow_spinning = "0"'
PROCESSES = 3  # memory is known after three; two groups of three and six can differ with 95 %
_MADE_SECONDS = 300.0
_SUFFIXES = {"ort": ".ort", "int8": ".int8.onnx", "frozen": ".torchscript"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One variant: worker options, environment variables, another model file, other threads.

    ``made`` is the kind of file to convert the model to: "ort", "int8" or "frozen". ``advice`` is
    how to do the same in an app.
    """

    name: str
    advice: str
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    made: str = ""


def ways(runtime: Runtime, *, threads: int, scripted: bool) -> Iterator[Way]:
    """Yield the variants of a runtime; ``scripted``: the PyTorch model is already TorchScript."""
    yield from _onnx() if runtime is Runtime.ONNX else _torch(scripted=scripted)
    if threads != 1:
        yield Way(name="one thread", advice=ONE_THREAD[runtime], threads=1)
    if threads != 0:
        yield Way(name=DEFAULT_THREADS, advice="the default of an app that sets nothing", threads=0)
    yield Way(
        name="MALLOC_ARENA_MAX=2",
        advice="set the variable MALLOC_ARENA_MAX to 2",
        environment={"MALLOC_ARENA_MAX": "2"},
    )
    yield Way(
        name="MALLOC_MMAP_THRESHOLD_=65536",
        advice="set MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ to 65536",
        environment={"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"},
    )


def _onnx() -> Iterator[Way]:
    yield Way(
        name="no memory pattern",
        advice="SessionOptions.enable_mem_pattern = False",
        options={"mem_pattern": False},
    )
    yield Way(
        name="no arena, no pattern",
        advice="SessionOptions.enable_cpu_mem_arena = enable_mem_pattern = False",
        options={"mem_pattern": False, "arena": False},
    )
    yield Way(name="arena shrunk after each run", advice=_SHRINK, options={"shrink": True})
    yield Way(name="2 threads, no spinning", advice=_SPIN, options={"spinning": False}, threads=2)
    yield Way(
        name=".ort file",
        advice="python -m onnxruntime.tools.convert_onnx_models_to_ort MODEL",
        made="ort",
    )
    yield Way(
        name="int8 (static, QDQ)",
        advice="onnxruntime.quantization.quantize_static with pictures of your own",
        made="int8",
    )


def _torch(*, scripted: bool) -> Iterator[Way]:
    yield Way(name=GRADIENTS, advice="never: use torch.inference_mode()", options={"mode": "grad"})
    yield Way(name="no_grad", advice="torch.no_grad()", options={"mode": "no_grad"})
    yield Way(
        name="frozen TorchScript" if scripted else "traced and frozen",
        advice="torch.jit.freeze" if scripted else "torch.jit.freeze(torch.jit.trace(model, …))",
        made="frozen",
    )
    yield Way(
        name="channels last",
        advice="model.to(memory_format=torch.channels_last), and the input",
        options={"channels_last": True},
    )


# --------------------------------------------------------------------------- measuring


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A runtime without any variant: how it starts, its samples and outputs."""

    setup: Setup
    samples: Sequence[Sample]
    outputs: Sequence[Mapping[str, Any]]


def tried_ways(setup: Setup) -> tuple[Way, ...]:
    """Return the variants to try for a runtime."""
    model = str(setup.form.job.get("model") or "")
    scripted = bool(model) and not model.endswith(".pt2")
    return tuple(ways(setup.form.runtime, threads=setup.threads, scripted=scripted))


def measure(launcher: Launcher, base: Base, way: Way, *, runs: int) -> Variant:
    """Measure one variant; the result says why if that was not possible."""
    setup = base.setup
    job = _job(launcher, setup, way)
    if isinstance(job, str):
        return _none(setup, way, job)
    changed = replace(
        setup,
        options={**setup.options, **way.options},
        environment={**setup.environment, **way.environment},
        threads=setup.threads if way.threads is None else way.threads,
    )
    folder = launcher.folder / "outputs-variant"
    folder.mkdir(exist_ok=True)
    samples: list[Sample] = []
    outputs: Sequence[Mapping[str, Any]] = ()
    gradients = False
    for _ in range(PROCESSES):
        more = {**job, "outputs": str(folder), "ask_gradients": True}
        ended = launcher.run(changed.worker("full", runs=runs, **more))
        sample = trials.sample(ended)
        if sample is None:
            return _none(setup, way, ended.problem or "no figures")
        samples.append(sample)
        outputs = (ended.event("outputs") or {}).get("outputs", ())
        gradients = bool((ended.event("gradients") or {}).get("on"))
    if way.name == GRADIENTS and not gradients:
        return _none(setup, way, "the model's outputs have no gradients")
    return _variant(base, way, samples, _error(base, outputs))


def _job(launcher: Launcher, setup: Setup, way: Way) -> dict[str, Any] | str:
    """Return the changes of the worker's job, or why its model file cannot be made."""
    if not way.made:
        return {}
    source = Path(str(setup.form.job.get("model") or ""))
    if source.suffix == ".ort":
        return "the model is already an .ort file" if way.made == "ort" else "needs an .onnx file"
    to = launcher.folder / f"variant{_SUFFIXES[way.made]}"
    conversion = {**setup.form.job, "made": way.made, "to": str(to), "inputs": list(setup.inputs)}
    worker = Worker(
        python=setup.python, script="bench_convert.py", job=conversion, environment={},
        cwd=str(launcher.folder),
    )  # fmt: skip
    ended = launcher.run(worker, total=_MADE_SECONDS, silence=_MADE_SECONDS)
    if ended.problem:
        return ended.problem.removeprefix("at its start: ")
    return {"model": str(to), "factory": None}


def _error(base: Base, outputs: Sequence[Mapping[str, Any]]) -> float | None:
    if not base.outputs or not outputs:
        return None
    label = base.setup.form.label
    return agreement.compare((label, label), base.outputs, outputs).max_rel


def _variant(base: Base, way: Way, samples: Sequence[Sample], error: float | None) -> Variant:
    peaks, before = _peaks(samples), _peaks(base.samples)
    cpu = statistics.spread([sample.cpu_ms for sample in samples])
    then = statistics.spread([sample.cpu_ms for sample in base.samples])
    saves = None
    if peaks and before:
        saves = round(statistics.spread(before).median - statistics.spread(peaks).median)
    return Variant(
        label=base.setup.form.label,
        name=way.name,
        advice=way.advice,
        samples=tuple(samples),
        rss=_steady(samples),
        peak=statistics.spread(peaks) if peaks else None,
        cpu_ms=cpu,
        saves_bytes=saves,
        significant=statistics.differ(peaks, before),
        cpu_percent=100 * (cpu.median / then.median - 1) if then.median else None,
        error=error,
    )


def _peaks(samples: Sequence[Sample]) -> list[int]:
    return [value for sample in samples if (value := statistics.peak(sample, "rss")) is not None]


def _steady(samples: Sequence[Sample]) -> Spread | None:
    values = [sample.memory["steady"].rss for sample in samples]
    known = [value for value in values if value is not None]
    return statistics.spread(known) if known else None


def _none(setup: Setup, way: Way, why: str) -> Variant:
    return Variant(
        label=setup.form.label, name=way.name, advice=way.advice, samples=(), rss=None, peak=None,
        cpu_ms=None, saves_bytes=None, significant=False, cpu_percent=None, error=None, reason=why,
    )  # fmt: skip

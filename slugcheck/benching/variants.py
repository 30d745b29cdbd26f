"""Other ways to run the same model, each measured against the way it was run.

Settings of the runtimes and of the allocator, as their documentation names them. What each does to
a model is not to be foreseen: on a YOLOv8n, switching off ONNX Runtime's arena alone took more
memory than leaving it on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from slugcheck.model.bench import Runtime

GRADIENTS = "gradients left on"
DEFAULT_THREADS = "default threads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way: options of the worker, variables of its environment, another file, other threads.

    ``made`` names the file that is made of the model first: "ort", "int8" or "frozen". ``advice``
    is how to do the same in an app.
    """

    name: str
    advice: str
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    made: str = ""


def ways(runtime: Runtime, *, threads: int, scripted: bool) -> Iterator[Way]:
    """Yield the ways of a runtime; ``scripted``: the PyTorch model is TorchScript already."""
    yield from _onnx() if runtime is Runtime.ONNX else _torch(scripted=scripted)
    if threads != 1:
        yield Way(name="one thread", advice=ONE_THREAD[runtime], threads=1)
    if threads != 0:
        yield Way(name=DEFAULT_THREADS, advice="what an app does that says nothing", threads=0)
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


ONE_THREAD = {
    Runtime.ONNX: "SessionOptions.intra_op_num_threads = 1",
    Runtime.TORCH: "torch.set_num_threads(1)",
}
_SHRINK = 'RunOptions: memory.enable_memory_arena_shrinkage = "cpu:0"'
_SPIN = 'SessionOptions: session.intra_op.allow_spinning = "0"'


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

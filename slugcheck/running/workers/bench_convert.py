"""Other files of a model: .ort, whole numbers (int8, static, QDQ), frozen TorchScript.

In a process of its own, so that what the making takes is in no figure of the file.
"""

from __future__ import annotations

import os

import bench_answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Job = dict[str, Any]


def main(job: Job, tell: Callable[..., None]) -> None:
    """Make what the job asks for, and tell its size."""
    {"ort": _ort, "int8": _int8, "frozen": _frozen}[job["made"]](job)
    tell("made", bytes=os.path.getsize(job["to"]))


def _ort(job: Job) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = job["to"]
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(job["model"], options, providers=["CPUExecutionProvider"])


def _frozen(job: Job) -> None:
    import bench_torch
    import torch

    jit = torch.jit
    runner = bench_torch.Runner(dict(job, threads=1))
    runner.load_runtime()
    runner.load()
    runner.prepare()
    with torch.inference_mode():
        model = runner.model
        if not isinstance(model, jit.ScriptModule):
            model = jit.trace(model, tuple(runner.given))
        jit.freeze(model.eval()).save(job["to"])


def _int8(job: Job) -> None:
    import numpy
    import onnxruntime

    try:
        import onnx  # noqa: F401 - what onnxruntime.quantization works with
        from onnxruntime import quantization
    except ImportError:
        raise SystemExit("making it needs the onnx package: pip install onnx") from None
    session = onnxruntime.InferenceSession(job["model"], providers=["CPUExecutionProvider"])
    given = {}
    for wanted, fed in zip(session.get_inputs(), job["inputs"]):
        with open(fed["path"], "rb") as stream:
            given[wanted.name] = numpy.frombuffer(stream.read(), fed["dtype"]).reshape(fed["shape"])

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]  # untyped there
        def __init__(self) -> None:
            self._rest = [given]

        def get_next(self) -> Any:
            return self._rest.pop() if self._rest else None

    quantization.quantize_static(
        job["model"], job["to"], Reader(), quant_format=quantization.QuantFormat.QDQ,
        activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
        per_channel=True,
    )  # fmt: skip


if __name__ == "__main__":
    bench_answer.answer(main)

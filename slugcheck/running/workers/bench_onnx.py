"""A model on ONNX Runtime."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Job = dict[str, Any]


class Runner:
    """Import, load, prepare, run; each step is measured by whoever calls it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._options = job.get("options") or {}
        self._run_options: Any = None
        self._names = None

    def load_runtime(self) -> None:
        import onnxruntime

        self._runtime = onnxruntime

    def version(self) -> Any:
        return self._runtime.__version__

    def load(self) -> None:
        runtime, chosen = self._runtime, self._options
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        if self._job.get("threads"):
            options.intra_op_num_threads = self._job["threads"]
            options.inter_op_num_threads = 1
        options.enable_mem_pattern = chosen.get("mem_pattern", True)
        options.enable_cpu_mem_arena = chosen.get("arena", True)
        if not chosen.get("spinning", True):
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if chosen.get("shrink"):
            self._run_options = runtime.RunOptions()
            self._run_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._session = runtime.InferenceSession(
            self._job["model"], sess_options=options, providers=["CPUExecutionProvider"]
        )

    def prepare(self) -> None:
        """Take the inputs in, which every stack holds as well."""
        import numpy

        given = {}
        wanted = [spec.name for spec in self._session.get_inputs()]
        for name, fed in zip(wanted, self._job["inputs"]):
            with open(fed["path"], "rb") as stream:
                raw = stream.read()
            given[name] = numpy.frombuffer(raw, fed["dtype"]).reshape(fed["shape"])
        self._given = given

    def run(self) -> Any:
        return self._session.run(self._names, self._given, self._run_options)

    def outputs(self, returned: Any) -> Iterator[Any]:
        """Yield name, dtype, shape and bytes of each output."""
        for output, value in zip(self._session.get_outputs(), returned):
            yield output.name, str(value.dtype), list(value.shape), value.tobytes()

    def gradients(self) -> bool:
        return False

"""A model on PyTorch: TorchScript, an exported program, or what a function returns."""

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

    def load_runtime(self) -> None:
        import torch

        self._torch = torch

    def version(self) -> Any:
        return self._torch.__version__

    def load(self) -> None:
        torch = self._torch
        if self._job.get("threads"):
            torch.set_num_threads(self._job["threads"])
            torch.set_num_interop_threads(1)
        self._mode = {
            "inference": torch.inference_mode,
            "no_grad": torch.no_grad,
            "grad": torch.enable_grad,
        }[self._options.get("mode", "inference")]
        model = load_model(torch, self._job)
        if self._options.get("channels_last"):
            model = model.to(memory_format=torch.channels_last)
        self.model = model

    def prepare(self) -> None:
        """Take the inputs in, which every stack holds as well."""
        torch = self._torch
        given = []
        for fed in self._job["inputs"]:
            with open(fed["path"], "rb") as stream:
                raw = bytearray(stream.read())
            dtype = getattr(torch, fed["dtype"])
            tensor = torch.frombuffer(raw, dtype=dtype).reshape(fed["shape"])
            if self._options.get("channels_last") and tensor.dim() == 4:
                tensor = tensor.contiguous(memory_format=torch.channels_last)
            given.append(tensor)
        self.given = given

    def run(self) -> Any:
        with self._mode():
            return self.model(*self.given)

    def outputs(self, returned: Any) -> Iterator[Any]:
        """Yield name, dtype, shape and bytes of each output."""
        import ctypes

        for number, (name, tensor) in enumerate(_flat(self._torch, returned, "")):
            value = tensor.detach().to("cpu").contiguous()
            if value.dtype == self._torch.bfloat16:
                value = value.float()
            raw = ctypes.string_at(value.data_ptr(), value.numel() * value.element_size())
            dtype = str(value.dtype).replace("torch.", "")
            yield name or f"output {number}", dtype, list(value.shape), raw

    def gradients(self) -> Any:
        """Whether what this model puts out holds on to the way back."""
        tensors = [tensor for _, tensor in _flat(self._torch, self.run(), "")]
        return any(tensor.requires_grad for tensor in tensors)


def load_model(torch: Any, job: Job) -> Any:
    """Return the model, ready to be called."""
    if job.get("factory"):
        return _made(torch, job)
    path = job["model"]
    if path.endswith(".pt2"):
        return torch.export.load(path).module()
    try:
        return torch.jit.load(path, map_location="cpu").eval()
    except RuntimeError as error:
        raise SystemExit(_no_script(torch, path, error)) from None


def _made(torch: Any, job: Job) -> Any:
    import importlib
    import sys

    module, _, name = job["factory"].partition(":")
    sys.path[:0] = job.get("path") or []
    made: Any = importlib.import_module(module)
    for part in name.split("."):
        made = getattr(made, part)
    model = made(**(job.get("arguments") or {}))
    return model.eval() if isinstance(model, torch.nn.Module) else model


def _no_script(torch: Any, path: str, error: Exception) -> Any:
    """Say what a file is that is no TorchScript. Nothing of it is run: weights_only."""
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        first = (str(error).strip().splitlines() or ["no reason given"])[0]
        return (
            "neither TorchScript nor plain weights (a pickled module would run its own "
            "code): " + first
        )
    kind = "weights without their network" if hasattr(held, "keys") else type(held).__name__
    return "holds " + kind


def _flat(torch: Any, nested: Any, name: str) -> Iterator[Any]:
    if isinstance(nested, torch.Tensor):
        yield name, nested
    elif isinstance(nested, dict):
        for key, value in nested.items():
            yield from _flat(torch, value, f"{name}.{key}" if name else str(key))
    elif isinstance(nested, (list, tuple)):
        for value in nested:
            yield from _flat(torch, value, name)

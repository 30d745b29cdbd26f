"""What the user asked to have measured, and how one stack is started."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slugcheck.errors import UsageError
from slugcheck.model import IndexOptions
from slugcheck.model.bench import Runtime
from slugcheck.running.launcher import Worker

NAMES = {"onnx": Runtime.ONNX, "onnxruntime": Runtime.ONNX, "torch": Runtime.TORCH}
_TORCH_FILES = {".pt", ".pth", ".pt2", ".torchscript", ".jit", ".ts"}
_EXTERNAL = (".data", "_data")  # beside an ONNX file that keeps its weights apart
WARMUPS = 5
LEAST_RUNS = 8
LOOP_SECONDS = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """What the user asked for. Limits are bytes, ``time_limit`` seconds; threads 0: the default."""

    onnx: Path | None = None
    torch: str | None = None
    pythons: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    install: bool = False
    inputs: tuple[str, ...] = ()
    batch: int | None = None
    threads: int = 1
    runs: int = 30
    processes: int = 6
    platform: str = "heroku"
    dyno: str | None = None
    memory_limits: tuple[int, ...] = ()
    time_limit: float = 60.0
    variants: bool = False
    index: IndexOptions = field(default_factory=IndexOptions)
    env: tuple[str, ...] = ()  # variables that a list may use
    install_limit: int = 10**9  # bytes to download for one environment
    exclude_newer: str | None = None
    offline: bool = False
    use_cache: bool = True

    def names(self, runtime: Runtime) -> bool:
        """Whether this runtime was asked for, so that its absence is an error."""
        named = (*per_stack(self.pythons, "--python"), *per_stack(self.requirements, "-r"))
        return self.install or runtime in named


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A runtime and a model: what a job says of them, before it is known who runs it.

    ``files`` are the model's, with what lies beside them. ``optional``: nobody asked for it.
    """

    runtime: Runtime
    label: str
    model: str
    job: Mapping[str, Any]
    files: tuple[Path, ...]
    optional: bool = False

    @property
    def model_bytes(self) -> int | None:
        """Bytes of the model's files, None where a function makes it."""
        return sum(path.stat().st_size for path in self.files) if self.files else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a stack's workers are started: everything but what one job adds."""

    form: Form
    python: str
    threads: int
    inputs: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def worker(self, mode: str, *, runs: int = 0, **more: Any) -> Worker:
        """Return a worker for one job: ``mode`` is full, cold or serve."""
        job = {
            **self.form.job, **more, "runtime": str(self.form.runtime), "mode": mode,
            "inputs": list(self.inputs), "options": dict(self.options), "threads": self.threads,
            "runs": runs, "seconds": LOOP_SECONDS, "least": LEAST_RUNS, "warmups": WARMUPS,
            "warmup_seconds": LOOP_SECONDS,
        }  # fmt: skip
        return Worker(
            python=self.python,
            script="bench_infer.py",
            job=job,
            environment=self._threads() | dict(self.environment),
        )

    def _threads(self) -> dict[str, str]:
        """Return what keeps the libraries below from starting threads of their own."""
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        return dict.fromkeys(names, str(self.threads)) if self.threads else {}


# --------------------------------------------------------------------------- models


def forms(options: BenchOptions) -> tuple[Form, ...]:
    """Return the models that were named, PyTorch first: it is what the other is held against.

    :raises UsageError: a model is not there, or is none.
    """
    found = []
    if options.torch is not None:
        found.append(_torch(options.torch))
    if options.onnx is not None:
        found.append(_onnx(options.onnx))
    return tuple(found)


def _onnx(path: Path) -> Form:
    _must_be_file(path, "--onnx")
    if path.suffix not in (".onnx", ".ort"):
        message = f"--onnx {path}: not an ONNX model by its name"
        raise UsageError(message, hint="its name ends in .onnx or .ort; --torch takes the others")
    beside = (path.with_name(path.name + suffix) for suffix in _EXTERNAL)
    return Form(
        runtime=Runtime.ONNX,
        label="ONNX Runtime",
        model=path.name,
        job={"model": str(path.resolve())},
        files=(path.resolve(), *(other.resolve() for other in beside if other.is_file())),
    )


def _torch(text: str) -> Form:
    module, colon, name = text.rpartition(":")
    path = Path(text)
    if path.suffix in _TORCH_FILES or not colon:
        _must_be_file(path, "--torch")
        job: dict[str, Any] = {"model": str(path.resolve())}
        files: tuple[Path, ...] = (path.resolve(),)
    else:
        job, files = {"model": None, **_factory(module, name)}, ()
    return Form(runtime=Runtime.TORCH, label="PyTorch", model=path.name, job=job, files=files)


def _factory(module: str, name: str) -> dict[str, Any]:
    source = Path(module)
    if source.suffix == ".py":
        _must_be_file(source, "--torch")
        folder, module = source.resolve().parent, source.stem
    else:
        folder = Path.cwd()
    parts = [*module.split("."), *name.split(".")]
    if not all(part.isidentifier() for part in parts):
        message = f"--torch {module}:{name}: neither a file nor module:function"
        raise UsageError(message, hint="for example --torch models.py:build, or model.torchscript")
    return {"factory": f"{module}:{name}", "path": [str(folder)]}


def _must_be_file(path: Path, option: str) -> None:
    if not path.is_file():
        what = "a folder" if path.is_dir() else "there is no such file"
        raise UsageError(f"{option} {path}: {what}", hint="name a model file")


# --------------------------------------------------------------------------- interpreters


def interpreters(runtime: Runtime, given: Sequence[str]) -> tuple[str, ...]:
    """Return the interpreters to look into for a runtime, the first that has it is taken.

    :raises UsageError: one that was named is not there.
    """
    named = per_stack(given, "--python")
    if runtime in named:
        return (_program(named[runtime]),)
    common = named.get(None)
    return (*((_program(common),) if common else ()), sys.executable)


def per_stack(given: Sequence[str], option: str) -> dict[Runtime | None, str]:
    """Return values written ``[onnx|torch=]VALUE``, by runtime; None holds the one for all.

    :raises UsageError: there is one too many.
    """
    found: dict[Runtime | None, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        runtime = NAMES.get(name) if equals else None
        if runtime in found:
            message = f"{option} is given twice for {runtime or 'every stack'}"
            raise UsageError(message, hint=f"{option} onnx=… and {option} torch=…")
        found[runtime] = value if runtime else text
    return found


def _program(text: str) -> str:
    found = shutil.which(text)
    if found is None:
        message = f"--python {text}: there is no such interpreter"
        raise UsageError(message, hint="a path such as venv/bin/python, or a name on PATH")
    # not resolved: the link in a virtual environment is what makes it one
    return str(Path(found).absolute())

"""The options of a bench run, the models to run, and how a runtime's workers start."""

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
    """The user's options. Limits are bytes, ``time_limit`` seconds; 0 threads: the default."""

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
    limits: tuple[str, ...] = ()  # "peak_rss=300M"
    baseline: Path | None = None  # a saved run
    time_limit: float = 60.0
    variants: bool = False
    index: IndexOptions = field(default_factory=IndexOptions)
    env: tuple[str, ...] = ()  # variables that a requirements file may use
    install_limit: int = 10**9  # bytes to download for one environment
    exclude_newer: str | None = None
    offline: bool = False
    refresh: bool = False
    use_cache: bool = True

    def names(self, runtime: Runtime) -> bool:
        """Whether this runtime was requested, so that its absence is an error."""
        named = (*per_runtime(self.pythons, "--python"), *per_runtime(self.requirements, "-r"))
        return self.install or runtime in named


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A runtime and a model, with their part of a job, before an interpreter is chosen.

    ``files`` are the model's, including external data. ``optional``: not requested.
    """

    runtime: Runtime
    label: str
    model: str
    job: Mapping[str, Any]
    files: tuple[Path, ...]
    optional: bool = False

    @property
    def model_bytes(self) -> int | None:
        """Bytes of the model's files, None if a function makes the model."""
        return sum(path.stat().st_size for path in self.files) if self.files else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a runtime's workers start: everything except what a single job adds."""

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
        """Return the variables that limit the threads of the libraries below."""
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        return dict.fromkeys(names, str(self.threads)) if self.threads else {}


# --------------------------------------------------------------------------- models


def forms(options: BenchOptions) -> tuple[Form, ...]:
    """Return the named models, PyTorch first: it is the reference.

    :raises UsageError: a file is missing, or is not a model.
    """
    named = []
    if options.torch is not None:
        named.append(_torch(options.torch))
    if options.onnx is not None:
        named.append(_onnx(options.onnx))
    return tuple(named)


def _onnx(path: Path) -> Form:
    _must_be_file(path, "--onnx")
    if path.suffix not in (".onnx", ".ort"):
        message = f"--onnx {path}: not an ONNX file name"
        raise UsageError(message, hint="use a file name with .onnx or .ort, or --torch for others")
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
        message = f"--torch {module}:{name}: not a file or module:function"
        raise UsageError(message, hint="for example --torch models.py:build, or model.torchscript")
    return {"factory": f"{module}:{name}", "path": [str(folder)]}


def _must_be_file(path: Path, option: str) -> None:
    if not path.is_file():
        problem = "a folder" if path.is_dir() else "file not found"
        raise UsageError(f"{option} {path}: {problem}", hint="name a model file")


# --------------------------------------------------------------------------- interpreters


def interpreters(runtime: Runtime, given: Sequence[str]) -> tuple[str, ...]:
    """Return the interpreters to try for a runtime, in order.

    :raises UsageError: a named one is missing.
    """
    named = per_runtime(given, "--python")
    if runtime in named:
        return (_program(named[runtime]),)
    common = named.get(None)
    return (*((_program(common),) if common else ()), sys.executable)


def per_runtime(given: Sequence[str], option: str) -> dict[Runtime | None, str]:
    """Return values written ``[onnx|torch=]VALUE``, by runtime; None is the key of the default.

    :raises UsageError: a runtime has several values.
    """
    by_runtime: dict[Runtime | None, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        runtime = NAMES.get(name) if equals else None
        if runtime in by_runtime:
            message = f"{option} is given twice for {runtime or 'every runtime'}"
            raise UsageError(message, hint=f"use {option} onnx=… and {option} torch=…")
        by_runtime[runtime] = value if runtime else text
    return by_runtime


def _program(text: str) -> str:
    program = shutil.which(text)
    if program is None:
        message = f"--python {text}: interpreter not found"
        raise UsageError(message, hint="use a path such as venv/bin/python, or a name on PATH")
    # not resolved: a virtual environment depends on this link
    return str(Path(program).absolute())

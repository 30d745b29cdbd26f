"""The environments of the runtimes: existing interpreters, or installed from sized files.

An environment's list is resolved and sized as ``slugcheck check`` does for the platform, reported
before anything is downloaded, and installed with uv from wheels only: no code of the packages runs.
Environments are kept by the hash of their list and reused.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from slugcheck import reading
from slugcheck.benching import plan
from slugcheck.benching.plan import BenchOptions, Form
from slugcheck.check import SILENT, Check
from slugcheck.errors import MeasureError, UsageError
from slugcheck.model import Distribution, IndexOptions, Report, SizeReport
from slugcheck.model.bench import DISTRIBUTIONS, InputSpec, Runtime
from slugcheck.model.options import Options
from slugcheck.packages.index.inventories import default_folder, trusted_folder
from slugcheck.packages.requirements.indexes import configured
from slugcheck.packages.resolve.uv import clean_environment, install_wheels, literal
from slugcheck.running import child, temporary
from slugcheck.running.child import Bounds
from slugcheck.running.launcher import Ended, Launcher, Worker
from slugcheck.text import listed, mb, printable, without_credentials
from slugcheck.verify.install import foreign_wheels

_SECONDS = 120.0
DEFAULT = {Runtime.ONNX: ("onnxruntime", "numpy"), Runtime.TORCH: ("torch", "numpy")}
_FOLDER = "environments-v1"
_SHOWN = 300
_NAMED = 3
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An interpreter that has a runtime. ``places`` are its files and folders, for the cache."""

    program: str
    python: str
    version: str  # of the runtime
    versions: Mapping[str, str]
    bytes: int | None  # the runtime and its requirements, with bytecode
    places: tuple[str, ...]


def find(launcher: Launcher, runtime: Runtime, programs: Sequence[str]) -> Environment | str:
    """Return the first interpreter that has the runtime, or why none has."""
    reasons = []
    for program in programs:
        ended = _ask(launcher, program, runtime)
        description = ended.event("environment")
        if description is None:
            reasons.append(_reason(ended))
        elif "runtime" not in description:
            reasons.append(f"{program} (Python {description['python']}) has no {runtime}")
        else:
            return Environment(
                program=program,
                python=description["python"],
                version=description["runtime"],
                versions=description["versions"],
                bytes=description["bytes"],
                places=tuple(description["places"]),
            )
    return "; ".join(dict.fromkeys(reasons))


def signature(
    launcher: Launcher, form: Form, environment: Environment
) -> tuple[InputSpec, ...] | None:
    """Return the inputs that a model declares, or None.

    :raises MeasureError: the model cannot be loaded.
    """
    ended = _ask(launcher, environment.program, form.runtime, **form.job, signature=True)
    declared = ended.event("signature")
    if declared is None:
        raise MeasureError(f"{form.model} cannot be loaded: {_reason(ended)}")
    if declared["inputs"] is None:
        return None
    return tuple(
        InputSpec(name=spec["name"], dtype=spec["dtype"], shape=tuple(spec["shape"]))
        for spec in declared["inputs"]
    )


def _ask(launcher: Launcher, program: str, runtime: Runtime, **more: object) -> Ended:
    job = {**more, "runtime": str(runtime), "distributions": DISTRIBUTIONS[runtime]}
    worker = Worker(python=program, script="bench_describe.py", job=job, environment={})
    return launcher.run(worker, total=_SECONDS, silence=_SECONDS)


def _reason(ended: Ended) -> str:
    """Return what went wrong, without the stage."""
    return ended.problem.removeprefix("at its start: ") or "no answer"


# --------------------------------------------------------------------------- installing


class Installer:
    """Makes the environments of the runtimes that need one."""

    def __init__(self, options: BenchOptions) -> None:
        """Check the requirements files.

        :raises UsageError: a file is missing.
        """
        self._options = options
        self._files = plan.per_runtime(options.requirements, "--requirements")
        for name in self._files.values():
            if not Path(name).is_file():
                raise UsageError(f"--requirements {name}: file not found")

    def wants(self, runtime: Runtime) -> bool:
        """Whether a runtime needs an environment of its own."""
        return self._file(runtime) is not None or self._options.install

    def _file(self, runtime: Runtime) -> str | None:
        return self._files.get(runtime) or self._files.get(None)

    def make(self, runtime: Runtime, say: Say, tell: Say) -> str:
        """Return the interpreter of a runtime's environment, new or existing.

        :raises SlugcheckError: its list cannot be resolved, sized or installed.
        """
        say(f"sizing the environment of {runtime}")
        options, report = self._sized(runtime)
        sizes = report.sizes
        self._refuse(runtime, sizes)
        lines = [_line(sized.distribution) for sized in sizes.distributions]
        folder = self._place(lines)
        program = folder / "bin" / "python"
        summary = (
            f"{runtime}: {len(sizes.distributions)} distributions, "
            f"{mb(sizes.download_bytes)} MB to download, "
            f"{mb(sizes.plain_bytes + sizes.bytecode_bytes)} MB installed"
        )
        if program.exists():
            tell(f"{summary}; already installed")
            return str(program)
        self._refuse_large(runtime, report)
        tell(summary)
        say(f"installing {runtime} ({mb(sizes.download_bytes)} MB)")
        _install(folder, lines, options)
        return str(program)

    def _sized(self, runtime: Runtime) -> tuple[IndexOptions, Report]:
        named = self._file(runtime)
        with temporary.Folder() as place:
            path = Path(named) if named else place / "requirements.txt"
            if named is None:
                path.write_text("\n".join(DEFAULT[runtime]) + "\n", encoding="utf-8")
            listed_options = Options(
                path=path,
                platform=self._options.platform,
                python=f"{sys.version_info.major}.{sys.version_info.minor}",
                python_origin="this interpreter",
                index=self._options.index,
                env=self._options.env,
                exclude_newer=self._options.exclude_newer,
                offline=self._options.offline,
                refresh=self._options.refresh,
                use_cache=self._options.use_cache,
            )
            with Check(listed_options) as check:
                report = check.run(SILENT)
            for obstacle in report.obstacles:
                raise MeasureError(f"{runtime}: {obstacle.sentence}", hint=obstacle.fix or None)
            return configured(listed_options), report

    def _refuse(self, runtime: Runtime, sizes: SizeReport) -> None:
        if sizes.unsized:
            unsized = sizes.unsized[0]
            message = (
                f"{runtime}: {unsized.name} cannot be installed from a wheel: {unsized.reason}"
            )
            raise MeasureError(message, hint="remove it from the requirements that bench installs")
        built = [d.distribution.name for d in sizes.distributions if d.distribution.source_build]
        if built:
            message = f"{runtime}: {listed(built, _NAMED)} would have to be built from source"
            hint = "make an environment yourself and name it with --python"
            raise MeasureError(message, hint=hint)
        if foreign := foreign_wheels(sizes):
            message = f"{runtime}: this machine does not support {listed(foreign, _NAMED)}"
            raise MeasureError(message, hint="make an environment here, and name it with --python")

    def _refuse_large(self, runtime: Runtime, report: Report) -> None:
        sizes = report.sizes
        if sizes.download_bytes <= self._options.install_limit:
            return
        largest = max(sizes.distributions, key=lambda d: d.download_bytes or 0)
        gpu = next((finding for finding in report.findings if finding.code == "cuda-on-cpu"), None)
        message = (
            f"{runtime}: the download is {mb(sizes.download_bytes)} MB, more than "
            f"--install-limit allows; {largest.distribution.name} "
            f"{largest.distribution.version} alone is {mb(largest.download_bytes or 0)} MB"
        )
        hint = f"allow it with --install-limit {sizes.download_bytes // 10**6 + 1}MB"
        if gpu is not None:
            lines = " and ".join(f"`{line}`" for line in gpu.fix.splitlines())
            hint = f"use the build without CUDA: a file with {lines}, as -r torch=FILE; or {hint}"
        raise MeasureError(message, hint=hint)

    def _place(self, lines: list[str]) -> Path:
        key = "\n".join([sys.version, sys.prefix, *sorted(lines)])
        name = hashlib.sha256(without_credentials(key).encode()).hexdigest()[:16]
        # its content is run, so it must not come from the benched checkout
        folder, problem = trusted_folder(default_folder(), reading.checkout_of(Path.cwd()))
        if folder is None:
            raise UsageError(problem or "")
        return folder / _FOLDER / name


def _line(distribution: Distribution) -> str:
    """Return a line that names exactly one file of a distribution."""
    url = literal(distribution.artifact.url.partition("#")[0])
    digest = f"#sha256={distribution.artifact.sha256}" if distribution.artifact.sha256 else ""
    return f"{distribution.name} @ {url}{digest}"


def _install(folder: Path, lines: list[str], index: IndexOptions) -> None:
    """Make an environment and then move it to its place, so that it is always complete."""
    beside = folder.parent / f".new-{secrets.token_hex(4)}"
    with ExitStack() as stack:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(temporary.elsewhere(beside))
        except OSError as error:
            message = f"{folder.parent} cannot be written: {error.strerror}"
            hint = "set SLUGCHECK_CACHE_DIR to a folder with space"
            raise MeasureError(message, hint=hint) from None
        stack.callback(temporary.remove, beside)
        made = beside / "environment"
        _make(made)
        arguments = ["--no-deps", "--compile-bytecode", "--python", str(made / "bin" / "python")]
        try:
            install_wheels(lines, index, arguments, folder=beside)
        except MeasureError as error:
            raise MeasureError(f"the environment cannot be created: {error}") from None
        if not folder.exists():
            made.rename(folder)


def _make(folder: Path) -> None:
    command = [sys.executable, "-I", "-m", "venv", "--without-pip", str(folder)]
    done = child.run(
        command, label="making an environment", environment=clean_environment(os.environ),
        bounds=Bounds(seconds=_SECONDS), merged=True,
    )  # fmt: skip
    if done.code != 0:
        reason = printable(without_credentials(" ".join(done.output.split())))[:_SHOWN]
        raise MeasureError(f"the environment cannot be created: {reason or 'no reason given'}")

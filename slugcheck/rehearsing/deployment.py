"""The place that the app runs in: a copy of what would be deployed, an environment, config vars.

The build is repeated as ``--verify`` repeats it, with the steps that run the app's own code:
collectstatic and the hooks of the buildpack. Everything lies in a temporary folder.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from packaging.utils import canonicalize_name

from slugcheck.check import Check
from slugcheck.errors import MeasureError
from slugcheck.model import Buildpack, Dyno, Platform
from slugcheck.model.rehearsal import Build, BuildStep
from slugcheck.project.archive import Member
from slugcheck.rehearsing.plan import ProcessType
from slugcheck.rehearsing.supervisor import Command, Supervisor
from slugcheck.running import child, temporary
from slugcheck.running.child import Bounds
from slugcheck.text import printable, without_credentials
from slugcheck.verify.plan import copy_members
from slugcheck.verify.run import Progress, built

_PATH = "/usr/local/bin:/usr/bin:/bin"
# What a dyno does at its start: the scripts of .profile.d, the app's .profile, then the command.
_START = (
    'shopt -s nullglob; for f in "$HOME"/.profile.d/*.sh; do . "$f"; done; '
    'if [ -f "$HOME/.profile" ]; then . "$HOME/.profile"; fi; exec bash -c "$1"'
)
_STEP_BYTES = 16 * 2**30  # of memory, for a step of the build
_DISK = 4 * 10**9  # bytes that the app may write
_POLL_SECONDS = 0.05
_LAST_LINES = 6
_SHOWN = 300
_INSTALLED = (
    "import json, platform, importlib.metadata as m;"
    "print(json.dumps([platform.python_version(),"
    " {d.metadata['Name']: d.version for d in m.distributions() if d.metadata['Name']}]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where the app runs: its folder, its interpreter, and what was built.

    ``packages`` is the plain folder that they were installed into, None where they are in the
    interpreter's environment.
    """

    app: Path
    interpreter: Path
    python: str
    pins: Mapping[str, str]
    variables: Mapping[str, str] = field(repr=False)
    packages: Path | None = None
    build: Build | None = None
    notes: tuple[str, ...] = ()

    @property
    def tmp(self) -> Path:
        """The folder for its temporary files."""
        return self.app.with_name("tmp")

    @property
    def as_deployed(self) -> Path:
        """The app's files as they were, once ``renew`` was called."""
        return self.app.with_name("as-deployed")

    @property
    def usual(self) -> dict[str, str]:
        """What every process finds in its environment, wherever it is deployed to."""
        return _usual(self.app, self.interpreter.parent)

    def renew(self) -> None:
        """Put the app's files back as they were: each process has a file system of its own.

        :raises MeasureError: there is no room for a second copy.
        """
        kept = self.as_deployed
        try:
            if not kept.exists():
                shutil.copytree(self.app, kept, symlinks=True)
                return
            for folder in (self.app, self.tmp):
                temporary.remove(folder)
            shutil.copytree(kept, self.app, symlinks=True)
            self.tmp.mkdir()
        except OSError as error:
            reason = error.strerror or printable(str(error))[:_SHOWN]
            message = f"the app cannot be copied: {reason}"
            raise MeasureError(message, hint="set TMPDIR to a folder with free space") from None

    def environment(
        self, platform: Platform, dyno: Dyno | None, process: ProcessType, *, port: int | None,
        workers: int | None = None,
    ) -> dict[str, str]:  # fmt: skip
        """Return what the process finds in its environment.

        ``workers`` is the WEB_CONCURRENCY that is tried in place of the platform's own.
        """
        variables = self.usual
        if platform.buildpack is not None:
            # heroku-buildpack-python, bin/compile: what its .profile.d script sets
            variables |= {
                "PYTHONPATH": str(self.app),
                "FORWARDED_ALLOW_IPS": "*",
                "GUNICORN_CMD_ARGS": "--access-logfile -",
                "DYNO": f"{process.name}.1",
            }
        if dyno is not None and dyno.concurrency is not None:
            variables["WEB_CONCURRENCY"] = str(dyno.concurrency)
            variables["DYNO_RAM"] = str(dyno.ram_bytes // 2**20)
        variables |= dict(process.variables) | dict(self.variables)
        if workers is not None:
            variables["WEB_CONCURRENCY"] = str(workers)
        if port is not None:
            variables["PORT"] = str(port)
        return variables

    def command(
        self, process: ProcessType, environment: Mapping[str, str], *, limit_bytes: int,
        cores: int | None,
    ) -> Command:  # fmt: skip
        """Return what starts a process as a dyno does."""
        return Command(
            argv=("bash", "--norc", "--noprofile", "-c", _START, "start", process.command),
            environment=environment,
            cwd=str(self.app / process.folder),
            limit_bytes=limit_bytes,
            cores=cores,
            places=(str(self.app), str(self.tmp)),
            disk=_DISK,
        )


def _usual(app: Path, programs: Path) -> dict[str, str]:
    places = [str(programs), _PATH]
    return {
        "PATH": os.pathsep.join(places),
        "HOME": str(app),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(app.parent / "tmp"),
        "VIRTUAL_ENV": str(programs.parent),
    }


# --------------------------------------------------------------------------- a build


@contextmanager
def after_build(
    check: Check, supervisor: Supervisor, variables: Mapping[str, str], progress: Progress
) -> Iterator[Deployment]:
    """Build the app as the platform does, and yield the place while it is there.

    :raises MeasureError: it cannot be built here, or a step of the build fails.
    """
    steps: list[BuildStep] = []

    def run_steps(prefix: Path, app: Path) -> None:
        supervisor.own(app.parent)
        (app.parent / "tmp").mkdir()
        environment = _usual(app, prefix / "bin") | {"PYTHONPATH": str(app)} | dict(variables)
        for words in _steps(check, app, variables):
            shown = shlex.join(words)
            progress(f"running {shown}")
            started = time.perf_counter()
            _run(supervisor, words, environment, app)
            steps.append(BuildStep(command=shown, seconds=time.perf_counter() - started))

    plan = check.build_plan("rehearse")
    with built(plan, progress, then=run_steps) as done:
        verified = done.verification
        install = verified.seconds - sum(step.seconds for step in steps)
        yield Deployment(
            app=done.app,
            interpreter=done.prefix / "bin" / "python",
            packages=done.packages if done.packages != done.prefix else None,
            python=verified.python,
            pins=check.pins,
            variables=variables,
            build=Build(
                seconds=verified.seconds,
                slug_bytes=verified.slug_bytes,
                installed_bytes=verified.installed_bytes,
                installer=verified.installer,
                steps=(BuildStep(command=verified.command, seconds=install), *steps),
                limit_seconds=check.target.platform.limit_seconds("build"),
            ),
            notes=verified.notes,
        )


def _steps(check: Check, app: Path, variables: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield what the build runs of the app's own: bin/steps/collectstatic, lib/hooks.sh."""
    buildpack = check.target.platform.buildpack
    if buildpack is None:
        return
    manage = check.manage_file
    wanted = "DISABLE_COLLECTSTATIC" not in variables
    if manage is not None and "django" in check.pins and wanted:
        yield ["python", manage, "collectstatic", "--noinput", "--traceback"]
    if buildpack is Buildpack.CLASSIC and (app / "bin" / "post_compile").is_file():
        yield ["bash", "bin/post_compile"]


def _run(
    supervisor: Supervisor, words: list[str], environment: Mapping[str, str], app: Path
) -> None:
    """Run a step to its end.

    :raises MeasureError: it fails.
    """
    supervisor.start(
        Command(
            argv=words,
            environment=environment,
            cwd=str(app),
            limit_bytes=_STEP_BYTES,
            places=(str(app),),
            disk=_DISK,
        )
    )
    while (state := supervisor.state()).running:
        time.sleep(_POLL_SECONDS)
    stopped = supervisor.stop()
    if state.code != 0:
        lines = " ".join(stopped.log.last(_LAST_LINES))
        reason = printable(without_credentials(lines))[-_SHOWN:] or f"exit code {state.code}"
        message = f"the build would fail: {shlex.join(words)}: {reason}"
        hint = "pass the config vars that it needs with --env"
        raise MeasureError(message, hint=hint)


# --------------------------------------------------------------------------- an environment


@contextmanager
def with_interpreter(
    files: tuple[Member, ...], supervisor: Supervisor, interpreter: Path,
    variables: Mapping[str, str],
) -> Iterator[Deployment]:  # fmt: skip
    """Yield a place that uses an environment which exists: nothing is built.

    :raises MeasureError: the interpreter cannot be run, or a file cannot be read.
    """
    python, pins = describe(interpreter)
    with temporary.Folder() as folder:
        supervisor.own(folder)
        app = folder / "app"
        app.mkdir()
        (folder / "tmp").mkdir()
        copy_members(files, app)
        yield Deployment(
            app=app,
            # not its target: that has no packages of the environment
            interpreter=Path(os.path.abspath(shutil.which(interpreter) or interpreter)),  # noqa: PTH100
            python=python,
            pins=pins,
            variables=variables,
        )


@cache
def describe(interpreter: Path) -> tuple[str, dict[str, str]]:
    """Return an environment's Python version and its distributions with their versions.

    :raises MeasureError: it is no Python, or there is none.
    """
    shown = printable(str(interpreter))
    if shutil.which(interpreter) is None:
        message = f"--python {shown}: there is no such interpreter"
        raise MeasureError(message, hint="name one such as .venv/bin/python, or a version")
    try:
        done = child.run(
            [str(interpreter), "-I", "-c", _INSTALLED], label=shown,
            environment=child.environment(), bounds=Bounds(seconds=60),
        )  # fmt: skip
        version, pins = json.loads(done.out)
        return str(version), {canonicalize_name(name): str(pin) for name, pin in pins.items()}
    except (OSError, ValueError) as error:
        raise MeasureError(f"--python {shown} cannot be run: {error}") from None


def program(name: str) -> str:
    """Return a program of the system.

    :raises MeasureError: it is not installed.
    """
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise MeasureError(f"rehearse needs {name}", hint=f"install {name}")
    return found


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1

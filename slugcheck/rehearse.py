"""The deploy before the deploy: the app built, booted, loaded and stopped under the limits.

It runs the app's own code, on this machine and in a temporary folder. Stages in their order: what
would be deployed, the build, then for each process type boot, first request, load, SIGTERM, and the
judgement of what was seen.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from slugcheck.check import Check, Progress
from slugcheck.errors import MeasureError
from slugcheck.model import Dyno, Invocation, Report
from slugcheck.model.rehearsal import BreakingPoint, MachineFit, ProcessRun, RehearsalResult, Stage
from slugcheck.model.report import Status
from slugcheck.packages.requirements.indexes import configured
from slugcheck.project.processes import is_command
from slugcheck.rehearsing import deployment, functions, handlers, judgement, plan
from slugcheck.rehearsing.deployment import Deployment
from slugcheck.rehearsing.lifecycle import Lifecycle
from slugcheck.rehearsing.plan import ProcessType, RehearseOptions, process_types, secrets
from slugcheck.rehearsing.supervisor import Supervisor
from slugcheck.text import keep_secret, plural
from slugcheck.version import __version__

Say = Callable[[str], None]
_UNLIMITED = 2**50
_MOST_TRIALS = 8


class Rehearsal:
    """One run, used as a context manager."""

    def __init__(self, options: RehearseOptions) -> None:
        """Read the project; nothing is run yet.

        :raises UsageError: an option, or the project, is wrong.
        """
        self._started = time.perf_counter()
        self._options = options
        self._exits = ExitStack()
        keep_secret(secrets(options.variables))
        if options.interpreter is not None:
            self._python, _ = deployment.describe(options.interpreter)
            minor = ".".join(self._python.split(".")[:2])
            options = replace(options, check=replace(options.check, python=minor))
        command = options.command
        if command is not None and is_command(command):
            options = replace(options, check=replace(options.check, entry=command))
        self._check = Check(options.check, advise=False)
        platform = self._check.target.platform
        self._types: tuple[ProcessType, ...]
        if platform.calls_functions:
            self._types = (self._called(options),)
        else:
            handlers.refuse(options, platform)
            self._types = process_types(
                options, self._check.subject, platform, options.check.dockerfile
            )
        self._notes: list[str] = []

    def _called(self, options: RehearseOptions) -> ProcessType:
        """Return the function; the check then follows its imports."""
        check = self._check
        called = handlers.function(options, check.subject, check.target.platform, check.dockerfile)
        if (entry := handlers.entry(called, check.subject)) is not None:
            self._check = Check(replace(options.check, entry=entry), advise=False)
        return called

    def __enter__(self) -> Rehearsal:
        self._exits.enter_context(self._check)
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    @property
    def _dyno(self) -> Dyno | None:
        return self._check.target.dyno

    def run(self, progress: Progress) -> RehearsalResult:
        """Rehearse; every step in its order.

        :raises MeasureError: it cannot be done here, or the build fails.
        """
        report = self._report(progress)
        deployment.program("bash")
        with (
            Supervisor() as supervisor,
            progress.steps() as say,
            self._deployed(supervisor, say) as place,
        ):
            limits = self._check.target.platform.invocation
            if limits is not None:
                runs = [self._function(supervisor, place, self._types[0], limits, say)]
            else:
                runs = [self._process(supervisor, place, one, say) for one in self._types]
            breaking = tuple(self._breaking(supervisor, place, runs, say))
        target, ram = self._check.target, report.ram if report else None
        total = ram.total if ram else None
        return RehearsalResult(
            path=self._options.check.shown_path,
            platform=target.platform.name,
            title=target.platform.title,
            dyno=self._dyno.name if self._dyno else None,
            ram_bytes=self._dyno.r14_bytes if self._dyno else None,
            python=place.python,
            cores=deployment.cores(),
            build=place.build,
            processes=tuple(_with_machines(run, report, self._check) for run in runs),
            pins=dict(place.pins),
            tool_version=__version__,
            variables=tuple(sorted(self._options.variables)),
            floor_bytes=total.value if total else None,
            floor_low_bytes=total.low if total else None,
            floor_high_bytes=total.high if total else None,
            predicted_slug_bytes=report.sizes.slug.value if report else None,
            breaking_points=breaking,
            notes=(*place.notes, *self._notes, *self._remarks()),
            seconds=time.perf_counter() - self._started,
        )

    def _report(self, progress: Progress) -> Report | None:
        """Return what ``check`` predicts; None where it cannot, and nothing is built by it."""
        try:
            return self._check.run(progress)
        except MeasureError as error:
            if self._options.interpreter is None:
                raise
            self._notes.append(f"not predicted: {error}")
            return None

    @contextmanager
    def _deployed(self, supervisor: Supervisor, say: Say) -> Iterator[Deployment]:
        interpreter, variables = self._options.interpreter, self._options.variables
        if interpreter is None:
            with deployment.after_build(self._check, supervisor, variables, say) as place:
                yield place
        else:
            say("copying what would be deployed")
            with deployment.with_interpreter(
                self._check.files, supervisor, interpreter, variables
            ) as place:
                yield place

    def _remarks(self) -> Iterator[str]:
        have = deployment.cores()
        yield (
            f"times are of this machine's {have} cores, which the app and the requests share; the "
            "platform's may be slower"
        )
        if self._options.interpreter is not None:
            yield "nothing was built: the environment was taken as it is"
        if self._check.target.platform.invocation is not None:
            yield (
                "Lambda's read-only file system, its network and its credentials are not imitated; "
                "a size has CPU in proportion to its memory, here it has whole cores"
            )

    # ----------------------------------------------------------------- one process

    def _process(
        self, supervisor: Supervisor, place: Deployment, process: ProcessType, say: Say,
        *, workers: int | None = None, concurrency: int | None = None,
    ) -> ProcessRun:  # fmt: skip
        """Rehearse one process type from its start to its end."""
        port = _free_port() if process.serves else None
        platform = self._check.target.platform
        environment = place.environment(platform, self._dyno, process, port=port, workers=workers)
        kill = self._options.memory or (self._dyno.r15_bytes if self._dyno else _UNLIMITED)
        processors = self._dyno.processors if self._dyno else None
        say(f"starting {process.name}")
        place.renew()
        limit = supervisor.start(
            place.command(process, environment, limit_bytes=kill, cores=processors)
        )
        lifecycle = Lifecycle(
            supervisor=supervisor,
            process=process,
            port=port,
            options=self._options,
            say=say,
            boot_limit=platform.limit_seconds("boot") if process.serves else None,
            grace=plan.grace_seconds(platform),
            concurrency=concurrency or self._options.load.clients,
            app=str(place.app),
        )
        lifecycle.run()
        return lifecycle.result(limit, self._dyno, codes=platform.buildpack is not None)

    def _function(
        self, supervisor: Supervisor, place: Deployment, process: ProcessType, limits: Invocation,
        say: Say,
    ) -> ProcessRun:  # fmt: skip
        """Rehearse a function in one execution environment."""
        options, platform = self._options, self._check.target.platform
        say("installing Lambda's runtime")
        runtime = functions.add_runtime(
            place, platform, configured(options.check), offline=options.check.offline
        )
        kill = functions.memory_bytes(platform, self._dyno, options.memory)
        say(f"starting {process.command}")
        place.renew()
        with functions.runtime_api(limits) as api:
            command = functions.command(
                place, process, api, limits, runtime=runtime, limit_bytes=kill
            )
            limit = supervisor.start(command)
            lifecycle = functions.FunctionLifecycle(
                supervisor=supervisor,
                process=process,
                port=None,
                options=options,
                say=say,
                boot_limit=platform.limit_seconds("boot"),
                grace=0.0,
                concurrency=1,
                app=str(place.app),
                app_there=functions.TASK_ROOT,
                api=api,
                timeout=options.timeout or limits.timeout_seconds,
                answer_bytes=limits.answer_bytes,
            )
            lifecycle.run()
        lifecycle.look_for_files(place.as_deployed)
        return lifecycle.called(limit, self._dyno, limits)

    # ----------------------------------------------------------------- until it breaks

    def _breaking(
        self, supervisor: Supervisor, place: Deployment, runs: list[ProcessRun], say: Say
    ) -> Iterator[BreakingPoint]:
        """Look for the most workers, or requests at the same time, that hold."""
        what = self._options.until_it_breaks
        web = next((one for one in self._types if one.serves), None)
        if what is None or web is None:
            return
        first = next(run for run in runs if run.name == web.name)
        begin = first.workers if what == "workers" else self._options.load.clients
        holds, breaks, why = (begin, None, "") if _holds(first) else (0, begin, _why(first))
        trial = max(1, begin)
        for _ in range(_MOST_TRIALS):
            trial = 2 * trial if breaks is None else (holds + breaks) // 2
            if trial in (holds, breaks) or trial < 1:
                break
            say(f"trying {trial} {what}")
            run = self._process(
                supervisor, place, web, say,
                workers=trial if what == "workers" else None,
                concurrency=trial if what == "concurrency" else None,
            )  # fmt: skip
            if what == "workers" and run.workers < trial and _holds(run):
                why = f"it starts {plural(run.workers, 'worker')}, whatever WEB_CONCURRENCY says"
                break
            if _holds(run):
                holds = trial
            else:
                breaks, why = trial, _why(run)
        yield BreakingPoint(what=what, holds=holds, breaks=breaks, sentence=why)


def _holds(run: ProcessRun) -> bool:
    return not any(one.status is Status.FAIL for one in run.judgements)


def _why(run: ProcessRun) -> str:
    return next((j.sentence for j in run.judgements if j.status is Status.FAIL), "")


def _with_machines(run: ProcessRun, report: Report | None, check: Check) -> ProcessRun:
    """Return a run with how it would fit every machine size of the platform."""
    peak = run.stages.get(Stage.PEAK)
    platform = check.target.platform
    if peak is None or run.was_cut_short or not platform.dynos:
        return run
    ram = report.ram if report else None
    follows = ram is not None and ram.workers == run.workers
    started = {fit.dyno.name: fit.workers for fit in ram.machines} if ram and follows else {}
    if not started:
        started = {dyno.name: run.workers for dyno in platform.dynos}
    low = run.peak_anonymous_bytes or peak.anonymous_bytes
    fits = judgement.machines(platform, peak, low, started)
    if platform.invocation is not None:
        fits = functions.with_processors(fits, run, platform.invocation)
    chosen = judgement.cheapest(fits)
    return replace(
        run,
        machines=fits,
        web_concurrency=_advised(fits, check.target.dyno),
        cheapest=chosen.name if chosen else None,
    )


def _advised(fits: tuple[MachineFit, ...], dyno: Dyno | None) -> int | None:
    """Return the WEB_CONCURRENCY to set where the platform's own starts too many workers."""
    follows = len({fit.workers for fit in fits}) > 1  # what the platform sets, and no fixed number
    own = next((fit for fit in fits if dyno is not None and fit.name == dyno.name), None)
    if own is None or not follows or own.status is Status.PASS or not own.workers_fit:
        return None
    return own.workers_fit if own.workers_fit < own.workers else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def exit_code(result: RehearsalResult) -> int:
    """Return 1 where the platform would refuse something, 3 where it is too close to call."""
    statuses = {one.status for one in result.judgements}
    if Status.FAIL in statuses:
        return 1
    return 3 if Status.UNKNOWN in statuses else 0

"""Runtimes measured on the same model: RAM by stage, import, cold start, latency, agreement.

Plan, fresh worker processes, samples, result. Runtimes take turns, so that changes on the machine
affect all of them. Nothing that is measured runs in this process, and if a runtime fails, the
others continue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median
from typing import Any

from slugcheck import platforms
from slugcheck.benching import (
    agreement,
    budgets,
    environments,
    host,
    inputs,
    judgement,
    model,
    plan,
    statistics,
    trials,
    variants,
)
from slugcheck.benching.environments import Environment, Installer
from slugcheck.benching.plan import BenchOptions, Form, Setup
from slugcheck.benching.variants import Way
from slugcheck.errors import MeasureError
from slugcheck.model.bench import (
    Agreement,
    BenchResult,
    ColdStart,
    Conclusion,
    Conditions,
    Fed,
    Ratio,
    Runtime,
    Sample,
    Stack,
    StackResult,
    Summary,
    Trial,
    Variant,
)
from slugcheck.model.report import Status
from slugcheck.running.launcher import Ended, Launcher
from slugcheck.version import __version__

Say = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class _Running:
    """A runtime while it is measured."""

    form: Form
    environment: Environment
    setup: Setup
    samples: list[Sample] = field(default_factory=list)
    cold_starts: list[ColdStart] = field(default_factory=list)
    outputs: list[Mapping[str, Any]] = field(default_factory=list)
    failure: str | None = None

    @property
    def places(self) -> list[str]:
        """The files to evict from the page cache for a start from disk."""
        return [*self.environment.places, *map(str, self.form.files)]


class Bench:
    """One run, used as a context manager: ``prepare``, exhaust ``measure``, then ``result``."""

    def __init__(self, options: BenchOptions) -> None:
        """Check the options.

        :raises UsageError: they cannot be met, for example because a file is missing.
        """
        self._started = time.perf_counter()
        self._options = options
        self._platform = platforms.load(options.platform)
        self._dyno = judgement.choose(self._platform, options.dyno)
        self._given = inputs.parse(options.inputs)
        self._budgets = budgets.parse(options.limits, options.baseline)
        self._forms = plan.forms(options)
        for runtime in Runtime:
            plan.interpreters(runtime, options.pythons)
        self._installer = Installer(options)
        self._host = host.describe()
        self._launcher = Launcher()
        self._running: list[_Running] = []
        self._failed: list[StackResult] = []
        self._notes: list[str] = []
        self._fed: tuple[Fed, ...] = ()
        self._agreement: Agreement | None = None
        self._ratio: Ratio | None = None
        self._trials: list[Trial] = []
        self._variants: list[Variant] = []

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._launcher.close()

    # ----------------------------------------------------------------- before

    def prepare(self, say: Say, tell: Say) -> None:
        """Find or make the environments and the inputs; ``tell`` shows lines that stay.

        :raises SlugcheckError: no runtime can be run, or an input is invalid.
        """
        forms = self._forms or model.forms(self._launcher.folder)
        for form in forms:
            say(f"looking for {form.label}")
            environment = self._environment(form, say, tell)
            if isinstance(environment, str):
                self._absent(form, environment)
            else:
                setup = Setup(form=form, python=environment.program, threads=self._options.threads)
                self._running.append(_Running(form=form, environment=environment, setup=setup))
        if not self._running:
            raise MeasureError(
                "; ".join(str(stack.failure) for stack in self._failed) or "nothing to run",
                hint="name an interpreter that has it with --python, or use --install",
            )
        say("creating the inputs")
        self._feed()

    def _environment(self, form: Form, say: Say, tell: Say) -> Environment | str:
        options = self._options
        if self._installer.wants(form.runtime):
            made = self._installer.make(form.runtime, say, tell)
            return environments.find(self._launcher, form.runtime, (made,))
        programs = plan.interpreters(form.runtime, options.pythons)
        environment = environments.find(self._launcher, form.runtime, programs)
        if isinstance(environment, Environment) and environment.program != programs[0]:
            self._notes.append(
                f"{form.label} ran on slugcheck's own interpreter: {programs[0]} does not have it"
            )
        return environment

    def _absent(self, form: Form, why: str) -> None:
        if form.optional and not self._options.names(form.runtime):
            hint = "name an interpreter that has it with --python torch=…, or use --install"
            self._notes.append(f"{form.label} was not measured: {why}; {hint}")
            return
        self._failed.append(_nothing(form, why))

    def _feed(self) -> None:
        specs = None
        for running in self._running:
            try:
                specs = (
                    environments.signature(self._launcher, running.form, running.environment)
                    or specs
                )
            except MeasureError as error:
                running.failure = str(error)
        if all(running.failure for running in self._running):
            return
        settled = inputs.settle(specs, self._given, self._options.batch)
        self._fed, jobs = inputs.feed(settled, self._launcher)
        for running in self._running:
            running.setup = replace(running.setup, inputs=jobs)

    # ----------------------------------------------------------------- measuring

    def measure(self) -> Iterator[tuple[int, int]]:
        """Start the workers, yielding (done, of how many) as they end."""
        steps = [*self._rounds(), *self._others()]
        for number, step in enumerate(steps, 1):
            step()
            yield number, len(steps)

    def _rounds(self) -> Iterator[Callable[[], None]]:
        for running in self._running:
            yield partial(self._settle, running)
        for number in range(self._options.processes):
            order = self._running if number % 2 == 0 else self._running[::-1]
            for running in order:
                yield partial(self._sample, running, keep=number == 0)
            for running in order:
                yield partial(self._cold, running, evicted=False)
            for running in order:
                yield partial(self._cold, running, evicted=True)

    def _others(self) -> Iterator[Callable[[], None]]:
        # outputs are compared after the trials: numpy then stays in this process with its files
        if self._options.memory_limits:
            limited = trials.way(self._launcher)
            for limit in sorted(self._options.memory_limits, reverse=True):
                for running in self._running:
                    yield partial(self._trial, running, limit, limited)
        if self._options.variants:
            for running in self._running:
                for way in variants.tried_ways(running.setup):
                    yield partial(self._vary, running, way)
        if len(self._running) == 2:
            yield self._compare
            yield self._turns

    def _settle(self, running: _Running) -> None:
        """Bring the runtime's files into the state that every later process finds.

        The kernel maps larger parts of files that were just written: PyTorch's RSS after an install
        was 247 MiB, and 218 in all processes once its files had been read from disk.
        """
        if running.failure is None and self._launcher.evict(running.places):
            self._launcher.run(running.setup.worker("cold"))

    def _sample(self, running: _Running, *, keep: bool) -> None:
        if running.failure:
            return
        more: dict[str, Any] = {}
        if keep:
            folder = self._launcher.folder / f"outputs-{running.form.runtime}"
            folder.mkdir(exist_ok=True)
            more["outputs"] = str(folder)
        ended = self._launcher.run(running.setup.worker("full", runs=self._options.runs, **more))
        sample = trials.sample(ended)
        if sample is None:
            running.failure = _after(ended, len(running.samples))
            return
        running.samples.append(sample)
        if outputs := ended.event("outputs"):
            running.outputs = outputs["outputs"]

    def _cold(self, running: _Running, *, evicted: bool) -> None:
        if running.failure or (evicted and not self._launcher.evict(running.places)):
            return
        ended = self._launcher.run(running.setup.worker("cold"))
        cold_start = trials.cold_start(ended, evicted=evicted)
        if cold_start is None:
            running.failure = _after(ended, len(running.samples))
        else:
            running.cold_starts.append(cold_start)

    def _compare(self) -> None:
        first, second = self._running
        if first.outputs and second.outputs:
            labels = (first.form.label, second.form.label)
            self._agreement = agreement.compare(labels, first.outputs, second.outputs)

    def _turns(self) -> None:
        pair = sorted(self._running, key=lambda running: running.form.runtime is not Runtime.ONNX)
        agreed = self._agreement
        if any(running.failure for running in pair) or (agreed and agreed.status is Status.FAIL):
            return
        first, second = pair
        took = first.samples[0].cpu_ms, second.samples[0].cpu_ms
        setups = first.setup, second.setup
        ratio = trials.measure(self._launcher, setups, took, self._options.runs)
        if isinstance(ratio, str):
            self._notes.append(ratio)
        else:
            self._ratio = ratio

    def _vary(self, running: _Running, way: Way) -> None:
        if running.failure:
            return
        base = variants.Base(setup=running.setup, samples=running.samples, outputs=running.outputs)
        runs = self._options.runs
        self._variants.append(variants.measure(self._launcher, base, way, runs=runs))

    def _trial(self, running: _Running, limit: int, way: Mapping[str, Any]) -> None:
        if running.failure:
            return
        self._launcher.evict(running.places)
        starts = [start.seconds for start in running.cold_starts if start.evicted]
        trial = trials.run(
            self._launcher, running.setup, limit=limit, how=way,
            time_limit=self._options.time_limit, usual=median(starts) if starts else None,
        )  # fmt: skip
        self._trials.append(trial)

    # ----------------------------------------------------------------- after

    def result(self) -> BenchResult:
        """Return the whole result.

        :raises MeasureError: there are no figures.
        """
        stacks = (*(self._of(running) for running in self._running), *self._failed)
        if not any(stack.summary for stack in stacks):
            raise MeasureError("; ".join(f"{s.stack.label}: {s.failure}" for s in stacks))
        result = BenchResult(
            tool_version=__version__,
            platform=self._platform.title,
            dyno=self._dyno.name if self._dyno else None,
            dyno_asked=self._options.dyno is not None,
            stacks=stacks,
            agreement=self._agreement,
            ratio=self._ratio,
            contrasts=statistics.contrasts_of(stacks),
            dynos=judgement.judge(self._platform, stacks),
            boots=judgement.boots(self._platform, stacks),
            trials=tuple(self._trials),
            variants=tuple(self._variants),
            findings=(),
            conclusion=Conclusion(label=None, because=()),
            host=self._host,
            conditions=Conditions(
                threads=self._options.threads,
                processes=self._options.processes,
                runs=self._options.runs,
                inputs=self._fed,
                seconds=time.perf_counter() - self._started,
            ),
            notes=tuple(self._notes),
        )
        return replace(
            result,
            findings=judgement.findings_of(result, self._dyno),
            conclusion=judgement.conclusion_of(result),
            budgets=budgets.judge(result, self._budgets),
        )

    def _of(self, running: _Running) -> StackResult:
        summary: Summary | None = None
        doubts: tuple[str, ...] = ()
        if running.samples:
            threads = self._options.threads
            summary = statistics.summarise(running.samples, running.cold_starts, threads=threads)
            doubts = statistics.doubts(summary, processes=len(running.samples))
        return StackResult(
            stack=Stack(
                label=running.form.label,
                runtime=running.form.runtime,
                model=running.form.model,
                model_bytes=running.form.model_bytes,
                python=running.environment.python,
                version=running.environment.version,
                versions=running.environment.versions,
                environment_bytes=running.environment.bytes,
            ),
            samples=tuple(running.samples),
            cold_starts=tuple(running.cold_starts),
            summary=summary,
            doubts=doubts,
            failure=running.failure,
        )


def _after(ended: Ended, samples: int) -> str:
    """Return what went wrong, and in which process."""
    problem = ended.problem or "no figures"
    return f"{problem} (process {samples + 1})" if samples else problem


def _nothing(form: Form, why: str) -> StackResult:
    stack = Stack(
        label=form.label, runtime=form.runtime, model=form.model, model_bytes=form.model_bytes,
        python="", version="",
    )  # fmt: skip
    return StackResult(stack=stack, samples=(), cold_starts=(), summary=None, failure=why)

"""The main job from end to end: a requirements file or a project folder in, a report out.

Reads as the table of contents of the program: read, choose the target, resolve, read the wheels'
directories, size, judge, advise. Each step is one call into the module that does it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from types import TracebackType

from packaging.utils import canonicalize_name
from packaging.version import Version

from slugcheck import __version__, budget, platforms, subject, target
from slugcheck.gather import Gatherer
from slugcheck.model import (
    Distribution,
    Finding,
    Inventory,
    Report,
    SizeReport,
    Target,
)
from slugcheck.options import Options


class Check:
    """One run, used as a context manager: ``resolve``, exhaust ``read``, then ``report``."""

    def __init__(self, options: Options) -> None:
        """Read the file and choose the target; nothing touches the network yet.

        :raises UsageError: the file, the platform or a limit is wrong.
        :raises BuildError: the platform's build would refuse the project.
        """
        self._started = time.perf_counter()
        self._options = options
        platform = platforms.load(options.platform)
        self._limits = budget.apply_overrides(platform.limits, dict(options.limits))
        self._subject = subject.read(options, platform)
        self.target: Target = target.choose(
            platform,
            stack=options.stack,
            python=options.python,
            dyno=options.dyno,
            folder=self._subject.folder,
        )
        self._gatherer = Gatherer(self._subject, self.target, options)

    def __enter__(self) -> Check:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._gatherer.__exit__(kind, error, trace)

    def resolve(self) -> None:
        """Resolve the file for the target, or read the lock.

        :raises MeasureError: there is no resolution to be had.
        """
        self._gatherer.resolve()

    def read(self) -> Iterator[tuple[int, int]]:
        """Read every distribution's directory, yielding (done, of how many) as it goes."""
        yield from self._gatherer.read()

    @property
    def inventories(self) -> tuple[tuple[Distribution, Inventory], ...]:
        """What has been read so far."""
        return self._gatherer.inventories

    def report(self) -> Report:
        """Return the whole report; ``read`` has been exhausted."""
        from slugcheck import buildtime, parts, sizer

        gathered = self._gatherer
        names = {distribution.name for distribution, _ in gathered.inventories}
        sizes = sizer.measure(
            target=self.target,
            inventories=gathered.inventories,
            unsized=gathered.unsized,
            environment=gathered.environment,
            parts=parts.runtime_parts(self.target, names, self._subject.manager),
            transfer=gathered.transfer(),
            manager=self._subject.manager,
        )
        allowed = tuple(canonicalize_name(name) for name in self._options.allow_unsized)
        verdicts = budget.judge(
            sizes,
            buildtime.predict(sizes),
            self._limits,
            allowed_unsized=allowed,
            allow_all_unsized=self._options.allow_all_unsized,
        )
        return Report(
            path=str(self._options.path),
            kind=self._subject.kind,
            sha256=gathered.sha256,
            sizes=sizes,
            verdicts=verdicts,
            findings=self._findings(sizes),
            notes=self._notes(),
            allowed_unsized=self._allowed(sizes, allowed),
            assumptions=buildtime.assumptions(),
            seconds=time.perf_counter() - self._started,
            tool_version=__version__,
        )

    def _findings(self, sizes: SizeReport) -> tuple[Finding, ...]:
        from slugcheck import advise

        natives = any(
            d.distribution.source_build is not None and d.distribution.source_build.native
            for d in sizes.distributions
        )
        newest = self._gatherer.newest_python() if natives else None
        return advise.findings(sizes, find_twin=self._gatherer.twin, newest_python=newest)

    def _notes(self) -> tuple[str, ...]:
        notes = list(self._gatherer.notes)
        known = self.target.python.version
        if Version(self.target.python_version) > Version(known):
            notes.append(
                f"Python {self.target.python_version} is newer than {known}, the newest of that "
                "line that slugcheck knows; whether the platform has it was not checked"
            )
        return tuple(notes)

    def _allowed(self, sizes: SizeReport, named: Sequence[str]) -> tuple[str, ...]:
        everything = self._options.allow_all_unsized
        return tuple(u.name for u in sizes.unsized if everything or u.name in named)

"""A check from end to end: from a requirements file or a project folder to a report.

The table of contents of the program: read, choose the target, resolve, read the wheels'
directories, size, judge, advise. Each step is one call into the module that does it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from packaging.utils import canonicalize_name
from packaging.version import Version

from slugcheck import platforms
from slugcheck.model import (
    Audit,
    Distribution,
    Estimate,
    Finding,
    Inventory,
    Limit,
    ModelPlace,
    Report,
    Requirement,
    RequirementSet,
    Service,
    Settings,
    Severity,
    SizeReport,
    StorageOption,
    Target,
    Unsized,
    Verification,
)
from slugcheck.model.options import DEFAULT_PLATFORM, Options
from slugcheck.packages.requirements.indexes import configured
from slugcheck.policy import budgets, settings
from slugcheck.policy.settings import merged, rules
from slugcheck.project import app, target
from slugcheck.project.app import App, Subject, Weighed
from slugcheck.project.dependencies import Gatherer
from slugcheck.running import child
from slugcheck.version import __version__

if TYPE_CHECKING:
    from slugcheck.advice.findings import Twin
    from slugcheck.terminal import Bar


class Progress(Protocol):
    """Where a run shows what it is doing: the terminal, or nowhere (``SILENT``)."""

    def status(self, text: str, /) -> AbstractContextManager[None]:
        """Show that something is under way."""
        ...

    def progress(self, text: str, /) -> AbstractContextManager[Bar]:
        """Show how far something is."""
        ...

    def steps(self) -> AbstractContextManager[Callable[[str], None]]:
        """Show which of several steps is under way; the caller names each as it begins."""
        ...


class _Silent:
    def status(self, _text: str, /) -> AbstractContextManager[None]:
        return nullcontext()

    def progress(self, _text: str, /) -> AbstractContextManager[Bar]:
        return nullcontext(self)

    def steps(self) -> AbstractContextManager[Callable[[str], None]]:
        return nullcontext(lambda _: None)

    def update(self, done: int, total: int) -> None:
        pass


SILENT: Progress = _Silent()


class Check:
    """One run, used as a context manager: ``resolve``, exhaust ``read``, then ``report``."""

    def __init__(self, options: Options, *, ruling: Settings | None = None) -> None:
        """Read the file and choose the target; nothing touches the network yet.

        ``ruling`` are settings that replace the project's own, such as those of its base. Of its
        own, only models in the checkout count, since they can only increase the size.

        :raises UsageError: the file, the platform, a setting or a limit is invalid.
        :raises BuildError: the platform's build would refuse the project.
        """
        self._started = time.perf_counter()
        child.distrust(options.path)
        self.settings = settings.of(options)
        options = replace(options, top=options.within)
        own = ruling or self.settings
        described = own.described if options.platform is None else None
        self._options = options = merged(options, own)
        platform = described or platforms.load(options.platform or DEFAULT_PLATFORM)
        self.rules = rules(options, own, platform)
        self._subject = app.read_subject(options, platform)
        self.target: Target = target.choose(
            platform,
            stack=options.stack,
            python=options.python,
            python_origin=options.python_origin,
            dyno=options.dyno,
            folder=self._subject.folder,
            manager=self._subject.manager,
            present=self._subject.present,
            top=self._subject.top,
        )
        self._refuse_what_the_build_refuses()
        more = () if ruling is None else (settings.local_models(self.settings),)
        self._app = App(self._subject, options, (own, *more))
        self._members = self._app.members() if options.verify else ()
        self._verification: Verification | None = None
        self._audit: Audit | None = None
        self._gatherer = Gatherer(self._subject, self.target, options)

    def _refuse_what_the_build_refuses(self) -> None:
        from slugcheck.project import manager as installs

        project, files = self._subject.project, self._subject.files
        if project is not None and files is not None and self.target.platform.buildpack:
            installs.check(project, absent=files.absent, title=self.target.platform.title)

    def __enter__(self) -> Check:
        return self

    def __exit__(self, *_: object) -> None:
        self._app.__exit__()
        self._gatherer.__exit__()

    def resolve(self) -> None:
        """Resolve the file for the target, or read the lock.

        :raises MeasureError: the requirements cannot be resolved.
        """
        threading.Thread(target=_preload, daemon=True).start()
        self._app.start()
        self._gatherer.resolve()

    def read(self) -> Iterator[tuple[int, int]]:
        """Read every distribution's directory, yielding (done, of how many) as it goes."""
        yield from self._gatherer.read()

    @property
    def pins(self) -> dict[str, str]:
        """The resolved versions by name; ``resolve`` has been called."""
        return self._gatherer.pins

    @property
    def inventories(self) -> tuple[tuple[Distribution, Inventory], ...]:
        """What has been read so far."""
        return self._gatherer.inventories

    def verify(self, progress: Callable[[str], None]) -> Verification:
        """Install and compress for real; ``read`` has been exhausted.

        The measured sizes are returned and replace the predicted ones in the report.

        :raises MeasureError: it cannot be done here, or it fails.
        """
        from slugcheck.sizing import build_time
        from slugcheck.verify.plan import Plan
        from slugcheck.verify.run import verify

        sizes = self.sizes()
        read = self._subject.requirements
        self._verification = verify(
            Plan(
                sizes=sizes,
                manager=self._subject.manager,
                path=self._dependency_file,
                files=self._members,
                index=configured(self._options),
                variables=self._options.variables,
                seconds=build_time.predict(sizes, fixed=0.0),
                pinned=read is not None and not read.options.require_hashes,
            ),
            progress,
        )
        return self._verification

    @property
    def _requirements(self) -> tuple[Requirement, ...]:
        read = self._subject.requirements
        return read.requirements if read is not None else ()

    @property
    def _dependency_file(self) -> Path:
        project = self._subject.project
        return project.dependency_file if project is not None else self._subject.path

    def audit(self) -> None:
        """Look up known vulnerabilities, if requested; ``read`` has been exhausted."""
        asked = self._options.audit
        if asked is None:
            return
        from slugcheck.advice import audit

        resolved = [one for one, _ in self._gatherer.inventories]
        read = {one.name for one in resolved}
        unsized = [one for one in self._gatherer.unsized if one.name not in read]
        if self._options.offline:
            self._audit = audit.not_run(resolved, unsized, asked, "--offline excludes it")
        else:
            found = audit.run(resolved, unsized, asked)
            self._audit = self._graded(found, asked)

    def sizes(self) -> SizeReport:
        """Return the predicted sizes; ``read`` has been exhausted."""
        return self._sizes(self._app.weighed(), self._gatherer)

    @property
    def subject(self) -> Subject:
        """What is checked."""
        return self._subject

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment that markers are evaluated in."""
        return self._gatherer.environment

    def sizes_with(self, requirements: RequirementSet) -> SizeReport:
        """Resolve and size other requirements, everything else unchanged.

        ``read`` has been exhausted. Thread-safe.

        :raises MeasureError: the requirements cannot be resolved.
        """
        changed = replace(self._subject, requirements=requirements)
        with Gatherer(changed, self.target, self._options) as other:
            other.resolve()
            for _ in other.read():
                pass
            return self._sizes(self._app.weighed(), other)

    def run(self, progress: Progress) -> Report:
        """Return the report: every step in its order.

        :raises MeasureError: it cannot be measured.
        """
        with progress.status("resolving dependencies"):
            self.resolve()
        with progress.progress("reading wheel contents") as bar:
            for done, total in self.read():
                bar.update(done, total)
        if self._options.verify:
            with progress.steps() as tell:
                self.verify(tell)
        if self._options.audit is not None:
            with progress.status("looking up known vulnerabilities"):
                self.audit()
        with progress.status("comparing with the limits"):
            return self.report()

    def report(self) -> Report:
        """Return the whole report; ``read`` has been exhausted."""
        from slugcheck.advice import audit
        from slugcheck.policy import gates
        from slugcheck.sizing import build_time

        app = self._app.weighed()
        sizes = self._sizes(app, self._gatherer)
        build, basis = build_time.predict(sizes), "predicted"
        if (verified := self._verification) is not None:
            sizes = self._measured(sizes, verified)
            build = build_time.from_measured(verified.seconds)
            basis = f"from {verified.seconds:.0f} s measured here"
        allowed = tuple(canonicalize_name(name) for name in self._options.allow_unsized)
        verdicts = budgets.judge(
            sizes,
            build,
            self.rules.limits,
            build_basis=basis,
            checkout_bytes=app.files.checkout_bytes if app.files else None,
            allowed_unsized=allowed,
            allow_all_unsized=self._options.allow_all_unsized,
        )
        found = gates.sort_ignored(
            (*self._findings(sizes), *audit.vulnerability_findings(self._audit, sizes)),
            self.rules.ignores,
            _today(),
        )
        open_ones = sum(1 for one in found.kept if one.code == audit.CODE)
        everything = self._options.allow_all_unsized
        audited = gates.of_audit(
            self.rules,
            self._audit,
            open_ones,
            accepted=lambda name: everything or name in allowed,
        )
        return Report(
            path=self._options.shown_path,
            kind=self._subject.kind,
            sha256=self._gatherer.sha256,
            sizes=sizes,
            verdicts=(*verdicts, *gates.of_packages(self.rules, sizes), *audited),
            audit=self._audit,
            findings=found.kept,
            ignored=found.ignored,
            notes=(*self._notes(sizes), *found.notes),
            project=self._subject.project,
            app=app.files,
            models=app.models,
            storage=self._storage(sizes, app, build),
            verification=self._verification,
            requirements=self._requirements,
            allowed_unsized=self._allowed(sizes, allowed),
            fail_on=self._options.fail_on,
            assumptions=build_time.assumptions(),
            seconds=time.perf_counter() - self._started,
            tool_version=__version__,
        )

    def _sizes(self, app: Weighed, gathered: Gatherer) -> SizeReport:
        from slugcheck import sizer
        from slugcheck.sizing import slug_parts

        manager = self._subject.manager
        names = {distribution.name for distribution, _ in gathered.inventories}
        return sizer.measure(
            target=self.target,
            inventories=gathered.inventories,
            unsized=(*gathered.unsized, *self._unmeasured(names)),
            environment=gathered.environment,
            parts=(
                *slug_parts.runtime_parts(self.target, names, manager),
                *([slug_parts.app_part(app.files)] if app.files else []),
                *slug_parts.model_parts(app.models),
            ),
            transfer=gathered.transfer(),
            manager=manager,
        )

    def _measured(self, sizes: SizeReport, verification: Verification) -> SizeReport:
        from slugcheck.sizing import slug_parts as measured

        names = {one.name for one in sizes.distributions}
        return measured.as_measured(sizes, verification, unsized=self._unmeasured(names))

    def _unmeasured(self, names: Collection[str]) -> tuple[Unsized, ...]:
        from slugcheck.project import hooks

        project, files = self._subject.project, self._subject.files
        if project is None or files is None or not self.target.platform.buildpack:
            return ()
        return hooks.unmeasured(project, files.absent, names)

    def _storage(
        self, sizes: SizeReport, app: Weighed, build: Estimate[float]
    ) -> tuple[StorageOption, ...]:
        from slugcheck.advice import storage
        from slugcheck.model import figures
        from slugcheck.sizing import slug_parts

        if not app.models:
            return ()
        place = self.target.platform
        packed = place.size_figure == "slug"
        total = sizes.slug if packed else sizes.installed
        own = [
            p.slug if packed else p.installed for p in sizes.parts if p.group == slug_parts.MODELS
        ]
        pushed = sum(model.bytes for model in app.models if model.place is ModelPlace.APP)
        ground = storage.Ground(
            size=figures.without(total, own),
            packed=packed,
            build=build,
            size_limit=self._limit(place.size_figure),
            build_limit=self._limit("build"),
            boot_limit=self._limit("boot"),
            checkout_limit=self._limit("checkout"),
            checkout_bytes=app.files.checkout_bytes - pushed if app.files else None,
        )
        return storage.judge(app.models, ground)

    def _limit(self, figure: str) -> Limit | None:
        """Return the limit of a figure that gates."""
        gating = (limit for limit in self.rules.limits if limit.severity is Severity.FAIL)
        return next((limit for limit in gating if limit.figure == figure), None)

    def _findings(self, sizes: SizeReport) -> tuple[Finding, ...]:
        from slugcheck.advice import findings

        natives = any(
            d.distribution.source_build is not None and d.distribution.source_build.native
            for d in sizes.distributions
        )
        newest = self._gatherer.newest_python() if natives else None
        return findings.findings(sizes, find_twin=self._twin, newest_python=newest)

    def _twin(self, name: str, version: str) -> Twin | None:
        """Return a distribution that could replace another one, or None."""
        from slugcheck.advice import alternatives

        if self._options.offline:
            return None
        return alternatives.find(
            name,
            version,
            target=self.target,
            pages=self._gatherer.pages,
            chooser=self._gatherer.chooser,
            stock=self._gatherer.stock,
        )

    def _graded(self, outcome: Audit, asked: Service) -> Audit:
        """Return an audit with the severities of its service."""
        if not outcome.vulnerabilities or asked.name != "osv":
            return outcome
        from slugcheck.advice import audit

        found = audit.with_severities(outcome.vulnerabilities, asked.url, self._gatherer.client)
        return replace(outcome, vulnerabilities=found)

    def _notes(self, sizes: SizeReport) -> tuple[str, ...]:
        notes = [*self._gatherer.notes, *self._app.notes(), *self._hooks(sizes)]
        if self._audit is not None:
            notes += self._audit.notes
        if self._verification is not None:
            notes += self._verification.notes
        known = self.target.python.version
        if Version(self.target.python_version) > Version(known):
            notes.append(
                f"Python {self.target.python_version} is newer than {known}, the newest "
                f"{self.target.minor} release that slugcheck knows; not checked whether the "
                "platform has it"
            )
        return tuple(notes)

    def _hooks(self, sizes: SizeReport) -> tuple[str, ...]:
        from slugcheck.project import hooks

        project, files = self._subject.project, self._subject.files
        if project is None or files is None or not self.target.platform.buildpack:
            return ()
        names = {one.name for one in sizes.distributions}
        return hooks.notes(project, files.absent, names, [one.path for one in files.files])

    def _allowed(self, sizes: SizeReport, named: Sequence[str]) -> tuple[str, ...]:
        everything = self._options.allow_all_unsized
        return tuple(u.name for u in sizes.unsized if everything or u.name in named)


def _today() -> date:
    return datetime.now(UTC).date()


def _preload() -> None:
    """Import the modules needed after the resolver, while it runs in its own process."""
    from slugcheck import sizer
    from slugcheck.advice import findings
    from slugcheck.packages.locks import pylock
    from slugcheck.sizing import build_time, calibration

    calibration.load()
    del findings, build_time, pylock, sizer

"""A check from end to end: from a requirements file or a project folder to a report.

The table of contents of the program: read, choose the target, resolve, read the wheels'
directories, size, judge, advise. Each step is one call into the module that does it.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol

from packaging.utils import canonicalize_name
from packaging.version import Version

from slugcheck import platforms
from slugcheck.advice.edits import Edit
from slugcheck.advice.trial import Measured
from slugcheck.errors import BuildError, MeasureError, NetworkError
from slugcheck.model import (
    AfterFix,
    Audit,
    Buildpack,
    BundleKind,
    Distribution,
    Finding,
    FindingSeverity,
    IndexOptions,
    Inventory,
    Obstacle,
    Part,
    Program,
    Project,
    Report,
    RequirementSet,
    Settings,
    SizeReport,
    StorageOption,
    Target,
    Transfer,
    Unsized,
    Verdict,
    Verification,
)
from slugcheck.model.options import DEFAULT_PLATFORM, RUNTIME, Options, options_for
from slugcheck.packages.index.urls import redact
from slugcheck.packages.requirements.indexes import configured, only_there, reachable
from slugcheck.policy import budgets, settings, tiers
from slugcheck.policy.settings import merged, rules
from slugcheck.project import target
from slugcheck.project.app import App, Subject
from slugcheck.project.dependencies import DependencyReader, Found
from slugcheck.project.shared import SharedProject
from slugcheck.running import child
from slugcheck.text import listed, printable
from slugcheck.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from slugcheck.model.rehearsal import Measurements
    from slugcheck.project.archive import Member
    from slugcheck.project.container import Container
    from slugcheck.project.files import Listing
    from slugcheck.project.source import Source
    from slugcheck.project.static_files import Collected, StaticFiles
    from slugcheck.sizer import SizeMemory
    from slugcheck.terminal import Bar
    from slugcheck.verify.plan import Plan


_MOST_LOST = 3  # indexes that are gone on without: each may take the resolver's time-out


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

    def __init__(
        self,
        options: Options,
        *,
        ruling: Settings | None = None,
        advise: bool = True,
        strict: bool = False,
        shared: SharedProject | None = None,
    ) -> None:
        """Read the file and choose the target; nothing touches the network yet.

        ``ruling`` are settings that replace the project's own, such as those of its base. Of its
        own, only models in the checkout count, since they can only increase the size. Without
        ``advise`` there are no findings, and no fixes are tried. With ``strict`` requirements that
        pip refuses are an error, and not sized with others in their place. ``shared`` is what
        other checks of the project use too; it has to stay open for as long as they do.

        :raises UsageError: the file, the platform, a setting or a limit is invalid.
        :raises BuildError: the platform's build would refuse the project.
        """
        self._started = time.perf_counter()
        self._advise = advise
        self._strict = strict
        self._shared = shared or SharedProject()
        self._owns_shared = shared is None
        child.distrust(options.path)
        self.settings = settings.of(options)
        options = replace(options, top=options.within)
        own = ruling or self.settings
        described = own.described if options.platform is None else None
        self._options = options = merged(options, own)
        platform = described or platforms.load(options.platform or DEFAULT_PLATFORM)
        platform = platforms.for_dyno(platform, options.dyno)
        rules(options, own, platform)  # what is wrong with them comes before the project's own
        self._obstacles: list[Obstacle] = []
        self._container: Container | None = None
        if platform.bundle.kind is BundleKind.IMAGE or options.of_image:
            from slugcheck.project import container

            self._container = container.of(options, platform, self._refuse)
        if self._container is not None:
            platform, options = self._container.platform, self._container.options
            self._options = options
        self._lost: list[Obstacle] = []  # indexes that are gone on without
        self._preparing: threading.Thread | None = None
        self._parsed: dict[str, Source] = {}  # the app's own code
        self.subject: Subject = self._shared.subject(
            options, platform, self._refuse, self._container
        )
        build = self.subject.build
        platform = tiers.applied(
            platform,
            tiers.Circumstances(
                install_command=build.configuration.install_command if build else "",
                large=build.configuration.large if build else "",
            ),
            named=options.tier,
            by=options.tier_origin,
        )
        self.rules = rules(options, own, platform)
        self.target: Target = target.choose(
            platform,
            stack=options.stack,
            python=options.python,
            python_origin=options.python_origin,
            dyno=options.dyno,
            arch=options.arch,
            bytecode=options.bytecode,
            provided=options.provided,
            folder=self.subject.folder,
            manager=self.subject.manager,
            present=self.subject.present,
            top=self.subject.top,
            refuse=self._refuse,
            whole=self.subject.project is not None,
            build=build.python if build else None,
            read_by_build=build is not None,
        )
        if self._container is not None:
            self.target = replace(self.target, base=self._container.base)
        self.subject = replace(self.subject, index=_index(self.subject.index, self.target))
        self._check_install_command()
        more = () if ruling is None else (settings.local_models(self.settings),)
        self._app: App = self._shared.app(self.subject, options, (own, *more))
        self._layers = self._read_layers(own)
        self._members = self._app.members() if options.verify else ()
        self._verification: Verification | None = None
        self._audit: Audit | None = None
        self._static = self._static_files()
        self._dependencies = self._reader(self.subject)
        self._prepared = time.perf_counter() - self._started

    def _reader(self, subject: Subject) -> DependencyReader:
        return DependencyReader(subject, self.target, self._options, shared=self._shared.packages)

    def _refuse(self, error: BuildError) -> None:
        """Keep what the build refuses; something else is sized in its place."""
        obstacle = Obstacle.of(error)
        if obstacle not in self._obstacles:
            self._obstacles.append(obstacle)

    def _static_files(self) -> StaticFiles | None:
        return self._shared.static_files(*built) if (built := self._built) else None

    def _check_install_command(self) -> None:
        from slugcheck.project import manager as installs

        if (built := self._built) is not None:
            project, files, buildpack = built
            installs.check(
                project,
                absent=files.absent,
                title=self.target.platform.title,
                buildpack=buildpack,
                refuse=self._refuse,
            )

    def _read_layers(self, own: Settings) -> tuple[Part, ...]:
        if self._options.platform != (own.platform or DEFAULT_PLATFORM):
            own = replace(own, layers=())  # layers of another platform say nothing about this one
        if not self._options.layers and not own.layers:
            return ()
        from slugcheck.project import layers

        return layers.parts(self._options, own, self.target.platform, self.subject.top)

    def __enter__(self) -> Check:
        return self

    def __exit__(self, *_: object) -> None:
        if self._owns_shared:
            self._shared.__exit__()
        self._dependencies.__exit__()

    def resolve(self) -> None:
        """Resolve the file for the target, or read the lock.

        :raises MeasureError: the requirements cannot be resolved.
        """
        self._preparing = threading.Thread(target=self._prepare, daemon=True)
        self._preparing.start()
        self._app.start()
        while True:
            try:
                self._dependencies.resolve(loosen=True)
            except NetworkError as error:
                if not self._goes_on_without(error):
                    raise
            else:
                break
        if self._strict and (refused := self._dependencies.refused):
            from slugcheck.packages.resolve.conflicts import refusal

            raise refusal(refused, self._dependencies.reasons)

    def _prepare(self) -> None:
        """Do what needs no packages while the resolver runs in its own process."""
        _preload()
        from slugcheck.memory import app as floors

        entry, dockerfile = self._options.entry, self.dockerfile
        self._parsed = floors.parse(self.subject, self.target, entry=entry, dockerfile=dockerfile)

    @property
    def dockerfile(self) -> Path | None:
        """The one that the platform builds from."""
        return self._container.dockerfile if self._container is not None else None

    def _goes_on_without(self, error: NetworkError) -> bool:
        """Leave out an index that cannot be used, and what only it has; False if it cannot be."""
        answer = reachable(self.subject.index, error)
        wanted = self.subject.requirements
        too_many = len(self._lost) >= _MOST_LOST
        if answer is None or wanted is None or self._options.offline or too_many:
            return False
        index, gone = answer
        if gone in self.target.python.indexes:
            return False  # nothing that it says of wheels would hold
        self._lost.append(
            Obstacle(
                sentence=str(error),
                fix=error.hint or "",
                instead=f"sized without {redact(gone)}",
                refused=False,
            )
        )
        self._leave_out(index, (*self.subject.without, *only_there(gone, wanted.requirements)))
        return True

    def _leave_out(self, index: IndexOptions, without: tuple[Unsized, ...]) -> None:
        self.subject = replace(self.subject, index=index, without=without)
        self._dependencies.__exit__()
        self._dependencies = self._reader(self.subject)

    def asks_the_same(self, other: Check) -> bool:
        """Whether another check asks for the same packages, for the same Python and system."""
        return self._dependencies.asks_the_same(other._dependencies)

    def _take_over(self, other: Check) -> bool:
        """Use the packages that another check has found; see ``DependencyReader.take_over``."""
        if other._lost:
            self._lost = list(other._lost)
            self._leave_out(other.subject.index, other.subject.without)
        taken = self._dependencies.take_over(other._dependencies)
        if taken:
            self._app.start()
        return taken

    def read(self) -> Iterator[tuple[int, int]]:
        """Read every distribution's directory, yielding (done, of how many) as it goes."""
        yield from self._dependencies.read()

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment that markers are evaluated in."""
        return self._dependencies.environment

    @property
    def pins(self) -> dict[str, str]:
        """The resolved versions by name; ``resolve`` has been called."""
        return self._dependencies.pins

    @property
    def inventories(self) -> tuple[tuple[Distribution, Inventory], ...]:
        """What has been read so far."""
        return self._dependencies.inventories

    @property
    def transfer(self) -> Transfer:
        """The traffic so far."""
        return self._dependencies.transfer()

    def verify(self, progress: Callable[[str], None]) -> Verification:
        """Install and compress for real; ``read`` has been exhausted.

        The measured sizes are returned and replace the predicted ones in the report.

        :raises MeasureError: it cannot be done here, or it fails.
        """
        from slugcheck.verify.run import verify

        self._verification = verify(self.build_plan(), progress)
        return self._verification

    @property
    def manage_file(self) -> str | None:
        """The manage.py whose collectstatic the build runs where Django is installed."""
        return self._static.manage_file if self._static is not None else None

    @property
    def rehearsal(self) -> Path | None:
        """The saved rehearsal to judge by: not for a base, nor where a new one is being made."""
        return self._options.rehearsal if self._advise else None

    @property
    def files(self) -> tuple[Member, ...]:
        """Every file that the app brings to the platform, models among them.

        :raises UsageError: a model is on a server.
        """
        return self._members or self._app.members()

    def build_plan(self, feature: str = "--verify") -> Plan:
        """Return what the build would do here; ``read`` has been exhausted.

        ``feature`` is what the user has asked for, in messages.

        :raises MeasureError: it cannot be done outside a container.
        """
        from slugcheck.packages.locks.uv import Selection
        from slugcheck.sizing import build_time
        from slugcheck.verify.plan import Plan

        if self._container is not None:
            self._container.refuse_verification()
        sizes = self.sizes()
        read, project = self.subject.requirements, self.subject.project
        selection = Selection(
            groups=self._options.groups,
            extras=self._options.extras,
            default_groups=self._options.default_groups,
        )
        return Plan(
            sizes=sizes,
            manager=self.subject.manager,
            path=project.dependency_file if project else self.subject.path,
            files=self.files,
            index=configured(self._options),
            variables=self._options.variables,
            seconds=build_time.predict(sizes, fixed=0.0),
            pinned=read is not None and not read.options.require_hashes,
            selection=tuple(selection.flags()),
            feature=feature,
        )

    def audit(self) -> None:
        """Look up known vulnerabilities, if requested; ``read`` has been exhausted."""
        service = self._options.audit
        if service is None:
            return
        from slugcheck.advice import audit

        resolved = [distribution for distribution, _ in self.inventories]
        names = {distribution.name for distribution in resolved}
        unsized = [package for package in self._dependencies.unsized if package.name not in names]
        if self._options.offline:
            self._audit = audit.not_run(resolved, unsized, service, "--offline excludes it")
            return
        result = audit.run(resolved, unsized, service)
        if result.vulnerabilities and service.name == "osv":
            graded = audit.with_severities(
                result.vulnerabilities, service.url, self._dependencies.client
            )
            result = replace(result, vulnerabilities=graded)
        self._audit = result

    def run(self, progress: Progress, *, like: Check | None = None) -> Report:
        """Return the report: every step in its order.

        ``like`` is a check that asks the same (``asks_the_same``) and has run without an error:
        its packages are used if they can be.

        :raises MeasureError: it cannot be measured.
        """
        # of several targets, one may wait for others
        self._started = time.perf_counter() - self._prepared
        try:
            return self._run(progress, like)
        except MeasureError as error:
            obstacles = (*self._obstacles, *self._lost)
            if not obstacles:
                raise
            sentences = (*(obstacle.sentence for obstacle in obstacles), str(error))
            hints = (*(obstacle.fix for obstacle in obstacles), error.hint)
            hint = "; ".join(filter(None, hints))
            raise MeasureError("; and ".join(sentences), hint=hint or None) from None

    def _run(self, progress: Progress, like: Check | None) -> Report:
        if like is None or not self._take_over(like):
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
        from slugcheck.memory import app as floors
        from slugcheck.policy import gates
        from slugcheck.sizing import build_time, slug_parts

        # size
        app = self._app.contents()
        sizes = predicted = self.sizes()
        build, basis = build_time.predict(sizes), "predicted"
        if (verified := self._verification) is not None:
            unmeasured = self._unmeasured({size.name for size in sizes.distributions})
            sizes = slug_parts.as_measured(sizes, verified, unsized=unmeasured)
            build = build_time.from_measured(verified.seconds)
            basis = f"from {verified.seconds:.0f} s measured here"
        measured = None
        if self.rehearsal is not None:
            from slugcheck.policy import rehearsed

            measured = rehearsed.load(self.rehearsal, sizes)
            if measured is not None and measured.build_seconds is not None and not verified:
                build = build_time.from_measured(measured.build_seconds)
                basis = f"from {measured.build_seconds:.0f} s measured by rehearse"
        if self._preparing is not None:
            self._preparing.join()
        ram = floors.of(
            self.subject,
            sizes,
            self.inventories,
            entry=self._options.entry,
            dockerfile=self.dockerfile,
            parsed=self._parsed,
        )
        # judge
        checkout_bytes = app.files.checkout_bytes if app.files else None
        allow_all = self._options.allow_all_unsized
        allowed = tuple(canonicalize_name(name) for name in self._options.allow_unsized)
        doubtful = budgets.unaccepted(sizes.unsized, allowed, everything=allow_all)
        verdicts = budgets.judge(
            sizes,
            build,
            self.rules.limits,
            build_basis=basis,
            checkout_bytes=checkout_bytes,
            allowed_unsized=allowed,
            allow_all_unsized=allow_all,
            ram=ram,
            measured=measured,
        )
        # advise
        findings = gates.sort_ignored(
            (*self._findings(predicted), *audit.vulnerability_findings(self._audit, sizes)),
            self.rules.ignores,
            datetime.now(UTC).date(),
        )
        audited = gates.of_audit(
            self.rules,
            self._audit,
            sum(1 for finding in findings.kept if finding.code == audit.CODE),
            accepted=lambda name: allow_all or name in allowed,
        )
        storage_options: tuple[StorageOption, ...] = ()
        if app.models:
            from slugcheck.advice import storage

            context = storage.context_of(
                app.models, sizes, build, self.rules.limits, checkout_bytes
            )
            storage_options = storage.judge(app.models, context)
        return Report(
            path=self._options.shown_path,
            kind=self.subject.kind,
            sha256=self._dependencies.sha256,
            sizes=sizes,
            verdicts=(*verdicts, *gates.of_packages(self.rules, sizes), *audited),
            audit=self._audit,
            findings=findings.kept,
            ignored=findings.ignored,
            obstacles=(*self._obstacles, *self._lost, *self._dependencies.obstacles),
            notes=(*self._notes(sizes), *findings.notes, *self._of_rehearsal(measured)),
            project=self.subject.project,
            app=app.files,
            models=app.models,
            storage=storage_options,
            ram=ram,
            function=tiers.split(sizes),
            verification=verified,
            requirements=read.requirements if (read := self.subject.requirements) else (),
            allowed_unsized=tuple(
                unsized.name for unsized in sizes.unsized if unsized not in doubtful
            ),
            fail_on=self._options.fail_on,
            reasons=self._dependencies.reasons,
            assumptions=build_time.assumptions(gzips=sizes.counts_slug),
            seconds=time.perf_counter() - self._started,
            tool_version=__version__,
        )

    # ----------------------------------------------------------------- size

    @cached_property
    def _memory(self) -> SizeMemory:
        from slugcheck.sizer import SizeMemory

        return SizeMemory(self._dependencies.cache)

    def sizes(self) -> SizeReport:
        """Return the predicted sizes; ``read`` has been exhausted."""
        return self._sizes(self._dependencies.result(), self.target)

    def sizes_with(self, requirements: RequirementSet) -> SizeReport:
        """Resolve and size other requirements, everything else unchanged.

        ``read`` has been exhausted. Thread-safe.

        :raises MeasureError: the requirements cannot be resolved.
        """
        return self._measured(replace(self.subject, requirements=requirements))

    def sizes_after(self, edit: Edit) -> Measured:
        """Apply an edit in memory, then resolve and size the project (``Editor.measure``).

        ``read`` has been exhausted. Thread-safe.

        :raises MeasureError: there is no solution, or an index cannot be reached.
        :raises BuildError: the build would refuse the project.
        """
        from slugcheck.advice.editor import Editor

        editor = Editor(
            subject=self.subject,
            target=self.target,
            options=self._options,
            base=self._dependencies,
            size=self._sizes,
        )
        packages = self._shared.packages
        if packages is None or edit.index_url is None:
            return editor.measure(edit)
        return packages.asked(edit.index_url, lambda: editor.measure(edit))

    def _measured(self, subject: Subject) -> SizeReport:
        with self._reader(subject) as other:
            other.resolve()
            for _ in other.read():
                pass
            return self._sizes(other.result(), self.target)

    def _sizes(self, contents: Found, place: Target) -> SizeReport:
        from slugcheck import sizer
        from slugcheck.sizing import slug_parts, zipped

        app, manager = self._app.contents(), self.subject.manager
        names = {distribution.name for distribution, _ in contents.inventories}
        return sizer.measure(
            target=place,
            inventories=contents.inventories,
            unsized=(*contents.unsized, *self._unmeasured(names)),
            environment=contents.environment,
            parts=(
                *(self._container.base_parts if self._container else ()),
                *slug_parts.runtime_parts(place, names, manager),
                *([slug_parts.app_part(app.files)] if app.files else []),
                *slug_parts.model_parts(app.models),
                *self._layers,
                *self._added_parts(contents, place),
            ),
            transfer=contents.transfer,
            manager=manager,
            memory=self._memory,
            zipped_app=zipped.of_app(app.files, app.models),
        )

    @property
    def _built(self) -> tuple[Project, Listing, Buildpack] | None:
        """The project, its files and the buildpack where Heroku builds the folder itself."""
        project, files = self.subject.project, self.subject.files
        buildpack = self.target.platform.buildpack
        if project is None or files is None or buildpack is None:
            return None
        return project, files, buildpack

    def _added_parts(self, contents: Found, place: Target) -> tuple[Part, ...]:
        """Return what steps of the build add to the slug after the install."""
        if self._container is not None:
            return self._container.parts(contents.inventories)
        if (built := self._built) is None:
            return ()
        from slugcheck.project import hooks

        project, files, buildpack = built
        names = {distribution.name for distribution, _ in contents.inventories}
        collected = self._collected(contents.inventories, place)
        static = (collected.part,) if collected and collected.part else ()
        if buildpack is not Buildpack.CLASSIC:
            return static
        return (*static, *hooks.nltk_parts(project, files.absent, names))

    def _collected(
        self, inventories: Sequence[tuple[Distribution, Inventory]], place: Target
    ) -> Collected | None:
        if self._static is None:
            return None
        return self._static.collected(inventories, minor=place.minor)

    def _unmeasured(self, names: Collection[str]) -> tuple[Unsized, ...]:
        built = self._built
        if built is None or built[2] is not Buildpack.CLASSIC:
            return ()
        from slugcheck.project import hooks

        project, files, _ = built
        return hooks.unmeasured(project, files.absent, names)

    # ----------------------------------------------------------------- advise

    def _programs(self) -> tuple[Program, ...]:
        """Return the programs that the platform starts by the project's Procfile."""
        if (built := self._built) is None:
            return ()
        from slugcheck.project import processes
        from slugcheck.project.source import Code

        project, files, _ = built
        paths = frozenset(member.path for member in files.files)
        return processes.programs(Code(folder=project.folder, top=project.top, paths=paths))

    def _findings(self, sizes: SizeReport) -> tuple[Finding, ...]:
        from slugcheck.advice import builds, findings

        inventories = {d.name: inventory for d, inventory in self.inventories}
        measured = Measured(sizes=sizes, inventories=inventories)
        static = self._collected(self.inventories, self.target)
        certain = [static.finding] if static is not None and static.finding else []
        if (read := self.subject.requirements) is not None:
            certain += builds.missing_hashes(read, sizes)
        if self._container is not None:
            certain += self._container.findings(sizes.parts)
        if not self._advise:
            return tuple(certain)
        certain += self._about_bundle(sizes)
        detect = partial(findings.problems, programs=self._programs())
        if not detect(measured):
            return tuple(certain)
        from slugcheck.advice import fixes, own_extras, syntax
        from slugcheck.advice.trial import Trials, worst

        written = syntax.of(self.subject, sizes)
        own = own_extras.candidates(written.document, frozenset(written.direct))
        solved = fixes.solved(
            detect(measured, own),
            before=sizes,
            status=worst(self._judge(sizes)),
            trials=Trials(
                self.sizes_after,
                self._judge,
                offline=self._options.offline,
                refused="pip refuses the file as it is" if self._dependencies.refused else "",
            ),
            detect=detect,
            write=written.text,
        )
        order = list(FindingSeverity)
        return tuple(sorted((*solved, *certain), key=lambda finding: order.index(finding.severity)))

    def _about_bundle(self, sizes: SizeReport) -> Iterator[Finding]:
        """Yield what could be left out of a bundle that the user's own tool fills."""
        from slugcheck.advice import bundles
        from slugcheck.advice.trial import worst

        target, rule = self.target, self.target.platform.bundle
        limit = bundles.limit_of(sizes, self.rules.limits)
        if limit is None or not bundles.is_tight(sizes, limit) or not rule.strippable:
            return
        contents = self._dependencies.result()
        every = tuple(sorted({*target.provided, *rule.provided}))
        if every != target.provided:
            after = self._sizes(contents, replace(target, provided=every))
            then = AfterFix(bundle=after.bundle, status=worst(self._judge(after)))
            command = self._again("--provided")
            if (finding := bundles.left_to_runtime(sizes, after, then, command)) is not None:
                yield finding
        if target.bytecode is None and not target.compiles_bytecode:
            compiled = self._sizes(contents, replace(target, bytecode=True))
            if (finding := bundles.with_bytecode(sizes, compiled, limit)) is not None:
                yield finding
        if (finding := bundles.unstripped(sizes, contents.inventories)) is not None:
            yield finding

    def _again(self, option: str) -> str:
        """Return the command that checks the same with one more option, "" if nothing can."""
        path = self._options.shown_path
        if path.startswith("<"):
            return ""
        project = self.subject.project is not None
        return shlex.join(["slugcheck", path, *options_for(self.target, project=project), option])

    def _judge(self, sizes: SizeReport) -> tuple[Verdict, ...]:
        """Return the verdicts on sizes alone, as ``report`` has them."""
        from slugcheck.policy import gates
        from slugcheck.sizing import build_time

        verdicts = budgets.judge(
            sizes,
            build_time.predict(sizes),
            self.rules.limits,
            allowed_unsized=self._options.allow_unsized,
            allow_all_unsized=self._options.allow_all_unsized,
        )
        return (*verdicts, *gates.of_packages(self.rules, sizes))

    def _notes(self, sizes: SizeReport) -> tuple[str, ...]:
        notes = [*self._dependencies.notes, *self._app.notes()]
        notes += self._container.notes if self._container is not None else ()
        notes += self.subject.build.notes if self.subject.build else ()
        if (built := self._built) is not None:
            from slugcheck.project import hooks

            project, files, buildpack = built
            names = {size.name for size in sizes.distributions}
            notes += hooks.notes(project, files.absent, names, buildpack)
            if (collected := self._collected(self.inventories, self.target)) is not None:
                notes += collected.notes
        if self._audit is not None:
            notes += self._audit.notes
        if self._verification is not None:
            notes += self._verification.notes
        notes += self._notes_on_target(sizes)
        known = self.target.python.version
        if Version(self.target.python_version) > Version(known):
            notes.append(
                f"Python {self.target.python_version} is newer than {known}, the newest "
                f"{self.target.minor} release that slugcheck knows; not checked whether the "
                "platform has it"
            )
        return tuple(notes)

    def _of_rehearsal(self, measured: Measurements | None) -> Iterator[str]:
        if self.rehearsal is None:
            return
        if measured is None:
            shown = printable(str(self.rehearsal))
            yield f"{shown} was rehearsed on another platform: its figures are not used"
        elif measured.changed:
            yield (
                f"since {measured.file} was made, dependencies have changed: "
                f"{listed(measured.changed)}; rehearse again"
            )

    def _notes_on_target(self, sizes: SizeReport) -> Iterator[str]:
        """Yield what an older name of the platform means, and on what the runtime provides."""
        platform, given = self.target.platform, self._options.platform or ""
        if given in [alias.name for alias in platform.aliases]:
            yield (
                f"{given} is now part of {platform.name}: the stack follows from the Python "
                f"({self.target.minor}: {self.target.stack.name})"
            )
        named = [name for name in self._options.provided if name != RUNTIME]
        installed = {size.name for size in sizes.distributions}
        if absent := [name for name in named if canonicalize_name(name) not in installed]:
            yield f"nothing to leave to the runtime: {listed(absent)} is not required"
        also = [n for n in platform.bundle.provided if n in installed - {*self.target.provided}]
        if named and also and RUNTIME not in self._options.provided:
            yield f"in the runtime too, but counted: {listed(also)} (--provided leaves out all)"


def _index(given: IndexOptions, target: Target) -> IndexOptions:
    """Return where packages come from: what the file says, and what the platform adds to it."""
    extra = tuple(url for url in target.python.indexes if url not in given.extra_index_urls)
    wheels = (":all:",) if target.platform.wheels_only else given.only_binary
    return replace(given, extra_index_urls=(*given.extra_index_urls, *extra), only_binary=wheels)


def _preload() -> None:
    """Import the modules needed after the resolver, while it runs in its own process."""
    from slugcheck import sizer
    from slugcheck.advice import findings
    from slugcheck.memory import app, footprints
    from slugcheck.packages.locks import pylock
    from slugcheck.sizing import build_time, calibration

    calibration.load()
    with suppress(MeasureError):  # the report says so
        footprints.load()
    del app, findings, build_time, pylock, sizer

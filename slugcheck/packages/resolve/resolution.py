"""Resolves with uv for the target, in rounds that get past what has no wheel or no solution."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import canonicalize_name

from slugcheck.errors import MeasureError, ResolutionError, WrongHashError
from slugcheck.model import (
    Distribution,
    Inventory,
    Obstacle,
    Requirement,
    RequirementSet,
    Resolution,
    Target,
    Unsized,
)
from slugcheck.packages import graph
from slugcheck.packages.requirements.applicable import (
    Requested,
    intersection,
    requested_by,
    resolver_line,
)
from slugcheck.packages.resolve.stand_ins import Outcome, StandIn, StandInMemory
from slugcheck.packages.resolve.uv import Failure, Uv, version
from slugcheck.packages.stub_wheels import is_stub
from slugcheck.platforms.tags import uv_platform
from slugcheck.running import temporary
from slugcheck.running.child import ChildError

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from slugcheck.packages.resolve.conflicts import Diagnosis
    from slugcheck.packages.resolve.sources import StandIns

# Each round gets past at least one distribution; real files needed eight at most.
_MAX_ROUNDS = 40
_MOST_TRIED_ALONE = 4
_PYTHON_SECONDS = 8.0  # for all Pythons that are tried; real files take 1 to 4 for each


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A resolution, and the inventories that were already read on the way, by name."""

    resolution: Resolution
    inventories: Mapping[str, Inventory]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an earlier resolution of nearly the same requirements found out.

    ``stand_ins`` are for what has no wheel, ``unsized`` is what has no size. ``dropped`` are names
    that are left out wherever they are required. ``inventories`` are those of files, by URL.
    ``lowest``: lines take the lowest version that they allow. ``wheels_only``: what has no wheel is
    no solution.
    """

    stand_ins: tuple[StandIn, ...] = ()
    unsized: tuple[Unsized, ...] = ()
    dropped: tuple[str, ...] = ()
    lowest: bool = False
    wheels_only: bool = False
    inventories: Mapping[str, Inventory] = field(default_factory=dict, repr=False)


class Resolver:
    """One resolution and the results of its rounds. Use it as a context manager."""

    def __init__(
        self,
        *,
        requirements: RequirementSet,
        target: Target,
        uv: Uv,
        memory: StandInMemory,
        make_stand_ins: Callable[[], StandIns],
        environment: Mapping[str, str],
        tags: Sequence[Tag],
        without: Iterable[Unsized] = (),
        known: Known | None = None,
        loosen: bool = False,
    ) -> None:
        """Prepare; ``without`` is left out of the resolution wherever it is required.

        ``known`` is what earlier rounds learnt, where the file is tried with a change. With
        ``loosen`` what pip refuses is got past, and becomes obstacles.
        """
        self._loosen = loosen
        self._requested = requested_by(requirements, environment)
        self._target = target
        self._uv = uv
        self._memory = memory
        self._make_stand_ins = make_stand_ins
        self._tags = tuple(tags)
        self._known = known or Known()
        self._made: dict[str, dict[str, StandIn]] = {}
        self._excluded: dict[str, Unsized] = {
            canonicalize_name(unsized.name): unsized for unsized in (*without, *self._known.unsized)
        }
        self._lost: list[Unsized] = []
        self._pins: tuple[str, ...] = ()  # constraints of our own, for and against versions
        self._refused = set(requirements.options.no_binary)  # names whose wheels do not count
        self._newest: tuple[str | None] | None = None  # the Python that has wheels, once known
        # where inventories are known, most lines are pinned
        self._looked = self._known.wheels_only or bool(self._known.inventories)
        self._temporary = temporary.Folder()
        self._folder = self._temporary.path

    def __enter__(self) -> Resolver:
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.close()

    @cached_property
    def _stand_ins(self) -> StandIns:
        return self._make_stand_ins()

    def run(self) -> Resolved:
        """Resolve.

        :raises ResolutionError: there is no solution, and it is not for want of a wheel.
        :raises NetworkError: an index cannot be reached.
        """
        for requirement in self._requested.urls:
            self._take_url(requirement)
        for name in self._requested.requirements.options.no_binary:
            if name in self._requested.direct:
                self._learn(self._for_name(name, SpecifierSet(self._requested.specifiers(name))))
        remembered = () if self._known.wheels_only else self._memory.recall(self._key())
        for stand_in in (*self._known.stand_ins, *remembered):
            self._add(stand_in)
        return self._settled()

    def _settled(self) -> Resolved:
        """Go through the rounds; what the hashes of the file refuse takes another one."""
        for _ in range(_MAX_ROUNDS):
            lock = self._rounds()
            try:
                resolved = self._resolved(lock)
            except WrongHashError as error:
                if self._pins_by_hash(error):
                    continue
                before = self._progress()
                self._refused.add(error.name)
                self._learn(self._for_name(error.name, SpecifierSet(f"=={error.version}")))
                if self._progress() == before:
                    raise
            else:
                if not self._known.wheels_only:
                    self._memory.remember(self._key(), self._indexed())
                return resolved
        raise ResolutionError("no set of files matches the hashes in the file")

    def _pins_by_hash(self, error: WrongHashError) -> bool:
        """Choose a version that the file has a hash of, where it names several; True if done."""
        name = error.name
        lines = self._requested.direct.get(name, ())
        chosen = any(pin.startswith(f"{name}==") for pin in self._pins)
        if chosen or self._requested.is_pinned(name):
            return False
        wanted = SpecifierSet(self._requested.specifiers(name))
        version = self._stand_ins.hashed_version(name, wanted, lines)
        if version is None or str(version) == error.version:
            return False
        self._pins = (*self._pins, f"{name}=={version}")
        return True

    def obstacles(self, resolved: Resolved) -> tuple[Obstacle, ...]:
        """Return what pip refuses in the file, and what was resolved in its place."""
        if not self._diagnosed:
            return ()
        versions = _versions(resolved)
        troubles = self._diagnosis.troubles
        if any(trouble.python for trouble in troubles):
            if self._newest is None:
                self._newest = (self._newest_python(),)
            old = ", and delete runtime.txt" if self._target.python_origin == "runtime.txt" else ""
            fix = f"# in .python-version{old}:\n{self._newest[0]}" if self._newest[0] else ""
            troubles = [replace(t, fix=fix) if t.python else t for t in troubles]
        return tuple(trouble.obstacle(versions) for trouble in troubles)

    @property
    def reasons(self) -> tuple[str, ...]:
        """uv's own reasons for what it could not resolve, whole."""
        return tuple(self._diagnosis.whole) if self._diagnosed else ()

    @property
    def _diagnosed(self) -> bool:
        """Whether anything was in the way; most files never need its module."""
        return "_diagnosis" in self.__dict__

    @cached_property
    def _diagnosis(self) -> Diagnosis:
        from slugcheck.packages.resolve.conflicts import Diagnosis, PartialRuns

        def compile_(
            lines: Sequence[Requirement], constraints: Sequence[Requirement], seconds: float
        ) -> Pylock | Failure:
            return self._uv.compile(
                [resolver_line(requirement) for requirement in lines],
                constraints=[*(f"{r.name}{r.specifier}" for r in constraints), *self._pins],
                excludes=self._excludes(),
                find_links=(self._folder,),
                seconds=seconds,
            )

        return Diagnosis(
            target=self._target,
            trials=PartialRuns(
                compile_, lambda failure: self._learn_from(failure, only_sources=True)
            ),
            learn=self._learn_from,
            pages=lambda: self._stand_ins.pages,
            excluded=lambda: self._excluded,
            fails=self._fails,
        )

    def fingerprint(self, resolved: Resolved) -> str:
        """Return a digest of the question and the answer, without credentials."""
        pins = sorted(f"{d.name}=={d.version}" for d in resolved.resolution.distributions)
        return hashlib.sha256("\n".join([self._key(), *pins]).encode()).hexdigest()

    def _take_url(self, requirement: Requirement) -> None:
        outcome = self._stand_ins.from_url(requirement)
        if isinstance(outcome, Unsized):
            # two URLs may end alike, so these are not kept by name alone
            self._lost.append(outcome)
            return
        self._requested = self._requested.with_stand_in(outcome.name, outcome.version, requirement)
        self._add(outcome)

    def _add(self, stand_in: StandIn) -> None:
        if stand_in.version in self._made.get(stand_in.name, {}):
            return
        try:
            stand_in.write_stub(self._folder)
        except MeasureError as error:
            self._excluded[stand_in.name] = Unsized(
                name=stand_in.name, version=stand_in.version, reason=str(error)
            )
        else:
            self._made.setdefault(stand_in.name, {})[stand_in.version] = stand_in

    def _progress(self) -> int:
        made = sum(len(versions) for versions in self._made.values())
        return len(self._excluded) + made

    def _rounds(self) -> Pylock:
        answer = self._first_round()
        for _ in range(_MAX_ROUNDS):
            if not isinstance(answer, Failure):
                return answer
            if not (self._look() or self._learn_from(answer)):
                self._get_past(answer)
            solution = self._diagnosis.take_solution() if self._diagnosed else None
            answer = self._round() if solution is None else solution
        if isinstance(answer, Failure) and self._diagnosed and self._diagnosis.troubles:
            raise self._diagnosis.error(self._requested, answer)
        message = "the resolver found no solution in forty rounds"
        raise ResolutionError(message, hint="pin more of the versions in the file")

    def _get_past(self, failure: Failure) -> None:
        """Change what pip refuses.

        :raises ResolutionError: there is nothing left to change.
        """
        changed = None
        if self._loosen:
            # what is not there at all would be in the way of every trial
            lines = self._look_once() if self._diagnosis.wants_lines(failure) else failure
            if isinstance(lines, Failure) and not lines.without_wheel:
                failure = lines
            before = self._progress()
            changed = self._diagnosis.get_past(self._requested, failure)
            if self._progress() > before and changed is None:
                return  # it was for want of a wheel, after all
        if changed is None:
            raise self._diagnosis.error(self._requested, failure)
        self._requested = changed
        for unsized in self._diagnosis.without_cpu_builds():
            self._excluded.setdefault(unsized.name, unsized)

    def _first_round(self) -> Pylock | Failure:
        """Resolve, and where versions are open look at the same time at what pip would take."""
        if self._requested.all_pinned or self._looked:
            return self._round()
        with ThreadPoolExecutor(1) as pool:
            early = pool.submit(self._look_once)
            answer = self._round()
            return self._round() if self._look(early.result()) else answer

    def _round(self) -> Pylock | Failure:
        return self._compile(self._requested.lines(without=self._excluded))

    def _look_once(self) -> Pylock | Failure:
        lines = self._requested.lines(without=self._excluded, extras=False)
        return self._compile(lines, direct_only=True)

    def _compile(
        self,
        lines: Sequence[str],
        *,
        direct_only: bool = False,
        offline: bool = False,
    ) -> Pylock | Failure:
        return self._uv.compile(
            lines,
            constraints=(*self._requested.constraints(), *self._pins),
            excludes=self._excludes(),
            find_links=(self._folder,),
            direct_only=direct_only,
            offline=offline,
            lowest=self._known.lowest,
        )

    def _look(self, answer: Pylock | Failure | None = None) -> bool:
        """Make stand-ins for all direct requirements at once; True if there is progress."""
        if self._looked:
            return False
        self._looked = True
        before = self._progress()
        answer = answer or self._look_once()
        while isinstance(answer, Failure) and self._learn_from(answer):
            answer = self._look_once()
        if not isinstance(answer, Failure):
            self._stand_in_for_sources(answer)
        return self._progress() > before

    def _stand_in_for_sources(self, lock: Pylock) -> None:
        sources = [
            package
            for package in lock.packages
            if package.sdist is not None and not package.wheels and package.version is not None
        ]
        if len(sources) > 1:
            self._stand_ins.pages.prefetch(package.name for package in sources)
        for package in sources:
            self._learn(self._for_name(package.name, SpecifierSet(f"=={package.version}")))

    def _learn_from(self, failure: Failure, *, only_sources: bool = False) -> bool:
        """Give what has no wheel a stand-in or exclude it; True if there is progress.

        With ``only_sources`` nothing is excluded.
        """
        before = self._progress()
        for name in failure.without_wheel if not self._known.wheels_only else ():
            if name not in self._excluded:
                requested = intersection(self._requested.specifiers(name), failure.wanted.get(name))
                outcome = self._for_name(name, SpecifierSet(requested))
                if isinstance(outcome, StandIn) or not only_sources:
                    self._learn(outcome)
        return self._progress() > before

    def _for_name(self, name: str, wanted: SpecifierSet) -> Outcome | None:
        return self._stand_ins.for_name(name, wanted, self._requested.direct.get(name, ()))

    def _learn(self, outcome: Outcome | None) -> None:
        if isinstance(outcome, StandIn):
            self._add(outcome)
        elif isinstance(outcome, Unsized):
            self._excluded[outcome.name] = outcome

    def _newest_python(self) -> str | None:
        """Return the newest Python that the lines can be resolved for, as they are in the file."""
        changes = [
            c for trouble in self._diagnosis.troubles if trouble.python for c in trouble.changes
        ]
        back = {change.now: change.line.requirement for change in changes if change.now}
        return newest_with_wheels(
            self._uv,
            self._requested.replaced(back),
            target=self._target,
            stand_ins=self._stand_ins_made(),
            excludes=self._excludes(),
            wanted={change.line.name for change in changes},
        )

    def _fails(self, name: str, version: str) -> bool:
        """Whether a version has been read whose build fails."""
        made = self._made.get(name, {}).get(version)
        return made is not None and bool(made.source_build and made.source_build.failure)

    def _stand_ins_made(self) -> tuple[StandIn, ...]:
        return tuple(made for versions in self._made.values() for made in versions.values())

    def _excludes(self) -> tuple[str, ...]:
        """Return the excluded names, without those that are only the last part of a URL."""
        names = [*self._known.dropped, *(unsized.name for unsized in self._lost), *self._excluded]
        return tuple(name for name in dict.fromkeys(names) if _is_name(name))

    def _resolved(self, lock: Pylock) -> Resolved:
        from slugcheck.packages.locks import pylock

        distributions = []
        inventories = {}
        for pinned in pylock.select(
            lock, self._requested.environment, self._tags, self._requested.hashes()
        ):
            stand_in = self._made.get(pinned.name, {}).get(pinned.version)
            requirements = self._requested.direct.get(pinned.name, ())
            distribution = replace(
                pinned,
                direct=bool(requirements),
                origins=tuple(requirement.origin for requirement in requirements),
                extras=tuple(dict.fromkeys(e for r in requirements for e in r.extras)),
            )
            if stand_in is not None and self._is_wanted(stand_in, pinned):
                self._check_hash(stand_in)
                distribution = stand_in.replacing(distribution)
                inventories[pinned.name] = stand_in.inventory
            elif is_stub(pinned.artifact.filename):
                raise ResolutionError(f"{pinned.name} {pinned.version} was lost on the way")
            distributions.append(distribution)
        resolution = Resolution(
            distributions=tuple(distributions),
            unsized=(*self._requested.set_aside, *self._lost, *self._excluded.values()),
            notes=(*self._notes(), *_build_notes(distributions)),
            resolver=version(),
        )
        return Resolved(resolution=resolution, inventories=inventories)

    def _is_wanted(self, stand_in: StandIn, pinned: Distribution) -> bool:
        # a real wheel that turned up since goes before a stand-in, unless the file refuses it
        refused = pinned.name in self._refused
        return stand_in.direct_url or refused or is_stub(pinned.artifact.filename)

    def _check_hash(self, stand_in: StandIn) -> None:
        allowed = self._requested.hashes().get(stand_in.name)
        if allowed and stand_in.artifact.sha256 and stand_in.artifact.sha256 not in allowed:
            raise WrongHashError(stand_in.name, stand_in.version)

    def _notes(self) -> Iterator[str]:
        yield from self._requested.requirements.notes
        skipped = self._requested.skipped
        if skipped:
            markers = "its marker excludes" if len(skipped) == 1 else "their markers exclude"
            system = f"{self._target.stack.system} with Python {self._target.minor}"
            yield f"skipped {', '.join(skipped)}: {markers} {system}"
        if ":all:" in self._requested.requirements.options.no_binary:
            yield "--no-binary :all: builds everything from source; sizes are those of wheels"

    def _key(self) -> str:
        # its name says nothing: many platforms have a "default", and images another C library
        system = uv_platform(self._target.stack, self._target.minor)
        # a stand-in names those of the platform's Pythons that have wheels
        pythons = " ".join(release.minor for release in self._target.platform.pythons)
        return self._requested.digest(
            system, pythons, self._target.python_version, self._uv.fingerprint
        )

    def _indexed(self) -> tuple[StandIn, ...]:
        """Stand-ins for what comes from an index; URLs and folders are read anew each time."""
        return tuple(made for made in self._stand_ins_made() if not made.direct_url)


def _is_name(text: str) -> bool:
    parsed = graph.parse(text)
    return parsed is not None and parsed.name == canonicalize_name(text) == text


def _build_notes(distributions: Iterable[Distribution]) -> Iterator[str]:
    for distribution in distributions:
        if distribution.source_build is not None:
            yield from (f"{distribution.name}: {note}" for note in distribution.source_build.notes)


class SettlingResolver(Resolver):
    """A resolver that looks again at what it has resolved."""

    def newer(self, resolved: Resolved) -> frozenset[str]:
        """Return the names that the file does not pin and of which something newer exists.

        What the distributions ask of each other is left out, so these are only candidates for
        ``overtaken``; that makes it possible to ask while the distributions are still being read.
        """
        versions = _versions(resolved)
        names = [name for name in versions if not self._requested.is_pinned(name)]
        if not names:
            return frozenset()
        answer = self._look_again(self._requested.loose_lines(names, {}))
        if isinstance(answer, Failure):
            return frozenset(names)
        newest: dict[str, str] = {p.name: str(p.version) for p in answer.packages}
        return frozenset(name for name in names if newest.get(name) != versions[name])

    def overtaken(
        self,
        resolved: Resolved,
        names: Collection[str],
        requires: Mapping[str, Iterable[str]],
    ) -> Resolved | None:
        """Return a new resolution where pip would have chosen otherwise, else None.

        ``names`` are those that ``newer`` gave, ``requires`` the Requires-Dist lines of everything
        resolved.
        """
        answer = self._look_again(self._requested.loose_lines(names, requires))
        before = self._progress()
        if not isinstance(answer, Failure):
            self._stand_in_for_sources(answer)
            self._free(answer, _versions(resolved))
        return None if self._progress() == before else self._settled()

    def is_pinned(self, name: str) -> bool:
        """Whether a line of the file names one version of a distribution."""
        return self._requested.is_pinned(name)

    def without(self, versions: Mapping[str, str]) -> Resolved | None:
        """Return a resolution without these versions, None if the requirements allow none."""
        before = self._pins
        self._pins = (*before, *(f"{name}!={number}" for name, number in versions.items()))
        answer = self._round()
        while isinstance(answer, Failure) and self._learn_from(answer, only_sources=True):
            answer = self._round()
        if isinstance(answer, Failure):
            self._pins = before
            return None
        return self._settled()

    def _free(self, answer: Pylock, versions: Mapping[str, str]) -> None:
        """Make stand-ins for what alone keeps a newer version out: sources behind its wheel."""
        pins = [
            f"{package.name}=={package.version}"
            for package in answer.packages
            if versions.get(package.name) != str(package.version)
        ]
        alone = [[pin] for pin in pins[:_MOST_TRIED_ALONE]] if len(pins) > 1 else []
        for tried in [pins, *alone] if pins else []:
            if self._is_freed(tried, versions):
                return

    def _is_freed(self, pins: Sequence[str], versions: Mapping[str, str]) -> bool:
        learnt = False
        while True:
            failure = self._uv.obstacle(
                self._requested.lines(without=self._excluded),
                prefer=versions,
                constraints=(*self._requested.constraints(), *self._pins, *pins),
                excludes=self._excludes(),
                find_links=(self._folder,),
            )
            if failure is None or not self._learn_from(failure, only_sources=True):
                return learnt
            learnt = True

    def _look_again(self, lines: Sequence[str]) -> Pylock | Failure:
        """Ask about versions alone; the pages were read a moment ago, so first without network."""
        answer = self._compile(lines, direct_only=True, offline=True)
        return self._compile(lines, direct_only=True) if isinstance(answer, Failure) else answer


def _versions(resolved: Resolved) -> dict[str, str]:
    return {d.name: d.version for d in resolved.resolution.distributions}


def newest_with_wheels(
    uv: Uv,
    requested: Requested,
    *,
    target: Target,
    stand_ins: Sequence[StandIn],
    excludes: Collection[str],
    wanted: Collection[str],
) -> str | None:
    """Return the newest other Python of the platform that installs all without a compiler.

    What has no wheel for any Python is left out of the question, unless it is ``wanted``: then no
    Python is the answer. One resolution for each Python, the newest first.

    :raises NetworkError: an index cannot be reached.
    """
    never = [n for n in built_natively(stand_ins) if not _has_wheels(n, stand_ins)]
    without = (*never, *excludes)
    if not set(wanted).isdisjoint(without):
        return None
    until = time.monotonic() + _PYTHON_SECONDS
    with temporary.Folder() as folder:
        for stand_in in stand_ins:
            if not _is_native(stand_in):  # pure Python is built by any of them
                stand_in.write_stub(folder)
        for release in reversed(target.platform.pythons):
            if release.minor == target.minor or release.status == "deprecated":
                continue
            left = until - time.monotonic()
            if left <= 0:  # advice that is not worth waiting for
                return None
            try:
                answer = uv.for_python(release).compile(
                    requested.lines(without=without),
                    constraints=requested.constraints(),
                    excludes=without,
                    find_links=(folder,),
                    seconds=left,
                )
            except ChildError:
                return None
            if not isinstance(answer, Failure):
                return release.minor
    return None


def built_natively(stand_ins: Iterable[StandIn]) -> tuple[str, ...]:
    """Return the names that need a compiler."""
    return tuple(dict.fromkeys(made.name for made in stand_ins if _is_native(made)))


def _is_native(stand_in: StandIn) -> bool:
    return stand_in.source_build is not None and stand_in.source_build.native


def _has_wheels(name: str, stand_ins: Iterable[StandIn]) -> bool:
    builds = (made.source_build for made in stand_ins if made.name == name)
    return any(build is not None and build.newest_python_with_wheel for build in builds)

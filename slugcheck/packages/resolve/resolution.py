"""Resolves with uv for the target, and explains in one sentence why a resolution failed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from slugcheck import reading
from slugcheck.errors import MeasureError, NetworkError, ResolutionError, WrongHashError
from slugcheck.model import (
    Distribution,
    Inventory,
    Requirement,
    RequirementSet,
    Resolution,
    Target,
    Unsized,
)
from slugcheck.packages import graph
from slugcheck.packages.known import PYTORCH_INDEX, PYTORCH_LABEL
from slugcheck.packages.requirements.applicable import intersection, requested_by
from slugcheck.packages.resolve.stand_ins import Outcome, StandIn, StandInMemory
from slugcheck.packages.resolve.uv import Failure, Uv, version
from slugcheck.packages.stub_wheels import is_stub
from slugcheck.running import temporary
from slugcheck.text import listed

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from slugcheck.packages.index.pages import Pages
    from slugcheck.packages.resolve.stand_ins import StandIns

# Each round gets past at least one distribution; real files needed eight at most.
_MAX_ROUNDS = 40
_MOST_TRIED_ALONE = 4
_MAX_LINES = 8
_SHOWN_VERSIONS = 5
_SHOWN_LINES = 5


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
    ) -> None:
        """Prepare; ``without`` is left out of the resolution wherever it is required."""
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
        self._refused = set(requirements.options.no_binary)  # names whose wheels do not count
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
        return len(self._excluded) + sum(len(versions) for versions in self._made.values())

    def _rounds(self) -> Pylock:
        answer = self._first_round()
        for _ in range(_MAX_ROUNDS):
            if not isinstance(answer, Failure):
                return answer
            if not (self._look() or self._mend(answer)):
                raise unsolvable(
                    answer, self._requested.direct, self._target, self._stand_ins.pages
                )
            answer = self._round()
        message = "the resolver found no solution in forty rounds"
        raise ResolutionError(message, hint="pin more of the versions in the file")

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
            constraints=self._requested.constraints(),
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
        while isinstance(answer, Failure) and self._mend(answer):
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

    def _mend(self, failure: Failure, *, only_sources: bool = False) -> bool:
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
            yield f"skipped {', '.join(skipped)}: {markers} Linux with Python {self._target.minor}"
        if ":all:" in self._requested.requirements.options.no_binary:
            yield "--no-binary :all: builds everything from source; sizes are those of wheels"

    def _key(self) -> str:
        return self._requested.digest(
            self._target.stack.name, self._target.python_version, self._uv.fingerprint
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
                constraints=(*self._requested.constraints(), *pins),
                excludes=self._excludes(),
                find_links=(self._folder,),
            )
            if failure is None or not self._mend(failure, only_sources=True):
                return learnt
            learnt = True

    def _look_again(self, lines: Sequence[str]) -> Pylock | Failure:
        """Ask about versions alone; the pages were read a moment ago, so first without network."""
        answer = self._compile(lines, direct_only=True, offline=True)
        return self._compile(lines, direct_only=True) if isinstance(answer, Failure) else answer


def _versions(resolved: Resolved) -> dict[str, str]:
    return {d.name: d.version for d in resolved.resolution.distributions}


# --------------------------------------------------------------------------- why it failed


def unsolvable(
    failure: Failure,
    direct: Mapping[str, Sequence[Requirement]],
    target: Target,
    pages: Pages,
) -> MeasureError:
    """Return the error for a resolution that failed for another reason than a missing wheel."""
    local = local_pins(direct)
    absent = {*failure.unknown, *(name for name, _ in failure.missing_versions)}
    if local and absent & set(local):
        return missing_local_versions(local.values(), target)
    if failure.missing_versions:
        return _missing_version(*failure.missing_versions[0], direct, pages)
    if failure.unknown:
        return _unknown(failure.unknown[0], direct, pages)
    return _conflict(failure, direct)


def local_pins(direct: Mapping[str, Sequence[Requirement]]) -> dict[str, Requirement]:
    """Return the requirements pinned to a local version such as ``==2.5.1+cpu``, by name."""
    return {
        name: requirement
        for name, requirements in direct.items()
        for requirement in requirements
        if "+" in requirement.specifier and requirement.url is None
    }


def missing_local_versions(pins: Iterable[Requirement], target: Target) -> ResolutionError:
    """Return the error for local versions that no index in the file carries."""
    pins = tuple(pins)
    names = " and ".join(f"{pin.name}{pin.specifier} ({pin.origin})" for pin in pins)
    labels = {pin.specifier.rpartition("+")[2] for pin in pins}
    message = (
        f"the build on {target.platform.title} would fail: none of the file's indexes has {names}; "
        "the default index has no local versions (those with a + in them)"
    )
    known = sorted(label for label in labels if PYTORCH_LABEL.match(label))
    if not known:
        return ResolutionError(message, hint="add the index that has it with --extra-index-url")
    label = "cpu" if "cpu" in known or not target.platform.gpu else known[0]
    line = f"--extra-index-url {PYTORCH_INDEX}/{label}"
    if known == [label]:
        hint = f"add this line at the top of the file: {line}"
    else:
        hint = (
            f"{', '.join(known)} builds need a GPU, which {target.platform.title} does not have: "
            f"write +cpu instead, and add this line at the top of the file: {line}"
        )
    return ResolutionError(message, hint=hint)


def _missing_version(
    name: str, wanted: str, direct: Mapping[str, Sequence[Requirement]], pages: Pages
) -> ResolutionError:
    known = _known_versions(name, pages)
    shown = ", ".join(str(v) for v in _around(known, wanted))
    return ResolutionError(
        f"{name}=={wanted}{_place(name, direct)} is not on the index: no such version",
        hint=f"nearest versions: {shown}" if shown else "check the name and the index",
    )


def _known_versions(name: str, pages: Pages) -> Sequence[Version]:
    try:
        return sorted({file.version for file in pages.files(name)})
    except NetworkError:
        return ()  # the hint only gets shorter


def _around(known: Sequence[Version], wanted: str) -> Sequence[Version]:
    try:
        below = sum(1 for version in known if version < reading.version(wanted))
    except InvalidVersion:
        return known[-_SHOWN_VERSIONS:]
    start = max(0, min(below - _SHOWN_VERSIONS // 2, len(known) - _SHOWN_VERSIONS))
    return known[start : start + _SHOWN_VERSIONS]


def _unknown(name: str, direct: Mapping[str, Sequence[Requirement]], pages: Pages) -> MeasureError:
    try:
        pages.files(name)
    except NetworkError as error:
        return error  # uv says "not found" of an index that asks for a password, too
    return ResolutionError(
        f"{name}{_place(name, direct)} is not on the index",
        hint="check the spelling, or add your private index with --extra-index-url",
    )


def _place(name: str, direct: Mapping[str, Sequence[Requirement]]) -> str:
    requirements = direct.get(name)
    return f" ({requirements[0].origin})" if requirements else ""


def _conflict(failure: Failure, direct: Mapping[str, Sequence[Requirement]]) -> ResolutionError:
    lines = failure.text.splitlines() or ["the resolver gave no reason"]
    hints = [line for line in lines if line.startswith("hint:")]
    reason = [line for line in lines if not line.startswith("hint:")]
    if len(reason) > _MAX_LINES:
        reason = [*reason[: _MAX_LINES - 1], f"… {len(reason) - _MAX_LINES + 1} more lines"]
    message = "the requirements conflict: " + " ".join(reason)
    hint = hints[0].removeprefix("hint:").strip() if hints else None
    return ResolutionError(message, hint=hint or _lines_to_change(failure.text, direct))


def _lines_to_change(reason: str, direct: Mapping[str, Sequence[Requirement]]) -> str:
    """Return the lines of the file that the resolver's reason names, as a hint."""
    named = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.sub(r"[-_.]+", "-", reason.lower())))
    lines = [
        f"{requirement.name}{requirement.specifier} ({requirement.origin})"
        for name, requirements in direct.items()
        if name in named
        for requirement in requirements
        if requirement.specifier
    ]
    if not lines:
        return "change one of the versions that it names"
    return f"change {'one of ' if len(lines) > 1 else ''}{listed(lines, _SHOWN_LINES)}"

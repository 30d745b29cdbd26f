"""Requirements to a resolution for the target, without running any of their code.

uv resolves with builds disabled. Whatever has no wheel for the target gets a stand-in: a wheel of
metadata only, made from the source archive's static metadata (standins.py), so that the next round
succeeds; afterwards the stand-in is mapped back to its archive. What cannot have one is set aside
with its reason and excluded, and the rest is resolved without it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from packaging.pylock import Pylock
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import canonicalize_name

from slugcheck import graph
from slugcheck.errors import MeasureError, ResolutionError
from slugcheck.index import blame, lock
from slugcheck.index.ranges import redact
from slugcheck.index.standin import Found, StandIn, StandInMemory, WrongPython
from slugcheck.index.stubs import is_stub
from slugcheck.index.uv import Failure, Uv, version
from slugcheck.model import (
    Distribution,
    Inventory,
    Requirement,
    RequirementSet,
    Resolution,
    Target,
    Unsized,
)

if TYPE_CHECKING:
    from slugcheck.index.standins import StandIns

# Each round mends at least one distribution; real files needed eight at most.
_MAX_ROUNDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A resolution, and the inventories that were already read on the way, by name."""

    resolution: Resolution
    inventories: Mapping[str, Inventory]


class Resolver:
    """One resolution; holds what its rounds have learnt. Use it as a context manager."""

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
    ) -> None:
        self._set = requirements
        self._target = target
        self._uv = uv
        self._memory = memory
        self._make_stand_ins = make_stand_ins
        self._environment = environment
        self._tags = tuple(tags)
        self._direct: dict[str, list[Requirement]] = {}
        self._made: dict[str, dict[str, StandIn]] = {}
        self._excluded: dict[str, Unsized] = {}
        self._blocked: dict[str, WrongPython] = {}
        self._looked = False
        self._notes: list[str] = list(requirements.notes)
        self._temporary = tempfile.TemporaryDirectory(prefix="slugcheck-")
        self._folder = Path(self._temporary.name)

    def __enter__(self) -> Resolver:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._temporary.cleanup()

    @cached_property
    def _stand_ins(self) -> StandIns:
        return self._make_stand_ins()

    def run(self) -> Resolved:
        """Resolve.

        :raises ResolutionError: there is no solution, and it is not for want of a wheel.
        :raises NetworkError: an index cannot be reached.
        """
        self._sort_out()
        for stand_in in self._memory.recall(self._key()):
            self._add(stand_in)
        found = self._rounds()
        self._memory.remember(self._key(), self._indexed())
        return self._resolved(found)

    def overtaken(self, requires: Mapping[str, Iterable[str]]) -> Resolved | None:
        """Return a new resolution where pip would have taken a newer source archive, else None.

        With builds disabled uv passes over a version that has only a source archive, where pip
        would take it. ``requires`` are the Requires-Dist lines of everything resolved. One run
        that looks at names and versions alone tells.
        """
        answer = self._uv.compile(
            self._loose_lines(requires),
            excludes=self._excludes(),
            find_links=(self._folder,),
            direct_only=True,
        )
        before = self._progress()
        if isinstance(answer, Pylock):
            self._stand_in_for_sources(answer)
        if self._progress() == before:
            return None
        found = self._rounds()
        self._memory.remember(self._key(), self._indexed())
        return self._resolved(found)

    def fingerprint(self, resolved: Resolved) -> str:
        """Return a digest of the question and the answer, without credentials."""
        pins = sorted(f"{d.name}=={d.version}" for d in resolved.resolution.distributions)
        return hashlib.sha256("\n".join([self._key(), *pins]).encode()).hexdigest()

    # ----------------------------------------------------------------- before the first round

    def _sort_out(self) -> None:
        """Take the lines that apply to the target; read those that are a URL or a folder."""
        skipped = []
        for requirement in self._set.requirements:
            if not self._applies(requirement.marker):
                skipped.append(requirement.name or requirement.text)
            elif requirement.url is None:
                self._direct.setdefault(requirement.name, []).append(requirement)
            else:
                self._take_url(requirement)
        if skipped:
            lines = "1 line does" if len(skipped) == 1 else f"{len(skipped)} lines do"
            self._notes.append(
                f"{lines} not apply to Linux with Python {self._target.minor}, by their markers: "
                + ", ".join(dict.fromkeys(skipped))
            )

    def _applies(self, marker: str) -> bool:
        parsed = graph.parse(f"x ; {marker}") if marker else None
        return parsed is None or graph.applies(parsed, self._environment)

    def _take_url(self, requirement: Requirement) -> None:
        found = self._stand_ins.from_url(requirement)
        if isinstance(found, Unsized):
            self._excluded[found.name] = found
            return
        self._direct.setdefault(found.name, []).append(
            replace(requirement, name=found.name, specifier=f"=={found.version}")
        )
        self._add(found)

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

    # ----------------------------------------------------------------- rounds

    def _rounds(self) -> Pylock:
        answer = self._first_round()
        for _ in range(_MAX_ROUNDS):
            if isinstance(answer, Pylock):
                if self._blocked:
                    raise self._wrong_python()
                return answer
            if not (self._look() or self._mend(answer)):
                raise blame.unsolvable(answer, self._direct, self._target, self._stand_ins.pages)
            answer = self._round()
        message = "the resolver found no solution in forty rounds"
        raise ResolutionError(message, hint="pin more of the versions in the file")

    def _first_round(self) -> Pylock | Failure:
        """Resolve, and where versions are open look at the same time at what pip would take."""
        pinned = all(blame.is_exact(r.specifier) for found in self._direct.values() for r in found)
        if pinned or self._looked:
            return self._round()
        with ThreadPoolExecutor(1) as pool:
            early = pool.submit(self._look_once)
            answer = self._round()
            return self._round() if self._look(early.result()) else answer

    def _round(self) -> Pylock | Failure:
        return self._uv.compile(
            self._lines(),
            constraints=self._constraints(),
            excludes=self._excludes(),
            find_links=(self._folder,),
        )

    def _look_once(self) -> Pylock | Failure:
        return self._uv.compile(
            self._lines(extras=False),
            constraints=self._constraints(),
            excludes=self._excludes(),
            find_links=(self._folder,),
            direct_only=True,
        )

    def _look(self, answer: Pylock | Failure | None = None) -> bool:
        """Make stand-ins for all direct requirements at once; True when something was learnt."""
        if self._looked:
            return False
        self._looked = True
        before = self._progress()
        answer = answer or self._look_once()
        while isinstance(answer, Failure) and self._mend(answer):
            answer = self._look_once()
        if isinstance(answer, Pylock):
            self._stand_in_for_sources(answer)
        return self._progress() > before

    def _stand_in_for_sources(self, found: Pylock) -> None:
        for package in found.packages:
            if package.sdist is not None and not package.wheels and package.version is not None:
                self._learn(
                    self._stand_ins.for_name(
                        package.name,
                        SpecifierSet(f"=={package.version}"),
                        self._origins(package.name),
                    )
                )

    def _mend(self, failure: Failure) -> bool:
        """Give what has no wheel a stand-in or set it aside; True when something was learnt."""
        before = self._progress()
        for name in failure.without_wheel:
            if name not in self._excluded:
                wanted = SpecifierSet(
                    _intersection(self._specifiers(name), failure.wanted.get(name))
                )
                self._learn(self._stand_ins.for_name(name, wanted, self._origins(name)))
        return self._progress() > before

    def _learn(self, found: Found | None) -> None:
        if isinstance(found, StandIn):
            self._add(found)
        elif isinstance(found, Unsized):
            self._excluded[found.name] = found
        elif isinstance(found, WrongPython):
            # set aside as well, so that the rounds go on and find every one of them
            self._blocked[found.name] = found
            self._excluded[found.name] = Unsized(
                name=found.name, version=found.version, reason="no wheel for this Python"
            )

    # ----------------------------------------------------------------- other Pythons

    def _wrong_python(self) -> ResolutionError:
        blocked = [(found.name, found.version) for found in self._blocked.values()]
        pythons = set.intersection(*(set(found.pythons) for found in self._blocked.values()))
        return blame.no_wheel_for_python(
            blocked, self._built_natively(), self._target, self._newest_of(pythons)
        )

    def newest_python(self) -> str | None:
        """Return the newest Python of the platform for which everything that has wheels for any
        has them, None when there is none; asked when something is built from source."""
        if not any(self._has_wheels(name) for name in self._built_natively()):
            return None
        return self._newest_of({r.minor for r in self._target.platform.pythons})

    def _newest_of(self, minors: Collection[str]) -> str | None:
        releases = [r for r in self._target.platform.pythons if r.minor in minors]
        never = [name for name in self._built_natively() if not self._has_wheels(name)]
        excludes = (*never, *(n for n in self._excludes() if n not in self._blocked))
        for release in reversed(releases):
            if release.minor == self._target.minor:
                continue
            answer = self._uv.for_python(release).compile(
                self._lines(without=excludes),
                constraints=self._constraints(),
                excludes=excludes,
                find_links=(self._pure_folder(),),
            )
            if isinstance(answer, Pylock):
                return release.minor
        return None

    def _built_natively(self) -> tuple[str, ...]:
        return tuple(
            name
            for name, versions in self._made.items()
            if any(made.source_build and made.source_build.native for made in versions.values())
        )

    def _has_wheels(self, name: str) -> bool:
        builds = (made.source_build for made in self._made[name].values())
        return any(build and build.newest_python_with_wheel for build in builds)

    def _pure_folder(self) -> Path:
        """A folder with the stubs of what needs no compiler, which any Python can install."""
        folder = self._folder / "pure"
        folder.mkdir(exist_ok=True)
        for versions in self._made.values():
            for made in versions.values():
                if made.source_build is None or not made.source_build.native:
                    made.write_stub(folder)
        return folder

    # ----------------------------------------------------------------- lines for uv

    def _lines(self, *, extras: bool = True, without: Collection[str] | None = None) -> list[str]:
        lines = []
        for name, found in self._direct.items():
            if name in (self._excluded if without is None else without):
                continue
            for requirement in found:
                wanted = (
                    f"[{','.join(requirement.extras)}]" if extras and requirement.extras else ""
                )
                lines.append(f"{name}{wanted}{requirement.specifier}")
        return lines

    def _excludes(self) -> tuple[str, ...]:
        """The names set aside, without those that were only ever a URL's last part."""
        return tuple(name for name in self._excluded if _is_name(name))

    def _constraints(self) -> list[str]:
        return [
            f"{r.name}{r.specifier}"
            for r in self._set.constraints
            if r.name and r.specifier and self._applies(r.marker)
        ]

    def _loose_lines(self, requires: Mapping[str, Iterable[str]]) -> list[str]:
        """One line per name with all that anybody asks of its version."""
        wanted = {name: self._specifiers(name) for name in requires}
        for source, lines in requires.items():
            for line in lines:
                parsed = graph.parse(line)
                if parsed is None or not graph.applies(parsed, self._environment):
                    continue
                name = canonicalize_name(parsed.name)
                if name in wanted and name != source:
                    wanted[name] = _intersection(wanted[name], str(parsed.specifier))
        for constraint in self._set.constraints:
            if constraint.name in wanted:
                wanted[constraint.name] = _intersection(
                    wanted[constraint.name], constraint.specifier
                )
        return [f"{name}{specifier}" for name, specifier in wanted.items()]

    def _specifiers(self, name: str) -> str:
        found = self._direct.get(name, ())
        return _intersection(*(requirement.specifier for requirement in found))

    def _origins(self, name: str) -> tuple[Requirement, ...]:
        return tuple(self._direct.get(name, ()))

    # ----------------------------------------------------------------- the result

    def _resolved(self, found: Pylock) -> Resolved:
        distributions = []
        inventories = {}
        for pinned in lock.select(found, self._environment, self._tags, self._hashes()):
            stand_in = self._made.get(pinned.name, {}).get(pinned.version)
            requirements = self._direct.get(pinned.name, [])
            distribution = replace(
                pinned,
                direct=bool(requirements),
                origins=tuple(requirement.origin for requirement in requirements),
                extras=tuple(dict.fromkeys(e for r in requirements for e in r.extras)),
            )
            if stand_in is not None and (stand_in.direct_url or is_stub(pinned.artifact.filename)):
                distribution = stand_in.replacing(distribution)
                inventories[pinned.name] = stand_in.inventory
            distributions.append(distribution)
        resolution = Resolution(
            distributions=tuple(distributions),
            unsized=(*self._set.set_aside, *self._excluded.values()),
            notes=(*self._notes, *_build_notes(distributions)),
            resolver=version(),
        )
        return Resolved(resolution=resolution, inventories=inventories)

    def _hashes(self) -> dict[str, frozenset[str]]:
        """The sha256 digests that the file allows, by name, for names that have any."""
        found: dict[str, set[str]] = {}
        for name, requirements in self._direct.items():
            for requirement in requirements:
                for item in requirement.hashes:
                    algorithm, _, digest = item.partition(":")
                    if algorithm == "sha256":
                        found.setdefault(name, set()).add(digest)
        return {name: frozenset(digests) for name, digests in found.items()}

    # ----------------------------------------------------------------- memory between runs

    def _key(self) -> str:
        """What the choice of versions depends on, as one digest without credentials."""
        options = self._set.options
        parts = [
            self._set.sha256,
            self._target.stack.name,
            self._target.python_version,
            self._uv.fingerprint,
            *(redact(url) for url in (options.index_url or "", *options.extra_index_urls)),
            *(redact(place) for place in options.find_links),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _indexed(self) -> tuple[StandIn, ...]:
        """Stand-ins for what comes from an index; URLs and folders are read anew each time."""
        return tuple(
            stand_in
            for versions in self._made.values()
            for stand_in in versions.values()
            if not stand_in.direct_url
        )


def _is_name(text: str) -> bool:
    parsed = graph.parse(text)
    return parsed is not None and parsed.name == canonicalize_name(text) == text


def _build_notes(distributions: Iterable[Distribution]) -> Iterator[str]:
    for distribution in distributions:
        if distribution.source_build is not None:
            yield from (f"{distribution.name}: {note}" for note in distribution.source_build.notes)


def _intersection(*specifiers: str | None) -> str:
    """Return specifiers as one, each clause once."""
    clauses = [clause.strip() for text in specifiers if text for clause in text.split(",")]
    return ",".join(dict.fromkeys(filter(None, clauses)))

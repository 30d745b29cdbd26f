"""Changed files resolved and sized side by side. What does not work out is a value with its reason.

Deleting a line can change the whole resolution: a pin that others were held by is gone, too. So
what a change saves is measured, by the same machinery that measured the file as it is.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Pep508Requirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import canonicalize_name

from slugcheck import reading, sizer
from slugcheck.check import Check
from slugcheck.compare import is_newer
from slugcheck.errors import NetworkError, ResolutionError, SlugcheckError, UsageError
from slugcheck.model import (
    Brings,
    Change,
    ChangeKind,
    Distribution,
    DistributionSize,
    Estimate,
    FileLine,
    Finding,
    Freed,
    Inventory,
    MeasuredSaving,
    Need,
    Origin,
    Overlap,
    Remedy,
    RemedyKind,
    Report,
    Requirement,
    RequirementSet,
    RootPaths,
    SizeReport,
    Standing,
    UnmeasuredSaving,
    Unsized,
    Why,
)
from slugcheck.packages import graph
from slugcheck.packages.graph import Graph, Node
from slugcheck.packages.known import (
    CPU_TWINS,
    DEVELOPMENT,
    GPU_ONLY,
    HEADLESS,
    OPENCV,
    TORCH_FAMILY,
)
from slugcheck.packages.requirements.applicable import Asked, applies, asked_for
from slugcheck.project.subject import Subject
from slugcheck.sizing import parts
from slugcheck.sizing.installed import layout_of
from slugcheck.sizing.parts import RUNTIME
from slugcheck.text import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A direct requirement: where the graph begins, and the lines that ask for it."""

    name: str
    extras: tuple[str, ...]
    requirements: tuple[Requirement, ...]  # none in a lock, and for a line that was set aside
    lines: tuple[FileLine, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Where the paths from it begin."""
        return graph.root_nodes(self.name, self.extras)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A measured file. What has no size is in the graph too, as a leaf: its needs are not known."""

    report: Report
    subject: Subject
    environment: Mapping[str, str]
    inventories: Mapping[str, tuple[Distribution, Inventory]]
    unsized: Mapping[str, Unsized]
    asked: Asked | None = field(repr=False)  # None for a lock

    @cached_property
    def starts(self) -> tuple[Start, ...]:
        """The direct requirements, in the order of their names."""
        sized = {
            one.name: one.distribution
            for one in self.report.sizes.distributions
            if one.distribution.direct
        }
        found = [self._start(d.name, d.extras, d) for d in sized.values()]
        found += [
            self._start(name, (), None)
            for name, one in self.unsized.items()
            if name not in sized and self._is_direct(one)
        ]
        return tuple(sorted(found, key=lambda start: start.name))

    def _is_direct(self, one: Unsized) -> bool:
        return one.origin is not None or (self.asked is not None and one.name in self.asked.direct)

    def _start(self, name: str, extras: tuple[str, ...], found: Distribution | None) -> Start:
        named = self.asked.direct.get(name, ()) if self.asked else ()
        own = self.unsized.get(name)
        origins = found.origins if found else (own.origin if own else None,)
        # a bare URL has no name before it is read, but its line is known
        urls = [u for u in self.asked.urls if u.origin in origins] if self.asked else []
        requirements = (*named, *urls)
        lines = [FileLine(text=one.text, origin=one.origin) for one in requirements]
        if not lines and own is not None and own.origin is not None:
            lines = [FileLine(text=own.name, origin=own.origin)]
        return Start(name=name, extras=extras, requirements=requirements, lines=tuple(lines))

    @cached_property
    def requires(self) -> Mapping[str, tuple[str, ...]]:
        """The Requires-Dist lines of everything that is installed."""
        known = {name: found.requires_dist for name, (_, found) in self.inventories.items()}
        return {**dict.fromkeys(self.unsized, ()), **known}

    @cached_property
    def graph(self) -> Graph:
        """Who needs whom, one node for each distribution and extra."""
        roots = {start.name: start.extras for start in self.starts}
        return graph.build(roots, self.requires, self.environment)

    def version(self, name: str) -> str:
        """Return the version that is installed, "" where it is not known."""
        if name in self.inventories:
            return self.inventories[name][0].version
        return (self.unsized[name].version or "") if name in self.unsized else ""

    def starts_reaching(self, nodes: Collection[Node]) -> Iterator[Start]:
        """Yield the direct requirements from which one of ``nodes`` is reached."""
        names = {name for name, _ in nodes}
        for start in self.starts:
            if self.graph.reach(start.nodes) & names:
                yield start

    # ----------------------------------------------------------------- what would go

    def gone_without(self, removed: Collection[str]) -> frozenset[str]:
        """Return the names that go with the lines of some roots, by the graph."""
        left = [node for s in self.starts if s.name not in removed for node in s.nodes]
        return self._reached - self.graph.reach(left)

    def gone_with(self, name: str) -> frozenset[str]:
        """Return the names that would go if nothing needed one distribution, by the graph."""
        every = [node for start in self.starts for node in start.nodes]
        return self._reached - self.graph.reach(every, without=name)

    @cached_property
    def _reached(self) -> frozenset[str]:
        return self.graph.reach(node for start in self.starts for node in start.nodes)

    def freed(self, gone: Collection[str]) -> Freed:
        """Return what distributions take away when they go, as the totals would show it."""
        sizes = [one for one in self.report.sizes.distributions if one.name in gone]
        spare, spare_slug = self._counted_once(gone)
        back, back_slug = self._put_back(gone)
        return Freed(
            names=tuple(sorted(gone)),
            installed_bytes=sum(one.installed_bytes for one in sizes) - spare - back,
            slug_bytes=sum(one.slug.value for one in sizes) - spare_slug - back_slug,
        )

    def _counted_once(self, gone: Collection[str]) -> tuple[int, int]:
        """Return the bytes of shared paths that the totals do not count for what is gone."""
        before = self.report.sizes.overlaps
        names = {name for overlap in before for name in overlap.names}
        if not names & set(gone):
            return 0, 0
        layout = layout_of(self.report.sizes.target, self.subject.manager)
        left = [
            sizer.size_one(*self.inventories[name], layout) for name in sorted(names - set(gone))
        ]
        after = sizer.find_overlaps(left)
        return _spare(before)[0] - _spare(after)[0], _spare(before)[1] - _spare(after)[1]

    def _put_back(self, gone: Collection[str]) -> tuple[int, int]:
        """Return the bytes of the platform's own pip or setuptools that take the place of one."""
        sizes = self.report.sizes
        left = {one.name for one in sizes.distributions} - set(gone)
        own = parts.runtime_parts(sizes.target, left, self.subject.manager)
        return (
            sum(part.installed.value for part in own) - sizes.group_bytes(RUNTIME),
            sum(part.slug.value for part in own) - sizes.group_slug_bytes(RUNTIME),
        )


def _spare(overlaps: tuple[Overlap, ...]) -> tuple[int, int]:
    return sum(one.bytes for one in overlaps), sum(one.slug_bytes for one in overlaps)


def of(run: Check, report: Report) -> Scene:
    """Return what a finished run knows."""
    read = run.subject.requirements
    return Scene(
        report=report,
        subject=run.subject,
        environment=run.environment,
        inventories={d.name: (d, inventory) for d, inventory in run.inventories},
        unsized={canonicalize_name(one.name): one for one in report.sizes.unsized},
        asked=asked_for(read, run.environment) if read is not None else None,
    )


# ---------------- The shortest paths through the graph, all of them counted and the first few told


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Some of the shortest paths, each from a start to a goal, and how many there are in all."""

    shown: tuple[tuple[Node, ...], ...]
    count: int


def shortest(
    graph: Graph, starts: Sequence[Node], goals: Collection[Node], *, most: int
) -> Paths | None:
    """Return up to ``most`` of the shortest paths from ``starts`` to ``goals``, None without any.

    Their number can be exponential in the size of the graph, so it is counted and not listed.
    """
    before: dict[Node, list[Node]] = {start: [] for start in starts if start[0] in graph.names}
    counts = dict.fromkeys(before, 1)
    layer = list(before)
    while layer:
        if found := sorted(node for node in layer if node in goals):
            walks = (walk for node in found for walk in _walks(before, node))
            count = sum(counts[node] for node in found)
            return Paths(shown=tuple(islice(walks, most)), count=count)
        reached = _next_layer(graph, layer, before)
        counts = {node: sum(counts[one] for one in earlier) for node, earlier in reached.items()}
        before |= reached
        layer = list(reached)
    return None


def _next_layer(
    graph: Graph, layer: Sequence[Node], before: Collection[Node]
) -> dict[Node, list[Node]]:
    """Return the nodes that are one step further, each with those it is reached from."""
    reached: dict[Node, list[Node]] = {}
    for node in layer:
        for target in _own(graph, node):
            if target not in before:
                reached.setdefault(target, []).append(node)
    return reached


def _own(graph: Graph, node: Node) -> Iterator[Node]:
    """Yield what a node needs; of an extra only what the distribution does not need without it.

    Whoever needs an extra needs the distribution as well, so no path gets longer by it, and none
    is counted twice.
    """
    plain = frozenset(graph.edges.get((node[0], ""), ())) if node[1] else frozenset()
    yield from (target for target in graph.edges.get(node, ()) if target not in plain)


def _walks(before: dict[Node, list[Node]], goal: Node) -> Iterator[tuple[Node, ...]]:
    """Yield the paths to ``goal`` in the order of their names, from its end on."""
    waiting: list[tuple[Node, ...]] = [(goal,)]
    while waiting:
        walk = waiting.pop()
        earlier = before[walk[0]]
        if not earlier:
            yield walk
        waiting += [(one, *walk) for one in sorted(earlier, reverse=True)]


def label(node: Node) -> str:
    """Return a node as people write it: ``uvicorn[standard]``."""
    name, extra = node
    return f"{name}[{extra}]" if extra else name


# -------------- Which name is meant, and what asks for it: lines of Requires-Dist, and of the file

_QUOTED = 60  # characters of a wrong name that a message repeats
_NEAR = 3
_EXAMPLE = "for example slugcheck why numpy requirements.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The name that was asked about, canonical, with the extras that came with it."""

    name: str
    extras: tuple[str, ...]


def wanted(text: str, place: Path) -> Wanted:
    """Return what the first word of the command means; ``place`` is its second.

    :raises UsageError: it is no name of a distribution.
    """
    shown = printable(text[:_QUOTED])
    path = Path(text)
    if "/" in text or path.suffix in (".txt", ".toml", ".lock") or (text == "." and path.is_dir()):
        message = f"{shown} is a file or a folder, and why asks for a name first"
        other = printable(str(place)) if str(place) != "." else "NAME"
        raise UsageError(message, hint=f"slugcheck why {other} {shown}")
    try:
        found = reading.requirement(text)
    except InvalidRequirement:
        raise UsageError(f"{shown!r} is no name of a distribution", hint=_EXAMPLE) from None
    if found.specifier or found.url or found.marker:
        message = f"{shown} says more than a name; the version is what the file resolves to"
        raise UsageError(message, hint=f"slugcheck why {found.name} {printable(str(place))}")
    extras = sorted(canonicalize_name(extra) for extra in found.extras)
    return Wanted(name=canonicalize_name(found.name), extras=tuple(extras))


# --------------------------------------------------------------------------- who asks


def needs(scene: Scene, name: str) -> tuple[Need, ...]:
    """Return what installed distributions ask of one that counts on this target.

    A line that holds without an extra is not told again for each extra.
    """
    found: dict[Node, dict[str, Pep508Requirement]] = {}
    for node in sorted(scene.graph.edges):
        plain = found.get((node[0], ""), {})
        for requirement in _asking(scene, node, name):
            if str(requirement) not in plain:
                found.setdefault(node, {})[str(requirement)] = requirement
    return tuple(_need(scene, node, tuple(lines.values())) for node, lines in found.items())


def _asking(scene: Scene, node: Node, name: str) -> Iterator[Pep508Requirement]:
    for requirement in _named(scene, node[0], name):
        if graph.applies(requirement, scene.environment, node[1]) and node[0] != name:
            yield requirement


def _named(scene: Scene, by: str, name: str) -> Iterator[Pep508Requirement]:
    """Yield the lines of one distribution's Requires-Dist that name another."""
    for line in scene.requires[by]:
        requirement = graph.parse(line)
        if requirement is not None and canonicalize_name(requirement.name) == name:
            yield requirement


def _need(
    scene: Scene, node: Node, requirements: Sequence[Pep508Requirement], unmet: str = ""
) -> Need:
    by, extra = node
    return Need(
        by=by,
        version=scene.version(by),
        extra=extra,
        asks=_together(requirements),
        lines=tuple(map(str, requirements)),
        unmet=unmet,
    )


def _together(requirements: Sequence[Pep508Requirement]) -> str:
    """Return one line as it is; several without markers, of their lower bounds the highest."""
    if len(requirements) == 1:
        return str(requirements[0])
    clauses = {clause for one in requirements for clause in one.specifier}
    bounds = [clause for clause in clauses if clause.operator == ">="]
    weaker = sorted(bounds, key=lambda clause: reading.version(clause.version))[:-1]
    kept = ",".join(sorted(str(clause) for clause in clauses.difference(weaker)))
    extras = sorted({extra for one in requirements for extra in one.extras})
    shown = f"[{','.join(extras)}]" if extras else ""
    return f"{requirements[0].name}{shown}{kept}"


# --------------------------------------------------------------------------- who would ask


def unmet(scene: Scene, name: str) -> tuple[Need, ...]:
    """Return what names a distribution without having it installed, each with the reason."""
    return (*_of_the_file(scene, name), *_of_distributions(scene, name))


def _of_the_file(scene: Scene, name: str) -> Iterator[Need]:
    read = scene.subject.requirements
    if read is None:
        return
    minor = scene.report.sizes.target.minor
    here = f"its marker does not hold on Linux with Python {minor}"
    lines: list[tuple[str, str, str, Origin | None]] = [
        (one.name, one.text, one.marker, one.origin) for one in read.requirements
    ]
    lines += [
        (canonicalize_name(one.name), f"{one.name} ; {one.marker}", one.marker, one.origin)
        for one in read.set_aside
    ]
    for named, text, marker, origin in lines:
        if named == name and not applies(marker, scene.environment):
            yield _line(text, origin, here)
    for one in read.constraints:
        if one.name == name:
            yield _line(one.text, one.origin, "a constraint limits versions, and installs nothing")


def _line(text: str, origin: Origin | None, unmet: str) -> Need:
    return Need(
        by="", version="", extra="", asks=text, lines=(text,), origin=origin, unmet=unmet
    )  # fmt: skip


def _of_distributions(scene: Scene, name: str) -> Iterator[Need]:
    for by in sorted(scene.requires):
        for requirement in _named(scene, by, name):
            extra = _extra_that_asks(scene, by, requirement)
            reason = f"only with its extra {extra}" if extra else "its marker does not hold here"
            yield _need(scene, (by, extra), (requirement,), reason)


def _extra_that_asks(scene: Scene, by: str, requirement: Pep508Requirement) -> str:
    """Return the extra with which a line would count, "" where none makes it."""
    if by not in scene.inventories:
        return ""
    extras = scene.inventories[by][1].provides_extra
    asks = (e for e in extras if graph.applies(requirement, scene.environment, e))
    return canonicalize_name(next(asks, ""))


def unknown(scene: Scene, name: str) -> UsageError:
    """Return the error for a name that neither the file nor anything installed has."""
    shown = {
        key: scene.unsized[key].name if key in scene.unsized else key for key in scene.requires
    }
    near = [shown[key] for key in difflib.get_close_matches(name, sorted(shown), n=_NEAR)]
    path = printable(scene.report.path)
    message = f"{name} is not in {path}, and nothing there asks for it"
    if near:
        return UsageError(message, hint=f"did you mean {' or '.join(map(printable, near))}?")
    return UsageError(message, hint=f"slugcheck {path} --all lists what is installed")


# ------------ The answer that follows from the graph of one resolution, before anything is changed

_PATHS = 3
_NAMED = 5


def find(scene: Scene, wanted: Wanted) -> Why:
    """Return why a distribution is there, or why it is not.

    :raises UsageError: nothing in the file has that name.
    """
    name = wanted.name
    if name not in scene.requires:
        return _absent(scene, wanted)
    nodes, notes = _nodes(scene, wanted)
    sized = {one.name: one for one in scene.report.sizes.distributions}
    starts = tuple(scene.starts_reaching(nodes))
    return Why(
        report=scene.report,
        name=name,
        asked_extras=wanted.extras,
        standing=Standing.INSTALLED if name in sized else Standing.UNSIZED,
        size=sized.get(name),
        unsized=None if name in sized else scene.unsized.get(name),
        needs=needs(scene, name),
        roots=tuple(_roots(scene, starts, nodes)),
        brings=_brings(scene, name, sized) if name in sized else None,
        remedies=(),
        findings=_findings(scene, name, [start.name for start in starts]),
        notes=(*notes, *_unsized_roots(scene, name)),
    )


def _absent(scene: Scene, wanted: Wanted) -> Why:
    found = unmet(scene, wanted.name)
    if not found:
        raise unknown(scene, wanted.name)
    return Why(
        report=scene.report,
        name=wanted.name,
        asked_extras=wanted.extras,
        standing=Standing.ABSENT,
        size=None,
        unsized=None,
        needs=found,
        roots=(),
        brings=None,
        remedies=(),
        findings=(),
        notes=tuple(_unsized_roots(scene, wanted.name)),
    )


def _nodes(scene: Scene, wanted: Wanted) -> tuple[tuple[Node, ...], list[str]]:
    """Return the nodes that are asked about; extras that nobody wants are told, and left out."""
    named = tuple((wanted.name, e) for e in wanted.extras if (wanted.name, e) in scene.graph.edges)
    lost = [extra for extra in wanted.extras if (wanted.name, extra) not in named]
    notes = [f"nothing asks for {wanted.name}[{','.join(lost)}]"] if lost else []
    return named or ((wanted.name, ""),), notes


def _roots(scene: Scene, starts: Iterable[Start], nodes: Collection[Node]) -> Iterator[RootPaths]:
    """Yield each root with its paths, the shortest first."""
    found = []
    for start in starts:
        known = shortest(scene.graph, start.nodes, nodes, most=_PATHS)
        if known is not None:
            found.append((len(known.shown[0]), start, known))
    for _, start, known in sorted(found, key=lambda one: (one[0], one[1].name)):
        yield RootPaths(
            name=start.name,
            version=scene.version(start.name),
            lines=start.lines,
            paths=tuple(tuple(map(label, path)) for path in known.shown),
            more_paths=known.count - len(known.shown),
        )


def _brings(scene: Scene, name: str, sized: dict[str, DistributionSize]) -> Brings:
    nodes = [node for node in scene.graph.edges if node[0] == name]
    everything = scene.graph.reach(nodes) - {name}
    gone = scene.gone_with(name) | {name}

    def largest_first(names: Collection[str]) -> tuple[DistributionSize, ...]:
        found = [sized[one] for one in names if one in sized]
        return tuple(sorted(found, key=lambda one: (-one.slug.value, one.name)))

    return Brings(
        exclusive=largest_first(everything & gone),
        shared=largest_first(everything - gone),
        unsized=tuple(sorted(everything - set(sized))),
        freed=scene.freed(gone),
    )


def _findings(scene: Scene, name: str, roots: Iterable[str]) -> tuple[Finding, ...]:
    """Return the findings about the distribution, and those whose remedy takes it away."""
    bringing, lines = frozenset(_above(scene, name)), frozenset(roots)

    def concerns(one: Finding) -> bool:
        if one.subject == name:
            return True
        match one.code:
            case "cuda-on-cpu":
                own = GPU_ONLY.match(name) is not None or name in TORCH_FAMILY
                return own and (one.subject in bringing or one.subject in TORCH_FAMILY)
            case "two-opencvs":
                return name in OPENCV
            case "development-tools":
                return not lines.isdisjoint(DEVELOPMENT)
            case _:
                return False

    return tuple(filter(concerns, scene.report.findings))


def _above(scene: Scene, name: str) -> Iterator[str]:
    for other in scene.requires:
        nodes = [node for node in scene.graph.edges if node[0] == other]
        if other != name and name in scene.graph.reach(nodes):
            yield other


def _unsized_roots(scene: Scene, name: str) -> Iterator[str]:
    """Say what may need it as well, for all that is known."""
    closed = [
        scene.unsized[start.name].name
        for start in scene.starts
        if start.name in scene.unsized and start.name not in (name, *scene.inventories)
    ]
    if closed:
        more = f" and {len(closed) - _NAMED} more" if len(closed) > _NAMED else ""
        names = f"{', '.join(closed[:_NAMED])}{more}"
        yield f"what {names} may need is not known: {_it(closed)} could not be sized"


def _it(names: Collection[str]) -> str:
    return "it" if len(names) == 1 else "they"


# ----------- The changed files that are worth trying: a line less, a newer version, a lighter twin

# What no newer version is kept out by.
_OPEN_ENDED = frozenset({">=", ">", "!="})


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A change of the file, not measured yet; ``requirements`` is None where it has no lines."""

    kind: RemedyKind
    starts: tuple[Start, ...]
    after: tuple[FileLine, ...]
    graph: Freed | None
    requirements: RequirementSet | None = field(repr=False)

    def remedy(self, reason: str) -> Remedy:
        """Return the same as an answer without a measurement."""
        return Remedy(
            kind=self.kind,
            roots=tuple(start.name for start in self.starts),
            before=tuple(line for start in self.starts for line in start.lines),
            after=self.after,
            graph=self.graph,
            outcome=UnmeasuredSaving(reason=reason, tried=False),
        )


def changes(scene: Scene, why: Why) -> tuple[Changed, ...]:
    """Return the changes, those first that take most away by the graph.

    All lines together come first; then each line with what could be in its place.
    """
    named = {root.name for root in why.roots}
    starts = [start for start in scene.starts if start.name in named]
    found = [(_removed(scene, (start,)), start) for start in starts]

    def rank(pair: tuple[Changed, Start]) -> tuple[int, str]:
        freed = pair[0].graph
        return -(freed.slug_bytes if freed else 0), pair[1].name

    several = [_removed(scene, tuple(starts))] if len(starts) > 1 else []
    held = tuple(start for start in starts if _is_held_back(start))
    if len(held) > 1:
        several.append(_rewritten(scene, held, RemedyKind.NEWEST_ALL, _newest))
    ranked = sorted(found, key=rank)
    return (*several, *(one for pair in ranked for one in (pair[0], *_replaced(scene, pair[1]))))


# --------------------------------------------------------------------------- removed


def _removed(scene: Scene, starts: tuple[Start, ...]) -> Changed:
    names = {start.name for start in starts}
    asked = {one for start in starts for one in start.requirements}
    read = scene.subject.requirements
    return Changed(
        kind=RemedyKind.REMOVE if len(starts) == 1 else RemedyKind.REMOVE_ALL,
        starts=starts,
        after=(),
        graph=scene.freed(scene.gone_without(names)),
        requirements=None if read is None else _without(read, asked, names),
    )


def _without(read: RequirementSet, asked: set[Requirement], names: set[str]) -> RequirementSet:
    kept = tuple(one for one in read.requirements if one not in asked)
    aside = tuple(one for one in read.set_aside if canonicalize_name(one.name) not in names)
    return _with(replace(read, set_aside=aside), kept)


def _with(read: RequirementSet, requirements: tuple[Requirement, ...]) -> RequirementSet:
    """Return a set with other lines; its digest is its own, since answers are kept under it."""
    lines = [f"{one.text} {one.specifier} {one.origin}" for one in requirements]
    lines += [f"{one.name} {one.origin}" for one in read.set_aside]
    digest = hashlib.sha256("\n".join([read.sha256, *lines]).encode("utf-8", "replace"))
    return replace(read, requirements=requirements, sha256=digest.hexdigest())


# --------------------------------------------------------------------------- replaced


def _replaced(scene: Scene, start: Start) -> Iterator[Changed]:
    """Yield what could be in the place of a line: a newer version, a twin."""
    if _is_held_back(start):
        yield _rewritten(scene, (start,), RemedyKind.NEWEST, _newest)
    twin = _twin_of(scene, start.name)
    if twin is not None and _is_rewritable(start):
        pin = f"=={scene.version(start.name)}"
        yield _rewritten(
            scene, (start,), RemedyKind.TWIN, lambda one: _changed_named(one, twin, pin)
        )


def _is_rewritable(start: Start) -> bool:
    return bool(start.requirements) and all(one.url is None for one in start.requirements)


def _is_held_back(start: Start) -> bool:
    return _is_rewritable(start) and any(_holds_back(r.specifier) for r in start.requirements)


def _holds_back(specifier: str) -> bool:
    """Whether a specifier may keep a newer version out."""
    try:
        clauses = reading.specifiers(specifier)
    except InvalidSpecifier:
        return True
    return any(clause.operator not in _OPEN_ENDED for clause in clauses)


def _newest(one: Requirement) -> Requirement:
    return _changed_named(one, one.name, "")


def _changed_named(one: Requirement, name: str, specifier: str) -> Requirement:
    """Return a line with another name and version; extras and marker are kept, hashes are not."""
    extras = f"[{','.join(one.extras)}]" if one.extras else ""
    marker = f" ; {one.marker}" if one.marker else ""
    text = f"{name}{extras}{specifier}{marker}"
    return replace(one, name=name, specifier=specifier, text=text, hashes=())


def _twin_of(scene: Scene, name: str) -> str | None:
    twins = {**HEADLESS, **({} if scene.report.sizes.target.platform.gpu else CPU_TWINS)}
    twin = twins.get(name)
    return None if twin in scene.requires else twin


def _rewritten(
    scene: Scene,
    starts: tuple[Start, ...],
    kind: RemedyKind,
    rewrite: Callable[[Requirement], Requirement],
) -> Changed:
    read = scene.subject.requirements
    assert read is not None  # noqa: S101 - a root has lines only where there is a file of them
    own = {one: rewrite(one) for start in starts for one in start.requirements}
    lines = tuple(own.get(one, one) for one in read.requirements)
    return Changed(
        kind=kind,
        starts=starts,
        after=_lines(tuple(own.values())),
        graph=None,
        requirements=_with(read, lines),
    )


def _lines(requirements: Sequence[Requirement]) -> tuple[FileLine, ...]:
    return tuple(FileLine(text=text) for text in dict.fromkeys(one.text for one in requirements))


# -- Changed files resolved and sized side by side. What does not work out is a value with its reas

# Resolving is the work of one processor; more at once only wait for each other.
_AT_ONCE = min(4, os.cpu_count() or 1)

Measure = Callable[[RequirementSet], SizeReport]


class Variants:
    """The changes of one question; ``measure`` yields how many are done."""

    def __init__(
        self, name: str, before: SizeReport, changes: Sequence[Changed], *, most: int
    ) -> None:
        """Choose the first ``most`` of the changes; nothing is measured yet."""
        self._name = name
        self._before = before
        self._changes = tuple(changes)
        can = [number for number, one in enumerate(changes) if one.requirements is not None]
        self._tried = tuple(can[: max(most, 0)])
        self._outcomes: dict[int, MeasuredSaving | UnmeasuredSaving] = {}

    @property
    def count(self) -> int:
        """How many are to be measured."""
        return len(self._tried)

    def measure(self, measure: Measure) -> Iterator[int]:
        """Measure each, yielding how many are done."""
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            running: dict[Future[SizeReport], int] = {}
            for number in self._tried:
                wanted = self._changes[number].requirements
                assert wanted is not None  # noqa: S101 - chosen for having some
                running[pool.submit(measure, wanted)] = number
            for done, future in enumerate(as_completed(running), 1):
                self._outcomes[running[future]] = self._outcome(future)
                yield done
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _outcome(self, future: Future[SizeReport]) -> MeasuredSaving | UnmeasuredSaving:
        try:
            return saving(self._name, self._before, future.result())
        except SlugcheckError as error:
            return UnmeasuredSaving(reason=_because(error), tried=True)

    def remedies(self, untried: str) -> tuple[Remedy, ...]:
        """Return every change with its outcome; ``untried`` is the reason of those left out."""
        return tuple(
            replace(one.remedy(untried), outcome=self._outcomes[number])
            if number in self._outcomes
            else one.remedy(untried)
            for number, one in enumerate(self._changes)
        )


def _because(error: SlugcheckError) -> str:
    if isinstance(error, ResolutionError):
        return f"does not resolve: {error}"
    kind = "the network" if isinstance(error, NetworkError) else "not measured"
    return f"{kind}: {error}"


def saving(name: str, before: SizeReport, after: SizeReport) -> MeasuredSaving | UnmeasuredSaving:
    """Return what ``after`` saves against ``before``, seen from one distribution.

    Where something has no size that had one, or was not there, there is no honest figure.
    """
    known = {canonicalize_name(one.name) for one in before.unsized}
    lost = [one for one in after.unsized if canonicalize_name(one.name) not in known]
    if lost:
        reason = f"{lost[0].name} could not be sized then: {lost[0].reason}"
        return UnmeasuredSaving(reason=reason, tried=True)
    left = {canonicalize_name(one.name) for one in after.unsized}
    then = {one.name: one for one in before.distributions}
    now = {one.name: one for one in after.distributions}
    touched = [
        one for key in {*then, *now} if _version(then.get(key)) != _version(now.get(key))
        for one in (then.get(key), now.get(key)) if one is not None
    ]  # fmt: skip
    return MeasuredSaving(
        installed_bytes=before.installed.value - after.installed.value,
        slug_bytes=before.slug.value - after.slug.value,
        installed_doubt_bytes=sum(_half(one.installed) for one in touched),
        slug_doubt_bytes=sum(_half(one.slug) for one in touched),
        installed=after.installed,
        slug=after.slug,
        changes=_changes(then, now),
        left=_version(now.get(name)) or ("" if name in left else None),
        unsized_gone=tuple(sorted(known - left)),
    )


def _changes(
    then: dict[str, DistributionSize], now: dict[str, DistributionSize]
) -> tuple[Change, ...]:
    names = [key for key in {*then, *now} if _version(then.get(key)) != _version(now.get(key))]
    found = [_change(key, then.get(key), now.get(key)) for key in names]
    return tuple(sorted(found, key=lambda one: (-abs(one.slug_bytes), one.name)))


def _change(name: str, then: DistributionSize | None, now: DistributionSize | None) -> Change:
    one = now or then
    assert one is not None  # noqa: S101 - a name comes from one of the two
    was, slug_was = (then.installed_bytes, then.slug.value) if then else (0, 0)
    grown, slug_grown = (now.installed_bytes, now.slug.value) if now else (0, 0)
    return Change(
        name=name,
        kind=_kind(_version(then), _version(now)),
        before=_version(then),
        after=_version(now),
        installed_bytes=grown - was,
        slug_bytes=slug_grown - slug_was,
        percent=100 * (slug_grown - slug_was) / slug_was if slug_was else None,
        because=(*(("direct",) if one.distribution.direct else ()), *one.required_by),
    )


def _kind(before: str | None, after: str | None) -> ChangeKind:
    if before is None:
        return ChangeKind.ADDED
    if after is None:
        return ChangeKind.REMOVED
    return ChangeKind.UPGRADED if is_newer(after, before) else ChangeKind.DOWNGRADED


def _version(one: DistributionSize | None) -> str | None:
    return one.distribution.version if one is not None else None


def _half(figure: Estimate[int]) -> int:
    return -(-(figure.high - figure.low) // 2)


# ------------------------ Why a distribution is there, and what each change of the file would save

_LOCK = "a lock has no lines to change: what goes follows from its graph alone"


class Inquiry:
    """One question about a finished run: ``measure`` tries changes, ``why`` is the answer."""

    def __init__(self, run: Check, report: Report, wanted: Wanted, *, most: int) -> None:
        """Find the answer that follows from the graph; ``most`` changes are measured at most.

        :raises UsageError: nothing in the file has that name.
        """
        self._started = time.perf_counter()
        self._run = run
        known = of(run, report)
        self._answer = find(known, wanted)
        found = changes(known, self._answer)
        self._variants = Variants(wanted.name, report.sizes, found, most=most)
        self._untried = _LOCK if known.asked is None else _limit(most)

    @property
    def count(self) -> int:
        """How many changed files are to be measured."""
        return self._variants.count

    def measure(self) -> Iterator[int]:
        """Resolve and size each changed file, yielding how many are done."""
        yield from self._variants.measure(self._run.sizes_with)

    @property
    def why(self) -> Why:
        """The answer, with what ``measure`` has found so far."""
        report = self._answer.report
        took = time.perf_counter() - self._started
        return replace(
            self._answer,
            remedies=self._variants.remedies(self._untried),
            report=replace(report, seconds=report.seconds + took),
        )


def _limit(most: int) -> str:
    return f"not tried, beyond --variants {most}" if most else "not tried (--variants 0)"

"""Why a distribution is installed, and what each change of the file would save.

``Inquiry`` is one question. ``of`` collects what a finished check knows, ``find`` answers from the
graph of its resolution, ``changes`` proposes changed files, and ``Variants`` resolves and sizes
them. Deleting a line can change the whole resolution, since its pin may have held back others, so
savings are measured in the same way as the file itself. A change that cannot be resolved or sized
has a reason instead of a saving.
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
from slugcheck.compare import changes as changes_between
from slugcheck.compare import doubts
from slugcheck.errors import NetworkError, ResolutionError, SlugcheckError, UsageError
from slugcheck.model import (
    Brings,
    ChangeKind,
    Distribution,
    DistributionSize,
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
    to_document,
)
from slugcheck.packages import graph
from slugcheck.packages.graph import Graph, Node
from slugcheck.packages.known import (
    CPU_BUILDS,
    DEVELOPMENT,
    GPU_ONLY,
    HEADLESS,
    OPENCV,
    TORCH_FAMILY,
)
from slugcheck.packages.requirements.applicable import Asked, applies, asked_for
from slugcheck.project.app import Subject
from slugcheck.sizing import slug_parts
from slugcheck.sizing.installed import layout_of
from slugcheck.sizing.slug_parts import RUNTIME
from slugcheck.text import listed, printable

# Resolving keeps one processor busy; more at once only wait for each other.
_AT_ONCE = min(4, os.cpu_count() or 1)
_SHOWN_PATHS = 3
_NAMED = 5  # packages that one note names
_SUGGESTED = 3  # similar names
_QUOTED = 60  # characters of an invalid name that a message repeats
_EXAMPLE = "for example slugcheck why numpy requirements.txt"
_LOCK = "a lock file has no lines to change: the graph alone says what would be removed"
# Operators that do not exclude newer versions.
_OPEN_ENDED = frozenset({">=", ">", "!="})


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A direct requirement: a start of the graph, with its lines in the file."""

    name: str
    extras: tuple[str, ...]
    requirements: tuple[Requirement, ...]  # none in a lock, or for a skipped line
    lines: tuple[FileLine, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that its paths start from."""
        return graph.root_nodes(self.name, self.extras)


@dataclass(frozen=True, kw_only=True)
class Context:
    """A checked file. Unsized packages are leaves of the graph: their requirements are unknown."""

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
        # the name of a bare URL is unknown until it is read, but its line is known
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
        """What requires what: one node for each distribution and extra."""
        roots = {start.name: start.extras for start in self.starts}
        return graph.build(roots, self.requires, self.environment)

    def version(self, name: str) -> str:
        """Return the installed version, "" if unknown."""
        if name in self.inventories:
            return self.inventories[name][0].version
        return (self.unsized[name].version or "") if name in self.unsized else ""

    def starts_reaching(self, nodes: Collection[Node]) -> Iterator[Start]:
        """Yield the direct requirements from which one of ``nodes`` is reached."""
        names = {name for name, _ in nodes}
        for start in self.starts:
            if self.graph.reach(start.nodes) & names:
                yield start

    # ----------------------------------------------------------------- removals

    def gone_without(self, removed: Collection[str]) -> frozenset[str]:
        """Return the names that are removed with the lines of some roots, by the graph."""
        left = [node for s in self.starts if s.name not in removed for node in s.nodes]
        return self._reached - self.graph.reach(left)

    def gone_with(self, name: str) -> frozenset[str]:
        """Return the names that are removed if nothing requires a distribution, by the graph."""
        every = [node for start in self.starts for node in start.nodes]
        return self._reached - self.graph.reach(every, without=name)

    @cached_property
    def _reached(self) -> frozenset[str]:
        return self.graph.reach(node for start in self.starts for node in start.nodes)

    def freed(self, gone: Collection[str]) -> Freed:
        """Return what removing distributions frees in the totals."""
        sizes = [one for one in self.report.sizes.distributions if one.name in gone]
        spare, spare_slug = self._counted_once(gone)
        back, back_slug = self._replaced_by_runtime(gone)
        return Freed(
            names=tuple(sorted(gone)),
            installed_bytes=sum(one.installed_bytes for one in sizes) - spare - back,
            slug_bytes=sum(one.slug.value for one in sizes) - spare_slug - back_slug,
        )

    def _counted_once(self, gone: Collection[str]) -> tuple[int, int]:
        """Return the bytes of shared paths that the totals do not count for removed packages."""
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

    def _replaced_by_runtime(self, gone: Collection[str]) -> tuple[int, int]:
        """Return the bytes of the platform's own pip or setuptools that replace removed ones."""
        sizes = self.report.sizes
        left = {one.name for one in sizes.distributions} - set(gone)
        own = slug_parts.runtime_parts(sizes.target, left, self.subject.manager)
        return (
            sum(part.installed.value for part in own) - sizes.group_bytes(RUNTIME),
            sum(part.slug.value for part in own) - sizes.group_slug_bytes(RUNTIME),
        )


def _spare(overlaps: tuple[Overlap, ...]) -> tuple[int, int]:
    return sum(one.bytes for one in overlaps), sum(one.slug_bytes for one in overlaps)


def of(run: Check, report: Report) -> Context:
    """Return what a finished run knows."""
    read = run.subject.requirements
    return Context(
        report=report,
        subject=run.subject,
        environment=run.environment,
        inventories={d.name: (d, inventory) for d, inventory in run.inventories},
        unsized={canonicalize_name(one.name): one for one in report.sizes.unsized},
        asked=asked_for(read, run.environment) if read is not None else None,
    )


# --------------------------------------------------------------------------- paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Some of the shortest paths from a start to a goal, and the number of all of them."""

    shown: tuple[tuple[Node, ...], ...]
    count: int


def shortest(
    graph: Graph, starts: Sequence[Node], goals: Collection[Node], *, most: int
) -> Paths | None:
    """Return up to ``most`` of the shortest paths from ``starts`` to ``goals``, None without any.

    Their number can be exponential in the size of the graph, so they are counted, not listed.
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
    """Yield what a node requires; for an extra only what the distribution does not require itself.

    What requires an extra requires the distribution too, so no path gets longer and none is
    counted twice.
    """
    plain = frozenset(graph.edges.get((node[0], ""), ())) if node[1] else frozenset()
    yield from (target for target in graph.edges.get(node, ()) if target not in plain)


def _walks(before: dict[Node, list[Node]], goal: Node) -> Iterator[tuple[Node, ...]]:
    """Yield the paths to ``goal`` in the order of their names."""
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


# --------------------------------------------------------------------------- the name


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The canonical name of the question, with its extras."""

    name: str
    extras: tuple[str, ...]


def wanted(text: str, place: Path) -> Wanted:
    """Return the meaning of the command's first argument; ``place`` is its second.

    :raises UsageError: it is not a package name.
    """
    shown = printable(text[:_QUOTED])
    path = Path(text)
    if "/" in text or path.suffix in (".txt", ".toml", ".lock") or (text == "." and path.is_dir()):
        message = f"{shown} is a file or a folder; the package name comes first"
        other = printable(str(place)) if str(place) != "." else "NAME"
        raise UsageError(message, hint=f"slugcheck why {other} {shown}")
    try:
        found = reading.requirement(text)
    except InvalidRequirement:
        raise UsageError(f"{shown!r} is not a package name", hint=_EXAMPLE) from None
    if found.specifier or found.url or found.marker:
        message = f"{shown} is more than a name; the file decides the version"
        raise UsageError(message, hint=f"slugcheck why {found.name} {printable(str(place))}")
    extras = sorted(canonicalize_name(extra) for extra in found.extras)
    return Wanted(name=canonicalize_name(found.name), extras=tuple(extras))


# --------------------------------------------------------------------------- requirements


def needs(context: Context, name: str) -> tuple[Need, ...]:
    """Return the requirements of installed distributions that apply on this target.

    A line that applies without an extra is not repeated for each extra.
    """
    found: dict[Node, dict[str, Pep508Requirement]] = {}
    for node in sorted(context.graph.edges):
        plain = found.get((node[0], ""), {})
        for requirement in _requiring(context, node, name):
            if str(requirement) not in plain:
                found.setdefault(node, {})[str(requirement)] = requirement
    return tuple(_need(context, node, tuple(lines.values())) for node, lines in found.items())


def _requiring(context: Context, node: Node, name: str) -> Iterator[Pep508Requirement]:
    for requirement in _named(context, node[0], name):
        if graph.applies(requirement, context.environment, node[1]) and node[0] != name:
            yield requirement


def _named(context: Context, by: str, name: str) -> Iterator[Pep508Requirement]:
    """Yield the lines of one distribution's Requires-Dist that name another."""
    for line in context.requires[by]:
        requirement = graph.parse(line)
        if requirement is not None and canonicalize_name(requirement.name) == name:
            yield requirement


def _need(
    context: Context, node: Node, requirements: Sequence[Pep508Requirement], unmet: str = ""
) -> Need:
    by, extra = node
    return Need(
        by=by,
        version=context.version(by),
        extra=extra,
        asks=_together(requirements),
        lines=tuple(map(str, requirements)),
        unmet=unmet,
    )


def _together(requirements: Sequence[Pep508Requirement]) -> str:
    """Return a single line as it is; several combined, without markers, with the highest bound."""
    if len(requirements) == 1:
        return str(requirements[0])
    clauses = {clause for one in requirements for clause in one.specifier}
    bounds = [clause for clause in clauses if clause.operator == ">="]
    weaker = sorted(bounds, key=lambda clause: reading.version(clause.version))[:-1]
    kept = ",".join(sorted(str(clause) for clause in clauses.difference(weaker)))
    extras = sorted({extra for one in requirements for extra in one.extras})
    shown = f"[{','.join(extras)}]" if extras else ""
    return f"{requirements[0].name}{shown}{kept}"


def unmet(context: Context, name: str) -> tuple[Need, ...]:
    """Return the requirements that do not apply here, each with the reason."""
    return (*_of_the_file(context, name), *_of_distributions(context, name))


def _of_the_file(context: Context, name: str) -> Iterator[Need]:
    read = context.subject.requirements
    if read is None:
        return
    minor = context.report.sizes.target.minor
    here = f"its marker excludes Linux with Python {minor}"
    lines: list[tuple[str, str, str, Origin | None]] = [
        (one.name, one.text, one.marker, one.origin) for one in read.requirements
    ]
    lines += [
        (canonicalize_name(one.name), f"{one.name} ; {one.marker}", one.marker, one.origin)
        for one in read.set_aside
    ]
    for named, text, marker, origin in lines:
        if named == name and not applies(marker, context.environment):
            yield _line(text, origin, here)
    for one in read.constraints:
        if one.name == name:
            yield _line(one.text, one.origin, "a constraint limits versions but installs nothing")


def _line(text: str, origin: Origin | None, unmet: str) -> Need:
    return Need(
        by="", version="", extra="", asks=text, lines=(text,), origin=origin, unmet=unmet
    )  # fmt: skip


def _of_distributions(context: Context, name: str) -> Iterator[Need]:
    for by in sorted(context.requires):
        for requirement in _named(context, by, name):
            extra = _extra_that_asks(context, by, requirement)
            reason = f"only with its extra {extra}" if extra else "its marker excludes this target"
            yield _need(context, (by, extra), (requirement,), reason)


def _extra_that_asks(context: Context, by: str, requirement: Pep508Requirement) -> str:
    """Return the extra with which a line would apply, or ""."""
    if by not in context.inventories:
        return ""
    extras = context.inventories[by][1].provides_extra
    asks = (e for e in extras if graph.applies(requirement, context.environment, e))
    return canonicalize_name(next(asks, ""))


def unknown(context: Context, name: str) -> UsageError:
    """Return the error for a name that nothing requires."""
    shown = {
        key: context.unsized[key].name if key in context.unsized else key
        for key in context.requires
    }
    near = [shown[key] for key in difflib.get_close_matches(name, sorted(shown), n=_SUGGESTED)]
    path = printable(context.report.path)
    message = f"{name} is not in {path}, and nothing there requires it"
    if near:
        return UsageError(message, hint=f"did you mean {' or '.join(map(printable, near))}?")
    return UsageError(message, hint=f"slugcheck {path} --all lists what is installed")


# --------------------------------------------------------------------------- the answer


def find(context: Context, wanted: Wanted) -> Why:
    """Return why a distribution is installed, or why not.

    :raises UsageError: nothing requires that name.
    """
    name = wanted.name
    if name not in context.requires:
        return _absent(context, wanted)
    nodes, notes = _nodes(context, wanted)
    sized = {one.name: one for one in context.report.sizes.distributions}
    starts = tuple(context.starts_reaching(nodes))
    return Why(
        report=context.report,
        name=name,
        asked_extras=wanted.extras,
        standing=Standing.INSTALLED if name in sized else Standing.UNSIZED,
        size=sized.get(name),
        unsized=None if name in sized else context.unsized.get(name),
        needs=needs(context, name),
        roots=tuple(_roots(context, starts, nodes)),
        brings=_brings(context, name, sized) if name in sized else None,
        remedies=(),
        findings=_findings(context, name, [start.name for start in starts]),
        notes=(*notes, *_unsized_roots(context, name)),
    )


def _absent(context: Context, wanted: Wanted) -> Why:
    found = unmet(context, wanted.name)
    if not found:
        raise unknown(context, wanted.name)
    return Why(
        report=context.report,
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
        notes=tuple(_unsized_roots(context, wanted.name)),
    )


def _nodes(context: Context, wanted: Wanted) -> tuple[tuple[Node, ...], list[str]]:
    """Return the nodes of the question, and a note on extras that nothing requires."""
    named = tuple(
        (wanted.name, e) for e in wanted.extras if (wanted.name, e) in context.graph.edges
    )
    lost = [extra for extra in wanted.extras if (wanted.name, extra) not in named]
    notes = [f"nothing requires {wanted.name}[{','.join(lost)}]"] if lost else []
    return named or ((wanted.name, ""),), notes


def _roots(
    context: Context, starts: Iterable[Start], nodes: Collection[Node]
) -> Iterator[RootPaths]:
    """Yield each root with its paths, the shortest first."""
    found = []
    for start in starts:
        known = shortest(context.graph, start.nodes, nodes, most=_SHOWN_PATHS)
        if known is not None:
            found.append((len(known.shown[0]), start, known))
    for _, start, known in sorted(found, key=lambda one: (one[0], one[1].name)):
        yield RootPaths(
            name=start.name,
            version=context.version(start.name),
            lines=start.lines,
            paths=tuple(tuple(map(label, path)) for path in known.shown),
            more_paths=known.count - len(known.shown),
        )


def _brings(context: Context, name: str, sized: dict[str, DistributionSize]) -> Brings:
    nodes = [node for node in context.graph.edges if node[0] == name]
    everything = context.graph.reach(nodes) - {name}
    gone = context.gone_with(name) | {name}

    def largest_first(names: Collection[str]) -> tuple[DistributionSize, ...]:
        found = [sized[one] for one in names if one in sized]
        return tuple(sorted(found, key=lambda one: (-one.slug.value, one.name)))

    return Brings(
        exclusive=largest_first(everything & gone),
        shared=largest_first(everything - gone),
        unsized=tuple(sorted(everything - set(sized))),
        freed=context.freed(gone),
    )


def _findings(context: Context, name: str, roots: Iterable[str]) -> tuple[Finding, ...]:
    """Return the findings about the distribution, and those whose fix removes it."""
    bringing, lines = frozenset(_above(context, name)), frozenset(roots)

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

    return tuple(filter(concerns, context.report.findings))


def _above(context: Context, name: str) -> Iterator[str]:
    for other in context.requires:
        nodes = [node for node in context.graph.edges if node[0] == other]
        if other != name and name in context.graph.reach(nodes):
            yield other


def _unsized_roots(context: Context, name: str) -> Iterator[str]:
    """Yield a note on unsized packages that may require it too."""
    closed = [
        context.unsized[start.name].name
        for start in context.starts
        if start.name in context.unsized and start.name not in (name, *context.inventories)
    ]
    if closed:
        verb = "requires" if len(closed) == 1 else "require"
        yield f"unknown what {listed(closed, _NAMED)} {verb}: could not be sized"


# --------------------------------------------------------------------------- changed files


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """A change of the file, not measured yet; ``requirements`` is None for a lock file."""

    kind: RemedyKind
    starts: tuple[Start, ...]
    after: tuple[FileLine, ...]
    graph: Freed | None
    requirements: RequirementSet | None = field(repr=False)

    def remedy(self, reason: str) -> Remedy:
        """Return the remedy without a measurement."""
        return Remedy(
            kind=self.kind,
            roots=tuple(start.name for start in self.starts),
            before=tuple(line for start in self.starts for line in start.lines),
            after=self.after,
            graph=self.graph,
            outcome=UnmeasuredSaving(reason=reason, tried=False),
        )


def changes(context: Context, why: Why) -> tuple[ChangedFile, ...]:
    """Return the changed files to try, the largest removal by the graph first.

    Those that change all lines come first, then each line with its replacements.
    """
    named = {root.name for root in why.roots}
    starts = [start for start in context.starts if start.name in named]
    found = [(_removed(context, (start,)), start) for start in starts]

    def rank(pair: tuple[ChangedFile, Start]) -> tuple[int, str]:
        freed = pair[0].graph
        return -(freed.slug_bytes if freed else 0), pair[1].name

    several = [_removed(context, tuple(starts))] if len(starts) > 1 else []
    held = tuple(start for start in starts if _is_held_back(start))
    if len(held) > 1:
        several.append(_rewritten(context, held, RemedyKind.NEWEST_ALL, _newest))
    ranked = sorted(found, key=rank)
    return (*several, *(one for pair in ranked for one in (pair[0], *_replaced(context, pair[1]))))


# --------------------------------------------------------------------------- removed


def _removed(context: Context, starts: tuple[Start, ...]) -> ChangedFile:
    names = {start.name for start in starts}
    asked = {one for start in starts for one in start.requirements}
    read = context.subject.requirements
    return ChangedFile(
        kind=RemedyKind.REMOVE if len(starts) == 1 else RemedyKind.REMOVE_ALL,
        starts=starts,
        after=(),
        graph=context.freed(context.gone_without(names)),
        requirements=None if read is None else _without(read, asked, names),
    )


def _without(read: RequirementSet, asked: set[Requirement], names: set[str]) -> RequirementSet:
    kept = tuple(one for one in read.requirements if one not in asked)
    aside = tuple(one for one in read.set_aside if canonicalize_name(one.name) not in names)
    return _with(replace(read, set_aside=aside), kept)


def _with(read: RequirementSet, requirements: tuple[Requirement, ...]) -> RequirementSet:
    """Return a set with other lines and its own digest, which is a key of the cache."""
    lines = [f"{one.text} {one.specifier} {one.origin}" for one in requirements]
    lines += [f"{one.name} {one.origin}" for one in read.set_aside]
    digest = hashlib.sha256("\n".join([read.sha256, *lines]).encode("utf-8", "replace"))
    return replace(read, requirements=requirements, sha256=digest.hexdigest())


# --------------------------------------------------------------------------- replaced


def _replaced(context: Context, start: Start) -> Iterator[ChangedFile]:
    """Yield the replacements of a line: a newer version, a lighter variant."""
    if _is_held_back(start):
        yield _rewritten(context, (start,), RemedyKind.NEWEST, _newest)
    twin = _twin_of(context, start.name)
    if twin is not None and _is_rewritable(start):
        pin = f"=={context.version(start.name)}"
        yield _rewritten(
            context, (start,), RemedyKind.EQUIVALENT, lambda one: _renamed(one, twin, pin)
        )


def _is_rewritable(start: Start) -> bool:
    return bool(start.requirements) and all(one.url is None for one in start.requirements)


def _is_held_back(start: Start) -> bool:
    return _is_rewritable(start) and any(_holds_back(r.specifier) for r in start.requirements)


def _holds_back(specifier: str) -> bool:
    """Whether a specifier may exclude newer versions."""
    try:
        clauses = reading.specifiers(specifier)
    except InvalidSpecifier:
        return True
    return any(clause.operator not in _OPEN_ENDED for clause in clauses)


def _newest(one: Requirement) -> Requirement:
    return _renamed(one, one.name, "")


def _renamed(one: Requirement, name: str, specifier: str) -> Requirement:
    """Return a line with another name and version; it keeps extras and marker, not hashes."""
    extras = f"[{','.join(one.extras)}]" if one.extras else ""
    marker = f" ; {one.marker}" if one.marker else ""
    text = f"{name}{extras}{specifier}{marker}"
    return replace(one, name=name, specifier=specifier, text=text, hashes=())


def _twin_of(context: Context, name: str) -> str | None:
    twins = {**HEADLESS, **({} if context.report.sizes.target.platform.gpu else CPU_BUILDS)}
    twin = twins.get(name)
    return None if twin in context.requires else twin


def _rewritten(
    context: Context,
    starts: tuple[Start, ...],
    kind: RemedyKind,
    rewrite: Callable[[Requirement], Requirement],
) -> ChangedFile:
    read = context.subject.requirements
    assert read is not None  # noqa: S101 - a root has lines only where there is a file of them
    own = {one: rewrite(one) for start in starts for one in start.requirements}
    lines = tuple(own.get(one, one) for one in read.requirements)
    return ChangedFile(
        kind=kind,
        starts=starts,
        after=_lines(tuple(own.values())),
        graph=None,
        requirements=_with(read, lines),
    )


def _lines(requirements: Sequence[Requirement]) -> tuple[FileLine, ...]:
    return tuple(FileLine(text=text) for text in dict.fromkeys(one.text for one in requirements))


# --------------------------------------------------------------------------- measuring

Measure = Callable[[RequirementSet], SizeReport]


class Variants:
    """The changed files of one question; ``measure`` yields how many are done."""

    def __init__(
        self, name: str, before: SizeReport, changes: Sequence[ChangedFile], *, most: int
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
        """The number to measure."""
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
        """Return every change with its outcome; ``untried`` is the reason of those not measured."""
        return tuple(
            replace(one.remedy(untried), outcome=self._outcomes[number])
            if number in self._outcomes
            else one.remedy(untried)
            for number, one in enumerate(self._changes)
        )


def _because(error: SlugcheckError) -> str:
    if isinstance(error, ResolutionError):
        return f"does not resolve: {error}"
    kind = "network error" if isinstance(error, NetworkError) else "not measured"
    return f"{kind}: {error}"


def saving(name: str, before: SizeReport, after: SizeReport) -> MeasuredSaving | UnmeasuredSaving:
    """Return what ``after`` saves compared with ``before``, for one distribution.

    If a package loses its size, or a new one has none, there is no reliable figure.
    """
    known = {canonicalize_name(one.name) for one in before.unsized}
    lost = [one for one in after.unsized if canonicalize_name(one.name) not in known]
    if lost:
        reason = f"{lost[0].name} could not be sized: {lost[0].reason}"
        return UnmeasuredSaving(reason=reason, tried=True)
    left = {canonicalize_name(one.name) for one in after.unsized}
    then = {one.name: to_document.distribution(one) for one in before.distributions}
    now = {one.name: to_document.distribution(one) for one in after.distributions}
    changed = tuple(
        change
        for change in changes_between(now, then, by_slug=True)
        if change.kind is not ChangeKind.SAME_VERSION
    )
    sides = [side[change.name] for change in changed for side in (then, now) if change.name in side]
    installed_doubt, slug_doubt = doubts(sides)
    return MeasuredSaving(
        installed_bytes=before.installed.value - after.installed.value,
        slug_bytes=before.slug.value - after.slug.value,
        installed_doubt_bytes=installed_doubt,
        slug_doubt_bytes=slug_doubt,
        installed=after.installed,
        slug=after.slug,
        changes=changed,
        left=now[name].version if name in now else ("" if name in left else None),
        unsized_gone=tuple(sorted(known - left)),
    )


# --------------------------------------------------------------------------- the question


class Inquiry:
    """One question about a finished run: ``measure`` tries changes, ``why`` is the answer."""

    def __init__(self, run: Check, report: Report, wanted: Wanted, *, most: int) -> None:
        """Find the answer from the graph; at most ``most`` changes will be measured.

        :raises UsageError: nothing requires that name.
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
        """The number of changed files to measure."""
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
    return f"not tried: beyond --variants {most}" if most else "not tried (--variants 0)"

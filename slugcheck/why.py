"""Why a distribution is installed, and what each change of the file would save.

``Inquiry`` is one question about a finished check: it answers from the graph of the resolution,
then resolves and sizes changed files. Deleting a line can change the whole resolution, since its
pin may have held back others, so savings are measured in the same way as the file itself. A change
that cannot be resolved or sized has a reason instead of a saving.
"""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
from slugcheck.advice.edits import OPEN_ENDED, with_line, with_requirements
from slugcheck.check import Check
from slugcheck.compare import changes as changes_between
from slugcheck.compare import doubts
from slugcheck.errors import NetworkError, ResolutionError, SlugcheckError, UsageError
from slugcheck.model import (
    ChangeKind,
    Distribution,
    DistributionSize,
    Finding,
    Inventory,
    Origin,
    Overlap,
    Report,
    Requirement,
    RequirementSet,
    SizeReport,
    Unsized,
)
from slugcheck.model.to_document.report import distribution as distribution_record
from slugcheck.model.why import (
    Brings,
    FileLine,
    Freed,
    MeasuredSaving,
    Need,
    Remedy,
    RemedyKind,
    RootPaths,
    Standing,
    UnmeasuredSaving,
    Why,
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
from slugcheck.packages.requirements.applicable import Requested, applies, requested_by
from slugcheck.project.app import Subject
from slugcheck.sizing import slug_parts
from slugcheck.sizing.installed import layout_of
from slugcheck.sizing.slug_parts import RUNTIME
from slugcheck.text import listed, mb, printable

# Resolving keeps one processor busy; more at once only wait for each other.
_AT_ONCE = min(4, os.cpu_count() or 1)
_SHOWN_PATHS = 3
_NAMED = 5  # packages that one note names
_SUGGESTED = 3  # similar names
_QUOTED = 60  # characters of an invalid name that a message repeats
_EXAMPLE = "for example slugcheck why numpy requirements.txt"
_LOCK = "a lock file has no lines to change: the graph alone says what would be removed"
_EQUIVALENTS = {**HEADLESS, **CPU_BUILDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A direct requirement: a start of the graph, with its lines in the file."""

    name: str
    nodes: tuple[Node, ...]
    requirements: tuple[Requirement, ...]  # none in a lock, or for a skipped line
    lines: tuple[FileLine, ...]

    @property
    def is_rewritable(self) -> bool:
        """Whether its lines name versions, not URLs."""
        return bool(self.requirements) and all(
            requirement.url is None for requirement in self.requirements
        )

    @property
    def is_held_back(self) -> bool:
        """Whether a line may exclude newer versions."""
        return self.is_rewritable and any(_holds_back(r.specifier) for r in self.requirements)


def _holds_back(specifier: str) -> bool:
    try:
        return any(clause.operator not in OPEN_ENDED for clause in reading.specifiers(specifier))
    except InvalidSpecifier:
        return True


@dataclass(frozen=True, kw_only=True)
class Context:
    """A checked file. Unsized packages are leaves of the graph: their requirements are unknown."""

    report: Report
    subject: Subject
    environment: Mapping[str, str]
    inventories: Mapping[str, tuple[Distribution, Inventory]]
    unsized: Mapping[str, Unsized]
    requested: Requested | None = field(repr=False)  # None for a lock

    @classmethod
    def of(cls, run: Check, report: Report) -> Context:
        """Return what a finished run knows."""
        read = run.subject.requirements
        return cls(
            report=report,
            subject=run.subject,
            environment=run.environment,
            inventories={d.name: (d, inventory) for d, inventory in run.inventories},
            unsized={canonicalize_name(package.name): package for package in report.sizes.unsized},
            requested=requested_by(read, run.environment) if read is not None else None,
        )

    @cached_property
    def starts(self) -> tuple[Start, ...]:
        """The direct requirements, in the order of their names."""
        sized = {size.name: size.distribution for size in self.report.sizes.distributions}
        names = {name for name, distribution in sized.items() if distribution.direct}
        names |= {
            name
            for name, package in self.unsized.items()
            if name not in sized
            and (
                package.origin
                or (self.requested is not None and package.name in self.requested.direct)
            )
        }
        return tuple(self._start(name, sized.get(name)) for name in sorted(names))

    def _start(self, name: str, installed: Distribution | None) -> Start:
        unsized = self.unsized.get(name)
        origins = installed.origins if installed else (unsized.origin if unsized else None,)
        requirements: tuple[Requirement, ...] = ()
        if self.requested is not None:
            # the name of a bare URL is unknown until it is read, but its line is known
            urls = (
                requirement for requirement in self.requested.urls if requirement.origin in origins
            )
            requirements = (*self.requested.direct.get(name, ()), *urls)
        lines = tuple(
            FileLine(text=requirement.text, origin=requirement.origin)
            for requirement in requirements
        )
        if not lines and unsized is not None and unsized.origin is not None:
            lines = (FileLine(text=unsized.name, origin=unsized.origin),)
        extras = installed.extras if installed else ()
        nodes = graph.root_nodes(name, extras)
        return Start(name=name, nodes=nodes, requirements=requirements, lines=lines)

    @cached_property
    def requires(self) -> Mapping[str, tuple[str, ...]]:
        """The Requires-Dist lines of everything that is installed."""
        known = {name: inventory.requires_dist for name, (_, inventory) in self.inventories.items()}
        return {**dict.fromkeys(self.unsized, ()), **known}

    @cached_property
    def graph(self) -> Graph:
        """What requires what: one node for each distribution and extra."""
        roots = {start.name: [extra for _, extra in start.nodes[1:]] for start in self.starts}
        return graph.build(roots, self.requires, self.environment)

    def version(self, name: str) -> str:
        """Return the installed version, "" if unknown."""
        if name in self.inventories:
            return self.inventories[name][0].version
        return (self.unsized[name].version or "") if name in self.unsized else ""

    # ----------------------------------------------------------------- removals

    def gone_without(self, removed: Collection[str]) -> frozenset[str]:
        """Return the names that are removed with the lines of some starts, by the graph."""
        left = [node for s in self.starts if s.name not in removed for node in s.nodes]
        return self._reached - self.graph.reach(left)

    def gone_with(self, name: str) -> frozenset[str]:
        """Return the names that are removed if nothing requires a distribution, by the graph."""
        return self._reached - self.graph.reach(self._nodes, without=name)

    @property
    def _nodes(self) -> list[Node]:
        return [node for start in self.starts for node in start.nodes]

    @cached_property
    def _reached(self) -> frozenset[str]:
        return self.graph.reach(self._nodes)

    def freed(self, gone: Collection[str]) -> Freed:
        """Return what removing distributions frees in the totals."""
        sizes = [size for size in self.report.sizes.distributions if size.name in gone]
        spare, back = self._counted_once(gone), self._replaced_by_runtime(gone)
        return Freed(
            names=tuple(sorted(gone)),
            installed_bytes=sum(size.installed_bytes for size in sizes) - spare[0] - back[0],
            slug_bytes=sum(size.slug.value for size in sizes) - spare[1] - back[1],
            bundle_bytes=sum(size.bundle.value for size in sizes) - spare[2] - back[2],
        )

    def _counted_once(self, gone: Collection[str]) -> _Spare:
        """Return the bytes of shared paths that the totals do not count for removed packages."""
        before, target = self.report.sizes.overlaps, self.report.sizes.target
        names = {name for overlap in before for name in overlap.names}
        if not names & set(gone):
            return 0, 0, 0
        layout, rule = layout_of(target, self.subject.manager), target.platform.bundle
        left = [
            sizer.size_one(*self.inventories[name], layout, rule)
            for name in sorted(names - set(gone))
        ]
        first, last = _spare(before), _spare(sizer.find_overlaps(left, rule, layout))
        return first[0] - last[0], first[1] - last[1], first[2] - last[2]

    def _replaced_by_runtime(self, gone: Collection[str]) -> _Spare:
        """Return the bytes of the platform's own pip or setuptools that replace removed ones."""
        sizes = self.report.sizes
        left = {size.name for size in sizes.distributions} - set(gone)
        own = slug_parts.runtime_parts(sizes.target, left, self.subject.manager)
        installed = sum(part.installed.value for part in own) - sizes.group_bytes(RUNTIME)
        slug = sum(part.slug.value for part in own) - sizes.group_slug_bytes(RUNTIME)
        return installed, slug, slug if sizes.bundle_kind.is_packed else installed


_Spare = tuple[int, int, int]  # bytes: installed, slug, bundle


def _spare(overlaps: tuple[Overlap, ...]) -> _Spare:
    return (
        sum(overlap.bytes for overlap in overlaps),
        sum(overlap.slug_bytes for overlap in overlaps),
        sum(overlap.bundle_bytes for overlap in overlaps),
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
        if ends := sorted(node for node in layer if node in goals):
            walks = (walk for node in ends for walk in _walks(before, node))
            count = sum(counts[node] for node in ends)
            return Paths(shown=tuple(islice(walks, most)), count=count)
        reached: dict[Node, list[Node]] = {}  # one step further, each with those it is reached from
        for node in layer:
            for target in _own(graph, node):
                if target not in before:
                    reached.setdefault(target, []).append(node)
        counts = {
            node: sum(counts[previous] for previous in earlier) for node, earlier in reached.items()
        }
        before |= reached
        layer = list(reached)
    return None


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
        waiting += [(node, *walk) for node in sorted(earlier, reverse=True)]


def label(node: Node) -> str:
    """Return a node as people write it: ``uvicorn[standard]``."""
    name, extra = node
    return f"{name}[{extra}]" if extra else name


# --------------------------------------------------------------------------- the name


def wanted(text: str, place: Path) -> tuple[Node, ...]:
    """Return the nodes of the command's first argument; ``place`` is its second.

    :raises UsageError: it is not a package name.
    """
    shown = printable(text[:_QUOTED])
    path = Path(text)
    if "/" in text or path.suffix in (".txt", ".toml", ".lock") or (text == "." and path.is_dir()):
        message = f"{shown} is a file or a folder; the package name comes first"
        other = printable(str(place)) if str(place) != "." else "NAME"
        raise UsageError(message, hint=f"slugcheck why {other} {shown}")
    try:
        requirement = reading.requirement(text)
    except InvalidRequirement:
        raise UsageError(f"{shown!r} is not a package name", hint=_EXAMPLE) from None
    if requirement.specifier or requirement.url or requirement.marker:
        message = f"{shown} is more than a name; the file decides the version"
        raise UsageError(message, hint=f"slugcheck why {requirement.name} {printable(str(place))}")
    return graph.root_nodes(canonicalize_name(requirement.name), sorted(requirement.extras))


# --------------------------------------------------------------------------- requirements


def needs(context: Context, name: str) -> tuple[Need, ...]:
    """Return the requirements of installed distributions that apply on this target.

    A line that applies without an extra is not repeated for each extra.
    """
    by_node: dict[Node, dict[str, Pep508Requirement]] = {}
    for by, extra in sorted(context.graph.edges):
        plain = by_node.get((by, ""), {})
        for requirement in _naming(context, by, name) if by != name else ():
            applies_here = graph.applies(requirement, context.environment, extra)
            if applies_here and str(requirement) not in plain:
                by_node.setdefault((by, extra), {})[str(requirement)] = requirement
    return tuple(_need(context, node, tuple(lines.values())) for node, lines in by_node.items())


def _naming(context: Context, by: str, name: str) -> Iterator[Pep508Requirement]:
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
    clauses = {clause for requirement in requirements for clause in requirement.specifier}
    bounds = [clause for clause in clauses if clause.operator == ">="]
    weaker = sorted(bounds, key=lambda clause: reading.version(clause.version))[:-1]
    kept = ",".join(sorted(str(clause) for clause in clauses.difference(weaker)))
    extras = sorted({extra for requirement in requirements for extra in requirement.extras})
    shown = f"[{','.join(extras)}]" if extras else ""
    return f"{requirements[0].name}{shown}{kept}"


def unmet(context: Context, name: str) -> Iterator[Need]:
    """Yield the requirements that do not apply here, each with the reason."""
    if (read := context.subject.requirements) is not None:
        minor = context.report.sizes.target.minor
        here = f"its marker excludes Linux with Python {minor}"
        lines: list[tuple[str, str, str, Origin | None]] = [
            (line.name, line.text, line.marker, line.origin) for line in read.requirements
        ]
        for aside in read.set_aside:
            text = f"{aside.name} ; {aside.marker}"
            lines.append((canonicalize_name(aside.name), text, aside.marker, aside.origin))
        for named, text, marker, origin in lines:
            if named == name and not applies(marker, context.environment):
                yield _line(text, origin, here)
        for constraint in read.constraints:
            if constraint.name == name:
                yield _line(
                    constraint.text,
                    constraint.origin,
                    "a constraint limits versions but installs nothing",
                )
    for by in sorted(context.requires):
        for requirement in _naming(context, by, name):
            known = context.inventories[by][1].provides_extra if by in context.inventories else ()
            asks = (e for e in known if graph.applies(requirement, context.environment, e))
            extra = canonicalize_name(next(asks, ""))
            reason = f"only with its extra {extra}" if extra else "its marker excludes this target"
            yield _need(context, (by, extra), (requirement,), reason)


def _line(text: str, origin: Origin | None, reason: str) -> Need:
    return Need(
        by="", version="", extra="", asks=text, lines=(text,), origin=origin, unmet=reason
    )  # fmt: skip


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


def find(context: Context, nodes: Sequence[Node]) -> Why:
    """Return why a distribution is installed, or why not; ``nodes`` are those of ``wanted``.

    :raises UsageError: nothing requires that name.
    """
    (name, _), *with_extras = nodes
    reached = [node for node in with_extras if node in context.graph.edges]
    sized = {size.name: size for size in context.report.sizes.distributions}
    answer = Why(
        report=context.report,
        name=name,
        requested_extras=tuple(extra for _, extra in with_extras),
        standing=Standing.INSTALLED if name in sized else Standing.UNSIZED,
        size=sized.get(name),
        unsized=None if name in sized else context.unsized.get(name),
        needs=needs(context, name),
        roots=tuple(_roots(context, reached or nodes[:1])),
        brings=_brings(context, name, sized) if name in sized else None,
        remedies=(),
        findings=(),
        notes=(
            *(obstacle.text for obstacle in context.report.obstacles),
            *_provided(context, sized.get(name)),
            *_unsized_roots(context, name),
        ),
    )
    if name not in context.requires:
        if not (named := tuple(unmet(context, name))):
            raise unknown(context, name)
        return replace(answer, standing=Standing.ABSENT, needs=named)
    if lost := [extra for name, extra in with_extras if (name, extra) not in reached]:
        note = f"nothing requires {name}[{','.join(lost)}]"
        answer = replace(answer, notes=(note, *answer.notes))
    return replace(answer, findings=_findings(context, name, [root.name for root in answer.roots]))


def _provided(context: Context, size: DistributionSize | None) -> Iterator[str]:
    """Yield why a distribution that the runtime provides has no size."""
    if size is not None and size.provided_bytes is not None:
        title = context.report.sizes.target.platform.title
        own = mb(size.provided_bytes)
        yield f"{size.name} is left to the runtime of {title}: its {own} MB do not count"


def _roots(context: Context, goals: Sequence[Node]) -> list[RootPaths]:
    """Return the direct requirements that lead to the goals, the shortest path first."""
    roots = []
    for start in context.starts:
        paths = shortest(context.graph, start.nodes, goals, most=_SHOWN_PATHS)
        if paths is not None:
            root = RootPaths(
                name=start.name,
                version=context.version(start.name),
                lines=start.lines,
                paths=tuple(tuple(map(label, path)) for path in paths.shown),
                more_paths=paths.count - len(paths.shown),
            )
            roots.append(root)
    return sorted(roots, key=lambda root: (len(root.paths[0]), root.name))


def _brings(context: Context, name: str, sized: dict[str, DistributionSize]) -> Brings:
    nodes = [node for node in context.graph.edges if node[0] == name]
    everything = context.graph.reach(nodes) - {name}
    gone = context.gone_with(name) | {name}

    def largest_first(names: Collection[str]) -> tuple[DistributionSize, ...]:
        sizes = [sized[brought] for brought in names if brought in sized]
        return tuple(sorted(sizes, key=lambda size: (-size.bundle.value, size.name)))

    return Brings(
        exclusive=largest_first(everything & gone),
        shared=largest_first(everything - gone),
        unsized=tuple(sorted(everything - set(sized))),
        freed=context.freed(gone),
    )


def _findings(context: Context, name: str, roots: Iterable[str]) -> tuple[Finding, ...]:
    """Return the findings about the distribution, and those whose fix removes it."""

    def brings(other: str) -> bool:
        nodes = [node for node in context.graph.edges if node[0] == other]
        return other != name and name in context.graph.reach(nodes)

    def concerns(finding: Finding) -> bool:
        if finding.subject == name:
            return True
        match finding.code:
            case "cuda-on-cpu":
                own = GPU_ONLY.match(name) is not None or name in TORCH_FAMILY
                return own and (finding.subject in TORCH_FAMILY or brings(finding.subject))
            case "two-opencvs":
                return name in OPENCV
            case "development-tools":
                return not DEVELOPMENT.isdisjoint(roots)
            case _:
                return False

    return tuple(filter(concerns, context.report.findings))


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

# A change of the file, and the file it leads to; None for a lock file.
Variant = tuple[Remedy, RequirementSet | None]


def changes(context: Context, why: Why) -> tuple[Variant, ...]:
    """Return the changes to try, none of them measured yet.

    Those of several lines come first, then each line with its replacements, the largest removal by
    the graph first.
    """
    named = {root.name for root in why.roots}
    starts = tuple(start for start in context.starts if start.name in named)
    removals = [(start, _removed(context, (start,))) for start in starts]

    def rank(removal: tuple[Start, Variant]) -> tuple[int, str]:
        freed = removal[1][0].graph
        return -(freed.bundle_bytes if freed else 0), removal[0].name

    variants = [_removed(context, starts)] if len(starts) > 1 else []
    held = tuple(start for start in starts if start.is_held_back)
    if len(held) > 1:
        variants.append(_rewritten(context, held, RemedyKind.NEWEST_ALL))
    for start, removal in sorted(removals, key=rank):
        variants.append(removal)
        if start.is_held_back:
            variants.append(_rewritten(context, (start,), RemedyKind.NEWEST))
        equivalents = HEADLESS if why.report.sizes.target.platform.gpu else _EQUIVALENTS
        name = equivalents.get(start.name)
        if name is not None and name not in context.requires and start.is_rewritable:
            pin = f"=={context.version(start.name)}"
            variants.append(_rewritten(context, (start,), RemedyKind.EQUIVALENT, name, pin))
    return tuple(variants)


def _remedy(
    kind: RemedyKind,
    starts: Sequence[Start],
    after: Iterable[str] = (),
    freed: Freed | None = None,
) -> Remedy:
    return Remedy(
        kind=kind,
        roots=tuple(start.name for start in starts),
        before=tuple(line for start in starts for line in start.lines),
        after=tuple(FileLine(text=text) for text in dict.fromkeys(after)),
        graph=freed,
        outcome=UnmeasuredSaving(reason="", tried=False),
    )


def _removed(context: Context, starts: tuple[Start, ...]) -> Variant:
    names = {start.name for start in starts}
    freed = context.freed(context.gone_without(names))
    kind = RemedyKind.REMOVE if len(starts) == 1 else RemedyKind.REMOVE_ALL
    if (read := context.subject.requirements) is None:
        return _remedy(kind, starts, freed=freed), None
    removed = {requirement for start in starts for requirement in start.requirements}
    kept = tuple(requirement for requirement in read.requirements if requirement not in removed)
    aside = tuple(line for line in read.set_aside if canonicalize_name(line.name) not in names)
    return _remedy(kind, starts, freed=freed), with_requirements(
        replace(read, set_aside=aside), kept
    )


def _line_of(requirement: Requirement, name: str | None, specifier: str) -> str:
    extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
    return f"{name or requirement.name}{extras}{specifier}"


def _rewritten(
    context: Context,
    starts: tuple[Start, ...],
    kind: RemedyKind,
    name: str | None = None,
    specifier: str = "",
) -> Variant:
    """Return a change of lines to another specifier, and another name if one is given."""
    read = context.subject.requirements
    assert read is not None  # noqa: S101 - a root has lines only where there is a file of them
    lines = {
        requirement: with_line(requirement, _line_of(requirement, name, specifier))
        for start in starts
        for requirement in start.requirements
    }
    changed = tuple(lines.get(requirement, requirement) for requirement in read.requirements)
    after = [line.text for line in lines.values()]
    return _remedy(kind, starts, after), with_requirements(read, changed)


# --------------------------------------------------------------------------- the question


class Inquiry:
    """One question about a finished run: ``measure`` tries changes, ``why`` is the answer."""

    def __init__(self, run: Check, report: Report, nodes: Sequence[Node], *, most: int) -> None:
        """Find the answer from the graph; at most ``most`` changes will be measured.

        :raises UsageError: nothing requires that name.
        """
        self._started = time.perf_counter()
        self._run = run
        context = Context.of(run, report)
        self._answer = find(context, nodes)
        untried = f"not tried: beyond --variants {most}" if most else "not tried (--variants 0)"
        reason = _LOCK if context.requested is None else untried
        self._remedies: list[Remedy] = []
        self._tried: dict[int, RequirementSet] = {}
        for number, (remedy, changed) in enumerate(changes(context, self._answer)):
            outcome = UnmeasuredSaving(reason=reason, tried=False)
            self._remedies.append(replace(remedy, outcome=outcome))
            if changed is not None and len(self._tried) < most:
                self._tried[number] = changed

    @property
    def count(self) -> int:
        """The number of changed files to measure."""
        return len(self._tried)

    def measure(self) -> Iterator[int]:
        """Resolve and size each changed file, yielding how many are done."""
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            running = {
                pool.submit(self._run.sizes_with, changed): number
                for number, changed in self._tried.items()
            }
            for done, future in enumerate(as_completed(running), 1):
                number = running[future]
                outcome = self._outcome(future)
                self._remedies[number] = replace(self._remedies[number], outcome=outcome)
                yield done
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _outcome(self, future: Future[SizeReport]) -> MeasuredSaving | UnmeasuredSaving:
        try:
            return saving(self._answer.name, self._answer.report.sizes, future.result())
        except ResolutionError as error:
            reason = f"does not resolve: {error}"
        except NetworkError as error:
            reason = f"network error: {error}"
        except SlugcheckError as error:
            reason = f"not measured: {error}"
        return UnmeasuredSaving(reason=reason, tried=True)

    @property
    def why(self) -> Why:
        """The answer, with what ``measure`` has found so far."""
        report = self._answer.report
        seconds = report.seconds + time.perf_counter() - self._started
        return replace(
            self._answer,
            remedies=tuple(self._remedies),
            report=replace(report, seconds=seconds),
        )


def saving(name: str, before: SizeReport, after: SizeReport) -> MeasuredSaving | UnmeasuredSaving:
    """Return what ``after`` saves compared with ``before``, for one distribution.

    If a package loses its size, or a new one has none, there is no reliable figure.
    """
    known = {canonicalize_name(package.name) for package in before.unsized}
    lost = [package for package in after.unsized if canonicalize_name(package.name) not in known]
    if lost:
        reason = f"{lost[0].name} could not be sized: {lost[0].reason}"
        return UnmeasuredSaving(reason=reason, tried=True)
    left = {canonicalize_name(package.name) for package in after.unsized}
    then = {size.name: distribution_record(size) for size in before.distributions}
    now = {size.name: distribution_record(size) for size in after.distributions}
    changed = tuple(
        change
        for change in changes_between(now, then)
        if change.kind is not ChangeKind.SAME_VERSION
    )
    sides = [side[change.name] for change in changed for side in (then, now) if change.name in side]
    doubt = doubts(sides)
    return MeasuredSaving(
        installed_bytes=before.installed.value - after.installed.value,
        slug_bytes=before.slug.value - after.slug.value,
        bundle_bytes=before.bundle.value - after.bundle.value,
        installed_doubt_bytes=doubt.installed,
        slug_doubt_bytes=doubt.slug,
        bundle_doubt_bytes=doubt.bundle,
        installed=after.installed,
        slug=after.slug,
        bundle=after.bundle,
        changes=changed,
        left=now[name].version if name in now else ("" if name in left else None),
        unsized_gone=tuple(sorted(known - left)),
    )

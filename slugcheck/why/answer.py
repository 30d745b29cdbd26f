"""The answer that follows from the graph of one resolution, before anything is changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from slugcheck.facts import DEVELOPMENT, GPU_ONLY, OPENCV, TORCH_FAMILY
from slugcheck.graph import Node
from slugcheck.model import (
    Brings,
    DistributionSize,
    Finding,
    RootPaths,
    Standing,
    Why,
)
from slugcheck.why import asks, paths
from slugcheck.why.asks import Wanted
from slugcheck.why.scene import Scene, Start

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
        needs=asks.needs(scene, name),
        roots=tuple(_roots(scene, starts, nodes)),
        brings=_brings(scene, name, sized) if name in sized else None,
        remedies=(),
        findings=_findings(scene, name, [start.name for start in starts]),
        notes=(*notes, *_unsized_roots(scene, name)),
    )


def _absent(scene: Scene, wanted: Wanted) -> Why:
    found = asks.unmet(scene, wanted.name)
    if not found:
        raise asks.unknown(scene, wanted.name)
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
        known = paths.shortest(scene.graph, start.nodes, nodes, most=_PATHS)
        if known is not None:
            found.append((len(known.shown[0]), start, known))
    for _, start, known in sorted(found, key=lambda one: (one[0], one[1].name)):
        yield RootPaths(
            name=start.name,
            version=scene.version(start.name),
            lines=start.lines,
            paths=tuple(tuple(map(paths.label, path)) for path in known.shown),
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

"""The shortest paths through the graph, all of them counted and the first few told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from slugcheck.graph import Graph, Node


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

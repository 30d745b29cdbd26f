"""Which resolved distribution requires which, with one node per distribution and extra.

Edges come from each distribution's own Requires-Dist, its markers evaluated for the target. So
``uvicorn[standard]`` as a direct requirement owns what the extra adds, even if another distribution
requires plain ``uvicorn``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from slugcheck import reading

Node = tuple[str, str]  # (canonical name, extra or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """``edges`` from node to nodes; ``names`` are the distributions it covers."""

    names: frozenset[str]
    edges: Mapping[Node, tuple[Node, ...]]

    def reach(self, roots: Iterable[Node], *, without: str | None = None) -> frozenset[str]:
        """Return the names reached from ``roots``, themselves included.

        Nothing is reached through the distribution ``without``.
        """
        seen: set[Node] = set()
        waiting = [root for root in roots if root[0] in self.names]
        while waiting:
            node = waiting.pop()
            if node not in seen and node[0] != without:
                seen.add(node)
                waiting.extend(self.edges.get(node, ()))
        return frozenset(name for name, _ in seen)

    def required_by(self) -> dict[str, tuple[str, ...]]:
        """Return for each name the other distributions that need it, sorted."""
        requirers: dict[str, set[str]] = {name: set() for name in self.names}
        for (source, _), targets in self.edges.items():
            for name, _ in targets:
                if name != source:
                    requirers[name].add(source)
        return {name: tuple(sorted(sources)) for name, sources in requirers.items()}


def build(
    roots: Mapping[str, Collection[str]],
    requires: Mapping[str, Iterable[str]],
    environment: Mapping[str, str],
) -> Graph:
    """Return the graph reached from ``roots`` (name to extras) over ``requires`` (Requires-Dist).

    Lines of Requires-Dist that are not PEP 508 are left out: pip and uv refuse or repair them
    before this point.
    """
    names = frozenset(requires)
    edges: dict[Node, tuple[Node, ...]] = {}
    waiting = [node for name, extras in roots.items() for node in root_nodes(name, extras)]
    while waiting:
        node = waiting.pop()
        if node in edges or node[0] not in names:
            continue
        edges[node] = tuple(dict.fromkeys(_targets(node, requires[node[0]], environment, names)))
        waiting.extend(edges[node])
    return Graph(names=names, edges=edges)


def root_nodes(name: str, extras: Iterable[str]) -> tuple[Node, ...]:
    """Return the nodes a requirement with extras starts from."""
    return ((name, ""), *((name, canonicalize_name(extra)) for extra in extras))


def applies(requirement: Requirement, environment: Mapping[str, str], extra: str = "") -> bool:
    """Return whether a requirement's marker holds in the target's environment."""
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate({**environment, "extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False


@lru_cache(maxsize=8192)
def parse(line: str) -> Requirement | None:
    """Return a Requires-Dist line parsed, None when it is not PEP 508."""
    try:
        return reading.requirement(line)
    except InvalidRequirement:
        return None


def _targets(
    node: Node, lines: Iterable[str], environment: Mapping[str, str], names: Collection[str]
) -> Iterable[Node]:
    name, extra = node
    if extra:
        yield (name, "")
    for line in lines:
        requirement = parse(line)
        if requirement is None or not applies(requirement, environment, extra):
            continue
        target = canonicalize_name(requirement.name)
        if target in names:
            yield from root_nodes(target, requirement.extras)

"""Condenses the graph of measured modules into the table that slugcheck ships with.

Modules of one distribution that always load together become one node: those that import each other
in a circle, those that only one node imports, and those that the same nodes import. A module that
an app may import by name stays the start of its own node.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from benchmarks.import_graph import STANDARD, Graph

Number = int


def condense(
    graph: Graph, names: Collection[str], needs: Mapping[str, frozenset[str]]
) -> dict[str, Number]:
    """Return the number of each module's node. ``names`` keep nodes of their own."""
    modules = graph.modules
    kind = {n: (m.distribution, needs.get(n, frozenset())) for n, m in modules.items()}
    inner = {n: [t for t in m.edges if kind[t] == kind[n]] for n, m in modules.items()}
    group = {name: number for number, circle in enumerate(circles(inner)) for name in circle}
    fixed = {group[name] for name in names if name in group}
    label = {group[name]: kind[name] for name in modules}
    changed = True
    while changed:
        changed = False
        before: dict[Number, set[Number]] = defaultdict(set)
        for name, module in modules.items():
            for target in module.edges:
                if group[target] != group[name]:
                    before[group[target]].add(group[name])
        into: dict[Number, Number] = {}
        alike: dict[tuple[object, frozenset[Number]], Number] = {}
        for number in sorted(before):
            if number in fixed:
                continue
            sources = before[number]
            only = next(iter(sources))
            if len(sources) == 1 and label[only] == label[number]:
                into[number] = only
            else:
                first = alike.setdefault((label[number], frozenset(sources)), number)
                if first != number:
                    into[number] = first
        if into:
            changed = True
            group = {name: _end(into, number) for name, number in group.items()}
    return group


def _end(into: Mapping[Number, Number], number: Number) -> Number:
    seen = set()
    while number in into and number not in seen:
        seen.add(number)
        number = into[number]
    return number


def circles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the strongly connected parts (Tarjan), each node in one of them."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[list[str]] = []
    for start in edges:
        if start in index:
            continue
        work = [(start, iter(edges[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(edges[target])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    circle = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        circle.append(member)
                        if member == node:
                            break
                    found.append(circle)
    return found


def reduced(
    edges: Mapping[Number, set[Number]], free: Mapping[Number, object]
) -> dict[Number, set[Number]]:
    """Drop edges to nodes that are reached through others anyway.

    Only ways count that are open wherever the edge is: through nodes of the same kind (``free``) as
    the edge's start or end, or of kind None.
    """
    kept = {number: set(targets) for number, targets in edges.items()}
    for number, targets in kept.items():
        for kind in {free[target] for target in targets}:
            kinds = {free[number], kind, None}
            open_ones = {target for target in targets if free[target] in kinds}
            candidates = _beyond(open_ones, kept, free, kinds, None) & open_ones
            for target in sorted(t for t in candidates if free[t] == kind):
                others = {t for t in targets if t != target and free[t] in kinds}
                if _beyond(others, kept, free, kinds, (number, target)):
                    targets.discard(target)
    return kept


def _beyond(
    starts: Iterable[Number],
    edges: Mapping[Number, set[Number]],
    free: Mapping[Number, object],
    kinds: Collection[object],
    only: tuple[Number, Number] | None,
) -> set[Number]:
    """Return what nodes lead to, not counting themselves unless one leads to another.

    With ``only``, the first is not passed through, and the search ends where the second is met.
    """
    seen = {only[0]} if only else set[Number]()
    waiting = list(starts)
    met = set[Number]()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        for following in edges[node]:
            if only is None:
                met.add(following)
            elif following == only[1]:
                return {following}
            if following not in seen and free[following] in kinds:
                waiting.append(following)
    return met


def table(
    graph: Graph,
    names: Collection[str],
    mains: Mapping[str, Collection[str]],
    needs: Mapping[str, frozenset[str]],
) -> dict[str, object]:
    """Return the parts of the table that come from the graph."""
    modules = graph.modules
    group = condense(graph, [graph.start(name) for name in names], needs)
    members: dict[Number, list[str]] = defaultdict(list)
    for name, number in group.items():
        members[number].append(name)
    edges = {number: set[Number]() for number in members}
    for name, module in modules.items():
        edges[group[name]] |= {group[t] for t in module.edges if group[t] != group[name]}
    owner = {number: modules[some[0]].distribution for number, some in members.items()}
    need = {number: needs.get(some[0], frozenset[str]()) for number, some in members.items()}
    kind: dict[Number, object] = {
        n: None if owner[n] == STANDARD and not need[n] else (owner[n], need[n]) for n in members
    }
    edges = reduced(edges, kind)
    # what nothing starts from, nothing leads to
    starts = {group[graph.start(name)] for name in names if graph.start(name) in group}
    seen: set[Number] = set()
    waiting = list(starts)
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen.add(number)
            waiting += edges[number]
    order = sorted(seen, key=lambda n: (owner[n], min(members[n])))
    new = {number: place for place, number in enumerate(order)}
    distributions = sorted({owner[n] for n in order} | {STANDARD})
    place = {name: number for number, name in enumerate(distributions)}
    needed = sorted({tuple(sorted(place[d] for d in need[n] if d in place)) for n in order} | {()})
    nodes = []
    for number in order:
        costs = [modules[name].cost() for name in members[number]]
        anonymous, shared, cpu = (sum(values) for values in zip(*costs, strict=True))
        which = needed.index(tuple(sorted(place[d] for d in need[number] if d in place)))
        node = [place[owner[number]], round(anonymous), round(shared), round(cpu * 100), which]
        nodes.append(node + sorted(new[target] for target in edges[number]))
    tree: dict[str, dict[str, int]] = defaultdict(dict)
    for name in sorted(names):
        number = group.get(graph.start(name), -1)
        if number in new:
            top, _, rest = name.partition(".")
            tree[top][rest] = new[number]
    return {
        "distributions": [[d, graph.versions.get(d, "")] for d in distributions],
        "needs": [list(some) for some in needed],
        "nodes": nodes,
        "names": tree,
        "mains": {
            d: sorted({new[group[graph.start(n)]] for n in some if graph.start(n) in group})
            for d, some in mains.items()
            if d in place
        },
    }


def standard_names(graph: Graph) -> list[str]:
    """Return the modules of the standard library that an app imports by name."""
    return [
        name
        for name, module in graph.modules.items()
        if module.distribution == STANDARD
        and name.partition(".")[0] in sys.stdlib_module_names
        and name.count(".") < 2
        and not any(part.startswith("_") for part in name.split("."))
    ]

"""Counts modules, lines and imports: ``python -m benchmarks.architecture [CHECKOUT]``.

Reads the sources only. Prints how many modules and entries at the top there are, how many lines,
how many modules have exactly one importer, and the import circles between modules and between
packages.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

PACKAGE = "slugcheck"


def modules(root: Path) -> dict[str, Path]:
    """Return the modules of a checkout's package by dotted name."""
    paths = (root / PACKAGE).rglob("*.py")
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(paths)
    }


def names_imported(path: Path) -> set[str]:
    """Return every name in an import statement of a module, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imports(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return which modules of the package each one imports."""
    edges: dict[str, set[str]] = {}
    for module, path in known.items():
        names = names_imported(path)
        targets = {name if name in known else name.rpartition(".")[0] for name in names}
        edges[module] = {target for target in targets if target in known and target != module}
    return edges


def layer(module: str) -> str:
    """Return the entry of the package that a module belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def between_layers(edges: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Return which entries of the package each entry imports."""
    layers: dict[str, set[str]] = defaultdict(set)
    for module, targets in edges.items():
        layers[layer(module)] |= {layer(target) for target in targets} - {layer(module)}
    return dict(layers)


def circles(edges: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """Return the groups of nodes that import each other, however far around."""
    reached = {node: _reachable(node, edges) for node in edges}
    groups = {
        tuple(sorted({node, *(other for other in targets if node in reached.get(other, ()))}))
        for node, targets in reached.items()
        if node in targets
    }
    return sorted(groups)


def _reachable(start: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    waiting, seen = list(edges.get(start, ())), set[str]()
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += edges.get(node, ())
    return seen


def main() -> int:
    """Print the counts of a checkout, by default this one."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent
    known = modules(root)
    edges = imports(known)
    importers: dict[str, int] = defaultdict(int)
    for targets in edges.values():
        for target in targets:
            importers[target] += 1
    entries = {layer(module) for module in known} - {"__init__", "__main__"}
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in known.values())
    print(f"modules             {len(known)}")
    print(f"entries at the top  {len(entries)}")
    print(f"lines               {lines}")
    print(f"with one importer   {sum(1 for count in importers.values() if count == 1)}")
    print(f"circles of modules  {len(circles(edges))}")
    print(f"circles of packages {len(circles(between_layers(edges)))}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What was measured, as one graph of modules: what each takes, and which others it asks for."""

from __future__ import annotations

import re
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.import_environments import Environment

STANDARD = ""  # the distribution of what Python itself brings
_PACKAGES = re.compile(r".*?/(?:parts/[0-9a-f]{16}|site-packages)/")


@dataclass
class Module:
    """A module, or a name whose use loads modules. Pages are of 4 KiB."""

    distribution: str = STANDARD
    observed: list[tuple[float, float, float]] = field(default_factory=list)
    edges: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    loaded: bool = False  # was it there in the end, at least once?
    present: int = -1  # the distributions that were installed whenever it loaded, as bits

    def cost(self) -> tuple[float, float, float]:
        """Return anonymous KiB, file-backed KiB and CPU milliseconds.

        Pages are the medians of all runs. Of the CPU time it is the least: other programs of the
        machine can only add to it.
        """
        if not self.observed:
            return 0.0, 0.0, 0.0
        anonymous, shared, cpu = zip(*self.observed, strict=True)
        return (
            4 * _middle(anonymous),
            4 * _middle(shared),
            min(cpu) / 1e6,
        )


def _middle(values: Iterable[float]) -> float:
    """Return the mean of the inner half: a median that does not stick to whole pages."""
    ordered = sorted(values)
    cut = len(ordered) // 4
    return statistics.fmean(ordered[cut : len(ordered) - cut])


class Graph:
    """All modules by name."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = defaultdict(Module)
        self.versions: dict[str, str] = {}
        self.bits: dict[str, int] = {}

    def distribution_of(self, environment: Environment, file: str) -> str | None:
        """Return the distribution of a module from its file; None if no file says so."""
        if not file or "/" not in file:
            return None
        inside = _PACKAGES.match(file)
        if inside is None:
            return STANDARD
        return environment.owners.get(file[inside.end() :])

    def needs(self, requires: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
        """Return what modules need besides what their distribution requires (``requires``).

        A module that never loaded without a distribution that it asks for cannot be without it. Of
        several it is the one that most modules of its distribution ask for in this way; a module
        that asks for none itself needs what most of the modules do that it asks for.
        """
        asked: dict[str, set[str]] = {}
        for name, module in self.modules.items():
            own = module.distribution
            if not own or module.present in (-1, 0):
                continue
            wanted = {self.modules[target].distribution for target in module.edges}
            always = {d for d in wanted if d in self.bits and module.present >> self.bits[d] & 1}
            asked[name] = always - {own} - set(requires.get(own, ()))
        weight: Counter[tuple[str, str]] = Counter()
        for name, wanted in asked.items():
            weight.update((self.modules[name].distribution, d) for d in wanted)
        found: dict[str, str] = {}
        for name, wanted in asked.items():
            if wanted:
                own = self.modules[name].distribution
                found[name] = max(sorted(wanted), key=lambda d: weight[own, d])
        for _ in range(20):
            more = {}
            for name, wanted in asked.items():
                module = self.modules[name]
                if wanted or name in found:
                    continue
                alike = Counter(
                    found[target]
                    for target in module.edges
                    if target in found
                    and self.modules[target].distribution == module.distribution
                    and module.present >> self.bits[found[target]] & 1
                    and found[target] not in requires.get(module.distribution, ())
                )
                if alike:
                    more[name] = alike.most_common(1)[0][0]
            found |= more
            if not more:
                break
        return {name: frozenset({one}) for name, one in found.items()}

    def add(
        self, environment: Environment, result: dict[str, Any], present: Collection[str]
    ) -> None:
        """Add the result of one process, which found the distributions ``present`` installed."""
        bits = 0
        for name in present:
            bits |= 1 << self.bits.setdefault(name, len(self.bits))
        startup = set(result["startup"])
        files = result["files"]
        for name, file in files.items():
            if name in startup:
                continue
            module = self.modules[name]
            module.loaded = True
            module.present &= bits
            owner = self.distribution_of(environment, file)
            if owner is not None:
                module.distribution = owner
                if owner and owner not in self.versions:
                    self.versions[owner] = environment.version(owner)
        for name, cost in result["books"].items():
            there = name[1:] not in result["failed"] if name[:1] == "=" else name in files
            if name and there:  # what was not found took nothing, and says nothing
                self.modules[name].observed.append(tuple(cost))
        for name, targets in result["edges"].items():
            self.modules[name].edges.update(t for t in targets if t not in startup)
        for name, targets in result["missing"].items():
            self.modules[name].missing.update(targets)

    def finish(self) -> None:
        """Drop what never loaded, and give modules without a file the one they stand below."""
        known = self.modules
        for name in list(known):
            module = known[name]
            if not module.loaded and not module.observed and not module.edges:
                del known[name]
        for module in known.values():
            module.edges |= module.missing  # what was not there may be elsewhere
            module.edges &= known.keys()
        for name, module in known.items():
            if module.distribution:
                continue
            plain = name.removeprefix("=")
            while not module.distribution and "." in plain:
                plain = plain.rpartition(".")[0]
                if plain in known:
                    module.distribution = known[plain].distribution
            top = name.removeprefix("=").partition(".")[0]
            if module.distribution and top in sys.stdlib_module_names:
                module.distribution = STANDARD

        # Python imports no packages: such an edge is a thread's, which loaded something meanwhile
        for name, module in known.items():
            if name.partition(".")[0] in sys.stdlib_module_names and not module.distribution:
                module.edges = {t for t in module.edges if not known[t].distribution}

    def reach(self, names: Iterable[str], installed: Collection[str]) -> set[str]:
        """Return the modules that importing names loads, where only some is installed."""
        seen: set[str] = set()
        waiting = [self.start(name) for name in names]
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.modules:
                continue
            module = self.modules[name]
            if module.distribution and module.distribution not in installed:
                continue
            seen.add(name)
            waiting.extend(module.edges)
        return seen

    def start(self, name: str) -> str:
        """Return the node of a name that an app imports."""
        return f"={name}" if f"={name}" in self.modules else name

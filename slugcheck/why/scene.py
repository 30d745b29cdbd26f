"""What every question about one resolution is answered from: the graph, its roots, the sizes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from packaging.utils import canonicalize_name

from slugcheck import graph, parts, sizer
from slugcheck.check import Check
from slugcheck.graph import Graph, Node
from slugcheck.index.asked import Asked, asked_for
from slugcheck.installed import layout_of
from slugcheck.model import (
    Distribution,
    FileLine,
    Freed,
    Inventory,
    Overlap,
    Report,
    Requirement,
    Unsized,
)
from slugcheck.parts import RUNTIME
from slugcheck.subject import Subject


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

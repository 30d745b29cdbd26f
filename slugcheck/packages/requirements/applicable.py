"""The lines of a requirements file that apply to one target, ready for the resolver."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.model import Requirement, RequirementSet, Unsized
from slugcheck.packages import graph
from slugcheck.packages.index.urls import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """The requirements by name, those that name a URL or path apart, and what stays out.

    ``set_aside`` is what no size can have; ``skipped`` are names whose markers do not hold.
    """

    requirements: RequirementSet
    environment: Mapping[str, str] = field(repr=False)
    direct: Mapping[str, tuple[Requirement, ...]]
    urls: tuple[Requirement, ...]
    set_aside: tuple[Unsized, ...]
    skipped: tuple[str, ...]

    def with_stand_in(self, name: str, version: str, requirement: Requirement) -> Requested:
        """Return the same with a requirement that named a URL pinned to what is there."""
        pinned = replace(requirement, name=name, specifier=f"=={version}")
        return replace(self, direct={**self.direct, name: (*self.direct.get(name, ()), pinned)})

    def replaced(self, changes: Mapping[Requirement, Requirement | None]) -> Requested:
        """Return the same with other lines, also of constraints; None leaves a line out."""
        direct = {
            name: tuple(_changed(requirements, changes))
            for name, requirements in self.direct.items()
        }
        constraints = tuple(_changed(self.requirements.constraints, changes))
        return replace(
            self,
            requirements=replace(self.requirements, constraints=constraints),
            direct={name: requirements for name, requirements in direct.items() if requirements},
        )

    @property
    def all_pinned(self) -> bool:
        """Whether every line names one version."""
        return all(_is_exact(line) for lines in self.direct.values() for line in lines)

    def lines(self, *, without: Collection[str], extras: bool = True) -> list[str]:
        """Return the direct requirements for the resolver, markers already judged."""
        return [
            resolver_line(requirement, extras=extras)
            for name, requirements in self.direct.items()
            if name not in without
            for requirement in requirements
        ]

    def constraints(self) -> list[str]:
        """Return the lines of constraint files that apply."""
        return [
            f"{r.name}{r.specifier}"
            for r in self.requirements.constraints
            if r.name and r.specifier and applies(r.marker, self.environment)
        ]

    def is_pinned(self, name: str) -> bool:
        """Whether a line of the file names one version of a distribution."""
        return any(map(_is_exact, self.direct.get(name, ())))

    def loose_lines(self, names: Iterable[str], requires: Mapping[str, Iterable[str]]) -> list[str]:
        """Return one line for each of ``names`` with all that anybody asks of its version.

        ``requires`` are the Requires-Dist lines of everything resolved, by name.
        """
        wanted = {name: self.specifiers(name) for name in names}
        for source, lines in requires.items():
            for line in lines:
                parsed = graph.parse(line)
                if parsed is None or not graph.applies(parsed, self.environment):
                    continue
                name = canonicalize_name(parsed.name)
                if name in wanted and name != source:
                    wanted[name] = intersection(wanted[name], str(parsed.specifier))
        for constraint in self.requirements.constraints:
            if constraint.name in wanted and applies(constraint.marker, self.environment):
                wanted[constraint.name] = intersection(
                    wanted[constraint.name], constraint.specifier
                )
        return [f"{name}{specifier}" for name, specifier in wanted.items()]

    def specifiers(self, name: str) -> str:
        """Return what the file's lines ask of a version."""
        return intersection(*(requirement.specifier for requirement in self.direct.get(name, ())))

    def hashes(self) -> dict[str, frozenset[str]]:
        """Return the sha256 digests that the file allows, by name, for names that have any."""
        by_name: dict[str, set[str]] = {}
        for name, requirements in self.direct.items():
            for requirement in requirements:
                for item in requirement.hashes:
                    algorithm, _, digest = item.partition(":")
                    if algorithm == "sha256":
                        by_name.setdefault(name, set()).add(digest)
        return {name: frozenset(digests) for name, digests in by_name.items()}

    def digest(self, *more: str) -> str:
        """Return what the choice of versions depends on as one digest, without credentials."""
        options = self.requirements.options
        parts = [
            self.requirements.sha256,
            *(redact(url) for url in (options.index_url or "", *options.extra_index_urls)),
            *(redact(place) for place in options.find_links),
            *more,
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def requested_by(requirements: RequirementSet, environment: Mapping[str, str]) -> Requested:
    """Return what a file asks for in a target's marker environment."""
    direct: dict[str, tuple[Requirement, ...]] = {}
    urls, skipped = [], []
    for requirement in requirements.requirements:
        if not applies(requirement.marker, environment):
            skipped.append(requirement.name or requirement.text)
        elif requirement.url is None:
            direct[requirement.name] = (*direct.get(requirement.name, ()), requirement)
        else:
            urls.append(requirement)
    aside = [unsized for unsized in requirements.set_aside if applies(unsized.marker, environment)]
    skipped += [unsized.name for unsized in requirements.set_aside if unsized not in aside]
    return Requested(
        requirements=requirements,
        environment=environment,
        direct=direct,
        urls=tuple(urls),
        set_aside=tuple(aside),
        skipped=tuple(dict.fromkeys(skipped)),
    )


def _changed(
    requirements: Iterable[Requirement], changes: Mapping[Requirement, Requirement | None]
) -> Iterator[Requirement]:
    for requirement in requirements:
        changed = changes.get(requirement, requirement)
        if changed is not None:
            yield changed


def applies(marker: str, environment: Mapping[str, str]) -> bool:
    """Return whether a marker holds on the target; no marker holds everywhere."""
    parsed = graph.parse(f"x ; {marker}") if marker else None
    return parsed is None or graph.applies(parsed, environment)


def intersection(*specifiers: str | None) -> str:
    """Return specifiers as one, each clause once."""
    clauses = [clause.strip() for text in specifiers if text for clause in text.split(",")]
    return ",".join(dict.fromkeys(filter(None, clauses)))


def resolver_line(requirement: Requirement, *, extras: bool = True) -> str:
    """Return a requirement for the resolver; its marker was judged before."""
    bracketed = _bracketed(requirement.extras) if extras else ""
    return f"{requirement.name}{bracketed}{requirement.specifier}"


def _is_exact(requirement: Requirement) -> bool:
    return reading.is_exact(reading.specifiers(requirement.specifier))


def _bracketed(extras: tuple[str, ...]) -> str:
    return f"[{','.join(extras)}]" if extras else ""

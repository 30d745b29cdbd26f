"""The changed files that are worth trying: a line less, a newer version, a lighter twin."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from packaging.specifiers import InvalidSpecifier
from packaging.utils import canonicalize_name

from slugcheck import syntax
from slugcheck.facts import CPU_TWINS, HEADLESS
from slugcheck.model import (
    FileLine,
    Freed,
    Remedy,
    RemedyKind,
    Requirement,
    RequirementSet,
    UnmeasuredSaving,
    Why,
)
from slugcheck.why.scene import Scene, Start

# What no newer version is kept out by.
_OPEN_ENDED = frozenset({">=", ">", "!="})


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A change of the file, not measured yet; ``requirements`` is None where it has no lines."""

    kind: RemedyKind
    starts: tuple[Start, ...]
    after: tuple[FileLine, ...]
    graph: Freed | None
    requirements: RequirementSet | None = field(repr=False)

    def remedy(self, reason: str) -> Remedy:
        """Return the same as an answer without a measurement."""
        return Remedy(
            kind=self.kind,
            roots=tuple(start.name for start in self.starts),
            before=tuple(line for start in self.starts for line in start.lines),
            after=self.after,
            graph=self.graph,
            outcome=UnmeasuredSaving(reason=reason, tried=False),
        )


def changes(scene: Scene, why: Why) -> tuple[Changed, ...]:
    """Return the changes, those first that take most away by the graph.

    All lines together come first; then each line with what could be in its place.
    """
    named = {root.name for root in why.roots}
    starts = [start for start in scene.starts if start.name in named]
    found = [(_removed(scene, (start,)), start) for start in starts]

    def rank(pair: tuple[Changed, Start]) -> tuple[int, str]:
        freed = pair[0].graph
        return -(freed.slug_bytes if freed else 0), pair[1].name

    several = [_removed(scene, tuple(starts))] if len(starts) > 1 else []
    held = tuple(start for start in starts if _is_held_back(start))
    if len(held) > 1:
        several.append(_rewritten(scene, held, RemedyKind.NEWEST_ALL, _newest))
    ranked = sorted(found, key=rank)
    return (*several, *(one for pair in ranked for one in (pair[0], *_replaced(scene, pair[1]))))


# --------------------------------------------------------------------------- removed


def _removed(scene: Scene, starts: tuple[Start, ...]) -> Changed:
    names = {start.name for start in starts}
    asked = {one for start in starts for one in start.requirements}
    read = scene.subject.requirements
    return Changed(
        kind=RemedyKind.REMOVE if len(starts) == 1 else RemedyKind.REMOVE_ALL,
        starts=starts,
        after=(),
        graph=scene.freed(scene.gone_without(names)),
        requirements=None if read is None else _without(read, asked, names),
    )


def _without(read: RequirementSet, asked: set[Requirement], names: set[str]) -> RequirementSet:
    kept = tuple(one for one in read.requirements if one not in asked)
    aside = tuple(one for one in read.set_aside if canonicalize_name(one.name) not in names)
    return _with(replace(read, set_aside=aside), kept)


def _with(read: RequirementSet, requirements: tuple[Requirement, ...]) -> RequirementSet:
    """Return a set with other lines; its digest is its own, since answers are kept under it."""
    lines = [f"{one.text} {one.specifier} {one.origin}" for one in requirements]
    lines += [f"{one.name} {one.origin}" for one in read.set_aside]
    digest = hashlib.sha256("\n".join([read.sha256, *lines]).encode("utf-8", "replace"))
    return replace(read, requirements=requirements, sha256=digest.hexdigest())


# --------------------------------------------------------------------------- replaced


def _replaced(scene: Scene, start: Start) -> Iterator[Changed]:
    """Yield what could be in the place of a line: a newer version, a twin."""
    if _is_held_back(start):
        yield _rewritten(scene, (start,), RemedyKind.NEWEST, _newest)
    twin = _twin_of(scene, start.name)
    if twin is not None and _is_rewritable(start):
        pin = f"=={scene.version(start.name)}"
        yield _rewritten(scene, (start,), RemedyKind.TWIN, lambda one: _named(one, twin, pin))


def _is_rewritable(start: Start) -> bool:
    return bool(start.requirements) and all(one.url is None for one in start.requirements)


def _is_held_back(start: Start) -> bool:
    return _is_rewritable(start) and any(_holds_back(r.specifier) for r in start.requirements)


def _holds_back(specifier: str) -> bool:
    """Whether a specifier may keep a newer version out."""
    try:
        clauses = syntax.specifiers(specifier)
    except InvalidSpecifier:
        return True
    return any(clause.operator not in _OPEN_ENDED for clause in clauses)


def _newest(one: Requirement) -> Requirement:
    return _named(one, one.name, "")


def _named(one: Requirement, name: str, specifier: str) -> Requirement:
    """Return a line with another name and version; extras and marker are kept, hashes are not."""
    extras = f"[{','.join(one.extras)}]" if one.extras else ""
    marker = f" ; {one.marker}" if one.marker else ""
    text = f"{name}{extras}{specifier}{marker}"
    return replace(one, name=name, specifier=specifier, text=text, hashes=())


def _twin_of(scene: Scene, name: str) -> str | None:
    twins = {**HEADLESS, **({} if scene.report.sizes.target.platform.gpu else CPU_TWINS)}
    twin = twins.get(name)
    return None if twin in scene.requires else twin


def _rewritten(
    scene: Scene,
    starts: tuple[Start, ...],
    kind: RemedyKind,
    rewrite: Callable[[Requirement], Requirement],
) -> Changed:
    read = scene.subject.requirements
    assert read is not None  # noqa: S101 - a root has lines only where there is a file of them
    own = {one: rewrite(one) for start in starts for one in start.requirements}
    lines = tuple(own.get(one, one) for one in read.requirements)
    return Changed(
        kind=kind,
        starts=starts,
        after=_lines(tuple(own.values())),
        graph=None,
        requirements=_with(read, lines),
    )


def _lines(requirements: Sequence[Requirement]) -> tuple[FileLine, ...]:
    return tuple(FileLine(text=text) for text in dict.fromkeys(one.text for one in requirements))

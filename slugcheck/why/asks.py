"""Which name is meant, and what asks for it: lines of Requires-Dist, and of the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from slugcheck import graph, syntax
from slugcheck.errors import UsageError
from slugcheck.escape import printable
from slugcheck.graph import Node
from slugcheck.index.asked import applies
from slugcheck.model import Need, Origin
from slugcheck.why.scene import Scene

_QUOTED = 60  # characters of a wrong name that a message repeats
_NEAR = 3
_EXAMPLE = "for example slugcheck why numpy requirements.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The name that was asked about, canonical, with the extras that came with it."""

    name: str
    extras: tuple[str, ...]


def wanted(text: str, place: Path) -> Wanted:
    """Return what the first word of the command means; ``place`` is its second.

    :raises UsageError: it is no name of a distribution.
    """
    shown = printable(text[:_QUOTED])
    path = Path(text)
    if "/" in text or path.suffix in (".txt", ".toml", ".lock") or (text == "." and path.is_dir()):
        message = f"{shown} is a file or a folder, and why asks for a name first"
        other = printable(str(place)) if str(place) != "." else "NAME"
        raise UsageError(message, hint=f"slugcheck why {other} {shown}")
    try:
        found = syntax.requirement(text)
    except InvalidRequirement:
        raise UsageError(f"{shown!r} is no name of a distribution", hint=_EXAMPLE) from None
    if found.specifier or found.url or found.marker:
        message = f"{shown} says more than a name; the version is what the file resolves to"
        raise UsageError(message, hint=f"slugcheck why {found.name} {printable(str(place))}")
    extras = sorted(canonicalize_name(extra) for extra in found.extras)
    return Wanted(name=canonicalize_name(found.name), extras=tuple(extras))


# --------------------------------------------------------------------------- who asks


def needs(scene: Scene, name: str) -> tuple[Need, ...]:
    """Return what installed distributions ask of one that counts on this target.

    A line that holds without an extra is not told again for each extra.
    """
    found: dict[Node, dict[str, Requirement]] = {}
    for node in sorted(scene.graph.edges):
        plain = found.get((node[0], ""), {})
        for requirement in _asking(scene, node, name):
            if str(requirement) not in plain:
                found.setdefault(node, {})[str(requirement)] = requirement
    return tuple(_need(scene, node, tuple(lines.values())) for node, lines in found.items())


def _asking(scene: Scene, node: Node, name: str) -> Iterator[Requirement]:
    for requirement in _named(scene, node[0], name):
        if graph.applies(requirement, scene.environment, node[1]) and node[0] != name:
            yield requirement


def _named(scene: Scene, by: str, name: str) -> Iterator[Requirement]:
    """Yield the lines of one distribution's Requires-Dist that name another."""
    for line in scene.requires[by]:
        requirement = graph.parse(line)
        if requirement is not None and canonicalize_name(requirement.name) == name:
            yield requirement


def _need(scene: Scene, node: Node, requirements: Sequence[Requirement], unmet: str = "") -> Need:
    by, extra = node
    return Need(
        by=by,
        version=scene.version(by),
        extra=extra,
        asks=_together(requirements),
        lines=tuple(map(str, requirements)),
        unmet=unmet,
    )


def _together(requirements: Sequence[Requirement]) -> str:
    """Return one line as it is; several without markers, of their lower bounds the highest."""
    if len(requirements) == 1:
        return str(requirements[0])
    clauses = {clause for one in requirements for clause in one.specifier}
    bounds = [clause for clause in clauses if clause.operator == ">="]
    weaker = sorted(bounds, key=lambda clause: syntax.version(clause.version))[:-1]
    kept = ",".join(sorted(str(clause) for clause in clauses.difference(weaker)))
    extras = sorted({extra for one in requirements for extra in one.extras})
    shown = f"[{','.join(extras)}]" if extras else ""
    return f"{requirements[0].name}{shown}{kept}"


# --------------------------------------------------------------------------- who would ask


def unmet(scene: Scene, name: str) -> tuple[Need, ...]:
    """Return what names a distribution without having it installed, each with the reason."""
    return (*_of_the_file(scene, name), *_of_distributions(scene, name))


def _of_the_file(scene: Scene, name: str) -> Iterator[Need]:
    read = scene.subject.requirements
    if read is None:
        return
    minor = scene.report.sizes.target.minor
    here = f"its marker does not hold on Linux with Python {minor}"
    lines: list[tuple[str, str, str, Origin | None]] = [
        (one.name, one.text, one.marker, one.origin) for one in read.requirements
    ]
    lines += [
        (canonicalize_name(one.name), f"{one.name} ; {one.marker}", one.marker, one.origin)
        for one in read.set_aside
    ]
    for named, text, marker, origin in lines:
        if named == name and not applies(marker, scene.environment):
            yield _line(text, origin, here)
    for one in read.constraints:
        if one.name == name:
            yield _line(one.text, one.origin, "a constraint limits versions, and installs nothing")


def _line(text: str, origin: Origin | None, unmet: str) -> Need:
    return Need(
        by="", version="", extra="", asks=text, lines=(text,), origin=origin, unmet=unmet
    )  # fmt: skip


def _of_distributions(scene: Scene, name: str) -> Iterator[Need]:
    for by in sorted(scene.requires):
        for requirement in _named(scene, by, name):
            extra = _extra_that_asks(scene, by, requirement)
            reason = f"only with its extra {extra}" if extra else "its marker does not hold here"
            yield _need(scene, (by, extra), (requirement,), reason)


def _extra_that_asks(scene: Scene, by: str, requirement: Requirement) -> str:
    """Return the extra with which a line would count, "" where none makes it."""
    if by not in scene.inventories:
        return ""
    extras = scene.inventories[by][1].provides_extra
    asks = (e for e in extras if graph.applies(requirement, scene.environment, e))
    return canonicalize_name(next(asks, ""))


def unknown(scene: Scene, name: str) -> UsageError:
    """Return the error for a name that neither the file nor anything installed has."""
    shown = {
        key: scene.unsized[key].name if key in scene.unsized else key for key in scene.requires
    }
    near = [shown[key] for key in difflib.get_close_matches(name, sorted(shown), n=_NEAR)]
    path = printable(scene.report.path)
    message = f"{name} is not in {path}, and nothing there asks for it"
    if near:
        return UsageError(message, hint=f"did you mean {' or '.join(map(printable, near))}?")
    return UsageError(message, hint=f"slugcheck {path} --all lists what is installed")

"""Edits of a project that are applied in memory, to be tried before they are printed as a fix."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from packaging.utils import InvalidWheelFilename, canonicalize_name

from slugcheck import reading
from slugcheck.model import (
    Distribution,
    IndexOptions,
    Inventory,
    Origin,
    Requirement,
    RequirementSet,
    Unsized,
)
from slugcheck.packages import graph
from slugcheck.packages.requirements.applicable import applies

# Operators that do not exclude newer versions.
OPEN_ENDED = frozenset({">=", ">", "!="})
_ADDED = Origin(file="the fix", line=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change of the project that can be tried in memory and written in its manager's syntax.

    Names are canonical; lines are PEP 508 without a marker (a replaced line keeps its own).
    ``replace`` takes the line of a distribution that the project names itself and puts another in
    its place, ``remove`` deletes such lines, ``add`` adds lines. ``drop`` are distributions that
    others require and that are uninstalled after the install. ``index_url`` is an index to add,
    only for ``index_names`` where the manager can say so. ``python`` is another minor version of
    Python, such as "3.12". ``free`` are names that may change their version although they are
    resolved or locked; what is replaced, removed or added is free anyway. With ``lowest`` the lines
    that change take the lowest version that they allow, and with ``wheels_only`` nothing that may
    change is built from source.
    """

    replace: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    index_url: str | None = None
    index_names: tuple[str, ...] = ()
    python: str | None = None
    free: tuple[str, ...] = ()
    lowest: bool = False
    wheels_only: bool = False

    @property
    def only_python(self) -> bool:
        """Whether it changes nothing but the version of Python."""
        return self.python is not None and not (
            self.replace or self.remove or self.add or self.drop or self.index_url or self.free
        )

    @property
    def only_removes(self) -> bool:
        """Whether it only deletes lines."""
        return bool(self.remove) and self == Edit(remove=self.remove)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that are new."""
        return (*(line for _, line in self.replace), *self.add)


# --------------------------------------------------------------------------- applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What a finished run resolved, which an edit starts from: distributions by name."""

    distributions: Mapping[str, tuple[Distribution, Inventory]]
    environment: Mapping[str, str]

    def freed_by(self, edit: Edit, *, caps: bool = True) -> frozenset[str]:
        """Return the names whose versions may change with an edit.

        With ``caps``, what a package that goes kept below some version is resolved anew.
        """
        freed = {*(old for old, _ in edit.replace), *edit.remove, *edit.drop, *edit.free}
        freed |= {name for line in edit.lines if (name := self._not_met(line))}
        for name in self.gone(edit) if caps else ():
            for line in self.distributions[name][1].requires_dist:
                parsed = graph.parse(line)
                if parsed is not None and _caps(str(parsed.specifier)):
                    freed.add(canonicalize_name(parsed.name))
        return frozenset(freed)

    def _not_met(self, line: str) -> str:
        """Return the name that a line asks for unless it is there in such a version."""
        wanted = reading.requirement(line)
        name = canonicalize_name(wanted.name)
        known = self.distributions.get(name)
        if known is None:
            return name
        met = wanted.specifier.contains(known[0].version, prereleases=True)
        return "" if met and wanted.url is None else name

    def gone(self, edit: Edit) -> frozenset[str]:
        """Return the distributions that only what an edit takes away requires, with these."""
        away = {*(old for old, _ in edit.replace), *edit.remove}
        requires = {
            name: inventory.requires_dist for name, (_, inventory) in self.distributions.items()
        }
        roots = {
            name: distribution.extras
            for name, (distribution, _) in self.distributions.items()
            if distribution.direct
        }
        if not roots:
            return frozenset(away & set(requires))
        built = graph.build(roots, requires, self.environment)
        nodes = {name: graph.root_nodes(name, extras) for name, extras in roots.items()}
        left = [node for name in nodes if name not in away for node in nodes[name]]
        reached = built.reach(left)
        for name in edit.drop:
            reached &= built.reach(left, without=name)
        return built.reach(node for own in nodes.values() for node in own) - reached


def _caps(specifier: str) -> bool:
    return any(clause.operator not in OPEN_ENDED for clause in reading.specifiers(specifier))


def applied(
    edit: Edit, read: RequirementSet, pinned: Pinned | None = None, freed: Collection[str] = ()
) -> RequirementSet:
    """Return a file's requirements with an edit applied.

    With ``pinned``, everything but ``freed`` keeps the version that it was resolved to.
    """
    replaced, removed = dict(edit.replace), frozenset(edit.remove)
    requirements = []
    for requirement in read.requirements:
        name = requirement.name or _name_in_url(requirement)
        if name in removed:
            continue
        if name in replaced:
            requirement = with_line(requirement, replaced[name])
        elif pinned is not None and name not in freed:
            requirement = _held(requirement, pinned)
        requirements.append(requirement)
    gone = removed | frozenset(replaced)
    aside = []
    for unsized in read.set_aside:
        name = canonicalize_name(unsized.name)
        if name in replaced and unsized.origin is not None:
            line = Requirement(
                name=name, text=unsized.name, origin=unsized.origin, marker=unsized.marker
            )
            requirements.append(with_line(line, replaced[name]))
        elif name not in gone:
            aside.append(unsized)
    requirements += (_added(line) for line in edit.add)
    constraints = read.constraints
    if pinned is not None:
        constraints = (*constraints, *_pins(pinned, freed))
    options = read.options
    if edit.index_url:
        urls = (*options.extra_index_urls, edit.index_url)
        options = replace(options, extra_index_urls=tuple(dict.fromkeys(urls)))
    changed = replace(read, constraints=constraints, options=options, set_aside=tuple(aside))
    return with_requirements(changed, requirements)


def with_requirements(read: RequirementSet, requirements: Iterable[Requirement]) -> RequirementSet:
    """Return a set with other lines and its own digest, which is a key of the cache."""
    kept = tuple(requirements)
    lines = [f"{line.text} {line.specifier} {line.origin}" for line in kept]
    lines += [f"{aside.name} {aside.origin}" for aside in read.set_aside]
    lines += [f"-c {line.text} {line.specifier}" for line in read.constraints]
    digest = hashlib.sha256("\n".join([read.sha256, *lines]).encode("utf-8", "replace"))
    return replace(read, requirements=kept, sha256=digest.hexdigest())


def with_line(requirement: Requirement, line: str) -> Requirement:
    """Return a requirement with another name, version and extras; it keeps origin and marker."""
    wanted = reading.requirement(line)
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return replace(
        requirement,
        name=canonicalize_name(wanted.name),
        text=f"{line}{marker}",
        extras=tuple(sorted(wanted.extras)),
        specifier=str(wanted.specifier),
        url=wanted.url,
        hashes=(),
        editable=False,
    )


def _added(line: str) -> Requirement:
    return with_line(Requirement(name="", text="", origin=_ADDED), line)


def _held(requirement: Requirement, pinned: Pinned) -> Requirement:
    """Return a line with the version that it was resolved to, where an index has that."""
    known = pinned.distributions.get(requirement.name)
    if (
        known is None
        or requirement.url is not None
        or not applies(requirement.marker, pinned.environment)
    ):
        return requirement
    return replace(requirement, specifier=f"=={known[0].version}")


def _pins(pinned: Pinned, freed: Collection[str]) -> Iterator[Requirement]:
    for name, (distribution, _) in pinned.distributions.items():
        if name not in freed and not distribution.direct_url:
            text = f"{name}=={distribution.version}"
            yield Requirement(
                name=name, text=text, specifier=f"=={distribution.version}", origin=_ADDED
            )


def _name_in_url(requirement: Requirement) -> str:
    """Return the name of a wheel that a line names by its URL, "" where it has no such name."""
    if requirement.url is None:
        return ""
    try:
        filename = reading.last_part(requirement.url.partition("#")[0])
        return canonicalize_name(reading.wheel_filename(filename)[0])
    except InvalidWheelFilename:
        return ""


# --------------------------------------------------------------------------- locks


def unlocked(
    path: str, pinned: Pinned, indexes: IndexOptions, unsized: Iterable[Unsized] = ()
) -> RequirementSet:
    """Return what a lock installs as requirements: its direct ones, each at its locked version.

    Where the lock does not say which are direct, they are those that nothing else in it requires.
    ``indexes`` are those of the lock.
    """
    sized = [distribution for distribution, _ in pinned.distributions.values()]
    direct = [distribution for distribution in sized if distribution.direct]
    if not direct:
        requires = {
            name: inventory.requires_dist for name, (_, inventory) in pinned.distributions.items()
        }
        roots: dict[str, tuple[str, ...]] = dict.fromkeys(requires, ())
        needed = graph.build(roots, requires, pinned.environment).required_by()
        direct = [distribution for distribution in sized if not needed[distribution.name]]
    empty = RequirementSet(
        path=path,
        sha256="",
        requirements=(),
        constraints=(),
        options=indexes,
        set_aside=tuple(unsized),
        notes=(),
    )
    return with_requirements(empty, map(_as_requirement, direct))


def _as_requirement(distribution: Distribution) -> Requirement:
    extras = f"[{','.join(distribution.extras)}]" if distribution.extras else ""
    return Requirement(
        name=distribution.name,
        text=f"{distribution.name}{extras}=={distribution.version}",
        origin=distribution.origins[0] if distribution.origins else _ADDED,
        extras=distribution.extras,
        specifier=f"=={distribution.version}",
        url=distribution.artifact.url if distribution.direct_url else None,
    )

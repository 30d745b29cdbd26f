"""The dependencies that a ``pyproject.toml`` declares, each with its line in the file.

``[project]`` has ``dependencies`` and ``optional-dependencies`` (extras), ``[dependency-groups]``
the groups of PEP 735. Settings of a package manager, such as ``[tool.uv.sources]``, are not read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.errors import RequirementsError
from slugcheck.text import listed, printable

NAME = "pyproject.toml"
_SHOWN = 80
_MOST_DEEP = 50  # extras and groups that include each other; real ones are three deep
_MOST_CONDITIONS = 50  # sets of markers that one extra is required under
_MOST_MENTIONS = 20_000  # of extras and groups, followed through each other
_MOST_CHARACTERS = 10**6  # of requirements with the markers that led to them; real files: 10,000
_FOLDER_HINT = "check the project's folder instead, which reads its lock file"
_NOT_READ = ("sources", "index", "constraint-dependencies", "override-dependencies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The extras and groups that were asked for beside the dependencies themselves."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.extras or self.groups)


class Dependencies:
    """What one file declares, by the selection."""

    def __init__(self, text: str, name: str, selection: Selection) -> None:
        """Parse the file; ``name`` is what messages call it.

        :raises RequirementsError: it is not valid TOML, or declares no dependencies.
        """
        try:
            document = reading.toml(text)
        except ValueError as error:
            raise RequirementsError(f"{name} is not valid TOML: {error}") from None
        self._text = text
        self._lines: dict[str, int] = {}
        # kind and name of what was read before -> the markers under which it was
        self._done: dict[tuple[str, str], list[frozenset[str]]] = {}
        self._mentions = 0
        self._characters = 0
        self._name = name
        self._selection = selection
        self._project = _table(document, "project")
        self._own_name = canonicalize_name(str(self._project.get("name", "")))
        self._groups = _named(_table(document, "dependency-groups"))
        self._extras = _named(_table(self._project, "optional-dependencies"))
        self._uv = _table(_table(document, "tool"), "uv")
        if not self._project and not (selection.groups and self._groups):
            raise RequirementsError(f"{name} has no [project] table", hint=_FOLDER_HINT)
        dynamic = self._project.get("dynamic", ())
        if isinstance(dynamic, list) and "dependencies" in dynamic:
            message = f"{name} leaves its dependencies to the build backend (dynamic)"
            raise RequirementsError(message, hint="name the requirements file that it reads")

    @property
    def notes(self) -> tuple[str, ...]:
        """What the file says beyond its dependencies and is not used."""
        unread = [f"tool.uv.{key}" for key in _NOT_READ if key in self._uv]
        if not unread:
            return ()
        return (f"{self._name}: ignored {', '.join(unread)}; {_FOLDER_HINT}",)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (line number, requirement) of everything that was selected, each once.

        A requirement of the project on itself stands for the extras that it names, as for pip. Its
        marker then holds for each line that they bring.

        :raises RequirementsError: a requirement is invalid, or an extra or group is unknown.
        """
        chosen = chain(
            self._expanded(self._project.get("dependencies", []), "project.dependencies", (), ()),
            *(self._extra(name, (), ()) for name in self._selection.extras),
            *(self._group(name, ()) for name in self._selection.groups),
        )
        seen: set[str] = set()
        for line, requirement in chosen:
            if requirement not in seen:
                seen.add(requirement)
                yield line, requirement

    def _expanded(
        self, entries: object, where: str, above: tuple[str, ...], conditions: tuple[str, ...]
    ) -> Iterator[tuple[int, str]]:
        """Yield lines and requirements; ``conditions`` are the markers that led to them.

        ``above`` are the extras that led to them, the outermost first.
        """
        for text, requirement in self._checked(entries, where):
            marker = str(requirement.marker or "")
            if requirement.url is None and canonicalize_name(requirement.name) == self._own_name:
                both = tuple(dict.fromkeys((*conditions, *filter(None, [marker]))))
                for other in sorted(requirement.extras):
                    yield from self._extra(other, above, both)
            elif not conditions:
                yield self._line(text), text
            else:
                requirement.marker = None
                every = " and ".join(
                    f"({condition})" for condition in (*conditions, marker) if condition
                )
                self._count(f"{requirement} ; {every}", every)
                yield self._line(text), f"{requirement} ; {every}"

    def _count(self, requirement: str, marker: str) -> None:
        """Bound what markers multiply: a small file could stand for gigabytes."""
        self._characters += len(requirement)
        if len(marker) > reading.LONGEST_MARKER or self._characters > _MOST_CHARACTERS:
            message = f"{self._name}: the markers of its requirements on itself are too long"
            raise RequirementsError(message, hint="list the requirements themselves")

    def _extra(
        self, name: str, above: tuple[str, ...], conditions: tuple[str, ...]
    ) -> Iterator[tuple[int, str]]:
        key = canonicalize_name(name)
        if self._is_new("extra", key, above, conditions):
            where = f"project.optional-dependencies.{printable(key)}"
            entries = self._member(self._extras, name, "extra")
            yield from self._expanded(entries, where, (*above, key), conditions)

    def _group(self, name: str, above: tuple[str, ...]) -> Iterator[tuple[int, str]]:
        key = canonicalize_name(name)
        if key in above:
            message = f"{self._name}: the dependency group {printable(name)} includes itself"
            raise RequirementsError(message)
        if not self._is_new("group", key, above):
            return
        for entry in self._member(self._groups, name, "group"):
            if isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
                yield from self._group(entry["include-group"], (*above, key))
            else:
                where = f"dependency-groups.{printable(key)}"
                yield from self._expanded([entry], where, (), ())

    def _is_new(
        self, kind: str, key: str, above: Collection[str], conditions: Collection[str] = ()
    ) -> bool:
        """Return whether an extra or a group still counts.

        It is read once for each set of conditions, and not again under stricter ones.

        :raises RequirementsError: it is nested too deeply, or under too many conditions.
        """
        if len(above) > _MOST_DEEP:
            message = f"{self._name}: {kind}s include each other more than {_MOST_DEEP} deep"
            raise RequirementsError(message, hint="list their requirements in one")
        self._mentions += 1
        if self._mentions > _MOST_MENTIONS:
            message = f"{self._name}: its {kind}s name others more than {_MOST_MENTIONS:,} times"
            raise RequirementsError(message, hint="list their requirements in one")
        known = self._done.setdefault((kind, key), [])
        if any(earlier.issubset(conditions) for earlier in known):
            return False
        if len(known) >= _MOST_CONDITIONS:
            message = f"{self._name}: more than {_MOST_CONDITIONS} markers lead to the {kind} "
            raise RequirementsError(message + printable(key[:_SHOWN]))
        known.append(frozenset(conditions))
        return True

    def _member(self, table: Mapping[str, Any], name: str, kind: str) -> list[Any]:
        entries = table.get(canonicalize_name(name))
        if isinstance(entries, list):
            return entries
        known = listed([printable(key[:_SHOWN]) for key in table]) or "none"
        message = f"{self._name} has no {kind} {printable(name[:_SHOWN])}"
        raise RequirementsError(message, hint=f"its {kind}s: {known}")

    def _checked(self, entries: object, where: str) -> Iterator[tuple[str, Requirement]]:
        if not isinstance(entries, list):
            raise RequirementsError(f"{self._name}: {where} must be a list of strings")
        for entry in entries:
            if not isinstance(entry, str):
                raise RequirementsError(f"{self._name}: {where} must be a list of strings")
            try:
                requirement = reading.requirement(entry)
            except InvalidRequirement:
                message = f"{self._name}:{self._line(entry)}: invalid requirement "
                raise RequirementsError(message + repr(printable(entry[:_SHOWN]))) from None
            yield entry, requirement

    def _line(self, requirement: str) -> int:
        if not self._lines:
            for number, line in enumerate(self._text.split("\n"), 1):
                for piece in (*line.split('"'), *line.split("'")):
                    self._lines.setdefault(piece, number)
        return self._lines.get(requirement, 1)


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _named(table: Mapping[str, Any]) -> dict[str, Any]:
    return {canonicalize_name(name): value for name, value in table.items()}

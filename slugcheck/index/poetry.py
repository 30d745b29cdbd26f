"""Poetry's own dependency table to PEP 508 lines. Pure; only the simple forms are taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.specifiers import InvalidSpecifier
from packaging.version import InvalidVersion

from slugcheck import syntax

_SHOWN = 80  # characters of a text that a message repeats
_GAP = re.compile(r"\s+")
_PLAIN = frozenset({"version", "extras", "optional", "markers", "python", "allow-prereleases"})


def requirements(table: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """Return the dependencies of ``[tool.poetry]`` and its Python specifier.

    :raises ValueError: a dependency has a form with no plain equivalent; the text names it.
    """
    lines: list[str] = []
    python: str | None = None
    extras = _extras_of(_mapping(table.get("extras")))
    for name, wanted in _mapping(table.get("dependencies")).items():
        if name == "python":
            python = specifier(wanted) if isinstance(wanted, str) else None
            continue
        for one in wanted if isinstance(wanted, list) else [wanted]:
            lines += _lines(name, one, extras.get(name.lower(), ()))
    return lines, python


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _extras_of(table: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for extra, names in table.items():
        for name in names if isinstance(names, list) else []:
            found.setdefault(str(name).lower(), []).append(extra)
    return found


def _lines(name: str, wanted: object, extras: list[str] | tuple[()]) -> Iterator[str]:
    details = {"version": wanted} if isinstance(wanted, str) else wanted
    if not isinstance(details, dict) or set(details) - _PLAIN:
        raise ValueError(f"{name} comes from elsewhere than an index")
    extra_names = details.get("extras") or []
    if not isinstance(extra_names, list):
        raise ValueError(f"the extras of {name} are no list")
    chosen = f"[{','.join(map(str, extra_names))}]" if extra_names else ""
    markers = [f"({details['markers']})"] if details.get("markers") else []
    if details.get("python"):
        markers += _python_markers(specifier(str(details["python"])))
    head = f"{name}{chosen}{specifier(str(details.get('version', '*')))}"
    if not details.get("optional"):
        yield _joined(head, markers)
        return
    for extra in extras:
        yield _joined(head, [*markers, f'extra == "{extra}"'])


def _joined(head: str, markers: list[str]) -> str:
    return f"{head} ; {' and '.join(markers)}" if markers else head


def _python_markers(wanted: str) -> list[str]:
    return [f'python_full_version {s.operator} "{s.version}"' for s in syntax.specifiers(wanted)]


def specifier(text: str) -> str:
    """Return Poetry's version constraint as PEP 440.

    :raises ValueError: it has alternatives (``||``) or a form that is not known.
    """
    # blanks by themselves first: an expression that looks for them before a comma is quadratic
    words = _GAP.sub(" ", text.strip()).replace(" ,", ",").replace(", ", ",")
    parts = [part for part in re.split(r",| (?=[<>=!~^])", words) if part]
    try:
        return str(syntax.specifiers(",".join(filter(None, map(_clause, parts)))))
    except (InvalidSpecifier, InvalidVersion):
        raise ValueError(f"the constraint {text[:_SHOWN]!r} has no plain equivalent") from None


def _clause(part: str) -> str:
    if part == "*":
        return ""
    if part[0] == "^":
        return _between(part[1:], lambda release: _first_nonzero(release))
    if part[0] == "~" and not part.startswith("~="):
        return _between(part[1:], lambda release: min(1, len(release) - 1))
    return part if part[0] in "<>=!~" else f"=={part}"


def _between(text: str, position: Any) -> str:
    version = syntax.version(text.strip())
    release = version.release
    index = position(release)
    upper = [*release[:index], release[index] + 1, *(0 for _ in release[index + 1 :])]
    return f">={version},<{'.'.join(map(str, upper))}"


def _first_nonzero(release: tuple[int, ...]) -> int:
    return next((i for i, number in enumerate(release) if number), len(release) - 1)

"""The values of a settings file: each is parsed, and what is wrong with it is collected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from slugcheck import syntax
from slugcheck.escape import printable
from slugcheck.model import Budget, Denied, Ignore

QUOTED = 80  # characters of a wrong text that a message repeats
_BUDGET_KEYS = ("limit", "message", "on")
_IGNORE_KEYS = ("code", "subject", "reason", "expires")
_PYTHON = re.compile(r"3\.[0-9]{1,3}(?:\.[0-9]{1,2})?")


T = TypeVar("T")


class Wrong(Exception):
    """A value that its setting does not take; the text says what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistakes:
    """What is wrong so far. ``place`` is the path of the table that is being read."""

    place: str
    said: list[str] = field(default_factory=list)

    def add(self, key: str, what: str) -> None:
        """Note what is wrong with a key; ``what`` goes on after its path."""
        self.said.append(f"{self.place}{printable(key[:QUOTED])}{what}")

    def whole(self, what: str) -> None:
        """Note what is wrong with the table itself."""
        self.said.append(f"{self.place.rstrip('.')} {what}")

    def below(self, key: str) -> Mistakes:
        """Return the same list for a table inside."""
        return Mistakes(place=f"{self.place}{printable(key[:QUOTED])}.", said=self.said)

    def unknown(self, key: str, known: Mapping[str, object] | tuple[str, ...], more: str) -> None:
        """Note a key that is none."""
        near = difflib.get_close_matches(key.lower()[:QUOTED], list(known), n=1)
        did = f"; did you mean {near[0]}?" if near else ""
        self.add(key, f": there is no such setting{more or did}")


# --------------------------------------------------------------------------- plain values


def texts(value: object) -> tuple[str, ...]:
    """Return an array of texts."""
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise Wrong('an array of texts, such as ["models/*.onnx"]')
    return tuple(value)


def text(value: object) -> str:
    """Return a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong("a text")
    return value.strip()


def python(value: object) -> str:
    """Return a Python version; a number would lose the zero of 3.10."""
    if not isinstance(value, str) or not _PYTHON.fullmatch(value.strip()):
        raise Wrong('a version in quotes, such as "3.12"')
    return value.strip()


# --------------------------------------------------------------------------- budgets


def budgets(value: object, mistakes: Mistakes) -> tuple[Budget, ...]:
    """Return the budgets of a table; ``[budgets.package]`` is short for ``package.NAME``."""
    if not isinstance(value, dict):
        mistakes.whole("must be a table of limits, such as budgets.slug")
        return ()
    return tuple(_budgets(value, mistakes))


def _budgets(table: Mapping[str, Any], mistakes: Mistakes) -> Iterator[Budget]:
    for key, value in table.items():
        if key == "package" and isinstance(value, dict):
            inside = mistakes.below(key)
            for name, own in value.items():
                yield from _budget(f"package.{name}", name, own, inside)
        else:
            yield from _budget(key, key, value, mistakes)


def _budget(name: str, key: str, value: object, mistakes: Mistakes) -> Iterator[Budget]:
    place = f"{mistakes.place}{printable(key[:QUOTED])}"
    if isinstance(value, dict):
        wrong = [other for other in value if other not in _BUDGET_KEYS]
        for other in wrong:
            mistakes.below(key).unknown(other, _BUDGET_KEYS, "")
        if "limit" not in value:
            mistakes.add(key, ' has no limit; write { limit = "450M", message = "…" }')
            return
        if not all(isinstance(value.get(part, ""), str) for part in ("message", "on")):
            mistakes.add(key, ": message and on must be texts")
            return
        limit, message, on = value["limit"], value.get("message", ""), value.get("on")
    else:
        limit, message, on = value, "", None
    if isinstance(limit, bool) or not isinstance(limit, str | int | float):
        mistakes.add(key, ' must be a limit, such as "450M" or { limit = "450M", message = "…" }')
        return
    yield Budget(name=name, text=str(limit), place=place, message=message.strip(), on=on)


# --------------------------------------------------------------------------- denied


def denied(value: object, mistakes: Mistakes) -> tuple[Denied, ...]:
    """Return denied packages: an array of requirements, or a table of them with reasons."""
    if isinstance(value, dict):
        pairs = [(str(key), reason) for key, reason in value.items()]
    elif isinstance(value, list):
        pairs = [(one, "") for one in value]
    else:
        mistakes.whole('must be an array such as ["torch"], or a table of reasons')
        return ()
    return tuple(
        one for name, reason in pairs if (one := _denied(name, reason, mistakes)) is not None
    )


def _denied(name: object, reason: object, mistakes: Mistakes) -> Denied | None:
    shown = str(name)
    try:
        asked = syntax.requirement(name) if isinstance(name, str) else None
    except InvalidRequirement:
        asked = None
    if asked is None or asked.marker or asked.url or asked.extras:
        mistakes.add(shown, ': a denied package is written "torch" or "tensorflow>=2"')
        return None
    if not isinstance(reason, str):
        mistakes.add(shown, ": the reason must be a text")
        return None
    return Denied(
        name=canonicalize_name(asked.name),
        specifier=str(asked.specifier),
        reason=reason.strip(),
        place=mistakes.place.rstrip("."),
    )


# --------------------------------------------------------------------------- ignored


def ignores(value: object, mistakes: Mistakes) -> tuple[Ignore, ...]:
    """Return the findings that are to be ignored: tables with code, reason and expires."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        mistakes.whole("must be tables, written as [[ignore]]")
        return ()
    found = (_ignore(table, number, mistakes) for number, table in enumerate(value))
    return tuple(one for one in found if one is not None)


def _ignore(table: Mapping[str, Any], number: int, mistakes: Mistakes) -> Ignore | None:
    inside = Mistakes(place=f"{mistakes.place.rstrip('.')}[{number}].", said=mistakes.said)
    before = len(inside.said)
    for key in table:
        if key not in _IGNORE_KEYS:
            inside.unknown(key, _IGNORE_KEYS, "")
    code = _taken(table, "code", text, inside)
    subject = _taken(table, "subject", text, inside) if "subject" in table else None
    reason = _taken(table, "reason", text, inside)
    expires = _taken(table, "expires", day, inside)
    if len(inside.said) > before or code is None or reason is None or expires is None:
        return None
    place = inside.place.rstrip(".")
    return Ignore(code=code, subject=subject, reason=reason, expires=expires, place=place)


def _taken(
    table: Mapping[str, Any], key: str, parse: Callable[[object], T], mistakes: Mistakes
) -> T | None:
    if key not in table:
        mistakes.add(key, " is missing")
        return None
    try:
        return parse(table[key])
    except Wrong as wrong:
        mistakes.add(key, f" must be {wrong}")
        return None


def day(value: object) -> date:
    """Return a date of TOML, or one written as text."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise Wrong("a date, such as 2027-05-26") from None

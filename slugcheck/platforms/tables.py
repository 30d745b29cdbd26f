"""Reads a TOML table and collects all mistakes, each with the path to its value.

An invalid value is replaced by a neutral one of the right type, so that reading continues.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

Row = TypeVar("Row")
_SHOWN = 40  # characters of an invalid value that a message repeats


class Reader:
    """One table of a file, and the mistakes of the whole file."""

    def __init__(self, table: Mapping[str, Any], path: str = "", parent: Reader | None = None):
        self._table = table
        self._path = path
        self._root: Reader = parent._root if parent else self
        self._known: set[str] = set()
        self.mistakes: dict[str, None] = parent.mistakes if parent else {}  # each once, in order

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def mistake(self, key: str, text: str) -> None:
        """Note a mistake of one key, once."""
        self.mistakes[f"{self._path}{key} {text}"] = None

    def finish(self) -> None:
        """Note a mistake for each key that was not read: an unknown or misspelt one."""
        for key in self._table:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, n=1)
                self.mistake(key, "is unknown" + (f"; did you mean {near[0]}?" if near else ""))

    # ----------------------------------------------------------------- values

    def text(
        self, key: str, *, default: str | None = None, pattern: str = "", like: str = ""
    ) -> str:
        """Return a string that is not empty and matches ``pattern``; ``like`` is an example."""
        value = self._get(key, default)
        if not isinstance(value, str) or (not value and default is None):
            return self._wrong(key, value, "a string", "")
        if pattern and not re.fullmatch(pattern, value):
            return self._wrong(key, value, f"like {like}", "")
        return value

    def choice(self, key: str, known: Sequence[str]) -> str:
        """Return a string that is one of ``known``."""
        value = self._get(key)
        if isinstance(value, str) and value in known:
            return value
        return self._wrong(key, value, f"one of {', '.join(known)}", "")

    def date(self, key: str) -> str:
        """Return a date as ``YYYY-MM-DD``, from a string or a date of TOML."""
        value = self._get(key)
        try:
            return datetime.date.fromisoformat(str(value)).isoformat()
        except ValueError:
            return self._wrong(key, value, "a date like 2026-11-23", "")

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self._get(key)
        return value if isinstance(value, bool) else self._wrong(key, value, "true or false", False)

    def whole(self, key: str, *, least: int = 0) -> int:
        """Return a whole number of bytes or seconds, at least ``least``."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            return self._wrong(key, value, f"a whole number of at least {least:,}", least)
        return value

    def number(self, key: str) -> float:
        """Return a number that is not negative."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e18:
            return self._wrong(key, value, "a number that is not negative", 0.0)
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings; a missing one is empty."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return self._wrong(key, value, "a list of strings", ())
        return tuple(value)

    # ----------------------------------------------------------------- tables

    def rows(
        self, key: str, read: Callable[[Reader], Row], *, at_least: int = 0
    ) -> tuple[Row, ...]:
        """Return a list of tables, each read by ``read``; a missing one is empty."""
        rows = self._get(key, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return self._wrong(key, rows, "a list of tables", ())
        if len(rows) < at_least:
            self.mistake(key, f"must have at least {at_least}")
        return tuple(self._row(read, f"{self._path}{key}[{n}].", row) for n, row in enumerate(rows))

    def _row(self, read: Callable[[Reader], Row], path: str, row: Mapping[str, Any]) -> Row:
        reader = Reader(row, path, self)
        found = read(reader)
        reader.finish()
        return found

    def root(self, key: str, name: str) -> Reader | None:
        """Return the table ``name`` of the table ``key`` at the top of the file, if it exists."""
        tables = self._root._get(key, {})
        table = tables.get(name) if isinstance(tables, dict) else None
        return Reader(table, f"{key}.{name}.", self) if isinstance(table, dict) else None

    def _get(self, key: str, default: object = None) -> object:
        self._known.add(key)
        return self._table.get(key, default)

    def _wrong(self, key: str, value: object, wanted: str, instead: Row) -> Row:
        if key not in self._table:
            self.mistake(key, f"is missing; it must be {wanted}")
        else:
            self.mistake(key, f"must be {wanted}, not {repr(value)[:_SHOWN]}")
        return instead

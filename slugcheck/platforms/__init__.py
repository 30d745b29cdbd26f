"""The platforms slugcheck knows, each a TOML file beside this module.

Limits move, so no constant of a platform is in code: every value stands in its file with the
source it was read from and the date. A mistake in a file is reported with the path to the bad
value, all of them at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from slugcheck.errors import PlatformError
from slugcheck.model import (
    Dyno,
    Limit,
    Platform,
    PythonRelease,
    RuntimePart,
    Severity,
    Source,
    Stack,
)

_FIGURES = frozenset({"slug", "installed", "download", "build", "boot", "ram"})
T = TypeVar("T")
Table = Mapping[str, Any]


def names() -> tuple[str, ...]:
    """Return the names of the built-in platforms, Heroku first."""
    files = resources.files(__name__).iterdir()
    found = sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))
    return ("heroku", *(name for name in found if name != "heroku"))


def load(name: str) -> Platform:
    """Return a built-in platform, or one from a file of the user's (``name`` ends in .toml).

    :raises PlatformError: there is no such platform, or its file is wrong.
    """
    if name.endswith(".toml"):
        return load_file(Path(name))
    if name not in names():
        message = f"no platform is called {name!r}"
        raise PlatformError(message, hint=f"slugcheck knows {', '.join(names())}")
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return parse(text, f"{name}.toml")


def load_file(path: Path) -> Platform:
    """Return the platform of a TOML file.

    :raises PlatformError: the file cannot be read or holds mistakes.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: the platform file cannot be read: {error}"
        raise PlatformError(message) from None
    return parse(text, str(path))


def parse(text: str, origin: str) -> Platform:
    """Return the platform a TOML text describes; ``origin`` names it in messages.

    :raises PlatformError: listing every mistake with the path to its value.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlatformError(f"{origin}: not valid TOML: {error}") from None
    reader = _Reader(table)
    platform = _platform(reader)
    if reader.mistakes:
        raise PlatformError("\n".join(f"{origin}: {mistake}" for mistake in reader.mistakes))
    return platform


class _Reader:
    """Reads one table and collects the mistakes of the whole file."""

    def __init__(self, table: Table, path: str = "", mistakes: list[str] | None = None) -> None:
        self._table = table
        self._path = path
        self.mistakes: list[str] = [] if mistakes is None else mistakes

    def get(self, key: str, kind: type[T], default: T | None = None) -> T:
        """Return the value of a key; a missing or wrong one is a mistake unless defaulted."""
        value = self._table.get(key, default)
        if kind is float and type(value) is int:
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            state = "is missing" if value is None else f"must be {kind.__name__}"
            self.mistakes.append(f"{self._path}{key} {state}")
            return kind()
        return value

    def optional(self, key: str, kind: type[T]) -> T | None:
        """Return the value of a key that may be absent."""
        return self.get(key, kind) if key in self._table else None

    def rows(self, key: str, read: Callable[[_Reader], T]) -> tuple[T, ...]:
        """Return an array of tables, each read by ``read``."""
        rows = self._table.get(key, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self.mistakes.append(f"{self._path}{key} must be an array of tables")
            return ()
        return tuple(
            read(_Reader(row, f"{self._path}{key}[{number}].", self.mistakes))
            for number, row in enumerate(rows)
        )

    def among(self, key: str, value: str, known: frozenset[str]) -> str:
        """Return ``value``; a mistake when it is not one of ``known``."""
        if value not in known:
            self.mistakes.append(f"{self._path}{key} must be one of {', '.join(sorted(known))}")
        return value

    @property
    def source(self) -> Source:
        """The source and date that every row carries."""
        return Source(text=self.get("source", str), date=self.get("date", str))


def _platform(reader: _Reader) -> Platform:
    platform = Platform(
        name=reader.get("name", str),
        title=reader.get("title", str),
        about=reader.get("about", str),
        size_figure=reader.get("size_figure", str),
        installer=reader.get("installer", str),
        compiles_bytecode=reader.get("compiles_bytecode", bool),
        gpu=reader.get("gpu", bool),
        prefix=reader.get("prefix", str),
        stacks=reader.rows("stacks", _stack),
        default_stack=reader.get("default_stack", str),
        pythons=reader.rows("pythons", _python),
        default_python=reader.get("default_python", str),
        limits=reader.rows("limits", _limit),
        dynos=reader.rows("dynos", _dyno),
        default_dyno=reader.optional("default_dyno", str),
    )
    reader.among("size_figure", platform.size_figure, frozenset({"slug", "installed"}))
    reader.among("default_stack", platform.default_stack, _names(platform.stacks))
    minors = frozenset(release.minor for release in platform.pythons)
    reader.among("default_python", platform.default_python, minors)
    if platform.default_dyno is not None:
        reader.among("default_dyno", platform.default_dyno, _names(platform.dynos))
    return platform


def _names(rows: tuple[Stack, ...] | tuple[Dyno, ...]) -> frozenset[str]:
    return frozenset(row.name for row in rows)


def _stack(reader: _Reader) -> Stack:
    major, _, minor = reader.get("glibc", str).partition(".")
    if not (major.isdigit() and minor.isdigit()):
        reader.among("glibc", "", frozenset({'a version such as "2.39"'}))
        major = minor = "0"
    return Stack(
        name=reader.get("name", str),
        glibc=(int(major), int(minor)),
        arch=reader.get("arch", str),
        missing_libraries=tuple(reader.get("missing_libraries", list)),
        status=reader.get("status", str),
        source=reader.source,
    )


def _python(reader: _Reader) -> PythonRelease:
    return PythonRelease(
        minor=reader.get("minor", str),
        version=reader.get("version", str),
        parts=reader.rows("parts", _part),
        status=reader.get("status", str),
        source=reader.source,
    )


def _part(reader: _Reader) -> RuntimePart:
    return RuntimePart(
        name=reader.get("name", str),
        installed_bytes=reader.get("installed_bytes", int),
        slug_bytes=reader.get("slug_bytes", int),
        error_percent=reader.get("error_percent", float),
        note=reader.get("note", str),
        source=reader.source,
    )


def _limit(reader: _Reader) -> Limit:
    severity = reader.among(
        "severity", reader.get("severity", str), frozenset(str(s) for s in Severity)
    )
    unit = reader.among("unit", reader.get("unit", str), frozenset({"bytes", "seconds"}))
    return Limit(
        name=reader.get("name", str),
        figure=reader.among("figure", reader.get("figure", str), _FIGURES),
        value=reader.get("value", int),
        unit=unit,
        severity=Severity(severity) if severity in set(Severity) else Severity.FAIL,
        text=reader.get("text", str),
        source=reader.source,
        message=reader.get("message", str, ""),
    )


def _dyno(reader: _Reader) -> Dyno:
    ram = reader.get("ram_bytes", int)
    return Dyno(
        name=reader.get("name", str),
        ram_bytes=ram,
        r14_bytes=ram,  # swapping starts at the quota itself
        r15_bytes=reader.get("r15_bytes", int),
        workers=reader.get("workers", int),
        usd_per_month=reader.optional("usd_per_month", float),
        source=reader.source,
    )

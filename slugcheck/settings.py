"""A project's own settings: ``slugcheck.toml``, or ``[tool.slugcheck]`` of ``pyproject.toml``.

Every mistake is told at once, each with its path, before anything touches the network.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slugcheck.errors import UsageError
from slugcheck.escape import printable

_OWN, _SHARED = "slugcheck.toml", "pyproject.toml"
_QUOTED = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a project set. ``origin`` is the file it stands in, None without one."""

    origin: Path | None = None
    models: tuple[str, ...] = ()  # paths, globs and URLs, from the file's folder


def load(folder: Path) -> Settings:
    """Return the settings of a project folder; the defaults where it has none.

    :raises UsageError: a file is no TOML, both files have settings, or a setting is wrong.
    """
    own, shared = folder / _OWN, folder / _SHARED
    # a link that leads nowhere, or a folder of that name, is told: settings were meant
    of_own = _read(own) if own.exists() or own.is_symlink() else None
    of_shared = _table(_read(shared), shared) if shared.is_file() else None
    if of_own is not None and of_shared is not None:
        message = f"{_shown(own)} and [tool.slugcheck] of {_shown(shared)} both have settings"
        raise UsageError(message, hint="keep them in one of the two")
    if of_own is not None:
        return _settings(of_own, own, "")
    if of_shared is not None:
        return _settings(of_shared, shared, "tool.slugcheck.")
    return Settings()


# --------------------------------------------------------------------------- values


class _Wrong(Exception):
    """A value that its setting does not take; the text says what it takes."""


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise _Wrong('an array of texts, such as ["models/*.onnx"]')
    return tuple(value)


_PARSERS: Mapping[str, Callable[[object], Any]] = {"models": _texts}


def _settings(table: Mapping[str, object], path: Path, prefix: str) -> Settings:
    found: dict[str, Any] = {}
    mistakes = []
    for key, value in table.items():
        where = f"{_shown(path)}: {prefix}{printable(key[:_QUOTED])}"
        parse = _PARSERS.get(key)
        if parse is None:
            mistakes.append(f"{where}: there is no such setting{_near(key, path)}")
            continue
        try:
            found[key] = parse(value)
        except _Wrong as wrong:
            mistakes.append(f"{where} must be {wrong}")
    if mistakes:
        raise UsageError("\n".join(mistakes), hint=f"settings are: {', '.join(_PARSERS)}")
    return Settings(origin=path, **found)


def _near(key: str, path: Path) -> str:
    """Return what else may have been meant."""
    if key == "tool" and path.name == _OWN:
        return f"; in {_OWN} settings stand by themselves, without [tool.slugcheck]"
    near = difflib.get_close_matches(key.lower()[:_QUOTED], _PARSERS, n=1)
    return f"; did you mean {near[0]}?" if near else ""


# --------------------------------------------------------------------------- files


def _read(path: Path) -> dict[str, Any]:
    try:
        # editors on Windows write a mark at the start, which TOML takes for a key
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        message = f"{_shown(path)} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="check its permissions") from None
    except RecursionError:
        message = f"{_shown(path)} is not valid TOML: it is nested too deeply"
        raise UsageError(message, hint="correct it, or remove the file") from None
    except ValueError as error:  # of the encoding, of TOML, and of a number with too many digits
        message = f"{_shown(path)} is not valid TOML: {printable(str(error))}"
        raise UsageError(message, hint="correct the line, or remove the file") from None


def _table(document: Mapping[str, Any], path: Path) -> dict[str, Any] | None:
    tool = document.get("tool")
    table = tool.get("slugcheck") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        message = f"{_shown(path)}: tool.slugcheck must be a table"
        raise UsageError(message, hint="write it as [tool.slugcheck]")
    return table


def _shown(path: Path) -> str:
    return printable(str(path))

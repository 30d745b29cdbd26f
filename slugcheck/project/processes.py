"""The Procfile: which commands the app is started with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.escape import printable

# The expression that heroku/buildpacks-procfile's SPEC.md gives for the classic Procfile, which
# has no other specification; the colon may be missing, the blank behind it may not.
# Blanks around it are cut off before, since looking for them behind it is quadratic.
_LINE = re.compile(r"([A-Za-z0-9_-]+):?\s+(.*)", re.ASCII)
_BLANKS = " \t\r\v\f"
_QUOTED = 60
_LARGEST = 2**20  # bytes; a real one has some hundred


@dataclass(frozen=True, slots=True, kw_only=True)
class Procfile:
    """Process types with their commands, in the order of the file; of two alike the last counts."""

    types: Mapping[str, str]
    notes: tuple[str, ...] = ()


def procfile(folder: Path) -> Procfile:
    """Read the folder's Procfile; without one there are no process types.

    :raises MeasureError: it cannot be read.
    """
    path = folder / "Procfile"
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return Procfile(types={})
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise MeasureError(message, hint="make it readable") from None
    types: dict[str, str] = {}
    notes: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip(_BLANKS))
        if match is None or not match[2]:
            shown = repr(printable(line)[:_QUOTED])
            notes.append(f"Procfile:{number}: {shown} is not like web: command, and is ignored")
            continue
        if match[1] in types:
            notes.append(f"Procfile:{number}: {match[1]} is there twice, and the last one counts")
        types[match[1]] = match[2]
    return Procfile(types=types, notes=tuple(notes))

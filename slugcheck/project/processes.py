"""The Procfile: which commands the app is started with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import MeasureError
from slugcheck.escape import printable

# The expression that heroku/buildpacks-procfile's SPEC.md gives for the classic Procfile, which
# has no other specification; the colon may be missing, the blank behind it may not.
# Blanks around it are cut off before, since looking for them behind it is quadratic.
_LINE = re.compile(r"([A-Za-z0-9_-]+):?\s+(.*)", re.ASCII)
_BLANKS = " \t\r\v\f"
_QUOTED = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Procfile:
    """Process types with their commands, in the order of the file; of two alike the last counts."""

    types: Mapping[str, str]
    notes: tuple[str, ...] = ()


def procfile(folder: Path, top: Path | None = None) -> Procfile:
    """Read the folder's Procfile; without one there are no process types.

    ``top`` is the folder that files may be read from, by default the folder's checkout.

    :raises Refused: it is a link out of ``top``, or no regular file.
    :raises MeasureError: it cannot be read.
    """
    path = folder / "Procfile"
    try:
        data = reading.read(path, within=top or reading.top_of(folder), limit=reading.SMALL_FILE)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return Procfile(types={})
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise MeasureError(message, hint="make it readable") from None
    text = data.decode("utf-8", "replace")
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

"""Markdown that is never longer than its place takes, whatever it is about.

Blocks come in the order of their weight. Where the whole is too long, texts are cut first, then
rows and lines of what matters least, then whole sections from the end. What is cut between blocks,
rows and lines of our own is valid Markdown still: nothing is cut inside of one.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from slugcheck.text import Inert, inert

T = TypeVar("T")

# GitHub takes comments of 65,536 characters; a marker and a heading of others must have room.
MOST_CHARACTERS = 60_000
# A step's summary may have 1 MiB, which is 262,144 of the longest characters.
MOST_OF_SUMMARY = 240_000
# texts of at most so many characters, and lists of at most so many rows: the first that fits
_LEVELS = ((2_000, 100), (500, 25), (200, 8), (100, 3))
_OPENS, _CLOSES = "<details>", "</details>"
_FENCE = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a subject to show; None is all of it."""

    text: int | None = None
    rows: int | None = None


def bounded(make: Callable[[Limits], Iterable[str]], most: int) -> Inert:
    """Return the blocks that ``make`` yields as inert Markdown of at most ``most`` characters."""
    text = _joined(make(Limits()))
    if size(text) <= most:
        return text
    sections: list[list[str]] = []
    for characters, rows in _LEVELS:
        sections = _sections(make(Limits(text=characters, rows=rows)))
        for number in reversed(range(len(sections))):
            sections[number] = [_cut(block, rows) for block in sections[number]]
            if size(text := _of(sections, ())) <= most:
                return text
    left_out: list[str] = []
    while len(sections) > 1:
        left_out.insert(0, _title(sections.pop()))
        if size(text := _of(sections, left_out)) <= most:
            return text
    return _first_that_fit(sections[0] if sections else [], most)


def size(text: str) -> int:
    """Return a text's length as the strictest reader counts it: in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def clipped(value: T, most: int | None) -> T:
    """Return a value with every text in it cut to ``most`` characters."""
    return value if most is None else _clipped(value, most)


def _clipped(value: Any, most: int) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return value if len(value) <= most else f"{value[: most - 1]}…"
    if isinstance(value, tuple | list):
        return type(value)(_clipped(one, most) for one in value)
    if isinstance(value, dict):
        return {_clipped(key, most): _clipped(one, most) for key, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (field.name for field in dataclasses.fields(value) if field.init)
        return replace(value, **{name: _clipped(getattr(value, name), most) for name in fields})
    return value


# --------------------------------------------------------------------------- sections


def _sections(blocks: Iterable[str]) -> list[list[str]]:
    """Return blocks by their headings; what is folded away stays in one piece."""
    found: list[list[str]] = [[]]
    depth = 0
    for block in blocks:
        if depth == 0 and (block.startswith("### ") or block.startswith(_OPENS)):
            found.append([])
        depth += block.startswith(_OPENS)
        depth -= block == _CLOSES
        found[-1].append(block)
    return found


def _title(section: Sequence[str]) -> str:
    """Return a section's name: its heading up to what a stranger may have put into it."""
    head = section[0].removeprefix("### ")
    if head.startswith(_OPENS):
        head = head.partition("<summary>")[2].partition("</summary>")[0]
    return re.split(r"[:`\n]", head, maxsplit=1)[0].strip()[:40]


def _of(sections: Sequence[Sequence[str]], left_out: Sequence[str]) -> Inert:
    return _joined([*(block for section in sections for block in section), _said(left_out)])


def _said(left_out: Sequence[str]) -> str:
    without = f", without {', '.join(left_out)}" if left_out else ""
    return f"*Shortened{without}: the whole report is longer than fits here. It is in the JSON.*"


def _joined(blocks: Iterable[str]) -> Inert:
    return inert("\n\n".join(block for block in blocks if block) + "\n", "markdown")


def _first_that_fit(blocks: Sequence[str], most: int) -> Inert:
    """Return the first blocks as far as they fit: the last resort."""
    shown = 0
    while shown < len(blocks) and size(_joined([*blocks[: shown + 1], _said(())])) <= most:
        shown += 1
    return _joined([*blocks[:shown], _said(())])


# --------------------------------------------------------------------------- blocks


def _cut(block: str, rows: int) -> str:
    """Return a table, a list, a fence or lines with at most ``rows`` of its rows."""
    lines = block.split("\n")
    if lines[0].startswith("| "):
        return "\n".join([*lines[:2], *_table_rows(lines[2:], rows, lines[0].count(" | ") + 1)])
    if fence := _FENCE.match(lines[0]):
        body = lines[1:-1]
        more = [f"… {len(body) - rows:,} more"] if len(body) > rows else []
        return "\n".join([lines[0], *body[:rows], *more, fence[0]])
    if len(lines) <= rows + 2 or block.startswith((_OPENS, "## ")):
        return block
    bullet = "- " if lines[0].startswith("- ") else ""
    return "\n".join([*lines[:rows], f"{bullet}*{len(lines) - rows:,} more*"])


def _table_rows(found: Sequence[str], rows: int, columns: int) -> Sequence[str]:
    """Return the first rows and the last, which is often the total."""
    if len(found) <= rows + 1:
        return found
    more = f"| *{len(found) - rows:,} more* |{'  |' * (columns - 1)}"
    return [*found[: rows - 1], more, found[-1]]

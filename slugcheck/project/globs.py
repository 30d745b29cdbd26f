"""Globs of paths, matched without the disk and within a budget of steps.

They may be a stranger's. No part of one is tried twice at a name, so nothing takes more than the
length of the name times that of the part.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Sequence

from slugcheck.text import printable

ANY_FOLDERS = "**"
# The budget of one file: names compared, paths found and characters expanded. A hundred entries
# that each search a whole large tree take some 400 a file.
_LEAST_STEPS = 1_000_000
_STEPS_PER_FILE = 1_000
_STEPS_PER_PATH, _STEPS_PER_PLACE = 2, 4  # as long as they take, beside comparing a name
_NEVER = re.compile(r"(?!)")
_CHARACTER = re.compile(r"\\?.", re.DOTALL)  # with the backslash that escapes it
_WILD = frozenset("*?[")
_QUOTED = 60  # characters of a glob that a message repeats


class TooCostlyError(Exception):
    """A file of a project takes more steps than that of any real one needs."""


class Budget:
    """The steps left to follow a file, or to match its globs against a tree of ``files`` files."""

    def __init__(self, files: int = 0) -> None:
        self._left = _LEAST_STEPS + _STEPS_PER_FILE * files

    def spend(self, steps: int = 1) -> None:
        """Use some up.

        :raises TooCostlyError: none are left.
        """
        self._left -= steps
        if self._left < 0:
            raise TooCostlyError


def quoted(text: str) -> str:
    """Return a glob or a path for a message, safe and short."""
    shown = printable(text)
    return shown if len(shown) <= _QUOTED else f"{shown[: _QUOTED - 1]}…"


# --------------------------------------------------------------------------- alternatives


def expanded(glob: str, budget: Budget) -> tuple[str, ...]:
    """Return a glob's alternatives (``{a,b}c`` is ``ac``, ``bc``); none if a brace stays open.

    :raises TooCostlyError: the budget is used up.
    """
    alternatives: list[str] = []
    todo = [glob]
    while todo:
        alternative = todo.pop()
        budget.spend(len(alternative))
        start = next((at for at, character in characters(alternative) if character == "{"), None)
        if start is None:
            alternatives.append(alternative)
            continue
        ends = _alternatives(alternative, start)
        if ends:
            cuts = [start, *ends]
            inner = [alternative[a + 1 : b] for a, b in itertools.pairwise(cuts)]
            budget.spend(len(alternative) * len(inner))
            # reversed: the last of the list is the next one out
            todo += [
                alternative[:start] + part + alternative[ends[-1] + 1 :] for part in reversed(inner)
            ]
    return tuple(alternatives)


def characters(text: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """Return each character with its place; an escaped one is two characters."""
    return ((match.start(), match[0]) for match in _CHARACTER.finditer(text, start))


def _alternatives(text: str, start: int) -> list[int]:
    """Return where the commas of the brace at ``start`` are, and its end; empty if it has none."""
    depth = 0
    commas: list[int] = []
    for position, character in characters(text, start):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if not depth:
                return [*commas, position]
        elif character == "," and depth == 1:
            commas.append(position)
    return []


# --------------------------------------------------------------------------- names


@functools.lru_cache(maxsize=512)
def is_pattern(part: str) -> bool:
    """Whether a part of a glob stands for several names."""
    return any(character in _WILD for _, character in characters(part))


@functools.lru_cache(maxsize=512)
def plain(part: str) -> str:
    """Return the name that a part without wildcards stands for."""
    return re.sub(r"\\(.?)", r"\1", part, flags=re.DOTALL)


@functools.lru_cache(maxsize=512)
def name_pattern(
    part: str, *, hidden: bool = False, ignore_case: bool = False, negations: str = "!^"
) -> re.Pattern[str]:
    """Return a part of a glob as a regular expression for one name.

    With ``hidden`` a wildcard at the start also matches names that begin with a dot. ``negations``
    are the characters that turn a set round. What stands between two stars is looked for once, at
    its first place: going back could take ages, and would find no more.
    """
    chunks = [""]  # between the stars
    position = 0
    while position < len(part):
        character = part[position]
        position += 1
        if character == "*":
            chunks.append("")
        elif character == "?":
            chunks[-1] += "."
        elif character == "[":
            char_set = _set(part, position, negations)
            if char_set is None:
                return _NEVER
            chunks[-1] += char_set[0]
            position = char_set[1]
        else:
            if character == "\\":
                character = part[position : position + 1]
                position += 1
            chunks[-1] += re.escape(character)
    any_start = hidden or plain(part[:2]).startswith(".")
    start = "" if any_start else r"(?!\.)"
    middle = "".join(f"(?>.*?{chunk})" for chunk in chunks[1:-1] if chunk)
    end = f".*{chunks[-1]}" if len(chunks) > 1 else ""
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG)
    return re.compile(f"{start}{chunks[0]}{middle}{end}", flags)


def _set(part: str, position: int, negations: str) -> tuple[str, int] | None:
    """Return the regular expression of the set that begins there and its end; None if it is open.

    The ends of a range are always in it, also when it runs backwards.
    """
    negated = part[position : position + 1] in set(negations)
    position += negated
    inside: list[str] = []
    while position < len(part):
        if part[position] == "]":
            if not inside:
                return (r"." if negated else r"(?!)"), position + 1
            return f"[{'^' if negated else ''}{''.join(inside)}]", position + 1
        first, position = _member(part, position)
        if part[position : position + 1] == "-" and part[position + 1 : position + 2] not in {
            "]",
            "",
        }:
            last, position = _member(part, position + 1)
            inside += [re.escape(first), re.escape(last)]
            if first < last:
                inside.append(f"{re.escape(first)}-{re.escape(last)}")
        else:
            inside.append(re.escape(first))
    return None


def _member(part: str, position: int) -> tuple[str, int]:
    position += part[position] == "\\"
    return part[position : position + 1], position + 1


# --------------------------------------------------------------------------- paths


class PathGlob:
    """A glob of whole paths, without alternatives; a part ``**`` stands for any folders.

    As in minimatch with its option ``dot``, and in gitignore, a name's dot is nothing special.
    """

    def __init__(
        self, parts: Sequence[str], *, ignore_case: bool = False, negations: str = "!^"
    ) -> None:
        """Take the parts between the slashes; see ``name_pattern``."""
        self._parts: list[re.Pattern[str] | None] = []
        # names that a path must have: most globs have one, and few paths do
        plain_parts = (plain(part) for part in parts if not is_pattern(part))
        self._names = frozenset(() if ignore_case else plain_parts)
        for part in parts:
            if part != ANY_FOLDERS:
                pattern = name_pattern(
                    part, hidden=True, ignore_case=ignore_case, negations=negations
                )
                self._parts.append(pattern)
            elif not self._parts or self._parts[-1] is not None:
                self._parts.append(None)  # several in a row find what one finds

    def matches(self, names: Sequence[str], budget: Budget, *, above: bool = False) -> bool:
        """Return whether a path of these names matches, or with ``above`` a folder that it is in.

        A ``**`` at the end stands for at least one name: it matches what is in a folder, not the
        folder.

        :raises TooCostlyError: the budget is used up.
        """
        budget.spend(_STEPS_PER_PATH)
        if any(name not in names for name in self._names):
            return False
        last = len(self._parts)
        places = self._skip({0})
        for left, name in zip(range(len(names), 0, -1), names, strict=True):
            budget.spend(_STEPS_PER_PLACE * (1 + len(places)))
            step: set[int] = set()
            for place in places:
                if place == last:
                    continue
                part = self._parts[place]
                if part is None:
                    step.add(place)
                    if left == 1 and place + 1 == last:
                        return True
                elif part.fullmatch(name):
                    step.add(place + 1)
            places = self._skip(step)
            if above and last in places:
                return True
            if not places:
                return False
        return last in places

    def _skip(self, places: set[int]) -> set[int]:
        """Add the places behind a ``**`` that stands for no folder, except at the end."""
        more = {
            place + 1
            for place in places
            if place + 1 < len(self._parts) and self._parts[place] is None
        }
        return places | more

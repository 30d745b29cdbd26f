"""``.dockerignore``: which files of the context COPY may take.

The rules are those of moby/patternmatcher: a path of Go's filepath.Match in each line, from the
context's root, with ``**`` for any folders and ``!`` for exceptions; the last line that matches the
path or a folder above it decides. Matching takes no backtracking: a name is matched greedily, and a
path by its parts.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

MOST_PATTERNS = 1_000  # real files have some dozen
_LONGEST = 1_024  # characters of a line
_MOST_FOLDERS = 16  # ** in one line
ANY = "**"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern: its parts between slashes, and whether it takes back what others exclude."""

    parts: tuple[str, ...]
    exception: bool = False


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns in their order."""

    patterns: tuple[Pattern, ...]

    def excludes(self, path: str) -> bool:
        """Return whether the last pattern that matches a path, or a folder above it, excludes it.

        ``path`` is relative and has no ``..``.
        """
        parts = tuple(path.split("/"))
        for pattern in reversed(self.patterns):
            if _matches_or_above(pattern, parts):
                return not pattern.exception
        return False


def parse(text: str) -> tuple[Patterns, int]:
    """Return the patterns of a file, and how many of its lines are beyond the bounds."""
    patterns: list[Pattern] = []
    beyond = 0
    for raw in text.removeprefix("\ufeff").splitlines():
        line = raw.strip()
        if not line or raw.startswith("#"):
            continue
        if (
            len(patterns) >= MOST_PATTERNS
            or len(line) > _LONGEST
            or line.count(ANY) > _MOST_FOLDERS
        ):
            beyond += 1
            continue
        exception = line.startswith("!")
        if (found := pattern(line[1:] if exception else line, exception=exception)) is not None:
            patterns.append(found)
    return Patterns(tuple(patterns)), beyond


def pattern(text: str, *, exception: bool = False) -> Pattern | None:
    """Return the pattern of a path as it is written; None for the context itself."""
    clean = posixpath.normpath(text.strip()).lstrip("/")
    if clean in ("", "."):
        return None
    parts = clean.split("/")
    # what ** stands for at the end is at least one name
    return Pattern((*parts, "*") if parts[-1] == ANY else tuple(parts), exception)


def matches(paths: Pattern, path: str) -> bool:
    """Return whether a pattern matches a path or a folder above it."""
    return _matches_or_above(paths, tuple(path.split("/")))


def _matches_or_above(paths: Pattern, parts: tuple[str, ...]) -> bool:
    wanted = paths.parts
    if ANY not in wanted:
        if len(wanted) > len(parts):
            return False
        return all(map(_name_matches, wanted, parts))
    # reached: how many parts of the pattern may be used up after each part of the path
    reached = _skip(wanted, {0})
    for part in parts:
        following: set[int] = set()
        for at in reached:
            if at >= len(wanted):
                continue
            if wanted[at] == ANY:
                following.add(at)
            elif _name_matches(wanted[at], part):
                following.add(at + 1)
        reached = _skip(wanted, following)
        if len(wanted) in reached:
            return True
        if not reached:
            return False
    return False


def _skip(wanted: tuple[str, ...], reached: Iterable[int]) -> set[int]:
    """Return what can be reached without a further part: ``**`` may stand for no folder."""
    todo, found = list(reached), set(reached)
    while todo:
        at = todo.pop()
        if at < len(wanted) and wanted[at] == ANY and at + 1 not in found:
            found.add(at + 1)
            todo.append(at + 1)
    return found


def _name_matches(wanted: str, name: str) -> bool:
    if not set(wanted) & set("*?[\\"):
        return wanted == name
    return _glob(_tokens(wanted), name)


@cache
def _tokens(text: str) -> tuple[str | tuple[bool, str], ...]:
    """Return a name's pattern as tokens: ``*``, ``?``, classes (negated, members), characters."""
    tokens: list[str | tuple[bool, str]] = []
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "*":
            if not tokens or tokens[-1] != "*":
                tokens.append("*")
        elif character == "?":
            tokens.append("?")
        elif character == "[" and (end := text.find("]", at + 1)) > 0:
            inside = text[at:end]
            negated = inside.startswith("^")
            tokens.append((negated, _members(inside[negated:])))
            at = end + 1
        else:
            if character == "\\" and at < len(text):
                character = text[at]
                at += 1
            tokens.append((False, character))
    return tuple(tokens)


def _members(inside: str) -> str:
    members: list[str] = []
    at = 0
    while at < len(inside):
        if at + 2 < len(inside) and inside[at + 1] == "-":
            low, high = ord(inside[at]), ord(inside[at + 2])
            members += map(chr, range(low, min(high, low + 256) + 1))
            at += 3
        else:
            members.append(inside[at])
            at += 1
    return "".join(members)


def _glob(tokens: tuple[str | tuple[bool, str], ...], name: str) -> bool:
    """Match greedily: on a mismatch only the last ``*`` takes one character more."""
    at = place = 0
    star, resume = -1, 0
    while at < len(name):
        if place < len(tokens) and tokens[place] == "*":
            star, resume = place, at
            place += 1
        elif place < len(tokens) and _one(tokens[place], name[at]):
            at += 1
            place += 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return all(other == "*" for other in tokens[place:])


def _one(wanted: str | tuple[bool, str], character: str) -> bool:
    if isinstance(wanted, str):
        return wanted == "?"
    negated, members = wanted
    return (character in members) is not negated

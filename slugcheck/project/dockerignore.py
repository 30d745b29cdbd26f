"""``.dockerignore``: which files of the context COPY may take.

The rules are those of moby/patternmatcher: a path of Go's filepath.Match in each line, from the
context's root, with ``**`` for any folders and ``!`` for exceptions; the last line that matches the
path or a folder above it decides.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from slugcheck.project.globs import ANY_FOLDERS, Budget, PathGlob

MOST_PATTERNS = 1_000  # real files have some dozen
_LONGEST = 1_024  # characters of a line
_MOST_FOLDERS = 16  # ** in one line
_NEGATION = "^"  # of a set; a ! in one is a character


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern, and whether it takes back what others exclude."""

    glob: PathGlob
    exception: bool = False

    def matches(self, names: Sequence[str], budget: Budget) -> bool:
        """Return whether it matches the path of these names, or a folder above it.

        The path is relative and has no ``..``.

        :raises TooCostlyError: the budget is used up.
        """
        return self.glob.matches(names, budget, above=True)


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns in their order."""

    patterns: tuple[Pattern, ...]

    def excludes(self, names: Sequence[str], budget: Budget) -> bool:
        """Return whether the last pattern that matches a path, or a folder above it, excludes it.

        :raises TooCostlyError: the budget is used up.
        """
        last = next((p for p in reversed(self.patterns) if p.matches(names, budget)), None)
        return last is not None and not last.exception


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
            or line.count(ANY_FOLDERS) > _MOST_FOLDERS
        ):
            beyond += 1
            continue
        exception = line.startswith("!")
        if (found := pattern(line[1:] if exception else line, exception=exception)) is not None:
            patterns.append(found)
    return Patterns(tuple(patterns)), beyond


@lru_cache(maxsize=2_048)  # COPY asks for its sources at every file
def pattern(text: str, *, exception: bool = False) -> Pattern | None:
    """Return the pattern of a path as it is written; None for the context itself."""
    clean = posixpath.normpath(text.strip()).lstrip("/")
    if clean in ("", "."):
        return None
    return Pattern(PathGlob(clean.split("/"), negations=_NEGATION), exception)

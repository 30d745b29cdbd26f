"""Which files of a folder are in the function: ``.vercelignore``, and globs that exclude files.

``.vercelignore`` has gitignore's syntax, without regard to case, and applies after what is never
uploaded. What it leaves the build has, but the function has not all of that. Both lists, and where
they come from, are in the platform's file (``platforms/vercel.toml``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slugcheck.errors import UsageError
from slugcheck.project.globs import (
    ANY_FOLDERS,
    Budget,
    PathGlob,
    TooCostlyError,
    expanded,
    name_pattern,
    quoted,
)
from slugcheck.text import listed

_LONGEST = 4_096  # characters of a pattern: no path is longer
_SHOWN = 3  # files that one note names
_STEPS_PER_RULE = 2  # of the budget
_MOST_RULES = 10_000  # of one file; real ones have some 50
# What minimatch knows beyond *, ?, **, sets and alternatives: patterns in parentheses, a pattern
# that is turned round or a comment, and ranges in braces.
_NOT_READ = re.compile(r"[!?+*@]\(|^[!#]")
_IN_BRACES = re.compile(r"\{[^{},]*+\}")


# --------------------------------------------------------------------------- gitignore


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One pattern. ``line`` counts from 1, 0 for one of the platform's own."""

    text: str
    line: int
    negated: bool
    only_folders: bool
    name: re.Pattern[str] | None  # of a pattern without a slash: it is about the last name alone
    glob: PathGlob | None

    def matches(self, names: Sequence[str], budget: Budget, *, is_folder: bool) -> bool:
        """Return whether the pattern is about a path of these names.

        :raises TooCostlyError: the budget is used up.
        """
        budget.spend(_STEPS_PER_RULE)
        if self.only_folders and not is_folder:
            return False
        if self.name is not None:
            return self.name.fullmatch(names[-1]) is not None
        return self.glob is not None and self.glob.matches(names, budget)


class IgnoreFile:
    """The patterns of a file with gitignore's syntax, after the platform's own."""

    def __init__(self, platform: Iterable[str], content: bytes, name: str, files: int) -> None:
        """Parse the patterns, to be matched against some ``files`` paths.

        :raises UsageError: a pattern is longer than a path can be, or there are too many.
        """
        self._name = name
        self._budget = Budget(files)
        rules = [_rule(text, 0) for text in platform]
        lines = content.decode("utf-8-sig", "surrogateescape").split("\n")
        if len(lines) > _MOST_RULES:
            message = f"{name} has {len(lines):,} lines"
            raise UsageError(message, hint=f"at most {_MOST_RULES:,} are read; ignore folders")
        for number, line in enumerate(lines, 1):
            if len(line) > _LONGEST:
                message = f"{name}:{number}: a pattern of {len(line):,} characters"
                raise UsageError(message, hint=f"shorten it to {_LONGEST:,} characters")
            rules.append(_rule(line.removeprefix("./"), number))
        self._rules = [rule for rule in reversed(rules) if rule is not None]
        self._folders: dict[tuple[str, ...], Rule | None] = {(): None}

    def ignored(self, path: str) -> Rule | None:
        """Return the pattern that keeps a file out, by its own path or a folder's; None: it stays.

        :raises UsageError: the patterns take too long to match.
        """
        names = tuple(path.split("/"))
        try:
            for depth in range(1, len(names)):
                above = names[:depth]
                if above not in self._folders:
                    self._folders[above] = self._last(above, is_folder=True)
                if (rule := self._folders[above]) is not None:
                    return rule
            return self._last(names, is_folder=False)
        except TooCostlyError:
            message = f"{self._name} takes too long to match"
            raise UsageError(message, hint="use fewer * and ** in it") from None

    def _last(self, names: Sequence[str], *, is_folder: bool) -> Rule | None:
        """Return the last pattern that matches, None if it is one that keeps the path."""
        for rule in self._rules:
            if rule.matches(names, self._budget, is_folder=is_folder):
                return None if rule.negated else rule
        return None


def _rule(line: str, number: int) -> Rule | None:
    """Return what a line says, None for an empty one and a comment."""
    text = _without_end(line)
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    pattern = text[1:] if negated else text
    only_folders = pattern.endswith("/")
    pattern = pattern.rstrip("/")
    if not pattern:
        return None
    parts = pattern.removeprefix("/").split("/")
    lone = "/" not in pattern and parts != [ANY_FOLDERS]
    return Rule(
        text=text,
        line=number,
        negated=negated,
        only_folders=only_folders,
        name=name_pattern(parts[0], hidden=True, ignore_case=True) if lone else None,
        glob=None if lone else PathGlob(parts, ignore_case=True),
    )


def _without_end(line: str) -> str:
    """Return a line without the blanks at its end, unless a backslash keeps one."""
    text = line.rstrip(" \t\r")
    kept = text.endswith("\\") and len(text) < len(line)
    return f"{text} " if kept else text


# --------------------------------------------------------------------------- exclusions


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFiles:
    """The files that one function goes without: ``glob`` of the entry ``function``."""

    function: str
    glob: str


class Exclusion:
    """A glob of files that are not in the function, as minimatch reads it.

    ``refused`` says why it is not understood, "" if it is.
    """

    def __init__(self, text: str, budget: Budget) -> None:
        """Parse the glob; matching it uses up the budget.

        :raises TooCostlyError: the budget is used up.
        """
        self.text = text
        self.refused = ""
        self._budget = budget
        self._globs: tuple[PathGlob, ...] = ()
        if len(text) > _LONGEST:
            self.refused = f"it has {len(text):,} characters"
        elif _NOT_READ.search(text) or any(".." in part for part in _IN_BRACES.findall(text)):
            self.refused = "slugcheck reads *, **, ?, […] and {a,b} only"
        else:
            alternatives = expanded(text, budget)
            self._globs = tuple(PathGlob(one.split("/")) for one in alternatives)

    def matches(self, path: str) -> bool:
        """Return whether a file is not in the function.

        :raises TooCostlyError: the budget is used up.
        """
        names = path.split("/")
        return any(glob.matches(names, self._budget) for glob in self._globs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """The files that the largest function goes without, and what the user should know."""

    paths: frozenset[str]
    notes: tuple[str, ...] = ()


def excluded(
    sizes: Mapping[str, int], everywhere: Sequence[str], own: Sequence[FunctionFiles], place: str
) -> Excluded:
    """Return what the bundle leaves out of files with these sizes in bytes.

    ``everywhere`` are globs for all functions. Of several functions with globs of their ``own`` the
    one that leaves out least is counted. ``place`` is the file that has them.

    :raises UsageError: a glob takes too long to match.
    """
    budget = Budget(len(sizes))
    fixed = [Exclusion(text, Budget(len(sizes))) for text in everywhere]
    out = frozenset(path for path in sizes if any(one.matches(path) for one in fixed))
    notes: list[str] = []
    found: list[tuple[int, str, frozenset[str]]] = []
    scripts = [path for path in sizes if path.endswith(".py")]
    covered: set[str] = set()
    for entry in own:
        shown = f"{place}: excludeFiles {quoted(entry.glob)} of {quoted(entry.function)}"
        try:
            function, files = Exclusion(entry.function, budget), Exclusion(entry.glob, budget)
            its = {path for path in scripts if path == entry.function or function.matches(path)}
            gone = frozenset(path for path in sizes if files.matches(path)) if its else frozenset()
        except TooCostlyError:
            message = f"{shown} takes too long to match"
            raise UsageError(message, hint="use fewer *, ** and {…} in it") from None
        if not its:
            continue  # of another language, or of no function
        covered |= its
        if files.refused:
            notes.append(f"{shown} is not understood and leaves nothing out here: {files.refused}")
        elif not gone:
            notes.append(f"{shown} matches no file")
        found.append((sum(sizes[path] for path in gone - out), entry.function, gone))
    if not found:
        return Excluded(paths=out, notes=tuple(notes))
    _, name, gone = min(found)
    if len(found) > 1:
        notes.append(
            f"{len(found)} functions have excludeFiles: counted is {quoted(name)}, the largest"
        )
    more = [path for path in scripts if _is_function(path) and path not in covered | out]
    if more:
        names = listed([quoted(path) for path in more], _SHOWN)
        notes.append(
            f"{place} has no excludeFiles for {names}: the bundle of a function there is larger"
        )
    return Excluded(paths=out | gone, notes=tuple(notes))


def _is_function(path: str) -> bool:
    """Whether a script can be a function of its own: in api/, without _ or . before a name."""
    return path.startswith("api/") and "/_" not in path and "/." not in path

"""Reads uv's reason for a failed resolution: which distribution needs which versions of another.

uv writes a proof: premises ("flask==3.0.0 depends on werkzeug>=3.0.0", "you require werkzeug<2")
and what follows from them. Only premises are taken; what follows hides the steps in between.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from slugcheck import reading

PYTHON = "python"  # what uv calls a Requires-Python; there is no distribution of that name

# Reasons of real files have up to 100 lines; what is beyond this explains nothing to anybody.
_MOST_WORDS = 40_000
_LONGEST_WORD = 300
_MOST_NEEDS = 2_000
_ITEM = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[^\]]*\])?(?P<spec>[<>=!~]\S*)?$"
)
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Need:
    """That a distribution, in versions that count here, needs versions of another."""

    source: str
    target: str
    specifier: str

    def __str__(self) -> str:
        name = "Python" if self.target == PYTHON else self.target
        return f"{name}{self.specifier}"


def names_in(reason: str) -> frozenset[str]:
    """Return everything in a reason that may be a canonical name."""
    words = _words(reason)
    flat = re.sub(r"[-_.]+", "-", " ".join(words).lower())
    return frozenset(_NAME.findall(flat)) | {
        item[0] for word in words if (item := _item(word)) is not None
    }


def needs_in(reason: str) -> tuple[Need, ...]:
    """Return the premises of a reason that say what needs what, in their order."""
    return tuple(dict.fromkeys(_needs(_premises(_words(reason)))))[:_MOST_NEEDS]


def unavailable_in(reason: str) -> frozenset[str]:
    """Return the names of which a reason says that only some versions are on the index."""
    words = _words(reason)
    names = set()
    for place, word in enumerate(words[:-1]):
        if word != "only":
            continue
        named = words[place + 5] if words[place + 1 : place + 5] == _FOLLOWING else words[place + 1]
        if (item := _item(named)) is not None:
            names.add(item[0])
    return frozenset(names)


_FOLLOWING = ["the", "following", "versions", "of"]


def _words(reason: str) -> list[str]:
    lines = (line for line in reason.splitlines() if not line.startswith("hint:"))
    return [word[:_LONGEST_WORD] for word in " ".join(lines).split()[:_MOST_WORDS]]


def _premises(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of the premises: no conclusion, and nothing that was concluded before."""
    skipping = ""
    for place, word in enumerate(words):
        if word in ("because", "Because"):
            # "because we know from (1) that a depends on b and c depends on d"
            skipping = "known" if words[place + 1 : place + 3] == ["we", "know"] else ""
        elif words[place : place + 3] == ["we", "can", "conclude"]:
            skipping = "conclusion"
        elif word == "and" and skipping == "known":
            skipping = ""
        if not skipping:
            yield word


def _needs(premises: Iterable[str]) -> Iterator[Need]:
    words = list(premises)
    for place in range(1, len(words) - 2):
        if words[place] not in ("depends", "depend") or words[place + 1] != "on":
            continue
        source = _item(words[place - 1])
        start = place + 2
        if words[start] in ("one", "all"):  # "depends on one of: a<1 a>2"
            start += 2
        ranges: list[str] = []
        target = ""
        for word in words[start:]:
            item = _item(word)
            if item is None or (target and (item[0] != target or not item[1])):
                break
            target = item[0]
            ranges.append(item[1])
        if source is not None and target:
            yield Need(source[0], target, _hull(ranges))


def _item(word: str) -> tuple[str, str] | None:
    match = _ITEM.match(word.rstrip(".,:;"))
    return (canonicalize_name(match["name"]), match["spec"] or "") if match else None


def _hull(ranges: Sequence[str]) -> str:
    """Return the range from the first of several to the last, leaving out the holes."""
    if len(ranges) == 1:
        return ranges[0]
    clauses = [ranges[0].split(",")[0], ranges[-1].split(",")[-1]]
    bounds = [c for c, sign in zip(clauses, (">", "<"), strict=True) if c.startswith(sign)]
    return ",".join(bounds)


def chain(
    start: str, end: str, needs: Collection[Need], *, pin: str | None = None
) -> tuple[Need, ...] | None:
    """Return the shortest chain of needs between two names, None if there is none.

    ``pin`` is the version that a line names of ``end``: needs that allow it count for nothing.
    """
    if start == end:
        return ()
    by_source: dict[str, list[Need]] = {}
    for need in needs:
        if not (need.target == end and pin is not None and allows(need.specifier, pin)):
            by_source.setdefault(need.source, []).append(need)
    chains: dict[str, tuple[Need, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        for need in by_source.get(name, ()):
            if need.target not in chains:
                chains[need.target] = (*chains[name], need)
                waiting.append(need.target)
    return chains.get(end)


def allows(specifier: str, version: str) -> bool:
    """Return whether a specifier allows a version; what cannot be understood allows it."""
    try:
        return reading.specifiers(specifier).contains(reading.version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return True


def nearest(known: Sequence[Version], wanted: str) -> Version | None:
    """Return the nearest of the sorted versions: below what is wanted if there is one."""
    try:
        asked = reading.version(wanted)
    except InvalidVersion:
        return None
    final = [v for v in known if asked.is_prerelease or not v.is_prerelease] or list(known)
    below = [version for version in final if version <= asked]
    return below[-1] if below else next(iter(final), None)


def shown_chain(needs: Sequence[Need]) -> str:
    """Return a chain as clauses: ``, which needs tensorflow 2.7, which needs numpy<1.24``."""
    steps = [str(need).replace("==", " ", 1) for need in needs[:-1]]
    return "".join(f", which needs {step}" for step in [*steps, *map(str, needs[-1:])])


def reached(starts: Collection[str], needs: Collection[Need]) -> Mapping[str, frozenset[str]]:
    """Return for each name in a reason the starts that need it, itself included."""
    by_end: dict[str, set[str]] = {}
    by_source: dict[str, list[str]] = {}
    for need in needs:
        by_source.setdefault(need.source, []).append(need.target)
    for start in starts:
        seen = {start}
        waiting = [start]
        while waiting:
            for target in by_source.get(waiting.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        for name in seen:
            by_end.setdefault(name, set()).add(start)
    return {name: frozenset(starts) for name, starts in by_end.items()}

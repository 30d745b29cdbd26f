"""Extras and groups of the project itself that already choose CPU builds.

Where the team has said how to get them, that comes before any other fix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.advice.edits import Edit
from slugcheck.advice.fixes import Candidate
from slugcheck.packages.known import TORCH_FAMILY
from slugcheck.packages.locks.pins import items, table, text
from slugcheck.text import listed, printable

_CPU = re.compile(r"(?:^|-)cpu(?:-|$)")
_MOST = 3  # extras and groups that are looked at
_SHOWN = 60


def candidates(document: Mapping[str, Any], direct: frozenset[str]) -> tuple[Candidate, ...]:
    """Return the fixes that the extras and groups of a pyproject.toml named like "cpu" hold.

    ``direct`` are the names that the project requires without them.
    """
    own_candidates = []
    for kind, name, lines in _named_cpu(document):
        urls = {line: _index(document, kind, name, line) for line in lines}
        url = next(filter(None, urls.values()), None)
        if url is None:
            continue
        pins = tuple((_name(line), line) for line in lines)
        edit = Edit(
            replace=tuple(pin for pin in pins if pin[0] in direct),
            add=tuple(line for name_, line in pins if name_ not in direct),
            index_url=url,
            index_names=tuple(name_ for name_, _ in pins),
        )
        word = "extra" if kind == "extra" else "group"
        shown = printable(name)[:_SHOWN]
        note = f"your {word} {shown} has it, but the build installs no {word}s: make it the default"
        others = _others(document, name)
        if others:  # uv resolves all extras together, and these ask for another build
            names = listed([printable(other)[:_SHOWN] for other in others])
            note += f"\n{names} {'conflict' if len(others) > 1 else 'conflicts'} with it"
        own_candidates.append(Candidate(edit=edit, note=note))
    return tuple(own_candidates[:_MOST])


def _named_cpu(document: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield kind, name and lines for PyTorch of each extra and group that is named like "cpu"."""
    for kind, members in (
        ("extra", table(document, "project", "optional-dependencies")),
        ("group", table(document, "dependency-groups")),
    ):
        for name, entries in members.items():
            if not _CPU.search(canonicalize_name(name)):
                continue
            lines = tuple(line for entry in items(entries) if (line := _line(entry)))
            if lines:
                yield kind, name, lines


def _others(document: Mapping[str, Any], chosen: str) -> list[str]:
    """Return the other extras and groups that have lines for PyTorch."""
    extras = table(document, "project", "optional-dependencies")
    groups = table(document, "dependency-groups")
    return [
        name
        for name, entries in (*extras.items(), *groups.items())
        if name != chosen and any(_line(entry) for entry in items(entries))
    ]


def _line(entry: object) -> str:
    """Return a requirement on PyTorch without its marker, "" for any other."""
    try:
        wanted = reading.requirement(text(entry))
    except InvalidRequirement:
        return ""
    if canonicalize_name(wanted.name) not in TORCH_FAMILY or wanted.url is not None:
        return ""
    return f"{canonicalize_name(wanted.name)}{wanted.specifier}"


def _index(document: Mapping[str, Any], kind: str, name: str, line: str) -> str | None:
    """Return the URL of the index that ``[tool.uv.sources]`` gives a package with an extra."""
    settings = table(document, "tool", "uv")
    sources = table(settings, "sources").get(_name(line))
    for source in map(table, sources if isinstance(sources, list) else [sources]):
        if kind in source and text(source[kind]) != name:
            continue
        for index in map(table, items(settings.get("index"))):
            url = text(index.get("url"))
            if index.get("name") == source.get("index") and url.startswith(("https:", "http:")):
                return url if "$" not in url and "@" not in url else None
    return None


def _name(line: str) -> str:
    return canonicalize_name(reading.requirement(line).name)

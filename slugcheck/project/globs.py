"""Globs of Ruby's ``Dir[]`` matched against paths, without touching the disk.

``*`` and ``?`` match no leading dot, ``**/`` means any folders but hidden ones and links, ``{a,b}``
is alternatives, ``[a-z]`` and ``[^a-z]`` are sets, and a backslash takes the next character as it
is. Held against Ruby 3.1.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

_ANY_FOLDERS = "**"
_MOST_LINKS = 16  # that one step goes through, so that a circle of links ends
_NEVER = re.compile(r"(?!)")


@dataclass(slots=True, eq=False)
class Folder:
    """A folder of the tree. ``entries``: folders, link targets, None for any other file."""

    parent: Folder | None = None
    path: str = ""
    entries: dict[str, Folder | str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[str], links: Mapping[str, str]) -> Folder:
        """Return the tree of relative file paths; ``links`` are the links' targets as stored."""
        root = cls()
        for path in paths:
            *parents, name = path.split("/")
            folder = root
            for part in parents:
                inner = folder.entries.get(part)
                if not isinstance(inner, Folder):
                    inner = cls(parent=folder, path=folder.join(part))
                    folder.entries[part] = inner
                folder = inner
            folder.entries[name] = links.get(path)
        return root

    def join(self, name: str) -> str:
        """Return the path of an entry."""
        return f"{self.path}/{name}" if self.path else name

    def all_files(self) -> Iterator[str]:
        """Return the paths of all files below, links among them."""
        for name, entry in self.entries.items():
            if isinstance(entry, Folder):
                yield from entry.all_files()
            else:
                yield self.join(name)

    def enter(self, name: str, links: int = _MOST_LINKS) -> Folder | None:
        """Return the folder that a name leads to, also through links within the tree."""
        if name in {"", "."}:
            return self
        if name == "..":
            return self.parent
        entry = self.entries.get(name)
        if not isinstance(entry, str):
            return entry
        if not links or entry.startswith("/"):
            return None
        folder: Folder | None = self
        for part in entry.split("/"):
            folder = folder.enter(part, links - 1) if folder else None
        return folder


def removed_by(path: str, root: Folder) -> Iterator[str]:
    """Return the files that removing a normal path deletes: all in a folder; of a link, itself."""
    if path == ".":
        yield from root.all_files()
        return
    *parents, name = path.split("/")
    folder: Folder | None = root
    for part in parents:
        folder = folder.enter(part) if folder else None
    if folder is None or name not in folder.entries:
        return
    entry = folder.entries[name]
    if isinstance(entry, Folder):
        yield from entry.all_files()
    else:
        yield folder.join(name)


# --------------------------------------------------------------------------- alternatives


def expanded(glob: str, *, most: int) -> tuple[str, ...]:
    """Return a glob's alternatives (``{a,b}c`` is ``ac``, ``bc``); none if a brace stays open.

    Not more than ``most`` are returned.
    """
    found: list[str] = []
    todo = [glob]
    while todo and len(found) < most:
        one = todo.pop()
        start = _find(one, "{", 0)
        if start is None:
            found.append(one)
            continue
        ends = _alternatives(one, start)
        if ends:
            cuts = [start, *ends]
            inner = [one[a + 1 : b] for a, b in itertools.pairwise(cuts)]
            # reversed: the last of the list is the next one out
            todo += [one[:start] + part + one[ends[-1] + 1 :] for part in reversed(inner)]
    return tuple(found)


def _find(text: str, character: str, start: int) -> int | None:
    position = start
    while position < len(text):
        if text[position] == character:
            return position
        position += 2 if text[position] == "\\" else 1
    return None


def _alternatives(text: str, start: int) -> list[int]:
    """Return where the commas of the brace at ``start`` are, and its end; empty if it has none."""
    depth = 0
    found: list[int] = []
    position = start
    while position < len(text):
        character = text[position]
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if not depth:
                return [*found, position]
        elif character == "," and depth == 1:
            found.append(position)
        position += 2 if character == "\\" else 1
    return []


# --------------------------------------------------------------------------- matching


def matches(glob: str, root: Folder) -> Iterator[str]:
    """Return the paths that a glob without alternatives finds, as it spells them ("" is the root).

    A path may hold ``.`` and ``..`` and may lead through a link, as the glob does.
    """
    parts = _parts(glob)
    only_folders = not parts or glob.endswith("/")
    seen: set[tuple[str, int, bool]] = set()

    def walk(folder: Folder, path: str, at: int, searched: bool) -> Iterator[str]:
        if (path, at, searched) in seen:
            return
        seen.add((path, at, searched))
        if at == len(parts):
            yield path
            return
        part, last = parts[at], at + 1 == len(parts)
        if part == _ANY_FOLDERS and (only_folders or not last):
            yield from walk(folder, path, at + 1, True)
            for name, entry in folder.entries.items():
                if isinstance(entry, Folder) and not name.startswith("."):
                    yield from walk(entry, _join(path, name), at, True)
            return
        below_any = _ANY_FOLDERS in parts[:at]
        for name in _names(part, folder, searched=searched):
            if below_any and name in {".", ".."}:
                continue
            inner = folder.enter(name)
            if last and not only_folders:
                if inner is not None or name in folder.entries:
                    yield _join(path, name)
            elif inner is not None:
                yield from walk(inner, _join(path, name), at + 1, searched or _is_pattern(part))

    yield from walk(root, "", 0, False)


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _names(part: str, folder: Folder, *, searched: bool) -> Iterator[str]:
    """Return what in a folder a part of a glob matches.

    The folder itself (``.``) is among its names for ``.*``, which is how that removes a whole app.
    Below a part that was itself ``searched`` for, it is not.
    """
    if not _is_pattern(part):
        yield _plain(part)
        return
    pattern = _pattern(part)
    if not searched and pattern.fullmatch("."):
        yield "."
    for name in folder.entries:
        if pattern.fullmatch(name):
            yield name


def _parts(glob: str) -> list[str]:
    """Return the parts between slashes; a slash in a set parts nothing."""
    parts = [""]
    in_set = escaped = False
    for character in glob:
        if character == "/" and not in_set:
            parts.append("")
            escaped = False
            continue
        parts[-1] += character
        if not escaped:
            in_set = character == "[" or (in_set and character != "]")
        escaped = character == "\\" and not escaped
    return [part for part in parts if part]


def _is_pattern(part: str) -> bool:
    return any(_find(part, character, 0) is not None for character in "*?[")


def _plain(part: str) -> str:
    return re.sub(r"\\(.?)", r"\1", part, flags=re.DOTALL)


@functools.lru_cache(maxsize=512)
def _pattern(part: str) -> re.Pattern[str]:
    """Return a part of a glob as a regular expression for one name.

    What stands between two stars is looked for once, at its first place: going back could take
    ages, and would find no more.
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
            found = _set(part, position)
            if found is None:
                return _NEVER
            chunks[-1] += found[0]
            position = found[1]
        else:
            if character == "\\":
                character = part[position : position + 1]
                position += 1
            chunks[-1] += re.escape(character)
    hidden = "" if _plain(part[:2]).startswith(".") else r"(?!\.)"
    middle = "".join(f"(?>.*?{chunk})" for chunk in chunks[1:-1] if chunk)
    end = f".*{chunks[-1]}" if len(chunks) > 1 else ""
    return re.compile(f"{hidden}{chunks[0]}{middle}{end}", re.DOTALL)


def _set(part: str, position: int) -> tuple[str, int] | None:
    """Return the regular expression of the set that begins there and its end; None if it is open.

    The ends of a range are always in it, also when it runs backwards.
    """
    negated = part[position : position + 1] in {"!", "^"}
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

"""``.slugignore`` as Heroku's slug compiler applies it: globs of Ruby's ``Dir[]``, not gitignore.

Source: ``prune_slugignore`` in heroku/slug-compiler (lib/slug_compiler.rb, 2014, the last one that
was published; CGA1123/slugcmplr#18 found it unchanged in the closed one of 2021). The disk is never
touched: the globs are matched against a tree that is made of the paths.

White space separates the entries, also within a line. Taken literally, that code treats the words
after a blank in a comment as entries too, while its own remark says that a leading ``#`` makes a
comment. It is not known which of the two today's compiler does, so such words remove nothing here
(the larger slug), and a note says what they may remove.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from slugcheck.errors import UsageError
from slugcheck.project.globs import (
    ANY_FOLDERS,
    Budget,
    TooCostlyError,
    expanded,
    is_pattern,
    name_pattern,
    plain,
    quoted,
)
from slugcheck.text import listed, plural

_MOST_LINKS = 16  # that one step follows, so that a loop of links ends
_LONGEST_PATH = 4_096  # PATH_MAX of Linux: no build has a file below a longer one
_STEPS_PER_ENTRY, _STEPS_PER_PLACE = 3, 10  # as long as they take, beside comparing a name
_MOST_PLACES = 500_000  # that one glob comes through; each is remembered
_SHOWN = 4  # entries that one note names
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_ENTRY_STEPS = 100  # of the budget, for an entry that matches nothing
_LONGEST = 1_024  # characters of an entry; real ones have some 50


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
            if len(path) > _LONGEST_PATH:
                continue
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

    def all_files(self, budget: Budget) -> Iterator[str]:
        """Return the paths of all files below, links among them.

        :raises TooCostlyError: the budget is used up.
        """
        levels = [(self, iter(self.entries.items()))]
        while levels:
            folder, entries = levels[-1]
            for name, entry in entries:
                budget.spend(_STEPS_PER_ENTRY)
                if isinstance(entry, Folder):
                    levels.append((entry, iter(entry.entries.items())))
                    break
                yield folder.join(name)
            else:
                levels.pop()

    def enter(self, name: str) -> Folder | None:
        """Return the folder that a name leads to, also through links within the tree.

        As in a kernel, the total number of links is limited: links to links of links would
        multiply.
        """
        folder: Folder | None = self
        left = _MOST_LINKS
        names = [name]
        while names and folder is not None:
            name = names.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                folder = folder.parent
                continue
            entry = folder.entries.get(name)
            if not isinstance(entry, str):
                folder = entry
                continue
            left -= 1
            if left < 0 or entry.startswith("/"):
                return None
            names += reversed(entry.split("/"))
        return folder


def removed_by(path: str, root: Folder, budget: Budget) -> Iterator[str]:
    """Return the files that removing a normal path deletes: all in a folder; of a link, itself.

    :raises TooCostlyError: the budget is used up.
    """
    if path == ".":
        yield from root.all_files(budget)
        return
    *parents, name = path.split("/")
    budget.spend(_STEPS_PER_ENTRY * (1 + len(parents)))
    folder: Folder | None = root
    for part in parents:
        folder = folder.enter(part) if folder else None
    if folder is None or name not in folder.entries:
        return
    entry = folder.entries[name]
    if isinstance(entry, Folder):
        yield from entry.all_files(budget)
    else:
        yield folder.join(name)


# --------------------------------------------------------------------------- matching


def matches(glob: str, root: Folder, budget: Budget) -> Iterator[str]:
    """Return the paths that a glob without alternatives finds, as it spells them ("" is the root).

    A path may hold ``.`` and ``..`` and may lead through a link, as the glob does.

    :raises TooCostlyError: the budget is used up.
    """
    search = _Search(_parts(glob), glob.endswith("/"), budget)
    # A tree can be deeper than Python's recursion: the levels are kept here.
    levels = [search.walk(_Place(root, "", 0, False))]
    while levels:
        for path_or_place in levels[-1]:
            if isinstance(path_or_place, _Place):
                levels.append(search.walk(path_or_place))
                break
            yield path_or_place
        else:
            levels.pop()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a search stands: the folder, its path as it was reached, and the part that is next.

    ``searched`` is True below a part that was itself a pattern.
    """

    folder: Folder
    path: str
    at: int
    searched: bool


class _Search:
    """One glob on its way through the tree."""

    def __init__(self, parts: Sequence[str], ends_open: bool, budget: Budget) -> None:
        self._parts = parts
        self._only_folders = not parts or ends_open
        self._budget = budget
        self._seen: set[tuple[str, int, bool]] = set()
        self._first_any = next((n for n, p in enumerate(parts) if p == ANY_FOLDERS), len(parts))

    def walk(self, place: _Place) -> Iterator[str | _Place]:
        """Yield what is found at a place, and the places to go on from, in their order."""
        folder, path, at = place.folder, place.path, place.at
        if (path, at, place.searched) in self._seen:
            return
        self._seen.add((path, at, place.searched))
        self._budget.spend(_STEPS_PER_PLACE + len(path) // 16)
        if len(self._seen) > _MOST_PLACES:
            raise TooCostlyError
        if at == len(self._parts):
            yield path
            return
        part, last = self._parts[at], at + 1 == len(self._parts)
        if part == ANY_FOLDERS and (self._only_folders or not last):
            yield _Place(folder, path, at + 1, True)
            self._budget.spend(len(folder.entries))
            for name, entry in folder.entries.items():
                if isinstance(entry, Folder) and not name.startswith("."):
                    yield _Place(entry, _join(path, name), at, True)
            return
        for name in _names(part, folder, self._budget, searched=place.searched):
            if at > self._first_any and name in {".", ".."}:
                continue
            inner = folder.enter(name)
            if last and not self._only_folders:
                if inner is not None or name in folder.entries:
                    yield _join(path, name)
            elif inner is not None:
                searched = place.searched or is_pattern(part)
                yield _Place(inner, _join(path, name), at + 1, searched)


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _names(part: str, folder: Folder, budget: Budget, *, searched: bool) -> Iterator[str]:
    """Return what in a folder a part of a glob matches.

    The folder itself (``.``) is among its names for ``.*``, which is how that removes a whole app.
    Below a part that was itself ``searched`` for, it is not.
    """
    if not is_pattern(part):
        yield plain(part)
        return
    pattern = name_pattern(part)
    if not searched and pattern.fullmatch("."):
        yield "."
    budget.spend(len(folder.entries))
    for name in folder.entries:
        if pattern.fullmatch(name):
            yield name


def _parts(glob: str) -> list[str]:
    """Return the parts between slashes; a slash in a set parts nothing."""
    ends = [-1]
    in_set = escaped = False
    for place, character in enumerate(glob):
        if character == "/" and not in_set:
            ends.append(place)
            escaped = False
            continue
        if not escaped:
            in_set = character == "[" or (in_set and character != "]")
        escaped = character == "\\" and not escaped
    parts = [glob[a + 1 : b] for a, b in itertools.pairwise([*ends, len(glob)])]
    kept = [part for part in parts if part]
    # several ** in a row find what one finds; the last part is another thing, a name
    return [
        part
        for place, part in enumerate(kept)
        if not (part == ANY_FOLDERS and kept[place + 1 : -1][:1] == [ANY_FOLDERS])
    ]


# --------------------------------------------------------------------------- entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the file. ``line`` counts from 1; ``text`` is the glob, a ``#`` part cut off."""

    line: int
    text: str
    in_comment: bool = False

    @property
    def where(self) -> str:
        """Return line and glob as a message shows them."""
        return f"line {self.line}: {quoted(self.text)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What a ``.slugignore`` removes: each path with the first entry that removes it."""

    by: Mapping[str, Entry] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def parse(content: bytes) -> tuple[Entry, ...]:
    """Return the entries in order, those from the words of comments marked."""
    entries: list[Entry] = []
    for number, line in enumerate(_text(content).split("\n"), 1):
        comment = False
        for word in _words(line):
            text, _, rest = word.partition("#")
            if text:
                entries.append(Entry(line=number, text=text, in_comment=comment))
            comment = comment or bool(rest) or word != text
    return tuple(entries)


def removed(
    content: bytes, paths: Iterable[str], links: Mapping[str, str] | None = None
) -> Removal:
    """Return which of ``paths`` the entries remove.

    ``paths`` are all files, relative and with ``/``. ``links`` are those of them that are symbolic
    links, with their targets as they are stored.

    :raises UsageError: an entry is longer than a path can be, or takes too long to match.
    """
    every = tuple(paths)
    tree = Folder.of(every, links or {})
    budget = Budget(len(every))
    by: dict[str, Entry] = {}
    words: dict[str, Entry] = {}
    idle: list[Entry] = []
    notes = list(_about_encoding(content))
    once: set[tuple[str, bool]] = set()
    for entry in parse(content):
        if (entry.text, entry.in_comment) in once:
            continue
        once.add((entry.text, entry.in_comment))
        into = words if entry.in_comment else by
        gone = False
        try:
            budget.spend(_ENTRY_STEPS)
            matched = _matched(entry, tree, budget)
            for path in (path for where in matched for path in removed_by(where, tree, budget)):
                into.setdefault(path, entry)
                gone = True
        except TooCostlyError:
            message = f".slugignore:{entry.line}: {quoted(entry.text)} takes too long to match"
            raise UsageError(message, hint="use fewer *, ** and {…} in it") from None
        if entry.in_comment:
            continue
        if not gone:
            idle.append(entry)
        elif "." in matched:
            notes.append(
                f".slugignore {entry.where} also matches the app's own folder, "
                "so it removes the whole app"
            )
    return Removal(by=by, notes=(*notes, *_about_idle(idle), *_about_comments(words, by)))


def _words(line: str) -> list[str]:
    """Return the words of a line as Ruby's ``split`` does: at ASCII white space and NUL."""
    return re.findall(r"[^\t\v\f\r\0 ]+", line)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _matched(entry: Entry, tree: Folder, budget: Budget) -> tuple[str, ...]:
    """Return the paths that ``Dir[]`` finds for an entry, each once, none outside of the folder.

    :raises UsageError: it is longer than a path can be.
    :raises TooCostlyError: the budget is used up.
    """
    if len(entry.text) > _LONGEST:
        if entry.in_comment:
            return ()
        message = f".slugignore:{entry.line}: an entry of {len(entry.text):,} characters"
        raise UsageError(message, hint=f"shorten it to {_LONGEST:,} characters")
    globs = [entry.text] if "/" in entry.text else [entry.text, f"**/{entry.text}"]
    paths: dict[str, None] = {}  # in order, unlike a set
    for glob in globs:
        for alternative in expanded(glob, budget):
            for path in matches(alternative, tree, budget):
                paths[posixpath.normpath(path or ".")] = None
    return tuple(where for where in paths if where != ".." and not where.startswith("../"))


# --------------------------------------------------------------------------- notes


def _about_encoding(content: bytes) -> Iterator[str]:
    if content.startswith(_UTF16):
        yield ".slugignore is UTF-16, which Heroku cannot read: save it as UTF-8"
    elif content.startswith(_BOM):
        yield (
            ".slugignore starts with a byte order mark, so its first entry matches nothing: "
            "save it as UTF-8 without one"
        )
    elif any("\udc80" <= character <= "\udcff" for character in _text(content)):
        yield ".slugignore is not UTF-8, which Heroku may refuse: save it as UTF-8"


def _about_idle(entries: Iterable[Entry]) -> Iterator[str]:
    rest: list[Entry] = []
    for entry in entries:
        if entry.text.startswith("!"):
            yield (
                f".slugignore {entry.where} has no effect: .slugignore does not support negation, "
                "and earlier entries still apply"
            )
        elif _climbs(entry.text):
            yield f".slugignore {entry.where} has no effect: it is outside the app's folder"
        else:
            rest.append(entry)
    if rest:
        named = listed([f"{quoted(entry.text)} (line {entry.line})" for entry in rest], _SHOWN)
        verb = "entry matches" if len(rest) == 1 else "entries match"
        yield f".slugignore: {len(rest)} {verb} no pushed file: {named}"


def _climbs(text: str) -> bool:
    where = posixpath.normpath(text.lstrip("/") or ".")
    return where == ".." or where.startswith("../")


def _about_comments(words: Mapping[str, Entry], by: Mapping[str, Entry]) -> Iterator[str]:
    """Yield a note on files that only words in comments match."""
    kept = {path: entry for path, entry in words.items() if path not in by}
    if not kept:
        return
    entries = sorted({(entry.line, entry.text) for entry in kept.values()})
    named = listed([f"{quoted(text)} (line {line})" for line, text in entries], _SHOWN)
    yield (
        f".slugignore: Heroku's published compiler treats words in a comment as entries; "
        f"{named} may remove {plural(len(kept), 'file')} that are counted here; "
        "write comments without blanks (#like-this) to be sure"
    )

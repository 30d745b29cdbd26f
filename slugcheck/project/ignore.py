"""``.slugignore`` as Heroku's slug compiler applies it: globs of Ruby's ``Dir[]``, not gitignore.

Source: ``prune_slugignore`` in heroku/slug-compiler (lib/slug_compiler.rb, 2014, the last one that
was published; CGA1123/slugcmplr#18 found it unchanged in the closed one of 2021). The disk is never
touched: the globs are matched against a tree that is made of the paths.

Blanks of any kind part the entries, also within a line. By the letter of that code the words
after a blank in a comment are entries too; its own remark says that a leading ``#`` makes a
comment. Since nobody outside knows which of the two today's compiler does, such words remove
nothing here (the larger slug), and a note says what they may remove.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from slugcheck.errors import UsageError
from slugcheck.escape import printable
from slugcheck.project.globs import (
    Budget,
    Folder,
    TooCostlyError,
    expanded,
    matches,
    removed_by,
)

_SHOWN = 4  # entries that one note names
_QUOTED = 60  # characters of an entry that a note repeats
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_ENTRY_STEPS = 100  # of the budget, for an entry that matches nothing
_LONGEST = 1_024  # characters of an entry; those of real ones have some 50


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


def quoted(text: str) -> str:
    """Return an entry or a path for a message, safe and short."""
    shown = printable(text)
    return shown if len(shown) <= _QUOTED else f"{shown[: _QUOTED - 1]}…"


def parse(content: bytes) -> tuple[Entry, ...]:
    """Return the entries in order, those from the words of comments marked."""
    found: list[Entry] = []
    for number, line in enumerate(_text(content).split("\n"), 1):
        comment = False
        for word in _words(line):
            text, _, rest = word.partition("#")
            if text:
                found.append(Entry(line=number, text=text, in_comment=comment))
            comment = comment or bool(rest) or word != text
    return tuple(found)


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
            found = _found(entry, tree, budget)
            for path in (path for where in found for path in removed_by(where, tree, budget)):
                into.setdefault(path, entry)
                gone = True
        except TooCostlyError:
            message = f".slugignore:{entry.line}: {quoted(entry.text)} takes too long to match"
            raise UsageError(message, hint="use fewer *, ** and {…} in it") from None
        if entry.in_comment:
            continue
        if not gone:
            idle.append(entry)
        elif "." in found:
            notes.append(
                f".slugignore {entry.where} also matches the app's own folder, "
                "and so removes the whole app"
            )
    return Removal(by=by, notes=(*notes, *_about_idle(idle), *_about_comments(words, by)))


def _words(line: str) -> list[str]:
    """Return the words of a line as Ruby's ``split`` parts them: at ASCII white space and NUL."""
    for blank in "\t\v\f\r\0":
        line = line.replace(blank, " ")
    return [word for word in line.split(" ") if word]


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _found(entry: Entry, tree: Folder, budget: Budget) -> tuple[str, ...]:
    """Return the paths that ``Dir[]`` finds for an entry, each once, none outside of the folder.

    :raises UsageError: it is longer than a path can be.
    :raises TooCostlyError: it takes more than the budget has left.
    """
    if len(entry.text) > _LONGEST:
        if entry.in_comment:
            return ()
        message = f".slugignore:{entry.line}: an entry of {len(entry.text):,} characters"
        raise UsageError(message, hint=f"write entries of {_LONGEST:,} characters at most")
    globs = [entry.text] if "/" in entry.text else [entry.text, f"**/{entry.text}"]
    found: dict[str, None] = {}  # in order, unlike a set
    for glob in globs:
        for one in expanded(glob, budget):
            for path in matches(one, tree, budget):
                found[posixpath.normpath(path or ".")] = None
    return tuple(where for where in found if where != ".." and not where.startswith("../"))


# --------------------------------------------------------------------------- notes


def _about_encoding(content: bytes) -> Iterator[str]:
    if content.startswith(_UTF16):
        yield ".slugignore is UTF-16, which Heroku cannot read: save it as UTF-8"
    elif content.startswith(_BOM):
        yield (
            ".slugignore begins with a byte order mark, so its first entry matches nothing: "
            "save it as UTF-8 without one"
        )
    elif any("\udc80" <= character <= "\udcff" for character in _text(content)):
        yield ".slugignore is not UTF-8, which Heroku may refuse: save it as UTF-8"


def _about_idle(entries: Iterable[Entry]) -> Iterator[str]:
    rest: list[Entry] = []
    for entry in entries:
        if entry.text.startswith("!"):
            yield (
                f".slugignore {entry.where} has no effect: .slugignore knows no negation, "
                "what an entry before it matches is removed"
            )
        elif _climbs(entry.text):
            yield f".slugignore {entry.where} has no effect: it leaves the app's folder"
        else:
            rest.append(entry)
    if rest:
        named = ", ".join(f"{quoted(entry.text)} (line {entry.line})" for entry in rest[:_SHOWN])
        more = f" and {len(rest) - _SHOWN} more" if len(rest) > _SHOWN else ""
        verb = "entry matches" if len(rest) == 1 else "entries match"
        yield f".slugignore: {len(rest)} {verb} no file that is pushed: {named}{more}"


def _climbs(text: str) -> bool:
    where = posixpath.normpath(text.lstrip("/") or ".")
    return where == ".." or where.startswith("../")


def _about_comments(words: Mapping[str, Entry], by: Mapping[str, Entry]) -> Iterator[str]:
    """Say what words in comments match that nothing else removes."""
    kept = {path: entry for path, entry in words.items() if path not in by}
    if not kept:
        return
    entries = sorted({(entry.line, entry.text) for entry in kept.values()})
    named = ", ".join(f"{quoted(text)} (line {line})" for line, text in entries[:_SHOWN])
    more = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    files = "1 file" if len(kept) == 1 else f"{len(kept):,} files"
    yield (
        f".slugignore: Heroku's published compiler takes words in a comment for entries; "
        f"{named}{more} may remove {files} that are counted here; "
        "write comments without blanks (#like-this) to be sure"
    )

"""Bounded parsers for untrusted text, and the one way to read a file of the checked project.

The parsers cover TOML, JSON, Python's syntax and packaging's grammars of requirements, markers,
versions and filenames. Text beyond a bound raises the same error as text that does not parse: no
parser recurses without end, takes more than linear time, or raises anything else. Lengths are in
characters.

The largest in 93 requirements, lock and project files of pypa/warehouse, mozilla/treeherder,
saleor, prefect, onyx and old Heroku apps: a requirement of 179 characters, a marker of 218, a
version of 17, a wheel's filename of 124 with 6 tags, a TOML key of 7 parts.
"""

from __future__ import annotations

import bisect
import errno
import json as _json
import os
import re
import stat
import threading
import tomllib
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urlsplit

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import (
    BuildTag,
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from slugcheck.errors import UsageError
from slugcheck.text import printable

if TYPE_CHECKING:
    import ast

LONGEST_REQUIREMENT = 65_536
LONGEST_MARKER = 65_536
LONGEST_SPECIFIER = 16_384
LONGEST_VERSION = 256
LONGEST_FILENAME = 255  # NAME_MAX of Linux
MOST_TAGS = 1_000  # a wheel's name multiplies its parts: three of 80 are half a million
DEEPEST_MARKER = 40
PYTHON_VERSION = re.compile(r"3\.[0-9]{1,3}(?:\.[0-9]{1,2})?")  # as the user writes one
MOST_KEY_PARTS = 16  # of a dotted TOML key; tomllib's work grows with their square

WheelName = tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]

_LONG_NUMBER = re.compile(r"0[xob][0-9a-fA-F_]{256}")
_MOST_BITS = 1_024
# What packaging takes for a version until it compares it: Python converts no more than 4,300.
_MANY_DIGITS = re.compile(r"[0-9]{1000}")

# CPython's parser keeps every part of an import's dotted name with those before it, and looks at
# all of a formatted text again for each of its fields: both take the square of what is written.
_MANY_PARTS = re.compile(r"(?:\.[\s\\]*+\w++[\s\\]*+){200}")
_FORMATTED = re.compile(r"\b(?:[fF][rR]?|[rR][fF])['\"]")
_MOST_IN_FIELDS = 10**8  # characters, those of each field counted anew: half a second
_LARGEST_SOURCE = 2**20  # bytes
_SLOW_ENCODINGS = frozenset({"idna", "punycode"})
_WARNINGS = threading.Lock()

# A token of TOML. Each matches something wherever it is tried, so that the text is read once.
_TOML_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5}|\Z)?'
    r"|'''(?:[^']|'(?!''))*+(?:'{3,5}|\Z)?"
    r'|"(?:[^"\\\n]|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+"
    r"|(?P<dot>[ \t]*+\.[ \t]*+)"
    r"|(?P<word>[A-Za-z0-9_-]++)"
    r"|.",
    re.DOTALL,
)
# Bytes that a kind of file may have; behind each the largest real one that was found.
VERSION_FILE = 100_000  # .python-version, runtime.txt: some dozen
SMALL_FILE = 2**20  # Procfile, nltk.txt, .slugignore: some thousand
SETTINGS = 2**20  # slugcheck.toml, pyproject.toml, Pipfile, uv.toml: 60 KB (Airflow)
REQUIREMENTS = 4 * 10**6  # 1.5 MB, an application's with the hashes of every file
LOCK = 32 * 10**6  # 3.3 MB (Airflow's uv.lock, of 120 workspace members)
SAVED_REPORT = 64 * 10**6  # 0.5 MB, of 300 distributions
_VERSION_CONTROL = frozenset({".git", ".hg", ".svn", "git~1"})  # git~1: its short name on Windows
_STREAM = re.compile(r"/dev/(?:stdin|fd/[0-9]+)")  # pip freeze | slugcheck /dev/stdin
_STREAMS = Path("/dev")
STDIN = Path("-")
# A pipe must not make it wait, and a link must not be followed; Windows has no such flags.
OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)
_MOST_LINKS = 40  # as Linux
_LONGEST_PATH = 4_096  # PATH_MAX of Linux; other systems take less
_NOT_IN_ROOT = ("/proc", "/sys", "/dev")  # where the allowed folder is / itself
_SHOWN = 160
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def toml(text: str) -> dict[str, Any]:
    """Return a TOML document.

    :raises ValueError: it is not valid, or nested or dotted deeper than any real document; the
        message gives the line if there is one.
    """
    if any(line.count(".") >= MOST_KEY_PARTS for line in text.split("\n")):
        _check_keys(text)
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    # decimal numbers have a limit in Python, others fail only when they are shown
    if _LONG_NUMBER.search(text) and any(map(_is_huge, _leaves(document))):
        raise ValueError("a number has too many digits")
    return document


def _leaves(document: object) -> Iterator[object]:
    todo = [document]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            todo += node.values()
        elif isinstance(node, list):
            todo += node
        else:
            yield node


def _is_huge(value: object) -> bool:
    return isinstance(value, int) and value.bit_length() > _MOST_BITS


def _check_keys(text: str) -> None:
    """Refuse dotted names of too many parts, wherever they stand outside of strings."""
    parts = 0
    for token in _TOML_TOKEN.finditer(text):
        if token["dot"]:
            parts += 1
        elif not (token["word"] or token[0][0] in "\"'"):
            parts = 0
        if parts >= MOST_KEY_PARTS:
            line = text.count("\n", 0, token.start()) + 1
            raise ValueError(f"a key of more than {MOST_KEY_PARTS} parts (at line {line})")


def json(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    :raises ValueError: it is not valid, or nested too deeply.
    """
    try:
        return _json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def source_text(source: bytes) -> str:
    """Return a Python source as text that Python's parser and compiler are safe with.

    :raises SyntaxError: its encoding is not known.
    :raises ValueError: it is not in its encoding, or what they take the square of is too long.
    """
    import importlib.util
    import io
    import tokenize

    if len(source) > _LARGEST_SOURCE:
        raise ValueError("it is too large")
    if tokenize.detect_encoding(io.BytesIO(source).readline)[0] in _SLOW_ENCODINGS:
        raise ValueError("it is in no encoding of sources")
    try:
        text = importlib.util.decode_source(source)
    except LookupError as error:
        raise ValueError(str(error)) from None
    if _MANY_PARTS.search(text):
        raise ValueError("a dotted name has too many parts")
    if text.count("{") * len(text) > _MOST_IN_FIELDS and _FORMATTED.search(text):
        raise ValueError("it has too many fields of formatted texts")
    return text


def python(source: bytes) -> ast.Module:
    """Return the syntax tree of a Python source.

    :raises SyntaxError: it is not valid Python.
    :raises ValueError: it cannot be read, or is nested too deeply.
    """
    import ast

    text = source_text(source)
    # Old sources hold invalid escapes, which newer Pythons warn about on the user's screen. The
    # filters are global, hence one thread at a time.
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (RecursionError, MemoryError):
        raise ValueError("it is nested too deeply") from None


def nodes(top: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it, in the order of ``ast.walk`` and in 0.6 of its time.

    What says only whether a name is read or bound is left out: it is the node's own ``ctx``.
    """
    import ast

    waiting = [top]
    for node in waiting:  # which grows meanwhile
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                waiting += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST) and name != "ctx":
                waiting.append(value)
        yield node


def requirement(text: str) -> Requirement:
    """Return a PEP 508 requirement.

    :raises InvalidRequirement: it is not valid.
    """
    if len(text) > LONGEST_REQUIREMENT:
        raise InvalidRequirement(f"it is longer than {LONGEST_REQUIREMENT:,} characters")
    if _MANY_DIGITS.search(text):
        raise InvalidRequirement("a number in it has too many digits")
    _, semicolon, condition = text.partition(";")
    if semicolon and _too_deep(condition):
        raise InvalidRequirement("its marker is nested too deeply")
    try:
        return Requirement(text)
    except InvalidRequirement:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidRequirement(str(error)) from None


def marker(text: str) -> Marker:
    """Return an environment marker.

    :raises InvalidMarker: it is not valid.
    """
    if len(text) > LONGEST_MARKER:
        raise InvalidMarker(f"it is longer than {LONGEST_MARKER:,} characters")
    if _too_deep(text):
        raise InvalidMarker("it is nested too deeply")
    if _MANY_DIGITS.search(text):
        raise InvalidMarker("a number in it has too many digits")
    try:
        return Marker(text)
    except InvalidMarker:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidMarker(str(error)) from None


def _too_deep(text: str) -> bool:
    depth = 0
    for character in text if text.count("(") > DEEPEST_MARKER else "":
        depth += (character == "(") - (character == ")")
        if depth > DEEPEST_MARKER:
            return True
    return False


def specifiers(text: str) -> SpecifierSet:
    """Return a set of version specifiers.

    :raises InvalidSpecifier: it is not valid.
    """
    if len(text) > LONGEST_SPECIFIER:
        raise InvalidSpecifier(f"it is longer than {LONGEST_SPECIFIER:,} characters")
    if _MANY_DIGITS.search(text):
        raise InvalidSpecifier("a number in it has too many digits")
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise InvalidSpecifier(str(error)) from None


def is_exact(specifier: SpecifierSet) -> bool:
    """Return whether a specifier allows one version only, as ``==1.0`` does, but not ``==1.*``."""
    return any(
        clause.operator == "===" or (clause.operator == "==" and not clause.version.endswith(".*"))
        for clause in specifier
    )


def version(text: str) -> Version:
    """Return a version.

    :raises InvalidVersion: it is not valid.
    """
    if len(text) > LONGEST_VERSION:
        raise InvalidVersion(f"it is longer than {LONGEST_VERSION} characters")
    return Version(text)


def minor_key(minor: str) -> tuple[int, ...]:
    """Return a Python version as numbers, to compare it with others."""
    return tuple(int(part) for part in minor.split("."))


def nearest_minor(measured: Iterable[str], minor: str) -> str:
    """Return the newest measured Python that is not newer than ``minor``, else the oldest."""
    ordered = sorted(measured, key=minor_key)
    place = bisect.bisect_right(ordered, minor_key(minor), key=minor_key)
    return ordered[max(place - 1, 0)]


def wheel_filename(text: str) -> WheelName:
    """Return name, version, build and tags of a wheel's filename.

    :raises InvalidWheelFilename: it is not valid.
    """
    check_wheel_filename(text)
    try:
        return parse_wheel_filename(text)
    except InvalidWheelFilename:
        raise
    except ValueError as error:  # its version
        raise InvalidWheelFilename(str(error)) from None


def check_wheel_filename(text: str) -> None:
    """Check that a wheel's filename is within bounds; whether it is valid is not looked at.

    :raises InvalidWheelFilename: it is too long, or stands for too many tags.
    """
    if len(text) > LONGEST_FILENAME:
        raise InvalidWheelFilename(f"it is longer than {LONGEST_FILENAME} characters")
    tags = 1
    for part in text.removesuffix(".whl").rsplit("-", 3)[1:]:
        tags *= part.count(".") + 1
    if tags > MOST_TAGS:
        raise InvalidWheelFilename(f"it has more than {MOST_TAGS:,} tags")


def sdist_filename(text: str) -> tuple[NormalizedName, Version]:
    """Return name and version of a source archive's filename.

    :raises InvalidSdistFilename: it is not valid.
    """
    if len(text) > LONGEST_FILENAME:
        raise InvalidSdistFilename(f"it is longer than {LONGEST_FILENAME} characters")
    try:
        return parse_sdist_filename(text)
    except InvalidSdistFilename:
        raise
    except ValueError as error:
        raise InvalidSdistFilename(str(error)) from None


def last_part(url: str) -> str:
    """Return the filename at the end of a URL or a path; "" where it has none."""
    try:
        path = urlsplit(url).path
    except ValueError:  # half a pair of brackets
        return ""
    return unquote(path).rstrip("/").rpartition("/")[2]


class Refused(UsageError):
    """A file is not read: it is outside the checkout, not a regular file, or too large.

    ``why`` goes on after the file's name. Neither says what is in the file, or whether there is
    one where a link leads.
    """

    def __init__(self, name: str, why: str, *, hint: str | None = None) -> None:
        super().__init__(f"{name} {why}", hint=hint)
        self.name = name
        self.why = why


@dataclass(frozen=True, slots=True)
class _Location:
    """Where a path leads inside the allowed folder; ``link`` is the first link on the way."""

    real: str
    link: tuple[str, str] | None


def top_of(path: Path) -> Path:
    """Return the folder that may be read for a file or folder named on the command line.

    That is the top of its git checkout, else the folder itself; of a file without one, the current
    folder where the file is below it, else its own. A link in a checkout belongs to
    that checkout, wherever it leads, so one that leads out of it changes nothing.
    """
    named = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links
    if _STREAM.fullmatch(str(named)):
        return _STREAMS
    top: Path | None = None
    for place in (*reversed(named.parents), named):
        if top is not None and leaves(place, top):
            return top
        if os.path.lexists(place / ".git"):
            top = place.resolve()
    if top is not None:
        return top
    folder = checkout_of(named)
    if named.is_dir() or os.path.lexists(folder / ".git"):
        return folder
    # without git, requirements/prod.txt may include what is beside its folder
    here = Path.cwd()
    wide = here in (Path(here.anchor), Path.home()) or not folder.is_relative_to(here)
    return folder if wide else here


def checkout_of(path: Path) -> Path:
    """Return the git checkout that holds a file or folder, else its folder; links are resolved."""
    folder = (path if path.is_dir() else path.parent).resolve()
    git_entry = dot_git(folder)
    return git_entry.parent if git_entry else folder


def dot_git(folder: Path) -> Path | None:
    """Return the nearest ``.git`` of this folder or one above, None if there is none."""
    places = (place / ".git" for place in (folder, *folder.parents))
    return next(filter(os.path.lexists, places), None)


def read(path: Path, *, within: Path, limit: int) -> bytes:
    """Return what is in a regular file below ``within``, of at most ``limit`` bytes.

    ``within`` is a real path, as ``top_of`` returns it.

    :raises Refused: it leads outside, is not a regular file, or is larger.
    :raises OSError: it does not exist, is a folder, or is not readable.
    """
    with opened(path, within=within) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        size = f"{limit // 10**6} MB" if limit >= 10**6 else f"{limit // 1000} KB"
        raise Refused(_name(path), f"is larger than {size}", hint="make it smaller")
    return data


def opened(path: Path, *, within: Path) -> BinaryIO:
    """Return a regular file below ``within``, open; see ``read``."""
    if path == STDIN:
        return open(0, "rb", closefd=False)
    if within == _STREAMS and _STREAM.fullmatch(str(path)):
        return path.open("rb")
    real = _walked(path, within).real
    _regular(path, os.lstat(real).st_mode)  # opening a device alone may do something
    number = os.open(real, OPEN_FLAGS)
    try:
        _regular(path, os.fstat(number).st_mode)
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def real(path: Path, within: Path) -> Path:
    """Return where a path leads, whether or not something is there.

    :raises Refused: it leads outside of ``within``.
    :raises OSError: its links form a loop.
    """
    return Path(_walked(path, within).real)


def destination(path: Path, within: Path) -> Path | None:
    """Return where a path leads; None where nothing is there, or it leads outside."""
    try:
        place = real(path, within)
    except (Refused, OSError):
        return None
    return place if os.path.lexists(place) else None


def leaves(path: Path, within: Path) -> bool:
    """Return whether a path leads outside of ``within``, or to where nothing is ever read."""
    try:
        real(path, within)
    except (Refused, OSError):  # one that cannot be followed is left to nobody else
        return True
    return False


def stray(folder: Path, within: Path, *, deep: int) -> str | None:
    """Return a link below a folder that leads outside of ``within``; None where there is none.

    ``deep`` says how many levels of folders are looked through.
    """
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(place, name)
            if path.is_symlink() and leaves(path, within):
                return path.relative_to(folder).as_posix()
        if len(Path(place).relative_to(folder).parts) >= deep:
            folders.clear()
    return None


def belongs(path: Path, within: Path) -> bool:
    """Return whether a path that the user named is one of ``within``, by its name or where it is.

    A link in a checkout belongs to it, wherever it leads.
    """
    named = os.path.abspath(path)  # noqa: PTH100 - a link counts by its own name
    places = (named, os.path.realpath(path))
    return any(Path(place).is_relative_to(within) for place in places)


def is_file(path: Path, within: Path) -> bool:
    """Return whether a path leads to a file, of whatever kind.

    :raises Refused: it leads outside of ``within``.
    """
    mode = _mode(path, within)
    return mode is not None and not stat.S_ISDIR(mode)


def is_folder(path: Path, within: Path) -> bool:
    """Return whether a path leads to a folder; one outside of ``within`` counts as not there."""
    try:
        mode = _mode(path, within)
    except Refused:
        return False
    return mode is not None and stat.S_ISDIR(mode)


def _mode(path: Path, within: Path) -> int | None:
    try:
        return os.lstat(_walked(path, within).real).st_mode
    except OSError:
        return None


def _regular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise Refused(_name(path), f"is {kind}, not a regular file")


def _walked(path: Path, within: Path) -> _Location:
    """Follow a path link by link; nothing outside of ``within`` is asked for on the way."""
    top = str(within)
    if "\0" in str(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), _name(path))
    if len(str(path)) > _LONGEST_PATH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), _name(path))
    rest = deque(_below(path, top))
    parts: list[str] = []
    places = [top]  # the way so far: ``top`` with none of ``parts``, with one, with two
    link: tuple[str, str] | None = None
    links = 0
    while rest:
        part = rest.popleft()
        if part == "..":
            if not parts:
                raise _outside(path, within, link)
            parts.pop()
            places.pop()
            continue
        if _is_version_control(part):
            raise Refused(_name(path), f"is inside {printable(part)}, which is never read")
        if _is_elsewhere(part):
            raise _outside(path, within, link)
        place = f"{places[-1].removesuffix(os.sep)}{os.sep}{part}"
        target = _target(place)
        if target is None:
            parts.append(part)
            places.append(place)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), _name(path))
        link = link or ("/".join([*parts, part]), target)
        if os.path.isabs(target):  # noqa: PTH117 - as it is written
            inside = _under(Path(target).parts, top)
            if inside is None:
                raise _outside(path, within, link)
            parts, places = [], [top]
            rest.extendleft(reversed(inside))
        else:
            rest.extendleft(reversed(Path(target).parts))
    place = places[-1]
    if top == "/" and place.startswith(tuple(f"{folder}/" for folder in _NOT_IN_ROOT)):
        raise _outside(path, within, link)
    return _Location(place, link)


def _below(path: Path, top: str) -> list[str]:
    """Return the parts of a path that come after ``top``.

    What comes before may hold links: it is the way that the user, or the system, has to there.

    :raises Refused: the path does not go through ``top``.
    """
    parts = (path if path.is_absolute() else Path.cwd() / path).parts
    if (inside := _under(parts, top)) is not None:
        return inside
    place = ""  # the real path of what was walked, whether or not it is there
    for count, part in enumerate(parts, 1):
        place = _one_further(place, part)
        if place == top:
            return list(parts[count:])
    raise _outside(path, Path(top), None)


def _one_further(place: str, part: str) -> str:
    """Return the real path of a part of the real path ``place``."""
    if part == "..":
        return os.path.dirname(place)  # noqa: PTH120 - of a real path
    further = os.path.join(place, part)  # noqa: PTH118 - the first part is the root
    # Windows has other ways than links for a path to lead elsewhere
    walks = os.sep == "\\" or os.path.islink(further)  # noqa: PTH114
    return os.path.realpath(further) if walks else further


def _under(parts: Sequence[str], top: str) -> list[str] | None:
    """Return the parts below ``top`` as they are written; None where the path begins otherwise."""
    above = _parts(top)
    if tuple(map(os.path.normcase, parts[: len(above)])) != tuple(map(os.path.normcase, above)):
        return None
    return list(parts[len(above) :])


@cache
def _parts(top: str) -> tuple[str, ...]:
    return Path(top).parts


def _is_elsewhere(part: str) -> bool:
    """Tell a drive or another stream of a file, such as ``C:``, from a name. Windows only."""
    return os.sep == "\\" and (":" in part or part.startswith(("\\", "/")))


def _target(path: str) -> str | None:
    try:
        return os.readlink(path).removeprefix("\\\\?\\")  # noqa: PTH115 - as it is written
    except OSError:  # no link, or nothing there; the caller finds out which
        return None


def _is_version_control(part: str) -> bool:
    # macOS passes over characters of zero width in names
    return part.encode("ascii", "ignore").decode().lower() in _VERSION_CONTROL


def _name(path: Path) -> str:
    return printable(str(path))


def _outside(path: Path, within: Path, link: tuple[str, str] | None) -> Refused:
    place = "checkout" if os.path.lexists(within / ".git") else "project's folder"
    if link is None:
        return Refused(_name(path), f"is outside the {place}")
    name, target = (printable(text)[:_SHOWN] for text in link)
    via = "a link" if path.as_posix().endswith(link[0]) else f"reached through the link {name}"
    why = f"is {via} that leads outside the {place} (-> {target})"
    if via != "a link":
        why = f"is {via}, which leads outside the {place} (-> {target})"
    hint = "replace the link with the file itself, or name that file on the command line"
    return Refused(_name(path), why, hint=hint)

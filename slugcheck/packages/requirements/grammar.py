"""One line of a requirements file in pip's grammar: a name with versions, a URL, or a local path.

The library pip-requirements-parser, pip's own code of 2022, joins lines, drops comments and splits
off options. What pip has changed since (decoding, options added and removed) is handled here. Text
from a file reaches a message only through ``shown``.
"""

from __future__ import annotations

import codecs
import functools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from optparse import OptionParser, Values
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packaging.markers import InvalidMarker
from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from slugcheck import reading
from slugcheck.model.options import Variables, used
from slugcheck.text import without_credentials, without_secrets

_BOMS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32-LE"),  # before UTF-16, whose mark is the first half of this one
    (codecs.BOM_UTF32_BE, "UTF-32-BE"),
    (codecs.BOM_UTF16_LE, "UTF-16-LE"),
    (codecs.BOM_UTF16_BE, "UTF-16-BE"),
)
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
_LINE_ENDS = ("\n", "\r")  # where editors begin a line; the grammar knows more, e.g. form feeds
_LONGEST_SHOWN = 120
# Bounds in characters that no honest file comes near: of those measured, the longest line (with
# all its hashes) has 9,560, the longest word 118, and the most lines of one file are 359.
LONGEST_LINE = 65_536
LONGEST_WORD = 4_096
MOST_LINES = 5_000
# Blanks within a line, of which a run is as good as one: what looks for a comment behind them
# would begin at each.
_BLANKS = re.compile(r"[^\S\r\n\v\f\x1c-\x1e\x85\u2028\u2029]{64,}")

# Options that pip has dropped, but the library still takes.
_GONE = (
    "--requirements --global-option --install-option --allow-all-external --allow-external "
    "--allow-unverified --always-unzip --no-use-wheel".split()
)
_HASH_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})  # pip's STRONG_HASHES
VCS = {"git": "git", "hg": "Mercurial", "svn": "Subversion", "bzr": "Bazaar"}
VCS_SCHEMES = frozenset(
    "git+http git+https git+ssh git+git git+file "
    "hg+file hg+http hg+https hg+ssh hg+static-http "
    "svn+ssh svn+http svn+https svn+svn svn+file "
    "bzr+http bzr+https bzr+ssh bzr+sftp bzr+ftp bzr+lp bzr+file".split()
)
WINDOWS_PATH = re.compile(r"(?:file:/*)?[A-Za-z]:[\\/]|\\\\", re.IGNORECASE)
_SCHEMES = VCS_SCHEMES | {"http", "https", "file", "ftp"}
_ARCHIVES = tuple(
    ".whl .zip .tar.gz .tgz .tar .tar.bz2 .tbz .tar.xz .txz .tlz .tar.lz .tar.lzma".split()
)
_EGG = re.compile(r"[#&]egg=([^&]*)")
_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE)
_PATH = re.compile(r"\.{1,2}|(?:\.{1,2}/|/(?!/))\S*")
_VERSION = re.compile(r"(?:[=!~]=|[<>]=?)\s*([^\s,;<>=!~]+)")


class BadFileError(Exception):
    """A file is not text; the message continues its name, ``hint`` says how to fix it."""

    def __init__(self, sentence: str, *, hint: str) -> None:
        super().__init__(sentence)
        self.hint = hint


class BadLineError(Exception):
    """pip refuses a line; the message says why and is safe to show."""


class OutsideError(BadLineError):
    """slugcheck refuses what a line would read; pip might not."""


class BeyondBoundsError(Exception):
    """A file has more or longer lines than any real one; the message follows its location."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A logical line: continuations joined, comments gone, variables filled in, options apart.

    ``wanted`` is what it asks to install, "" on a line of options alone. ``written`` is the same
    before variables were filled in: the form to show. ``missing`` are the names of variables that
    are not allowed or have no value, and stay as they are. ``ignored`` are words that pip passes
    over.
    """

    wanted: str
    written: str
    editable: bool
    options: Values
    hashes: tuple[str, ...]
    missing: tuple[str, ...]
    variables: Variables
    ignored: tuple[str, ...]


def decode(data: bytes) -> str:
    """Return a file's text, as pip decodes it on Linux.

    :raises BadFileError: it is not text, or not in the encoding it declares.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding)
    if b"\x00" in data:
        hint = "if it is UTF-16 without a byte order mark, save it as UTF-8"
        raise BadFileError("is not a text file: it contains NUL bytes", hint=hint)
    return _decoded(data, _declared(data) or "UTF-8")


def _declared(data: bytes) -> str | None:
    """Return the encoding that a comment in the first two lines names (PEP 263)."""
    for line in data.split(b"\n")[:2]:
        match = _CODING.search(line) if line.startswith(b"#") else None
        if match:
            return match[1].decode("ascii")
    return None


def _decoded(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
        text.encode()  # half a surrogate pair could not be printed
    except LookupError:
        message = f"names an unknown encoding: {shown(encoding)}"
        raise BadFileError(message, hint="correct the coding comment at the top") from None
    except UnicodeError as error:
        place = f": byte {error.start} cannot be decoded" if hasattr(error, "start") else ""
        message = f"is not {encoding} text{place}"
        raise BadFileError(message, hint="save it as UTF-8") from None
    if "\x00" in text:
        message = "is not a text file: it contains NUL characters"
        raise BadFileError(message, hint="save it as UTF-8 text")
    return text


def shown(text: str, longest: int = _LONGEST_SHOWN) -> str:
    """Return text of a file for a message: no credentials, no control characters, shortened."""
    text = printable(without_credentials(text))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def printable(text: str) -> str:
    """Return text with characters that a terminal could act on as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number as an editor counts, line) of all that is neither blank nor comment.

    :raises BeyondBoundsError: a line is too long.
    """
    from pip_requirements_parser import TextLine, preprocess

    text = _BLANKS.sub(" ", text)
    numbers = _editor_numbers(text)
    for place, piece in enumerate(text.splitlines()):
        if len(piece) > LONGEST_LINE:
            raise _too_long(numbers[place], "line", len(piece), LONGEST_LINE)
    for line in preprocess(text):
        if isinstance(line, TextLine):
            number = numbers[line.line_number - 1]
            if len(line.line) > LONGEST_LINE:  # of several, joined
                raise _too_long(number, "line", len(line.line), LONGEST_LINE)
            if len(line.line) > LONGEST_WORD:
                longest = max(map(len, line.line.split()))
                if longest > LONGEST_WORD:
                    raise _too_long(number, "word", longest, LONGEST_WORD)
            yield number, line.line


def _too_long(number: int, part: str, length: int, most: int) -> BeyondBoundsError:
    return BeyondBoundsError(number, f"a {part} of {length:,} characters; the limit is {most:,}")


def _editor_numbers(text: str) -> list[int]:
    numbers, number = [], 1
    for piece in text.splitlines(keepends=True):
        numbers.append(number)
        number += piece.endswith(_LINE_ENDS)
    return numbers


def fills_in(written: str, variables: Variables) -> bool:
    """Return whether a value is filled in on a line, which may be a secret."""
    return any(variables.value(name) for name in used(written))


def parse(written: str, variables: Variables) -> Line:
    """Take a logical line apart.

    :raises BadLineError: pip refuses it.
    """
    from pip_requirements_parser import break_args_options

    wanted, rest = break_args_options(variables.fill(written))
    options, ignored = _parse_options(rest)
    editable = bool(options.editables)
    before = break_args_options(written)[0].strip() or written
    return Line(
        wanted=wanted.strip() or (options.editables[0] if editable else ""),
        written=before,
        editable=editable,
        options=options,
        hashes=_hashes(options.hashes),
        missing=variables.missing(written),
        variables=variables,
        ignored=tuple(ignored),
    )


def _parse_options(text: str) -> tuple[Values, list[str]]:
    from pip_requirements_parser import OptionParsingError

    # lists of its own: the parser's would gather the options of all lines
    own = {k: [*v] if isinstance(v, list) else v for k, v in _option_defaults().items()}
    options, ignored = Values(own), list[str]()
    try:
        if text:
            options, ignored = _option_parser().parse_args(shlex.split(text), options)
    except OptionParsingError as error:
        raise BadLineError(shown(error.msg.partition("error: ")[2].strip())) from None
    except ValueError:
        raise BadLineError("a quotation mark is not closed") from None
    if any("=" not in setting for setting in options.config_settings):
        raise BadLineError("--config-settings takes KEY=VALUE")
    return options, ignored


@functools.cache
def _option_defaults() -> dict[str, Any]:
    return vars(_option_parser().get_default_values())


@functools.cache
def _option_parser() -> OptionParser:
    """Return the library's parser with the options of pip 26."""
    from pip_requirements_parser import build_parser

    parser: OptionParser = build_parser()
    for name in _GONE:
        parser.remove_option(name)
    parser.add_option("-r", "--requirement", dest="requirements", action="append", default=[])
    parser.add_option("-C", "--config-settings", action="append", default=[])
    parser.add_option("--no-require-hashes", action="store_true", default=False)
    parser.add_option("--all-releases", action="append", default=[])
    parser.add_option("--only-final", action="append", default=[])
    return parser


def _hashes(texts: list[str]) -> tuple[str, ...]:
    for text in texts:
        algorithm, colon, _ = text.partition(":")
        if not colon or algorithm not in _HASH_ALGORITHMS:
            raise BadLineError(f"--hash takes {', '.join(sorted(_HASH_ALGORITHMS))}:HEX")
    return tuple(dict.fromkeys(texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a line asks for; of ``url`` and ``path`` at most one is given."""

    name: str = ""  # canonical
    extras: tuple[str, ...] = ()
    specifier: str = ""
    marker: str = ""
    url: str | None = None
    path: str | None = None

    def pep508(self, rest: str) -> str:
        """Return the line of PEP 508 with ``rest`` between extras and marker."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}{rest}" + (f" ; {self.marker}" if self.marker else "")


@dataclass(frozen=True, slots=True)
class Places:
    """The folders that relative paths of a file may start from; nothing outside ``top`` counts."""

    folders: tuple[Path, ...]
    top: Path  # a real path
    # thousands of lines may name the same few files
    _real: dict[tuple[Path, str], Path | None] = field(default_factory=dict, compare=False)

    def real_paths(self, name: str) -> Iterator[Path]:
        """Yield the real path of what has that name, folder by folder."""
        for folder in self.folders:
            key = (folder, name)
            if key not in self._real:
                self._real[key] = reading.destination(folder / name, self.top)
            if (place := self._real[key]) is not None:
                yield place

    def leaves(self, name: str) -> bool:
        """Return whether a path leads outside of ``top`` from each of the folders."""
        return all(reading.leaves(folder / name, self.top) for folder in self.folders)

    def refuse_strays(self, place: Path, *, deep: int) -> None:
        """Make sure that no link in a folder of packages leads out; uv follows them.

        :raises OutsideError: a link does.
        """
        link = reading.stray(place, self.top, deep=deep)
        if link is not None:
            raise OutsideError(f"{shown(link)} in its folder is a link that leads outside")

    def beside(self, folder: Path) -> Places:
        """Return the same with another folder before those there are."""
        return Places((folder, *self.folders), self.top)


def take_apart(line: Line, places: Places) -> Parts:
    """Return what ``line`` asks for; relative paths are looked for below ``places``, in turn.

    :raises BadLineError: pip refuses it.
    """
    return _editable(line.wanted, places) if line.editable else _plain(line.wanted, places)


def _plain(wanted: str, places: Places) -> Parts:
    # pip cuts at the first semicolon, and in a bare URL at the first that a blank follows
    wanted, _, condition = wanted.partition("; " if _is_url(wanted) else ";")
    wanted, marker = wanted.strip(), _marker(condition.strip())
    if _is_url(wanted):
        return Parts(name=_egg(wanted), url=wanted, marker=marker)
    path, extras = _split_extras(wanted)
    if _is_path(wanted, path, places):
        return Parts(path=path, extras=extras, marker=marker)
    return _parsed(wanted, marker)


def _parsed(wanted: str, marker: str) -> Parts:
    try:
        parsed = reading.requirement(wanted)
    except InvalidRequirement as error:
        raise BadLineError(_why(wanted, error)) from None
    if parsed.url:
        _egg(parsed.url)
    return Parts(
        name=canonicalize_name(parsed.name),
        extras=_canonical(parsed.extras),
        specifier=str(parsed.specifier),
        marker=marker or _marker(str(parsed.marker or "")),
        url=parsed.url,
    )


def _editable(wanted: str, places: Places) -> Parts:
    """Take apart what follows ``-e``: ``name @ URL``, a folder, or a version control URL."""
    parts = _editable_reference(wanted)
    if parts is None:
        path, extras = _split_extras(wanted)
        if _is_folder(path, places) or _PATH.fullmatch(path) or WINDOWS_PATH.match(path):
            return Parts(path=path, extras=extras)
        url = path if scheme_of(path) == "file" else wanted
        vcs = url.partition(":")[0].lower()
        url = f"{vcs}+{url}" if vcs in VCS else url
        parts = Parts(name=_egg(url), url=url, extras=extras if url == path else ())
    if scheme_of(parts.url or "") not in VCS_SCHEMES | {"file"}:
        raise BadLineError("-e takes a local folder or a URL such as git+https://…#egg=name")
    if not parts.name and scheme_of(parts.url or "") != "file":
        raise BadLineError("its name is missing; write name @ URL")
    return parts


def _editable_reference(wanted: str) -> Parts | None:
    try:
        return _parsed(wanted, "") if reading.requirement(wanted).url else None
    except InvalidRequirement:
        return None


def _marker(text: str) -> str:
    if not text.replace("\t", " ").isprintable():
        raise BadLineError("its marker contains control characters")
    try:
        return str(reading.marker(text)) if text else ""
    except InvalidMarker as error:
        raise BadLineError(f"its marker is wrong: {shown(_first_line(error))}") from None


def _egg(url: str) -> str:
    """Return the canonical name in ``#egg=``, or ""."""
    match = _EGG.search(url)
    if match is None:
        return ""
    if not _NAME.fullmatch(match[1]):
        raise BadLineError(f"#egg={shown(match[1], 40)} is not a name; write name[extra] @ URL")
    return canonicalize_name(match[1])


def _split_extras(text: str) -> tuple[str, tuple[str, ...]]:
    start = text.rfind("[", 0, -2) if text.endswith("]") else -1
    if start < 1 or "]" in text[start:-1]:
        return text, ()
    try:
        return text[:start].rstrip(), _canonical(reading.requirement(f"x{text[start:]}").extras)
    except InvalidRequirement as error:
        raise BadLineError(_why(text, error)) from None


def _canonical(extras: set[str]) -> tuple[str, ...]:
    return tuple(sorted(canonicalize_name(extra) for extra in extras))


def _why(wanted: str, error: Exception) -> str:
    if re.match(r"<{7}|={7}|>{7}", wanted):
        return "a merge conflict was left in the file"
    if "=" in wanted and not re.search(r"[=<>!~]=|[<>]", wanted):
        return "= is not an operator; write =="
    for version in _VERSION.findall(wanted):
        if not _is_version(version.removesuffix(".*")):
            return f"{shown(version, 40)} is not a valid version"
    return shown(_first_line(error))


def _is_version(text: str) -> bool:
    try:
        reading.version(text)
    except InvalidVersion:
        return False
    return True


def guessed_name(text: str) -> str:
    """Return a name for something that does not say its own, such as the end of its URL."""
    text = without_secrets(text)
    return canonicalize_name(text) if _NAME.fullmatch(text) else shown(text, 60) or "unnamed"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def scheme_of(url: str) -> str:
    """Return the scheme of a URL, lower case; "" if it has none."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        raise BadLineError("it contains a malformed URL") from None


def _is_url(text: str) -> bool:
    return scheme_of(text) in _SCHEMES


def _looks_like_path(text: str) -> bool:
    return "/" in text or text.startswith(".")


def _is_path(wanted: str, path: str, places: Places) -> bool:
    """Tell a local path by pip's rules; one that is not there must look like nothing else."""
    if WINDOWS_PATH.match(path) or _PATH.fullmatch(path):
        return True
    if _looks_like_path(wanted) and _is_folder(path, places):
        return True
    if not path.lower().endswith(_ARCHIVES):
        return False
    before, at, _ = wanted.partition("@")
    return not at or _looks_like_path(before) or place_of(path, places) is not None


def place_of(path: str, places: Places) -> Path | None:
    """Return the file, or the folder with a project in it, that ``path`` names."""
    for place in places.real_paths(path):
        describing = (place / name for name in ("pyproject.toml", "setup.py"))
        if place.is_file() or any(reading.destination(file, places.top) for file in describing):
            return place
    return None


def _is_folder(path: str, places: Places) -> bool:
    return any(place.is_dir() for place in places.real_paths(path))

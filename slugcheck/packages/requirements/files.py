"""Requirements files with everything they include, read as pip reads them.

Options follow pip: ``--index-url`` replaces all index URLs before it, including the extra ones;
``--no-index`` drops them and ignores later ones; only the first ``--find-links`` of a line counts;
``--no-binary`` and ``--only-binary`` take names from each other. After a requirement, only these
two have an effect.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from optparse import Values
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import (
    InvalidName,
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
)

from slugcheck import reading
from slugcheck.errors import RequirementsError
from slugcheck.model import IndexOptions, Origin, Requirement, RequirementSet, Unsized
from slugcheck.model.options import Variables
from slugcheck.packages.requirements import pyproject
from slugcheck.packages.requirements.grammar import (
    MOST_LINES,
    VCS,
    VCS_SCHEMES,
    WINDOWS_PATH,
    BadFileError,
    BadLineError,
    BeyondBoundsError,
    Line,
    OutsideError,
    Parts,
    Places,
    decode,
    fills_in,
    guessed_name,
    logical_lines,
    parse,
    place_of,
    printable,
    scheme_of,
    shown,
    take_apart,
)
from slugcheck.packages.requirements.pyproject import Selection
from slugcheck.text import lines_of

_OUTSIDE_HINT = "remove the line, and name the place on the command line: -i or --find-links"
_OTHER_MACHINE = (
    "a path on the machine where the file was written; pip fails on the platform: "
    "write name==version instead"
)
_HOST = re.compile(r"(?!-)[\w.:\[\]*-]+")
# dest in the parsed options -> as it is written; pip takes and forgets these in the wrong place
_WITHOUT_EFFECT = {
    "index_url": "--index-url",
    "extra_index_urls": "--extra-index-url",
    "no_index": "--no-index",
    "find_links": "--find-links",
    "pre": "--pre",
    "all_releases": "--all-releases",
    "only_final": "--only-final",
    "prefer_binary": "--prefer-binary",
    "require_hashes": "--require-hashes",
    "no_require_hashes": "--no-require-hashes",
    "trusted_hosts": "--trusted-host",
}
# Far beyond any real one: large projects have some dozen files, included four deep.
_MOST_DEEP = 50
_MOST_FILES = 1_000
_MOST_BYTES = 4 * reading.REQUIREMENTS  # of all together
_MAX_SHOWN_MISTAKES = 5
_REFUSED_HINT = "include only requirements files of the same checkout"
_VARIABLE_HINT = (
    "the file decides where the value is sent, so allow only what anyone who can change it may know"
)
_LONGEST_NAME = 4096  # PATH_MAX of Linux


def read(
    path: Path,
    *,
    text: str | None = None,
    within: Path | None = None,
    cwd_name: str | None = None,
    empty: bool = False,
    variables: Variables | None = None,
    selection: Selection | None = None,
) -> RequirementSet:
    """Read a requirements file and all that it includes. Nothing is fetched and nothing is run.

    No file outside of ``within`` is read or looked for, by default the file's checkout.

    ``text`` is what the file holds where it is not read from disk. ``cwd_name`` is the name that
    messages give the file, as seen from the current directory; by default ``path`` as it is given.
    Includes are named after it. ``empty`` allows a file without any requirement. ``variables`` are
    those that may be filled in; none by default.
    A ``pyproject.toml`` is read for its dependencies, with the extras and groups of ``selection``.

    :raises Refused: the file is a link out of ``within``, not a regular file, or too large.
    :raises RequirementsError: a file cannot be read, none holds a requirement, or pip refuses a
        line; up to five of the mistakes are named, with file and line.
    """
    top = _File(path=path, name=printable(cwd_name or str(path)))
    reader = _Reader(top, within or reading.top_of(path), variables or Variables())
    reader.selection = selection or Selection()
    reader.text = text
    reader.read(empty=empty)
    return reader.result()


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file being read: where it is, its name in messages, and the files that led to it."""

    path: Path
    name: str
    constraint: bool = False
    above: tuple[Path, ...] = ()  # real paths

    def included(self, name: str, above: Path, *, constraint: bool) -> _File:
        """Return the file that a line of this one, whose real path is ``above``, includes."""
        path = unquote(urlsplit(name).path) if name.lower().startswith("file:") else name
        return _File(
            path=self.path.parent.absolute() / path,  # so that "-" is a file, not standard input
            name=shown(os.path.normpath(Path(self.name).parent / path), _LONGEST_NAME),
            constraint=constraint,
            above=(*self.above, above),
        )


class _Reader:
    """One reading: a top file with its includes, and what has been found so far."""

    def __init__(self, top: _File, within: Path, variables: Variables) -> None:
        self._top = top
        self._within = within
        self._variables = variables
        folder = top.path.absolute().parent
        # pip takes relative paths from the working directory, which on a platform is the app's
        # folder: that of the top file or, for requirements/prod.txt, the current one.
        folders = dict.fromkeys((reading.destination(folder, within) or folder, Path.cwd()))
        self._places = Places(tuple(folders), within)
        self._options = OptionCollector(self._places)
        self._digest = hashlib.sha256()
        self._done: set[tuple[Path, bool]] = set()
        self._reals: dict[Path, Path] = {}  # thousands of lines may include the same few files
        self._bytes = 0
        self._requirements: list[Requirement] = []
        self._constraints: list[Requirement] = []
        self._set_aside: list[Unsized] = []
        self._notes: list[str] = []
        self._mistakes: list[tuple[str, str]] = []  # sentence, hint
        self._any_hashes = False
        self._lines = 0
        self.selection = Selection()  # of a pyproject.toml
        self.text: str | None = None  # of the top file; None: it is read

    def read(self, *, empty: bool) -> None:
        """Read everything.

        :raises RequirementsError: see ``read`` above.
        """
        text = self._text(self._top)
        if self._top.path.name == pyproject.NAME:
            declared = pyproject.Dependencies(text, self._top.name, self.selection)
            self._notes += declared.notes
            self._digest.update(repr(self.selection).encode())
            self._read_lines(self._top, declared.lines())
        else:
            self._read_lines(self._top, logical_lines(text))
        if self._mistakes:
            sentences = [sentence for sentence, _ in self._mistakes]
            message = lines_of(sentences, _MAX_SHOWN_MISTAKES)
            raise RequirementsError(message, hint=self._mistakes[0][1])
        if not empty and not self._requirements and not self._set_aside:
            message = f"{self._top.name} contains no requirements"
            hint = "write one package per line, such as flask==3.1.2"
            raise RequirementsError(message, hint=hint)

    def result(self) -> RequirementSet:
        """Return what was read."""
        options = self._options.result(any_hashes=self._any_hashes)
        return RequirementSet(
            path=self._top.name,
            sha256=self._digest.hexdigest(),
            requirements=tuple(self._requirements),
            constraints=tuple(self._constraints),
            options=options,
            set_aside=tuple(self._set_aside),
            notes=tuple(self._notes),
        )

    def _read_lines(self, file: _File, lines: Iterable[tuple[int, str]]) -> None:
        self._done.add((self._real(file), file.constraint))
        try:
            for number, written in lines:
                self._lines += 1
                if self._lines > MOST_LINES:
                    raise BeyondBoundsError(number, f"more than {MOST_LINES:,} lines with includes")
                self._read_line(written, file, Origin(file=file.name, line=number))
        except BeyondBoundsError as error:
            message = f"{Origin(file=file.name, line=error.line)}: {error}"
            raise RequirementsError(message, hint="name a requirements file") from None

    def _read_line(self, written: str, file: _File, origin: Origin) -> None:
        try:
            self._take(parse(written, self._variables), written, file, origin)
        except BadLineError as error:
            if len(self._mistakes) < _MAX_SHOWN_MISTAKES:
                self._mistakes.append(_mistake(origin, written, error, self._variables))
            else:
                self._mistakes.append(("", ""))

    def _real(self, file: _File) -> Path:
        if file.path not in self._reals:
            self._reals[file.path] = reading.destination(file.path, self._within) or file.path
        return self._reals[file.path]

    def _take(self, line: Line, written: str, file: _File, origin: Origin) -> None:
        self._note_ignored(line, origin)
        self._options.take_formats(line.options, lambda text: self._note(origin, text))
        if line.wanted:
            self._any_hashes |= bool(line.hashes) and not line.editable
            self._take_entry(understand(line, origin, self._places), line, file, origin)
        elif line.missing:
            self._mistakes.append(_without_value(origin, written, self._variables))
        elif line.options.requirements or line.options.constraints:
            self._include(line, file, origin)
        else:
            self._options.take(
                line.options, file.path.parent, lambda text: self._note(origin, text)
            )

    def _note(self, origin: Origin, text: str) -> None:
        self._notes.append(f"{origin}: {text}")

    def _note_ignored(self, line: Line, origin: Origin) -> None:
        if line.ignored:
            # a word by itself may be half of a password that holds a blank, or a variable's value
            secret = re.search(r":/|\$", line.written)
            words = "the last words" if secret else f"'{' '.join(line.ignored)}'"
            self._note(origin, f"pip ignores {shown(words)} in {shown(line.written)}")
        included = [*line.options.requirements, *line.options.constraints]
        if line.wanted or included:
            before = shown(line.written if line.wanted else included.pop(0), 60)
            ignored = [
                *without_effect(line.options),
                *(f"the include of {name}" for name in included),
            ]
            for name in ignored:
                self._note(
                    origin,
                    f"pip ignores {shown(name, 60)} after {before}; it works only on its own line",
                )
        if line.options.editables[1:]:
            self._note(origin, "pip uses only the first -e on a line")
        if line.hashes and not line.wanted:
            self._note(origin, "pip ignores --hash on a line without a requirement")

    def _take_entry(
        self, entry: Requirement | Unsized, line: Line, file: _File, origin: Origin
    ) -> None:
        if file.constraint:
            self._constrain(entry, line, origin)
        elif isinstance(entry, Unsized):
            self._set_aside.append(entry)
        else:
            self._requirements.append(entry)
            self._note_outside(entry)

    def _constrain(self, entry: Requirement | Unsized, line: Line, origin: Origin) -> None:
        """Take a constraint by pip's rules: a name with versions, no extras, not editable."""
        if line.editable:
            raise BadLineError("editable requirements are not allowed as constraints")
        if isinstance(entry, Unsized):
            self._note(origin, f"the constraint on {entry.name} has no effect here: {entry.reason}")
            return
        if not entry.name:
            raise BadLineError("a constraint needs a name")
        if entry.extras:
            raise BadLineError("constraints cannot have extras")
        if entry.url is not None:
            used = "only its version is used" if entry.specifier else "it has no effect here"
            self._note(origin, f"the constraint on {entry.name} is a URL; {used}")
        self._constraints.append(entry)

    def _note_outside(self, entry: Requirement) -> None:
        if entry.url is None or not entry.url.startswith("file:"):
            return
        path = Path(unquote(urlsplit(entry.url).path))
        if not any(path.is_relative_to(place) for place in self._places.folders):
            name = entry.name or path.name
            self._note(
                entry.origin, f"{name} is outside the app's folder; the platform does not have it"
            )

    def _include(self, line: Line, file: _File, origin: Origin) -> None:
        """Read the file that a line includes; of several on one line pip takes the first -r."""
        name = (*line.options.requirements, *line.options.constraints)[0]
        if scheme_of(name) in ("http", "https"):
            sentence = f"{origin}: it includes a file from the network: {shown(name)}"
            self._mistakes.append((sentence, "download the file and include the copy"))
            return
        if "\0" in name:
            raise BadLineError("its path contains a NUL character")
        above = self._real(file)
        included = file.included(name, above, constraint=not line.options.requirements)
        real = self._real(included)
        if real in included.above:
            sentence = f"{origin}: the includes form a loop at {shown(name)}"
            self._mistakes.append((sentence, "remove one of the includes; pip refuses loops"))
        elif len(included.above) > _MOST_DEEP:
            sentence = f"{origin}: the includes are nested more than {_MOST_DEEP} deep"
            self._mistakes.append((sentence, "include the files from one file"))
        elif (real, included.constraint) not in self._done:
            self._read_included(included, shown(name), origin)

    def _read_included(self, included: _File, name: str, origin: Origin) -> None:
        if len(self._done) >= _MOST_FILES:
            message = f"{origin}: more than {_MOST_FILES:,} files are included"
            raise RequirementsError(message, hint="put their lines into fewer files")
        try:
            text = self._text(included)
        except reading.Refused as error:
            self._mistakes.append((f"{origin} includes {name}, which {error.why}", _REFUSED_HINT))
        except RequirementsError as error:
            self._mistakes.append((f"{origin}: the included {error}", error.hint or ""))
        else:
            self._read_lines(included, logical_lines(text))

    def _text(self, file: _File) -> str:
        """Return a file's text; its bytes go into the digest.

        :raises Refused: it is outside the checkout, not a regular file, or too large.
        :raises RequirementsError: it cannot be read, or is not text.
        """
        try:
            if file is self._top and self.text is not None:
                data = self.text.encode("utf-8", "surrogatepass")
            else:
                data = reading.read(file.path, within=self._within, limit=reading.REQUIREMENTS)
        except FileNotFoundError:
            hint = "check the name"
            if file is not self._top:
                hint += "; an include is relative to the file that includes it"
            raise RequirementsError(f"{file.name} does not exist", hint=hint) from None
        except IsADirectoryError:
            message = f"{file.name} is a folder"
            raise RequirementsError(message, hint=_folder_hint(file)) from None
        except OSError as error:
            message = f"{file.name} cannot be read: {error.strerror or type(error).__name__}"
            raise RequirementsError(message, hint="check the file and its permissions") from None
        self._bytes += len(data)
        if self._bytes > _MOST_BYTES:
            message = f"{self._top.name} has more than {_MOST_BYTES // 10**6} MB with its includes"
            raise RequirementsError(message, hint="name a requirements file")
        self._digest.update(data)
        try:
            return decode(data)
        except BadFileError as error:
            raise RequirementsError(f"{file.name} {error}", hint=error.hint) from None


def _folder_hint(file: _File) -> str:
    names = sorted(path.name for path in file.path.glob("*requirements*.txt"))
    if names:
        return f"name the file in it: {Path(file.name) / printable(names[0])}"
    return "name a requirements file"


def _mistake(
    origin: Origin, written: str, error: BadLineError, variables: Variables
) -> tuple[str, str]:
    """Return sentence and hint for a line that is refused; values of variables stay hidden."""
    line = shown(written)
    if variables.missing(written):
        return _without_value(origin, written, variables)
    filled = fills_in(written, variables)
    reason = "with its environment variables filled in" if filled else str(error)
    if isinstance(error, OutsideError):
        return f"{origin}: slugcheck does not follow '{line}': {reason}", _OUTSIDE_HINT
    return f"{origin}: pip refuses '{line}': {reason}", "correct the line, or remove it"


def _without_value(origin: Origin, written: str, variables: Variables) -> tuple[str, str]:
    missing = variables.missing(written)
    refused = not variables.names.issuperset(missing)
    hint = _VARIABLE_HINT if refused else "set it to the value it has on the platform"
    return f"{origin}: {shown(written)} {variables.why(missing)}", hint


def understand(line: Line, origin: Origin, places: Places) -> Requirement | Unsized:
    """Return what ``line`` asks for. Relative paths are looked for below ``places``, in turn.

    :raises BadLineError: pip refuses it.
    """
    parts = take_apart(line, places)
    url = parts.url or ""
    if line.missing and scheme_of(url) not in {"http", "https", *VCS_SCHEMES}:
        raise BadLineError(line.variables.why(line.missing))
    if parts.path is not None or scheme_of(url) == "file" or WINDOWS_PATH.match(url):
        return _local(parts, line, origin, places)
    if parts.url is not None:
        return _remote(parts, line, origin)
    return Requirement(
        name=parts.name,
        text=parts.pep508(parts.specifier),
        origin=origin,
        extras=parts.extras,
        specifier=parts.specifier,
        marker=parts.marker,
        hashes=line.hashes,
    )


def _remote(parts: Parts, line: Line, origin: Origin) -> Requirement | Unsized:
    url = parts.url or ""
    scheme = scheme_of(url)
    if scheme in VCS_SCHEMES:
        kind = VCS[scheme.partition("+")[0]]
        reason = f"from a {kind} repository; its size is known only after a build"
        return _aside(parts, parts.name or guessed_name(_repository(url)), None, reason, origin)
    check_url(url)
    if line.missing:
        reason = f"its line {line.variables.why(line.missing)}"
        return _aside(parts, parts.name or guessed_name(_repository(url)), None, reason, origin)
    name, version = _wheel(reading.last_part(url), parts.name)
    exact = Parts(name=name, extras=parts.extras, marker=parts.marker)
    safe = shown(line.written, len(line.written))
    return Requirement(
        name=name,
        # what can be shown must hold no secret; a variable may well be one
        text=exact.pep508(f" @ {url}") if name and safe == line.wanted else safe,
        origin=origin,
        extras=parts.extras,
        specifier=f"=={version}" if version else "",
        marker=parts.marker,
        url=url,
        hashes=tuple(dict.fromkeys((*line.hashes, *_fragment_hashes(url)))),
    )


def check_url(url: str) -> None:
    """Make sure that a server can be asked for ``url``.

    :raises BadLineError: it is not an http(s) URL, or contains invalid characters.
    """
    if scheme_of(url) not in ("http", "https"):
        raise BadLineError("its URL does not begin with https://, http://, file: or git+https://")
    if not url.isprintable() or " " in url:
        raise BadLineError("its URL contains characters that no URL can have")
    if not urlsplit(url).hostname:
        raise BadLineError("its URL has no host name")


def _repository(url: str) -> str:
    """Return the name of the repository at the end of a URL, without ``.git`` and revision."""
    return re.sub(r"(?:\.git)?(?:@.*)?$", "", reading.last_part(url))


def _fragment_hashes(url: str) -> list[str]:
    hashes = re.findall(r"[#&](sha256|sha384|sha512)=([0-9a-f]+)", url)
    return [f"{algorithm}:{digest}" for algorithm, digest in hashes]


def _wheel(filename: str, name: str) -> tuple[str, str | None]:
    """Return name and version of a wheel by its filename; of anything else ``name`` and None."""
    if not filename.lower().endswith(".whl"):
        return name, None
    try:
        inside, version, _, _ = reading.wheel_filename(filename)
    except InvalidWheelFilename:
        raise BadLineError(f"{shown(filename, 60)} is not a valid wheel filename") from None
    if name and name != inside:
        raise BadLineError(f"it asks for {name}, but the wheel is {inside}")
    return inside, str(version)


def _local(parts: Parts, line: Line, origin: Origin, places: Places) -> Requirement | Unsized:
    path = parts.path if parts.path is not None else _path_of(parts.url or "")
    place = None if path is None else place_of(path, places)
    if place is None or (line.editable and place.is_file()):
        return _missing(parts, path, line, origin, places)
    name, version = _wheel(place.name if place.is_file() else "", parts.name)
    fragment = re.search(r"[#&](subdirectory=[^&]+)", parts.url or "")
    url = place.as_uri() + (f"#{fragment[1]}" if fragment else "")
    exact = Parts(name=name, extras=parts.extras, marker=parts.marker)
    return Requirement(
        name=name,
        text=exact.pep508(f" @ {url}") if name else shown(line.written, len(line.written)),
        origin=origin,
        extras=parts.extras,
        specifier=f"=={version}" if version else "",
        marker=parts.marker,
        url=url,
        hashes=() if line.editable else line.hashes,
        editable=line.editable,
    )


def _path_of(url: str) -> str | None:
    """Return the path of a ``file:`` URL; None when it is one of another machine."""
    parts = urlsplit(url)
    if WINDOWS_PATH.match(url) or parts.netloc not in ("", "localhost"):
        return None
    return unquote(parts.path)


def _missing(parts: Parts, path: str | None, line: Line, origin: Origin, places: Places) -> Unsized:
    there = next(places.real_paths(path), None) if path else None
    text = path or parts.url or ""
    last = there.name if there else re.split(r"[\\/]", text.rstrip("\\/"))[-1]
    name, version = _named(last)
    written = shown(line.written)
    if there is not None:
        reason = f"{written} is not a folder with a pyproject.toml or setup.py; pip refuses it"
    elif WINDOWS_PATH.match(text) or text.startswith("/"):
        reason = _OTHER_MACHINE
    elif path is not None and places.leaves(path):
        reason = f"{written} is outside the checkout, so it is not read"
    elif path is None:
        reason = f"{written} is on another host, which pip does not read"
    else:
        reason = f"{written} does not exist here; pip fails without it"
    return _aside(parts, parts.name or name or guessed_name(last), version, reason, origin)


def _named(filename: str) -> tuple[str, str | None]:
    """Return name and version as far as a filename tells them."""
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = reading.wheel_filename(filename)
        else:
            name, version = reading.sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return "", None
    return name, str(version)


def _aside(parts: Parts, name: str, version: str | None, reason: str, origin: Origin) -> Unsized:
    only = f" (required only if {shown(parts.marker)})" if parts.marker else ""
    return Unsized(
        name=name, version=version, reason=f"{reason}{only}", origin=origin, marker=parts.marker
    )


class OptionCollector:
    """What the option lines read so far add up to. ``notes`` are sentences without a place."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._index_url: str | None = None
        self._extra_index_urls: list[str] = []
        self._find_links: list[str] = []
        self._trusted_hosts: list[str] = []
        self._no_binary: set[str] = set()
        self._only_binary: set[str] = set()
        self._flags: set[str] = set()

    def take_formats(self, options: Values, note: Callable[[str], None]) -> None:
        """Take --no-binary and --only-binary, which count wherever they stand.

        :raises BadLineError: the names are missing.
        """
        for text in options.no_binary:
            _move_names(text, self._no_binary, self._only_binary, note)
        for text in options.only_binary:
            _move_names(text, self._only_binary, self._no_binary, note)

    def take(self, options: Values, folder: Path, note: Callable[[str], None]) -> None:
        """Take a line of options alone; ``folder`` is that of its file.

        :raises BadLineError: an index URL or a host name is invalid.
        """
        self._take_indexes(options, note)
        self._take_find_links(options.find_links, folder, note)
        self._trusted_hosts += map(_checked_host, options.trusted_hosts)
        self._take_releases(options, note)
        for flag in ("pre", "prefer_binary", "require_hashes", "no_require_hashes"):
            if getattr(options, flag):
                self._flags.add(flag)

    def result(self, *, any_hashes: bool) -> IndexOptions:
        """Return the sum; one hash in a file makes pip require them for all."""
        implied = any_hashes and "no_require_hashes" not in self._flags
        return IndexOptions(
            index_url=self._index_url,
            extra_index_urls=_unique(self._extra_index_urls),
            find_links=_unique(self._find_links),
            no_index="no_index" in self._flags,
            no_binary=tuple(sorted(self._no_binary)),
            only_binary=tuple(sorted(self._only_binary)),
            prerelease="pre" in self._flags,
            prefer_binary="prefer_binary" in self._flags,
            require_hashes=implied or "require_hashes" in self._flags,
            trusted_hosts=_unique(self._trusted_hosts),
        )

    def _take_indexes(self, options: Values, note: Callable[[str], None]) -> None:
        if options.no_index:
            self._flags.add("no_index")
            self._index_url = None
            self._extra_index_urls.clear()
        if "no_index" in self._flags:
            if options.index_url or options.extra_index_urls:
                note("pip ignores this index, because of --no-index")
            return
        if options.index_url:
            if self._extra_index_urls:
                note("this --index-url makes pip drop every --extra-index-url above it")
            self._extra_index_urls.clear()
            self._index_url = self._index(options.index_url, note)
        for url in options.extra_index_urls:
            self._extra_index_urls.append(self._index(url, note))

    def _index(self, url: str, note: Callable[[str], None]) -> str:
        """Return the URL of an index.

        :raises BadLineError: it is on this disk, where its pages could link any file.
        """
        if "$" in url:
            note("pip expands only ${NAME}; any other $ stays as it is")
        path = _path_in(url)
        if path is not None and self._places.leaves(path):
            raise OutsideError("its folder is outside the checkout")
        if scheme_of(url) == "file" or (
            path is not None and next(self._places.real_paths(path), None) is not None
        ):
            raise OutsideError("an index on this disk can be named only on the command line")
        check_url(url)
        return url

    def _take_find_links(
        self, texts: Sequence[str], folder: Path, note: Callable[[str], None]
    ) -> None:
        for text in texts[:1]:
            path = _path_in(text)
            if path is None:
                check_url(text)
                self._find_links.append(text)
            elif self._places.beside(folder).leaves(path):
                raise OutsideError("its folder is outside the checkout")
            else:
                self._take_folder(path, folder, note)
        for text in texts[1:]:
            note(f"pip uses only the first --find-links on a line, not {shown(text, 60)}")

    def _take_folder(self, path: str, folder: Path, note: Callable[[str], None]) -> None:
        real = next(self._places.beside(folder).real_paths(path), None)
        if real is None:
            note("pip ignores this --find-links: no such folder here")
            return
        if not real.is_dir():
            # it could link any file of this disk, which the resolver would read
            raise OutsideError("a page on this disk can be named only on the command line")
        self._places.refuse_strays(real, deep=0)
        # the real path: as written, the resolver could understand it otherwise than it was checked
        self._find_links.append(str(real))

    def _take_releases(self, options: Values, note: Callable[[str], None]) -> None:
        if ":all:" in options.all_releases:
            self._flags.add("pre")
        if set(options.all_releases) - {":all:"} or options.only_final:
            note("slugcheck ignores --all-releases and --only-final for single packages")


def without_effect(options: Values) -> tuple[str, ...]:
    """Return the options that do nothing behind a requirement or beside an include."""
    return tuple(name for dest, name in _WITHOUT_EFFECT.items() if getattr(options, dest))


def _move_names(text: str, target: set[str], other: set[str], note: Callable[[str], None]) -> None:
    """Put a comma list of names into ``target``, taking them from ``other``, as pip does.

    ``:all:`` stands for every name and replaces what came before; ``:none:`` empties ``target``.
    """
    if text.startswith("-"):
        raise BadLineError("--no-binary and --only-binary need names")
    names = [name for name in text.split(",") if name]
    while ":all:" in names:
        other.clear()
        target.clear()
        target.add(":all:")
        del names[: names.index(":all:") + 1]
        if ":none:" not in names:
            return
    for name in names:
        if name == ":none:":
            target.clear()
            continue
        try:
            canonical = canonicalize_name(name, validate=True)
        except InvalidName:
            note(f"pip takes '{shown(name, 40)}' as a name, but no package can have it")
            continue
        other.discard(canonical)
        target.add(canonical)


def _path_in(text: str) -> str | None:
    """Return the path that an option names as such or as a ``file:`` URL; None for other URLs."""
    if scheme_of(text) == "file":
        return unquote(urlsplit(text).path)
    return None if "://" in text else text


def _checked_host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise BadLineError("--trusted-host needs a host name")
    return text


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))

"""Requirements files with all that they include, read as pip reads them; no line is lost.

Every line ends as a requirement, a constraint, an option, something set aside with its reason, or
an error that names file and line. The grammar is in reqlines.py, what a line asks for in
reqentry.py, the options in reqoptions.py; here are the files, the includes and the errors.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from slugcheck.errors import RequirementsError
from slugcheck.index.reqentry import understand, variables
from slugcheck.index.reqlines import (
    MOST_LINES,
    BadFileError,
    BadLineError,
    BeyondBoundsError,
    Line,
    decode,
    fills_in,
    logical_lines,
    parse,
    printable,
    shown,
    unset_variables,
)
from slugcheck.index.reqoptions import OptionCollector, without_effect
from slugcheck.index.reqparts import located, scheme_of
from slugcheck.model import Origin, Requirement, RequirementSet, Unsized

_MAX_FILE_BYTES = 10 * 10**6  # far beyond any real one: somebody named a model or an archive
_MAX_SHOWN_MISTAKES = 5
_LONGEST_NAME = 4096  # PATH_MAX of Linux
# Of the files measured, five is the most that one includes, and two the deepest.
_MOST_INCLUDES = 500
_DEEPEST = 50


def read(path: Path, *, cwd_name: str | None = None, empty: bool = False) -> RequirementSet:
    """Read a requirements file and all that it includes. Nothing is fetched and nothing is run.

    ``cwd_name`` is the name that messages give the file, as seen from the current directory; by
    default ``path`` as it is given. Includes are named after it. ``empty`` allows a file without
    any requirement.

    :raises RequirementsError: a file cannot be read, none holds a requirement, or pip refuses a
        line; up to five of the mistakes are named, with file and line.
    """
    top = _File(path=path, name=printable(cwd_name or str(path)))
    reader = _Reader(top)
    reader.read(empty=empty)
    return reader.result()


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file being read: where it is, its name in messages, and the files that led to it."""

    path: Path
    name: str
    constraint: bool = False
    above: tuple[Path, ...] = ()  # real paths

    @property
    def real(self) -> Path:
        return located(self.path) or self.path

    def included(self, name: str, *, constraint: bool) -> _File:
        """Return the file that a line of this one includes, relative to it."""
        path = unquote(urlsplit(name).path) if name.lower().startswith("file:") else name
        return _File(
            path=self.path.parent / path,
            name=shown(os.path.normpath(Path(self.name).parent / path), _LONGEST_NAME),
            constraint=constraint,
            above=(*self.above, self.real),
        )


class _Reader:
    """One reading: a top file with its includes, and what has been found so far."""

    def __init__(self, top: _File) -> None:
        self._top = top
        folder = top.path.absolute().parent
        # pip takes relative paths from the working directory, which on a platform is the app's
        # folder: that of the top file or, for requirements/prod.txt, the current one.
        self._places = tuple(dict.fromkeys((located(folder) or folder, Path.cwd())))
        self._options = OptionCollector(self._places)
        self._digest = hashlib.sha256()
        self._done: set[tuple[Path, bool]] = set()
        self._requirements: list[Requirement] = []
        self._constraints: list[Requirement] = []
        self._set_aside: list[Unsized] = []
        self._notes: list[str] = []
        self._mistakes: list[tuple[str, str]] = []  # sentence, hint
        self._any_hashes = False
        self._lines = self._includes = 0

    def read(self, *, empty: bool) -> None:
        """Read everything.

        :raises RequirementsError: see ``read`` above.
        """
        self._read_lines(self._top, _text(self._top, self._digest))
        if self._mistakes:
            raise RequirementsError(_listed(self._mistakes), hint=self._mistakes[0][1])
        if not empty and not self._requirements and not self._set_aside:
            message = f"{self._top.name} holds no requirement"
            hint = "write one package per line, such as flask==3.1.2"
            raise RequirementsError(message, hint=hint)

    def result(self) -> RequirementSet:
        """Return what was read."""
        options = self._options.result(any_hashes=self._any_hashes)
        if options.require_hashes:
            self._notes += _hash_notes(self._requirements, self._set_aside)
        return RequirementSet(
            path=self._top.name,
            sha256=self._digest.hexdigest(),
            requirements=tuple(self._requirements),
            constraints=tuple(self._constraints),
            options=options,
            set_aside=tuple(self._set_aside),
            notes=tuple(self._notes),
        )

    # ----------------------------------------------------------------- lines

    def _read_lines(self, file: _File, text: str) -> None:
        self._done.add((file.real, file.constraint))
        try:
            for number, written in logical_lines(text):
                self._lines += 1
                if self._lines > MOST_LINES:
                    raise BeyondBoundsError(number, f"more than {MOST_LINES:,} lines with includes")
                self._read_line(written, file, Origin(file=file.name, line=number))
        except BeyondBoundsError as error:
            message = f"{Origin(file=file.name, line=error.line)}: {error}"
            raise RequirementsError(message, hint="name a requirements file") from None

    def _read_line(self, written: str, file: _File, origin: Origin) -> None:
        try:
            self._take(parse(written), written, file, origin)
        except BadLineError as error:
            if len(self._mistakes) < _MAX_SHOWN_MISTAKES:
                self._mistakes.append(_mistake(origin, written, error))
            else:
                self._mistakes.append(("", ""))

    def _take(self, line: Line, written: str, file: _File, origin: Origin) -> None:
        self._note_ignored(line, origin)
        self._options.take_formats(line.options, lambda text: self._note(origin, text))
        if line.wanted:
            self._any_hashes |= bool(line.hashes) and not line.editable
            self._take_entry(understand(line, origin, self._places), line, file, origin)
        elif line.unset:
            sentence = f"{origin}: {shown(written)} uses {variables(line.unset)}"
            self._mistakes.append((sentence, "set it to what the platform sets it to"))
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
            self._note(origin, f"pip ignores {shown(words)} of {shown(line.written)}")
        included = [*line.options.requirements, *line.options.constraints]
        if line.wanted or included:
            before = line.written if line.wanted else included.pop(0)
            ignored = [
                *without_effect(line.options),
                *(f"the include of {name}" for name in included),
            ]
            for name in ignored:
                self._note(
                    origin,
                    f"pip ignores {shown(name, 60)} behind {shown(before, 60)}; "
                    "it counts only on a line of its own",
                )
        if line.options.editables[1:]:
            self._note(origin, "pip takes only the first -e of a line")
        if line.hashes and not line.wanted:
            self._note(origin, "pip ignores --hash on a line without a requirement")

    # ----------------------------------------------------------------- requirements

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
        if not any(path.is_relative_to(place) for place in self._places):
            name = entry.name or path.name
            self._note(
                entry.origin, f"{name} is outside the app's folder; the platform does not have it"
            )

    # ----------------------------------------------------------------- includes

    def _include(self, line: Line, file: _File, origin: Origin) -> None:
        """Read the file that a line includes; of several on one line pip takes the first -r."""
        name = (*line.options.requirements, *line.options.constraints)[0]
        if scheme_of(name) in ("http", "https"):
            sentence = f"{origin}: it includes a file from the network: {shown(name)}"
            self._mistakes.append((sentence, "download the file and include the copy"))
            return
        self._includes += 1
        if self._includes > _MOST_INCLUDES:
            what = f"more than {_MOST_INCLUDES} includes"
            raise RequirementsError(f"{origin}: {what}", hint="join some of the files")
        included = file.included(name, constraint=not line.options.requirements)
        if "\0" in str(included.path):
            raise BadLineError("its path holds a NUL character")
        if included.real in included.above:
            sentence = f"{origin}: the includes run in a circle at {shown(name)}"
            self._mistakes.append((sentence, "remove one of the includes; pip refuses the circle"))
        elif (included.real, included.constraint) not in self._done:
            if len(included.above) > _DEEPEST:
                what = f"the includes are nested more than {_DEEPEST} deep"
                raise RequirementsError(f"{origin}: {what}", hint="join some of the files")
            self._read_included(included, origin)

    def _read_included(self, included: _File, origin: Origin) -> None:
        try:
            text = _text(included, self._digest)
        except RequirementsError as error:
            self._mistakes.append((f"{origin}: the included {error}", error.hint or ""))
        else:
            self._read_lines(included, text)


# --------------------------------------------------------------------------- files


def _text(file: _File, digest: hashlib._Hash) -> str:
    """Return a file's text; its bytes go into ``digest``.

    :raises RequirementsError: it cannot be read, or is no text.
    """
    try:
        with file.path.open("rb") as stream:
            data = stream.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        hint = "check the name; an include is relative to the file that includes it"
        raise RequirementsError(f"{file.name} does not exist", hint=hint) from None
    except IsADirectoryError:
        message = f"{file.name} is a folder"
        raise RequirementsError(message, hint=_folder_hint(file)) from None
    except OSError as error:
        message = f"{file.name} cannot be read: {error.strerror or type(error).__name__}"
        raise RequirementsError(message, hint="check the file and its permissions") from None
    if len(data) > _MAX_FILE_BYTES:
        message = f"{file.name} has more than {_MAX_FILE_BYTES // 10**6} MB"
        raise RequirementsError(message, hint="name a requirements file")
    digest.update(data)
    try:
        return decode(data)
    except BadFileError as error:
        raise RequirementsError(f"{file.name} {error}", hint=error.hint) from None


def _folder_hint(file: _File) -> str:
    names = sorted(path.name for path in file.path.glob("*requirements*.txt"))
    if names:
        return f"name the file in it: {Path(file.name) / printable(names[0])}"
    return "name a requirements file"


# --------------------------------------------------------------------------- sentences


def _mistake(origin: Origin, written: str, error: BadLineError) -> tuple[str, str]:
    """Return sentence and hint for a line that pip refuses; values of variables stay hidden."""
    line = shown(written)
    unset = unset_variables(written)
    if unset:
        return f"{origin}: {line} uses {variables(unset)}", "set it to what the platform sets it to"
    reason = "with its environment variables filled in" if fills_in(written) else str(error)
    return f"{origin}: pip refuses '{line}': {reason}", "correct the line, or remove it"


def _listed(mistakes: Sequence[tuple[str, str]]) -> str:
    sentences = [sentence for sentence, _ in mistakes[:_MAX_SHOWN_MISTAKES]]
    more = len(mistakes) - len(sentences)
    return "\n".join([*sentences, *([f"and {more} more"] if more else [])])


def _hash_notes(requirements: Sequence[Requirement], aside: Sequence[Unsized]) -> list[str]:
    """Return a note when pip would refuse to install, for want of hashes or exact versions."""
    unconditional = [r for r in requirements if not r.marker]
    bare = [r for r in unconditional if not r.hashes or not (r.url or _is_exact(r.specifier))]
    places = [*(r.origin for r in bare), *(u.origin for u in aside if u.origin)]
    if not places:
        return []
    more = f" and on {len(places) - 1} more" if len(places) > 1 else ""
    return [
        "hashes on some lines make pip require a hash and an exact version on every line; "
        f"they are missing at {places[0]}{more}"
    ]


def _is_exact(specifier: str) -> bool:
    return specifier.startswith("==") and "," not in specifier and "*" not in specifier

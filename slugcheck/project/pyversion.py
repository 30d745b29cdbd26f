"""The Python version that a project asks for, read as the buildpack reads it.

Source: heroku-buildpack-python v351 (2026-08-18), lib/python_version.sh. In its order: runtime.txt,
.python-version, with Pipenv the two fields of Pipfile.lock, else the default (a first build: what a
cache from an earlier build would hold is not known here).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import BuildError
from slugcheck.escape import printable
from slugcheck.model import Manager

# The buildpack's PYTHON_VERSION_REGEX: numbers without leading zeros, two or three of them.
_NUMBER = r"(?:0|[1-9][0-9]*)"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}(?:\.{_NUMBER})?", re.ASCII)
# What [[:space:]] is in C.UTF-8: all of Unicode's blanks but those that do not break.
_BLANK = "\t\n\v\f\r \u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000\x85"
_BLANKS = re.compile(f"^[{_BLANK}]+|[{_BLANK}]+$")
_QUOTED = 60
_LARGEST = 100_000  # bytes of a version file; a real one has ten
# The file names that the buildpack knows as misspellings.
_MISSPELT = (
    " .python-version", ". python-version", ".python_version.txt", ".python_version",
    ".python-version ", ",python-version", ".python-version.", ".python-version.py",
    ".python-version.rtf", ".python-version.txt", ".python-version.TXT", ".Python-version",
    ".python.version", ".pythonversion", "'.python-version'", "python_version.txt",
    "python_version", "python-version.", "python-version.txt", "python-version",
)  # fmt: skip

Present = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A version that the project asks for: ``3.12`` or ``3.12.4``, and where it stands."""

    version: str
    origin: str  # "runtime.txt", ".python-version" or "Pipfile.lock"
    place: str  # file and line, for messages


def read(
    folder: Path,
    *,
    title: str,
    default: str,
    manager: Manager = Manager.PIP,
    present: Present | None = None,
) -> Asked | None:
    """Return what the project asks for, None when it asks for nothing.

    ``default`` is the platform's default minor, for the hints. ``present`` says whether a file
    will be in the build; without it everything on disk is.

    :raises BuildError: a version file holds what the build refuses.
    """
    reader = _Reader(folder, title, default, present or (lambda name: (folder / name).is_file()))
    return reader.read(manager)


@dataclass(frozen=True, slots=True)
class _Reader:
    folder: Path
    title: str
    default: str
    present: Present

    def read(self, manager: Manager) -> Asked | None:
        uv = manager is Manager.UV
        if self.present("runtime.txt"):
            if uv:
                message = "The runtime.txt file isn't supported when using uv"
                raise self._error(message, f"delete it, and run: uv python pin {self.default}")
            return self._runtime()
        for name in _MISSPELT:
            if self._spelt(name):
                message = f"Your .python-version file is spelled incorrectly: {name!r}"
                raise self._error(message, f"git mv {_shell(name)} .python-version")
        if self.present(".python-version"):
            return self._version_file()
        if uv:
            message = "No Python version was specified, and uv needs a .python-version file"
            raise self._error(message, f"run uv python pin {self.default}, and add it to git")
        if manager is Manager.PIPENV:
            return self._pipfile()
        return None

    # ----------------------------------------------------------------- the files

    def _runtime(self) -> Asked:
        path = self.folder / "runtime.txt"
        lines = _version_lines(self._text(path))
        near = re.search(r"3\.[0-9]+", lines[0][1]) if lines else None
        wanted = near[0] if near else self.default
        fix = f"delete runtime.txt and write a .python-version that holds only: {wanted}"
        if len(lines) != 1:
            what = "it holds several lines" if lines else "it holds no version"
            raise self._invalid(path, lines[1][0] if lines else 1, what, fix)
        number, text = lines[0]
        version = text.removeprefix("python-")
        if not text.startswith("python-") or not _VERSION.fullmatch(version):
            what = f"{_shown(text)} is not like python-{self.default}"
            raise self._invalid(path, number, what, fix)
        return Asked(version=version, origin="runtime.txt", place=f"{_named(path)}:{number}")

    def _version_file(self) -> Asked:
        path = self.folder / ".python-version"
        lines = _version_lines(self._text(path))
        fix = f"write only the version into it: {self.default}"
        for number, text in lines:
            if not _VERSION.fullmatch(text):
                near = re.search(r"3\.[0-9]+", text)
                mended = f"write only the version into it: {near[0]}" if near else fix
                raise self._invalid(path, number, f"{_shown(text)} {_refusal(text)}", mended)
        if not lines:
            message = f"No Python version found in .python-version ({_named(path)})"
            raise self._error(message, fix)
        if len(lines) > 1:
            listed = ", ".join(text for _, text in lines[:4])
            message = f"Multiple Python versions found in .python-version: {listed}"
            place = f"{_named(path)}:{lines[1][0]}"
            raise self._error(f"{message} ({place})", f"keep one version, such as {lines[0][1]}")
        number, text = lines[0]
        return Asked(version=text, origin=".python-version", place=f"{_named(path)}:{number}")

    def _pipfile(self) -> Asked | None:
        path = self.folder / "Pipfile.lock"
        fix = "run pipenv lock, which writes it anew"
        try:
            data = json.loads(path.read_bytes())
            meta = data.get("_meta") or {}
            requires = meta.get("requires") or {}
            version = requires.get("python_full_version") or requires.get("python_version")
        except (OSError, ValueError, AttributeError, RecursionError):
            message = f"Can't parse Pipfile.lock ({_named(path)}), which is likely no valid JSON"
            raise self._error(message, fix) from None
        if version is None:
            return None
        text = str(version)
        if not _VERSION.fullmatch(text):
            message = f"Invalid Python version in Pipfile.lock: {_shown(text)}"
            hint = f'write python_version = "{self.default}" into the Pipfile, and run pipenv lock'
            raise self._error(message, hint)
        return Asked(version=text, origin="Pipfile.lock", place=_named(path))

    # ----------------------------------------------------------------- reading

    def _text(self, path: Path) -> str:
        try:
            with path.open("rb") as stream:
                data = stream.read(_LARGEST)
        except OSError as error:
            message = f"{_named(path)} cannot be read: {error.strerror or error}"
            raise BuildError(message, hint="check its permissions") from None
        kind = _encoding(data)
        if kind:
            message = f"Unable to read {path.name}: it is {kind} ({_named(path)})"
            raise self._error(message, "save it as UTF-8 without a byte order mark")
        return data.decode("utf-8", "replace")

    def _spelt(self, name: str) -> bool:
        """Whether a file has exactly this name, on a disk that ignores case too."""
        if not self.present(name):
            return False
        return any(entry.name == name for entry in self.folder.iterdir())

    def _invalid(self, path: Path, number: int, what: str, hint: str) -> BuildError:
        message = f"Invalid Python version in {path.name}: {what} ({_named(path)}:{number})"
        return self._error(message, hint)

    def _error(self, message: str, hint: str) -> BuildError:
        return BuildError(f"{self.title}'s build would fail: {message}", hint=hint)


def _version_lines(text: str) -> list[tuple[int, str]]:
    """Return the lines that count, with their numbers: not empty, and no comment."""
    lines = ((number, _BLANKS.sub("", line)) for number, line in enumerate(text.split("\n"), 1))
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def _encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    if data.startswith(b"\xef\xbb\xbf"):
        return "UTF-8 with a byte order mark"
    if b"\0" in data:
        return "UTF-16 without a byte order mark, or no text"
    return ""


def _refusal(text: str) -> str:
    if text.startswith("python-"):
        return "has a python- prefix"
    if text[0] in "'\"":
        return "is in quotes"
    if "*" in text or re.search(r"\.x\b", text):
        return "has a wildcard"
    if "#" in text:
        return "has a comment behind it, which must be on a line of its own"
    return "is no version like 3.12 or 3.12.4"


def _shown(text: str) -> str:
    return repr(printable(text[:_QUOTED]))


def _named(path: Path) -> str:
    return printable(str(path))


def _shell(name: str) -> str:
    return f'"{name}"' if re.search(r"[\s',]", name) else name

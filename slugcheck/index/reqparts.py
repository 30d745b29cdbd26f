"""A requirement line taken apart: a name with versions, a URL, or a local path.

The rules are those of pip 26 (its ``req/constructors.py``), with one difference: a path that is
clearly one counts as a path whether or not something is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from packaging.markers import InvalidMarker
from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from slugcheck import reading, syntax
from slugcheck.credentials import without_secrets
from slugcheck.index.reqlines import BadLineError, Line, shown

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

    def found(self, name: str) -> Iterator[Path]:
        """Yield the real path of what has that name, folder by folder."""
        for folder in self.folders:
            place = reading.found(folder / name, self.top)
            if place is not None:
                yield place

    def leaves(self, name: str) -> bool:
        """Return whether a path leads outside of ``top`` from each of the folders."""
        return all(reading.leaves(folder / name, self.top) for folder in self.folders)

    def refuse_strays(self, place: Path, *, deep: int) -> None:
        """Make sure that no link in a folder of packages leads out; uv follows them.

        :raises BadLineError: one does.
        """
        link = reading.stray(place, self.top, deep=deep)
        if link is not None:
            raise BadLineError(f"{shown(link)} in its folder is a link that leads outside")

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
        parsed = syntax.requirement(wanted)
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
        return _parsed(wanted, "") if syntax.requirement(wanted).url else None
    except InvalidRequirement:
        return None


def _marker(text: str) -> str:
    if not text.replace("\t", " ").isprintable():
        raise BadLineError("its marker holds control characters")
    try:
        return str(syntax.marker(text)) if text else ""
    except InvalidMarker as error:
        raise BadLineError(f"its marker is wrong: {shown(_first_line(error))}") from None


def _egg(url: str) -> str:
    """Return the canonical name in ``#egg=``, or ""."""
    match = _EGG.search(url)
    if match is None:
        return ""
    if not _NAME.fullmatch(match[1]):
        raise BadLineError(f"#egg={shown(match[1], 40)} is no name; write name[extra] @ URL")
    return canonicalize_name(match[1])


def _split_extras(text: str) -> tuple[str, tuple[str, ...]]:
    start = text.rfind("[", 0, -2) if text.endswith("]") else -1
    if start < 1 or "]" in text[start:-1]:
        return text, ()
    try:
        return text[:start].rstrip(), _canonical(syntax.requirement(f"x{text[start:]}").extras)
    except InvalidRequirement as error:
        raise BadLineError(_why(text, error)) from None


def _canonical(extras: set[str]) -> tuple[str, ...]:
    return tuple(sorted(canonicalize_name(extra) for extra in extras))


def _why(wanted: str, error: Exception) -> str:
    if re.match(r"<{7}|={7}|>{7}", wanted):
        return "a merge conflict was left in the file"
    if "=" in wanted and not re.search(r"[=<>!~]=|[<>]", wanted):
        return "= is no operator; write =="
    for version in _VERSION.findall(wanted):
        if not _is_version(version.removesuffix(".*")):
            return f"{shown(version, 40)} is no valid version"
    return shown(_first_line(error))


def _is_version(text: str) -> bool:
    try:
        syntax.version(text)
    except InvalidVersion:
        return False
    return True


def guessed_name(text: str) -> str:
    """Return a name for something that does not say its own, such as the end of its URL."""
    text = without_secrets(text)
    return canonicalize_name(text) if _NAME.fullmatch(text) else shown(text, 60) or "unnamed"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


# --------------------------------------------------------------------------- kinds


def scheme_of(url: str) -> str:
    """Return the scheme of a URL, lower case; "" for what is none."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        raise BadLineError("it holds a malformed URL") from None


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
    for found in places.found(path):
        describing = (found / name for name in ("pyproject.toml", "setup.py"))
        if found.is_file() or any(reading.found(one, places.top) for one in describing):
            return found
    return None


def first_located(name: str, places: Places) -> Path | None:
    """Return what ``name`` is in the first of ``places`` that has it, whatever it is."""
    return next(places.found(name), None)


def _is_folder(path: str, places: Places) -> bool:
    return any(found.is_dir() for found in places.found(path))

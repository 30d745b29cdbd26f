"""The target of a check: platform, stack, machine, and the Python version that counts there.

The Python is read as the buildpack reads it. Source: heroku-buildpack-python v351 (2026-08-18),
lib/python_version.sh. In its order: runtime.txt, .python-version, with Pipenv the two fields of
Pipfile.lock, else the default (a first build: what a cache from an earlier build would hold is not
known here). The cloud-native buildpack reads .python-version alone and refuses runtime.txt
(heroku/buildpacks-python f81d0dc1, 2026-08-06, src/python_version.rs).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from slugcheck import platforms, reading
from slugcheck.errors import BuildError, PlatformError, Refuse, give_up
from slugcheck.model import Buildpack, Dyno, Manager, Platform, PythonRelease, Stack, Target
from slugcheck.model.options import RUNTIME
from slugcheck.model.platform import ARCHES, arch_name
from slugcheck.text import listed, printable

# The buildpack's PYTHON_VERSION_REGEX: numbers without leading zeros, two or three of them.
_NUMBER = r"(?:0|[1-9][0-9]*)"
_DOTTED = re.compile(rf"{_NUMBER}\.{_NUMBER}(?:\.{_NUMBER})?", re.ASCII)
_LONGEST = 12  # characters of a version; the build cannot compare longer numbers
# What sed's [[:space:]] is in C.UTF-8: Unicode's blanks but those that do not break, and no U+0085.
_BLANK = (
    "\t\n\v\f\r \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a"
    "\u2028\u2029\u205f\u3000"
)
_QUOTED = 60  # characters of an invalid text that a message repeats
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
class Requested:
    """A version that is requested, ``3.12`` or ``3.12.4``, and its place."""

    version: str
    origin: str  # "runtime.txt", ".python-version", "Pipfile.lock", an option or a default
    place: str  # file and line, for messages
    by_project: bool = True


def read_python(
    folder: Path,
    *,
    title: str,
    default: str,
    manager: Manager | None = Manager.PIP,
    present: Present | None = None,
    offered: Collection[str] = (),
    buildpack: Buildpack | None = Buildpack.CLASSIC,
    top: Path | None = None,
    refuse: Refuse = give_up,
) -> Requested | None:
    """Return the version that the project requests, or None.

    ``default`` is the platform's default minor and ``offered`` are all it has (empty: not known),
    for the hints. ``present`` says whether a file will be in the build; without it everything on
    disk is. Without ``buildpack`` only what cannot be read is an error. ``top`` is the folder that
    files may be read from, by default the folder's checkout. ``refuse`` is given what the build
    refuses; if it returns, the version that the project seems to mean is returned.

    :raises BuildError: a version file holds what the build refuses (by default), or is unreadable.
    :raises Refused: one is a link out of the checkout, or no regular file.
    """
    within = top or reading.top_of(folder)
    reader = _Reader(folder, title, default, present, frozenset(offered), buildpack, within, refuse)
    return reader.read(manager)


@dataclass(frozen=True, slots=True)
class _Reader:
    folder: Path
    title: str
    default: str
    present: Present | None
    offered: frozenset[str]
    buildpack: Buildpack | None
    top: Path
    refuse: Refuse

    def read(self, manager: Manager | None) -> Requested | None:
        uv = self.buildpack is not None and manager is Manager.UV
        if self._there("runtime.txt") and self.buildpack is Buildpack.CLOUD_NATIVE:
            requested = self._refused_runtime(uv=uv)
            if requested is not None:
                return requested
        elif self._there("runtime.txt"):
            requested = self._runtime()
            if uv:
                message = "The runtime.txt file isn't supported when using uv"
                pin = self._near(requested.version)
                self.refuse(self._error(message, f"delete it, and run: uv python pin {pin}"))
            return requested
        for name in self._misspelt():
            message = f"Your .python-version file is spelled incorrectly: {name!r}"
            self.refuse(self._error(message, f"git mv {_shell(name)} .python-version"))
        if self._there(".python-version"):
            return self._version_file()
        if uv:
            message = "No Python version was specified, and uv needs a .python-version file"
            if reading.is_file(self.folder / ".python-version", self.top):
                message += f": it exists, but git does not track it{self._or_pruned}"
                hint = "run git add --force .python-version and commit it"
                self.refuse(self._error(message, hint))
                return self._version_file()
            minor = self._allowed()
            pin = minor or self.default
            hint = f"run uv python pin {pin} and commit the file"
            self.refuse(self._error(message, hint, instead=pin))
            return self._meant(minor, self.folder / "pyproject.toml") if minor else None
        if manager is Manager.PIPENV and self._there("Pipfile.lock"):
            return self._pipfile()
        return None

    @property
    def _or_pruned(self) -> str:
        return " or .slugignore removes it" if self.buildpack is Buildpack.CLASSIC else ""

    def _there(self, name: str) -> bool:
        pushed = self.present is None or self.present(name)
        return pushed and reading.is_file(self.folder / name, self.top)

    def _misspelt(self) -> list[str]:
        """Return the misspelt names, in exactly that spelling, also on a disk that ignores case."""
        if self.buildpack is not Buildpack.CLASSIC:
            return []
        names = {entry.name for entry in self.folder.iterdir()} if self.folder.is_dir() else set()
        return [name for name in _MISSPELT if name in names and self._there(name)]

    def _near(self, text: str) -> str:
        """Return the minor version that a text seems to mean, or the platform's default."""
        near = re.search(r"3\.[0-9]{1,3}", text)
        known = near is not None and (not self.offered or near[0] in self.offered)
        return near[0] if near and known else self.default

    def _allowed(self) -> str | None:
        """Return the newest minor version that the project's ``requires-python`` allows."""
        try:
            data = reading.read(
                self.folder / "pyproject.toml", within=self.top, limit=reading.SETTINGS
            )
            project = reading.toml(data.decode("utf-8")).get("project")
            wanted = project.get("requires-python") if isinstance(project, dict) else None
            allowed = reading.specifiers(wanted if isinstance(wanted, str) else "")
        except (OSError, ValueError, reading.Refused):
            return None
        # a later patch release too: >=3.12.4 allows 3.12
        fitting = [
            minor
            for minor in self.offered
            if any(allowed.contains(f"{minor}.{patch}") for patch in (0, 99))
        ]
        return max(fitting, key=reading.minor_key, default=None)

    # ----------------------------------------------------------------- the files

    def _refused_runtime(self, *, uv: bool) -> Requested | None:
        """Refuse runtime.txt; return what it means, unless .python-version says so already."""
        path = self.folder / "runtime.txt"
        beside = self._there(".python-version")
        lines = _version_lines(self._bytes(path))
        pin = self._near(lines[0][1] if lines else "")
        replace = f"run: uv python pin {pin}" if uv else f"write a .python-version with only: {pin}"
        self.refuse(
            self._error(
                f"The runtime.txt file isn't supported ({_named(path)})",
                "delete it" if beside else f"delete it, and {replace}",
                instead="" if beside else pin,
            )
        )
        return None if beside else self._meant(pin, path)

    def _runtime(self) -> Requested:
        path = self.folder / "runtime.txt"
        data = self._bytes(path)
        lines = _version_lines(data)
        wanted = self._near(lines[0][1] if lines else "")
        fix = _fix(wanted, "runtime.txt")
        if not lines:
            self.refuse(self._invalid(path, 1, "it contains no version", fix, wanted))
            return self._meant(wanted, path)
        if len(lines) > 1 and not _encoding(data):
            problem = "it contains several lines"
            self.refuse(self._invalid(path, lines[1][0], problem, fix, wanted))
            return self._meant(wanted, path)
        number, text = lines[0]
        version = text.removeprefix("python-")
        if not text.startswith("python-") or not _is_version(version):
            kind = _encoding(data)
            problem = (
                f"it is {kind}" if kind else f"{_shown(text)} is not like python-{self.default}"
            )
            self.refuse(self._invalid(path, number, problem, fix, wanted))
            return self._meant(wanted, path, number)
        return Requested(version=version, origin="runtime.txt", place=f"{_named(path)}:{number}")

    def _version_file(self) -> Requested:
        path = self.folder / ".python-version"
        data = self._bytes(path)
        lines = _version_lines(data)
        only = "write only the version into it"
        for number, text in lines:
            if _is_version(text):
                continue
            near = self._near(_plain(text))
            if kind := _encoding(data):
                message = f"Unable to read .python-version: it is {kind} ({_named(path)}:{number})"
                hint = "save it as UTF-8 without a byte order mark"
                self.refuse(self._error(message, hint, instead=near))
            else:
                problem, hint = f"{_shown(text)} {_refusal(text)}", f"{only}: {near}"
                self.refuse(self._invalid(path, number, problem, hint, near))
            return self._meant(near, path, number)
        if not lines:
            message = f"No Python version found in .python-version ({_named(path)})"
            self.refuse(self._error(message, f"{only}: {self.default}", instead=self.default))
            return self._meant(self.default, path)
        if len(lines) > 1:
            listed = ", ".join(text for _, text in lines[:4])
            message = f"Multiple Python versions found in .python-version: {listed}"
            place = f"{_named(path)}:{lines[1][0]}"
            version = lines[0][1]
            hint = f"keep one version, such as {version}"
            self.refuse(self._error(f"{message} ({place})", hint, instead=version))
        number, text = lines[0]
        return Requested(version=text, origin=".python-version", place=f"{_named(path)}:{number}")

    def _pipfile(self) -> Requested | None:
        path = self.folder / "Pipfile.lock"
        text = self._bytes(path, reading.LOCK).decode("utf-8-sig", "replace")
        try:
            # numbers stay as they are written, as in jq: 3.10 is not 3.1
            data = json.loads(text, parse_float=str, parse_int=str)
            field, version = _required(data)
        except (ValueError, AttributeError, RecursionError):
            message = f"Can't parse Pipfile.lock ({_named(path)}), which is probably not valid JSON"
            self.refuse(self._error(message, "run pipenv lock to write it again"))
            return None
        if version is None:
            return None
        lines = text.split("\n")
        number = next((n for n, line in enumerate(lines, 1) if f'"{field}"' in line), 1)
        place = f"{_named(path)}:{number}"
        wanted = version.rstrip("\n") if isinstance(version, str) else f"a {_kind(version)}"
        if not _is_version(wanted):
            message = f"Invalid Python version in Pipfile.lock: {_shown(wanted)} ({place})"
            minor = self._near(wanted)
            self.refuse(self._error(message, _fix(minor, "Pipfile.lock"), instead=minor))
            wanted = minor
        return Requested(version=wanted, origin="Pipfile.lock", place=place)

    # ----------------------------------------------------------------- reading

    def _bytes(self, path: Path, largest: int = reading.VERSION_FILE) -> bytes:
        try:
            return reading.read(path, within=self.top, limit=largest)
        except OSError as error:
            message = f"{_named(path)} cannot be read: {error.strerror or error}"
            raise BuildError(message, hint="check its permissions") from None

    def _meant(self, minor: str, path: Path, number: int = 1) -> Requested:
        """Return what a file that the build refuses seems to ask for."""
        return Requested(version=minor, origin=path.name, place=f"{_named(path)}:{number}")

    def _invalid(
        self, path: Path, number: int, problem: str, hint: str, instead: str
    ) -> BuildError:
        message = f"Invalid Python version in {path.name}: {problem} ({_named(path)}:{number})"
        return self._error(message, hint, instead=instead)

    def _error(self, message: str, hint: str, *, instead: str = "") -> BuildError:
        """Return the error; ``instead`` is the version that is sized in its place, if any."""
        fails = "'s build will fail" if self.buildpack else ""
        return BuildError(
            f"{self.title}{fails}: {message}",
            hint=hint,
            instead=_sized_with(instead) if instead else "",
            refused=self.buildpack is not None,
        )


def _required(lock: Any) -> tuple[str, Any]:
    """Return field and value as jq's ``//`` does: null and false give way to the next.

    :raises AttributeError: there is something else where an object should be.
    """
    meta = lock.get("_meta")
    requires = None if meta is None else meta.get("requires")
    if requires is None:
        return "", None
    full = requires.get("python_full_version")
    if full is None or full is False:
        return "python_version", requires.get("python_version")
    return "python_full_version", full


def _sized_with(version: str) -> str:
    return f"sized with Python {version}"


def _plain(text: str) -> str:
    """Return text without the zero bytes of UTF-16, so that a version in it can be seen."""
    return text.replace("\0", "")


def _kind(value: object) -> str:
    """Return JSON's word for a value that is not a string; it may be too deep to show."""
    return {bool: "boolean", list: "list"}.get(type(value), "table")


def _is_version(text: str) -> bool:
    return len(text) <= _LONGEST and _DOTTED.fullmatch(text) is not None


def _version_lines(data: bytes) -> list[tuple[int, str]]:
    """Return the lines that are neither empty nor comments, with their numbers."""
    text = data.decode("utf-8", "surrogateescape")
    lines = ((number, line.strip(_BLANK)) for number, line in enumerate(text.split("\n"), 1))
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def _encoding(data: bytes) -> str:
    """Return the encoding that makes a file unreadable, or "".

    Only called for a file with an invalid line: the build accepts any bytes in a comment.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    if data.startswith(b"\xef\xbb\xbf"):
        return "UTF-8 with a byte order mark"
    if b"\0" in data[:2]:
        return "UTF-16 without a byte order mark"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    return ""


def _refusal(text: str) -> str:
    if text.startswith("python-"):
        return "has a python- prefix"
    if text[0] in "'\"":
        return "is in quotes"
    if "*" in text or re.search(r"\.x\b", text, re.IGNORECASE):
        return "has a wildcard"
    if "#" in text:
        return "has a comment after it, which must be on its own line"
    return "is not a version like 3.12 or 3.12.4"


def _shown(text: str) -> str:
    return repr(printable(text[:_QUOTED]))


def _named(path: Path) -> str:
    return printable(str(path))


def _shell(name: str) -> str:
    return f'"{name}"' if re.search(r"[\s',]", name) else name


# A patch release comes about every two months: one this far ahead of the newest known one cannot be
# out yet. A nearer one may be, and gets a note.
_PATCHES_AHEAD = 10
_MOST_ELSEWHERE = 3  # other platforms that a message names


# --------------------------------------------------------------------------- the target


def choose(
    platform: Platform,
    *,
    stack: str | None = None,
    python: str | None = None,
    python_origin: str = "--python",
    dyno: str | None = None,
    arch: str | None = None,
    bytecode: bool | None = None,
    provided: Collection[str] = (),
    folder: Path | None = None,
    manager: Manager | None = None,
    present: Present | None = None,
    top: Path | None = None,
    refuse: Refuse = give_up,
    whole: bool = False,
    build: Requested | None = None,
    read_by_build: bool = False,
) -> Target:
    """Return the target. ``folder`` is where ``runtime.txt`` and ``.python-version`` may be.

    A minor version means its newest patch release on the platform; an exact one is kept, since
    markers depend on it. ``python_origin`` says where ``python`` comes from. ``manager`` is the
    project's package manager; ``present`` says which files of the folder will be in the build (by
    default all). ``top`` is the folder that files may be read from. ``refuse`` is given what the
    build refuses; if it returns, the nearest version is the target's. With ``whole`` the folder is
    what is deployed, so its version files are looked at even if ``python`` is given. With
    ``read_by_build`` the version is what the platform's own builder takes (``build``, None for the
    default), and no file is read here.

    The stack follows from the Python unless it is given. ``bytecode`` and ``provided`` are the
    user's choices, as ``Options`` holds them.

    :raises PlatformError: the platform has no such stack, Python, dyno or architecture, or leaves
        no choice about bytecode or what its runtime provides.
    :raises BuildError: the platform's build would refuse a version file (by default).
    """
    if python is None and read_by_build:
        wanted = build or _default(platform)
    elif python is None:
        wanted = _of_project(platform, folder, manager, present, top, refuse)
    else:
        wanted = _given(python, python_origin)
        if whole and platform.buildpack:
            _check_version_files(platform, folder, manager, present, top, refuse, wanted)
    release, full = _release(platform, wanted, refuse)
    return Target(
        platform=platform,
        stack=_with_arch(platform, _stack(platform, stack or platform.stack_of(release)), arch),
        python=release,
        python_version=full,
        python_origin=wanted.origin,
        dyno=_dyno(platform, dyno or platform.default_dyno),
        bytecode=_bytecode(platform, bytecode),
        provided=_provided(platform, provided),
    )


# --------------------------------------------------------------------------- Python


def _given(python: str, origin: str) -> Requested:
    if not reading.PYTHON_VERSION.fullmatch(python.strip()):
        message = f"{origin} {python[:_QUOTED]!r} is not a Python version"
        raise PlatformError(message, hint="write it as 3.12 or 3.12.4")
    return Requested(version=python.strip(), origin=origin, place=origin, by_project=False)


def _check_version_files(
    platform: Platform,
    folder: Path | None,
    manager: Manager | None,
    present: Present | None,
    top: Path | None,
    refuse: Refuse,
    given: Requested,
) -> None:
    """Look at the files that the build reads, whatever version the user gave."""

    def also(error: BuildError) -> None:
        instead = f"{_sized_with(given.version)} ({given.origin})"
        refuse(BuildError(str(error), hint=error.hint, instead=instead, refused=error.refused))

    _release(platform, _of_project(platform, folder, manager, present, top, also), also)


def _of_project(
    platform: Platform,
    folder: Path | None,
    manager: Manager | None,
    present: Present | None,
    top: Path | None,
    refuse: Refuse,
) -> Requested:
    title, default = platform.title, platform.default_python
    if folder is not None:
        own = read_python(
            folder,
            title=title,
            default=default,
            manager=manager,
            present=present,
            offered=[release.minor for release in platform.pythons],
            buildpack=platform.buildpack,
            top=top,
            refuse=refuse,
        )
        if own is not None:
            return own
    return _default(platform)


def _default(platform: Platform) -> Requested:
    default = platform.default_python
    return Requested(version=default, origin="default", place="default", by_project=False)


def _release(platform: Platform, wanted: Requested, refuse: Refuse) -> tuple[PythonRelease, str]:
    """Return the platform's release of a version's minor, and the full version."""
    minor = ".".join(wanted.version.split(".")[:2])
    offered = {release.minor: release for release in platform.pythons}
    if minor in offered:
        release = offered[minor]
        exact = wanted.version.count(".") == 2
        if exact and wanted.by_project and (error := _too_new(platform, wanted, release)):
            refuse(error)
            return release, release.version
        return release, wanted.version if exact else release.version
    # the fix names the version that is sized, and never one that the next run calls deprecated
    lasting = [r.minor for r in platform.pythons if r.status != "deprecated"]
    near = _closest(minor, lasting or offered)
    if wanted.by_project:
        refuse(_build_error(platform, minor, wanted, near))
        return offered[near], offered[near].version
    dates = max(release.source.date for release in platform.pythons)
    problem, _ = _lacks(platform, minor)
    known = f"as of {dates} it offers" if problem.startswith(platform.title) else "it can for"
    message = f"{problem} ({wanted.place}); {known} {', '.join(offered)}"
    raise PlatformError(message, hint=f"use {near}, the nearest that it supports")


def _lacks(platform: Platform, minor: str) -> tuple[str, str]:
    """Return that a platform has no such Python, and the start of a sentence on those it has.

    A later Python of Pyodide's is one that the platform may have, but the resolver does not know.
    """
    later = reading.minor_key(minor) > reading.minor_key(platform.pythons[-1].minor)
    if later and any(stack.is_pyodide for stack in platform.stacks):
        unknown = f"slugcheck cannot resolve for {platform.title} with Python {minor} yet"
        return unknown, "slugcheck can resolve for"
    return f"{platform.title} does not offer Python {minor}", f"{platform.title} offers"


def _build_error(platform: Platform, minor: str, wanted: Requested, near: str) -> BuildError:
    oldest, newest = platform.pythons[0].minor, platform.pythons[-1].minor
    fix = _fix(near, wanted.origin)
    problem, offers = _lacks(platform, minor)
    hint = f"{fix}; {offers} {oldest} to {newest}"
    if not platform.buildpack:
        problem += f" ({wanted.place})"
        return BuildError(problem, hint=hint, instead=_sized_with(near), refused=False)
    if reading.minor_key(minor) < reading.minor_key(oldest):
        problem = f"Python {minor} has reached end-of-life and is no longer supported"
    else:
        problem = f"The requested Python version isn't recognised: {minor} is not supported yet"
    message = f"{platform.title}'s build will fail: {problem} ({wanted.place})"
    return BuildError(message, hint=hint, instead=_sized_with(near))


def _too_new(platform: Platform, wanted: Requested, release: PythonRelease) -> BuildError | None:
    """Return the error for a patch release that cannot be out yet, else None."""
    ahead = int(wanted.version.rpartition(".")[2]) - int(release.version.rpartition(".")[2])
    if ahead > _PATCHES_AHEAD and platform.buildpack:
        problem = f"The requested Python version isn't available: {wanted.version} ({wanted.place})"
        known = f"the newest on {release.source.date} was {release.version}"
        return BuildError(
            f"{platform.title}'s build will fail: {problem}",
            hint=f"{_fix(release.minor, wanted.origin)}; {known}",
            instead=_sized_with(release.version),
        )
    return None


def _fix(minor: str, origin: str) -> str:
    """Return the fix that replaces the version of a project's file by a minor version."""
    if origin == "Pipfile.lock":
        return f'set python_version = "{minor}" in the Pipfile, and run pipenv lock'
    if origin == "runtime.txt":
        return f"delete runtime.txt and write a .python-version that contains only: {minor}"
    return f"write {minor} into {origin}"


def _closest(minor: str, offered: Iterable[str]) -> str:
    wanted = reading.minor_key(minor)
    ordered = sorted(offered, key=reading.minor_key)
    later = [other for other in ordered if reading.minor_key(other) >= wanted]
    return later[0] if later else ordered[-1]


# --------------------------------------------------------------------------- stack and dyno


def _with_arch(platform: Platform, stack: Stack, arch: str | None) -> Stack:
    if arch is None:
        return stack
    offered = stack.arches or (stack.arch,)
    if (tag := ARCHES.get(arch.strip().lower())) in offered:
        return replace(stack, arch=tag)
    names = listed([arch_name(tag) for tag in offered])
    message = f"{platform.title} has no architecture {printable(arch[:_QUOTED])!r}: it has {names}"
    raise PlatformError(message, hint=f"leave out --arch, or use {arch_name(offered[0])}")


def _bytecode(platform: Platform, wanted: bool | None) -> bool | None:
    if wanted is False and platform.buildpack:
        message = f"{platform.title}'s buildpack always compiles bytecode, so it cannot be left out"
        raise PlatformError(message, hint="remove --no-bytecode, or bytecode = false")
    return wanted


def _provided(platform: Platform, names: Collection[str]) -> tuple[str, ...]:
    """Return the canonical names of what the runtime has, with the platform's list if asked for."""
    if not names:
        return ()
    title = platform.title
    if platform.buildpack:
        message = f"{title} installs every package, so its runtime provides none"
        raise PlatformError(message, hint="remove --provided")
    given = {canonicalize_name(name) for name in names}
    if RUNTIME in given and not platform.bundle.provided:
        message = f"slugcheck knows no packages that {title}'s runtime provides"
        raise PlatformError(message, hint="name each of them: --provided NAME")
    return tuple(sorted((given - {RUNTIME}).union(platform.bundle.provided * (RUNTIME in given))))


def _stack(platform: Platform, name: str) -> Stack:
    known = {stack.name: stack for stack in platform.stacks}
    if name in known:
        return known[name]
    retired = next((stack for stack in platform.retired_stacks if stack.name == name), None)
    if retired is None:
        elsewhere = _elsewhere(platform, lambda other: [stack.name for stack in other.stacks], name)
        raise _unknown("stack", name, known, platform, elsewhere)
    message = f"{platform.title} retired the stack {name}: end-of-life since {retired.since}"
    raise PlatformError(
        message, hint=f"use {platform.default_stack}; {platform.title} has {', '.join(known)}"
    )


def _dyno(platform: Platform, name: str | None) -> Dyno | None:
    if name is None:
        return None
    known = {dyno.name: dyno for dyno in platform.dynos}
    if name.lower() not in known:
        elsewhere = _elsewhere(platform, lambda other: [dyno.name for dyno in other.dynos], name)
        raise _unknown("machine size", name, known, platform, elsewhere)
    return known[name.lower()]


def _elsewhere(
    platform: Platform, names_of: Callable[[Platform], Collection[str]], name: str
) -> tuple[Platform, ...]:
    """Return the other built-in platforms that have a stack or machine size of this name."""
    others = (platforms.load(other) for other in platforms.names() if other != platform.name)
    return tuple(other for other in others if name.lower() in names_of(other))


def _unknown(
    kind: str,
    name: str,
    known: Iterable[str],
    platform: Platform,
    elsewhere: Sequence[Platform] = (),
) -> PlatformError:
    names = list(known)
    if elsewhere:  # a short list says more than all names of this platform
        some = elsewhere[:_MOST_ELSEWHERE]
        titles = " and ".join(other.title for other in some)
        use = " or ".join(f"--platform {other.name}" for other in some)
        have = "has" if len(some) == 1 else "have"
        message = f"{platform.title} has no {kind} {name[:_QUOTED]!r}, but {titles} {have}"
        return PlatformError(f"{message}: use {use}")
    near = difflib.get_close_matches(name.lower(), names, n=1)
    suggestion = f"did you mean {near[0]}? " if near else ""
    message = f"{platform.title} has no {kind} {name[:_QUOTED]!r}"
    return PlatformError(message, hint=f"{suggestion}choose from {', '.join(names) or 'none'}")

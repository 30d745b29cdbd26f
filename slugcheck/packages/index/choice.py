"""Which file of a project pip would choose, and which wheel is closest to it.

Pure functions of ``ProjectFile`` values. The rules are pip's: a wheel is preferred to a source
archive of the same version, yanked files count only if one version is pinned and nothing else is
left, pre-releases only if they are allowed or there is nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import canonicalize_name
from packaging.version import Version

from slugcheck import reading
from slugcheck.model import IndexOptions
from slugcheck.packages.index.pages import FileKind, ProjectFile
from slugcheck.packages.refusals import python_allowed, requires_another_python

_LINUX = re.compile(r"(?:manylinux|musllinux|linux)")
_SYSTEMS = (("win", "Windows"), ("macosx", "macOS"), ("ios", "iOS"), ("android", "Android"))


# How sizes of wheels differ (installed bytes, bundled libraries aside), measured on 2026-11-23 on
# 47 projects with native code: 90 % of the pairs lie within. 124 pairs of Pythons one or two minor
# versions apart; 43 pairs of libc; 47, 44 and 24 pairs of releases 1, 4 and 12 apart. Compiler
# flags of the platform's own build are not in it.
_SAME_VERSION = {"low_factor": 0.95, "high_factor": 1.06}
_SAME_VERSION_MUSL = {"low_factor": 0.96, "high_factor": 1.38}
_OTHER_VERSION = (
    (1, {"low_factor": 0.96, "high_factor": 1.16}),
    (4, {"low_factor": 0.45, "high_factor": 1.60}),
)
_FAR_VERSION = {"low_factor": 0.30, "high_factor": 2.02}


@dataclass(frozen=True)
class Chooser:
    """Chooses for one target. ``tags`` in order of preference, ``python`` the full version."""

    tags: tuple[Tag, ...]
    python: str
    options: IndexOptions = field(default_factory=IndexOptions)

    @cached_property
    def _ranks(self) -> dict[Tag, int]:
        return {tag: rank for rank, tag in enumerate(self.tags)}

    def installable(self, name: str, files: Iterable[ProjectFile]) -> tuple[ProjectFile, ...]:
        """Return the files that pip would consider on the target."""
        wheels, sources = self._allowed(name)
        return tuple(
            file
            for file in files
            if (wheels if file.kind is FileKind.WHEEL else sources)
            and python_fits(file, self.python)
            and (file.kind is FileKind.SDIST or self._rank(file) is not None)
        )

    def best_for(
        self, name: str, files: Iterable[ProjectFile], version: Version
    ) -> ProjectFile | None:
        """Return the file of one version that pip would take when it is pinned with ``==``."""
        same = [file for file in files if file.version == version]
        return self.pip_choice(name, same, reading.specifiers(f"=={version}"))

    def pip_choice(
        self, name: str, files: Iterable[ProjectFile], specifier: SpecifierSet
    ) -> ProjectFile | None:
        """Return what pip would take: of the newest allowed version the best wheel, or its sdist.

        With ``prefer_binary`` the newest version that has a wheel goes first.
        """
        fitting = self.candidates(self.installable(name, files), specifier)
        kept = [file for file in fitting if not file.yanked]
        if not kept and reading.is_exact(specifier):
            kept = list(fitting)
        return max(kept, key=self._preference, default=None)

    def candidates(
        self, files: Iterable[ProjectFile], specifier: SpecifierSet
    ) -> tuple[ProjectFile, ...]:
        """Return the files whose versions a specifier allows, newest first."""
        allow = True if self.options.prerelease else None
        return candidates(files, specifier, prereleases=allow)

    def _allowed(self, name: str) -> tuple[bool, bool]:
        binary, source = self.options.only_binary, self.options.no_binary
        only_wheels, only_sources = _names(name, binary), _names(name, source)
        if only_wheels and only_sources:  # a name goes before ":all:"
            only_wheels = canonicalize_name(name) in map(canonicalize_name, binary)
            only_sources = not only_wheels
        return not only_sources, not only_wheels

    def _rank(self, file: ProjectFile) -> int | None:
        ranks = [self._ranks[tag] for tag in file.tags if tag in self._ranks]
        return min(ranks, default=None)

    def _preference(self, file: ProjectFile) -> tuple[object, ...]:
        rank = self._rank(file) if file.kind is FileKind.WHEEL else None
        fit = -len(self.tags) - 1 if rank is None else -rank
        binary = self.options.prefer_binary and rank is not None
        return binary, file.version, fit, file.build


def candidates(
    files: Iterable[ProjectFile], specifier: SpecifierSet, *, prereleases: bool | None = None
) -> tuple[ProjectFile, ...]:
    """Return the files whose versions a specifier allows, newest first.

    ``prereleases`` None allows them where the specifier names one or where nothing else fits.
    """
    listed = list(files)
    allowed = set(specifier.filter({file.version for file in listed}, prereleases=prereleases))
    fitting = [file for file in listed if file.version in allowed]
    return tuple(sorted(fitting, key=lambda file: file.version, reverse=True))


def python_fits(file: ProjectFile, python: str) -> bool:
    """Return True when a file's Requires-Python allows a Python; one that is unreadable does."""
    return python_allowed(file.requires_python, python)


def refusal(files: Sequence[ProjectFile], python: str) -> str:
    """Return why pip takes none of a version's files on a Python."""
    refusing = [file for file in files if not python_fits(file, python)]
    if any(file.kind is FileKind.SDIST and file not in refusing for file in files):
        return "the file's options exclude its source archive"
    if refusing:
        return requires_another_python(refusing[0].requires_python)
    return "there is no source archive"


def pythons_with_wheels(
    files: Iterable[ProjectFile],
    version: Version,
    minors: Iterable[str],
    tags_for: Callable[[str], Sequence[Tag]],
) -> tuple[str, ...]:
    """Return those of ``minors`` (such as ``3.11``) for which a version has a wheel, in order."""
    wheels = [f for f in files if f.kind is FileKind.WHEEL and f.version == version]
    return tuple(
        minor
        for minor in minors
        if any(
            not file.tags.isdisjoint(tags_for(minor))
            and (python_fits(file, f"{minor}.99") or python_fits(file, f"{minor}.0"))
            for file in wheels
        )
    )


def platforms_of(files: Iterable[ProjectFile], version: Version) -> str:
    """Return in words what the wheels of a version are for; "" when it has none.

    ``any platform``, ``Windows only``, ``macOS and Windows only``, ``Linux and macOS`` ...
    """
    systems: set[str] = set()
    for file in files:
        if file.version == version:
            systems |= {_system(tag.platform) for tag in file.tags}
    if "any platform" in systems or not systems:
        return "any platform" if systems else ""
    words = sorted(systems, key=str.lower)
    text = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return text if "Linux" in systems else f"{text} only"


def _system(platform: str) -> str:
    if platform == "any":
        return "any platform"
    if _LINUX.match(platform):
        return "Linux" if platform.endswith("x86_64") else f"Linux on {_machine(platform)}"
    return next((name for prefix, name in _SYSTEMS if platform.startswith(prefix)), platform)


def _machine(platform: str) -> str:
    return re.sub(r"^(?:manylinux(?:1|2010|2014|_\d+_\d+)|musllinux_\d+_\d+|linux)_", "", platform)


def nearest_wheel(
    files: Iterable[ProjectFile], version: Version, tags: Sequence[Tag]
) -> ProjectFile | None:
    """Return the wheel that resembles most what the target would build of ``version``, or None.

    Only wheels for the target's machine on Linux: of the same version for the nearest Python,
    glibc before musl; else of the nearest version, newer before older.
    """
    machine = next((_machine(t.platform) for t in tags if _LINUX.match(t.platform)), "x86_64")
    minor = _target_minor(tags)
    wheels = [f for f in files if any(_is_native(tag, machine) for tag in f.tags)]
    versions = sorted({file.version for file in wheels} | {version})
    place = versions.index(version)

    def distance(file: ProjectFile) -> tuple[int, bool, bool, int, int]:
        steps = versions.index(file.version) - place
        musl = all(tag.platform.startswith("musllinux") for tag in file.tags)
        python = min(_python_distance(tag, minor) for tag in file.tags)
        return abs(steps), steps < 0, musl, python, -len(file.build)

    return min(
        (f for f in wheels if not f.yanked or f.version == version), key=distance, default=None
    )


def closest_wheel(
    files: Sequence[ProjectFile], version: Version, tags: Sequence[Tag]
) -> ProjectFile | None:
    """Return the wheel of ``version`` that resembles most what its target would install, or None.

    One for any platform, else the nearest for the target's machine.
    """
    own = [file for file in files if file.version == version and file.kind is FileKind.WHEEL]
    anywhere = [f for f in own if any(t.platform == "any" and t.abi == "none" for t in f.tags)]
    if anywhere:
        return max(anywhere, key=lambda file: max(_minor(tag) or 0 for tag in file.tags))
    return nearest_wheel(own, version, tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How a stand-in differs from what is wanted, and the interval of its size as factors."""

    words: str
    low_factor: float
    high_factor: float


def likeness(wheel: ProjectFile, files: Iterable[ProjectFile], version: Version) -> Likeness:
    """Return how close a wheel is to a build of ``version``; ``files`` are the project's."""
    if wheel.version == version:
        tag = min(wheel.tags, key=str)
        if tag.platform == "any":
            return Likeness(words="its wheel", low_factor=1.0, high_factor=1.0)
        if tag.platform.startswith("musllinux"):
            return Likeness(words=f"its wheel for musl ({tag})", **_SAME_VERSION_MUSL)
        return Likeness(words=f"its wheel for {tag.interpreter}", **_SAME_VERSION)
    versions = sorted({file.version for file in files if not file.version.is_prerelease})
    steps = abs(bisect_left(versions, wheel.version) - bisect_left(versions, version))
    span = next((span for least, span in _OTHER_VERSION if steps <= least), _FAR_VERSION)
    return Likeness(words=f"the wheel of version {wheel.version}", **span)


def _is_native(tag: Tag, machine: str) -> bool:
    return bool(_LINUX.match(tag.platform)) and _machine(tag.platform) == machine


def _names(name: str, listed: Sequence[str]) -> bool:
    return ":all:" in listed or canonicalize_name(name) in map(canonicalize_name, listed)


def _target_minor(tags: Sequence[Tag]) -> int:
    return max((_minor(tag) or 0 for tag in tags[:1]), default=0)


def _minor(tag: Tag) -> int | None:
    match = re.fullmatch(r"(?:cp|py)3(\d+)", tag.interpreter)
    return int(match[1]) if match else None


def _python_distance(tag: Tag, minor: int) -> int:
    """Return how far a wheel's Python is from the target's, in minor versions doubled."""
    own = _minor(tag)
    if own is None:  # py3, or another interpreter altogether
        return 1 if tag.interpreter == "py3" else 1000
    if tag.abi == "abi3" and own <= minor:
        return 0
    steps = minor - own
    return 2 * abs(steps) - (steps > 0)  # of two equally far the older, which pip chose once

"""What the build of a source archive cannot do without, and the Pythons on which it fails.

Read from its files, without running it, and only where it is certain: a requirement that a build
may go without is not named. What only a distribution's name tells is in ``packages/known.py``.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from slugcheck import reading
from slugcheck.model import BuildNeed
from slugcheck.packages.sdist import setup_script
from slugcheck.packages.sdist.build_environment import Environment
from slugcheck.packages.sdist.project_files import Project, SetupCall, text_list
from slugcheck.packages.sdist.setup_script import UNKNOWN, Course

RUST, FORTRAN, GO = "cargo", "gfortran", "golang-go"
_FORTRAN_FILE = re.compile(r"\.(?:f|for|f77|f90|f95|f03|f08)$", re.IGNORECASE)
_ASIDE = re.compile(r"(?:^|/)(?:tests?|docs?|examples?|samples?|benchmarks?|contrib|f2py)/", re.I)

# From 1.9.0 on (2025-07), maturin downloads Rust where there is no cargo (its __init__.py).
_MATURIN_WITH_RUST = Version("1.9")
# setuptools 58.0.0 removed 2to3 (its NEWS), versions before 66.1.0 use pkgutil.ImpImporter, which
# Python 3.12 removed, and from 66.0.0 on it takes what PEP 440 and 508 allow and nothing else
# (packaging 23.0 in its wheel).
_NO_2TO3, _STRICT, _ON_3_12 = Version("58"), Version("66"), Version("66.1")
# pyo3-ffi/build.rs: the newest Python that each version accepts (SUPPORTED_VERSIONS_CPYTHON);
# versions before 0.20.3 do not look, and from 0.28.0 on one more is tried with a warning.
_PYO3_NEWEST = (
    (Version("0.28"), None), (Version("0.25"), 14), (Version("0.22"), 13), (Version("0.20.3"), 12),
)  # fmt: skip
_LOCKED_PYO3 = re.compile(rb'^name = "pyo3(?:-ffi)?"\r?\nversion = "([0-9.]+)"', re.MULTILINE)
# The minor version of Python 3 from which on what a version of Cython before has written does not
# compile, whatever the module. An empty one of each of 0.29.21 to 0.29.37 was compiled for 3.11:
# those before 0.29.25 include longintrepr.h, those before 0.29.29 set PyFrameObject.f_lineno.
# Before 0.29.34 they use PyLongObject.ob_digit, which 3.12 moved ("What's new in Python 3.12").
_CYTHON_FAILS = ((Version("0.29.29"), 11), (Version("0.29.34"), 12))
_MINORS = range(8, 16)  # of Python 3, for which a setup.py is followed
# Distributions that bring back what Python removed.
_BACKPORTS = re.compile(r"^(?:standard-.+|legacy-cgi|zombie-imp|pyasyncore|pyasynchat)$")
# What a build environment has whose requirements are these and nothing else.
_BARE_REQUIREMENTS = frozenset({"setuptools", "wheel"})
_SHOWN = 60  # characters of a text that is quoted
_MOST_NAMED = 4  # environment variables
_MOST_LINES = 5_000  # of requirements
_INSTALLS_ITSELF = re.compile(
    rb"^[ \t]*(?:import|from)[ \t]+pip\b|['\"]pip['\"]|fetch_build_eggs|easy_install|subprocess"
    rb"|os\.system|popen|runpy",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a build fails with Python 3.``first`` to 3.``last``; None: and with later ones."""

    first: int
    last: int | None
    reason: str

    def concerns(self, minor: int) -> bool:
        """Return whether it fails with Python 3.``minor``."""
        return self.first <= minor and (self.last is None or minor <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a build needs, why it fails for certain, and why it may (``doubts``)."""

    packages: tuple[BuildNeed, ...] = ()
    failures: tuple[Failure, ...] = ()
    doubts: tuple[Failure, ...] = ()


def read_needs(project: Project) -> Needs:
    """Return what is certain about the build of a project, and what is likely."""
    script = _Script(project)
    return Needs(
        packages=tuple(_packages(project, script)),
        failures=tuple(_failures(project, script)),
        doubts=_spans(script.doubt),
    )


def _spans(reason: Callable[[int], str]) -> tuple[Failure, ...]:
    """Return failures by what ``reason`` says of each minor version of Python 3."""
    found: list[Failure] = []
    for minor in _MINORS:
        text = reason(minor)
        if found and found[-1].reason == text and found[-1].last == minor - 1:
            found[-1] = Failure(found[-1].first, minor, text)
        elif text:
            found.append(Failure(minor, minor, text))
    return tuple(
        Failure(
            0 if failure.first == _MINORS[0] else failure.first,
            None if failure.last == _MINORS[-1] else failure.last,
            failure.reason,
        )
        for failure in found
    )


# --------------------------------------------------------------------------- tools


def _packages(project: Project, script: _Script) -> Iterator[BuildNeed]:
    requires = script.requires
    if project.backend == "maturin":
        limit = _newest_allowed(requires.get("maturin", []))
        yield BuildNeed(package=RUST, fetched=limit is None or limit >= _MATURIN_WITH_RUST)
    elif _needs_setuptools_rust(project, script):
        yield BuildNeed(package=RUST)
    if _needs_fortran(project):
        yield BuildNeed(package=FORTRAN)
    if "setuptools-golang" in requires and project.backend == "setuptools":
        yield BuildNeed(package=GO)


def _needs_setuptools_rust(project: Project, script: _Script) -> bool:
    requires = script.requires
    source = project.tree.texts.get("setup.py", b"")
    if b"optional" in source or not any(p.endswith("Cargo.toml") for p in project.tree.sizes):
        return False
    if project.table("tool", "setuptools-rust"):
        return "setuptools-rust" in requires
    imported = "setuptools_rust" in script.courses[_MINORS[0]].imports
    return project.setup_keywords.has("rust_extensions") and (
        imported or "setuptools-rust" in requires
    )


def _needs_fortran(project: Project) -> bool:
    texts = project.tree.texts
    if project.backend == "mesonpy":
        return bool(_MESON_FORTRAN.search(_COMMENT.sub(b"", texts.get("meson.build", b""))))
    if project.backend in ("skbuild", "scikit_build_core"):
        return bool(_CMAKE_FORTRAN.search(_COMMENT.sub(b"", texts.get("CMakeLists.txt", b""))))
    if b"numpy.distutils" not in texts.get("setup.py", b""):
        return False
    return any(
        _FORTRAN_FILE.search(path) and not _ASIDE.search(path) for path in project.tree.sizes
    )


_COMMENT = re.compile(rb"#[^\n]*")
# at the beginning of a line, so not inside of a condition
_MESON_FORTRAN = re.compile(
    rb"^project\s*\((?:\s*'[^'\n]*'\s*,){1,9}?\s*'fortran'"
    rb"|^add_languages\s*\((?:\s*'[a-z]+'\s*,){0,9}?\s*'fortran'(?![^)]{0,300}required\s*:\s*false)",
    re.MULTILINE,
)
_CMAKE_FORTRAN = re.compile(
    rb"^(?:project\s*\([^()]{0,500}?\bLANGUAGES\b[^()]{0,200}?\bFortran\b"
    rb"|enable_language\s*\(\s*Fortran\s*\))",
    re.MULTILINE | re.IGNORECASE,
)


# --------------------------------------------------------------------------- Pythons


def _failures(project: Project, script: _Script) -> Iterator[Failure]:
    yield from _pyo3(project)
    if project.backend != "setuptools":
        return
    limit = script.setuptools
    if limit is not None and limit < _ON_3_12:
        wanted = ",".join(str(r.specifier) for r in script.requires["setuptools"])
        reason = f"its build requires setuptools{wanted}, which fails on Python 3.12"
        yield Failure(12, None, reason)
    yield from _spans(script.certain)


class _Script:
    """A project's setup.py, as each Python 3 runs it: the reasons are by its minor version."""

    def __init__(self, project: Project) -> None:
        self.requires = _build_requires(project)
        self.setuptools = _newest_allowed(self.requires.get("setuptools", []))
        self._project = project
        source = project.tree.texts.get("setup.py", b"")
        self._source = source if project.backend == "setuptools" else b""
        modules = {**project.tree.modules, "setup.py": self._source}
        self._beside = [text for path, text in modules.items() if "/" not in path]
        self._plain = set(self.requires) <= _BARE_REQUIREMENTS
        parts = {part for path in project.tree.sizes for part in path.split("/")}
        files = setup_script.Files(modules)
        environment = partial(
            Environment,
            setuptools=self.setuptools,
            plain=self._plain,
            bare=self._plain and not any(map(_INSTALLS_ITSELF.search, self._beside)),
            backports=any(map(_BACKPORTS.match, self.requires)),
            paths=_paths(project),
            whole=not project.folder,
            own=frozenset(part.removesuffix(".py") for part in parts),
        )
        self._reasons: dict[int, str] = {}
        self.courses: Mapping[int, Course] = {
            minor: setup_script.run(files, environment(minor=minor)) for minor in _MINORS
        }
        # the same without any environment variable of its own
        self._likely: Mapping[int, Course] = {}
        if any(_VARIABLE.search(text) for text in modules.values()):
            self._likely = {
                minor: setup_script.run(files, environment(minor=minor, name=project.name or ""))
                for minor in _MINORS
                if not self.certain(minor)
            }

    def certain(self, minor: int) -> str:
        """Return why its build fails."""
        if minor not in self._reasons:
            self._reasons[minor] = self._failure(self.courses[minor], minor)
        return self._reasons[minor]

    def doubt(self, minor: int) -> str:
        """Return why its build may fail, where nothing is certain."""
        if self.certain(minor):
            return ""
        likely = self._likely.get(minor)
        if likely is not None and (failure := self._failure(likely, minor)):
            names = [name[:_SHOWN] for name in likely.unset[:_MOST_NAMED]]
            return f"{failure} (unless {' or '.join(names)} is set in its environment)"
        if old := self._too_old(self._compiled, minor):
            return old
        call = self.courses[minor].call
        open_still = call is None or call.is_unknown("use_2to3")
        if not self._drops_2to3 or not open_still or not _USES_2TO3.search(self._source):
            return ""
        return "its setup.py uses 2to3, which setuptools 58 removed, under a condition"

    def _failure(self, course: Course, minor: int) -> str:
        # the call that is reached, else what all calls agree on
        call = course.call or self._project.setup_keywords
        if self._drops_2to3 and call.values.get("use_2to3"):
            return "its setup.py uses 2to3, which setuptools 58 removed"
        return course.fault or self._invalid(call) or self._old_cython(course, minor)

    @property
    def _drops_2to3(self) -> bool:
        return self.setuptools is None or self.setuptools >= _NO_2TO3

    def _invalid(self, call: SetupCall) -> str:
        """Return which requirement setuptools refuses."""
        if self.setuptools is not None and self.setuptools < _STRICT:
            return ""
        return _invalid(call) or _invalid_cfg(self._project)

    def _old_cython(self, course: Course, minor: int) -> str:
        """Return which C file cannot be compiled, since a Cython before this Python wrote it."""
        if course.call is None or _NO_INTERNALS.search(self._source):
            return ""
        asked = course.call.values.get("setup_requires", ())
        open_still = course.call.is_unknown("setup_requires") or (
            isinstance(asked, tuple) and UNKNOWN in asked
        )
        wanted = any(line.lower().startswith("cython") for line in _lines(asked))
        regenerates = open_still or wanted or "cython" in self.requires
        paths: list[str] = []
        for source in (source for built in course.extensions for source in built.sources):
            stem, _, suffix = source.rpartition(".")
            # without Cython, setuptools compiles what lies beside a .pyx
            written = () if regenerates else (f"{stem}.c", f"{stem}.cpp")
            paths += written if suffix == "pyx" else (source,)
        return self._too_old(paths, minor)

    def _too_old(self, paths: Iterable[str], minor: int) -> str:
        for path in paths:
            version = _version(self._project.tree.generated.get(path, ""))
            first = next((m for least, m in _CYTHON_FAILS if version and version < least), None)
            if first is not None and minor >= first:
                return (
                    f"its {path}, generated by Cython {version}, does not compile from "
                    f"Python 3.{first} on"
                )
        return ""

    @property
    def _compiled(self) -> Iterable[str]:
        """The C files that a build is likely to compile as they are, and not to do without."""
        if not self._plain or any(map(_DOES_WITHOUT.search, self._beside)):
            return ()
        return (path for path in self._project.tree.generated if not _ASIDE.search(path))


# where extensions may stay out of a build, or Cython writes them anew
_DOES_WITHOUT = re.compile(
    rb"def build_extension|optional|setup_requires|LIMITED_API|CYTHON_USE_PYLONG_INTERNALS"
)
_VARIABLE = re.compile(rb"\b(?:environ|getenv)\b")
_USES_2TO3 = re.compile(rb"use_2to3\b['\"\]\s]*=\s*True")
# what Cython's C is told to do without
_NO_INTERNALS = re.compile(rb"LIMITED_API|CYTHON_USE_PYLONG_INTERNALS")


def _paths(project: Project) -> frozenset[str]:
    """Return the files and folders of a project."""
    paths = set(project.tree.sizes)
    for path in project.tree.sizes:
        while (path := path.rpartition("/")[0]) and path not in paths:
            paths.add(path)
    return frozenset(paths)


# --------------------------------------------------------------------------- requirements


def _invalid(call: SetupCall) -> str:
    """Return what of the keywords of setup() is no valid requirement, in words."""
    lines = [
        *_lines(call.values.get("install_requires")),
        *_lines(call.values.get("setup_requires")),
    ]
    for more in call.table("extras_require").values():
        lines += _lines(more)
    python = call.values.get("python_requires")
    return _refused("setup.py", lines, python if isinstance(python, str) else "")


def _invalid_cfg(project: Project) -> str:
    """Return the same of setup.cfg."""
    texts = [project.cfg("options", "install_requires"), project.cfg("options", "setup_requires")]
    section = "options.extras_require"
    if project.setup_cfg.has_section(section):
        texts += (project.setup_cfg.get(section, e) for e in project.setup_cfg.options(section))
    # of one line it makes more, at semicolons
    lines = [line for text in texts if "\n" in text for line in _lines(text)]
    return _refused("setup.cfg", lines, project.cfg("options", "python_requires"))


def _refused(file: str, lines: Iterable[str], python: str) -> str:
    for line in itertools.islice(lines, _MOST_LINES):
        if not _is_requirement(line):
            return f"its {file} has the invalid requirement {line[:_SHOWN]!r}"
    try:
        reading.specifiers(python)
    except InvalidSpecifier:
        return f"its {file} has the invalid python_requires {python[:_SHOWN]!r}"
    return ""


@functools.lru_cache(maxsize=_MOST_LINES)  # the same lines are asked about for each Python
def _is_requirement(line: str) -> bool:
    try:
        reading.requirement(line)
    except InvalidRequirement:
        return False
    return True


def _lines(value: object) -> Iterator[str]:
    """Yield the requirements of a keyword, as setuptools reads them."""
    if isinstance(value, str):
        for line in map(str.strip, value.splitlines()):
            if line and not line.startswith(("#", "file:")) and not line.endswith("\\"):
                yield line.partition(" #")[0].strip()
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _lines(item)


def _pyo3(project: Project) -> Iterator[Failure]:
    """PyO3 refuses a Python that is newer than it knows, unless it builds for the stable ABI."""
    texts = project.tree.texts
    manifests = [text for path, text in texts.items() if path.endswith("Cargo.toml")]
    if any(b"abi3" in text for text in (*manifests, texts.get("pyproject.toml", b""))):
        return
    locks = [path for path in texts if path.endswith("Cargo.lock")]
    lock = texts[min(locks, key=lambda path: (path.count("/"), path))] if locks else b""
    versions = [v for text in _LOCKED_PYO3.findall(lock) if (v := _version(text.decode()))]
    if not versions:
        return
    newest = next((minor for least, minor in _PYO3_NEWEST if max(versions) >= least), None)
    if newest is not None:
        reason = f"its PyO3 {max(versions)} supports Python 3.{newest} at most"
        yield Failure(newest + 1, None, reason)


# --------------------------------------------------------------------------- build requirements


def _build_requires(project: Project) -> Mapping[str, list[Requirement]]:
    """Return the requirements of ``[build-system]`` by name; those with a marker may not count."""
    by_name: dict[str, list[Requirement]] = {}
    for line in text_list(project.table("build-system").get("requires")):
        try:
            requirement = reading.requirement(line)
        except InvalidRequirement:
            continue
        by_name.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return by_name


def _newest_allowed(requirements: Iterable[Requirement]) -> Version | None:
    """Return what no allowed version is newer than, None where there is no such limit.

    A version that is itself excluded is returned as its first development release.
    """
    limits: list[Version] = []
    for requirement in requirements:
        if requirement.marker is None:
            limits += filter(None, map(_limit, requirement.specifier))
    return min(limits, default=None)


def _limit(clause: Specifier) -> Version | None:
    number = _version(clause.version.removesuffix(".*"))
    if number is None:
        return None
    prefix = clause.version.endswith(".*")
    match clause.operator:
        case "<":
            return _version(f"{number.base_version}.dev0")
        case "<=" | "===":
            return number
        case "==" if not prefix:
            return number
        case "==" | "~=":
            kept = number.release if prefix else number.release[:-1]
            above = ".".join(map(str, (*kept[:-1], kept[-1] + 1)))
            return _version(f"{above}.dev0")
        case _:
            return None


@functools.lru_cache  # an archive's C files are all of a few
def _version(text: str) -> Version | None:
    try:
        return reading.version(text)
    except InvalidVersion:
        return None

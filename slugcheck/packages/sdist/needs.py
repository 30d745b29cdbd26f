"""What the build of a source archive cannot do without, and the Pythons on which it fails.

Read from its files, without running it, and only where it is certain: a requirement that a build
may go without is not named. What only a distribution's name tells is in ``packages/known.py``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from slugcheck import reading
from slugcheck.model import BuildNeed
from slugcheck.packages.sdist.project_files import Project, is_python_2, parse_setup, text_list

RUST, FORTRAN, GO = "cargo", "gfortran", "golang-go"
_FORTRAN_FILE = re.compile(r"\.(?:f|for|f77|f90|f95|f03|f08)$", re.IGNORECASE)
_ASIDE = re.compile(r"(?:^|/)(?:tests?|docs?|examples?|samples?|benchmarks?|contrib|f2py)/", re.I)

# From 1.9.0 on (2025-07), maturin downloads Rust where there is no cargo (its __init__.py).
_MATURIN_WITH_RUST = Version("1.9")
# setuptools 58.0.0 removed 2to3, 82.0.0 removed pkg_resources (its NEWS), and versions before
# 66.1.0 use pkgutil.ImpImporter, which Python 3.12 removed.
_NO_2TO3, _NO_PKG_RESOURCES, _ON_3_12 = Version("58"), Version("82"), Version("66.1")
_PKG_RESOURCES_MINOR = 9  # setuptools 82 needs Python 3.9
# pyo3-ffi/build.rs: the newest Python that each version accepts (SUPPORTED_VERSIONS_CPYTHON);
# versions before 0.20.3 do not look, and from 0.28.0 on one more is tried with a warning.
_PYO3_NEWEST = (
    (Version("0.28"), None), (Version("0.25"), 14), (Version("0.22"), 13), (Version("0.20.3"), 12),
)  # fmt: skip
_LOCKED_PYO3 = re.compile(rb'^name = "pyo3(?:-ffi)?"\r?\nversion = "([0-9.]+)"', re.MULTILINE)
# The minor version of Python 3 that removed a module of the standard library ("What's new").
_REMOVED_MODULES = dict.fromkeys(["asynchat", "asyncore", "imp", "smtpd"], 12) | dict.fromkeys(
    ["cgi", "cgitb", "crypt", "imghdr", "lib2to3", "nntplib", "pipes", "telnetlib"], 13
)
# What a build environment has whose requirements are these and nothing else.
_BARE_REQUIREMENTS = frozenset({"setuptools", "wheel"})
_BARE_MODULES = frozenset(
    {"setuptools", "pkg_resources", "distutils", "wheel", "pip", "__future__"}
)
_INSTALLS_ITSELF = re.compile(rb"\bpip\b|fetch_build_eggs|easy_install|subprocess|os\.system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a build needs, and ``failures``: (minor of Python 3, why it fails from that one on)."""

    packages: tuple[BuildNeed, ...] = ()
    failures: tuple[tuple[int, str], ...] = ()


def read_needs(project: Project) -> Needs:
    """Return what is certain about the build of a project."""
    return Needs(packages=tuple(_packages(project)), failures=tuple(_failures(project)))


# --------------------------------------------------------------------------- tools


def _packages(project: Project) -> Iterator[BuildNeed]:
    requires = _build_requires(project)
    if project.backend == "maturin":
        limit = _newest_allowed(requires.get("maturin", []))
        yield BuildNeed(package=RUST, fetched=limit is None or limit >= _MATURIN_WITH_RUST)
    elif _needs_setuptools_rust(project, requires):
        yield BuildNeed(package=RUST)
    if _needs_fortran(project):
        yield BuildNeed(package=FORTRAN)
    if "setuptools-golang" in requires and project.backend == "setuptools":
        yield BuildNeed(package=GO)


def _needs_setuptools_rust(project: Project, requires: Mapping[str, object]) -> bool:
    source = project.tree.texts.get("setup.py", b"")
    if b"optional" in source or not any(p.endswith("Cargo.toml") for p in project.tree.sizes):
        return False
    if project.table("tool", "setuptools-rust"):
        return "setuptools-rust" in requires
    imported = "setuptools_rust" in _first_imports(source)
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


def _failures(project: Project) -> Iterator[tuple[int, str]]:
    yield from _pyo3(project)
    if project.backend != "setuptools":
        return
    requires = _build_requires(project)
    limit = _newest_allowed(requires.get("setuptools", []))
    if limit is not None and limit < _ON_3_12:
        wanted = ",".join(str(requirement.specifier) for requirement in requires["setuptools"])
        yield 12, f"its build requires setuptools{wanted}, which fails on Python 3.12"
    source = project.tree.texts.get("setup.py")
    if source is None:
        return
    if (limit is None or limit >= _NO_2TO3) and project.setup_keywords.values.get("use_2to3"):
        yield 0, "its setup.py uses 2to3, which setuptools 58 removed"
    if is_python_2(source):
        yield 0, "its setup.py is written for Python 2"
        return
    first = _first_imports(source)
    if "pkg_resources" in first and (limit is None or limit >= _NO_PKG_RESOURCES):
        yield (
            _PKG_RESOURCES_MINOR,
            "its setup.py imports pkg_resources, which setuptools 82 removed",
        )
    for module in sorted(first & set(_REMOVED_MODULES)):
        minor = _REMOVED_MODULES[module]
        yield minor, f"its setup.py imports {module}, which Python 3.{minor} removed"
    if set(requires) <= _BARE_REQUIREMENTS and not _INSTALLS_ITSELF.search(source):
        missing = sorted(first - _at_hand(project))
        if missing:
            yield 0, f"its setup.py imports {missing[0]}, which its build environment does not have"


def _pyo3(project: Project) -> Iterator[tuple[int, str]]:
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
        yield newest + 1, f"its PyO3 {max(versions)} supports Python 3.{newest} at most"


def _at_hand(project: Project) -> frozenset[str]:
    """Return the modules that a bare build environment has, the archive's own among them."""
    # wherever they lie: a setup.py may extend sys.path
    own = {part.removesuffix(".py") for path in project.tree.sizes for part in path.split("/")}
    return frozenset(own | _BARE_MODULES | set(_REMOVED_MODULES) | sys.stdlib_module_names)


def _first_imports(source: bytes) -> frozenset[str]:
    """Return the top-level names that a setup.py always imports: under no condition, in no try."""
    tree = parse_setup(source)
    names: list[str] = []
    for node in tree.body if tree is not None else []:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return frozenset(name.partition(".")[0] for name in names)


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


def _version(text: str) -> Version | None:
    try:
        return reading.version(text)
    except InvalidVersion:
        return None

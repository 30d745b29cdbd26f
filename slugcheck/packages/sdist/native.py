"""Whether building a source archive compiles native code, and how large the result is, roughly.

Nothing is built. The answer comes from the build settings and the languages of the files; the size
from how large the wheels of such projects are per byte of source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from slugcheck.model import Inventory
from slugcheck.packages.sdist.project_files import Project

_LANGUAGES = {
    ".c": "C", ".cc": "C++", ".cpp": "C++", ".cxx": "C++", ".cu": "CUDA", ".pyx": "Cython",
    ".rs": "Rust", ".f": "Fortran", ".f90": "Fortran", ".f77": "Fortran", ".for": "Fortran",
    ".m": "Objective-C", ".mm": "Objective-C", ".i": "SWIG", ".go": "Go",
}  # fmt: skip
_ASIDE = re.compile(r"(?:^|/)(?:tests?|docs?|examples?|samples?|benchmarks?|contrib)/", re.I)

# Build backends that exist to compile; the value is how a sentence names them.
_COMPILING = {
    "maturin": "maturin", "mesonpy": "meson-python", "scikit_build_core": "scikit-build-core",
    "skbuild": "scikit-build", "sipbuild": "sip", "py_build_cmake": "py-build-cmake",
    "enscons": "enscons", "setuptools_rust": "setuptools-rust",
}  # fmt: skip
_BUILD_TOOLS = frozenset(
    {"cython", "pybind11", "nanobind", "setuptools-rust", "cmake", "ninja", "meson", "cffi", "swig"}
)
_EXTENSION_KEYWORDS = (
    "ext_modules", "cffi_modules", "rust_extensions", "libraries",
    "configuration",  # numpy.distutils
)  # fmt: skip
_EXTENSION_TEXT = re.compile(
    rb"ext_modules|\bExtension\s*\(|cythonize|RustExtension|cffi_modules|build_ext|CMakeExtension"
)
_BUNDLED = re.compile(r"^[^/]+\.libs/|/\.(?:dy)?libs/")  # auditwheel's, old and new, and delocate's
_OWN_COMMANDS = ("cmdclass", "distclass")
# Measured on 2026-11-23: 96 projects with native sources and a manylinux x86_64 wheel, .so files
# of the wheel (bundled libraries aside) against native_sources() of the same version's archive.
# Bytes of .so for each byte of source, by least absolute log error; 80 % of the projects lie
# between 0.26 and 3.4 times what this says. Cython expands most; a Rust library brings its crates.
_SO_BYTES_PER_SOURCE_BYTE = {"Cython": 39.0, "Rust": 4.0}
_OTHER_SO_BYTES_PER_SOURCE_BYTE = 3.0
_LEAST_BYTES = 33_000
_LEAST_RUST_BYTES = 690_000
_LOW_FACTOR, _HIGH_FACTOR = 0.25, 3.5
SO_DEFLATE_RATIO = 0.32  # median of the same wheels; 0.26 to 0.42 for 80 % of them


def native_sources(project: Project) -> Mapping[str, int]:
    """Return the bytes of native sources by language, tests and documentation left out.

    C that Cython has made from a ``.pyx`` beside it is counted once, as Cython.
    """
    totals: dict[str, int] = {}
    sizes = project.tree.sizes
    for path, size in sizes.items():
        stem, dot, suffix = path.rpartition(".")
        language = _LANGUAGES.get(dot + suffix.lower())
        if language is None or _ASIDE.search(path):
            continue
        if language in ("C", "C++") and f"{stem}.pyx" in sizes:
            continue
        totals[language] = totals.get(language, 0) + size
    return totals


def native_reason(project: Project, sources: Mapping[str, int]) -> str | None:
    """Return in words why a build compiles, or None for a project of Python alone."""
    tools = _build_requires(project)
    languages = " and ".join(sorted(sources, key=lambda name: -sources[name])[:2])
    backend = _COMPILING.get(project.backend)
    if backend is None and project.table("tool", "maturin"):
        backend = "maturin"
    if backend and (languages or "Cargo.toml" in project.tree.sizes):
        return f"{languages or 'Rust'} built by {backend}"
    if _setup_compiles(project) and (languages or "cython" in tools):
        return f"{languages or 'Cython'} built by its setup.py"
    if not languages:
        return None
    if project.table("tool", "setuptools").get("ext-modules"):
        return f"{languages} built by setuptools"
    if project.table("tool", "poetry").get("build"):
        return f"{languages} built by its Poetry build script"
    return f"{languages} built with {min(tools)}" if tools else None


def _build_requires(project: Project) -> frozenset[str]:
    """Return those tools that compile which the build asks for."""
    listed = project.table("build-system").get("requires")
    names = [
        re.split(r"[^A-Za-z0-9._-]", line.strip(), maxsplit=1)[0].lower().replace("_", "-")
        for line in (listed if isinstance(listed, list) else [])
        if isinstance(line, str)
    ]
    return _BUILD_TOOLS.intersection(names)


def _setup_compiles(project: Project) -> bool:
    source = project.tree.texts.get("setup.py")
    if source is None:
        return False
    call = project.setup_call
    if call is None:
        return bool(_EXTENSION_TEXT.search(source))
    if any(call.has(keyword) for keyword in _EXTENSION_KEYWORDS):
        return True
    if call.open_ended and _EXTENSION_TEXT.search(source):
        return True
    return any(call.has(keyword) for keyword in _OWN_COMMANDS) and not _mostly_python(project)


def _mostly_python(project: Project) -> bool:
    # a build command of its own may do anything; what the archive mainly holds decides
    python = sum(size for path, size in project.tree.sizes.items() if path.endswith(".py"))
    return sum(native_sources(project).values()) < python


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeSize:
    """Bytes of compiled code: a guess, and the span that four in five such projects fall into."""

    value: int
    low: int
    high: int


def estimate(sources: Mapping[str, int]) -> NativeSize:
    """Return how large the compiled code becomes, from the bytes of its sources by language."""
    value = float(_LEAST_RUST_BYTES if "Rust" in sources else _LEAST_BYTES)
    for language, size in sources.items():
        factor = _SO_BYTES_PER_SOURCE_BYTE.get(language, _OTHER_SO_BYTES_PER_SOURCE_BYTE)
        value += factor * size
    return NativeSize(
        value=int(value), low=int(value * _LOW_FACTOR), high=int(value * _HIGH_FACTOR)
    )


def as_built(inventory: Inventory) -> Inventory:
    """Return a wheel's inventory without the libraries that were bundled into it afterwards.

    A build on the platform links the system's libraries instead of copying them.
    """
    kept = tuple(entry for entry in inventory.entries if not _BUNDLED.search(entry.path))
    return replace(inventory, entries=kept)

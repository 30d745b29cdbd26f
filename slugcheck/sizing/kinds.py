"""The kind of a file, from its path: for the breakdown and for the size models.

Paths use ``/`` and are relative to any folder above the package (site-packages, the prefix).
Nothing is read from disk, and every path is accepted.
"""

from __future__ import annotations

import re
from enum import StrEnum

from slugcheck.model import Kind

_NATIVE = re.compile(r"\.(?:so(?:\.\d+)*|pyd|dylib|dll|a|lib|o|exe)$", re.IGNORECASE)
# "testing" is left out: numpy.testing, sqlalchemy.testing and the like are imported at run time.
_TESTS = re.compile(r"(?:^|/)(?:tests?|_tests?)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$")
_METADATA = re.compile(r"\.(?:dist-info|egg-info)(?:/|$)")
# For the bytecode model "testing" does count: its code is written like tests.
_LIKE_TESTS = re.compile(r"(?:^|/)_?testing/")

_PROGRAMS = re.compile(r"(?:^|/)(?:bin|scripts)/[^/]*$")

# Files that deflate as text does, Python aside. A .mo catalogue is text with an index.
_TEXT_SUFFIXES = frozenset(
    "asc bat bib c cc cfg cjs cmake cmd conf cpp cs css csv cu cuh cxx dtd f f90 geojson graphql"
    " h hh hpp htm html hxx in ini ipp ipynb j2 jinja jinja2 js json jsonl jsx lark less lock log"
    " m4 map md mjs mo pc pl po pot proto ps1 pxd pxi pyx r rnc rng rs rst sass scss sh sql svg"
    " template tex tmpl toml ts tsv tsx txt typed vue wsdl xml xsd xsl xslt yaml yml".split()
)


class SlugGroup(StrEnum):
    """Which part of the slug model a file belongs to."""

    PYTHON = "py"
    TEXT = "txt"
    REST = "rest"


class SourceClass(StrEnum):
    """Which part of the bytecode model a source belongs to."""

    TESTS = "tests"
    INIT = "init"
    OTHER = "other"


def kind_of(path: str) -> Kind:
    """Return the kind of a file in the breakdown: the first match, in this order.

    Metadata (``*.dist-info``, ``*.egg-info``), bytecode, native code by suffix (in any folder,
    so that stripping shows), tests (folders ``test``, ``tests``, ``_test``, ``_tests`` and
    files ``test_*.py``, ``*_test.py``, ``conftest.py``; not ``testing``, which is API), Python,
    and data for the rest.
    """
    if _METADATA.search(path):
        return Kind.METADATA
    if path.endswith((".pyc", ".pyo")):
        return Kind.BYTECODE
    if _NATIVE.search(path):
        return Kind.NATIVE
    if _TESTS.search(path):
        return Kind.TESTS
    return Kind.PYTHON if path.endswith((".py", ".pyi")) else Kind.DATA


def slug_group(path: str) -> SlugGroup:
    """Return the group of a file in the slug model (``compression``).

    A name without suffix is text (LICENSE), but not in a folder of programs.
    """
    if path.endswith((".py", ".pyi")):
        return SlugGroup.PYTHON
    if _METADATA.search(path):
        return SlugGroup.TEXT
    name = path.rpartition("/")[2]
    stem, _, suffix = name.rpartition(".")
    text = suffix.lower() in _TEXT_SUFFIXES if stem else not _PROGRAMS.search(path)
    return SlugGroup.TEXT if text else SlugGroup.REST


def source_class(path: str) -> SourceClass:
    """Return the class of a ``.py`` file in the bytecode model (``bytecode``)."""
    if _TESTS.search(path) or _LIKE_TESTS.search(path):
        return SourceClass.TESTS
    return SourceClass.INIT if path.endswith("/__init__.py") else SourceClass.OTHER

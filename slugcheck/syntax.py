"""The parsers that strangers' text goes through, each with bounds that no honest text reaches.

TOML, JSON and packaging's grammars of requirements, markers, versions and filenames. A text beyond
its bound is as wrong as one that does not parse, and raises the same error: none of them recurses
without end, takes more than linear time, or raises anything else. Lengths are in characters.

The largest in 93 requirements, lock and project files of pypa/warehouse, mozilla/treeherder,
saleor, prefect, onyx and of old Heroku apps: a requirement of 179 characters, a marker of 218, a
version of 17, a wheel's filename of 124 with 6 tags, a TOML key of 7 parts.
"""

from __future__ import annotations

import json as _json
import re
import tomllib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import (
    BuildTag,
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

LONGEST_REQUIREMENT = 65_536
LONGEST_MARKER = 65_536
LONGEST_SPECIFIER = 16_384
LONGEST_VERSION = 256
LONGEST_FILENAME = 255  # NAME_MAX of Linux
MOST_TAGS = 1_000  # a wheel's name multiplies its parts: three of 80 are half a million
DEEPEST_MARKER = 40
MOST_KEY_PARTS = 16  # of a dotted TOML key; tomllib's work grows with their square

WheelName = tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]

_LONG_NUMBER = re.compile(r"0[xob][0-9a-fA-F_]{256}")
_MOST_BITS = 1_024
# What packaging takes for a version until it compares it: Python converts no more than 4,300.
_MANY_DIGITS = re.compile(r"[0-9]{1000}")

# A token of TOML. Each matches something wherever it is tried, so that the text is read once.
_TOML_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5}|\Z)?'
    r"|'''(?:[^']|'(?!''))*+(?:'{3,5}|\Z)?"
    r'|"(?:[^"\\\n]|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+"
    r"|(?P<dot>[ \t]*+\.[ \t]*+)"
    r"|(?P<word>[A-Za-z0-9_-]++)"
    r"|.",
    re.DOTALL,
)


def toml(text: str) -> dict[str, Any]:
    """Return a TOML document.

    :raises ValueError: it is none, or nested or dotted beyond what a real one is; the sentence
        names the line where there is one.
    """
    if any(line.count(".") >= MOST_KEY_PARTS for line in text.split("\n")):
        _check_keys(text)
    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    # decimal numbers have a limit in Python, others fail only when they are shown
    if _LONG_NUMBER.search(text) and any(map(_is_huge, _leaves(found))):
        raise ValueError("a number has too many digits")
    return found


def _leaves(document: object) -> Iterator[object]:
    todo = [document]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            todo += one.values()
        elif isinstance(one, list):
            todo += one
        else:
            yield one


def _is_huge(value: object) -> bool:
    return isinstance(value, int) and value.bit_length() > _MOST_BITS


def _check_keys(text: str) -> None:
    """Refuse dotted names of too many parts, wherever they stand outside of strings."""
    parts = 0
    for token in _TOML_TOKEN.finditer(text):
        if token["dot"]:
            parts += 1
        elif not (token["word"] or token[0][0] in "\"'"):
            parts = 0
        if parts >= MOST_KEY_PARTS:
            line = text.count("\n", 0, token.start()) + 1
            raise ValueError(f"a key of more than {MOST_KEY_PARTS} parts (at line {line})")


def json(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    :raises ValueError: it is none, or nested beyond what can be read.
    """
    try:
        return _json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def requirement(text: str) -> Requirement:
    """Return a PEP 508 requirement.

    :raises InvalidRequirement: it is none.
    """
    if len(text) > LONGEST_REQUIREMENT:
        raise InvalidRequirement(f"it is longer than {LONGEST_REQUIREMENT:,} characters")
    if _MANY_DIGITS.search(text):
        raise InvalidRequirement("a number in it has too many digits")
    _, semicolon, condition = text.partition(";")
    if semicolon and _too_deep(condition):
        raise InvalidRequirement("its marker is nested too deeply")
    try:
        return Requirement(text)
    except InvalidRequirement:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidRequirement(str(error)) from None


def marker(text: str) -> Marker:
    """Return an environment marker.

    :raises InvalidMarker: it is none.
    """
    if len(text) > LONGEST_MARKER:
        raise InvalidMarker(f"it is longer than {LONGEST_MARKER:,} characters")
    if _too_deep(text):
        raise InvalidMarker("it is nested too deeply")
    if _MANY_DIGITS.search(text):
        raise InvalidMarker("a number in it has too many digits")
    try:
        return Marker(text)
    except InvalidMarker:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidMarker(str(error)) from None


def _too_deep(text: str) -> bool:
    depth = 0
    for character in text if text.count("(") > DEEPEST_MARKER else "":
        depth += (character == "(") - (character == ")")
        if depth > DEEPEST_MARKER:
            return True
    return False


def specifiers(text: str) -> SpecifierSet:
    """Return a set of version specifiers.

    :raises InvalidSpecifier: it is none.
    """
    if len(text) > LONGEST_SPECIFIER:
        raise InvalidSpecifier(f"it is longer than {LONGEST_SPECIFIER:,} characters")
    if _MANY_DIGITS.search(text):
        raise InvalidSpecifier("a number in it has too many digits")
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise InvalidSpecifier(str(error)) from None


def version(text: str) -> Version:
    """Return a version.

    :raises InvalidVersion: it is none.
    """
    if len(text) > LONGEST_VERSION:
        raise InvalidVersion(f"it is longer than {LONGEST_VERSION} characters")
    return Version(text)


def wheel_filename(text: str) -> WheelName:
    """Return name, version, build and tags of a wheel's filename.

    :raises InvalidWheelFilename: it is none.
    """
    check_wheel_filename(text)
    try:
        return parse_wheel_filename(text)
    except InvalidWheelFilename:
        raise
    except ValueError as error:  # its version
        raise InvalidWheelFilename(str(error)) from None


def check_wheel_filename(text: str) -> None:
    """Check that a wheel's filename is within bounds; whether it is valid is not looked at.

    :raises InvalidWheelFilename: it is too long, or stands for too many tags.
    """
    if len(text) > LONGEST_FILENAME:
        raise InvalidWheelFilename(f"it is longer than {LONGEST_FILENAME} characters")
    tags = 1
    for part in text.removesuffix(".whl").rsplit("-", 3)[1:]:
        tags *= part.count(".") + 1
    if tags > MOST_TAGS:
        raise InvalidWheelFilename(f"it has more than {MOST_TAGS:,} tags")


def sdist_filename(text: str) -> tuple[NormalizedName, Version]:
    """Return name and version of a source archive's filename.

    :raises InvalidSdistFilename: it is none.
    """
    if len(text) > LONGEST_FILENAME:
        raise InvalidSdistFilename(f"it is longer than {LONGEST_FILENAME} characters")
    try:
        return parse_sdist_filename(text)
    except InvalidSdistFilename:
        raise
    except ValueError as error:
        raise InvalidSdistFilename(str(error)) from None


def last_part(url: str) -> str:
    """Return the filename at the end of a URL or a path; "" where it has none."""
    try:
        path = urlsplit(url).path
    except ValueError:  # half a pair of brackets
        return ""
    return unquote(path).rstrip("/").rpartition("/")[2]

"""Stub wheels: metadata only, so that a resolver can get past a source archive.

A stub represents one version of a distribution that has no wheel for the target. It lies in a
``--find-links`` folder and is recognised by its build tag. Its dependencies are those that the
archive states without being run.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import InvalidWheelFilename, canonicalize_name
from packaging.version import Version

from slugcheck import reading
from slugcheck.errors import MeasureError

_BUILD_NUMBER = 0
_BUILD_NAME = "slugcheck"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)

# Forms that old releases bear and no tool of today takes; the same repairs as uv makes.
_REPAIRS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"""(?<=[=<>~!])\s*(['"])([^'"]*)\1"""), r"\2"),  # >= '2.7'
    (re.compile(r",\s*(?=$|\)|;)"), ""),  # trailing comma
    (re.compile(r"(\d(?:\.\*)?)\s+(?=[<>=!~])"), r"\1,"),  # >=1.9 <2.0
    (re.compile(r"!=\s*~\s*([\d.]*\d)"), r"!=\1.*"),  # !=~5.0
    (re.compile(r">=?\s*\*"), ""),  # >=*
    (re.compile(r">=?\s*dev\b"), ""),  # every version is newer than "dev" was
    (re.compile(r"([=!]=\s*[\d.]*\d)\*"), r"\1.*"),  # ==5.0*
    (re.compile(r"((?:>=|<=|>|<|~=)\s*\d+(?:\.\d+)*)(?:\.?\*)"), r"\1"),  # >=5.*
    (re.compile(r"(\d)\.(?=$|[,;)\s])"), r"\1"),  # >=5.
    (re.compile(r"(?<=[\w\])])\s*=\s*(?=\d)(?<![=<>!~]=)"), "=="),  # foo=1.0
    (re.compile(r",\s*,"), ","),
)


_LONGEST_REPAIRED = 1_000  # characters; the longest of a real project has 179


class StubError(MeasureError):
    """A stub's metadata cannot be made valid."""


def repair_requirement(line: str) -> str | None:
    """Return a dependency in valid PEP 508 form, or None when it cannot be made valid.

    Old forms are repaired: ``foo>=1.0,``, ``foo>dev``, ``foo>=2.*``, ``foo>=1 <2``.
    """
    for attempt in _attempts(line):
        try:
            return str(reading.requirement(attempt))
        except InvalidRequirement:
            continue
    return None


def repair_specifier(text: str) -> str | None:
    """Return a ``Requires-Python`` in valid form, or None when it cannot be made valid."""
    for attempt in _attempts(text):
        try:
            return str(reading.specifiers(attempt))
        except InvalidSpecifier:
            continue
    return None


def _attempts(text: str) -> Iterable[str]:
    # A marker is kept out of the repairs: quotes and single "=" are right there.
    head, semicolon, marker = text.strip().partition(";")
    yield text
    if len(head) > _LONGEST_REPAIRED:
        return
    for pattern, replacement in _REPAIRS:
        repaired = pattern.sub(replacement, head)
        if repaired != head:
            head = repaired.strip()
            yield f"{head} {semicolon}{marker}"


def write_stub(
    folder: Path,
    *,
    name: str,
    version: str,
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
) -> Path:
    """Write the stub of one version into ``folder`` and return its path.

    ``requires`` are PEP 508 lines; old forms are repaired. The same input gives the same bytes.

    :raises StubError: a dependency or ``version`` has a form that cannot be repaired.
    """
    project, number = _parts(name, version)
    stem = f"{project}-{number}"
    texts = {
        "METADATA": _metadata(project, number, requires, extras),
        "WHEEL": "Wheel-Version: 1.0\nGenerator: slugcheck\nRoot-Is-Purelib: true\n"
        f"Build: {_BUILD_NUMBER}{_BUILD_NAME}\nTag: py3-none-any\n",
    }
    files = {f"{stem}.dist-info/{key}": text.encode() for key, text in texts.items()}
    record = f"{stem}.dist-info/RECORD"
    files[record] = _record(files, record)
    path = folder / f"{stem}-{_BUILD_NUMBER}{_BUILD_NAME}-py3-none-any.whl"
    _write_zip(path, files)
    return path


def is_stub(filename: str) -> bool:
    """Return True for the filename of a stub."""
    return stub_of(filename) is not None


def stub_of(filename: str) -> tuple[str, Version] | None:
    """Return the canonical name and the version a stub stands for; None for any other file."""
    try:
        name, version, build, _ = reading.wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    return (name, version) if build == (_BUILD_NUMBER, _BUILD_NAME) else None


def _parts(name: str, version: str) -> tuple[str, str]:
    try:
        return canonicalize_name(name, validate=True).replace("-", "_"), str(
            reading.version(version)
        )
    except ValueError:
        raise StubError(f"{name} {version} has an invalid name or version") from None


def _metadata(project: str, version: str, requires: Sequence[str], extras: Sequence[str]) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {project}", f"Version: {version}"]
    for line in requires:
        repaired = repair_requirement(line)
        if repaired is None:
            raise StubError(f"{project} {version} has the invalid dependency {line!r}")
        lines.append(f"Requires-Dist: {repaired}")
    lines += [f"Provides-Extra: {_extra(extra)}" for extra in extras]
    return "\n".join(lines) + "\n"


def _extra(name: str) -> str:
    try:
        return canonicalize_name(name, validate=True)
    except ValueError:
        raise StubError(f"the extra name {name!r} is invalid") from None


def _record(files: dict[str, bytes], record: str) -> bytes:
    rows = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in files.items()]
    return "".join(f"{row}\n" for row in [*rows, f"{record},,"]).encode()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _write_zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), data)

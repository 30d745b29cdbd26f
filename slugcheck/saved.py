"""A saved report read back: what a comparison needs of it, every value's type checked.

Knows the document's form (document.py writes it) and nothing of how its values came to be.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from slugcheck import reading, syntax
from slugcheck.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
SCHEMA = 1
_HINT = "make one with: slugcheck FILE --format json --output report.json"
_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTool:
    """What made a saved report."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSubject:
    """What a saved report is about."""

    path: str
    kind: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTarget:
    """What a saved report was made for."""

    platform: str
    title: str
    size_figure: str
    stack: str
    python: str
    python_full: str
    arch: str
    dyno: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTotals:
    """The sums of a saved report; ``installed_bytes`` are the distributions' alone."""

    distributions: int
    files: int
    download_bytes: int
    installed_bytes: int
    bytecode_bytes: int
    dependencies_slug_bytes: int
    runtime_bytes: int
    runtime_slug_bytes: int
    app_bytes: int
    app_slug_bytes: int
    model_bytes: int
    model_slug_bytes: int
    all_installed_bytes: int
    all_installed_low_bytes: int
    all_installed_high_bytes: int
    slug_bytes: int
    slug_low_bytes: int
    slug_high_bytes: int
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDistribution:
    """One distribution of a saved report."""

    name: str
    version: str
    direct: bool
    required_by: tuple[str, ...]
    download_bytes: int | None
    installed_bytes: int
    installed_low_bytes: int
    installed_high_bytes: int
    bytecode_bytes: int
    slug_bytes: int
    slug_low_bytes: int
    slug_high_bytes: int
    files: int
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedModel:
    """A model file of a saved report."""

    path: str
    bytes: int
    slug_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedVerdict:
    """One verdict of a saved report; ``measured`` is None when there was no figure."""

    budget: str
    status: str
    gates: bool
    measured: int | float | None
    limit: int
    limit_text: str
    unit: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedUnsized:
    """What a saved report could not size."""

    name: str
    version: str | None
    reason: str
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRequirement:
    """One line of the requirements file of a saved report; ``name`` is "" for a bare URL."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A saved report. Fields have the names and the values of the JSON text; ``label`` is ours."""

    label: str
    schema: int
    tool: SavedTool
    subject: SavedSubject
    target: SavedTarget
    requirements: tuple[SavedRequirement, ...]
    totals: SavedTotals
    distributions: tuple[SavedDistribution, ...]
    models: tuple[SavedModel, ...]
    unsized: tuple[SavedUnsized, ...]
    verdicts: tuple[SavedVerdict, ...]


def text_of(path: Path) -> str | None:
    """Return the text of a saved report; None where the file is something else.

    :raises UsageError: it cannot be read, is a link out of its checkout, or too large.
    """
    try:
        top = reading.top_of(path)
        content = reading.read(path, within=top, limit=reading.SAVED_REPORT)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="check its permissions") from None
    if path.suffix.lower() == ".json" or content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return content.decode("utf-8-sig", "replace")
    return None


def loads(text: str, label: str) -> Document:
    """Read a saved report; ``label`` names it in messages.

    :raises UsageError: it is no report of slugcheck, its schema is another, or a value is wrong.
    """
    return read(Document, text, label, hint=_HINT)


def read(kind: type[T], text: str, label: str, *, hint: str) -> T:
    """Read a saved document of a kind, whose fields are the values of the JSON text and ``label``.

    :raises UsageError: it is none of slugcheck, its schema is another, or a value is wrong.
    """
    try:
        raw = syntax.json(text)
    except ValueError:
        raise UsageError(f"{label} is not JSON", hint=hint) from None
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if type(schema) is not int:
        raise UsageError(f"{label} is no report of slugcheck", hint=hint)
    if schema != SCHEMA:
        made = "a newer slugcheck; update this one" if schema > SCHEMA else "an older slugcheck"
        message = f"{label} has schema {schema}, and this version reads schema {SCHEMA}"
        raise UsageError(message, hint=f"it comes from {made}, or make the report again")
    try:
        return _record(kind, raw | {"label": label}, "")
    except _Wrong as wrong:
        raise UsageError(f"{label}: {wrong}", hint=hint) from None


# --------------------------------------------------------------------------- checking


class _Wrong(Exception):
    """A value that is not what its field holds; the sentence has the path to it."""


def _record(kind: type[T], value: object, path: str) -> T:
    if not isinstance(value, dict):
        raise _Wrong(f"{path[1:]} is not an object")
    missing = [field.name for field in fields(kind) if field.name not in value]
    if missing:
        raise _Wrong(f"{f'{path}.{missing[0]}'[1:]} is missing")
    hints = get_type_hints(kind)
    return kind(
        **{
            field.name: _value(hints[field.name], value[field.name], f"{path}.{field.name}")
            for field in fields(kind)
        }
    )


def _value(kind: Any, value: object, path: str) -> object:
    """Return a value as its field's type wants it: exactly that type, so no bool for an int."""
    if is_dataclass(kind) and isinstance(kind, type):
        return _record(kind, value, path)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _Wrong(f"{path[1:]} is not a list")
        member = get_args(kind)[0]
        return tuple(_value(member, one, f"{path}[{n}]") for n, one in enumerate(value))
    allowed = get_args(kind) if get_origin(kind) is UnionType else (kind,)
    record = next((one for one in allowed if is_dataclass(one)), None)
    if record is not None:
        return None if value is None else _value(record, value, path)
    if type(value) not in allowed:
        wanted = " or ".join(_WORDS[one] for one in allowed if one is not NoneType)
        raise _Wrong(f"{path[1:]} is not {wanted}")
    return value

"""Saved documents: their text and their schemas; each kind is loaded when it is asked for."""

from __future__ import annotations

import json
import re
import threading
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, structs

from slugcheck import reading
from slugcheck.errors import UsageError
from slugcheck.model.document.report import ReportDocument
from slugcheck.model.platform import BundleKind
from slugcheck.text import printable, without_credentials

SCHEMA: Final = 1
_LARGEST_SHOWN = 10**9  # a wrong schema number that a message repeats
REPORT_HINT = "make one with: slugcheck FILE --format json --output report.json"
# Where each kind of document is: its module, and its record.
_KINDS = {
    "report": ("report", "ReportDocument"),
    "matrix": ("matrix", "MatrixDocument"),
    "comparison": ("comparison", "ComparisonDocument"),
    "why": ("why", "WhyDocument"),
    "bench": ("bench", "BenchDocument"),
    "rehearsal": ("rehearsal", "RehearsalDocument"),
    "rehearsals": ("rehearsal", "RehearsalsDocument"),
}
KINDS = tuple(_KINDS)
# Two threads that read values of a type for the first time at once end msgspec 0.22 with a
# segmentation fault.
_READING = threading.Lock()

Document = Struct  # of any kind
D = TypeVar("D", bound=Document)


def dumps(document: Document) -> str:
    """Return a document as JSON: keys sorted, escaped to ASCII and so safe in any log."""
    plain = msgspec.to_builtins(document)
    text = json.dumps(plain, indent=2, sort_keys=True, allow_nan=False)
    if not getattr(document, "QUOTES", False):
        return text
    return without_credentials(text)  # it stops at blanks, so never removes more than a string


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of document, one of ``KINDS``."""
    module, name = _KINDS[kind]
    record = getattr(import_module(f"slugcheck.model.document.{module}"), name)
    json_schema = msgspec.json.schema(record)
    for part in json_schema["$defs"].values():  # docstrings become plain text
        part["description"] = " ".join(part["description"].split()).replace("``", "`")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **json_schema}


def content_of(path: Path, *, hint: str = "check its permissions") -> bytes:
    """Return the content of a saved document.

    :raises UsageError: it cannot be read, is a link out of its checkout, or too large.
    """
    try:
        top = reading.top_of(path)
        return reading.read(path, within=top, limit=reading.SAVED_REPORT)
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint=hint) from None


def text_of(path: Path) -> str | None:
    """Return the text of a saved report; None where the file is something else.

    :raises UsageError: it cannot be read, is a link out of its checkout, or too large.
    """
    content = content_of(path)
    if path.suffix.lower() == ".json" or content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return content.decode("utf-8-sig", "replace")
    return None


def loads(kind: type[D], text: str, label: str, *, hint: str = REPORT_HINT) -> D:
    """Read a saved document of a kind; ``label`` names it in messages. Unknown names are ignored.

    :raises UsageError: it is not from slugcheck, has another schema or an invalid value.
    """
    try:
        raw = reading.json(text)
    except ValueError:
        raise UsageError(f"{label} is not JSON", hint=hint) from None
    number = raw.get("schema") if isinstance(raw, dict) else None
    if type(number) is not int:
        raise UsageError(f"{label} is not a report of slugcheck", hint=hint)
    if number != SCHEMA:
        made = "a newer slugcheck; update this one" if number > SCHEMA else "an older slugcheck"
        shown = number if abs(number) < _LARGEST_SHOWN else "of many digits"
        message = f"{label} has schema {shown}; this version reads schema {SCHEMA}"
        raise UsageError(message, hint=f"it was made by {made}, or make the report again")
    if kind is ReportDocument and "matrix" in raw:
        message = f"{label} has several targets"
        raise UsageError(message, hint="name a report of one of them")
    try:
        with _READING:
            saved = msgspec.convert(raw, kind)
        if isinstance(saved, ReportDocument) and "bundle_bytes" not in raw["totals"]:
            return _with_bundles(saved)
        return saved
    except msgspec.ValidationError as error:
        raise UsageError(f"{label}: {_mistake(str(error))}", hint=hint) from None
    except UnicodeError:  # a name with half of a surrogate pair
        raise UsageError(f"{label} is not JSON", hint=hint) from None


def _with_bundles(report: D) -> D:
    """Fill in what reports of version 0.1 lack: they counted the slug, or all installed."""
    assert isinstance(report, ReportDocument)  # noqa: S101 - the caller has looked
    totals, by_slug = report.totals, report.target.size_figure == "slug"
    packed = totals.slug_bytes, totals.slug_low_bytes, totals.slug_high_bytes
    installed = (
        totals.all_installed_bytes,
        totals.all_installed_low_bytes,
        totals.all_installed_high_bytes,
    )
    value, low, high = packed if by_slug else installed
    rows = []
    for row in report.distributions:
        own = row.slug_bytes, row.slug_low_bytes, row.slug_high_bytes
        whole = row.installed_bytes, row.installed_low_bytes, row.installed_high_bytes
        names = "bundle_bytes", "bundle_low_bytes", "bundle_high_bytes"
        counted = zip(names, own if by_slug else whole, strict=True)
        rows.append(structs.replace(row, **dict(counted)))
    kind = BundleKind.GZIP_TAR if by_slug else BundleKind.UNZIPPED
    figure = "slug" if by_slug else "bundle"
    return structs.replace(
        report,
        target=structs.replace(report.target, bundle_kind=kind, size_figure=figure),
        distributions=tuple(rows),
        totals=structs.replace(
            totals,
            dependencies_bundle_bytes=totals.dependencies_slug_bytes
            if by_slug
            else totals.installed_bytes,
            bundle_bytes=value,
            bundle_low_bytes=low,
            bundle_high_bytes=high,
        ),
    )


_WORDS = {
    "str": "a string", "int": "a whole number", "float": "a number", "bool": "true or false",
    "array": "a list", "object": "an object",
}  # fmt: skip
_MISTAKE = re.compile(r"(.*?)(?: - at `(?:key in `)?\$\.?([^`]*)`+)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_RANGE = re.compile(r"Expected `\w+` [<>]|.* out of range")
_WRONG_TYPE = re.compile(r"Expected `([^`]+)`, got .*")


def _mistake(error: str) -> str:
    """Return what msgspec says of a value in plain words, led by the value's path."""
    match = _MISTAKE.fullmatch(error)
    complaint, path = (match[1], match[2] or "") if match else (error, "")
    if missing := _MISSING.fullmatch(complaint):
        return f"{f'{path}.{missing[1]}'.lstrip('.')} is missing"
    if wrong := _WRONG_TYPE.fullmatch(complaint):
        words = [_WORDS.get(name, name) for name in wrong[1].split(" | ") if name != "null"]
        return f"{path} is not {' or '.join(words)}"
    if complaint.startswith("Invalid enum value"):
        return f"{path} has an unknown value"
    return f"{path} is {'out of range' if _RANGE.match(complaint) else 'not valid'}"

"""The published JSON Schemas, and documents held against them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs

SCHEMAS = Path(__file__).parent.parent.parent / "docs" / "schemas"


@cache
def validator(name: str) -> Any:
    """The validator of a schema: ``report-1``, ``comparison-1``, ``why-1``, ``bench-1``, …"""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


@cache
def _quick(name: str) -> Any:
    """A validator that takes 0.2 ms where the other takes 20; it says less of what is wrong."""
    return jsonschema_rs.Draft202012Validator(validator(name).schema)


def kind(document: Any) -> str:
    """The kind of a document of slugcheck, by the names that only this kind has."""
    names = {
        "kind": "bench", "differences": "comparison", "standing": "why", "matrix": "matrix",
    }  # fmt: skip
    if (own := str(document.get("kind", ""))).startswith("rehearsal"):
        return own
    return next((found for name, found in names.items() if name in document), "report")


@lru_cache(maxsize=64)  # a test reads its document more than once
def read(text: str) -> Callable[[], Any]:
    """Return what reads a text, which is held against its schema once, into a document."""
    held(json.loads(text))
    return partial(json.loads, text)


def held(document: Any) -> Any:
    """Return a document that its schema describes, with every name that the schema has."""
    name = f"{kind(document)}-1"
    schema = validator(name)
    if not _quick(name).is_valid(document):
        schema.validate(document)  # which says what is wrong
        raise AssertionError("the two validators disagree")
    root = schema.schema["$defs"][schema.schema["$ref"].rpartition("/")[2]]
    assert set(document) == set(root["properties"])
    return document

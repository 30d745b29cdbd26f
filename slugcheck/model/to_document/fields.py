"""What all documents are made with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from msgspec import Struct

from slugcheck.text import without_credentials

S = TypeVar("S", bound=Struct)


def copied(kind: type[S], source: object, /, **others: Any) -> S:
    """Return a record with the fields of the same name of ``source``, and others."""
    names = (name for name in kind.__struct_fields__ if name not in others)
    return kind(**{name: getattr(source, name) for name in names}, **others)


def clean(texts: Iterable[str]) -> tuple[str, ...]:
    """Return texts without the credentials of URLs."""
    return tuple(without_credentials(text) for text in texts)

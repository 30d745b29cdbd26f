"""The biggest folders among an app's files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from slugcheck.model import FolderSize

_MOST = 8
# A folder gives way to the one in it that has this part of it: static/img/ says more than static/.
_DOMINATES = 0.8


@dataclass(slots=True)
class _Sum:
    files: int = 0
    bytes: int = 0
    slug: int = 0
    inner: dict[str, _Sum] = field(default_factory=dict)

    def add(self, size: int, share: int) -> None:
        self.files += 1
        self.bytes += size
        self.slug += share


def biggest(files: Iterable[tuple[str, int, int]]) -> tuple[FolderSize, ...]:
    """Return up to eight folders, or files at the top, that take most of the slug.

    ``files`` are path, bytes and bytes in the slug. No row is part of another one; what is in none
    is left to the caller.
    """
    top: dict[str, _Sum] = {}
    for path, size, share in files:
        *parents, name = path.split("/")
        if not parents:
            top.setdefault(name, _Sum()).add(size, share)
            continue
        level = top
        for folder in parents:
            found = level.setdefault(f"{folder}/", _Sum())
            found.add(size, share)
            level = found.inner
    rows = [_row(path, found) for path, found in top.items()]
    return tuple(sorted(rows, key=lambda row: (-row.slug_bytes, -row.bytes, row.path))[:_MOST])


def _row(path: str, found: _Sum) -> FolderSize:
    while True:
        largest = max(found.inner.items(), key=lambda item: item[1].slug, default=None)
        if largest is None or largest[1].slug < _DOMINATES * found.slug:
            break
        path, found = path + largest[0], largest[1]
    return FolderSize(path=path, files=found.files, bytes=found.bytes, slug_bytes=found.slug)

"""Where a run stands, for paths in annotations."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the run stands, for paths: the current folder, and the root of the repository."""

    cwd: str
    root: str

    def relative(self, path: str) -> str | None:
        """Return a path as seen from the root, with ``/``; None when it is not below it."""
        full = os.path.normpath(Path(self.cwd) / path)
        root = os.path.normpath(self.root)
        inside = full == root or full.startswith(root.rstrip(os.sep) + os.sep)
        return os.path.relpath(full, root).replace(os.sep, "/") if inside else None

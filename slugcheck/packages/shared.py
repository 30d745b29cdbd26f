"""What the checks of one run read of packages once, however many targets they are for.

None of it depends on the user's caches: with ``--no-cache`` the run has caches of its own, in a
temporary folder that ends with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from slugcheck.errors import NetworkError
from slugcheck.model import Artifact, Inventory
from slugcheck.packages.index.client import RangeMemory
from slugcheck.packages.index.inventories import MAX_FILES
from slugcheck.packages.index.once import Once
from slugcheck.running import temporary

if TYPE_CHECKING:
    from slugcheck.packages.index.pages import Listed
    from slugcheck.packages.sdist.sdist import SourceArchive, Unreadable

T = TypeVar("T")

# Files of all wheels that are kept in memory, some 250 bytes each: those of two targets at the
# limit of one. The directory of a wheel beyond it is read again, in general from a cache.
_MOST_FILES = 2 * MAX_FILES
_MOST_PAGES = 5_000
_MOST_ARCHIVES = 1_000


class SharedPackages:
    """The packages of one run, used as a context manager. Thread-safe."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.wheels: Once[Artifact, Inventory] = Once(
            most=_MOST_FILES, weigh=lambda inventory: len(inventory.entries)
        )
        self.archives: Once[Artifact, SourceArchive | Unreadable] = Once(most=_MOST_ARCHIVES)
        self.pages: Once[str, list[Listed]] = Once(most=_MOST_PAGES)
        self.ranges = RangeMemory()
        self._lost: dict[str, NetworkError] = {}
        self._folder: temporary.Folder | None = None
        self._guard = threading.Lock()

    def __enter__(self) -> SharedPackages:
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.close()

    def asked(self, index: str, ask: Callable[[], T]) -> T:
        """Return what ``ask`` returns, which needs an index that may not be reachable.

        :raises NetworkError: it could not be reached, now or before.
        """
        if (before := self._lost.get(index)) is not None:
            raise before.with_traceback(None)
        try:
            return ask()
        except NetworkError as error:
            self._lost[index] = error
            raise

    def place(self, name: str) -> Path:
        """Return a folder of the run's own, for a cache."""
        with self._guard:
            if self._folder is None:
                self._folder = temporary.Folder()
            return self._folder.path / name

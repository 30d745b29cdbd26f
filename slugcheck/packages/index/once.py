"""Values that several checks of one run make once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from slugcheck.errors import MeasureError

K = TypeVar("K")
V = TypeVar("V")


class Once(Generic[K, V]):
    """Values that are made once by key, also where several threads ask at the same time.

    That something could not be measured is an answer too: it is not tried again. ``most`` bounds
    the sum of what is kept, weighed by ``weigh``: what is beyond it is made anew each time.
    ``at_once`` values are made side by side.
    """

    def __init__(
        self, *, most: int, weigh: Callable[[V], int] = lambda _: 1, at_once: int = 8
    ) -> None:
        self._most = most
        self._weigh = weigh
        self._weight = 0
        self._values: dict[K, V] = {}
        self._errors: dict[K, MeasureError] = {}
        self._making: dict[K, threading.Lock] = {}
        self._guard = threading.Lock()
        self._turns = threading.BoundedSemaphore(at_once)

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key, made by ``make`` unless it was made before.

        :raises MeasureError: ``make`` raised it, now or before.
        """
        with self._guard:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if key in self._values:
                return self._values[key]
            if key in self._errors:
                raise self._errors[key].with_traceback(None)
            try:
                with self._turns:
                    value = make()
            except MeasureError as error:
                self._errors[key] = error
                raise
            self._keep(key, value)
            return value

    def _keep(self, key: K, value: V) -> None:
        weight = self._weigh(value)
        with self._guard:
            if self._weight + weight <= self._most:
                self._weight += weight
                self._values[key] = value

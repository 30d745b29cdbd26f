"""The candidates of a comparison measured at once, each as ``check`` measures it alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from slugcheck.check import Check
from slugcheck.errors import SlugcheckError, UsageError
from slugcheck.model import document
from slugcheck.model.document import Document
from slugcheck.model.options import Options
from slugcheck.policy import gates
from slugcheck.text import printable

# Resolving is the work of one processor; more at once only wait for each other.
_AT_ONCE = 4


def labels(paths: Sequence[Path], given: Sequence[str]) -> tuple[str, ...]:
    """Return a label for each candidate: as given, else the shortest part of its path that differs.

    :raises UsageError: there are more labels than candidates, or two are the same.
    """
    if len(given) > len(paths):
        message = f"there are {len(given)} labels for {len(paths)} candidates"
        raise UsageError(message, hint="give --label once for each candidate, in their order")
    found = [*given, *_short(paths)[len(given) :]]
    twice = next((one for one in found if found.count(one) > 1), None)
    if twice is not None:
        message = f"two candidates are called {printable(twice)}"
        raise UsageError(message, hint="tell them apart with --label, once for each candidate")
    return tuple(found)


def _short(paths: Sequence[Path]) -> list[str]:
    for count in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-count:]) or str(path) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


class SideBySide:
    """The candidates of one comparison; ``measure`` yields how many are done."""

    def __init__(self, options: Sequence[Options], names: Sequence[str]) -> None:
        """Read every file; nothing touches the network yet.

        :raises SlugcheckError: a file is wrong; the message names the candidate.
        """
        self._names = tuple(names)
        self._saved: dict[int, Document] = {}
        self._checks: dict[int, Check] = {}
        try:
            for number, one in enumerate(options):
                self._prepare(number, one)
        except BaseException:
            self.__exit__()
            raise

    def _prepare(self, number: int, options: Options) -> None:
        name = self._names[number]
        text = document.text_of(options.path) if options.path.is_file() else None
        if text is not None:
            self._saved[number] = document.report_loads(text, printable(name))
            return
        try:
            self._checks[number] = Check(options)
        except SlugcheckError as error:
            raise _named(error, name) from None

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(self, *_: object) -> None:
        for check in self._checks.values():
            check.__exit__()

    def measure(self) -> Iterator[int]:
        """Measure every candidate, yielding how many are done.

        :raises SlugcheckError: one could not be measured; the message names it.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            running = {pool.submit(self._one, number): number for number in self._checks}
            done = len(self._saved)
            yield done
            for future in as_completed(running):
                number = running[future]
                try:
                    self._saved[number] = future.result()
                except SlugcheckError as error:
                    pool.shutdown(cancel_futures=True)
                    raise _named(error, self._names[number]) from None
                done += 1
                yield done

    def _one(self, number: int) -> Document:
        check = self._checks[number]
        report = gates.with_increase(check.whole(), check.rules, None)
        return document.as_saved(report, self._names[number])

    @property
    def documents(self) -> tuple[Document, ...]:
        """The candidates in their order; ``measure`` has been exhausted."""
        return tuple(
            replace(self._saved[number], label=name) for number, name in enumerate(self._names)
        )


def _named(error: SlugcheckError, name: str) -> SlugcheckError:
    """Return the error with the candidate it is about."""
    return type(error)(f"{printable(name)}: {error}", hint=error.hint)

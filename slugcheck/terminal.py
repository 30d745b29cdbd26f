"""The two streams: stdout carries the artefact, stderr the run. The only module that names them.

Colour follows NO_COLOR, FORCE_COLOR and each stream's own terminal. Progress is drawn on a terminal
only, and never with ``--quiet``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from slugcheck.errors import UsageError
from slugcheck.escape import printable

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_COLUMNS = 80
_LEAST_COLUMNS = 60
_MOST_COLUMNS = 140  # longer lines are harder to read, not easier


class Bar(Protocol):
    """What a caller tells of its progress."""

    def update(self, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` are finished."""
        ...


class _Silent:
    def update(self, done: int, total: int) -> None:
        """Say nothing."""


class Terminal:
    """Where a run's output goes."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet = quiet
        self._verbose = verbose

    @property
    def color(self) -> bool:
        """Whether the artefact on stdout may be coloured."""
        return _colored(_out())

    @property
    def width(self) -> int:
        """Columns for the artefact: the terminal's, COLUMNS, or 80 when piped."""
        asked = os.environ.get("COLUMNS", "")
        columns = int(asked) if asked.isdigit() and int(asked) > 0 else 0
        if not columns:
            terminal = shutil.get_terminal_size((_PIPED_COLUMNS, 24)).columns
            columns = terminal if _out().isatty() else _PIPED_COLUMNS
        return max(_LEAST_COLUMNS, min(columns, _MOST_COLUMNS))

    @property
    def unicode(self) -> bool:
        """Whether stdout can carry the signs of the table."""
        try:
            "█░✓✗…–".encode(_out().encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def artefact(self, text: str) -> None:
        """Write what was asked for to stdout. A reader that went away is no error."""
        stream = _out()
        try:
            stream.write(text if text.endswith("\n") else f"{text}\n")
            stream.flush()
        except BrokenPipeError:
            # Python would complain once more when it flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    def write_file(self, path: Path, text: str) -> None:
        """Write a file whole or not at all.

        :raises UsageError: it cannot be written there.
        """
        try:
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
            ) as stream:
                temporary = Path(stream.name)
                try:
                    stream.write(text if text.endswith("\n") else f"{text}\n")
                    stream.close()
                    temporary.chmod(0o644)
                    temporary.replace(path)
                except BaseException:
                    temporary.unlink(missing_ok=True)
                    raise
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise UsageError(message, hint="choose another place with --output") from None
        self.note(f"written: {path}")

    def note(self, text: str) -> None:
        """Say something about the run."""
        if not self._quiet:
            _line(printable(text))

    def detail(self, text: str) -> None:
        """Say something about the run that only ``--verbose`` shows."""
        if self._verbose:
            _line(printable(text))

    def error(self, message: str, hint: str | None = None) -> None:
        """Say what is wrong, and on a line of its own how to mend it."""
        lines = [printable(line) for line in message.splitlines()] or [""]
        _line(_styled("error:", "1;31") + f" {lines[0]}")
        for line in lines[1:]:
            _line(f"       {line}")
        if hint:
            _line(_styled("hint:", "1;36") + f"  {printable(hint)}")

    def trace(self, text: str) -> None:
        """Show the traceback of a bug."""
        _line(text.rstrip())

    @contextlib.contextmanager
    def status(self, text: str) -> Iterator[None]:
        """Show that something is under way."""
        console = self._console()
        if console is None:
            yield
            return
        with console.status(f"{text} …"):
            yield

    @contextlib.contextmanager
    def progress(self, text: str) -> Iterator[Bar]:
        """Show a bar that the caller advances."""
        console = self._console()
        if console is None:
            yield _Silent()
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(text, total=None)

            class _Shown:
                def update(self, done: int, total: int) -> None:
                    progress.update(task, completed=done, total=total)

            yield _Shown()

    def _console(self) -> Console | None:
        if self._quiet or not _err().isatty():
            return None
        from rich.console import Console

        return Console(stderr=True)


def _out() -> TextIO:
    return sys.stdout  # noqa: TID251 - the one place


def _err() -> TextIO:
    return sys.stderr  # noqa: TID251 - the one place


def _line(text: str) -> None:
    stream = _err()
    with contextlib.suppress(BrokenPipeError):
        stream.write(f"{text}\n")
        stream.flush()


def _styled(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if _colored(_err()) else text


def _colored(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"

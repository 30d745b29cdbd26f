"""The two streams: stdout carries the artefact, stderr the run. The only module that names them.

Colour follows NO_COLOR, FORCE_COLOR and each stream's own terminal. Progress is drawn on a terminal
only, and never with ``--quiet``. What is said on stderr may hold text from outside and is made safe
here; an artefact is written as its rendering made it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from slugcheck.errors import MeasureError, UsageError
from slugcheck.escape import printable, printable_lines, without_commands

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_COLUMNS = 80
_LEAST_COLUMNS = 60
_MOST_COLUMNS = 140  # longer lines are harder to read, not easier
_SIGNS = "█▒░┃─▏▉✓✗†→…·±\N{EN DASH}"  # what the table draws with
_BOLD = {"error": "1;31", "warning": "1;33", "hint": "1;36"}


class Bar(Protocol):
    """What a caller tells of its progress."""

    def update(self, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` are finished."""
        ...


class _Silent:
    def update(self, done: int, total: int) -> None:
        """Say nothing."""


class Terminal:
    """Where a run's output goes. Made when it is needed: it holds no stream, but asks for it."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet = quiet
        self._verbose = verbose

    # ----------------------------------------------------------------- the artefact

    @property
    def color(self) -> bool:
        """Whether the artefact on stdout may be coloured."""
        return _colored(_out())

    @property
    def width(self) -> int:
        """Columns for the artefact: COLUMNS, the terminal's, or 80 when piped; from 60 to 140."""
        asked = os.environ.get("COLUMNS", "")
        columns = int(asked[:9]) if asked.isascii() and asked.isdigit() else 0
        if not columns:
            columns = _terminal_columns() if _out().isatty() else _PIPED_COLUMNS
        return max(_LEAST_COLUMNS, min(columns, _MOST_COLUMNS))

    @property
    def unicode(self) -> bool:
        """Whether stdout can carry the signs of the table."""
        try:
            _SIGNS.encode(_encoding(_out()))
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def artefact(self, text: str) -> None:
        """Write what was asked for to stdout. A reader that went away is no error."""
        _write(_out(), _ended(text))

    def write_file(self, path: Path, content: str | bytes, *, option: str = "--output") -> None:
        """Write a file whole or not at all; a pipe or a device is written to as it is.

        ``option`` is what named the file.

        :raises UsageError: it cannot be written there.
        """
        raw = _ended(content).encode() if isinstance(content, str) else content
        try:
            if path.exists() and not stat.S_ISREG(path.stat().st_mode):
                path.write_bytes(raw)
            else:
                _replace(path.resolve(), raw)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise UsageError(message, hint=f"choose another place with {option}") from None
        self.note(f"written: {path}")

    def append_file(self, path: Path, text: str) -> None:
        """Add to a file, such as a CI job's summary.

        :raises UsageError: it cannot be written.
        """
        try:
            with path.open("a", encoding="utf-8") as stream:
                stream.write(_ended(text))
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise UsageError(message, hint="it is what GITHUB_STEP_SUMMARY names") from None

    # ----------------------------------------------------------------- the run

    def note(self, text: str) -> None:
        """Say something about the run."""
        if not self._quiet:
            _say(printable(text))

    def detail(self, text: str) -> None:
        """Say something about the run that only ``--verbose`` shows."""
        if self._verbose and not self._quiet:
            _say(printable(text))

    def warning(self, message: str, hint: str | None = None) -> None:
        """Say what may be wrong, and how to mend it."""
        if not self._quiet:
            self._labelled("warning", message, hint)

    def error(self, message: str, hint: str | None = None) -> None:
        """Say what is wrong, and on a line of its own how to mend it. Quiet does not silence it."""
        self._labelled("error", message, hint)

    def _labelled(self, label: str, message: str, hint: str | None) -> None:
        said = [(label, message)] + ([("hint", hint)] if hint else [])
        for name, text in said:
            first, *more = printable_lines(text)
            _say(f"{_styled(f'{name}:', _BOLD[name])} {first}")
            for line in more:
                _say(" " * (len(name) + 2) + line)

    def trace(self, text: str) -> None:
        """Show the traceback of a bug."""
        _say("\n".join(printable_lines(text.rstrip())))

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
    def steps(self) -> Iterator[Callable[[str], None]]:
        """Show which of several steps is under way; the caller names each as it begins."""
        console = self._console()
        if console is None:
            yield lambda _: None
            return
        with console.status("…") as shown:
            yield lambda text: shown.update(f"{printable(text)} …")

    @contextlib.contextmanager
    def progress(self, text: str) -> Iterator[Bar]:
        """Show a bar that the caller advances; it leaves nothing behind."""
        console = self._console()
        if console is None:
            yield _Silent()
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        described = TextColumn("{task.description}", markup=False)
        columns = (described, BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(text, total=None)

            class _Shown:
                def update(self, done: int, total: int) -> None:
                    progress.update(task, completed=done, total=total)

            yield _Shown()

    def _console(self) -> Console | None:
        if self._quiet or not _err().isatty() or os.environ.get("TERM") == "dumb":
            return None
        from rich.console import Console

        # rich takes a COLUMNS of thousands of digits for a number
        plain = {name: os.environ[name] for name in ("TERM", "COLORTERM") if name in os.environ}
        return Console(stderr=True, no_color=not _colored(_err()), markup=False, _environ=plain)


# --------------------------------------------------------------------------- streams


def _out() -> TextIO:
    return sys.stdout  # noqa: TID251 - the one place


def _err() -> TextIO:
    return sys.stderr  # noqa: TID251 - the one place


def _encoding(stream: TextIO) -> str:
    return getattr(stream, "encoding", None) or "utf-8"  # none: a stream in memory


def _say(text: str) -> None:
    _write(_err(), without_commands(f"{text}\n"))


def _write(stream: TextIO, text: str) -> None:
    """Write text; what the stream's encoding does not have is written as an escape."""
    encoding = _encoding(stream)
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        _silence(stream)  # Python would complain once more when it flushes at exit
    except OSError as error:
        _silence(stream)
        message = f"the output cannot be written: {error.strerror or error}"
        raise MeasureError(message) from None


def _silence(stream: TextIO) -> None:
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def _styled(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if _colored(_err()) else text


def _colored(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _terminal_columns() -> int:
    return shutil.get_terminal_size((_PIPED_COLUMNS, 24)).columns


# --------------------------------------------------------------------------- files


def _replace(path: Path, content: bytes) -> None:
    """Write beside the file and move into its place, so that no reader sees a part of it."""
    mode = path.stat().st_mode if path.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        temporary.chmod(stat.S_IMODE(mode))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    # the only way to read it is to set it
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

"""The two streams: stdout carries the artefact, stderr the run. The only module that names them.

Colour follows NO_COLOR, FORCE_COLOR and each stream's own terminal. Progress is drawn on a terminal
only, and never with ``--quiet``. What is said on stderr may hold text from outside and is made safe
here; an artefact is ``Inert``: it went through the last gate of texts, or it does not leave.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from slugcheck.errors import MeasureError, UsageError
from slugcheck.running import deadline, ending
from slugcheck.text import (
    Inert,
    document_without_secrets,
    printable,
    printable_lines,
    without_commands,
    without_secrets,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_MOST_OF_SUMMARY = 2**20  # bytes; GitHub drops a step's whole summary that has more
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


class _Counted:
    def update(self, done: int, total: int) -> None:
        """Draw nothing, but know how far it is."""
        deadline.counted(done, total)


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
        given = os.environ.get("COLUMNS", "")
        columns = int(given[:9]) if given.isascii() and given.isdigit() else 0
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

    def artefact(self, text: Inert) -> None:
        """Write what was asked for to stdout. A reader that went away is no error."""
        _write(_out(), _ended(document_without_secrets(text)))

    def write_file(self, path: Path, content: Inert | bytes, *, option: str = "--output") -> None:
        """Write a file whole or not at all; a pipe or a device is written to as it is.

        ``option`` is what named the file.

        :raises UsageError: it cannot be written there, or a link of the checkout leads out of it.
        """
        if isinstance(content, str):
            content = _ended(document_without_secrets(content)).encode()
        if (elsewhere := _led_out_of_checkout(path)) is not None:
            message = f"{path} leads out of the checkout through a link, to {elsewhere}"
            raise UsageError(message, hint=f"choose another place with {option}")
        try:
            if path.exists() and not stat.S_ISREG(path.stat().st_mode):
                path.write_bytes(content)
            else:
                _replace(Path(os.path.realpath(path)), content)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise UsageError(message, hint=f"choose another place with {option}") from None
        self.note(f"wrote {path}")

    def append_file(self, path: Path, text: Inert) -> None:
        """Add to a file, such as a CI job's summary.

        :raises UsageError: it cannot be written.
        """
        raw = _ended(document_without_secrets(text)).encode()
        try:
            with path.open("ab") as stream:
                if stream.tell() + len(raw) > _MOST_OF_SUMMARY:
                    self.warning(f"the job summary is full; this report was not added to {path}")
                    return
                stream.write(raw)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror or error}"
            raise UsageError(message, hint="GITHUB_STEP_SUMMARY names this file") from None

    # ----------------------------------------------------------------- the run

    def note(self, text: str) -> None:
        """Say something about the run."""
        if not self._quiet:
            _say(printable(text))

    def detail(self, text: str) -> None:
        """Say something about the run that only ``--verbose`` shows."""
        if self._verbose and not self._quiet:
            _say(printable(text))

    def details(self, heading: str, text: str) -> None:
        """Show a text of several lines under a heading, with ``--verbose`` only."""
        if text and self._verbose and not self._quiet:
            _say("\n".join([f"{heading}:", *(f"  {line}" for line in printable_lines(text))]))

    def warning(self, message: str, hint: str | None = None) -> None:
        """Warn, with a hint on how to fix it."""
        if not self._quiet:
            self._labelled("warning", message, hint)

    def error(self, message: str, hint: str | None = None) -> None:
        """Report an error, with a hint on a line of its own. ``--quiet`` does not silence it."""
        self._labelled("error", message, hint)

    @property
    def asks(self) -> bool:
        """Whether someone is there to answer a question."""
        stdin = sys.stdin
        return not self._quiet and stdin is not None and stdin.isatty() and _err().isatty()

    def ask(self, question: str, choices: Mapping[str, str], default: str) -> str:
        """Return which of ``choices`` (an answer and what it means) the user picks."""
        import click

        width = max(map(len, choices))
        _say(printable(question))
        for name, meaning in choices.items():
            _say(f"  {name:{width}}  {printable(meaning)}")
        return str(
            click.prompt(
                "",
                type=click.Choice(list(choices)),
                default=default,
                err=True,
                prompt_suffix="> ",
                show_choices=False,
            )
        )

    def _labelled(self, label: str, message: str, hint: str | None) -> None:
        labelled = [(label, message)] + ([("hint", hint)] if hint else [])
        for name, text in labelled:
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
        with deadline.doing(text):
            if console is None:
                yield
                return
            with console.status(_progress(text)):
                yield

    @contextlib.contextmanager
    def steps(self) -> Iterator[Callable[[str], None]]:
        """Show which of several steps is under way; the caller names each as it begins."""
        console = self._console()
        with deadline.doing("getting ready"):
            if console is None:
                yield deadline.now_doing
                return
            with console.status("…") as shown:

                def say(text: str) -> None:
                    deadline.now_doing(printable(text))
                    shown.update(_progress(text))

                yield say

    @contextlib.contextmanager
    def progress(self, text: str) -> Iterator[Bar]:
        """Show a bar that the caller advances; it leaves nothing behind."""
        console = self._console()
        with deadline.doing(text):
            if console is None:
                yield _Counted()
                return
            with self._bar(console, text) as bar:
                yield bar

    @contextlib.contextmanager
    def _bar(self, console: Console, text: str) -> Iterator[Bar]:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        described = TextColumn("{task.description}", markup=False)
        columns = (described, BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(printable(text), total=None)

            class _Shown:
                def update(self, done: int, total: int) -> None:
                    deadline.counted(done, total)
                    progress.update(task, completed=done, total=total)

            yield _Shown()

    def _console(self) -> Console | None:
        if self._quiet or not _err().isatty() or os.environ.get("TERM") == "dumb":
            return None
        from rich.console import Console

        ending.drawing()
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
    with contextlib.suppress(MeasureError):  # there is nobody left to tell
        _write(_err(), without_commands(f"{without_secrets(text)}\n"))


def _write(stream: TextIO, text: str) -> None:
    """Write text; what the stream's encoding does not have is written as an escape."""
    encoding = _encoding(stream)
    ending.halt()  # where the run is ending, this is of no use any more
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        _silence(stream)  # Python would complain once more when it flushes at exit
    except OSError as error:
        _silence(stream)
        message = f"cannot write the output: {error.strerror or error}"
        raise MeasureError(message) from None


def _silence(stream: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _progress(text: str) -> Text:
    from rich.text import Text

    return Text(f"{printable(text)} …")  # a str would be read as markup


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
    try:
        return os.get_terminal_size(_out().fileno()).columns or _PIPED_COLUMNS
    except (ValueError, OSError):
        return _PIPED_COLUMNS


# --------------------------------------------------------------------------- files


def _led_out_of_checkout(path: Path) -> Path | None:
    """Return where links in the checkout lead to, when that is outside of it or in its .git.

    Links are part of what is checked, so they do not decide what is written over. Outside of a
    checkout links are the user's own, except in CI.
    """
    here = Path.cwd()
    named = Path(os.path.normpath(here / path))
    places = (here, *here.parents, *named.parents)
    tops = (place for place in places if (place / ".git").exists() and named.is_relative_to(place))
    top = next(tops, here if os.environ.get("CI") else None)
    if top is None or not named.is_relative_to(top):
        return None
    real, real_top = Path(os.path.realpath(path)), Path(os.path.realpath(top))
    if real == real_top / named.relative_to(top):
        return None
    stays = real.is_relative_to(real_top) and ".git" not in real.relative_to(real_top).parts
    return None if stays else real


def _replace(path: Path, content: bytes) -> None:
    """Write beside the file and move into its place, so that no reader sees a part of it."""
    from slugcheck.running import temporary

    mode = path.stat().st_mode if path.exists() else 0o666 & ~_umask()
    with temporary.beside(path, f".{path.name[:40]}.") as written:
        written.write_bytes(content)
        written.chmod(stat.S_IMODE(mode))
        written.replace(path)


def _umask() -> int:
    # the only way to read it is to set it
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

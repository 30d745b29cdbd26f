"""The forms a report can be written in, and what ``--format`` and ``--output`` come to.

Each form is a function from a report to text. Which one a file gets follows from a prefix
(``sarif=scan.txt``), else from its suffix (``report.json``), else from ``--format``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slugcheck.errors import UsageError

if TYPE_CHECKING:
    from slugcheck.model import Report
    from slugcheck.render.annotations import Place

_SUFFIXES = {".json": "json", ".md": "markdown", ".sarif": "sarif", ".xml": "junit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a rendering for people should look."""

    width: int
    color: bool
    unicode: bool
    all_rows: bool
    place: Place  # for the paths in annotations


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where one form of the report goes; ``path`` None means stdout."""

    format: str
    path: Path | None


def outputs(
    format_: str | None, files: Sequence[str], known: Collection[str] | None = None
) -> tuple[Output, ...]:
    """Return what is to be written where.

    stdout gets ``format_`` (by default the table), unless a file gets that very form. ``known`` are
    the forms there are, by default those of a report.

    :raises UsageError: a form is not known, or two forms are to go to one file.
    """
    shown = format_ or "table"
    found = [_file(text, shown, known or FORMATS) for text in files]
    paths = [one.path for one in found]
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        message = f"--output: {twice} is named twice, and would hold only one of the two"
        raise UsageError(message, hint="give each form a file of its own")
    if any(one.format == shown for one in found):
        return tuple(found)
    return (Output(format=shown, path=None), *found)


def _file(text: str, default: str, known: Collection[str]) -> Output:
    name, equals, place = text.partition("=")
    if equals and name in known:
        if not place:
            message = f"--output {text}: there is no file after {name}="
            raise UsageError(message, hint=f"for example --output {name}=report.txt")
        return Output(format=name, path=Path(place))
    path = Path(text)
    form = _SUFFIXES.get(path.suffix.lower(), default)
    return Output(format=form if form in known else default, path=path)


# --------------------------------------------------------------------------- the forms


def _table(report: Report, look: Look) -> str:
    from slugcheck.render import terminal
    from slugcheck.render.views import check

    shown = check.view(report, all_rows=look.all_rows)
    return terminal.write(shown, width=look.width, color=look.color, unicode=look.unicode)


def _json(report: Report, _: Look) -> str:
    from slugcheck.model.document import report_dumps

    return report_dumps(report)


def _markdown(report: Report, _: Look) -> str:
    from slugcheck.render import markdown
    from slugcheck.render.views import check

    return markdown.write(check.view(report))


def _github(report: Report, look: Look) -> str:
    from slugcheck.render import github

    return github.render(report, look.place)


def _junit(report: Report, _: Look) -> str:
    from slugcheck.render import junit

    return junit.render(report)


def _sarif(report: Report, look: Look) -> str:
    from slugcheck.render import sarif

    return sarif.render(report, look.place)


FORMATS: dict[str, Callable[[Report, Look], str]] = {
    "table": _table,
    "json": _json,
    "markdown": _markdown,
    "github": _github,
    "junit": _junit,
    "sarif": _sarif,
}

"""The table of formats, and which of them ``--format`` and ``--output`` select.

A writer turns the view of any command into text; those for CI systems take a report. Which format a
file gets follows from a prefix (``sarif=scan.txt``), else from its suffix (``report.json``), else
from ``--format``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from slugcheck.errors import UsageError

if TYPE_CHECKING:
    from slugcheck.model import Report
    from slugcheck.model.document.saved import Document
    from slugcheck.model.matrix import Matrix
    from slugcheck.render.place import Place
    from slugcheck.render.view import View

_ONE_LINE = 10_000  # columns that no verdict fills
_SUFFIXES = {
    ".txt": "table", ".json": "json", ".md": "markdown", ".sarif": "sarif", ".xml": "junit",
}  # fmt: skip
_FORMAT_NAME = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a rendering for people should look."""

    width: int
    color: bool
    unicode: bool
    all_rows: bool
    place: Place  # for the paths in annotations
    verdict_only: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where one form of the report goes; ``path`` None means stdout."""

    format: str
    path: Path | None


def outputs(
    format_: str | None, files: Sequence[str], known: Collection[str]
) -> tuple[Output, ...]:
    """Return what is to be written where.

    stdout gets ``format_`` (by default the table), unless a file gets that very form. ``known`` are
    the formats of the command.

    :raises UsageError: a format or suffix is unknown, or a file is named twice.
    """
    shown = format_ or "table"
    to_files = [_file(text, format_, known) for text in files]
    paths = [output.path for output in to_files]
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        message = f"--output: {twice} is given twice"
        raise UsageError(message, hint="write each format to its own file")
    if any(output.format == shown for output in to_files):
        return tuple(to_files)
    return (Output(format=shown, path=None), *to_files)


def _file(text: str, given: str | None, known: Collection[str]) -> Output:
    name, equals, place = text.partition("=")
    if equals and _FORMAT_NAME.fullmatch(name):
        if name not in known:
            message = f"--output {text}: unknown format {name}"
            raise UsageError(message, hint=f"the formats are {', '.join(known)}")
        if not place:
            message = f"--output {text}: the file is missing after {name}="
            raise UsageError(message, hint=f"for example --output {name}=report.txt")
        return Output(format=name, path=Path(place))
    path = Path(text)
    form = _SUFFIXES.get(path.suffix.lower(), "")
    if form in known:
        return Output(format=form, path=path)
    if given is None and path.suffix:
        message = f"--output {text}: no format has the suffix {path.suffix}"
        suffixes = ", ".join(f"{own} ({form})" for own, form in _SUFFIXES.items() if form in known)
        hint = f"use {suffixes}, or name the format: --output {next(iter(known))}={text}"
        raise UsageError(message, hint=hint)
    return Output(format=given or "table", path=path)


# --------------------------------------------------------------------------- the forms


class Shown(Protocol):
    """What a command has to show: its view, with or without the rows that fold."""

    def __call__(self, *, all_rows: bool = False) -> View:
        """Return the view."""


def _table(shown: Shown, look: Look) -> str:
    from slugcheck.render import terminal

    view = shown(all_rows=look.all_rows)
    # a verdict is one line, however long it is
    view, width = (view.verdict, _ONE_LINE) if look.verdict_only else (view, look.width)
    return terminal.write(view, width=width, color=look.color, unicode=look.unicode)


def _markdown(shown: Shown, _: Look) -> str:
    from slugcheck.render import markdown

    return markdown.write(shown())  # a page folds rows by itself


def _github(report: Report, look: Look) -> str:
    from slugcheck.render import github

    return github.render(report, look.place)


def _junit(report: Report, _: Look) -> str:
    from slugcheck.render import junit

    return junit.render(report)


def _sarif(report: Report, look: Look) -> str:
    from slugcheck.render import sarif

    return sarif.render(report, look.place)


# Every command has these, and JSON.
WRITERS: dict[str, Callable[[Shown, Look], str]] = {"table": _table, "markdown": _markdown}
# Only a check has these, which CI systems read.
CI_WRITERS: dict[str, Callable[[Report, Look], str]] = {
    "github": _github, "junit": _junit, "sarif": _sarif,
}  # fmt: skip
FORMATS = (*WRITERS, "json")
CHECK_FORMATS = (*FORMATS, *CI_WRITERS)


def render(form: str, shown: Shown, document: Callable[[], Document], look: Look) -> str:
    """Return a result in one of ``FORMATS``; ``document`` makes what JSON holds."""
    if form != "json":
        return WRITERS[form](shown, look)
    from slugcheck.model.document.saved import dumps

    return dumps(document())


def render_report(form: str, report: Report, look: Look) -> str:
    """Return a report in one of ``CHECK_FORMATS``."""
    if form in CI_WRITERS:
        return CI_WRITERS[form](report, look)

    def shown(*, all_rows: bool = False) -> View:
        from slugcheck.render.views import check

        return check.view(report, all_rows=all_rows, verbose=look.verbose)

    def document() -> Document:
        from slugcheck.model.to_document.report import report_document

        return report_document(report)

    return render(form, shown, document, look)


def render_matrix(form: str, matrix: Matrix, look: Look) -> str:
    """Return the reports of several targets in one of ``CHECK_FORMATS``."""
    match form:
        case "github":
            from slugcheck.render import github

            return github.render_matrix(matrix, look.place)
        case "junit":
            from slugcheck.render import junit

            return junit.render_matrix(matrix)
        case "sarif":
            from slugcheck.render import sarif

            return sarif.render_matrix(matrix, look.place)
        case _:
            return _matrix(form, matrix, look)


def _matrix(form: str, matrix: Matrix, look: Look) -> str:
    from slugcheck.render.views import matrix as views

    def document() -> Document:
        from slugcheck.model.to_document.matrix import matrix_document

        return matrix_document(matrix)

    return render(form, partial(views.view, matrix, verbose=look.verbose), document, look)

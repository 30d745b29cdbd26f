"""A report as workflow commands of GitHub Actions: annotations on the lines they are about.

The commands are GitHub's ``::error file=…,line=…,title=…::message``; what stands in them is escaped
by its rules (docs.github.com, "Workflow commands for GitHub Actions"; percent, CR and LF in data,
colon and comma besides in properties).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slugcheck.model import FindingSeverity, Report
from slugcheck.model.matrix import Matrix
from slugcheck.render import targets, wording
from slugcheck.render.annotations import Remark, matrix_remarks, remarks
from slugcheck.render.place import Place
from slugcheck.render.view import Verdict
from slugcheck.text import listed, printable, printable_lines

# GitHub shows ten annotations of each kind for a step (docs.github.com, "Limits" of annotations).
_MOST = 10


def render(report: Report, place: Place) -> str:
    """Return the commands, the gravest first, and the conclusion as a plain last line."""
    return _written(remarks(report), wording.conclusion(report), place)


def render_matrix(matrix: Matrix, place: Place) -> str:
    """Return the commands of several targets, what several have in common once."""
    return _written(matrix_remarks(matrix), targets.conclusion(matrix), place)


def _written(all_remarks: Sequence[Remark], conclusion: Verdict, place: Place) -> str:
    lines: list[str] = []
    for level in FindingSeverity:
        lines += _of_level(
            [remark for remark in all_remarks if remark.level is level], level, place
        )
    last = printable(f"{conclusion.word}: {conclusion.sentence}")
    return "\n".join([*lines, f"slugcheck: {last}"]) + "\n"


def _of_level(level_remarks: list[Remark], level: FindingSeverity, place: Place) -> Iterator[str]:
    shown = level_remarks if len(level_remarks) <= _MOST else level_remarks[: _MOST - 1]
    yield from (_command(remark, place) for remark in shown)
    if rest := level_remarks[len(shown) :]:
        names = listed([remark.title for remark in rest], 5)
        text = f"{len(rest)} more: {names}; the job's summary has them all"
        yield f"::{_name(level)} title=slugcheck::{_data(text)}"


def _command(remark: Remark, place: Place) -> str:
    properties = []
    path = place.relative(remark.origin.file) if remark.origin else None
    if remark.origin is not None and path is not None:
        properties += [f"file={_property(path)}", f"line={remark.origin.line}"]
    properties.append(f"title={_property(f'slugcheck: {remark.title}')}")
    text = "\n".join(remark.lines)
    return f"::{_name(remark.level)} {','.join(properties)}::{_data(text)}"


def _name(level: FindingSeverity) -> str:
    return "notice" if level is FindingSeverity.INFO else str(level)


def _data(text: str) -> str:
    safe = "\n".join(printable_lines(text))
    return safe.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")

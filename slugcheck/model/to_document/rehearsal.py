"""The documents of rehearsals, and a rehearsal from its document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from slugcheck.model.document import rehearsal as rehearsal_json
from slugcheck.model.document import report as report_json
from slugcheck.model.document import saved
from slugcheck.model.rehearsal import RehearsalResult
from slugcheck.model.to_document.fields import clean, copied
from slugcheck.text import shown_command
from slugcheck.version import __version__


def rehearsal_document(result: RehearsalResult) -> rehearsal_json.RehearsalDocument:
    """Return the document of a rehearsal."""
    return copied(
        rehearsal_json.RehearsalDocument,
        result,
        schema=saved.SCHEMA,
        kind="rehearsal",
        tool=report_json.Tool(name="slugcheck", version=result.tool_version),
        processes=tuple(
            replace(process, command=shown_command(process.command)) for process in result.processes
        ),
        notes=clean(result.notes),
    )


def rehearsals_document(
    results: Sequence[RehearsalResult], labels: Sequence[str]
) -> rehearsal_json.RehearsalsDocument:
    """Return the document of several rehearsals."""
    return rehearsal_json.RehearsalsDocument(
        schema=saved.SCHEMA,
        kind="rehearsals",
        tool=report_json.Tool(name="slugcheck", version=__version__),
        labels=tuple(labels),
        rehearsals=tuple(map(rehearsal_document, results)),
    )


def rehearsed(saved: rehearsal_json.RehearsalDocument) -> RehearsalResult:
    """Return the rehearsal of a document."""
    names = {field.name for field in fields(RehearsalResult)} - {"tool_version"}
    values = {name: getattr(saved, name) for name in names}
    return RehearsalResult(tool_version=saved.tool.version, **values)

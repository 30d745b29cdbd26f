"""The Markdown blocks about the app's files, models, storage and --verify."""

from __future__ import annotations

from collections.abc import Iterator

from slugcheck.model import Report, StorageOption
from slugcheck.render import figures, whole
from slugcheck.render.marktable import MARKS, table
from slugcheck.text import code, markdown


def blocks(report: Report) -> Iterator[str]:
    """Yield the blocks that the report has something for."""
    slug = "slug" if figures.counts_slug(report.sizes) else "gzipped"
    if report.app is not None and report.app.files:
        yield "### App files"
        rows = [
            (code(row.name), row.files, row.installed, row.slug)
            for row in whole.app_rows(report.app)
        ]
        if rows:
            yield table(("folder", "files:", "MB:", f"{slug}:"), rows)
        yield markdown(whole.app_summary(report.app)) + "."
    if report.models:
        yield "### Models"
        models = [
            (code(row.name), row.installed, row.slug, markdown(row.note))
            for row in whole.model_rows(report.models)
        ]
        yield table(("file", "MB:", f"{slug}:", "how known"), models)
    if report.storage:
        title = whole.storage_title(report.models)
        yield f"### {markdown(title[0].upper() + title[1:])}"
        yield table(("", "way", "what it means"), [_option(one) for one in report.storage])
    if report.verification is not None:
        yield "### Verified by a real install"
        compared = [
            (row.name, row.measured, row.predicted, row.error)
            for row in whole.compared(report.verification, slug=slug)
        ]
        yield table(("", "measured:", "predicted:", "error:"), compared)
        yield markdown(whole.verified_words(report.verification)) + "."


def _option(option: StorageOption) -> tuple[str, str, str]:
    name = f"**{markdown(option.title)}**" if option.recommended else markdown(option.title)
    said = markdown("; ".join(whole.storage_facts(option)))
    return MARKS[option.status], name, f"**recommended:** {said}" if option.recommended else said

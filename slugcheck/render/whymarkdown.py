"""Why a distribution is there as GitHub Markdown: the answer first."""

from __future__ import annotations

from collections.abc import Iterator

from slugcheck.model import RootPaths, Standing, Why
from slugcheck.render import figures
from slugcheck.render import whychanges as changes
from slugcheck.render import whywords as said
from slugcheck.render.bounded import MOST_CHARACTERS, bounded, clipped
from slugcheck.render.marktable import NONE, table
from slugcheck.render.words import saving, target_words
from slugcheck.text import Inert, code, fenced, markdown


def render(why: Why) -> Inert:
    """Return the answer as Markdown, bounded for a comment."""
    return bounded(lambda limits: _blocks(clipped(why, limits.text)), MOST_CHARACTERS)


def _blocks(why: Why) -> Iterator[str]:
    name, place = said.title(why)
    there = "is not" if why.standing is Standing.ABSENT else "is"
    yield f"## Why {markdown(name)} {there} {markdown(place)}"
    yield _answer(why)
    yield markdown(f"→ {' · '.join((*target_words(why.report), *said.run_words(why)))}")
    yield _needs(why)
    yield _paths(why)
    yield _sizes(why)
    yield _changes(why)
    for finding in why.findings:
        saves = saving(finding, by_slug=figures.counts_slug(why.report.sizes))
        head = f"**{markdown(finding.sentence)}** {markdown(saves)}".rstrip()
        yield f"{head}\n\n{fenced(finding.fix)}"
    yield "\n".join(f"- {markdown(note)}" for note in why.notes)
    yield "Sizes are predicted; MB = 10^6 bytes; M = MiB."


def _answer(why: Why) -> str:
    if why.standing is Standing.ABSENT:
        return f"**{markdown(said.absence(why))}**"
    if why.unsized is not None:
        return (
            f"**{code(said.shown_name(why))} could not be sized:** {markdown(why.unsized.reason)}"
        )
    return f"**{markdown(changes.conclusion(why))}**"


def _needs(why: Why) -> str:
    if not why.needs:
        return ""
    absent = why.standing is Standing.ABSENT
    heads = ("named by", "which asks for", "but") if absent else ("needed by", "which asks for")
    rows = [
        (code(said.need_by(one)), code(one.asks), *([markdown(one.unmet)] if absent else []))
        for one in why.needs
    ]
    return table(heads, rows)


def _paths(why: Why) -> str:
    if not why.roots:
        return ""
    return table(("from", "by the shortest path"), [_path_row(root) for root in why.roots])


def _path_row(root: RootPaths) -> tuple[str, str]:
    lines = "<br>".join(
        f"{code(x.text)} {markdown(str(x.origin or ''))}".rstrip() for x in root.lines
    )
    if len(root.paths[0]) == 1:
        return lines or code(root.name), "its own line" if root.lines else "itself"
    walks = [" → ".join(map(code, steps)) for steps in root.paths]
    if root.more_paths:
        walks.append(markdown(said.more_paths(root.more_paths)))
    return lines or code(root.name), "<br>".join(walks)


def _sizes(why: Why) -> str:
    rows = [
        (
            f"{code(row.name)} {markdown(row.version)}"
            if row.version
            else f"*{markdown(row.name)}*",
            row.installed,
            row.slug,
            row.files or NONE,
            markdown(row.remark),
        )
        for row in said.size_rows(why, everything=True)
    ]
    heads = ("MB (10^6 bytes)", "installed:", f"{said.packed(why)}:", "files:", "")
    return table(heads, rows) if rows else ""


def _changes(why: Why) -> str:
    rows = [
        (
            f"{'without ' if row.sign == '-' else ''}{code(row.change)}",
            row.installed or NONE,
            row.slug or NONE,
            markdown(row.then) or NONE,
            markdown(row.fate),
            markdown("; ".join(filter(None, (row.failed, *row.notes)))),
        )
        for row in changes.remedy_rows(why)
    ]
    heads = (
        "a change would save, MB", "installed:", f"{said.packed(why)}:",
        f"{markdown(changes.then_head(why))}:", code(why.name), "",
    )  # fmt: skip
    lines = [f"- {markdown(line)}" for line in (changes.idle(why), changes.untried(why)) if line]
    return "\n\n".join(filter(None, (table(heads, rows) if rows else "", "\n".join(lines))))

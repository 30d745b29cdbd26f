"""``slugcheck comment``: the one comment on a pull request."""

from __future__ import annotations

import os
from pathlib import Path

import click

from slugcheck.errors import SlugcheckError, UsageError
from slugcheck.inert import inert
from slugcheck.terminal import Terminal

_MOST_BYTES = 2**20  # of FILE; a comment holds 262,144 at most
_HINT = "write it with: slugcheck . --output report.md"
# How slugcheck's Markdown begins, and what the check ended with.
_CODES = {"## ❌": 1, "## ❔": 3}
_NOT_CHECKED = """\
## ❔ CANNOT SAY: slugcheck could not check this commit

It ended with exit code {code}; the job's log says why.
"""


@click.command("comment", short_help="Post a report as the one comment of a pull request.")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option(
    "--key",
    default="report",
    show_default=True,
    metavar="NAME",
    help="Which comment: a repository that checks several apps has one for each.",
)
@click.option(
    "--exit-code",
    "given",
    type=click.IntRange(0, 255),
    metavar="CODE",
    help="What `slugcheck check` ended with. With 2 or more FILE may be missing: an older comment "
    "then says that this commit could not be checked.  [default: by FILE's first line]",
)
@click.option(
    "--summary/--no-summary",
    default=True,
    help="Add it to the job's summary where it may not comment.  [default: summary]",
)
@click.option("--quiet", "-q", is_flag=True, help="Say nothing of what was done.")
@click.pass_context
def command(
    ctx: click.Context, /, path: Path, key: str, given: int | None, summary: bool, quiet: bool
) -> None:
    """Post FILE, a report that was written with --format markdown, in a GitHub workflow.

    The comment is made once and then edited. Where the token may not comment, as on pull requests
    from forks, the report goes into the job's summary. Reads GITHUB_TOKEN, GITHUB_REPOSITORY,
    GITHUB_EVENT_PATH and GITHUB_API_URL. Exit code: 0 the comment is up to date, or it may not
    comment and the report is of a check that passed; 2 usage; 3 GitHub cannot be reached. When the
    comment cannot be written and the check did not pass: the check's own exit code, since an older
    comment may still say that it did.
    """
    from slugcheck import pullrequest

    terminal = Terminal(quiet=quiet)
    pullrequest.marker(key)
    missing = given is not None and given >= 2 and not path.exists()
    text = _NOT_CHECKED.format(code=given) if missing else _text(path)
    code = _code(text) if given is None else given
    to = pullrequest.current(os.environ)
    if to is None:
        _instead(terminal, text, "this run is not for a pull request", summary=summary)
        ctx.exit(0)
    try:
        posted = pullrequest.post(to, text, key, only_edit=missing)
    except SlugcheckError as error:
        if not code:
            raise
        terminal.error(f"no comment: {error}", error.hint)
        ctx.exit(code)
    if posted.outcome is pullrequest.Outcome.REFUSED:
        _instead(terminal, text, posted.detail, summary=summary, passed=not code)
        ctx.exit(code)
    terminal.note(f"comment {posted.outcome}: {posted.detail}")
    ctx.exit(0)


def _text(path: Path) -> str:
    from slugcheck import reading

    try:
        # a link that a change brought would post what it leads to
        data = reading.read(path, within=reading.top_of(path), limit=_MOST_BYTES)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}"
        raise UsageError(message, hint=_HINT) from None
    if not text.strip():
        raise UsageError(f"{path} is empty", hint=_HINT)
    return text


def _code(text: str) -> int:
    return next((code for head, code in _CODES.items() if text.startswith(head)), 0)


def _instead(
    terminal: Terminal, text: str, why: str, *, summary: bool, passed: bool = True
) -> None:
    place = os.environ.get("GITHUB_STEP_SUMMARY", "")
    said = f"no comment: {why}"
    if summary and place:
        terminal.append_file(Path(place), inert(text, "markdown"))
        said += "; the report is in the job's summary"
    if passed:
        terminal.note(said)
    else:
        terminal.error(said)

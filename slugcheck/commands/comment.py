"""``slugcheck comment``: the one comment on a pull request."""

from __future__ import annotations

import os
from pathlib import Path

import click

from slugcheck.errors import UsageError
from slugcheck.terminal import Terminal


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
    "--summary/--no-summary",
    default=True,
    help="Add it to the job's summary where it may not comment.  [default: summary]",
)
@click.option("--quiet", "-q", is_flag=True, help="Say nothing of what was done.")
@click.pass_context
def command(ctx: click.Context, /, path: Path, key: str, summary: bool, quiet: bool) -> None:
    """Post FILE, a report that was written with --format markdown, in a GitHub workflow.

    The comment is made once and then edited. Where the token may not comment, as on pull requests
    from forks, the report goes into the job's summary. Reads GITHUB_TOKEN, GITHUB_REPOSITORY,
    GITHUB_EVENT_PATH and GITHUB_API_URL. Exit code: 0 posted, or put into the summary; 2 usage;
    3 GitHub cannot be reached.
    """
    from slugcheck import pullrequest

    terminal = Terminal(quiet=quiet)
    text = _text(path)
    pullrequest.marker(key)
    to = pullrequest.current(os.environ)
    if isinstance(to, str):
        _instead(terminal, text, to, summary=summary)
        ctx.exit(0)
    posted = pullrequest.post(to, text, key)
    if posted.outcome is pullrequest.Outcome.REFUSED:
        _instead(terminal, text, posted.detail, summary=summary)
    else:
        terminal.note(f"comment {posted.outcome}: {posted.detail}")
    ctx.exit(0)


def _text(path: Path) -> str:
    from slugcheck import reading

    try:
        # a link that a change brought would post what it leads to
        data = reading.read(path, within=reading.top_of(path), limit=reading.SAVED_REPORT)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no UTF-8'}"
        raise UsageError(message, hint="write it with: slugcheck . --output report.md") from None
    if not text.strip():
        raise UsageError(f"{path} is empty", hint="write it with: slugcheck . --output report.md")
    return text


def _instead(terminal: Terminal, text: str, why: str, *, summary: bool) -> None:
    place = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if summary and place:
        terminal.append_file(Path(place), text)
        terminal.note(f"no comment: {why}; the report is in the job's summary")
    else:
        terminal.note(f"no comment: {why}")

"""The one comment of slugcheck on a pull request: made once, then edited.

GitHub's REST API, issue comments (docs.github.com/rest/issues/comments, version 2022-11-28). The
comment is found by a hidden marker, and only among those of the token's own user (of bots where
GitHub does not say who that is): what somebody else wrote with the same marker is left alone.

An old comment must not outlive a new verdict. So every comment with the marker is edited, where
two runs at once have made two; nothing is written by the run of a commit that is not the newest;
and where comments are too many to be searched, there is no second one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from slugcheck.errors import NetworkError, SlugcheckError, UsageError
from slugcheck.terminal import Terminal
from slugcheck.text import inert, printable
from slugcheck.version import __version__

if TYPE_CHECKING:
    import requests

_API = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": f"slugcheck/{__version__}",
}
_MOST = 65_536  # characters that GitHub takes
_PAGES = 30  # of a hundred comments each
_TIMEOUT = (10.0, 20.0)  # seconds to connect, and between two reads
_MOST_BYTES = 2**20  # of FILE; a comment holds 262,144 at most
_HINT = "write it with: slugcheck . --output report.md"
# How slugcheck's Markdown begins, and what the check ended with.
_CODES = {"## ❌": 1, "## ❔": 3}
_NOT_CHECKED = """\
## ❔ UNKNOWN: slugcheck could not check this commit

It ended with exit code {code}; the job's log says why.
"""


class Outcome(StrEnum):
    """What became of the comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    OUTDATED = "outdated"  # a newer commit was pushed, whose own run comments
    NONE = "none"  # there was nothing to edit


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """Where to comment, and with what right. ``repr`` leaves the token out.

    ``head`` is the commit that was checked, "" where the event does not say.
    """

    api: str
    repository: str
    number: int
    head: str = ""
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The outcome, and the comment's address or why there is none."""

    outcome: Outcome
    detail: str


def current(environ: Mapping[str, str]) -> PullRequest | None:
    """Return the pull request that a workflow runs for, None when it runs for something else.

    :raises UsageError: a variable holds something that GitHub never puts there.
    """
    event = _event(environ.get("GITHUB_EVENT_PATH", ""))
    number = event.get("number")
    if type(number) is not int or number <= 0:
        return None
    token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or ""
    repository = environ.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError("GITHUB_REPOSITORY is not OWNER/NAME", hint="run it in a GitHub workflow")
    api = environ.get("GITHUB_API_URL") or _API
    parts = urlsplit(api)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise UsageError("GITHUB_API_URL is not a URL", hint=f"it is {_API} on GitHub itself")
    head = _head(event)
    return PullRequest(
        api=api.rstrip("/"), repository=repository, number=number, token=token,
        head=head if _COMMIT.fullmatch(head) else "",
    )  # fmt: skip


def _head(pull: Mapping[str, Any]) -> str:
    """Return the newest commit of a pull request, "" where GitHub does not say."""
    head = pull.get("head")
    return str(head.get("sha", "")) if isinstance(head, dict) else ""


def _event(path: str) -> dict[str, Any]:
    """Return the pull request of the event, empty where the event is about something else."""
    if not path:
        return {}
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(f"GITHUB_EVENT_PATH {path} cannot be read as JSON") from None
    pull = event.get("pull_request") if isinstance(event, dict) else None
    return pull if isinstance(pull, dict) else {}


def marker(key: str) -> str:
    """Return the line that marks the comment.

    :raises UsageError: the key holds more than letters, digits, dots, dashes and underscores.
    """
    if not _KEY.fullmatch(key):
        message = f"--key {key[:40]}: letters, digits, dots and dashes only"
        raise UsageError(message, hint="for example --key api")
    return f"<!-- slugcheck comment: {key} -->"


def post(to: PullRequest, text: str, key: str, *, only_edit: bool = False) -> Posted:
    """Make the comment, or edit it where it is there; with ``only_edit`` never make one.

    :raises NetworkError: GitHub cannot be reached, or answers with something unusable.
    :raises UsageError: the text is longer than a comment can be.
    """
    about = f"\n<sub>slugcheck of {to.head[:12]}</sub>\n" if to.head else ""
    body = f"{marker(key)}\n{text.rstrip()}\n{about}"
    if len(body) > _MOST:
        message = f"the text has {len(body):,} characters, and a comment can have {_MOST:,}"
        raise UsageError(message, hint="slugcheck's own --format markdown keeps below it")
    if not to.token:
        return Posted(outcome=Outcome.REFUSED, detail="GITHUB_TOKEN is not set")
    import requests  # 0.1 s, which --help need not wait for

    with requests.Session() as session:
        api = _Api(to, session)
        try:
            if api.is_outdated():
                detail = "a newer commit was pushed, and its own run comments"
                return Posted(outcome=Outcome.OUTDATED, detail=detail)
            own = list(api.own_comments(marker(key)))
            if not own and only_edit:
                return Posted(outcome=Outcome.NONE, detail="there is none to edit")
            if not own:
                made = api.ask("POST", api.comments, body=body)
                return Posted(outcome=Outcome.CREATED, detail=_address(made))
            edited = [api.edit(comment, body) for comment in own if not _says(comment, body)]
        except _Refused as refused:
            return Posted(outcome=Outcome.REFUSED, detail=str(refused))
    if edited:
        return Posted(outcome=Outcome.UPDATED, detail=_address(edited[0]))
    return Posted(outcome=Outcome.UNCHANGED, detail=_address(own[0]))


def _says(comment: Mapping[str, Any], body: str) -> bool:
    return str(comment.get("body", "")).replace("\r\n", "\n").rstrip() == body.rstrip()


class _Refused(Exception):
    """The token may not do that, as on pull requests from forks."""


class _Api:
    """GitHub's API for one pull request."""

    def __init__(self, to: PullRequest, session: requests.Session) -> None:
        self._to = to
        self._repository = f"{to.api}/repos/{to.repository}"
        self.comments = f"{self._repository}/issues/{to.number}/comments"
        self._session = session
        self._session.headers.update(_HEADERS)

    def is_outdated(self) -> bool:
        """Whether the pull request has a newer commit; not where GitHub does not say."""
        if not self._to.head:
            return False
        try:
            pull = self.ask("GET", f"{self._repository}/pulls/{self._to.number}")
        except _Refused:
            return False
        return _head(pull) not in ("", self._to.head)

    def edit(self, comment: Mapping[str, Any], body: str) -> dict[str, Any]:
        """Put a text into a comment."""
        place = f"{self._repository}/issues/comments/{int(comment['id'])}"
        return self.ask("PATCH", place, body=body)

    def own_comments(self, marked: str) -> Iterator[dict[str, Any]]:
        """Yield the comments with the marker that the token's own user has written.

        Where GitHub does not say who that is, those of any bot.
        """
        login: str | None = None
        for comment in self._all_comments():
            user = comment.get("user")
            if not isinstance(user, dict) or not str(comment.get("body", "")).startswith(marked):
                continue
            if login is None:
                login = self._login()
            if user.get("login") == login if login else user.get("type") == "Bot":
                yield comment

    def _all_comments(self) -> Iterator[dict[str, Any]]:
        place: str | None = f"{self.comments}?per_page=100"
        for _ in range(_PAGES):
            if place is None:
                return
            answer = self._send("GET", place)
            page = _json(answer)
            if not isinstance(page, list):
                raise NetworkError("GitHub's answer is not a list of comments")
            yield from (comment for comment in page if isinstance(comment, dict))
            place = answer.links.get("next", {}).get("url")
            if place is not None and not place.startswith(f"{self._to.api}/"):
                raise NetworkError("GitHub links to a next page on another host")  # for the token
        if place is not None:
            raise NetworkError(
                f"the pull request has more than {_PAGES} pages of comments",
                hint="delete comments, so that slugcheck's own can be found and edited",
            )

    def _login(self) -> str:
        """Return the token's user, "" where GitHub does not say."""
        try:
            return str(self.ask("GET", f"{self._to.api}/user").get("login") or "")
        except _Refused:  # as for the tokens of workflows and apps, which may ask this way
            pass
        place = f"{self._to.api.removesuffix('/v3')}/graphql"
        try:
            data = self.ask("POST", place, query="query { viewer { login } }").get("data")
        except (_Refused, NetworkError):
            return ""
        viewer = data.get("viewer") if isinstance(data, dict) else None
        return str(viewer.get("login") or "") if isinstance(viewer, dict) else ""

    def ask(self, method: str, place: str, **body: str) -> dict[str, Any]:
        """Return the answer's object."""
        document = _json(self._send(method, place, **body))
        if not isinstance(document, dict):
            raise NetworkError("GitHub's answer is not a JSON object")
        return document

    def _send(self, method: str, place: str, **body: str) -> requests.Response:
        import requests

        try:
            answer = self._session.request(
                method, place, json=body or None, timeout=_TIMEOUT, allow_redirects=False,
                auth=self._signed,
            )  # fmt: skip
        except requests.RequestException as error:
            raise NetworkError(f"GitHub cannot be reached: {type(error).__name__}") from None
        if answer.status_code in (401, 403, 404) and not _limited(answer):
            raise _Refused(f"GitHub refused the request ({answer.status_code}): {_reason(answer)}")
        if not 200 <= answer.status_code < 300:
            message = f"GitHub answered {answer.status_code}: {_reason(answer)}"
            raise NetworkError(message, hint="run the job again later")
        return answer

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # as auth and not as a header of the session, so that no .netrc takes its place
        request.headers["Authorization"] = f"Bearer {self._to.token}"
        return request


def _limited(answer: requests.Response) -> bool:
    return answer.headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in answer.headers


def _reason(answer: requests.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        return "no reason was given"
    message = document.get("message") if isinstance(document, dict) else None
    return printable(str(message or "no reason was given"))[:200]


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise NetworkError("GitHub's answer is not JSON") from None


def _address(comment: Mapping[str, Any]) -> str:
    return printable(str(comment.get("html_url", "")))


@click.command("comment", short_help="Post a report as a comment on a pull request.")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option(
    "--key",
    default="report",
    show_default=True,
    metavar="NAME",
    help="Name of the comment, for a repository that checks several apps.",
)
@click.option(
    "--exit-code",
    "given",
    type=click.IntRange(0, 255),
    metavar="CODE",
    help="Exit code of `slugcheck check`. With 2 or more FILE may be missing, and an existing "
    "comment then says that this commit could not be checked.  [default: taken from FILE]",
)
@click.option(
    "--summary/--no-summary",
    default=True,
    help="Write to the job summary if commenting is not allowed.  [default: summary]",
)
@click.option("--quiet", "-q", is_flag=True, help="Do not report what was done.")
@click.pass_context
def command(
    ctx: click.Context, /, path: Path, key: str, given: int | None, summary: bool, quiet: bool
) -> None:
    """Post FILE, a report in Markdown, on the pull request of a GitHub workflow.

    The comment is created once and then edited. If the token is not allowed to comment, as on pull
    requests from forks, the report goes into the job summary instead. Reads GITHUB_TOKEN,
    GITHUB_REPOSITORY, GITHUB_EVENT_PATH and GITHUB_API_URL.

    Exit code: 0 the comment is up to date, or commenting is not allowed and the check passed;
    2 wrong usage; 3 GitHub cannot be reached. If the comment cannot be written and the check
    failed, the exit code is that of the check, since an old comment may still say it passed.
    """
    terminal = Terminal(quiet=quiet)
    marker(key)
    missing = given is not None and given >= 2 and not path.exists()
    text = _NOT_CHECKED.format(code=given) if missing else _text(path)
    code = _code(text) if given is None else given
    to = current(os.environ)
    if to is None:
        _instead(terminal, text, "this run is not for a pull request", summary=summary)
        ctx.exit(0)
    try:
        posted = post(to, text, key, only_edit=missing)
    except SlugcheckError as error:
        if not code:
            raise
        terminal.error(f"no comment: {error}", error.hint)
        ctx.exit(code)
    if posted.outcome is Outcome.REFUSED:
        _instead(terminal, text, posted.detail, summary=summary, passed=not code)
        ctx.exit(code)
    done = "no comment" if posted.outcome is Outcome.NONE else f"comment {posted.outcome}"
    terminal.note(f"{done}: {posted.detail}")
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
    message = f"no comment: {why}"
    if summary and place:
        terminal.append_file(Path(place), inert(text, "markdown"))
        message += "; the report is in the job's summary"
    if passed:
        terminal.note(message)
    else:
        terminal.error(message)

"""Edges of the command line: the time limit, paths of annotations, and what a comment holds."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slugcheck import platforms
from slugcheck.cli import run
from slugcheck.commands import comment, options
from slugcheck.commands.comment import Outcome, PullRequest, current, post
from slugcheck.errors import NetworkError, UsageError
from slugcheck.running import deadline
from tests.support.commands import slugcheck
from tests.support.github import REPOSITORY, TOKEN, GithubServer, Mood
from tests.support.server import PackageServer

# --------------------------------------------------------------------------- the time limit


@pytest.fixture(autouse=True)
def no_deadline() -> Iterator[None]:
    yield
    deadline.stop()


@pytest.mark.parametrize(
    ("given", "usual", "seconds"),
    [
        ({}, 600, 600), ({"verify": True}, 600, 3600), ({"build": True}, 600, 3600),
        ({"build": True}, 10_800, 10_800), ({}, 10_800, 10_800), ({"timeout": "90s"}, 600, 90),
        ({"timeout": "1", "verify": True}, 600, 1), ({"verify": False, "build": False}, 600, 600),
    ],
)  # fmt: skip
def test_a_run_has_its_time(given: dict[str, Any], usual: int, seconds: int) -> None:
    options.start_clock(given, usual=usual)
    assert seconds - 5 < deadline.left() <= seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [("0", "--timeout 0: must be at least 1 second"), ("soon", "--timeout: 'soon' is not a dur")],
)
def test_a_time_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        options.start_clock({"timeout": text})
    assert str(raised.value).startswith(said)
    assert deadline.left() == float("inf")


def test_bench_runs_on_linux_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(UsageError, match="bench needs Linux"):
        options.require_linux("bench")
    monkeypatch.setattr("sys.platform", "linux")
    options.require_linux("bench")


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("slug=1M", ("slug", "1M")), (" slug = 1M ", ("slug", "1M")), ("a=b=c", ("a", "b=c")),
        ("slug", None), ("=1M", None), ("slug=", None),
    ],
)  # fmt: skip
def test_a_limit_is_a_name_and_a_value(text: str, pair: tuple[str, str] | None) -> None:
    if pair:
        assert options._pair(text) == pair
    else:
        with pytest.raises(UsageError, match="expected NAME=VALUE"):
            options._pair(text)


def test_paths_of_annotations_start_at_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "repo" / "app").mkdir(parents=True)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path / "repo" / "app")
    assert options._place().root == str(tmp_path / "repo" / "app")
    (tmp_path / "repo" / ".git").mkdir()
    assert options._place().root == str(tmp_path / "repo")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    place = options._place()
    assert (place.root, place.cwd) == (str(tmp_path), str(tmp_path / "repo" / "app"))


def test_a_missing_file_is_what_is_wrong_whatever_it_is_compared_with(tmp_path: Path) -> None:
    for base in ("nowhere", str(tmp_path)):
        done = slugcheck(tmp_path / "missing.txt", "--against", base)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"error: {tmp_path}/missing.txt does not exist\n")


@pytest.mark.parametrize("command", [("check", ".", "--against"), ("init",)])
def test_a_name_that_the_system_refuses_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "requirements.txt").write_text("flask\n")
    done = slugcheck(*command, "x" * 300)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: file name too long: {'x' * 60}…\n"


@pytest.mark.parametrize("command", ["platforms", "--help", "--version"])
def test_an_output_that_cannot_be_written_is_one_line(command: str) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    err, out = io.StringIO(), full.open("w")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([command])
    with contextlib.suppress(OSError):  # of what click left in the buffer
        out.close()
    assert code == 3
    assert err.getvalue() == "error: cannot write the output: No space left on device\n"


def test_a_summary_that_cannot_be_written_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "report.md"
    report.write_text("## it fits\n")
    place = tmp_path / "none" / "summary.md"
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place))
    done = slugcheck("comment", report)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"error: {place} cannot be written: No such file or directory\n"
        "hint: GITHUB_STEP_SUMMARY names this file\n"
    )


@pytest.mark.parametrize(("patch", "noted"), [("99", True), ("0", False)])
def test_a_python_that_slugcheck_does_not_know_yet_is_noted(
    tmp_path: Path, private_caches: None, package_server: PackageServer, patch: str, noted: bool
) -> None:
    package_server.add_wheel("a", "1.0", {"a.py": ""})
    path = tmp_path / "requirements.txt"
    path.write_text("a\n")
    index = ("--index-url", package_server.index_url)
    done = slugcheck(path, "--python", f"3.12.{patch}", *index, "--format", "json")
    known = next(one.version for one in platforms.load("heroku").pythons if one.minor == "3.12")
    note = (
        f"Python 3.12.{patch} is newer than {known}, the newest 3.12 release that slugcheck knows; "
        "not checked whether the platform has it"
    )
    assert (note in done.document["notes"]) is noted


# --------------------------------------------------------------------------- which pull request


def environ(tmp_path: Path, event: object = None, **more: str) -> dict[str, str]:
    path = tmp_path / "event.json"
    usual = {"pull_request": {"number": 7, "head": {"sha": "ab" * 20}}}
    path.write_text(json.dumps(usual if event is None else event))
    return {
        "GITHUB_EVENT_PATH": str(path), "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN,
        **more,
    }  # fmt: skip


def test_a_pull_request_is_read_from_the_event(tmp_path: Path) -> None:
    pull_request = current(environ(tmp_path, GITHUB_API_URL="https://ghe.example/api/v3/"))
    assert pull_request == PullRequest(
        api="https://ghe.example/api/v3", repository=REPOSITORY, number=7, head="ab" * 20,
        token=TOKEN,
    )  # fmt: skip
    assert TOKEN not in repr(pull_request)
    usual = current(environ(tmp_path, GITHUB_TOKEN="", GH_TOKEN="other"))
    assert usual is not None
    assert (usual.api, usual.token) == ("https://api.github.com", "other")


@pytest.mark.parametrize(
    "event",
    [
        {}, [], {"pull_request": None}, {"pull_request": {"number": 0}},
        {"pull_request": {"number": True}}, {"pull_request": {"number": "7"}},
    ],
)  # fmt: skip
def test_an_event_without_a_pull_request_is_none(tmp_path: Path, event: object) -> None:
    assert current(environ(tmp_path, event)) is None
    assert current({}) is None


@pytest.mark.parametrize(
    ("head", "sha"),
    [
        ({"sha": "ab" * 20}, "ab" * 20), ({"sha": "ab" * 32}, "ab" * 32), ({"sha": "ab" * 19}, ""),
        ({"sha": "x" * 40}, ""), ({}, ""), (None, ""),
    ],
)  # fmt: skip
def test_a_head_that_is_no_commit_is_not_shown(tmp_path: Path, head: object, sha: str) -> None:
    pull_request = current(environ(tmp_path, {"pull_request": {"number": 1, "head": head}}))
    assert pull_request is not None
    assert pull_request.head == sha


# --------------------------------------------------------------------------- the comment


def to(server: GithubServer, **more: Any) -> PullRequest:
    usual: dict[str, Any] = {"api": server.url, "repository": REPOSITORY, "number": 7}
    return PullRequest(**(usual | {"token": TOKEN} | more))


def test_a_comment_names_its_commit_below_the_text() -> None:
    with GithubServer() as server:
        server.head = "ab" * 20
        made = post(to(server, head="ab" * 20), "## text\n\n\n", "api")
        assert made.outcome is Outcome.CREATED
        assert made.detail.startswith("https://github.example/")
        assert server.comments[0]["body"] == (
            "<!-- slugcheck comment: api -->\n## text\n\n<sub>slugcheck of abababababab</sub>\n"
        )
        again = post(to(server, head="ab" * 20), "## text", "api")
        assert again.outcome is Outcome.UNCHANGED
        server.comments[0]["body"] = server.comments[0]["body"].replace("\n", "\r\n")
        assert post(to(server, head="ab" * 20), "## text", "api").outcome is Outcome.UNCHANGED
        newer = post(to(server, head="cd" * 20), "## other", "api")
        assert newer.outcome is Outcome.OUTDATED


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_a_comment_has_room_for_so_many_characters(more: int, fits: bool) -> None:
    around = len(f"{comment.marker('report')}\n\n")
    text = "x" * (65_536 - around + more)
    with GithubServer() as server:
        if fits:
            assert post(to(server), text, "report").outcome is Outcome.CREATED
        else:
            with pytest.raises(UsageError, match="the text has 65,537 characters"):
                post(to(server), text, "report")
            assert server.comments == []


def test_without_a_comment_an_edit_makes_none_and_without_a_token_nothing_is_asked() -> None:
    with GithubServer() as server:
        none = post(to(server), "x", "report", only_edit=True)
        assert (none.outcome, server.comments) == (Outcome.NONE, [])
        server.asked.clear()
        refused = post(to(server, token=""), "x", "report")
        assert (refused.outcome, refused.detail) == (Outcome.REFUSED, "GITHUB_TOKEN is not set")
        assert server.asked == []


@pytest.mark.parametrize(
    ("own", "viewer", "login", "kind", "edited"),
    [
        ("Bot", "github-actions[bot]", "github-actions[bot]", "Bot", True),
        ("Bot", "github-actions[bot]", "other[bot]", "Bot", False),
        ("Bot", "", "other[bot]", "Bot", True),  # GitHub does not say who it is: any bot
        ("Bot", "", "someone", "User", False),
        ("User", "", "me", "User", True),
        ("User", "", "someone", "User", False),
    ],
)
def test_only_ones_own_comment_is_edited(
    own: str, viewer: str, login: str, kind: str, edited: bool
) -> None:
    with GithubServer() as server:
        server.own = {"login": "me" if own == "User" else "github-actions[bot]", "type": own}
        server.viewer = viewer
        server.add("no marker", login, kind)
        server.add(f"{comment.marker('report')}\nold", login, kind)
        outcome = post(to(server), "new", "report").outcome
        assert outcome is (Outcome.UPDATED if edited else Outcome.CREATED)
        assert len(server.comments) == (2 if edited else 3)


@pytest.mark.parametrize(("pages", "searched"), [(30, True), (31, False)])
def test_so_many_pages_are_searched(pages: int, searched: bool) -> None:
    with GithubServer(page=1) as server:
        for _ in range(pages):
            server.add("hello")
        if searched:
            assert post(to(server), "x", "report").outcome is Outcome.CREATED
        else:
            with pytest.raises(NetworkError, match="more than 30 pages of comments"):
                post(to(server), "x", "report")


@pytest.mark.parametrize(
    ("mood", "error", "said"),
    [
        (Mood.READ_ONLY, None, "GitHub refused the request (403): Resource not accessible by"),
        (Mood.ABSENT, None, "GitHub refused the request (404): Not Found"),
        (Mood.LIMITED, NetworkError, "GitHub answered 403: API rate limit exceeded"),
        (Mood.UNPROCESSABLE, NetworkError, "GitHub answered 422: Body is too long"),
        (Mood.ERROR, NetworkError, "GitHub answered 500: it hurts"),
        (Mood.HTML, NetworkError, "GitHub's answer is not JSON"),
        (Mood.OBJECT, NetworkError, "GitHub's answer is not a list of comments"),
        (Mood.LIST, NetworkError, "GitHub's answer is not a JSON object"),
    ],
)
def test_what_github_says_is_passed_on(
    mood: Mood, error: type[Exception] | None, said: str
) -> None:
    with GithubServer(mood) as server:
        if error is None:
            refused = post(to(server), "x", "report")
            assert refused.outcome is Outcome.REFUSED
            assert refused.detail.startswith(said)
        else:
            with pytest.raises(error) as raised:
                post(to(server), "x", "report")
            assert str(raised.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "code"),
    [("## ❌ OVER", 1), ("## ❔ UNKNOWN", 3), ("## ✅ FITS", 0), ("x\n## ❌", 0), ("## ⚠️", 0)],
)
def test_the_first_line_says_how_the_check_ended(text: str, code: int) -> None:
    assert comment._code(text) == code


@pytest.mark.parametrize(
    ("key", "fits"),
    [("api", True), ("a.b_c-1", True), ("x" * 50, True), ("x" * 51, False), ("-a", False),
     ("a b", False), ("", False), ("a-->", False)],
)  # fmt: skip
def test_keys_that_a_marker_can_hold(key: str, fits: bool) -> None:
    if fits:
        assert comment.marker(key) == f"<!-- slugcheck comment: {key} -->"
    else:
        with pytest.raises(UsageError, match="letters, digits, dots and dashes only"):
            comment.marker(key)

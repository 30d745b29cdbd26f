"""``slugcheck comment``: one comment, made and then edited; and what happens where it may not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Done, slugcheck
from tests.support.github import REPOSITORY, TOKEN, GithubServer, Mood


@pytest.fixture
def github() -> Iterator[GithubServer]:
    with GithubServer() as found:
        yield found


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.md"
    path.write_text("## it fits\n", encoding="utf-8")
    return path


@pytest.fixture
def summary(tmp_path: Path) -> Path:
    return tmp_path / "summary.md"


@pytest.fixture(autouse=True)
def workflow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, github: GithubServer, summary: Path
) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    values = {
        "GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN,
        "GITHUB_EVENT_PATH": str(event), "GITHUB_STEP_SUMMARY": str(summary),
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def bodies(github: GithubServer) -> list[str]:
    return [one["body"] for one in github.comments]


def test_it_is_made_once_and_then_edited(github: GithubServer, report: Path) -> None:
    done = slugcheck("comment", report)
    assert done.code == 0, done.err
    assert done.out == ""
    assert "comment created: https://github.example/" in done.err
    report.write_text("## it does not fit\n")
    assert "comment updated" in slugcheck("comment", report).err
    assert "comment unchanged" in slugcheck("comment", report).err
    assert bodies(github) == ["<!-- slugcheck comment: report -->\n## it does not fit\n"]
    assert [method for method, _, _ in github.asked].count("PATCH") == 1


def test_its_own_is_found_on_a_later_page(github: GithubServer, report: Path) -> None:
    for number in range(5):
        github.add(f"talk {number}")
    slugcheck("comment", report)
    github.add("more talk")
    report.write_text("## newer\n")
    assert "comment updated" in slugcheck("comment", report).err
    assert len(github.comments) == 7


def test_somebody_elses_comment_with_the_marker_is_left_alone(
    github: GithubServer, report: Path
) -> None:
    theirs = github.add("<!-- slugcheck comment: report -->\nit fits, trust me")
    assert "comment created" in slugcheck("comment", report).err
    assert theirs["body"].endswith("trust me")
    assert len(github.comments) == 2


def test_a_persons_token_finds_the_persons_comment(github: GithubServer, report: Path) -> None:
    github.own = {"login": "me", "type": "User"}
    github.add("<!-- slugcheck comment: report -->\nof another", "another")
    slugcheck("comment", report)
    report.write_text("## newer\n")
    assert "comment updated" in slugcheck("comment", report).err
    assert len(github.comments) == 2


def test_several_apps_have_a_comment_each(github: GithubServer, report: Path) -> None:
    slugcheck("comment", report, "--key", "api")
    slugcheck("comment", report, "--key", "worker")
    assert len(github.comments) == 2


@pytest.mark.parametrize("mood", [Mood.READ_ONLY, Mood.ABSENT])
def test_where_it_may_not_comment_the_summary_has_the_report(
    github: GithubServer, report: Path, summary: Path, mood: Mood
) -> None:
    github.mood = mood
    done = slugcheck("comment", report)
    assert done.code == 0
    assert "the report is in the job's summary" in done.err
    assert summary.read_text() == "## it fits\n"


def test_a_summary_that_has_it_already_is_left_alone(
    github: GithubServer, report: Path, summary: Path
) -> None:
    github.mood = Mood.READ_ONLY
    assert slugcheck("comment", report, "--no-summary").code == 0
    assert not summary.exists()


def test_a_run_for_no_pull_request_writes_the_summary(
    monkeypatch: pytest.MonkeyPatch, github: GithubServer, report: Path, summary: Path
) -> None:
    monkeypatch.delenv("GITHUB_EVENT_PATH")
    done = slugcheck("comment", report)
    assert (done.code, github.asked) == (0, [])
    assert "this run is not for a pull request" in done.err
    assert summary.read_text() == "## it fits\n"


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        (Mood.ERROR, "GitHub answered 500: it hurts"),
        (Mood.LIMITED, "GitHub answered 403: API rate limit exceeded"),
        (Mood.HTML, "GitHub's answer is not JSON"),
    ],
)
def test_a_github_that_is_unwell_is_one_line_and_exit_3(
    github: GithubServer, report: Path, mood: Mood, words: str
) -> None:
    github.mood = mood
    done = slugcheck("comment", report)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"error: {words}")
    assert github.comments == []


def test_no_github_at_all_is_one_line_and_exit_3(
    monkeypatch: pytest.MonkeyPatch, report: Path
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    done = slugcheck("comment", report)
    assert (done.code, done.out) == (3, "")
    assert done.err == "error: GitHub cannot be reached: ConnectionError\n"


def test_the_token_goes_to_its_own_host_only_and_is_shown_nowhere(
    github: GithubServer, report: Path
) -> None:
    github.mood = Mood.ELSEWHERE
    for number in range(5):
        github.add(f"talk {number}")
    done = slugcheck("comment", report)
    assert done.code == 3
    assert done.err == "error: GitHub links to a next page on another host\n"
    assert TOKEN not in done.err + done.out
    assert {signed for _, _, signed in github.asked} == {f"Bearer {TOKEN}"}


# --------------------------------------------------------------------------- old against new

RED, GREEN = "## ❌ OVER BUDGET\n", "## ✅ FITS Heroku\n"
UNWELL = [Mood.READ_ONLY, Mood.ABSENT, Mood.ERROR, Mood.LIMITED, Mood.HTML, Mood.UNPROCESSABLE]


@pytest.mark.parametrize("mood", UNWELL)
@pytest.mark.parametrize(("text", "code"), [(RED, 1), ("## ❔ UNKNOWN\n", 3)])
def test_where_a_verdict_that_did_not_pass_cannot_be_written_it_is_said_and_the_exit_code(
    github: GithubServer, report: Path, mood: Mood, text: str, code: int
) -> None:
    report.write_text(GREEN, encoding="utf-8")
    slugcheck("comment", report)
    github.mood = mood
    report.write_text(text, encoding="utf-8")
    done = slugcheck("comment", report, "--quiet")
    assert done.code == code
    assert done.err.startswith("error: no comment: ")


def test_the_exit_code_that_is_given_counts_for_more_than_the_first_line(
    github: GithubServer, report: Path
) -> None:
    github.mood = Mood.READ_ONLY
    report.write_text(GREEN, encoding="utf-8")
    assert slugcheck("comment", report, "--exit-code", "1").code == 1
    assert slugcheck("comment", report, "--exit-code", "0").code == 0


def test_without_a_token_a_red_verdict_is_no_success(
    monkeypatch: pytest.MonkeyPatch, github: GithubServer, report: Path
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.delenv("GH_TOKEN", raising=False)
    report.write_text(RED, encoding="utf-8")
    done = slugcheck("comment", report)
    assert (done.code, github.asked) == (1, [])
    assert "no comment: GITHUB_TOKEN is not set" in done.err


def test_a_check_without_a_report_is_told_in_an_older_comment_and_makes_none(
    github: GithubServer, report: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "none.md"
    done = slugcheck("comment", missing, "--exit-code", "3")
    assert (done.code, bodies(github)) == (0, [])
    assert "no comment: there is none to edit" in done.err
    report.write_text(GREEN, encoding="utf-8")
    slugcheck("comment", report)
    assert slugcheck("comment", missing, "--exit-code", "3").code == 0
    (body,) = bodies(github)
    assert "FITS" not in body
    assert "exit code 3" in body
    assert "UNKNOWN: slugcheck could not check this commit" in body
    assert slugcheck("comment", missing, "--exit-code", "1").code == 2


def test_every_comment_of_its_own_is_edited_where_two_runs_have_made_two(
    github: GithubServer, report: Path
) -> None:
    for _ in range(2):
        github.add(f"<!-- slugcheck comment: report -->\n{GREEN}", "github-actions[bot]", "Bot")
    report.write_text(RED, encoding="utf-8")
    slugcheck("comment", report)
    assert all("OVER BUDGET" in body for body in bodies(github))


def test_a_comment_that_another_bot_was_made_to_write_is_left_alone(
    github: GithubServer, report: Path
) -> None:
    theirs = github.add(f"<!-- slugcheck comment: report -->\n{GREEN}", "echo[bot]", "Bot")
    assert "comment created" in slugcheck("comment", report).err
    assert theirs["body"].endswith(GREEN)
    github.viewer = ""  # an old GitHub does not say who the token is of
    report.write_text("## newer\n")
    assert "comment updated" in slugcheck("comment", report).err


def test_where_comments_are_too_many_to_search_there_is_no_second_one(report: Path) -> None:
    with GithubServer(page=1) as github, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_API_URL", github.url)
        for _ in range(40):
            github.add("<!-- slugcheck comment: report -->\nit fits, trust me")
        report.write_text(RED, encoding="utf-8")
        done = slugcheck("comment", report)
        assert done.code == 1
        assert "error: no comment: the pull request has more than 30 pages" in done.err
        assert len(github.comments) == 40
        assert len(github.asked) < 40


def test_the_run_of_an_older_commit_leaves_the_comment_to_the_newest(
    github: GithubServer, report: Path, tmp_path: Path
) -> None:
    old, new = "a" * 40, "b" * 40
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": new}}}))
    github.head = new
    report.write_text(RED, encoding="utf-8")
    assert slugcheck("comment", report).code == 0
    assert bodies(github)[0].endswith(f"<sub>slugcheck of {new[:12]}</sub>\n")
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": old}}}))
    report.write_text(GREEN, encoding="utf-8")
    done = slugcheck("comment", report)
    assert done.code == 0
    assert "comment outdated: a newer commit was pushed" in done.err
    assert "OVER BUDGET" in bodies(github)[0]


@pytest.mark.parametrize("kind", ["pipe", "endless", "large"])
def test_a_report_is_a_regular_file_of_bounded_size(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.md"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "endless":
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(b"x" * (2**20 + 1))
    done = slugcheck("comment", path)
    assert done.code == 2
    said = {"pipe": "not a regular file", "endless": "link that leads outside", "large": "1 MB"}
    assert said[kind] in done.err


# --------------------------------------------------------------------------- what is wrong


def bad(name: str, value: str, monkeypatch: pytest.MonkeyPatch, report: Path) -> Done:
    monkeypatch.setenv(name, value)
    return slugcheck("comment", report)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GITHUB_REPOSITORY", "../../user", "GITHUB_REPOSITORY is not OWNER/NAME"),
        ("GITHUB_API_URL", "file:///etc", "GITHUB_API_URL is not a URL"),
        ("GITHUB_EVENT_PATH", "/none", "GITHUB_EVENT_PATH /none cannot be read as JSON"),
    ],
)
def test_variables_that_are_wrong_are_told(
    monkeypatch: pytest.MonkeyPatch, github: GithubServer, report: Path, name: str, value: str,
    words: str,
) -> None:  # fmt: skip
    done = bad(name, value, monkeypatch, report)
    assert (done.code, github.asked) == (2, [])
    assert done.err.startswith(f"error: {words}")


def test_bad_files_and_keys_are_told(tmp_path: Path, report: Path) -> None:
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "long.md").write_text("x" * 70_000)
    for arguments, words in (
        ((tmp_path / "none.md",), "cannot be read"),
        ((tmp_path / "empty.md",), "is empty"),
        ((tmp_path / "long.md",), "a comment can have 65,536"),
        ((report, "--key", "a --> b"), "letters, digits, dots and dashes only"),
    ):
        done = slugcheck("comment", *arguments)
        assert done.code == 2
        assert words in done.err

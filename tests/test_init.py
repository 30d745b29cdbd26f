"""``slugcheck init``: a first settings file that holds today and fails when much is added."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from slugcheck.policy import settings
from slugcheck.text import parse_size
from tests.support import stock
from tests.support.commands import slugcheck
from tests.support.server import PackageServer

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    return stock.fill(package_server)


def test_a_tight_limit_is_todays_size_and_a_quarter(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("heavy\n")
    flags = ("--index-url", index.index_url, "--python", "3.12")
    done = slugcheck("init", path, *flags, "--budget", "tight")
    assert done.code == 0, done.err
    totals = slugcheck(path, *flags, "--format", "json").document["totals"]
    found = {budget.name: budget for budget in settings.load(tmp_path).budgets}
    assert 1.24 <= parse_size(found["slug"].text) / totals["slug_bytes"] <= 1.32
    assert "installed" not in found
    assert found["increase"].text == "10MB"
    assert slugcheck(path, *flags).code == 0


@pytest.mark.parametrize(
    ("flags", "limit", "meaning"),
    [
        ((), "500M", "slugcheck's default budget"),
        (("--budget", "slugcheck"), "500M", "slugcheck's default budget"),
        (("--budget", "platform"), "1000M", "Heroku's own limit since 2026-03-19"),
        (("--platform", "aws-lambda"), "250M", "AWS Lambda (zip)'s own limit"),
        (
            ("--platform", "aws-lambda", "--budget", "slugcheck"),
            "250M",
            "AWS Lambda (zip)'s own limit",
        ),
    ],
)
def test_a_script_chooses_the_limit_with_an_option(
    index: PackageServer,
    requirements: Write,
    tmp_path: Path,
    flags: tuple[str, ...],
    limit: str,
    meaning: str,
) -> None:
    path = requirements("light\n")
    done = slugcheck("init", path, "--index-url", index.index_url, "--python", "3.12", *flags)
    assert done.code == 0, done.err
    assert done.out == ""
    text = (tmp_path / "slugcheck.toml").read_text()
    assert f"# {meaning}; today " in text
    budgets = {budget.name: budget.text for budget in settings.load(tmp_path).budgets}
    assert budgets["bundle" if "aws-lambda" in flags else "slug"] == limit


@pytest.mark.parametrize(("answer", "limit"), [("platform", "1000M"), ("", "500M")])
def test_init_asks_in_a_terminal_which_limit_the_team_wants(
    index: PackageServer, requirements: Write, tmp_path: Path, answer: str, limit: str
) -> None:
    pty = pytest.importorskip("pty", reason="Windows has no such terminals")
    path = requirements("light\n")
    command = [sys.executable, "-m", "slugcheck", "init", str(path)]
    command += ["--index-url", index.index_url, "--python", "3.12"]
    main, second = pty.openpty()
    with subprocess.Popen(command, stdin=second, stdout=second, stderr=second) as running:
        os.close(second)
        shown = _read_until(main, "> ")
        os.write(main, f"{answer}\n".encode())
        _read_until(main, "wrote")
        assert running.wait(60) == 0
    os.close(main)
    assert "Which limit should this project have? Its size today is" in shown
    assert "platform   1000M: Heroku's own limit since 2026-03-19" in shown
    assert f'slug = "{limit}"' in (tmp_path / "slugcheck.toml").read_text()


def _read_until(stream: int, end: str) -> str:
    """Read what a terminal shows, until it shows ``end``."""
    text = ""
    while end not in text:
        text += os.read(stream, 4096).decode()
    return text


def test_what_is_there_is_not_written_over(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("light\n")
    own = requirements("# mine\n", "slugcheck.toml")
    flags = ("--index-url", index.index_url, "--python", "3.12")
    done = slugcheck("init", path, *flags)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: {own} already exists\nhint: edit it, or overwrite it with --force\n"
    assert own.read_text() == "# mine\n"
    assert slugcheck("init", path, *flags, "--force").code == 0
    own.unlink()
    shared = requirements("[tool.slugcheck]\nmodels = []\n", "pyproject.toml")
    refused = slugcheck("init", path, *flags)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == f"error: {shared} already has settings\nhint: edit its [tool.slugcheck]\n"
    assert not own.exists()


def test_nothing_is_written_where_something_has_no_size(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("light\ngit+https://127.0.0.1:9/x.git#egg=odd\n")
    done = slugcheck("init", path, "--index-url", index.index_url, "--python", "3.12")
    assert (done.code, done.out) == (3, "")
    assert "error: the size is unknown: odd could not be sized\n" in done.err
    assert "hint: run slugcheck check to see why, then fix or remove these lines\n" in done.err
    assert not (tmp_path / "slugcheck.toml").exists()


@pytest.mark.slow
def test_todays_size_beyond_the_platforms_limit_gets_that_limit(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    index.add_wheel("huge", "1.0", {"huge.so": bytes(300_000_000)})
    path = requirements("huge\n")
    flags = ("--index-url", index.index_url, "--python", "3.12", "--platform", "aws-lambda")
    assert slugcheck("init", path, *flags).code == 0
    found = {budget.name: budget for budget in settings.load(tmp_path).budgets}
    assert parse_size(found["bundle"].text) <= 262_144_000

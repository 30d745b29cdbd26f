"""``slugcheck init``: a first settings file that holds today and fails when much is added."""

from __future__ import annotations

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


def test_the_limits_are_todays_size_and_a_quarter(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("heavy\n")
    flags = ("--index-url", index.index_url, "--python", "3.12")
    done = slugcheck("init", path, *flags)
    assert done.code == 0, done.err
    totals = slugcheck(path, *flags, "--format", "json").document["totals"]
    found = {budget.name: budget for budget in settings.load(tmp_path).budgets}
    for name, size in (
        ("slug", totals["slug_bytes"]),
        ("installed", totals["all_installed_bytes"]),
    ):
        assert 1.24 <= parse_size(found[name].text) / size <= 1.32
    assert found["increase"].text == "10MB"
    assert slugcheck(path, *flags).code == 0


def test_what_is_there_is_not_written_over(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("light\n")
    own = requirements("# mine\n", "slugcheck.toml")
    flags = ("--index-url", index.index_url, "--python", "3.12")
    done = slugcheck("init", path, *flags)
    assert done.code == 2
    assert own.read_text() == "# mine\n"
    assert slugcheck("init", path, *flags, "--force").code == 0
    own.unlink()
    requirements("[tool.slugcheck]\nmodels = []\n", "pyproject.toml")
    assert slugcheck("init", path, *flags).code == 2
    assert not own.exists()


def test_nothing_is_written_where_something_has_no_size(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("light\ngit+https://127.0.0.1:9/x.git#egg=odd\n")
    done = slugcheck("init", path, "--index-url", index.index_url, "--python", "3.12")
    assert done.code == 3
    assert "odd" in done.err
    assert not (tmp_path / "slugcheck.toml").exists()


def test_todays_size_beyond_the_platforms_limit_gets_that_limit(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    index.add_wheel("huge", "1.0", {"huge.so": bytes(300_000_000)})
    path = requirements("huge\n")
    flags = ("--index-url", index.index_url, "--python", "3.12", "--platform", "aws-lambda")
    assert slugcheck("init", path, *flags).code == 0
    found = {budget.name: budget for budget in settings.load(tmp_path).budgets}
    assert parse_size(found["installed"].text) <= 262_144_000

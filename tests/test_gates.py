"""Budgets of single packages, denied packages and ignored findings, through the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import stock
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    return stock.fill(package_server)


def check(index: PackageServer, path: Path, *more: str) -> Done:
    flags = ("--index-url", index.index_url, "--python", "3.12", "--format", "json")
    return slugcheck(path, *flags, *more)


def verdict(done: Done, name: str) -> Any:
    return next(one for one in done.document["verdicts"] if one["budget"] == name)


@pytest.mark.parametrize(
    ("limit", "code", "status"),
    [
        ("package.heavy=4MB", 0, "pass"),
        ("package.heavy=2MB", 1, "fail"),
        ("package.Heavy=2MB", 1, "fail"),
        ("package.absent=1B", 0, "pass"),
    ],
)
def test_a_package_has_a_budget_of_its_own(
    index: PackageServer, requirements: Write, limit: str, code: int, status: str
) -> None:
    done = check(index, requirements("heavy\n"), "--limit", limit)
    assert done.code == code, done.err
    name = limit.partition("=")[0].lower()
    assert verdict(done, name)["status"] == status


def test_a_packages_limit_is_exact_to_the_byte(index: PackageServer, requirements: Write) -> None:
    path = requirements("tensors\n")
    size = check(index, path).one("tensors")["installed_bytes"]
    assert check(index, path, "--limit", f"package.tensors={size}").code == 0
    assert check(index, path, "--limit", f"package.tensors={size - 1}").code == 1


def test_an_unsized_package_cannot_be_judged(index: PackageServer, requirements: Write) -> None:
    path = requirements("light\ngit+https://127.0.0.1:9/x.git#egg=odd\n")
    done = check(index, path, "--allow-unsized", "odd", "--limit", "package.odd=1MB")
    assert done.code == 3
    assert verdict(done, "package.odd")["status"] == "unknown"


@pytest.mark.parametrize(
    ("deny", "code", "said"),
    [
        ('deny = ["tensors"]', 1, "tensors 3.0 (required by heavy) is denied"),
        ('deny = ["Tensors>=3"]', 1, "is denied"),
        ('deny = ["tensors<3"]', 0, "not installed: tensors<3"),
        ('[deny]\ntensors = "use light"', 1, "is denied: use light"),
        ('deny = ["absent"]', 0, "not installed: absent"),
    ],
)
def test_a_denied_package_fails_wherever_it_comes_from(
    index: PackageServer, requirements: Write, deny: str, code: int, said: str
) -> None:
    requirements(f"{deny}\n", "slugcheck.toml")
    done = check(index, requirements("heavy\n"))
    assert done.code == code, done.err
    assert said in verdict(done, "deny")["sentence"]


def test_the_settings_choose_the_target_and_flags_win(
    index: PackageServer, requirements: Write
) -> None:
    requirements(
        'platform = "heroku"\nstack = "heroku-22"\npython = "3.12"\ndyno = "performance-m"\n'
        '[budgets]\nslug = "400M"\n',
        "slugcheck.toml",
    )
    path = requirements("light\n")
    flags = ("--index-url", index.index_url, "--format", "json")
    target = slugcheck(path, *flags).document["target"]
    assert (target["stack"], target["python"], target["dyno"]) == (
        "heroku-22", "3.12", "performance-m",
    )  # fmt: skip
    assert target["python_origin"] == "slugcheck.toml"
    done = slugcheck(path, *flags, "--stack", "heroku-24", "--limit", "slug=450M")
    assert done.document["target"]["stack"] == "heroku-24"
    assert verdict(done, "slug")["limit_text"] == "450M"
    other = slugcheck(path, *flags, "--platform", "aws-lambda", "--python", "3.12")
    assert other.code == 0, other.err  # the stack of the settings is another platform's


def test_settings_of_a_folder_above_count_up_to_the_checkouts_top(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    requirements('[budgets]\nslug = "1M"\n', "slugcheck.toml")
    path = requirements("light\n", "deploy/requirements.txt")
    assert check(index, path).code == 0  # no checkout: nothing above is looked at
    (tmp_path / ".git").mkdir()
    assert check(index, path).code == 1
    other = requirements('[budgets]\nslug = "400M"\n', "other.toml")
    assert check(index, path, "--config", str(other)).code == 0


def test_a_message_is_shown_when_its_budget_fails(
    index: PackageServer, requirements: Write
) -> None:
    requirements(
        '[budgets]\nslug = { limit = "1M", message = "ask the platform team" }\n', "slugcheck.toml"
    )
    done = check(index, requirements("heavy\n"))
    assert verdict(done, "slug")["sentence"].endswith("ask the platform team")


def test_an_ignored_finding_is_shown_with_its_reason_and_not_counted(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("pytest", "8.0", {"pytest.py": "x = 1\n"})
    path = requirements("pytest==8.0\n")
    assert [f["code"] for f in check(index, path).document["findings"]] == ["development-tools"]
    requirements(
        '[[ignore]]\ncode = "development-tools"\nreason = "a test app"\nexpires = 2999-12-31\n'
        '[[ignore]]\ncode = "opencv-gui"\nreason = "none"\nexpires = 2999-12-31\n',
        "slugcheck.toml",
    )
    done = check(index, path)
    assert done.document["findings"] == []
    (ignored,) = done.document["ignored"]
    assert (ignored["code"], ignored["reason"]) == ("development-tools", "a test app")
    assert any("unused ignore rule: opencv-gui" in note for note in done.document["notes"])
    table = check(index, path, "--format", "table").out
    assert "ignored: development-tools of pytest (a test app, until 2999-12-31)" in table

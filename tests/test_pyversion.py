"""The Python version of a project, with every error that the buildpack would stop at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slugcheck import platforms
from slugcheck.errors import BuildError
from slugcheck.model import Manager, Platform
from slugcheck.project import target


@pytest.fixture(scope="module")
def heroku() -> Platform:
    return platforms.load("heroku")


def asked(folder: Path, manager: Manager = Manager.PIP) -> tuple[str, str] | None:
    found = target.read_python(folder, title="Heroku", default="3.14", manager=manager)
    return (found.version, found.origin) if found else None


def refusal(folder: Path, manager: Manager = Manager.PIP) -> tuple[str, str]:
    """The one line that names the error, and the one that mends it."""
    with pytest.raises(BuildError) as caught:
        target.read_python(folder, title="Heroku", default="3.14", manager=manager)
    assert caught.value.exit_code == 3
    sentence, hint = str(caught.value), caught.value.hint or ""
    assert sentence.startswith("Heroku's build will fail: ")
    assert hint
    assert "\n" not in sentence + hint
    return sentence, hint


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        (".python-version", "3.12", "3.12"),
        (".python-version", "  3.12.4  \r\n", "3.12.4"),
        (".python-version", "# the team's version\n\n3.11.4\n  # until spring\n", "3.11.4"),
        (".python-version", "\u20033.12\u2003\n", "3.12"),
        ("runtime.txt", "python-3.11.4\n", "3.11.4"),
        ("runtime.txt", "# ours\n\npython-3.10\n", "3.10"),
    ],
)
def test_what_the_buildpack_takes(tmp_path: Path, name: str, text: str, version: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert asked(tmp_path) == (version, name)


def test_nothing_asked_for_is_nothing(tmp_path: Path) -> None:
    assert asked(tmp_path) is None
    assert asked(tmp_path, Manager.POETRY) is None


def test_runtime_txt_goes_before_python_version_and_that_before_the_pipfile(
    tmp_path: Path,
) -> None:
    lock = {"_meta": {"requires": {"python_version": "3.10"}}}
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    assert asked(tmp_path, Manager.PIPENV) == ("3.10", "Pipfile.lock")
    (tmp_path / ".python-version").write_text("3.12")
    assert asked(tmp_path, Manager.PIPENV) == ("3.12", ".python-version")
    (tmp_path / "runtime.txt").write_text("python-3.11")
    assert asked(tmp_path, Manager.PIPENV) == ("3.11", "runtime.txt")


def test_the_full_version_of_a_pipfile_goes_before_the_short_one(tmp_path: Path) -> None:
    requires = {"python_version": "3.12", "python_full_version": "3.12.4"}
    (tmp_path / "Pipfile.lock").write_text(json.dumps({"_meta": {"requires": requires}}))
    assert asked(tmp_path, Manager.PIPENV) == ("3.12.4", "Pipfile.lock")


def test_a_pipfile_lock_counts_for_pipenv_only(tmp_path: Path) -> None:
    lock = {"_meta": {"requires": {"python_version": "3.10"}}}
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    assert asked(tmp_path, Manager.PIP) is None


@pytest.mark.parametrize("content", ["{", "[]", "null"])
def test_a_pipfile_lock_that_is_no_json_object(tmp_path: Path, content: str) -> None:
    (tmp_path / "Pipfile.lock").write_text(content)
    sentence, hint = refusal(tmp_path, Manager.PIPENV)
    assert "Can't parse Pipfile.lock" in sentence
    assert "pipenv lock" in hint


def test_a_wildcard_in_a_pipfile_lock(tmp_path: Path) -> None:
    lock = {"_meta": {"requires": {"python_version": "3.*"}}}
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    sentence, hint = refusal(tmp_path, Manager.PIPENV)
    assert "Invalid Python version in Pipfile.lock: '3.*'" in sentence
    assert "Pipfile" in hint


@pytest.mark.parametrize(
    ("name", "text", "said", "mends"),
    [
        (".python-version", b"3.11\n# x\n3.12\n", "Multiple Python versions found", "3.11"),
        (".python-version", b"# none\n", "No Python version found", "3.14"),
        (".python-version", b"", "No Python version found", "3.14"),
        (".python-version", b"\npython-3.12\n", "python-version:2", "into it: 3.12"),
        (".python-version", b"'3.12'", "is in quotes", "into it: 3.12"),
        (".python-version", b"3.12.*", "has a wildcard", "into it: 3.12"),
        (".python-version", b"3.x", "has a wildcard", "into it: 3.14"),
        (".python-version", b"3", "is not a version like 3.12", "into it: 3.14"),
        (".python-version", b"3.012", "is not a version", "into it: 3.0"),
        (".python-version", b"pypy3.10-7.3", "is not a version", "into it: 3.10"),
        (".python-version", b"3.12 # ours", "on its own line", "into it: 3.12"),
        (".python-version", b"3.12\n3.13-dev\n", "python-version:2", "into it: 3.13"),
        (".python-version", "3.12\u200b".encode(), "\\u200b", "into it: 3.12"),
        (".python-version", "\ufeff3.12".encode(), "byte order mark", "UTF-8"),
        (".python-version", "3.12".encode("utf-16"), "UTF-16", "UTF-8"),
        (".python-version", "3.12".encode("utf-16-le"), "UTF-16", "UTF-8"),
        ("runtime.txt", b"3.12", "runtime.txt:1", ".python-version that contains only: 3.12"),
        ("runtime.txt", b"", "contains no version", "contains only: 3.14"),
        ("runtime.txt", b"python-3.12\npython-3.13", "several lines", "contains only: 3.12"),
        ("runtime.txt", b"python-3.12.x", "not like python-3.14", "contains only: 3.12"),
    ],
)
def test_what_the_buildpack_refuses_has_one_line_and_its_remedy(
    tmp_path: Path, name: str, text: bytes, said: str, mends: str
) -> None:
    (tmp_path / name).write_bytes(text)
    sentence, hint = refusal(tmp_path)
    assert name in sentence
    assert said in sentence
    assert mends in hint


def test_an_escape_in_a_version_file_does_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("3.12\x1b[31m")
    assert "\x1b" not in refusal(tmp_path)[0]


@pytest.mark.parametrize("name", [".python-version.txt", "python-version", ".Python-version"])
def test_a_misspelt_version_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("3.12")
    sentence, hint = refusal(tmp_path)
    assert f"spelled incorrectly: '{name}'" in sentence
    assert hint == f"git mv {name} .python-version"


def test_uv_needs_a_version_file_of_its_own(tmp_path: Path) -> None:
    assert refusal(tmp_path, Manager.UV)[1].startswith("run uv python pin 3.14")
    (tmp_path / "runtime.txt").write_text("python-3.12")
    assert "isn't supported when using uv" in refusal(tmp_path, Manager.UV)[0]


def test_a_file_that_is_not_in_the_build_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "runtime.txt").write_text("nonsense")
    (tmp_path / ".python-version").write_text("3.12")
    found = target.read_python(
        tmp_path, title="Heroku", default="3.14", present=lambda name: name != "runtime.txt"
    )
    assert found is not None
    assert found.version == "3.12"


@pytest.mark.parametrize(
    ("version", "said", "near"),
    [
        ("2.7.18", "Python 2.7 has reached end-of-life", "3.11"),
        ("3.9", "Python 3.9 has reached end-of-life", "3.11"),
        ("3.15", "isn't recognised: 3.15", "3.14"),
        ("4.0", "isn't recognised: 4.0", "3.14"),
    ],
)
def test_a_version_outside_those_on_offer(
    heroku: Platform, tmp_path: Path, version: str, said: str, near: str
) -> None:
    (tmp_path / ".python-version").write_text(f"# ours\n{version}\n")
    with pytest.raises(BuildError) as caught:
        target.choose(heroku, folder=tmp_path)
    assert said in str(caught.value)
    assert ".python-version:2" in str(caught.value)
    assert caught.value.hint == f"write {near} into .python-version; Heroku offers 3.10 to 3.14"


def test_a_flag_goes_before_a_broken_file(heroku: Platform, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("nonsense")
    assert target.choose(heroku, python="3.12", folder=tmp_path).minor == "3.12"

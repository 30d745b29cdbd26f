"""The target's Python from a project folder: what the build takes, refuses, and how it is mended.

Accepted and refused contents were held against the buildpack's own functions (v351), run by bash.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from slugcheck import platforms
from slugcheck.errors import BuildError
from slugcheck.model import Manager, Platform, Target
from slugcheck.project import target


@pytest.fixture(scope="module")
def heroku() -> Platform:
    return platforms.load("heroku")


@pytest.fixture(scope="module")
def aws() -> Platform:
    return platforms.load("aws-lambda")


def chosen(
    platform: Platform, folder: Path, manager: Manager | None = None, away: Sequence[str] = ()
) -> Target:
    return target.choose(
        platform, folder=folder, manager=manager, present=lambda name: name not in away
    )


def refusal(
    platform: Platform, folder: Path, manager: Manager | None = None, away: Sequence[str] = ()
) -> tuple[str, str]:
    with pytest.raises(BuildError) as caught:
        chosen(platform, folder, manager, away)
    assert caught.value.exit_code == 3
    sentence, hint = str(caught.value), caught.value.hint or ""
    assert hint
    assert "\n" not in sentence + hint
    return sentence, hint


def pipfile(folder: Path, requires: object) -> Path:
    text = requires if isinstance(requires, str) else json.dumps({"_meta": {"requires": requires}})
    (folder / "Pipfile.lock").write_text(text)
    return folder


# --------------------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    "content",
    [b"# gr\xf6\xdfe\n3.12", b"# a\0b\n3.12", b"\xe3\x80\x803.12\xe2\x80\x89", b"\x0b3.12\x0c\n"],
)
def test_comments_may_hold_any_byte_and_blanks_are_unicodes(
    heroku: Platform, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / ".python-version").write_bytes(content)
    assert chosen(heroku, tmp_path).minor == "3.12"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"3.12\xc2\x85", "Invalid Python version in .python-version"),
        (b"3.12\xc2\xa0", "Invalid Python version in .python-version"),
        (b"3.12\0", "Invalid Python version in .python-version"),
        (b"3.11\n3.12\x7f", ".python-version:2"),
        (b"3.12\xff", "it is not UTF-8"),
        (b"\xef\xbb\xbf# ours\n3.12", "it is UTF-8 with a byte order mark"),
        (b"3." + b"1" * 5000, "Invalid Python version in .python-version"),
    ],
)
def test_bytes_that_the_build_refuses(
    heroku: Platform, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / ".python-version").write_bytes(content)
    sentence, _ = refusal(heroku, tmp_path)
    assert sentence.startswith("Heroku's build will fail: ")
    assert said in sentence
    assert len(sentence) < 400


def test_an_unreadable_encoding_of_runtime_txt_is_an_invalid_version_as_in_the_build(
    heroku: Platform, tmp_path: Path
) -> None:
    (tmp_path / "runtime.txt").write_bytes("python-3.12\n".encode("utf-16"))
    sentence, hint = refusal(heroku, tmp_path)
    assert "Invalid Python version in runtime.txt: it is UTF-16" in sentence
    assert "delete runtime.txt" in hint


def test_a_version_file_may_be_a_link(heroku: Platform, tmp_path: Path) -> None:
    (tmp_path / "version").write_text("3.11\n")
    (tmp_path / ".python-version").symlink_to("version")
    assert chosen(heroku, tmp_path).minor == "3.11"


def test_a_folder_called_like_a_version_file_is_none(heroku: Platform, tmp_path: Path) -> None:
    (tmp_path / "runtime.txt").mkdir()
    (tmp_path / "python-version").mkdir()
    assert chosen(heroku, tmp_path).minor == "3.14"


# --------------------------------------------------------------------------- what is on offer


@pytest.mark.parametrize("text", ["3.8.*", "python-2.7", "3.99.x", "latest"])
def test_the_remedy_is_a_version_that_the_platform_has(
    heroku: Platform, tmp_path: Path, text: str
) -> None:
    (tmp_path / ".python-version").write_text(text)
    assert refusal(heroku, tmp_path)[1] == "write only the version into it: 3.14"


def test_a_patch_that_cannot_be_out_yet(heroku: Platform, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("3.12.999")
    sentence, hint = refusal(heroku, tmp_path)
    assert "The requested Python version isn't available: 3.12.999" in sentence
    assert hint.startswith("write 3.12 into .python-version; the newest on 2026-08-18 was 3.12.")


def test_a_patch_that_may_have_come_out_since_is_kept(heroku: Platform, tmp_path: Path) -> None:
    known = next(release for release in heroku.pythons if release.minor == "3.12").version
    newer = f"3.12.{int(known.rpartition('.')[2]) + 1}"
    (tmp_path / ".python-version").write_text(newer)
    assert chosen(heroku, tmp_path).python_version == newer


@pytest.mark.parametrize(
    ("name", "content", "mended"),
    [
        ("runtime.txt", "python-3.9.1", "delete runtime.txt and write a .python-version"),
        (".python-version", "3.9", "write 3.11 into .python-version"),
        (
            "Pipfile.lock",
            '{"_meta": {"requires": {"python_version": "3.9"}}}',
            'set python_version = "3.11" in the Pipfile, and run pipenv lock',
        ),
    ],
)
def test_an_old_python_is_mended_where_it_was_asked_for(
    heroku: Platform, tmp_path: Path, name: str, content: str, mended: str
) -> None:
    (tmp_path / name).write_text(content)
    sentence, hint = refusal(heroku, tmp_path, Manager.PIPENV)
    assert f"Python 3.9 has reached end-of-life and is no longer supported ({tmp_path}" in sentence
    assert f"{name}:1)" in sentence
    assert mended in hint


# --------------------------------------------------------------------------- Pipfile.lock


@pytest.mark.parametrize(
    ("requires", "minor"),
    [
        ({}, "3.14"),
        ({"python_version": None}, "3.14"),
        ({"python_full_version": None, "python_version": "3.12"}, "3.12"),
        ({"python_full_version": False, "python_version": "3.12"}, "3.12"),
        ({"python_full_version": "3.11"}, "3.11"),
        ("{}", "3.14"),
        ('{"_meta": null}', "3.14"),
        ('\ufeff{"_meta": {"requires": {"python_version": 3.10}}}', "3.10"),
    ],
)
def test_the_fields_of_a_pipfile_lock_as_jq_reads_them(
    heroku: Platform, tmp_path: Path, requires: object, minor: str
) -> None:
    assert chosen(heroku, pipfile(tmp_path, requires), Manager.PIPENV).minor == minor


@pytest.mark.parametrize("version", ["", "3", ">=3.8", " 3.12", "3.12 ", True, ["3.12"], "3.*"])
def test_a_version_that_a_pipfile_lock_may_not_hold(
    heroku: Platform, tmp_path: Path, version: object
) -> None:
    folder = pipfile(tmp_path, {"python_full_version": version, "python_version": "3.12"})
    sentence, hint = refusal(heroku, folder, Manager.PIPENV)
    assert "Invalid Python version in Pipfile.lock" in sentence
    assert "in the Pipfile, and run pipenv lock" in hint


@pytest.mark.parametrize("content", ["", "{", '{"_meta": []}', '{"_meta": {"requires": "x"}}'])
def test_a_pipfile_lock_that_cannot_be_parsed(
    heroku: Platform, tmp_path: Path, content: str
) -> None:
    sentence, _ = refusal(heroku, pipfile(tmp_path, content), Manager.PIPENV)
    assert "Can't parse Pipfile.lock" in sentence


def test_the_line_of_the_version_in_a_pipfile_lock_is_named(
    heroku: Platform, tmp_path: Path
) -> None:
    text = json.dumps({"_meta": {"requires": {"python_version": "3.*"}}}, indent=4)
    sentence, _ = refusal(heroku, pipfile(tmp_path, text), Manager.PIPENV)
    assert "Pipfile.lock:4" in sentence


def test_a_pipfile_lock_beside_a_single_requirements_file_does_not_count(
    heroku: Platform, tmp_path: Path
) -> None:
    assert chosen(heroku, pipfile(tmp_path, "no json")).minor == "3.14"


# --------------------------------------------------------------------------- uv, and the push


def test_uv_is_told_that_its_version_file_is_not_pushed(heroku: Platform, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("3.12")
    sentence, hint = refusal(heroku, tmp_path, Manager.UV, away=[".python-version"])
    assert "No Python version was specified" in sentence
    assert "git does not track it or .slugignore removes it" in sentence
    assert "git add --force .python-version" in hint


def test_with_uv_a_broken_runtime_txt_is_the_first_error(heroku: Platform, tmp_path: Path) -> None:
    (tmp_path / "runtime.txt").write_text("3.12")
    assert "Invalid Python version in runtime.txt" in refusal(heroku, tmp_path, Manager.UV)[0]
    (tmp_path / "runtime.txt").write_text("python-3.12")
    assert refusal(heroku, tmp_path, Manager.UV)[1] == "delete it, and run: uv python pin 3.12"


def test_a_misspelt_file_that_is_not_pushed_does_no_harm(heroku: Platform, tmp_path: Path) -> None:
    (tmp_path / "python-version").write_text("3.12")
    assert chosen(heroku, tmp_path, away=["python-version"]).minor == "3.14"


def test_a_misspelt_file_counts_beside_a_right_one_but_not_beside_runtime_txt(
    heroku: Platform, tmp_path: Path
) -> None:
    (tmp_path / ".python-version.txt").write_text("3.12")
    (tmp_path / ".python-version").write_text("3.12")
    assert "spelled incorrectly" in refusal(heroku, tmp_path)[0]
    (tmp_path / "runtime.txt").write_text("python-3.11")
    assert chosen(heroku, tmp_path).minor == "3.11"


# --------------------------------------------------------------------------- no buildpack


def test_without_the_buildpack_its_own_rules_do_not_hold(aws: Platform, tmp_path: Path) -> None:
    (tmp_path / "python-version").write_text("3.8")
    assert chosen(aws, tmp_path, Manager.UV).minor == aws.default_python
    (tmp_path / "runtime.txt").write_text("python-3.12")
    assert chosen(aws, tmp_path, Manager.UV).minor == "3.12"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("'3.12'", "is in quotes"),
        ("3.7", "does not offer Python 3.7"),
        ("", "No Python version found"),
    ],
)
def test_without_the_buildpack_the_platform_is_named_and_no_build(
    aws: Platform, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / ".python-version").write_text(content)
    sentence, _ = refusal(aws, tmp_path)
    assert sentence.startswith(aws.title)
    assert said in sentence
    assert "build will fail" not in sentence


# --------------------------------------------------------------------------- in whole sentences

INVALID = "Invalid Python version in {name}: "
DELETE = "delete runtime.txt and write a .python-version that contains only: "
ONLY = "write only the version into it: "
OLD = "Python {} has reached end-of-life and is no longer supported "
OFFERS = "; Heroku offers 3.10 to 3.14"
PIN = "No Python version was specified, and uv needs a .python-version file"
UTF8 = "save it as UTF-8 without a byte order mark"


@pytest.mark.parametrize(
    ("content", "said", "hint", "minor"),
    [
        ("# only", INVALID + "it contains no version ({name}:1)", DELETE, "3.14"),
        ("python-3.12\npython-3.11", INVALID + "it contains several lines ({name}:2)", DELETE,
         "3.12"),
        ("3.12", INVALID + "'3.12' is not like python-3.14 ({name}:1)", DELETE, "3.12"),
        ("\npython-3.12rc1", INVALID + "'python-3.12rc1' is not like python-3.14 ({name}:2)",
         DELETE, "3.12"),
        ("python-3.9.2", OLD.format("3.9") + "({name}:1)", DELETE, "3.11"),
    ],
)  # fmt: skip
def test_a_runtime_txt_that_is_refused(
    heroku: Platform, tmp_path: Path, content: str, said: str, hint: str, minor: str
) -> None:
    (tmp_path / "runtime.txt").write_text(content)
    error, found = refused(heroku, tmp_path)
    assert error == (
        said.format(name="runtime.txt"), f"{hint}{minor}{OFFERS if 'end-of-life' in said else ''}",
        f"sized with Python {minor}",
    )  # fmt: skip
    assert (found.minor, found.python_origin) == (minor, "runtime.txt")


def refused(
    platform: Platform, folder: Path, manager: Manager = Manager.PIP, **more: Any
) -> tuple[tuple[str, str, str], Target]:
    """What the build refuses, without the folder and the platform's name, and the target."""
    errors: list[BuildError] = []
    found = target.choose(
        platform, folder=folder, manager=manager, refuse=errors.append, **more
    )  # fmt: skip
    (error,) = errors
    sentence = str(error).replace(f"{folder}/", "").removeprefix("Heroku's build will fail: ")
    assert error.refused
    return (sentence, error.hint or "", error.instead), found


@pytest.mark.parametrize(
    ("content", "said", "hint", "sized"),
    [
        (b"", "No Python version found in .python-version (.python-version)", ONLY + "3.14",
         "3.14"),
        (b"3.11\n3.12", "Multiple Python versions found in .python-version: 3.11, 3.12 "
                        "(.python-version:2)", "keep one version, such as 3.11", "3.11"),
        (b"python-3.12", INVALID + "'python-3.12' has a python- prefix (.python-version:1)",
         ONLY + "3.12", "3.12"),
        (b"'3.12'", INVALID + "\"'3.12'\" is in quotes (.python-version:1)", ONLY + "3.12", "3.12"),
        (b"3.12.*", INVALID + "'3.12.*' has a wildcard (.python-version:1)", ONLY + "3.12", "3.12"),
        (b"3.12.x", INVALID + "'3.12.x' has a wildcard (.python-version:1)", ONLY + "3.12", "3.12"),
        (b"\n3.12 # ours", INVALID + "'3.12 # ours' has a comment after it, which must be on its "
                          "own line (.python-version:2)", ONLY + "3.12", "3.12"),
        (b"pypy", INVALID + "'pypy' is not a version like 3.12 or 3.12.4 (.python-version:1)",
         ONLY + "3.14", "3.14"),
        ("3.12".encode("utf-16-le"), "Unable to read .python-version: it is UTF-16 without a byte "
                                     "order mark (.python-version:1)", UTF8, "3.12"),
        (b"\xef\xbb\xbf3.12", "Unable to read .python-version: it is UTF-8 with a byte order mark "
                              "(.python-version:1)", UTF8, "3.12"),
        (b"3.12\xff", "Unable to read .python-version: it is not UTF-8 (.python-version:1)", UTF8,
         "3.12"),
        (b"2.7.18", OLD.format("2.7") + "(.python-version:1)",
         "write 3.11 into .python-version" + OFFERS, "3.11"),
        (b"3.15", "The requested Python version isn't recognised: 3.15 is not supported yet "
                  "(.python-version:1)", "write 3.14 into .python-version" + OFFERS, "3.14"),
        (b"3.12.999", "The requested Python version isn't available: 3.12.999 (.python-version:1)",
         "write 3.12 into .python-version; the newest on 2026-08-18 was 3.12.14", "3.12.14"),
    ],
)  # fmt: skip
def test_a_version_file_that_is_refused(
    heroku: Platform, tmp_path: Path, content: bytes, said: str, hint: str, sized: str
) -> None:
    (tmp_path / ".python-version").write_bytes(content)
    error, found = refused(heroku, tmp_path)
    expected = said.replace("{name}", ".python-version")
    assert error == (expected, hint, f"sized with Python {sized}")
    assert found.python_version.startswith(sized)
    assert found.python_origin == ".python-version"


@pytest.mark.parametrize(
    ("name", "content", "manager", "said", "hint", "sized"),
    [
        ("python-version", "3.12", Manager.PIP,
         "Your .python-version file is spelled incorrectly: 'python-version'",
         "git mv python-version .python-version", ""),
        ("runtime.txt", "python-3.12", Manager.UV,
         "The runtime.txt file isn't supported when using uv",
         "delete it, and run: uv python pin 3.12", ""),
        ("x", "", Manager.UV, PIN, "run uv python pin 3.14 and commit the file", "3.14"),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.99"', Manager.UV, PIN,
         "run uv python pin 3.14 and commit the file", "3.14"),
        ("pyproject.toml", "[project", Manager.UV, PIN,
         "run uv python pin 3.14 and commit the file", "3.14"),
        ("pyproject.toml", '[project]\nrequires-python = "==3.12.*"', Manager.UV, PIN,
         "run uv python pin 3.12 and commit the file", "3.12"),
        ("Pipfile.lock", "{", Manager.PIPENV, "Can't parse Pipfile.lock (Pipfile.lock), which is "
         "probably not valid JSON", "run pipenv lock to write it again", ""),
        ("Pipfile.lock", '{"_meta": {"requires": {"python_full_version": ["x"]}}}', Manager.PIPENV,
         "Invalid Python version in Pipfile.lock: 'a list' (Pipfile.lock:1)",
         'set python_version = "3.14" in the Pipfile, and run pipenv lock', "3.14"),
        ("Pipfile.lock", '{"_meta": {"requires": {"python_full_version": true}}}', Manager.PIPENV,
         "Invalid Python version in Pipfile.lock: 'a boolean' (Pipfile.lock:1)",
         'set python_version = "3.14" in the Pipfile, and run pipenv lock', "3.14"),
        ("Pipfile.lock", '{"_meta": {"requires": {"python_version": {}}}}', Manager.PIPENV,
         "Invalid Python version in Pipfile.lock: 'a table' (Pipfile.lock:1)",
         'set python_version = "3.14" in the Pipfile, and run pipenv lock', "3.14"),
    ],
)  # fmt: skip
def test_other_files_that_are_refused(
    heroku: Platform, tmp_path: Path, name: str, content: str, manager: Manager, said: str,
    hint: str, sized: str,
) -> None:  # fmt: skip
    (tmp_path / name).write_text(content)
    error, _ = refused(heroku, tmp_path, manager)
    assert error == (said, hint, f"sized with Python {sized}" if sized else "")


def test_a_version_that_the_user_gives_is_sized_and_the_projects_is_still_refused(
    heroku: Platform, tmp_path: Path
) -> None:
    (tmp_path / ".python-version").write_text("3.9")
    error, found = refused(heroku, tmp_path, python="3.12", whole=True)
    assert error == (
        OLD.format("3.9") + "(.python-version:1)", "write 3.11 into .python-version" + OFFERS,
        "sized with Python 3.12 (--python)",
    )  # fmt: skip
    assert (found.minor, found.python_origin) == ("3.12", "--python")
    alone = target.choose(heroku, folder=tmp_path, python="3.12")  # a file: not what is deployed
    assert alone.minor == "3.12"

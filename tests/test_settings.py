"""A project's settings: where they are read from, and mistakes told all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from slugcheck import settings
from slugcheck.errors import UsageError


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert settings.load(tmp_path) == settings.Settings()


@pytest.mark.parametrize(
    ("name", "head"), [("slugcheck.toml", ""), ("pyproject.toml", "[tool.slugcheck]\n")]
)
def test_models_are_read_from_either_file(tmp_path: Path, name: str, head: str) -> None:
    (tmp_path / name).write_text(f'{head}models = ["a.onnx", "s3://bucket/b.pt"]\n')
    found = settings.load(tmp_path)
    assert found.models == ("a.onnx", "s3://bucket/b.pt")
    assert found.origin == tmp_path / name


def test_settings_in_both_files_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "slugcheck.toml").write_text("models = []\n")
    (tmp_path / "pyproject.toml").write_text("[tool.slugcheck]\nmodels = []\n")
    with pytest.raises(UsageError, match="both have settings"):
        settings.load(tmp_path)


def test_every_mistake_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.slugcheck]\nmodel = []\nmodels = 3\nzzz = 1\n")
    with pytest.raises(UsageError) as caught:
        settings.load(tmp_path)
    first, second, third = str(caught.value).splitlines()
    assert first.endswith("tool.slugcheck.model: there is no such setting; did you mean models?")
    assert second.endswith(
        'tool.slugcheck.models must be an array of texts, such as ["models/*.onnx"]'
    )
    assert third.endswith("tool.slugcheck.zzz: there is no such setting")


@pytest.mark.parametrize("content", [b"models = [", b"\xff\xfe", b"[tool]\nslugcheck = 3\n"])
def test_what_is_no_settings_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"pyproject.toml"):
        settings.load(tmp_path)


def test_a_mark_at_the_start_of_the_file_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "slugcheck.toml").write_bytes(b'\xef\xbb\xbfmodels = ["a.onnx"]\n')
    assert settings.load(tmp_path).models == ("a.onnx",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('Models = ["a"]', "did you mean models?"),
        ('[tool.slugcheck]\nmodels = ["a"]', "settings stand by themselves"),
        ('models = "a.onnx"', "models must be an array of texts"),
        ('models = ["a.onnx", 3]', "models must be an array of texts"),
        ('models = ["  "]', "models must be an array of texts"),
        ("models = " + "[" * 5_000, "nested too deeply"),
        ("models = " + "9" * 5_000, "is not valid TOML"),
        ('"\\u001b[31m" = 1', r"\x1b[31m: there is no such setting"),
    ],
)
def test_a_mistake_is_told_so_that_it_can_be_mended(
    tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "slugcheck.toml").write_text(content)
    with pytest.raises(UsageError) as caught:
        settings.load(tmp_path)
    assert said in str(caught.value)
    assert caught.value.hint


def test_a_key_without_end_is_shortened(tmp_path: Path) -> None:
    (tmp_path / "slugcheck.toml").write_text(f"{'x' * 9_000} = 1\n")
    with pytest.raises(UsageError) as caught:
        settings.load(tmp_path)
    assert len(str(caught.value)) < len(str(tmp_path)) + 200


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_settings_that_cannot_be_read_are_not_passed_over(tmp_path: Path, kind: str) -> None:
    own = tmp_path / "slugcheck.toml"
    if kind == "folder":
        own.mkdir()
    else:
        own.symlink_to("nowhere")
    with pytest.raises(UsageError, match=r"slugcheck\.toml cannot be read"):
        settings.load(tmp_path)

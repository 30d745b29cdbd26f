"""A project's settings: where they are read from, and mistakes told all at once."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from slugcheck.errors import UsageError
from slugcheck.model import Settings
from slugcheck.policy import settings


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert settings.load(tmp_path) == Settings()


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
    assert first.endswith("tool.slugcheck.model: unknown setting; did you mean models?")
    assert second.endswith(
        'tool.slugcheck.models must be a list of strings, such as ["models/*.onnx"]'
    )
    assert third.endswith("tool.slugcheck.zzz: unknown setting")


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
        ('[tool.slugcheck]\nmodels = ["a"]', "slugcheck.toml needs no [tool.slugcheck] table"),
        ('models = "a.onnx"', "models must be a list of strings"),
        ('models = ["a.onnx", 3]', "models must be a list of strings"),
        ('models = ["  "]', "models must be a list of strings"),
        ("models = " + "[" * 5_000, "nested too deeply"),
        ("models = " + "9" * 5_000, "is not valid TOML"),
        ('"\\u001b[31m" = 1', r"\x1b[31m: unknown setting"),
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


def test_of_thousands_of_mistakes_the_first_are_told(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "".join(f"unknown{n} = 1\n" for n in range(30_000)))
    assert len(found) == 21
    assert found[-1] == "and 29,980 more"


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_settings_that_cannot_be_read_are_not_passed_over(tmp_path: Path, kind: str) -> None:
    own = tmp_path / "slugcheck.toml"
    if kind == "folder":
        own.mkdir()
    else:
        own.symlink_to("nowhere")
    with pytest.raises(UsageError, match=r"slugcheck\.toml cannot be read"):
        settings.load(tmp_path)


# --------------------------------------------------------------------------- budgets and rules


def mistakes(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "slugcheck.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        settings.load(tmp_path)
    place = f"{tmp_path / 'slugcheck.toml'}: "
    return [line.removeprefix(place) for line in str(caught.value).splitlines()]


def test_budgets_are_written_for_people(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.slugcheck.budgets]\nslug = "450M"\ninstalled = "1 GB"\nbuild = "10m"\n'
        '"package.torch" = { limit = "200MB", on = "slug", message = "use onnxruntime" }\n'
        "package.numpy = 100_000_000\nincrease_percent = 2.5\nvulnerabilities = 0\n"
    )
    found = {budget.name: budget for budget in settings.load(tmp_path).budgets}
    assert found["slug"].text == "450M"
    assert (found["package.torch"].on, found["package.torch"].message) == (
        "slug", "use onnxruntime",
    )  # fmt: skip
    assert found["package.numpy"].text == "100000000"
    assert found["slug"].place.endswith("pyproject.toml: tool.slugcheck.budgets.slug")


def test_mistakes_of_all_kinds_are_told_at_once_each_with_its_path(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        """
        python = 3.10
        stack = "heroku-99"
        [budgets]
        slugs = "1M"
        slug = "much"
        build = true
        increase = { message = "x" }
        increase_percent = "five"
        "package.a b" = "1M"
        download = { limit = "1M", on = "slug" }
        installed = { limit = "1M", hint = "x" }
        [deny]
        "torch; python_version<'3'" = "x"
        numpy = 3
        [[ignore]]
        code = "opencv-gui"
        [[ignore]]
        code = "x"
        reason = "y"
        expires = "soon"
        """,
    )
    joined = "\n".join(found)
    for said in (
        'python must be a version in quotes, such as "3.12"',
        "stack: Heroku has no stack 'heroku-99'",
        "budgets.slugs: unknown limit 'slugs'; did you mean slug?",
        "budgets.slug: 'much' is not a size",
        "budgets.build must be a limit",
        "budgets.increase needs a limit",
        "budgets.increase_percent: 'five' is not a percentage",
        "budgets.package.a b: 'a b' is not a valid package name",
        "budgets.download: download does not accept 'on'",
        "budgets.installed.hint: unknown setting",
        "deny.torch; python_version<'3': write a denied package as",
        "deny.numpy: the reason must be a string",
        "ignore[0].reason is missing",
        "ignore[0].expires is missing",
        "ignore[1].expires must be a date",
    ):
        assert said in joined, said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budgets = 3", "budgets must be a table of limits"),
        ("deny = 3", "deny must be a list"),
        ('ignore = ["x"]', "ignore must be tables, written as [[ignore]]"),
        ('platform = "herok"', "platform: no platform is called 'herok'; did you mean heroku?"),
    ],
)
def test_a_table_of_the_wrong_kind_is_told(tmp_path: Path, text: str, said: str) -> None:
    (line,) = mistakes(tmp_path, text)
    assert line.startswith(said)


def test_the_nearest_folder_with_settings_counts(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "slugcheck.toml").write_text('models = ["top"]\n')
    assert settings.load(inner) == Settings()
    assert settings.load(inner, top=tmp_path).models == ("top",)
    (tmp_path / "a" / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert settings.load(inner, top=tmp_path).models == ("top",)
    (tmp_path / "a" / "slugcheck.toml").write_text('models = ["nearer"]\n')
    assert settings.load(inner, top=tmp_path).models == ("nearer",)


def test_a_settings_file_that_is_named_must_have_some(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="settings file not found"):
        settings.load(tmp_path, named=tmp_path / "no.toml")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    with pytest.raises(UsageError, match=r"has no \[tool.slugcheck\]"):
        settings.load(tmp_path, named=tmp_path / "pyproject.toml")


# --------------------------------------------------------------------------- platform files


def shed(folder: Path, change: tuple[str, str] = ("", "")) -> None:
    """A platform file: Fly's under another name, with one limit."""
    text = resources.files("slugcheck.platforms").joinpath("fly.toml").read_text("utf-8")
    text = text.replace('name = "fly"', 'name = "shed"', 1)
    folder.mkdir(exist_ok=True)
    (folder / "shed.toml").write_text(text.replace(*change))


def test_a_platform_file_that_the_settings_name_is_read_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shed(tmp_path / "deploy")
    monkeypatch.chdir("/")
    path = tmp_path / "slugcheck.toml"
    path.write_text('platform = "deploy/shed.toml"\n[budgets]\ninstalled = "1G"\n')
    found = settings.load(tmp_path)
    assert found.described is not None
    assert found.described.name == "shed"
    path.write_text('platform = "fly"\n')
    assert settings.load(tmp_path).described is None


def test_mistakes_of_a_platform_file_are_told_with_those_of_the_settings(tmp_path: Path) -> None:
    shed(tmp_path / "deploy", ("gpu = false", "gpu = 3"))
    missing, wrong = (
        mistakes(tmp_path, f'platform = "{name}"\nzzz = 1\n')
        for name in ("deploy/none.toml", "deploy/shed.toml")
    )
    for found in (missing, wrong):
        assert found[0] == "zzz: unknown setting"
    assert "none.toml: the platform file cannot be read: No such file" in missing[1]
    assert "built-in platforms: heroku, " in missing[1]
    assert "shed.toml: gpu must be true or false, not 3" in "\n".join(wrong[1:])


def test_a_platform_file_outside_of_the_checkout_is_not_read(tmp_path: Path) -> None:
    shed(tmp_path)
    app = tmp_path / "app"
    app.mkdir()
    (app / "slugcheck.toml").write_text('platform = "../shed.toml"\n')
    with pytest.raises(UsageError, match="outside"):
        settings.load(app)

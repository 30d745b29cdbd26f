"""A project folder as the buildpack reads it: its package manager, and each error of its build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from slugcheck.errors import BuildError, UsageError
from slugcheck.model import Manager, Part
from slugcheck.project import hooks
from slugcheck.project import manager as installs
from slugcheck.project import manager as manager_module
from slugcheck.project.manager import Absent
from slugcheck.project.processes import procfile

SIX = "[project]\nname = 'my-app'\nversion = '1'\ndependencies = ['six']\n"
NOT_TRACKED = "git does not track it"


def folder(path: Path, *empty: str, **texts: str) -> Path:
    """Make a small project; in keywords ``__`` is a dot."""
    files = dict.fromkeys(empty, "")
    files |= {name.replace("__", "."): text for name, text in texts.items()}
    for name, text in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return path


def without(path: Path, reasons: Mapping[str, str]) -> Absent:
    """Say why some files will not be in the build; all the others on disk will."""

    def absent(name: str) -> str | None:
        return reasons.get(name) or (None if (path / name).exists() else "it is not there")

    return absent


def refusal(path: Path, absent: Absent | None = None) -> tuple[str, str]:
    """The one line that names the error, and the one that mends it."""
    with pytest.raises(BuildError) as caught:
        manager_module.read(path, absent=absent)
    return lines(caught.value)


def lines(error: BuildError) -> tuple[str, str]:
    assert error.exit_code == 3
    sentence, hint = str(error), error.hint or ""
    assert sentence.startswith("Heroku's build will fail: ")
    assert hint
    assert "\n" not in sentence + hint
    return sentence.removeprefix("Heroku's build will fail: "), hint


# --------------------------------------------------------------------------- which manager


@pytest.mark.parametrize(
    ("name", "manager"),
    [
        ("requirements.txt", Manager.PIP),
        ("uv.lock", Manager.UV),
        ("poetry.lock", Manager.POETRY),
        ("Pipfile.lock", Manager.PIPENV),
    ],
)
def test_the_one_dependency_file_says_the_manager(
    tmp_path: Path, name: str, manager: Manager
) -> None:
    found = manager_module.read(folder(tmp_path, name, "pyproject.toml", "setup.py"))
    assert (found.manager, found.dependency_file) == (manager, tmp_path / name)


def test_a_pipfile_may_lie_beside_its_lock(tmp_path: Path) -> None:
    assert (
        manager_module.read(folder(tmp_path, "Pipfile", "Pipfile.lock")).manager is Manager.PIPENV
    )


@pytest.mark.parametrize(
    ("files", "said", "mended"),
    [
        (["README.md"], "Couldn't find any supported Python project files", "requirements.txt"),
        (["app.py"], "Couldn't find any supported Python package manager files", "uv.lock"),
        (["pyproject.toml"], "Couldn't find any supported Python package manager files", "uv.lock"),
        (["setup.py"], "Implicit setup.py file support has been sunset", "--editable ."),
        (["Pipfile"], "No 'Pipfile.lock' found", "pipenv lock"),
        (["Pipfile", "requirements.txt"], "No 'Pipfile.lock' found", "pipenv lock"),
        (
            ["requirements.txt", "uv.lock"],
            "Multiple Python package manager files were found: requirements.txt (pip), uv",
            "delete the others",
        ),
        (
            ["uv.lock", "poetry.lock", "Pipfile.lock", "requirements.txt"],
            "Multiple Python package manager files were found: Pipfile.lock (Pipenv), "
            "requirements.txt (pip), poetry.lock (Poetry), uv.lock (uv)",
            "delete the others",
        ),
        (["Requirements.txt"], "Requirements.txt is misspelt", "git mv Requirements.txt req"),
        (["app.py", "requirements-dev.txt"], "requirements-dev.txt", "-r requirements-dev.txt"),
        (
            ["requirements.txt", "venv/pyvenv.cfg"],
            "Existing 'venv/' directory found",
            "git rm -r --cached venv",
        ),
        (
            ["uv.lock", ".venv/pyvenv.cfg"],
            "Existing '.venv/' directory found",
            "git rm -r --cached .venv",
        ),
        (
            ["requirements.txt", ".heroku/python/bin/python"],
            "Existing '.heroku/python/' directory found",
            "git rm -r --cached .heroku/python",
        ),
        (
            ["requirements.txt", ".heroku/python"],
            "Existing '.heroku/python/' directory found",
            "git rm -r --cached .heroku/python",
        ),
    ],
)
def test_what_the_buildpack_refuses_has_one_line_and_its_remedy(
    tmp_path: Path, files: list[str], said: str, mended: str
) -> None:
    sentence, hint = refusal(folder(tmp_path, *files))
    assert said in sentence
    assert mended in hint


def test_an_empty_folder_fails_the_detection(tmp_path: Path) -> None:
    assert "project files" in refusal(tmp_path)[0]


def test_a_venv_folder_without_its_configuration_does_no_harm(tmp_path: Path) -> None:
    found = manager_module.read(folder(tmp_path, "requirements.txt", "venv/notes.txt"))
    assert found.manager is Manager.PIP


def test_a_missing_dependency_file_is_told_before_a_committed_environment(tmp_path: Path) -> None:
    assert "package manager files" in refusal(folder(tmp_path, "venv/pyvenv.cfg"))[0]


def test_a_folder_called_like_a_dependency_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").mkdir()
    assert "Couldn't find any supported Python package manager" in refusal(tmp_path)[0]


def test_a_hook_that_could_mend_it_is_mentioned(tmp_path: Path) -> None:
    hint = refusal(folder(tmp_path, "app.py", "bin/pre_compile"))[1]
    assert "bin/pre_compile could fix it" in hint


def test_a_folder_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        manager_module.read(tmp_path / "none")


# --------------------------------------------------------------------------- not in the build


@pytest.mark.parametrize(
    ("reason", "mended"),
    [
        (NOT_TRACKED, "git add --force requirements.txt"),
        (".slugignore removes it (line 3: *.txt)", "remove requirements.txt from .slugignore"),
    ],
)
@pytest.mark.parametrize("others", [[], ["app.py"], ["setup.py"]])
def test_a_file_that_is_not_pushed_is_told_from_one_that_is_missing(
    tmp_path: Path, others: list[str], reason: str, mended: str
) -> None:
    path = folder(tmp_path, "requirements.txt", *others)
    sentence, hint = refusal(path, without(path, {"requirements.txt": reason}))
    assert f"requirements.txt exists, but {reason}" in sentence
    assert mended in hint


def test_a_lock_that_is_not_pushed_is_not_locked_anew(tmp_path: Path) -> None:
    path = folder(tmp_path, "Pipfile", "Pipfile.lock")
    sentence, hint = refusal(path, without(path, {"Pipfile.lock": NOT_TRACKED}))
    assert f"No 'Pipfile.lock' found: Pipfile.lock exists, but {NOT_TRACKED}" in sentence
    assert hint == "run git add --force Pipfile.lock and commit it"


def test_what_is_not_pushed_is_no_error(tmp_path: Path) -> None:
    path = folder(tmp_path, "uv.lock", "requirements.txt", ".venv/pyvenv.cfg")
    away = {"requirements.txt": NOT_TRACKED, ".venv/pyvenv.cfg": NOT_TRACKED}
    assert manager_module.read(path, absent=without(path, away)).manager is Manager.UV


def test_a_link_counts_only_with_what_it_leads_to(tmp_path: Path) -> None:
    path = folder(tmp_path / "app", "app.py", "deps/prod.txt")
    (path / "requirements.txt").symlink_to("deps/prod.txt")
    assert manager_module.read(path).manager is Manager.PIP
    sentence, _ = refusal(path, without(path, {"deps/prod.txt": NOT_TRACKED}))
    assert f"it is a link to deps/prod.txt: {NOT_TRACKED}" in sentence


def test_a_link_out_of_the_folder_leads_nowhere_in_the_build(tmp_path: Path) -> None:
    folder(tmp_path, "shared.txt")
    path = folder(tmp_path / "app", "app.py")
    (path / "requirements.txt").symlink_to("../shared.txt")
    sentence, hint = refusal(path)
    assert "it is a link out of the folder" in sentence
    assert hint.startswith("replace the link requirements.txt")


# --------------------------------------------------------------------------- without a buildpack


def test_a_platform_without_the_buildpack_takes_the_one_file(tmp_path: Path) -> None:
    path = folder(tmp_path, "Pipfile", "poetry.lock", "venv/pyvenv.cfg")
    assert manager_module.read_plainly(path).manager is Manager.POETRY


def test_of_several_files_one_must_be_named(tmp_path: Path) -> None:
    path = folder(tmp_path, "requirements.txt", "uv.lock")
    with pytest.raises(UsageError, match=r"has requirements\.txt, uv\.lock") as caught:
        manager_module.read_plainly(path, title="AWS Lambda")
    assert caught.value.hint == f"name one: slugcheck {path / 'requirements.txt'}"
    with pytest.raises(UsageError, match="no dependency file"):
        manager_module.read_plainly(tmp_path.parent)


# --------------------------------------------------------------------------- the install command


def installed(path: Path, reasons: Mapping[str, str] | None = None) -> None:
    absent = without(path, reasons or {})
    installs.check(manager_module.read(path, absent=absent), absent=absent)


def install_refusal(path: Path, reasons: Mapping[str, str] | None = None) -> tuple[str, str]:
    with pytest.raises(BuildError) as caught:
        installed(path, reasons)
    return lines(caught.value)


@pytest.mark.parametrize(
    ("lock", "source"),
    [("uv.lock", "pyproject.toml"), ("poetry.lock", "pyproject.toml"), ("Pipfile.lock", "Pipfile")],
)
def test_a_lock_needs_the_file_that_it_was_made_from(
    tmp_path: Path, lock: str, source: str
) -> None:
    sentence, hint = install_refusal(folder(tmp_path, lock))
    assert f"finds no {source} beside {lock}" in sentence
    assert source in hint
    sentence, _ = install_refusal(folder(tmp_path, source), {source: NOT_TRACKED})
    assert sentence.endswith(f"it exists, but {NOT_TRACKED}")


def test_a_pyproject_that_is_no_toml(tmp_path: Path) -> None:
    path = folder(tmp_path, "uv.lock", pyproject__toml="[project\n")
    assert "cannot read" in install_refusal(path)[0]


@pytest.mark.parametrize(
    "files", [["my_app.py"], ["my_app/x.py"], ["src/my_app/__init__.py"], ["src/my_app.py"]]
)
def test_poetry_finds_the_projects_own_package(tmp_path: Path, files: list[str]) -> None:
    installed(folder(tmp_path, "poetry.lock", *files, pyproject__toml=SIX))


@pytest.mark.parametrize(
    ("more", "files", "said"),
    [
        ("", ["app.py"], "No file/folder found for package my-app"),
        ("", ["my_app.py", "my_app/a.py"], "Both my_app and my_app.py exist"),
        ("readme = 'README.md'\n", ["my_app.py"], "Readme path README.md does not exist"),
        ("[tool.poetry]\nreadme = ['R.md']\n", ["my_app.py"], "Readme path R.md does not exist"),
        (
            "[tool.poetry]\npackages = [{include = 'other', from = 'lib'}]\n",
            ["my_app.py"],
            "lib/other does not contain any element",
        ),
    ],
)
def test_poetry_fails_where_it_cannot_install_the_project_itself(
    tmp_path: Path, more: str, files: list[str], said: str
) -> None:
    sentence, hint = install_refusal(
        folder(tmp_path, "poetry.lock", *files, pyproject__toml=SIX + more)
    )
    assert sentence.startswith("poetry: ")
    assert said in sentence
    assert hint


def test_a_readme_that_slugignore_removes_fails_poetry_too(tmp_path: Path) -> None:
    text = f"{SIX}readme = 'README.md'\n"
    path = folder(tmp_path, "poetry.lock", "my_app.py", "README.md", pyproject__toml=text)
    reason = ".slugignore removes it (line 1: *.md)"
    assert install_refusal(path, {"README.md": reason})[0].endswith(f"does not exist: {reason}")


def test_poetry_out_of_package_mode_needs_no_package(tmp_path: Path) -> None:
    text = f"{SIX}readme = 'none'\n[tool.poetry]\npackage-mode = false\n"
    installed(folder(tmp_path, "poetry.lock", pyproject__toml=text))


def test_poetry_needs_a_main_group(tmp_path: Path) -> None:
    text = "[project]\nname = 'a'\nversion = '1'\n[tool.poetry.group.dev.dependencies]\nx = '*'\n"
    path = folder(tmp_path, "poetry.lock", "a.py", pyproject__toml=text)
    assert "Group(s) not found: main" in install_refusal(path)[0]


def test_poetry_needs_a_name_in_package_mode(tmp_path: Path) -> None:
    text = "[tool.poetry.dependencies]\nsix = '*'\n"
    path = folder(tmp_path, "poetry.lock", pyproject__toml=text)
    assert "[tool.poetry.name] is required in package mode" in install_refusal(path)[0]


def test_uv_needs_no_package(tmp_path: Path) -> None:
    installed(folder(tmp_path, "uv.lock", pyproject__toml=SIX))


# --------------------------------------------------------------------------- what is not measured


def notes(path: Path, *names: str, reasons: Mapping[str, str] | None = None) -> str:
    absent = without(path, reasons or {})
    return "\n".join(hooks.notes(manager_module.read(path, absent=absent), absent, names))


def test_a_plain_app_has_no_notes(tmp_path: Path) -> None:
    path = folder(tmp_path, "requirements.txt", ".python-version", Procfile="web: python app.py\n")
    assert notes(path, "flask") == ""


@pytest.mark.parametrize("hook", ["bin/pre_compile", "bin/post_compile"])
def test_a_hook_is_noted_only_if_it_is_in_the_build(tmp_path: Path, hook: str) -> None:
    path = folder(tmp_path, "requirements.txt", hook)
    assert notes(path).startswith(f"the build runs {hook}")
    assert notes(path, reasons={hook: NOT_TRACKED}) == ""


def test_a_spacy_model_that_a_hook_downloads_is_named(tmp_path: Path) -> None:
    path = folder(tmp_path, "requirements.txt")
    script = path / "bin/post_compile"
    script.parent.mkdir()
    script.write_text(
        "python -m spacy download en_core_web_md\nspacy download de_core_news_sm -q\n"
    )
    assert "bin/post_compile downloads en_core_web_md and de_core_news_sm" in notes(path)
    script.write_text("echo done\n")
    assert "downloads" not in notes(path)


def test_runtime_txt_is_deprecated(tmp_path: Path) -> None:
    path = folder(tmp_path, "requirements.txt", runtime__txt="python-3.12")
    assert "runtime.txt is deprecated" in notes(path)


def test_a_version_file_that_is_not_pushed_is_said_to_have_no_effect(tmp_path: Path) -> None:
    path = folder(tmp_path, "requirements.txt", ".python-version")
    said = notes(path, reasons={".python-version": NOT_TRACKED})
    assert said == f".python-version has no effect on the build: {NOT_TRACKED}"


@pytest.mark.parametrize(
    ("lock", "more", "itself"),
    [
        ("poetry.lock", "", True),
        ("poetry.lock", "[tool.poetry]\npackage-mode = false\n", False),
        ("uv.lock", "", False),
        ("uv.lock", "[build-system]\nrequires = []\n", True),
        ("uv.lock", "[build-system]\nrequires = []\n[tool.uv]\npackage = false\n", False),
        ("requirements.txt", "[build-system]\nrequires = []\n", False),
    ],
)
def test_a_project_that_is_itself_installed_is_noted(
    tmp_path: Path, lock: str, more: str, itself: bool
) -> None:
    path = folder(tmp_path, lock, pyproject__toml=SIX + more)
    assert ("installs the project itself" in notes(path)) is itself


def nltk_part(path: Path, *names: str, reasons: Mapping[str, str] | None = None) -> Part | None:
    absent = without(path, reasons or {})
    parts = hooks.nltk_parts(manager_module.read(path, absent=absent), absent, set(names))
    return parts[0] if parts else None


def test_nltk_data_is_counted_as_its_zip_with_the_unpacked_files_beside_it(tmp_path: Path) -> None:
    path = folder(tmp_path, "requirements.txt", nltk__txt="punkt_tab\r\nwordnet\n\npunkt_tab\n")
    part = nltk_part(path, "nltk")
    assert part is not None
    # sizes in NLTK's own index: the downloader unpacks punkt_tab, and leaves wordnet zipped
    punkt_zip, punkt_files, wordnet_zip = 4_319_076, 10_885_330, 10_775_600
    assert part.installed.value == punkt_zip + punkt_files + wordnet_zip
    assert part.slug.low < 2 * punkt_zip + wordnet_zip < part.slug.high
    assert nltk_part(path, "flask") is None
    assert nltk_part(path, "nltk", reasons={"nltk.txt": NOT_TRACKED}) is None


def test_a_collection_of_nltk_is_counted_package_by_package(tmp_path: Path) -> None:
    path = folder(tmp_path, "requirements.txt", nltk__txt="popular\nstopwords\n")
    part = nltk_part(path, "nltk")
    assert part is not None
    assert part.note.startswith("22 packages")
    everything = nltk_part(folder(tmp_path, nltk__txt="all\n"), "nltk")
    corpora = nltk_part(folder(tmp_path, nltk__txt="all-corpora\n"), "nltk")
    assert everything is not None
    assert corpora is not None
    assert part.slug.value < corpora.slug.value < everything.slug.value


def test_nltk_data_of_an_unknown_name_has_no_size_and_is_named(tmp_path: Path) -> None:
    path = folder(tmp_path, "requirements.txt", nltk__txt="punkt\r\nbrand_new\n\n")
    absent = without(path, {})
    (found,) = hooks.unmeasured(manager_module.read(path), absent, {"nltk"})
    assert found.name == "nltk.txt"
    assert "NLTK data (brand_new)" in found.reason
    assert hooks.unmeasured(manager_module.read(path), absent, {"flask"}) == ()
    away = without(path, {"nltk.txt": NOT_TRACKED})
    assert hooks.unmeasured(manager_module.read(path), away, {"nltk"}) == ()


# --------------------------------------------------------------------------- Procfile


def test_process_types_and_their_commands(tmp_path: Path) -> None:
    text = (
        "# ours\r\nweb: gunicorn app:app --bind 0.0.0.0:$PORT \r\n\nexample-worker:  python w.py\n"
    )
    found = procfile(folder(tmp_path, Procfile=text))
    assert dict(found.types) == {
        "web": "gunicorn app:app --bind 0.0.0.0:$PORT",
        "example-worker": "python w.py",
    }
    assert found.notes == ()
    assert not procfile(tmp_path / "none").types


def test_a_line_of_the_procfile_that_is_none_is_noted(tmp_path: Path) -> None:
    text = "web:python app.py\nweb: a\nweb: b\nworker:\n\x1b[31m\n"
    found = procfile(folder(tmp_path, Procfile=text))
    assert dict(found.types) == {"web": "b"}
    places = [note.split(": ")[0] for note in found.notes]
    assert places == ["Procfile:1", "Procfile:3", "Procfile:4", "Procfile:5"]
    assert "\x1b" not in "".join(found.notes)

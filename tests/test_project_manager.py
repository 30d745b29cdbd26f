"""Which package manager the build uses, and the folders that it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from slugcheck import project
from slugcheck.errors import BuildError, UsageError
from slugcheck.model import Manager, Project
from slugcheck.project import hooks


def make(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return folder


def refusal(folder: Path, absent: project.Absent | None = None) -> tuple[str, str]:
    with pytest.raises(BuildError) as caught:
        project.read(folder, absent=absent)
    assert caught.value.exit_code == 3
    sentence, hint = str(caught.value), caught.value.hint or ""
    assert sentence.startswith("Heroku's build would fail: ")
    assert "\n" not in sentence + hint
    return sentence, hint


@pytest.mark.parametrize(
    ("name", "manager"),
    [
        ("requirements.txt", Manager.PIP),
        ("uv.lock", Manager.UV),
        ("poetry.lock", Manager.POETRY),
        ("Pipfile.lock", Manager.PIPENV),
    ],
)
def test_the_one_dependency_file_decides(tmp_path: Path, name: str, manager: Manager) -> None:
    found = project.read(make(tmp_path, name, "pyproject.toml", "app.py"))
    assert (found.manager, found.dependency_file) == (manager, tmp_path / name)


def test_two_files_are_named_in_the_buildpacks_words_and_order(tmp_path: Path) -> None:
    sentence, hint = refusal(make(tmp_path, "uv.lock", "requirements.txt", "Pipfile.lock"))
    assert sentence.endswith(
        "Multiple Python package manager files were found: "
        "Pipfile.lock (Pipenv), requirements.txt (pip), uv.lock (uv)"
    )
    assert "delete" in hint


def test_a_pipfile_without_its_lock_fails_beside_a_requirements_file_too(tmp_path: Path) -> None:
    sentence, hint = refusal(make(tmp_path, "Pipfile", "requirements.txt"))
    assert "No 'Pipfile.lock' found" in sentence
    assert "pipenv lock" in hint


def test_setup_py_alone_is_no_dependency_file(tmp_path: Path) -> None:
    sentence, hint = refusal(make(tmp_path, "setup.py"))
    assert "Implicit setup.py file support has been sunset" in sentence
    assert hint.endswith("--editable .")


@pytest.mark.parametrize("names", [(), ("pyproject.toml",), ("app.py",), ("api/requirements.txt",)])
def test_nothing_to_install_from(tmp_path: Path, names: tuple[str, ...]) -> None:
    sentence, hint = refusal(make(tmp_path, *names))
    assert "Couldn't find any supported Python package manager files" in sentence
    assert "it may be empty" in hint


def test_a_misspelt_requirements_file_is_recognised(tmp_path: Path) -> None:
    sentence, hint = refusal(make(tmp_path, "requirement.txt"))
    assert "requirement.txt is misspelt" in sentence
    assert hint == "git mv requirement.txt requirements.txt"


@pytest.mark.parametrize("name", ["venv", ".venv"])
def test_a_committed_environment(tmp_path: Path, name: str) -> None:
    sentence, hint = refusal(make(tmp_path, "requirements.txt", f"{name}/pyvenv.cfg"))
    assert f"Existing '{name}/' directory found" in sentence
    assert hint.startswith(f"git rm -r --cached {name}")


def test_a_committed_heroku_python(tmp_path: Path) -> None:
    sentence, _ = refusal(make(tmp_path, "requirements.txt", ".heroku/python/bin/python"))
    assert "Existing '.heroku/python/' directory found" in sentence


def test_an_environment_that_git_does_not_track_is_no_error(tmp_path: Path) -> None:
    make(tmp_path, "requirements.txt", ".venv/pyvenv.cfg")
    found = project.read(
        tmp_path, absent=lambda name: None if name == "requirements.txt" else "not tracked"
    )
    assert found.manager is Manager.PIP


def test_a_file_that_is_there_but_not_pushed_is_told_with_its_reason(tmp_path: Path) -> None:
    make(tmp_path, "requirements.txt")
    sentence, hint = refusal(tmp_path, lambda name: "git does not track it")
    assert sentence.endswith("requirements.txt is there, but git does not track it")
    assert hint == "git add --force requirements.txt"
    _, hint = refusal(tmp_path, lambda name: ".slugignore removes it (line 1: *.txt)")
    assert hint == "take requirements.txt out of .slugignore"


def test_a_platform_without_the_buildpack_wants_one_file_and_no_more(tmp_path: Path) -> None:
    make(tmp_path, "requirements.txt", ".venv/pyvenv.cfg")
    assert project.read_plainly(tmp_path, title="Fly.io").manager is Manager.PIP
    make(tmp_path, "uv.lock")
    with pytest.raises(UsageError, match=r"has requirements\.txt, uv\.lock"):
        project.read_plainly(tmp_path, title="Fly.io")


# --------------------------------------------------------------------------- what is not measured


def of(folder: Path, manager: Manager = Manager.PIP) -> Project:
    return Project(folder=folder, manager=manager, dependency_file=folder / "requirements.txt")


def absent(folder: Path) -> project.Absent:
    return lambda name: None if (folder / name).exists() else "it is not there"


def notes(folder: Path, *names: str) -> str:
    paths = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return "\n".join(hooks.notes(of(folder), absent(folder), names, paths))


def test_hooks_of_the_app_are_named(tmp_path: Path) -> None:
    assert "bin/post_compile is run by the build" in notes(make(tmp_path, "bin/post_compile"))


@pytest.mark.parametrize(
    ("place", "names", "said"),
    [
        ("manage.py", ("django",), True),
        ("src/site/manage.py", ("django",), True),
        ("a/b/c/manage.py", ("django",), False),
        ("manage.py", ("flask",), False),
    ],
)
def test_collectstatic_is_told_where_the_build_runs_it(
    tmp_path: Path, place: str, names: tuple[str, ...], said: bool
) -> None:
    assert ("collectstatic" in notes(make(tmp_path, place), *names)) is said


def test_nltk_data_cannot_be_sized_and_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "nltk.txt").write_text("punkt\nstopwords\n")
    (found,) = hooks.unmeasured(of(tmp_path), absent(tmp_path), {"nltk"})
    assert found.name == "nltk.txt"
    assert "punkt stopwords" in found.reason
    assert hooks.unmeasured(of(tmp_path), absent(tmp_path), {"flask"}) == ()

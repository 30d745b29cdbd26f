"""Heroku Fir: a folder as the cloud-native buildpack reads it, and machines of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from slugcheck import platforms
from slugcheck.errors import BuildError, PlatformError, Refuse, give_up
from slugcheck.model import Buildpack, Manager, Platform, Project, Target
from slugcheck.project import files, hooks, static_files, target
from slugcheck.project import manager as managers
from tests.support.commands import slugcheck
from tests.support.server import PackageServer
from tests.test_static_files import MANAGE, WHEEL, package
from tests.test_static_files import project as django_project

CLOUD_NATIVE = Buildpack.CLOUD_NATIVE


@pytest.fixture(scope="module")
def fir() -> Platform:
    return platforms.load("heroku-fir")


def chosen(
    fir: Platform,
    folder: Path,
    manager: Manager = Manager.PIP,
    refuse: Refuse = give_up,
) -> Target:
    return target.choose(fir, folder=folder, manager=manager, refuse=refuse)


def read(folder: Path, refuse: Refuse = give_up) -> Project:
    return managers.read(folder, title="Heroku Fir", buildpack=CLOUD_NATIVE, refuse=refuse)


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


# --------------------------------------------------------------------------- Python


def test_its_own_patch_releases_and_arm_by_default(fir: Platform, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("3.12\n")
    found = chosen(fir, tmp_path)
    assert (found.python_version, found.python_origin) == ("3.12.13", ".python-version")
    assert (found.stack.name, found.stack.arch) == ("heroku-24", "aarch64")
    amd = target.choose(fir, folder=tmp_path, stack="heroku-24-amd64")
    assert amd.stack.arch == "x86_64"


@pytest.mark.parametrize(
    ("manager", "hint"),
    [
        (Manager.PIP, "delete it, and write a .python-version with only: 3.11"),
        (Manager.UV, "delete it, and run: uv python pin 3.11"),
    ],
)
def test_runtime_txt_is_refused(fir: Platform, tmp_path: Path, manager: Manager, hint: str) -> None:
    (tmp_path / "runtime.txt").write_text("python-3.11.4\n")
    with pytest.raises(BuildError, match=r"build will fail: The runtime\.txt file isn't") as caught:
        chosen(fir, tmp_path, manager)
    assert caught.value.hint == hint
    assert caught.value.instead == "sized with Python 3.11"
    seen: list[BuildError] = []
    assert chosen(fir, tmp_path, refuse=seen.append).minor == "3.11"
    assert len(seen) == 1


def test_a_python_version_beside_a_refused_runtime_txt_counts(
    fir: Platform, tmp_path: Path
) -> None:
    (tmp_path / "runtime.txt").write_text("python-3.11\n")
    (tmp_path / ".python-version").write_text("3.13\n")
    seen: list[BuildError] = []
    assert chosen(fir, tmp_path, refuse=seen.append).minor == "3.13"
    assert [error.hint for error in seen] == ["delete it"]


def test_uv_needs_a_python_version_and_misspelt_names_are_not_looked_for(
    fir: Platform, tmp_path: Path
) -> None:
    (tmp_path / "python-version.txt").write_text("3.11\n")
    assert chosen(fir, tmp_path).python_origin == "default"
    with pytest.raises(BuildError, match=r"uv needs a \.python-version file"):
        chosen(fir, tmp_path, Manager.UV)
    (tmp_path / ".python-version").write_text("3.12\n3.13\n")
    with pytest.raises(BuildError, match="Multiple Python versions"):
        chosen(fir, tmp_path)


# --------------------------------------------------------------------------- package manager


@pytest.mark.parametrize(
    ("names", "manager"),
    [
        (["requirements.txt", "Pipfile"], Manager.PIP),
        (["requirements.txt", "Pipfile.lock"], Manager.PIP),
        (["poetry.lock", "Pipfile.lock"], Manager.POETRY),
        # the classic buildpack refuses these
        (["uv.lock", "venv/pyvenv.cfg"], Manager.UV),
        (["requirements.txt", ".heroku/python/bin/python"], Manager.PIP),
    ],
)
def test_pip_poetry_or_uv(tmp_path: Path, names: list[str], manager: Manager) -> None:
    assert read(write(tmp_path, *names)).manager is manager


def test_pipenv_alone_is_refused_and_sized(tmp_path: Path) -> None:
    folder = write(tmp_path, "Pipfile", "Pipfile.lock")
    with pytest.raises(BuildError, match=r"Heroku Fir's build will fail: .*Pipenv is not one"):
        read(folder)
    seen: list[BuildError] = []
    assert read(folder, seen.append).dependency_file.name == "Pipfile.lock"
    assert [error.instead for error in seen] == ["sized from Pipfile.lock"]


def test_several_files_are_refused_without_a_word_of_slugignore(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "uv.lock", "bin/pre_compile")
    with pytest.raises(BuildError, match="Multiple Python package manager files") as caught:
        read(tmp_path)
    assert caught.value.hint == "keep the one you use and delete the others (git rm)"


def test_a_folder_without_any_is_told_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="Couldn't find any supported") as caught:
        read(write(tmp_path, "app.py", "setup.py"))
    hint = caught.value.hint or ""
    assert "a requirements.txt, poetry.lock or uv.lock" in hint
    assert "Pipfile" not in hint


# --------------------------------------------------------------------------- steps of the build


def test_slugignore_and_hooks_do_nothing_and_that_is_said(tmp_path: Path) -> None:
    folder = write(tmp_path, "requirements.txt", "docs/manual.txt", "bin/post_compile", "nltk.txt")
    (folder / ".slugignore").write_text("docs\n")
    (folder / "project.toml").write_text("")
    found = files.listing(folder, buildpack=CLOUD_NATIVE)
    assert "docs/manual.txt" in {member.path for member in found.files}
    assert found.ignored == ()
    assert hooks.notes(read(folder), found.absent, {"nltk"}, CLOUD_NATIVE) == (
        "the cloud-native buildpack does not use bin/post_compile",
        "the cloud-native buildpack does not use nltk.txt",
        "the cloud-native buildpack does not use .slugignore: list files in project.toml",
        "project.toml may exclude files from the build; they are counted all the same",
    )


@pytest.mark.parametrize(
    ("settings", "more", "collects", "fails"),
    [
        ("", {}, True, False),
        ("STATIC_ROOT = None\n", {}, False, True),
        # nothing in app.json and no app of static files: neither is a failure
        ("", {"app.json": '{"env": {"DISABLE_COLLECTSTATIC": "1"}}'}, True, False),
        ("INSTALLED_APPS = []\n", {}, False, False),
    ],
)
def test_static_files(
    tmp_path: Path, settings: str, more: dict[str, str], collects: bool, fails: bool
) -> None:
    folder = django_project(tmp_path, settings, more)
    listing = files.listing(folder, buildpack=CLOUD_NATIVE)
    reader = static_files.StaticFiles(read(folder), listing.files, listing.absent, CLOUD_NATIVE)
    found = reader.collected([package("django", "5.2.8", WHEEL)], minor="3.12")
    assert (found.part is not None) is collects
    assert (found.finding is not None) is fails
    if found.finding is not None:
        assert "heroku config" not in found.finding.fix


def test_a_manage_py_below_the_root_is_not_run(tmp_path: Path) -> None:
    folder = django_project(tmp_path, more={"backend/manage.py": MANAGE})
    (folder / "manage.py").unlink()
    listing = files.listing(folder, buildpack=CLOUD_NATIVE)
    reader = static_files.StaticFiles(read(folder), listing.files, listing.absent, CLOUD_NATIVE)
    found = reader.collected([package("django", "5.2.8", WHEEL)], minor="3.12")
    assert (found.part, found.finding) == (None, None)


# --------------------------------------------------------------------------- machines, screens


@pytest.mark.parametrize(
    ("platform", "dyno", "said"),
    [
        (
            "heroku", "dyno-1c-0.5gb",
            "Heroku has no machine size 'dyno-1c-0.5gb', but Heroku Fir has: "
            "use --platform heroku-fir",
        ),
        (
            "heroku-fir", "Standard-1X",
            "Heroku Fir has no machine size 'Standard-1X', but Heroku has: use --platform heroku",
        ),
    ],
)  # fmt: skip
def test_the_other_generations_dynos_are_refused_in_one_line(
    platform: str, dyno: str, said: str
) -> None:
    with pytest.raises(PlatformError) as caught:
        target.choose(platforms.load(platform), dyno=dyno)
    assert (str(caught.value), caught.value.hint) == (said, None)


def test_a_whole_project_on_fir(
    package_server: PackageServer, plain_network: None, tmp_path: Path
) -> None:
    package_server.add_wheel("webapp", "1.0", {"webapp/__init__.py": "y = 2\n" * 100})
    folder = write(tmp_path / "app", "app.py")
    (folder / "requirements.txt").write_text("webapp==1.0\n")
    (folder / ".slugignore").write_text("app.py\n")
    done = slugcheck(
        folder, "--index-url", package_server.index_url, "--platform", "heroku-fir", "-v"
    )
    assert done.code == 0, done.err
    last = done.out.strip().splitlines()[-1]
    assert last.startswith("✓ NO SIZE LIMIT: 38.")
    assert last.endswith("Heroku Fir has no size limit that slugcheck knows")
    words = done.out.replace(".slugignore", "").replace("slugcheck", "")
    assert "slug" not in words
    assert "of 512M (dyno-1c-0.5gb)" in " ".join(done.out.split())

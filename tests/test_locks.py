"""Locks of uv, Poetry and Pipenv: what the build installs of them, and when it refuses them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from slugcheck import platforms
from slugcheck.errors import BuildError, RequirementsError
from slugcheck.model import IndexOptions, Target
from slugcheck.model.options import Variables
from slugcheck.packages.index.choice import Chooser
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.pages import Pages
from slugcheck.packages.locks import pipenv, poetry, pylock, uv
from slugcheck.packages.locks.pins import Locked, Shelves
from slugcheck.packages.resolve.uv import ResolverSettings, Uv, clean_environment, find_uv
from slugcheck.platforms import tags
from slugcheck.project import target
from slugcheck.reading import top_of
from tests.support.projects import (
    POETRY,
    pipenv_entry,
    pipenv_project,
    poetry_package,
    poetry_project,
    sha256_of,
)
from tests.support.server import PackageServer

pytestmark = pytest.mark.usefixtures("plain_network")

# As Poetry 2.4.1 and Pipenv 2026.7.1 wrote the hashes of these two files.
POETRY_GOLDEN = """\
[project]
name = "demo"
version = "0.1"
requires-python = ">=3.10"
dependencies = ["flask>=3"]

[project.optional-dependencies]
pdf = ["pypdf"]

[dependency-groups]
dev = ["pytest"]

[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "own"
url = "https://index.example.org/simple/"
priority = "primary"

[tool.poetry.group.docs.dependencies]
sphinx = "^8.0"
"""
POETRY_GOLDEN_HASH = "b9960f8ac4a146e4c10c153b2043eab5ab326828c32c2a2011adb5978952e252"
PIPFILE_GOLDEN = """\
[[source]]
name = "own"
url = "https://index.example.org/simple/"
verify_ssl = true

[packages]
Flask = {version = ">=3.0", extras = ["async"]}
my_pkg = "*"

[dev-packages]
Pytest = "*"

[docs]
Sphinx_RTD = "*"

[requires]
python_version = "3.12"
"""
PIPFILE_GOLDEN_HASH = "f9262cbc30d686fbafcf5151fa2f12f0ae44936b271b266e55788efde84dea72"


@dataclass
class Reading:
    """One way to read all locks, for one target."""

    server: PackageServer
    place: Target
    client: HttpClient

    @property
    def options(self) -> IndexOptions:
        return IndexOptions(index_url=self.server.index_url)

    def shelves(self) -> Shelves:
        return Shelves(
            Pages(self.client, self.options),
            lambda url: Pages(self.client, IndexOptions(index_url=url)),
        )

    def chooser(self) -> Chooser:
        return Chooser(tags.supported_tags(self.place), self.place.python_version)

    def poetry(self, lock: Path) -> Locked:
        return poetry.read(
            lock,
            top=top_of(lock),
            environment=tags.marker_environment(self.place),
            chooser=self.chooser(),
            shelves=self.shelves(),
        )

    def pipenv(self, lock: Path, *env: str) -> Locked:
        return pipenv.read(
            lock,
            top=top_of(lock),
            environment=tags.marker_environment(self.place),
            chooser=self.chooser(),
            shelves=self.shelves(),
            variables=Variables.allowed(env),
        )

    def uv(self, lock: Path) -> Locked:
        program = Uv(target=self.place, options=self.options, settings=ResolverSettings())
        return uv.read(
            lock,
            top=top_of(lock),
            uv=program,
            environment=tags.marker_environment(self.place),
            tags=tags.supported_tags(self.place),
        )


@pytest.fixture
def reading(package_server: PackageServer) -> Iterator[Reading]:
    place = target.choose(platforms.load("heroku"), python="3.12")
    with HttpClient(index=IndexOptions(index_url=package_server.index_url)) as client:
        yield Reading(package_server, place, client)


def files(locked: Locked) -> list[str]:
    return [one.artifact.filename for one in locked.distributions]


def reasons(locked: Locked) -> dict[str, str]:
    return {one.name: one.reason for one in locked.unsized}


# ------------------------------------------------------------------ Poetry


def test_poetry_installs_the_main_group_for_the_target_only(
    reading: Reading, tmp_path: Path
) -> None:
    main = reading.server.add_wheel("main-one", "1.0", {"a.py": "1"})
    win = reading.server.add_wheel("winonly", "1.0", {"w.py": "1"})
    dev = reading.server.add_wheel("devtool", "1.0", {"d.py": "1"})
    lock = poetry_project(
        tmp_path,
        [
            poetry_package("main-one", "1.0", [main], groups=["main", "dev"]),
            poetry_package("winonly", "1.0", [win], markers='sys_platform == "win32"'),
            poetry_package("devtool", "1.0", [dev], groups=["dev"]),
        ],
        pyproject=f'{POETRY}main-one = "*"\n',
    )
    locked = reading.poetry(lock)
    (one,) = locked.distributions
    assert one.artifact == reading.server.artifact(main.filename)
    assert one.direct
    assert [origin.line for origin in one.origins] == [8]
    assert locked.sha256 == sha256_of(lock)


def test_markers_per_group_count_for_the_main_group(reading: Reading, tmp_path: Path) -> None:
    wheel = reading.server.add_wheel("one", "1.0", {"a.py": "1"})
    package = poetry_package("one", "1.0", [wheel], groups=["main", "dev"]).replace(
        "files =", "markers = {main = \"sys_platform == 'win32'\"}\nfiles ="
    )
    assert not files(reading.poetry(poetry_project(tmp_path, [package])))


def test_poetry_takes_the_wheel_that_fits_best_and_else_the_source(
    reading: Reading, tmp_path: Path
) -> None:
    server = reading.server
    pure = server.add_wheel("both", "1.0", {"a.py": "1"})
    native = server.add_wheel("both", "1.0", {"a.so": "1"}, tag="cp312-cp312-manylinux_2_17_x86_64")
    mac = server.add_wheel("src", "2.0", {"a.so": "1"}, tag="cp312-cp312-macosx_11_0_arm64")
    source = server.add_sdist("src", "2.0", {"a.py": "1"})
    packages = [
        poetry_package("both", "1.0", [pure, native]),
        poetry_package("src", "2.0", [mac, source]),
    ]
    locked = reading.poetry(poetry_project(tmp_path, packages))
    assert files(locked) == [native.filename, source.filename]


def test_a_hash_that_the_index_does_not_have_is_said(reading: Reading, tmp_path: Path) -> None:
    wheel = reading.server.add_wheel("one", "1.0", {"a.py": "1"})
    lock = poetry_project(tmp_path, [poetry_package("one", "1.0", [wheel], sha256="0" * 64)])
    assert "none of its hashes" in reasons(reading.poetry(lock))["one"]


def test_what_the_index_does_not_have_is_said(reading: Reading, tmp_path: Path) -> None:
    wheel = reading.server.add_wheel("one", "1.0", {"a.py": "1"})
    packages = [poetry_package("one", "9", [wheel]), poetry_package("none", "1", [wheel])]
    told = reasons(reading.poetry(poetry_project(tmp_path, packages)))
    assert "no files of this version" in told["one"]
    assert "does not have it" in told["none"]


def test_an_older_lock_is_walked_from_the_projects_dependencies(
    reading: Reading, tmp_path: Path
) -> None:
    names = ("root", "child", "extra-child", "unwanted", "winonly", "devtool")
    wheels = {name: reading.server.add_wheel(name, "1.0", {"a.py": "1"}) for name in names}
    below = (
        '[package.dependencies]\nchild = ">=1,<2"\n'
        'winonly = {version = "*", markers = "sys_platform == \'win32\'"}\n'
        'extra-child = {version = "*", optional = true, markers = "extra == \'more\'"}\n'
        'unwanted = {version = "*", optional = true, markers = "extra == \'other\'"}\n'
        '[package.extras]\nmore = ["extra-child (>=1)"]\nother = ["unwanted"]\n'
    )
    packages = [
        poetry_package(name, "1.0", [wheel], groups=(), below=below if name == "root" else "")
        for name, wheel in wheels.items()
    ]
    pyproject = (
        f'{POETRY}root = {{version = "^1.0", extras = ["more"]}}\n'
        '[tool.poetry.group.dev.dependencies]\ndevtool = "*"\n'
    )
    lock = poetry_project(tmp_path, packages, pyproject=pyproject, lock_version="2.0")
    locked = reading.poetry(lock)
    assert [one.name for one in locked.distributions] == ["child", "extra-child", "root"]
    assert [one.extras for one in locked.distributions if one.direct] == [("more",)]


def test_of_two_versions_in_an_older_lock_the_one_asked_for_is_taken(
    reading: Reading, tmp_path: Path
) -> None:
    old = reading.server.add_wheel("one", "1.0", {"a.py": "1"})
    new = reading.server.add_wheel("one", "2.0", {"a.py": "1"})
    packages = [poetry_package("one", v, [w], groups=()) for v, w in (("1.0", old), ("2.0", new))]
    pyproject = (
        f'{POETRY}one = [{{version = "^1.0", python = "<3.11"}}, '
        '{version = "^2.0", python = ">=3.11"}]\n'
    )
    lock = poetry_project(tmp_path, packages, pyproject=pyproject, lock_version="2.0")
    assert files(reading.poetry(lock)) == [new.filename]


def test_poetry_refuses_a_stale_lock(reading: Reading, tmp_path: Path) -> None:
    lock = poetry_project(tmp_path, [], fresh=False)
    with pytest.raises(BuildError, match="changed significantly") as caught:
        reading.poetry(lock)
    assert "poetry lock" in (caught.value.hint or "")


def test_poetry_refuses_a_python_that_the_project_does_not_allow(
    reading: Reading, tmp_path: Path
) -> None:
    lock = poetry_project(tmp_path, [], python=">=3.13 || ~3.9")
    with pytest.raises(BuildError, match="not allowed by the project"):
        reading.poetry(lock)


def test_sources_other_than_an_index_are_sized_or_said(reading: Reading, tmp_path: Path) -> None:
    wheel = reading.server.add_wheel("byurl", "1.0", {"a.py": "1"})
    url = reading.server.file_url(wheel.filename)
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "byfile-1.0-py3-none-any.whl").write_bytes(wheel.content)

    def source(kind: str, place: str) -> str:
        return f'[package.source]\ntype = "{kind}"\nurl = "{place}"\n'

    packages = [
        poetry_package("byurl", "1.0", [wheel], below=source("url", url)),
        poetry_package(
            "byfile", "1.0", [], below=source("file", "vendor/byfile-1.0-py3-none-any.whl")
        ),
        poetry_package("gone", "1.0", [], below=source("file", "vendor/gone-1.0-py3-none-any.whl")),
        poetry_package("folder", "1.0", [], below=source("directory", "vendor")),
        poetry_package("repo", "1.0", [], below=source("git", "https://example.org/x.git")),
    ]
    locked = reading.poetry(poetry_project(tmp_path, packages))
    byfile, byurl = locked.distributions
    assert byurl.direct_url
    assert byurl.artifact.sha256 == wheel.sha256
    assert byfile.artifact.url.startswith("file:///")
    told = reasons(locked)
    assert "does not exist" in told["gone"]
    assert "folder" in told["folder"]
    assert "version control" in told["repo"]


def test_a_package_of_another_index_is_looked_for_there_only(
    reading: Reading, tmp_path: Path
) -> None:
    with PackageServer() as other:
        wheel = other.add_wheel("private", "1.0", {"a.py": "1"})
        reading.server.add_wheel("private", "1.0", {"a.py": "2"})
        below = f'[package.source]\ntype = "legacy"\nurl = "{other.index_url}"\nreference = "own"\n'
        lock = poetry_project(tmp_path, [poetry_package("private", "1.0", [wheel], below=below)])
        (one,) = reading.poetry(lock).distributions
    assert one.artifact.url == other.file_url(wheel.filename)
    assert not reading.server.hits


def test_the_content_hash_is_what_poetry_wrote(tmp_path: Path) -> None:
    assert poetry.content_hash(tomllib.loads(POETRY_GOLDEN)) == POETRY_GOLDEN_HASH


# ------------------------------------------------------------------ Pipenv


def test_pipenv_installs_the_default_packages_for_the_target_only(
    reading: Reading, tmp_path: Path
) -> None:
    one = reading.server.add_wheel("One.Thing", "1.0", {"a.py": "1"})
    win = reading.server.add_wheel("winonly", "1.0", {"a.py": "1"})
    dev = reading.server.add_wheel("devtool", "1.0", {"a.py": "1"})
    entries = {
        "one-thing": pipenv_entry("1.0", [one], extras=["more"], index="own"),
        "winonly": pipenv_entry("1.0", [win], markers="sys_platform == 'win32'"),
    }
    develop = {"devtool": pipenv_entry("1.0", [dev])}
    lock = pipenv_project(tmp_path, reading.server.index_url, entries, develop=develop)
    (found,) = reading.pipenv(lock).distributions
    assert found.artifact == reading.server.artifact(one.filename)
    assert (found.direct, found.extras) == (True, ("more",))
    assert [origin.line for origin in found.origins] == [7]


def test_pipenv_refuses_a_stale_lock_with_both_hashes(reading: Reading, tmp_path: Path) -> None:
    lock = pipenv_project(tmp_path, reading.server.index_url, {}, fresh=False)
    with pytest.raises(BuildError, match=rf"\({'0' * 64}\) is out of date. Expected: \("):
        reading.pipenv(lock)


def test_pipenv_entries_without_an_index_are_said(reading: Reading, tmp_path: Path) -> None:
    entries = {
        "repo": {"git": "https://example.org/x.git", "ref": "abc"},
        "here": {"path": ".", "editable": True},
        "odd": {"version": "*"},
    }
    told = reasons(reading.pipenv(pipenv_project(tmp_path, reading.server.index_url, entries)))
    assert "version control" in told["repo"]
    assert "editable" in told["here"]
    assert "no version" in told["odd"]


def test_a_source_may_take_its_password_from_the_environment(
    reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_INDEX", reading.server.netloc)
    wheel = reading.server.add_wheel("one", "1.0", {"a.py": "1"})
    entries = {"one": pipenv_entry("1.0", [wheel])}
    lock = pipenv_project(tmp_path, "http://${OUR_INDEX}/simple/", entries)
    with pytest.raises(RequirementsError, match=r"'own' uses \$\{OUR_INDEX\}; allow it with --env"):
        reading.pipenv(lock)
    locked = reading.pipenv(lock, "OUR_INDEX")
    assert files(locked) == [wheel.filename]


def test_a_broken_pipfile_lock_is_named(reading: Reading, tmp_path: Path) -> None:
    lock = pipenv_project(tmp_path, reading.server.index_url, {})
    lock.write_text("<<<<<<< HEAD", encoding="utf-8")
    with pytest.raises(RequirementsError, match="not valid JSON"):
        reading.pipenv(lock)


def test_the_pipfile_hash_is_what_pipenv_wrote() -> None:
    found = pipenv.pipfile_hashes(tomllib.loads(PIPFILE_GOLDEN), [])
    assert found[0] == PIPFILE_GOLDEN_HASH


# ------------------------------------------------------------------ uv


@pytest.fixture
def uv_project(reading: Reading, tmp_path: Path) -> Callable[..., Path]:
    """Write a project and lock it with uv against the local index."""

    def write(dependencies: str, more: str = "") -> Path:
        (tmp_path / "pyproject.toml").write_text(
            '[project]\nname = "demo"\nversion = "0.1"\nrequires-python = ">=3.10"\n'
            f"dependencies = {dependencies}\n{more}\n"
            f'[[tool.uv.index]]\nurl = "{reading.server.index_url}"\ndefault = true\n',
            encoding="utf-8",
        )
        arguments = [find_uv(), "lock", "--quiet", "--no-build", "--python", sys.executable]
        environ = {**clean_environment(os.environ), "UV_CACHE_DIR": str(tmp_path / ".cache")}
        subprocess.run(arguments, cwd=tmp_path, env=environ, check=True)
        return tmp_path / "uv.lock"

    return write


def test_uv_installs_no_group_and_nothing_for_other_platforms(
    reading: Reading, uv_project: Callable[..., Path]
) -> None:
    one = reading.server.add_wheel("one", "1.0", {"a.py": "1"}, requires=["two"])
    two = reading.server.add_wheel("two", "1.0", {"a.py": "1"})
    reading.server.add_wheel("winonly", "1.0", {"a.py": "1"})
    reading.server.add_wheel("devtool", "1.0", {"a.py": "1"})
    lock = uv_project(
        '["one", "winonly; sys_platform == \'win32\'"]',
        '[dependency-groups]\ndev = ["devtool"]\n',
    )
    locked = reading.uv(lock)
    assert files(locked) == [one.filename, two.filename]
    assert [one.direct for one in locked.distributions] == [True, False]
    assert locked.distributions[0].origins[0].line == 5
    assert locked.notes == ()
    assert locked.sha256 == sha256_of(lock)


def test_uv_refuses_a_stale_lock_and_the_lock_stays_as_it_is(
    reading: Reading, uv_project: Callable[..., Path]
) -> None:
    reading.server.add_wheel("one", "1.0", {"a.py": "1"})
    lock = uv_project('["one"]')
    project = lock.parent / "pyproject.toml"
    project.write_text(project.read_text().replace('"one"', '"one", "two"'), encoding="utf-8")
    before = lock.read_bytes()
    with pytest.raises(BuildError, match="needs to be updated"):
        reading.uv(lock)
    assert lock.read_bytes() == before


def test_uv_refuses_a_python_that_the_lock_does_not_allow(
    reading: Reading, uv_project: Callable[..., Path]
) -> None:
    lock = uv_project("[]")
    lock.write_text(lock.read_text().replace(">=3.10", ">=3.13"), encoding="utf-8")
    with pytest.raises(BuildError, match="requires-python"):
        reading.uv(lock)


def test_reading_a_uv_lock_runs_no_code_of_the_project(
    reading: Reading, uv_project: Callable[..., Path]
) -> None:
    reading.server.add_wheel("one", "1.0", {"a.py": "1"})
    lock = uv_project('["one"]')
    canary = lock.parent / "canary"
    project = lock.parent / "pyproject.toml"
    text = project.read_text().replace('version = "0.1"', 'dynamic = ["version"]')
    hostile = '[build-system]\nrequires = []\nbuild-backend = "bad"\nbackend-path = ["."]\n'
    project.write_text(text + hostile, encoding="utf-8")
    (lock.parent / "bad.py").write_text(f"open({str(canary)!r}, 'w').close()\n", encoding="utf-8")
    (lock.parent / "setup.py").write_text(f"open({str(canary)!r}, 'w').close()\n", encoding="utf-8")
    locked = reading.uv(lock)
    assert [one.name for one in locked.distributions] == ["one"]
    assert "backend, which is not run" in locked.notes[0]
    assert not canary.exists()


def test_a_uv_lock_without_a_package_is_stale_though_its_version_is_dynamic(
    reading: Reading, uv_project: Callable[..., Path]
) -> None:
    lock = uv_project("[]")
    project = lock.parent / "pyproject.toml"
    text = project.read_text().replace('version = "0.1"', 'dynamic = ["version"]')
    project.write_text(text.replace("dependencies = []", 'dependencies = ["new"]'))
    with pytest.raises(BuildError, match="needs to be updated"):
        reading.uv(lock)


def test_a_uv_lock_with_another_constraint_is_stale(
    reading: Reading, uv_project: Callable[..., Path]
) -> None:
    reading.server.add_wheel("one", "1.0", {"a.py": "1"})
    lock = uv_project('["one"]')
    project = lock.parent / "pyproject.toml"
    project.write_text(project.read_text().replace('"one"', '"one<2"'), encoding="utf-8")
    with pytest.raises(BuildError, match="needs to be updated"):
        reading.uv(lock)


def test_a_folder_of_the_project_is_said_and_its_code_not_run(
    reading: Reading, uv_project: Callable[..., Path], tmp_path: Path
) -> None:
    part = tmp_path / "part"
    part.mkdir()
    (part / "pyproject.toml").write_text('[project]\nname = "part"\nversion = "1"\n')
    lock = uv_project('["part"]', '[tool.uv.sources]\npart = {path = "part"}\n')
    canary = tmp_path / "canary"
    (part / "pyproject.toml").write_text(
        '[project]\nname = "part"\ndynamic = ["version"]\n'
        '[build-system]\nrequires = []\nbuild-backend = "bad"\nbackend-path = ["."]\n'
    )
    (part / "bad.py").write_text(f"open({str(canary)!r}, 'w').close()\n")
    locked = reading.uv(lock)
    assert "folder" in reasons(locked)["part"]
    assert "their code is not run" in locked.notes[0]
    assert not canary.exists()


@pytest.mark.parametrize(
    "filename",
    ["aged-16.2.tar.bz2", "aged-16.2.tgz", "aged-16.20.tar.gz", "Old-Aged-16.2.zip"],
)
def test_an_sdist_of_an_old_form_keeps_its_name_in_what_uv_exports(filename: str) -> None:
    found = pylock.parsed(
        'lock-version = "1.0"\ncreated-by = "uv"\n[[packages]]\nname = "aged"\nversion = "16.2"\n'
        f'sdist = {{url = "https://h.example/{filename}", hashes = {{sha256 = "{"0" * 64}"}}}}\n'
    )
    (package,) = found.packages
    assert package.sdist is not None
    assert package.sdist.filename == filename


@pytest.mark.parametrize(("package", "noted"), [("true", True), ("false", False)])
def test_a_project_that_uv_installs_itself_is_noted(
    reading: Reading, uv_project: Callable[..., Path], package: str, noted: bool
) -> None:
    reading.server.add_wheel("one", "1.0", {"a.py": "1"})
    locked = reading.uv(uv_project('["one"]', f"[tool.uv]\npackage = {package}\n"))
    note = "demo itself is installed as an editable; its few files are not counted"
    assert locked.notes == ((note,) if noted else ())


@pytest.mark.parametrize(
    ("chosen", "flags"),
    [
        (uv.Selection(), ["--no-default-groups"]),
        (uv.Selection(default_groups=True, groups=("dev",)), ["--group=dev"]),
        (uv.Selection(default_groups=True, extras=("fast",)), ["--extra=fast"]),
        (uv.Selection(default_groups=True, extras=(uv.ALL,)), ["--all-extras"]),
    ],
)
def test_what_is_chosen_beside_the_dependencies_becomes_a_flag_of_uv(
    chosen: uv.Selection, flags: list[str]
) -> None:
    assert chosen.flags() == flags


@pytest.mark.parametrize(
    "chosen", [uv.Selection(groups=("--offline",)), uv.Selection(extras=("~x",))]
)
def test_what_is_no_name_of_a_group_or_an_extra_is_refused(chosen: uv.Selection) -> None:
    (name,) = (*chosen.groups, *chosen.extras)
    said = f"^'{name}' is not the name of a group or an extra$"
    with pytest.raises(RequirementsError, match=said):
        chosen.flags()


def test_uv_takes_the_source_where_no_wheel_fits(
    reading: Reading, uv_project: Callable[..., Path]
) -> None:
    reading.server.add_wheel("one", "1.0", {"a.py": "1"}, tag="cp312-cp312-win_amd64")
    source = reading.server.add_sdist("one", "1.0", {"a.py": "1"})
    assert files(reading.uv(uv_project('["one"]'))) == [source.filename]


def test_a_uv_lock_for_a_python_that_is_not_here_is_read_all_the_same(
    reading: Reading, uv_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")  # for which uv breaks its lines
    wheel = reading.server.add_wheel("one", "1.0", {"a.py": "1"})
    lock = uv_project('["one"]')
    for path in (lock, lock.parent / "pyproject.toml"):
        path.write_text(path.read_text().replace(">=3.10", ">=3.99"), encoding="utf-8")
    later = replace(reading.place, python_version="3.99.0")
    locked = replace(reading, place=later).uv(lock)
    assert files(locked) == [wheel.filename]
    assert "incompatible with the project's Python requirement" in locked.notes[0]


# --------------------------------------------------------------------------- in whole sentences

BUILD = "its size is known only after a build"
FAILS = "so the build will fail"


@pytest.mark.parametrize(
    ("name", "entry", "reason"),
    [
        ("a", {"git": "https://h/a.git", "ref": "main"},
         f"it comes from a version control system; {BUILD}"),
        ("a", {"path": "./folder", "editable": True}, f"it is editable; {BUILD}"),
        ("a", {"path": "./folder"}, f"it is a folder; {BUILD}"),
        ("a", {"file": "https://${HOST}/a-1.0.zip"},
         "its URL uses ${HOST}, which slugcheck does not expand"),
        ("a", {"file": "https://h/a-1.0.exe"}, "it is neither a wheel nor a source archive"),
        ("a", {"path": "none-1.0.zip"}, "its file none-1.0.zip does not exist"),
        ("a", {"path": "../../out-1.0.zip"}, "its file ../../out-1.0.zip is outside the checkout"),
        ("a", {}, "Pipfile.lock gives no version for it"),
        ("a", {"version": "*"}, "Pipfile.lock gives no version for it"),
        ("a", {"version": "==odd"}, "'odd' in Pipfile.lock is not a valid version"),
        ("a/b", {"version": "==1.0"}, "its name is invalid"),
        ("nothing", {"version": "==1.0"}, "{index} does not have it, " + FAILS),
        ("framework", {"version": "==9"}, "{index} has no files of this version, " + FAILS),
        ("framework", {"version": "==2.0", "hashes": ["sha256:" + "0" * 64]},
         "none of its hashes in Pipfile.lock matches a file on {index}, " + FAILS),
        ("mixed", {"version": "==1.0", "hashes": ["sha256:{other}"]},
         f"the files that fit the target have no hash in Pipfile.lock, {FAILS}"),
        ("foreign", {"version": "==1.0"}, "it has no wheel for the target and no source archive"),
    ],
)  # fmt: skip
def test_what_a_lock_cannot_give_a_size_says_why(
    reading: Reading, tmp_path: Path, name: str, entry: dict[str, Any], reason: str
) -> None:
    server = reading.server
    server.add_wheel("framework", "2.0", {"f.py": "x = 1\n"})
    server.add_wheel("mixed", "1.0", {"f.py": "x = 1\n"})
    other = server.add_wheel("mixed", "1.0", {"f.so": "x"}, tag="cp39-cp39-win_amd64")
    server.add_wheel("foreign", "1.0", {"f.so": "x"}, tag="cp39-cp39-win_amd64")
    (tmp_path / "folder").mkdir()
    hashes = [text.format(other=other.sha256) for text in entry.get("hashes", ())]
    made = entry | ({"hashes": hashes} if hashes else {})
    lock = pipenv_project(tmp_path, server.index_url, {name: made})
    found = reading.pipenv(lock)
    assert found.distributions == ()
    (unsized,) = found.unsized
    index = f"the index {server.index_url}"
    assert (unsized.name, unsized.reason) == (name, reason.replace("{index}", index))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "Pipfile.lock is not valid JSON"), ("[]", 'has no packages under "default"'),
        ('{"default": []}', 'has no packages under "default"'),
    ],
)  # fmt: skip
def test_a_pipfile_lock_that_pipenv_did_not_write_is_said(
    reading: Reading, tmp_path: Path, content: str, said: str
) -> None:
    lock = pipenv_project(tmp_path, reading.server.index_url, {})
    (tmp_path / "Pipfile").write_text("[packages]\n")
    lock.write_text(content)
    with pytest.raises(RequirementsError) as raised:
        reading.pipenv(lock)
    assert said in str(raised.value)
    assert raised.value.hint == "run `pipenv lock` and commit Pipfile.lock"


@pytest.mark.parametrize(
    ("marker", "installed", "noted"),
    [("os_name == 'nt'", False, False), ("os_name == 'posix'", True, False), ("odd", True, True)],
)
def test_a_marker_that_cannot_be_read_is_taken_for_true_and_noted(
    reading: Reading, tmp_path: Path, marker: str, installed: bool, noted: bool
) -> None:
    wheel = reading.server.add_wheel("framework", "2.0", {"f.py": "x = 1\n"})
    note = "the marker 'odd' cannot be read; assumed to be true"
    entry = pipenv_entry("2.0", [wheel], markers=marker)
    url = reading.server.index_url
    by_pipenv = reading.pipenv(pipenv_project(tmp_path / "a", url, {"framework": entry}))
    lock = poetry_project(
        tmp_path / "b", [poetry_package("framework", "2.0", [wheel], markers=marker)]
    )
    by_poetry = reading.poetry(lock)
    for found, name in ((by_pipenv, "Pipfile.lock"), (by_poetry, "poetry.lock")):
        assert bool(found.distributions) is installed
        assert found.notes == ((f"{name}: {note}",) if noted else ())


def test_an_older_lock_that_lacks_what_is_required_is_noted(
    reading: Reading, tmp_path: Path
) -> None:
    wheel = reading.server.add_wheel("framework", "2.0", {"f.py": "x = 1\n"})
    below = '[package.dependencies]\ngone = ">=1"\n'
    pyproject = f'{POETRY}framework = "^2.0"\n'
    packages = [poetry_package("framework", "2.0", [wheel], groups=(), below=below)]
    found = reading.poetry(
        poetry_project(tmp_path, packages, pyproject=pyproject, lock_version="2.0")
    )
    assert [one.name for one in found.distributions] == ["framework"]
    assert found.notes == ("poetry.lock does not contain gone, which is required",)


@pytest.mark.parametrize(
    ("below", "reason"),
    [
        ('type = "git"\nurl = "https://h/a.git"',
         f"it comes from a version control system; {BUILD}"),
        ('type = "directory"\nurl = "folder"', f"it is a folder; {BUILD}"),
        ('type = "file"\nurl = "none-1.zip"', "its file none-1.zip does not exist"),
        ('type = "carrier-pigeon"\nurl = "x"', "its source 'carrier-pigeon' is not known"),
    ],
)  # fmt: skip
def test_a_source_of_poetry_that_is_no_index_is_said(
    reading: Reading, tmp_path: Path, below: str, reason: str
) -> None:
    package = poetry_package("odd", "1.0", [], below=f"[package.source]\n{below}\n")
    (unsized,) = reading.poetry(poetry_project(tmp_path, [package])).unsized
    assert (unsized.name, unsized.version, unsized.reason) == ("odd", "1.0", reason)


@pytest.mark.parametrize(
    ("changes", "said", "hint"),
    [
        ({"lock_version": "3.0"},
         "the build will fail: Poetry cannot read the lock version of poetry.lock", "run `poetry "),
        ({"lock_version": "odd"},
         "the build will fail: Poetry cannot read the lock version of poetry.lock", "run `poetry "),
        ({"fresh": False},
         "the build will fail: pyproject.toml changed significantly since poetry.lock was last "
         "generated", "run `poetry lock` and commit poetry.lock"),
        ({"python": ">=3.9,<3.10"},
         "the build will fail: Python {python} is not allowed by the project (>=3.9,<3.10)",
         "change .python-version, or the Python constraint in pyproject.toml"),
    ],
)  # fmt: skip
def test_a_lock_that_poetry_refuses_says_why_and_what_mends_it(
    reading: Reading, tmp_path: Path, changes: dict[str, Any], said: str, hint: str
) -> None:
    with pytest.raises(BuildError) as raised:
        reading.poetry(poetry_project(tmp_path, [], **changes))
    assert str(raised.value) == said.format(python=reading.place.python_version)
    assert (raised.value.hint or "").startswith(hint)


def test_a_date_where_poetry_wants_text_is_said(reading: Reading, tmp_path: Path) -> None:
    lock = poetry_project(tmp_path, [])
    (tmp_path / "pyproject.toml").write_text(f"{POETRY}x = {{ version = 2026-01-01 }}\n")
    with pytest.raises(RequirementsError) as raised:
        reading.poetry(lock)
    assert str(raised.value) == "pyproject.toml holds a date where Poetry expects text"
    assert raised.value.hint == "put it in quotes"


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        ("^1.2", ["a<2.0,>=1.2"]), ("~1.2", ["a<1.3,>=1.2"]), ("1.2", ["a==1.2"]), ("*", ["a"]),
        (">=1 <3", ["a<3,>=1"]), ({"version": "^0.1", "extras": ["x"]}, ["a[x]<0.2,>=0.1"]),
        ({"version": "1", "markers": "os_name == 'nt'"}, ["a==1 ; (os_name == 'nt')"]),
        ({"version": "1", "python": ">=3.9"}, ['a==1 ; python_full_version >= "3.9"']),
        ({"version": "1", "optional": True}, ['a==1 ; extra == "more"', 'a==1 ; extra == "all"']),
        ([{"version": "1"}, {"version": "2"}], ["a==1", "a==2"]),
        ({"git": "https://h/a.git"}, "a does not come from an index"),
        (3, "a does not come from an index"),
        ({"version": "1", "extras": "x"}, "the extras of a are not a list"),
        ("1 || 2", "the constraint '1 || 2' has no PEP 440 equivalent"),
    ],
)  # fmt: skip
def test_what_poetrys_own_table_asks_for(wanted: object, lines: list[str] | str) -> None:
    made = {
        "dependencies": {"python": "^3.10", "a": wanted},
        "extras": {"more": ["A"], "all": ["a", "b"]},
    }
    if isinstance(lines, str):
        with pytest.raises(ValueError, match=f"^{re.escape(lines)}$"):
            poetry.requirements(made)
    else:
        assert poetry.requirements(made) == (lines, "<4.0,>=3.10")

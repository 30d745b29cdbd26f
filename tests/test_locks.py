"""Locks of uv, Poetry and Pipenv: what the build installs of them, and when it refuses them."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from slugcheck import platforms
from slugcheck.errors import BuildError, RequirementsError
from slugcheck.model import IndexOptions, Target
from slugcheck.model.options import Variables
from slugcheck.packages.index.choice import Chooser
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.pages import Pages
from slugcheck.packages.locks import pipenv, poetry, uv
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

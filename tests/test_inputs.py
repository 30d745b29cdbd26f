"""Inputs beside requirements files and folders: pyproject.toml, and stdin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

PROJECT = """\
[project]
name = "Shop"
version = "1"
dependencies = [
    "framework>=1",
]

[project.optional-dependencies]
fast = ["speedups==3.1"]
all = ["shop[fast]", "admin"]

[dependency-groups]
lint = ["linter"]
dev = ["tests-tool", { include-group = "lint" }]
"""


@pytest.fixture
def index(package_server: PackageServer, private_caches: Path) -> PackageServer:
    for name in ("framework", "admin", "linter", "tests-tool"):
        package_server.add_wheel(name, "2.0", {f"{name.replace('-', '_')}.py": "x = 1\n"})
    package_server.add_wheel("speedups", "3.1", {"speedups.py": "x = 1\n"})
    return package_server


def check(index: PackageServer, path: Path, *more: object) -> Done:
    options = ("--index-url", index.index_url, "--python", "3.12", "--format", "json")
    return slugcheck(path, *options, *more)


def project(folder: Path, text: str = PROJECT) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ((), set()),
        (("--extra", "fast"), {"speedups"}),
        (("--extra", "ALL"), {"speedups", "admin"}),
        (("--group", "dev", "--extra", "fast"), {"tests-tool", "linter", "speedups"}),
    ],
)
def test_a_pyproject_is_sized_with_the_extras_and_groups_asked_for(
    index: PackageServer, tmp_path: Path, more: tuple[str, ...], names: set[str]
) -> None:
    done = check(index, project(tmp_path), *more)
    assert done.code == 0, done.err
    assert {d["name"] for d in done.document["distributions"]} == {"framework", *names}


@pytest.mark.parametrize(
    ("dependency", "names"),
    [
        ("Shop[fast]", {"speedups"}),
        ("shop[all]>=1", {"speedups", "admin"}),
        ("shop[fast] ; python_version < '3.12'", set()),
        ("shop[fast] ; python_version >= '3.12'", {"speedups"}),
        ("shop[all] ; sys_platform == 'win32'", set()),
        ("shop[partly]", {"admin"}),
        ("shop[partly] ; sys_platform == 'linux'", {"admin"}),
        ("shop[loop]", {"admin"}),
        ("shop", set()),
    ],
)
def test_a_project_that_requires_itself_gets_the_lines_of_its_extras(
    index: PackageServer, tmp_path: Path, dependency: str, names: set[str]
) -> None:
    text = PROJECT.replace('"framework>=1",', f'"framework>=1", "{dependency}",').replace(
        "[dependency-groups]",
        "partly = [\"shop[fast] ; sys_platform == 'win32'\", \"admin ; os_name == 'posix'\"]\n"
        'loop = ["shop[loop] ; os_name == \'posix\'", "shop[partly]"]\n[dependency-groups]',
    )
    done = check(index, project(tmp_path, text))
    assert done.code == 0, done.err
    assert {d["name"] for d in done.document["distributions"]} == {"framework", *names}


def test_a_group_may_name_an_extra_of_the_project(index: PackageServer, tmp_path: Path) -> None:
    text = PROJECT.replace('lint = ["linter"]', 'lint = ["linter", "shop[fast]"]')
    done = check(index, project(tmp_path, text), "--group", "lint")
    assert done.code == 0, done.err
    names = {d["name"] for d in done.document["distributions"]}
    assert names == {"framework", "linter", "speedups"}


def test_an_extra_required_with_and_without_a_marker_is_required(
    index: PackageServer, tmp_path: Path
) -> None:
    lines = '"shop[fast] ; os_name == \'nt\'", "shop[fast]",'
    done = check(index, project(tmp_path, PROJECT.replace('"framework>=1",', lines)))
    assert done.code == 0, done.err
    assert {d["name"] for d in done.document["distributions"]} == {"speedups"}


def test_a_finding_of_a_pyproject_names_its_line(index: PackageServer, tmp_path: Path) -> None:
    index.add_wheel("pywin32", "305", {"win32.pyd": b"MZ"}, tag="cp312-cp312-win_amd64")
    path = project(tmp_path, PROJECT.replace('"framework>=1"', '"pywin32==305"'))
    done = check(index, path)
    assert done.code == 1
    (finding,) = done.document["findings"]
    assert finding["origin"]["line"] == 5


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        (PROJECT, ("--extra", "slow"), "has no extra slow\nhint: its extras: fast and all"),
        (PROJECT, ("--group", "docs"), "has no group docs\nhint: its groups: lint and dev"),
        ("[tool.poetry]\n", (), "has no [project] table"),
        ('[project]\nname="a"\ndynamic = ["dependencies"]\n', (), "leaves its dependencies"),
        ('[project]\nname = "a"\ndependencies = ["-r x.txt"]\n', (), ":3: invalid requirement"),
        ('[project]\nname = "a"\ndependencies = "x"\n', (), "must be a list of strings"),
        ("[project\n", (), "is not valid TOML"),
        ('[dependency-groups]\na = [{include-group="a"}]\n', ("--group", "a"), "includes itself"),
    ],
)
def test_a_pyproject_that_cannot_be_used_says_why(
    tmp_path: Path, text: str, more: tuple[str, ...], message: str
) -> None:
    done = slugcheck(project(tmp_path, text), *more)
    assert done.code == 2
    assert message in done.err


def test_extras_need_a_pyproject(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("framework\n")
    done = slugcheck(tmp_path / "requirements.txt", "--extra", "fast")
    assert done.code == 2
    assert "extras and groups need a pyproject.toml" in done.err


def test_what_a_pyproject_says_to_uv_is_not_passed_over(
    index: PackageServer, tmp_path: Path
) -> None:
    path = project(tmp_path, PROJECT + '[tool.uv.sources]\nframework = { git = "x" }\n')
    (note,) = check(index, path).document["notes"]
    assert "ignored tool.uv.sources" in note


def test_requirements_are_read_from_stdin(index: PackageServer, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "slugcheck", "-", "--index-url", index.index_url]

    def run(text: str, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, "--python", "3.12", *more], input=text, capture_output=True, text=True,
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=False,
        )  # fmt: skip

    done = run("framework==2.0\r\nadmin\r\n")
    assert done.returncode == 0, done.stderr
    assert "<stdin> → Heroku" in done.stdout
    wrong = run("framework===\nadmin ==\n")
    assert wrong.returncode == 2
    assert "<stdin>:2: pip refuses 'admin =='" in wrong.stderr
    verify = run("admin\n", "--verify")
    assert verify.returncode == 2
    assert "--verify installs a requirements file" in verify.stderr

"""What --verify builds and where: copies only, on disks that fill, from indexes with passwords."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.commands import slugcheck
from tests.support.server import PackageServer
from tests.support.verifying import MINOR, app, index, own_caches, temporary, uv_cache, verify
from tests.support.wheels import make_wheel

__all__ = ["app", "index", "own_caches", "temporary", "uv_cache"]

pytestmark = pytest.mark.usefixtures("own_caches")

# A build backend in the project's own folder: it needs no index, and leaves a file there.
BACKEND = """\
import pathlib, zipfile
def build_wheel(folder, settings=None, metadata=None):
    pathlib.Path("left-by-the-build").write_text("x")
    {more}
    info = "odd-1.dist-info/"
    with zipfile.ZipFile(f"{{folder}}/odd-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("odd/__init__.py", "z = 3\\n" * 400)
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: odd\\nVersion: 1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n")
        wheel.writestr(info + "RECORD", "".join(name + ",,\\n" for name in wheel.namelist()))
    return "odd-1-py3-none-any.whl"
"""
PYPROJECT = """\
[build-system]
requires = []
build-backend = "own"
backend-path = ["."]
[project]
name = "odd"
version = "1"
"""


def project(folder: Path, more: str = "pass") -> Path:
    """A project that builds itself as the wheel odd 1, and leaves a file in its folder."""
    folder.mkdir()
    (folder / "own.py").write_text(BACKEND.format(more=more))
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "odd").mkdir()
    (folder / "odd" / "__init__.py").write_text("z = 3\n" * 400)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("line", ["./odd", "odd/", "file:./odd"])
def test_a_build_never_writes_into_the_users_own_folder(
    index: PackageServer, tmp_path: Path, temporary: Path, line: str
) -> None:
    folder = project(tmp_path / "odd")
    (tmp_path / "list.txt").write_text(f"webapp==1.0\n{line}\n")
    before = sorted(folder.rglob("*"))
    done = verify(index, tmp_path / "list.txt")
    assert done.code == 0, done.err
    assert done.one("odd")["basis"] == "measured"
    assert sorted(folder.rglob("*")) == before


@pytest.mark.slow
def test_a_folder_beside_the_app_is_found_from_a_list_that_stands_alone(
    index: PackageServer, tmp_path: Path, temporary: Path
) -> None:
    project(tmp_path / "odd")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "base.txt").write_text("../odd\n")
    (tmp_path / "lists" / "all.txt").write_text("-r base.txt\nwebapp==1.0\n")
    done = verify(index, tmp_path / "lists" / "all.txt")
    assert done.code == 0, done.err
    assert done.one("odd")["bytecode_bytes"] > 0


def test_an_absolute_folder_is_refused_since_no_platform_has_it(
    index: PackageServer, app: Path, tmp_path: Path, temporary: Path
) -> None:
    folder = project(tmp_path / "odd")
    (app / "requirements.txt").write_text(f"webapp==1.0\nodd @ {folder.as_uri()}\n")
    done = verify(index, app)
    assert (done.code, done.out) == (3, "")
    assert "requirements.txt:2" in done.err
    assert "absolute path" in done.err
    assert not (folder / "left-by-the-build").exists()


@pytest.mark.slow
def test_a_source_archive_is_built_and_measured(
    index: PackageServer, app: Path, temporary: Path
) -> None:
    files = {"own.py": BACKEND.format(more="pass"), "odd/__init__.py": "z = 3\n" * 400}
    index.add_sdist("odd", "1", files, pyproject=PYPROJECT)
    (app / "requirements.txt").write_text("odd==1\n")
    done = verify(index, app)
    assert done.code == 0, done.err
    odd = done.one("odd")
    assert odd["basis"] == "measured"
    assert odd["installed_bytes"] - odd["bytecode_bytes"] > 2400


def test_a_failing_build_shows_its_exception_and_no_control_characters(
    index: PackageServer, app: Path, temporary: Path
) -> None:
    project(app / "odd", more="raise RuntimeError('\\x1b[31mno \\x07http://u:s3cr/et@h/')")
    (app / "requirements.txt").write_text("./odd\n")
    done = verify(index, app)
    assert (done.code, done.out) == (3, "")
    assert "RuntimeError" in done.err
    assert "\x1b" not in done.err
    assert "s3cr" not in done.err


# --------------------------------------------------------------------------- full disks


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("no mount here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_too_small_is_said_before_anything_begins(
    index: PackageServer, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "d", "1m") as disk:
        monkeypatch.setenv("TMPDIR", str(disk))
        monkeypatch.setattr("tempfile.tempdir", None)
        done = verify(index, app)
        assert (done.code, done.out) == (3, "")
        assert "MB left" in done.err
        assert "TMPDIR" in done.err
        assert list(disk.iterdir()) == []


@pytest.mark.slow
def test_a_disk_that_fills_meanwhile_is_said_with_what_is_needed(
    index: PackageServer, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    greedy = "pathlib.Path('big').write_bytes(bytes(300_000_000))"
    project(app / "odd", more=greedy)
    (app / "requirements.txt").write_text("./odd\n")
    with small_disk(tmp_path / "d", "200m") as disk:
        monkeypatch.setenv("TMPDIR", str(disk))
        monkeypatch.setattr("tempfile.tempdir", None)
        done = verify(index, app)
        assert (done.code, done.out) == (3, "")
        assert "the disk ran full while building" in done.err
        assert "MB are needed" in done.err
        assert list(disk.iterdir()) == []


# --------------------------------------------------------------------------- indexes


@pytest.mark.slow
def test_variables_of_the_file_reach_the_build_and_are_not_shown(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PackageServer(auth=("me", "s3cret")) as server:
        server.add_wheel("framework", "2.0", {"framework/__init__.py": "x = 1\n" * 200})
        monkeypatch.setenv("INDEX_PASSWORD", "s3cret")
        url = server.index_url.replace("://", "://me:${INDEX_PASSWORD}@")
        path = tmp_path / "list.txt"
        path.write_text(f"--index-url {url}\nframework==2.0\n")
        allowed = ("--env", "INDEX_PASSWORD")
        done = slugcheck(path, "--python", MINOR, "--verify", *allowed, "--format", "json")
        assert done.code == 0, done.err
        assert done.document["verify"]["error_percent"]["plain"] == 0
        path.write_text(f"--index-url {url}\nframework==2.0\ngone @ git+{server.url}/s3cret\n")
        done = slugcheck(path, "--python", MINOR, "--verify", *allowed)
    assert done.code == 3
    assert "s3cret" not in done.err + done.out


def test_a_folder_of_wheels_may_have_a_blank_in_its_name(
    index: PackageServer, app: Path, tmp_path: Path, temporary: Path
) -> None:
    folder = tmp_path / "my wheels"
    folder.mkdir()
    made = make_wheel("elsewhere", "4", {"elsewhere/__init__.py": "x = 1\n"})
    (folder / made.filename).write_bytes(made.content)
    (app / "requirements.txt").write_text("webapp==1.0\nelsewhere==4\n")
    done = verify(index, app, "--find-links", folder)
    assert done.code == 0, done.err
    assert done.one("elsewhere")["basis"] == "measured"

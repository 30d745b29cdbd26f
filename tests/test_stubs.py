"""Stub wheels: valid, recognised again, and taken by uv where there is only a source archive."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from packaging.pylock import Pylock
from packaging.requirements import Requirement
from packaging.version import Version
from uv import find_uv_bin

from slugcheck.packages.stub_wheels import (
    StubError,
    is_stub,
    repair_requirement,
    repair_specifier,
    stub_of,
    write_stub,
)
from tests.support.server import PackageServer

# Both would leave a mark if anything ran them: the classic script and an in-tree build backend.
CANARY_SETUP = "open({mark!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='quiet')\n"
CANARY_BACKEND = "open({mark!r}, 'w').close()\n"
CANARY_PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'


def metadata_of(path: Path) -> tuple[list[str], list[str]]:
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        message = message_from_string(archive.read(name).decode())
    return message.get_all("Requires-Dist", []), message.get_all("Provides-Extra", [])


def compile_lock(folder: Path, lines: list[str], *options: str) -> Pylock | str:
    """Run uv as the resolver does; the lock, or what it said."""
    requirements = folder / "requirements.in"
    requirements.write_text("".join(f"{line}\n" for line in lines))
    command = [
        find_uv_bin(), "pip", "compile", str(requirements), "--quiet", "--no-header",
        "--format", "pylock.toml", "--no-python-downloads", "--no-config",
        "--cache-dir", str(folder / "cache"), "--python", sys.executable,
        "--index-strategy", "unsafe-best-match", "--python-version", "3.11.9",
        "--python-platform", "x86_64-manylinux_2_39", *options,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        return done.stderr
    return Pylock.from_dict(tomllib.loads(done.stdout))


def wheels_in(lock: Pylock | str) -> dict[str, list[str]]:
    assert isinstance(lock, Pylock), lock
    return {
        package.name: [(wheel.url or "").rpartition("/")[2] for wheel in package.wheels or []]
        for package in lock.packages
    }


@pytest.mark.parametrize(
    ("version", "filename"),
    [
        ("1.2", "odd_name-1.2-0slugcheck-py3-none-any.whl"),
        ("1.2-rc1", "odd_name-1.2rc1-0slugcheck-py3-none-any.whl"),
        ("1.2+Local-3", "odd_name-1.2+local.3-0slugcheck-py3-none-any.whl"),
        ("1!2.0-1", "odd_name-1!2.0.post1-0slugcheck-py3-none-any.whl"),
    ],
)
def test_the_filename_tells_a_stub_and_what_it_stands_for(
    tmp_path: Path, version: str, filename: str
) -> None:
    path = write_stub(tmp_path, name="Odd.Name", version=version)
    assert path.name == filename
    assert stub_of(path.name) == ("odd-name", Version(version))
    assert is_stub(path.name)


@pytest.mark.parametrize(
    "filename", ["a-1.0-py3-none-any.whl", "a-1.0-1slug-py3-none-any.whl", "a-1.0.tar.gz", "junk"]
)
def test_other_files_are_no_stubs(filename: str) -> None:
    assert not is_stub(filename)


def test_the_same_stub_has_the_same_bytes(tmp_path: Path) -> None:
    twice = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        twice.append(write_stub(folder, name="a", version="1", requires=["b"]).read_bytes())
    assert twice[0] == twice[1]


def test_a_stub_holds_what_it_was_given(tmp_path: Path) -> None:
    path = write_stub(
        tmp_path,
        name="a",
        version="1",
        requires=["b (>=1.0)", "c>=2.*,", 'd; extra == "More.Of"'],
        extras=["More.Of"],
    )
    requires, extras = metadata_of(path)
    assert requires == ["b>=1.0", "c>=2", 'd; extra == "more-of"']
    assert extras == ["more-of"]


@pytest.mark.parametrize(
    ("name", "version", "requires"),
    [("a", "1", ["-e ."]), ("a", "2004d", []), ("a/../b", "1", []), ("a", "1", ["b\nName: c"])],
)
def test_what_no_tool_can_read_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str, version: str, requires: list[str]
) -> None:
    with pytest.raises(StubError):
        write_stub(tmp_path, name=name, version=version, requires=requires)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("old", "mended"),
    [
        ("foo (>=1.0)", "foo>=1.0"),
        ("foo>=1.0,", "foo>=1.0"),
        ("foo>dev", "foo"),
        ("foo>=2.*", "foo>=2"),
        ("foo (>=1.9 <2.0)", "foo>=1.9,<2.0"),
        ("foo>='2.7'", "foo>=2.7"),
        ("foo!=~5.0", "foo!=5.0.*"),
        ("foo==5.0*", "foo==5.0.*"),
        ("foo>=*", "foo"),
        ("foo==1.*", "foo==1.*"),
        ("foo=1.0", "foo==1.0"),
        ("foo[a]>=1. ; python_version<'3' and extra=='x'", None),
    ],
)
def test_old_forms_are_mended(old: str, mended: str | None) -> None:
    repaired = repair_requirement(old)
    assert repaired is not None
    if mended is not None:
        assert Requirement(repaired) == Requirement(mended)
    else:  # the marker is left as it is
        assert str(Requirement(repaired).marker) == 'python_version < "3" and extra == "x"'


@pytest.mark.parametrize("line", ["pytz>=2004d", "Foo Bar", "-e .", "", "file:///x"])
def test_what_cannot_be_mended_is_none(line: str) -> None:
    assert repair_requirement(line) is None


def test_a_python_specifier_is_mended_too() -> None:
    assert repair_specifier(">=2.7.*, !=3.0.*,") in (">=2.7,!=3.0.*", "!=3.0.*,>=2.7")
    assert repair_specifier("three") is None


# --------------------------------------------------------------------------- with uv


def canary_index(server: PackageServer, mark: Path) -> None:
    text = str(mark)
    server.add_sdist("script", "1.0", {}, setup_py=CANARY_SETUP.format(mark=text))
    server.add_sdist(
        "backend",
        "1.0",
        {"own.py": CANARY_BACKEND.format(mark=text)},
        pyproject=CANARY_PYPROJECT,
    )
    server.add_wheel("leaf", "2.0", {"leaf.py": ""})


def test_uv_runs_nothing_when_asked_for_names_and_versions_only(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    with PackageServer() as server:
        canary_index(server, mark)
        lock = compile_lock(
            tmp_path, [f"--index-url {server.index_url}", "script", "backend==1.0"], "--no-deps"
        )
    assert wheels_in(lock) == {"backend": [], "script": []}
    assert not mark.exists()


def test_uv_resolves_with_stubs_and_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    write_stub(stubs, name="script", version="1.0", requires=["leaf>=1,"])
    write_stub(stubs, name="backend", version="1.0", requires=["script"], extras=["x"])
    with PackageServer() as server:
        canary_index(server, mark)
        lines = [f"--index-url {server.index_url}", f"--find-links {stubs}", "backend[x]"]
        without = compile_lock(tmp_path, [lines[0], "backend"], "--no-build")
        lock = compile_lock(tmp_path, lines, "--no-build")
    assert isinstance(without, str)
    assert wheels_in(lock) == {
        "backend": ["backend-1.0-0slugcheck-py3-none-any.whl"],
        "script": ["script-1.0-0slugcheck-py3-none-any.whl"],
        "leaf": ["leaf-2.0-py3-none-any.whl"],
    }
    assert not mark.exists()


def test_the_canary_lives(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    with PackageServer() as server:
        canary_index(server, mark)
        compile_lock(tmp_path, [f"--index-url {server.index_url}", "backend==1.0"])
    assert mark.exists(), "a build would not be noticed by the tests above"


def test_uv_takes_stubs_of_odd_versions(tmp_path: Path) -> None:
    odd = {"a": "1.0+local.3", "b": "1.0b2", "c": "1!2.0.post1", "d": "2004.4"}
    for name, version in odd.items():
        write_stub(tmp_path, name=name, version=version)
    pins = [f"{name}=={version}" for name, version in odd.items()]
    lock = compile_lock(tmp_path, ["--no-index", f"--find-links {tmp_path}", *pins], "--no-build")
    assert wheels_in(lock) == {
        name: [f"{name}-{version}-0slugcheck-py3-none-any.whl"] for name, version in odd.items()
    }


def test_uv_takes_the_stub_where_the_wheel_is_for_another_python(tmp_path: Path) -> None:
    write_stub(tmp_path, name="native", version="1.0")
    with PackageServer() as server:
        server.add_wheel("native", "1.0", {"n.py": ""}, tag="cp312-cp312-manylinux_2_17_x86_64")
        server.add_sdist("native", "1.0", {})
        lines = [f"--index-url {server.index_url}", f"--find-links {tmp_path}", "native==1.0"]
        lock = compile_lock(tmp_path, lines, "--no-build")
    assert wheels_in(lock) == {"native": ["native-1.0-0slugcheck-py3-none-any.whl"]}

"""``--build``: a source archive that says too little is built here, and its wheel is sized.

The archives bring a backend of their own, so that nothing has to be fetched to build them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slugcheck.errors import MeasureError
from slugcheck.packages.sdist.sdist import build_wheel
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer
from tests.support.wheels import Archive, make_sdist

Write = Callable[..., Path]
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
# A backend that makes the wheel by hand: its one module is as large as the archive does not say.
BACKEND = """\
import os, zipfile
{before}
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "made-1.0-py3-none-any.whl"
    info = "made-1.0.dist-info"
    with zipfile.ZipFile(os.path.join(folder, name), "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("made/data.bin", os.urandom(250_000))
        wheel.writestr("made/names.txt", "\\n".join(sorted(os.environ)))
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: made\\nVersion: 1.0\\n"
                       "Requires-Dist: light\\n")
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", "")
    return name
"""
PKG_INFO = "Metadata-Version: 2.2\nName: made\nVersion: 1.0\nDynamic: Requires-Dist\n"


def archive(before: str = "") -> Archive:
    files = {"backend.py": BACKEND.format(before=before)}
    return make_sdist("made", "1.0", files, pyproject=PYPROJECT, pkg_info=PKG_INFO)


@pytest.fixture
def index(package_server: PackageServer, private_caches: Path) -> PackageServer:
    package_server.add_wheel("light", "1.0", {"light.py": "x = 1\n"})
    return package_server


def check(index: PackageServer, path: Path, *more: str, python: str = MINOR) -> Done:
    flags = ("--index-url", index.index_url, "--python", python, "--format", "json")
    return slugcheck(path, *flags, *more)


def unsized(done: Done) -> Any:
    (only,) = done.document["unsized"]
    return only


def test_a_source_that_says_too_little_is_built_and_its_wheel_sized(
    index: PackageServer, requirements: Write
) -> None:
    index.add(archive())
    path = requirements("made\n")
    without = check(index, path)
    assert without.code == 3
    assert unsized(without)["name"] == "made"
    built = check(index, path, "--build")
    assert built.code == 0, built.err
    made = built.one("made")
    assert 250_000 < made["installed_bytes"] < 260_000
    assert made["slug_bytes"] > 249_000  # what is random does not compress
    assert built.one("light")["required_by"] == ["made"]
    assert built.document["unsized"] == []


def test_a_build_for_another_python_is_not_tried(index: PackageServer, requirements: Write) -> None:
    index.add(archive())
    other = "3.12" if MINOR != "3.12" else "3.13"
    done = check(index, requirements("made\n"), "--build", python=other)
    assert done.code == 3
    assert unsized(done)["reason"] == (
        f"--build can only build for this machine's Python {MINOR}; the target has {other}"
    )


def test_a_build_that_fails_says_its_last_lines(index: PackageServer, requirements: Write) -> None:
    index.add(archive("raise RuntimeError('no compiler of ours')"))
    done = check(index, requirements("made\nlight\n"), "--build")
    assert done.code == 3
    reason = unsized(done)["reason"]
    assert reason.startswith("building made-1.0.tar.gz failed: ")
    assert reason.endswith("RuntimeError: no compiler of ours")
    assert done.one("light")  # the others are sized all the same


def test_a_build_gets_the_compilers_variables_and_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CFLAGS", "CC", "MY_TOKEN", "PYTHONPATH"):
        monkeypatch.setenv(name, "x")
    import zipfile

    made = archive()
    wheel = build_wheel(made.content, made.filename, MINOR)
    with zipfile.ZipFile(wheel) as opened:
        names = opened.read("made/names.txt").decode().split("\n")
    assert {"CFLAGS", "CC", "PATH"} <= set(names)
    assert not {"MY_TOKEN", "PYTHONPATH"} & set(names)


def test_the_name_of_an_archive_leads_out_of_no_folder(tmp_path: Path) -> None:
    made = archive()
    wheel = build_wheel(made.content, f"../../{made.filename}", MINOR)
    assert wheel.name == "made-1.0-py3-none-any.whl"
    assert wheel.parent.parent.joinpath(made.filename).is_file()
    with pytest.raises(MeasureError) as raised:
        build_wheel(b"no archive", "broken-1.tar.gz", MINOR)
    said = str(raised.value)
    assert said.startswith("building broken-1.tar.gz failed: ")
    assert said.endswith("Invalid gzip header")

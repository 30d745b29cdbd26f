"""--verify on a small app of a local index, with a folder of its own for temporary files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def own_caches(
    tmp_path: Path, uv_cache: Path, plain_network: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(tmp_path.with_name(f"{tmp_path.name}-cache")))
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go: empty before, and to be empty after."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    package_server.add_wheel(
        "webapp",
        "1.0",
        {
            "webapp/__init__.py": "y = 2\n" * 100,
            "webapp/main.py": "def run():\n    return [n for n in range(10)]\n" * 50,
            "webapp/page.html.py": "def page():\n    return 'page'\n" * 40,
            "webapp/data.bin": bytes(range(256)) * 400,
        },
        requires=("framework",),
        entry_points={"console_scripts": {"webapp": "webapp.main:run"}},
    )
    package_server.add_wheel("framework", "2.0", {"framework/__init__.py": "x = 1\n" * 200})
    package_server.add_wheel("framework", "3.0", {"framework/__init__.py": "x = 1\n" * 900})
    return package_server


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    (folder / "models").mkdir(parents=True)
    (folder / "requirements.txt").write_text("webapp==1.0\n")
    (folder / "app.py").write_text("print('hello')\n")
    (folder / "models" / "a.onnx").write_bytes(os.urandom(200_000))
    return folder


def verify(server: PackageServer, path: Path, *more: object, python: str = MINOR) -> Done:
    flags = ("--python", python, "--index-url", server.index_url, "--format", "json")
    return slugcheck(path, *flags, "--verify", *more)

"""--verify with Poetry and Pipenv themselves, which come from the package index."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import slugcheck
from tests.support.projects import (
    POETRY,
    pipenv_entry,
    pipenv_project,
    poetry_package,
    poetry_project,
)
from tests.support.server import PackageServer
from tests.support.verifying import MINOR, temporary
from tests.support.wheels import Archive

__all__ = ["temporary"]

pytestmark = [pytest.mark.network, pytest.mark.usefixtures("temporary")]

SOURCE = '\n[[tool.poetry.source]]\nname = "own"\nurl = "{url}"\npriority = "primary"\n'


@pytest.fixture
def demo(package_server: PackageServer) -> Archive:
    files = {"demo/__init__.py": "def run():\n    return 1\n" * 90, "demo/x.bin": bytes(5000)}
    points = {"console_scripts": {"demo": "demo:run"}}
    return package_server.add_wheel("demo-lib", "1.0", files, entry_points=points)


def verify(folder: Path) -> dict[str, object]:
    done = slugcheck(folder, "--python", MINOR, "--verify", "--format", "json")
    if "failed" in done.err and "installing p" in done.err:
        pytest.skip(f"the package manager cannot be fetched: {done.err.splitlines()[0]}")
    assert done.code == 0, done.err
    found: dict[str, object] = done.document["verify"]
    return found


def test_poetry_itself_installs_to_the_byte(
    package_server: PackageServer, demo: Archive, tmp_path: Path
) -> None:
    reference = '\n[package.source]\ntype = "legacy"\nurl = "{}"\nreference = "own"\n'
    below = reference.format(package_server.index_url.rstrip("/"))
    package = poetry_package("demo-lib", "1.0", [demo], below=below)
    pyproject = f'{POETRY}demo-lib = "1.0"\n' + SOURCE.format(url=package_server.index_url)
    poetry_project(tmp_path / "app", [package], pyproject=pyproject)
    found = verify(tmp_path / "app")
    assert str(found["installer"]).startswith("Poetry 2.4.1")
    assert found["plain_bytes"] == found["predicted"]["plain_bytes"]  # type: ignore[index]
    assert int(str(found["bytecode_bytes"])) > 0


def test_pipenv_itself_installs_to_the_byte(
    package_server: PackageServer, demo: Archive, tmp_path: Path
) -> None:
    entry = pipenv_entry("1.0", [demo], index="own")
    pipenv_project(tmp_path / "app", package_server.index_url, {"demo-lib": entry})
    found = verify(tmp_path / "app")
    assert str(found["installer"]).startswith("Pipenv 2026.7.1")
    assert found["plain_bytes"] == found["predicted"]["plain_bytes"]  # type: ignore[index]
    assert int(str(found["bytecode_bytes"])) > 0

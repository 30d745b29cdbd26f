"""Caches of each test's own: slugcheck's, and uv's, which knows the interpreter already."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slugcheck import text
from slugcheck.packages.resolve.uv import find_uv


@pytest.fixture(autouse=True)
def no_secrets_kept() -> Iterator[None]:
    """Forget after each test what it wants masked: a process checks one project, tests many."""
    yield
    text._SECRETS.clear()


@pytest.fixture(scope="session")
def asked_interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What uv keeps of an interpreter that it has asked; asking takes longer than resolving."""
    folder = tmp_path_factory.mktemp("uv")
    command = [find_uv(), "pip", "compile", "-", "--quiet", "--python", sys.executable, "--offline"]
    subprocess.run(
        [*command, "--cache-dir", str(folder)], input=b"", check=True, capture_output=True
    )
    return folder


@pytest.fixture
def private_caches(
    tmp_path: Path,
    asked_interpreter: Path,
    plain_network: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Return slugcheck's cache folder."""
    folder, uv = (tmp_path.with_name(f"{tmp_path.name}-{name}") for name in ("cache", "uv"))
    shutil.copytree(asked_interpreter, uv)  # neither is in what is checked
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(uv))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    return folder

"""Caches of the tests' own: slugcheck's for each test, uv's for all, since it asks interpreters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slugcheck import text


@pytest.fixture(autouse=True)
def no_secrets_kept() -> Iterator[None]:
    """Forget after each test what it wants masked: a process checks one project, tests many."""
    yield
    text._SECRETS.clear()


@pytest.fixture(scope="session")
def shared_uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def private_caches(
    tmp_path: Path,
    shared_uv_cache: Path,
    plain_network: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Return slugcheck's cache folder."""
    folder = tmp_path.with_name(f"{tmp_path.name}-cache")  # not in what is checked
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(shared_uv_cache))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    return folder

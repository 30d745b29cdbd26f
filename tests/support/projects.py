"""Small project folders with a lock of each manager, written from the real hashes of an index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slugcheck.packages.locks.pins import toml
from slugcheck.packages.locks.pipenv import pipfile_hashes
from slugcheck.packages.locks.poetry import content_hash
from tests.support.wheels import Archive

POETRY = """\
[tool.poetry]
name = "demo"
version = "0.1"
package-mode = false

[tool.poetry.dependencies]
python = "^3.10"
"""


def poetry_package(
    name: str,
    version: str,
    archives: Sequence[Archive],
    *,
    groups: Sequence[str] = ("main",),
    markers: str = "",
    below: str = "",
    sha256: str | None = None,
) -> str:
    """One [[package]] table; ``below`` is text after its files, ``sha256`` a wrong hash."""
    files = "".join(
        f'    {{file = "{one.filename}", hash = "sha256:{sha256 or one.sha256}"}},\n'
        for one in archives
    )
    grouped = f"groups = {json.dumps(list(groups))}\n" if groups else ""
    marked = f"markers = {json.dumps(markers)}\n" if markers else ""
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\noptional = false\n'
        f'python-versions = "*"\n{grouped}{marked}files = [\n{files}]\n{below}\n'
    )


def poetry_project(
    folder: Path,
    packages: Sequence[str],
    *,
    pyproject: str = POETRY,
    lock_version: str = "2.1",
    python: str = "^3.10",
    fresh: bool = True,
) -> Path:
    """Write pyproject.toml and poetry.lock; ``fresh`` False makes the two disagree."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pyproject.toml"
    path.write_text(pyproject, encoding="utf-8")
    digest = content_hash(toml(path, path.read_bytes())) if fresh else "0" * 64
    metadata = (
        f'[metadata]\nlock-version = "{lock_version}"\npython-versions = "{python}"\n'
        f'content-hash = "{digest}"\n'
    )
    lock = folder / "poetry.lock"
    lock.write_text("\n".join([*packages, metadata]), encoding="utf-8")
    return lock


def pipenv_entry(version: str, archives: Sequence[Archive], **more: Any) -> dict[str, Any]:
    """One package of a Pipfile.lock."""
    hashes = [f"sha256:{one.sha256}" for one in archives]
    return {"version": f"=={version}", "hashes": hashes, **more}


def pipenv_project(
    folder: Path,
    index_url: str,
    default: Mapping[str, Any],
    *,
    develop: Mapping[str, Any] | None = None,
    fresh: bool = True,
) -> Path:
    """Write Pipfile (asking for all of ``default``) and Pipfile.lock."""
    folder.mkdir(parents=True, exist_ok=True)
    source = {"name": "own", "url": index_url, "verify_ssl": True}
    wanted = "".join(f'"{name}" = "*"\n' for name in default)
    path = folder / "Pipfile"
    path.write_text(
        f'[[source]]\nname = "own"\nurl = "{index_url}"\nverify_ssl = true\n\n[packages]\n{wanted}',
        encoding="utf-8",
    )
    digest = pipfile_hashes(toml(path, path.read_bytes()), [])[0] if fresh else "0" * 64
    meta = {"hash": {"sha256": digest}, "pipfile-spec": 6, "requires": {}, "sources": [source]}
    lock = folder / "Pipfile.lock"
    content = {"_meta": meta, "default": dict(default), "develop": dict(develop or {})}
    lock.write_text(json.dumps(content, indent=4), encoding="utf-8")
    return lock


def sha256_of(path: Path) -> str:
    """Return a file's sha256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()

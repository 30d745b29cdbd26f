"""Environments that bench makes: sized first, of the very files, kept, and never too large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import stock
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer
from tests.support.wheels import Archive

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")
FAKE = "raise RuntimeError('the torch of the local index, with ' + __import__('needed').NAME)\n"


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    package_server.add_wheel("torch", "9.9", {"torch/__init__.py": FAKE}, requires=["needed"])
    package_server.add_wheel("needed", "1.0", {"needed.py": "NAME = 'what it needs'\n"})
    package_server.add_wheel("big", "1.0", {"big/data.bin": stock.noise(1_200_000, 1)})
    package_server.add_sdist("sourceonly", "1.0", {"sourceonly.py": "x = 1\n"})
    return package_server


def bench(index: PackageServer, path: Path, *more: object) -> Done:
    quick = ("--processes", "1", "--runs", "1", "--platform", "fly")
    place = index.index_url.replace("://", "://user:hunter2@")
    return slugcheck("bench", *quick, "-r", f"torch={path}", "--index-url", place, *more)


def environments(folder: Path) -> list[Path]:
    return sorted(folder.rglob("environments-v1/*"))


@pytest.mark.slow
def test_the_list_is_sized_installed_and_kept(
    index: PackageServer, requirements: Write, private_caches: Path
) -> None:
    path = requirements("torch==9.9\n")
    done = bench(index, path)
    assert "torch: 2 distributions, <0.1 MB to download" in done.err
    assert "RuntimeError: the torch of the local index, with what it needs" in " ".join(
        done.out.split()
    )
    assert done.code == 3
    assert "ONNX Runtime 1." in done.out
    assert len(environments(private_caches)) == 1
    asked = len(index.hits)
    again = bench(index, path)
    assert "already installed" in again.err
    assert not [hit for hit in index.hits[asked:] if hit.path.endswith(".whl")]
    assert "hunter2" not in done.err + done.out + again.err + again.out


def test_what_is_larger_than_allowed_is_not_downloaded(
    index: PackageServer, requirements: Write, private_caches: Path
) -> None:
    path = requirements("torch\nbig\n")
    done = bench(index, path, "--install-limit", "150kB")
    assert (done.code, done.out) == (3, "")
    assert "more than --install-limit allows; big 1.0 alone is 1.2 MB" in done.err
    assert "hint: allow it with --install-limit 2MB" in done.err
    assert environments(private_caches) == []


def test_an_install_that_fails_says_why_and_leaves_nothing(
    index: PackageServer, requirements: Write, private_caches: Path
) -> None:
    content = bytearray(index._files["big-1.0-py3-none-any.whl"].archive.content)
    content[600_000] ^= 0xFF  # within a member: the directory is fine
    index.add(Archive("big-1.0-py3-none-any.whl", bytes(content)))
    done = bench(index, requirements("torch\nbig\n"))
    assert (done.code, done.out) == (3, "")
    assert "the environment cannot be created: " in done.err
    assert "big" in done.err.partition("cannot be created: ")[2]
    assert environments(private_caches) == []
    assert list(private_caches.rglob(".new-*")) == []


def test_a_source_archive_is_never_built_for_it(index: PackageServer, requirements: Write) -> None:
    done = bench(index, requirements("torch\nsourceonly\n"))
    assert (done.code, done.out) == (3, "")
    assert "sourceonly cannot be installed from a wheel" in done.err


def test_a_list_that_has_no_solution_is_one_error(
    index: PackageServer, requirements: Write
) -> None:
    done = bench(index, requirements("torch==8.8\n"))
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err

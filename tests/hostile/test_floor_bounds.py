"""Wheels and locks that are written to make the estimate of a RAM floor take for ever."""

from __future__ import annotations

import time

import pytest

from slugcheck.memory.floor import Installed, floor
from slugcheck.model import Artifact, Distribution, Entry, Inventory
from slugcheck.packages.modules import InstalledModules

COUNT = 20_000
SECONDS = 10.0  # of the processor; each takes less than one on a quiet machine


def entry(path: str) -> Entry:
    return Entry(path=path, size=1, compressed=1)


@pytest.mark.parametrize("last", ["p0", "last"], ids=["circle", "line"])
def test_a_lock_whose_packages_require_each_other_in_a_line_is_followed(last: str) -> None:
    names = [f"p{number}" for number in range(COUNT)]
    installed = [
        Installed(name=name, version="1", requires=(further,), entries=(entry(f"{name}.py"),))
        for name, further in zip(names, [*names[1:], last], strict=True)
    ]
    begin = time.process_time()
    found = floor(["p0"], installed, provider=lambda name: name)
    assert time.process_time() - begin < SECONDS
    assert len(found.parts) == COUNT
    assert max(len(part.chain) for part in found.parts) < 100


def test_folders_in_each_other_without_end_are_left_out() -> None:
    deep = "/".join("a" * 2_000)
    entries = [entry(f"{deep}/m{number}.py") for number in range(2_000)]
    entries.append(entry("real/__init__.py"))
    inventory = Inventory(
        filename="x-1.0-py3-none-any.whl", sha256=None, file_bytes=0, dist_info="x-1.0.dist-info",
        entries=tuple(entries), requires_dist=(), provides_extra=(), requires_python=None,
        console_scripts=(), gui_scripts=(), via="local",
    )  # fmt: skip
    artifact = Artifact(filename=inventory.filename, url="", size=None, sha256=None)
    owner = Distribution(name="x", version="1.0", artifact=artifact, direct=True)
    begin = time.process_time()
    modules = InstalledModules([(owner, inventory)])
    assert modules.main_module("x") == "real"
    assert not modules.has(".".join("a" * 1_000))
    assert time.process_time() - begin < SECONDS

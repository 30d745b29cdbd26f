"""The cache: what it keeps, what it never keeps, and that it never stands in the way."""

from __future__ import annotations

import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from slugcheck.model import Entry, Inventory
from slugcheck.packages.index.inventories import (
    Cache,
    default_folder,
    inventory_from_document,
    inventory_to_document,
)

KEY = "ab" * 32
INVENTORY = Inventory(
    filename="pkg-1-py3-none-any.whl",
    sha256=KEY,
    file_bytes=1_234,
    dist_info="pkg-1.dist-info",
    entries=(
        Entry(path="pkg/__init__.py", size=100, compressed=50),
        Entry(path="pkg/naïve\n[b].so", size=7, compressed=7, stored=True),
    ),
    requires_dist=("click>=8", 'x; extra == "e"'),
    provides_extra=("e",),
    requires_python=None,
    console_scripts=(("pkg", "pkg:main"),),
    gui_scripts=(),
    via="range",
    python_scripts=("pkg-1.data/scripts/x",),
    bytecode_factor=1.07,
    slug_factor=0.93,
)


def only_file(folder: Path) -> Path:
    (found,) = (path for path in folder.rglob("*") if path.is_file())
    return found


# --------------------------------------------------------------------------- documents


def test_a_document_comes_back_in_another_run(tmp_path: Path) -> None:
    document = {"a": [1, 2.5, None, "é\ud800"], "b": {"c": True}}
    Cache(tmp_path).store("kind", KEY, document)
    assert Cache(tmp_path).load("kind", KEY) == document


def test_kinds_and_keys_are_apart(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store("one", KEY, {"n": 1})
    cache.store("two", KEY, {"n": 2})
    assert cache.load("one", KEY) == {"n": 1}
    assert cache.load("two", KEY) == {"n": 2}
    assert cache.load("one", "cd" * 32) is None


def test_the_last_one_stored_counts(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store("kind", KEY, {"n": 1})
    cache.store("kind", KEY, {"n": 2})
    assert cache.load("kind", KEY) == {"n": 2}
    assert only_file(tmp_path).name == f"{KEY}.json.zz"


def test_no_folder_is_no_cache() -> None:
    cache = Cache(None)
    cache.store("kind", KEY, {})
    cache.drop("kind", KEY)
    assert cache.load("kind", KEY) is None
    assert cache.problem is None


@pytest.mark.parametrize("key", ["../../escape", "/etc/passwd", "a/b", "", "x" * 5_000, "\0", "."])
def test_no_key_leads_out_of_the_folder_or_shows_in_a_name(tmp_path: Path, key: str) -> None:
    cache = Cache(tmp_path / "cache")
    cache.store("kind", key, {"n": 1})
    assert cache.load("kind", key) == {"n": 1}
    assert only_file(tmp_path).is_relative_to(tmp_path / "cache" / "v3" / "kind")


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"no zlib at all",
        zlib.compress(b"no JSON"),
        zlib.compress(b"[1, 2]"),
        zlib.compress(b'"\xff"'),
        zlib.compress(b"[" * 100_000),
        zlib.compress(json.dumps({"n": 1}).encode())[:-3],
    ],
)
def test_a_damaged_entry_is_dropped_and_can_be_stored_again(tmp_path: Path, damage: bytes) -> None:
    cache = Cache(tmp_path)
    cache.store("kind", KEY, {"n": 1})
    path = only_file(tmp_path)
    path.write_bytes(damage)
    assert cache.load("kind", KEY) is None
    assert not path.exists()
    assert cache.problem is None
    cache.store("kind", KEY, {"n": 2})
    assert cache.load("kind", KEY) == {"n": 2}


def test_a_folder_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file")
    cache.store("kind", KEY, {"n": 1})
    first = cache.problem
    assert first is not None
    assert "cannot be used" in first
    cache.store("kind", "cd" * 32, {"n": 1})
    assert cache.load("kind", KEY) is None
    assert cache.problem == first


def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    cache = Cache(tmp_path)
    monkeypatch.setattr(Path, "replace", full)
    cache.store("kind", KEY, {"n": 1})
    assert cache.problem is not None
    assert cache.problem.endswith("cannot be written: No space left on device")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_runs_beside_each_other_never_read_half_an_entry(tmp_path: Path) -> None:
    documents = [{"n": n, "text": f"{n}" * 5_000} for n in range(8)]

    def run(document: dict[str, Any]) -> bool:
        cache = Cache(tmp_path)
        for _ in range(15):
            cache.store("kind", KEY, document)
            found = cache.load("kind", KEY)
            if found not in documents or cache.problem is not None:
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, documents))
    assert only_file(tmp_path).name == f"{KEY}.json.zz"


def test_the_folder_is_the_systems_own_unless_the_environment_names_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", "~/elsewhere")
    assert default_folder() == Path.home() / "elsewhere"
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", "")
    assert default_folder() == platformdirs.user_cache_path("slugcheck", appauthor=False)


# --------------------------------------------------------------------------- inventories


def test_an_inventory_comes_back_the_same_but_for_where_it_is_from(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store("inventory", KEY, inventory_to_document(INVENTORY))
    document = cache.load("inventory", KEY)
    assert document is not None
    assert inventory_from_document(document) == replace(INVENTORY, via="cache")


def test_an_inventory_of_an_empty_wheel_comes_back_too() -> None:
    empty = replace(INVENTORY, entries=(), via="cache", bytecode_factor=None, slug_factor=None)
    assert inventory_from_document(inventory_to_document(empty)) == empty


@pytest.mark.parametrize(
    "change",
    [
        {"sizes": [100, 8]},
        {"sizes": [100]},
        {"sizes": [100, "7"]},
        {"paths": ["pkg/__init__.py"]},
        {"stored": [2]},
        {"totals": None},
        {"console_scripts": [["a"]]},
        {"entries": None, "paths": 5},
    ],
)
def test_a_document_that_contradicts_itself_is_no_inventory(change: dict[str, Any]) -> None:
    assert inventory_from_document({**inventory_to_document(INVENTORY), **change}) is None


@pytest.mark.parametrize("name", sorted(inventory_to_document(INVENTORY)))
def test_a_document_without_a_part_is_no_inventory(name: str) -> None:
    document = inventory_to_document(INVENTORY)
    del document[name]
    assert inventory_from_document(document) is None


def test_every_field_of_an_inventory_is_kept() -> None:
    kept = set(inventory_to_document(INVENTORY))
    parts = {"paths", "sizes", "compressed", "stored", "totals"}
    assert kept - parts == set(Inventory.__slots__) - {"entries", "via"}

"""Where reading wheels draws its lines: limits, spans read together, what counts as the same."""

from __future__ import annotations

import itertools
import os
import random
import struct
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from slugcheck.errors import UsageError, WheelError
from slugcheck.model import Artifact, Entry, Inventory
from slugcheck.packages.index import inventories, wheel, zip_directory
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.inventories import Cache, Inventories, is_fresh, key_of
from slugcheck.packages.index.zip_directory import (
    Directory,
    Member,
    data_end,
    peek_member,
    read_directory,
    read_member,
)
from tests.support.server import PackageServer

KB = 1024

# --------------------------------------------------------------------------- the ZIP directory


def zipped(files: dict[str, bytes], *, comment: bytes = b"", stored: bool = False) -> bytes:
    out = BytesIO()
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = comment
    return out.getvalue()


def opened(content: bytes, asked: list[tuple[int, int]] | None = None) -> Directory:
    def span(start: int, stop: int) -> bytes:
        if asked is not None:
            asked.append((start, stop))
        return content[start:stop]

    return read_directory(span, len(content), "x.whl")


@pytest.mark.parametrize("length", [0, 1, 16 * KB - 22, 16 * KB - 21, 0xFFFF])
def test_an_end_before_a_comment_of_any_length_is_found(length: int) -> None:
    content = zipped({"a": b"x" * 50_000}, comment=b"c" * length, stored=True)
    assert [member.name for member in opened(content).members] == ["a"]
    with pytest.raises(WheelError, match=r"bytes after the end|end is cut off"):
        opened(content + b"\n")


def test_only_the_tail_is_asked_for_where_it_holds_the_directory() -> None:
    content = zipped({"a": b"x" * 50_000}, stored=True)
    asked: list[tuple[int, int]] = []
    opened(content, asked)
    assert asked == [(len(content) - 16 * KB, len(content))]
    many = zipped({f"a-name-of-some-length-{number:04d}": b"x" for number in range(400)})
    asked.clear()
    directory = opened(many, asked)
    assert asked == [(len(many) - 16 * KB, len(many)), (directory.start, len(many) - 16 * KB)]
    small = zipped({"a": b"x"})
    asked.clear()
    opened(small, asked)
    assert asked == [(0, len(small))]


def patched(content: bytes, at: int, form: str, *values: int) -> bytes:
    raw = bytearray(content)
    struct.pack_into(form, raw, at, *values)
    return bytes(raw)


def entry_of(content: bytes) -> int:
    return content.index(b"PK\1\2")


@pytest.mark.parametrize(("size", "fits"), [(1032 * 102, True), (1032 * 102 + 1, False)])
def test_deflate_can_pack_so_much_and_no_more(size: int, fits: bool) -> None:
    content = zipped({"a": os.urandom(80)})
    at = entry_of(content)
    content = patched(content, at + 20, "<L", 101)  # compressed
    content = patched(content, at + 24, "<L", size)
    content = content.replace(b"PK\1\2", b"\0" * 200 + b"PK\1\2", 1)  # room for 101 bytes
    end = content.index(b"PK\5\6")
    start = struct.unpack_from("<L", content, end + 16)[0]
    content = patched(content, end + 16, "<L", start + 200)
    if fits:
        assert opened(content).members[0].size == size
    else:
        with pytest.raises(WheelError, match="more than its data can hold"):
            opened(content)


@pytest.mark.parametrize(("needed", "fits"), [(63, True), (64, False), (0x0114, True)])
def test_versions_that_installers_read(needed: int, fits: bool) -> None:
    content = zipped({"a": b"x"})
    content = patched(content, entry_of(content) + 6, "<H", needed)
    if fits:
        assert len(opened(content).members) == 1
    else:
        with pytest.raises(WheelError, match="needs a newer ZIP version"):
            opened(content)


@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40])
def test_what_is_encrypted_or_a_patch_is_refused(flag: int) -> None:
    content = zipped({"a": b"x"})
    with pytest.raises(WheelError, match="is encrypted or a patch"):
        opened(patched(content, entry_of(content) + 8, "<H", flag))


@pytest.mark.parametrize("limit", ["MAX_DIRECTORY", "MAX_ENTRIES", "MAX_NAME"])
def test_limits_are_inclusive(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped({"abcd": b"x", "efgh": b"y"})
    end = content.index(b"PK\5\6")
    reached = {"MAX_DIRECTORY": end - entry_of(content), "MAX_ENTRIES": 2, "MAX_NAME": 4}[limit]
    monkeypatch.setattr(zip_directory, limit, reached)
    assert len(opened(content).members) == 2
    monkeypatch.setattr(zip_directory, limit, reached - 1)
    with pytest.raises(WheelError):
        opened(content)


def test_bytes_before_the_archive_are_counted_in_and_a_directory_before_the_file_is_none() -> None:
    plain = zipped({"a": b"hello" * 20})
    shifted = b"#!/bin/sh\n" + plain
    directory = opened(shifted)
    member = directory.members[0]
    assert member.header_offset == 10
    start, stop = directory.slot(member)
    assert read_member(directory, member, shifted[start:stop]) == b"hello" * 20
    end = plain.index(b"PK\5\6")
    start = struct.unpack_from("<L", plain, end + 16)[0]
    with pytest.raises(WheelError, match="begins before the file does"):
        opened(patched(plain, end + 16, "<L", start + 1))


def test_members_may_touch_and_not_overlap() -> None:
    content = zipped({"a": b"x" * 9, "b": b"y" * 9}, stored=True)
    directory = opened(content)
    a, b = directory.members
    assert b.header_offset == a.header_offset + 30 + 1 + 9
    assert directory.slot(a) == (a.header_offset, b.header_offset)
    assert directory.slot(b) == (b.header_offset, directory.start)
    checked = zip_directory._checked_offsets
    touching = [Member("a", 5, 5, 0, 0, 0), Member("b", 5, 5, 0, 35, 0)]
    assert checked(touching, 70, "x") == (0, 35)
    for members, start, said in (
        ([touching[0], touching[1]._replace(header_offset=34)], 70, "'a' overlaps another"),
        (touching, 69, "'b' reaches beyond the file's data"),
    ):
        with pytest.raises(WheelError, match=said):
            checked(members, start, "x")
    assert checked([], 0, "x") == ()


def test_a_slot_is_never_larger_than_what_a_member_can_take() -> None:
    member = Member("a", 5, 5, 0, 100, 0)
    wide = Directory(archive="x", members=(member,), folders=(), start=10**9, offsets=(100,))
    assert wide.slot(member) == (100, 100 + 30 + 2 * 0xFFFF + 5)


@pytest.mark.parametrize(
    ("name", "fits"),
    [("a/../b", False), ("/a", False), ("..", False), ("a..b/c", True), ("a/...", True)],
)
def test_names_that_leave_the_folder(name: str, fits: bool) -> None:
    content = zipped({name: b"x"})
    if fits:
        assert opened(content).members[0].name == name
    else:
        with pytest.raises(WheelError, match="outside the folder"):
            opened(content)


def test_content_is_checked_against_size_and_checksum() -> None:
    content = zipped({"a": b"hello" * 50})
    directory = opened(content)
    (member,) = directory.members
    start, stop = directory.slot(member)
    raw = content[start:stop]
    assert read_member(directory, member, raw) == b"hello" * 50
    assert peek_member(directory, member, raw, 7) == b"hellohe"
    for wrong in (member._replace(crc=member.crc ^ 1), member._replace(size=member.size - 1)):
        with pytest.raises(WheelError, match="size or checksum differ"):
            read_member(directory, wrong, raw)
    with pytest.raises(WheelError, match="is cut off"):
        read_member(directory, member, raw[: 31 + member.compressed - 1])
    with pytest.raises(WheelError, match="unknown compression 12"):
        read_member(directory, member._replace(method=12), raw)
    with pytest.raises(WheelError, match="not where the directory says"):
        read_member(directory, member, b"XX" + raw[2:])


def test_where_a_member_ends() -> None:
    content = zipped({"ab": b"x" * 40}, stored=True)
    member = opened(content).members[0]
    assert data_end(content, 0, member) == 30 + 2 + 40
    assert data_end(b"\0" * 5 + content, 5, member) == 5 + 72
    assert data_end(content, 1, member) is None
    assert data_end(content, -1, member) is None
    assert data_end(content[:30], 0, member) == 72
    assert data_end(content[:29], 0, member) is None


# --------------------------------------------------------------------------- wheels


@pytest.mark.parametrize(
    ("spans", "merged"),
    [
        ([(0, 10), (10, 20)], [(0, 20)]),
        ([(0, 10), (10 + 32 * KB - 1, 50_000)], [(0, 50_000)]),
        ([(0, 10), (10 + 32 * KB, 50_000)], [(0, 10), (10 + 32 * KB, 50_000)]),
        ([(5, 90), (0, 10), (20, 30)], [(0, 90)]),
        ([], []),
    ],
)
def test_spans_that_are_near_are_read_together(
    spans: list[tuple[int, int]], merged: list[tuple[int, int]]
) -> None:
    assert wheel._merged(spans) == merged


@pytest.mark.parametrize(
    ("path", "is_script"),
    [
        ("x-1.data/scripts/run", True), ("x-1.data/scripts/a/b", True), ("x-1.data/scripts", False),
        ("x-1.data/purelib/run", False), ("x/scripts/run", False),
        ("x-1.data/data/scripts/y", False),
    ],
)  # fmt: skip
def test_scripts_of_a_wheel(path: str, is_script: bool) -> None:
    assert wheel._is_script(path) is is_script


@pytest.fixture
def server() -> Iterator[PackageServer]:
    with PackageServer() as running:
        yield running


def inventory(server: PackageServer, filename: str) -> Inventory:
    with HttpClient() as client:
        return wheel.read_inventory(server.artifact(filename), client)


@pytest.mark.parametrize(
    ("limit", "reached", "said"),
    [
        ("_MAX_SCRIPTS", 2, "it has 2 scripts, more than 1"),
        ("_MAX_LINES", 2, "its METADATA has 2 Requires-Dist lines"),
        ("_MAX_TEXT", None, "METADATA is larger than"),
    ],
)
def test_limits_of_a_wheel_are_inclusive(
    server: PackageServer,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    reached: int | None,
    said: str,
) -> None:
    files = {f"demo-1.data/scripts/{name}": b"#!python\n" for name in "ab"}
    server.add_wheel("demo", "1", files, requires=("a", "b"))
    (name,) = server._files
    whole = inventory(server, name)
    assert whole.python_scripts == tuple(files)
    assert whole.requires_dist == ("a", "b")
    if reached is None:
        reached = next(e.size for e in whole.entries if e.path.endswith("/METADATA"))
    monkeypatch.setattr(wheel, limit, reached)
    assert inventory(server, name) == whole
    monkeypatch.setattr(wheel, limit, reached - 1)
    with pytest.raises(WheelError, match=said):
        inventory(server, name)


def test_only_the_runtime_line_of_a_script_makes_it_one_of_python(server: PackageServer) -> None:
    files = {
        "demo-1.data/scripts/yes": b"#!python\n" + b"x = 1\n" * 5_000,
        "demo-1.data/scripts/windowed": b"#!pythonw\n",
        "demo-1.data/scripts/no": b"#!/usr/bin/python\n",
        "demo-1.data/scripts/short": b"#!pytho",
    }
    server.add_wheel("demo", "1", files)
    (name,) = server._files
    assert inventory(server, name).python_scripts == (
        "demo-1.data/scripts/yes", "demo-1.data/scripts/windowed",
    )  # fmt: skip


class Wants:
    """A sampler that wants a span, and keeps what it was given."""

    def __init__(self, *wanted: tuple[int, int]) -> None:
        self.wanted = wanted
        self.given: tuple[tuple[str, bytes], ...] = ()

    def spans(self, members: Any) -> Any:
        return self.wanted

    def factors(self, sources: Any) -> tuple[float, float]:
        self.given = sources
        return 1.5, 1.5


@pytest.mark.parametrize(
    ("limit", "reached", "at_limit", "below"),
    [
        ("_MAX_SOURCE", 40, ["a.py", "b.py"], []),
        ("_MAX_SOURCES", 80, ["a.py", "b.py"], None),
        ("_MAX_SAMPLED", None, ["a.py", "b.py"], None),
    ],
)
def test_samples_are_bounded(
    server: PackageServer,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    reached: int | None,
    at_limit: list[str],
    below: list[str] | None,
) -> None:
    server.add_wheel("demo", "1", {"a.py": "x" * 40, "b.py": "y" * 40, "c.txt": "z" * 40})
    (name,) = server._files

    def sampled() -> tuple[float | None, list[str]]:
        sampler = Wants((-5, 10**6))
        with HttpClient() as client:
            made = wheel.read_inventory(server.artifact(name), client, sampler=sampler)
        return made.bytecode_factor, [path for path, _ in sampler.given]

    bound = len(inventory(server, name).entries) if reached is None else reached
    monkeypatch.setattr(wheel, limit, bound)
    assert sampled() == (1.5, at_limit)
    monkeypatch.setattr(wheel, limit, bound - 1)
    assert sampled() == (None, [])


def test_spans_of_a_sample_near_each_other_are_one_request(server: PackageServer) -> None:
    near, far = random.Random(1).randbytes(80_000), random.Random(2).randbytes(120_000)
    files = {
        "a.py": "a = 1\n", "near.bin": near, "between.py": "x = 1\n", "b.py": "b = 1\n",
        "far.bin": far, "c.py": "c = 1\n", "last.bin": far,
    }  # fmt: skip
    server.add_wheel("demo", "1", files)
    (name,) = server._files

    class Sources(Wants):
        def spans(self, members: Any) -> Any:
            starts = {member.name: member.header_offset for member in members}
            following = dict(itertools.pairwise(sorted(starts.values())))
            wanted = [starts[path] for path in ("a.py", "b.py", "c.py")]
            return [(start, following[start]) for start in wanted]

    sampler = Sources()
    with HttpClient() as client:
        wheel.read_inventory(server.artifact(name), client, sampler=sampler)
    assert [path for path, _ in sampler.given] == ["a.py", "b.py", "c.py"]
    assert len(server.hits_of(name)) == 3  # the directory, a.py to b.py, c.py


# --------------------------------------------------------------------------- what is kept

SHA = "ab" * 32


def artifact(url: str = "https://h.example/x.whl", **more: Any) -> Artifact:
    fields: dict[str, Any] = {"filename": "x.whl", "url": url, "size": 9, "sha256": SHA} | more
    return Artifact(**fields)


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://u:p@h.example/x.whl", True),
        ("HTTPS://H.EXAMPLE/x.whl", True),
        ("https://h.example/x.whl#sha256=1", True),
        ("https://h.example/x.whl?X-Amz-Signature=1&Expires=2", True),
        ("https://h.example/x.whl?x-goog-date=1&signature=", True),
        ("https://h.example/x.whl?file=2", False),
        ("https://h.example/X.whl", False),
        ("https://other.example/x.whl", False),
        ("http://h.example/x.whl", False),
        ("https://h.example:8443/x.whl", False),
    ],
)
def test_a_wheel_is_kept_by_what_says_which_file_it_is(url: str, same: bool) -> None:
    assert (key_of(artifact(url)) == key_of(artifact())) is same
    assert key_of(artifact(sha256=SHA.upper())) == key_of(artifact())
    assert key_of(artifact(size=None)) == key_of(artifact())
    assert key_of(artifact(filename="y.whl")) != key_of(artifact())
    assert key_of(artifact(sha256=None)) is None
    assert key_of(artifact("file:///x.whl")) is None


def test_a_kept_wheel_is_believed_only_where_it_is_that_file(
    server: PackageServer, tmp_path: Path
) -> None:
    server.add_wheel("demo", "1", {"a.py": "x = 1\n"})
    (name,) = server._files
    own = server.artifact(name)

    def via(wanted: Artifact) -> str:
        with HttpClient() as client:
            reader = Inventories(client=client, cache=Cache(tmp_path))
            read = reader.inventory(wanted)
            assert reader.transfer().cached == (read.via == "cache")
            return read.via

    assert via(own) == "range"
    assert via(own) == "cache"
    assert via(replace(own, size=None)) == "cache"
    assert via(replace(own, sha256=(own.sha256 or "").upper())) == "cache"
    kept = inventories.inventory_from_document(
        Cache(tmp_path).load(inventories._KIND, key_of(own) or "") or {}
    )
    assert kept is not None
    assert inventories._fits(kept, own)
    assert not inventories._fits(kept, replace(own, size=(own.size or 0) + 1))
    assert not inventories._fits(kept, replace(own, filename="other.whl"))
    assert not inventories._fits(kept, replace(own, sha256="cd" * 32))


@pytest.mark.parametrize(("limit", "count"), [("MAX_FILES", 5), ("MAX_LINES", 3)])
def test_a_run_reads_so_many_files_and_lines(
    server: PackageServer, monkeypatch: pytest.MonkeyPatch, limit: str, count: int
) -> None:
    server.add_wheel("one", "1", {"a.py": "x = 1\n"}, requires=("a", "b"))
    server.add_wheel("two", "1", {"b.py": "x = 1\n"}, requires=("c",))
    names = sorted(server._files)
    with HttpClient() as client:
        files = sum(len(inventory(server, name).entries) for name in names)
        reached = files if limit == "MAX_FILES" else count
        for most, fits in ((reached, True), (reached - 1, False)):
            monkeypatch.setattr(inventories, limit, most)
            reader = Inventories(client=client, cache=Cache(None))
            reader.inventory(server.artifact(names[0]))
            reader.inventory(server.artifact(names[0]))  # the same one again counts once
            if fits:
                reader.inventory(server.artifact(names[1]))
                continue
            with pytest.raises(WheelError, match=f"more than {most:,} "):
                reader.inventory(server.artifact(names[1]))


@pytest.mark.parametrize(("age", "fresh"), [(0.0, True), (9.0, True), (11.0, False), (-5.0, False)])
def test_a_document_is_fresh_for_some_time(age: float, fresh: bool) -> None:
    assert is_fresh({"at": time.time() - age}, 10) is fresh
    assert not is_fresh({}, 10)
    assert not is_fresh({"at": "yesterday"}, 10)


def test_documents_that_are_too_large_are_neither_kept_nor_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path)
    text = len('{"a":""}')
    monkeypatch.setattr(inventories, "MAX_DOCUMENT", text + 500)
    cache.store("k", SHA, {"a": "x" * 501})
    assert cache.load("k", SHA) is None
    cache.store("k", SHA, {"a": "x" * 500})
    assert cache.load("k", SHA) == {"a": "x" * 500}
    monkeypatch.setattr(inventories, "MAX_DOCUMENT", 20)
    assert cache.load("k", SHA) is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_only_entries_that_nobody_else_can_write_are_believed(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = Cache(folder)
    cache.store("k", SHA, {"a": 1})
    (path,) = (p for p in folder.rglob("*") if p.is_file())
    assert (folder / f"v{inventories.SCHEMA}").stat().st_mode & 0o777 == 0o700
    for mode, believed in ((0o600, True), (0o644, True), (0o620, False), (0o602, False)):
        cache.store("k", SHA, {"a": 1})
        path.chmod(mode)
        assert (cache.load("k", SHA) is not None) is believed
        assert path.exists() is believed  # what is not believed is dropped
    shared = tmp_path / "shared"
    (shared / f"v{inventories.SCHEMA}").mkdir(parents=True)
    (shared / f"v{inventories.SCHEMA}").chmod(0o777)
    Cache(shared).store("k", SHA, {"a": 1})
    assert (shared / f"v{inventories.SCHEMA}").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("kind", "key"), [("k", "cd" * 32), ("other", SHA)])
def test_an_entry_that_was_moved_is_not_believed(tmp_path: Path, kind: str, key: str) -> None:
    cache = Cache(tmp_path)
    cache.store("k", SHA, {"a": 1})
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    moved = path.parents[2] / kind / key[:2] / f"{key}.json.zz"
    moved.parent.mkdir(parents=True, exist_ok=True)
    path.rename(moved)
    assert cache.load(kind, key) is None
    assert not moved.exists()


def test_a_link_in_place_of_an_entry_is_not_followed(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.store("k", SHA, {"a": 1})
    (path,) = (p for p in (tmp_path / "cache").rglob("*") if p.is_file())
    other = tmp_path / "other"
    path.rename(other)
    path.symlink_to(other)
    assert cache.load("k", SHA) is None
    assert other.exists()
    assert cache.problem is None


def test_a_cache_in_the_checkout_is_not_used(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    outside = tmp_path / "cache"
    outside.mkdir()
    assert inventories.trusted_folder(outside, checkout) == (outside, None)
    folder, problem = inventories.trusted_folder(checkout / "c", checkout)
    assert folder is None
    assert "set SLUGCHECK_CACHE_DIR to a folder outside" in (problem or "")
    (checkout / "link").symlink_to(outside)
    assert inventories.trusted_folder(checkout / "link", checkout)[0] is None
    assert inventories.trusted_folder(checkout / "link" / "deeper", checkout)[0] is None
    named = inventories.trusted_folder(checkout, checkout, variable="UV_CACHE_DIR")
    assert "set UV_CACHE_DIR" in (named[1] or "")


def test_the_home_folder_is_no_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    inside = tmp_path / ".cache"
    assert inventories.trusted_folder(inside, tmp_path) == (inside, None)
    assert inventories.trusted_folder(inside, tmp_path.parent)[0] is None
    assert inventories.trusted_folder(inside, Path("/"))[0] == inside
    (tmp_path / ".git").mkdir()  # a home that is a checkout brings its cache along
    assert inventories.trusted_folder(inside, tmp_path)[0] is None


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"UV_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/uv"),
        ({}, "/home/me/.cache/uv"),
    ],
)
def test_where_uv_keeps_its_cache(
    variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UV_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert inventories.uv_cache_folder() == Path(folder)


def test_a_cache_folder_of_an_unknown_user_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", "~nobody-of-that-name/x")
    with pytest.raises(UsageError, match="SLUGCHECK_CACHE_DIR names the home of an unknown user"):
        inventories.default_folder()
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", "~/x")
    assert inventories.default_folder() == Path("/home/me/x")


def test_entries_keep_their_places() -> None:
    made = inventories._entries(
        {"paths": ["a", "b"], "sizes": [1, 2], "compressed": [3, 4], "stored": [1]}
    )
    assert made == (
        Entry(path="a", size=1, compressed=3), Entry(path="b", size=2, compressed=4, stored=True),
    )  # fmt: skip

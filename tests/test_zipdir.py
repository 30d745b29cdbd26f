"""The directory reader against the standard library's own, on whole, odd and damaged archives."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slugcheck.errors import WheelError
from slugcheck.packages.index.zip_directory import (
    TAIL,
    Directory,
    peek_member,
    read_directory,
    read_member,
)
from tests.support.wheels import Layout, make_zip

PROPERTY = settings(deadline=None, database=None, derandomize=True, max_examples=60)

SMALL = {"pkg/__init__.py": b"x = 1\n" * 50, "pkg/data.bin": bytes(range(256)), "empty": b""}
ENTRY = b"PK\1\2"
END = b"PK\5\6"

names = st.text("abcXYZ0_é.", min_size=1, max_size=12).filter(lambda name: set(name) != {"."})
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
contents = st.binary(max_size=300) | st.just(b"spam " * 400)
layouts = st.builds(
    Layout,
    stored=st.booleans(),
    zip64=st.booleans(),
    comment=st.binary(max_size=40).filter(lambda comment: END not in comment),
    prefix=st.binary(max_size=40).filter(lambda prefix: b"PK" not in prefix),
    prefix_counted=st.booleans(),
    descriptors=st.booleans(),
    directories=st.booleans(),
)


def read(content: bytes) -> Directory:
    return read_directory(lambda start, stop: content[start:stop], len(content), "a.whl")


def as_zipfile_sees(content: bytes) -> list[tuple[str, int, int, int, int, int]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [
            (i.filename, i.file_size, i.compress_size, i.compress_type, i.header_offset, i.CRC)
            for i in archive.infolist()
        ]


def as_we_see(content: bytes) -> list[tuple[object, ...]]:
    directory = read(content)
    return [tuple(member) for member in directory.members]


def patched(content: bytes, mark: bytes, offset: int, layout: str, value: int) -> bytes:
    """Return an archive with one field of its last record of a kind overwritten."""
    changed = bytearray(content)
    struct.pack_into(layout, changed, content.rindex(mark) + offset, value)
    return bytes(changed)


# --------------------------------------------------------------------------- sound archives


@PROPERTY
@given(st.dictionaries(paths, contents, max_size=8), layouts)
def test_every_layout_reads_as_zipfile_reads_it(members: dict[str, bytes], layout: Layout) -> None:
    folders = {path[: end + 1] for path in members for end in _slashes(path)}
    members = {path: data for path, data in members.items() if f"{path}/" not in folders}
    content = make_zip(members, layout)
    directory = read(content)
    listed = as_zipfile_sees(content)
    assert [tuple(m) for m in directory.members] == [i for i in listed if i[0] in members]
    assert directory.folders == tuple(i[0] for i in listed if i[0] not in members)
    for member in directory.members:
        start, stop = directory.slot(member)
        assert read_member(directory, member, content[start:stop]) == members[member.name]


def _slashes(path: str) -> list[int]:
    return [index for index, char in enumerate(path) if char == "/"]


def test_more_entries_than_sixteen_bits_count_are_all_read() -> None:
    content = make_zip({f"d/{n}": b"" for n in range(0x10000 + 5)}, Layout(stored=True))
    assert len(read(content).members) == 0x10000 + 5


def test_old_names_are_code_page_437() -> None:
    content = make_zip({"caf\N{LATIN SMALL LETTER E WITH ACUTE}": b""})
    raw = content.replace("caf\xe9".encode(), b"caf\x82\x82")
    for mark, offset in ((b"PK\3\4", 6), (ENTRY, 8)):
        raw = patched(raw, mark, offset, "<H", 0)
    assert read(raw).members[0].name == "caféé" == as_zipfile_sees(raw)[0][0]


def test_the_tail_is_asked_for_first_and_then_only_what_is_missing() -> None:
    members = {f"package/module_{n:05}.py": b"" for n in range(600)}
    content = make_zip(members, Layout(stored=True))
    asked: list[tuple[int, int]] = []

    def span(start: int, stop: int) -> bytes:
        asked.append((start, stop))
        return content[start:stop]

    directory = read_directory(span, len(content), "a.whl")
    tail = len(content) - TAIL
    assert asked == [(tail, len(content)), (directory.start, tail)]


def test_an_end_hidden_by_a_long_comment_is_found() -> None:
    content = make_zip(SMALL, Layout(comment=b"c" * 60_000))
    assert as_we_see(content) == as_zipfile_sees(content)


def test_the_first_bytes_of_a_member_need_only_the_beginning_of_its_slot() -> None:
    content = make_zip({"run": b"#!python\n" + bytes(range(256)) * 200})
    directory = read(content)
    (member,) = directory.members
    assert peek_member(directory, member, content[:200], 8) == b"#!python"


# --------------------------------------------------------------------------- damaged archives


@PROPERTY
@given(layouts, st.data())
def test_damage_is_an_error_or_makes_no_difference(layout: Layout, data: st.DataObject) -> None:
    content = bytearray(make_zip(SMALL, layout))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["set", "cut", "insert"])):
            case "set":
                content[at] = data.draw(st.integers(0, 255))
            case "cut":
                del content[at : at + data.draw(st.integers(1, 30))]
            case _:
                content[at:at] = data.draw(st.binary(max_size=8))
        if not content:
            return
    _agrees_or_refuses(bytes(content))


@PROPERTY
@given(layouts, st.data())
def test_damage_of_the_records_is_an_error_or_makes_no_difference(
    layout: Layout, data: st.DataObject
) -> None:
    content = make_zip(SMALL, layout)
    start = content.index(ENTRY)
    at = data.draw(st.integers(start, len(content) - 1))
    changed = bytearray(content)
    value = data.draw(st.sampled_from([0, 1, 0x7F, 0xFF]) | st.integers(0, 255))
    width = data.draw(st.sampled_from([1, 2, 4, 8]))
    changed[at : at + width] = bytes([value] * min(width, len(content) - at))
    _agrees_or_refuses(bytes(changed))


def _agrees_or_refuses(content: bytes) -> None:
    try:
        directory = read(content)
    except WheelError:
        return
    listed = as_zipfile_sees(content)
    assert {tuple(m) for m in directory.members} == {i for i in listed if not i[0].endswith("/")}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in directory.members:
            start, stop = directory.slot(member)
            try:
                found = read_member(directory, member, content[start:stop])
            except WheelError:
                continue
            assert found == archive.read(member.name)


def with_duplicate() -> bytes:
    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w") as archive:
        warnings.simplefilter("ignore")  # zipfile warns of what is the point here
        archive.writestr("twice.py", "1")
        archive.writestr("twice.py", "2")
    return target.getvalue()


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "not a ZIP archive"),
    "an error page": (lambda: b"<html>not found</html>" * 9, "not a ZIP archive"),
    "cut off": (lambda: make_zip(SMALL)[:-30], "not a ZIP archive"),
    "bytes after the end": (lambda: make_zip(SMALL) + b"\0" * 9, "bytes after the end"),
    "a count too high": (
        lambda: patched(patched(make_zip(SMALL), END, 8, "<H", 4), END, 10, "<H", 4),
        "fewer entries than it declares",
    ),
    "a count too low": (
        lambda: patched(patched(make_zip(SMALL), END, 8, "<H", 2), END, 10, "<H", 2),
        "more entries than it declares",
    ),
    "one part of several": (lambda: patched(make_zip(SMALL), END, 4, "<H", 1), "split"),
    "directory before the file": (
        lambda: patched(make_zip(SMALL), END, 16, "<L", 10**6),
        "begins before the file",
    ),
    "a huge directory": (lambda: patched(make_zip(SMALL), END, 12, "<L", 2**31), "claims"),
    "two end records": (
        lambda: patched(make_zip(SMALL, Layout(zip64=True)), END, 12, "<L", 7),
        "contradict each other",
    ),
    "a zip64 record elsewhere": (
        lambda: make_zip(SMALL, Layout(zip64=True)).replace(b"PK\6\6", b"XXXX"),
        "zip64 end record is not where",
    ),
    "an entry beyond the data": (
        lambda: patched(make_zip(SMALL), ENTRY, 42, "<L", 10**6),
        "reaches beyond",
    ),
    "two entries in one place": (
        lambda: patched(make_zip(SMALL), ENTRY, 42, "<L", 0),
        "overlaps another",
    ),
    "a size that the data cannot hold": (
        lambda: patched(make_zip({"a": b"x" * 99}), ENTRY, 24, "<L", 10**9),
        "claims 1,000,000,000 bytes",
    ),
    "two sizes of a stored entry": (
        lambda: patched(make_zip({"a": b"x" * 99}, Layout(stored=True)), ENTRY, 24, "<L", 98),
        "two different sizes",
    ),
    "an encrypted entry": (lambda: patched(make_zip(SMALL), ENTRY, 8, "<H", 1), "encrypted"),
    "a name twice": (with_duplicate, "'twice.py' twice"),
    "an absolute path": (lambda: make_zip({"/etc/passwd": b""}), "outside the folder"),
    "a path that climbs": (lambda: make_zip({"a/../../b": b""}), "outside the folder"),
    "a name with a null": (
        lambda: make_zip({"a_b": b""}).replace(b"a_b", b"a\0b"),
        "unusable name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_an_archive_that_lies_is_an_error_that_says_how(case: str) -> None:
    build, sentence = BAD[case]
    content = build()
    with pytest.raises(WheelError, match=sentence) as caught:
        read(content)
    assert str(caught.value).startswith("a.whl: ")
    assert caught.value.hint


def test_an_entry_with_a_part_of_dots_is_no_climbing() -> None:
    assert [m.name for m in read(make_zip({"a/..b/c...py": b""})).members] == ["a/..b/c...py"]


def test_damaged_content_is_not_returned() -> None:
    content = make_zip({"a": b"spam" * 100}, Layout(stored=True)).replace(
        b"spamspam", b"spamspan", 1
    )
    directory = read(content)
    with pytest.raises(WheelError, match="'a' is damaged"):
        read_member(directory, directory.members[0], content)


def test_another_name_in_the_local_header_is_an_error() -> None:
    content = make_zip({"good.py": b"1"}).replace(b"good.py", b"evil.py", 1)
    directory = read(content)
    with pytest.raises(WheelError, match="another name"):
        read_member(directory, directory.members[0], content)


def test_a_bomb_is_inflated_no_further_than_its_size_says() -> None:
    content = make_zip({"bomb": b"\0" * 10**6})
    small = patched(content, ENTRY, 24, "<L", 10)
    directory = read(small)
    with pytest.raises(WheelError, match="size or checksum"):
        read_member(directory, directory.members[0], small)

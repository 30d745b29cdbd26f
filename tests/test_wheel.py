"""What an inventory says of a wheel, and how many requests it took."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from slugcheck.errors import WheelError
from slugcheck.model import Artifact, Inventory
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.wheel import read_inventory
from slugcheck.packages.index.zip_directory import Member
from tests.support.server import PackageServer, Quirk
from tests.support.wheels import Archive, Layout, make_wheel, make_zip

pytestmark = pytest.mark.usefixtures("plain_network")

NOISE = random.Random(3)
PAYLOAD = NOISE.randbytes(60_000)
SMALL = make_wheel(
    "Small.Pkg",
    "1.0",
    {"small/__init__.py": "x = 1\n" * 90, "small/native.so": bytes(500)},
    requires=["click>=8", 'tomli; python_version < "3.11"'],
    extras={"fast": ["numpy"]},
    requires_python=">=3.9",
    entry_points={
        "console_scripts": {"small": "small.cli:main", "small-x": "small.cli:other [fast]"},
        "gui_scripts": {"small-gui": "small.gui:run"},
        "small.plugins": {"p": "small:p"},
    },
    data={"scripts/tool": "#!python\nprint()\n", "scripts/tool.sh": "#!/bin/sh\n", "data/x": "1"},
)
LARGE = make_wheel("large", "2", {"large/blob.bin": PAYLOAD, "large/a.py": "a = 1\n"})
# A directory larger than the tail, a large RECORD before it, METADATA further in front.
WIDE = make_wheel(
    "wide", "1", {f"wide/module_{n:04}.py": "" for n in range(2_000)}, requires=["click"]
)
METADATA_FIRST = make_wheel(
    "front", "1", {"front/blob.bin": PAYLOAD}, entry_points={"console_scripts": {"f": "f:f"}},
    layout=Layout(metadata="first"),
)  # fmt: skip
SCRIPTS_FIRST = make_wheel(
    "tools", "1", {"tools/blob.bin": PAYLOAD}, data={"scripts/native": PAYLOAD},
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[PackageServer]:
    with PackageServer() as server:
        yield server


def read(server: PackageServer, archive: Archive, **known: bool) -> Inventory:
    server.add(archive)
    with HttpClient() as client:
        return read_inventory(server.artifact(archive.filename, **known), client)


def read_local(archive: Archive, folder: Path) -> Inventory:
    path = folder / archive.filename
    path.write_bytes(archive.content)
    artifact = Artifact(filename=archive.filename, url=path.as_uri(), size=None, sha256=None)
    with HttpClient() as client:
        return read_inventory(artifact, client)


def test_an_inventory_says_what_the_wheel_holds(server: PackageServer) -> None:
    inventory = read(server, SMALL)
    with zipfile.ZipFile(io.BytesIO(SMALL.content)) as wheel:
        listed = [(i.filename, i.file_size, i.compress_size) for i in wheel.infolist()]
    assert [(e.path, e.size, e.compressed) for e in inventory.entries] == listed
    assert inventory.file_bytes == len(SMALL.content)
    assert inventory.sha256 == SMALL.sha256
    assert inventory.dist_info == "Small.Pkg-1.0.dist-info"
    assert inventory.requires_python == ">=3.9"
    assert inventory.provides_extra == ("fast",)
    assert inventory.requires_dist == (
        "click>=8",
        'tomli; python_version < "3.11"',
        'numpy; extra == "fast"',
    )
    assert inventory.console_scripts == (
        ("small", "small.cli:main"),
        ("small-x", "small.cli:other"),
    )
    assert inventory.gui_scripts == (("small-gui", "small.gui:run"),)
    assert inventory.python_scripts == ("Small.Pkg-1.0.data/scripts/tool",)
    assert inventory.bytecode_factor is None


@pytest.mark.parametrize(
    ("archive", "requests"),
    [
        (SMALL, 1),
        (LARGE, 1),  # all but the blob lies in the tail
        (METADATA_FIRST, 2),  # METADATA and entry points in one
        (WIDE, 3),  # tail, the rest of the directory, METADATA
        (SCRIPTS_FIRST, 2),
    ],
    ids=lambda value: value.filename.partition("-")[0] if isinstance(value, Archive) else None,
)
def test_a_wheel_takes_few_requests(server: PackageServer, archive: Archive, requests: int) -> None:
    assert read(server, archive).via == "range"
    assert len(server.hits_of(archive.filename)) == requests


@pytest.mark.parametrize(
    ("quirk", "requests", "via"),
    [
        (Quirk.HONEST, 3, "range"),
        (Quirk.NO_SUFFIX, 3, "range"),
        (Quirk.NO_RANGES, 1, "full"),
        (Quirk.IGNORES_RANGES, 1, "full"),
        (Quirk.WRONG_CONTENT_RANGE, 2, "full"),
        (Quirk.SHORT_BODY, 2, "full"),
        (Quirk.GZIP_ENCODED, 2, "full"),
        (Quirk.RANGES_FORBIDDEN, 2, "full"),
        (Quirk.UNSATISFIABLE, 2, "full"),
        (Quirk.TOO_MANY_ONCE, 4, "range"),
        (Quirk.ERROR_ONCE, 4, "range"),
        (Quirk.DROPS_ONCE, 4, "range"),
        (Quirk.REDIRECT, 4, "range"),
    ],
)
def test_every_server_gives_the_same_inventory(
    server: PackageServer, tmp_path: Path, quirk: Quirk, requests: int, via: str
) -> None:
    server.set_quirk(WIDE.filename, quirk)
    inventory = read(server, WIDE)
    assert len(server.hits_of(WIDE.filename)) == requests
    assert inventory.via == via
    assert inventory.entries == read_local(WIDE, tmp_path).entries
    assert inventory.requires_dist == ("click",)


def test_a_wheel_whose_size_no_index_says_takes_no_more_requests(server: PackageServer) -> None:
    assert read(server, LARGE, size=False).file_bytes == len(LARGE.content)
    assert server.ranges_of(LARGE.filename) == ["bytes=-16384"]


def test_little_of_a_large_script_is_read(server: PackageServer) -> None:
    read(server, SCRIPTS_FIRST)
    script = server.ranges_of(SCRIPTS_FIRST.filename)[1] or ""
    start, stop = (int(part) for part in script.removeprefix("bytes=").split("-"))
    assert stop - start < 4_096


@pytest.mark.parametrize(
    "layout",
    [
        Layout(zip64=True),
        Layout(directories=True),
        Layout(descriptors=True),
        Layout(stored=True),
        Layout(prefix=b"#!/bin/sh\n", comment=b"made by a test"),
    ],
    ids=["zip64", "directories", "descriptors", "stored", "prefix and comment"],
)
def test_the_layout_of_the_archive_makes_no_difference(tmp_path: Path, layout: Layout) -> None:
    files = {"pkg/deep/er/a.py": "a = 1\n" * 40}
    archive = make_wheel("pkg", "1", files, requires=["click"], layout=layout)
    inventory = read_local(archive, tmp_path)
    sizes = {entry.path: entry.size for entry in inventory.entries}
    assert set(sizes) == {
        "pkg/deep/er/a.py",
        *(f"pkg-1.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD")),
    }
    assert sizes["pkg/deep/er/a.py"] == 240
    assert {entry.stored for entry in inventory.entries} == {layout.stored}
    assert inventory.requires_dist == ("click",)
    assert inventory.via == "local"


# --------------------------------------------------------------------------- dist-info


def test_a_vendored_dist_info_is_not_the_wheels_own(tmp_path: Path) -> None:
    files = {"pkg/_vendor/other-9.dist-info/METADATA": "Requires-Dist: wrong\n"}
    inventory = read_local(make_wheel("pkg", "1", files, requires=["right"]), tmp_path)
    assert inventory.dist_info == "pkg-1.dist-info"
    assert inventory.requires_dist == ("right",)


def test_any_spelling_of_the_dist_info_is_taken(tmp_path: Path) -> None:
    archive = make_wheel("my-pkg", "1.0", {}, dist_info="My.Pkg-1.0.0.dist-info")
    assert read_local(archive, tmp_path).dist_info == "My.Pkg-1.0.0.dist-info"


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"a.py": b""}, r"no \*\.dist-info folder"),
        ({"a-1.dist-info/METADATA": b"", "b-1.dist-info/METADATA": b""}, "more than one"),
        ({"a-1.dist-info/WHEEL": b""}, "has no a-1.dist-info/METADATA"),
    ],
)
def test_what_is_no_wheel_is_an_error_that_names_it(
    tmp_path: Path, members: dict[str, bytes], sentence: str
) -> None:
    with pytest.raises(WheelError, match=sentence) as caught:
        read_local(Archive("a-1-py3-none-any.whl", make_zip(members)), tmp_path)
    assert str(caught.value).startswith("a-1-py3-none-any.whl: ")


def test_a_page_in_place_of_a_wheel_is_an_error_that_names_it(server: PackageServer) -> None:
    with pytest.raises(WheelError, match=r"^a-1-py3-none-any\.whl: it is not a ZIP archive"):
        read(server, Archive("a-1-py3-none-any.whl", b"<html>log in</html>" * 3_000))


# --------------------------------------------------------------------------- metadata


def test_old_and_odd_metadata_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    metadata = (
        b"Metadata-Version: 1.2\r\nName: odd\r\nVersion: 1\r\nAuthor: Jos\xe9\r\n"
        b"Requires-Dist: six (>=1.9)\r\nRequires-Dist: click\r\n        >=7\r\n"
        b"Requires-Python: >=2.7\r\nUnknown Field\r\n\r\nRequires-Dist: in the text\r\n"
    )
    inventory = read_local(make_wheel("odd", "1", {}, metadata=metadata), tmp_path)
    assert inventory.requires_dist == ("six (>=1.9)", "click >=7")
    assert inventory.requires_python == ">=2.7"


def test_missing_fields_are_none_and_empty(tmp_path: Path) -> None:
    inventory = read_local(make_wheel("bare", "1", {}, metadata="Name: bare\n"), tmp_path)
    assert (inventory.requires_python, inventory.requires_dist) == (None, ())
    assert (inventory.provides_extra, inventory.console_scripts) == ((), ())


def test_entry_points_keep_their_case_and_ignore_comments(tmp_path: Path) -> None:
    text = "# made by hand\n[console_scripts]\nRun.It=a.b:C.d\n\n[x]\ny = z\n"
    inventory = read_local(make_wheel("e", "1", {}, entry_points=text), tmp_path)
    assert inventory.console_scripts == (("Run.It", "a.b:C.d"),)


def test_unreadable_entry_points_are_an_error(tmp_path: Path) -> None:
    archive = make_wheel("e", "1", {}, entry_points="[console_scripts]\nnonsense\n")
    with pytest.raises(WheelError, match=r"entry_points\.txt cannot be read"):
        read_local(archive, tmp_path)


# --------------------------------------------------------------------------- sampling

SOURCES = {f"pkg/m{n}.py": f"value = {n}\n" * 200 for n in range(8)}
SAMPLED = make_wheel(
    "pkg", "1", {**SOURCES, "pkg/data.bin": PAYLOAD, "pkg/last.py": "z = 1\n"}
)  # fmt: skip


class FirstBytes:
    """Asks for the first bytes of an archive, and keeps what it is given."""

    def __init__(self, *stops: int) -> None:
        self.stops = stops
        self.seen: tuple[Member, ...] = ()
        self.sources: dict[str, bytes] = {}

    def spans(self, members: Sequence[Member]) -> Sequence[tuple[int, int]]:
        self.seen = tuple(members)
        return [(0, stop) for stop in self.stops]

    def factors(self, sources: Sequence[tuple[str, bytes]]) -> tuple[float, float]:
        self.sources = dict(sources)
        return 1.25, 0.75


def sample(server: PackageServer, sampler: FirstBytes) -> Inventory:
    server.add(SAMPLED)
    with HttpClient() as client:
        return read_inventory(server.artifact(SAMPLED.filename), client, sampler=sampler)


def test_a_sampler_gets_the_sources_that_lie_within_its_spans(server: PackageServer) -> None:
    with zipfile.ZipFile(io.BytesIO(SAMPLED.content)) as wheel:
        third = wheel.getinfo("pkg/m3.py").header_offset
    sampler = FirstBytes(third + 20)  # the fourth module is cut
    inventory = sample(server, sampler)
    expected = {f"pkg/m{n}.py": SOURCES[f"pkg/m{n}.py"].encode() for n in range(3)}
    assert sampler.sources == expected
    assert {member.name for member in sampler.seen} == {entry.path for entry in inventory.entries}
    assert (inventory.bytecode_factor, inventory.slug_factor) == (1.25, 0.75)
    assert len(server.hits_of(SAMPLED.filename)) == 2


def test_spans_beyond_the_members_are_cut_and_overlapping_ones_read_once(
    server: PackageServer,
) -> None:
    sampler = FirstBytes(100, 10**9, 5_000)
    sample(server, sampler)
    assert set(sampler.sources) == {*SOURCES, "pkg/last.py"}
    assert len(server.hits_of(SAMPLED.filename)) == 2


def test_a_sampler_that_wants_nothing_costs_nothing(server: PackageServer) -> None:
    assert sample(server, FirstBytes()).bytecode_factor is None
    assert len(server.hits_of(SAMPLED.filename)) == 1


def test_a_sampler_is_served_from_what_a_poor_server_sent_whole(server: PackageServer) -> None:
    server.set_quirk(SAMPLED.filename, Quirk.NO_RANGES)
    sampler = FirstBytes(10**9)
    assert sample(server, sampler).via == "full"
    assert set(sampler.sources) == {*SOURCES, "pkg/last.py"}
    assert len(server.hits_of(SAMPLED.filename)) == 1

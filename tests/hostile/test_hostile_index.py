"""Servers that mean harm: each is ended, with one clear line and within its bounds."""

from __future__ import annotations

import gzip
import itertools
import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from slugcheck.errors import MeasureError, NetworkError, WheelError
from slugcheck.model import Artifact, IndexOptions, Inventory
from slugcheck.packages.index import http
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.inventories import Cache, Inventories
from slugcheck.packages.index.pages import Pages
from tests.support.commands import slugcheck
from tests.support.server import JSON_TYPE, PackageServer, RawServer
from tests.support.wheels import make_wheel, make_zip, metadata_text

NAME = "demo-1.0-py3-none-any.whl"
WHEEL = make_wheel("demo", "1.0", {"demo.py": "x = 1\n" * 100})
HEAD = b"HTTP/1.1 200 OK\r\n"
ENDLESS = b"x" * 65_536
# KiB that a process itself took at most; ru_maxrss begins with what its parent took
OWN_PEAK = """
with open("/proc/self/status") as lines:
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
"""
Answer = Callable[[str, Mapping[str, str]], Iterable[bytes]]

pytestmark = pytest.mark.usefixtures("plain_network")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second for what usually takes half a minute."""
    monkeypatch.setattr(http, "RATE_SECONDS", 0.4)
    monkeypatch.setattr(http, "LEAST_RATE", 10_000)


def wheel_at(url: str, *, size: int | None = None) -> Artifact:
    return Artifact(filename=NAME, url=f"{url}/{NAME}", size=size, sha256=None)


def read(url: str, *, size: int | None = None) -> Inventory:
    with HttpClient() as client:
        return Inventories(client=client, cache=Cache(None)).inventory(wheel_at(url, size=size))


def failure(server: RawServer, *, size: int | None = None) -> str:
    started = time.monotonic()
    with server, pytest.raises(MeasureError) as caught:
        read(server.url, size=size)
    assert time.monotonic() - started < 20
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --------------------------------------------------------------------------- slow and endless


def drip(*first: bytes) -> Answer:
    """Send what is given, then one byte after the other without end."""
    return lambda *_: itertools.chain(first, itertools.repeat(b"x"))


@pytest.mark.parametrize(
    "first",
    [
        (),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\n\r\n",),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 83616-99999/100000\r\n\r\n",),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 1000000\r\n\r\n",),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 1000000\r\n\r\n",),
    ],
    ids=["status", "header", "body", "endless body", "span", "redirect", "refusal"],
)
def test_a_byte_now_and_then_is_no_answer(first: tuple[bytes, ...]) -> None:
    server = RawServer(drip(*first), pause=0.02)
    assert "is too slow" in failure(server)
    assert len(server.requests) == 1


def test_chunks_of_one_byte_are_no_answer_either() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = itertools.chain([head], itertools.repeat(b"1\r\nx\r\n"))
    assert "is too slow" in failure(RawServer(lambda *_: pieces, pause=0.02))


def test_one_file_has_a_deadline_however_steadily_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FILE_SECONDS", 0.5)
    server = RawServer(
        lambda *_: itertools.chain([HEAD + b"\r\n"], itertools.repeat(ENDLESS)), pause=0.1
    )
    monkeypatch.setattr(http, "SECOND_BYTES", 10**9)
    assert "takes longer than" in failure(server)


def test_an_honest_server_that_thinks_first_is_waited_for() -> None:
    def answer(first: str, headers: Mapping[str, str]) -> Iterator[bytes]:
        time.sleep(0.3)
        yield HEAD + f"Content-Length: {len(WHEEL.content)}\r\n\r\n".encode() + WHEEL.content

    with RawServer(answer) as server:
        assert read(server.url).file_bytes == len(WHEEL.content)


@pytest.mark.parametrize(
    "piece",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000,
        HEAD + b"X-Long: y\r\n" * 90 + b"X-Longer: " + b"y" * 60_000 + b"\r\n",
    ],
    ids=["100 Continue", "headers"],
)
def test_what_comes_before_a_body_has_an_end(piece: bytes) -> None:
    pieces = (b"HTTP/1.1 302 Found\r\nLocation: /on\r\n\r\n",) if b"302" in piece else ()
    assert failure(RawServer(lambda *_: itertools.chain(pieces, itertools.repeat(piece))))


@pytest.mark.parametrize("encoding", [b"", b"Content-Encoding: gzip\r\n"])
@pytest.mark.parametrize("status", [b"302 Found\r\nLocation: /on", b"503 Busy"])
def test_the_body_of_a_redirect_or_refusal_is_not_kept(status: bytes, encoding: bytes) -> None:
    head = b"HTTP/1.1 " + status + b"\r\n" + encoding + b"\r\n"
    bomb = gzip.compress(bytes(10**7))
    sent = itertools.chain([head], itertools.repeat(bomb if encoding else ENDLESS))
    assert "besides the file" in failure(RawServer(lambda *_: sent))


def test_a_run_receives_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_RUN", 10**6)
    sent = itertools.chain([HEAD + b"\r\n"], itertools.repeat(ENDLESS))
    assert "were received in this run" in failure(RawServer(lambda *_: sent))


# --------------------------------------------------------------------------- lengths that lie

DIGITS = b"9" * 5_000


@pytest.mark.parametrize(
    "value",
    [
        b"bytes 0-" + DIGITS + b"/" + DIGITS,
        b"bytes " + DIGITS + b"-" + DIGITS + b"/*",
        b"bytes 0-1/" + DIGITS,
        b"bytes -5--1/-4",
        b"bytes 5-1/10",
        b"bytes 0-\xb2/\xb3",
        b"bytes 0-0/0",
        b"bytes */*",
        b"bytes 0-18446744073709551615/18446744073709551616",
        b"pages 0-1/2",
        b"",
    ],
)
@pytest.mark.parametrize("size", [None, len(WHEEL.content)])
def test_a_content_range_of_no_sense_leads_to_the_whole_file(
    value: bytes, size: int | None
) -> None:
    def answer(first: str, headers: Mapping[str, str]) -> Iterator[bytes]:
        if "range" in headers:
            head = b"HTTP/1.1 206 Partial Content\r\nContent-Range: " + value
            yield head + b"\r\nContent-Length: 4\r\n\r\nbody"
        else:
            yield HEAD + f"Content-Length: {len(WHEEL.content)}\r\n\r\n".encode() + WHEEL.content

    with RawServer(answer) as server:
        found = read(server.url, size=size)
    assert (found.via, found.file_bytes) == ("full", len(WHEEL.content))


@pytest.mark.parametrize("length", [DIGITS, b"9" * 30, b"-1", b"\xb2", b"0x10", b"1" * 4_301])
def test_a_content_length_of_no_sense_is_one_line(length: bytes) -> None:
    def answer(*_: object) -> Iterator[bytes]:
        yield HEAD + b"Content-Length: " + length + b"\r\n\r\n" + b"no wheel"

    assert failure(RawServer(answer))


def test_a_server_may_not_say_when_to_come_back_in_five_thousand_digits() -> None:
    def answer(*_: object) -> Iterator[bytes]:
        yield b"HTTP/1.1 429 Later\r\nContent-Length: 0\r\nRetry-After: " + DIGITS + b"\r\n\r\n"

    assert "limits the rate of requests" in failure(RawServer(answer))


# --------------------------------------------------------------------------- pages


def page(body: Iterable[bytes], kind: str = JSON_TYPE, more: bytes = b"") -> Answer:
    head = HEAD + f"Content-Type: {kind}\r\n".encode() + more + b"\r\n"
    return lambda *_: itertools.chain([head], body)


def listing(server: RawServer) -> str:
    with server, HttpClient() as client, pytest.raises(NetworkError) as caught:
        Pages(client, IndexOptions(index_url=f"{server.url}/simple/")).files("demo")
    return str(caught.value)


def test_a_page_without_end_is_not_read_on() -> None:
    assert "the limit is" in listing(RawServer(page(itertools.repeat(ENDLESS))))


@pytest.mark.parametrize("layers", [1, 2])
def test_a_page_that_unpacks_without_end_is_not_unpacked(layers: int) -> None:
    body = bytes(4 * 10**7)
    for _ in range(layers):
        body = gzip.compress(body)
    encoding = b"Content-Encoding: " + b", ".join([b"gzip"] * layers) + b"\r\n"
    said = listing(RawServer(page([body], more=encoding)))
    assert "decompresses to more than" in said or "the limit is" in said


FILE = '{"filename":"demo-1.0.tar.gz","url":"demo-1.0.tar.gz","hashes":{}}'
FILES = '{"meta":{"api-version":"1.0"},"name":"demo","files":['
PAGES = {
    "nested lists": (JSON_TYPE, "[" * 100_000),
    "nested tables": (JSON_TYPE, '{"a":' * 100_000),
    "files": (JSON_TYPE, FILES + f"{FILE}," * 60_000 + FILE + "]}"),
    "no files": (JSON_TYPE, FILES + "0," * 60_000 + "0]}"),
    "version": (JSON_TYPE, FILES.replace("1.0", "9" * 5_000) + "]}"),
    "number": (JSON_TYPE, "9" * 5_000),
    "links": ("text/html", '<a href="demo-1.0.tar.gz">demo-1.0.tar.gz</a>' * 60_000),
    "comments": ("text/html", "<!--" * 200_000),
    "entities": ("text/html", "&#" * 1_000_000),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_too_many_parts_is_refused_in_no_time(name: str) -> None:
    kind, text = PAGES[name]
    started = time.process_time()
    assert listing(RawServer(page([text.encode()], kind)))
    assert time.process_time() - started < 15


def test_a_link_of_too_many_attributes_is_passed_over() -> None:
    body = b"<a " + b"b " * 1_000_000 + b'>x</a><a href="demo-1.0.tar.gz">demo-1.0.tar.gz</a>'
    with RawServer(page([body], "text/html")) as server, HttpClient() as client:
        pages = Pages(client, IndexOptions(index_url=f"{server.url}/simple/"))
        assert len(pages.files("demo")) == 1


def test_a_charset_that_nobody_knows_stops_nothing() -> None:
    body = b'<a href="demo-1.0.tar.gz">demo-1.0.tar.gz</a>'
    with RawServer(page([body], "text/html; charset=rot-26")) as server, HttpClient() as client:
        pages = Pages(client, IndexOptions(index_url=f"{server.url}/simple/"))
        assert len(pages.files("demo")) == 1


# --------------------------------------------------------------------------- wheels


def serve(content: bytes) -> Answer:
    """Answer ranges as they are asked for."""

    def answer(first: str, headers: Mapping[str, str]) -> Iterator[bytes]:
        wanted = headers.get("range", "").removeprefix("bytes=")
        low, _, high = wanted.partition("-")
        start = int(low) if low else max(0, len(content) - int(high or len(content)))
        stop = min(len(content), int(high) + 1) if low and high else len(content)
        status = f"206 Partial Content\r\nContent-Range: bytes {start}-{stop - 1}/{len(content)}"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {stop - start}\r\n\r\n"
        yield head.encode() + content[start:stop]

    return answer


def with_claimed_entries(count: int) -> bytes:
    """A ZIP archive of empty files, made without zipfile, which takes seconds for so many."""
    name = b"%06d"
    entry = struct.Struct("<4s6H3L5H2L")
    rows = b"".join(
        entry.pack(b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, n) + name % n
        for n in range(count)
    )
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(rows), count)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, count + len(rows), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    return bytes(count) + rows + end64 + locator + end


def test_a_wheel_of_300_000_files_is_refused_by_its_end_record() -> None:
    server = RawServer(serve(with_claimed_entries(300_000)))
    assert "claims 300,000 files" in failure(server)
    assert len(server.requests) == 1


def wheel_with(text: str, entry_points: str = "") -> bytes:
    return make_zip({
        "demo-1.0.dist-info/METADATA": text.encode(),
        "demo-1.0.dist-info/entry_points.txt": entry_points.encode(),
    })  # fmt: skip


PLAIN = metadata_text("demo", "1.0", (), {}, None)


WHEELS = {
    "larger than": wheel_with("X: y\n" * 500_000),
    "11,000 Requires-Dist": wheel_with("Requires-Dist: a\n" * 11_000),
    "11,000 Provides-Extra": wheel_with("Provides-Extra: a\n" * 11_000),
    "entry_points.txt is larger": wheel_with(PLAIN, "x" * 2_100_000),
    "11,000 console_scripts": wheel_with(
        PLAIN, "[console_scripts]\n" + "".join(f"a{n}=b:c\n" for n in range(11_000))
    ),
    "1,001 scripts": make_zip(
        {
            **{f"demo-1.0.data/scripts/{n}": b"" for n in range(1_001)},
            "demo-1.0.dist-info/METADATA": b"",
        }
    ),
    "5,000 bytes": make_zip({"x" * 5_000: b"", "demo-1.0.dist-info/METADATA": b""}),
}


@pytest.mark.parametrize("said", WHEELS)
def test_metadata_that_no_real_wheel_has_is_refused(said: str) -> None:
    assert said in failure(RawServer(serve(WHEELS[said])))


def test_parts_within_parts_of_metadata_are_not_followed() -> None:
    nested = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3_000)
    )
    with RawServer(serve(wheel_with(f"Name: demo\nVersion: 1\n{nested}"))) as server:
        assert read(server.url).dist_info == "demo-1.0.dist-info"


def test_a_run_sizes_so_many_files_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slugcheck.packages.index.inventories.MAX_FILES", 10)
    with PackageServer() as server, HttpClient() as client:
        inventories = Inventories(client=client, cache=Cache(None))
        first, second, third = (
            server.add_wheel(name, "1.0", {f"{name}/{n}.py": "" for n in range(2)}).filename
            for name in "abc"
        )
        for filename in (first, second, first, second):  # the same wheel again counts once
            inventories.inventory(server.artifact(filename))
        with pytest.raises(WheelError, match="more than 10 files"):
            inventories.inventory(server.artifact(third))


# --------------------------------------------------------------------------- the whole command


def test_a_direct_url_that_drips_is_exit_3_and_one_line(
    private_caches: Path, requirements: Callable[..., Path]
) -> None:
    with RawServer(drip(b"HTTP/1.1 200 OK\r\n\r\n"), pause=0.02) as server:
        done = slugcheck(requirements(f"demo @ {server.url}/{NAME}\n"), "--python", "3.12")
    assert done.code == 3
    assert "Traceback" not in done.err
    assert "is too slow" in done.err + done.out


@pytest.mark.slow
def test_eight_huge_wheels_of_a_lock_stay_within_half_a_gigabyte(
    private_caches: Path, requirements: Callable[..., Path]
) -> None:
    content = with_claimed_entries(50_000)
    locked = '[[packages]]\nname = "x{n}"\nversion = "1"\n[[packages.wheels]]\nurl = "{url}/{n}/x{n}-1-py3-none-any.whl"\nhashes = {{ sha256 = "{hash}" }}\n'  # noqa: E501
    with RawServer(serve(content)) as server:
        rows = [locked.format(n=n, url=server.url, hash="ab" * 32) for n in range(8)]
        head = 'lock-version = "1.0"\ncreated-by = "somebody"\n'
        path = requirements(head + "\n".join(rows), "pylock.toml")
        code = (
            "import sys; from slugcheck.cli import run; code = run(sys.argv[1:])\n"
            f"{OWN_PEAK}print(peak, code, file=sys.stderr)"
        )
        command = [sys.executable, "-c", code, str(path), "--python", "3.12", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    peak, exit_code = map(int, done.stderr.split()[-2:])
    assert exit_code == 3, done.stderr
    assert peak < 500_000
    assert done.stdout, done.stderr
    assert json.loads(done.stdout)["unsized"]


@pytest.mark.slow
def test_a_source_that_takes_the_compiler_a_gigabyte_does_not_get_it(tmp_path: Path) -> None:
    """Compressed it is small enough to be looked into; compiling it takes a gigabyte."""
    bomb = "x = [" + "[]," * 1_500_000 + "]\n"
    files = {f"demo/m{n}.py": bomb for n in range(2)}
    archive = make_wheel("demo", "1.0", files)
    path = tmp_path / archive.filename
    path.write_bytes(archive.content)
    code = (
        "import resource, sys\n"
        "from slugcheck.packages.index.inventories import Cache\n"
        "from slugcheck.packages.index.client import HttpClient\n"
        "from slugcheck.packages.index.inventories import Inventories\n"
        "from slugcheck.model import Artifact\n"
        "url, name = sys.argv[1:]\n"
        "with HttpClient() as client:\n"
        "    found = Artifact(filename=name, url=url, size=None, sha256=None)\n"
        "    Inventories(client=client, cache=Cache(None)).inventory(found)\n"
        f"{OWN_PEAK}print(peak + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    command = [sys.executable, "-c", code, path.as_uri(), archive.filename]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) < 700_000

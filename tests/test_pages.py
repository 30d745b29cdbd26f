"""Project pages and what pip would take of them, asked of a real index on the loopback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from slugcheck.errors import NetworkError, UsageError
from slugcheck.model import IndexOptions
from slugcheck.packages.index.choice import (
    Chooser,
    likeness,
    nearest_wheel,
    platforms_of,
    pythons_with_wheels,
)
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.pages import FileKind, Pages, ProjectFile, cutoff
from tests.support.server import PackageServer, Quirk
from tests.support.wheels import make_sdist, make_wheel

LINUX = "manylinux_2_17_x86_64"


@pytest.fixture
def server() -> Iterator[PackageServer]:
    with PackageServer() as running:
        yield running


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient() as open_client:
        yield open_client


def tags_for(minor: str) -> list[Tag]:
    version = tuple(int(part) for part in minor.split("."))
    platforms = [f"manylinux_2_{n}_x86_64" for n in range(39, 16, -1)] + ["linux_x86_64"]
    interpreter = f"cp{minor.replace('.', '')}"
    return [
        *cpython_tags(version, platforms=platforms),
        *compatible_tags(version, interpreter=interpreter, platforms=platforms),
    ]


def chooser(minor: str = "3.11", options: IndexOptions | None = None) -> Chooser:
    return Chooser(tuple(tags_for(minor)), f"{minor}.4", options or IndexOptions())


def file(filename: str, *, yanked: bool = False, python: str | None = None) -> ProjectFile:
    """A file as a page lists it, from its name alone."""
    build: tuple[int, str] | tuple[()] = ()
    tags: frozenset[Tag] = frozenset()
    if filename.endswith(".whl"):
        _, version, build, tags = parse_wheel_filename(filename)
    else:
        version = Version(filename.removesuffix(".tar.gz").rpartition("-")[2])
    return ProjectFile(
        filename=filename,
        url=f"https://files.example/{filename}",
        version=version,
        kind=FileKind.WHEEL if tags else FileKind.SDIST,
        size=None,
        sha256=None,
        requires_python=python,
        yanked=yanked,
        tags=tags,
        build=build,
    )


def chosen(
    files: Sequence[ProjectFile], specifier: str = "", *, using: Chooser | None = None
) -> str | None:
    found = (using or chooser()).pip_choice("demo", files, SpecifierSet(specifier))
    return found.filename if found else None


# --------------------------------------------------------------------------- pages


@pytest.mark.parametrize("api", ["json", "html"])
def test_files_are_read_from_both_kinds_of_page(client: HttpClient, api: str) -> None:
    with PackageServer(api=api) as server:
        wheel = server.add_wheel("Some.Demo", "1.0", {"d.py": ""}, requires_python=">=3.8")
        server.add(make_sdist("some-demo", "1.1rc1", {}), yanked="broken")
        files = Pages(client, IndexOptions(index_url=server.index_url)).files("some_demo")
        by_version = {str(file.version): file for file in files}
        assert client.get(by_version["1.0"].url) == wheel.content
    assert by_version["1.0"].filename == wheel.filename
    assert by_version["1.0"].sha256 == wheel.sha256
    assert by_version["1.0"].requires_python == ">=3.8"
    assert by_version["1.0"].kind is FileKind.WHEEL
    assert Tag("py3", "none", "any") in by_version["1.0"].tags
    assert by_version["1.0"].size == (len(wheel.content) if api == "json" else None)
    assert not by_version["1.0"].yanked
    assert by_version["1.1rc1"].kind is FileKind.SDIST
    assert by_version["1.1rc1"].yanked


def test_a_page_is_asked_for_once_and_unknown_projects_have_no_files(
    server: PackageServer, client: HttpClient
) -> None:
    server.add_wheel("demo", "1.0", {})
    pages = Pages(client, IndexOptions(index_url=server.index_url))
    pages.prefetch(["demo", "unknown"])
    assert len(pages.files("demo")) == len(pages.files("DEMO")) == 1
    assert pages.files("unknown") == ()
    assert sorted(hit.path for hit in server.hits) == ["/simple/demo/", "/simple/unknown/"]


def test_all_indexes_are_merged_and_the_first_has_the_say(
    server: PackageServer, client: HttpClient
) -> None:
    same = server.add_wheel("demo", "1.0", {})
    with PackageServer() as other:
        other.add(same)
        other.add_wheel("demo", "2.0", {})
        options = IndexOptions(index_url=server.index_url, extra_index_urls=(other.index_url,))
        files = Pages(client, options).files("demo")
    assert [(str(f.version), f.url.startswith(server.url)) for f in files] == [
        ("1.0", True),
        ("2.0", False),
    ]


def test_an_index_that_refuses_one_project_is_stepped_over_while_another_has_it(
    server: PackageServer, client: HttpClient
) -> None:
    server.add_wheel("demo", "1.0", {})
    with PackageServer(quirk=Quirk.FORBIDDEN) as other:
        options = IndexOptions(index_url=server.index_url, extra_index_urls=(other.index_url,))
        pages = Pages(client, options)
        assert len(pages.files("demo")) == 1
        with pytest.raises(NetworkError, match="403"):
            pages.files("elsewhere")


def test_trouble_is_a_network_error_without_secrets(
    server: PackageServer, client: HttpClient
) -> None:
    server.set_quirk("demo", Quirk.ERROR_ALWAYS)
    secret = server.index_url.replace("http://", "http://me:hunter2@")
    pages = Pages(client, IndexOptions(index_url=secret))
    pages.prefetch(["demo"])
    with pytest.raises(NetworkError) as caught:
        pages.files("demo")
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.hint


def test_a_private_index_is_asked_with_its_credentials(client: HttpClient) -> None:
    with PackageServer(auth=("me", "hunter2")) as server:
        server.add_wheel("demo", "1.0", {})
        options = IndexOptions(index_url=server.index_url_with_credentials)
        (found,) = Pages(HttpClient(index=options), options).files("demo")
    assert "hunter2" not in repr(found)


class _Answers(BaseHTTPRequestHandler):
    body = b""
    kind = "text/html"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[tuple[str, type[_Answers]]]:
    """A server whose every answer is the handler's ``body``."""
    handler = type("Answers", (_Answers,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/", handler
        http.shutdown()


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"name": "demo"}', b'{"meta": {"api-version": "9.0"}, "name": "d"}']
)
def test_what_is_no_page_is_a_network_error(
    client: HttpClient, answering: tuple[str, type[_Answers]], body: bytes
) -> None:
    url, handler = answering
    handler.body, handler.kind = body, "application/vnd.pypi.simple.v1+json"
    with pytest.raises(NetworkError, match="is not a page of a package index"):
        Pages(client, IndexOptions(index_url=url)).files("demo")


def test_an_index_somewhat_newer_than_we_know_is_read_in_silence(
    client: HttpClient, answering: tuple[str, type[_Answers]]
) -> None:
    url, handler = answering
    handler.body = (
        b'<meta name="pypi:repository-version" content="1.99"><a href="demo-1.0.tar.gz">x</a>'
    )
    assert len(Pages(client, IndexOptions(index_url=url)).files("demo")) == 1


def test_a_flat_page_lists_many_projects_under_any_text(
    client: HttpClient, answering: tuple[str, type[_Answers]]
) -> None:
    url, handler = answering
    handler.body = (
        b'<a href="cu118/demo-2.0%2Bcu118-py3-none-any.whl">cu118/demo-2.0</a>'
        b'<a href="demo-1.0.tar.gz#sha256=abcd">source</a><a href="demo-extra-1.0.tar.gz">x</a>'
        b'<a href="../">up</a><a href="demo-1.0.exe">setup</a><a href="demo-x-y.tar.gz">odd</a>'
    )
    options = IndexOptions(no_index=True, find_links=(url,))
    pages = Pages(client, options)
    files = {file.filename: file for file in pages.files("demo")}
    assert set(files) == {"demo-2.0+cu118-py3-none-any.whl", "demo-1.0.tar.gz"}
    assert files["demo-1.0.tar.gz"].sha256 == "abcd"
    assert files["demo-2.0+cu118-py3-none-any.whl"].version == Version("2.0+cu118")
    assert [file.filename for file in pages.files("demo-extra")] == ["demo-extra-1.0.tar.gz"]


def test_folders_and_local_indexes_are_read_in_place(tmp_path: Path, client: HttpClient) -> None:
    wheel = make_wheel("demo", "1.0", {})
    links, simple = tmp_path / "links", tmp_path / "simple" / "demo"
    for folder in (links, simple):
        folder.mkdir(parents=True)
        (folder / wheel.filename).write_bytes(wheel.content)
    newer = make_sdist("demo", "2.0", {})
    (simple / newer.filename).write_bytes(newer.content)
    (simple / "index.html").write_text(f'<a href="{newer.filename}">{newer.filename}</a>')
    for place in (str(links), links.as_uri(), str(links / wheel.filename)):
        (found,) = Pages(client, IndexOptions(no_index=True, find_links=(place,))).files("demo")
        assert (found.filename, found.size) == (wheel.filename, len(wheel.content))
        assert client.get(found.url) == wheel.content
    pages = Pages(client, IndexOptions(index_url=simple.parent.as_uri()))
    (found,) = pages.files("demo")
    assert client.get(found.url) == newer.content
    assert pages.files("absent") == ()
    assert client.transfer().requests == 0


def test_files_newer_than_the_cutoff_do_not_exist(
    client: HttpClient, answering: tuple[str, type[_Answers]]
) -> None:
    url, handler = answering
    handler.kind = "application/vnd.pypi.simple.v1+json"
    times = {"1.0": "2020-01-01T10:00:00Z", "2.0": "2020-01-02T00:00:00.5Z", "3.0": None}
    entries = ",".join(
        f'{{"filename": "demo-{version}.tar.gz", "url": "demo-{version}.tar.gz", "hashes": {{}}'
        + (f', "upload-time": "{time}"}}' if time else "}")
        for version, time in times.items()
    )
    handler.body = (
        f'{{"meta": {{"api-version": "1.1"}}, "name": "demo", "files": [{entries}], '
        '"versions": ["1.0", "2.0", "3.0"]}'
    ).encode()
    options = IndexOptions(index_url=url)
    limited = Pages(client, options, exclude_newer=cutoff("2020-01-02T00:00:00Z"))
    assert [str(file.version) for file in limited.files("demo")] == ["1.0"]
    assert len(Pages(client, options).files("demo")) == 3


def test_a_date_alone_counts_as_a_whole_day() -> None:
    assert cutoff("2020-01-01T00:00:00+00:00") == datetime(2020, 1, 1, tzinfo=UTC)
    assert cutoff("2020-01-01") == datetime(2020, 1, 2).astimezone()
    with pytest.raises(UsageError, match="neither a date nor a timestamp"):
        cutoff("last week")


# --------------------------------------------------------------------------- pip's choice


def test_a_wheel_goes_before_the_source_of_its_version_but_not_before_a_newer_one() -> None:
    wheel, source = file("demo-1.0-py3-none-any.whl"), file("demo-1.0.tar.gz")
    assert chosen([source, wheel]) == wheel.filename
    newer = file("demo-2.0.tar.gz")
    assert chosen([source, wheel, newer]) == newer.filename
    prefer = chooser(options=IndexOptions(prefer_binary=True))
    assert chosen([source, wheel, newer], using=prefer) == wheel.filename


def test_of_several_wheels_the_most_fitting_is_taken() -> None:
    names = [
        f"demo-1.0-cp311-cp311-{LINUX}.whl",
        "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        "demo-1.0-py3-none-any.whl",
        "demo-1.0-1-py3-none-any.whl",
        "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
        "demo-1.0-cp311-cp311-win_amd64.whl",
    ]
    assert chosen([file(name) for name in names]) == names[1]
    assert chosen([file(name) for name in names[2:4]]) == names[3]
    assert chosen([file(name) for name in names[4:]]) is None


def test_yanked_files_count_only_when_pinned_and_nothing_else_is_left() -> None:
    yanked, plain = file("demo-2.0.tar.gz", yanked=True), file("demo-1.0.tar.gz")
    assert chosen([yanked, plain]) == plain.filename
    assert chosen([yanked, plain], ">=2") is None
    assert chosen([yanked, plain], "==2.*") is None
    assert chosen([yanked, plain], "==2.0") == yanked.filename
    wheel = file("demo-2.0-py3-none-any.whl", yanked=True)
    assert chosen([wheel, file("demo-2.0.tar.gz")], "==2.0") == "demo-2.0.tar.gz"


def test_requires_python_sees_the_whole_version() -> None:
    files = [file("demo-2.0.tar.gz", python=">=3.11.5"), file("demo-1.0.tar.gz", python="bad")]
    assert chosen(files) == "demo-1.0.tar.gz"
    later = Chooser(tuple(tags_for("3.11")), "3.11.5")
    assert chosen(files, using=later) == "demo-2.0.tar.gz"


def test_prereleases_need_a_reason() -> None:
    pre, final = file("demo-2.0rc1.tar.gz"), file("demo-1.0.tar.gz")
    assert chosen([pre, final]) == final.filename
    assert chosen([pre, final], ">=2.0rc1") == pre.filename
    assert chosen([pre]) == pre.filename
    assert (
        chosen([pre, final], using=chooser(options=IndexOptions(prerelease=True))) == pre.filename
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (IndexOptions(no_binary=("Demo",)), "demo-1.0.tar.gz"),
        (IndexOptions(no_binary=(":all:",)), "demo-1.0.tar.gz"),
        (IndexOptions(only_binary=(":all:",)), "demo-0.9-py3-none-any.whl"),
        (IndexOptions(no_binary=("other",)), "demo-1.0.tar.gz"),
        (IndexOptions(no_binary=(":all:",), only_binary=("demo",)), "demo-0.9-py3-none-any.whl"),
        (IndexOptions(no_binary=("demo",), only_binary=(":all:",)), "demo-1.0.tar.gz"),
    ],
)
def test_formats_can_be_forbidden(options: IndexOptions, expected: str) -> None:
    files = [file("demo-1.0.tar.gz"), file("demo-0.9-py3-none-any.whl"), file("demo-0.9.tar.gz")]
    assert chosen(files, using=chooser(options=options)) == expected


def test_best_for_is_the_choice_of_one_version() -> None:
    files = [file("demo-1.0.tar.gz"), file("demo-2.0.tar.gz", yanked=True)]
    found = chooser().best_for("demo", files, Version("2.0"))
    assert found is not None
    assert found.filename == "demo-2.0.tar.gz"
    assert chooser().best_for("demo", files, Version("3.0")) is None


# --------------------------------------------------------------------------- what comes near


def test_pythons_with_wheels() -> None:
    files = [
        file(f"demo-1.0-cp39-cp39-{LINUX}.whl"),
        file(f"demo-1.0-cp310-abi3-{LINUX}.whl", python="<3.12"),
        file("demo-1.0-cp313-cp313-win_amd64.whl"),
        file("demo-2.0-py3-none-any.whl"),
    ]
    minors = ["3.9", "3.10", "3.11", "3.12", "3.13"]
    found = pythons_with_wheels(files, Version("1.0"), minors, tags_for)
    assert found == ("3.9", "3.10", "3.11")


@pytest.mark.parametrize(
    ("platforms", "words"),
    [
        ([], ""),
        (["any"], "any platform"),
        (["win32", "win_amd64"], "Windows only"),
        (["macosx_11_0_arm64", "win_amd64"], "macOS and Windows only"),
        ([LINUX, "macosx_11_0_arm64", "win32"], "Linux, macOS and Windows"),
        (["manylinux2014_aarch64"], "Linux on aarch64 only"),
    ],
)
def test_platforms_in_words(platforms: list[str], words: str) -> None:
    files = [file(f"demo-1.0-py3-none-{platform}.whl") for platform in platforms]
    assert platforms_of([*files, file("demo-1.0.tar.gz")], Version("1.0")) == words


def nearest(*names: str, version: str = "1.5", minor: str = "3.13") -> str | None:
    files = [file(name) for name in names]
    found = nearest_wheel(files, Version(version), tags_for(minor))
    return found.filename if found else None


def test_the_nearest_wheel() -> None:
    old = f"demo-1.5-cp310-cp310-{LINUX}.whl"
    near = f"demo-1.5-cp312-cp312-{LINUX}.whl"
    musl = "demo-1.5-cp313-cp313-musllinux_1_2_x86_64.whl"
    newer = f"demo-1.6-cp313-cp313-{LINUX}.whl"
    older = f"demo-1.4-cp39-cp39-{LINUX}.whl"
    never = ["demo-1.5-cp313-cp313-win_amd64.whl", "demo-1.5-cp313-cp313-manylinux2014_aarch64.whl"]
    pure = "demo-1.5-py3-none-any.whl"
    everything = [old, near, musl, newer, older, *never, pure, "demo-1.5.tar.gz"]
    for best in (near, old, musl, newer, older):
        assert nearest(*everything) == best
        everything.remove(best)
    assert nearest(*everything) is None


def test_a_wheel_for_the_stable_abi_is_as_near_as_one_for_the_python() -> None:
    stable = f"demo-1.5-cp37-abi3-{LINUX}.whl"
    assert nearest(f"demo-1.5-cp312-cp312-{LINUX}.whl", stable) == stable


def test_the_further_the_wheel_the_wider_the_interval() -> None:
    files = [file(f"demo-{n}.0-cp312-cp312-{LINUX}.whl") for n in range(1, 9)]
    musl = file("demo-1.0-cp312-cp312-musllinux_1_2_x86_64.whl")
    widths = []
    for wheel in (files[0], musl, files[3], files[7]):
        found = likeness(wheel, files, Version("1.0"))
        assert found.low_factor < 1 < found.high_factor
        widths.append(found.high_factor - found.low_factor)
    assert widths == sorted(set(widths))
    assert likeness(files[7], files, Version("1.0")).words == "the wheel of version 8.0"
    assert likeness(files[0], files, Version("1.0")).words == "its wheel for cp312"

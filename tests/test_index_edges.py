"""Edges of the index: how a refusal is called, how long an exchange may take, what is near."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
import requests
from packaging.tags import Tag
from packaging.version import Version
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from slugcheck.errors import NetworkError
from slugcheck.model import Artifact, IndexOptions
from slugcheck.packages.index import choice, http, urls
from slugcheck.packages.index.choice import Chooser, likeness, nearest_wheel, platforms_of
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.http import Allowance, Exchange, Meter
from slugcheck.packages.index.pages import Listed, Pages, ProjectFile, _project_file
from tests.support.server import PackageServer

# --------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("status", "authorized", "sentence", "hint"),
    [
        (401, False, "h.example requires a user name and password", "put them in the index URL"),
        (401, True, "h.example rejects the credentials", "correct the user name and password"),
        (403, False, "h.example refuses access", "a private index needs credentials"),
        (403, True, "h.example rejects the credentials", "correct the user name and password"),
        (404, False, "h.example does not have this file", "resolve again"),
        (404, True, "h.example does not have this file", "resolve again"),
        (410, True, "h.example does not have this file", "resolve again"),
        (407, True, "the proxy requires credentials", "HTTPS_PROXY"),
        (429, True, "h.example limits the rate of requests", "wait a minute"),
        (499, False, "h.example refuses to send this file", "check the URL"),
        (500, False, "h.example failed repeatedly", "try again later"),
        (503, True, "h.example failed repeatedly", "try again later"),
        (302, False, "h.example refuses to send this file", "check the URL"),
    ],
)
def test_a_refusal_is_called_what_it_is(
    status: int, authorized: bool, sentence: str, hint: str
) -> None:
    error = urls.refused("https://u:p@h.example/x.whl?k=1#f", status, authorized=authorized)
    assert str(error) == f"{sentence} ({status}): https://h.example/x.whl?…"
    assert (error.hint or "").startswith(hint) or hint in (error.hint or "")
    assert error.status == status


def wrapped(reason: object) -> requests.ConnectionError:
    """As requests wraps what urllib3 gave up with."""
    return requests.ConnectionError(MaxRetryError(HTTPConnectionPool("h"), "/", reason))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "sentence", "hint"),
    [
        (requests.exceptions.ProxyError(), "the proxy for h.example does not work",
         "check HTTPS_PROXY and NO_PROXY"),
        (requests.exceptions.SSLError(), "the certificate of h.example cannot be verified",
         "set REQUESTS_CA_BUNDLE to your organisation's certificates, or accept the risk with "
         "--trusted-host h.example"),
        (requests.TooManyRedirects(), "h.example redirects endlessly", "check the URL"),
        (wrapped(NameResolutionError("h", HTTPConnection("h"), socket.gaierror())),
         "the name h.example cannot be resolved", "check its spelling and the network"),
        (wrapped(ConnectTimeoutError()), "h.example did not answer in time",
         "try again, or check the network and proxy"),
        (requests.ReadTimeout(ReadTimeoutError(HTTPConnectionPool("h"), "/", "m")),
         "h.example did not answer in time", "try again, or check the network and proxy"),
        (wrapped(NewConnectionError(HTTPConnection("h"), "refused")),
         "h.example cannot be reached, or it closes the connection",
         "check the network; set HTTPS_PROXY if you use a proxy"),
        (requests.ConnectionError(), "h.example cannot be reached, or it closes the connection",
         "check the network; set HTTPS_PROXY if you use a proxy"),
        (requests.exceptions.InvalidURL(), "this URL cannot be fetched", "check its spelling"),
        (ValueError("a redirect to no URL"), "this URL cannot be fetched", "check its spelling"),
    ],
)  # fmt: skip
def test_why_there_is_no_answer_is_one_sentence_with_a_hint(
    error: Exception, sentence: str, hint: str
) -> None:
    with (
        pytest.raises(NetworkError) as raised,
        http.explained("https://u:p@h.example/x.whl?k=1"),
    ):
        raise error
    assert str(raised.value) == f"{sentence}: https://h.example/x.whl?…"
    assert raised.value.hint == hint


@pytest.mark.parametrize("kind", ["none", "text"])
def test_certificates_that_cannot_be_read_name_their_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "bundle.pem"
    if kind == "text":
        path.write_text("no certificate")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))
    with pytest.raises(NetworkError) as raised:
        http.tls_context()
    assert str(raised.value).startswith(f"cannot read the certificates in CURL_CA_BUNDLE: {path}: ")
    assert (
        raised.value.hint == "correct CURL_CA_BUNDLE, or unset it to use the system's certificates"
    )


def test_a_file_that_is_gone_is_not_blamed_on_the_credentials_that_were_sent() -> None:
    with PackageServer(auth=("me", "right")) as server:
        index = server.index_url_with_credentials
        gone = Artifact(
            filename="gone.whl", url=server.file_url("gone.whl"), size=9, sha256=None
        )  # fmt: skip
        with HttpClient(index=IndexOptions(index_url=index)) as client:
            with pytest.raises(NetworkError, match="does not have this file"):
                client.get(gone.url)
            with client.open_file(gone) as file, pytest.raises(NetworkError) as raised:
                file.span(0, 9)
            assert "does not have this file (404)" in str(raised.value)
        wrong = index.replace("right", "wrong")
        with HttpClient(index=IndexOptions(index_url=wrong)) as client:
            with client.open_file(gone) as file, pytest.raises(NetworkError) as raised:
                file.span(0, 9)
            assert "rejects the credentials (401)" in str(raised.value)
        assert all(hit.authorized for hit in server.hits)


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("HTTPS://U:P@Host.Example:443/x", "host.example", "https://host.example"),
        ("http://h:80", "h", "http://h"),
        ("http://h:443", "h:443", "http://h:443"),
        ("https://h:80", "h:80", "https://h:80"),
        ("https://h:4430", "h:4430", "https://h:4430"),
        ("https://a@b@h/", "h", "https://h"),
    ],
)
def test_hosts_and_origins(url: str, host: str, origin: str) -> None:
    assert (urls.host_of(url), urls.origin_of(url)) == (host, origin)


@pytest.mark.parametrize(
    ("url", "named", "counts"),
    [
        ("https://h/x", (), True),
        ("https://h:8443/x", (), False),
        ("http://h/x", (), False),
        ("http://h/x", ("http://h",), True),
        ("https://h:8443/x", ("https://h:8443",), True),
        ("https://h:8443/x", ("https://h",), False),
    ],
)
def test_netrc_is_for_the_hosts_own_server(url: str, named: Sequence[str], counts: bool) -> None:
    assert urls.netrc_counts(url, named) is counts


def test_credentials_are_split_off_and_decoded() -> None:
    assert urls.split_credentials("https://a%40b:p%2F@h/x?q") == (
        "https://h/x?q", ("a@b", "p/"),
    )  # fmt: skip
    assert urls.split_credentials("https://t@h/") == ("https://h/", ("t", ""))
    assert urls.split_credentials("https://h/a@b") == ("https://h/a@b", None)
    both = ["https://h/1", "https://u:1@h/", "https://u:2@h/", "http://u:3@h/"]
    assert urls.credentials_in(both) == {"https://h": ("u", "1"), "http://h": ("u", "3")}
    with pytest.raises(NetworkError, match="is not a URL"):
        urls.host_of("https://[::1/")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a%20b/c", "/a b/c"), ("FILE://localhost/x", "/x"), ("/x/y", "/x/y"),
        ("file://other/x", None), ("https://h/x", None), ("x/y", None),
    ],
)  # fmt: skip
def test_local_files(url: str, path: str | None) -> None:
    assert urls.local_path(url) == (Path(path) if path else None)


def test_local_files_are_read_from_the_folders_that_are_allowed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in" / "x.whl", tmp_path / "out" / "x.whl"
    for path in (inside, outside):
        path.parent.mkdir()
        path.write_bytes(b"content")
    with HttpClient() as anywhere:
        assert anywhere.admits(outside)
        assert anywhere.get(outside.as_uri()) == b"content"
    with HttpClient(local=[inside.parent]) as client:
        assert client.admits(inside)
        assert client.admits(inside.parent / "absent.whl")
        assert not client.admits(outside)
        assert client.get(inside.as_uri()) == b"content"
        with pytest.raises(NetworkError, match="is outside the checkout, so it is not read"):
            client.get(outside.as_uri())
        client.admit(outside.parent)
        assert client.admits(outside)
        assert client.get(outside.as_uri()) == b"content"
        assert client.get(str(inside), 7) == b"content"
        with pytest.raises(NetworkError, match="has 7 bytes; the limit is 6 bytes"):
            client.get(str(inside), 6)


# --------------------------------------------------------------------------- exchanges


def exchange(*, age: float = 0.0, received: int = 0) -> Exchange:
    made = Exchange("https://h/x", Allowance())
    made.answered(10**12)
    made._started -= age
    made._received = received
    return made


def test_a_read_may_take_what_is_left_of_the_files_time_and_of_the_window() -> None:
    assert exchange().left() == pytest.approx(http.RATE_SECONDS)
    assert exchange(age=290).left() == pytest.approx(10, abs=0.5)
    # a second more for each million bytes
    assert exchange(age=310, received=20 * 10**6).left() == pytest.approx(10, abs=0.5)
    with pytest.raises(NetworkError, match="https://h/x takes longer than 300 s"):
        exchange(age=300.1).left()
    with pytest.raises(NetworkError, match="takes longer than 310 s"):
        exchange(age=310.1, received=10 * 10**6).left()
    waiting = exchange()
    waiting.came(10**6, 25.0)
    assert waiting.left() == pytest.approx(5)
    waiting._waited = http.RATE_SECONDS + 9
    assert waiting.left() == pytest.approx(0.01)


def test_a_rate_is_judged_over_each_window_of_waiting() -> None:
    slow = exchange()
    slow.came(29_000, 29.9)
    with pytest.raises(NetworkError, match="is too slow: 29,999 bytes in 30 s"):
        slow.came(999, 0.1)
    enough = exchange()
    enough.came(29_000, 29.9)
    enough.came(1_000, 0.1)  # just enough: a new window begins
    enough.came(0, 29.9)
    with pytest.raises(NetworkError, match="is too slow: 0 bytes in 30 s"):
        enough.came(0, 0.1)


def test_what_comes_besides_the_file_has_room_for_frames_and_no_more() -> None:
    before = Exchange("https://h/x", Allowance())
    before.came(http.MAX_ANSWER, 0)
    with pytest.raises(NetworkError, match="sends more than 1,000,000 bytes besides the file"):
        before.came(1, 0)
    body = Exchange("https://h/x", Allowance())
    body.came(500, 0)
    body.answered(4_000)
    body.came(4_000 + 1_000 + http.MAX_ANSWER, 0)  # a quarter for the frames of chunks
    with pytest.raises(NetworkError, match="besides the file"):
        body.came(1, 0)


def test_a_run_receives_exactly_its_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_RUN", 10)
    allowance = Allowance()
    assert allowance.take(4)
    assert allowance.take(6)
    assert not allowance.take(1)
    assert not allowance.take(0)  # once over it stays over


def test_nested_exchanges_count_for_the_inner_one_and_then_the_outer_again() -> None:
    outer, inner = exchange(), exchange()
    with http.watched(outer):
        with http.watched(inner):
            assert http._local.exchange is inner
        assert http._local.exchange is outer
    assert http._local.exchange is None


def test_retries_are_few_and_wait_within_bounds() -> None:
    meter = Meter()
    policy = http._Retries.counted(meter)
    assert (policy.total, policy.connect, policy.read, policy.status, policy.other) == (
        4, 1, 2, 3, 0,
    )  # fmt: skip
    assert {429, 500, 502, 503, 504} == set(policy.status_forcelist)
    assert 404 not in policy.status_forcelist
    following = policy.increment("GET", "/", response=Answer("7"))
    assert meter.transfer().requests == 1
    assert (following.total, following.status, following.meter) == (3, 2, meter)
    for wanted, seconds in (("7", 7), ("11", http.MAX_RETRY_AFTER), ("9" * 500, 10.0)):
        assert policy.get_retry_after(Answer(wanted)) == min(seconds, http.MAX_RETRY_AFTER)
    assert policy.get_retry_after(Answer(None)) is None


class Answer:
    """What urllib3's retries look at of an answer."""

    status = 503
    retries = None

    def __init__(self, retry_after: str | None) -> None:
        self.headers = {} if retry_after is None else {"Retry-After": retry_after}

    def get_redirect_location(self) -> bool:
        return False


def test_only_a_trusted_host_is_left_unverified() -> None:
    session = http.Session(
        credentials={}, trusted_hosts=("Trusted.example", "port.example:8443"), meter=Meter()
    )
    unverified = session._unverified
    for url, trusted in (
        ("https://trusted.example/x", True),
        ("HTTPS://TRUSTED.example:99/x", True),
        ("https://port.example:8443/x", True),
        ("https://port.example/x", False),
        ("https://port.example:9443/x", False),
        ("http://trusted.example/x", False),
        ("https://other.example/", False),
    ):
        assert (session.get_adapter(url) is unverified) is trusted, url
    session.close()


# --------------------------------------------------------------------------- which file


LINUX = "manylinux_2_17_x86_64"


def file(
    name: str, *, python: str | None = None, yanked: bool = False, project: str = "demo"
) -> ProjectFile:
    listed = Listed(name, f"https://h/{name}", requires_python=python, yanked=yanked)
    made = _project_file(listed, project)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("demo-1.0.tar.gz", "1.0"), ("de-mo-1.0.tar.gz", None), ("demo-1.0.exe", None),
        ("other-1.0.tar.gz", None), ("demo-x.tar.gz", None), ("demo.tar.gz", None),
        ("demo-1.0-py3-none-any.whl", "1.0"), ("other-1.0-py3-none-any.whl", None),
        ("demo-1.0-py3.whl", None), ("demo-1.0.zip", "1.0"),
    ],
)  # fmt: skip
def test_names_of_files_that_count(name: str, version: str | None) -> None:
    made = _project_file(Listed(name, "https://h/x"), "demo")
    assert (str(made.version) if made else None) == version
    long = "de-mo-2.0.tar.gz"
    split = _project_file(Listed(long, "https://h/x"), "de-mo")
    assert split is not None
    assert str(split.version) == "2.0"


def tag_list(*names: str) -> tuple[Tag, ...]:
    return tuple(Tag(*name.split("-")) for name in names)


def test_a_wheel_of_worse_rank_goes_before_a_source_archive_and_a_higher_build_before_a_lower() -> (
    None
):
    chooser = Chooser(tag_list("cp312-cp312-linux_x86_64", "py3-none-any"), "3.12.1")
    source, pure, first, second = (
        file("demo-1.0.tar.gz"), file("demo-1.0-py3-none-any.whl"),
        file("demo-1.0-1-cp312-cp312-linux_x86_64.whl"),
        file("demo-1.0-2-cp312-cp312-linux_x86_64.whl"),
    )  # fmt: skip
    best = chooser.best_for
    assert best("demo", [source, pure], Version("1.0")) == pure
    assert best("demo", [pure, first], Version("1.0")) == first
    assert best("demo", [second, first, pure], Version("1.0")) == second
    foreign = file("demo-1.0-cp311-cp311-linux_x86_64.whl")
    assert best("demo", [foreign, source], Version("1.0")) == source
    assert chooser.installable("demo", [foreign, source, pure]) == (source, pure)


@pytest.mark.parametrize(
    ("python", "wheel_for"),
    [(">=3.12", ("3.12",)), ("<3.12.1", ("3.12",)), (">=3.12.5", ("3.12",)), ("<3.12", ())],
)
def test_a_minor_has_a_wheel_when_one_of_its_releases_does(
    python: str, wheel_for: tuple[str, ...]
) -> None:
    files = [file("demo-1.0-py3-none-any.whl", python=python)]
    minors = ("3.12",)

    def any_tags(minor: str) -> tuple[Tag, ...]:
        return tag_list("py3-none-any")

    chosen = choice.pythons_with_wheels(files, Version("1.0"), minors, any_tags)
    assert chosen == wheel_for
    assert choice.pythons_with_wheels(files, Version("2.0"), minors, any_tags) == ()


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        ("linux_armv7l", "Linux on armv7l only"), ("musllinux_1_2_x86_64", "Linux"),
        ("manylinux_2_28_aarch64", "Linux on aarch64 only"), ("ios_13_0_arm64", "iOS only"),
        ("android_21_x86_64", "Android only"), ("emscripten_3", "emscripten_3 only"),
    ],
)  # fmt: skip
def test_systems_in_words(platform: str, words: str) -> None:
    files = [file(f"demo-1.0-py3-none-{platform}.whl"), file("demo-2.0-py3-none-any.whl")]
    assert platforms_of(files, Version("1.0")) == words


def near(*names: str, version: str = "5.0", target: str = "cp312") -> str | None:
    wheel = nearest_wheel(
        [file(name) for name in names], Version(version),
        tag_list(f"{target}-{target}-{LINUX}", "py3-none-any"),
    )  # fmt: skip
    return wheel.filename if wheel else None


def native(version: str, python: str = "cp312", abi: str = "", build: str = "") -> str:
    return f"demo-{version}{build}-{python}-{abi or python}-{LINUX}.whl"


@pytest.mark.parametrize(
    "names",  # the nearer one first
    [
        (native("5.0", "cp39"), native("5.1")),  # the same version, however old the Python
        (native("5.1"), native("4.9")),  # newer before older
        (native("5.1"), native("7.0"), native("4.9")),
        (native("5.0", "cp311"), native("5.0", "cp313")),  # of two equally far the older
        (native("5.0", "cp313"), native("5.0", "cp310")),
        (native("5.0", "cp310", "abi3"), native("5.0", "cp311")),
        (native("5.0", "cp311"), native("5.0", "cp313", "abi3")),  # too new a floor
        (native("5.0", "py3", "none"), native("5.0", "cp310")),
        (native("5.0", "cp311"), native("5.0", "pp310", "pypy310_pp73")),
        (native("5.0", "cp312", build="-2"), native("5.0", "cp312")),
    ],
)
def test_of_two_wheels_the_nearer_one_stands_in(names: tuple[str, ...]) -> None:
    assert near(*names) == names[0]
    assert near(*reversed(names)) == names[0]


def test_yanked_wheels_stand_in_for_their_own_version_only() -> None:
    own, other = file(native("5.0"), yanked=True), file(native("5.1"), yanked=True)
    target = tag_list(f"cp312-cp312-{LINUX}")
    assert nearest_wheel([own, other], Version("5.0"), target) == own
    assert nearest_wheel([other], Version("5.0"), target) is None
    arm = tag_list("cp312-cp312-manylinux_2_17_aarch64")
    assert nearest_wheel([own], Version("5.0"), arm) is None
    assert nearest_wheel([own], Version("5.0"), tag_list("py3-none-any")) == own


@pytest.mark.parametrize(
    ("wheel", "low", "high", "words"),
    [
        (native("5.0"), 0.95, 1.06, "its wheel for cp312"),
        (
            "demo-5.0-cp312-cp312-musllinux_1_2_x86_64.whl", 0.96, 1.38,
            "its wheel for musl (cp312-cp312-musllinux_1_2_x86_64)",
        ),
        (native("6.0"), 0.96, 1.16, "the wheel of version 6.0"),
        (native("4.0"), 0.96, 1.16, "the wheel of version 4.0"),
        (native("7.0"), 0.45, 1.60, "the wheel of version 7.0"),
        (native("1.0"), 0.45, 1.60, "the wheel of version 1.0"),
        (native("10.0"), 0.30, 2.02, "the wheel of version 10.0"),
    ],
)  # fmt: skip
def test_likeness_counts_releases(wheel: str, low: float, high: float, words: str) -> None:
    files = [file(f"demo-{number}.0.tar.gz") for number in range(1, 11)]
    files += [file(f"demo-5.{number}rc1.tar.gz") for number in range(1, 9)]  # these do not count
    chosen = likeness(file(wheel), files, Version("5.0"))
    assert (chosen.low_factor, chosen.high_factor, chosen.words) == (low, high, words)


# --------------------------------------------------------------------------- several indexes


def pages(*index: PackageServer) -> tuple[HttpClient, Pages]:
    chosen = IndexOptions(
        index_url=index[0].index_url, extra_index_urls=tuple(s.index_url for s in index[1:])
    )
    client = HttpClient(index=chosen)
    return client, Pages(client, chosen)


def test_a_refusal_counts_only_where_no_index_has_the_project() -> None:
    with PackageServer(auth=("u", "p")) as private, PackageServer() as public:
        public.add_wheel("demo", "1.0", {"demo.py": "x = 1\n"})
        client, both = pages(private, public)
        with client:
            assert [f.filename for f in both.files("Demo")] == ["demo-1.0-py3-none-any.whl"]
            with pytest.raises(NetworkError, match=r"requires a user name and password \(401\)"):
                both.files("absent")
        client, alone = pages(public)
        with client:
            assert alone.files("absent") == ()


def test_the_first_index_gives_a_file_that_two_have() -> None:
    with PackageServer() as first, PackageServer() as second:
        for server in (first, second):
            server.add_wheel("demo", "1.0", {"demo.py": "x = 1\n"})
        second.add_wheel("demo", "2.0", {"demo.py": "x = 1\n"})
        client, both = pages(first, second)
        with client:
            files = {str(f.version): f.url for f in both.files("demo")}
            assert files["1.0"].startswith(first.url)
            assert files["2.0"].startswith(second.url)
            before = len(first.hits)
            assert both.files("DEMO") is both.files("demo")
            assert len(first.hits) == before  # a page is read once

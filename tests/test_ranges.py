"""The HTTP reader against servers that behave and that do not, over real sockets.

Exact request counts are asserted throughout: creeping requests are what this code is there to
prevent.
"""

from __future__ import annotations

import random
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from slugcheck.errors import NetworkError
from slugcheck.model import Artifact, IndexOptions, Transfer
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.urls import RefusedError, TooLargeError, credentials_in, redact
from tests.support.server import JSON_TYPE, PackageServer, Quirk
from tests.support.wheels import Archive

pytestmark = pytest.mark.usefixtures("plain_network")

BLOB = random.Random(7).randbytes(50_000)
NAME = "blob-1.0-py3-none-any.whl"
OTHER = "other-1.0-py3-none-any.whl"
TAIL = "bytes=33616-49999"  # the last 16 KB
HEAD = "bytes=0-99"
SUFFIX = "bytes=-16384"
FIRST = "bytes=0-0"
WHOLE = None  # a plain GET


@pytest.fixture
def server() -> Iterator[PackageServer]:
    with PackageServer() as server:
        server.add(Archive(NAME, BLOB))
        server.add(Archive(OTHER, BLOB))
        yield server


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient() as client:
        yield client


def read_both_ends(client: HttpClient, artifact: Artifact) -> str:
    """Read the tail and the head of a file as the wheel reader would; return how it was read."""
    with client.open_file(artifact) as file:
        size = file.size
        assert file.span(size - 16_384, size) == BLOB[-16_384:]
        assert file.span(0, 100) == BLOB[:100]
        assert size == len(BLOB)
        return file.via


# mode: (requests with the size known, requests without it, how it was read)
READ: dict[Quirk, tuple[list[str | None], list[str | None], str]] = {
    Quirk.HONEST: ([TAIL, HEAD], [SUFFIX, HEAD], "range"),
    Quirk.NO_SUFFIX: ([TAIL, HEAD], [SUFFIX, FIRST, TAIL, HEAD], "range"),
    Quirk.NO_RANGES: ([TAIL], [SUFFIX], "full"),
    Quirk.IGNORES_RANGES: ([TAIL], [SUFFIX], "full"),
    Quirk.WRONG_CONTENT_RANGE: ([TAIL, WHOLE], [SUFFIX, FIRST, WHOLE], "full"),
    Quirk.NO_CONTENT_RANGE: ([TAIL, WHOLE], [SUFFIX, FIRST, WHOLE], "full"),
    Quirk.SHORT_BODY: ([TAIL, WHOLE], [SUFFIX, FIRST, WHOLE], "full"),
    Quirk.GZIP_ENCODED: ([TAIL, WHOLE], [SUFFIX, FIRST, WHOLE], "full"),
    Quirk.GZIP_ALWAYS: ([TAIL, WHOLE], [SUFFIX, FIRST, WHOLE], "full"),
    Quirk.RANGES_FORBIDDEN: ([TAIL, WHOLE], [SUFFIX, FIRST, WHOLE], "full"),
    Quirk.UNSATISFIABLE: ([TAIL, WHOLE], [SUFFIX, FIRST, WHOLE], "full"),
    Quirk.TOO_MANY_ONCE: ([TAIL, TAIL, HEAD], [SUFFIX, SUFFIX, HEAD], "range"),
    Quirk.ERROR_ONCE: ([TAIL, TAIL, HEAD], [SUFFIX, SUFFIX, HEAD], "range"),
    Quirk.DROPS_ONCE: ([TAIL, TAIL, HEAD], [SUFFIX, SUFFIX, HEAD], "range"),
    # The redirect is followed once; after that its target is asked.
    Quirk.REDIRECT: ([TAIL, TAIL, HEAD], [SUFFIX, SUFFIX, HEAD], "range"),
}


@pytest.mark.parametrize("quirk", READ)
@pytest.mark.parametrize("size_known", [True, False], ids=["size known", "size unknown"])
def test_every_server_is_read_with_as_few_requests_as_it_allows(
    server: PackageServer, client: HttpClient, quirk: Quirk, size_known: bool
) -> None:
    with_size, without_size, via = READ[quirk]
    server.set_quirk(NAME, quirk)
    assert read_both_ends(client, server.artifact(NAME, size=size_known)) == via
    expected = with_size if size_known else without_size
    assert server.ranges_of(NAME) == expected
    assert client.transfer().requests == len(expected)


# mode: (requests, what the message says, what the hint says)
REFUSED: dict[Quirk, tuple[list[str | None], str, str]] = {
    Quirk.NOT_FOUND: ([TAIL], "does not have this file (404)", "resolve again"),
    Quirk.UNAUTHORIZED: ([TAIL], "requires a user name and password (401)", "netrc"),
    Quirk.FORBIDDEN: ([TAIL, WHOLE], "refuses access (403)", "credentials"),
    Quirk.TOO_MANY_ALWAYS: ([TAIL] * 4, "limits the rate of requests (429)", "wait"),
    Quirk.ERROR_ALWAYS: ([TAIL] * 4, "failed repeatedly (500)", "later"),
    Quirk.DROPS_ALWAYS: ([TAIL] * 3, "cannot be reached, or it closes", "network"),
    Quirk.TRUNCATED: ([TAIL] * 3, "broke off", "again"),
}


@pytest.mark.parametrize("quirk", REFUSED)
def test_a_refusal_says_who_refused_what_and_how_to_mend_it(
    server: PackageServer, client: HttpClient, quirk: Quirk
) -> None:
    requests, sentence, hint = REFUSED[quirk]
    server.set_quirk(NAME, quirk)
    with pytest.raises(NetworkError) as caught:
        read_both_ends(client, server.artifact(NAME))
    assert sentence in str(caught.value)
    assert server.file_url(NAME) in str(caught.value)
    assert hint in (caught.value.hint or "")
    assert server.ranges_of(NAME) == requests
    assert client.transfer().requests == len(requests)


@pytest.mark.parametrize(
    ("quirk", "size_known", "second"),
    [
        (Quirk.NO_RANGES, True, [WHOLE]),
        (Quirk.WRONG_CONTENT_RANGE, True, [WHOLE]),
        (Quirk.GZIP_ENCODED, True, [WHOLE]),
        (Quirk.RANGES_FORBIDDEN, False, [WHOLE]),
        (Quirk.NO_SUFFIX, False, [FIRST, TAIL, HEAD]),
        (Quirk.UNSATISFIABLE, True, [TAIL, WHOLE]),  # said of one file, not of the host
    ],
)
def test_a_host_is_not_asked_again_for_what_it_cannot_do(
    server: PackageServer,
    client: HttpClient,
    quirk: Quirk,
    size_known: bool,
    second: list[str | None],
) -> None:
    for name in (NAME, OTHER):
        server.set_quirk(name, quirk)
        read_both_ends(client, server.artifact(name, size=size_known))
    assert server.ranges_of(OTHER) == second


def test_what_was_read_is_not_asked_for_again(server: PackageServer, client: HttpClient) -> None:
    with client.open_file(server.artifact(NAME)) as file:
        file.span(40_000, 50_000)
        file.span(20_000, 30_000)
        assert file.span(45_000, 46_000) == BLOB[45_000:46_000]
        assert file.span(25_000, 45_000) == BLOB[25_000:45_000]
        assert file.span(19_000, 50_000) == BLOB[19_000:]
    assert server.ranges_of(NAME) == [
        "bytes=40000-49999",
        "bytes=20000-29999",
        "bytes=30000-39999",
        "bytes=19000-19999",
    ]


def test_a_small_file_without_a_known_size_is_one_request(
    server: PackageServer, client: HttpClient
) -> None:
    server.add(Archive("tiny-1-py3-none-any.whl", b"x" * 99))
    with client.open_file(server.artifact("tiny-1-py3-none-any.whl", size=False)) as file:
        assert (file.size, file.span(0, 99)) == (99, b"x" * 99)
    assert server.ranges_of("tiny-1-py3-none-any.whl") == [SUFFIX]


def test_ranges_are_asked_for_without_compression(
    server: PackageServer, client: HttpClient
) -> None:
    read_both_ends(client, server.artifact(NAME))
    assert {hit.accept_encoding for hit in server.hits} == {"identity"}
    assert {(hit.user_agent or "").partition("/")[0] for hit in server.hits} == {"slugcheck"}


def test_a_wrong_size_in_the_index_is_stepped_around_when_the_hash_is_right(
    server: PackageServer, client: HttpClient
) -> None:
    artifact = replace(server.artifact(NAME), size=60_000)
    assert read_both_ends_of_any_size(client, artifact) == "full"
    read_both_ends(client, server.artifact(OTHER))
    assert server.ranges_of(OTHER) == [TAIL, HEAD]  # the host is not to blame


def read_both_ends_of_any_size(client: HttpClient, artifact: Artifact) -> str:
    with client.open_file(artifact) as file:
        file.span(file.size - 16_384, file.size)
        assert file.size == len(BLOB)
        return file.via


def test_another_file_than_the_locked_one_is_an_error(
    server: PackageServer, client: HttpClient
) -> None:
    server.set_quirk(NAME, Quirk.NO_RANGES)
    with pytest.raises(NetworkError, match="does not match its sha256"):
        read_both_ends(client, replace(server.artifact(NAME), sha256="0" * 64))
    with pytest.raises(NetworkError, match="50,000 bytes, but the index says 60,000"):
        read_both_ends(client, replace(server.artifact(NAME), sha256=None, size=60_000))


def test_a_file_too_large_to_read_whole_is_refused_before_it_is_read(
    server: PackageServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slugcheck.packages.index.client.MAX_SPOOLED", 20_000)
    server.set_quirk(NAME, Quirk.NO_RANGES)
    with pytest.raises(TooLargeError) as caught:
        read_both_ends(client, server.artifact(NAME))
    assert caught.value.size == len(BLOB)


# --------------------------------------------------------------------------- whole files


def test_a_whole_file_is_capped_and_checked(server: PackageServer, client: HttpClient) -> None:
    artifact = server.artifact(NAME)
    assert client.get(artifact.url, sha256=artifact.sha256) == BLOB
    assert client.transfer() == Transfer(requests=1, bytes=len(BLOB))
    assert client.get(artifact.url, 50_000) == BLOB
    with pytest.raises(TooLargeError) as caught:
        client.get(artifact.url, 49_999)
    assert (caught.value.size, caught.value.limit) == (50_000, 49_999)
    with pytest.raises(NetworkError, match="sha256"):
        client.get(artifact.url, sha256="0" * 64)


def test_a_file_url_is_read_in_place(client: HttpClient, tmp_path: Path) -> None:
    path = tmp_path / "with space.whl"
    path.write_bytes(BLOB)
    assert client.get(path.as_uri()) == BLOB
    artifact = Artifact(filename=NAME, url=path.as_uri(), size=None, sha256=None)
    assert read_both_ends(client, artifact) == "local"
    with pytest.raises(TooLargeError):
        client.get(path.as_uri(), 10)
    with pytest.raises(NetworkError, match="cannot be read"):
        client.get((tmp_path / "absent").as_uri())
    assert client.transfer() == Transfer()


def test_a_page_comes_with_its_type_and_a_missing_one_with_its_status(
    server: PackageServer, client: HttpClient
) -> None:
    page = client.fetch(f"{server.index_url}blob/", accept=JSON_TYPE)
    assert page.content_type == JSON_TYPE
    with pytest.raises(RefusedError) as caught:
        client.fetch(f"{server.index_url}absent/", accept=JSON_TYPE)
    assert caught.value.status == 404


def test_a_broken_download_is_tried_again(server: PackageServer, client: HttpClient) -> None:
    server.set_quirk(NAME, Quirk.TRUNCATED)
    with pytest.raises(NetworkError, match="broke off"):
        client.get(server.file_url(NAME))
    assert server.ranges_of(NAME) == [WHOLE] * 3


# --------------------------------------------------------------------------- credentials


def test_credentials_of_the_index_url_go_with_every_request_to_its_host() -> None:
    with PackageServer(auth=("me", "pä:ss@")) as server:
        server.add(Archive(NAME, BLOB))
        index = IndexOptions(extra_index_urls=(server.index_url_with_credentials,))
        with HttpClient(index=index) as client:
            read_both_ends(client, server.artifact(NAME))
        assert [hit.authorized for hit in server.hits] == [True, True]


def test_credentials_in_the_file_url_are_used_and_never_shown() -> None:
    with PackageServer(auth=("me", "s3cret")) as server, HttpClient() as client:
        server.add(Archive(NAME, BLOB))
        artifact = server.artifact(NAME)
        secret = replace(artifact, url=artifact.url.replace("//", "//me:s3cret@"))
        assert read_both_ends(client, secret) == "range"
        wrong = replace(artifact, url=artifact.url.replace("//", "//me:t0psecret@"))
        with pytest.raises(NetworkError, match="rejects the credentials") as caught:
            read_both_ends(client, wrong)
        assert "t0psecret" not in f"{caught.value} {caught.value.hint}"


def test_netrc_is_honoured_where_the_user_named_the_server(
    server: PackageServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password pass\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.auth = ("me", "pass")
    named = IndexOptions(named_origins=(server.index_url.removesuffix("/simple/"),))
    with HttpClient(index=named) as client:
        read_both_ends(client, server.artifact(NAME))
    with HttpClient() as client, pytest.raises(NetworkError, match="401"):
        read_both_ends(client, server.artifact(NAME))


def test_credentials_do_not_follow_a_redirect_to_another_host() -> None:
    with PackageServer() as files, PackageServer(auth=("me", "pass")) as index:
        files.add(Archive(NAME, BLOB))
        index.add(Archive(NAME, BLOB), quirk=Quirk.REDIRECT)
        index.redirect_base = files.url
        with HttpClient(credentials={index.url: ("me", "pass")}) as client:
            read_both_ends(client, index.artifact(NAME))
        assert [hit.authorized for hit in index.hits] == [True]
        assert [hit.authorized for hit in files.hits] == [False, False]


def test_a_redirect_to_a_host_with_credentials_of_its_own_gets_these() -> None:
    with PackageServer(auth=("you", "word")) as files, PackageServer() as index:
        files.add(Archive(NAME, BLOB))
        index.add(Archive(NAME, BLOB), quirk=Quirk.REDIRECT)
        index.redirect_base = files.url
        with HttpClient(credentials={files.url: ("you", "word")}) as client:
            read_both_ends(client, index.artifact(NAME))
        assert [hit.authorized for hit in index.hits] == [False]


def test_the_first_url_of_a_host_gives_its_credentials() -> None:
    urls = ["https://a:b%40c@Example.org:443/x", "https://d:e@example.org/y", "https://no.org/"]
    assert credentials_in(urls) == {"https://example.org": ("a", "b@c")}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@host:8/a/b.whl", "https://host:8/a/b.whl"),
        ("https://me:p@w@host/a", "https://host/a"),
        ("https://host/a?token=secret#sha256=1", "https://host/a?…"),
        ("https://me:pw@[::1/a", "https://[::1/a"),
        ("https://host/\x1b[31m", "https://host/%1B[31m"),
    ],
)
def test_a_shown_url_holds_no_secret_and_no_control_character(url: str, shown: str) -> None:
    assert redact(url) == shown


# --------------------------------------------------------------------------- no answer at all


def test_a_port_without_a_server_is_said_so(client: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NetworkError, match=rf"127\.0\.0\.1:{port} cannot be reached"):
        client.get(f"http://127.0.0.1:{port}/x")


def test_a_name_that_does_not_resolve_is_said_so(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NetworkError, match=r"the name no-such\.invalid cannot be resolved"):
        client.get("http://no-such.invalid/x")


def test_a_server_that_is_silent_is_given_up(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slugcheck.packages.index.http.TIMEOUT", (0.05, 0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(NetworkError, match="did not answer in time"):
            client.get(url)


def test_a_proxy_that_does_not_work_is_named(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    with pytest.raises(NetworkError, match="the proxy for") as caught:
        client.get("http://no-such.invalid/x")
    assert "NO_PROXY" in (caught.value.hint or "")


@pytest.mark.parametrize("url", ["ftp://host/x", "https://", "nonsense", "https://[::1/x"])
def test_what_is_no_http_url_is_said_so(client: HttpClient, url: str) -> None:
    with pytest.raises(NetworkError, match="URL") as caught:
        client.get(url)
    assert caught.value.hint


def test_offline_asks_nobody(server: PackageServer) -> None:
    client = HttpClient(offline=True)
    with pytest.raises(NetworkError, match="--offline"):
        read_both_ends(client, server.artifact(NAME))
    assert server.hits == ()


# --------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout {path} -out {path}.crt"
    )
    try:
        subprocess.run(command.split(), check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no openssl to make a certificate with")
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[PackageServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with PackageServer(tls=context) as server:
        server.add(Archive(NAME, BLOB))
        yield server


def test_an_unknown_certificate_is_refused(tls_server: PackageServer, client: HttpClient) -> None:
    with pytest.raises(NetworkError, match=r"the certificate of 127\.0\.0\.1") as caught:
        read_both_ends(client, tls_server.artifact(NAME))
    assert "REQUESTS_CA_BUNDLE" in (caught.value.hint or "")
    assert tls_server.hits == ()


def test_a_trusted_host_is_not_verified(tls_server: PackageServer) -> None:
    for trusted in ("127.0.0.1", tls_server.netloc):
        with HttpClient(index=IndexOptions(trusted_hosts=(trusted,))) as client:
            assert read_both_ends(client, tls_server.artifact(NAME)) == "range"
    with (
        HttpClient(trusted_hosts=("0.0.1", "example.org")) as client,
        pytest.raises(NetworkError, match="certificate"),
    ):
        read_both_ends(client, tls_server.artifact(NAME))


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificates_of_the_environment_are_loaded_once_for_all_connections(
    tls_server: PackageServer,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    loads: list[object] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(*args: str, **kwargs: str) -> None:
        loads.append(args)
        load(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    monkeypatch.setenv(variable, str(certificate))
    tls_server.set_quirk(NAME, Quirk.SLOW)  # so that four connections are open at a time
    with HttpClient() as client, ThreadPoolExecutor(4) as pool:
        bodies = list(pool.map(client.get, [tls_server.file_url(NAME)] * 4))
    assert bodies == [BLOB] * 4
    assert len(loads) == 1


def test_certificates_that_are_not_there_are_said_so(
    server: PackageServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    with pytest.raises(NetworkError, match="cannot read the certificates in REQUESTS_CA_BUNDLE"):
        client.get(server.file_url(NAME))


def test_many_threads_share_one_count(server: PackageServer, client: HttpClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: read_both_ends(client, server.artifact(NAME)), range(24)))
    assert client.transfer() == Transfer(requests=48, bytes=24 * (16_384 + 100))

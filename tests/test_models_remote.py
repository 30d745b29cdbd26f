"""Model files on servers: real ones on the loopback that speak S3's, Google's and plain HTTP."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from slugcheck.errors import NetworkError, SlugcheckError, UsageError
from slugcheck.model import Basis, ModelFile, ModelPlace
from slugcheck.packages.index import client as files
from slugcheck.project import models
from slugcheck.project.models import read
from tests.support.commands import slugcheck
from tests.support.server import PackageServer, Quirk
from tests.support.wheels import Archive

# they are imported where they are used: every worker of the tests would wait for them
for library in ("s3fs", "gcsfs", "boto3", "moto", "gcp_storage_emulator"):
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed", allow_module_level=True)

MIB = 2**20
KEY, SECRET = "AKIDEXAMPLE", "c2VjcmV0LWtleQ"
SMALL = b"weights " * 1_000
# a quarter of each MiB is random, the rest is not
LARGE = (random.Random(3).randbytes(MIB // 4) + bytes(3 * MIB // 4)) * 18
OBJECTS = {
    "models/a.onnx": SMALL,
    "models/b.onnx": LARGE,
    "models/deep/c.pt": SMALL,
    "models/notes.txt": b"notes",
}


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """An S3 with two buckets: ``bucket`` is for those with keys, ``open`` for everyone."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
    )
    client.create_bucket(Bucket="bucket")
    client.create_bucket(Bucket="open", ACL="public-read")
    for name, content in OBJECTS.items():
        client.put_object(Bucket="bucket", Key=name, Body=content)
    client.put_object(Bucket="bucket", Key="models/empty.onnx", Body=b"")
    client.put_object(Bucket="open", Key="models/a.onnx", Body=SMALL, ACL="public-read")
    client.close()
    yield url
    server.stop()


@pytest.fixture(scope="module")
def google_url() -> Iterator[str]:
    """A Google Storage with one bucket."""
    from gcp_storage_emulator.server import create_server

    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket="bucket")
    server.start()
    url = f"http://127.0.0.1:{server._api._httpd.server_port}"
    for name, content in OBJECTS.items():
        query = f"uploadType=media&name={quote(name, safe='')}"
        address = f"{url}/upload/storage/v1/b/bucket/o?{query}"
        with urlopen(Request(address, data=content, method="POST")) as response:
            response.read()
    yield url
    server.stop()


@pytest.fixture(autouse=True)
def no_settings(plain_network: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this machine's accounts out, and what the reader sets within a test."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "GCSFS_", "GCE_", "CLOUDSDK_", "STORAGE_EMULATOR")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_METADATA_SERVICE_TIMEOUT", "1")
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("GCE_METADATA_TIMEOUT", "1")
    monkeypatch.setenv("GCE_METADATA_DETECT_RETRIES", "1")
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")


@pytest.fixture
def s3(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The S3 as the environment names it to everyone."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return "s3"


@pytest.fixture
def keys(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.fixture
def gs(google_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", google_url)
    return "gs"


@pytest.fixture(params=["s3", "gs"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Each of the two, ready to be read."""
    request.getfixturevalue("keys" if request.param == "s3" else "gs")
    return str(request.param)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def paths(found: list[ModelFile]) -> list[str]:
    return [one.path for one in found]


def failure(url: str) -> SlugcheckError:
    with pytest.raises(SlugcheckError) as caught:
        read(url)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return caught.value


def offered(server: PackageServer, content: bytes, quirk: Quirk = Quirk.HONEST) -> str:
    server.add(Archive("a-1.zip", content), quirk=quirk)
    return server.file_url("a-1.zip")


# --------------------------------------------------------------------------- buckets


def test_a_small_object_is_compressed_whole(scheme: str) -> None:
    (only,) = read(f"{scheme}://bucket/models/a.onnx")
    assert (only.path, only.bytes) == (f"{scheme}://bucket/models/a.onnx", len(SMALL))
    assert (only.place, only.method) == (ModelPlace.REMOTE, "compressed whole")
    assert only.slug.basis is Basis.MEASURED
    assert only.slug.value < 200


def test_a_large_object_is_judged_by_a_sample(scheme: str) -> None:
    (only,) = read(f"{scheme}://bucket/models/b.onnx")
    assert (only.bytes, only.method) == (len(LARGE), "from a sample of 16 of 18 MiB")
    assert only.slug.basis is Basis.PREDICTED
    assert only.slug.low < len(LARGE) / 4 * 1.005 < only.slug.high


def test_a_glob_takes_what_it_matches_and_no_folder(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "REMOTE_WHOLE_BYTES", 100 * MIB)
    found = read(f"{scheme}://bucket/models/*")
    names = [path.rpartition("/")[2] for path in paths(found)]
    assert [name for name in names if name != "empty.onnx"] == ["a.onnx", "b.onnx", "notes.txt"]


def test_a_glob_goes_through_folders(scheme: str) -> None:
    assert paths(read(f"{scheme}://bucket/**/*.pt")) == [f"{scheme}://bucket/models/deep/c.pt"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_folder_stands_for_the_known_kinds_below_it(scheme: str, slash: str) -> None:
    assert paths(read(f"{scheme}://bucket/models/deep{slash}")) == [
        f"{scheme}://bucket/models/deep/c.pt"
    ]


def test_an_object_of_any_kind_counts_when_it_is_named(scheme: str) -> None:
    assert [one.bytes for one in read(f"{scheme}://bucket/models/notes.txt")] == [5]


def test_an_empty_object_is_measured(keys: None) -> None:
    (only,) = read("s3://bucket/models/empty.onnx")
    assert (only.bytes, only.slug.basis) == (0, Basis.MEASURED)


def test_without_keys_a_bucket_is_asked_as_anybody_may(s3: str) -> None:
    assert paths(read("s3://open/models/a.onnx")) == ["s3://open/models/a.onnx"]


def test_keys_are_taken_from_a_profile(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text(f"[work]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert len(read("s3://bucket/models/a.onnx")) == 1


# --------------------------------------------------------------------------- what goes wrong there


def test_an_object_that_is_not_there(scheme: str) -> None:
    error = failure(f"{scheme}://bucket/none.onnx")
    assert isinstance(error, UsageError)
    assert f"{scheme}://bucket/none.onnx: no such object" in str(error)


@pytest.mark.parametrize("path", ["nobucket/a.onnx", "nobucket/*.onnx", "nobucket"])
def test_a_bucket_that_is_not_there(scheme: str, path: str) -> None:
    assert str(failure(f"{scheme}://{path}")).endswith("has no bucket nobucket")


def test_a_glob_that_matches_nothing(scheme: str) -> None:
    assert str(failure(f"{scheme}://bucket/*.none")) == f"{scheme}://bucket/*.none: no match"


def test_an_address_without_a_bucket(scheme: str) -> None:
    assert str(failure(f"{scheme}://")) == f"{scheme}:// has no bucket"


def test_a_password_in_a_buckets_address_is_refused_and_not_shown(scheme: str) -> None:
    error = failure(f"{scheme}://{KEY}:{SECRET}@bucket/a.onnx")
    assert SECRET not in f"{error}{error.hint}"
    assert "cannot contain a user and password" in str(error)


def test_a_private_object_without_keys_says_which_to_give(s3: str) -> None:
    error = failure("s3://bucket/models/a.onnx")
    assert str(error) == "S3 denies access: s3://bucket/models/a.onnx"
    assert "AWS_ACCESS_KEY_ID" in str(error.hint)


def test_a_profile_that_is_not_there_is_no_network_trouble(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "none")
    assert "the credentials for S3 cannot be used (ProfileNotFound)" in str(
        failure("s3://bucket/a")
    )


def test_broken_credentials_for_google_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key.json").write_text('{"type": "service_account"}')
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    error = failure("gs://bucket/a.onnx")
    assert "the credentials for Google Storage cannot be used" in str(error)
    assert "GOOGLE_APPLICATION_CREDENTIALS" in str(error.hint)


def test_an_s3_that_cannot_be_reached(
    keys: None, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", closed)
    assert str(failure("s3://bucket/a.onnx")) == "S3 cannot be reached: s3://bucket/a.onnx"


@pytest.mark.parametrize(
    ("scheme", "variable"),
    [("s3", "AWS_ENDPOINT_URL"), ("gs", "STORAGE_EMULATOR_HOST")],
)
def test_a_server_that_never_answers_is_given_up(
    keys: None, silent: str, scheme: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, silent)
    monkeypatch.setattr(models, "_ANSWER_SECONDS", 0.3)
    assert "did not answer in time" in str(failure(f"{scheme}://bucket/a.onnx"))


def test_nothing_is_logged_where_logging_is_not_set_up(
    closed: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The library for Google Storage logs each failure with its traceback and address."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", closed)
    monkeypatch.setattr(models, "_ANSWER_SECONDS", 0.3)
    failure("gs://bucket/a.onnx")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("scheme", "library"), [("s3", "s3fs"), ("gs", "gcsfs")])
@pytest.mark.parametrize("gone", ["fsspec", ""])
def test_a_missing_extra_names_the_line_that_mends_it(
    scheme: str, library: str, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == (gone or library)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, gone or library, None)
    registry: Any = sys.modules.get("fsspec.registry")
    if registry is not None:  # classes that were loaded before
        for name in ("s3", "gs"):
            monkeypatch.delitem(registry._registry, name, raising=False)
    with pytest.raises(UsageError) as caught:
        read(f"{scheme}://bucket/a.onnx")
    assert str(caught.value).endswith("pip install 'slugcheck[remote]'")
    assert f"needs {gone or library}" in str(caught.value)


@pytest.mark.parametrize("url", ["s3://bucket/a.onnx", "gs://bucket/a", "https://host/a?sig=x"])
def test_offline_asks_no_server(url: str) -> None:
    with pytest.raises(NetworkError, match="--offline excludes") as caught:
        read(url, offline=True)
    assert "sig" not in str(caught.value)


# --------------------------------------------------------------------------- https


def test_a_file_on_a_web_server_is_sampled_by_ranges(package_server: PackageServer) -> None:
    (only,) = read(offered(package_server, LARGE))
    assert (only.bytes, only.method) == (len(LARGE), "from a sample of 16 of 18 MiB")
    assert all(hit.range for hit in package_server.hits_of("a-1.zip"))
    assert only.slug.low < len(LARGE) / 4 * 1.005 < only.slug.high


def test_without_ranges_it_is_read_once(package_server: PackageServer) -> None:
    (only,) = read(offered(package_server, LARGE, Quirk.NO_RANGES))
    assert only.bytes == len(LARGE)
    assert len(package_server.hits_of("a-1.zip")) == 1


def test_too_large_without_ranges_only_its_size_is_known(
    package_server: PackageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_SPOOLED", MIB)
    (only,) = read(offered(package_server, LARGE, Quirk.NO_RANGES))
    assert (only.bytes, only.slug.basis) == (len(LARGE), Basis.PREDICTED)
    assert only.slug.low < len(LARGE) / 4 < only.slug.high
    assert only.method.startswith("size only")


def test_an_empty_file_on_a_web_server(package_server: PackageServer) -> None:
    (only,) = read(offered(package_server, b""))
    assert only.bytes == 0


class Signed(BaseHTTPRequestHandler):
    """Gives a file to whoever has the signature."""

    def do_GET(self) -> None:
        allowed = self.path.endswith(f"?X-Amz-Signature={SECRET}")
        self.send_response(200 if allowed else 403)
        self.send_header("Content-Length", str(len(SMALL) if allowed else 0))
        self.end_headers()
        if allowed:
            self.wfile.write(SMALL)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_a_signed_address_is_used_but_never_shown() -> None:
    with HTTPServer(("127.0.0.1", 0), Signed) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/a.onnx"
        (only,) = read(f"{address}?X-Amz-Signature={SECRET}")
        server.shutdown()
        thread.join()
    assert (only.path, only.bytes) == (f"{address}?…", len(SMALL))


def test_user_and_password_of_an_address_are_sent_but_never_shown() -> None:
    with PackageServer(auth=("me", SECRET)) as server:
        url = offered(server, SMALL)
        (only,) = read(url.replace("://", f"://me:{SECRET}@"))
        assert only.path == url
        error = failure(url.replace("://", "://me:wrong-one@"))
    assert "wrong-one" not in f"{error}{error.hint}"
    assert "rejects the credentials" in str(error)


@pytest.mark.parametrize(
    ("quirk", "message", "hint"),
    [
        (Quirk.NOT_FOUND, "does not have this file (404)", "check the address"),
        (Quirk.UNAUTHORIZED, "requires a user name and password (401)", "into the address"),
        (Quirk.FORBIDDEN, "refuses access (403)", "a signed address expires"),
    ],
)
def test_a_web_servers_refusal_is_told_without_the_signature(
    package_server: PackageServer, quirk: Quirk, message: str, hint: str
) -> None:
    error = failure(f"{offered(package_server, SMALL, quirk)}?sig={SECRET}")
    assert message in str(error)
    assert hint in str(error.hint)
    assert SECRET not in f"{error}{error.hint}"


def test_a_web_server_that_cannot_be_reached(closed: str) -> None:
    assert "cannot be reached" in str(failure(f"{closed}/a.onnx?sig={SECRET}"))


# --------------------------------------------------------------------------- the command


@pytest.fixture
def command(package_server: PackageServer, tmp_path: Path, private_caches: Path) -> list[object]:
    package_server.add_wheel("webapp", "1.0", {"webapp/__init__.py": "y = 2\n"})
    (tmp_path / "requirements.txt").write_text("webapp==1.0\n")
    return [
        tmp_path / "requirements.txt",
        "--python",
        "3.12",
        "--index-url",
        package_server.index_url,
    ]


def test_a_glob_of_a_bucket_counts_in_the_report(keys: None, command: list[object]) -> None:
    done = slugcheck(*command, "--model", "s3://bucket/models/[ab].onnx", "--format", "json")
    assert done.err == ""
    assert [one["path"] for one in done.document["models"]] == [
        "s3://bucket/models/a.onnx",
        "s3://bucket/models/b.onnx",
    ]
    assert len(done.document["storage"]) == 3


def test_a_missing_bucket_ends_the_command_with_one_line(keys: None, command: list[object]) -> None:
    done = slugcheck(*command, "--model", "s3://nobucket/models/*.onnx")
    assert done.code == 2
    assert "error: S3 has no bucket nobucket" in done.err
    assert "Traceback" not in done.err
    assert SECRET not in done.err


@pytest.mark.slow
@pytest.mark.parametrize(("opened", "most"), [("_s3", 2), ("_google", 1)])
def test_a_machine_in_no_cloud_is_asked_for_its_account_once_and_shortly(
    opened: str, most: int
) -> None:
    """The metadata service of a laptop does not answer; the readers' own patience is minutes."""
    asked = 0
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def count() -> None:
            nonlocal asked
            with contextlib.ExitStack() as kept, contextlib.suppress(OSError):
                while True:
                    kept.enter_context(silent.accept()[0])
                    asked += 1

        counter = Thread(target=count, daemon=True)
        counter.start()
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        hidden = ("AWS_EC2_METADATA_DISABLED", "AWS_METADATA_", "GCE_METADATA_", "NO_GCE_CHECK")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)} | {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{place}",
            "GCE_METADATA_HOST": place,
            "GCE_METADATA_IP": place,
        }
        code = f"from slugcheck.project import models; models.{opened}()"
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
        silent.shutdown(socket.SHUT_RDWR)
        counter.join()
    assert 1 <= asked <= most

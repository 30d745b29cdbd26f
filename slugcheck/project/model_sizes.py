"""The sizes of model files, on disk and compressed in the slug.

Local files are compressed whole, large ones from a sample of blocks. Files on servers are read
through fsspec (s3://, gs://) or slugcheck's own reader (https://): sizes come from the server,
compressibility from spans of the file. The libraries for S3 and Google Storage are the extra
``slugcheck[remote]``. They find credentials and endpoints in their usual places; without any,
access is anonymous.
"""

from __future__ import annotations

import importlib
import logging
import math
import os
import statistics
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slugcheck import extras
from slugcheck.errors import MeasureError, NetworkError, UsageError
from slugcheck.model import Artifact, Estimate, ModelFile, ModelPlace
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.urls import (
    RefusedError,
    TooLargeError,
    origin_of,
    redact,
    split_credentials,
)
from slugcheck.project.archive import deflated
from slugcheck.project.model_files import Found, Local, is_model
from slugcheck.text import printable

Span = Callable[[int, int], bytes]  # the bytes from one offset up to another

# Larger files are sampled. A core compresses some 25 MB of weights a second.
LOCAL_WHOLE_BYTES = 256 * 10**6
REMOTE_WHOLE_BYTES = 16 * 2**20
_BLOCK = 2**20
_LOCAL_BLOCKS, _REMOTE_BLOCKS = 64, 16
# Twice the standard error covers 95 of 100 means; half a percent for what a sample cannot see, such
# as the window of 32 KiB that each block starts without.
_STANDARD_ERRORS = 2.0
_LEAST_PERCENT = 0.5
_DENSEST = 1032  # deflate's largest factor (zlib, Technical Details)
_CONNECT_SECONDS, _READ_SECONDS = 4, 8
# The libraries retry for a minute and more, which is too long for a command line.
_ANSWER_SECONDS = 6  # to look up an object
_LIST_SECONDS = 10  # to list a bucket
_SPAN_SECONDS = 60  # to read some MiB of a file
_MAGIC = frozenset("*?[")
_MODULES = {"s3": "s3fs", "gs": "gcsfs"}
_TITLES = {"s3": "S3", "gs": "Google Storage"}
_KEYS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login",
}
_ENDPOINTS = {"s3": "AWS_ENDPOINT_URL and AWS_REGION", "gs": "STORAGE_EMULATOR_HOST"}
# What the libraries raise, by the names of the classes and their base classes.
_UNREACHABLE = frozenset(
    "EndpointConnectionError ConnectTimeoutError ConnectionClosedError ProxyConnectionError "
    "HTTPClientError ClientConnectionError TransportError ConnectionError".split()
)
_SLOW = frozenset("ReadTimeoutError ServerTimeoutError TimeoutError FSTimeoutError".split())
_UNUSABLE_KEYS = frozenset(
    "ProfileNotFound ConfigParseError ConfigNotFound PartialCredentialsError NoCredentialsError "
    "CredentialRetrievalError TokenRetrievalError SSOError GoogleAuthError".split()
)


def of_file(path: Path, size: int) -> tuple[Estimate[int], str]:
    """Return the compressed size of a local file in bytes, and how it is known.

    :raises MeasureError: it cannot be read, or changes meanwhile.
    """
    if size <= LOCAL_WHOLE_BYTES:
        return Estimate[int].measured(deflated(path)), "compressed whole"
    try:
        with path.open("rb") as stream:

            def span(start: int, stop: int) -> bytes:
                stream.seek(start)
                return stream.read(stop - start)

            return sampled(size, span, blocks=_LOCAL_BLOCKS)
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise MeasureError(message, hint="make it readable, or name another file") from None


def of_bytes(data: bytes) -> tuple[Estimate[int], str]:
    """Return the compressed size of some content in bytes, and how it is known."""
    return Estimate[int].measured(len(zlib.compress(data, 6))), "compressed whole"


def sampled(size: int, span: Span, *, blocks: int) -> tuple[Estimate[int], str]:
    """Return the compressed size of a file of ``size`` bytes, from evenly spread blocks of a MiB.

    The interval is twice the standard error of the blocks' mean, at least half a percent.

    :raises MeasureError: a span is shorter than the size says.
    """
    step = (size - _BLOCK) / (blocks - 1)
    ratios = []
    for number in range(blocks):
        start = int(number * step)
        data = span(start, start + _BLOCK)
        if len(data) != _BLOCK:
            message = "a model file shrank while it was read"
            raise MeasureError(message, hint="run it again when nothing writes to it")
        ratios.append(len(zlib.compress(data, 6)) / _BLOCK)
    mean = statistics.fmean(ratios)
    error = _STANDARD_ERRORS * statistics.stdev(ratios) / math.sqrt(blocks)
    margin = max(error, mean * _LEAST_PERCENT / 100)
    low, high = max(mean - margin, 0.0), min(mean + margin, 1.001)  # deflate adds 5 bytes in 16 KB
    estimate = Estimate.predicted(round(size * mean), int(size * low), math.ceil(size * high))
    return estimate, f"from a sample of {blocks} of {math.ceil(size / _BLOCK):,} MiB"


# --------------------------------------------------------------------------- on servers


def read(url: str, *, offline: bool = False) -> list[ModelFile]:
    """Return the model files that a URL names, with their sizes on disk and in the slug.

    ``s3://`` and ``gs://`` URLs may contain globs, or name a folder for its files of known kinds.

    :raises NetworkError: the server cannot be reached, or refuses.
    :raises UsageError: the extra ``slugcheck[remote]`` is not installed, or nothing matches.
    """
    scheme, _, path = url.partition("://")
    scheme = scheme.lower()
    # a question mark in a bucket's address is a glob, unless the address is signed
    shown = redact(url) if scheme not in _TITLES or "=" in path or "@" in path else printable(url)
    if offline:
        message = f"{shown} is on a server, which --offline excludes"
        raise NetworkError(message, hint="download it and name the file")
    if scheme in _TITLES:
        return _from_bucket(path, scheme, shown)
    return [_from_http(url, shown)]


# --------------------------------------------------------------------------- https


def _from_http(url: str, shown: str) -> ModelFile:
    clean, credentials = split_credentials(url)
    known = {origin_of(clean): credentials} if credentials else None
    with HttpClient(credentials=known) as client:
        artifact = Artifact(filename=shown, url=clean, size=None, sha256=None)
        try:
            with client.open_file(artifact) as source:
                size = source.size
                slug, method = _compressed(size, source.span)
        except TooLargeError as error:
            if error.size is None:
                raise
            size, method = error.size, "size only: the server sends no parts of the file"
            slug = Estimate.predicted(size, size // _DENSEST, size + size // 1000)
        except RefusedError as error:
            raise NetworkError(str(error), hint=_hint(error)) from None
    return _model(shown, size, slug, method)


def _hint(error: RefusedError) -> str | None:
    """Return the hint for a model's address; the hints of an index do not apply."""
    match error.status:
        case 401:
            return "put credentials into the address (https://user:password@host/) or into netrc"
        case 403:
            return "check the permissions; a signed address expires"
        case 404 | 410:
            return "check the address"
        case _:
            return error.hint


# --------------------------------------------------------------------------- buckets


def _from_bucket(path: str, scheme: str, shown: str) -> list[ModelFile]:
    bucket, _, key = path.partition("/")
    if not bucket:
        raise UsageError(f"{scheme}:// has no bucket", hint=f"write {scheme}://bucket/model.onnx")
    if "@" in bucket:
        message = f"{shown}: a bucket's address cannot contain a user and password"
        raise UsageError(message, hint=_KEYS[scheme])
    with _explained(scheme, shown):
        files = _filesystem(scheme)
        sizes = _objects(files, f"{bucket}/{key}".rstrip("/"), shown, scheme)
        return [_of_object(files, scheme, one, size) for one, size in sizes.items()]


def _objects(files: Any, path: str, shown: str, scheme: str) -> dict[str, int]:
    """Return the objects that a path names, with their sizes, sorted."""
    if _MAGIC & set(path):
        found = _listed(files.glob, path)
        why = "no match"
    else:
        below = _object(files, path) or _listed(files.find, path)
        found = {one: size for one, size in below.items() if one == path or is_model(one)}
        why = "no such object, and no model file below it"
    if found:
        return found
    bucket = path.partition("/")[0]
    if _is_missing(files, bucket):
        message = f"{_TITLES[scheme]} has no bucket {printable(bucket)}"
        raise UsageError(message, hint=f"check its name, and {_ENDPOINTS[scheme]}")
    raise UsageError(f"{shown}: {why}", hint="check the bucket and the name")


def _listed(ask: Callable[..., Any], path: str) -> dict[str, int]:
    try:
        return _sizes(ask(path, detail=True, timeout=_LIST_SECONDS))
    except FileNotFoundError:
        return {}


def _object(files: Any, path: str) -> dict[str, int]:
    if "/" not in path:
        return {}
    try:
        about = files.info(path, timeout=_ANSWER_SECONDS)
    except FileNotFoundError:
        return {}
    return _sizes({path: about})


def _sizes(found: Mapping[str, Any]) -> dict[str, int]:
    files = (one for one in sorted(found) if found[one]["type"] == "file")
    return {one: int(found[one]["size"]) for one in files if not one.endswith("/")}


def _is_missing(files: Any, bucket: str) -> bool:
    if _MAGIC & set(bucket):
        return False
    try:
        files.ls(bucket, timeout=_LIST_SECONDS)
    except FileNotFoundError:
        return True
    except Exception:
        return False  # a bucket's objects may be readable without permission to list them
    return False


def _of_object(files: Any, scheme: str, path: str, size: int) -> ModelFile:
    def span(start: int, stop: int) -> bytes:
        if start == stop:
            return b""  # servers refuse an empty range, or send everything
        data: bytes = files.cat_file(path, start=start, end=stop, timeout=_SPAN_SECONDS)
        return data

    slug, method = _compressed(size, span)
    return _model(f"{scheme}://{path}", size, slug, method)


def require_library(url: str) -> None:
    """Check that what reads from the server of a URL is installed, before anything slow begins.

    :raises UsageError: the extra ``slugcheck[remote]`` is not installed.
    """
    scheme = url.partition("://")[0].lower()
    if scheme in _TITLES:
        extras.require("remote", f"a model on {_TITLES[scheme]}", "fsspec", _MODULES[scheme])


def _filesystem(scheme: str) -> Any:
    for name in ("fsspec", "s3fs", "gcsfs", "aiobotocore", "google.auth"):
        # they log retries with the address, which may hold credentials
        logging.getLogger(name).addHandler(logging.NullHandler())
    require_library(scheme)
    return _s3() if scheme == "s3" else _google()


def _s3() -> Any:
    import botocore.session
    import fsspec

    # one short question to the machine's own metadata service, which most machines do not have
    os.environ.setdefault("AWS_METADATA_SERVICE_TIMEOUT", "1")
    os.environ.setdefault("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
    anonymous = botocore.session.get_session().get_credentials() is None
    config = {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        "retries": {"total_max_attempts": 2, "mode": "standard"},
    }
    # an instance that fsspec caches would not see a changed environment
    files = fsspec.filesystem("s3", anon=anonymous, config_kwargs=config, skip_instance_cache=True)
    files.retries = 1  # its own, on top of those above
    return files


def _google() -> Any:
    # The plain class: the other one asks each bucket's kind over gRPC first, and waits a minute
    # where only the JSON API answers (an emulator, a proxy). The variable leaves gRPC unloaded.
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    os.environ.setdefault("GCE_METADATA_TIMEOUT", "1")
    os.environ.setdefault("GCE_METADATA_DETECT_RETRIES", "1")
    core = importlib.import_module("gcsfs.core")
    emulated = bool(os.environ.get("STORAGE_EMULATOR_HOST"))
    token = "anon" if emulated or not _has_google_credentials() else "google_default"
    return core.GCSFileSystem(token=token, skip_instance_cache=True)


def _has_google_credentials() -> bool:
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    if os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return True  # mistakes in them are reported later
    try:
        google.auth.default()
    except DefaultCredentialsError:
        return False
    return True


@contextmanager
def _explained(scheme: str, shown: str) -> Iterator[None]:
    """Turn the libraries' errors into one sentence, without their texts, which contain URLs."""
    try:
        yield
    except (MeasureError, UsageError):
        raise
    except Exception as error:  # each library raises classes of its own for what a network does
        message, hint = _explanation(error, scheme)
        raise NetworkError(f"{message}: {shown}", hint=hint) from None


def _explanation(error: Exception, scheme: str) -> tuple[str, str]:
    title = _TITLES[scheme]
    names = {one.__name__ for one in type(error).__mro__}
    # gcsfs has no class for a refusal
    refused = isinstance(error, PermissionError) or str(error).startswith("Forbidden")
    status = getattr(error, "code", None) or getattr(error, "status", None)
    if refused or status in (401, 403):
        return f"{title} denies access", f"use other credentials: {_KEYS[scheme]}"
    if isinstance(error, FileNotFoundError) or status == 404:
        return f"not found on {title}", "check the bucket and the name"
    if names & _UNUSABLE_KEYS:
        kind = type(error).__name__
        return f"the credentials for {title} cannot be used ({kind})", _KEYS[scheme]
    if names & _SLOW:
        return f"{title} did not answer in time", f"check the network, and {_ENDPOINTS[scheme]}"
    if names & _UNREACHABLE:
        return f"{title} cannot be reached", f"check the network, and {_ENDPOINTS[scheme]}"
    known = f"{type(error).__name__} {status}" if isinstance(status, int) else type(error).__name__
    return f"{title} cannot be read ({known})", f"check the address, and {_ENDPOINTS[scheme]}"


def _compressed(size: int, span: Span) -> tuple[Estimate[int], str]:
    if size <= REMOTE_WHOLE_BYTES:
        return of_bytes(span(0, size))
    return sampled(size, span, blocks=_REMOTE_BLOCKS)


def _model(shown: str, size: int, slug: Estimate[int], method: str) -> ModelFile:
    return ModelFile(path=shown, bytes=size, slug=slug, place=ModelPlace.REMOTE, method=method)


# --------------------------------------------------------------------------- all models


def measure(found: Found, *, offline: bool = False) -> tuple[ModelFile, ...]:
    """Return every model file, measured.

    :raises MeasureError: one cannot be read, or a server refuses it.
    :raises UsageError: the library for that kind of server is not installed.
    """
    models = [_local(one) for one in found.local]
    if found.remote:
        for named in found.remote:
            models += read(named.text, offline=offline)
    return tuple(models)


def _local(one: Local) -> ModelFile:
    content = one.member.content if one.member is not None else None
    if content is not None:
        slug, method = of_bytes(content)
    else:
        slug, method = of_file(one.path, one.size)
    return ModelFile(
        path=one.shown,
        bytes=one.size,
        slug=slug,
        place=ModelPlace.APP if one.member is not None else ModelPlace.LOCAL,
        method=method,
    )

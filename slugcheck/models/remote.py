"""Model files on servers: s3:// and gs:// through fsspec, https:// through our own reader.

The libraries for S3 and Google Storage are the extra ``slugcheck[remote]``. They find credentials
and endpoints as they do everywhere (environment, configuration files); without any, the bucket is
asked as anybody may. Sizes come from the server, compressibility from spans of the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from slugcheck.errors import MeasureError, NetworkError, UsageError
from slugcheck.index.ranges import HttpClient
from slugcheck.index.ranges.urls import redact, split_credentials
from slugcheck.model import Artifact, Estimate, ModelFile, ModelPlace
from slugcheck.models import compress
from slugcheck.models.find import is_model

# Read whole up to here, beyond it in blocks: a sample is told from measured by its method.
WHOLE_BYTES = 16 * 2**20
_BLOCKS = 16
_CONNECT_SECONDS, _READ_SECONDS = 5, 20
_MAGIC = frozenset("*?[")
_MODULES = {"s3": "s3fs", "gs": "gcsfs"}
_TITLES = {"s3": "S3", "gs": "Google Storage"}


def read(url: str, *, offline: bool = False) -> list[ModelFile]:
    """Return the model files that a URL names, each with its size and what it takes in the slug.

    ``s3://`` and ``gs://`` may hold globs, or name a folder: then its files of known kinds.

    :raises NetworkError: the server cannot be reached, or does not give it.
    :raises UsageError: the extra ``slugcheck[remote]`` is not installed, or nothing matches.
    """
    shown = redact(url)
    if offline:
        message = f"{shown} is on a server, which --offline forbids"
        raise NetworkError(message, hint="download it and name the file")
    scheme = url.partition("://")[0].lower()
    if scheme in ("http", "https"):
        return [_from_http(url, shown)]
    return _from_bucket(url, scheme, shown)


# --------------------------------------------------------------------------- https


def _from_http(url: str, shown: str) -> ModelFile:
    clean, credentials = split_credentials(url)
    known = {_host(clean): credentials} if credentials else None
    with HttpClient(credentials=known) as client:
        artifact = Artifact(filename=shown, url=clean, size=None, sha256=None)
        try:
            with client.open_file(artifact) as source:
                size = source.size
                slug, method = _compressed(size, source.span)
        except MeasureError as error:
            message = str(error)
            raise NetworkError(message, hint=f"check the address {shown}") from None
    return _model(shown, size, slug, method)


def _host(url: str) -> str:
    from slugcheck.index.ranges.urls import host_of

    return host_of(url)


# --------------------------------------------------------------------------- buckets


def _from_bucket(url: str, scheme: str, shown: str) -> list[ModelFile]:
    with _explained(scheme, shown):
        files = _filesystem(scheme)
        return [_of_object(files, scheme, path) for path in _objects(files, url, shown)]


def _objects(files: Any, url: str, shown: str) -> Sequence[str]:
    path = url.partition("://")[2]
    if _MAGIC & set(path):
        found = [one for one in files.glob(path) if not one.endswith("/")]
        if not found:
            raise UsageError(f"{shown}: nothing matches it", hint="check the bucket and the glob")
        return sorted(found)
    if not path.endswith("/") and "/" in path and files.isfile(path):
        return [path]
    below = sorted(one for one in files.find(path) if is_model(one))
    if not below:
        message = f"{shown}: there is no such object, and no model file below it"
        raise UsageError(message, hint="check the bucket and the name")
    return below


def _of_object(files: Any, scheme: str, path: str) -> ModelFile:
    size = int(files.info(path)["size"])

    def span(start: int, stop: int) -> bytes:
        return bytes(files.cat_file(path, start=start, end=stop))

    slug, method = _compressed(size, span)
    return _model(f"{scheme}://{path}", size, slug, method)


def _filesystem(scheme: str) -> Any:
    try:
        import fsspec
    except ImportError:
        raise _missing(scheme) from None
    try:
        return fsspec.filesystem("s3", **_s3()) if scheme == "s3" else _google(fsspec)
    except ImportError:
        raise _missing(scheme) from None


def _missing(scheme: str) -> UsageError:
    message = f"{_TITLES[scheme]} needs {_MODULES[scheme]}, which is not installed"
    return UsageError(message, hint="pip install 'slugcheck[remote]'")


def _s3() -> dict[str, Any]:
    import botocore.session

    # one short question to the machine's own metadata service, which most machines do not have
    os.environ.setdefault("AWS_METADATA_SERVICE_TIMEOUT", "1")
    os.environ.setdefault("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
    anonymous = botocore.session.get_session().get_credentials() is None
    config = {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        "retries": {"max_attempts": 2, "mode": "standard"},
    }
    # an instance that fsspec kept would not see a changed environment
    return {"anon": anonymous, "config_kwargs": config, "skip_instance_cache": True}


def _google(fsspec: Any) -> Any:
    os.environ.setdefault("GCE_METADATA_TIMEOUT", "1")
    os.environ.setdefault("GCE_METADATA_DETECT_RETRIES", "1")
    options: dict[str, Any] = {"skip_instance_cache": True, "timeout": _READ_SECONDS}
    if os.environ.get("STORAGE_EMULATOR_HOST") or not _has_google_credentials():
        options["token"] = "anon"  # noqa: S105 - says that there is none
    return fsspec.filesystem("gs", **options)


def _has_google_credentials() -> bool:
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        google.auth.default()
    except GoogleAuthError:
        return False
    return True


@contextmanager
def _explained(scheme: str, shown: str) -> Iterator[None]:
    """Turn what the libraries raise into one sentence, without their texts, which hold URLs."""
    title = _TITLES[scheme]
    try:
        yield
    except (MeasureError, UsageError):
        raise
    except FileNotFoundError:
        message = f"{title} does not have {shown}"
        raise NetworkError(message, hint="check the bucket, the name and the region") from None
    except PermissionError:
        message = f"{title} refuses access to {shown}"
        hint = "give credentials in the environment, as its own command line takes them"
        raise NetworkError(message, hint=hint) from None
    except Exception as error:
        # each library raises classes of its own for what a network does
        name = type(error).__name__
        status = getattr(error, "code", None) or getattr(error, "status", None)
        why = f"{name} {status}" if isinstance(status, int) else name
        message = f"{title} cannot be read at {shown} ({why})"
        raise NetworkError(
            message, hint="check the connection, the endpoint and the bucket"
        ) from error


# --------------------------------------------------------------------------- both


def _compressed(size: int, span: compress.Span) -> tuple[Estimate[int], str]:
    if size <= WHOLE_BYTES:
        return compress.of_bytes(span(0, size))
    return compress.sampled(size, span, blocks=_BLOCKS)


def _model(shown: str, size: int, slug: Estimate[int], method: str) -> ModelFile:
    return ModelFile(path=shown, bytes=size, slug=slug, place=ModelPlace.REMOTE, method=method)

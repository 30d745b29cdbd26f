"""Model files: which of the app's files are models, and how large the named ones are.

A model is a file of a known kind in the app, or one that the settings or the command line name,
here or on a server. Sizes are bytes; a large model's compressed size comes from a sample.
"""

from __future__ import annotations

import glob
import importlib
import logging
import math
import os
import re
import stat
import statistics
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from slugcheck import extras, reading
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
from slugcheck.project import onnx_files
from slugcheck.project.archive import Member, deflated
from slugcheck.text import printable

# The kinds that are recognised by their names. ``.onnx.data`` and ``.onnx_data`` hold the weights
# of an ONNX file beside it (ONNX, "External data").
_KINDS = (
    ".onnx", ".pt", ".pth", ".torchscript", ".pt2", ".safetensors", ".h5", ".keras", ".tflite",
    ".pkl", ".joblib", ".bin", ".gguf", ".onnx.data", ".onnx_data",
)  # fmt: skip
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
REMOTE = ("s3", "gs", "https", "http")
# TensorFlow writes a model as a folder with one of these; its weights are in folders below.
_SAVED_MODEL = frozenset({"saved_model.pb", "saved_model.pbtxt"})
_QUOTED = 120
_MOST_ONNX = 50  # models that are read for the files of their weights
_MOST_UP = 2  # folders up that a shown path may climb: ../../models/a.onnx


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A model as it was named: the text, and the folder that relative paths start from.

    ``within`` is a folder that files must be in; None: any. ``remote`` allows the address of a
    server, ``optional`` allows a missing file.
    """

    text: str
    base: Path
    origin: str = "--model"
    within: Path | None = None
    remote: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A model file of this machine; ``member`` when it is among the app's files.

    ``path`` is the file itself if a link was named: compression follows no links. ``weights_of`` is
    the ONNX model that keeps its weights in this file.
    """

    shown: str
    path: Path
    size: int
    member: Member | None = None
    weights_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSources:
    """The model files, each once. ``remote`` are URLs, which may contain credentials.

    ``missing`` are files that an ONNX model of the app keeps weights in and that are not pushed:
    (file, model).
    """

    local: tuple[Local, ...] = ()
    remote: tuple[Named, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()

    @property
    def in_app(self) -> frozenset[str]:
        """The relative paths of those that are among the app's files."""
        return frozenset(file.member.path for file in self.local if file.member is not None)


class _Missing(UsageError):
    """A named model is missing."""


def is_remote(text: str) -> bool:
    """Whether a named model is the address of a server."""
    scheme = _SCHEME.match(text)
    return scheme is not None and scheme[1].lower() in REMOTE


def is_model(path: str) -> bool:
    """Whether a file's name is that of a known kind of model file.

    Other files are called .bin, .pkl and .h5 too. Their size in the slug is the same and the advice
    on storage applies to them as well, so the name is enough.
    """
    return path.lower().endswith(_KINDS)


def find(named: Iterable[Named], folder: Path | None, app: Sequence[Member] = ()) -> ModelSources:
    """Return the models of an app in ``folder``: known kinds among its files, and those named.

    ``app`` are the app's files as they are pushed. A named file may be of any kind; a named folder
    stands for the known kinds below it, and for all of a TensorFlow SavedModel.

    :raises UsageError: paths or globs match nothing or cannot be read; lists every mistake.
    """
    own = {_real(member.disk): member for member in app if member.link is None}
    saved = _saved_models(own.values())
    local = {
        path: Local(shown=member.path, path=member.disk, size=member.size, member=member)
        for path, member in own.items()
        if is_model(member.path) or not saved.isdisjoint(PurePosixPath(member.path).parents)
    }
    remote: dict[str, Named] = {}
    mistakes: list[UsageError] = []
    for model in named:
        scheme = _SCHEME.match(model.text)
        if is_remote(model.text) and model.remote:
            remote.setdefault(model.text, model)
            continue
        try:
            paths = _local(model) if not scheme else _refuse(model, scheme[1])
        except _Missing as error:
            mistakes += [] if model.optional else [error]
            continue
        except UsageError as error:
            mistakes.append(error)
            continue
        except (OSError, RuntimeError) as error:  # RuntimeError: ~name of nobody
            mistakes.append(_unreadable(model, error))
            continue
        try:
            for path in paths:
                real = _real(path)
                local.setdefault(real, _local_model(path, folder, own.get(real)))
        except UsageError as error:
            mistakes.append(error)
        except (OSError, RuntimeError) as error:
            mistakes.append(_unreadable(model, error))
    if mistakes:
        raise UsageError("\n".join(map(str, mistakes)), hint=mistakes[0].hint)
    missing = _add_weights(local, own, folder)
    return ModelSources(
        local=tuple(sorted(local.values(), key=lambda file: file.shown)),
        remote=tuple(remote.values()),
        missing=missing,
    )


def _add_weights(
    local: dict[str, Local], own: Mapping[str, Member], folder: Path | None
) -> tuple[tuple[str, str], ...]:
    """Add the files that ONNX models keep their weights in; return those that are missing.

    Where they lead out of the model's folder, by a link, they are passed over.
    """
    missing: list[tuple[str, str]] = []
    onnx = [file for file in local.values() if file.path.name.lower().endswith(".onnx")]
    for model in onnx[:_MOST_ONNX]:
        if model.member is not None and model.member.content is not None:
            continue  # a Git LFS pointer
        home = Path(_real(model.path)).parent
        for name in onnx_files.external_files(model.path):
            path = home / name
            real = _real(path)
            if not Path(real).is_relative_to(home):
                continue
            member = own.get(real)
            if real not in local and member is None and (model.member or not Path(real).is_file()):
                if model.member is not None:
                    missing.append((str(PurePosixPath(model.shown).parent / name), model.shown))
                continue
            known = local.get(real) or _local_model(path, folder, member)
            local[real] = replace(known, weights_of=model.shown)
    return tuple(missing)


def unpushed(folder: Path, counted: ModelSources, files: Iterable[str]) -> tuple[str, ...]:
    """Return the model files among ``files`` below ``folder`` that are not counted."""
    known = {_real(file.path) for file in counted.local}
    return tuple(
        path
        for path in files
        if is_model(path)
        and not (folder / path).is_symlink()  # its target may be any file of this machine
        and (folder / path).is_file()
        and _real(folder / path) not in known
    )


# --------------------------------------------------------------------------- named files


def _local(named: Named) -> tuple[Path, ...]:
    if not named.text.strip():
        raise UsageError(f"{named.origin} is empty", hint="name a file, a folder or a glob")
    _refuse_outside(named)
    path = named.base / Path(named.text).expanduser()
    if _is_inside(path, named.within):
        if path.is_file():
            return (path,)
        if path.is_dir():
            return _below(named, path)
    text = os.path.expanduser(named.text)  # noqa: PTH111 - a glob is no path
    # Path.glob takes no absolute pattern
    matches = sorted(glob.glob(text, root_dir=named.base, recursive=True))  # noqa: PTH207 - absolute ones too
    paths = [named.base / match for match in matches]
    # matches beyond a link stay hidden: neither their names nor their existence is shown
    paths = [path for path in paths if _is_inside(path.parent, named.within)]
    files = [inner for path in paths for inner in _matched(path, named.within)]
    if not files:
        message = f"{named.origin} {_shown(named.text)}: file not found"
        if glob.has_magic(named.text):
            message = f"{named.origin} {_shown(named.text)}: no match"
        hint = (
            f"paths start from {_shown(str(named.base))}; quote a glob so that the shell leaves it"
        )
        raise _Missing(message, hint=hint)
    return tuple(files)


def _refuse_outside(named: Named) -> None:
    """Check where a path or a glob begins, before anything is searched.

    :raises UsageError: it begins outside of ``within``.
    """
    if named.within is None:
        return
    if named.text.startswith("~"):
        raise _outside(named, "is outside the checkout")
    parts = Path(named.text).parts
    plain = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    try:
        reading.real(named.base / Path(*parts[:plain]), named.within)
    except reading.Refused as error:
        raise _outside(named, error.why) from None


def _outside(named: Named, why: str) -> UsageError:
    message = f"{named.origin} {_shown(named.text)} {why}"
    return UsageError(message, hint="name the file itself on the command line: --model PATH")


def _is_inside(path: Path, within: Path | None) -> bool:
    return within is None or not reading.leaves(path, within)


def _matched(path: Path, within: Path | None) -> list[Path]:
    if within is not None:
        reading.real(path, within)
    return _models_below(path, within) if path.is_dir() else [path]


def _below(named: Named, folder: Path) -> tuple[Path, ...]:
    paths = _models_below(folder, named.within)
    if not paths:
        message = f"{named.origin} {_shown(named.text)}: no file of a known kind in this folder"
        raise UsageError(message, hint=f"name the files; known kinds: {' '.join(_KINDS[:-2])}")
    return tuple(paths)


def _models_below(folder: Path, within: Path | None) -> list[Path]:
    every = _walk(folder, within)
    saved = frozenset(path.parent for path in every if path.name in _SAVED_MODEL)
    return [path for path in every if is_model(path.name) or not saved.isdisjoint(path.parents)]


def _walk(folder: Path, within: Path | None) -> list[Path]:
    """Return the files below a folder; links to folders are followed, each folder is read once.

    Links out of ``within`` are skipped.

    :raises OSError: a folder cannot be read.
    """
    files: list[Path] = []
    seen: set[str] = set()

    def stop(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, followlinks=True, onerror=stop):
        seen.add(_real(Path(place)))
        inside = [name for name in folders if _is_inside(Path(place, name), within)]
        folders[:] = sorted(name for name in inside if _real(Path(place, name)) not in seen)
        paths = (Path(place, name) for name in sorted(names))
        files += (path for path in paths if _is_inside(path, within) and path.is_file())
    return files


def _saved_models(members: Iterable[Member]) -> frozenset[PurePosixPath]:
    """Return the folders of an app that are a TensorFlow SavedModel; not the app itself."""
    paths = (PurePosixPath(member.path) for member in members)
    places = (path.parent for path in paths if path.name in _SAVED_MODEL)
    return frozenset(place for place in places if place.parts)


def _local_model(path: Path, folder: Path | None, member: Member | None) -> Local:
    if member is not None:
        return Local(shown=member.path, path=path, size=member.size, member=member)
    shown = _relative(path, folder)
    try:
        real = path.resolve(strict=True)
        about = real.stat()
    except OSError as error:
        message = f"{_shown(shown)} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="check the file and its permissions") from None
    if not stat.S_ISREG(about.st_mode):
        message = f"{_shown(shown)} is not a regular file"
        raise UsageError(message, hint="name a file, a folder or a glob")
    return Local(shown=shown, path=real, size=about.st_size)


def _relative(path: Path, folder: Path | None) -> str:
    """Return a path as seen from the app or from the current folder; its end from far away."""
    named = os.path.abspath(path)  # noqa: PTH100 - a link is shown by its own name
    places = [place.resolve() for place in (folder, Path.cwd()) if place is not None]
    for place in places:
        for spelling in (Path(named), path.resolve()):
            if spelling.is_relative_to(place):
                return spelling.relative_to(place).as_posix()
    seen = Path(os.path.relpath(named))
    if seen.parts[: _MOST_UP + 1] == ("..",) * (_MOST_UP + 1):
        return f"…/{path.parent.name}/{path.name}"
    return seen.as_posix()


def _unreadable(named: Named, error: Exception) -> UsageError:
    why = getattr(error, "strerror", None) or "no such user"
    message = f"{named.origin} {_shown(named.text)} cannot be read: {why}"
    return UsageError(message, hint="check the path and its permissions")


def _refuse(named: Named, scheme: str) -> tuple[Path, ...]:
    if scheme.lower() in REMOTE:
        message = (
            f"{named.origin} {_shown(named.text)} is on a server, and slugcheck does not contact "
            "servers that the checked project names"
        )
        hint = "name it on the command line (--model URL), or allow all with --remote-models"
        raise UsageError(message, hint=hint)
    message = f"{named.origin} {_shown(named.text)}: {printable(scheme)}:// is not supported"
    raise UsageError(message, hint="name a path, or an s3://, gs:// or https:// address")


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _shown(text: str) -> str:
    return printable(text[:_QUOTED])


# --------------------------------------------------------------------------- compressed sizes


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


def size_of_file(path: Path, size: int) -> tuple[Estimate[int], str]:
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


def size_of_bytes(data: bytes) -> tuple[Estimate[int], str]:
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
        return [_of_object(files, scheme, name, size) for name, size in sizes.items()]


def _objects(files: Any, path: str, shown: str, scheme: str) -> dict[str, int]:
    """Return the objects that a path names, with their sizes, sorted."""
    if _MAGIC & set(path):
        sizes = _listed(files.glob, path)
        why = "no match"
    else:
        below = _object(files, path) or _listed(files.find, path)
        sizes = {name: size for name, size in below.items() if name == path or is_model(name)}
        why = "no such object, and no model file below it"
    if sizes:
        return sizes
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


def _sizes(details: Mapping[str, Any]) -> dict[str, int]:
    files = (name for name in sorted(details) if details[name]["type"] == "file")
    return {name: int(details[name]["size"]) for name in files if not name.endswith("/")}


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
    names = {base.__name__ for base in type(error).__mro__}
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
        return size_of_bytes(span(0, size))
    return sampled(size, span, blocks=_REMOTE_BLOCKS)


def _model(shown: str, size: int, slug: Estimate[int], method: str) -> ModelFile:
    return ModelFile(path=shown, bytes=size, slug=slug, place=ModelPlace.REMOTE, method=method)


# --------------------------------------------------------------------------- all models


def measure(sources: ModelSources, *, offline: bool = False) -> tuple[ModelFile, ...]:
    """Return every model file, measured.

    :raises MeasureError: one cannot be read, or a server refuses it.
    :raises UsageError: the library for that kind of server is not installed.
    """
    models = [_local_size(file) for file in sources.local]
    if sources.remote:
        for named in sources.remote:
            models += read(named.text, offline=offline)
    return tuple(models)


def _local_size(file: Local) -> ModelFile:
    content = file.member.content if file.member is not None else None
    if content is not None:
        slug, method = size_of_bytes(content)
    else:
        slug, method = size_of_file(file.path, file.size)
    weights = f"weights of {printable(file.weights_of)}, " if file.weights_of else ""
    return ModelFile(
        path=file.shown,
        bytes=file.size,
        slug=slug,
        place=ModelPlace.APP if file.member is not None else ModelPlace.LOCAL,
        method=f"{weights}{method}",
    )

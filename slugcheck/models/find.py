"""Which files are models: known kinds among the app's files, and whatever is named."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import UsageError
from slugcheck.escape import printable
from slugcheck.packed import Member

# The kinds that are recognised by their names. ``.onnx.data`` and ``.onnx_data`` hold the weights
# of an ONNX file beside it (ONNX, "External data").
_KINDS = (
    ".onnx", ".pt", ".pth", ".torchscript", ".pt2", ".safetensors", ".h5", ".keras", ".tflite",
    ".pkl", ".joblib", ".bin", ".gguf", ".onnx.data", ".onnx_data",
)  # fmt: skip
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
REMOTE = ("s3", "gs", "https", "http")
# TensorFlow writes a model as a folder with this file.
_SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
_QUOTED = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What was named as a model: the text, and the folder that relative paths start from."""

    text: str
    base: Path
    origin: str = "--model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A model file of this machine; ``member`` when it is among the app's files."""

    shown: str
    path: Path
    size: int
    member: Member | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The model files, each once. ``remote`` are URLs, which may hold credentials."""

    local: tuple[Local, ...] = ()
    remote: tuple[Named, ...] = ()

    @property
    def in_app(self) -> frozenset[str]:
        """The relative paths of those that are among the app's files."""
        return frozenset(one.member.path for one in self.local if one.member is not None)


def is_model(path: str) -> bool:
    """Whether a file's name is that of a known kind of model file."""
    return path.lower().endswith(_KINDS)


def find(named: Iterable[Named], folder: Path | None, app: Sequence[Member] = ()) -> Found:
    """Return the models of an app in ``folder``: known kinds among its files, and those named.

    ``app`` are the app's files as they are pushed. A named file counts whatever its kind is; a
    named folder stands for the known kinds below it.

    :raises UsageError: a path or a glob matches nothing; every mistake is told.
    """
    own = {_real(member.disk): member for member in app if member.link is None}
    local = {
        path: Local(shown=member.path, path=member.disk, size=member.size, member=member)
        for path, member in own.items()
        if is_model(member.path)
    }
    remote: dict[str, Named] = {}
    mistakes = []
    for one in named:
        scheme = _SCHEME.match(one.text)
        if scheme and scheme[1].lower() in REMOTE:
            remote.setdefault(one.text, one)
            continue
        try:
            paths = _local(one) if not scheme else _refuse(one, scheme[1])
        except UsageError as error:
            mistakes.append(error)
            continue
        for path in paths:
            local.setdefault(_real(path), _local_model(path, folder, own.get(_real(path))))
    if mistakes:
        raise UsageError("\n".join(map(str, mistakes)), hint=mistakes[0].hint)
    return Found(
        local=tuple(sorted(local.values(), key=lambda one: one.shown)),
        remote=tuple(remote.values()),
    )


def unpushed(folder: Path, found: Found, files: Iterable[str]) -> tuple[str, ...]:
    """Return the model files among ``files`` below ``folder`` that are not counted."""
    known = {_real(one.path) for one in found.local}
    return tuple(
        path
        for path in files
        if is_model(path) and (folder / path).is_file() and _real(folder / path) not in known
    )


# --------------------------------------------------------------------------- what a text names


def _local(one: Named) -> tuple[Path, ...]:
    path = one.base / Path(one.text).expanduser()
    if path.is_file():
        return (path,)
    if path.is_dir():
        return _below(one, path)
    text = os.path.expanduser(one.text)  # noqa: PTH111 - a glob is no path
    # Path.glob takes no absolute pattern
    matches = sorted(glob.glob(text, root_dir=one.base, recursive=True))  # noqa: PTH207
    found = [inner for match in matches for inner in _matched(one.base / match)]
    if not found:
        message = f"{one.origin} {_shown(one.text)}: there is no such file"
        if glob.has_magic(one.text):
            message = f"{one.origin} {_shown(one.text)}: nothing matches it"
        hint = f"paths start from {_shown(str(one.base))}; quote a glob so that the shell leaves it"
        raise UsageError(message, hint=hint)
    return tuple(found)


def _matched(path: Path) -> tuple[Path, ...]:
    return tuple(_models_below(path)) if path.is_dir() else (path,)


def _below(one: Named, folder: Path) -> tuple[Path, ...]:
    found = _models_below(folder)
    if not found:
        message = f"{one.origin} {_shown(one.text)}: the folder holds no file of a known kind"
        raise UsageError(message, hint=f"name the files; known kinds are {' '.join(_KINDS[:-2])}")
    return tuple(found)


def _models_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        here = [Path(place) / name for name in sorted(names)]
        if any(name in _SAVED_MODEL for name in names):
            # such a model's weights are in folders below it
            found += [path for path in sorted(Path(place).rglob("*")) if path.is_file()]
            folders.clear()
        else:
            found += [path for path in here if is_model(path.name) and path.is_file()]
    return found


def _local_model(path: Path, folder: Path | None, member: Member | None) -> Local:
    if member is not None:
        return Local(shown=member.path, path=path, size=member.size, member=member)
    try:
        size = path.stat().st_size
    except OSError as error:
        message = f"{_shown(str(path))} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="check the file and its permissions") from None
    return Local(shown=_relative(path, folder), path=path, size=size)


def _relative(path: Path, folder: Path | None) -> str:
    """Return a path as seen from the app or from the current folder; its name from elsewhere."""
    real = path.resolve()
    for place in (folder, Path.cwd()):
        if place is not None and real.is_relative_to(place.resolve()):
            return real.relative_to(place.resolve()).as_posix()
    return os.path.relpath(path) if len(path.parts) < 4 else f"…/{path.parent.name}/{path.name}"


def _refuse(one: Named, scheme: str) -> tuple[Path, ...]:
    message = f"{one.origin} {_shown(one.text)}: {printable(scheme)}:// is not supported"
    raise UsageError(message, hint="name a path, or an s3://, gs:// or https:// address")


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _shown(text: str) -> str:
    return printable(text[:_QUOTED])

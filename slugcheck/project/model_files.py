"""Which files are models: known kinds among the app's files, and the named ones."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from slugcheck import reading
from slugcheck.errors import UsageError
from slugcheck.project.archive import Member
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

    ``path`` is the file itself if a link was named: compression follows no links.
    """

    shown: str
    path: Path
    size: int
    member: Member | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The model files, each once. ``remote`` are URLs, which may contain credentials."""

    local: tuple[Local, ...] = ()
    remote: tuple[Named, ...] = ()

    @property
    def in_app(self) -> frozenset[str]:
        """The relative paths of those that are among the app's files."""
        return frozenset(one.member.path for one in self.local if one.member is not None)


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


def find(named: Iterable[Named], folder: Path | None, app: Sequence[Member] = ()) -> Found:
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
    for one in named:
        scheme = _SCHEME.match(one.text)
        if is_remote(one.text) and one.remote:
            remote.setdefault(one.text, one)
            continue
        try:
            paths = _local(one) if not scheme else _refuse(one, scheme[1])
        except _Missing as error:
            mistakes += [] if one.optional else [error]
            continue
        except UsageError as error:
            mistakes.append(error)
            continue
        except (OSError, RuntimeError) as error:  # RuntimeError: ~name of nobody
            mistakes.append(_unreadable(one, error))
            continue
        try:
            for path in paths:
                real = _real(path)
                local.setdefault(real, _local_model(path, folder, own.get(real)))
        except UsageError as error:
            mistakes.append(error)
        except (OSError, RuntimeError) as error:
            mistakes.append(_unreadable(one, error))
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
        if is_model(path)
        and not (folder / path).is_symlink()  # its target may be any file of this machine
        and (folder / path).is_file()
        and _real(folder / path) not in known
    )


# --------------------------------------------------------------------------- named files


def _local(one: Named) -> tuple[Path, ...]:
    if not one.text.strip():
        raise UsageError(f"{one.origin} is empty", hint="name a file, a folder or a glob")
    _refuse_outside(one)
    path = one.base / Path(one.text).expanduser()
    if _is_inside(path, one.within):
        if path.is_file():
            return (path,)
        if path.is_dir():
            return _below(one, path)
    text = os.path.expanduser(one.text)  # noqa: PTH111 - a glob is no path
    # Path.glob takes no absolute pattern
    matches = sorted(glob.glob(text, root_dir=one.base, recursive=True))  # noqa: PTH207 - absolute ones too
    paths = [one.base / match for match in matches]
    # matches beyond a link stay hidden: neither their names nor their existence is shown
    paths = [path for path in paths if _is_inside(path.parent, one.within)]
    found = [inner for path in paths for inner in _matched(path, one.within)]
    if not found:
        message = f"{one.origin} {_shown(one.text)}: file not found"
        if glob.has_magic(one.text):
            message = f"{one.origin} {_shown(one.text)}: no match"
        hint = f"paths start from {_shown(str(one.base))}; quote a glob so that the shell leaves it"
        raise _Missing(message, hint=hint)
    return tuple(found)


def _refuse_outside(one: Named) -> None:
    """Check where a path or a glob begins, before anything is searched.

    :raises UsageError: it begins outside of ``within``.
    """
    if one.within is None:
        return
    if one.text.startswith("~"):
        raise _outside(one, "is outside the checkout")
    parts = Path(one.text).parts
    plain = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    try:
        reading.real(one.base / Path(*parts[:plain]), one.within)
    except reading.Refused as error:
        raise _outside(one, error.why) from None


def _outside(one: Named, why: str) -> UsageError:
    message = f"{one.origin} {_shown(one.text)} {why}"
    return UsageError(message, hint="name the file itself on the command line: --model PATH")


def _is_inside(path: Path, within: Path | None) -> bool:
    return within is None or not reading.leaves(path, within)


def _matched(path: Path, within: Path | None) -> list[Path]:
    if within is not None:
        reading.real(path, within)
    return _models_below(path, within) if path.is_dir() else [path]


def _below(one: Named, folder: Path) -> tuple[Path, ...]:
    found = _models_below(folder, one.within)
    if not found:
        message = f"{one.origin} {_shown(one.text)}: no file of a known kind in this folder"
        raise UsageError(message, hint=f"name the files; known kinds: {' '.join(_KINDS[:-2])}")
    return tuple(found)


def _models_below(folder: Path, within: Path | None) -> list[Path]:
    every = _walk(folder, within)
    saved = frozenset(path.parent for path in every if path.name in _SAVED_MODEL)
    return [path for path in every if is_model(path.name) or not saved.isdisjoint(path.parents)]


def _walk(folder: Path, within: Path | None) -> list[Path]:
    """Return the files below a folder; links to folders are followed, each folder is read once.

    Links out of ``within`` are skipped.

    :raises OSError: a folder cannot be read.
    """
    found: list[Path] = []
    seen: set[str] = set()

    def stop(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, followlinks=True, onerror=stop):
        seen.add(_real(Path(place)))
        inside = [name for name in folders if _is_inside(Path(place, name), within)]
        folders[:] = sorted(name for name in inside if _real(Path(place, name)) not in seen)
        paths = (Path(place, name) for name in sorted(names))
        found += (path for path in paths if _is_inside(path, within) and path.is_file())
    return found


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
        for one in (Path(named), path.resolve()):
            if one.is_relative_to(place):
                return one.relative_to(place).as_posix()
    seen = Path(os.path.relpath(named))
    if seen.parts[: _MOST_UP + 1] == ("..",) * (_MOST_UP + 1):
        return f"…/{path.parent.name}/{path.name}"
    return seen.as_posix()


def _unreadable(one: Named, error: Exception) -> UsageError:
    why = getattr(error, "strerror", None) or "no such user"
    message = f"{one.origin} {_shown(one.text)} cannot be read: {why}"
    return UsageError(message, hint="check the path and its permissions")


def _refuse(one: Named, scheme: str) -> tuple[Path, ...]:
    if scheme.lower() in REMOTE:
        message = (
            f"{one.origin} {_shown(one.text)} is on a server, and slugcheck does not contact "
            "servers that the checked project names"
        )
        hint = "name it on the command line (--model URL), or allow all with --remote-models"
        raise UsageError(message, hint=hint)
    message = f"{one.origin} {_shown(one.text)}: {printable(scheme)}:// is not supported"
    raise UsageError(message, hint="name a path, or an s3://, gs:// or https:// address")


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _shown(text: str) -> str:
    return printable(text[:_QUOTED])

"""Layers: archives that are deployed beside the bundle and count with it, such as AWS Lambda's.

A layer is a zip archive, a folder, or a size. Bytes are those of the unpacked files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import PlatformError, UsageError, WheelError
from slugcheck.model import Author, Estimate, Part, Platform, Settings
from slugcheck.model.options import Options
from slugcheck.packages.index.zip_directory import read_directory
from slugcheck.sizing.slug_parts import LAYERS
from slugcheck.text import parse_size, plural, printable

_MOST_FILES = 200_000  # of a folder; more than any archive that is read may hold
_QUOTED = 120
# Compressed over plain bytes where only the plain size is known: least, likely, most.
_PACKED = (0.05, 0.4, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A layer as it was named; ``within`` is the folder that it must be in."""

    text: str
    base: Path
    origin: str
    within: Path


def parts(options: Options, own: Settings, platform: Platform, top: Path) -> tuple[Part, ...]:
    """Return one part for each layer of the flags, else of the settings.

    Flags start from the current folder, settings from the folder of their file. ``top`` is the
    folder outside of which no file of the project is read.

    :raises PlatformError: the platform has no layers, or fewer.
    :raises UsageError: a layer is not there, cannot be read, or is not what it should be.
    """
    named = _of_flags(options, top) or _of_settings(own, top)
    if not named:
        return ()
    most = platform.bundle.layers
    if not most:
        message = f"{platform.title} has no layers"
        raise PlatformError(message, hint=f"remove {named[0].origin} {_shown(named[0].text)}")
    if len(named) > most:
        message = f"{platform.title} allows {plural(most, 'layer')}, not {len(named)}"
        raise PlatformError(message, hint="merge some of them")
    return tuple(map(_part, named))


def _of_flags(options: Options, top: Path) -> tuple[_Named, ...]:
    base = Path.cwd()
    return tuple(
        _Named(
            text=text,
            base=base,
            origin="--layer",
            within=top if reading.belongs(_place(base, text), top) else Path("/"),
        )
        for text in options.layers
    )


def _of_settings(own: Settings, top: Path) -> tuple[_Named, ...]:
    if own.origin is None:
        return ()
    base = own.models_from or own.origin.parent
    within = Path("/") if own.author is Author.USER else top
    origin = f"layers in {own.origin.name}:"
    return tuple(_Named(text=t, base=base, origin=origin, within=within) for t in own.layers)


def _place(base: Path, text: str) -> Path:
    return base / os.path.expanduser(text)  # noqa: PTH111 - it may name no user


def _part(named: _Named) -> Part:
    path = _place(named.base, named.text)
    try:
        if reading.is_folder(path, named.within):
            size, packed = _folder_bytes(named, reading.real(path, named.within)), None
        elif reading.is_file(path, named.within):
            size, packed = _archive_bytes(named, path)
        else:
            size, packed = _given_bytes(named), None
    except reading.Refused as error:
        message = f"{named.origin} {_shown(named.text)} {error.why}"
        raise UsageError(message, hint="name the file itself on the command line") from None
    except OSError as error:
        message = f"{named.origin} {_shown(named.text)} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="check its permissions") from None
    low, likely, high = (int(size * share) for share in _PACKED)
    return Part(
        name=f"layer {_shown(named.text)}",
        group=LAYERS,
        installed=Estimate[int].measured(size),
        slug=Estimate[int].predicted(likely, low, high)
        if packed is None
        else Estimate[int].measured(packed),
        note="",
    )


def _given_bytes(named: _Named) -> int:
    try:
        return parse_size(named.text)
    except ValueError:
        message = f"{named.origin} {_shown(named.text)}: no such file or folder, and not a size"
        hint = "name a zip archive or a folder, or give its unpacked size, such as 50MB"
        raise UsageError(message, hint=hint) from None


def _archive_bytes(named: _Named, path: Path) -> tuple[int, int]:
    """Return the unpacked and the packed bytes of a zip archive, from its directory."""
    with reading.opened(path, within=named.within) as stream:

        def span(start: int, stop: int) -> bytes:
            stream.seek(start)
            return stream.read(stop - start)

        try:
            size = os.fstat(stream.fileno()).st_size
            directory = read_directory(span, size, _shown(named.text))
        except WheelError as error:
            hint = "make the archive again, or give its unpacked size, such as 50MB"
            raise UsageError(f"{named.origin} {error}", hint=hint) from None
    members = directory.members
    return sum(member.size for member in members), sum(member.compressed for member in members)


def _folder_bytes(named: _Named, folder: Path) -> int:
    """Return the bytes of the files in a folder; a link counts as a link."""
    total = 0
    for count, size in enumerate(_sizes(folder), 1):
        if count > _MOST_FILES:
            message = f"{named.origin} {_shown(named.text)} has more than {_MOST_FILES:,} files"
            raise UsageError(message, hint="give its unpacked size, such as 50MB")
        total += size
    return total


def _sizes(folder: Path) -> Iterator[int]:
    def refuse(error: OSError) -> None:
        raise error

    for place, _, names in os.walk(folder, onerror=refuse):
        for name in names:
            yield os.lstat(Path(place, name)).st_size


def _shown(text: str) -> str:
    return printable(text[:_QUOTED])

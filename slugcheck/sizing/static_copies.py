"""What ``collectstatic`` makes of static files: copies, hashed copies, and compressed ones.

Django's ManifestStaticFilesStorage leaves each file twice, by its own name and with twelve digits
of its content's hash in it, and a staticfiles.json. WhiteNoise adds a ``.gz`` to each that shrinks
by 5 % or more, and a ``.br`` where Brotli is installed (whitenoise/compress.py, whitenoise 6.12).

Measured with ``benchmarks/static_files.py``, which runs the real collectstatic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slugcheck.model import Entry, Estimate
from slugcheck.sizing import compression

# whitenoise.compress.Compressor.SKIP_COMPRESS_EXTENSIONS
SKIPPED_EXTENSIONS = tuple(
    "jpg jpeg png gif webp zip gz tgz bz2 tbz xz br swf flv woff woff2 3gp 3gpp asf avi m4v mov "
    "mp4 mpeg mpg webm wmv".split()
)
_EFFECTIVE = 0.95  # Compressor.is_compressed_effectively
_GZIP_FRAME = 18
# gzip -9 against the wheel's deflate level, and Brotli's quality 11 against that.
_GZIP_SHARE, _BROTLI_SHARE = 0.995, 0.79
_GZIP_ERROR, _BROTLI_ERROR = 0.03, 0.06  # of the compressed copies' sizes
_HASH = len(".0123456789ab")
# gzip finds a copy of a file again within 32 KiB, which is as far as it looks back. How much of
# a small file's copy that saves depends on the order in which the folder is read.
_WINDOW = 2**15
_COPY_SHARE = (0.55, 0.80, 1.0)  # least, likely, most of what the copy of a small file takes
_MANIFEST_SHARE = 0.33  # of staticfiles.json, deflated: hashes do not shrink


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """What a storage leaves of each file. ``skipped`` are extensions that are not compressed."""

    hashed: bool = False
    gzip: bool = False
    brotli: bool = False
    originals: bool = True
    skipped: tuple[str, ...] = SKIPPED_EXTENSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Bytes on disk and in the slug, and how many files."""

    files: int
    installed: Estimate[int]
    slug: Estimate[int]


NOTHING = Weight(files=0, installed=Estimate.measured(0), slug=Estimate.measured(0))


def weigh(files: Sequence[Entry], copies: Copies, *, minor: str) -> Weight:
    """Return what ``files`` weigh with the copies that a storage makes of them."""
    if not files:
        return NOTHING
    compressed = list(_compressed(files, copies))
    plain = compression.predict(files, Estimate.measured(0), minor=minor)
    packed = _sum(compressed)
    sets = int(copies.originals or not copies.hashed) + int(copies.hashed)
    count = sets * (len(files) + len(compressed))
    installed = sets * (_sum(files) + packed)
    low, likely, high = plain.low + packed, plain.value + packed, plain.high + packed
    if sets == 2:
        least, middle, most = (
            _again(plain.value, files, share) + _again(packed, compressed, share)
            for share in _COPY_SHARE
        )
        low, likely, high = low + least, likely + middle, high + most
    if copies.hashed:
        manifest = sum(2 * len(entry.path.encode()) + _HASH + len('"": "", ') for entry in files)
        count, installed = count + 1, installed + manifest
        low, likely, high = (
            value + int(manifest * _MANIFEST_SHARE) for value in (low, likely, high)
        )
    error = int(sets * packed * (_BROTLI_ERROR if copies.brotli else _GZIP_ERROR))
    return Weight(
        files=count,
        installed=_around(installed, error if packed else installed // 200 * copies.hashed),
        slug=Estimate.predicted(likely, low - error, high + error),
    )


def _compressed(files: Iterable[Entry], copies: Copies) -> Iterable[Entry]:
    skipped = re.compile(rf"\.(?:{'|'.join(map(re.escape, copies.skipped))})$", re.IGNORECASE)
    for entry in files:
        if not entry.size or (copies.skipped and skipped.search(entry.path)):
            continue
        size = int(entry.compressed * _GZIP_SHARE) + _GZIP_FRAME
        if copies.brotli:
            brotli = int(entry.compressed * _BROTLI_SHARE)
            if brotli > _EFFECTIVE * entry.size:
                continue  # WhiteNoise then leaves out the .gz too
            yield Entry(path=f"{entry.path}.br", size=brotli, compressed=brotli)
        if copies.gzip and size <= _EFFECTIVE * entry.size:
            yield Entry(path=f"{entry.path}.gz", size=size, compressed=size)


def _again(slug: int, files: Iterable[Entry], share: float) -> int:
    """Return what a second copy of files takes that took ``slug`` bytes."""
    whole = sum(entry.compressed for entry in files) or 1
    small = sum(entry.compressed for entry in files if entry.size < _WINDOW)
    return int(slug * (1 - small / whole * (1 - share)))


def _sum(files: Iterable[Entry]) -> int:
    return sum(entry.size for entry in files)


def _around(value: int, error: int) -> Estimate[int]:
    return Estimate.predicted(value, value - error, value + error)

"""Predicts the zip archive of an app: what a direct upload of a function may have. Bytes.

The files of a wheel are deflated one by one, as they are in the archive that is uploaded, so that
their deflated sizes carry over. Each file has a local header and an entry in the directory, both
with its name; the archive has one end record (PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16).

Measured on six real installs of 5 to 56 distributions, 113 to 436 MB: Python's zipfile at level 6
made 0.0 to 0.2 % less than predicted, and 0.9 % less where a wheel was deflated less (polars);
``zip -r`` made 0.3 to 0.7 % more for its longer headers (``benchmarks/packages.py``).
"""

from __future__ import annotations

from collections.abc import Iterable

from slugcheck.model import AppFiles, Entry, Estimate, ModelFile
from slugcheck.sizing import calibration
from slugcheck.sizing.installed import Layout, bytecode_path
from slugcheck.sizing.kinds import slug_group

_HEADERS = 30 + 46  # of each file, without its name
_END = 22
_MORE_HEADERS = 100  # of each file, at most: times, owners, and the folders that `zip -r` lists
_ERROR = 0.02  # of the deflated bytes: wheels are deflated at various levels, polars 2.8 % less
SYSTEMATIC_PERCENT = 0.7  # that the predictions of one run share: the program that zips
# Bytecode, deflated file by file, over its bytes: 0.31 to 0.38 in five of the installs.
_BYTECODE = (0.30, 0.35, 0.40)
# What a file of the app takes by itself, over its share of a gzip tar: least and most.
_ALONE = (1.0, 1.3)


def of_distribution(
    files: Iterable[Entry],
    sources: Iterable[Entry],
    bytecode: Estimate[int],
    layout: Layout,
) -> Estimate[int]:
    """Return what the installed files of a distribution take in a zip archive of their folder.

    ``files`` are without bytecode; ``sources`` are compiled to ``bytecode``.
    """
    inside = f"{layout.site_packages}/"
    packed, headers, count = 0.0, 0, 0
    for entry in files:
        packed += calibration.deflated_bytes(entry, slug_group(entry.path))
        headers += _headers(entry.path.removeprefix(inside))
        count += 1
    for entry in sources:
        headers += _headers(bytecode_path(entry.path, layout).removeprefix(inside))
        count += 1
    ends = (bytecode.low, bytecode.value, bytecode.high)
    low, likely, high = (size * share for size, share in zip(ends, _BYTECODE, strict=True))
    return Estimate[int].predicted(
        round(packed + likely) + headers,
        int(packed * (1 - _ERROR) + low) + headers,
        int(packed * (1 + _ERROR) + high) + headers + count * _MORE_HEADERS,
    )


def _headers(name: str) -> int:
    return _HEADERS + 2 * len(name.encode())


def of_app(app: AppFiles | None, models: Iterable[ModelFile]) -> Estimate[int]:
    """Return what the app's own files and its models take, and the archive's end.

    Their names are not known here: each counts as 40 characters.
    """
    named = tuple(models)
    headers = _END + (_HEADERS + 80) * ((app.files if app else 0) + len(named))
    least, most = _ALONE
    own = app.slug_bytes if app else 0
    low = int(own * least) + sum(model.slug.low for model in named) + headers
    high = int(own * most) + sum(model.slug.high for model in named) + headers
    value = own + sum(model.slug.value for model in named) + headers
    if low == high:
        return Estimate[int].measured(value)
    return Estimate[int].predicted(value, low, high)

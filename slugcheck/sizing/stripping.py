"""Estimates what ``strip`` takes off the shared libraries of a distribution, in bytes.

Some wheels come with all debugging symbols (spaCy: 89 % of the libraries), some with none (pandas:
0.1 %), and nothing that can be read of a wheel without unpacking it tells which. So the share is
one that was measured with GNU strip 2.40 (``benchmarks/stripping.py``): of 97 distributions, 56 of
them in two versions about a year apart.

Only ``*.so`` outside of ``*.libs`` folders counts. auditwheel lays the libraries in those out anew,
and strip breaks some: a stripped ``numpy.libs/libscipy_openblas64_*.so`` no longer loads. With them
left alone, 27 imports from six real installs all worked.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from importlib import resources

from slugcheck import reading
from slugcheck.model import Entry, Estimate

# Of another version: 90 of 100 shares moved by less than this between two versions.
_MOVED = 0.05
# Of a distribution that was not measured: least, the mean of all bytes measured, nearly most.
_UNKNOWN = (0.0, 0.29, 0.89)


@functools.cache
def _shares() -> dict[str, dict[str, float]]:
    """Return the share that strip saves, by distribution and version."""
    text = resources.files("slugcheck.sizing").joinpath("stripping.json").read_text("utf-8")
    known: dict[str, dict[str, list[int]]] = reading.json(text)["known"]
    return {
        name: {version: saved / size for version, (size, saved) in versions.items()}
        for name, versions in known.items()
    }


def predict(name: str, version: str, entries: Iterable[Entry]) -> Estimate[int]:
    """Return what strip would take off the libraries among a wheel's files."""
    size = sum(entry.size for entry in entries if _is_stripped(entry.path))
    versions = _shares().get(name, {})
    if not size:
        return Estimate[int].measured(0)
    if not versions:
        low, share, high = _UNKNOWN
    elif version in versions:
        low = share = high = versions[version]
    else:
        share = max(versions.items(), key=lambda known: reading.version(known[0]))[1]
        low, high = max(share - _MOVED, 0.0), min(share + _MOVED, 1.0)
    return Estimate[int].predicted(int(size * share), int(size * low), int(size * high))


def _is_stripped(path: str) -> bool:
    *folders, file = path.split("/")
    return file.endswith(".so") and not any(folder.endswith(".libs") for folder in folders)

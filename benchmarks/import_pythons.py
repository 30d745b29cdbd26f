"""Fits what other Pythons take to what the table says of the one that it was measured with.

Three things differ: the bare interpreter, which is measured; the standard library, whose factor is
what one process with much of it takes; and the memory of distributions, whose factor is the middle
one of random sets whose versions are nearly all the table's. The sets that docs/memory.md lists
have no part in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.import_check import Case
from slugcheck.memory.footprints import Table

# Modules that every Python has, and that apps load by way of what they import.
STANDARD = (
    "argparse asyncio concurrent.futures configparser csv ctypes dataclasses decimal email.message "
    "html http.client http.server inspect json logging.config multiprocessing sqlite3 ssl tempfile "
    "typing unittest.mock urllib.request uuid xml.etree.ElementTree zipfile"
).split()
_KIB = 1024
_OTHER_VERSIONS = 0.1  # the most of a set's memory that distributions of other versions may take


def fit(
    table: Table, version: str, bare: Sequence[int], standard: Case, cases: Iterable[Case]
) -> dict[str, Any]:
    """Return what the table says of another Python.

    ``bare`` is its interpreter in the table's units. ``standard`` and ``cases`` are what processes
    took there, and what is said of them for the table's own Python.
    """
    own = [kib * _KIB for kib in bare[:2]]
    taken = _less(own, _real(standard))
    said, _ = _said(table, standard)
    factors = [real / theirs for real, theirs in zip(taken, said, strict=True)]
    pairs: list[list[tuple[float, float]]] = [[], []]
    for case in filter(comparable, cases):
        said, packages = _said(table, case)
        rest = [own[n] + factors[n] * said[n] for n in (0, 1)]
        for n, real in enumerate(_less(rest, _real(case))):
            if packages[n]:
                pairs[n].append((real / packages[n], packages[n] / case.resident))
    return {
        "version": version,
        "interpreter": list(bare),
        "standard": [round(factor, 3) for factor in factors],
        "packages": [round(middle(some), 3) for some in pairs],
    }


def comparable(case: Case) -> bool:
    """Return whether what differs in a set is Python, and not the versions of distributions."""
    whole = sum(part.resident.value for part in case.said.parts)
    other = sum(p.resident.value for p in case.said.parts if p.version != p.measured_version)
    return other <= _OTHER_VERSIONS * whole


def middle(pairs: Iterable[tuple[float, float]]) -> float:
    """Return the median of values with weights: the factor of the least sum of relative errors."""
    ordered = sorted(pairs)
    half, reached = sum(weight for _, weight in ordered) / 2, 0.0
    for value, weight in ordered:
        reached += weight
        if reached >= half:
            return value
    return 1.0


def _real(case: Case) -> list[int]:
    return [case.anonymous, case.resident - case.anonymous]


def _less(part: Sequence[float], whole: Sequence[float]) -> list[float]:
    return [most - some for some, most in zip(part, whole, strict=True)]


def _said(table: Table, case: Case) -> tuple[list[float], list[float]]:
    """Return anonymous and file-backed bytes: the standard library's, and the distributions'."""
    said = case.said
    packages = sum(part.anonymous_bytes for part in said.parts)
    whole = sum(part.resident.value for part in said.parts)
    standard = said.anonymous.value - table.interpreter[0] * _KIB - packages
    return [standard, said.standard_library_bytes - standard], [packages, whole - packages]

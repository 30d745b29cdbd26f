"""What a platform counts against its size limit, by the kind of its rule. Bytes.

Which kind a platform has, and what it strips, is in its file (``platforms/*.toml``).
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterable

from slugcheck.model import BundleKind, BundleRule, Entry, Estimate
from slugcheck.sizing.installed import Layout


def counts(path: str, rule: BundleRule, layout: Layout) -> bool:
    """Whether an installed file counts at all; ``path`` is relative to the Python prefix."""
    if rule.kind is not BundleKind.SITE_PACKAGES:
        return True
    inside = f"{layout.site_packages}/"
    if not path.startswith(inside):
        return False
    return not any(map(_any_of(rule.stripped).match, path[len(inside) :].split("/")))


@functools.cache
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return the patterns of names as one regular expression."""
    return re.compile("|".join(map(fnmatch.translate, patterns)) or r"(?!)")


def of_distribution(
    files: Iterable[Entry],
    rule: BundleRule,
    layout: Layout,
    plain: Estimate[int],
    bytecode: Estimate[int],
    *,
    slug: Estimate[int],
    zipped: Estimate[int],
) -> Estimate[int]:
    """Return what counts of one distribution.

    ``files`` are all that its installer leaves but bytecode, together ``plain``. Of both, ``slug``
    is the gzip -6 share and ``zipped`` what they take in a zip archive.
    """
    match rule.kind:
        case BundleKind.GZIP_TAR:
            return slug
        case BundleKind.ZIP:
            return zipped
        case BundleKind.UNZIPPED | BundleKind.IMAGE:
            return _sum(plain, bytecode)
        case BundleKind.SITE_PACKAGES:
            return _part(plain, sum(e.size for e in files if counts(e.path, rule, layout)))


def _sum(plain: Estimate[int], bytecode: Estimate[int]) -> Estimate[int]:
    value = plain.value + bytecode.value
    low, high = plain.low + bytecode.low, plain.high + bytecode.high
    if low == value == high:
        return Estimate[int].measured(value)
    return Estimate[int].predicted(value, low, high)


def _part(whole: Estimate[int], value: int) -> Estimate[int]:
    """Return a part of a figure, with the whole's interval in proportion."""
    if whole.low == whole.value == whole.high:
        return Estimate[int].measured(value)
    low, high = (value * end // (whole.value or 1) for end in (whole.low, whole.high))
    return Estimate[int].predicted(value, low, high)

"""What this process takes, as the kernel counts it: bytes, None where the kernel does not say.

``ru_maxrss`` is not used where there is /proc: a child begins with its parent's (a Python of 14 MB
started by one of 400 MB reports 414). VmHWM begins anew at exec.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_STATUS = {"VmRSS": "rss", "RssAnon": "anon", "VmHWM": "peak"}
_ROLLUP = {"Pss": "pss", "Private_Clean": "uss", "Private_Dirty": "uss", "Private_Hugetlb": "uss"}


def now() -> Any:
    """Return rss, anon, pss, uss and peak, in bytes."""
    figures = {"rss": None, "anon": None, "pss": None, "uss": None, "peak": None}
    if not _fields("/proc/self/status", _STATUS, figures):
        figures["peak"] = _of_rusage()
    _fields("/proc/self/smaps_rollup", _ROLLUP, figures)
    return figures


def _fields(path: str, names: Mapping[str, str], figures: Any) -> bool:
    try:
        with open(path) as lines:
            for line in lines:
                name, _, rest = line.partition(":")
                if name in names:
                    key = names[name]
                    figures[key] = (figures[key] or 0) + int(rest.split()[0]) * 1024
    except (OSError, ValueError):
        return False
    return True


def _of_rusage() -> Any:
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def major_faults() -> Any:
    """Return how often this process waited for a page from the disk."""
    try:
        with open("/proc/self/stat") as stream:
            return int(stream.read().rpartition(")")[2].split()[9])
    except (OSError, ValueError, IndexError):
        return 0


def threads() -> Any:
    """Return the number of this process's threads."""
    try:
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("Threads:"))
    except (OSError, ValueError, StopIteration):
        return None


def busy_seconds() -> Any:
    """Return the seconds that all cores of this machine have worked so far; None if not known."""
    import os

    try:
        with open("/proc/stat") as stream:
            fields = [int(part) for part in stream.readline().split()[1:9]]
    except (OSError, ValueError):
        return None
    # user, nice, system, irq, softirq, steal: not idle and not iowait
    ticks = sum(fields[:3]) + sum(fields[5:])
    return ticks / os.sysconf("SC_CLK_TCK")

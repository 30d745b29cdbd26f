"""Stacks held against machine sizes: the workers that are started there, and those that fit.

What a dyno counts lies between two figures that were measured: anonymous memory alone (what Heroku
calls memory_rss, and counts for R15) and RSS with the pages of files (which it may count, too). The
first is the least, the second the most; a verdict needs both on one side.
"""

from __future__ import annotations

from collections.abc import Sequence

from slugcheck.errors import PlatformError
from slugcheck.model import Platform
from slugcheck.model.bench import StackResult, Summary
from slugcheck.model.benchresult import BootFit, DynoFit, Fit
from slugcheck.model.platform import Dyno
from slugcheck.model.verdicts import Status
from slugcheck.units import mib, seconds

# What is kept free for what bench does not run: the web framework, requests under way, growth.
HEADROOM = 0.15
_BOOT_WARNING = 0.5  # of the limit: a dyno's processor may be half as fast


def judge(platform: Platform, stacks: Sequence[StackResult]) -> tuple[DynoFit, ...]:
    """Return how the measured stacks fit each size of machine; those that are alike once."""
    measured = [(one.stack.label, one.summary) for one in stacks if one.summary]
    known = [(label, summary) for label, summary in measured if summary.peak_rss]
    alike: dict[tuple[int, int, int], list[Dyno]] = {}
    for dyno in platform.dynos:
        alike.setdefault((dyno.r14_bytes, dyno.workers, dyno.r15_bytes), []).append(dyno)
    return tuple(
        DynoFit(
            dyno=dynos[0],
            names=tuple(dyno.name for dyno in dynos),
            fits=tuple(fit(label, summary, dynos[0]) for label, summary in known),
        )
        for _, dynos in sorted(alike.items())
        if known
    )


def boots(platform: Platform, stacks: Sequence[StackResult]) -> tuple[BootFit, ...]:
    """Return the cold start of each stack against the platform's limit, if it has one."""
    limit = next((one.value for one in platform.limits if one.figure == "boot"), None)
    if limit is None:
        return ()
    found = []
    for one in stacks:
        worst = one.summary and (one.summary.evicted_seconds or one.summary.cold_seconds)
        if one.summary and worst:
            evicted = one.summary.evicted_seconds is not None
            found.append(_boot(one.stack.label, worst.median, limit, evicted=evicted))
    return tuple(found)


def _boot(label: str, taken: float, limit: int, *, evicted: bool) -> BootFit:
    status = Status.FAIL if taken > limit else Status.PASS
    if status is Status.PASS and taken > limit * _BOOT_WARNING:
        status = Status.WARN
    where = "its files on the disk" if evicted else "its files in memory"
    return BootFit(
        label=label,
        status=status,
        seconds=taken,
        limit=limit,
        sentence=f"first result {seconds(taken)} after its start, of {limit} s ({where}; "
        "an app's own imports come on top)",
    )


def fit(label: str, summary: Summary, dyno: Dyno) -> Fit:
    """Return how one stack fits one machine; its peak RSS is known."""
    rss = summary.peak_rss or 0
    anon = summary.peak_anon or rss
    started = dyno.workers
    status, sentence = _status(anon * started, rss * started, dyno)
    room = int(dyno.r14_bytes * (1 - HEADROOM))
    return Fit(
        label=label,
        status=status,
        anon=anon * started,
        rss=rss * started,
        workers_fit=room // rss,
        sentence=sentence,
    )


def _status(anon: int, rss: int, dyno: Dyno) -> tuple[Status, str]:
    quota = f"{mib(dyno.r14_bytes, down=True)} MiB"
    quota15 = f"{mib(dyno.r15_bytes, down=True)} MiB"
    if anon > dyno.r15_bytes:
        return Status.FAIL, f"killed (R15): {mib(anon)} MiB against {quota15}"
    if anon > dyno.r14_bytes:
        return Status.FAIL, f"swaps (R14): {mib(anon)} MiB of anonymous memory against {quota}"
    if rss > dyno.r14_bytes:
        sentence = f"may swap (R14): {mib(anon)} to {mib(rss)} MiB against {quota}"
        return Status.UNKNOWN, sentence
    if rss > dyno.r14_bytes * (1 - HEADROOM):
        return Status.WARN, f"fits, with less than {100 * HEADROOM:.0f} % left of {quota}"
    return Status.PASS, f"fits, {mib(rss)} MiB of {quota}"


def choose(platform: Platform, name: str | None) -> Dyno | None:
    """Return the machine size of a name, or the platform's default; None if it has none.

    :raises PlatformError: it has none of that name.
    """
    wanted = name or platform.default_dyno
    if wanted is None:
        return None
    for dyno in platform.dynos:
        if dyno.name == wanted:
            return dyno
    names = ", ".join(dyno.name for dyno in platform.dynos) or "none"
    raise PlatformError(f"{platform.title} has no machine size {wanted!r}", hint=f"it has {names}")

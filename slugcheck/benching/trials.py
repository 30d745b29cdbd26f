"""Workers under a memory limit that the system holds, with a time for each.

What a cgroup does to a process that is too large is seldom a kill: it lets go of the pages of
files, reads them again, and the process stands still. So each trial has a time, and a process that
answers but keeps reading pages is called slow. Measured: PyTorch with 225 MB of anonymous memory is
well at 320 MiB, slow at 288, and gives no answer in a minute at 256.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from slugcheck.benching.launcher import Ended, Launcher
from slugcheck.benching.plan import Setup
from slugcheck.model.benchresult import Outcome, Trial
from slugcheck.units import mib, seconds

RUNS = 20
_STAGES = {
    "": "its start", "baseline": "importing the runtime", "import": "loading the model",
    "load": "the first inference", "first": "inferring", "beat": "inferring", "steady": "inferring",
}  # fmt: skip
# Pages read again for each inference, beyond which it waits for the disk rather than computes.
_FAULTS_EACH = 1.0
_SLOW_START = 3.0  # times the usual, for the first result


def way(launcher: Launcher) -> dict[str, Any]:
    """Return the best way to limit memory on this machine."""
    return launcher.probe_limit(f"slugcheck-{secrets.token_hex(4)}")


def run(
    launcher: Launcher, setup: Setup, *, limit: int, how: Mapping[str, Any], time_limit: float,
    usual: float | None,
) -> Trial:  # fmt: skip
    """Run one worker under a limit of bytes; its files have left the page cache before.

    ``usual`` is how long its first result takes from the disk without a limit, in seconds.
    """
    worker = setup.worker("full", runs=RUNS)
    ended = launcher.run(
        worker, total=time_limit, silence=time_limit, limit={**how, "bytes": limit}
    )
    outcome = judge(ended, usual)
    seen = _seen(ended)
    reached = ended.events[-1]["event"] if ended.events else ""
    return Trial(
        label=setup.form.label,
        limit_bytes=limit,
        method=str(how["kind"]),
        outcome=outcome,
        reached="end" if outcome in (Outcome.OK, Outcome.SLOW) else _STAGES.get(reached, reached),
        seconds=ended.seconds,
        peak_rss=seen["peak"] or None,
        peak_anon=seen["anon"] or None,
        faults=seen["faults"],
        sentence=_sentence(ended, outcome, limit, _STAGES.get(reached, reached)),
    )


def judge(ended: Ended, usual: float | None) -> Outcome:
    """Return how a worker under a limit ended."""
    if not ended.problem:
        return Outcome.SLOW if _thrashes(ended, usual) else Outcome.OK
    if ended.late in ("total", "silence"):
        return Outcome.STALLED
    kills = (ended.limit or {}).get("kills") or 0
    if ended.late == "limit" or kills or ended.code == -9:
        return Outcome.KILLED
    return Outcome.FAILED


def _thrashes(ended: Ended, usual: float | None) -> bool:
    first, steady = ended.event("first"), ended.event("steady")
    if usual and first is not None and first["since_spawn"] > _SLOW_START * usual:
        return True
    return steady is not None and steady["loop_faults"] > _FAULTS_EACH * len(steady["wall_ns"])


def _seen(ended: Ended) -> dict[str, int]:
    """Return the largest figures, the worker's own or those of whoever watched it."""
    found = dict.fromkeys(("peak", "anon", "faults"), 0)
    told = [one["memory"] for one in ended.events if one.get("memory")]
    for key in ("peak", "anon"):
        values = [one[key] or 0 for one in told]
        found[key] = max([*values, int((ended.limit or {}).get(key) or 0)])
    faults = [int(one.get("faults") or 0) for one in ended.events]
    found["faults"] = max([*faults, int((ended.limit or {}).get("faults") or 0)])
    return found


def _sentence(ended: Ended, outcome: Outcome, limit: int, where: str) -> str:
    size = f"{mib(limit, down=True)} MiB"
    first = ended.event("first")
    since = f"first result after {seconds(first['since_spawn'])}" if first else ""
    match outcome:
        case Outcome.OK:
            return since
        case Outcome.SLOW:
            return f"it waits for pages that {size} have no room for; {since}"
        case Outcome.STALLED:
            return f"no end of {where} within {seconds(ended.seconds)}"
        case Outcome.KILLED:
            return f"at {where}, after {seconds(ended.seconds)}"
        case Outcome.FAILED:
            return ended.problem

"""Runs workers: single samples, two in turn to compare times, and trials under a memory limit.

A cgroup rarely kills a process that is too large: it drops pages of files and reads them again, and
the process hardly advances. So each trial has a time limit, and a process that answers but keeps
reading pages is called slow. Measured: PyTorch with 225 MB of anonymous memory is fine at 320 MiB,
slow at 288, and does not answer within a minute at 256.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from slugcheck.benching.plan import Setup
from slugcheck.benching.statistics import spread
from slugcheck.model.bench import STAGES, ColdStart, Memory, Outcome, Ratio, Sample, Trial
from slugcheck.running.launcher import Ended, Launcher
from slugcheck.text import mib, seconds

BLOCKS = 8  # alternating workers give the most repeatable comparison of times
_BLOCK_SECONDS = 0.8
_FEWEST, _MOST = 2, 40  # inferences of each worker in a block
RUNS = 20
_STAGES = {
    "": "its start", "baseline": "importing the runtime", "import": "loading the model",
    "load": "the first inference", "first": "inferring", "beat": "inferring", "steady": "inferring",
}  # fmt: skip
# Pages read again per inference; with more, it waits for the disk rather than computes.
_FAULTS_EACH = 1.0
_SLOW_START = 3.0  # times the usual, for the first result


def sample(ended: Ended) -> Sample | None:
    """Return the sample of a worker that completed its job, else None."""
    events = {str(event["event"]): event for event in ended.events}
    if ended.problem or "steady" not in events:
        return None
    steady = events["steady"]
    return Sample(
        memory={stage: Memory(**events[stage]["memory"]) for stage in STAGES},
        import_seconds=float(events["import"]["seconds"]),
        load_seconds=float(events["load"]["seconds"]),
        first_seconds=float(events["first"]["seconds"]),
        wall_ns=tuple(steady["wall_ns"]),
        cpu_ns=tuple(steady["cpu_ns"]),
        foreign_cores=steady["foreign_cores"],
        threads=steady["threads"],
    )


def cold_start(ended: Ended, *, evicted: bool) -> ColdStart | None:
    """Return the cold start of a worker that reached its first result, else None."""
    first = ended.event("first")
    if ended.problem or first is None:
        return None
    return ColdStart(
        seconds=float(first["since_spawn"]),
        cpu_seconds=float(first["cpu"]),
        faults=int(first["faults"]),
        evicted=evicted,
    )


# --------------------------------------------------------------------------- two in turn


def measure(
    launcher: Launcher, setups: tuple[Setup, Setup], milliseconds: tuple[float, float], runs: int
) -> Ratio | str:
    """Return the ratio of the first's time to the second's, or why it was not measured.

    ``milliseconds`` are the times of an inference, which decide the length of a block: it has at
    most twice the ``runs`` that a process times.
    """
    inferences = min(int(1000 * _BLOCK_SECONDS / max(sum(milliseconds), 0.001)), 2 * runs)
    workers = [setup.worker("serve") for setup in setups]
    answer = launcher.pair(workers, blocks=BLOCKS, per_block=max(_FEWEST, min(inferences, _MOST)))
    if answer["outcome"] != "ended":
        return f"the two could not run in turn: {answer['reason']}"
    return of_blocks((setups[0].form.label, setups[1].form.label), answer["blocks"])


def of_blocks(labels: tuple[str, str], blocks: list[list[list[list[int]]]]) -> Ratio:
    """Return the ratio; a block holds a list of (CPU, wall) nanoseconds for each of the two."""
    cpu, wall = (
        tuple(_sum(block[0], kind) / max(_sum(block[1], kind), 1) for block in blocks)
        for kind in (0, 1)
    )
    ratio = spread(cpu)
    return Ratio(
        labels=labels,
        cpu=ratio,
        wall=spread(wall),
        blocks=cpu,
        wall_blocks=wall,
        significant=not ratio.low <= 1.0 <= ratio.high,
    )


def _sum(times: list[list[int]], kind: int) -> int:
    return sum(pair[kind] for pair in times)


# --------------------------------------------------------------------------- memory limits


def way(launcher: Launcher) -> dict[str, Any]:
    """Return the best way to limit memory on this machine."""
    return launcher.probe_limit(f"slugcheck-{secrets.token_hex(4)}")


def run(
    launcher: Launcher, setup: Setup, *, limit: int, how: Mapping[str, Any], time_limit: float,
    usual: float | None,
) -> Trial:  # fmt: skip
    """Run one worker under a limit of bytes; its files were evicted from the page cache.

    ``usual`` is the time of its first result from disk without a limit, in seconds.
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
    """Return the largest figures of the worker itself or of the launcher."""
    largest = dict.fromkeys(("peak", "anon", "faults"), 0)
    readings = [event["memory"] for event in ended.events if event.get("memory")]
    for key in ("peak", "anon"):
        values = [reading[key] or 0 for reading in readings]
        largest[key] = max([*values, int((ended.limit or {}).get(key) or 0)])
    faults = [int(event.get("faults") or 0) for event in ended.events]
    largest["faults"] = max([*faults, int((ended.limit or {}).get("faults") or 0)])
    return largest


def _sentence(ended: Ended, outcome: Outcome, limit: int, where: str) -> str:
    size = f"{mib(limit, down=True)} MiB"
    first = ended.event("first")
    since = f"first result after {seconds(first['since_spawn'])}" if first else ""
    match outcome:
        case Outcome.OK:
            return since
        case Outcome.SLOW:
            return f"it keeps reading pages that do not fit into {size}; {since}"
        case Outcome.STALLED:
            return f"{where} did not finish within {seconds(ended.seconds)}"
        case Outcome.KILLED:
            return f"during {where}, after {seconds(ended.seconds)}"
        case Outcome.FAILED:
            return ended.problem

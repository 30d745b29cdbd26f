"""A worker's events as values."""

from __future__ import annotations

from slugcheck.benching.launcher import Ended
from slugcheck.model.bench import STAGES, ColdStart, Memory, Sample


def sample(ended: Ended) -> Sample | None:
    """Return the sample of a worker that did all it was asked for, else None."""
    events = {str(one["event"]): one for one in ended.events}
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
    """Return the cold start of a worker that got to its first result, else None."""
    first = ended.event("first")
    if ended.problem or first is None:
        return None
    return ColdStart(
        seconds=float(first["since_spawn"]),
        cpu_seconds=float(first["cpu"]),
        faults=int(first["faults"]),
        evicted=evicted,
    )

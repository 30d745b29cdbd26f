"""Two live workers that infer in turn: the most repeatable way to compare two times.

Whatever slows the machine slows both alike: over eight blocks on a busy machine wall times swung by
a factor of four, and the ratio of CPU times stayed within 2 %.
"""

from __future__ import annotations

from slugcheck.benching.launcher import Launcher
from slugcheck.benching.plan import Setup
from slugcheck.benching.statistics import spread
from slugcheck.model.benchresult import Ratio

BLOCKS = 8
_BLOCK_SECONDS = 0.8
_FEWEST, _MOST = 2, 40  # inferences of each in a block


def measure(
    launcher: Launcher, setups: tuple[Setup, Setup], milliseconds: tuple[float, float]
) -> Ratio | str:
    """Return how much of the second's time the first takes, or why it was not measured.

    ``milliseconds`` is what an inference of each takes, for the length of a block.
    """
    each = int(1000 * _BLOCK_SECONDS / max(sum(milliseconds), 0.001))
    workers = [setup.worker("serve") for setup in setups]
    found = launcher.pair(workers, blocks=BLOCKS, per_block=max(_FEWEST, min(each, _MOST)))
    if found["outcome"] != "ended":
        return f"the two could not infer in turn: {found['reason']}"
    return of_blocks((setups[0].form.label, setups[1].form.label), found["blocks"])


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
    return sum(one[kind] for one in times)

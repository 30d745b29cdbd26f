"""What killing slugcheck at random points leaves: in its cache, and in the temporary folder.

Runs slugcheck again and again on a project of a local index, in one shared cache, and ends each run
at a random point of its time with SIGKILL, SIGTERM or SIGINT. Every tenth run is let through, and
must give the figures of an undisturbed one. In the end nothing may be left in the temporary folder.

    python -m benchmarks.kills [--kills 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import stock
from tests.support.server import PackageServer

_CODES = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -signal.SIGKILL}
_THROUGH = 10
_LONGEST_SECONDS = 120
_MORE = 1.05  # of a run's usual time: the latest moment to end it


@dataclass(slots=True)
class Tally:
    """What became of the runs that were ended with one signal."""

    sent: int = 0
    ended: int = 0  # before they were done
    early: int = 0  # of them, while Python was starting: nothing of slugcheck had begun
    done: int = 0  # they were faster
    wrong_codes: list[int] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    left_behind: int = 0  # runs after which something was left in the temporary folder
    slowest_end: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where it happens: the index, the file and the folders."""

    command: list[str]
    environment: dict[str, str]
    temporary: Path


def ground(server: PackageServer, folder: Path) -> Ground:
    """Lay out a project that has something to resolve, read, stand in for and cache."""
    stock.fill(server)
    server.add_sdist("pure", "1.0", {"pure.py": "x = 1\n"})
    path = folder / "requirements.txt"
    path.write_text("webapp==1.0\nheavy==5.0\nlight==1.1\npure==1.0\n")
    temporary = folder / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "slugcheck", str(path), "--index-url", server.index_url]
    command += ["--python", "3.12", "--format", "json", "--allow-unsized", "all"]
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    environment = {k: v for k, v in os.environ.items() if k.upper() not in proxies}
    environment |= {
        "TMPDIR": str(temporary),
        "SLUGCHECK_CACHE_DIR": str(folder / "cache"),
        "UV_CACHE_DIR": str(folder / "uv-cache"),
    }
    return Ground(command=command, environment=environment, temporary=temporary)


def figures(place: Ground) -> Any:
    """Return the figures of a run that nobody ends, without what depends on the time."""
    done = subprocess.run(
        place.command, env=place.environment, capture_output=True, text=True, check=False,
        timeout=_LONGEST_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"a run that nobody ended failed ({done.returncode}): {done.stderr}")
    document = json.loads(done.stdout)
    return document["distributions"], document["totals"], document["verdicts"]


def plain(run_figures: Any) -> Any:
    """Return figures without where they came from, which a cache changes."""
    distributions, totals, verdicts = run_figures
    return [{k: v for k, v in d.items() if k != "via"} for d in distributions], totals, verdicts


def end_one(place: Ground, number: signal.Signals, seconds: float, tally: Tally) -> None:
    """Start a run, end it after some seconds, and note what became of it."""
    before = _all(place.temporary)
    process = subprocess.Popen(
        place.command, env=place.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    time.sleep(seconds)
    process.send_signal(number)
    sent = time.monotonic()
    _, err = process.communicate(timeout=_LONGEST_SECONDS)
    tally.sent += 1
    tally.slowest_end = max(tally.slowest_end, time.monotonic() - sent)
    code = process.returncode
    tally.done += code == 0
    tally.ended += code != 0
    early = code not in (0, _CODES[number]) and "slugcheck" not in err
    tally.early += early
    if code not in (0, _CODES[number]) and not early:
        tally.wrong_codes.append(code)
    if "Traceback" in err and not early:
        tally.tracebacks.append(err)
    tally.left_behind += bool(_all(place.temporary) - before)


def _all(folder: Path) -> set[Path]:
    """Return what is in the temporary folder, without the user's own that all runs share."""
    return {path for path in folder.glob("*") if path.name != f"slugcheck-{os.geteuid()}"} | set(
        folder.glob("slugcheck-*/*")
    )


def kill(
    place: Ground, kills: int, numbers: list[signal.Signals], chance: random.Random,
    say: Callable[[str], None] = lambda _: None,
) -> str:  # fmt: skip
    """Do all of it; return a table.

    :raises SystemExit: a figure is another one.
    """
    started = time.monotonic()
    truth = plain(figures(place))
    cold = time.monotonic() - started
    started = time.monotonic()
    plain(figures(place))
    usual = time.monotonic() - started
    tallies = {number: Tally() for number in numbers}
    checked, wrong, left = 0, 0, 0
    for count in range(kills):
        for number, tally in tallies.items():
            if count % 4 == 0:  # with nothing known, which takes longer, and writes
                _forget(Path(place.environment["SLUGCHECK_CACHE_DIR"]), chance)
            longest = cold if count % 4 == 0 else usual
            end_one(place, number, chance.uniform(0, longest * _MORE), tally)
        if count % _THROUGH == _THROUGH - 1 or count == kills - 1:
            checked += 1
            wrong += plain(figures(place)) != truth
            left += any(place.temporary.iterdir())
            say(f"{count + 1} of {kills}: {wrong} wrong, {left} with something left")
    rows = [_row(number, tally) for number, tally in tallies.items()]
    shown = [
        f"an undisturbed run: {cold:.2f} s cold, {usual:.2f} s warm",
        "",
        "signal    sent  ended  early  faster  wrong code  traceback  left  slowest end",
        *rows,
        "",
        f"undisturbed runs in between: {checked}; with other figures: {wrong}; "
        f"with something left in the temporary folder: {left}",
    ]
    return "\n".join(shown)


def _row(number: signal.Signals, tally: Tally) -> str:
    return (
        f"{number.name:8}  {tally.sent:4}  {tally.ended:5}  {tally.early:5}  {tally.done:6}  "
        f"{len(tally.wrong_codes):10}  {len(tally.tracebacks):9}  {tally.left_behind:4}  "
        f"{tally.slowest_end:9.2f} s"
    )


def _forget(cache: Path, chance: random.Random) -> None:
    """Remove half of what slugcheck remembers, so that it is read and written again."""
    for path in sorted(cache.rglob("*.zz")):
        if chance.random() < 0.5:
            path.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of each signal")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--signals", default="SIGKILL,SIGTERM,SIGINT")
    options = parser.parse_args()
    numbers = [signal.Signals[name] for name in options.signals.split(",")]
    with tempfile.TemporaryDirectory(prefix="kills-") as name, PackageServer() as server:
        place = ground(server, Path(name))
        chance = random.Random(options.seed)
        print(kill(place, options.kills, numbers, chance, lambda line: print(line, flush=True)))


if __name__ == "__main__":
    main()

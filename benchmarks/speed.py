"""How fast slugcheck is, beside installing for real, in one run on one machine.

On the ONNX list: slugcheck with a cold cache of its own and uv's cache warm; a second run; ``uv
pip compile`` of the same file alone; ``pip install --target`` and ``uv pip install --target`` each
followed by adding up the files. Each is a whole process; wall seconds, the median of --runs.

    python benchmarks/speed.py [--runs N] [--file requirements.txt]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ONNX_LIST = Path(__file__).parent.parent / "examples/pest_detection/requirements_heroku_onnx.txt"
SLUGCHECK = [sys.executable, "-m", "slugcheck"]


def timed(command: list[str], **environment: str) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command[:4])} failed:\n{done.stderr}")
    return seconds, done.stdout


def slugcheck(file: Path, cache: Path) -> tuple[float, dict[str, int]]:
    command = [*SLUGCHECK, str(file), "--python", "3.11", "--format", "json"]
    seconds, text = timed(command, SLUGCHECK_CACHE_DIR=str(cache))
    return seconds, json.loads(text)["transfer"]


def compile_alone(file: Path) -> float:
    from uv import find_uv_bin

    return timed([
        find_uv_bin(), "pip", "compile", str(file), "--quiet", "--no-build",
        "--python-version", "3.11.16", "--python-platform", "x86_64-manylinux_2_39",
        "--no-python-downloads", "--format", "pylock.toml",
    ])[0]  # fmt: skip


def pip_target(file: Path, folder: Path) -> float:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    seconds, _ = timed([*command, "--no-cache-dir", "--target", str(folder), "-r", str(file)])
    return seconds + timed(["du", "-sb", str(folder)])[0]


def uv_target(file: Path, folder: Path, cache: Path) -> float:
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", "install", "--quiet", "--cache-dir", str(cache)]
    seconds, _ = timed([*command, "--target", str(folder), "-r", str(file)])
    return seconds + timed(["du", "-sb", str(folder)])[0]


def median(measure: Callable[[], float], runs: int) -> str:
    values = [measure() for _ in range(runs)]
    return f"{statistics.median(values):6.2f} s   ({min(values):.2f} to {max(values):.2f})"


def help_cpu() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    timed([*SLUGCHECK, "--help"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--file", type=Path, default=ONNX_LIST)
    options = parser.parse_args()
    file, runs = options.file.resolve(), options.runs
    with tempfile.TemporaryDirectory(prefix="slugcheck-speed-") as text:
        folder = Path(text)
        fresh = iter(folder / f"{number}" for number in range(10_000))
        slugcheck(file, next(fresh))  # warms uv's cache of index pages and metadata
        print(f"{file.name}, {runs} runs each, wall seconds: median (least to most)\n")
        print("slugcheck, cold cache  ", median(lambda: slugcheck(file, next(fresh))[0], runs))
        warm = next(fresh)
        _, first = slugcheck(file, warm)
        print("slugcheck, second run  ", median(lambda: slugcheck(file, warm)[0], runs))
        print("uv pip compile alone   ", median(lambda: compile_alone(file), runs))
        print(
            "pip install --target   ", median(lambda: pip_target(file, next(fresh)), min(3, runs))
        )
        print("uv pip install --target", median(
            lambda: uv_target(file, next(fresh), next(fresh)), min(3, runs)))  # fmt: skip
        print("slugcheck --help, CPU  ", median(help_cpu, runs))
        print(f"\nfirst run: {first['requests']} requests, {first['bytes'] / 1e6:.2f} MB read")


if __name__ == "__main__":
    main()

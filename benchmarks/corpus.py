"""Downloads the wheels of corpus.txt and measures what each weighs once installed.

Every result is kept in the cache folder, one JSON file a wheel, so that a second run is quick.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.utils import parse_wheel_filename

from slugcheck.model import Entry
from slugcheck.sizing import compression
from slugcheck.sizing.sampled import Packed

_HERE = Path(__file__).parent
_GLIBC = range(5, 29)  # manylinux_2_5 to manylinux_2_28: what Heroku's stacks run
_WORKERS = 2
# What the program gzip -6 writes over zlib's level 6 for bytecode: measured on three environments
# of 36,000 files and 379 MB gzipped (2026-11-24): 0.55 to 0.61 %. zlib is what can be asked in
# memory; gzip is what Heroku's slug compiler runs.
_GZIP_BYTECODE = 1.0057
# What each truth holds that an app's slug holds once: the folders above the packages, the end.
_FRAME = 192


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wheel:
    """A measured wheel. ``bytecode`` maps a Python to the ``.pyc`` bytes by source, less paths.

    ``gzip_plain`` and ``gzip_full`` are the bytes of ``tar | gzip -6`` without and with bytecode,
    and ``alone`` those of zlib's level 6 for large files that are no text.
    """

    filename: str
    name: str
    version: str
    entries: tuple[Entry, ...]  # those that compile, if they are sources
    bytecode: dict[str, dict[str, int]]
    gzip_plain: int
    gzip_full: int
    alone: dict[str, int]
    other_shares: dict[str, int]  # gzip_full less gzip_plain, by other Python
    packed: Packed | None = None  # what a sample showed, with ``with_samples``

    @property
    def sources(self) -> tuple[Entry, ...]:
        """The files that have bytecode."""
        return tuple(entry for entry in self.entries if entry.path.endswith(".py"))


def read_sections() -> dict[str, list[str]]:
    """Return the requirement lines of corpus.txt by section."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (_HERE / "corpus.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            lines = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return sections


def download(sections: dict[str, list[str]], cache: Path) -> dict[str, list[Path]]:
    """Return the wheels of each section, fetched with pip for Python 3.11 on Linux x86_64."""
    names = [f"manylinux_2_{minor}_x86_64" for minor in _GLIBC]
    names += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"]
    wheels = {}
    for section, lines in sections.items():
        folder = cache / "wheels" / section
        if len(list(folder.glob("*.whl"))) < len(lines):
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            command += ["--only-binary", ":all:", "--python-version", "3.11"]
            command += [word for name in names for word in ("--platform", name)]
            subprocess.run([*command, "--dest", str(folder), *lines], check=True)
        wheels[section] = sorted(folder.glob("*.whl"))
    return wheels


def measure(paths: Iterable[Path], cache: Path, pythons: dict[str, str]) -> list[Wheel]:
    """Return the wheels measured with the running Python and with ``pythons``.

    The others answer for bytecode sizes, and for some small wheels for how their bytecode
    compresses. Results that the cache holds are used whatever measured them.
    """
    unique = sorted({path.name: path for path in paths}.items())
    every = [path for _, path in unique]
    _run([sys.executable, str(_HERE / "truth.py")], every, cache / "truth")
    for minor, python in pythons.items():
        _run([python, str(_HERE / "compile_sizes.py")], every, cache / f"sizes-{minor}")
        small = [path for path in every[::3] if 50_000 < path.stat().st_size < 3_000_000]
        _run([python, str(_HERE / "truth.py")], small[:80], cache / f"truth-{minor}")
    return [_load(path, cache) for path in every]


def with_samples(wheels: Iterable[Wheel], paths: Iterable[Path], cache: Path) -> list[Wheel]:
    """Return the wheels with what a sample of each shows of how it compresses.

    The cache holds the results for the sampling rule (``bytecode.spread_runs``) that measured them.
    """
    every = sorted({path.name: path for path in paths}.values())
    _run([sys.executable, str(_HERE / "samples.py")], every, cache / "samples")
    found = {}
    for path in every:
        row = json.loads((cache / "samples" / f"{path.name}.json").read_text("utf-8"))
        found[path.name] = Packed(**{**row, "paths": tuple(row["paths"])}) if row else None
    return [replace(wheel, packed=found[wheel.filename]) for wheel in wheels]


def _run(command: Sequence[str], paths: Sequence[Path], results: Path) -> None:
    """Run a script that answers each path on its input with a line of JSON, and keep the lines."""
    results.mkdir(parents=True, exist_ok=True)
    missing = [path for path in paths if not (results / f"{path.name}.json").exists()]

    def work(share: Sequence[Path]) -> None:
        text = "".join(f"{path}\n" for path in share)
        done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
        for path, line in zip(share, done.stdout.splitlines(), strict=True):
            (results / f"{path.name}.json").write_text(line, "utf-8")

    batches = [missing[start : start + 20] for start in range(0, len(missing), 20)]
    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(work, batches))


def _load(path: Path, cache: Path) -> Wheel:
    truth = json.loads((cache / "truth" / f"{path.name}.json").read_text("utf-8"))
    name, version, *_ = parse_wheel_filename(path.name)
    sizes = {"3.11": {row[0]: row[5] for row in truth["entries"] if row[5] is not None}}
    for folder in sorted(cache.glob("sizes-*")):
        file = folder / f"{path.name}.json"
        if file.exists():
            compiled = json.loads(file.read_text("utf-8"))["sizes"]
            sizes[folder.name.removeprefix("sizes-")] = {
                source: size for source, size in compiled.items() if size is not None
            }
    shares = {}
    for folder in sorted(cache.glob("truth-*")):
        file = folder / f"{path.name}.json"
        if file.exists():
            other = json.loads(file.read_text("utf-8"))
            share = (other["gzip_full"] - other["gzip_plain"]) * _GZIP_BYTECODE
            shares[folder.name.removeprefix("truth-")] = round(share)
    plain = (truth["gzip_plain"] - _FRAME) * compression.GZIP
    grown = truth["record"][3] - truth["record"][1]
    return Wheel(
        filename=path.name,
        name=name,
        version=str(version),
        entries=tuple(_entry(row, grown) for row in _kept(truth, sizes["3.11"])),
        bytecode=sizes,
        gzip_plain=round(plain),
        gzip_full=round(plain + (truth["gzip_full"] - truth["gzip_plain"]) * _GZIP_BYTECODE),
        alone=truth["alone"],
        other_shares=shares,
    )


def _kept(truth: dict[str, Any], sizes: dict[str, int]) -> Iterable[list[Any]]:
    for row in truth["entries"]:
        source = row[0].endswith(".py")
        if not row[0].endswith(".pyc") and (not source or row[0] in sizes):
            yield row


def _entry(row: list[Any], grown: int) -> Entry:
    """Return a row as an entry; RECORD is taken as the installer leaves it."""
    own_record = row[0].endswith(".dist-info/RECORD") and row[0].count("/") == 1
    packed = row[2] + (grown if own_record else 0)
    return Entry(path=row[0], size=row[1], compressed=packed, stored=row[3])

"""Installs packages for AWS Lambda for real, and compares bundle, zip archive and strip.

    python -m benchmarks.packages [SET]...

Each set is installed with ``pip install --target --no-compile`` on Python 3.11, archived by
Python's zipfile at level 6 and by ``zip -r -6``, and stripped as ``advice.bundles`` advises.
slugcheck predicts the versions that pip chose. Exit code 1 if an archive is outside its interval.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from slugcheck.model import Entry
from slugcheck.sizing import stripping

_SETS: Mapping[str, tuple[str, ...]] = {
    "data": ("boto3", "pandas", "pyarrow"),
    "vision": ("onnxruntime", "opencv-python-headless", "pillow", "numpy"),
    "science": ("scipy", "scikit-learn", "matplotlib", "shapely", "statsmodels"),
    "web": (
        "fastapi", "mangum", "sqlalchemy", "psycopg2-binary", "cryptography", "lxml", "grpcio",
        "boto3", "aws-lambda-powertools", "orjson",
    ),
    "tables": ("polars", "duckdb", "pyarrow", "rapidfuzz"),
    "text": ("spacy", "tokenizers", "tiktoken", "sentencepiece", "regex"),
}  # fmt: skip
_TARGET = ("--platform", "aws-lambda", "--python", "3.11", "--stack", "al2023")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Bytes: the files, two archives of them, and what strip takes off."""

    bundle: int
    python_zip: int
    program_zip: int
    stripped: int


def install(requirements: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Install requirements into a folder; return what was installed, pinned."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    command += ["--disable-pip-version-check", "--target", str(folder), *requirements]
    subprocess.run(command, check=True)
    found = distributions(path=[str(folder)])
    return tuple(sorted(f"{one.metadata['Name']}=={one.version}" for one in found))


def measure(folder: Path, work: Path) -> Truth:
    """Archive and strip an installed folder, which is changed by it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    bundle = sum(path.stat().st_size for path in files)
    own, other = work / "python.zip", work / "program.zip"
    with zipfile.ZipFile(own, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder).as_posix())
    subprocess.run(["zip", "-r", "-6", "-q", str(other), "."], cwd=folder, check=True)
    strip = ["find", str(folder), "-name", "*.so", "-not", "-path", "*.libs/*"]
    subprocess.run([*strip, "-exec", "strip", "{}", "+"], check=False, capture_output=True)
    left = sum(path.stat().st_size for path in files)
    sizes = (own.stat().st_size, other.stat().st_size)
    return Truth(bundle=bundle, python_zip=sizes[0], program_zip=sizes[1], stripped=bundle - left)


def predict(pins: tuple[str, ...], work: Path) -> dict[str, Any]:
    """Return slugcheck's document for pinned versions."""
    path = work / "requirements.txt"
    path.write_text("\n".join(pins) + "\n")
    command = [sys.executable, "-m", "slugcheck", str(path), *_TARGET, "--format", "json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _estimate(folder: Path) -> tuple[int, int, int]:
    """Return what ``sizing.stripping`` expects of other versions than it has measured."""
    low = value = high = 0
    for one in distributions(path=[str(folder)]):
        entries = [
            Entry(path=str(file), size=file.size or 0, compressed=0) for file in one.files or ()
        ]
        name = one.metadata["Name"].lower().replace("_", "-")
        known = stripping.predict(name, "0.0.0", entries)
        low, value, high = low + known.low, value + known.value, high + known.high
    return low, value, high


def main() -> None:
    """Print a line for each set."""
    missed = False
    for name in sys.argv[1:] or _SETS:
        with tempfile.TemporaryDirectory() as place:
            work = Path(place)
            folder = work / "package"
            pins = install(_SETS[name], folder)
            low, value, high = _estimate(folder)
            truth = measure(folder, work)
            totals = predict(pins, work)["totals"]
        archive, made = totals["zipped_bytes"], (truth.python_zip, truth.program_zip)
        low_end, high_end = totals["zipped_low_bytes"], totals["zipped_high_bytes"]
        inside = low_end <= min(made) and max(made) <= high_end
        missed = missed or not inside
        off = [100 * (archive / size - 1) for size in made]
        print(
            f"{name}: {len(pins)} distributions, bundle {truth.bundle / 1e6:.1f} MB, "
            f"predicted {totals['bundle_bytes'] - truth.bundle:+,} B\n"
            f"  zipfile {made[0] / 1e6:.2f} MB ({off[0]:+.2f} %), "
            f"zip -r {made[1] / 1e6:.2f} MB ({off[1]:+.2f} %){'' if inside else ', OUTSIDE'}\n"
            f"  strip {truth.stripped / 1e6:.2f} MB, "
            f"estimated {value / 1e6:.2f} ({low / 1e6:.2f} to {high / 1e6:.2f})",
            flush=True,
        )
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()

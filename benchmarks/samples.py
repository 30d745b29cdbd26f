"""What a sample of a wheel's sources shows of how they and their bytecode compress.

Reads paths of wheels on standard input, a line each, and answers each with a line of JSON: what
``sizing.sampled`` makes of the runs that the reader would sample with the coefficients as shipped,
or null for a wheel with less bytecode than ``LEAST``. Run with Python 3.11; nothing is executed.
"""

from __future__ import annotations

import json
import sys
import zipfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from slugcheck.model import Entry
from slugcheck.sizing import bytecode, sampled

LEAST = 200_000  # bytes of bytecode, as predicted from names and sizes


def measure(path: Path) -> sampled.Packed | None:
    """Return what the sample of a wheel shows."""
    minor = bytecode.running_minor()
    with zipfile.ZipFile(path) as wheel:
        members = [info for info in wheel.infolist() if not info.is_dir()]
        members.sort(key=lambda info: info.header_offset)
        entries = [
            Entry(path=info.filename, size=info.file_size, compressed=info.compress_size)
            for info in members
        ]
        if bytecode.class_prediction(entries, minor=minor, prefix="") < LEAST:
            return None
        shown = sampled.compile_runs(
            [
                [(entry, wheel.read(entry.path)) for entry in run]
                for run in bytecode.spread_runs(entries, minor=minor)
            ]
        )
    return shown.packed if shown else None


def main() -> None:
    """Answer each line of standard input."""
    for line in sys.stdin:
        found = measure(Path(line.rstrip("\n")))
        print(json.dumps(asdict(found) if found else None), flush=True)


if __name__ == "__main__":
    main()

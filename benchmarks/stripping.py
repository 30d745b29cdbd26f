"""Measures what ``strip`` takes off the shared libraries of wheels.

    python -m benchmarks.stripping

Downloads the newest wheel of each distribution below for Python 3.11 on x86_64, and one of about a
year before, runs the machine's ``strip`` on every ``*.so`` outside of ``*.libs`` folders, and
writes ``slugcheck/sizing/stripping.json``. Nothing is installed, and no code of a package runs.

``*.libs`` is left alone: auditwheel lays those libraries out with patchelf, and GNU strip 2.40
misaligns some of them, so that ``import numpy`` fails ("ELF load command address/offset not
page-aligned").
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

_OUTPUT = Path(__file__).parent.parent / "slugcheck" / "sizing" / "stripping.json"
_BEFORE = "2025-11-01"  # the second wheel of each is the newest of that day
# Distributions with native code that are installed most, and those that functions are full of.
_NAMES = (
    "aiohttp asyncpg bcrypt blis bottleneck brotli cffi charset-normalizer confluent-kafka "
    "contourpy coverage cryptography cymem cython ddtrace duckdb faiss-cpu fastavro fiona "
    "fonttools frozenlist google-crc32c greenlet grpcio grpcio-tools h5py hf-xet hiredis "
    "httptools jiter kiwisolver levenshtein lightgbm llvmlite lxml lz4 markupsafe matplotlib "
    "msgpack multidict murmurhash netcdf4 newrelic numba numexpr numpy onnxruntime opencv- "
    "python opencv-python-headless orjson pandas pikepdf pillow polars polars-runtime-32 "
    "preshed propcache protobuf psutil psycopg-binary psycopg2-binary pyarrow pydantic-core "
    "pymssql pymupdf pynacl pyodbc pypdfium2 pyproj pywavelets pyyaml rapidfuzz rasterio regex "
    "rpds-py safetensors scikit-image scikit-learn scipy sentencepiece shapely simplejson "
    "sqlalchemy spacy srsly statsmodels tables thinc tiktoken tokenizers ujson uvloop "
    "watchfiles websockets wrapt yarl zope-interface zstandard "
).split()


def download(name: str, folder: Path, before: str | None) -> Path | None:
    """Return the wheel that pip would install, as of a day if given; None if there is none."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    command += [str(folder), "--only-binary", ":all:", "--python-version", "3.11"]
    for minor in (17, 28, 34):
        command += ["--platform", f"manylinux_2_{minor}_x86_64"]
    command += ["--platform", "manylinux2014_x86_64"]
    if before is not None:
        command += ["--uploaded-prior-to", before]
    subprocess.run([*command, name], check=False, capture_output=True)
    return next(folder.glob("*.whl"), None)


def strip(wheel: Path, folder: Path) -> tuple[int, int]:
    """Return the bytes of a wheel's ``*.so`` outside of ``*.libs``, and what strip takes off."""
    size = saved = 0
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            parts = member.filename.split("/")
            if not parts[-1].endswith(".so") or any(part.endswith(".libs") for part in parts[:-1]):
                continue
            file = folder / "library.so"
            file.write_bytes(archive.read(member))
            subprocess.run(["strip", str(file)], check=False, capture_output=True)
            size += member.file_size
            saved += max(member.file_size - file.stat().st_size, 0)
    return size, saved


def main() -> None:
    """Measure every distribution twice and write the data file."""
    known: dict[str, dict[str, list[int]]] = {}
    for name in _NAMES:
        for before in (None, _BEFORE):
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                wheel = download(name, folder, before)
                if wheel is None:
                    print(f"{name}: no wheel{f' before {before}' if before else ''}")
                    continue
                _, version, *_ = parse_wheel_filename(wheel.name)
                size, saved = strip(wheel, folder)
            if size:
                known.setdefault(canonicalize_name(name), {})[str(version)] = [size, saved]
                print(f"{name} {version}: {size / 1e6:.2f} MB, {100 * saved / size:.1f} % saved")
    moved = [
        abs(new[1] / new[0] - old[1] / old[0])
        for new, old in (list(v.values()) for v in known.values() if len(v) == 2)
    ]
    newest = sorted(
        saved / size for size, saved in (next(iter(v.values())) for v in known.values())
    )
    print(f"{len(known)} distributions, {len(moved)} in two versions")
    print("share saved, by tenths:", [round(q, 3) for q in statistics.quantiles(newest, n=10)])
    print(
        "moved between versions, by tenths:",
        [round(q, 3) for q in statistics.quantiles(moved, n=10)],
    )
    text = json.dumps({"known": known}, indent=1, sort_keys=True)
    _OUTPUT.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

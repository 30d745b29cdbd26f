"""How exact slugcheck is: each set predicted, then really installed by pip, taken apart, gzipped.

Prints one row per set: share of packages whose plain installed size is exact to the byte, the
error of the plain size, of the bytecode, of the whole installed size, and of the slug (a real
``tar | gzip -6`` of the installed files under ./app). Figures are MB = 10**6 bytes.

    python -m benchmarks.exactness [SET ...] [--python PYTHON] [--exclude-newer DATE]

Needs the package index. A prediction is made for the virtual environment's own path and the exact
patch version of the interpreter, so that both sides write the same bytes.

Versions that the calibration itself measured are known exactly and prove nothing; with
--exclude-newer an older resolution is taken, whose versions it has mostly not seen.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from benchmarks.sets import SETS
from slugcheck import sizer, target
from slugcheck.check import Check
from slugcheck.model import SizeReport, Transfer
from slugcheck.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A real install. ``plain`` is bytes by distribution, as its RECORD lists them."""

    plain: dict[str, int]
    plain_bytes: int
    bytecode_bytes: int
    slug_bytes: int


def predict(
    lines: Iterable[str], version: str, folder: Path, exclude_newer: str | None
) -> SizeReport:
    """Return the sizes for a virtual environment in ``folder`` on this machine."""
    prefix = folder / "venv"
    path = folder / "requirements.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with Check(Options(path=path, python=version, exclude_newer=exclude_newer)) as run:
        run.resolve()
        for _ in run.read():
            pass
        platform = replace(run.target.platform, prefix=str(prefix))
        here = replace(run.target, platform=platform)
        return sizer.measure(
            target=here,
            inventories=run.inventories,
            unsized=(),
            environment=target.marker_environment(here),
            parts=(),
            transfer=Transfer(),
        )


def install(sizes: SizeReport, lines: Iterable[str], python: str, folder: Path) -> Truth:
    """Install the resolved versions with the newest pip and take the result apart."""
    prefix = folder / "venv"
    quietly([python, "-m", "venv", str(prefix)])
    interpreter = str(prefix / "bin" / "python")
    pip = [interpreter, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    quietly([*pip, "install", "--upgrade", "pip"])
    # a setuptools that is there already would hide files of one that the set brings
    quietly([*pip, "uninstall", "--yes", "setuptools"])
    before = set(prefix.rglob("*"))
    pins = folder / "pins.txt"
    pins.write_text(
        "".join(f"{d.name}=={d.distribution.version}\n" for d in sizes.distributions),
        encoding="utf-8",
    )
    quietly([*pip, "install", "--constraint", str(pins), *lines])
    new = [path for path in prefix.rglob("*") if path.is_file() and path not in before]
    packages = set(new)
    bytecode = sum(p.stat().st_size for p in packages if p.suffix == ".pyc")
    return Truth(
        plain=_by_distribution(prefix, packages),
        plain_bytes=sum(p.stat().st_size for p in packages) - bytecode,
        bytecode_bytes=bytecode,
        slug_bytes=_gzipped(prefix, packages, folder),
    )


def quietly(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")


def _by_distribution(prefix: Path, new: set[Path]) -> dict[str, int]:
    found: dict[str, int] = {}
    for record in prefix.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        if record not in new:
            continue
        root = record.parent.parent
        with record.open(newline="", encoding="utf-8") as stream:
            rows = [(root / row[0]).resolve() for row in csv.reader(stream) if row]
        sizes = {path: path.stat().st_size for path in rows if path.exists()}
        name = canonicalize_name(record.parent.name.split("-")[0])
        found[name] = sum(size for path, size in sizes.items() if path.suffix != ".pyc")
    return found


def _gzipped(prefix: Path, files: set[Path], folder: Path) -> int:
    names = folder / "names"
    inside = sorted(str(path.relative_to(prefix)) for path in files)
    names.write_bytes(b"".join(f"{name}\0".encode() for name in inside))
    tar = [
        "tar", "--create", "--directory", str(prefix), "--owner=root", "--group=root",
        "--transform", "s,^,./app/.heroku/python/,", "--null", "--files-from", str(names),
        "--file=-",
    ]  # fmt: skip
    with subprocess.Popen(tar, stdout=subprocess.PIPE) as process:
        done = subprocess.run(["gzip", "-6"], stdin=process.stdout, capture_output=True, check=True)
    return len(done.stdout)


def percent(predicted: float, true: float) -> float:
    return 100.0 * (predicted - true) / true if true else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The errors of one set, in percent; ``wrong`` lists what was not exact to the byte."""

    name: str
    packages: int
    exact: int
    wrong: tuple[tuple[str, int], ...]
    plain: float
    bytecode: float
    installed: float
    slug: float
    truth: Truth


def run_set(name: str, python: str, version: str, exclude_newer: str | None) -> Row:
    lines = SETS[name]
    with tempfile.TemporaryDirectory(prefix="slugcheck-exact-") as text:
        folder = Path(text)
        sizes = predict(lines, version, folder, exclude_newer)
        truth = install(sizes, lines, python, folder)
    wrong = tuple(
        (d.name, d.plain.value - truth.plain[d.name])
        for d in sizes.distributions
        if d.name in truth.plain and d.plain.value != truth.plain[d.name]
    )
    bytecode, plain = sizes.bytecode_bytes, sizes.plain_bytes
    return Row(
        name=name,
        packages=len(sizes.distributions),
        exact=len(sizes.distributions) - len(wrong),
        wrong=wrong,
        plain=percent(plain, truth.plain_bytes),
        bytecode=percent(bytecode, truth.bytecode_bytes),
        installed=percent(plain + bytecode, truth.plain_bytes + truth.bytecode_bytes),
        slug=percent(sizes.dependencies_slug_bytes, truth.slug_bytes),
        truth=truth,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS), metavar="SET")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--exclude-newer", metavar="DATE")
    options = parser.parse_args()
    ask = "import platform; print(platform.python_version())"
    done = subprocess.run([options.python, "-c", ask], capture_output=True, text=True, check=True)
    version = done.stdout.strip()
    print(f"Python {version}; errors are predicted against really installed, in percent\n")
    print(
        "| set | packages | exact | installed MB | plain | bytecode | installed | slug MB | slug |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    rows = []
    for name in options.sets:
        row = run_set(name, options.python, version, options.exclude_newer)
        rows.append(row)
        real = (row.truth.plain_bytes + row.truth.bytecode_bytes) / 1e6
        print(
            f"| {name} | {row.packages} | {row.exact} | {real:.1f} | {row.plain:+.5f} | "
            f"{row.bytecode:+.2f} | {row.installed:+.2f} | {row.truth.slug_bytes / 1e6:.1f} | "
            f"{row.slug:+.2f} |",
            flush=True,
        )
    packages, exact = sum(r.packages for r in rows), sum(r.exact for r in rows)
    print(f"\nexact to the byte: {exact} of {packages} ({100 * exact / packages:.1f} %)")
    for title in ("bytecode", "installed", "slug"):
        errors = [abs(getattr(r, title)) for r in rows]
        print(f"{title}: mean {sum(errors) / len(errors):.2f} %, worst {max(errors):.2f} %")
    for row in rows:
        for package, difference in row.wrong:
            print(f"  {row.name}: {package} {difference:+d} bytes")


if __name__ == "__main__":
    main()

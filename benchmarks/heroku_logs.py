"""Predicts what Heroku printed: real build logs, resolved and sized as slugcheck sizes anything.

    python -m benchmarks.heroku_logs [CASE ...]

The cases are in heroku_logs.json: what pip said it installed, and the slug size that Heroku printed
(M is MiB). Each pin's file is the one that pip would have taken on that day: nothing that was
uploaded later counts, and where no wheel was there yet the source archive stands for what was
built. Sizes come from wheel directories through slugcheck's own models; nothing is installed.

Where the log shows that collectstatic ran, its files count too, as slugcheck weighs them, and so do
the app's own files where its repository is public.

The platform's Python of the time cannot be measured any more, so each group of runtimes has one
allowance: the mean of what its smallest logs with little app code leave when the packages are
taken off. The column "left out" uses the mean of the other logs of the group instead, where there
are any: that is evidence; a group of one log is not, and is marked. Where today's derived runtime
applies (platforms/heroku.toml), the column "derived" stands on no log at all.

A prediction off by more than 2 % (Python 3.10 and newer) or 4 % (older) is explained by the app's
own files, or because a real reinstall of the same list (``reinstalled_mib``) is off alike: then it
is the runtime of that day or the app, and not the sizes of the packages.

Needs the package index. Exit code 1 when a limit is missed without an explanation.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.version import Version

from slugcheck import platforms, sizer
from slugcheck.errors import MeasureError
from slugcheck.model import (
    Artifact,
    Distribution,
    Estimate,
    IndexOptions,
    Inventory,
    PythonRelease,
    Source,
    Target,
    Transfer,
    Unsized,
    figures,
)
from slugcheck.packages.index.choice import Chooser
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.inventories import Cache, Inventories, default_folder
from slugcheck.packages.index.pages import Pages
from slugcheck.packages.resolve.sources import StandIns
from slugcheck.platforms import tags
from slugcheck.project import target
from slugcheck.sizing import slug_parts, static_copies
from slugcheck.sizing.static_copies import Copies

MIB = 2**20
_DATA = Path(__file__).parent / "heroku_logs.json"
_GLIBC_TAGS = ("manylinux2014", "manylinux2010", "manylinux1")
_LITTLE = ("negligible", "small")
# Runtimes that platforms/heroku.toml derives, by group.
_DERIVED = {"3.13 (slim)": "3.13"}
_COPIES = {
    "copies": Copies(),
    "manifest": Copies(hashed=True),
    "compressed manifest": Copies(hashed=True, gzip=True),
}
_NONE = "\N{EN DASH}"
_NEW_LIMIT, _OLD_LIMIT = 2.0, 4.0  # percent
_ALIKE = 2.0  # percentage points between our error and that of a real reinstall
_SMALL_MIB = 25.0  # packages of a log that an allowance is fitted to


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """One log and its packages, in MiB; ``missing`` could not be sized."""

    case: Mapping[str, Any]
    packages_mib: float
    doubt: Estimate[int]  # bytes of the packages, with their interval
    missing: tuple[str, ...]
    from_source: tuple[str, ...]
    static_mib: float = 0.0

    @property
    def known_mib(self) -> float:
        """Packages, what collectstatic made of them, and app files of a known size."""
        own = float(self.case.get("app_mib", 0)) + float(self.case.get("own_static_mib", 0))
        return self.packages_mib + self.static_mib + own

    @property
    def has_little_app(self) -> bool:
        """Whether the app's own files weigh next to nothing."""
        return str(self.case["app_code"]).startswith(_LITTLE)

    @property
    def rest_mib(self) -> float:
        """What the slug held beside the packages and the other known files."""
        return float(self.case["printed_mib"]) - self.known_mib


# --------------------------------------------------------------------------- the packages


def predict(case: Mapping[str, Any]) -> Predicted:
    """Size the packages of one log."""
    place = _target(case["python"])
    accepted = _tags(place.minor)
    day = datetime.fromisoformat(case["date"]).replace(tzinfo=UTC) + timedelta(days=1)
    cache = Cache(default_folder())
    with HttpClient() as client:
        pages = Pages(client, IndexOptions(), exclude_newer=day)
        chooser = Chooser(accepted, place.python_version)
        store = Inventories(client=client, cache=cache)
        stand_ins = StandIns(
            client=client, cache=cache, pages=pages, store=store, target=place,
            chooser=chooser,
        )  # fmt: skip
        pins = [Requirement(text) for text in case["installed"]]
        pages.prefetch([pin.name for pin in pins])
        inventories: list[tuple[Distribution, Inventory]] = []
        missing, built = [], []
        for pin in pins:
            try:
                outcome = _read(pin, pages, chooser, store, stand_ins)
            except MeasureError as error:
                missing.append(f"{pin}: {error}")
                continue
            if isinstance(outcome, Unsized):
                missing.append(f"{pin}: {outcome.reason}")
                continue
            inventories.append(outcome)
            if outcome[0].source_build is not None:
                built.append(pin.name)
    sizes = sizer.measure(
        target=place, inventories=inventories, unsized=(),
        environment=tags.marker_environment(place), parts=(), transfer=Transfer(),
    )  # fmt: skip
    return Predicted(
        case=case,
        packages_mib=sizes.dependencies_slug_bytes / MIB,
        doubt=sizes.slug,
        missing=tuple(missing),
        from_source=tuple(built),
        static_mib=_static_mib(case, inventories, place.minor),
    )


def _static_mib(
    case: Mapping[str, Any], inventories: Sequence[tuple[Distribution, Inventory]], minor: str
) -> float:
    """Return what collectstatic added of the packages' static files."""
    known = case.get("collectstatic")
    if known is None:
        return 0.0
    folders = {app.replace(".", "/") for app in known["apps"]}
    files = []
    for _, inventory in inventories:
        for entry in inventory.entries:
            folder, inside, rest = entry.path.partition("/static/")
            if inside and folder in folders:
                files.append(replace(entry, path=rest))
    weight = static_copies.weigh(files, _COPIES[known["storage"]], minor=minor)
    return weight.slug.value / MIB


def _read(
    pin: Requirement, pages: Pages, chooser: Chooser, store: Inventories, stand_ins: StandIns
) -> tuple[Distribution, Inventory] | Unsized:
    version = Version(str(pin.specifier).lstrip("="))
    file = chooser.best_for(pin.name, pages.files(pin.name), version)
    if file is None:
        return Unsized(name=pin.name, version=str(version), reason="no file of it fits any more")
    artifact = Artifact(filename=file.filename, url=file.url, size=file.size, sha256=file.sha256)
    distribution = Distribution(name=pin.name, version=str(version), artifact=artifact, direct=True)
    if file.filename.endswith(".whl"):
        return distribution, store.inventory(artifact)
    stand_in = stand_ins.from_locked(distribution)
    if isinstance(stand_in, Unsized):
        return stand_in
    return stand_in.replacing(distribution), stand_in.inventory


def _target(python: str) -> Target:
    """Return Heroku with a Python that it offers no more."""
    platform = platforms.load("heroku")
    minor = ".".join(python.split(".")[:2])
    full = python if python.count(".") == 2 else f"{minor}.9"
    source = Source(text="a build log", date="")
    release = PythonRelease(minor=minor, version=full, parts=(), status="deprecated", source=source)
    place = target.choose(replace(platform, pythons=(release,), default_python=minor))
    return replace(place, python_version=full)


def _tags(minor: str) -> tuple[Tag, ...]:
    version = tuple(int(part) for part in minor.split("."))
    interpreter = f"cp{minor.replace('.', '')}"
    suffix = "mu" if version < (3,) else "m" if version < (3, 8) else ""
    names = [f"{name}_x86_64" for name in _GLIBC_TAGS] + ["linux_x86_64"]
    if version >= (3, 10):
        names = [*(f"manylinux_2_{n}_x86_64" for n in range(31, 4, -1)), *names]
    specific = cpython_tags(
        python_version=version, abis=[f"{interpreter}{suffix}"], platforms=names
    )
    generic = compatible_tags(python_version=version, interpreter=interpreter, platforms=names)
    return (*specific, *generic)


# --------------------------------------------------------------------------- allowances


def allowance(log: Predicted, others: Sequence[Predicted]) -> float | None:
    """Return the mean rest of the logs of a group with little app code, in MiB."""
    same = [p.rest_mib for p in others if p.case["group"] == log.case["group"]]
    return fmean(same) if same else None


def derived_mib(group: str) -> float | None:
    """Return today's derived runtime with pip, in MiB, where the group ran it."""
    minor = _DERIVED.get(group)
    if minor is None:
        return None
    place = target.choose(platforms.load("heroku"), python=minor)
    return sum(part.slug.value for part in slug_parts.runtime_parts(place)) / MIB


# --------------------------------------------------------------------------- the table

_HEAD = (
    "| log | Python | packages | printed | predicted | off | ± | left out: off | derived: off | "
    "app code, remarks |"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: percent off by each allowance, and whether the limit holds or is explained."""

    text: str
    off: float | None
    limit: float
    explained: bool
    within: bool | None = None  # whether the interval holds what was printed

    @property
    def missed(self) -> bool:
        """Whether the prediction is off by more than the limit and nothing explains it."""
        return self.off is not None and abs(self.off) > self.limit and not self.explained


def rows(logs: Sequence[Predicted]) -> Iterator[Row]:
    """Yield the lines of the table."""
    ground = [
        log
        for log in logs
        if log.has_little_app and not log.missing and log.packages_mib < _SMALL_MIB
    ]
    for log in logs:
        yield _row(log, ground)


def _row(log: Predicted, ground: Sequence[Predicted]) -> Row:
    case = log.case
    printed = float(case["printed_mib"])
    fitted = allowance(log, ground)
    rest = allowance(log, [other for other in ground if other is not log])
    derived = derived_mib(case["group"])

    def off(more: float | None) -> float | None:
        return None if more is None else 100 * (log.known_mib + more - printed) / printed

    own = off(fitted)
    modern = Version(case["python"]) >= Version("3.10") and log.has_little_app
    limit = _NEW_LIMIT if modern else _OLD_LIMIT
    again = 100 * (float(case["reinstalled_mib"]) - printed) / printed
    alike = own is not None and abs(again - own) <= _ALIKE
    width, inside = _interval(log, fitted)
    predicted = _NONE if fitted is None else f"{log.known_mib + fitted:.1f}"
    remarks = [_app(case["app_code"])]
    if "collectstatic" in case:
        made = log.static_mib + float(case.get("own_static_mib", 0))
        remarks.append(f"collectstatic {made:.1f} MiB counted")
    if fitted is None:
        remarks.append("no small log to take its group's allowance from")
    elif rest is None and log in ground:
        remarks.append("the allowance is from this very log")
    if own is not None and abs(own) > limit and alike:
        remarks.append(f"a real reinstall is off alike ({again:+.1f} %)")
    if log.missing:
        remarks.append(f"without {', '.join(text.split(':')[0] for text in log.missing)}")
    return Row(
        text=(
            f"| {case['id']} | {case['python']} | {len(case['installed'])} | {printed:.1f} | "
            f"{predicted} | {_percent(own)} | {width} | {_percent(off(rest))} | "
            f"{_percent(off(derived))} | "
            f"{'; '.join(remarks)} |"
        ),
        off=own,
        limit=limit,
        explained=not log.has_little_app or alike,
        within=inside,
    )


def _interval(log: Predicted, allowance: float | None) -> tuple[str, bool | None]:
    """Return half the width of the prediction's interval, and whether it holds what was printed.

    The packages' interval and the allowance's own error (as ``platforms/heroku.toml`` states for
    today's runtimes) add up; the print is rounded to a tenth.
    """
    if allowance is None:
        return _NONE, None
    own = Estimate.predicted(*(round(allowance * MIB * part) for part in (1.0, 0.97, 1.03)))
    whole = figures.total([log.doubt, own], systematic_percent=0.0)
    more = log.known_mib - log.packages_mib
    printed = (float(log.case["printed_mib"]) - more) * MIB
    inside = whole.low - MIB / 20 <= printed <= whole.high + MIB / 20
    return f"{whole.percent:.1f} %{'' if inside else ' !'}", inside


def _app(text: str) -> str:
    return text.replace("SIGNIFICANT", "much").replace("|", "/")


def _percent(value: float | None) -> str:
    return _NONE if value is None else f"{value:+.1f} %"


def main() -> int:
    """Print the table; return 1 when a limit is missed without an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE")
    wanted = parser.parse_args().cases
    cases = json.loads(_DATA.read_text("utf-8"))["cases"]
    chosen = [case for case in cases if not wanted or case["id"] in wanted]
    logs = [predict(case) for case in chosen]
    print(f"{_HEAD}\n|{'---|' * 10}")
    lines = list(rows(logs))
    print("\n".join(line.text for line in lines))
    print()
    for title, limit in (("Python 3.10 and newer, little app code", 2.0), ("the others", 4.0)):
        offs = [abs(line.off) for line in lines if line.limit == limit and line.off is not None]
        if offs:
            within = sum(off <= limit for off in offs)
            print(f"- {title}: {within} of {len(offs)} logs within {limit:.0f} %")
    judged = [line for line in lines if line.within is not None]
    print(f"- the interval holds {sum(bool(j.within) for j in judged)} of {len(judged)} prints")
    plain = [
        line.within
        for line, log in zip(lines, logs, strict=True)
        if line.within is not None and log.has_little_app and not log.missing
    ]
    print(f"- {sum(map(bool, plain))} of {len(plain)} with little app code and all packages sized")
    outside = [line for line in lines if line.off is not None and abs(line.off) > line.limit]
    missed = sum(line.missed for line in outside)
    print(f"- {len(outside)} are further off, {len(outside) - missed} of them explained")
    for log in logs:
        for text in log.missing:
            print(f"- not sized in {log.case['id']}: {text}")
    return 1 if any(line.missed for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())

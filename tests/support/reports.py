"""Realistic reports: rows that real runs measured, on a small platform of our own.

The rows are in ``tests/golden/inputs``; the platform is made here, so that a changed constant of a
real one changes no golden file. Verdicts come from slugcheck's own budgets.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from slugcheck.model import (
    Artifact,
    BundleKind,
    BundleRule,
    Distribution,
    DistributionSize,
    Dyno,
    Estimate,
    Finding,
    FindingSeverity,
    Kind,
    Limit,
    Origin,
    Overlap,
    Part,
    Platform,
    PythonRelease,
    Report,
    RootSize,
    Severity,
    SizeReport,
    Source,
    SourceBuild,
    Stack,
    Target,
    Transfer,
    Unsized,
)
from slugcheck.packages import causes
from slugcheck.policy import budgets

GOLDEN = Path(__file__).parent.parent / "golden"
_REWRITE = "SLUGCHECK_REWRITE_GOLDEN"
SOURCE = Source(text="a build log", date="2026-03-19")
_KINDS = (Kind.NATIVE, Kind.PYTHON, Kind.TESTS, Kind.METADATA, Kind.DATA)


def assert_golden(name: str, text: str) -> None:
    """Hold text against ``tests/golden/name``; look at it before you believe a new one.

    With SLUGCHECK_REWRITE_GOLDEN set in the environment the file is written anew.
    """
    path = GOLDEN / name
    if os.environ.get(_REWRITE):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.exists(), f"{path.name} is missing; make it with {_REWRITE}=1"
    assert text == path.read_text(encoding="utf-8"), f"if it is right: {_REWRITE}=1"


# --------------------------------------------------------------------------- the target


def limit(
    name: str, figure: str, value: int, text: str, severity: Severity, since: str = ""
) -> Limit:
    unit = "seconds" if figure in ("build", "boot") else "bytes"
    return Limit(
        name=name, figure=figure, value=value, unit=unit, severity=severity, text=text,
        source=SOURCE, since=since,
    )  # fmt: skip


HEROKU_LIMITS = (
    limit("slug", "slug", 524_288_000, "500M", Severity.FAIL),
    limit("heroku-cap", "slug", 1_048_576_000, "1000M", Severity.NOTE, "2026-03-19"),
    limit("heroku-warning", "slug", 314_572_800, "300M", Severity.WARN),
    limit("build", "build", 900, "15 minutes", Severity.FAIL),
    limit("boot", "boot", 60, "60 s", Severity.FAIL),
)
LAMBDA_LIMITS = (limit("bundle", "bundle", 262_144_000, "250 MiB unzipped", Severity.FAIL),)


def target(
    *, title: str = "Heroku", kind: BundleKind = BundleKind.GZIP_TAR, origin: str = "--python"
) -> Target:
    stack = Stack(
        name="heroku-24", glibc=(2, 39), arch="x86_64", missing_libraries=("libGL.so.1",),
        status="available", source=SOURCE,
    )  # fmt: skip
    python = PythonRelease(
        minor="3.11", version="3.11.16", parts=(), status="supported", source=SOURCE
    )
    dyno = Dyno(
        name="standard-1x", ram_bytes=2**29, r14_bytes=2**29, r15_bytes=2**30, workers=2,
        usd_per_month=25.0, source=SOURCE,
    )  # fmt: skip
    platform = Platform(
        name=title.lower(), title=title, about="", installer="pip",
        bundle=BundleRule(kind=kind, about="", source=SOURCE),
        compiles_bytecode=True, gpu=False, prefix="/app", stacks=(stack,),
        default_stack=stack.name, pythons=(python,), default_python="3.11",
        limits=HEROKU_LIMITS if kind is BundleKind.GZIP_TAR else LAMBDA_LIMITS, dynos=(dyno,),
        default_dyno=dyno.name,
    )  # fmt: skip
    return Target(
        platform=platform, stack=stack, python=python, python_version="3.11.16",
        python_origin=origin, dyno=dyno if kind is BundleKind.GZIP_TAR else None,
    )  # fmt: skip


def within(value: int, percent: float) -> Estimate[int]:
    margin = round(value * percent / 100)
    return Estimate.predicted(value, value - margin, value + margin)


def part(name: str, group: str, installed: int, slug: int, note: str = "") -> Part:
    return Part(
        name=name, group=group, installed=within(installed, 3), slug=within(slug, 3), note=note
    )


RUNTIME = (
    part("Python 3.11", "runtime", 41_908_923, 15_673_655, "measured on a 3.11.7"),
    part("pip 26.2.1", "runtime", 10_716_886, 3_748_313),
    part("setuptools 70.3.0", "runtime", 6_710_158, 2_290_354),
)


# --------------------------------------------------------------------------- distributions


def distribution(
    name: str,
    version: str = "1.0",
    *,
    download: int | None = 1_000_000,
    bytecode: int = 400_000,
    slug: int = 1_200_000,
    files: int = 50,
    kinds: Mapping[Kind, int] | None = None,
    direct: bool = False,
    required_by: tuple[str, ...] = (),
    extras: tuple[str, ...] = (),
    source_build: SourceBuild | None = None,
    line: int = 1,
) -> DistributionSize:
    """One distribution; bytecode is predicted wherever there is any."""
    sizes = dict(kinds) if kinds is not None else {Kind.PYTHON: 1_600_000, Kind.DATA: 900_000}
    plain = sum(sizes.values())
    wheel = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    return DistributionSize(
        distribution=Distribution(
            name=name,
            version=version,
            artifact=Artifact(
                filename=wheel,
                url=f"https://user:s3cret@wheels.example/{wheel}",
                size=download,
                sha256="5e" * 32,
            ),
            direct=direct,
            origins=(Origin(file="requirements.txt", line=line),) if direct else (),
            extras=extras,
            source_build=source_build,
        ),
        via="range",
        download_bytes=download,
        plain=Estimate[int].measured(plain),
        bytecode=within(bytecode, 9) if bytecode else Estimate[int].measured(0),
        slug=within(slug, 4),
        bundle=within(slug, 4),
        files=files,
        bytecode_files=files // 2,
        by_kind={kind: size for kind, size in (sizes | {Kind.BYTECODE: bytecode}).items() if size},
        required_by=required_by,
    )


def measured(name: str) -> tuple[DistributionSize, ...]:
    """The distributions of a real run: ``onnx``, ``cuda`` or ``source``."""
    text = (GOLDEN / "inputs" / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(_measured(line.split()) for line in text.splitlines()[1:])


def _measured(row: Sequence[str]) -> DistributionSize:
    name, version, *numbers, direct, required_by = row
    download, bytecode, slug, files, *kinds = map(int, numbers)
    return distribution(
        name,
        version,
        download=download,
        bytecode=bytecode,
        slug=slug,
        files=files,
        kinds=dict(zip(_KINDS, kinds, strict=True)),
        direct=direct == "direct",
        required_by=() if required_by == "-" else tuple(required_by.split(",")),
    )


# --------------------------------------------------------------------------- whole reports


def report(
    distributions: Iterable[DistributionSize],
    *,
    path: str = "requirements.txt",
    on: Target | None = None,
    parts: tuple[Part, ...] = RUNTIME,
    unsized: tuple[Unsized, ...] = (),
    overlaps: tuple[Overlap, ...] = (),
    findings: tuple[Finding, ...] = (),
    notes: tuple[str, ...] = (),
    allowed: tuple[str, ...] = (),
    build: Estimate[float] | None = None,
    percent: float = 2.0,
    limits: tuple[Limit, ...] | None = None,
) -> Report:
    """A report with its totals, roots and verdicts."""
    place = on or target()
    by_slug = place.platform.size_figure == "slug"
    rows = tuple(d if by_slug else replace(d, bundle=d.installed) for d in distributions)
    installed = sum(d.installed_bytes for d in rows) + sum(p.installed.value for p in parts)
    slug = sum(d.slug.value for d in rows) + sum(p.slug.value for p in parts)
    whole = within(installed - sum(o.bytes for o in overlaps), percent / 2)
    packed = within(slug - sum(o.slug_bytes for o in overlaps), percent)
    sizes = SizeReport(
        target=place,
        distributions=rows,
        roots=_roots(rows),
        causes=causes.causes(rows, _roots(rows)),
        parts=parts,
        overlaps=overlaps,
        unsized=unsized,
        transfer=Transfer(requests=85, bytes=2_021_673, cached=19),
        installed=whole,
        slug=packed,
        bundle=packed if by_slug else whole,
    )
    return Report(
        path=path,
        kind="requirements",
        sha256="ab" * 32,
        sizes=sizes,
        verdicts=budgets.judge(
            sizes,
            build or Estimate.predicted(58.8, 29.4, 117.6),
            place.platform.limits if limits is None else limits,
            allowed_unsized=allowed,
        ),
        findings=findings,
        notes=notes,
        allowed_unsized=allowed,
        seconds=1.234,
        tool_version="0.1.0",
    )


def _roots(rows: Sequence[DistributionSize]) -> tuple[RootSize, ...]:
    by_name = {row.name: row for row in rows}
    reached = {row.name: _reach(row.name, rows) for row in rows if row.distribution.direct}

    def root(name: str) -> RootSize:
        others = set().union(*(r for other, r in reached.items() if other != name))
        alone, shared = sorted(reached[name] - others), sorted(reached[name] & others)
        return RootSize(
            name=name,
            exclusive_bytes=sum(by_name[n].installed_bytes for n in alone),
            shared_bytes=sum(by_name[n].installed_bytes for n in shared),
            exclusive_slug_bytes=sum(by_name[n].slug.value for n in alone),
            shared_slug_bytes=sum(by_name[n].slug.value for n in shared),
            exclusive_bundle_bytes=sum(by_name[n].bundle.value for n in alone),
            shared_bundle_bytes=sum(by_name[n].bundle.value for n in shared),
            exclusive_names=tuple(alone),
            shared_names=tuple(shared),
        )

    return tuple(root(name) for name in reached)


def _reach(name: str, rows: Sequence[DistributionSize]) -> set[str]:
    found, waiting = set[str](), [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += [row.name for row in rows if current in row.required_by]
    return found


# --------------------------------------------------------------------------- what else a report has


def finding(
    code: str,
    severity: FindingSeverity,
    subject: str,
    sentence: str,
    fix: str,
    *,
    saves: tuple[int, int] | None = None,
) -> Finding:
    """A finding; ``saves`` are installed and slug bytes, on a platform that counts the slug."""
    return Finding(
        code=code,
        severity=severity,
        subject=subject,
        sentence=sentence,
        fix=fix,
        saves_bytes=saves[0] if saves else None,
        saves_slug_bytes=saves[1] if saves else None,
        saves_bundle_bytes=saves[1] if saves else None,
        origin=Origin(file="requirements.txt", line=3),
    )


def missing(name: str, version: str | None, reason: str, line: int) -> Unsized:
    origin = Origin(file="requirements.txt", line=line)
    return Unsized(name=name, version=version, reason=reason, origin=origin)


def source_build(reason: str, low: float, high: float, *, native: bool = True) -> SourceBuild:
    return SourceBuild(
        reason=reason,
        native=native,
        method="its wheel for cp311" if native else "its archive",
        nearest="wheel.whl" if native else None,
        newest_python_with_wheel="3.11" if native else None,
        low_factor=low,
        high_factor=high,
    )

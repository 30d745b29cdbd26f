"""The sentences that several screens and formats share: the conclusion, doubts, savings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from slugcheck.model import (
    DistributionSize,
    Estimate,
    Finding,
    FindingSeverity,
    Overlap,
    Report,
    SizeReport,
    SourceBuild,
    Status,
    Verdict,
)
from slugcheck.policy.budgets import exit_code, failures, unaccepted
from slugcheck.render.view import Verdict as Outcome
from slugcheck.text import heroku_m, listed, mb, plural


def label(size: DistributionSize) -> str:
    """Return name and extras."""
    extras = size.distribution.extras
    return f"{size.name}[{','.join(extras)}]" if extras else size.name


def reasons(size: DistributionSize) -> tuple[str, ...]:
    """Return why a distribution is there: ``direct``, and the names that need it."""
    return (*(("direct",) if size.distribution.direct else ()), *size.required_by)


# --------------------------------------------------------------------------- built from source


def source_builds(sizes: SizeReport, *, most: int) -> tuple[str, ...]:
    """Return what has no wheel for the platform and how it was sized, in a line each.

    Builds that compile, and what cannot be installed at all, are listed one by one, up to ``most``;
    pure Python ones share a line.
    """
    told = [built for built in _built(sizes) if built[1].native or built[1].refused]
    pure = [size.name for size, build in _built(sizes) if not build.native and not build.refused]
    lines = [_source_build(size, build, sizes.target.minor) for size, build in told[:most]]
    if told[most:]:
        lines.append(f"also {listed([size.name for size, _ in told[most:]], 8)}")
    if pure:
        lines.append(f"built from source without compiling: {listed(pure, 8)}")
    return tuple(lines)


def _source_build(size: DistributionSize, build: SourceBuild, minor: str) -> str:
    if build.refused:
        return f"{size.name} cannot be installed with Python {minor}; {_sized(build)}"
    return f"{size.name} is built from source on the platform ({build.reason}); {_sized(build)}"


def _built(sizes: SizeReport) -> list[tuple[DistributionSize, SourceBuild]]:
    return [(d, build) for d in sizes.distributions if (build := d.distribution.source_build)]


def _sized(build: SourceBuild) -> str:
    low, high = 100 * (1 - build.low_factor), 100 * (build.high_factor - 1)
    within = f", -{low:.0f}/+{high:.0f} %" if low > 0 or high > 0 else ""
    return "; ".join([f"sized from {build.method}{within}", *build.notes])


# --------------------------------------------------------------------------- header


def target_words(report: Report) -> tuple[str, ...]:
    """Return platform, stack, Python and system."""
    target = report.sizes.target
    return (
        target.platform.title,
        target.stack.name,
        f"Python {target.python_version} ({target.python_origin})",
        f"linux {target.stack.arch}",
    )


def run_words(report: Report) -> tuple[str, ...]:
    """Return what was found, and what finding it took."""
    sizes, transfer = report.sizes, report.sizes.transfer
    direct = sum(1 for d in sizes.distributions if d.distribution.direct)
    counted = f"{plural(len(sizes.distributions), 'distribution')}, {direct} direct"
    took = f"{math.ceil(report.seconds * 10) / 10:.1f} s"
    if report.verification is not None:
        return counted, took, "verified by a real install"
    if not transfer.requests:
        return counted, took, "nothing fetched"
    read = f"{mb(transfer.bytes)} MB read in {plural(transfer.requests, 'request')}"
    return counted, took, f"{read}, {transfer.cached} cached" if transfer.cached else read


# --------------------------------------------------------------------------- sizes


def packed(*, counts_slug: bool) -> str:
    """Return what a compressed size is called, by whether the platform limits the slug."""
    return "slug" if counts_slug else "gzipped"


def percent(figure: Estimate[int] | Estimate[float]) -> str:
    """Return the half width of a figure's interval, "±2.1 %"; empty for a measured one."""
    if not figure.percent:
        return ""
    # the ends of an interval are whole bytes: a hair above 2 % is 2 %
    return f"±{math.ceil(round(figure.percent * 10, 3)) / 10:.1f} %"


def doubt(sizes: SizeReport) -> str:
    """Return the doubt of the total that counts, "slug ±2.1 %"."""
    within = percent(sizes.counted)
    return f"{'slug' if sizes.counts_slug else 'installed'} {within}" if within else ""


# --------------------------------------------------------------------------- verdicts


def sentence(verdict: Verdict) -> str:
    """Return the sentence of a verdict, with the doubt of a predicted size."""
    clear = verdict.status in (Status.PASS, Status.FAIL) and verdict.unit == "bytes"
    doubt = percent(verdict.figure) if verdict.figure is not None and clear else ""
    return f"{verdict.sentence} ({doubt})" if doubt and verdict.gates else verdict.sentence


def conclusion(report: Report) -> Outcome:
    """Return the outcome that the exit code has: FITS, OVER BUDGET, WILL FAIL …, and why."""
    place = report.sizes.target.platform.title
    gating = [verdict for verdict in report.verdicts if verdict.gates]
    code = exit_code(report)
    if report.obstacles:
        return _obstructed(report)
    if code == 1:
        failed = [v for v in gating if v.status is Status.FAIL]
        if not failed:
            return _will_fail(failures(report))
        text = _all(failed) if len(failed) == 1 else _budgets(failed)
        return Outcome(status=Status.FAIL, word="OVER BUDGET", sentence=text)
    if code:
        unknown = [v for v in gating if v.status is Status.UNKNOWN][:1]
        doubtful, names = _all(unknown), _not_sized(report)
        # a verdict that is open for that alone has counted them already
        counted_there = any(v.figure is not None and v.figure.high <= v.limit for v in unknown)
        text = f"{doubtful}: {names}" if names and counted_there else doubtful
        if names and not counted_there:
            text = "; ".join(filter(None, (doubtful, f"not sized: {names}")))
        return Outcome(status=Status.UNKNOWN, word="UNKNOWN", sentence=text)
    held = [verdict for verdict in gating if verdict.figure is not None]
    if not held:
        shown = mb(report.sizes.counted.value)
        return Outcome(status=Status.PASS, word="NO LIMIT SET", sentence=f"{shown} MB in total")
    errors = sum(1 for f in report.findings if f.severity is FindingSeverity.ERROR)
    first = f"; fix {plural(errors, 'error')} first" if errors else ""
    return Outcome(
        status=Status.WARN if errors else Status.PASS,
        word=f"FITS {place}",
        sentence=_all(held[:1]) + first,
    )


def _obstructed(report: Report) -> Outcome:
    refusals = [obstacle for obstacle in report.obstacles if obstacle.refused]
    first = (refusals or list(report.obstacles))[0]
    more = len(report.obstacles) - 1
    # the word says it already
    fails = f"{report.sizes.target.platform.title}'s build would fail: "
    sentence = first.sentence.removeprefix(fails)
    text = f"{sentence}; and {more} more" if more else sentence
    if refusals:
        return Outcome(status=Status.FAIL, word="WILL FAIL", sentence=text)
    return Outcome(status=Status.UNKNOWN, word="UNKNOWN", sentence=text)


def _will_fail(findings: Sequence[Finding]) -> Outcome:
    more = f"; and {len(findings) - 1} more" if len(findings) > 1 else ""
    word = "WILL FAIL" if findings[0].severity is FindingSeverity.ERROR else "MAY FAIL"
    return Outcome(status=Status.FAIL, word=word, sentence=findings[0].sentence + more)


def _budgets(failed: Sequence[Verdict]) -> str:
    names = ", ".join(verdict.budget for verdict in failed)
    return f"{plural(len(failed), 'budget')} exceeded: {names}"


def _all(verdicts: Iterable[Verdict]) -> str:
    return "; ".join(f"{verdict.budget} {verdict.sentence}" for verdict in verdicts)


def _not_sized(report: Report) -> str:
    doubtful = unaccepted(report.sizes.unsized, report.allowed_unsized, everything=False)
    names = [unsized.name for unsized in doubtful]
    return listed(names)


# --------------------------------------------------------------------------- the rest


def overlap(overlapping: Overlap) -> str:
    """Return which distributions install the same files."""
    names = listed(overlapping.names)
    files = f"{plural(overlapping.files, 'file')} (such as {overlapping.example})"
    return f"{names} overlap in {files}: the last one installed wins, so they are counted once"


def after_fix(finding: Finding, *, by_slug: bool) -> str:
    """Return what the check comes to with a fix applied: "then 337M: fits"."""
    after = finding.after
    if after is None:
        return ""
    size = after.counted.value
    outcomes = {Status.FAIL: "still over budget", Status.UNKNOWN: "too close to call"}
    shown = heroku_m(size) if by_slug else f"{mb(size)} MB"
    return f"then {shown}: {outcomes.get(after.status, 'fits')}"


def saving(finding: Finding, *, by_slug: bool) -> str:
    """Return what a change saves, rounded down: less than was measured, never more.

    Slug bytes are in Heroku's M where the platform counts a slug, as in its verdicts.
    """
    savings = []
    if finding.saves_bytes is not None:
        savings.append(f"{mb(finding.saves_bytes)} MB installed")
    if finding.saves_slug_bytes is not None:
        packed = finding.saves_slug_bytes
        slug = f"{heroku_m(packed, down=True)} of slug"
        savings.append(slug if by_slug else f"{mb(packed)} MB gzipped")
    return f"saves {', '.join(savings)}" if savings else ""

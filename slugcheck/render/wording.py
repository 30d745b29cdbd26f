"""The words of a check in every format: rows and their order, verdict sentences, conclusions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slugcheck.model import (
    Basis,
    DistributionSize,
    Estimate,
    Finding,
    FindingSeverity,
    Kind,
    Overlap,
    Part,
    Report,
    SizeReport,
    SourceBuild,
    Status,
    Verdict,
)
from slugcheck.policy.budgets import exit_code, failures, unaccepted
from slugcheck.text import heroku_m, mb, plural, shortened

_ROWS = 12
_LEAST_ROWS = 6
_SHARE = 0.95
_CONTRIBUTORS = 5
LEAST_PERCENT = 2
_NOTABLE_BYTES = 50_000  # an overlap below prints as 0.0 or 0.1 MB and explains nothing
_KINDS = {
    Kind.NATIVE: "native",
    Kind.PYTHON: "Python",
    Kind.BYTECODE: "bytecode",
    Kind.TESTS: "tests",
    Kind.METADATA: "metadata",
    Kind.DATA: "data",
}


# What the last column says of a part, where its label does not.
_GROUPS = {"app": "", "models": "", "other": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Bytes of one row; a download is None where there is none or it is not known."""

    download: int | None
    installed: int
    bytecode: int
    slug: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """The distributions that get a row, the largest first, and those that one line stands for."""

    shown: tuple[DistributionSize, ...]
    rest: tuple[DistributionSize, ...]


def fold(sizes: SizeReport, *, everything: bool, most: int = _ROWS) -> Fold:
    """Return the distributions that make up 95 %, but at least 6 and at most ``most``."""
    rows = sorted(sizes.distributions, key=lambda d: (-ranked(d, sizes), d.name))
    if everything or len(rows) <= _LEAST_ROWS + 1:
        return Fold(shown=tuple(rows), rest=())
    enough = _SHARE * sum(ranked(row, sizes) for row in rows)
    reached, count = 0, 0
    while count < most and (reached < enough or count < _LEAST_ROWS):
        reached += ranked(rows[count], sizes)
        count += 1
    if len(rows) - count == 1:  # a line for one other is no shorter than that one
        count += 1
    return Fold(shown=tuple(rows[:count]), rest=tuple(rows[count:]))


def ranked(one: DistributionSize, sizes: SizeReport) -> int:
    """Return the bytes that count on the platform: slug bytes on Heroku, else installed bytes."""
    return one.slug.value if counts_slug(sizes) else one.installed_bytes


def counts_slug(sizes: SizeReport) -> bool:
    """Whether the platform's size limit is about the slug."""
    return sizes.target.platform.size_figure == "slug"


def counted(sizes: SizeReport) -> Estimate[int]:
    """Return the total that the platform's size limit is about."""
    return sizes.slug if counts_slug(sizes) else sizes.installed


def sums(rows: Iterable[DistributionSize]) -> Sums:
    """Return some distributions together; unknown downloads make the sum unknown."""
    known = tuple(rows)
    downloads = [row.download_bytes for row in known]
    return Sums(
        download=None if None in downloads else sum(size or 0 for size in downloads),
        installed=sum(row.installed_bytes for row in known),
        bytecode=sum(row.bytecode.value for row in known),
        slug=sum(row.slug.value for row in known),
    )


def has_more(sizes: SizeReport) -> bool:
    """Whether app files or models are counted beside distributions and runtime."""
    return bool(sizes.distributions) and any(
        part.group in ("app", "models") for part in sizes.parts
    )


def dependencies(sizes: SizeReport) -> Sums:
    """Return the figures of all distributions, shared paths once."""
    return Sums(
        download=sums(sizes.distributions).download,
        installed=sizes.plain_bytes + sizes.bytecode_bytes,
        bytecode=sizes.bytecode_bytes,
        slug=sizes.dependencies_slug_bytes,
    )


def total(sizes: SizeReport) -> Sums:
    """Return the figures of the total line: distributions and parts, shared paths once."""
    return Sums(
        download=sums(sizes.distributions).download,
        installed=sizes.installed.value,
        bytecode=sizes.bytecode_bytes,
        slug=sizes.slug.value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """Parts in one row: a platform's runtime is one, and so are many models."""

    label: str
    group: str
    installed: int
    slug: int
    predicted: bool
    note: str


def part_rows(parts: Sequence[Part], *, everything: bool) -> tuple[PartRow, ...]:
    """Return the parts by group in their order, each group as one row unless ``everything``."""
    if everything:
        return tuple(_part_row((part,), part.name) for part in parts)
    groups = dict.fromkeys(part.group for part in parts)
    found = ([part for part in parts if part.group == group] for group in groups)
    return tuple(_part_row(members, _group_label(members)) for members in found)


def _part_row(parts: Sequence[Part], label: str) -> PartRow:
    slug = sum(part.slug.value for part in parts)
    doubt = sum(part.slug.high - part.slug.low for part in parts) * 50 / slug if slug else 0.0
    within = f" ±{doubt:.0f} %" if doubt >= 1 else ""
    note = f": {parts[0].note}" if len(parts) == 1 and parts[0].note else ""
    group = _GROUPS.get(parts[0].group, parts[0].group)
    return PartRow(
        label=label,
        group=parts[0].group,
        installed=sum(part.installed.value for part in parts),
        slug=slug,
        predicted=any(part.slug.basis is Basis.PREDICTED for part in parts),
        note=f"{group}{within}{note}".strip(),
    )


def _group_label(parts: Sequence[Part]) -> str:
    first = parts[0]
    if len(parts) == 1:
        return first.name
    if first.group == "runtime":
        # "Python 3.12 + pip + setuptools": the version of the first is the one that matters
        return " + ".join([first.name, *(part.name.split(" ")[0] for part in parts[1:])])
    return f"{first.group} ({len(parts)})"


def label(one: DistributionSize) -> str:
    """Return name and extras."""
    extras = one.distribution.extras
    return f"{one.name}[{','.join(extras)}]" if extras else one.name


def reasons(one: DistributionSize) -> tuple[str, ...]:
    """Return why a distribution is there: ``direct``, and the names that need it."""
    return (*(("direct",) if one.distribution.direct else ()), *one.required_by)


def notable_overlaps(sizes: SizeReport) -> tuple[Overlap, ...]:
    """Return the overlaps that the figures show."""
    return tuple(o for o in sizes.overlaps if max(o.bytes, o.slug_bytes) >= _NOTABLE_BYTES)


# --------------------------------------------------------------------------- shares


def kinds(sizes: SizeReport) -> tuple[tuple[str, int], ...]:
    """Return each kind of file that is 1.5 % or more of the installed bytes, and its percentage."""
    totals = {kind: sum(d.by_kind.get(kind, 0) for d in sizes.distributions) for kind in Kind}
    whole = sum(totals.values()) or 1
    ordered = sorted(totals.items(), key=lambda item: -item[1])
    return tuple(
        (_KINDS[k], round(100 * size / whole))
        for k, size in ordered
        if size and size * 200 >= 3 * whole
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributor:
    """A direct requirement: bytes that deleting its line frees, and of all that it needs.

    App files and models are contributors as well, each group as one.

    ``others`` is how many further distributions that frees.
    """

    name: str
    freed: int
    total: int
    others: int


def contributors(sizes: SizeReport) -> tuple[Contributor, ...]:
    """Return the requirements, app files and models behind most, with at least 2 % each.

    What goes with a line alone would hide two lines that need the same large thing, so they are
    ordered by all that each needs; these overlap and are never summed.
    """
    by_slug = counts_slug(sizes)
    found = []
    for root in sizes.roots:
        alone = root.exclusive_slug_bytes if by_slug else root.exclusive_bytes
        shared = root.shared_slug_bytes if by_slug else root.shared_bytes
        others = sum(1 for name in root.exclusive_names if name != root.name)
        found.append(Contributor(name=root.name, freed=alone, total=alone + shared, others=others))
    for row in part_rows(sizes.parts, everything=False):
        if row.group in ("app", "models"):
            size = row.slug if by_slug else row.installed
            found.append(Contributor(name=row.label, freed=size, total=size, others=0))
    least = LEAST_PERCENT * counted(sizes).value / 100
    ordered = sorted(found, key=lambda one: (-one.total, -one.freed, one.name))
    return tuple(one for one in ordered if one.total >= least)[:_CONTRIBUTORS]


# --------------------------------------------------------------------------- built from source


def source_builds(sizes: SizeReport, *, most: int) -> tuple[str, ...]:
    """Return what the platform builds from source and how it was sized, in a line each.

    Builds that compile are listed one by one, up to ``most``; pure Python ones share a line.
    """
    native = [one for one in _built(sizes) if one[1].native]
    pure = [one.name for one, build in _built(sizes) if not build.native]
    lines = [
        f"{one.name} is built from source on the platform ({build.reason}); {_sized(build)}"
        for one, build in native[:most]
    ]
    if native[most:]:
        lines.append(f"also {shortened([one.name for one, _ in native[most:]], 8)}")
    if pure:
        lines.append(f"built from source without compiling: {shortened(pure, 8)}")
    return tuple(lines)


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
    found = f"{plural(len(sizes.distributions), 'distribution')}, {direct} direct"
    took = f"{math.ceil(report.seconds * 10) / 10:.1f} s"
    if report.verification is not None:
        return found, took, "verified by a real install"
    if not transfer.requests:
        return found, took, "nothing fetched"
    read = f"{mb(transfer.bytes)} MB read in {plural(transfer.requests, 'request')}"
    return found, took, f"{read}, {transfer.cached} cached" if transfer.cached else read


# --------------------------------------------------------------------------- doubt


def percent(figure: Estimate[int] | Estimate[float]) -> str:
    """Return the half width of a figure's interval, "±2.1 %"; empty for a measured one."""
    if not figure.percent:
        return ""
    # the ends of an interval are whole bytes: a hair above 2 % is 2 %
    return f"±{math.ceil(round(figure.percent * 10, 3)) / 10:.1f} %"


def doubt(sizes: SizeReport) -> str:
    """Return the doubt of the total that counts, "slug ±2.1 %"."""
    within = percent(counted(sizes))
    return f"{'slug' if counts_slug(sizes) else 'installed'} {within}" if within else ""


# --------------------------------------------------------------------------- verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict with those that say something more of the same figure, and never gate."""

    verdict: Verdict
    beside: tuple[Verdict, ...]


def judged(verdicts: Iterable[Verdict]) -> tuple[Judged, ...]:
    """Return the verdicts that have a figure, what a platform adds to one beside it."""
    groups: list[tuple[Verdict, list[Verdict]]] = []
    for verdict in verdicts:
        if verdict.figure is None:
            continue
        same = next((more for own, more in groups if own.figure == verdict.figure), None)
        if same is not None and not verdict.gates:
            same.append(verdict)
        else:
            groups.append((verdict, []))
    return tuple(Judged(verdict=own, beside=tuple(more)) for own, more in groups)


def not_measured(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return the verdicts without a figure."""
    return tuple(verdict for verdict in verdicts if verdict.figure is None)


def sentence(verdict: Verdict) -> str:
    """Return the sentence of a verdict, with the doubt of a predicted size."""
    clear = verdict.status in (Status.PASS, Status.FAIL) and verdict.unit == "bytes"
    doubt = percent(verdict.figure) if verdict.figure is not None and clear else ""
    return f"{verdict.sentence} ({doubt})" if doubt and verdict.gates else verdict.sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The whole report in one line."""

    status: Status
    word: str
    sentence: str


def conclusion(report: Report) -> Conclusion:
    """Return the outcome that the exit code has: FITS, OVER BUDGET, WILL FAIL …, and why."""
    place = report.sizes.target.platform.title
    gating = [verdict for verdict in report.verdicts if verdict.gates]
    code = exit_code(report)
    if code == 1:
        failed = [v for v in gating if v.status is Status.FAIL]
        if not failed:
            return _will_fail(failures(report))
        said = _all(failed) if len(failed) == 1 else _budgets(failed)
        return Conclusion(status=Status.FAIL, word="OVER BUDGET", sentence=said)
    if code:
        doubtful = _all([v for v in gating if v.status is Status.UNKNOWN][:1])
        names = _not_sized(report)
        # a verdict that is open for that alone has counted them already
        counted_there = doubtful.endswith("could not be sized")
        said = f"{doubtful}: {names}" if names and counted_there else doubtful
        if names and not counted_there:
            said = "; ".join(filter(None, (doubtful, f"not sized: {names}")))
        return Conclusion(status=Status.UNKNOWN, word="UNKNOWN", sentence=said)
    held = [verdict for verdict in gating if verdict.figure is not None]
    if not held:
        shown = mb(counted(report.sizes).value)
        return Conclusion(status=Status.PASS, word="NO LIMIT SET", sentence=f"{shown} MB in total")
    errors = sum(1 for f in report.findings if f.severity is FindingSeverity.ERROR)
    first = f"; fix {plural(errors, 'error')} first" if errors else ""
    return Conclusion(
        status=Status.WARN if errors else Status.PASS,
        word=f"FITS {place}",
        sentence=_all(held[:1]) + first,
    )


def _will_fail(found: Sequence[Finding]) -> Conclusion:
    more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
    word = "WILL FAIL" if found[0].severity is FindingSeverity.ERROR else "MAY FAIL"
    return Conclusion(status=Status.FAIL, word=word, sentence=found[0].sentence + more)


def _budgets(failed: Sequence[Verdict]) -> str:
    names = ", ".join(verdict.budget for verdict in failed)
    return f"{plural(len(failed), 'budget')} exceeded: {names}"


def _all(verdicts: Iterable[Verdict]) -> str:
    return "; ".join(f"{verdict.budget} {verdict.sentence}" for verdict in verdicts)


def _not_sized(report: Report) -> str:
    doubtful = unaccepted(report.sizes.unsized, report.allowed_unsized, everything=False)
    names = [one.name for one in doubtful]
    return shortened(names)


# --------------------------------------------------------------------------- the rest


def overlap(one: Overlap) -> str:
    """Return which distributions install the same files."""
    names = " and ".join(one.names) if len(one.names) == 2 else shortened(one.names)
    files = f"{plural(one.files, 'file')} (such as {one.example})"
    return f"{names} overlap in {files}: the last one installed wins, so they are counted once"


def saving(finding: Finding, *, by_slug: bool) -> str:
    """Return what a change saves, rounded down: less than was measured, never more.

    Slug bytes are in Heroku's M where the platform counts a slug, as in its verdicts.
    """
    said = []
    if finding.saves_bytes is not None:
        said.append(f"{mb(finding.saves_bytes)} MB installed")
    if finding.saves_slug_bytes is not None:
        packed = finding.saves_slug_bytes
        slug = f"{heroku_m(packed, down=True)} of slug"
        said.append(slug if by_slug else f"{mb(packed)} MB gzipped")
    return f"saves {', '.join(said)}" if said else ""

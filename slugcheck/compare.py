"""Compares reports: a report with its base, and candidates with each other.

``difference`` and ``changes`` compare two reports, ``compare`` two or more candidates, ``join``
adds the results of ``bench``; ``SideBySide`` measures the candidates of the command. Everything
works on saved documents (``model.document``), so that old and new reports are treated alike. All
figures come from ``check``; nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import InvalidVersion

from slugcheck import reading
from slugcheck.check import SILENT, Check
from slugcheck.errors import SlugcheckError, UsageError
from slugcheck.model import (
    BaseTotals,
    Basis,
    BundleKind,
    Change,
    ChangeKind,
    Difference,
    Estimate,
    PartChange,
    Status,
)
from slugcheck.model.bench import DISTRIBUTIONS, Spread
from slugcheck.model.comparison import (
    Comparison,
    Footprint,
    Migration,
    Recommendation,
    Savings,
    Setup,
    SetupRow,
    SharedRow,
    Step,
    StepKind,
)
from slugcheck.model.document.bench import BenchDocument, Runtime, Summary
from slugcheck.model.document.report import (
    Distribution,
    Memory,
    ReportDocument,
    Requirement,
    Unsized,
    Verdict,
)
from slugcheck.model.document.saved import content_of, loads, text_of
from slugcheck.model.options import Options
from slugcheck.model.to_document.report import report_document
from slugcheck.policy import gates
from slugcheck.text import HEROKU_M, MEGABYTES, Scale, listed, printable, unit_of

_SHOWN = 60  # characters of a label that a message repeats
_PARTS = (
    ("Python and package manager", "runtime_bytes", "runtime_slug_bytes"),
    ("app files", "app_bytes", "app_slug_bytes"),
)
# Groups of parts without totals of their own: by steps of the build, of an image, and layers.
_MADE = {
    "static": "static files", "nltk": "NLTK data", "base": "base image", "cache": "caches",
    "layers": "layers",
}  # fmt: skip
_AT_ONCE = 4  # resolving is the work of one processor: more at once only wait for each other
_NAMED = 3  # candidates or packages that one sentence names
_BENCH_HINT = "make one with: slugcheck bench --output result.json"
_ASPECTS = (
    ("platform", "title"), ("stack", "stack"), ("Python", "python_full"), ("processor", "arch"),
)  # fmt: skip


def difference(head: ReportDocument, base: ReportDocument, *, label: str) -> Difference:
    """Return what ``head`` adds to ``base`` and removes from it.

    ``label`` names the base. Only what changed adds to the doubt of the sums: what is the same on
    both sides has the same error on both, which cancels out.
    """
    changed = changes(by_name(head), by_name(base))
    own, then = head.totals, base.totals
    doubts = _doubts(head, base, changed)
    return Difference(
        label=label,
        base=BaseTotals(
            distributions=then.distributions,
            installed_bytes=then.all_installed_bytes,
            slug_bytes=then.slug_bytes,
            bundle_bytes=then.bundle_bytes,
        ),
        changes=changed,
        parts=tuple(_parts(head, base)),
        installed_bytes=own.all_installed_bytes - then.all_installed_bytes,
        slug_bytes=own.slug_bytes - then.slug_bytes,
        bundle_bytes=own.bundle_bytes - then.bundle_bytes,
        installed_doubt_bytes=doubts.installed,
        slug_doubt_bytes=doubts.slug,
        bundle_doubt_bytes=doubts.bundle,
        notes=tuple(_difference_notes(head, base, label)),
    )


# --------------------------------------------------------------------------- distributions


def changes(
    now: Mapping[str, Distribution], then: Mapping[str, Distribution]
) -> tuple[Change, ...]:
    """Return how the distributions differ, the largest change of the bundle first."""
    differing = [
        _change(now.get(name), then.get(name))
        for name in {**now, **then}
        if not _alike(now.get(name), then.get(name))
    ]

    def rank(change: Change) -> tuple[int, str]:
        return -abs(change.bundle_bytes), change.name

    return tuple(sorted(differing, key=rank))


def _alike(now: Distribution | None, then: Distribution | None) -> bool:
    if now is None or then is None:
        return now is then
    return (now.version, now.installed_bytes, now.slug_bytes, now.bundle_bytes) == (
        then.version, then.installed_bytes, then.slug_bytes, then.bundle_bytes,
    )  # fmt: skip


def _change(now: Distribution | None, then: Distribution | None) -> Change:
    distribution = now or then
    assert distribution is not None  # noqa: S101 - a name comes from one of the two
    before = then.bundle_bytes if then else 0
    installed = (now.installed_bytes if now else 0) - (then.installed_bytes if then else 0)
    slug = (now.slug_bytes if now else 0) - (then.slug_bytes if then else 0)
    bundle = (now.bundle_bytes if now else 0) - before
    return Change(
        name=distribution.name,
        kind=_kind(now, then),
        before=then.version if then else None,
        after=now.version if now else None,
        installed_bytes=installed,
        slug_bytes=slug,
        bundle_bytes=bundle,
        percent=100 * bundle / before if before else None,
        because=reasons(distribution),
    )


def reasons(distribution: Distribution) -> tuple[str, ...]:
    """Return what requires a distribution: ``direct``, and the names of others."""
    return (*(("direct",) if distribution.direct else ()), *distribution.required_by)


def _kind(now: Distribution | None, then: Distribution | None) -> ChangeKind:
    if then is None:
        return ChangeKind.ADDED
    if now is None:
        return ChangeKind.REMOVED
    if now.version == then.version:
        return ChangeKind.SAME_VERSION
    return ChangeKind.UPGRADED if _is_newer(now.version, then.version) else ChangeKind.DOWNGRADED


def _is_newer(version: str, other: str) -> bool:
    """Return whether a version is newer than another; an invalid version is the oldest."""
    try:
        own = reading.version(version)
    except InvalidVersion:
        return False
    try:
        return own > reading.version(other)
    except InvalidVersion:
        return True


# --------------------------------------------------------------------------- totals


def _parts(head: ReportDocument, base: ReportDocument) -> Iterator[PartChange]:
    own, then = head.totals, base.totals

    def change(name: str, installed: int, slug: int) -> PartChange:
        return PartChange(
            name=name, installed_bytes=installed, slug_bytes=slug,
            bundle_bytes=_counted(head, installed, slug),
        )  # fmt: skip

    for name, installed, slug in (
        ("runtime", own.runtime_bytes - then.runtime_bytes,
         own.runtime_slug_bytes - then.runtime_slug_bytes),
        ("app files", own.app_bytes - then.app_bytes, own.app_slug_bytes - then.app_slug_bytes),
        ("models", own.model_bytes - then.model_bytes,
         own.model_slug_bytes - then.model_slug_bytes),
    ):  # fmt: skip
        if installed or slug:
            yield change(name, installed, slug)
    for group, name in _MADE.items():
        (installed, slug), (less, packed) = _made(head, group), _made(base, group)
        if installed != less or slug != packed:
            yield change(name, installed - less, slug - packed)


def _made(report: ReportDocument, group: str) -> tuple[int, int]:
    """Return the bytes on disk and in the slug of what a step of the build makes."""
    rows = [part for part in report.parts if part.group == group]
    return sum(row.installed_bytes for row in rows), sum(row.slug_bytes for row in rows)


@dataclass(frozen=True, slots=True)
class Doubts:
    """Half the width of the intervals of differences, in bytes."""

    installed: int
    slug: int
    bundle: int


def _doubts(head: ReportDocument, base: ReportDocument, changes: Iterable[Change]) -> Doubts:
    """Return the doubts of the whole differences."""
    own, then = head.totals, base.totals
    if own.basis != then.basis:  # one measured, one predicted: nothing cancels out
        sides = own, then
        return Doubts(
            sum(_half(t.all_installed_low_bytes, t.all_installed_high_bytes) for t in sides),
            sum(_half(t.slug_low_bytes, t.slug_high_bytes) for t in sides),
            sum(_half(t.bundle_low_bytes, t.bundle_high_bytes) for t in sides),
        )
    names = {change.name for change in changes}
    return doubts(d for side in (head, base) for d in side.distributions if d.name in names)


def doubts(distributions: Iterable[Distribution]) -> Doubts:
    """Return the doubts of what changed, summed."""
    changed = tuple(distributions)
    return Doubts(
        sum(_half(d.installed_low_bytes, d.installed_high_bytes) for d in changed),
        sum(_half(d.slug_low_bytes, d.slug_high_bytes) for d in changed),
        sum(_half(d.bundle_low_bytes, d.bundle_high_bytes) for d in changed),
    )


def _half(low: int, high: int) -> int:
    return -(-(high - low) // 2)


def _difference_notes(head: ReportDocument, base: ReportDocument, label: str) -> Iterator[str]:
    for aspect, field in _ASPECTS:
        own, then = getattr(head.target, field), getattr(base.target, field)
        if own != then:
            yield f"{label} is for {aspect} {then}, this for {own}: this alone changes sizes"
    if head.target.platform == base.target.platform and head.target.tier != base.target.tier:
        tiers = f"the tier {base.target.tier} in {label}, {head.target.tier} in this"
        yield f"another limit applies: {tiers}"
    if head.tool.version != base.tool.version:
        made = f"{label} was made by slugcheck {base.tool.version}"
        yield f"{made}, this by {head.tool.version}: this alone may change predictions"
    if head.totals.basis != base.totals.basis:
        yield f"{label} is {base.totals.basis}, this {head.totals.basis}: this may change sizes"
    for where, unsized in ((label, base.unsized), ("this", head.unsized)):
        if unsized:
            yield f"not counted in {where} (size unknown): {_pins(unsized)}"


def _pins(unsized: Sequence[Unsized]) -> str:
    names = [
        f"{package.name} {package.version}" if package.version else package.name
        for package in unsized
    ]
    return listed(names, 5)


def by_name(report: ReportDocument) -> Mapping[str, Distribution]:
    """Return a report's distributions by their names."""
    return {distribution.name: distribution for distribution in report.distributions}


# --------------------------------------------------------------------------- candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A report to compare, under a label that no other candidate has."""

    label: str
    report: ReportDocument


def compare(candidates: Sequence[Candidate]) -> Comparison:
    """Return the comparison of two candidates or more; the others are compared with the first."""
    first = candidates[0].report
    reports = [candidate.report for candidate in candidates]
    setups = tuple(_setup(candidate, first) for candidate in candidates)
    limit = _size_verdict(first)
    return Comparison(
        title=first.target.title,
        bundle_kind=first.target.bundle_kind,
        limit_text=limit.limit_text if limit else "",
        stacks=setups,
        shared=tuple(_shared(reports)),
        migrations=tuple(_migration(candidates[0], other) for other in candidates[1:]),
        savings=_savings(setups),
        recommendation=recommend(setups, scale=_scale(first)),
        notes=tuple(_notes(candidates)),
        tool_version=first.tool.version,
    )


def _setup(candidate: Candidate, first: ReportDocument) -> Setup:
    report = candidate.report
    totals, size = report.totals, _size_verdict(report)
    bundle, reference = _bundle(report), _bundle(first)
    saved = reference.value - bundle.value
    return Setup(
        label=candidate.label,
        path=report.subject.path,
        target=_target(report),
        distributions=totals.distributions,
        dependencies_bytes=totals.installed_bytes,
        dependencies_slug_bytes=totals.dependencies_slug_bytes,
        dependencies_bundle_bytes=totals.dependencies_bundle_bytes,
        model_files=len(report.models),
        model_bytes=totals.model_bytes,
        model_slug_bytes=totals.model_slug_bytes,
        model_bundle_bytes=_counted(report, totals.model_bytes, totals.model_slug_bytes),
        installed_bytes=totals.all_installed_bytes,
        slug=_slug(report),
        bundle=bundle,
        rows=tuple(_rows(report)),
        status=_status(report),
        sentence=size.sentence if size else "no limit",
        room_bytes=size.limit - bundle.value if size else None,
        unsized=tuple(_unsized(report)),
        worker=_worker(report.memory),
        saved_installed_bytes=first.totals.all_installed_bytes - totals.all_installed_bytes,
        saved_slug_bytes=first.totals.slug_bytes - totals.slug_bytes,
        saved_bundle_bytes=saved,
        saved_percent=100 * saved / reference.value if reference.value else None,
    )


def _worker(memory: Memory | None) -> Estimate[int] | None:
    """Return what one worker has in memory after its imports."""
    if memory is None:
        return None
    ends = memory.worker_bytes, memory.worker_low_bytes, memory.worker_high_bytes
    return Estimate[int].predicted(*ends)


def _target(report: ReportDocument) -> str:
    target = report.target
    return f"{target.title} · {target.stack} · Python {target.python_full}"


def _counted(report: ReportDocument, installed: int, slug: int) -> int:
    """Return what the platform counts of something beside the distributions."""
    return slug if report.target.bundle_kind.is_packed else installed


def _slug(report: ReportDocument) -> Estimate[int]:
    totals = report.totals
    return Estimate(
        value=totals.slug_bytes,
        low=totals.slug_low_bytes,
        high=totals.slug_high_bytes,
        basis=Basis.PREDICTED,
    )


def _bundle(report: ReportDocument) -> Estimate[int]:
    totals = report.totals
    return Estimate(
        value=totals.bundle_bytes,
        low=totals.bundle_low_bytes,
        high=totals.bundle_high_bytes,
        basis=Basis.PREDICTED,
    )


def _scale(report: ReportDocument) -> Scale:
    """Return the unit of the bundle: that of its limit."""
    size = _size_verdict(report)
    default = HEROKU_M if report.target.bundle_kind is BundleKind.GZIP_TAR else MEGABYTES
    return unit_of(size.limit if size else None, default=default)


def _size_verdict(report: ReportDocument) -> Verdict | None:
    name = report.target.size_figure
    return next((v for v in report.verdicts if v.budget == name and v.gates), None)


def _status(report: ReportDocument) -> Status:
    gating = {verdict.status for verdict in report.verdicts if verdict.gates}
    if Status.FAIL in gating:
        return Status.FAIL
    if Status.UNKNOWN in gating or report.obstacles or any(_unsized(report)):
        return Status.UNKNOWN
    return Status.PASS


def _unsized(report: ReportDocument) -> Iterator[str]:
    yield from (unsized.name for unsized in report.unsized if not unsized.allowed)


def _rows(report: ReportDocument) -> Iterator[SetupRow]:
    totals = report.totals
    for d in sorted(report.distributions, key=lambda d: (-d.bundle_bytes, d.name)):
        yield SetupRow(
            name=d.name, version=d.version, installed_bytes=d.installed_bytes,
            slug_bytes=d.slug_bytes, bundle_bytes=d.bundle_bytes,
        )  # fmt: skip
    twice = totals.installed_bytes - sum(d.installed_bytes for d in report.distributions)
    packed = totals.dependencies_slug_bytes - sum(d.slug_bytes for d in report.distributions)
    counted = totals.dependencies_bundle_bytes - sum(d.bundle_bytes for d in report.distributions)
    if twice or packed:
        yield SetupRow(
            name="overlapping files (counted once)", version="", installed_bytes=twice,
            slug_bytes=packed, bundle_bytes=counted,
        )  # fmt: skip
    parts = [(name, getattr(totals, own), getattr(totals, slug)) for name, own, slug in _PARTS]
    parts += [(name, *_made(report, group)) for group, name in _MADE.items()]
    if report.models:
        name = f"models ({len(report.models)})"
        parts.append((name, totals.model_bytes, totals.model_slug_bytes))
    for name, installed, slug in parts:
        if installed or slug:
            yield SetupRow(
                name=name, version="", installed_bytes=installed, slug_bytes=slug,
                bundle_bytes=_counted(report, installed, slug),
            )  # fmt: skip


# --------------------------------------------------------------------------- between candidates


def _shared(reports: Sequence[ReportDocument]) -> Iterator[SharedRow]:
    tables = [by_name(report) for report in reports]
    rows = []
    for name in dict.fromkeys(name for table in tables for name in table):
        distributions = [table.get(name) for table in tables]
        rows.append(
            SharedRow(
                name=name,
                versions=tuple(
                    distribution.version if distribution else None for distribution in distributions
                ),
                installed_bytes=tuple(
                    distribution.installed_bytes if distribution else None
                    for distribution in distributions
                ),
                slug_bytes=tuple(
                    distribution.slug_bytes if distribution else None
                    for distribution in distributions
                ),
                bundle_bytes=tuple(
                    distribution.bundle_bytes if distribution else None
                    for distribution in distributions
                ),
            )
        )

    def rank(row: SharedRow) -> tuple[int, str]:
        return -max(size or 0 for size in row.bundle_bytes), row.name

    yield from sorted(rows, key=rank)


def _migration(first: Candidate, other: Candidate) -> Migration:
    if not first.report.requirements or not other.report.requirements:
        return Migration(from_label=first.label, to_label=other.label, steps=None)
    then, now = _lines(first.report.requirements), _lines(other.report.requirements)
    steps = [
        Step(kind=StepKind.REMOVE, before=text, after="")
        for name, text in then.items()
        if name not in now
    ]
    steps += [
        Step(kind=StepKind.CHANGE, before=then[name], after=text)
        for name, text in now.items()
        if name in then and then[name] != text
    ]
    steps += [
        Step(kind=StepKind.ADD, before="", after=text)
        for name, text in now.items()
        if name not in then
    ]
    return Migration(from_label=first.label, to_label=other.label, steps=tuple(steps))


def _lines(requirements: Sequence[Requirement]) -> Mapping[str, str]:
    """Return the lines by name; a name may have several lines with different markers."""
    lines: dict[str, str] = {}
    for requirement in requirements:
        name = requirement.name or requirement.text
        lines[name] = f"{lines[name]}\n{requirement.text}" if name in lines else requirement.text
    return lines


def _savings(candidates: Sequence[Setup]) -> Savings | None:
    largest = max(candidates, key=lambda candidate: candidate.bundle.value)
    smallest = min(candidates, key=lambda candidate: candidate.bundle.value)
    if largest is smallest:
        return None
    saved = largest.bundle.value - smallest.bundle.value
    return Savings(
        from_label=largest.label,
        to_label=smallest.label,
        installed_bytes=largest.installed_bytes - smallest.installed_bytes,
        slug_bytes=largest.slug.value - smallest.slug.value,
        bundle_bytes=saved,
        percent=100 * saved / largest.bundle.value,
    )


def _notes(candidates: Sequence[Candidate]) -> Iterator[str]:
    reference, first = candidates[0].label, candidates[0].report
    for candidate in candidates[1:]:
        label, report = candidate.label, candidate.report
        if _target(report) != _target(first):
            yield f"{label} is for {_target(report)}, {reference} for {_target(first)}"
        if report.totals.basis != first.totals.basis:
            yield f"{label} is {report.totals.basis}, {reference} {first.totals.basis}"
        if report.tool.version != first.tool.version:
            yield f"{label} was made by slugcheck {report.tool.version}"
    for candidate in candidates:
        for obstacle in candidate.report.obstacles:
            parts = (obstacle.sentence, obstacle.instead)
            yield f"{candidate.label}: {'; '.join(filter(None, parts))}"
        names = [unsized.name for unsized in candidate.report.unsized]
        if names:
            yield f"not counted in {candidate.label} (size unknown): {listed(names, _NAMED)}"


# --------------------------------------------------------------------------- recommendation


def recommend(candidates: Sequence[Setup], *, scale: Scale) -> Recommendation:
    """Return the smallest candidate that fits, with the figures, in ``scale``, as reasons."""
    reasons = [_fits(candidate, scale) for candidate in candidates]
    doubtful = [candidate for candidate in candidates if candidate.status is Status.UNKNOWN]
    fitting = [candidate for candidate in candidates if candidate.status is Status.PASS]
    ordered = sorted(fitting, key=lambda candidate: candidate.bundle.value)
    if not fitting:
        if doubtful:
            names = listed([candidate.label for candidate in doubtful], _NAMED)
            fit = "fits" if len(doubtful) == 1 else "fit"
            return _none(reasons, f"unknown whether {names} {fit}")
        smallest = min(candidates, key=lambda candidate: candidate.bundle.value)
        over = scale.up(-(smallest.room_bytes or 0))
        return _none(
            reasons, f"no candidate fits; {smallest.label} is the closest, {over} too large"
        )
    best = ordered[0]
    smaller = [candidate for candidate in doubtful if candidate.bundle.low <= best.bundle.high]
    if smaller:
        names = listed([candidate.label for candidate in smaller], _NAMED)
        return _none(reasons, f"{names} may be smaller than {best.label}, but cannot be judged")
    if len(ordered) > 1 and ordered[1].bundle.low <= best.bundle.high:
        other = ordered[1].label
        reasons.append(f"{best.label} and {other} are too close to call")
        return Recommendation(label=None, because=tuple(reasons))
    largest = max(candidates, key=lambda candidate: candidate.bundle.value)
    if largest is not best:
        saved = largest.bundle.value - best.bundle.value
        share = 100 * saved / largest.bundle.value
        reasons.append(
            f"{best.label} is {scale.down(saved)} ({share:.1f} %) smaller than {largest.label}"
        )
    return Recommendation(label=best.label, because=tuple(reasons))


def _none(reasons: list[str], why: str) -> Recommendation:
    return Recommendation(label=None, because=(*reasons, why))


def _fits(setup: Setup, scale: Scale) -> str:
    if setup.status is Status.UNKNOWN:
        return f"{setup.label} cannot be judged: {setup.sentence}"
    if setup.room_bytes is None:
        return f"{setup.label} is {scale.up(setup.bundle.value)}"
    if setup.status is Status.FAIL and setup.room_bytes >= 0:
        return f"{setup.label} is within the size limit, but over another budget"
    if setup.status is Status.FAIL:
        return f"{setup.label} does not fit: {scale.up(-setup.room_bytes)} too large"
    return f"{setup.label} fits with {scale.down(setup.room_bytes)} left"


# --------------------------------------------------------------------------- measuring candidates


def labels(paths: Sequence[Path], given: Sequence[str]) -> tuple[str, ...]:
    """Return a label for each candidate: as given, else the shortest part of its path that differs.

    :raises UsageError: there are more labels than candidates, or two are the same.
    """
    if len(given) > len(paths):
        message = f"there are {len(given)} labels for {len(paths)} candidates"
        raise UsageError(message, hint="give --label once for each candidate, in their order")
    all_labels = [*given, *_short(paths)[len(given) :]]
    twice = next((label for label in all_labels if all_labels.count(label) > 1), None)
    if twice is not None:
        message = f"two candidates are called {printable(twice)}"
        raise UsageError(message, hint="tell them apart with --label, once for each candidate")
    return tuple(all_labels)


def _short(paths: Sequence[Path]) -> list[str]:
    for count in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-count:]) or str(path) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


class SideBySide:
    """The candidates of one comparison; ``measure`` yields how many are done."""

    def __init__(self, options: Sequence[Options], names: Sequence[str]) -> None:
        """Read every file; nothing touches the network yet.

        :raises SlugcheckError: a file is wrong; the message names the candidate.
        """
        self._names = tuple(names)
        self._reports: dict[int, ReportDocument] = {}
        self._checks: dict[int, Check] = {}
        with ExitStack() as stack:
            for number, candidate_options in enumerate(options):
                self._prepare(number, candidate_options, stack)
            self._stack = stack.pop_all()

    def _prepare(self, number: int, options: Options, stack: ExitStack) -> None:
        name = self._names[number]
        text = text_of(options.path) if options.path.is_file() else None
        if text is not None:
            self._reports[number] = loads(ReportDocument, text, printable(name))
            return
        try:
            self._checks[number] = stack.enter_context(Check(options, strict=True))
        except SlugcheckError as error:
            raise _named(error, name) from None

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def measure(self) -> Iterator[int]:
        """Measure every candidate, yielding how many are done.

        :raises SlugcheckError: one could not be measured; the message names it.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            running = {pool.submit(self._report_of, number): number for number in self._checks}
            done = len(self._reports)
            yield done
            for future in as_completed(running):
                number = running[future]
                try:
                    self._reports[number] = future.result()
                except SlugcheckError as error:
                    pool.shutdown(cancel_futures=True)
                    raise _named(error, self._names[number]) from None
                done += 1
                yield done

    def _report_of(self, number: int) -> ReportDocument:
        check = self._checks[number]
        report = gates.with_increase(check.run(SILENT), check.rules, None)
        return report_document(report)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The candidates in their order; ``measure`` has been exhausted."""
        return tuple(
            Candidate(label=name, report=self._reports[number])
            for number, name in enumerate(self._names)
        )


def _named(error: SlugcheckError, name: str) -> SlugcheckError:
    """Return the error with the candidate it is about."""
    return type(error)(f"{printable(name)}: {error}", hint=error.hint)


# --------------------------------------------------------------------------- results of bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A saved result of bench; ``label`` names its file."""

    label: str
    bench: BenchDocument


def load(path: Path) -> Result:
    """Read a saved result.

    :raises UsageError: it cannot be read, or is not a result of bench.
    """
    label = printable(str(path))
    text = content_of(path, hint=_BENCH_HINT).decode("utf-8-sig", "replace")
    return Result(label=label, bench=loads(BenchDocument, text, label, hint=_BENCH_HINT))


def join(
    comparison: Comparison, candidates: Sequence[Candidate], results: Sequence[Result]
) -> Comparison:
    """Return the comparison with the footprints of its candidates.

    :raises UsageError: no candidate has a measured runtime, or one was measured twice.
    """
    notes = [*_hosts(results), *_disagreements(results)]
    footprints: list[Footprint | None] = []
    for candidate in candidates:
        matches = [*_matches(candidate.report, results)]
        if len(matches) > 1:
            names = ", ".join(dict.fromkeys(label for label, _, _, _ in matches))
            message = f"{printable(candidate.label)} has several results of bench ({names})"
            raise UsageError(message, hint="give --bench one result for each runtime")
        footprints += [_footprint(runtime, own) for _, runtime, own, _ in matches] or [None]
        notes += [
            _version(candidate.label, runtime, distribution)
            for _, runtime, _, distribution in matches
        ]
    if not any(footprints):
        measured = (
            runtime for result in results for runtime in result.bench.stacks if runtime.summary
        )
        runtimes = sorted({printable(runtime.label[:_SHOWN]) for runtime in measured})
        message = f"no candidate has a measured runtime ({listed(runtimes, 3)})"
        raise UsageError(message, hint="give --bench results of the runtimes that they install")
    return replace(
        comparison,
        footprints=tuple(footprints),
        notes=(*comparison.notes, *(note for note in notes if note)),
    )


def _matches(
    report: ReportDocument, results: Sequence[Result]
) -> Iterator[tuple[str, Runtime, Summary, Distribution]]:
    """Yield a result's label, its runtime and figures, and the runtime's distribution."""
    installed = by_name(report)
    for result in results:
        for runtime in result.bench.stacks:
            names = DISTRIBUTIONS.get(runtime.runtime, ())
            distribution = next((installed[name] for name in names if name in installed), None)
            if runtime.summary is not None and distribution is not None:
                yield result.label, runtime, runtime.summary, distribution


def _footprint(runtime: Runtime, summary: Summary) -> Footprint:
    return Footprint(
        runtime=f"{runtime.label} {runtime.version}",
        model=runtime.model,
        rss_bytes=_peak(summary.rss_bytes),
        anon_bytes=_peak(summary.anon_bytes),
        import_seconds=summary.import_seconds.median,
        cold_start_seconds=summary.cold_start_seconds.median
        if summary.cold_start_seconds
        else None,
        cpu_ms=summary.cpu_ms.median,
        p50_ms=summary.latency.p50_ms,
        noisy=bool(summary.latency.noisy),
    )


def _peak(stages: Mapping[str, Spread]) -> int | None:
    return round(stages["peak"].median) if "peak" in stages else None


def _version(label: str, runtime: Runtime, distribution: Distribution) -> str:
    if runtime.version == distribution.version:
        return ""
    return (
        f"{label} has {distribution.name} {distribution.version}, but its footprint was measured "
        f"with {runtime.version}"
    )


def _hosts(results: Sequence[Result]) -> Iterator[str]:
    hosts = {result.bench.host.identity: result.bench.host for result in results}
    where = [f"{host.processor}, {host.cores} cores" for host in hosts.values()]
    if len(hosts) > 1:
        yield f"footprints are from {len(hosts)} machines: times differ ({'; '.join(where)})"
    else:
        yield f"footprints were measured on {where[0]}, not on the platform's machines"


def _disagreements(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        agreement = result.bench.agreement
        if agreement is not None and agreement.status is Status.FAIL:
            yield f"{result.label}: {agreement.sentence}"

"""The sentences that several screens and formats share: the conclusion, doubts, savings."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from slugcheck.model import (
    BaseImage,
    BundleKind,
    DistributionSize,
    Estimate,
    Finding,
    FindingSeverity,
    Overlap,
    Report,
    Scan,
    Severity,
    SizeReport,
    SourceBuild,
    Status,
    Target,
    Transfer,
    Verdict,
    When,
    breakdown,
)
from slugcheck.model.memory import MemoryPart, RamFloor
from slugcheck.model.options import options_for
from slugcheck.model.platform import arch_name
from slugcheck.policy.budgets import MAY_FAIL, exit_code, failures, unaccepted
from slugcheck.policy.limits import INCREASE, PACKAGE_INCREASE
from slugcheck.render.view import Verdict as Outcome
from slugcheck.text import listed, mb, plural, shown_command, within

_WILL_FAIL = re.compile(r"^(?:the|[\w .]+'s) build will (?:probably )?fail: ")
_SAVING_BYTES = 1_000_000  # what saves less is a fix for another reason

# What enforces a limit on memory here.
LIMIT_METHODS = {
    "cgroup-v2": "a cgroup (v2)",
    "cgroup-v1": "a cgroup (v1)",
    "systemd": "systemd-run",
    "watchdog": "a watchdog (emulated, not enforced by the kernel)",
}


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
    told, pure = [], []
    for size, build in _built(sizes):
        if build.native or build.refused or build.failure:
            told.append((size, build))
        else:
            pure.append(size.name)
    lines = [_source_build(size, build, sizes.target.minor) for size, build in told[:most]]
    if told[most:]:
        lines.append(f"also {listed([size.name for size, _ in told[most:]], 8)}")
    if pure:
        lines.append(f"built from source without compiling: {listed(pure, 8)}")
    return tuple(lines)


def _source_build(size: DistributionSize, build: SourceBuild, minor: str) -> str:
    if build.refused and build.wheel_fits:
        return f"pip refuses {size.name}; {_sized(build)}"
    if build.refused:
        return f"{size.name} cannot be installed with Python {minor}; {_sized(build)}"
    if build.failure:
        return f"{size.name} cannot be built; {_sized(build)}"
    return f"{size.name} is built from source on the platform ({build.reason}); {_sized(build)}"


def _built(sizes: SizeReport) -> list[tuple[DistributionSize, SourceBuild]]:
    return [(d, build) for d in sizes.distributions if (build := d.distribution.source_build)]


def _sized(build: SourceBuild) -> str:
    low, high = 100 * (1 - build.low_factor), 100 * (build.high_factor - 1)
    within = f", -{low:.0f}/+{high:.0f} %" if low > 0 or high > 0 else ""
    return "; ".join([f"sized from {build.method}{within}", *build.notes])


# --------------------------------------------------------------------------- header


_ONLY_STACK = "default"  # the name of a platform's only stack where it has none of its own


def target_words(report: Report) -> tuple[str, ...]:
    """Return platform, stack, Python and system."""
    target = report.sizes.target
    named = len(target.platform.stacks) > 1 or target.stack.name != _ONLY_STACK
    return (
        target.platform.title,
        *((target.stack.name,) if named else ()),
        *((_base(target.base),) if target.base is not None else ()),
        f"Python {target.python_version} ({target.python_origin})",
        f"{target.stack.system.lower()} {arch_name(target.stack.arch)}",
        *_chosen(target),
    )


def _base(base: BaseImage) -> str:
    """Return the base image of a container, and whether it is counted."""
    unknown = " (size not known, not counted)" if base.disk_bytes is None else ""
    return f"base {base.name}{unknown}"


def _chosen(target: Target) -> Iterator[str]:
    """Yield what the user chose about bytecode, where the platform does otherwise."""
    if target.compiles_bytecode != target.platform.compiles_bytecode:
        yield "with bytecode" if target.compiles_bytecode else "without bytecode"


def run_words(report: Report) -> tuple[str, ...]:
    """Return what was found, and what finding it took."""
    sizes, transfer = report.sizes, report.sizes.transfer
    direct = sum(1 for d in sizes.distributions if d.distribution.direct)
    counted = f"{plural(len(sizes.distributions), 'distribution')}, {direct} direct"
    if provided := len(sizes.provided):
        counted += f", {provided} in the runtime"
    if not sizes.distributions and not sizes.unsized:
        counted = "no dependencies"
    took, read = traffic(report.seconds, transfer)
    return counted, took, read if report.verification is None else "verified by a real install"


def traffic(seconds: float, transfer: Transfer) -> tuple[str, str]:
    """Return how long a run took, and what it fetched."""
    took = f"{math.ceil(seconds * 10) / 10:.1f} s"
    if not transfer.requests:
        return took, "nothing fetched"
    read = f"{mb(transfer.bytes)} MB read in {plural(transfer.requests, 'request')}"
    return took, f"{read}, {transfer.cached} cached" if transfer.cached else read


# --------------------------------------------------------------------------- sizes


def second(kind: BundleKind) -> str:
    """Return the head of the column beside the installed bytes (``breakdown.second``)."""
    if kind.is_all_installed:
        return "gzipped"
    return "slug" if kind is BundleKind.GZIP_TAR else "bundle"


def compressed(sizes: SizeReport) -> str:
    """Return what a compressed size is called."""
    return "slug" if sizes.counts_slug else "gzipped"


def kind_of(sizes: SizeReport) -> BundleKind:
    """Return what the platform of a report counts."""
    return sizes.target.platform.bundle.kind


def percent(figure: Estimate[int] | Estimate[float]) -> str:
    """Return the half width of a figure's interval, "±2.1 %"; empty for a measured one."""
    return within(figure.percent)


def doubt(sizes: SizeReport) -> str:
    """Return the doubt of the total that counts, "slug ±2.1 %"."""
    within = percent(sizes.bundle)
    return f"{sizes.target.platform.size_figure} {within}" if within else ""


# --------------------------------------------------------------------------- verdicts


_CHANGES = (INCREASE, PACKAGE_INCREASE)


def sentence(verdict: Verdict) -> str:
    """Return the sentence of a verdict, with the doubt of a predicted size."""
    clear = verdict.status in (Status.PASS, Status.FAIL) and verdict.unit == "bytes"
    if verdict.budget in _CHANGES:  # a percentage of a change beside one of the whole
        return verdict.sentence
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
            return _will_fail(report, failures(report))
        return _over(report, failed)
    if code:
        unknown = [v for v in gating if v.status is Status.UNKNOWN][:1]
        doubtful, names = _all(unknown), _not_sized(report)
        # a verdict that is open for that alone has counted them already
        counted_there = any(v.figure is not None and v.figure.high <= v.limit for v in unknown)
        text = f"{doubtful}: {names}" if names and counted_there else doubtful
        if names and not counted_there:
            text = "; ".join(filter(None, (doubtful, f"not sized: {names}")))
        return Outcome(
            status=Status.UNKNOWN,
            word="UNKNOWN",
            sentence=text,
            next_step=_to_measure(report, measurable=not names),
        )
    held = [v for v in gating if v.figure is not None and v.unit == "bytes" and not v.rejects]
    word, text, warned = (f"FITS {place}", _all(held[:1]), False) if held else _unlimited(report)
    slow = [*_slow(report), *_too_little_ram(report)]
    first = _to_fix_first(report.findings)
    return Outcome(
        status=Status.WARN if first or warned or slow else Status.PASS,
        word=word,
        sentence="; ".join([text, *slow]) + (f"; fix {first} first" if first else ""),
        next_step="see 'to fix' above" if first else "",
    )


def _unlimited(report: Report) -> tuple[str, str, bool]:
    """Return what to say where nothing limits the size, by choice or on that platform.

    The word, the sentence, and whether the size is above what the platform advises.
    """
    shown = report.sizes.unit.up(report.sizes.bundle.value)
    platform = report.sizes.target.platform
    limits = {n.name: n.severity for n in platform.limits if n.figure == platform.size_figure}
    if set(limits.values()) - {Severity.WARN}:
        return "NO LIMIT SET", f"{shown} in total", False
    for advised in (v for v in report.verdicts if v.budget in limits):
        word = f"FITS {platform.title}" if advised.status is Status.PASS else "NO SIZE LIMIT"
        return word, advised.sentence, advised.status is Status.WARN
    nothing = f"{shown}; {platform.title} has no size limit that slugcheck knows"
    return "NO SIZE LIMIT", nothing, False


def _slow(report: Report) -> list[str]:
    """Return the build times that a platform does not wait for, where the exit code is not 1."""
    return [_headline(v) for v in report.verdicts if v.status is Status.WARN and v.unit != "bytes"]


def _too_little_ram(report: Report) -> list[str]:
    """Return that not even the imports fit into the machine, where the exit code is not 1."""
    return [
        f"but RAM {verdict.sentence}"
        for verdict in report.verdicts
        if verdict.budget == "ram"
        and verdict.status is Status.WARN
        and verdict.figure is not None
        and verdict.figure.low > verdict.limit
    ]


def _to_fix_first(findings: Iterable[Finding]) -> str:
    """Return what may keep an app from its deploy although it fits: "1 error and 1 warning"."""
    findings = tuple(findings)
    errors = sum(1 for finding in findings if finding.severity is FindingSeverity.ERROR)
    warnings = sum(1 for finding in findings if finding.code == MAY_FAIL)
    counts = ((errors, "error"), (warnings, "warning"))
    return " and ".join(plural(count, word) for count, word in counts if count)


def _obstructed(report: Report) -> Outcome:
    refusals = [obstacle for obstacle in report.obstacles if obstacle.refused]
    first = (refusals or list(report.obstacles))[0]
    more = len(report.obstacles) - 1
    sentence = _without_word(first.sentence)
    text = f"{sentence}; and {more} more" if more else sentence
    status, word = (Status.FAIL, "WILL FAIL") if refusals else (Status.UNKNOWN, "UNKNOWN")
    step = _fix(first.fix, "obstacles") if first.fix else ""
    return Outcome(status=status, word=word, sentence=text, next_step=step)


def _will_fail(report: Report, findings: Sequence[Finding]) -> Outcome:
    more = f"; and {len(findings) - 1} more" if len(findings) > 1 else ""
    word = "WILL FAIL" if findings[0].severity is FindingSeverity.ERROR else "MAY FAIL"
    return Outcome(
        status=Status.FAIL,
        word=word,
        sentence=_without_word(findings[0].sentence) + more,
        next_step=_fix_of(findings[0], report) if findings[0].fix else "",
    )


def _without_word(sentence: str) -> str:
    """Return a sentence without what WILL FAIL says already."""
    return _WILL_FAIL.sub("", sentence, count=1)


def _over(report: Report, failed: Sequence[Verdict]) -> Outcome:
    """Return the outcome of budgets that are exceeded, the size that counts first."""
    budgets = [v for v in failed if not v.rejects]
    if not budgets:
        sentence = _all(failed[:1])
        step = _to_shrink(report)
        return Outcome(status=Status.FAIL, word="OVER LIMIT", sentence=sentence, next_step=step)
    first, *others = sorted(budgets, key=lambda verdict: not verdict.headline)
    also = f"; also over budget: {', '.join(v.budget for v in others)}" if others else ""
    return Outcome(
        status=Status.FAIL,
        word="OVER BUDGET",
        sentence=_all([first]) + also,
        next_step=_to_shrink(report) if first.headline else "",
    )


def _all(verdicts: Iterable[Verdict]) -> str:
    return "; ".join(map(_headline, verdicts))


def _headline(verdict: Verdict) -> str:
    # the sentence on a change begins with what grows
    named = (
        verdict.sentence if verdict.budget in _CHANGES else f"{verdict.budget} {verdict.sentence}"
    )
    return verdict.headline or named


# --------------------------------------------------------------------------- RAM


_UNREAD = 2  # places that could not be followed, named
_DOUBTFUL = 10.0  # percent that a part's own interval has on either side


def own_files(part: MemoryPart, scan: Scan) -> tuple[str, ...]:
    """Return the app's files whose imports lead to a part, from the entry on."""
    first = next((one for one in scan.imports if part.chain[0] in one.paths), None)
    return first.chain if first is not None else ()


def import_chain(part: MemoryPart, scan: Scan) -> tuple[str, ...]:
    """Return what leads to a part: the place in the app, and the distributions in between."""
    first, *between = part.chain
    place = next((one.place for one in scan.imports if first in one.paths), "")
    if scan.process is None:
        place = "" if between[:-1] else "direct"
    elif not place:
        place = scan.process.server
    return tuple(filter(None, (place, *between[:-1])))


def about_ram(ram: RamFloor) -> tuple[str, ...]:
    """Return what a RAM floor is of, and what it leaves open, a sentence each."""
    scan, worker = ram.scan, ram.worker
    process = scan.process
    about = [
        f"what {process.place} imports: {shown_command(process.command)}"
        if process is not None
        else "what every direct requirement imports: no app code was read"
    ]
    small = [machine.dyno.name for machine in ram.machines if machine.is_too_small]
    if small and len(small) < len(ram.machines):
        about.append(f"too small for the imports alone: {listed(small)}")
    about.append(
        "data, models and requests come on top: slugcheck rehearse measures them; imports "
        f"measured on {worker.measured_on}"
    )
    names = dict.fromkeys(one.distribution or one.name for one in worker.unknown)
    others = [
        f"{part.name} {part.measured_version}"
        for part in worker.parts
        if part.measured and part.resident.percent > _DOUBTFUL
    ]
    if others:
        about.append(f"measured with other versions, hence the wide interval: {listed(others)}")
    if estimated := [part.name for part in worker.estimated_parts]:
        about.append(f"~ not measured, estimated from its files: {listed(estimated)}")
    absent = {one.root for one in scan.missing}
    uncounted = [name for name in names if name not in estimated]
    if nothing := [name for name in uncounted if name.partition(".")[0] not in absent]:
        about.append(f"not counted, size unknown: {listed(nothing)}")
    if guessed := [one.model.path for one in worker.models if not one.measured]:
        about.append(f"what loading takes was not measured, perhaps nothing: {listed(guessed)}")
    about += _uncounted_models(ram)
    if scan.unread:
        unread = [f"{one.place}: {one.reason}" for one in scan.unread]
        about.append(f"could not be followed: {listed(unread, _UNREAD)}")
    if missing := [f"{one.module} ({one.place})" for one in scan.missing]:
        about.append(f"imported, but not provided by any requirement: {listed(missing)}")
    about += scan.notes
    about += [doubt for doubt in ram.worker_doubts if doubt not in scan.notes]
    return tuple(about)


def _uncounted_models(ram: RamFloor) -> list[str]:
    """Return what is said of models that are not in the floor."""
    about = []
    absent = [one for one in ram.uncounted_models if one.path]
    if absent:
        named = listed([f"{one.path} ({one.place})" for one in absent])
        about.append(f"loaded at the start, but not among the project's files: {named}")
    if unclear := [one.place for one in ram.uncounted_models if not one.path]:
        about.append(f"a model whose file is not known is loaded at the start: {listed(unclear)}")
    later = [one for one in ram.scan.models if one.when is When.LATER]
    if later:
        named = listed([f"{one.path or 'a model'} ({one.place})" for one in later])
        about.append(f"loaded later, in a function, and not counted: {named}")
    return about


# --------------------------------------------------------------------------- the next step


_LONGEST_FIX = 60  # characters of a line that the verdict repeats
_NO_FILE = ("<stdin>", "<text>")  # as ``Options.shown_path`` calls what no command can read again


def _fix(lines: str, heading: str) -> str:
    """Return a fix of one short line, or where the lines stand."""
    one_line = "\n" not in lines and not lines.startswith("#") and len(lines) <= _LONGEST_FIX
    return f"fix: {lines}" if one_line else f"fix: see '{heading}' above"


def _fix_of(finding: Finding, report: Report) -> str:
    step = _fix(finding.fix, "to fix")
    then = after_fix(finding, report.sizes)
    return f"{step}, {then}" if then and finding.fix in step else step


def _to_shrink(report: Report) -> str:
    """Return the fix that saves most, or how to find what to remove."""

    def saved(finding: Finding) -> int:
        return finding.saves_bundle_bytes or 0

    helpful = [finding for finding in report.findings if saved(finding) and finding.fix]
    if helpful:
        return _fix_of(max(helpful, key=saved), report)
    largest = breakdown.contributors(report.sizes)[:1]
    lines = {root.name for root in report.sizes.roots}
    if not largest or largest[0].name not in lines or report.path in _NO_FILE:
        return "see 'largest contributors' above" if largest else ""
    return f"next: slugcheck why {largest[0].name} {shlex.quote(report.path)}{_options(report)}"


def to_see(report: Report) -> str:
    """Return the command that shows a whole report; "" for what no command can read again."""
    if report.path in _NO_FILE:
        return ""
    return f"next: slugcheck check {shlex.quote(report.path)}{_options(report)}"


def _options(report: Report) -> str:
    """Return the options that a command needs to look at the same target."""
    named = options_for(report.sizes.target, project=report.kind == "project")
    return "".join(f" {shlex.quote(part)}" for part in named)


def _to_measure(report: Report, *, measurable: bool) -> str:
    if not measurable:
        return "see 'could not be sized' above"
    if report.verification is not None or report.path in _NO_FILE:
        return ""
    return f"measure it: slugcheck check {shlex.quote(report.path)}{_options(report)} --verify"


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


def after_fix(finding: Finding, sizes: SizeReport) -> str:
    """Return the outcome with a fix applied: "then 337M: fits"."""
    after = finding.after
    if after is None:
        return ""
    outcomes = {Status.FAIL: "still over budget", Status.UNKNOWN: "too close to call"}
    shown = sizes.unit.up(after.bundle.value)
    return f"then {shown}: {outcomes.get(after.status, 'fits')}"


def saving(finding: Finding, sizes: SizeReport) -> str:
    """Return what a change saves, rounded down: less than was measured, never more.

    What the platform counts is in the unit of its limit, as in its verdicts.
    """
    savings = []
    if max(finding.saves_bytes or 0, finding.saves_slug_bytes or 0) < _SAVING_BYTES:
        return ""
    if finding.saves_bytes is not None:
        savings.append(f"{mb(finding.saves_bytes)} MB installed")
    kind = kind_of(sizes)
    if not kind.is_all_installed:
        if (counted := finding.saves_bundle_bytes) is not None:
            savings.append(f"{sizes.unit.down(counted)} of {second(kind)}")
    elif finding.saves_slug_bytes is not None:
        savings.append(f"{mb(finding.saves_slug_bytes)} MB {second(kind)}")
    return f"saves {', '.join(savings)}" if savings else ""

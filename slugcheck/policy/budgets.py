"""Budgets against figures: the verdicts, one sentence for each, and the exit code."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from packaging.utils import canonicalize_name

from slugcheck.model import (
    Basis,
    Dyno,
    Estimate,
    Finding,
    FindingSeverity,
    FunctionSplit,
    Limit,
    Report,
    Severity,
    SizeReport,
    Source,
    Status,
    Unsized,
    Verdict,
)
from slugcheck.model.memory import RamFloor
from slugcheck.policy import tiers
from slugcheck.text import (
    HEROKU_M,
    MIB,
    Scale,
    against,
    clock,
    heroku_m,
    listed,
    plural,
    scale_for,
    seconds,
    within,
)

if TYPE_CHECKING:
    from slugcheck.model.rehearsal import Measurements

N = TypeVar("N", int, float)

# What stops the build or the boot of an app: import cv2 without libGL, pip without a Linux wheel,
# a compiler that the platform does not have, a server that nothing installs.
FAILS, MAY_FAIL = "build-fails", "build-may-fail"  # for certain, and probably
COMPILES = "built-from-source"
HASHES = "missing-hashes"
_STOPS = frozenset({FAILS, MAY_FAIL, COMPILES, HASHES})
_STOPS |= {"missing-library", "missing-program", "opencv-gui", "other-system"}


def verdict(status: Status, shown: str, limit: str, *, margin: str = "", span: str = "") -> str:
    """Return the sentence for a figure and a limit, both as text.

    ``margin`` is the distance between them, ``span`` the interval of the figure.
    """
    match status:
        case Status.PASS:
            return f"{shown} of {limit}, {margin} left" if margin else f"{shown} of {limit}"
        case Status.FAIL:
            return f"{shown} of {limit}, {margin} over" if margin else f"{shown} is over {limit}"
        case _:
            unsure = f"{shown} of {limit} is too close to call"
            return f"{unsure}: {span}" if span else unsure


def size_sentence(
    figure: Estimate[int],
    limit: int,
    status: Status,
    *,
    figure_name: str = "",
    unsized: int = 0,
    message: str = "",
) -> str:
    """Return the sentence for a size in bytes.

    ``figure_name`` follows the figure: "81M slug of 200M". ``unsized`` is how many packages the
    figure leaves out, ``message`` the advice to add when the figure is over the limit.
    """
    scale = scale_for(figure.value, limit)
    shown, cap = against(figure.value, limit)
    shown = f"{shown} {figure_name}" if figure_name else shown
    if status is Status.UNKNOWN and unsized and figure.high <= limit:
        return f"{shown} of {cap}, but {plural(unsized, 'package')} could not be sized"
    if status is Status.FAIL:
        margin = scale.up(figure.value - limit)
        return with_message(verdict(status, shown, cap, margin=margin), message)
    if status is Status.PASS:
        return verdict(status, shown, cap, margin=scale.down(limit - figure.value))
    span = interval_sentence(scale.down(figure.low), scale.up(figure.high))
    return verdict(status, shown, cap, span=span)


def build_time_sentence(figure: Estimate[float], limit: int, status: Status, basis: str) -> str:
    """Return the sentence for a build time in seconds; ``basis`` says how the time is known."""
    span = interval_sentence(clock(figure.low), clock(figure.high))
    return f"{verdict(status, f'about {clock(figure.value)}', clock(limit))} ({basis}: {span})"


def interval_sentence(low: str, high: str) -> str:
    """Return an interval in words."""
    return f"between {low} and {high}"


def with_message(sentence: str, message: str, separator: str = ". ") -> str:
    """Return a sentence with the message that a team has set for it, if any."""
    return f"{sentence}{separator}{message}" if message else sentence


# --------------------------------------------------------------------------- headlines


_TALL = 1024 * MIB  # from here on Heroku prints G: "Compiled slug size: 3.1G is too large"


def _headline(
    limit: Limit,
    status: Status,
    figure: Estimate[int],
    cap: Verdict | None,
    title: str,
    meaning: str,
) -> str:
    """Return what the first line of a screen says of the size that the platform limits.

    ``cap`` is the verdict on the platform's own limit of the same figure, beside the budget.
    ``meaning`` is that of the tier of the platform's limit, "" without one.
    """
    shown, most = _shown_against(figure.value, limit.value)
    facts = [f"set by {limit.set_by}"] if limit.set_by else []
    if status is Status.FAIL:
        facts += [_beside_budget(cap, limit, title)] if cap is not None else []
        sentence = f"{shown} of {most}"
    else:
        sentence = size_sentence(figure, limit.value, status)
    facts += [limit.why] if limit.why else []
    if meaning and not limit.set_by and status is not Status.PASS:
        facts.append(meaning)
    sentence = f"{sentence} ({'; '.join(facts)})" if facts else sentence
    return with_message(sentence, limit.message) if status is Status.FAIL else sentence


def _beside_budget(cap: Verdict, limit: Limit, title: str) -> str:
    since = f" since {cap.since}" if cap.since else ""
    if cap.status is Status.PASS:
        return f"{title} itself allows {cap.limit_text}{since}"
    if cap.status is Status.UNKNOWN:
        return f"too close to {title}'s own limit of {cap.limit_text} to call"
    own = f"over {title}'s own limit of {cap.limit_text}: the push will be rejected"
    return f"and {own}" if limit.value < cap.limit else own


def _cap_headline(limit: Limit, status: Status, figure: Estimate[int], title: str) -> str:
    shown, most = _shown_against(figure.value, limit.value)
    since = f" since {limit.since}" if limit.since else ""
    if status is Status.FAIL:
        return f"{shown} of {most}, {title}'s own limit{since}: the push will be rejected"
    return f"{size_sentence(figure, limit.value, status)} ({title}'s own limit{since})"


def _shown_against(value: int, limit: int) -> tuple[str, str]:
    """Return a figure and its limit, the figure in G where it is far above it."""
    shown, most = against(value, limit)
    if value < _TALL or value < limit * 1.2 or scale_for(value, limit) is not HEROKU_M:
        return shown, most
    return f"{math.ceil(value * 10 / _TALL) / 10:.1f}".removesuffix(".0") + "G", most


# --------------------------------------------------------------------------- cold starts

# Vercel's builder lets what it packed be this much larger than it may be (17d9eba,
# dependency-externalizer.ts: finalBundleSize).
_TOLERANCE = 100 * 1024
_NAMED = 3  # distributions that a sentence names


def _of_function(parts: FunctionSplit, sizes: SizeReport) -> Verdict:
    """Return the verdict on what the function itself holds, below the limit on the bundle."""
    tier = sizes.target.platform.tier
    shown, most = against(parts.fixed_bytes, parts.limit)
    fails = parts.fixed_bytes > parts.limit + _TOLERANCE
    if fails:
        packages = f", {listed(parts.fixed, _NAMED)}" if parts.fixed else ""
        sentence = (
            f"{shown} of {most} must be in the function and cannot be installed at a cold start: "
            f"the project's files{packages} and uv"
        )
    else:
        sentence = f"{_at_cold_starts(parts)}: {listed(parts.installed, _NAMED)}"
    return Verdict(
        budget="function",
        status=Status.FAIL if fails else Status.WARN,
        gates=fails,
        figure=Estimate[int].measured(parts.fixed_bytes) if fails else sizes.bundle,
        limit=parts.limit,
        unit="bytes",
        limit_text=most,
        sentence=sentence,
        headline=sentence if fails else "",
        source=tier.source if tier is not None else Source(text="", date=""),
    )


def _at_cold_starts(parts: FunctionSplit) -> str:
    size = scale_for(parts.installed_bytes, parts.limit).up(parts.installed_bytes)
    packages = plural(len(parts.installed), "package")
    return f"{size} of it, {packages}, is installed at every cold start"


# --------------------------------------------------------------------------- judging


def judge(
    sizes: SizeReport,
    build: Estimate[float],
    limits: Sequence[Limit],
    *,
    checkout_bytes: int | None = None,
    build_basis: str = "predicted",
    allowed_unsized: Collection[str] = (),
    allow_all_unsized: bool = False,
    ram: RamFloor | None = None,
    measured: Measurements | None = None,
) -> tuple[Verdict, ...]:
    """Return one verdict per limit, and one for the machine's memory where it is known.

    ``checkout_bytes`` is None when no project folder was read; its limit is then left out.
    ``build_basis`` says in words how the build time is known. ``ram`` is the least RAM that the
    app takes, None where it is not known; ``measured`` what a rehearsal of it has shown.
    """
    doubtful = unaccepted(sizes.unsized, allowed_unsized, everything=allow_all_unsized)
    verdicts = [
        _of_checkout(limit, checkout_bytes)
        if limit.figure == "checkout"
        else _of_build(limit, build, build_basis)
        if limit.figure == "build"
        else _of_running(limit, sizes, ram, measured)
        if limit.figure in _RUNNING
        else _judge_one(limit, sizes, len(doubtful))
        for limit in limits
        if limit.figure != "checkout" or checkout_bytes is not None
    ]
    parts = tiers.split(sizes)
    if parts is not None:
        verdicts.append(_of_function(parts, sizes))
    dyno = sizes.target.dyno
    if dyno is not None and not any(limit.figure == "ram" for limit in limits):
        verdicts.append(_of_running(_quota(dyno), sizes, ram, measured))
    return tuple(_with_headlines(verdicts, limits, sizes, parts))


def _with_headlines(
    verdicts: Sequence[Verdict],
    limits: Sequence[Limit],
    sizes: SizeReport,
    parts: FunctionSplit | None,
) -> Iterator[Verdict]:
    """Yield the verdicts, with a headline where they are about the size that counts."""
    by_name = {limit.name: limit for limit in limits}
    platform = sizes.target.platform
    about = [v for v in verdicts if v.budget in by_name and v.figure is not None]
    about = [v for v in about if by_name[v.budget].figure == platform.size_figure]
    cap = next((v for v in about if v.rejects), None)
    for verdict in verdicts:
        if verdict not in about or not verdict.gates:
            yield verdict
            continue
        limit, status = by_name[verdict.budget], verdict.status
        headline = (
            _cap_headline(limit, status, sizes.bundle, platform.title)
            if verdict.rejects
            else _headline(
                limit, status, sizes.bundle, cap, platform.title, tiers.meaning(platform)
            )
        )
        if parts is not None and status is Status.PASS:
            headline += f"; {_at_cold_starts(parts)}"
        # what a package without a size leaves open is in the sentence alone
        doubtful = sizes.unsized and status is not Status.FAIL
        yield replace(verdict, headline=verdict.sentence if doubtful else headline)


def unaccepted(
    unsized: Iterable[Unsized], allowed: Collection[str], *, everything: bool
) -> tuple[Unsized, ...]:
    """Return the packages that could not be sized and that the user has not allowed."""
    names = {canonicalize_name(name) for name in allowed}
    return () if everything else tuple(u for u in unsized if canonicalize_name(u.name) not in names)


def exit_code(report: Report) -> int:
    """Return the exit code of a report: 0, 1 or 3.

    3: something other than the project as it is was sized, a budget cannot be judged, or a package
    could not be sized and was not allowed. 1: a gating budget is exceeded, or the app will fail.
    """
    if report.obstacles:
        return 3
    gating = [verdict.status for verdict in report.verdicts if verdict.gates]
    if Status.FAIL in gating or failures(report):
        return 1
    doubtful = unaccepted(report.sizes.unsized, report.allowed_unsized, everything=False)
    return 3 if Status.UNKNOWN in gating or doubtful else 0


def failures(report: Report) -> tuple[Finding, ...]:
    """Return the findings that make the build or the boot fail, and so decide the exit code.

    Errors always do; warnings, which may make it fail, only where ``report.fail_on`` says so.
    """
    order = list(FindingSeverity)
    decisive = order[: order.index(report.fail_on) + 1]
    allowed = {canonicalize_name(name) for name in report.allowed_unsized}
    return tuple(
        finding
        for finding in report.findings
        if finding.code in _STOPS
        and finding.severity in decisive
        and canonicalize_name(finding.subject) not in allowed
    )


def status_of(figure: Estimate[N], limit: N, *, open_ended: bool = False) -> Status:
    """Judge an interval by a limit; ``open_ended`` means that its high end is unknown."""
    if figure.low > limit:
        return Status.FAIL
    if not open_ended and figure.high <= limit:
        return Status.PASS
    return Status.UNKNOWN


def _judge_one(limit: Limit, sizes: SizeReport, doubtful: int) -> Verdict:
    match limit.figure:
        case "slug":
            return _of_size(limit, sizes.slug, sizes, doubtful)
        case "bundle":
            return _of_size(limit, sizes.bundle, sizes, doubtful)
        case "installed":
            return _of_size(limit, sizes.installed, sizes, doubtful)
        case "zipped":
            return _of_size(limit, sizes.zipped, sizes, doubtful)
        case _:
            unknown = sum(d.download_bytes is None for d in sizes.distributions)
            known = Estimate[int].measured(sizes.download_bytes)
            return _of_size(limit, known, sizes, doubtful + unknown)


def _of_size(limit: Limit, figure: Estimate[int], sizes: SizeReport, doubtful: int) -> Verdict:
    status = status_of(figure, limit.value, open_ended=doubtful > 0)
    title = sizes.target.platform.title
    match limit.severity:
        case Severity.NOTE:
            sentence = _platform_sentence(title, limit, status, doubtful)
        case Severity.WARN if limit.figure != "zipped":
            sentence = _warning_sentence(title, limit, figure, status)
        case _:
            sentence = size_sentence(
                figure, limit.value, status, unsized=doubtful, message=limit.message
            )
            if allowed := len(sizes.unsized) - doubtful:
                sentence += f", not counting {plural(allowed, 'allowed package')} of unknown size"
    return _verdict(limit, status, figure, sentence)


def _warning_sentence(title: str, limit: Limit, figure: Estimate[int], status: Status) -> str:
    if limit.figure != "slug":
        shown, _ = _shown_against(figure.value, limit.value)
        words = {Status.PASS: "within", Status.FAIL: "over"}
        where = f"{words.get(status, 'too close to call against')} the advised {limit.text}"
        sentence = f"{shown}, {where}"
        return sentence if status is Status.PASS else with_message(sentence, limit.message)
    verbs = {Status.PASS: "does not warn", Status.FAIL: "warns"}
    verb = verbs.get(status, "may warn")
    sentence = f"{title} {verb} of a slow boot (from {limit.text})"
    return sentence if status is Status.PASS else with_message(sentence, limit.message)


def _platform_sentence(title: str, limit: Limit, status: Status, unsized: int) -> str:
    since = f" since {limit.since}" if limit.since else ""
    own = f"{title}'s own limit of {limit.text}"
    match status:
        case Status.PASS:
            return f"{title} itself allows {limit.text}{since}"
        case Status.FAIL:
            return f"over {own}{since}: the push will be rejected"
        case _ if unsized:
            missing = plural(unsized, "package")
            return f"unknown against {own}: {missing} could not be sized"
        case _:
            return f"too close to call against {own}"


def _of_checkout(limit: Limit, size: int | None) -> Verdict:
    figure = Estimate[int].measured(size or 0)
    status = status_of(figure, limit.value)
    sentence = size_sentence(figure, limit.value, status, message=limit.message)
    return _verdict(limit, status, figure, sentence)


def _of_build(limit: Limit, build: Estimate[float], basis: str) -> Verdict:
    status = status_of(build, float(limit.value))
    sentence = build_time_sentence(build, limit.value, status, basis)
    if status is Status.FAIL:
        sentence = with_message(sentence, limit.message)
    return _verdict(limit, status, build, sentence)


# --------------------------------------------------------------------------- floors

# What only a running app shows: of these the least is known, from its imports.
_RUNNING = ("ram", "boot")
_TIGHT = 0.8  # of the RAM: from here on little is left for the app's data and its requests


def _of_running(
    limit: Limit, sizes: SizeReport, ram: RamFloor | None, measured: Measurements | None
) -> Verdict:
    """Return the verdict on RAM, or on the time until an app listens.

    What a rehearsal measured gates. Without one it is about the least that the imports take, and
    gates where the user has set the limit: the platform's own is of the app, not of its imports.
    """
    if measured is not None and limit.figure == "ram":
        return _of_measured_ram(limit, sizes, ram, measured)
    if measured is not None and measured.boot_seconds is not None:
        called = sizes.target.platform.calls_functions
        return _of_measured_boot(limit, measured.boot_seconds, called=called)
    if ram is None:
        cap = heroku_m(limit.value, down=True) if limit.unit == "bytes" else limit.text
        sentence = f"not known: none of the app's imports could be read (limit {cap})"
        verdict = _verdict(limit, Status.UNKNOWN, None, sentence)
    elif limit.figure == "ram":
        verdict = _of_ram(limit, sizes, ram)
    else:
        verdict = _of_boot(limit, ram)
    # the least that an app takes says that it cannot fit, never that it does
    soft = {Status.FAIL: Status.WARN, Status.PASS: Status.UNKNOWN}
    if not limit.set_by:
        return replace(verdict, gates=False, status=soft.get(verdict.status, verdict.status))
    doubts = ram.doubts if ram is not None and limit.figure == "ram" else ()
    if ram is not None and limit.figure == "boot":
        doubts = ram.import_doubts
    if verdict.status is not Status.PASS or not doubts:
        return verdict
    more = f" (and {len(doubts) - 1} more)" if len(doubts) > 1 else ""
    sentence = f"{verdict.sentence}, but it may be more: {doubts[0]}{more}"
    return replace(verdict, status=Status.UNKNOWN, sentence=sentence)


def _is_impossible(measured: int, ram: RamFloor) -> bool:
    """Whether an app cannot have taken so little: less than its own imports, where these are known.

    A function may import less than all that its requirements bring.
    """
    return ram.of_app and measured < ram.total.low


def _of_measured_ram(
    limit: Limit, sizes: SizeReport, ram: RamFloor | None, measured: Measurements
) -> Verdict:
    low, high = measured.ram_low_bytes, measured.ram_high_bytes
    figure: Estimate[int] = Estimate(value=high, low=low, high=high, basis=Basis.MEASURED)
    status = status_of(figure, limit.value)
    shown, cap = against(high, limit.value)
    scale = scale_for(high, limit.value)
    sentence = f"{shown} of {cap}"
    if status is Status.FAIL:
        sentence = f"{scale.up(low)} of {cap}, {scale.up(low - limit.value)} over"
    elif status is Status.UNKNOWN:
        between = interval_sentence(scale.down(low), scale.up(high))
        sentence = f"{sentence} is too close to call: {between}, as files in memory count"
    elif high > _TIGHT * limit.value:
        status = Status.WARN
        sentence += f", {scale.down(limit.value - high)} left"
    dyno = sizes.target.dyno
    facts = [plural(measured.workers, "worker"), *([dyno.name] if dyno else [])]
    sentence += f", measured by rehearse ({'; '.join(facts)})"
    if measured.doubt and status in (Status.PASS, Status.WARN):
        status = Status.UNKNOWN
        sentence += f", but {measured.doubt}"
    elif ram is not None and _is_impossible(high, ram) and status in (Status.PASS, Status.WARN):
        status = Status.UNKNOWN
        sentence += f", yet its imports alone take {scale.down(ram.total.low)}: rehearse it again"
    return replace(_verdict(limit, status, figure, sentence), status=status)


def _of_measured_boot(limit: Limit, taken: float, *, called: bool) -> Verdict:
    figure = Estimate[float].measured(taken)
    verb = "init takes" if called else "listens after"
    sentence = f"{verb} {seconds(taken)} of {clock(limit.value)}, measured by rehearse"
    return _verdict(limit, status_of(figure, float(limit.value)), figure, sentence)


def _of_ram(limit: Limit, sizes: SizeReport, ram: RamFloor) -> Verdict:
    status = status_of(ram.total, limit.value)
    shown, cap = against(ram.total.value, limit.value)
    scale = scale_for(ram.total.value, limit.value)
    left = limit.value - ram.total.value
    if status is Status.FAIL:
        sentence = f"at least {shown} of {cap}, {scale.up(-left)} over"
    elif status is Status.UNKNOWN:
        span = interval_sentence(scale.down(ram.total.low), scale.up(ram.total.high))
        sentence = f"at least {shown} of {cap} is too close to call: {span}"
        status = status if limit.set_by else Status.WARN
    elif limit.set_by:
        sentence = f"at least {shown} of {cap}"
    else:
        sentence = f"at least {shown} {within(ram.total.percent)} of {cap}"
        if ram.total.value > _TIGHT * limit.value:
            status = Status.WARN
            sentence += f", {scale.down(left)} left for data and requests"
    facts = [_of_workers(ram, scale)] if ram.workers > 1 else []
    dyno = "" if limit.set_by or sizes.target.dyno is None else sizes.target.dyno.name
    facts += [] if dyno in " ".join(facts) else [dyno]
    sentence = f"{sentence} ({'; '.join(facts)})" if facts else sentence
    if not ram.of_app:
        sentence += ", if the app imports every direct requirement"
    if status is Status.FAIL:
        sentence = with_message(sentence, limit.message)
    return replace(_verdict(limit, status, ram.total, sentence), status=status)


def _of_workers(ram: RamFloor, scale: Scale) -> str:
    """Return how many workers there are, and why."""
    shared = " that share what was loaded before them" if ram.preload else ""
    each = "" if ram.preload else f" of {scale.up(ram.worker.resident.value)}"
    return f"{ram.workers} workers{each}{shared}, {ram.origin}".removesuffix(", ")


def _of_boot(limit: Limit, ram: RamFloor) -> Verdict:
    figure = ram.worker.import_seconds
    status = status_of(figure, float(limit.value))
    least = f"at least {seconds(figure.value)} of {clock(limit.value)} for its imports"
    if status is Status.UNKNOWN and not limit.set_by:
        status = Status.WARN
    return replace(_verdict(limit, status, figure, least), status=status)


def _quota(dyno: Dyno) -> Limit:
    return Limit(
        name="ram",
        figure="ram",
        value=dyno.r14_bytes,
        unit="bytes",
        severity=Severity.FAIL,
        text=heroku_m(dyno.r14_bytes, down=True),
        source=dyno.source,
    )


def _verdict(
    limit: Limit, status: Status, figure: Estimate[int] | Estimate[float] | None, sentence: str
) -> Verdict:
    gates = limit.severity is not Severity.WARN
    return Verdict(
        budget=limit.name,
        # over a soft limit: shown, but it never decides
        status=Status.WARN if status is Status.FAIL and not gates else status,
        gates=gates,
        figure=figure,
        limit=limit.value,
        unit=limit.unit,
        limit_text=limit.text,
        sentence=sentence,
        source=limit.source,
        rejects=limit.severity is Severity.NOTE,
        since=limit.since,
        set_by=limit.set_by,
    )

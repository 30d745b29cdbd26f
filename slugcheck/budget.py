"""Limits to verdicts; the interval of a figure decides.

PASS when even its high end is within the limit (equal is within), FAIL when even its low end is
beyond, UNKNOWN between. What could not be sized makes the high end infinite. Only limits of
severity ``fail`` gate.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from slugcheck.errors import UsageError
from slugcheck.model import (
    Estimate,
    Limit,
    Report,
    Severity,
    SizeReport,
    Source,
    Status,
    Unsized,
    Verdict,
)
from slugcheck.units import against, clock, heroku_m, parse_seconds, parse_size

N = TypeVar("N", int, float)


def judge(
    sizes: SizeReport,
    build: Estimate[float],
    limits: Sequence[Limit],
    *,
    allowed_unsized: Collection[str] = (),
    allow_all_unsized: bool = False,
) -> tuple[Verdict, ...]:
    """Return one verdict per limit, and one for the machine's memory where it is known."""
    open_ended = bool(missing(sizes.unsized, allowed_unsized, everything=allow_all_unsized))
    figures: dict[str, Estimate[int]] = {
        "slug": sizes.slug,
        "installed": sizes.installed,
        "download": Estimate[int].measured(sizes.download_bytes),
    }
    verdicts = []
    for limit in limits:
        if limit.figure in figures:
            verdicts.append(_size_verdict(limit, figures[limit.figure], sizes, open_ended))
        elif limit.figure == "build":
            verdicts.append(_build_verdict(limit, build))
        else:
            verdicts.append(_not_measured(limit))
    memory = _memory(sizes)
    return tuple([*verdicts, memory] if memory else verdicts)


def missing(
    unsized: Iterable[Unsized], allowed: Collection[str], *, everything: bool
) -> tuple[Unsized, ...]:
    """Return what could not be sized and was not accepted by the user."""
    return () if everything else tuple(u for u in unsized if u.name not in allowed)


def exit_code(report: Report) -> int:
    """Return 1 when a gating budget is exceeded, 3 when one cannot be judged, else 0."""
    gating = [verdict.status for verdict in report.verdicts if verdict.gates]
    if Status.FAIL in gating:
        return 1
    doubtful = missing(report.sizes.unsized, report.allowed_unsized, everything=False)
    return 3 if Status.UNKNOWN in gating or doubtful else 0


def status_of(figure: Estimate[N], limit: N, *, open_ended: bool = False) -> Status:
    """Return what an interval says of a limit; ``open_ended`` means its high end is unknown."""
    if figure.low > limit:
        return Status.FAIL
    if not open_ended and figure.high <= limit:
        return Status.PASS
    return Status.UNKNOWN


# --------------------------------------------------------------------------- one verdict each


def _size_verdict(
    limit: Limit, figure: Estimate[int], sizes: SizeReport, open_ended: bool
) -> Verdict:
    status = status_of(figure, limit.value, open_ended=open_ended)
    gates = limit.severity is Severity.FAIL
    sentence = _size_sentence(limit, figure, status, sizes, open_ended)
    if limit.severity is not Severity.FAIL:
        # beside the budget: what Heroku itself would say, which never decides the exit code
        status = Status.PASS if figure.value <= limit.value else Status.WARN
        if limit.severity is Severity.NOTE:
            sentence = _platform_sentence(limit, figure, sizes)
        else:
            sentence = _warning_sentence(limit, status, sizes)
    return _verdict(limit, status, figure, sentence, gates=gates)


def _size_sentence(
    limit: Limit, figure: Estimate[int], status: Status, sizes: SizeReport, open_ended: bool
) -> str:
    shown, cap = against(figure.value, limit.value)
    if status is Status.PASS:
        left = heroku_m(limit.value - figure.value, down=True)
        sentence = f"{shown} of {cap}, {left} left"
    elif status is Status.FAIL:
        sentence = f"{shown} is {heroku_m(figure.value - limit.value)} over {cap}"
    elif open_ended and figure.high <= limit.value:
        count = len(sizes.unsized)
        sentence = f"{shown} of {cap} without what could not be sized ({count})"
    else:
        low, high = heroku_m(figure.low), heroku_m(figure.high)
        sentence = f"{shown} of {cap} is too close to call: between {low} and {high}"
    return f"{sentence}. {limit.message}" if limit.message and status is Status.FAIL else sentence


def _platform_sentence(limit: Limit, figure: Estimate[int], sizes: SizeReport) -> str:
    title = sizes.target.platform.title
    verb = "accepts" if figure.value <= limit.value else "rejects"
    return f"{title} itself {verb} it today (its own cap is {limit.text})"


def _warning_sentence(limit: Limit, status: Status, sizes: SizeReport) -> str:
    title = sizes.target.platform.title
    verb = "warns" if status is Status.WARN else "does not warn"
    return f"{title} {verb} about slow boots (from {limit.text} on)"


def _build_verdict(limit: Limit, build: Estimate[float]) -> Verdict:
    status = status_of(build, float(limit.value))
    span = f"between {clock(build.low)} and {clock(build.high)}"
    words = {
        Status.PASS: f"about {clock(build.value)} of {clock(limit.value)}, {span}",
        Status.FAIL: f"about {clock(build.value)}, {span}: over {clock(limit.value)}",
        Status.UNKNOWN: f"about {clock(build.value)} of {clock(limit.value)}, {span}: may time out",
    }
    # A prediction this wide says "may" too often to stop a pull request by itself.
    gates = limit.severity is Severity.FAIL and status is not Status.UNKNOWN
    shown = Status.WARN if status is Status.UNKNOWN else status
    return _verdict(limit, shown, build, words.get(status, ""), gates=gates)


def _not_measured(limit: Limit) -> Verdict:
    sentence = "not measured: it takes starting the app"
    return _verdict(limit, Status.UNKNOWN, None, sentence, gates=False)


def _memory(sizes: SizeReport) -> Verdict | None:
    dyno = sizes.target.dyno
    if dyno is None:
        return None
    workers = f"{dyno.workers} worker{'' if dyno.workers == 1 else 's'}"
    return Verdict(
        budget="ram",
        status=Status.UNKNOWN,
        gates=False,
        figure=None,
        limit=dyno.ram_bytes,
        unit="bytes",
        limit_text=heroku_m(dyno.ram_bytes),
        sentence=f"not measured: size says nothing about memory ({dyno.name}: "
        f"{heroku_m(dyno.ram_bytes)}, {workers})",
        source=dyno.source,
    )


def _verdict(
    limit: Limit,
    status: Status,
    figure: Estimate[int] | Estimate[float] | None,
    sentence: str,
    *,
    gates: bool,
) -> Verdict:
    return Verdict(
        budget=limit.name,
        status=status,
        gates=gates,
        figure=figure,
        limit=limit.value,
        unit=limit.unit,
        limit_text=limit.text,
        sentence=sentence,
        source=limit.source,
    )


# --------------------------------------------------------------------------- the user's limits


def apply_overrides(limits: Sequence[Limit], wanted: Mapping[str, str]) -> tuple[Limit, ...]:
    """Return the limits with the user's values in place.

    A figure without a limit of the platform's own, such as ``installed`` on Heroku, gets one.

    :raises UsageError: listing every name that is not known and every value that does not parse.
    """
    known = {limit.name: limit for limit in limits}
    known |= {name: _own_limit(name) for name in _OWN_FIGURES if name not in known}
    mistakes, chosen = [], {}
    for name, text in wanted.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            did = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            mistakes.append(f"--limit {name}={text}: no limit is called {name!r}; {did}")
            continue
        try:
            value = (parse_size if known[name].unit == "bytes" else parse_seconds)(text)
            chosen[name] = replace(known[name], value=value, text=text)
        except ValueError as error:
            mistakes.append(f"--limit {name}: {error}")
    if mistakes:
        raise UsageError("\n".join(mistakes))
    extra = [limit for name, limit in chosen.items() if name not in {one.name for one in limits}]
    return (*(chosen.get(limit.name, limit) for limit in limits), *extra)


_OWN_FIGURES = ("slug", "installed", "download")


def _own_limit(name: str) -> Limit:
    return Limit(
        name=name,
        figure=name,
        value=0,
        unit="bytes",
        severity=Severity.FAIL,
        text="",
        source=Source(text="given with --limit", date=""),
    )

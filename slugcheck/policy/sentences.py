"""The sentences of verdicts: how a figure stands to its limit."""

from __future__ import annotations

from slugcheck.model import Estimate, Status
from slugcheck.text import against, clock, plural, scale_for


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


def of_size(
    figure: Estimate[int],
    limit: int,
    status: Status,
    *,
    what: str = "",
    unsized: int = 0,
    message: str = "",
) -> str:
    """Return the sentence for a size in bytes.

    ``what`` follows the figure: "81M slug of 200M". ``unsized`` is how many packages the figure
    leaves out, ``message`` the advice to add when the figure is over the limit.
    """
    scale = scale_for(figure.value, limit)
    shown, cap = against(figure.value, limit)
    shown = f"{shown} {what}" if what else shown
    if status is Status.UNKNOWN and unsized and figure.high <= limit:
        return f"{shown} of {cap}, but {plural(unsized, 'package')} could not be sized"
    if status is Status.FAIL:
        margin = scale.up(figure.value - limit)
        return with_message(verdict(status, shown, cap, margin=margin), message)
    if status is Status.PASS:
        return verdict(status, shown, cap, margin=scale.down(limit - figure.value))
    span = between(scale.down(figure.low), scale.up(figure.high))
    return verdict(status, shown, cap, span=span)


def of_build_time(figure: Estimate[float], limit: int, status: Status, basis: str) -> str:
    """Return the sentence for a build time in seconds; ``basis`` says how the time is known."""
    span = between(clock(figure.low), clock(figure.high))
    return f"{verdict(status, f'about {clock(figure.value)}', clock(limit))} ({basis}: {span})"


def between(low: str, high: str) -> str:
    """Return an interval in words."""
    return f"between {low} and {high}"


def with_message(sentence: str, message: str, separator: str = ". ") -> str:
    """Return a sentence with the message that a team has set for it, if any."""
    return f"{sentence}{separator}{message}" if message else sentence

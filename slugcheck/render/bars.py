"""Bars: how much of a limit is used, or of a whole. A picture of a number in words."""

from __future__ import annotations

from rich.text import Text

from slugcheck.model import Estimate, Status
from slugcheck.render.signs import STATUS_STYLE

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def budget_bar(
    figure: Estimate[int] | Estimate[float],
    limit: int,
    status: Status,
    *,
    columns: int,
    unicode: bool,
) -> Text:
    """Return a bar of ``columns`` cells: what is used, what is doubtful, what is left.

    Beyond the limit the whole bar is the figure, and a line in it shows where the limit lies.
    """
    used, doubt, left, mark = "█▒░┃" if unicode else "#?.|"
    scale = max(limit, figure.value, 1)
    style = "bold" if status is Status.WARN else STATUS_STYLE[status]
    filled = _cells(figure.value / scale, columns)
    if figure.value > limit:
        within = min(_cells(limit / scale, columns), columns - 1)
        bar = Text(used * within, style=style)
        bar.append(mark, style=f"bold {style}")
        return bar.append(used * (columns - within - 1), style=f"bold {style}")
    # too little was sized for a verdict: what is missing may fill it
    open_ended = status is Status.UNKNOWN and figure.high <= limit
    reached = (
        columns if open_ended else max(filled, _cells(min(figure.high, limit) / scale, columns))
    )
    bar = Text(used * filled, style=style)
    bar.append(doubt * (reached - filled), style=style)
    return bar.append(left * (columns - reached), style="dim")


def _cells(share: float, columns: int) -> int:
    """At least one cell for anything at all, and all of them only for the whole."""
    if share <= 0:
        return 0
    return columns if share >= 1 else max(1, min(round(share * columns), columns - 1))


def share_bar(share: float, *, columns: int, unicode: bool) -> str:
    """Return a bar for a share of a whole, to an eighth of a cell; blank for next to nothing."""
    share = min(max(share, 0.0), 1.0)
    if not unicode:
        return ("#" * round(share * columns)).ljust(columns)
    whole, rest = divmod(round(share * columns * 8), 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(columns)


def nested_bar(part: float, whole: float, *, columns: int, unicode: bool) -> Text:
    """Return a bar for a share of all, with a part of it marked, in whole cells."""
    used, rest, left = "█▒ " if unicode else "#- "
    reached, filled = _cells(min(whole, 1.0), columns), _cells(min(part, 1.0), columns)
    bar = Text(used * filled, style="cyan")
    bar.append(rest * max(reached - filled, 0), style="cyan")
    return bar.append(left * (columns - max(reached, filled)))

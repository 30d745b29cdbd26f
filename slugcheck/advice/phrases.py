"""The phrases that findings share."""

from __future__ import annotations

from collections.abc import Sequence

from slugcheck.model import DistributionSize, Origin


def because(one: DistributionSize) -> str:
    """Return what a distribution comes from, in words."""
    if one.distribution.direct:
        return f"the file itself ({origin(one)})"
    return listed(one.required_by) or "another distribution"


def origin(one: DistributionSize) -> Origin | None:
    """Return the first line that asks for it."""
    return one.distribution.origins[0] if one.distribution.origins else None


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return names as a list in a sentence."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"

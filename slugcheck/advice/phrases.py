"""The phrases that findings share."""

from __future__ import annotations

from slugcheck.model import DistributionSize, Origin
from slugcheck.text import listed


def required_by(package: DistributionSize) -> str:
    """Return what requires a distribution: lines of the file, or other distributions."""
    if package.distribution.direct:
        return str(origin(package) or "the file itself")
    return listed(package.required_by) or "another distribution"


def origin(package: DistributionSize) -> Origin | None:
    """Return the first line that requires it."""
    return package.distribution.origins[0] if package.distribution.origins else None

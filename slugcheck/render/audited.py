"""What all renderings say alike of an audit.

Nothing here is escaped: each rendering makes text safe for its own place.
"""

from __future__ import annotations

from collections.abc import Iterator

from slugcheck.model import Audit, Unaudited
from slugcheck.render.words import listed, plural

_NAMED = 5


def summary(audit: Audit) -> str:
    """Return the outcome in a line. What could not be asked for is never called clean."""
    if audit.problem is not None:
        return f"not audited: {audit.problem}"
    whole = audit.audited + len(audit.unaudited)
    count = len(audit.vulnerabilities)
    known = f"{count or 'no'} known vulnerabilit{'y' if count == 1 else 'ies'}"
    names = {one.name for one in audit.vulnerabilities}
    where = f" in {listed(sorted(names))}" if names else ""
    asked = f"{audit.audited} of {plural(whole, 'distribution')} audited by {audit.service}"
    return f"{asked}: {known}{where}"


def unaudited(audit: Audit) -> Iterator[str]:
    """Yield what was not audited, those with the same reason together."""
    groups: dict[str, list[Unaudited]] = {}
    for one in audit.unaudited:
        groups.setdefault(one.reason, []).append(one)
    for reason, members in groups.items():
        names = [f"{one.name} {one.version}" if one.version else one.name for one in members]
        yield f"not audited: {listed(names, _NAMED)} ({reason})"

"""What Markdown renderings share: marks, and a table whose cells its maker has escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slugcheck.model import Status
from slugcheck.render.signs import DASH

MARKS = {Status.PASS: "✅", Status.WARN: "⚠️", Status.FAIL: "❌", Status.UNKNOWN: "❔"}
NONE = DASH  # stands for a figure that there is none of


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a head that ends in a colon stands over figures."""
    lines = ["| " + " | ".join(head.removesuffix(":") for head in heads) + " |"]
    lines.append("|" + "|".join("--:" if head.endswith(":") else "---" for head in heads) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)

"""What Markdown renderings share: marks, advice, a table whose cells its maker has escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slugcheck.model import Status
from slugcheck.render.view import DASH
from slugcheck.text import markdown

MARKS = {Status.PASS: "✅", Status.WARN: "⚠️", Status.FAIL: "❌", Status.UNKNOWN: "❔"}
NONE = DASH  # stands for a missing figure


def advice(label: str | None, because: Iterable[str], *, otherwise: str) -> str:
    """Return what to take and why; without a label ``otherwise`` heads the reasons."""
    head = f"**Take {markdown(label)}**" if label else f"**{otherwise}**"
    return "\n".join([head, "", *(f"- {markdown(one)}" for one in because)])


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a head that ends in a colon stands over figures."""
    lines = ["| " + " | ".join(head.removesuffix(":") for head in heads) + " |"]
    lines.append("|" + "|".join("--:" if head.endswith(":") else "---" for head in heads) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)

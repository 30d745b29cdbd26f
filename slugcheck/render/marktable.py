"""A table in Markdown; its cells are escaped by whoever makes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slugcheck.render.signs import DASH

NONE = DASH  # stands for a figure that there is none of


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a head that ends in a colon stands over figures."""
    lines = ["| " + " | ".join(head.removesuffix(":") for head in heads) + " |"]
    lines.append("|" + "|".join("--:" if head.endswith(":") else "---" for head in heads) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)

"""Text from files, indexes and the network made safe for where it is shown.

Names of distributions, paths, error texts and requirement lines come from strangers. Nothing of
them may steer a terminal, add markup to Markdown or HTML, or give commands to a CI system.
"""

from __future__ import annotations

import html
import re
import unicodedata

# Bidirectional overrides make text read differently from what it is (CVE-2021-42574).
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~$])")
_FENCE = re.compile(r"`{3,}")


def printable(text: str) -> str:
    """Return text for one line of a terminal: control characters and overrides made visible."""
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character in _BIDI or unicodedata.category(character) in ("Cc", "Cs"):
        return "\N{REPLACEMENT CHARACTER}"
    return character


def markdown(text: str) -> str:
    """Return text that GitHub Markdown shows as it is, also inside a table cell."""
    escaped = _MARKDOWN.sub(r"\\\1", printable(text))
    # an @ or a bare address would notify people or become a link
    return escaped.replace("@", "&#64;").replace("://", "&#58;//").replace("\\<", "&lt;")


def code(text: str) -> str:
    """Return text as a Markdown code span, also inside a table cell."""
    clean = printable(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", clean)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if "`" in clean else ""
    return f"{fence}{pad}{clean}{pad}{fence}"


def fenced(text: str, language: str = "") -> str:
    """Return lines as a Markdown code block that none of them can end."""
    lines = [printable(line) for line in text.splitlines()]
    longest = max((len(run) for line in lines for run in _FENCE.findall(line)), default=2)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def hypertext(text: str) -> str:
    """Return text for HTML, in attributes too."""
    return html.escape(printable(text), quote=True)

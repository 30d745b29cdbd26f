"""The signs and styles of the terminal table: with and without Unicode, with and without colour."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from slugcheck.model import FindingSeverity, Status
from slugcheck.render.view import DASH
from slugcheck.text import printable

# Bare yellow cannot be read on a light background.
STATUS_STYLE = {
    Status.PASS: "green",
    Status.WARN: "black on yellow",
    Status.FAIL: "red",
    Status.UNKNOWN: "magenta",
}
SEVERITY_STYLE = {
    FindingSeverity.ERROR: "red",
    FindingSeverity.WARNING: "black on yellow",
    FindingSeverity.INFO: "cyan",
}
_ASCII = {"±": "+-", "→": "->", "…": "...", DASH: "-", "·": "-", "†": "*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a stream can carry. Text from outside passes through ``text`` or ``clean``."""

    unicode: bool

    def pick(self, sign: str, plain: str) -> str:
        """Return a sign, or what stands for it in ASCII."""
        return sign if self.unicode else plain

    @property
    def none(self) -> str:
        """What stands for a missing figure."""
        return self.pick(DASH, "-")

    def clean(self, text: str) -> str:
        """Return text made safe for one line of this stream."""
        safe = printable(text)
        if self.unicode:
            return safe
        for sign, plain in _ASCII.items():
            safe = safe.replace(sign, plain)
        return safe.encode("ascii", "backslashreplace").decode("ascii")

    def text(self, text: str, style: str = "") -> Text:
        """Return text made safe, never read as markup."""
        return Text(self.clean(text), style=style)

    def joined(self, parts: tuple[str, ...]) -> str:
        """Return parts with dots between."""
        return self.pick(" · ", " - ").join(self.clean(part) for part in parts)

    def status(self, status: Status) -> str:
        """Return the sign of a verdict."""
        signs = {
            Status.PASS: ("✓", "+"),
            Status.WARN: ("!", "!"),
            Status.FAIL: ("✗", "x"),
            Status.UNKNOWN: ("?", "?"),
        }
        return self.pick(*signs[status])

    def severity(self, severity: FindingSeverity) -> str:
        """Return the sign of a finding."""
        signs = {
            FindingSeverity.ERROR: ("✗", "x"),
            FindingSeverity.WARNING: ("!", "!"),
            FindingSeverity.INFO: ("·", "-"),
        }
        return self.pick(*signs[severity])

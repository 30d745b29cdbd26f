"""What a screen says, before anyone decides how it looks: blocks that a writer turns into text.

A view holds text as it is. Writers escape it for their medium; a view never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slugcheck.model import Estimate, FindingSeverity, Status

# Stands for a figure that does not exist.
DASH = "\N{EN DASH}"


class Style(StrEnum):
    """What a piece of text is; a writer may show it in colour, in bold or not at all."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    DOUBT = "doubt"
    ACCENT = "accent"


# --------------------------------------------------------------------------- text


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style; ``code`` marks names that a reader may copy."""

    text: str
    style: Style = Style.PLAIN
    code: bool = False


Line = tuple[Span, ...]
ABSENT: Line = (Span(DASH, Style.DIM),)


def line(text: str, style: Style = Style.PLAIN, *, code: bool = False) -> Line:
    """Return a line of one span; an empty one for empty text."""
    return (Span(text, style, code),) if text else ()


# --------------------------------------------------------------------------- tables


class Kind(StrEnum):
    """How a column is set: texts to the left and folded, figures to the right."""

    TEXT = "text"
    FIGURE = "figure"
    MARK = "mark"  # one character
    SHARE = "share"  # a bar with a percentage
    NAMES = "names"  # as many as fit
    STATE = "state"  # a word or two, never folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; ``wide_only`` is the least width in characters at which it is worth its place."""

    head: str = ""
    kind: Kind = Kind.TEXT
    wide_only: int = 0


@dataclass(frozen=True, slots=True)
class Names:
    """Names of which as many are shown as fit.

    The first may stand out; ``short`` is what it is called where it does not fit.
    """

    names: tuple[str, ...]
    first: Style = Style.DIM
    short: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of a whole, from 0 to 1; ``part`` is the part of it that is drawn solid."""

    whole: float
    part: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign of one character; a page writes the word for it."""

    sign: str
    word: str
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its interval; the figures of a column stand below each other.

    Without text it is a figure that does not exist.
    """

    text: str
    within: str = ""


@dataclass(frozen=True, slots=True)
class Graded:
    """A figure after the sign of its verdict."""

    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class Stacked:
    """Several lines in one cell."""

    lines: tuple[Line, ...]


Cell = Line | Names | Share | Mark | Figure | Graded | Stacked


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. ``rule`` draws a line above it, ``notes`` stand below it in the whole width.

    ``members`` are the rows it stands for; ``hint`` says how to see them where they are not shown.
    ``depth`` is 1 where the row is a part of the one above.
    """

    cells: tuple[Cell, ...]
    style: Style = Style.PLAIN
    rule: bool = False
    notes: tuple[Line, ...] = ()
    members: tuple[Row, ...] = ()
    hint: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows below heads. A terminal may write the section's heading in place of the first head."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


# --------------------------------------------------------------------------- other blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The whole screen in one line: its first, and on a terminal its last as well.

    ``next_step`` is what to do about it, which the last line says.
    """

    status: Status
    word: str
    sentence: str
    next_step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the screen is about: a name, facts about it, and what it took to find out."""

    name: str
    facts: tuple[str, ...]
    run: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A figure beside its limit. Without a figure there is a sentence only.

    ``gates`` is false where the verdict informs and decides nothing; ``beside`` holds more about
    the same figure.
    """

    name: str
    sentence: str
    status: Status | None = None
    figure: Estimate[int] | Estimate[float] | None = None
    limit: int = 0
    gates: bool = True
    beside: tuple[Bar, ...] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """Budgets, one below the other."""

    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A point of a list: a mark, a line, and lines below it."""

    text: Line
    mark: str | Status = "·"
    below: tuple[Line, ...] = ()
    style: Style = Style.PLAIN  # of the mark


@dataclass(frozen=True, slots=True)
class Items:
    """A list of points."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of text, each on its own line."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that is not there: its name, where it is named, a remark, and the reason."""

    name: str
    place: str
    remark: str
    reason: str


@dataclass(frozen=True, slots=True)
class MissingList:
    """What is missing. A terminal writes a reason that several share only once."""

    rows: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines that the reader copies, in a language: ``diff`` or ``text``."""

    lines: str
    language: str = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A finding: what is wrong, facts about it, and lines that the reader copies."""

    severity: FindingSeverity
    sentence: str
    facts: tuple[Span, ...]
    lines: str


Block = Verdict | Subject | Bars | Table | Items | Paragraph | MissingList | Listing | Fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Blocks below a heading.

    ``rank`` is the place on a page, where what matters most comes first and is cut last; a terminal
    writes sections as they come, with the verdict at both ends. ``quiet`` headings stand on pages
    only. ``folded`` sections are folded away on a page.
    """

    blocks: tuple[Block, ...]
    heading: Line = ()
    rank: int
    quiet: bool = False
    folded: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A screen: its sections in a terminal's order. The first holds what no writer leaves out."""

    sections: tuple[Section, ...]

    @property
    def verdict(self) -> View:
        """The verdict alone."""
        verdicts = tuple(
            block
            for section in self.sections
            for block in section.blocks
            if isinstance(block, Verdict)
        )
        return View((Section(blocks=verdicts, rank=0),))

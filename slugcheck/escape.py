"""Text from files, indexes and the network made safe for where it is shown.

Names of distributions, paths, error texts and requirement lines come from strangers. Nothing of
them may steer a terminal, add markup to Markdown or HTML, or show a password. Commands of CI
systems are kept out of whole texts, in ``inert``.
"""

from __future__ import annotations

import re
import unicodedata

from slugcheck.credentials import without_credentials

# Categories whose characters act or hide instead of showing: controls (ANSI sequences begin with
# one), formats (bidirectional overrides make text read differently from what it is,
# CVE-2021-42574), surrogates, line and paragraph separators.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # Cf as well, but scripts and emoji are written with them
_VARIANTS = frozenset("\ufe0e\ufe0f")  # text or picture: emoji are written with them
# Unicode's Default_Ignorable_Code_Point: shown as nothing, whatever the category. For a character
# class of a regular expression.
HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_HIDDEN = re.compile(f"[{HIDDEN}]")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>|~$&]")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_LEADING = re.compile(r"^(?=[#+=-])|^\d+(?=[.)](?:\s|$))")  # begins a heading, a list, a rule
# What GitHub links, notifies or draws on its own (mentions and addresses, issues, URLs, commits,
# emoji, formulas), found after Markdown is read: an entity or a backslash does not stop it, a
# comment in the middle does.
_REFERENCE = re.compile(
    r"(?<=@)(?=\S)|(?<=#)(?=\d)|(?<=\bgh-)(?=\d)|(?<=:)(?=//)|(?<=:)(?=[\w+-]+:)|(?<=www)(?=\.)"
    r"|(?<=mailto:)|(?<=xmpp:)|(?<=\\\$)(?=\S)"
    r"|(?<=\b[0-9a-f]{4})(?=[0-9a-f]{3,36}\b)(?:(?<!\b[0-9]{4})|(?=[0-9]*[a-f]))",
    re.IGNORECASE,
)
# Bots know their comments by a marker wherever it stands, and obey a line that begins with "/".
_MARKER = re.compile(r"<(?=!--)")
_SLASH = re.compile(r"^(?=/\w)")
_BACKTICKS = re.compile(r"`+")


def printable(text: str) -> str:
    r"""Return text for one line of a terminal, without passwords of URLs.

    White space is one blank; characters that act or hide are written out, such as ``\x1b``.
    """
    return _visible(without_credentials(_one_line(text)))


def printable_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a text as ``printable`` does each, but with its indentation."""
    lines = without_credentials(text.expandtabs(4)).replace("\r\n", "\n").split("\n")
    return tuple(_visible(line.rstrip()) for line in lines)


def markdown(text: str) -> str:
    """Return text that GitHub Markdown shows as it is, also inside a table cell."""
    escaped = _MARKDOWN.sub(lambda c: _ENTITIES.get(c[0], f"\\{c[0]}"), printable(text))
    return _REFERENCE.sub("<!-- -->", _LEADING.sub(r"\g<0>\\", escaped))


def code(text: str) -> str:
    """Return text as a Markdown code span, also inside a table cell."""
    clean = _MARKER.sub("< ", printable(text)).replace("|", "\\|")
    longest = max(map(len, _BACKTICKS.findall(clean)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if "`" in clean or not clean.strip() else ""
    return f"{fence}{pad}{clean}{pad}{fence}"


def fenced(text: str, language: str = "") -> str:
    """Return lines as a Markdown code block that none of them can end."""
    lines = [_SLASH.sub(" ", _MARKER.sub("< ", line)) for line in printable_lines(text)]
    longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def _one_line(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text).strip()


def _visible(text: str) -> str:
    """Write out what acts or hides. Joiners and variants stay inside scripts and emoji only."""
    if text.isascii() and text.isprintable():
        return text
    around = zip(f" {text}", text, f"{text[1:]} ", strict=False)
    return "".join(
        character if _shows(character, before, after) else written_out(character)
        for before, character, after in around
    )


def _shows(character: str, before: str, after: str) -> bool:
    if character in _JOINERS:
        return _is_sign(before, but=_JOINERS) and _is_sign(after, but=_JOINERS | _VARIANTS)
    if character in _VARIANTS:
        return _is_sign(before, but=_JOINERS | _VARIANTS)
    return unicodedata.category(character) not in _ACTING and not _HIDDEN.match(character)


def _is_sign(character: str, *, but: frozenset[str]) -> bool:
    """Whether a joiner may stand beside a character: never beside what commands are made of."""
    return character > "\x7f" and character not in but and not character.isspace()


def written_out(text: str) -> str:
    r"""Return characters as escapes, such as ``\x1b``."""
    return text.encode("unicode_escape").decode("ascii")

"""Text from files, indexes and the network made safe for where it is shown.

Names of distributions, paths, error texts and requirement lines come from strangers. Nothing of
them may steer a terminal, add markup to Markdown or HTML, give commands to a CI system, or show a
password.
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
# GitHub reads a line that begins with "::", and any "##[", as a command; Azure "##vso[".
_COMMAND = re.compile(r"^((?:\x1b\[[0-9;]*m|\s)*)::|##(?=\w*\[)", re.MULTILINE)
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>|~$&]")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_LEADING = re.compile(r"^(?=[#+=-])|^\d+(?=[.)](?:\s|$))")  # begins a heading, a list, a rule
# What GitHub links or notifies on its own, found after Markdown is read: an entity or a backslash
# does not stop it, a comment in the middle does.
_REFERENCE = re.compile(r"(?<=@)(?=\w)|(?<=#)(?=\d)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")


def printable(text: str) -> str:
    r"""Return text for one line of a terminal, without passwords of URLs.

    White space is one blank; characters that act or hide are written out, such as ``\x1b``.
    """
    return "".join(_visible(character) for character in without_credentials(_one_line(text)))


def printable_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a text as ``printable`` does each, but with its indentation."""
    lines = without_credentials(text.expandtabs(4)).replace("\r\n", "\n").split("\n")
    return tuple("".join(_visible(character) for character in line.rstrip()) for line in lines)


def without_commands(text: str) -> str:
    """Return text that a CI system takes for output only, not for its own commands."""
    return _COMMAND.sub(lambda match: f"{match[1]}: :" if match[1] is not None else "# #", text)


def markdown(text: str) -> str:
    """Return text that GitHub Markdown shows as it is, also inside a table cell."""
    escaped = _MARKDOWN.sub(lambda c: _ENTITIES.get(c[0], f"\\{c[0]}"), printable(text))
    return _REFERENCE.sub("<!-- -->", _LEADING.sub(r"\g<0>\\", escaped))


def code(text: str) -> str:
    """Return text as a Markdown code span, also inside a table cell."""
    clean = printable(text).replace("|", "\\|")
    longest = max(map(len, _BACKTICKS.findall(clean)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if "`" in clean or not clean.strip() else ""
    return f"{fence}{pad}{clean}{pad}{fence}"


def fenced(text: str, language: str = "") -> str:
    """Return lines as a Markdown code block that none of them can end."""
    lines = printable_lines(text)
    longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def _one_line(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text).strip()


def _visible(character: str) -> str:
    if unicodedata.category(character) in _ACTING and character not in _JOINERS:
        return character.encode("unicode_escape").decode("ascii")
    return character

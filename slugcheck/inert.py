r"""The last gate of every text slugcheck writes: nothing in it is a command of a CI system.

CI systems read commands from the log of a job, so text from a stranger must not look like one:

===================================  ===============================================================
GitHub, Gitea, Forgejo               ``::name::`` at the start of a line (the .NET runner also skips
                                     invisible characters before it), ``##[name]`` anywhere
Azure Pipelines, TeamCity            ``##vso[``, ``##teamcity[`` and ``##[section]`` anywhere
Buildkite                            ``---``, ``+++``, ``~~~``, ``^^^ +++`` at the start of a line
GitLab                               ``section_start:`` and ``section_end:``
Travis CI                            ``travis_fold:`` and ``travis_time:``
Jenkins' console notes, Buildkite's  escape sequences of terminals
links and images
Jenkins, GitLab and Azure, of JUnit  ``[[ATTACHMENT|path]]``
===================================  ===============================================================

``inert`` is applied where a text leaves (``terminal`` takes nothing else), so that no rendering can
forget it. JSON, SARIF and XML keep their meaning: characters become escapes of the format, which
read back as the same value. The others get a blank in the middle of a command.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NewType

from slugcheck.escape import HIDDEN, written_out

Inert = NewType("Inert", str)

_STYLE = r"\x1b\[[0-9;]*m"
# the start of a line as the laxest reader sees it
_LEADING = re.compile(rf"^((?:{_STYLE}|[^\S\n]|[{HIDDEN}])*):(?=[{HIDDEN}]*:)", re.MULTILINE)
_LEGACY = re.compile(rf"#(?=[{HIDDEN}]*#[\w{HIDDEN}]*\[)")
_HEADER = re.compile(rf"^((?:{_STYLE})*)(?=(?:---|\+\+\+|~~~)[^\S\n]|\^\^\^[^\S\n])", re.MULTILINE)
_FOLD = re.compile(r"(?:(?<=travis_fold)|(?<=travis_time)|(?<=section_start)|(?<=section_end)):")
_ATTACHMENT = re.compile(r"\[(?=\[ATTACHMENT)", re.IGNORECASE)
_CONTROL = r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
_ACTING = re.compile(rf"\x1b|{_CONTROL}")
_ACTING_BUT_STYLE = re.compile(rf"\x1b(?!\[[0-9;]*m)|{_CONTROL}")


def inert(text: str, form: str) -> Inert:
    """Return a text in which no CI system finds commands; ``form`` is how it is written.

    Doing it twice changes nothing more.

    :raises KeyError: the form has no rule here, as a new one must.
    """
    return Inert(_RULES[form](text))


def without_commands(text: str) -> str:
    """Return lines of plain text, maybe in colour, that a CI system takes for output only."""
    return _plain(_ACTING_BUT_STYLE.sub(_shown, text))


def _shown(found: re.Match[str]) -> str:
    return written_out(found[0])


def _plain(text: str) -> str:
    text = _LEADING.sub(r"\1: ", text)
    text = _LEGACY.sub("# ", text)
    text = _FOLD.sub(" :", text)
    return _HEADER.sub(r"\1 ", text)


def _markdown(text: str) -> str:
    return _plain(_ACTING.sub(_shown, text))


# --------------------------------------------------------------------------- GitHub's annotations

# What ``render.github`` writes, and no other command: stop-commands, set-env and add-mask are none.
_ANNOTATION = re.compile(
    r"::(?:error|warning|notice) (?:file=[^:,\s][^:,]*,line=[0-9]+,)?title=[^:,]*::.*"
)


def _annotations(text: str) -> str:
    lines = _ACTING.sub(_shown, text).split("\n")
    return "\n".join(
        _FOLD.sub(" :", _LEGACY.sub("# ", line)) if _ANNOTATION.fullmatch(line) else _plain(line)
        for line in lines
    )


# --------------------------------------------------------------------------- JSON and XML

_HEADER_FIRST = re.compile(rf"{_HEADER.pattern}(.)", re.MULTILINE)
_NOT_ASCII = re.compile(r"[^\n -~]")
_SECOND_HASH_FOLLOWS = re.compile("#(?=#)")
_QUOTED_COLON = re.compile(r'(?<="):(?=:)')  # a value's own: between values stands one alone


def _json(text: str) -> str:
    """Escape in strings only: what is replaced here stands nowhere else in JSON."""
    text = _NOT_ASCII.sub(lambda found: _unit_escapes(found[0]), text)
    text = _SECOND_HASH_FOLLOWS.sub(r"\\u0023", text)
    text = _QUOTED_COLON.sub(r"\\u003a", text)
    return _FOLD.sub(r"\\u003a", text)


def _unit_escapes(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _xml(text: str) -> str:
    """Write characters as references; only the attachments, which XML's readers act on, change."""
    text = _ATTACHMENT.sub("[ ", _ACTING.sub(_shown, text))
    text = _SECOND_HASH_FOLLOWS.sub("&#35;", text)
    text = _LEADING.sub(r"\1&#58;", text)
    text = _FOLD.sub("&#58;", text)
    return _HEADER_FIRST.sub(lambda found: f"{found[1]}&#{ord(found[2])};", text)


_RULES: dict[str, Callable[[str], str]] = {
    "table": without_commands,
    "markdown": _markdown,
    "github": _annotations,
    "json": _json,
    "sarif": _json,
    "junit": _xml,
}

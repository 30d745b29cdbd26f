"""Text on its way in and out: credentials, escaping, CI commands, units and lists.

Everything slugcheck prints passes through three steps: credentials are masked, characters that act
on a terminal are written out, and what a CI system would read as a command is defused.
"""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NewType, cast
from urllib.parse import quote


class _Pattern:
    """A regular expression that is compiled when it is first used: start-up needs few of them."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._pattern, self._flags = pattern, flags

    def __getattr__(self, name: str) -> object:
        method: object = getattr(re.compile(self._pattern, self._flags), name)
        setattr(self, name, method)  # the next look-up finds it without coming here
        return method


def _lazy(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return cast("re.Pattern[str]", _Pattern(pattern, flags))


# --------------------------------------------------------------------------- credentials

MASK = "***"
_LONGEST_COMMAND = 500  # characters
_LEAST_SECRET = 4  # characters; a shorter value would hide half of every text
_SEPARATOR = _lazy(r":[/\\]+|%3A(?:%2F|%5C)+", re.IGNORECASE)
_WORD = _lazy(r"\S+")
# most URLs of a report: nothing in them to hide, so no further look is needed
_PLAIN = _lazy(r"\S?https?://[\w-]++(?:\.[\w-]++)++(?::\d{1,5}(?!\w))?(?:/[^@?:%\s\\]*)?")
_AUTHORITY_END = _lazy(r"[/\\?#\s]|%2F|%5C|%3F|%23|\Z", re.IGNORECASE)
_AT = _lazy(r"@|%40", re.IGNORECASE)
_COLON = _lazy(r":|%3A", re.IGNORECASE)
_AT_IN_LINE = _lazy(r"(?<!\s)@|@(?!\s)|%40", re.IGNORECASE)  # not that of "name @ URL"
_PORT = _lazy(r"\d{1,5}(?![0-9A-Za-z])|[^\w\s]{0,8}(?:\s|\Z)")  # or nothing: punctuation
_HOST = _lazy(r"localhost\b|\[|[^\s:@/\\?#%]*\.|\Z", re.IGNORECASE)  # clearly a host
_BEHIND_AT = _lazy(
    r"(?:@|%40)(?:localhost\b|\[[0-9A-F:.]+\]|(?:[\w-]++\.)++[\w-]++)(?!@)", re.IGNORECASE
)
_DRIVE = _lazy(r"[A-Za-z]:[/\\]")
_BEFORE_USER = _lazy(r".*[\s=\"'`(\[{<>,;|/\\]", re.DOTALL)
_LINE_NUMBER = _lazy(r"[^:]*:\d+:[A-Za-z][A-Za-z+.-]*")  # requirements.txt:3:https
_PUBLIC = frozenset({"git", "hg", "svn"})  # user names of git+ssh://git@host, which are no secret
_QUERY = _lazy(r"\?[^\s#]+")
_AFTER_URL = "'\"`<>)]}.,;:"
_JSON_TEXT = _lazy(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LOCK = threading.Lock()
_SECRETS: set[str] = set()


def keep_secret(values: Iterable[str]) -> None:
    """Mask these values in all that is shown from now on, where they have 4 characters or more."""
    with _LOCK:
        for value in values:
            if len(value.strip()) >= _LEAST_SECRET:
                _SECRETS.update({value, value.strip(), quote(value, safe=""), quote(value)})


_VALUE = r"""(?:"[^"]*"?|'[^']*'?|[^\s"';&|])++"""
# but not a number or a variable
_SHORT = r"(?:\$\w{1,80}|\$\{\w{1,80}\}|\w{0,4})"
_OPEN_VALUE = rf"""(?!(?:"{_SHORT}"|'{_SHORT}'|{_SHORT})(?![^\s;&|]))"""
_ASSIGNED = _lazy(rf"((?:^|(?<=[\s;&|'\"]))[A-Za-z_]\w*+=){_OPEN_VALUE}{_VALUE}")
_SECRET_OPTION = _lazy(
    r"((?:^|(?<=\s))--?[\w-]{0,40}(?:secret|passw|token|key|auth|credential|dsn)[\w-]{0,40}"
    rf"(?:=|\s{{1,20}})){_OPEN_VALUE}(?!-){_VALUE}",
    re.IGNORECASE,
)


def without_credentials(text: str) -> str:
    """Return text whose URLs show no user, no password and no query; ``git@host`` stays.

    Values given to ``keep_secret`` are masked wherever they stand.
    """
    text = without_secrets(text)
    if not _COLON.search(text):
        return text
    return "".join(_line(line) for line in re.split(r"([\r\n]+)", text))


def shown_command(text: str) -> str:
    """Return a shell's command without credentials, and no longer than a screen has room for.

    Values of variables and of options that are named as credentials are masked, beside URLs.
    """
    text = _ASSIGNED.sub(rf"\1{MASK}", _SECRET_OPTION.sub(rf"\1{MASK}", text))
    text = without_credentials(text)  # before it is cut: half a URL shows its password
    return text[:_LONGEST_COMMAND] + ("…" if len(text) > _LONGEST_COMMAND else "")


def without_secrets(text: str) -> str:
    """Return text without the values given to ``keep_secret``."""
    with _LOCK:
        present = sorted((secret for secret in _SECRETS if secret in text), key=len, reverse=True)
    for secret in present:
        text = text.replace(secret, MASK)
    return text


def document_without_secrets(text: str) -> str:
    """Return an artefact without such values; of a JSON document only the strings are changed."""
    with _LOCK:
        if not _SECRETS:
            return text
        import json

        escaped = {json.dumps(secret)[1:-1] for secret in _SECRETS} | _SECRETS
    present = sorted((secret for secret in escaped if secret in text), key=len, reverse=True)
    if not present:
        return text
    pattern = re.compile("|".join(map(re.escape, present)))
    if not text.lstrip().startswith("{"):
        return pattern.sub(MASK, text)
    return _JSON_TEXT.sub(lambda match: pattern.sub(MASK, match[0][1:-1]).join('""'), text)


def shown_value(text: str) -> str:
    """Return one value that was given as a URL or a name, such as the argument of an option.

    A value is known to hold nothing else, so all before its last ``@`` is hidden where that can be
    a user and a password, whatever characters stand between.
    """
    text = without_secrets(text)
    at = _last(_AT, text)
    if at is None:
        return without_credentials(text)
    head = text[: at.start()]
    separator = _SEPARATOR.search(head)
    if separator is not None:
        authority = text[separator.end() : at.start()]
        if _is_path_after_host(authority):
            return without_credentials(text)
        colon = _COLON.search(head)
        if colon is not None and colon.start() < separator.start():  # user:pass://word@
            return f"{head[: _user_start(head, colon.start())]}{MASK}{text[at.start() :]}"
        return f"{head[: separator.end()]}{MASK}{_QUERY.sub(_query_mask, text[at.start() :])}"
    if _COLON.search(head) and head.partition(":")[0].rpartition("@")[2].lower() not in _PUBLIC:
        return without_credentials(f"{MASK}{text[at.start() :]}")
    return without_credentials(text)


def _is_path_after_host(authority: str) -> bool:
    """Tell ``host/path`` before an ``@`` from a user and password: it must be clearly a host."""
    if authority.lower() in _PUBLIC:
        return True
    host = re.split(r"[/\\?#]", authority, maxsplit=1)
    plain = len(host) > 1 and not re.search(r"[\s:@]|%3A|%40", host[0], re.IGNORECASE)
    return plain and ("." in host[0] or host[0].lower() == "localhost")


# One line: every word that can hold a URL or "user:password@" is looked at.


def _line(line: str) -> str:
    if not _COLON.search(line):
        return line
    last = _last(_AT_IN_LINE, line)
    last_at = last.start() if last else -1
    pieces: list[str] = []
    done = 0
    for word in _WORD.finditer(line):
        if word.end() <= done:
            continue
        start = max(word.start(), done)
        pieces.append(line[done:start])
        shown, done = _word(line, start, word.end(), last_at)
        pieces.append(shown)
    pieces.append(line[done:])
    return "".join(pieces)


def _word(line: str, start: int, end: int, last_at: int) -> tuple[str, int]:
    """Return a word without its credentials, and where what it hides of the line ends."""
    if _PLAIN.fullmatch(line, start, end) or not _COLON.search(line, start, end):
        return line[start:end], end
    pieces: list[str] = []
    at = _last(_AT, line[start:end])
    word_at = start + at.start() if at else -1
    done = start
    for separator in _SEPARATOR.finditer(line, start, end):
        begin = separator.end()
        if begin < done:
            continue
        hidden = _hidden(line, separator, word_at, last_at)
        if hidden is None:
            continue
        if hidden < last_at and not _BEHIND_AT.match(line, hidden):
            hidden = last_at  # a password with a raw @ in it
        before = line[done : separator.start()]
        colon = _COLON.search(before)
        if colon and not _LINE_NUMBER.fullmatch(before):  # user:pass://word@
            pieces += [before[: _user_start(before, colon.start())], MASK]
        else:
            pieces += [before, line[separator.start() : begin], MASK]
        done = hidden
        if done >= end:
            return _query_hidden("".join(pieces)), done
    rest = line[done:end]
    pieces.append(_without_scheme(rest))
    return _query_hidden("".join(pieces)), end


def _hidden(line: str, separator: re.Match[str], word_at: int, last_at: int) -> int | None:
    """Return where user and password end that begin behind ``://``, None where there are none."""
    begin = separator.end()
    stop = _AUTHORITY_END.search(line, begin)
    assert stop is not None  # noqa: S101 - it matches the end
    authority = line[begin : stop.start()]
    colon = _COLON.search(authority)
    inside = _last(_AT, authority)
    if inside is not None:
        if authority[: inside.start()].lower() in _PUBLIC:
            return None
        after = _COLON.search(authority, inside.end())
        if after is not None and not _PORT.match(line, begin + after.end()):
            end = max(word_at, last_at)  # user@corp:password
            if end > begin + inside.start() or inside[0] != "@":
                return end if end > begin + inside.start() else len(line)
        return max(word_at, begin + inside.start()) if colon else begin + inside.start()
    if colon is not None and not authority.startswith("["):
        port = _PORT.match(line, begin + colon.end())
        if word_at > begin:
            return word_at
        if _DRIVE.match(line, begin) or (port and _HOST.match(authority)):
            return None
        if last_at > begin:
            return last_at
        # cut off, or broken by a blank: no @ says where it ends
        return None if port else len(line)
    if _HOST.match(authority):
        return None
    if word_at > begin:
        return word_at
    return last_at if last_at > begin and line[stop.start() : stop.end()].isspace() else None


def _without_scheme(text: str) -> str:
    """Hide ``user:password@`` in (a part of) a word that has no ``://``, or has it elsewhere."""
    at = _last(_AT, text)
    if at is None:
        return text
    for colon in _COLON.finditer(text, 0, at.start()):
        if text[colon.end() : colon.end() + 1] in ("/", "\\"):
            continue
        begin = _user_start(text, colon.start())
        if text[begin : colon.start()].partition("@")[0].lower() in _PUBLIC:
            return text
        if colon.start() == 0:
            return text
        return f"{text[:begin]}{MASK}{text[at.start() :]}"
    return text


def _user_start(text: str, end: int) -> int:
    match = _BEFORE_USER.match(text, 0, end)
    return match.end() if match else 0


def _query_hidden(text: str) -> str:
    """Hide the query of a URL: signatures and tokens are often there."""
    if "?" not in text:
        return text
    separator = _SEPARATOR.search(text)
    if separator is None:
        return text
    head, tail = text[: separator.end()], text[separator.end() :]
    scheme = head[: separator.start()].lower()
    # in the address of a bucket a question mark is a glob, unless something was signed
    if scheme.endswith(("s3", "gs")) and "=" not in tail:
        return text
    return head + _QUERY.sub(_query_mask, tail)


def _query_mask(match: re.Match[str]) -> str:
    kept = match[0].rstrip(_AFTER_URL)
    return f"?…{match[0][len(kept) :]}" if kept != "?" else match[0]


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)


# --------------------------------------------------------------------------- escaping

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
_HIDDEN = _lazy(f"[{HIDDEN}]")
_UNUSUAL = _lazy(r"[^ -~]")
_MARKDOWN = _lazy(r"[\\`*_{}\[\]<>|~$&]")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_LEADING = _lazy(r"^(?=[#+=-])|^\d+(?=[.)](?:\s|$))")  # begins a heading, a list, a rule
# What GitHub links, notifies or draws on its own (mentions and addresses, issues, URLs, commits,
# emoji, formulas), found after Markdown is read: an entity or a backslash does not stop it, a
# comment in the middle does.
_REFERENCE = _lazy(
    r"(?<=@)(?=\S)|(?<=#)(?=\d)|(?<=\bgh-)(?=\d)|(?<=:)(?=//)|(?<=:)(?=[\w+-]+:)|(?<=www)(?=\.)"
    r"|(?<=mailto:)|(?<=xmpp:)|(?<=\\\$)(?=\S)"
    r"|(?<=\b[0-9a-f]{4})(?=[0-9a-f]{3,36}\b)(?:(?<!\b[0-9]{4})|(?=[0-9]*[a-f]))",
    re.IGNORECASE,
)
# Bots know their comments by a marker wherever it stands, and obey a line that begins with "/".
_MARKER = _lazy(r"<(?=!--)")
_SLASH = _lazy(r"^(?=/\w)")
_BACKTICKS = _lazy(r"`+")


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
    return _UNUSUAL.sub(_seen, text)


def _seen(match: re.Match[str]) -> str:
    character, text, place = match[0], match.string, match.start()
    before, after = text[max(place - 1, 0) : place] or " ", text[place + 1 : place + 2] or " "
    return character if _shows(character, before, after) else written_out(character)


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


# --------------------------------------------------------------------------- CI commands
#
# CI systems read commands from the log of a job, so text from a stranger must not look like one:
#
# ===================================  =============================================================
# GitHub, Gitea, Forgejo               ``::name::`` at the start of a line (.NET's runner also skips
#                                      invisible characters before it), ``##[name]`` anywhere
# Azure Pipelines, TeamCity            ``##vso[``, ``##teamcity[`` and ``##[section]`` anywhere
# Buildkite                            ``---``, ``+++``, ``~~~``, ``^^^ +++`` at the start of a line
# GitLab                               ``section_start:`` and ``section_end:``
# Travis CI                            ``travis_fold:`` and ``travis_time:``
# Jenkins' console notes, Buildkite's  escape sequences of terminals
# links and images
# Jenkins, GitLab and Azure, of JUnit  ``[[ATTACHMENT|path]]``
# ===================================  =============================================================
#
# ``inert`` is applied where a text leaves (``terminal`` takes nothing else), so no rendering can
# forget it. JSON, SARIF and XML keep their meaning: characters become escapes of the format, which
# read back as the same value. In the other formats a command gets a blank in its middle.

Inert = NewType("Inert", str)

_STYLE = r"\x1b\[[0-9;]*m"
# the start of a line as the laxest reader sees it
_LEADING_COLON = _lazy(rf"^((?:{_STYLE}|[^\S\n]|[{HIDDEN}])*):(?=[{HIDDEN}]*:)", re.MULTILINE)
_LEGACY = _lazy(rf"#(?=[{HIDDEN}]*#[\w{HIDDEN}]*\[)")
_HEADER_START = rf"^((?:{_STYLE})*)(?=(?:---|\+\+\+|~~~)[^\S\n]|\^\^\^[^\S\n])"
_HEADER = _lazy(_HEADER_START, re.MULTILINE)
_FOLD = _lazy(r"(?:(?<=travis_fold)|(?<=travis_time)|(?<=section_start)|(?<=section_end)):")
_ATTACHMENT = _lazy(r"\[(?=\[ATTACHMENT)", re.IGNORECASE)
_CONTROL = r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
_ACTING_IN_OUTPUT = _lazy(rf"\x1b|{_CONTROL}")
_ACTING_BUT_STYLE = _lazy(rf"\x1b(?!\[[0-9;]*m)|{_CONTROL}")


def inert(text: str, form: str) -> Inert:
    """Return a text in which no CI system finds commands; ``form`` is how it is written.

    Doing it twice changes nothing more.

    :raises KeyError: the form has no rule here, as a new one must.
    """
    return Inert(_RULES[form](text))


def without_commands(text: str) -> str:
    """Return lines of plain text, maybe in colour, that a CI system takes for output only."""
    return _plain(_ACTING_BUT_STYLE.sub(_shown, text))


def _shown(match: re.Match[str]) -> str:
    return written_out(match[0])


def _plain(text: str) -> str:
    text = _LEADING_COLON.sub(r"\1: ", text)
    text = _LEGACY.sub("# ", text)
    text = _FOLD.sub(" :", text)
    return _HEADER.sub(r"\1 ", text)


def _markdown(text: str) -> str:
    return _plain(_ACTING_IN_OUTPUT.sub(_shown, text))


# --------------------------------------------------------------------------- GitHub's annotations

# What ``render.github`` writes, and no other command, such as stop-commands, set-env or add-mask.
_ANNOTATION = _lazy(
    r"::(?:error|warning|notice) (?:file=[^:,\s][^:,]*,line=[0-9]+,)?title=[^:,]*::.*"
)


def _annotations(text: str) -> str:
    lines = _ACTING_IN_OUTPUT.sub(_shown, text).split("\n")
    return "\n".join(
        _FOLD.sub(" :", _LEGACY.sub("# ", line)) if _ANNOTATION.fullmatch(line) else _plain(line)
        for line in lines
    )


# --------------------------------------------------------------------------- JSON and XML

_HEADER_FIRST = _lazy(rf"{_HEADER_START}(.)", re.MULTILINE)
_NOT_ASCII = _lazy(r"[^\n -~]")
_SECOND_HASH_FOLLOWS = _lazy("#(?=#)")
_QUOTED_COLON = _lazy(r'(?<="):(?=:)')  # a value's own: between values stands one alone


def _json(text: str) -> str:
    """Escape in strings only: what is replaced here stands nowhere else in JSON."""
    text = _NOT_ASCII.sub(lambda match: _unit_escapes(match[0]), text)
    text = _SECOND_HASH_FOLLOWS.sub(r"\\u0023", text)
    text = _QUOTED_COLON.sub(r"\\u003a", text)
    return _FOLD.sub(r"\\u003a", text)


def _unit_escapes(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _xml(text: str) -> str:
    """Write characters as references; only the attachments, which XML's readers act on, change."""
    text = _ATTACHMENT.sub("[ ", _ACTING_IN_OUTPUT.sub(_shown, text))
    text = _SECOND_HASH_FOLLOWS.sub("&#35;", text)
    text = _LEADING_COLON.sub(r"\1&#58;", text)
    text = _FOLD.sub("&#58;", text)
    return _HEADER_FIRST.sub(lambda match: f"{match[1]}&#{ord(match[2])};", text)


_RULES: dict[str, Callable[[str], str]] = {
    "table": without_commands,
    "markdown": _markdown,
    "github": _annotations,
    "json": _json,
    "sarif": _json,
    "junit": _xml,
}


# --------------------------------------------------------------------------- units
#
# Rounding is never in the user's favour: figures go up, limits go down.

MB = 10**6
MIB = 2**20

_SIZES = {
    "": 1, "b": 1, "bytes": 1,
    "k": 2**10, "m": 2**20, "g": 2**30,
    "kib": 2**10, "mib": 2**20, "gib": 2**30,
    "kb": 10**3, "mb": 10**6, "gb": 10**9,
}  # fmt: skip
_SECONDS = {
    "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
}  # fmt: skip
_NUMBER_AND_UNIT = _lazy(r"\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)\s*")
_CLOCK = _lazy(r"\s*([0-9]{1,9}):([0-5][0-9])\s*")
_COMMAS_FROM = 100_000  # tenths
_QUOTED = 40  # characters of a wrong text that a message repeats


def parse_size(text: str) -> int:
    """Return bytes of "450M", "1 GB", "250MiB", "1.5G" or "524288000"; parts of a byte are cut.

    :raises ValueError: the text is no size; the sentence says what is accepted.
    """
    size = _parse(text, _SIZES)
    if size is None:
        message = (
            f"{text[:_QUOTED]!r} is not a size; write bytes (524288000), "
            "K, M, G or KiB, MiB, GiB (powers of 1024), or kB, MB, GB (powers of 1000)"
        )
        raise ValueError(message)
    return size


def parse_seconds(text: str) -> int:
    """Return seconds of "15m", "900", "60s", "15 min" or "1:30" (minutes and seconds).

    :raises ValueError: the text is no duration; the sentence says what is accepted.
    """
    if clocked := _CLOCK.fullmatch(text):
        return int(clocked[1]) * 60 + int(clocked[2])
    duration = _parse(text, _SECONDS)
    if duration is None:
        message = (
            f"{text[:_QUOTED]!r} is not a duration; write seconds (900 or 900s), 15m, 1h or 1:30"
        )
        raise ValueError(message)
    return duration


def number(text: str, units: Collection[str], what: str) -> float:
    """Return the number of a text that may end with one of the units.

    :raises ValueError: it is not ``what``.
    """
    match = _NUMBER_AND_UNIT.fullmatch(text.removesuffix("%") if "%" in units else text)
    if match is None or match[2] not in units:
        message = f"{text[:_QUOTED]!r} is not {what}"
        raise ValueError(message)
    return float(match[1])


def _parse(text: str, factors: dict[str, int]) -> int | None:
    match = _NUMBER_AND_UNIT.fullmatch(text)
    factor = factors.get(match[2].lower()) if match else None
    if match is None or factor is None:
        return None
    from fractions import Fraction  # since 0.29 * 10**9 as a float is a byte short

    return math.floor(Fraction(match[1]) * factor)


@dataclass(frozen=True, slots=True)
class Scale:
    """A unit that sizes are printed in, with one decimal and without a trailing ".0"."""

    unit: int
    suffix: str

    def up(self, value: int) -> str:
        """Return a measured figure, rounded up."""
        return self._printed(_tenths(value, self.unit, down=False))

    def down(self, value: int) -> str:
        """Return a limit, or the room left, rounded down."""
        return self._printed(_tenths(value, self.unit, down=True))

    def tells_apart(self, value: int, limit: int) -> bool:
        """Whether ``value`` and ``limit`` print in the order that they have."""
        shown = _tenths(value, self.unit, down=False) - _tenths(limit, self.unit, down=True)
        return _sign(shown) == _sign(value - limit)

    def _printed(self, tenths: int) -> str:
        # four digits stay together, as in Heroku's "max is 1000M"
        number = f"{tenths / 10:,.1f}" if tenths >= _COMMAS_FROM else f"{tenths / 10:.1f}"
        return number.removesuffix(".0") + self.suffix


HEROKU_M = Scale(MIB, "M")
MEGABYTES = Scale(MB, " MB")
BYTES = Scale(1, " B")


def unit_of(limit: int | None, *, default: Scale) -> Scale:
    """Return the unit that a limit is round in (M, else MB); without a limit the default."""
    if limit is None:
        return default
    return MEGABYTES if limit % MB == 0 and limit % MIB else HEROKU_M


def scale_for(value: int, limit: int) -> Scale:
    """Return the unit to print a figure and its limit in.

    It is the limit's own (``unit_of``); bytes where a rounded figure would read
    like its limit without being it, or stand on the wrong side of it.
    """
    scale = unit_of(limit, default=HEROKU_M)
    return scale if scale.tells_apart(value, limit) else BYTES


def against(value: int, limit: int) -> tuple[str, str]:
    """Return a figure (rounded up) and its limit (rounded down), in the unit of ``scale_for``."""
    scale = scale_for(value, limit)
    return scale.up(value), scale.down(limit)


def heroku_m(value: int, *, down: bool = False) -> str:
    """Return bytes as Heroku prints a slug, "168.7M" of MiB; rounded up unless ``down``."""
    return HEROKU_M.down(value) if down else HEROKU_M.up(value)


def mb(value: int) -> str:
    """Return bytes as MB (10**6) with one decimal and no unit, rounded to nearest.

    Less than half a tenth is "<0.1". Figures that stand against a limit go through ``against``.
    """
    if 0 < value < MB // 20:
        return "<0.1"
    return f"{(value + MB // 20) // (MB // 10) / 10:,.1f}"


def mib(value: int, *, down: bool = False) -> str:
    """Return bytes as MiB (2**20) with one decimal and no unit, rounded up unless ``down``."""
    return f"{_tenths(value, MIB, down=down) / 10:,.1f}"


def millis(value: float) -> str:
    """Return milliseconds without their unit, "0.4" or "1,250"."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def seconds(value: float) -> str:
    """Return seconds with one decimal, "0.8 s", rounded up."""
    return f"{_ceiling(value * 10) / 10:,.1f} s"


def clock(value: float) -> str:
    """Return seconds as minutes and seconds, "0:48", rounded up."""
    whole = _ceiling(value)
    return f"{whole // 60}:{whole % 60:02d}"


def _tenths(value: int, unit: int, *, down: bool) -> int:
    return value * 10 // unit if down else -(-value * 10 // unit)


def _ceiling(value: float) -> int:
    # a float such as 0.1 * 3 lies a hair above the number it stands for
    return math.ceil(round(value, 6))


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


# --------------------------------------------------------------------------- counts and lists


def within(percent: float) -> str:
    """Return half the width of an interval, "±2.1 %", rounded up; "" for none."""
    # the ends of an interval are whole bytes: a hair above 2 % is 2 %; less may be negative
    return f"±{_ceiling(round(abs(percent) * 10, 3)) / 10:.1f} %" if percent else ""


def plural(count: int, noun: str, several: str = "") -> str:
    """Return a count with its noun: "1 file", "2 files"; ``several`` is an irregular plural."""
    return f"{count:,} {noun if count == 1 else several or f'{noun}s'}"


MOST_LINES = 20  # of one error


def lines_of(sentences: Sequence[str], most: int = MOST_LINES) -> str:
    """Return sentences, one a line: the first, and how many more there are."""
    more = len(sentences) - most
    return "\n".join([*sentences[:most], *([f"and {more:,} more"] if more > 0 else [])])


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return names as a list in a sentence: "a", "a and b", "a, b and 3 more"."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"

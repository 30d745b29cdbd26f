"""The one scrubber: text without the passwords, tokens and signed queries of its URLs.

Everything that is shown goes through it: the terminal, every format, the errors of git, uv, pip and
requests. URLs that cannot be parsed are the ones that show up in errors, so nothing here parses
them: a password may hold ``/``, ``@``, ``#``, blanks or quotes that it should have escaped. What is
doubtful is hidden. Every scan is linear in the length of the text.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterable
from urllib.parse import quote

MASK = "***"
_LEAST_SECRET = 4  # characters; a shorter value would hide half of every text
_SEPARATOR = re.compile(r":[/\\]+|%3A(?:%2F|%5C)+", re.IGNORECASE)
_WORD = re.compile(r"\S+")
# most URLs of a report: nothing in them to hide, so no further look is needed
_PLAIN = re.compile(r"\S?https?://[\w-]++(?:\.[\w-]++)++(?::\d{1,5}(?!\w))?(?:/[^@?:%\s\\]*)?")
_AUTHORITY_END = re.compile(r"[/\\?#\s]|%2F|%5C|%3F|%23|\Z", re.IGNORECASE)
_AT = re.compile(r"@|%40", re.IGNORECASE)
_COLON = re.compile(r":|%3A", re.IGNORECASE)
_AT_IN_LINE = re.compile(r"(?<!\s)@|@(?!\s)|%40", re.IGNORECASE)  # not that of "name @ URL"
_PORT = re.compile(r"\d{1,5}(?![0-9A-Za-z])|[^\w\s]{0,8}(?:\s|\Z)")  # or nothing: punctuation
_HOST = re.compile(r"localhost\b|\[|[^\s:@/\\?#%]*\.|\Z", re.IGNORECASE)  # clearly a host
_BEHIND_AT = re.compile(
    r"(?:@|%40)(?:localhost\b|\[[0-9A-F:.]+\]|(?:[\w-]++\.)++[\w-]++)(?!@)", re.IGNORECASE
)
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_BEFORE_USER = re.compile(r".*[\s=\"'`(\[{<>,;|/\\]", re.DOTALL)
_LINE_NUMBER = re.compile(r"[^:]*:\d+:[A-Za-z][A-Za-z+.-]*")  # requirements.txt:3:https
_PUBLIC = frozenset({"git", "hg", "svn"})  # user names of git+ssh://git@host, which are no secret
_QUERY = re.compile(r"\?[^\s#]+")
_AFTER_URL = "'\"`<>)]}.,;:"
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LOCK = threading.Lock()
_SECRETS: set[str] = set()


def keep_secret(values: Iterable[str]) -> None:
    """Mask these values in all that is shown from now on, where they have 4 characters or more."""
    with _LOCK:
        for value in values:
            if len(value.strip()) >= _LEAST_SECRET:
                _SECRETS.update({value, value.strip(), quote(value, safe=""), quote(value)})


def without_credentials(text: str) -> str:
    """Return text whose URLs show no user, no password and no query; ``git@host`` stays.

    Values given to ``keep_secret`` are masked wherever they stand.
    """
    text = without_secrets(text)
    if not _COLON.search(text):
        return text
    return "".join(_line(line) for line in re.split(r"([\r\n]+)", text))


def without_secrets(text: str) -> str:
    """Return text without the values given to ``keep_secret``."""
    with _LOCK:
        found = sorted((one for one in _SECRETS if one in text), key=len, reverse=True)
    for value in found:
        text = text.replace(value, MASK)
    return text


def document_without_secrets(text: str) -> str:
    """Return an artefact without such values; of a JSON document only the strings are changed."""
    with _LOCK:
        if not _SECRETS:
            return text
        escaped = {json.dumps(one)[1:-1] for one in _SECRETS} | _SECRETS
    found = sorted((one for one in escaped if one in text), key=len, reverse=True)
    if not found:
        return text
    pattern = re.compile("|".join(map(re.escape, found)))
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


# --------------------------------------------------------------------------- one line


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
            found = max(word_at, last_at)  # user@corp:password
            if found > begin + inside.start() or inside[0] != "@":
                return found if found > begin + inside.start() else len(line)
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
    found = _BEFORE_USER.match(text, 0, end)
    return found.end() if found else 0


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

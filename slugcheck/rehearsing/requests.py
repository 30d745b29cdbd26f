"""The requests that a rehearsal sends, as the user writes them.

``[3x] METHOD PATH [BODY …] [=> STATUS [TEXT]]``. A body is ``@FILE`` (its bytes), ``NAME=@FILE``
and ``NAME=VALUE`` (the fields of a form), or text that begins with ``{`` or ``[`` (JSON); words
such as ``Accept:text/html`` are headers.
"""

from __future__ import annotations

import mimetypes
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import UsageError
from slugcheck.text import printable

_METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
_WEIGHT = re.compile(r"(\d{1,4})x")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):(.*)", re.DOTALL)
_FIELD = re.compile(r"([A-Za-z_][\w.\[\]-]*)=(.*)", re.DOTALL)
_STATUS = re.compile(r"[1-5]\d\d")
_MOST_FILE = 100 * 2**20
_MOST_EVENT = 6_291_556  # bytes that Lambda takes
_QUOTED = 80
_EXAMPLE = "for example --request 'POST /detect image=@leaf.jpg => 200 species'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a form; ``file`` is the name of the file that ``content`` is of, "" for text."""

    name: str
    content: bytes
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One kind of request. ``status`` and ``contains`` are what its answer must have.

    Without a status anything below ``status_below`` will do.
    """

    text: str
    method: str
    path: str
    weight: int = 1
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    fields: tuple[Field, ...] = ()
    status: int | None = None
    status_below: int = 400
    contains: str = ""


# An app need not have a start page: 404 is an answer.
DEFAULT = Request(text="GET /", method="GET", path="/", status_below=500)
DEFAULT_EVENT = Request(text="{}", method="INVOKE", path="/", body=b"{}")


def parse(texts: tuple[str, ...]) -> tuple[Request, ...]:
    """Return the requests of ``--request``; without any, one for the start page.

    :raises UsageError: one cannot be understood, or its file cannot be read.
    """
    return tuple(_parse(text) for text in texts) or (DEFAULT,)


def event(path: Path) -> Request:
    """Return the invocation of ``--event FILE``: its body is the event, a JSON document.

    :raises UsageError: the file cannot be read, or is not JSON.
    """
    label = f"--event {printable(str(path))}"
    hint = "make one with: sam local generate-event, or write {} to a file"
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_EVENT + 1)
        if len(content) > _MOST_EVENT:
            raise UsageError(f"{label} is larger than {_MOST_EVENT:,} bytes", hint=hint)
        reading.json(content)
    except OSError as error:
        raise UsageError(f"{label} cannot be read: {error.strerror}", hint=hint) from None
    except ValueError as error:
        raise UsageError(f"{label} is not JSON: {error}", hint=hint) from None
    return Request(text=path.name, method="INVOKE", path="/", body=content)


def _parse(text: str) -> Request:
    try:
        text.encode()  # it is sent as UTF-8
        words = shlex.split(text)
    except UnicodeError:
        raise _wrong(text, "it is not UTF-8") from None
    except ValueError as error:
        raise _wrong(text, str(error).lower()) from None
    words, expected = _divided(words)
    weight = _WEIGHT.fullmatch(words[0]) if words else None
    words = words[1:] if weight else words
    if len(words) < 2 or words[0].upper() not in _METHODS:
        raise _wrong(text, "expected a method and a path")
    method, path = words[0].upper(), words[1]
    if not path.startswith("/"):
        raise _wrong(text, f"the path {path!r} does not start with /")
    status, contains = _expectation(text, expected)
    headers: list[tuple[str, str]] = []
    fields: list[Field] = []
    body = b""
    for word in words[2:]:
        if word.startswith("@"):
            body = _content(text, word[1:])
            headers.append(("Content-Type", _type_of(word[1:])))
        elif word[:1] in "{[":
            body = word.encode()
            headers.append(("Content-Type", "application/json"))
        elif match := _FIELD.fullmatch(word):
            fields.append(_field(text, match[1], match[2]))
        elif match := _HEADER.fullmatch(word):
            headers.append((match[1], match[2].strip()))
        else:
            raise _wrong(text, f"{word[:_QUOTED]!r} is no file (@name), field, header or JSON")
    if body and fields:
        raise _wrong(text, "it has a body and the fields of a form")
    return Request(
        text=text, method=method, path=path, weight=int(weight[1]) if weight else 1,
        headers=tuple(headers), body=body, fields=tuple(fields), status=status, contains=contains,
    )  # fmt: skip


def _divided(words: list[str]) -> tuple[list[str], list[str]]:
    """Return what is before ``=>``, and what is behind it."""
    if "=>" not in words:
        return words, []
    place = words.index("=>")
    return words[:place], words[place + 1 :]


def _expectation(text: str, words: list[str]) -> tuple[int | None, str]:
    status = None
    if words and _STATUS.fullmatch(words[0]):
        status = int(words.pop(0))
    if len(words) > 1:
        raise _wrong(text, "after => it has more than a status and a text; put the text in quotes")
    return status, words[0] if words else ""


def _field(text: str, name: str, value: str) -> Field:
    if not value.startswith("@"):
        return Field(name=name, content=value.encode())
    return Field(name=name, content=_content(text, value[1:]), file=Path(value[1:]).name)


def _content(text: str, name: str) -> bytes:
    path = Path(name)
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise _wrong(text, f"{name} cannot be read: {reason}") from None
    if len(content) > _MOST_FILE:
        raise _wrong(text, f"{name} is larger than {_MOST_FILE // 2**20} MiB")
    return content


def _type_of(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _wrong(text: str, why: str) -> UsageError:
    return UsageError(f"--request {printable(text)[:_QUOTED]!r}: {printable(why)}", hint=_EXAMPLE)

"""Dockerfiles, read as BuildKit reads them and never run: instructions, stages, variables.

Source: the Dockerfile reference and BuildKit's parser (frontend/dockerfile/parser): parser
directives, comments between continued lines, here-documents of RUN, COPY and ADD, the JSON form,
and ``${NAME}`` with the modifiers ``-``, ``+`` and ``?``. A file is a stranger's, so all work grows
with its length: a value that would be longer than ``LONGEST_VALUE`` counts as unknown.
"""

from __future__ import annotations

import json
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from slugcheck.errors import UsageError
from slugcheck.text import printable

LONGEST_VALUE = 8_192  # characters of an expanded argument
MOST_INSTRUCTIONS = 5_000  # real ones have some twenty
MOST_STAGES = 200
_MOST_ARGUMENTS = 1_000  # before FROM
_DEEPEST = 8  # ${A:-${B:-…}}
_QUOTED = 60
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_HEREDOC = re.compile(r"<<(-?)\s*(['\"]?)([A-Za-z_][A-Za-z0-9_]*)\2")
_FLAG = re.compile(r"--([a-z-]+)(?:=(\S*))?(?:\s+|$)")
_NAMES = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL "
    "STOPSIGNAL USER VOLUME WORKDIR".split()
)
_WITH_HEREDOCS = ("RUN", "COPY", "ADD")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{)")
_BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:?[-+?])?")
# What BuildKit sets by itself, for the platform that is built on and for.
PREDEFINED = {
    "TARGETPLATFORM": "linux/amd64", "TARGETOS": "linux", "TARGETARCH": "amd64",
    "BUILDPLATFORM": "linux/amd64", "BUILDOS": "linux", "BUILDARCH": "amd64",
}  # fmt: skip
# ENV and WORKDIR of AWS's base images (aws/aws-lambda-base-images), which Dockerfiles write out.
_OF_LAMBDA = {"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime"}
_LAMBDA_IMAGE = re.compile(
    r"(?:public\.ecr\.aws/lambda/|(?:docker\.io/)?amazon/aws-lambda-)python\b"
)


def inherited(base: str | None) -> tuple[dict[str, str], str]:
    """Return the variables that a stage begins with, and the folder that it begins in."""
    if base is not None and _LAMBDA_IMAGE.match(base):
        return PREDEFINED | _OF_LAMBDA, "/var/task"
    return dict(PREDEFINED), "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """A here-document: its delimiter, its lines, and whether variables in it are replaced."""

    name: str
    text: str
    expands: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction: its upper-case name, first line, flags and the text after them, unexpanded.

    ``flags`` are (name, value), in their order; RUN has several ``mount``.
    """

    name: str
    line: int
    flags: tuple[tuple[str, str], ...]
    text: str
    heredocs: tuple[Heredoc, ...] = ()

    def flag(self, name: str) -> str:
        """Return the value of a flag, "" without it."""
        return next((value for key, value in self.flags if key == name), "")

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of a flag."""
        return tuple(value for key, value in self.flags if key == name)

    @property
    def form(self) -> tuple[str, ...] | None:
        """The strings of the JSON form, None where the text is not one."""
        if not self.text.lstrip().startswith("["):
            return None
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return None
        return tuple(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage: what FROM names, its name ("" without AS), and the instructions after FROM.

    ``base`` is None where it uses a variable without a value; ``written`` is it as it is written.
    """

    base: str | None
    written: str
    name: str
    platform: str
    line: int
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """A whole file: its stages, at least one, and the global arguments with their defaults."""

    name: str
    stages: tuple[Stage, ...]
    arguments: Mapping[str, str]

    def find(self, name: str, *, before: int) -> int | None:
        """Return the number of the stage that a name or a number means, before another."""
        if name.isascii() and name.isdigit() and len(name) < 4:
            return int(name) if int(name) < before else None
        known = [n for n, stage in enumerate(self.stages[:before]) if stage.name == name.lower()]
        return known[-1] if known and name else None


def parse(text: str, name: str = "Dockerfile") -> Dockerfile:
    """Return a Dockerfile; ``name`` is what messages call it.

    :raises UsageError: Docker would refuse it: an unknown instruction, none, or no FROM.
    """
    instructions = list(_instructions(text, name))
    arguments: dict[str, str] = {}
    values = ChainMap(arguments, PREDEFINED)
    stages: list[Stage] = []
    inside: list[Instruction] = []
    for instruction in instructions:
        if instruction.name == "FROM":
            if stages:
                stages[-1] = replace(stages[-1], instructions=tuple(inside))
            inside = []
            stages.append(_stage(instruction, values, name))
            if len(stages) > MOST_STAGES:
                raise _too_many(name, instruction.line, f"{MOST_STAGES} stages")
        elif stages:
            inside.append(instruction)
        elif instruction.name == "ARG":
            for key, value in assignments(instruction.text):
                expanded = expand(value, values) if value is not None else None
                if expanded is not None:
                    arguments[key] = expanded
                if len(arguments) > _MOST_ARGUMENTS:
                    many = f"{_MOST_ARGUMENTS:,} arguments before FROM"
                    raise _too_many(name, instruction.line, many)
        else:
            raise _refused(name, instruction.line, f"{instruction.name} stands before FROM")
    if not stages:
        raise UsageError(f"{name} has no FROM", hint="begin with FROM python:3.12-slim")
    stages[-1] = replace(stages[-1], instructions=tuple(inside))
    return Dockerfile(name=name, stages=tuple(stages), arguments=arguments)


def _stage(instruction: Instruction, values: Mapping[str, str], name: str) -> Stage:
    words = instruction.text.split()
    named = len(words) == 3 and words[1].lower() == "as"
    if not words or not (len(words) == 1 or named):
        problem = "FROM needs an image, or an image AS a name"
        raise _refused(name, instruction.line, problem)
    return Stage(
        base=expand(words[0], values, strict=True) or None,
        written=words[0],
        name=words[2].lower() if named else "",
        platform=expand(instruction.flag("platform"), values) or "",
        line=instruction.line,
        instructions=(),
    )


def _refused(name: str, line: int, problem: str) -> UsageError:
    return UsageError(f"{name}:{line}: {problem}", hint="docker build would refuse the file too")


def _too_many(name: str, line: int, most: str) -> UsageError:
    """Return the error of a bound that is not Docker's."""
    return UsageError(f"{name}:{line}: more than {most}", hint="use fewer of them")


# --------------------------------------------------------------------------- lines


def _instructions(text: str, name: str) -> Iterator[Instruction]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    escape, start = _directives(lines)
    count = 0
    at = start
    while at < len(lines):
        line = lines[at].strip()
        if not line or line.startswith("#"):
            at += 1
            continue
        first = at + 1
        logical, at = _logical(lines, at, escape)
        count += 1
        if count > MOST_INSTRUCTIONS:
            raise _too_many(name, first, f"{MOST_INSTRUCTIONS:,} instructions")
        word, _, rest = logical.lstrip().partition(" ")
        word, tab, more = word.partition("\t")
        rest = f"{more} {rest}" if tab else rest
        key = word.upper()
        if key not in _NAMES:
            shown = printable(word[:_QUOTED])
            raise _refused(name, first, f"unknown instruction {shown!r}")
        heredocs: list[Heredoc] = []
        if key in _WITH_HEREDOCS and "<<" in rest:
            heredocs, at = _heredocs(rest, lines, at)
        flags, rest = _flags(rest.strip())
        yield Instruction(name=key, line=first, flags=flags, text=rest, heredocs=tuple(heredocs))


def _directives(lines: Sequence[str]) -> tuple[str, int]:
    """Return the escape character, and the first line after the parser directives."""
    escape, at = "\\", 0
    for at, line in enumerate(lines):
        match = _DIRECTIVE.match(line.strip()) if line.lstrip().startswith("#") else None
        if match is None:
            return escape, at
        if match[1].lower() == "escape" and match[2] in ("\\", "`"):
            escape = match[2]
    return escape, at


def _logical(lines: Sequence[str], at: int, escape: str) -> tuple[str, int]:
    """Return a line with those that continue it, and the number of the next one."""
    parts: list[str] = []
    while at < len(lines):
        line = lines[at]
        at += 1
        stripped = line.strip()
        if parts and (not stripped or stripped.startswith("#")):
            continue
        end = line.rstrip(" \t")
        if not end.endswith(escape):
            parts.append(line)
            break
        parts.append(end[: -len(escape)])
    return "".join(parts), at


def _heredocs(rest: str, lines: Sequence[str], at: int) -> tuple[list[Heredoc], int]:
    found: list[Heredoc] = []
    for match in _HEREDOC.finditer(rest):
        tabs, quote, name = match[1], match[2], match[3]
        body: list[str] = []
        while at < len(lines):
            line = lines[at].lstrip("\t") if tabs else lines[at]
            at += 1
            if line == name:
                break
            body.append(line)
        found.append(Heredoc(name=name, text="\n".join(body), expands=not quote))
    return found, at


def _flags(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags: list[tuple[str, str]] = []
    at = 0
    while match := _FLAG.match(text, at):
        flags.append((match[1], match[2] or ""))
        at = match.end()
    return tuple(flags), text[at:]


# --------------------------------------------------------------------------- words and variables


def words(text: str) -> list[str]:
    """Return the words of COPY, ENV or ARG: split at blanks outside of quotes, which stay."""
    found: list[str] = []
    current: list[str] = []
    quote = ""
    escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character.isspace():
            if current:
                found.append("".join(current))
                current = []
            continue
        current.append(character)
    return [*found, "".join(current)] if current else found


def unquoted(text: str) -> str:
    """Return a word without its quotes and backslashes."""
    if not any(character in text for character in "'\"\\"):
        return text
    out: list[str] = []
    quote = ""
    escaped = False
    for character in text:
        if escaped:
            out.append(character)
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote and character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        else:
            out.append(character)
    return "".join(out)


def assignments(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the names and values of ARG or ENV, unexpanded; None where there is no value."""
    parts = words(text)
    if parts and "=" not in parts[0] and len(parts) > 1:  # ENV NAME the rest of the line
        yield parts[0], text.strip()[len(parts[0]) :].strip()
        return
    for part in parts:
        name, equals, value = part.partition("=")
        yield name, value if equals else None


def expand(text: str, values: Mapping[str, str], *, strict: bool = False) -> str | None:
    """Return text with its variables replaced and its quotes removed, as BuildKit does it.

    An unknown variable is empty, or makes the whole unknown with ``strict``. None: unknown, or
    longer than ``LONGEST_VALUE``.
    """
    out = filled(text, values, strict=strict)
    return None if out is None else unquoted(out)


def filled(text: str, values: Mapping[str, str], *, strict: bool = False) -> str | None:
    """Return text with its variables replaced, its quotes kept; see ``expand``."""
    if "$" not in text:
        return text if len(text) <= LONGEST_VALUE else None
    try:
        return _expanded(text, 0, values, strict=strict, deep=0, closing=False)[0]
    except _UnknownError:
        return None


class _UnknownError(Exception):
    """A variable has no value, or the result would be too long."""


def _expanded(
    text: str, at: int, values: Mapping[str, str], *, strict: bool, deep: int, closing: bool
) -> tuple[str, int]:
    """Return the text from ``at`` on, replaced, and where it ends: at its } with ``closing``."""
    if deep > _DEEPEST:
        raise _UnknownError
    out: list[str] = []
    length = 0
    while at < len(text):
        character = text[at]
        piece = character
        if closing and character == "}":
            return "".join(out), at + 1
        if character == "\\" and at + 1 < len(text):
            piece, at = text[at : at + 2], at + 2
            if piece == "\\$":
                piece = "$"
        elif character == "$" and (match := _VARIABLE.match(text, at)):
            at = match.end()
            if match[1]:
                piece = _value(match[1], values, strict=strict)
            else:
                piece, at = _braced(text, at, values, strict=strict, deep=deep)
        else:
            at += 1
        length += len(piece)
        if length > LONGEST_VALUE:
            raise _UnknownError
        out.append(piece)
    if closing:
        raise _UnknownError
    return "".join(out), at


def _braced(
    text: str, at: int, values: Mapping[str, str], *, strict: bool, deep: int
) -> tuple[str, int]:
    match = _BRACED.match(text, at)
    if match is None:
        raise _UnknownError
    name, modifier = match[1], match[2] or ""
    if not modifier:
        if text[match.end() : match.end() + 1] != "}":
            raise _UnknownError  # ${NAME#prefix} and the like
        return _value(name, values, strict=strict), match.end() + 1
    known = values.get(name)
    is_set = bool(known) if modifier.startswith(":") else known is not None
    uses = not is_set if modifier.endswith("-") else is_set and modifier.endswith("+")
    other, end = _expanded(
        text, match.end(), values, strict=strict and uses, deep=deep + 1, closing=True
    )
    if modifier.endswith("+"):
        return other if is_set else "", end
    if is_set:
        return known or "", end
    if modifier.endswith("?"):
        raise _UnknownError
    return other, end


def _value(name: str, values: Mapping[str, str], *, strict: bool) -> str:
    value = values.get(name)
    if value is None and strict:
        raise _UnknownError
    return value or ""

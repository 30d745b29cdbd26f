"""What GitHub makes of Markdown: parsed as GFM, with what GitHub links and draws on its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").enable("table").enable("strikethrough")
_OWN_HTML = re.compile(r"<!-- -->|<br>|</?details>|</?summary>|</?sub>")
# in the text between two elements, comments among them
_ACTS = {
    "mention or address": re.compile(r"@\S"),
    "issue": re.compile(r"#\d|\bgh-\d", re.IGNORECASE),
    "link": re.compile(r"\w://|www\.|\b(?:mailto|xmpp):\S", re.IGNORECASE),
    "commit": re.compile(r"\b(?=\w*[a-f])[0-9a-f]{7,40}\b"),
    "emoji": re.compile(r":[\w+-]+:"),
    "formula": re.compile(r"\$\S[^$]*\$"),
}
# footnotes, tasks, alerts, links: what a backslash stops, and slugcheck writes none of
_BRACKET = re.compile(r"(?<!\\)\[")
_CODE = re.compile(r"(`+).*?[^`]\1(?!`)", re.DOTALL)
_ELEMENTS = {"link_open", "image", "blockquote_open", "ordered_list_open", "hr", "s_open"}


def acting(text: str) -> list[str]:
    """Return what is more than text, code, and the elements that slugcheck writes itself."""
    return [found for token in _PARSER.parse(text) for found in _of(token)]


def _of(token: Token) -> Iterator[str]:
    if token.type in _ELEMENTS or token.tag == "h1":
        yield token.type
    if token.type == "fence" and token.info not in ("", "text", "diff"):
        yield f"fence {token.info}"
    if token.type == "inline" and _BRACKET.search(_CODE.sub("", token.content)):
        yield f"bracket: {token.content}"
    if token.type in ("html_block", "html_inline"):
        left = re.sub(
            r"<summary>(?:[\d,]+ more|RAM floor"
            r"|(?:Sizes|App files|Models|Largest contributors), MB)",
            "",
            token.content,
        )
        if rest := _OWN_HTML.sub("", left).strip():
            yield f"html {rest}"
    if token.type == "text":
        yield from (
            f"{kind}: {token.content}" for kind, rule in _ACTS.items() if rule.search(token.content)
        )
    for child in token.children or ():
        yield from _of(child)


def comments(text: str) -> set[str]:
    """Return the comments that a bot which looks for its marker would find, wherever they stand."""
    return set(re.findall(r"<!--.*?(?:-->|$)", text, re.DOTALL | re.MULTILINE))


def broken(text: str) -> list[str]:
    """Return what is not whole: fences and folds that stay open, tables of uneven rows."""
    found = []
    tokens = _PARSER.parse(text)
    html = "".join(token.content for token in tokens if token.type == "html_block")
    if html.count("<details>") != html.count("</details>"):
        found.append("details")
    for token in tokens:
        if token.type == "fence" and not _closed(text, token):
            found.append(f"fence at line {token.map}")
    delimiters = len(re.findall(r"^\|(?:-+:?\|)+$", text, re.MULTILINE))
    if delimiters != sum(token.type == "table_open" for token in tokens):
        found.append("a table that is not read as one")
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        if len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) != 1:
            found.append(f"rows of {block[:80]}")
    return found


def _closed(text: str, token: Token) -> bool:
    assert token.map is not None
    lines = text.split("\n")[token.map[0] : token.map[1]]
    return len(lines) > 1 and lines[-1].strip() == token.markup

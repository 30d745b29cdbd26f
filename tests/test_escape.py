"""Text from outside does nothing but show."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from slugcheck import text as escape

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=40)
NASTY = st.text(alphabet="`|\\<>[]()*_#@:&~$!-+=.1 \n\x1b\u202ea/", max_size=30)
PARSER = MarkdownIt("commonmark").enable("table").enable("strikethrough")


@given(ANY)
def test_printable_text_cannot_steer_a_terminal(text: str) -> None:
    shown = escape.printable(text)
    acting = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    left = {c for c in shown if unicodedata.category(c) in acting} - {"\u200c", "\u200d"}
    assert not left
    shown.encode()  # no lone surrogates either


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("uvicorn[standard]==0.30", "uvicorn[standard]==0.30"),
        ("Größe 寸法 é", "Größe 寸法 é"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("safe\u202eevil", r"safe\u202eevil"),
        ("zero\u200bwidth\u00ad", r"zero\u200bwidth\xad"),
        ("bad\udc80byte", r"bad\udc80byte"),
        ("two\r\n\tlines ", "two lines"),
        ("line\u2028separator", r"line\u2028separator"),
    ],
)
def test_what_acts_is_written_out_and_what_shows_stays(text: str, shown: str) -> None:
    assert escape.printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("\u0915\u094d\u200d\u0937", True),  # a joiner between two letters of a script
        ("\U0001f468\u200d\U0001f469", True),  # and between two emoji
        ("\u2764\ufe0f\u200d\U0001f525", True),  # also behind a variant
        ("\u2764\ufe0f", True),
        ("a\u200db", False),
        ("\u00e9\u200db", False),
        ("b\u200d\u00e9", False),
        ("\u0915\u200d\u200d\u0937", False),
        ("\u0915\u200d\ufe0f", False),
        ("1\ufe0f", False),
        ("\u0915\ufe0f\ufe0f", False),
        ("\u0915\u00a0\u200d\u0937", False),
    ],
)
def test_joiners_and_variants_stay_inside_scripts_and_emoji(text: str, shows: bool) -> None:
    assert (escape.printable(text) == text) is shows


def test_lines_keep_their_indentation() -> None:
    assert escape.printable_lines("a:\r\n\tb\x07 \n\nc") == ("a:", "    b\\x07", "", "c")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:s3cret@host/simple", "https://***@host/simple"),
        ("git+https://ghp_t0ken@host/x.git failed", "git+https://***@host/x.git failed"),
        ("git+ssh://git@host/x.git", "git+ssh://git@host/x.git"),
        ("https://h.example/a@b and x://u:p@h", "https://h.example/a@b and x://***@h"),
        ("pkg @ https://host/pkg.whl", "pkg @ https://host/pkg.whl"),
    ],
)
def test_urls_lose_their_passwords(text: str, shown: str) -> None:
    assert escape.printable(text) == shown


def rendered(markdown: str) -> str:
    return str(PARSER.render(markdown))


@given(NASTY)
def test_markdown_shows_the_very_text_in_a_cell_and_nothing_else(text: str) -> None:
    html = rendered(f"| a | b |\n|---|---|\n| x{escape.markdown(text)} | end |\n")
    cells = re.findall(r"<td>(.*?)</td>", html, re.DOTALL)
    plain = cells[0].replace("<!-- -->", "")
    assert cells[1:] == ["end"]
    assert "<" not in plain  # no tags
    unescaped = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    assert unescaped.replace("&amp;", "&") == f"x{escape.printable(text)}".rstrip() or (
        text[:1].isspace()
    )


@pytest.mark.parametrize("text", ["# h", "- item", "+ item", "1. item", "1) x", "=== x", "> q"])
def test_markdown_text_starts_no_block(text: str) -> None:
    html = rendered(f"- {escape.markdown(text)}")
    assert html.count("<li>") == 1
    assert not re.search(r"<(h\d|ol|blockquote)", html)


@pytest.mark.parametrize(
    "text", ["@team", "see #12", "https://host/x", "http://host", "www.host.example", "a@b.example"]
)
def test_markdown_names_nobody_and_links_nothing(text: str) -> None:
    assert not re.search(r"@\w|#\d|://|www\.", escape.markdown(text))


@given(NASTY)
def test_a_code_span_holds_its_text(text: str) -> None:
    html = rendered(f"| a | b |\n|---|---|\n| {escape.code(text)} | end |\n")
    assert html.count("<code>") == 1
    assert html.count("<td>") == 2
    assert "<td>end</td>" in html


@given(NASTY)
def test_no_line_ends_a_fence(text: str) -> None:
    html = rendered(f"{escape.fenced(text, 'text')}\n\nafter\n")
    assert html.count("<pre>") == 1
    assert html.endswith("</code></pre>\n<p>after</p>\n")

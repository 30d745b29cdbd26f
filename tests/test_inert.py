"""What leaves slugcheck holds no command of a CI system; JSON and XML mean the same as before."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slugcheck.render.formats import CHECK_FORMATS
from slugcheck.text import inert, without_commands
from tests.support.ci import commands

NASTY = st.text(alphabet='#:[]|-+~^ \n\r\t\x1b\u200d\u202e"\\vsoaé', max_size=30)
COMMAND = st.sampled_from(
    ["::error::", "##[error]", "##vso[task.x]", "##teamcity[x]", "--- x", "+++ x", "~~~ x",
     "^^^ +++", "section_start:1:x\r\x1b[0K", "travis_fold:start:x", "[[ATTACHMENT|/etc/passwd]]",
     "\u200d::error::x", "\u3164##[x]", "\xa0::notice::x"]
)  # fmt: skip
# a machine that is busy draws slowly, which is no fault of the texts
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.lists(st.one_of(NASTY, COMMAND), max_size=6).map("".join)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error file=x::y", ": :error file=x::y"),
        ("a\n  ::set-output name=x::y", "a\n  : :set-output name=x::y"),
        ("\x1b[1m ::stop-commands::x", "\x1b[1m : :stop-commands::x"),
        ("\u200d\ufeff::error::x", "\u200d\ufeff: :error::x"),
        ("x ##[group]y ##vso[task]z", "x # #[group]y # #vso[task]z"),
        ("#\u200d#\u3164[x] :\u200d:", "# \u200d#\u3164[x] :\u200d:"),
        (":\u200d:error::", ": \u200d:error::"),
        ("###teamcity[x]", "## #teamcity[x]"),
        ("--- a\n+++ b\n~~~ c\n^^^ +++", " --- a\n +++ b\n ~~~ c\n ^^^ +++"),
        ("\x1b[1m--- a", "\x1b[1m --- a"),
        ("a travis_fold:start:x", "a travis_fold :start:x"),
        ("section_start:1:x\r\x1b[0K", "section_start :1:x\\r\\x1b[0K"),
        ("http://[::1]:8000 ## heading", "http://[::1]:8000 ## heading"),
        ("a --- b ^^^ section", "a --- b ^^^ section"),
        ("\x1b[1mbold\x1b[0m", "\x1b[1mbold\x1b[0m"),
    ],
)
def test_a_command_is_broken_by_a_blank_and_all_else_stays(text: str, shown: str) -> None:
    assert without_commands(text) == shown


@BUSY
@given(TEXT, st.sampled_from(["table", "markdown", "github"]))
def test_lines_hold_no_command_and_a_second_time_changes_nothing(text: str, form: str) -> None:
    shown = inert(text, form)
    assert commands(shown) == []
    assert inert(shown, form) == shown


@BUSY
@given(TEXT, st.sampled_from(["json", "sarif"]), st.booleans())
def test_json_holds_no_command_and_means_the_same(text: str, form: str, ascii_only: bool) -> None:
    value = {text: [text, {"x": f'"{text}"'}, f"\n{text}"]}
    shown = inert(json.dumps(value, indent=2, ensure_ascii=ascii_only), form)
    assert json.loads(shown) == value
    assert commands(shown) == []
    assert shown.isascii()


@BUSY
@given(TEXT.map(lambda text: "".join(c for c in text if c in "\t\n" or c >= " ")))
def test_xml_holds_no_command_and_means_the_same(text: str) -> None:
    root = ET.Element("a", {"b": text})
    root.text = text
    shown = inert(ET.tostring(root, encoding="unicode"), "junit")
    assert commands(shown) == []
    found = ET.fromstring(shown)
    meant = without_acting(text)
    assert found.text == (meant or None)
    assert found.get("b") == meant


def without_acting(text: str) -> str:
    """What is left of a text where a reader of XML would act on it."""
    text = text.replace("\u202e", "\\u202e")
    return text.replace("[[ATTACHMENT", "[ [ATTACHMENT")


def test_of_githubs_commands_the_annotations_of_our_own_shape_are_let_through() -> None:
    own = "::error file=a.txt,line=3,title=slugcheck%3A x::over budget%0A##[group]y"
    lines = [own, "::warning title=x::y", "::stop-commands::x", "::set-env name=A::b",
             "::error::x", "::add-mask::x", " ::debug::y"]  # fmt: skip
    shown = inert("\n".join(lines), "github").split("\n")
    assert shown[0] == own.replace("##[", "# #[")
    assert shown[1] == lines[1]
    assert all(line.lstrip().startswith(": :") for line in shown[2:])


def test_a_form_without_a_rule_cannot_be_written() -> None:
    for form in CHECK_FORMATS:
        inert("", form)
    with pytest.raises(KeyError):
        inert("", "html")

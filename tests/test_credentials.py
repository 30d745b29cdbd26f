"""No password survives the scrubber, wherever in a malformed URL it stands; other text stays."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slugcheck import text as credentials
from slugcheck.model import Artifact, IndexOptions, Origin, Requirement
from slugcheck.model.options import Options
from slugcheck.text import document_without_secrets, keep_secret, shown_value, without_credentials

MARK = "S3CRET"
# what a password should have escaped, and did not
JUNK = st.text(alphabet="@/\\#?:&=%'\"`<>()[]{}|;,+-_~!^$* \t\u00a0é19ab", max_size=6)
NO_BLANK = st.text(alphabet="@/\\#?:&=%'\"`<>()[]{}|;,+-_~!^$*é19ab", max_size=6)
USER = st.sampled_from(["u", "user", "john.doe", "bob%40corp.com", "", "a-b_c"])
SEPARATOR = st.sampled_from(["://", ":/", ":///", ":\\\\", ":\\/"])
SCHEME = st.sampled_from(["http", "https", "git+https", "git+ssh", "s3", "ftp", "HTTPS"])
HOST = st.sampled_from(["h", "localhost", "host.example", "127.0.0.1:8080", "[::1]:80"])
AFTER = st.sampled_from(["", "/", "/simple/", "/x.git#egg=x", "/a/b-1.0-py3-none-any.whl", "\n"])
AROUND = st.sampled_from(
    [("", ""), ("error: cannot fetch ", " (401)"), ("'", "'"), ("`", "`: refused"), ("x @ ", "")]
)


def marked(parts: list[str]) -> str:
    """A password with the mark between all its parts."""
    return MARK + MARK.join(parts) + MARK


PASSWORD = st.lists(JUNK, min_size=1, max_size=3).map(marked)
WORD = st.lists(NO_BLANK, min_size=1, max_size=3).map(marked)


@settings(deadline=None, max_examples=400)
@given(SCHEME, SEPARATOR, USER, PASSWORD, HOST, AFTER, AROUND)
def test_no_password_of_a_url_survives(
    scheme: str, sep: str, user: str, password: str, host: str, after: str, around: tuple[str, str]
) -> None:
    url = f"{scheme}{sep}{user}:{password}@{host}{after}"
    assert MARK not in without_credentials(f"{around[0]}{url}{around[1]}")
    assert MARK not in shown_value(url)


@settings(deadline=None, max_examples=200)
@given(SCHEME, SEPARATOR, WORD, HOST, AFTER, AROUND)
def test_no_token_in_the_place_of_a_user_survives(
    scheme: str, sep: str, token: str, host: str, after: str, around: tuple[str, str]
) -> None:
    url = f"{scheme}{sep}{token}@{host}{after}"
    assert MARK not in without_credentials(f"{around[0]}{url}{around[1]}")
    assert MARK not in shown_value(url)


@settings(deadline=None, max_examples=200)
@given(USER.filter(bool), WORD, HOST, AROUND)
def test_no_password_without_a_scheme_survives(
    user: str, password: str, host: str, around: tuple[str, str]
) -> None:
    assert MARK not in without_credentials(f"{around[0]}{user}:{password}@{host}{around[1]}")
    assert MARK not in shown_value(f"{user}:{password} {password}@{host}")


@settings(deadline=None, max_examples=200)
@given(SCHEME, USER, WORD, HOST)
def test_no_percent_encoded_url_shows_its_password(
    scheme: str, user: str, password: str, host: str
) -> None:
    url = quote(f"{scheme}://{user}:{password}@{host}/x", safe="")
    assert MARK not in without_credentials(f"cannot fetch {url} now")


@given(st.sampled_from(["?token=", "?a=b&X-Amz-Signature=", "?", "?sig"]), HOST)
def test_no_query_survives(query: str, host: str) -> None:
    assert MARK not in without_credentials(f"see https://{host}/x{query}{MARK} there")


@pytest.mark.parametrize(
    "text",
    [
        "numpy==1.0",
        "name @ https://files.example/n-1.0-py3-none-any.whl#sha256=00",
        "git+ssh://git@github.com/org/repo@v1.0#egg=x",
        "git+https://github.com/org/repo@v1.0",
        "git@github.com:org/repo.git",
        "write to bob@host.example: he knows",
        "http://127.0.0.1:8080/simple/ cannot be reached: mail bob@host.example",
        "http://localhost:8080/simple/ cannot be reached: mail bob@host.example",
        "http://[::1]:8080/simple/",
        "file:///C:/wheels/x.whl",
        "C:\\wheels\\x.whl",
        "HEAD@{2026-01-01 12:00}",
        "requirements.txt:3: pip refuses 'x@y'",
        "https://host.example: connection refused",
        "s3://bucket/model-?.onnx",
        "12:30:00 done",
        "::1",
        "@",
        ":@",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert without_credentials(text) == text


@given(st.text(alphabet=":/@%4023Aa. ?\n\\=#'", max_size=40))
def test_nothing_more_is_hidden_the_second_time(text: str) -> None:
    once = without_credentials(text)
    assert MARK not in without_credentials(once)
    assert len(without_credentials(once)) <= len(once) + 3


HOSTILE = [
    "://", "://.:", "@", "a:", "u:p@h ", "https://u:", "%40%3a", "a", ":", "://u:a ", "?", " @",
    "://a@", "https://x.y/ ", "https://u: ", "://a:b@ ", "\\", ":\\a@", "a@b:", "x=", "%3A%2F%2F",
    "https://a.b?", "\r", "a.", "git@",
]  # fmt: skip


@pytest.mark.parametrize("part", HOSTILE)
def test_a_long_line_costs_time_in_proportion(part: str) -> None:
    for text in (part * (200_000 // len(part)), f"http://{part * (200_000 // len(part))}:@"):
        began = time.process_time()
        without_credentials(text)
        shown_value(text)
        assert time.process_time() - began < 5  # a quadratic scan takes minutes


def test_values_kept_secret_are_masked_everywhere() -> None:
    keep_secret(['t"op s3cret', "abc", ""])
    assert without_credentials('a t"op s3cret b abc') == "a *** b abc"
    assert "s3cret" not in without_credentials(quote('x t"op s3cret'))
    document = json.dumps({"key": 't"op s3cret!', "n": 1})
    assert json.loads(document_without_secrets(document)) == {"key": "***!", "n": 1}


def test_a_secret_that_is_a_number_or_a_word_of_json_leaves_the_document_whole() -> None:
    keep_secret(["true", "12345"])
    document = '{"a": true, "b": 12345, "c": "is true, 12345"}'
    assert json.loads(document_without_secrets(document)) == {
        "a": True, "b": 12345, "c": "is ***, ***",
    }  # fmt: skip
    assert credentials.document_without_secrets("a true table 12345") == "a *** table ***"


def test_records_with_urls_do_not_show_them_when_they_are_printed() -> None:
    url = f"https://u:{MARK}@host.example/"
    origin = Origin(file="requirements.txt", line=1)
    records = (
        IndexOptions(index_url=url, extra_index_urls=(url,), find_links=(url,)),
        Requirement(name="a", text="a", origin=origin, url=url),
        Artifact(filename="a", url=url, size=None, sha256=None),
        Options(path=Path("-"), text=f"a @ {url}"),
    )
    for record in records:
        assert MARK not in repr(record)

"""How grave vulnerabilities are, asked of the OSV service that named them: pip-audit does not say.

A question for each id, few at a time; what stays unknown is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from cvss import CVSS2, CVSS3, CVSS4, CVSSError

from slugcheck import syntax
from slugcheck.errors import SlugcheckError
from slugcheck.index.ranges import HttpClient
from slugcheck.model import Vulnerability

_AT_ONCE = 4
_MOST = 100  # questions; beyond them severities stay unknown
_RECORD_BYTES = 10**6
_QUERY, _RECORD = "/query", "/vulns/"
_WORDS = {"moderate": "medium", "important": "high"}  # GitHub's and Red Hat's for the CVSS words


def known(
    found: Sequence[Vulnerability], url: str, client: HttpClient
) -> tuple[Vulnerability, ...]:
    """Return the vulnerabilities with the severities that the service at ``url`` has."""
    base = url.rstrip("/").removesuffix(_QUERY)
    if base == url.rstrip("/"):
        return tuple(found)  # not the path that OSV describes: where records are is not known
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        words = pool.map(lambda one: _severity(one, base, client), found[:_MOST])
        graded = [replace(one, severity=word) for one, word in zip(found, words, strict=False)]
    return (*graded, *found[_MOST:])


def _severity(one: Vulnerability, base: str, client: HttpClient) -> str | None:
    # a PYSEC record often has none where GitHub's of the same vulnerability has
    ids = (one.id, *(alias for alias in one.aliases if alias.startswith("GHSA-")))
    for name in ids[:2]:
        try:
            body = client.get(f"{base}{_RECORD}{quote(name, safe='')}", _RECORD_BYTES)
            record = syntax.json(body)
        except (SlugcheckError, ValueError):
            continue
        if isinstance(record, dict) and (word := word_of(record)):
            return word
    return None


def word_of(record: dict[str, Any]) -> str | None:
    """Return a record's severity as low, medium, high or critical; None where it has none."""
    own = record.get("database_specific")
    word = own.get("severity") if isinstance(own, dict) else None
    if isinstance(word, str) and word.strip():
        lower = word.strip().lower()
        return _WORDS.get(lower, lower) if lower.isalpha() else None
    rows = record.get("severity")
    return (
        _of_vectors(row for row in rows if isinstance(row, dict))
        if isinstance(rows, list)
        else None
    )


def _of_vectors(rows: Iterable[dict[str, Any]]) -> str | None:
    """Return the word of the newest kind of CVSS vector."""
    vectors = {str(row.get("type")): str(row.get("score")) for row in rows}
    for kind, read in (("CVSS_V4", CVSS4), ("CVSS_V3", CVSS3), ("CVSS_V2", CVSS2)):
        if kind in vectors:
            try:
                found = read(vectors[kind])
            except CVSSError:
                continue
            word = found.severity if kind == "CVSS_V4" else found.severities()[0]
            return str(word).lower()
    return None

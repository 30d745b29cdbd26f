"""``--audit`` end to end: real pip-audit against a local service, in its good and bad moods."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from slugcheck.advice import audit
from slugcheck.advice.audit import word_of
from slugcheck.model import Artifact, Distribution, Service, Unsized, Vulnerability
from tests.support import reports
from tests.support.commands import Done, slugcheck
from tests.support.osv import Mood, OsvServer, record
from tests.support.schemas import held
from tests.support.server import PackageServer

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    package_server.add_wheel("flask", "0.12", {"flask.py": "x = 1\n"}, requires=("jinja",))
    package_server.add_wheel("jinja", "2.0", {"jinja.py": "y = 1\n"})
    return package_server


@pytest.fixture
def osv() -> Iterator[OsvServer]:
    with OsvServer() as server:
        yield server


def audited(index: PackageServer, osv: OsvServer | str, path: Path, *more: str) -> Done:
    url = osv if isinstance(osv, str) else osv.url
    flags = ("--index-url", index.index_url, "--python", "3.12", "--format", "json")
    return slugcheck(path, *flags, "--audit", "--audit-url", url, *more)


def test_what_is_known_is_a_finding_with_the_line_that_mends_it(
    index: PackageServer, osv: OsvServer, requirements: Write
) -> None:
    osv.add(
        "flask", "0.12",
        record("PYSEC-2018-66", "flask", "0.12.3", aliases=("GHSA-562c-5r94-xh97",
               "CVE-2018-1000656"), summary="Denial of service\nmore"),
    )  # fmt: skip
    osv.others["GHSA-562c-5r94-xh97"] = record(
        "GHSA-562c-5r94-xh97", "flask", "0.12.3", severity="HIGH"
    )
    osv.add("jinja", "2.0", record("X-1", "jinja", "2.1", vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N"
                                   "/S:U/C:N/I:N/A:L"))  # fmt: skip
    done = audited(index, osv, requirements("# web\nflask==0.12\n"))
    assert done.code == 0, done.err  # nobody set a budget for it
    assert sorted(osv.asked) == [("flask", "0.12"), ("jinja", "2.0")]
    found = {one["subject"]: one for one in done.document["findings"]}
    flask, jinja = found["flask"], found["jinja"]
    assert flask["severity"] == "error"
    assert "PYSEC-2018-66 (CVE-2018-1000656), severity high: Denial of service" in flask["sentence"]
    assert flask["fix"] == "flask>=0.12.3"
    assert flask["ids"] == ["PYSEC-2018-66", "CVE-2018-1000656", "GHSA-562c-5r94-xh97"]
    assert flask["origin"]["line"] == 2
    assert jinja["severity"] == "warning"  # CVSS 5.3
    assert jinja["origin"]["line"] == 2  # the line that brings it
    assert jinja["fix"].endswith("add the line\njinja>=2.1")
    assert done.document["audit"]["audited"] == 2
    assert done.document["audit"]["unaudited"] == []


@pytest.mark.parametrize(("limit", "code", "status"), [("0", 1, "fail"), ("1", 0, "pass")])
def test_a_budget_gates_what_is_known(
    index: PackageServer, osv: OsvServer, requirements: Write, limit: str, code: int, status: str
) -> None:
    osv.add("flask", "0.12", record("PYSEC-1", "flask", None))
    path = requirements("flask==0.12\n")
    done = audited(index, osv, path, "--limit", f"vulnerabilities={limit}")
    assert done.code == code, done.err
    verdict = next(v for v in done.document["verdicts"] if v["budget"] == "vulnerabilities")
    assert (verdict["status"], verdict["measured"]) == (status, 1)
    assert "no release of flask fixes it yet" in done.document["findings"][0]["fix"]


@pytest.mark.slow
def test_an_ignored_vulnerability_does_not_gate_until_its_day_has_passed(
    index: PackageServer, osv: OsvServer, requirements: Write
) -> None:
    osv.add("flask", "0.12", record("PYSEC-1", "flask", "1.0", aliases=("CVE-1",)))
    path = requirements("flask==0.12\n")
    ignore = '[budgets]\nvulnerabilities = 0\n[[ignore]]\ncode = "CVE-1"\nreason = "no route"\n'
    requirements(f"{ignore}expires = 2999-01-01\n", "slugcheck.toml")
    done = audited(index, osv, path)
    assert done.code == 0, done.out
    assert [one["reason"] for one in done.document["ignored"]] == ["no route"]
    requirements(f"{ignore}expires = 2020-01-01\n", "slugcheck.toml")
    done = audited(index, osv, path)
    assert done.code == 1
    assert any("is no longer ignored" in note for note in done.document["notes"])


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        (Mood.ERROR, "answered with an error"),
        (Mood.HTML, "gave no vulnerability data"),
        (Mood.NO_VULNS, "gave no vulnerability data"),
        (Mood.HANGS, "did not answer in time"),
    ],
)
def test_a_service_in_a_bad_mood_is_never_taken_for_a_clean_result(
    index: PackageServer, osv: OsvServer, requirements: Write, mood: Mood, said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(audit, "_ANSWER_SECONDS", 1)
    osv.mood = mood
    path = requirements("flask==0.12\n")
    saved = path.with_name("report.json")
    table = audited(index, osv, path, "--format", "table", "--output", str(saved))
    assert table.code == 3
    document = held(json.loads(saved.read_text()))
    assert said in document["audit"]["problem"]
    verdict = next(v for v in document["verdicts"] if v["budget"] == "vulnerabilities")
    assert verdict["status"] == "unknown"
    assert "not audited" in verdict["sentence"]
    assert document["totals"]["distributions"] == 2  # the sizes are there all the same
    assert "no known vulnerabilities" not in table.out
    assert "Traceback" not in table.out + table.err


def test_a_port_where_nobody_listens_and_credentials_that_stay_secret(
    index: PackageServer, requirements: Write
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://me:s3cret@127.0.0.1:{taken.getsockname()[1]}/v1/query"
        done = audited(index, url, requirements("flask==0.12\n"))
    assert done.code == 3
    assert "cannot be reached" in done.document["audit"]["problem"]
    assert "s3cret" not in done.out + done.err


def test_credentials_of_the_service_are_used(
    index: PackageServer, osv: OsvServer, requirements: Write
) -> None:
    url = f"http://me:s3cret@{osv.address}/v1/query"
    done = audited(index, url, requirements("flask==0.12\n"))
    assert done.code == 0, done.err
    assert None not in osv.authorizations
    assert "s3cret" not in done.out + done.err


def test_severities_that_cannot_be_had_are_said_to_be_unknown(
    index: PackageServer, osv: OsvServer, requirements: Write
) -> None:
    osv.mood = Mood.NO_RECORDS
    osv.add("flask", "0.12", record("PYSEC-1", "flask", "1.0"))
    done = audited(index, osv, requirements("flask==0.12\n"))
    (found,) = done.document["findings"]
    assert found["severity"] == "warning"
    assert "severity unknown" in found["sentence"]


@pytest.mark.slow
def test_what_was_not_resolved_is_not_audited_and_decides_where_a_budget_is(
    index: PackageServer, osv: OsvServer, requirements: Write
) -> None:
    path = requirements("flask==0.12\ngit+https://127.0.0.1:9/x.git#egg=secret-thing\n")
    allowed = ("--allow-unsized", "secret-thing")
    done = audited(index, osv, path, *allowed)
    assert done.code == 0, done.err
    assert [one["name"] for one in done.document["audit"]["unaudited"]] == ["secret-thing"]
    limit = ("--limit", "vulnerabilities=0")
    assert audited(index, osv, path, *limit, *allowed).code == 0
    assert audited(index, osv, path, *limit).code == 3


def test_a_wheel_from_a_url_is_not_taken_for_the_indexs(
    index: PackageServer, osv: OsvServer, requirements: Write
) -> None:
    path = requirements(f"{index.file_url('jinja-2.0-py3-none-any.whl')}\n")
    done = audited(index, osv, path)
    (one,) = done.document["audit"]["unaudited"]
    assert "installed from a URL" in one["reason"]
    assert osv.asked == []


def test_a_local_version_is_asked_for_as_the_public_one(
    index: PackageServer, osv: OsvServer, requirements: Write
) -> None:
    index.add_wheel("torch", "2.5.1+cpu", {"torch.py": "t = 1\n"})
    osv.add("torch", "2.5.1", record("PYSEC-2", "torch", "2.6.0", severity="CRITICAL"))
    done = audited(index, osv, requirements("torch==2.5.1+cpu\n"))
    assert osv.asked == [("torch", "2.5.1")]
    (found,) = done.document["findings"]
    assert found["sentence"].startswith("torch 2.5.1+cpu has PYSEC-2")
    assert any("torch 2.5.1+cpu was audited as 2.5.1" in one for one in done.document["notes"])


def test_offline_says_that_nobody_was_asked(
    index: PackageServer, osv: OsvServer, requirements: Write
) -> None:
    path = requirements("flask==0.12\n")
    assert audited(index, osv, path).code == 0
    done = audited(index, osv, path, "--offline")
    assert done.code == 3
    assert "--offline" in done.document["audit"]["problem"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--audit-url", "ftp://x"), "must be an http or https URL"),
        (("--audit-service", "pypi", "--audit-url", "http://x/"), "for an OSV service"),
    ],
)
def test_what_cannot_be_asked_is_said_at_once(
    requirements: Write, flags: tuple[str, ...], said: str
) -> None:
    done = slugcheck(requirements("flask\n"), "--audit", *flags)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def resolved(name: str, version: str, sha256: str | None = "ab" * 32) -> Distribution:
    artifact = Artifact(filename=f"{name}.whl", url="u", size=None, sha256=sha256)
    return Distribution(name=name, version=version, artifact=artifact, direct=True)


@pytest.mark.parametrize("sha256", [None, "ab" * 32])
def test_files_without_hashes_are_audited_as_well(osv: OsvServer, sha256: str | None) -> None:
    osv.add("flask", "0.12", record("PYSEC-1", "flask", "0.12.3"))
    service = Service(name="osv", url=osv.url)
    pins = [resolved("flask", "0.12", sha256), resolved("jinja", "2.0")]
    found = audit.run(pins, (), service)
    assert (found.audited, found.problem) == (2, None)
    assert [vulnerability.id for vulnerability in found.vulnerabilities] == ["PYSEC-1"]
    assert sorted(osv.asked) == [("flask", "0.12"), ("jinja", "2.0")]


def test_what_cannot_be_audited_has_its_reason_and_nothing_is_asked_for_it(
    osv: OsvServer,
) -> None:
    odd = [resolved("odd", "not a version"), replace(resolved("own", "1"), direct_url=True)]
    gone = [Unsized(name="gone", version=None, reason="r")]
    found = audit.run(odd, gone, Service(name="osv", url=osv.url))
    assert (found.audited, found.problem, osv.asked) == (0, None, [])
    assert [(one.name, one.version, one.reason) for one in found.unaudited] == [
        ("gone", None, "not resolved"),
        ("odd", "not a version", "invalid version"),
        ("own", "1", "installed from a URL, so it may differ from the published version"),
    ]
    late = audit.not_run(odd, gone, Service(name="osv"), "--offline excludes it")
    assert (late.service, late.problem) == ("OSV", "--offline excludes it")
    assert late.unaudited == found.unaudited


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ("requests.exceptions.ConnectionError: HTTPConnectionPool(host='u:pw@h')",
         "cannot be reached"),
        ("requests.exceptions.ConnectTimeout: x", "cannot be reached"),
        ("requests.exceptions.ProxyError: x", "cannot be reached: the proxy refuses"),
        ("requests.exceptions.SSLError: x", "cannot be reached: its certificate is not trusted"),
        ("requests.exceptions.ReadTimeout: x", "did not answer in time"),
        ("pip_audit._service.interface.ServiceError: x", "answered with an error"),
        ("requests.exceptions.HTTPError: x", "answered with an error"),
        ("json.decoder.JSONDecodeError: x", "gave no vulnerability data"),
        ("KeyError: 'vulns'", "gave no vulnerability data"),
        ("requests.exceptions.InvalidURL: x", "has an invalid URL"),
        ("requests.exceptions.MissingSchema: x", "has an invalid URL"),
    ],
)  # fmt: skip
def test_why_the_service_gave_no_answer_is_said_without_its_output(errors: str, said: str) -> None:
    service = Service(name="osv", url="https://u:pw@osv.example:8/v1")
    text = f"Traceback:\n  File x\n{errors}\nmore lines"
    assert audit._problem(text, service) == f"OSV at osv.example:8 {said}"
    assert audit._problem(text, Service(name="pypi")) == f"the package index {said}"


def test_other_ends_of_pip_audit_are_said_too() -> None:
    service = Service(name="osv")
    assert audit._problem("", service) == "pip-audit got no answer from OSV"
    for quote in ("", "'"):
        missing = f"/usr/bin/python: No module named {quote}pip_audit{quote}"
        assert audit._problem(missing, service) == (
            "pip-audit is not installed in slugcheck's environment"
        )


def test_an_answer_that_leaves_some_out_is_no_answer_about_them() -> None:
    pins = {name: resolved(name, "1.0") for name in ("a", "b", "c", "d")}
    known = {"id": "X-1", "fix_versions": ["1.10", "1.9", "odd"], "aliases": ["CVE-2", "CVE-1"],
             "description": "\nfirst\nsecond"}  # fmt: skip
    vulnerabilities, aside = audit._read(
        {"dependencies": [
            {"name": "A", "vulns": [known, "nonsense"]},
            {"name": "b", "skip_reason": "not on PyPI\x1b[0m"},
            {"name": "c"}, "nonsense", {"name": "another", "vulns": []},
        ]},
        pins,
    )  # fmt: skip
    assert vulnerabilities == [
        Vulnerability(
            id="X-1", name="a", version="1.0", aliases=("CVE-1", "CVE-2"),
            fixed_versions=("1.9", "1.10", "odd"), severity=None, summary="first",
        )
    ]  # fmt: skip
    reasons = {one.name: one.reason for one in aside}
    assert reasons.keys() == {"b", "c", "d"}
    assert reasons["b"].startswith("unknown to the service: not on PyPI")
    assert "\x1b" not in reasons["b"]
    assert reasons["c"] == reasons["d"] == "missing from the answer"


@pytest.mark.parametrize(
    ("fixed", "direct", "fix"),
    [
        (("0.9", "2.0", "1.5"), True, "a>=1.5"), (("0.9",), True, "# no release of a fixes it yet"),
        ((), True, "# no release of a fixes it yet"), (("odd", "1.1"), True, "a>=1.1"),
        (("1.1",), False, "# required by x, y, z; add the line\na>=1.1"),
    ],
)  # fmt: skip
def test_the_fix_is_the_lowest_newer_release(
    fixed: tuple[str, ...], direct: bool, fix: str
) -> None:
    by = () if direct else ("x", "y", "z", "w")
    sizes = reports.report([reports.distribution("a", direct=direct, required_by=by)]).sizes
    vulnerability = Vulnerability(
        id="X", name="a", version="1.0", aliases=(), fixed_versions=fixed, severity=None, summary=""
    )
    assert audit._fix(vulnerability, sizes) == fix


@pytest.mark.parametrize(
    ("found", "word"),
    [
        ({"database_specific": {"severity": "MODERATE"}}, "medium"),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/"
                        "A:H"}]}, "critical"),
        ({"severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/"
                        "VA:H/SC:N/SI:N/SA:N"}]}, "critical"),
        ({"severity": [{"type": "CVSS_V3", "score": "nonsense"}]}, None),
        ({"database_specific": {"severity": "[bold]"}}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_severities_are_read_from_words_and_vectors(
    found: dict[str, object], word: str | None
) -> None:
    assert word_of(found) == word

"""Known vulnerabilities of the resolved versions, through pip-audit, and their findings.

pip-audit runs on the pinned list: it resolves nothing, installs nothing and contacts only the
vulnerability service. Its exit code is ambiguous (1 means both "vulnerabilities found" and "could
not run"), so its output decides: a document that names every distribution, or no audit. pip-audit
gives no severities; they come from the OSV service that named the vulnerabilities.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from slugcheck import extras, reading
from slugcheck.errors import SlugcheckError, UsageError
from slugcheck.model import (
    Audit,
    Distribution,
    Finding,
    FindingSeverity,
    Service,
    SizeReport,
    Unaudited,
    Unsized,
    Vulnerability,
)
from slugcheck.model.report import OSV_URL
from slugcheck.packages.index.client import HttpClient
from slugcheck.running import child, temporary
from slugcheck.running.child import Bounds
from slugcheck.text import printable

_TITLES = {"osv": "OSV", "pypi": "the package index"}
CODE = "vulnerability"
# pip-audit asks for one distribution after another.
_ANSWER_SECONDS, _WHOLE_SECONDS, _EACH_SECONDS = 15, 60, 2
_REASONS = {
    "ConnectionError": "cannot be reached",
    "ConnectTimeout": "cannot be reached",
    "ProxyError": "cannot be reached: the proxy refuses",
    "SSLError": "cannot be reached: its certificate is not trusted",
    "ReadTimeout": "did not answer in time",
    "ServiceError": "answered with an error",
    "HTTPError": "answered with an error",
    "JSONDecodeError": "gave no vulnerability data",
    "KeyError": "gave no vulnerability data",
    "InvalidURL": "has an invalid URL",
    "MissingSchema": "has an invalid URL",
}
_LONGEST_SUMMARY = 300
_LOOKUPS_AT_ONCE = 4
_MOST_LOOKUPS = 100  # the severities of further vulnerabilities stay unknown
_RECORD_BYTES = 10**6
_QUERY, _RECORD = "/query", "/vulns/"
_WORDS = {"moderate": "medium", "important": "high"}  # GitHub's and Red Hat's for the CVSS words
_SEVERITIES = {
    "critical": FindingSeverity.ERROR,
    "high": FindingSeverity.ERROR,
    "medium": FindingSeverity.WARNING,
    "low": FindingSeverity.INFO,
    "none": FindingSeverity.INFO,
}


def title(service: Service) -> str:
    """Return the name of a service for messages."""
    if service.name != "osv" or service.url == OSV_URL:
        return _TITLES[service.name]
    return f"OSV at {printable(urlsplit(service.url).netloc.rpartition('@')[2])}"


def service(name: str | None, url: str | None) -> Service:
    """Return the service of the command line.

    :raises UsageError: the extra ``slugcheck[audit]`` is not installed, the service is unknown, or
        the URL is not one or belongs to another service.
    """
    extras.require("audit", "--audit")
    if name not in (None, *_TITLES):
        raise UsageError(f"audit_service must be {' or '.join(map(repr, _TITLES))}")
    if url is None:
        return Service(name=name or "osv")
    if name not in (None, "osv"):
        message = f"--audit-url is for an OSV service, not for {name}"
        raise UsageError(message, hint="leave out --audit-service, or write osv")
    try:
        sound = urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname)
    except ValueError:
        sound = False
    if not sound:
        message = "--audit-url must be an http or https URL"
        raise UsageError(message, hint=f"for example {OSV_URL}")
    return Service(name="osv", url=url)


def run(
    distributions: Sequence[Distribution], unsized: Sequence[Unsized], service: Service
) -> Audit:
    """Return the known vulnerabilities; ``problem`` says why the service could not be asked."""
    pins, aside = _pins(distributions, unsized)
    if not pins:
        return Audit(service=title(service), audited=0, vulnerabilities=(), unaudited=tuple(aside))
    answer = _ask(pins, service)
    if isinstance(answer, str):
        return Audit(
            service=title(service), audited=0, vulnerabilities=(), unaudited=tuple(aside),
            problem=answer,
        )  # fmt: skip
    vulnerabilities, more = _read(answer, pins)
    return Audit(
        service=title(service),
        audited=len(pins) - len(more),
        vulnerabilities=tuple(vulnerabilities),
        unaudited=(*aside, *more),
        notes=tuple(_notes(pins)),
    )


def _notes(pins: Mapping[str, Distribution]) -> Iterator[str]:
    for name, distribution in pins.items():
        version = distribution.version
        if (public := _public(version)) != version and "+" in version:
            yield f"{name} {version} was audited as {public}: services know no local versions"


def not_run(
    distributions: Sequence[Distribution], unsized: Sequence[Unsized], service: Service, why: str
) -> Audit:
    """Return an audit that did not run."""
    _, aside = _pins(distributions, unsized)
    return Audit(
        service=title(service), audited=0, vulnerabilities=(), unaudited=tuple(aside), problem=why
    )


# --------------------------------------------------------------------------- the list


def _pins(
    distributions: Sequence[Distribution], unsized: Sequence[Unsized]
) -> tuple[dict[str, Distribution], list[Unaudited]]:
    """Return the versions that can be audited, by name, and the rest with reasons."""
    aside = [Unaudited(name=u.name, version=u.version, reason="not resolved") for u in unsized]
    pins: dict[str, Distribution] = {}
    for distribution in distributions:
        reason = ""
        if distribution.direct_url:
            reason = "installed from a URL, so it may differ from the published version"
        elif _public(distribution.version) is None:
            reason = "invalid version"
        if reason:
            aside.append(
                Unaudited(name=distribution.name, version=distribution.version, reason=reason)
            )
        else:
            pins[distribution.name] = distribution
    return pins, aside


def _public(version: str) -> str | None:
    """Return a version without its local part, which services do not list."""
    try:
        return reading.version(version).public
    except InvalidVersion:
        return None


def _lines(pins: Mapping[str, Distribution]) -> Iterator[str]:
    """Yield the pinned list, without markers: they would be judged for this machine's Python."""
    hashed = all(distribution.artifact.sha256 for distribution in pins.values())
    for name, distribution in pins.items():
        more = f" --hash=sha256:{distribution.artifact.sha256}" if hashed else ""
        yield f"{name}=={_public(distribution.version)}{more}"


# --------------------------------------------------------------------------- pip-audit


def _ask(pins: Mapping[str, Distribution], service: Service) -> dict[str, Any] | str:
    """Return pip-audit's document, or why there is none."""
    lines = list(_lines(pins))
    with temporary.Folder() as folder:
        path = folder / "requirements.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [
            *child.python_module("pip_audit"),
            "--requirement",
            str(path),
            "--disable-pip",
        ]
        command += [] if "--hash" in lines[0] else ["--no-deps"]
        command += ["--format", "json", "--progress-spinner", "off", "--cache-dir", str(folder)]
        command += ["--timeout", str(_ANSWER_SECONDS), "--vulnerability-service", service.name]
        try:
            done = child.run(
                command,
                label="pip-audit",
                cwd=folder,
                environment=_environment(service, folder),
                bounds=Bounds(seconds=_WHOLE_SECONDS + _EACH_SECONDS * len(pins)),
            )
        except child.LateError:
            return f"{title(service)} did not answer in time"
        except child.ChildError as error:
            return str(error)
        except OSError as error:
            return f"pip-audit cannot be run: {error.strerror or error}"
    return _document(done.output) or _problem(done.errors, service)


def _environment(service: Service, folder: Path) -> dict[str, str]:
    """Return the environment that pip-audit needs to reach the service, and nothing else.

    The URL goes here because other users of the machine could read it on the command line.
    """
    environment = child.environment(child.NETWORK)
    environment |= {"TMPDIR": str(folder), "PYTHONSAFEPATH": "1"}
    return environment | ({"PIP_AUDIT_OSV_URL": service.url} if service.name == "osv" else {})


def _document(text: str) -> dict[str, Any] | None:
    try:
        document = reading.json(text)
    except ValueError:
        return None
    listed = isinstance(document, dict) and isinstance(document.get("dependencies"), list)
    return document if listed else None


def _problem(errors: str, service: Service) -> str:
    """Say why there is no answer, by the last error's name; the rest of the output holds URLs."""
    if "No module named pip_audit" in errors or "No module named 'pip_audit'" in errors:
        return "pip-audit is not installed in slugcheck's environment"
    for line in reversed(errors.splitlines()):
        name = line.partition(":")[0].strip().rpartition(".")[2]
        if name in _REASONS:
            return f"{title(service)} {_REASONS[name]}"
    return f"pip-audit got no answer from {title(service)}"


# --------------------------------------------------------------------------- its answer


def _read(
    document: Mapping[str, Any], pins: Mapping[str, Distribution]
) -> tuple[list[Vulnerability], list[Unaudited]]:
    vulnerabilities: list[Vulnerability] = []
    aside: list[Unaudited] = []
    answered = set()
    for entry in document["dependencies"]:
        name = canonicalize_name(str(entry.get("name", ""))) if isinstance(entry, dict) else ""
        if name not in pins:
            continue
        version, vulns = pins[name].version, entry.get("vulns")
        if isinstance(vulns, list):
            answered.add(name)
            vulnerabilities += [
                _vulnerability(vuln, name, version) for vuln in vulns if isinstance(vuln, dict)
            ]
        elif reason := entry.get("skip_reason"):
            answered.add(name)
            text = f"unknown to the service: {printable(str(reason))[:_LONGEST_SUMMARY]}"
            aside.append(Unaudited(name=name, version=version, reason=text))
    aside += [
        Unaudited(name=name, version=distribution.version, reason="missing from the answer")
        for name, distribution in pins.items()
        if name not in answered
    ]
    return vulnerabilities, aside


def _vulnerability(entry: Mapping[str, Any], name: str, version: str) -> Vulnerability:
    summary = str(entry.get("description") or "").strip().partition("\n")[0]
    fixed = [str(fix_version) for fix_version in entry.get("fix_versions") or ()]
    return Vulnerability(
        id=str(entry.get("id", "?")),
        name=name,
        version=version,
        aliases=tuple(sorted(str(alias) for alias in entry.get("aliases") or ())),
        fixed_versions=tuple(sorted(fixed, key=_order)),
        severity=None,
        summary=summary[:_LONGEST_SUMMARY],
    )


def _order(version: str) -> tuple[bool, Version | str]:
    try:
        return False, reading.version(version)
    except InvalidVersion:
        return True, version


# --------------------------------------------------------------------------- severities


def with_severities(
    vulnerabilities: Sequence[Vulnerability], url: str, client: HttpClient
) -> tuple[Vulnerability, ...]:
    """Return the vulnerabilities with the severities that the service at ``url`` has."""
    base = url.rstrip("/").removesuffix(_QUERY)
    if base == url.rstrip("/"):
        return tuple(vulnerabilities)  # not the path of the OSV API: records cannot be located
    with ThreadPoolExecutor(_LOOKUPS_AT_ONCE) as pool:
        words = pool.map(
            lambda vulnerability: _severity(vulnerability, base, client),
            vulnerabilities[:_MOST_LOOKUPS],
        )
        graded = [
            replace(vulnerability, severity=word)
            for vulnerability, word in zip(vulnerabilities, words, strict=False)
        ]
    return (*graded, *vulnerabilities[_MOST_LOOKUPS:])


def _severity(vulnerability: Vulnerability, base: str, client: HttpClient) -> str | None:
    # a PYSEC record often has none where GitHub's of the same vulnerability has
    ids = (
        vulnerability.id,
        *(alias for alias in vulnerability.aliases if alias.startswith("GHSA-")),
    )
    for name in ids[:2]:
        try:
            body = client.get(f"{base}{_RECORD}{quote(name, safe='')}", _RECORD_BYTES)
            record = reading.json(body)
        except (SlugcheckError, ValueError):
            continue
        if isinstance(record, dict) and (word := word_of(record)):
            return word
    return None


def word_of(record: dict[str, Any]) -> str | None:
    """Return a record's severity as low, medium, high or critical, or None."""
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
    from cvss import CVSS2, CVSS3, CVSS4, CVSSError  # of the extra slugcheck[audit]

    vectors = {str(row.get("type")): str(row.get("score")) for row in rows}
    for kind, read in (("CVSS_V4", CVSS4), ("CVSS_V3", CVSS3), ("CVSS_V2", CVSS2)):
        if kind in vectors:
            try:
                vector = read(vectors[kind])
            except CVSSError:
                continue
            word = vector.severity if kind == "CVSS_V4" else vector.severities()[0]
            return str(word).lower()
    return None


# --------------------------------------------------------------------------- findings


def vulnerability_findings(audit: Audit | None, sizes: SizeReport) -> tuple[Finding, ...]:
    """Return one finding per vulnerability; one without a severity is a warning."""
    return (
        tuple(_finding(vulnerability, sizes) for vulnerability in audit.vulnerabilities)
        if audit
        else ()
    )


def _finding(vulnerability: Vulnerability, sizes: SizeReport) -> Finding:
    cves = [alias for alias in vulnerability.aliases if alias.startswith("CVE-")]
    also = f" ({', '.join(cves[:2])})" if cves else ""
    severity = (
        f", severity {vulnerability.severity}" if vulnerability.severity else ", severity unknown"
    )
    about = f": {vulnerability.summary}" if vulnerability.summary else ""
    return Finding(
        code=CODE,
        severity=_SEVERITIES.get(vulnerability.severity or "", FindingSeverity.WARNING),
        subject=vulnerability.name,
        sentence=(
            f"{vulnerability.name} {vulnerability.version} has {vulnerability.id}"
            f"{also}{severity}{about}"
        ),
        fix=_fix(vulnerability, sizes),
        origin=sizes.line_of(vulnerability.name),
        ids=(vulnerability.id, *vulnerability.aliases),
    )


def _fix(vulnerability: Vulnerability, sizes: SizeReport) -> str:
    version = _next(vulnerability)
    if version is None:
        return f"# no release of {vulnerability.name} fixes it yet"
    own = next((d for d in sizes.distributions if d.name == vulnerability.name), None)
    line = f"{vulnerability.name}>={version}"
    if own is None or own.distribution.direct:
        return line
    return f"# required by {', '.join(own.required_by[:3])}; add the line\n{line}"


def _next(vulnerability: Vulnerability) -> str | None:
    """Return the lowest version that fixes it and is newer than the present one."""
    try:
        present = reading.version(vulnerability.version)
    except InvalidVersion:
        return next(iter(vulnerability.fixed_versions), None)
    newer = []
    for text in vulnerability.fixed_versions:
        try:
            version = reading.version(text)
        except InvalidVersion:
            continue
        if version > present:
            newer.append(version)
    return str(min(newer)) if newer else None

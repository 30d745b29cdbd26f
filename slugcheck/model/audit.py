"""What a vulnerability service knows of the resolved distributions."""

from __future__ import annotations

from dataclasses import dataclass

OSV_URL = "https://api.osv.dev/v1/query"  # pip-audit's own default for the OSV service


@dataclass(frozen=True, slots=True, kw_only=True)
class Vulnerability:
    """One known vulnerability of one resolved distribution.

    ``severity`` is the service's word in lower case (``low``, ``medium``, ``high``, ``critical``),
    None if the service gives none. ``fixed_versions`` is empty if no release fixes it.
    """

    id: str
    name: str
    version: str
    aliases: tuple[str, ...]
    fixed_versions: tuple[str, ...]
    severity: str | None
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unaudited:
    """A distribution that was not audited, and why; it does not count as "clean"."""

    name: str
    version: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The outcome of an audit. ``problem`` says why it did not run at all; None when it did.

    ``service`` is the service's name or URL, without credentials. ``audited`` counts the
    distributions that the service answered for; with ``unaudited`` they are all that there are.
    """

    service: str
    audited: int
    vulnerabilities: tuple[Vulnerability, ...]
    unaudited: tuple[Unaudited, ...]
    notes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A vulnerability service. ``url`` may hold credentials: it is handed on and never shown."""

    name: str = "osv"
    url: str = OSV_URL

"""A vulnerability service on the loopback that speaks the OSV protocol, in good and bad moods.

It knows nothing of slugcheck: it answers ``POST /v1/query`` and ``GET /v1/vulns/ID`` as the OSV
documentation says, and records what it was asked.
"""

from __future__ import annotations

import json
import time
from enum import StrEnum
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.loopback import LoopbackServer


class Mood(StrEnum):
    """How the service answers."""

    GOOD = "good"
    ERROR = "500"
    HTML = "an HTML page"
    HANGS = "hangs"
    NO_VULNS = "an object without vulns"
    NO_RECORDS = "queries are fine, records are not"


def record(
    identity: str,
    package: str,
    fixed: str | None,
    *,
    aliases: tuple[str, ...] = (),
    severity: str | None = None,
    vector: str | None = None,
    summary: str = "it is bad",
) -> dict[str, Any]:
    """Return an OSV record."""
    events: list[dict[str, str]] = [{"introduced": "0"}]
    events += [{"fixed": fixed}] if fixed else []
    found: dict[str, Any] = {
        "id": identity, "aliases": list(aliases), "summary": summary, "schema_version": "1.4.0",
        "affected": [
            {"package": {"name": package, "ecosystem": "PyPI"},
             "ranges": [{"type": "ECOSYSTEM", "events": events}]}
        ],
    }  # fmt: skip
    if severity:
        found["database_specific"] = {"severity": severity}
    if vector:
        found["severity"] = [{"type": "CVSS_V3", "score": vector}]
    return found


class OsvServer(LoopbackServer):
    """The service; ``records`` by (package, version), ``others`` are records by id alone."""

    def __init__(self, mood: Mood = Mood.GOOD) -> None:
        self.mood = mood
        self.records: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.others: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.authorizations: list[str | None] = []
        super().__init__(_handler(self))

    @property
    def url(self) -> str:
        return f"http://{self.address}/v1/query"

    def add(self, package: str, version: str, found: dict[str, Any]) -> None:
        self.records.setdefault((package, version), []).append(found)

    def by_id(self, identity: str) -> dict[str, Any] | None:
        every = [one for rows in self.records.values() for one in rows]
        own = next((one for one in every if one["id"] == identity), None)
        return own or self.others.get(identity)


def _handler(service: OsvServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            asked = json.loads(self.rfile.read(length))
            name, version = asked["package"]["name"], asked["version"]
            service.asked.append((name, version))
            service.authorizations.append(self.headers.get("Authorization"))
            match service.mood:
                case Mood.ERROR:
                    self._answer(b"no", status=500)
                case Mood.HTML:
                    self._answer(b"<html>hello</html>", kind="text/html")
                case Mood.HANGS:
                    time.sleep(30)
                case Mood.NO_VULNS:
                    self._answer(b'{"next_page_token": "x"}')
                case _:
                    rows = service.records.get((name, version), [])
                    self._answer(json.dumps({"vulns": rows} if rows else {}).encode())

        def do_GET(self) -> None:
            found = service.by_id(self.path.rpartition("/")[2])
            if found is None or service.mood is Mood.NO_RECORDS:
                self._answer(b"{}", status=404)
            else:
                self._answer(json.dumps(found).encode())

        def _answer(
            self, body: bytes, *, status: int = 200, kind: str = "application/json"
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler

"""Small real apps for the tests of rehearse, and what runs them with short limits."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from slugcheck.model import Platform
from slugcheck.model.rehearsal import ProcessRun, RehearsalResult
from slugcheck.rehearsing import deployment, lifecycle, load, plan
from tests.support.commands import Done, slugcheck

# A web server in 30 lines; {begin} is run before it listens, {answer} for each request.
SERVER = """\
import os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
KEPT = []
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def log_message(self, *_): pass
    def say(self, body=b"ok", status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        {answer}
    do_POST = do_GET
class Server(ThreadingHTTPServer):
    daemon_threads = True
    def server_bind(self):  # without asking a name server
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "app", self.server_address[1]
PORT = int(os.environ["PORT"])
HOST = "0.0.0.0"
{begin}
Server((HOST, PORT), Handler).serve_forever()
"""
START = "web: exec python -S app.py\n"


def write_app(
    folder: Path, *, begin: str = "", answer: str = "self.say()", procfile: str = START,
    files: dict[str, str] | None = None,
) -> Path:  # fmt: skip
    """Write an app of one file; ``begin`` and ``answer`` are Python."""
    folder.mkdir(exist_ok=True)
    inside = answer.replace("\n", "\n        ")
    source = SERVER.replace("{answer}", inside).replace("{begin}", begin)
    (folder / "app.py").write_text(source)
    (folder / "requirements.txt").write_text("")
    (folder / "Procfile").write_text(procfile)
    for name, text in (files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def rehearse(folder: Path, *arguments: object, count: int | None = 20) -> Done:
    """Run ``slugcheck rehearse`` on this interpreter's packages, without a build."""
    few = () if count is None else ("--requests", count)
    return slugcheck("rehearse", folder, "--python", sys.executable, *few, *arguments)


def rehearsed(folder: Path, *arguments: object, count: int | None = 20) -> RehearsalResult:
    """Run it, and return the result that it saves."""
    from slugcheck.rehearsing import budgets

    path = folder.with_name(f"{folder.name}.json")
    done = rehearse(folder, *arguments, "--output", path, "--quiet", count=count)
    assert path.exists(), done.err
    return budgets.load(path)


def web(result: RehearsalResult) -> ProcessRun:
    """The one process of a result."""
    (run,) = result.processes
    return run


def codes(result: RehearsalResult) -> dict[str, str]:
    """What went wrong: code and sentence."""
    return {
        one.code: one.sentence
        for one in result.judgements
        if one.status.value in ("fail", "warn", "unknown")
    }


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that would take a minute take a second."""
    monkeypatch.setattr(plan, "grace_seconds", lambda _: 0.8)
    monkeypatch.setattr(Platform, "limit_seconds", lambda *_: 1.0)
    monkeypatch.setattr(lifecycle, "_FIRST_SECONDS", 1.0)
    monkeypatch.setattr(lifecycle, "_ORPHAN_SECONDS", 0.3)
    monkeypatch.setattr(lifecycle, "WATCH_SECONDS", 0.5)
    monkeypatch.setattr(load, "ROUTER_SECONDS", 0.25)
    monkeypatch.setattr(load, "_WAIT_SECONDS", 0.5)
    monkeypatch.setattr(deployment, "_DISK", 20_000_000)


@pytest.fixture
def nothing_left(temporary: Path) -> Iterator[None]:
    """That no process, no file and no cgroup of the run is there in the end."""
    yield
    assert left(temporary) == ([], [], [])


def left(temporary: Path, pid: int | None = None) -> tuple[list[str], list[str], list[Any]]:
    """Files, cgroups and processes of a run whose number is ``pid``, by default this one's."""
    name = f"slugcheck-{pid or os.getpid()}-"
    groups = [
        f"{folder}/{one}"
        for folder, names, _ in os.walk("/sys/fs/cgroup")
        for one in names
        if one.startswith(name)
    ]
    return [str(path) for path in temporary.rglob("*")], groups, alive(temporary)


def alive(place: Path) -> list[Any]:
    """The processes that know a folder, such as an app's in a run's temporary folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(place) in process.environ().get("TMPDIR", "") and process.pid != os.getpid():
                found.append(process.cmdline())
        except psutil.Error:
            continue
    return found

"""Apps that misbehave, each with its code and one line; and ends of which nothing may be left."""

from __future__ import annotations

import gzip
import os
import select
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from slugcheck.errors import MeasureError
from slugcheck.model.report import Status
from slugcheck.rehearsing import budgets, load
from slugcheck.rehearsing.supervisor import Command, Supervisor
from tests.support.rehearsals import (
    codes,
    left,
    nothing_left,
    rehearse,
    rehearsed,
    short,
    web,
    write_app,
)
from tests.support.verifying import MINOR, temporary

__all__ = ["nothing_left", "short", "temporary"]

pytestmark = [
    pytest.mark.usefixtures("private_caches"),
    pytest.mark.skipif(sys.platform != "linux", reason="rehearse needs Linux"),
]
WATCHDOG = {"kind": "watchdog", "folder": ""}

# --------------------------------------------------------------------------- apps that misbehave

MISBEHAVING: dict[str, tuple[dict[str, Any], str, str]] = {
    "never binds": ({"begin": "time.sleep(600)"}, "R10", "did not listen on $PORT"),
    "another port": ({"begin": "PORT = 0"}, "R10", "it listens on 0.0.0.0:"),
    "this machine only": ({"begin": 'HOST = "127.0.0.1"'}, "R10", "only, which no router reaches"),
    "missing module": ({"begin": "import flisk"}, "H10", "No module named 'flisk'"),
    "missing config var": (
        {"begin": 'os.environ["STRIPE_KEY"]'}, "H10",
        "exited with code 1 before it listened on $PORT: STRIPE_KEY is not set",
    ),
    "ends with code 0": ({"begin": "sys.exit()"}, "H10", "exited with code 0 before"),
    "killed by a signal": ({"begin": "os.abort()"}, "H10", "ended by signal 6 before"),
    "beyond memory at boot": (
        {"begin": "KEPT.append(bytearray(90_000_000))"}, "R15",
        "killed before it could serve: its memory went beyond 64.0 MiB",
    ),
    "beyond memory under load": (
        {"answer": "KEPT.append(os.urandom(9_000_000)); self.say()"}, "R15",
        "killed: its memory went beyond 64.0 MiB",
    ),
    "beyond memory at the first request": (
        {"answer": "KEPT.append(os.urandom(90_000_000)); self.say()"}, "R15",
        "killed: its memory went beyond 64.0 MiB",
    ),
    "ignores SIGTERM": (
        {"begin": "signal.signal(signal.SIGTERM, signal.SIG_IGN)"}, "R12",
        "it did not end within 1 s of SIGTERM, and was killed",
    ),
    "answers 500": ({"answer": "self.say(b'no', 500)"}, "answer", "answered 500 (10 of 10)"),
    "answers too late": (
        {"answer": "time.sleep(0.35 if KEPT else 0); KEPT.append(1); self.say()"}, "H12",
        "answered after 0 s (10 of 10)",
    ),
    "hangs": (
        {"answer": "time.sleep(99 if KEPT else 0); KEPT.append(1); self.say()"}, "H12",
        "no answer within 0 s",
    ),
    "answers nothing": ({"answer": "time.sleep(99)"}, "H12", "it listens, and answers nothing"),
    "closes connections": (
        {"answer": "self.say() if not KEPT else os.close(self.connection.detach())\n"
                   "KEPT.append(1)"}, "answer",
        "the connection was closed before an answer",
    ),
    "crashes under load": (
        {"answer": "KEPT.append(1); self.say() if len(KEPT) < 6 else os._exit(3)"}, "H10",
        "it exited with code 3 while it was running",
    ),
    "fills the disk": (
        {"begin": 'threading.Thread(target=lambda: open("f", "wb").write(bytes(30_000_000)))'
                  ".start(); time.sleep(600)"}, "disk", "it wrote more to the disk",
    ),
    "fills the disk with a file without a name": (
        {"begin": 'f = open("f", "wb"); os.unlink("f"); f.write(bytes(30_000_000)); f.flush()\n'
                  "time.sleep(600)"}, "disk", "it wrote more to the disk",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISBEHAVING)
def test_an_app_that_misbehaves_gets_its_code_and_one_line(
    name: str, tmp_path: Path, short: None, nothing_left: None
) -> None:
    parts, code, sentence = MISBEHAVING[name]
    result = rehearsed(write_app(tmp_path / "app", **parts), "--memory", "64M", count=10)
    first = result.judgements[0]
    assert (first.code, first.status) == (code, Status.FAIL), codes(result)
    assert sentence in first.sentence


def test_what_outlives_the_app_is_named_and_ended(
    tmp_path: Path, short: None, nothing_left: None
) -> None:
    """A child with a session of its own, and one that has left its parent as well."""
    begin = (
        "for times in (1, 2):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if times == 1 or os.fork() == 0:\n"
        "            signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        '            os.execv("/bin/sleep", [f"stray{times}", "600"])\n'
        "        os._exit(0)"
    )
    result = rehearsed(write_app(tmp_path / "app", begin=begin))
    assert set(codes(result)) == {"shutdown"}
    shutdown = web(result).shutdown
    assert shutdown is not None
    assert {name.split()[0] for name in shutdown.left} == {"stray1", "stray2"}
    assert not shutdown.clean
    assert len(web(result).stages["boot"].processes) == 3  # type: ignore[index]


def test_a_config_var_is_shown_in_no_format(
    tmp_path: Path, short: None, nothing_left: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the app prints it: plain, where a line is cut, in a mapping, as JSON."""
    begin = """
import json
key = os.environ["API_KEY"]
print(key, {"k": key}, json.dumps({"k": key}))
print("x" * 490 + key)
print(os.environ["CERTIFICATE"])
print("postgres password:", "pass/word9")
raise ValueError(key)
"""
    folder = write_app(tmp_path / "app", begin=begin)
    lines = "-----BEGIN KEY-----", "MIIEvgIBADANBgkqhkiG9w0B"
    monkeypatch.setenv("API_KEY", 'qzq"wjw\\xkx-\u00e4-vbv')
    given = (
        "--env", "API_KEY", "--env", "CERTIFICATE=" + "\n".join(lines),
        "--env", "DATABASE_URL=postgres://me:pass%2Fword9@localhost/db",
    )  # fmt: skip
    files = [tmp_path / f"out.{kind}" for kind in ("json", "md", "txt")]
    more = [f"--output={file}" for file in files]
    done = rehearse(folder, *given, *more)
    assert done.code == 1
    for text in (done.out, done.err, *(file.read_text() for file in files)):
        for part in ("qzq", "wjw", "xkx", "vbv", "MIIEvg", "pass/word9", "pass%2F"):
            assert part not in text
    assert all("***" in file.read_text() for file in files)


def test_what_an_app_prints_does_not_act_on_a_terminal_and_is_bounded(
    tmp_path: Path, short: None, nothing_left: None
) -> None:
    begin = (
        'print("first\\x1b[2J\\x1b]0;title\\x07\\x9b31m\\u202e", flush=True)\n'
        'print("y" * 50_000, flush=True)\nsys.exit("the last")'
    )
    done = rehearse(write_app(tmp_path / "app", begin=begin), "--format", "table")
    assert "the last" in done.out
    assert "first" in done.out
    for sign in "\x1b\x07\x9b\u202e":
        assert sign not in done.out
    assert len(done.out) < 10_000


def test_a_log_that_floods_neither_hides_the_app_nor_grows(
    tmp_path: Path, short: None, nothing_left: None
) -> None:
    begin = (
        "def flood():\n"
        '    while True: os.write(1, b"a line of the log\\n" * 2000)\n'
        "threading.Thread(target=flood, daemon=True).start()"
    )
    run = web(rehearsed(write_app(tmp_path / "app", begin=begin), count=10))
    assert run.log_bytes > 10_000_000
    assert len(run.log) == 20
    assert run.load is not None
    assert run.load.answered == 10
    assert len(run.series) > 3  # its memory was read meanwhile


# --------------------------------------------------------------------------- the supervisor


def supervised(source: str, *, limit: int = 2**30, method: object = None) -> Supervisor:
    """A supervisor that runs a program."""
    supervisor = Supervisor()
    if method is not None:
        supervisor._limit = dict(method)  # type: ignore[call-overload]
    command = Command(
        argv=(sys.executable, "-S", "-E", "-c", source), environment={}, cwd="/", limit_bytes=limit
    )
    supervisor.start(command)
    return supervisor


def until(seen: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_of_a_flood_only_the_end_is_kept(nothing_left: None) -> None:
    with supervised("import os\nwhile True: os.write(1, b'line\\n' * 9999)") as supervisor:
        until(lambda: supervisor.state().log_bytes > 50_000_000)
        stopped = supervisor.stop()
    assert len(stopped.log.tail) == 2**16


def test_what_is_cut_off_by_bytes_that_are_no_text_is_not_shown(nothing_left: None) -> None:
    """The first line of what is kept begins anywhere: perhaps within a secret."""
    source = "import os\nos.write(1, b'secret' + b'\\xff' * 70_000 + b'\\nlast\\n')"
    with supervised(source) as supervisor:
        until(lambda: not supervisor.state().running)
        log = supervisor.stop().log
    assert log.bytes > 70_000
    assert log.last(20) == ("last",)


def test_an_app_that_removes_its_own_folder_is_measured(
    tmp_path: Path, short: None, nothing_left: None
) -> None:
    begin = "import shutil\nshutil.rmtree(os.environ['HOME'])"
    result = rehearsed(write_app(tmp_path / "app", begin=begin), count=10)
    assert codes(result) == {}
    assert web(result).load is not None


STRAY = """
import os, signal, time
supervisor = os.getppid()
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
time.sleep(0.2)
os.kill(supervisor, signal.{signal})
time.sleep(600)
"""


def test_what_the_app_leaves_behind_a_supervisor_that_it_kills_is_ended(
    nothing_left: None,
) -> None:
    with Supervisor() as supervisor:
        if not supervisor.limit_method.startswith("cgroup"):
            pytest.skip("no cgroup here")
    with supervised(STRAY.replace("{signal}", "SIGKILL")) as supervisor:
        group = Path(supervisor._kind()["folder"])
        assert group.is_dir()
        with pytest.raises(MeasureError, match="has ended unexpectedly"):
            until(lambda: not supervisor.state().running)
    assert not group.exists()


def test_a_supervisor_that_the_app_has_stopped_still_cleans_up(nothing_left: None) -> None:
    with supervised(STRAY.replace("{signal}", "SIGSTOP")) as supervisor:
        own = psutil.Process(supervisor._process.pid)
        children = own.children()
        until(lambda: own.status() == psutil.STATUS_STOPPED)
    assert supervisor._process.returncode == 0  # it was not killed
    assert not any(child.is_running() for child in children)


BOMBS = {
    "gzip": (gzip.compress(bytes(50 << 20)), "gzip", True),
    "zlib": (zlib.compress(bytes(50 << 20)), "deflate", True),
    "gzip in gzip": (gzip.compress(gzip.compress(bytes(50 << 20))), "gzip, gzip", False),
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_answer_is_unpacked_once_and_in_parts(name: str) -> None:
    raw, encoding, unpacks = BOMBS[name]
    parts = list(load._Decoder(encoding).parts(raw))
    assert max(map(len, parts)) <= 2**20
    assert b"".join(parts) == (bytes(50 << 20) if unpacks else raw)


def test_a_damaged_answer_is_no_answer() -> None:
    with pytest.raises(httpx.DecodingError):
        list(load._Decoder("gzip").parts(b"abc"))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_the_app_has_closed_is_removed(temporary: Path) -> None:
    folder = temporary / "run"
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "closed").chmod(0)
    with Supervisor() as supervisor:
        supervisor.own(folder)
    assert not folder.exists()


@pytest.mark.parametrize("method", [None, WATCHDOG], ids=["as here", "watchdog"])
def test_processes_that_fork_faster_than_they_can_be_read_are_killed(
    method: object, tmp_path: Path, nothing_left: None
) -> None:
    """Each lives for a moment only: it opens a pipe of ours, forks, and ends."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    chain = f"""
import os, time
for _ in range(1):
    if os.fork() == 0:
        while True:
            os.open({str(pipe)!r}, os.O_WRONLY)
            if os.fork(): os._exit(0)
            os.setsid()
            os.closerange(3, 100)
time.sleep(600)
"""
    mine = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with supervised(chain, method=method) as supervisor:
        until(lambda: supervisor.state().seconds > 0.3)
        supervisor.stop()
    started = time.monotonic()
    hung_up = select.poll()
    hung_up.register(mine, 0)
    # nobody has it open: one that still forked would have, at most moments
    assert all(hung_up.poll(0) for _ in range(200)), time.monotonic() - started
    os.close(mine)


@pytest.mark.parametrize("method", [None, WATCHDOG], ids=["as here", "watchdog"])
def test_more_processes_than_a_dyno_allows_are_ended(method: object, nothing_left: None) -> None:
    bomb = "import os, time\nfor _ in range(10): os.fork()\ntime.sleep(600)"
    with supervised(bomb, method=method) as supervisor:
        until(lambda: not supervisor.state().running)
        state = supervisor.state()
        assert state.killed == "it started more than 512 processes"
        assert state.processes == 0


@pytest.mark.parametrize("mib", [100, 1000])
def test_the_watchdog_counts_what_forks_share_once(mib: int, nothing_left: None) -> None:
    """Three times 40 MiB by the sum of their own, and 40 in truth."""
    shared = (
        "import os, time\nx = bytearray(b'x' * (40 << 20))\nos.fork(); os.fork()\ntime.sleep(600)"
    )
    with supervised(shared, limit=mib << 20, method=WATCHDOG) as supervisor:
        until(lambda: supervisor.state().processes == 4)
        until(lambda: supervisor.state().seconds > 1)
        assert supervisor.state().running
        stopped = supervisor.stop()
    assert stopped.peak is not None
    assert 40 << 20 < stopped.peak.anonymous_bytes < 60 << 20
    last = stopped.series[-1]
    assert 40 << 20 < last.anonymous_bytes < 60 << 20


def test_the_watchdog_ends_what_takes_more(nothing_left: None) -> None:
    greedy = "import time\nx = bytearray(b'x' * (90 << 20))\ntime.sleep(600)"
    with supervised(greedy, limit=64 << 20, method=WATCHDOG) as supervisor:
        until(lambda: not supervisor.state().running)
        assert supervisor.state().killed == "memory"


def test_the_kernel_ends_one_worker_and_it_is_said(
    tmp_path: Path, short: None, nothing_left: None
) -> None:
    """Gunicorn starts another one, so the app goes on: what is killed there is killed here."""
    with Supervisor() as supervisor:
        if supervisor.limit_method == "watchdog":
            pytest.skip("no cgroup here")
    answer = """
if os.fork() == 0:
    KEPT.append(os.urandom(90_000_000))
time.sleep(600)"""
    result = rehearsed(write_app(tmp_path / "app", answer=answer), "--memory", "64M")
    assert set(codes(result)) == {"R15"}  # it answers nothing, but for that
    assert web(result).code is None
    assert web(result).limit.killed


@pytest.mark.slow
def test_where_the_system_has_no_cgroup_slugcheck_watches(tmp_path: Path, temporary: Path) -> None:
    """In a mount namespace without them, and without a manager of systemd."""
    answer = "KEPT.append(os.urandom(9_000_000)); self.say()"
    folder, file = write_app(tmp_path / "app", answer=answer), tmp_path / "r.json"
    command = [
        "unshare", "-m", "sh", "-c", 'umount -R -l /sys/fs/cgroup && exec "$@"', "sh",
        sys.executable, "-m", "slugcheck", "rehearse", str(folder), "--python", sys.executable,
        "--memory", "64M", "--requests", "20", "--output", str(file), "--quiet",
    ]  # fmt: skip
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TMPDIR": str(temporary)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        _, err = process.communicate(timeout=60)
    if process.returncode not in (0, 1):
        pytest.skip(f"no mount namespace here: {err.strip()[:100]}")
    run = web(budgets.load(file))
    assert run.limit.method == "watchdog"
    assert run.limit.killed
    assert run.judgements[0].code == "R15"
    assert left(temporary, process.pid) == ([], [], [])


# --------------------------------------------------------------------------- ends of slugcheck

MARK = 'open(os.environ["MARK"], "w").write("x"); '
STAGES: dict[str, dict[str, Any]] = {
    "boots": {"begin": MARK + "time.sleep(600)"},
    "is loaded": {"answer": f"{MARK} time.sleep(600) if KEPT else KEPT.append(1); self.say()"},
    "is ended": {"begin": f"signal.signal(signal.SIGTERM, lambda *_: [{MARK[:-2]}])"},
}
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "number"),
    [
        ("boots", signal.SIGINT),
        ("is loaded", signal.SIGTERM),
        ("is ended", signal.SIGINT),
        ("boots", signal.SIGKILL),
        ("is ended", signal.SIGKILL),
    ],
)
def test_nothing_is_left_of_a_run_that_is_ended_while_the_app(
    when: str, number: signal.Signals, tmp_path: Path, temporary: Path
) -> None:
    folder, mark = write_app(tmp_path / "app", **STAGES[when]), tmp_path / "mark"
    command = [
        sys.executable, "-m", "slugcheck", "rehearse", str(folder), "--python", sys.executable,
        "--requests", "5", "--env", f"MARK={mark}",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        if when == "is loaded":
            until(lambda: mark.exists() and left(temporary)[2] != [])
            time.sleep(0.3)
        until(mark.exists)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == CODES[number], err
    assert out == ""
    assert len(err.splitlines()) == (0 if number == signal.SIGKILL else 1)
    until(lambda: left(temporary, process.pid) == ([], [], []))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_run_that_is_ended_while_it_builds(
    number: signal.Signals, tmp_path: Path, temporary: Path
) -> None:
    """The hook has left its parent, and the environment is outside the run's own folder."""
    mark = tmp_path / "mark"
    hook = f"setsid bash -c 'echo $$ > {mark}; exec sleep 600' & wait"
    folder = write_app(tmp_path / "app", files={"bin/post_compile": hook})
    command = [
        sys.executable, "-m", "slugcheck", "rehearse", str(folder), "--python", MINOR, "--quiet",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until(lambda: mark.exists() and mark.read_text() != "")
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == CODES[number]
    until(lambda: left(temporary, process.pid) == ([], [], []))
    until(lambda: not Path(f"/proc/{mark.read_text().strip()}").exists())

"""However a run ends: its exit code is the right one, and nothing is left, running or lying."""

from __future__ import annotations

import os
import random
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import kills
from slugcheck.errors import MeasureError
from slugcheck.running import ending, temporary
from tests.support.server import PackageServer

pytestmark = [
    pytest.mark.usefixtures("private_caches"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]
RUN = [sys.executable, "-m", "slugcheck"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go: empty before, and to be empty after."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    package_server.add_wheel("webapp", "1.0", {"webapp.py": "x = 1\n" * 5000})
    return package_server


def arguments(index: PackageServer, path: Path, *more: str) -> list[str]:
    return [*RUN, str(path), "--index-url", index.index_url, "--python", "3.12", *more]


def shell(command: list[str], redirected: str, **more: str) -> subprocess.CompletedProcess[str]:
    words = " ".join(f"'{word}'" for word in command)
    return subprocess.run(
        ["sh", "-c", f"{words} {redirected}"], capture_output=True, text=True, check=False,
        timeout=60, env={**os.environ, **more},
    )  # fmt: skip


# --------------------------------------------------------------------------- exit codes


@pytest.mark.parametrize(
    ("what", "redirected", "code"),
    [
        ("check", ">&-", 3),
        ("check", ">/dev/full 2>/dev/full", 3),
        ("check", "2>&- <&-", 0),
        ("platforms", ">/dev/full", 3),
        ("platforms", ">&- 2>&-", 3),
        ("platforms", "2>/dev/full", 0),
        ("no-such-file", "2>&-", 2),
        ("--help", ">/dev/full", 3),
        ("--help", ">&-", 3),
        ("--version", ">&-", 3),
    ],
)
def test_streams_that_are_closed_or_full_are_never_taken_for_a_budget(
    index: PackageServer, tmp_path: Path, what: str, redirected: str, code: int
) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("webapp==1.0\n")
    command = arguments(index, path) if what == "check" else [*RUN, what]
    done = shell(command, redirected)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_budget_that_is_exceeded_is_1_only_where_it_could_be_told(
    index: PackageServer, tmp_path: Path
) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("webapp==1.0\n")
    command = arguments(index, path, "--limit", "slug=1kB")
    assert shell(command, ">/dev/null").returncode == 1
    assert shell(command, "2>&-").returncode == 1
    assert shell(command, ">&-").returncode == 3


WRAPPED = """
import sys
from slugcheck import cli
import slugcheck.commands.platforms as target
def raising(*a, **k):
    {}
target.command.callback = raising
sys.argv[1:] = ["platforms"]
cli.main()
"""


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        ("raise MemoryError", 3, "error: out of memory\n"),
        ("bytearray(10**12)", 3, "error: out of memory"),
        ("raise SystemExit(1)", 3, "error: bug in slugcheck: SystemExit\n"),
        ("sys.exit('no')", 3, "error: bug in slugcheck: SystemExit\n"),
        ("raise GeneratorExit", 3, "error: bug in slugcheck: GeneratorExit\n"),
        ("raise KeyboardInterrupt", 130, "error: interrupted\n"),
        ("raise RecursionError('deep')", 3, "bug in slugcheck; please report"),
        ("return raising()", 3, "RecursionError"),
        ("raise ValueError('\\x1b[31m')", 3, "ValueError"),
        ("import atexit; atexit.register(lambda: 1 / 0)", 0, ""),
        ("import threading; threading.Thread(target=lambda: 1 / 0).start()", 0, ""),
        ("import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()", 0, ""),
        ("raise BrokenPipeError", 3, "bug in slugcheck"),
        ("sys.stdout.write('x' * 10); sys.stdout.close()", 3, ""),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_no_end_that_was_not_foreseen_is_a_1(raised: str, code: int, said: str) -> None:
    bound = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9,) * 2)\n"
    done = subprocess.run(
        [sys.executable, "-c", bound + WRAPPED.format(raised)], capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert said in done.stderr


def test_what_cannot_be_imported_is_a_3(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ImportError('broken')\n")
    done = subprocess.run(
        [sys.executable, "-c", "from slugcheck.cli import main; main()", "."],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


# --------------------------------------------------------------------------- signals


@contextmanager
def silent_index() -> Iterator[tuple[str, socket.socket]]:
    """An index that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple/", server


CODES = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}
WORDS = {signal.SIGTERM: "terminated", signal.SIGHUP: "terminated", signal.SIGINT: "interrupted"}


@pytest.mark.parametrize("number", CODES)
def test_a_signal_ends_the_resolver_too_and_leaves_nothing(
    number: signal.Signals, tmp_path: Path, place: Path
) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("webapp==1.0\n")
    with silent_index() as (url, server):
        process = subprocess.Popen(
            [*RUN, str(path), "--index-url", url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        connection, _ = server.accept()
        with connection:
            assert list(place.rglob("requirements.in"))
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
            connection.settimeout(30)
            while connection.recv(65536):  # the resolver has ended: its connection is closed
                pass
    assert (process.returncode, out, err) == (CODES[number], "", f"error: {WORDS[number]}\n")
    assert list(place.iterdir()) == []


def test_what_is_ignored_stays_ignored(index: PackageServer, tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("webapp==1.0\n")
    with silent_index() as (url, server):
        words = " ".join(f"'{word}'" for word in [*RUN, str(path), "--index-url", url])
        process = subprocess.Popen(["sh", "-c", f"trap '' HUP; exec {words}"])
        connection, _ = server.accept()
        with connection:
            process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            assert process.poll() is None
            process.terminate()
            assert process.wait(30) == 143


def test_a_signal_while_it_starts_gives_no_traceback() -> None:
    chance = random.Random(3)
    for _ in range(8):
        # from the first line of slugcheck on: before it there is Python alone
        first = "import _signal, os; _signal.signal(2, _signal.SIG_DFL); os.write(1, b'x')"
        code = f"{first}; from slugcheck.__main__ import main; main(['--help'])"
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.read(1) == "x"
        time.sleep(chance.uniform(0, 0.08))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode in (0, 130, -signal.SIGINT)
        assert err in ("", "error: interrupted\n")


@pytest.mark.slow
def test_kills_at_random_points_change_no_figure_and_leave_nothing(tmp_path: Path) -> None:
    numbers = [signal.SIGKILL, signal.SIGTERM]
    with PackageServer() as server:
        table = kills.kill(kills.ground(server, tmp_path), 2, numbers, random.Random(12))
    assert "with other figures: 0; with something left in the temporary folder: 0" in table
    for line in table.splitlines():
        if line.startswith("SIG"):
            wrong_code, traceback = line.split()[5:7]
            assert (wrong_code, traceback) == ("0", "0"), table


# --------------------------------------------------------------------------- the deadline


def test_a_run_ends_by_itself_and_says_what_it_was_doing(tmp_path: Path, place: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("webapp==1.0\n")
    with silent_index() as (url, _):
        done = subprocess.run(
            [*RUN, str(path), "--index-url", url, "--timeout", "2s"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    line = "timed out after 2 s while resolving dependencies; allow more time with --timeout"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", f"error: {line}\n")
    assert list(place.iterdir()) == []


def test_the_deadline_ends_threads_that_hang_in_the_network(
    index: PackageServer, tmp_path: Path, place: Path
) -> None:
    path = tmp_path / "requirements.txt"
    with silent_index() as (url, _):
        path.write_text(f"x @ {url.removesuffix('simple/')}x-1.0-py3-none-any.whl\nwebapp==1.0\n")
        done = subprocess.run(
            arguments(index, path, "--timeout", "2s"),
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith("error: timed out after 2 s while ")
    assert len(done.stderr.splitlines()) == 1
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("command", ["check", "why", "compare", "init", "bench"])
@pytest.mark.parametrize("given", ["0", "soon", "-5", "9" * 50, ""])
def test_a_timeout_that_is_none_is_a_usage_error(command: str, given: str, tmp_path: Path) -> None:
    from tests.support.commands import slugcheck

    path = tmp_path / "requirements.txt"
    path.write_text("webapp==1.0\n")
    words: Mapping[str, list[str]] = {
        "check": [str(path)], "why": ["webapp", str(path)], "compare": [str(path), str(path)],
        "init": [str(path)], "bench": [],
    }  # fmt: skip
    done = slugcheck(command, *words[command], "--timeout", given)
    assert done.code == 2, done.err
    assert "--timeout" in done.err


# --------------------------------------------------------------------------- temporary folders


def test_the_next_run_removes_what_a_killed_one_left_and_nothing_else(place: Path) -> None:
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom slugcheck.running import temporary\n"
        "one = temporary.Folder()\n(one.path / 'inner').mkdir()\n"
        "(one.path / 'link').symlink_to(os.environ['OTHER'])\n"
        "outside = temporary.elsewhere(temporary.root() / 'abcdef')\noutside.__enter__()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    other = place.parent / "other"
    other.mkdir()
    (other / "kept").touch()
    environment = {**os.environ, "OTHER": str(other)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    left = {path.name for path in place.iterdir()}
    assert left == {f"slugcheck-{os.geteuid()}", "abcdef"}
    base = place / f"slugcheck-{os.geteuid()}"
    assert stat.S_IMODE(base.stat().st_mode) == 0o700
    (base / "run-link").symlink_to(other)
    (base / "somebody's").mkdir()
    temporary._swept.discard(base)
    with temporary.Folder() as living:
        again = subprocess.run(
            [sys.executable, "-c", "from slugcheck.running import temporary\ntemporary.Folder()"],
            check=False,
        )
        assert again.returncode == 0
        assert living.is_dir()  # its run lives
    assert not (place / "abcdef").exists()
    assert (other / "kept").exists()
    assert {path.name for path in base.iterdir()} <= {"run-link", "somebody's"} | {
        path.name for path in base.glob("run-*")
    }
    assert not list(base.glob("run-*/inner"))


def test_a_folder_that_somebody_else_prepared_is_not_used(place: Path) -> None:
    trap = place / "elsewhere"
    trap.mkdir(mode=0o777)
    (place / f"slugcheck-{os.geteuid()}").symlink_to(trap)
    with temporary.Folder() as folder:
        assert folder.is_dir()
        assert list(trap.iterdir()) == []
    assert sorted(path.name for path in place.iterdir()) == [
        "elsewhere", f"slugcheck-{os.geteuid()}"
    ]  # fmt: skip


def test_where_no_folder_can_be_made_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    monkeypatch.setattr("tempfile.tempdir", str(gone))
    with pytest.raises(MeasureError, match=r"gone cannot be written"):
        temporary.Folder()
    assert not ending.places

"""Other hosts than Linux: what they do not have is taken away, and the figures stay the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from slugcheck.errors import UsageError
from slugcheck.terminal import Terminal
from slugcheck.text import Inert
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

# Libraries choose their own way by the host when they are imported, so they come first.
PRELUDE = """
import builtins, os, sys, signal, subprocess, tempfile, shutil, selectors, socket, ssl
import types, asyncio, multiprocessing, concurrent.futures, zipfile, tarfile, uv, click, requests
import packaging.requirements, rich.console, rich.table, rich.progress, pip_requirements_parser
import platformdirs, pypi_simple, importlib.metadata, importlib.resources, logging, http.server

HOST = sys.argv.pop(1)
GONE = {
    "win32": "fork killpg waitid pidfd_open O_NOFOLLOW O_NONBLOCK O_CLOEXEC O_DIRECTORY getuid "
    "geteuid getgid getegid setsid getpgid sysconf mkfifo set_blocking P_PID WEXITED WNOWAIT "
    "getpgrp chown fchmod lchown",
    "darwin": "waitid pidfd_open P_PID WNOWAIT",
}[HOST]
for name in GONE.split():
    if hasattr(os, name):
        delattr(os, name)
MODULES = {"win32": "fcntl resource pwd grp termios", "darwin": ""}[HOST].split()
for name in MODULES:
    sys.modules[name] = None
if HOST == "win32":
    subprocess.signal = types.SimpleNamespace(**vars(signal))  # Popen.kill of this host needs it
    for name in ("SIGKILL", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGCHLD"):
        delattr(signal, name)
else:
    import resource
    del resource.prlimit

def without_proc(function):
    def call(path, *arguments, **named):
        if str(path).startswith(("/proc", "/dev/shm", "/sys")):
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return function(path, *arguments, **named)
    return call

builtins.open = without_proc(builtins.open)
os.open = without_proc(os.open)
sys.platform = "darwin"  # the standard library looks for programs as the real host does
sys.argv[0] = "slugcheck"
if sys.argv[1:2] != ["--each"]:
    from slugcheck.cli import main
    main()
import contextlib, io, json
from slugcheck.cli import run
ended = []
for command in json.loads(sys.argv[2]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(command)
    ended.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(ended))
"""
HOSTS = ("win32", "darwin")


@pytest.fixture(scope="module")
def prelude(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hosts") / "prelude.py"
    path.write_text(textwrap.dedent(PRELUDE))
    return path


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    server = package_server
    server.add_wheel("framework", "2.0", {"framework/__init__.py": "x = 1\n" * 200})
    server.add_wheel("framework", "1.0", {"framework/__init__.py": "x = 1\n" * 100})
    server.add_wheel("webapp", "1.0", {"webapp.py": "y = 2\n" * 900}, requires=("framework>=1",))
    server.add_sdist(
        "oldlib", "1.0", {"oldlib.py": "a = 1\n"}, requires_txt="",
        setup_py="from setuptools import setup\nsetup(name='oldlib', py_modules=['oldlib'])\n",
    )  # fmt: skip
    return server


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A small app in git, as a checkout on Windows has it: with CRLF everywhere."""
    folder = tmp_path / "app"
    (folder / "requirements").mkdir(parents=True)
    files = {
        "requirements.txt": "-r requirements/base.txt\r\noldlib==1.0\r\n",
        "requirements/base.txt": "webapp==1.0\r\nframework==2.0  # pinned\r\n",
        ".python-version": "3.12\r\n",
        "Procfile": "web: python app.py\r\n",
        "slugcheck.toml": '[budgets]\r\nslug = "300M"\r\n',
        ".slugignore": "docs\r\n",
        "app.py": "print(1)\r\n",
    }
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    for command in ("init -q -b main", "add -A", "commit -q -m one"):
        author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(["git", *author, *command.split()], cwd=folder, check=True)
    return folder


def environment(folder: Path, **more: str) -> dict[str, str]:
    # a run of Linux would sweep a folder for temporary files that is not locked
    (folder / "temporary").mkdir(exist_ok=True)
    return {
        **os.environ, "PYTHONPATH": str(Path.cwd()), "COLUMNS": "100",
        "SLUGCHECK_CACHE_DIR": str(folder / "cache"), "UV_CACHE_DIR": str(folder / "uv"),
        "TMPDIR": str(folder / "temporary"), **more,
    }  # fmt: skip


def run(
    prelude: Path, host: str, folder: Path, *arguments: object, **more: str
) -> subprocess.CompletedProcess[bytes]:
    start = [str(prelude), host] if host != "linux" else ["-m", "slugcheck"]
    command = [sys.executable, *start, *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env=environment(folder.parent, **more), capture_output=True,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def comparable(text: str) -> object:
    """Return a JSON document without what depends on the run: its time and its traffic."""

    def cleaned(value: object) -> object:
        if isinstance(value, dict):
            left_out = ("transfer", "seconds", "fetched", "via")
            return {key: cleaned(one) for key, one in value.items() if key not in left_out}
        return [cleaned(one) for one in value] if isinstance(value, list) else value

    return cleaned(json.loads(text))


def each(prelude: Path, host: str, folder: Path, *commands: Sequence[str]) -> list[Done]:
    """Run commands one after the other, in one process of a host."""
    done = run(prelude, host, folder, "--each", json.dumps(commands))
    assert done.returncode == 0, done.stderr.decode()
    return [Done(*ended) for ended in json.loads(done.stdout)]


@pytest.mark.slow
def test_the_figures_are_those_of_linux(
    prelude: Path, index: PackageServer, app: Path, private_caches: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(app)
    place = ("--index-url", index.index_url, "--format", "json")
    (app / "other.txt").write_text("framework==1.0\n")
    commands = (
        ("check", ".", *place, "--against", "HEAD"),
        ("check", "requirements.txt", *place),
        ("why", "framework", ".", *place),
        ("compare", "requirements.txt", "other.txt", *place),
    )
    expected = [slugcheck(*command) for command in commands]
    assert [done.code for done in expected] == [0] * 4
    for host in HOSTS:
        found = each(prelude, host, app, *commands)
        for command, done, linux in zip(commands, found, expected, strict=True):
            assert done.code == 0, f"{host} {command}: {done.err}"
            assert comparable(done.out) == comparable(linux.out), f"{host} {command}"


@pytest.mark.slow
@pytest.mark.parametrize("host", HOSTS)
def test_init_platforms_and_comment_run(
    prelude: Path, index: PackageServer, app: Path, plain_network: None, host: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    done = run(prelude, host, app, "init", ".", "--force", "--index-url", index.index_url)
    assert done.returncode == 0, done.stderr.decode()
    assert b"[budgets]" in (app / "slugcheck.toml").read_bytes()
    (app / "report.md").write_text("## report\n")
    monkeypatch.setenv("GITHUB_EVENT_PATH", "")
    shown, comment = each(prelude, host, app, ["platforms"], ["comment", "report.md"])
    assert "heroku" in shown.out
    assert comment.code == 0, comment.err
    assert "not for a pull request" in comment.err


@pytest.mark.slow
def test_a_console_of_cp1252_gets_ascii(
    prelude: Path, index: PackageServer, app: Path, plain_network: None
) -> None:
    more = {"PYTHONIOENCODING": "cp1252"}
    done = run(prelude, "win32", app, ".", "--index-url", index.index_url, **more)
    assert done.returncode == 0, done.stderr.decode("cp1252")
    assert done.stdout.isascii()
    assert b"FITS Heroku" in done.stdout
    help_text = run(prelude, "win32", app, "check", "--help", **more)
    assert help_text.returncode == 0
    assert b"\\u" not in help_text.stdout


@pytest.mark.parametrize("host", HOSTS)
def test_what_needs_linux_says_so(prelude: Path, app: Path, host: str) -> None:
    for done in each(prelude, host, app, ["bench"], ["check", ".", "--verify"]):
        assert (done.code, done.out) == (2, "")
        assert done.err.splitlines()[0].endswith("needs Linux")


def test_a_file_that_another_program_holds_open_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(self: Path, target: Path) -> Path:
        raise PermissionError(13, "The process cannot access the file", str(target))

    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(UsageError, match=r"report.json cannot be written: The process cannot"):
        Terminal().write_file(tmp_path / "report.json", Inert("{}"))
    assert list(tmp_path.iterdir()) == []

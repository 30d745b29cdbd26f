"""Nothing of the checked project runs: no module, no program, no configuration's command.

Every file that could run writes its name into ``witness``, so that an empty one is the proof.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from slugcheck.running import child
from slugcheck.running.child import Bounds, ChildError, LateError
from slugcheck.running.launcher import Launcher, Worker
from tests.support.loopback import LoopbackServer
from tests.support.osv import OsvServer
from tests.support.server import PackageServer

pytestmark = [
    pytest.mark.usefixtures("private_caches"),
    pytest.mark.skipif(sys.platform == "win32", reason="programs are scripts for sh"),
]
MODULES = (
    "pip_audit", "requests", "sitecustomize", "usercustomize", "json", "click", "venv", "pip",
    "runner", "packaging", "rich", "uv", "site", "encodings_", "certifi", "numpy", "onnxruntime",
)  # fmt: skip
PROGRAMS = ("git", "uv", "gzip", "python", "python3", "python3.12", "pip", "keyring", "pip-audit")
SCRIPT = Path(sys.executable).parent / "slugcheck"


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    return tmp_path / "witness"


@pytest.fixture
def checkout(tmp_path: Path, witness: Path) -> Path:
    """A git checkout with everything in it that might run by its name."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "requirements.txt").write_text("webapp==1.0\n")
    (folder / "app.py").write_text("print()\n")
    for name in MODULES:
        (folder / f"{name}.py").write_text(f"open({str(witness)!r}, 'a').write('{name}.py ')\n")
    (folder / "start.pth").write_text(f"import os; open({str(witness)!r}, 'a').write('pth ')\n")
    (folder / "bin").mkdir()
    for place in (folder, folder / "bin"):
        for name in PROGRAMS:
            program(place / name, witness, name)
    run = folder / "hook.sh"
    program(run, witness, "configuration")
    for key, value in {
        "core.fsmonitor": run, "core.hooksPath": folder / "bin", "core.pager": run,
        "core.sshCommand": run, "core.editor": run, "diff.external": run, "diff.x.textconv": run,
        "filter.x.clean": run, "filter.x.smudge": run, "filter.x.process": run,
        "alias.ls-files": f"!{run}", "alias.rev-parse": f"!{run}", "alias.cat-file": f"!{run}",
        "credential.helper": f"!{run}", "uploadpack.packObjectsHook": run, "gpg.program": run,
        "remote.origin.url": f"ext::{run}", "protocol.ext.allow": "always",
        "remote.origin.promisor": "true", "extensions.partialClone": "origin",
    }.items():  # fmt: skip
        git(folder, "config", key, str(value))
    (folder / ".gitattributes").write_text("*.py filter=x diff=x\n")
    for name in ("post-index-change", "pre-commit", "post-checkout", "fsmonitor-watchman"):
        program(folder / ".git" / "hooks" / name, witness, name)
    return folder


def program(path: Path, witness: Path, name: str) -> None:
    path.write_text(f"#!/bin/sh\necho '{name} ' >> {witness}\nexit 0\n")
    path.chmod(0o755)


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.fsmonitor=false")
    found = shutil.which("git")
    assert found is not None
    subprocess.run([found, "-C", str(folder), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    package_server.add_wheel("webapp", "1.0", {"webapp.py": "x = 1\n"})
    return package_server


def run_in(
    folder: Path, command: list[str], *arguments: str, **more: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **more}
    return subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


def hostile_path(folder: Path) -> str:
    """PATH as a careless CI has it: the project's own folders and the current one come first."""
    return os.pathsep.join([str(folder / "bin"), "", ".", "bin", os.environ["PATH"]])


@pytest.mark.parametrize(
    "command", [[str(SCRIPT)], [sys.executable, "-m", "slugcheck"]], ids=["script", "module"]
)
def test_check_with_everything_runs_nothing_of_the_checkout(
    checkout: Path, witness: Path, index: PackageServer, command: list[str]
) -> None:
    if not Path(command[0]).exists():
        pytest.skip("the command is not installed beside this Python")
    with OsvServer() as osv:
        done = run_in(
            checkout, command, ".", "--python", "3.12", "--index-url", index.index_url,
            "--audit", "--audit-url", osv.url, "--format", "json",
            PATH=hostile_path(checkout), PYTHONSTARTUP=str(checkout / "json.py"),
        )  # fmt: skip
    assert not witness.exists(), witness.read_text()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["audit"]["audited"] == 1
    assert osv.asked == [("webapp", "1.0")]


def test_a_base_is_read_without_running_what_its_configuration_names(
    checkout: Path, witness: Path, index: PackageServer, tmp_path: Path
) -> None:
    for key in ("filter.x.clean", "filter.x.process", "extensions.partialClone"):
        git(checkout, "config", "--unset", key)
    hooks = checkout / ".git" / "hooks"
    shutil.move(hooks, tmp_path / "hooks")
    git(checkout, "config", "core.hooksPath", "/dev/null")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "-m", "first")
    shutil.move(tmp_path / "hooks", hooks)
    git(checkout, "config", "core.hooksPath", str(checkout / "bin"))
    git(checkout, "config", "filter.x.process", str(checkout / "hook.sh"))
    witness.unlink(missing_ok=True)
    done = run_in(
        checkout, [sys.executable, "-m", "slugcheck"], ".", "--python", "3.12",
        "--index-url", index.index_url, "--against", "HEAD", "--format", "json",
        PATH=hostile_path(checkout),
    )  # fmt: skip
    assert not witness.exists(), witness.read_text()
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_an_audit_does_not_import_from_pythonpath(
    checkout: Path, witness: Path, index: PackageServer, tmp_path: Path
) -> None:
    # slugcheck itself is started with -I, as a careful CI does: its children must not see it either
    with OsvServer() as osv:
        done = run_in(
            checkout, [sys.executable, "-I", "-m", "slugcheck"], "requirements.txt",
            "--python", "3.12", "--index-url", index.index_url, "--audit", "--audit-url", osv.url,
            PYTHONPATH=str(checkout), PYTHONHOME="/nowhere", PIPAPI_PYTHON_LOCATION="./python",
        )  # fmt: skip
    assert not witness.exists(), witness.read_text()
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_verify_runs_no_module_and_no_program_of_the_app(
    checkout: Path, witness: Path, index: PackageServer
) -> None:
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    done = run_in(
        checkout, [sys.executable, "-m", "slugcheck"], "requirements.txt", "--python", minor,
        "--index-url", index.index_url, "--verify",
        PATH=hostile_path(checkout),
    )  # fmt: skip
    assert not witness.exists(), witness.read_text()
    assert done.returncode == 0, done.stderr


def test_workers_of_bench_import_nothing_of_the_current_folder(
    checkout: Path, witness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("PATH", hostile_path(checkout))
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    monkeypatch.setenv("CI_TOKEN", "s3cret")
    job = {"runtime": "onnx", "distributions": ["onnxruntime"]}
    worker = Worker(python=sys.executable, script="bench_describe.py", job=job, environment={})
    with Launcher() as launcher:
        ended = launcher.run(worker)
    assert ended.event("environment") is not None, ended
    assert "s3cret" not in json.dumps(worker.request())
    assert not witness.exists(), witness.read_text()


@pytest.mark.slow
def test_a_plot_does_not_follow_a_matplotlibrc_of_the_checkout(
    checkout: Path, witness: Path
) -> None:
    program(checkout / "bin" / "latex", witness, "latex")
    (checkout / "matplotlibrc").write_text("text.usetex: True\nbackend: module://runner\n")
    code = (
        "from slugcheck.render import plot\n"
        "from tests.support.benches import heavy, light, result\n"
        "assert plot.draw(result(heavy(), light()), '.svg').startswith(b'<?xml')\n"
    )
    root = str(Path(__file__).parent.parent.parent)
    done = run_in(
        checkout, [sys.executable, "-P", "-c", f"import sys; sys.path.append({root!r})\n{code}"],
        PATH=hostile_path(checkout),
    )  # fmt: skip
    assert not witness.exists(), witness.read_text()
    assert done.returncode == 0, done.stderr


# --------------------------------------------------------------------------- what a child sees


ECHO = "import json, os, sys; print(json.dumps([dict(os.environ), os.getcwd(), sys.path]))"


def test_a_child_sees_what_its_tool_needs_and_works_in_a_folder_of_its_own(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    for name in ("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "LD_PRELOAD_X", "BASH_ENV"):
        monkeypatch.setenv(name, "s3cret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    seen = child.environment(child.NETWORK)
    done = child.run(
        [sys.executable, "-I", "-c", ECHO],
        label="echo",
        environment=seen,
        bounds=Bounds(seconds=30),
    )
    environment, folder, path = json.loads(done.output)
    assert "s3cret" not in environment.values()
    assert environment["HTTPS_PROXY"] == "http://proxy:1"
    assert Path(folder) != checkout
    assert not Path(folder).exists()
    assert str(checkout) not in path


@pytest.mark.parametrize("place", ["", ".", "bin", "../checkout/bin", "{checkout}", "{link}"])
def test_no_program_is_taken_from_the_checkout(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "link").symlink_to(checkout / "bin")
    monkeypatch.chdir(checkout)
    entry = place.format(checkout=checkout / "bin", link=tmp_path / "link")
    monkeypatch.setenv("PATH", os.pathsep.join([entry, "/usr/bin", "/bin"]))
    assert child.environment()["PATH"] == os.pathsep.join(["/usr/bin", "/bin"])
    assert (child.which("git") or "/usr/").startswith(("/usr/", "/bin/"))


# --------------------------------------------------------------------------- what it may take


def python(code: str, bounds: Bounds) -> child.Ended:
    command = [sys.executable, "-I", "-c", code]
    return child.run(command, label="the tool", environment=child.environment(), bounds=bounds)


@pytest.mark.parametrize(
    ("code", "bounds", "error", "said"),
    [
        ("import time; time.sleep(600)", Bounds(seconds=0.3), LateError, "not finish within 0 s"),
        ("while True: print('x' * 99999)", Bounds(seconds=60, output=2**20), ChildError, "1 MiB"),
        ("import sys\nwhile True: sys.stderr.write('x' * 99999)", Bounds(seconds=60, output=2**20),
         ChildError, "printed more than"),
    ],
    ids=["time", "stdout", "stderr"],
)  # fmt: skip
def test_a_child_has_bounds(code: str, bounds: Bounds, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        python(code, bounds)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux")
def test_a_child_has_a_bound_of_memory() -> None:
    code = "import time\nheld = []\nwhile True: held.append(bytearray(10**7)); time.sleep(0.001)"
    with pytest.raises(ChildError, match="needed more than 700 MB of memory"):
        python(code, Bounds(seconds=60))
    at_once = python("bytearray(5 * 10**9)", Bounds(seconds=60))
    assert at_once.code != 0
    assert "MemoryError" in at_once.errors


def test_what_a_child_leaves_in_the_background_ends_with_it() -> None:
    code = (
        "import subprocess, sys\n"
        "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(one.pid)"
    )
    began = time.monotonic()
    done = python(code, Bounds(seconds=60))
    assert time.monotonic() - began < 30
    number = int(done.output)
    end = time.monotonic() + 10
    while _runs(number):
        assert time.monotonic() < end
        time.sleep(0.01)


def _runs(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class _Endless(BaseHTTPRequestHandler):
    """An index page that never ends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        link = b'<a href="webapp-1.0-py3-none-any.whl">webapp-1.0-py3-none-any.whl</a>\n' * 9000
        try:
            while True:
                self.wfile.write(link)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def endless() -> Iterator[str]:
    with LoopbackServer(_Endless) as server:
        yield f"http://{server.address}/simple/"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux")
def test_an_endless_index_page_is_stopped_before_it_takes_a_gigabyte(
    endless: str, requirements: Callable[..., Path], tmp_path: Path
) -> None:
    path = requirements("webapp\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "slugcheck", str(path), "--index-url", endless],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    most = 0
    while process.poll() is None:
        most = max(most, _memory_of_tree(process.pid))
        time.sleep(0.01)
    out, err = process.communicate()
    assert (process.returncode, out) == (3, ""), err
    assert err.startswith("error: uv, the resolver, ")
    assert "needed more than 700 MB" in err or "needed more than 800 MB of memory together" in err
    assert len(err.splitlines()) == 2
    assert most < 1000 * 10**6


def _memory_of_tree(number: int) -> int:
    found = 0
    try:
        found += int(Path(f"/proc/{number}/statm").read_text().split()[1]) * 4096
        for task in Path(f"/proc/{number}/task").iterdir():
            for one in (task / "children").read_text().split():
                found += _memory_of_tree(int(one))
    except OSError:
        return found
    return found

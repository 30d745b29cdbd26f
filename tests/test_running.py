"""Child processes, deadlines and temporary folders: the bounds, to the byte and to the word."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slugcheck.errors import MeasureError
from slugcheck.running import child, deadline, ending, launcher, temporary
from slugcheck.running.child import Bounds, ChildError, LateError, MemoryBoundError
from slugcheck.running.launcher import Launcher, Worker
from slugcheck.running.spawner import clean_environment
from tests.support.benches import script
from tests.support.verifying import temporary as place

__all__ = ["place"]

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


def run(code: str, *, sent: bytes = b"", merged: bool = False, **bounds: Any) -> child.Ended:
    return child.run(
        [sys.executable, "-ISc", code], label="the tool", environment=child.environment(),
        bounds=Bounds(**({"seconds": 20.0} | bounds)), sent=sent, merged=merged,
    )  # fmt: skip


# --------------------------------------------------------------------------- children


def test_a_child_gives_its_code_and_both_streams() -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    ended = run(code)
    assert (ended.code, ended.output, ended.errors) == (7, "out\n", "err\n")
    both = run(code, merged=True)
    assert sorted(both.output.split()) == ["err", "out"]
    assert both.err == b""


def test_a_child_reads_all_that_is_sent_however_slowly_it_reads() -> None:
    sent = os.urandom(3 * 2**20)
    code = (
        "import sys, hashlib, time; time.sleep(0.2)\n"
        "print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
    )
    assert run(code, sent=sent).output.strip() == hashlib.sha256(sent).hexdigest()
    # one that reads no more is not waited for, and its output still counts
    assert run("print(1)", sent=sent).output == "1\n"


def test_output_is_bounded_over_both_streams_together() -> None:
    half = 2**19
    code = (
        f"import os; os.write(1, b'x' * {half}); os.write(2, b'y' * {half})\n"
        "import sys; sys.stdout.write('z' * {0})"
    )
    fits = run(code.format(0), output=2**20)
    assert (len(fits.out), len(fits.err)) == (half, half)
    with pytest.raises(ChildError, match="the tool printed more than 1 MiB"):
        run(code.format(1), output=2**20)


def test_a_child_that_is_late_is_ended_and_named() -> None:
    began = time.monotonic()
    with pytest.raises(LateError, match=r"the tool did not finish within 1 s"):
        run("import time; time.sleep(600)", seconds=0.6)
    assert time.monotonic() - began < 15


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux")
def test_memory_is_bounded_for_each_child_and_for_all_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hold = "import time; held = bytearray(80 * 10**6); time.sleep(20)"
    with pytest.raises(MemoryBoundError, match="the tool needed more than 50 MB of memory"):
        run(hold, memory=50 * 10**6)
    assert child._sizes == {}
    briefly = hold.replace("20)", "0.6)")
    with pytest.raises(MemoryBoundError):  # it is looked at often
        run(briefly, memory=50 * 10**6)
    watch = child._Watch(os.getpid(), 10**12)
    monkeypatch.setattr(child, "_TOGETHER", 10**12)
    assert watch.exceeded("the tool") is None
    own = child._sizes[os.getpid()]
    assert own > 10**6
    try:
        monkeypatch.setattr(child, "_TOGETHER", 10**6)
        assert "needed more than 1 MB of memory together" in (watch.exceeded("the tool") or "")
        child._sizes[-1] = 10**12  # another one is larger: that one has to go
        assert watch.exceeded("the tool") is None
    finally:
        child._sizes.clear()
    assert child._resident(2**30) == 0


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("PATH", True), ("LC_ALL", True), ("HOME", True), ("TMPDIR", True),
        ("XDG_CACHE_HOME", True), ("PYTHONPATH", False), ("GITHUB_TOKEN", False),
        ("MY_PATH", False), ("PATHS", False), ("UV_INDEX", False), ("HTTPS_PROXY", False),
        ("lc_all", False),
    ],
)  # fmt: skip
def test_a_child_gets_what_every_tool_needs(name: str, kept: bool) -> None:
    assert (name in child.environment(environ={name: "/bin"})) is kept
    assert "HTTPS_PROXY" in child.environment(child.NETWORK, environ={"HTTPS_PROXY": "x"})
    assert "all_proxy" in child.environment(child.NETWORK, environ={"all_proxy": "x"})
    assert "UV_INDEX" in child.environment("UV_INDEX", environ={"UV_INDEX": "x"})


@posix
def test_the_path_leaves_out_the_checkout_and_what_is_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, outside, sibling = tmp_path / "app", tmp_path / "bin", tmp_path / "app-tools"
    for folder in (checkout / "tools", outside, sibling):
        folder.mkdir(parents=True)
    (checkout / ".git").mkdir()
    (outside / "link").symlink_to(checkout / "tools")
    monkeypatch.setattr(child, "_distrusted", set())
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    everything = [
        str(checkout), str(checkout / "tools"), str(outside), str(sibling), "relative", "",
        str(outside / "link"),
    ]  # fmt: skip
    path = os.pathsep.join(everything)
    assert str(checkout / "tools") in child.safe_path(path).split(os.pathsep)
    child.distrust(checkout / "requirements.txt")
    assert child.safe_path(path).split(os.pathsep) == [str(outside), str(sibling)]
    for folder in (checkout / "tools", outside):
        program = folder / "a-tool"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{checkout / 'tools'}{os.pathsep}{outside}")
    assert child.which("a-tool") == str(outside / "a-tool")
    assert child.which("no-such-tool") is None
    assert child.environment()["PATH"] == str(outside)


@posix
def test_a_program_is_found_on_the_childs_own_path(tmp_path: Path) -> None:
    program = tmp_path / "own-tool"
    program.write_text("#!/bin/sh\npwd\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}/bin"}
    bounds = Bounds(seconds=20)
    ended = child.run(["own-tool"], label="x", environment=environment, bounds=bounds)
    where = Path(ended.output.strip())
    assert where.parent.name.startswith("run-")
    assert not where.exists()  # an empty folder of its own, gone with it
    here = child.run(["own-tool"], label="x", environment=environment, bounds=bounds, cwd=tmp_path)
    assert here.output.strip() == str(tmp_path)
    with pytest.raises(FileNotFoundError, match="no-such-tool is not installed"):
        child.run(["no-such-tool"], label="x", environment=environment, bounds=bounds)


def test_a_module_imports_from_our_environment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".venv").mkdir()
    child_paths = [str(tmp_path), "relative", str(tmp_path / ".venv"), "/usr/lib/somewhere"]
    monkeypatch.setattr(sys, "path", child_paths)
    monkeypatch.setattr(child, "_distrusted", {str(tmp_path)})
    command = child.python_module("a_module")
    assert command[:4] == [sys.executable, "-I", "-S", "-c"]
    assert command[-2:] == ["/usr/lib/somewhere", "a_module"]
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    own = child.python_module("a_module")[-2].split(os.pathsep)
    assert own == [str(tmp_path / ".venv"), "/usr/lib/somewhere"]


def test_a_child_that_ended_is_not_signalled_again() -> None:
    with child.started(
        [sys.executable, "-ISc", "pass"], environment=child.environment()
    ) as process:
        assert process.pid in ending.processes
        while not child.has_ended(process):
            time.sleep(0.01)
        assert child.has_ended(process)
    assert process.returncode == 0
    assert process.pid not in ending.processes
    assert child.has_ended(process)


# --------------------------------------------------------------------------- the deadline


@pytest.fixture
def quiet_deadline() -> Iterator[None]:
    yield
    deadline.stop()


@pytest.mark.usefixtures("quiet_deadline")
def test_what_is_left_of_the_time() -> None:
    assert deadline.left() == float("inf")
    deadline.begin(100)
    assert 90 < deadline.left() <= 100
    deadline.begin(10**12)  # longer than a thread can wait
    assert deadline.left() <= 10**7
    names = [thread.name for thread in threading.enumerate()]
    assert "deadline" in names
    deadline.stop()
    assert deadline.left() == float("inf")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (600, "10 min")],
)
def test_the_time_in_words(seconds: float, text: str) -> None:
    expected = f"timed out after {text}; allow more time with --timeout"
    assert deadline.sentence(seconds) == expected


def test_what_was_being_done_is_named_with_its_progress() -> None:
    def said() -> str:
        return deadline.sentence(60).partition(" while ")[2].partition(";")[0]

    assert said() == ""
    deadline.now_doing("nothing")  # outside of any step
    deadline.counted(1, 5)
    assert said() == ""
    with deadline.doing("reading wheels"):
        assert said() == "reading wheels"
        deadline.counted(3, 9)
        assert said() == "reading wheels (3 of 9)"
        deadline.counted(3, 0)
        assert said() == "reading wheels"
        with deadline.doing("asking"):
            assert said() == "asking"
            deadline.counted(1, 2)
        assert said() == "reading wheels"
        deadline.now_doing("reading more")
        assert said() == "reading more"
    assert said() == ""


# --------------------------------------------------------------------------- temporary folders


@posix
def test_folders_of_a_run_share_one_and_go_with_the_last(place: Path) -> None:
    first, second = temporary.Folder(), temporary.Folder()
    assert first.path.parent == second.path.parent
    assert first.path.parent.parent == place / f"slugcheck-{os.geteuid()}"
    assert stat.S_IMODE(first.path.parent.parent.stat().st_mode) == 0o700
    assert {str(first.path), str(second.path)} <= set(ending.places)
    (first.path / "file").write_text("x")
    assert first.close() == ""
    assert first.close() == ""  # again is fine
    assert not first.path.exists()
    assert second.path.exists()
    second.close()
    assert list(place.iterdir()) == []
    assert not {str(first.path), str(second.path)} & set(ending.places)


@posix
def test_a_read_only_folder_inside_is_removed_too(place: Path) -> None:
    with temporary.Folder() as folder:
        inner = folder / "a" / "b"
        inner.mkdir(parents=True)
        (inner / "file").write_text("x")
        inner.chmod(0o500)
        inner.parent.chmod(0o500)
    assert list(place.iterdir()) == []


@posix
@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_base_that_others_can_enter_is_not_used(place: Path, mode: int) -> None:
    base = place / f"slugcheck-{os.geteuid()}"
    base.mkdir()
    base.chmod(mode)
    with temporary.Folder() as folder:
        assert folder.parent.parent == place
        assert folder.parent.name.startswith("slugcheck-")
        assert folder.parent != base
    assert list(place.iterdir()) == [base]


@posix
def test_runs_that_died_are_swept_and_others_are_not(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary, "_swept", set())
    base = place / f"slugcheck-{os.geteuid()}"
    base.mkdir(mode=0o700)
    dead, open_, other = base / "run-dead", base / "run-open", base / "else"
    for folder in (dead, open_, other):
        folder.mkdir(mode=0o700)
        (folder / "file").write_text("x")
    open_.chmod(0o755)
    outside, innocent = place / "outside", place / "innocent"
    for folder in (outside, innocent):
        folder.mkdir(mode=0o700)
    status = outside.stat()
    (dead / f"elsewhere-{status.st_dev}-{status.st_ino}").symlink_to(outside)
    (dead / f"elsewhere-{status.st_dev}-{status.st_ino + 10**6}").symlink_to(innocent)
    with temporary.Folder():
        pass
    assert not dead.exists()
    assert not outside.exists()
    assert innocent.exists()  # the link names another folder than the one it leads to
    assert open_.exists()
    assert other.exists()


@posix
def test_a_run_that_lives_is_not_swept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with temporary.Folder() as folder:
        monkeypatch.setattr(temporary, "_runs", {})
        monkeypatch.setattr(temporary, "_swept", set())
        with temporary.Folder() as other:
            assert other.parent != folder.parent
            assert folder.exists()


@posix
def test_a_folder_elsewhere_is_owned_and_left_to_its_maker(place: Path, tmp_path: Path) -> None:
    folder = tmp_path / "short"
    with temporary.elsewhere(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (run_folder,) = (place / f"slugcheck-{os.geteuid()}").iterdir()
        (link,) = run_folder.iterdir()
        status = folder.stat()
        assert link.name == f"elsewhere-{status.st_dev}-{status.st_ino}"
        assert link.readlink() == folder
        assert str(folder) in ending.places
    assert folder.exists()
    assert str(folder) not in ending.places
    assert list(place.iterdir()) == []
    with pytest.raises(OSError, match="exists"), temporary.elsewhere(folder):
        pass


def test_a_file_beside_another_is_moved_or_removed(tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    with temporary.beside(target, ".new-") as written:
        assert written.parent == tmp_path
        assert written.name.startswith(".new-")
        assert str(written) in ending.places
        written.write_text("1")
        written.replace(target)
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
    with pytest.raises(ValueError, match="stop"), temporary.beside(target, ".new-") as written:
        raise ValueError("stop")
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_no_place_for_temporary_files_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    with pytest.raises(MeasureError, match="cannot be written") as raised:
        temporary.Folder()
    assert raised.value.hint == "set TMPDIR to a folder with free space"


# --------------------------------------------------------------------------- workers of bench


def test_workers_begin_with_a_clean_environment() -> None:
    kept = clean_environment({"PATH": "/bin", "LANG": "C", "PYTHONPATH": "x", "SECRET": "y"})
    assert "PYTHONPATH" not in kept
    assert "SECRET" not in kept
    assert kept["PATH"] == "/bin"
    assert clean_environment({}) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import os; os.kill(os.getpid(), 10)", "at its start: ended by signal 10"),
        ("import sys; sys.exit('a\\nlast line\\n\\n')",
         "at its start: it exited with code 1 before it finished: last line"),
        ("print('{\"event\": \"failed\", \"kind\": \"KeyError\", \"reason\": \"\"}')",
         "at its start: KeyError"),
        ("print('{\"event\": \"failed\", \"kind\": \"SystemExit\", \"reason\": \"why\"}')",
         "at its start: why"),
        ("print('{\"event\": \"end\"}')", ""),
    ],
)  # fmt: skip
def test_how_a_worker_ended_in_words(tmp_path: Path, text: str, problem: str) -> None:
    with Launcher() as launcher:
        folder = launcher.folder
        ended = launcher.run(script(tmp_path, text))
        assert ended.problem == problem
        assert folder.is_dir()
        assert str(folder) in ending.places
    assert not folder.exists()
    assert str(folder) not in ending.places


@pytest.mark.parametrize(
    ("times", "problem"),
    [({"silence": 0.6, "total": 60}, "it hung: no output for 1 s"),
     ({"silence": 60, "total": 0.6}, "it did not finish within 1 s")],
)  # fmt: skip
def test_a_worker_that_is_late_says_by_which_clock(
    tmp_path: Path, times: dict[str, float], problem: str
) -> None:
    with Launcher() as launcher:
        ended = launcher.run(script(tmp_path, "import time; time.sleep(60)"), **times)  # type: ignore[arg-type]
    assert ended.problem == f"at its start: {problem}"
    assert ended.late == ("silence" if times["silence"] < 1 else "total")
    assert ended.seconds < 30


def told(*events: str, failed: tuple[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """What the launcher answers of a worker whose events came this far."""
    said: list[dict[str, Any]] = [{"event": name} for name in events]
    if failed:
        said.append({"event": "failed", "kind": failed[0], "reason": failed[1]})
    return {"events": said, "garbage": None, "late": "", "code": 1, "output": ""} | more


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (told("baseline", "end"), ""),
        (told(), "at its start: it exited with code 1 before it finished"),
        (told("baseline", code=3, output="a\n\n why \n"),
         "importing the runtime: it exited with code 3 before it finished: why"),
        (told("baseline", "import", code=-9),
         "loading the model: killed, as happens when the system runs out of memory"),
        (told("load", code=-11), "at the first inference: a segmentation fault"),
        (told("first", code=-4), "in the timed loop: an illegal instruction: the runtime was built "
                                 "for another processor"),
        (told("beat", code=-6), "in the timed loop: it aborted"),
        (told("steady", code=-7), "after the timed loop: a bus error"),
        (told("steady", code=-15), "after the timed loop: ended by signal 15"),
        (told("load", code=None, output="last"), "at the first inference: it stopped responding: "
                                                 "last"),
        (told("load", garbage="hello"),
         "at the first inference: it printed unexpected output: 'hello'"),
        (told("load", late="silence"), "at the first inference: it hung: no output for 7 s"),
        (told("load", late="total"), "at the first inference: it did not finish within 60 s"),
        (told("baseline", failed=("ModuleNotFoundError", "No module named 'torch'")),
         "importing the runtime: No module named 'torch'"),
        (told("import", "x", failed=("ValueError", "bad model")),
         "loading the model: ValueError: bad model"),
        (told(failed=("MemoryError", "")), "at its start: MemoryError"),
    ],
)  # fmt: skip
def test_where_and_why_a_worker_ended_is_one_sentence(answer: dict[str, Any], problem: str) -> None:
    assert launcher._problem(answer, silence=7.0, total=60.0) == problem


def test_a_worker_that_cannot_be_started_or_limited_says_so(tmp_path: Path) -> None:
    with Launcher() as running:
        made = Worker(
            python=str(tmp_path / "none"), script="bench_describe.py", job={}, environment={}
        )
        ended = running.run(made)
    assert ended.problem.startswith(f"{tmp_path / 'none'} cannot be started: ")
    assert (ended.events, ended.code) == ((), None)


def test_a_launcher_that_has_ended_is_one_sentence() -> None:
    with Launcher() as running:
        running._process.kill()
        running._process.wait()
        with pytest.raises(MeasureError) as raised:
            running.evict(())
    assert str(raised.value) == "the process that starts workers has ended unexpectedly"
    assert raised.value.hint == "is the machine out of memory? run it again"

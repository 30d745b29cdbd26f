"""Workers that do well, crash, hang, are killed, talk nonsense; and nothing left behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slugcheck.benching import trials
from slugcheck.errors import MeasureError
from slugcheck.model.bench import Outcome
from slugcheck.running.launcher import Ended, Launcher, Worker
from slugcheck.running.spawner import clean_environment
from tests.support.benches import MIB, script

TELL = "import json, os, sys, time\ndef tell(**v): print(json.dumps(v), flush=True)\n"
END = "tell(event='end')\n"


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    with Launcher() as found:
        yield found


def run(launcher: Launcher, folder: Path, text: str, **more: float) -> Ended:
    return launcher.run(script(folder, TELL + text), **more)  # type: ignore[arg-type]


# --------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tell(event='baseline'); os.abort()", "importing the runtime: it aborted"),
        ("tell(event='import'); os.kill(os.getpid(), 9)", "loading the model: killed, as "
         "happens when the system runs out of memory"),
        ("tell(event='load'); os.kill(os.getpid(), 11)", "at the first inference: a segmentation "
         "fault"),
        ("print('hello')", "at its start: it printed unexpected output: 'hello'"),
        ("print('[1]')", "at its start: it printed unexpected output: '[1]'"),
        ("print('trouble', file=sys.stderr); sys.exit(4)", "at its start: it exited with code 4 "
         "before it finished: trouble"),
        ("tell(event='first'); tell(event='failed', kind='ValueError', reason='no')",
         "in the timed loop: ValueError: no"),
        ("pass", "at its start: it exited with code 0 before it finished"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_worker_that_goes_wrong_is_one_line(
    launcher: Launcher, tmp_path: Path, text: str, problem: str
) -> None:
    ended = run(launcher, tmp_path, text)
    assert ended.problem == problem


def test_a_worker_that_hangs_is_ended_after_its_silence(launcher: Launcher, tmp_path: Path) -> None:
    hang = "tell(event='import', pid=os.getpid()); time.sleep(600)"
    ended = run(launcher, tmp_path, hang, silence=0.5)
    assert ended.late == "silence"
    assert ended.problem.startswith("loading the model: it hung: no output for")
    _gone(ended.events[0]["pid"])


def test_a_worker_that_talks_on_for_ever_is_ended_after_its_time(
    launcher: Launcher, tmp_path: Path
) -> None:
    beats = "while True: tell(event='beat'); time.sleep(0.05)"
    ended = run(launcher, tmp_path, beats, total=0.6)
    assert ended.late == "total"


def test_a_long_line_of_nonsense_does_not_fill_the_memory(
    launcher: Launcher, tmp_path: Path
) -> None:
    ended = run(launcher, tmp_path, "sys.stdout.write('x' * 5_000_000); sys.stdout.flush()")
    assert "it printed unexpected output: 'xxx" in ended.problem
    assert len(ended.problem) < 200


def test_an_interpreter_that_is_none_is_told(launcher: Launcher, tmp_path: Path) -> None:
    worker = Worker(python=str(tmp_path), script="bench_infer.py", job={}, environment={})
    assert "cannot be started" in launcher.run(worker).problem


def test_children_of_a_worker_end_with_it(launcher: Launcher, tmp_path: Path) -> None:
    text = (
        "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
        "tell(event='import', pid=child.pid); time.sleep(600)"
    )
    ended = run(launcher, tmp_path, text, silence=0.5)
    _gone(ended.events[0]["pid"])


def test_closing_ends_everything_and_removes_the_folder(tmp_path: Path) -> None:
    launcher = Launcher()
    folder = launcher.folder
    (folder / "outputs").mkdir()
    assert folder.is_dir()
    launcher.close()
    assert not folder.exists()
    with pytest.raises((MeasureError, ValueError)):
        launcher.run(script(tmp_path, END))


def test_the_environment_of_workers_has_no_settings_of_ours() -> None:
    found = clean_environment(
        {"PATH": "/bin", "OMP_NUM_THREADS": "64", "PYTHONPATH": "x", "LD_PRELOAD": "y",
         "MALLOC_ARENA_MAX": "1", "HOME": "/h", "SECRET_TOKEN": "s"}
    )  # fmt: skip
    assert found == {"PATH": "/bin", "HOME": "/h"}


def _gone(pid: int) -> None:
    """The process is gone, or a zombie that somebody else has to reap."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still there")


# --------------------------------------------------------------------------- memory


MEMORY = """
sys.path.insert(0, os.environ['WORKERS'])
import bench_memory
block = bytearray(int(os.environ.get('MB', '0')) * 10**6)
for place in range(0, len(block), 4096): block[place] = 1
tell(event='seen', **bench_memory.now())
tell(event='end')
"""


def seen(launcher: Launcher, folder: Path, mb: int = 0) -> dict[str, int]:
    from slugcheck.running.spawner import WORKERS

    worker = script(folder, TELL + MEMORY)
    worker = Worker(
        python=worker.python, script=worker.script, job={},
        environment={"WORKERS": str(WORKERS), "MB": str(mb)},
    )  # fmt: skip
    ended = launcher.run(worker)
    assert not ended.problem
    return ended.event("seen") or {}


def test_a_parent_that_holds_500_mb_changes_no_figure_of_a_worker(tmp_path: Path) -> None:
    with Launcher() as launcher:
        alone = seen(launcher, tmp_path)
    block = bytearray(500 * 10**6)
    for place in range(0, len(block), 4096):
        block[place] = 1
    with Launcher() as launcher:
        beside = seen(launcher, tmp_path)
    assert len(block) == 500 * 10**6
    for kind in ("rss", "peak", "anon"):
        assert beside[kind] < 60 * 10**6
        assert abs(beside[kind] - alone[kind]) < 3 * 10**6


def test_what_a_worker_allocates_is_in_its_figures(launcher: Launcher, tmp_path: Path) -> None:
    small, large = seen(launcher, tmp_path), seen(launcher, tmp_path, mb=100)
    for kind in ("rss", "peak", "anon", "pss", "uss"):
        assert 95 * 10**6 < large[kind] - small[kind] < 110 * 10**6


# --------------------------------------------------------------------------- limits


GROW = """
tell(event='import')
blocks = []
for _ in range(60):
    block = bytearray(4 * 2**20)
    for place in range(0, len(block), 4096): block[place] = 1
    blocks.append(block)
    time.sleep(0.004)
tell(event='end')
"""


def limited(launcher: Launcher, folder: Path, how: dict[str, object], mib: int) -> Ended:
    worker = script(folder, TELL + GROW)
    return launcher.run(worker, total=20, silence=20, limit={**how, "bytes": mib * MIB})


@pytest.fixture
def way(launcher: Launcher) -> dict[str, object]:
    found = trials.way(launcher)
    if found["kind"] == "watchdog":
        pytest.skip("this machine lets nobody set a memory limit that a kernel holds")
    return found


def test_a_kernels_limit_ends_a_worker_that_grows_beyond_it(
    launcher: Launcher, tmp_path: Path, way: dict[str, object]
) -> None:
    ended = limited(launcher, tmp_path, way, 96)
    assert trials.judge(ended, None) in (Outcome.KILLED, Outcome.STALLED)
    assert ended.limit is not None
    assert 50 * MIB < ended.limit["peak"] < 110 * MIB
    assert not Path(str(way["folder"]) or "/nowhere").exists()


def test_within_a_kernels_limit_it_runs_to_its_end(
    launcher: Launcher, tmp_path: Path, way: dict[str, object]
) -> None:
    ended = limited(launcher, tmp_path, way, 400)
    assert ended.problem == ""
    assert trials.judge(ended, None) is Outcome.OK
    assert not Path(str(way["folder"]) or "/nowhere").exists()


def test_a_watchdog_kills_as_well(launcher: Launcher, tmp_path: Path) -> None:
    how: dict[str, object] = {"kind": "watchdog", "folder": ""}
    ended = limited(launcher, tmp_path, how, 96)
    assert trials.judge(ended, None) is Outcome.KILLED
    assert limited(launcher, tmp_path, how, 400).problem == ""


def test_an_answer_that_took_many_times_the_usual_is_slow(
    launcher: Launcher, tmp_path: Path
) -> None:
    text = "tell(event='first', since_spawn=6.0); tell(event='end')"
    ended = run(launcher, tmp_path, text)
    assert trials.judge(ended, 1.0) is Outcome.SLOW
    assert trials.judge(ended, 4.0) is Outcome.OK


def test_evicting_says_how_much_it_was(launcher: Launcher, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    assert launcher.evict([str(tmp_path)]) == 100_000
    assert launcher.evict([str(tmp_path / "none")]) == 0

"""``slugcheck rehearse`` on small real apps, and what check and compare make of its result."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from slugcheck.model.rehearsal import ProcessRun, RehearsalResult, Stage
from slugcheck.rehearsing import budgets, lifecycle
from tests.support.commands import Done, slugcheck
from tests.support.rehearsals import (
    codes,
    nothing_left,
    rehearse,
    rehearsed,
    short,
    web,
    write_app,
)
from tests.support.schemas import held
from tests.support.server import PackageServer
from tests.support.verifying import MINOR, own_caches, temporary, uv_cache

__all__ = ["nothing_left", "own_caches", "short", "temporary", "uv_cache"]

pytestmark = [
    pytest.mark.usefixtures("private_caches"),
    pytest.mark.skipif(sys.platform != "linux", reason="rehearse needs Linux"),
]

FLASK = """
import hashlib, json, os, sys
from flask import Flask, request
app = Flask(__name__)
with open(os.environ["SEEN"], "a") as seen:
    there = sorted(name for name in os.listdir() if name.startswith("from-"))
    seen.write(json.dumps([dict(os.environ), there]) + "\\n")
@app.get("/")
def start():
    return "ready"
@app.post("/up")
def up():
    data = request.files["image"].read()
    return {"sha": hashlib.sha256(data).hexdigest(), "kind": request.form["kind"]}
"""
PROCFILE = """
release: touch from-release && echo released
web: python -m gunicorn app:app
worker: python -S -c 'import time; kept = bytearray(9_000_000); time.sleep(600)'
clock: echo tick
"""
PICTURE = b"\xff\xd8 a picture"


@dataclass(frozen=True)
class Shared:
    """One rehearsal that many tests look at."""

    done: Done
    result: RehearsalResult
    folder: Path
    file: Path
    seen: list[tuple[dict[str, str], list[str]]]  # the environment, and files that are there

    def run(self, name: str) -> ProcessRun:
        return next(run for run in self.result.processes if run.name == name)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """Flask with gunicorn, a release phase, a worker, a clock that ends, and .profile.d."""
    top = tmp_path_factory.mktemp("shared")
    folder, file, seen, picture = top / "app", top / "r.json", top / "seen", top / "leaf.jpg"
    write_app(
        folder,
        procfile=PROCFILE,
        files={
            "app.py": FLASK,
            ".profile.d/one.sh": "export FROM_PROFILE=yes",
            ".slugignore": "from-here\n",
            "from-here": "",
        },
    )
    picture.write_bytes(PICTURE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "WATCH_SECONDS", 0.5)
        patch.setenv("OF_THIS_SHELL", "1")
        patch.setenv("PASSED_ON", "on")
        done = rehearse(
            folder, "--release", "--process", "web", "--process", "worker", "--process", "clock",
            "--env", f"SEEN={seen}", "--env", "PASSED_ON", "--env", "OWN=a=b",
            "--request", "3x GET / => 200 ready",
            "--request", f"POST /up image=@{picture} kind=leaf => 200 leaf",
            f"--output={file}", f"--output={top / 'r.md'}",
            f"--output={top / 'r.txt'}", "--plot", top / "r.svg", "--concurrency", "2", count=40,
        )  # fmt: skip
    lines = [json.loads(line) for line in seen.read_text().splitlines()]
    return Shared(done=done, result=budgets.load(file), folder=folder, file=file, seen=lines)


# --------------------------------------------------------------------------- what is started


@pytest.mark.slow
def test_an_app_that_holds_is_0_with_nothing_to_say(shared: Shared) -> None:
    assert shared.done.code == 0, shared.done.err
    assert codes(shared.result) == {
        "ended": "it ended by itself with code 0; the platform starts it again"
    }  # fmt: skip
    names = [run.name for run in shared.result.processes]
    assert names == ["release", "web", "worker", "clock"]


def test_the_web_process_has_the_workers_of_the_dyno(shared: Shared) -> None:
    run = shared.run("web")
    assert run.workers == 2
    peak = run.stages[Stage.PEAK]
    assert sorted(process.depth for process in peak.processes) == [0, 1, 1]
    assert all("gunicorn" in process.name for process in peak.processes)
    assert set(run.stages) == set(Stage)
    assert 20 * 2**20 < peak.anonymous_bytes < peak.resident_bytes < peak.rss_bytes
    assert run.limit.bytes == 2**30  # where Heroku kills it


def test_the_app_finds_what_the_platform_sets_and_nothing_of_this_shell(shared: Shared) -> None:
    assert len(shared.seen) == 2  # one for each worker
    found = shared.seen[0][0]
    expected = {
        "WEB_CONCURRENCY": "2", "DYNO_RAM": "512", "DYNO": "web.1", "PASSED_ON": "on",
        "OWN": "a=b", "FROM_PROFILE": "yes", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    assert {name: found.get(name) for name in expected} == expected
    assert found["PORT"].isdigit()
    assert found["HOME"] == found["PYTHONPATH"]
    assert "OF_THIS_SHELL" not in found
    assert shared.result.variables == ("OWN", "PASSED_ON", "SEEN")


def test_each_process_starts_from_the_files_of_the_slug(shared: Shared) -> None:
    """What the release phase writes is gone, as on Heroku, and .slugignore counts."""
    assert [there for _, there in shared.seen] == [[], []]
    assert shared.run("release").log == ("released",)
    assert not (shared.folder / "from-release").exists()


def test_requests_are_as_they_were_asked_for(shared: Shared) -> None:
    load = shared.run("web").load
    assert load is not None
    start, upload = load.by_request
    assert (start.sent, start.answered, upload.sent, upload.answered) == (30, 30, 10, 10)
    assert len(upload.answer_sha256) == 64
    assert (load.requests, load.answered, load.concurrency) == (40, 40, 2)
    assert load.times is not None
    assert 0 < load.times.p50_ms <= load.times.p95_ms <= load.times.p99_ms <= load.times.max_ms
    assert load.cpu_seconds_per_request is not None
    assert 0 <= load.cpu_seconds_per_request < 0.5


def test_processes_without_a_port_are_watched(shared: Shared) -> None:
    worker = shared.run("worker")
    assert (worker.boot, worker.load) == (None, None)
    assert worker.peak_anonymous_bytes is not None
    assert worker.peak_anonymous_bytes > 9_000_000
    assert worker.shutdown is not None
    assert worker.shutdown.clean
    assert shared.run("clock").log == ("tick",)


@pytest.mark.slow
def test_fastapi_with_two_workers_of_uvicorn(tmp_path: Path, nothing_left: None) -> None:
    source = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef start(): return {}\n"
    command = "python -m uvicorn app:app --host 0.0.0.0 --port $PORT --workers 2"
    folder = write_app(tmp_path / "app", procfile="", files={"app.py": source})
    result = rehearsed(folder, "--command", command, "--request", "GET / => 200 {}")
    assert web(result).place == "--command"
    assert web(result).workers == 2
    assert codes(result) == {}


@pytest.mark.slow
def test_a_second_run_takes_the_same_memory(tmp_path: Path, nothing_left: None) -> None:
    folder = write_app(tmp_path / "app", begin="KEPT.append(os.urandom(20_000_000))")
    peaks = [web(rehearsed(folder)).peak_bytes or 0 for _ in range(2)]
    assert abs(peaks[1] - peaks[0]) < 0.05 * peaks[0]


# --------------------------------------------------------------------------- a build

DJANGO = """
import os, pathlib, sys
def execute_from_command_line(argv):
    print(argv[1:])
    if os.environ.get("SECRET_KEY") is None:
        raise KeyError("SECRET_KEY")
    pathlib.Path("staticfiles").mkdir()
    pathlib.Path("staticfiles/all.css").write_text("built")
"""
MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""


@pytest.fixture
def django(tmp_path: Path, package_server: PackageServer) -> tuple[Path, tuple[object, ...]]:
    """A project that Heroku's buildpack takes for one of Django, and the options to build it."""
    package_server.add_wheel(
        "django", "5.0", {"django/__init__.py": "", "django/core/__init__.py": "",
                          "django/core/management.py": DJANGO},
    )  # fmt: skip
    folder = write_app(
        tmp_path / "app",
        answer='import django; self.say(open("staticfiles/all.css", "rb").read() + '
        'open("hooked", "rb").read())',
        procfile="web: python app.py",
        files={
            "manage.py": MANAGE,
            "bin/post_compile": "echo hook > hooked",
            "requirements.txt": "django==5.0\n",
        },
    )
    index = ("--index-url", package_server.index_url, "--python", MINOR, "--requests", 5)
    return folder, index


@pytest.mark.slow
@pytest.mark.usefixtures("own_caches", "nothing_left")
def test_a_build_does_what_the_buildpack_does(
    django: tuple[Path, tuple[object, ...]], tmp_path: Path
) -> None:
    folder, index = django
    file = tmp_path / "r.json"
    done = slugcheck(
        "rehearse", folder, *index, "--env", "SECRET_KEY=s3cret", "--request",
        "GET / => 200 builthook", "--format", "json", f"--output={file}",
    )  # fmt: skip
    assert done.code == 0, done.err + done.out
    build = budgets.load(file).build
    assert build is not None
    install, *steps = build.steps
    assert "install" in install.command
    assert [step.command for step in steps] == [
        "python manage.py collectstatic --noinput --traceback", "bash bin/post_compile",
    ]  # fmt: skip
    assert build.slug_bytes > 0
    assert build.limit_seconds == 900
    assert build.seconds > sum(step.seconds for step in steps)
    assert not (folder / "staticfiles").exists()
    assert "s3cret" not in file.read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("own_caches", "nothing_left")
def test_a_build_that_fails_is_3_with_what_its_log_says(
    django: tuple[Path, tuple[object, ...]],
) -> None:
    folder, index = django
    done = slugcheck("rehearse", folder, *index)
    assert (done.code, done.out) == (3, "")
    assert "the build would fail: python manage.py collectstatic" in done.err
    assert "KeyError: 'SECRET_KEY'" in done.err
    assert "pass the config vars that it needs with --env" in done.err


# --------------------------------------------------------------------------- options


def test_a_release_phase_that_fails_is_said(tmp_path: Path, short: None) -> None:
    folder = write_app(
        tmp_path / "app",
        procfile="release: python -S release.py\nweb: python -S app.py",
        files={"release.py": "import os; os.environ['DB_URL']"},
    )
    result = rehearsed(folder, "--release", "--process", "web")
    failed = codes(result)["release"]
    assert failed == "it exited with code 1, so nothing would be released: DB_URL is not set"
    assert [run.name for run in result.processes] == ["release", "web"]


@pytest.mark.parametrize(
    ("begin", "lost"),
    [
        ("", 1),  # it ends at once
        ("signal.signal(15, lambda *_: threading.Timer(0.4, os._exit, [0]).start())", 0),
    ],
)
def test_a_request_that_is_answered_when_the_app_is_told_to_end_counts(
    begin: str, lost: int, tmp_path: Path, short: None
) -> None:
    folder = write_app(tmp_path / "app", begin=begin, answer="time.sleep(0.3); self.say()")
    result = rehearsed(folder, "--concurrency", "2", count=2)
    shutdown = web(result).shutdown
    assert shutdown is not None
    assert (shutdown.in_flight, shutdown.unanswered) == (1, lost)
    assert ("shutdown" in codes(result)) == bool(lost)


def test_for_a_time_and_not_a_number(tmp_path: Path, short: None) -> None:
    run = web(rehearsed(write_app(tmp_path / "app"), "--for", "1s", count=None))
    assert run.load is not None
    assert 0.9 < run.load.seconds < 3
    assert run.load.requests > 20


def test_own_limits_decide_the_exit_code(tmp_path: Path, shared: Shared) -> None:
    folder = write_app(tmp_path / "app")
    limits = ("--limit", "ram=1M", "--limit", "boot=30s", "--limit", "p95_ms=10000")
    baseline = ("--baseline", shared.file, "--limit", "increase_percent=5")
    done = rehearse(folder, *limits, *baseline)
    assert done.code == 1
    assert "ram: web takes" in done.out
    assert "of 1.0 MiB" in done.out
    assert "increase: web: memory -" in done.out
    worse = budgets.judge(
        shared.result, budgets.Budgets(limits={"increase_percent": 5}, baseline=rehearsed(folder))
    )
    assert "memory +" in worse[0].sentence
    assert worse[0].status.value == "fail"


@pytest.mark.slow
def test_the_most_workers_that_hold_are_found(tmp_path: Path, short: None) -> None:
    begin = (
        "for _ in range(int(os.environ['WEB_CONCURRENCY'])):\n"
        "    if os.fork() == 0:\n"
        "        KEPT.append(os.urandom(30 << 20))\n"
        "        time.sleep(600)\n"
        "time.sleep(0.4)"
    )
    folder = write_app(tmp_path / "app", begin=begin)
    (point,) = rehearsed(
        folder, "--until-it-breaks", "workers", "--memory", "120M", count=5
    ).breaking_points
    assert (point.what, point.holds, point.breaks) == ("workers", 3, 4)
    assert "its memory went beyond 120.0 MiB" in point.sentence


def test_an_app_that_does_not_follow_web_concurrency_is_not_tried_further(
    tmp_path: Path, short: None
) -> None:
    done = rehearse(write_app(tmp_path / "app"), "--until-it-breaks", "workers", count=5)
    assert done.code == 0
    assert "with 1 worker it holds" in done.out
    assert "it starts 1 worker, whatever WEB_CONCURRENCY says" in done.out


@pytest.mark.slow
def test_the_most_requests_at_a_time_that_hold_are_found(tmp_path: Path, short: None) -> None:
    answer = (
        "KEPT.append(1); time.sleep(0.05); most = len(KEPT); KEPT.pop(); "
        "self.say(b'', 503 if most > 5 else 200)"
    )
    folder = write_app(tmp_path / "app", answer=answer)
    arguments = ("--until-it-breaks", "concurrency", "--concurrency", "2")
    (point,) = rehearsed(folder, *arguments, count=16).breaking_points
    assert (point.holds, point.breaks) == (5, 6)
    assert "answered 503" in point.sentence


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--request", "FETCH /"), "expected a method and a path"),
        (("--env", "NOT_SET_HERE"), "--env NOT_SET_HERE: it is not set here"),
        (("--env-file", "{app}/bad.env"), "line 1 cannot be understood"),
        (("--memory", "3M"), "no Python app runs in less than 16M"),
        (("--memory", "much"), "--memory: "),
        (("--for", "soon"), "--for: "),
        (("--for", "5s", "--requests", "9"), "two ways to say how long"),
        (("--process", "cron"), "there is no process type 'cron'"),
        (("--limit", "slug=3"), "--limit slug=3: unknown limit"),
        (("--limit", "boot=soon"), "'soon' is not a duration"),
        (("--limit", "p95_ms=5%"), "'5%' is not a number of milliseconds"),
        (("--limit", "increase_percent=3"), "needs a saved run to compare with: --baseline"),
        (("--baseline", "{app}/app.py"), "app.py"),
        (("--plot", "memory.pdf"), "memory.pdf"),
        (("--platform", "azure-functions"), "calls functions in a way that rehearse cannot repeat"),
        (("--until-it-breaks", "users"), "users"),
    ],
)
def test_wrong_usage_is_2_and_starts_nothing(
    arguments: tuple[str, ...], said: str, tmp_path: Path, nothing_left: None
) -> None:
    mark = tmp_path / "started"
    folder = write_app(
        tmp_path / "app", procfile=f"web: touch {mark}", files={"bad.env": "no such line"}
    )
    given = [argument.replace("{app}", str(folder)) for argument in arguments]
    done = rehearse(folder, *given, count=None)
    assert (done.code, done.out) == (2, ""), done.err
    errors = [line for line in done.err.splitlines() if not line.startswith(("hint: ", "  "))]
    assert len(errors) == 1
    assert said in done.err
    assert not mark.exists()


def test_without_an_interpreter_there_nothing_is_started(tmp_path: Path) -> None:
    folder = write_app(tmp_path / "app")
    done = slugcheck("rehearse", folder, "--python", tmp_path / "no" / "python")
    assert (done.code, done.out) == (3, "")
    assert "there is no such interpreter" in done.err
    (tmp_path / "python").write_text("#!/bin/sh\necho no")
    (tmp_path / "python").chmod(0o755)
    done = slugcheck("rehearse", folder, "--python", tmp_path / "python")
    assert done.code == 3
    assert "cannot be run" in done.err
    assert "Traceback" not in done.err


# --------------------------------------------------------------------------- formats


def test_every_format_says_it(shared: Shared) -> None:
    top = shared.file.parent
    held(json.loads(shared.file.read_text()))
    table, markdown = (top / "r.txt").read_text(), (top / "r.md").read_text()
    for text in (table, markdown):
        for part in ("HOLDS", "standard-1x", "after the load", "POST /up", "room for", "worker"):
            assert part in text, part
    assert max(map(len, table.splitlines())) <= 80
    picture = (top / "r.svg").read_text()
    assert picture.startswith("<?xml")
    assert picture.count("anonymous") >= 1


def test_the_same_screen_comes_of_the_saved_document(shared: Shared) -> None:
    """The document holds all that is shown: nothing is lost on the way."""
    from slugcheck.model.to_document.rehearsal import rehearsal_document
    from slugcheck.render.views import rehearse as views

    again = budgets.load(shared.file)
    assert views.view(again) == views.view(shared.result)
    assert rehearsal_document(again).processes == rehearsal_document(shared.result).processes


# --------------------------------------------------------------------------- check and compare


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    package_server.add_wheel("webapp", "1.0", {"webapp.py": "y = 2\n" * 50})
    package_server.add_wheel("webapp", "2.0", {"webapp.py": "y = 2\n" * 50})
    return package_server


def saved(shared: Shared, path: Path, **changes: Any) -> Path:
    """Write the shared document with some changes; of its web process alone."""
    document = json.loads(shared.file.read_text())
    (run,) = [run for run in document["processes"] if run["name"] == "web"]
    document["processes"] = [run]
    for key, value in changes.items():
        place, _, name = key.rpartition("__")
        target = document
        for step in filter(None, place.split("__")):
            target = target[step]
        target[name] = value
    path.write_text(json.dumps(document))
    return path


def checked(index: PackageServer, folder: Path, *more: object) -> Done:
    flags = ("--index-url", index.index_url, "--python", "3.12", "--format", "json")
    return slugcheck(folder, *flags, *more)


def verdict(done: Done, name: str) -> Any:
    return next(one for one in done.document["verdicts"] if one["budget"] == name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_app(tmp_path / "project", files={"requirements.txt": "webapp==1.0\n"})


def test_a_check_is_judged_by_what_was_measured(
    shared: Shared, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    file = saved(shared, tmp_path / "r.json", pins={"webapp": "1.0"})
    assert not verdict(checked(index, project), "ram")["gates"]
    done = checked(index, project, "--rehearsal", file)
    assert done.code == 0, done.err
    ram, boot = verdict(done, "ram"), verdict(done, "boot")
    assert (ram["status"], ram["gates"], boot["status"], boot["gates"]) == (
        "pass", True, "pass", True,
    )  # fmt: skip
    assert "measured by rehearse (2 workers; standard-1x)" in ram["sentence"]
    assert "measured by rehearse" in boot["sentence"]
    assert not any("changed" in note for note in done.document["notes"])
    table = slugcheck(
        project, "--index-url", index.index_url, "--python", "3.12", "--rehearsal", file
    )
    assert "not measured" not in table.out
    assert "measured by rehearse" in table.out


def test_too_much_that_was_measured_is_1(
    shared: Shared, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    document = json.loads(saved(shared, tmp_path / "r.json", pins={"webapp": "1.0"}).read_text())
    peak = document["processes"][0]["stages"]["peak"]
    peak["anonymous_bytes"], peak["resident_bytes"] = 600 * 2**20, 620 * 2**20
    (tmp_path / "r.json").write_text(json.dumps(document))
    done = checked(index, project, "--rehearsal", tmp_path / "r.json")
    assert done.code == 1
    assert verdict(done, "ram")["status"] == "fail"
    slow = json.loads(saved(shared, tmp_path / "s.json").read_text())
    slow["processes"][0]["boot"]["bound_seconds"] = 61.0
    (tmp_path / "s.json").write_text(json.dumps(slow))
    done = checked(index, project, "--rehearsal", tmp_path / "s.json")
    assert (done.code, verdict(done, "boot")["status"]) == (1, "fail")


def test_a_check_says_when_dependencies_have_changed_or_the_platform_is_another(
    shared: Shared, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    file = saved(shared, tmp_path / "r.json", pins={"webapp": "2.0"})
    notes = checked(index, project, "--rehearsal", file).document["notes"]
    assert any("webapp 2.0 \N{RIGHTWARDS ARROW} 1.0; rehearse again" in note for note in notes)
    file = saved(shared, tmp_path / "r.json", pins={})
    notes = checked(index, project, "--rehearsal", file).document["notes"]
    assert any("have changed: webapp 1.0" in note for note in notes)
    file = saved(shared, tmp_path / "r.json", platform="render")
    done = checked(index, project, "--rehearsal", file)
    assert any("on another platform" in note for note in done.document["notes"])
    assert "measured" not in verdict(done, "ram")["sentence"]


def test_a_document_that_claims_less_than_the_imports_take_is_doubted(
    shared: Shared, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    document = json.loads(saved(shared, tmp_path / "r.json").read_text())
    run = document["processes"][0]
    run["series"] = []
    run["stages"]["peak"] |= {"anonymous_bytes": 1, "resident_bytes": 2}
    (tmp_path / "r.json").write_text(json.dumps(document))
    done = checked(index, project, "--rehearsal", tmp_path / "r.json")
    assert verdict(done, "ram")["status"] == "unknown"
    assert "rehearse it again" in verdict(done, "ram")["sentence"]
    assert done.code == 3
    # what all requirements import says nothing of an app that may import less
    (project / "Procfile").unlink()
    done = checked(index, project, "--rehearsal", tmp_path / "r.json")
    assert (verdict(done, "ram")["status"], done.code) == ("pass", 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "r.json"),
        ('{"kind": "report"}', "r.json"),
        ("[]", "r.json"),
        ("", "r.json"),
    ],
)
def test_a_damaged_document_is_2(
    content: str, said: str, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    file = tmp_path / "r.json"
    file.write_text(content)
    done = checked(index, project, "--rehearsal", file)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("boot", "bound_seconds", -5.0),
        ("", "workers", -1),
        ("stages__peak", "anonymous_bytes", -(2**40)),
        ("stages__peak", "resident_bytes", 0),
    ],
)
def test_figures_that_cannot_be_true_are_2(
    place: str, name: str, value: float, shared: Shared, index: PackageServer, project: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    document = json.loads(saved(shared, tmp_path / "r.json").read_text())
    run = target = document["processes"][0]
    run["series"] = []
    for step in filter(None, place.split("__")):
        target = target[step]
    target[name] = value
    (tmp_path / "r.json").write_text(json.dumps(document))
    done = checked(index, project, "--rehearsal", tmp_path / "r.json")
    assert (done.code, done.out) == (2, "")
    assert "r.json: the figures of the web process or of the build cannot be true" in done.err


def test_two_web_processes_are_2(
    shared: Shared, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    document = json.loads(saved(shared, tmp_path / "r.json").read_text())
    document["processes"] *= 2
    (tmp_path / "r.json").write_text(json.dumps(document))
    done = checked(index, project, "--rehearsal", tmp_path / "r.json")
    assert (done.code, done.out) == (2, "")
    assert "r.json has 2 web processes" in done.err


@pytest.mark.parametrize("name", ["../r.json", "link", "loop"])
def test_settings_of_a_project_name_no_rehearsal_outside_of_it(
    name: str, shared: Shared, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    saved(shared, tmp_path / "r.json", pins={"webapp": "1.0"})
    (project / "link").symlink_to("../r.json")
    (project / "loop").symlink_to("loop")
    (project / "slugcheck.toml").write_text(f'rehearsal = "{name}"\n')
    done = checked(index, project)
    assert (done.code, done.out) == (2, "")
    assert "slugcheck.toml: rehearsal leads outside the checkout" in done.err
    mine = tmp_path / "mine.toml"
    mine.write_text('rehearsal = "r.json"\n')
    assert checked(index, project, "--config", mine).code == 0


def test_a_document_without_a_web_process_is_2(
    shared: Shared, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    file = saved(shared, tmp_path / "r.json", processes=[])
    done = checked(index, project, "--rehearsal", file)
    assert done.code == 2
    assert "has no web process or function whose memory was read" in done.err


def test_what_was_killed_measures_nothing(
    short: None, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    """Its memory is what it had reached by then: no machine is said to hold it."""
    answer = "KEPT.append(os.urandom(9_000_000)); self.say()"
    folder = write_app(tmp_path / "app", answer=answer)
    run = web(rehearsed(folder, "--memory", "64M"))
    assert run.peak_bytes is not None
    assert (run.machines, run.cheapest, run.web_concurrency) == ((), None, None)
    done = checked(index, project, "--rehearsal", tmp_path / "app.json")
    assert (done.code, done.out) == (2, "")
    assert "app.json: the web process was ended before it had done its work: R15" in done.err


def test_settings_name_a_rehearsal_but_not_those_of_a_base(
    shared: Shared, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    saved(shared, project / "r.json", pins={"webapp": "1.0"})
    (project / "slugcheck.toml").write_text('rehearsal = "r.json"\n')
    done = checked(index, project)
    assert "measured by rehearse" in verdict(done, "ram")["sentence"]
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -qm a"):
        subprocess.run(["git", "-C", str(project), *command.split()], check=True)
    done = checked(index, project, "--against", "HEAD")
    assert done.code == 0, done.err
    assert "measured by rehearse" not in verdict(done, "ram")["sentence"]


@pytest.mark.parametrize("settings", ["base", "head"])
def test_a_rehearsal_that_the_change_has_replaced_is_told(
    settings: str, shared: Shared, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    file = saved(shared, project / "r.json", pins={"webapp": "1.0"})
    if settings == "head":
        (project / "slugcheck.toml").write_text('rehearsal = "r.json"\n')
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -qm a"):
        subprocess.run(["git", "-C", str(project), *command.split()], check=True)
    named = ("--rehearsal", file) if settings == "base" else ("--settings", "head")

    def told() -> list[str]:
        done = checked(index, project, "--against", "HEAD", *named)
        assert "measured by rehearse" in verdict(done, "ram")["sentence"], done.err
        return [note for note in done.document["notes"] if "judged by" in note]

    assert told() == []
    saved(shared, file, pins={"webapp": "1.0"}, seconds=1.0)
    (note,) = told()
    assert note.endswith("r.json, which differs in HEAD")
    (project / "other").mkdir()
    file.rename(project / "other" / "r.json")
    file.symlink_to("other/r.json")
    assert len(told()) == 1


def test_a_rehearsal_that_only_the_settings_name_is_not_needed_for_another_one(
    shared: Shared, index: PackageServer, project: Path, tmp_path: Path
) -> None:
    """Nor for the base, whose commit does not have the file."""
    (project / "slugcheck.toml").write_text('rehearsal = "r.json"\n')
    (project / ".gitignore").write_text("r.json\n")
    assert "app.py" in [path.name for path in project.iterdir()]
    result = rehearsed(project, count=5)
    assert codes(result) == {}
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -qm a"):
        subprocess.run(["git", "-C", str(project), *command.split()], check=True)
    done = checked(index, project, "--against", "HEAD")
    assert done.code == 0, done.err
    assert done.document["base"]["problem"] is None if "base" in done.document else True


def test_rehearsals_are_shown_beside_each_other(shared: Shared, tmp_path: Path) -> None:
    light = json.loads(saved(shared, tmp_path / "light.json").read_text())
    peak = light["processes"][0]["stages"]["peak"]
    peak["resident_bytes"] //= 2
    (tmp_path / "light.json").write_text(json.dumps(light))
    heavy = saved(shared, tmp_path / "heavy.json")
    done = slugcheck("compare", heavy, tmp_path / "light.json")
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
    for part in ("heavy", "light", "saves", "peak, MiB", "p95, ms", "workers"):
        assert part in done.out
    document = slugcheck("compare", heavy, tmp_path / "light.json", "--format", "json")
    found = held(json.loads(document.out))
    assert found["kind"] == "rehearsals"
    assert [len(one["processes"]) for one in found["rehearsals"]] == [1, 1]
    mixed = slugcheck("compare", heavy, tmp_path)
    assert mixed.code == 2
    assert "Traceback" not in mixed.err

"""The pure parts of rehearse: requests, figures, growth, machine sizes, causes, verdicts."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from slugcheck import platforms
from slugcheck.errors import UsageError
from slugcheck.model.rehearsal import (
    Boot,
    Growth,
    Load,
    MemoryLimit,
    MemorySample,
    ProcessMemory,
    ProcessRun,
    RehearsalResult,
    Shutdown,
    Stage,
    Times,
    TreeMemory,
)
from slugcheck.rehearsing import judgement, load, plan, requests
from slugcheck.rehearsing.judgement import Seen, cause_of, growth, judge
from slugcheck.rehearsing.load import Answer
from slugcheck.render import terminal
from slugcheck.render.views import rehearse as views

MIB = 2**20
HEROKU = platforms.load("heroku")
DYNO = next(dyno for dyno in HEROKU.dynos if dyno.name == "standard-1x")

# --------------------------------------------------------------------------- requests


def parsed(text: str) -> requests.Request:
    (request,) = requests.parse((text,))
    return request


def test_a_request_is_a_method_and_a_path() -> None:
    request = parsed("get /a?b=c")
    assert (request.method, request.path, request.weight) == ("GET", "/a?b=c", 1)
    assert (request.status, request.contains, request.body, request.fields) == (None, "", b"", ())
    assert request.status_below == 400
    (default,) = requests.parse(())
    assert (default.text, default.status_below) == ("GET /", 500)


def test_a_request_has_weight_headers_json_and_an_expectation() -> None:
    request = parsed("""12x POST /api '{"n": 1}' Authorization:Bearer\\ x => 201 'all well'""")
    assert request.weight == 12
    assert request.body == b'{"n": 1}'
    assert request.headers == (
        ("Content-Type", "application/json"), ("Authorization", "Bearer x"),
    )  # fmt: skip
    assert (request.status, request.contains) == (201, "all well")
    assert parsed("GET / => ready").contains == "ready"
    assert parsed("GET / => ready").status is None


def test_a_request_sends_files_and_forms(tmp_path: Path) -> None:
    picture = tmp_path / "leaf.jpg"
    picture.write_bytes(b"\xff\xd8picture")
    whole = parsed(f"PUT /up @{picture}")
    assert (whole.body, whole.headers) == (b"\xff\xd8picture", (("Content-Type", "image/jpeg"),))
    form = parsed(f"POST /detect image=@{picture} kind=a=b")
    assert [(field.name, field.file, field.content) for field in form.fields] == [
        ("image", "leaf.jpg", b"\xff\xd8picture"), ("kind", "", b"a=b"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected a method and a path"),
        ("GET", "expected a method and a path"),
        ("3x", "expected a method and a path"),
        ("/ GET", "expected a method and a path"),
        ("GET example.org", "does not start with /"),
        ("GET http://example.org/", "does not start with /"),
        ("GET / word", "'word' is no file (@name), field, header or JSON"),
        ("GET / 'open", "no closing quotation"),
        ("GET / => 200 two texts", "put the text in quotes"),
        ("POST / @/no/such/file", "/no/such/file cannot be read: No such file"),
        ("POST / a=@/", "cannot be read: Is a directory"),
        ("POST / {} a=b", "it has a body and the fields of a form"),
        ("GET /\x1b[2J x", "is no file"),
    ],
)
def test_a_request_that_is_wrong_is_said_in_one_line(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        requests.parse((text,))
    assert why in str(caught.value)
    assert str(caught.value).startswith("--request ")
    assert len(str(caught.value).splitlines()) == 1
    assert "\x1b" not in str(caught.value)


def test_a_request_that_is_not_utf_8_is_said_in_one_line() -> None:
    with pytest.raises(UsageError, match="it is not UTF-8"):
        parsed("POST / a=\udcff")


def test_requests_come_as_often_as_they_weigh_and_are_mixed() -> None:
    three = requests.parse(("GET /a", "3x GET /b", "2x GET /c"))
    order = list(islice(load.plan(three), 600))
    assert Counter(order) == {0: 100, 1: 300, 2: 200}
    assert Counter(order[:6]) == {0: 1, 1: 3, 2: 2}
    assert all(order[n : n + 3] != [1, 1, 1] for n in range(600))


def answers(*milliseconds: float, **more: Any) -> list[Answer]:
    return [Answer(request=0, started=1.0, ended=1.0 + ms / 1000, **more) for ms in milliseconds]


def test_times_are_of_the_answers_that_were_expected() -> None:
    wrong = answers(9000, trouble="answered 500", status=500)
    times = load.times(answers(*range(1, 101)) + wrong)
    assert times is not None
    found = (times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms)
    assert found == pytest.approx((50.5, 95.05, 99.01, 100), abs=0.6)
    assert load.times(wrong) is None
    (result,) = load.by_request(requests.parse(()), answers(1, 2, sha256="a" * 64) + wrong)
    assert (result.sent, result.answered, result.answer_sha256) == (3, 2, "a" * 64)
    assert [(one.count, one.sentence) for one in result.troubles] == [(1, "answered 500")]


# --------------------------------------------------------------------------- config vars


def env_file(tmp_path: Path, text: str | bytes) -> dict[str, str]:
    path = tmp_path / ".env"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return plan.variables((), (path,))


def test_an_env_file_is_read_as_the_tools_read_it(tmp_path: Path) -> None:
    text = """\ufeffA=1
# comment
export B = two words # not this
C='single $A ${A}'
D="double\\nline"

E=
F=http://x/#y
"""
    assert env_file(tmp_path, text) == {
        "A": "1", "B": "two words", "C": "single $A ${A}", "D": "double\nline", "E": "",
        "F": "http://x/#y",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A=1\nthis is no line\n", "line 2 cannot be understood"),
        ("A='open\nB=2\n", "line 1 cannot be understood"),
        ("NAME\n", "line 1: NAME has no value"),
        ("# first\nfoo-bar=1\n", "line 2: 'foo-bar' is not the name of a variable"),
        ("A=b\0c\n", "line 1: A has a zero byte"),
        (b"A=\xff\n", "it is not UTF-8"),
        ("A=" + "x" * 2**20, "larger than 1 MiB"),
    ],
)
def test_a_bad_env_file_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, why: str
) -> None:
    with pytest.raises(UsageError) as caught:
        env_file(tmp_path, text)
    assert why in str(caught.value)


def test_what_is_given_last_wins_and_names_take_the_value_of_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text("A=1\nB=1\nC=1\n")
    second.write_text("B=2\nC=2\n")
    monkeypatch.setenv("C", "3")
    assert plan.variables(("C", "D=x=y"), (first, second)) == {
        "A": "1", "B": "2", "C": "3", "D": "x=y",
    }  # fmt: skip
    monkeypatch.delenv("C")
    for wrong, why in (("C", "not set here"), ("1=2", "not the name"), ("", "not the name")):
        with pytest.raises(UsageError, match=why):
            plan.variables((wrong,), ())
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        plan.variables((), (tmp_path / "none",))


def test_values_that_may_be_secret_are_masked_and_small_ones_are_not() -> None:
    given = {"DEBUG": "0", "COLOUR": "blue", "LONG": "x" * 12, "API_KEY": "k3y"}
    assert set(plan.secrets(given)) == {"x" * 12, "k3y"}


# --------------------------------------------------------------------------- memory


def tree(first: int, *workers: int, files: int = 20) -> TreeMemory:
    """MiB of a first process and its children; ``files`` are those that all have mapped."""
    sizes = [(0, first), *((1, size) for size in workers)]
    processes = tuple(
        ProcessMemory(
            name=f"p{n}", depth=depth, anonymous_bytes=size * MIB, rss_bytes=(size + files) * MIB
        )
        for n, (depth, size) in enumerate(sizes)
    )
    anonymous = sum(one.anonymous_bytes for one in processes)
    return TreeMemory(
        rss_bytes=sum(one.rss_bytes for one in processes), anonymous_bytes=anonymous,
        resident_bytes=anonymous + files * MIB, processes=processes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("memory", "count"),
    [
        (tree(15, 60, 61), 2),  # a master and its workers
        (tree(15, 60, 61, 8), 2),  # with a small helper
        (tree(90), 1),
        (tree(90, 5, 5), 1),  # it does the work, with small helpers
        (tree(60, 50), 1),
    ],
)
def test_workers_are_told_from_masters_and_helpers(memory: TreeMemory, count: int) -> None:
    assert len(memory.workers) == count


def fits(memory: TreeMemory, low: int, workers: int) -> dict[str, tuple[int, int, str, int]]:
    started = {dyno.name: workers for dyno in HEROKU.dynos}
    return {
        fit.name: (
            fit.low_bytes // MIB, fit.high_bytes // MIB, fit.status.value, fit.workers_fit,
        )
        for fit in judgement.machines(HEROKU, memory, low, started)
    }  # fmt: skip


def test_a_worker_more_takes_the_anonymous_memory_of_one_and_shares_the_files() -> None:
    two = tree(20, 100, 100, files=30)
    found = fits(two, 220 * MIB, 2)
    assert found["standard-1x"] == (220, 250, "pass", 3)  # 435 with 15 % spare: 20 + 30 + 3 * 100
    assert found["standard-2x"] == (220, 250, "pass", 8)
    assert fits(two, 220 * MIB, 4)["standard-1x"] == (420, 450, "warn", 3)
    assert fits(two, 220 * MIB, 5)["standard-1x"][2] == "fail"
    # what the highest sample has more than the full reading is the workers'
    assert fits(two, 300 * MIB, 2)["standard-1x"] == (300, 330, "pass", 2)


def test_a_verdict_needs_both_figures_on_one_side() -> None:
    between = fits(tree(500, files=30), 500 * MIB, 1)
    assert between["standard-1x"][2] == "unknown"
    assert between["standard-2x"][2] == "pass"
    chosen = judgement.cheapest(
        judgement.machines(HEROKU, tree(500, files=30), 0, {dyno.name: 1 for dyno in HEROKU.dynos})
    )
    assert chosen is not None
    assert chosen.name == "standard-2x"


# --------------------------------------------------------------------------- growth


def series(
    slope: float, noise: float, *, seed: int = 1, seconds: float = 10.0, memory: float = 0.8
) -> list[MemorySample]:
    """Samples ten times a second; ``slope`` and ``noise`` are MiB per second, and MiB.

    ``memory`` is how much of its noise stays from sample to sample; 1: it is a walk.
    """
    chance, wander, found = random.Random(seed), 0.0, []
    for number in range(int(seconds * 10)):
        at = number / 10
        wander = memory * wander + chance.gauss(0, noise)
        caches = 30 * min(1.0, at / (0.3 * seconds))  # they fill at the begin
        found.append(_sample(at, 50 + caches + slope * at + wander))
    return found


def _sample(at: float, mib: float) -> MemorySample:
    size = int(mib * MIB)
    return MemorySample(
        seconds=at, rss_bytes=size, resident_bytes=size, anonymous_bytes=size, processes=1
    )


def grown(samples: list[MemorySample], per_second: int = 100) -> Growth | None:
    last = samples[-1].seconds
    ended = [n / per_second for n in range(int(last * per_second))]
    return growth(samples, ended, began=0.0, stopped=last)


def test_a_leak_is_measured_for_each_hundred_requests() -> None:
    found = grown(series(2.0, 0.05))
    assert found is not None
    assert found.is_leak
    assert found.low_bytes < 2 * MIB < found.high_bytes  # 100 requests take a second
    assert found.per_hundred_bytes == pytest.approx(2 * MIB, rel=0.1)
    assert 550 < found.requests < 600  # without the first 40 %


@pytest.mark.parametrize("memory", [0.0, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("noise", [0.05, 0.5])
def test_filling_caches_and_what_wanders_are_no_leak(noise: float, memory: float) -> None:
    found = [grown(series(0.0, noise, seed=seed, memory=memory)) for seed in range(100)]
    assert all(one is not None for one in found)
    assert sum(1 for one in found if one is not None and one.is_leak) <= 6


def test_growth_that_fades_is_no_leak() -> None:
    fading = [_sample(n / 10, 50 + 20 * (1 - 2 ** (-n / 15))) for n in range(100)]
    found = grown(fading)
    assert found is not None
    assert found.per_hundred_bytes > 64 * 2**10
    assert not found.is_leak


def test_less_than_an_allocators_own_is_no_leak() -> None:
    found = grown(series(0.05, 0.0))
    assert found is not None
    assert 0 < found.per_hundred_bytes < 64 * 2**10
    assert not found.is_leak


def test_of_too_little_nothing_is_said() -> None:
    assert grown(series(2.0, 0.0, seconds=3.0)) is None  # too few samples
    assert grown(series(2.0, 0.0), per_second=10) is None  # too few requests


# --------------------------------------------------------------------------- what a log says


@pytest.mark.parametrize(
    ("log", "cause", "fix"),
    [
        ("KeyError: 'DATABASE_URL'", "DATABASE_URL is not set", "--env DATABASE_URL=VALUE"),
        (
            "decouple.UndefinedValueError: SECRET_KEY not found. Declare it as envvar",
            "SECRET_KEY is not set", "--env SECRET_KEY=VALUE",
        ),
        (
            "environ.ImproperlyConfigured: Set the REDIS_URL environment variable",
            "REDIS_URL is not set", "--env REDIS_URL=VALUE",
        ),
        (
            "ImproperlyConfigured: The SECRET_KEY setting must not be empty.",
            "SECRET_KEY is not set", "--env SECRET_KEY=VALUE",
        ),
        ("RuntimeError: API_TOKEN must be set", "API_TOKEN is not set", "--env API_TOKEN=VALUE"),
        (
            "1 validation error for Settings\napi_key\n  Field required [type=missing, input",
            "API_KEY is not set", "--env API_KEY=VALUE",
        ),
        (
            "psycopg2.OperationalError: connection to server at 'localhost' (127.0.0.1), port 5432 "
            "failed: Connection refused",
            "connection to server at", "start the service",
        ),
        ("redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379.",
         "Error 111 connecting to localhost:6379", "start the service"),
        ("ModuleNotFoundError: No module named 'cv2'", "No module named 'cv2'", "requirements"),
        ("bash: line 1: gunicorn: command not found", "gunicorn is not installed", "requirements"),
        ("ValueError: bad\nOSError: worse", "OSError: worse", ""),
        ("Starting\nListening", "", ""),
    ],
)  # fmt: skip
def test_a_cause_in_a_log_is_named_with_its_fix(log: str, cause: str, fix: str) -> None:
    found, advice = cause_of(log.splitlines())
    assert cause in found
    assert bool(found) == bool(cause)
    assert fix in advice


# --------------------------------------------------------------------------- verdicts


def run(memory: TreeMemory | None = None, **more: Any) -> ProcessRun:
    """A run in which all went well."""
    memory = memory or tree(50)
    fields: dict[str, Any] = {
        "name": "web", "command": "c", "place": "p", "workers": 1,
        "boot": Boot(bound_seconds=2.0, answered_seconds=2.1, status=200, limit_seconds=60.0),
        "stages": {Stage.PEAK: memory}, "series": (), "load": None,
        "shutdown": Shutdown(
            seconds=0.1, code=0, in_flight=1, unanswered=0, left=(), limit_seconds=30.0
        ),
        "limit": MemoryLimit(method="cgroup-v2", bytes=2**30), "judgements": (),
    }  # fmt: skip
    return ProcessRun(**(fields | more))


def said(one: ProcessRun, *, codes: bool = True, **more: Any) -> dict[str, tuple[str, str]]:
    fields: dict[str, Any] = {
        "run": one, "serves": True, "killed": "", "listening": (), "port": 5000,
    }  # fmt: skip
    found = judge(Seen(**(fields | more)), DYNO, codes=codes)
    return {each.code: (each.status.value, each.sentence) for each in found}


def test_what_holds_is_said_to_hold() -> None:
    assert {status for status, _ in said(run()).values()} == {"pass"}


@pytest.mark.parametrize(
    ("mib", "files", "code", "status"),
    [
        (400, 20, "RAM", "pass"),
        (430, 20, "R14", "warn"),  # less than 15 % to spare
        (500, 20, "R14", "unknown"),  # the files may be dropped
        (513, 20, "R14", "fail"),
    ],
)
def test_memory_is_judged_by_what_is_anonymous_and_what_is_resident(
    mib: int, files: int, code: str, status: str
) -> None:
    assert said(run(tree(mib, files=files)))[code][0] == status
    other = said(run(tree(mib, files=files)), codes=False)
    assert other["memory" if code == "R14" else code][0] == status


def test_a_sample_above_the_last_full_reading_counts() -> None:
    sample = MemorySample(
        seconds=1, rss_bytes=0, resident_bytes=0, anonymous_bytes=600 * MIB, processes=1
    )
    assert said(run(series=(sample,)))["R14"][0] == "fail"


def test_a_slow_boot_is_a_warning_and_an_end_of_the_release_phase_is_none() -> None:
    slow = Boot(bound_seconds=31.0, answered_seconds=31.2, status=200, limit_seconds=60.0)
    assert said(run(boot=slow))["boot"][0] == "warn"
    released = run(name="release", boot=None, shutdown=None, stages={}, code=0)
    assert said(released, serves=False) == {
        "release": ("pass", "the release phase ran to its end")
    }  # fmt: skip
    failed = said(replace(released, code=1, log=("KeyError: 'DB'",)), serves=False)
    assert failed["release"][0] == "fail"
    assert "nothing would be released" in failed["release"][1]
    worker = said(replace(released, name="worker"), serves=False)
    assert worker["ended"][0] == "warn"


def test_a_leak_says_when_the_machine_is_full() -> None:
    leaking = Growth(per_hundred_bytes=MIB, low_bytes=0.9 * MIB, high_bytes=1.1 * MIB, requests=500)
    times = Times(p50_ms=1, p95_ms=2, p99_ms=3, max_ms=4)
    loaded = Load(
        requests=500, answered=500, concurrency=4, seconds=5, per_second=100,
        cpu_seconds_per_request=0.01, times=times, by_request=(), growth=leaking,
    )  # fmt: skip
    status, sentence = said(run(tree(92, files=20), load=loaded))["leak"]
    assert status == "warn"
    assert "grows by 1.00 MiB for each hundred requests (0.90 to 1.10)" in sentence
    assert "full after about 40,000 more" in sentence


@pytest.mark.parametrize(
    ("command", "server"),
    [
        ("sh setup.sh && streamlit run app.py --server.port $PORT", "Streamlit"),
        ("panel serve app.py", "Panel"),
        ("gunicorn app:app", ""),
        ("python streamlit_run.py", ""),
    ],
)
def test_servers_that_run_the_app_by_session_were_not_asked_for_it(
    command: str, server: str
) -> None:
    times = Times(p50_ms=1, p95_ms=2, p99_ms=3, max_ms=4)
    loaded = Load(
        requests=9, answered=9, concurrency=1, seconds=1, per_second=9,
        cpu_seconds_per_request=0.01, times=times, by_request=(),
    )  # fmt: skip
    judged = said(run(command=command, load=loaded))
    assert ("sessions" in judged) == bool(server)
    if server:
        assert judged["sessions"][0] == "warn"
        assert judged["sessions"][1].startswith(f"{server} runs the app's script only when")


def test_the_end_is_judged() -> None:
    end = Shutdown(seconds=None, code=None, in_flight=0, unanswered=0, left=(), limit_seconds=30.0)
    assert said(run(shutdown=end))["R12"][0] == "fail"
    assert said(run(shutdown=end), codes=False)["shutdown"][0] == "fail"
    assert plan.grace_seconds(platforms.load("fly")) == 5.0
    assert plan.grace_seconds(platforms.load("docker")) == 30.0
    lost = replace(end, seconds=0.2, in_flight=2, unanswered=1)
    assert said(run(shutdown=lost))["shutdown"] == (
        "warn", "1 of 2 requests got no answer when it was told to end",
    )  # fmt: skip


def test_of_several_addresses_the_one_with_the_port_is_named() -> None:
    boot = Boot(bound_seconds=None, answered_seconds=None, status=None, limit_seconds=60.0)
    listening = (("127.0.0.1", 4000), ("127.0.0.1", 5000))
    found = said(run(boot=boot, shutdown=None), listening=listening)
    assert found["R10"][1] == "it listens on 127.0.0.1:5000 only, which no router reaches"


def screen(one: ProcessRun) -> str:
    result = RehearsalResult(
        path="app", platform="heroku", title="Heroku", dyno="standard-1x", ram_bytes=512 * MIB,
        python="3.11.7", cores=2, build=None, processes=(one,), pins={}, tool_version="0",
    )  # fmt: skip
    return terminal.write(views.view(result), width=80, color=False, unicode=True)


def test_the_peak_that_is_shown_is_the_one_that_is_judged() -> None:
    sample = MemorySample(
        seconds=1, rss_bytes=0, resident_bytes=0, anonymous_bytes=300 * MIB, processes=1
    )
    shown = screen(run(series=(sample,)))
    assert re.search(r"peak +320\.0 +300\.0", shown)


def test_the_memory_of_a_crash_is_not_shown() -> None:
    crashed = Boot(bound_seconds=None, answered_seconds=None, status=None, limit_seconds=60.0)
    assert "resident" not in screen(run(boot=crashed, code=1, shutdown=None))
    killed = MemoryLimit(method="cgroup-v2", bytes=2**30, killed=True)
    assert "resident" in screen(run(boot=crashed, code=-9, limit=killed))

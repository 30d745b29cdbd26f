"""``slugcheck rehearse`` for AWS Lambda: real functions, called by AWS's own runtime client."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from slugcheck import platforms
from slugcheck.errors import MeasureError
from slugcheck.model import IndexOptions
from slugcheck.model.rehearsal import ProcessRun, RehearsalResult, Stage
from slugcheck.rehearsing import budgets, functions
from slugcheck.rehearsing.deployment import Deployment
from slugcheck.rehearsing.runtime_api import Ending, Fault, Outcome, RuntimeApi
from tests.support.commands import Done, slugcheck
from tests.support.rehearsals import (
    codes,
    nothing_left,
    rehearse,
    rehearsed,
    short,
    web,
)
from tests.support.schemas import held
from tests.support.server import PackageServer
from tests.support.verifying import MINOR, own_caches, temporary, uv_cache

__all__ = ["nothing_left", "own_caches", "short", "temporary", "uv_cache"]

pytestmark = [
    pytest.mark.usefixtures("private_caches"),
    pytest.mark.skipif(sys.platform != "linux", reason="rehearse needs Linux"),
]
LAMBDA = ("--platform", "aws-lambda")


@pytest.fixture(scope="module")
def client() -> None:
    pytest.importorskip("awslambdaric", reason="AWS's runtime client is not installed")


def write_function(folder: Path, source: str, *, name: str = "app.py") -> Path:
    """Write a project of one module."""
    folder.mkdir()
    (folder / name).write_text(source)
    (folder / "requirements.txt").write_text("")
    return folder


def call(folder: Path, *arguments: object, handler: str = "app.handler") -> RehearsalResult:
    """Rehearse a function with a few events."""
    return rehearsed(folder, *LAMBDA, "--handler", handler, *arguments, count=5)


# --------------------------------------------------------------------------- what holds

SEEN = """
import json, os
def handler(event, context):
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(json.dumps([
            event, context.aws_request_id, context.invoked_function_arn,
            context.get_remaining_time_in_millis(), context.memory_limit_in_mb,
            dict(os.environ), os.getcwd()]) + "\\n")
    return {"statusCode": 200}
"""


@dataclass(frozen=True)
class Shared:
    """One rehearsal that many tests look at."""

    done: Done
    result: RehearsalResult
    folder: Path
    file: Path
    seen: list[Any]

    @property
    def run(self) -> ProcessRun:
        return web(self.result)


@pytest.fixture(scope="module")
def shared(client: None, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """A function that writes down what it finds, called with two events in turn."""
    top = tmp_path_factory.mktemp("shared")
    folder, file, seen = write_function(top / "fn", SEEN), top / "r.json", top / "seen"
    for name in ("first", "second"):
        (top / f"{name}.json").write_text(json.dumps({"name": name}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OF_THIS_SHELL", "1")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "of this shell")
        done = rehearse(
            folder, *LAMBDA, "--dyno", "256mb", "--handler", "app.handler", "--event",
            top / "first.json", "--event", top / "second.json", "--env", f"SEEN={seen}",
            "--env", "AWS_REGION=eu-west-1", "--env", "_HANDLER=other.handler",
            f"--output={file}", f"--output={top / 'r.txt'}", f"--output={top / 'r.md'}",
            "--plot", top / "r.svg", count=9,
        )  # fmt: skip
    lines = [json.loads(line) for line in seen.read_text().splitlines()]
    return Shared(done=done, result=budgets.load(file), folder=folder, file=file, seen=lines)


@pytest.mark.slow
def test_a_function_that_holds_is_0_with_init_memory_and_times(shared: Shared) -> None:
    run = shared.run
    assert shared.done.code == 0, shared.done.err
    assert codes(shared.result) == {}
    assert (run.name, run.command, run.place, run.timeout_seconds) == (
        "function", "app.handler", "--handler", 3,
    )  # fmt: skip
    assert run.boot is not None
    assert run.boot.bound_seconds is not None
    assert run.boot.answered_seconds is not None
    assert 0 < run.boot.bound_seconds < run.boot.answered_seconds < 10
    assert run.boot.limit_seconds == 10
    assert set(run.stages) == set(Stage)
    assert run.limit.bytes == 256 * 2**20
    assert (run.shutdown, run.code) == (None, None)
    assert {one.code for one in run.judgements} == {"init", "load", "memory"}


def test_events_come_in_turn_each_with_a_request_of_its_own(shared: Shared) -> None:
    names = [event["name"] for event, *_ in shared.seen]
    assert names == ["first", *("first second".split() * 5)[:9]]
    assert len({request for _, request, *_ in shared.seen}) == 10
    for _, _, arn, left, memory, *_ in shared.seen:
        assert arn.startswith("arn:aws:lambda:")
        assert 2000 < left <= 3000
        assert memory == "256"
    load = shared.run.load
    assert load is not None
    assert [(r.request, r.sent, r.answered) for r in load.by_request] == [
        ("first.json", 5, 5), ("second.json", 4, 4),
    ]  # fmt: skip
    assert load.concurrency == 1


def test_it_finds_what_lambda_sets_and_nothing_of_this_shell(shared: Shared) -> None:
    *_, found, place = shared.seen[0]
    expected = {
        "_HANDLER": "app.handler", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": place,
    }  # fmt: skip
    assert {name: found.get(name) for name in expected} == expected
    assert not {"OF_THIS_SHELL", "AWS_SECRET_ACCESS_KEY", "PORT", "DYNO"} & set(found)
    assert place != str(shared.folder)


def test_sizes_have_the_cpu_that_comes_with_their_memory(shared: Shared) -> None:
    by_name = {fit.name: fit for fit in shared.run.machines}
    assert shared.run.cheapest == "128mb"
    assert by_name["128mb"].vcpus == pytest.approx(128 / 1769, rel=1e-3)
    assert by_name["1024mb"].vcpus == pytest.approx(1024 / 1769, rel=1e-3)
    small, large = by_name["128mb"].least_ms, by_name["1024mb"].least_ms
    assert small is not None
    assert large is not None
    assert small == pytest.approx(8 * large)


def test_every_format_says_it(shared: Shared) -> None:
    top = shared.file.parent
    held(json.loads(shared.file.read_text()))
    table, markdown = (top / "r.txt").read_text(), (top / "r.md").read_text()
    for text in (table, markdown):
        for part in ("HOLDS", "init takes", "after init", "vCPU", "first.json", "256mb"):
            assert part in text, part
        for part in ("listens", "$PORT", "workers", "SIGTERM", "room for"):
            assert part not in text, part
    assert max(map(len, table.splitlines())) <= 80
    assert "init done" in (top / "r.svg").read_text()


def test_a_check_is_judged_by_it(shared: Shared, package_server: PackageServer) -> None:
    index = ("--index-url", package_server.index_url)
    done = slugcheck(
        shared.folder, *LAMBDA, "--dyno", "128mb", *index, "--rehearsal", shared.file,
        "--format", "json",
    )  # fmt: skip
    assert done.code == 0, done.err
    found = {one["budget"]: one for one in done.document["verdicts"]}
    for name, words in (("ram", "of 128M"), ("boot", "init takes")):
        assert (found[name]["basis"], found[name]["status"]) == ("measured", "pass")
        assert words in found[name]["sentence"]
        assert "measured by rehearse" in found[name]["sentence"]
    other = shared.file.with_name("other.json")
    other.write_text(shared.file.read_text())
    beside = slugcheck("compare", shared.file, other)
    assert "init, s" in beside.out
    assert "first invocation, MiB" in beside.out


def test_limits_of_the_team_are_of_its_init(shared: Shared) -> None:
    (verdict,) = budgets.judge(shared.result, budgets.Budgets(limits={"boot": 0.001}))
    assert verdict.status.value == "fail"
    assert verdict.sentence.startswith("function starts in ")


# --------------------------------------------------------------------------- what does not

BAD = """
import os, sys, time
KEPT = []
def raises(event, context): return os.environ["TABLE_NAME"]
def sleeps(event, context): time.sleep(60)
def large(event, context): return "x" * 6_291_555
def largest(event, context): return "x" * 6_291_554
def leaves(event, context): sys.exit(3)
def crashes(event, context): os.kill(os.getpid(), 11)
def deep(event, context): return deep(event, context)
def eats(event, context):
    KEPT.append(os.urandom(80 << 20))
    time.sleep(60)
def writes(event, context):
    for path in ("cache.db", os.environ["TMPDIR"] + "/mine"):
        with open(path, "a") as stream: stream.write("x")
def busy(event, context):
    end = time.process_time() + 0.1
    while time.process_time() < end: pass
    return event
"""


@pytest.mark.parametrize(
    ("handler", "options", "code", "sentence", "fix"),
    [
        ("raises", (), "error", "KeyError: 'TABLE_NAME' (6 of 6)", "--env TABLE_NAME=VALUE"),
        ("sleeps", ("--function-timeout", "1"), "timeout",
         "Task timed out after 1.00 seconds (1 of 1)", "raise the function's timeout"),
        ("large", (), "size", "exceeded maximum allowed payload size (6291556 bytes)", "S3"),
        ("leaves", (), "exit", "Runtime exited with error: exit status 3 (1 of 1)", ""),
        ("crashes", (), "exit", "Runtime exited with error: signal: segv (1 of 1)", ""),
        # its stack is in a header, which is longer than most servers take
        ("deep", (), "error", "RecursionError: maximum recursion depth exceeded (6 of 6)", ""),
        ("eats", ("--memory", "60M"), "memory", "beyond 60.0 MiB; Lambda says: Runtime exited",
         "a larger memory size"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("client", "nothing_left")
def test_what_goes_wrong_is_said_in_lambdas_words(
    handler: str, options: tuple[str, ...], code: str, sentence: str, fix: str, tmp_path: Path
) -> None:
    folder = write_function(tmp_path / "fn", BAD)
    done = rehearse(
        folder, *LAMBDA, "--handler", f"app.{handler}", *options, "--format", "json", count=5
    )
    assert done.code == 1, done.err
    (run,) = done.document["processes"]
    failed = [one for one in run["judgements"] if one["status"] == "fail"]
    assert [one["code"] for one in failed] == [code]
    assert sentence in failed[0]["sentence"]
    assert fix in failed[0]["fix"]
    assert "Traceback" not in done.err


@pytest.mark.parametrize("before", [150, 490])
@pytest.mark.usefixtures("client")
def test_a_secret_in_an_error_is_masked_wherever_it_is_cut(before: int, tmp_path: Path) -> None:
    source = (
        "import os\ndef handler(event, context):\n"
        f"    raise ValueError('x' * {before} + os.environ['API_TOKEN'])\n"
    )
    folder = write_function(tmp_path / "fn", source)
    secret = "zq7Kd92hWm41" * 8
    done = rehearse(
        folder, *LAMBDA, "--handler", "app.handler", "--env", f"API_TOKEN={secret}",
        "--format", "json", count=2,
    )  # fmt: skip
    assert done.code == 1
    assert "ValueError: xxx" in done.out
    assert "zq7K" not in done.out + done.err


@pytest.mark.parametrize(
    ("source", "sentence", "fix"),
    [
        ("import nowhere",
         "its init fails: Runtime.ImportModuleError: Unable to import module 'app': "
         "No module named 'nowhere'", ""),
        ("import os\nos.environ['TABLE']", "its init fails: KeyError: 'TABLE'", "TABLE=VALUE"),
        ("def other(): pass",
         "its init fails: Runtime.HandlerNotFound: Handler 'handler' missing on module 'app'", ""),
        ("import os\nos._exit(4)", "its init fails: Runtime exited with error: exit status 4", ""),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("client", "nothing_left")
def test_an_init_that_fails_is_said(source: str, sentence: str, fix: str, tmp_path: Path) -> None:
    result = call(write_function(tmp_path / "fn", source))
    (found,) = web(result).judgements
    assert (found.code, found.status.value) == ("init", "fail")
    assert found.sentence == sentence
    assert fix in found.fix
    assert web(result).machines == ()


@pytest.mark.parametrize(
    ("sleep", "timeout", "status", "sentence"),
    [
        (1.2, 5, "warn", "begins again in the first invocation, whose duration it counts to"),
        (60, 1, "fail", "it asked for no event within 1 s, nor within the timeout of 1 s"),
    ],
)
@pytest.mark.usefixtures("client", "short", "nothing_left")
def test_an_init_beyond_its_limit_counts_to_the_first_invocation(
    sleep: float, timeout: int, status: str, sentence: str, tmp_path: Path
) -> None:
    source = f"import time\ntime.sleep({sleep})\ndef handler(event, context): pass\n"
    folder = write_function(tmp_path / "fn", source)
    (found,) = (
        one
        for one in web(call(folder, "--function-timeout", timeout)).judgements
        if one.code == "init"
    )
    assert found.status.value == status
    assert sentence in found.sentence


@pytest.mark.usefixtures("client", "nothing_left")
def test_what_it_writes_beside_its_code_could_not_be_written_there(tmp_path: Path) -> None:
    folder = write_function(tmp_path / "fn", BAD)
    found = codes(call(folder, handler="app.writes"))
    assert found == {"read-only": "it wrote cache.db beside its code, which is read-only on Lambda"}


@pytest.mark.usefixtures("client", "nothing_left")
def test_a_size_with_too_little_cpu_is_no_size_that_holds(tmp_path: Path) -> None:
    folder = write_function(tmp_path / "fn", BAD)
    result = call(folder, "--dyno", "128mb", "--function-timeout", "1", handler="app.busy")
    assert "128mb has 0.07 vCPU: at least 1." in codes(result)["cpu"]
    assert web(result).cheapest == "256mb"


@pytest.mark.usefixtures("client")
def test_the_largest_answer_is_one(tmp_path: Path) -> None:
    assert codes(call(write_function(tmp_path / "fn", BAD), handler="app.largest")) == {}


@pytest.mark.slow
@pytest.mark.usefixtures("client")
def test_a_leak_is_measured(tmp_path: Path) -> None:
    source = (
        "import os, time\nKEPT = []\n"
        "def handler(event, context):\n    KEPT.append(os.urandom(20_000))\n    time.sleep(0.005)\n"
    )
    folder = write_function(tmp_path / "fn", source)
    run = web(rehearsed(folder, *LAMBDA, "--handler", "app.handler", "--for", "4s", count=None))
    assert run.load is not None
    assert run.load.growth is not None
    assert 1.5e6 < run.load.growth.per_hundred_bytes < 2.6e6
    assert "leak" in {one.code for one in run.judgements}


HOSTILE = """
import http.client, os, socket
OPEN = []
def handler(event, context):
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    base = "/2018-06-01/runtime/invocation/"
    said = []
    for path in (f"{base}no-such-id/response", f"{base}../../etc/passwd", "/"):
        own = http.client.HTTPConnection(host, int(port))
        own.request("POST", path, "{}")
        said.append(own.getresponse().status)
        own.close()
    for _ in range(40):
        one = socket.create_connection((host, int(port)))
        one.sendall(b"POST " + base.encode() + context.aws_request_id.encode() +
            b"/response HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 999999999999\\r\\n\\r\\n")
        OPEN.append(one)
    assert said == [400, 404, 404], said
"""


@pytest.mark.usefixtures("client", "nothing_left")
def test_an_app_that_misuses_the_runtime_api_harms_itself_alone(tmp_path: Path) -> None:
    result = call(write_function(tmp_path / "fn", HOSTILE), "--function-timeout", "1")
    assert web(result).load is not None
    assert codes(result)  # it has used up its own connections
    assert set(codes(result)) <= {"exit", "timeout", "error"}


# --------------------------------------------------------------------------- which function


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        ({}, (), "no file says which function is called"),
        ({"template.yaml": "Handler: a.b"}, (), "(template.yaml is not read)"),
        ({"lambda_function.py": "def other(): pass"}, (), "no file says which function is called"),
        ({}, ("--handler", "app"), "--handler 'app': not a module and a function"),
        ({}, ("--handler", "a.b", "--concurrency", "2"), "answers one request at a time"),
        ({}, ("--handler", "a.b", "--request", "GET /a"), "--request: AWS Lambda (zip) calls a"),
        ({}, ("--handler", "a.b", "--process", "web", "--release"), "--process and --release: AWS"),
        ({}, ("--handler", "a.b", "--function-timeout", "901"), "allows at most 900 s"),
        ({"e.json": "{"}, ("--handler", "a.b", "--event", "{app}/e.json"), "is not JSON: "),
        ({}, ("--handler", "a.b", "--event", "{app}/e.json"), "cannot be read: No such file"),
        ({}, ("--handler", "a.b", "--platform", "heroku"), "--handler: Heroku starts processes"),
        ({}, ("--platform", "google-cloud-functions"), "--command 'functions-framework --target"),
        ({}, ("--platform", "azure-functions"), "in a way that rehearse cannot repeat"),
    ],
)  # fmt: skip
def test_wrong_usage_is_2_and_starts_nothing(
    files: dict[str, str], arguments: tuple[str, ...], said: str, tmp_path: Path,
    nothing_left: None,
) -> None:  # fmt: skip
    folder = write_function(tmp_path / "fn", "open('started', 'w')")
    for name, text in files.items():
        (folder / name).write_text(text)
    given = [argument.replace("{app}", str(folder)) for argument in arguments]
    done = rehearse(folder, *LAMBDA, *given, count=None)
    assert (done.code, done.out) == (2, ""), done.err
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("platform", "files", "place"),
    [
        ("aws-lambda", {"lambda_function.py": "def lambda_handler(event, context): pass"},
         "lambda_function.py"),
        ("aws-lambda-image",
         {"src/api.py": "import there\ndef main(event, context): pass", "src/there.py": "",
          "Dockerfile": f"FROM public.ecr.aws/lambda/python:{MINOR}\n"
          "COPY src/ ${LAMBDA_TASK_ROOT}/\nCMD [\"api.main\"]"},
         "Dockerfile:3"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("client")
def test_the_project_names_its_function(
    platform: str, files: dict[str, str], place: str, tmp_path: Path
) -> None:
    folder = write_function(tmp_path / "fn", "")
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    result = rehearsed(folder, "--platform", platform, count=3)
    assert web(result).place == place
    assert codes(result) == {}


# --------------------------------------------------------------------------- the runtime


def place(tmp_path: Path, source: str, **pins: str) -> Deployment:
    app = write_function(tmp_path / "app", source)
    return Deployment(
        app=app, interpreter=Path(sys.executable), python="3.12", pins=pins, variables={}
    )


@pytest.mark.parametrize(
    ("source", "pins", "has"),
    [
        ("import boto3", {}, ["awslambdaric", "boto3"]),
        ("import json", {}, ["awslambdaric"]),
        ("import boto3", {"boto3": "1", "awslambdaric": "4"}, None),
    ],
)
@pytest.mark.usefixtures("own_caches")
def test_the_runtime_has_the_client_and_the_sdk_that_the_code_names(
    source: str, pins: dict[str, str], has: list[str] | None, tmp_path: Path,
    package_server: PackageServer,
) -> None:  # fmt: skip
    for name in ("awslambdaric", "boto3"):
        package_server.add_wheel(name, "1.0", {f"{name}/__init__.py": ""})
    index = IndexOptions(index_url=package_server.index_url)
    where = place(tmp_path, source, **pins)
    folder = functions.add_runtime(where, platforms.load("aws-lambda"), index, offline=False)
    found = sorted(path.parent.name for path in folder.glob("*/__init__.py")) if folder else None
    assert found == has


@pytest.mark.usefixtures("own_caches")
def test_a_runtime_that_cannot_be_installed_is_said(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="Lambda's runtime cannot be installed") as raised:
        functions.add_runtime(
            place(tmp_path, ""), platforms.load("aws-lambda"), IndexOptions(), offline=True
        )
    assert "name its interpreter with --python" in str(raised.value.hint)


# --------------------------------------------------------------------------- the Runtime API

NEXT = "/2018-06-01/runtime/invocation/next"


@dataclass
class Client:
    """Somebody who asks the Runtime API, while an invocation waits."""

    api: RuntimeApi
    outcomes: list[Outcome] = field(default_factory=list)

    def invoke(self, timeout: float = 5.0, *, alive: bool = True) -> threading.Thread:
        def run() -> None:
            self.outcomes.append(self.api.invoke(b'{"a": 1}', timeout=timeout, alive=lambda: alive))

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def connect(self) -> http.client.HTTPConnection:
        host, port = self.api.address.split(":")
        return http.client.HTTPConnection(host, int(port), timeout=5)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        connection = self.connect()
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            response = connection.getresponse()
            self.headers = response.headers
            return response.status, response.read()
        finally:
            connection.close()

    def take(self) -> str:
        """Get the event; return the path of its answers."""
        status, body = self.ask("GET", NEXT)
        assert (status, body) == (200, b'{"a": 1}')
        id_ = self.headers["Lambda-Runtime-Aws-Request-Id"]
        return f"/2018-06-01/runtime/invocation/{id_}/"


@pytest.fixture
def asked() -> Iterator[Client]:
    with RuntimeApi(answer_bytes=1000, arn="arn:of:it") as api:
        yield Client(api=api)


def test_an_event_is_given_once_with_its_deadline_and_answered_once(asked: Client) -> None:
    before = asked.api.asked
    thread = asked.invoke(timeout=5)
    base = asked.take()
    assert (before, type(asked.api.asked)) == (None, float)
    assert asked.headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:of:it"
    left = int(asked.headers["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time()
    assert 4 < left <= 5
    assert asked.ask("POST", f"{base}response", iter([b"4", b"2"]))[0] == 202  # in chunks
    thread.join()
    assert asked.ask("POST", f"{base}response", b"43")[0] == 400
    (outcome,) = asked.outcomes
    assert outcome.ending is Ending.ANSWERED
    assert outcome.sha256.startswith("73475cb40a568e8d")  # of 42


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"errorType": "KeyError", "errorMessage": "x"}', Fault(type="KeyError", message="x")),
        (b"no JSON", Fault(type="Named", message="")),
        (b"[" * 100_000, Fault(type="Named", message="")),
        (b'{"errorType": {"a": 1}, "errorMessage": [2]}', Fault(type="Named", message="")),
    ],
)
def test_an_error_is_taken_however_badly_it_is_reported(
    asked: Client, body: bytes, fault: Fault
) -> None:
    thread = asked.invoke()
    base = asked.take()
    named = {"Lambda_Runtime_Function_Error_Type": "Named"}
    assert asked.ask("POST", f"{base}error", body, **named)[0] == 202
    thread.join()
    assert [(one.ending, one.fault) for one in asked.outcomes] == [(Ending.ERROR, fault)]
    assert asked.ask("POST", "/2018-06-01/runtime/init/error", body, **named)[0] == 202
    assert asked.api.init_fault == fault


def test_an_answer_that_is_too_large_is_refused(asked: Client) -> None:
    thread = asked.invoke()
    status, said = asked.ask("POST", f"{asked.take()}response", b"x" * 1001)
    thread.join()
    assert status == 413
    assert b"Exceeded maximum allowed payload size (1000 bytes)." in said
    assert [one.ending for one in asked.outcomes] == [Ending.TOO_LARGE]


def test_a_body_without_an_end_times_out_and_one_that_is_huge_is_broken_off(asked: Client) -> None:
    thread = asked.invoke(timeout=0.3)
    base = asked.take()
    connection = asked.connect()
    connection.putrequest("POST", f"{base}response")
    connection.putheader("Content-Length", "10")
    connection.endheaders(b"123")
    thread.join()
    assert [one.ending for one in asked.outcomes] == [Ending.TIMED_OUT]
    connection.close()
    with pytest.raises((OSError, http.client.HTTPException)):
        asked.ask("POST", "/", iter([bytes(2**20)] * 80))


def test_one_that_is_gone_is_seen(asked: Client) -> None:
    asked.invoke(alive=False).join()
    assert [one.ending for one in asked.outcomes] == [Ending.EXITED]


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01 not HTTP\r\n\r\n", b"GET / HTTP/1.1\r\nA: " + b"a" * 3_000_000, b""],
    ids=["garbage", "a head without an end", "nothing"],
)
def test_what_is_no_request_ends_the_connection_alone(asked: Client, sent: bytes) -> None:
    host, port = asked.api.address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as own:
        try:
            own.sendall(sent)
            own.shutdown(socket.SHUT_WR)
            said = own.recv(100)
        except OSError:  # it was reset while there was more to send
            said = b""
    assert said == b""
    assert asked.ask("GET", "/other")[0] == 404


def test_connections_are_bounded_and_end_with_the_server() -> None:
    with RuntimeApi(answer_bytes=10, arn="") as api:
        host, port = api.address.split(":")
        many = [socket.create_connection((host, int(port)), timeout=5) for _ in range(17)]
        assert many[16].recv(1) == b""
        waiting = many[0]
        waiting.sendall(f"GET {NEXT} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    ended = []
    for one in many[:16]:
        with one:
            ended.append(one.recv(1))
    many[16].close()
    assert ended == [b""] * 16
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)

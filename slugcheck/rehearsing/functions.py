"""A function as AWS Lambda calls it: init, the first event, the load; and what Lambda would say.

The function runs in AWS's own runtime interface client (awslambdaric), which asks the Runtime API
of this machine for events. What is imitated is one execution environment.
"""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.model import Dyno, IndexOptions, Invocation, Platform
from slugcheck.model.rehearsal import (
    Boot,
    Judgement,
    MachineFit,
    MemoryLimit,
    ProcessRun,
    Stage,
)
from slugcheck.model.report import Status
from slugcheck.packages.resolve.uv import install_wheels
from slugcheck.rehearsing import judgement
from slugcheck.rehearsing.deployment import Deployment
from slugcheck.rehearsing.lifecycle import Lifecycle
from slugcheck.rehearsing.load import Answer
from slugcheck.rehearsing.plan import ProcessType
from slugcheck.rehearsing.requests import DEFAULT_EVENT, Request
from slugcheck.rehearsing.runtime_api import Ending, Fault, Outcome, RuntimeApi
from slugcheck.rehearsing.supervisor import Command
from slugcheck.running import temporary
from slugcheck.text import mib, millis, plural, printable, seconds, without_credentials

CLIENT = "awslambdaric"
TASK_ROOT = "/var/task"
_SDK = "boto3"  # what Lambda's own runtimes have beside the client
_NAME = "rehearsed"
_REGION = "us-east-1"
_IN_ROW = 50  # errors one after the other before the load gives up
_KINDS = 5  # of errors that are told apart for an event
_POLL_SECONDS = 0.01
_SHOWN = 200
_MOST_FILES = 20_000
_MOST_SOURCE = 2**20  # bytes of a file in which the SDK's name is looked for
_NAMED = 3
_SLOW = 0.5  # of a limit in time, from which a slower processor may pass it
_WORDS = {"R14": "memory", "RAM": "memory"}
_OTHERS = "other errors"


# --------------------------------------------------------------------------- the runtime


def add_runtime(
    place: Deployment, platform: Platform, index: IndexOptions, *, offline: bool
) -> Path | None:
    """Install what the platform's runtime has and the environment lacks; return its folder.

    It is AWS's runtime interface client, and the SDK where the runtime brings it and the app's code
    names it. Wheels only: no code of theirs is run for it.

    :raises MeasureError: they cannot be installed.
    """
    wanted = [] if CLIENT in place.pins else [CLIENT]
    if _SDK in platform.bundle.provided and _SDK not in place.pins and _names(place.app, _SDK):
        wanted.append(_SDK)
    if not wanted:
        return None
    folder = place.app.with_name("runtime")
    arguments = ["--target", str(folder), "--python", str(place.interpreter)]
    arguments += ["--offline"] if offline else []
    # the user's index comes first: a private network may have no other
    ways = [index] if index.index_url or index.no_index else []
    failed: MeasureError | None = None
    for way in (*ways, IndexOptions()):
        try:
            with temporary.Folder() as work:
                install_wheels(wanted, way, arguments, folder=work)
            return folder
        except MeasureError as error:
            failed = failed or error
    message = f"Lambda's runtime cannot be installed ({', '.join(wanted)}): {failed}"
    hint = f"install {CLIENT} into an environment, and name its interpreter with --python"
    raise MeasureError(message, hint=hint)


def _names(app: Path, module: str) -> bool:
    """Whether a Python file of the app has a word in it."""
    for number, path in enumerate(app.rglob("*.py")):
        if number > _MOST_FILES:
            return True
        with suppress(OSError):
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as stream:
                if module.encode() in stream.read(_MOST_SOURCE):
                    return True
    return False


def memory_bytes(platform: Platform, dyno: Dyno | None, given: int | None) -> int:
    """Return where a function is killed: what the user says, its size, or the largest one."""
    largest = max((one.r15_bytes for one in platform.dynos), default=2**50)
    return given or (dyno.r15_bytes if dyno is not None else largest)


def command(
    place: Deployment, process: ProcessType, api: RuntimeApi, limits: Invocation, *,
    runtime: Path | None, limit_bytes: int,
) -> Command:  # fmt: skip
    """Return what starts the runtime of a function, with what it finds in its environment.

    What the platform itself sets cannot be set by the user.
    """
    given = dict(place.variables)
    folder = place.app / process.folder
    minor = ".".join(place.python.split(".")[:2])
    paths = [given.pop("PYTHONPATH", ""), *map(str, filter(None, (place.packages, runtime)))]
    environment = place.usual | dict(process.variables) | given | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",  # nothing can be written beside the code
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(folder),
        "LAMBDA_RUNTIME_DIR": str(runtime or place.app),
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": _NAME,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(limit_bytes // 2**20),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{_NAME}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "slugcheck",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{minor}",
        "_HANDLER": process.command,
    }  # fmt: skip
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        environment.setdefault(name, given.get("AWS_REGION", _REGION))
    return Command(
        argv=(str(place.interpreter), "-m", CLIENT, process.command),
        environment=environment,
        cwd=str(folder),
        limit_bytes=limit_bytes,
        cores=max(1, math.ceil(limits.vcpus(limit_bytes))),
        places=(str(place.app), str(place.tmp)),
        disk=limits.disk_bytes,
    )


def runtime_api(limits: Invocation) -> RuntimeApi:
    """Return the Runtime API for one function.

    :raises MeasureError: no port is free.
    """
    arn = f"arn:aws:lambda:{_REGION}:123456789012:function:{_NAME}"
    try:
        return RuntimeApi(answer_bytes=limits.answer_bytes, arn=arn)
    except OSError as error:
        raise MeasureError(f"no port is free: {error.strerror}") from None


# --------------------------------------------------------------------------- its life


@dataclass(slots=True, kw_only=True)
class FunctionLifecycle(Lifecycle):
    """One execution environment while it lives. ``timeout`` is of an invocation, in seconds."""

    api: RuntimeApi
    timeout: int
    answer_bytes: int
    started: float = field(default_factory=time.monotonic)
    fault: Fault | None = None  # of init
    ending: Ending | None = None  # of the invocation that ended the environment
    written: tuple[str, ...] = ()  # paths in the app's folder
    _sentences: set[str] = field(default_factory=set)

    @property
    def events(self) -> tuple[Request, ...]:
        """What it is called with."""
        return self.options.events or (DEFAULT_EVENT,)

    def _stages(self) -> None:
        self.boot = self._initialised()
        if self.boot.bound_seconds is None:
            return
        self._read(Stage.BOOT)
        self.say("first invocation")
        first = self._invoke(0)
        if self.ending is not None:
            self._measure_load(self.events, lambda: [first])
            return
        answered = self.boot.bound_seconds + first.ended - first.started
        self.boot = replace(self.boot, answered_seconds=answered)
        self._read(Stage.FIRST)
        asked = self.options.load
        self.say(f"{asked.requests} invocations or more")
        self._measure_load(self.events, lambda: self._load([first] if first.trouble else []))
        if self._runs():
            self._read(Stage.STEADY)

    def _initialised(self) -> Boot:
        """Wait until it asks for an event, as long as Lambda would with what it tries again."""
        limit = self.boot_limit or 0.0
        wait = max(limit, float(self.timeout))
        while (asked := self.api.asked) is None and self._runs():
            if self.state.seconds > wait:
                break
            time.sleep(_POLL_SECONDS)
        self.fault = self.api.init_fault
        return Boot(
            bound_seconds=asked - self.started if asked is not None else None,
            answered_seconds=None, status=None, limit_seconds=self.boot_limit,
        )  # fmt: skip

    def _load(self, answers: list[Answer]) -> Sequence[Answer]:
        """Send one event after the other until there were enough, or the environment has ended."""
        asked, began, in_row = self.options.load, time.monotonic(), 0
        for sent, number in enumerate(cycle(range(len(self.events)))):
            passed = time.monotonic() - began
            enough = sent >= asked.requests and passed >= asked.least_seconds
            if enough or passed >= asked.seconds or in_row >= _IN_ROW or self.ending is not None:
                break
            answer = self._invoke(number)
            answers.append(answer)
            in_row = in_row + 1 if answer.trouble else 0
        return answers

    def _invoke(self, number: int) -> Answer:
        event = self.events[number].body
        outcome = self.api.invoke(event, timeout=self.timeout, alive=self._runs)
        if outcome.ending not in (Ending.ANSWERED, Ending.ERROR):
            self.ending = outcome.ending
        if self.ending is Ending.TOO_LARGE:
            self._wait_for_the_end()
        code = "" if outcome.ending is Ending.ANSWERED else _CODES[outcome.ending]
        return Answer(
            request=number, started=outcome.started, ended=outcome.ended, status=200,
            trouble=self._trouble(outcome), code=code, sha256=outcome.sha256,
        )  # fmt: skip

    def _wait_for_the_end(self) -> None:
        """Let the client end, as it does where its answer was refused."""
        until = time.monotonic() + 1.0
        while time.monotonic() < until and self._runs():
            time.sleep(_POLL_SECONDS)

    def _trouble(self, outcome: Outcome) -> str:
        """Return what Lambda says of an invocation that went wrong, "" if it did not."""
        match outcome.ending:
            case Ending.ANSWERED:
                return ""
            case Ending.TIMED_OUT:
                return f"Task timed out after {self.timeout:.2f} seconds"
            case Ending.TOO_LARGE:
                return (
                    "Response payload size exceeded maximum allowed payload size "
                    f"({self.answer_bytes} bytes)"
                )
            case Ending.EXITED:
                return f"Runtime exited {exited(self._look().code)}"
            case Ending.ERROR:
                pass
        said = said_of(outcome.fault)
        if len(self._sentences) >= _KINDS and said not in self._sentences:
            return _OTHERS
        self._sentences.add(said)
        return said

    def look_for_files(self, kept: Path) -> None:
        """Keep which files of the app's folder are not as in ``kept``, the folder as deployed."""
        self.written = tuple(_changed(Path(self.app), kept))

    def called(
        self, limit: MemoryLimit, dyno: Dyno | None, limits: Invocation
    ) -> ProcessRun:  # fmt: skip
        """Return the whole run, judged."""
        run = replace(self._seen(limit), timeout_seconds=self.timeout)
        if self.ending is Ending.TIMED_OUT:
            run = replace(run, code=None)  # it was ended here
        seen = Called(
            run=run, killed=self.state.killed, fault=self.fault, ending=self.ending,
            written=self.written,
        )  # fmt: skip
        return replace(run, judgements=tuple(judge(seen, dyno, limits)))


_CODES = {
    Ending.ERROR: "error", Ending.TOO_LARGE: "size", Ending.TIMED_OUT: "timeout",
    Ending.EXITED: "exit",
}  # fmt: skip


def exited(code: int | None) -> str:
    """Return how Lambda says that the runtime has ended."""
    if code is None:
        return "with error: signal: killed"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"with error: signal: {name.removeprefix('SIG').lower()}"
    return f"with error: exit status {code}" if code else "without providing a reason"


def said_of(fault: Fault | None) -> str:
    """Return an error as the runtime reports it, in one line."""
    if fault is None:
        return ""
    text = f"{fault.type}: {fault.message}" if fault.message else fault.type
    return printable(" ".join(without_credentials(text).split()))[:_SHOWN]


def _changed(app: Path, kept: Path) -> list[str]:
    """Return the paths of files that are not as they were deployed, in order.

    Of a folder that the app has filled with files, as many as there may be.
    """
    found: list[str] = []
    seen, todo = 0, [app]
    while todo:
        folder = todo.pop()
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                seen += 1
                if seen > _MOST_FILES:
                    return sorted(found)
                if entry.is_dir(follow_symlinks=False):
                    todo.append(Path(entry.path))
                elif not _same(entry, kept / Path(entry.path).relative_to(app)):
                    found.append(str(Path(entry.path).relative_to(app)))
    return sorted(found)


def _same(entry: os.DirEntry[str], before: Path) -> bool:
    now = entry.stat(follow_symlinks=False)
    try:
        then = before.lstat()
    except OSError:
        return False
    return (now.st_size, now.st_mtime_ns) == (then.st_size, then.st_mtime_ns)


# --------------------------------------------------------------------------- what Lambda would say


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What happened to a function: its run, and what was seen beside it.

    ``killed`` is why it was ended here, "" if it was not; ``ending`` is of the invocation that
    ended the environment, None where none did.
    """

    run: ProcessRun
    killed: str
    fault: Fault | None
    ending: Ending | None
    written: tuple[str, ...] = ()


def judge(seen: Called, dyno: Dyno | None, limits: Invocation) -> Iterator[Judgement]:
    """Yield what Lambda would say, the first cause first."""
    run = seen.run
    if seen.killed == "disk":
        size = f"{mib(limits.disk_bytes, down=True)} MiB"
        sentence = f"No space left on device: it wrote more than the {size} of /tmp"
        fix = "write less, or give the function more ephemeral storage"
        yield Judgement(code="disk", status=Status.FAIL, sentence=sentence, fix=fix)
    else:
        yield from judgement.ended_here(seen.killed)
    initialised = run.boot is not None and run.boot.bound_seconds is not None
    if run.limit.killed:
        yield _killed(run.limit, "" if initialised else " in its init")
    elif not initialised and not seen.killed:
        yield _init_failed(seen)
    if not initialised:
        return
    yield from _load(seen)
    if not run.limit.killed:
        for one in judgement.of_memory(run, dyno):
            yield replace(one, code=_WORDS[one.code])
        yield from judgement.of_growth(run, dyno)
    yield from _init(run)
    yield from _times(run, dyno, limits)
    if seen.written:
        more = f" and {len(seen.written) - _NAMED} more" if len(seen.written) > _NAMED else ""
        names = printable(without_credentials(", ".join(seen.written[:_NAMED])))[:_SHOWN]
        sentence = f"it wrote {names}{more} beside its code, which is read-only on Lambda"
        fix = "write to /tmp instead"
        yield Judgement(code="read-only", status=Status.WARN, sentence=sentence, fix=fix)


def _killed(limit: MemoryLimit, when: str) -> Judgement:
    size = f"{mib(limit.bytes, down=True)} MiB"
    return Judgement(
        code="memory",
        status=Status.FAIL,
        sentence=f"killed{when}: its memory went beyond {size}; Lambda says: "
        "Runtime exited with error: signal: killed",
        fix="a larger memory size, or less to load",
    )


def _init_failed(seen: Called) -> Judgement:
    run = seen.run
    if seen.fault is not None:
        said = said_of(seen.fault)
        fix = judgement.cause_of((said,))[1]
        sentence = f"its init fails: {said}"
        return Judgement(code="init", status=Status.FAIL, sentence=sentence, fix=fix)
    if run.code is not None:
        cause, fix = _cause(run)
        because = f": {cause}" if cause else ""
        sentence = f"its init fails: Runtime exited {exited(run.code)}{because}"
        return Judgement(code="init", status=Status.FAIL, sentence=sentence, fix=fix)
    limit = run.boot.limit_seconds if run.boot is not None else None
    return Judgement(
        code="init",
        status=Status.FAIL,
        sentence=f"it asked for no event within {limit or 0:.0f} s, nor within the timeout of "
        f"{run.timeout_seconds} s that its second init has",
        fix="do less when the module is imported, or raise the function's timeout",
    )


def _cause(run: ProcessRun) -> tuple[str, str]:
    """Return what the log of a runtime that has ended says went wrong, and what to do about it."""
    return judgement.cause_of([text.replace("[ERROR]", "").strip() for text in run.log])


def _init(run: ProcessRun) -> Iterator[Judgement]:
    boot, timeout = run.boot, run.timeout_seconds or 0
    if boot is None or boot.bound_seconds is None or not boot.limit_seconds:
        return
    taken, limit = boot.bound_seconds, boot.limit_seconds
    sentence = f"init takes {seconds(taken)} of {limit:.0f} s"
    status, fix = Status.PASS, ""
    if taken > limit:
        again = boot.answered_seconds is None or boot.answered_seconds > timeout
        then = f"which times out after {timeout} s" if again else "whose duration it counts to"
        sentence += (
            ": Lambda stops it (INIT_REPORT … Status: timeout) and begins again in the first "
            f"invocation, {then}"
        )
        status = Status.FAIL if again else Status.WARN
        fix = "do less when the module is imported, or raise the function's timeout"
    elif taken > limit * _SLOW:
        status = Status.WARN
        sentence += ", and Lambda's processor may be slower"
    yield Judgement(code="init", status=status, sentence=sentence, fix=fix)


_FIXES = {
    "timeout": "raise the function's timeout, then pass --function-timeout",
    "size": "put it into S3 and answer with its address, or stream it",
}


def _load(seen: Called) -> Iterator[Judgement]:
    load = seen.run.load
    results = load.by_request if load is not None else ()
    for result in results:
        for trouble in result.troubles:
            if trouble.code == "exit" and (seen.run.limit.killed or seen.killed):
                continue  # it was said
            sentence = f"{trouble.sentence} ({trouble.count} of {result.sent})"
            if len(results) > 1:
                sentence = f"{result.request}: {sentence}"
            match trouble.code:
                case "error":
                    fix = judgement.cause_of((trouble.sentence,))[1]
                case "exit":
                    fix = _cause(seen.run)[1]
                case _:
                    fix = _FIXES[trouble.code]
            yield Judgement(
                code=trouble.code, status=Status.FAIL, sentence=printable(sentence), fix=fix
            )


def _times(run: ProcessRun, dyno: Dyno | None, limits: Invocation) -> Iterator[Judgement]:
    load, timeout = run.load, run.timeout_seconds or 0
    if load is None or load.times is None:
        return
    times = load.times
    first = 0.0
    if run.boot is not None and run.boot.answered_seconds is not None:
        first = run.boot.answered_seconds - (run.boot.bound_seconds or 0.0)
    longest = max(times.max_ms / 1000, first)
    if load.answered == load.requests:
        half, most, all_ = map(millis, (times.p50_ms, times.p95_ms, 1000 * longest))
        sentence = (
            f"{plural(load.requests, 'invocation')} answered, half within {half} ms, "
            f"95 % within {most} ms, all within {all_} ms of {timeout} s"
        )
        yield Judgement(code="load", status=Status.PASS, sentence=sentence)
    least = least_ms(run, limits, dyno.ram_bytes) if dyno is not None else None
    if dyno is not None and least is not None and least > 1000 * timeout:
        vcpus = limits.vcpus(dyno.ram_bytes)
        sentence = (
            f"an invocation takes {millis(1000 * (load.cpu_seconds_per_request or 0))} ms of CPU "
            f"time, and {dyno.name} has {vcpus:.2f} vCPU: at least {seconds(least / 1000)} there "
            f"by this machine's processor, and the timeout is {timeout} s"
        )
        fix = "a larger memory size, which has more CPU"
        yield Judgement(code="cpu", status=Status.WARN, sentence=sentence, fix=fix)
    elif longest > timeout * _SLOW and load.answered:
        sentence = (
            f"the longest invocation takes {seconds(longest)} of {timeout} s, and Lambda's "
            "processor may be slower"
        )
        yield Judgement(code="slow", status=Status.WARN, sentence=sentence)


def least_ms(run: ProcessRun, limits: Invocation, ram_bytes: int) -> float | None:
    """Return what an invocation takes at least with the CPU of a size, in milliseconds.

    By this machine's processor, and as if all of it were spread over the vCPUs.
    """
    load = run.load
    if load is None or load.cpu_seconds_per_request is None:
        return None
    return 1000 * load.cpu_seconds_per_request / limits.vcpus(ram_bytes)


def with_processors(
    fits: Sequence[MachineFit], run: ProcessRun, limits: Invocation
) -> tuple[MachineFit, ...]:
    """Return sizes with the CPU that comes with them; one that is too slow for it is no fit."""
    found = []
    for fit in fits:
        least = least_ms(run, limits, fit.ram_bytes)
        slow = least is not None and least > 1000 * (run.timeout_seconds or 0)
        status = Status.UNKNOWN if slow and fit.status is not Status.FAIL else fit.status
        vcpus = limits.vcpus(fit.ram_bytes)
        found.append(replace(fit, vcpus=vcpus, least_ms=least, slow=slow, status=status))
    return tuple(found)

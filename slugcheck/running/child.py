"""Child processes: isolated from the checkout, bounded in time, output and memory."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from slugcheck import reading
from slugcheck.errors import MeasureError
from slugcheck.running import deadline, ending, temporary

# What every tool needs, and what it takes to get at an index.
_BASE = (
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|"
    r"XDG_(?:CACHE|CONFIG|DATA|STATE)_HOME|XDG_CONFIG_DIRS|XDG_RUNTIME_DIR|"
    r"SYSTEMROOT|SystemRoot|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA|"
    r"HOMEDRIVE|HOMEPATH"
)
NETWORK = (
    r"(?:HTTPS?|ALL|NO)_PROXY|(?:https?|all|no)_proxy|NETRC|SSL_CERT_FILE|SSL_CERT_DIR|"
    r"REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_CAINFO"
)
_RUN_MODULE = (
    "import os, runpy, sys; sys.path[:] = sys.argv.pop(1).split(os.pathsep);"
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)
_distrusted: set[str] = set()


def environment(allowed: str = "", *, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a child's environment: the names that every tool needs and those of a pattern."""
    names = re.compile(f"(?:{_BASE}|{allowed})" if allowed else f"(?:{_BASE})")
    source = os.environ if environ is None else environ
    kept = {key: value for key, value in source.items() if names.fullmatch(key)}
    if "PATH" in kept:
        kept["PATH"] = safe_path(kept["PATH"])
    return kept


def distrust(path: Path) -> None:
    """Use no program from the project that ``path`` belongs to: its checkout, or its folder."""
    _distrusted.add(str(reading.checkout_of(path)))


def _roots() -> frozenset[str]:
    try:
        here = str(reading.checkout_of(Path.cwd()))
    except OSError:  # it is gone
        here = ""
    return frozenset({*_distrusted, here}) - {"/", ""}


def _within(place: str, root: str) -> bool:
    return place == root or place.startswith(root + os.sep)


def safe_path(path: str) -> str:
    """Return PATH without what is relative, empty, or in the checked project."""
    return _safe_path(path, _roots())


@lru_cache(maxsize=64)
def _safe_path(path: str, roots: frozenset[str]) -> str:
    kept = []
    for place in path.split(os.pathsep):
        real = os.path.realpath(place)
        inside = any(_within(real, root) for root in roots)
        if Path(place).is_absolute() and not inside:
            kept.append(place)
    return os.pathsep.join(kept)


def which(name: str) -> str | None:
    """Return the path of a program that is not the checked project's, None if there is none."""
    return shutil.which(name, path=safe_path(os.environ.get("PATH", os.defpath)))


def python_module(name: str) -> list[str]:
    """Return the command that runs a module of slugcheck's own environment; arguments follow.

    It imports from where this process does and from nowhere else: no current folder, nothing of
    the checked project, no PYTHON* variable, no ``.pth`` file, no sitecustomize.
    """
    path = os.pathsep.join(place for place in sys.path if _is_ours(place))
    return [sys.executable, "-I", "-S", "-c", _RUN_MODULE, path, name]


def _is_ours(place: str) -> bool:
    """Whether a place of the import path is outside the checked project.

    slugcheck's own environment may well lie there, as a ``.venv`` does.
    """
    real = os.path.realpath(place)
    own = {os.path.realpath(prefix) for prefix in (sys.prefix, sys.base_prefix)}
    return Path(place).is_absolute() and (
        not any(_within(real, root) for root in _roots())
        or any(_within(real, prefix) for prefix in own)
    )


# --------------------------------------------------------------------------- running


PIPE = subprocess.PIPE
# Measured: uv takes 60-95 MB for lists with torch, TensorFlow or boto3, 320 MB for all of Airflow's
# extras, 620 MB for Apache Beam with Home Assistant, which have no solution. slugcheck itself has
# the rest of a gigabyte.
MEMORY = 700 * 10**6
_TOGETHER = 800 * 10**6
_ADDRESSES = 4 * 10**9  # what is asked for between two looks; measured: 2.4e9 for the largest
_OUTPUT = 64 * 2**20  # measured: 28 kB for torch's lock; ls-files of a million files is 90 MB
_CHUNK = 2**16
_LOOK_SECONDS = 0.02
_GRACE_SECONDS = 10.0  # the end of the run comes first, and says more
_LAST_WORDS_SECONDS = 5.0
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_HAS_GROUPS = hasattr(os, "killpg")  # of processes; Windows has none
_CAN_PEEK = hasattr(os, "waitid")  # not on macOS before Python 3.13
_sizes: dict[int, int] = {}  # bytes of the children whose memory is bounded


class ChildError(MeasureError):
    """A program exceeded its limits."""


class LateError(ChildError):
    """A program did not end in time."""


class MemoryBoundError(ChildError):
    """A program needed more memory than it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended, and its output."""

    code: int
    out: bytes
    err: bytes

    @property
    def output(self) -> str:
        """Its stdout, as text."""
        return self.out.decode("utf-8", "replace")

    @property
    def errors(self) -> str:
        """Its stderr, as text."""
        return self.err.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits of a program: ``output`` and ``memory`` in bytes; no limit of memory if None."""

    seconds: float
    output: int = _OUTPUT
    memory: int | None = MEMORY


def run(
    command: Sequence[str], *, label: str, environment: Mapping[str, str], bounds: Bounds,
    cwd: Path | None = None, sent: bytes = b"", merged: bool = False,
) -> Ended:  # fmt: skip
    """Run a program to its end; what is left of its group is killed then.

    ``label`` is its name in messages, ``sent`` its input; ``merged`` puts stderr into ``out``.
    ``cwd`` is an empty folder where none is named.

    :raises ChildError: it takes more than ``bounds`` allow.
    :raises OSError: it cannot be started.
    """
    with started(
        command, environment=environment, cwd=cwd, memory=bounds.memory,
        stdin=subprocess.PIPE if sent else subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
    ) as process:  # fmt: skip
        if not _HAS_GROUPS:
            out, err = _communicated(process, label, bounds, sent)
        else:
            out, err = _Listener(process, label, bounds, sent).listen()
    ending.halt()  # where the run is ending, the child was killed for that
    return Ended(code=process.returncode, out=out, err=err)


@contextmanager
def started(
    command: Sequence[str], *, environment: Mapping[str, str], cwd: Path | None = None,
    stdin: int | IO[Any] = subprocess.DEVNULL, stdout: int = subprocess.PIPE,
    stderr: int = subprocess.DEVNULL, memory: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:  # fmt: skip
    """Start a program; in the end it and its group are killed.

    :raises OSError: it cannot be started.
    """
    with ExitStack() as stack:
        place = cwd if cwd is not None else stack.enter_context(temporary.Folder())
        with ending.made_known():
            process = subprocess.Popen(
                [_program(command[0], environment), *command[1:]], cwd=place,
                env=dict(environment), stdin=stdin, stdout=stdout, stderr=stderr,
                start_new_session=_HAS_GROUPS,
            )  # fmt: skip
            ending.processes[process.pid] = lambda: _kill(process)
            if memory is not None:
                _limit_addresses(process.pid)
        try:
            yield process
        finally:
            _kill(process)
            ending.processes.pop(process.pid, None)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with suppress(OSError):  # what it did not read any more
                        stream.close()


def _program(name: str, environment: Mapping[str, str]) -> str:
    if os.path.dirname(name):  # noqa: PTH120 - Path drops a leading "./"
        return os.path.abspath(name)  # noqa: PTH100 - the working folder is another
    program = shutil.which(name, path=environment.get("PATH", os.defpath))
    if program is None:
        raise FileNotFoundError(2, f"{name} is not installed")
    return program


def _kill(process: subprocess.Popen[bytes]) -> None:
    # a child that has ended stays a zombie until it is waited for: its number is nobody else's
    if process.returncode is not None and _CAN_PEEK:
        return
    with suppress(ProcessLookupError, PermissionError):
        if _HAS_GROUPS:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _limit_addresses(pid: int) -> None:
    with suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        resource.prlimit(pid, resource.RLIMIT_DATA, (_ADDRESSES, _ADDRESSES))


class _Listener:
    """Takes in what a child says until it ends, and looks at what it takes meanwhile.

    Not communicate(): what a child leaves in the background may hold its output open.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], label: str, bounds: Bounds, sent: bytes
    ) -> None:
        self._process = process
        self._label = label
        self._bounds = bounds
        self._unsent = memoryview(sent)
        self._heard: dict[int, list[bytes]] = {}
        self._length = 0
        self._selector = selectors.DefaultSelector()

    def listen(self) -> tuple[bytes, bytes]:
        out, err = self._process.stdout, self._process.stderr
        with self._selector, _exit_sign(self._process.pid) as sign:
            for stream in filter(None, (out, err)):
                os.set_blocking(stream.fileno(), False)
                self._selector.register(stream, selectors.EVENT_READ)
                self._heard[stream.fileno()] = []
            if (stdin := self._process.stdin) is not None:
                os.set_blocking(stdin.fileno(), False)
                self._selector.register(stdin, selectors.EVENT_WRITE)
            if sign is not None:
                self._selector.register(sign, selectors.EVENT_READ)
            with _watched(self._process.pid, self._bounds.memory) as watch:
                self._follow(watch)
            if sign is not None:
                self._selector.unregister(sign)
            self._last_words()
            return self._text(out), self._text(err)

    def _text(self, stream: IO[bytes] | None) -> bytes:
        return b"" if stream is None else b"".join(self._heard[stream.fileno()])

    def _follow(self, watch: _Watch) -> None:
        allowed = min(self._bounds.seconds, deadline.left() + _GRACE_SECONDS)
        end = time.monotonic() + allowed
        while not has_ended(self._process):
            left = end - time.monotonic()
            if left <= 0:
                message = f"{self._label} did not finish within {allowed:.0f} s"
                raise LateError(message)
            if (reason := watch.exceeded(self._label)) is not None:
                raise MemoryBoundError(reason)
            self._take(min(left, _LOOK_SECONDS))

    def _last_words(self) -> None:
        end = time.monotonic() + _LAST_WORDS_SECONDS
        _kill(self._process)  # what it left in the background would hold its output open
        while self._speaking() and time.monotonic() < end:
            self._take(_LOOK_SECONDS)

    def _speaking(self) -> bool:
        streams = {key.fd for key in self._selector.get_map().values()}
        return bool(streams & set(self._heard))

    def _take(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.fd in self._heard:
                self._hear(key.fileobj, key.fd)
            elif self._process.stdin is not None and key.fileobj is self._process.stdin:
                self._tell(key.fd)

    def _hear(self, stream: Any, descriptor: int) -> None:
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self._selector.unregister(stream)
            return
        self._length += len(chunk)
        if self._length > self._bounds.output:
            message = f"{self._label} printed more than {self._bounds.output // 2**20} MiB"
            raise ChildError(message)
        self._heard[descriptor].append(chunk)

    def _tell(self, descriptor: int) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - it is what was selected
        try:
            self._unsent = self._unsent[os.write(descriptor, self._unsent[:_CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:  # it reads no more
            self._unsent = self._unsent[:0]
        if not self._unsent:
            self._selector.unregister(stdin)
            stdin.close()


@contextmanager
def _exit_sign(pid: int) -> Iterator[int | None]:
    """Yield what becomes readable when a child ends, where the system has such a thing."""
    try:
        descriptor = os.pidfd_open(pid) if sys.platform == "linux" else None
    except (AttributeError, OSError):
        descriptor = None
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a child has ended; it stays a zombie where the system allows to look only."""
    if not _CAN_PEEK:
        return process.poll() is not None
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _communicated(
    process: subprocess.Popen[bytes], label: str, bounds: Bounds, sent: bytes
) -> tuple[bytes, bytes]:
    allowed = min(bounds.seconds, deadline.left() + _GRACE_SECONDS)
    try:
        out, err = process.communicate(sent or None, timeout=allowed)
    except subprocess.TimeoutExpired:
        raise LateError(f"{label} did not finish within {allowed:.0f} s") from None
    return out or b"", err or b""


class _Watch:
    """Looks at one child's resident memory; the largest gives way where all are too large."""

    def __init__(self, pid: int, most: int) -> None:
        self._pid = pid
        self._most = most

    def exceeded(self, label: str) -> str | None:
        """Return why the child must be stopped, which ``label`` names; None: it may go on."""
        own = _sizes[self._pid] = _resident(self._pid)
        if own > self._most:
            return f"{label} needed more than {self._most // 10**6} MB of memory and was stopped"
        every = list(_sizes.values())
        if sum(every) > _TOGETHER and own >= max(every):
            bound = f"{_TOGETHER // 10**6} MB of memory together"
            return f"{label} was stopped: it and the run's other programs needed more than {bound}"
        return None


class _Unwatched(_Watch):
    def exceeded(self, label: str) -> None:
        """Return None: nothing is watched."""


@contextmanager
def _watched(pid: int, most: int | None) -> Iterator[_Watch]:
    if most is None or sys.platform != "linux":
        yield _Unwatched(pid, 0)
        return
    try:
        yield _Watch(pid, most)
    finally:
        _sizes.pop(pid, None)


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as stream:  # noqa: PTH123 - it is looked at often
            return int(stream.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0

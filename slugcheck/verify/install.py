"""Installs as the platform's build does, in a temporary folder that is always removed."""

from __future__ import annotations

import errno
import os
import platform
import re
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.tags import platform_tags
from packaging.utils import InvalidWheelFilename

from slugcheck import reading
from slugcheck.errors import MeasureError
from slugcheck.model import IndexOptions, Manager, SizeReport, Target
from slugcheck.packages.resolve.uv import find_uv
from slugcheck.running import child, temporary
from slugcheck.running.child import Bounds, ChildError, Ended
from slugcheck.sizing.installed import layout_of
from slugcheck.text import listed, mb, printable, without_credentials
from slugcheck.verify.plan import VERIFY, Place, Plan

_LEAST_NAME, _LONGEST_NAME = 5, 10  # random characters of a folder's name
_SHORTEST = len("/e")
_FULL = (errno.ENOSPC, errno.EDQUOT)
# compilers take the memory that they need, and hours: the run has a deadline of its own
_BOUNDS = Bounds(seconds=86_400.0, memory=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The folder; packages are installed into ``prefix``.

    A .pyc contains the path of its source and a script that of its interpreter, so ``prefix`` is as
    long as the target's if the folder for temporary files allows it.
    """

    folder: Path
    prefix: Path
    size: int  # bytes that it is expected to take
    feature: str = VERIFY  # what the user has asked for


@contextmanager
def workspace(prefix: str, size: int, feature: str = VERIFY) -> Iterator[Workspace]:
    """Create the folder; remove it at the end, after an error, or when the process is terminated.

    ``prefix`` is the target's, ``size`` the bytes that the folder will take at its largest.

    :raises MeasureError: the disk has too little space, or runs full.
    """
    folder, inner = _names(temporary.root(), len(prefix))
    work = Workspace(folder=folder, prefix=inner, size=size, feature=feature)
    with _full_disk_explained(work), _made(folder):
        try:
            _need_space(work)
            yield work
        except BaseException:
            temporary.remove(folder)
            raise
        if left := temporary.remove(folder):
            message = f"the temporary folder {printable(str(folder))} cannot be removed: {left}"
            raise MeasureError(message, hint="remove it by hand")


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(temporary.elsewhere(folder))
        except OSError as error:
            if error.errno in _FULL:
                raise
            shown = printable(str(folder.parent))
            message = f"{shown} cannot be written: {error.strerror or error}"
            raise MeasureError(message, hint="set TMPDIR to another folder") from None
        yield


def _need_space(work: Workspace) -> None:
    free = shutil.disk_usage(work.folder).free
    if free < work.size:
        message = (
            f"{work.feature} needs about {mb(work.size)} MB for temporary files; "
            f"{printable(str(work.folder.parent))} has {mb(free)} MB left"
        )
        raise MeasureError(message, hint="set TMPDIR to a folder with more space")


@contextmanager
def _full_disk_explained(work: Workspace) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise full_disk(work) from None


def full_disk(work: Workspace) -> MeasureError:
    """Return the error of a full disk."""
    message = (
        f"the disk ran full while building, in {printable(str(work.folder.parent))}; "
        f"about {mb(work.size)} MB are needed"
    )
    return MeasureError(message, hint="set TMPDIR to a folder with more space")


def run_step(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Ended:
    """Run a command; the rest of its process group is killed when it ends or the run does.

    :raises MeasureError: its output is too long, or it does not end.
    """
    name = Path(command[0]).name
    return child.run(
        command, label=name, cwd=cwd, environment=environment, bounds=_BOUNDS, merged=True
    )


# --------------------------------------------------------------------------- the folder


def _names(base: Path, length: int) -> tuple[Path, Path]:
    """Return a new folder and the prefix in it, of that length if possible.

    The folder is removed at the end, so it must never be somebody else's.
    """
    room = length - len(str(base)) - 1 - _SHORTEST
    short = room < _LEAST_NAME
    while True:
        name = (
            f"slugcheck-{secrets.token_hex(4)}" if short else secrets.token_hex(5)[: min(room, 10)]
        )
        folder = base / name
        if not os.path.lexists(folder):
            break
    return folder, folder / ("env" if short else "e".ljust(length - len(str(folder)) - 1, "_"))


_SECONDS = 30
_NAMED = 3  # wheels that a message names
_DESCRIBE = (
    "import json, platform, sys, sysconfig;"
    "print(json.dumps([platform.python_implementation(), platform.python_version(),"
    " sys.version_info.releaselevel, bool(sysconfig.get_config_var('Py_GIL_DISABLED'))]))"
)
_TOOLS = {Manager.POETRY: "poetry==2.4.1", Manager.PIPENV: "pipenv==2026.7.1"}
_PIP = re.compile(r"^pip ([0-9.]+)$")
# The user's settings that reach the children: how to reach an index, not which. Not
# UV_INDEX_NAME_PASSWORD and POETRY_HTTP_BASIC_NAME: the checked project decides which URL has that
# NAME. The user can pass them with --env.
_KEPT = re.compile(
    r"^(?:PATH|HOME|USER|LOGNAME|LANG|LC_.*|TERM|NETRC|SSH_AUTH_SOCK|.*_(?:PROXY|proxy)|"
    r"SSL_CERT_.*|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_CAINFO|"
    r"PIP_(?:CERT|CLIENT_CERT|PROXY|DEFAULT_TIMEOUT|RETRIES|TRUSTED_HOST)|"
    r"UV_(?:CACHE_DIR|HTTP_TIMEOUT|HTTP_RETRIES|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST)|"
    r"CC|CXX|CFLAGS|CXXFLAGS|LDFLAGS|CPATH|LIBRARY_PATH|LD_LIBRARY_PATH|PKG_CONFIG_PATH)$"
)
_HARMFUL = re.compile(r"^(?:PYTHON|LD_|UV_PROJECT|VIRTUAL_ENV|TMPDIR)")
_ERROR = re.compile(
    r"^(?:ERROR|error|\u00d7|Because|Caused by|- |\u2570\u2500\u25b6)|fatal error:|"
    r"^[A-Z][\w.]*(?:Error|Exception|Exit):"
)
_LEAST_SECRET = 4
_SHOWN = 400
_NO_SPACE = "No space left on device"
_CONFLICT = re.compile(r"conflict|No matching distribution|constraint", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python of this machine; ``version`` is the full one.

    ``unfit`` says why it cannot replace a platform's Python; "" if it can.
    """

    path: str
    version: str
    unfit: str = ""

    @property
    def minor(self) -> str:
        """The version without its patch."""
        return ".".join(self.version.split(".")[:2])


def find(target: Target, feature: str = VERIFY) -> Interpreter:
    """Return a CPython of the target's minor version: this one, one on PATH, or one that uv finds.

    Pre-releases and free-threaded builds do not count: their wheels or bytecode differ.

    :raises MeasureError: there is none, or this machine differs from the target.
    """
    _same_kind(target, feature)
    seen: dict[str, Interpreter] = {}
    for path in _candidates(target.minor):
        interpreter = _described(path)
        if interpreter is None:
            continue
        if interpreter.minor == target.minor and not interpreter.unfit:
            return interpreter
        seen.setdefault(interpreter.version + interpreter.unfit, interpreter)
    has = ", ".join(_text(other) for other in seen.values())
    message = f"{feature} needs Python {target.minor}; this machine has {has or 'none'}"
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    hint = f"install python{target.minor}, or use --python {own}"
    raise MeasureError(message, hint=hint)


def foreign_wheels(sizes: SizeReport) -> list[str]:
    """Return the file names of the wheels that this machine's installer rejects."""
    own = {*platform_tags(), "any"}
    foreign = []
    for size in sizes.distributions:
        try:
            tags = reading.wheel_filename(size.distribution.artifact.filename)[3]
        except InvalidWheelFilename:
            continue
        if not any(tag.platform in own for tag in tags):
            foreign.append(size.distribution.artifact.filename)
    return foreign


def refuse_foreign(sizes: SizeReport, feature: str = VERIFY) -> None:
    """Refuse wheels that this machine's pip rejects: it would install others.

    :raises MeasureError: names the first few.
    """
    if foreign := foreign_wheels(sizes):
        libc = " ".join(filter(None, platform.libc_ver())) or "no glibc"
        message = (
            f"{feature} cannot install {printable(listed(foreign, _NAMED))} here: "
            f"this machine ({platform.machine()}, {libc}) does not support these wheels"
        )
        raise MeasureError(message, hint="verify on a machine like the target's")


def _same_kind(target: Target, feature: str) -> None:
    own = f"{platform.system()} {platform.machine()}"
    wanted = f"{target.stack.system} {target.stack.arch}"
    if own != wanted:
        message = f"{feature} needs {wanted} like the target; this machine is {own}"
        raise MeasureError(message, hint="run it in a container or in CI on such a machine")


def _candidates(minor: str) -> Iterator[str]:
    yield sys.executable
    on_path = child.which(f"python{minor}")
    if on_path:
        yield on_path
    from slugcheck.packages.resolve.uv import find_uv

    known = _output([find_uv(), "python", "find", "--no-project", "--no-python-downloads", minor])
    if known:
        yield known
    yield from _of_pyenv(minor)


def _of_pyenv(minor: str) -> Iterator[str]:
    """Yield pyenv's interpreters: its command on PATH refuses versions that are not activated."""
    root = Path(os.environ.get("PYENV_ROOT") or f"{os.environ.get('HOME', '')}/.pyenv")
    for path in sorted(root.glob(f"versions/{minor}.*/bin/python{minor}"), reverse=True):
        yield str(path)


def _text(interpreter: Interpreter) -> str:
    return f"{interpreter.version}{interpreter.unfit and f' ({interpreter.unfit})'}"


def _described(path: str) -> Interpreter | None:
    answer = _output([path, "-I", "-c", _DESCRIBE])
    try:
        implementation, version, level, no_gil = reading.json(answer or "")
    except ValueError:
        return None
    unfit = ""
    if implementation != "CPython":
        unfit = str(implementation)
    elif level != "final":
        unfit = "a pre-release"
    elif no_gil:
        unfit = "free-threaded"
    return Interpreter(path=path, version=str(version), unfit=unfit)


def _output(command: list[str]) -> str | None:
    names = r"UV_PYTHON_(?:SEARCH_PATH|INSTALL_DIR|PREFERENCE)|PYENV_.*|LD_LIBRARY_PATH"
    try:
        done = child.run(
            command, label="an interpreter", environment=child.environment(names),
            bounds=Bounds(seconds=_SECONDS),
        )  # fmt: skip
        return done.out.decode().strip() or None if done.code == 0 else None
    except (OSError, ChildError, UnicodeDecodeError):
        return None


# --------------------------------------------------------------------------- installing


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The installer used, and the build's own command; ``notes`` say where they differ."""

    installer: str
    command: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where to install: the interpreter, the workspace, and the copy that the build runs in."""

    plan: Plan
    python: Interpreter
    work: Workspace
    place: Place

    @property
    def flat(self) -> bool:
        """Whether packages are installed into a plain folder, beside the environment."""
        return layout_of(self.target, self.plan.manager).flat

    @property
    def packages(self) -> Path:
        """The folder that packages are installed into: the environment, or a plain one."""
        return self.work.folder / "package" if self.flat else self.work.prefix

    @property
    def target(self) -> Target:
        """The target to deploy to."""
        return self.plan.sizes.target


def prepare(site: Site) -> tuple[str, ...]:
    """Make the environments, which are not measured; return notes.

    :raises MeasureError: an environment or the package manager cannot be installed.
    """
    bare = _environment(site, IndexOptions())
    for folder in (site.work.prefix, _tool(site)):
        command = [site.python.path, "-I", "-m", "venv", "--without-pip", str(folder)]
        done = run_step(command, cwd=site.work.folder, environment=bare)
        if done.code != 0:
            raise _failed(site, "making a virtual environment", done.output)
    manager = site.plan.manager
    if manager is Manager.UV:
        return ()
    wanted = _TOOLS.get(manager) or f"pip=={_platforms_pip(site.target)}"
    output = _fetch(site, wanted)
    if output is None:
        return ()
    own = _own_pip()
    if manager is not Manager.PIP or own is None:
        raise _failed(site, f"installing {wanted.replace('==', ' ')}", output)
    return (f"{wanted.replace('==', ' ')} could not be fetched: installed with pip {own}",)


def _fetch(site: Site, wanted: str) -> str | None:
    """Install the package manager into its own environment; return the error output, or None.

    The user's index comes first: a private network may have no other.
    """
    command = [find_uv(), "pip", "install", "--quiet", "--no-config", "--color", "never"]
    command += ["--python", str(_tool(site) / "bin" / "python"), wanted]
    ways = [site.plan.index] if site.plan.index.index_url else []
    output = ""
    for index in (*ways, IndexOptions()):
        environment = _environment(site, index)
        done = run_step(command, cwd=site.work.folder, environment=environment)
        if done.code == 0:
            return None
        output = done.output
    return output


def install(site: Site) -> Build:
    """Run the build's command.

    :raises MeasureError: it fails; quotes its error.
    """
    match site.plan.manager:
        case Manager.PIP:
            return _pip(site)
        case Manager.UV:
            return _uv(site)
        case Manager.POETRY:
            return _poetry(site)
        case Manager.PIPENV:
            return _pipenv(site)


# --------------------------------------------------------------------------- pip


def _pip(site: Site) -> Build:
    path = site.place.file
    command = [*_pip_command(site), "install", "--requirement", str(path), "--exists-action=w"]
    command += ["--no-cache-dir", "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", f"--src={_sources(site)}"]
    shown = f"pip install -r {path.name} --exists-action=w --no-cache-dir --no-input"
    if site.flat:
        command += ["--target", str(site.packages)]
        shown += " --target package"
    if not site.plan.compiles:
        command.append("--no-compile")
        shown += " --no-compile"
    environment = _environment(site, site.plan.index)
    version_of = _version_in(_tool(site), "pip") or _own_pip() or "?"
    notes: tuple[str, ...] = ()
    if site.plan.pinned and site.plan.pins:
        pins = site.work.folder / "pins.txt"
        pins.write_text("".join(f"{pin}\n" for pin in site.plan.pins), encoding="utf-8")
        pinned = [*command, "--constraint", str(pins)]
        done = run_step(pinned, cwd=site.place.folder, environment=environment)
        if done.code == 0:
            return Build(installer=f"pip {version_of}", command=shown)
        if not _CONFLICT.search(done.output):
            raise _failed(site, "pip install", done.output)
        notes = ("pip rejected the predicted versions and chose others",)
    done = run_step(command, cwd=site.place.folder, environment=environment)
    if done.code != 0:
        raise _failed(site, "pip install", done.output)
    return Build(installer=f"pip {version_of}", command=shown, notes=notes)


def _sources(site: Site) -> Path:
    """Return the folder for checkouts of editable lines: in the slug, and counted."""
    return site.work.prefix / "src"


def _pip_command(site: Site) -> list[str]:
    target = str(site.work.prefix / "bin" / "python")
    own = _tool(site) / "bin" / "python"
    # the folder it runs in is the app's, which may hold a pip.py
    if _version_in(_tool(site), "pip"):
        return [str(own), "-I", "-m", "pip", "--python", target]
    return [*child.python_module("pip"), "--python", target]


def _platforms_pip(target: Target) -> str:
    matches = (_PIP.match(part.name) for part in target.python.parts)
    return next((match[1] for match in matches if match), "26.2.1")


def _own_pip() -> str | None:
    try:
        return version("pip")
    except PackageNotFoundError:
        return None


# --------------------------------------------------------------------------- uv, Poetry, Pipenv


def _uv(site: Site) -> Build:
    own = [*site.plan.selection, *(["--compile-bytecode"] if site.plan.compiles else [])]
    command = [find_uv(), "sync", "--locked", *own, "--color", "never"]
    command += ["--no-progress", "--no-cache"]
    # the build gives uv no index: the lock names its own. The environment's Python is used because
    # a .python-version may name a patch release that this machine does not have.
    environment = _environment(site, IndexOptions())
    environment["UV_PROJECT_ENVIRONMENT"] = str(site.work.prefix)
    environment["UV_PYTHON"] = str(site.work.prefix / "bin" / "python")
    _must(site, command, environment, "uv sync")
    shown = " ".join(["uv sync --locked", *own])
    return Build(installer=f"uv {version('uv')}", command=shown)


def _poetry(site: Site) -> Build:
    own = ["--compile"] if site.plan.compiles else []
    command = [str(_tool(site) / "bin" / "poetry"), "sync", "--only", "main", *own]
    command += ["--no-ansi", "--no-interaction"]
    environment = _activated(site)
    environment["POETRY_CACHE_DIR"] = str(site.work.folder / "poetry-cache")
    environment["POETRY_CONFIG_DIR"] = str(site.work.folder / "poetry-config")
    environment |= {"POETRY_VIRTUALENVS_CREATE": "false", "POETRY_KEYRING_ENABLED": "false"}
    _must(site, command, environment, "poetry sync")
    return Build(
        installer=f"Poetry {_version_in(_tool(site), 'poetry') or '?'}",
        command=" ".join(["poetry sync --only main", *own]),
    )


def _pipenv(site: Site) -> Build:
    command = [str(_tool(site) / "bin" / "pipenv"), "install", "--deploy"]
    environment = _activated(site)
    environment["PIPENV_CACHE_DIR"] = str(site.work.folder / "pipenv-cache")
    environment |= {"PIPENV_SYSTEM": "1", "PIPENV_VERBOSITY": "-1", "PIPENV_NOSPIN": "1"}
    environment["PIP_SRC"] = str(_sources(site))
    if not site.target.compiles_bytecode:
        environment["PIP_NO_COMPILE"] = "1"
    _must(site, command, environment, "pipenv install")
    return Build(
        installer=f"Pipenv {_version_in(_tool(site), 'pipenv') or '?'}",
        command="pipenv install --deploy",
    )


def _activated(site: Site) -> dict[str, str]:
    environment = _environment(site, site.plan.index)
    environment["VIRTUAL_ENV"] = str(site.work.prefix)
    environment["PATH"] = f"{site.work.prefix / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    return environment


# --------------------------------------------------------------------------- running


def _environment(site: Site, index: IndexOptions) -> dict[str, str]:
    """Return the children's environment, with index URLs: `ps` shows arguments to everyone."""
    variables = {key: value for key, value in os.environ.items() if _KEPT.match(key)}
    if "PATH" in variables:
        variables["PATH"] = child.safe_path(variables["PATH"])
    variables |= dict(_named(site.place))
    variables |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_LINK_MODE": "copy",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "TMPDIR": str(site.work.folder),
    }
    if index.index_url:
        variables["PIP_INDEX_URL"] = variables["UV_DEFAULT_INDEX"] = index.index_url
    if index.extra_index_urls:
        variables["PIP_EXTRA_INDEX_URL"] = variables["UV_INDEX"] = " ".join(index.extra_index_urls)
    if index.no_index:
        variables["PIP_NO_INDEX"] = variables["UV_NO_INDEX"] = "1"
    if index.trusted_hosts:
        variables["PIP_TRUSTED_HOST"] = variables["UV_INSECURE_HOST"] = " ".join(
            index.trusted_hosts
        )
    if links := [_as_url(place) for place in index.find_links]:
        variables["PIP_FIND_LINKS"] = " ".join(links)
        variables["UV_FIND_LINKS"] = ",".join(links)
    return variables


def _named(place: Place) -> Iterator[tuple[str, str]]:
    """Yield the variables that the user allows, with their values."""
    for name in place.variables:
        if (value := os.environ.get(name)) and not _HARMFUL.match(name):
            yield name, value


def _as_url(place: str) -> str:
    # pip separates by blanks, which a path may hold; and the build runs in another folder
    return place if "://" in place else Path(place).resolve().as_uri()


def _must(site: Site, command: Sequence[str], environment: Mapping[str, str], action: str) -> None:
    done = run_step(command, cwd=site.place.folder, environment=environment)
    if done.code != 0:
        raise _failed(site, action, done.output)


def _failed(site: Site, action: str, output: str) -> MeasureError:
    if _NO_SPACE in output:
        return full_disk(site.work)
    for name, value in _named(site.place):
        if len(value) >= _LEAST_SECRET:
            output = output.replace(value, f"${{{name}}}")
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if _ERROR.search(line)] or lines[-1:] or ["no output"]
    text = without_credentials(" ".join(dict.fromkeys(telling)))
    reason = printable(text.replace(str(site.work.folder), "\u2026"))
    short = reason if len(reason) <= _SHOWN else f"{reason[: _SHOWN - 1]}\u2026"
    hint = "the platform's build would probably fail too"
    return MeasureError(f"{action} failed: {short}", hint=hint)


def _tool(site: Site) -> Path:
    return site.work.folder / "tool"


def _version_in(environment: Path, name: str) -> str | None:
    folders = sorted(environment.glob(f"lib/python*/site-packages/{name}-*.dist-info"))
    return folders[0].name.split("-")[1].removesuffix(".dist") if folders else None

"""Installs as the build does: the package manager's own command, into the workspace.

Commands: heroku-buildpack-python v351 (2026-08-18), lib/pip.sh, lib/uv.sh, lib/poetry.sh and
lib/pipenv.sh. The package manager itself lives in an environment beside, so that everything new
under the prefix is the app's.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from uv import find_uv_bin

from slugcheck.errors import MeasureError
from slugcheck.escape import printable
from slugcheck.model import IndexOptions, Manager, Target
from slugcheck.packed import Member
from slugcheck.verify.interpreter import Interpreter
from slugcheck.verify.plan import Plan
from slugcheck.verify.workspace import Workspace, full_disk, run

_TOOLS = {Manager.POETRY: "poetry==2.4.1", Manager.PIPENV: "pipenv==2026.7.1"}
_PIP = re.compile(r"^pip ([0-9.]+)$")
# What of the user's own settings reaches the children: how to get to an index, not which.
_KEPT = re.compile(
    r"^(?:PATH|HOME|LANG|LC_.*|TERM|TMPDIR|.*_(?:PROXY|proxy)|SSL_CERT_.*|REQUESTS_CA_BUNDLE|"
    r"CURL_CA_BUNDLE|PIP_(?:CERT|CLIENT_CERT|PROXY|DEFAULT_TIMEOUT|RETRIES|TRUSTED_HOST)|"
    r"UV_(?:HTTP_TIMEOUT|HTTP_RETRIES|NATIVE_TLS|SYSTEM_CERTS)|CC|CXX|CFLAGS|LDFLAGS)$"
)
_ERROR = re.compile(r"^\s*(?:ERROR|error|Error|\u00d7|Because|  - )")
_SHOWN = 400
_NO_SPACE = "No space left on device"
_CONFLICT = re.compile(r"conflict|No matching distribution|constraint", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What installed, and the build's own command; ``notes`` say where the two differ."""

    installer: str
    command: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where to install: the interpreter, the workspace, and the copy of the app in it."""

    plan: Plan
    python: Interpreter
    work: Workspace

    @property
    def app(self) -> Path:
        """The copy of the app."""
        return self.work.folder / "app"

    @property
    def target(self) -> Target:
        """What is deployed to."""
        return self.plan.sizes.target


def prepare(site: Site) -> tuple[str, ...]:
    """Make the environments and the copy of the app, none of which is measured; return notes.

    :raises MeasureError: an environment or the package manager cannot be had.
    """
    for folder in (site.work.prefix, _tool(site)):
        _run(site, [site.python.path, "-m", "venv", "--without-pip", str(folder)], "make a venv")
    _copy(site.plan.files, site.app)
    manager = site.plan.manager
    if manager is Manager.UV:
        return ()
    wanted = _TOOLS.get(manager) or f"pip=={_platforms_pip(site.target)}"
    command = [find_uv_bin(), "pip", "install", "--quiet", "--no-config"]
    command += ["--python", str(_tool(site) / "bin" / "python"), wanted]
    done = run(command, cwd=site.work.folder, environment=_environment(site, IndexOptions()))
    if done.code == 0:
        return ()
    if manager is not Manager.PIP:
        raise _failed(site, f"install {wanted}", done.output)
    own = _own_pip()
    if own is None:
        raise _failed(site, f"install {wanted}", done.output)
    return (f"{wanted.replace('==', ' ')} could not be fetched, so pip {own} installed",)


def install(site: Site) -> Build:
    """Run the build's command.

    :raises MeasureError: it fails; with the last of what it said.
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
    path, folder = _requirements(site)
    command = [*_pip_command(site), "install", "--requirement", path, "--exists-action=w"]
    command += ["--no-cache-dir", "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", f"--src={site.work.folder / 'src'}"]
    shown = f"pip install -r {Path(path).name} --exists-action=w --no-cache-dir --no-input"
    environment = _environment(site, site.plan.index)
    version_of = _version_in(_tool(site), "pip") or _own_pip() or "?"
    built = Build(installer=f"pip {version_of}", command=shown)
    if site.plan.pinned and site.plan.pins:
        pins = site.work.folder / "pins.txt"
        pins.write_text("".join(f"{pin}\n" for pin in site.plan.pins), encoding="utf-8")
        pinned = [*command, "--constraint", str(pins)]
        done = run(pinned, cwd=folder, environment=environment)
        if done.code == 0:
            return built
        if not _CONFLICT.search(done.output):
            raise _failed(site, "pip install", done.output)
    done = run(command, cwd=folder, environment=environment)
    if done.code != 0:
        raise _failed(site, "pip install", done.output)
    return built


def _requirements(site: Site) -> tuple[str, Path]:
    """Return the requirements file and where to run: the copy of the app if the file is in it."""
    copy = site.app / site.plan.path.name
    if copy.is_file():
        return str(copy), site.app
    return str(site.plan.path.resolve()), site.plan.path.resolve().parent


def _pip_command(site: Site) -> list[str]:
    target = str(site.work.prefix / "bin" / "python")
    own = _tool(site) / "bin" / "python"
    python = str(own) if _version_in(_tool(site), "pip") else sys.executable
    return [python, "-m", "pip", "--python", target]


def _platforms_pip(target: Target) -> str:
    names = (_PIP.match(part.name) for part in target.python.parts)
    return next((found[1] for found in names if found), "26.2.1")


def _own_pip() -> str | None:
    try:
        return version("pip")
    except PackageNotFoundError:
        return None


# --------------------------------------------------------------------------- uv, Poetry, Pipenv


def _uv(site: Site) -> Build:
    command = [find_uv_bin(), "sync", "--locked", "--no-default-groups", "--color", "never"]
    command += ["--compile-bytecode", "--no-progress", "--no-cache"]
    environment = _environment(site, site.plan.index)
    environment["UV_PROJECT_ENVIRONMENT"] = str(site.work.prefix)
    _must(site, command, environment, "uv sync")
    shown = "uv sync --locked --no-default-groups --compile-bytecode"
    return Build(installer=f"uv {version('uv')}", command=shown)


def _poetry(site: Site) -> Build:
    command = [str(_tool(site) / "bin" / "poetry"), "sync", "--only", "main", "--compile"]
    command += ["--no-ansi", "--no-interaction"]
    environment = _activated(site)
    environment["POETRY_CACHE_DIR"] = str(site.work.folder / "poetry-cache")
    _must(site, command, environment, "poetry sync")
    return Build(
        installer=f"Poetry {_version_in(_tool(site), 'poetry') or '?'}",
        command="poetry sync --only main --compile",
    )


def _pipenv(site: Site) -> Build:
    command = [str(_tool(site) / "bin" / "pipenv"), "install", "--deploy"]
    environment = _activated(site)
    environment["PIPENV_CACHE_DIR"] = str(site.work.folder / "pipenv-cache")
    environment |= {"PIPENV_SYSTEM": "1", "PIPENV_VERBOSITY": "-1", "PIPENV_NOSPIN": "1"}
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
    """Return the children's environment. Index URLs go into it: `ps` shows arguments to all."""
    found = {key: value for key, value in os.environ.items() if _KEPT.match(key)}
    found |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_LINK_MODE": "copy",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "TMPDIR": str(site.work.folder),
    }
    if index.index_url:
        found["PIP_INDEX_URL"] = found["UV_DEFAULT_INDEX"] = index.index_url
    if index.extra_index_urls:
        found["PIP_EXTRA_INDEX_URL"] = found["UV_INDEX"] = " ".join(index.extra_index_urls)
    if index.find_links:
        found["PIP_FIND_LINKS"] = " ".join(index.find_links)
        found["UV_FIND_LINKS"] = ",".join(index.find_links)
    return found


def _must(site: Site, command: Sequence[str], environment: Mapping[str, str], what: str) -> None:
    done = run(command, cwd=site.app, environment=environment)
    if done.code != 0:
        raise _failed(site, what, done.output)


def _run(site: Site, command: Sequence[str], what: str) -> None:
    done = run(command, cwd=site.work.folder, environment=_environment(site, IndexOptions()))
    if done.code != 0:
        raise _failed(site, what, done.output)


def _failed(site: Site, what: str, output: str) -> MeasureError:
    if _NO_SPACE in output:
        return full_disk(site.work.folder)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if _ERROR.match(line)] or lines[-1:] or ["it said nothing"]
    said = printable(" ".join(telling).replace(str(site.work.folder), "…"))
    short = said if len(said) <= _SHOWN else f"{said[: _SHOWN - 1]}…"
    hint = "the platform's build would likely fail in the same way"
    return MeasureError(f"{what} failed: {short}", hint=hint)


def _tool(site: Site) -> Path:
    return site.work.folder / "tool"


def _version_in(environment: Path, name: str) -> str | None:
    found = sorted(environment.glob(f"lib/python*/site-packages/{name}-*.dist-info"))
    return found[0].name.split("-")[1].removesuffix(".dist") if found else None


def _copy(files: Sequence[Member], folder: Path) -> None:
    """Copy the app as it is pushed."""
    folder.mkdir()
    for member in files:
        place = folder / member.path
        place.parent.mkdir(parents=True, exist_ok=True)
        if member.link is not None:
            place.symlink_to(member.link)
        elif member.content is not None:
            place.write_bytes(member.content)
        else:
            shutil.copyfile(member.disk, place)
            if member.executable:
                place.chmod(0o755)

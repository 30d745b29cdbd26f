"""Compares the static scan of real apps with what they import when they start.

    python -m benchmarks.import_scan [NAME ...] [--repositories FOLDER] [--work FOLDER]

The apps are in import_scan_apps.json, by repository and commit. Each is checked out, its
requirements are installed as wheels into an environment of its own, and its entry is imported there
in a process that notes who imports what: calls of ``__import__`` and ``import_module`` whose
caller is a file of the app, or Django's loaders of what the settings name. Bots and scripts are run
as ``__main__``; what would serve or connect is stopped at the first connection. What the app
imported from the installed distributions, by top-level name, is compared with the names that
``slugcheck.project.imports`` finds for the start: precision and recall.

It runs the apps' code: use a machine for it that may. Needs git, the package index and, without
``--repositories`` (a folder of git directories named owner+name), GitHub.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from slugcheck.model import (
    Artifact,
    Distribution,
    Entry,
    EntryPoint,
    Inventory,
    Scan,
    WebProcess,
    When,
)
from slugcheck.packages.modules import InstalledModules, standard_modules
from slugcheck.project import files, imports, processes
from slugcheck.project.source import Code

APPS = Path(__file__).with_name("import_scan_apps.json")
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
SECONDS = 180

# Runs in the app's environment: argv is the app's folder, the entry as JSON, and the result's file.
RECORDER = r"""
import atexit, builtins, importlib, json, os, runpy, socket, sys, threading, time
folder, spec, out = os.path.realpath(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
sys.argv[:] = [spec["script"] or "app"]
found, failed = {}, []
LOADERS = ("django/apps/config.py", "django/utils/module_loading.py", "django/db/utils.py",
           "django/apps/registry.py", "django/conf/__init__.py", "django/utils/autoreload.py",
           "logging/config.py", "uvicorn/importer.py")
DRIVERS = ("psycopg", "psycopg2", "MySQLdb")

def owner(frame):
    while frame is not None:
        name = frame.f_code.co_filename
        if "importlib" in name and "importlib_" not in name or name.startswith("<frozen"):
            frame = frame.f_back
            continue
        if name == __file__:
            frame = frame.f_back
            continue
        return name
    return ""

def note(name, caller, by_name=False):
    if not name or name.startswith("."):
        return
    real = os.path.realpath(caller)
    if caller.startswith("<"):
        return
    if real.startswith(folder + os.sep) and "site-packages" not in real:
        found.setdefault(name.partition(".")[0], os.path.relpath(real, folder))
    elif by_name and any(part in real for part in LOADERS):
        found.setdefault(name.partition(".")[0], "(by name) " + real[-40:])
    elif "django/db/backends/" in real and name.partition(".")[0] in DRIVERS:
        found.setdefault(name.partition(".")[0], "(driver) " + real[-40:])

plain_import, plain_module = builtins.__import__, importlib.import_module
def noting(name, globals=None, locals=None, fromlist=(), level=0):
    if not level:
        result = plain_import(name, globals, locals, fromlist, level)
        note(name, owner(sys._getframe(1)))
        return result
    return plain_import(name, globals, locals, fromlist, level)
def noting_module(name, package=None):
    result = plain_module(name, package)
    note(name, owner(sys._getframe(1)), True)
    return result
builtins.__import__, importlib.import_module = noting, noting_module

def stop(*_, **__):
    raise OSError("no connections here")
socket.socket.connect = stop
socket.socket.connect_ex = stop
socket.socket.bind = stop
socket.getaddrinfo = stop

def write():
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    with open(out, "w") as stream:
        json.dump({"found": found, "failed": failed, "loaded": loaded}, stream)

threading.excepthook = lambda *_: None
def late():
    failed.append("still running")
    write()
    os._exit(0)
timer = threading.Timer(60, late)
timer.daemon = True
timer.start()
for place in reversed(spec["path"]):
    sys.path.insert(0, place)
os.chdir(spec["cwd"])
try:
    if spec["script"]:
        runpy.run_path(spec["script"], run_name="__main__")
    else:
        module = plain_module(spec["module"])
        name = spec["attribute"].partition("(")[0]
        value = getattr(module, name, None) if name else None
        if value is not None and spec["attribute"].endswith("()"):
            value()
except SystemExit as error:
    failed.append(f"exit {error.code}")
except BaseException as error:
    failed.append(f"{type(error).__name__}: {str(error)[:200]}")
write()
os._exit(0)
"""


STUB = """\
class Any:
    def __init__(self, *a, **k): pass
    def __getattr__(self, name): return Any()
    def __call__(self, *a, **k): return Any()
def __getattr__(name):
    if name.startswith("__"): raise AttributeError(name)
    return type(name, (Any,), {})
"""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    name: str
    kind: str
    true: frozenset[str]
    scanned: frozenset[str]
    where: Mapping[str, str]
    ended: str
    files: int
    seconds: float
    scan: Scan

    @property
    def hits(self) -> int:
        return len(self.true & self.scanned)

    @property
    def precision(self) -> float:
        return self.hits / len(self.scanned) if self.scanned else 1.0

    @property
    def recall(self) -> float:
        return self.hits / len(self.true) if self.true else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="parts of the names of apps")
    parser.add_argument("--repositories", type=Path, help="git directories named owner+name")
    parser.add_argument("--work", type=Path, default=Path("import-scan"))
    given = parser.parse_args()
    outcomes: list[Outcome] = []
    for app in json.loads(APPS.read_text(encoding="utf-8"))["apps"]:
        if given.names and not any(name in app["repository"] for name in given.names):
            continue
        try:
            outcome = _outcome(app, given.work.resolve(), given.repositories)
        except (subprocess.SubprocessError, RuntimeError) as error:
            print(f"{app['repository']}: not compared: {error}", flush=True)
            continue
        outcomes.append(outcome)
        _show(outcome)
    print()
    print("| app | what serves | own files | roots | precision | recall | CPU seconds |")
    print("|---|---|---|---|---|---|---|")
    for item in outcomes:
        print(
            f"| {item.name} | {item.kind} | {item.files} | {len(item.true)} "
            f"| {item.precision:.0%} | {item.recall:.0%} | {item.seconds:.2f} |"
        )
    hits = sum(item.hits for item in outcomes)
    scanned, true = (
        sum(len(getattr(item, name)) for item in outcomes) for name in ("scanned", "true")
    )
    print(f"all: precision {hits / max(1, scanned):.1%}, recall {hits / max(1, true):.1%}")


def _show(item: Outcome) -> None:
    print(f"{item.name}: precision {item.precision:.0%}, recall {item.recall:.0%}; {item.ended}")
    for root in sorted(item.true - item.scanned):
        times = [str(found.when) for found in item.scan.imports if found.root == root]
        print(f"    not found: {root} ({item.where[root]}) {' '.join(times)}")
    for root in sorted(item.scanned - item.true):
        place = next(found.place for found in item.scan.imports if found.root == root)
        print(f"    not imported: {root} ({place})")
    for unread in item.scan.unread[:5]:
        print(f"    {unread.place}: {unread.reason}")
    for note in item.scan.notes[:5]:
        print(f"    note: {note}")
    for missing in item.scan.missing:
        print(f"    missing: {missing.module} ({missing.place})")


def _outcome(app: Mapping[str, Any], work: Path, repositories: Path | None) -> Outcome:
    name = app["repository"].replace("/", "+")
    place = work / name
    checkout = place / "app"
    if not checkout.exists():
        _check_out(app, checkout, place, repositories)
    folder = (checkout / app.get("folder", "")).resolve()
    environment = place / "env"
    if not (environment / "done").exists():
        _install(app, folder, environment)
    packages = environment / "lib" / f"python{MINOR}" / "site-packages"
    paths, _ = files.walk(folder)
    code = Code(folder=folder, top=checkout.resolve(), paths=frozenset(paths))
    image = folder / app["dockerfile"] if "dockerfile" in app else None
    process = processes.web_process(code, entry=app.get("entry"), dockerfile=image)
    if process is None or not process.entries:
        raise RuntimeError(f"no web process: {process and process.notes}")
    known = _installed(packages)
    begin = time.process_time()
    scan = imports.scan(process, code, known, minor=MINOR)
    seconds = time.process_time() - begin
    times = (When.START, When.REQUEST) if process.server == "streamlit" else (When.START,)
    scanned = {item.root for item in scan.at(*times) if item.distribution and item.chain}
    truth = _truth(app, process, folder, environment, place)
    standard = standard_modules(MINOR)
    true = {
        root
        for root in truth["found"]
        if root not in standard and known.distribution_of(root) is not None
    }
    return Outcome(
        name=app["repository"],
        kind=f"{process.server or 'module'}, {process.place.partition(':')[0]}",
        true=frozenset(true),
        scanned=frozenset(scanned),
        where=truth["found"],
        ended=", ".join(truth["failed"]) or "imported",
        files=len(scan.files),
        seconds=seconds,
        scan=scan,
    )


def _check_out(
    app: Mapping[str, Any], checkout: Path, place: Path, repositories: Path | None
) -> None:
    place.mkdir(parents=True, exist_ok=True)
    if repositories is not None:
        git = repositories / app["repository"].replace("/", "+") / "repo"
        git = git / ".git" if (git / ".git").exists() else git
    else:
        git = place / "git"
        url = f"https://github.com/{app['repository']}.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", url, git], check=True)
    base = ["git", f"--git-dir={git}"]
    listed = subprocess.run(
        [*base, "ls-tree", "-r", "-z", app["commit"]], check=True, stdout=subprocess.PIPE
    ).stdout
    for line in listed.decode().split("\0"):
        about, _, path = line.partition("\t")
        if not path or not about.startswith("100"):
            continue
        blob = subprocess.run(
            [*base, "cat-file", "blob", about.split()[2]], capture_output=True, check=False
        )
        target = checkout / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if blob.returncode == 0:  # a mirror may lack the largest files
            target.write_bytes(blob.stdout)


def _install(app: Mapping[str, Any], folder: Path, environment: Path) -> None:
    subprocess.run(
        ["uv", "venv", "--quiet", "--clear", "--python", sys.executable, environment], check=True
    )
    wanted: list[str] = []
    for file in app.get("requirements", ["requirements.txt"]):
        wanted += ["-r", str(folder / file)]
    if app.get("loosened"):
        wanted = list(app["loosened"])
    base = ["uv", "pip", "install", "--quiet", "--only-binary", ":all:"]
    python = ["--python", str(environment / "bin" / "python")]
    for file in app.get("requirements", ["requirements.txt"]) if app.get("strip") else ():
        lines = (folder / file).read_text("utf-8").replace("\\\n", " ").splitlines()
        kept = [line for line in lines if not line.startswith(tuple(app["strip"]))]
        plain = environment / file
        plain.write_text("\n".join(line.partition(" --hash")[0] for line in kept), "utf-8")
        wanted = ["-r", str(plain)]
    subprocess.run([*base, *python, *wanted, *app.get("more", ())], check=True, cwd=folder)
    packages = environment / "lib" / f"python{MINOR}" / "site-packages"
    for module in app.get("stubs", ()):  # has no wheel
        _stub(packages, module)
    for name, text in app.get("files", {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    (environment / "done").touch()


def _stub(packages: Path, module: str) -> None:
    """Install a module all of whose names exist."""
    path = f"{module.replace('.', '/')}.py"
    info = f"{module.replace('.', '_')}-1.dist-info"
    (packages / info).mkdir()
    (packages / path).parent.mkdir(parents=True, exist_ok=True)
    (packages / path).write_text(STUB, encoding="utf-8")
    (packages / info / "METADATA").write_text(f"Name: {module}\nVersion: 1\n", encoding="utf-8")
    (packages / info / "RECORD").write_text(f"{path},,\n{info}/RECORD,,\n", encoding="utf-8")


def _installed(packages: Path) -> InstalledModules:
    """Return what an environment holds, as slugcheck knows it of wheels."""
    found: list[tuple[Distribution, Inventory]] = []
    for item in importlib.metadata.distributions(path=[str(packages)]):
        name = canonicalize_name(item.metadata["Name"])
        own = [path.as_posix() for path in item.files or ()]
        dist_info = next((p.partition("/")[0] for p in own if ".dist-info/" in p), "")
        entries = tuple(
            Entry(path=path, size=size.stat().st_size, compressed=0)
            for path in own
            if not path.startswith("../") and (size := packages / path).is_file()
        )
        inventory = Inventory(
            filename=f"{name}.whl", sha256=None, file_bytes=0, dist_info=dist_info,
            entries=entries, requires_dist=(), provides_extra=(), requires_python=None,
            console_scripts=(), gui_scripts=(), via="local",
        )  # fmt: skip
        artifact = Artifact(filename=f"{name}.whl", url="", size=None, sha256=None)
        found.append((_distribution(name, item.version, artifact), inventory))
    return InstalledModules(found)


def _distribution(name: str, version: str, artifact: Artifact) -> Distribution:
    return Distribution(name=name, version=version, artifact=artifact, direct=True)


def _truth(
    app: Mapping[str, Any], process: WebProcess, folder: Path, environment: Path, place: Path
) -> Any:
    entry: EntryPoint = process.entries[0]
    out = place / "truth.json"
    out.unlink(missing_ok=True)
    spec = {
        "script": str(folder / entry.script) if entry.script else "",
        "module": entry.module,
        "attribute": entry.attribute,
        "path": [str(folder / path) for path in process.import_folders],
        "cwd": str(folder / process.folder),
    }
    script = place / "recorder.py"
    script.write_text(RECORDER, encoding="utf-8")
    python = environment / "bin" / "python"
    variables = {
        "PATH": os.environ["PATH"], "HOME": str(place), "PYTHONDONTWRITEBYTECODE": "1",
        **dict(process.variables), **app.get("variables", {}),
    }  # fmt: skip
    done = subprocess.run(
        [python, script, folder, json.dumps(spec), out],
        env=variables, cwd=folder, capture_output=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    if not out.exists():
        raise RuntimeError(done.stderr.decode()[-2000:])
    return json.loads(out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()

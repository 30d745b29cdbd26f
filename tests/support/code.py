"""Apps in a folder, and what their environment has installed, for the scan of imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from slugcheck.model import Artifact, Distribution, Entry, Inventory, Scan, WebProcess
from slugcheck.packages.modules import InstalledModules
from slugcheck.project import files, imports, processes
from slugcheck.project.source import Code

NO_FILE = Artifact(filename="none.whl", url="", size=None, sha256=None)


def code(folder: Path, sources: Mapping[str, str | bytes] | None = None) -> Code:
    """Write sources into a folder; return what it then has."""
    for path, text in (sources or {}).items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
    paths, _ = files.walk(folder)
    return Code(folder=folder, top=folder.resolve(), paths=frozenset(paths))


def process(folder: Path, command: str, **sources: str) -> WebProcess:
    """Return the process of a Procfile's command, beside an app.py and other files."""
    own = {name.replace("__", "."): text for name, text in sources.items()}
    found = processes.web_process(
        code(folder, {"app.py": "", **own, "Procfile": f"web: {command}\n"})
    )
    assert found is not None
    return found


def installed(wheels: Mapping[str, Sequence[str]], *, complete: bool = True) -> InstalledModules:
    """Return distributions by the paths in their wheels."""
    return InstalledModules(
        [
            (
                Distribution(name=name, version="1.0", artifact=NO_FILE, direct=True),
                Inventory(
                    filename="none.whl", sha256=None, file_bytes=0,
                    dist_info=f"{name}-1.0.dist-info",
                    entries=tuple(Entry(path=path, size=100, compressed=50) for path in paths),
                    requires_dist=(), provides_extra=(), requires_python=None, console_scripts=(),
                    gui_scripts=(), via="local",
                ),
            )
            for name, paths in wheels.items()
        ],
        complete=complete,
    )  # fmt: skip


FLASK = {"flask": ("flask/__init__.py",), "gunicorn": ("gunicorn/app/wsgiapp.py",)}


def scanned(
    folder: Path,
    sources: Mapping[str, str | bytes],
    wheels: Mapping[str, Sequence[str]] | None = None,
    *,
    entry: str | None = None,
    minor: str = "3.12",
    complete: bool = True,
) -> Scan:
    """Return the scan of an app: of its Procfile, or of an entry."""
    own = code(folder, sources)
    found = processes.web_process(own, entry=entry)
    assert found is not None
    packages = installed(wheels if wheels is not None else FLASK, complete=complete)
    return imports.scan(found, own, packages, minor=minor)

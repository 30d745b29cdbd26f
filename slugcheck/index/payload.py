"""Which files of a source archive its wheel would hold, from what the project says of itself.

The rules are those of the common build backends, read from their settings and not run. For
setuptools see setuptools_rules.py; for other backends it is the whole folder of the package.
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from slugcheck.index.folders import SOURCE_FOLDERS, Folders, automatic_tops, join, spellings
from slugcheck.index.project import Project, text_list
from slugcheck.index.setuppy import SetupCall
from slugcheck.index.setuptools_rules import setuptools_files

_SETUPTOOLS = frozenset({"setuptools", "distutils", "pbr", "setuptools_rust"})
_MOST_PLACES = 200  # packages that a project names one by one; each is held against every file
_LICENSES = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")


def find_payload(project: Project, dist: str) -> Mapping[str, str]:
    """Return ``{path in the wheel: path in the archive}``; ``dist`` is ``name-version``.

    License files and what setup.py lists as scripts and data files are among them.
    """
    if project.backend in _SETUPTOOLS or project.egg_info is not None:
        found = dict(setuptools_files(project))
    else:
        found = dict(_whole_folders(project))
    found.update(_extras(project, dist))
    kept = {target: source for target, source in found.items() if _installs(target)}
    return {target: kept[target] for target in sorted(kept)}


def _installs(path: str) -> bool:
    parts = path.split("/")
    return not (path.endswith((".pyc", ".pyo")) or "__pycache__" in parts or ".." in parts)


# --------------------------------------------------------------------------- other backends


def _whole_folders(project: Project) -> Iterator[tuple[str, str]]:
    for place, name in itertools.islice(_places(project), _MOST_PLACES):
        source = join(place, name)
        for path in project.tree.sizes:
            if path == source or path.startswith(f"{source}/"):
                yield path[len(place) + 1 :] if place else path, path


def _places(project: Project) -> Iterator[tuple[str, str]]:
    """Yield (folder, path below it) of each package or module that the wheel takes."""
    named = [*_poetry_packages(project), *_hatch_packages(project)]
    if named:
        yield from named
        return
    folders = Folders(project.tree.sizes)
    for base, path in _likely_places(project):
        if join(base, path) in folders.all or join(base, path) in project.tree.sizes:
            yield base, path
            return
    yield from (("", top) for top in automatic_tops(project.name, folders, ""))


def _likely_places(project: Project) -> Iterator[tuple[str, str]]:
    module = _module_name(project)
    names = (module,) if module else spellings(project.name or "")
    own = project.table("tool", "maturin").get("python-source")
    for base in (*([join(own)] if isinstance(own, str) else []), *SOURCE_FOLDERS):
        for name in names:
            yield base, name.replace(".", "/")
            yield base, f"{name}.py"


def _poetry_packages(project: Project) -> Iterator[tuple[str, str]]:
    listed = project.table("tool", "poetry").get("packages")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and isinstance(item.get("include"), str):
            yield join(str(item.get("from", ""))), item["include"].removesuffix("/**/*")


def _hatch_packages(project: Project) -> Iterator[tuple[str, str]]:
    table = project.table("tool", "hatch", "build", "targets", "wheel")
    for path in text_list(table.get("packages")):
        place, _, name = join(path).rpartition("/")
        yield place, name


def _module_name(project: Project) -> str | None:
    candidates = (
        project.table("tool", "flit", "module").get("name"),
        project.table("tool", "flit", "metadata").get("module"),
        project.table("tool", "maturin").get("module-name"),
    )
    found = next((name for name in candidates if isinstance(name, str)), None)
    return found.split(".")[0] if found else None


# --------------------------------------------------------------------------- beside packages


def _extras(project: Project, dist: str) -> Iterator[tuple[str, str]]:
    for path in project.tree.sizes:
        if "/" not in path and any(fnmatchcase(path.upper(), p) for p in _LICENSES):
            yield f"{dist}.dist-info/licenses/{path}", path
    call = project.setup_call or SetupCall()
    for script in call.texts("scripts"):
        if join(script) in project.tree.sizes:
            yield f"{dist}.data/scripts/{posixpath.basename(script)}", join(script)
    for folder, path in _data_files(call.values.get("data_files")):
        if join(path) in project.tree.sizes and not folder.startswith("/"):
            yield f"{dist}.data/data/{join(folder, posixpath.basename(path))}", join(path)


def _data_files(value: object) -> Iterator[tuple[str, str]]:
    for item in value if isinstance(value, tuple) else ():
        if isinstance(item, str):
            yield "", item
        elif isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], tuple):
            yield from ((str(item[0]), path) for path in item[1] if isinstance(path, str))

"""Which modules and data files setuptools would put into a wheel, from the project's settings.

The packages are those that setup.py, setup.cfg or pyproject.toml name or describe, else those under
the names in the egg-info's top_level.txt. Of each the modules, and its data files as far as
``package_data`` or ``include_package_data`` let them in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from slugcheck.index.folders import SOURCE_FOLDERS, Folders, automatic_tops, join, spellings
from slugcheck.index.project import Project, text_list
from slugcheck.index.setuppy import FoundPackages, SetupCall

_NOT_MODULES = frozenset({"setup", "conftest", "tasks", "noxfile", "fabfile", "conf", "versioneer"})
# Bounds on what a project may name; each is held against every file or folder.
_MOST_PATTERNS = 200
_LONGEST_NAME = 255
_ALWAYS_DATA = re.compile(r"(?:\.pyi|(?:^|/)py\.typed)$")


def setuptools_files(project: Project) -> Iterator[tuple[str, str]]:
    """Yield (path in the wheel, path in the archive) of all that the packages bring."""
    folders = Folders(project.tree.sizes)
    base = _base(project, folders)
    packages = _packages(project, folders, base)
    data = _DataRules.of(project)
    by_folder = {folder: package for package, folder in packages.items()}
    for path in project.tree.sizes:
        # a package's patterns may reach into the packages below it, so all holders are asked
        for package, inside in _holders(path, by_folder):
            is_module = "/" not in inside and inside.endswith(".py")
            if is_module or data.takes(package, inside):
                yield f"{package.replace('.', '/')}/{inside}", path
                break
    for module in _modules(project, folders, base, packages):
        name = f"{module.replace('.', '/')}.py"
        source = join(base, name)
        if source in project.tree.sizes:
            yield name, source


def _holders(path: str, by_folder: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the packages above a file, nearest first, with the file's path inside each."""
    folder = path.rpartition("/")[0]
    while True:
        if folder in by_folder:
            yield by_folder[folder], path[len(folder) + 1 :] if folder else path
        if not folder:
            return
        folder = folder.rpartition("/")[0]


def _call(project: Project) -> SetupCall:
    return project.setup_call or SetupCall()


def _package_dirs(project: Project) -> dict[str, str]:
    """Return setuptools' ``package_dir``: where packages lie, ``""`` for all others."""
    found = {k: v for k, v in _call(project).table("package_dir").items() if isinstance(v, str)}
    for line in project.cfg("options", "package_dir").splitlines():
        package, equals, folder = line.partition("=")
        if equals:
            found.setdefault(package.strip(), folder.strip())
    for package, folder in project.table("tool", "setuptools", "package-dir").items():
        if isinstance(folder, str):
            found.setdefault(package, folder)
    return {package: join(folder) for package, folder in found.items()}


def _base(project: Project, folders: Folders) -> str:
    """Return the folder that holds the top-level packages."""
    if project.egg_info is not None:  # setuptools puts it beside them
        parent = project.egg_info.rpartition("/")[0]
        tops = _tops(project)
        for place in dict.fromkeys((parent, *SOURCE_FOLDERS)):
            if any(_exists(folders, place, top) for top in tops):
                return place
        return parent
    stated = _package_dirs(project).get("")
    if stated is not None:
        return stated
    found = _found(project)
    if found is not None:
        return join(found.where)
    in_src = any(folders.is_package(f) for _, f in folders.below("src"))
    return "src" if in_src and not automatic_tops(project.name, folders, "") else ""


def _exists(folders: Folders, base: str, top: str) -> bool:
    return join(base, top) in folders.all or f"{top}.py" in folders.files.get(base, ())


def _tops(project: Project) -> tuple[str, ...]:
    lines = (project.egg_text("top_level.txt") or "").splitlines()
    return tuple(line.strip() for line in lines if line.strip())


def _packages(project: Project, folders: Folders, base: str) -> dict[str, str]:
    """Return the packages by dotted name, with their folders."""
    tops = _tops(project)
    explicit = _explicit(project)
    if explicit is not None:
        return dict(_located(explicit, _package_dirs(project), folders, base))
    found = _found(project)
    if found is not None:
        packages = dict(_discovered(found, folders, base))
        fitting = {p: f for p, f in packages.items() if not tops or p.split(".")[0] in tops}
        if fitting:
            return fitting
    return dict(_under(tops or automatic_tops(project.name, folders, base), folders, base))


def _explicit(project: Project) -> tuple[str, ...] | None:
    """Return the packages where they are listed one by one."""
    named = _call(project).texts("packages")
    if not named:
        text = project.cfg("options", "packages")
        named = () if "find" in text else tuple(re.split(r"[\s,]+", text)) if text else ()
    if not named:
        value = project.table("tool", "setuptools").get("packages")
        named = tuple(p for p in value if isinstance(p, str)) if isinstance(value, list) else ()
    return named or None


def _found(project: Project) -> FoundPackages | None:
    """Return the rule by which packages are found, where it can be read."""
    value = _call(project).values.get("packages")
    if isinstance(value, FoundPackages):
        return value
    text = project.cfg("options", "packages")
    if text.startswith("find"):
        section = "options.packages.find"
        return FoundPackages(
            where=project.cfg(section, "where") or ".",
            include=tuple(project.cfg(section, "include").split()) or ("*",),
            exclude=tuple(project.cfg(section, "exclude").split()),
            namespaces=text.startswith("find_namespace"),
        )
    table = project.table("tool", "setuptools", "packages", "find")
    if not table:
        return None
    return FoundPackages(
        where=next(iter(text_list(table.get("where"))), "."),
        include=text_list(table.get("include")) or ("*",),
        exclude=text_list(table.get("exclude")),
        namespaces=table.get("namespaces") is not False,
    )


def _located(
    names: Iterable[str], package_dirs: Mapping[str, str], folders: Folders, base: str
) -> Iterator[tuple[str, str]]:
    for name in names:
        if len(name) > _LONGEST_NAME:
            continue
        parts = name.split(".")
        places = [
            join(package_dirs[head], *parts[count:])
            for count in range(len(parts), 0, -1)
            if (head := ".".join(parts[:count])) in package_dirs
        ]
        places += [join(place, *parts) for place in (base, *SOURCE_FOLDERS)]
        for place in places:
            if place in folders.all:
                yield name, place
                break


def _discovered(rule: FoundPackages, folders: Folders, base: str) -> Iterator[tuple[str, str]]:
    where = join(rule.where) if join(rule.where) in folders.all else base
    passed = {where}
    for package, folder in folders.below(where):
        parent = folder.rpartition("/")[0]
        if not (rule.namespaces or (folders.is_package(folder) and parent in passed)):
            continue
        passed.add(folder)
        if any(fnmatchcase(package, p) for p in rule.include[:_MOST_PATTERNS]) and not any(
            fnmatchcase(package, p) for p in rule.exclude[:_MOST_PATTERNS]
        ):
            yield package, folder


def _under(tops: Iterable[str], folders: Folders, base: str) -> Iterator[tuple[str, str]]:
    """Yield the packages below each top-level one; a namespace needs no ``__init__.py``."""
    wanted = set(tops)
    passed = {base: True}  # folder: whether everything above it is a namespace
    for package, folder in folders.below(base):
        above = passed.get(folder.rpartition("/")[0])
        if above is None or package.split(".")[0] not in wanted:
            continue
        if folders.is_package(folder):
            passed[folder] = False
            yield package, folder
        elif above:
            passed[folder] = True
            if folders.has_modules(folder):
                yield package, folder


def _modules(
    project: Project, folders: Folders, base: str, packages: Mapping[str, str]
) -> tuple[str, ...]:
    named = _call(project).texts("py_modules") or tuple(
        project.cfg("options", "py_modules").split()
    )
    named = named or text_list(project.table("tool", "setuptools").get("py-modules"))
    if named or packages:
        return (*named, *(top for top in _tops(project) if top not in packages))
    if _tops(project):
        return _tops(project)
    here = [name[:-3] for name in folders.files.get(base, ()) if name.endswith(".py")]
    fitting = [name for name in here if name in spellings(project.name or "")]
    return tuple(fitting or (name for name in here if name not in _NOT_MODULES))


@dataclass(frozen=True, slots=True)
class _DataRules:
    """Which files beside the modules go into the wheel."""

    everything: bool
    patterns: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, project: Project) -> _DataRules:
        call = _call(project)
        stated = (
            call.values.get("include_package_data"),
            project.cfg("options", "include_package_data").lower() in ("true", "1", "yes", "on"),
            "setup.py" in project.tree.sizes and project.setup_call is None,
            call.is_unknown("include_package_data") or call.is_unknown("package_data"),
            call.has("pbr"),
            _by_pyproject(project),
        )
        return cls(everything=any(stated), patterns=_package_data(project))

    def takes(self, package: str, inside: str) -> bool:
        if self.everything or _ALWAYS_DATA.search(inside):
            return True
        patterns = (*self.patterns.get(package, ()), *self.patterns.get("", ()))
        return any(_matches(inside, pattern) for pattern in patterns[:_MOST_PATTERNS])


def _by_pyproject(project: Project) -> bool:
    # configured in pyproject.toml, setuptools includes data files unless it is told not to
    table = project.table("tool", "setuptools")
    if not table and not project.table("project"):
        return False
    return table.get("include-package-data") is not False


def _package_data(project: Project) -> dict[str, tuple[str, ...]]:
    found = {
        k: v if isinstance(v, tuple) else (v,)
        for k, v in _call(project).table("package_data").items()
    }
    section = "options.package_data"
    if project.setup_cfg.has_section(section):
        for package in project.setup_cfg.options(section):
            found[package] = tuple(re.split(r"[\s,]+", project.cfg(section, package)))
    for package, patterns in project.table("tool", "setuptools", "package-data").items():
        found[package] = text_list(patterns)
    return {
        "" if package == "*" else package: tuple(p for p in patterns if isinstance(p, str))
        for package, patterns in found.items()
    }


def _matches(inside: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./")
    if "**" in pattern:
        return fnmatchcase(inside, pattern.replace("**/", "*"))
    return inside.count("/") == pattern.count("/") and fnmatchcase(inside, pattern)

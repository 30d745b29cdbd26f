"""What a source archive would install: pure Python counted, native code estimated.

Nothing is built. Whether native code is compiled follows from the build settings and the languages
of the files; its size from how large the wheels of such projects are per byte of source.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from slugcheck.model import Inventory
from slugcheck.packages.sdist.project_files import FoundPackages, Project, text_list

_LANGUAGES = {
    ".c": "C", ".cc": "C++", ".cpp": "C++", ".cxx": "C++", ".cu": "CUDA", ".pyx": "Cython",
    ".rs": "Rust", ".f": "Fortran", ".f90": "Fortran", ".f77": "Fortran", ".for": "Fortran",
    ".m": "Objective-C", ".mm": "Objective-C", ".i": "SWIG", ".go": "Go",
}  # fmt: skip
_ASIDE = re.compile(r"(?:^|/)(?:tests?|docs?|examples?|samples?|benchmarks?|contrib)/", re.I)

# Build backends that exist to compile; the value is how a sentence names them.
_COMPILING = {
    "maturin": "maturin", "mesonpy": "meson-python", "scikit_build_core": "scikit-build-core",
    "skbuild": "scikit-build", "sipbuild": "sip", "py_build_cmake": "py-build-cmake",
    "enscons": "enscons", "setuptools_rust": "setuptools-rust",
}  # fmt: skip
_BUILD_TOOLS = frozenset(
    {"cython", "pybind11", "nanobind", "setuptools-rust", "cmake", "ninja", "meson", "cffi", "swig"}
)
_EXTENSION_KEYWORDS = (
    "ext_modules", "cffi_modules", "rust_extensions", "libraries",
    "configuration",  # numpy.distutils
)  # fmt: skip
_EXTENSION_TEXT = re.compile(
    rb"ext_modules|\bExtension\s*\(|cythonize|RustExtension|cffi_modules|build_ext|CMakeExtension"
)
_BUNDLED = re.compile(r"^[^/]+\.libs/|/\.(?:dy)?libs/")  # auditwheel's, old and new, and delocate's
_OWN_COMMANDS = ("cmdclass", "distclass")
# Measured on 2026-11-23: 96 projects with native sources and a manylinux x86_64 wheel, .so files
# of the wheel (bundled libraries aside) against native_sources() of the same version's archive.
# Bytes of .so for each byte of source, by least absolute log error; 80 % of the projects lie
# between 0.26 and 3.4 times what this says. Cython expands most; a Rust library brings its crates.
_SO_BYTES_PER_SOURCE_BYTE = {"Cython": 39.0, "Rust": 4.0}
_OTHER_SO_BYTES_PER_SOURCE_BYTE = 3.0
_LEAST_BYTES = 33_000
_LEAST_RUST_BYTES = 690_000
_LOW_FACTOR, _HIGH_FACTOR = 0.25, 3.5
SO_DEFLATE_RATIO = 0.32  # median of the same wheels; 0.26 to 0.42 for 80 % of them


def native_sources(project: Project) -> Mapping[str, int]:
    """Return the bytes of native sources by language, tests and documentation left out.

    C that Cython has made from a ``.pyx`` beside it is counted once, as Cython.
    """
    totals: dict[str, int] = {}
    sizes = project.tree.sizes
    for path, size in sizes.items():
        stem, dot, suffix = path.rpartition(".")
        language = _LANGUAGES.get(dot + suffix.lower())
        if language is None or _ASIDE.search(path):
            continue
        if language in ("C", "C++") and f"{stem}.pyx" in sizes:
            continue
        totals[language] = totals.get(language, 0) + size
    return totals


def native_reason(project: Project, sources: Mapping[str, int]) -> str | None:
    """Return in words why a build compiles, or None for a project of Python alone."""
    tools = _build_requires(project)
    languages = " and ".join(sorted(sources, key=lambda name: -sources[name])[:2])
    backend = _COMPILING.get(project.backend)
    if backend is None and project.table("tool", "maturin"):
        backend = "maturin"
    if backend and (languages or "Cargo.toml" in project.tree.sizes):
        return f"{languages or 'Rust'} built by {backend}"
    if _setup_compiles(project) and (languages or "cython" in tools):
        return f"{languages or 'Cython'} built by its setup.py"
    if not languages:
        return None
    if project.table("tool", "setuptools").get("ext-modules"):
        return f"{languages} built by setuptools"
    if project.table("tool", "poetry").get("build"):
        return f"{languages} built by its Poetry build script"
    return f"{languages} built with {min(tools)}" if tools else None


def _build_requires(project: Project) -> frozenset[str]:
    """Return those tools that compile which the build asks for."""
    names = [
        re.split(r"[^A-Za-z0-9._-]", line.strip(), maxsplit=1)[0].lower().replace("_", "-")
        for line in text_list(project.table("build-system").get("requires"))
    ]
    return _BUILD_TOOLS.intersection(names)


def _setup_compiles(project: Project) -> bool:
    source = project.tree.texts.get("setup.py")
    if source is None:
        return False
    call = project.setup_call
    if call is None:
        return bool(_EXTENSION_TEXT.search(source))
    if any(call.has(keyword) for keyword in _EXTENSION_KEYWORDS):
        return True
    if call.open_ended and _EXTENSION_TEXT.search(source):
        return True
    return any(call.has(keyword) for keyword in _OWN_COMMANDS) and not _mostly_python(project)


def _mostly_python(project: Project) -> bool:
    # a build command of its own may do anything; what the archive mainly holds decides
    python = sum(size for path, size in project.tree.sizes.items() if path.endswith(".py"))
    return sum(native_sources(project).values()) < python


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeSize:
    """Bytes of compiled code: a guess, and the span that four in five such projects fall into."""

    value: int
    low: int
    high: int


def estimate(sources: Mapping[str, int]) -> NativeSize:
    """Return how large the compiled code becomes, from the bytes of its sources by language."""
    value = float(_LEAST_RUST_BYTES if "Rust" in sources else _LEAST_BYTES)
    for language, size in sources.items():
        factor = _SO_BYTES_PER_SOURCE_BYTE.get(language, _OTHER_SO_BYTES_PER_SOURCE_BYTE)
        value += factor * size
    return NativeSize(
        value=int(value), low=int(value * _LOW_FACTOR), high=int(value * _HIGH_FACTOR)
    )


def as_built(inventory: Inventory) -> Inventory:
    """Return a wheel's inventory without the libraries that were bundled into it afterwards.

    A build on the platform links the system's libraries instead of copying them.
    """
    kept = tuple(entry for entry in inventory.entries if not _BUNDLED.search(entry.path))
    return replace(inventory, entries=kept)


SOURCE_FOLDERS = ("", "src", "lib", "python", "source", "py")
# folders beside the packages in a project's top folder that are not packages
_NOT_PACKAGES = frozenset(
    "test tests doc docs example examples benchmark benchmarks script scripts tool tools build "
    "dist ci bin demo demos sample samples util utils".split()
)
_NOT_MODULES = frozenset({"setup", "conftest", "tasks", "noxfile", "fabfile", "conf", "versioneer"})
# Bounds on what a project may name; each is matched with every file or folder.
_MOST_PATTERNS = 200
_LONGEST_NAME = 255
_ALWAYS_DATA = re.compile(r"(?:\.pyi|(?:^|/)py\.typed)$")
_SETUPTOOLS = frozenset({"setuptools", "distutils", "pbr", "setuptools_rust"})
_MOST_PLACES = 200  # packages that a project names one by one; each is matched with every file
_LICENSES = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")


def find_payload(project: Project, dist: str) -> Mapping[str, str]:
    """Return ``{path in the wheel: path in the archive}``; ``dist`` is ``name-version``.

    License files and what setup.py lists as scripts and data files are among them.
    """
    if project.backend in _SETUPTOOLS or project.egg_info is not None:
        payload = dict(setuptools_files(project))
    else:
        payload = dict(_whole_folders(project))
    payload.update(_extras(project, dist))
    kept = {target: source for target, source in payload.items() if _installs(target)}
    return {target: kept[target] for target in sorted(kept)}


def _installs(path: str) -> bool:
    parts = path.split("/")
    return not (path.endswith((".pyc", ".pyo")) or "__pycache__" in parts or ".." in parts)


def spellings(name: str) -> tuple[str, ...]:
    """Return the module names that a distribution's name suggests."""
    plain = re.sub(r"[-.]+", "_", name)
    forms = (plain, plain.lower(), plain.lower().replace("_", ""), name.replace("-", "."))
    without = [form[6:] for form in forms if form.lower().startswith("python")]
    return tuple(dict.fromkeys([*forms, *(form.strip("_-.") for form in without)]))


class Folders:
    """The files of each folder, and which folders are packages."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.files: dict[str, list[str]] = defaultdict(list)
        self.all: set[str] = {""}
        for path in paths:
            folder, _, name = path.rpartition("/")
            self.files[folder].append(name)
            while folder and folder not in self.all:
                self.all.add(folder)
                folder = folder.rpartition("/")[0]

    def is_package(self, folder: str) -> bool:
        """Return True for a folder with an ``__init__.py``."""
        return "__init__.py" in self.files.get(folder, ())

    def has_modules(self, folder: str) -> bool:
        """Return True for a folder with Python files."""
        return any(name.endswith(".py") for name in self.files.get(folder, ()))

    def below(self, base: str) -> Iterator[tuple[str, str]]:
        """Yield (dotted name, folder) of every folder below ``base``, parents first."""
        start = f"{base}/" if base else ""
        for folder in sorted(self.all):
            if folder != base and folder.startswith(start):
                yield folder[len(start) :].replace("/", "."), folder


def join(*parts: str) -> str:
    """Return the parts as one relative path without ``.`` and doubled slashes."""
    path = posixpath.normpath("/".join(part for part in parts if part))
    return "" if path == "." else path.strip("/")


def automatic_tops(name: str | None, folders: Folders, base: str) -> tuple[str, ...]:
    """Return the top-level packages when nothing but the project's name tells them."""
    tops = [
        package
        for package, folder in folders.below(base)
        if "." not in package and folders.is_package(folder)
    ]
    named = [top for top in tops if top in spellings(name or "")]
    return tuple(named or (top for top in tops if top not in _NOT_PACKAGES))


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


def _package_dirs(project: Project) -> dict[str, str]:
    """Return setuptools' ``package_dir``: where packages lie, ``""`` for all others."""
    folders = {
        k: v for k, v in project.setup_keywords.table("package_dir").items() if isinstance(v, str)
    }
    for line in project.cfg("options", "package_dir").splitlines():
        package, equals, folder = line.partition("=")
        if equals:
            folders.setdefault(package.strip(), folder.strip())
    for package, folder in project.table("tool", "setuptools", "package-dir").items():
        if isinstance(folder, str):
            folders.setdefault(package, folder)
    return {package: join(folder) for package, folder in folders.items()}


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
    rule = _finding_rule(project)
    if rule is not None:
        return join(rule.where)
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
    rule = _finding_rule(project)
    if rule is not None:
        packages = dict(_discovered(rule, folders, base))
        fitting = {p: f for p, f in packages.items() if not tops or p.split(".")[0] in tops}
        if fitting:
            return fitting
    return dict(_under(tops or automatic_tops(project.name, folders, base), folders, base))


def _explicit(project: Project) -> tuple[str, ...] | None:
    """Return the packages where they are listed one by one."""
    named = project.setup_keywords.texts("packages")
    if not named:
        text = project.cfg("options", "packages")
        named = () if "find" in text else tuple(re.split(r"[\s,]+", text)) if text else ()
    if not named:
        named = text_list(project.table("tool", "setuptools").get("packages"))
    return named or None


def _finding_rule(project: Project) -> FoundPackages | None:
    """Return the rule by which packages are found, where it can be read."""
    value = project.setup_keywords.values.get("packages")
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
    named = project.setup_keywords.texts("py_modules") or tuple(
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
        call = project.setup_keywords
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
    by_package = {
        k: v if isinstance(v, tuple) else (v,)
        for k, v in project.setup_keywords.table("package_data").items()
    }
    section = "options.package_data"
    if project.setup_cfg.has_section(section):
        for package in project.setup_cfg.options(section):
            by_package[package] = tuple(re.split(r"[\s,]+", project.cfg(section, package)))
    for package, patterns in project.table("tool", "setuptools", "package-data").items():
        by_package[package] = text_list(patterns)
    return {
        "" if package == "*" else package: tuple(p for p in patterns if isinstance(p, str))
        for package, patterns in by_package.items()
    }


def _matches(inside: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./")
    if "**" in pattern:
        return fnmatchcase(inside, pattern.replace("**/", "*"))
    return inside.count("/") == pattern.count("/") and fnmatchcase(inside, pattern)


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
    module = next((name for name in candidates if isinstance(name, str)), None)
    return module.split(".")[0] if module else None


def _extras(project: Project, dist: str) -> Iterator[tuple[str, str]]:
    for path in project.tree.sizes:
        if "/" not in path and any(fnmatchcase(path.upper(), p) for p in _LICENSES):
            yield f"{dist}.dist-info/licenses/{path}", path
    call = project.setup_keywords
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

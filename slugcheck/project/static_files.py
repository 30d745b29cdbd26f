"""The files that ``manage.py collectstatic`` adds to the slug, predicted without running the app.

Heroku's buildpack runs it where Django is installed and a manage.py exists (bin/steps/collectstatic
of heroku-buildpack-python v351). Which files it collects follows from the settings
(``django_settings``), the wheels' directories and the app's own files; each path is taken from the
first finder that has it, as Django does. What a variable or code decides widens the interval, down
to nothing and up to everything.
"""

from __future__ import annotations

import ast
import bisect
import fnmatch
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from packaging.version import Version

from slugcheck import reading
from slugcheck.model import (
    Buildpack,
    Distribution,
    Entry,
    Estimate,
    Finding,
    FindingSeverity,
    Inventory,
    Part,
    Project,
)
from slugcheck.project import django_settings, source
from slugcheck.project.archive import Member, deflated
from slugcheck.project.django_settings import UNKNOWN, DjangoSettings, Sources, Values, options
from slugcheck.sizing import slug_parts, static_copies
from slugcheck.sizing.static_copies import NOTHING, Copies, Weight
from slugcheck.text import listed, mb, printable

DISABLED_FILE = ".heroku/collectstatic_disabled"
_DEPTH = 3  # folders below the root in which the buildpack looks for manage.py
_VARIABLE = "DISABLE_COLLECTSTATIC"
_NO_ROOT = "no STATIC_ROOT"
_STATIC = "/static/"
# Folders that STATICFILES_DIRS usually names, where it cannot be read.
_LIKE_STATIC = re.compile(r"(?:^|/)(?:static|assets|dist|build|public)/")
_IGNORED = ("CVS", ".*", "*~")  # django.contrib.staticfiles.apps.StaticFilesConfig
_STATICFILES = "django.contrib.staticfiles"
_NO_APP = f"INSTALLED_APPS lacks {_STATICFILES}"
_PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
_FINDERS = "django.contrib.staticfiles.finders"
_FILE_SYSTEM, _APPS = f"{_FINDERS}.FileSystemFinder", f"{_FINDERS}.AppDirectoriesFinder"
_READ = (
    "INSTALLED_APPS", "STATIC_ROOT", "STATICFILES_DIRS", "STATICFILES_FINDERS", "STORAGES",
    "STATICFILES_STORAGE", "WHITENOISE_KEEP_ONLY_HASHED_FILES",
    "WHITENOISE_SKIP_COMPRESS_EXTENSIONS",
)  # fmt: skip
_MOST_WORLDS = 16
_FOR_DEVELOPMENT = frozenset({"dev", "development", "local"})  # names of settings modules
_FOR_PRODUCTION = ("production", "prod", "heroku")
_STORAGES_ONLY = Version("5.1")  # Django that ignores STATICFILES_STORAGE (release notes 5.1)
_STORAGES_TOO = Version("4.2")
# Packages whose storages keep the files on another server.
_REMOTE = frozenset(
    "storages django_s3_storage cloudinary_storage minio_storage django_minio_backend "
    "s3_folder_storage whitenoise_s3 collectfasta".split()
)
_MOST_BASES = 8  # classes that a storage of the project may inherit from, in all
_HASHED_NAME = re.compile(r"\.[0-9a-f]{12}(?=\.|$)")
_NAMED = 3  # names in one note
_LONGEST_SHOWN = 100  # characters of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What collectstatic adds; no part if it adds nothing, or is not run.

    ``finding`` says why it will fail the build, unless a variable of the app disables it.
    """

    part: Part | None = None
    notes: tuple[str, ...] = ()
    finding: Finding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Storage:
    """What a storage does; ``local`` is whether its files are in the slug."""

    local: bool = True
    hashed: bool = False
    compressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What one reading of the settings leads to; ``doubts`` are settings that are not known."""

    entries: tuple[Entry, ...] = ()
    weight: Weight = NOTHING
    least: Weight = NOTHING
    most: Weight = NOTHING
    doubts: tuple[str, ...] = ()
    failure: str = ""
    how: str = ""


class StaticFiles:
    """The static files of a project: its settings are read once, packages may change."""

    def __init__(
        self,
        project: Project,
        members: Sequence[Member],
        absent: Callable[[str], str | None],
        buildpack: Buildpack = Buildpack.CLASSIC,
    ) -> None:
        """Read manage.py, the settings and app.json; nothing else is touched yet.

        The cloud-native buildpack runs a manage.py in the root only, skips projects without the
        app of static files, and cannot be told to skip more (heroku/buildpacks-python f81d0dc1,
        2026-08-06, src/django.rs).
        """
        self._is_classic = buildpack is Buildpack.CLASSIC
        own = sorted((m for m in members if m.link is None), key=lambda member: member.path)
        self._own = {member.path: member for member in own}
        self._deflated: dict[str, int] = {}
        self._collected: dict[tuple[object, ...], Collected] = {}
        self._sources = Sources(
            folder=project.folder, top=project.top, is_present=self._own.__contains__
        )
        self._project = project
        self._disabled = self._is_classic and absent(DISABLED_FILE) is None
        self._manage = _manage(self._own, project.folder) if self._is_classic else "manage.py"
        if self._manage not in self._own:
            self._manage = None
        self._variables = _app_json(self._sources)
        self._settings: DjangoSettings | None = None
        self._module = ""
        if self._manage is not None and not self._disabled:
            self._read_settings(self._manage)

    @property
    def manage_file(self) -> str | None:
        """The manage.py whose collectstatic the build runs where Django is installed."""
        return None if self._disabled else self._manage

    def _read_settings(self, manage: str) -> None:
        names = django_settings.module_names(self._sources.text(manage) or b"")
        wanted = self._variables.get("DJANGO_SETTINGS_MODULE")
        self._module = wanted or (names[0] if names else "")
        if self._module:
            self._settings = django_settings.read(self._module, manage, self._sources)

    def collected(
        self, inventories: Iterable[tuple[Distribution, Inventory]], *, minor: str
    ) -> Collected:
        """Return what collectstatic adds with these packages, on Python ``minor``."""
        known = tuple(inventories)
        key = (minor, *((d.name, d.version, d.artifact.filename) for d, _ in known))
        if key not in self._collected:
            self._collected[key] = self._collect(known, minor)
        return self._collected[key]

    def _collect(self, known: Sequence[tuple[Distribution, Inventory]], minor: str) -> Collected:
        django = next((d for d, _ in known if d.name == "django"), None)
        if django is None or self._manage is None or self._disabled:
            return Collected()
        wheels = _Wheels(known)
        names = {distribution.name for distribution, _ in known}
        run = _Run(
            own=self._own,
            entry=self._entry,
            wheels=wheels,
            names=frozenset(names),
            version=_version(django.version),
            minor=minor,
            sources=self._sources,
        )
        return self._outcome(run)

    def _outcome(self, run: _Run) -> Collected:
        manage, settings = printable(self._manage or ""), self._settings
        if settings is None or settings.gaps:
            reason = (
                "; ".join(map(_quoted, settings.gaps[:_NAMED]))
                if settings is not None
                else f"the settings module {_quoted(self._module)} is not in the project"
                if self._module
                else f"{manage} names no settings module"
            )
            likely = run.outcome(settings, {}) if settings and settings.values else None
            everything = run.everything(likely.entries if likely else ())
            value = likely.weight if likely and not likely.failure else _half(everything)
            weight = _spread(value, NOTHING, everything)
            note = (
                f"static files are uncertain: {reason}; counted between none and "
                f"{mb(everything.slug.value)} MB"
            )
            return self._result(weight, (note,))
        deciding = _deciding(run, settings)
        outcomes = [
            run.outcome(settings, world)
            for world in django_settings.worlds(settings, deciding, _MOST_WORLDS)
        ]
        first = outcomes[0]
        failure = first.failure if all(other.failure for other in outcomes) else ""
        notes: list[str] = []
        doubts = [name for other in outcomes for name in other.doubts]
        doubts += deciding
        least = min((other.least for other in outcomes), key=_slug_low)
        most = max((other.most for other in outcomes), key=_slug_high)
        weight = _spread(first.weight, least, most)
        if doubts and not failure:
            open_names = listed(sorted(set(doubts)), len(_READ))
            notes.append(
                f"static files are uncertain: {_quoted(settings.module)} takes {open_names} from "
                f"variables or code; counted from {mb(weight.slug.low)} to "
                f"{mb(weight.slug.high)} MB"
            )
        notes += [*run.notes, *run.folder_notes(), *self._other_module()]
        result = self._result(weight, tuple(dict.fromkeys(notes)), first)
        return replace(result, finding=self._finding(failure)) if failure else result

    def _finding(self, failure: str) -> Finding | None:
        if self._is_disabled or (failure == _NO_APP and not self._is_classic):
            return None
        missing_root = failure == _NO_ROOT
        fix = ['STATIC_ROOT = BASE_DIR / "staticfiles"'] if missing_root else []
        if self._is_classic:
            fix.append(f"# or without static files: heroku config:set {_VARIABLE}=1")
        elif not missing_root:
            fix.append(f"# or without static files: remove {_STATICFILES} from INSTALLED_APPS")
        return Finding(
            code="collectstatic-fails",
            severity=FindingSeverity.WARNING,
            subject="django",
            sentence=(
                f"the build runs {printable(self._manage or '')} collectstatic, which will fail: "
                f"{failure} in {_quoted(self._module)}"
            ),
            fix="\n".join(fix),
        )

    @property
    def _is_disabled(self) -> bool:
        return self._is_classic and self._variables.get(_VARIABLE, "0") not in ("", "0")

    def _other_module(self) -> Iterator[str]:
        """Yield a note where manage.py names settings for development, and others exist."""
        package, _, name = self._module.rpartition(".")
        if name not in _FOR_DEVELOPMENT or "DJANGO_SETTINGS_MODULE" in self._variables:
            return
        folder = PurePosixPath(self._manage or "").parent / package.replace(".", "/")
        others = [own for own in _FOR_PRODUCTION if str(folder / f"{own}.py") in self._own]
        if others:
            manage = printable(self._manage or "")
            yield (
                f"static files are those of {_quoted(self._module)}, which {manage} names; if the "
                f"app runs with {_quoted(package)}.{others[0]}, set DJANGO_SETTINGS_MODULE in "
                "app.json"
            )

    def _result(
        self, weight: Weight, notes: tuple[str, ...], outcome: _Outcome | None = None
    ) -> Collected:
        if self._is_disabled:
            size = f": {mb(weight.slug.value)} MB less" if weight.slug.value else ""
            note = f"app.json sets {_VARIABLE}: no static files are counted{size}"
            return Collected(notes=(note,))
        if not weight.slug.high:
            return Collected(notes=notes)
        part = Part(
            name="static files (collectstatic)",
            group=slug_parts.STATIC,
            installed=weight.installed,
            slug=weight.slug,
            note=outcome.how if outcome else "",
        )
        return Collected(part=part, notes=notes)

    def _entry(self, path: str) -> Entry:
        member = self._own[path]
        if path not in self._deflated:
            self._deflated[path] = _deflated_bytes(member)
        return Entry(path=path, size=member.size, compressed=self._deflated[path])


def _deciding(run: _Run, settings: DjangoSettings) -> tuple[str, ...]:
    """Return the settings whose value is open and changes what collectstatic adds."""
    first = {name: options(settings.values[name])[0] for name in _READ if name in settings.values}
    likely = run.outcome(settings, first)
    return tuple(
        name
        for name in first
        if any(
            run.outcome(settings, {**first, name: option}) != likely
            for option in options(settings.values[name])[1:]
        )
    )


# --------------------------------------------------------------------------- one run


class _Wheels:
    """The packages' files: folders that can be apps, and their static files."""

    def __init__(self, inventories: Iterable[tuple[Distribution, Inventory]]) -> None:
        self.folders: set[str] = set()
        self.static: dict[str, list[Entry]] = {}
        for _, inventory in inventories:
            for entry in inventory.entries:
                folder = entry.path.rpartition("/")[0]
                if folder and folder not in self.folders:
                    self._add_folder(folder)
                head, inside, rest = entry.path.partition(_STATIC)
                if inside:
                    self.static.setdefault(head, []).append(replace(entry, path=rest))

    def _add_folder(self, folder: str) -> None:
        while folder and folder not in self.folders:
            self.folders.add(folder)
            folder = folder.rpartition("/")[0]


@dataclass(slots=True)
class _Run:
    """The project with the packages that are installed."""

    own: Mapping[str, Member]
    entry: Callable[[str], Entry]
    wheels: _Wheels
    names: frozenset[str]
    version: Version
    minor: str
    sources: Sources
    notes: list[str]
    paths: list[str]  # of ``own``, sorted
    empty_folders: dict[str, None]  # that STATICFILES_DIRS names

    def __init__(
        self,
        *,
        own: Mapping[str, Member],
        entry: Callable[[str], Entry],
        wheels: _Wheels,
        names: frozenset[str],
        version: Version,
        minor: str,
        sources: Sources,
    ) -> None:
        self.own, self.entry, self.wheels, self.names = own, entry, wheels, names
        self.version, self.minor, self.sources = version, minor, sources
        self.notes, self.paths, self.empty_folders = [], list(own), {}

    @property
    def fullest(self) -> Copies:
        """The most copies that the installed packages can make."""
        whitenoise = "whitenoise" in self.names
        return Copies(hashed=True, gzip=whitenoise, brotli=whitenoise and self.has_brotli)

    @property
    def has_brotli(self) -> bool:
        return bool(self.names & {"brotli", "brotlicffi"})

    def everything(self, read: Iterable[Entry] = ()) -> Weight:
        """Return the most that collectstatic could add: all folders that look like static files.

        ``read`` are files that the settings name, as far as they could be read.
        """
        files: dict[str, Entry] = {entry.path: entry for entry in read}
        for entries in self.wheels.static.values():
            for entry in entries:
                files.setdefault(entry.path, entry)
        for path in self.own:
            if match := _LIKE_STATIC.search(path):
                rest = path[match.end() :]
                if rest not in files:
                    files[rest] = replace(self.entry(path), path=rest)
        return static_copies.weigh(tuple(files.values()), self.fullest, minor=self.minor)

    def folder_notes(self) -> Iterator[str]:
        """Yield a note on folders of STATICFILES_DIRS that are empty here."""
        if self.empty_folders:
            shown = listed(list(self.empty_folders), _NAMED)
            have = "has" if len(self.empty_folders) == 1 else "have"
            yield (
                f"STATICFILES_DIRS names {shown}, which {have} no pushed files: what another "
                "build step writes there is not counted"
            )

    def outcome(self, settings: DjangoSettings, world: Values) -> _Outcome:
        """Return what one combination of the settings' values leads to."""
        # None also stands for a setting that only one branch sets
        held = {name: options(value)[0] for name, value in settings.values.items()}
        values = {name: own for name, own in {**held, **world}.items() if own is not None}
        doubts: list[str] = []
        apps, complete = _apps(values.get("INSTALLED_APPS"))
        if not complete:
            doubts.append("INSTALLED_APPS")
        elif _STATICFILES not in apps:
            return _Outcome(failure=_NO_APP)
        storage, failure = self._storage(values, settings)
        if failure:
            return _Outcome(failure=failure)
        if storage is not None and not storage.local:
            return _Outcome()
        root = values.get("STATIC_ROOT")
        if not root:
            return _Outcome(failure=_NO_ROOT)
        place = django_settings.relative(str(root)) if _is_path(root) else ""
        if place is None:
            return _Outcome()
        if not _is_path(root):
            doubts.append("STATIC_ROOT")
        files = self._files(values, apps, settings, doubts)
        files = self._new(files, place) if _is_path(root) else files
        copies = self._copies(storage or _Storage(), values, doubts)
        weight = static_copies.weigh(files, copies, minor=self.minor)
        least = NOTHING if "STATIC_ROOT" in doubts else weight
        most = weight
        if storage is None:
            doubts.append("the storage of static files")
            least = NOTHING
            most = static_copies.weigh(files, self.fullest, minor=self.minor)
        if not complete or "STATICFILES_DIRS" in doubts:
            most = max(most, self.everything(files), key=_slug_high)
        return _Outcome(
            entries=files,
            weight=weight,
            least=least,
            most=most,
            doubts=tuple(doubts),
            how=_how(len(files), copies),
        )

    # ------------------------------------------------------------- which files

    def _files(
        self, values: Values, apps: Sequence[str], settings: DjangoSettings, doubts: list[str]
    ) -> tuple[Entry, ...]:
        finders = values.get("STATICFILES_FINDERS", (_FILE_SYSTEM, _APPS))
        if not isinstance(finders, tuple):
            doubts.append("STATICFILES_FINDERS")
            finders = (_FILE_SYSTEM, _APPS)
        collected: dict[str, Entry] = {}
        for finder in finders:
            if finder == _FILE_SYSTEM:
                entries = self._in_folders(values.get("STATICFILES_DIRS", ()), doubts)
            elif finder == _APPS:
                entries = self._in_apps(apps, settings)
            elif finder is UNKNOWN:
                doubts.append("STATICFILES_FINDERS")
                continue
            else:
                continue  # files that other finders make are small, and only a build shows them
            for entry in entries:
                if not _is_ignored(entry.path):
                    collected.setdefault(entry.path, entry)
        return tuple(collected.values())

    def _in_folders(self, folders: object, doubts: list[str]) -> Iterator[Entry]:
        if not isinstance(folders, tuple):
            doubts.append("STATICFILES_DIRS")
            return
        for folder in folders:
            prefix, path = "", folder
            if isinstance(folder, tuple) and len(folder) == 2:
                prefix, path = f"{folder[0]}/", folder[1]
            if not _is_path(path):
                doubts.append("STATICFILES_DIRS")
                continue
            place = django_settings.relative(str(path))
            own = list(self._below(place)) if place is not None else []
            if not own:
                shown = _quoted(place if place else str(path))
                self.empty_folders.setdefault(shown)
            for relative, entry in own:
                yield replace(entry, path=f"{prefix}{relative}")

    def _in_apps(self, apps: Sequence[str], settings: DjangoSettings) -> Iterator[Entry]:
        missing: list[str] = []
        for app in apps:
            own = self._own_app(app, settings.import_folders)
            if own is not None:
                for relative, entry in self._below(f"{own}/static"):
                    yield replace(entry, path=relative)
                continue
            folder = _package(app, "", self.wheels.folders.__contains__)
            if folder is None:
                missing.append(app)
                continue
            yield from self.wheels.static.get(folder, ())
        if missing:
            shown = listed([_quoted(app) for app in missing], _NAMED)
            self.notes.append(
                f"INSTALLED_APPS names {shown}, found neither in the project nor in the packages: "
                "its static files are not counted"
            )

    def _own_app(self, app: str, folders: Sequence[str]) -> str | None:
        for folder in folders:
            start = f"{folder}/" if folder else ""
            package = _package(app, start, self._has)
            if package is not None:
                return package
        return None

    def _has(self, folder: str) -> bool:
        start = f"{folder}/"
        return next(self._starting(start), None) is not None

    def _below(self, folder: str) -> Iterator[tuple[str, Entry]]:
        start = f"{folder}/" if folder else ""
        for path in self._starting(start):
            yield path[len(start) :], self.entry(path)

    def _starting(self, start: str) -> Iterator[str]:
        for number in range(bisect.bisect_left(self.paths, start), len(self.paths)):
            if not self.paths[number].startswith(start):
                return
            yield self.paths[number]

    def _new(self, files: Sequence[Entry], root: str | None) -> tuple[Entry, ...]:
        """Leave out files that are in STATIC_ROOT already, since they are pushed."""
        if root is None:
            return tuple(files)
        start = f"{root}/" if root else ""
        pushed = {_HASHED_NAME.sub("", path) for path in self._starting(start)}
        return tuple(entry for entry in files if f"{start}{entry.path}" not in pushed)

    # ------------------------------------------------------------- which storage

    def _storage(self, values: Values, settings: DjangoSettings) -> tuple[_Storage | None, str]:
        """Return what the storage does (None: unknown), or why collectstatic fails."""
        name: object = values.get("STATICFILES_STORAGE")
        if self.version >= _STORAGES_ONLY:
            if isinstance(name, str):
                self.notes.append(
                    f"STATICFILES_STORAGE has no effect with Django {self.version}: set STORAGES"
                )
            name = None
        if name is None and self.version >= _STORAGES_TOO and "STORAGES" in values:
            held = values["STORAGES"]
            own = held.get("staticfiles") if isinstance(held, dict) else UNKNOWN
            if own is None:
                return None, 'no STORAGES["staticfiles"]'
            name = own.get("BACKEND", UNKNOWN) if isinstance(own, dict) else UNKNOWN
        names = options(_PLAIN if name is None else name)
        kinds = [
            self._kind(own, settings.import_folders, _MOST_BASES) if isinstance(own, str) else None
            for own in names
        ]
        return (kinds[0] if all(kind == kinds[0] for kind in kinds) else None), ""

    def _kind(self, dotted: str, folders: Sequence[str], left: int) -> _Storage | None:
        package, _, name = dotted.partition(".")[0], "", dotted.rpartition(".")[2]
        if package in _REMOTE or dotted.startswith("collectfast."):
            return _Storage(local=False)
        if package == "django" and _STATICFILES in dotted:
            return _Storage(hashed=name.startswith(("Manifest", "Cached")))
        if package == "whitenoise":
            compressed = name.startswith(("Compressed", "Gzip"))
            return _Storage(hashed="Manifest" in name, compressed=compressed)
        if package == "django_heroku":
            return None
        return self._own_kind(dotted, folders, left)

    def _own_kind(self, dotted: str, folders: Sequence[str], left: int) -> _Storage | None:
        """Return what a class of the project does, by the classes that it inherits from."""
        if left <= 0:
            return None
        module, _, name = dotted.rpartition(".")
        tree = _module(module, folders, self.sources)
        if tree is None:
            return None
        imported = _imports(tree, module)
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                bases = [_dotted(base, imported, module) for base in node.bases]
                kinds = [self._kind(base, folders, left - 1 - len(bases)) for base in bases if base]
                known = [kind for kind in kinds if kind is not None]
                if any(not kind.local for kind in known):
                    return _Storage(local=False)
                if not known:
                    return None
                return _Storage(
                    hashed=any(kind.hashed for kind in known),
                    compressed=any(kind.compressed for kind in known),
                )
        return None

    def _copies(self, storage: _Storage, values: Values, doubts: list[str]) -> Copies:
        keep = values.get("WHITENOISE_KEEP_ONLY_HASHED_FILES", False)
        skipped = values.get("WHITENOISE_SKIP_COMPRESS_EXTENSIONS")
        extensions = static_copies.SKIPPED_EXTENSIONS
        if isinstance(skipped, tuple):
            extensions = tuple(item for item in skipped if isinstance(item, str))
        elif skipped is UNKNOWN:
            doubts.append("WHITENOISE_SKIP_COMPRESS_EXTENSIONS")
        return Copies(
            hashed=storage.hashed,
            gzip=storage.compressed,
            brotli=storage.compressed and self.has_brotli,
            originals=not (storage.compressed and keep is True),
            skipped=extensions,
        )


# --------------------------------------------------------------------------- the project


def _manage(own: Iterable[str], folder: Path) -> str | None:
    """Return the manage.py that the buildpack runs: the nearest to the root."""
    scripts = [path for path in own if _is_manage(path) and not (folder / path).is_symlink()]
    return min(scripts, key=lambda path: (path.count("/"), path), default=None)


def _is_manage(path: str) -> bool:
    folders = PurePosixPath(path).parts
    return folders[-1] == "manage.py" and len(folders) <= _DEPTH


def _app_json(sources: Sources) -> dict[str, str]:
    """Return the variables that app.json sets to a value."""
    text = sources.text("app.json")
    try:
        document = reading.json(text) if text is not None else {}
    except ValueError:
        return {}
    variables = document.get("env") if isinstance(document, dict) else None
    set_values: dict[str, str] = {}
    for name, value in variables.items() if isinstance(variables, dict) else ():
        worth = value.get("value") if isinstance(value, dict) else value
        if isinstance(worth, str):
            set_values[name] = worth
    return set_values


def _apps(value: object) -> tuple[tuple[str, ...], bool]:
    """Return the names of the apps, and whether these are all."""
    if not isinstance(value, tuple):
        return (), False
    names = tuple(dict.fromkeys(app for app in value if isinstance(app, str)))
    return names, all(isinstance(app, str) for app in value)


def _package(app: str, start: str, is_folder: Callable[[str], bool]) -> str | None:
    """Return the folder of an entry of INSTALLED_APPS: a package, or the AppConfig of one.

    ``start`` is the folder that it is imported from.
    """
    parts = app.split(".")
    for count in range(len(parts), 0, -1):
        if len(parts) - count > 2:  # "package.apps.Config" has two names after the package
            return None
        path = start + "/".join(parts[:count])
        if is_folder(path):
            return path
    return None


def _module(dotted: str, folders: Sequence[str], sources: Sources) -> ast.Module | None:
    path = dotted.replace(".", "/")
    for folder in folders:
        for ending in (".py", "/__init__.py"):
            text = sources.text(f"{folder}/{path}{ending}".removeprefix("/"))
            if text is not None:
                return source.parsed(text)
    return None


def _imports(tree: ast.Module, module: str) -> dict[str, str]:
    """Return the dotted name of each name that a module imports."""
    names: dict[str, str] = {}
    package = module.rpartition(".")[0]
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            start = f"{package}.{node.module or ''}" if node.level else node.module or ""
            for alias in node.names:
                names[alias.asname or alias.name] = f"{start}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
    return names


def _dotted(node: ast.expr, imported: Mapping[str, str], module: str) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([imported.get(node.id, f"{module}.{node.id}"), *parts])


def _is_ignored(path: str) -> bool:
    return any(fnmatch.fnmatchcase(part, rule) for part in path.split("/") for rule in _IGNORED)


def _is_path(value: object) -> bool:
    return isinstance(value, (str, PurePosixPath))


def _deflated_bytes(member: Member) -> int:
    extension = posixpath.splitext(member.path)[1].removeprefix(".").lower()
    if extension in static_copies.SKIPPED_EXTENSIONS or not member.size:
        return member.size  # compressed already: reading all images would cost seconds
    return deflated(member.disk) if member.content is None else len(member.content)


def _version(text: str | None) -> Version:
    return reading.version(text or "0")


def _quoted(text: str) -> str:
    """Return a name of the project, as it may be shown."""
    return printable(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


# --------------------------------------------------------------------------- figures


def _how(files: int, copies: Copies) -> str:
    kinds = [
        *(["hashed copies"] if copies.hashed else []),
        *([".gz"] if copies.gzip else []),
        *([".br"] if copies.brotli else []),
    ]
    count = f"{files:,} file" if files == 1 else f"{files:,} files"
    return f"{count} with {' and '.join(kinds)}" if kinds else count


def _half(weight: Weight) -> Weight:
    return Weight(
        files=weight.files,
        installed=Estimate.measured(weight.installed.value // 2),
        slug=Estimate.measured(weight.slug.value // 2),
    )


def _spread(value: Weight, least: Weight, most: Weight) -> Weight:
    return Weight(
        files=value.files,
        installed=_between(value.installed, least.installed, most.installed),
        slug=_between(value.slug, least.slug, most.slug),
    )


def _between(value: Estimate[int], least: Estimate[int], most: Estimate[int]) -> Estimate[int]:
    low, high = min(value.low, least.low), max(value.high, most.high)
    return Estimate.predicted(value.value, low, high)


def _slug_low(weight: Weight) -> int:
    return weight.slug.low


def _slug_high(weight: Weight) -> int:
    return weight.slug.high

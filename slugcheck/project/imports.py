"""What the app imports, found by following its own files from the process that serves.

Files are parsed and never run (``source``). What the entry's module executes is followed in its
order: imports of the app's own modules, calls of its own functions and classes by plain names, the
app that a server's command names, Django's INSTALLED_APPS and what goes with them. What none of
these reaches is in the third round, ``When.LATER``. Own modules are found as Python's ``sys.path``
finds them: before the standard library and the installed packages, folders without an
``__init__.py`` after them.

An app is a stranger's: the files, their tokens, the steps and the depth are bounded, and what was
left out is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from slugcheck.model import (
    EntryPoint,
    Import,
    LoadedModel,
    Scan,
    Unread,
    WebProcess,
    When,
    Workers,
)
from slugcheck.packages.modules import InstalledModules, standard_modules
from slugcheck.project import django_settings, loads, source
from slugcheck.project.django_settings import DjangoSettings, Sources, options
from slugcheck.project.processes import CONCURRENCY
from slugcheck.project.source import (
    BindStep,
    Body,
    CallStep,
    Code,
    DefineStep,
    ImportStep,
    MainStep,
    Name,
    Step,
    TryStep,
)
from slugcheck.text import listed

_MOST_FILES = 3_000
_MOST_TOKENS = 800_000  # of all files: 5 MB of code as people write it
_MOST_STEPS = 200_000  # that its files are made of, and as many that are taken
_DEEPEST = 60  # modules and calls in each other
_MOST_UNREAD = 50
_MOST_MODELS = 100
_SHOWN = 100  # characters of a module's name
_MISSING = "not among the project's files"
_MOST_BASES = 30  # classes above one
_RANKS = {When.START: 0, When.REQUEST: 1, When.LATER: 2}
_DYNAMIC = frozenset({"importlib.import_module", "import_module", "__import__"})
_RUN_NOW = frozenset(  # what is called with a function and calls it
    "asyncio.run anyio.run trio.run typer.run app.run absl.app.run uvloop.run curio.run".split()
)
_CALLBACK_WORDS = ("target", "lifespan", "on_startup", "post_init")


def scan(
    process: WebProcess,
    code: Code,
    installed: InstalledModules,
    *,
    minor: str,
    parsed: dict[str, source.Source] | None = None,
) -> Scan:
    """Return what a process imports on Python ``minor``, such as ``3.12``, on Linux.

    ``parsed`` are files that were parsed before for the same ``minor``, by their paths; those that
    are parsed now are added to it.
    """
    walk = _Walk(process, code, installed, minor, {} if parsed is None else parsed)
    walk.run()
    return walk.result()


def of_requirements(names: Iterable[str], installed: InstalledModules) -> Scan:
    """Return the main module of each direct requirement, for an app whose code is not known.

    ``names`` are canonical. One whose wheel holds no modules has none.
    """
    found: list[Import] = []
    without: list[str] = []
    for name in dict.fromkeys(names):
        module = installed.main_module(name)
        if module is None:
            without.append(name)
            continue
        found.append(
            Import(module=module, place=name, chain=(), when=When.START, distribution=name)
        )
    notes = (f"no module to import: {listed(without)}",) if without else ()
    return Scan(
        process=None,
        imports=tuple(found),
        knows_all_packages=installed.complete,
        notes=notes,
    )


# --------------------------------------------------------------------------- values


@dataclass(eq=False, slots=True)
class _Module:
    """A file of the app; ``chain`` are the files from the entry to it, itself last."""

    name: str
    path: str  # "" for a folder without __init__.py
    chain: tuple[str, ...]
    body: Body = field(default_factory=Body)
    scope: _Scope | None = None

    @property
    def package(self) -> str:
        """The dotted package that relative imports start from."""
        is_package = not self.path or self.path.endswith("/__init__.py")
        return self.name if is_package else self.name.rpartition(".")[0]


@dataclass(eq=False, slots=True)
class _Scope:
    module: _Module
    outer: _Scope | None = None
    names: dict[str, object] = field(default_factory=dict)
    own: _Instance | None = None  # what ``self`` is


@dataclass(eq=False, slots=True)
class _Function:
    body: Body
    scope: _Scope
    decorators: tuple[CallStep, ...] = ()


@dataclass(eq=False, slots=True)
class _Class:
    scope: _Scope  # its names are its attributes
    bases: tuple[str, ...]


@dataclass(eq=False, slots=True)
class _Instance:
    kind: _Class
    names: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _External:
    """A name of something that is not the app's."""

    dotted: str


@dataclass(frozen=True, slots=True)
class _Text:
    """A text, or a path as ``loads.resolved`` returns it."""

    text: str


@dataclass(frozen=True, slots=True)
class _Around:
    """What holds where a step is taken."""

    when: When
    optional: bool = False
    deep: int = 0
    is_main: bool = False  # the module is the script that is run


# --------------------------------------------------------------------------- the walk


class _Walk:
    def __init__(
        self,
        process: WebProcess,
        code: Code,
        installed: InstalledModules,
        minor: str,
        parsed: dict[str, source.Source],
    ) -> None:
        self._process, self._code = process, code
        self.installed, self._minor = installed, minor
        self.standard = standard_modules(minor)
        self._folders = list(dict.fromkeys((*process.import_folders, "")))
        self._fallbacks = ("src",)
        self._modules: dict[str, _Module | None] = {}
        self._sources: dict[str, source.Source] = {}
        self._parsed = parsed
        self._found: dict[str, Import] = {}
        self._models: dict[tuple[str, str], LoadedModel] = {}
        self._unread: dict[str, Unread] = {}
        self.notes: list[str] = list(process.notes)
        self._files: dict[str, When] = {}
        self._executed: dict[int, When] = {}  # bodies, by identity
        self._functions: list[_Function] = []
        self._tokens, self._lines, self._steps = _MOST_TOKENS, _MOST_STEPS, _MOST_STEPS
        self._workers: Workers | None = None
        self.requested: list[tuple[str, _Module]] = []  # modules of the first request
        self._setup_from: _Module | None = None  # the module that sets Django up

    def result(self) -> Scan:
        """Return what was found."""
        workers = self._workers or self._process.workers
        return Scan(
            process=replace(self._process, workers=workers),
            imports=tuple(self._found.values()),
            files=tuple(path for path, when in self._files.items() if when is not When.LATER),
            models=tuple(self._models.values()),
            unread=tuple(self._unread.values()),
            knows_all_packages=self.installed.complete,
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def run(self) -> None:
        """Follow the process at its start, with the first request, and whatever else there is."""
        try:
            self._run()
        except RecursionError:
            reason = "the app's code is nested too deeply to be followed to its end"
            self.note_unread(self._process.place, reason, When.START)

    def _run(self) -> None:
        process = self._process
        root = _Module(name="", path="", chain=())
        for module in process.modules:
            self._record(module, (), root, process.place, _Around(When.START))
        for entry in process.entries:
            self._enter(entry, root)
        if process.server == "streamlit":
            self._pages()
        if self._setup_from is not None or process.server == "django":
            self._django(root)
        # runserver checks the URLs before it serves
        first = When.START if process.server == "django" else When.REQUEST
        for name, by in self.requested:
            self.import_module(name, by, by.path, _Around(first))
        # functions are found while others are entered
        number = 0
        while number < len(self._functions):
            function = self._functions[number]
            number += 1
            self._execute(function.body, _entered(function), _Around(When.LATER), inner=True)
        self._later_pages()

    def _enter(self, entry: EntryPoint, root: _Module) -> None:
        when = When.REQUEST if self._process.server == "streamlit" else When.START
        if entry.script:
            module = _Module(name=entry.module or "__main__", path=entry.script, chain=())
            if entry.module and not entry.script.endswith("__main__.py"):
                module.name = entry.module
            self._load(module, _Around(when, is_main=True))
            return
        before = len(self._unread)
        module_found = self.import_module(
            entry.module, root, self._process.place, _Around(When.START)
        )
        if module_found is None:
            if len(self._unread) == before and entry.module.partition(".")[0] not in {
                item.root for item in self._found.values()
            }:
                reason = f"{entry.module[:_SHOWN]} is {_MISSING}"
                self.note_unread(self._process.place, reason, When.START)
            return
        if module_found.scope is None:
            return
        name, called, _ = entry.attribute.partition("(")
        names = module_found.scope.names
        if self._process.server == "flask" and not name:
            # flask calls a factory of these names where there is no app
            apps = {"app", "application"} & names.keys()
            name = next((n for n in ("create_app", "make_app") if n in names and not apps), "")
            called = name
        value = self._lookup(name, module_found.scope) if name else None
        if isinstance(value, _Function) and (called or self._process.server == "flask"):
            self.call(value, _Around(When.START))

    # ------------------------------------------------------------- modules

    @cached_property
    def _own_folders(self) -> frozenset[str]:
        """The folders that hold Python files, with those above them."""
        found: set[str] = {""}
        for path in self._code.paths:
            if path.endswith(".py"):
                folder = path.rpartition("/")[0]
                while folder not in found:
                    found.add(folder)
                    folder = folder.rpartition("/")[0]
        return frozenset(found)

    def _place(self, dotted: str, folders: Sequence[str]) -> str | None:
        """Return the file of an own module, None if there is none."""
        path = dotted.replace(".", "/")
        for folder in folders:
            for ending in ("/__init__.py", ".py"):
                place = f"{folder}/{path}{ending}".removeprefix("/")
                if place in self._code.paths:
                    return place
        return None

    def _locate(self, dotted: str) -> str | None:
        """Return the file of an own module, "" for a folder of them, None if it is not the app's.

        A folder without ``__init__.py`` gives way to an installed package, as in Python.
        """
        root = dotted.partition(".")[0]
        if self._place(root, self._folders) is not None:
            return self._inside(dotted, self._folders)
        if root in self.standard or self.installed.distribution_of(root) is not None:
            return None
        for folders in (self._folders, self._fallbacks):
            found = self._inside(dotted, folders)
            if found is not None:
                return found
        return None

    def _inside(self, dotted: str, folders: Sequence[str]) -> str | None:
        place = self._place(dotted, folders)
        if place is not None:
            return place
        path = dotted.replace(".", "/")
        is_folder = any(
            f"{start}/{path}".removeprefix("/") in self._own_folders for start in folders
        )
        return "" if is_folder else None

    def own(self, dotted: str) -> bool:
        return self._locate(dotted) is not None

    def import_module(
        self, dotted: str, by: _Module, place: str, around: _Around
    ) -> _Module | None:
        """Import an own module with the packages above it; None if it is not the app's."""
        parts = dotted.split(".")
        if not dotted or len(parts) > 30:
            return None
        around = _Around(around.when, around.optional, around.deep)
        found: _Module | None = None
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[:count])
            location = self._locate(name)
            if location is None:
                if count > 1:
                    return None
                self._record(dotted, (), by, place, around)
                return None
            above = found
            found = self._modules.get(name)
            if found is None:
                found = _Module(name=name, path=location, chain=by.chain)
                self._modules[name] = found
            self._load(found, around)
            if above is not None and above.scope is not None:
                above.scope.names.setdefault(parts[count - 1], found)
        return found

    def _load(self, module: _Module, around: _Around) -> None:
        """Execute a module, unless it was at this time or before."""
        known = self._executed.get(id(module))
        if known is not None and _RANKS[known] <= _RANKS[around.when]:
            return
        self._executed[id(module)] = around.when
        if not module.path:
            module.scope = module.scope or _Scope(module)
            return
        if module.scope is None:
            module.chain = (*module.chain, module.path)
            module.scope = _Scope(module)
            module.body = self._read(module.path).body
        if failure := self._read(module.path).failure:
            self.note_unread(module.path, failure, around.when)
        self._files.setdefault(module.path, around.when)
        if _RANKS[around.when] < _RANKS[self._files[module.path]]:
            self._files[module.path] = around.when
        inner = _Around(around.when, around.optional, around.deep + 1, around.is_main)
        self._execute(module.body, module.scope, inner)

    def _read(self, path: str) -> source.Source:
        if path in self._sources:
            return self._sources[path]
        if len(self._sources) >= _MOST_FILES or min(self._tokens, self._lines) <= 0:
            found = source.Source(failure="the app has more code than is followed")
        else:
            found = self._parse(path)
            self._tokens -= found.tokens
            self._lines -= found.steps
        self._sources[path] = found
        return found

    def _parse(self, path: str) -> source.Source:
        if path not in self._parsed:
            data = self._code.text(path)
            self._parsed[path] = (
                source.Source(failure="it cannot be read")
                if data is None
                else source.read(data, minor=self._minor)
            )
        return self._parsed[path]

    def note_unread(self, place: str, reason: str, when: When) -> None:
        known = self._unread.get(place)
        full = len(self._unread) >= _MOST_UNREAD
        # one of the start is kept in any case, since it makes a limit on RAM undecided
        is_new = known is None and (not full or (when is not When.LATER and not self._has_doubt()))
        if is_new or (known is not None and _RANKS[when] < _RANKS[known.when]):
            self._unread[place] = Unread(place=place, reason=reason, when=when)

    def _has_doubt(self) -> bool:
        return any(item.when is not When.LATER for item in self._unread.values())

    # ------------------------------------------------------------- steps

    def _execute(self, body: Body, scope: _Scope, around: _Around, *, inner: bool = False) -> None:
        """Take the steps of a body; ``inner``: unless they were taken at this time or before."""
        if inner:
            known = self._executed.get(id(body))
            if known is not None and _RANKS[known] <= _RANKS[around.when]:
                return
            self._executed[id(body)] = around.when
        if around.deep > _DEEPEST:
            self.note_unread(scope.module.path, "its calls are too deep in each other", around.when)
            return
        self._block(body.steps, scope, around)

    def _block(self, steps: Sequence[Step], scope: _Scope, around: _Around) -> bool:
        """Take steps; return whether none of their imports failed that an exception is caught of.

        An import that fails where nothing catches it is noted, and the rest is followed all the
        same: what is missing may be installed in another way.
        """
        for step in steps:
            self._steps -= 1
            if self._steps < 0:
                reason = "the app has more code than is followed"
                self.note_unread(scope.module.path, reason, around.when)
                return True
            match step:
                case ImportStep():
                    now = around if step.sure else _later(around)
                    if not self._import(step, scope, now) and step.sure and now.optional:
                        return False
                case CallStep():
                    if step.sure or around.when is When.LATER:
                        self._take_call(step, scope, around)
                    else:
                        self._load_model(step, self._lookup(step.target, scope), scope, around)
                case BindStep():
                    self._bind(step, scope)
                case DefineStep():
                    self._define(step, scope, around)
                case TryStep():
                    if not self._try(step, scope, around):
                        return False
                case MainStep(body=body, other=other):
                    runs = around.is_main
                    if not self._block(body if runs else other, scope, around):
                        return False
        return True

    def _try(self, step: TryStep, scope: _Scope, around: _Around) -> bool:
        guarded = _Around(around.when, around.optional or step.catches, around.deep, around.is_main)
        if self._block(step.body, scope, guarded):
            self._block(step.handlers, scope, _later(around))
            return True
        return self._block(step.handlers, scope, around) and step.catches

    def _define(self, step: DefineStep, scope: _Scope, around: _Around) -> None:
        if step.bases is None:
            function = scope.names.get(step.name)
            if not (isinstance(function, _Function) and function.body is step.body):
                function = _Function(step.body, scope, step.decorators)
                self._functions.append(function)
            scope.names[step.name] = function
            if any(_runs_at_start(decorator) for decorator in step.decorators):
                self.call(function, around)
            return
        kind = scope.names.get(step.name)
        if not (isinstance(kind, _Class) and self._executed.get(id(step.body)) is not None):
            kind = _Class(_Scope(scope.module, outer=scope), step.bases)
        self._executed.setdefault(id(step.body), around.when)
        scope.names[step.name] = kind
        self._block(step.body.steps, kind.scope, around)

    def _bind(self, step: BindStep, scope: _Scope) -> None:
        name, worth = step.name, self._worth(step, scope)
        if name.startswith("self."):
            own = self._self(scope)
            if own is not None and (worth is not None or step.text is not None):
                own.names[name[len("self.") :]] = worth
        elif worth is not None or not isinstance(scope.names.get(name), _Module):
            scope.names[name] = worth

    def _worth(self, step: BindStep, scope: _Scope) -> object:
        """Return the value that a name gets, None if that is not known."""
        called = step.value.endswith("()")
        worth = self._lookup(step.value.removesuffix("()"), scope) if step.value else None
        if called and isinstance(worth, _Class):
            return _Instance(worth)
        if called and isinstance(worth, _External) and loads.makes_model(worth.dotted):
            return _External(f"{worth.dotted}()")
        if worth is not None and not called:
            return worth if step.sure or not isinstance(worth, _Text) else None
        text = self._text(step.text, scope) if step.text is not None and step.sure else None
        return None if text is None else _Text(text)

    def _text(self, written: source.Written, scope: _Scope) -> str | None:
        def named(dotted: str) -> str | None:
            value = self._lookup(dotted, scope)
            return value.text if isinstance(value, _Text) else None

        folder, file = self._process.folder, scope.module.path
        return loads.resolved(written, file=file, folder=folder, lookup=named)

    # ------------------------------------------------------------- imports

    def _import(self, step: ImportStep, scope: _Scope, around: _Around) -> bool:
        """Follow an import; return whether it will succeed, as far as is known."""
        module = scope.module
        place = f"{module.path}:{step.line}"
        dotted = self._absolute(step, module, around.when)
        if dotted is None:
            return not step.level or around.when is When.LATER
        if not step.names:
            return self._plain(step, dotted, scope, place, around)
        found = self.import_module(dotted, module, place, around)
        if found is None:
            if self.own(dotted.partition(".")[0]):
                # an own package without that module: generated by the build, or a mistake
                self.note_unread(place, f"{dotted} is {_MISSING}", around.when)
                return not around.optional
            return self._external(step, dotted, scope, place, around)
        for name, bound in step.names:
            if name == "*":
                self._star(found, scope)
                continue
            value = found.scope.names.get(name) if found.scope is not None else None
            if value is None and self.own(f"{dotted}.{name}"):
                value = self.import_module(f"{dotted}.{name}", module, place, around)
            scope.names[bound] = value
        return True

    def _plain(
        self, step: ImportStep, dotted: str, scope: _Scope, place: str, around: _Around
    ) -> bool:
        root = dotted.partition(".")[0]
        is_own = self.own(root)
        found = self.import_module(dotted, scope.module, place, around)
        if found is not None:
            whole = step.bound != root or "." not in dotted
            scope.names[step.bound] = found if whole else self._modules.get(root)
            return True
        if is_own:
            self.note_unread(place, f"{dotted} is {_MISSING}", around.when)
            return not around.optional
        scope.names[step.bound] = _External(dotted if step.bound != root else root)
        return self._is_there(dotted)

    def _external(
        self, step: ImportStep, dotted: str, scope: _Scope, place: str, around: _Around
    ) -> bool:
        names = tuple(name for name, _ in step.names)
        self._record(dotted, names, scope.module, place, around)
        for name, bound in step.names:
            scope.names[bound] = _External(f"{dotted}.{name}")
            if name != "*" and self.installed.has(f"{dotted}.{name}"):
                self._record(f"{dotted}.{name}", (), scope.module, place, around)
        return self._is_there(dotted)

    def _is_there(self, dotted: str) -> bool:
        root = dotted.partition(".")[0]
        if root in self.standard or not self.installed.complete:
            return True
        return self.installed.distribution_of(root) is not None

    def _absolute(self, step: ImportStep, module: _Module, when: When) -> str | None:
        if not step.level:
            return step.module
        parts = module.package.split(".") if module.package else []
        if module.name == "__main__" or step.level > len(parts):
            self.note_unread(
                f"{module.path}:{step.line}", "a relative import outside of a package", when
            )
            return None
        parts = parts[: len(parts) - step.level + 1]
        return ".".join([*parts, *([step.module] if step.module else [])])

    def _star(self, found: _Module, scope: _Scope) -> None:
        for name, value in (found.scope.names if found.scope is not None else {}).items():
            if not name.startswith("_"):
                scope.names.setdefault(name, value)

    def _record(
        self, module: str, names: tuple[str, ...], by: _Module, place: str, around: _Around
    ) -> None:
        if len(module) > 300:
            return
        root = module.partition(".")[0]
        known = self._found.get(module)
        optional = around.optional
        if known is not None:
            united = tuple(dict.fromkeys((*known.names, *names)))[:100]
            if _RANKS[known.when] < _RANKS[around.when] or (
                known.when is around.when and (optional or not known.optional)
            ):
                names = united
                place, chain, when = known.place, known.chain, known.when
                optional, distribution = known.optional, known.distribution
            else:
                names, chain, when = united, by.chain, around.when
                distribution = known.distribution
        else:
            chain, when = by.chain, around.when
            standard = root in self.standard
            distribution = "" if standard else self.installed.distribution_of(module)
        self._found[module] = Import(
            module=module,
            place=place,
            chain=chain,
            when=when,
            distribution=distribution,
            names=names,
            optional=optional,
        )

    # ------------------------------------------------------------- calls

    def _lookup(self, dotted: str, scope: _Scope | None) -> object:
        """Return what a dotted name means in a scope, None if that is not known."""
        first, *rest = dotted.split(".")
        value: object = None
        if first.removesuffix("()") in ("self", "cls"):
            value = self._self(scope)
        else:
            value = self._name(first.removesuffix("()"), scope)
            if first.endswith("()"):
                value = _Instance(value) if isinstance(value, _Class) else None
        for part in rest:
            plain = part.removesuffix("()")
            value = self.attribute(value, plain)
            if part.endswith("()"):
                value = _Instance(value) if isinstance(value, _Class) else None
        return value

    def _self(self, scope: _Scope | None) -> _Instance | None:
        while scope is not None:
            if scope.own is not None:
                return scope.own
            scope = scope.outer
        return None

    def _name(self, name: str, scope: _Scope | None) -> object:
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None

    def attribute(self, value: object, name: str) -> object:
        match value:
            case _Module(scope=_Scope(names=names)):
                if name in names:
                    return names[name]
                return self._modules.get(f"{value.name}.{name}")
            case _Instance(kind=kind, names=names):
                return names[name] if name in names else self.attribute(kind, name)
            case _Class():
                return self._inherited(value, name)
            case _External(dotted=dotted):
                return _External(f"{dotted}.{name}"[:300])
            case _:
                return None

    def _inherited(self, kind: _Class, name: str) -> object:
        """Return an attribute of a class or of those above it, each looked at once."""
        waiting, seen = [kind], {id(kind)}
        while waiting and len(seen) < _MOST_BASES:
            one = waiting.pop(0)
            if name in one.scope.names:
                return one.scope.names[name]
            for base in one.bases[:_MOST_BASES]:
                above = self._lookup(base, one.scope.outer) if base.count(".") < 3 else None
                if isinstance(above, _Class) and id(above) not in seen:
                    seen.add(id(above))
                    waiting.append(above)
        return None

    def _take_call(self, step: CallStep, scope: _Scope, around: _Around) -> None:
        value = self._lookup(step.target, scope)
        dotted = value.dotted if isinstance(value, _External) else step.target
        if dotted in _DYNAMIC:
            self._dynamic(step, scope, around)
            return
        self._load_model(step, value, scope, around)
        if around.when is When.LATER:  # every function is entered by itself
            return
        if dotted in ("uvicorn.run", "uvicorn.Config") and isinstance(value, _External):
            self._served(step, scope, around)
        if dotted in ("django.setup", "django.core.wsgi.get_wsgi_application",
                      "django.core.asgi.get_asgi_application"):  # fmt: skip
            self._setup_from = self._setup_from or scope.module
        if dotted.rpartition(".")[2] == "autodiscover_tasks":
            self.notes.append(
                f"{scope.module.path}:{step.line}: Celery looks for modules of tasks by itself; "
                "they are not counted"
            )
        self.call(value, around, owner=self._owner(step.target, scope))
        names: list[str] = []
        if dotted in _RUN_NOW:
            names += filter(None, step.names[:1])
        for key, word in step.words:
            if key in _CALLBACK_WORDS:
                inner = word if isinstance(word, tuple) else (word,)
                names += [item.dotted for item in inner if isinstance(item, Name)]
        for name in names:
            self.call(self._lookup(name, scope), around, owner=self._owner(name, scope))

    def _load_model(self, step: CallStep, value: object, scope: _Scope, around: _Around) -> None:
        """Record the files that a call loads, if it is one that loads a model."""
        loader = value.dotted if isinstance(value, _External) else ""
        if loader not in loads.LOADERS:
            return
        when = around.when if step.sure else When.LATER
        module = scope.module
        for written in loads.given(loader, step):
            text = self._text(written, scope) if written is not None else None
            path = loads.in_project(text, self._process.folder) if text else ""
            place = f"{module.path}:{step.line}"
            key = (path, "" if path else place)
            known = self._models.get(key)
            full = known is None and len(self._models) >= _MOST_MODELS
            if full and when is not When.LATER:
                reason = f"it loads more than {_MOST_MODELS} models: the others are not counted"
                self.note_unread(place, reason, when)
            if full or (known is not None and _RANKS[known.when] <= _RANKS[when]):
                continue
            self._models[key] = LoadedModel(
                path=path, loader=loader.replace("()", ""), place=place, chain=module.chain,
                when=when, mapped=loads.maps(loader, step),
            )  # fmt: skip

    def _owner(self, target: str, scope: _Scope) -> _Instance | None:
        """Return the instance whose method a dotted name is."""
        head, _, _ = target.rpartition(".")
        value = self._lookup(head, scope) if head else None
        return value if isinstance(value, _Instance) else None

    def call(self, value: object, around: _Around, owner: _Instance | None = None) -> None:
        around = _Around(around.when, around.optional, around.deep + 1)
        match value:
            case _Function(body=body):
                self._execute(body, _entered(value, owner), around, inner=True)
            case _Class():
                instance = _Instance(value)
                for name in ("__new__", "__init__"):
                    method = self.attribute(value, name)
                    if isinstance(method, _Function):
                        self.call(method, around, owner=instance)
            case _:
                pass

    def _dynamic(self, step: CallStep, scope: _Scope, around: _Around) -> None:
        place = f"{scope.module.path}:{step.line}"
        name = step.texts[0] if step.texts else None
        package = dict(step.words).get("package")
        if name is None:
            now = around if step.sure else _later(around)
            self.note_unread(place, "imports a module whose name is computed", now.when)
            return
        if name.startswith("."):
            level = len(name) - len(name.lstrip("."))
            named = package if isinstance(package, str) else None
            is_own = isinstance(package, Name) and package.dotted in ("__package__", "__name__")
            start = named or (scope.module.package if is_own else "")
            parts = start.split(".")
            name = ".".join([*parts[: len(parts) - level + 1], name.lstrip(".")])
        now = around if step.sure else _later(around)
        if all(part.isidentifier() for part in name.split(".")):
            self.import_module(name, scope.module, place, now)

    def _served(self, step: CallStep, scope: _Scope, around: _Around) -> None:
        """Follow ``uvicorn.run("app.main:app", workers=4)``, and ``uvicorn.Config`` likewise."""
        words = dict(step.words)
        place = f"{scope.module.path}:{step.line}"
        text = step.texts[0] if step.texts else words.get("app")
        if step.target.rpartition(".")[2] == "run" and words.get("reload") is not True:
            self._start_workers(words.get("workers"), place, single=not isinstance(text, str))
        if not isinstance(text, str):
            return
        module, _, attribute = text.partition(":")
        found = self.import_module(module, scope.module, place, around)
        if found is not None and found.scope is not None and words.get("factory") is True:
            self.call(self._lookup(attribute, found.scope), around)

    def _start_workers(self, number: object, place: str, *, single: bool) -> None:
        """Note the workers of ``uvicorn.run``; without a number it takes WEB_CONCURRENCY, else 1.

        Given the app itself and not its name, it stops where there would be more than one (``run``
        in uvicorn/main.py, ``Config`` in uvicorn/config.py, 0.54).
        """
        given = dict(self._process.variables).get(CONCURRENCY, "")
        if number is None and given.isascii() and given.isdigit() and len(given) < 5:
            number = int(given)
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            self._workers = Workers(fixed=number, origin=place, single=single)
        elif number is None and not given:
            self._workers = Workers(fixed=1, origin=place, variable=CONCURRENCY, single=single)
        elif not single:
            self.note_unread(place, "the number of uvicorn's workers is not known", When.START)

    # ------------------------------------------------------------- Streamlit's pages

    def _pages(self) -> None:
        self.notes.append("Streamlit runs the script when the first page is opened")

    def _later_pages(self) -> None:
        if self._process.server != "streamlit":
            return
        folder = self._process.entries[0].script.rpartition("/")[0]
        start = f"{folder}/pages/".removeprefix("/")
        pages = sorted(p for p in self._code.paths if p.startswith(start) and p.endswith(".py"))
        for path in pages[:_MOST_FILES]:
            page = _Module(name="__main__", path=path, chain=(self._process.entries[0].script,))
            self._load(page, _Around(When.LATER, is_main=True))

    # ------------------------------------------------------------- Django

    def _django(self, root: _Module) -> None:
        """Follow what ``django.setup()`` and the first request import."""
        name, place = self._settings_module()
        if name is None:
            reason = "the module of Django's settings is not known, so its apps are not counted"
            self.note_unread(self._process.place, reason, When.START)
            return
        manage = self._process.entries[0].script if self._process.entries else ""
        sources = Sources(
            folder=self._code.folder, top=self._code.top, is_present=self._code.paths.__contains__
        )
        start = manage or f"{self._folders[0]}/manage.py".removeprefix("/")
        settings = django_settings.read(name, start, sources)
        by = self._setup_from or root
        self.import_module(name, by, place, _Around(When.START))
        if settings is None:
            reason = f"{name[:_SHOWN]}, Django's settings, is {_MISSING}"
            self.note_unread(self._process.place, reason, When.START)
            return
        for folder in settings.import_folders:
            if folder not in self._folders:
                self._folders.append(folder)
        path = self._place(name, self._folders) or place
        _DjangoApps(self, settings, self._modules.get(name) or by, path).follow()

    def _settings_module(self) -> tuple[str | None, str]:
        variables = dict(self._process.variables)
        if variables.get("DJANGO_SETTINGS_MODULE"):
            return variables["DJANGO_SETTINGS_MODULE"], self._process.place
        # wsgi.py or manage.py sets a default
        for path in [*self._files, "manage.py"]:
            data = self._code.text(path) if path in self._code.paths else None
            if data is not None and b"DJANGO_SETTINGS_MODULE" in data:
                names = django_settings.module_names(data)
                if names:
                    return names[0], path
        return None, ""


def _entered(function: _Function, own: _Instance | None = None) -> _Scope:
    """Return the scope of a function's body; what it is called with is not known."""
    names: dict[str, object] = dict.fromkeys(function.body.parameters)
    return _Scope(function.scope.module, outer=function.scope, names=names, own=own)


def _later(around: _Around) -> _Around:
    return _Around(When.LATER, around.optional, around.deep, around.is_main)


def _runs_at_start(decorator: CallStep) -> bool:
    """Return whether a decorator registers what runs before the first request."""
    last = decorator.target.rpartition(".")[2]
    return last == "on_event" and decorator.texts[:1] == ("startup",)


class _DjangoApps:
    """What Django imports by the names in its settings (django/apps/registry.py, 5.2)."""

    def __init__(self, walk: _Walk, settings: DjangoSettings, by: _Module, path: str) -> None:
        self._walk, self._settings, self._by, self._path = walk, settings, by, path
        self._apps: list[str] = []  # packages

    def follow(self) -> None:
        """Import the apps with their models, then middleware; URLs with the first request."""
        walk, settings = self._walk, self._settings
        start = _Around(When.START)
        for gap in settings.gaps:
            walk.note_unread(self._path, gap, When.START)
        names = self._texts("INSTALLED_APPS")
        configs = [self._config(name) for name in names]
        self._database(start)
        for package in self._apps:
            self._submodule(package, "models", start)
        for config in configs:
            if isinstance(config, _Class):
                walk.call(walk.attribute(config, "ready"), start, owner=_Instance(config))
        if any(name.startswith("django.contrib.admin") for name in names):
            for package in self._apps:
                self._submodule(package, "admin", start)
        for name in self._texts("MIDDLEWARE"):
            self._object(name, start)
        for value in _strings(settings.get("LOGGING"), 0):
            if value.count(".") and all(part.isidentifier() for part in value.split(".")):
                self._object(value, start, known=True)
        urls = settings.get("ROOT_URLCONF")
        for option in options(urls)[:1]:
            if isinstance(option, str):
                walk.requested.append((option, self._by))
        for setting in ("REST_FRAMEWORK", "TEMPLATES", "AUTHENTICATION_BACKENDS", "CACHES",
                        "STORAGES"):  # fmt: skip
            for value in _strings(settings.get(setting), 0):
                if value.count(".") and all(part.isidentifier() for part in value.split(".")):
                    self._object(value, _Around(When.REQUEST), known=True)

    def _texts(self, name: str) -> tuple[str, ...]:
        value = options(self._settings.get(name, ()))[0]
        if not isinstance(value, tuple):
            if value is not None:
                self._walk.note_unread(self._path, f"{name} cannot be read", When.START)
            return ()
        texts = tuple(dict.fromkeys(item for item in value if isinstance(item, str)))
        if len(texts) < len(value) and not all(isinstance(item, str) for item in value):
            reason = f"{name} cannot be read in full"
            self._walk.note_unread(self._path, reason, When.START)
        return texts

    def _exists(self, dotted: str) -> bool:
        return self._walk.own(dotted) or self._walk.installed.has(dotted)

    def _import(self, dotted: str, around: _Around) -> _Module | None:
        return self._walk.import_module(dotted, self._by, self._path, around)

    def _submodule(self, package: str, name: str, around: _Around) -> None:
        if self._exists(f"{package}.{name}"):
            self._import(f"{package}.{name}", around)

    def _config(self, entry: str) -> object:
        """Import an entry of INSTALLED_APPS, a package or an AppConfig; return its own class."""
        around = _Around(When.START)
        module, _, name = entry.rpartition(".")
        if self._exists(entry) or not module:
            self._import(entry, around)
            self._apps.append(entry)
            if not self._exists(f"{entry}.apps"):
                return None
            found = self._import(f"{entry}.apps", around)
            scope = found.scope if found is not None else None
            classes = [c for c in (scope.names if scope else {}).values() if isinstance(c, _Class)]
            ready = [c for c in classes if "ready" in c.scope.names and c.scope.module is found]
            return ready[0] if ready else None
        found = self._import(module, around)
        # the AppConfig's name is the package, by convention the one above apps.py
        package = module.rpartition(".")[0] if module.endswith(".apps") else module
        self._import(package, around)
        self._apps.append(package)
        return found.scope.names.get(name) if found is not None and found.scope else None

    def _object(self, dotted: str, around: _Around, *, known: bool = False) -> None:
        """Import the module of a class or function; ``known``: only if there is such a module."""
        module = dotted.rpartition(".")[0]
        while module and not self._exists(module):
            module = module.rpartition(".")[0]
        if module and (not known or module != dotted):
            root = module.partition(".")[0]
            if known and root in self._walk.standard:
                return
            self._import(module, around)

    def _database(self, around: _Around) -> None:
        """Import the driver: the first model asks the default database for its limits."""
        databases = options(self._settings.get("DATABASES", {}))[0]
        default = databases.get("default") if isinstance(databases, dict) else None
        held = options(default)[0] if default is not None else None
        engine = held.get("ENGINE") if isinstance(held, dict) else None
        kind = options(engine)[0] if engine is not None else None
        installed = self._walk.installed
        if isinstance(kind, str):
            self._import(f"{kind}.base" if self._exists(f"{kind}.base") else kind, around)
            drivers = next((d for key, d in _DRIVERS.items() if key in kind), ())
        elif databases:
            drivers = _DRIVERS["postgresql"]
        else:
            return
        for driver in drivers:
            if installed.has(driver):
                self._import(driver, around)
                if not isinstance(kind, str):
                    self._import("django.db.backends.postgresql.base", around)
                    self._walk.notes.append(
                        f"{self._path}: a variable decides which database is used; {driver} is "
                        "counted, which is installed"
                    )
                break


_DRIVERS: dict[str, tuple[str, ...]] = {
    "postgis": ("psycopg", "psycopg2"),
    "postgresql": ("psycopg", "psycopg2"),
    "mysql": ("MySQLdb", "pymysql"),
    "oracle": ("oracledb", "cx_Oracle"),
    "mssql": ("pyodbc",),
}


def _strings(value: object, deep: int) -> list[str]:
    """Return all strings in a value of the settings."""
    found: list[str] = []
    for option in options(value)[:1]:
        if isinstance(option, str):
            found.append(option)
        elif isinstance(option, dict) and deep < 8:
            for item in option.values():
                found += _strings(item, deep + 1)
        elif isinstance(option, tuple) and deep < 8:
            for item in option:
                found += _strings(item, deep + 1)
    return found[:500]

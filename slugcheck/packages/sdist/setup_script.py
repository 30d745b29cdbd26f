"""What running a setup.py does for certain, found without running it.

Its statements are followed in order, as a build on Linux runs them: names keep the literals that
they are bound to, conditions that the target decides are taken one way, functions and modules of
the archive are followed. What cannot be evaluated is unknown, and what depends on that is passed
over. It ends with ``setup()``, or with what stops the build before.
"""

from __future__ import annotations

import ast
import builtins
import operator
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from slugcheck import reading
from slugcheck.packages.sdist.build_environment import (
    BARE_MODULES,
    PYTHON_2_BUILTINS,
    STANDARD_MODULES,
    UNIVERSAL_NEWLINES,
    Environment,
)
from slugcheck.packages.sdist.project_files import SetupCall, is_python_2, parse_setup

# Of one run; a setup.py of PyTorch's size takes some 8,000 steps. What one step looks at or makes
# is as long as the project likes: characters of texts, parts of values, nodes of the syntax tree.
# Of 147 source archives, networkx 1.11 takes the most of them: 248,544, in each of its 8 runs.
_MOST_STEPS = 40_000
_MOST_CHARACTERS = 2**20
_WHOLE_RUNS = 4  # as many may take all of that; real ones are followed some 16 times
_CHARACTERS_PER_PART, _CHARACTERS_PER_NODE = 8, 8  # as long as they take
_MOST_SOURCE_BYTES = 500_000  # of all files that are followed: parsing takes 600 times as much
_DEEPEST_CALL = 8
_MOST_PARTS = 5_000  # of a value; lists of the same list multiply
_LONGEST_MESSAGE = 160
_LONGEST_FAULT = 400
_LONGEST_PATH, _MOST_PATH_PARTS = 1_024, 64

# --------------------------------------------------------------------------- values

UNKNOWN: Final = object()


class _List(list[object]):
    """A list; ``doubtful`` once it may have been changed in a way that is not known."""

    doubtful = False


class _Dict(dict[object, object]):
    """A dict; ``doubtful`` as a list."""

    doubtful = False


@dataclass(frozen=True, slots=True)
class _Outside:
    """A name of a module that is not the archive's, by its path: ``os.environ``."""

    path: str


_NAMES = _Outside("globals()")  # or locals()


@dataclass(frozen=True, slots=True)
class _VersionInfo:
    """``sys.version_info``, of which the first two parts are known."""

    minor: int


@dataclass(frozen=True, slots=True)
class _Path:
    """A file or folder of the archive, by its path from setup.py's folder."""

    path: str


@dataclass(frozen=True, slots=True)
class Extension:
    """A C extension that is built, or else the build fails: ``sources`` as they are given."""

    sources: tuple[str, ...]


@dataclass(eq=False)
class _Function:
    node: ast.FunctionDef
    scope: _Scope

    @cached_property
    def local(self) -> frozenset[str]:
        """The names that it binds."""
        inner = (node for statement in self.node.body for node in reading.nodes(statement))
        return _bound(inner) - self.scope.file.global_names


@dataclass(eq=False, slots=True)
class _Class:
    node: ast.ClassDef
    bases: tuple[object, ...]


@dataclass(eq=False, slots=True)
class _Module:
    scope: _Scope


@dataclass(eq=False)
class _File:
    """A Python file of the archive."""

    path: str
    tree: ast.Module

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """Its syntax tree, node by node."""
        return tuple(reading.nodes(self.tree))

    @cached_property
    def bound(self) -> frozenset[str]:
        """Every name that is bound somewhere in it."""
        return _bound(self.nodes)

    @cached_property
    def global_names(self) -> frozenset[str]:
        """The names that functions bind outside of themselves."""
        found = (node for node in self.nodes if isinstance(node, ast.Global | ast.Nonlocal))
        return frozenset(name for node in found for name in node.names)

    @cached_property
    def opaque(self) -> bool:
        """Whether it may bind names that cannot be seen."""
        names = {node.id for node in self.nodes if isinstance(node, ast.Name)}
        return "*" in self.bound or not names.isdisjoint({*_BINDERS, "__builtins__"})


@dataclass(eq=False, slots=True)
class _Scope:
    file: _File
    names: dict[str, object]
    outer: _Scope | None = None
    local: frozenset[str] = frozenset()


_BINDERS = ("eval", "exec", "globals", "locals", "vars")


def _bound(nodes: Iterable[ast.AST]) -> frozenset[str]:
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return frozenset(names)


# --------------------------------------------------------------------------- the course


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a setup.py does for certain before ``setup()`` runs.

    ``fault`` says why it comes no further: "its setup.py imports imp, which Python 3.12 removed".
    ``call`` are the keywords of ``setup()``, None where it is not certain that it is called, or
    how. ``extensions`` are those that it builds, unless a command of its own decides on that.
    ``unset`` are environment variables of its own: the rest holds where they are not set.
    """

    fault: str
    unset: tuple[str, ...]
    imports: frozenset[str]
    call: SetupCall | None
    extensions: tuple[Extension, ...]


class Files:
    """The Python files of an archive, by their path from setup.py, each parsed once.

    ``steps`` and ``characters`` are what is left for all runs.
    """

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self._sources = sources
        self._files: dict[str, _File | str] = {}
        self._left = _MOST_SOURCE_BYTES
        self.steps, self.characters = _WHOLE_RUNS * _MOST_STEPS, _WHOLE_RUNS * _MOST_CHARACTERS

    def __contains__(self, path: object) -> bool:
        return path in self._sources

    def is_python_2(self, path: str, minor: int) -> bool:
        """Return True for a file that Python 2 can read, but not Python 3.``minor``."""
        found = self._parsed(path)
        return isinstance(found, str) and is_python_2(found, minor)

    def get(self, path: str) -> _File | None:
        """Return a file; None when it is not Python 3, or beyond what is followed."""
        found = self._parsed(path)
        return None if isinstance(found, str) else found

    def _parsed(self, path: str) -> _File | str:
        """Return a file, else what Python says against it."""
        if path not in self._files:
            source = self._sources[path]
            self._left -= len(source)
            tree = parse_setup(source) if self._left >= 0 else ""
            self._files[path] = tree if isinstance(tree, str) else _File(path, tree)
        return self._files[path]


def run(files: Files, environment: Environment) -> Course:
    """Follow setup.py."""
    return _Run(files, environment).course()


class _Ended(Exception):
    """Nothing that follows is certain, or nothing follows."""


class _Returned(Exception):
    def __init__(self, value: object) -> None:
        self.value = value


# Words that a build never has among the arguments of setup.py; options of its own neither.
_NEVER_ARGUMENTS = frozenset(
    "bdist_dumb bdist_egg bdist_msi bdist_rpm bdist_wininst clean publish register release sdist "
    "tag test upload upload_docs".split()
)
_KNOWN_OUTSIDE: Mapping[str, object] = {
    "os.linesep": "\n", "os.name": "posix", "os.sep": "/", "sys.byteorder": "little",
    "sys.implementation.name": "cpython", "sys.platform": "linux",
}  # fmt: skip
_KNOWN_CALLS: Mapping[str, object] = {
    "platform.python_implementation": "CPython", "platform.system": "Linux",
}  # fmt: skip
_EXITS = frozenset({"builtins.exit", "builtins.quit", "os._exit", "sys.exit"})
_OPENS = frozenset({"builtins.open", "io.open"})
_SETUPS = frozenset({"distutils.core.setup", "setuptools.setup"})
# What leaves its arguments as they are.
_HARMLESS = frozenset(
    f"builtins.{name}"
    for name in "all any bool dict enumerate filter hasattr isinstance len list map max min open "
    "print repr reversed set sorted str sum tuple type zip".split()
) | {"itertools.chain", "itertools.chain.from_iterable", "os.path.join"}
_READING_METHODS = frozenset("copy count get index items keys values".split())
_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], object]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.eq, ast.IsNot: operator.ne,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
# Where an extension may stay out of the build.
_OPTIONAL = frozenset({"optional", "py_limited_api"})
_BUILDING_METHODS = frozenset({"run", "build_extension", "build_extensions"})
_USUAL_COMMANDS = ("builtins.object", "distutils.command.", "setuptools.command.")


class _Run:
    def __init__(self, files: Files, environment: Environment) -> None:
        self._files = files
        self._environment = environment
        self._steps = min(_MOST_STEPS, files.steps)
        self._characters = min(_MOST_CHARACTERS, files.characters)
        self._certain = True
        self._depth = 0
        self._imported: dict[str, object] = {}
        self._imports: set[str] = set()
        self._unset: dict[str, None] = {}
        self._missing = ""  # the import that failed, in its handler
        self._fault = ""
        self._call: SetupCall | None = None
        self._extensions: tuple[Extension, ...] = ()

    def course(self) -> Course:
        """Follow setup.py."""
        steps, characters = self._steps, self._characters
        with suppress(_Ended, RecursionError):
            self._run_file("setup.py", "__main__")
        self._files.steps -= steps - self._steps
        self._files.characters -= characters - self._characters
        return Course(
            fault=self._fault,
            unset=tuple(self._unset),
            imports=frozenset(self._imports),
            call=self._call,
            extensions=self._extensions,
        )

    def _run_file(self, path: str, name: str) -> None:
        file = self._files.get(path)
        if file is None:
            if self._files.is_python_2(path, self._environment.minor):
                self._fail(f"its {path} is written for Python 2")
            return
        scope = _Scope(file, {"__name__": name, "__file__": _Path(path)})
        self._imported[name] = _Module(scope)
        self._block(file.tree.body, scope)

    def _spend(self, characters: int = 0) -> None:
        self._steps -= 1
        self._characters -= characters
        if self._steps < 0 or self._characters < 0:
            raise _Ended

    def _spend_parts(self, parts: Sized) -> None:
        self._characters -= _CHARACTERS_PER_PART * len(parts)
        if self._characters < 0:
            raise _Ended

    def _walked(self, node: ast.AST) -> Iterator[ast.AST]:
        for inner in reading.nodes(node):
            self._characters -= _CHARACTERS_PER_NODE
            if self._characters < 0:
                raise _Ended
            yield inner

    def _whole(self, value: object) -> bool:
        """Whether all of a value is known, and it is not too large to be looked at."""
        waiting, left = [value], _MOST_PARTS
        while waiting:
            left -= 1
            part = waiting.pop()
            if left < 0 or (isinstance(part, _List | _Dict) and part.doubtful):
                return False
            if isinstance(part, dict):
                self._spend_parts(part)
                waiting += part.values()
            elif isinstance(part, list | tuple):
                self._spend_parts(part)
                waiting += part
            elif isinstance(part, str | bytes):
                self._spend_parts(part)
            elif not (part is None or isinstance(part, bool | int | float)):
                return False
        return True

    def _truth(self, value: object) -> bool | None:
        """Whether a value is true; None where that is unknown."""
        match value:
            case _Function() | _Class() | _Module() | _VersionInfo() | _Path() | Extension():
                return True
            case _List() | _Dict() if value.doubtful:
                return None
            case list() | tuple():
                self._spend_parts(value)
                known = [item for item in value if item is not UNKNOWN]
                return bool(known) if known or not value else None
            case None | bool() | int() | float() | str() | bytes() | dict():
                return bool(value)
            case _:
                return None

    def _fail(self, text: str) -> None:
        """Note what stops the build, if it is certain to be reached."""
        if self._certain:
            self._fault = text if len(text) <= _LONGEST_FAULT else f"{text[: _LONGEST_FAULT - 1]}…"
            raise _Ended

    @contextmanager
    def _doubtfully(self, doubt: bool) -> Iterator[None]:
        before = self._certain
        self._certain = before and not doubt
        try:
            yield
        finally:
            self._certain = before

    # ------------------------------------------------------------------ statements

    def _block(self, body: Sequence[ast.stmt], scope: _Scope) -> None:
        for statement in body:
            self._statement(statement, scope)

    def _statement(self, node: ast.stmt, scope: _Scope) -> None:
        self._spend()
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node, scope)
            case ast.Assign():
                value = self._value(node.value, scope)
                for target in node.targets:
                    self._bind(target, value, scope)
            case ast.AnnAssign():
                if node.value is not None:
                    self._bind(node.target, self._value(node.value, scope), scope)
            case ast.AugAssign():
                self._add(node, scope)
            case ast.Expr():
                self._value(node.value, scope)
            case ast.If():
                self._if(node, scope)
            case ast.Try():
                self._try(node, scope)
            case ast.With():
                self._with(node, scope)
            case ast.FunctionDef():
                for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
                    self._value(default, scope)
                kept = (ast.Yield, ast.YieldFrom)  # where a call does not run its statements
                plain = not node.decorator_list and not any(
                    isinstance(inner, kept) for inner in self._walked(node)
                )
                scope.names[node.name] = _Function(node, scope) if plain else UNKNOWN
            case ast.ClassDef():
                bases = tuple(self._value(base, scope) for base in node.bases)
                scope.names[node.name] = UNKNOWN if node.decorator_list else _Class(node, bases)
            case ast.Return():
                raise _Returned(None if node.value is None else self._value(node.value, scope))
            case ast.Raise():
                self._raise(node, scope)
            case ast.Assert():
                if self._truth(self._value(node.test, scope)) is False:
                    message = None if node.msg is None else self._value(node.msg, scope)
                    self._stop(message, "always fails an assertion", scope)
            case ast.For():
                self._for(node, scope)
            case ast.Pass() | ast.Global() | ast.Nonlocal():
                pass
            case _:
                self._pass_over([node], scope)

    def _pass_over(self, nodes: Iterable[ast.stmt], scope: _Scope) -> None:
        """Go on behind statements that may have run, or not, or in part."""
        nodes = list(nodes)
        self._forget(nodes, scope)
        if any(_returns(node) for node in nodes):
            # whether what follows in the function runs is open as well
            raise _Returned(UNKNOWN)

    def _forget(self, nodes: Iterable[ast.AST], scope: _Scope) -> None:
        """Forget all that these may change.

        :raises _Ended: they may call setup().
        """
        seen: set[int] = set()
        waiting: list[tuple[ast.AST, _Scope, bool]] = [(node, scope, True) for node in nodes]
        while waiting:
            top, place, here = waiting.pop()
            for node in reading.nodes(top):
                self._spend()
                match node:
                    case ast.Name(ctx=ast.Load()):
                        value = self._find(node.id, place)
                        if isinstance(value, _List | _Dict):
                            value.doubtful = True
                        elif isinstance(value, _Function) and id(value) not in seen:
                            seen.add(id(value))
                            waiting += [(inner, value.scope, False) for inner in value.node.body]
                    case ast.Call() if _last_name(node.func) in ("setup", "run_setup"):
                        raise _Ended
                    case _:
                        pass
                for name in _bound_by(node):
                    if here or name in place.file.global_names:
                        place.names[name] = UNKNOWN

    def _if(self, node: ast.If, scope: _Scope) -> None:
        condition = self._truth(self._value(node.test, scope))
        if condition is not None:
            self._block(node.body if condition else node.orelse, scope)
        elif self._leaves(node.body, scope) and not any(map(_returns, node.body)):
            # where it runs, the build fails as well
            self._forget_calls(node.body, scope)
            self._block(node.orelse, scope)
        else:
            self._pass_over([*node.body, *node.orelse], scope)

    def _for(self, node: ast.For, scope: _Scope) -> None:
        items = self._value(node.iter, scope)
        leaves = (ast.Break, ast.Continue, ast.Return)
        plain = not node.orelse and not any(isinstance(n, leaves) for n in self._walked(node))
        if not plain or not isinstance(items, list | tuple) or not self._whole(items):
            self._pass_over([node], scope)
            return
        for item in tuple(items):
            self._bind(node.target, item, scope)
            self._block(node.body, scope)

    def _leaves(self, body: Sequence[ast.stmt], scope: _Scope) -> bool:
        """Whether statements end in one that stops the build."""
        match body[-1]:
            case ast.Raise():
                return True
            case ast.Expr(value=ast.Call(func=function)):
                with self._doubtfully(True):
                    called = self._value(function, scope)
                return isinstance(called, _Outside) and called.path in _EXITS
            case _:
                return False

    def _forget_calls(self, body: Sequence[ast.stmt], scope: _Scope) -> None:
        """End where statements may call setup() before they leave."""
        calls = [node for part in body for node in self._walked(part) if isinstance(node, ast.Call)]
        names = {_last_name(call.func) for call in calls}
        if not names.isdisjoint({"setup", "run_setup"}):
            raise _Ended
        for name in names:
            if isinstance(function := self._find(name, scope), _Function):
                self._forget(function.node.body, function.scope)

    def _try(self, node: ast.Try, scope: _Scope) -> None:
        for number, statement in enumerate(node.body if node.handlers else ()):
            missing = "" if self._succeeds(statement, scope) else self._import_outcome(statement)
            if missing is None:
                rest = [*node.body[number:], *node.handlers, *node.orelse, *node.finalbody]
                self._forget(rest, scope)
                if any(_returns(part) for part in rest):
                    raise _Returned(UNKNOWN)
                return
            if missing:
                self._handle(node, missing, scope)
                self._block(node.finalbody, scope)
                return
            self._statement(statement, scope)
        if not node.handlers:
            self._block(node.body, scope)
        self._block(node.orelse, scope)
        self._block(node.finalbody, scope)

    def _succeeds(self, statement: ast.stmt, scope: _Scope) -> bool:
        """Whether a statement binds names to what is known, which raises nothing."""
        if isinstance(statement, ast.Pass):
            return True
        if not isinstance(statement, ast.Assign):
            return False
        parts = [node for node in self._walked(statement) if isinstance(node, ast.expr)]
        plain = (ast.Constant, ast.Name, ast.Attribute, ast.List, ast.Tuple, ast.Dict)
        if not all(isinstance(node, plain) for node in parts):
            return False
        with self._doubtfully(True):
            return self._whole(self._value(statement.value, scope))

    def _import_outcome(self, statement: ast.stmt) -> str | None:
        """Return what an import lacks, "" where it succeeds, None where neither is certain."""
        match statement:
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                names = [alias.name for alias in aliases]
                imports = [(module, names)]
            case ast.Import(names=aliases):
                imports = [(alias.name, []) for alias in aliases]
            case _:
                return None
        for module, names in imports:
            for name in names or [""]:
                if lacking := self._environment.lacks(module, name):
                    return lacking
            if not self._environment.has(module, names):
                return None
        return ""

    def _handle(self, node: ast.Try, missing: str, scope: _Scope) -> None:
        for handler in node.handlers:
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            if not any(kind is None or _last_name(kind) in _IMPORT_ERRORS for kind in kinds):
                continue
            before, self._missing = self._missing, missing
            if handler.name:
                scope.names[handler.name] = UNKNOWN
            try:
                self._block(handler.body, scope)
            finally:
                self._missing = before
            return
        self._fail(f"its {scope.file.path} imports {missing}")

    def _with(self, node: ast.With, scope: _Scope) -> None:
        opens = True  # anything else may keep exceptions to itself
        for item in node.items:
            self._value(item.context_expr, scope)
            call = item.context_expr
            opens &= isinstance(call, ast.Call) and _last_name(call.func) == "open"
            if item.optional_vars is not None:
                self._bind(item.optional_vars, UNKNOWN, scope)
        if opens:
            self._block(node.body, scope)
        else:
            self._pass_over(node.body, scope)

    def _raise(self, node: ast.Raise, scope: _Scope) -> None:
        raised = node.exc
        if isinstance(raised, ast.Call):
            arguments = [self._value(argument, scope) for argument in raised.args]
            name = _last_name(raised.func)
            message = arguments[0] if arguments else None
        else:
            name, message = _last_name(raised) if raised is not None else "", None
        if name == "SystemExit":
            self._exit(message, scope)
        self._stop(message, f"always raises {name or 'an error'}", scope)

    def _exit(self, status: object, scope: _Scope) -> None:
        # 0 is no failure, and what is computed may be what setup() returned
        if isinstance(status, str | int) and status:
            self._stop(status, "always exits with an error", scope)
        raise _Ended

    def _stop(self, message: object, otherwise: str, scope: _Scope) -> None:
        path = scope.file.path
        if self._missing:
            self._fail(f"its {path} imports {self._missing}")
        said = message if isinstance(message, str) else ""
        line = next((" ".join(part.split()) for part in said.splitlines() if part.strip()), "")
        if len(line) > _LONGEST_MESSAGE:
            line = f"{line[: _LONGEST_MESSAGE - 1]}…"
        self._fail(f'its {path} stops with "{line}"' if line else f"its {path} {otherwise}")
        raise _Ended

    # ------------------------------------------------------------------ names

    def _bind(self, target: ast.expr, value: object, scope: _Scope) -> None:
        match target:
            case ast.Name():
                outer = target.id in scope.file.global_names
                scope.names[target.id] = UNKNOWN if outer else value
                if outer:  # in whichever scope it is
                    place: _Scope | None = scope
                    while place is not None:
                        place.names[target.id] = UNKNOWN
                        place = place.outer
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                items = value if isinstance(value, list | tuple) and self._whole(value) else ()
                plain = len(items) == len(parts)
                for part, item in zip(
                    parts, items if plain else [UNKNOWN] * len(parts), strict=True
                ):
                    self._bind(part, item, scope)
            case ast.Starred():
                self._bind(target.value, UNKNOWN, scope)
            case ast.Subscript():
                base, key = self._value(target.value, scope), self._value(target.slice, scope)
                if isinstance(base, _Dict) and isinstance(key, str):
                    base[key] = value
                elif isinstance(base, _List | _Dict):
                    base.doubtful = True
                elif base == _NAMES:
                    self._forget_data(scope)
            case ast.Attribute():
                self._value(target.value, scope)
            case _:
                pass

    def _add(self, node: ast.AugAssign, scope: _Scope) -> None:
        value = self._value(node.value, scope)
        if isinstance(node.target, ast.Name):
            before = self._find(node.target.id, scope)
            added = isinstance(node.op, ast.Add)
            if isinstance(before, _List) and added:
                self._extend(before, value)
            else:
                made = self._sum(before, value) if added else UNKNOWN
                self._bind(node.target, made, scope)
        else:
            self._forget([node.target], scope)

    def _extend(self, items: _List, value: object) -> None:
        if isinstance(value, list | tuple):
            self._spend(len(value))
            items.doubtful |= isinstance(value, _List) and value.doubtful
            items.extend(value)
        else:
            items.append(UNKNOWN)

    def _find(self, name: str, scope: _Scope) -> object:
        place: _Scope | None = scope
        while place is not None:
            if name in place.names:
                return place.names[name]
            if name in place.local:
                return UNKNOWN
            place = place.outer
        if name in scope.file.bound or "*" in scope.file.bound:
            return UNKNOWN
        return _Outside(f"builtins.{name}") if hasattr(builtins, name) else UNKNOWN

    def _forget_data(self, scope: _Scope) -> None:
        """Forget what code that cannot be seen may have bound anew."""
        place: _Scope | None = scope
        while place is not None:
            self._spend_parts(place.names)
            for name, value in place.names.items():
                if not isinstance(value, _Function | _Class | _Module | _Outside):
                    place.names[name] = UNKNOWN
            place = place.outer

    def _name(self, name: str, scope: _Scope) -> object:
        value = self._find(name, scope)
        unbound = value is UNKNOWN and not (name in scope.file.bound or scope.file.opaque)
        if unbound and name in PYTHON_2_BUILTINS:
            self._fail(f"its {scope.file.path} uses {name}, which Python 3 does not have")
        return value

    # ------------------------------------------------------------------ imports

    def _import(self, node: ast.Import | ast.ImportFrom, scope: _Scope) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                module = self._load(alias.name, "", scope)
                top = alias.name.partition(".")[0]
                if alias.asname is None and isinstance(module, _Outside):
                    module = _Outside(top)
                elif alias.asname is None:
                    module = self._imported.get(top, UNKNOWN)
                self._bind(ast.Name(alias.asname or top, ast.Store()), module, scope)
            return
        base = node.module or ""
        if node.level:
            base = self._absolute(node, scope)
        for alias in node.names:
            value = self._load(base, alias.name, scope) if base else UNKNOWN
            if isinstance(value, _Outside):
                value = self._of_outside(f"{value.path}.{alias.name}", scope)
            elif isinstance(value, _Module):
                value = self._of_module(value, base, alias.name, scope)
            if alias.name != "*":
                self._bind(ast.Name(alias.asname or alias.name, ast.Store()), value, scope)

    def _absolute(self, node: ast.ImportFrom, scope: _Scope) -> str:
        """Return the dotted name of a relative import; "" where it leads out of its package."""
        folders = scope.file.path.split("/")[: -node.level]
        return ".".join([*folders, *([node.module] if node.module else [])]) if folders else ""

    def _load(self, module: str, name: str, scope: _Scope) -> object:
        """Return a module that is imported, and follow it if it is the archive's own."""
        if len(module) > _LONGEST_PATH:
            return UNKNOWN
        top = module.partition(".")[0]
        if self._certain:
            self._imports.add(top)
        if self._path_of(top) and top not in STANDARD_MODULES | BARE_MODULES:
            return self._own(module)
        if reason := self._environment.lacks(module, name):
            self._fail(f"its {scope.file.path} imports {reason}")
        return UNKNOWN if top in self._environment.own else _Outside(module)

    def _own(self, module: str) -> object:
        """Run a module of the archive, and the packages above it, each once."""
        parts = module.split(".")
        loaded: object = UNKNOWN
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[:count])
            if name not in self._imported:
                path = self._path_of(name)
                if not path or self._depth >= _DEEPEST_CALL or not self._certain:
                    return UNKNOWN
                self._depth += 1
                self._run_file(path, name)
                self._depth -= 1
            loaded = self._imported.get(name, UNKNOWN)
        return loaded

    def _path_of(self, module: str) -> str:
        """Return the file of a module beside setup.py, "" if there is none."""
        stem = module.replace(".", "/")
        places = (f"{stem}/__init__.py", f"{stem}.py")
        return next((path for path in places if path in self._files), "")

    def _of_module(self, module: _Module, base: str, name: str, scope: _Scope) -> object:
        if name in module.scope.names:
            return module.scope.names[name]
        path = f"{base}.{name}"
        return self._load(path, "", scope) if self._path_of(path) else UNKNOWN

    def _of_outside(self, path: str, scope: _Scope) -> object:
        if len(path) > _LONGEST_PATH:
            return UNKNOWN
        if path == "sys.version_info":
            return _VersionInfo(self._environment.minor)
        if reason := self._environment.removed(path):
            self._fail(f"its {scope.file.path} uses {path}, which {reason} removed")
        return _KNOWN_OUTSIDE.get(path, _Outside(path))

    # ------------------------------------------------------------------ values

    def _value(self, node: ast.expr, scope: _Scope) -> object:
        """Return the value of an expression, and follow the calls in it."""
        self._spend()
        match node:
            case ast.Constant():
                return node.value
            case ast.Name(ctx=ast.Load()):
                return self._name(node.id, scope)
            case ast.Tuple() | ast.Set():
                return tuple(self._items(node.elts, scope))
            case ast.List():
                return _List(self._items(node.elts, scope))
            case ast.Dict():
                return self._dict(node, scope)
            case ast.Attribute():
                return self._attribute(self._value(node.value, scope), node.attr, scope)
            case ast.Subscript():
                return self._subscript(node, scope)
            case ast.Call():
                return self._called(node, scope)
            case ast.BoolOp():
                return self._junction(node, scope)
            case ast.UnaryOp():
                truth = self._truth(self._value(node.operand, scope))
                return not truth if isinstance(node.op, ast.Not) and truth is not None else UNKNOWN
            case ast.Compare():
                return self._compared(node, scope)
            case ast.IfExp():
                condition = self._truth(self._value(node.test, scope))
                with self._doubtfully(condition is None):
                    values = [
                        self._value(branch, scope)
                        for branch, taken in ((node.body, True), (node.orelse, False))
                        if condition is None or condition is taken
                    ]
                return values[0] if condition is not None else UNKNOWN
            case ast.BinOp():
                left, right = self._value(node.left, scope), self._value(node.right, scope)
                if isinstance(node.op, ast.Div) and isinstance(left, _Path):
                    return _joined([left, right])
                return self._sum(left, right) if isinstance(node.op, ast.Add) else UNKNOWN
            case ast.JoinedStr():
                parts = [self._value(part, scope) for part in node.values]
                texts = [part for part in parts if isinstance(part, str)]
                self._spend(sum(map(len, texts)))
                return "".join(texts) if len(texts) == len(parts) else UNKNOWN
            case ast.FormattedValue():
                value = self._value(node.value, scope)
                plain = node.format_spec is None and node.conversion == -1
                return value if plain and isinstance(value, str) else UNKNOWN
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._value(node.generators[0].iter, scope)
                self._doubt_changed(node, scope)
                return UNKNOWN
            case ast.Lambda():
                self._doubt_changed(node, scope)
                return UNKNOWN
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._value(child, scope)
                return UNKNOWN

    def _items(self, nodes: Sequence[ast.expr], scope: _Scope) -> list[object]:
        items: list[object] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                inner = self._value(node.value, scope)
                whole = isinstance(inner, list | tuple) and self._whole(inner)
                items += inner if whole and isinstance(inner, list | tuple) else [UNKNOWN]
            else:
                items.append(self._value(node, scope))
            self._spend()
        return items

    def _dict(self, node: ast.Dict, scope: _Scope) -> _Dict:
        made = _Dict()
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            key = None if key_node is None else self._value(key_node, scope)
            value = self._value(value_node, scope)
            if key_node is None and isinstance(value, _Dict):
                self._spend_parts(value)
                made.update(value)
                made.doubtful |= value.doubtful
            elif isinstance(key, str):
                made[key] = value
            else:
                made.doubtful = True
        return made

    def _attribute(self, base: object, name: str, scope: _Scope) -> object:
        match base:
            case _Outside():
                return self._of_outside(f"{base.path}.{name}", scope)
            case _Module():
                return base.scope.names.get(name, UNKNOWN)
            case _VersionInfo():
                return {"major": 3, "minor": base.minor}.get(name, UNKNOWN)
            case _Path() if name == "parent":
                return _above(base)
            case _:
                return UNKNOWN

    def _subscript(self, node: ast.Subscript, scope: _Scope) -> object:
        base = self._value(node.value, scope)
        if isinstance(node.slice, ast.Slice):
            bounds = (node.slice.lower, node.slice.upper, node.slice.step)
            start, end, step = (None if b is None else self._value(b, scope) for b in bounds)
            if base == _Outside("sys.argv"):
                return base
            if not isinstance(base, _VersionInfo) or start not in (None, 0) or step is not None:
                return UNKNOWN
            return {1: (3,), 2: (3, base.minor)}.get(end, UNKNOWN) if end in (1, 2) else UNKNOWN
        key = self._value(node.slice, scope)
        match base:
            case _Outside("sys.argv"):
                return _Outside("sys.argv[]")
            case _VersionInfo():
                return {0: 3, 1: base.minor}.get(key, UNKNOWN) if isinstance(key, int) else UNKNOWN
            case _Dict() if isinstance(key, str) and not base.doubtful:
                return base.get(key, UNKNOWN)
            case list() | tuple() if isinstance(key, int) and self._whole(base):
                return base[key] if -len(base) <= key < len(base) else UNKNOWN
            case _:
                return UNKNOWN

    def _junction(self, node: ast.BoolOp, scope: _Scope) -> object:
        decisive = isinstance(node.op, ast.Or)
        doubt = False
        value: object = UNKNOWN
        for operand in node.values:
            with self._doubtfully(doubt):
                value = self._value(operand, scope)
            truth = self._truth(value)
            if truth is decisive:
                return decisive if doubt else value
            doubt |= truth is None
        return UNKNOWN if doubt else value

    def _compared(self, node: ast.Compare, scope: _Scope) -> object:
        left, *rest = (self._value(part, scope) for part in (node.left, *node.comparators))
        if len(rest) > 1:
            return UNKNOWN
        right, kind = rest[0], node.ops[0]
        if isinstance(kind, ast.In | ast.NotIn):
            inside = self._is_in(left, right)
            return inside if inside is UNKNOWN or isinstance(kind, ast.In) else not inside
        if isinstance(left, _VersionInfo):
            return _version_compared(left, kind, right) if self._whole(right) else UNKNOWN
        if isinstance(right, _VersionInfo):
            return UNKNOWN
        if _Outside("sys.argv[]") in (left, right):
            word = right if isinstance(left, _Outside) else left
            never = isinstance(word, str) and word in _NEVER_ARGUMENTS
            if never and isinstance(kind, ast.Eq | ast.NotEq):
                return isinstance(kind, ast.NotEq)
        if not (self._whole(left) and self._whole(right)) or type(kind) not in _COMPARISONS:
            return UNKNOWN
        try:
            return _COMPARISONS[type(kind)](left, right)
        except TypeError:
            return UNKNOWN

    def _is_in(self, item: object, place: object) -> object:
        if place == _Outside("os.environ"):
            return False if self._is_unset(item) else UNKNOWN
        if place == _Outside("sys.argv"):
            never = isinstance(item, str) and (item in _NEVER_ARGUMENTS or item.startswith("--"))
            return False if never else UNKNOWN
        if isinstance(item, str) and isinstance(place, str):
            self._spend(len(item) + len(place))
            return item in place
        if isinstance(place, list | tuple | dict) and self._whole(item) and self._whole(place):
            return isinstance(item, str | int) and item in place
        return UNKNOWN

    def _is_unset(self, variable: object) -> bool:
        """Take an environment variable of the project's own for not set, and note it."""
        if not isinstance(variable, str) or not self._environment.is_own_variable(variable):
            return False
        self._unset[variable] = None
        return True

    def _sum(self, left: object, right: object) -> object:
        match left, right:
            case str(), str():
                self._spend(len(left) + len(right))
                return left + right
            case tuple(), tuple():
                self._spend(len(left) + len(right))
                return left + right
            case _List(), _:
                self._spend(len(left))
                made = _List(left)
                made.doubtful = left.doubtful
                self._extend(made, right)
                return made
            case _, _List():
                self._spend(len(right))
                made = _List([UNKNOWN, *right])
                made.doubtful = right.doubtful
                return made
            case _:
                return UNKNOWN

    def _doubt_changed(self, node: ast.AST, scope: _Scope) -> None:
        """Doubt what a lambda or a comprehension changes, whenever it runs."""
        for inner in reading.nodes(node):
            self._spend()
            if isinstance(inner, ast.Attribute) and inner.attr not in _READING_METHODS:
                base = inner.value
                value = self._find(base.id, scope) if isinstance(base, ast.Name) else UNKNOWN
                if isinstance(value, _List | _Dict):
                    value.doubtful = True

    # ------------------------------------------------------------------ calls

    def _called(self, node: ast.Call, scope: _Scope) -> object:
        base: object = UNKNOWN
        if isinstance(node.func, ast.Attribute):
            base = self._value(node.func.value, scope)
            function = self._attribute(base, node.func.attr, scope)
        else:
            function = self._value(node.func, scope)
        arguments = self._items(node.args, scope)
        named = {k.arg: self._value(k.value, scope) for k in node.keywords if k.arg is not None}
        more = [self._value(k.value, scope) for k in node.keywords if k.arg is None]
        name = _last_name(node.func)
        if isinstance(function, _Function):
            return self._followed(function, node, arguments, named, open_ended=bool(more))
        own = isinstance(function, _Class)
        if name in ("setup", "run_setup") and not own:
            self._setup(function, name, named, more)
        if name == "Extension" and not own:
            return _extension(arguments, named, open_ended=bool(more))
        path = function.path if isinstance(function, _Outside) else ""
        if path in _OPENS:
            self._opened(arguments, named, scope)
        if path in _EXITS:
            if self._certain:
                self._exit(arguments[0] if arguments else None, scope)
            return UNKNOWN
        if path in ("builtins.globals", "builtins.locals", "builtins.vars") and not arguments:
            return _NAMES
        written = base == _NAMES and name not in _READING_METHODS
        if written or (_NAMES in arguments and not isinstance(base, str)):
            self._forget_data(scope)
        if path in ("builtins.eval", "builtins.exec") and len(arguments) < 2:
            self._forget_data(scope)
        if path == "glob.glob" and len(arguments) == 1 and not named:
            return self._matching(arguments[0])
        if path in ("builtins.__import__", "importlib.import_module"):
            module = arguments[0] if arguments else None
            return self._load(module, "", scope) if isinstance(module, str) else UNKNOWN
        if isinstance(base, _List | _Dict):
            return self._method(base, name, arguments, named, more)
        if path in ("os.environ.get", "os.getenv") and arguments and self._is_unset(arguments[0]):
            return arguments[1] if len(arguments) > 1 else named.get("default")
        if isinstance(base, str):
            return self._text_method(base, name, arguments)
        if isinstance(base, _Path):
            return self._of_path(name, [base, *arguments])
        if path.startswith(("os.path.", "pathlib.")) or path in ("builtins.str", "os.getcwd"):
            return self._of_path(path.rpartition(".")[2], arguments)
        if path not in _HARMLESS:
            for value in (*arguments, *named.values(), *more):
                if isinstance(value, _List | _Dict):
                    value.doubtful = True
        return self._of_builtin(path, arguments, named)

    def _of_path(self, name: str, arguments: Sequence[object]) -> object:
        """Call a function of os.path or a method of a path."""
        match name:
            case "getcwd":
                return _Path("")
            case "join" | "joinpath" | "Path" | "PurePath":
                return _joined(arguments)
            case "dirname" if arguments and isinstance(arguments[0], _Path):
                return _above(arguments[0])
            case "abspath" | "absolute" | "normpath" | "realpath" | "resolve" | "str":
                known = arguments and isinstance(arguments[0], _Path | str)
                return arguments[0] if known else UNKNOWN
            case "exists" | "is_dir" | "is_file" | "isdir" | "isfile":
                path = _joined(arguments)
                there = self._environment.exists(path.path) if isinstance(path, _Path) else None
                return UNKNOWN if there is None else there
            case _:
                return UNKNOWN

    def _matching(self, pattern: object) -> object:
        path = _joined([pattern])
        if not isinstance(path, _Path):
            return UNKNOWN
        self._spend_parts(self._environment.paths)
        found = self._environment.matching(path.path)
        return UNKNOWN if found is None else _List(found)

    def _of_builtin(
        self, path: str, arguments: Sequence[object], named: Mapping[str, object]
    ) -> object:
        first = arguments[0] if len(arguments) == 1 and not named else UNKNOWN
        match path.removeprefix("builtins."):
            case "list" | "sorted" if isinstance(first, list | tuple) and self._whole(first):
                return _List(first)
            case "tuple" if isinstance(first, list | tuple) and self._whole(first):
                return tuple(first)
            case "list" if not arguments and not named:
                return _List()
            case "dict" if not arguments:
                return _Dict(named)
            case "dict" if isinstance(first, _Dict):
                self._spend_parts(first)
                made = _Dict(first)
                made.doubtful = first.doubtful
                return made
            case "len" if isinstance(first, list | tuple | dict | str) and self._whole(first):
                return len(first)
            case "bool" if self._truth(first) is not None:
                return self._truth(first)
            case _:
                return _KNOWN_CALLS.get(path, UNKNOWN)

    def _followed(
        self,
        function: _Function,
        node: ast.Call,
        arguments: Sequence[object],
        named: Mapping[str, object],
        *,
        open_ended: bool,
    ) -> object:
        """Run a function of the archive."""
        if self._depth >= _DEEPEST_CALL or not self._certain:
            self._forget(function.node.body, function.scope)
            return UNKNOWN
        wanted = function.node.args
        places = [argument.arg for argument in (*wanted.posonlyargs, *wanted.args)]
        values: dict[str, object] = dict.fromkeys(
            [
                *places,
                *(argument.arg for argument in wanted.kwonlyargs),
                *(rest.arg for rest in (wanted.vararg, wanted.kwarg) if rest is not None),
            ],
            UNKNOWN,
        )
        if not open_ended and not any(isinstance(part, ast.Starred) for part in node.args):
            last = places[len(places) - len(wanted.defaults) :]
            with self._doubtfully(True):
                defaults = [self._value(default, function.scope) for default in wanted.defaults]
            values |= dict(zip(last, defaults, strict=True))
            values |= dict(zip(places, arguments, strict=False))
            values |= {key: value for key, value in named.items() if key in values}
        scope = _Scope(function.scope.file, values, outer=function.scope, local=function.local)
        self._depth += 1
        try:
            self._block(function.node.body, scope)
        except _Returned as returned:
            return returned.value
        finally:
            self._depth -= 1
        return None

    def _opened(
        self, arguments: Sequence[object], named: Mapping[str, object], scope: _Scope
    ) -> None:
        mode = arguments[1] if len(arguments) > 1 else named.get("mode")
        if isinstance(mode, str) and "U" in mode and self._environment.minor >= UNIVERSAL_NEWLINES:
            self._fail(
                f"its {scope.file.path} opens a file in mode {mode!r}, which Python "
                f"3.{UNIVERSAL_NEWLINES} removed"
            )

    def _method(
        self,
        base: _List | _Dict,
        name: str,
        arguments: Sequence[object],
        named: Mapping[str, object],
        more: Sequence[object],
    ) -> object:
        """Call a method of a list or a dict."""
        one = arguments[0] if len(arguments) == 1 and not named and not more else None
        if name in _READING_METHODS:
            known = name == "get" and isinstance(base, _Dict) and not base.doubtful
            if known and arguments and isinstance(arguments[0], str):
                fallback = arguments[1] if len(arguments) > 1 else None
                return base.get(arguments[0], fallback) if isinstance(base, _Dict) else UNKNOWN
            return UNKNOWN
        if not self._certain:
            base.doubtful = True
        elif isinstance(base, _List) and name == "append" and len(arguments) == 1:
            base.append(one)
        elif isinstance(base, _List) and name == "extend" and len(arguments) == 1:
            self._extend(base, one)
        elif isinstance(base, _Dict) and name == "update" and not more and (
            not arguments or isinstance(arguments[0], _Dict)
        ):  # fmt: skip
            for given in arguments:
                if isinstance(given, _Dict):
                    self._spend_parts(given)
                    base.update(given)
                    base.doubtful |= given.doubtful
            base.update(named)
        else:
            base.doubtful = True
        return UNKNOWN if name in ("pop", "setdefault", "popitem") else None

    def _text_method(self, text: str, name: str, arguments: Sequence[object]) -> object:
        if not all(map(self._whole, arguments)):
            return UNKNOWN
        self._spend(len(text))
        match name, arguments:
            case "lower" | "upper" | "strip" | "rstrip" | "lstrip", []:
                return str(getattr(text, name)())
            case "strip", [str(characters)]:
                return text.strip(characters)
            case "splitlines", []:
                return _List(text.splitlines())
            case "split", []:
                return _List(text.split())
            case "split", [str(separator)] if separator:
                return _List(text.split(separator))
            case "startswith" | "endswith", [str(part)]:
                return bool(getattr(text, name)(part))
            case "join", [list(parts) | tuple(parts)] if all(isinstance(p, str) for p in parts):
                texts = [part for part in parts if isinstance(part, str)]
                self._spend(sum(map(len, texts)) + len(text) * len(texts))
                return text.join(texts)
            case _:
                return UNKNOWN

    # ------------------------------------------------------------------ setup()

    def _setup(
        self, function: object, name: str, named: Mapping[str, object], more: Sequence[object]
    ) -> None:
        path = function.path if isinstance(function, _Outside) else ""
        if self._certain and name == "setup" and (path in _SETUPS or function is UNKNOWN):
            values = dict(named)
            open_ended = False
            for mapping in more:
                whole = isinstance(mapping, _Dict) and not mapping.doubtful
                open_ended |= not whole
                if whole and isinstance(mapping, _Dict):
                    values |= {key: value for key, value in mapping.items() if isinstance(key, str)}
            known = {key: self._settled(value) for key, value in values.items()}
            self._call = SetupCall(
                values={key: value for key, value in known.items() if value is not UNKNOWN},
                unknown=frozenset(key for key, value in known.items() if value is UNKNOWN),
                open_ended=open_ended,
            )
            if not open_ended and _builds_as_usual(values):
                built = self._call.values.get("ext_modules")
                self._extensions = tuple(
                    item for item in built or () if isinstance(item, Extension)
                ) if isinstance(built, tuple) else ()  # fmt: skip
        raise _Ended

    def _settled(self, value: object) -> object:
        """Return a value that does not change any more: lists as tuples, unknown parts in them."""
        self._spend()
        match value:
            case _List() | _Dict() if value.doubtful:
                return UNKNOWN
            case list() | tuple():
                return tuple(map(self._settled, value))
            case dict():
                return {key: self._settled(item) for key, item in value.items()}
            case None | bool() | int() | float() | str() | Extension():
                return value
            case _:
                return UNKNOWN


def _builds_as_usual(keywords: Mapping[str, object]) -> bool:
    """Whether no command of the project's own may leave its extensions out."""
    if "distclass" in keywords:
        return False
    commands = keywords.get("cmdclass", {})
    if not isinstance(commands, dict) or (isinstance(commands, _Dict) and commands.doubtful):
        return False
    return "build" not in commands and (
        "build_ext" not in commands or _is_usual(commands["build_ext"])
    )


def _is_usual(command: object) -> bool:
    """Whether a class builds extensions as those that it derives from do."""
    waiting, seen = [command], set[int]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, _Outside):
            if not one.path.startswith(_USUAL_COMMANDS):
                return False
        elif not isinstance(one, _Class):
            return False
        elif id(one) not in seen:  # bases in common make more paths than there are classes
            seen.add(id(one))
            methods = [node for node in one.node.body if isinstance(node, ast.FunctionDef)]
            if not all(map(_goes_on, (node for node in methods if node.name in _BUILDING_METHODS))):
                return False
            waiting += one.bases  # a mixin of the project's own derives from nothing
    return True


def _goes_on(method: ast.FunctionDef) -> bool:
    """Whether a method always calls the one that it overrides, and lets its exceptions pass."""
    calls = [part.value for part in method.body if isinstance(part, ast.Expr)]
    return any(
        isinstance(call, ast.Call) and _last_name(call.func) == method.name for call in calls
    ) and not any(isinstance(node, ast.Try | ast.Return) for node in reading.nodes(method))


def _extension(
    arguments: Sequence[object], named: Mapping[str, object], *, open_ended: bool
) -> object:
    sources = arguments[1] if len(arguments) > 1 else named.get("sources")
    if isinstance(sources, _List) and sources.doubtful:
        return UNKNOWN
    if open_ended or not _OPTIONAL.isdisjoint(named) or not isinstance(sources, list | tuple):
        return UNKNOWN
    return Extension(tuple(source for source in sources if isinstance(source, str)))


def _version_compared(info: _VersionInfo, kind: ast.cmpop, other: object) -> object:
    """Compare the five parts of ``sys.version_info`` with a tuple, as far as two decide."""
    if not isinstance(other, tuple) or type(kind) not in _COMPARISONS:
        return UNKNOWN
    known = (3, info.minor)
    shared = min(len(known), len(other))
    try:
        if known[:shared] != other[:shared]:
            return _COMPARISONS[type(kind)](known[:shared], other[:shared])
    except TypeError:
        return UNKNOWN
    # the longer one is greater
    return _COMPARISONS[type(kind)](1, 0) if len(other) <= len(known) else UNKNOWN


def _joined(parts: Sequence[object]) -> object:
    """Return the path that parts lead to; a build runs in setup.py's folder."""
    if len(parts) > _MOST_PATH_PARTS:
        return UNKNOWN
    texts = [part.path if isinstance(part, _Path) else part for part in parts]
    plain = [text for text in texts if isinstance(text, str) and len(text) <= _LONGEST_PATH]
    if len(plain) < len(texts) or not texts or any(text.startswith("/") for text in plain):
        return UNKNOWN
    path = posixpath.normpath("/".join(filter(None, plain)) or ".")
    outside = path.startswith(("/", ".."))
    return UNKNOWN if outside else _Path("" if path == "." else path)


def _above(path: _Path) -> object:
    return _Path(path.path.rpartition("/")[0]) if path.path else UNKNOWN


def _last_name(node: ast.AST | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _bound_by(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Name() if not isinstance(node.ctx, ast.Load):
            return (node.id,)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return (node.name,)
        case ast.alias():
            return ((node.asname or node.name).partition(".")[0],)
        case _:
            return ()


def _returns(statement: ast.AST) -> bool:
    """Whether a statement may return from the function that it stands in."""
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            return True
        if not isinstance(node, inner):
            waiting += ast.iter_child_nodes(node)
    return False

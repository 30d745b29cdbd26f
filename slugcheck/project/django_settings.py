"""Django's settings, read from their source without running it.

The values of the few settings that decide what ``collectstatic`` writes are worked out from
literals, lists that are added up, paths below ``BASE_DIR``, and imports within the checkout. What a
variable of the environment or a call of another library decides stays open: such a value is a
``Choice`` of what it can be, or ``UNKNOWN``.

A settings file is an attacker's: files are small, and the steps, the length of every value and the
number of alternatives are bounded.
"""

from __future__ import annotations

import ast
import itertools
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PurePosixPath

from slugcheck import reading
from slugcheck.project.source import parsed

ROOT = PurePosixPath("/app")  # stands for the project's folder
_MOST_STEPS = 50_000  # expressions and statements of all files together
_MOST_FILES = 30
_MOST_ALTERNATIVES = 8  # of one value
_LONGEST = 4_096  # characters of a string or a path
_MOST_ITEMS = 2_000  # of a list
_MOST_FOLDERS = 8  # that apps are imported from
_DEEPEST = 60  # expressions in each other, and imports in each other


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN = _Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that something outside the files decides: the likeliest first."""

    options: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _External:
    """A name of another library, such as ``os.path.join``, or what calling it returned."""

    dotted: str


class _TooMuch(Exception):
    """The settings are larger or deeper than any that a person writes."""


Values = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class DjangoSettings:
    """The names of a settings module, and the folders that its apps are imported from.

    ``gaps`` say what could not be read and may change anything; empty if nothing is missing.
    """

    module: str
    values: Values
    import_folders: tuple[str, ...]  # relative to the project's folder
    gaps: tuple[str, ...] = ()

    def get(self, name: str, default: object = None) -> object:
        """Return a setting, or Django's ``default`` where the module does not set it."""
        return self.values.get(name, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The files that may be read: those of the project's folder that the build will have."""

    folder: Path
    top: Path
    is_present: Callable[[str], bool]

    def text(self, path: str) -> bytes | None:
        """Return a file of the project, None where there is none or it may not be read."""
        if not self.is_present(path):
            return None
        try:
            return reading.read(self.folder / path, within=self.top, limit=reading.SMALL_FILE)
        except (OSError, reading.Refused):
            return None


def options(value: object) -> tuple[object, ...]:
    """Return what a value can be, the likeliest first."""
    return value.options if isinstance(value, Choice) else (value,)


def module_names(manage: bytes) -> tuple[str, ...]:
    """Return the settings modules that a manage.py names, in their order."""
    tree = parsed(manage)
    names: list[str] = []
    for node in reading.nodes(tree) if tree is not None else ():
        texts: list[object] = []
        if isinstance(node, ast.Call):
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            key, value = node.targets[0].slice, node.value
            texts = [part.value for part in (key, value) if isinstance(part, ast.Constant)]
        if len(texts) == 2 and texts[0] == "DJANGO_SETTINGS_MODULE" and isinstance(texts[1], str):
            names.append(texts[1])
    return tuple(dict.fromkeys(names))


def read(module: str, manage: str, sources: Sources) -> DjangoSettings | None:
    """Return the settings of a module, None if the project has no such module.

    ``manage`` is the path of manage.py, whose folder comes first in ``sys.path``.
    """
    reader = _Reader(sources, manage)
    try:
        reader.script(manage)
        values = reader.module(module, 0)
    except _TooMuch:
        return DjangoSettings(
            module=module,
            values={},
            import_folders=reader.folders,
            gaps=("the settings are too large to follow",),
        )
    if values is None:
        return None
    return DjangoSettings(
        module=module,
        values=values,
        import_folders=reader.folders,
        gaps=tuple(dict.fromkeys(reader.gaps)),
    )


def relative(path: str) -> str | None:
    """Return a path of the settings relative to the project's folder; None if it is outside.

    "" is the folder itself. A relative path starts from there, where the build runs manage.py.
    """
    whole = posixpath.normpath(posixpath.join(str(ROOT), path))
    if whole == str(ROOT):
        return ""
    return whole[len(f"{ROOT}/") :] if whole.startswith(f"{ROOT}/") else None


# --------------------------------------------------------------------------- modules


@dataclass(slots=True)
class _Scope:
    """The names of one file while it is read; ``file`` is its path in the project."""

    file: str
    package: str  # the dotted package that relative imports start from
    names: dict[str, object] = field(default_factory=dict)


class _Reader:
    def __init__(self, sources: Sources, manage: str) -> None:
        self._sources = sources
        self._folders = list(dict.fromkeys((manage.rpartition("/")[0], "")))
        self._steps = _MOST_STEPS
        self._files = _MOST_FILES
        self._done: dict[str, dict[str, object] | None] = {}
        self._open: set[str] = set()
        self.gaps: list[str] = []

    @property
    def folders(self) -> tuple[str, ...]:
        return tuple(self._folders)

    def script(self, path: str) -> None:
        """Read manage.py for the folders that it adds to ``sys.path``."""
        source = self._sources.text(path)
        tree = parsed(source) if source is not None else None
        if tree is None:
            return
        scope = _Scope(file=path, package="")
        scope.names["__file__"] = str(ROOT / path)
        body = list(tree.body)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                body += node.body
        known = len(self.gaps)
        self._block(body, scope, 0)
        del self.gaps[known:]

    def module(self, dotted: str, depth: int) -> dict[str, object] | None:
        """Return the names of a module of the project, None if the project has none."""
        if dotted in self._done:
            return self._done[dotted]
        place = self._place(dotted)
        if place is None or dotted in self._open:
            return None
        self._files -= 1
        if self._files < 0 or depth > _DEEPEST:
            raise _TooMuch
        source = self._sources.text(place)
        tree = parsed(source) if source is not None else None
        if tree is None:
            self.gaps.append(f"{place} cannot be read")
            return {}
        is_package = place.endswith("/__init__.py")
        scope = _Scope(file=place, package=dotted if is_package else dotted.rpartition(".")[0])
        scope.names |= {"__file__": str(ROOT / place), "__name__": dotted}
        self._open.add(dotted)
        self._block(tree.body, scope, depth)
        self._open.discard(dotted)
        self._done[dotted] = scope.names
        return scope.names

    def _place(self, dotted: str) -> str | None:
        if len(dotted) > _LONGEST or not all(part.isidentifier() for part in dotted.split(".")):
            return None
        path = dotted.replace(".", "/")
        for folder in self._folders:
            for ending in ("/__init__.py", ".py"):
                place = f"{folder}/{path}{ending}".removeprefix("/")
                if self._sources.is_present(place):
                    return place
        return None

    # ------------------------------------------------------------- statements

    def _block(self, body: Sequence[ast.stmt], scope: _Scope, depth: int) -> None:
        for statement in body:
            self._statement(statement, scope, depth)

    def _statement(self, node: ast.stmt, scope: _Scope, depth: int) -> None:
        self._step(depth)
        match node:
            case ast.Assign(targets=targets, value=value):
                worth = self._value(value, scope, depth)
                for target in targets:
                    self._assign(target, worth, scope, depth)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self._value(value, scope, depth), scope, depth)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                more = self._value(value, scope, depth)
                scope.names[name] = _joined(scope.names.get(name, UNKNOWN), op, more)
            case ast.If(test=test, body=body, orelse=other):
                self._branches(test, body, other, scope, depth)
            case ast.Import(names=aliases):
                for alias in aliases:
                    own = alias.asname or alias.name.partition(".")[0]
                    scope.names[own] = _External(alias.name if alias.asname else own)
            case ast.ImportFrom():
                self._import(node, scope, depth)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                self._try(body, handlers, scope, depth)
                self._block((*orelse, *final), scope, depth)
            case ast.Expr(value=ast.Call() as call):
                self._call_statement(call, scope, depth)
            case ast.With(body=body):
                self._block(body, scope, depth)
            case ast.For() | ast.While():
                for inner in reading.nodes(node):
                    self._step(depth)
                    if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                        scope.names[inner.id] = UNKNOWN
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        scope.names.pop(target.id, None)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                scope.names[name] = UNKNOWN
                if isinstance(node, ast.ClassDef) and _sets_apps(node):
                    self.gaps.append("the settings are classes, which are not read")
            case _:
                pass

    def _assign(self, target: ast.expr, value: object, scope: _Scope, depth: int) -> None:
        match target:
            case ast.Name(id=name):
                scope.names[name] = value
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                split = isinstance(value, tuple) and len(value) == len(parts)
                for number, part in enumerate(parts):
                    own = value[number] if split and isinstance(value, tuple) else UNKNOWN
                    self._assign(part, own, scope, depth)
            case ast.Subscript():
                self._assign_item(target, value, scope, depth)
            case _:
                pass

    def _assign_item(self, target: ast.Subscript, value: object, scope: _Scope, depth: int) -> None:
        """Set ``NAME[key]`` or ``NAME[key][key]``."""
        keys: list[object] = []
        node: ast.expr = target
        while isinstance(node, ast.Subscript):
            self._step(depth)
            keys.insert(0, self._value(node.slice, scope, depth))
            node = node.value
        if isinstance(node, ast.Name):
            scope.names[node.id] = _lifted(
                lambda held: _with_item(held, keys, value), scope.names.get(node.id, UNKNOWN)
            )

    def _branches(
        self,
        test: ast.expr,
        body: Sequence[ast.stmt],
        other: Sequence[ast.stmt],
        scope: _Scope,
        depth: int,
    ) -> None:
        outcome = _truth(self._value(test, scope, depth + 1))
        if outcome is not None:
            self._block(body if outcome else other, scope, depth + 1)
            return
        likely = _likely(self._value(test, scope, depth + 1))
        if _mentions_debug(test):  # a deployed app does not run in debug mode
            likely = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        first, second = (body, other) if likely else (other, body)
        before = dict(scope.names)
        self._block(first, scope, depth + 1)
        then_names, scope.names = scope.names, dict(before)
        self._block(second, scope, depth + 1)
        else_names = scope.names
        scope.names = {
            name: _either(
                then_names.get(name, before.get(name)), else_names.get(name, before.get(name))
            )
            for name in {**then_names, **else_names}
        }

    def _try(
        self,
        body: Sequence[ast.stmt],
        handlers: Sequence[ast.ExceptHandler],
        scope: _Scope,
        depth: int,
    ) -> None:
        """Read the body up to an import of a file that the build does not have."""
        for statement in body:
            if isinstance(statement, ast.ImportFrom) and self._is_absent(statement, scope):
                for handler in handlers:
                    self._block(handler.body, scope, depth + 1)
                return
            self._statement(statement, scope, depth + 1)

    def _is_absent(self, node: ast.ImportFrom, scope: _Scope) -> bool:
        dotted = _absolute(node, scope)
        inside = node.level or self._place(dotted.partition(".")[0]) is not None
        return bool(inside) and self._place(dotted) is None

    def _import(self, node: ast.ImportFrom, scope: _Scope, depth: int) -> None:
        dotted = _absolute(node, scope)
        names = self.module(dotted, depth + 1)
        everything = any(alias.name == "*" for alias in node.names)
        inside = node.level or self._place(dotted.partition(".")[0]) is not None
        if names is None and inside and (node.level or everything):
            missing = dotted if dotted else "a module"
            self.gaps.append(f"{missing} is not among the project's files")
        for alias in node.names:
            own = alias.asname or alias.name
            if alias.name == "*":
                public = {n: v for n, v in (names or {}).items() if not n.startswith("_")}
                scope.names |= public
            elif names is not None and alias.name in names:
                scope.names[own] = names[alias.name]
            elif names is None and not node.level:
                scope.names[own] = _External(f"{dotted}.{alias.name}")
            else:
                scope.names[own] = UNKNOWN

    def _call_statement(self, call: ast.Call, scope: _Scope, depth: int) -> None:
        """Follow the calls that change a list, ``sys.path`` or the whole settings."""
        match call.func:
            case ast.Attribute(
                value=ast.Name(id=name), attr="append" | "extend" | "insert" as verb
            ):
                arguments = [self._value(argument, scope, depth) for argument in call.args]
                more = arguments[-1] if arguments else UNKNOWN
                added = more if verb == "extend" else _lifted(lambda item: (item,), more)
                old = scope.names.get(name, UNKNOWN)
                front = verb == "insert" and arguments[0] == 0
                head, tail = (added, old) if front else (old, added)
                scope.names[name] = _joined(head, ast.Add(), tail)
                return
            case ast.Attribute(value=ast.Name(id=name), attr="remove"):
                gone = [self._value(argument, scope, depth) for argument in call.args]
                scope.names[name] = _lifted(
                    lambda items, item: tuple(i for i in items if i != item)
                    if isinstance(items, tuple) else UNKNOWN,
                    scope.names.get(name, UNKNOWN), gone[0] if gone else UNKNOWN,
                )  # fmt: skip
                return
            case _:
                pass
        dotted = self._dotted(call.func, scope)
        if dotted in ("sys.path.append", "sys.path.insert") and call.args:
            for option in options(self._value(call.args[-1], scope, depth)):
                folder = relative(option) if isinstance(option, str) else None
                new = folder is not None and folder not in self._folders
                if new and len(self._folders) < _MOST_FOLDERS:
                    self._folders.append(folder or "")
        elif dotted in ("django_heroku.settings", "django_on_heroku.settings"):
            self._django_heroku(call, scope, depth)
        elif dotted.startswith("split_settings.") or dotted == "include":
            self.gaps.append("the settings are split over files with include()")

    def _django_heroku(self, call: ast.Call, scope: _Scope, depth: int) -> None:
        """Apply what ``django_heroku.settings(locals())`` sets (django-heroku 0.3.1, core.py)."""
        wanted = {word.arg: self._value(word.value, scope, depth) for word in call.keywords}
        if wanted.get("staticfiles", True) is False:
            return
        base = scope.names.get("BASE_DIR", UNKNOWN)
        scope.names["STATIC_ROOT"] = _lifted(_path_join, base, "staticfiles")
        scope.names["STATICFILES_STORAGE"] = (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )

    # ------------------------------------------------------------- expressions

    def _step(self, depth: int) -> None:
        self._steps -= 1
        if self._steps < 0 or depth > _DEEPEST:
            raise _TooMuch

    def _value(self, node: ast.expr, scope: _Scope, depth: int) -> object:
        self._step(depth)
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return scope.names.get(name, UNKNOWN)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return self._items(items, scope, depth)
            case ast.Dict(keys=keys, values=values):
                return self._dict(keys, values, scope, depth)
            case ast.BinOp(left=left, op=op, right=right):
                head, tail = (
                    self._value(left, scope, depth + 1),
                    self._value(right, scope, depth + 1),
                )
                return _joined(head, op, tail)
            case ast.IfExp(test=test, body=body, orelse=other):
                outcome = _truth(self._value(test, scope, depth + 1))
                head, tail = (
                    self._value(body, scope, depth + 1),
                    self._value(other, scope, depth + 1),
                )
                return _either(head, tail) if outcome is None else head if outcome else tail
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return _lifted(lambda own: not own, self._value(operand, scope, depth + 1))
            case ast.BoolOp(op=op, values=parts):
                return self._bool(op, parts, scope, depth)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                head, tail = (
                    self._value(left, scope, depth + 1),
                    self._value(right, scope, depth + 1),
                )
                if isinstance(tail, _External):  # "DYNO" in os.environ
                    return UNKNOWN
                return _lifted(lambda a, b: _compared(a, op, b), head, tail)
            case ast.JoinedStr(values=parts):
                texts = [
                    self._value(part.value, scope, depth + 1)
                    if isinstance(part, ast.FormattedValue)
                    else self._value(part, scope, depth + 1)
                    for part in parts
                ]
                return _lifted(lambda *own: _bounded("".join(map(str, own))), *texts)
            case ast.Subscript(value=value, slice=index):
                return self._subscript(value, index, scope, depth)
            case ast.Attribute():
                return self._attribute(node, scope, depth)
            case ast.Call():
                return self._call(node, scope, depth)
            case _:
                return UNKNOWN

    def _items(self, nodes: Sequence[ast.expr], scope: _Scope, depth: int) -> object:
        value: object = ()
        for node in nodes:
            if isinstance(node, ast.Starred):
                more = self._value(node.value, scope, depth + 1)
            else:
                more = _lifted(lambda item: (item,), self._value(node, scope, depth + 1), keep=True)
            value = _joined(value, ast.Add(), more)
        return value

    def _dict(
        self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr], scope: _Scope, depth: int
    ) -> object:
        result: dict[object, object] = {}
        for key, value in zip(keys, values, strict=True):
            worth = self._value(value, scope, depth + 1)
            if key is None:
                if not isinstance(worth, dict):
                    return UNKNOWN
                result |= worth
                continue
            name = self._value(key, scope, depth + 1)
            if isinstance(name, str):
                result[name] = worth
        return result

    def _bool(self, op: ast.boolop, parts: Sequence[ast.expr], scope: _Scope, depth: int) -> object:
        values = [self._value(part, scope, depth + 1) for part in parts]
        result = values[0]
        for value in values[1:]:
            outcome = _truth(result)
            if outcome is None:
                result = _either(result, value)
            elif outcome == isinstance(op, ast.And):
                result = value
        return result

    def _subscript(self, value: ast.expr, index: ast.expr, scope: _Scope, depth: int) -> object:
        if isinstance(value, ast.Attribute) and value.attr == "parents":
            path = self._value(value.value, scope, depth + 1)
            return _lifted(_ancestor, path, self._value(index, scope, depth + 1))
        inner = self._value(value, scope, depth + 1)
        return _lifted(_item, inner, self._value(index, scope, depth + 1))

    def _attribute(self, node: ast.Attribute, scope: _Scope, depth: int) -> object:
        value = self._value(node.value, scope, depth + 1)
        if isinstance(value, _External):
            return _External(_bounded_text(f"{value.dotted}.{node.attr}"))
        match node.attr:
            case "parent":
                return _lifted(lambda path: _ancestor(path, 0), value)
            case "name":
                return _lifted(
                    lambda path: path.name if isinstance(path, PurePosixPath) else UNKNOWN, value
                )
            case "root":  # of django-environ's Path
                return _lifted(lambda path: str(path) if _is_path(path) else UNKNOWN, value)
            case _:
                return UNKNOWN

    def _dotted(self, node: ast.expr, scope: _Scope) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            self._step(0)
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        first = scope.names.get(node.id)
        if isinstance(first, _External):
            return ".".join([first.dotted, *parts])
        return "" if node.id in scope.names else ".".join([node.id, *parts])

    def _call(self, node: ast.Call, scope: _Scope, depth: int) -> object:
        arguments = [self._value(argument, scope, depth + 1) for argument in node.args]
        words = {word.arg: self._value(word.value, scope, depth + 1) for word in node.keywords}
        dotted = self._dotted(node.func, scope)
        if _is_environment(dotted):
            given = words.get("default", arguments[1] if len(arguments) > 1 else UNKNOWN)
            return UNKNOWN if given is UNKNOWN else _either(given, UNKNOWN)
        if dotted in _FUNCTIONS:
            return _lifted(_FUNCTIONS[dotted], *arguments)
        if dotted:
            return _External(_bounded_text(f"{dotted}()"))
        if not isinstance(node.func, ast.Attribute):  # django-environ: ROOT("static")
            return _lifted(_path_join_path, self._value(node.func, scope, depth + 1), *arguments)
        own = self._value(node.func.value, scope, depth + 1)
        return self._method(node.func.attr, own, arguments)

    def _method(self, name: str, own: object, arguments: Sequence[object]) -> object:
        match name:
            case "resolve" | "absolute" | "expanduser":
                return _lifted(lambda path: path if _is_path(path) else UNKNOWN, own)
            case "joinpath" | "path":
                return _lifted(_path_join_path, own, *arguments)
            case "as_posix" | "__str__":
                return _lifted(lambda path: str(path) if _is_path(path) else UNKNOWN, own)
            case "get":
                default = arguments[1] if len(arguments) > 1 else None
                return _lifted(
                    lambda held, key: held.get(key, default) if isinstance(held, dict) else UNKNOWN,
                    own, arguments[0] if arguments else UNKNOWN,
                )  # fmt: skip
            case "copy":
                return own
            case _:
                return UNKNOWN


def _absolute(node: ast.ImportFrom, scope: _Scope) -> str:
    if not node.level:
        return node.module or ""
    parts = scope.package.split(".") if scope.package else []
    parts = parts[: len(parts) - node.level + 1] if node.level > 1 else parts
    return ".".join([*parts, *([node.module] if node.module else [])])


def _is_environment(dotted: str) -> bool:
    """Whether a call reads a variable of the environment, or a file that stands for it."""
    parts = dotted.split(".")
    if dotted in ("os.environ.get", "os.getenv", "decouple.config", "prettyconf.config"):
        return True
    called = [number for number, part in enumerate(parts) if part.endswith("()")]
    return parts[0] in ("environ", "environs", "decouple", "starlette") and bool(called)


def _mentions_debug(test: ast.expr) -> bool:
    inner = test.operand if isinstance(test, ast.UnaryOp) else test
    return isinstance(inner, ast.Name) and inner.id == "DEBUG"


def _sets_apps(node: ast.ClassDef) -> bool:
    names = {
        target.id
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    return bool(names & {"INSTALLED_APPS", "STATIC_ROOT", "STATICFILES_STORAGE"})


# --------------------------------------------------------------------------- values


def _lifted(function: Callable[..., object], *values: object, keep: bool = False) -> object:
    """Return what a function makes of every combination of alternatives.

    ``keep`` hands an unknown value on to the function instead of returning it.
    """
    results: list[object] = []
    for combination in itertools.islice(
        itertools.product(*map(options, values)), _MOST_ALTERNATIVES**2
    ):
        if any(value is UNKNOWN for value in combination) and not keep:
            result: object = UNKNOWN
        else:
            try:
                result = function(*combination)
            except (TypeError, ValueError, KeyError, IndexError):
                result = UNKNOWN
        if not any(result is known or _same(result, known) for known in results):
            results.append(result)
    return _choice(results)


def _choice(results: Sequence[object]) -> object:
    if not results:
        return UNKNOWN
    if len(results) > _MOST_ALTERNATIVES:
        return Choice((*results[: _MOST_ALTERNATIVES - 1], UNKNOWN))
    return results[0] if len(results) == 1 else Choice(tuple(results))


def _either(likely: object, other: object) -> object:
    results: list[object] = []
    for value in (*options(likely), *options(other)):
        if not any(value is known or _same(value, known) for known in results):
            results.append(value)
    return _choice(results)


def _same(head: object, tail: object) -> bool:
    return type(head) is type(tail) and head == tail


def _truth(value: object) -> bool | None:
    """Return whether a value counts as true; None if that is open."""
    outcomes = {
        None if own is UNKNOWN or isinstance(own, _External) else bool(own)
        for own in options(value)
    }
    return outcomes.pop() if len(outcomes) == 1 else None


def _likely(value: object) -> bool:
    first = options(value)[0]
    return first is not UNKNOWN and not isinstance(first, _External) and bool(first)


def _joined(head: object, op: ast.operator, tail: object) -> object:
    """Return ``head`` and ``tail`` added, subtracted or joined as a path.

    A list and something unknown make a list with an unknown part.
    """
    return _lifted(lambda a, b: _operated(a, op, b), head, tail, keep=True)


def _operated(head: object, op: ast.operator, tail: object) -> object:
    if isinstance(op, ast.Add):
        first = (UNKNOWN,) if head is UNKNOWN and isinstance(tail, tuple) else head
        second = (UNKNOWN,) if tail is UNKNOWN and isinstance(head, tuple) else tail
        if isinstance(first, tuple) and isinstance(second, tuple):
            return (first + second) if len(first) + len(second) <= _MOST_ITEMS else UNKNOWN
        if isinstance(first, str) and isinstance(second, str):
            return _bounded(first + second)
    if isinstance(op, ast.Div) and isinstance(head, PurePosixPath):
        return _path_join_path(head, tail)
    if isinstance(op, ast.Sub) and isinstance(head, PurePosixPath) and isinstance(tail, int):
        return _ancestor(head, tail - 1)  # of django-environ's Path
    return UNKNOWN


def _with_item(held: object, keys: Sequence[object], value: object) -> object:
    if not isinstance(held, dict) or not keys or not isinstance(keys[0], str):
        return UNKNOWN if not isinstance(held, dict) else held
    inner = _with_item(held.get(keys[0], {}), keys[1:], value) if len(keys) > 1 else value
    return {**held, keys[0]: inner} if len(held) < _MOST_ITEMS else UNKNOWN


def _item(held: object, index: object) -> object:
    if isinstance(held, dict):
        return held.get(index, UNKNOWN)
    return held[index] if isinstance(held, tuple) and isinstance(index, int) else UNKNOWN


def _compared(head: object, op: ast.cmpop, tail: object) -> object:
    match op:
        case ast.Eq() | ast.Is():
            return head == tail
        case ast.NotEq() | ast.IsNot():
            return head != tail
        case ast.In() | ast.NotIn() if isinstance(tail, tuple) and UNKNOWN not in tail:
            return (head in tail) == isinstance(op, ast.In)
        case _:
            return UNKNOWN


def _bounded(text: str) -> object:
    return text if len(text) <= _LONGEST else UNKNOWN


def _bounded_text(text: str) -> str:
    return text[:_LONGEST]


def _is_path(value: object) -> bool:
    return isinstance(value, (str, PurePosixPath))


def _path_join(*parts: object) -> object:
    texts = [str(part) for part in parts if _is_path(part)]
    if len(texts) != len(parts) or not texts:
        return UNKNOWN
    return _bounded(posixpath.join(*texts))


def _path_join_path(*parts: object) -> object:
    if not parts or not isinstance(parts[0], PurePosixPath):
        return UNKNOWN
    joined = _path_join(*parts)
    return PurePosixPath(posixpath.normpath(joined)) if isinstance(joined, str) else UNKNOWN


def _ancestor(path: object, number: object) -> object:
    if not isinstance(path, PurePosixPath) or not isinstance(number, int):
        return UNKNOWN
    # a relative path's parent is "." however often it is asked for
    return path.parents[number] if 0 <= number < len(path.parents) else PurePosixPath("/")


def _absolute_path(path: object) -> object:
    return posixpath.normpath(posixpath.join(str(ROOT), str(path))) if _is_path(path) else UNKNOWN


def _as_path(*parts: object) -> object:
    if not parts:
        return ROOT
    joined = _path_join(*parts)
    return PurePosixPath(posixpath.normpath(joined)) if isinstance(joined, str) else UNKNOWN


def _text_of(value: object) -> object:
    return str(value) if _is_path(value) else UNKNOWN


def _sequence(value: object = ()) -> object:
    return value if isinstance(value, tuple) else UNKNOWN


def _filtered(test: object, items: object) -> object:
    """Return ``filter(None, items)``; what another test leaves is unknown."""
    if test is not None or not isinstance(items, tuple):
        return UNKNOWN
    return tuple(item for item in items if item)


_FUNCTIONS: dict[str, Callable[..., object]] = {
    "os.path.join": _path_join,
    "os.path.dirname": lambda path: posixpath.dirname(str(path)) if _is_path(path) else UNKNOWN,
    "os.path.basename": lambda path: posixpath.basename(str(path)) if _is_path(path) else UNKNOWN,
    "os.path.abspath": _absolute_path,
    "os.path.realpath": _absolute_path,
    "os.path.normpath": lambda path: posixpath.normpath(str(path)) if _is_path(path) else UNKNOWN,
    "os.path.expanduser": lambda path: path,
    "os.getcwd": lambda: str(ROOT),
    "os.fspath": _text_of,
    "pathlib.Path": _as_path,
    "pathlib.PurePath": _as_path,
    "pathlib.Path.cwd": lambda: ROOT,
    "environ.Path": _as_path,
    "unipath.Path": _as_path,
    "str": _text_of,
    "list": _sequence,
    "tuple": _sequence,
    "set": _sequence,
    "bool": bool,
    "filter": _filtered,
}


def worlds(settings: DjangoSettings, names: Sequence[str], most: int) -> Iterator[Values]:
    """Yield up to ``most`` combinations of what the settings ``names`` can be.

    The first is the likeliest. Names that the settings do not set are left out.
    """
    held = [name for name in names if name in settings.values]
    combinations = itertools.product(*(options(settings.values[name]) for name in held))
    for combination in itertools.islice(combinations, most):
        yield dict(zip(held, combination, strict=True))

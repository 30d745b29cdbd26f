"""The files that describe a project: PKG-INFO, egg-info, pyproject.toml, setup.cfg and setup.py.

They are parsed and never run. In setup.py only literals count, and names bound once to literals;
anything computed, changed or conditional is *unknown*, which callers must tell apart from *absent*.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast

from packaging.metadata import RawMetadata, parse_email
from packaging.version import InvalidVersion, Version

from slugcheck import reading
from slugcheck.packages.sdist.archive import Tree

# fmt: off
_MUTATORS = frozenset([
    "append", "extend", "insert", "remove", "pop", "clear", "update", "setdefault", "popitem",
    "sort", "reverse", "add", "discard",
])
# fmt: on
_MAX_DEPTH = 20
# Names bound to sums and lists of names multiply: what is evaluated and made has a bound.
_MAX_STEPS = 100_000
_MAX_CHARACTERS = 2**22
# Header names in a PKG-INFO; the specification has 33.
_MOST_FIELDS = 200
_BLANKS = re.compile(r"[^\S\n]{64,}")


class Project:
    """The describing files of a tree, each parsed at most once.

    ``folder`` is True for a working copy: an egg-info in one may be years old and is ignored.
    """

    def __init__(self, tree: Tree, *, folder: bool = False) -> None:
        self.tree = tree
        self.folder = folder

    @cached_property
    def pkg_info(self) -> RawMetadata:
        """PKG-INFO of the top folder, else that of the egg-info; empty when there is none."""
        places = ["PKG-INFO"] + ([f"{self.egg_info}/PKG-INFO"] if self.egg_info else [])
        for place in places:
            if place in self.tree.texts and not self.folder:
                return _metadata(self.tree.texts[place])
        return {}

    @cached_property
    def egg_info(self) -> str | None:
        """The project's own egg-info folder: the one nearest to the top."""
        if self.folder:
            return None
        folders = {
            path.rpartition("/")[0]
            for path in self.tree.texts
            if path.rpartition("/")[0].endswith(".egg-info") and path.count("/") <= 2
        }
        return min(folders, key=lambda path: (path.count("/"), path), default=None)

    def egg_text(self, name: str) -> str | None:
        """Return a text of the egg-info folder, such as ``top_level.txt``."""
        return self.text(f"{self.egg_info}/{name}") if self.egg_info else None

    def text(self, path: str) -> str | None:
        """Return a describing file as text; bytes that are no UTF-8 are replaced."""
        data = self.tree.texts.get(path)
        return None if data is None else data.decode("utf-8", errors="replace")

    @cached_property
    def pyproject(self) -> Mapping[str, Any]:
        """pyproject.toml; empty when it is absent or no TOML."""
        try:
            return reading.toml(self.text("pyproject.toml") or "")
        except ValueError:
            return {}

    def table(self, *keys: str) -> Mapping[str, Any]:
        """Return a table of pyproject.toml; empty when it is absent."""
        table: Any = self.pyproject
        for key in keys:
            table = table.get(key) if isinstance(table, dict) else None
        return cast("Mapping[str, Any]", table) if isinstance(table, dict) else {}

    @cached_property
    def backend(self) -> str:
        """The build backend's package, such as ``setuptools`` or ``hatchling``."""
        name = self.table("build-system").get("build-backend", "setuptools")
        return name.partition(".")[0].partition(":")[0] if isinstance(name, str) else "setuptools"

    @cached_property
    def setup_cfg(self) -> configparser.RawConfigParser:
        """setup.cfg; empty when it is absent or cannot be parsed."""
        parser = configparser.RawConfigParser(strict=False)
        read = read_config(parser, self.text("setup.cfg") or "")
        return parser if read else configparser.RawConfigParser()

    def cfg(self, section: str, key: str) -> str:
        """Return a value of setup.cfg; dashes and underscores in keys are alike."""
        for spelling in (key, key.replace("_", "-")):
            if self.setup_cfg.has_option(section, spelling):
                return self.setup_cfg.get(section, spelling).strip()
        return ""

    @cached_property
    def setup_call(self) -> SetupCall | None:
        """The ``setup()`` call of setup.py; None without one that can be parsed."""
        source = self.tree.texts.get("setup.py")
        return None if source is None else read_setup(source)

    @property
    def setup_keywords(self) -> SetupCall:
        """The same, without any keyword if there is no such call."""
        return self.setup_call or SetupCall()

    @cached_property
    def name(self) -> str | None:
        """The name as the project writes it."""
        stated = self._stated("name")
        return next((c.strip() for c in stated if isinstance(c, str) and c.strip()), None)

    @cached_property
    def version(self) -> Version | None:
        """The version, where it is stated plainly."""
        return next((v for v in map(parse_version, self._stated("version")) if v), None)

    def _stated(self, field: Literal["name", "version"]) -> tuple[object, ...]:
        return (
            self.pkg_info.get(field),
            self.table("project").get(field),
            self.table("tool", "poetry").get(field),
            self.cfg("metadata", field),
            self.setup_keywords.values.get(field),
        )


def _metadata(data: bytes) -> RawMetadata:
    """Return the fields of a PKG-INFO; empty when it has more than any real one.

    What follows them is left out: it may claim to be a mail of many nested parts.
    """
    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    names = {line.partition(b":")[0].lower() for line in head.split(b"\n") if line[:1].strip()}
    return parse_email(head)[0] if len(names) <= _MOST_FIELDS else {}


def read_config(parser: configparser.RawConfigParser, text: str) -> bool:
    """Read a text of sections and options; False if it is not valid.

    A long run of blanks is as good as a short one, for which configparser's expressions take less
    than quadratic time.
    """
    try:
        parser.read_string(_BLANKS.sub(" " * 8, text))
    except (configparser.Error, ValueError, AttributeError):
        return False
    return True


def texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list; a single text counts line by line."""
    if isinstance(value, str):
        return tuple(line.strip() for line in value.splitlines() if line.strip())
    if isinstance(value, list | tuple):
        return tuple(item for item in value if isinstance(item, str))
    return ()


def text_list(value: object) -> tuple[str, ...]:
    """Return the texts of a TOML array; nothing for any other value."""
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def parse_version(text: object) -> Version | None:
    """Return a version, or None if the text is not one."""
    try:
        return reading.version(text) if isinstance(text, str) else None
    except InvalidVersion:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPackages:
    """A ``find_packages()`` call whose arguments are literals."""

    where: str = "."
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    namespaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupCall:
    """The keywords of the call of ``setup()``.

    ``values`` are those that could be read, ``unknown`` those that are there but computed.
    ``open_ended`` is True when a ``**mapping`` that could not be read may add more.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    open_ended: bool = False

    def is_unknown(self, keyword: str) -> bool:
        """Return True when the keyword may have a value that cannot be read."""
        return keyword in self.unknown or (self.open_ended and keyword not in self.values)

    def has(self, keyword: str) -> bool:
        """Return True when the keyword is given, whether or not its value can be read."""
        return keyword in self.unknown or bool(self.values.get(keyword))

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Return a list-of-text keyword; a single text counts line by line."""
        return texts(self.values.get(keyword))

    def table(self, keyword: str) -> Mapping[str, object]:
        """Return a mapping keyword with text keys."""
        value = self.values.get(keyword)
        if not isinstance(value, Mapping):
            return {}
        return {key: item for key, item in value.items() if isinstance(key, str)}


class _Unknown(Exception):
    """A value that is not literal."""


def read_setup(source: bytes) -> SetupCall | None:
    """Return what the ``setup()`` call of a setup.py says.

    None when the file is not Python 3 or calls no ``setup``. Of several calls, a keyword is known
    only where all agree.
    """
    try:
        tree = reading.python(source)
        reader = _Reader(tree)
        calls = [reader.keywords(call) for call in _setup_calls(tree)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return _merged(calls) if calls else None


def parse_setup(source: bytes) -> ast.Module | str:
    """Return the syntax tree of a setup.py, else what Python 3 says against it, which may be ""."""
    try:
        return reading.python(source)
    except SyntaxError as error:
        return error.msg
    except ValueError:
        return ""


# What only Python 2 can read: the start of what Python 3 says of it, and the last that says so.
_PYTHON_2 = (
    ("Missing parentheses in call to", None),
    ("leading zeros in decimal integer literals", None),
    ("multiple exception types must be parenthesized", 13),  # PEP 758
)


def is_python_2(problem: str, minor: int) -> bool:
    """Return whether what is said against a file is said of one that only Python 2 can read.

    ``problem`` is what ``parse_setup`` returns; it is said by Python 3.``minor``.
    """
    return any(
        problem.startswith(text) and (last is None or minor <= last) for text, last in _PYTHON_2
    )


def imported(source: bytes) -> frozenset[str]:
    """Return the top-level names that a setup.py imports; none when it is not Python 3."""
    tree = parse_setup(source)
    nodes = [] if isinstance(tree, str) else list(reading.nodes(tree))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return frozenset(name.partition(".")[0] for name in names)


def _setup_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in reading.nodes(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else _name(node.func)
            if name == "setup":
                yield node


def _merged(calls: Sequence[SetupCall]) -> SetupCall:
    if len(calls) == 1:
        return calls[0]
    names = {name for call in calls for name in (*call.values, *call.unknown)}
    first = calls[0].values
    agreed = {
        name: first[name]
        for name in names
        if name in first and all(call.values.get(name) == first[name] for call in calls[1:])
    }
    return SetupCall(
        values=agreed,
        unknown=frozenset(names - set(agreed)),
        open_ended=any(call.open_ended for call in calls),
    )


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


class _Reader:
    """Evaluates literals of one module, as far as its steps reach."""

    def __init__(self, tree: ast.Module) -> None:
        self._steps = _MAX_STEPS
        self._characters = _MAX_CHARACTERS
        bound = Counter(_bindings(tree))
        self._assigned: dict[str, list[ast.expr]] = defaultdict(list)
        for name, value in _assignments(tree):
            self._assigned[name].append(value)
        changes = list(_changes(tree))
        changed = {name for name, _ in changes}
        self._nodes = {
            name: values[0]
            for name, values in self._assigned.items()
            if bound[name] == 1 and name not in changed
        }
        # names of which only single items are set: d["version"] = ...
        reshaped = {name for name, key in changes if key is None}
        self._items_set = {
            name: set[str]()
            for name, values in self._assigned.items()
            if bound[name] == len(values) and name not in reshaped
        }
        for name, key in changes:
            if key is not None and name in self._items_set:
                self._items_set[name].add(key)

    def _spend(self, made: object) -> None:
        """Count what a step has made.

        :raises _Unknown: there were too many steps, or their results are too large.
        """
        self._steps -= 1 + (len(made) if isinstance(made, tuple) else 0)
        self._characters -= len(made) if isinstance(made, str) else 0
        if self._steps < 0 or self._characters < 0:
            raise _Unknown

    def keywords(self, call: ast.Call) -> SetupCall:
        values: dict[str, object] = {}
        unknown: set[str] = set()
        open_ended = False
        for keyword in call.keywords:
            if keyword.arg is not None:
                self._take(keyword.arg, keyword.value, values, unknown)
            else:
                open_ended |= not self._take_mapping(keyword.value, values, unknown)
        return SetupCall(values=values, unknown=frozenset(unknown), open_ended=open_ended)

    def _take(
        self, name: str, node: ast.expr, values: dict[str, object], unknown: set[str]
    ) -> None:
        try:
            values[name] = self.value(node)
        except _Unknown:
            unknown.add(name)

    def _take_mapping(
        self, node: ast.expr, values: dict[str, object], unknown: set[str], depth: int = 0
    ) -> bool:
        """Read ``**node`` item by item, so that one computed item does not spoil the others.

        Returns False when it may hold items that cannot be seen.
        """
        self._steps -= 1
        if depth > _MAX_DEPTH or self._steps < 0:
            return False
        if _name(node) in self._items_set:
            return self._take_named(_name(node), values, unknown, depth)
        whole = True
        for key_node, value in _pairs(node):
            if isinstance(key_node, ast.Constant) and isinstance(key_node.value, str):
                self._take(key_node.value, value, values, unknown)
            elif key_node is None:
                whole &= self._take_mapping(value, values, unknown, depth + 1)
            else:
                whole = False
        return whole

    def _take_named(
        self, name: str, values: dict[str, object], unknown: set[str], depth: int
    ) -> bool:
        """Read a mapping bound to a name, perhaps differently in two branches."""
        later = self._items_set[name]
        branches: list[SetupCall] = []
        for node in self._assigned[name]:
            branch_values: dict[str, object] = {}
            hidden: set[str] = set()
            whole = self._take_mapping(node, branch_values, hidden, depth + 1)
            branches.append(
                SetupCall(values=branch_values, unknown=frozenset(hidden), open_ended=not whole)
            )
        agreed = _merged(branches)
        unknown |= agreed.unknown | later
        values |= {key: item for key, item in agreed.values.items() if key not in later}
        return not agreed.open_ended

    def value(self, node: ast.expr | None, depth: int = 0) -> object:
        """Return the value of a literal expression.

        :raises _Unknown: it is computed.
        """
        literal = self._value(node, depth)
        self._spend(literal)
        return literal

    def _value(self, node: ast.expr | None, depth: int) -> object:
        if depth > _MAX_DEPTH or node is None:
            raise _Unknown
        deeper = depth + 1
        match node:
            case ast.Constant():
                return _sound(node.value)
            case ast.List() | ast.Tuple() | ast.Set():
                return self._items(node.elts, deeper)
            case ast.Dict():
                keys = [self.value(key, deeper) for key in node.keys]
                values = [self.value(value, deeper) for value in node.values]
                return _mapping(keys, values)
            case ast.Name() if node.id in self._nodes:
                return self.value(self._nodes[node.id], deeper)
            case ast.BinOp(op=ast.Add()):
                return _sum(self.value(node.left, deeper), self.value(node.right, deeper))
            case ast.Call():
                return self._call(node, deeper)
            case _:
                raise _Unknown

    def _items(self, nodes: Sequence[ast.expr], depth: int) -> tuple[object, ...]:
        items: list[object] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                inner = self.value(node.value, depth)
                if not isinstance(inner, tuple):
                    raise _Unknown
                items.extend(inner)
            else:
                items.append(self.value(node, depth))
        return tuple(items)

    def _call(self, node: ast.Call, depth: int) -> object:
        function = node.func.attr if isinstance(node.func, ast.Attribute) else _name(node.func)
        if function in ("find_packages", "find_namespace_packages"):
            return self._finding_rule(node, function, depth)
        if function in ("list", "tuple", "sorted") and len(node.args) == 1 and not node.keywords:
            inner = self.value(node.args[0], depth)
            if isinstance(inner, tuple):
                return inner
        if function == "dict" and not node.args and all(k.arg for k in node.keywords):
            return {str(k.arg): self.value(k.value, depth) for k in node.keywords}
        if function in ("split", "splitlines", "strip") and isinstance(node.func, ast.Attribute):
            return _text_method(function, self.value(node.func.value, depth), node)
        raise _Unknown

    def _finding_rule(self, node: ast.Call, function: str, depth: int) -> FoundPackages:
        names = ("where", "exclude", "include")
        given = dict(zip(names, node.args, strict=False))
        for keyword in node.keywords:
            if keyword.arg not in names:
                raise _Unknown
            given[keyword.arg] = keyword.value
        values = {name: self.value(value, depth) for name, value in given.items()}
        where = values.get("where", ".")
        return FoundPackages(
            where=where if isinstance(where, str) else ".",
            include=_texts(values.get("include", ("*",))),
            exclude=_texts(values.get("exclude", ())),
            namespaces=function == "find_namespace_packages",
        )


def _sound(value: object) -> object:
    """Return a value; half a surrogate pair could not be written anywhere."""
    try:
        if isinstance(value, str):
            value.encode()
    except UnicodeEncodeError:
        raise _Unknown from None
    return value


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, tuple):
        return tuple(item for item in value if isinstance(item, str))
    raise _Unknown


def _mapping(keys: Sequence[object], values: Sequence[object]) -> dict[object, object]:
    try:
        return dict(zip(keys, values, strict=True))
    except TypeError:  # a key that cannot be hashed
        raise _Unknown from None


def _sum(left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return left + right
    raise _Unknown


def _text_method(method: str, text: object, node: ast.Call) -> object:
    arguments = [a.value for a in node.args if isinstance(a, ast.Constant)]
    plain = len(arguments) == len(node.args) <= 1 and not node.keywords
    if not isinstance(text, str) or not plain:
        raise _Unknown
    separator = arguments[0] if arguments else None
    if separator is not None and not (isinstance(separator, str) and separator):
        raise _Unknown
    if method == "strip":
        return text.strip(separator)
    return tuple(text.split(separator) if method == "split" else text.splitlines())


def _pairs(node: ast.expr) -> list[tuple[ast.expr | None, ast.expr]]:
    """Return the items of a dict display or ``dict(...)``; a key of None stands for ``**``."""
    if isinstance(node, ast.Dict):
        return list(zip(node.keys, node.values, strict=True))
    if isinstance(node, ast.Call) and _name(node.func) == "dict" and not node.args:
        return [(ast.Constant(k.arg) if k.arg else None, k.value) for k in node.keywords]
    return [(ast.Constant(None), node)]  # cannot be seen into


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in reading.nodes(tree):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))


def _bindings(tree: ast.Module) -> Iterator[str]:
    for node in reading.nodes(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


def _changes(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Yield names whose values may be changed in place, with the item where only one is set."""
    for node in reading.nodes(tree):
        if isinstance(node, ast.AugAssign):
            yield _innermost(node.target), None
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            plain = isinstance(node.value, ast.Name) and isinstance(key, str)
            yield _innermost(node.value), str(key) if plain else None
        elif isinstance(node, ast.Attribute) and node.attr in _MUTATORS:
            yield _innermost(node.value), None


def _innermost(node: ast.expr) -> str:
    # kwargs["install_requires"].append("x") changes kwargs
    while isinstance(node, ast.Subscript):
        node = node.value
    return _name(node)

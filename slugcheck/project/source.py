"""One Python file of the app, parsed and never run: what executing it imports, binds and calls.

A file becomes a ``Body``: its steps in the order in which Python would take them. Conditions that
the target decides are taken one way (``sys.version_info``, ``sys.platform``, ``TYPE_CHECKING``);
what another condition decides is marked. The syntax tree is dropped at once.

A source is a stranger's. What the parser needs grows with the number of its tokens: measured with
Python 3.11, up to 1,800 bytes of memory for each that ``tokens`` counts, 3,200 where the source has
a mistake at its end, and 12 microseconds. So that is estimated before anything is parsed.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slugcheck import reading

MOST_TOKENS = 40_000  # of one file: at most 130 MB for a moment; real ones have some thousand
_DEEPEST = 100  # statements in each other, the parser's own bound
_LONGEST_NAME = 500  # characters of a dotted name
_LONGEST_TEXT = 300  # of a literal that is kept
MOST_STEPS = 15_000  # of one file; the largest real ones have some 2,000
_WORDS = (string.ascii_letters + string.digits + "_ \t\r\f").encode() + bytes(range(128, 256))
_LINE = re.compile(
    rb"^(?:from[ \t]+[\w.]+[ \t]+import[ \t]+(?:\([^)]{0,4000}\)|[^\n#;(]{1,1000})"
    rb"|import[ \t]+[^\n#;]{1,1000})",
    re.MULTILINE,
)
_MOST_LINES = 500  # imports that are taken from a file that cannot be parsed
_CATCHES_IMPORTS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The app's own files: their paths in the project's folder that the build will have.

    ``top`` is the folder that files may be read from, a real path.
    """

    folder: Path
    top: Path
    paths: Collection[str]

    def text(self, path: str) -> bytes | None:
        """Return what is in a file; None where there is none, or it may not be read."""
        if path not in self.paths:
            return None
        try:
            return reading.read(self.folder / path, within=self.top, limit=reading.SMALL_FILE)
        except (OSError, reading.Refused):
            return None


@dataclass(frozen=True, slots=True)
class ImportStep:
    """``import a.b as c`` (one step each), or ``from ..a import b as c`` with ``level`` dots."""

    line: int
    module: str
    level: int = 0
    names: tuple[tuple[str, str], ...] = ()  # (name, bound as); none for a plain import
    bound: str = ""  # by a plain import: "a", or "c"
    sure: bool = True  # no condition that is not known decides


@dataclass(frozen=True, slots=True)
class CallStep:
    """A call of a dotted name; "()" in it is a call whose result has the next name.

    ``texts`` are its first positional arguments as far as they are literal strings, ``paths`` as
    far as they are written as paths, ``words`` its keywords with literals, dotted names or paths;
    ``Name("")`` stands for anything else, and those with None are left out.
    """

    line: int
    target: str
    texts: tuple[str | None, ...] = ()
    names: tuple[str, ...] = ()  # positional arguments that are dotted names, "" for others
    words: tuple[tuple[str, object], ...] = ()
    sure: bool = True
    paths: tuple[Written | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name as a value; one that ends in "()" is what a call returned."""

    dotted: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Paths put together by ``os.path.join`` or ``/``; by ``+`` or in an f-string if ``glued``."""

    parts: tuple[Written, ...]
    glued: bool = False


@dataclass(frozen=True, slots=True)
class Above:
    """The folder so many levels above a path: ``.parent``, ``os.path.dirname``."""

    path: Written
    levels: int


Written = str | Name | Joined | Above  # a text or a path as an expression has it


@dataclass(frozen=True, slots=True)
class BindStep:
    """``name = dotted`` or ``name = dotted()``; also ``self.name = ...``.

    ``text`` is what is bound where it is written as a text or a path; a file that is opened stands
    for its path. With neither, the name has a value that is not known.
    """

    line: int
    name: str
    value: str
    text: Written | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class DefineStep:
    """A function or a class becomes known by its name."""

    line: int
    name: str
    body: Body
    bases: tuple[str, ...] | None = None  # of a class, None for a function
    decorators: tuple[CallStep, ...] = ()


@dataclass(frozen=True, slots=True)
class TryStep:
    """A ``try``: the handlers run only if an import of the body fails.

    ``catches``: a handler goes on after a failed import.
    """

    line: int
    body: tuple[Step, ...]
    handlers: tuple[Step, ...]
    catches: bool


@dataclass(frozen=True, slots=True)
class MainStep:
    """``if __name__ == "__main__":``"""

    line: int
    body: tuple[Step, ...]
    other: tuple[Step, ...]


Step = ImportStep | CallStep | BindStep | DefineStep | TryStep | MainStep


@dataclass(eq=False, slots=True)
class Body:
    """What executing a module, a function or a class body does."""

    steps: tuple[Step, ...] = ()
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file as far as it could be read; ``failure`` says why not in full, "" if it was.

    ``tokens`` is what reading it cost, at most ``MOST_TOKENS``.
    """

    body: Body = field(default_factory=Body)
    failure: str = ""
    steps: int = 0
    tokens: int = 0


def tokens(source: bytes) -> int:
    """Return about how many tokens a source has: signs and lines, and blanks between words."""
    return len(source.translate(None, _WORDS)) + source.count(b" ") // 4


def parsed(source: bytes) -> ast.Module | None:
    """Return a source's syntax tree; None if it is not Python 3, too long or too deep."""
    tree = _parsed(source)
    return tree if isinstance(tree, ast.Module) else None


def _parsed(source: bytes) -> ast.Module | str:
    if tokens(source) > MOST_TOKENS:
        return "it is too long to be parsed"
    try:
        return reading.python(source)
    except SyntaxError as error:
        line = f"line {error.lineno}" if error.lineno else "it"
        return f"{line} cannot be read as Python"
    except ValueError as error:
        return str(error)


def read(source: bytes, *, minor: str) -> Source:
    """Return what executing a file does with Python ``minor``, such as ``3.12``, on Linux.

    Of a file that cannot be parsed, the imports that start a line are taken.
    """
    tree = _parsed(source)
    cost = min(tokens(source), MOST_TOKENS)
    if isinstance(tree, str):
        body = Body(steps=tuple(_plain_imports(source)))
        return Source(body=body, failure=tree, tokens=cost)
    reader = _Reader(tuple(int(part) for part in minor.split(".")))
    try:
        steps = tuple(reader.block(tree.body, sure=True, deep=0))
    except RecursionError:
        body = Body(steps=tuple(_plain_imports(source)))
        return Source(body=body, failure="it is too deep", tokens=cost)
    failure = "it is too long to follow" if reader.left <= 0 else ""
    count = MOST_STEPS - reader.left
    return Source(body=Body(steps=steps), failure=failure, steps=count, tokens=cost)


def _plain_imports(source: bytes) -> Iterator[ImportStep]:
    reader = _Reader((3, 0))
    for number, match in enumerate(_LINE.finditer(source)):
        if number >= _MOST_LINES:
            return
        line = source.count(b"\n", 0, match.start()) + 1
        tree = _parsed(match[0])
        for step in reader.block(tree.body, sure=True, deep=0) if not isinstance(tree, str) else ():
            if isinstance(step, ImportStep):
                yield ImportStep(line, step.module, step.level, step.names, step.bound)


class _Reader:
    def __init__(self, version: tuple[int, ...]) -> None:
        self._version = version
        self.left = MOST_STEPS

    def block(self, body: Sequence[ast.stmt], *, sure: bool, deep: int) -> Iterator[Step]:
        if deep > _DEEPEST:
            return
        for statement in body:
            for step in self._statement(statement, sure, deep):
                self.left -= 1
                if self.left <= 0:
                    return
                yield step

    def _statement(self, node: ast.stmt, sure: bool, deep: int) -> Iterator[Step]:
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    bound = alias.asname or alias.name.partition(".")[0]
                    yield ImportStep(node.lineno, alias.name, bound=bound, sure=sure)
            case ast.ImportFrom(module=module, names=aliases, level=level):
                if module != "__future__":
                    names = tuple((alias.name, alias.asname or alias.name) for alias in aliases)
                    yield ImportStep(node.lineno, module or "", level or 0, names, sure=sure)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from self._function(node, sure, deep)
            case ast.ClassDef():
                yield from self._class(node, sure, deep)
            case ast.If(test=test, body=body, orelse=other):
                yield from self._if(node, test, body, other, sure, deep)
            case ast.Try() | ast.TryStar():
                yield from self._try(node, sure, deep)
            case (
                ast.For(iter=first, body=body, orelse=other)
                | ast.AsyncFor(iter=first, body=body, orelse=other)
            ):
                yield from self._calls(first, sure)
                yield from self._unknown(node.target)
                yield from self.block([*body, *other], sure=sure, deep=deep + 1)
            case ast.While(test=first, body=body, orelse=other):
                yield from self._calls(first, sure)
                yield from self.block([*body, *other], sure=sure, deep=deep + 1)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    yield from self._calls(item.context_expr, sure)
                    if item.optional_vars is not None:
                        yield from self._bind(item.optional_vars, item.context_expr, sure)
                inner = tuple(self.block(body, sure=sure, deep=deep + 1))
                if any(_suppresses(item.context_expr) for item in items):
                    yield TryStep(node.lineno, inner, (), catches=True)
                else:
                    yield from inner
            case ast.Match(subject=subject, cases=cases):
                yield from self._calls(subject, sure)
                for case in cases:
                    yield from self.block(case.body, sure=False, deep=deep + 1)
            case ast.Assign(targets=targets, value=value):
                yield from self._calls(value, sure)
                for target in targets:
                    yield from self._bind(target, value, sure)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from self._calls(value, sure)
                yield from self._bind(target, value, sure)
            case ast.AugAssign(target=target, value=value):
                yield from self._calls(value, sure)
                yield from self._unknown(target)
            case ast.Expr(value=value):
                yield from self._calls(value, sure)
            case ast.Return(value=ast.expr() as value):
                yield from self._calls(value, sure)
            case ast.Assert(test=test):
                yield from self._calls(test, sure)
            case _:
                pass

    def _bind(self, target: ast.expr, value: ast.expr, sure: bool) -> Iterator[Step]:
        name, dotted = _dotted(target), _dotted(value)
        plain = isinstance(target, ast.Name) or name.startswith("self.")
        if not plain or name.count(".") > 1:
            yield from self._unknown(target)
            return
        text = _written(value)
        if isinstance(text, str) and any(sign.isspace() for sign in text):
            text = None  # no path of a model, and no part of one
        yield BindStep(target.lineno, name, dotted, text, sure)

    def _unknown(self, target: ast.expr) -> Iterator[Step]:
        """Yield that names get values that are not known."""
        for node in target.elts[:20] if isinstance(target, ast.Tuple | ast.List) else [target]:
            if isinstance(node, ast.Name):
                yield BindStep(node.lineno, node.id, "")

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, sure: bool, deep: int
    ) -> Iterator[Step]:
        decorators: list[CallStep] = []
        for decorator in node.decorator_list:
            yield from self._calls(decorator, sure)
            call = decorator if isinstance(decorator, ast.Call) else None
            step = self._call(call, sure) if call is not None else None
            if step is None and (dotted := _dotted(decorator)):
                step = CallStep(decorator.lineno, dotted, sure=sure)
                yield step
            if step is not None:
                decorators.append(step)
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            yield from self._calls(default, sure)
        given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        names = tuple(one.arg for one in given)
        body = Body(tuple(self.block(node.body, sure=True, deep=deep + 1)), names)
        yield DefineStep(node.lineno, node.name, body, decorators=tuple(decorators))

    def _class(self, node: ast.ClassDef, sure: bool, deep: int) -> Iterator[Step]:
        for expression in (*node.decorator_list, *node.bases):
            yield from self._calls(expression, sure)
        body = Body(tuple(self.block(node.body, sure=sure, deep=deep + 1)))
        bases = tuple(filter(None, map(_dotted, node.bases)))
        yield DefineStep(node.lineno, node.name, body, bases=bases)

    def _if(
        self,
        node: ast.If,
        test: ast.expr,
        body: Sequence[ast.stmt],
        other: Sequence[ast.stmt],
        sure: bool,
        deep: int,
    ) -> Iterator[Step]:
        if _is_main(test):
            first = tuple(self.block(body, sure=sure, deep=deep + 1))
            yield MainStep(node.lineno, first, tuple(self.block(other, sure=sure, deep=deep + 1)))
            return
        outcome = self._truth(test)
        if outcome is None:
            yield from self._calls(test, sure)
            yield from self.block([*body, *other], sure=False, deep=deep + 1)
        else:
            yield from self.block(body if outcome else other, sure=sure, deep=deep + 1)

    def _try(self, node: ast.Try | ast.TryStar, sure: bool, deep: int) -> Iterator[Step]:
        body = tuple(self.block([*node.body, *node.orelse], sure=sure, deep=deep + 1))
        catching = [handler for handler in node.handlers if _catches(handler.type)]
        handlers: list[Step] = []
        for handler in catching:
            handlers += self.block(handler.body, sure=sure, deep=deep + 1)
        goes_on = any(not _raises(handler.body) for handler in catching)
        yield TryStep(node.lineno, body, tuple(handlers), catches=goes_on)
        for handler in node.handlers:
            if handler not in catching:
                yield from self.block(handler.body, sure=False, deep=deep + 1)
        yield from self.block(node.finalbody, sure=sure, deep=deep + 1)

    # ------------------------------------------------------------- expressions

    def _calls(self, expression: ast.expr, sure: bool) -> Iterator[CallStep]:
        """Yield the calls in an expression, the inner ones first; lambdas are not entered."""
        found: list[CallStep] = []
        waiting: list[ast.AST] = [expression]
        while waiting:
            node = waiting.pop()
            kind = type(node)
            if kind in _WITHOUT_CALLS:
                continue
            if isinstance(node, ast.Call) and (step := self._call(node, sure)) is not None:
                found.append(step)
            for name in kind._fields:
                inner = getattr(node, name, None)
                if isinstance(inner, ast.AST):
                    waiting.append(inner)
                elif isinstance(inner, list):
                    waiting += [item for item in inner if isinstance(item, ast.AST)]
        yield from reversed(found)

    def _call(self, node: ast.Call, sure: bool) -> CallStep | None:
        target = _dotted(node.func)
        if not target:
            return None
        texts = tuple(map(_text, node.args[:3]))
        names = tuple(map(_dotted, node.args[:3]))
        words = tuple(
            (word.arg, value if (value := _value(word.value)) is not None else Name(""))
            for word in node.keywords[:20]
            if word.arg and not (isinstance(word.value, ast.Constant) and word.value.value is None)
        )
        paths = tuple(map(_written, node.args[:3]))
        return CallStep(node.lineno, target, texts, names, words, sure, paths)

    def _truth(self, test: ast.expr) -> bool | None:
        """Return what a condition is on the target; None where that is not known."""
        match test:
            case ast.Constant(value=value):
                return bool(value)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                outcome = self._truth(operand)
                return None if outcome is None else not outcome
            case ast.BoolOp(op=op, values=parts):
                outcomes = [self._truth(part) for part in parts[:20]]
                decisive = isinstance(op, ast.Or)
                if decisive in outcomes:
                    return decisive
                return None if None in outcomes or len(parts) > 20 else not decisive
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._comparison(_dotted(left), left, op, right)
            case ast.Call(func=ast.Attribute(attr="startswith"), args=[ast.Constant(value=str(v))]):
                known = _PLATFORM.get(_dotted(test.func).removesuffix(".startswith"))
                return None if known is None else known.startswith(v)
            case ast.Name() | ast.Attribute():
                name = _dotted(test).rpartition(".")[2]
                return {"TYPE_CHECKING": False, "PY2": False, "PY3": True}.get(name)
            case _:
                return None

    def _comparison(self, name: str, left: ast.expr, op: ast.cmpop, right: ast.expr) -> bool | None:
        if name in _PLATFORM:
            value = _value(right)
            if isinstance(value, str) and isinstance(op, ast.Eq | ast.NotEq):
                return (_PLATFORM[name] == value) == isinstance(op, ast.Eq)
            return None
        version: tuple[int, ...] = (*self._version, 99)
        if isinstance(left, ast.Subscript) and _dotted(left.value) == "sys.version_info":
            match left.slice:
                case ast.Constant(value=0):
                    return _compared(version[:1], op, _numbers(right))
                case ast.Constant(value=1):
                    return _compared(version[1:2], op, _numbers(right))
                case ast.Slice(lower=None, upper=ast.Constant(value=int(end))):
                    return _compared(version[:end], op, _numbers(right))
                case _:
                    return None
        if name == "sys.version_info":
            return _compared(version, op, _numbers(right))
        if name in ("sys.version_info.major", "sys.version_info.minor"):
            part = version[:1] if name.endswith("major") else version[1:2]
            return _compared(part, op, _numbers(right))
        return None


_WITHOUT_CALLS = frozenset({ast.Lambda, ast.Constant, ast.Name, ast.Load, ast.Store})
_PLATFORM = {
    "sys.platform": "linux", "os.name": "posix", "platform.system()": "Linux",
}  # fmt: skip


def _numbers(node: ast.expr) -> tuple[int, ...] | None:
    items = node.elts if isinstance(node, ast.Tuple) else [node]
    values = [item.value for item in items[:5] if isinstance(item, ast.Constant)]
    whole = [value for value in values if isinstance(value, int)]
    return tuple(whole) if len(whole) == len(items) else None


def _compared(head: tuple[int, ...], op: ast.cmpop, tail: tuple[int, ...] | None) -> bool | None:
    if tail is None:
        return None
    match op:
        case ast.Gt():
            return head > tail
        case ast.GtE():
            return head >= tail
        case ast.Lt():
            return head < tail
        case ast.LtE():
            return head <= tail
        case ast.Eq():
            return head == tail
        case ast.NotEq():
            return head != tail
        case _:
            return None


def _dotted(node: ast.AST) -> str:
    """Return a dotted name, "" for anything else; a call without regard to arguments is "()"."""
    parts: list[str] = []
    length = 0
    while length < _LONGEST_NAME:
        if isinstance(node, ast.Await):
            node = node.value
        elif isinstance(node, ast.Attribute):
            parts.append(f".{node.attr}")
            length += len(node.attr) + 1
            node = node.value
        elif isinstance(node, ast.Call):
            parts.append("()")
            length += 2
            node = node.func
        elif isinstance(node, ast.Name):
            return "".join([node.id, *reversed(parts)])
        else:
            break
    return ""


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value if len(node.value) <= _LONGEST_TEXT else None
    return None


def _value(node: ast.expr) -> object:
    """Return a literal, a name, a list of names or a path; None for anything else."""
    if isinstance(node, ast.Constant):
        text = isinstance(node.value, str) and len(node.value) <= _LONGEST_TEXT
        return node.value if text or isinstance(node.value, bool | int) else None
    if isinstance(node, ast.List | ast.Tuple):
        return tuple(Name(dotted) for item in node.elts[:20] if (dotted := _dotted(item)))
    written = _written(node)
    if written is not None:
        return written
    dotted = _dotted(node)
    return Name(dotted) if dotted else None


# --------------------------------------------------------------------------- paths

_DEEPEST_PATH = 12
_MOST_PARTS = 20
# what returns the path that it is given, or the file or the content at it
_FUNCTIONS = frozenset("abspath realpath normpath fspath str open BytesIO".split())
_METHODS = frozenset("resolve absolute as_posix open read read_bytes".split())
_JOINS = frozenset({"os.path.join", "path.join", "osp.join", "join"})
_CURRENT = frozenset({"os.getcwd", "getcwd", "Path.cwd", "pathlib.Path.cwd"})


def _written(node: ast.expr, deep: int = 0) -> Written | None:
    """Return a text or a path as it is put together; None for anything else."""
    if deep > _DEEPEST_PATH:
        return None
    match node:
        case ast.Constant():
            return _text(node)
        case ast.Attribute(value=value, attr="parent"):
            return _above(value, 1, deep)
        case ast.Name() | ast.Attribute():
            dotted = _dotted(node)
            return Name(dotted) if dotted and "()" not in dotted else None
        case ast.Subscript(
            value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(number))
        ) if 0 <= number < _MOST_PARTS:
            return _above(value, number + 1, deep)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _joined([left, right], deep)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined([left, right], deep, glued=True)
        case ast.JoinedStr(values=values):
            plain = [one.value if isinstance(one, ast.FormattedValue) else one for one in values]
            formatted = any(
                isinstance(one, ast.FormattedValue) and one.format_spec for one in values
            )
            return None if formatted else _joined(plain, deep, glued=True)
        case ast.Call(func=func, args=args):
            return _called(func, args, deep)
        case _:
            return None


def _called(func: ast.expr, args: Sequence[ast.expr], deep: int) -> Written | None:
    """Return the path that a call returns."""
    target = _dotted(func)
    module, _, name = target.rpartition(".")
    if target in _CURRENT or (name in ("Path", "PurePath") and not args):
        return "."
    if target in _JOINS or name in ("Path", "PurePath"):
        return _joined(args, deep)
    if name == "dirname" and len(args) == 1:
        return _above(args[0], 1, deep)
    if name in _FUNCTIONS and args and (name != "open" or module in ("", "io", "builtins")):
        return _written(args[0], deep + 1)
    if isinstance(func, ast.Attribute):
        if func.attr == "joinpath":
            return _joined([func.value, *args], deep)
        if func.attr in _METHODS:
            return _written(func.value, deep + 1)
    return None


def _joined(nodes: Sequence[ast.expr], deep: int, *, glued: bool = False) -> Written | None:
    if not 0 < len(nodes) <= _MOST_PARTS:
        return None
    parts = [part for node in nodes if (part := _written(node, deep + 1)) is not None]
    if len(parts) < len(nodes):
        return None
    return parts[0] if len(parts) == 1 else Joined(tuple(parts), glued)


def _above(node: ast.expr, levels: int, deep: int) -> Written | None:
    path = _written(node, deep + 1)
    return None if path is None else Above(path, levels)


def _is_main(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            sides = {_dotted(left) or _text(left), _dotted(right) or _text(right)}
            return sides == {"__name__", "__main__"}
        case _:
            return False


def _catches(kind: ast.expr | None) -> bool:
    """Return whether a handler of these exceptions runs after a failed import."""
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(item is None or _dotted(item) in _CATCHES_IMPORTS for item in kinds)


def _raises(body: Sequence[ast.stmt]) -> bool:
    """Return whether a handler stops the program."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.Raise):
        return True
    call = last.value if isinstance(last, ast.Expr) else None
    return isinstance(call, ast.Call) and _dotted(call.func) in ("sys.exit", "exit", "quit")


def _suppresses(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Call)
        and _dotted(expression.func) in ("suppress", "contextlib.suppress")
        and any(_dotted(item) in _CATCHES_IMPORTS for item in expression.args)
    )

"""Imports names in a fresh interpreter and books memory and CPU time for every module.

Run by path in a bare interpreter, and imports nothing but built-in modules, since what it loads
would be missing from what it measures:

    python import_probe.py MODE PATH NAME…

MODE is ``book`` (memory and CPU time of each module, and which module asks for which) or ``plain``
(nothing; only the totals before and after). PATH is put on ``sys.path``, and the NAMEs
are imported in turn. A name that is no module is taken for an attribute: ``celery.Celery`` imports
celery and looks the attribute up. A name that begins with ``exec:`` is a piece of code. A
marshalled dict goes to the file descriptor in the environment variable ``PROBE_FD``.

Books are exclusive: between two readings the growth belongs to the module whose loading began
last and has not ended. Counters are read before and after the probe's own work, so that neither
its time nor its pages are anybody's.
"""

import builtins
import marshal
import posix
import sys
import time

find_and_load = vars(sys.modules["_frozen_importlib"])["_find_and_load"]

ROOT = ""  # stands for the app itself
STATM = posix.open("/proc/self/statm", posix.O_RDONLY)


def pages() -> tuple[int, int]:
    """Return the resident anonymous and file-backed pages."""
    fields = posix.pread(STATM, 200, 0).split()
    shared = int(fields[2])
    return int(fields[1]) - shared, shared


cpu = time.process_time_ns
books: dict[str, list[int]] = {}
edges: dict[str, dict[str, None]] = {}
missing: dict[str, dict[str, None]] = {}
stack = [ROOT]
last = [0, 0, 0]


def close_book() -> None:
    """Book what has grown since the last reading to the module on top of the stack."""
    now = cpu()
    anonymous, shared = pages()
    book = books.get(stack[-1])
    if book is None:
        book = books[stack[-1]] = [0, 0, 0]
    book[0] += anonymous - last[0]
    book[1] += shared - last[1]
    book[2] += now - last[2]


def open_book() -> None:
    """Take the reading that the next growth is counted from."""
    last[0], last[1] = pages()
    last[2] = cpu()


def note(name: str) -> None:
    """Note that what is being loaded asks for a module, off the books."""
    here = edges.get(stack[-1])
    if here is not None and name in here:
        return
    close_book()
    edges.setdefault(stack[-1], {})[name] = None
    open_book()


def loading(name: str, import_: object) -> object:
    """Find and load a module, as the import machinery asks for; note who asks, book what it takes.

    What is not found is noted as missing.
    """
    note(name)
    if name in sys.modules:
        return find_and_load(name, import_)
    close_book()
    stack.append(name)
    open_book()
    try:
        return find_and_load(name, import_)
    except ModuleNotFoundError as error:
        if error.name:
            missing.setdefault(stack[-2], {})[error.name] = None
        raise
    finally:
        close_book()
        stack.pop()
        open_book()


plain_import = builtins.__import__


def noting_import(
    name: str,
    globals: dict[str, object] | None = None,
    locals: dict[str, object] | None = None,
    fromlist: tuple[object, ...] = (),
    level: int = 0,
) -> object:
    """Import as a statement does, and note it even where the module is there already."""
    if level == 0:
        full = name
    else:
        package = str((globals or {}).get("__package__") or "")
        if not package and globals:
            package = str(globals.get("__name__", ""))
            if "__path__" not in globals:
                package = package.rpartition(".")[0]
        for _ in range(level - 1):
            package = package.rpartition(".")[0]
        full = package + "." + name if name else package
    note(full)
    # a caller may give what is no name, which is then import's to refuse
    module = plain_import(name, globals, locals, fromlist, level)  # type: ignore[arg-type]
    for item in fromlist or ():
        if isinstance(item, str) and full + "." + item in sys.modules:
            note(full + "." + item)
    return module


def load(name: str) -> str | None:
    """Import a module, or look an attribute up; return what went wrong, or None."""
    try:
        if name.startswith("exec:"):
            exec(compile(name[5:], "<probe>", "exec"), {"__name__": "app"})
            return None
        parts = name.split(".")
        module, given = None, 0
        for end in range(1, len(parts) + 1):
            dotted = ".".join(parts[:end])
            try:
                __import__(dotted)
            except ModuleNotFoundError as error:
                if end == 1 or error.name != dotted:
                    raise
                break
            module, given = sys.modules[dotted], end
            if end < len(parts) and not hasattr(module, "__path__"):
                break
        for attribute in parts[given:]:
            module = getattr(module, attribute)
    except BaseException as error:  # some packages exit, or raise what is no Exception
        return type(error).__name__ + ": " + str(error)[:300]
    return None


def main() -> None:
    """Do what the command line says, and end the process."""
    mode, path, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    sys.argv[1:] = []
    sys.path[0] = path  # instead of the folder of this file
    sys.dont_write_bytecode = True
    startup = set(sys.modules)
    importlib = vars(sys.modules["_frozen_importlib"])
    pages(), cpu()
    before, began = pages(), cpu()
    failed = {}
    if mode == "book":
        importlib["_find_and_load"] = loading
        vars(builtins)["__import__"] = noting_import
        open_book()
    for name in names:
        if mode == "book":
            stack.append("=" + name)  # the name itself may be more than the modules that it loads
            open_book()
        wrong = load(name)
        if mode == "book":
            close_book()
            stack.pop()
        if wrong:
            failed[name] = wrong
    ended, after = cpu(), pages()
    importlib["_find_and_load"] = find_and_load
    builtins.__import__ = plain_import
    files = {}
    for name, module in list(sys.modules.items()):
        file = getattr(getattr(module, "__spec__", None), "origin", None)
        if not isinstance(file, str):
            file = getattr(module, "__file__", None)
        files[name] = file if isinstance(file, str) else ""
    result = {
        "before": before,
        "after": after,
        "cpu": ended - began,
        "startup": list(startup),
        "files": files,
        "failed": failed,
        "books": books,
        "edges": {name: list(targets) for name, targets in edges.items()},
        "missing": {name: list(targets) for name, targets in missing.items()},
        "threads": len(posix.listdir("/proc/self/task")),
    }
    data = marshal.dumps(result)
    out = int(posix.environ[b"PROBE_FD"])
    while data:
        data = data[posix.write(out, data) :]
    posix._exit(0)  # exit handlers of imported packages have nothing to do with it


main()

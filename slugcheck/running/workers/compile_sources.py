"""Compiles sources, never executing them, and compresses them with their bytecode.

Run by path, with nothing but the standard library: it cannot call ``project.archive``. Read on
standard input is a line of JSON, ``{"memory": bytes, "packed": bytes, "largest": bytes, "runs":
[[[path, size], …], …]}``, and the sources in that order. Written is ``{"sizes": [[bytes or null,
…], …], "paths": […], "bytecode": bytes, "gzip": bytes}``: the size of each ``.pyc`` less its path,
null for a source that does not compile; and the bytes of gzip -6 of a tar of the sources of some
runs with their bytecode. Those are evenly chosen if all together have more than ``packed`` bytes;
none are packed where even those have more than twice as many. Sources over ``largest`` are compiled
and not packed. ``memory`` limits the addresses of this process; its time is limited by whoever runs
it.
"""

import contextlib
import importlib
import json
import marshal
import struct
import sys
import tarfile
import warnings
import zlib
from importlib.util import MAGIC_NUMBER

_TIME = 1_700_000_000  # any time of a source: installed files have one
_PREFIX = "app/.heroku/python/lib/python3.11/site-packages"
_INSIDE = "./.heroku/python/lib/python3.11/site-packages"

Source = tuple[str, bytes, bytes]  # path, text, .pyc


def compiled(path: str, text: bytes) -> bytes | None:
    """Return the ``.pyc`` of a source as an installer leaves it; None if it has none."""
    try:
        code = compile(text, f"/{_PREFIX}/{path}", "exec", dont_inherit=True, optimize=0)
        content = marshal.dumps(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return MAGIC_NUMBER + struct.pack("<III", 0, _TIME, len(text)) + content


def length(path: str, content: bytes) -> int:
    """Return the bytes of a ``.pyc`` less the path in it."""
    return len(content) - len(f"/{_PREFIX}/{path}".encode("utf-8", "surrogatepass"))


def evenly(runs: list[list[Source]], most: int) -> list[Source]:
    """Return the sources of every run, or of every few: about ``most`` bytes or fewer."""
    whole = sum(len(text) + len(content) for run in runs for _, text, content in run)
    chosen = [source for run in runs[:: max(-(-whole // most), 1)] for source in run]
    return [] if sum(len(text) + len(pyc) for _, text, pyc in chosen) > 2 * most else chosen


def gzipped(sources: list[Source]) -> int:
    """Return the bytes of a compressed tar of sources and their bytecode in order of path."""
    files = []
    for path, text, content in sources:
        folder, slash, name = path.rpartition("/")
        files.append((f"{_INSIDE}/{path}", text))
        cached = f"{folder}{slash}__pycache__/{name[:-3]}.cpython-311.pyc"
        files.append((f"{_INSIDE}/{cached}", content))
    packer = zlib.compressobj(6)
    packed = 0
    for path, content in sorted(files, key=lambda file: file[0].split("/")):
        for piece in (
            header(path, len(content)),
            content,
            bytes(-len(content) % tarfile.BLOCKSIZE),
        ):
            packed += len(packer.compress(piece))
    return packed + len(packer.flush())


def header(path: str, size: int) -> bytes:
    """Return what comes before a file in a tar, as GNU tar writes it."""
    info = tarfile.TarInfo(path)
    info.size, info.mtime = size, _TIME
    info.uname = info.gname = "root"
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogatepass")


def main() -> None:
    """Answer the sources on standard input."""
    warnings.simplefilter("ignore")
    given = json.loads(sys.stdin.buffer.readline())
    # macOS has no limit of the address space, and Windows none at all
    with contextlib.suppress(ImportError, ValueError, OSError):
        resource = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (given["memory"],) * 2)
    sizes: list[list[int | None]] = []
    runs: list[list[Source]] = []
    for run in given["runs"]:
        sizes.append([])
        runs.append([])
        for path, size in run:
            text = sys.stdin.buffer.read(size)
            content = compiled(path, text)
            sizes[-1].append(None if content is None else length(path, content))
            if content is not None and size <= given["largest"]:
                runs[-1].append((path, text, content))
    chosen = evenly(runs, given["packed"])
    answer = {
        "sizes": sizes,
        "paths": [path for path, _, _ in chosen],
        "bytecode": sum(len(content) for _, _, content in chosen),
        "gzip": gzipped(chosen) if chosen else 0,
    }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()

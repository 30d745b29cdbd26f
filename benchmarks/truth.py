"""What a wheel really weighs once installed: bytecode compiled and the tree compressed, in memory.

Nothing is installed or executed. The tree is what pip leaves: the wheel's files, a ``.pyc`` beside
each source, and their rows in RECORD. It is compressed as the platform does it, tar and gzip -6,
with folders, sorted, and owner root; what is compiled is a second younger than its source, and
names its time and size as the compiler does. zlib's level 6 gives what ``gzip -6`` gives.
"""

from __future__ import annotations

import importlib.util
import io
import json
import marshal
import struct
import sys
import tarfile
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SITE_PACKAGES = "/app/.heroku/python/lib/python3.11/site-packages"
_INSIDE_SLUG = "./.heroku/python/lib/python3.11/site-packages"
_TIME = 1_700_000_000
# A large binary shares nothing with its neighbours through a window of 32 KiB: compressed alone,
# once, it serves for the tree with and without bytecode.
_ALONE = 256 * 1024
_TEXT = (".py", ".pyi", ".txt", ".js", ".json", ".css", ".html", ".po", ".mo", ".csv", ".map")


class _Counter(io.RawIOBase):
    """A sink that gzips at level 6 and keeps only the length."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(6)
        self.bytes = 18  # gzip's header and trailer

    def write(self, data: ReadableBuffer) -> int:
        view = memoryview(data)
        self.bytes += len(self._zlib.compress(view))
        return len(view)

    def finish(self) -> int:
        self.bytes += len(self._zlib.flush())
        return self.bytes


def compiled(source: bytes, path: str) -> bytes | None:
    """Return the ``.pyc`` of a source, or None if it does not compile."""
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    header = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, _TIME, len(source))
    return header + marshal.dumps(code)


def _bytecode_name(name: str) -> str:
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}__pycache__/{file[:-3]}.cpython-311.pyc"


def gzipped(files: dict[str, bytes]) -> int:
    """Return the bytes of ``tar | gzip -6`` of files by path."""
    sink = _Counter()
    seen: set[str] = set()
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(files, key=lambda name: name.split("/")):
            path = f"{_INSIDE_SLUG}/{name}"
            for folder in _folders(path):
                if folder not in seen:
                    seen.add(folder)
                    tar.addfile(_header(f"{folder}/", kind=tarfile.DIRTYPE, mode=0o755))
            data = files[name]
            tar.addfile(
                _header(path, size=len(data), later=int(name.endswith(".pyc"))), io.BytesIO(data)
            )
    return sink.finish()


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(2, len(parts))]


def _header(
    path: str,
    *,
    kind: bytes = tarfile.REGTYPE,
    mode: int = 0o644,
    size: int = 0,
    later: int = 0,
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.size, info.mtime = kind, mode, size, _TIME + later
    info.uname = info.gname = "root"
    return info


def measure(path: Path) -> dict[str, object]:
    """Return the entries of a wheel with their bytecode size, and its compressed sizes."""
    entries: list[list[object]] = []
    plain: dict[str, bytes] = {}
    pyc: dict[str, bytes] = {}
    alone: dict[str, int] = {}
    record = ""
    with zipfile.ZipFile(path) as wheel:
        for info in wheel.infolist():
            if info.is_dir():
                continue
            data = wheel.read(info)
            name = info.filename
            bytecode = None
            if name.endswith(".py"):
                bytecode = compiled(data, f"{SITE_PACKAGES}/{name}")
                if bytecode is not None:
                    pyc[_bytecode_name(name)] = bytecode
            if name.endswith(".dist-info/RECORD") and name.count("/") == 1:
                record = name
            if len(data) > _ALONE and not name.endswith(_TEXT):
                alone[name] = len(zlib.compress(data, 6))
            else:
                plain[name] = data
            stored = info.compress_type == zipfile.ZIP_STORED
            length = None if bytecode is None else len(bytecode) - len(f"{SITE_PACKAGES}/{name}")
            row = [name, info.file_size, info.compress_size, stored, info.header_offset, length]
            entries.append(row)
    large = sum(alone.values())
    without = gzipped(plain) + large
    rows = "".join(f"{name},,\r\n" for name in pyc).encode()
    full = {**plain, record: plain.get(record, b"") + rows, **pyc}
    return {
        "wheel": path.name,
        "entries": entries,
        "gzip_plain": without,
        "gzip_full": gzipped(full) + large,
        "alone": alone,
        "record": [
            len(plain.get(record, b"")),
            len(zlib.compress(plain.get(record, b""), 6)),
            len(full[record]),
            len(zlib.compress(full[record], 6)),
        ],
    }


def main() -> None:
    """Measure the wheels named on standard input, a line of JSON each."""
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        print(json.dumps(measure(Path(line.rstrip("\n")))), flush=True)


if __name__ == "__main__":
    main()

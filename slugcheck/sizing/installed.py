"""The files that an installer writes from a wheel, exact to the byte.

pip copies the wheel's files, moves those under ``*.data/``, rewrites RECORD with a row for each
file, adds INSTALLER and (for direct requirements) REQUESTED, and writes one script per entry point.
``Installer`` holds the differences of uv, Poetry and Pipenv. All of it follows from names and
sizes, so nothing has to be unpacked. Bytecode is not counted here (``bytecode``), but its rows in
RECORD are.

Measured against pip 26.3: exact to the byte except for sources that do not compile (their RECORD
row is missing) and scripts that an older pip wrote differently.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from slugcheck.model import Distribution, Entry, Inventory, Manager, Target

_SHA256_FIELD = len("sha256=") + 43  # urlsafe base64 of 32 bytes without padding
_PYTHON_SHEBANG = "#!python"
# Ratios of gzip -6 for text that the installer makes. RECORD's hashes do not compress; the rows of
# bytecode have none (measured over the calibration's corpus, benchmarks/README.md).
_RECORD_RATIO = 0.443
_BYTECODE_ROW_RATIO = 0.081
_SCRIPT_RATIO = 0.7
# Linux refuses lines of interpreters over 127 bytes, "#!" and the line's end included; pip then
# writes three lines for /bin/sh, which are this much longer.
_LONGEST_INTERPRETER = 124
_THREE_LINES_MORE = 33


class Requested(StrEnum):
    """Which distributions get an (empty) file REQUESTED."""

    DIRECT = "direct"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """What is specific to one installer.

    ``script`` is the text of a console script with {python}, {module}, {first} and {function};
    ``row_end`` ends each row of RECORD; ``bytecode_rows`` says whether RECORD lists bytecode.
    """

    name: str  # the content of the file INSTALLER
    script: str
    row_end: str
    bytecode_rows: bool
    requested: Requested
    interpreter: str = "python"  # its name in the first line of a script


# The script of each is in pip/_internal/operations/install/wheel.py, in uv-install-wheel's
# get_script and in installer/scripts.py.
_PIP = Installer(
    name="pip\n",
    script=(
        "#!{python}\nimport sys\nfrom {module} import {first}\nif __name__ == '__main__':\n"
        "    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit({function}())\n"
    ),
    row_end="\r\n",
    bytecode_rows=True,
    requested=Requested.DIRECT,
)
_UV = Installer(
    name="uv",
    script=(
        "#!{python}\n# -*- coding: utf-8 -*-\nimport sys\nfrom {module} import {first}\n"
        'if __name__ == "__main__":\n    if sys.argv[0].endswith("-script.pyw"):\n'
        "        sys.argv[0] = sys.argv[0][:-11]\n"
        '    elif sys.argv[0].endswith(".exe"):\n        sys.argv[0] = sys.argv[0][:-4]\n'
        "    sys.exit({function}())\n"
    ),
    row_end="\n",
    bytecode_rows=False,
    requested=Requested.ALL,
)
_POETRY = Installer(
    name="Poetry 2.4.1",
    script=(
        "#!{python}\n# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom {module} import {first}\n"
        'if __name__ == "__main__":\n'
        '    sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])\n'
        "    sys.exit({function}())\n"
    ),
    row_end="\n",
    bytecode_rows=False,
    requested=Requested.NONE,
)
_PIPENV = Installer(
    name=_PIP.name,
    script=_PIP.script,
    row_end=_PIP.row_end,
    bytecode_rows=True,
    requested=Requested.ALL,
    interpreter="python3",
)
_BY_MANAGER = {
    Manager.PIP: _PIP,
    Manager.UV: _UV,
    Manager.POETRY: _POETRY,
    Manager.PIPENV: _PIPENV,
}


def of(manager: Manager) -> Installer:
    """Return the installer of a package manager."""
    return _BY_MANAGER[manager]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFiles:
    """The files of one distribution, relative to the Python prefix, without bytecode.

    ``sources`` are the ``.py`` files that the installer compiles; a ``.pyc`` in the wheel is among
    ``files`` unless the installer overwrites it.
    """

    files: tuple[Entry, ...]
    sources: tuple[Entry, ...]

    @property
    def plain_bytes(self) -> int:
        """Bytes on disk without bytecode."""
        return sum(entry.size for entry in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The paths on the target; ``prefix`` and ``python`` are absolute."""

    prefix: str
    python: str
    minor: str
    compiles: bool = True
    flat: bool = False  # installed with pip --target: RECORD has paths of pip's home scheme
    installer: Installer = field(default_factory=lambda: of(Manager.PIP))

    @property
    def site_packages(self) -> str:
        """The library folder, relative to the prefix."""
        return f"lib/python{self.minor}/site-packages"

    @property
    def cache_tag(self) -> str:
        """The tag in the names of bytecode files, such as ``cpython-311``."""
        return f"cpython-{self.minor.replace('.', '')}"


def layout_of(target: Target, manager: Manager = Manager.PIP) -> Layout:
    """Return the layout of a platform's Python, filled by a package manager.

    Where the platform always uses uv, the project's own manager does not matter.
    """
    always_uv = target.platform.installer == "uv"
    prefix, installer = target.platform.prefix, of(Manager.UV if always_uv else manager)
    return Layout(
        prefix=prefix,
        python=f"{prefix}/bin/{installer.interpreter}",
        minor=target.minor,
        compiles=target.compiles_bytecode,
        flat=manager is Manager.PIP and target.platform.installer == "pip --target",
        installer=installer,
    )


def install(inventory: Inventory, distribution: Distribution, layout: Layout) -> InstalledFiles:
    """Return the files that the layout's installer writes from a wheel."""
    record = f"{inventory.dist_info}/RECORD"
    placed = [
        (_place(entry, inventory, layout), entry)
        for entry in inventory.entries
        if entry.path != record and not _replaced_script(entry, inventory)
    ]
    moved = [_moved(path, entry, inventory, layout) for path, entry in placed]
    made = [*_scripts(inventory, layout), *_metadata(inventory, distribution, layout)]
    sources = tuple(entry for entry in moved if entry.path.endswith(".py") and layout.compiles)
    compiled = {bytecode_path(entry.path, layout) for entry in sources}
    files = [entry for entry in moved if entry.path not in compiled]
    # pip keeps the row of a script that it replaced, under its old path
    dropped = [entry for entry in inventory.entries if _replaced_script(entry, inventory)]
    rows = _record_bytes([*moved, *made], record, layout)
    rows += sum(_row_bytes(entry.path, entry.size, layout) for entry in dropped)
    added = _bytecode_rows(sources, layout)
    packed = int(rows * _RECORD_RATIO + added * _BYTECODE_ROW_RATIO)
    path = f"{layout.site_packages}/{record}"
    files += [*made, Entry(path=path, size=rows + added, compressed=packed)]
    return InstalledFiles(files=tuple(files), sources=sources)


def roots(inventory: Inventory, layout: Layout) -> frozenset[str]:
    """Return what two distributions that write the same path have in common: where it begins.

    That is the first part of a path below site-packages, and the whole of any other path.
    """
    inside = f"{layout.site_packages}/"
    tops = {entry.path.partition("/")[0] for entry in inventory.entries}
    data = inventory.dist_info.removesuffix(".dist-info") + ".data"
    if data in tops:
        tops.remove(data)
        moved = (entry for entry in inventory.entries if entry.path.startswith(f"{data}/"))
        for entry in moved:
            path = _place(entry, inventory, layout)
            tops.add(path[len(inside) :].partition("/")[0] if path.startswith(inside) else path)
    return frozenset(tops).union(f"bin/{name}" for name, _ in _entry_points(inventory))


def _place(entry: Entry, inventory: Inventory, layout: Layout) -> str:
    """Return the path, under the prefix, of a wheel's member."""
    data = inventory.dist_info.removesuffix(".dist-info") + ".data/"
    if not entry.path.startswith(data):
        return f"{layout.site_packages}/{entry.path}"
    scheme, _, rest = entry.path[len(data) :].partition("/")
    name = inventory.dist_info.split("-")[0]
    folders = {
        "scripts": "bin/",
        "data": "",
        "headers": f"include/python{layout.minor}/{name}/",
    }
    return folders.get(scheme, f"{layout.site_packages}/") + rest


def _moved(path: str, entry: Entry, inventory: Inventory, layout: Layout) -> Entry:
    size = entry.size
    if entry.path in inventory.python_scripts:
        size += len(f"#!{layout.python}") - len(_PYTHON_SHEBANG)
    return Entry(path=path, size=size, compressed=entry.compressed, stored=entry.stored)


def _replaced_script(entry: Entry, inventory: Inventory) -> bool:
    # pip drops a script of the wheel that bears the name of an entry point
    head, _, name = entry.path.rpartition(".data/scripts/")
    return bool(head) and any(name == script for script, _ in _entry_points(inventory))


def _entry_points(inventory: Inventory) -> tuple[tuple[str, str], ...]:
    return inventory.console_scripts + inventory.gui_scripts


def _scripts(inventory: Inventory, layout: Layout) -> Iterable[Entry]:
    for name, value in _entry_points(inventory):
        module, _, attribute = value.partition(":")
        function = attribute.split("[")[0].strip()
        text = layout.installer.script.format(
            python=layout.python,
            module=module.strip(),
            first=function.split(".")[0],
            function=function,
        )
        extra = _THREE_LINES_MORE if len(layout.python) > _LONGEST_INTERPRETER else 0
        yield _text(f"bin/{name}", len(text.encode()) + extra, _SCRIPT_RATIO)


def _metadata(inventory: Inventory, distribution: Distribution, layout: Layout) -> Iterable[Entry]:
    folder = f"{layout.site_packages}/{inventory.dist_info}"
    installer = layout.installer
    yield _text(f"{folder}/INSTALLER", len(installer.name), 1.0)
    if installer.requested is Requested.ALL or (
        installer.requested is Requested.DIRECT and distribution.direct
    ):
        yield _text(f"{folder}/REQUESTED", 0, 1.0)
    if distribution.direct_url:
        yield _text(f"{folder}/direct_url.json", _direct_url_bytes(distribution), _SCRIPT_RATIO)


def _direct_url_bytes(distribution: Distribution) -> int:
    digest = distribution.artifact.sha256 or "0" * 64
    url = distribution.artifact.url
    head, at, tail = url.partition("@")
    if at and "://" in head and "/" not in head.partition("://")[2]:
        url = f"{head.partition('://')[0]}://{tail}"  # pip leaves credentials out as well
    archive = {"hash": f"sha256={digest}", "hashes": {"sha256": digest}}
    return len(json.dumps({"archive_info": archive, "url": url}, sort_keys=True))


def _record_bytes(files: Iterable[Entry], record: str, layout: Layout) -> int:
    rows = _row_bytes(record, None, layout)
    for entry in files:
        signed = entry.path.endswith((".jws", ".p7s"))
        size = None if signed else entry.size
        rows += _row_bytes(_in_record(entry.path, layout), size, layout)
    return rows


def _bytecode_rows(sources: Iterable[Entry], layout: Layout) -> int:
    if not layout.installer.bytecode_rows:
        return 0
    paths = (_in_record(bytecode_path(entry.path, layout), layout) for entry in sources)
    return sum(_row_bytes(path, None, layout) for path in paths)


def bytecode_path(source: str, layout: Layout) -> str:
    """Return the path of a source's bytecode."""
    folder, slash, name = source.rpartition("/")
    return f"{folder}{slash}__pycache__/{name[:-3]}.{layout.cache_tag}.pyc"


def _in_record(path: str, layout: Layout) -> str:
    """Return a path under the prefix as RECORD writes it, relative to site-packages."""
    inside = f"{layout.site_packages}/"
    if path.startswith(inside):
        return path[len(inside) :]
    return f"../../{path}" if layout.flat else f"../../../{path}"


def _row_bytes(path: str, size: int | None, layout: Layout) -> int:
    quoted = len(path.encode())
    if any(character in path for character in ',"\n\r'):
        quoted = len(_csv_quoted(path).encode())
    hash_and_size = 0 if size is None else _SHA256_FIELD + len(str(size))
    return quoted + hash_and_size + len(",,") + len(layout.installer.row_end)


def _csv_quoted(path: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([path])
    return buffer.getvalue().rstrip("\r\n")


def _text(path: str, size: int, ratio: float) -> Entry:
    return Entry(path=path, size=size, compressed=int(size * ratio))

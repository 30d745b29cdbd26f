"""What pip leaves on disk, held against a real pip, file by file and to the byte."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

from slugcheck.model import Artifact, Distribution, Entry, Inventory, Manager
from slugcheck.sizing import installed
from slugcheck.sizing.installed import Layout, bytecode_path, install
from tests.support.server import PackageServer
from tests.support.wheels import Archive, make_wheel

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
SHEBANG = b"#!python\nimport sys\nprint('hello')\n"


def inventory_of(archive: Archive, folder: Path) -> Inventory:
    """Read a wheel with the standard library's zipfile: a peer that knows nothing of ours."""
    path = folder / archive.filename
    path.write_bytes(archive.content)
    with zipfile.ZipFile(path) as wheel:
        infos = [info for info in wheel.infolist() if not info.is_dir()]
        scripts = tuple(
            info.filename
            for info in infos
            if ".data/scripts/" in info.filename and wheel.read(info).startswith(b"#!python")
        )
    stem = "-".join(archive.filename.split("-")[:2])
    return Inventory(
        filename=archive.filename,
        sha256=archive.sha256,
        file_bytes=len(archive.content),
        dist_info=f"{stem}.dist-info",
        entries=tuple(
            Entry(path=i.filename, size=i.file_size, compressed=i.compress_size) for i in infos
        ),
        requires_dist=(),
        provides_extra=(),
        requires_python=None,
        console_scripts=(("tool", "pkg.main:run"), ("nested", "pkg.main:Box.open")),
        gui_scripts=(("window", "pkg.gui:start"),),
        via="local",
        python_scripts=scripts,
    )


def wheel() -> Archive:
    return make_wheel(
        "pkg",
        "1.0",
        {
            "pkg/__init__.py": "",
            "pkg/main.py": "def run():\n    return 1\n\n\nclass Box:\n    open = run\n",
            "pkg/gui.py": "def start(): pass\n",
            "pkg/a, b.py": "x = 1\n",
            "pkg/data.bin": bytes(range(256)) * 10,
            "single.py": "y = 2\n",
            "pkg/orphan.pyc": b"bytecode without a source",
            f"__pycache__/single.cpython-{MINOR.replace('.', '')}.pyc": b"pip writes over it",
        },
        entry_points={
            "console_scripts": {"tool": "pkg.main:run", "nested": "pkg.main:Box.open"},
            "gui_scripts": {"window": "pkg.gui:start"},
        },
        data={
            "scripts/old-style": SHEBANG,
            "scripts/helper.py": SHEBANG,
            "scripts/tool": SHEBANG,  # bears an entry point's name: pip drops it
            "scripts/native": b"\x7fELF" + bytes(100),
            "data/share/pkg/readme.txt": "hello\n",
            "headers/pkg.h": "#define X 1\n",
            "purelib/extra/mod.py": "z = 3\n",
        },
    )


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A virtual environment that the pip of this interpreter installs into."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder


def pip_install(venv: Path, wheel_path: Path) -> dict[str, int]:
    """Install with the real pip; return path to size of every new file."""
    before = set(venv.rglob("*"))
    command = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")]
    command += ["install", "--no-index", "--no-deps", "--disable-pip-version-check", "--quiet"]
    wheelhouse = wheel_path.parent
    command += ["--find-links", str(wheelhouse), "pkg==1.0"]
    subprocess.run(command, check=True, capture_output=True)
    new = [path for path in venv.rglob("*") if path.is_file() and path not in before]
    return {str(path.relative_to(venv)): path.stat().st_size for path in new}


def test_every_file_and_every_byte_is_what_pip_leaves(tmp_path: Path, venv: Path) -> None:
    archive = wheel()
    wheelhouse = tmp_path / "wheels"
    wheelhouse.mkdir()
    inventory = inventory_of(archive, wheelhouse)
    found = pip_install(venv, wheelhouse / archive.filename)
    layout = Layout(prefix=str(venv), python=f"{venv}/bin/python", minor=MINOR)
    distribution = Distribution(
        name="pkg",
        version="1.0",
        artifact=Artifact(filename=archive.filename, url="", size=None, sha256=None),
        direct=True,
    )
    predicted = install(inventory, distribution, layout)
    compiled = {bytecode_path(e.path, layout) for e in predicted.sources}
    plain = {path: size for path, size in found.items() if path not in compiled}
    headers = "include/site/"  # pip puts headers elsewhere in a virtual environment
    plain = {path.replace(headers, "include/"): size for path, size in plain.items()}
    # RECORD names that folder too, so that one row is five bytes longer
    record = f"lib/python{MINOR}/site-packages/pkg-1.0.dist-info/RECORD"
    assert {e.path: e.size for e in predicted.files} == {
        **plain,
        record: plain[record] - len("site/"),
    }
    pyc = {path for path in found if path.endswith(".pyc")}
    assert compiled == {path for path in pyc if "__pycache__" in path}
    assert len(pyc - compiled) == 1


def test_every_byte_is_what_uv_leaves(
    tmp_path: Path, venv: Path, package_server: PackageServer, plain_network: None
) -> None:
    archive = package_server.add_wheel(
        "pkg",
        "1.0",
        {"pkg/__init__.py": "", "pkg/main.py": "def run(): pass\n", "pkg/data.bin": bytes(3000)},
        entry_points={"console_scripts": {"tool": "pkg.main:run", "nested": "pkg.main:Box.open"},
                      "gui_scripts": {"window": "pkg.gui:start"}},
        data={"scripts/old-style": SHEBANG, "data/share/pkg/readme.txt": "hello\n"},
    )  # fmt: skip
    inventory = inventory_of(archive, tmp_path)
    command = [find_uv_bin(), "pip", "install", "--quiet", "--compile-bytecode", "--no-cache"]
    command += ["--python", str(venv / "bin" / "python"), "--index-url", package_server.index_url]
    before = set(venv.rglob("*"))
    subprocess.run([*command, "pkg==1.0"], check=True, capture_output=True)
    new = [path for path in venv.rglob("*") if path.is_file() and path not in before]
    plain = {str(p.relative_to(venv)): p.stat().st_size for p in new if p.suffix != ".pyc"}
    del plain[".lock"]  # uv's own, of the environment
    distribution = Distribution(
        name="pkg",
        version="1.0",
        artifact=Artifact(filename=archive.filename, url="", size=None, sha256=None),
        direct=False,
    )
    layout = Layout(
        prefix=str(venv),
        python=f"{venv}/bin/python",
        minor=MINOR,
        installer=installed.of(Manager.UV),
    )
    found = install(inventory, distribution, layout)
    assert {entry.path: entry.size for entry in found.files} == plain


@pytest.mark.parametrize("length", [20, 124, 125, 127, 200])
def test_a_script_of_a_long_path_has_the_lines_that_pip_writes(length: int, tmp_path: Path) -> None:
    scripts = pytest.importorskip("pip._vendor.distlib.scripts")
    python = "/" + "p" * (length - 1)
    maker = scripts.ScriptMaker(None, str(tmp_path))
    maker.executable = python
    inventory = inventory_of(wheel(), tmp_path)
    distribution = Distribution(
        name="pkg", version="1.0", direct=False,
        artifact=Artifact(filename="x", url="", size=None, sha256=None),
    )  # fmt: skip
    sizes = {}
    for path in ("/p", python):
        files = install(inventory, distribution, Layout(prefix="/", python=path, minor=MINOR)).files
        sizes[path] = next(entry.size for entry in files if entry.path == "bin/nested")
    first_line = maker._get_shebang("utf-8")
    assert sizes[python] - sizes["/p"] == len(first_line) - len("#!/p\n")


def test_a_platform_that_compiles_nothing_has_no_rows_for_bytecode(tmp_path: Path) -> None:
    inventory = inventory_of(wheel(), tmp_path)
    distribution = Distribution(
        name="pkg",
        version="1.0",
        artifact=Artifact(filename="x", url="", size=None, sha256=None),
        direct=False,
    )
    with_rows = install(inventory, distribution, Layout(prefix="/p", python="/p/py", minor=MINOR))
    without = install(
        inventory, distribution, Layout(prefix="/p", python="/p/py", minor=MINOR, compiles=False)
    )
    assert without.sources == ()
    assert without.plain_bytes < with_rows.plain_bytes

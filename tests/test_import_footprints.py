"""The benchmark of imports: what it books in real processes, and the table that comes of it."""

from __future__ import annotations

import json
import marshal
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from benchmarks.import_check import Case
from benchmarks.import_environments import Environment
from benchmarks.import_graph import Graph
from benchmarks.import_pythons import fit
from benchmarks.import_table import table
from slugcheck.memory import footprints
from slugcheck.memory.floor import Installed, floor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/statm")
PROBE = Path(__file__).parent.parent / "benchmarks" / "import_probe.py"
MIB = 2**20
PAGES = 256  # in a MiB
# a module that takes memory, and what it imports
SOURCES = {
    "web/__init__.py": "from web import core\nheld = bytearray(b'x') * (8 << 20)\n",
    "web/core.py": "import common\nheld = bytearray(b'x') * (4 << 20)\n",
    "data.py": (
        "import common\n"
        "held = bytearray(b'x') * (16 << 20)\n"
        "try:\n    import plots\nexcept ImportError:\n    plots = None\n"
    ),
    "common.py": "held = bytearray(b'x') * (32 << 20)\n",
    "lazy.py": "def __getattr__(name):\n    import common\n    return common\n",
}


def write(folder: Path, sources: Mapping[str, str]) -> Path:
    for path, text in sources.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def probe(folder: Path, *names: str) -> dict[str, Any]:
    """Return what the probe says of importing names in a fresh process."""
    reading, writing = os.pipe()
    command = [sys.executable, "-I", str(PROBE), "book", str(folder), *names]
    environment = {**os.environ, "PROBE_FD": str(writing)}
    subprocess.run(command, env=environment, pass_fds=[writing], check=True)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        result: dict[str, Any] = marshal.loads(stream.read())  # our own process
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("made") / "site-packages", SOURCES)


@pytest.fixture(scope="module")
def both(folder: Path) -> dict[str, Any]:
    return probe(folder, "web", "data")


def test_a_module_is_booked_without_what_it_imports(both: dict[str, Any]) -> None:
    taken = {name: both["books"][name][0] / PAGES for name in ("web", "web.core", "data", "common")}
    assert taken == pytest.approx({"web": 8, "web.core": 4, "data": 16, "common": 32}, abs=0.3)


def test_the_books_add_up_to_what_the_process_grew_by(both: dict[str, Any]) -> None:
    booked = sum(anonymous + shared for anonymous, shared, _ in both["books"].values())
    assert booked / PAGES == pytest.approx(
        (sum(both["after"]) - sum(both["before"])) / PAGES, abs=0.3
    )


def test_every_import_is_noted_also_of_what_is_loaded_already(both: dict[str, Any]) -> None:
    assert "common" in both["edges"]["web.core"]
    assert "common" in both["edges"]["data"]
    assert "web.core" in both["edges"]["web"]


def test_what_was_not_found_is_noted(both: dict[str, Any]) -> None:
    assert both["missing"] == {"data": ["plots"]}
    assert both["failed"] == {}


def test_an_attribute_loads_what_the_module_does_not(folder: Path) -> None:
    assert "common" not in probe(folder, "lazy")["files"]
    result = probe(folder, "lazy.Thing")
    assert "common" in result["files"]
    assert "common" in result["edges"]["=lazy.Thing"]


def test_what_goes_wrong_is_said(folder: Path) -> None:
    said = probe(folder, "nowhere", "web")["failed"]
    assert said == {"nowhere": "ModuleNotFoundError: No module named 'nowhere'"}


# --------------------------------------------------------------------------- from books to floors


@pytest.fixture(scope="module")
def graph(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """What runs of each distribution say, with plots installed in one of them."""
    beside = tmp_path_factory.mktemp("beside") / "site-packages"
    write(beside, {**SOURCES, "plots.py": "held = bytearray(b'x') * (64 << 20)\n"})
    names = {"web/__init__.py": "web", "web/core.py": "web", "data.py": "data"}
    owners = {**names, "common.py": "common", "lazy.py": "lazy", "plots.py": "plots"}
    environment = cast("Environment", SimpleNamespace(owners=owners, version=lambda _: "1.0"))
    made = Graph()
    for place, asked in ((folder, "web"), (folder, "data"), (beside, "data")):
        made.add(environment, probe(place, asked), set(owners.values()))
    made.finish()
    return made


def shipped(graph: Graph) -> footprints.Table:
    mains = {name: [name] for name in ("web", "data", "common", "plots")}
    data = table(graph, list(mains), mains, {})
    factors = dict.fromkeys(footprints.Regression.__struct_fields__, 1.0)
    errors = {"table": 0.05, "added": 0, "version": {"major": 0.5}, "python": {}, "seconds": 0.5}
    rest = {"date": "2026-11-27", "python": "3.11.7", "machine": "x", "aliases": {}, "pythons": {}}
    content = {**data, **rest, "interpreter": [2000, 6000, 1], "errors": errors}
    return footprints.parse(json.dumps({**content, "regression": factors}).encode())


def test_a_floor_of_measured_modules_is_what_a_process_takes(folder: Path, graph: Graph) -> None:
    installed = [Installed(name=name, version="1.0") for name in ("web", "data", "common")]
    said = floor(["web", "data"], installed, table=shipped(graph))
    real = probe(folder, "data", "web")
    grown = (sum(real["after"]) - sum(real["before"])) / PAGES
    assert (said.resident.value - said.interpreter_bytes) / MIB == pytest.approx(grown, rel=0.02)
    assert [part.name for part in said.parts] == ["common", "data", "web"]


def test_what_an_optional_import_takes_counts_where_it_is_installed(graph: Graph) -> None:
    installed = [Installed(name=name, version="1.0") for name in ("data", "common")]
    made = shipped(graph)
    without = floor(["data"], installed, table=made).resident.value
    beside = floor(
        ["data"], [*installed, Installed(name="plots", version="1.0")], table=made
    ).resident.value
    assert (beside - without) / MIB == pytest.approx(64, abs=0.5)


def test_modules_that_load_together_become_one_node(graph: Graph) -> None:
    made = shipped(graph)
    owners = [made.distributions[node[0]][0] for node in made.nodes]
    assert owners.count("web") == 1
    assert "lazy" not in owners  # no run loaded it


# --------------------------------------------------------------------------- other Pythons


def test_the_fit_finds_what_another_python_takes() -> None:
    known = footprints.load()
    there = {
        "version": "3.99.1",
        "interpreter": [3000, 7000, 2000],
        "standard": [1.2, 0.9],
        "packages": [0.9, 1.1],
    }
    pythons = {"3.99": msgspec.convert(there, footprints.Python)}
    elsewhere = msgspec.structs.replace(known, pythons=pythons)
    versions = dict(known.distributions)
    installed = [
        Installed(name=name, version=versions[name])
        for name in ("flask", "werkzeug", "jinja2", "numpy", "pandas", "lxml")
    ]

    def case(*names: str) -> Case:
        real = floor(names, installed, python="3.99", table=elsewhere)
        said = floor(names, installed, python=known.minor, table=known)
        return Case(names, said, real.resident.value, real.anonymous.value, 0.0)

    sets = [case("flask"), case("pandas", "lxml.etree"), case("flask", "numpy")]
    standard = case("asyncio", "http.client", "sqlite3", "ssl", "xml.etree.ElementTree")
    assert fit(known, "3.99.1", [3000, 7000, 2000], standard, sets) == there


def test_an_environment_of_another_python_is_read_as_that_python_would(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.99" / "site-packages"
    for name, more in (
        ("web", 'Requires-Dist: old; python_version < "3.12"\nRequires-Dist: new'),
        ("old", ""),
        ("new", ""),
    ):
        folder = packages / f"{name}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{more}\n"
        )
    (packages / "new.py").write_text("")
    (packages / "__pycache__").mkdir()
    (packages / "__pycache__" / "new.cpython-399.pyc").write_bytes(b"")
    (packages / "new-1.0.dist-info" / "RECORD").write_text("new.py,,\n")
    environment = Environment(tmp_path)
    assert environment.closure(["web"]) == {"web", "new"}
    part = environment.part(["new"], tmp_path / "parts")
    assert (part / "__pycache__" / "new.cpython-399.pyc").exists()

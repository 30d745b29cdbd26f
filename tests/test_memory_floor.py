"""Floors of memory: imports are united, and count where there is something to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from slugcheck.errors import MeasureError
from slugcheck.memory import footprints
from slugcheck.memory.floor import Installed, distance, floor
from slugcheck.memory.footprints import Errors, Python, Regression, Table
from slugcheck.model import Entry

MIB = 2**20
# distribution, anonymous KiB, file-backed KiB, 10 us of CPU, needs, imported nodes
NODES = (
    (0, 1024, 0, 1000, 0),  # 0: json
    (1, 2048, 1024, 2000, 0, 0, 2),  # 1: web
    (2, 4096, 0, 3000, 0, 0),  # 2: shared
    (3, 1024, 0, 1000, 0, 2, 4),  # 3: data, which imports plots where there are any
    (4, 8192, 0, 5000, 0),  # 4: plots
    (3, 512, 0, 500, 1),  # 5: data.draw, which cannot be without plots
)
TABLE = Table(
    date="2026-11-27",
    python="3.11.7",
    machine="Linux x86_64",
    interpreter=(2048, 6144, 1000),
    distributions=(
        ("", ""),
        ("web", "1.2.3"),
        ("shared", "1.0"),
        ("data", "2.0"),
        ("plots", "3.1"),
    ),
    needs=((), (4,)),
    nodes=NODES,
    names={
        "json": {"": 0},
        "web": {"": 1},
        "shared": {"": 2},
        "data": {"": 3, "draw": 5},
        "plots": {"": 4},
        "spaces": {"inner": 2},
    },
    mains={"web": (1,), "shared": (2,), "data": (3,), "plots": (4,)},
    aliases={"plots-headless": "plots"},
    pythons={
        "3.12": Python(
            version="3.12.1", interpreter=(3072, 7168, 2000), standard=(1.5, 1), packages=(0.5, 2)
        )
    },
    errors=Errors(
        table=0.04,
        added=0,
        version={"patch": 0.05, "minor": 0.1, "major": 0.5},
        python={"3.12": 0.1, "": 0.2},
        seconds=0.5,
    ),
    regression=Regression(
        base=1000,
        native=400,
        source=2000,
        shared=0.75,
        low=0.25,
        high=2,
        required=0.5,
        required_low=0,
        required_high=1,
        seconds=0.02,
    ),
)


def there(*names: str, version: str = "") -> list[Installed]:
    versions = dict(TABLE.distributions)
    return [
        Installed(name=name, version=version or versions.get(name, "1.0"), requires=())
        for name in names
    ]


def test_what_two_imports_share_counts_once() -> None:
    installed = there("web", "shared", "data")
    web = floor(["web"], installed, table=TABLE)
    data = floor(["data"], installed, table=TABLE)
    both = floor(["data", "web"], installed, table=TABLE)
    assert web.interpreter_bytes == both.interpreter_bytes == 8 * MIB
    assert web.resident.value == (8 + 1 + 3 + 4) * MIB
    assert data.resident.value == (8 + 1 + 1 + 4) * MIB
    assert both.resident.value == (8 + 1 + 3 + 1 + 4) * MIB
    assert both.anonymous.value == (2 + 1 + 2 + 1 + 4) * MIB
    assert both.import_seconds.value == pytest.approx(0.01 + 0.01 + 0.02 + 0.03 + 0.01)


def test_parts_say_what_led_to_them_and_add_up() -> None:
    said = floor(["json", "web"], there("web", "shared"), table=TABLE)
    assert [(p.name, p.resident.value // MIB, p.chain) for p in said.parts] == [
        ("shared", 4, ("web", "shared")),
        ("web", 3, ("web",)),
    ]
    rest = said.interpreter_bytes + said.standard_library_bytes
    assert rest + sum(p.resident.value for p in said.parts) == said.resident.value
    assert said.standard_library_bytes == 1 * MIB


def test_an_optional_import_counts_where_it_is_installed() -> None:
    without = floor(["data"], there("data", "shared"), table=TABLE)
    beside = floor(["data"], there("data", "shared", "plots"), table=TABLE)
    assert beside.resident.value - without.resident.value == 8 * MIB
    assert {p.name for p in without.parts} == {"data", "shared"}


def test_a_module_that_cannot_be_without_another_needs_it_installed() -> None:
    names = ["data.draw"]
    assert floor(names, there("data"), table=TABLE).resident.value == 8 * MIB
    assert floor(names, there("data", "plots"), table=TABLE).resident.value == 8.5 * MIB


def test_a_name_below_a_known_one_counts_as_that() -> None:
    installed = there("web", "shared")
    deep = floor(["web.app.Flask"], installed, table=TABLE)
    assert deep.resident.value == floor(["web"], installed, table=TABLE).resident.value
    assert floor(["spaces.inner.x"], installed, table=TABLE).resident.value == 13 * MIB


def test_a_distribution_under_another_name_is_the_measured_one() -> None:
    said = floor(["plots"], there("plots-headless"), table=TABLE)
    assert [(p.name, p.measured_version) for p in said.parts] == [("plots-headless", "3.1")]


@pytest.mark.parametrize(
    ("version", "high"),
    [("3.1", 8), ("3.1.4", 8.4), ("3.3", 9.6), ("3.9", 12), ("4.0", 12)],
)
def test_the_interval_widens_with_the_distance_of_the_version(version: str, high: float) -> None:
    (part,) = floor(["plots"], there("plots", version=version), table=TABLE).parts
    assert part.resident.value == 8 * MIB
    assert part.resident.high == pytest.approx(high * MIB, abs=1)
    assert (part.version, part.measured_version) == (version, "3.1")


def test_versions_differ_where_their_numbers_do() -> None:
    assert distance("1.2.3", "1.2.3") == distance("2.13.0+cpu", "2.13.0") == ("", 0)
    assert distance("1.2.4", "1.2.3") == ("patch", 1)
    assert distance("1.5.3", "1.2.3") == ("minor", 3)
    assert distance("4.2.3", "1.2.3") == ("major", 3)
    assert distance("1", "1.2.3")[0] == distance("1.x", "1.2.3")[0] == "minor"
    assert distance("9" * 5000, "1.2.3") == ("major", 99)


def test_another_python_widens_the_interval() -> None:
    widths = [
        floor(["web"], there("web", "shared"), python=minor, table=TABLE).resident.percent
        for minor in ("3.11", "3.12", "3.14")
    ]
    assert widths == sorted(set(widths))


def test_another_python_takes_what_was_measured_there() -> None:
    said = floor(["web", "json"], there("web", "shared"), python="3.12", table=TABLE)
    assert said.interpreter_bytes == 10 * MIB
    assert said.standard_library_bytes == 1.5 * MIB
    taken = {part.name: (part.resident.value, part.anonymous_bytes) for part in said.parts}
    assert taken == {"web": (3 * MIB, 1 * MIB), "shared": (2 * MIB, 2 * MIB)}
    assert said.resident.value == 16.5 * MIB
    assert said.anonymous.value == 7.5 * MIB
    assert said.measured_python == "3.12.1"


@pytest.mark.parametrize(("minor", "nearest"), [("3.14", "3.12.1"), ("3.9", "3.11.7")])
def test_a_python_that_was_not_measured_is_taken_for_the_nearest(minor: str, nearest: str) -> None:
    said = floor(["web"], there("web", "shared"), python=minor, table=TABLE)
    same = floor(["web"], there("web", "shared"), python=nearest[:4], table=TABLE)
    assert said.measured_python == nearest
    assert said.resident.value == same.resident.value
    assert said.resident.percent > same.resident.percent


def unmeasured(*requires: str) -> Installed:
    entries = (
        Entry(path="novel/__init__.py", size=2_000_000, compressed=500_000),
        Entry(path="novel/core.so", size=10_000_000, compressed=4_000_000),
        Entry(path="novel/tests/test_core.py", size=9_000_000, compressed=900_000),
    )
    return Installed(name="the-novel", version="1.0", requires=requires, entries=entries)


def holder(module: str) -> str | None:
    return "the-novel" if module.startswith("novel") else None


def test_a_distribution_that_nobody_measured_is_estimated_from_its_files() -> None:
    said = floor(["novel.core"], [unmeasured()], table=TABLE, provider=holder)
    (part,) = said.parts
    assert part.resident.value == (1000 + 10 * 400 + 2 * 2000) * 1024
    assert part.anonymous_bytes == (1000 + 10 * 100 + 2 * 2000) * 1024
    assert not part.measured
    assert part.resident.high == part.resident.value * 2
    assert [(u.name, u.distribution) for u in said.unknown] == [("novel.core", "the-novel")]
    assert said.resident.low < said.resident.value < said.resident.high


def test_what_an_unmeasured_distribution_requires_counts_too() -> None:
    installed = [unmeasured("shared", "plots"), *there("shared")]
    said = floor(["novel"], installed, table=TABLE, provider=holder)
    assert [(p.name, p.chain) for p in said.parts if p.measured] == [
        ("shared", ("novel", "shared"))
    ]
    shared = next(part.resident for part in said.parts if part.measured)
    assert (shared.low, shared.value, shared.high) == (0, 2 * MIB, 4 * MIB)
    installed = [unmeasured("shared"), *there("shared")]
    both = floor(["novel", "shared"], installed, table=TABLE, provider=holder)
    assert both.resident.value == said.resident.value + 2.5 * MIB  # and json is sure as well


def test_a_name_that_nothing_installed_provides_is_named() -> None:
    said = floor(["mystery", "plots", "os.path"], there("web"), table=TABLE)
    assert [(u.name, u.distribution) for u in said.unknown] == [("mystery", None), ("plots", None)]
    assert said.resident.value == said.interpreter_bytes


# --------------------------------------------------------------------------- the shipped table


def test_the_start_of_a_name_counts_for_the_distribution_that_it_leads_to() -> None:
    absent = floor(["discord", "flask", "torchvision.transforms"], ())
    assert [one.name for one in absent.unknown] == ["discord", "flask", "torchvision.transforms"]
    flask = floor(["flask"], [Installed(name="flask", version="3.1.0")])
    assert (flask.unknown, [part.name for part in flask.parts]) == ((), ["flask"])
    # discord.py was measured, py-cord was not: both have a module discord
    entries = (Entry(path="discord/client.py", size=2_000_000, compressed=500_000),)
    other = Installed(name="py-cord", version="2.6.1", entries=entries)
    said = floor(["discord"], [other], provider=lambda _: "py-cord")
    assert [(part.name, part.measured) for part in said.parts] == [("py-cord", False)]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"date": 3}', b"\xff\xfe"],
    ids=["empty", "a list", "cut off", "wrong type", "no text"],
)
def test_a_damaged_table_is_one_clear_error(content: bytes) -> None:
    with pytest.raises(MeasureError, match="table of measured imports is damaged") as caught:
        footprints.parse(content)
    assert "\n" not in str(caught.value)
    assert caught.value.hint == "reinstall slugcheck"


def test_a_table_that_several_threads_load_at_once_is_loaded(tmp_path: Path) -> None:
    program = tmp_path / "several.py"
    program.write_text(
        "import sys, threading\n"
        "from slugcheck.memory import footprints\n"
        "sys.setswitchinterval(1e-6)\n"
        "gate = threading.Barrier(8)\n"
        "def load():\n    gate.wait()\n    footprints.load()\n"
        "threads = [threading.Thread(target=load) for _ in range(8)]\n"
        "for one in threads: one.start()\n"
        "for one in threads: one.join()\n"
    )
    for _ in range(3):
        done = subprocess.run([sys.executable, str(program)], capture_output=True, check=False)
        assert done.returncode == 0, done


def test_a_missing_table_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footprints, "_FILE", "nowhere.json")
    footprints._load.cache_clear()
    with pytest.raises(MeasureError, match=r"cannot be read: No such file"):
        footprints.load()


def test_the_shipped_table_is_whole() -> None:
    table = footprints.load()
    starts = [node for below in table.names.values() for node in below.values()]
    assert max(starts) < len(table.nodes)
    for node in table.nodes:
        assert node[0] < len(table.distributions)
        assert node[4] < len(table.needs)
        assert all(target < len(table.nodes) for target in node[5:])
    assert len(table.distributions) > 300

"""The mutation script's own arithmetic: where a mutant is, what tests it, what the table counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.mutation import Layout, Mutant, Record, applied, belongs, package_of, table

SOURCE = """\
from __future__ import annotations

LIMIT: int | None = 3


class Thing:
    def first(self, value: int | str) -> int:
        if value:
            return 1
        return 2

    def second(self) -> int:
        if value:
            return 1
        return zip(a, b, strict=True)
"""


def mutant(place: str, line: int, before: str, after: str, **more: Any) -> Mutant:
    return Mutant(
        package="policy", path="slugcheck/policy/x.py", line=line,
        place=f"slugcheck/policy/x.py::{place}", operator="AddNot", diff=f"-{before}\n+{after}",
        **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("slugcheck/policy/gates.py", "policy"),
        ("slugcheck/render/views/check.py", "render/views"),
        ("slugcheck/render/junit.py", "render"),
        ("slugcheck/packages/index/http.py", "packages/index"),
        ("slugcheck/packages/graph.py", "packages"),
        ("slugcheck/bench.py", "benching"),
        ("slugcheck/matrix.py", "commands"),
        ("slugcheck/policy/__init__.py", None),
        ("slugcheck/version.py", None),
    ],
)
def test_a_module_counts_for_its_package(path: str, package: str | None) -> None:
    assert package_of(path) == package


@pytest.mark.parametrize(
    ("path", "belonging"),
    [
        ("slugcheck/policy/tiers.py", ["policy", "policy/tiers"]),
        ("slugcheck/matrix.py", ["commands", "matrix"]),
        ("slugcheck/errors.py", ["errors"]),
    ],
)
def test_a_module_is_drawn_by_its_name_too(path: str, belonging: list[str]) -> None:
    names = ("policy", "policy/tiers", "tiers", "commands", "matrix", "errors", "None")
    assert [name for name in names if belongs(path, name)] == belonging


def test_a_place_is_a_function_and_a_line_in_it() -> None:
    layout = Layout.of(SOURCE)
    assert layout.place("x.py", 8) == "x.py::Thing.first+1"
    assert layout.place("x.py", 13) == "x.py::Thing.second+1"
    assert layout.place("x.py", 3) == "x.py::+3"


def test_types_and_guards_are_no_places_for_mutants() -> None:
    layout = Layout.of(SOURCE)
    for line, column, ignored in (
        (3, 11, True), (3, 20, False), (7, 31, True), (8, 11, False), (15, 32, True),
    ):  # fmt: skip
        assert layout.changes_nothing(line, column) is ignored, (line, column)


def test_a_mutant_is_put_where_its_function_is_now() -> None:
    first = mutant("Thing.second+1", 13, "        if value:", "        if not value:")
    changed = (applied(SOURCE, first) or "").splitlines()
    assert (changed[7], changed[12]) == ("        if value:", "        if not value:")
    moved = applied("# a new line\n" + SOURCE, first) or ""
    assert moved.splitlines()[13] == "        if not value:"
    assert applied("x = 1\n", first) is None


RECORD = {
    "tests/test_a.py": {
        "seconds": {"tests/test_a.py::one": 2.0, "tests/test_a.py::other": 1.0},
        "places": {
            "slugcheck/policy/x.py::Thing.first+1": ["tests/test_a.py::one"],
            "slugcheck/policy/x.py::Thing.first+2": ["tests/test_a.py"],
        },
    },
    "tests/test_b.py": {
        "seconds": {"tests/test_b.py::slow": 9.0},
        "places": {"slugcheck/policy/x.py::Thing.first+1": ["tests/test_b.py::slow"]},
    },
}


@pytest.mark.parametrize(
    ("place", "budget", "last", "tests"),
    [
        ("Thing.first+1", 20.0, (), ["a.py::one", "b.py::slow"]),
        ("Thing.first+1", 10.0, (), ["a.py::one"]),  # within so many seconds
        ("Thing.first+1", 10.0, ("tests/test_b.py",), ["a.py::one", "b.py::slow"]),
        ("Thing.first+1", 10.0, ("tests/test_a.py",), ["b.py::slow", "a.py::one"]),
        ("Thing.first+2", 20.0, (), ["a.py::other", "a.py::one"]),  # what a file's tests share
        ("Thing.first+9", 20.0, (), ["a.py::one", "b.py::slow", "a.py::other"]),  # its function
        ("+3", 20.0, (), ["a.py::one", "b.py::slow", "a.py::other"]),  # its module
        ("Thing.second+1", 20.0, (), []),
    ],
)
def test_the_tests_of_a_mutant_are_those_that_run_its_line(
    place: str, budget: float, last: tuple[str, ...], tests: list[str]
) -> None:
    chosen, _ = Record(RECORD).tests(mutant(place, 1, "a", "b"), budget, last)
    assert [test.removeprefix("tests/test_") for test in chosen] == tests


def test_the_table_counts_what_was_killed_before_and_now() -> None:
    first = mutant("f+1", 7, "a < b", "a <= b", outcome="killed")
    outcomes = [
        first, replace(first, late=True), replace(first, outcome="hung"),
        replace(first, outcome="survived"), replace(first, outcome="untested", package="render"),
        replace(first, outcome="gone"),
    ]  # fmt: skip
    lines = table(outcomes).splitlines()
    assert lines[:5] == [
        "| package | mutants | before, % | killed | survived | killed, % |",
        "|---|--:|--:|--:|--:|--:|",
        "| policy | 4 | 50 | 3 | 1 | 75 |",
        "| render | 1 | 0 | 0 | 1 | 0 |",
        "| total | 5 | 40 | 3 | 2 | 60 |",
    ]
    assert lines[5:9] == ["", "slugcheck/policy/x.py:7 (AddNot)", "-a < b", "+a <= b"]

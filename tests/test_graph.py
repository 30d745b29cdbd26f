"""Who needs whom: extras, markers, cycles, and the shares of direct requirements."""

from __future__ import annotations

from slugcheck.packages import graph

LINUX = {
    "python_version": "3.12",
    "python_full_version": "3.12.14",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "extra": "",
}


def test_an_extra_owns_what_it_pulls_in_even_when_the_distribution_is_shared() -> None:
    requires = {
        "fastapi": ["uvicorn"],
        "uvicorn": ["h11", "httptools ; extra == 'standard'"],
        "h11": [],
        "httptools": [],
    }
    needs = graph.build({"fastapi": (), "uvicorn": ("standard",)}, requires, LINUX)
    assert needs.reach(graph.root_nodes("fastapi", ())) == {"fastapi", "uvicorn", "h11"}
    assert "httptools" in needs.reach(graph.root_nodes("uvicorn", ("standard",)))


def test_an_extra_that_requires_its_own_distribution_is_no_dependent_of_itself() -> None:
    requires = {"pkg": ["pkg[x] ; extra == 'all'", "dep ; extra == 'x'"], "dep": []}
    needs = graph.build({"pkg": ("all",)}, requires, LINUX)
    assert needs.required_by() == {"pkg": (), "dep": ("pkg",)}


def test_markers_are_those_of_the_target_not_of_this_machine() -> None:
    requires = {"a": ["b ; sys_platform == 'win32'", "c ; python_full_version < '3.12.1'"]}
    requires |= {"b": [], "c": []}
    needs = graph.build({"a": ()}, requires, LINUX)
    assert needs.reach((("a", ""),)) == {"a"}


def test_a_cycle_ends() -> None:
    needs = graph.build({"a": ()}, {"a": ["b"], "b": ["a"]}, LINUX)
    assert needs.reach((("a", ""),)) == {"a", "b"}
    assert needs.required_by() == {"a": ("b",), "b": ("a",)}


def test_names_are_compared_in_canonical_form_and_bad_lines_are_passed_over() -> None:
    requires = {"a": ["Ruamel.YAML>=0.15", "!!! no requirement"], "ruamel-yaml": []}
    needs = graph.build({"a": ()}, requires, LINUX)
    assert needs.required_by()["ruamel-yaml"] == ("a",)

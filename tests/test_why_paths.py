"""The shortest paths through a graph, and what goes with a distribution."""

from __future__ import annotations

from slugcheck import why
from slugcheck.packages import graph
from slugcheck.packages.graph import Graph


def built(**requires: tuple[str, ...]) -> Graph:
    """A graph whose one root is ``a``; an underscore in an argument is a hyphen."""
    lines = {name.replace("_", "-"): needs for name, needs in requires.items()}
    return graph.build({"a": ("x",)}, lines, {"sys_platform": "linux"})


def test_paths_without_number_are_counted_and_the_first_are_found_at_once() -> None:
    layers = 60
    requires = {"a": tuple(f"n0-{n}" for n in range(2))}
    for layer in range(layers):
        for n in range(2):
            below = f"n{layer + 1}"
            requires[f"n{layer}-{n}"] = (f"{below}-0", f"{below}-1")
    requires |= {f"n{layers}-{n}": ("goal",) for n in range(2)} | {"goal": ()}
    found = why.shortest(graph.build({"a": ()}, requires, {}), [("a", "")], {("goal", "")}, most=2)
    assert found is not None
    assert found.count == 2 ** (layers + 1)
    assert [len(path) for path in found.shown] == [layers + 3] * 2
    assert found.shown[0] < found.shown[1]


def test_a_chain_as_long_as_an_index_may_make_it_is_no_recursion() -> None:
    length = 5000
    requires = {f"n{n}": (f"n{n + 1}",) for n in range(length)} | {f"n{length}": ()}
    long = graph.build({"n0": ()}, requires, {})
    found = why.shortest(long, [("n0", "")], {(f"n{length}", "")}, most=3)
    assert found is not None
    assert (found.count, len(found.shown[0])) == (1, length + 1)


def test_what_is_not_reached_has_no_path() -> None:
    found = built(a=("b",), b=(), c=("b",))
    assert why.shortest(found, [("a", "")], {("c", "")}, most=3) is None
    assert why.shortest(found, [("gone", "")], {("b", "")}, most=3) is None


def test_an_extra_adds_no_second_path_to_what_is_needed_without_it() -> None:
    found = built(a=("b[fast]",), b=("c", "d ; extra == 'fast'"), c=(), d=())
    starts = graph.root_nodes("a", ("x",))
    plain = why.shortest(found, starts, {("c", "")}, most=5)
    extra = why.shortest(found, starts, {("d", "")}, most=5)
    assert plain is not None
    assert extra is not None
    assert [tuple(map(why.label, path)) for path in plain.shown] == [("a", "b", "c")]
    assert [tuple(map(why.label, path)) for path in extra.shown] == [("a", "b[fast]", "d")]
    assert (plain.count, extra.count) == (1, 1)


def test_nothing_is_reached_through_what_is_taken_out() -> None:
    found = built(a=("b", "c"), b=("d",), c=("d", "e"), d=(), e=("c",))
    assert found.reach([("a", "")], without="c") == {"a", "b", "d"}
    assert found.reach([("a", "")], without="a") == frozenset()

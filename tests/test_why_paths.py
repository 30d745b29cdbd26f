"""The shortest paths through a graph, and what goes with a distribution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement as PackagingRequirement

from slugcheck import why
from slugcheck.errors import UsageError
from slugcheck.model import DistributionSize, SizeReport
from slugcheck.model.why import MeasuredSaving, UnmeasuredSaving
from slugcheck.packages import graph
from slugcheck.packages.graph import Graph
from slugcheck.why import _together, saving, wanted
from tests.support import reports


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


# --------------------------------------------------------------------------- words of the answer


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["b[x]>=1; os_name == 'posix'"], 'b[x]>=1; os_name == "posix"'),
        (["b>=1; os_name == 'posix'", "b>=2"], "b>=2"),
        (["b>=1.10", "b>=1.9", "b>=1.10rc1"], "b>=1.10"),
        (["b>=1,<3", "b!=2", "b>=2,<4"], "b!=2,<3,<4,>=2"),
        (["b[y]", "b[x]>1"], "b[x,y]>1"),
        (["b", "b"], "b"),
    ],
)
def test_lines_of_one_name_are_one_with_the_highest_bound(lines: list[str], said: str) -> None:
    assert _together([PackagingRequirement(line) for line in lines]) == said


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("requirements.txt", "requirements.txt is a file or a folder; the package name comes first",
         "slugcheck why NAME requirements.txt"),
        ("apps/web", "apps/web is a file or a folder; the package name comes first",
         "slugcheck why NAME apps/web"),
        (".", ". is a file or a folder; the package name comes first", "slugcheck why NAME ."),
        ("not a name", "'not a name' is not a package name", "for example slugcheck why numpy"),
        ("numpy>=2", "numpy>=2 is more than a name; the file decides the version",
         "slugcheck why numpy ."),
        ("numpy ; os_name == 'nt'", "numpy ; os_name == 'nt' is more than a name; the file decides "
         "the version", "slugcheck why numpy ."),
    ],
)  # fmt: skip
def test_what_is_no_name_is_told_with_the_command_to_write(text: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        wanted(text, Path())
    assert str(raised.value) == said
    assert raised.value.hint is not None
    assert raised.value.hint.startswith(hint)


def test_a_name_is_taken_as_pip_takes_it_with_its_extras() -> None:
    assert wanted("Py_YAML[b,a]", Path()) == (("py-yaml", ""), ("py-yaml", "a"), ("py-yaml", "b"))
    with pytest.raises(UsageError) as raised:
        wanted("a.txt", Path("numpy"))
    assert raised.value.hint == "slugcheck why numpy a.txt"


def sized(*rows: DistributionSize, **more: Any) -> SizeReport:
    return reports.report(rows, **more).sizes


def test_a_change_that_loses_a_size_has_no_figure_and_one_that_loses_an_unsized_says_so() -> None:
    a, b = reports.distribution("a"), reports.distribution("b")
    gone = reports.missing("Odd", None, "it is a local folder", 3)
    lost = saving("b", sized(a, b), sized(a, unsized=(gone,)))
    assert lost == UnmeasuredSaving(
        reason="Odd could not be sized: it is a local folder", tried=True
    )
    found = saving("b", sized(a, b, unsized=(gone,)), sized(a))
    assert isinstance(found, MeasuredSaving)
    assert (found.left, found.unsized_gone) == (None, ("odd",))
    assert [(change.name, change.after) for change in found.changes] == [("b", None)]
    assert found.installed_bytes == b.installed_bytes
    assert found.slug_bytes == b.slug.value
    stays = saving("a", sized(a, b), sized(reports.distribution("a", "2.0"), b))
    assert isinstance(stays, MeasuredSaving)
    assert stays.left == "2.0"
    unknown = saving("odd", sized(a, unsized=(gone,)), sized(a, unsized=(gone,)))
    assert isinstance(unknown, MeasuredSaving)
    assert (unknown.left, unknown.changes) == ("", ())

"""What a change does to the settings of its base, in a sentence each."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from slugcheck.model import Budget, Denied, Ignore, Settings
from slugcheck.policy import base_settings, settings
from tests.support import reports

NOW = "in effect once merged"


def budget(name: str, text: str, on: str | None = None) -> Budget:
    return Budget(name=name, text=text, place="slugcheck.toml", on=on)


def denied(name: str, specifier: str = "") -> Denied:
    return Denied(name=name, specifier=specifier, reason="", place="slugcheck.toml")


def ignore(code: str, subject: str | None = None) -> Ignore:
    return Ignore(
        code=code, subject=subject, reason="r", expires=date(2027, 5, 31), place="slugcheck.toml"
    )


def told(base: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """The changes without what all of them say."""
    sentences = base_settings.changes(Settings(**base), Settings(**own), "main", decides=True)
    assert all(s.startswith("this change ") and s.endswith(f"; {NOW}") for s in sentences)
    return [s.removeprefix("this change ").removesuffix(f"; {NOW}") for s in sentences]


@pytest.mark.parametrize(
    ("then", "now", "sentences"),
    [
        (budget("slug", "1M"), budget("slug", " 1M "), []),
        (None, budget("slug", "1M"), ["adds a slug budget of 1M"]),
        (budget("slug", "1M"), None, ["removes the slug budget of 1M"]),
        (budget("slug", "1M"), budget("slug", "2M"), ["raises the slug budget from 1M to 2M"]),
        (budget("slug", "900MB"), budget("slug", "100MB"),
         ["lowers the slug budget from 900MB to 100MB"]),
        (budget("slug", "1M"), budget("slug", "1MiB"),
         ["rewrites the slug budget from 1M to 1MiB"]),
        (budget("build", "10m"), budget("build", "9m"), ["lowers the build budget from 10m to 9m"]),
        (budget("increase_percent", "5 %"), budget("increase_percent", "7 %"),
         ["raises the increase_percent budget from 5 % to 7 %"]),
        (budget("slug", "much"), budget("slug", "more"),
         ["changes the slug budget from much to more"]),
        (budget("package.a", "1M"), budget("package.a", "1M", "slug"),
         ["changes the figure that the package.a budget limits"]),
        (budget("package.a", "1M", "slug"), budget("package.a", "1M", "slug"), []),
    ],
)  # fmt: skip
def test_a_budget_that_changes(
    then: Budget | None, now: Budget | None, sentences: list[str]
) -> None:
    before, after = ({"budgets": (b,) if b else ()} for b in (then, now))
    assert told(before, after) == sentences


def test_the_target_and_lists_that_change() -> None:
    base = {
        "platform": "heroku", "stack": "heroku-22", "denied": (denied("torch"),),
        "ignores": (ignore("a"),), "allow_unsized": ("x",),
        "models": ("s3://b/m", "own.onnx"), "rehearsal": "r.json",
    }  # fmt: skip
    own = {
        "platform": "heroku", "python": "3.13", "denied": (denied("torch", ">=2"),),
        "ignores": (ignore("a"), ignore("b", "torch")), "allow_unsized": ("y",),
        "models": ("own.onnx", "new.onnx", "https://h/m"),
    }  # fmt: skip
    assert told(base, own) == [
        "changes stack from heroku-22 to the default",
        "changes python from the default to 3.13",
        "changes rehearsal from r.json to none",
        "no longer denies torch",
        "denies torch>=2",
        "ignores b of torch until 2027-05-31",
        "no longer allows x to have no size",
        "allows y to have no size",
        "removes the model s3://b/m",
        "adds the model https://h/m",
    ]
    assert told(own, own) == []


def test_what_a_lambda_package_holds_that_changes() -> None:
    base = {"bytecode": True, "provided": ("boto3",), "layers": ("5MB",)}
    own = {"arch": "arm64", "provided": ("boto3", "runtime"), "layers": ("9MB",)}
    assert told(base, own) == [
        "changes arch from the default to arm64",
        "changes bytecode from true to the default",
        "leaves every package that the platform provides to the runtime",
        "removes the layer 5MB",
        "adds the layer 9MB",
    ]


def test_a_platform_file_that_changes_under_its_name() -> None:
    first, other = reports.target().platform, reports.target(title="Lambda").platform
    named = {"platform": "ours.toml", "described": first}
    assert told(named, {**named, "described": other}) == ["changes the platform file ours.toml"]
    assert told(named, {"platform": "theirs.toml", "described": other}) == [
        "changes platform from ours.toml to theirs.toml"
    ]


@pytest.mark.parametrize(("count", "more"), [(12, None), (13, 1), (20, 8)])
def test_a_long_list_ends_in_a_count(count: int, more: int | None) -> None:
    own = {"denied": tuple(denied(f"p{number}") for number in range(count))}
    sentences = told({}, own)
    assert sentences[11] == "denies p11"
    assert sentences[12:] == ([f"changes {more} more settings"] if more else [])


@pytest.mark.parametrize(("length", "shown"), [(80, "x" * 80), (81, f"{'x' * 80}…")])
def test_a_long_value_is_cut(length: int, shown: str) -> None:
    assert told({}, {"stack": "x" * length}) == [f"changes stack from the default to {shown}"]


def test_settings_that_are_deleted_or_in_effect_say_so() -> None:
    base = Settings(origin=Path("/repo/slugcheck.toml"), stack="heroku-22")
    changes = base_settings.changes
    assert changes(base, Settings(), "main", decides=True) == (
        "this change deletes the settings in slugcheck.toml; the settings of main decide until it "
        "is merged",
        f"this change changes stack from heroku-22 to the default; {NOW}",
    )
    assert changes(base, Settings(), "main", decides=False) == (
        "this change deletes the settings in slugcheck.toml",
        "this change changes stack from heroku-22 to the default; in effect now (--settings head)",
    )
    empty = Settings(origin=Path("/repo/slugcheck.toml"))
    assert changes(empty, Settings(), "main", decides=True) == ()
    assert len(changes(base, Settings(origin=Path("/x")), "main", decides=True)) == 1


@pytest.mark.parametrize(
    ("value", "proposed"),
    [(0, 0), (1, 2), (39, 49), (40, 50), (78, 98), (79, 99), (80, 100), (81, 102), (199, 250),
     (200, 250), (201, 255), (3999, 5000), (9999, 12500)],
)  # fmt: skip
def test_a_proposed_limit_is_round_and_a_quarter_above(value: int, proposed: int) -> None:
    assert settings._with_margin(value * 10**6, 10**6) == proposed

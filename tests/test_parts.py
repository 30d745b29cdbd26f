"""What is in the slug beside the distributions, and what --verify puts in a prediction's place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slugcheck import platforms
from slugcheck.model import (
    Basis,
    Estimate,
    Manager,
    Part,
    SizeReport,
    Target,
    Unsized,
    Verification,
)
from slugcheck.project import target
from slugcheck.sizing import slug_parts
from slugcheck.sizing import slug_parts as measured
from tests.support import apps, cases, reports


@pytest.fixture(scope="module")
def heroku() -> Target:
    return target.choose(platforms.load("heroku"), python="3.12")


def names(place: Target, manager: Manager, installed: tuple[str, ...] = ()) -> list[str]:
    return [part.name.split()[0] for part in slug_parts.runtime_parts(place, installed, manager)]


@pytest.mark.parametrize(
    ("manager", "expected"),
    [
        (Manager.PIP, ["Python", "pip", "setuptools"]),
        (Manager.UV, ["Python"]),
        (Manager.POETRY, ["Python"]),
        (Manager.PIPENV, ["Python", "Pipenv"]),
    ],
)
def test_each_package_manager_leaves_its_own_in_the_slug(
    heroku: Target, manager: Manager, expected: list[str]
) -> None:
    assert names(heroku, manager) == expected


def test_a_setuptools_of_the_app_takes_the_place_of_the_platforms(heroku: Target) -> None:
    assert names(heroku, Manager.PIP, ("setuptools", "flask")) == ["Python", "pip"]


def test_a_pipenv_of_the_app_is_beside_the_builds_own(heroku: Target) -> None:
    assert names(heroku, Manager.PIPENV, ("pipenv",)) == ["Python", "Pipenv"]


# --------------------------------------------------------------------------- measured


@pytest.fixture
def predicted() -> SizeReport:
    found = apps.with_app(cases.onnx(), apps.app(), [apps.model("m.onnx")])
    return found.sizes


def verified(sizes: SizeReport, *, more: int = 0) -> Verification:
    """A verification that found 1 % more of everything, and ``more`` bytes that nobody owns."""
    plain = tuple((d.name, int(d.plain.value * 1.01)) for d in sizes.distributions)
    compiled = tuple((d.name, int(d.bytecode.value * 1.01)) for d in sizes.distributions)
    bytecode = sum(size for _, size in compiled)
    return replace(
        apps.verification(),
        installed_bytes=sum(size for _, size in plain) + bytecode + more,
        bytecode_bytes=bytecode,
        slug_bytes=150_000_000,
        plain_by_name=plain,
        bytecode_by_name=compiled,
    )


def test_measured_figures_take_the_place_of_predicted_ones(predicted: SizeReport) -> None:
    found = measured.as_measured(predicted, verified(predicted))
    runtime = predicted.group_slug_bytes("runtime")
    assert found.slug.value == 150_000_000 + runtime
    assert {d.basis for d in found.distributions} == {Basis.MEASURED}
    assert found.plain_bytes == sum(int(d.plain.value * 1.01) for d in predicted.distributions)


def test_only_the_runtime_leaves_doubt_after_measuring(predicted: SizeReport) -> None:
    found = measured.as_measured(predicted, verified(predicted))
    doubt = [p.slug.high - p.slug.value for p in found.parts if p.group == "runtime"]
    assert found.slug.high - found.slug.value <= sum(doubt) + 1


def test_the_parts_still_add_up_to_the_measured_slug(predicted: SizeReport) -> None:
    found = measured.as_measured(predicted, verified(predicted))
    whole = found.dependencies_slug_bytes + sum(part.slug.value for part in found.parts)
    assert whole == pytest.approx(found.slug.value, abs=len(found.distributions))


def test_files_that_no_prediction_had_are_a_row_of_their_own(predicted: SizeReport) -> None:
    found = measured.as_measured(predicted, verified(predicted, more=5_000_000))
    beside = [part for part in found.parts if part.group == slug_parts.OTHER]
    assert [part.installed.value for part in beside] == [5_000_000]
    runtime = sum(part.installed.value for part in found.parts)
    assert found.installed.value == found.plain_bytes + found.bytecode_bytes + runtime


def test_what_the_install_measured_is_no_longer_unsized(predicted: SizeReport) -> None:
    doubtful = replace(predicted, unsized=(reports.missing("git-thing", None, "git", 3),))
    left = (Unsized(name="nltk.txt", version=None, reason="downloaded by the build"),)
    assert measured.as_measured(doubtful, verified(predicted)).unsized == ()
    assert measured.as_measured(doubtful, verified(predicted), unsized=left).unsized == left


def test_what_later_steps_of_the_build_write_stays_predicted(predicted: SizeReport) -> None:
    static = Part(
        name="static files (collectstatic)",
        group=slug_parts.STATIC,
        installed=Estimate.predicted(5_000_000, 4_000_000, 6_000_000),
        slug=Estimate.predicted(3_000_000, 2_000_000, 4_000_000),
        note="",
    )
    plain = measured.as_measured(predicted, verified(predicted))
    more = replace(predicted, parts=(*predicted.parts, static))
    found = measured.as_measured(more, verified(more))
    assert found.slug.value == plain.slug.value + 3_000_000
    assert found.installed.value == plain.installed.value + 5_000_000
    assert found.slug.high - found.slug.value >= 1_000_000
    # the packages' shares are those of the tar, which has no static files in it
    shares = [sum(d.slug.value for d in sizes.distributions) for sizes in (plain, found)]
    assert shares[0] == shares[1]

"""Where to keep models: each way's status from its numbers, and the recommendation from those."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import pytest

from slugcheck.advice import storage
from slugcheck.model import (
    Basis,
    Estimate,
    Limit,
    ModelFile,
    ModelPlace,
    Severity,
    Source,
    Status,
    Storage,
    StorageOption,
)

MB, MIB = 10**6, 2**20
NONE = dict.fromkeys(("size_limit", "build_limit", "boot_limit", "checkout_limit"))


def limit(figure: str, value: int) -> Limit:
    source = Source(text="a test", date="2026-01-01")
    unit = "seconds" if figure in ("build", "boot") else "bytes"
    return Limit(
        name=figure,
        figure=figure,
        value=value,
        unit=unit,
        severity=Severity.FAIL,
        text=str(value),
        source=source,
    )


def context(**changes: Any) -> storage.StorageContext:
    """Heroku: 100 MB of slug in 500 MiB, a build of a minute in 15, 60 s to boot, 1 GB checkout."""
    values: dict[str, Any] = {
        "size": Estimate[int].measured(100 * MB),
        "packed": True,
        "build": Estimate[float].predicted(60.0, 50.0, 80.0),
        "size_limit": limit("slug", 500 * MIB),
        "build_limit": limit("build", 900),
        "boot_limit": limit("boot", 60),
        "checkout_limit": limit("checkout", 1000 * MB),
        "checkout_bytes": MB,
    }
    return storage.StorageContext(**(values | changes))


def elsewhere(**changes: Any) -> storage.StorageContext:
    """A platform that limits the installed bytes, and knows no boot or checkout."""
    installed = {"packed": False, "size_limit": limit("installed", 250 * MB)}
    return context(**(NONE | installed | changes))


def model(size: int, name: str = "a.onnx", slug: Estimate[int] | None = None) -> ModelFile:
    return ModelFile(
        path=f"models/{name}",
        bytes=size,
        slug=slug or Estimate[int].measured(size),
        place=ModelPlace.APP,
        method="compressed whole",
    )


def judged(models: Sequence[ModelFile], on: storage.StorageContext) -> dict[Storage, StorageOption]:
    return {option.storage: option for option in storage.judge(models, on)}


def statuses(models: Sequence[ModelFile], on: storage.StorageContext) -> tuple[Status, ...]:
    """In git, at boot, at build."""
    found = judged(models, on)
    return tuple(found[way].status for way in (Storage.SLUG, Storage.BOOT, Storage.BUILD))


def recommended(models: Sequence[ModelFile], on: storage.StorageContext) -> StorageOption:
    (only,) = (option for option in storage.judge(models, on) if option.recommended)
    return only


# --------------------------------------------------------------------------- all ways


def test_without_models_there_is_nothing_to_judge() -> None:
    assert storage.judge((), context()) == ()


def test_small_models_may_be_kept_in_any_way_and_git_is_recommended() -> None:
    models = [model(12 * MB, name) for name in ("a.onnx", "b.onnx", "c.onnx")]
    assert statuses(models, context()) == (Status.PASS,) * 3
    best = recommended(models, context())
    assert best.storage is Storage.SLUG
    assert best.reasons[0] == "within every limit, and there is nothing to download"


def test_the_slug_of_each_way_holds_what_is_in_it() -> None:
    packed = Estimate[int].predicted(30 * MB, 29 * MB, 31 * MB)
    found = judged([model(40 * MB, slug=packed)], context())
    assert found[Storage.BOOT].slug == Estimate[int].measured(100 * MB)
    for way in (Storage.SLUG, Storage.BUILD):
        assert found[way].slug == Estimate[int].predicted(130 * MB, 129 * MB, 131 * MB)


def test_a_slug_over_its_limit_fails_where_the_models_are_in_it() -> None:
    models = [model(90 * MB, f"{n}.onnx") for n in range(5)]
    assert statuses(models, context())[::2] == (Status.FAIL, Status.FAIL)
    assert judged(models, context())[Storage.BUILD].reasons[0] == "slug 524.6M of 500M, 24.6M over"


def test_an_interval_across_the_limit_is_too_close_to_call() -> None:
    near = Estimate[int].predicted(40 * MB, 30 * MB, 50 * MB)
    on = context(size=Estimate[int].measured(480 * MB))
    found = judged([model(45 * MB, slug=near)], on)
    assert found[Storage.BUILD].status is Status.UNKNOWN
    assert "too close to call" in found[Storage.BUILD].reasons[0]


def test_no_way_is_recommended_when_every_way_fails() -> None:
    on = context(size=Estimate[int].measured(600 * MB))
    options = storage.judge([model(7_000 * MB)], on)
    assert {option.status for option in options} == {Status.FAIL}
    assert not any(option.recommended for option in options)


def test_a_predicted_slug_stays_predicted() -> None:
    on = context(size=Estimate[int].predicted(100 * MB, 98 * MB, 102 * MB))
    for option in storage.judge([model(MB)], on):
        assert option.slug.basis is Basis.PREDICTED


# --------------------------------------------------------------------------- in git


@pytest.mark.parametrize(
    ("size", "status"),
    [
        (50 * MIB, Status.PASS),
        (50 * MIB + 1, Status.WARN),
        (100 * MIB, Status.WARN),
        (100 * MIB + 1, Status.FAIL),
    ],
)
def test_github_warns_of_a_large_file_and_refuses_a_larger_one(size: int, status: Status) -> None:
    assert judged([model(size)], context())[Storage.SLUG].status is status


def test_refused_files_are_named_the_largest_first_in_the_limits_unit() -> None:
    sizes = {"small.onnx": 1, "b.onnx": 120, "a.onnx": 130, "c.onnx": 110, "d.onnx": 101}
    models = [model(size * MIB, name) for name, size in sizes.items()]
    on = context(checkout_limit=None, size_limit=None)
    first = judged(models, on)[Storage.SLUG].reasons[0]
    assert first == (
        "GitHub rejects files over 100 MiB: "
        "a.onnx (130.0 MiB), b.onnx (120.0 MiB), c.onnx (110.0 MiB) and 1 more"
    )


def test_a_file_that_github_refuses_is_fetched_at_build() -> None:
    best = recommended([model(200 * MB)], context())
    assert best.storage is Storage.BUILD
    assert best.reasons[0].startswith("not in git: GitHub rejects files over 100 MiB: a.onnx")


def test_a_checkout_over_its_limit_fails_and_comes_first() -> None:
    """Files that compress well: the slug would hold."""
    models = [model(49 * MB, f"{n}.onnx", Estimate[int].measured(MB)) for n in range(21)]
    found = judged(models, context())[Storage.SLUG]
    assert found.status is Status.FAIL
    assert found.reasons[0] == "git checkout 1030 MB is over 1000 MB"


def test_a_checkout_that_is_not_known_is_not_claimed() -> None:
    found = judged([model(12 * MB)], context(checkout_bytes=None))[Storage.SLUG]
    assert "models in the git checkout 12 MB of 1000 MB" in found.reasons


# --------------------------------------------------------------------------- at boot


@pytest.mark.parametrize(
    ("size", "status"),
    [
        (300 * MB, Status.PASS),  # 30 s of 60 at the slowest rate
        (301 * MB, Status.WARN),
        (600 * MB, Status.WARN),
        (601 * MB, Status.UNKNOWN),  # over 60 s at the slowest rate only
        (6_000 * MB, Status.UNKNOWN),
        (6_001 * MB, Status.FAIL),  # over 60 s at the fastest
    ],
)
def test_the_time_to_boot_is_judged_from_the_slowest_to_the_fastest_download(
    size: int, status: Status
) -> None:
    found = judged([model(size)], context())[Storage.BOOT]
    assert found.status is status


def test_seconds_are_of_all_models_at_each_bandwidth() -> None:
    found = judged([model(100 * MB), model(50 * MB, "b.onnx")], context())[Storage.BOOT]
    seconds = {one.bytes_per_second: one.seconds for one in found.downloads}
    assert seconds == {10e6: 15.0, 25e6: 6.0, 100e6: 1.5}


def test_the_time_left_to_boot_is_never_rounded_up() -> None:
    found = judged([model(194 * MB)], context())[Storage.BOOT]  # 19.4 s
    assert "leaves the app 40 of 60 s to boot, even at 10 MB/s" in found.reasons


def test_a_slow_download_is_told_with_its_seconds() -> None:
    found = judged([model(1_500 * MB)], context())[Storage.BOOT]
    assert any("the download takes 150 s at 10 MB/s" in reason for reason in found.reasons)


def test_what_is_downloaded_at_boot_is_downloaded_again_at_every_restart() -> None:
    found = judged([model(MB)], context())[Storage.BOOT]
    assert "downloaded at every restart (at least once a day) on every dyno" in found.reasons


def test_boot_is_recommended_when_the_slug_cannot_hold_the_models() -> None:
    best = recommended([model(550 * MB)], context())
    assert best.storage is Storage.BOOT
    assert best.reasons[0].startswith("neither in git nor at build: slug ")


# --------------------------------------------------------------------------- at build


@pytest.mark.parametrize(
    ("build", "status"),
    [
        ((700.0, 800.0), Status.PASS),
        ((700.0, 891.0), Status.UNKNOWN),  # and 10 s at the slowest rate
        ((899.5, 950.0), Status.FAIL),  # and 1 s at the fastest
    ],
)
def test_the_download_counts_in_the_build(build: tuple[float, float], status: Status) -> None:
    on = context(build=Estimate[float].predicted(build[0], *build))
    found = judged([model(100 * MB)], on)[Storage.BUILD]
    assert found.status is status
    if status is not Status.PASS:
        assert found.reasons[0].startswith("build including the download ")


# --------------------------------------------------------------------------- other platforms


def test_installed_bytes_count_where_the_platform_limits_those() -> None:
    packed = Estimate[int].measured(MB)  # compresses to nearly nothing, which does not matter there
    assert statuses([model(160 * MB, slug=packed)], elsewhere()) == (
        Status.FAIL,
        Status.PASS,
        Status.FAIL,
    )


def test_what_is_herokus_alone_is_not_said_of_another_platform() -> None:
    said = " ".join(
        f"{option.title} {' '.join(option.reasons)}"
        for option in storage.judge([model(120 * MB)], elsewhere())
    )
    for word in ("slug", "dyno", "Heroku", "post_compile", "once a day", "checkout"):
        assert word not in said


def test_without_any_limit_sizes_are_told_and_github_still_counts() -> None:
    assert statuses([model(120 * MB)], elsewhere(size_limit=None)) == (
        Status.FAIL,
        Status.PASS,
        Status.PASS,
    )


# --------------------------------------------------------------------------- in whole sentences

HISTORY = "every version of a model stays in git's history"
RESTART = "downloaded at every restart (at least once a day) on every dyno"
POST_COMPILE = "downloaded by bin/post_compile: in the slug, but not in git"
LARGE = "GitHub warns about files over 50 MiB: a.onnx (60.0 MiB)"
LATE = Estimate[float].predicted(899.5, 899.5, 899.5)


def test_every_way_says_its_reasons_the_worst_first() -> None:
    in_git, at_boot, at_build = storage.judge([model(60 * MIB)], context())
    assert (in_git.title, in_git.reasons) == (
        "in git and in the slug",
        (LARGE, "slug 155.4M of 500M", "git checkout 64 MB of 1000 MB", HISTORY),
    )  # fmt: skip
    assert (at_boot.title, at_boot.reasons) == (
        "object storage, fetched at boot",
        ("slug 95.4M of 500M", "leaves the app 53 of 60 s to boot, even at 10 MB/s", RESTART),
    )  # fmt: skip
    assert (at_build.title, at_build.reasons) == (
        "object storage, fetched at build",
        (f"not in git: {LARGE}", "slug 155.4M of 500M",
         "build including the download 0:51 to 1:27 of 15:00", POST_COMPILE),
    )  # fmt: skip


def test_a_platform_that_counts_what_is_installed_speaks_of_a_package() -> None:
    in_git, at_boot, at_build = storage.judge([model(60 * MIB)], elsewhere())
    assert in_git.title == "in git and in the package"
    assert in_git.reasons == (LARGE, "package 163 MB of 250 MB", HISTORY)
    again = "downloaded whenever an instance starts with an empty disk"
    assert at_boot.reasons == ("package 100 MB of 250 MB", again)
    where = "downloaded by a build step: in the package, but not in git"
    assert at_build.reasons == (f"not in git: {LARGE}", "package 163 MB of 250 MB", where)


@pytest.mark.parametrize(
    ("size", "changes", "way", "why"),
    [
        (12 * MB, {}, Storage.SLUG, "within every limit, and there is nothing to download"),
        (60 * MIB, {"build": LATE, "boot_limit": limit("boot", 10)}, Storage.SLUG,
         "no other option is better, and there is nothing to download"),
        (120 * MB, {"build": LATE}, Storage.BOOT,
         "not in git: GitHub rejects files over 100 MiB: a.onnx (114.5 MiB); not at build: build "
         "including the download 15:01 to 15:12 is over 15:00"),
        (450 * MB, {}, Storage.BOOT,
         "neither in git nor at build: slug 524.6M of 500M, 24.6M over"),
        (200 * MB, {}, Storage.BUILD,
         "not in git: GitHub rejects files over 100 MiB: a.onnx (190.8 MiB)"),
    ],
)  # fmt: skip
def test_the_recommended_way_says_why(
    size: int, changes: dict[str, Any], way: Storage, why: str
) -> None:
    best = recommended([model(size)], context(**changes))
    assert (best.storage, best.reasons[0]) == (way, why)


@pytest.mark.parametrize(
    ("size", "seconds", "said"),
    [
        (60 * MIB, 10, "the download takes 7 s at 10 MB/s, which leaves the app 3 of 10 s to boot"),
        (601 * MB, 60,
         "boot time depends on bandwidth: the download takes 61 s at 10 MB/s (limit 60 s)"),
        (120 * MB, 1, "the download alone takes 2 s even at 100 MB/s; the boot limit is 1 s"),
    ],
)  # fmt: skip
def test_what_a_download_does_to_the_boot_is_said(size: int, seconds: int, said: str) -> None:
    found = judged([model(size)], context(boot_limit=limit("boot", seconds)))[Storage.BOOT]
    assert said in found.reasons


# --------------------------------------------------------------------------- constants


def test_every_constant_has_its_source_and_day() -> None:
    text = resources.files("slugcheck.advice").joinpath("storage.toml").read_text("utf-8")
    for name, table in tomllib.loads(text).items():
        assert table["source"], name
        assert len(table["date"]) == len("2026-11-24"), name

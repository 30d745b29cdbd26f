"""The causes of a size: what several lines need is shown once, and the arithmetic adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from slugcheck.render.view import DASH
from tests.support.commands import slugcheck
from tests.support.server import PackageServer
from tests.support.stock import NATIVE, noise

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")

SHARED = "torch\ntorchvision\nultralytics\nflask\n"


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    """Torch with two CUDA libraries, two packages that need it, and one that does not."""

    def add(name: str, size: int, requires: Iterable[str] = ()) -> None:
        files = {f"{name}/core.so": noise(size, len(name))}
        package_server.add_wheel(name, "1.0", files, tag=NATIVE, requires=tuple(requires))

    add("nvidia-cublas-cu12", 4_000_000)
    add("triton", 2_000_000)
    add("torch", 4_000_000, ["nvidia-cublas-cu12", "triton"])
    add("torchvision", 100_000, ["torch"])
    add("psutil", 50_000)
    add("ultralytics", 60_000, ["torch", "torchvision", "psutil"])
    add("flask", 300_000)
    add("cupy-cuda12x", 3_000_000)
    add("solver", 20_000, ["cupy-cuda12x"])
    return package_server


@pytest.fixture
def check(index: PackageServer, requirements: Write) -> Callable[..., Any]:
    def run(text: str, *flags: str) -> Any:
        path = requirements(text)
        return slugcheck(path, "--index-url", index.index_url, "--python", "3.12", *flags)

    return run


def test_cuda_is_shown_once_with_every_line_that_requires_it(check: Callable[..., Any]) -> None:
    lines = check(SHARED).out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("largest contributors"))
    name, *_, freed, shared = lines[start + 1].rsplit(maxsplit=4)
    assert name.startswith("CUDA libraries of torch")
    assert (freed, shared) == (DASH, "shared")
    assert lines[start + 2].strip() == "required by torch, torchvision and ultralytics"
    assert lines[start + 3].startswith("torch itself ")
    assert lines[start + 4].strip() == "required by its own line, torchvision and ultralytics"
    assert sum("CUDA libraries" in line for line in lines) == 1
    assert "shared: gone only with the last line that requires it" in " ".join(
        " ".join(lines).split()
    )


def test_a_total_is_what_a_line_frees_and_what_it_shares(check: Callable[..., Any]) -> None:
    document = check(SHARED, "--format", "json").document
    sizes = {size["name"]: size["slug_bytes"] for size in document["distributions"]}
    causes = {cause["name"]: cause for cause in document["causes"]}
    cuda = causes["CUDA libraries of torch"]
    assert cuda["names"] == ["nvidia-cublas-cu12", "triton"]
    assert cuda["slug_bytes"] == sizes["nvidia-cublas-cu12"] + sizes["triton"]
    for root in document["roots"]:
        assert root["shared_slug_bytes"] == sum(sizes[name] for name in root["shared"])
        needed = [c["slug_bytes"] for c in causes.values() if root["name"] in c["roots"]]
        assert root["shared_slug_bytes"] == sum(needed)
    # nothing is counted twice, and nothing is left out
    freed = sum(root["exclusive_slug_bytes"] for root in document["roots"])
    shared = sum(cause["slug_bytes"] for cause in document["causes"] if cause["shared"])
    assert freed + shared == document["totals"]["dependencies_slug_bytes"]


def test_cuda_under_a_single_line_is_a_part_of_it(check: Callable[..., Any]) -> None:
    done = check("ultralytics\nflask\n")
    lines = done.out.splitlines()
    start = next(n for n, text in enumerate(lines) if text.startswith("largest contributors"))
    rows = lines[start + 1 : start + 4]
    assert rows[0].startswith("ultralytics ")
    assert rows[1].startswith("  CUDA libraries of torch")
    assert rows[1].endswith("included")
    assert "shared: gone" not in done.out
    (cause,) = check("ultralytics\nflask\n", "--format", "json").document["causes"]
    assert (cause["roots"], cause["shared"]) == (["ultralytics"], False)


def test_what_one_line_frees_is_in_no_group_that_several_share(check: Callable[..., Any]) -> None:
    document = check(f"{SHARED}solver\n", "--format", "json").document
    causes = {cause["name"]: cause for cause in document["causes"]}
    assert causes["CUDA libraries of torch"]["names"] == ["nvidia-cublas-cu12", "triton"]
    own = causes["cupy-cuda12x"]
    assert (own["roots"], own["shared"]) == (["solver"], False)
    solver = next(root for root in document["roots"] if root["name"] == "solver")
    assert solver["exclusive"] == ["cupy-cuda12x", "solver"]


def test_a_frozen_file_names_the_lines_that_need_cuda_and_not_cuda_itself(
    check: Callable[..., Any],
) -> None:
    frozen = "nvidia-cublas-cu12\ntorch\ntriton\n"
    document = check(frozen, "--format", "json").document
    (cuda,) = (cause for cause in document["causes"] if len(cause["names"]) > 1)
    assert cuda["roots"] == ["torch"]
    assert "   required by torch\n" in check(frozen).out


def test_lines_that_share_nothing_have_no_causes(check: Callable[..., Any]) -> None:
    assert check("flask\npsutil\n", "--format", "json").document["causes"] == []

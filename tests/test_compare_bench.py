"""``slugcheck compare --bench``: sizes and footprints in one table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from slugcheck.benching import agreement
from slugcheck.model.bench import BenchResult
from slugcheck.model.document.saved import dumps
from slugcheck.model.to_document.bench import bench_document
from tests.support import stock
from tests.support.benches import heavy, light, result
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    for name in ("torch", "onnxruntime"):
        package_server.add_wheel(name, "1.0", {f"{name}/__init__.py": "x = 1\n" * 100})
    return stock.fill(package_server)


@pytest.fixture
def lists(requirements: Write) -> tuple[Path, Path]:
    return requirements("torch==1.0\n", "torch.txt"), requirements("onnxruntime==1.0\n", "onnx.txt")


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def write(found: BenchResult, name: str = "result.json") -> Path:
        path = tmp_path / name
        path.write_text(dumps(bench_document(found)), encoding="utf-8")
        return path

    return write


def compare(index: PackageServer, *more: object) -> Done:
    return slugcheck("compare", *more, "--index-url", index.index_url, "--python", "3.12")


def test_each_stack_gets_the_figures_of_its_own_runtime(
    index: PackageServer, lists: tuple[Path, Path], saved: Callable[..., Path]
) -> None:
    path = saved(result(heavy(), light()))
    done = compare(index, *lists, "--bench", path, "--format", "json")
    assert done.code == 0, done.err
    torch, onnx = (done.document["footprints"][name] for name in ("torch.txt", "onnx.txt"))
    assert torch["runtime"] == "PyTorch 1.0"
    assert torch["rss_bytes"] == pytest.approx(382.5 * 2**20, rel=1e-6)
    assert onnx["rss_bytes"] == pytest.approx(117.5 * 2**20, rel=1e-6)
    assert onnx["cpu_ms"] == pytest.approx(52.5)
    for form in ("table", "markdown"):
        text = compare(index, *lists, "--bench", path, "--format", form).out
        assert "382.5" in text
        assert "117.5" in text
        assert "footprints were measured on AMD EPYC, 2 cores" in " ".join(text.split())


def test_a_result_may_begin_with_a_byte_order_mark(
    index: PackageServer, lists: tuple[Path, Path], saved: Callable[..., Path]
) -> None:
    path = saved(result(heavy(), light()))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())  # as PowerShell saves it
    done = compare(index, *lists, "--bench", path, "--format", "json")
    assert done.code == 0, done.err
    assert done.document["footprints"]["torch.txt"]["runtime"] == "PyTorch 1.0"


def test_another_version_than_the_lists_is_told(
    index: PackageServer, lists: tuple[Path, Path], saved: Callable[..., Path]
) -> None:
    newer = replace(light(), stack=replace(light().stack, version="9.9"))
    done = compare(index, *lists, "--bench", saved(result(newer)), "--format", "json")
    assert "onnxruntime 1.0, but its footprint was measured with 9.9" in done.out
    assert done.document["footprints"]["torch.txt"] is None


def test_two_machines_are_never_compared_silently(
    index: PackageServer, lists: tuple[Path, Path], saved: Callable[..., Path]
) -> None:
    here, there = result(heavy()), result(light())
    there = replace(there, host=replace(there.host, identity="b", processor="Xeon"))
    paths = saved(here, "a.json"), saved(there, "b.json")
    more = [word for path in paths for word in ("--bench", path)]
    done = compare(index, *lists, *more, "--format", "json")
    assert "footprints are from 2 machines: times differ" in done.out


def test_stacks_that_compute_something_else_are_told(
    index: PackageServer, lists: tuple[Path, Path], saved: Callable[..., Path]
) -> None:
    failed = agreement.compare(("PyTorch", "ONNX Runtime"), [{"name": "a", "shape": [1]}], [])
    path = saved(replace(result(heavy(), light()), agreement=failed))
    done = compare(index, *lists, "--bench", path)
    assert "not the same model" in " ".join(done.out.split())


def test_what_is_no_result_is_one_line(
    index: PackageServer, lists: tuple[Path, Path], saved: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "text.json").write_text("hello")
    other = saved(result(light()), "other.json")
    other.write_text(other.read_text().replace('"bench"', '"other"'))
    slugcheck(lists[1], "--index-url", index.index_url, "--output", tmp_path / "report.json")
    (tmp_path / "old.json").write_text('{"schema": 99, "kind": "bench"}')
    (tmp_path / "part.json").write_text('{"schema": 1, "kind": "bench"}')
    endless = json.loads(saved(result(light())).read_text())
    endless["stacks"][0]["summary"]["rss_bytes"]["peak"]["median"] = float("inf")
    (tmp_path / "endless.json").write_text(json.dumps(endless))
    twice = saved(result(light())), saved(result(light()), "again.json")
    for benches, words in (
        ([tmp_path / "none.json"], "cannot be read"),
        ([tmp_path / "text.json"], "is not JSON"),
        ([tmp_path / "report.json"], "kind is missing"),
        ([tmp_path / "other.json"], "kind has an unknown value"),
        ([tmp_path / "old.json"], "has schema 99"),
        ([tmp_path / "part.json"], "stacks is missing"),
        (
            [tmp_path / "endless.json"],
            "endless.json: stacks[0].summary.rss_bytes[...].median is out of range",
        ),
        (twice, "has several results of bench"),
    ):
        more = [word for path in benches for word in ("--bench", path)]
        done = compare(index, *lists, *more)
        assert (done.code, done.out) == (2, ""), words
        assert words in done.err
        assert "Traceback" not in done.err


def test_a_result_of_another_runtime_is_told(
    index: PackageServer, requirements: Write, saved: Callable[..., Path]
) -> None:
    one, other = requirements("webapp==1.0\n", "a.txt"), requirements("light==1.1\n", "b.txt")
    done = compare(index, one, other, "--bench", saved(result(light())))
    assert done.code == 2
    assert "no candidate has a measured runtime (ONNX Runtime)" in done.err


def test_a_saved_result_is_json_without_infinities(saved: Callable[..., Path]) -> None:
    import numpy

    far = agreement.difference("a", numpy.array([1.0]), numpy.array([numpy.nan]))
    failed = replace(agreement.compare(("a", "b"), [], []), outputs=(far,))
    document = json.loads(saved(replace(result(light()), agreement=failed)).read_text())
    assert document["agreement"]["max_abs"] is None

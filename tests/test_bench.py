"""``slugcheck bench`` from the command line, with the real ONNX Runtime on tiny models."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from benchmarks import bench_model
from slugcheck.benching import model, plan
from slugcheck.benching.plan import BenchOptions, Setup
from slugcheck.running.launcher import Launcher
from tests.support.benches import environment, write_onnx
from tests.support.commands import Done, slugcheck

QUICK = ("--processes", "1", "--runs", "3")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A function that writes a model which multiplies what it is given."""
    folder = tmp_path_factory.mktemp("models")

    def write(*shape: int | str, name: str = "tiny.onnx", factor: float = 2.0) -> Path:
        weights = [helper.make_tensor("factor", TensorProto.FLOAT, [1], [factor])]
        return write_onnx(folder / name, ("Mul", "x", "factor"), shape, weights)

    return write


def bench(*more: object) -> Done:
    return slugcheck("bench", "--quiet", *QUICK, *more)


@pytest.fixture(scope="module")
def embedded_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, dict[str, Any], str]:
    """One run without arguments, in all its forms."""
    folder = tmp_path_factory.mktemp("run")
    done = slugcheck(
        "bench", "-q", "--processes", "2", "--runs", "3", "-o", folder / "r.json",
        "-o", folder / "r.md", "--plot", folder / "r.svg", "--plot", folder / "r.png",
    )  # fmt: skip
    assert (folder / "r.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (folder / "r.svg").read_bytes()
    document = json.loads((folder / "r.json").read_text())
    return done, document, (folder / "r.md").read_text()


# --------------------------------------------------------------------------- a whole run


@pytest.mark.slow
def test_without_arguments_onnx_runtime_is_measured_whole(
    embedded_run: tuple[Done, dict[str, Any], str],
) -> None:
    done, document, _ = embedded_run
    assert done.code == 0, done.err
    stack = document["stacks"][-1]
    summary = stack["summary"]
    stages = ["baseline", "import", "load", "first", "steady", "peak"]
    rss = [summary["rss_bytes"][stage]["median"] for stage in stages]
    assert rss == sorted(rss)
    assert 5 * 10**6 < rss[0] < rss[1] < rss[2]
    for stage in stages:
        assert summary["anon_bytes"][stage]["median"] <= summary["rss_bytes"][stage]["median"]
    assert 0 < summary["import_seconds"]["median"] < summary["cold_start_seconds"]["median"]
    assert summary["latency"]["count"] == 6
    assert summary["cpu_ms"]["median"] > 0.1
    assert len(stack["samples"]) == 2
    assert len(stack["samples"][0]["wall_ns"]) == 3
    assert stack["environment_bytes"] > 50 * 10**6
    assert 4 * 10**6 < stack["model_bytes"] < 5 * 10**6


def test_every_part_of_the_result_is_in_the_document(
    embedded_run: tuple[Done, dict[str, Any], str],
) -> None:
    _, document, _ = embedded_run
    assert (document["schema"], document["kind"]) == (1, "bench")
    host = document["host"]
    assert host["cores"] >= 1
    assert host["processor"]
    assert document["conditions"]["inputs"][0]["shape"] == [1, 3, 320, 320]
    row = next(d for d in document["dynos"] if "standard-1x" in d["names"])
    assert row["workers_started"] == 2
    fit = row["fits"][-1]
    assert fit["rss"] == pytest.approx(
        2 * document["stacks"][-1]["summary"]["rss_bytes"]["peak"]["median"],
        abs=2,
    )


def test_the_table_and_the_markdown_have_the_figures_of_the_document(
    embedded_run: tuple[Done, dict[str, Any], str],
) -> None:
    done, document, markdown = embedded_run
    peak = document["stacks"][-1]["summary"]["rss_bytes"]["peak"]["median"]
    shown = f"{-(-round(peak) * 10 // 2**20) / 10:,.1f}"
    for text in (done.out, markdown):
        assert shown in text
        for words in ("cold start, s", "CPU per inference, ms", "standard-1x", "2 processes"):
            assert words in text
    assert "2 processes: 50 % confidence interval of the median" in done.out


def test_the_embedded_model_is_the_same_everywhere(tmp_path: Path) -> None:
    files = model.write(tmp_path)
    assert hashlib.sha256(files.weights.read_bytes()).hexdigest()[:16] == "3448f51c91c22068"
    assert hashlib.sha256(files.onnx.read_bytes()).hexdigest()[:16] == "7a3f654b9c1c78af"


def test_the_script_writes_the_model_that_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = bench_model.FOLDER
    monkeypatch.setattr(bench_model, "FOLDER", tmp_path)
    bench_model.main()
    for name, unpacked in (("detector.json", bytes), ("detector.onnx.gz", gzip.decompress)):
        made, kept = ((folder / name).read_bytes() for folder in (tmp_path, shipped))
        assert unpacked(made) == unpacked(kept)


# --------------------------------------------------------------------------- own models


@pytest.mark.slow
def test_an_own_model_is_given_what_its_signature_says(tiny: Callable[..., Path]) -> None:
    done = bench("--onnx", tiny("batch", 8), "--batch", "7", "--format", "json")
    assert done.code == 0, done.err
    fed = done.document["conditions"]["inputs"]
    assert [(one["name"], one["dtype"], one["shape"]) for one in fed] == [("x", "float32", [7, 8])]


def test_a_dynamic_axis_needs_a_value_and_the_error_says_which(tiny: Callable[..., Path]) -> None:
    done = bench("--onnx", tiny("batch", "width", 3))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: input shape unknown: axis 1 of x (width)\n")
    assert "--input x=1x640x3" in done.err


@pytest.mark.slow
def test_a_file_of_numbers_is_given_a_memory_limit_tried_and_nothing_left(
    tiny: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy

    values, folder = tmp_path / "values.npy", tmp_path / "temporary"
    numpy.save(values, numpy.ones((1, 8), numpy.float32))
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    more = ("--input", values, "--memory-limit", "400M", "--format", "json")
    done = bench("--onnx", tiny(1, 8), *more)
    assert done.code == 0, done.err
    assert done.document["conditions"]["inputs"][0]["origin"] == "values.npy"
    (trial,) = done.document["trials"]
    assert trial["outcome"] == "ok"
    assert trial["limit_bytes"] == 400 * 2**20
    assert trial["method"] in ("cgroup-v1", "cgroup-v2", "systemd", "watchdog")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--onnx", "none.onnx"], "--onnx none.onnx: file not found"),
        (["--torch", "none.pt"], "--torch none.pt: file not found"),
        (["--torch", "a b:c"], "not a file or module:function"),
        (["--input", "1x0"], "every axis must be greater than zero"),
        (["--input", "1x3:float99"], "unknown type float99"),
        (["--input", "picture.gif"], "not a shape, a .npy file or a picture"),
        (["--input", "1x3x9x9"], "the model expects 1x3x320x320"),
        (["--python", "onnx=/none/python"], "interpreter not found"),
        (["--requirements", "none.txt"], "--requirements none.txt: file not found"),
        (["--dyno", "huge"], "Heroku has no machine size 'huge'"),
        (["--memory-limit", "12X"], "--memory-limit: '12X' is not a size"),
        (["--memory-limit", "1M"], "no Python app runs in less than 16M"),
        (["--time-limit", "soon"], "--time-limit: 'soon' is not a duration"),
        (["--plot", "plot.gif"], "a plot is a .svg or .png file"),
        (["--platform", "nowhere"], "nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_exit_2(more: list[str], words: str) -> None:
    done = bench(*more)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert "Traceback" not in done.err
    assert done.err.startswith("error: ")


def test_a_file_that_is_no_model_is_one_line_and_exit_3(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"nonsense" * 100)
    done = bench("--onnx", path)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("error: ONNX Runtime: broken.onnx cannot be loaded: ")
    assert len(done.err.splitlines()) == 1


# --------------------------------------------------------------------------- a stack that fails


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os\nos.abort()", "importing the runtime: it aborted"),
        ("import os\nos.kill(os.getpid(), 9)", "importing the runtime: killed"),
        ("import sys\nsys.exit('licence needed')", "importing the runtime: licence needed"),
    ],
    ids=["crash", "kill", "exit"],
)
def test_a_runtime_that_cannot_be_imported_says_how_it_ended(
    launcher: Launcher, tmp_path: Path, source: str, words: str
) -> None:
    (tmp_path / "torch.py").write_text(source)
    (tmp_path / "model.pt").touch()
    (form,) = plan.forms(BenchOptions(torch=str(tmp_path / "model.pt")))
    setup = Setup(form=form, python=sys.executable, threads=1)
    worker = replace(setup.worker("full"), environment={"PYTHONPATH": str(tmp_path)})
    assert words in launcher.run(worker).problem


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    with Launcher() as found:
        yield found


@pytest.mark.slow
def test_one_stack_that_fails_is_one_line_and_the_other_is_kept(
    tiny: Callable[..., Path], tmp_path: Path
) -> None:
    python = environment(tmp_path / "env", "raise RuntimeError('no [bold]luck\\x1b[31m')")
    (tmp_path / "model.pt").touch()
    models = ("--onnx", tiny(1, 8), "--torch", tmp_path / "model.pt")
    done = bench(*models, "--python", f"torch={python}")
    assert done.code == 3
    said = " ".join(done.out.split())
    assert "PyTorch was not measured: importing the runtime: RuntimeError: no" in said
    assert "\x1b[31m" not in done.out
    assert "ONNX Runtime 1." in done.out


@pytest.mark.slow
def test_a_runtime_that_is_not_there_is_told_where_it_was_asked_for(
    tiny: Callable[..., Path], tmp_path: Path
) -> None:
    python = environment(tmp_path / "env")
    (tmp_path / "model.pt").touch()
    onnx, torch = ("--onnx", tiny(1, 8)), ("--torch", tmp_path / "model.pt")
    done = bench(*onnx, *torch, "--python", python, "--python", f"torch={python}")
    assert done.code == 3
    said = " ".join(done.out.split())
    assert "has no torch" in said
    assert "ONNX Runtime 1." in done.out
    assert "ONNX Runtime ran on slugcheck's own interpreter" in said
    named = bench(*onnx, "--python", f"onnx={python}")
    assert (named.code, named.out) == (3, "")
    assert "has no onnxruntime" in named.err
    assert "hint: " in named.err


# --------------------------------------------------------------------------- settings that save


@pytest.mark.slow
def test_variants_are_rows_with_their_saving_cost_and_error(
    tiny: Callable[..., Path], tmp_path: Path
) -> None:
    path = tmp_path / "result.json"
    model = tiny(1, 3, "height", 64)
    done = bench("--onnx", model, "--input", "x=1x3x64x64", "--variants", "--output", path)
    assert done.code == 0, done.err
    document = json.loads(path.read_text())
    assert document["conditions"]["inputs"][0]["shape"] == [1, 3, 64, 64]
    by_name = {one["name"]: one for one in document["variants"]}
    assert {"no memory pattern", "default threads", ".ort file"} <= set(by_name)
    pattern = by_name["no memory pattern"]
    assert (pattern["reason"], pattern["error"]) == ("", 0.0)
    assert pattern["peak"]["count"] == 3
    assert by_name[".ort file"]["reason"] == ""
    assert "ONNX Runtime settings" in done.out
    assert "no memory pattern" in done.out

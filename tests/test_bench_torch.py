"""PyTorch in bench: where an interpreter has it. It is never imported into the tests' process."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slugcheck.benching import agreement, environments, inputs, plan, variants
from slugcheck.benching.environments import Environment
from slugcheck.benching.plan import BenchOptions, Form, Setup
from slugcheck.benching.statistics import peak
from slugcheck.benching.trials import sample
from slugcheck.benching.variants import Base
from slugcheck.model.bench import Agreement, Runtime
from slugcheck.model.report import Status
from slugcheck.running.launcher import Launcher
from tests.support.benches import torch_python, write_onnx
from tests.support.commands import Done, slugcheck

__all__ = ["torch_python"]
EXAMPLE = Path(__file__).parent.parent / "examples" / "pest_detection"
FACTORY = """
import torch

class Model(torch.nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor([factor]))

    def forward(self, x):
        return x * self.factor

def two(): return Model(2.0)
def three(): return Model(3.0)
class Deep(Model):
    def forward(self, x):
        for _ in range(12):
            x = (x * self.factor).tanh()
        return x

def large(): return Deep(2.0)
"""


def bench(python: str, *more: object) -> Done:
    quick = ("--processes", "1", "--runs", "3")
    return slugcheck("bench", "-q", *quick, "--python", f"torch={python}", *more)


@pytest.fixture
def factory(tmp_path: Path) -> Path:
    path = tmp_path / "models.py"
    path.write_text(FACTORY, encoding="utf-8")
    return path


def test_the_embedded_pair_agrees_and_pytorch_takes_more_memory(
    torch_python: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    done = bench(torch_python, "--output", path)
    assert done.code == 0, done.err
    document = json.loads(path.read_text())
    assert document["agreement"]["status"] == "pass"
    assert document["agreement"]["max_rel"] < 1e-3
    torch, onnx = document["stacks"]
    assert (torch["runtime"], onnx["runtime"]) == ("torch", "onnxruntime")
    peaks = [one["summary"]["rss_bytes"]["peak"]["median"] for one in (torch, onnx)]
    assert peaks[0] > 1.5 * peaks[1]
    assert len(document["ratio"]["blocks"]) == 8
    assert document["conclusion"]["label"] == "ONNX Runtime"
    assert "outputs agree" in done.out
    assert "take ONNX Runtime" in done.out


def compared(python: str, onnx: Path, torch: str) -> tuple[Agreement, tuple[Form, Form]]:
    """Run each model once, on what ``bench`` would give it; return how far they agree."""
    first, second = plan.forms(BenchOptions(onnx=onnx, torch=torch))
    with Launcher() as launcher:
        here = environments.find(launcher, second.runtime, [sys.executable])
        assert isinstance(here, Environment)
        specs = environments.signature(launcher, second, here)
        _, given = inputs.feed(inputs.settle(specs, (), None), launcher)
        found = []
        for form, program in ((first, python), (second, here.program)):
            setup = Setup(form=form, python=program, threads=1, inputs=given)
            folder = launcher.folder / form.runtime
            folder.mkdir()
            worker = setup.worker("full", runs=1, outputs=str(folder))
            once = {"least": 1, "warmups": 0}  # nothing is timed
            ended = launcher.run(replace(worker, job={**worker.job, **once}))
            assert not ended.problem
            outputs = ended.event("outputs")
            assert outputs is not None
            found.append(outputs["outputs"])
        return agreement.compare((first.label, second.label), *found), (first, second)


def test_two_that_do_not_compute_the_same_do_not_agree(torch_python: str, factory: Path) -> None:
    onnx = write_onnx(factory.parent / "tiny.onnx", ("Add", "x", "x"), (1, 8))
    found, _ = compared(torch_python, onnx, f"{factory}:three")
    assert found.status is Status.FAIL
    assert found.max_rel == pytest.approx(1 / 3, rel=0.01)


def test_a_model_that_says_nothing_of_its_inputs_needs_them(
    torch_python: str, factory: Path
) -> None:
    done = bench(torch_python, "--torch", f"{factory}:two")
    assert (done.code, done.out) == (2, "")
    assert "--input" in done.err


class Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._folder),)


def test_a_pickled_module_is_refused_without_running_it(torch_python: str, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as file:  # as torch.save writes it
        file.writestr("model/data.pkl", pickle.dumps(Trap(trap), protocol=2))
        file.writestr("model/version", "3\n")
    (form,) = plan.forms(BenchOptions(torch=str(tmp_path / "model.pt")))
    with Launcher() as launcher:
        setup = Setup(form=form, python=torch_python, threads=1)
        ended = launcher.run(setup.worker("full", runs=1))
    assert "loading the model: neither TorchScript nor" in ended.problem
    assert not trap.exists()


def test_gradients_left_on_are_measured(torch_python: str, factory: Path) -> None:
    """A forward pass that keeps what a backward pass would need takes more at its peak."""
    form = Form(
        runtime=Runtime.TORCH, label="PyTorch", model="large",
        job={"model": None, "factory": "models:large", "path": [str(factory.parent)]}, files=(),
    )  # fmt: skip
    with Launcher() as launcher:
        values = launcher.folder / "input.bin"
        values.write_bytes(bytes(4 * 1_000_000))
        given = {"path": str(values), "dtype": "float32", "shape": [1_000_000]}
        setup = Setup(form=form, python=torch_python, threads=1, inputs=(given,))
        before = sample(launcher.run(setup.worker("full", runs=3)))
        assert before is not None
        base = Base(setup=setup, samples=[before], outputs=())
        way = next(one for one in variants.tried_ways(setup) if one.name == "gradients left on")
        found = variants.measure(launcher, base, way, runs=3)
    assert found.reason == ""
    assert found.saves_bytes is not None
    assert found.saves_bytes < -50 * 10**6  # 24 tensors of 4 MB are kept
    assert len(found.samples) == 3
    assert min(peak(one, "rss") or 0 for one in found.samples) > (peak(before, "rss") or 0)
    frozen = next(one for one in variants.tried_ways(setup) if one.name == "traced and frozen")
    assert {"channels last", "no_grad", "MALLOC_ARENA_MAX=2"} < {
        w.name for w in variants.tried_ways(setup)
    }
    assert frozen.made == "frozen"


# --------------------------------------------------------------------------- the example


@pytest.fixture(scope="module")
def example(torch_python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example with its models, in both forms."""
    needs = ("cv2", "dotenv", "flask", "onnx", "onnxruntime", "pymysql", "torch")
    code = f"import sys, importlib.util\nsys.exit(not all(map(importlib.util.find_spec, {needs})))"
    if subprocess.run([torch_python, "-c", code], check=False).returncode:
        pytest.skip(f"the interpreter with PyTorch lacks one of {', '.join(needs)}")
    folder = tmp_path_factory.mktemp("example") / "pest_detection"
    kept = shutil.ignore_patterns("models", "models_torch", "__pycache__")
    shutil.copytree(EXAMPLE, folder, ignore=kept)
    made = [torch_python, "make_models.py", "--torch"]
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    return folder


ASK = """
import io, json, sys
import cv2, numpy as np
module = __import__(sys.argv[1])
draw = np.random.default_rng(1)
picture = np.full((480, 720, 3), (60, 140, 70), np.uint8)
for _ in range(60):
    place = (int(draw.integers(0, 720)), int(draw.integers(0, 480)))
    colour = tuple(int(value) for value in draw.integers(0, 255, 3))
    cv2.circle(picture, place, int(draw.integers(4, 40)), colour, -1)
image = cv2.imencode(".png", picture)[1].tobytes()
client = module.app.test_client()
answers = []
for name in ("pests", "diseases", "nothing"):
    found = client.post(f"/detect/{name}", data={"image": (io.BytesIO(image), "leaf.png")})
    answers.append([found.status_code, found.get_json(silent=True)])
bad = client.post("/detect/pests", data={"image": (io.BytesIO(b"text"), "leaf.png")})
answers.append([bad.status_code, None])
print(json.dumps(answers))
"""


def test_both_apis_answer_a_request_with_the_same_detections(
    example: Path, torch_python: str
) -> None:
    answers: list[Any] = []
    for module in ("pest_detection_api", "pest_detection_api_onnx"):
        command = [torch_python, "-W", "ignore", "-c", ASK, module]
        done = subprocess.run(command, cwd=example, check=True, capture_output=True, text=True)
        answers.append(json.loads(done.stdout))
    torch, onnx = answers
    assert [status for status, _ in torch] == [200, 200, 404, 400]
    assert [status for status, _ in onnx] == [200, 200, 404, 400]
    for one, other in zip(torch[:2], onnx[:2], strict=True):
        found, expected = one[1]["detections"], other[1]["detections"]
        assert 3 <= len(found) == len(expected)
        assert [d["name"] for d in found] == [d["name"] for d in expected]
        for a, b in zip(found, expected, strict=True):
            assert a["box"] == pytest.approx(b["box"], abs=0.2)
            assert a["score"] == pytest.approx(b["score"], abs=2e-4)


def test_the_examples_network_written_in_pytorch_agrees_with_its_onnx_file(
    example: Path, torch_python: str
) -> None:
    onnx = example / "models" / "pests.onnx"
    torch = example / "detector_torch.py:pests"
    found, forms = compared(torch_python, onnx, str(torch))
    assert found.status is Status.PASS
    assert found.max_rel is not None
    assert found.max_rel < 1e-3
    assert forms[0].model == "detector_torch.py:pests"
    assert 11 * 10**6 < onnx.stat().st_size < 13 * 10**6
    assert sys.modules.get("torch") is None

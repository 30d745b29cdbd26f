"""Every fix is resolved, sized and judged before it is shown."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from slugcheck.advice.edits import Edit
from slugcheck.advice.trial import Measured, Outcome, Trials
from slugcheck.errors import NetworkError, ResolutionError
from slugcheck.packages.resolve.uv import clean_environment, find_uv
from tests.support.commands import Done, slugcheck
from tests.support.projects import (
    pipenv_entry,
    pipenv_project,
    poetry_package,
    poetry_project,
)
from tests.support.server import PackageServer
from tests.support.verifying import own_caches, uv_cache
from tests.support.wheels import Archive

__all__ = ["own_caches", "uv_cache"]

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("own_caches")
NATIVE = "cp312-cp312-manylinux_2_17_x86_64"


def library(kilobytes: int) -> bytes:
    """Return a native library that does not compress."""
    return b"\x7fELF" + os.urandom(1024 * kilobytes)


@pytest.fixture
def server(package_server: PackageServer) -> PackageServer:
    """The default index: libraries with GPU code and their twins without it."""
    add = package_server.add_wheel
    add("nvidia-nccl-cu12", "2.0", {"nvidia/nccl.so": library(400)})
    add("tensorflow", "2.18.0", {"tensorflow/core.so": library(300)}, requires=("numpy<3",))
    add("tensorflow-cpu", "2.18.0", {"tensorflow/core.so": library(100)}, requires=("numpy<3",))
    add("numpy", "2.0", {"numpy/core.so": library(50)})
    add("numpy", "3.0", {"numpy/core.so": library(60)})
    return package_server


@pytest.fixture
def cpu_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageServer]:
    """PyTorch's own index of CPU builds, on this machine."""
    with PackageServer(folder="cpu") as server:
        monkeypatch.setattr("slugcheck.packages.known.PYTORCH_INDEX", server.url)
        yield server


def add_torch(server: PackageServer, cpu_index: PackageServer) -> None:
    server.add_wheel(
        "torch",
        "2.5.1",
        {"torch/lib/libtorch_cuda.so": library(300), "torch/lib/libtorch_cpu.so": library(100)},
        requires=("nvidia-nccl-cu12==2.0",),
    )
    server.add_wheel("torchvision", "0.20.1", {"torchvision/_C.so": b"1"}, requires=("torch",))
    cpu_index.add_wheel("torch", "2.5.1+cpu", {"torch/lib/libtorch_cpu.so": library(100)})
    cpu_index.add_wheel(
        "torchvision", "0.20.1+cpu", {"torchvision/_C.so": b"1"}, requires=("torch",)
    )


@pytest.fixture
def check(server: PackageServer) -> Callable[..., Done]:
    def run(path: Path, *more: object, python: str | None = "3.12") -> Done:
        chosen = () if python is None else ("--python", python)
        index = ("--index-url", server.index_url)
        return slugcheck(path, *chosen, *index, "--format", "json", *more)

    return run


def finding(done: Done, code: str = "cuda-on-cpu") -> Any:
    """Return the only finding of a code."""
    found = [f for f in done.document["findings"] if f["code"] == code]
    assert len(found) == 1, (code, done.document["findings"])
    return found[0]


def codes(done: Done) -> set[str]:
    return {f["code"] for f in done.document["findings"]}


# --------------------------------------------------------------------------- what a fix leads to


def test_the_fix_leads_to_what_it_says(check: Any, requirements: Write) -> None:
    before = check(requirements("tensorflow==2.18.0\n"))
    found = finding(before)
    assert found["fix"] == "tensorflow-cpu==2.18.0"
    after = check(requirements(f"{found['fix']}\n"))
    assert after.document["findings"] == []
    then, now = after.document["totals"], before.document["totals"]
    assert found["then_bytes"] == then["slug_bytes"]
    assert found["then_status"] == "pass"
    assert found["saves_bytes"] == now["all_installed_bytes"] - then["all_installed_bytes"]
    assert found["saves_slug_bytes"] == now["slug_bytes"] - then["slug_bytes"]


def test_what_is_still_over_budget_after_the_fix_says_so(check: Any, requirements: Write) -> None:
    path = requirements("tensorflow==2.18.0\n")
    assert finding(check(path, "--limit", "slug=1MB"))["then_status"] == "fail"


def index_of(check: Any) -> str:
    return str(check.__closure__[0].cell_contents.index_url)


def test_a_file_without_findings_is_resolved_once(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    check(requirements("numpy==2.0\n"))
    server.forget_hits()
    assert check(requirements("numpy==2.0\n")).document["findings"] == []
    assert len([hit for hit in server.hits if "/simple/" in hit.path]) <= 1


def test_other_lines_keep_their_versions(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("tensorflow", "2.19.0", {"tf.so": library(300)}, requires=("numpy",))
    server.add_wheel("tensorflow-cpu", "2.19.0", {"tf.so": library(100)}, requires=("numpy",))
    server.add_wheel("old", "1.0", {"old.py": "x = 1\n"}, requires=("numpy<3",))
    before = check(requirements("tensorflow\nold\n"))
    found = finding(before)
    assert found["fix"] == "tensorflow-cpu==2.19.0"
    after = check(requirements(f"{found['fix']}\nold\n"))
    assert after.one("numpy")["version"] == "2.0"
    assert found["then_bytes"] == after.document["totals"]["slug_bytes"]


def test_what_the_replaced_package_held_back_is_resolved_anew(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("onnxruntime-gpu", "1.0", {"o.so": library(300)}, requires=("numpy<3",))
    server.add_wheel("onnxruntime", "1.0", {"o.so": library(30)}, requires=("numpy",))
    found = finding(check(requirements("onnxruntime-gpu==1.0\n")))
    assert found["fix"] == "onnxruntime==1.0"
    after = check(requirements("onnxruntime==1.0\n"))
    assert after.one("numpy")["version"] == "3.0"
    assert found["then_bytes"] == after.document["totals"]["slug_bytes"]


# --------------------------------------------------------------------------- fixes that are none


def test_a_fix_that_does_not_resolve_is_not_shown(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("onnxruntime-gpu", "1.0", {"o.so": library(300)})
    server.add_wheel("onnxruntime", "1.0", {"o.so": library(30)}, requires=("numpy>=9",))
    found = finding(check(requirements("onnxruntime-gpu==1.0\n")))
    assert found["fix"].startswith("# no fix found: ")
    assert found["saves_bytes"] is None
    assert found["then_bytes"] is None


def test_the_nearest_version_that_resolves_is_taken(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("onnxruntime-gpu", "1.2.0", {"o.so": library(300)})
    server.add_wheel("onnxruntime", "1.2.1", {"o.so": library(30)})
    server.add_wheel("onnxruntime", "1.9.0", {"o.so": library(30)})
    assert finding(check(requirements("onnxruntime-gpu==1.2.0\n")))["fix"] == "onnxruntime==1.2.1"


def test_a_twin_that_saves_nothing_is_no_finding(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("tensorflow", "2.30.0", {"tensorflow/core.so": library(90)})
    server.add_wheel("tensorflow-cpu", "2.30.0", {"tensorflow/core.so": library(100)})
    assert codes(check(requirements("tensorflow==2.30.0\n"))) == set()


def test_the_python_of_a_fix_is_one_that_the_next_run_accepts(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    for minor in ("310", "312"):
        tag = f"cp{minor}-cp{minor}-manylinux_2_17_x86_64"
        server.add_wheel("speedups", "1.0", {"speedups.so": library(10)}, tag=tag)
    path = requirements("speedups==1.0\n")
    found = finding(check(path, python="3.10"), "python-deprecated")
    assert found["fix"] == "# in .python-version:\n3.12"
    assert found["then_bytes"] is not None
    assert codes(check(path, python="3.12")) == set()


def test_a_python_that_would_need_a_compiler_is_not_advised(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    for minor in ("310", "312"):
        tag = f"cp{minor}-cp{minor}-manylinux_2_17_x86_64"
        server.add_wheel("speedups", "1.0", {"speedups.so": library(10)}, tag=tag)
    setup = (
        "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('s', ['s.c'])])\n"
    )
    server.add_sdist("speedups", "1.0", {"s.c": "int x;\n"}, setup_py=setup)
    path = requirements("speedups==1.0\n")
    assert codes(check(path, python="3.13")) == {"built-from-source"}
    found = finding(check(path, python="3.10"), "python-deprecated")
    assert found["fix"] == "# in .python-version:\n3.12"


def test_a_fix_that_exceeds_a_budget_is_none(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("opencv-python", "4.9", {"cv2/cv2.so": library(10)})
    server.add_wheel("opencv-python-headless", "4.9", {"cv2/cv2.so": library(9_000)})
    path = requirements("opencv-python==4.9\n")
    slug = check(path).document["totals"]["slug_bytes"]
    found = finding(check(path, "--limit", f"slug={slug // 10**6 + 4}MB"), "opencv-gui")
    assert found["fix"] == "# no fix found: the change is over budget"


def test_removing_a_line_lets_go_of_what_it_held_back(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("black", "1.0", {"black.py": "x = 1\n"}, requires=("click<2", "parser"))
    server.add_wheel("parser", "1.0", {"parser.so": library(30)})
    server.add_wheel("app", "1.0", {"app.py": "x = 1\n"}, requires=("click",))
    server.add_wheel("click", "1.0", {"click.py": "x = 1\n"})
    server.add_wheel("click", "2.0", {"click.py": "x = 1\n" * 100})
    found = finding(check(requirements("black==1.0\napp==1.0\n")), "development-tools")
    assert found["fix"] == "# remove: black==1.0"
    after = check(requirements("app==1.0\n"))
    assert after.one("click")["version"] == "2.0"
    assert found["then_bytes"] == after.document["totals"]["slug_bytes"]


def test_no_python_has_wheels_for_every_pin(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    tag = "cp310-cp310-manylinux_2_17_x86_64"
    server.add_wheel("speedups", "1.0", {"speedups.so": library(10)}, tag=tag)
    found = finding(check(requirements("speedups==1.0\n"), python="3.10"), "python-deprecated")
    reason = found["fix"].replace("\n# ", " ")
    assert reason.startswith("# no fix found: the build will fail: speedups 1.0")
    assert "has no wheel for Python 3.14" in reason


# --------------------------------------------------------------------------- torch


def test_torch_from_the_cpu_index(
    server: PackageServer, cpu_index: PackageServer, check: Any, requirements: Write
) -> None:
    add_torch(server, cpu_index)
    found = finding(check(requirements("torch==2.5.1\ntorchvision\n")))
    assert found["fix"].splitlines() == [
        f"--extra-index-url {cpu_index.url}/cpu",
        "torch==2.5.1+cpu",
        "torchvision==0.20.1+cpu",
    ]
    after = check(requirements(f"{found['fix']}\n"))
    assert after.document["findings"] == []
    assert after.one("torch")["version"] == "2.5.1+cpu"
    assert found["then_bytes"] == after.document["totals"]["slug_bytes"]


def test_torch_that_others_require_gets_a_line(
    server: PackageServer, cpu_index: PackageServer, check: Any, requirements: Write
) -> None:
    add_torch(server, cpu_index)
    server.add_wheel("easyocr", "1.7", {"easyocr.py": ""}, requires=("torch", "torchvision"))
    found = finding(check(requirements("easyocr==1.7\n")))
    assert "torch 2.5.1, required by easyocr and torchvision, requires" in found["sentence"]
    after = check(requirements(f"{found['fix']}\neasyocr==1.7\n"))
    assert after.document["findings"] == []
    assert found["then_bytes"] == after.document["totals"]["slug_bytes"]


def test_a_torch_that_holds_cuda_itself(
    server: PackageServer, cpu_index: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("torch", "1.12.1", {"torch/lib/libtorch_cuda_cpp.so": library(300)})
    cpu_index.add_wheel("torch", "1.12.1+cpu", {"torch/lib/libtorch_cpu.so": library(90)})
    path = requirements("torch==1.12.1\n")
    found = finding(check(path))
    assert found["sentence"] == "torch 1.12.1 contains CUDA, but Heroku has no GPU"
    assert "torch==1.12.1+cpu" in found["fix"]
    assert found["saves_bytes"] > 200_000
    cpu_index.stop()
    again = finding(check(path, "--refresh"))
    assert "at least 0.2M of slug less, estimated" in again["sentence"]
    cpu_index._thread.join()


def test_a_torch_without_cuda_is_no_finding(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("torch", "2.6.0", {"torch/lib/libtorch_cpu.so": library(90)})
    assert codes(check(requirements("torch==2.6.0\n"))) == set()


def test_frozen_gpu_lines_go_with_torch(
    server: PackageServer, cpu_index: PackageServer, check: Any, requirements: Write
) -> None:
    add_torch(server, cpu_index)
    found = finding(check(requirements("torch==2.5.1\nnvidia-nccl-cu12==2.0\n")))
    assert found["fix"].splitlines()[1:] == [
        "torch==2.5.1+cpu",
        "# remove: nvidia-nccl-cu12==2.0",
    ]


def test_an_index_that_cannot_be_reached_leaves_an_estimate(
    server: PackageServer, cpu_index: PackageServer, check: Any, requirements: Write
) -> None:
    add_torch(server, cpu_index)
    cpu_index.stop()
    found = finding(check(requirements("torch==2.5.1\n")))
    assert "torch==2.5.1+cpu" in found["fix"]
    assert "saving not measured (the index 127.0.0.1 cannot be used): at least" in found["sentence"]
    assert found["sentence"].endswith("less, estimated")
    assert (found["saves_bytes"], found["then_bytes"]) == (None, None)
    cpu_index._thread.join()


def test_nothing_is_tried_on_a_file_that_pip_refuses(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("frames", "1.0", {"frames.py": "x = 1\n"}, requires=("paint<2",))
    server.add_wheel("paint", "1.0", {"paint.py": "x = 1\n"})
    server.add_wheel("paint", "2.0", {"paint.py": "x = 1\n"})
    server.add_wheel("sklearn", "0.0", {"sklearn.py": ""})
    server.add_wheel("scikit-learn", "1.5", {"sklearn/__init__.py": "x = 1\n"})
    done = check(requirements("sklearn==0.0\npaint==2.0\nframes==1.0\n"))
    assert done.code == 3
    assert done.document["obstacles"]
    found = finding(done, "placeholder")
    assert found["fix"] == "scikit-learn"
    assert found["sentence"].endswith("the fix was not tried (pip refuses the file as it is)")
    assert (found["saves_bytes"], found["then_bytes"]) == (None, None)


def test_only_so_many_fixes_are_tried() -> None:
    asked: list[Edit] = []

    def measure(edit: Edit) -> Measured:
        asked.append(edit)
        raise ResolutionError("no solution")

    trials = Trials(measure, lambda _: (), most=2)
    results = [trials.run(Edit(remove=(name,))) for name in ("a", "b", "c")]
    assert [trial.outcome for trial in results] == [
        Outcome.NO_SOLUTION, Outcome.NO_SOLUTION, Outcome.NOT_MEASURED,
    ]  # fmt: skip
    assert len(asked) == 2
    assert results[2].problem == "too many fixes to try"


@pytest.mark.parametrize(("index_url", "asked"), [(None, 2), ("http://127.0.0.1:9/cpu", 1)])
def test_an_index_that_stalls_once_is_asked_again_unless_the_fix_adds_it(
    index_url: str | None, asked: int
) -> None:
    edits: list[Edit] = []

    def measure(edit: Edit) -> Measured:
        edits.append(edit)
        if len(edits) == 1:
            raise NetworkError("the index does not answer in time")
        raise ResolutionError("no solution")

    trial = Trials(measure, lambda _: ()).run(Edit(remove=("a",), index_url=index_url))
    assert len(edits) == asked
    assert trial.outcome is (Outcome.NOT_MEASURED if index_url else Outcome.NO_SOLUTION)


# --------------------------------------------------------------------------- other remedies


def test_gpu_extras_go(server: PackageServer, check: Any, requirements: Write) -> None:
    server.add_wheel(
        "jax", "0.4", {"jax.py": "x = 1\n"}, extras={"cuda12": ("nvidia-nccl-cu12",), "k8s": ()}
    )
    found = finding(check(requirements("jax[cuda12,k8s]==0.4\n")))
    assert found["fix"] == "jax[k8s]==0.4"
    assert "jax[cuda12] requires 1 GPU-only package (nvidia-nccl-cu12)" in found["sentence"]
    assert found["saves_bytes"] > 400_000


def test_opencv_becomes_headless(server: PackageServer, check: Any, requirements: Write) -> None:
    server.add_wheel("opencv-python", "4.9.0.80", {"cv2/cv2.so": library(60)})
    server.add_wheel("opencv-python-headless", "4.9.0.80", {"cv2/cv2.so": library(50)})
    found = finding(check(requirements("opencv-python==4.9.0.80\n")), "opencv-gui")
    assert found["fix"] == "opencv-python-headless==4.9.0.80"
    after = check(requirements(f"{found['fix']}\n"))
    assert found["then_bytes"] == after.document["totals"]["slug_bytes"]
    assert codes(after) == set()


def test_an_opencv_that_others_require_is_replaced_after_the_install(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("opencv-python", "4.9.0.80", {"cv2/cv2.so": library(60)})
    server.add_wheel("opencv-python-headless", "4.9.0.80", {"cv2/cv2.so": library(50)})
    server.add_wheel("vision", "1.0", {"vision.py": ""}, requires=("opencv-python",))
    found = finding(check(requirements("vision==1.0\n")), "opencv-gui")
    assert found["fix"].splitlines() == [
        "# in bin/post_compile, which the buildpack runs after pip:",
        "pip uninstall --yes opencv-python opencv-python-headless",
        "pip install --no-deps opencv-python-headless==4.9.0.80",
    ]
    # what is left of the file when only the headless one is there
    headless = check(requirements("opencv-python-headless==4.9.0.80\n"))
    assert found["then_bytes"] > headless.document["totals"]["slug_bytes"]
    assert found["saves_bytes"] > 5_000


def test_of_two_opencvs_the_one_that_boots_stays(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    for name, size in (
        ("opencv-python", 60), ("opencv-contrib-python", 80), ("opencv-contrib-python-headless", 70)
    ):  # fmt: skip
        server.add_wheel(name, "4.9.0.80", {"cv2/cv2.so": library(size)})
    path = requirements("opencv-python==4.9.0.80\nopencv-contrib-python==4.9.0.80\n")
    found = finding(check(path), "two-opencvs")
    assert found["fix"].splitlines() == [
        "opencv-contrib-python-headless==4.9.0.80",
        "# remove: opencv-python==4.9.0.80",
    ]
    assert codes(check(requirements("opencv-contrib-python-headless==4.9.0.80\n"))) == set()


def test_the_opencv_that_stays_has_the_version_that_was_pinned(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("opencv-python", "4.9.0", {"cv2/cv2.so": library(60)})
    server.add_wheel("opencv-python-headless", "4.9.0", {"cv2/cv2.so": library(50)})
    server.add_wheel("opencv-python-headless", "5.0.0", {"cv2/cv2.so": library(50)})
    server.add_wheel("ocr", "1.0", {"ocr.py": ""}, requires=("opencv-python-headless",))
    found = finding(check(requirements("ocr==1.0\nopencv-python==4.9.0\n")), "two-opencvs")
    assert found["fix"] == "opencv-python-headless==4.9.0"
    after = check(requirements("ocr==1.0\nopencv-python-headless==4.9.0\n"))
    assert codes(after) == set()
    assert found["then_bytes"] == after.document["totals"]["slug_bytes"]


def test_a_version_with_fewer_requirements_is_named(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("sympy", "1.14", {"sympy/core.py": "x = 1\n" * 20_000})
    server.add_wheel("onnxruntime", "1.22.0", {"o.so": library(30)}, requires=("sympy",))
    server.add_wheel("onnxruntime", "1.25.1", {"o.so": library(31)})
    server.add_wheel("onnxruntime", "1.32.0", {"o.so": library(40)})
    path = requirements("onnxruntime==1.22.0\n")
    assert codes(check(path)) == set()  # it fits: nobody has to do anything
    found = finding(check(path, "--limit", "slug=1MB"), "heavy-dependency")
    assert (found["severity"], found["fix"]) == ("info", "onnxruntime==1.25.1")
    assert found["saves_bytes"] > 100_000


def test_a_requirement_that_others_share_is_no_reason_to_upgrade(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("sympy", "1.14", {"sympy/core.py": "x = 1\n" * 20_000})
    server.add_wheel("onnxruntime", "1.22.0", {"o.so": library(30)}, requires=("sympy",))
    server.add_wheel("onnxruntime", "1.26.0", {"o.so": library(31)})
    assert codes(check(requirements("onnxruntime==1.22.0\nsympy==1.14\n"))) == set()


def test_hashes_have_to_be_made_again(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    gpu = server.add_wheel("onnxruntime-gpu", "1.0", {"o.so": library(300)})
    server.add_wheel("onnxruntime", "1.0", {"o.so": library(30)})
    found = finding(check(requirements(f"onnxruntime-gpu==1.0 --hash=sha256:{gpu.sha256}\n")))
    assert found["fix"].splitlines() == [
        "onnxruntime==1.0",
        "# then add the hashes of all lines again: pip-compile --generate-hashes",
    ]


def test_a_changed_line_keeps_its_marker(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    path = requirements('tensorflow==2.18.0 ; sys_platform == "linux"\n')
    assert finding(check(path))["fix"] == 'tensorflow-cpu==2.18.0 ; sys_platform == "linux"'


# --------------------------------------------------------------------------- locks


@pytest.fixture
def archives(server: PackageServer) -> dict[str, Archive]:
    return {
        name: server._files[f"{name.replace('-', '_')}-{version}-py3-none-any.whl"].archive
        for name, version in (
            ("tensorflow", "2.18.0"), ("tensorflow-cpu", "2.18.0"), ("numpy", "2.0")
        )
    }  # fmt: skip


def test_a_poetry_lock(check: Any, archives: dict[str, Archive], tmp_path: Path) -> None:
    project = (
        '[tool.poetry]\nname = "demo"\nversion = "0.1"\npackage-mode = false\n'
        '[tool.poetry.dependencies]\npython = "^3.10"\ntensorflow = "^2.18"\n'
    )
    packages = [
        poetry_package("tensorflow", "2.18.0", [archives["tensorflow"]]),
        poetry_package("numpy", "2.0", [archives["numpy"]]),
    ]
    lock = poetry_project(tmp_path, packages, pyproject=project)
    found = finding(check(lock))
    assert found["fix"].splitlines() == [
        "poetry remove tensorflow",
        "poetry add tensorflow-cpu==2.18.0",
    ]
    assert found["saves_bytes"] == pytest.approx(200 * 1024, rel=0.01)
    assert found["then_status"] == "pass"


def test_a_pipfile_lock(check: Any, archives: dict[str, Archive], tmp_path: Path) -> None:
    entries = {name: pipenv_entry("2.18.0", [archives[name]]) for name in ("tensorflow",)}
    entries["numpy"] = pipenv_entry("2.0", [archives["numpy"]])
    lock = pipenv_project(tmp_path, index_of(check), entries)
    found = finding(check(lock))
    assert found["fix"].splitlines() == [
        "pipenv uninstall tensorflow",
        "pipenv install tensorflow-cpu==2.18.0",
    ]
    assert found["saves_bytes"] == pytest.approx(200 * 1024, rel=0.01)


def test_what_a_lock_pins_stays_pinned(
    server: PackageServer, check: Any, archives: dict[str, Archive], tmp_path: Path
) -> None:
    server.add_wheel("tensorflow-cpu", "2.18.0", {"t.so": library(100)}, requires=("numpy>=3",))
    project = (
        '[tool.poetry]\nname = "demo"\nversion = "0.1"\npackage-mode = false\n'
        '[tool.poetry.dependencies]\npython = "^3.10"\ntensorflow = "^2.18"\n'
    )
    packages = [
        poetry_package("tensorflow", "2.18.0", [archives["tensorflow"]]),
        poetry_package("numpy", "2.0", [archives["numpy"]]),
    ]
    # the only other build does not go with the locked numpy, and tensorflow alone is no problem
    assert codes(check(poetry_project(tmp_path, packages, pyproject=project))) == set()


def test_an_index_that_a_lock_names_counts_for_its_fixes(
    check: Any, archives: dict[str, Archive], tmp_path: Path
) -> None:
    project = (
        '[tool.poetry]\nname = "demo"\nversion = "0.1"\npackage-mode = false\n'
        '[tool.poetry.dependencies]\npython = "^3.10"\ntensorflow = "^2.18"\nprivate = "^1"\n'
    )
    with PackageServer() as own:
        private = own.add_wheel("private", "1.0", {"private.py": "x = 1\n"})
        source = f'[package.source]\ntype = "legacy"\nurl = "{own.index_url}"\nreference = "own"\n'
        packages = [
            poetry_package("tensorflow", "2.18.0", [archives["tensorflow"]]),
            poetry_package("numpy", "2.0", [archives["numpy"]]),
            poetry_package("private", "1.0", [private], below=source),
        ]
        found = finding(check(poetry_project(tmp_path, packages, pyproject=project)))
    assert found["then_status"] == "pass"


@pytest.fixture
def uv_project(server: PackageServer, tmp_path: Path) -> Callable[..., Path]:
    """Write a project and lock it with uv against the local index."""

    def write(dependencies: str, more: str = "") -> Path:
        (tmp_path / "pyproject.toml").write_text(
            '[project]\nname = "demo"\nversion = "0.1"\nrequires-python = ">=3.10"\n'
            f"dependencies = {dependencies}\n{more}\n"
            f'[[tool.uv.index]]\nurl = "{server.index_url}"\ndefault = true\n',
            encoding="utf-8",
        )
        arguments = [find_uv(), "lock", "--quiet", "--no-build", "--python", sys.executable]
        environ = {**clean_environment(os.environ), "UV_CACHE_DIR": str(tmp_path / ".cache")}
        subprocess.run(arguments, cwd=tmp_path, env=environ, check=True)
        return tmp_path / "uv.lock"

    return write


def test_torch_in_a_uv_project(
    server: PackageServer, cpu_index: PackageServer, check: Any, uv_project: Any
) -> None:
    add_torch(server, cpu_index)
    found = finding(check(uv_project('["torch==2.5.1"]')))
    assert found["fix"].splitlines() == [
        "# in pyproject.toml:",
        "[tool.uv.sources]",
        'torch = { index = "127-cpu" }',
        "[[tool.uv.index]]",
        'name = "127-cpu"',
        f'url = "{cpu_index.url}/cpu"',
        "explicit = true",
        "# then run:",
        "uv lock",
    ]
    assert found["saves_bytes"] > 600_000


def test_the_extra_of_a_uv_project_comes_first(
    server: PackageServer, cpu_index: PackageServer, check: Any, uv_project: Any
) -> None:
    add_torch(server, cpu_index)
    cpu_index.add_wheel("torch", "2.4.0+cpu", {"torch/lib/libtorch_cpu.so": library(80)})
    lock = uv_project(
        '["torchvision"]',
        '[project.optional-dependencies]\ncpu = ["torch==2.4.0"]\ngpu = ["torch==2.5.1"]\n'
        '[tool.uv]\nconflicts = [[{ extra = "cpu" }, { extra = "gpu" }]]\n'
        '[tool.uv.sources]\ntorch = [{ index = "own-cpu", extra = "cpu" }]\n'
        f'[[tool.uv.index]]\nname = "own-cpu"\nurl = "{cpu_index.index_url}"\nexplicit = true\n',
    )
    found = finding(check(lock))
    assert found["fix"].startswith("# your extra cpu has it, but the build installs no extras: ")
    assert found["fix"].splitlines()[1] == "# gpu conflicts with it"
    assert 'torch = { index = "own-cpu" }' in found["fix"]
    assert "uv add torch==2.4.0" in found["fix"]
    assert "[[tool.uv.index]]" not in found["fix"]
    assert found["then_status"] == "pass"


def test_torch_in_a_poetry_project(
    server: PackageServer, cpu_index: PackageServer, check: Any, tmp_path: Path
) -> None:
    add_torch(server, cpu_index)
    project = (
        '[tool.poetry]\nname = "demo"\nversion = "0.1"\npackage-mode = false\n'
        '[tool.poetry.dependencies]\npython = "^3.10"\ntorch = "^2.5"\n'
    )
    files = server._files
    packages = [
        poetry_package("torch", "2.5.1", [files["torch-2.5.1-py3-none-any.whl"].archive]),
        poetry_package(
            "nvidia-nccl-cu12", "2.0", [files["nvidia_nccl_cu12-2.0-py3-none-any.whl"].archive]
        ),
    ]
    found = finding(check(poetry_project(tmp_path, packages, pyproject=project)))
    assert found["fix"].splitlines()[1:] == [
        "[[tool.poetry.source]]",
        'name = "127-cpu"',
        f'url = "{cpu_index.url}/cpu"',
        'priority = "explicit"',
        "[tool.poetry.dependencies]",
        'torch = { version = "2.5.1+cpu", source = "127-cpu" }',
        "# then run:",
        "poetry lock",
    ]
    assert found["saves_bytes"] > 600_000


def test_an_opencv_that_others_require_in_a_uv_project(
    server: PackageServer, check: Any, uv_project: Any
) -> None:
    server.add_wheel("opencv-python", "4.9.0.80", {"cv2/cv2.so": library(60)})
    server.add_wheel("opencv-python-headless", "4.9.0.80", {"cv2/cv2.so": library(50)})
    server.add_wheel("vision", "1.0", {"vision.py": ""}, requires=("opencv-python",))
    found = finding(check(uv_project('["vision"]')), "opencv-gui")
    assert found["fix"].splitlines() == [
        "uv add opencv-python-headless==4.9.0.80",
        "# in pyproject.toml, then run `uv lock`:",
        "[tool.uv]",
        "override-dependencies = [\"opencv-python ; sys_platform == 'never'\"]",
    ]
    assert found["saves_bytes"] > 5_000


# --------------------------------------------------------------------------- bounds


def test_offline_fixes_come_from_the_cache(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    path = requirements("onnxruntime-gpu==1.0\n")
    server.add_wheel("onnxruntime-gpu", "1.0", {"o.so": library(300)})
    server.add_wheel("onnxruntime", "1.0", {"o.so": library(30)})
    assert finding(check(path))["then_bytes"] is not None
    server.forget_hits()
    offline = finding(check(path, "--offline"))
    assert (offline["fix"], offline["then_status"]) == ("onnxruntime==1.0", "pass")
    assert server.hits == ()


def test_what_the_cache_does_not_have_is_not_measured_offline(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    path = requirements("onnxruntime-gpu==1.1\n")
    server.add_wheel("onnxruntime-gpu", "1.1", {"o.so": library(300)})
    server.add_wheel("onnxruntime", "0.9", {"o.so": library(30)})
    assert finding(check(path))["fix"].startswith("# no fix found")
    server.add_wheel("onnxruntime", "1.1", {"o.so": library(30)})  # the cache knows 0.9 alone
    found = finding(check(path, "--offline"))
    assert "saving not measured" in found["sentence"]
    assert found["saves_bytes"] is None


def test_a_pyproject_toml_is_edited_as_its_manager_does(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    head = '[project]\nname = "demo"\nversion = "1"\ndependencies = ["tensorflow==2.18.0"]\n'
    path = requirements(head, "pyproject.toml")
    assert finding(check(path))["fix"].splitlines() == [
        "# in pyproject.toml, dependencies:",
        '"tensorflow-cpu==2.18.0",',
    ]
    path = requirements(f"{head}[tool.uv]\n", "pyproject.toml")
    assert finding(check(path))["fix"].splitlines() == [
        "uv remove tensorflow",
        "uv add tensorflow-cpu==2.18.0",
    ]


def test_a_fix_that_resolves_only_with_other_versions_changes_them(
    server: PackageServer, check: Any, requirements: Write
) -> None:
    server.add_wheel("onnxruntime-gpu", "1.0", {"o.so": library(300)}, requires=("flat",))
    server.add_wheel("onnxruntime", "1.0", {"o.so": library(30)}, requires=("flat<2",))
    server.add_wheel("flat", "1.0", {"flat.py": "x = 1\n"})
    server.add_wheel("flat", "2.0", {"flat.py": "x = 1\n" * 50})
    found = finding(check(requirements("onnxruntime-gpu==1.0\n")))
    assert found["fix"] == "onnxruntime==1.0"
    after = check(requirements("onnxruntime==1.0\n"))
    assert after.one("flat")["version"] == "1.0"
    assert found["then_bytes"] == after.document["totals"]["slug_bytes"]

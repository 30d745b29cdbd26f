"""Against the real package index; skipped with a reason where it cannot be reached.

``--exclude-newer`` keeps the resolutions as they were on the day the figures were taken.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import vercel_logs
from tests.support.commands import Done, slugcheck

pytestmark = pytest.mark.network

EXAMPLES = Path(__file__).parent.parent / "examples" / "pest_detection"
ONNX = EXAMPLES / "requirements_heroku_onnx.txt"
DAY = ("--exclude-newer", "2026-11-20", "--format", "json")


@pytest.fixture(scope="module", autouse=True)
def index_is_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("probe") / "requirements.txt"
    path.write_text("six==1.17.0\n")
    done = slugcheck(path, "--python", "3.12", "--format", "json")
    if done.code == 3:
        pytest.skip(f"the package index cannot be used here: {done.err.splitlines()[0]}")


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for all: the lists have packages in common."""
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(shared_cache))


@pytest.fixture
def empty_cache(cache: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(tmp_path))


def run(path: Path, *more: str) -> Done:
    return slugcheck(path, *DAY, *more)


@pytest.mark.skipif(sys.platform != "linux", reason="rehearse needs Linux")
def test_a_function_is_called_by_the_client_that_the_index_has(tmp_path: Path) -> None:
    source = "import six, boto3\ndef handler(event, context): return six.__version__\n"
    (tmp_path / "app.py").write_text(source)
    (tmp_path / "requirements.txt").write_text("six==1.17.0\n")
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    done = slugcheck(
        "rehearse", tmp_path, "--platform", "aws-lambda", "--handler", "app.handler", "--python",
        minor, "--requests", "3", "--format", "json",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.document["pins"] == {"six": "1.17.0"}
    (run,) = done.document["processes"]
    assert run["load"]["answered"] == 3


@pytest.mark.usefixtures("empty_cache")
def test_the_onnx_list_fits_and_its_size_is_what_pip_leaves() -> None:
    done = run(ONNX, "--python", "3.11")
    assert done.code == 0, done.err
    totals = done.document["totals"]
    plain = totals["installed_bytes"] - totals["bytecode_bytes"]
    # measured: 305,022,169 bytes by pip 26.3 in a virtual environment, whose path is longer
    assert plain == pytest.approx(305_022_169, rel=1e-5)
    assert totals["bytecode_bytes"] == pytest.approx(76.77e6, rel=0.03)
    # measured: tar | gzip -6 of the installed tree with its bytecode
    assert totals["dependencies_slug_bytes"] == pytest.approx(121.53e6, rel=0.02)
    assert done.document["transfer"]["bytes"] < 0.02 * totals["download_bytes"]


def test_the_default_python_is_too_new_for_its_pins(tmp_path: Path) -> None:
    alone = tmp_path / "requirements.txt"
    alone.write_text(ONNX.read_text())
    done = run(alone)
    assert done.code == 1
    errors = [f for f in done.document["findings"] if f["severity"] == "error"]
    (finding,) = errors
    assert (finding["code"], finding["subject"]) == ("build-fails", "onnxruntime")
    assert "has no wheel for Python 3.14, and there is no source archive" in finding["sentence"]
    assert finding["fix"].startswith("onnxruntime==")
    assert finding["then_status"] == "pass"
    assert done.document["totals"]["slug_bytes"] > 100_000_000


def test_the_pytorch_list_does_not_fit_and_says_what_mends_it() -> None:
    done = run(EXAMPLES / "requirements_heroku.txt", "--python", "3.11")
    assert done.code == 1
    document = done.document
    totals = document["totals"]
    assert totals["download_bytes"] == pytest.approx(3.26e9, rel=0.01)
    twice = sum(overlap["bytes"] for overlap in document["overlaps"])
    plain = totals["installed_bytes"] - totals["bytecode_bytes"] + twice
    assert plain == pytest.approx(6.03e9, rel=0.01)
    assert document["transfer"]["bytes"] < 0.002 * totals["download_bytes"]
    fixes = {finding["code"]: finding["fix"] for finding in document["findings"]}
    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in fixes["cuda-on-cpu"]
    assert "torch==2.5.1+cpu" in fixes["cuda-on-cpu"]
    assert "opencv-python-headless==4.9.0.80" in fixes["two-opencvs"]


def test_local_versions_without_their_index_cannot_build() -> None:
    done = run(EXAMPLES / "requirements_heroku_cpu.txt", "--python", "3.11")
    assert done.code == 3
    (obstacle,) = done.document["obstacles"]
    assert "torchvision==0.20.1+cpu" in obstacle["sentence"]
    assert obstacle["fix"] == "--extra-index-url https://download.pytorch.org/whl/cpu"
    assert {one["name"] for one in done.document["unsized"]} == {"torch", "torchvision"}
    assert "cuda-on-cpu" not in {f["code"] for f in done.document["findings"]}


def test_an_old_native_pin_is_sized_without_building_it(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("psycopg2==2.9.9\nlangdetect==1.0.9\n")
    done = run(path, "--python", "3.12")
    assert done.code == 0, done.err
    assert done.one("psycopg2")["source_build"]["native"]
    assert not done.one("langdetect")["source_build"]["native"]


@pytest.mark.skipif(sys.platform != "linux", reason="installs for real, for Linux")
def test_a_real_install_agrees_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a part of the list above, which has scripts, compiled modules and libraries of its own."""
    from benchmarks.accuracy import Leaver, run_set
    from benchmarks.sets import SETS

    monkeypatch.setitem(SETS, "part", ("flask==3.0.0", "Pillow==10.2.0", "pymysql==1.1.1"))
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    row = run_set("part", minor, Leaver(None), "2026-11-20")
    assert row.exact == row.packages
    assert abs(row.errors["plain"]) < 1e-6
    assert abs(row.errors["bytecode"]) < 3
    assert abs(row.errors["slug"]) < 2


def test_what_vercel_printed_is_predicted_within_one_percent() -> None:
    cases = json.loads(Path(vercel_logs.__file__).with_suffix(".json").read_text("utf-8"))["cases"]
    best = next(case for case in cases if case["quality"] == "very good")
    predicted = vercel_logs.predict(best)
    assert predicted.holds
    assert predicted.bundle_mib == pytest.approx(5157.66, rel=0.01)

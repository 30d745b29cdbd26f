"""--verify: a real install and a real tar, held against the prediction; and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER = "3.10"


@pytest.fixture(scope="module")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture(autouse=True)
def own_caches(
    tmp_path: Path, uv_cache: Path, plain_network: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go: empty before, and to be empty after."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    package_server.add_wheel(
        "webapp",
        "1.0",
        {
            "webapp/__init__.py": "y = 2\n" * 100,
            "webapp/main.py": "def run():\n    return [n for n in range(10)]\n" * 50,
            "webapp/data.bin": bytes(range(256)) * 400,
        },
        requires=("framework",),
        entry_points={"console_scripts": {"webapp": "webapp.main:run"}},
    )
    package_server.add_wheel("framework", "2.0", {"framework/__init__.py": "x = 1\n" * 200})
    package_server.add_wheel("framework", "3.0", {"framework/__init__.py": "x = 1\n" * 900})
    return package_server


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    (folder / "models").mkdir(parents=True)
    (folder / "requirements.txt").write_text("webapp==1.0\n")
    (folder / "app.py").write_text("print('hello')\n")
    (folder / "models" / "a.onnx").write_bytes(os.urandom(200_000))
    return folder


def verify(server: PackageServer, path: Path, *more: object, python: str = MINOR) -> Done:
    flags = ("--python", python, "--index-url", server.index_url, "--format", "json")
    return slugcheck(path, *flags, "--verify", *more)


def test_the_install_agrees_with_the_prediction_and_nothing_is_left(
    index: PackageServer, app: Path, temporary: Path
) -> None:
    done = verify(index, app)
    assert done.code == 0, done.err
    found = done.document["verify"]
    assert found["error_percent"]["plain"] == 0
    assert found["bytecode_bytes"] > 0
    assert found["installer"].startswith("pip ")
    assert list(temporary.iterdir()) == []


def test_measured_figures_decide_and_the_document_says_so(
    index: PackageServer, app: Path, temporary: Path
) -> None:
    found = verify(index, app).document
    totals, verified = found["totals"], found["verify"]
    assert totals["basis"] == "measured"
    assert totals["slug_bytes"] == verified["slug_bytes"] + totals["runtime_slug_bytes"]
    assert totals["installed_bytes"] == verified["installed_bytes"]
    assert {one["basis"] for one in found["distributions"]} == {"measured"}
    slug = next(v for v in found["verdicts"] if v["budget"] == "slug")
    assert slug["measured"] == totals["slug_bytes"]


def test_the_tar_holds_app_files_and_models(
    index: PackageServer, app: Path, temporary: Path
) -> None:
    whole = verify(index, app).document["verify"]["slug_bytes"]
    (app / "models" / "a.onnx").unlink()
    without = verify(index, app).document["verify"]["slug_bytes"]
    assert 195_000 < whole - without < 205_000


def test_a_model_from_elsewhere_is_in_the_tar_too(
    index: PackageServer, app: Path, temporary: Path, tmp_path: Path
) -> None:
    model = tmp_path / "elsewhere.pt"
    model.write_bytes(os.urandom(300_000))
    before = verify(index, app).document["verify"]["slug_bytes"]
    after = verify(index, app, "--model", model).document["verify"]["slug_bytes"]
    assert 295_000 < after - before < 305_000


def test_the_pinned_resolution_is_what_is_installed(
    index: PackageServer, app: Path, temporary: Path
) -> None:
    document = verify(index, app).document
    assert not [note for note in document["notes"] if "another version" in note]


def test_what_nobody_could_size_is_measured_by_the_install(
    index: PackageServer, app: Path, temporary: Path, tmp_path: Path
) -> None:
    package = tmp_path / "odd"
    (package / "odd").mkdir(parents=True)
    (package / "odd" / "__init__.py").write_text("z = 3\n" * 400)
    (package / "setup.py").write_text("raise SystemExit('this must not run')\n")
    (app / "requirements.txt").write_text("webapp==1.0\nnone @ git+https://127.0.0.1:1/x\n")
    done = verify(index, app)
    assert done.code == 3
    assert done.out == ""
    assert "pip install failed" in done.err
    assert list(temporary.iterdir()) == []


def test_no_password_of_an_index_is_shown(index: PackageServer, app: Path, temporary: Path) -> None:
    (app / "requirements.txt").write_text("webapp==1.0\nnone-such-thing==9\n")
    flags = ("--python", MINOR, "--verify", "--index-url", "http://u:s3cret@127.0.0.1:1/simple/")
    done = slugcheck(app, *flags)
    assert done.code == 3
    assert "s3cret" not in done.err + done.out


def test_a_python_that_is_not_here_is_said_with_what_to_do(
    index: PackageServer, app: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("UV_PYTHON_SEARCH_PATH", "/nowhere")
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", "/nowhere")
    done = verify(index, app, python="3.14" if MINOR != "3.14" else "3.13")
    if done.code == 0:
        pytest.skip("this machine has the other Python in its own folders")
    assert done.code == 3
    assert "--verify needs Python 3.1" in done.err
    assert f"--python {MINOR}" in done.err


def test_a_long_temporary_folder_changes_no_figure(
    index: PackageServer, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 12)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    document = verify(index, app).document
    assert document["verify"]["error_percent"]["plain"] == 0
    assert any("characters longer" in note for note in document["notes"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(
    index: PackageServer, app: Path, temporary: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "slugcheck", str(app), "--python", MINOR, "--verify"]
    command += ["--index-url", index.index_url]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    deadline = time.monotonic() + 60
    while not list(temporary.glob("*/tool")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert "interrupted" in err
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_said_before_anything_begins(
    index: PackageServer, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "d"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no mount here")
    try:
        monkeypatch.setenv("TMPDIR", str(disk))
        monkeypatch.setattr("tempfile.tempdir", None)
        done = verify(index, app)
        assert (done.code, done.out) == (3, "")
        assert "MB left" in done.err
        assert "TMPDIR" in done.err
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)

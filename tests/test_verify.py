"""--verify: a real install and a real tar, held against the prediction; and nothing left behind."""

from __future__ import annotations

import os
import platform
import select
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from slugcheck.check import Check
from slugcheck.model import Estimate, IndexOptions, Manager
from slugcheck.model.options import Options
from slugcheck.packages.resolve.uv import clean_environment, find_uv
from slugcheck.verify import plan
from slugcheck.verify import run as run_module
from slugcheck.verify.install import run_step, workspace
from tests.support.commands import slugcheck
from tests.support.server import PackageServer
from tests.support.users import as_nobody
from tests.support.verifying import MINOR, app, index, own_caches, temporary, uv_cache, verify

__all__ = ["app", "index", "own_caches", "temporary", "uv_cache"]

pytestmark = pytest.mark.usefixtures("own_caches")


def test_the_install_agrees_with_the_prediction_decides_and_leaves_nothing(
    index: PackageServer, app: Path, temporary: Path
) -> None:
    done = verify(index, app)
    assert done.code == 0, done.err
    document = done.document
    totals, verified = document["totals"], document["verify"]
    assert verified["error_percent"]["plain"] == 0
    assert verified["bytecode_bytes"] > 0
    assert verified["installer"].startswith("pip ")
    assert totals["basis"] == "measured"
    assert totals["slug_bytes"] == verified["slug_bytes"] + totals["runtime_slug_bytes"]
    assert totals["installed_bytes"] == verified["installed_bytes"]
    assert {one["basis"] for one in document["distributions"]} == {"measured"}
    slug = next(v for v in document["verdicts"] if v["budget"] == "slug")
    assert slug["measured"] == totals["slug_bytes"]
    # what was resolved is what is installed
    assert not [note for note in document["notes"] if "another version" in note]
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_on_lambda_a_plain_folder_is_filled_and_zipped(
    index: PackageServer, app: Path, temporary: Path
) -> None:
    done = verify(index, app, "--platform", "aws-lambda")
    assert done.code == 0, done.err
    whole = done.document
    found, totals = whole["verify"], whole["totals"]
    assert found["command"].endswith("--target package --no-compile")
    assert (found["error_percent"]["plain"], found["bytecode_bytes"]) == (0, 0)
    assert abs(found["error_percent"]["zipped"]) < 1
    assert totals["zipped_bytes"] == totals["zipped_high_bytes"] == found["zipped_bytes"]
    app_and_models = totals["app_bytes"] + totals["model_bytes"]
    assert totals["bundle_bytes"] == found["installed_bytes"] + app_and_models
    compiled = verify(index, app, "--platform", "aws-lambda", "--bytecode").document["verify"]
    assert compiled["error_percent"]["plain"] == 0
    assert compiled["bytecode_bytes"] > 0
    # what the runtime provides is installed and not weighed
    provided = ("--platform", "aws-lambda", "--provided", "framework")
    document = verify(index, app, *provided).document
    assert document["verify"]["error_percent"]["installed"] == 0
    gone = next(d for d in whole["distributions"] if d["name"] == "framework")["installed_bytes"]
    assert found["installed_bytes"] - document["verify"]["installed_bytes"] == gone
    left = next(d for d in document["distributions"] if d["name"] == "framework")
    assert (left["installed_bytes"], left["provided_bytes"]) == (0, gone)


@pytest.mark.slow
def test_the_tar_holds_app_files_and_models_from_elsewhere_too(
    index: PackageServer, app: Path, temporary: Path, tmp_path: Path
) -> None:
    model = tmp_path / "elsewhere.pt"
    model.write_bytes(os.urandom(300_000))
    whole = verify(index, app).document["verify"]["slug_bytes"]
    more = verify(index, app, "--model", model).document["verify"]["slug_bytes"]
    assert 295_000 < more - whole < 305_000
    (app / "models" / "a.onnx").unlink()
    without = verify(index, app).document["verify"]["slug_bytes"]
    assert 195_000 < whole - without < 205_000


@pytest.mark.slow
def test_a_line_that_the_build_cannot_install_fails_with_its_reason(
    index: PackageServer, app: Path, temporary: Path
) -> None:
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
    assert f"this machine has {platform.python_version()}" in done.err
    assert f"--python {MINOR}" in done.err


@pytest.mark.slow
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


@pytest.mark.parametrize("numbers", [(signal.SIGINT,), (signal.SIGTERM,), (signal.SIGINT,) * 40])
def test_interrupted_it_leaves_nothing(
    index: PackageServer, app: Path, temporary: Path, numbers: tuple[signal.Signals, ...]
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
    process.send_signal(numbers[0])
    for number in numbers[1:]:  # the impatient: while the folder is being removed
        process.send_signal(number)
        time.sleep(0.001)
    out, err = process.communicate(timeout=60)
    assert out == ""
    assert list(temporary.iterdir()) == []
    if len(numbers) == 1:
        code, word = (143, "terminated") if signal.SIGTERM in numbers else (130, "interrupted")
        assert (process.returncode, err) == (code, f"error: {word}\n")


# --------------------------------------------------------------------------- indexes and pins


@pytest.mark.slow
def test_bytecode_belongs_to_its_distribution_whatever_dots_its_source_has(
    index: PackageServer, app: Path, temporary: Path
) -> None:
    document = verify(index, app).document
    owned = sum(one["bytecode_bytes"] for one in document["distributions"])
    assert owned == document["verify"]["bytecode_bytes"]


@pytest.mark.slow
def test_what_pip_refuses_of_the_prediction_is_chosen_anew_and_named(
    index: PackageServer, app: Path, temporary: Path
) -> None:
    where = IndexOptions(index_url=index.index_url)
    path = app / "requirements.txt"
    with Check(Options(path=path, python=MINOR, index=where)) as check:
        check.resolve()
        list(check.read())
        sizes = check.sizes()
    wrong = tuple(
        replace(one, distribution=replace(one.distribution, version="2.5"))
        if one.name == "framework"
        else one
        for one in sizes.distributions
    )
    found = run_module.verify(
        plan.Plan(
            sizes=replace(sizes, distributions=wrong),
            manager=Manager.PIP,
            path=path,
            files=(),
            index=where,
            seconds=Estimate(value=1.0, low=1.0, high=1.0, basis=sizes.slug.basis),
        ),
        lambda _: None,
    )
    assert any("pip rejected the predicted versions" in note for note in found.notes)
    assert any("another version than predicted: framework 3.0" in note for note in found.notes)


def test_a_uv_project_is_synced_whatever_patch_of_python_it_asks_for(
    index: PackageServer, tmp_path: Path, temporary: Path
) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.10"\n'
        'dependencies = ["webapp==1.0"]\n'
        f'[[tool.uv.index]]\nurl = "{index.index_url}"\ndefault = true\n'
    )
    lock = [find_uv(), "lock", "--quiet", "--python", sys.executable]
    subprocess.run(lock, cwd=folder, env=clean_environment(os.environ), check=True)
    patch = sys.version_info.micro
    (folder / ".python-version").write_text(f"{MINOR}.{patch - 1 if patch else patch + 1}\n")
    done = slugcheck(folder, "--verify", "--format", "json")
    assert done.code == 0, done.err
    found = done.document["verify"]
    assert found["installer"].startswith("uv ")
    assert found["error_percent"]["plain"] == 0
    assert found["bytecode_bytes"] > 0


# --------------------------------------------------------------------------- the workspace


def test_read_only_and_unreadable_folders_are_removed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with as_nobody() as folder:
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        with workspace("/app/.heroku/python", 1) as work:
            for name, mode in (("read-only", stat.S_IRUSR | stat.S_IXUSR), ("closed", 0)):
                (work.folder / name / "inner").mkdir(parents=True)
                (work.folder / name / "inner" / "file").write_text("x")
                (work.folder / name / "inner").chmod(mode)
                (work.folder / name).chmod(mode)
        assert list(folder.iterdir()) == []


def test_the_prefix_is_as_long_as_the_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    with as_nobody() as folder:
        monkeypatch.setattr("tempfile.tempdir", "/tmp")
        with workspace("/app/.heroku/python", 1) as work:
            assert len(str(work.prefix)) == len("/app/.heroku/python")
        assert not work.folder.exists()
        assert folder.exists()


def test_what_a_build_leaves_running_neither_delays_nor_outlives_it(tmp_path: Path) -> None:
    script = "sleep 600 & echo $!"
    done = run_step(["sh", "-c", script], cwd=tmp_path, environment={"PATH": os.environ["PATH"]})
    assert done.code == 0
    try:
        killed = os.pidfd_open(int(done.output))
    except ProcessLookupError:
        return
    try:
        assert select.select([killed], [], [], 10)[0]  # ready once the process has ended
    finally:
        os.close(killed)

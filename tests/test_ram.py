"""The RAM floor of a check: what the app imports, its workers, the verdict and the screens.

The wheels are small, but have the names and versions of distributions that were measured, so the
figures are those of the table that ships.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slugcheck.memory import footprints
from slugcheck.text import HEROKU_M
from tests.support.benches import write_onnx
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

MIB = 2**20
# what the table's flask needs, and torch, which is large
WHEELS: dict[str, tuple[str, ...]] = {
    "flask": ("werkzeug", "jinja2", "click", "itsdangerous", "blinker", "markupsafe"),
    "werkzeug": ("markupsafe",), "jinja2": ("markupsafe",), "click": (), "itsdangerous": (),
    "blinker": (), "markupsafe": (), "gunicorn": ("packaging",), "packaging": (), "torch": (),
}  # fmt: skip


@pytest.fixture
def index(package_server: PackageServer, plain_network: None) -> PackageServer:
    versions = dict(footprints.load().distributions)
    for name, requires in WHEELS.items():
        package_server.add_wheel(
            name, versions.get(name, "1.0"), {f"{name}/__init__.py": ""}, requires=requires
        )
    package_server.add_wheel("unheard-of", "1.0", {"unheard_of.py": "x = 1\n" * 100})
    return package_server


@pytest.fixture
def check(index: PackageServer, tmp_path: Path) -> Callable[..., Done]:
    """A function that checks files of a project's folder, or a requirements file alone."""

    def run(files: dict[str, str], *more: str, name: str = "") -> Done:
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return slugcheck(tmp_path / name, "--index-url", index.index_url, "--python", "3.11", *more)

    return run


APP = {
    "requirements.txt": "flask\ngunicorn\n",
    "Procfile": "web: gunicorn app:app\n",
    "app.py": "from web import app\n",
    "web.py": "import flask\n\napp = flask.Flask(__name__)\n",
}


def memory(done: Done) -> Any:
    return done.document["memory"]


def ram(done: Done) -> Any:
    return next(v for v in done.document["verdicts"] if v["budget"] == "ram")


# --------------------------------------------------------------------------- what is counted


def test_the_imports_of_the_app_are_counted_and_its_workers(check: Callable[..., Done]) -> None:
    done = check(APP, "--format", "json")
    assert done.code == 0, done.err
    found = memory(done)
    assert found["of_app"]
    assert (found["process"], found["place"]) == ("gunicorn app:app", "Procfile:1")
    assert (found["workers"], found["workers_origin"]) == (2, "WEB_CONCURRENCY on standard-1x")
    parts = {part["name"]: part for part in found["by_distribution"]}
    assert {"flask", "werkzeug", "jinja2"} < set(parts)
    assert parts["werkzeug"]["chain"][-2:] == ["flask", "werkzeug"]
    table = footprints.load()
    assert found["interpreter_bytes"] == sum(table.interpreter[:2]) * 1024
    sums = sum(part["resident_bytes"] for part in found["by_distribution"])
    base = found["interpreter_bytes"] + found["standard_library_bytes"]
    assert found["worker_bytes"] == base + sums
    assert found["worker_low_bytes"] < found["worker_bytes"] < found["worker_high_bytes"]
    # pages of files count once, and so does most of what the server has loaded before it forks
    anonymous = found["worker_anonymous_bytes"]
    files = found["worker_bytes"] - anonymous
    assert files + anonymous < found["floor_bytes"] < files + 2 * anonymous
    verdict = ram(done)
    assert (verdict["status"], verdict["gates"]) == ("unknown", False)
    assert verdict["measured"] == found["floor_bytes"]


def test_what_the_app_does_not_import_is_not_counted(check: Callable[..., Done]) -> None:
    files = APP | {"requirements.txt": "flask\ngunicorn\ntorch\n"}
    without = memory(check(files, "--format", "json"))
    assert "torch" not in {part["name"] for part in without["by_distribution"]}
    files["web.py"] += "\ndef later():\n    import torch\n"
    assert memory(check(files, "--format", "json"))["floor_bytes"] == without["floor_bytes"]
    files["web.py"] = "import torch\n" + files["web.py"]
    loaded = memory(check(files, "--format", "json"))
    assert loaded["by_distribution"][0]["name"] == "torch"
    assert loaded["worker_bytes"] > without["worker_bytes"] + 100 * MIB


def test_without_code_every_direct_requirement_stands_for_it(check: Callable[..., Done]) -> None:
    done = check({"requirements.txt": "flask\nwerkzeug\n"}, name="requirements.txt")
    assert "what every direct requirement imports: no app code was read" in done.out
    assert re.search(r"^werkzeug \S+ +\d\.\d  direct$", done.out, re.MULTILINE)
    assert re.search(r"^jinja2 \S+ +\d\.\d  flask$", done.out, re.MULTILINE)
    assert re.search(r"^ram +at least [\d.]+M ±[\d.]+ % of 512M", done.out, re.MULTILINE)
    words = " ".join(done.out.split())
    assert "if the app imports every direct requirement" in words
    found = memory(
        check({"requirements.txt": "flask\n"}, "--format", "json", name="requirements.txt")
    )
    assert (found["of_app"], found["process"], found["workers"]) == (False, None, 1)
    assert found["floor_bytes"] == found["worker_bytes"]


def test_the_entry_can_be_named(check: Callable[..., Done]) -> None:
    files = APP | {"job.py": "import torch\n", "requirements.txt": "flask\ngunicorn\ntorch\n"}
    found = memory(check(files, "--entry", "job.py", "--format", "json"))
    assert [part["name"] for part in found["by_distribution"]][:1] == ["torch"]
    assert found["workers"] == 1
    wrong = check(files, "--entry", "nothing.py")
    assert (wrong.code, wrong.out) == (2, "")
    assert "nothing.py" in wrong.err
    alone = check(files, "--entry", "job.py", name="requirements.txt")
    assert (alone.code, alone.out) == (2, "")
    assert "--entry needs a project folder" in alone.err


def test_preloaded_workers_share_what_the_server_loaded(check: Callable[..., Done]) -> None:
    apart = memory(check(APP, "--format", "json"))
    files = APP | {"Procfile": "web: gunicorn --preload app:app\n"}
    shared = memory(check(files, "--format", "json"))
    assert shared["preload"]
    assert shared["worker_bytes"] == apart["worker_bytes"]
    assert shared["worker_low_bytes"] <= shared["floor_bytes"] < 0.9 * apart["floor_bytes"]
    assert "loaded before they start" in check(files).out


def test_what_was_not_measured_is_an_estimate_and_is_named(check: Callable[..., Done]) -> None:
    files = APP | {"requirements.txt": "flask\ngunicorn\nunheard-of\n"}
    files["web.py"] = "import unheard_of\n" + files["web.py"]
    done = check(files)
    assert "~ not measured, estimated from its files: unheard-of" in done.out
    part = memory(check(files, "--format", "json"))["by_distribution"]
    (own,) = [one for one in part if one["name"] == "unheard-of"]
    assert own["measured_version"] is None
    assert own["resident_low_bytes"] < own["resident_bytes"] < own["resident_high_bytes"]


def test_another_version_widens_the_interval_and_says_so(
    check: Callable[..., Done], index: PackageServer
) -> None:
    index.add_wheel("torch", "1.0", {"torch/__init__.py": ""})
    files = APP | {"requirements.txt": "flask\ngunicorn\ntorch==1.0\n", "app.py": "import torch\n"}
    assert "measured with other versions, hence the wide interval: torch 2." in check(files).out
    old = memory(check(files, "--format", "json"))
    files["requirements.txt"] = "flask\ngunicorn\ntorch>1\n"
    assert "other versions" not in check(files).out
    same = memory(check(files, "--format", "json"))
    assert same["worker_bytes"] == old["worker_bytes"]
    assert same["worker_low_bytes"] > 1.2 * old["worker_low_bytes"]


def test_what_keeps_the_floor_from_being_whole_is_on_the_screen(
    check: Callable[..., Done],
) -> None:
    files = APP | {"web.py": "import yaml\nimport mystery.parts\n" + APP["web.py"]}
    words = " ".join(check(files).out.split())
    lacks = "imported, but not provided by any requirement: yaml (web.py:1) and mystery.parts"
    assert lacks in words
    assert "size unknown" not in words  # said once
    files = APP | {"web.py": "app.autodiscover_tasks()\n" + APP["web.py"]}
    assert "web.py:1: Celery looks for modules of tasks" in " ".join(check(files).out.split())
    unknown = " ".join(check(APP | {"Procfile": "web: serve-it app\n"}).out.split())
    assert "what every direct requirement imports" in unknown
    assert "Procfile:1: the command is not one that slugcheck knows" in unknown
    (note,) = memory(check(files, "--format", "json"))["notes"]
    assert note.startswith("web.py:1: Celery looks for modules")


def test_workers_that_the_app_itself_starts_count(check: Callable[..., Done]) -> None:
    run = "import uvicorn\nimport flask\nuvicorn.run('web:app', workers=3)\n"
    files = APP | {"Procfile": "web: python run.py\n", "run.py": run}
    found = memory(check(files, "--format", "json"))
    assert (found["workers"], found["workers_origin"]) == (3, "run.py:3")
    assert found["floor_bytes"] > found["worker_bytes"]


def test_uvicorn_that_refuses_to_start_several_workers_is_said(check: Callable[..., Done]) -> None:
    run = "import uvicorn\nimport flask\napp = flask.Flask(__name__)\nuvicorn.run(app)\n"
    files = APP | {"Procfile": "web: python run.py\n", "run.py": run}
    found = memory(check(files, "--format", "json"))
    (note,) = [note for note in found["notes"] if "stops at once on standard-1x" in note]
    assert note.startswith("run.py:4: ")
    assert found["workers"] == 1
    files["run.py"] = run.replace("run(app)", "run('run:app')")
    found = memory(check(files, "--format", "json"))
    assert not [note for note in found["notes"] if "stops at once" in note]
    assert (found["workers"], found["workers_origin"]) == (2, "WEB_CONCURRENCY on standard-1x")


def test_a_model_that_is_loaded_at_the_start_counts(
    check: Callable[..., Done], tmp_path: Path
) -> None:
    source = (
        "import onnxruntime, keras, flask\n"
        "a = onnxruntime.InferenceSession('models/a.onnx')\n"
        "b = keras.models.load_model('b.keras')\n"
        "c = onnxruntime.InferenceSession('gone.onnx')\n"
        "def later():\n    onnxruntime.InferenceSession('models/later.onnx')\n"
    )
    apart = memory(check(APP, "--format", "json"))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.onnx").write_bytes(b"\xff" * 8 * MIB)
    (tmp_path / "models" / "later.onnx").write_bytes(b"\xff" * MIB)
    (tmp_path / "b.keras").write_bytes(bytes(2 * MIB))
    files = APP | {"web.py": APP["web.py"] + source}
    found = memory(check(files, "--format", "json"))
    models = {one["path"]: one for one in found["models"]}
    first = models["models/a.onnx"]
    assert (first["place"], first["file_bytes"], first["when"]) == ("web.py:5", 8 * MIB, "start")
    assert first["resident_low_bytes"] >= 7 * MIB
    assert found["worker_bytes"] == apart["worker_bytes"] + first["resident_bytes"]
    assert found["worker_low_bytes"] > apart["worker_low_bytes"] + 6 * MIB
    kept = models["b.keras"]
    assert (kept["measured"], kept["resident_low_bytes"]) == (False, 0)
    assert kept["resident_high_bytes"] >= 2 * MIB
    assert not any(models[name]["counted"] for name in ("gone.onnx", "models/later.onnx"))
    screen = " ".join(check(files).out.split())
    assert "models/a.onnx 8.0 loaded at web.py:5" in screen
    assert "not among the project's files: gone.onnx (web.py:7)" in screen
    assert "loaded later, in a function, and not counted: models/later.onnx (web.py:9)" in screen
    preload = files | {"Procfile": "web: gunicorn --preload app:app\n"}
    assert memory(check(preload, "--format", "json"))["floor_bytes"] < found["floor_bytes"]


# --------------------------------------------------------------------------- the verdict


def test_a_limit_on_ram_gates_and_the_platform_s_own_does_not(check: Callable[..., Done]) -> None:
    over = check(APP, "--limit", "ram=20M")
    assert over.code == 1
    first = over.out.splitlines()[0]
    assert first.startswith("✗ OVER BUDGET")
    assert "ram at least" in over.out
    done = check(APP, "--limit", "ram=1G", "--format", "json")
    assert (done.code, ram(done)["status"], ram(done)["gates"]) == (0, "pass", True)
    boot = check(APP, "--limit", "boot=1s", "--format", "json")
    verdict = next(v for v in boot.document["verdicts"] if v["budget"] == "boot")
    assert verdict["gates"]
    assert verdict["measured"] == pytest.approx(memory(boot)["import_seconds"], abs=0.001)


def test_imports_that_do_not_fit_the_machine_are_said_in_the_first_line(
    check: Callable[..., Done],
) -> None:
    files = APP | {"requirements.txt": "flask\ngunicorn\ntorch\n"}
    files["web.py"] = "import torch\n" + files["web.py"]
    places = ("--platform", "aws-lambda", "--dyno", "128mb")
    done = check(files, *places)
    assert done.code == 0  # the sizes fit, and nobody has set a limit
    first = " ".join(done.out.split("\n\n")[0].split())
    assert first.startswith("! FITS AWS Lambda")
    assert "; but RAM at least" in first
    assert "of 128M" in first
    assert "too small for the imports alone: 128mb" in done.out
    found = check(files, *places, "--format", "json")
    assert (ram(found)["status"], ram(found)["gates"]) == ("warn", False)
    sizes = {one["name"]: one["too_small"] for one in memory(found)["machines"]}
    assert (sizes["128mb"], sizes["1024mb"]) == (True, False)
    assert memory(found)["workers"] == 1  # a function has one process


def test_a_missing_table_is_one_clear_line(
    check: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "footprints.json").write_text("{")
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path / "data")
    footprints._load.cache_clear()
    try:
        done = check(APP)
    finally:
        footprints._load.cache_clear()
    assert (done.code, done.out) == (3, "")
    assert "the table of measured imports is damaged" in done.err
    assert "reinstall slugcheck" in done.err


# --------------------------------------------------------------------------- the other commands


def test_why_says_what_an_import_costs_and_who_loads_it(
    check: Callable[..., Done], index: PackageServer, tmp_path: Path
) -> None:
    check(APP)
    places = ("--index-url", index.index_url, "--python", "3.11", "--variants", "0")
    done = slugcheck("why", "werkzeug", tmp_path, *places)
    assert "app.py → web.py → flask → werkzeug" in done.out
    asked = slugcheck("why", "werkzeug", tmp_path, *places, "--format", "json").document
    assert asked["memory"]["name"] == "werkzeug"
    (tmp_path / "requirements.txt").write_text("flask\ngunicorn\ntorch\n")
    (tmp_path / "web.py").write_text(APP["web.py"] + "\ndef later():\n    import torch\n")
    unloaded = " ".join(slugcheck("why", "torch", tmp_path, *places).out.split())
    assert (
        "not in the RAM floor: nothing imports it when the app starts, but later, in web.py:6"
        in unloaded
    )


def test_compare_has_the_floor_of_each(
    check: Callable[..., Done], index: PackageServer, tmp_path: Path
) -> None:
    check({"light.txt": "flask\n", "heavy.txt": "torch\n"}, name="light.txt")
    both = (tmp_path / "heavy.txt", tmp_path / "light.txt")
    places = ("--index-url", index.index_url, "--python", "3.11")
    done = slugcheck("compare", *both, *places)
    (head,) = [line for line in done.out.splitlines() if line.startswith("comparison ")]
    assert "RAM floor" in head
    found = slugcheck("compare", *both, *places, "--format", "json").document["stacks"]
    heavy, light = (one["memory"]["worker_bytes"] for one in found)
    assert heavy > light + 100 * MIB
    for size in (heavy, light):
        assert HEROKU_M.up(size) in done.out


def test_the_floor_is_in_the_markdown(check: Callable[..., Done]) -> None:
    done = check(APP, "--format", "markdown")
    assert "RAM floor" in done.out
    assert r"WEB\_CONCURRENCY on standard-1x" in done.out


@pytest.mark.slow
def test_a_bench_shows_what_the_app_itself_imports(
    check: Callable[..., Done], index: PackageServer, tmp_path: Path
) -> None:
    floor = memory(check(APP, "--format", "json"))["worker_bytes"]
    model = write_onnx(tmp_path / "tiny.onnx", ("Add", "x", "x"), (1, 8))
    quick = ("bench", "-q", "--processes", "1", "--runs", "3", "--onnx", model)
    done = slugcheck(*quick, "--app", tmp_path, "--index-url", index.index_url)
    words = " ".join(done.out.split())
    assert "only the model's process was measured: the app's imports (gunicorn app:app)" in words
    shown = float(words.partition("alone take ")[2].partition(" MiB")[0])
    assert shown == pytest.approx(floor / MIB, rel=0.1)  # of another Python: the platform's

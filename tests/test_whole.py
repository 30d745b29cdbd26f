"""A whole project folder through the command line: its packages, its files, its models."""

from __future__ import annotations

import json
import random
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

MODEL = bytes((7 * n * n) % 251 for n in range(300_000))


@pytest.fixture(scope="module")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture(autouse=True)
def own_caches(
    tmp_path: Path, uv_cache: Path, plain_network: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(tmp_path.with_name(f"{tmp_path.name}-cache")))
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    package_server.add_wheel("webapp", "1.0", {"webapp/__init__.py": "y = 2\n" * 100})
    return package_server


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A small app that git tracks."""
    folder = tmp_path / "app"
    write(
        folder,
        {
            "requirements.txt": "webapp==1.0\n",
            ".python-version": "3.12\n",
            "Procfile": "web: python app.py\n",
            "app.py": "print('hello')\n",
            "static/logo.txt": "logo " * 2_000,
            "docs/manual.txt": "manual " * 2_000,
            "models/a.onnx": MODEL,
        },
    )
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "app")


def check(server: PackageServer, folder: Path, *more: object) -> Done:
    return slugcheck(folder, "--index-url", server.index_url, "--format", "json", *more)


def sizes(document: dict[str, object], group: str) -> int:
    totals = document["totals"]
    assert isinstance(totals, dict)
    return int(totals[f"{group}_bytes"])


# --------------------------------------------------------------------------- what is counted


def test_packages_runtime_app_and_models_are_counted_apart(index: PackageServer, app: Path) -> None:
    done = check(index, app)
    assert done.code == 0, done.err
    found = done.document
    assert found["subject"]["kind"] == "project"
    assert found["subject"]["manager"] == "pip"
    own = sum(p.stat().st_size for p in app.rglob("*") if p.is_file() and ".git" not in p.parts)
    assert sizes(found, "app") == own - len(MODEL)
    assert sizes(found, "model") == len(MODEL)
    assert [model["path"] for model in found["models"]] == ["models/a.onnx"]
    totals = found["totals"]
    groups = ("dependencies_slug", "runtime_slug", "app_slug", "model_slug")
    assert totals["slug_bytes"] == sum(totals[f"{group}_bytes"] for group in groups)


def test_what_slugignore_names_is_not_counted(index: PackageServer, app: Path) -> None:
    before = check(index, app).document
    write(app, {".slugignore": "docs/*\n"})
    commit(app)
    after = check(index, app).document
    manual = (app / "docs" / "manual.txt").stat().st_size
    ignore = (app / ".slugignore").stat().st_size
    assert sizes(before, "app") - sizes(after, "app") == manual - ignore
    assert after["app"]["ignored_files"] == 1
    assert after["app"]["checkout_bytes"] == before["app"]["checkout_bytes"] + ignore


def test_what_git_does_not_track_is_not_counted(index: PackageServer, app: Path) -> None:
    before = check(index, app).document
    write(app, {"big.bin": bytes(500_000), "models/b.onnx": MODEL})
    after = check(index, app).document
    assert after["totals"]["slug_bytes"] == before["totals"]["slug_bytes"]
    assert any("not tracked" in note for note in after["notes"])


def test_the_biggest_folders_are_named(index: PackageServer, app: Path) -> None:
    folders = check(index, app).document["app"]["folders"]
    assert {"docs/", "static/"} <= {folder["path"] for folder in folders}
    assert folders == sorted(folders, key=lambda folder: -folder["slug_bytes"])


def test_a_model_given_beside_the_app_counts_once_however_often_it_is_named(
    index: PackageServer, app: Path, tmp_path: Path
) -> None:
    write(tmp_path, {"elsewhere/b.pt": MODEL})
    one, glob = tmp_path / "elsewhere" / "b.pt", tmp_path / "elsewhere" / "*.pt"
    inside = app / "models" / "a.onnx"
    done = check(index, app, "--model", one, "--model", glob, "--model", inside)
    assert sizes(done.document, "model") == 2 * len(MODEL)
    assert len(done.document["models"]) == 2


def test_models_are_counted_with_a_single_requirements_file_too(
    index: PackageServer, app: Path
) -> None:
    done = check(index, app / "requirements.txt", "--model", app / "models")
    assert done.code == 0, done.err
    assert sizes(done.document, "model") == len(MODEL)
    assert sizes(done.document, "app") == 0


def test_a_models_setting_counts_like_the_flag(index: PackageServer, app: Path) -> None:
    write(app, {"more/c.weights": MODEL, "slugcheck.toml": 'models = ["more/*.weights"]\n'})
    commit(app)
    found = check(index, app).document
    assert sizes(found, "model") == 2 * len(MODEL)


def test_a_glob_that_matches_nothing_is_a_usage_error(index: PackageServer, app: Path) -> None:
    done = check(index, app, "--model", app / "*.none")
    assert (done.code, done.out) == (2, "")
    assert "*.none" in done.err


def test_the_ways_to_store_models_are_judged_and_one_is_recommended(
    index: PackageServer, app: Path
) -> None:
    options = check(index, app).document["storage"]
    assert [option["storage"] for option in options] == ["slug", "boot", "build"]
    assert [option["recommended"] for option in options].count(True) == 1
    assert all(option["reasons"] for option in options)


def test_without_models_nothing_is_said_of_storage(index: PackageServer, app: Path) -> None:
    (app / "models" / "a.onnx").unlink()
    commit(app)
    found = check(index, app).document
    assert (found["models"], found["storage"]) == ([], [])


def test_a_project_without_dependencies_is_sized(index: PackageServer, app: Path) -> None:
    write(app, {"requirements.txt": ""})
    commit(app)
    done = check(index, app)
    assert done.code == 0, done.err
    assert done.document["distributions"] == []
    assert sizes(done.document, "runtime") > 30_000_000


def test_the_checkout_is_held_against_its_limit(index: PackageServer, app: Path) -> None:
    done = check(index, app, "--limit", "checkout=100KB")
    assert done.code == 1
    verdict = next(v for v in done.document["verdicts"] if v["budget"] == "checkout")
    assert verdict["status"] == "fail"
    assert verdict["measured"] == done.document["app"]["checkout_bytes"]


def test_the_screen_shows_app_models_and_storage(index: PackageServer, app: Path) -> None:
    write(app, {"models/b.onnx": random.Random(1).randbytes(10_000_000)})
    commit(app)
    done = slugcheck(app, "--index-url", index.index_url)
    assert done.code == 0, done.err
    for text in ("dependencies", "app files", "models/b.onnx", "where to keep", "recommended"):
        assert text in done.out


def test_where_to_keep_a_small_model_is_said_with_v_only(index: PackageServer, app: Path) -> None:
    quiet = slugcheck(app, "--index-url", index.index_url)
    assert "models/a.onnx" in quiet.out
    assert "where to keep" not in quiet.out
    assert "where to keep 1 model file" in slugcheck(app, "--index-url", index.index_url, "-v").out
    assert check(index, app).document["storage"]


def test_what_is_fine_is_said_with_v_only(index: PackageServer, app: Path) -> None:
    fine = ("Heroku itself allows 1000M", "Heroku does not warn of a slow boot", "bytecode 2")
    quiet = slugcheck(app, "--index-url", index.index_url).out
    assert not [text for text in fine if text in quiet]
    verbose = slugcheck(app, "--index-url", index.index_url, "-v").out
    assert [text for text in fine[:2] if text in verbose] == list(fine[:2])
    assert "installed: bytecode " in verbose


# Words of Heroku's, none of which another platform's reader has heard.
HEROKU_ONLY = re.compile(
    r"slug(?!check)|dyno|heroku|buildpack|post_compile|Procfile|runtime\.txt", re.IGNORECASE
)


# one of each kind: what is said depends on that, and on who builds the folder
@pytest.mark.parametrize("name", ["aws-lambda", "fly", "vercel"])
def test_herokus_words_and_rules_stay_off_other_platforms(
    index: PackageServer, app: Path, name: str
) -> None:
    write(
        app,
        {
            ".slugignore": "docs\n",
            "tmp/cache.txt": "x",
            "nltk.txt": "punkt\n",
            "bin/post_compile": "#!/bin/sh\n",
            ".python-version": "3.12\n",
            "models/b.onnx": random.Random(1).randbytes(11_000_000),
        },
    )
    commit(app)
    done = slugcheck(app, "--index-url", index.index_url, "--platform", name, "-v")
    assert done.code == 0, done.err
    lines = [line.replace(str(app), "") for line in (done.out + done.err).splitlines()]
    # the process that serves is the app's own, wherever it is written
    assert [one for one in lines if HEROKU_ONLY.search(one) and "Procfile:1" not in one] == []
    assert "docs/" in done.out or "app files: " in done.out


def test_the_same_document_comes_out_twice(index: PackageServer, app: Path) -> None:
    first, second = (json.loads(check(index, app).out) for _ in range(2))
    for document in (first, second):
        document.pop("transfer")
        for one in document["distributions"]:
            one.pop("via")
    assert first == second


# --------------------------------------------------------------------------- the build refuses


@pytest.mark.parametrize(
    ("files", "said", "mended"),
    [
        ({"uv.lock": ""}, "requirements.txt (pip), uv.lock (uv)", "delete"),
        ({"Pipfile": "[packages]\n"}, "Pipfile.lock", "pipenv lock"),
        ({".venv/pyvenv.cfg": "home = /usr\n"}, ".venv", "git rm"),
        ({".python-version": "python-3.12\n"}, "python-3.12", "3.12"),
        ({".python-version": '"3.12"\n'}, "quote", "3.12"),
        ({".python-version": "3.12\n3.13\n"}, "version", "one"),
        ({".python-version": "3.9\n"}, "3.9", "3.11"),
        ({".python-version": "3.15\n"}, "3.15", "3.14"),
        ({".python-version": "3.12\n".encode("utf-16")}, "UTF-", "UTF-8"),
        ({"runtime.txt": "3.12\n"}, "runtime.txt", "contains only: 3.12"),
    ],
)  # fmt: skip
def test_what_the_build_refuses_is_an_obstacle_with_its_fix_and_the_app_is_sized_all_the_same(
    index: PackageServer, app: Path, files: dict[str, str | bytes], said: str, mended: str
) -> None:
    write(app, files)
    git(app, "add", "--force", "--all")
    commit(app)
    done = check(index, app)
    assert (done.code, done.err) == (3, "")
    (obstacle,) = done.document["obstacles"]
    assert said in obstacle["sentence"]
    assert mended in obstacle["fix"]
    assert obstacle["refused"] is True
    assert done.document["totals"]["slug_bytes"] > 10_000_000


def test_every_obstacle_is_reported_at_once_and_what_was_sized_instead(
    index: PackageServer, app: Path
) -> None:
    write(app, {"uv.lock": "version = 1\n", "runtime.txt": "python-3.8.1\n"})
    commit(app)
    several, retired = check(index, app).document["obstacles"]
    assert "Multiple Python package manager files" in several["sentence"]
    assert several["instead"] == "sized from requirements.txt"
    assert "Python 3.8 has reached end-of-life" in retired["sentence"]
    assert retired["instead"] == "sized with Python 3.11"
    screen = slugcheck(app, "--index-url", index.index_url)
    assert screen.code == 3
    first, *_, last = [line for line in screen.out.splitlines() if line.strip()]
    assert "WILL FAIL" in first
    assert "and 1 more" in last
    assert "obstacles: 2" in screen.out
    assert "fix: delete runtime.txt" in screen.out


def test_a_python_of_the_command_line_does_not_hide_what_the_build_refuses(
    index: PackageServer, app: Path
) -> None:
    write(app, {"runtime.txt": "python-3.8.1\n"})
    commit(app)
    done = check(index, app, "--python", "3.12")
    assert done.code == 3
    assert done.document["target"]["python"] == "3.12"
    (obstacle,) = done.document["obstacles"]
    assert "Python 3.8 has reached end-of-life" in obstacle["sentence"]
    assert obstacle["instead"] == "sized with Python 3.12 (--python)"


def test_a_requirements_file_of_another_name_is_sized_where_the_build_finds_none(
    index: PackageServer, app: Path
) -> None:
    (app / "requirements.txt").rename(app / "requirements-prod.txt")
    commit(app)
    done = check(index, app)
    assert done.code == 3
    (obstacle,) = done.document["obstacles"]
    assert "requirements-prod.txt is not read by default" in obstacle["sentence"]
    assert obstacle["instead"] == "sized from requirements-prod.txt"
    assert done.document["distributions"]


def test_an_index_that_does_not_answer_is_an_obstacle_and_the_rest_is_sized(
    index: PackageServer, app: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    dead = f"http://127.0.0.1:{port}/simple"
    lines = (app / "requirements.txt").read_text()
    pinned = f"--extra-index-url {dead}\n{lines}lost==1.0+cpu\n"
    write(app, {"requirements.txt": pinned})
    commit(app)
    done = check(index, app)
    assert done.code == 3
    (obstacle,) = done.document["obstacles"]
    assert f"127.0.0.1:{port}" in obstacle["sentence"]
    assert obstacle["instead"] == f"sized without {dead}"
    assert obstacle["refused"] is False
    (unsized,) = done.document["unsized"]
    assert (unsized["name"], unsized["version"]) == ("lost", "1.0+cpu")
    assert done.document["distributions"]


def test_only_so_many_indexes_are_gone_on_without(index: PackageServer, app: Path) -> None:
    dead = [f"http://127.0.0.1:{port}/simple" for port in (1, 2, 3, 4)]  # nothing listens there
    lines = "".join(f"--extra-index-url {url}\n" for url in dead)
    write(app, {"requirements.txt": f"{lines}webapp==1.0\n"})
    commit(app)
    done = check(index, app)
    assert (done.code, done.out) == (3, "")
    error = next(line for line in done.err.splitlines() if line.startswith("error: "))
    assert all(url in error for url in dead)
    kept = "".join(f"--extra-index-url {url}\n" for url in dead[:3])
    write(app, {"requirements.txt": f"{kept}webapp==1.0\n"})
    commit(app)
    assert len(check(index, app).document["obstacles"]) == 3


def test_a_base_with_obstacles_is_said_to_be_measured_otherwise(
    index: PackageServer, app: Path
) -> None:
    write(app, {"runtime.txt": "python-3.8.1\n"})
    commit(app)
    (app / "runtime.txt").unlink()
    commit(app)
    done = check(index, app, "--against", "HEAD~1")
    assert done.code == 0, done.err
    assert not done.document["obstacles"]
    (note,) = [note for note in done.document["base"]["notes"] if "end-of-life" in note]
    assert note.startswith("HEAD~1 was not measured as it is: ")
    assert "(runtime.txt:1); sized with Python 3.11" in note


def test_a_dependency_file_that_is_not_pushed_is_told_from_one_that_is_missing(
    index: PackageServer, app: Path
) -> None:
    write(app, {".slugignore": "*.txt\n"})
    commit(app)
    done = check(index, app)
    assert done.code == 3
    assert ".slugignore" in done.err
    write(app, {".slugignore": "", ".gitignore": "requirements.txt\n"})
    git(app, "rm", "--cached", "--quiet", "requirements.txt")
    commit(app)
    done = check(index, app)
    assert done.code == 3
    assert "git" in done.err


def test_a_folder_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    done = slugcheck(tmp_path / "none" / "")
    assert done.code == 2
    assert "none" in done.err


# --------------------------------------------------------------------------- programs it starts


def test_a_server_that_nothing_installs_crashes_the_app_at_boot(
    index: PackageServer, app: Path
) -> None:
    scripts = {"console_scripts": {"gunicorn": "gunicorn.app.wsgiapp:run"}}
    files = {"gunicorn/app/wsgiapp.py": "def run(): ...\n"}
    index.add_wheel("gunicorn", "23.0", files, entry_points=scripts)
    index.add_wheel("own-gunicorn", "1.0", files, entry_points=scripts)
    index.add_wheel("gunicorn-logs", "1.0", {"logs.py": ""})
    write(app, {"Procfile": "web: gunicorn app:app\n"})
    commit(app)
    done = check(index, app)
    (found,) = done.document["findings"]
    assert done.code == 1
    assert (found["code"], found["subject"], found["severity"]) == (
        "missing-program", "gunicorn", "error"
    )  # fmt: skip
    assert found["sentence"] == (
        "the app will crash at boot: its web process starts gunicorn, which no requirement installs"
    )
    assert found["fix"] == "gunicorn==23.0"
    # the packages alone, and a platform that does not read the Procfile
    assert check(index, app / "requirements.txt").code == 0
    assert check(index, app, "--platform", "aws-lambda").document["findings"] == []
    for line, missing in (
        (found["fix"], False), ("own-gunicorn==1.0", False), ("gunicorn-logs==1.0", True),
    ):  # fmt: skip
        write(app, {"requirements.txt": f"webapp==1.0\n{line}\n"})
        commit(app)
        changed = check(index, app)
        assert changed.code == int(missing)
        if line == found["fix"]:  # and the line itself is a few bytes of the app's files
            grown = changed.document["totals"]["slug_bytes"] - found["then_bytes"]
            assert 0 <= grown < 100


def test_a_worker_that_cannot_start_is_a_warning_that_can_be_ignored(
    index: PackageServer, app: Path
) -> None:
    index.add_wheel("celery", "5.0", {"celery.py": ""})
    write(app, {"Procfile": "web: python app.py\nworker: celery -A app worker\n"})
    commit(app)
    assert check(index, app).code == 0
    done = check(index, app, "--fail-on", "warning")
    assert (done.code, done.document["findings"][0]["sentence"]) == (
        1,
        "the worker process will crash at boot: it starts celery, which no requirement installs",
    )
    ignore = '[[ignore]]\ncode = "missing-program"\nreason = "not used"\nexpires = 2999-12-31\n'
    write(app, {"slugcheck.toml": ignore})
    assert check(index, app, "--fail-on", "warning").code == 0

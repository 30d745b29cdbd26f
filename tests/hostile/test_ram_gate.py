"""Pull requests that make the RAM floor smaller by making a part of it unknown."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slugcheck.memory import footprints
from tests.support.code import process
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

APP = {
    "requirements.txt": "flask\ngunicorn\n",
    "Procfile": "web: gunicorn app:app -w 1\n",
    "app.py": "import flask\n\napp = flask.Flask(__name__)\n",
}
CONFIG = "gunicorn.conf.py"
Check = Callable[..., Done]


@pytest.fixture
def check(package_server: PackageServer, plain_network: None, tmp_path: Path) -> Check:
    """A function that checks files of a project's folder."""
    versions = dict(footprints.load().distributions)
    for name in ("flask", "gunicorn"):
        package_server.add_wheel(name, versions[name], {f"{name}/__init__.py": ""})
    package_server.add_wheel("uwsgi", "2.0", {"uwsgidecorators.py": ""})
    places = ("--index-url", package_server.index_url, "--python", "3.11")

    def run(files: dict[str, str], *more: str) -> Done:
        folder = tmp_path / "app"
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return slugcheck(folder, *places, *more)

    return run


def ram(done: Done) -> Any:
    return next(v for v in done.document["verdicts"] if v["budget"] == "ram")


def procfile(command: str) -> dict[str, str]:
    return {"Procfile": f"web: {command}\n"}


def test_a_password_in_the_address_of_a_model_is_not_shown(check: Check) -> None:
    source = "import flask, torch\ntorch.load('https://user:hidden-word@host/m.pt')\n"
    for form in ("table", "json", "markdown"):
        done = check(APP | {"app.py": source}, "--limit", "ram=1G", "--format", form)
        assert "m.pt" in done.out
        assert "hidden-word" not in done.out + done.err


def test_a_link_to_a_model_does_not_count_as_nothing(check: Check, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "m.pt").symlink_to("data")
    source = "import flask, torch\ntorch.load('m.pt')\n"
    done = check(APP | {"app.py": source, "data": "x" * 99}, "--limit=ram=1G", "--format=json")
    assert (ram(done)["status"], done.code) == ("unknown", 3)
    assert not any(model["counted"] for model in done.document["memory"]["models"])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (procfile("gunicorn app:app -w $X"), "--workers is not a plain number"),
        (procfile("gunicorn app:app -w 1" + "0" * 30), "--workers is not a plain number"),
        (procfile("gunicorn app:app -w -5"), "--workers is not a plain number"),
        (procfile("WEB_CONCURRENCY=$X gunicorn app:app"), "WEB_CONCURRENCY is not a plain number"),
        (procfile("./run"), "not one that slugcheck knows"),
        (procfile("gunicorn $(echo app):app -w 1"), "does not say which app"),
        (procfile("gunicorn app:app -w 1 & python app.py"), "more than one program"),
        (procfile("celery -A app worker & gunicorn app:app -w 1"), "starts celery beside the app"),
        (procfile("gunicorn app:app -w 1 -c elsewhere.py"), "settings cannot be found"),
        ({"Procfile": "release: true\nclock: true\n"}, "no file says how the app is started"),
        ({"app.py": "import flask\nx = = 1\n"}, "line 2 cannot be read as Python"),
        ({"app.py": "import flask\nimport heavy\n", "heavy.py": "a b\n"}, "heavy.py: line 1"),
        ({"app.py": "import flask, importlib\nimportlib.import_module(x)\n"}, "is computed"),
        (
            {"app.py": "import sys\nsys.path.append('lib')\nimport heavy\n"},
            "nothing installs heavy",
        ),
        ({"app.py": "from . import heavy\n"}, "app.py:1"),
        (procfile("gunicorn nothing:app -w 1"), "nothing"),
        ({"app.py": "import flask, pickle\npickle.load(open('gone.pkl', 'rb'))\n"}, "gone.pkl"),
        ({"app.py": "import flask, pickle\npickle.load(open(x))\n"}, "whose file is not known"),
        (
            {"requirements.txt": "flask\nuwsgi\n"} | procfile("uwsgi -w app:app -p %(x)"),
            "not a plain number",
        ),
        (
            procfile("python app.py")
            | {"app.py": "import uvicorn\nuvicorn.run('app', workers=x)\n"},
            "app.py:2: the number of uvicorn's workers is not known",
        ),
    ],
)
def test_a_limit_on_ram_is_undecided_where_more_may_be_loaded(
    check: Check, changed: dict[str, str], reason: str
) -> None:
    done = check(APP | changed, "--limit", "ram=1G", "--format", "json")
    assert (done.code, ram(done)["status"]) == (3, "unknown"), done.err
    assert reason in ram(done)["sentence"]
    over = check({}, "--limit", "ram=5M")
    assert over.code == 1  # more than is counted is still more
    free = check({})
    assert free.code == 0
    assert reason.removeprefix("nothing installs ") in " ".join(free.out.split())


@pytest.mark.parametrize(
    "config",
    [
        "if True:\n workers = 64\n",
        "workers = 1\nworkers *= 64\n",
        "workers, threads = 64, 2\n",
        "for workers in [64]: pass\n",
        "from other import *\n",
        "from other import workers\n",
        "workers = 1\nglobals()['workers'] = 64\n",
        "workers = 9999 * 9999 * 9999 * 9999 * 9999\n",
        "workers = = 64\n",
    ],
)
def test_settings_of_gunicorn_that_are_not_understood_decide_nothing(
    check: Check, config: str
) -> None:
    files = APP | procfile("gunicorn app:app") | {CONFIG: config}
    done = check(files, "--limit", "ram=1G", "--format", "json")
    assert (done.code, ram(done)["status"]) == (3, "unknown"), done.err
    assert CONFIG in ram(done)["sentence"]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        procfile("cd . && python -m alembic upgrade head && gunicorn app:app"),
        procfile("./wait-for-it.sh db & gunicorn app:app"),
        {CONFIG: "workers = 2\n\ndef post_fork(server, worker):\n    workers = 1\n"},
        {"app.py": "import flask\n\ndef later(name):\n    __import__(name)\n"},
        {"app.py": "import flask\n\ndef later():\n    import broken\n", "broken.py": "a b\n"},
    ],
)
def test_what_is_understood_is_decided(check: Check, changed: dict[str, str]) -> None:
    done = check(APP | changed, "--limit", "ram=1G", "--limit", "boot=60s", "--format", "json")
    assert (done.code, ram(done)["status"]) == (0, "pass"), ram(done)["sentence"]


def test_the_time_of_imports_that_are_not_known_is_undecided(check: Check) -> None:
    done = check(APP | {"app.py": "import flask\nx = = 1\n"}, "--limit", "boot=60s")
    assert done.code == 3
    assert "cannot be read as Python" in " ".join(done.out.split())


@pytest.mark.parametrize(
    "files",
    [
        procfile("WEB_CONCURRENCY=9 gunicorn app:app"),
        procfile("python app.py")
        | {"app.py": "import flask, uvicorn\nuvicorn.run('app:app', workers=9)\n"},
    ],
)
def test_workers_that_the_app_sets_itself_are_counted(check: Check, files: dict[str, str]) -> None:
    found = check(APP | files, "--format", "json").document["memory"]
    assert found["workers"] == 9
    assert found["floor_bytes"] > 2 * found["worker_bytes"]


@pytest.mark.parametrize(
    "line", ["x" * 99_990, "\n".join(['"' + "x" * 190] * 499)], ids=["long", "quoted"]
)
def test_a_script_that_starts_another_many_times_is_read_in_bounds(
    tmp_path: Path, line: str
) -> None:
    begin = time.process_time()
    found = process(tmp_path, "sh a.sh", a__sh="sh b.sh\n" * 500, b__sh=line + "\n")
    assert time.process_time() - begin < 5  # 100 s without a bound on all scripts
    assert not found.entries


SECRET = "hunter2secret"


@pytest.mark.parametrize("form", ["table", "markdown", "json", "github", "sarif", "junit"])
@pytest.mark.parametrize(
    "command",
    [
        f"DATABASE_URL=postgres://user:{SECRET}@host/db gunicorn app:app",
        f"gunicorn https://user:{SECRET}@host/app:app",
        f"python https://user:{SECRET}@host/app.py",
        f"SECRET_KEY={SECRET} gunicorn app:app",
        f"SECRET_KEY='a {SECRET}' PORT=8000 gunicorn app:app",
        f"gunicorn {'x' * 470} https://user:{SECRET}@host/",
        f"gunicorn app:app --password {SECRET} --token={SECRET}",
        f"/bin/https://user:{SECRET}@host & gunicorn app:app",
    ],
)
def test_no_secret_of_a_command_is_shown(check: Check, command: str, form: str) -> None:
    done = check(APP | procfile(command), "--limit", "ram=1G", "--format", form)
    assert done.code in (0, 3), done.err
    assert SECRET not in done.out + done.err


@pytest.mark.parametrize("form", ["table", "markdown", "json", "github", "sarif", "junit"])
def test_no_escape_of_a_start_file_or_a_module_is_written(check: Check, form: str) -> None:
    bad = "\x1b[31m\x9b\u202e::error::<b>x"
    for files in (
        procfile(f"gunicorn app:app -w {bad}"),
        procfile(f"python {bad}.py"),
        procfile(f"{bad} & gunicorn app:app"),
        {f"{bad}.py": "a b\n", "app.py": "import flask\n"} | procfile(f"python '{bad}.py'"),
    ):
        done = check(APP | files, "--limit", "ram=1G", "--format", form)
        assert done.code == 3, done.err
        for sign in "\x1b\x9b\u202e":
            assert sign not in done.out + done.err
        assert not any(line.startswith("::error::<b>") for line in done.out.splitlines())
        if form in ("markdown", "html"):
            assert "<b>x" not in done.out

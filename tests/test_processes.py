"""The process that serves, from Procfiles, Dockerfiles and other files, by their plain text."""

from __future__ import annotations

from pathlib import Path

import pytest

from slugcheck import platforms
from slugcheck.errors import UsageError
from slugcheck.model import Dyno, WebProcess
from slugcheck.project import processes
from tests.support.code import code, process


def entry(found: WebProcess) -> str:
    (point,) = found.entries
    return str(point)


@pytest.mark.parametrize(
    ("command", "server", "runs"),
    [
        ("gunicorn app:app", "gunicorn", "app:app"),
        ("gunicorn -b 0.0.0.0:$PORT --log-file - app:app", "gunicorn", "app:app"),
        ("exec gunicorn 'app:create_app(\"x\")' -w4", "gunicorn", 'app:create_app("x")'),
        ("A=b env C=d gunicorn --preload app", "gunicorn", "app"),
        ("python -m gunicorn app:app", "gunicorn", "app:app"),
        ("newrelic-admin run-program gunicorn app:app", "gunicorn", "app:app"),
        ("bin/start-nginx gunicorn -c gunicorn.conf app.wsgi", "gunicorn", "app.wsgi"),
        ("poetry run uvicorn app:app --host 0.0.0.0 --port $PORT", "uvicorn", "app:app"),
        ("uv run --no-dev uvicorn --factory app:make", "uvicorn", "app:make()"),
        ("hypercorn -w 2 asgi:app:app", "hypercorn", "app:app"),
        ("waitress-serve --port=$PORT --call app:create_app", "waitress", "app:create_app()"),
        ("uwsgi --http :$PORT --master -p 2 --module app:app", "uwsgi", "app:app"),
        ("uwsgi --http-socket :$PORT -w app --callable app", "uwsgi", "app:app"),
        ("uwsgi --mount /=app:app --die-on-term", "uwsgi", "app:app"),
        ("uwsgi --enable-threads --wsgi-file app.py", "uwsgi", "app.py"),
        ("daphne -b 0.0.0.0 -p $PORT app.asgi:application", "daphne", "app.asgi:application"),
        ("streamlit run app.py --server.port $PORT", "streamlit", "app.py"),
        ("sh setup.sh && streamlit run app.py", "streamlit", "app.py"),
        ("python -m streamlit run app.py", "streamlit", "app.py"),
        ("flask --app app run -p $PORT", "flask", "app"),
        ("FLASK_APP=app.py flask db upgrade; flask run", "flask", "app"),
        ("fastapi run app.py --workers 4", "fastapi", "app"),
        ("python -u app.py --x", "python", "app.py"),
        ("python -m app", "python", "app.py"),
        ("sh -c 'cd /app && python app.py'", "python", "app.py"),
        ("python manage.py migrate && gunicorn app:app", "gunicorn", "app:app"),
    ],
)
def test_the_app_that_a_command_serves(
    tmp_path: Path, command: str, server: str, runs: str
) -> None:
    found = process(tmp_path, command, setup__sh="mkdir x\n", manage__py="")
    assert (found.server, entry(found)) == (server, runs)
    assert (found.command, found.place) == (command, "Procfile:1")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("./start", "not one that slugcheck knows"),
        ("honcho start", "not one that slugcheck knows"),
        ("gunicorn 'app:app", "quotation marks do not match"),
        ("python -c 'import app'", "runs code of the command itself"),
        ("python missing.py", "not among the project's files"),
        ("gunicorn --log-file -", "not told which app to serve"),
        ("gunicorn -w $(nproc) app:app", "not a plain number"),
        ("python app.py & gunicorn app:app", "more than one program"),
    ],
)
def test_what_is_not_understood_is_said(tmp_path: Path, command: str, said: str) -> None:
    assert any(said in note for note in process(tmp_path, command).notes)


def test_a_script_of_the_project_is_followed(tmp_path: Path) -> None:
    script = '#!/bin/sh\nset -e\n# first\npython manage.py migrate\nexport A=1\nexec "$@"\n'
    found = process(tmp_path, "bash start.sh gunicorn app:app", start__sh=script, manage__py="")
    assert entry(found) == "app:app"
    assert dict(found.variables)["A"] == "1"
    own = "gunicorn \\\n  --chdir src \\\n  wsgi:app\n"
    assert process(tmp_path, "./start.sh", start__sh=own).folder == "src"


def test_scripts_that_call_each_other_come_to_an_end(tmp_path: Path) -> None:
    found = process(tmp_path, "sh a.sh", a__sh="sh b.sh\n" * 50, b__sh="sh a.sh\n" * 50)
    assert found.server == ""


def workers(found: WebProcess, dyno: Dyno | None) -> int | None:
    return processes.worker_count(found.workers, dyno)


def dyno(name: str, platform: str = "heroku") -> Dyno:
    return next(one for one in platforms.load(platform).dynos if one.name == name)


@pytest.mark.parametrize(
    ("command", "config", "small", "large", "elsewhere"),
    [
        ("gunicorn app:app", "", 2, 17, 1),
        ("gunicorn app:app -w 3", "", 3, 3, 3),
        ("gunicorn app:app --workers=$WEB_CONCURRENCY", "", 2, 17, 1),
        ("gunicorn app:app -w ${WEB_CONCURRENCY:-4}", "", 2, 17, 4),
        ("N=5; gunicorn app:app -w $N", "", 5, 5, 5),
        ("GUNICORN_CMD_ARGS='-w 6' gunicorn app:app", "", 6, 6, 6),
        ("gunicorn app:app", "workers = 3", 3, 3, 3),
        ("gunicorn app:app -w 1", "workers = 3", 1, 1, 1),
        (
            "gunicorn app:app",
            "import multiprocessing\nworkers = multiprocessing.cpu_count() * 2 + 1",
            17, 17, None,
        ),
        ("gunicorn app:app", "import os\nworkers = int(os.environ.get('WEB_CONCURRENCY', 3))",
         2, 17, 3),
        ("gunicorn app:app", "import os\nworkers = int(os.getenv('WORKERS', '3'))", 3, 3, 3),
        ("gunicorn app:app", "workers = compute()", None, None, None),
        ("uvicorn app:app", "", 2, 17, 1),
        ("uvicorn app:app --workers 4", "", 4, 4, 4),
        ("hypercorn app:app", "", 1, 1, 1),
        ("uwsgi -w app:app", "", 1, 1, 1),
        ("uwsgi --master --processes 3 -w app:app", "", 3, 3, 3),
        ("uwsgi -w app:app -p $WEB_CONCURRENCY", "", 2, 17, 1),
        ("waitress-serve app:app", "", 1, 1, 1),
        ("streamlit run app.py", "", 1, 1, 1),
        ("python app.py", "", 1, 1, 1),
    ],
)  # fmt: skip
def test_the_workers_that_a_machine_starts(
    tmp_path: Path,
    command: str,
    config: str,
    small: int | None,
    large: int | None,
    elsewhere: int | None,
) -> None:
    found = process(tmp_path, command, gunicorn__conf__py=config)
    assert workers(found, dyno("standard-1x")) == small
    assert workers(found, dyno("performance-l")) == large
    assert workers(found, None) == elsewhere


def test_a_platform_that_sets_no_concurrency_leaves_the_commands_own_default(
    tmp_path: Path,
) -> None:
    found = process(tmp_path, "gunicorn app:app -w ${WEB_CONCURRENCY:-4}")
    assert workers(found, dyno("dyno-1c-0.5gb", "heroku-fir")) == 4


def test_the_worker_class_and_preload(tmp_path: Path) -> None:
    found = process(tmp_path, "gunicorn app:app --threads 4 --preload")
    assert found.preload
    assert "gunicorn.workers.gthread" in found.modules
    found = process(
        tmp_path, "gunicorn app:app -k uvicorn.workers.UvicornWorker",
        gunicorn__conf__py="preload_app = True\nworker_class = 'gevent'\n",
    )  # fmt: skip
    assert found.preload
    assert "uvicorn.workers" in found.modules
    assert "gunicorn.workers.ggevent" not in found.modules
    assert "gunicorn.workers.ggevent" in process(tmp_path, "gunicorn app:app").modules


def test_where_modules_are_looked_for(tmp_path: Path) -> None:
    found = process(tmp_path, "cd backend && PYTHONPATH=lib gunicorn --pythonpath more app:app")
    assert (found.folder, found.import_folders[:3]) == (
        "backend",
        ("backend/lib", "backend/more", "backend"),
    )
    found = process(tmp_path, "uvicorn --app-dir src app:app")
    assert found.import_folders == ("src", "")
    assert process(tmp_path, "python app.py").import_folders == ("",)


def test_a_dockerfile_says_what_its_container_runs(tmp_path: Path) -> None:
    dockerfile = (
        "FROM python:3.12 AS base\nENV MODULE=web APP_ENV=prod\nWORKDIR /srv/backend\n"
        "COPY backend/ /srv/backend\nFROM base\nENTRYPOINT [\"gunicorn\", \"-w\", \"2\"]\n"
        'CMD ["app:app"]\n'
    )  # fmt: skip
    own = code(tmp_path, {"Dockerfile": dockerfile, "backend/app.py": ""})
    found = processes.web_process(own, dockerfile=tmp_path / "Dockerfile")
    assert found is not None
    assert (entry(found), found.place, found.folder) == ("app:app", "Dockerfile:7", "backend")
    assert dict(found.variables)["APP_ENV"] == "prod"
    (tmp_path / "Dockerfile").write_text("FROM a\nWORKDIR /app\nCOPY . .\nCMD python app.py\n")
    own = code(tmp_path, {"app.py": ""})
    found = processes.web_process(own, dockerfile=tmp_path / "Dockerfile")
    assert found is not None
    assert entry(found) == "app.py"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("railway.json", '{"deploy": {"startCommand": "uvicorn app:app"}}'),
        ("railway.toml", '[deploy]\nstartCommand = "uvicorn app:app"\n'),
        ("fly.toml", '[processes]\napp = "uvicorn app:app"\n'),
        ("Procfile", "worker: uvicorn app:app\n"),
    ],
)
def test_other_files_that_name_a_command(tmp_path: Path, name: str, text: str) -> None:
    found = processes.web_process(code(tmp_path, {"app.py": "", name: text}))
    assert found is not None
    assert entry(found) == "app:app"
    assert found.place.startswith(name)


@pytest.mark.parametrize(
    ("command", "name", "text", "number", "origin"),
    [
        ("hypercorn -c h.toml app:app", "h.toml", "workers = 3\n", 3, "h.toml: workers"),
        ("hypercorn -c h.toml app:app", "h.toml", "bind = ':1'\n", 1, "hypercorn's default"),
        ("hypercorn -c h.toml -w 2 app:app", "h.toml", "workers = 3\n", 2, "hypercorn's --workers"),
        ("hypercorn --config=file:h.py app:app", "h.py", "workers = 2 * 2\n", 4, "h.py:1"),
        ("hypercorn -c python:conf.h app:app", "conf/h.py", "workers = 2\n", 2, "conf/h.py:1"),
        ("uwsgi u.ini", "u.ini", "[uwsgi]\nmodule = app:app\nprocesses = 4\n", 4,
         "uwsgi's processes"),
        ("uwsgi --ini u.ini", "u.ini",
         "; mine\n[uwsgi]\nwsgi-file = app.py\n# x\nworkers=$(WEB_CONCURRENCY)\n", 1,
         "uwsgi's processes"),
    ],
)  # fmt: skip
def test_settings_files_of_servers(
    tmp_path: Path, command: str, name: str, text: str, number: int, origin: str
) -> None:
    sources = {"app.py": "", name: text, "Procfile": f"web: {command}\n"}
    found = processes.web_process(code(tmp_path, sources))
    assert found is not None
    assert found.workers is not None
    assert (found.workers.fixed, found.workers.origin) == (number, origin)
    assert entry(found) in ("app:app", "app.py")
    assert found.doubts == ()


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("hypercorn -c h.toml app:app", "workers = [1]"),
        ("hypercorn -c h.toml app:app", "workers = -1"),
        ("hypercorn -c h.toml app:app", "= ="),
        ("hypercorn -c gone.toml app:app", ""),
        ("hypercorn -c file:h.toml app:app", "a b"),
        ("uwsgi gone.ini", ""),
        ("uwsgi -w app:app --yaml u.yaml", ""),
        ("uwsgi -w app:app -p %(n)", ""),
    ],
)
def test_settings_that_are_not_understood_are_a_doubt(
    tmp_path: Path, command: str, text: str
) -> None:
    sources = {"app.py": "", "h.toml": text, "Procfile": f"web: {command}\n"}
    found = processes.web_process(code(tmp_path, sources))
    assert found is not None
    assert found.doubts


def test_uwsgi_loads_the_app_before_it_forks(tmp_path: Path) -> None:
    found = process(tmp_path, "uwsgi --master -p 4 -w app:app")
    assert (found.preload, found.supervisor, processes.forks(found)) == (True, True, True)
    assert not process(tmp_path, "uwsgi --lazy-apps -p 4 -w app:app").preload


def test_a_platform_s_own_file_comes_first_there(tmp_path: Path) -> None:
    sources = {
        "app.py": "",
        "Procfile": "web: gunicorn app:app\n",
        "railway.json": '{"deploy": {"startCommand": "uvicorn app:app --workers 2"}}',
        "fly.toml": '[env]\nWEB_CONCURRENCY = "3"\n[processes]\napp = "hypercorn app:app"\n',
    }
    own = code(tmp_path, sources)
    servers = {
        name: found.server
        for name in ("heroku", "railway", "railway-trial", "fly", "render")
        if (found := processes.web_process(own, platform=name)) is not None
    }
    assert servers == {
        "heroku": "gunicorn", "railway": "uvicorn", "railway-trial": "uvicorn",
        "fly": "hypercorn", "render": "gunicorn",
    }  # fmt: skip
    (tmp_path / "fly.toml").write_text(sources["fly.toml"].replace("hypercorn", "uvicorn"))
    found = processes.web_process(own, platform="fly")
    assert found is not None
    assert found.workers is not None
    assert found.workers.fixed == 3


@pytest.mark.parametrize("text", ["[", "{", "[]", '{"deploy": 1}', "\x00"])
def test_files_that_name_none_are_passed_over(tmp_path: Path, text: str) -> None:
    own = {"railway.json": text, "railway.toml": text, "fly.toml": text, "Procfile": text}
    assert processes.web_process(code(tmp_path, own)) is None


def test_an_entry_is_a_script_or_a_module(tmp_path: Path) -> None:
    own = code(tmp_path, {"bot/run.py": "", "Procfile": "web: gunicorn a:b\n"})
    found = processes.web_process(own, entry="bot/run.py")
    assert found is not None
    assert (entry(found), found.import_folders) == ("bot/run.py", ("bot", ""))
    found = processes.web_process(own, entry="site_.wsgi:application")
    assert found is not None
    assert entry(found) == "site_.wsgi:application"
    with pytest.raises(UsageError, match="neither a script of the project nor a module"):
        processes.web_process(own, entry="../etc/passwd.py")


# --------------------------------------------------------------------------- what must be installed


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("gunicorn app:app --log-file -", ["gunicorn"]),
        ("exec gunicorn -w $(nproc) app:app", ["gunicorn"]),
        ("A=1 env B=2 waitress-serve app:app", ["waitress-serve"]),
        ("cd src && uvicorn app:app", ["uvicorn"]),
        ("python manage.py migrate && daphne app.asgi:application", ["daphne"]),
        ("flask db upgrade && gunicorn app:app", ["flask", "gunicorn"]),
        ("flask db upgrade; gunicorn app:app", ["gunicorn"]),
        ("celery -A app worker & uwsgi uwsgi.ini", ["uwsgi"]),
        ("newrelic-admin run-program gunicorn app:app", ["newrelic-admin", "gunicorn"]),
        ("ddtrace-run hypercorn app:app", ["ddtrace-run", "hypercorn"]),
        # something else may bring or replace it
        ("pip install gunicorn && gunicorn app:app", []),
        ("gunicorn app:app || waitress-serve app:app", []),
        ("command -v gunicorn && gunicorn app:app", []),
        ("bin/start-nginx gunicorn -c gunicorn.conf app.wsgi", []),
        ("poetry run gunicorn app:app", []),
        ("uv run gunicorn app:app", []),
        ("python -m gunicorn app:app", []),
        ("python setup.py && gunicorn app:app", []),
        ("sh start.sh", []),
        ("./gunicorn app:app", []),
        ("venv/bin/gunicorn app:app", []),
        ("PATH=$PATH:tools gunicorn app:app", []),
        ("export PATH=$PATH:tools && gunicorn app:app", []),
        ("source env/activate && gunicorn app:app", []),
        ("gunicorn app:app &", []),
        ("npm start", []),
        ("$SERVER app:app", []),
        ("gunicorn 'app:app", []),
    ],
)
def test_the_programs_that_a_command_cannot_do_without(
    tmp_path: Path, command: str, names: list[str]
) -> None:
    files = {"Procfile": f"web: {command}\n", "start.sh": "gunicorn app:app\n"}
    found = processes.programs(code(tmp_path, files))
    assert [(one.name, one.process, one.line) for one in found] == [(n, "web", 1) for n in names]


def test_the_web_process_and_the_release_phase_come_first(tmp_path: Path) -> None:
    types = "worker: celery -A app worker\nrelease: alembic upgrade head\nweb: gunicorn app\n"
    found = processes.programs(code(tmp_path, {"Procfile": types}))
    assert [(one.name, one.process, one.line) for one in found] == [
        ("gunicorn", "web", 3),
        ("alembic", "release", 2),
        ("celery", "worker", 1),
    ]


OTHER_WAYS = {
    "Aptfile": "gunicorn\n",
    "bin/post_compile": "pip install gunicorn\n",
    ".profile": "PATH=$PATH:tools\n",
    ".profile.d/path.sh": "PATH=$PATH:tools\n",
    "tools/gunicorn": "#!/bin/sh\n",
    "heroku.yml": "build: {docker: {web: Dockerfile}}\n",
    "conda-requirements.txt": "gunicorn\n",
    "app.json": '{"buildpacks": [{"url": "heroku/python"}, {"url": "heroku-community/apt"}]}',
    "project.toml": '[com.heroku.buildpacks.deb-packages]\ninstall = ["gunicorn"]\n',
    "package.json": '{"scripts": {"heroku-postbuild": "pip install gunicorn"}}',
}


@pytest.mark.parametrize("name", OTHER_WAYS)
def test_no_program_is_missing_where_something_else_may_bring_it(tmp_path: Path, name: str) -> None:
    files = {"Procfile": "web: gunicorn app:app\n"}
    plain = {
        "app.json": '{"buildpacks": [{"url": "heroku/nodejs"}, {"url": "heroku/python"}]}',
        "package.json": '{"scripts": {"build": "vite build"}}',
    }
    assert processes.programs(code(tmp_path, files | plain))
    assert processes.programs(code(tmp_path, {name: OTHER_WAYS[name]})) == ()

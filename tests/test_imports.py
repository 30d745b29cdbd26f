"""What an app imports when it starts, with the first request, and later, without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from slugcheck.model import Import, Scan, When, Workers
from slugcheck.project import imports, processes
from slugcheck.project.source import Source
from tests.support.code import FLASK, code, installed, scanned

WEB = {"Procfile": "web: gunicorn app:app\n"}


def found(scan: Scan, module: str) -> Import:
    return next(item for item in scan.imports if item.module == module)


def roots(scan: Scan, when: When) -> set[str]:
    """The roots of what the app's own files import at some time."""
    return {item.root for item in scan.at(when) if item.chain}


def test_own_modules_are_followed_and_their_chain_is_kept(tmp_path: Path) -> None:
    scan = scanned(
        tmp_path,
        {
            **WEB,
            "app.py": "import flask\nfrom shop import views\n",
            "shop/__init__.py": "from . import models\nfrom .models import *\n",
            "shop/models.py": "import numpy.linalg as la\nfrom sklearn import ensemble\n",
            "shop/views.py": "def page():\n    import torch\n",
        },
        {**FLASK, "scikit-learn": ("sklearn/__init__.py", "sklearn/ensemble/__init__.py")},
    )
    one = found(scan, "sklearn.ensemble")
    assert one.place == "shop/models.py:2"
    assert one.chain == ("app.py", "shop/__init__.py", "shop/models.py")
    assert (one.when, one.distribution) == (When.START, "scikit-learn")
    assert found(scan, "sklearn").names == ("ensemble",)
    assert found(scan, "torch").when is When.LATER
    assert found(scan, "gunicorn.workers.sync").distribution == "gunicorn"
    assert scan.files == ("app.py", "shop/__init__.py", "shop/models.py", "shop/views.py")
    assert [item.module for item in scan.missing] == ["numpy.linalg"]


START = "import redis"


@pytest.mark.parametrize(
    ("source", "when"),
    [
        (START, When.START),
        ("class A:\n    import redis", When.START),
        ("with a:\n    import redis", When.START),
        ("for a in b:\n    import redis", When.START),
        ("def f():\n    import redis", When.LATER),
        ("async def f():\n    import redis", When.LATER),
        ("class A:\n    def f(self):\n        import redis", When.LATER),
        ("if DEBUG:\n    import redis", When.LATER),
        ("def f():\n    import redis\nf()", When.START),
        ("def f():\n    g()\ndef g():\n    import redis\napp = f()", When.START),
        ("def f():\n    import redis\nx = [f() for a in b]", When.START),
        ("def f():\n    import redis\nx = lambda: f()", When.LATER),
        ("class A:\n    def __init__(self):\n        self.f()\n"
         "    def f(self):\n        import redis\na = A()", When.START),
        ("class B:\n    def run(self):\n        import redis\nclass A(B): pass\na = A()\na.run()",
         When.START),
        ("def deco(f):\n    import redis\n    return f\n@deco\ndef g(): pass", When.START),
        ("def main():\n    import redis\nimport asyncio\nasyncio.run(main())", When.START),
        ("from threading import Thread\ndef f():\n    import redis\nThread(target=f).start()",
         When.START),
        ("import flask\ndef f():\n    import redis\napp = flask.Flask(lifespan=f)", When.START),
        ("@app.on_event('startup')\ndef f():\n    import redis", When.START),
        ("@app.get('/')\ndef f():\n    import redis", When.LATER),
        ("import importlib\nimportlib.import_module('redis')", When.START),
        ("from importlib import import_module\nimport_module('redis')", When.START),
        ("__import__('redis')", When.START),
        ("import sys\nif sys.version_info >= (3, 10):\n    import redis", When.START),
        ("import sys\nif sys.platform != 'win32':\n    import redis", When.START),
        ("from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    import redis", When.START),
        ("import sys\nif sys.version_info < (3, 10):\n    import redis", None),
        ("import sys\nif sys.version_info[0] == 2:\n    import redis", None),
        ("import os\nif os.name == 'nt':\n    import redis", None),
        ("import typing\nif typing.TYPE_CHECKING:\n    import redis", None),
        ("if False:\n    import redis", None),
        ("if __name__ == '__main__':\n    import redis", None),
        ("try:\n    import redis\nexcept ImportError:\n    redis = None", When.START),
        ("try:\n    import flask\nexcept ImportError:\n    import redis", When.LATER),
        ("try:\n    import not_there\nexcept ImportError:\n    import redis", When.START),
        ("try:\n    import not_there\n    import redis\nexcept ImportError:\n    pass", None),
    ],
)  # fmt: skip
def test_when_an_import_is_executed(tmp_path: Path, source: str, when: When | None) -> None:
    scan = scanned(tmp_path, {**WEB, "app.py": source}, {**FLASK, "redis": ("redis/__init__.py",)})
    times = [item.when for item in scan.imports if item.module == "redis"]
    assert times == ([] if when is None else [when])


def test_a_factory_that_the_command_names_is_followed(tmp_path: Path) -> None:
    sources = {
        "Procfile": "web: gunicorn 'wsgi:create_app()'\n",
        "wsgi.py": "from shop import create_app\n",
        "shop/__init__.py": "def create_app():\n    from . import views\n",
        "shop/views.py": "import flask\n",
    }
    assert "flask" in roots(scanned(tmp_path, sources), When.START)
    sources["Procfile"] = "web: gunicorn wsgi:app\n"
    assert "flask" in roots(scanned(tmp_path, sources), When.LATER)


def test_only_the_script_that_is_run_is_main(tmp_path: Path) -> None:
    guarded = "if __name__ == '__main__':\n    import redis\n"
    sources = {
        "Procfile": "worker: python bot.py\n",
        "bot.py": f"import other\n{guarded}",
        "other.py": guarded.replace("redis", "flask"),
    }
    scan = scanned(tmp_path, sources)
    assert found(scan, "redis").when is When.START
    assert "flask" not in {item.module for item in scan.imports}


def test_what_uvicorn_is_told_in_code(tmp_path: Path) -> None:
    script = "import uvicorn\nif __name__ == '__main__':\n"
    scan = scanned(
        tmp_path,
        {
            "Procfile": "web: python run.py\n",
            "run.py": f"{script}    uvicorn.run('api.main:app', workers=3)\n",
            "api/main.py": "import fastapi\n",
        },
        {"fastapi": ("fastapi/__init__.py",), "uvicorn": ("uvicorn/__init__.py",)},
    )
    assert found(scan, "fastapi").chain == ("run.py", "api/main.py")
    assert scan.process is not None
    assert scan.process.workers == Workers(fixed=3, origin="run.py:3")


@pytest.mark.parametrize(
    ("call", "variables", "workers"),
    [
        ("uvicorn.run('app:app')", "",
         Workers(fixed=1, origin="run.py:2", variable="WEB_CONCURRENCY")),
        ("uvicorn.run('app:app', workers=None)", "",
         Workers(fixed=1, origin="run.py:2", variable="WEB_CONCURRENCY")),
        ("uvicorn.run('app:app')", "WEB_CONCURRENCY=3 ", Workers(fixed=3, origin="run.py:2")),
        ("uvicorn.run('app:app', workers=2)", "WEB_CONCURRENCY=3 ",
         Workers(fixed=2, origin="run.py:2")),
        ("uvicorn.run(app)", "",
         Workers(fixed=1, origin="run.py:2", variable="WEB_CONCURRENCY", single=True)),
        ("uvicorn.run('app:app', reload=True)", "", Workers(fixed=1, origin="one process")),
        ("uvicorn.Server(uvicorn.Config('app:app')).run()", "",
         Workers(fixed=1, origin="one process")),
        ("asyncio.run(hypercorn.asyncio.serve(app, config))", "",
         Workers(fixed=1, origin="one process")),
    ],
)  # fmt: skip
def test_uvicorn_takes_its_workers_from_the_variable_too(
    tmp_path: Path, call: str, variables: str, workers: Workers
) -> None:
    sources = {
        "Procfile": f"web: {variables}python run.py\n",
        "run.py": f"import asyncio, uvicorn, hypercorn.asyncio\n{call}\n",
        "app.py": "app = None\n",
    }
    scan = scanned(tmp_path, sources, {"uvicorn": ("uvicorn/__init__.py",)}, complete=False)
    assert scan.process is not None
    assert scan.process.workers == workers
    assert not scan.unread


def test_workers_of_uvicorn_that_are_computed_are_a_doubt(tmp_path: Path) -> None:
    run = "import uvicorn, os\nuvicorn.run('app:app', workers=int(os.environ['N']))\n"
    sources = {"Procfile": "web: python run.py\n", "run.py": run, "app.py": "app = None\n"}
    scan = scanned(tmp_path, sources, {"uvicorn": ("uvicorn/__init__.py",)})
    assert [one.place for one in scan.unread] == ["run.py:2"]


def test_code_that_was_parsed_ahead_gives_the_same_scan(tmp_path: Path) -> None:
    sources = {
        **WEB,
        "app.py": "import flask\nfrom shop import views\n",
        "shop/__init__.py": "",
        "shop/views.py": "import redis\ndef page():\n    import torch\n",
    }
    own = code(tmp_path, sources)
    process = processes.web_process(own)
    assert process is not None
    whole = imports.scan(process, own, installed(FLASK), minor="3.12")
    parsed: dict[str, Source] = {}
    imports.scan(process, own, installed({}, complete=False), minor="3.12", parsed=parsed)
    assert set(parsed) == {"app.py", "shop/__init__.py", "shop/views.py"}
    (tmp_path / "shop" / "views.py").write_text("import changed\n")  # what is parsed stays so
    assert imports.scan(process, own, installed(FLASK), minor="3.12", parsed=parsed) == whole


def test_own_modules_come_before_installed_ones_as_in_python(tmp_path: Path) -> None:
    sources = {
        **WEB,
        "app.py": "import redis\nimport flask\nimport json\nimport plain\n",
        "redis.py": "import one\n",
        "json/__init__.py": "import two\n",
        "flask/data.py": "",  # a folder without __init__.py gives way
        "plain/mod.py": "",
    }
    scan = scanned(tmp_path, sources, {**FLASK, "redis": ("redis/__init__.py",)})
    assert {"one", "two", "flask"} <= roots(scan, When.START)
    assert not {"redis", "json", "plain"} & roots(scan, When.START)


def test_a_src_layout_is_found_where_nothing_else_has_the_name(tmp_path: Path) -> None:
    sources = {**WEB, "app.py": "import shop\n", "src/shop/__init__.py": "import flask\n"}
    assert roots(scanned(tmp_path, sources), When.START) == {"flask"}


def test_what_no_requirement_has_is_missing_unless_it_is_optional(tmp_path: Path) -> None:
    source = (
        "import yaml\ntry:\n    import a\nexcept ImportError:\n    a = 0\n"
        "def f():\n    import b\nimport ssl\nimport flask\n"
    )
    scan = scanned(tmp_path, {**WEB, "app.py": source})
    assert [item.module for item in scan.missing] == ["yaml"]
    assert found(scan, "a").optional
    assert found(scan, "ssl").distribution == ""
    # where some distribution could not be read, nothing can be said
    assert scanned(tmp_path, {}, complete=False).missing == ()


@pytest.mark.parametrize(("minor", "missing"), [("3.11", []), ("3.12", ["distutils.core"])])
def test_the_standard_library_is_that_of_the_target(
    tmp_path: Path, minor: str, missing: list[str]
) -> None:
    scan = scanned(tmp_path, {**WEB, "app.py": "import distutils.core\n"}, minor=minor)
    assert [item.module for item in scan.missing] == missing


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("print 'Python 2'\nimport flask\n", "cannot be read as Python"),
        ("type X[T] = int\nx = 1 1\nimport flask\n", "cannot be read as Python"),
        ("import flask\n\0", "cannot be read as Python"),
        ("import flask\n" + "-" * 100_000 + "1", "too long to be parsed"),
        ("import flask\n" + "x." * 5_000 + "x", "too many parts"),
    ],
)
def test_of_a_file_that_cannot_be_parsed_the_import_lines_count(
    tmp_path: Path, source: str, reason: str
) -> None:
    scan = scanned(tmp_path, {**WEB, "app.py": source})
    (unread,) = scan.unread
    assert unread.place == "app.py"
    assert reason in unread.reason
    assert found(scan, "flask").place.startswith("app.py:")


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("import importlib\nimportlib.import_module(name)", "app.py:2"),
        ("from . import x", "app.py:1"),
        ("import shop.gone", "app.py:1"),
    ],
)
def test_imports_that_cannot_be_followed_are_named(tmp_path: Path, source: str, place: str) -> None:
    scan = scanned(tmp_path, {**WEB, "app.py": source, "shop/__init__.py": ""})
    assert [unread.place for unread in scan.unread] == [place]


def test_streamlit_runs_its_script_with_the_first_page(tmp_path: Path) -> None:
    scan = scanned(
        tmp_path,
        {
            "Procfile": "web: streamlit run ui/home.py\n",
            "ui/home.py": "import streamlit\ndef main():\n    import pandas\n"
            "if __name__ == '__main__':\n    main()\n",
            "ui/pages/map.py": "import pydeck\n",
        },
        {"streamlit": ("streamlit/__init__.py", "streamlit/web/cli.py")},
    )
    assert found(scan, "streamlit.web.cli").when is When.START
    assert found(scan, "pandas").when is When.REQUEST
    assert found(scan, "pydeck").when is When.LATER


DJANGO = {
    "django": (
        "django/__init__.py", "django/core/wsgi.py", "django/contrib/admin/__init__.py",
        "django/contrib/admin/apps.py", "django/contrib/admin/models.py",
        "django/db/backends/postgresql/base.py", "django/middleware/common.py",
    ),
    "djangorestframework": ("rest_framework/__init__.py", "rest_framework/apps.py"),
    "psycopg": ("psycopg/__init__.py",),
    "whitenoise": ("whitenoise/middleware.py",),
}  # fmt: skip
SITE = {
    "Procfile": "web: gunicorn site_.wsgi\n",
    "manage.py": "",
    "site_/__init__.py": "",
    "site_/wsgi.py": "import os\nfrom django.core.wsgi import get_wsgi_application\n"
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings')\n"
    "application = get_wsgi_application()\n",
    "site_/settings.py": "import environ\n"
    "INSTALLED_APPS = ['django.contrib.admin', 'rest_framework', 'shop.apps.ShopConfig', 'blog']\n"
    "MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware', 'shop.guard.Guard']\n"
    "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}\n"
    "ROOT_URLCONF = 'site_.urls'\n",
    "site_/urls.py": "from django.urls import path\nfrom shop import views\n",
    "shop/__init__.py": "",
    "shop/apps.py": "from django.apps import AppConfig\nclass ShopConfig(AppConfig):\n"
    "    name = 'shop'\n    def ready(self):\n        from . import signals\n",
    "shop/signals.py": "import stripe\n",
    "shop/models.py": "import pandas\n",
    "shop/guard.py": "import jwt\n",
    "shop/views.py": "import requests\n",
    "blog/__init__.py": "",
    "blog/models.py": "import markdown\n",
    "blog/admin.py": "import bleach\n",
}


def test_django_imports_what_its_settings_name(tmp_path: Path) -> None:
    scan = scanned(tmp_path, SITE, DJANGO)
    assert {
        "environ", "stripe", "pandas", "jwt", "markdown", "bleach", "psycopg", "whitenoise",
        "rest_framework",
    } <= roots(scan, When.START)  # fmt: skip
    assert found(scan, "rest_framework.apps").distribution == "djangorestframework"
    assert found(scan, "django.contrib.admin.models").when is When.START
    assert found(scan, "requests").when is When.REQUEST
    chain = ("site_/wsgi.py", "site_/settings.py", "shop/apps.py", "shop/signals.py")
    assert found(scan, "stripe").chain == chain


def test_runserver_reads_the_urls_before_it_serves(tmp_path: Path) -> None:
    manage = SITE["site_/wsgi.py"].replace("django.core.wsgi", "django.core.management")
    command = {"Procfile": "web: python manage.py runserver 0.0.0.0:$PORT\n", "manage.py": manage}
    assert "requests" in roots(scanned(tmp_path, {**SITE, **command}, DJANGO), When.START)


def test_settings_that_are_not_known_are_said(tmp_path: Path) -> None:
    wsgi = "from django.core.wsgi import get_wsgi_application\nget_wsgi_application()\n"
    scan = scanned(tmp_path, {**SITE, "site_/wsgi.py": wsgi}, DJANGO)
    assert any("settings is not known" in item.reason for item in scan.unread)


def test_without_code_each_direct_requirement_has_its_main_module() -> None:
    packages = installed(
        {
            "opencv-python": ("cv2/__init__.py", "cv2/data.py", "opencv_python.libs/libx.so"),
            "pyyaml": ("_yaml/__init__.py", "yaml/__init__.py", "yaml/_yaml.cpython-311.so"),
            "google-cloud-storage": ("google/cloud/storage/__init__.py",),
            "types-requests": ("requests-stubs/__init__.pyi",),
            "six": ("six.py", "tests/test_six.py"),
        }
    )
    names = ("opencv-python", "pyyaml", "google-cloud-storage", "types-requests", "six")
    scan = imports.of_requirements(names, packages)
    assert scan.process is None
    assert [(item.module, item.distribution) for item in scan.imports] == [
        ("cv2", "opencv-python"),
        ("yaml", "pyyaml"),
        ("google.cloud.storage", "google-cloud-storage"),
        ("six", "six"),
    ]
    assert scan.notes == ("no module to import: types-requests",)


def test_a_shared_namespace_belongs_to_whoever_has_the_rest_of_the_path() -> None:
    packages = installed(
        {
            "google-auth": ("google/auth/__init__.py",),
            "google-cloud-storage": ("google/cloud/storage/__init__.py",),
            "protobuf": ("google/protobuf/__init__.py",),
            "native": ("native.cpython-312-x86_64-linux-gnu.so",),
            "data": ("data-1.0.data/purelib/data/__init__.py",),
        }
    )
    assert packages.distribution_of("google.cloud.storage.blob") == "google-cloud-storage"
    assert packages.distribution_of("google.protobuf") == "protobuf"
    assert packages.distribution_of("native") == "native"
    assert packages.distribution_of("data") == "data"
    assert packages.distribution_of("yaml") is None
    assert packages.has("google.cloud")

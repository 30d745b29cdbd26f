"""A light install: check, compare and why need none of the extras; what needs one names it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from slugcheck import extras
from slugcheck.errors import UsageError
from tests.support import stock
from tests.support.server import PackageServer

Write = Callable[..., Path]
ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {"audit", "bench", "plot", "rehearse", "remote"}
# the command line where nothing of the extras is installed
LIGHT = f"""
import sys
for name in {sorted(name for extra in EXTRAS for name in extras._MODULES[extra])}:
    sys.modules[name] = None  # importing it is an ImportError
from slugcheck.cli import main
main()
"""
pytestmark = pytest.mark.usefixtures("private_caches")


def light(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LIGHT, *map(str, arguments)], capture_output=True, text=True,
        check=False, env=os.environ | {"NO_COLOR": "1"},
    )  # fmt: skip


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    return stock.fill(package_server)


def required(lines: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", line)[0] for line in lines}


def test_the_extras_install_what_the_code_looks_for() -> None:
    declared = PROJECT["optional-dependencies"]
    assert set(extras._MODULES) == EXTRAS
    for extra, modules in extras._MODULES.items():
        assert required(declared[extra]) == set(modules.values())
        assert not required(declared[extra]) & required(PROJECT["dependencies"])
    assert declared["all"] == [f"slugcheck[{','.join(sorted(EXTRAS))}]"]
    assert "slugcheck[all]" in declared["test"]


@pytest.mark.slow
def test_check_compare_and_why_work_without_any_extra(
    index: PackageServer, requirements: Write
) -> None:
    first = requirements("framework==1.0\nheavy==5.0\n", "first.txt")
    second = requirements("framework==1.0\nlight==1.1\n", "second.txt")
    flags = ("--python", "3.12", "--index-url", index.index_url)
    for arguments in ([first], ["compare", first, second], ["why", "framework", first]):
        done = light(*arguments, *flags)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["bench"], "slugcheck bench needs onnxruntime and numpy: pip install 'slugcheck[bench]'"),
        (
            ["rehearse"],
            "slugcheck rehearse needs h11, httpx, psutil and python-dotenv: "
            "pip install 'slugcheck[rehearse]'",
        ),
        (["--audit"], "--audit needs pip-audit and cvss: pip install 'slugcheck[audit]'"),
        (
            ["--model", "s3://bucket/model.onnx"],
            "a model on S3 needs fsspec and s3fs: pip install 'slugcheck[remote]'",
        ),
        (
            ["--model", "gs://bucket/model.onnx"],
            "a model on Google Storage needs fsspec and gcsfs: pip install 'slugcheck[remote]'",
        ),
    ],
)
def test_a_missing_extra_is_named_with_the_line_that_installs_it(
    arguments: list[str], line: str, requirements: Write
) -> None:
    path = [] if arguments in (["bench"], ["rehearse"]) else [requirements("not-looked-up==1.0\n")]
    done = light(*path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {line}\n"


def test_only_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    extras.require("bench", "slugcheck bench")
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(UsageError, match=r"^slugcheck bench needs numpy: pip install"):
        extras.require("bench", "slugcheck bench")


def test_a_plot_without_its_extra_is_refused_before_anything_is_measured() -> None:
    code = "import sys\nsys.modules['matplotlib'] = None\nfrom slugcheck.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", code, "bench", "--plot", "memory.svg"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--plot needs matplotlib: pip install 'slugcheck[plot]'" in done.stderr

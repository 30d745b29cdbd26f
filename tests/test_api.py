"""The Python API: records out, nothing printed, nothing left behind, nothing loaded too early."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import slugcheck
from slugcheck.policy.budgets import exit_code
from slugcheck.running import ending
from tests.support import stock
from tests.support.commands import slugcheck as command
from tests.support.server import PackageServer

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")
HEAVY = {
    "typing", "click", "numpy", "onnxruntime", "packaging", "pip_requirements_parser",
    "platformdirs", "pydantic", "pypi_simple", "requests", "rich", "tomli_w", "urllib3", "uv",
    "slugcheck.api", "slugcheck.check", "slugcheck.compare", "slugcheck.model", "slugcheck.running",
}  # fmt: skip


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    return stock.fill(package_server)


@pytest.fixture
def silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Fail the test if anything was written to either stream."""
    yield
    assert capfd.readouterr() == ("", "")


def python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True,
        check=False, env=os.environ | environment, timeout=300,
    )  # fmt: skip


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, slugcheck\nslugcheck.__version__\ndir(slugcheck)\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    assert python(code).stdout == "[]\n"


def test_the_functions_keep_their_names_in_every_order_of_imports() -> None:
    code = (
        "import slugcheck.check, slugcheck.compare, slugcheck\n"
        "from slugcheck.check import Check\nfrom slugcheck import check, compare, Report\n"
        "assert check is slugcheck.check and callable(slugcheck.compare) and callable(check)\n"
        "import slugcheck.against, slugcheck.why\nassert check is slugcheck.check\n"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", slugcheck.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(slugcheck, name).__doc__
    assert name in dir(slugcheck)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        _ = slugcheck.chek  # type: ignore[attr-defined]


def test_the_version_is_that_of_the_package() -> None:
    assert slugcheck.__version__ in command("--version").out


@pytest.mark.usefixtures("silent")
def test_check_returns_the_figures_of_the_command(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("framework==1.0\nwebapp==1.0\nheavy==5.0\n")
    report = slugcheck.check(
        str(path), python="3.12", index_url=index.index_url, limits={"slug": "1M"}
    )
    assert isinstance(report, slugcheck.Report)
    done = command(
        path, "--python", "3.12", "--index-url", index.index_url, "--limit", "slug=1M",
        "--format", "json",
    )  # fmt: skip
    document = done.document
    assert report.sizes.slug.value == document["totals"]["slug_bytes"]
    assert [one.sentence for one in report.verdicts] == [
        one["sentence"] for one in document["verdicts"]
    ]
    failed = [one for one in report.verdicts if one.status is slugcheck.Status.FAIL]
    assert done.code == 1
    assert failed


@pytest.mark.usefixtures("silent")
def test_check_against_a_file_has_the_difference(index: PackageServer, requirements: Write) -> None:
    before = requirements("framework==1.0\n", "before.txt")
    after = requirements("framework==1.0\nheavy==5.0\n", "after.txt")
    report = slugcheck.check(
        after, python="3.12", index_url=index.index_url, against=str(before),
        limits={"increase": "1KB"},
    )  # fmt: skip
    assert report.difference is not None
    assert "heavy" in {one.name for one in report.difference.changes}
    assert slugcheck.Status.FAIL in {one.status for one in report.verdicts}


@pytest.mark.usefixtures("silent")
def test_compare_returns_the_figures_of_the_command(
    index: PackageServer, requirements: Write
) -> None:
    heavy = requirements("framework==1.0\nheavy==5.0\n", "heavy.txt")
    light = requirements("framework==1.0\nlight==1.1\n", "light.txt")
    found = slugcheck.compare(
        heavy, light, python="3.12", index_url=index.index_url, labels=["now", "then"]
    )
    assert isinstance(found, slugcheck.Comparison)
    assert [one.label for one in found.stacks] == ["now", "then"]
    done = command(
        "compare", heavy, light, "--python", "3.12", "--index-url", index.index_url,
        "--format", "json",
    )  # fmt: skip
    assert found.savings is not None
    assert found.savings.slug_bytes == json.loads(done.out)["savings"]["slug_bytes"]


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("name", ["nowhere.txt", "x" * 5000, "a\0b"])
def test_a_path_that_cannot_be_read_is_a_usage_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(slugcheck.UsageError):
        slugcheck.check(tmp_path / name)


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"platform": "no-such-place"}, "no platform is called 'no-such-place'"),
        ({"python": "x"}, "python 'x' is not a Python version"),
        ({"stack": "x"}, "Heroku has no stack 'x'"),
        ({"dyno": "x"}, "Heroku has no machine size 'x'"),
        ({"limits": {"slug": "much"}}, "--limit slug=much: 'much' is not a size"),
        ({"limits": {"weight": "3M"}}, "--limit weight=3M: unknown limit 'weight'; choose from"),
        ({"exclude_newer": "yesterday"}, "'yesterday' is neither a date nor a timestamp"),
        ({"models": "model.onnx"}, "models must be a list of strings, not a string"),
        ({"models": ["none.onnx"]}, "--model none.onnx: file not found"),
        ({"env": "NAME"}, "env must be a list of strings, not a string"),
        ({"env": ["NA-ME"]}, "--env takes the name of an environment variable"),
        ({"find_links": "a"}, "find_links must be a list of strings, not a string"),
        ({"find_links": ["none"]}, "--find-links .*/none: no such folder"),
        ({"extra_index_urls": "a"}, "extra_index_urls must be a list of strings, not a string"),
        ({"index_url": "ftp://x"}, "invalid index URL 'ftp://x'"),
        ({"allow_unsized": "some"}, 'allow_unsized must be a list of names, or "all"'),
        ({"against": "no-such-revision"}, "--against no-such-revision: no such file or revision"),
        ({"against": " "}, "--against is empty"),
        ({"extras": ["fast"]}, "extras and groups need a pyproject.toml, and this is .*/req"),
        ({"groups": ["dev"]}, "extras and groups need a pyproject.toml, and this is .*/req"),
        ({"extras": "fast"}, "extras must be a list of strings, not a string"),
        ({"groups": "dev"}, "groups must be a list of strings, not a string"),
        ({"fail_on": "info"}, "fail_on must be 'error' or 'warning'"),
        ({"settings": "mine"}, "settings must be 'base' or 'head'"),
        ({"audit": True, "audit_service": "x"}, "audit_service must be 'osv' or 'pypi'"),
        ({"config": "none.toml"}, "none.toml: settings file not found"),
        ({"text": "framework==1.0"}, "check takes a path or a text, not both"),
    ],
)
def test_wrong_arguments_are_usage_errors(
    wrong: dict[str, object], said: str, requirements: Write
) -> None:
    with pytest.raises(slugcheck.UsageError, match=f"^{said}"):
        slugcheck.check(requirements("framework==1.0\n"), **wrong)  # type: ignore[arg-type]


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("path", ["-", "pyproject.toml"])
def test_what_no_build_installs_is_not_verified(path: str) -> None:
    with pytest.raises(slugcheck.UsageError, match="--verify installs a requirements file, a lo"):
        slugcheck.check(path, verify=True)


def test_extras_name_the_command_that_reads_them(requirements: Write) -> None:
    for given, option in (({"extras": ["a", "b"]}, "--extra a"), ({"groups": ["c"]}, "--group c")):
        with pytest.raises(slugcheck.UsageError) as raised:
            slugcheck.check(requirements("framework\n"), **given)  # type: ignore[arg-type]
        assert raised.value.hint == f"slugcheck check pyproject.toml {option}"


@pytest.mark.parametrize("call", [slugcheck.check, slugcheck.compare])
def test_a_misspelled_argument_is_a_type_error(call: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match="'platfrom'"):
        call("requirements.txt", platfrom="heroku")
    with pytest.raises(TypeError, match="'verify'"):
        slugcheck.compare("a.txt", "b.txt", verify=True)  # type: ignore[call-arg]


@pytest.mark.usefixtures("silent")
def test_check_includes_extras_and_groups(index: PackageServer, tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(
        '[project]\nname = "shop"\ndependencies = ["framework"]\n[project.optional-dependencies]\n'
        'fast = ["light==1.1"]\n[dependency-groups]\ndev = ["heavy==5.0"]\n'
    )
    report = slugcheck.check(
        path, extras=["fast"], groups=["dev"], python="3.12", index_url=index.index_url
    )
    assert {"framework", "light", "heavy"} <= {one.name for one in report.sizes.distributions}


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("folder", [False, True])
def test_check_reads_requirements_from_a_text(
    index: PackageServer, requirements: Write, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    base = requirements("framework==1.0\n")
    monkeypatch.chdir(base.parent)
    if folder:  # which the path of a text could be taken for
        (base.parent / "-").mkdir()
    report = slugcheck.check(
        text="framework==1.0\nheavy==5.0\n", against=str(base), python="3.12",
        index_url=index.index_url,
    )  # fmt: skip
    assert report.path == "<text>"
    assert report.difference is not None
    assert "heavy" in {one.name for one in report.difference.changes}
    with pytest.raises(slugcheck.UsageError, match="<text>:2"):
        slugcheck.check(text="framework\n=== no requirement\n", index_url=index.index_url)


@pytest.mark.usefixtures("silent")
def test_fail_on_warning_counts_as_for_the_command(
    index: PackageServer, requirements: Write
) -> None:
    index.add_sdist("native", "1.0", {"setup.py": "", "native.c": "int x;"})
    path = requirements("native==1.0\n")
    given = ("--python", "3.12", "--index-url", index.index_url)
    for fail_on in ("error", "warning"):
        report = slugcheck.check(
            path,
            python="3.12",
            index_url=index.index_url,
            fail_on=fail_on,
        )
        assert exit_code(report) == command(path, *given, "--fail-on", fail_on).code


@pytest.mark.usefixtures("silent")
def test_what_has_no_resolution_raises_and_leaves_nothing(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("not-there==1.0\n")
    with pytest.raises(slugcheck.MeasureError, match="not-there"):
        slugcheck.check(path, python="3.12", index_url=index.index_url)
    with pytest.raises(slugcheck.MeasureError, match=r"(?s)second.*not-there"):
        slugcheck.compare(
            requirements("framework==1.0\n", "first.txt"),
            requirements("not-there==1.0\n", "second.txt"),
            python="3.12", index_url=index.index_url,
        )  # fmt: skip
    assert not ending.places
    assert not ending.processes


@pytest.mark.usefixtures("silent")
def test_one_candidate_is_too_few(requirements: Write) -> None:
    with pytest.raises(slugcheck.UsageError, match="at least two"):
        slugcheck.compare(requirements("framework==1.0\n"))


def test_signal_handlers_and_threads_stay_the_callers(
    index: PackageServer, requirements: Write
) -> None:
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = [signal.getsignal(number) for number in numbers]
    results: list[object] = []

    def run() -> None:
        report = slugcheck.check(
            requirements("framework==1.0\n"), python="3.12", index_url=index.index_url
        )
        results.append(report)

    thread = threading.Thread(target=run)  # where signal handlers cannot be set at all
    thread.start()
    thread.join()
    assert len(results) == 1
    assert [signal.getsignal(number) for number in numbers] == before


# the child holds the stream that the test reads to its end
LEAVES = """
import sys
from slugcheck.running import child, temporary
folder = temporary.Folder()
(folder.path / "file").write_text("x")
started = child.started([sys.executable, "-c", "import time; time.sleep(600)"],
                        cwd=folder.path, environment={}, stdout=1)
process = started.__enter__()
print(folder.path, flush=True)
"""


def test_folders_and_children_are_gone_when_the_interpreter_exits(tmp_path: Path) -> None:
    done = python(LEAVES, TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_removes_nothing_of_its_parent(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom slugcheck.running import temporary\nfolder = temporary.Folder()\n"
        "child = os.fork()\nif not child:\n    sys.exit(0)\nos.waitpid(child, 0)\n"
        "print(folder.path.exists())"
    )
    assert python(code, TMPDIR=str(tmp_path)).stdout == "True\n"
    assert tempfile.gettempdir() != str(tmp_path)

"""The target: flags, version files and defaults; and what the resolver is told of it."""

from __future__ import annotations

import itertools
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import packaging.tags
import pytest
from packaging.markers import Marker
from packaging.utils import parse_wheel_filename

from slugcheck import platforms
from slugcheck.errors import BuildError, PlatformError
from slugcheck.model import Manager, Platform, Source, Stack
from slugcheck.platforms import tags
from slugcheck.project import target


@pytest.fixture(scope="module")
def heroku() -> Platform:
    return platforms.load("heroku")


def stack(glibc: tuple[int, int]) -> Stack:
    return Stack(
        name="s", glibc=glibc, arch="x86_64", missing_libraries=(), status="",
        source=Source(text="", date=""),
    )  # fmt: skip


# --------------------------------------------------------------------------- Python


def test_the_platforms_defaults(heroku: Platform, tmp_path: Path) -> None:
    chosen = target.choose(heroku, folder=tmp_path)
    assert (chosen.stack.name, chosen.python_version, chosen.minor) == (
        "heroku-24", "3.14.7", "3.14",
    )  # fmt: skip
    assert chosen.python_origin == "default"
    assert chosen.dyno is not None
    assert chosen.dyno.name == "standard-1x"


@pytest.mark.parametrize(
    ("asked", "full"), [("3.11", "3.11.16"), ("3.11.4", "3.11.4"), (" 3.12.0 ", "3.12.0")]
)
def test_a_minor_means_its_newest_patch_and_an_exact_patch_is_kept(
    heroku: Platform, tmp_path: Path, asked: str, full: str
) -> None:
    (tmp_path / ".python-version").write_text("3.13\n")
    chosen = target.choose(heroku, python=asked, folder=tmp_path)
    assert (chosen.python_version, chosen.python_origin) == (full, "--python")
    assert chosen.python.minor == chosen.minor == full.rsplit(".", 1)[0]


@pytest.mark.parametrize(
    ("name", "text", "full"),
    [
        (".python-version", "3.12", "3.12.14"),
        (".python-version", "  3.12.4  \r\n", "3.12.4"),
        (".python-version", "# the team's version\n\n3.11.4\n  # until spring\n", "3.11.4"),
        ("runtime.txt", "python-3.11.4\n", "3.11.4"),
        ("runtime.txt", "\npython-3.10\n", "3.10.21"),
    ],
)
def test_version_files_as_the_buildpack_reads_them(
    heroku: Platform, tmp_path: Path, name: str, text: str, full: str
) -> None:
    (tmp_path / name).write_bytes(text.encode())
    chosen = target.choose(heroku, folder=tmp_path)
    assert (chosen.python_version, chosen.python_origin) == (full, name)


def test_runtime_txt_comes_before_python_version(heroku: Platform, tmp_path: Path) -> None:
    (tmp_path / "runtime.txt").write_text("python-3.11.4")
    (tmp_path / ".python-version").write_text("3.12")
    assert target.choose(heroku, folder=tmp_path).python_version == "3.11.4"


@pytest.mark.parametrize(("asked", "near"), [("3.9", "3.11"), ("3.6.15", "3.11"), ("3.15", "3.14")])
def test_a_python_that_is_not_offered(heroku: Platform, asked: str, near: str) -> None:
    with pytest.raises(PlatformError) as caught:
        target.choose(heroku, python=asked)
    minor = ".".join(asked.split(".")[:2])
    assert str(caught.value) == (
        f"Heroku does not offer Python {minor} (--python); "
        "as of 2026-08-18 it offers 3.10, 3.11, 3.12, 3.13, 3.14"
    )
    assert caught.value.hint == f"use {near}, the nearest that it supports"


def test_a_file_that_asks_for_an_old_python_is_named(heroku: Platform, tmp_path: Path) -> None:
    (tmp_path / "runtime.txt").write_text("\npython-3.8.2\n")
    with pytest.raises(BuildError, match=r"Python 3.8 has reached end-of-life .*runtime.txt:2\)"):
        target.choose(heroku, folder=tmp_path)


@pytest.mark.parametrize("asked", ["", "3", "python3.12", "3.12rc1", "3.14t", "3.१२", "2.7"])
def test_what_is_no_version_at_all(heroku: Platform, asked: str) -> None:
    with pytest.raises(PlatformError, match="is not a Python version"):
        target.choose(heroku, python=asked)


# --------------------------------------------------------------------------- stack and dyno


def test_stack_and_machine_by_name(heroku: Platform) -> None:
    chosen = target.choose(heroku, stack="heroku-22", dyno="Standard-2X")
    assert chosen.stack.glibc == (2, 35)
    assert chosen.dyno is not None
    assert chosen.dyno.workers == 4


def test_unknown_names_are_told_the_nearest_and_all(heroku: Platform) -> None:
    with pytest.raises(PlatformError, match="Heroku has no stack 'heroku-21'") as caught:
        target.choose(heroku, stack="heroku-21")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("did you mean heroku-2")
    assert caught.value.hint.endswith("choose from heroku-22, heroku-24, heroku-26")
    with pytest.raises(PlatformError, match="Heroku has no machine size 'standard1x'") as caught:
        target.choose(heroku, dyno="standard1x")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("did you mean standard-1x? choose from eco, basic,")


@pytest.mark.parametrize(
    ("stack", "since"),
    [
        ("heroku-20", "2025-05-01"),
        ("heroku-18", "2023-05-01"),
        ("heroku-16", "2021-05-01"),
        ("cedar-14", "2021-02-26"),
    ],
)
def test_a_retired_stack_is_said_to_be_one(heroku: Platform, stack: str, since: str) -> None:
    with pytest.raises(PlatformError) as caught:
        target.choose(heroku, stack=stack)
    assert str(caught.value) == f"Heroku retired the stack {stack}: end-of-life since {since}"
    assert caught.value.hint == "use heroku-24; Heroku has heroku-22, heroku-24, heroku-26"


def test_a_platform_without_a_default_machine_has_none() -> None:
    assert target.choose(platforms.load("aws-lambda")).dyno is None


# --------------------------------------------------------------------------- for the resolver


@pytest.mark.parametrize(
    ("glibc", "name"),
    [((2, 39), "2_39"), ((2, 43), "2_40"), ((2, 35), "2_35"), ((2, 34), "2_34"),
     ((2, 30), "2_28"), ((2, 26), "2_17"), ((2, 17), "2_17")],
)  # fmt: skip
def test_the_name_for_uv_is_its_newest_that_the_stack_has(
    glibc: tuple[int, int], name: str
) -> None:
    assert tags.uv_platform(stack(glibc)) == f"x86_64-manylinux_{name}"


def test_uv_knows_the_platform_of_every_stack(tmp_path: Path) -> None:
    """Against the real uv: a name it does not have is a usage error."""
    (tmp_path / "empty.in").write_text("")
    targets = {
        tags.uv_platform(stack, release.minor)
        for place in map(platforms.load, platforms.names())
        for stack, release in itertools.product(place.stacks, place.pythons)
    }
    for name in targets:
        command = [sys.executable, "-m", "uv", "pip", "compile", "--offline", "--no-config",
                   "--python-platform", name, str(tmp_path / "empty.in")]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def tags_of_this_machine() -> tuple[packaging.tags.Tag, ...]:
    """The oracle, where there is one: a release build of CPython on x86_64 with glibc."""
    tags = tuple(packaging.tags.sys_tags())
    release_build = tags[0].interpreter == tags[0].abi and tags[0].platform == "linux_x86_64"
    if platform.libc_ver()[0] != "glibc" or not release_build:
        pytest.skip("compares with the tags of CPython on x86_64 with glibc")
    return tags


def test_tags_are_those_that_pip_computes_on_such_a_machine() -> None:
    expected = tags_of_this_machine()
    major, minor = platform.libc_ver()[1].split(".")
    here = stack((int(major), int(minor)))
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert tags.tags_for(here, python) == expected


@pytest.mark.parametrize(
    ("filename", "fits"),
    [
        ("a-1-cp312-cp312-manylinux_2_39_x86_64.whl", True),
        ("a-1-cp312-cp312-manylinux_2_40_x86_64.whl", False),
        ("a-1-cp312-cp312-manylinux2014_x86_64.whl", True),
        ("a-1-cp312-cp312-manylinux1_x86_64.whl", True),
        ("a-1-cp38-abi3-manylinux2010_x86_64.whl", True),
        ("a-1-cp313-abi3-manylinux2014_x86_64.whl", False),
        ("a-1-cp312-cp312-linux_x86_64.whl", True),
        ("a-1-py3-none-any.whl", True),
        ("a-1-py2.py3-none-any.whl", True),
        ("a-1-py3-none-manylinux2014_x86_64.whl", True),
        ("a-1-cp312-cp312-musllinux_1_2_x86_64.whl", False),
        ("a-1-cp312-cp312-manylinux_2_39_aarch64.whl", False),
        ("a-1-cp312-cp312t-manylinux_2_39_x86_64.whl", False),
        ("a-1-cp311-cp311-manylinux2014_x86_64.whl", False),
        ("a-1-py2-none-any.whl", False),
        ("a-1-cp312-cp312-win_amd64.whl", False),
    ],
)
def test_which_wheels_fit_heroku_24(heroku: Platform, filename: str, fits: bool) -> None:
    accepted = set(tags.supported_tags(target.choose(heroku, python="3.12")))
    assert bool(accepted & parse_wheel_filename(filename)[3]) is fits


def test_the_python_that_slugcheck_runs_on_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tags.tags_for(stack((2, 39)), "3.13")
    real = sysconfig.get_config_var

    def free_threaded(name: str) -> object:
        return 1 if name in ("Py_GIL_DISABLED", "Py_DEBUG") else real(name)

    monkeypatch.setattr(sysconfig, "get_config_var", free_threaded)
    assert tags.tags_for(stack((2, 39)), "3.13") == before


def test_the_more_specific_wheel_is_preferred(heroku: Platform) -> None:
    names = [str(tag) for tag in tags.supported_tags(target.choose(heroku, python="3.12"))]
    order = ["cp312-cp312-linux_x86_64", "cp312-cp312-manylinux_2_39_x86_64",
             "cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-manylinux2014_x86_64",
             "cp312-abi3-manylinux_2_39_x86_64", "cp311-abi3-manylinux_2_39_x86_64",
             "py3-none-manylinux_2_39_x86_64", "py3-none-any"]  # fmt: skip
    places = [names.index(tag) for tag in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ("python_full_version < '3.11.3'", False),
        ("python_full_version >= '3.11.4'", True),
        ("python_version == '3.11'", True),
        ("sys_platform == 'linux' and platform_machine == 'x86_64'", True),
        ("sys_platform == 'win32' or os_name == 'nt'", False),
        ("platform_system == 'Linux' and implementation_name == 'cpython'", True),
        ("platform_python_implementation == 'PyPy'", False),
        ("extra == 'dev'", False),
        ("platform_release == '' and platform_version == ''", True),
    ],
)
def test_markers_see_the_target(heroku: Platform, marker: str, holds: bool) -> None:
    environment = tags.marker_environment(target.choose(heroku, python="3.11.4"))
    assert Marker(marker).evaluate(environment) is holds
    assert {k: str(v) for k, v in environment.items()} == environment


def test_a_uv_project_without_a_version_file_gets_the_newest_python_that_it_allows(
    heroku: Platform, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.11.4,<3.13"\n')
    refused: list[BuildError] = []
    chosen = target.choose(heroku, folder=tmp_path, manager=Manager.UV, refuse=refused.append)
    assert (chosen.minor, chosen.python_origin) == ("3.12", "pyproject.toml")
    (error,) = refused
    assert error.hint == "run uv python pin 3.12 and commit the file"
    assert error.instead == "sized with Python 3.12"

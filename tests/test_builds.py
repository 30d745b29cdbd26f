"""What cannot be built or installed on the target: said with its cause, and sized all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from slugcheck import platforms
from slugcheck.packages.index.inventories import Cache
from slugcheck.packages.known import BUILD_NEEDS, build_needs
from slugcheck.packages.sdist.needs import Needs
from slugcheck.packages.sdist.sdist import Unreadable, load_source, read_source
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer
from tests.support.wheels import Content, make_sdist

Write = Callable[..., Path]
CP311 = "cp311-cp311-manylinux_2_17_x86_64"
NATIVE = "cp312-cp312-manylinux_2_17_x86_64"
SETUP = "from setuptools import Extension, setup\n"
C_SETUP = SETUP + "setup(name='demo', ext_modules=[Extension('demo', ['demo.c'])])\n"
RUST_SETUP = (
    "from setuptools import setup\nfrom setuptools_rust import RustExtension\n"
    "setup(name='demo', rust_extensions=[RustExtension('demo')])\n"
)


def pyproject(backend: str, *requires: str) -> str:
    return f'[build-system]\nrequires = {list(requires)!r}\nbuild-backend = "{backend}"\n'


def cargo(pyo3: str = "") -> dict[str, Content]:
    lock = f'[[package]]\nname = "pyo3"\nversion = "{pyo3}"\n' if pyo3 else "version = 3\n"
    return {"Cargo.toml": "[package]\n", "Cargo.lock": lock, "src/lib.rs": "fn f() {}\n"}


def needs_of(files: Mapping[str, Content], **options: Any) -> Needs:
    archive = make_sdist("demo", "1.0", {"demo.py": "", **files}, requires_txt="", **options)
    return read_source(archive.content, archive.filename).needs


def packages(needs: Needs) -> list[tuple[str, bool]]:
    return [(need.package, need.fetched) for need in needs.packages]


# --------------------------------------------------------------------------- what a build needs


@pytest.mark.parametrize(
    ("requires", "fetched"),
    [
        ("maturin>=0.10.6,<0.11", False),
        ("maturin==1.8.3", False),
        ("maturin<1.9", False),
        ("maturin~=1.8.0", False),
        ("maturin==1.7.*", False),
        ("maturin>=1,<2", True),  # 1.9 and later download Rust
        ("maturin", True),
        ("maturin==1.9.0", True),
        ("maturin~=1.8", True),
    ],
)
def test_maturin_needs_rust_and_downloads_it_from_version_1_9_on(
    requires: str, fetched: bool
) -> None:
    assert packages(needs_of(cargo(), pyproject=pyproject("maturin", requires))) == [
        ("cargo", fetched)
    ]


def test_setuptools_rust_needs_rust_unless_the_extension_is_optional() -> None:
    build = pyproject("setuptools.build_meta", "setuptools", "setuptools-rust")
    assert packages(needs_of(cargo(), setup_py=RUST_SETUP, pyproject=build)) == [("cargo", False)]
    assert packages(needs_of(cargo(), setup_py=RUST_SETUP)) == [("cargo", False)]
    table = build + '[[tool.setuptools-rust.ext-modules]]\ntarget = "demo"\n'
    tables = build + '[tool.setuptools-rust]\nbins = [{ target = "demo" }]\n'
    for text in (table, tables):
        assert packages(needs_of(cargo(), pyproject=text)) == [("cargo", False)]
    optional = RUST_SETUP.replace("('demo')", "('demo', optional=True)")
    assert packages(needs_of(cargo(), setup_py=optional, pyproject=build)) == []
    assert packages(needs_of({}, setup_py=RUST_SETUP, pyproject=build)) == []  # there is no crate


@pytest.mark.parametrize(
    ("meson", "needed"),
    [
        ("project(\n  'demo',\n  'c', 'cpp', 'fortran',\n  version: '1')\n", True),
        ("project('demo', 'c', version: '1')\nadd_languages('fortran', native: false)\n", True),
        ("project('demo', 'c')\nadd_languages('fortran', required: false)\n", False),
        ("project('demo', 'c')\nif x\n  add_languages('fortran')\nendif\n", False),
        ("project('demo', 'c')\n# add_languages('fortran')\n", False),
    ],
)
def test_meson_needs_fortran_where_its_project_always_does(meson: str, needed: bool) -> None:
    build = pyproject("mesonpy", "meson-python")
    needs = needs_of({"meson.build": meson}, pyproject=build)
    assert packages(needs) == ([("gfortran", False)] if needed else [])
    deeper = needs_of({"vendored/lib/meson.build": meson}, pyproject=build)
    assert packages(deeper) == []


def test_cmake_and_numpy_distutils_need_fortran_too() -> None:
    build = pyproject("scikit_build_core.build", "scikit-build-core")
    for text in ("project(demo VERSION 1 LANGUAGES C Fortran)", "enable_language(Fortran)"):
        needs = needs_of({"CMakeLists.txt": f"{text}\n"}, pyproject=build)
        assert packages(needs) == [("gfortran", False)]
    setup = "def configure():\n    from numpy.distutils.core import setup\n"
    assert packages(needs_of({"demo/solver.f90": "end\n"}, setup_py=setup)) == [("gfortran", False)]
    assert packages(needs_of({"demo/tests/solver.f90": "end\n"}, setup_py=setup)) == []
    assert packages(needs_of({"demo/solver.f90": "end\n"}, setup_py=SETUP + "setup()\n")) == []


# --------------------------------------------------------------------------- which Pythons fail


@pytest.mark.parametrize(
    ("pyo3", "first_failing"),
    [("0.19.2", None), ("0.20.3", 13), ("0.21.2", 13), ("0.24.1", 14), ("0.27.0", 15),
     ("0.29.1", None)],
)  # fmt: skip
def test_pyo3_refuses_a_python_newer_than_it_knows(pyo3: str, first_failing: int | None) -> None:
    build = pyproject("maturin", "maturin>=1,<2")
    failures = needs_of(cargo(pyo3), pyproject=build).failures
    assert [(f.first, f.last) for f in failures] == (
        [(first_failing, None)] if first_failing else []
    )
    assert all(f"PyO3 {pyo3} supports Python 3.{f.first - 1}" in f.reason for f in failures)


def test_pyo3_of_the_stable_abi_takes_any_python() -> None:
    stable = {**cargo("0.21.2"), "Cargo.toml": 'pyo3 = { features = ["abi3-py38"] }\n'}
    assert needs_of(stable, pyproject=pyproject("maturin", "maturin")).failures == ()
    own = pyproject("maturin", "maturin") + '[tool.maturin]\nfeatures = ["pyo3/abi3"]\n'
    assert needs_of(cargo("0.21.2"), pyproject=own).failures == ()


@pytest.mark.parametrize(
    ("requires", "setup", "expected"),
    [
        ((), "import pkg_resources\n", (9, "pkg_resources, which setuptools 82 removed")),
        ((), "from pkg_resources import parse_version\n", (9, "pkg_resources")),
        (("setuptools<82",), "import pkg_resources\n", None),
        (("setuptools==70.0",), "import pkg_resources\n", None),
        (("setuptools>=61,<90",), "import pkg_resources\n", (9, "pkg_resources")),
        ((), "try:\n    import pkg_resources\nexcept ImportError:\n    pass\n", None),
        (("setuptools==59.2.0", "wheel"), "", (12, "setuptools==59.2.0, which fails on Python")),
        (("setuptools<66.1",), "", (12, "setuptools<66.1")),
        (("setuptools<=66.1",), "", None),
        (("setuptools<60; python_version<'3.9'", "setuptools"), "", None),
        ((), "import imp\n", (12, "imports imp, which Python 3.12 removed")),
        ((), "import pipes\n", (13, "imports pipes, which Python 3.13 removed")),
        ((), "setup(use_2to3=True)\n", (0, "2to3, which setuptools 58 removed")),
        (("setuptools<58",), "setup(use_2to3=True)\n", (12, "setuptools<58")),
        ((), "print 'installing'\n", (0, "written for Python 2")),
        ((), "import numpy\n", (0, "imports numpy, which its build environment does not have")),
        (("setuptools", "numpy"), "import numpy\n", None),
        (("setuptools", "scipy"), "import numpy\n", None),  # it may bring numpy
        ((), "import subprocess\nsubprocess.call(['install'])\nimport numpy\n", None),
        ((), "def f():\n    import numpy\n", None),
        ((), "import demo\nimport inner\nimport os, distutils.core\n", None),
    ],
)
def test_what_a_setup_py_imports_decides_on_which_pythons_it_runs(
    requires: tuple[str, ...], setup: str, expected: tuple[int, str] | None
) -> None:
    build = pyproject("setuptools.build_meta", *requires) if requires else None
    files = {"lib/inner.py": ""}
    failures = needs_of(files, setup_py=setup, pyproject=build).failures
    if expected is None:
        assert failures == ()
    else:
        [found] = failures
        assert (found.first, found.last) == (expected[0], None)
        assert expected[1] in found.reason


def test_what_was_read_comes_back_from_the_cache(tmp_path: Path) -> None:
    build = pyproject("maturin", "maturin<1")
    computed = "setup(install_requires=ask())\n"
    cache = Cache(tmp_path)
    for files, setup, unreadable in ((cargo("0.21.2"), None, False), ({}, computed, True)):
        options: dict[str, Any] = {"pyproject": build} if setup is None else {"setup_py": setup}
        options |= {"requires_txt": ""} if setup is None else {}
        archive = make_sdist("demo", "1.0", {"demo.py": "", **files}, **options)
        key = (cache, archive.sha256, archive.filename)
        first = load_source(*key, partial(bytes, archive.content))
        again = load_source(*key, lambda: pytest.fail("it was fetched again"))
        assert isinstance(first, Unreadable) is unreadable
        assert again == first


# --------------------------------------------------------------------------- build images


def test_no_build_image_of_heroku_has_rust_fortran_or_cuda() -> None:
    stacks = platforms.load("heroku").stacks
    assert {stack.name for stack in stacks} == {"heroku-22", "heroku-24", "heroku-26"}
    for stack in stacks:
        image = stack.build_image
        assert image is not None
        assert image.source.date == "2026-07-14"
        assert {"gcc", "g++", "make", "cmake", "libpq-dev", "libmysqlclient-dev"} <= {
            *image.packages
        }
        lacking = {"cargo", "gfortran", "golang-go", "swig", "nvidia-cuda-toolkit"}
        assert not {*lacking, "unixodbc-dev", "portaudio19-dev"} & {*image.packages}


def test_a_need_may_depend_on_the_version() -> None:
    assert list(BUILD_NEEDS) == sorted(BUILD_NEEDS)
    assert build_needs("pygobject", Version("3.50.1")) == ("libgirepository1.0-dev",)
    assert build_needs("pygobject", Version("3.52")) == ("libgirepository-2.0-dev",)
    assert build_needs("shapely", Version("1.8.5")) == ()


# --------------------------------------------------------------------------- a check


@pytest.fixture(autouse=True)
def own_caches(private_caches: Path) -> None:
    """Keep the user's out of all of them."""


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    package_server.add_wheel("webapp", "1.0", {"webapp.py": "y = 2\n" * 100})
    return package_server


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(server: PackageServer, path: Path, *more: str, python: str = "3.12") -> Done:
    index = ("--index-url", server.index_url)
    return slugcheck(path.name, "--python", python, *index, "--format", "json", *more)


def failure(done: Done, name: str) -> Any:
    [finding] = [
        f for f in done.document["findings"] if (f["code"], f["subject"]) == ("build-fails", name)
    ]
    return finding


def codes(done: Done) -> list[str]:
    return [finding["code"] for finding in done.document["findings"]]


def pythons_of(done: Done, name: str) -> tuple[str | None, list[str]]:
    """The newest Python that a distribution has a wheel for, and all of them."""
    build = done.one(name)["source_build"]
    return build["newest_python_with_wheel"], build["pythons_with_wheels"]


def add_rust(server: PackageServer, name: str = "core", version: str = "1.0") -> None:
    server.add_wheel(name, version, {f"{name}.so": b"\x7fELF" + bytes(90_000)}, tag=CP311)
    server.add_sdist(
        name, version, {f"{name}/__init__.py": "", **cargo()}, requires_txt="",
        pyproject=pyproject("maturin", "maturin<1"),
    )  # fmt: skip


def test_a_build_that_needs_what_the_image_lacks_will_fail(
    index: PackageServer, requirements: Write
) -> None:
    add_rust(index)
    index.add_wheel("parent", "2.7", {"parent.py": ""}, requires=("core==1.0",))
    done = check(index, requirements("webapp\nparent==2.7\n"))
    assert done.code == 1
    assert failure(done, "core")["sentence"] == (
        "the build will fail: core 1.0 (required by parent 2.7, requirements.txt:2) has no wheel "
        "for Python 3.12, and building it needs Rust, which heroku-24's build image does not have"
    )
    assert failure(done, "core")["severity"] == "error"
    assert failure(done, "core")["origin"]["line"] == 2
    assert "built-from-source" not in codes(done)
    assert done.one("core")["installed_bytes"] > 90_000  # and sized all the same
    assert check(index, requirements("core==1.0\n"), python="3.11").code == 0  # it has a wheel


def test_nothing_is_said_of_tools_where_the_platform_does_not_tell_what_it_has(
    index: PackageServer, requirements: Write
) -> None:
    add_rust(index)
    done = check(index, requirements("core==1.0\n"), "--platform", "aws-lambda")
    assert codes(done) == ["built-from-source"]
    assert done.code == 0


def test_a_build_that_downloads_its_own_rust_may_succeed(
    index: PackageServer, requirements: Write
) -> None:
    index.add_sdist(
        "core", "1.0", {"core/__init__.py": "", **cargo("0.25.1")}, requires_txt="",
        pyproject=pyproject("maturin", "maturin>=1,<2"),
    )  # fmt: skip
    assert codes(check(index, requirements("core\n"), python="3.14")) == ["built-from-source"]


def test_pyo3_and_rust_are_named_together(index: PackageServer, requirements: Write) -> None:
    index.add_sdist(
        "core", "1.0", {"core/__init__.py": "", **cargo("0.21.2")}, requires_txt="",
        pyproject=pyproject("maturin", "maturin>=1,<2"),
    )  # fmt: skip
    done = check(index, requirements("core\n"), python="3.13")
    assert done.code == 1
    assert failure(done, "core")["sentence"].endswith(
        "has no wheel for Python 3.13, and building it needs Rust, which heroku-24's build image "
        "does not have; its PyO3 0.21.2 supports Python 3.12 at most"
    )
    assert check(index, requirements("core\n"), python="3.12").code == 0


def test_headers_that_the_image_lacks_stop_the_build_and_those_it_has_do_not(
    index: PackageServer, requirements: Write
) -> None:
    for name, version in (("pyodbc", "4.0.32"), ("psycopg2", "2.9.9")):
        index.add_sdist(name, version, {"demo.c": "int x;\n"}, requires_txt="", setup_py=C_SETUP)
    done = check(index, requirements("pyodbc==4.0.32\npsycopg2==2.9.9\n"))
    assert done.code == 1
    sentence = failure(done, "pyodbc")["sentence"]
    assert "building it needs unixodbc-dev, which heroku-24's build image does not" in sentence
    assert "psycopg2" in next(f for f in codes_of(done, "built-from-source"))["sentence"]
    assert check(index, requirements("psycopg2==2.9.9\n")).code == 0


def codes_of(done: Done, code: str) -> list[Any]:
    return [finding for finding in done.document["findings"] if finding["code"] == code]


@pytest.mark.parametrize(
    ("wheel", "source", "options", "reason"),
    [
        ("<3.12", "<3.12", "", "its metadata requires Python <3.12"),
        (None, "<3.12", "", "its metadata requires Python <3.12"),
        ("<3.12", None, "--only-binary :all:\n", "options exclude its source archive"),
        ("<3.12", "none", "", "its metadata requires Python <3.12"),
        (None, "none", "", "there is no source archive"),
    ],
)
def test_why_pip_takes_no_file_of_a_version(
    index: PackageServer,
    requirements: Write,
    wheel: str | None,
    source: str | None,
    options: str,
    reason: str,
) -> None:
    index.add_wheel("old", "1.0", {"o.so": bytes(9_000)}, tag=CP311, requires_python=wheel)
    if source != "none":
        archive = make_sdist("old", "1.0", {"demo.c": ""}, requires_txt="", setup_py=C_SETUP)
        index.add(archive, requires_python=source)
    done = check(index, requirements(f"{options}old==1.0\n"))
    assert failure(done, "old")["sentence"].endswith(reason)


def test_a_version_whose_metadata_refuses_the_python_is_sized_from_its_wheel(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("dep", "1.0", {"dep.py": ""})
    index.add_wheel(
        "old", "1.0", {"old.so": b"\x7fELF" + bytes(70_000), "old.libs/b.so": bytes(50_000)},
        tag=CP311, requires=("dep",), requires_python=">=3.7,<3.12",
    )  # fmt: skip
    index.add(
        make_sdist("old", "1.0", {"demo.c": "int x;\n"}, requires_txt="", setup_py=C_SETUP),
        requires_python=">=3.7,<3.12",
    )
    done = check(index, requirements("old==1.0\n"))
    assert done.code == 1
    assert failure(done, "old")["sentence"] == (
        "the build will fail: old 1.0 (requirements.txt:1) does not support Python 3.12: its "
        "metadata requires Python >=3.7,<3.12"
    )
    sized = done.one("old")
    assert sized["installed_bytes"] > 120_000  # what its wheel bundles is in it
    assert (sized["basis"], sized["source_build"]["refused"]) == ("predicted", True)
    assert pythons_of(done, "old") == ("3.11", ["3.11"])
    assert done.one("dep")["required_by"] == ["old"]
    screen = slugcheck(
        requirements("old==1.0\n").name, "--python", "3.12", "--index-url", index.index_url
    )
    assert "old cannot be installed with Python 3.12; sized from its wheel for cp311" in screen.out
    pure = "built from source without compiling"
    assert pure not in screen.out


def test_wheels_for_another_python_alone_are_sized_from_the_nearest(
    index: PackageServer, requirements: Write
) -> None:
    for tag in (CP311, CP311.replace("311", "310")):
        index.add_wheel("strict", "1.0", {"s.so": b"\x7fELF" + bytes(40_000)}, tag=tag)
    done = check(index, requirements("strict==1.0\nwebapp\n"))
    assert done.code == 1
    assert pythons_of(done, "strict") == ("3.11", ["3.10", "3.11"])
    assert failure(done, "strict")["sentence"].endswith(
        "strict 1.0 (requirements.txt:1) has no wheel for Python 3.12, and there is no source "
        "archive"
    )
    assert failure(done, "strict")["fix"].endswith("3.11")
    assert failure(done, "strict")["then_status"] == "pass"
    assert done.one("strict")["installed_bytes"] > 40_000
    again = check(index, requirements("strict==1.0\nwebapp\n"))  # from the memory of the first
    assert again.document["findings"] == done.document["findings"]


def test_pure_python_that_refuses_the_python_is_sized_exactly(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("pure", "5.0", {"pure.py": "x = 1\n"}, requires_python=">=3.13")
    done = check(index, requirements("pure==5.0\n"))
    assert done.code == 1
    assert "requires Python >=3.13" in failure(done, "pure")["sentence"]
    assert done.one("pure")["source_build"]["low_factor"] == 1.0


def test_an_unpinned_name_takes_an_older_version_as_pip_does(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("pure", "5.0", {"pure.py": "x = 1\n"}, requires_python=">=3.13")
    index.add_wheel("pure", "4.0", {"pure.py": "x = 1\n"}, requires_python=">=3.9")
    done = check(index, requirements("pure\n"))
    assert (done.code, done.one("pure")["version"]) == (0, "4.0")


def test_a_source_archive_excluded_by_the_file_cannot_help(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("fastlib", "1.0", {"fastlib.so": b"\x7fELF" + bytes(9_000)}, tag=CP311)
    index.add_sdist("fastlib", "1.0", {"demo.c": "int x;\n"}, requires_txt="", setup_py=C_SETUP)
    done = check(index, requirements("--only-binary :all:\nfastlib==1.0\n"))
    assert done.code == 1
    assert failure(done, "fastlib")["sentence"].endswith("options exclude its source archive")


def test_metadata_that_only_code_knows_is_taken_from_the_wheel_of_another_python(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("dep", "1.0", {"dep.py": ""})
    index.add_wheel("learn", "0.24", {"learn.so": bytes(60_000)}, tag=CP311, requires=("dep",))
    setup = "import pkg_resources\nfrom setuptools import setup\nsetup(install_requires=ask())\n"
    index.add_sdist("learn", "0.24", {"learn.c": "int x;\n"}, setup_py=setup)
    done = check(index, requirements("learn==0.24\n"))
    assert done.code == 1
    assert "imports pkg_resources" in failure(done, "learn")["sentence"]
    assert done.one("dep")["required_by"] == ["learn"]
    assert done.document["unsized"] == []


def test_a_build_that_the_file_asks_for_is_not_for_want_of_a_wheel(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("core", "1.0", {"core.so": bytes(9_000)}, tag=NATIVE)
    add_rust(index)
    done = check(index, requirements("--no-binary core\ncore==1.0\n"))
    assert done.code == 1
    assert "is built from source, and building it needs Rust" in failure(done, "core")["sentence"]


def test_a_failing_build_is_ignored_with_a_reason_and_then_exits_0(
    index: PackageServer, requirements: Write
) -> None:
    add_rust(index)
    requirements(
        '[[ignore]]\ncode = "build-fails"\nsubject = "core"\nreason = "the Rust buildpack"\n'
        "expires = 2999-12-31\n",
        "slugcheck.toml",
    )
    done = check(index, requirements("core==1.0\n"))
    assert (done.code, codes(done)) == (0, [])
    assert "the Rust buildpack" in done.out


# --------------------------------------------------------------------------- the fix


def add_built(
    server: PackageServer, name: str, version: str, *, tag: str = "", **options: Any
) -> None:
    """Offer a version whose source needs Rust, with a wheel for ``tag`` if there is one."""
    requires = options.pop("requires", ())
    if tag:
        server.add_wheel(name, version, {f"{name}.so": bytes(50_000)}, tag=tag, requires=requires)
    server.add_sdist(
        name, version, {f"{name}/__init__.py": "", **cargo()},
        requires_txt="".join(f"{line}\n" for line in requires),
        pyproject=pyproject("maturin", "maturin<1"),
    )  # fmt: skip


def test_the_fix_is_the_nearest_newer_version_whose_whole_tree_has_wheels(
    index: PackageServer, requirements: Write
) -> None:
    for version in ("1.0", "1.1", "1.2", "1.3"):  # 1.1 is the first with a wheel of its own
        tag = CP311 if version == "1.0" else NATIVE
        add_built(index, "parent", version, tag=tag, requires=(f"core=={version}",))
        add_built(index, "core", version, tag=NATIVE if version >= "1.2" else CP311)
    path = requirements("webapp==1.0\nparent[fast]==1.0 ; python_version > '3'\n")
    done = check(index, path)
    assert done.code == 1
    fixed = [f for f in done.document["findings"] if f["code"] == "build-fails"]
    fixed.sort(key=lambda finding: finding["subject"], reverse=True)
    assert [(f["subject"], f["fix"]) for f in fixed] == [
        ("parent", '# also fixes core\nparent[fast]==1.2 ; python_version > "3"'),
        ("core", "# tried together with parent: see there"),
    ]
    assert fixed[0]["then_status"] == "pass"
    path.write_text(f"webapp==1.0\n{fixed[0]['fix']}\n")  # and the advice holds
    again = check(index, path)
    assert (again.code, codes(again)) == (0, [])
    assert again.document["totals"]["slug_bytes"] == fixed[0]["then_bytes"]


def test_another_python_comes_before_an_older_version(
    index: PackageServer, requirements: Write
) -> None:
    add_built(index, "core", "1.0", tag=NATIVE)
    add_built(index, "core", "2.0", tag=CP311)
    done = check(index, requirements("core==2.0\n"))
    assert failure(done, "core")["fix"].endswith("3.11")
    assert failure(done, "core")["then_status"] == "pass"


def test_an_older_version_is_named_where_no_python_helps(
    index: PackageServer, requirements: Write
) -> None:
    for version in ("1.0", "1.1", "2.0"):
        add_built(index, "core", version, tag=NATIVE if version < "2" else "")
    assert failure(check(index, requirements("core==2.0\n")), "core")["fix"] == "core==1.1"


def test_a_python_that_the_platform_has_deprecated_is_no_fix(
    index: PackageServer, requirements: Write
) -> None:
    add_built(index, "core", "1.0", tag="cp310-cp310-manylinux_2_17_x86_64")
    fix = failure(check(index, requirements("core==1.0\n")), "core")["fix"]
    assert "3.10" not in fix
    assert fix.startswith("# no fix found")


def test_lines_that_fail_together_change_together(
    index: PackageServer, requirements: Write
) -> None:
    for name, requires in (("core", ()), ("frame", ("core>=2",))):
        add_built(index, name, "1.0", tag=CP311)
        add_built(index, name, "2.0", tag=NATIVE, requires=requires)
        add_built(index, name, "3.0", tag=NATIVE, requires=requires)
    lines = "frame==1.0\ncore==1.0\nwebapp\n"
    done = check(index, requirements(lines))  # one line that names another Python is less
    fixes = {f["fix"] for f in done.document["findings"] if f["code"] == "build-fails"}
    assert any(fix.endswith("# in .python-version:\n3.11") for fix in fixes)
    index.add_wheel("fresh", "1.0", {"fresh.py": "x = 1\n"}, requires_python=">=3.12")
    done = check(index, requirements(f"{lines}fresh==1.0\n"))
    fixes = {f["fix"] for f in done.document["findings"] if f["code"] == "build-fails"}
    together, other = sorted(fixes)
    note, *changed = together.splitlines()
    assert note in ("# also fixes core", "# also fixes frame")
    assert changed == ["core==2.0", "frame==2.0"]
    assert other in (
        "# tried together with core: see there",
        "# tried together with frame: see there",
    )


@pytest.mark.parametrize("minors", [(), ("310",), ("310", "311")])
def test_a_source_archive_names_the_pythons_that_have_wheels(
    index: PackageServer, requirements: Write, minors: tuple[str, ...]
) -> None:
    index.add_sdist("core", "1.0", {"demo.c": "int x;\n"}, requires_txt="", setup_py=C_SETUP)
    for minor in minors:
        tag = CP311.replace("311", minor)
        index.add_wheel("core", "1.0", {"c.so": b"\x7fELF" + bytes(40_000)}, tag=tag)
    done = check(index, requirements("core==1.0\n"))
    dotted = [f"3.{minor[1:]}" for minor in minors]
    assert pythons_of(done, "core") == (dotted[-1] if dotted else None, dotted)


def test_what_never_had_a_wheel_keeps_no_other_line_from_its_fix(
    index: PackageServer, requirements: Write
) -> None:
    add_built(index, "never", "1.0")
    add_built(index, "core", "1.0", tag=CP311)
    add_built(index, "core", "2.0", tag=NATIVE)
    done = check(index, requirements("never==1.0\ncore==1.0\n"))
    assert failure(done, "core")["fix"] == "core==2.0"
    assert failure(done, "never")["fix"].startswith("# no fix found")


def test_a_line_that_may_be_built_changes_with_the_one_that_cannot(
    index: PackageServer, requirements: Write
) -> None:
    index.add_sdist("core", "1.0", {"demo.c": "int x;\n"}, requires_txt="", setup_py=C_SETUP)
    index.add_wheel("core", "2.0", {"core.so": bytes(9_000)}, tag=NATIVE)
    add_built(index, "frame", "1.0", requires=("core",))
    add_built(index, "frame", "2.0", tag=NATIVE, requires=("core>=2",))
    done = check(index, requirements("frame==1.0\ncore==1.0\n"))
    assert failure(done, "frame")["fix"] == "core==2.0\nframe==2.0"


def test_missing_headers_come_with_the_apt_buildpack(
    index: PackageServer, requirements: Write
) -> None:
    index.add_sdist("pyaudio", "0.2.14", {"demo.c": "int x;\n"}, requires_txt="", setup_py=C_SETUP)
    done = check(index, requirements("pyaudio==0.2.14\n"))
    assert failure(done, "pyaudio")["fix"].endswith("Python's:\nportaudio19-dev")


# --------------------------------------------------------------------------- setup.py

RAISES = "raise SystemExit('deprecated')\n"
FINE = "from setuptools import setup\nsetup(name='demo', py_modules=['demo'])\n"
ON_3_12 = "import imp\n" + FINE  # fails from there on


def add_source(server: PackageServer, name: str, version: str, setup: str, *requires: str) -> None:
    """Offer a source archive of Python alone."""
    server.add_sdist(
        name, version, {"demo.py": "x = 1\n"}, setup_py=setup,
        requires_txt="".join(f"{line}\n" for line in requires),
    )  # fmt: skip


def screen(server: PackageServer, path: Path, *more: str) -> Done:
    return slugcheck(path.name, "--python", "3.12", "--index-url", server.index_url, *more)


def test_a_version_that_always_raises_is_an_error_and_its_successor_the_fix(
    index: PackageServer, requirements: Write
) -> None:
    add_source(index, "sklearn", "0.0", FINE, "scikit-learn")
    add_source(index, "sklearn", "0.0.post12", FINE)  # by its name alone
    index.add_wheel("scikit-learn", "1.9", {"sklearn.so": bytes(9_000)}, tag=NATIVE)
    done = check(index, requirements("sklearn\n"))
    assert (done.code, codes(done)) == (1, ["build-fails"])
    found = failure(done, "sklearn")
    assert "SKLEARN_ALLOW_DEPRECATED_SKLEARN_PACKAGE_INSTALL" in found["sentence"]
    assert (found["fix"], found["then_status"]) == ("scikit-learn", "pass")
    both = check(index, requirements("sklearn\nscikit-learn==1.9\n"))
    assert failure(both, "sklearn")["fix"] == "# remove: sklearn==0.0.post12"
    fine = check(index, requirements("sklearn==0.0\n"))
    assert (fine.code, codes(fine)) == (0, ["placeholder"])


def test_a_source_archive_that_fails_is_replaced_by_the_nearest_that_does_not(
    index: PackageServer, requirements: Write
) -> None:
    for version, setup in (("1.0", RAISES), ("2.0", RAISES), ("3.0", FINE), ("4.0", FINE)):
        add_source(index, "gone", version, setup)
    done = check(index, requirements("gone==1.0\n"))
    assert done.code == 1
    assert failure(done, "gone")["sentence"] == (
        "the build will fail: gone 1.0 (requirements.txt:1) has no wheel for Python 3.12, and "
        'building it fails: its setup.py stops with "deprecated"'
    )
    assert failure(done, "gone")["fix"] == "gone==4.0"  # the next one fails as well
    assert failure(check(index, requirements("gone==2.0\n")), "gone")["fix"] == "gone==3.0"


def test_no_fix_brings_a_version_whose_build_fails(
    index: PackageServer, requirements: Write
) -> None:
    add_source(index, "parent", "1.0", RAISES, "child==1.5")
    add_source(index, "parent", "2.0", FINE, "child==2.0")
    add_source(index, "parent", "3.0", FINE, "child==1.5")
    for version in ("1.5", "2.0"):
        add_source(index, "child", version, RAISES)
    done = check(index, requirements("parent==1.0\n"))
    assert failure(done, "child")
    assert failure(done, "parent")["fix"] == "parent==3.0"  # no worse than it is


def test_what_has_to_be_compiled_is_a_fix_for_what_cannot_be_built(
    index: PackageServer, requirements: Write
) -> None:
    add_source(index, "mysql-python", "1.2.5", "import ConfigParser\n" + FINE)
    index.add_sdist("mysqlclient", "2.2", {"demo.c": "int x;\n"}, requires_txt="", setup_py=C_SETUP)
    done = check(index, requirements("MySQL-python==1.2.5\n"))
    assert failure(done, "mysql-python")["fix"] == "mysqlclient"


def test_a_conflict_is_not_solved_by_a_version_whose_build_fails(
    index: PackageServer, requirements: Write
) -> None:
    for version in ("1.0", "2.0"):
        index.add_wheel("scikit-learn", version, {"sklearn.py": ""})
    index.add_wheel("helper", "1.0", {"helper.py": ""}, requires=("scikit-learn==2.0",))
    add_source(index, "sklearn", "0.0", FINE, "scikit-learn<2")
    add_source(index, "sklearn", "0.0.post12", RAISES)
    done = check(index, requirements("helper==1.0\nsklearn==0.0\n"))
    assert done.code == 3
    [obstacle] = done.document["obstacles"]
    assert "conflicts with" in obstacle["sentence"]
    assert "post12" not in str(done.document)


def test_another_python_is_the_fix_where_the_build_does_not_fail_on_it(
    index: PackageServer, requirements: Write
) -> None:
    add_source(index, "old", "1.0", ON_3_12)
    done = check(index, requirements("old==1.0\n"))
    assert done.code == 1
    assert failure(done, "old")["fix"].endswith("# in .python-version:\n3.11")
    assert check(index, requirements("old==1.0\n"), python="3.11").code == 0
    index.add_sdist(
        "older", "1.0", {"older/__init__.py": "", **cargo()}, setup_py="import imp\n" + RUST_SETUP,
        requires_txt="",
    )  # fmt: skip
    fix = failure(check(index, requirements("older==1.0\n")), "older")["fix"]
    assert fix.startswith("# no fix found")  # Rust is missing with any Python


def test_a_build_that_fails_is_said_once(index: PackageServer, requirements: Write) -> None:
    add_source(index, "old", "1.0", "setup(use_2to3=True)\n")
    path = requirements("old==1.0\nwebapp\n")
    done = check(index, path)
    assert done.document["notes"] == []
    assert done.one("old")["source_build"]["notes"] == []
    [to_fix] = screen(index, path).out.split("to fix\n")[1:]
    assert to_fix.partition("WILL FAIL")[0].count("2to3") == 1
    above = screen(index, path).out.partition("to fix\n")[0]
    assert "† old cannot be built; sized from its archive" in above
    assert above.partition("Heroku ·")[2].count("2to3") == 0


def test_a_likely_failure_is_a_warning_that_the_first_line_tells(
    index: PackageServer, requirements: Write
) -> None:
    setup = "extra = {}\nif ask():\n    extra['use_2to3'] = True\nsetup(**extra)\n"
    add_source(index, "old", "1.0", setup)
    add_source(index, "old", "1.1", FINE)
    path = requirements("old==1.0\n")
    done = check(index, path)
    assert (done.code, codes(done)) == (0, ["build-may-fail"])
    [found] = done.document["findings"]
    assert found["severity"] == "warning"
    assert found["sentence"] == (
        "the build will probably fail: old 1.0 (requirements.txt:1) is built from source, and its "
        "setup.py uses 2to3, which setuptools 58 removed, under a condition"
    )
    assert (found["fix"], found["then_status"]) == ("old==1.1", "pass")
    shown = screen(index, path)
    first = shown.out.splitlines()[0]
    assert first.startswith("! FITS Heroku: ")
    assert first.endswith("; fix 1 warning first")
    assert " ".join(shown.out.split()).endswith("fix 1 warning first; see 'to fix' above")
    assert shown.out.count("2to3") == 1
    strict = screen(index, path, "--fail-on", "warning")
    assert strict.code == 1
    assert strict.out.startswith("✗ MAY FAIL: old 1.0 (requirements.txt:1) is built from source")


def test_a_source_archive_of_unknown_dependencies_says_that_it_fails(
    index: PackageServer, requirements: Write
) -> None:
    setup = "from setuptools import setup\nprint(read('rU'))\nopen('x', 'rU')\n"
    archive = make_sdist("old", "1.0", {}, setup_py=f"{setup}setup(install_requires=ask())\n")
    index.add(archive)
    done = check(index, requirements("old==1.0\nwebapp\n"))
    assert done.code == 3
    [unsized] = done.document["unsized"]
    assert unsized["reason"] == (
        "only a source archive fits, and building it fails: its setup.py opens a file in mode "
        "'rU', which Python 3.11 removed"
    )


def test_how_long_compiling_takes_is_said_and_what_may_come_of_it_only_where_it_takes_long(
    index: PackageServer, requirements: Write
) -> None:
    index.add_sdist("small", "1.0", {"demo.c": "int x;\n"}, requires_txt="", setup_py=C_SETUP)
    done = check(index, requirements("small==1.0\n"))
    assert codes_of(done, "built-from-source")[0]["sentence"].endswith(
        "so the build compiles from source, which takes about 11 s"
    )
    large = b"\x7fELF" + bytes(12_000_000)
    index.add_wheel("large", "1.0", {"large.so": large}, tag=CP311)
    index.add_sdist("large", "1.0", {"demo.c": "int x;\n"}, requires_txt="", setup_py=C_SETUP)
    done = check(index, requirements("large==1.0\nsmall==1.0\n"))
    assert codes_of(done, "built-from-source")[0]["sentence"].endswith(
        "which takes about 2 minutes and may time out or fail"
    )


def test_no_version_is_advised_that_was_not_tried(
    index: PackageServer, requirements: Write
) -> None:
    add_source(index, "gone", "1.0", RAISES)  # the newest
    index.add_wheel("frames", "1.0", {"frames.py": ""}, requires=("paint<2",))
    index.add_wheel("paint", "2.0", {"paint.py": ""})
    index.add_wheel("paint", "1.0", {"paint.py": ""})
    done = check(index, requirements("gone==1.0\nframes==1.0\npaint==2.0\n"))
    assert done.code == 3
    assert failure(done, "gone")["fix"] == "# no fix tried: pip refuses the file as it is"


def test_builds_that_no_fix_was_tried_for_say_so(index: PackageServer, requirements: Write) -> None:
    names = ["alpha", "beta", "delta", "gamma"]
    for name in names:
        add_source(index, name, "1.0", RAISES)
        add_source(index, name, "2.0", FINE)
    done = check(index, requirements("".join(f"{name}==1.0\n" for name in names)))
    fixes = [failure(done, name)["fix"] for name in names]
    assert fixes[:3] == ["alpha==2.0", "beta==2.0", "delta==2.0"]
    assert fixes[3] == "# no fix tried: fix the builds above first, then check again"


# --------------------------------------------------------------------------- boot


def test_a_library_that_the_stack_lacks_crashes_the_app_at_boot(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("sounddevice", "0.5.6", {"sounddevice.py": "x = 1\n"})
    index.add_wheel("soundfile", "0.10.3", {"soundfile.py": "x = 1\n"})
    index.add_wheel(
        "soundfile", "0.14.0", {"soundfile.py": ""}, tag="py2.py3-none-manylinux_2_17_x86_64"
    )
    index.add_wheel("player", "1.0", {"player.py": ""}, requires=("sounddevice",))
    done = check(index, requirements("sounddevice==0.5.6\nsoundfile==0.10.3\n"))
    assert done.code == 1
    assert [f["sentence"] for f in codes_of(done, "missing-library")] == [
        "the app will crash at boot: import sounddevice needs libportaudio.so.2, which heroku-24 "
        "does not have",
        "the app will crash at boot: import soundfile needs libsndfile.so.1, which heroku-24 does "
        "not have",
    ]
    assert codes_of(done, "missing-library")[0]["fix"].endswith("\nlibportaudio2")
    # bundled in the wheel, perhaps never imported, or on a platform that is not known to lack it
    for text, platform in (
        ("soundfile==0.14.0\n", "heroku"), ("player\n", "heroku"), ("sounddevice\n", "fly"),
    ):  # fmt: skip
        assert check(index, requirements(text), "--platform", platform).code == 0


# --------------------------------------------------------------------------- wheels by URL


def test_a_wheel_that_a_line_names_for_another_python_will_not_install(
    index: PackageServer, requirements: Write
) -> None:
    wheel = index.add_wheel("fresh", "1.0", {"fresh.so": bytes(50_000)}, tag=CP311)
    path = requirements(f"{index.file_url(wheel.filename)}\nwebapp==1.0\n")
    done = check(index, path)
    assert done.code == 1
    found = failure(done, "fresh")
    assert "cannot be installed with Python 3.12: its wheel is for cp311" in found["sentence"]
    assert found["fix"].endswith("3.11")
    assert found["then_status"] == "pass"
    assert done.one("fresh")["installed_bytes"] > 50_000  # sized all the same
    assert pythons_of(done, "fresh") == ("3.11", ["3.11"])


def test_a_wheel_for_another_python_that_cannot_be_read_will_fail_and_has_no_size(
    index: PackageServer, requirements: Write
) -> None:
    name = "gone-1.0-cp39-cp39-linux_x86_64.whl"
    done = check(index, requirements(f"{index.file_url(name)}\nwebapp==1.0\n"))
    assert done.code == 1
    found = failure(done, "gone")
    assert found["sentence"].endswith("since its wheel is for cp39-cp39-linux_x86_64")
    (unsized,) = done.document["unsized"]
    assert "404" in unsized["reason"]


# --------------------------------------------------------------------------- metadata of wheels


@pytest.fixture
def picky(index: PackageServer) -> PackageServer:
    """Versions that pip refuses beside one that it takes."""
    for version, more in (
        ("1.0", {}),
        ("2.0", {"requires": ("pytz (>dev)",)}),
        ("2.1", {"requires": ("webapp>=1.*",)}),
        ("3.0", {"requires_python": ">=3.6,<3.7"}),
    ):
        index.add_wheel("picky", version, {"picky.py": "x = 1\n" * 500}, **more)
    index.add_wheel("pytz", "2026.1", {"pytz.py": ""})
    index.add_wheel("user", "1.0", {"user.py": ""}, requires=("picky>=1",))
    index.add_wheel("pinner", "1.0", {"pinner.py": ""}, requires=("picky==2.0",))
    return index


def version_of(done: Done, name: str) -> str:
    return str(done.one(name)["version"])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("picky==2.0", "cannot be installed: its metadata has the invalid requirement "
         "'pytz (>dev)', which pip refuses"),
        ("picky==2.1", "has the invalid requirement 'webapp>=1.*', which pip refuses"),
        ("picky==3.0", "does not support Python 3.12: its metadata requires Python >=3.6,<3.7"),
        ("pinner", "picky 2.0 (required by pinner 1.0, "),
    ],
)  # fmt: skip
def test_a_wheel_whose_metadata_pip_refuses_will_not_install(
    picky: PackageServer, requirements: Write, line: str, sentence: str
) -> None:
    done = check(picky, requirements(f"{line}\n"))
    assert done.code == 1, done.err
    assert sentence in failure(done, "picky")["sentence"]
    assert done.one("picky")["installed_bytes"] > 3_000  # sized all the same


@pytest.mark.parametrize("line", ["picky", "user", "picky>=1,<3"])
def test_where_pip_may_take_another_version_it_does(
    picky: PackageServer, requirements: Write, line: str
) -> None:
    done = check(picky, requirements(f"{line}\n"))
    assert done.code == 0, done.out
    assert version_of(done, "picky") == "1.0"


def test_the_fix_of_a_refused_version_is_one_that_pip_takes(
    picky: PackageServer, requirements: Write
) -> None:
    found = failure(check(picky, requirements("picky==2.1\n")), "picky")
    assert found["fix"] == "picky==1.0"
    assert found["then_status"] == "pass"


# --------------------------------------------------------------------------- hashes


def test_with_hashes_every_package_needs_one(index: PackageServer, requirements: Write) -> None:
    parent = index.add_wheel("parent", "1.0", {"parent.py": ""}, requires=("child",))
    child = index.add_wheel("child", "1.0", {"child.py": ""})
    hashed = [f"{a.filename.partition('-')[0]}==1.0 --hash=sha256:{a.sha256}\n"
              for a in (parent, child)]  # fmt: skip
    assert check(index, requirements("".join(hashed))).code == 0
    for text, named in (
        (hashed[0], "child (required by parent 1.0, "),
        (hashed[0] + "child==1.0\n", "child ("),
        ("--require-hashes\n" + hashed[1] + "parent\n", "parent ("),
    ):
        done = check(index, requirements(text))
        assert done.code == 1
        (found,) = [f for f in done.document["findings"] if f["code"] == "missing-hashes"]
        assert f"one for every package, and {named}" in found["sentence"]
        assert "--generate-hashes" in found["fix"]
    assert check(index, requirements("--no-require-hashes\n" + hashed[0])).code == 0


def test_a_hash_chooses_among_the_versions_that_a_line_allows(
    index: PackageServer, requirements: Write
) -> None:
    archives = [index.add_wheel("several", f"{n}.0", {"several.py": f"{n}"}) for n in (1, 2, 3)]
    done = check(index, requirements(f"several>=1 --hash=sha256:{archives[1].sha256}\n"))
    assert done.code == 0, done.err
    assert version_of(done, "several") == "2.0"

"""--verify without an install: what it copies, where, how it weighs, and what it says of it all."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slugcheck.errors import MeasureError
from slugcheck.model import Estimate, IndexOptions, Manager, SizeReport, Target
from slugcheck.model.options import Variables
from slugcheck.project.archive import Member
from slugcheck.sizing.installed import Layout
from slugcheck.verify import install, run
from slugcheck.verify.install import Interpreter, Site, Workspace
from slugcheck.verify.plan import Place, Plan, lay_out
from slugcheck.verify.run import Weights
from tests.support import reports
from tests.support.reports import distribution
from tests.support.server import PackageServer

HERE = platform.machine()


def sizes_of(*names: str, on: Target | None = None) -> SizeReport:
    rows = [distribution(*name.split("==")) for name in names]
    return reports.report(rows, on=on or reports.target()).sizes


def plan_of(
    sizes: SizeReport | None = None,
    manager: Manager = Manager.PIP,
    path: Path = Path("requirements.txt"),
    **more: Any,
) -> Plan:
    given: dict[str, Any] = {"files": (), "index": IndexOptions(), **more}
    seconds = Estimate.predicted(60.0, 30.0, 120.0)
    return Plan(
        sizes=sizes or sizes_of("a==1.0"), manager=manager, path=path, seconds=seconds, **given
    )


# --------------------------------------------------------------------------- what differs


def weights(**versions: str) -> Weights:
    return Weights(
        files=(), plain={}, bytecode={}, versions=versions, plain_bytes=0, bytecode_bytes=0
    )


@pytest.mark.parametrize(
    ("installed", "python", "longer", "said"),
    [
        ({"a": "1.0", "b": "2.0"}, "3.11.16", 0, []),
        ({"a": "1", "b": "2.0.0"}, "3.11.16", 0, []),  # the same versions, written differently
        ({"a": "1.0", "b": "2.0"}, "3.11.2", 0,
         ["installed with Python 3.11.2; the target has 3.11.16"]),
        ({"a": "1.0", "b": "2.0"}, "3.11.16", 4,
         ["the temporary folder's path is 4 characters longer than the target's: the installed "
          "sizes are corrected for this, the slug is not"]),
        ({"a": "1.0", "b": "2.0"}, "3.11.16", -3,
         ["the temporary folder's path is 3 characters shorter than the target's: the installed "
          "sizes are corrected for this, the slug is not"]),
        ({"a": "1.0", "b": "2.0", "z": "9", "c": "3"}, "3.11.16", 0,
         ["installed, but not predicted: c 3 and z 9"]),
        ({"a": "1.1", "b": "no version"}, "3.11.16", 0,
         ["installed in another version than predicted: a 1.1 and b no version"]),
        ({"b": "2.0"}, "3.11.16", 0, ["predicted, but not installed: a"]),
        ({"a": "1.0", "b": "2.0"} | {f"x{n}": "1" for n in range(7)}, "3.11.16", 0,
         ["installed, but not predicted: x0 1, x1 1, x2 1, x3 1, x4 1 and 2 more"]),
    ],
)  # fmt: skip
def test_what_differs_from_the_prediction_is_said(
    installed: dict[str, str], python: str, longer: int, said: list[str]
) -> None:
    plan = plan_of(sizes_of("a==1.0", "b==2.0"))
    assert list(run._differences(plan, weights(**installed), python, longer)) == said


def test_without_gzip_it_is_said_and_the_figure_is_zlibs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix, app = tmp_path / "env", tmp_path / "app"
    prefix.mkdir()
    app.mkdir()
    (prefix / "a.py").write_bytes(os.urandom(50_000) + bytes(100_000))
    (app / "b.bin").write_bytes(os.urandom(30_000))
    (app / "link").symlink_to("b.bin")
    files = [prefix / "a.py"]
    by_gzip = run.gzipped(prefix, files, app, below="/app/.heroku/python")
    assert 80_000 < by_gzip < 82_000
    assert run.gzipped(prefix, [], app, below="/app") < by_gzip - 50_000
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert run.gzipped(prefix, files, app, below="/app") == pytest.approx(by_gzip, rel=0.004)
    assert list(run._differences(plan_of(), weights(a="1.0"), "3.11.16", 0)) == [
        "compressed by zlib, which is within 0.4 % of gzip: gzip is not installed"
    ]


def test_a_gzip_that_ends_early_is_an_error_and_no_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "bin" / "gzip"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 7\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent))
    app = tmp_path / "app"
    app.mkdir()
    (app / "large").write_bytes(bytes(3_000_000))
    message = r"gzip ended before the whole tar was compressed \(7\)"
    with pytest.raises(MeasureError, match=message):
        run.gzipped(tmp_path / "bin", [], app, below="/app")


@pytest.mark.parametrize(
    ("manager", "fetched"),
    [
        (Manager.PIP, "download"), (Manager.POETRY, "download"), (Manager.PIPENV, "twice"),
        (Manager.UV, "installed"),
    ],
)  # fmt: skip
def test_the_space_is_for_the_packages_as_installed_and_as_fetched(
    manager: Manager, fetched: str
) -> None:
    sizes = sizes_of("a==1.0", "b==1.0")
    installed = sizes.plain_bytes + sizes.bytecode_bytes
    assert sizes.download_bytes == 2_000_000
    amounts = {"download": 2_000_000, "twice": 4_000_000, "installed": installed}
    app = (Member(path="m", disk=Path("m"), size=10**9),)
    space = run._space(plan_of(sizes, manager))
    assert space == int(1.2 * (installed + amounts[fetched])) + 150 * 10**6
    assert run._space(plan_of(sizes, manager, files=app)) == space + 10**9


# --------------------------------------------------------------------------- weighing

RECORD = """\
{pkg}/__init__.py,,
{pkg}/__pycache__/__init__.cpython-311.pyc,,
./{pkg}/data,,

../../../bin/{pkg},,
"""


def environment(prefix: Path) -> Path:
    """A virtual environment's folder with two distributions, and a file that no one owns."""
    site = prefix / "lib" / "python3.11" / "site-packages"
    (site / "one" / "__pycache__").mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to("/usr/bin/python3")
    (prefix / ".lock").write_text("x" * 50)
    before = site / "before.py"
    before.write_text("x")
    (site / "one" / "__init__.py").write_bytes(b"x" * 1000)
    (site / "one" / "data").write_bytes(b"x" * 300)
    (site / "one" / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"x" * 700)
    (site / "one" / "__pycache__" / "gone.cpython-311.pyc").write_bytes(b"x" * 80)
    (site / "stray").write_bytes(b"x" * 10)
    for info, pkg, name in (("One-1.5", "one", "Name: One\nVersion: 1.5\n"), ("Two-2", "two", "")):
        folder = site / f"{info}.dist-info"
        folder.mkdir()
        (folder / "RECORD").write_text(RECORD.format(pkg=pkg), newline="\r\n")
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\n{name}")
    return before


def test_each_file_counts_for_who_brought_it_and_the_totals_have_all(tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    before = environment(prefix)
    (prefix / "bin" / "one").write_text(f"#!{prefix}/bin/python\nprint()\n")
    own = frozenset({before})
    layout = Layout(prefix=str(prefix), python=f"{prefix}/bin/python", minor="3.11")
    found = run.weigh(prefix, own, layout)
    assert found.versions == {"one": "1.5", "two": "2"}  # a name that METADATA lacks: the folder's
    script = len(f"#!{prefix}/bin/python\nprint()\n")
    assert found.plain == {"one": 1300 + script, "two": 0}
    assert found.bytecode == {"one": 700, "two": 0}
    assert found.bytecode_bytes == 700  # what has no source is data
    info = sum(
        path.stat().st_size for path in prefix.rglob("*") if path.parent.suffix == ".dist-info"
    )
    assert found.plain_bytes == 1300 + script + 80 + 10 + info
    names = {path.name for path in found.files}
    assert {"python", "stray"} <= names
    assert not names & {".lock", "before.py"}


@pytest.mark.parametrize(
    ("script", "target"),
    [
        ("#!{prefix}/bin/python\nrest\n", "#!/app/bin/python\nrest\n"),
        ("#!/bin/sh\n'''exec' {prefix}/bin/python \"$0\" \"$@\"\n' '''\nrest\n",
         "#!/app/bin/python\nrest\n"),
        ("#!/bin/sh\necho\n", "#!/bin/sh\necho\n"),
        ("\x7fELF", "\x7fELF"),
    ],
)  # fmt: skip
def test_sizes_are_those_of_the_targets_paths(tmp_path: Path, script: str, target: str) -> None:
    prefix = tmp_path / "env"
    environment(prefix)
    (prefix / "bin" / "one").write_text(script.format(prefix=prefix))
    long = len(str(prefix)) - len("/app")
    layout = Layout(prefix="/app", python="/app/bin/python", minor="3.11")
    found = run.weigh(prefix, frozenset(), layout)
    assert found.plain["one"] == 1300 + len(target)
    assert found.bytecode["one"] == 700 - long  # the path of its source is in it once


# --------------------------------------------------------------------------- the copy


def member(path: Path, name: str, **more: Any) -> Member:
    return Member(path=name, disk=path, size=path.stat().st_size, **more)


def laid(
    path: Path, work: Path, *, pushed: Iterable[str] = (), manager: Manager = Manager.PIP
) -> Place:
    work.mkdir()
    files = tuple(member(path.parent / name, name) for name in pushed)
    return lay_out(plan_of(manager=manager, path=path, files=files, variables=Variables()), work)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "setup.py").write_text("x")
    (folder / "pkg" / "run").write_text("x")
    (folder / "pkg" / "run").chmod(0o755)
    (folder / "pkg" / "link").symlink_to("setup.py")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("name", "text", "manager", "pushed", "runs_in", "file"),
    [
        ("requirements.txt", "a\n", Manager.PIP, True, "work/app", "work/app/requirements.txt"),
        ("uv.lock", "", Manager.UV, True, "work/app", "work/app/uv.lock"),
        # left out of the slug, but the build needs it
        ("uv.lock", "", Manager.UV, False, "work/beside", "work/beside/uv.lock"),
        ("pylock.toml", "[[packages]]\n", Manager.PIP, False, "work", "project/pylock.toml"),
        ("pylock.toml", "directory = {}\n", Manager.PIP, False, "work/beside",
         "work/beside/pylock.toml"),
        ("requirements.txt", "a\n", Manager.PIP, False, "work/beside{project}",
         "project/requirements.txt"),
        ("requirements.txt", "./pkg\n", Manager.PIP, False, "work/beside{project}",
         "project/requirements.txt"),
    ],
)  # fmt: skip
def test_where_a_build_runs_and_with_which_file(
    tmp_path: Path, project: Path, name: str, text: str, manager: Manager, pushed: bool,
    runs_in: str, file: str,
) -> None:  # fmt: skip
    path = project / name
    path.write_text(text)
    place = laid(path, tmp_path / "work", pushed=[name] if pushed else [], manager=manager)
    assert place.app == tmp_path / "work" / "app"
    assert str(place.folder) == f"{tmp_path}/{runs_in.format(project=project)}"
    assert place.folder.is_dir()
    assert place.file == tmp_path / file
    assert place.file.read_text() == text
    copied = place.folder / "pkg" / "run"
    assert copied.exists() == (text != "a\n" and not pushed and runs_in != "work")
    if copied.exists():
        assert os.access(copied, os.X_OK)
        assert (place.folder / "pkg" / "link").readlink() == Path("setup.py")
        assert not os.access(place.folder / "pkg" / "setup.py", os.X_OK)


def test_a_list_in_a_folder_of_lists_runs_where_its_paths_start(
    tmp_path: Path, project: Path
) -> None:
    lists = project / "requirements"
    lists.mkdir()
    (lists / "base.txt").write_text("./pkg\n")
    (lists / "prod.txt").write_text("-r base.txt\n")
    place = laid(lists / "prod.txt", tmp_path / "copy")
    assert str(place.folder) == f"{tmp_path}/copy/beside{project}"
    assert (place.folder / "pkg" / "setup.py").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{project}/pkg", "requirements.txt:2 names the folder {project}/pkg by its absolute path"),
        ("a @ file://{project}/pkg", "requirements.txt:2 names the folder {project}/pkg by its"),
        ("/none/pkg", "requirements.txt:2 names the folder /none/pkg by its absolute path"),
        ("../../else", "requirements.txt:2 names ../../else, which is outside the checkout; "
                       "only what is inside is installed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pushed", [True, False])
def test_a_folder_that_the_platform_does_not_have_is_refused(
    tmp_path: Path, project: Path, line: str, said: str, pushed: bool
) -> None:
    path = project / "requirements.txt"
    path.write_text(f"a\n{line.format(project=project)}\n")
    (tmp_path.parent / "else").mkdir(exist_ok=True)
    (tmp_path.parent / "else" / "setup.py").write_text("")
    with pytest.raises(MeasureError) as raised:
        laid(path, tmp_path / "work", pushed=["requirements.txt"] if pushed else [])
    assert str(raised.value).startswith(said.format(project=project))


def test_the_copy_of_the_app_is_what_is_pushed(tmp_path: Path, project: Path) -> None:
    path = project / "requirements.txt"
    path.write_text("a\n")
    (tmp_path / "work").mkdir()
    files = (
        member(path, "requirements.txt"),
        member(project / "pkg" / "run", "deep/run", executable=True),
        Member(path="filled", disk=path, size=3, content=b"abc"),
        Member(path="link", disk=path, size=0, link="nowhere"),
    )
    place = lay_out(plan_of(path=path, files=files), tmp_path / "work")
    assert {p.relative_to(place.app).as_posix() for p in place.app.rglob("*")} == {
        "requirements.txt", "deep", "deep/run", "filled", "link",
    }  # fmt: skip
    assert os.access(place.app / "deep" / "run", os.X_OK)
    assert (place.app / "filled").read_bytes() == b"abc"
    assert (place.app / "link").readlink() == Path("nowhere")
    gone = (Member(path="gone", disk=project / "gone", size=1),)
    (tmp_path / "other").mkdir()
    with pytest.raises(MeasureError, match="gone cannot be read: No such file") as raised:
        lay_out(plan_of(path=path, files=gone), tmp_path / "other")
    assert raised.value.hint == "make it readable, or remove it from the app"


# --------------------------------------------------------------------------- which Python


def on(minor: str, *, arch: str = HERE) -> Target:
    target = reports.target()
    return replace(
        target,
        python=replace(target.python, minor=minor),
        stack=replace(target.stack, arch=arch),
        python_version=f"{minor}.1",
    )


def fake(path: Path, *answer: object) -> Path:
    """An interpreter that says what it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH, and nothing else anywhere."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("UV_PYTHON_SEARCH_PATH", "/nowhere")
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", "/nowhere")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return folder


@pytest.mark.parametrize(
    ("answer", "unfit"),
    [
        (("CPython", "3.77.4", "final", False), ""),
        (("CPython", "3.77.4", "candidate", False), "a pre-release"),
        (("CPython", "3.77.4", "final", True), "free-threaded"),
        (("PyPy", "3.77.4", "final", False), "PyPy"),
    ],
)
@pytest.mark.parametrize("of_pyenv", [False, True])
def test_a_python_has_to_be_like_the_platforms(
    no_pythons: Path, tmp_path: Path, answer: tuple[object, ...], unfit: str, of_pyenv: bool
) -> None:
    pyenv = tmp_path / "pyenv" / "versions" / "3.77.4" / "bin"
    path = fake((pyenv if of_pyenv else no_pythons) / "python3.77", *answer)
    if not unfit:
        found = install.find(on("3.77"))
        assert found == Interpreter(path=str(path), version="3.77.4")
        return
    with pytest.raises(MeasureError) as raised:
        install.find(on("3.77"))
    own = platform.python_version()
    assert str(raised.value) == (
        f"--verify needs Python 3.77; this machine has {own}, 3.77.4 ({unfit})"
    )
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert raised.value.hint == f"install python3.77, or use --python {here}"


def test_an_interpreter_that_does_not_run_is_none(no_pythons: Path) -> None:
    path = fake(no_pythons / "python3.77")
    path.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(MeasureError, match=f"has {platform.python_version()}$"):
        install.find(on("3.77"))


def test_another_kind_of_machine_is_refused() -> None:
    with pytest.raises(MeasureError) as raised:
        install.find(on("3.11", arch="s390x"))
    assert str(raised.value) == (
        f"--verify needs Linux s390x like the target; this machine is Linux {HERE}"
    )
    assert raised.value.hint == "run it in a container or in CI on such a machine"


def test_wheels_that_this_machine_refuses_are_named() -> None:
    sizes = sizes_of("a==1.0", "b==1.0", "c==1.0")
    names = (
        f"a-1.0-cp311-cp311-manylinux_9_99_{HERE}.whl",
        "b-1.0-py3-none-any.whl",
        f"c-1.0-cp311-cp311-manylinux_2_5_{HERE}.manylinux_9_99_{HERE}.whl",
    )
    rows = tuple(
        replace(
            row,
            distribution=replace(
                row.distribution, artifact=replace(row.distribution.artifact, filename=name)
            ),
        )
        for row, name in zip(sizes.distributions, (*names[:2], "c-1.0.tar.gz"), strict=True)
    )
    with pytest.raises(MeasureError) as raised:
        install.refuse_foreign(replace(sizes, distributions=rows))
    assert str(raised.value).startswith(f"--verify cannot install {names[0]} here: this machine (")
    assert raised.value.hint == "verify on a machine like the target's"
    install.refuse_foreign(replace(sizes, distributions=rows[1:]))
    several = (replace(rows[1], distribution=replace(
        rows[1].distribution, artifact=replace(rows[1].distribution.artifact, filename=names[2])
    )),)  # fmt: skip
    assert install.foreign_wheels(replace(sizes, distributions=several)) == []


# --------------------------------------------------------------------------- the folder


@pytest.mark.parametrize(
    ("base", "length", "shortest"),
    [("/tmp", 19, True), ("/tmp", 12, True), ("/tmp", 11, False), ("/very/long/folder", 19, False)],
)
def test_the_prefix_is_of_the_targets_length_where_that_is_possible(
    base: str, length: int, shortest: bool
) -> None:
    folder, prefix = install._names(Path(base), length)
    assert folder.parent == Path(base)
    assert prefix.parent == folder
    assert (len(str(prefix)) == length) is shortest
    assert len(folder.name) >= 5
    assert folder != install._names(Path(base), length)[0]


def test_a_folder_for_temporary_files_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/self")
    with (
        pytest.raises(MeasureError, match=r"/proc\S* cannot be written: ") as raised,
        install.workspace("/app", 1),
    ):
        pass
    assert raised.value.hint == "set TMPDIR to another folder"


# --------------------------------------------------------------------------- the install


def site_of(tmp_path: Path, *names: str, **more: Any) -> Site:
    work = tmp_path / "t0"
    place = Place(app=work, folder=work, file=work / "requirements.txt", variables=frozenset(names))
    (work / "tool").mkdir(parents=True, exist_ok=True)
    return Site(
        plan=plan_of(sizes_of("a==1.0", on=on("3.11")), **more),
        python=Interpreter(path=sys.executable, version=platform.python_version()),
        work=Workspace(folder=work, prefix=work / "env", size=1_500_000),
        place=place,
    )


def test_what_failed_is_told_by_the_lines_that_tell_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    monkeypatch.setenv("SHORT", "ing")
    site = site_of(tmp_path, "TOKEN", "SHORT")
    cases = {
        "": "pip install failed: no output",
        "one\n\n two \n": "pip install failed: two",
        "x\nERROR: no\nERROR: no\n  error: b\nrest": "pip install failed: ERROR: no error: b",
        "x.c:1: fatal error: a.h\nrest": "pip install failed: x.c:1: fatal error: a.h",
        "  RuntimeError: bad\nrest": "pip install failed: RuntimeError: bad",
        "ERROR: s3cret is missing": "pip install failed: ERROR: ${TOKEN} is missing",
        "ERROR: at http://u:pw@host/x": "pip install failed: ERROR: at http://",
        f"ERROR: in {site.work.folder}/x": "pip install failed: ERROR: in \u2026/x",
        "ERROR: " + "y" * 400: "pip install failed: ERROR: " + "y" * 392 + "\u2026",
        "OSError: No space left on device": "the disk ran full while building, in ",
    }
    for output, said in cases.items():
        error = install._failed(site, "pip install", output)
        if said.endswith(("://", "in ")):
            assert str(error).startswith(said)
            assert "pw" not in str(error)
        else:
            assert str(error) == said
            assert error.hint == "the platform's build would probably fail too"


def test_indexes_and_allowed_variables_reach_the_build_and_others_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TOKEN", "OTHER", "LD_PRELOAD", "UV_INDEX_PRIVATE_PASSWORD", "PIP_CERT", "CC"):
        monkeypatch.setenv(name, f"value of {name}")
    monkeypatch.setenv("UV_INDEX_URL", "http://elsewhere")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.chdir(tmp_path)
    site = site_of(tmp_path, "TOKEN", "LD_PRELOAD", "EMPTY", "ABSENT")
    none = install._environment(site, IndexOptions())
    assert {"TOKEN", "PIP_CERT", "CC"} <= none.keys()
    assert not none.keys() & {
        "OTHER", "LD_PRELOAD", "UV_INDEX_PRIVATE_PASSWORD", "UV_INDEX_URL", "EMPTY", "ABSENT",
        "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS", "UV_FIND_LINKS",
    }  # fmt: skip
    assert (none["PIP_CONFIG_FILE"], none["TMPDIR"]) == (os.devnull, str(site.work.folder))
    index = IndexOptions(
        index_url="http://i/", extra_index_urls=("http://e/", "http://f/"), no_index=True,
        trusted_hosts=("h", "j"), find_links=("my wheels", "http://l/"),
    )  # fmt: skip
    told = install._environment(site, index)
    links = ((tmp_path / "my wheels").as_uri(), "http://l/")
    assert {name: told[name] for name in told.keys() - none.keys()} == {
        "PIP_INDEX_URL": "http://i/", "UV_DEFAULT_INDEX": "http://i/",
        "PIP_EXTRA_INDEX_URL": "http://e/ http://f/", "UV_INDEX": "http://e/ http://f/",
        "PIP_NO_INDEX": "1", "UV_NO_INDEX": "1",
        "PIP_TRUSTED_HOST": "h j", "UV_INSECURE_HOST": "h j",
        "PIP_FIND_LINKS": " ".join(links), "UV_FIND_LINKS": ",".join(links),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("manager", "wanted"),
    [(Manager.PIP, "pip 26.2.1"), (Manager.POETRY, "poetry 2"), (Manager.PIPENV, "pipenv 20")],
)
def test_a_package_manager_comes_from_the_users_index_or_its_absence_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    package_server: PackageServer,
    manager: Manager,
    wanted: str,
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # for the index that is everybody's
    index = IndexOptions(index_url=package_server.index_url)
    site = site_of(tmp_path, manager=manager, index=index)
    if manager is Manager.PIP:
        (note,) = install.prepare(site)
        assert note.startswith("pip 26.2.1 could not be fetched: installed with pip ")
    else:
        with pytest.raises(MeasureError, match=f"^installing {wanted}.* failed: "):
            install.prepare(site)
    name, version = (install._TOOLS.get(manager) or "pip==26.2.1").split("==")
    package_server.add_wheel(name, version, {f"{name}/__init__.py": ""})
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "another"))
    assert install.prepare(site) == ()
    assert install._version_in(install._tool(site), name) == version

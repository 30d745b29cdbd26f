"""Source archives: dependencies, files and sizes are read, and nothing of them is ever run."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slugcheck.model import Entry, Inventory
from slugcheck.packages.index.inventories import Cache
from slugcheck.packages.locks.poetry import specifier
from slugcheck.packages.sdist import archive as unpack
from slugcheck.packages.sdist.archive import open_archive
from slugcheck.packages.sdist.contents import as_built
from slugcheck.packages.sdist.project_files import FoundPackages, read_setup
from slugcheck.packages.sdist.sdist import (
    SourceArchive,
    Unreadable,
    inventory_from_source,
    load_source,
    read_folder,
    read_head,
    read_source,
)
from tests.support.wheels import Archive, Content, make_sdist, metadata_text

PKG_INFO_21 = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


@pytest.fixture(autouse=True)
def canary(tmp_path: Path) -> Iterator[str]:
    """Source text that leaves a mark when it is run; every test here fails if it was."""
    mark = tmp_path / "it-ran"
    yield f"open({str(mark)!r}, 'w').close()\n"
    assert not mark.exists(), "code of the package under check was run"


def read(archive: Archive) -> SourceArchive:
    found = read_source(archive.content, archive.filename)
    assert isinstance(found, SourceArchive), found
    return found


def reason(archive: Archive) -> str:
    found = read_source(archive.content, archive.filename)
    assert isinstance(found, Unreadable), found
    return found.reason


def sdist(
    files: Mapping[str, Content] | None = None,
    *,
    pkg_info: str = PKG_INFO_21,
    requires_txt: str | None = None,
    setup_py: str | None = None,
    setup_cfg: str | None = None,
    pyproject: str | None = None,
) -> Archive:
    """A project called demo with one module, so that files never are the reason of a refusal."""
    return make_sdist(
        "demo",
        "1.0",
        {"demo.py": "x = 1\n", **(files or {})},
        pkg_info=pkg_info,
        requires_txt=requires_txt,
        setup_py=setup_py,
        setup_cfg=setup_cfg,
        pyproject=pyproject,
    )


def paths(archive: SourceArchive) -> set[str]:
    return {entry.path for entry in archive.entries if ".dist-info/" not in entry.path}


def stated_in(options: Mapping[str, str]) -> Archive:
    return sdist(
        pkg_info=options.get("pkg_info", PKG_INFO_21),
        requires_txt=options.get("requires_txt"),
        setup_py=options.get("setup_py"),
        setup_cfg=options.get("setup_cfg"),
        pyproject=options.get("pyproject"),
    )


# --------------------------------------------------------------------------- dependencies


def test_nothing_is_run_whatever_the_archive_holds(canary: str) -> None:
    setup = f"{canary}from setuptools import setup\nsetup(name='demo', install_requires=['six'])\n"
    backend = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
    for pyproject in (None, backend):
        files: dict[str, Content] = {"own.py": canary, "conftest.py": canary}
        found = read(sdist(files, setup_py=setup, pyproject=pyproject))
        assert found.requires == ("six",)
        inventory_from_source(found)


def test_static_metadata_goes_before_everything_else() -> None:
    text = PKG_INFO_21.replace("2.1", "2.2") + "Requires-Dist: right>=1\nProvides-Extra: x\n"
    found = read(sdist(pkg_info=text, requires_txt="wrong\n", setup_cfg=_CFG))
    assert (found.requires, found.extras) == (("right>=1",), ("x",))


_CFG = "[metadata]\nname = demo\n[options]\ninstall_requires =\n    wrong\n"


def test_dynamic_metadata_gives_way_to_the_egg_info() -> None:
    text = PKG_INFO_21.replace("2.1", "2.2") + "Dynamic: Requires-Dist\nRequires-Dist: wrong\n"
    assert read(sdist(pkg_info=text, requires_txt="right\n")).requires == ("right",)


def test_the_sections_of_requires_txt_become_markers() -> None:
    text = (
        "six (>=1.0,)\n\n[Sec.Ure]\nidna ; python_version < '3' or os_name == 'nt'\n"
        "[:sys_platform == 'win32']\npywin32\n[dev:python_version < '3.9']\nmock>=2.*\n"
    )
    found = read(sdist(requires_txt=text))
    assert found.requires == (
        "six>=1.0",
        'idna; (python_version < "3" or os_name == "nt") and extra == "sec-ure"',
        'pywin32; sys_platform == "win32"',
        'mock>=2; python_version < "3.9" and extra == "dev"',
    )
    assert found.extras == ("sec-ure", "dev")


def test_an_egg_info_without_requirements_means_that_there_are_none() -> None:
    found = read(sdist({"demo.egg-info/top_level.txt": "demo\n", "demo.egg-info/PKG-INFO": "x: y"}))
    assert found.requires == ()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {
                "pyproject": '[project]\nname="demo"\ndependencies=["a>1"]\n'
                '[project.optional-dependencies]\nx=["b"]\n'
            },
            ("a>1", 'b; extra == "x"'),
        ),
        ({"pkg_info": PKG_INFO_21 + "Requires-Dist: a (>=1)\n"}, ("a>=1",)),
        ({"setup_cfg": "[options]\ninstall_requires = a; b\n"}, ("a", "b")),
        (
            {
                "setup_cfg": "[options]\ninstall-requires =\n  a>1\n"
                "[options.extras_require]\nx =\n  b\n"
            },
            ("a>1", 'b; extra == "x"'),
        ),
        (
            {
                "pyproject": '[tool.poetry]\nname="demo"\n[tool.poetry.dependencies]\n'
                'python="^3.8"\na="^1.2"\nb={version="~2.1", optional=true}\nc={version="*", '
                'extras=["y"], markers="os_name == \'nt\'"}\n[tool.poetry.extras]\nx=["b"]\n'
            },
            ("a<2.0,>=1.2", 'b<2.2,>=2.1; extra == "x"', 'c[y]; os_name == "nt"'),
        ),
        (
            {"pyproject": '[tool.flit.metadata]\nmodule="demo"\nrequires=["a"]\n'},
            ("a",),
        ),
        ({"setup_py": "from distutils.core import setup\nsetup(name='demo')\n"}, ()),
        (
            {
                "setup_py": "import setuptools\nBASE = ['a']\nALL = BASE + ['b>1']\n"
                "setuptools.setup(install_requires=ALL, extras_require={'x': ['c'], "
                "':os_name==\"nt\"': ['d']})\n"
            },
            ("a", "b>1", 'c; extra == "x"', 'd; os_name == "nt"'),
        ),
        (
            {"setup_py": "kw = dict(install_requires='a\\nb')\nkw['version'] = f()\nsetup(**kw)"},
            ("a", "b"),
        ),
    ],
)
def test_dependencies_are_found_where_they_are_stated(
    options: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert read(stated_in(options)).requires == expected


COMPUTES = "its setup.py computes the dependencies"
NO_CALL = "its setup.py is not Python 3, or does not call setup()"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "it does not state its dependencies"),
        ({"setup_py": "setup(install_requires=open('r.txt').read().split())"}, COMPUTES),
        ({"setup_py": "R = ['a']\nif x: R.append('b')\nsetup(install_requires=R)"}, COMPUTES),
        ({"setup_py": "R = ['a']\nR += more()\nsetup(install_requires=R)"}, COMPUTES),
        ({"setup_py": "def f(R):\n  setup(install_requires=R)\nR = ['a']\nf(g())"}, COMPUTES),
        ({"setup_py": "setup(**load())"}, COMPUTES),
        ({"setup_py": "setup(install_requires=['a'])\nsetup(install_requires=['b'])"}, COMPUTES),
        ({"setup_py": "print 'python 2'\nsetup()"}, NO_CALL),
        ({"setup_py": "x = 1"}, NO_CALL),
        ({"setup_py": "setup(pbr=True)"},
         "it takes its dependencies from another file (pbr)"),
        ({"setup_cfg": "[options]\ninstall_requires = file: r.txt\n"},
         "setup.cfg takes its dependencies from another file"),
        ({"pyproject": '[project]\nname="demo"\ndynamic=["dependencies"]\n'},
         "pyproject.toml says that its dependencies are computed at build time"),
        ({"pyproject": '[project]\nname="demo"\ndynamic=["optional-dependencies"]\n'},
         "pyproject.toml says that its dependencies are computed at build time"),
        (
            {"pyproject": '[tool.poetry.dependencies]\na={git="https://x.example/a"}\n'},
            "pyproject.toml (Poetry): a does not come from an index",
        ),
        ({"requires_txt": "pytz>=2004d\n"},
         "requires.txt has the invalid dependency 'pytz>=2004d'"),
        ({"requires_txt": "a\n" * 10_001}, "it names more than 5,000 dependencies"),
    ],
)  # fmt: skip
def test_what_is_not_stated_plainly_is_unreadable_with_its_reason(
    options: dict[str, str], words: str
) -> None:
    assert reason(stated_in(options)).endswith(words)


def test_extras_that_only_code_knows_are_noted() -> None:
    found = read(stated_in({"setup_py": "setup(install_requires=['a'], extras_require=f())"}))
    assert (found.requires, found.notes) == (
        ("a",), ("its extras are unknown: setup.py computes them",),
    )  # fmt: skip


def test_an_extra_that_no_tool_can_read_is_left_out_and_said() -> None:
    found = read(sdist(requires_txt="a\n[x]\npytz>=2004d\n"))
    assert found.requires == ("a",)
    left_out = """left out of its extras: the invalid dependency 'pytz>=2004d ; extra == "x"'"""
    assert found.notes == (left_out,)


@pytest.mark.parametrize(
    ("poetry", "pep440"),
    [
        ("^1.2.3", "<2.0.0,>=1.2.3"),
        ("^0.2.3", "<0.3.0,>=0.2.3"),
        ("^0.0.3", "<0.0.4,>=0.0.3"),
        ("^0", "<1,>=0"),
        ("~1.2.3", "<1.3.0,>=1.2.3"),
        ("~1", "<2,>=1"),
        ("1.2.*", "==1.2.*"),
        ("1.2", "==1.2"),
        (">=1 <2", "<2,>=1"),
        ("*", ""),
    ],
)
def test_poetry_constraints(poetry: str, pep440: str) -> None:
    assert specifier(poetry) == pep440


def test_poetry_alternatives_have_no_plain_form() -> None:
    with pytest.raises(ValueError, match="no PEP 440 equivalent"):
        specifier("^1.0 || ^2.0")


def test_setup_keywords_are_known_unknown_or_absent() -> None:
    call = read_setup(
        b"P = dict(zip_safe=False)\nif x:\n    Q = {'a': 1}\nelse:\n    Q = {'a': 1, 'b': 2}\n"
        b"setup(*args, name='n', packages=find_packages('src', exclude=['t*']), v=f(), **P, **Q)"
    )
    assert call is not None
    assert call.values == {
        "name": "n",
        "packages": FoundPackages(where="src", exclude=("t*",)),
        "zip_safe": False,
        "a": 1,
    }
    assert call.unknown == {"v", "b"}
    assert not call.open_ended


# --------------------------------------------------------------------------- files and sizes


def test_the_files_of_a_wheel_are_chosen_as_setuptools_would() -> None:
    files: dict[str, Content] = {
        "setup.py": "setup(packages=find_packages(exclude=['demo.tests*']), py_modules=['solo'], "
        "package_data={'demo': ['data/*.json']}, scripts=['bin/run'], "
        "data_files=[('share/demo', ['extra.txt'])])",
        "demo/__init__.py": "a = 1\n",
        "demo/sub/__init__.py": "",
        "demo/sub/deep.py": "b = 2\n",
        "demo/sub/typed.pyi": "b: int\n",
        "demo/tests/__init__.py": "",
        "demo/tests/test_a.py": "",
        "demo/data/a.json": "{}",
        "demo/data/skipped.csv": "1",
        "docs/conf.py": "",
        "tests/test_b.py": "",
        "solo.py": "c = 3\n",
        "bin/run": "#!/usr/bin/env python\n",
        "extra.txt": "hello",
        "LICENSE": "free",
    }
    found = read(make_sdist("demo", "1.0", files, pkg_info=PKG_INFO_21))
    assert paths(found) == {
        "demo/__init__.py",
        "demo/sub/__init__.py",
        "demo/sub/deep.py",
        "demo/sub/typed.pyi",
        "demo/data/a.json",
        "solo.py",
        "demo-1.0.data/scripts/run",
        "demo-1.0.data/data/share/demo/extra.txt",
    }
    assert "demo-1.0.dist-info/licenses/LICENSE" in {entry.path for entry in found.entries}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (  # the egg-info lies beside the packages and names them
            {
                "lib/demo.egg-info/PKG-INFO": PKG_INFO_21,
                "lib/demo.egg-info/top_level.txt": "other\n_mod\n",
                "lib/other/__init__.py": "",
                "lib/_mod.py": "",
                "lib/stray/__init__.py": "",
            },
            {"other/__init__.py", "_mod.py"},
        ),
        (  # a namespace package
            {
                "demo.egg-info/PKG-INFO": PKG_INFO_21,
                "demo.egg-info/top_level.txt": "company\n",
                "company/tool/__init__.py": "",
                "company/tool/a.py": "",
            },
            {"company/tool/__init__.py", "company/tool/a.py"},
        ),
        (  # package_dir gives one package another folder
            {
                "setup.py": "setup(packages=['demo'], package_dir={'demo': 'code'})",
                "code/__init__.py": "",
                "code/b.py": "",
            },
            {"demo/__init__.py", "demo/b.py"},
        ),
        (  # setup.cfg
            {
                "setup.cfg": "[metadata]\nname = demo\n[options]\npackages = find:\n"
                "package_dir =\n    = src\ninclude_package_data = true\n"
                "[options.packages.find]\nwhere = src\n",
                "src/demo/__init__.py": "",
                "src/demo/data.bin": b"\0\1",
            },
            {"demo/__init__.py", "demo/data.bin"},
        ),
        (  # another backend takes the whole folder
            {
                "pyproject.toml": '[build-system]\nbuild-backend="hatchling.build"\n'
                '[project]\nname="demo"\nversion="1.0"\n',
                "src/demo/__init__.py": "",
                "src/demo/any/thing.txt": "",
                "src/demo/__pycache__/a.cpython-311.pyc": b"",
            },
            {"demo/__init__.py", "demo/any/thing.txt"},
        ),
        (  # Poetry's own list
            {
                "pyproject.toml": '[build-system]\nbuild-backend="poetry.core.masonry.api"\n'
                '[tool.poetry]\nname="demo"\npackages=[{include="pack", from="x"}]\n',
                "x/pack/a.py": "",
                "demo/b.py": "",
            },
            {"pack/a.py"},
        ),
    ],
)
def test_layouts(files: dict[str, Content], expected: set[str]) -> None:
    files.setdefault("setup.py", "setup()")
    assert paths(read(make_sdist("demo", "1.0", files, pkg_info=PKG_INFO_21))) == expected


def test_a_project_whose_files_only_code_decides_is_unreadable() -> None:
    files: dict[str, Content] = {"a/b/one.py": "", "setup.py": "setup(packages=ask())"}
    archive = make_sdist("demo", "1.0", files, pkg_info=PKG_INFO_21)
    assert "code decides" in reason(archive)


def test_a_setup_that_calls_on_its_own_generator_has_a_wide_interval() -> None:
    setup = "import os, demo, versioneer\nfrom compiler.api import run\nsetup(packages=['demo'])"
    files: dict[str, Content] = {"setup.py": setup, "demo/__init__.py": "", "versioneer.py": ""}
    plain = read(make_sdist("demo", "1.0", files, pkg_info=PKG_INFO_21))
    assert plain.high_factor < 1.1
    files["compiler/api.py"] = ""
    generating = read(make_sdist("demo", "1.0", files, pkg_info=PKG_INFO_21))
    assert generating.high_factor > 2
    assert any("compiler" in note for note in generating.notes)


def test_a_meta_package_needs_no_files() -> None:
    files: dict[str, Content] = {"setup.py": "setup(install_requires=['real'])"}
    found = read(make_sdist("demo", "1.0", files, pkg_info=PKG_INFO_21))
    assert found.requires == ("real",)
    assert paths(found) == set()


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_sizes_are_those_of_a_wheel(kind: str) -> None:
    text = "".join(f"value_{n} = {n * n}\n" for n in range(3000))
    archive = make_sdist(
        "demo", "1.0", {"demo.py": text, "setup.py": "setup()"}, pkg_info=PKG_INFO_21, kind=kind
    )
    found = read(archive)
    entry = next(entry for entry in found.entries if entry.path == "demo.py")
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    deflated = len(squeeze.compress(text.encode()) + squeeze.flush())
    assert (entry.size, entry.compressed) == (len(text), deflated)
    assert (found.file_bytes, found.sha256) == (len(archive.content), archive.sha256)


def test_the_inventory_is_that_of_a_wheel() -> None:
    files: dict[str, Content] = {
        "demo.egg-info/entry_points.txt": "[console_scripts]\nRun = demo:main [x]\n\n"
        "[gui_scripts]\nshow = demo:show\n",
        "demo.egg-info/top_level.txt": "demo\n",
    }
    archive = sdist(files, requires_txt="six\n")
    inventory = inventory_from_source(read(archive))
    assert inventory.via == "sdist"
    assert inventory.dist_info == "demo-1.0.dist-info"
    assert inventory.requires_dist == ("six",)
    assert inventory.console_scripts == (("Run", "demo:main [x]"),)
    assert inventory.gui_scripts == (("show", "demo:show"),)
    names = [entry.path.rpartition("/")[2] for entry in inventory.entries]
    assert sorted(names) == [
        "METADATA", "RECORD", "WHEEL", "demo.py", "entry_points.txt", "top_level.txt",
    ]  # fmt: skip
    assert inventory.file_bytes == len(archive.content)


@pytest.mark.parametrize(
    "stated",
    [
        {"pyproject": '[project]\nname="demo"\n[project.scripts]\nrun="demo:main"\n'},
        {"setup_py": "setup(entry_points={'console_scripts': ['run = demo:main']})"},
        {"setup_py": "setup(entry_points='''\n  [console_scripts]\n  run = demo:main\n  ''')"},
        {
            "setup_py": "setup()",
            "setup_cfg": "[options.entry_points]\nconsole_scripts =\n    run = demo:main\n",
        },
    ],
)
def test_scripts_are_found_where_they_are_stated(stated: dict[str, str]) -> None:
    assert read(stated_in(stated)).console_scripts == (("run", "demo:main"),)


# --------------------------------------------------------------------------- native code


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"setup.py": "setup(ext_modules=[Extension('d', ['d.c'])])", "d.c": "int x;"},
            "C built by its setup.py",
        ),
        (
            {"setup.py": "setup(ext_modules=cythonize('d.pyx'))", "d.pyx": "", "d.c": "int x;"},
            "Cython built by its setup.py",
        ),
        (
            {"setup.py": "k = {'configuration': c}\nsetup(**k)", "d.f": "end"},
            "Fortran built by its setup.py",
        ),
        (
            {
                "setup.py": "setup()",
                "Cargo.toml": "",
                "pyproject.toml": '[build-system]\nbuild-backend="maturin"\n[project]\nname="demo"',
                "src/lib.rs": "fn x() {}",
            },
            "Rust built by maturin",
        ),
        (
            {
                "setup.py": "setup()",
                "pyproject.toml": '[build-system]\nrequires=["meson-python"]\n'
                'build-backend="mesonpy"\n[project]\nname="demo"',
                "d.cpp": "int x;",
            },
            "C++ built by meson-python",
        ),
        (  # a command of its own, and hardly any Python
            {
                "setup.py": "setup(cmdclass={'build': B}, py_modules=['demo'])",
                "c/a.c": "int x;" * 9,
            },
            "C built by its setup.py",
        ),
    ],
)
def test_native_code_is_recognised(files: dict[str, Content], words: str) -> None:
    found = read(make_sdist("demo", "1.0", {"demo.py": "", **files}, pkg_info=PKG_INFO_21))
    assert found.native
    assert found.native_reason == words


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": "setup(ext_modules=[])", "demo/a.c": ""},
        {"setup.py": "setup(ext_modules=ask())", "tests/fixture.c": "int x;"},
        {"setup.py": "setup(cmdclass={'test': T})", "demo.py": "x = 1\n" * 50, "a.c": "int x;"},
    ],
)
def test_python_with_stray_c_files_is_not_native(files: dict[str, Content]) -> None:
    found = read(make_sdist("demo", "1.0", {"demo.py": "", **files}, pkg_info=PKG_INFO_21))
    assert not found.native
    assert found.native_bytes is None


def test_native_size_is_a_guess_with_a_wide_interval() -> None:
    files: dict[str, Content] = {
        "setup.py": "setup(ext_modules=[Extension('d', ['d.c'])])",
        "d.c": "int x;\n" * 10_000,
        "demo.py": "x = 1\n",
    }
    found = read(make_sdist("demo", "1.0", files, pkg_info=PKG_INFO_21))
    size = found.native_bytes
    assert size is not None
    assert size.value == 33_000 + 3 * 70_000
    assert size.low * 4 <= size.value <= size.high / 3
    inventory = inventory_from_source(found)
    (library,) = [entry for entry in inventory.entries if entry.path.endswith(".so")]
    assert library.size == size.value
    assert 0 < library.compressed < library.size
    assert found.low_factor < 0.5
    assert found.high_factor > 2


def test_a_build_on_the_platform_bundles_no_libraries() -> None:
    entries = tuple(
        Entry(path=path, size=1, compressed=1)
        for path in ("a/_a.so", "a.libs/libx-1.so", "a/libs/keep.so", "a/.dylibs/y.dylib")
    )
    wheel = Inventory(
        filename="a-1-cp311-cp311-linux_x86_64.whl",
        sha256=None,
        file_bytes=1,
        dist_info="a-1.dist-info",
        entries=entries,
        requires_dist=(),
        provides_extra=(),
        requires_python=None,
        console_scripts=(),
        gui_scripts=(),
        via="range",
    )
    assert [entry.path for entry in as_built(wheel).entries] == ["a/_a.so", "a/libs/keep.so"]


# --------------------------------------------------------------------------- hostile archives


def tar_of(add: Callable[[tarfile.TarFile], None]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        add(archive)
    return raw.getvalue()


def put(archive: tarfile.TarFile, path: str, content: bytes = b"", **fields: object) -> None:
    info = tarfile.TarInfo(path)
    info.size = len(content)
    for name, value in fields.items():
        setattr(info, name, value)
    archive.addfile(info, io.BytesIO(content))


def test_links_and_paths_that_lead_outside_are_left_out_and_counted() -> None:
    def add(archive: tarfile.TarFile) -> None:
        put(archive, "demo-1.0/PKG-INFO", PKG_INFO_21.encode())
        put(archive, "demo-1.0/setup.py", b"setup()")
        put(archive, "demo-1.0/demo.py", b"x = 1")
        put(archive, "../outside.py", b"x")
        put(archive, "/etc/passwd", b"x")
        put(archive, "C:/x.py", b"x")
        put(archive, "demo-1.0/..\\x.py", b"x")
        put(archive, "demo-1.0/link.py", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        put(archive, "demo-1.0/device", type=tarfile.CHRTYPE)

    found = read_source(tar_of(add), "demo-1.0.tar.gz")
    assert isinstance(found, SourceArchive)
    assert paths(found) == {"demo.py"}
    assert found.notes == ("6 links or unsafe paths in the archive are not counted",)


def test_a_bomb_is_refused_before_it_goes_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_UNPACKED_BYTES", 10_000)
    bomb = tar_of(lambda archive: put(archive, "d/a.py", b"\0" * 20_000))
    found = read_source(bomb, "d-1.tar.gz")
    assert isinstance(found, Unreadable)
    assert "unpacks to more than" in found.reason
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("d/a.py", b"\0" * 20_000)
    found = read_source(packed.getvalue(), "d-1.zip")
    assert isinstance(found, Unreadable)
    assert "unpacks to more than" in found.reason


def test_a_header_that_is_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # a member's name of many megabytes is read before any size is known
    monkeypatch.setattr(unpack, "MAX_UNPACKED_BYTES", 10_000)
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 100)
    bomb = tar_of(lambda archive: put(archive, "d/" + "a" * 500_000))
    found = read_source(bomb, "d-1.tar.gz")
    assert isinstance(found, Unreadable)
    assert "unpacks to more than" in found.reason


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 5)
    archive = make_sdist("demo", "1.0", {f"{n}.py": "" for n in range(9)})
    assert "more than 5 files" in reason(archive)


@pytest.mark.parametrize("filename", ["demo-1.0.rar", "demo-1.0.exe", "demo"])
def test_other_forms_are_refused(filename: str) -> None:
    assert "not a supported archive" in reason(Archive(filename, b"anything"))


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_cut_off_archive_is_damaged(kind: str) -> None:
    whole = make_sdist("demo", "1.0", {"demo.py": "x = 1\n" * 999, "setup.py": ""}, kind=kind)
    assert "damaged" in reason(Archive(whole.filename, whole.content[: len(whole.content) // 2]))


_GOOD = sdist({"setup.cfg": _CFG}, requires_txt="six\n", setup_py="setup(name='x')")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(_GOOD.content) - 1), st.binary(min_size=1, max_size=40))
def test_no_damage_ever_escapes_as_an_exception(place: int, junk: bytes) -> None:
    content = _GOOD.content[:place] + junk + _GOOD.content[place + len(junk) :]
    assert isinstance(read_source(content, _GOOD.filename), SourceArchive | Unreadable)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["setup.py", "setup.cfg", "pyproject.toml", "PKG-INFO"]),
    st.binary(max_size=80) | st.sampled_from([b"(" * 5000, b"[tool.poetry]\ndependencies = 3\n"]),
)
def test_no_text_ever_escapes_as_an_exception(name: str, text: bytes) -> None:
    archive = make_sdist("demo", "1.0", {"demo.py": "", "setup.py": "setup()", name: text})
    assert isinstance(read_source(archive.content, archive.filename), SourceArchive | Unreadable)


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nname=3\nversion=4\ndependencies="x"\ndynamic=7\n[project.scripts]\na=1\n',
        "[tool.poetry]\nextras=[1]\npackages=[3]\n[tool.poetry.dependencies]\na=3\n",
        "[tool.poetry.dependencies]\na={extras=3, version=4}\n",
        '[build-system]\nbuild-backend=["x"]\nrequires=[3]\n[tool]\nsetuptools=3\n',
        "[tool.setuptools]\npackages=3\npy-modules=4\n[tool.setuptools.package-data]\na=3\n",
        '[tool.hatch.build.targets.wheel]\npackages=[3, "../../etc"]\n',
    ],
)
def test_wrong_types_in_pyproject_never_escape(text: str) -> None:
    archive = make_sdist("demo", "1.0", {"demo.py": "", "setup.py": "setup()"}, pyproject=text)
    assert isinstance(read_source(archive.content, archive.filename), SourceArchive | Unreadable)


# --------------------------------------------------------------------------- large ones, cache


def test_an_archive_cut_off_anywhere_is_read_up_to_there() -> None:
    noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(3_000))
    files: dict[str, Content] = {
        "demo.c": b"/* Generated by Cython 0.29 */" + noise, "helper.py": noise.hex(),
    }  # fmt: skip
    whole = sdist(files, setup_py="setup()\n" + "#" * 90_000)
    for cut in range(20, len(whole.content), 499):
        read_head(whole.content[:cut], whole.filename, file_bytes=10**9)  # raises nothing
    broken = bytearray(make_sdist("demo", "1.0", files, kind="zip").content)
    broken[45:60] = b"\xff" * 15  # where the data of demo.c begins
    assert "damaged" in reason(Archive("demo-1.0.zip", bytes(broken)))


def test_modules_beyond_what_is_followed_do_not_make_an_archive_unreadable() -> None:
    large = "#" * 200_000
    files: dict[str, Content] = {f"demo/m{n}.py": large for n in range(40)}
    files |= {"demo/__init__.py": "", "tools.py": ""}
    archive = sdist(files, setup_py="import tools\nsetup()\n", requires_txt="")
    assert len(read(archive).entries) > 40
    assert sum(map(len, open_archive(archive.content, archive.filename).modules.values())) < 4e6


def test_a_large_archive_is_read_from_its_start_and_its_last_bytes() -> None:
    info = metadata_text("demo", "1.0", ["six"], {}, ">=3.8").replace("2.1", "2.2")
    content = b"".join(bytes([n % 251]) * 97 for n in range(20_000))

    def add(archive: tarfile.TarFile) -> None:  # PKG-INFO first, as setuptools writes it
        put(archive, "demo-1.0/PKG-INFO", info.encode())
        put(archive, "demo-1.0/z.bin", content)

    packed = tar_of(add)
    head, tail = packed[:2000], packed[-4:]
    found = read_head(head, "demo-1.0.tar.gz", file_bytes=len(packed), sha256="0" * 64, tail=tail)
    assert isinstance(found, SourceArchive)
    assert not found.complete
    assert found.requires == ("six",)
    assert found.requires_python == ">=3.8"
    size = sum(entry.size for entry in inventory_from_source(found).entries)
    assert 1_940_000 <= size <= 1_960_000
    guess = read_head(head, "demo-1.0.tar.gz", file_bytes=len(packed))
    assert isinstance(guess, SourceArchive)
    assert guess.high_factor > 2 > found.high_factor


def test_a_large_archive_that_hides_its_dependencies_says_so() -> None:
    packed = tar_of(lambda tar: put(tar, "demo-1.0/PKG-INFO", PKG_INFO_21.encode()))
    found = read_head(packed[:-20], "demo-1.0.tar.gz", file_bytes=10**9)
    assert isinstance(found, SourceArchive)
    assert found.requires == ()
    assert any("not counted" in note for note in found.notes)


def test_a_source_is_fetched_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    files: dict[str, Content] = {"setup.py": "setup(ext_modules=e())", "a.c": "int x;"}
    archive = sdist(files, requires_txt="six\n[x]\nidna\n")
    fetched: list[str] = []

    def fetch() -> bytes:
        fetched.append(archive.filename)
        return archive.content

    first, second = (load_source(cache, archive.sha256, archive.filename, fetch) for _ in "ab")
    assert first == second == read(archive)
    assert len(fetched) == 1


def test_an_unreadable_source_is_remembered_with_its_reason(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    archive = sdist()
    first = load_source(cache, archive.sha256, archive.filename, lambda: archive.content)
    second = load_source(cache, archive.sha256, archive.filename, lambda: b"never read")
    assert isinstance(first, Unreadable)
    assert first == second


@pytest.mark.parametrize("damage", [{}, {"reader": 1}, {"reader": 1, "entries": [[1], []]}])
def test_a_document_that_is_not_ours_is_read_anew(
    tmp_path: Path, damage: dict[str, object]
) -> None:
    cache = Cache(tmp_path / "cache")
    archive = sdist(requires_txt="six\n")
    cache.store("source", f"{archive.sha256}\n{archive.filename}", damage)
    found = load_source(cache, archive.sha256, archive.filename, lambda: archive.content)
    assert found == read(archive)


# --------------------------------------------------------------------------- folders


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def test_a_folder_is_read_like_an_archive(tmp_path: Path, canary: str) -> None:
    folder = tmp_path / "app"
    write(
        folder,
        {
            "setup.py": f"{canary}setup(name='demo', version='2', install_requires=['six'])",
            "demo/__init__.py": "x = 1\n",
            "demo/build/__init__.py": "",
            "demo.egg-info/requires.txt": "years-old\n",
            "demo.egg-info/PKG-INFO": PKG_INFO_21,
            ".git/hooks.py": "",
            "env/pyvenv.cfg": "",
            "env/lib/x/__init__.py": "",
            "build/lib/demo/__init__.py": "",
            "node_modules/a/b.py": "",
        },
    )
    (folder / "outside").symlink_to("/")
    found = read_folder(folder)
    assert isinstance(found, SourceArchive)
    assert (found.name, found.version, found.requires) == ("demo", "2", ("six",))
    assert paths(found) == {"demo/__init__.py", "demo/build/__init__.py"}
    assert found.notes == ("1 links or unsafe paths in the archive are not counted",)


def test_a_folder_without_a_project_is_unreadable(tmp_path: Path) -> None:
    assert isinstance(read_folder(tmp_path), Unreadable)
    assert isinstance(read_folder(tmp_path / "absent"), Unreadable)


def test_a_folder_without_a_plain_version_has_none(tmp_path: Path) -> None:
    write(
        tmp_path, {"pyproject.toml": '[project]\nname="demo"\ndynamic=["version"]\n', "demo.py": ""}
    )
    found = read_folder(tmp_path)
    assert isinstance(found, SourceArchive)
    assert found.version is None


def test_a_single_top_folder_is_stripped_but_a_flat_archive_is_not() -> None:
    flat = tar_of(lambda archive: put(archive, "setup.py", b"setup()"))
    assert set(open_archive(flat, "demo-1.0.tar.gz").sizes) == {"setup.py"}

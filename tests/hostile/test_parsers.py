"""Small files that stalled a run, took gigabytes or ended in a traceback; and mutants of all.

Each case runs in a process of its own with a limit of memory, and is killed when it does not end by
itself: what is asserted is the exit code and the sentence, never a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import fuzz
from slugcheck.model.document.saved import dumps
from slugcheck.model.to_document.report import report_document
from slugcheck.packages.locks.pins import toml
from slugcheck.packages.locks.pipenv import pipfile_hashes
from slugcheck.packages.locks.poetry import content_hash
from slugcheck.packages.sdist.setup_script import Files
from tests.support import cases
from tests.support.bounded import Bounded, Ended

pytestmark = pytest.mark.usefixtures("plain_network")

_MUTANTS = 30  # of each parser; benchmarks/fuzz.py tries 100,000


@pytest.fixture(scope="module")
def bounded() -> Iterator[Bounded]:
    with Bounded() as server:
        yield server


def refused(ended: Ended, sentence: str, code: int = 2) -> None:
    """Assert an exit code and one line that says ``sentence``."""
    assert ended.code == code, ended.said[:2_000]
    assert len(ended.lines) == 1, ended.said[:2_000]
    assert sentence in ended.lines[0]
    assert len(ended.lines[0]) < 500
    assert "Traceback" not in ended.said


# --------------------------------------------------------------------------- requirements

LINES = {
    "a word of 5 kB": ("flask=" + "a" * 5_000, "requirements.txt:2: a word of 5,006 char"),
    "a word of 100 kB": ("flask=" + "a" * 100_000, "requirements.txt:2: a line of 100,006 char"),
    "specifiers of 400 kB": ("flask" + " ==1," * 80_000, "requirements.txt:2: a line of 400,005"),
    "a marker nested 10,000 deep": (
        "flask ; " + "( " * 10_000 + "os_name == 'x'" + " )" * 10_000,
        "requirements.txt:2: pip refuses",
    ),
    "blanks before no comment": ("flask" + " " * 60_000 + "x", "requirements.txt:2: pip refuses"),
    "a version of 5,000 digits": ("flask==1" + ".1" + " , >=" + "9" * 4_000, "requirements.txt:2"),
    "brackets": ("[ " * 30_000, "requirements.txt:2: pip refuses"),
    "joined lines": ("flask \\\n" * 19_000, "requirements.txt:2: a line of 11"),
    "100,000 lines": ("flask\n" * 100_000, "requirements.txt:5002: more than 5,000 lines"),
    "a wheel with half a million tags": (
        "https://h.example/a-1-" + ".".join(["a"] * 80) + "-" + ".".join(["b"] * 80) + "-"
        + ".".join(["c"] * 80) + ".whl",
        "is not a valid wheel filename",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_a_line_beyond_bounds_is_refused_with_its_place(
    case: str, bounded: Bounded, tmp_path: Path
) -> None:
    line, sentence = LINES[case]
    (tmp_path / "requirements.txt").write_text(f"# a comment\n{line}\n")
    refused(bounded.slugcheck(tmp_path, "check", "--offline", "requirements.txt"), sentence)


def test_a_chain_of_hundreds_of_includes_is_refused(bounded: Bounded, tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"r{number}.txt").write_text(f"-r r{number + 1}.txt\n")
    ended = bounded.slugcheck(tmp_path, "check", "--offline", "r0.txt")
    refused(ended, "r50.txt:1: the includes are nested more than 50 deep")


def test_a_nul_in_an_included_url_is_refused(bounded: Bounded, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r file:%00\n")
    refused(
        bounded.slugcheck(tmp_path, "check", "--offline", "requirements.txt"),
        "requirements.txt:1: the included",
    )


def multiplied(times: int, deep: int) -> str:
    """Return a pyproject.toml whose extras and groups include the next ``times`` times each."""
    extras = [f"e{n} = {json.dumps([f'app[e{n + 1}]'] * times)}" for n in range(deep)]
    included = [f'{{include-group = "g{n + 1}"}}' for n in range(deep)]
    groups = [f"g{n} = [{', '.join([included[n]] * times)}]" for n in range(deep)]
    lines = ["[project]", 'name = "app"', "[project.optional-dependencies]", *extras]
    lines += [f'e{deep} = ["flask"]', "[dependency-groups]", *groups, f'g{deep} = ["flask"]']
    return "\n".join(lines)


@pytest.mark.parametrize("selection", [("--extra", "e0"), ("--group", "g0")])
def test_extras_and_groups_that_multiply_or_go_deep_end(
    selection: tuple[str, str], bounded: Bounded, tmp_path: Path
) -> None:
    path = tmp_path / "pyproject.toml"
    command = ("check", "--offline", "--no-cache", "pyproject.toml", *selection)
    path.write_text(multiplied(2, 40))
    assert bounded.slugcheck(tmp_path, *command).code in (0, 3)
    path.write_text(multiplied(1, 3_000))
    refused(bounded.slugcheck(tmp_path, *command), "include each other more than 50 deep")


def test_extras_under_many_markers_end(bounded: Bounded, tmp_path: Path) -> None:
    extras = []
    for n in range(40):
        twice = [f"app[e{n + 1}] ; python_version > '{major}.{n}'" for major in (1, 2)]
        extras.append(f"e{n} = {json.dumps(twice)}")
    lines = ["[project]", 'name = "app"', 'dependencies = ["app[e0]"]']
    lines += ["[project.optional-dependencies]", *extras, 'e40 = ["flask"]']
    (tmp_path / "pyproject.toml").write_text("\n".join(lines))
    refused(
        bounded.slugcheck(tmp_path, "check", "--offline", "--no-cache", "pyproject.toml"),
        "more than 50 markers lead to the extra",
    )


_LONG = " or ".join(f"python_version >= '3.{n % 90}'" for n in range(2_000))
_MANY = json.dumps([f"app[x] ; python_version != '{n}'" for n in range(49)])


@pytest.mark.parametrize(
    ("lines", "extras", "message"),
    [
        (json.dumps([f"app[x] ; {_LONG}"]),
         "x = " + json.dumps([f"alpha>=0.{n}" for n in range(4_000)]), "are too long"),
        (_MANY, "x = " + json.dumps([f"app[y] ; {_LONG}"]) + '\ny = ["a"]', "are too long"),
        (_MANY, "x = [\"app[y] ; python_version > '3'\"]\ny = " + json.dumps(["a"] * 90_000),
         "are too long"),
        (_MANY, "x = " + json.dumps(["app[" + ",".join(f"a{n}" for n in range(5_000)) + "]"] * 18)
         + "".join(f"\na{n} = []" for n in range(5_000)), "name others more than 20,000 times"),
    ],
    ids=["long", "nested", "repeated", "mentions"],
)  # fmt: skip
def test_markers_of_extras_multiply_nothing(
    bounded: Bounded, tmp_path: Path, lines: str, extras: str, message: str
) -> None:
    text = f'[project]\nname = "app"\ndependencies = {lines}\n'
    (tmp_path / "pyproject.toml").write_text(f"{text}[project.optional-dependencies]\n{extras}\n")
    refused(
        bounded.slugcheck(tmp_path, "check", "--offline", "--no-cache", "pyproject.toml"), message
    )


# --------------------------------------------------------------------------- saved reports


@pytest.mark.parametrize("size", [10**30, -(10**400)], ids=["large", "negative"])
def test_a_saved_report_with_sizes_that_nothing_has_is_refused(
    size: int, bounded: Bounded, tmp_path: Path
) -> None:
    honest = json.loads(dumps(report_document(cases.onnx())))
    (tmp_path / "a.json").write_text(json.dumps(honest))
    honest["distributions"][0]["installed_bytes"] = size
    (tmp_path / "b.json").write_text(json.dumps(honest))
    refused(
        bounded.slugcheck(tmp_path, "compare", "a.json", "b.json"),
        "b.json: distributions[0].installed_bytes is out of range",
    )


# --------------------------------------------------------------------------- TOML

BOMBS = {
    "a dotted key of 100 kB": "a" + ".a" * 50_000 + " = 1",
    "a dotted table of 100 kB": "[" + '"a" . ' * 20_000 + "a]",
    "50,000 arrays": "a = " + "[" * 50_000,
    "50,000 inline tables": "a = " + "{a = " * 50_000,
    "a number of 100,000 digits": "platform = " + "9" * 100_000,
    "a hexadecimal number of 100,000 digits": "python = 0x" + "f" * 100_000,
}


@pytest.mark.parametrize("case", BOMBS)
def test_settings_that_are_a_bomb_are_refused(case: str, bounded: Bounded, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    (tmp_path / "slugcheck.toml").write_text(f"{BOMBS[case]}\n")
    refused(
        bounded.slugcheck(tmp_path, "check", "--offline", "requirements.txt"),
        "slugcheck.toml is not valid TOML",
    )


def test_a_text_with_many_dots_is_no_bomb(bounded: Bounded, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("")
    text = 'description = """\n' + "a.b" * 50 + '\n"""\nother = "' + "1." * 50 + '"\n'
    (tmp_path / "pyproject.toml").write_text(f"# {'x.' * 50}\n[project]\n{text}")
    assert bounded.slugcheck(tmp_path, "check", "--offline", ".").code == 0


# --------------------------------------------------------------------------- locks


def poetry_lock(
    bounded: Bounded, folder: Path, lock: str, project: str = fuzz.POETRY_PROJECT
) -> Ended:
    (folder / "pyproject.toml").write_text(project)
    digest = content_hash(toml(folder, project.encode()))
    (folder / "poetry.lock").write_text(lock.replace("@HASH@", digest))
    return bounded.slugcheck(folder, "check", "--offline", "poetry.lock")


def without_traceback(ended: Ended) -> None:
    assert ended.code in {2, 3}, ended.said[:2_000]
    assert "Traceback" not in ended.said
    assert "bug in slugcheck" not in ended.said


METADATA = '[metadata]\nlock-version = "2.1"\npython-versions = "*"\ncontent-hash = "@HASH@"\n'
PACKAGES = {
    "numbers": "name = 1\nversion = 2\ngroups = ['main']\nfiles = 3\n",
    "dates": "name = 1979-05-27\nversion = 07:32:00\ngroups = ['main']\nmarkers = 1979-05-27\n",
    "tables": "name = {a = 1}\nversion = [[1]]\ngroups = ['main']\nsource = [1]\n",
    "a version of 5,000 digits": f"name = 'a'\nversion = '{'9' * 5_000}'\ngroups = ['main']\n",
    "a name that is a path": "name = '../../x?y'\nversion = '1'\ngroups = ['main']\n",
    "a name that is an expression": "name = '(a+)+$'\nversion = '1'\ngroups = ['main']\n",
    "half an address": "name='a'\nversion='1'\ngroups=['main']\nsource={type='url',url='http://['}",
    "a NUL": "name='a'\nversion='1'\ngroups=['main']\nsource={type='file',url=\"a\\u0000b.whl\"}",
}


@pytest.mark.parametrize("case", PACKAGES)
def test_values_of_poetry_lock_of_another_type(case: str, bounded: Bounded, tmp_path: Path) -> None:
    without_traceback(poetry_lock(bounded, tmp_path, f"[[package]]\n{PACKAGES[case]}\n{METADATA}"))


@pytest.mark.parametrize("value", ["[1]", "{a = 1}", "1979-05-27", "1.5"])
def test_a_hash_of_poetry_lock_of_another_type(
    value: str, bounded: Bounded, tmp_path: Path
) -> None:
    ended = poetry_lock(bounded, tmp_path, METADATA.replace('"@HASH@"', value))
    # an obstacle: what the lock says is sized all the same
    assert (ended.code, ended.lines) == (3, [])
    assert "Traceback" not in ended.said


def test_a_lock_without_groups_that_multiplies_is_refused(bounded: Bounded, tmp_path: Path) -> None:
    package = "[[package]]\nname = 'a'\nversion = '1'\n[package.dependencies]\n"
    package += "".join(f"a-{'-' * (n % 7)}{n} = '>=2'\n" for n in range(10))
    one = "[[package]]\nname = 'flask'\nversion = '1'\n[package.dependencies]\n"
    listed = "a = [" + "'>=2'," * 3_000 + "]\n"
    lock = one + listed + package * 3_000 + METADATA.replace("2.1", "2.0")
    ended = poetry_lock(bounded, tmp_path, lock)
    refused(ended, "the dependencies within poetry.lock take too long to follow")


def test_an_older_metadata_number_that_json_cannot_hold(bounded: Bounded, tmp_path: Path) -> None:
    project = fuzz.POETRY_PROJECT + f"huge = 0x{'f' * 9_000}\n"
    (tmp_path / "pyproject.toml").write_text(project)
    (tmp_path / "poetry.lock").write_text(METADATA)
    refused(
        bounded.slugcheck(tmp_path, "check", "--offline", "poetry.lock"),
        "pyproject.toml is not valid TOML",
    )


ENTRIES: dict[str, object] = {
    "a list for a version": {"version": [[[]]], "hashes": 7, "markers": {"a": 1}},
    "a version of 5,000 digits": {"version": "==" + "9" * 5_000},
    "numbers": {"version": 1.5, "index": 3, "extras": [1, None], "file": 9},
    "half an address": {"file": "http://[", "version": "==1"},
    "a NUL": {"path": "a\0b"},
    "a marker nested deep": {"version": "==1", "markers": "(" * 9_000},
}


@pytest.mark.parametrize("case", ENTRIES)
def test_values_of_pipfile_lock_of_another_type(
    case: str, bounded: Bounded, tmp_path: Path
) -> None:
    (tmp_path / "Pipfile").write_text('[packages]\n"../x" = "*"\n')
    digest, _ = pipfile_hashes({"packages": {"../x": "*"}}, [])
    lock = {"_meta": {"hash": {"sha256": digest}}, "default": {"../x": ENTRIES[case], "b": None}}
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    without_traceback(bounded.slugcheck(tmp_path, "check", "--offline", "Pipfile.lock"))


def test_a_name_of_a_pipfile_that_is_an_expression(bounded: Bounded, tmp_path: Path) -> None:
    (tmp_path / "Pipfile").write_text('[packages]\n"(a+)+$(" = "*"\n')
    digest, _ = pipfile_hashes({"packages": {"(a+)+$(": "*"}}, [])
    lock = {"_meta": {"hash": {"sha256": digest}}, "default": {"(a+)+$(": {"version": "==1"}}}
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    ended = bounded.slugcheck(tmp_path, "check", "--offline", "Pipfile.lock")
    without_traceback(ended)
    assert "(a+)+$(" in (tmp_path / "out").read_text()


def test_sources_of_pipfile_lock_nested_deep(bounded: Bounded, tmp_path: Path) -> None:
    (tmp_path / "Pipfile").write_text("")
    nested = "[" * 900 + "]" * 900
    text = f'{{"_meta": {{"sources": [{nested}]}}, "default": {{}}}}'
    (tmp_path / "Pipfile.lock").write_text(text)
    without_traceback(bounded.slugcheck(tmp_path, "check", "--offline", "Pipfile.lock"))


MANY_TAGS = "-".join(["a-1", *(".".join([part] * 80) for part in "abc")]) + ".whl"
WHEELS = {
    "half a million tags": f"name = '{MANY_TAGS}'\npath = 'x'",
    "half an address": "url = 'http://['",
    "a NUL": 'path = "a\\u0000-1-py3-none-any.whl"',
    "a huge size": f"url = 'http://h/a-1-py3-none-any.whl'\nsize = 0x{'f' * 9_000}",
}


@pytest.mark.parametrize("case", WHEELS)
def test_wheels_of_a_pylock_beyond_bounds(case: str, bounded: Bounded, tmp_path: Path) -> None:
    head = "lock-version = '1.0'\ncreated-by = 'x'\n[[packages]]\nname = 'a'\nversion = '1'\n"
    text = f"{head}[[packages.wheels]]\n{WHEELS[case]}\nhashes = {{sha256 = '{'0' * 64}'}}\n"
    (tmp_path / "pylock.toml").write_text(text)
    without_traceback(bounded.slugcheck(tmp_path, "check", "--offline", "pylock.toml"))


@pytest.mark.parametrize("depth", [300, 3_000])
def test_a_nested_pylock(depth: int, bounded: Bounded, tmp_path: Path) -> None:
    nested = "(" * depth + "os_name == 'x'" + ")" * depth
    head = "lock-version = '1.0'\ncreated-by = 'x'\n[[packages]]\nname = 'a'\nversion = '1'\n"
    (tmp_path / "pylock.toml").write_text(f'{head}marker = "{nested}"\nvcs = {"{a=" * depth}')
    without_traceback(bounded.slugcheck(tmp_path, "check", "--offline", "pylock.toml"))


# --------------------------------------------------------------------------- project files


def project(folder: Path, **files: str) -> Path:
    place = folder / "app"
    place.mkdir()
    for name, text in {"requirements_txt": "", "app_py": "x = 1\n", **files}.items():
        path = place / name.replace("__", ".").replace("_txt", ".txt").replace("_py", ".py")
        path.write_text(text)
    return place


IGNORED = {
    "braces that multiply": ("docs\n" + "{a,b}" * 40, ".slugignore:2: {a,b}{a,b}"),
    "braces that multiply and stay open": ("{a,b}" * 40 + "{", ".slugignore:1: {a,b}{a,b}"),
    "nested braces": ("\n" + "{a,b" * 50 + "}" * 50 + "{c,d}" * 40, ".slugignore:2: {a,b{a,b"),
    "one word of 1 MB": ("a" * 1_000_000, ".slugignore:1: an entry of 1,000,000 characters"),
    "stars and sets of 1 MB": ("*[a-z]" * 150_000, ".slugignore:1: an entry of 900,000 char"),
    "100,000 entries": ("".join(f"*{n}\n" for n in range(100_000)), "takes too long to match"),
}


@pytest.mark.parametrize("case", IGNORED)
def test_a_slugignore_beyond_its_budget_is_refused_with_its_line(
    case: str, bounded: Bounded, tmp_path: Path
) -> None:
    text, sentence = IGNORED[case]
    place = project(tmp_path, __slugignore=text)
    refused(bounded.slugcheck(tmp_path, "check", "--offline", str(place)), sentence)


TREES = {
    "wildcards on a deep tree": ("**/**/**/*/**/*/**/x", "/".join(["d"] * 2_000)),
    "a search on a deep tree": ("**/a/**/a/**/a/**/b", "/".join(["a"] * 1_900) + "/c"),
    "a name on a deep tree": ("d", "/".join(["d"] * 2_000)),
}


@pytest.mark.parametrize("case", TREES)
def test_globs_on_a_deep_tree_end(case: str, bounded: Bounded, tmp_path: Path) -> None:
    glob, path = TREES[case]
    ended = bounded.parsed(tmp_path, ".slugignore", {".slugignore": glob, "paths": path})
    assert ended.code in {0, 2}, ended.said[:2_000]


def test_links_that_multiply_end(bounded: Bounded, tmp_path: Path) -> None:
    # each of fifteen links leads four times through the next one: 4 ** 15 steps
    assert bounded.parsed(tmp_path, "globs", {"glob": "l2/*"}).code == 0


FILES = {
    "a Procfile of blanks": {"Procfile": "web: a" + " " * 500_000 + "b\n"},
    "a .python-version of blanks": {".python-version": "3" + " " * 99_000 + "1\n"},
    "a Pipfile.lock nested deep": {
        "Pipfile.lock": '{"_meta": {"requires": {"python_version": ' + "[" * 700 + "]" * 700 + "}}}"
    },
}


@pytest.mark.parametrize("case", FILES)
def test_small_files_that_stalled(case: str, bounded: Bounded, tmp_path: Path) -> None:
    assert bounded.parsed(tmp_path, "small", FILES[case]).code in {0, 2}


# --------------------------------------------------------------------------- archives and pages

ARCHIVES = {
    "sums of sums": {
        "setup.py": "a0 = ['x']\n"
        + "".join(f"a{n + 1} = a{n} + a{n} + a{n} + a{n}\n" for n in range(15))
        + "setup(name='demo', install_requires=a15)\n"
    },
    "lists of lists": {
        "setup.py": "a0 = ['x']\n"
        + "".join(f"a{n + 1} = [{f'*a{n}, ' * 30}]\n" for n in range(9))
        + "setup(name='demo', install_requires=a9)\n"
    },
    "texts of texts": {
        "setup.py": f"a0 = '{'x' * 1_000}'\n"
        + "".join(f"a{n + 1} = a{n} + a{n}\n" for n in range(18))
        + "setup(name='demo', description=a18, install_requires=[])\n"
    },
    "mappings of mappings": {
        "setup.py": "".join(f"a{n} = dict({f'**a{n + 1}, ' * 20})\n" for n in range(20))
        + "a20 = dict(name='demo')\nsetup(**a0)\n"
    },
    "operators": {"setup.py": "setup(name=" + "-" * 90_000 + "1)"},
    "half a surrogate pair": {
        "setup.py": "setup(name='demo', scripts=['\\ud800'], install_requires=[],\n"
        "      entry_points={'console_scripts': ['\\ud800 = a:b']})\n"
    },
    "setup.cfg of blanks": {"setup.cfg": "[metadata]\nname" + " " * 90_000 + "x\n"},
    "a mail of mails": {
        "PKG-INFO": "Metadata-Version: 2.2\nName: demo\nVersion: 1\n"
        + "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3_000))
    },
    "100,000 fields": {"PKG-INFO": "Name: demo\n" + "".join(f"F{n}: x\n" for n in range(100_000))},
    "350,000 dependencies": {
        "PKG-INFO": "Metadata-Version: 1.1\nName: demo\n",
        "demo.egg-info/requires.txt": "".join(f"d{n}>=*\n" for n in range(350_000)),
    },
    "a version of the metadata": {"PKG-INFO": f"Metadata-Version: {'9' * 9_000}.²\nName: demo\n"},
}  # fmt: skip

_MANY = "a = [0,0,0,0,0,0,0,0,0,0]\nb = [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc = [*b,*b,*b,*b,*b,*b]\n"
_LONG = "s = t = 'aaaaaaaaaaaaaaaa'\n" + "s = s + s\nt = t + t\n" * 13
# What each step of a setup.py that is followed looks at, or makes.
SCRIPTS = {
    "formatted texts that double": "a = 'abcdefgh'\n" + "a = f'{a}{a}'\n" * 40,
    "comparisons of long lists": _MANY + "c == c\n" * 9_000,
    "comparisons of long texts": f"{_LONG}x = [{'s,' * 600}]\ny = [{'t,' * 600}]\n"
    + "x == y\n" * 5_000,
    "searches in a long text": _LONG + "'aaaaaaab' in s\n" * 9_000,
    "lists that are told true": "x = [0]\n" + "x = x + x\n" * 18 + "not x\n" * 12_000,
    "a list of a list's items": f"{_MANY}j = [{'*c,' * 15_000}]\n",
    "copies of a list": f"{_MANY}j = [{'list(c),' * 7_000}]\n",
    "paths of many parts": "import os\ns = 'a/aaaaaaaaaaaaaa'\n"
    + "s = s + s\n" * 6
    + f"a = [{'s,' * 600}]\n"
    + "os.path.join(*a)\n" * 9_000,
    "functions made in a loop": f"{_MANY}for i in c:\n  def f():\n    x = [{'0,' * 60_000}]\n",
    "loops in a loop": f"{_MANY}for i in c:\n  for j in ():\n    x = [{'0,' * 60_000}]\n",
    "names forgotten again": "".join(f"v{n} = 0\n" for n in range(9_000))
    + "globals()['x'] = 1\n" * 3_000,
    "a name that grows": f"{_MANY}import os\nx = os.a\nfor i in c:\n  x = x.{'b' * 200_000}\n",
    "240,000 empty lines": "\n" * 240_000,
    "a dotted name": f"import a{'.a' * 120_000}\n",
    "a dotted name in another encoding": f"# coding: utf-7\nimport a{'+AC4-a' * 40_000}\n",
    "classes of classes": "class a0(object): pass\nclass b0(object): pass\n"
    + "".join(f"class {c}{n + 1}(a{n}, b{n}): pass\n" for n in range(40) for c in "ab")
    + "from setuptools import setup\nsetup(cmdclass={'build_ext': a40})\n",
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_setup_script_that_stalled(case: str, bounded: Bounded, tmp_path: Path) -> None:
    end = "\nfrom setuptools import setup\nsetup(name='demo', version='1')\n"
    assert bounded.parsed(tmp_path, "sdist", {"setup.py": SCRIPTS[case] + end}).code == 0


def test_formatted_texts_of_many_fields(bounded: Bounded, tmp_path: Path) -> None:
    source = f"x = f'{'x' * 100_000}{'{a}' * 46_000}'\n"
    files = {"setup.py": f"import m\n{source}setup()\n", "m.py": source}
    assert bounded.parsed(tmp_path, "sdist", files).code == 0


def test_modules_of_a_setup_script_are_followed_as_far_as_they_are_few() -> None:
    files = Files({f"m{number}.py": b"x = 1\n" + b"#" * 200_000 for number in range(16)})
    assert [files.get(f"m{number}.py") is not None for number in range(4)] == [
        True, True, False, False,
    ]  # fmt: skip


def test_requirements_that_are_read_for_each_python(bounded: Bounded, tmp_path: Path) -> None:
    marker = " or ".join(f"python_version == '3.{minor}'" for minor in range(30))
    lines = "".join(f"  a{n}; {marker}\n" for n in range(4_900))
    files = {"setup.py": "setup()\n", "setup.cfg": f"[options]\ninstall_requires =\n{lines}"}
    assert bounded.parsed(tmp_path, "sdist", files).code == 0


@pytest.mark.parametrize("case", ARCHIVES)
def test_archives_that_stalled(case: str, bounded: Bounded, tmp_path: Path) -> None:
    assert bounded.parsed(tmp_path, "sdist", ARCHIVES[case]).code == 0


def test_metadata_that_claims_to_be_a_mail_of_mails(bounded: Bounded, tmp_path: Path) -> None:
    parts = [f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3_000)]
    text = "Metadata-Version: 2.1\nName: demo\nVersion: 1\n" + "".join(parts)
    files = {"METADATA": text, "entry_points.txt": ""}
    assert bounded.parsed(tmp_path, "metadata", files).code == 0


PAGES = {
    "open tags": "<a " * 100_000,
    "open comments": "<!--" * 100_000,
    "open quotes": "<a x=\"'" * 60_000,
    "a name of 100 kB": f"<a href='{'a-' * 50_000}1.tar.gz'>{'a-' * 50_000}1.tar.gz</a>",
    "half a million tags": f"<a href='demo-1-{'a.' * 80}a-{'b.' * 80}b-{'c.' * 80}c.whl'>x</a>",
    "half an address": "<base href='http://['><a href='demo-1.tar.gz'>x</a><a href='//['>y</a>",
}


@pytest.mark.parametrize("case", PAGES)
def test_pages_that_stalled(case: str, bounded: Bounded, tmp_path: Path) -> None:
    assert bounded.parsed(tmp_path, "pages", {"html": PAGES[case]}).code in {0, 2}


def test_a_page_of_json_with_hostile_names(bounded: Bounded, tmp_path: Path) -> None:
    names = ["a-" * 50_000 + "1.tar.gz", "demo-1-" + "a." * 80 + "a-" + "b." * 80 + "b-any.whl"]
    files = [{"filename": name, "url": "x", "hashes": {}} for name in names * 20]
    page = {"meta": {"api-version": "1.0"}, "name": "demo", "files": files}
    assert bounded.parsed(tmp_path, "pages", {"json": json.dumps(page)}).code == 0


MESSAGES = {
    "operators": "all of: " + "a=" * 5_000,
    "a name of 100 kB": "a" * 100_000 + " has no wheel",
    "a version of 100 kB": "depends on a==" + "a=" * 50_000,
}


@pytest.mark.parametrize("case", MESSAGES)
def test_what_uv_quotes_of_a_stranger(case: str, bounded: Bounded, tmp_path: Path) -> None:
    assert bounded.parsed(tmp_path, "messages", {"stderr": MESSAGES[case]}).code == 0


# --------------------------------------------------------------------------- the command line

LONG = "a" * 5_000
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "a path of 5,000 characters": (LONG,),
    "settings of 5,000 characters": ("requirements.txt", "--config", LONG),
    "a model of 5,000 characters": ("requirements.txt", "--model", LONG),
    "a folder of wheels of 5,000 characters": ("requirements.txt", "--find-links", LONG),
    "the last day there is": ("requirements.txt", "--exclude-newer", "9999-12-31"),
    "the last second there is": ("requirements.txt", "--exclude-newer", "9999-12-31T23:59:59Z"),
    "a thirteenth month": ("requirements.txt", "--exclude-newer", "2026-13-01"),
    "an address without a host": ("requirements.txt", "--find-links", "http://"),
    "half an address": ("requirements.txt", "--find-links", "http://["),
    "a port": ("requirements.txt", "--find-links", "http://h:99999999/"),
    "a NUL in an index": ("requirements.txt", "--index-url", "file:///x%00y"),
    "nobody's models": ("requirements.txt", "--model", "~nobody-of-that-name/x"),
    "a limit of infinity": ("requirements.txt", "--limit", "slug=inf"),
    "a limit of 1e400": ("requirements.txt", "--limit", "slug=1e400"),
    "a limit of a long name": ("requirements.txt", "--limit", f"{LONG}=1"),
    "a patch version": ("requirements.txt", "--python", "3.12.999"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_odd_arguments_are_usage_errors(case: str, bounded: Bounded, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    refused(bounded.slugcheck(tmp_path, "check", "--offline", *ARGUMENTS[case]), "")


def test_a_cache_in_nobodys_home_is_a_usage_error(bounded: Bounded, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    ended = bounded.slugcheck(
        tmp_path,
        "check",
        "--offline",
        "requirements.txt",
        SLUGCHECK_CACHE_DIR="~nobody-of-that-name/x",
    )
    refused(ended, "SLUGCHECK_CACHE_DIR names the home of an unknown user")


@pytest.mark.parametrize("columns", ["9" * 20, "9" * 5_000])
def test_a_terminal_of_any_width(columns: str, bounded: Bounded, tmp_path: Path) -> None:
    ended = bounded.slugcheck(tmp_path, "platforms", COLUMNS=columns)
    assert (ended.code, ended.said) == (0, "")


def test_a_platform_with_thousands_of_mistakes(bounded: Bounded, tmp_path: Path) -> None:
    text = "".join(f"[[limits]]\nname = 'a{n}'\n" for n in range(8_000))
    assert bounded.parsed(tmp_path, "platform", {"p.toml": text}).code == 2
    digits = {"p.toml": f"[[stacks]]\nglibc = '{'9' * 5_000}.1'\n"}
    assert bounded.parsed(tmp_path, "platform", digits).code == 2


# --------------------------------------------------------------------------- mutants


@pytest.fixture(scope="module")
def _quiet() -> Iterator[None]:
    with fuzz.quiet():
        yield


@pytest.mark.parametrize("parser", fuzz.PARSERS)
@pytest.mark.usefixtures("_quiet")
def test_mutants_are_taken_or_refused(parser: str) -> None:
    outcome = fuzz.fuzz(parser, _MUTANTS, seed=1)
    assert outcome.crashes == 0, f"{outcome.kinds} {outcome.shortest}"
    assert outcome.inputs == _MUTANTS

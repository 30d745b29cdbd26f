"""Every parser of strangers' text, given many thousand damaged and hostile inputs.

Real-looking seeds are mutated: bytes, spans, tokens of the format, repetitions up to 10,000 times,
nesting, runs of digits, values of another type, fields of ZIP records. Each goes to the function
that the program itself calls, in this process, one process for each parser. An error of slugcheck's
own is what is wanted; any other exception is a crash, and is shown with the shortest input that
gave it. Seconds are the process's own, since nothing here waits; peak memory is what it takes beyond
what it had before the first input.

    python -m benchmarks.fuzz [--count N] [--seed S] [PARSER …]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slugcheck.errors import SlugcheckError

Files = dict[str, bytes]  # by path below a folder
COUNT = 100_000
LONGEST = 120_000  # bytes of one input
HANGS = 20.0  # seconds after which an input counts as a crash
SLOW = 1.0  # seconds
_GOLDEN = Path(__file__).parent.parent / "tests/golden/document-hostile.json"


class Hang(BaseException):
    """An input takes longer than any may; no handler of errors is to stop it."""


@dataclass(frozen=True)
class Parser:
    """``run`` takes a folder with the files of one input, and raises what ``refusals`` are."""

    seeds: Sequence[Files]
    run: Callable[[Path, Files], None]
    tokens: Sequence[bytes] = ()
    refusals: tuple[type[Exception], ...] = ()
    records: bool = False  # ZIP: fields of records are mutated too


@dataclass
class Outcome:
    """What the inputs of one parser came to."""

    parser: str
    inputs: int = 0
    refused: int = 0
    crashes: int = 0
    kinds: dict[str, int] | None = None
    shortest: str = ""
    slowest: float = 0.0
    slow: int = 0
    peak_mb: float = 0.0
    seconds: float = 0.0


# --------------------------------------------------------------------------- mutation

_COMMON = (
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\r",
    b"\r\n",
    b"\n",
    b"\t",
    b" ",
    b"\\",
    b"\\\n",
    b"'",
    b'"',
    b'"""',
    b"'''",
    b"[",
    b"]",
    b"{",
    b"}",
    b"(",
    b")",
    b"<",
    b">",
    b",",
    b";",
    b":",
    b"=",
    b"==",
    b"===",
    b"~=",
    b">=",
    b"*",
    b"**/",
    b"?",
    b"!",
    b"@",
    b"#",
    b"$",
    b"%00",
    b"${X}",
    b"../",
    b"//",
    b"://",
    b"http://[",
    b"file:",
    b"-r ",
    b"--",
    b"\xc3\xa9",
    b"\xe2\x80\xa8",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"NaN",
    b"-1",
    b"0",
    b"1e400",
    b"Infinity",
    b"null",
    b"true",
    b"1979-05-27T07:32:00Z",
    b"0x" + b"f" * 400,
    b"9" * 30,
    b"1.",
    b"a.",
    b"a-",
    b"a,",
)
_VALUES = (
    b"1",
    b"-1",
    b"1.5",
    b"1e400",
    b"true",
    b"null",
    b'""',
    b'"x"',
    b"[]",
    b"{}",
    b"[[]]",
    b'["x"]',
    b'{"x": 1}',
    b"{x = 1}",
    b"1979-05-27",
    b"nan",
    b"9" * 5_000,
    b"0x" + b"f" * 5_000,
    b'"' + b"a" * 5_000 + b'"',
    b'"' + b"1." * 2_000 + b'"',
    b'"' + b"(" * 300 + b'"',
)
_BRACKETS = (
    (b"(", b")"), (b"[", b"]"), (b"{", b"}"), (b"{a=", b"}"), (b'{"a":', b"}"), (b"not ", b""),
)  # fmt: skip


@dataclass(frozen=True)
class _Given:
    """What a change starts from; ``other`` is the same file of another seed."""

    rng: random.Random
    data: bytes
    tokens: Sequence[bytes]
    other: bytes


def mutated(rng: random.Random, parser: Parser) -> Files:
    """Return a seed with one to four changes."""
    files = dict(rng.choice(parser.seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        name = rng.choice(sorted(files))
        data = files[name]
        if parser.records and rng.random() < 0.5:
            files[name] = _with_record(rng, data)
            continue
        other = rng.choice(parser.seeds).get(name, b"")
        given = _Given(rng, data, (*parser.tokens, *_COMMON), other)
        files[name] = rng.choice(_CHANGES)(given)[:LONGEST]
    return files


def _place(rng: random.Random, data: bytes) -> int:
    return rng.randrange(len(data) + 1)


def _span(rng: random.Random, data: bytes, longest: int = 200) -> tuple[int, int]:
    start = _place(rng, data)
    return start, min(len(data), start + rng.randrange(1, longest))


def _flip(given: _Given) -> bytes:
    changed = bytearray(given.data)
    for _ in range(given.rng.randrange(1, 5)):
        if changed:
            changed[given.rng.randrange(len(changed))] = given.rng.randrange(256)
    return bytes(changed)


def _cut(given: _Given) -> bytes:
    start, stop = _span(given.rng, given.data)
    return given.data[:start] + given.data[stop:]


def _end(given: _Given) -> bytes:
    return given.data[: _place(given.rng, given.data)]


def _insert(given: _Given) -> bytes:
    at = _place(given.rng, given.data)
    return given.data[:at] + given.rng.choice(given.tokens) + given.data[at:]


def _repeat(given: _Given) -> bytes:
    start, stop = _span(given.rng, given.data, 40)
    piece = given.rng.choice(given.tokens) if given.rng.random() < 0.5 else given.data[start:stop]
    times = given.rng.choice((2, 3, 10, 30, 100, 300, 1_000, 10_000))
    return (
        given.data[:start] + piece * min(times, LONGEST // max(1, len(piece))) + given.data[start:]
    )


def _nest(given: _Given) -> bytes:
    start, stop = _span(given.rng, given.data, 60)
    opening, closing = given.rng.choice(_BRACKETS)
    depth = given.rng.choice((3, 30, 300, 300, 3_000, 30_000))
    inner = given.data[start:stop] + (closing * depth if given.rng.random() < 0.7 else b"")
    return given.data[:start] + opening * depth + inner + given.data[stop:]


def _digits(given: _Given) -> bytes:
    at = next(
        (
            n
            for n in range(_place(given.rng, given.data), len(given.data))
            if given.data[n : n + 1].isdigit()
        ),
        len(given.data),
    )
    return (
        given.data[:at]
        + given.rng.choice((b"9", b"0", b"1.", b"1_")) * given.rng.choice((20, 500, 5_000))
        + given.data[at:]
    )


def _splice(given: _Given) -> bytes:
    return (
        given.data[: _place(given.rng, given.data)] + given.other[_place(given.rng, given.other) :]
    )


def _retype(given: _Given) -> bytes:
    """Put another value behind an ``=`` or a ``:``."""
    marks = [n for n, byte in enumerate(given.data) if byte in b"=:"]
    if not marks:
        return given.data
    start = given.rng.choice(marks) + 1
    stop = next(
        (n for n in range(start, len(given.data)) if given.data[n] in b",\n}]"), len(given.data)
    )
    return given.data[:start] + b" " + given.rng.choice(_VALUES) + given.data[stop:]


def _lines(given: _Given) -> bytes:
    """Shuffle, double or drop lines."""
    lines = given.data.split(b"\n")
    kind = given.rng.randrange(3)
    if kind == 0:
        given.rng.shuffle(lines)
    elif kind == 1:
        lines *= given.rng.choice((2, 50))
    else:
        del lines[given.rng.randrange(len(lines))]
    return b"\n".join(lines)


_CHANGES = (
    _flip, _cut, _end, _insert, _insert, _repeat, _nest, _digits, _splice, _retype, _retype,
    _lines,
)  # fmt: skip
# Where the numbers of ZIP records are: mark, offset, width in bytes.
_FIELDS = (
    [
        (b"PK\1\2", offset, width)
        for offset, width in (
            (4, 2),
            (6, 2),
            (8, 2),
            (10, 2),
            (16, 4),
            (20, 4),
            (24, 4),
            (28, 2),
            (30, 2),
            (32, 2),
            (34, 2),
            (38, 4),
            (42, 4),
        )
    ]
    + [(b"PK\5\6", o, w) for o, w in ((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2))]
    + [(b"PK\6\6", o, 8) for o in (4, 24, 32, 40, 48)]
    + [(b"PK\6\7", 8, 8), (b"PK\3\4", 26, 2), (b"PK\3\4", 28, 2)]
)


def _with_record(rng: random.Random, data: bytes) -> bytes:
    mark, offset, width = rng.choice(_FIELDS)
    places = [n for n in range(len(data)) if data.startswith(mark, n)]
    if not places:
        return data
    at = rng.choice(places) + offset
    if at + width > len(data):
        return data
    most = (1 << 8 * width) - 1
    old = int.from_bytes(data[at : at + width], "little")
    new = rng.choice(
        (0, 1, most, most - 1, old + 1, old - 1, old * 2, rng.randrange(most), len(data))
    )
    return data[:at] + (new % (most + 1)).to_bytes(width, "little") + data[at + width :]


# --------------------------------------------------------------------------- seeds

SHA = "a" * 64
REQUIREMENTS = f"""\
# -*- coding: utf-8 -*-
--index-url https://user:secret@index.example/simple
--extra-index-url https://wheels.example/whl/cpu
-f ./wheels --no-binary :none: --only-binary=numpy,pandas
-r base.txt
-c constraints.txt
flask[async,dotenv]==3.1.2 ; python_version >= "3.8" and (os_name == 'posix' or extra == "x")  # web
torch==2.5.1+cpu --hash=sha256:{SHA} \\
    --hash=sha256:{SHA}
name @ https://files.example/name-1.0-py3-none-any.whl#sha256={SHA}&subdirectory=a
-e git+https://git.example/x/y.git@v1.0#egg=y
./wheels/local-1.0-py2.py3-none-manylinux1_x86_64.manylinux2014_x86_64.whl
C:\\Users\\me\\x.whl
${{TOKEN}}package>=1,<2,!=1.5.*,~=1.4
"""
BASE = "django>=4.2,<5\n-r more/other.txt\ncelery[redis]\n--pre\n"
UV_LOCK = """\
version = 1
revision = 3
requires-python = ">=3.11"
resolution-markers = ["python_full_version >= '3.12'", "python_full_version < '3.12'"]

[[package]]
name = "demo"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "flask" }]

[package.metadata]
requires-dist = [{ name = "flask", specifier = ">=3" }]

[[package]]
name = "flask"
version = "3.1.2"
source = { registry = "https://index.example/simple" }
wheels = [{ url = "https://files.example/flask-3.1.2-py3-none-any.whl", hash = "sha256:00", size = 1 }]
"""
PYPROJECT = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["flask>=3", "numpy ; sys_platform == 'linux'"]
dynamic = []

[project.optional-dependencies]
pdf = ["pypdf"]

[tool.uv.sources]
numpy = { index = "own" }

[tool.poetry.group.docs.dependencies]
sphinx = "^8.0"
"""
PYLOCK = f"""\
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.11"

[[packages]]
name = "flask"
version = "3.1.2"
marker = "python_version >= '3.8' and (os_name == 'posix' or sys_platform != 'win32')"
index = "https://index.example/simple"
wheels = [
    {{ url = "https://files.example/flask-3.1.2-py3-none-any.whl", upload-time = 2025-08-19T21:03:19Z, size = 103308, hashes = {{ sha256 = "{SHA}" }} }},
    {{ name = "flask-3.1.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", path = "w/x.whl", hashes = {{ sha256 = "{SHA}" }} }},
]
sdist = {{ url = "https://files.example/flask-3.1.2.tar.gz", size = 1, hashes = {{ sha256 = "{SHA}" }} }}

[[packages]]
name = "own"
archive = {{ path = "own-1.0-py3-none-any.whl", size = 3, hashes = {{ sha256 = "{SHA}" }} }}

[[packages]]
name = "tree"
directory = {{ path = ".", editable = true }}

[[packages]]
name = "code"
vcs = {{ type = "git", url = "https://git.example/x", commit-id = "0123" }}
"""
POETRY_LOCK = f"""\
# This file is automatically @generated by Poetry 2.1.4 and should not be changed by hand.

[[package]]
name = "flask"
version = "3.1.2"
description = "A simple framework"
optional = false
python-versions = ">=3.9,<4.0 || ^3.12"
groups = ["main", "dev"]
markers = {{main = "python_version >= \\"3.8\\"", dev = "os_name == 'nt'"}}
files = [
    {{file = "flask-3.1.2-py3-none-any.whl", hash = "sha256:{SHA}"}},
]

[package.dependencies]
click = {{version = ">=8.1.3", extras = ["x"], markers = "extra == 'async'", optional = true}}
werkzeug = [{{version = "^3", python = "<3.12"}}, "*"]

[package.extras]
async = ["asgiref (>=3.2)", "click[x] ; python_version > '3'"]

[package.source]
type = "legacy"
url = "https://own.example/simple"
reference = "own"

[[package]]
name = "click"
version = "8.1.3"
groups = ["main"]
files = []

[[package]]
name = "werkzeug"
version = "3.0"
files = []
groups = ["main"]

[package.source]
type = "url"
url = "https://files.example/werkzeug-3.0-py3-none-any.whl#sha256={SHA}"

[metadata]
lock-version = "@VERSION@"
python-versions = ">=3.11"
content-hash = "@HASH@"

[metadata.files]
click = [{{file = "click-8.1.3.tar.gz", hash = "sha256:{SHA}"}}]
"""
POETRY_PROJECT = """\
[tool.poetry]
name = "demo"
version = "0.1"

[tool.poetry.dependencies]
python = "^3.10"
flask = {version = "^3.0", extras = ["async"], markers = "os_name == 'posix'"}
click = [{version = "~8.1", python = "~3.11"}, {version = ">=8", optional = true}]
werkzeug = "*"
"""
PIPFILE = """\
[[source]]
name = "own"
url = "https://${USER}:$PASSWORD@own.example/simple"
verify_ssl = true

[packages]
flask = {version = ">=3.0", extras = ["async"]}
my_pkg = "*"

[requires]
python_version = "3.12"
"""
PIPFILE_LOCK = json.dumps(
    {
        "_meta": {
            "hash": {"sha256": "@HASH@"},
            "pipfile-spec": 6,
            "requires": {"python_version": "3.12", "python_full_version": "3.12.4"},
            "sources": [
                {"name": "own", "url": "https://$X@own.example/simple", "verify_ssl": True}
            ],
        },
        "default": {
            "flask": {
                "hashes": [f"sha256:{SHA}"],
                "index": "own",
                "version": "==3.1.2",
                "markers": "python_version >= '3.8' and extra == 'x'",
                "extras": ["async"],
            },
            "code": {"git": "https://git.example/x", "ref": "v1", "editable": True},
            "wheel": {"file": "https://files.example/wheel-1.0-py3-none-any.whl"},
            "folder": {"path": "./x"},
            "plain": "==1.0",
        },
        "develop": {},
    },
    indent=1,
)
SETTINGS = """\
platform = "heroku"
stack = "heroku-24"
python = "3.12"
dyno = "standard-1x"
models = ["models/*.onnx"]
allow_unsized = ["uwsgi"]
deny = ["torch", "tensorflow>=2"]

[budgets]
slug = "450M"
build = { limit = "10m", message = "too slow" }
increase_percent = 5
vulnerabilities = 0

[budgets.package]
numpy = { limit = 50_000_000, on = "slug", message = "x" }

[[ignore]]
code = "cuda-on-cpu"
subject = "torch"
reason = "known"
expires = 2027-05-26
"""
SLUGIGNORE = """\
# what the app does not need
*.md
docs/
tests/**/data/{a,b,c}*.[jJ]son
!keep.txt
**/__pycache__
[!a-c]?x\\*
../outside
a/**/b/**/c
"""
PROCFILE = "web: gunicorn app:app --workers ${WEB_CONCURRENCY:-4}\nworker:  celery -A app\n# x\nrelease  ./run\n"
PKG_INFO = """\
Metadata-Version: 2.2
Name: demo
Version: 1.0
Requires-Dist: flask (>=3.0)
Requires-Dist: numpy>=1.0 ; extra == "fast"
Provides-Extra: fast
Requires-Python: >=3.8
Classifier: x
Description-Content-Type: text/markdown

# A description
"""
METADATA = PKG_INFO.replace("2.2", "2.4").replace(
    "Classifier: x", "Classifier: x\n Content: y\nDynamic: z"
)
ENTRY_POINTS = "[console_scripts]\ndemo = demo.cli:main [fast]\n\n[gui_scripts]\nx=demo:gui\n"
SETUP_PY = """\
import os
from setuptools import setup, find_packages
with open("README.md") as f: text = f.read()
base = ["flask>=3", 'numpy ; python_version >= "3.8"']
more = base + ["click"]
kwargs = dict(name="demo", version="1.0")
kwargs["license"] = "MIT"
setup(install_requires=more, extras_require={"a": base, ":os_name=='nt'": ["x"]},
      packages=find_packages(where="src", exclude=["tests*"]), package_data={"": ["*.json", "d/**/x"]},
      entry_points={"console_scripts": ["demo = demo:main"]}, package_dir={"": "src"},
      data_files=[("share", ["x.txt"])], scripts=["bin/x"], **kwargs)
"""
SETUP_CFG = """\
[metadata]
name = demo
version = 1.0
[options]
packages = find:
install_requires =
    flask>=3 ; python_version > "3"
    numpy >= 1.0, < 2
python_requires = >=3.8
[options.extras_require]
fast = uvloop; cython
[options.package_data]
* = *.txt, d/*.json
[options.entry_points]
console_scripts =
    demo = demo:main
"""
HTML = f"""\
<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.1"><base href="/x/"></head>
<body><h1>Links for demo</h1>
<!-- a comment -->
<a href="demo-1.0-py3-none-any.whl#sha256={SHA}" data-requires-python="&gt;=3.8" data-yanked="">demo-1.0-py3-none-any.whl</a><br/>
<a href='https://files.example/demo-1.1.tar.gz#md5=0' data-dist-info-metadata="sha256={SHA}">demo-1.1.tar.gz</a>
<a href="demo-2.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"><b>x</b></a></body></html>
"""
INDEX_JSON = json.dumps(
    {
        "meta": {"api-version": "1.1"},
        "name": "demo",
        "versions": ["1.0"],
        "files": [
            {
                "filename": "demo-1.0-py3-none-any.whl",
                "url": "https://files.example/demo-1.0-py3-none-any.whl",
                "hashes": {"sha256": SHA},
                "size": 100,
                "requires-python": ">=3.8",
                "yanked": False,
                "upload-time": "2024-01-01T00:00:00.000000Z",
                "core-metadata": {"sha256": SHA},
            },
            {
                "filename": "demo-1.1.tar.gz",
                "url": "../x/demo-1.1.tar.gz",
                "hashes": {},
                "yanked": "bad",
            },
        ],
    }
)
PATHS = tuple(
    "README.md docs/a.md docs/b/c.txt tests/x/data/a1.json tests/x/data/b.Json app.py a/b/c/d/e/f "
    "a/x/b/y/c .hidden/x __pycache__/x.pyc src/__pycache__/y.pyc dx* keep.txt link up".split()
)
LINKS = {"link": "docs", "up": "../.."}
UV_SAYS = """\
  \N{MULTIPLICATION SIGN} No solution found when resolving dependencies:
  ╰─▶ Because all of: torch<2.0 torch>2.1 have no usable wheels and demo[x]==1.0 has no wheels with a
      matching Python ABI tag, and flask==3.1.2 depends on click>=8.1,<9, we can conclude that
      there is no version of six==9.9 and nothing was not found in the package registry.
  hint: Wheels are required for `numpy` because building from source is disabled for `numpy`
"""
NUMBERS = (
    "450M\n1.5 GB\n15m\n1:30\n5 %\n2026-11-23\n2026-11-23T12:00:00Z\n3.12.4\n1!2.0.post1+cpu\n0\n"
)


# --------------------------------------------------------------------------- parsers


def _zipped(files: Mapping[str, str | bytes], **how: Any) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how.get("method", zipfile.ZIP_DEFLATED)) as archive:
        archive.comment = how.get("comment", b"")
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6))
            info.compress_type = archive.compression
            with archive.open(info, "w", force_zip64=how.get("zip64", False)) as member:
                member.write(content.encode() if isinstance(content, str) else content)
    return stream.getvalue()


def _wheel(
    metadata: str | bytes = METADATA, points: str | bytes = ENTRY_POINTS, **how: Any
) -> bytes:
    info = "demo-1.0.dist-info"
    return _zipped(
        {
            "demo/__init__.py": "x = 1\n" * 30,
            "demo/b.so": bytes(range(256)),
            "demo-1.0.data/scripts/run": "#!python\n",
            f"{info}/METADATA": metadata,
            f"{info}/entry_points.txt": points,
            f"{info}/WHEEL": "Wheel-Version: 1.0\n",
            f"{info}/RECORD": "",
        },
        **how,
    )


def _in_zip64(data: bytes) -> bytes:
    """Return an archive with its end record in the zip64 form too."""
    at = data.rindex(b"PK\5\6")
    count, size, start = struct.unpack_from("<HLL", data, at + 10)
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    return data[:at] + end + struct.pack("<4sLQL", b"PK\6\7", 0, at, 1) + data[at:]


def _zip_parser() -> Parser:
    from slugcheck.model import Artifact
    from slugcheck.packages.index.client import HttpClient
    from slugcheck.packages.index.wheel import read_inventory

    client = HttpClient()

    def run(folder: Path, _: Files) -> None:
        path = folder / "demo.whl"
        artifact = Artifact(
            filename="demo-1.0-py3-none-any.whl", url=path.as_uri(), size=None, sha256=None
        )
        read_inventory(artifact, client)

    plain = _wheel()
    seeds = [
        plain,
        _wheel(zip64=True),
        _wheel(comment=b"hello"),
        _in_zip64(plain),
        _wheel(method=zipfile.ZIP_STORED),
    ]
    return Parser(
        [{"demo.whl": wheel} for wheel in seeds],
        run,
        (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7"),
        records=True,
    )


def _metadata_parser() -> Parser:
    from slugcheck.model import Artifact
    from slugcheck.packages import graph
    from slugcheck.packages.index.client import HttpClient
    from slugcheck.packages.index.wheel import read_inventory

    client, environment = HttpClient(), _environment()

    def run(folder: Path, files: Files) -> None:
        path = folder / "demo-1.0-py3-none-any.whl"
        path.write_bytes(_wheel(files["METADATA"], files["entry_points.txt"]))
        inventory = read_inventory(
            Artifact(filename=path.name, url=path.as_uri(), size=None, sha256=None), client
        )
        for line in inventory.requires_dist:
            requirement = graph.parse(line)
            if requirement is not None:
                graph.applies(requirement, environment, "fast")

    tokens = (
        b"Content-Type: multipart/mixed; boundary=x\n", b"--x\n", b"Requires-Dist: ", b"\n ",
        b"[x]\n", b" ; extra == 'a'",
    )  # fmt: skip
    return Parser(
        [{"METADATA": METADATA.encode(), "entry_points.txt": ENTRY_POINTS.encode()}], run, tokens
    )


def _requirements_parser() -> Parser:
    from slugcheck.packages.requirements import files as requirements

    def run(folder: Path, _: Files) -> None:
        requirements.read(folder / "requirements.txt", empty=True)

    seed = {
        "requirements.txt": REQUIREMENTS,
        "base.txt": BASE,
        "constraints.txt": "numpy<2\nflask==3.1.2\n",
        "more/other.txt": "six\n",
    }
    tokens = (
        b"-r base.txt\n", b"-r requirements.txt\n", b"-c constraints.txt\n", b"-e ",
        b"--hash=sha256:", b"[x]", b" ; ", b" and ", b" or ", b"python_version", b"#egg=",
        b"git+https://", b"--index-url=", b"==1,", b"@ ", b"<<<<<<<", b"-", b"--no-binary=:all:,",
        b"${",
    )  # fmt: skip
    plain = {name: text.encode() for name, text in seed.items()}
    wide = {**plain, "requirements.txt": REQUIREMENTS.encode("utf-16")}
    return Parser([plain, plain, plain, wide], run, tokens)


def _environment() -> dict[str, str]:
    from slugcheck import platforms
    from slugcheck.platforms import tags
    from slugcheck.project import target

    return tags.marker_environment(target.choose(platforms.load("heroku"), python="3.12"))


def _lock_tools() -> tuple[dict[str, str], Any, Any, Any]:
    """Return environment, tags, chooser and shelves; the index has nothing, and no network."""
    from slugcheck import platforms
    from slugcheck.model import IndexOptions
    from slugcheck.packages.index.choice import Chooser
    from slugcheck.packages.index.client import HttpClient
    from slugcheck.packages.index.pages import Pages
    from slugcheck.packages.locks.pins import Shelves
    from slugcheck.platforms import tags
    from slugcheck.project import target

    place = target.choose(platforms.load("heroku"), python="3.12")
    accepted, index = tags.supported_tags(place), IndexOptions(no_index=True)

    def pages(_: str = "") -> Pages:
        return Pages(HttpClient(offline=True), index)

    shelves = Shelves(pages(), pages)
    return (
        tags.marker_environment(place),
        accepted,
        Chooser(accepted, place.python_version, index),
        shelves,
    )


def _pylock_parser() -> Parser:
    from slugcheck.packages.locks import pylock

    environment, tags, _, _ = _lock_tools()

    def run(folder: Path, _: Files) -> None:
        pylock.read(folder / "pylock.toml", environment, tags, top=folder)

    return Parser([{"pylock.toml": PYLOCK.encode()}], run, _TOML_TOKENS)


_TOML_TOKENS = (
    b"[[package]]\n", b"[a.b]\n", b"name = ", b"version = ", b"{a = 1}", b"a.a.", b'"a".',
    b"\nfiles = [", b"'''", b"\\u0041",
)  # fmt: skip


def _uv_parser() -> Parser:
    from slugcheck.packages.locks import uv
    from slugcheck.running.child import Ended

    environment, tags, _, _ = _lock_tools()

    class Exported:
        """What uv says of a lock, which is as much a stranger's as the lock."""

        text = b""

        def in_project(self, folder: Path, arguments: Sequence[str], *, settings: Path) -> Ended:
            return Ended(code=0, out=self.text if arguments[0] == "export" else b"", err=b"")

    tool = Exported()

    def run(folder: Path, files: Files) -> None:
        tool.text = files["exported"]
        path = folder / "uv.lock"
        uv.read(path, top=folder, uv=tool, environment=environment, tags=tags)  # type: ignore[arg-type]  # plays uv

    seed = {"uv.lock": UV_LOCK, "pyproject.toml": PYPROJECT, "exported": PYLOCK}
    return Parser([{name: text.encode() for name, text in seed.items()}], run, _TOML_TOKENS)


def _poetry_parser() -> Parser:
    from slugcheck.packages.locks import poetry
    from slugcheck.packages.locks.pins import toml
    from slugcheck.packages.locks.poetry import content_hash

    environment, _, chooser, shelves = _lock_tools()

    def run(folder: Path, files: Files) -> None:
        path = folder / "pyproject.toml"
        with contextlib.suppress(SlugcheckError):
            digest = content_hash(toml(path, path.read_bytes()))
            (folder / "poetry.lock").write_bytes(
                files["poetry.lock"].replace(b"@HASH@", digest.encode())
            )
        poetry.read(
            folder / "poetry.lock",
            top=folder,
            environment=environment,
            chooser=chooser,
            shelves=shelves,
        )

    seeds = [
        {
            "poetry.lock": POETRY_LOCK.replace("@VERSION@", version).encode(),
            "pyproject.toml": project.encode(),
        }
        for version in ("2.1", "2.0")
        for project in (POETRY_PROJECT, PYPROJECT)
    ]
    return Parser(seeds, run, (*_TOML_TOKENS, b"^1", b"~", b"||", b" || ^2"))


def _pipfile_parser() -> Parser:
    from slugcheck.packages.locks import pipenv
    from slugcheck.packages.locks.pins import toml

    environment, _, chooser, shelves = _lock_tools()

    def run(folder: Path, files: Files) -> None:
        path, lock = folder / "Pipfile", folder / "Pipfile.lock"
        with contextlib.suppress(
            SlugcheckError, ValueError, AttributeError, LookupError, RecursionError, TypeError
        ):
            sources = json.loads(files["Pipfile.lock"])["_meta"]["sources"]
            digest, _ = pipenv.pipfile_hashes(toml(path, path.read_bytes()), sources)
            lock.write_bytes(files["Pipfile.lock"].replace(b"@HASH@", digest.encode()))
        pipenv.read(lock, top=folder, environment=environment, chooser=chooser, shelves=shelves)

    seed = {"Pipfile.lock": PIPFILE_LOCK.encode(), "Pipfile": PIPFILE.encode()}
    return Parser([seed], run, (*_TOML_TOKENS, b'"x": {}, ', b'"markers": ', b"$X", b"${X}"))


def _settings_parser() -> Parser:
    from slugcheck.policy import settings

    def run(folder: Path, _: Files) -> None:
        settings.load(folder, top=folder)

    wrapped = SETTINGS.replace("[[", "[[tool.slugcheck.").replace("\n[b", "\n[tool.slugcheck.b")
    return Parser(
        [
            {"slugcheck.toml": SETTINGS.encode()},
            {"pyproject.toml": f"[tool.slugcheck]\n{wrapped}".encode()},
        ],
        run,
        _TOML_TOKENS,
    )


def _platform_parser() -> Parser:
    from slugcheck import platforms

    def run(_: Path, files: Files) -> None:
        platforms.parse(files["p.toml"].decode("utf-8", "replace"), "p.toml")

    text = (Path(platforms.__file__).parent / "heroku.toml").read_bytes()
    return Parser([{"p.toml": text}], run, _TOML_TOKENS)


def _slugignore_parser() -> Parser:
    from slugcheck.project import slugignore

    def run(_: Path, files: Files) -> None:
        names = files["paths"].decode("utf-8", "replace").split("\n")
        parts = ((name, [p for p in name.split("/") if p not in ("", ".", "..")]) for name in names)
        paths = ["/".join(kept) for _, kept in parts if kept]
        tree = [
            p for p in dict.fromkeys(paths) if not any(q.startswith(f"{p}/") for q in paths[:50])
        ][:5_000]
        slugignore.removed(
            files[".slugignore"], tree, {p: t for p, t in LINKS.items() if p in tree}
        )

    seeds = [{".slugignore": SLUGIGNORE.encode(), "paths": "\n".join(PATHS).encode()}]
    tokens = (
        b"**/", b"*", b"{a,b}", b"{", b"}", b"[a-z]", b"[", b"[!", b"\\", b"/", b"../", b"#",
        b"link/", b"up/", b"?",
    )  # fmt: skip
    return Parser(seeds, run, tokens)


def _vercel_parser() -> Parser:
    from slugcheck import platforms
    from slugcheck.project import files as app_files
    from slugcheck.project import vercel

    platform = platforms.load("vercel")
    rule = platform.function
    assert rule is not None

    def ignore(_: Exception) -> None:
        """Go on, as a check does with what the build refuses."""

    def run(folder: Path, _: Files) -> None:
        title, top = platform.title, folder.resolve()
        own = vercel.read_configuration(folder, rule, title=title, top=top, refuse=ignore)
        app_files.listing(folder, buildpack=None, function=rule, own_files=own.own_files)
        vercel.requested_python(
            folder, platform, dependency_file="pyproject.toml", top=top, refuse=ignore
        )

    config = {
        "functions": {"api/*.py": {"excludeFiles": "{data,tests}/**"}, "x": {"memory": 1}},
        "builds": [{"src": "app.py", "use": "@vercel/python", "config": {"excludeFiles": "*"}}],
        "installCommand": "pip install .", "framework": None, "build": {"env": {"A": "1"}},
    }  # fmt: skip
    seeds = [{
        "vercel.json": json.dumps(config).encode(),
        ".vercelignore": SLUGIGNORE.encode(),
        ".python-version": b">=3.10,<3.14\n3.12\n",
        "pyproject.toml": b'[project]\nrequires-python = "~=3.12"\n[tool.vercel.scripts]\na = "b"\n',
        "api/a.py": b"x", "data/b.txt": b"y",
    }]  # fmt: skip
    tokens = (
        b"**/", b"*", b"{a,b}", b"{", b"}", b"[", b"]", b"!", b'"', b":", b"null", b"\\", b"{1..9}",
        b"3.12", b">=", b"~=", b"cpython@",
    )  # fmt: skip
    return Parser(seeds, run, tokens)


def _globs_parser() -> Parser:
    from slugcheck.project import globs, slugignore

    links = {f"l{n}": "/".join([f"l{n + 1}"] * 4) for n in range(16)} | {"l16": "."}
    deep = "/".join("d" * 1_500)
    tree = slugignore.Folder.of([*PATHS, deep, *links], {**LINKS, **links})

    def run(_: Path, files: Files) -> None:
        text = files["glob"].decode("utf-8", "replace")[:1_024]  # as .slugignore is held to
        budget = globs.Budget(len(PATHS))
        for pattern in globs.expanded(text, budget):
            for path in slugignore.matches(pattern, tree, budget):
                for _gone in slugignore.removed_by(path or ".", tree, budget):
                    pass

    tokens = (
        b"**/", b"*", b"{a,b}", b"{", b"}", b"[a-z]", b"[", b"[!", b"\\", b"/", b"l1/", b"l0",
        b"?", b"d/", b"*a",
    )  # fmt: skip
    seeds = [
        {"glob": pattern.encode()}
        for pattern in (*SLUGIGNORE.split("\n")[1:-1], "l0/l1/x", "**/**/*.py", "{a,{b,c}}/*")
    ]
    return Parser(seeds, run, tokens, refusals=(globs.TooCostlyError,))


def _small_parser() -> Parser:
    from slugcheck.model import Manager
    from slugcheck.project import processes, target

    def run(folder: Path, _: Files) -> None:
        processes.procfile(folder)
        for manager in (Manager.PIP, Manager.PIPENV):
            target.read_python(
                folder, title="Heroku", default="3.14", manager=manager, offered=("3.12", "3.14")
            )

    seeds = [
        {"Procfile": PROCFILE.encode(), ".python-version": b"# x\n3.12\n"},
        {"Procfile": PROCFILE.encode(), "runtime.txt": b"python-3.12.4\n"},
        {"Procfile": PROCFILE.encode(), "Pipfile.lock": PIPFILE_LOCK.encode()},
    ]
    return Parser(
        seeds,
        run,
        (b"python-", b"3.", b"web: ", b"   ", b"\xe2\x80\x80", b'"python_full_version": '),
    )


def _code_parser() -> Parser:
    from slugcheck.packages.modules import InstalledModules
    from slugcheck.project import imports, processes
    from slugcheck.project.source import Code

    packages = InstalledModules([])

    def run(folder: Path, files: Files) -> None:
        code = Code(folder=folder, top=folder.resolve(), paths=frozenset(files))
        image = folder / "Dockerfile" if "Dockerfile" in files else None
        process = processes.web_process(code, dockerfile=image)
        if process is not None:
            imports.scan(process, code, packages, minor="3.12")

    app = (
        b"import os, sys\nfrom . import a\nfrom django.core.wsgi import get_wsgi_application\n"
        b"os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'app')\n"
        b"if sys.version_info[:2] >= (3, 8):\n    import b\ntry:\n    import c\n"
        b"except ImportError:\n    c = None\nclass A(B):\n    def __init__(self):\n"
        b"        self.a = A()\n        self.f().g(x=[h])\ndef make():\n    import d\n"
        b"app = get_wsgi_application()\nINSTALLED_APPS = ['app', 'app.A']\nROOT_URLCONF = 'app'\n"
        b"make()\nimportlib.import_module('.x', package=__package__)\n"
        b"uvicorn.run('app:app', workers=2)\nmatch a:\n    case 1:\n        import e\n"
    )
    config = (
        b"import multiprocessing, os\nworkers = int(os.environ.get('WEB_CONCURRENCY', 2)) or 1\n"
        b"threads = multiprocessing.cpu_count() * 2 + 1\npreload_app = True\n"
    )
    commands = (
        b"web: A=b exec gunicorn --chdir . -c gunicorn.conf.py -w ${WEB_CONCURRENCY:-3} 'app:make()'\n",
        b"web: sh -c 'cd x; bash start.sh \"$@\" && python manage.py runserver' & python -m app\n",
        b"web: uvicorn --app-dir src --factory app:make || flask --app app run\n",
    )
    seeds = [
        {"Procfile": command, "app.py": app, "gunicorn.conf.py": config, "start.sh": b'exec "$@"\n'}
        for command in commands
    ]
    image = b'FROM a AS b\nWORKDIR /x\nCOPY . .\nFROM b\nENV A=b\nCMD ["python", "app.py"]\n'
    seeds.append({"Dockerfile": image, "app.py": app})
    tokens = (
        b"import ",
        b"from .",
        b"()",
        b"__main__",
        b"$",
        b"'",
        b"&& ",
        b"-w ",
        b"self.",
        b"\n  ",
    )
    return Parser(seeds, run, tokens)


def _sdist_parser() -> Parser:
    from slugcheck.packages.sdist.sdist import read_source

    others = (
        "src/demo/__init__.py", "src/demo/d/x.json", "demo/__init__.py", "demo/x.pyx", "LICENSE",
        "bin/x", "x.txt",
    )  # fmt: skip
    rest = dict.fromkeys(others, b"x = 1\n")

    def run(_: Path, files: Files) -> None:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name, content in {**rest, **files}.items():
                info = tarfile.TarInfo(f"demo-1.0/{name}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        read_source(stream.getvalue(), "demo-1.0.tar")

    texts = {
        "setup.py": SETUP_PY,
        "setup.cfg": SETUP_CFG,
        "pyproject.toml": PYPROJECT + POETRY_PROJECT,
        "PKG-INFO": PKG_INFO,
        "demo.egg-info/requires.txt": "flask>=3\n[fast:python_version>'3']\nuvloop\n",
        "demo.egg-info/entry_points.txt": ENTRY_POINTS,
        "demo.egg-info/top_level.txt": "demo\n",
    }
    every = {name: text.encode() for name, text in texts.items()}
    old = PKG_INFO.replace("2.2", "1.1").encode()
    seeds = [every, {"PKG-INFO": old, **{k: v for k, v in every.items() if "egg" in k}}]
    seeds += [
        {"PKG-INFO": old, name: every[name]}
        for name in ("setup.py", "setup.py", "setup.cfg", "pyproject.toml")
    ]
    tokens = (
        *_TOML_TOKENS, b"base + ", b"more, ", b"*more, ", b"**kwargs, ", b"lambda: ", b"f'{",
        b"-", b".b", b"()", b"[0]", b"if 1:\n ",
    )  # fmt: skip
    return Parser(seeds, run, tokens)


def _pages_parser() -> Parser:
    from pypi_simple import UnsupportedRepoVersionError

    from slugcheck.packages.index import pages

    def run(_: Path, files: Files) -> None:
        for name, kind in (("html", "text/html"), ("json", "application/vnd.pypi.simple.v1+json")):
            if name in files:
                for package, filename in pages._parsed(
                    files[name], kind, "", "https://index.example/simple/demo/", "demo"
                ):
                    pages._project_file(pages._listed(package, filename), "demo")

    tokens = (
        b"<a ", b"<a href='", b"</a>", b"<!--", b"<!", b"<?", b"&#", b"<base href='//['>",
        b"demo-1-", b"-py3-none-any.whl", b"a.a.",
    )  # fmt: skip
    return Parser(
        [{"html": HTML.encode()}, {"json": INDEX_JSON.encode()}],
        run,
        tokens,
        (ValueError, UnsupportedRepoVersionError),
    )


def _saved_parser() -> Parser:
    from slugcheck.model.document import saved
    from slugcheck.model.document.report import ReportDocument

    def run(folder: Path, _: Files) -> None:
        text = saved.text_of(folder / "report.json")
        if text is not None:
            saved.loads(ReportDocument, text, "report.json")

    return Parser([{"report.json": _GOLDEN.read_bytes()}], run)


def _messages_parser() -> Parser:
    from slugcheck.packages.resolve import uv

    def run(_: Path, files: Files) -> None:
        uv.understand(files["stderr"].decode("utf-8", "replace"))

    tokens = (
        b"all of: ",
        b"a=",
        b"a==1 ",
        b"have no usable wheels",
        b" was not found in ",
        b"depends on ",
    )
    return Parser([{"stderr": UV_SAYS.encode()}], run, tokens)


def _numbers_parser() -> Parser:
    from slugcheck import reading
    from slugcheck import text as units
    from slugcheck.packages.index.pages import cutoff
    from slugcheck.packages.locks.poetry import specifier
    from slugcheck.policy import limits

    functions: tuple[Callable[[str], object], ...] = (
        units.parse_size, units.parse_seconds, limits.parse_percent, limits.parse_count, cutoff,
        specifier, reading.version, reading.specifiers, reading.marker, reading.requirement,
        reading.wheel_filename, reading.sdist_filename,
    )  # fmt: skip

    def run(_: Path, files: Files) -> None:
        for line in files["numbers"].decode("utf-8", "surrogateescape").split("\n")[:20]:
            for function in functions:
                with contextlib.suppress(ValueError):
                    function(line)

    return Parser([{"numbers": NUMBERS.encode()}], run)


PARSERS: Mapping[str, Callable[[], Parser]] = {
    "zip": _zip_parser,
    "metadata": _metadata_parser,
    "requirements": _requirements_parser,
    "uv.lock": _uv_parser,
    "poetry.lock": _poetry_parser,
    "Pipfile.lock": _pipfile_parser,
    "pylock.toml": _pylock_parser,
    "settings": _settings_parser,
    "platform": _platform_parser,
    ".slugignore": _slugignore_parser,
    "vercel": _vercel_parser,
    "globs": _globs_parser,
    "small": _small_parser,
    "code": _code_parser,
    "sdist": _sdist_parser,
    "pages": _pages_parser,
    "report": _saved_parser,
    "messages": _messages_parser,
    "numbers": _numbers_parser,
}


# --------------------------------------------------------------------------- running


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what libraries say of their inputs off the screen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable()
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def fuzz(name: str, count: int, seed: int) -> Outcome:
    """Give ``count`` mutants to a parser, in this process."""
    outcome = Outcome(parser=name, kinds={})
    parser, rng = PARSERS[name](), random.Random(f"{name} {seed}")
    before_alarm = signal.signal(signal.SIGALRM, _hangs)
    shortest: Files | None = None
    with tempfile.TemporaryDirectory(prefix="slugcheck-fuzz-") as place:
        for seed_files in parser.seeds:  # what is loaded late is none of the mutants'
            _try(parser, seed_files, Path(place), outcome)
        before = _peak_mb()
        outcome.inputs = outcome.refused = 0
        outcome.slowest = 0.0
        started = time.perf_counter()
        for _ in range(count):
            files = mutated(rng, parser)
            if not _try(parser, files, Path(place), outcome) and (
                shortest is None or _size(files) < _size(shortest)
            ):
                shortest = files
        outcome.seconds = time.perf_counter() - started
    outcome.peak_mb = _peak_mb() - before
    signal.signal(signal.SIGALRM, before_alarm)
    if shortest is not None:
        outcome.shortest = tempfile.mkdtemp(prefix=f"slugcheck-fuzz-{name}-")
        _write(shortest, Path(outcome.shortest))
    return outcome


def _try(parser: Parser, files: Files, place: Path, outcome: Outcome) -> bool:
    """Give one input to a parser; return False for a crash."""
    refusals: tuple[type[Exception], ...] = (SlugcheckError, *parser.refusals)
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        _write(files, folder)
        began = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, HANGS)
        try:
            parser.run(folder, files)
        except refusals:
            outcome.refused += 1
        except (Exception, Hang) as error:
            outcome.crashes += 1
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            code = trace.tb_frame.f_code if trace else None
            where = f"{Path(code.co_filename).name}:{trace.tb_lineno}" if code and trace else ""
            kind = f"{type(error).__name__} at {where}: {str(error)[:80]!r}"
            assert outcome.kinds is not None
            outcome.kinds[kind] = outcome.kinds.get(kind, 0) + 1
            return False
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            took = time.process_time() - began
            outcome.inputs += 1
            if took > outcome.slowest:
                outcome.slowest = took
                if took > SLOW / 2:
                    keep = Path(tempfile.mkdtemp(prefix=f"slugcheck-slow-{outcome.parser}-"))
                    _write(files, keep)
                    print(f"{outcome.parser}: {took:.2f} s: {keep}", file=sys.stderr, flush=True)  # noqa: TID251 - a script
            outcome.slow += took > SLOW
    return True


def _hangs(*_: object) -> None:
    raise Hang


def _write(files: Files, folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def _size(files: Files) -> int:
    return sum(map(len, files.values()))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _in_processes(names: Sequence[str], count: int, seed: int) -> Iterator[Outcome]:
    for name in names:
        command = [
            sys.executable,
            "-m",
            "benchmarks.fuzz",
            "--worker",
            "--count",
            str(count),
            "--seed",
            str(seed),
            name,
        ]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            cwd=Path(__file__).parent.parent,
        )
        if done.returncode:
            yield Outcome(
                parser=name, crashes=1, kinds={f"the process ended with {done.returncode}": 1}
            )
        else:
            yield Outcome(**json.loads(done.stdout))


def main() -> None:
    """Fuzz the parsers that are named, or all of them; exit 1 when one crashed or was slow."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument(
        "parsers", nargs="*", metavar="PARSER", help=f"of {', '.join(PARSERS)}; default: all"
    )
    options.add_argument(
        "--count", type=int, default=COUNT, help=f"inputs for each parser, default {COUNT:,}"
    )
    options.add_argument("--seed", type=int, default=12)
    options.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    unknown = set(given.parsers) - set(PARSERS)
    if unknown:
        options.error(f"no such parser: {', '.join(sorted(unknown))}")
    if given.worker:
        os.environ["USER"] = "someone"
        with quiet():
            print(json.dumps(vars(fuzz(given.parsers[0], given.count, given.seed))))
        return
    print(
        f"{'parser':<14}{'inputs':>9}{'refused':>9}{'crashes':>9}{'slowest':>10}{'over 1 s':>10}{'peak MB':>9}{'ms each':>9}"
    )
    failed = False
    for outcome in _in_processes(given.parsers or list(PARSERS), given.count, given.seed):
        milliseconds = outcome.seconds * 1000 / max(1, outcome.inputs)
        print(
            f"{outcome.parser:<14}{outcome.inputs:>9,}{outcome.refused:>9,}{outcome.crashes:>9,}"
            f"{outcome.slowest:>8.2f} s{outcome.slow:>10}{outcome.peak_mb:>9.0f}{milliseconds:>9.2f}",
            flush=True,
        )
        for kind, times in sorted((outcome.kinds or {}).items(), key=lambda item: -item[1]):
            print(f"    {times} x {kind}")
        if outcome.shortest:
            print(f"    the shortest input: {outcome.shortest}")
        failed = failed or bool(outcome.crashes or outcome.slow)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()

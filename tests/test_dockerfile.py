"""Dockerfiles as BuildKit reads them, ``.dockerignore``, and what the commands of RUN install."""

from __future__ import annotations

import pytest

from slugcheck.errors import UsageError
from slugcheck.model import Manager
from slugcheck.project import dockerfile, dockerignore
from slugcheck.project.globs import Budget
from slugcheck.project.install_commands import Install, Surroundings, read

# --------------------------------------------------------------------------- the file


def instructions(text: str, stage: int = -1) -> list[tuple[str, str]]:
    return [(i.name, i.text) for i in dockerfile.parse(text).stages[stage].instructions]


def test_lines_go_on_over_comments_and_empty_lines() -> None:
    text = "FROM a\nRUN pip install \\\n  # why\n\n  flask \\  \n  gunicorn\nCMD x\n"
    assert instructions(text) == [("RUN", "pip install   flask   gunicorn"), ("CMD", "x")]


def test_the_escape_directive_changes_the_character() -> None:
    text = "# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN a `\n b\nRUN c \\\n"
    assert instructions(text) == [("RUN", "a  b"), ("RUN", "c \\")]
    assert (
        dockerfile.parse("# a comment\n# escape=`\nFROM a\nRUN x `\n")
        .stages[0]
        .instructions[0]
        .text
        == "x `"
    )  # after a comment it is one itself


def test_a_here_document_is_one_instruction() -> None:
    text = (
        "FROM a\nRUN <<EOF\npip install flask\nFROM nothing\nEOF\nCOPY <<-'X' /a.txt\n\thi\n\tX\n"
    )
    first, second = dockerfile.parse(text).stages[0].instructions
    assert first.heredocs[0].text == "pip install flask\nFROM nothing"
    assert (second.heredocs[0].text, second.heredocs[0].expands) == ("hi", False)


def test_stages_have_names_numbers_and_platforms() -> None:
    text = (
        "ARG V=3.12\nARG VARIANT\nFROM --platform=linux/arm64 python:${V}-slim AS Build\n"
        "FROM python:${V:-3.9}${VARIANT:+-$VARIANT}\nFROM build\nFROM python:$MISSING\n"
    )
    parsed = dockerfile.parse(text)
    assert [stage.base for stage in parsed.stages] == [
        "python:3.12-slim", "python:3.12", "build", None,
    ]  # fmt: skip
    assert parsed.stages[0].platform == "linux/arm64"
    assert parsed.find("BUILD", before=2) == 0
    assert parsed.find("1", before=2) == 1
    assert parsed.find("1", before=1) is None


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("${A:-$MISSING}", "1"), ("${B:-$MISSING}", None), ("${A:+$MISSING}", None),
        ("${B:+$MISSING}x", "x"), ("${B:-$A}", "1"), ("${B:?gone}", None),
    ],
)  # fmt: skip
def test_only_the_words_that_a_base_uses_must_be_known(written: str, base: str | None) -> None:
    assert dockerfile.parse(f"ARG A=1\nFROM {written}\n").stages[0].base == base


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no FROM"),
        ("RUN x\n", "Dockerfile:1: RUN stands before FROM"),
        ("FROM a\n\nINSTALL flask\n", "Dockerfile:3: unknown instruction 'INSTALL'"),
        ("FROM a b c\n", "Dockerfile:1: FROM needs an image"),
    ],
)
def test_what_docker_would_refuse_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        dockerfile.parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A-x", "1-x"), ("${A}", "1"), ("${B:-2}", "2"), ("${A:-2}", "1"), ("${A:+y}", "y"),
        ("${B:+y}", ""), ("${B:-${A}}", "1"), ("${EMPTY:-d}", "d"), ("${EMPTY-d}", ""),
        ("'a b'", "a b"), ("\\$A", "$A"), ("${B:?no}", None), ("${A#p}", None), ("${A", None),
    ],
)  # fmt: skip
def test_variables(text: str, value: str | None) -> None:
    assert dockerfile.expand(text, {"A": "1", "EMPTY": ""}) == value


def test_hostile_files_are_cheap() -> None:
    nested = "ARG A0=xxxxxxxx\n" + "".join(f"ARG A{n}=$A{n - 1}$A{n - 1}\n" for n in range(1, 1000))
    assert dockerfile.parse(f"{nested}FROM $A999\n").stages[0].base is None
    assert dockerfile.parse("FROM " + "${A:-" * 50_000).stages[0].base is None
    long = "FROM a\nRUN a \\\n" + "b \\\n" * 100_000
    assert len(dockerfile.parse(long).stages[0].instructions) == 1
    with pytest.raises(UsageError, match="more than 5,000 instructions"):
        dockerfile.parse("FROM a\n" + "RUN x\n" * 100_000)
    with pytest.raises(UsageError, match="more than 200 stages") as caught:
        dockerfile.parse("FROM a\n" * 4_000)
    assert caught.value.hint == "use fewer of them"  # Docker has no such bound


# --------------------------------------------------------------------------- .dockerignore


@pytest.mark.parametrize(
    ("text", "excluded", "kept"),
    [
        ("docs\n", ["docs", "docs/a/b"], ["a/docs", "docs2"]),
        ("**/docs\n", ["docs", "a/docs/b"], ["a/mydocs"]),
        ("*.pyc\n**/*.log\n", ["a.pyc", "x/y.log", "y.log"], ["b/a.pyc"]),
        ("*\n!src\n!*.toml\n", ["a.py", "lib/a.py"], ["src/a.py", "pyproject.toml"]),
        ("src\n!src/keep\n", ["src/a"], ["src/keep", "src/keep/b"]),
        ("/a\n./b\nc/\n", ["a", "b/x", "c/x"], ["x/a"]),
        ("a/**/z\n", ["a/z", "a/b/c/z"], ["z", "a/b"]),
        ("a/**\n", ["a/b"], ["a", "b"]),
        ("t?mp\n[a-c]1\n[^x]9\n", ["temp", "b1", "y9"], ["teemp", "d1", "x9"]),
        ("[!x]9\n", ["!9", "x9"], ["y9"]),  # not a negation here, unlike in .gitignore
        ("**\n!.env\n", ["a", "a/b", ".env.local"], [".env"]),
        ("a/**/b/**/c\n", ["a/b/c", "a/x/b/y/c/z"], ["a/c", "b/c"]),
        ("# comment\n\n  spaced  \n", ["spaced"], ["# comment"]),
        ("a\\*b\n", ["a*b"], ["axb"]),
    ],
)
def test_docker_s_own_rules(text: str, excluded: list[str], kept: list[str]) -> None:
    patterns, _ = dockerignore.parse(text)
    budget = Budget()
    paths = [*excluded, *kept]
    assert [path for path in paths if patterns.excludes(path.split("/"), budget)] == excluded


def test_patterns_that_would_backtrack_are_cheap() -> None:
    patterns, beyond = dockerignore.parse("**/a/" * 16 + "x\n" + "*a" * 400 + "b\n" + "x\n" * 2_000)
    assert beyond == 1_002
    assert [dockerignore.parse("x" * length)[1] for length in (1_024, 1_025)] == [0, 1]
    assert not patterns.excludes(("a/" * 2_000 + "a" * 250).split("/"), Budget())


# --------------------------------------------------------------------------- RUN


def installs(text: str, **values: str) -> list[Install]:
    where = Surroundings(values=values, workdir="/app")
    return read(text, where, line=7).installs


def only(text: str, **values: str) -> Install:
    (install,) = installs(text, **values)
    return install


def test_pip_install_takes_files_names_and_projects() -> None:
    one = only("pip3 install --no-cache-dir -r req/prod.txt 'flask==3.0' gunicorn[gevent]")
    assert one.files == ("/app/req/prod.txt",)
    assert one.names == ("flask==3.0", "gunicorn[gevent]")
    assert (one.location, one.line, one.manager) == ("/usr/local", 7, Manager.PIP)
    assert only("python -m pip install -e .[web,dev]").projects == (("/app", ("web", "dev")),)
    assert only("pip install -rrequirements.txt").files == ("/app/requirements.txt",)


@pytest.mark.parametrize(
    ("text", "values", "compiles", "caches"),
    [
        ("pip install flask", {}, True, True),
        ("pip install --no-cache-dir --no-compile flask", {}, False, False),
        ("pip install flask", {"PIP_NO_CACHE_DIR": "off", "PIP_NO_COMPILE": "1"}, False, False),
        # pip compiles by itself, whatever Python is told about imports
        ("pip install flask", {"PYTHONDONTWRITEBYTECODE": "1"}, True, True),
        ("PIP_NO_CACHE_DIR=1 pip install flask", {}, True, False),
        ("pip install flask && rm -rf /root/.cache", {}, True, False),
        ("pip install flask && pip cache purge", {}, True, False),
        ("pip install flask; find / -name '*.pyc' -delete", {}, False, True),
        ("uv pip install --system flask", {}, False, False),
        ("uv pip install --system flask", {"UV_COMPILE_BYTECODE": "1"}, True, False),
    ],
)
def test_bytecode_and_cache(
    text: str, values: dict[str, str], compiles: bool, caches: bool
) -> None:
    one = only(text, **values)
    assert (one.compiles, one.caches) == (compiles, caches)


def test_a_cache_mount_keeps_the_cache_out_of_the_layer() -> None:
    where = Surroundings(values={}, workdir="/")
    found = read("pip install flask", where, line=1, mounts=["/root/.cache/pip"])
    assert not found.installs[0].caches


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("python -m venv /opt/venv && /opt/venv/bin/pip install flask", "/opt/venv"),
        ("python -m venv venv; . venv/bin/activate; pip install flask", "/app/venv"),
        ("pip install --prefix=/install flask", "/install"),
        ("pip install -t /deps flask", "/deps"),
        ("pip install --user flask", "/root/.local"),
        ("cd /srv && uv sync --frozen", "/srv/.venv"),
        ("uv pip install flask", "/app/.venv"),
        ("uv pip install --system flask", "/usr/local"),
        ("UV_SYSTEM_PYTHON=1 uv pip install flask", "/usr/local"),
    ],
)
def test_where_the_packages_go(text: str, location: str) -> None:
    assert only(text).location == location


def test_locks_have_groups_and_extras() -> None:
    one = only("uv sync --frozen --no-dev --group prod --extra web")
    assert (one.groups, one.extras, one.development) == (("prod",), ("web",), False)
    assert only("uv sync").development
    assert not only("poetry install --no-root --only main").development
    assert only("poetry install").development
    assert only("poetry install --without dev,test").manager is Manager.POETRY
    assert only("pipenv install --system --deploy").location == "/usr/local"


CONDITION = 'if [ "$DEV" = 1 ]; then poetry install; else poetry install --only main; fi'


@pytest.mark.parametrize(
    ("text", "values", "development", "said"),
    [
        (CONDITION, {"DEV": "1"}, [True], False),
        (CONDITION, {"DEV": "0"}, [False], False),
        (CONDITION, {}, [False], True),  # the else branch, and a note
        ("if test -n \"$DEV\"; then pip install -r dev.txt; fi", {"DEV": ""}, [], False),
        ("if [ -f dev.txt ]; then pip install -r dev.txt; fi", {}, [], True),
        ("if [ a = b ]; then x; elif [ a = a ]; then uv sync --no-dev; else uv sync; fi", {},
         [False], False),
    ],
)  # fmt: skip
def test_conditions(text: str, values: dict[str, str], development: list[bool], said: bool) -> None:
    found = read(text, Surroundings(values=values, workdir="/app"), line=1)
    assert [one.development for one in found.installs] == development
    assert bool(found.conditional) is said


def test_what_is_not_understood_is_handed_back() -> None:
    where = Surroundings(values={}, workdir="/app")
    text = "set -eux; apt-get install -y --no-install-recommends libpq5 && python manage.py check"
    found = read(text, where, line=1)
    assert found.system == ["libpq5"]
    assert found.others == ["python manage.py check"]
    assert read("echo 'open", where, line=1).others == ["echo 'open"]
    assert only("pip install -r $FILE").unknown


@pytest.mark.parametrize(
    ("text", "uv", "others"),
    [
        ("curl -LsSf https://astral.sh/uv/install.sh | sh", True, 0),
        ("curl -o model.bin https://h.example/model.bin", False, 1),
    ],
)
def test_a_download_is_uv_or_not_understood(text: str, uv: bool, others: int) -> None:
    found = read(text, Surroundings(values={}, workdir="/app"), line=1)
    assert (found.uv, len(found.others)) == (uv, others)

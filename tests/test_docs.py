"""The documentation names what exists: commands, options, tests, settings, pages, files."""

from __future__ import annotations

import ast
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from benchmarks.architecture import layer, modules
from slugcheck import errors, platforms
from slugcheck.commands.group import cli
from slugcheck.model import Report
from slugcheck.model.comparison import Comparison
from slugcheck.model.document.report import ReportDocument
from slugcheck.policy import settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
ENTRY_PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Options in the text that belong to other programs: pip, git, mkdocs, the example's script, Python
OTHERS = {
    "--no-compile", "--strict", "--torch", "--screens", "--only-binary",
    "--target", "--from", "--exclude", "--compile", "--no-cache-dir",  # of a Dockerfile's commands
}  # fmt: skip


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def parsed(name: str) -> click.Command:
    command = import_module(f"slugcheck.commands.{name}").command
    assert isinstance(command, click.Command)
    return command


def options(command: click.Command) -> set[str]:
    context = click.Context(command, help_option_names=["-h", "--help"])
    found = (
        {*param.opts, *param.secondary_opts}
        for param in command.get_params(context)
        if isinstance(param, click.Option)
    )
    return set().union(*found)


COMMANDS = {name: parsed(name) for name in cli.list_commands(click.Context(cli))}
EVERY_OPTION = set().union(*map(options, COMMANDS.values())) | {"--version", "-V"}


def blocks(path: Path, language: str) -> Iterator[str]:
    return (body for kind, body in BLOCK.findall(text(path)) if kind == language)


def command_lines(path: Path) -> Iterator[list[str]]:
    """Yield the words after ``slugcheck`` of every command in a console block."""
    for body in blocks(path, "console"):
        for line in body.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|", line.strip().removeprefix("$ ")):
                if re.match(r"\s*slugcheck\s", part):
                    yield shlex.split(part, comments=True)[1:]


# --------------------------------------------------------------------------- commands, options


@pytest.mark.parametrize("path", [*ENTRY_PAGES, *PAGES], ids=lambda path: path.name)
def test_every_command_line_takes_its_options(path: Path) -> None:
    for words in command_lines(path):
        name = words[0] if words[0] in COMMANDS else "check"
        given = {word.split("=")[0] for word in words if word.startswith("--")}
        assert given <= options(COMMANDS[name]), words


@pytest.mark.parametrize("path", [*ENTRY_PAGES, *PAGES], ids=lambda path: path.name)
def test_every_option_in_the_text_exists(path: Path) -> None:
    spans = re.findall(r"`([^`\n]+)`", text(path))
    named = {word for span in spans for word in re.findall(r"(?<![\w-])--[a-z][a-z-]*", span)}
    assert named <= EVERY_OPTION | OTHERS


def test_every_command_and_option_that_matters_is_documented() -> None:
    everything = "".join(map(text, PAGES))
    assert not [name for name in COMMANDS if f"slugcheck {name}" not in everything]
    new = ("--timeout", "--env", "--settings", "--remote-models", "--verify", "--build")
    assert not [option for option in new if option not in everything]


# --------------------------------------------------------------------------- the README


def test_the_readme_is_short_and_has_two_commands() -> None:
    readme = text(ROOT / "README.md")
    assert len(readme.splitlines()) <= 250
    assert "python -m pip install . && slugcheck " in readme
    marked = re.search(r"<!-- test command -->\n```console\n(.+)\n```", readme)
    assert marked is not None
    assert marked[1].endswith("python -m pytest")


@pytest.mark.network
def test_the_first_command_of_the_readme_runs_the_main_job() -> None:
    first = re.search(r"pip install \. && slugcheck (\S+)\n", text(ROOT / "README.md"))
    assert first is not None
    done = subprocess.run(
        [sys.executable, "-m", "slugcheck", first[1]],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "network" in done.stderr or "cannot be reached" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    assert "Heroku" in done.stdout


# --------------------------------------------------------------------------- pages, links


@pytest.mark.parametrize("name", ["platforms.md", "settings.md"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    pages = runpy.run_path(str(DOCS / "generate.py"))["pages"]()
    assert text(DOCS / name) == pages[name], "run `python docs/generate.py`"


def test_estimated_sizes_are_marked_on_the_page_of_platforms() -> None:
    page = text(DOCS / "platforms.md")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `python:")]
    disk, pull = ({row[0].strip("| `"): row[at] for row in rows} for at in (3, 5))
    assert disk["python:3.12"] == "1,110.0"
    assert disk["python:3.13"] == "≈ 1,110.0"  # as large as 3.12
    assert disk["python:3.13-alpine"][0] == "4"
    assert pull["python:3.13-alpine"][0] == "≈"  # by the usual share
    assert "not measured: the figures of 3.13 stand in" in page
    assert " of the slug (" not in page  # most platforms have no slug


@pytest.mark.parametrize("path", [*ENTRY_PAGES, *PAGES], ids=lambda path: path.name)
def test_links_lead_to_files(path: Path) -> None:
    for link in LINK.findall(text(path)):
        if "://" not in link and not link.startswith("#"):
            assert (path.parent / link.split("#")[0]).is_file(), link


def test_every_page_is_in_the_navigation() -> None:
    nav = yaml.safe_load(text(ROOT / "mkdocs.yml"))["nav"]

    def leaves(entry: Any) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        for value in entry.values() if isinstance(entry, dict) else ():
            for inner in value if isinstance(value, list) else [value]:
                yield from leaves(inner)

    listed = [leaf for entry in nav for leaf in leaves(entry)]
    assert sorted(listed) == [path.name for path in PAGES]


# --------------------------------------------------------------------------- what the pages say


def test_the_threat_model_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text(DOCS / "security.md"))
    assert named
    for path, test in named:
        tree = ast.parse(text(ROOT / path))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert test in functions, f"{path}::{test}"


def test_the_architecture_page_names_every_entry_of_the_package() -> None:
    page = text(DOCS / "architecture.md")
    for entry in {layer(module) for module in modules(ROOT)}:
        assert f"`{entry}.py`" in page or f"`{entry}/`" in page, entry


def test_files_that_the_architecture_page_points_to_exist() -> None:
    section = text(DOCS / "architecture.md").partition("## Where is")[2].partition("\n## ")[0]
    named = re.findall(r"`([\w/-]+\.(?:py|toml))`", section)
    assert named
    for name in named:
        assert (ROOT / "slugcheck" / name).is_file(), name


def test_every_name_of_a_report_is_on_the_json_page() -> None:
    page = text(DOCS / "json.md")
    names = ReportDocument.__struct_fields__
    assert not [name for name in names if f"`{name}`" not in page]


@pytest.mark.parametrize("path", [*ENTRY_PAGES, *PAGES], ids=lambda path: path.name)
def test_settings_in_the_pages_are_accepted(path: Path, tmp_path: Path) -> None:
    for number, body in enumerate(blocks(path, "toml")):
        if body.startswith("name = "):
            platforms.parse(body, path.name)
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "slugcheck.toml").write_text(body)
        loaded = settings.load(folder)
        assert loaded.origin is not None
        assert set(tomllib.loads(body)) <= {*settings._PLAIN, *settings._TABLES}


def test_the_api_page_names_fields_and_errors_that_exist() -> None:
    page = text(DOCS / "api.md")
    assert set(re.findall(r"\breport\.(\w+)", page)) <= set(dir(Report))
    assert set(re.findall(r"\bcomparison\.(\w+)", page)) <= set(dir(Comparison))
    rows = re.findall(r"^\| (`\w+Error`.*?) \| .+ \| (\d) \|$", page, re.MULTILINE)
    assert rows
    for names, code in rows:
        for name in re.findall(r"`(\w+)`", names):
            assert getattr(errors, name).exit_code == int(code), name


# --------------------------------------------------------------------------- shell completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_a_completion_script_and_answers(shell: str) -> None:
    script = Path(sys.executable).parent / "slugcheck"
    if not script.exists():
        pytest.skip("slugcheck is not installed beside this Python")

    def answer(instruction: str, **more: str) -> str:
        environment = os.environ | {"_SLUGCHECK_COMPLETE": f"{shell}_{instruction}"} | more
        done = subprocess.run(
            [str(script)], env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    if shell != "bash":  # which starts bash to learn its version
        assert "slugcheck" in answer("source")
    words = "slugcheck check --plat"
    current = "--plat" if shell == "fish" else "2"  # Fish gives the word, others its number
    assert "--platform" in answer("complete", COMP_WORDS=words, COMP_CWORD=current)

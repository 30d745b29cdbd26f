"""``.vercelignore`` held against git, and ``excludeFiles`` against what minimatch matches."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from slugcheck.errors import UsageError
from slugcheck.project.globs import Budget, TooCostlyError
from slugcheck.project.vercelignore import Exclusion, FunctionFiles, IgnoreFile, excluded

PATHS = (
    "app.py", "a.log", "docs/a.md", "docs/b/c.md", "docs/b/keep.md", "src/docs/x.md", "src/a.log",
    "src/lib/deep/x.py", "lib/x.py", "#odd", "!odd", "with space ", "a/b/c/d/e.txt", "a/x/e.txt",
    ".env", "dir/.hidden/x", "[x]/y", "foo*bar/z", "back\\slash", "tests/test_a.py",
    "x/tests/test_b.py", "data.json/inner.txt", "build/out.bin", "sub/build/out.bin",
)  # fmt: skip
FILES = (
    "docs\n", "docs/\n", "/docs\n", "docs/*\n", "docs/**\n", "**/docs\n", "*.log\n", "/*.log\n",
    "src/**/x.py\n", "src/**\n!src/a.log\n", "docs/*\n!docs/b\n", "docs\n!docs/b/keep.md\n",
    "*\n!app.py\n", "*\n!*/\n!*.py\n", "\\#odd\n", "\\!odd\n", "#odd\n", "!odd\n",
    "with space\\ \n",
    "with space \n", "a/**/e.txt\n", "**/e.txt\n", "a/*/e.txt\n", "a/b/**/c\n", ".*\n", "[x]\n",
    "\\[x\\]\n", "foo\\*bar\n", "[!d]*\n", "[a-c]/\n", "?pp.py\n", "tests/\n", "/tests/\n",
    "data.json/\n", "data.json\n", "build/\n!sub/build/\n", "lib\n!src/lib\n", "a/b\n", "b/c\n",
    "*.md\n!docs/b/*.md\n", "  \n\n# x\napp.py  \n", "**\n", "**/\n", "/**\n", "src/*\n!src/lib/\n",
    "app.py\r\na.log\r\n", "docs//b\n", "a/**/**/e.txt\n",
)  # fmt: skip


def by_git(folder: Path, patterns: str) -> set[str]:
    """What git would leave out, by a file of exactly these patterns."""
    (folder / "rules").write_text(patterns, newline="")
    command = ["git", "-c", "core.quotePath=false", "-c", "core.excludesFile=", "ls-files", "-z",
               "--others", "--ignored", "--exclude-from=rules"]  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return {os.fsdecode(name) for name in done.stdout.split(b"\0") if name} - {"rules"}


def ours(patterns: str) -> set[str]:
    rules = IgnoreFile((), patterns.encode(), ".vercelignore", len(PATHS))
    return {path for path in PATHS if rules.ignored(path) is not None}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    subprocess.run(["git", "init", "-q", str(folder)], check=True, capture_output=True)
    for path in PATHS:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x")
    return folder


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@needs_git
@pytest.mark.parametrize("patterns", FILES)
def test_the_files_left_out_are_those_that_git_leaves_out(tree: Path, patterns: str) -> None:
    assert ours(patterns) == by_git(tree, patterns)


@needs_git
def test_random_patterns_leave_out_what_git_does(tree: Path) -> None:
    chooser = random.Random(7)
    pieces = ("docs", "src", "b", "a", "*", "**", "*.md", "x", "lib", "e.txt", "?", "t*", "[a-d]*")
    for _ in range(60):
        lines = []
        for _ in range(chooser.randint(1, 4)):
            parts = "/".join(chooser.choices(pieces, k=chooser.randint(1, 4)))
            start, end = chooser.choice(("", "", "/", "!")), chooser.choice(("", "", "/"))
            lines.append(f"{start}{parts}{end}")
        patterns = "\n".join(lines) + "\n"
        assert ours(patterns) == by_git(tree, patterns), patterns


def test_case_does_not_matter_and_a_leading_dot_slash_is_dropped() -> None:
    rules = IgnoreFile((), b"DOCS\n./App.py\n", ".vercelignore", 3)
    assert rules.ignored("docs/a.md") is not None
    assert rules.ignored("app.py") is not None
    assert rules.ignored("src/app.py") is not None
    assert rules.ignored("b.py") is None


def test_the_projects_own_rules_come_after_the_platforms() -> None:
    rules = IgnoreFile(("node_modules", ".env.local"), b"!.env.local\n", ".vercelignore", 3)
    assert rules.ignored(".env.local") is None
    rule = rules.ignored("web/node_modules/x.js")
    assert rule is not None
    assert rule.line == 0


def test_a_rule_says_its_line() -> None:
    rule = IgnoreFile(("x",), b"# a\n\ndocs/\n", ".vercelignore", 1).ignored("docs/a.md")
    assert rule is not None
    assert (rule.line, rule.text) == (3, "docs/")


# --------------------------------------------------------------------------- exclusions


@pytest.mark.parametrize(
    ("glob", "left"),
    [
        ("docs/**", {"docs/a.md", "docs/b/c.md", "docs/b/keep.md"}),
        ("docs", set()),  # a folder's name alone excludes no file
        ("docs/*", {"docs/a.md"}),
        ("**/docs/**", {"docs/a.md", "docs/b/c.md", "docs/b/keep.md", "src/docs/x.md"}),
        ("*.log", {"a.log"}),
        ("**/*.log", {"a.log", "src/a.log"}),
        ("{lib,tests}/**", {"lib/x.py", "tests/test_a.py"}),
        ("{lib/**,app.{py,js}}", {"lib/x.py", "app.py"}),
        ("a/**/e.txt", {"a/b/c/d/e.txt", "a/x/e.txt"}),
        ("dir/**", {"dir/.hidden/x"}),
        ("*env", {".env"}),
        ("[!a-z]env", {".env"}),
        ("/docs/**", set()),
        ("./docs/**", set()),
        ("DOCS/**", set()),
        ("?pp.py", {"app.py"}),
    ],
)
def test_a_glob_excludes_what_minimatch_matches(glob: str, left: set[str]) -> None:
    one = Exclusion(glob, Budget(len(PATHS)))
    assert not one.refused
    assert {path for path in PATHS if one.matches(path)} == left


@pytest.mark.parametrize(
    "glob", ["!(a)/**", "+(a|b)", "@(a)", "a{1..3}", "!docs/**", "#x", "x" * 9999]
)
def test_what_is_not_read_is_refused_and_excludes_nothing(glob: str) -> None:
    one = Exclusion(glob, Budget(len(PATHS)))
    assert one.refused
    assert not any(one.matches(path) for path in PATHS)


def test_patterns_of_many_stars_do_not_take_ages() -> None:
    name = "a" * 200
    glob = "/".join(["*a" * 60 + "b"] * 20)
    one = Exclusion(glob, Budget())
    assert not one.matches("/".join([name] * 20))
    rules = IgnoreFile((), ("*a" * 60 + "b\n").encode() * 50, ".vercelignore", 1)
    assert rules.ignored("/".join([name] * 20)) is None


def test_a_budget_ends_what_is_too_much() -> None:
    with pytest.raises(TooCostlyError):
        Exclusion("{a,b}" * 25, Budget())
    with pytest.raises(UsageError, match="takes too long to match"):
        excluded({"app.py": 1}, (), [FunctionFiles(function="*.py", glob="{a,b}" * 25)], "v.json")
    rules = IgnoreFile((), b"/".join([b"**/a"] * 800) + b"\n", ".vercelignore", 0)
    with pytest.raises(UsageError, match="takes too long to match"):
        _ = [rules.ignored("/".join(["a"] * 100) + f"/{n}") for n in range(20_000)]
    names = IgnoreFile((), b"name\n" * 1_000, ".vercelignore", 0)
    with pytest.raises(UsageError, match="takes too long to match"):
        _ = [names.ignored(f"{n}") for n in range(2_000)]

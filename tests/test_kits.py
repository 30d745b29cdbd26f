"""The kits for CI: the GitHub Action's own scripts run here, the others are held against git."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import stock
from tests.support.github import REPOSITORY, TOKEN, GithubServer, Mood
from tests.support.server import PackageServer

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}


def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it() -> None:
    used = re.findall(r"uses: (\S+)(.*)", (ROOT / "action.yml").read_text())
    assert used
    for name, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+(/[\w-]+)?@[0-9a-f]{40}", name)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)


def test_no_script_has_an_expression_in_it() -> None:
    """A branch's name would be run as a command."""
    for step in STEPS.values():
        assert "${{" not in step.get("run", "")


def test_the_documentation_shows_the_least_permissions() -> None:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert "contents: read" in text
    assert "pull-requests: write" in text
    shown = re.findall(r"uses: (actions/\S+)", text)
    assert shown
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one) for one in shown)


# --------------------------------------------------------------------------- the action, run


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main")
    command = ["git", *who, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Runner:
    """What GitHub's runner does with the scripts: variables, files for outputs, bash."""

    def __init__(self, folder: Path, checkout: Path, github: GithubServer, base: str) -> None:
        self.folder = folder
        self.checkout = checkout
        self.summary = folder / "summary.md"
        self._output = folder / "output.txt"
        (folder / "temp" / "slugcheck" / "bin").mkdir(parents=True)
        program = shutil.which("slugcheck", path=str(Path(sys.executable).parent))
        if program is None:
            pytest.skip("slugcheck is not installed beside this Python")
        (folder / "temp" / "slugcheck" / "bin" / "slugcheck").symlink_to(program)
        event = folder / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": 7, "base": {"sha": base}}}))
        self.environment = os.environ | {
            "RUNNER_TEMP": str(folder / "temp"), "GITHUB_OUTPUT": str(self._output),
            "GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_EVENT_PATH": str(event),
            "GITHUB_WORKSPACE": str(checkout), "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": github.url, "BASE_SHA": base,
        }  # fmt: skip

    def run(self, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a step's script."""
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", STEPS[name]["run"]],
            cwd=self.checkout, env=self.environment | variables, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    @property
    def outputs(self) -> dict[str, str]:
        lines = self._output.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def github() -> Iterator[GithubServer]:
    with GithubServer() as found:
        yield found


@pytest.fixture
def runner(
    tmp_path: Path, package_server: PackageServer, github: GithubServer, private_caches: Any
) -> Runner:
    """A shallow checkout of a branch that adds a heavy package, as a workflow has it."""
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init")
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    (origin / ".python-version").write_text("3.12\n")
    (origin / "requirements.txt").write_text("webapp==1.0\n")
    git(origin, "add", ".")
    git(origin, "commit", "-m", "base")
    base = git(origin, "rev-parse", "HEAD")
    git(origin, "switch", "-c", "branch")
    (origin / "requirements.txt").write_text("webapp==1.0\nheavy==5.0\n")
    git(origin, "commit", "-am", "heavier")
    checkout = tmp_path / "checkout"
    git(tmp_path, "clone", "--depth=1", "--branch=branch", origin.as_uri(), str(checkout))
    index = stock.fill(package_server)
    found = Runner(tmp_path / "runner", checkout, github, base)
    found.environment["PIP_INDEX_URL"] = index.index_url
    return found


def whole(runner: Runner, args: str) -> tuple[subprocess.CompletedProcess[str], int]:
    """Check, comment, gate, as the action does; what the check said, and how the job ends."""
    checked = runner.run("Check", CHECK_PATH=".", CHECK_AGAINST="", CHECK_ARGS=args)
    assert checked.returncode == 0, checked.stderr
    code = runner.outputs["exit-code"]
    done = runner.run("Comment", GITHUB_TOKEN=TOKEN, COMMENT_KEY="report", EXIT_CODE=code)
    assert done.returncode == 0, done.stderr
    gate = runner.run("Gate", EXIT_CODE=code)
    return checked, gate.returncode


@pytest.mark.slow
def test_a_heavier_branch_fails_after_its_comment_was_written(
    runner: Runner, github: GithubServer
) -> None:
    checked, code = whole(runner, "--limit=increase=1MB\n--quiet")
    assert code == 1, checked.stderr
    (comment,) = github.comments
    assert "heavy" in comment["body"]
    assert "::error" in checked.stdout
    assert "heavy" in runner.summary.read_text()
    again = whole(runner, "--limit=increase=10MB\n--quiet")
    assert again[1] == 0
    assert len(github.comments) == 1  # edited


@pytest.mark.slow
def test_a_fork_that_may_not_comment_has_the_summary_and_the_same_verdict(
    runner: Runner, github: GithubServer
) -> None:
    github.mood = Mood.READ_ONLY
    _, code = whole(runner, "--limit=increase=10MB")
    assert (code, github.comments) == (0, [])
    assert "heavy" in runner.summary.read_text()


@pytest.mark.slow
def test_a_github_that_is_unwell_fails_no_build(runner: Runner, github: GithubServer) -> None:
    github.mood = Mood.ERROR
    assert whole(runner, "")[1] == 0


@pytest.mark.slow
def test_what_cannot_be_measured_ends_with_its_own_code_and_no_comment(
    runner: Runner, github: GithubServer
) -> None:
    (runner.checkout / "requirements.txt").write_text("not-there==1.0\n")
    checked, code = whole(runner, "")
    assert code == 3
    assert "not-there" in checked.stderr
    assert github.comments == []


def test_an_option_with_blanks_or_commands_in_it_stays_one_argument(runner: Runner) -> None:
    marker = runner.folder / "ran"
    checked = runner.run(
        "Check", CHECK_PATH=f"$(touch {marker})", CHECK_AGAINST="none",
        CHECK_ARGS=f"--model=a b; touch {marker}",
    )  # fmt: skip
    assert checked.returncode == 0
    assert runner.outputs["exit-code"] == "2"
    assert not marker.exists()


@pytest.mark.slow
def test_a_check_that_could_not_measure_takes_an_older_verdict_back(
    runner: Runner, github: GithubServer
) -> None:
    assert whole(runner, "")[1] == 0
    assert "FITS" in github.comments[0]["body"]
    (runner.checkout / "requirements.txt").write_text("not-there==1.0\n")
    assert whole(runner, "")[1] == 3
    (comment,) = github.comments
    assert "FITS" not in comment["body"]
    assert "could not check this commit" in comment["body"]


@pytest.mark.slow
def test_a_red_verdict_that_cannot_be_commented_is_said_and_fails(
    runner: Runner, github: GithubServer
) -> None:
    assert whole(runner, "")[1] == 0
    github.mood = Mood.READ_ONLY
    checked = runner.run("Check", CHECK_PATH=".", CHECK_AGAINST="", CHECK_ARGS="--limit=slug=1M")
    assert (checked.returncode, runner.outputs["exit-code"]) == (0, "1")
    done = runner.run("Comment", GITHUB_TOKEN=TOKEN, COMMENT_KEY="report", EXIT_CODE="1")
    assert "error: no comment: GitHub refused the request (403)" in done.stderr
    assert done.stdout.startswith("::warning::slugcheck could not comment")
    assert runner.run("Gate", EXIT_CODE="1").returncode == 1


def test_without_its_base_nothing_is_checked(runner: Runner) -> None:
    shutil.rmtree(runner.folder.parent / "origin")
    checked = runner.run("Check", CHECK_PATH=".", CHECK_AGAINST="", CHECK_ARGS="")
    assert checked.returncode == 0
    assert runner.outputs == {"exit-code": "3"}
    assert "without it nothing is checked" in checked.stderr


@pytest.mark.slow
def test_the_base_decides_also_where_the_checkout_has_it_already(runner: Runner) -> None:
    base = runner.environment["BASE_SHA"]
    git(runner.checkout, "fetch", "--quiet", "origin", base)
    shutil.rmtree(runner.folder.parent / "origin")
    runner.run("Check", CHECK_PATH=".", CHECK_AGAINST="", CHECK_ARGS="--quiet")
    assert json.loads(Path(runner.outputs["json"]).read_text())["changes"]


# Modules that a checkout may hold so that they are imported in the place of the real ones.
SHADOWS = ("pip", "venv", "ensurepip", "slugcheck", "requests", "click", "sitecustomize", "logging")


def shadow(runner: Runner) -> Path:
    """Put modules that leave a trace into the checkout, and point Python at it as CI may do."""
    trace = runner.folder / "trace"
    code = f"open({str(trace)!r}, 'a').write(__name__ + chr(10))\nraise SystemExit(0)\n"
    for name in SHADOWS:
        (runner.checkout / f"{name}.py").write_text(code)
    runner.environment["PYTHONPATH"] = "."
    return trace


@pytest.mark.slow
def test_no_step_imports_from_the_checkout(runner: Runner, github: GithubServer) -> None:
    trace = shadow(runner)
    assert whole(runner, "--limit=increase=10MB")[1] == 0
    assert len(github.comments) == 1
    assert not trace.exists()


@pytest.mark.slow
def test_the_installation_imports_nothing_from_the_checkout(runner: Runner) -> None:
    trace = shadow(runner)
    shutil.rmtree(runner.folder / "temp" / "slugcheck")
    # the environment is made for real; installing ends at once, since there is no such package
    done = runner.run("Install slugcheck", GITHUB_ACTION_PATH=str(runner.folder / "none"))
    assert done.returncode != 0
    assert "none" in done.stderr + done.stdout
    assert not trace.exists()


def test_the_installation_takes_the_extras_that_are_named(runner: Runner) -> None:
    home = runner.folder / "temp" / "slugcheck"
    shutil.rmtree(home)
    (runner.folder / "bin").mkdir(exist_ok=True)
    python = runner.folder / "bin" / "python"  # makes the environment, and is the one in it
    python.write_text(
        f'#!/bin/sh\n[ "$3" = venv ] && mkdir -p {home}/bin && cp "$0" {home}/bin/python && exit\n'
        'for last; do :; done\necho "$last"\n'
    )
    python.chmod(0o755)
    path = f"{python.parent}:{runner.environment['PATH']}"
    for extras, package in (("", "/slugcheck-action"), ("audit", "/slugcheck-action[audit]")):
        done = runner.run(
            "Install slugcheck", GITHUB_ACTION_PATH="/slugcheck-action", EXTRAS=extras, PATH=path
        )
        assert (done.returncode, done.stdout) == (0, f"{package}\n")


def test_the_check_sees_neither_tokens_nor_the_files_of_commands(runner: Runner) -> None:
    program = runner.folder / "temp" / "slugcheck" / "bin" / "slugcheck"
    program.unlink()
    program.write_text("#!/bin/sh\nenv\n")
    program.chmod(0o755)
    names = ("ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RESULTS_URL",
             "GITHUB_TOKEN", "GH_TOKEN", "INPUT_TOKEN", "PYTHONSTARTUP")  # fmt: skip
    secrets = dict.fromkeys(names, "s3cret")
    kept = {"UV_INDEX_OWN_PASSWORD": "of the user", "HTTPS_PROXY": "http://127.0.0.1:9"}
    done = runner.run("Check", CHECK_PATH=".", CHECK_AGAINST="", CHECK_ARGS="", **secrets, **kept)
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert not seen.keys() & (secrets.keys() | {"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH"})
    assert "s3cret" not in done.stdout
    assert kept.items() <= seen.items()
    assert "GITHUB_STEP_SUMMARY" in seen


def test_the_token_is_in_one_step_only() -> None:
    for name, step in STEPS.items():
        assert ("GITHUB_TOKEN" in step.get("env", {})) is (name == "Comment")


def test_the_cache_is_outside_of_the_checkout_and_written_by_the_default_branch_only() -> None:
    used = {step["uses"].partition("@")[0]: step for step in STEPS.values() if "uses" in step}
    assert "actions/cache" not in used  # it would save in every run
    save = used["actions/cache/save"]
    assert "event.repository.default_branch" in save["if"]
    for event in ("pull_request_target", "workflow_run", "issue_comment", "pull_request"):
        assert f"'{event}'" not in save["if"]
    for kind in ("restore", "save"):
        assert used[f"actions/cache/{kind}"]["with"]["path"].startswith("${{ runner.temp }}/")


# --------------------------------------------------------------------------- the others


def test_the_hook_of_pre_commit_runs_for_the_files_that_say_what_is_installed() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    assert hook["entry"].startswith("python -I -m slugcheck ")
    files = re.compile(hook["files"])
    for name in ("requirements.txt", "app/requirements-dev.in", "pyproject.toml", "pylock.toml",
                 "uv.lock", "Pipfile.lock", ".python-version", "pylock.dev.toml"):  # fmt: skip
        assert files.search(name), name
    for name in ("app.py", "README.md", "notrequirements.txt", "docs/uv.lock.md"):
        assert not files.search(name), name


@pytest.mark.slow
def test_the_gitlab_job_runs_its_script_and_leaves_what_it_promises(runner: Runner) -> None:
    job = yaml.safe_load((ROOT / "examples" / "ci" / "gitlab.yml").read_text())["slugcheck"]
    base = runner.environment["BASE_SHA"]
    git(runner.checkout, "fetch", "--quiet", "origin", base)
    script = "\n".join(job["script"])
    home = f"{runner.environment['RUNNER_TEMP']}/slugcheck"
    gitlab = {"SLUGCHECK_HOME": home, "SLUGCHECK_PATH": "."}
    trace = shadow(runner)
    request = {"CI_PIPELINE_SOURCE": "merge_request_event"}
    for more in (request | {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base}, {}):
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script], cwd=runner.checkout, check=False,
            capture_output=True, text=True,
            env=runner.environment | gitlab | more,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        document = json.loads((runner.checkout / "slugcheck.json").read_text())
        assert ("changes" in document and bool(document["changes"])) is bool(more)
    assert not trace.exists()
    for name in job["artifacts"]["paths"]:
        assert (runner.checkout / name).exists()
    assert job["artifacts"]["reports"]["junit"] == "slugcheck.xml"


def test_the_gitlab_job_has_no_cache_and_checks_no_merge_request_without_its_base(
    runner: Runner,
) -> None:
    job = yaml.safe_load((ROOT / "examples" / "ci" / "gitlab.yml").read_text())["slugcheck"]
    assert "cache" not in job
    assert not any("CI_PROJECT_DIR" in str(value) for value in job["variables"].values())
    for line in job["before_script"]:
        assert "python" not in line or " -I -m " in line
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])], cwd=runner.checkout,
        check=False, capture_output=True, text=True,
        env=runner.environment | {"CI_PIPELINE_SOURCE": "merge_request_event"},
    )  # fmt: skip
    assert done.returncode == 3
    assert "without it nothing is checked" in done.stderr

"""The files around the code: workflows, forms and hooks parse and name what exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import slugcheck

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
FORMS = sorted(path for path in GITHUB.glob("ISSUE_TEMPLATE/*.yml") if path.stem != "config")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# actions whose commit nobody has recorded yet; the update bot pins them
BY_VERSION = {
    "actions/upload-artifact",
    "actions/download-artifact",
    "pypa/gh-action-pypi-publish",
}


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in loaded(workflow)["jobs"].values() for step in job["steps"]]


def runs(workflow: Path) -> str:
    return "\n".join(step.get("run", "") for step in steps(workflow))


def test_every_workflow_and_form_is_there() -> None:
    assert [path.stem for path in WORKFLOWS] == ["ci", "release"]
    assert [path.stem for path in FORMS] == ["error", "feature", "wrong-size"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_as_the_action_pins_them(workflow: Path) -> None:
    pinned = dict(
        re.findall(r"uses: ([\w/-]+)@([0-9a-f]{40})", (ROOT / "action.yml").read_text("utf-8"))
    )
    for step in steps(workflow):
        name, _, version = step.get("uses", "").partition("@")
        if name in BY_VERSION:
            assert re.fullmatch(r"v\d+|release/v\d+", version)
        elif name:
            assert re.fullmatch(r"[0-9a-f]{40}", version)
            assert pinned.get(name, version) == version


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_have_the_least_permissions(workflow: Path) -> None:
    document = loaded(workflow)
    assert document["permissions"] in ({}, {"contents": "read"})
    granted = [
        (name, scope, level)
        for name, job in document["jobs"].items()
        for scope, level in job.get("permissions", {}).items()
        if level != "read"
    ]
    assert granted == ([("publish", "id-token", "write")] if workflow.stem == "release" else [])
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
    assert "pull_request_target" not in workflow.read_text(encoding="utf-8")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_name_files_that_exist(workflow: Path) -> None:
    text = runs(workflow)
    assert "${{" not in text  # a branch's name would be run as a command
    for name in re.findall(r"(?:tests|\.ci|benchmarks)/[\w./-]+", text):
        assert (ROOT / name).is_file(), name


def test_every_supported_python_and_system_is_tested() -> None:
    versions = {
        name.rpartition(" ")[2]
        for name in PROJECT["classifiers"]
        if re.search(r"Python :: 3\.\d+$", name)
    }
    gate = loaded(GITHUB / "workflows" / "ci.yml")["jobs"]["gate"]["strategy"]["matrix"]
    assert set(gate["python"]) == versions == {"3.11", "3.12", "3.13", "3.14"}
    assert {name.partition("-")[0] for name in gate["os"]} == {"ubuntu", "macos"}
    systems = {
        name.rpartition(" ")[2] for name in PROJECT["classifiers"] if "Operating System" in name
    }
    assert systems == {"Linux", "MacOS", "Windows"}


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_forms_ask_what_github_can_show(form: Path) -> None:
    document = loaded(form)
    assert document["name"]
    assert document["description"]
    fields = [field for field in document["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    for field in fields:
        assert field["type"] in {"input", "textarea"}
        assert field["attributes"]["label"]


def test_updates_cover_the_actions_and_the_dependencies() -> None:
    document = loaded(GITHUB / "dependabot.yml")
    assert document["version"] == 2
    ecosystems = {one["package-ecosystem"]: one for one in document["updates"]}
    assert set(ecosystems) == {"github-actions", "pip"}
    for folder in ecosystems["github-actions"]["directories"]:
        assert (ROOT / folder.strip("/")).is_dir()


def test_the_hooks_of_contributors_are_what_the_gate_runs() -> None:
    (local,) = loaded(ROOT / ".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    assert [hook["id"] for hook in local["hooks"]] == ["ruff", "ruff-format", "mypy"]
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    installed = {
        re.split(r"[^A-Za-z-]", line)[0] for line in PROJECT["optional-dependencies"]["dev"]
    }
    for hook in local["hooks"]:
        program = hook["entry"].split()[0]
        assert f'/bin/{program}"' in gate
        assert program in installed


def test_the_changelog_has_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {slugcheck.__version__}" in text
    assert PROJECT["dynamic"] == ["version"]
    assert PROJECT["scripts"] == {"slugcheck": "slugcheck.__main__:main"}

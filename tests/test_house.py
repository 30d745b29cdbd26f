"""The rules of the house: who may import whom, who starts processes, what start-up loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "slugcheck"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = {"sizer", "compare", "bench"}
# module (below slugcheck) -> what may not be imported there
ONLY_IN = {
    "click": {"cli", "commands", "terminal"},
    "rich": {"terminal", "render"},
    "requests": {"index.ranges", "pullrequest"},
    "subprocess": {
        "bytecode",
        "index.uv",
        "index.build",
        "project.git",
        "project.revision",
        "audit",
        "verify",
        "benching.launcher",
        "benching.installing",
        "workers",
    },
    "onnxruntime": {"workers"},
    "torch": {"workers"},
    "numpy": {"workers", "benching.agreement"},
    "uv": {"index.uv"},
    "fsspec": {"models.remote"},
    "botocore": {"models.remote"},
    "google": {"models.remote"},
    "pypi_simple": {"index.pages"},
    "pip_requirements_parser": {"index.requirements", "index.reqlines"},
}


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Every module named in an import statement, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_third_parties_stay_behind_their_door(path: Path) -> None:
    module = dotted(path)
    for library, allowed in ONLY_IN.items():
        if any(module == name or module.startswith(f"{name}.") for name in allowed):
            continue
        used = [name for name in imports(path) if name.split(".")[0] == library]
        assert not used, f"{module} imports {used}; only {sorted(allowed)} may"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_rooms_never_import_each_other(path: Path) -> None:
    module = dotted(path)
    if module in ROOMS:
        others = {f"slugcheck.{room}" for room in ROOMS - {module}}
        assert not imports(path) & others


@pytest.mark.parametrize("path", sorted((PACKAGE / "index").glob("*.py")), ids=dotted)
def test_the_index_knows_no_budgets_and_no_rendering(path: Path) -> None:
    banned = ("slugcheck.budget", "slugcheck.render", "slugcheck.sizer", "slugcheck.cli")
    assert not [name for name in imports(path) if name.startswith(banned)]


@pytest.mark.parametrize("path", sorted((PACKAGE / "render").glob("*.py")), ids=dotted)
def test_renderings_only_render(path: Path) -> None:
    banned = ("slugcheck.index", "slugcheck.sizer", "slugcheck.check", "slugcheck.cli", "sys")
    assert not [name for name in imports(path) if name.startswith(banned)]


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_modules_stay_small_and_none_is_called_utils(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 380
    assert path.stem not in {"utils", "helpers", "misc", "common"}


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom slugcheck.cli import run\nrun(['--help'])\n"
        "heavy = {'requests', 'rich.table', 'pypi_simple', 'pip_requirements_parser', 'numpy',"
        " 'onnxruntime', 'packaging.pylock', 'pydantic', 'uv'}\n"
        "sys.exit(f'loaded: {sorted(heavy & set(sys.modules))}' if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

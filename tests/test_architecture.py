"""Imports run one way, libraries stay behind their door, and start-up loads little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.architecture import circles, imports, layer, modules, names_imported

ROOT = Path(__file__).parent.parent
MODULES = modules(ROOT)
IMPORTS = imports(MODULES)
# Each entry of the package imports only what stands further down, as docs/architecture.md draws it.
LAYERS = (
    "__init__ __main__ cli commands api bench why matrix against compare benching check render "
    "verify advice policy sizer project packages platforms sizing memory model terminal running "
    "reading text extras errors version"
).split()
# a library -> the modules that may import it, with all below them
ONLY_IN = {
    "click": {"cli", "commands", "terminal"},
    "rich": {"terminal", "render"},
    "requests": {"packages.index", "commands.comment"},
    "subprocess": {"running"},
    "tempfile": {
        "running.temporary",
        "packages.sdist.sdist",
        "packages.index.client",
        "project.git",
    },
    "onnxruntime": {"running.workers"},
    "torch": {"running.workers"},
    "numpy": {"running.workers", "benching.agreement"},
    "uv": {"packages.resolve.uv"},
    "fsspec": {"project.models"},
    "botocore": {"project.models"},
    "google": {"project.models"},
    "pypi_simple": {"packages.index.pages"},
    "pip_requirements_parser": {"packages.requirements"},
    "cvss": {"advice.audit"},
    "matplotlib": {"render.plot"},
    "msgspec": {"model.document", "model.numbers", "model.to_document", "memory.footprints"},
}


def test_every_entry_of_the_package_has_its_layer() -> None:
    assert {layer(module) for module in MODULES} == set(LAYERS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    order = {name: number for number, name in enumerate(LAYERS)}
    upwards = {target for target in IMPORTS[module] if order[layer(target)] < order[layer(module)]}
    assert not upwards


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(IMPORTS) == []


@pytest.mark.parametrize("module", MODULES)
def test_libraries_stay_behind_their_door(module: str) -> None:
    own = module.removeprefix("slugcheck").removeprefix(".")
    for library, allowed in ONLY_IN.items():
        if any(own == name or own.startswith(f"{name}.") for name in allowed):
            continue
        used = {name for name in names_imported(MODULES[module]) if name.split(".")[0] == library}
        assert not used, f"{module} imports {used}; only {sorted(allowed)} may"


@pytest.mark.parametrize("module", MODULES)
def test_views_and_writers_do_not_know_each_other(module: str) -> None:
    render = "slugcheck.render."
    writers = {render + name for name in ("terminal", "markdown", "github", "junit", "sarif")}
    views = {name for name in MODULES if name.startswith(f"{render}views.")}
    if module in views:
        assert not IMPORTS[module] & (writers | {f"{render}formats"})
    if module in writers:
        assert not IMPORTS[module] & views


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_named_for_leftovers(module: str) -> None:
    assert not {"utils", "helpers", "misc", "common"} & set(module.split("."))


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom slugcheck.cli import run\nrun(['--help'])\n"
        "heavy = {'requests', 'rich.table', 'pypi_simple', 'pip_requirements_parser', 'numpy',"
        " 'onnxruntime', 'packaging.pylock', 'pydantic', 'msgspec', 'uv'}\n"
        "sys.exit(f'loaded: {sorted(heavy & set(sys.modules))}' if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

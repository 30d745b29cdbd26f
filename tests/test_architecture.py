"""Imports run one way, libraries stay behind their door, and start-up loads little."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.architecture import circles, imports, layer, modules, names_imported
from tests.support.commands import slugcheck
from tests.support.server import PackageServer

ROOT = Path(__file__).parent.parent
MODULES = modules(ROOT)
# Each entry of the package imports only what stands further down, as docs/architecture.md draws it.
LAYERS = (
    "__init__ __main__ cli commands api bench rehearse why matrix against compare rehearsing "
    "benching check render "
    "verify advice policy sizer memory project packages platforms sizing model terminal running "
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
    "h11": {"rehearsing.runtime_api"},
    "httpx": {"rehearsing.load"},
    "anyio": {"rehearsing"},
    "psutil": {"running.workers"},
    "dotenv": {"rehearsing.plan"},
    "msgspec": {"model.document", "model.numbers", "model.to_document", "memory.footprints"},
}


@cache
def imported() -> dict[str, set[str]]:
    """Which modules of the package each one imports."""
    return imports(MODULES)


def test_every_entry_of_the_package_has_its_layer() -> None:
    assert {layer(module) for module in MODULES} == set(LAYERS)


def test_imports_run_one_way() -> None:
    order = {name: number for number, name in enumerate(LAYERS)}
    upwards = {
        module: wrong
        for module, targets in imported().items()
        if (wrong := {one for one in targets if order[layer(one)] < order[layer(module)]})
    }
    assert upwards == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(imported()) == []


def test_libraries_stay_behind_their_door() -> None:
    wrong = []
    for module, path in MODULES.items():
        own = module.removeprefix("slugcheck").removeprefix(".")
        names = names_imported(path)
        for library, allowed in ONLY_IN.items():
            if any(own == name or own.startswith(f"{name}.") for name in allowed):
                continue
            used = {name for name in names if name.split(".")[0] == library}
            wrong += [f"{module} imports {used}; only {sorted(allowed)} may"] if used else []
    assert wrong == []


def test_views_and_writers_do_not_know_each_other() -> None:
    render = "slugcheck.render."
    writers = {render + name for name in ("terminal", "markdown", "github", "junit", "sarif")}
    views = {name for name in MODULES if name.startswith(f"{render}views.")}
    edges = imported()
    strange = {view: edges[view] & (writers | {f"{render}formats"}) for view in views}
    strange |= {writer: edges[writer] & views for writer in writers & set(MODULES)}
    assert {module: wrong for module, wrong in strange.items() if wrong} == {}


def test_no_module_is_named_for_leftovers() -> None:
    leftovers = {"utils", "helpers", "misc", "common"}
    assert [module for module in MODULES if leftovers & set(module.split("."))] == []


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom slugcheck.cli import run\nrun(['--help'])\n"
        "heavy = {'requests', 'rich.table', 'pypi_simple', 'pip_requirements_parser', 'numpy',"
        " 'onnxruntime', 'packaging.pylock', 'pydantic', 'msgspec', 'uv'}\n"
        "sys.exit(f'loaded: {sorted(heavy & set(sys.modules))}' if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_warm_check_loads_only_what_it_uses(
    package_server: PackageServer, private_caches: Path, tmp_path: Path
) -> None:
    package_server.add_wheel("webapp", "1.0", {"webapp.py": "x = 1\n"}, requires=("library",))
    package_server.add_wheel("library", "2.0", {"library.so": b"1" * 100})
    lines = tmp_path / "requirements.txt"
    lines.write_text("webapp\n")
    command = ["check", str(lines), "--index-url", package_server.index_url, "--format", "json"]
    assert slugcheck(*command).code == 0
    unused = {
        # other ways to say it, and other questions
        "rich", "slugcheck.render.view", "slugcheck.render.wording", "slugcheck.model.bench",
        "slugcheck.model.rehearsal", "slugcheck.model.comparison", "slugcheck.model.why",
        # what the caches have
        "requests", "urllib3", "pypi_simple", "slugcheck.packages.index.pages",
        "slugcheck.packages.index.wheel", "slugcheck.packages.sdist.sdist",
        # what the file has not: source archives, conflicts, an image, a lock, an app
        "slugcheck.packages.resolve.sources", "slugcheck.packages.resolve.conflicts",
        "slugcheck.project.container", "slugcheck.project.image", "slugcheck.project.dockerfile",
        "slugcheck.packages.locks.uv", "slugcheck.packages.locks.poetry",
        "slugcheck.project.static_files", "slugcheck.verify.run",
    }  # fmt: skip
    code = (
        "import sys\nfrom slugcheck.cli import run\ncode = run(sys.argv[1:])\n"
        f"print(sorted({unused!r} & set(sys.modules)), file=sys.stderr)\nsys.exit(code)"
    )
    program = [sys.executable, "-c", code, *command]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "[]\n")

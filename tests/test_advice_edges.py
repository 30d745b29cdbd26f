"""What is advised, and in which words: findings of sizes made here, and edits in each syntax."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slugcheck.advice import builds, findings
from slugcheck.advice.edits import Edit, Pinned, _name_in_url, unlocked
from slugcheck.advice.fixes import Candidate, Problem
from slugcheck.advice.own_extras import candidates as own_candidates
from slugcheck.advice.syntax import Written
from slugcheck.advice.trial import Measured
from slugcheck.model import (
    BuildImage,
    BuildNeed,
    BundleKind,
    Distribution,
    DistributionSize,
    Entry,
    FindingSeverity,
    IndexOptions,
    Inventory,
    Manager,
    Origin,
    Requirement,
    SourceBuild,
    Target,
    Unsized,
)
from tests.support import reports

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
ERROR, WARNING, INFO = FindingSeverity.ERROR, FindingSeverity.WARNING, FindingSeverity.INFO


def row(name: str, version: str = "1.0", **more: Any) -> DistributionSize:
    """A distribution on line 3 if it is direct."""
    extras = tuple(more.pop("extras", ()))
    made = reports.distribution(name, version, line=3, **more)
    return replace(made, distribution=replace(made.distribution, extras=extras))


def problems(
    *rows: DistributionSize,
    unsized: tuple[Unsized, ...] = (),
    inventories: dict[str, Inventory] | None = None,
    own: tuple[Candidate, ...] = (),
    gpu: bool = False,
    missing: tuple[str, ...] = ("libGL.so.1",),
    kind: BundleKind = BundleKind.GZIP_TAR,
) -> list[Problem]:
    target = reports.target(kind=kind)
    target = replace(
        target,
        platform=replace(target.platform, gpu=gpu),
        stack=replace(target.stack, missing_libraries=missing),
    )
    sizes = reports.report(rows, on=target, unsized=unsized).sizes
    return findings.problems(Measured(sizes=sizes, inventories=inventories or {}), own)


def only(several: list[Problem]) -> Problem:
    (problem,) = several
    return problem


def edits(problem: Problem) -> list[Edit]:
    return [candidate.edit for candidate in problem.candidates]


# --------------------------------------------------------------------------- GPU


def torch(*, direct: bool = True) -> tuple[DistributionSize, ...]:
    by = () if direct else ("ultralytics",)
    return (
        row("torch", "2.5.1", direct=direct, required_by=by),
        row("torchvision", "0.20.1+cu124", required_by=("ultralytics",)),
        row("nvidia-cublas-cu12", slug=7_000_000, required_by=("torch", "nvidia-cudnn-cu12")),
        row("nvidia-cudnn-cu12", slug=5_000_000, required_by=("torch",)),
        row("triton", slug=1_000_000, required_by=("torch",)),
    )  # fmt: skip


def test_torch_with_cuda_gets_its_cpu_build_and_says_what_goes() -> None:
    problem = only(problems(*torch()))
    finding = problem.finding
    assert (finding.code, finding.severity, finding.subject) == ("cuda-on-cpu", ERROR, "torch")
    assert finding.sentence == (
        "torch 2.5.1 requires 3 GPU-only packages (nvidia-cublas-cu12, nvidia-cudnn-cu12 and "
        "triton), but Heroku has no GPU"
    )
    assert finding.origin is not None
    assert finding.origin.line == 3
    assert edits(problem) == [
        Edit(
            replace=(("torch", "torch==2.5.1+cpu"),), add=("torchvision==0.20.1+cpu",),
            index_url=CPU_INDEX, index_names=("torch", "torchvision"),
            free=("nvidia-cublas-cu12", "nvidia-cudnn-cu12", "triton"),
        )
    ]  # fmt: skip
    assert (problem.saves, problem.uncertain) == (True, False)
    assert problem.estimate_bytes == 13_000_000
    by_installed = only(problems(*torch(), kind=BundleKind.UNZIPPED))
    assert by_installed.estimate_bytes == sum(d.installed_bytes for d in torch()[2:])


def test_torch_that_others_require_is_added() -> None:
    parent = row("ultralytics", direct=True)
    problem = only(problems(parent, *torch(direct=False)))
    assert "torch 2.5.1, required by ultralytics, requires 3 GPU-only" in problem.finding.sentence
    (edit,) = edits(problem)
    assert (edit.replace, edit.add) == (
        (), ("torch==2.5.1+cpu", "torchvision==0.20.1+cpu"),
    )  # fmt: skip
    assert problem.finding.origin == parent.distribution.origins[0]


def test_the_projects_own_way_comes_first_and_a_gpu_needs_no_advice() -> None:
    own = Candidate(edit=Edit(add=("torch==2.5.1",)), note="your extra cpu has it")
    assert only(problems(*torch(), own=(own,))).candidates[0] == own
    assert problems(*torch(), gpu=True) == []


def inventory(*paths: str) -> Inventory:
    return Inventory(
        filename="torch-1-py3-none-any.whl", sha256=None, file_bytes=1, dist_info="t.dist-info",
        entries=tuple(Entry(path=path, size=1, compressed=1) for path in paths), requires_dist=(),
        provides_extra=(), requires_python=None, console_scripts=(), gui_scripts=(), via="range",
        python_scripts=(), bytecode_factor=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "contains"),
    [
        ("torch/lib/libtorch_cuda.so", True), ("torch/lib/libtorch_cuda_cu.so", True),
        ("torch/lib/libc10_cuda.so", True), ("torch/lib/libtorch_cpu.so", False),
        ("other/torch/lib/libtorch_cuda.so", False),
    ],
)  # fmt: skip
def test_a_torch_that_holds_cuda_itself(path: str, contains: bool) -> None:
    told = problems(row("torch", "1.12.1", direct=True), inventories={"torch": inventory(path)})
    if contains:
        assert only(told).finding.sentence == "torch 1.12.1 contains CUDA, but Heroku has no GPU"
    else:
        assert told == []


@pytest.mark.parametrize(
    ("name", "version", "cpu", "specifiers", "uncertain"),
    [
        ("onnxruntime-gpu", "1.19.2", "onnxruntime", ("==1.19.2", "==1.19.*", "==1.*"), False),
        ("tensorflow", "2.18.0", "tensorflow-cpu", ("==2.18.0", "==2.18.*", "==2.*"), True),
        ("xgboost", "3", "xgboost-cpu", ("==3", "==3.*"), True),
        ("faiss-gpu-cu12", "1.8+x", "faiss-cpu", ("==1.8", "==1.8.*", "==1.*"), False),
    ],
)
def test_a_twin_without_gpu_code_is_tried_at_the_nearest_versions(
    name: str, version: str, cpu: str, specifiers: tuple[str, ...], uncertain: bool
) -> None:
    problem = only(problems(row(name, version, direct=True)))
    assert [edit.replace for edit in edits(problem)] == [
        ((name, f"{cpu}{specifier}"),) for specifier in specifiers
    ]
    assert problem.finding.sentence == (
        f"{name} {version} contains GPU code, but Heroku has no GPU; {cpu} is the same library "
        "without it"
    )
    assert (problem.saves, problem.uncertain) == (True, uncertain)


def test_a_twin_keeps_its_other_extras_and_frees_its_gpu_packages() -> None:
    flow = row("tensorflow", "2.18.0", direct=True, extras=("and-cuda", "more"))
    cuda = row("nvidia-nccl-cu12", slug=9, required_by=("tensorflow",))
    problem = only(problems(flow, cuda))
    first = edits(problem)[0]
    assert first.replace == (("tensorflow", "tensorflow-cpu[more]==2.18.0"),)
    assert (first.free, problem.estimate_bytes) == (("nvidia-nccl-cu12",), 9)
    assert "contains GPU code and requires nvidia-nccl-cu12, but" in problem.finding.sentence
    assert not problem.uncertain


def test_a_twin_that_others_require_is_replaced_after_the_install() -> None:
    pulled = row("onnxruntime-gpu", "1.19.2", required_by=("insight",))
    first = edits(only(problems(row("insight", direct=True), pulled)))[0]
    assert first == Edit(add=("onnxruntime==1.19.2",), drop=("onnxruntime-gpu",))
    both = row("onnxruntime-gpu", "1.19.2", direct=True, required_by=("insight",))
    first = edits(only(problems(row("insight", direct=True), both)))[0]
    assert first == Edit(
        replace=(("onnxruntime-gpu", "onnxruntime==1.19.2"),), drop=("onnxruntime-gpu",)
    )
    there = row("onnxruntime", "1.19.2", direct=True)
    first = edits(only(problems(row("onnxruntime-gpu", "1.19.2", direct=True), there)))[0]
    assert first == Edit(remove=("onnxruntime-gpu",))
    first = edits(only(problems(row("insight", direct=True), pulled, there)))[0]
    assert first == Edit(drop=("onnxruntime-gpu",))


@pytest.mark.parametrize(
    ("extras", "kept"), [(("cuda12",), ""), (("cuda12", "fast"), "[fast]"), (("gpu",), "")]
)
def test_an_extra_for_gpus_is_left_out(extras: tuple[str, ...], kept: str) -> None:
    jax = row("jax", "0.4.1", direct=True, extras=extras)
    plugin = row("jax-cuda12-plugin", slug=5, required_by=("jax",))
    below = row("nvidia-cuda-nvcc-cu12", slug=6, required_by=("jax-cuda12-plugin",))
    problem = only(problems(jax, plugin, below))
    assert edits(problem) == [
        Edit(
            replace=(("jax", f"jax{kept}==0.4.1"),),
            free=("jax-cuda12-plugin", "nvidia-cuda-nvcc-cu12"),
        )
    ]
    assert problem.finding.sentence == (
        f"jax[{extras[0]}] requires 2 GPU-only packages (jax-cuda12-plugin and "
        "nvidia-cuda-nvcc-cu12), but Heroku has no GPU"
    )
    assert problem.estimate_bytes == 11


def test_lines_for_gpus_only_are_removed() -> None:
    single = only(problems(row("pycuda", direct=True)))
    assert edits(single) == [Edit(remove=("pycuda",))]
    assert single.finding.sentence == (
        "pycuda is for NVIDIA GPUs only, but Heroku has no GPU: remove the line"
    )
    both = only(problems(row("pycuda", direct=True), row("cupy-cuda12x", direct=True)))
    assert both.finding.sentence.endswith("are for NVIDIA GPUs only, but Heroku has no GPU: "
                                          "remove the lines")  # fmt: skip
    assert problems(row("pycuda", required_by=("x",))) == []


# --------------------------------------------------------------------------- OpenCV


@pytest.mark.parametrize(
    ("name", "headless"),
    [("opencv-python", "opencv-python-headless"),
     ("opencv-contrib-python", "opencv-contrib-python-headless")],
)  # fmt: skip
def test_an_opencv_that_needs_libgl_becomes_headless(name: str, headless: str) -> None:
    problem = only(problems(row(name, "4.10.0.84", direct=True)))
    assert problem.finding.sentence == (
        "the app will crash at boot: import cv2 needs libGL.so.1, which heroku-24 does not have; "
        f"{name} is required by requirements.txt:3"
    )
    assert edits(problem)[0] == Edit(replace=((name, f"{headless}==4.10.0.84"),))
    assert len(edits(problem)) == 3
    pulled = only(problems(row("app", direct=True), row(name, "4.10.0.84", required_by=("app",))))
    assert pulled.finding.sentence.endswith(f"{name} is required by app")
    assert edits(pulled)[0] == Edit(add=(f"{headless}==4.10.0.84",), drop=(name,))
    assert problems(row(name, direct=True), missing=("libother.so.1",)) == []
    assert problems(row(headless, direct=True)) == []


def test_of_two_opencvs_the_one_that_boots_and_holds_all_stays() -> None:
    gui, plain = row("opencv-python", "4.9", direct=True), row("opencv-python-headless", "4.10")
    problem = only(problems(gui, plain))
    assert (problem.finding.code, problem.finding.severity) == ("two-opencvs", ERROR)
    assert "opencv-python and opencv-python-headless overlap" in problem.finding.sentence
    assert edits(problem) == [
        Edit(replace=(("opencv-python", f"opencv-python-headless=={version}"),))
        for version in ("4.9", "4.10")
    ]
    contrib = row("opencv-contrib-python", "4.8", direct=True)
    edit = edits(only(problems(gui, contrib)))[0]
    assert edit.replace[0][1].startswith("opencv-contrib-python-headless==")
    # where libGL is there, the usual one may stay
    edit = edits(only(problems(gui, contrib, missing=())))[-1]
    assert edit == Edit(
        replace=(("opencv-contrib-python", "opencv-contrib-python==4.8"),),
        remove=("opencv-python",),
    )


# --------------------------------------------------------------------------- the rest


def test_what_is_for_another_system_fails_or_does_nothing() -> None:
    away = (reports.missing("pywin32", "306", "no wheel", 5),)
    problem = only(problems(unsized=away))
    assert (problem.finding.code, problem.finding.severity) == ("other-system", ERROR)
    assert problem.finding.sentence == (
        "pywin32 is for Windows only, but the target is Linux: pip fails"
    )
    (candidate,) = problem.candidates
    assert candidate.text == 'pywin32==306 ; sys_platform == "win32"'
    assert candidate.edit == Edit(remove=("pywin32",))
    mac = only(problems(row("appnope", "0.1", direct=True)))
    assert mac.finding.severity is INFO
    assert mac.finding.sentence.endswith("macOS only, but the target is Linux: it has no effect")
    assert problems(row("appnope", "0.1", required_by=("ipython",))) == []
    unpinned = only(problems(unsized=(reports.missing("pywin32", None, "x", 5),)))
    assert unpinned.candidates[0].text.startswith("pywin32 ; ")


def test_sklearn_is_called_scikit_learn() -> None:
    problem = only(problems(row("sklearn", "0.0", direct=True)))
    assert edits(problem) == [Edit(replace=(("sklearn", "scikit-learn"),))]
    both = problems(row("sklearn", direct=True), row("scikit-learn", direct=True))
    assert edits(only(both)) == [Edit(remove=("sklearn",))]
    away = only(problems(unsized=(reports.missing("sklearn", None, "x", 5),)))
    assert away.finding.origin is not None
    assert away.finding.origin.line == 5
    assert away.finding.severity is WARNING


def test_development_tools_are_named_where_they_take_room() -> None:
    problem = only(problems(row("pytest", direct=True), row("black", direct=True)))
    assert problem.finding.sentence.startswith(
        "development tools, which a deployed app rarely needs: "
    )
    assert edits(problem) == [Edit(remove=("pytest", "black"))]
    assert (problem.finding.severity, problem.saves) == (INFO, True)
    assert problems(row("flask", direct=True)) == []


@pytest.mark.parametrize(
    ("parents", "direct", "told"),
    [(("onnxruntime",), True, True), (("onnxruntime", "x"), True, False),
     (("onnxruntime",), False, False)],
)  # fmt: skip
def test_a_later_version_with_fewer_requirements(
    parents: tuple[str, ...], direct: bool, told: bool
) -> None:
    runtime = row("onnxruntime", "1.19", direct=direct, extras=("x",))
    heavy = row("sympy", required_by=parents)
    lighter = problems(runtime, heavy, row("x", direct=True))
    assert bool(lighter) is told
    if told:
        assert edits(only(lighter)) == [
            Edit(replace=(("onnxruntime", f"onnxruntime[x]{specifier}"),), free=("sympy",))
            for specifier in ("==1.25.*", ">=1.25.0")
        ]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/Some_Torch-1.0-py3-none-any.whl#sha256=0", "some-torch"),
        ("https://h/torch-1.0.tar.gz", ""), (None, ""),
    ],
)  # fmt: skip
def test_a_bare_url_is_known_by_the_name_of_its_wheel(url: str | None, name: str) -> None:
    line = Requirement(name="", text="x", origin=Origin(file="r.txt", line=1), url=url)
    assert _name_in_url(line) == name


# --------------------------------------------------------------------------- syntax


def written(manager: Manager, **more: Any) -> Written:
    fields: dict[str, Any] = {
        "manager": manager, "file": "requirements.txt", "versions": {"torch": "2.5.1", "a": "1"},
        "direct": {"torch", "a"},
    }  # fmt: skip
    return Written(**(fields | more))


PIP, UV, POETRY, PIPENV = Manager.PIP, Manager.UV, Manager.POETRY, Manager.PIPENV
SWAP = Edit(replace=(("a", "b==2"),), add=("c==3",), remove=("torch",))


@pytest.mark.parametrize(
    ("manager", "lines"),
    [
        (PIP, ["b==2", "c==3", "# remove: torch==2.5.1"]),
        (UV, ["uv remove a torch", "uv add b==2 c==3"]),
        (POETRY, ["poetry remove a torch", "poetry add b==2 c==3"]),
        (PIPENV, ["pipenv uninstall a torch", "pipenv install b==2 c==3"]),
    ],
)
def test_an_edit_in_the_syntax_of_each_manager(manager: Manager, lines: list[str]) -> None:
    assert written(manager).text(SWAP).splitlines() == lines
    same = Edit(replace=(("a", "a>=2"),))
    adds = {
        PIP: "a>=2", UV: 'uv add "a>=2"', POETRY: 'poetry add "a>=2"',
        PIPENV: 'pipenv install "a>=2"',
    }  # fmt: skip
    assert written(manager).text(same) == adds[manager]


def test_pips_lines_keep_markers_hashes_and_the_index() -> None:
    edit = Edit(replace=(("a", "b==2"),), index_url=CPU_INDEX)
    own = written(PIP, markers={"a": "python_version < '3.12'"})
    assert own.text(edit).splitlines() == [
        f"--extra-index-url {CPU_INDEX}", "b==2 ; python_version < '3.12'",
    ]  # fmt: skip
    assert written(PIP, indexes=(CPU_INDEX,)).text(edit) == "b==2"
    hashed = written(PIP, hashed=True).text(Edit(replace=(("a", "b==2"),)))
    assert hashed.splitlines()[-1].endswith("pip-compile --generate-hashes")
    assert "hashes" not in written(PIP, hashed=True).text(Edit(remove=("a",)))
    assert written(PIP).text(Edit(remove=("unknown",))) == "# remove: unknown"
    in_toml = written(PIP, file="pyproject.toml").text(Edit(replace=(("a", 'b[x]=="2"'),)))
    assert in_toml.splitlines() == ["# in pyproject.toml, dependencies:", "\"b[x]=='2'\","]
    lock = written(PIP, file="pylock.toml").text(Edit(remove=("a",)))
    assert lock.splitlines()[0] == "# in what pylock.toml is made from, then make it again:"


CPU = Edit(
    replace=(("torch", "torch==2.5.1+cpu"),), add=("torchvision==0.20.1+cpu",),
    index_url=CPU_INDEX, index_names=("torch", "torchvision"),
)  # fmt: skip


def test_an_index_in_the_syntax_of_each_manager() -> None:
    assert written(UV).text(CPU).splitlines() == [
        "# in pyproject.toml:", "[tool.uv.sources]", 'torch = { index = "pytorch-cpu" }',
        'torchvision = { index = "pytorch-cpu" }', "[[tool.uv.index]]", 'name = "pytorch-cpu"',
        f'url = "{CPU_INDEX}"', "explicit = true", "# then run:", "uv add torchvision==0.20.1",
    ]  # fmt: skip
    assert written(POETRY).text(CPU).splitlines() == [
        "# in pyproject.toml:", "[[tool.poetry.source]]", 'name = "pytorch-cpu"',
        f'url = "{CPU_INDEX}"', 'priority = "explicit"', "[tool.poetry.dependencies]",
        'torch = { version = "2.5.1+cpu", source = "pytorch-cpu" }',
        'torchvision = { version = "0.20.1+cpu", source = "pytorch-cpu" }', "# then run:",
        "poetry lock",
    ]  # fmt: skip
    assert written(PIPENV).text(replace(CPU, remove=("a",))).splitlines() == [
        "# in Pipfile:", "[[source]]", 'name = "pytorch-cpu"', f'url = "{CPU_INDEX}"',
        "verify_ssl = true", "[packages]",
        'torch = { version = "==2.5.1+cpu", index = "pytorch-cpu" }',
        'torchvision = { version = "==0.20.1+cpu", index = "pytorch-cpu" }', "# then run:",
        "pipenv uninstall a", "pipenv lock",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("manager", "document"),
    [
        (UV, {"tool": {"uv": {"index": [{"name": "mine", "url": f"{CPU_INDEX}/"}]}}}),
        (POETRY, {"tool": {"poetry": {"source": [{"name": "mine", "url": CPU_INDEX}]}}}),
        (PIPENV, {"source": [{"name": "mine", "url": CPU_INDEX}]}),
    ],
)
def test_an_index_that_the_project_has_is_called_by_its_name(
    manager: Manager, document: dict[str, Any]
) -> None:
    text = written(manager, document=document).text(CPU)
    assert '"mine"' in text
    assert CPU_INDEX not in text
    bad = written(manager, document={}).text(CPU)
    assert CPU_INDEX in bad


@pytest.mark.parametrize(
    ("version", "direct", "last"),
    [("2.5.1", {"torch"}, "uv lock"), ("2.5.1+cu124", {"torch"}, "uv add torch==2.5.1"),
     ("2.5.0", {"torch"}, "uv add torch==2.5.1"), ("2.5.1", set(), "uv add torch==2.5.1")],
)  # fmt: skip
def test_uv_is_told_only_what_it_does_not_have(version: str, direct: set[str], last: str) -> None:
    edit = replace(CPU, replace=(("torch", "torch==2.5.1+cpu"),), add=(), remove=("a",))
    own = written(UV, versions={"torch": version}, direct=direct)
    assert own.text(edit).splitlines()[-2:] == ["uv remove a", last]


def test_what_others_require_is_replaced_after_the_install_or_overridden() -> None:
    edit = Edit(add=("b==2",), drop=("a", "x"))
    assert written(PIP).text(edit).splitlines() == [
        "# in bin/post_compile, which the buildpack runs after pip:", "pip uninstall --yes a x b",
        "pip install --no-deps b==2",
    ]  # fmt: skip
    assert written(PIP, has_hooks=False).text(edit).splitlines()[0] == (
        "# in the build command, after the install:"
    )
    assert written(POETRY).text(edit).splitlines() == [
        "# in bin/post_compile, which the buildpack runs after Poetry:", "python -m ensurepip",
        "python -m pip uninstall --yes a x b", "python -m pip install --no-deps b==2",
    ]  # fmt: skip
    assert written(UV).text(edit).splitlines() == [
        "uv add b==2", "# in pyproject.toml, then run `uv lock`:", "[tool.uv]",
        "override-dependencies = [\"a ; sys_platform == 'never'\", "
        "\"x ; sys_platform == 'never'\"]",
    ]  # fmt: skip
    assert written(PIP).text(Edit(drop=("a",))).splitlines()[1:] == ["pip uninstall --yes a"]


def test_another_python() -> None:
    edit = Edit(python="3.12")
    assert written(PIP).text(edit) == "# in .python-version:\n3.12"
    old = written(PIP, python_origin="runtime.txt").text(edit)
    assert old == "# in .python-version, and delete runtime.txt:\n3.12"
    assert written(PIPENV).text(edit).splitlines() == [
        "# in Pipfile, then run `pipenv lock`:", "[requires]", 'python_version = "3.12"',
    ]  # fmt: skip


# --------------------------------------------------------------------------- the project's extras


def document(kind: str, **more: Any) -> dict[str, Any]:
    uv = {
        "index": [{"name": "cpu", "url": CPU_INDEX}],
        "sources": {"torch": [{"index": "cpu", kind: "cpu"}]},
    } | more
    extras = {"cpu": ["Torch==2.5.1 ; python_version > '3'", "flask"], "cu124": ["torch==2.5.1"]}
    place = {"project": {"optional-dependencies": extras}}
    if kind == "group":
        place = {"dependency-groups": extras}  # type: ignore[dict-item]
    return place | {"tool": {"uv": uv}}


@pytest.mark.parametrize("kind", ["extra", "group"])
@pytest.mark.parametrize("direct", [True, False])
def test_an_extra_or_group_of_the_project_that_is_named_cpu(kind: str, direct: bool) -> None:
    names = frozenset({"torch"}) if direct else frozenset[str]()
    (candidate,) = own_candidates(document(kind), names)
    line = "torch==2.5.1"
    assert candidate.edit == Edit(
        replace=(("torch", line),) if direct else (), add=() if direct else (line,),
        index_url=CPU_INDEX, index_names=("torch",),
    )  # fmt: skip
    assert candidate.note == (
        f"your {kind} cpu has it, but the build installs no {kind}s: make it the default\n"
        "cu124 conflicts with it"
    )


@pytest.mark.parametrize(
    "more",
    [
        {"index": []}, {"sources": {}}, {"sources": {"torch": {"index": "other"}}},
        {"sources": {"torch": {"index": "cpu", "extra": "cu124"}}},
        {"index": [{"name": "cpu", "url": "https://u:p@h/cpu"}]},
        {"index": [{"name": "cpu", "url": "https://h/${TOKEN}"}]},
        {"index": [{"name": "cpu", "url": "ftp://h/cpu"}]},
    ],
)  # fmt: skip
def test_an_extra_without_a_usable_index_is_no_fix(more: dict[str, Any]) -> None:
    assert own_candidates(document("extra", **more), frozenset()) == ()


@pytest.mark.parametrize(
    ("name", "counts"), [("cpu", True), ("with_cpu", True), ("cpu-only", True), ("cpus", False)]
)
def test_names_that_say_cpu(name: str, counts: bool) -> None:
    made = {
        "project": {"optional-dependencies": {name: ["torch"]}},
        "tool": {"uv": {"index": [{"name": "i", "url": CPU_INDEX}], "sources": {
            "torch": {"index": "i"}}}},
    }  # fmt: skip
    assert bool(own_candidates(made, frozenset())) is counts


# --------------------------------------------------------------------------- locks


@pytest.mark.parametrize(
    ("direct", "kept"),
    [
        (("web", "b"), ["web[async]==1.0", "b==2.0"]),
        # the lock does not say: those that nothing else in it requires
        ((), ["web[async]==1.0"]),
    ],
)
def test_the_lines_of_a_lock_are_its_direct_requirements(
    direct: tuple[str, ...], kept: list[str]
) -> None:
    requires = {"web": ("b>=1", "c ; os_name == 'nt'"), "b": ("d",), "d": ("b",)}
    pinned: dict[str, tuple[Distribution, Inventory]] = {}
    for name, version in (("web", "1.0"), ("b", "2.0"), ("d", "3.0")):
        extras = ("async",) if name == "web" else ()
        made = row(name, version, direct=name in direct, extras=extras).distribution
        found = replace(inventory(), requires_dist=requires[name])
        pinned[name] = (made, found)
    gone = Unsized(name="gone", version=None, reason="r")
    options = IndexOptions(index_url="http://h/")
    read = unlocked(
        "uv.lock", Pinned(distributions=pinned, environment={"os_name": "posix"}), options, [gone]
    )
    assert [requirement.text for requirement in read.requirements] == kept
    assert (read.path, read.options, read.set_aside) == ("uv.lock", options, (gone,))
    first = read.requirements[0]
    assert (first.name, first.extras, first.specifier, first.url) == (
        "web", ("async",), "==1.0", None,
    )  # fmt: skip
    if direct:
        assert first.origin == Origin(file="requirements.txt", line=3)


# --------------------------------------------------------------------------- what cannot be built


def refusing(*pythons: str, native: bool = True, **more: Any) -> SourceBuild:
    build = reports.source_build("C", 0.5, 2.0, native=native)
    return replace(build, pythons_with_wheels=pythons, **more)


IMAGE = BuildImage(packages=("gcc", "libpq-dev"), source=reports.SOURCE)


@pytest.mark.parametrize(
    ("build", "more", "reason"),
    [
        (refusing(), {}, ""),
        (refusing(needs=(BuildNeed(package="libpq-dev"),)), {}, ""),
        (refusing(needs=(BuildNeed(package="cargo", fetched=True),)), {}, ""),
        (refusing(needs=(BuildNeed(package="cargo"), BuildNeed(package="libxml2-dev"))), {},
         "has no wheel for Python 3.11, and building it needs Rust and libxml2-dev, "
         "which heroku-24's build image does not have"),
        (refusing(needs=(BuildNeed(package="cargo"),), failure="PyO3 is too old"), {},
         "has no wheel for Python 3.11, and building it needs Rust, which heroku-24's "
         "build image does not have; PyO3 is too old"),
        (refusing(failure="PyO3 is too old"), {},
         "has no wheel for Python 3.11, and building it fails: PyO3 is too old"),
        (refusing(failure="PyO3 is too old", wheel_fits=True), {},
         "is built from source, and building it fails: PyO3 is too old"),
        (refusing(failure="there is no source archive", refused=True), {},
         "has no wheel for Python 3.11, and there is no source archive"),
        (refusing(failure="its metadata requires Python <3.11", refused=True), {},
         "does not support Python 3.11: its metadata requires Python <3.11"),
        (refusing(failure="its wheel is for cp39", refused=True), {"direct_url": True},
         "cannot be installed with Python 3.11: its wheel is for cp39"),
    ],
)  # fmt: skip
def test_why_a_build_fails_is_said_after_the_name(
    build: SourceBuild, more: dict[str, Any], reason: str
) -> None:
    made = row("a", source_build=build)
    made = replace(made, distribution=replace(made.distribution, **more))
    target = reports.target()
    image = replace(target, stack=replace(target.stack, build_image=IMAGE))
    assert builds.why_it_fails(build, image, made) == reason
    if build.needs:  # where nobody knows what the image has, nothing is certain
        known = bool(build.failure)
        assert bool(builds.why_it_fails(build, target, made)) is known


def offering(*minors: str, deprecated: tuple[str, ...] = ()) -> Target:
    target = reports.target()
    pythons = tuple(
        replace(target.python, minor=m, status="deprecated" if m in deprecated else "supported")
        for m in minors
    )
    return replace(target, platform=replace(target.platform, pythons=pythons))


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ([refusing("3.9", "3.10", "3.12", "3.13")], ["3.13", "3.12"]),
        ([refusing("3.10", "3.11")], ["3.10"]),  # the target has 3.11 itself
        ([refusing("3.8", "3.9")], ["3.9"]),  # the platform has deprecated 3.8
        ([refusing("3.9", "3.12"), refusing("3.12", "3.13")], ["3.12"]),
        ([refusing("3.9"), refusing("3.12")], []),
        ([refusing(failure="never"), refusing("3.12")], []),  # it fails on each of them
        ([refusing(), refusing("3.12")], []),  # needs the same on each of them
    ],
)
def test_the_newest_pythons_that_install_all_are_tried(
    made: list[SourceBuild], found: list[str]
) -> None:
    target = offering("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", deprecated=("3.8",))
    assert builds._pythons(made, target) == found


@pytest.mark.parametrize(
    ("name", "root"),
    [("web", "web"), ("deep", "web"), ("odd", "odd"), ("loop", "loop"), ("lost", "web")],
)
def test_the_line_that_brings_what_fails_is_the_nearest(name: str, root: str) -> None:
    rows = (
        row("web", direct=True), row("middle", required_by=("web",)),
        row("deep", required_by=("middle",)), row("loop", required_by=("loop2",)),
        row("loop2", required_by=("loop",)), row("odd", required_by=("gone",)),
        row("lost", required_by=("gone", "middle")),
    )  # fmt: skip
    assert builds._root(name, {made.name: made for made in rows}) == root

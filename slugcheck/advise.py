"""What is wrong or wasteful about a resolution on its target, and the lines that mend it.

Every finding follows from names, sizes and the platform's facts; nothing is installed. A saving is
given only where it was measured: the sizes of what would go, less that of what would come instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from slugcheck.index.blame import PYTORCH_INDEX
from slugcheck.model import (
    DistributionSize,
    Finding,
    FindingSeverity,
    Origin,
    RootSize,
    SizeReport,
    Target,
)

# Distributions that hold GPU code only: NVIDIA's own, and compilers and libraries for its cards.
_GPU_ONLY = re.compile(
    r"^(?:nvidia-.+|triton|pytorch-triton(?:-.+)?|cupy(?:-cuda.+)?|tensorrt(?:-.+)?|pycuda|"
    r"cuda-.+|jax-cuda.+|.+-cu1[1-9])$"
)
_TORCH_FAMILY = ("torch", "torchvision", "torchaudio")
# The same library without GPU code, published under another name at the same versions.
_CPU_TWINS = {"tensorflow": "tensorflow-cpu", "xgboost": "xgboost-cpu"}
_HEADLESS = {
    "opencv-python": "opencv-python-headless",
    "opencv-contrib-python": "opencv-contrib-python-headless",
}
_OPENCV = (*_HEADLESS, *_HEADLESS.values())
_OTHER_SYSTEMS = {
    "win32": ("Windows", re.compile(r"^(?:pywin32|pywin32-ctypes|pywinpty|pypiwin32|wmi|comtypes|"
                                    r"pywinauto|windows-curses|winshell|wincertstore)$")),
    "darwin": ("macOS", re.compile(r"^(?:appnope|pyobjc(?:-.+)?|macholib|py2app)$")),
}  # fmt: skip
_DEVELOPMENT = frozenset(
    "black flake8 isort mypy pylint pytest pytest-cov tox pre-commit ipython ipykernel jupyter "
    "jupyterlab notebook nbconvert sphinx coverage autopep8 yapf pyinstaller twine".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """The measured size of a distribution that could take another's place."""

    name: str
    version: str
    installed_bytes: int
    slug_bytes: int


FindTwin = Callable[[str, str], Twin | None]  # (name, version) -> its size, None if not there


def findings(
    sizes: SizeReport, *, find_twin: FindTwin, newest_python: str | None = None
) -> tuple[Finding, ...]:
    """Return what a developer should change, the gravest first.

    ``newest_python`` is the newest Python of the platform for which everything has wheels, where
    something is built from source.
    """
    found = [
        *_gpu(sizes, find_twin),
        *_opencv(sizes),
        *_other_systems(sizes),
        *_source_builds(sizes, newest_python),
        *_placeholder(sizes),
        *_python_status(sizes.target),
        *_development(sizes),
    ]
    order = list(FindingSeverity)
    return tuple(sorted(found, key=lambda f: (order.index(f.severity), -(f.saves_bytes or 0))))


# --------------------------------------------------------------------------- GPU code


def _gpu(sizes: SizeReport, find_twin: FindTwin) -> Iterable[Finding]:
    if sizes.target.platform.gpu:
        return
    gpu = {d.name: d for d in sizes.distributions if _GPU_ONLY.match(d.name)}
    installed = {d.name: d for d in sizes.distributions}
    if "torch" in installed and any("torch" in _pullers(d, gpu) for d in gpu.values()):
        yield _torch(installed, gpu, sizes.target)
        gpu = {n: d for n, d in gpu.items() if "torch" not in _pullers(d, gpu)}
    for name, twin_name in _CPU_TWINS.items():
        if name in installed:
            own = {n: d for n, d in gpu.items() if name in _pullers(d, gpu)}
            yield from _swap_for_twin(installed[name], twin_name, own, find_twin, sizes.target)
            gpu = {n: d for n, d in gpu.items() if n not in own}
    direct = [d for d in gpu.values() if d.distribution.direct]
    if direct:
        yield _gpu_direct(direct, sizes)


def _pullers(one: DistributionSize, gpu: dict[str, DistributionSize]) -> frozenset[str]:
    """The distributions that pull a GPU one in, through other GPU ones too."""
    seen: set[str] = set()
    waiting = list(one.required_by)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(gpu[name].required_by if name in gpu else ())
    return frozenset(seen)


def _torch(
    installed: dict[str, DistributionSize], gpu: dict[str, DistributionSize], target: Target
) -> Finding:
    gone = [d for d in gpu.values() if "torch" in _pullers(d, gpu)]
    lines = [f"--extra-index-url {PYTORCH_INDEX}/cpu"]
    for name in _TORCH_FAMILY:
        if name in installed:
            version = installed[name].distribution.version.partition("+")[0]
            lines.append(f"{name}=={version}+cpu")
    names = _listed([d.name for d in gone])
    return Finding(
        code="cuda-on-cpu",
        severity=FindingSeverity.ERROR,
        subject="torch",
        sentence=(
            f"torch from the default index brings {len(gone)} GPU-only distributions ({names}), "
            f"and {target.platform.title} has no GPU; torch itself carries CUDA code as well, so "
            "the CPU build saves more than the figure here"
        ),
        fix="\n".join(lines),
        saves_bytes=sum(d.installed_bytes for d in gone),
        saves_slug_bytes=sum(d.slug.value for d in gone),
        origin=_origin(installed["torch"]),
    )


def _swap_for_twin(
    one: DistributionSize,
    twin_name: str,
    gpu: dict[str, DistributionSize],
    find_twin: FindTwin,
    target: Target,
) -> Iterable[Finding]:
    version = one.distribution.version
    twin = find_twin(twin_name, version)
    if twin is None and not gpu:
        return  # no such build at this version, and nothing that is for a GPU alone
    gone = [one, *gpu.values()] if twin else list(gpu.values())
    saves = sum(d.installed_bytes for d in gone) - (twin.installed_bytes if twin else 0)
    saves_slug = sum(d.slug.value for d in gone) - (twin.slug_bytes if twin else 0)
    if saves <= 0:
        return
    extra = f" and brings {_listed(list(gpu))}" if gpu else ""
    fix = f"{twin_name}=={twin.version}" if twin else f"{twin_name}  # choose a version it has"
    yield Finding(
        code="cuda-on-cpu",
        severity=FindingSeverity.ERROR,
        subject=one.name,
        sentence=(
            f"{one.name} {version} carries GPU code{extra}, and {target.platform.title} has no "
            f"GPU; {twin_name} is the same library without it: write it in place of {one.name}"
        ),
        fix=fix,
        saves_bytes=saves,
        saves_slug_bytes=saves_slug,
        origin=_origin(one),
    )


def _gpu_direct(direct: Sequence[DistributionSize], sizes: SizeReport) -> Finding:
    names = [d.name for d in direct]
    lines = [f"# remove: {d.name}=={d.distribution.version}" for d in direct]
    return Finding(
        code="cuda-on-cpu",
        severity=FindingSeverity.ERROR,
        subject=names[0],
        sentence=(
            f"{_listed(names)} {'is' if len(names) == 1 else 'are'} for NVIDIA GPUs only, and "
            f"{sizes.target.platform.title} has none: remove the line"
            + ("" if len(names) == 1 else "s")
        ),
        fix="\n".join(lines),
        saves_bytes=sum(d.installed_bytes for d in direct),
        saves_slug_bytes=sum(d.slug.value for d in direct),
        origin=_origin(direct[0]),
    )


# --------------------------------------------------------------------------- OpenCV


def _opencv(sizes: SizeReport) -> Iterable[Finding]:
    found = {d.name: d for d in sizes.distributions if d.name in _OPENCV}
    if len(found) > 1:
        yield _two_opencvs(found, sizes)
        return
    missing = any("libGL" in library for library in sizes.target.stack.missing_libraries)
    for name, one in found.items():
        if name in _HEADLESS and missing:
            yield _opencv_with_gui(one, sizes.target)


def _two_opencvs(found: dict[str, DistributionSize], sizes: SizeReport) -> Finding:
    kept = next((n for n in _HEADLESS.values() if n in found), next(iter(found)))
    gone = [d for name, d in found.items() if name != kept]
    shared = sum(o.bytes for o in sizes.overlaps if set(o.names) <= set(found))
    return Finding(
        code="two-opencvs",
        severity=FindingSeverity.ERROR,
        subject=gone[0].name,
        sentence=(
            f"{_listed(sorted(found))} both write the folder cv2, so one overwrites the other and "
            f"which one remains depends on the order of installation; {gone[0].name} comes from "
            f"{_because(gone[0])}"
        ),
        fix=_opencv_fix(gone, found[kept]),
        saves_bytes=max(0, sum(d.installed_bytes for d in gone) - shared),
        origin=_origin(gone[0]),
    )


def _opencv_with_gui(one: DistributionSize, target: Target) -> Finding:
    headless = f"{_HEADLESS[one.name]}=={one.distribution.version}"
    return Finding(
        code="opencv-gui",
        severity=FindingSeverity.ERROR,
        subject=one.name,
        sentence=(
            f"{one.name} needs libGL.so.1, which {target.stack.name} does not have: "
            f"`import cv2` fails at boot; it comes from {_because(one)}"
        ),
        fix=headless if one.distribution.direct else _post_compile([one.name], headless),
        origin=_origin(one),
    )


def _opencv_fix(gone: Sequence[DistributionSize], kept: DistributionSize) -> str:
    pin = f"{kept.name}=={kept.distribution.version}"
    if all(d.distribution.direct and not d.required_by for d in gone):
        removed = [f"# remove: {d.name}=={d.distribution.version}" for d in gone]
        return "\n".join([*removed, pin])
    return _post_compile([d.name for d in gone], pin)


def _post_compile(names: Sequence[str], pin: str) -> str:
    # pip has no way to leave out a dependency of another distribution, so it is undone afterwards
    return (
        "# in bin/post_compile, which the buildpack runs after pip:\n"
        f"pip uninstall --yes {' '.join(names)} {pin.partition('==')[0]}\n"
        f"pip install --no-deps {pin}"
    )


# --------------------------------------------------------------------------- other systems


def _other_systems(sizes: SizeReport) -> Iterable[Finding]:
    for unsized in sizes.unsized:
        yield from _foreign(unsized.name, unsized.version, unsized.origin, FindingSeverity.ERROR)
    for one in sizes.distributions:
        if one.distribution.direct:
            yield from _foreign(
                one.name,
                one.distribution.version,
                _origin(one),
                FindingSeverity.INFO,
                one.installed_bytes,
            )


def _foreign(
    name: str,
    version: str | None,
    origin: Origin | None,
    severity: FindingSeverity,
    saves: int | None = None,
) -> Iterable[Finding]:
    for system, (title, pattern) in _OTHER_SYSTEMS.items():
        if pattern.match(name):
            pin = f"{name}=={version}" if version else name
            effect = "pip fails there" if severity is FindingSeverity.ERROR else "it does nothing"
            yield Finding(
                code="other-system",
                severity=severity,
                subject=name,
                sentence=f"{name} is for {title} only and the target is Linux: {effect}",
                fix=f'{pin} ; sys_platform == "{system}"',
                saves_bytes=saves,
                origin=origin,
            )


# --------------------------------------------------------------------------- source builds


def _source_builds(sizes: SizeReport, newest_python: str | None) -> Iterable[Finding]:
    built = [d for d in sizes.distributions if d.distribution.source_build is not None]
    native = [
        d for d in built if d.distribution.source_build and d.distribution.source_build.native
    ]
    if not native:
        return
    minor = sizes.target.minor
    names = _listed([f"{d.name} {d.distribution.version}" for d in native])
    sentence = (
        f"no wheel of {names} fits Python {minor} on {sizes.target.stack.name}, so the platform "
        "compiles from source: minutes of build time each, which may time out or fail"
    )
    yield Finding(
        code="built-from-source",
        severity=FindingSeverity.WARNING,
        subject=native[0].name,
        sentence=sentence,
        fix=_source_fix(native, newest_python, minor),
        origin=_origin(native[0]),
    )


def _source_fix(native: Sequence[DistributionSize], newest_python: str | None, minor: str) -> str:
    lines = []
    if newest_python is not None and newest_python != minor:
        lines.append(
            f"# Python {newest_python} is the newest that has wheels for every pin; "
            "in .python-version:"
        )
        lines.append(newest_python)
    for one in native:
        if one.name == "psycopg2":
            lines.append(f"psycopg2-binary=={one.distribution.version}")
    if not lines:
        lines.append("# choose versions with a wheel: " + ", ".join(d.name for d in native))
    return "\n".join(lines)


# --------------------------------------------------------------------------- the rest


def _placeholder(sizes: SizeReport) -> Iterable[Finding]:
    named = {one.name: _origin(one) for one in sizes.distributions}
    named |= {one.name: one.origin for one in sizes.unsized}
    if "sklearn" in named:
        yield Finding(
            code="placeholder",
            severity=FindingSeverity.WARNING,
            subject="sklearn",
            sentence="sklearn is an empty placeholder; the library is scikit-learn",
            fix="scikit-learn",
            origin=named["sklearn"],
        )


def _python_status(target: Target) -> Iterable[Finding]:
    if target.python.status == "deprecated":
        yield Finding(
            code="python-deprecated",
            severity=FindingSeverity.WARNING,
            subject=f"Python {target.minor}",
            sentence=f"{target.platform.title} has deprecated Python {target.minor} "
            f"({target.python.source.text})",
            fix=f"# in .python-version:\n{target.platform.default_python}",
        )


def _development(sizes: SizeReport) -> Iterable[Finding]:
    roots = {root.name: root for root in sizes.roots if root.name in _DEVELOPMENT}
    heavy = [root for root in roots.values() if root.exclusive_bytes > 0]
    if not heavy:
        return
    by_name = {d.name: d for d in sizes.distributions}
    yield Finding(
        code="development-tools",
        severity=FindingSeverity.INFO,
        subject=heavy[0].name,
        sentence=(
            f"{_listed([root.name for root in heavy])}: tools for development, which a deployed "
            "app rarely needs; what each alone pulls in is counted"
        ),
        fix="\n".join(_removal(root, by_name[root.name]) for root in heavy),
        saves_bytes=sum(root.exclusive_bytes for root in heavy),
        saves_slug_bytes=sum(root.exclusive_slug_bytes for root in heavy),
        origin=_origin(by_name[heavy[0].name]),
    )


def _removal(root: RootSize, one: DistributionSize) -> str:
    return f"# remove: {root.name}=={one.distribution.version}"


def _because(one: DistributionSize) -> str:
    if one.distribution.direct:
        return f"the file itself ({_origin(one)})"
    return _listed(one.required_by) or "another distribution"


def _origin(one: DistributionSize) -> Origin | None:
    return one.distribution.origins[0] if one.distribution.origins else None


def _listed(names: Sequence[str], most: int = 4) -> str:
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"

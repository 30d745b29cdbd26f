"""Findings: what is wrong or wasteful in the dependencies, with a fix for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from slugcheck.advice import builds
from slugcheck.model import (
    DistributionSize,
    Finding,
    FindingSeverity,
    Origin,
    RootSize,
    SizeReport,
    Target,
)
from slugcheck.packages.known import (
    CPU_BUILDS,
    DEVELOPMENT,
    GPU_ONLY,
    HEADLESS,
    OPENCV,
    OTHER_SYSTEMS,
    PYTORCH_INDEX,
    TORCH_FAMILY,
)
from slugcheck.text import listed, plural


def required_by(package: DistributionSize) -> str:
    """Return what requires a distribution: lines of the file, or other distributions."""
    if package.distribution.direct:
        return str(origin(package) or "the file itself")
    return listed(package.required_by) or "another distribution"


def origin(package: DistributionSize) -> Origin | None:
    """Return the first line that requires it."""
    return package.distribution.origins[0] if package.distribution.origins else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent:
    """The measured size of a distribution that could replace another one."""

    name: str
    version: str
    installed_bytes: int
    slug_bytes: int


# (name, version) -> its size, None if it is not there
FindEquivalent = Callable[[str, str], Equivalent | None]


def gpu_findings(sizes: SizeReport, find_equivalent: FindEquivalent) -> Iterable[Finding]:
    """Yield the packages that need a GPU, with their CPU versions, on a platform without one."""
    if sizes.target.platform.gpu:
        return
    gpu = {d.name: d for d in sizes.distributions if GPU_ONLY.match(d.name)}
    installed = {d.name: d for d in sizes.distributions}
    if "torch" in installed and any("torch" in _pullers(d, gpu) for d in gpu.values()):
        yield _torch(installed, gpu, sizes.target)
        gpu = {n: d for n, d in gpu.items() if "torch" not in _pullers(d, gpu)}
    for name, cpu_name in CPU_BUILDS.items():
        if name in installed:
            own = {n: d for n, d in gpu.items() if name in _pullers(d, gpu)}
            yield from _replace_by_cpu_build(
                installed[name], cpu_name, own, find_equivalent, sizes.target
            )
            gpu = {n: d for n, d in gpu.items() if n not in own}
    direct = [d for d in gpu.values() if d.distribution.direct]
    if direct:
        yield _gpu_direct(direct, sizes)


def _pullers(package: DistributionSize, gpu: dict[str, DistributionSize]) -> frozenset[str]:
    """Return the distributions that require a GPU one, directly or through other GPU ones."""
    seen: set[str] = set()
    waiting = list(package.required_by)
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
    for name in TORCH_FAMILY:
        if name in installed:
            version = installed[name].distribution.version.partition("+")[0]
            lines.append(f"{name}=={version}+cpu")
    names = listed([d.name for d in gone])
    return Finding(
        code="cuda-on-cpu",
        severity=FindingSeverity.ERROR,
        subject="torch",
        sentence=(
            f"torch from the default index requires {plural(len(gone), 'GPU-only package')} "
            f"({names}), but {target.platform.title} has no GPU; the real saving is larger: torch "
            "itself shrinks too"
        ),
        fix="\n".join(lines),
        saves_bytes=sum(d.installed_bytes for d in gone),
        saves_slug_bytes=sum(d.slug.value for d in gone),
        origin=origin(installed["torch"]),
    )


def _replace_by_cpu_build(
    package: DistributionSize,
    cpu_name: str,
    gpu: dict[str, DistributionSize],
    find_equivalent: FindEquivalent,
    target: Target,
) -> Iterable[Finding]:
    version = package.distribution.version
    cpu_build = find_equivalent(cpu_name, version)
    if cpu_build is None and not gpu:
        return  # the version has no CPU build, and requires nothing that is for a GPU only
    gone = [package, *gpu.values()] if cpu_build else list(gpu.values())
    saves = sum(d.installed_bytes for d in gone) - (cpu_build.installed_bytes if cpu_build else 0)
    saves_slug = sum(d.slug.value for d in gone) - (cpu_build.slug_bytes if cpu_build else 0)
    if saves <= 0:
        return
    extra = f" and requires {listed(list(gpu))}" if gpu else ""
    version_of_fix = f"=={cpu_build.version}" if cpu_build else "  # choose one of its versions"
    fix = f"{cpu_name}{version_of_fix}"
    yield Finding(
        code="cuda-on-cpu",
        severity=FindingSeverity.ERROR,
        subject=package.name,
        sentence=(
            f"{package.name} {version} contains GPU code{extra}, but {target.platform.title} has "
            f"no GPU; replace {package.name} with {cpu_name}, the same library without it"
        ),
        fix=fix,
        saves_bytes=saves,
        saves_slug_bytes=saves_slug,
        origin=origin(package),
    )


def _gpu_direct(direct: Sequence[DistributionSize], sizes: SizeReport) -> Finding:
    names = [d.name for d in direct]
    lines = [f"# remove: {d.name}=={d.distribution.version}" for d in direct]
    return Finding(
        code="cuda-on-cpu",
        severity=FindingSeverity.ERROR,
        subject=names[0],
        sentence=(
            f"{listed(names)} {'is' if len(names) == 1 else 'are'} for NVIDIA GPUs only, but "
            f"{sizes.target.platform.title} has no GPU: remove the line"
            + ("" if len(names) == 1 else "s")
        ),
        fix="\n".join(lines),
        saves_bytes=sum(d.installed_bytes for d in direct),
        saves_slug_bytes=sum(d.slug.value for d in direct),
        origin=origin(direct[0]),
    )


def opencv_findings(sizes: SizeReport) -> Iterable[Finding]:
    """Yield the findings about OpenCV."""
    installed = {d.name: d for d in sizes.distributions if d.name in OPENCV}
    if len(installed) > 1:
        yield _two_opencvs(installed, sizes)
        return
    missing = any("libGL" in library for library in sizes.target.stack.missing_libraries)
    for name, package in installed.items():
        if name in HEADLESS and missing:
            yield _opencv_with_gui(package, sizes.target)


def _two_opencvs(installed: dict[str, DistributionSize], sizes: SizeReport) -> Finding:
    kept = next((n for n in HEADLESS.values() if n in installed), next(iter(installed)))
    gone = [d for name, d in installed.items() if name != kept]
    shared = sum(o.bytes for o in sizes.overlaps if set(o.names) <= set(installed))
    return Finding(
        code="two-opencvs",
        severity=FindingSeverity.ERROR,
        subject=gone[0].name,
        sentence=(
            f"{listed(sorted(installed))} overlap in the folder cv2: the last one installed wins; "
            f"{gone[0].name} is required by {required_by(gone[0])}"
        ),
        fix=_opencv_fix(gone, installed[kept]),
        saves_bytes=max(0, sum(d.installed_bytes for d in gone) - shared),
        origin=origin(gone[0]),
    )


def _opencv_with_gui(package: DistributionSize, target: Target) -> Finding:
    headless = f"{HEADLESS[package.name]}=={package.distribution.version}"
    return Finding(
        code="opencv-gui",
        severity=FindingSeverity.ERROR,
        subject=package.name,
        sentence=(
            f"{package.name} needs libGL.so.1, which {target.stack.name} does not have: "
            f"`import cv2` fails at boot; required by {required_by(package)}"
        ),
        fix=headless if package.distribution.direct else _post_compile([package.name], headless),
        origin=origin(package),
    )


def _opencv_fix(gone: Sequence[DistributionSize], kept: DistributionSize) -> str:
    pin = f"{kept.name}=={kept.distribution.version}"
    if all(d.distribution.direct and not d.required_by for d in gone):
        removed = [f"# remove: {d.name}=={d.distribution.version}" for d in gone]
        return "\n".join([*removed, pin])
    return _post_compile([d.name for d in gone], pin)


def _post_compile(names: Sequence[str], pin: str) -> str:
    # pip cannot leave out a dependency of another distribution, so it is replaced afterwards
    return (
        "# in bin/post_compile, which the buildpack runs after pip:\n"
        f"pip uninstall --yes {' '.join(names)} {pin.partition('==')[0]}\n"
        f"pip install --no-deps {pin}"
    )


def findings(
    sizes: SizeReport, *, find_equivalent: FindEquivalent, newest_python: str | None = None
) -> tuple[Finding, ...]:
    """Return the findings, the most severe first.

    ``newest_python`` is the platform's newest Python with wheels for everything, if a package has
    to be built from source.
    """
    all_findings = [
        *gpu_findings(sizes, find_equivalent),
        *opencv_findings(sizes),
        *_other_systems(sizes),
        *builds.failing_builds(sizes, newest_python),
        *builds.source_builds(sizes, newest_python, find_equivalent),
        *_placeholder(sizes),
        *_python_status(sizes.target),
        *_development(sizes),
    ]
    order = list(FindingSeverity)
    return tuple(
        sorted(all_findings, key=lambda f: (order.index(f.severity), -(f.saves_bytes or 0)))
    )


def _other_systems(sizes: SizeReport) -> Iterable[Finding]:
    for unsized in sizes.unsized:
        yield from _foreign(unsized.name, unsized.version, unsized.origin, FindingSeverity.ERROR)
    for package in sizes.distributions:
        if package.distribution.direct:
            yield from _foreign(
                package.name,
                package.distribution.version,
                origin(package),
                FindingSeverity.INFO,
                package.installed_bytes,
            )


def _foreign(
    name: str,
    version: str | None,
    origin: Origin | None,
    severity: FindingSeverity,
    saves: int | None = None,
) -> Iterable[Finding]:
    for system, (title, pattern) in OTHER_SYSTEMS.items():
        if pattern.match(name):
            pin = f"{name}=={version}" if version else name
            effect = "pip fails" if severity is FindingSeverity.ERROR else "it has no effect"
            yield Finding(
                code="other-system",
                severity=severity,
                subject=name,
                sentence=f"{name} is for {title} only, but the target is Linux: {effect}",
                fix=f'{pin} ; sys_platform == "{system}"',
                saves_bytes=saves,
                origin=origin,
            )


def _placeholder(sizes: SizeReport) -> Iterable[Finding]:
    named = {package.name: origin(package) for package in sizes.distributions}
    named |= {unsized.name: unsized.origin for unsized in sizes.unsized}
    if "sklearn" in named:
        yield Finding(
            code="placeholder",
            severity=FindingSeverity.WARNING,
            subject="sklearn",
            sentence="sklearn is an empty placeholder; the library is called scikit-learn",
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
    roots = {root.name: root for root in sizes.roots if root.name in DEVELOPMENT}
    heavy = [root for root in roots.values() if root.exclusive_bytes > 0]
    if not heavy:
        return
    by_name = {d.name: d for d in sizes.distributions}
    yield Finding(
        code="development-tools",
        severity=FindingSeverity.INFO,
        subject=heavy[0].name,
        sentence=(
            f"development tools, which a deployed app rarely needs: "
            f"{listed([root.name for root in heavy])} (with the packages that only they require)"
        ),
        fix="\n".join(_removal(root, by_name[root.name]) for root in heavy),
        saves_bytes=sum(root.exclusive_bytes for root in heavy),
        saves_slug_bytes=sum(root.exclusive_slug_bytes for root in heavy),
        origin=origin(by_name[heavy[0].name]),
    )


def _removal(root: RootSize, package: DistributionSize) -> str:
    return f"# remove: {root.name}=={package.distribution.version}"

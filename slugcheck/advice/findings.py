"""Findings: what is wrong or wasteful in the dependencies, with the fixes to try for each.

Pure functions of the sizes and inventories: they run on the project and on what each fix leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from packaging.version import InvalidVersion

from slugcheck import reading
from slugcheck.advice import builds
from slugcheck.advice.edits import Edit
from slugcheck.advice.fixes import Candidate, Problem
from slugcheck.advice.trial import Measured
from slugcheck.model import (
    DistributionSize,
    Finding,
    FindingSeverity,
    Inventory,
    Origin,
    Program,
    SizeReport,
    Target,
)
from slugcheck.packages import known
from slugcheck.packages.known import (
    CPU_BUILDS,
    DEVELOPMENT,
    GPU_EXTRA,
    GPU_ONLY,
    HEADLESS,
    LIGHTER,
    OPENCV,
    OTHER_SYSTEMS,
    TORCH_CUDA,
    TORCH_FAMILY,
)
from slugcheck.text import listed, plural

_SHOWN = 4  # names in a sentence


def problems(
    measured: Measured, own: tuple[Candidate, ...] = (), programs: Sequence[Program] = ()
) -> list[Problem]:
    """Return what is wrong or wasteful in a state of the project, each with fixes to try.

    ``own`` are the project's own ways to a PyTorch without CUDA, which come first. ``programs`` are
    those that its processes start.
    """
    sizes = measured.sizes
    return [
        *gpu_problems(sizes, measured.inventories, own),
        *opencv_problems(sizes),
        *_other_systems(sizes),
        *builds.failing_builds(sizes),
        *builds.refused_wheels(sizes),
        *builds.doubtful_builds(sizes),
        *builds.missing_libraries(sizes),
        *builds.missing_programs(sizes, measured.inventories.values(), programs),
        *builds.source_builds(sizes),
        *_placeholder(sizes),
        *_python_status(sizes.target),
        *_development(sizes),
        *_lighter(sizes),
    ]


def required_by(package: DistributionSize) -> str:
    """Return what requires a distribution: lines of the file, or other distributions."""
    if package.distribution.direct:
        return str(origin(package) or "the file itself")
    return listed(package.required_by) or "another distribution"


def origin(package: DistributionSize) -> Origin | None:
    """Return the first line that requires it."""
    return package.distribution.origins[0] if package.distribution.origins else None


def _version(package: DistributionSize) -> str:
    """Return the version without a local label: 2.5.1 of 2.5.1+cu124."""
    return package.distribution.version.partition("+")[0]


# --------------------------------------------------------------------------- GPU


def gpu_problems(
    sizes: SizeReport, inventories: Mapping[str, Inventory], own_ways: tuple[Candidate, ...] = ()
) -> Iterable[Problem]:
    """Yield the packages that need a GPU, with their CPU versions, on a platform without one."""
    if sizes.target.platform.gpu or sizes.target.stack.is_pyodide:
        return
    installed = {d.name: d for d in sizes.distributions}
    gpu = {n: d for n, d in installed.items() if GPU_ONLY.match(n) and n not in CPU_BUILDS}
    if "torch" in installed:
        own = {n: d for n, d in gpu.items() if "torch" in _pullers(d, gpu)}
        bundled = _bundled_cuda(sizes, inventories.get("torch"))
        if own or bundled:
            direct = {n: d for n, d in gpu.items() if d.distribution.direct}
            problem = _torch(sizes, installed, own, direct)
            least = problem.estimate_bytes + bundled
            yield replace(
                problem, candidates=(*own_ways, *problem.candidates), estimate_bytes=least
            )
            gpu = {n: d for n, d in gpu.items() if n not in own and n not in direct}
    for name, cpu_name in CPU_BUILDS.items():
        if name in installed:
            own = {n: d for n, d in gpu.items() if name in _pullers(d, gpu)}
            yield _twin(sizes, installed[name], cpu_name, own)
            gpu = {n: d for n, d in gpu.items() if n not in own}
    for package in installed.values():
        kept = tuple(e for e in package.distribution.extras if not GPU_EXTRA.search(e))
        own = {n: d for n, d in gpu.items() if package.name in _pullers(d, gpu)}
        if own and package.distribution.direct and kept != package.distribution.extras:
            yield _gpu_extra(sizes, package, kept, own)
            gpu = {n: d for n, d in gpu.items() if n not in own}
    direct = {n: d for n, d in gpu.items() if d.distribution.direct}
    if direct:
        yield _gpu_direct(list(direct.values()), sizes)


def _pullers(package: DistributionSize, gpu: Mapping[str, DistributionSize]) -> frozenset[str]:
    """Return the distributions that require a GPU one, directly or through other GPU ones."""
    seen: set[str] = set()
    waiting = list(package.required_by)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(gpu[name].required_by if name in gpu else ())
    return frozenset(seen)


def _bundled_cuda(sizes: SizeReport, inventory: Inventory | None) -> int:
    """Return the bytes of CUDA in torch's own wheel, in the figure that the platform limits."""
    entries = inventory.entries if inventory else ()
    cuda = [entry for entry in entries if TORCH_CUDA.match(entry.path)]
    packed = sizes.target.platform.bundle.kind.is_packed
    return sum(entry.compressed if packed else entry.size for entry in cuda)


def _torch(
    sizes: SizeReport,
    installed: Mapping[str, DistributionSize],
    gpu: Mapping[str, DistributionSize],
    direct_gpu: Mapping[str, DistributionSize],
) -> Problem:
    torch, title = installed["torch"], sizes.target.platform.title
    family = [installed[name] for name in TORCH_FAMILY if name in installed]
    lines = {package.name: f"{package.name}=={_version(package)}+cpu" for package in family}
    direct = [package.name for package in family if package.distribution.direct]
    edit = Edit(
        replace=tuple((name, lines[name]) for name in direct),
        add=tuple(line for name, line in lines.items() if name not in direct),
        remove=tuple(direct_gpu),
        index_url=f"{known.PYTORCH_INDEX}/cpu",
        index_names=tuple(lines),
        free=tuple(gpu),
    )
    if gpu:
        names = listed(sorted(gpu), _SHOWN)
        what = f"requires {plural(len(gpu), 'GPU-only package')} ({names})"
    else:
        what = "contains CUDA"
    by = "" if torch.distribution.direct else f", required by {required_by(torch)},"
    return Problem(
        finding=Finding(
            code="cuda-on-cpu",
            severity=FindingSeverity.ERROR,
            subject="torch",
            sentence=f"torch {torch.distribution.version}{by} {what}, but {title} has no GPU",
            fix="",
            origin=sizes.line_of("torch"),
        ),
        candidates=(Candidate(edit=edit),),
        saves=True,
        estimate_bytes=_bundle(gpu.values()),
    )


def _bundle(packages: Iterable[DistributionSize]) -> int:
    """Return what the platform counts of distributions."""
    return sum(d.bundle.value for d in packages)


def _twin(
    sizes: SizeReport,
    package: DistributionSize,
    cpu_name: str,
    gpu: Mapping[str, DistributionSize],
) -> Problem:
    name, version, title = package.name, _version(package), sizes.target.platform.title
    extras = [e for e in package.distribution.extras if not GPU_EXTRA.search(e)]
    head = f"{cpu_name}[{','.join(extras)}]" if extras else cpu_name
    direct_gpu = tuple(n for n, d in gpu.items() if d.distribution.direct)
    already = any(d.name == cpu_name for d in sizes.distributions)
    candidates = []
    for specifier in _near(version):
        line = f"{head}{specifier}"
        if package.distribution.direct and not package.required_by:
            edit = Edit(
                replace=() if already else ((name, line),),
                remove=(*((name,) if already else ()), *direct_gpu),
                free=tuple(gpu),
            )
        elif package.distribution.direct:
            edit = Edit(replace=((name, line),), drop=(name,), remove=direct_gpu, free=tuple(gpu))
        else:
            edit = Edit(add=() if already else (line,), drop=(name,), free=tuple(gpu))
        candidates.append(Candidate(edit=edit))
    extra = f" and requires {listed(sorted(gpu), _SHOWN)}" if gpu else ""
    return Problem(
        finding=Finding(
            code="cuda-on-cpu",
            severity=FindingSeverity.ERROR,
            subject=name,
            sentence=(
                f"{name} {package.distribution.version} contains GPU code{extra}, but {title} has "
                f"no GPU; {cpu_name} is the same library without it"
            ),
            fix="",
            origin=sizes.line_of(name),
        ),
        candidates=tuple(candidates),
        saves=True,
        # a version of the library may be small on its own, and then has no other build
        uncertain=not gpu and "gpu" not in name,
        estimate_bytes=_bundle(gpu.values()),
    )


def _near(version: str) -> tuple[str, ...]:
    """Return specifiers for a version and the nearest ones of the same library."""
    try:
        release = reading.version(version).release
    except InvalidVersion:
        return ("",)
    nearest = [f"=={version}"]
    if len(release) > 1:
        nearest.append(f"=={release[0]}.{release[1]}.*")
    return (*nearest, f"=={release[0]}.*")


def _gpu_extra(
    sizes: SizeReport,
    package: DistributionSize,
    kept: Sequence[str],
    gpu: Mapping[str, DistributionSize],
) -> Problem:
    name, lost = package.name, set(package.distribution.extras) - set(kept)
    extras = f"[{','.join(kept)}]" if kept else ""
    line = f"{name}{extras}=={package.distribution.version}"
    direct_gpu = tuple(n for n, d in gpu.items() if d.distribution.direct)
    edit = Edit(replace=((name, line),), remove=direct_gpu, free=tuple(gpu))
    return Problem(
        finding=Finding(
            code="cuda-on-cpu",
            severity=FindingSeverity.ERROR,
            subject=name,
            sentence=(
                f"{name}[{','.join(sorted(lost))}] requires "
                f"{plural(len(gpu), 'GPU-only package')} ({listed(sorted(gpu), _SHOWN)}), but "
                f"{sizes.target.platform.title} has no GPU"
            ),
            fix="",
            origin=origin(package),
        ),
        candidates=(Candidate(edit=edit),),
        saves=True,
        estimate_bytes=_bundle(gpu.values()),
    )


def _gpu_direct(direct: Sequence[DistributionSize], sizes: SizeReport) -> Problem:
    names = [d.name for d in direct]
    return Problem(
        finding=Finding(
            code="cuda-on-cpu",
            severity=FindingSeverity.ERROR,
            subject=names[0],
            sentence=(
                f"{listed(names)} {'is' if len(names) == 1 else 'are'} for NVIDIA GPUs only, but "
                f"{sizes.target.platform.title} has no GPU: remove the line"
                + ("" if len(names) == 1 else "s")
            ),
            fix="",
            origin=origin(direct[0]),
        ),
        candidates=(Candidate(edit=Edit(remove=tuple(names))),),
        saves=True,
        estimate_bytes=_bundle(direct),
    )


# --------------------------------------------------------------------------- OpenCV


def opencv_problems(sizes: SizeReport) -> Iterable[Problem]:
    """Yield what is wrong with OpenCV."""
    installed = {d.name: d for d in sizes.distributions if d.name in OPENCV}
    missing = any("libGL" in library for library in sizes.target.stack.missing_libraries)
    if len(installed) > 1:
        yield _two_opencvs(installed, sizes, headless=missing)
        return
    for name, package in installed.items():
        if name in HEADLESS and missing:
            yield _opencv_with_gui(package, sizes)


def _two_opencvs(
    installed: Mapping[str, DistributionSize], sizes: SizeReport, *, headless: bool
) -> Problem:
    # contrib holds everything that the other has
    flavor = "opencv-contrib-python" if any("contrib" in n for n in installed) else "opencv-python"
    wanted = HEADLESS[flavor] if headless or HEADLESS[flavor] in installed else flavor
    source = installed.get(wanted) or installed.get(flavor) or next(iter(installed.values()))
    gone = [d for name, d in installed.items() if name != wanted]
    subject = gone[0]
    # a version that the project pins itself comes first
    pinned = [d for d in gone if d.distribution.direct]
    versions = dict.fromkeys(d.distribution.version for d in (*pinned, source))
    is_direct = _is_direct(installed.get(wanted))
    if is_direct:
        versions = {source.distribution.version: None}
    return Problem(
        finding=Finding(
            code="two-opencvs",
            severity=FindingSeverity.ERROR,
            subject=subject.name,
            sentence=(
                f"{listed(sorted(installed))} overlap in the folder cv2: the last one installed "
                f"wins; {subject.name} is required by {required_by(subject)}"
            ),
            fix="",
            origin=sizes.line_of(subject.name),
        ),
        candidates=tuple(
            Candidate(edit=_only(wanted, f"{wanted}=={version}", gone, is_direct=is_direct))
            for version in versions
        ),
    )


def _is_direct(package: DistributionSize | None) -> bool:
    return package is not None and package.distribution.direct


def _only(wanted: str, line: str, gone: Sequence[DistributionSize], *, is_direct: bool) -> Edit:
    """Return the edit that leaves one of several distributions with the same files."""
    direct = [d.name for d in gone if d.distribution.direct]
    pulled = tuple(d.name for d in gone if d.required_by)
    if is_direct:
        # its line stays; written again where it has to be installed after the others
        return Edit(replace=((wanted, line),), remove=tuple(direct), drop=pulled)
    if direct:
        return Edit(replace=((direct[0], line),), remove=tuple(direct[1:]), drop=pulled)
    return Edit(add=(line,), drop=pulled)


def _opencv_with_gui(package: DistributionSize, sizes: SizeReport) -> Problem:
    wanted = HEADLESS[package.name]
    candidates = tuple(
        Candidate(edit=_only(wanted, f"{wanted}{specifier}", [package], is_direct=False))
        for specifier in _near(package.distribution.version)
    )
    return Problem(
        finding=Finding(
            code="opencv-gui",
            severity=FindingSeverity.ERROR,
            subject=package.name,
            sentence=(
                "the app will crash at boot: import cv2 needs libGL.so.1, which "
                f"{sizes.target.system} does not have; {package.name} is required by "
                f"{required_by(package)}"
            ),
            fix="",
            origin=sizes.line_of(package.name),
        ),
        candidates=candidates,
    )


# --------------------------------------------------------------------------- other systems


def _other_systems(sizes: SizeReport) -> Iterable[Problem]:
    for unsized in sizes.unsized:
        yield from _foreign(unsized.name, unsized.version, unsized.origin, FindingSeverity.ERROR)
    for package in sizes.distributions:
        if package.distribution.direct:
            yield from _foreign(
                package.name,
                package.distribution.version,
                origin(package),
                FindingSeverity.INFO,
            )


def _foreign(
    name: str, version: str | None, origin: Origin | None, severity: FindingSeverity
) -> Iterable[Problem]:
    for system, (title, pattern) in OTHER_SYSTEMS.items():
        if pattern.match(name):
            pin = f"{name}=={version}" if version else name
            effect = "pip fails" if severity is FindingSeverity.ERROR else "it has no effect"
            finding = Finding(
                code="other-system",
                severity=severity,
                subject=name,
                sentence=f"{name} is for {title} only, but the target is Linux: {effect}",
                fix="",
                origin=origin,
            )
            text = f'{pin} ; sys_platform == "{system}"'
            # on the target, the marker leaves the line out
            edit = Edit(remove=(name,))
            yield Problem(finding=finding, candidates=(Candidate(edit=edit, text=text),))


# --------------------------------------------------------------------------- the rest


def _placeholder(sizes: SizeReport) -> Iterable[Problem]:
    """Yield sklearn where it can be installed; where it cannot, the build fails."""
    named = {
        package.name: origin(package)
        for package in sizes.distributions
        if not (package.distribution.source_build and package.distribution.source_build.failure)
    }
    named |= {unsized.name: unsized.origin for unsized in sizes.unsized}
    if "sklearn" not in named:
        return
    edit = builds.successor_of("sklearn", sizes)
    yield Problem(
        finding=Finding(
            code="placeholder",
            severity=FindingSeverity.WARNING,
            subject="sklearn",
            sentence="sklearn is an empty placeholder; the library is called scikit-learn",
            fix="",
            origin=named["sklearn"],
        ),
        candidates=() if edit is None else (Candidate(edit=edit),),
    )


def _python_status(target: Target) -> Iterable[Problem]:
    if target.python.status != "deprecated":
        return
    default = target.platform.default_python
    newer = [
        release.minor
        for release in reversed(target.platform.pythons)
        if release.status != "deprecated" and release.minor != default
    ]
    yield Problem(
        finding=Finding(
            code="python-deprecated",
            severity=FindingSeverity.WARNING,
            subject=f"Python {target.minor}",
            sentence=f"{target.platform.title} has deprecated Python {target.minor} "
            f"({target.python.source.text})",
            fix="",
        ),
        candidates=tuple(Candidate(edit=Edit(python=minor)) for minor in (default, *newer)),
    )


def _development(sizes: SizeReport) -> Iterable[Problem]:
    heavy = [r for r in sizes.roots if r.name in DEVELOPMENT and r.exclusive_bytes > 0]
    if not heavy:
        return
    by_name = {d.name: d for d in sizes.distributions}
    names = [root.name for root in heavy]
    yield Problem(
        finding=Finding(
            code="development-tools",
            severity=FindingSeverity.INFO,
            subject=heavy[0].name,
            sentence=(
                f"development tools, which a deployed app rarely needs: "
                f"{listed(names)} (with the packages that only they require)"
            ),
            fix="",
            origin=origin(by_name[heavy[0].name]),
        ),
        candidates=(Candidate(edit=Edit(remove=tuple(names))),),
        saves=True,
    )


def _lighter(sizes: SizeReport) -> Iterable[Problem]:
    """Yield libraries of which a later version has a lighter dependency tree."""
    installed = {d.name: d for d in sizes.distributions}
    for name, (heavy, first) in LIGHTER.items():
        package, brought = installed.get(name), installed.get(heavy)
        if package is None or brought is None or brought.required_by != (name,):
            continue
        if brought.distribution.direct or not package.distribution.direct:
            continue
        extras = ",".join(package.distribution.extras)
        head = f"{name}[{extras}]" if extras else name
        lines = (f"{head}=={first.rpartition('.')[0]}.*", f"{head}>={first}")
        yield Problem(
            when_tight=True,
            finding=Finding(
                code="heavy-dependency",
                severity=FindingSeverity.INFO,
                subject=name,
                sentence=(
                    f"{name} {package.distribution.version} requires {heavy}, which {name} "
                    f"{first} and later do not"
                ),
                fix="",
                origin=origin(package),
            ),
            candidates=tuple(
                Candidate(edit=Edit(replace=((name, line),), free=(heavy,))) for line in lines
            ),
            saves=True,
            uncertain=True,
        )

"""Findings about builds: what cannot be built on the platform, and what takes long to build."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from slugcheck.model import (
    BuildNeed,
    DistributionSize,
    Finding,
    FindingSeverity,
    SizeReport,
    SourceBuild,
    Target,
)
from slugcheck.text import listed

FAILS = "build-fails"
# How sentences call the packages of a build image; others, of headers, go by their own name.
_TOOLS = {
    "cargo": "Rust",
    "cmake": "CMake",
    "gfortran": "a Fortran compiler",
    "golang-go": "Go",
    "nvidia-cuda-toolkit": "the CUDA toolkit",
    "swig": "SWIG",
}


# (name, version) -> whatever stands for that distribution, None if the index does not have it
FindEquivalent = Callable[[str, str], object | None]


def failing_builds(sizes: SizeReport, newest_python: str | None) -> Iterator[Finding]:
    """Yield what certainly cannot be installed: the build fails, or pip refuses to begin."""
    for package in sizes.distributions:
        build = package.distribution.source_build
        if build is not None and (reason := why_it_fails(build, sizes.target, package)):
            yield Finding(
                code=FAILS,
                severity=FindingSeverity.ERROR,
                subject=package.name,
                sentence=(
                    f"the build will fail: {package.name} {package.distribution.version} "
                    f"({_line_of(package, sizes)}) {reason}"
                ),
                fix=_failure_fix(package, build, newest_python, sizes.target),
                origin=sizes.line_of(package.name),
            )


def why_it_fails(build: SourceBuild, target: Target, package: DistributionSize) -> str:
    """Return why a distribution cannot be installed, after its name; "" if it may be."""
    minor = target.minor
    missing = missing_packages(build, target)
    lacking = [need for need in missing if not need.fetched]
    if not lacking and not build.failure:
        return ""
    if build.refused and build.failure.startswith("its metadata"):
        return f"does not support Python {minor}: {build.failure}"
    from_source = build.wheel_fits or package.distribution.direct_url
    start = "is built from source" if from_source else f"has no wheel for Python {minor}"
    if build.refused:
        return f"{start}, and {build.failure}"
    if not missing:
        return f"{start}, and building it fails: {build.failure}"
    needs = listed([_TOOLS.get(need.package, need.package) for need in missing])
    image = f"{target.stack.name}'s build image does not have"
    also = f"; {build.failure}" if build.failure else ""
    return f"{start}, and building it needs {needs}, which {image}{also}"


def missing_packages(build: SourceBuild, target: Target) -> tuple[BuildNeed, ...]:
    """Return what a build needs and the build image is known not to have."""
    image = target.stack.build_image
    if image is None:
        return ()
    return tuple(need for need in build.needs if need.package not in image.packages)


def _line_of(package: DistributionSize, sizes: SizeReport) -> str:
    line = sizes.line_of(package.name)
    if package.distribution.direct or not package.required_by:
        return str(line or "the file itself")
    versions = {size.name: size.distribution.version for size in sizes.distributions}
    parent = package.required_by[0]
    by = f"required by {parent} {versions.get(parent, '')}".rstrip()
    return f"{by}, {line}" if line else by


def _failure_fix(
    package: DistributionSize, build: SourceBuild, newest_python: str | None, target: Target
) -> str:
    if newest_python is not None and newest_python != target.minor:
        return (
            f"# Python {newest_python} is the newest with wheels for every pin; in .python-version:"
            f"\n{newest_python}"
        )
    headers = [n.package for n in missing_packages(build, target) if n.package.endswith("-dev")]
    if headers and not build.failure and target.platform.buildpack:
        return "\n".join(["# in Aptfile, with the apt buildpack before Python's:", *headers])
    return f"# choose another version of {package.name}"


def source_builds(
    sizes: SizeReport, newest_python: str | None, find_equivalent: FindEquivalent
) -> Iterable[Finding]:
    """Yield what is compiled during the build, which may take long or fail."""
    built = [d for d in sizes.distributions if d.distribution.source_build is not None]
    native = [
        d
        for d in built
        if (build := d.distribution.source_build)
        and build.native
        and not why_it_fails(build, sizes.target, d)
    ]
    if not native:
        return
    minor = sizes.target.minor
    names = listed([f"{d.name} {d.distribution.version}" for d in native])
    sentence = (
        f"{names}: no wheel for Python {minor} on {sizes.target.stack.name}, so the build compiles "
        "from source, which takes minutes for each and may time out or fail"
    )
    yield Finding(
        code="built-from-source",
        severity=FindingSeverity.WARNING,
        subject=native[0].name,
        sentence=sentence,
        fix=_source_fix(native, newest_python, minor, find_equivalent),
        origin=sizes.line_of(native[0].name),
    )


def _source_fix(
    native: Sequence[DistributionSize],
    newest_python: str | None,
    minor: str,
    find_equivalent: FindEquivalent,
) -> str:
    lines = []
    if newest_python is not None and newest_python != minor:
        lines.append(
            f"# Python {newest_python} is the newest with wheels for every pin; in .python-version:"
        )
        lines.append(newest_python)
    lines.extend(
        f"psycopg2-binary=={package.distribution.version}"
        for package in native
        if package.name == "psycopg2"
        and find_equivalent("psycopg2-binary", package.distribution.version)
    )
    if not lines:
        verb = "has no wheel and is" if len(native) == 1 else "have no wheel and are"
        lines.append(f"# {listed([d.name for d in native])} {verb} compiled during the build")
    return "\n".join(lines)

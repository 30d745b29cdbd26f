"""Problems of builds and boots: what cannot be built or imported, and what takes long to build."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.advice.edits import Edit
from slugcheck.advice.fixes import Candidate, Problem, comment
from slugcheck.model import (
    BuildNeed,
    Buildpack,
    DistributionSize,
    Finding,
    FindingSeverity,
    Inventory,
    Origin,
    Program,
    RequirementSet,
    SizeReport,
    SourceBuild,
    Target,
)
from slugcheck.packages.known import PROGRAMS, RUNTIME_LIBRARIES, SUCCESSORS
from slugcheck.policy.budgets import COMPILES, FAILS, MAY_FAIL
from slugcheck.sizing import build_time
from slugcheck.text import listed, plural

# How sentences call the packages of a build image; others, of headers, go by their own name.
_TOOLS = {
    "cargo": "Rust",
    "cmake": "CMake",
    "gfortran": "a Fortran compiler",
    "golang-go": "Go",
    "nvidia-cuda-toolkit": "the CUDA toolkit",
    "swig": "SWIG",
}
# Beyond that many lines to change, another Python is tried first.
_FEW_LINES = 1  # of more, one line that names another Python is the smaller change
_MOST_PYTHONS = 2
_NAMED = 3
_MOST_GROUPS = 3  # that are fixed on their own: each fix takes a resolution or more
_LONG_BUILD_SECONDS = 60.0

_Failing = tuple[DistributionSize, SourceBuild, str]


# --------------------------------------------------------------------------- what fails


def failing_builds(sizes: SizeReport) -> Iterator[Problem]:
    """Yield what certainly cannot be installed: the build fails, or pip refuses to begin.

    What has wheels for other Pythons is fixed together: its first finding gets the fix.
    """
    failing = [
        (package, build, reason)
        for package in sizes.distributions
        if (build := package.distribution.source_build)
        and (reason := why_it_fails(build, sizes.target, package))
    ]
    failing.sort(key=lambda failure: not failure[0].distribution.direct)
    together = _together(failing)
    for package, build, reason in failing:
        candidates = _candidates(together[package.name], sizes) if package.name in together else ()
        first = next(
            (
                name
                for name, group in together.items()
                if any(member[0] is package for member in group)
            ),
            None,
        )
        untried = comment("no fix tried: fix the builds above first, then check again")
        shared = f"# tried together with {first}: see there" if first != package.name else ""
        yield Problem(
            finding=Finding(
                code=FAILS,
                severity=FindingSeverity.ERROR,
                subject=package.name,
                sentence=(
                    f"the build will fail: {package.name} {package.distribution.version} "
                    f"({_line_of(package, sizes)}) {reason}"
                ),
                fix="",
                origin=sizes.line_of(package.name),
            ),
            candidates=tuple(candidates),
            otherwise=_headers(build, sizes.target) or (shared if first else untried),
        )


def _together(failing: Sequence[_Failing]) -> dict[str, list[_Failing]]:
    """Return what is fixed at once, by the name whose finding gets the fix.

    A version without any wheel must not keep those that have some from their fix.
    """
    groups: dict[str, list[_Failing]] = {}
    for failure in failing:
        package, build, _ = failure
        groups.setdefault("" if build.pythons_with_wheels else package.name, []).append(failure)
    tried = list(groups.values())[:_MOST_GROUPS]
    return {group[0][0].name: group for group in tried}


def why_it_fails(build: SourceBuild, target: Target, package: DistributionSize) -> str:
    """Return why a distribution cannot be installed, after its name; "" if it may be."""
    minor = target.minor
    if build.refused and target.stack.is_pyodide and not build.failure.startswith("its metadata"):
        wheels = f"no wheel for Pyodide's Python {minor}, nor one in pure Python"
        return f"cannot run there: it has {wheels}"
    missing = missing_packages(build, target)
    lacking = [need for need in missing if not need.fetched]
    if not lacking and not build.failure:
        return ""
    if build.refused and build.failure.startswith("its metadata has"):
        return f"cannot be installed: {build.failure}"
    if build.refused and build.failure.startswith("its metadata"):
        return f"does not support Python {minor}: {build.failure}"
    url = package.distribution.direct_url
    if build.refused and url and package.distribution.artifact.filename.endswith(".whl"):
        return f"cannot be installed with Python {minor}: {build.failure}"
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


def _headers(build: SourceBuild, target: Target) -> str:
    """Return how to install the headers that a build needs, "" where that would not help."""
    needs = [need.package for need in missing_packages(build, target)]
    if build.failure or target.platform.buildpack is not Buildpack.CLASSIC:
        return ""
    if not needs or not all(need.endswith("-dev") for need in needs):
        return ""
    return "\n".join(["# in Aptfile, with the apt buildpack before Python's:", *needs])


def refused_wheels(sizes: SizeReport) -> Iterator[Problem]:
    """Yield the lines that name a wheel which pip refuses, and which has no size either."""
    for unsized in sizes.unsized:
        if unsized.refusal:
            shown = f"{unsized.name} {unsized.version}" if unsized.version else unsized.name
            place = f" ({unsized.origin})" if unsized.origin else ""
            yield Problem(
                finding=Finding(
                    code=FAILS,
                    severity=FindingSeverity.ERROR,
                    subject=unsized.name,
                    sentence=(
                        f"the build will fail: pip refuses {shown}{place}, since {unsized.refusal}"
                    ),
                    fix="",
                    origin=unsized.origin,
                ),
                otherwise=f"# name a wheel for Python {sizes.target.minor}, or its Python in "
                ".python-version",
            )


def missing_hashes(read: RequirementSet, sizes: SizeReport) -> Iterator[Finding]:
    """Yield that pip refuses a file where some lines have hashes, but not every package has one."""
    if not read.options.require_hashes:
        return
    hashed = {line.name for line in read.requirements if line.hashes}
    bare = [d for d in sizes.distributions if d.name not in hashed]
    if not bare:
        return
    bare.sort(key=lambda package: not package.distribution.direct)
    path = shlex.quote(read.path)
    named = listed([f"{d.name} ({_line_of(d, sizes)})" for d in bare], _NAMED)
    verb = "has" if len(bare) == 1 else "have"
    yield Finding(
        code="missing-hashes",
        severity=FindingSeverity.ERROR,
        subject=bare[0].name,
        sentence=(
            "the build will fail: with hashes in the file pip requires one for every package, and "
            f"{named} {verb} none"
        ),
        fix=f"uv pip compile {path} --generate-hashes --output-file {path}",
        origin=sizes.line_of(bare[0].name),
    )


# --------------------------------------------------------------------------- what helps


def _candidates(failing: Sequence[_Failing], sizes: SizeReport) -> list[Candidate]:
    """Return the nearest newer versions with wheels, the newest Pythons, and older versions.

    Where the lines that fail can only change with others that are built from source, all of these
    are tried together. What never had a wheel may be built from another source archive.
    """
    names = [package.name for package, _, _ in failing]
    more = names[1:]
    note = f"also fixes {listed(more)}" if more else ""
    pythons = [
        Candidate(edit=Edit(python=minor), note=note)
        for minor in _pythons([build for _, build, _ in failing], sizes.target)
    ]
    by_name = {size.name: size for size in sizes.distributions}
    successor = [Candidate(edit=edit) for name in names if (edit := successor_of(name, sizes))]
    roots = _roots(names, by_name)
    if not roots:
        return [*successor, *pythons]
    newer = Candidate(edit=_other_versions(roots, names, ">"), note=note)
    older = Candidate(edit=_other_versions(roots, names, "<"), note=note)
    built = [
        size.name
        for size in sizes.distributions
        if (build := size.distribution.source_build)
        and (build.native or build.failure)
        and (size.name in names or not _has_own_fix(build))
    ]
    every = _roots(built, by_name)
    widened = Candidate(edit=_other_versions(every, built, ">"), note=note)
    together = [widened] if len(every) > len(roots) else []
    wheels = any(b.pythons_with_wheels or (b.refused and b.wheel_fits) for _, b, _ in failing)
    if not wheels:
        newest = replace(newer, edit=replace(newer.edit, wheels_only=False, lowest=False))
        native = any(build.native for _, build, _ in failing)
        near = [] if native else [replace(newer, edit=replace(newer.edit, wheels_only=False))]
        return [*successor, newer, *together, *near, *pythons[:1], newest, older]
    if len(roots) > _FEW_LINES:
        return [*successor, *pythons, newer, *together, older]
    return [*successor, newer, *together, *pythons, older]


def successor_of(name: str, sizes: SizeReport) -> Edit | None:
    """Return the edit that puts a distribution's successor in its place.

    None where it has none, or where the project does not name it.
    """
    successor = SUCCESSORS.get(name)
    direct = {size.name: size.distribution for size in sizes.distributions}
    lines = {name for name, distribution in direct.items() if distribution.direct}
    lines |= {canonicalize_name(unsized.name) for unsized in sizes.unsized if unsized.origin}
    if successor is None or name not in lines:
        return None
    if successor in lines:
        return Edit(remove=(name,))
    return Edit(replace=((name, successor),))


def _has_own_fix(build: SourceBuild) -> bool:
    """Whether it fails and never had a wheel: its fix is tried apart (``_together``)."""
    return bool(build.failure) and not build.pythons_with_wheels


def _other_versions(roots: Sequence[DistributionSize], names: Sequence[str], operator: str) -> Edit:
    return Edit(
        replace=tuple((root.name, _line(root, operator)) for root in roots),
        free=tuple(names),
        lowest=operator == ">",
        wheels_only=True,
    )


def _roots(names: Sequence[str], by_name: Mapping[str, DistributionSize]) -> list[DistributionSize]:
    """Return the direct requirements that bring distributions; none where a line cannot change."""
    roots = [by_name[name] for name in sorted({_root(name, by_name) for name in names})]
    fixed = any(not r.distribution.direct or r.distribution.direct_url for r in roots)
    return [] if fixed else roots


def _line(root: DistributionSize, operator: str) -> str:
    extras = f"[{','.join(root.distribution.extras)}]" if root.distribution.extras else ""
    return f"{root.name}{extras}{operator}{root.distribution.version}"


def _root(name: str, by_name: Mapping[str, DistributionSize]) -> str:
    """Return the direct requirement that brings a distribution, the nearest of them."""
    waiting, seen = [name], {name}
    while waiting:
        size = by_name.get(waiting.pop(0))
        if size is None:
            continue
        if size.distribution.direct:
            return size.name
        more = [parent for parent in size.required_by if parent not in seen]
        seen.update(more)
        waiting += more
    return name


def _pythons(builds: Sequence[SourceBuild], target: Target) -> list[str]:
    """Return the newest Pythons that may install all, those that the platform has deprecated apart.

    What has no wheel for any of them does not decide.
    """
    offered = [r.minor for r in target.platform.pythons if r.status != "deprecated"]
    fitting = {minor for minor in offered if minor != target.minor}
    for build in builds:
        needs_others = any(not need.fetched for need in missing_packages(build, target))
        builds_on = () if needs_others else build.pythons_that_build
        if build.pythons_with_wheels or builds_on:
            fitting &= {*build.pythons_with_wheels, *builds_on}
        elif not build.refused:
            return []  # it needs the same on each of them, or fails on each
    return sorted(fitting, key=reading.minor_key, reverse=True)[:_MOST_PYTHONS]


# --------------------------------------------------------------------------- what may fail


def doubtful_builds(sizes: SizeReport) -> Iterator[Problem]:
    """Yield the builds that are likely to fail, each with the fixes of one that does."""
    for package in sizes.distributions:
        build = package.distribution.source_build
        if build is None or not _is_doubtful(package, build, sizes.target):
            continue
        yield Problem(
            finding=Finding(
                code=MAY_FAIL,
                severity=FindingSeverity.WARNING,
                subject=package.name,
                sentence=(
                    f"the build will probably fail: {package.name} "
                    f"{package.distribution.version} ({_line_of(package, sizes)}) is built from "
                    f"source, and {build.doubt}"
                ),
                fix="",
                origin=sizes.line_of(package.name),
            ),
            candidates=tuple(_candidates([(package, build, build.doubt)], sizes)),
        )


def _is_doubtful(package: DistributionSize, build: SourceBuild, target: Target) -> bool:
    return bool(build.doubt) and not why_it_fails(build, target, package)


# --------------------------------------------------------------------------- what takes long


def source_builds(sizes: SizeReport) -> Iterator[Problem]:
    """Yield what is compiled during the build, which may take long or fail."""
    native = [
        package
        for package in sizes.distributions
        if (build := package.distribution.source_build)
        and build.native
        and not build.doubt
        and not why_it_fails(build, sizes.target, package)
    ]
    if not native:
        return
    minor = sizes.target.minor
    names = listed([f"{d.name} {d.distribution.version}" for d in native])
    verb = "has no wheel and is" if len(native) == 1 else "have no wheel and are"
    yield Problem(
        finding=Finding(
            code=COMPILES,
            severity=FindingSeverity.WARNING,
            subject=native[0].name,
            sentence=(
                f"{names}: no wheel for Python {minor} on {sizes.target.system}, so the build "
                f"compiles from source, {_time_of(native)}"
            ),
            fix="",
            origin=sizes.line_of(native[0].name),
        ),
        candidates=tuple(_source_candidates(native, sizes.target)),
        otherwise=comment(f"{listed([d.name for d in native])} {verb} compiled during the build"),
    )


def _time_of(native: Sequence[DistributionSize]) -> str:
    """Return how long it takes to compile, in words."""
    seconds = sum(map(build_time.native_seconds, native))
    if seconds < _LONG_BUILD_SECONDS:
        return f"which takes about {seconds:.0f} s"
    minutes = plural(round(seconds / 60), "minute")
    return f"which takes about {minutes} and may time out or fail"


def _source_candidates(native: Sequence[DistributionSize], target: Target) -> Iterator[Candidate]:
    for package in native:
        if package.name == "psycopg2" and package.distribution.direct and len(native) == 1:
            line = f"psycopg2-binary=={package.distribution.version}"
            yield Candidate(edit=Edit(replace=(("psycopg2", line),)))
    builds = [build for d in native if (build := d.distribution.source_build)]
    if any(build.pythons_with_wheels for build in builds):
        wheels = [build for build in builds if build.pythons_with_wheels]
        yield from (Candidate(edit=Edit(python=minor)) for minor in _pythons(wheels, target))


# --------------------------------------------------------------------------- what crashes

# What becomes of a process that starts a program which is not there. Heroku runs web and release by
# itself, other processes where the user scales them.
_CRASHES = {
    "web": ("the app will crash at boot: its {} process starts", FindingSeverity.ERROR),
    "release": ("the deploy will fail: its {} phase runs", FindingSeverity.ERROR),
}
_OTHER_CRASH = ("the {} process will crash at boot: it starts", FindingSeverity.WARNING)


def missing_libraries(sizes: SizeReport) -> Iterator[Problem]:
    """Yield the direct requirements whose import needs a library that the stack does not have."""
    stack = sizes.target.stack
    for package in sizes.distributions:
        known = RUNTIME_LIBRARIES.get(package.name)
        if known is None or not package.distribution.direct:
            continue
        module, library, fix = known
        bundled = not package.distribution.artifact.filename.endswith("-none-any.whl")
        if library not in stack.missing_libraries or bundled:
            continue
        yield Problem(
            finding=Finding(
                code="missing-library",
                severity=FindingSeverity.ERROR,
                subject=package.name,
                sentence=(
                    f"the app will crash at boot: import {module} needs {library}, which "
                    f"{sizes.target.system} does not have"
                ),
                fix="",
                origin=sizes.line_of(package.name),
            ),
            otherwise=f"# in Aptfile, with the apt buildpack before Python's:\n{fix}"
            if sizes.target.platform.buildpack is Buildpack.CLASSIC
            else f"RUN apt-get update && apt-get install -y {fix}"
            if sizes.target.base is not None
            else f"# remove: {package.name}=={package.distribution.version}",
        )


def missing_programs(
    sizes: SizeReport, inventories: Collection[Inventory], programs: Sequence[Program]
) -> Iterator[Problem]:
    """Yield the programs that a process starts and that no distribution brings.

    Nothing is missing for certain where a distribution could not be sized.
    """
    if sizes.unsized:
        return
    names = {size.name for size in sizes.distributions}
    scripts = {script for inventory in inventories for script in _scripts(inventory)}
    told: set[str] = set()
    for program in programs:
        bringing = PROGRAMS[program.name]
        if program.name in scripts or program.name in told or not names.isdisjoint(bringing):
            continue
        told.add(program.name)
        what, severity = _CRASHES.get(program.process, _OTHER_CRASH)
        yield Problem(
            finding=Finding(
                code="missing-program",
                severity=severity,
                subject=bringing[0],
                sentence=(
                    f"{what.format(program.process)} {program.name}, which no requirement installs"
                ),
                fix="",
                origin=Origin(file="Procfile", line=program.line),
            ),
            candidates=tuple(Candidate(edit=Edit(add=(name,))) for name in bringing),
        )


def _scripts(inventory: Inventory) -> Iterator[str]:
    """Yield the programs that a wheel brings, by entry points or as files."""
    yield from (name for name, _ in (*inventory.console_scripts, *inventory.gui_scripts))
    folder = f"{inventory.dist_info.removesuffix('.dist-info')}.data/scripts/"
    for entry in inventory.entries:
        if entry.path.startswith(folder):
            yield entry.path.removeprefix(folder)

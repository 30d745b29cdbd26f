"""OpenCV with a GUI where there is none, and OpenCV twice in one folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slugcheck.advise.phrases import because, listed, origin
from slugcheck.facts import HEADLESS, OPENCV
from slugcheck.model import DistributionSize, Finding, FindingSeverity, SizeReport, Target


def findings(sizes: SizeReport) -> Iterable[Finding]:
    """Yield what is wrong with the OpenCV distributions."""
    found = {d.name: d for d in sizes.distributions if d.name in OPENCV}
    if len(found) > 1:
        yield _two_opencvs(found, sizes)
        return
    missing = any("libGL" in library for library in sizes.target.stack.missing_libraries)
    for name, one in found.items():
        if name in HEADLESS and missing:
            yield _opencv_with_gui(one, sizes.target)


def _two_opencvs(found: dict[str, DistributionSize], sizes: SizeReport) -> Finding:
    kept = next((n for n in HEADLESS.values() if n in found), next(iter(found)))
    gone = [d for name, d in found.items() if name != kept]
    shared = sum(o.bytes for o in sizes.overlaps if set(o.names) <= set(found))
    return Finding(
        code="two-opencvs",
        severity=FindingSeverity.ERROR,
        subject=gone[0].name,
        sentence=(
            f"{listed(sorted(found))} both write the folder cv2, so one overwrites the other and "
            f"which one remains depends on the order of installation; {gone[0].name} comes from "
            f"{because(gone[0])}"
        ),
        fix=_opencv_fix(gone, found[kept]),
        saves_bytes=max(0, sum(d.installed_bytes for d in gone) - shared),
        origin=origin(gone[0]),
    )


def _opencv_with_gui(one: DistributionSize, target: Target) -> Finding:
    headless = f"{HEADLESS[one.name]}=={one.distribution.version}"
    return Finding(
        code="opencv-gui",
        severity=FindingSeverity.ERROR,
        subject=one.name,
        sentence=(
            f"{one.name} needs libGL.so.1, which {target.stack.name} does not have: "
            f"`import cv2` fails at boot; it comes from {because(one)}"
        ),
        fix=headless if one.distribution.direct else _post_compile([one.name], headless),
        origin=origin(one),
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

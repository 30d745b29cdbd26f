"""The causes of a size: heavy distributions that no line of the file names for what they weigh.

A cause is a group of distributions of one kind, such as the CUDA libraries under torch, or one
distribution that several direct requirements need, so that deleting one line frees none of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from slugcheck.model import Cause, DistributionSize, RootSize
from slugcheck.packages.known import GPU_ONLY
from slugcheck.text import listed

_HOLDERS = 2  # names of what needs a group, in the group's own name


def causes(
    distributions: Sequence[DistributionSize], roots: Sequence[RootSize]
) -> tuple[Cause, ...]:
    """Return the causes, the largest in the bundle first.

    Every distribution that several roots reach is in exactly one. What only one root reaches is in
    none, except GPU-only distributions below that root.
    """
    reached: dict[str, list[str]] = defaultdict(list)
    for root in roots:
        for name in (*root.exclusive_names, *root.shared_names):
            reached[name].append(root.name)
    shared = [size for size in distributions if len(reached[size.name]) > 1]
    causes = [*_gpu_groups(distributions, reached), *_singles(shared, reached)]
    return tuple(sorted(causes, key=lambda cause: (-cause.bundle_bytes, cause.name)))


def _gpu_groups(
    distributions: Sequence[DistributionSize], reached: dict[str, list[str]]
) -> Iterator[Cause]:
    """Yield what several roots share in one group, and what is below a single root in its own."""
    groups: dict[str, list[DistributionSize]] = defaultdict(list)
    for size in distributions:
        own = reached[size.name]
        if GPU_ONLY.match(size.name) and own and own != [size.name]:
            groups[own[0] if len(own) == 1 else ""].append(size)
    for members in groups.values():
        names = [size.name for size in members]
        holders = sorted({by for size in members for by in size.required_by} - set(names))
        holders = [name for name in holders if not GPU_ONLY.match(name)]
        title = f"CUDA libraries of {listed(holders, _HOLDERS)}" if holders else "CUDA libraries"
        # in a frozen file every member is a line as well; those that need them say more
        lines = {root for name in names for root in reached[name]}
        ordered = sorted(lines - set(names)) or sorted(lines)
        yield _cause(
            title if len(members) > 1 else names[0], members, ordered, shared=len(lines) > 1
        )


def _singles(shared: Sequence[DistributionSize], reached: dict[str, list[str]]) -> Iterator[Cause]:
    for size in shared:
        if not GPU_ONLY.match(size.name):
            yield _cause(size.name, [size], sorted(reached[size.name]), shared=True)


def _cause(
    name: str, members: Sequence[DistributionSize], roots: Sequence[str], *, shared: bool
) -> Cause:
    return Cause(
        name=name,
        names=tuple(size.name for size in members),
        roots=tuple(roots),
        shared=shared,
        installed_bytes=sum(size.installed_bytes for size in members),
        slug_bytes=sum(size.slug.value for size in members),
        bundle_bytes=sum(size.bundle.value for size in members),
    )

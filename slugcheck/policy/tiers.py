"""Which tier of a platform's size limit applies, and what a cold start installs.

A platform may have several values of one limit, by how it builds (``platforms/vercel.toml``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from slugcheck.errors import PlatformError
from slugcheck.model import (
    Distribution,
    DistributionSize,
    FunctionSplit,
    Limit,
    Platform,
    SizeReport,
    Tier,
    TierWhen,
)
from slugcheck.packages.index.urls import origin_of
from slugcheck.packages.known import PYTORCH_INDEX
from slugcheck.text import printable

_QUOTED = 60  # characters of a wrong name that a message repeats
_FIGURE = "bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What decides, each as the words for its place, "" where it is not so.

    ``install_command``: a custom install command, with which the builder makes no uv.lock that it
    could install a part of. ``large``: what enables large functions.
    """

    install_command: str = ""
    large: str = ""


def applied(
    platform: Platform, circumstances: Circumstances, *, named: str | None = None, by: str = ""
) -> Platform:
    """Return the platform with its limit as large as the tier that applies allows.

    ``named`` is the tier that the user names, and ``by`` where.

    :raises PlatformError: the platform has no such tier.
    """
    tier, why = _chosen(platform, circumstances, named, by)
    if tier is None:
        return platform

    def limited(limit: Limit) -> Limit:
        if limit.figure != _FIGURE:
            return limit
        return replace(limit, value=tier.value, text=tier.text, source=tier.source, why=why)

    return replace(platform, tier=tier, limits=tuple(map(limited, platform.limits)))


def _chosen(
    platform: Platform, circumstances: Circumstances, named: str | None, by: str
) -> tuple[Tier | None, str]:
    """Return the tier, and why it is not the usual one."""
    tiers = _by_case(platform)
    if named is not None:
        tier = next((tier for tier in platform.tiers if tier.name == named), None)
        if tier is None:
            raise _unknown(platform, named)
        return tier, f"{by} {named}" if by.startswith("-") else f"set by {by}"
    if not tiers:
        return None, ""
    if circumstances.large:
        return tiers[TierWhen.LARGE], circumstances.large
    if command := circumstances.install_command:
        return tiers[TierWhen.NO_LOCK], f"custom install command: {command}"
    return tiers[TierWhen.LOCK], ""


def _by_case(platform: Platform) -> dict[TierWhen, Tier]:
    return {tier.when: tier for tier in platform.tiers}


def meaning(platform: Platform) -> str:
    """Return what the tier that applies means, and what another would allow; "" without tiers."""
    tier = platform.tier
    if tier is None:
        return ""
    tiers = _by_case(platform)
    lock, large = tiers[TierWhen.LOCK], tiers[TierWhen.LARGE]
    match tier.when:
        case TierWhen.NO_LOCK:
            return f"otherwise up to {lock.text}: {lock.about}"
        case TierWhen.LOCK:
            return f"{tier.about}; up to {large.text} with large functions: --tier {large.name}"
        case _:
            return tier.about


def _unknown(platform: Platform, named: str) -> PlatformError:
    names = ", ".join(tier.name for tier in platform.tiers)
    shown = repr(printable(named[:_QUOTED]))
    if not names:
        return PlatformError(f"{platform.title} has one size limit only, and no tier {shown}")
    return PlatformError(f"{platform.title} has no tier {shown}", hint=f"choose from {names}")


# --------------------------------------------------------------------------- cold starts


def split(sizes: SizeReport) -> FunctionSplit | None:
    """Return how the bundle is split; None where it is not, or is too large for the tier.

    As Vercel's builder does it: what is private or has no wheel stays in the function with the
    project's files; of the other distributions the largest that still fit are bundled, one after
    another. Whether an index is public is told by its server: the one that most files come from is.
    """
    tier = sizes.target.platform.tier
    if tier is None or tier.function_bytes is None:
        return None
    if not tier.function_bytes < sizes.bundle.value <= tier.value:
        return None
    rows = sorted(sizes.distributions, key=lambda row: (-row.bundle.value, row.name))
    public = _public_origin(rows)
    kept = [row for row in rows if _stays(row.distribution, public)]
    free = [row for row in rows if not _stays(row.distribution, public)]
    fixed = sum(row.bundle.value for row in kept) + tier.tool_bytes
    fixed += sum(sizes.part_bundle(part).value for part in sizes.parts)
    room = tier.function_bytes - fixed
    bundled: list[DistributionSize] = []
    installed: list[DistributionSize] = []
    for row in free:
        fits = row.bundle.value <= room
        (bundled if fits else installed).append(row)
        room -= row.bundle.value if fits else 0
    return FunctionSplit(
        limit=tier.function_bytes,
        fixed_bytes=fixed,
        function_bytes=fixed + sum(row.bundle.value for row in bundled),
        installed_bytes=sum(row.bundle.value for row in installed),
        fixed=tuple(row.name for row in kept),
        bundled=tuple(row.name for row in bundled),
        installed=tuple(row.name for row in installed),
    )


def _stays(distribution: Distribution, public: str) -> bool:
    """Whether a distribution cannot be installed at a cold start."""
    origin = origin_of(distribution.artifact.url)
    private = origin != public or origin == origin_of(PYTORCH_INDEX)
    return distribution.direct_url or private or distribution.source_build is not None


def _public_origin(rows: Sequence[DistributionSize]) -> str:
    """Return the server that most distributions come from."""
    wheels = [row.distribution for row in rows if row.distribution.source_build is None]
    origins = Counter(origin_of(one.artifact.url) for one in wheels if not one.direct_url)
    return origins.most_common(1)[0][0] if origins else ""

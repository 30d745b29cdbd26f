"""Sizes of a resolution from its inventories: installed, bytecode, slug and bundle bytes.

Sizes without bytecode are exact for wheels. Bytecode and slug bytes are predicted from names and
sizes (``sizing.bytecode``, ``sizing.compression``) and have an interval. A path that two
distributions write exists on disk once, so it is counted once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slugcheck.model import (
    Basis,
    BundleKind,
    BundleRule,
    Distribution,
    DistributionSize,
    Entry,
    Estimate,
    Inventory,
    Kind,
    Manager,
    Overlap,
    Part,
    RootSize,
    SizeReport,
    Target,
    Transfer,
    Unsized,
    figures,
)
from slugcheck.packages import causes, graph
from slugcheck.packages.index.inventories import Cache, key_of
from slugcheck.sizing import bundle, bytecode, calibration, compression, zipped
from slugcheck.sizing.installed import InstalledFiles, Layout, install, layout_of, roots
from slugcheck.sizing.kinds import kind_of

_CACHED = "sizes"
_ESTIMATES = ("plain", "bytecode", "slug", "zipped", "bundle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """One distribution with its files and its figures."""

    distribution: Distribution
    inventory: Inventory
    files: int
    by_kind: Mapping[Kind, int]  # bytes, without the bytecode that the installer compiles
    plain: Estimate[int]
    bytecode: Estimate[int]
    bytecode_files: int
    slug: Estimate[int]
    zipped: Estimate[int]
    bundle: Estimate[int]
    provided_bytes: int | None = None  # installed bytes of what the runtime has instead


class SizeMemory:
    """The figures of distributions that were computed before, by inventory and layout.

    Those of this run, which sizes nearly the same set again, and in ``cache`` those of others.
    Thread-safe.
    """

    def __init__(self, cache: Cache | None = None) -> None:
        """Know nothing yet."""
        # the inventory itself is kept: the number of one that is gone may be given to another
        self._known: dict[int, tuple[Inventory, Layout, Sized]] = {}
        self._cache = cache or Cache(None)

    def recall(
        self, distribution: Distribution, inventory: Inventory, layout: Layout, rule: BundleRule
    ) -> Sized | None:
        """Return the figures of a distribution, None if they are not known."""
        kept, its_layout, sized = self._known.get(id(inventory), (None, None, None))
        if kept is inventory and its_layout == layout and sized is not None:
            same = _figured(sized.distribution) == _figured(distribution)
            return replace(sized, distribution=distribution) if same else None
        key = _key(distribution, inventory, layout, rule)
        document = self._cache.load(_CACHED, key) if key is not None else None
        figures_ = _figures_from(document) if document is not None else None
        if figures_ is None:
            return None
        sized = Sized(distribution=distribution, inventory=inventory, **figures_)
        self._known[id(inventory)] = (inventory, layout, sized)
        return sized

    def remember(self, sized: Sized, layout: Layout, rule: BundleRule) -> None:
        """Keep figures."""
        self._known[id(sized.inventory)] = (sized.inventory, layout, sized)
        key = _key(sized.distribution, sized.inventory, layout, rule)
        if key is not None and self._cache.is_used:
            self._cache.store(_CACHED, key, _document(sized))


def _key(
    distribution: Distribution, inventory: Inventory, layout: Layout, rule: BundleRule
) -> str | None:
    """Return what figures are kept under; None where they are computed anew each time."""
    wheel = key_of(distribution.artifact)
    if wheel is None or distribution.source_build is not None or inventory.via == "sdist":
        return None
    factors = (inventory.bytecode_factor, inventory.slug_factor)
    parts = (_figured(distribution), factors, layout, rule, calibration.fingerprint())
    return "\n".join((wheel, *map(repr, parts)))


def _document(sized: Sized) -> dict[str, Any]:
    estimates = {name: getattr(sized, name) for name in _ESTIMATES}
    return {
        "files": sized.files,
        "bytecode_files": sized.bytecode_files,
        "by_kind": {kind.value: size for kind, size in sized.by_kind.items()},
        **{name: [e.value, e.low, e.high, e.basis.value] for name, e in estimates.items()},
    }


def _figures_from(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the figures of a document; None when it lacks some."""
    try:
        return {
            "files": int(document["files"]),
            "bytecode_files": int(document["bytecode_files"]),
            "by_kind": {Kind(kind): int(size) for kind, size in document["by_kind"].items()},
            **{
                name: Estimate(value=int(value), low=int(low), high=int(high), basis=Basis(basis))
                for name in _ESTIMATES
                for value, low, high, basis in [document[name]]
            },
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _figured(distribution: Distribution) -> tuple[object, ...]:
    """Return what of a distribution its figures depend on; REQUESTED marks a direct one."""
    return (
        distribution.name,
        distribution.version,
        distribution.source_build,
        distribution.direct,
        distribution.direct_url,
    )


def measure(
    *,
    target: Target,
    inventories: Iterable[tuple[Distribution, Inventory]],
    unsized: Sequence[Unsized],
    environment: Mapping[str, str],
    parts: Sequence[Part],
    transfer: Transfer,
    manager: Manager = Manager.PIP,
    memory: SizeMemory | None = None,
    zipped_app: Estimate[int] | None = None,
) -> SizeReport:
    """Return the sizes of everything that the target would install, including ``parts``.

    What the target's runtime provides is listed, and counts nothing. ``memory`` holds the figures
    of single distributions that were computed before. ``zipped_app`` is what a zip archive holds
    beside the distributions.
    """
    layout, rule = layout_of(target, manager), target.platform.bundle
    known = memory or SizeMemory()
    recalled = (_recalled(d, inventory, layout, rule, known) for d, inventory in inventories)
    sized = _with_roots(
        tuple(_left_out(p) if p.distribution.name in target.provided else p for p in recalled),
        environment,
    )
    overlaps = find_overlaps(sized, rule, layout)
    needs = _graph(sized, environment)
    required_by = needs.required_by()
    distributions = tuple(_distribution_size(package, required_by) for package in sized)
    roots = _roots(sized, needs)
    return SizeReport(
        target=target,
        distributions=distributions,
        roots=roots,
        causes=causes.causes(distributions, roots),
        parts=tuple(parts),
        overlaps=overlaps,
        unsized=tuple(unsized),
        transfer=transfer,
        installed=_total_installed(sized, overlaps, parts, layout.minor),
        slug=_total_slug(sized, overlaps, parts),
        bundle=_total_bundle(sized, overlaps, parts, rule, layout.minor),
        zipped=_total_zipped(sized, overlaps, zipped_app),
    )


def _left_out(package: Sized) -> Sized:
    """Return a distribution that is in the runtime: none of its files are in the bundle."""
    nothing = Estimate[int].measured(0)
    return replace(
        package,
        files=0,
        by_kind={},
        plain=nothing,
        bytecode=nothing,
        bytecode_files=0,
        slug=nothing,
        zipped=nothing,
        bundle=nothing,
        provided_bytes=_installed(package),
    )


def _recalled(
    distribution: Distribution,
    inventory: Inventory,
    layout: Layout,
    rule: BundleRule,
    memory: SizeMemory,
) -> Sized:
    known = memory.recall(distribution, inventory, layout, rule)
    if known is not None:
        return known
    sized = size_one(distribution, inventory, layout, rule)
    memory.remember(sized, layout, rule)
    return sized


def size_one(
    distribution: Distribution, inventory: Inventory, layout: Layout, rule: BundleRule
) -> Sized:
    """Return the figures of one distribution under a layout, counted by a platform's rule."""
    files = install(inventory, distribution, layout)
    predicted = bytecode.predict(
        distribution.name,
        files.sources,
        minor=layout.minor,
        prefix=layout.prefix,
        factor=inventory.bytecode_factor,
        version=distribution.version,
    )
    build = distribution.source_build
    low, high = (build.low_factor, build.high_factor) if build else (1.0, 1.0)
    share = compression.predict(
        files.files,
        predicted.estimate,
        minor=layout.minor,
        name=distribution.name,
        version=distribution.version,
        model_bytecode=predicted.model_bytes,
        factor=inventory.slug_factor,
    )
    plain, compiled, slug, archived = (
        _widened(figure, low, high)
        for figure in (
            Estimate[int].measured(files.plain_bytes),
            predicted.estimate,
            share,
            zipped.of_distribution(files.files, files.sources, predicted.estimate, layout),
        )
    )
    return Sized(
        distribution=distribution,
        inventory=inventory,
        files=len(files.files),
        by_kind=_by_kind(files),
        plain=plain,
        bytecode=compiled,
        bytecode_files=predicted.files,
        slug=slug,
        zipped=archived,
        bundle=bundle.of_distribution(
            files.files, rule, layout, plain, compiled, slug=slug, zipped=archived
        ),
    )


def _widened(estimate: Estimate[int], low: float, high: float) -> Estimate[int]:
    if low == high == 1.0:
        return estimate
    return Estimate.predicted(estimate.value, int(estimate.low * low), int(estimate.high * high))


# --------------------------------------------------------------------------- overlaps


def find_overlaps(sized: Sequence[Sized], rule: BundleRule, layout: Layout) -> tuple[Overlap, ...]:
    """Return the paths that more than one distribution writes, by group of distributions.

    The bytes counted are those of all but the largest file at each path.
    """
    owners: dict[str, list[tuple[str, Entry]]] = defaultdict(list)
    for package in _beside_others(sized, layout):
        for entry in install(package.inventory, package.distribution, layout).files:
            owners[entry.path].append((package.distribution.name, entry))
    groups: dict[tuple[str, ...], list[tuple[str, int, int]]] = defaultdict(list)
    for path, writers in owners.items():
        if len(writers) > 1:
            names = tuple(sorted({name for name, _ in writers}))
            kept = max(writers, key=lambda pair: pair[1].size)[1]
            spare = sum(entry.size for _, entry in writers) - kept.size
            packed = sum(entry.compressed for _, entry in writers) - kept.compressed
            groups[names].append((path, spare, packed))
    return tuple(
        Overlap(
            names=names,
            files=len(paths),
            bytes=sum(spare for _, spare, _ in paths),
            slug_bytes=sum(packed for _, _, packed in paths),
            bundle_bytes=sum(
                packed if rule.kind.is_packed else spare
                for path, spare, packed in paths
                if bundle.counts(path, rule, layout)
            ),
            example=max(paths, key=lambda item: item[1])[0],
        )
        for names, paths in sorted(groups.items())
    )


def _beside_others(sized: Sequence[Sized], layout: Layout) -> list[Sized]:
    """Return the distributions that may write the same path as another."""
    tops = [
        (package, roots(package.inventory, layout))
        for package in sized
        if package.provided_bytes is None
    ]
    count = Counter(top for _, own in tops for top in own)
    return [package for package, own in tops if any(count[top] > 1 for top in own)]


# --------------------------------------------------------------------------- graph


def _graph(sized: Sequence[Sized], environment: Mapping[str, str]) -> graph.Graph:
    return graph.build(
        {
            package.distribution.name: package.distribution.extras
            for package in sized
            if _is_root(package)
        },
        {package.distribution.name: package.inventory.requires_dist for package in sized},
        environment,
    )


def _with_roots(sized: tuple[Sized, ...], environment: Mapping[str, str]) -> tuple[Sized, ...]:
    """Mark the direct requirements: a lock names none, so those that nothing requires count."""
    if any(map(_is_root, sized)):
        return sized
    requires = {package.distribution.name: package.inventory.requires_dist for package in sized}
    needed = graph.build(dict.fromkeys(requires, ()), requires, environment).required_by()
    return tuple(
        replace(
            package,
            distribution=replace(
                package.distribution, direct=not needed[package.distribution.name]
            ),
        )
        for package in sized
    )


def _is_root(package: Sized) -> bool:
    return package.distribution.direct


def _roots(sized: Sequence[Sized], needs: graph.Graph) -> tuple[RootSize, ...]:
    by_name = {package.distribution.name: package for package in sized}
    roots = [package.distribution for package in sized if _is_root(package)]
    reach = {d.name: needs.reach(graph.root_nodes(d.name, d.extras)) for d in roots}
    counts: dict[str, int] = defaultdict(int)
    for names in reach.values():
        for name in names:
            counts[name] += 1

    def root(name: str) -> RootSize:
        alone = sorted(other for other in reach[name] if counts[other] == 1)
        shared = [other for other in reach[name] if counts[other] > 1]
        return RootSize(
            name=name,
            exclusive_bytes=sum(_installed(by_name[other]) for other in alone),
            shared_bytes=sum(_installed(by_name[other]) for other in shared),
            exclusive_slug_bytes=sum(by_name[other].slug.value for other in alone),
            shared_slug_bytes=sum(by_name[other].slug.value for other in shared),
            exclusive_bundle_bytes=sum(by_name[other].bundle.value for other in alone),
            shared_bundle_bytes=sum(by_name[other].bundle.value for other in shared),
            exclusive_names=tuple(alone),
            shared_names=tuple(sorted(shared)),
        )

    root_sizes = [root(d.name) for d in roots]
    return tuple(sorted(root_sizes, key=lambda r: (-r.exclusive_bundle_bytes, r.name)))


def _installed(package: Sized) -> int:
    return package.plain.value + package.bytecode.value


# --------------------------------------------------------------------------- values


def _distribution_size(
    package: Sized, required_by: Mapping[str, tuple[str, ...]]
) -> DistributionSize:
    name = package.distribution.name
    return DistributionSize(
        distribution=package.distribution,
        via=package.inventory.via,
        download_bytes=0
        if package.provided_bytes is not None
        else package.distribution.artifact.size or package.inventory.file_bytes,
        plain=package.plain,
        bytecode=package.bytecode,
        slug=package.slug,
        bundle=package.bundle,
        files=package.files,
        bytecode_files=package.bytecode_files,
        by_kind=_with_bytecode(package),
        required_by=required_by.get(name, ()),
        provided_bytes=package.provided_bytes,
    )


def _by_kind(installed: InstalledFiles) -> dict[Kind, int]:
    totals: dict[Kind, int] = defaultdict(int)
    for entry in installed.files:
        totals[kind_of(entry.path)] += entry.size
    return dict(totals)


def _with_bytecode(package: Sized) -> dict[Kind, int]:
    totals = {**package.by_kind}
    totals[Kind.BYTECODE] = totals.get(Kind.BYTECODE, 0) + package.bytecode.value
    return {kind: totals[kind] for kind in Kind if totals.get(kind)}


def _total_installed(
    sized: Sequence[Sized], overlaps: Sequence[Overlap], parts: Sequence[Part], minor: str
) -> Estimate[int]:
    spare = Estimate[int].measured(-sum(overlap.bytes for overlap in overlaps))
    bytecodes = figures.total(
        [package.bytecode for package in sized],
        systematic_percent=bytecode.systematic_percent(minor),
    )
    plain = [package.plain for package in sized]
    return figures.total(
        [*plain, bytecodes, spare, *(part.installed for part in parts)], systematic_percent=0.0
    )


def _total_slug(
    sized: Sequence[Sized], overlaps: Sequence[Overlap], parts: Sequence[Part]
) -> Estimate[int]:
    spare = Estimate[int].measured(-sum(overlap.slug_bytes for overlap in overlaps))
    shares = figures.total(
        [package.slug for package in sized], systematic_percent=compression.systematic_percent()
    )
    return figures.total([shares, spare, *(part.slug for part in parts)], systematic_percent=0.0)


def _total_zipped(
    sized: Sequence[Sized], overlaps: Sequence[Overlap], app: Estimate[int] | None
) -> Estimate[int]:
    # a path that two distributions write is once in the archive; its headers are below the error
    spare = Estimate[int].measured(-sum(overlap.slug_bytes for overlap in overlaps))
    files = [package.zipped for package in sized]
    own = app or zipped.of_app(None, ())
    return figures.total([*files, spare, own], systematic_percent=zipped.SYSTEMATIC_PERCENT)


def _total_bundle(
    sized: Sequence[Sized],
    overlaps: Sequence[Overlap],
    parts: Sequence[Part],
    rule: BundleRule,
    minor: str,
) -> Estimate[int]:
    match rule.kind:
        case BundleKind.GZIP_TAR:
            return _total_slug(sized, overlaps, parts)
        case BundleKind.UNZIPPED | BundleKind.IMAGE:
            return _total_installed(sized, overlaps, parts, minor)
        case BundleKind.SITE_PACKAGES | BundleKind.ZIP:
            spare = Estimate[int].measured(-sum(overlap.bundle_bytes for overlap in overlaps))
            packed = rule.kind.is_packed
            files = figures.total(
                [package.bundle for package in sized],
                systematic_percent=zipped.SYSTEMATIC_PERCENT if packed else 0.0,
            )
            more = [part.slug if packed else part.installed for part in parts]
            return figures.total([files, spare, *more], systematic_percent=0.0)

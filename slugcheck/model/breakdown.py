"""The breakdown of a size: its rows, their sums, and the requirements behind most of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slugcheck.model.figures import Basis
from slugcheck.model.platform import BundleKind
from slugcheck.model.sizes import Cause, DistributionSize, Kind, Overlap, Part, SizeReport

_ROWS = 12
_LEAST_ROWS = 6
_SHARE = 0.95
_CONTRIBUTORS = 5
_CAUSES = 3
_CAUSE_PERCENT = 10  # of the total: less explains nothing about the whole
# Parts that are the app's own: its files, models, layers, and what steps of the build make for it.
_OWN_GROUPS = ("app", "models", "layers", "static", "nltk")
LEAST_PERCENT = 2  # of the total, for a contributor
_NOTABLE_BYTES = 50_000  # an overlap below prints as 0.0 or 0.1 MB and explains nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Bytes of one row; a download is None where there is none or it is not known."""

    download: int | None
    installed: int
    bytecode: int
    slug: int
    bundle: int


def second(kind: BundleKind, *, slug: int, bundle: int) -> int:
    """Return the bytes to show beside the installed ones: compressed, or what is left of them.

    Where a platform counts the installed files as they are, the bundle would say nothing more.
    """
    counts_own = kind in (BundleKind.SITE_PACKAGES, BundleKind.ZIP)
    return bundle if counts_own else slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """The distributions that get a row, the largest first, and those that one line stands for."""

    shown: tuple[DistributionSize, ...]
    rest: tuple[DistributionSize, ...]


def fold(sizes: SizeReport, *, everything: bool, most: int = _ROWS) -> Fold:
    """Return the distributions that make up 95 %, but at least 6 and at most ``most``.

    What the runtime provides is in neither: it makes up nothing.
    """
    counted = (d for d in sizes.distributions if d.provided_bytes is None)
    rows = sorted(counted, key=lambda d: (-d.bundle.value, d.name))
    if everything or len(rows) <= _LEAST_ROWS + 1:
        return Fold(shown=tuple(rows), rest=())
    enough = _SHARE * sum(row.bundle.value for row in rows)
    reached, count = 0, 0
    while count < most and (reached < enough or count < _LEAST_ROWS):
        reached += rows[count].bundle.value
        count += 1
    if len(rows) - count == 1:  # a line for one other is no shorter than that one
        count += 1
    return Fold(shown=tuple(rows[:count]), rest=tuple(rows[count:]))


def sums(rows: Iterable[DistributionSize]) -> Sums:
    """Return some distributions together; unknown downloads make the sum unknown."""
    known = tuple(rows)
    downloads = [row.download_bytes for row in known]
    return Sums(
        download=None if None in downloads else sum(size or 0 for size in downloads),
        installed=sum(row.installed_bytes for row in known),
        bytecode=sum(row.bytecode.value for row in known),
        slug=sum(row.slug.value for row in known),
        bundle=sum(row.bundle.value for row in known),
    )


def has_more(sizes: SizeReport) -> bool:
    """Whether app files or models are counted beside distributions and runtime."""
    return bool(sizes.distributions) and any(part.group in _OWN_GROUPS for part in sizes.parts)


def dependencies(sizes: SizeReport) -> Sums:
    """Return the figures of all distributions, shared paths once."""
    return Sums(
        download=sums(sizes.distributions).download,
        installed=sizes.plain_bytes + sizes.bytecode_bytes,
        bytecode=sizes.bytecode_bytes,
        slug=sizes.dependencies_slug_bytes,
        bundle=sizes.dependencies_bundle_bytes,
    )


def total(sizes: SizeReport) -> Sums:
    """Return the figures of the total line: distributions and parts, shared paths once."""
    return Sums(
        download=sums(sizes.distributions).download,
        installed=sizes.installed.value,
        bytecode=sizes.bytecode_bytes,
        slug=sizes.slug.value,
        bundle=sizes.bundle.value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """Parts in one row: a platform's runtime is one, and so are many models.

    ``percent`` is half the width of the interval of what counts; ``note`` is that of a single part.
    """

    label: str
    group: str
    installed: int
    slug: int
    bundle: int
    percent: float
    predicted: bool
    note: str


def part_rows(sizes: SizeReport, *, everything: bool) -> tuple[PartRow, ...]:
    """Return the parts by group in their order, each group as one row unless ``everything``."""
    if everything:
        return tuple(_part_row((part,), part.name, sizes) for part in sizes.parts)
    groups = dict.fromkeys(part.group for part in sizes.parts)
    grouped = ([part for part in sizes.parts if part.group == group] for group in groups)
    return tuple(_part_row(members, _group_label(members), sizes) for members in grouped)


def _part_row(parts: Sequence[Part], label: str, sizes: SizeReport) -> PartRow:
    counted = [sizes.part_bundle(part) for part in parts]
    bundle = sum(figure.value for figure in counted)
    width = sum(figure.high - figure.low for figure in counted)
    return PartRow(
        label=label,
        group=parts[0].group,
        installed=sum(part.installed.value for part in parts),
        slug=sum(part.slug.value for part in parts),
        bundle=bundle,
        percent=50 * width / bundle if bundle else 0.0,
        predicted=any(figure.basis is Basis.PREDICTED for figure in counted),
        note=parts[0].note if len(parts) == 1 else "",
    )


def _group_label(parts: Sequence[Part]) -> str:
    first = parts[0]
    if len(parts) == 1:
        return first.name
    if first.group == "runtime":
        # "Python 3.12 + pip + setuptools": the version of the first is the one that matters
        return " + ".join([first.name, *(part.name.split(" ")[0] for part in parts[1:])])
    return f"{first.group} ({len(parts)})"


def notable_overlaps(sizes: SizeReport) -> tuple[Overlap, ...]:
    """Return the overlaps that the figures show."""
    return tuple(o for o in sizes.overlaps if max(o.bytes, o.slug_bytes) >= _NOTABLE_BYTES)


def kinds(sizes: SizeReport) -> tuple[tuple[Kind, int], ...]:
    """Return each kind of file that is 1.5 % or more of the installed bytes, and its percentage."""
    totals = {kind: sum(d.by_kind.get(kind, 0) for d in sizes.distributions) for kind in Kind}
    whole = sum(totals.values()) or 1
    ordered = sorted(totals.items(), key=lambda item: -item[1])
    return tuple(
        (k, round(100 * size / whole)) for k, size in ordered if size and size * 200 >= 3 * whole
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributor:
    """A direct requirement: bytes that deleting its line frees, and of all that it needs.

    App files and models are contributors as well, each group as one.

    ``others`` is how many further distributions that frees.
    """

    name: str
    freed: int
    total: int
    others: int


def contributors(sizes: SizeReport) -> tuple[Contributor, ...]:
    """Return the requirements, app files and models behind most, with at least 2 % each.

    What goes with a line alone would hide two lines that need the same large thing, so they are
    ordered by all that each needs; these overlap and are never summed.
    """
    unordered = []
    for root in sizes.roots:
        alone, shared = root.exclusive_bundle_bytes, root.shared_bundle_bytes
        others = sum(1 for name in root.exclusive_names if name != root.name)
        unordered.append(
            Contributor(name=root.name, freed=alone, total=alone + shared, others=others)
        )
    for row in part_rows(sizes, everything=False):
        if row.group in _OWN_GROUPS:
            size = row.bundle
            unordered.append(Contributor(name=row.label, freed=size, total=size, others=0))
    least = LEAST_PERCENT * sizes.bundle.value / 100
    ordered = sorted(
        unordered,
        key=lambda contributor: (-contributor.total, -contributor.freed, contributor.name),
    )
    large = [contributor for contributor in ordered if contributor.total >= least]
    return tuple(large[:_CONTRIBUTORS])


def causes(sizes: SizeReport) -> tuple[Cause, ...]:
    """Return the causes with at least 10 % of the total, the largest first.

    Those that several lines share are the three largest.
    """
    least = _CAUSE_PERCENT * sizes.bundle.value / 100
    ordered = sorted(sizes.causes, key=lambda cause: (-cause.bundle_bytes, cause.name))
    large = [cause for cause in ordered if cause.bundle_bytes >= least]
    shared = [cause for cause in large if cause.shared][:_CAUSES]
    return tuple(cause for cause in large if not cause.shared or cause in shared)

"""Advice on a bundle that the user's own tool fills, such as the package of an AWS Lambda function.

What could be left out of it, and what a tool may add to it. Pure functions of sizes: each size that
is not an estimate was computed for the whole project.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slugcheck.model import (
    AfterFix,
    Distribution,
    Estimate,
    Finding,
    FindingSeverity,
    Inventory,
    Limit,
    Severity,
    SizeReport,
    figures,
)
from slugcheck.sizing import stripping
from slugcheck.text import listed

RUNTIME, BYTECODE, SYMBOLS = "in-the-runtime", "bytecode-over-limit", "unstripped-libraries"
_TIGHT = 0.8  # of the limit: below, there is nothing to save
_LEAST_BYTES = 1_000_000
_LEAST_SHARE = 0.01  # of the bundle, for an estimate
_NAMED = 4


def limit_of(sizes: SizeReport, limits: Iterable[Limit]) -> int | None:
    """Return the strictest gating limit of what the platform counts, in bytes."""
    figure = sizes.target.platform.size_figure
    about = (one for one in limits if one.figure == figure and one.severity is not Severity.WARN)
    return min((one.value for one in about), default=None)


def is_tight(sizes: SizeReport, limit: int | None) -> bool:
    """Whether the bundle is over its limit, or within a fifth of it."""
    return limit is not None and sizes.bundle.high >= _TIGHT * limit


def left_to_runtime(
    before: SizeReport, after: SizeReport, then: AfterFix, command: str
) -> Finding | None:
    """Return the finding that the runtime has distributions of the bundle, None if it is small.

    ``after`` are the sizes without them, ``then`` their verdict, ``command`` checks it again.
    """
    left = {d.name for d in before.provided}
    names = [d for d in after.provided if d.name not in left]
    names.sort(key=lambda size: (-(size.provided_bytes or 0), size.name))
    saved = before.bundle.value - after.bundle.value
    if not names or saved < _LEAST_BYTES:
        return None
    title = before.target.platform.title
    shown = listed([d.name for d in names], _NAMED)
    lines = [
        "# keep them in a requirements-dev.txt, or in noDeploy of",
        "# serverless-python-requirements; to check what is left:",
    ]
    return Finding(
        code=RUNTIME,
        severity=FindingSeverity.INFO,
        subject=names[0].name,
        sentence=(
            f"{shown} are in the runtime of {title}: the package can leave them out, and then runs "
            "with the runtime's versions"
        ),
        fix="\n".join([*lines, command] if command else lines[:1]),
        saves_bytes=before.installed.value - after.installed.value,
        saves_slug_bytes=before.slug.value - after.slug.value,
        saves_bundle_bytes=saved,
        after=then,
        origin=before.line_of(names[0].name),
    )


def with_bytecode(sizes: SizeReport, compiled: SizeReport, limit: int) -> Finding | None:
    """Return the finding that bytecode would make a bundle too large that fits without it."""
    if sizes.bundle.high > limit or compiled.bundle.high <= limit:
        return None
    unit = sizes.unit
    shown, most = unit.up(compiled.bundle.value), unit.down(limit)
    over = "is over" if compiled.bundle.low > limit else "may be over"
    return Finding(
        code=BYTECODE,
        severity=FindingSeverity.WARNING,
        subject="",
        sentence=(
            f"with bytecode, which pip install --target writes, the package {over} the limit: "
            f"{shown} of {most}"
        ),
        fix="pip install --no-compile --target package -r requirements.txt",
    )


def unstripped(
    sizes: SizeReport, inventories: Sequence[tuple[Distribution, Inventory]]
) -> Finding | None:
    """Return the finding that stripping the shared libraries would save much, as an estimate."""
    left = {size.name for size in sizes.provided}
    savings = {
        distribution.name: stripping.predict(
            distribution.name, distribution.version, inventory.entries
        )
        for distribution, inventory in inventories
        if distribution.name not in left
    }
    total = figures.total(savings.values(), systematic_percent=0.0)
    if total.value < max(_LEAST_BYTES, _LEAST_SHARE * sizes.bundle.value):
        return None
    largest = sorted(savings, key=lambda name: (-savings[name].value, name))
    notable = [name for name in largest if savings[name].value >= _LEAST_BYTES][:_NAMED]
    named = f", most of it in {listed(notable)}" if notable else ""
    return Finding(
        code=SYMBOLS,
        severity=FindingSeverity.INFO,
        subject=largest[0],
        sentence=(
            f"stripping symbols from shared libraries saves {_span(total, sizes)} (an estimate, "
            f"not measured){named}"
        ),
        fix=(
            "# not in *.libs, as slim: true of serverless-python-requirements does: numpy breaks\n"
            "find package -name '*.so' -not -path '*.libs/*' -exec strip {} +"
        ),
        origin=sizes.line_of(largest[0]),
    )


def _span(total: Estimate[int], sizes: SizeReport) -> str:
    unit = sizes.unit
    if total.low == total.high:
        return f"about {unit.down(total.value)}"
    return (
        f"about {unit.down(total.value)}, between {unit.down(total.low)} and {unit.up(total.high)}"
    )

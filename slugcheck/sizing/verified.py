"""A report's sizes with predictions replaced by what ``--verify`` measured.

The platform's own runtime cannot be installed here, so it stays predicted, with its interval.
"""

from __future__ import annotations

from dataclasses import replace

from slugcheck.model import (
    Basis,
    DistributionSize,
    Estimate,
    Part,
    SizeReport,
    Unsized,
    Verification,
    figures,
)
from slugcheck.sizing.parts import OTHER, RUNTIME


def apply(
    sizes: SizeReport, verification: Verification, *, unsized: tuple[Unsized, ...] = ()
) -> SizeReport:
    """Return the sizes as measured.

    A distribution's share of the slug cannot be measured by itself, so the measured total is
    divided as predicted. ``unsized`` are the packages that even the install did not measure.
    """
    plain, bytecode = dict(verification.plain_by_name), dict(verification.bytecode_by_name)
    own = verification.slug_bytes - sum(p.slug.value for p in sizes.parts if p.group != RUNTIME)
    scale = own / sizes.dependencies_slug_bytes if sizes.dependencies_slug_bytes else 1.0
    rows = tuple(
        _measured(one, plain[one.name], bytecode.get(one.name, 0), scale)
        if one.name in plain
        else one
        for one in sizes.distributions
    )
    runtime = [part for part in sizes.parts if part.group == RUNTIME]
    others = [part for part in sizes.parts if part.group != RUNTIME]
    measured = replace(sizes, distributions=rows, unsized=unsized)
    more = verification.installed_bytes - measured.plain_bytes - measured.bytecode_bytes
    known = Estimate[int].measured
    return replace(
        measured,
        parts=(*sizes.parts, *([_unpredicted(more)] if more > 0 else [])),
        installed=figures.total(
            [
                known(verification.installed_bytes),
                *(part.installed for part in (*runtime, *others)),
            ],
            systematic_percent=0.0,
        ),
        slug=figures.total(
            [known(verification.slug_bytes), *(part.slug for part in runtime)],
            systematic_percent=0.0,
        ),
    )


def _measured(one: DistributionSize, plain: int, bytecode: int, scale: float) -> DistributionSize:
    return replace(
        one,
        plain=Estimate[int].measured(plain),
        bytecode=Estimate[int].measured(bytecode),
        slug=Estimate(
            value=round(one.slug.value * scale),
            low=round(one.slug.low * scale),
            high=round(one.slug.high * scale),
            basis=Basis.PREDICTED,
        ),
    )


def _unpredicted(size: int) -> Part:
    """Return the files that the install added to the predicted ones.

    Its share of the slug is in the distributions' shares, which add up to the measured total.
    """
    return Part(
        name="other files",
        group=OTHER,
        installed=Estimate[int].measured(size),
        slug=Estimate[int].measured(0),
        note="installed, but not predicted",
    )

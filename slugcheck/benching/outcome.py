"""The exit code of a bench run."""

from __future__ import annotations

from slugcheck.model.benchresult import BenchResult
from slugcheck.model.verdicts import Status

_FITS = (Status.PASS, Status.WARN)


def exit_code(result: BenchResult) -> int:
    """Return 3 if a runtime was not measured or outputs differ, 1 if none fits ``--dyno``."""
    agreement = result.agreement
    if any(one.failure for one in result.stacks):
        return 3
    if agreement is not None and agreement.status is Status.FAIL:
        return 3
    chosen = result.chosen
    if not result.dyno_asked or chosen is None or not chosen.fits:
        return 0
    if any(fit.status in _FITS for fit in chosen.fits):
        return 0
    return 3 if any(fit.status is Status.UNKNOWN for fit in chosen.fits) else 1

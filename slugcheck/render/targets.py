"""How several targets are named, and what came of them in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from slugcheck.model import FindingSeverity, Status
from slugcheck.model.matrix import Matrix, Outcome, TargetResult
from slugcheck.render import wording
from slugcheck.render.view import Verdict
from slugcheck.text import listed, plural

_NAMED = 4  # targets that one line names


def names(matrix: Matrix, targets: Sequence[TargetResult]) -> str:
    """Return the names of targets in a sentence."""
    return listed(matrix.named(targets), _NAMED)


def about(matrix: Matrix, targets: Sequence[TargetResult]) -> str:
    """Return which targets something is about: "all targets", or their names."""
    measured = [target for target, _ in matrix.reports]
    return "all targets" if list(targets) == measured else names(matrix, targets)


# --------------------------------------------------------------------------- the conclusion


def conclusion(matrix: Matrix) -> Verdict:
    """Return the outcome that the exit code has, and which targets it is about."""
    decisive = matrix.of(Outcome.FAILS) or matrix.of(Outcome.UNKNOWN)
    if not decisive:
        return _fits(matrix)
    words: dict[str, list[TargetResult]] = {}
    for target in (*matrix.of(Outcome.FAILS), *matrix.of(Outcome.UNKNOWN)):
        words.setdefault(_word(target), []).append(target)
    (word, first), *others = words.items()
    count = len(matrix.targets)
    sentences = [names(matrix, first)]
    if len(first) == count:
        reasons = {_reason(target) for target in first}
        sentences = list(reasons) if len(reasons) == 1 else sentences
    sentences += [f"{other}: {names(matrix, targets)}" for other, targets in others]
    return Verdict(
        status=_status(decisive[0]),
        word=f"{word} on {_how_many(len(first), count)} targets",
        sentence="; ".join(sentences),
        next_step=_next_step(first[0]),
    )


def _how_many(part: int, whole: int) -> str:
    if part < whole:
        return f"{part} of {whole}"
    return "both" if whole == 2 else f"all {whole}"


def _reason(target: TargetResult) -> str:
    return target.problem or (wording.conclusion(target.report).sentence if target.report else "")


def _fits(matrix: Matrix) -> Verdict:
    fitting, count = matrix.of(Outcome.FITS), len(matrix.targets)
    sentences = []
    if tightest := _tightest(fitting):
        verdict = tightest.size_verdict
        of = verdict.sentence if verdict is not None else ""
        sentences.append(f"the tightest is {names(matrix, [tightest])}, {of}")
    if impossible := matrix.of(Outcome.IMPOSSIBLE):
        sentences.append(f"not offered: {names(matrix, impossible)}")
    errors = sum(said.what.severity is FindingSeverity.ERROR for said in matrix.findings())
    sentences += [f"fix {plural(errors, 'error')} first"] if errors else []
    return Verdict(
        status=Status.WARN if errors else Status.PASS,
        word=f"FITS {_how_many(len(fitting), count)} targets",
        sentence="; ".join(sentences),
        next_step="see 'to fix' above" if errors else "",
    )


def _tightest(fitting: Sequence[TargetResult]) -> TargetResult | None:
    """Return the target with the least room for its size, relative to the limit."""
    shares = [
        (verdict.figure.value / verdict.limit, target)
        for target in fitting
        if (verdict := target.size_verdict) is not None and verdict.figure is not None
    ]
    return max(shares, key=lambda share: share[0])[1] if len(shares) > 1 else None


def _word(target: TargetResult) -> str:
    return "UNKNOWN" if target.report is None else wording.conclusion(target.report).word


def _status(target: TargetResult) -> Status:
    if target.report is None:
        return Status.UNKNOWN
    return wording.conclusion(target.report).status


def _next_step(target: TargetResult) -> str:
    """Return where the fix stands, or the command that shows the whole report of a target."""
    if target.report is None:
        return ""
    if target.report.obstacles:
        return "see 'obstacles' above"
    if any(finding.fix for finding in target.report.findings):
        return "see 'to fix' above"
    return wording.to_see(target.report)

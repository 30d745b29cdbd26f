"""Results of ``bench`` joined to the stacks of ``compare``: sizes and footprints in one table.

Works on the saved JSON of both. A result belongs to the stack that has its runtime's distribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import UsageError
from slugcheck.escape import printable
from slugcheck.model import Comparison, Footprint
from slugcheck.model.bench import DISTRIBUTIONS
from slugcheck.saved import Document, SavedDistribution, read

_HINT = "make one with: slugcheck bench --output result.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMedian:
    """A figure of a saved result."""

    median: int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMemory:
    """Memory of a saved result, as far as it is asked for here."""

    peak: SavedMedian


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLatency:
    """Latency of a saved result."""

    p50_ms: float
    noisy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSummary:
    """What the samples of a stack came to."""

    rss_bytes: SavedMemory
    anon_bytes: SavedMemory
    import_seconds: SavedMedian
    cold_start_seconds: SavedMedian | None
    cpu_ms: SavedMedian
    latency: SavedLatency


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedStack:
    """One stack of a saved result."""

    label: str
    runtime: str
    version: str
    model: str
    summary: SavedSummary | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedHost:
    """The machine that measured."""

    identity: str
    processor: str
    cores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedAgreement:
    """Whether the stacks of a saved result computed the same."""

    status: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A saved result of bench."""

    label: str
    kind: str
    stacks: tuple[SavedStack, ...]
    agreement: SavedAgreement | None
    host: SavedHost


def load(path: Path) -> Result:
    """Read a saved result.

    :raises UsageError: it cannot be read, or is none.
    """
    label = printable(str(path))
    try:
        data = reading.read(path, within=reading.top_of(path), limit=reading.SAVED_REPORT)
    except OSError as error:
        raise UsageError(f"{label} cannot be read: {error.strerror}", hint=_HINT) from None
    found = read(Result, data.decode("utf-8", "replace"), label, hint=_HINT)
    if found.kind != "bench":
        raise UsageError(f"{label} is no result of slugcheck bench", hint=_HINT)
    return found


def join(found: Comparison, documents: Sequence[Document], results: Sequence[Result]) -> Comparison:
    """Return the comparison with the footprints of its stacks; ``documents`` are its own.

    :raises UsageError: no stack has a runtime that was measured, or one was measured twice.
    """
    notes = [*_hosts(results), *_disagreements(results)]
    footprints: list[Footprint | None] = []
    for document in documents:
        matches = [*_matches(document, results)]
        if len(matches) > 1:
            names = ", ".join(dict.fromkeys(label for label, _, _, _ in matches))
            message = f"{printable(document.label)} has two results of bench ({names})"
            raise UsageError(message, hint="give --bench one result for each runtime")
        footprints += [_footprint(stack, own) for _, stack, own, _ in matches] or [None]
        notes += [_version(document, stack, one) for _, stack, _, one in matches]
    if not any(footprints):
        runtimes = {stack.label for result in results for stack in result.stacks if stack.summary}
        message = f"no stack has what was measured ({printable(', '.join(sorted(runtimes)))})"
        raise UsageError(message, hint="--bench takes results of the runtimes in these stacks")
    told = tuple(note for note in notes if note)
    return replace(found, footprints=tuple(footprints), notes=(*found.notes, *told))


def _matches(
    document: Document, results: Sequence[Result]
) -> Iterator[tuple[str, SavedStack, SavedSummary, SavedDistribution]]:
    """Yield a result's label, its stack and figures, and the distribution that it is about."""
    installed = {one.name: one for one in document.distributions}
    for result in results:
        for stack in result.stacks:
            names = DISTRIBUTIONS.get(stack.runtime, ())
            one = next((installed[name] for name in names if name in installed), None)
            if stack.summary is not None and one is not None:
                yield result.label, stack, stack.summary, one


def _footprint(stack: SavedStack, one: SavedSummary) -> Footprint:
    return Footprint(
        runtime=f"{stack.label} {stack.version}",
        model=stack.model,
        rss_bytes=round(one.rss_bytes.peak.median),
        anon_bytes=round(one.anon_bytes.peak.median),
        import_seconds=one.import_seconds.median,
        cold_start_seconds=one.cold_start_seconds.median if one.cold_start_seconds else None,
        cpu_ms=one.cpu_ms.median,
        p50_ms=one.latency.p50_ms,
        noisy=bool(one.latency.noisy),
    )


def _version(document: Document, stack: SavedStack, one: SavedDistribution) -> str:
    if stack.version == one.version:
        return ""
    return (
        f"{document.label} has {one.name} {one.version}, and its footprint was measured with "
        f"{stack.version}"
    )


def _hosts(results: Sequence[Result]) -> Iterator[str]:
    hosts = {result.host.identity: result.host for result in results}
    where = [f"{host.processor}, {host.cores} cores" for host in hosts.values()]
    if len(hosts) > 1:
        yield f"footprints are of {len(hosts)} machines, so compare no times: {'; '.join(where)}"
    else:
        yield f"footprints were measured on {where[0]}, not on the platform's machines"


def _disagreements(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        if result.agreement is not None and result.agreement.status == "fail":
            yield f"{result.label}: {result.agreement.sentence}"

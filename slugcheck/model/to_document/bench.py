"""The document of a bench's result."""

from __future__ import annotations

from slugcheck.model.bench import Agreement, BenchResult, DynoFit, StackResult, Summary
from slugcheck.model.document import bench as bench_json
from slugcheck.model.document import report as report_json
from slugcheck.model.document import saved
from slugcheck.model.to_document.fields import clean, copied
from slugcheck.model.to_document.report import of_finding, of_floor
from slugcheck.text import without_credentials


def bench_document(result: BenchResult) -> bench_json.BenchDocument:
    """Return the document of a bench result."""
    return copied(
        bench_json.BenchDocument,
        result,
        schema=saved.SCHEMA,
        kind="bench",
        tool=report_json.Tool(name="slugcheck", version=result.tool_version),
        stacks=tuple(_runtime(stack) for stack in result.stacks),
        agreement=_agreement(result.agreement) if result.agreement else None,
        dynos=tuple(_dyno(dyno) for dyno in result.dynos),
        trials=tuple(copied(bench_json.Trial, trial) for trial in result.trials),
        app=of_floor(result.app) if result.app else None,
        findings=tuple(of_finding(finding) for finding in result.findings),
        notes=clean(result.notes),
    )


def _runtime(result: StackResult) -> bench_json.Runtime:
    return copied(
        bench_json.Runtime,
        result.stack,
        model=without_credentials(result.stack.model),
        failure=without_credentials(result.failure) if result.failure else None,
        doubts=result.doubts,
        summary=_summary(result.summary) if result.summary else None,
        samples=result.samples,
        cold_starts=result.cold_starts,
    )


def _summary(summary: Summary) -> bench_json.Summary:
    return copied(
        bench_json.Summary,
        summary,
        rss_bytes=summary.rss,
        anon_bytes=summary.anon,
        pss_bytes=summary.pss,
        uss_bytes=summary.uss,
        cold_start_seconds=summary.cold_seconds,
        cold_start_evicted_seconds=summary.evicted_seconds,
    )


def _agreement(agreement: Agreement) -> bench_json.Agreement:
    return copied(
        bench_json.Agreement,
        agreement,
        outputs=tuple(
            bench_json.OutputDifference(
                name=output.name,
                absolute=_finite(output.absolute),
                relative=_finite(output.relative),
                agrees=output.agrees,
            )
            for output in agreement.outputs
        ),
        max_abs=_finite(agreement.max_abs),
        max_rel=_finite(agreement.max_rel),
    )


def _finite(value: float | None) -> float | None:
    """Return None for infinity (the distance of NaN to a number), which JSON does not have."""
    return None if value is None or value in (float("inf"), float("-inf")) else value


def _dyno(fit: DynoFit) -> bench_json.DynoFit:
    return bench_json.DynoFit(
        names=fit.names,
        ram_bytes=fit.dyno.ram_bytes,
        killed_at_bytes=fit.dyno.r15_bytes,
        workers_started=fit.dyno.workers,
        fits=fit.fits,
    )

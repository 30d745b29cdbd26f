"""Makes the documents of ``model.document`` from what the commands return.

Texts that may quote an address lose its credentials here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from msgspec import Struct

from slugcheck.model import (
    BaseImage,
    Basis,
    Change,
    Difference,
    DistributionSize,
    Estimate,
    Finding,
    Ignored,
    Kind,
    LoadedModel,
    ModelFile,
    Obstacle,
    Part,
    Report,
    RootSize,
    SizeReport,
    StorageOption,
    Unsized,
    Verdict,
    Verification,
    document,
)
from slugcheck.model.bench import Agreement, BenchResult, DynoFit, StackResult, Summary
from slugcheck.model.comparison import Comparison, Migration, Setup, SharedRow
from slugcheck.model.matrix import Matrix, TargetResult
from slugcheck.model.memory import RamFloor
from slugcheck.model.rehearsal import RehearsalResult
from slugcheck.model.why import Brings, MeasuredSaving, Need, Remedy, RootPaths, Standing, Why
from slugcheck.text import shown_command, without_credentials
from slugcheck.version import __version__

S = TypeVar("S", bound=Struct)


def _copied(kind: type[S], source: object, /, **others: Any) -> S:
    """Return a record with the fields of the same name of ``source``, and others."""
    names = (name for name in kind.__struct_fields__ if name not in others)
    return kind(**{name: getattr(source, name) for name in names}, **others)


def _clean(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(without_credentials(text) for text in texts)


# --------------------------------------------------------------------------- report


def report_document(report: Report) -> document.ReportDocument:
    """Return the document of a report."""
    sizes = report.sizes
    exclusive = {root.name: root.exclusive_bytes for root in sizes.roots}
    return document.ReportDocument(
        schema=document.SCHEMA,
        tool=document.Tool(name="slugcheck", version=report.tool_version),
        subject=_subject(report),
        target=_target(sizes),
        requirements=tuple(
            document.Requirement(
                name=line.name, text=without_credentials(line.text), origin=line.origin
            )
            for line in report.requirements
        ),
        totals=_totals(report),
        distributions=tuple(
            distribution(size, exclusive.get(size.name)) for size in sizes.distributions
        ),
        roots=tuple(_root(root) for root in sizes.roots),
        causes=tuple(_copied(document.Cause, cause) for cause in sizes.causes),
        parts=tuple(_part(part) for part in sizes.parts),
        app=_copied(document.App, report.app) if report.app else None,
        models=tuple(_model(model) for model in report.models),
        storage=tuple(_storage(option) for option in report.storage),
        verify=_verification(report.verification) if report.verification else None,
        function=report.function,
        overlaps=sizes.overlaps,
        unsized=tuple(_unsized(unsized, report) for unsized in sizes.unsized),
        memory=_memory(report.ram) if report.ram else None,
        verdicts=tuple(_verdict(verdict) for verdict in report.verdicts),
        findings=tuple(_finding(finding) for finding in report.findings),
        ignored=tuple(_ignored(ignored) for ignored in report.ignored),
        obstacles=tuple(_obstacle(obstacle) for obstacle in report.obstacles),
        base=_base(report.difference) if report.difference else None,
        changes=tuple(_change(change) for change in report.difference.changes)
        if report.difference
        else (),
        audit=_copied(document.Audit, report.audit) if report.audit else None,
        assumptions=report.assumptions,
        notes=_clean(report.notes),
        transfer=_copied(document.Transfer, sizes.transfer, seconds=round(report.seconds, 3)),
    )


def _memory(ram: RamFloor) -> document.Memory:
    worker, process = ram.worker, ram.scan.process
    seconds = worker.import_seconds
    return document.Memory(
        floor_bytes=ram.total.value,
        floor_low_bytes=ram.total.low,
        floor_high_bytes=ram.total.high,
        basis=ram.total.basis,
        of_app=ram.of_app,
        process=shown_command(process.command) if process else None,
        place=process.place if process else None,
        workers=ram.workers,
        workers_origin=ram.origin,
        preload=ram.preload,
        worker_bytes=worker.resident.value,
        worker_low_bytes=worker.resident.low,
        worker_high_bytes=worker.resident.high,
        worker_anonymous_bytes=worker.anonymous.value,
        interpreter_bytes=worker.interpreter_bytes,
        standard_library_bytes=worker.standard_library_bytes,
        import_seconds=seconds.value,
        import_low_seconds=seconds.low,
        import_high_seconds=seconds.high,
        by_distribution=tuple(
            _copied(
                document.MemoryPart,
                part,
                resident_bytes=part.resident.value,
                resident_low_bytes=part.resident.low,
                resident_high_bytes=part.resident.high,
            )
            for part in worker.parts
        ),
        machines=tuple(
            document.MachineMemory(
                name=machine.dyno.name,
                ram_bytes=machine.dyno.ram_bytes,
                workers=machine.workers,
                floor_bytes=machine.total.value,
                floor_low_bytes=machine.total.low,
                floor_high_bytes=machine.total.high,
                too_small=machine.is_too_small,
            )
            for machine in ram.machines
        ),
        unknown=tuple(dict.fromkeys(one.name for one in worker.unknown)),
        missing=tuple(one.module for one in ram.scan.missing),
        measured_python=worker.measured_python,
        measured_on=worker.measured_on,
        models=tuple(_loaded(model, ram) for model in ram.scan.models),
        unread=_clean(f"{one.place}: {one.reason}" for one in ram.scan.unread),
        notes=_clean(ram.scan.notes),
    )


def _loaded(model: LoadedModel, ram: RamFloor) -> document.LoadedModel:
    file = next((one for one in ram.worker.models if one.model == model), None)
    size = file.resident if file is not None else None
    return document.LoadedModel(
        path=without_credentials(model.path),
        loader=model.loader,
        place=model.place,
        when=model.when,
        counted=file is not None,
        measured=file is not None and file.measured,
        file_bytes=file.file_bytes if file is not None else None,
        resident_bytes=size.value if size is not None else None,
        resident_low_bytes=size.low if size is not None else None,
        resident_high_bytes=size.high if size is not None else None,
    )


def _subject(report: Report) -> document.Subject:
    project = report.project
    return document.Subject(
        path=report.path,
        kind=report.kind,
        sha256=report.sha256,
        manager=str(project.manager) if project else None,
        dependency_file=project.dependency_file.name if project else None,
    )


def _target(sizes: SizeReport) -> document.Target:
    target = sizes.target
    return document.Target(
        platform=target.platform.name,
        title=target.platform.title,
        size_figure=target.platform.size_figure,
        bundle_kind=target.platform.bundle.kind,
        tier=target.platform.tier.name if target.platform.tier else None,
        stack=target.stack.name,
        glibc="" if target.stack.musl or target.stack.is_pyodide else _version(target.stack.glibc),
        musl=_version(target.stack.musl) if target.stack.musl else "",
        base=_base_image(target.base) if target.base is not None else None,
        python=target.minor,
        python_full=target.python_version,
        python_origin=target.python_origin,
        arch=target.stack.arch,
        dyno=target.dyno.name if target.dyno else None,
        bytecode=target.compiles_bytecode,
        provided=target.provided,
    )


def _base_image(base: BaseImage) -> document.BaseImage:
    return document.BaseImage(
        name=base.name,
        release=base.release,
        disk_bytes=base.disk_bytes,
        pull_bytes=base.pull_bytes,
        date=base.source.date if base.disk_bytes is not None else "",
        source=base.source.text,
    )


def _version(parts: tuple[int, int]) -> str:
    return f"{parts[0]}.{parts[1]}"


def _totals(report: Report) -> document.Totals:
    sizes = report.sizes
    return document.Totals(
        distributions=len(sizes.distributions),
        files=sizes.files,
        download_bytes=sizes.download_bytes,
        installed_bytes=sizes.plain_bytes + sizes.bytecode_bytes,
        bytecode_bytes=sizes.bytecode_bytes,
        dependencies_slug_bytes=sizes.dependencies_slug_bytes,
        runtime_bytes=sizes.group_bytes("runtime"),
        runtime_slug_bytes=sizes.group_slug_bytes("runtime"),
        app_bytes=sizes.group_bytes("app"),
        app_slug_bytes=sizes.group_slug_bytes("app"),
        model_bytes=sizes.group_bytes("models"),
        model_slug_bytes=sizes.group_slug_bytes("models"),
        by_kind=_by_kind(sizes.distributions),
        all_installed_bytes=sizes.installed.value,
        all_installed_low_bytes=sizes.installed.low,
        all_installed_high_bytes=sizes.installed.high,
        slug_bytes=sizes.slug.value,
        slug_low_bytes=sizes.slug.low,
        slug_high_bytes=sizes.slug.high,
        dependencies_bundle_bytes=sizes.dependencies_bundle_bytes,
        bundle_bytes=sizes.bundle.value,
        bundle_low_bytes=sizes.bundle.low,
        bundle_high_bytes=sizes.bundle.high,
        zipped_bytes=sizes.zipped.value,
        zipped_low_bytes=sizes.zipped.low,
        zipped_high_bytes=sizes.zipped.high,
        # only the platform's own runtime is still predicted if the rest was measured
        basis=Basis.MEASURED if report.verification else sizes.slug.basis,
    )


def _by_kind(distributions: Sequence[DistributionSize]) -> dict[str, int]:
    return {str(kind): sum(size.by_kind.get(kind, 0) for size in distributions) for kind in Kind}


def distribution(size: DistributionSize, exclusive: int | None = None) -> document.Distribution:
    """Return the record of a distribution; ``exclusive``: the bytes that go with its line."""
    resolved, installed = size.distribution, size.installed
    return document.Distribution(
        name=size.name,
        version=resolved.version,
        filename=resolved.artifact.filename,
        sha256=resolved.artifact.sha256,
        direct=resolved.direct,
        extras=resolved.extras,
        origins=resolved.origins,
        required_by=size.required_by,
        download_bytes=size.download_bytes,
        installed_bytes=installed.value,
        installed_low_bytes=installed.low,
        installed_high_bytes=installed.high,
        exclusive_bytes=exclusive,
        bytecode_bytes=size.bytecode.value,
        bytecode_low_bytes=size.bytecode.low,
        bytecode_high_bytes=size.bytecode.high,
        slug_bytes=size.slug.value,
        slug_low_bytes=size.slug.low,
        slug_high_bytes=size.slug.high,
        bundle_bytes=size.bundle.value,
        bundle_low_bytes=size.bundle.low,
        bundle_high_bytes=size.bundle.high,
        files=size.files,
        bytecode_files=size.bytecode_files,
        by_kind=_by_kind([size]),
        via=size.via,
        basis=size.basis,
        plain_basis=size.plain.basis,
        source_build=resolved.source_build,
        provided_bytes=size.provided_bytes,
    )


def _root(root: RootSize) -> document.Root:
    return _copied(document.Root, root, exclusive=root.exclusive_names, shared=root.shared_names)


def _part(part: Part) -> document.Part:
    return document.Part(
        name=part.name,
        group=part.group,
        installed_bytes=part.installed.value,
        installed_low_bytes=part.installed.low,
        installed_high_bytes=part.installed.high,
        slug_bytes=part.slug.value,
        slug_low_bytes=part.slug.low,
        slug_high_bytes=part.slug.high,
        basis=part.slug.basis,
        note=part.note,
    )


def _model(model: ModelFile) -> document.Model:
    return document.Model(
        path=without_credentials(model.path),
        bytes=model.bytes,
        slug_bytes=model.slug.value,
        slug_low_bytes=model.slug.low,
        slug_high_bytes=model.slug.high,
        basis=model.slug.basis,
        place=str(model.place),
        method=model.method,
    )


def _storage(option: StorageOption) -> document.StorageOption:
    return document.StorageOption(
        storage=str(option.storage),
        title=option.title,
        status=option.status,
        recommended=option.recommended,
        slug_bytes=option.slug.value,
        slug_low_bytes=option.slug.low,
        slug_high_bytes=option.slug.high,
        downloads=tuple(
            replace(download, seconds=round(download.seconds, 3)) for download in option.downloads
        ),
        reasons=option.reasons,
    )


def _verification(verification: Verification) -> document.Verification:
    errors = verification.error_percent()
    installed, bytecode = verification.predicted_installed, verification.predicted_bytecode
    slug, zipped = verification.predicted_slug, verification.predicted_zipped
    return _copied(
        document.Verification,
        verification,
        command=without_credentials(verification.command),
        seconds=round(verification.seconds, 3),
        predicted=document.Predicted(
            installed_bytes=installed.value,
            installed_low_bytes=installed.low,
            installed_high_bytes=installed.high,
            plain_bytes=verification.predicted_plain_bytes,
            bytecode_bytes=bytecode.value,
            bytecode_low_bytes=bytecode.low,
            bytecode_high_bytes=bytecode.high,
            slug_bytes=slug.value,
            slug_low_bytes=slug.low,
            slug_high_bytes=slug.high,
            seconds=round(verification.predicted_seconds.value, 3),
            zipped_bytes=zipped.value if zipped and verification.zipped_bytes is not None else None,
        ),
        error_percent=document.ErrorPercent(
            **{name: round(error, 5) for name, error in errors.items()}
        ),
        notes=_clean(verification.notes),
    )


def _unsized(unsized: Unsized, report: Report) -> document.Unsized:
    return document.Unsized(
        name=without_credentials(unsized.name),
        version=unsized.version,
        reason=without_credentials(unsized.reason),
        origin=unsized.origin,
        allowed=unsized.name in report.allowed_unsized,
    )


def _verdict(verdict: Verdict) -> document.Verdict:
    figure: Estimate[int] | Estimate[float] | None = verdict.figure
    return _copied(
        document.Verdict,
        verdict,
        measured=_number(figure.value) if figure else None,
        low=_number(figure.low) if figure else None,
        high=_number(figure.high) if figure else None,
        basis=figure.basis if figure else None,
        source=verdict.source.text,
        source_date=verdict.source.date,
    )


def _number(value: float) -> int | float:
    return value if isinstance(value, int) else round(value, 3)


def _finding(finding: Finding) -> document.Finding:
    return _copied(
        document.Finding,
        finding,
        sentence=without_credentials(finding.sentence),
        fix=without_credentials(finding.fix),
        then_bytes=finding.after.bundle.value if finding.after else None,
        then_status=finding.after.status if finding.after else None,
    )


def _obstacle(obstacle: Obstacle) -> document.Obstacle:
    return _copied(
        document.Obstacle,
        obstacle,
        sentence=without_credentials(obstacle.sentence),
        fix=without_credentials(obstacle.fix),
    )


def _ignored(ignored: Ignored) -> document.IgnoredFinding:
    return _copied(
        document.IgnoredFinding,
        _finding(ignored.finding),
        reason=ignored.reason,
        expires=ignored.expires,
    )


def _base(difference: Difference) -> document.Base:
    known = difference.base is not None
    return document.Base(
        label=difference.label,
        totals=difference.base,
        problem=without_credentials(difference.problem) if difference.problem else None,
        installed_bytes=difference.installed_bytes if known else None,
        installed_doubt_bytes=difference.installed_doubt_bytes if known else None,
        slug_bytes=difference.slug_bytes if known else None,
        slug_doubt_bytes=difference.slug_doubt_bytes if known else None,
        bundle_bytes=difference.bundle_bytes if known else None,
        bundle_doubt_bytes=difference.bundle_doubt_bytes if known else None,
        parts=difference.parts,
        notes=_clean(difference.notes),
    )


def _change(change: Change) -> Change:
    percent = None if change.percent is None else round(change.percent, 3)
    return replace(change, percent=percent)


# --------------------------------------------------------------------------- matrix


def matrix_document(matrix: Matrix) -> document.MatrixDocument:
    """Return the document of several targets."""
    return document.MatrixDocument(
        schema=document.SCHEMA,
        tool=document.Tool(name="slugcheck", version=matrix.tool_version),
        path=matrix.path,
        exit_code=matrix.exit_code,
        matrix=tuple(map(_matrix_row, matrix.targets)),
        targets=tuple(map(_target_report, matrix.targets)),
        transfer=_copied(document.Transfer, matrix.transfer, seconds=round(matrix.seconds, 3)),
    )


def _target_report(target: TargetResult) -> document.TargetReport:
    return document.TargetReport(
        target=_copied(document.TargetName, target),
        outcome=target.outcome,
        exit_code=target.exit_code,
        problem=without_credentials(target.problem) if target.problem else None,
        hint=without_credentials(target.hint) if target.hint else None,
        report=report_document(target.report) if target.report is not None else None,
    )


def _matrix_row(target: TargetResult) -> document.MatrixRow:
    named = {name: getattr(target, name) for name in ("platform", "python", "outcome", "exit_code")}
    if target.report is None:
        return document.MatrixRow(**named)
    sizes, verdict, build = target.report.sizes, target.size_verdict, target.build_seconds
    return document.MatrixRow(
        **named,
        size_figure=sizes.target.platform.size_figure,
        bundle_bytes=sizes.bundle.value,
        bundle_low_bytes=sizes.bundle.low,
        bundle_high_bytes=sizes.bundle.high,
        limit_bytes=verdict.limit if verdict is not None else None,
        installed_bytes=sizes.installed.value,
        build_seconds=None if build is None else round(build, 3),
    )


# --------------------------------------------------------------------------- comparison


def comparison_document(
    comparison: Comparison, reports: Sequence[document.ReportDocument]
) -> document.ComparisonDocument:
    """Return the document of a comparison; ``reports`` are those that it compares."""
    labels = [setup.label for setup in comparison.stacks]
    return document.ComparisonDocument(
        schema=document.SCHEMA,
        tool=document.Tool(name="slugcheck", version=comparison.tool_version),
        target=reports[0].target,
        stacks=tuple(
            _candidate(setup, report)
            for setup, report in zip(comparison.stacks, reports, strict=True)
        ),
        differences=tuple(_difference_row(row, labels) for row in comparison.shared),
        migrations=tuple(_migration(migration) for migration in comparison.migrations),
        savings=comparison.savings,
        recommendation=comparison.recommendation,
        footprints=dict(zip(labels, comparison.footprints, strict=False)),
        notes=_clean(comparison.notes),
    )


def _candidate(setup: Setup, report: document.ReportDocument) -> document.Candidate:
    return _copied(
        document.Candidate,
        setup,
        totals=report.totals,
        verdicts=report.verdicts,
        models=report.models,
        unsized=report.unsized,
        memory=report.memory,
    )


def _difference_row(row: SharedRow, labels: Sequence[str]) -> document.DifferenceRow:
    return document.DifferenceRow(
        name=row.name,
        versions=dict(zip(labels, row.versions, strict=True)),
        installed_bytes=dict(zip(labels, row.installed_bytes, strict=True)),
        slug_bytes=dict(zip(labels, row.slug_bytes, strict=True)),
        bundle_bytes=dict(zip(labels, row.bundle_bytes, strict=True)),
    )


def _migration(migration: Migration) -> document.Migration:
    steps = None if migration.steps is None else tuple(
        replace(
            step, before=without_credentials(step.before), after=without_credentials(step.after)
        )
        for step in migration.steps
    )  # fmt: skip
    return document.Migration(from_=migration.from_label, to=migration.to_label, steps=steps)


# --------------------------------------------------------------------------- why


def why_document(why: Why) -> document.WhyDocument:
    """Return the document of an answer."""
    report = report_document(why.report)
    return document.WhyDocument(
        schema=document.SCHEMA,
        tool=report.tool,
        subject=report.subject,
        target=report.target,
        totals=report.totals,
        transfer=report.transfer,
        name=why.name,
        extras=why.requested_extras,
        standing=why.standing,
        distribution=next(
            (installed for installed in report.distributions if installed.name == why.name), None
        ),
        unsized=_copied(document.UnsizedReason, why.unsized)
        if why.unsized and why.standing is Standing.UNSIZED
        else None,
        needs=tuple(_need(need) for need in why.needs),
        roots=tuple(_root_paths(root) for root in why.roots),
        brings=_brings(why.brings) if why.brings else None,
        memory=next((p for p in report.memory.by_distribution if p.name == why.name), None)
        if report.memory
        else None,
        remedies=tuple(_remedy(remedy) for remedy in why.remedies),
        findings=tuple(map(_finding, why.findings)),
        notes=why.notes,
    )


def _need(need: Need) -> document.Need:
    return _copied(
        document.Need,
        need,
        by=need.by or None,
        version=need.version or None,
        extra=need.extra or None,
        unmet=need.unmet or None,
    )


def _root_paths(root: RootPaths) -> document.RootPaths:
    return _copied(document.RootPaths, root, version=root.version or None)


def _brings(brings: Brings) -> document.Brings:
    return document.Brings(
        exclusive=tuple(size.name for size in brings.exclusive),
        shared=tuple(size.name for size in brings.shared),
        unsized=brings.unsized,
        freed=brings.freed,
    )


def _remedy(remedy: Remedy) -> document.Remedy:
    outcome = remedy.outcome
    return _copied(
        document.Remedy,
        remedy,
        measured=_saving(outcome) if isinstance(outcome, MeasuredSaving) else None,
        tried=True if isinstance(outcome, MeasuredSaving) else outcome.tried,
        reason=None if isinstance(outcome, MeasuredSaving) else outcome.reason,
    )


def _saving(saving: MeasuredSaving) -> document.MeasuredSaving:
    return document.MeasuredSaving(
        saves_installed_bytes=saving.installed_bytes,
        saves_slug_bytes=saving.slug_bytes,
        saves_bundle_bytes=saving.bundle_bytes,
        installed_doubt_bytes=saving.installed_doubt_bytes,
        slug_doubt_bytes=saving.slug_doubt_bytes,
        bundle_doubt_bytes=saving.bundle_doubt_bytes,
        left_version=saving.left,
        changes=saving.changes,
        unsized_gone=saving.unsized_gone,
        all_installed_bytes=saving.installed.value,
        all_installed_low_bytes=saving.installed.low,
        all_installed_high_bytes=saving.installed.high,
        slug_bytes=saving.slug.value,
        slug_low_bytes=saving.slug.low,
        slug_high_bytes=saving.slug.high,
        bundle_bytes=saving.bundle.value,
        bundle_low_bytes=saving.bundle.low,
        bundle_high_bytes=saving.bundle.high,
    )


# --------------------------------------------------------------------------- bench


def bench_document(result: BenchResult) -> document.BenchDocument:
    """Return the document of a bench result."""
    return _copied(
        document.BenchDocument,
        result,
        schema=document.SCHEMA,
        kind="bench",
        tool=document.Tool(name="slugcheck", version=result.tool_version),
        stacks=tuple(_runtime(stack) for stack in result.stacks),
        agreement=_agreement(result.agreement) if result.agreement else None,
        dynos=tuple(_dyno(dyno) for dyno in result.dynos),
        trials=tuple(_copied(document.Trial, trial) for trial in result.trials),
        app=_memory(result.app) if result.app else None,
        findings=tuple(_finding(finding) for finding in result.findings),
        notes=_clean(result.notes),
    )


def _runtime(result: StackResult) -> document.Runtime:
    return _copied(
        document.Runtime,
        result.stack,
        model=without_credentials(result.stack.model),
        failure=without_credentials(result.failure) if result.failure else None,
        doubts=result.doubts,
        summary=_summary(result.summary) if result.summary else None,
        samples=result.samples,
        cold_starts=result.cold_starts,
    )


def _summary(summary: Summary) -> document.Summary:
    return _copied(
        document.Summary,
        summary,
        rss_bytes=summary.rss,
        anon_bytes=summary.anon,
        pss_bytes=summary.pss,
        uss_bytes=summary.uss,
        cold_start_seconds=summary.cold_seconds,
        cold_start_evicted_seconds=summary.evicted_seconds,
    )


def _agreement(agreement: Agreement) -> document.Agreement:
    return _copied(
        document.Agreement,
        agreement,
        outputs=tuple(
            document.OutputDifference(
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


def _dyno(fit: DynoFit) -> document.DynoFit:
    return document.DynoFit(
        names=fit.names,
        ram_bytes=fit.dyno.ram_bytes,
        killed_at_bytes=fit.dyno.r15_bytes,
        workers_started=fit.dyno.workers,
        fits=fit.fits,
    )


# --------------------------------------------------------------------------- rehearse


def rehearsal_document(result: RehearsalResult) -> document.RehearsalDocument:
    """Return the document of a rehearsal."""
    return _copied(
        document.RehearsalDocument,
        result,
        schema=document.SCHEMA,
        kind="rehearsal",
        tool=document.Tool(name="slugcheck", version=result.tool_version),
        processes=tuple(
            replace(process, command=shown_command(process.command)) for process in result.processes
        ),
        notes=_clean(result.notes),
    )


def rehearsals_document(
    results: Sequence[RehearsalResult], labels: Sequence[str]
) -> document.RehearsalsDocument:
    """Return the document of several rehearsals."""
    return document.RehearsalsDocument(
        schema=document.SCHEMA,
        kind="rehearsals",
        tool=document.Tool(name="slugcheck", version=__version__),
        labels=tuple(labels),
        rehearsals=tuple(map(rehearsal_document, results)),
    )


def rehearsed(saved: document.RehearsalDocument) -> RehearsalResult:
    """Return the rehearsal of a document."""
    names = {field.name for field in fields(RehearsalResult)} - {"tool_version"}
    values = {name: getattr(saved, name) for name in names}
    return RehearsalResult(tool_version=saved.tool.version, **values)

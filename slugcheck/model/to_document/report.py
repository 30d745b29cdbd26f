"""The document of a check's report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
)
from slugcheck.model.document import report as report_json
from slugcheck.model.document import saved
from slugcheck.model.memory import RamFloor
from slugcheck.model.to_document.fields import clean, copied
from slugcheck.text import shown_command, without_credentials


def report_document(report: Report) -> report_json.ReportDocument:
    """Return the document of a report."""
    sizes = report.sizes
    exclusive = {root.name: root.exclusive_bytes for root in sizes.roots}
    return report_json.ReportDocument(
        schema=saved.SCHEMA,
        tool=report_json.Tool(name="slugcheck", version=report.tool_version),
        subject=_subject(report),
        target=_target(sizes),
        requirements=tuple(
            report_json.Requirement(
                name=line.name, text=without_credentials(line.text), origin=line.origin
            )
            for line in report.requirements
        ),
        totals=_totals(report),
        distributions=tuple(
            distribution(size, exclusive.get(size.name)) for size in sizes.distributions
        ),
        roots=tuple(_root(root) for root in sizes.roots),
        causes=tuple(copied(report_json.Cause, cause) for cause in sizes.causes),
        parts=tuple(_part(part) for part in sizes.parts),
        app=copied(report_json.App, report.app) if report.app else None,
        models=tuple(_model(model) for model in report.models),
        storage=tuple(_storage(option) for option in report.storage),
        verify=_verification(report.verification) if report.verification else None,
        function=report.function,
        overlaps=sizes.overlaps,
        unsized=tuple(_unsized(unsized, report) for unsized in sizes.unsized),
        memory=of_floor(report.ram) if report.ram else None,
        verdicts=tuple(_verdict(verdict) for verdict in report.verdicts),
        findings=tuple(of_finding(finding) for finding in report.findings),
        ignored=tuple(_ignored(ignored) for ignored in report.ignored),
        obstacles=tuple(_obstacle(obstacle) for obstacle in report.obstacles),
        base=_base(report.difference) if report.difference else None,
        changes=tuple(_change(change) for change in report.difference.changes)
        if report.difference
        else (),
        audit=copied(report_json.Audit, report.audit) if report.audit else None,
        assumptions=report.assumptions,
        notes=clean(report.notes),
        transfer=copied(report_json.Transfer, sizes.transfer, seconds=round(report.seconds, 3)),
    )


def of_floor(ram: RamFloor) -> report_json.Memory:
    """Return the floor of an app\'s memory as a record of a document."""
    worker, process = ram.worker, ram.scan.process
    seconds = worker.import_seconds
    return report_json.Memory(
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
            copied(
                report_json.MemoryPart,
                part,
                resident_bytes=part.resident.value,
                resident_low_bytes=part.resident.low,
                resident_high_bytes=part.resident.high,
            )
            for part in worker.parts
        ),
        machines=tuple(
            report_json.MachineMemory(
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
        unread=clean(f"{one.place}: {one.reason}" for one in ram.scan.unread),
        notes=clean(ram.scan.notes),
    )


def _loaded(model: LoadedModel, ram: RamFloor) -> report_json.LoadedModel:
    file = next((one for one in ram.worker.models if one.model == model), None)
    size = file.resident if file is not None else None
    return report_json.LoadedModel(
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


def _subject(report: Report) -> report_json.Subject:
    project = report.project
    return report_json.Subject(
        path=report.path,
        kind=report.kind,
        sha256=report.sha256,
        manager=str(project.manager) if project else None,
        dependency_file=project.dependency_file.name if project else None,
    )


def _target(sizes: SizeReport) -> report_json.Target:
    target = sizes.target
    return report_json.Target(
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


def _base_image(base: BaseImage) -> report_json.BaseImage:
    return report_json.BaseImage(
        name=base.name,
        release=base.release,
        disk_bytes=base.disk_bytes,
        pull_bytes=base.pull_bytes,
        date=base.source.date if base.disk_bytes is not None else "",
        source=base.source.text,
    )


def _version(parts: tuple[int, int]) -> str:
    return f"{parts[0]}.{parts[1]}"


def _totals(report: Report) -> report_json.Totals:
    sizes = report.sizes
    return report_json.Totals(
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


def distribution(size: DistributionSize, exclusive: int | None = None) -> report_json.Distribution:
    """Return the record of a distribution; ``exclusive``: the bytes that go with its line."""
    resolved, installed = size.distribution, size.installed
    return report_json.Distribution(
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


def _root(root: RootSize) -> report_json.Root:
    return copied(report_json.Root, root, exclusive=root.exclusive_names, shared=root.shared_names)


def _part(part: Part) -> report_json.Part:
    return report_json.Part(
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


def _model(model: ModelFile) -> report_json.Model:
    return report_json.Model(
        path=without_credentials(model.path),
        bytes=model.bytes,
        slug_bytes=model.slug.value,
        slug_low_bytes=model.slug.low,
        slug_high_bytes=model.slug.high,
        basis=model.slug.basis,
        place=str(model.place),
        method=model.method,
    )


def _storage(option: StorageOption) -> report_json.StorageOption:
    return report_json.StorageOption(
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


def _verification(verification: Verification) -> report_json.Verification:
    errors = verification.error_percent()
    installed, bytecode = verification.predicted_installed, verification.predicted_bytecode
    slug, zipped = verification.predicted_slug, verification.predicted_zipped
    return copied(
        report_json.Verification,
        verification,
        command=without_credentials(verification.command),
        seconds=round(verification.seconds, 3),
        predicted=report_json.Predicted(
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
        error_percent=report_json.ErrorPercent(
            **{name: round(error, 5) for name, error in errors.items()}
        ),
        notes=clean(verification.notes),
    )


def _unsized(unsized: Unsized, report: Report) -> report_json.Unsized:
    return report_json.Unsized(
        name=without_credentials(unsized.name),
        version=unsized.version,
        reason=without_credentials(unsized.reason),
        origin=unsized.origin,
        allowed=unsized.name in report.allowed_unsized,
    )


def _verdict(verdict: Verdict) -> report_json.Verdict:
    figure: Estimate[int] | Estimate[float] | None = verdict.figure
    return copied(
        report_json.Verdict,
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


def of_finding(finding: Finding) -> report_json.Finding:
    """Return a finding as a record of a document."""
    return copied(
        report_json.Finding,
        finding,
        sentence=without_credentials(finding.sentence),
        fix=without_credentials(finding.fix),
        then_bytes=finding.after.bundle.value if finding.after else None,
        then_status=finding.after.status if finding.after else None,
    )


def _obstacle(obstacle: Obstacle) -> report_json.Obstacle:
    return copied(
        report_json.Obstacle,
        obstacle,
        sentence=without_credentials(obstacle.sentence),
        fix=without_credentials(obstacle.fix),
    )


def _ignored(ignored: Ignored) -> report_json.IgnoredFinding:
    return copied(
        report_json.IgnoredFinding,
        of_finding(ignored.finding),
        reason=ignored.reason,
        expires=ignored.expires,
    )


def _base(difference: Difference) -> report_json.Base:
    known = difference.base is not None
    return report_json.Base(
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
        notes=clean(difference.notes),
    )


def _change(change: Change) -> Change:
    percent = None if change.percent is None else round(change.percent, 3)
    return replace(change, percent=percent)

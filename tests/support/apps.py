"""Reports of whole apps: their files, models, storage options, and what --verify measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from slugcheck.model import (
    AppFiles,
    Download,
    Estimate,
    FolderSize,
    Manager,
    ModelFile,
    ModelPlace,
    Project,
    Report,
    Status,
    Storage,
    StorageOption,
    Verification,
)
from slugcheck.sizing import slug_parts
from tests.support import reports

MODEL_SIZE, MODEL_SLUG = 12_023_908, 11_123_212


def app(*folders: tuple[str, int, int, int]) -> AppFiles:
    """App files; each folder is path, files, bytes, slug bytes."""
    rows = tuple(FolderSize(path=p, files=f, bytes=b, slug_bytes=s) for p, f, b, s in folders)
    return AppFiles(
        files=sum(row.files for row in rows) + 3,
        bytes=sum(row.bytes for row in rows) + 5_000,
        slug_bytes=sum(row.slug_bytes for row in rows) + 2_000,
        checkout_bytes=60_000_000,
        ignored_files=12,
        ignored_bytes=3_400_000,
        folders=rows,
        tracked=True,
    )


def model(path: str, size: int = MODEL_SIZE, slug: int = MODEL_SLUG, percent: int = 0) -> ModelFile:
    known = Estimate[int].measured(slug)
    return ModelFile(
        path=path,
        bytes=size,
        slug=reports.within(slug, percent) if percent else known,
        place=ModelPlace.APP,
        method="from a sample of 64 of 1,200 MiB" if percent else "compressed whole",
    )


def options(*, title: str = "in git and in the slug") -> tuple[StorageOption, ...]:
    whole = reports.within(176_500_000, 1)
    smaller = reports.within(143_200_000, 1)
    downloads = tuple(
        Download(bytes_per_second=rate * 1e6, seconds=36.1 / rate) for rate in (10, 25, 100)
    )
    return (
        StorageOption(
            storage=Storage.SLUG,
            title=title,
            status=Status.PASS,
            slug=whole,
            downloads=(),
            reasons=("slug 168.4M of 500M", "no file is over GitHub's 100 MiB"),
            recommended=True,
        ),
        StorageOption(
            storage=Storage.BOOT,
            title="object storage, at boot",
            status=Status.WARN,
            slug=smaller,
            downloads=downloads,
            reasons=("downloaded at every restart (at least once a day)",),
        ),
        StorageOption(
            storage=Storage.BUILD,
            title="object storage, at build",
            status=Status.FAIL,
            slug=whole,
            downloads=downloads,
            reasons=("in the slug as well, but not in git",),
        ),
    )


def verification(*, installer: str = "pip 26.2.1", command: str = "pip install") -> Verification:
    return Verification(
        python="3.11.7",
        installer=installer,
        command=command,
        seconds=21.4,
        installed_bytes=381_790_000,
        bytecode_bytes=76_770_000,
        slug_bytes=154_100_000,
        predicted_seconds=Estimate.predicted(58.8, 29.4, 117.6),
        predicted_installed=Estimate.predicted(381_700_000, 380_000_000, 383_000_000),
        predicted_bytecode=Estimate.predicted(76_680_000, 75_000_000, 78_000_000),
        predicted_slug=Estimate.predicted(153_900_000, 152_000_000, 156_000_000),
        plain_by_name=(),
        bytecode_by_name=(),
    )


def with_app(
    report: Report,
    found: AppFiles,
    models: Sequence[ModelFile],
    storage: Sequence[StorageOption] = (),
    verified: Verification | None = None,
) -> Report:
    """The report with app files and models among its parts and totals."""
    more = (slug_parts.app_part(found), *slug_parts.model_parts(models))
    sizes = report.sizes
    added = sum(part.slug.value for part in more)
    slug = Estimate.predicted(
        sizes.slug.value + added, sizes.slug.low + added, sizes.slug.high + added
    )
    size = sum(part.installed.value for part in more)
    installed = Estimate.predicted(
        sizes.installed.value + size, sizes.installed.low + size, sizes.installed.high + size
    )
    return replace(
        report,
        kind="project",
        sizes=replace(
            sizes,
            parts=(*sizes.parts, *more),
            slug=slug,
            installed=installed,
            bundle=slug if sizes.counts_slug else installed,
        ),
        project=Project(
            top=Path("/app"),
            folder=Path("app"),
            manager=Manager.PIP,
            dependency_file=Path("app") / PurePath(report.path).name,
        ),
        app=found,
        models=tuple(models),
        storage=tuple(storage),
        verification=verified,
    )

"""What all renderings say alike of the app: its files, its models, their storage, --verify.

Nothing here is escaped: each rendering makes text safe for its own place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slugcheck.model import (
    AppFiles,
    Basis,
    Download,
    Estimate,
    ModelFile,
    StorageOption,
    Verification,
)
from slugcheck.render.words import plural
from slugcheck.text import clock, mb

_MOST_MODELS = 12
_NOTABLE_BYTES = 100_000  # a folder below it says nothing about where the megabytes are


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line about files: what, how many, MB on disk, MB in the slug, and how that is known."""

    name: str
    files: str
    installed: str
    slug: str
    note: str


def app_rows(app: AppFiles) -> tuple[Row, ...]:
    """Return the app's biggest folders, the largest first, and the rest in one.

    Nothing where all of them are small.
    """
    shown = [folder for folder in app.folders if folder.bytes >= _NOTABLE_BYTES]
    rows = [
        Row(
            name=folder.path,
            files=f"{folder.files:,}",
            installed=mb(folder.bytes),
            slug=mb(folder.slug_bytes),
            note="",
        )
        for folder in shown
    ]
    files = app.files - sum(folder.files for folder in shown)
    if rows and files > 0:
        size = app.bytes - sum(folder.bytes for folder in shown)
        slug = app.slug_bytes - sum(folder.slug_bytes for folder in shown)
        name = plural(files, "other")
        rows.append(
            Row(name=name, files=f"{files:,}", installed=mb(size), slug=mb(max(slug, 0)), note="")
        )
    return tuple(rows)


def app_summary(app: AppFiles) -> str:
    """Return what the app's files are, in a line."""
    kind = "tracked by git" if app.tracked else "in the folder (no git checkout)"
    said = [f"app files: {plural(app.files, 'file')} {kind}, {mb(app.bytes)} MB"]
    if app.ignored_files:
        left = f"{plural(app.ignored_files, 'file')} ({mb(app.ignored_bytes)} MB)"
        said.append(f".slugignore leaves out {left}")
    return "; ".join(said)


def model_rows(models: Sequence[ModelFile]) -> tuple[Row, ...]:
    """Return the model files, the largest first, beyond twelve the rest in one."""
    ordered = sorted(models, key=lambda model: (-model.bytes, model.path))
    shown = ordered[:_MOST_MODELS] if len(ordered) > _MOST_MODELS + 1 else ordered
    rest = ordered[len(shown) :]
    rows = [
        Row(
            name=model.path,
            files="",
            installed=mb(model.bytes),
            slug=f"{_tilde(model.slug)}{mb(model.slug.value)}",
            note=model.method,
        )
        for model in shown
    ]
    if rest:
        rows.append(
            Row(
                name=f"{len(rest)} smaller",
                files="",
                installed=mb(sum(model.bytes for model in rest)),
                slug=f"~{mb(sum(model.slug.value for model in rest))}",
                note="",
            )
        )
    return tuple(rows)


def storage_title(models: Sequence[ModelFile]) -> str:
    """Return the head of the storage options."""
    total = sum(model.bytes for model in models)
    return f"where to keep {plural(len(models), 'model file')}, {mb(total)} MB"


def storage_facts(option: StorageOption) -> tuple[str, ...]:
    """Return what a way to store models means, the decisive fact first."""
    if not option.downloads:
        return option.reasons
    rates = ", ".join(download(one) for one in option.downloads)
    return (*option.reasons, f"download at assumed rates: {rates}")


def download(one: Download) -> str:
    """Return seconds at a bandwidth, "0.4 s at 100 MB/s"."""
    rate = f"{one.bytes_per_second / 1e6:g} MB/s"
    took = f"{one.seconds:.1f} s" if one.seconds < 60 else clock(one.seconds)
    return f"{took} at {rate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure that was predicted and then measured."""

    name: str
    measured: str
    predicted: str
    error: str


def compared(found: Verification, *, slug: str = "slug") -> tuple[Compared, ...]:
    """Return measured beside predicted, with the error of each prediction."""
    errors = found.error_percent()
    sizes = (
        ("installed", found.installed_bytes, found.predicted_installed.value, "installed"),
        ("without bytecode", found.plain_bytes, found.predicted_plain_bytes, "plain"),
        ("bytecode", found.bytecode_bytes, found.predicted_bytecode.value, "bytecode"),
        (slug, found.slug_bytes, found.predicted_slug.value, "slug"),
    )
    rows = [
        Compared(
            name=f"{name}, MB",
            measured=f"{measured / 1e6:,.3f}",
            predicted=f"{predicted / 1e6:,.3f}",
            error=_error(errors[key], predicted - measured),
        )
        for name, measured, predicted, key in sizes
    ]
    seconds = Compared(
        name="seconds",
        measured=f"{found.seconds:.1f}",
        predicted=f"{found.predicted_seconds.value:.1f}",
        error=f"{errors['seconds']:+.0f} %",
    )
    return (*rows, seconds)


def verified_words(found: Verification) -> str:
    """Return how it was measured."""
    return f"installed with {found.installer} on Python {found.python}: {found.command}"


def _error(percent: float, difference: int) -> str:
    if not difference:
        return "exact"
    if abs(percent) < 0.005:
        return f"{difference:+,} B"
    return f"{percent:+.2f} %"


def _tilde(figure: Estimate[int]) -> str:
    return "~" if figure.basis is Basis.PREDICTED else ""

"""The parts of a report's document that are about the app: files, models, storage, verification."""

from __future__ import annotations

from typing import Any

from slugcheck.credentials import without_credentials
from slugcheck.model import (
    AppFiles,
    Estimate,
    ModelFile,
    Project,
    Report,
    StorageOption,
    Verification,
)

Json = dict[str, Any]
_PREDICTED = ("installed", "plain", "bytecode", "slug", "seconds")


def subject(report: Report) -> Json:
    """Return what was checked."""
    return {
        "path": report.path,
        "kind": report.kind,
        "sha256": report.sha256,
        **_project(report.project),
    }


def _project(project: Project | None) -> Json:
    if project is None:
        return {"manager": None, "dependency_file": None}
    return {"manager": str(project.manager), "dependency_file": project.dependency_file.name}


def app(found: AppFiles | None) -> Json | None:
    """Return the app's own files."""
    if found is None:
        return None
    return {
        "files": found.files,
        "bytes": found.bytes,
        "slug_bytes": found.slug_bytes,
        "checkout_bytes": found.checkout_bytes,
        "ignored_files": found.ignored_files,
        "ignored_bytes": found.ignored_bytes,
        "tracked": found.tracked,
        "folders": [
            {
                "path": folder.path,
                "files": folder.files,
                "bytes": folder.bytes,
                "slug_bytes": folder.slug_bytes,
            }
            for folder in found.folders
        ],
    }


def model(found: ModelFile) -> Json:
    """Return one model file."""
    return {
        "path": without_credentials(found.path),
        "bytes": found.bytes,
        **interval("slug", found.slug),
        "basis": str(found.slug.basis),
        "place": str(found.place),
        "method": found.method,
    }


def storage(option: StorageOption) -> Json:
    """Return one way to store the models, judged."""
    return {
        "storage": str(option.storage),
        "title": option.title,
        "status": str(option.status),
        "recommended": option.recommended,
        **interval("slug", option.slug),
        "downloads": [
            {"bytes_per_second": one.bytes_per_second, "seconds": round(one.seconds, 3)}
            for one in option.downloads
        ],
        "reasons": list(option.reasons),
    }


def verification(found: Verification | None) -> Json | None:
    """Return what a real install and a real tar measured, and the error of the prediction."""
    if found is None:
        return None
    errors = found.error_percent()
    return {
        "python": found.python,
        "installer": found.installer,
        "command": without_credentials(found.command),
        "seconds": round(found.seconds, 3),
        "installed_bytes": found.installed_bytes,
        "plain_bytes": found.plain_bytes,
        "bytecode_bytes": found.bytecode_bytes,
        "slug_bytes": found.slug_bytes,
        "predicted": {
            **interval("installed", found.predicted_installed),
            **interval("bytecode", found.predicted_bytecode),
            **interval("slug", found.predicted_slug),
            "plain_bytes": found.predicted_plain_bytes,
            "seconds": round(found.predicted_seconds.value, 3),
        },
        "error_percent": {name: round(errors[name], 5) for name in _PREDICTED},
        "notes": [without_credentials(note) for note in found.notes],
    }


def interval(name: str, figure: Estimate[int]) -> dict[str, int]:
    """Return a figure in bytes with both ends of its interval."""
    return {
        f"{name}_bytes": figure.value,
        f"{name}_low_bytes": figure.low,
        f"{name}_high_bytes": figure.high,
    }

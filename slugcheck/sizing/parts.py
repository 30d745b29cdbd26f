"""The other parts of the slug: the platform's runtime, app files and model files."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from slugcheck.model import AppFiles, Basis, Estimate, Manager, ModelFile, Part, RuntimePart, Target

RUNTIME, APP, MODELS, OTHER = "runtime", "app", "models", "other"
# A distribution of this name replaces the platform's own.
_REPLACEABLE = ("pip", "setuptools")


def runtime_parts(
    target: Target, installed: Collection[str] = (), manager: Manager = Manager.PIP
) -> tuple[Part, ...]:
    """Return what the platform itself adds to the slug.

    ``installed`` are the names of the distributions: a pip or setuptools among them replaces the
    platform's own. ``manager`` is the package manager of the build.
    """
    return tuple(
        Part(
            name=part.name,
            group=RUNTIME,
            installed=_within(part.installed_bytes, part.error_percent),
            slug=_within(part.slug_bytes, part.error_percent),
            note=part.note,
        )
        for part in target.python.parts
        if _is_there(part, installed, manager)
    )


def _is_there(part: RuntimePart, installed: Collection[str], manager: Manager) -> bool:
    name = part.name.split()[0].lower()
    if name in _REPLACEABLE and name in installed:
        return False
    return not part.managers or manager in part.managers


def app_part(app: AppFiles) -> Part:
    """Return the app's own files, without model files."""
    return Part(
        name="app files",
        group=APP,
        installed=Estimate[int].measured(app.bytes),
        slug=Estimate[int].measured(app.slug_bytes),
        note="",
    )


def model_parts(models: Sequence[ModelFile]) -> tuple[Part, ...]:
    """Return one part for each model file."""
    return tuple(
        Part(
            name=model.path,
            group=MODELS,
            installed=Estimate[int].measured(model.bytes),
            slug=model.slug,
            note="",
        )
        for model in models
    )


def _within(value: int, percent: float) -> Estimate[int]:
    if not percent:
        return Estimate(value=value, low=value, high=value, basis=Basis.MEASURED)
    margin = int(value * percent / 100)
    return Estimate.predicted(value, value - margin, value + margin)

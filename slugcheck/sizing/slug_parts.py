"""The parts of the slug beside the dependencies, and the sizes that ``--verify`` measured.

The parts are the platform's runtime, the app's files, its models, and what steps of the build add
after the install. The runtime cannot be installed here, and those steps would run the app, so both
stay predicted, with their intervals, even where the rest is measured.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from slugcheck.model import (
    AppFiles,
    Basis,
    BundleKind,
    DistributionSize,
    Estimate,
    Manager,
    ModelFile,
    Part,
    RuntimePart,
    SizeReport,
    Target,
    Unsized,
    Verification,
    figures,
)

RUNTIME, APP, MODELS, LAYERS, OTHER = "runtime", "app", "models", "layers", "other"
# What steps of the build write after the install: collectstatic, and NLTK's downloader.
STATIC, NLTK = "static", "nltk"
BASE, CACHE = "base", "cache"  # of a container image: what FROM brings, what installers leave
_NOT_VERIFIED = (RUNTIME, STATIC, NLTK, BASE, CACHE, LAYERS)
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


def unverified(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return the parts that ``--verify`` does not write, so that they stay predicted."""
    return tuple(part for part in parts if part.group in _NOT_VERIFIED)


def _within(value: int, percent: float) -> Estimate[int]:
    if not percent:
        return Estimate[int].measured(value)
    margin = int(value * percent / 100)
    return Estimate.predicted(value, value - margin, value + margin)


def as_measured(
    sizes: SizeReport, verification: Verification, *, unsized: tuple[Unsized, ...] = ()
) -> SizeReport:
    """Return the sizes as measured.

    A distribution's share of the slug cannot be measured by itself, so the measured total is
    divided as predicted. ``unsized`` are the packages that even the install did not measure.
    """
    plain, bytecode = dict(verification.plain_by_name), dict(verification.bytecode_by_name)
    known_parts = (part for part in sizes.parts if part.group not in _NOT_VERIFIED)
    own = verification.slug_bytes - sum(part.slug.value for part in known_parts)
    scale = own / sizes.dependencies_slug_bytes if sizes.dependencies_slug_bytes else 1.0
    kind = sizes.target.platform.bundle.kind
    rows = tuple(
        _measured(package, plain[package.name], bytecode.get(package.name, 0), scale, kind)
        if package.name in plain
        else package
        for package in sizes.distributions
    )
    predicted = unverified(sizes.parts)
    measured = replace(sizes, distributions=rows, unsized=unsized)
    more = verification.installed_bytes - measured.plain_bytes - measured.bytecode_bytes
    known = Estimate[int].measured
    installed = figures.total(
        [known(verification.installed_bytes), *(part.installed for part in sizes.parts)],
        systematic_percent=0.0,
    )
    slug = figures.total(
        [known(verification.slug_bytes), *(part.slug for part in predicted)],
        systematic_percent=0.0,
    )
    # of the rest only predictions are known: --verify writes the tree and its gzip -6 tar
    whole = {kind: installed if kind.is_all_installed else sizes.bundle, BundleKind.GZIP_TAR: slug}
    return replace(
        measured,
        parts=(*sizes.parts, *([_unpredicted(more)] if more > 0 else [])),
        installed=installed,
        slug=slug,
        bundle=whole[kind],
        zipped=sizes.zipped
        if verification.zipped_bytes is None
        else known(verification.zipped_bytes),
    )


def _measured(
    package: DistributionSize, plain: int, bytecode: int, scale: float, kind: BundleKind
) -> DistributionSize:
    slug = Estimate(
        value=round(package.slug.value * scale),
        low=round(package.slug.low * scale),
        high=round(package.slug.high * scale),
        basis=Basis.PREDICTED,
    )
    both = Estimate[int].measured(plain + bytecode)
    counted = {kind: both if kind.is_all_installed else package.bundle, BundleKind.GZIP_TAR: slug}
    return replace(
        package,
        plain=Estimate[int].measured(plain),
        bytecode=Estimate[int].measured(bytecode),
        slug=slug,
        bundle=counted[kind],
    )


def _unpredicted(size: int) -> Part:
    """Return the files that the install added to the predicted ones.

    Its share of the slug is in the distributions' shares, which add up to the measured total.
    """
    return Part(
        name="other files",
        group=OTHER,
        installed=Estimate[int].measured(size),
        slug=Estimate[int].measured(0),
        note="installed, but not predicted",
    )

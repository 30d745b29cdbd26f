"""The verification from end to end: from a plan to measured sizes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from packaging.version import InvalidVersion

from slugcheck import reading
from slugcheck.model import Estimate, Manager, Verification, figures
from slugcheck.sizing import bytecode
from slugcheck.sizing.installed import layout_of
from slugcheck.sizing.parts import RUNTIME
from slugcheck.text import listed, mb, plural
from slugcheck.verify import install, weigh
from slugcheck.verify.install import Build, Site
from slugcheck.verify.plan import Plan, lay_out
from slugcheck.verify.weigh import Weights
from slugcheck.verify.workspace import workspace

# Packages as installed and, at the same time, as the package manager fetches them: as archives, or
# unpacked (uv's cache); then the app's copy, and the package manager itself.
_SPACE_FACTOR = 1.2
_SPACE_FOR_TOOLS = 150 * 10**6
_NAMED = 5

Progress = Callable[[str], None]


def verify(plan: Plan, progress: Progress) -> Verification:
    """Install and compress for real; ``progress`` gets a line for each step.

    :raises MeasureError: this machine cannot replace the target, or the build fails.
    """
    target = plan.sizes.target
    python = install.find(target)
    install.refuse_foreign(plan.sizes)
    with workspace(target.platform.prefix, _space(plan)) as work:
        progress("creating an environment")
        place = lay_out(plan, work.folder)
        site = Site(plan=plan, python=python, work=work, place=place)
        notes = install.prepare(site)
        before = weigh.snapshot(work.prefix)
        count = len(plan.sizes.distributions)
        progress(f"installing {plural(count, 'package')} as the build does")
        started = time.perf_counter()
        build = install.install(site)
        installing = time.perf_counter() - started
        layout = layout_of(target, plan.manager)
        weights = weigh.weigh(work.prefix, before, layout)
        progress(f"compressing {mb(weights.plain_bytes + weights.bytecode_bytes)} MB")
        started = time.perf_counter()
        slug = weigh.gzipped(work.prefix, weights.files, place.app, below=target.platform.prefix)
        seconds = installing + time.perf_counter() - started
        longer = len(str(work.prefix)) - len(target.platform.prefix)
    return _verification(plan, python.version, build, weights, slug, seconds, notes, longer)


def _space(plan: Plan) -> int:
    sizes = plan.sizes
    app = sum(member.size for member in plan.files)
    installed = sizes.plain_bytes + sizes.bytecode_bytes
    fetched = {Manager.UV: installed, Manager.PIPENV: 2 * sizes.download_bytes}
    more = fetched.get(plan.manager, sizes.download_bytes)
    return int(_SPACE_FACTOR * (installed + more) + app) + _SPACE_FOR_TOOLS


def _verification(
    plan: Plan, python: str, build: Build, weights: Weights, slug: int, seconds: float,
    notes: tuple[str, ...], longer: int,
) -> Verification:  # fmt: skip
    """Put the figures together; ``longer``: how much longer the prefix is than the target's."""
    sizes = plan.sizes
    others = [part.installed for part in sizes.parts]
    runtime = [part.slug for part in sizes.parts if part.group == RUNTIME]
    return Verification(
        python=python,
        installer=build.installer,
        command=build.command,
        seconds=seconds,
        installed_bytes=weights.plain_bytes + weights.bytecode_bytes,
        bytecode_bytes=weights.bytecode_bytes,
        slug_bytes=slug,
        predicted_seconds=plan.seconds,
        predicted_installed=figures.without(sizes.installed, others),
        predicted_bytecode=_predicted_bytecode(plan),
        predicted_slug=figures.without(sizes.slug, runtime),
        plain_by_name=tuple(sorted(weights.plain.items())),
        bytecode_by_name=tuple(sorted(weights.bytecode.items())),
        notes=(*notes, *build.notes, *_differences(plan, weights, python, longer)),
    )


def _predicted_bytecode(plan: Plan) -> Estimate[int]:
    sizes = plan.sizes
    percent = bytecode.systematic_percent(sizes.target.minor)
    return figures.total([d.bytecode for d in sizes.distributions], systematic_percent=percent)


def _differences(plan: Plan, weights: Weights, python: str, longer: int) -> Iterator[str]:
    if python != plan.sizes.target.python_version:
        yield f"verified with Python {python}; the target has {plan.sizes.target.python_version}"
    if longer:
        yield (
            f"the temporary folder's path is {abs(longer)} characters "
            f"{'longer' if longer > 0 else 'shorter'} than the target's: the installed sizes are "
            "corrected for this, the slug is not"
        )
    if not weigh.has_gzip():
        yield "compressed by zlib, which is within 0.4 % of gzip: gzip is not installed"
    predicted = {d.name: d.distribution.version for d in plan.sizes.distributions}
    others = {
        name: f"{name} {version}"
        for name, version in weights.versions.items()
        if name not in predicted or not _same(predicted[name], version)
    }
    if more := [text for name, text in others.items() if name not in predicted]:
        yield f"installed, but not predicted: {_named(more)}"
    if changed := [text for name, text in others.items() if name in predicted]:
        yield f"installed in another version than predicted: {_named(changed)}"
    if missing := sorted(set(predicted) - set(weights.versions)):
        yield f"predicted, but not installed: {_named(missing)}"


def _same(predicted: str, installed: str) -> bool:
    try:
        return reading.version(predicted) == reading.version(installed)
    except InvalidVersion:
        return predicted == installed


def _named(names: list[str]) -> str:
    return listed(sorted(names), _NAMED)

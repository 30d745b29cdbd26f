"""Where to keep model files: each option judged by its figures, and the best one.

The options are git (and so the slug), object storage read at boot, and object storage read during
the build. Constants are in ``storage.toml``.
"""

from __future__ import annotations

import functools
import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from slugcheck.model import (
    BundleKind,
    Download,
    Estimate,
    Limit,
    ModelFile,
    ModelPlace,
    Severity,
    SizeReport,
    Status,
    Storage,
    StorageOption,
    figures,
)
from slugcheck.policy import budgets
from slugcheck.policy.budgets import status_of
from slugcheck.sizing import slug_parts
from slugcheck.text import against, clock, listed, mb, mib, scale_for

_ORDER = (Status.PASS, Status.WARN, Status.UNKNOWN, Status.FAIL)
_NAMED = 3

# How much a reason weighs, and its sentence.
_Reason = tuple[Status, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageContext:
    """What the options are judged by. Limits are None where the platform has none.

    ``size`` is the bundle without the models, a slug if ``packed``. ``checkout_bytes`` is the git
    checkout without the models, None if unknown. A bundle that is no slug may be ``zipped``.
    """

    size: Estimate[int]
    packed: bool
    build: Estimate[float]
    size_limit: Limit | None
    build_limit: Limit | None
    boot_limit: Limit | None
    checkout_limit: Limit | None
    checkout_bytes: int | None
    zipped: bool = False


def context_of(
    models: Sequence[ModelFile],
    sizes: SizeReport,
    build: Estimate[float],
    limits: Iterable[Limit],
    checkout_bytes: int | None,
) -> StorageContext:
    """Return the figures and limits that decide for a report whose sizes include ``models``.

    Only limits that gate count. ``checkout_bytes`` is the git checkout with the models, None if it
    is unknown.
    """
    gating = {
        limit.figure: limit for limit in reversed(tuple(limits)) if limit.severity is Severity.FAIL
    }
    figure = sizes.target.platform.size_figure
    packed = figure == "slug"
    own = [sizes.part_bundle(p) for p in sizes.parts if p.group == slug_parts.MODELS]
    in_git = sum(model.bytes for model in models if model.place is ModelPlace.APP)
    return StorageContext(
        size=figures.without(sizes.bundle, own),
        packed=packed,
        build=build,
        size_limit=gating.get(figure),
        build_limit=gating.get("build"),
        boot_limit=gating.get("boot"),
        checkout_limit=gating.get("checkout"),
        checkout_bytes=None if checkout_bytes is None else checkout_bytes - in_git,
        zipped=sizes.target.platform.bundle.kind is BundleKind.ZIP,
    )


def judge(models: Sequence[ModelFile], context: StorageContext) -> tuple[StorageOption, ...]:
    """Return the three options for ``models``, one of them recommended; nothing without models.

    The first reason of the recommended one says why. If every option fails, none is recommended.
    """
    if not models:
        return ()
    in_git, at_build = _in_git(models, context), _at_build(models, context)
    at_boot = _at_boot(models, context)
    # the simplest of equally good ones: one artefact first, then nothing to fetch at boot
    best = min((in_git, at_build, at_boot), key=lambda option: _ORDER.index(option.status))
    if best.status is Status.FAIL:
        return in_git, at_boot, at_build
    why = _recommended(best, in_git, at_build)
    return tuple(
        replace(option, recommended=True, reasons=(why, *option.reasons))
        if option is best
        else option
        for option in (in_git, at_boot, at_build)
    )


def _recommended(best: StorageOption, in_git: StorageOption, at_build: StorageOption) -> str:
    if best is in_git:
        holds = "within every limit" if best.status is Status.PASS else "no other option is better"
        return f"{holds}, and there is nothing to download"
    if best is at_build:
        return f"not in git: {in_git.reasons[0]}"
    if in_git.reasons[0] == at_build.reasons[0]:
        return f"neither in git nor at build: {in_git.reasons[0]}"
    return f"not in git: {in_git.reasons[0]}; not at build: {at_build.reasons[0]}"


# --------------------------------------------------------------------------- the options


def _in_git(models: Sequence[ModelFile], context: StorageContext) -> StorageOption:
    size = _with(models, context)
    title = "in git and in the slug" if context.packed else "in git and in the package"
    reasons = [_size(size, context), *_github(models, context), *_checkout(models, context)]
    reasons.append((Status.PASS, "every version of a model stays in git's history"))
    return _option(Storage.SLUG, title, size, (), reasons)


def _at_boot(models: Sequence[ModelFile], context: StorageContext) -> StorageOption:
    downloads = _downloads(models)
    again = "downloaded at every restart (at least once a day) on every dyno"
    if not context.packed:
        again = "downloaded whenever an instance starts with an empty disk"
    reasons = [_size(context.size, context), *_boot(downloads, context), (Status.PASS, again)]
    return _option(
        Storage.BOOT, "object storage, fetched at boot", context.size, downloads, reasons
    )


def _at_build(models: Sequence[ModelFile], context: StorageContext) -> StorageOption:
    size, downloads = _with(models, context), _downloads(models)
    where = "downloaded by bin/post_compile: in the slug, but not in git"
    if not context.packed:
        where = "downloaded by a build step: in the package, but not in git"
    reasons = [_size(size, context), *_build(downloads, context), (Status.PASS, where)]
    return _option(Storage.BUILD, "object storage, fetched at build", size, downloads, reasons)


def _option(
    storage: Storage,
    title: str,
    size: Estimate[int],
    downloads: tuple[Download, ...],
    reasons: Iterable[_Reason],
) -> StorageOption:
    """Return an option as good as its worst reason, which comes first."""
    ordered = sorted(reasons, key=lambda reason: -_ORDER.index(reason[0]))
    return StorageOption(
        storage=storage,
        title=title,
        status=ordered[0][0],
        slug=size,
        downloads=downloads,
        reasons=tuple(sentence for _, sentence in ordered),
    )


# --------------------------------------------------------------------------- reasons


def _size(size: Estimate[int], context: StorageContext) -> _Reason:
    name = "slug" if context.packed else "package"
    limit = context.size_limit
    if limit is None:
        return Status.PASS, f"{name} {mb(size.value)} MB"
    shown, cap = against(size.value, limit.value)
    status = status_of(size, limit.value)
    over = scale_for(size.value, limit.value).up(size.value - limit.value)
    margin = over if status is Status.FAIL else ""
    return status, budgets.verdict(status, f"{name} {shown}", cap, margin=margin)


def _github(models: Sequence[ModelFile], context: StorageContext) -> list[_Reason]:
    limit, warning = _constants()["github_file_limit"], _constants()["github_file_warning"]
    refused = [model for model in models if model.bytes > limit["bytes"]]
    warned = [model for model in models if model.bytes > warning["bytes"]]
    if refused:
        reasons = [(Status.FAIL, f"GitHub rejects files over {limit['text']}: {_list(refused)}")]
        if context.packed:
            # Git LFS is what most people think of next
            reasons.append((Status.FAIL, _constants()["git_lfs"]["text"]))
        return reasons
    if warned:
        return [(Status.WARN, f"GitHub warns about files over {warning['text']}: {_list(warned)}")]
    return [(Status.PASS, f"no file is over GitHub's {limit['text']}")]


def _checkout(models: Sequence[ModelFile], context: StorageContext) -> list[_Reason]:
    limit = context.checkout_limit
    if limit is None:
        return []
    size = (context.checkout_bytes or 0) + sum(model.bytes for model in models)
    name = "git checkout" if context.checkout_bytes is not None else "models in the git checkout"
    shown, cap = against(size, limit.value)
    status = status_of(Estimate[int].measured(size), limit.value)
    return [(status, budgets.verdict(status, f"{name} {shown}", cap))]


def _boot(downloads: Sequence[Download], context: StorageContext) -> list[_Reason]:
    """Judge the download by its interval, from the slowest to the fastest bandwidth."""
    if context.boot_limit is None:
        return []
    limit = context.boot_limit.value
    share = float(_constants()["boot"]["share_for_download"])
    slowest, fastest = downloads[0], downloads[-1]
    slow = f"{_took(slowest.seconds)} at {_rate(slowest)}"
    if fastest.seconds > limit:
        fast = f"{_took(fastest.seconds)} even at {_rate(fastest)}"
        return [(Status.FAIL, f"the download alone takes {fast}; the boot limit is {limit} s")]
    if slowest.seconds > limit:
        sentence = f"boot time depends on bandwidth: the download takes {slow} (limit {limit} s)"
        return [(Status.UNKNOWN, sentence)]
    left = f"leaves the app {math.floor(limit - slowest.seconds)} of {limit} s to boot"
    if slowest.seconds > limit * share:
        return [(Status.WARN, f"the download takes {slow}, which {left}")]
    return [(Status.PASS, f"{left}, even at {_rate(slowest)}")]


def _build(downloads: Sequence[Download], context: StorageContext) -> list[_Reason]:
    if context.build_limit is None:
        return []
    limit = context.build_limit.value
    low = context.build.low + downloads[-1].seconds
    high = context.build.high + downloads[0].seconds
    span = f"build including the download {clock(low)} to {clock(high)}"
    time = Estimate.predicted(low, low, high)
    status = status_of(time, float(limit))
    return [(status, budgets.verdict(status, span, clock(limit)))]


# --------------------------------------------------------------------------- numbers


def _with(models: Sequence[ModelFile], context: StorageContext) -> Estimate[int]:
    packs = context.packed or context.zipped
    own = [model.slug if packs else Estimate[int].measured(model.bytes) for model in models]
    return figures.total([context.size, *own], systematic_percent=0.0)


def _downloads(models: Sequence[ModelFile]) -> tuple[Download, ...]:
    size = sum(model.bytes for model in models)
    rates = sorted(_constants()["bandwidths"]["bytes_per_second"])
    return tuple(Download(bytes_per_second=rate, seconds=size / rate) for rate in rates)


def _took(seconds: float) -> str:
    return f"{math.ceil(seconds)} s"


def _rate(download: Download) -> str:
    return f"{download.bytes_per_second / 1e6:g} MB/s"


def _list(models: Sequence[ModelFile]) -> str:
    ordered = sorted(models, key=lambda model: (-model.bytes, model.path))
    # in the unit of the limit: 100 MiB are 104.9 MB
    return listed([f"{PurePosixPath(m.path).name} ({mib(m.bytes)} MiB)" for m in ordered], _NAMED)


@functools.cache
def _constants() -> dict[str, Any]:
    text = resources.files("slugcheck.advice").joinpath("storage.toml").read_text("utf-8")
    return tomllib.loads(text)

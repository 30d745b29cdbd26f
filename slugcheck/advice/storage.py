"""Where to keep model files: each way judged with its numbers, and the one that follows from them.

In git and so in the slug; in object storage, downloaded when a dyno boots; in object storage,
fetched while the app is built. Constants are in ``storage.toml``.
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
    Download,
    Estimate,
    Limit,
    ModelFile,
    Status,
    Storage,
    StorageOption,
    figures,
)
from slugcheck.text import against, clock, mb, mib, scale_for

_ORDER = (Status.PASS, Status.WARN, Status.UNKNOWN, Status.FAIL)
_NAMED = 3

# A finding: how much it weighs, and its sentence.
_Reason = tuple[Status, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the ways are judged on. Limits are None where the platform has none.

    ``size`` is what the size limit is about without the models: the whole slug of a Heroku app, or
    the installed bytes of any other where ``packed`` is false. ``checkout_bytes`` is the git
    checkout without the models, None where it is not known.
    """

    size: Estimate[int]
    packed: bool
    build: Estimate[float]
    size_limit: Limit | None
    build_limit: Limit | None
    boot_limit: Limit | None
    checkout_limit: Limit | None
    checkout_bytes: int | None


def judge(models: Sequence[ModelFile], ground: Ground) -> tuple[StorageOption, ...]:
    """Return the three ways to store ``models``, one of them recommended; nothing without models.

    The recommended one has the reason for that first. None is recommended when every way fails.
    """
    if not models:
        return ()
    in_git, at_build = _in_git(models, ground), _at_build(models, ground)
    at_boot = _at_boot(models, ground)
    # of equally good ones the simplest: one artefact first, then nothing to fetch at boot
    best = min((in_git, at_build, at_boot), key=lambda option: _ORDER.index(option.status))
    if best.status is Status.FAIL:
        return in_git, at_boot, at_build
    why = _recommended(best, in_git, at_build)
    return tuple(
        replace(one, recommended=True, reasons=(why, *one.reasons)) if one is best else one
        for one in (in_git, at_boot, at_build)
    )


def _recommended(best: StorageOption, in_git: StorageOption, at_build: StorageOption) -> str:
    if best is in_git:
        holds = "every limit holds" if best.status is Status.PASS else "no other way does better"
        return f"{holds}, and nothing has to be downloaded"
    if best is at_build:
        return f"not in git, since {in_git.reasons[0]}"
    if in_git.reasons[0] == at_build.reasons[0]:
        return f"neither in git nor at build, since {in_git.reasons[0]}"
    return f"not in git, since {in_git.reasons[0]}, and not at build, since {at_build.reasons[0]}"


# --------------------------------------------------------------------------- the ways


def _in_git(models: Sequence[ModelFile], ground: Ground) -> StorageOption:
    size = _with(models, ground)
    title = "in git and in the slug" if ground.packed else "in git and in the package"
    reasons = [_size(size, ground), *_github(models, ground), *_checkout(models, ground)]
    reasons.append((Status.PASS, "each new version of a model stays in git's history"))
    return _option(Storage.SLUG, title, size, (), reasons)


def _at_boot(models: Sequence[ModelFile], ground: Ground) -> StorageOption:
    downloads = _downloads(models)
    again = "again at every restart, at least once a day, and on every dyno"
    if not ground.packed:
        again = "again wherever an instance starts with an empty disk"
    reasons = [_size(ground.size, ground), *_boot(downloads, ground), (Status.PASS, again)]
    return _option(Storage.BOOT, "object storage, fetched at boot", ground.size, downloads, reasons)


def _at_build(models: Sequence[ModelFile], ground: Ground) -> StorageOption:
    size, downloads = _with(models, ground), _downloads(models)
    where = "by bin/post_compile; in the slug, but not in git"
    if not ground.packed:
        where = "by a step of the build; in the package, but not in git"
    reasons = [_size(size, ground), *_build(downloads, ground), (Status.PASS, where)]
    return _option(Storage.BUILD, "object storage, fetched at build", size, downloads, reasons)


def _option(
    storage: Storage,
    title: str,
    size: Estimate[int],
    downloads: tuple[Download, ...],
    reasons: Iterable[_Reason],
) -> StorageOption:
    """Return a way that is as good as its worst finding, which comes first."""
    ordered = sorted(reasons, key=lambda reason: -_ORDER.index(reason[0]))
    return StorageOption(
        storage=storage,
        title=title,
        status=ordered[0][0],
        slug=size,
        downloads=downloads,
        reasons=tuple(sentence for _, sentence in ordered),
    )


# --------------------------------------------------------------------------- findings


def _size(size: Estimate[int], ground: Ground) -> _Reason:
    name = "slug" if ground.packed else "package"
    limit = ground.size_limit
    if limit is None:
        return Status.PASS, f"{name} {mb(size.value)} MB"
    shown, cap = against(size.value, limit.value)
    if size.low > limit.value:
        over = scale_for(size.value, limit.value).up(size.value - limit.value)
        return Status.FAIL, f"{name} {shown} is {over} over {cap}"
    if size.high > limit.value:
        return Status.UNKNOWN, f"{name} {shown} of {cap} is too close to call"
    return Status.PASS, f"{name} {shown} of {cap}"


def _github(models: Sequence[ModelFile], ground: Ground) -> list[_Reason]:
    limit, warning = _constants()["github_file_limit"], _constants()["github_file_warning"]
    refused = [model for model in models if model.bytes > limit["bytes"]]
    warned = [model for model in models if model.bytes > warning["bytes"]]
    if refused:
        found = [(Status.FAIL, f"GitHub refuses files over {limit['text']}: {_list(refused)}")]
        if ground.packed:
            # beside the refusal, since it is what most think of next
            found.append((Status.FAIL, _constants()["git_lfs"]["text"]))
        return found
    if warned:
        return [(Status.WARN, f"GitHub warns of files over {warning['text']}: {_list(warned)}")]
    return [(Status.PASS, f"no file is over GitHub's {limit['text']}")]


def _checkout(models: Sequence[ModelFile], ground: Ground) -> list[_Reason]:
    limit = ground.checkout_limit
    if limit is None:
        return []
    size = (ground.checkout_bytes or 0) + sum(model.bytes for model in models)
    name = "git checkout" if ground.checkout_bytes is not None else "git checkout of models alone"
    shown, cap = against(size, limit.value)
    if size > limit.value:
        return [(Status.FAIL, f"{name} {shown} is over {cap}")]
    return [(Status.PASS, f"{name} {shown} of {cap}")]


def _boot(downloads: Sequence[Download], ground: Ground) -> list[_Reason]:
    """Judge the download by its interval, as any predicted figure: slow to fast."""
    if ground.boot_limit is None:
        return []
    limit = ground.boot_limit.value
    share = float(_constants()["boot"]["share_for_download"])
    slowest, fastest = downloads[0], downloads[-1]
    slow = f"{_took(slowest.seconds)} at {_rate(slowest)}"
    if fastest.seconds > limit:
        fast = f"{_took(fastest.seconds)} even at {_rate(fastest)}"
        return [(Status.FAIL, f"the download alone takes {fast}, the limit to boot is {limit} s")]
    if slowest.seconds > limit:
        said = f"boots within {limit} s or not by the bandwidth: the download takes {slow}"
        return [(Status.UNKNOWN, said)]
    left = f"leaves the app {math.floor(limit - slowest.seconds)} of {limit} s to boot"
    if slowest.seconds > limit * share:
        return [(Status.WARN, f"the download takes {slow}, which {left}")]
    return [(Status.PASS, f"{left}, even at {_rate(slowest)}")]


def _build(downloads: Sequence[Download], ground: Ground) -> list[_Reason]:
    if ground.build_limit is None:
        return []
    limit = ground.build_limit.value
    low = ground.build.low + downloads[-1].seconds
    high = ground.build.high + downloads[0].seconds
    span = f"build with the download {clock(low)} to {clock(high)}"
    if low > limit:
        return [(Status.FAIL, f"{span} is over {clock(limit)}")]
    if high > limit:
        return [(Status.UNKNOWN, f"{span} of {clock(limit)} is too close to call")]
    return [(Status.PASS, f"{span} of {clock(limit)}")]


# --------------------------------------------------------------------------- numbers


def _with(models: Sequence[ModelFile], ground: Ground) -> Estimate[int]:
    own = [model.slug if ground.packed else Estimate[int].measured(model.bytes) for model in models]
    return figures.total([ground.size, *own], systematic_percent=0.0)


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
    named = [f"{PurePosixPath(m.path).name} ({mib(m.bytes)} MiB)" for m in ordered[:_NAMED]]
    more = len(ordered) - len(named)
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


@functools.cache
def _constants() -> dict[str, Any]:
    text = resources.files("slugcheck.advice").joinpath("storage.toml").read_text("utf-8")
    return tomllib.loads(text)

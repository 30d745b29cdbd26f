"""Where to keep model files: each way judged with its numbers, and the one that follows from them.

In git and so in the slug; in object storage, downloaded when a dyno boots; in object storage,
fetched while the app is built. Constants are in ``data/storage.toml``.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from slugcheck import intervals
from slugcheck.model import (
    Download,
    Estimate,
    Limit,
    ModelFile,
    Status,
    Storage,
    StorageOption,
)
from slugcheck.units import against, clock, mb, scale_for

_ORDER = (Status.PASS, Status.WARN, Status.UNKNOWN, Status.FAIL)
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the ways are judged on. Limits are None where the platform has none.

    ``size`` is what the size limit is about without the models: the whole slug, or the installed
    bytes where ``packed`` is false. ``checkout_bytes`` is the git checkout without the models.
    """

    title: str
    size: Estimate[int]
    packed: bool
    build: Estimate[float]
    size_limit: Limit | None
    build_limit: Limit | None
    boot_limit: Limit | None
    checkout_limit: Limit | None
    checkout_bytes: int


def judge(models: Sequence[ModelFile], ground: Ground) -> tuple[StorageOption, ...]:
    """Return the three ways to store ``models``, one of them recommended; nothing without models.

    None is recommended when every way fails.
    """
    if not models:
        return ()
    options = (_in_git(models, ground), _at_build(models, ground), _at_boot(models, ground))
    # the simplest of those that hold: one artefact first, nothing to fetch at boot
    best = min(options, key=lambda option: _ORDER.index(option.status))
    shown = (options[0], options[2], options[1])
    if best.status is Status.FAIL:
        return shown
    return tuple(replace(one, recommended=one is best) for one in shown)


# --------------------------------------------------------------------------- the ways


def _in_git(models: Sequence[ModelFile], ground: Ground) -> StorageOption:
    status, reason = _size(_with(models, ground), ground)
    reasons = [reason]
    refused = [m for m in models if m.bytes > _github("limit")["bytes"]]
    warned = [m for m in models if m.bytes > _github("warning")["bytes"]]
    if refused:
        status = Status.FAIL
        reasons.insert(0, f"GitHub refuses files over {_github('limit')['text']}: {_list(refused)}")
        reasons.append("Git LFS is no way out: Heroku's builds do not fetch what it stores")
    elif warned:
        status = _worse(status, Status.WARN)
        reasons.append(f"GitHub warns from {_github('warning')['text']} on: {_list(warned)}")
    else:
        reasons.append(f"no file is over GitHub's {_github('limit')['text']}")
    if ground.checkout_limit is not None:
        size = ground.checkout_bytes + sum(model.bytes for model in models)
        shown, cap = against(size, ground.checkout_limit.value)
        over = size > ground.checkout_limit.value
        status = Status.FAIL if over else status
        reasons.append(f"git checkout {shown} {'is over' if over else 'of'} {cap}")
    return StorageOption(
        storage=Storage.SLUG,
        title="in git and in the slug" if ground.packed else "in git and in the package",
        status=status,
        slug=_with(models, ground),
        downloads=(),
        reasons=(*reasons, "each new version of a model stays in git's history"),
    )


def _at_boot(models: Sequence[ModelFile], ground: Ground) -> StorageOption:
    downloads = _downloads(models)
    status, reason = _size(ground.size, ground)
    reasons = [reason]
    if ground.boot_limit is not None:
        limit = ground.boot_limit.value
        allowed = limit * float(_constants()["boot"]["share_for_download"])
        slowest, fastest = downloads[0].seconds, downloads[-1].seconds
        if fastest > limit:
            status = Status.FAIL
            reasons.insert(0, f"the download alone takes more than the {limit} s to boot")
        elif slowest > allowed:
            status = _worse(status, Status.WARN)
            reasons.append(f"a slow day takes more than half of the {limit} s to boot")
        else:
            reasons.append(f"leaves the app {limit - slowest:.0f} of {limit} s to boot")
    reasons.append("again at every restart, at least once a day, and on every dyno")
    return StorageOption(
        storage=Storage.BOOT,
        title="object storage, fetched at boot",
        status=status,
        slug=ground.size,
        downloads=downloads,
        reasons=tuple(reasons),
    )


def _at_build(models: Sequence[ModelFile], ground: Ground) -> StorageOption:
    downloads = _downloads(models)
    status, reason = _size(_with(models, ground), ground)
    reasons = [reason]
    if ground.build_limit is not None:
        limit = ground.build_limit.value
        low = ground.build.low + downloads[-1].seconds
        high = ground.build.high + downloads[0].seconds
        span = f"build {clock(low)} to {clock(high)}"
        if low > limit:
            status = Status.FAIL
            reasons.insert(0, f"{span} is over {clock(limit)}")
        else:
            status = _worse(status, Status.UNKNOWN) if high > limit else status
            reasons.append(f"{span} of {clock(limit)}")
    reasons.append("by bin/post_compile; in the slug, but not in git")
    return StorageOption(
        storage=Storage.BUILD,
        title="object storage, fetched at build",
        status=status,
        slug=_with(models, ground),
        downloads=downloads,
        reasons=tuple(reasons),
    )


# --------------------------------------------------------------------------- numbers


def _with(models: Sequence[ModelFile], ground: Ground) -> Estimate[int]:
    own = [model.slug if ground.packed else Estimate[int].measured(model.bytes) for model in models]
    return intervals.total([ground.size, *own], systematic_percent=0.0)


def _size(size: Estimate[int], ground: Ground) -> tuple[Status, str]:
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


def _downloads(models: Sequence[ModelFile]) -> tuple[Download, ...]:
    size = sum(model.bytes for model in models)
    rates = sorted(_constants()["bandwidths"]["bytes_per_second"])
    return tuple(Download(bytes_per_second=rate, seconds=size / rate) for rate in rates)


def _worse(one: Status, other: Status) -> Status:
    return max(one, other, key=_ORDER.index)


def _list(models: Sequence[ModelFile]) -> str:
    ordered = sorted(models, key=lambda model: -model.bytes)
    named = [f"{PurePosixPath(m.path).name} ({mb(m.bytes)} MB)" for m in ordered[:_NAMED]]
    more = len(ordered) - len(named)
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _github(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = _constants()[f"github_file_{kind}"]
    return found


@functools.cache
def _constants() -> dict[str, Any]:
    text = resources.files("slugcheck").joinpath("data/storage.toml").read_text("utf-8")
    return tomllib.loads(text)

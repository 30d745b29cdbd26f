"""Why a resolution failed, in one sentence with a fix for the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from slugcheck import reading
from slugcheck.errors import MeasureError, NetworkError, ResolutionError
from slugcheck.model import Requirement, Target
from slugcheck.packages.known import PYTORCH_INDEX, PYTORCH_LABEL
from slugcheck.packages.resolve.uv import Failure
from slugcheck.text import listed

if TYPE_CHECKING:
    from slugcheck.packages.index.pages import Pages

_MAX_LINES = 8
_SHOWN_VERSIONS = 5
_SHOWN_LINES = 5


def unsolvable(
    failure: Failure,
    direct: Mapping[str, Sequence[Requirement]],
    target: Target,
    pages: Pages,
) -> MeasureError:
    """Return the error for a resolution that failed for another reason than a missing wheel."""
    local = local_pins(direct)
    absent = {*failure.unknown, *(name for name, _ in failure.missing_versions)}
    if local and absent & set(local):
        return missing_local_versions(local.values(), target)
    if failure.missing_versions:
        return _missing_version(*failure.missing_versions[0], direct, pages)
    if failure.unknown:
        return _unknown(failure.unknown[0], direct, pages)
    return _conflict(failure, direct)


def local_pins(direct: Mapping[str, Sequence[Requirement]]) -> dict[str, Requirement]:
    """Return the requirements pinned to a local version such as ``==2.5.1+cpu``, by name."""
    return {
        name: requirement
        for name, requirements in direct.items()
        for requirement in requirements
        if "+" in requirement.specifier and requirement.url is None
    }


def missing_local_versions(pins: Iterable[Requirement], target: Target) -> ResolutionError:
    """Return the error for local versions that no index in the file carries."""
    pins = tuple(pins)
    names = " and ".join(f"{pin.name}{pin.specifier} ({pin.origin})" for pin in pins)
    labels = {pin.specifier.rpartition("+")[2] for pin in pins}
    message = (
        f"the build on {target.platform.title} would fail: none of the file's indexes has {names}; "
        "the default index has no local versions (those with a + in them)"
    )
    known = sorted(label for label in labels if PYTORCH_LABEL.match(label))
    if not known:
        return ResolutionError(message, hint="add the index that has it with --extra-index-url")
    label = "cpu" if "cpu" in known or not target.platform.gpu else known[0]
    line = f"--extra-index-url {PYTORCH_INDEX}/{label}"
    if known == [label]:
        hint = f"add this line at the top of the file: {line}"
    else:
        hint = (
            f"{', '.join(known)} builds need a GPU, which {target.platform.title} does not have: "
            f"write +cpu instead, and add this line at the top of the file: {line}"
        )
    return ResolutionError(message, hint=hint)


def _missing_version(
    name: str, wanted: str, direct: Mapping[str, Sequence[Requirement]], pages: Pages
) -> ResolutionError:
    known = _known_versions(name, pages)
    shown = ", ".join(str(v) for v in _around(known, wanted))
    return ResolutionError(
        f"{name}=={wanted}{_place(name, direct)} is not on the index: no such version",
        hint=f"nearest versions: {shown}" if shown else "check the name and the index",
    )


def _known_versions(name: str, pages: Pages) -> Sequence[Version]:
    try:
        return sorted({file.version for file in pages.files(name)})
    except NetworkError:
        return ()  # the hint only gets shorter


def _around(known: Sequence[Version], wanted: str) -> Sequence[Version]:
    try:
        below = sum(1 for version in known if version < reading.version(wanted))
    except InvalidVersion:
        return known[-_SHOWN_VERSIONS:]
    start = max(0, min(below - _SHOWN_VERSIONS // 2, len(known) - _SHOWN_VERSIONS))
    return known[start : start + _SHOWN_VERSIONS]


def _unknown(name: str, direct: Mapping[str, Sequence[Requirement]], pages: Pages) -> MeasureError:
    try:
        pages.files(name)
    except NetworkError as error:
        return error  # uv says "not found" of an index that asks for a password, too
    return ResolutionError(
        f"{name}{_place(name, direct)} is not on the index",
        hint="check the spelling, or add your private index with --extra-index-url",
    )


def _place(name: str, direct: Mapping[str, Sequence[Requirement]]) -> str:
    found = direct.get(name)
    return f" ({found[0].origin})" if found else ""


def _conflict(failure: Failure, direct: Mapping[str, Sequence[Requirement]]) -> ResolutionError:
    lines = failure.text.splitlines() or ["the resolver gave no reason"]
    hints = [line for line in lines if line.startswith("hint:")]
    reason = [line for line in lines if not line.startswith("hint:")]
    if len(reason) > _MAX_LINES:
        reason = [*reason[: _MAX_LINES - 1], f"… {len(reason) - _MAX_LINES + 1} more lines"]
    message = "the requirements conflict: " + " ".join(reason)
    hint = hints[0].removeprefix("hint:").strip() if hints else None
    return ResolutionError(message, hint=hint or _lines_to_change(failure.text, direct))


def _lines_to_change(reason: str, direct: Mapping[str, Sequence[Requirement]]) -> str:
    """Return the lines of the file that the resolver's reason names, as a hint."""
    named = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.sub(r"[-_.]+", "-", reason.lower())))
    lines = [
        f"{requirement.name}{requirement.specifier} ({requirement.origin})"
        for name, requirements in direct.items()
        if name in named
        for requirement in requirements
        if requirement.specifier
    ]
    if not lines:
        return "change one of the versions that it names"
    return f"change {'one of ' if len(lines) > 1 else ''}{listed(lines, _SHOWN_LINES)}"


def no_wheel_for_python(
    blocked: Sequence[tuple[str, str]],
    compiled: Sequence[str],
    target: Target,
    newest: str | None,
) -> ResolutionError:
    """Return the error for pins that cannot be installed at all on the target's Python.

    ``blocked`` are (name, version) pairs with wheels for other Pythons and no source archive,
    ``compiled`` what would have to be built from source there; ``newest`` is the newest Python
    the platform offers for which everything has wheels.
    """
    names = ", ".join(f"{name} {version}" for name, version in blocked)
    message = (
        f"Python {target.minor} ({target.python_origin}) cannot install {names}: "
        "its wheels are for other Pythons, and there is no source archive"
    )
    if compiled:
        message += f"; also without a wheel for it, and built from source: {', '.join(compiled)}"
    if newest is None:
        return ResolutionError(message, hint="choose versions that support this Python")
    return ResolutionError(
        f"{message}. The newest Python with wheels for every pin is {newest}",
        hint=f"write {newest} in .python-version next to the file, or pass --python {newest}",
    )

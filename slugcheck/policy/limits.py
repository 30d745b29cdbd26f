"""Turns the budgets of flags and settings into limits.

Names are figures (``slug``, ``build``), ``package.NAME``, ``increase``, ``increase_percent``,
``package_increase`` and ``vulnerabilities``. All mistakes are reported at once, each with its
place. ``of_measurements`` reads the limits of bench and rehearse, which have figures of their own.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from packaging.utils import InvalidName, canonicalize_name

from slugcheck.errors import UsageError
from slugcheck.model import (
    Budget,
    CountLimit,
    Denied,
    Ignore,
    IncreaseLimit,
    Limit,
    PackageLimit,
    Platform,
    Rules,
    Severity,
    Source,
)
from slugcheck.text import lines_of, number, parse_seconds, parse_size, printable

# Every figure that a limit can be set for, and its unit.
FIGURES = {
    "slug": "bytes", "bundle": "bytes", "installed": "bytes", "zipped": "bytes",
    "download": "bytes", "checkout": "bytes", "build": "seconds", "boot": "seconds", "ram": "bytes",
}  # fmt: skip
INCREASE, PERCENT, PACKAGE_INCREASE = "increase", "increase_percent", "package_increase"
VULNERABILITIES = "vulnerabilities"
_OTHERS = (INCREASE, PERCENT, PACKAGE_INCREASE, VULNERABILITIES)
PACKAGE = "package."
_PERCENT = re.compile(r"\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*%?\s*")
_QUOTED = 60  # characters of a wrong name that a message repeats
_ON = ("slug", "bundle", "installed")
_NUMBERS = (PERCENT, VULNERABILITIES)  # the limits without a unit
_BARE_NUMBER = re.compile(r"\s*[0-9.]+\s*")
_LEAST_BARE_BYTES = 10**6  # a smaller number without a unit was hardly meant as bytes
_HINT = "for example slug=300M, build=10m, package.torch=200MB or increase_percent=5"


def rules(
    platform: Platform,
    budgets: Sequence[Budget],
    *,
    denied: Iterable[Denied] = (),
    ignores: Iterable[Ignore] = (),
) -> Rules:
    """Return the rules to judge by; the last of several budgets of one name wins.

    A figure that the platform does not limit, such as ``installed`` on Heroku, can be limited too.

    :raises UsageError: names every unknown limit and every invalid value.
    """
    wrong = mistakes(platform, budgets)
    if wrong:
        raise UsageError("\n".join(wrong), hint=_HINT)
    chosen = {_figure(budget, platform): budget for budget in budgets}
    packages = [b for name, b in chosen.items() if name.startswith(PACKAGE)]
    return Rules(
        limits=_limits(platform, chosen),
        packages=tuple(_package(budget) for budget in packages),
        increase=_increase(chosen.get(INCREASE), chosen.get(PERCENT), platform),
        package_increase=_increase(chosen.get(PACKAGE_INCREASE), None, platform),
        vulnerabilities=_count(chosen.get(VULNERABILITIES)),
        denied=tuple(denied),
        ignores=tuple(ignores),
    )


def _figure(budget: Budget, platform: Platform) -> str:
    """Return the name of a budget; what Heroku counts as the bundle is its slug."""
    return platform.size_figure if budget.name == "bundle" else budget.name


def mistakes(platform: Platform, budgets: Iterable[Budget]) -> list[str]:
    """Return what is wrong with budgets, one sentence each, led by its place."""
    return [f"{b.place}: {wrong}" for b in budgets if (wrong := _wrong(b, platform))]


def _wrong(budget: Budget, platform: Platform) -> str:
    names = _units(platform)
    parse = _parser(budget.name, names)
    if parse is None:
        return _no_such_limit(budget.name, [*names, *_OTHERS])
    if budget.on is not None and budget.name in names:
        return f"{budget.name} does not accept 'on'"
    if budget.on is not None and budget.on not in _ON:
        return f"'on' must be slug, bundle or installed, not {budget.on!r}"
    if budget.name.startswith(PACKAGE):
        try:
            canonicalize_name(budget.name.removeprefix(PACKAGE), validate=True)
        except InvalidName:
            return f"{budget.name.removeprefix(PACKAGE)!r} is not a valid package name"
    try:
        value = parse(budget.text)
    except ValueError as error:
        return str(error)
    is_size = names.get(budget.name, "bytes") == "bytes" and budget.name not in _NUMBERS
    bare = is_size and _BARE_NUMBER.fullmatch(budget.text)
    if bare and 0 < value < _LEAST_BARE_BYTES:
        number = budget.text.strip()
        return f"{number} has no unit; did you mean {budget.name}={number}M?"
    if value or budget.name in _OTHERS:
        return ""
    some = any(digit in budget.text for digit in "123456789")
    return f"the limit must be {'at least a second' if some else 'greater than zero'}"


def _parser(name: str, units: Mapping[str, str]) -> Callable[[str], float] | None:
    if name in units:
        return parse_size if units[name] == "bytes" else parse_seconds
    if name in (INCREASE, PACKAGE_INCREASE) or name.startswith(PACKAGE):
        return parse_size
    return {PERCENT: parse_percent, VULNERABILITIES: parse_count}.get(name)


def parse_percent(text: str) -> float:
    """Return 5.0 of "5" or "5 %".

    :raises ValueError: it is not a percentage.
    """
    match = _PERCENT.fullmatch(text)
    if match is None:
        message = f"{text[:40]!r} is not a percentage; write 5 or 2.5"
        raise ValueError(message)
    return float(match[1])


def parse_count(text: str) -> int:
    """Return 0 of "0".

    :raises ValueError: it is not a whole number.
    """
    if not (text.strip().isascii() and text.strip().isdigit() and len(text) < 10):
        message = f"{text[:40]!r} is not a whole number; write 0 or 3"
        raise ValueError(message)
    return int(text)


def _units(platform: Platform) -> dict[str, str]:
    return FIGURES | {limit.name: limit.unit for limit in platform.limits}


def _no_such_limit(name: str, known: Sequence[str]) -> str:
    shown = repr(name[:_QUOTED])
    near = difflib.get_close_matches(name[:_QUOTED], known, n=1)
    if near:
        return f"unknown limit {shown}; did you mean {near[0]}?"
    return f"unknown limit {shown}; choose from {', '.join(sorted(known))} and package.NAME"


def _limits(platform: Platform, chosen: Mapping[str, Budget]) -> tuple[Limit, ...]:
    units = _units(platform)
    limits = {limit.name: limit for limit in platform.limits}
    for name, budget in chosen.items():
        if name not in units:
            continue
        own = limits.get(name) or _own(name, units[name])
        value = int(parse_size(budget.text) if own.unit == "bytes" else parse_seconds(budget.text))
        limits[name] = replace(
            own,
            value=value,
            text=budget.text.strip(),
            source=_source(budget),
            message=budget.message,
            since="",
            why="",
            set_by=_set_by(budget.place),
        )
    return tuple(limits.values())


def _set_by(place: str) -> str:
    """Return a flag as it is, and of a settings file its name."""
    if place.startswith("--"):
        return place
    file = PurePath(place.partition(": ")[0])
    return file.name if file.is_absolute() else str(file)


def _own(name: str, unit: str) -> Limit:
    return Limit(
        name=name, figure=name, value=1, unit=unit, severity=Severity.FAIL, text="",
        source=Source(text="", date=""),
    )  # fmt: skip


def _package(budget: Budget) -> PackageLimit:
    return PackageLimit(
        name=canonicalize_name(budget.name.removeprefix(PACKAGE)),
        value=parse_size(budget.text),
        text=budget.text.strip(),
        figure=budget.on or "installed",
        message=budget.message,
        source=_source(budget),
    )


def _increase(
    absolute: Budget | None, relative: Budget | None, platform: Platform
) -> IncreaseLimit | None:
    given = [budget for budget in (absolute, relative) if budget is not None]
    if not given:
        return None
    percent = parse_percent(relative.text) if relative else None
    texts = [absolute.text.strip()] if absolute else []
    texts += [f"{percent:g} %"] if percent is not None else []
    return IncreaseLimit(
        value=parse_size(absolute.text) if absolute else None,
        percent=percent,
        text=" and ".join(texts),
        figure=next((b.on for b in given if b.on), platform.size_figure),
        message=next((b.message for b in given if b.message), ""),
        source=_source(given[0]),
    )


def _count(budget: Budget | None) -> CountLimit | None:
    if budget is None:
        return None
    return CountLimit(
        value=parse_count(budget.text),
        text=budget.text.strip(),
        message=budget.message,
        source=_source(budget),
    )


def _source(budget: Budget) -> Source:
    return Source(text=f"set by {budget.place}", date="")


# --------------------------------------------------------------------------- of measurements


def of_measurements(
    texts: Sequence[str], units: Mapping[str, str], *, has_baseline: bool
) -> dict[str, float]:
    """Return the limits of ``--limit NAME=VALUE`` by name: bytes, seconds, milliseconds, percent.

    ``units`` are those four words by name. A percentage is one of growth over a saved run, and may
    be zero.

    :raises UsageError: names everything that is wrong.
    """
    limits: dict[str, float] = {}
    wrong: list[str] = []
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        try:
            if not equals:
                raise ValueError("expected NAME=VALUE")
            limits[name] = _measured(name, value, units)
        except ValueError as error:
            wrong.append(f"--limit {printable(text)[:_QUOTED]}: {error}")
    if PERCENT in limits and not has_baseline:
        wrong.append(f"--limit {PERCENT} needs a saved run to compare with: --baseline FILE.json")
    if wrong:
        raise UsageError(lines_of(wrong), hint=f"limits are {', '.join(units)}")
    return limits


def _measured(name: str, text: str, units: Mapping[str, str]) -> float:
    match units.get(name):
        case "percent":
            return parse_percent(text)
        case "bytes":
            value = float(parse_size(text))
        case "milliseconds":
            value = number(text, ("", "ms"), "a number of milliseconds; write 50 or 12.5ms")
        case "seconds":
            value = _fractional_seconds(text)
        case _:
            near = difflib.get_close_matches(name[:_QUOTED], units, n=1)
            raise ValueError("unknown limit" + (f"; did you mean {near[0]}?" if near else ""))
    if not value:
        raise ValueError("the limit must be greater than zero")
    return value


def _fractional_seconds(text: str) -> float:
    """Return seconds of "1.5s", or of any other duration."""
    try:
        return number(text, ("", "s"), "")
    except ValueError:
        return parse_seconds(text)

"""A project's own settings: ``slugcheck.toml``, or ``[tool.slugcheck]`` of ``pyproject.toml``.

The nearest file counts, from the checked folder up to the top of its git checkout. All mistakes are
reported at once, each with its path, before anything touches the network. Flags override settings
(``merged``).

A project's settings may come from a stranger's pull request. Therefore paths in them are read only
inside the checkout, and models on servers only with ``--remote-models``. A file outside the
checkout that ``--config`` names is the user's own and may name anything.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from slugcheck import platforms, reading
from slugcheck.errors import PlatformError, UsageError
from slugcheck.model import (
    Author,
    Budget,
    Denied,
    Ignore,
    Limit,
    Platform,
    Report,
    Rules,
    Settings,
    Severity,
)
from slugcheck.model.options import DEFAULT_PLATFORM, RUNTIME, Options
from slugcheck.model.platform import ARCHES, arch_name
from slugcheck.policy import limits
from slugcheck.project.models import is_remote
from slugcheck.text import MB, MIB, MOST_LINES, lines_of, listed, mb, printable

OWN, SHARED = "slugcheck.toml", "pyproject.toml"
QUOTED = 80  # characters of an invalid text that a message repeats
_QUOTED_FLAG = 60  # characters of a flag that a message repeats
_LONGEST_PATH = 300  # characters of a path in a message
_BUDGET_KEYS = ("limit", "message", "on")
_IGNORE_KEYS = ("code", "subject", "reason", "expires")


T = TypeVar("T")


class Wrong(Exception):
    """An invalid value; the text says what the setting accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistakes:
    """The mistakes so far. ``place`` is the path of the table that is being read."""

    place: str
    sentences: list[str] = field(default_factory=list)

    def add(self, key: str, complaint: str) -> None:
        """Note a mistake at a key; ``complaint`` follows the path of the key."""
        self.sentences.append(f"{self.place}{printable(key[:QUOTED])}{complaint}")

    def whole(self, complaint: str) -> None:
        """Note a mistake of the table itself."""
        self.sentences.append(f"{self.place.rstrip('.')} {complaint}")

    def below(self, key: str) -> Mistakes:
        """Return the same list for a nested table."""
        return Mistakes(place=f"{self.place}{printable(key[:QUOTED])}.", sentences=self.sentences)

    def unknown(self, key: str, known: Mapping[str, object] | tuple[str, ...], more: str) -> None:
        """Note an unknown key."""
        few = len(self.sentences) < MOST_LINES  # the others are not shown
        near = difflib.get_close_matches(key.lower()[:QUOTED], list(known), n=1) if few else []
        did = f"; did you mean {near[0]}?" if near else ""
        self.add(key, f": unknown setting{more or did}")


# --------------------------------------------------------------------------- plain values


def texts(value: object) -> tuple[str, ...]:
    """Return a list of strings."""
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise Wrong('a list of strings, such as ["models/*.onnx"]')
    return tuple(value)


def text(value: object) -> str:
    """Return a string that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong("a string")
    return value.strip()


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise Wrong("true or false")
    return value


def provided(value: object) -> tuple[str, ...]:
    """Return names of distributions; true stands for the platform's own list."""
    if isinstance(value, bool):
        return (RUNTIME,) if value else ()
    try:
        names = texts(value)
    except Wrong:
        raise Wrong('true, or a list of names such as ["boto3"]') from None
    return tuple(name.strip() for name in names)


def python(value: object) -> str:
    """Return a Python version; a number would lose the zero of 3.10."""
    if not isinstance(value, str) or not reading.PYTHON_VERSION.fullmatch(value.strip()):
        raise Wrong('a version in quotes, such as "3.12"')
    return value.strip()


# --------------------------------------------------------------------------- budgets


def budgets(value: object, mistakes: Mistakes) -> tuple[Budget, ...]:
    """Return the budgets of a table; ``[budgets.package]`` is short for ``package.NAME``."""
    if not isinstance(value, dict):
        mistakes.whole("must be a table of limits, such as budgets.slug")
        return ()
    return tuple(_budgets(value, mistakes))


def _budgets(table: Mapping[str, Any], mistakes: Mistakes) -> Iterator[Budget]:
    for key, value in table.items():
        if key == "package" and isinstance(value, dict):
            inside = mistakes.below(key)
            for name, own in value.items():
                yield from _budget(f"package.{name}", name, own, inside)
        else:
            yield from _budget(key, key, value, mistakes)


def _budget(name: str, key: str, value: object, mistakes: Mistakes) -> Iterator[Budget]:
    place = f"{mistakes.place}{printable(key[:QUOTED])}"
    if isinstance(value, dict):
        wrong = [other for other in value if other not in _BUDGET_KEYS]
        for other in wrong:
            mistakes.below(key).unknown(other, _BUDGET_KEYS, "")
        if "limit" not in value:
            mistakes.add(key, ' needs a limit; write { limit = "450M", message = "…" }')
            return
        if not all(isinstance(value.get(part, ""), str) for part in ("message", "on")):
            mistakes.add(key, ": message and on must be strings")
            return
        limit, message, on = value["limit"], value.get("message", ""), value.get("on")
    else:
        limit, message, on = value, "", None
    if isinstance(limit, bool) or not isinstance(limit, str | int | float):
        mistakes.add(key, ' must be a limit, such as "450M" or { limit = "450M", message = "…" }')
        return
    yield Budget(name=name, text=str(limit), place=place, message=message.strip(), on=on)


# --------------------------------------------------------------------------- denied


def denied(value: object, mistakes: Mistakes) -> tuple[Denied, ...]:
    """Return denied packages: a list of requirements, or a table of them with reasons."""
    if isinstance(value, dict):
        pairs = [(str(key), reason) for key, reason in value.items()]
    elif isinstance(value, list):
        pairs = [(requirement, "") for requirement in value]
    else:
        mistakes.whole('must be a list such as ["torch"], or a table of reasons')
        return ()
    return tuple(
        package
        for name, reason in pairs
        if (package := _denied(name, reason, mistakes)) is not None
    )


def _denied(name: object, reason: object, mistakes: Mistakes) -> Denied | None:
    shown = str(name)
    try:
        requirement = reading.requirement(name) if isinstance(name, str) else None
    except InvalidRequirement:
        requirement = None
    if requirement is None or requirement.marker or requirement.url or requirement.extras:
        mistakes.add(shown, ': write a denied package as "torch" or "tensorflow>=2"')
        return None
    if not isinstance(reason, str):
        mistakes.add(shown, ": the reason must be a string")
        return None
    return Denied(
        name=canonicalize_name(requirement.name),
        specifier=str(requirement.specifier),
        reason=reason.strip(),
        place=mistakes.place.rstrip("."),
    )


# --------------------------------------------------------------------------- ignored


def ignores(value: object, mistakes: Mistakes) -> tuple[Ignore, ...]:
    """Return the rules for findings to ignore: tables with code, reason and expires."""
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        mistakes.whole("must be tables, written as [[ignore]]")
        return ()
    parsed = (_ignore(table, number, mistakes) for number, table in enumerate(value))
    return tuple(rule for rule in parsed if rule is not None)


def _ignore(table: Mapping[str, Any], number: int, mistakes: Mistakes) -> Ignore | None:
    place = f"{mistakes.place.rstrip('.')}[{number}]."
    inside = Mistakes(place=place, sentences=mistakes.sentences)
    before = len(inside.sentences)
    for key in table:
        if key not in _IGNORE_KEYS:
            inside.unknown(key, _IGNORE_KEYS, "")
    code = _taken(table, "code", text, inside)
    subject = _taken(table, "subject", text, inside) if "subject" in table else None
    reason = _taken(table, "reason", text, inside)
    expires = _taken(table, "expires", day, inside)
    if len(inside.sentences) > before or code is None or reason is None or expires is None:
        return None
    place = inside.place.rstrip(".")
    return Ignore(code=code, subject=subject, reason=reason, expires=expires, place=place)


def _taken(
    table: Mapping[str, Any], key: str, parse: Callable[[object], T], mistakes: Mistakes
) -> T | None:
    if key not in table:
        mistakes.add(key, " is missing")
        return None
    try:
        return parse(table[key])
    except Wrong as wrong:
        mistakes.add(key, f" must be {wrong}")
        return None


def day(value: object) -> date:
    """Return a date of TOML, or one written as a string."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise Wrong("a date, such as 2027-05-26") from None


# --------------------------------------------------------------------------- finding the file


def of(options: Options) -> Settings:
    """Return the project's own settings, or those of the file that ``--config`` names."""
    return load(
        options.path if options.is_folder else options.path.parent,
        named=options.config,
        within=options.within,
        top=options.top,
        platform=options.platform,
    )


def local_models(own: Settings) -> Settings:
    """Return settings with nothing but the local models of these."""
    local = tuple(model for model in own.models if not is_remote(model))
    return Settings(origin=own.origin, author=own.author, models=local)


def load(
    folder: Path,
    *,
    named: Path | None = None,
    within: Path | None = None,
    top: Path | None = None,
    platform: str | None = None,
) -> Settings:
    """Return the settings for a folder; the defaults where there are none.

    ``named`` is the file to read them from. ``within`` is the folder that files may be read from,
    by default ``top`` or the checkout. ``top`` is the last folder to look in, by default the top of
    the git checkout, or ``folder`` itself outside of one. ``platform`` overrides theirs.

    :raises UsageError: a file is not TOML, both files have settings, or a setting is invalid.
    :raises Refused: a file is a link out of the checkout, not a regular file, or too large.
    """
    within = within or (top.resolve() if top else reading.top_of(folder))
    if named is not None:
        if reading.belongs(named, within):
            return _named(named, _Source(within, platform))
        return replace(_named(named, _Source(Path("/"), platform)), author=Author.USER)
    folder = reading.real(folder, within)
    last = top.resolve() if top else reading.checkout_of(folder)
    above = [parent for parent in folder.parents if parent == last or last in parent.parents]
    for place in (folder, *above):
        settings = _in(place, _Source(within, platform))
        if settings is not None:
            return settings
    return Settings()


@dataclass(frozen=True, slots=True)
class _Source:
    """Where files may be read from, and the platform that overrides that of the settings."""

    within: Path
    platform: str | None


def _named(path: Path, source: _Source) -> Settings:
    if not reading.is_file(path, source.within):
        message = f"{_shown(path)}: settings file not found"
        raise UsageError(message, hint="name a slugcheck.toml or a pyproject.toml")
    if path.name != SHARED:
        return _settings(_read(path, source.within), path, "", source)
    table = _table(_read(path, source.within), path)
    if table is None:
        message = f"{_shown(path)} has no [tool.slugcheck]"
        raise UsageError(message, hint="add the table, or name another file")
    return _settings(table, path, "tool.slugcheck.", source)


def _in(folder: Path, source: _Source) -> Settings | None:
    own, shared = folder / OWN, folder / SHARED
    within = source.within
    # a broken link or a folder of that name is an error: the user meant settings
    of_own = _read(own, within) if os.path.lexists(own) else None
    there = reading.is_file(shared, within)
    of_shared = _table(_read(shared, within), shared) if there else None
    if of_own is not None and of_shared is not None:
        message = f"{_shown(own)} and [tool.slugcheck] of {_shown(shared)} both have settings"
        raise UsageError(message, hint="keep only one of the two")
    if of_own is not None:
        return _settings(of_own, own, "", source)
    if of_shared is not None:
        return _settings(of_shared, shared, "tool.slugcheck.", source)
    return None


# --------------------------------------------------------------------------- values

_PLAIN: Mapping[str, Callable[[object], Any]] = {
    "platform": text,
    "stack": text,
    "python": python,
    "dyno": text,
    "base": text,
    "tier": text,
    "arch": text,
    "bytecode": flag,
    "provided": provided,
    "layers": texts,
    "models": texts,
    "allow_unsized": texts,
    "rehearsal": text,
}
_TABLES: Mapping[str, tuple[str, Callable[[object, Mistakes], Any]]] = {
    "budgets": ("budgets", budgets),
    "deny": ("denied", denied),
    "ignore": ("ignores", ignores),
}


def _settings(table: Mapping[str, object], path: Path, prefix: str, source: _Source) -> Settings:
    mistakes = Mistakes(place=f"{_shown(path)}: {prefix}")
    fields: dict[str, Any] = {}
    for key, value in table.items():
        if key in _PLAIN:
            try:
                fields[key] = _PLAIN[key](value)
            except Wrong as wrong:
                mistakes.add(key, f" must be {wrong}")
        elif key in _TABLES:
            name, parse = _TABLES[key]
            fields[name] = parse(value, mistakes.below(key))
        else:
            mistakes.unknown(key, {**_PLAIN, **_TABLES}, _misplaced(key, path))
    settings = Settings(origin=path, **fields)
    try:
        settings = _described(settings, path, source)
        mistakes.sentences.extend(_of_the_platform(settings, mistakes, source.platform))
    except PlatformError as error:
        mistakes.add("platform", f": {_with_hint(error)}")
    if mistakes.sentences:
        known = ", ".join([*_PLAIN, *_TABLES])
        raise UsageError(lines_of(mistakes.sentences), hint=f"settings are: {known}")
    return settings


def _with_hint(error: PlatformError) -> str:
    return f"{error}; {error.hint}" if error.hint else str(error)


def _described(settings: Settings, path: Path, source: _Source) -> Settings:
    """Return the settings with the platform file that they name, relative to their folder."""
    name = settings.platform
    if name is None or not name.endswith(".toml") or source.platform is not None:
        return settings
    place = platforms.load_file(path.parent / name, within=source.within)
    return replace(settings, described=place)


def _misplaced(key: str, path: Path) -> str:
    if key == "tool" and path.name != SHARED:
        return f"; {OWN} needs no [tool.slugcheck] table"
    return ""


def _of_the_platform(settings: Settings, mistakes: Mistakes, platform: str | None) -> Iterator[str]:
    """Yield the mistakes that depend on the platform."""
    name = platform or settings.platform or DEFAULT_PLATFORM
    try:
        place = settings.described or platforms.load(name)
    except PlatformError as error:
        if platform is None:  # else the flag is invalid, which is reported when it is read
            yield f"{mistakes.place}platform: {_with_hint(error)}"
        return
    yield from limits.mistakes(place, settings.budgets)
    if platform is None or platform == settings.platform:
        yield from _not_there(settings, mistakes, place)


def _not_there(settings: Settings, mistakes: Mistakes, place: Platform) -> Iterator[str]:
    for key, value, known in (
        ("stack", settings.stack, [stack.name for stack in place.stacks]),
        ("dyno", settings.dyno, [dyno.name for dyno in place.dynos]),
        ("tier", settings.tier, [tier.name for tier in place.tiers]),
    ):
        if value is not None and value.lower() not in known:
            choices = ", ".join(known) or "none"
            quoted = repr(printable(value[:QUOTED]))
            yield f"{mistakes.place}{key}: {place.title} has no {key} {quoted}; choose {choices}"
    arches = {arch for stack in place.stacks for arch in stack.arches}
    if settings.arch is not None and ARCHES.get(settings.arch.lower()) not in arches:
        choices, quoted = listed(sorted(map(arch_name, arches))), repr(settings.arch[:QUOTED])
        yield f"{mistakes.place}arch: {place.title} has no architecture {quoted}; choose {choices}"
    if settings.bytecode is False and place.buildpack:
        yield f"{mistakes.place}bytecode: {place.title}'s buildpack always compiles bytecode"
    if settings.provided and place.buildpack:
        yield f"{mistakes.place}provided: {place.title} installs every package"


# --------------------------------------------------------------------------- files


def _read(path: Path, within: Path) -> dict[str, Any]:
    try:
        data = reading.read(path, within=within, limit=reading.SETTINGS)
        # editors on Windows write a byte order mark at the start, which TOML takes for a key
        return reading.toml(data.decode("utf-8-sig"))
    except OSError as error:
        message = f"{_shown(path)} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="check its permissions") from None
    except ValueError as error:  # of the encoding, of TOML, and of a number with too many digits
        message = f"{_shown(path)} is not valid TOML: {printable(str(error))}"
        raise UsageError(message, hint="fix the line, or remove the file") from None


def _table(document: Mapping[str, Any], path: Path) -> dict[str, Any] | None:
    tool = document.get("tool")
    table = tool.get("slugcheck") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        message = f"{_shown(path)}: tool.slugcheck must be a table"
        raise UsageError(message, hint="write it as [tool.slugcheck]")
    return table


def _shown(path: Path) -> str:
    return printable(str(path)[:_LONGEST_PATH])


# --------------------------------------------------------------------------- flags and settings


def merged(options: Options, own: Settings) -> Options:
    """Return the options, filled up with the settings.

    :raises UsageError: settings of the project name a rehearsal outside of the checkout.
    """
    platform = options.platform or own.platform or DEFAULT_PLATFORM
    # a stack, dyno or tier of another platform says nothing about this one
    alike = options.platform in (None, own.platform or DEFAULT_PLATFORM)
    return replace(
        options,
        platform=platform,
        stack=options.stack or (own.stack if alike else None),
        dyno=options.dyno or (own.dyno if alike else None),
        base=options.base or (own.base if alike else None),
        tier=options.tier or (own.tier if alike else None),
        tier_origin=options.tier_origin if options.tier or not own.origin else own.origin.name,
        arch=options.arch or (own.arch if alike else None),
        bytecode=own.bytecode if options.bytecode is None and alike else options.bytecode,
        provided=options.provided or (own.provided if alike else ()),
        python=options.python or own.python,
        python_origin=options.python_origin if options.python or not own.origin else _place(own),
        allow_unsized=(*options.allow_unsized, *own.allow_unsized),
        rehearsal=options.rehearsal or _rehearsal(own, options.within),
    )


def _rehearsal(own: Settings, within: Path) -> Path | None:
    file = own.rehearsal_file
    if file is None or own.origin is None or own.author is Author.USER:
        return file
    if reading.leaves(file, within):
        message = f"{_shown(own.origin)}: rehearsal leads outside the checkout"
        raise UsageError(message, hint="name it on the command line: --rehearsal FILE")
    return file


def _place(own: Settings) -> str:
    return own.origin.name if own.origin is not None and own.python else "--python"


def rules(options: Options, own: Settings, platform: Platform) -> Rules:
    """Return the rules to judge by: the limits of the platform, the settings and the flags.

    :raises UsageError: a limit of a flag is invalid.
    """
    flags = (
        Budget(name=name, text=text, place=f"--limit {name[:_QUOTED_FLAG]}={text[:_QUOTED_FLAG]}")
        for name, text in options.limits
    )
    return limits.rules(platform, [*own.budgets, *flags], denied=own.denied, ignores=own.ignores)


# --------------------------------------------------------------------------- a first file


# Enough for a year of ordinary growth, and little enough to catch a heavy package.
MARGIN_PERCENT = 25
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A limit for the size that counts on the platform, as settings write it, and what it is."""

    text: str
    meaning: str


def proposals(report: Report) -> dict[str, Proposal]:
    """Return the limits to choose from, the default first.

    slugcheck's own is only there where the platform's own limit is another.
    """
    platform = report.sizes.target.platform
    figure = platform.size_figure
    about = [limit for limit in platform.limits if limit.figure == figure]
    budget = next((limit for limit in about if limit.severity is Severity.FAIL), None)
    own = next((limit for limit in about if limit.severity is Severity.NOTE), None)
    proposals = {}
    if budget is not None and own is not None:
        proposals["slugcheck"] = Proposal(
            text=_written(budget), meaning="slugcheck's default budget"
        )
    if (most := own or budget) is not None:
        since = f" since {most.since}" if most.since else ""
        proposals["platform"] = Proposal(
            text=_written(most), meaning=f"{platform.title}'s own limit{since}"
        )
    unit = report.sizes.unit
    value = _proposed(report.sizes.bundle.value, most.value if most else None, unit.unit)
    proposals["tight"] = Proposal(
        text=f"{value}{unit.suffix.strip()}", meaning=f"today's size plus {MARGIN_PERCENT} %"
    )
    return proposals


def _written(limit: Limit) -> str:
    """Return a limit in the unit that it is round in, as settings read it."""
    return f"{limit.value // MIB}M" if limit.value % MIB == 0 else f"{limit.value // MB}MB"


def settings_text(report: Report, *, given: Mapping[str, Any], proposal: Proposal) -> str:
    """Return a commented ``slugcheck.toml``; ``proposal`` is the limit of the size that counts.

    ``given`` are the options of the command line that choose the target, None where left out.
    """
    sizes = report.sizes
    target = sizes.target
    installed, figure = sizes.installed.value, target.platform.size_figure
    chosen = [
        _line("platform", given.get("platform") or target.platform.name,
              "see `slugcheck platforms`", True),
        _line("stack", target.stack.name, "", given.get("stack") is not None),
        _line("python", target.minor, f"from {target.python_origin}" if target.python_origin
              != "default" else "the platform's default",
              given.get("python") is not None),
    ]  # fmt: skip
    if target.dyno is not None:
        chosen.append(_line("dyno", target.dyno.name, "", given.get("dyno") is not None))
    if target.platform.tier is not None:
        chosen.append(_line("tier", target.platform.tier.name, "", given.get("tier") is not None))
    if given.get("arch") is not None:
        chosen.append(_line("arch", arch_name(target.stack.arch), "", True))
    if target.bytecode is not None:
        chosen.append(_line("bytecode", target.bytecode, "", True))
    if provided := given.get("provided"):
        chosen.append(_line("provided", True if RUNTIME in provided else list(provided), "", True))
    if layers := given.get("layers"):
        chosen.append(_line("layers", list(layers), "", True))
    budgets = [
        f"# {proposal.meaning}; today {sizes.unit.up(sizes.bundle.value)}",
        f'{figure} = "{proposal.text}"',
    ]
    if sizes.counts_slug:
        more = f'# installed = "{_with_margin(installed, MB)}MB"  # today {mb(installed)} MB'
        budgets.append(more)
    return _TEXT.format(chosen="\n".join(chosen), budgets="\n".join(budgets))


def _line(key: str, value: object, comment: str, active: bool) -> str:
    line = f"{key} = {json.dumps(value)}"
    return ("" if active else "# ") + line + (f"  # {comment}" if comment else "")


def _proposed(value: int, limit: int | None, unit: int) -> int:
    """Return today's value with its margin in whole units, never more than the limit."""
    wanted = _with_margin(value, unit)
    return min(wanted, limit // unit) if limit else wanted


def _with_margin(value: int, unit: int) -> int:
    """Return the value with its margin in whole units, rounded up to a round number."""
    wanted = -(-value * (100 + MARGIN_PERCENT) // (100 * unit))
    step = max((step for step in _STEPS if step * 50 <= wanted), default=1)
    return -(-wanted // step) * step


_TEXT = """\
# Size limits of this project, read by slugcheck. It looks in the folder that it checks, then in
# its parents up to the top of the git checkout. Flags on the command line override this file.

{chosen}
# models = ["models/*.onnx"]  # model files to add to the slug

# Sizes in M (MiB, as Heroku prints them), MB (10^6 bytes), GB.
[budgets]
{budgets}

# What a change may add, compared with --against origin/main. It fails only if it is over both.
increase = "10MB"
increase_percent = 5

# Other limits:
# build = "10m"
# package_increase = "20MB"          # what a single package may add
# "package.numpy" = "100MB"          # one package, installed
# "package.torch" = {{ limit = "200MB", on = "slug", message = "use onnxruntime" }}
# vulnerabilities = 0                # with --audit

# Packages that may not be installed, with the reason to show:
# [deny]
# torch = "use onnxruntime"
# "tensorflow>=2" = "too large"

# Findings to ignore until a date:
# [[ignore]]
# code = "opencv-gui"
# subject = "opencv-python"
# reason = "bin/post_compile replaces it"
# expires = 2027-05-31
"""

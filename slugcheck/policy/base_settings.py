"""The settings of the base revision, and how a change alters them.

A change must not loosen its own gate: with ``--against`` the settings of the base decide. Notes
list what the change alters; it takes effect once merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from slugcheck import reading
from slugcheck.errors import MeasureError, SlugcheckError
from slugcheck.model import Author, Budget, Denied, Ignore, Settings
from slugcheck.model.options import RUNTIME, Options
from slugcheck.policy import limits, settings
from slugcheck.project import git
from slugcheck.project.git import Revision
from slugcheck.project.models import is_remote
from slugcheck.running import temporary
from slugcheck.text import parse_seconds, parse_size, printable

_MOST_CHANGES = 12
_LONGEST_TEXT = 80
_BYTECODE = {None: "the default", True: "true", False: "false"}
_HINT = "fix them there, or use this change's own settings: --settings head"


def of_revision(options: Options, revision: Revision, label: str) -> Settings | None:
    """Return the settings of a revision; None where the user's own file decides (--config).

    A revision without settings has the defaults. Relative model paths start from the same folder of
    the work tree. Messages name files as git does: ``main:slugcheck.toml``.

    :raises MeasureError: they cannot be read or are invalid.
    """
    named = options.config
    if named is not None and not reading.belongs(named, options.within):
        return None
    try:
        with temporary.Folder() as folder:
            return _read(options, revision, folder.resolve(), label)
    except SlugcheckError as error:
        message = f"the settings of {label} cannot be read: {error}"
        raise MeasureError(message, hint=_HINT) from None


def _read(options: Options, revision: Revision, place: Path, label: str) -> Settings:
    named = _inside(options, revision)
    git.write(revision, place, only=lambda path: path.endswith(".toml") or path == str(named or ""))

    def shown(text: str) -> str:
        return text.replace(f"{place}/", f"{label}:")

    try:
        if named is not None and not reading.is_file(place / named, place):
            return Settings(author=Author.BASE)
        own = settings.load(
            _nearest(place, revision.prefix),
            named=None if named is None else place / named,
            within=place,
            top=place,
            platform=options.platform,
        )
    except SlugcheckError as error:
        raise MeasureError(shown(str(error)), hint=error.hint) from None
    if own.origin is None:
        return replace(own, author=Author.BASE)
    top = revision.top.resolve()
    origin = top / own.origin.relative_to(place)
    return replace(
        own,
        origin=origin,
        author=Author.BASE,
        models_from=origin.parent,
        budgets=tuple(replace(budget, place=shown(budget.place)) for budget in own.budgets),
        denied=tuple(replace(package, place=shown(package.place)) for package in own.denied),
        ignores=tuple(replace(ignore, place=shown(ignore.place)) for ignore in own.ignores),
    )


def _inside(options: Options, revision: Revision) -> PurePosixPath | None:
    """Return the path, in the checkout, of the settings file that ``--config`` names."""
    if options.config is None:
        return None
    real = reading.real(options.config, options.within)
    return PurePosixPath(real.relative_to(revision.top.resolve()).as_posix())


def _nearest(place: Path, prefix: str) -> Path:
    """Return the folder at a path below ``place``, or its nearest parent that exists."""
    for part in PurePosixPath(prefix).parts:
        if (place / part).is_symlink() or not (place / part).is_dir():
            break
        place /= part
    return place


# --------------------------------------------------------------------------- what a change alters


def changes(base: Settings, own: Settings, label: str, *, decides: bool) -> tuple[str, ...]:
    """Return how a change alters the settings of its base, one sentence each.

    ``decides`` says whether the settings of the base decide.
    """
    altered = list(dict.fromkeys(_changes(base, own)))
    more = len(altered) - _MOST_CHANGES
    altered = [*altered[:_MOST_CHANGES], *([f"changes {more} more settings"] if more > 0 else [])]
    effect = "in effect once merged" if decides else "in effect now (--settings head)"
    sentences = [f"this change {printable(change)}; {effect}" for change in altered]
    if altered and base.origin is not None and own.origin is None:
        stay = f"; the settings of {label} decide until it is merged" if decides else ""
        sentences.insert(0, f"this change deletes the settings in {base.origin.name}{stay}")
    return tuple(sentences)


def _changes(base: Settings, own: Settings) -> Iterator[str]:
    for key in ("platform", "stack", "dyno", "tier", "python", "arch", "base"):
        then, now = getattr(base, key), getattr(own, key)
        if then != now:
            before, after = (_short(setting or "the default") for setting in (then, now))
            yield f"changes {key} from {before} to {after}"
    if base.rehearsal != own.rehearsal:
        before, after = (_short(setting or "none") for setting in (base.rehearsal, own.rehearsal))
        yield f"changes rehearsal from {before} to {after}"
    if base.bytecode != own.bytecode:
        before, after = (_BYTECODE[setting] for setting in (base.bytecode, own.bytecode))
        yield f"changes bytecode from {before} to {after}"
    if base.described != own.described and base.platform == own.platform:
        yield f"changes the platform file {_short(own.platform or '')}"
    yield from _of_budgets(
        {budget.name: budget for budget in base.budgets},
        {budget.name: budget for budget in own.budgets},
    )
    yield from _of_sets(
        [_denied(package) for package in base.denied],
        [_denied(package) for package in own.denied],
        lambda package: f"denies {package}",
        lambda package: f"no longer denies {package}",
    )
    yield from _of_sets(
        [_ignored(ignore) for ignore in base.ignores],
        [_ignored(ignore) for ignore in own.ignores],
        lambda finding: f"ignores {finding}",
        lambda finding: f"no longer ignores {finding}",
    )
    yield from _of_sets(
        base.allow_unsized,
        own.allow_unsized,
        lambda package: f"allows {package} to have no size",
        lambda package: f"no longer allows {package} to have no size",
    )
    yield from _of_sets(
        [_left_out(name) for name in base.provided],
        [_left_out(name) for name in own.provided],
        lambda package: f"leaves {package} to the runtime",
        lambda package: f"no longer leaves {package} to the runtime",
    )
    yield from _of_sets(
        base.layers,
        own.layers,
        lambda layer: f"adds the layer {layer}",
        lambda layer: f"removes the layer {layer}",
    )
    yield from _of_sets(
        base.models,
        # a model in the checkout takes effect at once
        [model for model in own.models if is_remote(model) or model in base.models],
        lambda model: f"adds the model {model}",
        lambda model: f"removes the model {model}",
    )


def _of_budgets(then: dict[str, Budget], now: dict[str, Budget]) -> Iterator[str]:
    for name in dict.fromkeys([*then, *now]):
        before, after = then.get(name), now.get(name)
        shown = f"{_short(name)} budget"
        if before is None and after is not None:
            yield f"adds a {shown} of {_short(after.text)}"
        elif after is None and before is not None:
            yield f"removes the {shown} of {_short(before.text)}"
        elif before is not None and after is not None and before.text.strip() != after.text.strip():
            verb = _direction(before.text, after.text)
            yield f"{verb} the {shown} from {_short(before.text)} to {_short(after.text)}"
        elif before is not None and after is not None and before.on != after.on:
            yield f"changes the figure that the {shown} limits"


def _direction(before: str, after: str) -> str:
    for parse in (parse_size, parse_seconds, limits.parse_percent):
        try:
            then, now = float(parse(before)), float(parse(after))
        except ValueError:
            continue
        return "raises" if now > then else "lowers" if now < then else "rewrites"
    return "changes"


def _of_sets(
    then: tuple[str, ...] | list[str],
    now: tuple[str, ...] | list[str],
    added: Callable[[str], str],
    removed: Callable[[str], str],
) -> Iterator[str]:
    yield from (removed(_short(member)) for member in then if member not in now)
    yield from (added(_short(member)) for member in now if member not in then)


def _denied(package: Denied) -> str:
    return f"{package.name}{package.specifier}"


def _ignored(ignore: Ignore) -> str:
    subject = f" of {ignore.subject}" if ignore.subject else ""
    return f"{ignore.code}{subject} until {ignore.expires.isoformat()}"


def _left_out(name: str) -> str:
    return "every package that the platform provides" if name == RUNTIME else name


def _short(text: str) -> str:
    return text.strip() if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"

"""What a team decides beside the platform's limits: budgets, denied packages, ignored findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from slugcheck.model.platform import Limit, Platform, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One budget as it was written. ``place`` says where, for messages: ``--limit slug=1M``.

    ``on`` is the figure that a budget of packages or increases is about: ``slug``, ``installed``,
    or None for the one that the platform's own limit is about.
    """

    name: str
    text: str
    place: str
    message: str = ""
    on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageLimit:
    """A single distribution may not have more than ``value`` bytes of ``figure``."""

    name: str  # canonical
    value: int
    text: str
    figure: str  # "slug" or "installed"
    message: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class IncreaseLimit:
    """What may be added to the base: only beyond both ``value`` (bytes) and ``percent`` it fails.

    Either may be None: then the other decides alone.
    """

    value: int | None
    percent: float | None
    text: str
    figure: str  # "slug" or "installed"
    message: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class CountLimit:
    """There may be no more than ``value`` of something; 0 is a limit too."""

    value: int
    text: str
    message: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A distribution that may not be installed, in the versions of ``specifier`` ("": in any)."""

    name: str  # canonical
    specifier: str
    reason: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A kind of finding that is to be passed over until ``expires``, that day included.

    ``code`` is a finding's code, or one of its ids; ``subject`` narrows it to one distribution.
    """

    code: str
    subject: str | None
    reason: str
    expires: date
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All that is to be judged. ``limits`` are the platform's, with the user's in their place."""

    limits: tuple[Limit, ...]
    packages: tuple[PackageLimit, ...] = ()
    increase: IncreaseLimit | None = None
    package_increase: IncreaseLimit | None = None
    vulnerabilities: CountLimit | None = None
    denied: tuple[Denied, ...] = ()
    ignores: tuple[Ignore, ...] = ()


class Author(StrEnum):
    """Whose settings they are, which decides what they may name."""

    PROJECT = "project"  # of the checkout: models in it only
    BASE = "base"  # of the revision that a change is compared with: also models on servers
    USER = "user"  # of a file outside of the checkout: anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a project set. ``origin`` is the file it stands in, None without one."""

    origin: Path | None = None
    author: Author = Author.PROJECT
    platform: str | None = None
    described: Platform | None = None  # where ``platform`` is a file
    stack: str | None = None
    python: str | None = None
    dyno: str | None = None
    models: tuple[str, ...] = ()  # paths, globs and URLs
    models_from: Path | None = None  # where relative ones start; None: the file's folder
    allow_unsized: tuple[str, ...] = ()
    budgets: tuple[Budget, ...] = ()
    denied: tuple[Denied, ...] = ()
    ignores: tuple[Ignore, ...] = ()

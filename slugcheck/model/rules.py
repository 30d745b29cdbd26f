"""A team's own rules: budgets, denied packages, ignored findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from slugcheck.model.platform import Limit, Platform, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One budget as written. ``place`` says where, for messages: ``--limit slug=1M``.

    ``on`` is the figure that a budget for packages or increases limits: ``slug``, ``installed``, or
    None for the one that the platform limits.
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
    """What may be added to the base; it fails only over both ``value`` (bytes) and ``percent``.

    Either may be None: then the other decides.
    """

    value: int | None
    percent: float | None
    text: str
    figure: str  # "slug" or "installed"
    message: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class CountLimit:
    """At most ``value`` of something are allowed, which may be 0."""

    value: int
    text: str
    message: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A distribution that may not be installed, in the versions of ``specifier`` ("": any)."""

    name: str  # canonical
    specifier: str
    reason: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A kind of finding to ignore until ``expires``, inclusive.

    ``code`` is a finding's code, or one of its ids; ``subject`` narrows it to one distribution.
    """

    code: str
    subject: str | None
    reason: str
    expires: date
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules. ``limits`` are the platform's, replaced by the user's."""

    limits: tuple[Limit, ...]
    packages: tuple[PackageLimit, ...] = ()
    increase: IncreaseLimit | None = None
    package_increase: IncreaseLimit | None = None
    vulnerabilities: CountLimit | None = None
    denied: tuple[Denied, ...] = ()
    ignores: tuple[Ignore, ...] = ()


class Author(StrEnum):
    """The author of settings, which decides what they may name."""

    PROJECT = "project"  # of the checkout: models in it only
    BASE = "base"  # of the base revision: also models on servers
    USER = "user"  # of a file outside of the checkout: anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A project's settings. ``origin`` is their file, None without one."""

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

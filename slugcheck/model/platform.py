"""Records of platforms: their stacks, Pythons, dynos, limits and rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a constant comes from, and when that was read (``YYYY-MM-DD``).

    ``second_hand``: neither the platform's own words or code nor a measurement, but what others
    say of it, or an assumption.
    """

    text: str
    date: str
    second_hand: bool = False


class Severity(StrEnum):
    """What passing a limit means."""

    FAIL = "fail"  # gates: exit 1
    WARN = "warn"  # said, does not gate
    NOTE = "note"  # the platform's own limit beside a stricter budget: more is rejected, exit 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of a platform: ``figure`` may not be more than ``value`` (equal passes).

    ``figure`` names what it limits: ``slug``, ``bundle``, ``installed``, ``download``, ``build``,
    ``checkout``, ``boot`` or ``ram``. ``value`` is bytes or seconds, by ``unit``. ``text`` is the
    limit as its platform writes it ("500M", "15 minutes"). ``since`` is the day from which the
    platform has had it (``YYYY-MM-DD``), "" if unknown. ``set_by`` is the place in flags or
    settings that sets it, "" for the platform's file.
    """

    name: str
    figure: str
    value: int
    unit: str  # "bytes" or "seconds"
    severity: Severity
    text: str
    source: Source
    message: str = ""
    since: str = ""
    set_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildImage:
    """What a stack's builds find installed, by Ubuntu's package names: tools and headers."""

    packages: tuple[str, ...]
    source: Source


# Pyodide's platform by Python, as wheels are tagged for it: pyodide_2025_0_wasm32 (uv 0.13.9 knows
# no later one).
PYODIDE = {"3.12": "2024", "3.13": "2025"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """An operating system image of a platform. ``glibc`` decides which manylinux wheels fit.

    On the architecture ``wasm32`` Python is Pyodide, and ``glibc`` is (0, 0). ``build_image`` is
    None where it is not known what builds find installed.
    """

    name: str
    glibc: tuple[int, int]
    arch: str
    missing_libraries: tuple[str, ...]
    status: str
    source: Source
    build_image: BuildImage | None = None

    @property
    def is_pyodide(self) -> bool:
        """Whether Python is Pyodide, CPython built for WebAssembly."""
        return self.arch == "wasm32"

    @property
    def system(self) -> str:
        """The operating system, as Python's ``platform.system()`` names it."""
        return "Emscripten" if self.is_pyodide else "Linux"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredStack:
    """A stack that the platform no longer builds on, ``since`` a day (``YYYY-MM-DD``)."""

    name: str
    since: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimePart:
    """Something the platform puts beside the app's packages, such as Python itself or pip.

    Bytes: ``installed_bytes`` unpacked with bytecode, ``slug_bytes`` after gzip -6.
    ``error_percent`` is the half width of both figures' interval. ``managers`` names the package
    managers with which it is there; empty means with every one.
    """

    name: str
    installed_bytes: int
    slug_bytes: int
    error_percent: float
    note: str
    source: Source
    managers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonRelease:
    """A Python that a platform offers: its newest patch release and what it puts in the slug.

    ``indexes`` are URLs that the platform's installer looks at beside the usual index.
    """

    minor: str
    version: str
    parts: tuple[RuntimePart, ...]
    status: str  # "supported", "deprecated"
    source: Source
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dyno:
    """A size of machine. ``r14_bytes``: memory where swapping starts; ``r15_bytes``: the kill."""

    name: str
    ram_bytes: int
    r14_bytes: int
    r15_bytes: int
    workers: int  # WEB_CONCURRENCY that the platform sets
    usd_per_month: float | None
    source: Source
    cores: int | None = None  # that a process can count on; None where it is not known
    shared: bool = False  # a share of a core, not a whole one


class Buildpack(StrEnum):
    """Heroku's buildpack for Python that builds a project folder."""

    CLASSIC = "classic"  # heroku-buildpack-python, on Cedar
    CLOUD_NATIVE = "cloud-native"  # heroku/buildpacks-python, on Fir


class BundleKind(StrEnum):
    """What a platform counts against its size limit (``sizing.bundle`` counts by kind)."""

    GZIP_TAR = "gzip-tar"  # the gzip -6 tar of the whole app: Heroku's slug
    ZIP = "zip"  # the package as a zip
    UNZIPPED = "unzipped"  # every file of the package, as unpacked
    SITE_PACKAGES = "site-packages"  # the files that RECORD lists there, less what is stripped
    IMAGE = "image"  # the layers of a container image and its base, uncompressed

    @property
    def is_packed(self) -> bool:
        """Whether bytes count after compression."""
        return self in (BundleKind.GZIP_TAR, BundleKind.ZIP)

    @property
    def is_all_installed(self) -> bool:
        """Whether the installed files count as they are."""
        return self in (BundleKind.UNZIPPED, BundleKind.IMAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRule:
    """How a platform counts: ``about`` in words.

    ``stripped`` are patterns of file names and folders in site-packages that do not count. The
    distributions named in ``provided`` are in the platform's runtime, so that they need not be in
    the bundle.
    """

    kind: BundleKind
    about: str
    source: Source
    stripped: tuple[str, ...] = ()
    provided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A place to deploy to, as its TOML file describes it."""

    name: str
    title: str
    about: str
    bundle: BundleRule
    installer: str
    compiles_bytecode: bool
    gpu: bool
    prefix: str  # where Python lives, e.g. /app/.heroku/python
    stacks: tuple[Stack, ...]
    default_stack: str
    pythons: tuple[PythonRelease, ...]
    default_python: str  # minor, e.g. "3.14"
    limits: tuple[Limit, ...]
    dynos: tuple[Dyno, ...]
    default_dyno: str | None
    buildpack: Buildpack | None = None  # what builds a project folder, if it is Heroku's
    retired_stacks: tuple[RetiredStack, ...] = ()
    wheels_only: bool = False  # nothing is built from source there
    file: str = ""  # the path of a user's own file, as it was given

    @property
    def option(self) -> str:
        """What ``--platform`` takes for it."""
        return self.file or self.name

    @property
    def size_figure(self) -> str:
        """The name of the figure that its size limit is about: ``slug`` or ``bundle``."""
        return "slug" if self.bundle.kind is BundleKind.GZIP_TAR else "bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is deployed to: platform, stack, Python and machine size."""

    platform: Platform
    stack: Stack
    python: PythonRelease
    python_version: str  # full, e.g. "3.11.16": a marker sees the patch release
    python_origin: str  # "--python", ".python-version", "runtime.txt", "default"
    dyno: Dyno | None

    @property
    def minor(self) -> str:
        """The minor Python version, such as ``3.11``."""
        return ".".join(self.python_version.split(".")[:2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One budget as written. ``place`` says where, for messages: ``--limit slug=1M``.

    ``on`` is the figure that a budget for packages or increases limits: ``slug``, ``bundle``,
    ``installed``, or None for the default.
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
    figure: str  # "slug", "bundle" or "installed"
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
    figure: str  # "slug", "bundle" or "installed"
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

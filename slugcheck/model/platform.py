"""Records of platforms: their stacks, Pythons, dynos, limits and rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
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

    ``figure`` names what it limits: ``slug``, ``bundle``, ``installed``, ``zipped``, ``download``,
    ``build``, ``checkout``, ``boot`` or ``ram``. ``value`` is bytes or seconds, by ``unit``.
    ``text`` is the limit as its platform writes it ("500M", "15 minutes"). ``since`` is the day
    from which the platform has had it (``YYYY-MM-DD``), "" if unknown. ``set_by`` is the place in
    flags or settings that sets it, "" for the platform's file. ``dynos`` are the plans or machine
    sizes that it is for, none for all of them. ``why`` says why another than the usual tier of the
    platform applies, "" for that or without tiers.
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
    dynos: tuple[str, ...] = ()
    why: str = ""


class TierWhen(StrEnum):
    """When a tier of a platform's size limit applies."""

    NO_LOCK = "no-lock"  # the builder has no uv.lock that it could install a part of
    LOCK = "lock"  # the builder has a uv.lock, the project's or its own: the default
    LARGE = "large"  # large functions are enabled


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One of several values that a platform's size limit may have, in bytes.

    ``about`` says in words what is bundled, and what it costs. ``function_bytes`` is what the
    function itself may hold where the rest is installed at every cold start, and ``tool_bytes`` are
    taken from that by what installs it; None and 0 where everything is in the function.
    """

    name: str
    when: TierWhen
    value: int
    text: str
    about: str
    source: Source
    function_bytes: int | None = None
    tool_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRule:
    """Which files of a project folder a platform puts into a function, and what else it reads.

    ``ignored`` are gitignore patterns of what is not uploaded, followed by those of the project's
    own ``ignore_file``. ``excluded`` are globs of what the build has, but the function has not.
    ``config`` is the project's configuration, a JSON file.
    """

    config: str
    ignore_file: str
    ignored: tuple[str, ...]
    excluded: tuple[str, ...]
    source: Source


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

    ``arch`` is the architecture as wheel tags name it, ``x86_64`` or ``aarch64``; ``arches`` are
    all that the platform offers with this image, the default first. Where the C library is musl,
    ``musl`` is its version and decides which musllinux wheels fit, and ``glibc`` is (0, 0).
    On the architecture ``wasm32`` Python is Pyodide, and ``glibc`` is (0, 0) too. ``build_image``
    is None where it is not known what builds find installed.
    """

    name: str
    glibc: tuple[int, int]
    arch: str
    missing_libraries: tuple[str, ...]
    status: str
    source: Source
    build_image: BuildImage | None = None
    musl: tuple[int, int] | None = None
    arches: tuple[str, ...] = ()

    @property
    def is_pyodide(self) -> bool:
        """Whether Python is Pyodide, CPython built for WebAssembly."""
        return self.arch == "wasm32"

    @property
    def system(self) -> str:
        """The operating system, as Python's ``platform.system()`` names it."""
        return "Emscripten" if self.is_pyodide else "Linux"


# What users call an architecture, and what wheel tags call it.
ARCHES = {
    "x86_64": "x86_64", "arm64": "aarch64", "amd64": "x86_64", "aarch64": "aarch64",
    "wasm32": "wasm32",
}  # fmt: skip


def arch_name(arch: str) -> str:
    """Return what users call an architecture: ``x86_64`` or ``arm64``."""
    return next((name for name, tag in ARCHES.items() if tag == arch), arch)


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
class BaseImage:
    """What a container image starts from: an image of a registry, as a Dockerfile names it.

    ``disk_bytes`` are its layers on disk, ``pull_bytes`` what is transferred of them; None where
    its size is not known. ``error_percent`` are the half widths of their intervals. ``python`` is a
    full or minor version, "" where the image has none or it is not known. ``glibc`` and ``musl``
    are None where they are not known.
    """

    name: str
    arch: str  # "x86_64" or "aarch64"
    source: Source
    release: str = ""  # "Debian 13 (trixie)"
    python: str = ""
    glibc: tuple[int, int] | None = None
    musl: tuple[int, int] | None = None
    disk_bytes: int | None = None
    pull_bytes: int | None = None
    error_percent: float = 0.0
    pull_error_percent: float = 0.0
    note: str = ""  # what its size is an estimate from

    @property
    def minor(self) -> str:
        """Its Python without the patch release, such as ``3.12``; "" where it is not known."""
        return ".".join(self.python.split(".")[:2])


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonRelease:
    """A Python that a platform offers: its newest patch release and what it puts in the slug.

    ``stack`` is the image it runs on, "" where every stack has it.
    ``indexes`` are URLs that the platform's installer looks at beside the usual index.
    """

    minor: str
    version: str
    parts: tuple[RuntimePart, ...]
    status: str  # "supported", "deprecated"
    source: Source
    stack: str = ""
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dyno:
    """A size of machine. ``r14_bytes``: memory where swapping starts; ``r15_bytes``: the kill.

    ``concurrency`` is the WEB_CONCURRENCY that the platform sets, None where it sets none;
    ``processors`` is what ``os.cpu_count()`` says there, None where it is not known.
    """

    name: str
    ram_bytes: int
    r14_bytes: int
    r15_bytes: int
    workers: int  # by WEB_CONCURRENCY, else 1
    usd_per_month: float | None
    source: Source
    cores: int | None = None  # that a process can count on; None where it is not known
    shared: bool = False  # a share of a core, not a whole one
    concurrency: int | None = None
    processors: int | None = None


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
    def figure(self) -> str:
        """The name of the figure that a limit on it is about: ``slug`` or ``bundle``."""
        return "slug" if self is BundleKind.GZIP_TAR else "bundle"

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
    the bundle. Up to ``layers`` archives may be deployed beside the bundle and count with it.
    ``strippable``: the user's own tool fills the bundle, so that it may strip debugging symbols.
    """

    kind: BundleKind
    about: str
    source: Source
    stripped: tuple[str, ...] = ()
    provided: tuple[str, ...] = ()
    provided_source: Source | None = None
    layers: int = 0
    strippable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GracePeriod:
    """How long SIGTERM leaves a process before SIGKILL, in seconds."""

    seconds: int
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """How a platform calls a function through a Runtime API such as Lambda's.

    ``timeout_seconds`` is what an invocation may take by default, ``most_timeout_seconds`` what can
    be set; an answer may have ``answer_bytes``, and what it writes to /tmp ``disk_bytes``. Memory
    of ``vcpu_bytes`` comes with one vCPU, and more or less in proportion.
    """

    timeout_seconds: int
    most_timeout_seconds: int
    answer_bytes: int
    disk_bytes: int
    vcpu_bytes: int
    source: Source

    def vcpus(self, ram_bytes: int) -> float:
        """Return the processors that come with a size of memory."""
        return ram_bytes / self.vcpu_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """An older name of a platform, with the Python that was its default."""

    name: str
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A place to deploy to, as its TOML file describes it.

    ``installer`` is ``pip``, or ``pip --target`` where packages are installed into a plain folder.
    """

    name: str
    title: str
    about: str
    bundle: BundleRule
    installer: (
        str  # "pip": whichever the project uses, pip for a requirements file; "uv": always uv
    )
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
    default_base: str = ""  # of an image without a Dockerfile; {minor} is Python's version
    wheels_only: bool = False  # nothing is built from source there
    file: str = ""  # the path of a user's own file, as it was given
    tiers: tuple[Tier, ...] = ()  # of its size limit
    tier: Tier | None = None  # the one that applies, once it is known
    function: FunctionRule | None = None  # a project folder is built by Vercel's Python builder
    aliases: tuple[Alias, ...] = ()
    grace_period: GracePeriod | None = None  # where one is known
    calls_functions: bool = False  # no process of the app's own listens there
    invocation: Invocation | None = None  # where rehearse can call them as the platform does

    @property
    def option(self) -> str:
        """What ``--platform`` takes for it."""
        return self.file or self.name

    def stack_of(self, release: PythonRelease) -> str:
        """Return the name of the stack that a Python runs on unless another is chosen."""
        return release.stack or self.default_stack

    @property
    def starts_workers(self) -> bool:
        """Whether the app's own command starts its server there, with as many workers as it says.

        A function has one process for each instance.
        """
        return self.buildpack is not None or self.bundle.kind is BundleKind.IMAGE

    def limit_seconds(self, figure: str) -> int | None:
        """Return the lowest limit on ``boot`` or ``build`` in seconds; None if it has none."""
        return min((limit.value for limit in self.limits if limit.figure == figure), default=None)

    @property
    def size_figure(self) -> str:
        """The name of the figure that its size limit is about: ``slug`` or ``bundle``."""
        return self.bundle.kind.figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is deployed to: platform, stack, Python and machine size.

    ``bytecode`` is the user's choice, None for the platform's own; ``provided`` are the
    distributions that the runtime has, and the bundle therefore leaves out.
    """

    platform: Platform
    stack: Stack
    python: PythonRelease
    python_version: str  # full, e.g. "3.11.16": a marker sees the patch release
    python_origin: str  # "--python", ".python-version", "runtime.txt", "default"
    dyno: Dyno | None
    base: BaseImage | None = None  # of a container image
    bytecode: bool | None = None
    provided: tuple[str, ...] = ()  # canonical names

    @property
    def minor(self) -> str:
        """The minor Python version, such as ``3.11``."""
        return ".".join(self.python_version.split(".")[:2])

    @property
    def system(self) -> str:
        """What sentences call the operating system: the base image, else the stack."""
        return self.base.name if self.base is not None else self.stack.name

    def with_python(self, release: PythonRelease, origin: str) -> Target:
        """Return the target with another Python, on the stack that goes with it.

        A stack that the user has chosen stays, and so does the architecture.
        """
        platform, stack = self.platform, self.stack
        if stack.name == platform.stack_of(self.python):
            name = platform.stack_of(release)
            stack = next(other for other in platform.stacks if other.name == name)
            if self.stack.arch in stack.arches:
                stack = replace(stack, arch=self.stack.arch)
        return replace(
            self, stack=stack, python=release, python_version=release.version, python_origin=origin
        )

    @property
    def compiles_bytecode(self) -> bool:
        """Whether the installed packages have bytecode."""
        return self.platform.compiles_bytecode if self.bytecode is None else self.bytecode


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
    base: str | None = None  # of a container image
    tier: str | None = None
    arch: str | None = None
    bytecode: bool | None = None
    provided: tuple[str, ...] = ()  # names; ``options.RUNTIME`` stands for the platform's list
    layers: tuple[str, ...] = ()  # files, folders and sizes
    models: tuple[str, ...] = ()  # paths, globs and URLs
    models_from: Path | None = None  # where relative ones start; None: the file's folder
    allow_unsized: tuple[str, ...] = ()
    rehearsal: str | None = None  # a saved one, relative to their file
    budgets: tuple[Budget, ...] = ()
    denied: tuple[Denied, ...] = ()
    ignores: tuple[Ignore, ...] = ()

    @property
    def rehearsal_file(self) -> Path | None:
        """The saved rehearsal; None where these are a base's, whose change could bring its own."""
        if self.rehearsal is None or self.origin is None or self.models_from is not None:
            return None
        return self.origin.parent / self.rehearsal

"""The platforms slugcheck knows, each a TOML file beside this module, read strictly.

Limits move, so no constant of a platform is in code: every value is in its file with its source and
date. A user's own file has the same form.

All mistakes of a file are collected, each with the path to its value; an invalid value is replaced
by a neutral one of the right type, so that reading continues.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from slugcheck import reading
from slugcheck.errors import PlatformError
from slugcheck.model import (
    PYODIDE,
    Alias,
    BuildImage,
    Buildpack,
    BundleKind,
    BundleRule,
    Dyno,
    FunctionRule,
    GracePeriod,
    Invocation,
    Limit,
    Platform,
    PythonRelease,
    RetiredStack,
    RuntimePart,
    Severity,
    Source,
    Stack,
    Tier,
    TierWhen,
)
from slugcheck.model.platform import ARCHES
from slugcheck.text import MOST_LINES, lines_of, listed

Row = TypeVar("Row")
_SHOWN = 40  # characters of an invalid value that a message repeats
# Of a file that may be a stranger's; the longest built in have 28 and 352 characters.
_LONGEST_NAME, _LONGEST_TEXT = 100, 1_000
_LONGEST_MISTAKE = 400
_MOST_ROWS = 1_000  # of a list
_MOST_NAMES = 20  # of what is known


class TableReader:
    """One table of a file, and the mistakes of the whole file."""

    def __init__(self, table: Mapping[str, Any], path: str = "", parent: TableReader | None = None):
        self._table = table
        self._path = path
        self._root: TableReader = parent._root if parent else self
        self._known: set[str] = set()
        self.mistakes: dict[str, None] = parent.mistakes if parent else {}  # each once, in order

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def mistake(self, key: str, text: str) -> None:
        """Note a mistake of one key, once."""
        self.mistakes[f"{self._path}{_cut(key)} {_cut(text, _LONGEST_MISTAKE)}"] = None

    def finish(self) -> None:
        """Note a mistake for each key that was not read: an unknown or misspelt one."""
        for key in self._table:
            if key not in self._known:
                few = len(self.mistakes) < MOST_LINES  # the others are not shown
                near = difflib.get_close_matches(key[:_SHOWN], self._known, n=1) if few else []
                self.mistake(key, "is unknown" + (f"; did you mean {near[0]}?" if near else ""))

    # ----------------------------------------------------------------- values

    def text(
        self, key: str, *, default: str | None = None, pattern: str = "", like: str = ""
    ) -> str:
        """Return a string that is not empty and matches ``pattern``; ``like`` is an example."""
        value = self._get(key, default)
        if not isinstance(value, str) or (not value and default is None):
            return self._wrong(key, value, "a string", "")
        longest = _LONGEST_NAME if key in ("name", "title") else _LONGEST_TEXT
        if len(value) > longest:
            return self._wrong(key, value, f"at most {longest:,} characters long", "")
        if pattern and not re.fullmatch(pattern, value):
            return self._wrong(key, value, f"like {like}", "")
        return value

    def choice(self, key: str, known: Sequence[str]) -> str:
        """Return a string that is one of ``known``."""
        value = self._get(key)
        if isinstance(value, str) and value in known:
            return value
        return self._wrong(key, value, f"one of {_names(known)}", "")

    def choices(self, key: str, known: Sequence[str]) -> tuple[str, ...]:
        """Return one or more of ``known``: a string, or a list of them."""
        value = self._get(key)
        items = value if isinstance(value, list) else [value]
        if items and all(isinstance(item, str) and item in known for item in items):
            return tuple(items)
        return self._wrong(key, value, f"one or more of {_names(known)}", ())

    def date(self, key: str) -> str:
        """Return a date as ``YYYY-MM-DD``, from a string or a date of TOML."""
        value = self._get(key)
        try:
            return datetime.date.fromisoformat(str(value)).isoformat()
        except ValueError:
            return self._wrong(key, value, "a date like 2026-11-23", "")

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self._get(key)
        return value if isinstance(value, bool) else self._wrong(key, value, "true or false", False)

    def whole(self, key: str, *, least: int = 0) -> int:
        """Return a whole number of bytes or seconds, at least ``least``."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            return self._wrong(key, value, f"a whole number of at least {least:,}", least)
        return value

    def number(self, key: str) -> float:
        """Return a number that is not negative."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e18:
            return self._wrong(key, value, "a number that is not negative", 0.0)
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings; a missing one is empty."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return self._wrong(key, value, "a list of strings", ())
        if any(len(item) > _LONGEST_TEXT for item in value):
            self.mistake(key, f"must have strings of at most {_LONGEST_TEXT:,} characters")
            return ()
        return tuple(value)

    # ----------------------------------------------------------------- tables

    def source(self) -> Source:
        """Return the row's source, or the one that ``[sources]`` has by that name."""
        return _source(self)

    def rows(
        self, key: str, read: Callable[[TableReader], Row], *, at_least: int = 0
    ) -> tuple[Row, ...]:
        """Return a list of tables, each read by ``read``; a missing one is empty."""
        rows = self._get(key, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return self._wrong(key, rows, "a list of tables", ())
        if len(rows) < at_least:
            self.mistake(key, f"must have at least {at_least}")
        if len(rows) > _MOST_ROWS:  # each is compared with those of other lists
            self.mistake(key, f"must have at most {_MOST_ROWS:,}")
            return ()
        return tuple(self._row(read, f"{self._path}{key}[{n}].", row) for n, row in enumerate(rows))

    def table(self, key: str, read: Callable[[TableReader], Row]) -> Row | None:
        """Return a table, read by ``read``; None when it is missing."""
        table = self._get(key)
        if table is None:
            return None
        if not isinstance(table, dict):
            return self._wrong(key, table, "a table", None)
        return self._row(read, f"{self._path}{_cut(key)}.", table)

    def _row(self, read: Callable[[TableReader], Row], path: str, row: Mapping[str, Any]) -> Row:
        reader = TableReader(row, path, self)
        parsed = read(reader)
        reader.finish()
        return parsed

    def root(self, key: str, name: str) -> TableReader | None:
        """Return the table ``name`` of the table ``key`` at the top of the file, if it exists."""
        tables = self._root._get(key, {})
        table = tables.get(name) if isinstance(tables, dict) else None
        return TableReader(table, f"{key}.{_cut(name)}.", self) if isinstance(table, dict) else None

    def _get(self, key: str, default: object = None) -> object:
        self._known.add(key)
        return self._table.get(key, default)

    def _wrong(self, key: str, value: object, wanted: str, instead: Row) -> Row:
        if key not in self._table:
            self.mistake(key, f"is missing; it must be {wanted}")
        else:
            shown = str(value).lower() if isinstance(value, bool) else repr(value)
            self.mistake(key, f"must be {wanted}, not {shown[:_SHOWN]}")
        return instead


def _cut(text: str, longest: int = _SHOWN) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _names(known: Sequence[str]) -> str:
    return listed(known, _MOST_NAMES) if len(known) > _MOST_NAMES else ", ".join(known)


_UNITS = {
    "slug": "bytes", "bundle": "bytes", "installed": "bytes", "zipped": "bytes",
    "download": "bytes", "checkout": "bytes", "ram": "bytes", "build": "seconds", "boot": "seconds",
}  # fmt: skip
BASE_IMAGES = "base_images.toml"  # not a platform: what FROM brings
# what a file for slugcheck 0.1 called the figure of its size limit
_FORMER = {"slug": BundleKind.GZIP_TAR, "installed": BundleKind.UNZIPPED}
_EXAMPLE = "'Your own platform' in docs/platforms.md shows a whole file"
# without a name or password: a file of a project must not make slugcheck send any
_INDEX = r"https?://[^\s@$]+"
_GLIBC = r"[0-9]{1,3}\.[0-9]{1,3}"
_BASE, _LIKE_BASE = r"[\w.:/{}-]*", "python:{minor}-slim"
_MINOR = r"3\.[0-9]{1,3}"


def names() -> tuple[str, ...]:
    """Return the names of the built-in platforms, Heroku first, the rest by name."""
    files = {file.name for file in resources.files(__name__).iterdir()} - {BASE_IMAGES}
    built_in = sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))
    return ("heroku", *(name for name in built_in if name != "heroku"))


def load(name: str) -> Platform:
    """Return a built-in platform, or the one of a file where ``name`` ends in ``.toml``.

    An older name of a platform (``Platform.aliases``) is that platform, with the default Python
    that went with the name.

    :raises PlatformError: there is no such platform, or its file is wrong.
    """
    if name.endswith(".toml"):
        return load_file(Path(name))
    known = names()
    if name not in known:
        for platform in map(load, known):
            for alias in platform.aliases:
                if alias.name == name:
                    return replace(platform, default_python=alias.python)
        near = difflib.get_close_matches(name[:_SHOWN], known, n=1)
        did = f"did you mean {near[0]}? " if near else ""
        hint = f"{did}slugcheck knows {', '.join(known)}, or give it a .toml file of your own"
        raise PlatformError(f"no platform is called {_cut(name)!r}", hint=hint)
    return _built_in(name)


@cache
def _built_in(name: str) -> Platform:
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return parse(text, f"{name}.toml")


def for_dyno(platform: Platform, dyno: str | None) -> Platform:
    """Return the platform with the limits that hold for a plan or machine size, else its default.

    One that the platform does not have is refused where the target is chosen.
    """
    chosen = (dyno or platform.default_dyno or "").lower()
    limits = tuple(li for li in platform.limits if not li.dynos or chosen in li.dynos)
    return replace(platform, limits=limits)


def load_file(path: Path, *, within: Path | None = None) -> Platform:
    """Return the platform of a TOML file; ``within`` is a folder that it must be in.

    :raises PlatformError: the file cannot be read or holds mistakes.
    :raises Refused: it is outside of ``within``, not a regular file, or too large.
    """
    try:
        data = reading.read(path, within=within or Path("/"), limit=reading.SETTINGS)
        text = data.decode("utf-8")
    except OSError as error:
        message = f"{path}: the platform file cannot be read: {error.strerror or error}"
        raise PlatformError(message, hint=f"built-in platforms: {', '.join(names())}") from None
    except UnicodeDecodeError:
        raise PlatformError(f"{path}: the platform file is not UTF-8 text") from None
    return replace(parse(text, str(path)), file=str(path))


def parse(text: str, origin: str) -> Platform:
    """Return the platform a TOML text describes; ``origin`` names it in messages.

    :raises PlatformError: lists every mistake with the path to its value.
    """
    try:
        table = reading.toml(text)
    except ValueError as error:
        raise PlatformError(f"{origin}: not valid TOML: {error}") from None
    reader = TableReader(table)
    platform = _platform(reader)
    reader.finish()
    if reader.mistakes:
        sentences = [f"{origin}: {mistake}" for mistake in reader.mistakes]
        raise PlatformError(lines_of(sentences), hint=_EXAMPLE)
    return platform


# --------------------------------------------------------------------------- the tables


def _platform(reader: TableReader) -> Platform:
    stacks = reader.rows("stacks", _stack, at_least=1)
    stack_names = [stack.name for stack in stacks]
    pythons = reader.rows("pythons", lambda row: _python(row, stack_names), at_least=1)
    bundle = reader.table("bundle", _bundle) or _no_bundle(reader)
    limits = reader.rows("limits", lambda row: _limit(row, bundle))
    retired = reader.rows("retired_stacks", _retired_stack)
    dynos = reader.rows("dynos", _dyno)
    sizes = {dyno.name for dyno in dynos}
    for name in dict.fromkeys(name for limit in limits for name in limit.dynos):
        if name not in sizes:
            shown = repr(_cut(name))
            reader.mistake("limits", f"names the machine size {shown}, which is not in dynos")
    tiers = reader.rows("tiers", _tier)
    for key, row_names in (
        ("stacks", stack_names),
        ("retired_stacks", [stack.name for stack in retired]),
        ("pythons", [release.minor for release in pythons]),
        (
            "limits",
            [
                f"{limit.name} on {dyno}" if dyno else limit.name
                for limit in limits
                for dyno in limit.dynos or ("",)
            ],
        ),
        ("dynos", [dyno.name for dyno in dynos]),
        ("tiers", [tier.name for tier in tiers]),
    ):
        _no_duplicates(reader, key, row_names)
    if any(stack.is_pyodide for stack in stacks):
        for row, release in enumerate(pythons):
            if release.minor and release.minor not in PYODIDE:
                known = ", ".join(PYODIDE)
                reader.mistake(f"pythons[{row}].minor", f"must be one of {known} on wasm32")
    if "sources" in reader:  # those that no row names have to be right, too
        reader.table("sources", _check_sources)
    _check_tiers(reader, tiers, limits)
    return Platform(
        name=reader.text("name"),
        title=reader.text("title"),
        about=reader.text("about"),
        bundle=bundle,
        installer=reader.choice("installer", ("pip", "pip --target", "uv")),
        buildpack=_buildpack(reader),
        compiles_bytecode=reader.flag("compiles_bytecode"),
        gpu=reader.flag("gpu"),
        prefix=reader.text("prefix", pattern=r"/[^\s]*", like="/app/.heroku/python"),
        stacks=stacks,
        default_stack=reader.choice("default_stack", stack_names),
        pythons=pythons,
        default_python=reader.choice("default_python", [release.minor for release in pythons]),
        limits=limits,
        dynos=dynos,
        default_dyno=reader.choice("default_dyno", [dyno.name for dyno in dynos])
        if "default_dyno" in reader
        else None,
        retired_stacks=retired,
        wheels_only=reader.flag("wheels_only") if "wheels_only" in reader else False,
        default_base=reader.text("default_base", default="", pattern=_BASE, like=_LIKE_BASE),
        tiers=tiers,
        function=reader.table("function", _function) if "function" in reader else None,
        aliases=reader.rows("aliases", _alias),
        grace_period=reader.table("grace_period", _grace_period),
        calls_functions=reader.flag("calls_functions") if "calls_functions" in reader else False,
        invocation=reader.table("invocation", _invocation) if "invocation" in reader else None,
    )


def _invocation(reader: TableReader) -> Invocation:
    return Invocation(
        timeout_seconds=reader.whole("timeout_seconds", least=1),
        most_timeout_seconds=reader.whole("most_timeout_seconds", least=1),
        answer_bytes=reader.whole("answer_bytes", least=1),
        disk_bytes=reader.whole("disk_bytes", least=1),
        vcpu_bytes=reader.whole("vcpu_bytes", least=1),
        source=_source(reader),
    )


def _grace_period(reader: TableReader) -> GracePeriod:
    return GracePeriod(seconds=reader.whole("seconds", least=1), source=_source(reader))


def _alias(reader: TableReader) -> Alias:
    return Alias(
        name=reader.text("name"), python=reader.text("python", pattern=_MINOR, like="3.12")
    )


def _bundle(reader: TableReader) -> BundleRule:
    kind = reader.choice("kind", tuple(BundleKind))
    stripped = reader.texts("stripped")
    if stripped and kind and kind != BundleKind.SITE_PACKAGES:
        reader.mistake("stripped", f"goes with the kind {BundleKind.SITE_PACKAGES} only")
    return BundleRule(
        kind=BundleKind(kind) if kind else BundleKind.UNZIPPED,
        about=reader.text("about"),
        source=_source(reader),
        stripped=stripped,
        provided=(provided := reader.texts("provided")),
        provided_source=reader.table("provided_from", _source) if provided else None,
        layers=reader.whole("layers") if "layers" in reader else 0,
        strippable=reader.flag("strippable") if "strippable" in reader else False,
    )


def _buildpack(reader: TableReader) -> Buildpack | None:
    if "buildpack" not in reader:
        return None
    name = reader.choice("buildpack", tuple(Buildpack))
    return Buildpack(name) if name else None


def _check_sources(reader: TableReader) -> None:
    for name in reader:
        reader.table(name, lambda row: _read_source(row, "text"))


def _no_bundle(reader: TableReader) -> BundleRule:
    kind = BundleKind.UNZIPPED
    if "size_figure" in reader:
        former = reader.text("size_figure")
        kind = _FORMER.get(former, kind)
        reader.mistake(
            "size_figure",
            f'is no longer read: write a table [bundle] with kind = "{kind}", about, source and '
            f'date, and figure = "{kind.figure}" in the limit of the size',
        )
    elif "bundle" not in reader:
        kinds = ", ".join(BundleKind)
        reader.mistake("bundle", f"is missing; it must be a table with a kind, one of {kinds}")
    return BundleRule(kind=kind, about="", source=Source(text="", date=""))


def _function(reader: TableReader) -> FunctionRule:
    return FunctionRule(
        config=reader.text("config"),
        ignore_file=reader.text("ignore_file"),
        ignored=reader.texts("ignored"),
        excluded=reader.texts("excluded"),
        source=_source(reader),
    )


def _tier(reader: TableReader) -> Tier:
    value = reader.whole("value", least=1)
    when = reader.choice("when", tuple(TierWhen))
    part = reader.whole("function_bytes", least=1) if "function_bytes" in reader else None
    if part is not None and part > value:
        reader.mistake("function_bytes", f"must not be more than the value, {value:,}")
    tool = reader.whole("tool_bytes") if "tool_bytes" in reader else 0
    if tool >= (part or 1):
        reader.mistake("tool_bytes", "must be less than function_bytes")
    return Tier(
        name=reader.text("name", pattern=r"[^\sA-Z]+", like="cold-start, in lower case"),
        when=TierWhen(when) if when else TierWhen.LOCK,
        value=value,
        text=reader.text("text"),
        about=reader.text("about"),
        source=_source(reader),
        function_bytes=part,
        tool_bytes=tool,
    )


def _check_tiers(reader: TableReader, tiers: Sequence[Tier], limits: Sequence[Limit]) -> None:
    """Each case has one tier, and the limit of the platform's table is the default one's."""
    if not tiers:
        return
    usual = [tier.value for tier in tiers if tier.when is TierWhen.LOCK]
    for when in TierWhen:
        if (found := sum(tier.when is when for tier in tiers)) != 1:
            reader.mistake("tiers", f"must have one row for when = {when.value!r}, not {found}")
    about = [limit.value for limit in limits if limit.figure == "bundle"]
    if len(usual) == 1 and about != usual:
        reader.mistake("limits", f"must have one of the figure bundle, of {usual[0]:,} bytes")


def _no_duplicates(reader: TableReader, key: str, row_names: list[str]) -> None:
    for name, times in Counter(filter(None, row_names)).items():
        if times > 1:
            reader.mistake(key, f"has {_cut(name)!r} {times} times")


def _stack(reader: TableReader) -> Stack:
    arches = tuple(ARCHES[name] for name in reader.choices("arch", tuple(ARCHES)))
    known = arches[:1] != ("wasm32",)  # Pyodide has a C library of its own
    glibc = reader.text("glibc", pattern=_GLIBC, like="2.39").split(".") if known else []
    return Stack(
        name=reader.text("name"),
        glibc=(int(glibc[0]), int(glibc[1])) if len(glibc) == 2 else (0, 0),
        arch=arches[0] if arches else "",
        arches=arches,
        missing_libraries=reader.texts("missing_libraries"),
        status=reader.text("status"),
        source=_source(reader),
        build_image=reader.table("build_image", _build_image),
    )


def _retired_stack(reader: TableReader) -> RetiredStack:
    return RetiredStack(
        name=reader.text("name"), since=reader.date("since"), source=_source(reader)
    )


def _build_image(reader: TableReader) -> BuildImage:
    return BuildImage(packages=reader.texts("packages"), source=_source(reader))


def _python(reader: TableReader, stacks: Sequence[str]) -> PythonRelease:
    minor = reader.text("minor", pattern=_MINOR, like="3.12")
    within = rf"{minor.replace('.', '[.]')}\.[0-9]+"
    return PythonRelease(
        minor=minor,
        version=reader.text("version", pattern=within, like=f"{minor or '3.12'}.4"),
        parts=reader.rows("parts", _part),
        status=reader.choice("status", ("supported", "deprecated")),
        source=_source(reader),
        stack=reader.choice("stack", stacks) if "stack" in reader else "",
        indexes=_indexes(reader),
    )


def _indexes(reader: TableReader) -> tuple[str, ...]:
    urls = reader.texts("indexes")
    for url in urls:
        if not re.fullmatch(_INDEX, url):
            like = "https://packages.example.com/simple"
            reader.mistake("indexes", f"must be addresses like {like}, not {url[:_SHOWN]!r}")
    return urls


def _part(reader: TableReader) -> RuntimePart:
    return RuntimePart(
        name=reader.text("name"),
        installed_bytes=reader.whole("installed_bytes"),
        slug_bytes=reader.whole("slug_bytes"),
        error_percent=reader.number("error_percent"),
        note=reader.text("note", default=""),
        source=_source(reader),
        managers=reader.texts("managers"),
    )


def _limit(reader: TableReader, bundle: BundleRule) -> Limit:
    figure = reader.choice("figure", tuple(_UNITS))
    if figure == "bundle" and bundle.kind is BundleKind.GZIP_TAR:
        reader.mistake("figure", f"must be 'slug', since bundle.kind is {bundle.kind}")
    unit = reader.choice("unit", ("bytes", "seconds"))
    if figure and unit and unit != _UNITS[figure]:
        reader.mistake("unit", f"must be {_UNITS[figure]!r} for the figure {figure!r}")
    severity = reader.choice("severity", tuple(Severity))
    return Limit(
        name=reader.text("name"),
        figure=figure,
        value=reader.whole("value", least=1),
        unit=unit,
        severity=Severity(severity) if severity else Severity.FAIL,
        text=reader.text("text"),
        source=_source(reader),
        message=reader.text("message", default=""),
        since=reader.date("since") if "since" in reader else "",
        dynos=reader.texts("dynos"),
    )


def _dyno(reader: TableReader) -> Dyno:
    ram = reader.whole("ram_bytes", least=1)
    workers = reader.whole("workers", least=1) if "workers" in reader else None
    cores = reader.whole("cores", least=1) if "cores" in reader else None
    shared = reader.flag("shared") if "shared" in reader else False
    # a share of a machine's cores shows all of them
    seen = reader.whole("processors", least=1) if "processors" in reader else None
    return Dyno(
        name=reader.text("name", pattern=r"[^\sA-Z]+", like="standard-1x, in lower case"),
        ram_bytes=ram,
        r14_bytes=ram,  # swapping starts at the quota itself
        r15_bytes=reader.whole("r15_bytes", least=ram) if "r15_bytes" in reader else ram,
        workers=workers or 1,
        usd_per_month=reader.number("usd_per_month") if "usd_per_month" in reader else None,
        source=_source(reader),
        cores=cores,
        shared=shared,
        concurrency=workers,
        processors=seen if seen is not None or shared else cores,
    )


def _source(reader: TableReader) -> Source:
    """Return a row's own ``source`` and ``date``, or those that ``[sources]`` has by that name."""
    name = reader.text("source")
    shared = reader.root("sources", name)
    if "date" in reader or not name:
        return _read_source(reader, "source")
    if shared is None:
        reader.mistake(
            "date",
            "is missing; write a date like 2026-11-23, or name a row of [sources] as the source",
        )
        return Source(text=name, date="")
    source = _read_source(shared, "text")
    shared.finish()
    if "second_hand" in reader and reader.flag("second_hand"):
        return replace(source, second_hand=True)
    return source


def _read_source(reader: TableReader, key: str) -> Source:
    second_hand = reader.flag("second_hand") if "second_hand" in reader else False
    return Source(text=reader.text(key), date=reader.date("date"), second_hand=second_hand)

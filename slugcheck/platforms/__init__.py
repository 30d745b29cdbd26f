"""The platforms slugcheck knows, each a TOML file beside this module.

Limits move, so no constant of a platform is in code: every value stands in its file with the
source it was read from and the date. A user's own file has the same form. All mistakes of a file
are reported at once, each with the path to the bad value.
"""

from __future__ import annotations

import difflib
from collections import Counter
from importlib import resources
from pathlib import Path

from slugcheck import reading
from slugcheck import reading as files
from slugcheck.errors import PlatformError
from slugcheck.model import (
    Dyno,
    Limit,
    Platform,
    PythonRelease,
    RuntimePart,
    Severity,
    Source,
    Stack,
)
from slugcheck.platforms.tables import Reader

_UNITS = {
    "slug": "bytes", "installed": "bytes", "download": "bytes", "checkout": "bytes",
    "ram": "bytes", "build": "seconds", "boot": "seconds",
}  # fmt: skip
_GLIBC = r"[0-9]{1,3}\.[0-9]{1,3}"
_MINOR = r"3\.[0-9]{1,3}"


def names() -> tuple[str, ...]:
    """Return the names of the built-in platforms, Heroku first, the rest by name."""
    files = (file.name for file in resources.files(__name__).iterdir())
    found = sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))
    return ("heroku", *(name for name in found if name != "heroku"))


def load(name: str) -> Platform:
    """Return a built-in platform, or the one of a file where ``name`` ends in ``.toml``.

    :raises PlatformError: there is no such platform, or its file is wrong.
    """
    if name.endswith(".toml"):
        return load_file(Path(name))
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        did = f"did you mean {near[0]}? " if near else ""
        hint = f"{did}slugcheck knows {', '.join(known)}, or give it a .toml file of your own"
        raise PlatformError(f"no platform is called {name!r}", hint=hint)
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return parse(text, f"{name}.toml")


def load_file(path: Path, *, within: Path | None = None) -> Platform:
    """Return the platform of a TOML file; ``within`` is a folder that it must be in.

    :raises PlatformError: the file cannot be read or holds mistakes.
    :raises Refused: it is outside of ``within``, not a regular file, or too large.
    """
    try:
        data = files.read(path, within=within or Path("/"), limit=files.SETTINGS)
        text = data.decode("utf-8")
    except OSError as error:
        message = f"{path}: the platform file cannot be read: {error.strerror or error}"
        raise PlatformError(message, hint=f"built-in platforms: {', '.join(names())}") from None
    except UnicodeDecodeError:
        raise PlatformError(f"{path}: the platform file is not UTF-8 text") from None
    return parse(text, str(path))


def parse(text: str, origin: str) -> Platform:
    """Return the platform a TOML text describes; ``origin`` names it in messages.

    :raises PlatformError: lists every mistake with the path to its value.
    """
    try:
        table = reading.toml(text)
    except ValueError as error:
        raise PlatformError(f"{origin}: not valid TOML: {error}") from None
    reader = Reader(table)
    platform = _platform(reader)
    reader.finish()
    if reader.mistakes:
        message = "\n".join(f"{origin}: {mistake}" for mistake in reader.mistakes)
        raise PlatformError(message, hint="slugcheck/platforms/heroku.toml shows every field")
    return platform


# --------------------------------------------------------------------------- the tables


def _platform(reader: Reader) -> Platform:
    stacks = reader.rows("stacks", _stack, at_least=1)
    pythons = reader.rows("pythons", _python, at_least=1)
    limits = reader.rows("limits", _limit)
    dynos = reader.rows("dynos", _dyno)
    for key, found in (
        ("stacks", [stack.name for stack in stacks]),
        ("pythons", [release.minor for release in pythons]),
        ("limits", [limit.name for limit in limits]),
        ("dynos", [dyno.name for dyno in dynos]),
    ):
        _no_twins(reader, key, found)
    return Platform(
        name=reader.text("name"),
        title=reader.text("title"),
        about=reader.text("about"),
        size_figure=reader.choice("size_figure", ("slug", "installed")),
        installer=reader.choice("installer", ("pip",)),
        buildpack=reader.flag("buildpack") if "buildpack" in reader else False,
        compiles_bytecode=reader.flag("compiles_bytecode"),
        gpu=reader.flag("gpu"),
        prefix=reader.text("prefix", pattern=r"/[^\s]*", like="/app/.heroku/python"),
        stacks=stacks,
        default_stack=reader.choice("default_stack", [stack.name for stack in stacks]),
        pythons=pythons,
        default_python=reader.choice("default_python", [release.minor for release in pythons]),
        limits=limits,
        dynos=dynos,
        default_dyno=reader.choice("default_dyno", [dyno.name for dyno in dynos])
        if "default_dyno" in reader
        else None,
    )


def _no_twins(reader: Reader, key: str, found: list[str]) -> None:
    for name, times in Counter(filter(None, found)).items():
        if times > 1:
            reader.mistake(key, f"has {name!r} {times} times")


def _stack(reader: Reader) -> Stack:
    glibc = reader.text("glibc", pattern=_GLIBC, like="2.39").split(".")
    return Stack(
        name=reader.text("name"),
        glibc=(int(glibc[0]), int(glibc[1])) if len(glibc) == 2 else (0, 0),
        arch=reader.choice("arch", ("x86_64", "aarch64")),
        missing_libraries=reader.texts("missing_libraries"),
        status=reader.text("status"),
        source=_source(reader),
    )


def _python(reader: Reader) -> PythonRelease:
    minor = reader.text("minor", pattern=_MINOR, like="3.12")
    within = rf"{minor.replace('.', '[.]')}\.[0-9]+"
    return PythonRelease(
        minor=minor,
        version=reader.text("version", pattern=within, like=f"{minor or '3.12'}.4"),
        parts=reader.rows("parts", _part),
        status=reader.choice("status", ("supported", "deprecated")),
        source=_source(reader),
    )


def _part(reader: Reader) -> RuntimePart:
    return RuntimePart(
        name=reader.text("name"),
        installed_bytes=reader.whole("installed_bytes"),
        slug_bytes=reader.whole("slug_bytes"),
        error_percent=reader.number("error_percent"),
        note=reader.text("note", default=""),
        source=_source(reader),
        managers=reader.texts("managers"),
    )


def _limit(reader: Reader) -> Limit:
    figure = reader.choice("figure", tuple(_UNITS))
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
    )


def _dyno(reader: Reader) -> Dyno:
    ram = reader.whole("ram_bytes", least=1)
    return Dyno(
        name=reader.text("name", pattern=r"[^\sA-Z]+", like="standard-1x, in lower case"),
        ram_bytes=ram,
        r14_bytes=ram,  # swapping starts at the quota itself
        r15_bytes=reader.whole("r15_bytes", least=ram) if "r15_bytes" in reader else ram,
        workers=reader.whole("workers", least=1) if "workers" in reader else 1,
        usd_per_month=reader.number("usd_per_month") if "usd_per_month" in reader else None,
        source=_source(reader),
        cores=reader.whole("cores", least=1) if "cores" in reader else None,
        shared=reader.flag("shared") if "shared" in reader else False,
    )


def _source(reader: Reader) -> Source:
    """Return a row's own ``source`` and ``date``, or those that ``[sources]`` has by that name."""
    text = reader.text("source")
    shared = reader.root("sources", text)
    if shared is not None and "date" not in reader:
        source = Source(text=shared.text("text"), date=shared.date("date"))
        shared.finish()
        return source
    return Source(text=text, date=reader.date("date"))

"""The target that is deployed to, chosen from flags, version files and the platform's defaults."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.tags import Tag, compatible_tags, cpython_tags

from slugcheck.errors import PlatformError
from slugcheck.model import Dyno, Platform, PythonRelease, Stack, Target

# The glibc minors (2.x) that uv 0.13.9 has a --python-platform name for. Wheels for a newer one
# than the last are not on the index today.
_UV_GLIBC_MINORS = (17, 28, *range(31, 41))
_OLDEST_GLIBC_MINOR = {"x86_64": 5}  # manylinux1 is glibc 2.5; other machines came with 2.17
_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
_VERSION = re.compile(r"3\.[0-9]{1,3}(?:\.[0-9]{1,3})?")
_VERSION_FILES = ("runtime.txt", ".python-version")  # in the order the buildpack reads them
_QUOTED = 40  # characters of a wrong text that a message repeats


def choose(
    platform: Platform,
    *,
    stack: str | None = None,
    python: str | None = None,
    dyno: str | None = None,
    folder: Path | None = None,
) -> Target:
    """Return the target. ``folder`` is where ``runtime.txt`` and ``.python-version`` may be.

    A minor version means the newest patch release that the platform has of it; an exact one is
    kept, since markers see it.

    :raises PlatformError: the platform has no such stack, Python or dyno, or a version file
        holds something that the platform's build refuses.
    """
    version, origin, place = _asked_for(platform, python, folder)
    release, full = _release(platform, version, place)
    return Target(
        platform=platform,
        stack=_stack(platform, stack or platform.default_stack),
        python=release,
        python_version=full,
        python_origin=origin,
        dyno=_dyno(platform, dyno or platform.default_dyno),
    )


# --------------------------------------------------------------------------- Python


def _asked_for(platform: Platform, python: str | None, folder: Path | None) -> tuple[str, str, str]:
    """Return the version, what it came from, and the place of it that a message names."""
    if python is not None:
        if not _VERSION.fullmatch(python.strip()):
            message = f"--python {python[:_QUOTED]!r} is not a Python version"
            raise PlatformError(message, hint="write it as 3.12 or 3.12.4")
        return python.strip(), "--python", "--python"
    for name in _VERSION_FILES if folder is not None else ():
        path = (folder or Path()) / name
        if path.is_file():
            number, version = _from_file(path)
            return version, name, f"{path}:{number}"
    default = f"{platform.title}'s default"
    return platform.default_python, default, default


def _from_file(path: Path) -> tuple[int, str]:
    """Return line number and text of the one version in a version file, as the buildpack does.

    ``runtime.txt`` holds ``python-3.12`` or ``python-3.12.4`` and no comments. ``.python-version``
    holds the bare number, and lines that begin with ``#``.
    """
    runtime = path.name == "runtime.txt"
    prefix = "python-" if runtime else ""
    hint = f"write {prefix}3.12 (or {prefix}3.12.4) into it, and nothing else"
    lines = [
        (number, line.strip())
        for number, line in enumerate(_text(path, hint).splitlines(), 1)
        if line.strip() and (runtime or not line.strip().startswith("#"))
    ]
    if not lines:
        raise PlatformError(f"{path}: it holds no Python version", hint=hint)
    if len(lines) > 1:
        message = f"{path}:{lines[1][0]}: a second line; the build takes one version only"
        raise PlatformError(message, hint=hint)
    number, text = lines[0]
    version = text.removeprefix(prefix)
    if not text.startswith(prefix) or not _VERSION.fullmatch(version):
        reason = _refusal(text, runtime=runtime)
        raise PlatformError(f"{path}:{number}: {text[:_QUOTED]!r} {reason}", hint=hint)
    return number, version


def _text(path: Path, hint: str) -> str:
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise PlatformError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise PlatformError(
            f"{path}: it is not UTF-8, so the build refuses it", hint=hint
        ) from None
    if text.startswith("\ufeff") or "\0" in text:
        message = f"{path}:1: it is UTF-16 or begins with a byte order mark; the build refuses it"
        raise PlatformError(message, hint=f"save it as plain UTF-8; {hint}")
    return text


def _refusal(text: str, *, runtime: bool) -> str:
    if not runtime and text.startswith("python-"):
        return "has a python- prefix, which belongs into runtime.txt; the build refuses it here"
    if text[0] in "'\"":
        return "is in quotes, which the build refuses"
    if "*" in text or "x" in text.removeprefix("python-"):
        return "has a wildcard, which the build refuses"
    return "is not a version that the build accepts"


def _release(platform: Platform, version: str, place: str) -> tuple[PythonRelease, str]:
    """Return the platform's release of a version's minor, and the full version."""
    minor = ".".join(version.split(".")[:2])
    offered = {release.minor: release for release in platform.pythons}
    if minor not in offered:
        dates = max(release.source.date for release in platform.pythons)
        message = (
            f"{platform.title} refuses Python {minor} ({place}); "
            f"as of {dates} it offers {', '.join(offered)}"
        )
        near = _closest(minor, offered)
        raise PlatformError(message, hint=f"choose {near}, the closest it offers")
    release = offered[minor]
    return release, version if version.count(".") == 2 else release.version


def _closest(minor: str, offered: Iterable[str]) -> str:
    number = int(minor.split(".")[1])
    return min(offered, key=lambda other: abs(int(other.split(".")[1]) - number))


# --------------------------------------------------------------------------- stack and dyno


def _stack(platform: Platform, name: str) -> Stack:
    known = {stack.name: stack for stack in platform.stacks}
    if name not in known:
        raise _no_such("stack", name, known, platform)
    return known[name]


def _dyno(platform: Platform, name: str | None) -> Dyno | None:
    if name is None:
        return None
    known = {dyno.name: dyno for dyno in platform.dynos}
    if name.lower() not in known:
        raise _no_such("machine size", name, known, platform)
    return known[name.lower()]


def _no_such(kind: str, name: str, known: Iterable[str], platform: Platform) -> PlatformError:
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, n=1)
    did = f"did you mean {near[0]}? " if near else ""
    message = f"{platform.title} has no {kind} {name[:_QUOTED]!r}"
    return PlatformError(message, hint=f"{did}it has {', '.join(names) or 'none'}")


# --------------------------------------------------------------------------- for the resolver


def uv_platform(stack: Stack) -> str:
    """Return uv's name for ``--python-platform``: its newest glibc that the stack also has.

    uv has none older than 2.17, so that stands for those.
    """
    newest = max(minor for minor in _UV_GLIBC_MINORS if (2, minor) <= max(stack.glibc, (2, 17)))
    return f"{stack.arch}-manylinux_2_{newest}"


def supported_tags(target: Target) -> tuple[Tag, ...]:
    """Return the wheel tags that the target's pip accepts, in its order of preference."""
    return tags_for(target.stack, target.minor)


def tags_for(stack: Stack, minor: str) -> tuple[Tag, ...]:
    """Return the wheel tags of a minor CPython version on a stack, the most specific first."""
    version = tuple(int(part) for part in minor.split("."))
    interpreter = f"cp{minor.replace('.', '')}"
    platforms = list(_platforms(stack))
    # the ABI is given, or packaging would add that of the Python slugcheck runs on (3.14t, debug)
    specific = cpython_tags(python_version=version, abis=[interpreter], platforms=platforms)
    generic = compatible_tags(python_version=version, interpreter=interpreter, platforms=platforms)
    return (*specific, *generic)


def _platforms(stack: Stack) -> Iterator[str]:
    # a wheel for plain linux, as one from a private index may be, comes first: as pip orders them
    yield f"linux_{stack.arch}"
    major, newest = stack.glibc
    for minor in range(newest, _OLDEST_GLIBC_MINOR.get(stack.arch, 17) - 1, -1):
        yield f"manylinux_{major}_{minor}_{stack.arch}"
        if (major, minor) in _LEGACY:
            yield f"{_LEGACY[major, minor]}_{stack.arch}"


def marker_environment(target: Target) -> dict[str, str]:
    """Return the environment that markers are evaluated in, as uv sees the target.

    Release and version of the kernel are empty: uv knows neither for a target.
    """
    return {
        "implementation_name": "cpython",
        "implementation_version": target.python_version,
        "os_name": "posix",
        "platform_machine": target.stack.arch,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": target.python_version,
        "python_version": target.minor,
        "sys_platform": "linux",
        "extra": "",
    }

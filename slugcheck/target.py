"""The target that is deployed to, chosen from flags, version files and the platform's defaults."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.tags import Tag, compatible_tags, cpython_tags

from slugcheck.errors import PlatformError
from slugcheck.model import Dyno, Platform, PythonRelease, Stack, Target

# The newest glibc in uv's list of --python-platform names (uv 0.13.9); wheels for a newer one
# than that are not on the index today.
_NEWEST_UV_GLIBC = (2, 40)
_OLDEST_GLIBC_MINOR = 5  # manylinux1 is glibc 2.5
_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
_VERSION = re.compile(r"3\.\d+(?:\.\d+)?")
_VERSION_FILES = ("runtime.txt", ".python-version")  # in the order the buildpack reads them


def choose(
    platform: Platform,
    *,
    stack: str | None = None,
    python: str | None = None,
    dyno: str | None = None,
    folder: Path | None = None,
) -> Target:
    """Return the target. ``folder`` is where ``runtime.txt`` and ``.python-version`` may be.

    :raises PlatformError: the platform has no such stack, Python or dyno, or a version file
        holds something that the platform's build refuses.
    """
    version, origin = _python_asked_for(platform, python, folder)
    release, full = _release(platform, version, origin)
    return Target(
        platform=platform,
        stack=_stack(platform, stack or platform.default_stack),
        python=release,
        python_version=full,
        python_origin=origin,
        dyno=_dyno(platform, dyno or platform.default_dyno),
    )


def _python_asked_for(
    platform: Platform, python: str | None, folder: Path | None
) -> tuple[str, str]:
    if python is not None:
        return python.strip(), "--python"
    for name in _VERSION_FILES:
        path = (folder or Path()) / name
        if folder is not None and path.is_file():
            return _from_file(path), name
    return platform.default_python, f"{platform.title}'s default"


def _from_file(path: Path) -> str:
    """Return the one version that a version file holds, as the buildpack reads it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        message = f"{path}: not readable as UTF-8 text"
        raise PlatformError(message, hint="write the version alone into it, such as 3.12") from None
    found = [(n, line.strip()) for n, line in enumerate(lines, 1) if _is_content(line)]
    if len(found) != 1:
        message = f"{path}: it must hold one version, and holds {len(found)}"
        raise PlatformError(message, hint="write the version alone into it, such as 3.12")
    number, text = found[0]
    prefix = "python-" if path.name == "runtime.txt" else ""
    if not text.startswith(prefix) or not _VERSION.fullmatch(text.removeprefix(prefix)):
        message = f"{path}:{number}: {text[:40]!r} is not a version the build accepts"
        raise PlatformError(
            message, hint=f"write {prefix}3.12 (or {prefix}3.12.4) and nothing else"
        )
    return text.removeprefix(prefix)


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith("#")


def _release(platform: Platform, version: str, origin: str) -> tuple[PythonRelease, str]:
    if not _VERSION.fullmatch(version):
        message = f"{version!r} ({origin}) is not a Python version"
        raise PlatformError(message, hint="write it as 3.12 or 3.12.4")
    minor = ".".join(version.split(".")[:2])
    offered = {release.minor: release for release in platform.pythons}
    if minor not in offered:
        names = ", ".join(offered)
        message = f"{platform.title} does not offer Python {minor} ({origin}); it offers {names}"
        raise PlatformError(
            message, hint=f"choose {_closest(minor, offered)}, the closest it offers"
        )
    release = offered[minor]
    return release, version if version.count(".") == 2 else release.version


def _closest(minor: str, offered: Iterable[str]) -> str:
    number = int(minor.split(".")[1])
    return min(offered, key=lambda other: abs(int(other.split(".")[1]) - number))


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
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names) or 'none'}"
    return PlatformError(f"{platform.title} has no {kind} {name!r}", hint=hint)


# --------------------------------------------------------------------------- for the resolver


def uv_platform(stack: Stack) -> str:
    """Return uv's name for ``--python-platform``, at most as new as uv knows."""
    major, minor = min(stack.glibc, _NEWEST_UV_GLIBC)
    return f"{stack.arch}-manylinux_{major}_{minor}"


def supported_tags(target: Target) -> tuple[Tag, ...]:
    """Return the wheel tags that the target's pip accepts, the most specific first."""
    return tags_for(target.stack, target.minor)


def tags_for(stack: Stack, minor: str) -> tuple[Tag, ...]:
    """Return the wheel tags of a minor CPython version on a stack, the most specific first."""
    version = tuple(int(part) for part in minor.split("."))
    platforms = list(_platforms(stack))
    interpreter = f"cp{minor.replace('.', '')}"
    specific = cpython_tags(python_version=version, platforms=platforms)
    generic = compatible_tags(python_version=version, interpreter=interpreter, platforms=platforms)
    return (*specific, *generic)


def _platforms(stack: Stack) -> Iterator[str]:
    major, newest = stack.glibc
    for minor in range(newest, _OLDEST_GLIBC_MINOR - 1, -1):
        yield f"manylinux_{major}_{minor}_{stack.arch}"
        if (major, minor) in _LEGACY:
            yield f"{_LEGACY[major, minor]}_{stack.arch}"
    yield f"linux_{stack.arch}"


def marker_environment(target: Target) -> dict[str, str]:
    """Return the environment that markers are evaluated in, as uv sees the target."""
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

"""What a target looks like to a resolver: its wheel tags, its markers, and uv's name for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from packaging.tags import Tag, compatible_tags, cpython_tags

from slugcheck.model import PYODIDE, Stack, Target

# The glibc minors (2.x) that uv 0.13.9 has a --python-platform name for. Wheels for a newer one
# than the last are not on the index today.
_UV_GLIBC_MINORS = (17, 28, *range(31, 41))
_OLDEST_GLIBC_MINOR = {"x86_64": 5}  # manylinux1 is glibc 2.5; other machines came with 2.17
_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}


def uv_platform(stack: Stack, minor: str = "") -> str:
    """Return uv's name for ``--python-platform``: its newest glibc that the stack also has.

    uv has none older than 2.17, so that stands for those. For musl it has one, of version 1.2. For
    Pyodide ``minor``, the Python's, decides.
    """
    if stack.musl is not None:
        return f"{stack.arch}-unknown-linux-musl"
    if stack.is_pyodide:
        return f"{stack.arch}-pyodide{PYODIDE.get(minor, '')}"
    newest = max(minor for minor in _UV_GLIBC_MINORS if (2, minor) <= max(stack.glibc, (2, 17)))
    return f"{stack.arch}-manylinux_2_{newest}"


def supported_tags(target: Target) -> tuple[Tag, ...]:
    """Return the wheel tags that the target's pip accepts, in its order of preference."""
    return tags_for(target.stack, target.minor)


@cache
def tags_for(stack: Stack, minor: str) -> tuple[Tag, ...]:
    """Return the wheel tags of a minor CPython version on a stack, the most specific first."""
    version = tuple(int(part) for part in minor.split("."))
    interpreter = f"cp{minor.replace('.', '')}"
    platforms = list(_platforms(stack, minor))
    # the ABI is given, or packaging would add that of the Python slugcheck runs on (3.14t, debug)
    specific = cpython_tags(python_version=version, abis=[interpreter], platforms=platforms)
    generic = compatible_tags(python_version=version, interpreter=interpreter, platforms=platforms)
    return (*specific, *generic)


def _platforms(stack: Stack, python: str) -> Iterator[str]:
    if stack.is_pyodide:
        yield f"pyodide_{PYODIDE[python]}_0_{stack.arch}"
        return
    # a wheel for plain linux, as one from a private index may be, comes first: as pip orders them
    yield f"linux_{stack.arch}"
    if stack.musl is not None:
        major, newest = stack.musl
        for minor in range(newest, -1, -1):
            yield f"musllinux_{major}_{minor}_{stack.arch}"
        return
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
        "platform_system": target.stack.system,
        "platform_version": "",
        "python_full_version": target.python_version,
        "python_version": target.minor,
        "sys_platform": target.stack.system.lower(),
        "extra": "",
    }

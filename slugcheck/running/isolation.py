"""What a child may see: the environment variables it needs, and no program of the project.

A program is looked up on PATH, leaving out entries that are relative or lie in the checked project.
Python imports from slugcheck's own environment only.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from slugcheck import reading

# What every tool needs, and what it takes to get at an index.
_BASE = (
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|"
    r"XDG_(?:CACHE|CONFIG|DATA|STATE)_HOME|XDG_CONFIG_DIRS|XDG_RUNTIME_DIR|"
    r"SYSTEMROOT|SystemRoot|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA|"
    r"HOMEDRIVE|HOMEPATH"
)
NETWORK = (
    r"(?:HTTPS?|ALL|NO)_PROXY|(?:https?|all|no)_proxy|NETRC|SSL_CERT_FILE|SSL_CERT_DIR|"
    r"REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_CAINFO"
)
_RUN_MODULE = (
    "import os, runpy, sys; sys.path[:] = sys.argv.pop(1).split(os.pathsep);"
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)
_distrusted: set[str] = set()


def environment(allowed: str = "", *, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a child's environment: the names that every tool needs and those of a pattern."""
    names = re.compile(f"(?:{_BASE}|{allowed})" if allowed else f"(?:{_BASE})")
    source = os.environ if environ is None else environ
    kept = {key: value for key, value in source.items() if names.fullmatch(key)}
    if "PATH" in kept:
        kept["PATH"] = safe_path(kept["PATH"])
    return kept


def distrust(path: Path) -> None:
    """Use no program from the project that ``path`` belongs to: its checkout, or its folder."""
    _distrusted.add(str(reading.checkout_of(path)))


def _roots() -> frozenset[str]:
    try:
        here = str(reading.checkout_of(Path.cwd()))
    except OSError:  # it is gone
        here = ""
    return frozenset({*_distrusted, here}) - {"/", ""}


def _within(place: str, root: str) -> bool:
    return place == root or place.startswith(root + os.sep)


def safe_path(path: str) -> str:
    """Return PATH without what is relative, empty, or in the checked project."""
    return _safe_path(path, _roots())


@lru_cache(maxsize=64)
def _safe_path(path: str, roots: frozenset[str]) -> str:
    kept = []
    for place in path.split(os.pathsep):
        real = os.path.realpath(place)
        inside = any(_within(real, root) for root in roots)
        if Path(place).is_absolute() and not inside:
            kept.append(place)
    return os.pathsep.join(kept)


def which(name: str) -> str | None:
    """Return the path of a program that is not the checked project's, None if there is none."""
    return shutil.which(name, path=safe_path(os.environ.get("PATH", os.defpath)))


def python_module(name: str) -> list[str]:
    """Return the command that runs a module of slugcheck's own environment; arguments follow.

    It imports from where this process does and from nowhere else: no current folder, nothing of
    the checked project, no PYTHON* variable, no ``.pth`` file, no sitecustomize.
    """
    path = os.pathsep.join(place for place in sys.path if _is_ours(place))
    return [sys.executable, "-I", "-S", "-c", _RUN_MODULE, path, name]


def _is_ours(place: str) -> bool:
    """Whether a place of the import path is outside the checked project.

    slugcheck's own environment may well lie there, as a ``.venv`` does.
    """
    real = os.path.realpath(place)
    own = {os.path.realpath(one) for one in (sys.prefix, sys.base_prefix)}
    return Path(place).is_absolute() and (
        not any(_within(real, root) for root in _roots()) or any(_within(real, one) for one in own)
    )

"""The indexes that a lock file names, for resolving a changed project against them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slugcheck import reading
from slugcheck.packages.locks.pins import items, read_bytes, table, text

# The index that is asked anyway: the default, or the mirror that the user named in its place.
_DEFAULT = re.compile(r"https?://(?:pypi\.org/simple|pypi\.python\.org/simple)/?$")
_MOST = 20


def read(path: Path, top: Path) -> tuple[str, ...]:
    """Return the URLs of the indexes in a lock of any kind, without the default one.

    URLs with variables are left out: their values are for the build alone.

    :raises RequirementsError: the file cannot be read.
    """
    content = read_bytes(path, top, reading.LOCK).decode("utf-8", errors="replace")
    try:
        lock = reading.json(content) if path.name == "Pipfile.lock" else reading.toml(content)
    except ValueError:
        return ()
    urls = dict.fromkeys(_urls(lock if isinstance(lock, dict) else {}))
    usable = [
        url
        for url in urls
        if url.startswith(("https://", "http://")) and "$" not in url and not _DEFAULT.match(url)
    ]
    return tuple(usable[:_MOST])


def _urls(lock: dict[str, Any]) -> Iterator[str]:
    for source in items(table(lock, "_meta").get("sources")):  # Pipfile.lock
        yield text(table(source).get("url"))
    for package in items(lock.get("package")):
        source = table(package, "source")
        yield text(source.get("registry"))  # uv.lock
        if source.get("type") == "legacy":  # poetry.lock
            yield text(source.get("url"))
    for package in items(lock.get("packages")):  # pylock.toml
        yield text(table(package).get("index"))

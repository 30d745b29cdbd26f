"""What a requirement line becomes: a requirement for the resolver, or set aside with its reason.

What pip refuses only because a file or folder is not there is set aside too: the rest of the file
can be measured all the same.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
)

from slugcheck import syntax
from slugcheck.index.reqlines import BadLineError, Line, shown
from slugcheck.index.reqparts import (
    VCS,
    VCS_SCHEMES,
    WINDOWS_PATH,
    Parts,
    Places,
    first_located,
    guessed_name,
    place_of,
    scheme_of,
    take_apart,
)
from slugcheck.model import Origin, Requirement, Unsized

_OTHER_MACHINE = (
    "a path of the machine where the file was made; pip on the platform will fail: "
    "replace it by name==version"
)


def understand(line: Line, origin: Origin, places: Places) -> Requirement | Unsized:
    """Return what ``line`` asks for. Relative paths are looked for below ``places``, in turn.

    :raises BadLineError: pip refuses it.
    """
    parts = take_apart(line, places)
    url = parts.url or ""
    if line.missing and scheme_of(url) not in {"http", "https", *VCS_SCHEMES}:
        raise BadLineError(line.variables.why(line.missing))
    if parts.path is not None or scheme_of(url) == "file" or WINDOWS_PATH.match(url):
        return _local(parts, line, origin, places)
    if parts.url is not None:
        return _remote(parts, line, origin)
    return Requirement(
        name=parts.name,
        text=parts.pep508(parts.specifier),
        origin=origin,
        extras=parts.extras,
        specifier=parts.specifier,
        marker=parts.marker,
        hashes=line.hashes,
    )


# --------------------------------------------------------------------------- URLs


def _remote(parts: Parts, line: Line, origin: Origin) -> Requirement | Unsized:
    url = parts.url or ""
    scheme = scheme_of(url)
    if scheme in VCS_SCHEMES:
        kind = VCS[scheme.partition("+")[0]]
        reason = f"from a {kind} repository; its size is known only after a build"
        return _aside(parts, parts.name or guessed_name(_last_part(url)), None, reason, origin)
    check_url(url)
    if line.missing:
        reason = f"its line {line.variables.why(line.missing)}"
        return _aside(parts, parts.name or guessed_name(_last_part(url)), None, reason, origin)
    name, version = _wheel(_filename(url), parts.name)
    exact = Parts(name=name, extras=parts.extras, marker=parts.marker)
    safe = shown(line.written, len(line.written))
    return Requirement(
        name=name,
        # what can be shown must hold no secret; a variable may well be one
        text=exact.pep508(f" @ {url}") if name and safe == line.wanted else safe,
        origin=origin,
        extras=parts.extras,
        specifier=f"=={version}" if version else "",
        marker=parts.marker,
        url=url,
        hashes=tuple(dict.fromkeys((*line.hashes, *_fragment_hashes(url)))),
    )


def check_url(url: str) -> None:
    """Make sure that a server can be asked for ``url``.

    :raises BadLineError: it is no http(s) URL, or holds characters that no URL can have.
    """
    if scheme_of(url) not in ("http", "https"):
        raise BadLineError("its URL does not begin with https://, http://, file: or git+https://")
    if not url.isprintable() or " " in url:
        raise BadLineError("its URL holds characters that no URL can have")
    if not urlsplit(url).hostname:
        raise BadLineError("its URL names no server")


def _filename(url: str) -> str:
    return unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]


def _last_part(url: str) -> str:
    return re.sub(r"(?:\.git)?(?:@.*)?$", "", _filename(url))


def _fragment_hashes(url: str) -> list[str]:
    found = re.findall(r"[#&](sha256|sha384|sha512)=([0-9a-f]+)", url)
    return [f"{algorithm}:{digest}" for algorithm, digest in found]


def _wheel(filename: str, name: str) -> tuple[str, str | None]:
    """Return name and version of a wheel by its filename; of anything else ``name`` and None."""
    if not filename.lower().endswith(".whl"):
        return name, None
    try:
        inside, version, _, _ = syntax.wheel_filename(filename)
    except InvalidWheelFilename:
        raise BadLineError(f"{shown(filename, 60)} is no valid filename of a wheel") from None
    if name and name != inside:
        raise BadLineError(f"it asks for {name}, but the wheel is {inside}")
    return inside, str(version)


# --------------------------------------------------------------------------- local paths


def _local(parts: Parts, line: Line, origin: Origin, places: Places) -> Requirement | Unsized:
    path = parts.path if parts.path is not None else _path_of(parts.url or "")
    found = None if path is None else place_of(path, places)
    if found is None or (line.editable and found.is_file()):
        return _missing(parts, path, line, origin, places)
    name, version = _wheel(found.name if found.is_file() else "", parts.name)
    fragment = re.search(r"[#&](subdirectory=[^&]+)", parts.url or "")
    url = found.as_uri() + (f"#{fragment[1]}" if fragment else "")
    exact = Parts(name=name, extras=parts.extras, marker=parts.marker)
    return Requirement(
        name=name,
        text=exact.pep508(f" @ {url}") if name else shown(line.written, len(line.written)),
        origin=origin,
        extras=parts.extras,
        specifier=f"=={version}" if version else "",
        marker=parts.marker,
        url=url,
        hashes=() if line.editable else line.hashes,
        editable=line.editable,
    )


def _path_of(url: str) -> str | None:
    """Return the path of a ``file:`` URL; None when it is one of another machine."""
    parts = urlsplit(url)
    if WINDOWS_PATH.match(url) or parts.netloc not in ("", "localhost"):
        return None
    return unquote(parts.path)


def _missing(parts: Parts, path: str | None, line: Line, origin: Origin, places: Places) -> Unsized:
    there = first_located(path, places) if path else None
    text = path or parts.url or ""
    last = there.name if there else re.split(r"[\\/]", text.rstrip("\\/"))[-1]
    name, version = _named(last)
    written = shown(line.written)
    if there is not None:
        reason = f"{written} is no folder with a pyproject.toml or setup.py; pip refuses it"
    elif WINDOWS_PATH.match(text) or text.startswith("/"):
        reason = _OTHER_MACHINE
    elif path is not None and places.leaves(path):
        reason = f"{written} is outside the checkout, so it is not read"
    elif path is None:
        reason = f"{written} is a file of another host, which pip does not read"
    else:
        reason = f"{written} does not exist here; pip fails without it"
    return _aside(parts, parts.name or name or guessed_name(last), version, reason, origin)


def _named(filename: str) -> tuple[str, str | None]:
    """Return name and version as far as a filename tells them."""
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = syntax.wheel_filename(filename)
        else:
            name, version = syntax.sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return "", None
    return name, str(version)


def _aside(parts: Parts, name: str, version: str | None, reason: str, origin: Origin) -> Unsized:
    only = f" (wanted only where {shown(parts.marker)})" if parts.marker else ""
    return Unsized(
        name=name, version=version, reason=f"{reason}{only}", origin=origin, marker=parts.marker
    )

"""What a URL says and hides: host, credentials, a local path, and a form fit to be shown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from slugcheck.credentials import MASK, shown_value
from slugcheck.errors import NetworkError

Credentials = tuple[str, str]

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def redact(url: str) -> str:
    """Return ``url`` without user, password, query and fragment, each of which can be a secret.

    Characters that a terminal could act on are percent-encoded.
    """
    clean = shown_value(url).replace(f"{MASK}@", "")
    plain = "".join(char if char.isprintable() else f"%{ord(char):02X}" for char in clean)
    try:
        parts = urlsplit(plain)
    except ValueError:
        return plain
    query = "…" if parts.query else ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def host_of(url: str) -> str:
    """Return host and port, lower case, without credentials and without a default port.

    :raises NetworkError: it is no URL.
    """
    parts = _split(url)
    netloc = parts.netloc.rpartition("@")[2].lower()
    return netloc.removesuffix(_DEFAULT_PORTS.get(parts.scheme.lower(), " "))


def origin_of(url: str) -> str:
    """Return scheme, host and port, which credentials are for; a default port is left out.

    :raises NetworkError: it is no URL.
    """
    return f"{_split(url).scheme.lower()}://{host_of(url)}"


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """Return ``url`` without its credentials, and these (percent-decoded) if it has any.

    :raises NetworkError: it is no URL.
    """
    parts = _split(url)
    userinfo, at, netloc = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=netloc)), (unquote(user), unquote(password))


def credentials_in(urls: Iterable[str]) -> dict[str, Credentials]:
    """Return the credentials that ``urls`` hold, by origin; the first URL of an origin wins."""
    found: dict[str, Credentials] = {}
    for url in urls:
        clean, credentials = split_credentials(url)
        if credentials is not None:
            found.setdefault(origin_of(clean), credentials)
    return found


def local_path(url: str) -> Path | None:
    """Return the path that a ``file:`` URL or an absolute path names; None for any other URL.

    :raises NetworkError: it is no URL.
    """
    if url.startswith("/"):
        return Path(url)
    parts = _split(url)
    if parts.scheme.lower() != "file" or parts.netloc not in ("", "localhost"):
        return None
    return Path(unquote(parts.path))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise NetworkError(f"{redact(url)} is not a URL", hint="correct the URL") from None

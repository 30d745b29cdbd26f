"""URLs of indexes and files: how they are shown, their credentials, and refusals by servers."""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from slugcheck.errors import NetworkError
from slugcheck.text import MASK, shown_value

Credentials = tuple[str, str]

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@cache
def default_index() -> str | None:
    """Return the URL of the default index, which the library pypi-simple knows.

    It is read there: importing the library takes 0.4 s. None where it does not say it any more.
    """
    spec = find_spec("pypi_simple")
    if spec is None or spec.origin is None:
        return None
    for statement in ast.parse(Path(spec.origin).read_bytes()).body:
        value = statement.value if isinstance(statement, ast.AnnAssign) else None
        if isinstance(value, ast.Constant) and "PYPI_SIMPLE_ENDPOINT" in ast.unparse(statement):
            return str(value.value)
    return None


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

    :raises NetworkError: it is not a URL.
    """
    parts = _split(url)
    netloc = parts.netloc.rpartition("@")[2].lower()
    return netloc.removesuffix(_DEFAULT_PORTS.get(parts.scheme.lower(), " "))


def origin_of(url: str) -> str:
    """Return scheme, host and port, which credentials are for; a default port is left out.

    :raises NetworkError: it is not a URL.
    """
    return f"{_split(url).scheme.lower()}://{host_of(url)}"


def netrc_counts(url: str, named_origins: Collection[str]) -> bool:
    """Return whether passwords of netrc, which knows hosts alone, may go to the server of a URL.

    That is where the user named the server, or it is the host's own over HTTPS: a checked file may
    name another port of the host, or send the password in the clear.

    :raises NetworkError: it is no URL.
    """
    origin = origin_of(url)
    return origin in named_origins or origin == f"https://{_split(url).hostname}"


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """Return ``url`` without its credentials, and these (percent-decoded) if it has any.

    :raises NetworkError: it is not a URL.
    """
    parts = _split(url)
    userinfo, at, netloc = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=netloc)), (unquote(user), unquote(password))


def credentials_in(urls: Iterable[str]) -> dict[str, Credentials]:
    """Return the credentials that ``urls`` hold, by origin; the first URL of an origin wins."""
    by_origin: dict[str, Credentials] = {}
    for url in urls:
        clean, credentials = split_credentials(url)
        if credentials is not None:
            by_origin.setdefault(origin_of(clean), credentials)
    return by_origin


def local_path(url: str) -> Path | None:
    """Return the path that a ``file:`` URL or an absolute path names; None for any other URL.

    :raises NetworkError: it is not a URL.
    """
    if Path(url).is_absolute():  # with its drive, on Windows
        return Path(url)
    parts = _split(url)
    if parts.scheme.lower() != "file" or parts.netloc not in ("", "localhost"):
        return None
    # file:///C:/wheels is C:/wheels
    return Path(unquote(parts.path).lstrip("/" if os.sep == "\\" else ""))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise NetworkError(f"{redact(url)} is not a URL", hint="correct the URL") from None


class RefusedError(NetworkError):
    """A server answered with an error status, kept as ``status``."""

    def __init__(self, message: str, *, status: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class TooLargeError(NetworkError):
    """A file is larger than the caller takes. ``size`` is None when the server did not say it."""

    def __init__(self, url: str, *, size: int | None, limit: int) -> None:
        length = f"has {size:,} bytes" if size is not None else "is too large"
        super().__init__(
            f"{redact(url)} {length}; the limit is {limit:,} bytes",
            hint="nothing was kept",
        )
        self.size = size
        self.limit = limit


class BrokenOffError(NetworkError):
    """The connection ended before the body did; asking once more may help."""


def refused(url: str, status: int, *, authorized: bool) -> RefusedError:
    """Return the error for an HTTP status; ``authorized`` says whether credentials were sent."""
    sentence, hint = _reason(host_of(url), status, authorized)
    return RefusedError(f"{sentence} ({status}): {redact(url)}", status=status, hint=hint)


def _reason(host: str, status: int, authorized: bool) -> tuple[str, str]:
    if status in (401, 403) and authorized:
        return f"{host} rejects the credentials", "correct the user name and password"
    match status:
        case 401:
            return (
                f"{host} requires a user name and password",
                "put them in the index URL (https://user:password@host/) or in netrc",
            )
        case 403:
            return (
                f"{host} refuses access",
                "a private index needs credentials, in the index URL or in netrc",
            )
        case 404 | 410:
            return f"{host} does not have this file", "resolve again: the lock may be out of date"
        case 407:
            return "the proxy requires credentials", "set them in HTTPS_PROXY"
        case 429:
            return f"{host} limits the rate of requests", "wait a minute, then try again"
        case _ if status >= 500:
            return f"{host} failed repeatedly", "try again later"
    return f"{host} refuses to send this file", "check the URL"

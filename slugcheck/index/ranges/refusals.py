"""Why a server did not give a file: one sentence each, and a hint that says how to mend it."""

from __future__ import annotations

from slugcheck.errors import NetworkError
from slugcheck.index.ranges.urls import host_of, redact


class RefusedError(NetworkError):
    """A server answered with an error status, kept as ``status``."""

    def __init__(self, message: str, *, status: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class TooLargeError(NetworkError):
    """A file is larger than the caller takes. ``size`` is None when the server did not say it."""

    def __init__(self, url: str, *, size: int | None, limit: int) -> None:
        known = f"is {size:,} bytes" if size is not None else "goes on"
        super().__init__(
            f"{redact(url)} {known}, more than the {limit:,} bytes read at most",
            hint="nothing was kept of it",
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
        return f"{host} does not accept the credentials given", "correct user and password"
    match status:
        case 401:
            return (
                f"{host} asks for a user name and password",
                "write them into the index URL (https://user:password@host/) or into netrc",
            )
        case 403:
            return (
                f"{host} refuses access",
                "a private index needs credentials, in the index URL or in netrc",
            )
        case 404 | 410:
            return f"{host} does not have this file", "resolve again: the lock may be out of date"
        case 407:
            return "the proxy asks for credentials", "set them in HTTPS_PROXY"
        case 429:
            return f"{host} asks to slow down", "wait a minute, then try again"
        case _ if status >= 500:
            return f"{host} failed, several times over", "try again later"
    return f"{host} refuses to send this file", "check the URL"

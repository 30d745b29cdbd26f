"""Reading files over HTTP: whole ones with a cap, and single spans of large ones, checked.

Only this package imports requests, and only when the first request is due: a run that finds
everything in the cache never loads it. Every failure leaves as a ``NetworkError``.
"""

from slugcheck.index.ranges.client import Fetched, HttpClient
from slugcheck.index.ranges.files import LocalFile, RemoteFile, Source
from slugcheck.index.ranges.refusals import RefusedError, TooLargeError
from slugcheck.index.ranges.urls import credentials_in, local_path, redact

__all__ = [
    "Fetched",
    "HttpClient",
    "LocalFile",
    "RefusedError",
    "RemoteFile",
    "Source",
    "TooLargeError",
    "credentials_in",
    "local_path",
    "redact",
]

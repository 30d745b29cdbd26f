"""The project pages of the indexes: which files a distribution has.

Only this module uses the library pypi-simple, which also knows the default index; it is imported
for the first page, since that takes 0.4 s. Pages are kept for one run only.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.tags import Tag
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from slugcheck import reading
from slugcheck.errors import NetworkError, UsageError
from slugcheck.model import IndexOptions
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.once import Once
from slugcheck.packages.index.urls import RefusedError, local_path, redact
from slugcheck.packages.sdist.archive import archive_form, archive_stem

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

_READERS = 8
# The largest known page, of grpcio, has 4.9 MB for 11,282 files (then ruff: 3.2 MB, 7,296);
# as JSON 34,000 objects and 150,000 commas, as HTML as many tags.
_MAX_PAGE_BYTES = 16 * 10**6
_MAX_FILES = 50_000
_MAX_PARTS = {
    b"{": 150_000, b"[": 150_000, b"<": 100_000, b">": 100_000, b"&": 200_000,
    b",": 500_000, b"=": 500_000,
}  # fmt: skip
_MAX_FILENAME = 1_000  # the longest known, of spacy, has 126 characters
_UNDERSTANDING = threading.Lock()  # one page at a time, since it takes ten times its size
_SHOWN = 40  # characters of a wrong date
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)  # uv's last, wherever on earth it is
_JSON = "application/vnd.pypi.simple.v1+json"
# Statuses that say "not here"; some file hosts answer 403 for a project that they do not have.
_ABSENT = frozenset({404, 410})
_REFUSED = frozenset({401, 403})
# What counts on a page: its base, what it says of the index, and its links. Each alternative
# matches wherever it begins, so that all is read once: html.parser takes a minute for 60 KB of open
# tags.
_TAG = re.compile(
    rb"<!--.*?(?:-->|\Z)"
    rb"|<(?P<name>a|base|meta)(?=[\s/>])(?:[^<>\"']++|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+>?",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_TAG = 8_192  # bytes; a link with its attributes has some 400


class FileKind(StrEnum):
    """The kinds of files that installers use."""

    WHEEL = "wheel"
    SDIST = "sdist"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """A file on a project's page. ``url`` may hold credentials; ``repr`` leaves it out.

    ``tags`` and ``build`` are a wheel's, empty for a source archive. ``size`` is bytes, and None
    where the index does not say it.
    """

    filename: str
    url: str = field(repr=False)
    version: Version
    kind: FileKind
    size: int | None
    sha256: str | None
    requires_python: str | None
    yanked: bool
    uploaded: datetime | None = None
    tags: frozenset[Tag] = frozenset()
    build: tuple[int, str] | tuple[()] = ()


class Pages:
    """The pages of all indexes and find-links places of a run; thread-safe.

    ``exclude_newer`` leaves out what was uploaded at or after that moment, and what does not say
    when it was. ``shared`` are pages by URL that other checks of the run have read.
    """

    def __init__(
        self,
        client: HttpClient,
        options: IndexOptions,
        *,
        exclude_newer: datetime | None = None,
        shared: Once[str, list[Listed]] | None = None,
    ) -> None:
        self._client = client
        self._shared = shared
        self._options = options
        self._cutoff = exclude_newer
        self._files: dict[str, tuple[ProjectFile, ...]] = {}
        self._flat: dict[str, tuple[Listed, ...]] = {}
        self._lock = threading.Lock()

    def files(self, name: str) -> tuple[ProjectFile, ...]:
        """Return the wheels and source archives of a distribution, of all places together.

        Of one filename the first place's file counts. An unknown distribution has none.

        :raises NetworkError: an index cannot be reached, or every index refuses access.
        """
        project = canonicalize_name(name)
        with self._lock:
            known = self._files.get(project)
        if known is not None:
            return known
        listed = [*self._from_indexes(project), *self._from_links(project)]
        files: dict[str, ProjectFile] = {}
        for listed_file in listed:
            if self._cutoff and (
                listed_file.uploaded is None or listed_file.uploaded >= self._cutoff
            ):
                continue
            file = _project_file(listed_file, project)
            if file is not None:
                files.setdefault(file.filename, file)
        with self._lock:
            return self._files.setdefault(project, tuple(files.values()))

    def prefetch(self, names: Iterable[str]) -> None:
        """Read the pages of several distributions side by side.

        Trouble is left for ``files`` to raise.
        """
        with ThreadPoolExecutor(_READERS) as pool:
            for _ in pool.map(self._try, names):
                pass

    def _try(self, name: str) -> None:
        try:
            self.files(name)
        except NetworkError:
            return

    def _from_indexes(self, project: str) -> list[Listed]:
        listed: list[Listed] = []
        refusal: NetworkError | None = None
        for index in self._indexes():
            try:
                listed += self._read(_page_url(index, project), project)
            except RefusedError as error:
                if error.status in _REFUSED:
                    refusal = error
                elif error.status not in _ABSENT:
                    raise
        if refusal is not None and not listed:
            raise refusal
        return listed

    def _indexes(self) -> Sequence[str]:
        if self._options.no_index:
            return ()
        from pypi_simple import PYPI_SIMPLE_ENDPOINT

        return (self._options.index_url or PYPI_SIMPLE_ENDPOINT, *self._options.extra_index_urls)

    def _from_links(self, project: str) -> Iterator[Listed]:
        for place in self._options.find_links:
            with self._lock:
                listed = self._flat.get(place)
            if listed is None:
                listed = tuple(self._flat_list(place))
                with self._lock:
                    self._flat[place] = listed
            yield from (
                listed_file for listed_file in listed if _may_be_of(listed_file.filename, project)
            )

    def _flat_list(self, place: str) -> Iterator[Listed]:
        """Yield what a find-links place lists: a folder, one file, or a page of links."""
        path = _local(place)
        if path is not None and path.is_dir():
            yield from (
                _local_file(file_path)
                for file_path in sorted(path.iterdir())
                if file_path.is_file()
            )
        elif _is_package(place):
            yield (
                _local_file(path) if path is not None else Listed(reading.last_part(place), place)
            )
        else:
            url = path.absolute().as_uri() if path is not None else place
            yield from self._read(url, "")

    def _read(self, url: str, project: str) -> list[Listed]:
        """Return what a page lists.

        :raises NetworkError: it cannot be fetched, or is not a page of an index.
        """
        if self._shared is None or local_path(url) is not None:
            return self._fetched(url, project)
        return self._shared.get(url, lambda: self._fetched(url, project))

    def _fetched(self, url: str, project: str) -> list[Listed]:
        from pypi_simple import ACCEPT_ANY, UnsupportedRepoVersionError

        path = local_path(url)
        if path is not None and not path.exists():
            return []
        page = self._client.fetch(url, _MAX_PAGE_BYTES, accept=ACCEPT_ANY)
        kind, _, parameters = page.content_type.partition(";")
        if any(page.body.count(part) > most for part, most in _MAX_PARTS.items()):
            raise _too_many(url)
        try:
            with _UNDERSTANDING:
                parsed = _parsed(page.body, kind.strip().lower(), parameters, page.url, project)
        except (ValueError, LookupError, RecursionError, UnsupportedRepoVersionError):
            message = f"{redact(url)} is not a page of a package index"
            raise NetworkError(message, hint="check the index URL") from None
        if len(parsed) > _MAX_FILES:
            raise _too_many(url)
        listed = [_listed(package, name) for package, name in parsed]
        return [listed_file for listed_file in listed if len(listed_file.filename) <= _MAX_FILENAME]


def _too_many(url: str) -> NetworkError:
    message = f"{redact(url)} lists more than {_MAX_FILES:,} files"
    return NetworkError(message, hint="check the index URL")


@dataclass(frozen=True, slots=True)
class Listed:
    """A link of a page, before its name is parsed. ``url`` may hold credentials."""

    filename: str
    url: str = field(repr=False)
    size: int | None = None
    sha256: str | None = None
    requires_python: str | None = None
    yanked: bool = False
    uploaded: datetime | None = None


def _parsed(
    body: bytes, kind: str, parameters: str, url: str, project: str
) -> list[tuple[DistributionPackage, str]]:
    """Return the files of a page, each with the name that the page gives it by itself.

    The library is given none of the names: it takes 20 ms to see that one of 255 characters is
    that of no package, and a page may hold many.

    :raises ValueError: it is not a page of an index.
    """
    from pypi_simple import ProjectPage, UnexpectedRepoVersionWarning

    # a newer minor version adds fields only, and the user can do nothing about it
    warnings.simplefilter("ignore", UnexpectedRepoVersionWarning)
    if kind == _JSON:
        page = reading.json(body)
        names = _take_names(page)
        if len(names) > _MAX_FILES:
            raise _too_many(url)
        packages = ProjectPage.from_json_data(page, url).packages
        return list(zip(packages, names, strict=True))
    _, _, charset = parameters.partition("charset=")
    try:
        text = _links(body).decode(charset.strip("\"' ") or "utf-8", "replace")
    except LookupError:
        text = _links(body).decode("utf-8", "replace")
    return [(package, "") for package in ProjectPage.from_html(project, text, url).packages]


def _take_names(page: object) -> list[str]:
    """Return the filenames of a page of JSON, and leave empty ones in it."""
    names: list[str] = []
    files = page.get("files") if isinstance(page, dict) else None
    for file in files if isinstance(files, list) else []:
        name = file.get("filename") if isinstance(file, dict) else None
        names.append(name if isinstance(name, str) else "")
        if isinstance(name, str):
            file["filename"] = ""
    return names


def _links(body: bytes) -> bytes:
    """Return an HTML page with nothing but its links, without their texts."""
    kept: list[bytes] = []
    for match in _TAG.finditer(body):
        tag, name = match[0], match["name"]
        if name and len(tag) <= _LONGEST_TAG and tag.endswith(b">"):
            kept += tag, b"</a>\n" if name.lower() == b"a" else b"\n"
    return b"".join(kept)


def _listed(package: DistributionPackage, name: str) -> Listed:
    uploaded = package.upload_time
    return Listed(
        # the text of a link may be anything: the URL decides, as it does for pip
        filename=name or reading.last_part(package.url),
        url=package.url,
        size=package.size,
        sha256=package.digests.get("sha256"),
        requires_python=package.requires_python,
        yanked=package.is_yanked,
        uploaded=uploaded.replace(tzinfo=uploaded.tzinfo or UTC) if uploaded else None,
    )


def _project_file(listed_file: Listed, project: str) -> ProjectFile | None:
    """Return the file, or None when its name is that of no wheel or source archive of ours."""
    kind = FileKind.WHEEL if listed_file.filename.endswith(".whl") else FileKind.SDIST
    tags: frozenset[Tag] = frozenset()
    build: tuple[int, str] | tuple[()] = ()
    name: str
    try:
        if kind is FileKind.WHEEL:
            name, version, build, tags = reading.wheel_filename(listed_file.filename)
        else:
            name, version = _sdist_name(listed_file.filename, project)
    except ValueError:  # of the name, of its version
        return None
    if canonicalize_name(name) != project:
        return None
    return ProjectFile(
        filename=listed_file.filename,
        url=listed_file.url,
        version=version,
        kind=kind,
        size=listed_file.size,
        sha256=listed_file.sha256,
        requires_python=listed_file.requires_python,
        yanked=listed_file.yanked,
        uploaded=listed_file.uploaded,
        tags=tags,
        build=build,
    )


def _sdist_name(filename: str, project: str) -> tuple[str, Version]:
    """Split a source archive's name, which only the project's name makes unambiguous.

    :raises InvalidVersion: it is not a source archive of the project.
    """
    stem = archive_stem(filename)
    if len(filename) <= reading.LONGEST_FILENAME and stem != filename:
        for place, character in enumerate(stem):
            if character == "-" and canonicalize_name(stem[:place]) == project:
                return project, reading.version(stem[place + 1 :])
    raise InvalidVersion(filename[: reading.LONGEST_FILENAME])


def _page_url(index: str, project: str) -> str:
    page = f"{index.rstrip('/')}/{project}/"
    path = local_path(page)
    return (path / "index.html").as_uri() if path is not None else page


def _local(place: str) -> Path | None:
    return local_path(place) if "://" in place or place.startswith("file:") else Path(place)


def _local_file(path: Path) -> Listed:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise NetworkError(f"{path} cannot be read: {error.strerror or error}") from None
    return Listed(path.name, path.absolute().as_uri(), size=size)


def _is_package(place: str) -> bool:
    name = reading.last_part(place)
    return name.endswith(".whl") or archive_form(name) is not None


def _may_be_of(filename: str, project: str) -> bool:
    return canonicalize_name(filename).startswith(project)


def cutoff(text: str) -> datetime:
    """Return the moment that ``--exclude-newer`` names; a date alone counts as a whole day.

    :raises UsageError: it is neither a date nor a timestamp.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text[:_SHOWN]!r} is neither a date nor a timestamp"
        raise UsageError(message, hint="write 2026-11-23 or 2026-11-23T12:00:00Z") from None
    try:
        if len(text) <= len("2026-11-23"):
            moment += timedelta(days=1)
        moment = (moment if moment.tzinfo else moment.astimezone()).astimezone(UTC)
    except (OverflowError, ValueError, OSError):  # beyond what Python, or the system's clock, knows
        moment = datetime.max.replace(tzinfo=UTC)
    if moment > _LATEST:
        message = f"{text[:_SHOWN]} is out of range"
        raise UsageError(message, hint="write 2026-11-23 or 2026-11-23T12:00:00Z")
    return moment

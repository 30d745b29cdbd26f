"""The options of requirements files, gathered in reading order with pip's semantics.

Those are: ``--index-url`` replaces all index URLs before it, the extra ones too; ``--no-index``
forgets them and ends the matter; of several ``--find-links`` on one line the first counts;
``--no-binary`` and ``--only-binary`` take names from each other. Options behind a requirement do
nothing, except these two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from optparse import Values
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidName, canonicalize_name

from slugcheck.index.reqentry import check_url
from slugcheck.index.reqlines import BadLineError, shown
from slugcheck.index.reqparts import Places, scheme_of
from slugcheck.model import IndexOptions

_HOST = re.compile(r"(?!-)[\w.:\[\]*-]+")
# dest in the parsed options -> as it is written; pip takes and forgets these in the wrong place
_WITHOUT_EFFECT = {
    "index_url": "--index-url",
    "extra_index_urls": "--extra-index-url",
    "no_index": "--no-index",
    "find_links": "--find-links",
    "pre": "--pre",
    "all_releases": "--all-releases",
    "only_final": "--only-final",
    "prefer_binary": "--prefer-binary",
    "require_hashes": "--require-hashes",
    "no_require_hashes": "--no-require-hashes",
    "trusted_hosts": "--trusted-host",
}


class OptionCollector:
    """What the option lines read so far add up to. ``notes`` are sentences without a place."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._index_url: str | None = None
        self._extra_index_urls: list[str] = []
        self._find_links: list[str] = []
        self._trusted_hosts: list[str] = []
        self._no_binary: set[str] = set()
        self._only_binary: set[str] = set()
        self._flags: set[str] = set()

    def take_formats(self, options: Values, note: Callable[[str], None]) -> None:
        """Take --no-binary and --only-binary, which count wherever they stand.

        :raises BadLineError: the names are missing.
        """
        for text in options.no_binary:
            _move_names(text, self._no_binary, self._only_binary, note)
        for text in options.only_binary:
            _move_names(text, self._only_binary, self._no_binary, note)

    def take(self, options: Values, folder: Path, note: Callable[[str], None]) -> None:
        """Take a line of options alone; ``folder`` is that of its file.

        :raises BadLineError: an index URL or a host name is none.
        """
        self._take_indexes(options, note)
        self._take_find_links(options.find_links, folder, note)
        self._trusted_hosts += map(_checked_host, options.trusted_hosts)
        self._take_releases(options, note)
        for flag in ("pre", "prefer_binary", "require_hashes", "no_require_hashes"):
            if getattr(options, flag):
                self._flags.add(flag)

    def result(self, *, any_hashes: bool) -> IndexOptions:
        """Return the sum; one hash in a file makes pip require them for all."""
        implied = any_hashes and "no_require_hashes" not in self._flags
        return IndexOptions(
            index_url=self._index_url,
            extra_index_urls=_unique(self._extra_index_urls),
            find_links=_unique(self._find_links),
            no_index="no_index" in self._flags,
            no_binary=tuple(sorted(self._no_binary)),
            only_binary=tuple(sorted(self._only_binary)),
            prerelease="pre" in self._flags,
            prefer_binary="prefer_binary" in self._flags,
            require_hashes=implied or "require_hashes" in self._flags,
            trusted_hosts=_unique(self._trusted_hosts),
        )

    def _take_indexes(self, options: Values, note: Callable[[str], None]) -> None:
        if options.no_index:
            self._flags.add("no_index")
            self._index_url = None
            self._extra_index_urls.clear()
        if "no_index" in self._flags:
            if options.index_url or options.extra_index_urls:
                note("pip ignores this index, because of --no-index")
            return
        if options.index_url:
            if self._extra_index_urls:
                note("this --index-url makes pip forget each --extra-index-url above it")
            self._extra_index_urls.clear()
            self._index_url = self._index(options.index_url, note)
        for url in options.extra_index_urls:
            self._extra_index_urls.append(self._index(url, note))

    def _index(self, url: str, note: Callable[[str], None]) -> str:
        """Return the URL of an index, which may be written as a folder."""
        if "$" in url:
            note("pip fills in only variables written like ${NAME}; another $ stays as it is")
        path = _path_in(url)
        if path is not None and self._places.leaves(path):
            raise BadLineError("its folder is outside the checkout")
        folder = None if path is None else next(self._places.found(path), None)
        if folder is not None:
            self._places.refuse_strays(folder, deep=1)
        if scheme_of(url) == "file":
            return url
        if folder is not None:
            return folder.as_uri()
        check_url(url)
        return url

    def _take_find_links(
        self, texts: Sequence[str], folder: Path, note: Callable[[str], None]
    ) -> None:
        for text in texts[:1]:
            path = _path_in(text)
            if path is None:
                check_url(text)
                self._find_links.append(text)
            elif self._places.beside(folder).leaves(path):
                raise BadLineError("its folder is outside the checkout")
            else:
                self._take_folder(text, path, folder, note)
        for text in texts[1:]:
            note(f"pip takes only the first --find-links of a line, not {shown(text, 60)}")

    def _take_folder(self, text: str, path: str, folder: Path, note: Callable[[str], None]) -> None:
        found = next(self._places.beside(folder).found(path), None)
        if found is not None:
            self._places.refuse_strays(found, deep=0)
        if scheme_of(text) == "file":
            self._find_links.append(text)
        elif found is None:
            note("pip ignores this --find-links, since there is no such folder here")
        else:
            self._find_links.append(str(found))

    def _take_releases(self, options: Values, note: Callable[[str], None]) -> None:
        if ":all:" in options.all_releases:
            self._flags.add("pre")
        if set(options.all_releases) - {":all:"} or options.only_final:
            note("--all-releases and --only-final for single names are not taken into account")


def without_effect(options: Values) -> tuple[str, ...]:
    """Return the options that do nothing behind a requirement or beside an include."""
    return tuple(name for dest, name in _WITHOUT_EFFECT.items() if getattr(options, dest))


def _move_names(text: str, target: set[str], other: set[str], note: Callable[[str], None]) -> None:
    """Put a comma list of names into ``target``, taking them from ``other``, as pip does.

    ``:all:`` stands for every name and replaces what came before; ``:none:`` empties ``target``.
    """
    if text.startswith("-"):
        raise BadLineError("--no-binary and --only-binary take names")
    names = [name for name in text.split(",") if name]
    while ":all:" in names:
        other.clear()
        target.clear()
        target.add(":all:")
        del names[: names.index(":all:") + 1]
        if ":none:" not in names:
            return
    for name in names:
        if name == ":none:":
            target.clear()
            continue
        try:
            canonical = canonicalize_name(name, validate=True)
        except InvalidName:
            note(f"pip takes '{shown(name, 40)}' for a name that no package has")
            continue
        other.discard(canonical)
        target.add(canonical)


def _path_in(text: str) -> str | None:
    """Return the path that an option names as such or as a ``file:`` URL; None for other URLs."""
    if scheme_of(text) == "file":
        return unquote(urlsplit(text).path)
    return None if "://" in text else text


def _checked_host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise BadLineError("--trusted-host takes the name of a host")
    return text


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))

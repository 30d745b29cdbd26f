"""The size of NLTK's data: what ``python -m nltk.downloader`` fetches for the names of nltk.txt.

``nltk_data.toml`` has the sizes, from the index that the downloader itself reads.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from slugcheck.model import Estimate

_EVERYTHING = frozenset({"all", "all-nltk"})
_CORPORA = "all-corpora"
# A zip does not deflate again, and its unpacked files deflate to about the zip: gzip -6 of a tar is
# what the zips were made with, less the directory of the zip, with a header for each file.
_LEAST, _MOST = 0.90, 1.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package of NLTK's data: bytes of its zip, and of its files if they are unpacked."""

    zip_bytes: int
    unpacked_bytes: int

    @property
    def installed_bytes(self) -> int:
        """Bytes on disk: the zip stays beside the unpacked files."""
        return self.zip_bytes + self.unpacked_bytes

    @property
    def slug(self) -> Estimate[int]:
        """Bytes in the slug."""
        if not self.unpacked_bytes:
            return Estimate.predicted(self.zip_bytes, self.zip_bytes, self.zip_bytes)
        files = self.zip_bytes
        return Estimate.predicted(
            self.zip_bytes + files,
            self.zip_bytes + int(files * _LEAST),
            self.zip_bytes + int(files * _MOST),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """What the names of nltk.txt bring into the slug; ``unknown`` are names without a size."""

    packages: tuple[Package, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    corpora: dict[str, Package]
    others: dict[str, Package]
    collections: dict[str, tuple[str, ...]]
    date: str

    @property
    def packages(self) -> dict[str, Package]:
        return self.corpora | self.others


def download(names: Iterable[str]) -> Download:
    """Return what the downloader fetches for package and collection names, each package once."""
    index = _index()
    wanted: dict[str, Package] = {}
    unknown: list[str] = []
    for name in dict.fromkeys(names):
        if name in _EVERYTHING:
            wanted |= index.packages
        elif name == _CORPORA:
            wanted |= index.corpora
        elif name in index.collections:
            wanted |= {inner: index.packages[inner] for inner in index.collections[name]}
        elif name in index.packages:
            wanted[name] = index.packages[name]
        else:
            unknown.append(name)
    return Download(packages=tuple(wanted.values()), unknown=tuple(unknown))


def index_date() -> str:
    """Return the date on which the index was read."""
    return _index().date


@functools.cache
def _index() -> _Index:
    text = (resources.files("slugcheck.project") / "nltk_data.toml").read_text("utf-8")
    document = tomllib.loads(text)
    packages = {
        folder: {
            name: Package(zip_bytes=zipped, unpacked_bytes=unpacked if unpacks else 0)
            for name, (zipped, unpacked, unpacks) in rows.items()
        }
        for folder, rows in document["packages"].items()
    }
    corpora = packages.pop("corpora")
    return _Index(
        corpora=corpora,
        others={name: package for rows in packages.values() for name, package in rows.items()},
        collections={name: tuple(inner) for name, inner in document["collections"].items()},
        date=document["date"],
    )

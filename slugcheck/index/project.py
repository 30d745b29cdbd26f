"""The files that describe a project, parsed but never run: PKG-INFO, egg-info, pyproject, setup.*.

What they hold is a stranger's: whatever does not parse counts as absent.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

from packaging.metadata import RawMetadata, parse_email
from packaging.version import InvalidVersion, Version

from slugcheck import syntax
from slugcheck.index.setuppy import SetupCall, read_setup
from slugcheck.index.unpack import Tree


class Project:
    """The describing files of a tree, each parsed at most once.

    ``folder`` is True for a working copy: an egg-info in one may be years old and is ignored.
    """

    def __init__(self, tree: Tree, *, folder: bool = False) -> None:
        self.tree = tree
        self.folder = folder

    @cached_property
    def pkg_info(self) -> RawMetadata:
        """PKG-INFO of the top folder, else that of the egg-info; empty when there is none."""
        places = ["PKG-INFO"] + ([f"{self.egg_info}/PKG-INFO"] if self.egg_info else [])
        for place in places:
            if place in self.tree.texts and not self.folder:
                return _metadata(self.tree.texts[place])
        return {}

    @cached_property
    def egg_info(self) -> str | None:
        """The project's own egg-info folder: the one nearest to the top."""
        if self.folder:
            return None
        found = {
            path.rpartition("/")[0]
            for path in self.tree.texts
            if path.rpartition("/")[0].endswith(".egg-info") and path.count("/") <= 2
        }
        return min(found, key=lambda path: (path.count("/"), path), default=None)

    def egg_text(self, name: str) -> str | None:
        """Return a text of the egg-info folder, such as ``top_level.txt``."""
        return self.text(f"{self.egg_info}/{name}") if self.egg_info else None

    def text(self, path: str) -> str | None:
        """Return a describing file as text; bytes that are no UTF-8 are replaced."""
        data = self.tree.texts.get(path)
        return None if data is None else data.decode("utf-8", errors="replace")

    @cached_property
    def pyproject(self) -> Mapping[str, Any]:
        """pyproject.toml; empty when it is absent or no TOML."""
        try:
            return syntax.toml(self.text("pyproject.toml") or "")
        except ValueError:
            return {}

    def table(self, *keys: str) -> Mapping[str, Any]:
        """Return a table of pyproject.toml; empty when it is absent."""
        found: Any = self.pyproject
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}

    @cached_property
    def backend(self) -> str:
        """The build backend's package, such as ``setuptools`` or ``hatchling``."""
        name = self.table("build-system").get("build-backend", "setuptools")
        return name.partition(".")[0].partition(":")[0] if isinstance(name, str) else "setuptools"

    @cached_property
    def setup_cfg(self) -> configparser.RawConfigParser:
        """setup.cfg; empty when it is absent or cannot be parsed."""
        parser = configparser.RawConfigParser(strict=False)
        return parser if read_config(parser, self.text("setup.cfg") or "") else _no_config()

    def cfg(self, section: str, key: str) -> str:
        """Return a value of setup.cfg; dashes and underscores in keys are alike."""
        for spelling in (key, key.replace("_", "-")):
            if self.setup_cfg.has_option(section, spelling):
                return self.setup_cfg.get(section, spelling).strip()
        return ""

    @cached_property
    def setup_call(self) -> SetupCall | None:
        """The ``setup()`` call of setup.py; None without one that can be parsed."""
        source = self.tree.texts.get("setup.py")
        return None if source is None else read_setup(source)

    @cached_property
    def name(self) -> str | None:
        """The name as the project writes it."""
        candidates = (
            self.pkg_info.get("name"),
            self.table("project").get("name"),
            self.table("tool", "poetry").get("name"),
            self.cfg("metadata", "name"),
            (self.setup_call or SetupCall()).values.get("name"),
        )
        return next((c.strip() for c in candidates if isinstance(c, str) and c.strip()), None)

    @cached_property
    def version(self) -> Version | None:
        """The version, where it is stated plainly."""
        candidates = (
            self.pkg_info.get("version"),
            self.table("project").get("version"),
            self.table("tool", "poetry").get("version"),
            self.cfg("metadata", "version"),
            (self.setup_call or SetupCall()).values.get("version"),
        )
        return next((v for v in map(parse_version, candidates) if v is not None), None)


# Header names in a PKG-INFO; the specification has 33.
_MOST_FIELDS = 200
_BLANKS = re.compile(r"[^\S\n]{64,}")


def _metadata(data: bytes) -> RawMetadata:
    """Return the fields of a PKG-INFO; empty when it has more than any real one.

    What follows them is left out: it may claim to be a mail of many nested parts.
    """
    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    names = {line.partition(b":")[0].lower() for line in head.split(b"\n") if line[:1].strip()}
    return parse_email(head)[0] if len(names) <= _MOST_FIELDS else {}


def read_config(parser: configparser.RawConfigParser, text: str) -> bool:
    """Read a text of sections and options; False when it is none.

    A long run of blanks is as good as a short one, for which configparser's expressions take less
    than quadratic time.
    """
    try:
        parser.read_string(_BLANKS.sub(" " * 8, text))
    except (configparser.Error, ValueError, AttributeError):
        return False
    return True


def _no_config() -> configparser.RawConfigParser:
    return configparser.RawConfigParser()


def text_list(value: object) -> tuple[str, ...]:
    """Return the texts of a TOML array; nothing for any other value."""
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def parse_version(text: object) -> Version | None:
    """Return a version, or None for what is none."""
    try:
        return syntax.version(text) if isinstance(text, str) else None
    except InvalidVersion:
        return None

"""The folders of a source tree, and which of them are Python packages."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

SOURCE_FOLDERS = ("", "src", "lib", "python", "source", "py")
# what lies beside packages in a project's top folder and is none
_NOT_PACKAGES = frozenset(
    "test tests doc docs example examples benchmark benchmarks script scripts tool tools build "
    "dist ci bin demo demos sample samples util utils".split()
)


def spellings(name: str) -> tuple[str, ...]:
    """Return the module names that a distribution's name suggests."""
    plain = re.sub(r"[-.]+", "_", name)
    forms = (plain, plain.lower(), plain.lower().replace("_", ""), name.replace("-", "."))
    without = [form[6:] for form in forms if form.lower().startswith("python")]
    return tuple(dict.fromkeys([*forms, *(form.strip("_-.") for form in without)]))


class Folders:
    """The files of each folder, and which folders are packages."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.files: dict[str, list[str]] = defaultdict(list)
        self.all: set[str] = {""}
        for path in paths:
            folder, _, name = path.rpartition("/")
            self.files[folder].append(name)
            while folder and folder not in self.all:
                self.all.add(folder)
                folder = folder.rpartition("/")[0]

    def is_package(self, folder: str) -> bool:
        """Return True for a folder with an ``__init__.py``."""
        return "__init__.py" in self.files.get(folder, ())

    def has_modules(self, folder: str) -> bool:
        """Return True for a folder with Python files."""
        return any(name.endswith(".py") for name in self.files.get(folder, ()))

    def below(self, base: str) -> Iterator[tuple[str, str]]:
        """Yield (dotted name, folder) of every folder below ``base``, parents first."""
        start = f"{base}/" if base else ""
        for folder in sorted(self.all):
            if folder != base and folder.startswith(start):
                yield folder[len(start) :].replace("/", "."), folder


def join(*parts: str) -> str:
    """Return the parts as one relative path without ``.`` and doubled slashes."""
    path = posixpath.normpath("/".join(part for part in parts if part))
    return "" if path == "." else path.strip("/")


def automatic_tops(name: str | None, folders: Folders, base: str) -> tuple[str, ...]:
    """Return the top-level packages when nothing but the project's name tells them."""
    tops = [
        package
        for package, folder in folders.below(base)
        if "." not in package and folders.is_package(folder)
    ]
    named = [top for top in tops if top in spellings(name or "")]
    return tuple(named or (top for top in tops if top not in _NOT_PACKAGES))

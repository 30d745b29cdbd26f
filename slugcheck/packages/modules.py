"""The modules that the installed distributions provide, by the paths in their wheels."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from functools import cached_property

from slugcheck.model import Distribution, Inventory

# Modules that Python had once and has no more, by the version that lacks them (PEP 594, 632).
# fmt: off
_GONE: dict[tuple[int, int], tuple[str, ...]] = {
    (3, 12): ("asynchat", "asyncore", "distutils", "imp", "smtpd"),
    (3, 13): (
        "aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap",
        "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib",
        "uu", "xdrlib",
    ),
}
_NEW: dict[tuple[int, int], tuple[str, ...]] = {
    (3, 11): ("tomllib",),
    (3, 14): ("annotationlib", "compression"),
}
# fmt: on
_SOURCES = (".py", ".pyc")
_NATIVE = (".so", ".pyd")
_DEEPEST = 31  # folders in each other: no import that is followed has more parts
# Top-level folders that some wheels install by mistake beside their package.
_BESIDE = frozenset(
    "test tests testing doc docs example examples benchmark benchmarks scripts tools".split()
)
_SCHEMES = ("purelib", "platlib")


def standard_modules(minor: str) -> frozenset[str]:
    """Return the top-level names of the standard library of a Python such as ``3.12``."""
    major, _, number = minor.partition(".")
    version = (int(major), int(number))
    names = set(sys.stdlib_module_names) | {"__future__"}
    for since, gone in _GONE.items():
        names = names - set(gone) if version >= since else names | set(gone)
    for since, new in _NEW.items():
        names = names | set(new) if version >= since else names - set(new)
    return frozenset(names)


class InstalledModules:
    """What can be imported from the installed distributions.

    ``provided`` are distributions of the platform's runtime, by canonical name, of which only the
    name is known. ``complete`` is False where the files of some distribution are not known, so that
    nothing can be said to be missing.
    """

    def __init__(
        self,
        inventories: Iterable[tuple[Distribution, Inventory]],
        *,
        provided: Collection[str] = (),
        complete: bool = True,
    ) -> None:
        """Look at the top level of every wheel; what is below is read when it is asked for."""
        self._wheels = {item.name: _Wheel(inventory) for item, inventory in inventories}
        self._provided = {name.replace("-", "_"): name for name in provided}
        self.complete = complete
        self._owners: dict[str, list[str]] = {}
        for name, wheel in self._wheels.items():
            for top in wheel.tops:
                self._owners.setdefault(top, []).append(name)

    def distribution_of(self, module: str) -> str | None:
        """Return the canonical name of what provides a dotted module, None where nothing does.

        Where several share a top-level name, as ``google`` is shared, it is the one that has most
        of the module's path.
        """
        owners = self._owners.get(module.partition(".")[0], [])
        if len(owners) < 2:
            return owners[0] if owners else self._provided.get(module.partition(".")[0])
        parts = module.split(".")
        for count in range(len(parts), 0, -1):
            name = ".".join(parts[:count])
            # a folder that others share says nothing about who has the rest of the path
            holders = [owner for owner in owners if self._wheels[owner].has_code(name)]
            if holders:
                return holders[0]
        return owners[0]

    def has(self, module: str) -> bool:
        """Return whether a wheel has a dotted module or package, namespace packages included."""
        owners = self._owners.get(module.partition(".")[0], ())
        return any(self._wheels[owner].has(module) for owner in owners)

    def main_module(self, name: str) -> str | None:
        """Return the module that a distribution is imported by, None where it has no code.

        Of several it is the one that is named as the distribution, else the one with most bytes.
        """
        wheel = self._wheels.get(name)
        return wheel.main(name) if wheel is not None else None


class _Wheel:
    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        dist_info, data = inventory.dist_info, _data_folder(inventory.dist_info)
        tops: dict[str, int] = {}
        for entry in inventory.entries:
            first, inside, rest = entry.path.partition("/")
            if first == dist_info:
                continue
            if first == data:
                rest = _scheme_path(rest)
                first, inside, rest = rest.partition("/")
            name = first if inside else _module_name(first)
            if name and name.isidentifier():
                tops[name] = tops.get(name, 0) + entry.size
        self.tops = tops

    @cached_property
    def _code(self) -> frozenset[str]:
        """The dotted names of all its modules and regular packages."""
        names: set[str] = set()
        data = _data_folder(self._inventory.dist_info)
        for entry in self._inventory.entries:
            path = entry.path
            if not path.endswith((*_SOURCES, *_NATIVE)) or path.count("/") > _DEEPEST:
                continue
            if path.startswith(f"{data}/"):
                path = _scheme_path(path[len(data) + 1 :])
            folder, _, name = path.rpartition("/")
            module = _module_name(name)
            if module is None:
                continue
            dotted = folder.replace("/", ".")
            if module != "__init__":
                dotted = f"{dotted}.{module}" if dotted else module
            names.add(dotted)
        return frozenset(names)

    @cached_property
    def _folders(self) -> frozenset[str]:
        """The dotted names of all folders that hold code."""
        found: set[str] = set()
        for name in self._code:
            while name and name not in found:
                found.add(name)
                name = name.rpartition(".")[0]
        return frozenset(found)

    def has_code(self, module: str) -> bool:
        return module in self._code

    def has(self, module: str) -> bool:
        return module in self._folders

    def main(self, name: str) -> str | None:
        tops = {top: size for top, size in self.tops.items() if self.has(top)}
        plain = name.replace("-", "_").lower()
        public = {t: s for t, s in tops.items() if not t.startswith("_") and t not in _BESIDE}
        named = [top for top in public or tops if top.lower() == plain]
        best = named or sorted(public or tops, key=lambda top: (-tops[top], top))
        return self._first_code(best[0]) if best else None

    def _first_code(self, module: str) -> str:
        """Return a module, or what a namespace package leads to: ``google`` to ``google.auth``."""
        while module not in self._code:
            prefix = f"{module}."
            below = {n[len(prefix) :].partition(".")[0] for n in self._code if n.startswith(prefix)}
            packages = sorted(below, key=lambda part: (f"{prefix}{part}" not in self._code, part))
            if not packages:
                break
            module = prefix + packages[0]
        return module


def _data_folder(dist_info: str) -> str:
    return f"{dist_info.removesuffix('.dist-info')}.data"


def _scheme_path(path: str) -> str:
    """Return a path in ``*.data/`` as it is installed into site-packages, "" if it is not."""
    scheme, _, rest = path.partition("/")
    return rest if scheme in _SCHEMES else ""


def _module_name(name: str) -> str | None:
    """Return the module that a file is: ``a.py``, or ``a.cpython-311-x86_64-linux-gnu.so``."""
    if name.endswith(_SOURCES):
        return name.rpartition(".")[0]
    return name.partition(".")[0] if name.endswith(_NATIVE) else None

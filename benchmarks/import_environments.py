"""Environments whose imports are measured: what is installed, and folders that hold a part of it.

A part is a folder of hard links into an installed environment: the distribution that is asked for
and what it requires, as an installer would lay it out, with the bytecode. So what is not required
is not there, and a distribution that looks for others finds only what its users have.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_NOT_IMPORTED = frozenset(
    "test tests testing conftest docs doc examples example benchmarks setup scripts samples".split()
)
_SUFFIXES = (".py", ".so")


class Environment:
    """An installed environment: its distributions, their files and what they require."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (self.packages,) = folder.glob("lib/python3.*/site-packages")
        self.minor = self.packages.parent.name.removeprefix("python")
        self.tag = self.minor.replace(".", "")
        self.distributions: dict[str, importlib.metadata.Distribution] = {
            canonicalize_name(found.metadata["Name"]): found
            for found in importlib.metadata.distributions(path=[str(self.packages)])
        }

    @functools.cached_property
    def files(self) -> dict[str, list[str]]:
        """The files of each distribution below site-packages, with their bytecode."""
        files: dict[str, list[str]] = {}
        for name, found in self.distributions.items():
            listed = [str(file) for file in found.files or ()]
            files[name] = [path for path in listed if not path.startswith(("..", "/"))]
        return files

    @functools.cached_property
    def owners(self) -> dict[str, str]:
        """The distribution of each file below site-packages."""
        return {file: name for name, files in self.files.items() for file in files}

    def applies(self, requirement: Requirement, extra: str = "") -> bool:
        """Return whether a requirement's marker holds for the environment's Python."""
        python = {"python_version": self.minor, "python_full_version": f"{self.minor}.0"}
        return requirement.marker is None or requirement.marker.evaluate({**python, "extra": extra})

    def version(self, name: str) -> str:
        return self.distributions[name].version

    @functools.cache  # noqa: B019 - there are a handful of environments, and they live on
    def import_names(self, name: str) -> tuple[str, ...]:
        """Return the topmost packages and modules of a distribution: ``google.cloud.storage``."""
        files = self.files[name]
        packages = {file.rpartition("/")[0] for file in files if file.endswith("/__init__.py")}
        names = set()
        for file in files:
            if not file.endswith(_SUFFIXES) or ".dist-info/" in file:
                continue
            parts = file.split("/")
            for end in range(1, len(parts)):
                if "/".join(parts[:end]) in packages:
                    names.add(".".join(parts[:end]))
                    break
            else:
                parts[-1] = parts[-1].partition(".")[0]
                names.add(".".join(parts))
        return tuple(sorted(n for n in names if all(p.isidentifier() for p in n.split("."))))

    @functools.cache  # noqa: B019 - as above
    def public(self, name: str) -> tuple[str, ...]:
        """Return what an app may import of a distribution: its names and those right below."""
        found: dict[str, None] = {}
        for top in self.import_names(name):
            if any(part.startswith("_") or part in _NOT_IMPORTED for part in top.split(".")):
                continue
            found[top] = None
            folder = top.replace(".", "/") + "/"
            for file in self.files[name]:
                if not file.startswith(folder) or not file.endswith(_SUFFIXES):
                    continue
                rest = file[len(folder) :].split("/")
                if len(rest) > 2 or (len(rest) == 2 and rest[1] != "__init__.py"):
                    continue
                below = rest[0].partition(".")[0]
                if below.startswith("_") or below in _NOT_IMPORTED or not below.isidentifier():
                    continue
                found[f"{top}.{below}"] = None
        return tuple(found)

    @functools.cache  # noqa: B019 - as above
    def requires(self, name: str) -> tuple[str, ...]:
        """Return the distributions that one requires here without extras, where installed."""
        wanted = set[str]()
        for text in self.distributions[name].requires or ():
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            if not self.applies(requirement):
                continue
            canonical = str(canonicalize_name(requirement.name))
            if canonical == "opencv-python":
                canonical = "opencv-python-headless"  # which is what servers install
            if canonical in self.distributions:
                wanted.add(canonical)
                wanted |= self._extras(canonical, requirement.extras)
        return tuple(sorted(wanted))

    def _extras(self, name: str, extras: Collection[str]) -> set[str]:
        wanted = set[str]()
        for text in (self.distributions[name].requires or ()) if extras else ():
            requirement = Requirement(text)
            if requirement.marker is None:
                continue
            if any(self.applies(requirement, extra) for extra in extras):
                canonical = str(canonicalize_name(requirement.name))
                if canonical in self.distributions:
                    wanted.add(canonical)
        return wanted

    def closure(self, names: Iterable[str]) -> frozenset[str]:
        """Return the distributions and all that they require."""
        seen: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in seen and name in self.distributions:
                seen.add(name)
                waiting.extend(self.requires(name))
        return frozenset(seen)

    def part_folder(self, names: Iterable[str], parts: Path) -> Path:
        """Return where ``part`` makes its folder."""
        held = " ".join([str(self.folder), *sorted(self.closure(names))])
        return parts / hashlib.sha256(held.encode()).hexdigest()[:16]

    def part(self, names: Iterable[str], parts: Path) -> Path:
        """Return a folder below ``parts`` with the distributions and all that they require."""
        folder = self.part_folder(names, parts)
        if folder.exists():
            return folder
        held = sorted(self.closure(names))
        made = folder.with_suffix(f".{os.getpid()}")
        made.mkdir(parents=True)
        folders: set[Path] = set()
        for name in held:
            for file in self.files[name]:
                source, target = self.packages / file, made / file
                links = [(source, target)]
                if file.endswith(".py"):
                    cached = f"__pycache__/{source.stem}.cpython-{self.tag}.pyc"
                    links.append((source.parent / cached, target.parent / cached))
                for original, link in links:
                    if link.parent not in folders:
                        link.parent.mkdir(parents=True, exist_ok=True)
                        folders.add(link.parent)
                    try:
                        os.link(original, link)
                    except (FileNotFoundError, FileExistsError):
                        continue
        try:
            made.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(made)
        return folder

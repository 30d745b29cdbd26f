"""What is checked: a requirements file, a lock, or a project folder with its own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slugcheck.model import IndexOptions, Manager, Platform, Project, RequirementSet
from slugcheck.options import Options, indexes, read_requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was named on the command line, read as far as that needs no network.

    ``requirements`` is None where ``lock`` (a pylock.toml, uv.lock, poetry.lock or Pipfile.lock)
    decides what is installed. ``project`` is None unless a folder was named.
    """

    path: Path
    kind: str  # "requirements", "pylock" or "project"
    index: IndexOptions
    requirements: RequirementSet | None = None
    lock: Path | None = None
    project: Project | None = None

    @property
    def folder(self) -> Path:
        """The folder of version files and settings."""
        return self.path if self.project is not None else self.path.parent

    @property
    def manager(self) -> Manager:
        """The package manager of the build."""
        return self.project.manager if self.project is not None else Manager.PIP

    @property
    def is_empty(self) -> bool:
        """Whether a requirements file asks for nothing, which a project's may."""
        read = self.requirements
        return read is not None and not read.requirements and not read.set_aside


def read(options: Options, platform: Platform) -> Subject:
    """Read what is to be checked.

    :raises UsageError: it does not exist, or cannot be read.
    :raises BuildError: the platform's build would refuse the folder.
    """
    del platform
    found = read_requirements(options)
    if found is None:
        index = indexes(options)
        return Subject(path=options.path, kind="pylock", index=index, lock=options.path)
    return Subject(path=options.path, kind="requirements", index=found.options, requirements=found)

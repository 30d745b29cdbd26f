"""The subject of a check: a requirements file, a lock file or a project folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from slugcheck import reading
from slugcheck.model import IndexOptions, Manager, Platform, Project, RequirementSet
from slugcheck.model.options import Options
from slugcheck.packages.places import indexes, read_requirements
from slugcheck.project import manager as manager_module
from slugcheck.project.files import Listing, listing
from slugcheck.project.manager import manager_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The path of the command line, read as far as possible without the network.

    ``requirements`` is None where ``lock`` (a pylock.toml, uv.lock, poetry.lock or Pipfile.lock)
    decides what is installed. ``project`` and ``files`` are None unless a folder was named.
    """

    path: Path
    top: Path  # the folder that files may be read from, a real path
    kind: str  # "requirements", "pylock", "lock" or "project"
    index: IndexOptions
    manager: Manager = Manager.PIP
    requirements: RequirementSet | None = None
    lock: Path | None = None
    project: Project | None = None
    files: Listing | None = None

    @property
    def folder(self) -> Path:
        """The folder of version files and settings."""
        return self.path if self.project is not None else self.path.parent

    @property
    def present(self) -> Callable[[str], bool] | None:
        """Whether the build will have a file of the folder; None: everything on disk."""
        files = self.files
        return None if files is None else lambda name: files.absent(name) is None


def read(options: Options, platform: Platform) -> Subject:
    """Read the path to check.

    :raises UsageError: it does not exist, cannot be read, or is a link out of its checkout.
    :raises BuildError: the platform's build would refuse the folder.
    """
    if options.is_folder:
        return _folder(options, platform)
    path, manager = options.path, manager_of(options.path)
    if manager is not None or options.is_lock:
        return Subject(
            path=path,
            top=options.within,
            kind="lock" if manager else "pylock",
            index=indexes(options),
            manager=manager or Manager.PIP,
            lock=path,
        )
    found = read_requirements(options)
    return Subject(
        path=path,
        top=options.within,
        kind="requirements",
        index=found.options,
        requirements=found,
    )


def _folder(options: Options, platform: Platform) -> Subject:
    top = options.within
    reading.real(options.path, top)
    files = listing(options.path)
    if platform.buildpack:
        project = manager_module.read(
            options.path, title=platform.title, absent=files.absent, top=top
        )
    else:
        project = manager_module.read_plainly(options.path, title=platform.title, top=top)
    subject = Subject(
        path=options.path,
        top=top,
        kind="project",
        index=indexes(options),
        manager=project.manager,
        project=project,
        files=files,
    )
    if project.manager is not Manager.PIP:
        return replace(subject, lock=project.dependency_file)
    found = read_requirements(replace(options, path=project.dependency_file, top=top), empty=True)
    return replace(subject, requirements=found, index=found.options)

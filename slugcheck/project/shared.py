"""What the checks of one project find out once, whatever target each of them is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slugcheck.errors import BuildError, Refuse
from slugcheck.model import Buildpack, Platform, Project, Settings
from slugcheck.model.options import Options
from slugcheck.packages.shared import SharedPackages
from slugcheck.project import app
from slugcheck.project.app import App, Subject
from slugcheck.project.files import Listing

if TYPE_CHECKING:
    from slugcheck.project.container import Container
    from slugcheck.project.static_files import StaticFiles


class SharedProject:
    """One project, used as a context manager; its checks have the same options but for the target.

    ``packages`` is None in a run for one target. Checks are made one after another; what this
    returns may then be used by several threads.
    """

    def __init__(self, packages: SharedPackages | None = None) -> None:
        """Know nothing yet."""
        self.packages = packages
        self._subjects: dict[Platform | None, tuple[Subject, tuple[BuildError, ...]]] = {}
        self._apps: list[tuple[Listing | None, tuple[Settings, ...], App]] = []
        self._static: list[tuple[Project, Listing, Buildpack, StaticFiles]] = []

    def __enter__(self) -> SharedProject:
        return self

    def __exit__(self, *_: object) -> None:
        for *_known, made in self._apps:
            made.close()

    def subject(
        self,
        options: Options,
        platform: Platform,
        refuse: Refuse,
        container: Container | None = None,
    ) -> Subject:
        """Return what is checked, see ``app.read_subject``.

        A file is the same on every platform but those that read more than it; a folder is not.

        :raises UsageError: it does not exist, cannot be read, or is a link out of its checkout.
        :raises BuildError: the platform's build would refuse the folder.
        """
        if container is not None and options.is_folder:
            return app.read_subject(options, platform, refuse, container)
        key = platform if options.is_folder or platform.function is not None else None
        if key not in self._subjects:
            refused: list[BuildError] = []
            subject = app.read_subject(options, platform, refused.append)
            self._subjects[key] = subject, tuple(refused)
        subject, errors = self._subjects[key]
        for error in errors:
            refuse(error)
        return subject

    def app(self, subject: Subject, options: Options, own: tuple[Settings, ...]) -> App:
        """Return the app's files and models, which are compressed once.

        :raises UsageError: a model that was named is not there, or what reads from its server is
            not installed.
        """
        for files, settings, known in self._apps:
            if files == subject.files and settings == own:
                return known
        made = App(subject, options, own)
        self._apps.append((subject.files, own, made))
        return made

    def static_files(self, project: Project, files: Listing, buildpack: Buildpack) -> StaticFiles:
        """Return the static files of a project that the platform builds."""
        for own, listing, builder, known in self._static:
            if own == project and listing == files and builder is buildpack:
                return known
        from slugcheck.project.static_files import StaticFiles

        made = StaticFiles(project, files.files, files.absent, buildpack)
        self._static.append((project, files, buildpack, made))
        return made

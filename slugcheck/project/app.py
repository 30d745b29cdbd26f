"""What is checked and pushed: the subject, and the app's own files with their models.

The subject is a requirements file, a lock file or a project folder.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from slugcheck import reading
from slugcheck.errors import MeasureError, Refuse, UsageError, give_up
from slugcheck.model import (
    AppFiles,
    Author,
    FunctionRule,
    IndexOptions,
    Manager,
    ModelFile,
    Platform,
    Project,
    RequirementSet,
    Settings,
    Unsized,
)
from slugcheck.model.options import Options
from slugcheck.packages.requirements.indexes import configured, read_requirements
from slugcheck.project import files, models, vercel
from slugcheck.project import manager as manager_module
from slugcheck.project.archive import Member
from slugcheck.project.files import Listing, listing
from slugcheck.project.manager import manager_of
from slugcheck.project.models import Local, Named, is_remote, unpushed
from slugcheck.text import listed, mb, printable

if TYPE_CHECKING:
    from slugcheck.project.container import Container


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
    build: vercel.Build | None = None  # where Vercel's builder builds it
    without: tuple[Unsized, ...] = ()  # left out wherever they are required

    @property
    def folder(self) -> Path:
        """The folder of version files and settings."""
        return self.path if self.project is not None else self.path.parent

    @property
    def present(self) -> Callable[[str], bool] | None:
        """Whether the build will have a file of the folder; None: everything on disk."""
        files = self.files
        return None if files is None else lambda name: files.absent(name) is None


def read_subject(
    options: Options,
    platform: Platform,
    refuse: Refuse = give_up,
    container: Container | None = None,
) -> Subject:
    """Read the path to check. ``refuse`` is given what the platform's build refuses.

    ``container`` is what is known of the image that a folder is built into.

    :raises UsageError: it does not exist, cannot be read, or is a link out of its checkout.
    :raises BuildError: the platform's build would refuse the folder.
    """
    if options.is_folder:
        if container is not None and container.plan is not None:
            return _context(options, platform, container)
        return _folder(options, platform, refuse)
    path, manager = options.path, manager_of(options.path)
    build = _build_of_file(options, platform, refuse)
    if manager is not None or options.is_lock:
        return Subject(
            path=path,
            top=options.within,
            kind="lock" if manager else "pylock",
            index=configured(options),
            manager=manager or Manager.PIP,
            lock=path,
            build=build,
        )
    requirements = read_requirements(options)
    return Subject(
        path=path,
        top=options.within,
        kind="requirements",
        index=requirements.options,
        requirements=requirements,
        build=build,
    )


def _build_of_file(options: Options, platform: Platform, refuse: Refuse) -> vercel.Build | None:
    """Return what Vercel would do with a file by itself; None on another platform."""
    if platform.function is None:
        return None
    python: vercel.PythonChoice = (None, ())
    if options.python is None:
        python = vercel.requested_python(
            options.path.parent,
            platform,
            dependency_file=options.path.name,
            top=options.within,
            refuse=refuse,
        )
    return vercel.Build(configuration=vercel.Configuration(), python=python[0], notes=python[1])


def _folder(options: Options, platform: Platform, refuse: Refuse) -> Subject:
    top = options.within
    reading.real(options.path, top)
    if platform.function is not None:
        return _function(options, platform, platform.function, refuse)
    files = listing(options.path, buildpack=platform.buildpack)
    if platform.buildpack is not None:
        project = manager_module.read(
            options.path,
            title=platform.title,
            buildpack=platform.buildpack,
            absent=files.absent,
            top=top,
            refuse=refuse,
        )
    else:
        project = manager_module.read_plainly(options.path, title=platform.title, top=top)
    return _whole(options, project, files)


def _function(options: Options, platform: Platform, rule: FunctionRule, refuse: Refuse) -> Subject:
    """Read a folder as Vercel's builder does."""
    folder, top, title = options.path, options.within, platform.title
    configuration = vercel.read_configuration(folder, rule, title=title, top=top, refuse=refuse)
    files = listing(folder, buildpack=None, function=rule, own_files=configuration.own_files)
    absent = files.absent
    project, notes = vercel.project(folder, title=title, absent=absent, top=top, refuse=refuse)
    wanted, more = vercel.requested_python(
        folder,
        platform,
        dependency_file=project.dependency_file.name,
        top=top,
        refuse=refuse,
        absent=absent,
    )
    if absent("runtime.txt") is None and reading.is_file(folder / "runtime.txt", top):
        more = (*more, f"{title} does not read runtime.txt; write .python-version")
    if command := configuration.install_command:
        file = project.dependency_file.name
        more = (*more, f"{command} decides what is installed; sized from {file}")
    notes = (*configuration.notes, *notes, *more)
    build = vercel.Build(configuration=configuration, python=wanted, notes=notes)
    return replace(_whole(options, project, files), build=build)


def _whole(options: Options, project: Project, files: Listing) -> Subject:
    """Return the subject of a folder, with the requirements of its dependency file."""
    subject = Subject(
        path=options.path,
        top=options.within,
        kind="project",
        index=configured(options),
        manager=project.manager,
        project=project,
        files=files,
    )
    if project.manager is not Manager.PIP:
        return replace(subject, lock=project.dependency_file)
    path, top = project.dependency_file, options.within
    requirements = read_requirements(replace(options, path=path, top=top))
    return replace(subject, requirements=requirements, index=requirements.options)


def _context(options: Options, platform: Platform, container: Container) -> Subject:
    """Return a folder that a Dockerfile makes an image of."""
    folder, top, wanted = options.path, options.within, container.wanted
    reading.real(folder, top)
    files = container.kept(listing(folder, buildpack=None))
    if wanted is None:
        project = manager_module.read_plainly(folder, title=platform.title, top=top)
    else:
        project = Project(
            folder=folder,
            top=top,
            manager=wanted.manager,
            dependency_file=folder / wanted.file,
        )
    subject = Subject(
        path=folder, top=top, kind="project", index=configured(options), manager=project.manager,
        project=project, files=files,
    )  # fmt: skip
    file = project.dependency_file
    if manager_of(file) is not None:
        return replace(subject, lock=file)
    text = wanted.text if wanted is not None else None
    named = replace(options, path=file, text=text, top=top)
    requirements = read_requirements(named, name=str(file))
    return replace(subject, requirements=requirements, index=requirements.options)


_NAMED = 3  # files that one note names


@dataclass(frozen=True, slots=True, kw_only=True)
class AppContents:
    """The app's own files and models; ``files`` is None unless a folder is checked."""

    files: AppFiles | None
    models: tuple[ModelFile, ...]


class App:
    """One run's app: ``start``, then ``contents``, and ``close`` in the end."""

    def __init__(self, subject: Subject, options: Options, own: Sequence[Settings]) -> None:
        """Find the models of flags and all settings; nothing is compressed yet.

        :raises UsageError: a model that was named is not there, or what reads from its server is
            not installed.
        """
        self._listing = subject.files
        self._options = options
        self._folder = subject.folder
        named = [_of_flag(text, subject.top) for text in options.models]
        for settings in own:
            named += _of_settings(settings, subject.top, remote=options.remote_models)
        members = self._listing.files if self._listing else ()
        inside = subject.folder if self._listing else None
        self._model_sources = models.find(named, inside, members)
        for named_remote in self._model_sources.remote:
            models.require_library(named_remote.text)
        self._pool = ThreadPoolExecutor(2)
        self._starting = threading.Lock()
        self._files: Future[AppFiles] | None = None
        self._models: Future[tuple[ModelFile, ...]] | None = None

    def close(self) -> None:
        """Stop what is still compressing."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def members(self) -> tuple[Member, ...]:
        """Return every file that the app brings into the slug, models among them.

        :raises UsageError: a model is on a server, so its bytes are not here.
        """
        if self._model_sources.remote:
            message = "--verify needs the model files, but some are on a server"
            raise UsageError(message, hint="download them and name the files with --model")
        own = self._listing.files if self._listing else ()
        places = {member.path for member in own}
        more: list[Member] = []
        for model in self._model_sources.local:
            if model.member is None:
                place = _free(_inside(model.shown), places)
                places.add(place)
                more.append(Member(path=place, disk=model.path, size=model.size))
        return (*own, *more)

    def start(self) -> None:
        """Begin to compress, unless that has begun."""
        with self._starting:
            if self._models is not None:
                return
            if self._listing is not None:
                inside = self._model_sources.in_app
                self._files = self._pool.submit(
                    files.measure, self._listing, lambda path: path in inside
                )
            offline = self._options.offline
            self._models = self._pool.submit(models.measure, self._model_sources, offline=offline)

    def contents(self) -> AppContents:
        """Return the sizes, waiting for them.

        :raises MeasureError: a file cannot be read, or a server refuses it.
        :raises UsageError: the library for a server is not installed, or nothing matches there.
        """
        own = self._files.result() if self._files else None
        return AppContents(files=own, models=self._models.result() if self._models else ())

    def notes(self) -> tuple[str, ...]:
        """Return what the user should know of the files."""
        if self._listing is None:
            return ()
        return (*self._listing.notes, *self._without_weights(), *self._not_pushed())

    def _without_weights(self) -> Iterator[str]:
        """Yield notes on models that the app cannot load, as their weights are not pushed."""
        for weights, model in self._model_sources.missing[:_NAMED]:
            yield (
                f"{printable(model)} keeps weights in {printable(weights)}, which is not pushed: "
                "the app cannot load this model"
            )
        pointers = sorted(
            model.shown for model in self._model_sources.local if _is_lfs_pointer(model)
        )
        if pointers:
            names = listed([printable(name) for name in pointers], _NAMED)
            fix = (
                "download it at boot, or use a buildpack that fetches Git LFS"
                if self._listing is not None and self._listing.lfs_pointers
                else "run git lfs pull before you deploy"
            )
            yield f"{names}: a Git LFS pointer, not the model, so the app cannot load it; {fix}"

    def _not_pushed(self) -> tuple[str, ...]:
        try:
            names, _ = files.walk(self._folder)
        except MeasureError:
            return ()
        ignored = {member.path for member in self._listing.ignored} if self._listing else set()
        left = [n for n in unpushed(self._folder, self._model_sources, names) if n not in ignored]
        if not left:
            return ()
        size = sum((self._folder / name).stat().st_size for name in left)
        return (
            f"not counted: model files outside git, {listed(left, _NAMED)} ({mb(size)} MB); "
            "add them with --model",
        )


def _of_flag(text: str, top: Path) -> Named:
    """Return what --model names; links in the checkout are the project's, so they stay inside."""
    place = os.path.expanduser(text)  # noqa: PTH111 - it may be a glob, or name no user
    inside = not is_remote(text) and reading.belongs(Path(place), top)
    return Named(text=place if inside else text, base=Path.cwd(), within=top if inside else None)


def _of_settings(own: Settings, top: Path, *, remote: bool) -> list[Named]:
    if own.origin is None:
        return []
    return [
        Named(
            text=text,
            base=own.models_from or own.origin.parent,
            origin=f"models in {own.origin.name}:",
            within=None if own.author is Author.USER else top,
            remote=remote or own.author is not Author.PROJECT,
            optional=own.author is Author.BASE,
        )
        for text in own.models
    ]


def _is_lfs_pointer(model: Local) -> bool:
    """Whether a model of the app is the pointer of Git LFS in the build, not the model."""
    if model.member is None:
        return False
    if model.member.content is not None:
        return True
    return files.is_pointer(model.path, model.size)


def _free(path: str, taken: set[str]) -> str:
    """Return ``path``, or the same path in a folder of its own if it is taken."""
    places = (path, *(f"{number}/{path}" for number in range(2, len(taken) + 3)))
    return next(place for place in places if place not in taken)


def _inside(shown: str) -> str:
    """Return the place of a model from elsewhere in the app's folder."""
    parts = [part for part in Path(shown).parts if part not in ("..", "/", "…")]
    return "/".join(parts)

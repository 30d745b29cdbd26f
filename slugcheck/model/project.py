"""The app itself: its folder as the platform's build reads it, its files, its model files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from slugcheck.model.figures import Estimate
from slugcheck.model.verdicts import Status


class Manager(StrEnum):
    """The package manager that the build uses; the value is the command's name."""

    PIP = "pip"
    UV = "uv"
    POETRY = "poetry"
    PIPENV = "pipenv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project folder as the platform's build reads it.

    ``dependency_file`` is the file that decides what is installed (requirements.txt, uv.lock,
    poetry.lock or Pipfile.lock). ``notes`` say what the build does that is not measured. ``top`` is
    the folder that files may be read from, a real path.
    """

    folder: Path
    top: Path
    manager: Manager
    dependency_file: Path
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSize:
    """A folder (or a file at the top) of the app. ``path`` is relative, folders end in ``/``."""

    path: str
    files: int
    bytes: int
    slug_bytes: int  # its files' share of the gzip -6 tar, deflated one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFiles:
    """The app's own files in the slug, measured from the files themselves.

    Model files are not among ``files``, ``bytes`` and ``slug_bytes``; they are in ``models``.
    ``checkout_bytes`` is what git checks out before ``.slugignore``, models included.
    """

    files: int
    bytes: int
    slug_bytes: int  # gzip -6 of their tar under ./app
    checkout_bytes: int
    ignored_files: int
    ignored_bytes: int
    folders: tuple[FolderSize, ...]  # the biggest first
    tracked: bool  # True: the files that git tracks; False: all files, outside of a checkout
    notes: tuple[str, ...] = ()


class ModelPlace(StrEnum):
    """Where a model file is today."""

    APP = "app"  # among the app's own files: pushed with them
    LOCAL = "local"  # another file of this machine
    REMOTE = "remote"  # s3://, gs://, https://


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model file. ``path`` is what is shown: relative, or a URL without credentials.

    ``slug`` is what it takes in the slug after gzip -6: measured when the whole file was
    compressed, predicted when a sample was; ``method`` says which, in words.
    """

    path: str
    bytes: int
    slug: Estimate[int]
    place: ModelPlace
    method: str


class Storage(StrEnum):
    """A way to bring model files to the running app."""

    SLUG = "slug"  # in git, and so in the slug
    BOOT = "boot"  # in object storage, downloaded when a dyno boots
    BUILD = "build"  # in object storage, fetched by bin/post_compile: in the slug, not in git


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Seconds that fetching all models takes at an assumed bandwidth (bytes a second)."""

    bytes_per_second: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageOption:
    """One way to store the models, judged. ``slug`` is the whole slug with it.

    ``reasons`` are sentences with their numbers, the decisive one first. ``downloads`` is empty
    where nothing is downloaded.
    """

    storage: Storage
    title: str
    status: Status
    slug: Estimate[int]
    downloads: tuple[Download, ...]
    reasons: tuple[str, ...]
    recommended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a real install and a real gzip -6 tar measured, beside what was predicted.

    Of the distributions (``installed_bytes`` with bytecode, ``bytecode_bytes``) and of the tar of
    distributions, app files and model files (``slug_bytes``); the platform's own runtime is in
    neither. ``seconds`` is installing and compressing on this machine.
    """

    python: str  # full version of the interpreter that installed
    installer: str  # "pip 26.2.1"
    command: str  # as the build runs it
    seconds: float
    installed_bytes: int
    bytecode_bytes: int
    slug_bytes: int
    predicted_seconds: Estimate[float]
    predicted_installed: Estimate[int]
    predicted_bytecode: Estimate[int]
    predicted_slug: Estimate[int]
    plain_by_name: tuple[tuple[str, int], ...]  # bytes of each distribution without bytecode
    bytecode_by_name: tuple[tuple[str, int], ...]
    notes: tuple[str, ...] = ()

    @property
    def plain_bytes(self) -> int:
        """Installed bytes without bytecode."""
        return self.installed_bytes - self.bytecode_bytes

    @property
    def predicted_plain_bytes(self) -> int:
        """Predicted installed bytes without bytecode."""
        return self.predicted_installed.value - self.predicted_bytecode.value

    def error_percent(self) -> dict[str, float]:
        """Return predicted against measured in percent: installed, plain, bytecode, slug."""
        pairs = {
            "installed": (self.predicted_installed.value, self.installed_bytes),
            "plain": (self.predicted_plain_bytes, self.plain_bytes),
            "bytecode": (self.predicted_bytecode.value, self.bytecode_bytes),
            "slug": (self.predicted_slug.value, self.slug_bytes),
            "seconds": (self.predicted_seconds.value, self.seconds),
        }
        return {
            name: 100.0 * (predicted - measured) / measured if measured else 0.0
            for name, (predicted, measured) in pairs.items()
        }

"""What to verify, and the copy of the project to do it in: builds write into their folder."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from slugcheck import reading
from slugcheck.errors import MeasureError, UsageError
from slugcheck.model import Estimate, IndexOptions, Manager, Origin, SizeReport, Unsized
from slugcheck.model.options import Variables
from slugcheck.packages.requirements.files import understand
from slugcheck.packages.requirements.grammar import (
    BadFileError,
    BadLineError,
    Places,
    decode,
    logical_lines,
    parse,
)
from slugcheck.project import files as local
from slugcheck.project.archive import Member
from slugcheck.text import printable

_INCLUDE = re.compile(
    r"^[^\S\n]*(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))([^\s#]+)",
    re.MULTILINE,
)
VERIFY = "--verify"
_ABSOLUTE = re.compile(r"^(?:[^@/]*@\s*)?(?:file:)?/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A build to repeat for real, and its prediction.

    ``path`` is the requirements file or the lock. ``files`` are the app's files and models, as they
    are in the slug. ``index`` holds the indexes of the command line and the environment: those of
    the file are read by the package manager.
    """

    sizes: SizeReport
    manager: Manager
    path: Path
    files: tuple[Member, ...]
    index: IndexOptions
    seconds: Estimate[float]  # predicted, for installing and compressing only
    variables: Variables = field(default_factory=Variables)  # that its lines may use
    pinned: bool = True  # whether the resolved versions may be given to pip as constraints
    selection: tuple[str, ...] = ("--no-default-groups",)  # of a uv.lock, as uv's flags
    feature: str = VERIFY  # what the user has asked for, in messages

    @property
    def compiles(self) -> bool:
        """Whether the build leaves bytecode."""
        return self.sizes.target.compiles_bytecode

    @property
    def pins(self) -> tuple[str, ...]:
        """The resolved versions, as lines of a constraints file."""
        return tuple(
            f"{size.name}=={size.distribution.version}"
            for size in self.sizes.distributions
            if not size.distribution.direct_url
        )


# --------------------------------------------------------------------------- the copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the build's command runs. ``app`` is the copy of what is in the slug.

    ``file`` is the dependency file for the package manager; ``variables`` are the names whose
    values the user allows it to use.
    """

    app: Path
    folder: Path
    file: Path
    variables: frozenset[str]


def lay_out(plan: Plan, work: Path) -> Place:
    """Copy the app below ``work``, with everything that the dependency file needs.

    :raises MeasureError: a file cannot be read, or a line names a folder of this machine.
    """
    app = work / "app"
    app.mkdir()
    copy_members(plan.files, app)
    original = plan.path.parent.resolve() / plan.path.name
    top = reading.top_of(plan.path)
    texts = dict(_texts(original, top))
    names = plan.variables.names
    pushed = (app / plan.path.name).is_file()
    beside = work / "beside"
    copy_all = plan.manager is not Manager.PIP or "directory" in texts.get(original, "")
    if not pushed and (plan.manager is not Manager.PIP or original.suffix == ".toml"):
        folder = _copied(original.parent, beside) if copy_all else work
        file = folder / original.name if copy_all else original
        return Place(app=app, folder=folder, file=file, variables=names)
    references = list(_local(texts, Places((original.parent, Path.cwd()), top), plan.variables))
    for origin, absolute, path in references:
        if absolute and path.is_dir():
            raise _elsewhere(origin, path)
    if pushed:
        return Place(app=app, folder=app, file=app / plan.path.name, variables=names)
    folder = _below(
        _base(original, [path for _, absolute, path in references if not absolute]), beside
    )
    folder.mkdir(parents=True, exist_ok=True)
    for _, _, path in references:
        _mirror(path, beside)
    return Place(app=app, folder=folder, file=original, variables=names)


def _base(file: Path, relative: Sequence[Path]) -> Path:
    """Return the folder that pip would run in, which relative paths in the file start from.

    It is the file's own folder or, for requirements/prod.txt, the current one.
    """
    here = Path.cwd()
    if all(path.is_relative_to(file.parent) for path in relative):
        return file.parent
    return here if file.is_relative_to(here) else file.parent


def _elsewhere(origin: Origin, path: Path) -> MeasureError:
    message = (
        f"{printable(str(origin))} names the folder {printable(str(path))} by its absolute path, "
        "which does not exist on the platform: the build will fail"
    )
    hint = "write the path relative to the app's folder, such as ./package"
    return MeasureError(message, hint=hint)


def _unreachable(origin: Origin, wanted: str) -> MeasureError:
    message = (
        f"{printable(str(origin))} names {printable(wanted)}, which is outside the checkout; "
        "only what is inside is installed"
    )
    return MeasureError(message, hint="run slugcheck in a checkout that contains both")


# --------------------------------------------------------------------------- dependency files


def _texts(path: Path, top: Path) -> Iterator[tuple[Path, str]]:
    """Yield a dependency file and all that it includes."""
    seen: set[Path] = set()
    todo = [path]
    while todo:
        file = todo.pop()
        real = reading.destination(file, top)
        if real is None or real in seen or not real.is_file():
            continue
        seen.add(real)
        try:
            text = decode(reading.read(file, within=top, limit=reading.LOCK))
        except (BadFileError, OSError, UsageError):
            continue  # it was read before; the package manager reports the problem
        yield file, text
        todo += [file.parent / name.removeprefix("file://") for name in _INCLUDE.findall(text)]


def _local(
    texts: Mapping[Path, str], places: Places, variables: Variables
) -> Iterator[tuple[Origin, bool, Path]]:
    """Yield (line, whether the path in it is absolute, file or folder that it names)."""
    for file, text in texts.items():
        for number, written in logical_lines(text):
            origin = Origin(file=file.name, line=number)
            try:
                line = parse(written, variables)
                entry = understand(line, origin, places) if line.wanted else None
            except BadLineError:
                continue
            if isinstance(entry, Unsized) and _ABSOLUTE.match(line.wanted):
                raise _elsewhere(origin, Path(line.wanted.partition("@")[2].strip() or line.wanted))
            if isinstance(entry, Unsized) and "outside the checkout" in entry.reason:
                raise _unreachable(origin, line.wanted)
            if entry is None or isinstance(entry, Unsized) or not entry.url:
                continue
            if entry.url.startswith("file:"):
                absolute = _ABSOLUTE.match(line.wanted) is not None
                yield origin, absolute, Path(unquote(urlsplit(entry.url).path))


# --------------------------------------------------------------------------- copies


def _below(path: Path, base: Path) -> Path:
    """Return the place of an absolute path below ``base``, so that ``../x`` leads to its copy."""
    return base / path.relative_to(path.anchor)


def _mirror(path: Path, base: Path) -> None:
    place = _below(path, base)
    if path.is_dir():
        _copied(path, place)
    elif not place.is_symlink():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)


def _copied(folder: Path, place: Path) -> Path:
    """Copy the files of a folder that git would push; return ``place``."""
    place.mkdir(parents=True, exist_ok=True)
    names, _ = local.walk(folder)
    for name in names:
        source, target = folder / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink() or target.exists():
            continue  # of a folder inside one that is copied as well
        if source.is_symlink():
            target.symlink_to(os.readlink(source))  # noqa: PTH115 - keeps what it says
        elif source.is_file():
            _copy_file(source, target, executable=os.access(source, os.X_OK))
    return place


def copy_members(files: Sequence[Member], folder: Path) -> None:
    """Copy the app as it is pushed."""
    for member in files:
        place = folder / member.path
        place.parent.mkdir(parents=True, exist_ok=True)
        if member.link is not None:
            place.symlink_to(member.link)
        elif member.content is not None:
            place.write_bytes(member.content)
        else:
            _copy_file(member.disk, place, executable=member.executable)


def _copy_file(source: Path, place: Path, *, executable: bool) -> None:
    try:
        with source.open("rb") as stream, place.open("xb") as copy:
            shutil.copyfileobj(stream, copy, 2**20)
    except (PermissionError, FileNotFoundError) as error:
        message = f"{printable(str(source))} cannot be read: {error.strerror}"
        hint = "make it readable, or remove it from the app"
        raise MeasureError(message, hint=hint) from None
    if executable:
        place.chmod(0o755)

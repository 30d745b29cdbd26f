"""Measures a real install: bytes by distribution, the gzip -6 tar of everything, or its zip."""

from __future__ import annotations

import csv
import io
import re
import stat
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import IO, TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from slugcheck import reading
from slugcheck.errors import MeasureError
from slugcheck.model import Estimate, Manager, Verification, figures
from slugcheck.project import archive
from slugcheck.running import child
from slugcheck.sizing import bytecode, slug_parts
from slugcheck.sizing.installed import Layout, layout_of
from slugcheck.text import listed, mb, plural
from slugcheck.verify import install
from slugcheck.verify.install import Build, Site, workspace
from slugcheck.verify.plan import Plan, lay_out

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_CHUNK = 2**20
_LONGEST_HEAD = 10_000
_CACHE_TAG = re.compile(r"\.[a-z]+-\d+(?:\.opt-\w+)?\.pyc$")
_TRAMPOLINE_END = b"\n' '''\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Bytes: ``plain`` and ``bytecode`` by distribution; the totals include every new file."""

    files: tuple[Path, ...]
    plain: Mapping[str, int]
    bytecode: Mapping[str, int]
    versions: Mapping[str, str]
    plain_bytes: int
    bytecode_bytes: int


def snapshot(prefix: Path) -> frozenset[Path]:
    """Return the files of an environment."""
    return frozenset(path for path in prefix.rglob("*") if path.is_symlink() or path.is_file())


def weigh(
    prefix: Path,
    before: frozenset[Path],
    layout: Layout,
    *,
    packages: Path | None = None,
    provided: Collection[str] = (),
) -> Weights:
    """Return the new files of an environment, in the sizes that they would have on the target.

    A bytecode file contains the prefix once and a script the interpreter's path, so a difference in
    length between ``prefix`` and the target's (of ``layout``) is subtracted. ``packages`` is the
    plain folder that was installed into, by default the environment itself. What only the
    distributions ``provided`` own is left out, as the runtime has it.
    """
    folder = packages or prefix
    new = sorted(path for path in snapshot(folder) - before if path != folder / ".lock")
    sizes = {path: path.lstat().st_size for path in new if not path.is_symlink()}
    if len(str(prefix)) != len(layout.prefix):
        sizes = {path: size - _spare(path, prefix, folder, layout) for path, size in sizes.items()}
    owners: dict[Path, list[str]] = {}
    versions: dict[str, str] = {}
    pattern = (
        "*.dist-info/RECORD" if layout.flat else "lib/python*/site-packages/*.dist-info/RECORD"
    )
    for record in folder.glob(pattern):
        name, version = _identity(record.parent)
        versions[name] = version
        for path in _recorded(record, flat=layout.flat):
            owners.setdefault(path, []).append(name)
    if provided:
        new = [path for path in new if not _is_provided(path, owners, provided)]
        sizes = {path: sizes[path] for path in new if path in sizes}
    names = [name for name in versions if name not in provided]
    plain, bytecode = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    compiled = 0
    for path, size in sizes.items():
        source = _source(path)
        is_bytecode = source is not None and source in sizes
        named = owners.get(source if is_bytecode and source else path, [])
        for name in filter(plain.__contains__, named):
            (bytecode if is_bytecode else plain)[name] += size
        compiled += size if is_bytecode else 0
    return Weights(
        files=tuple(new),
        plain=plain,
        bytecode=bytecode,
        versions=versions,
        plain_bytes=sum(sizes.values()) - compiled,
        bytecode_bytes=compiled,
    )


def _identity(folder: Path) -> tuple[str, str]:
    """Return the canonical name and the version of an installed distribution."""
    stem, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
    distribution = PathDistribution(folder)
    return canonicalize_name(distribution.name or stem), distribution.version or version


def _is_provided(
    path: Path, owners: Mapping[Path, Collection[str]], provided: Collection[str]
) -> bool:
    named = owners.get(path) or owners.get(_source(path) or path, ())
    return bool(named) and all(name in provided for name in named)


def _recorded(record: Path, *, flat: bool) -> Iterable[Path]:
    root = record.parent.parent
    with record.open(newline="", encoding="utf-8") as stream:
        for row in csv.reader(stream):
            if row:
                # pip --target moves what it installed: RECORD still has the paths from before
                yield _plain_path(root, row[0].removeprefix("../../") if flat else row[0])


def _plain_path(root: Path, relative: str) -> Path:
    """Return a path of RECORD without its ``..``; the environment's own links are not followed."""
    parts = list(root.parts)
    for part in relative.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return Path(*parts)


def _source(path: Path) -> Path | None:
    """Return the source that a bytecode file was compiled from; None for any other file."""
    if path.suffix != ".pyc" or path.parent.name != "__pycache__":
        return None
    # a.b.py becomes a.b.cpython-312.pyc, or a.b.cpython-312.opt-1.pyc
    stem = _CACHE_TAG.sub("", path.name)
    return path.parent.parent / f"{stem}.py"


def _spare(path: Path, prefix: Path, folder: Path, layout: Layout) -> int:
    """Return how many bytes longer a file is here than on the target."""
    if path.suffix == ".pyc" and path.parent.name == "__pycache__":
        return 0 if layout.flat else len(str(prefix)) - len(layout.prefix)
    if path.parent != folder / "bin":
        return 0
    with path.open("rb") as stream:
        start = stream.read(_LONGEST_HEAD)
    first = start.partition(b"\n")[0]
    on_target = len(f"#!{layout.python}\n")
    if first.startswith(f"#!{prefix}/bin/".encode()):
        return len(first) + 1 - on_target
    if first == b"#!/bin/sh" and f"{prefix}/bin/".encode() in start:
        # a first line that is too long for Linux is written as three, which /bin/sh reads
        return start.index(_TRAMPOLINE_END) + len(_TRAMPOLINE_END) - on_target
    return 0


# --------------------------------------------------------------------------- the tar


def has_gzip() -> bool:
    """Return whether gzip is installed; zlib replaces it, within 0.34 % (``project.archive``)."""
    return child.which("gzip") is not None


def gzipped(prefix: Path, files: Iterable[Path], app: Path, *, below: str) -> int:
    """Return the bytes of ``tar | gzip -6`` of the installed files and the app's, under ./app.

    ``below`` is the target's prefix. The tar is ``project.archive``'s; gzip is the program itself
    where there is one, else zlib's level 6.

    :raises MeasureError: a file cannot be read, or gzip fails.
    """
    members = [
        _member(f"{below[1:]}/{path.relative_to(prefix).as_posix()}", path) for path in files
    ]
    members += [_member(f"app/{path.relative_to(app).as_posix()}", path) for path in _files(app)]
    program = child.which("gzip")
    if program is None:
        packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)  # 16: gzip's frame
        packed = sum(len(packer.compress(data)) for data in archive.tar(members, prefix="."))
        return packed + len(packer.flush())
    with child.started(
        [program, "-6"], environment=child.environment(), stdin=child.PIPE
    ) as process:
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        assert process.stdout is not None  # noqa: S101
        counted = [0]
        reader = threading.Thread(target=_count, args=(process.stdout, counted))
        reader.start()
        try:
            for data in archive.tar(members, prefix="."):
                process.stdin.write(data)
            process.stdin.close()
        except BrokenPipeError:
            pass  # its exit code tells
        except BaseException:
            process.kill()
            raise
        finally:
            reader.join()
        code = process.wait()
    if code != 0:
        message = f"gzip ended before the whole tar was compressed ({code})"
        raise MeasureError(message, hint="run it again; it may have run out of memory")
    return counted[0]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def archived(packages: Path, files: Iterable[Path], app: Path) -> int:
    """Return the bytes of a zip archive of packages and app, deflated at level 6.

    A link is archived as the file that it leads to. Nothing is written.

    :raises MeasureError: a file cannot be read.
    """
    counter = _Counter()
    with zipfile.ZipFile(counter, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        for path in files:
            target.write(path, path.relative_to(packages).as_posix())
        for path in _files(app):
            if path.is_file():
                target.write(path, path.relative_to(app).as_posix())
    return counter.bytes


class _Counter(io.RawIOBase):
    """A stream that only counts what is written to it."""

    def __init__(self) -> None:
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        size = memoryview(data).nbytes
        self.bytes += size
        return size


def _member(path: str, disk: Path) -> archive.Member:
    status = disk.lstat()
    if stat.S_ISLNK(status.st_mode):
        return archive.Member(path=path, disk=disk, size=0, link=str(disk.readlink()))
    return archive.Member(
        path=path,
        disk=disk,
        size=status.st_size,
        executable=bool(status.st_mode & stat.S_IXUSR),
        modified=int(status.st_mtime),
    )


def _count(stream: IO[bytes], counted: list[int]) -> None:
    while data := stream.read(_CHUNK):
        counted[0] += len(data)


# Packages as installed and, at the same time, as the package manager fetches them: as archives, or
# unpacked (uv's cache); then the app's copy, and the package manager itself.
_SPACE_FACTOR = 1.2
_SPACE_FOR_TOOLS = 150 * 10**6
_NAMED = 5

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A build while it is there: its environment, the app's folder, and what it weighs.

    ``packages`` is the plain folder that was installed into, by default the environment itself.
    """

    prefix: Path
    packages: Path
    app: Path
    verification: Verification


Step = Callable[[Path, Path], None]


def verify(plan: Plan, progress: Progress) -> Verification:
    """Install and compress for real; ``progress`` gets a line for each step.

    :raises MeasureError: this machine cannot replace the target, or the build fails.
    """
    with built(plan, progress) as done:
        return done.verification


@contextmanager
def built(plan: Plan, progress: Progress, *, then: Step | None = None) -> Iterator[Built]:
    """Install and compress for real, and keep the result for as long as the context lasts.

    ``then`` does what the build does behind the install, with the environment and the app's folder.

    :raises MeasureError: this machine cannot replace the target, or the build fails.
    """
    target = plan.sizes.target
    python = install.find(target, plan.feature)
    install.refuse_foreign(plan.sizes, plan.feature)
    with workspace(target.platform.prefix, _space(plan), plan.feature) as work:
        progress("creating an environment")
        place = lay_out(plan, work.folder)
        site = Site(plan=plan, python=python, work=work, place=place)
        notes = install.prepare(site)
        before = snapshot(site.packages)
        count = len(plan.sizes.distributions)
        progress(f"installing {plural(count, 'package')} as the build does")
        started = time.perf_counter()
        build = install.install(site)
        if then is not None:
            then(work.prefix, place.app)
        installing = time.perf_counter() - started
        layout = layout_of(target, plan.manager)
        weights = weigh(
            work.prefix, before, layout, packages=site.packages, provided=target.provided
        )
        progress(f"compressing {mb(weights.plain_bytes + weights.bytecode_bytes)} MB")
        started = time.perf_counter()
        slug = gzipped(site.packages, weights.files, place.app, below=target.platform.prefix)
        seconds = installing + time.perf_counter() - started
        limited = any(limit.figure == "zipped" for limit in target.platform.limits)
        zipped = archived(site.packages, weights.files, place.app) if limited else None
        longer = len(str(work.prefix)) - len(target.platform.prefix)
        done = _verification(plan, python.version, build, weights, slug, seconds, notes, longer)
        verification = replace(done, zipped_bytes=zipped)
        yield Built(
            prefix=work.prefix, packages=site.packages, app=place.app, verification=verification
        )


def _space(plan: Plan) -> int:
    sizes = plan.sizes
    app = sum(member.size for member in plan.files)
    installed = sizes.plain_bytes + sizes.bytecode_bytes
    fetched = {Manager.UV: installed, Manager.PIPENV: 2 * sizes.download_bytes}
    more = fetched.get(plan.manager, sizes.download_bytes)
    return int(_SPACE_FACTOR * (installed + more) + app) + _SPACE_FOR_TOOLS


def _verification(
    plan: Plan, python: str, build: Build, weights: Weights, slug: int, seconds: float,
    notes: tuple[str, ...], longer: int,
) -> Verification:  # fmt: skip
    """Put the figures together; ``longer``: how much longer the prefix is than the target's."""
    sizes = plan.sizes
    others = [part.installed for part in sizes.parts]
    unverified = [part.slug for part in slug_parts.unverified(sizes.parts)]
    return Verification(
        python=python,
        installer=build.installer,
        command=build.command,
        seconds=seconds,
        installed_bytes=weights.plain_bytes + weights.bytecode_bytes,
        bytecode_bytes=weights.bytecode_bytes,
        slug_bytes=slug,
        predicted_seconds=plan.seconds,
        predicted_installed=figures.without(sizes.installed, others),
        predicted_bytecode=_predicted_bytecode(plan),
        predicted_slug=figures.without(sizes.slug, unverified),
        predicted_zipped=sizes.zipped,
        plain_by_name=tuple(sorted(weights.plain.items())),
        bytecode_by_name=tuple(sorted(weights.bytecode.items())),
        notes=(*notes, *build.notes, *_differences(plan, weights, python, longer)),
    )


def _predicted_bytecode(plan: Plan) -> Estimate[int]:
    sizes = plan.sizes
    percent = bytecode.systematic_percent(sizes.target.minor)
    return figures.total([d.bytecode for d in sizes.distributions], systematic_percent=percent)


def _differences(plan: Plan, weights: Weights, python: str, longer: int) -> Iterator[str]:
    if python != plan.sizes.target.python_version:
        yield f"installed with Python {python}; the target has {plan.sizes.target.python_version}"
    if longer:
        yield (
            f"the temporary folder's path is {abs(longer)} characters "
            f"{'longer' if longer > 0 else 'shorter'} than the target's: the installed sizes are "
            "corrected for this, the slug is not"
        )
    if not has_gzip():
        yield "compressed by zlib, which is within 0.4 % of gzip: gzip is not installed"
    predicted = {d.name: d.distribution.version for d in plan.sizes.distributions}
    others = {
        name: f"{name} {version}"
        for name, version in weights.versions.items()
        if name not in predicted or not _same(predicted[name], version)
    }
    if more := [text for name, text in others.items() if name not in predicted]:
        yield f"installed, but not predicted: {_named(more)}"
    if changed := [text for name, text in others.items() if name in predicted]:
        yield f"installed in another version than predicted: {_named(changed)}"
    if missing := sorted(set(predicted) - set(weights.versions)):
        yield f"predicted, but not installed: {_named(missing)}"


def _same(predicted: str, installed: str) -> bool:
    try:
        return reading.version(predicted) == reading.version(installed)
    except InvalidVersion:
        return predicted == installed


def _named(names: list[str]) -> str:
    return listed(sorted(names), _NAMED)

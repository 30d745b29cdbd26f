"""The RAM floor of an app: what its processes have in memory once they have imported.

The imports are those of the app's own code, followed from the process that serves, with the models
that it loads meanwhile; without code, or where no file names that process, the main module of each
direct requirement stands for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import MeasureError, UsageError
from slugcheck.memory import loaded
from slugcheck.memory.floor import Installed, floor
from slugcheck.memory.workers import together
from slugcheck.model import (
    Distribution,
    Dyno,
    Estimate,
    Inventory,
    Scan,
    SizeReport,
    Target,
    WebProcess,
    When,
)
from slugcheck.model.memory import MachineFloor, RamFloor
from slugcheck.packages.modules import InstalledModules
from slugcheck.project import imports, processes
from slugcheck.project.app import Subject
from slugcheck.project.source import Code, Source
from slugcheck.text import printable

_SHOWN = 60  # characters of an entry that a message repeats
_Inventories = Sequence[tuple[Distribution, Inventory]]


def of(
    subject: Subject,
    sizes: SizeReport,
    inventories: _Inventories,
    *,
    entry: str | None = None,
    dockerfile: Path | None = None,
    parsed: dict[str, Source] | None = None,
) -> RamFloor | None:
    """Return the floor of an app on its target; None where no wheel could be read.

    ``entry`` is what the user names as the process that serves, or its whole command;
    ``dockerfile`` the one that the platform builds from. ``parsed`` is what ``parse`` returned for
    the same target, if it was called.

    :raises UsageError: ``entry`` is not in the project, or there is no project.
    :raises MeasureError: the Procfile cannot be read, or the table of imports is damaged.
    """
    target = sizes.target
    if entry is not None and subject.project is None:
        hint = "name the app's folder in place of the file"
        raise UsageError("--entry needs a project folder", hint=hint)
    if not inventories or target.stack.is_pyodide:
        return None
    modules = InstalledModules(inventories, provided=target.provided, complete=not sizes.unsized)
    started, scan = _scanned(subject, sizes, modules, entry, dockerfile, parsed)
    # a function has one process for each instance
    process = scan.process if target.platform.starts_workers else None
    if process and (refused := processes.refusal(process.workers, target.dyno)):
        scan = replace(scan, notes=(*scan.notes, refused))
    installed = tuple(_installed(sizes, inventories))
    names = {path for found in scan.imports if found.when is not When.LATER for path in found.paths}
    names.update(process.modules if process else ())
    provider = modules.distribution_of
    # sorted: the same report each time
    bare = floor(sorted(names), installed, python=target.minor, provider=provider)
    worker = loaded.added(bare, loaded.files(scan.models, _file_sizes(subject, links=False)))
    server = None
    if process is not None:
        server = floor(process.modules, installed, python=target.minor, provider=provider)

    def on(dyno: Dyno | None) -> tuple[int, Estimate[int]]:
        if process is None:
            return 1, worker.resident
        count = processes.worker_count(process.workers, dyno) or 1
        master = server if process.supervisor or count > 1 else None
        forks = processes.forks(process)
        return count, together(worker, count, master, forks=forks, preload=process.preload)

    workers, total = on(target.dyno)
    return RamFloor(
        worker=worker,
        scan=scan,
        workers=workers,
        origin=processes.worker_origin(process.workers, target.dyno) if process else "",
        preload=process is not None and process.preload,
        total=total,
        machines=tuple(
            MachineFloor(dyno=dyno, workers=count, total=sum_)
            for dyno in target.platform.dynos
            for count, sum_ in [on(dyno)]
        ),
        worker_doubts=_worker_doubts(started, subject, target, entry),
    )


def parse(
    subject: Subject, target: Target, *, entry: str | None = None, dockerfile: Path | None = None
) -> dict[str, Source]:
    """Parse the app's code that ``of`` will follow, as far as that is known without any package.

    It takes most of the time of ``of``, and can run while packages are resolved. Mistakes are left
    for ``of`` to report.
    """
    found: dict[str, Source] = {}
    if subject.project is None or subject.files is None or target.stack.is_pyodide:
        return found
    code = _code(subject)
    with suppress(UsageError, MeasureError):
        process = _process(subject, code, target, entry, dockerfile)
        if process is not None and process.entries:
            nothing = InstalledModules((), complete=False)
            imports.scan(process, code, nothing, minor=target.minor, parsed=found)
    return found


def _code(subject: Subject) -> Code:
    return Code(folder=subject.path, top=subject.top, paths=frozenset(_file_sizes(subject)))


def _process(
    subject: Subject, code: Code, target: Target, entry: str | None, dockerfile: Path | None
) -> WebProcess | None:
    if dockerfile is not None and not reading.belongs(dockerfile, subject.top):
        dockerfile = None  # the user's own, of an app elsewhere
    return processes.web_process(
        code, entry=entry, dockerfile=dockerfile, platform=target.platform.name
    )


def _worker_doubts(
    started: WebProcess | None,
    subject: Subject,
    target: Target,
    entry: str | None,
) -> tuple[str, ...]:
    """Return why there may be more processes than are counted."""
    named = entry is not None and not processes.is_command(entry)
    if named or subject.project is None or not target.platform.starts_workers:
        return ()  # the user has said what starts, or there is nothing to start
    if started is None:
        return ("no file says how the app is started",)
    doubts = started.doubts
    if not doubts and not started.entries:
        return (f"{started.place}: it does not say which app is started",)
    if not doubts and processes.worker_count(started.workers, target.dyno) is None:
        return (f"{started.place}: the number of workers is not known",)
    return doubts


def _scanned(
    subject: Subject,
    sizes: SizeReport,
    modules: InstalledModules,
    entry: str | None,
    dockerfile: Path | None,
    parsed: dict[str, Source] | None,
) -> tuple[WebProcess | None, Scan]:
    """Return the process that serves, and what it imports, or what is imported in its place."""
    process: WebProcess | None = None
    if subject.project is not None and subject.files is not None:
        code = _code(subject)
        process = _process(subject, code, sizes.target, entry, dockerfile)
        if process is not None and process.entries:
            minor = sizes.target.minor
            scan = imports.scan(process, code, modules, minor=minor, parsed=parsed)
            if entry is not None and not scan.files and not processes.is_command(entry):
                message = f"--entry {printable(entry)[:_SHOWN]}: the project has no such module"
                raise UsageError(message, hint="name one like app.py, app:app or mysite.wsgi")
            return scan.process, scan
    direct = [size.name for size in sizes.distributions if size.distribution.direct]
    scan = imports.of_requirements(direct, modules)
    return process, replace(scan, notes=(*(process.notes if process else ()), *scan.notes))


def _file_sizes(subject: Subject, *, links: bool = True) -> dict[str, int]:
    """Return the bytes of each of the app's files; a link has none, whatever it leads to."""
    members = subject.files.files if subject.files is not None else ()
    return {member.path: member.size for member in members if links or member.link is None}


def _installed(sizes: SizeReport, inventories: _Inventories) -> Iterator[Installed]:
    """Yield the distributions as their memory depends on them."""
    entries = {distribution.name: inventory.entries for distribution, inventory in inventories}
    requires: dict[str, list[str]] = {}
    for size in sizes.distributions:
        for name in size.required_by:
            requires.setdefault(name, []).append(size.name)
    for size in sizes.distributions:
        yield Installed(
            name=size.name,
            version=size.distribution.version,
            requires=tuple(requires.get(size.name, ())),
            entries=entries.get(size.name, ()),
        )

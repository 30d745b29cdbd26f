"""What the target would install: resolved or read from a lock, with every wheel's directory.

All network access of a check starts here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.errors import BuildError, MeasureError, UsageError
from slugcheck.model import (
    Distribution,
    IndexOptions,
    Inventory,
    Manager,
    Obstacle,
    Resolution,
    SourceBuild,
    Target,
    Transfer,
    Unsized,
)
from slugcheck.model.options import Options
from slugcheck.packages import graph
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.inventories import (
    VARIABLE,
    Cache,
    Inventories,
    default_folder,
    is_fresh,
    trusted_folder,
    uv_cache_folder,
)
from slugcheck.packages.index.urls import local_path
from slugcheck.packages.refusals import refused_metadata
from slugcheck.packages.requirements.indexes import configured
from slugcheck.packages.resolve.resolution import Known, Resolved, SettlingResolver
from slugcheck.packages.resolve.stand_ins import StandInMemory
from slugcheck.packages.resolve.uv import ResolverSettings, Uv
from slugcheck.packages.shared import SharedPackages
from slugcheck.platforms import tags
from slugcheck.project.app import Subject

if TYPE_CHECKING:
    from slugcheck.packages.index.choice import Chooser
    from slugcheck.packages.index.pages import Pages
    from slugcheck.packages.locks.pins import Locked
    from slugcheck.packages.resolve.sources import StandIns

# One connection each. Sixteen are 0.1 s faster at 40 ms, but as many simultaneous look-ups of one
# name have been seen to stall for the resolver's time-out of 5 s.
_READERS = 8
# A resolution can be overtaken by what its own new distributions ask for, but not for ever.
_MAX_RESOLUTIONS = 4
# Versions of one project that pip refuses may follow each other: celery 4.4 to 5.0 are twenty.
_MOST_REFUSALS = 12
# As long as uv itself considers an index page fresh (the index sends max-age=600).
_FRESH_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run would install, and what of it has no size; markers are judged by the environment.

    ``transfer`` is the traffic that reading it took.
    """

    inventories: tuple[tuple[Distribution, Inventory], ...]
    unsized: tuple[Unsized, ...]
    environment: Mapping[str, str]
    transfer: Transfer


class DependencyReader:
    """One run's way to the packages, used as a context manager: ``resolve``, exhaust ``read``."""

    def __init__(
        self,
        subject: Subject,
        place: Target,
        options: Options,
        *,
        known: Known | None = None,
        shared: SharedPackages | None = None,
    ) -> None:
        """Prepare; nothing touches the network yet.

        ``known`` is what an earlier run of nearly the same requirements found out: what it resolved
        is not looked at again for newer versions, and a slow server is given up on. ``shared`` are
        the packages of a run for several targets.

        :raises UsageError: the options exclude each other.
        """
        if options.offline and options.refresh:
            message = "--offline asks no index, and --refresh asks every one"
            raise UsageError(message, hint="give one of them")
        self._known = known
        self.shared = shared
        self._subject = subject
        self._options = options
        self._target = place
        self.environment = tags.marker_environment(place)
        self._tags = tags.supported_tags(place)
        named = options.named or subject.path
        checkouts = {reading.checkout_of(subject.path), reading.checkout_of(named)}
        self._cache = _cache(checkouts) if options.use_cache else Cache(None)
        self._uv_cache, self._uv_problem = (
            _trusted(uv_cache_folder(), checkouts, "UV_CACHE_DIR")
            if options.use_cache
            else (None, None)
        )
        # a run for several targets has caches of its own where the user's are not used
        self._cache_problem = self._cache.problem
        if shared is not None and not self._cache.is_used:
            self._cache = Cache(shared.place("slugcheck"))
        no_uv_cache = self._uv_cache is None
        self._run_uv_cache = shared.place("uv") if shared is not None and no_uv_cache else None
        self._client = HttpClient(
            index=subject.index,
            offline=options.offline,
            local=_local_places(subject, options),
            memory=shared.ranges if shared else None,
        )
        self._store = Inventories(
            client=self._client, cache=self._cache, shared=shared.wheels if shared else None
        )
        self._stack = ExitStack()
        self._stack.enter_context(self._client)
        self._inventories: list[tuple[Distribution, Inventory]] = []
        self._unread: list[Unsized] = []
        self._resolver: SettlingResolver | None = None
        self._resolved: Resolved | None = None
        self._lock_sha256 = ""
        self._obstacles: list[Obstacle] = []
        self._taken_over: tuple[tuple[Obstacle, ...], tuple[str, ...]] = ((), ())

    def __enter__(self) -> DependencyReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def client(self) -> HttpClient:
        """The client of this run."""
        return self._client

    @property
    def cache(self) -> Cache:
        """The cache of this run."""
        return self._cache

    @property
    def store(self) -> Inventories:
        """Where inventories come from."""
        return self._store

    @cached_property
    def pages(self) -> Pages:
        """The pages of the indexes."""
        from slugcheck.packages.index.pages import cutoff

        newest = self._options.exclude_newer
        limit = cutoff(newest) if newest else None
        return self._pages_of(self._subject.index, limit)

    def _pages_of(self, index: IndexOptions, newest: datetime | None = None) -> Pages:
        from slugcheck.packages.index.pages import Pages

        shared = self.shared.pages if self.shared else None
        return Pages(self._client, index, exclude_newer=newest, shared=shared)

    @cached_property
    def chooser(self) -> Chooser:
        """What chooses among the files of a page, as pip does."""
        from slugcheck.packages.index.choice import Chooser

        return Chooser(self._tags, self._target.python_version, self._subject.index)

    # ----------------------------------------------------------------- results

    @property
    def inventories(self) -> tuple[tuple[Distribution, Inventory], ...]:
        """What has been read so far."""
        return tuple(self._inventories)

    @property
    def pins(self) -> dict[str, str]:
        """The resolved versions by name."""
        return {
            distribution.name: distribution.version
            for distribution in self._solution.resolution.distributions
        }

    @property
    def unsized(self) -> tuple[Unsized, ...]:
        """The packages without a size: left out of the resolution, or not readable."""
        spared = {unsized.name for unsized in self._subject.without if unsized.origin is None}
        spared -= self._required() if spared else set()
        left_out = self._solution.resolution.unsized
        kept = (unsized for unsized in left_out if unsized.name not in spared)
        return (*kept, *self._unread)

    def _required(self) -> set[str]:
        """Return the names that a distribution requires on the target."""
        lines = (graph.parse(line) for _, i in self._inventories for line in i.requires_dist)
        return {
            canonicalize_name(line.name)
            for line in lines
            if line is not None and graph.applies(line, self.environment)
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the resolution and the cache."""
        problems = (self._cache_problem, self._cache.problem, self._uv_problem)
        return (*self._solution.resolution.notes, *dict.fromkeys(filter(None, problems)))

    @property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """What is in the way of installing the file or lock as it is."""
        return (*self._obstacles, *self.refused)

    @property
    def sha256(self) -> str:
        """Of the file that decides what is installed, with its includes."""
        read = self._subject.requirements
        return read.sha256 if read is not None else self._lock_sha256

    def result(self) -> Found:
        """Return everything that was found; ``read`` has been exhausted."""
        return Found(
            inventories=self.inventories,
            unsized=self.unsized,
            environment=self.environment,
            transfer=self.transfer(),
        )

    @property
    def refused(self) -> tuple[Obstacle, ...]:
        """What pip refuses in the file; something else was resolved in its place."""
        if self._resolver is None:
            return self._taken_over[0]
        return self._resolver.obstacles(self._solution)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The resolver's own reasons for what it could not resolve, whole."""
        return self._resolver.reasons if self._resolver else self._taken_over[1]

    def transfer(self) -> Transfer:
        """Return the traffic of this run."""
        return self._store.transfer()

    # ----------------------------------------------------------------- resolve and read

    def asks_the_same(self, other: DependencyReader) -> bool:
        """Whether another reader asks for the same packages, for the same Python and system."""
        own, theirs, place = self._subject, other._subject, self._target
        return (
            (own.requirements, own.lock, own.manager, own.index, own.without)
            == (theirs.requirements, theirs.lock, theirs.manager, theirs.index, theirs.without)
            and (place.stack.glibc, place.stack.arch, place.python_version)
            == (other._target.stack.glibc, other._target.stack.arch, other._target.python_version)
        )  # fmt: skip

    def take_over(self, other: DependencyReader) -> bool:
        """Use what another reader has found; False where this one may find something else.

        ``other`` asks the same and has read. What is in the way, and what is built from source, is
        told in the words of its platform: which Pythons it offers, and whether it has a GPU.
        """
        found = other._solution
        plain = all(d.source_build is None for d in found.resolution.distributions)
        if not (plain and not other.obstacles) and not _alike(self._target, other._target):
            return False
        self._resolved = found
        self._inventories, self._unread = list(other._inventories), list(other._unread)
        self._lock_sha256 = other._lock_sha256
        self._obstacles = list(other._obstacles)
        self._taken_over = other.refused, other.reasons
        return True

    def resolve(self, *, loosen: bool = False) -> None:
        """Resolve the file for the target, or read the lock.

        With ``loosen`` what pip refuses becomes ``obstacles``, and the rest is resolved.

        :raises MeasureError: the requirements cannot be resolved.
        """
        wanted = self._subject.requirements
        if wanted is None:
            self._resolved = self._from_lock()
            return
        if not wanted.requirements and not wanted.set_aside:  # a project's file may be empty
            nothing = Resolution(distributions=(), unsized=(), notes=wanted.notes, resolver="")
            self._resolved = Resolved(resolution=nothing, inventories={})
            return
        self._resolver = SettlingResolver(
            requirements=wanted,
            target=self._target,
            uv=self._uv(),
            memory=StandInMemory(self._cache, used=self._remembers),
            make_stand_ins=self._stand_ins,
            environment=self.environment,
            tags=self._tags,
            loosen=loosen,
            without=self._subject.without,
            known=self._known,
        )
        self._stack.enter_context(self._resolver)
        self._resolved = self._resolver.run()
        if loosen and not self._resolved.resolution.distributions and self.refused:
            from slugcheck.packages.resolve.conflicts import refusal

            raise refusal(self.refused, self.reasons)

    def read(self) -> Iterator[tuple[int, int]]:
        """Read every distribution's directory, yielding (done, of how many) as it goes.

        A distribution that cannot be read becomes unsized. If pip would choose other versions than
        the first resolution (``Resolver.overtaken``, ``_refused_by_pip``), the new resolution is
        read as well.
        """
        yield from self._read_settled()
        for _ in range(_MOST_REFUSALS):
            refused = self._refused_by_pip()
            if not refused or self._resolver is None:
                return
            loose = {
                name: distribution.version
                for name, (distribution, _, _) in refused.items()
                if not self._resolver.is_pinned(name)
            }
            others = self._resolver.without(loose) if loose else None
            if others is None:
                break
            self._resolved = others
            yield from self._read_settled()
        self._mark(self._refused_by_pip())

    def _refused_by_pip(self) -> dict[str, tuple[Distribution, Inventory, str]]:
        """Return what pip refuses for its metadata, though the resolver takes it, by name."""
        if self._subject.manager is not Manager.PIP:
            return {}
        python = self._target.python_version
        return {
            distribution.name: (distribution, inventory, reason)
            for distribution, inventory in self._inventories
            if distribution.source_build is None and (reason := refused_metadata(inventory, python))
        }

    def _mark(self, refused: Mapping[str, tuple[Distribution, Inventory, str]]) -> None:
        """Say of distributions that pip refuses them; nothing else can be installed instead."""
        offered = [release.minor for release in self._target.platform.pythons]
        for place, (distribution, inventory) in enumerate(self._inventories):
            if distribution.name not in refused:
                continue
            reason = refused[distribution.name][2]
            fitting = tuple(m for m in offered if not refused_metadata(inventory, f"{m}.99"))
            build = SourceBuild(
                reason=reason, native=False, method="its own wheel", nearest=None,
                newest_python_with_wheel=fitting[-1] if fitting else None,
                pythons_with_wheels=fitting, low_factor=1.0, high_factor=1.0, failure=reason,
                refused=True, wheel_fits=True,
            )  # fmt: skip
            self._inventories[place] = (replace(distribution, source_build=build), inventory)

    def _read_settled(self) -> Iterator[tuple[int, int]]:
        for left in reversed(range(_MAX_RESOLUTIONS)):
            with ThreadPoolExecutor(1) as pool:
                candidates = pool.submit(self._newer)
                yield from self._read_once()
                names = candidates.result()
            if not names or not left or self._resolver is None:
                return
            requires = {d.name: inventory.requires_dist for d, inventory in self._inventories}
            overtaken = self._resolver.overtaken(self._solution, names, requires)
            if overtaken is None:
                self._settle(self._resolver)
                return
            self._resolved = overtaken

    def _newer(self) -> frozenset[str]:
        """Return the names that pip may resolve otherwise, unless that was settled minutes ago."""
        if self._resolver is None or self._options.offline or self._known is not None:
            return frozenset()
        memory = None
        if not self._options.refresh:
            memory = self._cache.load("settled", self._resolver.fingerprint(self._solution))
        if memory is not None and is_fresh(memory, _FRESH_SECONDS) and not self._is_local:
            return frozenset()
        names = self._resolver.newer(self._solution)
        if not names:
            self._settle(self._resolver)
        return names

    def _settle(self, resolver: SettlingResolver) -> None:
        self._cache.store("settled", resolver.fingerprint(self._solution), {"at": time.time()})

    def _read_once(self) -> Iterator[tuple[int, int]]:
        resolved = self._solution
        distributions = resolved.resolution.distributions
        self._inventories, self._unread = [], []

        def read(distribution: Distribution) -> Inventory:
            known = resolved.inventories.get(distribution.name)
            if known is None and self._known is not None:
                known = self._known.inventories.get(distribution.artifact.url)
            return known or self._store.inventory(distribution.artifact)

        for distribution, answer in _iter_inventories(distributions, read):
            if isinstance(answer, Unsized):
                self._unread.append(answer)
            else:
                self._inventories.append((distribution, answer))
            yield len(self._inventories) + len(self._unread), len(distributions)

    @property
    def _solution(self) -> Resolved:
        assert self._resolved is not None, "resolve() comes first"  # noqa: S101 - a caller's slip
        return self._resolved

    @property
    def _remembers(self) -> bool:
        """Whether what an earlier run made of source archives may count."""
        return not (self._options.build or self._options.refresh or self._is_local)

    @property
    def _is_local(self) -> bool:
        """Whether packages come from local folders, whose content the requirements do not pin."""
        index = self._subject.index
        places = (index.index_url or "", *index.extra_index_urls, *index.find_links)
        return any("://" not in place or local_path(place) for place in filter(None, places))

    def _uv(self) -> Uv:
        settings = ResolverSettings(
            hurried=self._known is not None,
            offline=self._options.offline,
            refresh=self._options.refresh,
            no_cache=self._uv_cache is None and self._run_uv_cache is None,
            cache=self._run_uv_cache,
            exclude_newer=self._options.exclude_newer,
        )
        return Uv(target=self._target, options=self._subject.index, settings=settings)

    def _stand_ins(self) -> StandIns:
        from slugcheck.packages.resolve.sources import StandIns

        return StandIns(
            client=self._client,
            cache=self._cache,
            pages=self.pages,
            store=self._store,
            target=self._target,
            chooser=self.chooser,
            build=self._options.build,
            archives=self.shared.archives if self.shared else None,
        )

    # ----------------------------------------------------------------- locks

    def _from_lock(self) -> Resolved:
        path, manager = self._subject.lock, self._subject.manager
        assert path is not None, "no requirements and no lock"  # noqa: S101 - a caller's slip
        if manager is Manager.PIP:
            from slugcheck.packages.locks import pylock

            distributions, unsized, self._lock_sha256 = pylock.read(
                path, self.environment, self._tags, top=self._subject.top
            )
            return self._stood_in(distributions, unsized, (), path.name)
        lock = self._project_lock(path, manager)
        self._lock_sha256 = lock.sha256
        return self._stood_in(lock.distributions, lock.unsized, lock.notes, lock.resolver)

    def _project_lock(self, path: Path, manager: Manager) -> Locked:
        from slugcheck.packages.locks import pipenv, poetry, uv
        from slugcheck.packages.locks.pins import Shelves

        top = self._subject.top
        if manager is Manager.UV:
            return uv.read(
                path,
                top=top,
                uv=self._uv(),
                environment=self.environment,
                tags=self._tags,
                refuse=self._refuse,
                selection=uv.Selection(
                    groups=self._options.groups,
                    extras=self._options.extras,
                    default_groups=self._options.default_groups,
                ),
                frozen=self._subject.build is not None,
            )
        shelves = Shelves(self.pages, lambda url: self._pages_of(IndexOptions(index_url=url)))
        if manager is Manager.POETRY:
            return poetry.read(
                path,
                top=top,
                environment=self.environment,
                chooser=self.chooser,
                shelves=shelves,
                refuse=self._refuse,
            )
        return pipenv.read(
            path,
            top=top,
            environment=self.environment,
            chooser=self.chooser,
            shelves=shelves,
            variables=self._options.variables,
            refuse=self._refuse,
        )

    def _refuse(self, error: BuildError) -> None:
        self._obstacles.append(Obstacle.of(error))

    def _stood_in(
        self,
        distributions: tuple[Distribution, ...],
        unsized: tuple[Unsized, ...],
        notes: tuple[str, ...],
        resolver: str,
    ) -> Resolved:
        """Replace the source archives of a lock by stand-ins."""
        stand_ins = self._stand_ins()
        inventories, kept, aside = {}, [], list(unsized)
        for distribution in distributions:
            if distribution.artifact.filename.endswith(".whl"):
                kept.append(distribution)
                continue
            stand_in = stand_ins.from_locked(distribution)
            if isinstance(stand_in, Unsized):
                aside.append(stand_in)
            else:
                kept.append(stand_in.replacing(distribution))
                inventories[distribution.name] = stand_in.inventory
        resolution = Resolution(
            distributions=tuple(kept), unsized=tuple(aside), notes=notes, resolver=resolver
        )
        return Resolved(resolution=resolution, inventories=inventories)


def _alike(place: Target, other: Target) -> bool:
    """Whether advice on packages is the same for two platforms."""
    pythons, others = (
        [(release.minor, release.version, release.status) for release in p.pythons]
        for p in (place.platform, other.platform)
    )
    return pythons == others and place.platform.gpu == other.platform.gpu


def _local_places(subject: Subject, options: Options) -> list[Path]:
    """Return the folders that local packages may be in: the checkout, and those the user named.

    A mirror has its pages in ``simple/`` and the files that they link beside it.
    """
    given = configured(options)
    urls = (given.index_url or "", *given.extra_index_urls)
    pages = [path.resolve() for url in urls if (path := local_path(url)) is not None]
    places = [Path(link) if "://" not in link else local_path(link) for link in given.find_links]
    links = [path.resolve() for path in places if path is not None]
    folders = [path if path.is_dir() else path.parent for path in links]
    return [subject.top, *folders, *(page.parent for page in pages)]


def _cache(checkouts: Iterable[Path]) -> Cache:
    folder, problem = _trusted(default_folder(), checkouts, VARIABLE)
    return Cache(folder, problem=problem)


def _trusted(
    folder: Path, checkouts: Iterable[Path], variable: str
) -> tuple[Path | None, str | None]:
    """Return the cache folder, or why it is not used: it lies in one of the checkouts."""
    for checkout in checkouts:
        trusted, problem = trusted_folder(folder, checkout, variable=variable)
        if trusted is None:
            return None, problem
    return folder, None


def _iter_inventories(
    distributions: Sequence[Distribution], read: Callable[[Distribution], Inventory]
) -> Iterator[tuple[Distribution, Inventory | Unsized]]:
    """Yield each distribution with its inventory, in the given order, reading several at once.

    One that cannot be read becomes unsized, with its reason.
    """

    def attempt(distribution: Distribution) -> Inventory | Unsized:
        try:
            return read(distribution)
        except MeasureError as error:
            return Unsized(
                name=distribution.name,
                version=distribution.version,
                reason=str(error),
                origin=distribution.origins[0] if distribution.origins else None,
            )

    pool = ThreadPoolExecutor(_READERS)
    try:
        yield from zip(distributions, pool.map(attempt, distributions), strict=True)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

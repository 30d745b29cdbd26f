"""The main job from end to end: a requirements file in, a report out.

Reads as the table of contents of the program: read, choose the target, resolve, read the wheels'
directories, size, judge, advise. Each step is one call into the module that does it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from slugcheck import __version__, budget, platforms, target
from slugcheck.errors import MeasureError
from slugcheck.index.cache import Cache, default_folder, is_fresh
from slugcheck.index.overtaken import SettlingResolver
from slugcheck.index.ranges import HttpClient
from slugcheck.index.resolve import Resolved
from slugcheck.index.standin import StandInMemory
from slugcheck.index.uv import ResolverSettings, Uv
from slugcheck.index.warehouse import Warehouse
from slugcheck.model import (
    Artifact,
    Distribution,
    Finding,
    IndexOptions,
    Inventory,
    Report,
    Resolution,
    SizeReport,
    Target,
    Unsized,
)
from slugcheck.options import Options, indexes, read_requirements

if TYPE_CHECKING:
    from slugcheck.advise import Twin
    from slugcheck.index.choice import Chooser
    from slugcheck.index.pages import Pages
    from slugcheck.index.standins import StandIns

# A resolution can be overtaken by what its own new distributions ask for, but not for ever.
_MAX_RESOLUTIONS = 4
# As long as uv itself takes an index page for fresh (the index sends max-age=600).
_FRESH_SECONDS = 600.0


class Check:
    """One run, used as a context manager: ``resolve``, exhaust ``read``, then ``report``."""

    def __init__(self, options: Options) -> None:
        """Read the file and choose the target; nothing touches the network yet.

        :raises UsageError: the file, the platform or a limit is wrong.
        """
        self._started = time.perf_counter()
        self._options = options
        platform = platforms.load(options.platform)
        self._limits = budget.apply_overrides(platform.limits, dict(options.limits))
        self._set = read_requirements(options)
        self.target: Target = target.choose(
            platform,
            stack=options.stack,
            python=options.python,
            dyno=options.dyno,
            folder=options.path.parent,
        )
        self._environment = target.marker_environment(self.target)
        self._tags = target.supported_tags(self.target)
        self._cache = Cache(default_folder() if options.use_cache else None)
        self._client = HttpClient(index=self._index, offline=options.offline)
        self._warehouse = Warehouse(client=self._client, cache=self._cache)
        self._stack = ExitStack()
        self._stack.enter_context(self._client)
        self._inventories: list[tuple[Distribution, Inventory]] = []
        self._unread: list[Unsized] = []
        self._resolver: SettlingResolver | None = None
        self._resolved: Resolved | None = None
        self._lock_sha256 = ""

    def __enter__(self) -> Check:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def _index(self) -> IndexOptions:
        return self._set.options if self._set else indexes(self._options)

    @cached_property
    def _pages(self) -> Pages:
        from slugcheck.index.pages import Pages, cutoff

        newest = self._options.exclude_newer
        return Pages(self._client, self._index, exclude_newer=cutoff(newest) if newest else None)

    @cached_property
    def _chooser(self) -> Chooser:
        from slugcheck.index.choice import Chooser

        return Chooser(self._tags, self.target.python_version, self._index)

    # ----------------------------------------------------------------- resolve and read

    def resolve(self) -> None:
        """Resolve the file for the target, or read the lock.

        :raises MeasureError: there is no resolution to be had.
        """
        threading.Thread(target=_preload, daemon=True).start()
        if self._set is None:
            self._resolved = self._from_lock()
            return
        self._resolver = SettlingResolver(
            requirements=self._set,
            target=self.target,
            uv=self._uv(),
            memory=StandInMemory(self._cache, used=not self._options.build),
            make_stand_ins=self._stand_ins,
            environment=self._environment,
            tags=self._tags,
        )
        self._stack.enter_context(self._resolver)
        self._resolved = self._resolver.run()

    def read(self) -> Iterator[tuple[int, int]]:
        """Read every distribution's directory, yielding (done, of how many) as it goes.

        What cannot be read is kept as unsized. Where pip would have chosen otherwise than the
        first resolution (Resolver.overtaken), the new one is read as well.
        """
        for left in reversed(range(_MAX_RESOLUTIONS)):
            with ThreadPoolExecutor(1) as pool:
                candidates = pool.submit(self._newer)
                yield from self._read_once()
                names = candidates.result()
            if not names or not left or self._resolver is None:
                return
            requires = {d.name: inventory.requires_dist for d, inventory in self._inventories}
            overtaken = self._resolver.overtaken(self._found, names, requires)
            if overtaken is None:
                self._settle(self._resolver)
                return
            self._resolved = overtaken

    def _newer(self) -> frozenset[str]:
        """Ask what pip may see beyond the resolution, unless that was settled minutes ago."""
        if self._resolver is None or self._options.offline:
            return frozenset()
        memory = self._cache.load("settled", self._resolver.fingerprint(self._found))
        if memory is not None and is_fresh(memory, _FRESH_SECONDS):
            return frozenset()
        names = self._resolver.newer(self._found)
        if not names:
            self._settle(self._resolver)
        return names

    def _settle(self, resolver: SettlingResolver) -> None:
        self._cache.store("settled", resolver.fingerprint(self._found), {"at": time.time()})

    def _read_once(self) -> Iterator[tuple[int, int]]:
        from slugcheck import sizer

        resolved = self._found
        distributions = resolved.resolution.distributions
        self._inventories, self._unread = [], []

        def read(distribution: Distribution) -> Inventory:
            known = resolved.inventories.get(distribution.name)
            return known or self._warehouse.inventory(distribution.artifact)

        for distribution, answer in sizer.iter_inventories(distributions, read):
            if isinstance(answer, Unsized):
                self._unread.append(answer)
            else:
                self._inventories.append((distribution, answer))
            yield len(self._inventories) + len(self._unread), len(distributions)

    @property
    def _found(self) -> Resolved:
        assert self._resolved is not None, "resolve() comes first"  # noqa: S101 - a caller's slip
        return self._resolved

    def _from_lock(self) -> Resolved:
        from slugcheck.index import lock

        distributions, unsized, self._lock_sha256 = lock.read(
            self._options.path, self._environment, self._tags
        )
        stand_ins = self._stand_ins()
        inventories, kept, aside = {}, [], list(unsized)
        for distribution in distributions:
            if distribution.artifact.filename.endswith(".whl"):
                kept.append(distribution)
                continue
            found = stand_ins.from_locked(distribution)
            if isinstance(found, Unsized):
                aside.append(found)
            else:
                kept.append(found.replacing(distribution))
                inventories[distribution.name] = found.inventory
        resolution = Resolution(
            distributions=tuple(kept), unsized=tuple(aside), notes=(), resolver="pylock.toml"
        )
        return Resolved(resolution=resolution, inventories=inventories)

    def _uv(self) -> Uv:
        settings = ResolverSettings(
            offline=self._options.offline,
            no_cache=not self._options.use_cache,
            exclude_newer=self._options.exclude_newer,
        )
        return Uv(target=self.target, options=self._index, settings=settings)

    def _stand_ins(self) -> StandIns:
        from slugcheck.index.standins import StandIns

        return StandIns(
            client=self._client,
            cache=self._cache,
            pages=self._pages,
            warehouse=self._warehouse,
            target=self.target,
            chooser=self._chooser,
            build=self._options.build,
        )

    @property
    def inventories(self) -> tuple[tuple[Distribution, Inventory], ...]:
        """What has been read so far."""
        return tuple(self._inventories)

    # ----------------------------------------------------------------- report

    def report(self) -> Report:
        """Return the whole report; ``read`` has been exhausted."""
        from slugcheck import buildtime, parts, sizer

        resolution = self._found.resolution
        sizes = sizer.measure(
            target=self.target,
            inventories=self._inventories,
            unsized=(*resolution.unsized, *self._unread),
            environment=self._environment,
            parts=parts.runtime_parts(
                self.target, {distribution.name for distribution, _ in self._inventories}
            ),
            transfer=self._warehouse.transfer(),
        )
        allowed = tuple(canonicalize_name(name) for name in self._options.allow_unsized)
        verdicts = budget.judge(
            sizes,
            buildtime.predict(sizes),
            self._limits,
            allowed_unsized=allowed,
            allow_all_unsized=self._options.allow_all_unsized,
        )
        return Report(
            path=str(self._options.path),
            kind="pylock" if self._options.is_lock else "requirements",
            sha256=self._sha256(),
            sizes=sizes,
            verdicts=verdicts,
            findings=self._findings(sizes),
            notes=self._notes(),
            allowed_unsized=self._allowed(sizes, allowed),
            assumptions=buildtime.assumptions(),
            seconds=time.perf_counter() - self._started,
            tool_version=__version__,
        )

    def _findings(self, sizes: SizeReport) -> tuple[Finding, ...]:
        from slugcheck import advise

        natives = any(
            d.distribution.source_build is not None and d.distribution.source_build.native
            for d in sizes.distributions
        )
        newest = self._resolver.newest_python() if natives and self._resolver else None
        return advise.findings(sizes, find_twin=self._find_twin, newest_python=newest)

    def _find_twin(self, name: str, version: str) -> Twin | None:
        from slugcheck import sizer
        from slugcheck.advise import Twin
        from slugcheck.index.pages import FileKind
        from slugcheck.installed import layout_of

        if self._options.offline:
            return None
        try:
            file = self._chooser.best_for(name, self._pages.files(name), Version(version))
            if file is None or file.kind is not FileKind.WHEEL:
                return None
            artifact = Artifact(
                filename=file.filename, url=file.url, size=file.size, sha256=file.sha256
            )
            inventory = self._warehouse.inventory(artifact)
        except MeasureError:
            return None  # the advice goes without a figure it cannot measure
        twin = Distribution(name=name, version=version, artifact=artifact, direct=True)
        sized = sizer.size_one(twin, inventory, layout_of(self.target))
        return Twin(
            name=name,
            version=version,
            installed_bytes=sized.plain.value + sized.bytecode.value,
            slug_bytes=sized.slug.value,
        )

    def _notes(self) -> tuple[str, ...]:
        notes = list(self._found.resolution.notes)
        known = self.target.python.version
        if Version(self.target.python_version) > Version(known):
            notes.append(
                f"Python {self.target.python_version} is newer than {known}, the newest of that "
                "line that slugcheck knows; whether the platform has it was not checked"
            )
        if self._cache.problem:
            notes.append(self._cache.problem)
        return tuple(notes)

    def _allowed(self, sizes: SizeReport, named: Sequence[str]) -> tuple[str, ...]:
        everything = self._options.allow_all_unsized
        return tuple(u.name for u in sizes.unsized if everything or u.name in named)

    def _sha256(self) -> str:
        if self._set is not None:
            return self._set.sha256
        return self._lock_sha256


def _preload() -> None:
    """Import what comes after the resolver, while it works in a process of its own."""
    from slugcheck import advise, buildtime, calibration, sizer
    from slugcheck.index import lock

    calibration.load()
    del advise, buildtime, lock, sizer

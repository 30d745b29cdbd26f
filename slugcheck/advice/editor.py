"""Measures what an edit of a project leads to, with as little work as that takes.

Everything that the edit does not concern keeps the version that the run resolved, so that one
resolution is enough, and what was read or computed before is used again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.advice import edits
from slugcheck.advice.edits import Edit, Pinned
from slugcheck.advice.trial import Measured
from slugcheck.errors import BuildError, MeasureError, ResolutionError
from slugcheck.model import Inventory, RequirementSet, SizeReport, Target, Transfer
from slugcheck.model.options import Options
from slugcheck.packages.locks import indexes as lock_indexes
from slugcheck.packages.resolve.resolution import Known
from slugcheck.packages.resolve.stand_ins import StandIn
from slugcheck.project.app import Subject
from slugcheck.project.dependencies import DependencyReader, Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """A finished run and its project. ``size`` is how the run sizes what a target installs."""

    subject: Subject
    target: Target
    options: Options
    base: DependencyReader
    size: Callable[[Found, Target], SizeReport]

    def measure(self, edit: Edit) -> Measured:
        """Apply an edit in memory, then resolve and size the project. Thread-safe.

        For a lock, every pin is kept that the edit does not free.

        :raises MeasureError: there is no solution, or an index cannot be reached.
        :raises BuildError: the build would refuse the project.
        """
        place = self._target_of(edit)
        if edit.only_python:
            return self._measured(self.subject, place, Known())
        pinned = self._pinned
        freed = pinned.freed_by(edit, caps=self.subject.requirements is not None)
        gone = pinned.gone(edit)
        if edit.only_removes and self._stays(freed - gone):
            return self._without(edit, gone)
        if not all(reading.is_exact(reading.requirement(line).specifier) for line in edit.lines):
            self._check_versions(edit)
        read = self._read(edit)
        known = self._known(read, freed) if place is self.target else Known()
        known = replace(known, dropped=edit.drop, lowest=edit.lowest, wheels_only=edit.wheels_only)
        if edit.wheels_only:
            builds = (made for made in known.stand_ins if made.name not in freed)
            known = replace(known, stand_ins=tuple(builds))
        lock = self.subject.requirements is None
        # the versions of another Python are others
        hold = pinned if place is self.target or lock else None
        try:
            return self._measured_with(edits.applied(edit, read, hold, freed), place, known)
        except ResolutionError:
            if hold is None or lock:
                raise
            self._check_versions(edit)
            if edit.lowest:  # the other lines stay as they are, or they would be lowered as well
                lines = {d.name for d, _ in self.base.inventories if d.direct}
                freed |= {name for name in pinned.distributions if name not in lines}
                return self._measured_with(edits.applied(edit, read, hold, freed), place, known)
            # a version that another line left open may have to change
            free = Known(unsized=known.unsized, dropped=edit.drop)
            return self._measured_with(edits.applied(edit, read), place, free)

    @property
    def _pinned(self) -> Pinned:
        return Pinned(
            distributions={d.name: (d, inventory) for d, inventory in self.base.inventories},
            environment=self.base.environment,
        )

    def _target_of(self, edit: Edit) -> Target:
        if edit.python is None or edit.python == self.target.minor:
            return self.target
        for release in self.target.platform.pythons:
            if release.minor == edit.python:
                return self.target.with_python(release, "tried as a fix")
        raise MeasureError(f"{self.target.platform.title} does not offer Python {edit.python}")

    # ------------------------------------------------------------------ without a resolver

    def _stays(self, freed: Collection[str]) -> bool:
        """Whether what is freed keeps its version all the same: an exact line holds it."""
        read = self.subject.requirements
        exact = {
            line.name
            for line in (read.requirements if read is not None else ())
            if line.specifier and reading.is_exact(reading.specifiers(line.specifier))
        }
        return all(name in exact or name not in self.base.pins for name in freed)

    def _without(self, edit: Edit, gone: Collection[str]) -> Measured:
        """Return the sizes of what is left: nothing can be resolved otherwise."""
        kept = tuple(pair for pair in self.base.inventories if pair[0].name not in gone)
        away = frozenset(edit.remove)
        contents = Found(
            inventories=kept,
            unsized=tuple(u for u in self.base.unsized if canonicalize_name(u.name) not in away),
            environment=self.base.environment,
            transfer=Transfer(),
        )
        return self._sized(contents, self.target)

    def _check_versions(self, edit: Edit) -> None:
        """Check that an index has what an edit asks for, which is faster than to resolve it again.

        :raises ResolutionError: it has no such version.
        :raises NetworkError: it cannot be reached.
        """
        if edit.index_url or self.options.offline:
            return
        for line in edit.lines:
            wanted = reading.requirement(line)
            files = self.base.pages.files(canonicalize_name(wanted.name))
            if wanted.url is None and not any(
                wanted.specifier.contains(file.version) for file in files
            ):
                raise ResolutionError(f"no version of {line} is on the index")

    # ------------------------------------------------------------------ with it

    def _read(self, edit: Edit) -> RequirementSet:
        """Return the requirements of the project; those of a lock at their locked versions."""
        read, lock, index = self.subject.requirements, self.subject.lock, self.subject.index
        if read is not None:
            return replace(read, options=index)  # without an index that could not be reached
        assert lock is not None  # noqa: S101 - a subject has either
        more = lock_indexes.read(lock, self.subject.top)
        urls = (*index.extra_index_urls, *more)
        away = {name for name, _ in edit.replace} | {*edit.remove}
        aside = [u for u in self.base.unsized if canonicalize_name(u.name) not in away]
        options = replace(index, extra_index_urls=urls)
        return edits.unlocked(str(lock), self._pinned, options, aside)

    def _known(self, read: RequirementSet, freed: Collection[str]) -> Known:
        """Return what need not be found out again."""
        builds = [
            StandIn(
                name=distribution.name,
                version=distribution.version,
                artifact=distribution.artifact,
                inventory=inventory,
                source_build=distribution.source_build,
                direct_url=False,
            )
            for distribution, inventory in self.base.inventories
            if distribution.source_build is not None and not distribution.direct_url
        ]
        urls = {line.origin for line in read.requirements if line.url is not None}
        unsized = [
            package
            for package in self.base.unsized
            if package not in read.set_aside
            and package.origin not in urls
            and canonicalize_name(package.name) not in freed
        ]
        inventories: dict[str, Inventory] = {
            distribution.artifact.url: inventory
            for distribution, inventory in self.base.inventories
            if distribution.source_build is None
        }
        return Known(stand_ins=tuple(builds), unsized=tuple(unsized), inventories=inventories)

    def _measured_with(self, requirements: RequirementSet, place: Target, known: Known) -> Measured:
        changed = replace(self.subject, requirements=requirements, index=requirements.options)
        return self._measured(changed, place, known)

    def _measured(self, subject: Subject, place: Target, known: Known) -> Measured:
        shared = self.base.shared
        with DependencyReader(subject, place, self.options, known=known, shared=shared) as other:
            other.resolve()
            for _ in other.read():
                pass
            refused = [
                obstacle for obstacle in other.obstacles if obstacle not in self.base.obstacles
            ]
            if refused:
                raise BuildError(refused[0].sentence)
            return self._sized(other.result(), place)

    def _sized(self, contents: Found, place: Target) -> Measured:
        inventories = {d.name: inventory for d, inventory in contents.inventories}
        return Measured(sizes=self.size(contents, place), inventories=inventories)

"""Makes stand-ins for distributions that the resolver cannot use as they are.

A source archive, a direct URL or a local folder is read without running it and becomes a
metadata-only wheel for the resolver (stub_wheels.py), together with the inventory that its size is
computed from. Pure Python is sized from the archive itself; native code from the nearest real
wheel, else from the amount of source code, with a wide interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name
from packaging.version import InvalidVersion, Version

from slugcheck import reading
from slugcheck.errors import MeasureError, WrongHashError
from slugcheck.model import (
    Artifact,
    BuildNeed,
    Distribution,
    Inventory,
    Origin,
    PythonRelease,
    Requirement,
    SourceBuild,
    Target,
    Unsized,
)
from slugcheck.packages import known
from slugcheck.packages.index import choice as choosing
from slugcheck.packages.index.choice import Chooser, Likeness
from slugcheck.packages.index.client import MAX_WHOLE, HttpClient
from slugcheck.packages.index.inventories import (
    Cache,
    Inventories,
)
from slugcheck.packages.index.once import Once
from slugcheck.packages.index.pages import FileKind, Pages, ProjectFile
from slugcheck.packages.index.urls import local_path
from slugcheck.packages.refusals import python_allowed, requires_another_python
from slugcheck.packages.resolve.stand_ins import Outcome, StandIn
from slugcheck.packages.sdist import sdist as building
from slugcheck.packages.sdist.contents import as_built
from slugcheck.packages.sdist.needs import Failure
from slugcheck.packages.sdist.sdist import (
    HEAD_BYTES,
    SourceArchive,
    Unreadable,
    inventory_from_source,
    load_source,
    read_folder,
    read_head,
    read_source,
)
from slugcheck.packages.stub_wheels import repair_requirement
from slugcheck.platforms.tags import supported_tags

_GZIP_TRAILER_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outlook:
    """Why a build fails on the target, or may, and the platform's Pythons that it fails not on."""

    failure: str
    doubt: str
    pythons_that_build: tuple[str, ...]


class StandIns:
    """Makes stand-ins for one target; ``archives`` are those that the run has read for others."""

    def __init__(
        self,
        *,
        client: HttpClient,
        cache: Cache,
        pages: Pages,
        store: Inventories,
        target: Target,
        chooser: Chooser,
        build: bool = False,
        archives: Once[Artifact, SourceArchive | Unreadable] | None = None,
    ) -> None:
        self.pages = pages
        self._archives = archives
        self._client = client
        self._cache = cache
        self._store = store
        self._target = target
        self._chooser = chooser
        self._build = build

    def for_name(
        self, name: str, wanted: SpecifierSet, requirements: Sequence[Requirement] = ()
    ) -> Outcome | None:
        """Return what stands for the version that pip would take; None when that is a wheel.

        :raises NetworkError: the index cannot be reached.
        :raises WrongHashError: the file's hashes are of no file on the index.
        """
        origin = requirements[0].origin if requirements else None
        every = self.pages.files(name)
        files = _allowed(every, requirements)
        if every and not files:
            raise WrongHashError(name, str(wanted).lstrip("="))
        choice = self._chooser.pip_choice(name, files, wanted)
        if choice is None:
            return self._nothing_fits(name, files, wanted, origin)
        if choice.kind is FileKind.WHEEL:
            return None
        return self._from_file(name, choice, files, origin)

    def hashed_version(
        self, name: str, wanted: SpecifierSet, requirements: Sequence[Requirement]
    ) -> Version | None:
        """Return the newest version of which the file has a hash, None if it allows none.

        :raises NetworkError: the index cannot be reached.
        """
        files = _allowed(self.pages.files(name), requirements)
        candidates = self._chooser.candidates(files, wanted)
        return candidates[0].version if candidates else None

    def _nothing_fits(
        self,
        name: str,
        files: Sequence[ProjectFile],
        wanted: SpecifierSet,
        origin: Origin | None,
    ) -> StandIn | Unsized | None:
        """Return what stands for the newest wanted version, none of whose files pip would take."""
        candidates = self._chooser.candidates(files, wanted)
        if not candidates:
            return None
        version = candidates[0].version
        own = [file for file in candidates if file.version == version]
        systems = choosing.platforms_of(own, version)
        failure = choosing.refusal(own, self._target.python_version)
        if not systems.endswith("only"):
            refused = self._refused(name, version, own, files, failure, origin)
            if refused is not None:
                return refused
        if not systems:
            reason = "the options in the file exclude all of its files, so pip fails"
        elif systems.endswith("only"):
            reason = f"its wheels are for {systems}, and there is no source archive, so pip fails"
        else:
            reason = (
                f"it has no wheel for {self._target.stack.arch} that could be sized, and no source "
                "archive, so pip fails"
            )
        return Unsized(name=name, version=str(version), reason=reason, origin=origin)

    def _refused(
        self,
        name: str,
        version: Version,
        own: Sequence[ProjectFile],
        files: Sequence[ProjectFile],
        failure: str,
        origin: Origin | None,
    ) -> StandIn | Unsized | None:
        """Return a version that pip refuses, with the size and dependencies of its nearest file."""
        wheel = choosing.closest_wheel(own, version, self._chooser.tags)
        if wheel is None:
            sources = [file for file in own if file.kind is FileKind.SDIST]
            if not sources:
                return None
            stand_in = self._from_file(name, sources[0], files, origin)
            if isinstance(stand_in, Unsized) or stand_in.source_build is None:
                return stand_in
            build = replace(stand_in.source_build, failure=failure, refused=True)
            return replace(stand_in, source_build=build)
        artifact = _artifact_of(wheel)
        try:
            inventory = self._store.inventory(artifact)
            requires = repaired_requires(inventory)
        except MeasureError as error:
            return Unsized(name=name, version=str(version), reason=str(error), origin=origin)
        likeness = choosing.likeness(wheel, files, version)
        pythons = self._pythons_with_wheels(files, version)
        return StandIn(
            name=canonicalize_name(name),
            version=str(version),
            artifact=replace(artifact, size=artifact.size or inventory.file_bytes),
            inventory=replace(inventory, requires_dist=requires, via="sdist"),
            source_build=SourceBuild(
                reason=failure,
                native=False,
                method=likeness.words,
                nearest=wheel.filename,
                newest_python_with_wheel=pythons[-1] if pythons else None,
                pythons_with_wheels=pythons,
                low_factor=likeness.low_factor,
                high_factor=likeness.high_factor,
                failure=failure,
                refused=True,
            ),
            direct_url=False,
        )

    def _pythons_with_wheels(
        self, files: Iterable[ProjectFile], version: Version
    ) -> tuple[str, ...]:
        releases = {release.minor: release for release in self._target.platform.pythons}
        return choosing.pythons_with_wheels(
            files, version, list(releases), lambda minor: self._tags_of(releases[minor])
        )

    def _tags_of(self, release: PythonRelease) -> tuple[Tag, ...]:
        return supported_tags(self._target.with_python(release, ""))

    def _from_file(
        self,
        name: str,
        file: ProjectFile,
        files: Sequence[ProjectFile],
        origin: Origin | None,
    ) -> StandIn | Unsized:
        artifact = _artifact_of(file)
        return self._from_source(name, str(file.version), artifact, files, origin)

    def _from_source(
        self,
        name: str,
        version: str | None,
        artifact: Artifact,
        files: Sequence[ProjectFile],
        origin: Origin | None,
    ) -> StandIn | Unsized:
        if self._build:
            return self._built(name, version, artifact, origin)
        try:
            archive = self._read(artifact)
        except MeasureError as error:
            archive = Unreadable(filename=artifact.filename, reason=str(error))
        if isinstance(archive, Unreadable):
            made = self._from_wheel(archive, name, version, artifact, files)
            if made is not None:
                return made
            reason = archive.reason
            if version and (
                failure := self._outlook(archive, name, reading.version(version)).failure
            ):
                reason = f"building it fails: {failure}"
            return Unsized(
                name=name,
                version=version,
                reason=f"only a source archive fits, and {reason}",
                origin=origin,
            )
        return self._stand_in(archive, name or archive.name, version, artifact, files)

    def _read(self, artifact: Artifact) -> SourceArchive | Unreadable:
        if self._archives is None or local_path(artifact.url) is not None:
            return self._fetched(artifact)
        return self._archives.get(artifact, lambda: self._fetched(artifact))

    def _fetched(self, artifact: Artifact) -> SourceArchive | Unreadable:
        if artifact.size is not None and artifact.size > MAX_WHOLE:
            with self._client.open_file(artifact) as source:
                head = source.span(0, min(HEAD_BYTES, artifact.size))
                tail = source.span(artifact.size - _GZIP_TRAILER_BYTES, artifact.size)
            return read_head(
                head,
                artifact.filename,
                file_bytes=artifact.size,
                sha256=artifact.sha256,
                tail=tail,
            )

        def fetch() -> bytes:
            return self._client.get(artifact.url, sha256=artifact.sha256)

        if artifact.sha256 is None:
            return read_source(fetch(), artifact.filename)
        return load_source(self._cache, artifact.sha256, artifact.filename, fetch)

    def _stand_in(
        self,
        archive: SourceArchive,
        name: str,
        version: str | None,
        artifact: Artifact,
        files: Sequence[ProjectFile],
        *,
        direct_url: bool = False,
    ) -> StandIn:
        number = reading.version(version or archive.version or "0")
        nearest = self._nearest(files, number) if archive.native else None
        inventory = inventory_from_source(archive)
        low, high = archive.low_factor, archive.high_factor
        filename = None
        method = "its sources" if archive.native else "its archive"
        if nearest is not None:
            filename, wheel, likeness = nearest
            inventory = replace(
                wheel,
                requires_dist=archive.requires,
                provides_extra=archive.extras,
                via="sdist",
                file_bytes=archive.file_bytes,
            )
            low, high = likeness.low_factor, likeness.high_factor
            method = likeness.words
        pythons = self._pythons_with_wheels(files, number)
        outlook = self._outlook(archive, name, number)
        failure = outlook.failure
        refused = not python_allowed(archive.requires_python, self._target.python_version)
        if refused:
            failure = requires_another_python(archive.requires_python)
        build = SourceBuild(
            reason=archive.native_reason or "pure Python",
            native=archive.native,
            method=method,
            nearest=filename,
            newest_python_with_wheel=pythons[-1] if pythons else None,
            pythons_with_wheels=pythons,
            low_factor=low,
            high_factor=high,
            notes=archive.notes,
            needs=self._needs(archive, name, number),
            failure=failure,
            doubt=outlook.doubt,
            pythons_that_build=() if refused else outlook.pythons_that_build,
            refused=refused,
            wheel_fits=self._target.minor in pythons,
        )
        return StandIn(
            name=canonicalize_name(name),
            version=str(number),
            artifact=replace(artifact, size=artifact.size or archive.file_bytes),
            inventory=inventory,
            source_build=build,
            direct_url=direct_url,
        )

    def _from_wheel(
        self,
        archive: Unreadable,
        name: str,
        version: str | None,
        artifact: Artifact,
        files: Sequence[ProjectFile],
    ) -> StandIn | None:
        """Return an unreadable archive with all that a wheel of the same version tells of it."""
        if version is None:
            return None
        number = reading.version(version)
        wheel = choosing.closest_wheel(files, number, self._chooser.tags)
        if wheel is None:
            return None
        try:
            inventory = self._store.inventory(_artifact_of(wheel))
            requires = repaired_requires(inventory)
        except MeasureError:
            return None
        likeness = choosing.likeness(wheel, files, number)
        pythons = self._pythons_with_wheels(files, number)
        native = any(tag.platform != "any" for tag in wheel.tags)
        outlook = self._outlook(archive, name, number)
        build = SourceBuild(
            reason="native code" if native else "pure Python",
            native=native,
            method=likeness.words,
            nearest=wheel.filename,
            newest_python_with_wheel=pythons[-1] if pythons else None,
            pythons_with_wheels=pythons,
            low_factor=likeness.low_factor,
            high_factor=likeness.high_factor,
            needs=self._needs(archive, name, number),
            failure=outlook.failure,
            doubt=outlook.doubt,
            pythons_that_build=outlook.pythons_that_build,
            wheel_fits=self._target.minor in pythons,
        )
        return StandIn(
            name=canonicalize_name(name),
            version=str(number),
            artifact=replace(artifact, size=artifact.size or inventory.file_bytes),
            inventory=replace(as_built(inventory), requires_dist=requires, via="sdist"),
            source_build=build,
            direct_url=False,
        )

    def _needs(
        self, archive: SourceArchive | Unreadable, name: str, version: Version
    ) -> tuple[BuildNeed, ...]:
        by_name = known.build_needs(canonicalize_name(name), version)
        return (*archive.needs.packages, *(BuildNeed(package=need) for need in by_name))

    def _outlook(
        self, archive: SourceArchive | Unreadable, name: str, version: Version
    ) -> _Outlook:
        """Return whether building an archive fails."""
        known_failures = (
            Failure(first, None, reason)
            for first, reason in known.build_failures(canonicalize_name(name), version)
        )
        failures = (*known_failures, *archive.needs.failures)

        def reason(failures: Iterable[Failure], minor: str) -> str:
            number = int(minor.partition(".")[2])
            return next((f.reason for f in failures if f.concerns(number)), "")

        failure = reason(failures, self._target.minor)
        minors = [release.minor for release in self._target.platform.pythons if failure]
        return _Outlook(
            failure=failure,
            doubt="" if failure else reason(archive.needs.doubts, self._target.minor),
            pythons_that_build=tuple(minor for minor in minors if not reason(failures, minor)),
        )

    def _nearest(
        self, files: Sequence[ProjectFile], version: Version
    ) -> tuple[str, Inventory, Likeness] | None:
        file = choosing.nearest_wheel(files, version, self._chooser.tags)
        if file is None:
            return None
        artifact = _artifact_of(file)
        try:
            inventory = self._store.inventory(artifact)
        except MeasureError:
            return None  # the amount of its sources is the next best measure
        likeness = choosing.likeness(file, files, version)
        return file.filename, as_built(inventory), likeness

    def _built(
        self, name: str, version: str | None, artifact: Artifact, origin: Origin | None
    ) -> StandIn | Unsized:
        try:
            data = self._client.get(artifact.url, sha256=artifact.sha256)
            wheel = building.build_wheel(data, artifact.filename, self._target.minor)
            made = Artifact(
                filename=wheel.name, url=wheel.as_uri(), size=wheel.stat().st_size, sha256=None
            )
            self._client.admit(wheel.parent)
            inventory = self._store.inventory(made)
        except MeasureError as error:
            return Unsized(name=name, version=version, reason=str(error), origin=origin)
        return StandIn(
            name=canonicalize_name(name),
            version=version_of(inventory),
            artifact=artifact,
            inventory=replace(inventory, file_bytes=artifact.size or inventory.file_bytes),
            source_build=SourceBuild(
                reason="built here, with --build",
                native=any(entry.path.endswith(".so") for entry in inventory.entries),
                method="a build here",
                nearest=None,
                newest_python_with_wheel=None,
                low_factor=1.0,
                high_factor=1.0,
            ),
            direct_url=False,
        )

    def from_url(self, requirement: Requirement) -> StandIn | Unsized:
        """Return what stands for a requirement that names a URL or a local path."""
        url = requirement.url or ""
        path = local_path(url)
        shown = requirement.name or PurePosixPath(unquote(urlsplit(url).path)).name
        if path is not None and not self._client.admits(path):
            reason = "its path is outside the checkout, so it is not read"
            return Unsized(name=shown, version=None, reason=reason, origin=requirement.origin)
        if path is not None and path.is_dir():
            return self._folder(path, shown, requirement)
        artifact = _artifact(requirement)
        if artifact.filename.endswith(".whl"):
            return self._wheel(artifact, requirement)
        files = self._files_or_none(requirement.name)
        outcome = self._from_source(
            requirement.name or shown, None, artifact, files, requirement.origin
        )
        if isinstance(outcome, Unsized):
            return replace(
                outcome, reason=outcome.reason.replace("only a source archive fits, and ", "")
            )
        named = requirement.name or canonicalize_name(outcome.inventory.dist_info.split("-")[0])
        return replace(outcome, name=named, direct_url=True)

    def _files_or_none(self, name: str) -> tuple[ProjectFile, ...]:
        try:
            return self.pages.files(name) if name else ()
        except MeasureError:
            return ()  # only the nearest wheel is looked for there

    def _wheel(self, artifact: Artifact, requirement: Requirement) -> StandIn | Unsized:
        refused = self._refused_wheel(artifact.filename)  # its name settles that
        try:
            inventory = self._store.inventory(artifact)
            requires = repaired_requires(inventory)
            version = version_of(inventory)
        except MeasureError as error:
            return Unsized(
                name=requirement.name,
                version=requirement.specifier.removeprefix("==") or None,
                reason=str(error),
                origin=requirement.origin,
                refusal=refused.failure if refused else "",
            )
        return StandIn(
            name=requirement.name or canonicalize_name(inventory.dist_info.split("-")[0]),
            version=version,
            artifact=replace(artifact, size=inventory.file_bytes),
            inventory=replace(inventory, requires_dist=requires),
            source_build=refused,
            direct_url=True,
        )

    def _refused_wheel(self, filename: str) -> SourceBuild | None:
        """Return why pip refuses a wheel that a line names, None where it takes it."""
        try:
            *_, own = reading.wheel_filename(filename)
        except InvalidWheelFilename:
            return None  # reading it says more
        if not own.isdisjoint(self._chooser.tags):
            return None
        pythons = tuple(
            release.minor
            for release in self._target.platform.pythons
            if not own.isdisjoint(self._tags_of(release))
        )
        named = "-".join(filename.removesuffix(".whl").rsplit("-", 3)[1:])
        return SourceBuild(
            reason="its wheel is for another target",
            native=False,
            method="that wheel",
            nearest=filename,
            newest_python_with_wheel=pythons[-1] if pythons else None,
            low_factor=1.0,
            high_factor=1.0,
            failure=f"its wheel is for {named}",
            refused=True,
            pythons_with_wheels=pythons,
        )

    def _folder(self, path: Path, shown: str, requirement: Requirement) -> StandIn | Unsized:
        archive = read_folder(path)
        if isinstance(archive, Unreadable):
            reason = f"it is a local folder, and {archive.reason}"
            return Unsized(name=shown, version=None, reason=reason, origin=requirement.origin)
        artifact = Artifact(filename=path.name, url=path.as_uri(), size=0, sha256=None)
        stand_in = self._stand_in(
            archive, requirement.name or archive.name, None, artifact, (), direct_url=True
        )
        if requirement.editable:  # its files are the app's own and stay where they are
            return replace(stand_in, inventory=replace(stand_in.inventory, entries=()))
        return stand_in

    def from_locked(self, distribution: Distribution) -> StandIn | Unsized:
        """Return what stands for a source archive that a lock names."""
        files = self._files_or_none(distribution.name)
        return self._from_source(
            distribution.name, distribution.version, distribution.artifact, files, None
        )


def _allowed(
    files: Sequence[ProjectFile], requirements: Sequence[Requirement]
) -> tuple[ProjectFile, ...]:
    """Return the files that the hashes of the requirements allow; all where there are none."""
    hashes = {h for r in requirements for h in r.hashes if h.startswith("sha256:")}
    return tuple(f for f in files if not hashes or not f.sha256 or f"sha256:{f.sha256}" in hashes)


def _artifact_of(file: ProjectFile) -> Artifact:
    return Artifact(filename=file.filename, url=file.url, size=file.size, sha256=file.sha256)


def _artifact(requirement: Requirement) -> Artifact:
    url, _, fragment = (requirement.url or "").partition("#")
    digests = [part for part in fragment.split("&") if part.startswith("sha256=")]
    hashes = [h for h in requirement.hashes if h.startswith("sha256:")]
    sha256 = digests[0][7:] if digests else hashes[0][7:] if len(hashes) == 1 else None
    return Artifact(
        filename=PurePosixPath(unquote(urlsplit(url).path)).name, url=url, size=None, sha256=sha256
    )


def version_of(inventory: Inventory) -> str:
    """Return a wheel's version in the form that resolvers answer with.

    :raises MeasureError: it is not a version.
    """
    text = inventory.dist_info.removesuffix(".dist-info").partition("-")[2]
    try:
        return str(reading.version(text.replace("_", "-")))
    except InvalidVersion:
        raise MeasureError(f"its metadata has an invalid version: {text[:40]!r}") from None


def repaired_requires(inventory: Inventory) -> tuple[str, ...]:
    """Return a wheel's Requires-Dist in a form the resolver takes.

    :raises MeasureError: a line cannot be understood.
    """
    lines = []
    for line in inventory.requires_dist:
        repaired = repair_requirement(line)
        if repaired is None:
            message = f"its metadata has an invalid dependency: {line[:60]!r}"
            raise MeasureError(message)
        lines.append(repaired)
    return tuple(lines)

"""The one file per distribution that a ``pylock.toml`` installs on the target.

Such a lock lists several wheels of a distribution even if it was made for one target;
``packaging.pylock`` picks one of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.pylock import (
    Package,
    PackageSdist,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockValidationError,
)
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename

from slugcheck import reading
from slugcheck.errors import RequirementsError, ResolutionError, WrongHashError
from slugcheck.model import Artifact, Distribution, Unsized
from slugcheck.packages.sdist.archive import archive_form, archive_stem
from slugcheck.packages.stub_wheels import is_stub
from slugcheck.text import printable

if TYPE_CHECKING:
    from packaging.markers import Environment
    from packaging.tags import Tag

_SHOWN = 200  # characters of a reason
_UNMEASURED = {
    "vcs": "it comes from a version control system; its size is known only after a build",
    "directory": "it is a folder; its size is known only after a build",
}


def parsed(document: str) -> Pylock:
    """Return the lock that a TOML text holds.

    :raises ValueError: it is not valid; the message says why.
    """
    values = reading.toml(document)
    old = _renamed_old_sdists(values)
    try:
        lock = Pylock.from_dict(values)
        for package in lock.packages:
            for wheel in package.wheels or ():
                reading.check_wheel_filename(_filename(wheel))
    except PylockValidationError as error:
        raise ValueError(str(error)) from None
    if not old:
        return lock
    packages = [
        replace(package, sdist=replace(package.sdist, name=old[place]))
        if place in old and package.sdist is not None
        else package
        for place, package in enumerate(lock.packages)
    ]
    return replace(lock, packages=packages)


def _renamed_old_sdists(lock: dict[str, Any]) -> dict[int, str]:
    """Give sdists that packaging refuses another name; return their own by place in the list.

    They are of a form that the index no longer accepts but still has, such as .tar.bz2, or have a
    version in their name that reads otherwise.
    """
    old: dict[int, str] = {}
    packages = lock.get("packages")
    for place, package in enumerate(packages if isinstance(packages, list) else ()):
        sdist = package.get("sdist") if isinstance(package, dict) else None
        if not isinstance(sdist, dict):
            continue
        name = sdist.get("name") or reading.last_part(str(sdist.get("path") or sdist.get("url")))
        if not isinstance(name, str) or archive_form(name) is None:
            continue
        if not name.lower().endswith((".tar.gz", ".zip")):
            sdist["name"] = f"{archive_stem(name)}.tar.gz"
            old[place] = name
        elif not _is_consistent(name, package):
            sdist["name"] = f"{package.get('name')}-{package.get('version')}.tar.gz"
            old[place] = name
    return old


def _is_consistent(filename: str, package: Mapping[str, Any]) -> bool:
    """Whether packaging reads name and version of an sdist as the lock has them.

    Old versions are written otherwise in names of files: 3.2.3-2 is 3.2.3.post2.
    """
    try:
        name, version = reading.sdist_filename(filename)
    except InvalidSdistFilename:
        return False
    return name == package.get("name") and str(version) == package.get("version")


def select(
    lock: Pylock,
    environment: Mapping[str, str],
    tags: Sequence[Tag],
    hashes: Mapping[str, frozenset[str]] | None = None,
) -> Iterator[Distribution]:
    """Yield what an installer takes of a lock whose packages all have wheels (uv's answer).

    ``hashes`` (sha256 by name) limits the choice to those files where a name has any.

    :raises WrongHashError: a package has no file that the hashes allow.
    :raises ResolutionError: a package has no file that fits the target.
    """
    packages = [_with_hashes(package, hashes or {}) for package in lock.packages]
    narrowed = replace(lock, packages=packages)
    try:
        chosen = list(narrowed.select(environment=typed(environment), tags=tags))
    except PylockSelectError as error:
        raise ResolutionError(f"the resolution does not fit the target: {error}") from None
    for package, artifact in chosen:
        if isinstance(artifact, PackageWheel | PackageSdist):
            yield _distribution(package, artifact)


def read(
    path: Path, environment: Mapping[str, str], tags: Sequence[Tag], *, top: Path
) -> tuple[tuple[Distribution, ...], tuple[Unsized, ...], str]:
    """Read a ``pylock.toml``: what it would install, what has no size, and the file's sha256.

    ``top`` is the folder that files may be read from.

    :raises Refused: it is a link out of ``top``, not a regular file, or too large.
    :raises RequirementsError: it cannot be read, or is not a valid lock file.
    :raises ResolutionError: it has nothing for the target.
    """
    try:
        data = reading.read(path, within=top, limit=reading.LOCK)
        lock = parsed(data.decode("utf-8"))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise RequirementsError(message) from None
    except ValueError as error:
        raise _not_valid(path, error) from None
    try:
        chosen = list(lock.select(environment=typed(environment), tags=tags))
        distributions, unsized = sorted_out(chosen, path.parent)
    except PylockSelectError as error:
        message = f"{path} does not fit the target: {error}"
        raise ResolutionError(message, hint="choose another --python or --stack") from None
    except ValueError as error:  # of a marker, of a path
        raise _not_valid(path, error) from None
    return distributions, unsized, hashlib.sha256(data).hexdigest()


def _not_valid(path: Path, error: ValueError) -> RequirementsError:
    reason = printable(str(error))
    reason = reason if len(reason) <= _SHOWN else f"{reason[: _SHOWN - 1]}…"
    message = f"{path} is not a valid pylock.toml: {reason}"
    return RequirementsError(message, hint="create it again, e.g. uv export -o pylock.toml")


def sorted_out(
    chosen: Iterable[tuple[Package, object]], folder: Path
) -> tuple[tuple[Distribution, ...], tuple[Unsized, ...]]:
    """Return what a lock's selection installs, and what of it has no size before a build."""
    distributions, unsized = [], []
    for package, artifact in chosen:
        if isinstance(artifact, PackageWheel | PackageSdist):
            distributions.append(_distribution(package, artifact, folder))
        elif package.archive is not None and _is_wheel(package.archive.url or package.archive.path):
            distributions.append(_from_archive(package, folder))
        else:
            kind = "vcs" if package.vcs else "directory" if package.directory else "archive"
            reason = _UNMEASURED.get(
                kind, "it is a source archive; its size is known after a build"
            )
            version = str(package.version) if package.version else None
            unsized.append(Unsized(name=package.name, version=version, reason=reason))
    return tuple(distributions), tuple(unsized)


def _with_hashes(package: Package, hashes: Mapping[str, frozenset[str]]) -> Package:
    allowed = hashes.get(package.name)
    if not allowed or not package.wheels:
        return package
    # a stub is ours: its archive's hash is looked at where the archive takes its place
    wheels = [
        wheel
        for wheel in package.wheels
        if wheel.hashes.get("sha256", "") in allowed or is_stub(_filename(wheel))
    ]
    if not wheels and any("sha256" in wheel.hashes for wheel in package.wheels):
        raise WrongHashError(package.name, str(package.version))
    return replace(package, wheels=wheels or package.wheels)


def _filename(wheel: PackageWheel) -> str:
    return wheel.name or reading.last_part(wheel.url or wheel.path or "")


def _distribution(
    package: Package, artifact: PackageWheel | PackageSdist, folder: Path | None = None
) -> Distribution:
    url = artifact.url or _file_url(artifact.path, folder)
    return Distribution(
        name=package.name,
        version=_version(package, artifact),
        artifact=Artifact(
            filename=artifact.name or reading.last_part(url),
            url=url,
            size=artifact.size,
            sha256=artifact.hashes.get("sha256"),
        ),
        direct=False,
    )


def _from_archive(package: Package, folder: Path) -> Distribution:
    archive = package.archive
    assert archive is not None  # noqa: S101 - the caller looked
    url = archive.url or _file_url(archive.path, folder)
    artifact = Artifact(
        filename=reading.last_part(url),
        url=url,
        size=archive.size,
        sha256=archive.hashes.get("sha256"),
    )
    version = str(package.version) if package.version else _wheel_version(artifact.filename)
    return Distribution(
        name=package.name, version=version, artifact=artifact, direct=False, direct_url=True
    )


def _version(package: Package, artifact: PackageWheel | PackageSdist) -> str:
    if package.version is not None:
        return str(package.version)
    return _wheel_version(artifact.name or reading.last_part(artifact.url or artifact.path or ""))


def _wheel_version(filename: str) -> str:
    try:
        return str(reading.wheel_filename(filename)[1])
    except InvalidWheelFilename:
        return "0"


def _is_wheel(place: str | None) -> bool:
    return bool(place) and reading.last_part(place or "").endswith(".whl")


def _file_url(path: str | None, folder: Path | None) -> str:
    return ((folder or Path()) / (path or "")).resolve().as_uri()


def typed(environment: Mapping[str, str]) -> Environment:
    """Return a marker environment as packaging's type of it."""
    return dict(environment)  # type: ignore[return-value]  # a TypedDict in name only

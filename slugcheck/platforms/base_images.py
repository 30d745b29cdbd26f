"""The base images of containers: sizes, C library and Python of what a Dockerfile's FROM names.

The official Python images are in ``base_images.toml``; uv's images are those with uv added. Of any
other image the size is not known, and its Python only where its name says it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from slugcheck import reading
from slugcheck.model import BaseImage, Platform, PythonRelease, RuntimePart, Source, Stack
from slugcheck.platforms import BASE_IMAGES, TableReader

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
LONGEST = 300  # characters of a reference; a registry allows 255 and a digest
# Other places of the official images, by their own documentation.
_OFFICIAL = re.compile(
    r"^(?:(?:registry\.hub\.|index\.)?docker\.io/(?:library/)?|library/|"
    r"public\.ecr\.aws/docker/library/|mirror\.gcr\.io/(?:library/)?)?python$"
)
_UV = re.compile(r"^ghcr\.io/astral-sh/uv$")
_TAG = re.compile(
    r"^(?:(?P<version>3(?:\.\d{1,2}){0,2})|latest)?-?(?P<slim>slim)?-?"
    r"(?P<release>alpine|trixie|bookworm|bullseye|buster)?(?P<number>\d\.\d{1,2})?$"
)
_UV_TAG = re.compile(
    r"^(?:[0-9.]+-)?python(?P<version>3\.\d{1,2})-(?P<release>alpine|trixie|bookworm)"
    r"(?P<number>\d\.\d{1,2})?(?P<slim>-slim)?$"
)
_PYTHON = re.compile(r"(?:^|[^0-9a-z])(?:python|py)[:-]?v?(3\.\d{1,2}(?:\.\d{1,2})?)(?![0-9])")
_VERSION = re.compile(r"^v?(3\.\d{1,2}(?:\.\d{1,2})?)(?![0-9.])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of Debian or Alpine Linux.

    ``first_patch``: the first patch release of each Python whose tag without a release is of this
    one; those of earlier ones are of the release ``before``.
    """

    title: str
    glibc: tuple[int, int] | None
    musl: tuple[int, int] | None
    first_patch: Mapping[str, int]
    before: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    name: str
    release: str
    python: str
    disk: int
    pull: Mapping[str, int]  # by architecture
    percent: float
    source: Source
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All of ``base_images.toml``; ``uv`` is what uv's binaries add."""

    images: Mapping[str, _Row]
    releases: Mapping[str, Release]
    uv: RuntimePart
    arm64_percent: float
    pull_share: float
    pull_percent: float


@cache
def known() -> Known:
    """Return the base images that are known.

    :raises ValueError: the file has mistakes, which the tests would find.
    """
    text = resources.files("slugcheck.platforms").joinpath(BASE_IMAGES).read_text(encoding="utf-8")
    reader = TableReader(reading.toml(text))
    names = tuple(reading.toml(text)["releases"])
    releases = reader.table("releases", lambda table: {n: table.table(n, _release) for n in names})
    uv = reader.table("uv", _uv)
    rows: dict[str, _Row] = {}
    for row in reader.rows("images", _row):
        alike = rows.get(row.note)
        rows[row.name] = row if alike is None else replace(
            row, disk=alike.disk, pull=alike.pull, source=alike.source,
            note=f"taken to be as large as {alike.name}",
        )  # fmt: skip
    found = Known(
        images=rows,
        releases={name: release for name, release in (releases or {}).items() if release},
        uv=uv or RuntimePart(
            name="uv", installed_bytes=0, slug_bytes=0, error_percent=0.0, note="",
            source=Source(text="", date=""),
        ),
        arm64_percent=reader.number("arm64_error_percent"),
        pull_share=reader.number("pull_share"),
        pull_percent=reader.number("pull_share_error_percent"),
    )  # fmt: skip
    if reader.mistakes:
        raise ValueError("; ".join(reader.mistakes))
    return found


def _release(reader: TableReader) -> Release:
    first = reader.table("first_patch", _patches) if "first_patch" in reader else {}
    return Release(
        title=reader.text("title"),
        glibc=_libc(reader, "glibc"),
        musl=_libc(reader, "musl"),
        first_patch=first or {},
        before=reader.text("before", default=""),
        source=reader.source(),
    )


def _patches(reader: TableReader) -> dict[str, int]:
    return {
        f"3.{minor}": reader.whole(f"3.{minor}") for minor in range(10, 30)
        if f"3.{minor}" in reader
    }  # fmt: skip


def _libc(reader: TableReader, key: str) -> tuple[int, int] | None:
    if key not in reader:
        return None
    major, _, minor = reader.text(key, pattern=r"\d\.\d{1,2}", like="2.41").partition(".")
    return int(major), int(minor or 0)


def _uv(reader: TableReader) -> RuntimePart:
    return RuntimePart(
        name="uv",
        installed_bytes=reader.whole("disk_bytes"),
        slug_bytes=reader.whole("pull_bytes"),
        error_percent=reader.number("error_percent"),
        note="its binaries",
        source=reader.source(),
    )


def _row(reader: TableReader) -> _Row:
    alike = reader.text("like", default="")
    pull = reader.table("pull_bytes", _pull) if "pull_bytes" in reader else None
    return _Row(
        name=reader.text("name"),
        release=reader.text("release"),
        python=reader.text("python", pattern=r"3\.\d{1,2}\.\d{1,2}", like="3.12.14"),
        disk=0 if alike else reader.whole("disk_bytes"),
        pull=pull or {},
        percent=reader.number("error_percent"),
        source=Source(text="", date="") if alike else reader.source(),
        note=alike,
    )


def _pull(reader: TableReader) -> dict[str, int]:
    return {a: reader.whole(a) for a in ARCHITECTURES.values() if a in reader}


# --------------------------------------------------------------------------- by reference


def find(reference: str, arch: str = "x86_64") -> BaseImage:
    """Return what is known of a base image, such as ``python:3.12-slim``.

    ``arch`` is the architecture of the stack. A digest is left aside: an image that is pinned to
    one is older than its tag's row, or the same.
    """
    name, _, digest = reference.partition("@")
    image, tag = _split(name)
    if _OFFICIAL.match(image) and (match := _TAG.match(tag or "latest")):
        found = _official(match, reference, arch)
        note = "; pinned to a digest: the tag's size" if digest and found.disk_bytes else ""
        return replace(found, note=f"{found.note}{note}".removeprefix("; "))
    if _UV.match(image) and (match := _UV_TAG.match(tag)):
        return _with_uv(_official(match, reference, arch))
    python = _PYTHON.search(name.lower())
    if python is None and image.rpartition("/")[2] == "python":
        python = _VERSION.match(tag)
    unknown = Source(text="no source for the size of this image", date="2026-11-27")
    return BaseImage(name=reference, arch=arch, source=unknown, python=python[1] if python else "")


def _split(name: str) -> tuple[str, str]:
    """Return image and tag; the colon of a registry's port is no tag's."""
    head, slash, last = name.rpartition("/")
    image, _, tag = last.partition(":")
    return f"{head}{slash}{image}", tag


def _official(match: re.Match[str], reference: str, arch: str) -> BaseImage:
    """Return an official Python image by the parts of its tag."""
    table = known()
    version = match["version"] or "3"
    if version == "3":
        version = max(
            (row.python for row in table.images.values()), key=reading.minor_key
        ).rpartition(".")[0]
    minor = ".".join(version.split(".")[:2])
    if not match["release"] and minor not in {
        row.python.rpartition(".")[0] for row in table.images.values()
    }:
        source = Source(text="no source for an image of this Python", date="2026-11-27")
        return BaseImage(name=reference, arch=arch, source=source, python=version)
    release = match["release"] or _default_release(version)
    slim = "-slim" if match["slim"] else ""
    plain = f"python:{minor}{slim or ('-alpine' if release == 'alpine' else '')}"
    row = table.images.get(plain)
    if row is None or row.release != release:
        row = table.images.get(f"python:{minor}{slim}-{release}")
    exact = version if version.count(".") == 2 else ""
    there = table.releases[release]
    image = BaseImage(
        name=reference,
        arch=arch,
        source=row.source if row else there.source,
        release=there.title,
        python=exact or (row.python if row else minor),
        glibc=there.glibc,
        musl=there.musl,
    )
    if row is None:
        return image
    older = (exact and exact != row.python) or bool(match["number"])
    return _sized(image, row, f"sized as {row.name}" if older else "")


def _default_release(version: str) -> str:
    """Return the release of a tag that names none: an old patch release has an older one."""
    minor, _, patch = version.rpartition(".") if version.count(".") == 2 else (version, "", "")
    releases = known().releases
    release = "trixie"
    while patch and (first := releases[release].first_patch.get(minor)) is not None:
        if int(patch) >= first or not releases[release].before:
            break
        release = releases[release].before
    return release


def _sized(image: BaseImage, row: _Row, note: str) -> BaseImage:
    table = known()
    own = ARCHITECTURES.get(image.arch, "")
    amd64, here = row.pull.get("amd64"), row.pull.get(own)
    pull_percent = row.percent
    if amd64 is None:
        amd64, pull_percent = int(row.disk * table.pull_share), table.pull_percent
    disk, disk_percent = row.disk, row.percent
    if own != "amd64":
        disk = disk * here // amd64 if here else disk
        disk_percent = max(disk_percent, table.arm64_percent)
        pull_percent = pull_percent if here else max(pull_percent, table.arm64_percent)
    notes = [row.note, note, "estimated from amd64's" if own != "amd64" else ""]
    return replace(
        image,
        disk_bytes=disk,
        pull_bytes=here or amd64,
        error_percent=disk_percent if not note else max(disk_percent, 10.0),
        pull_error_percent=pull_percent if not note else max(pull_percent, 10.0),
        note="; ".join(filter(None, notes)),
    )


def _with_uv(image: BaseImage) -> BaseImage:
    """Return an image with uv's binaries added."""
    if image.disk_bytes is None or image.pull_bytes is None:
        return image
    uv = known().uv
    more = uv.installed_bytes * uv.error_percent
    disk = image.disk_bytes + uv.installed_bytes
    pull = image.pull_bytes + uv.slug_bytes
    return replace(
        image,
        disk_bytes=disk,
        pull_bytes=pull,
        error_percent=(image.disk_bytes * image.error_percent + more) / disk,
        pull_error_percent=(
            image.pull_bytes * image.pull_error_percent + uv.slug_bytes * uv.error_percent
        ) / pull,
        note="; ".join(filter(None, ("Python's image and uv", image.note))),
    )  # fmt: skip


def is_bare(image: BaseImage) -> bool:
    """Return whether an image has nothing but Python and what that needs: slim and alpine.

    Their Dockerfiles install ca-certificates, netbase and tzdata, and keep of the rest only the
    libraries that Python itself is linked to (docker-library/repo-info, remote/3.12-slim.md and
    remote/3.12-alpine.md).
    """
    name, tag = _split(image.name.partition("@")[0])
    bare = "slim" in tag or "alpine" in tag
    return bare and bool(image.release) and bool(_OFFICIAL.match(name) or _UV.match(name))


def of_size(image: BaseImage, disk: int, place: str) -> BaseImage:
    """Return an image whose size on disk the user gives; what is pulled of it is estimated."""
    table = known()
    return replace(
        image,
        disk_bytes=disk,
        pull_bytes=int(disk * table.pull_share),
        error_percent=0.0,
        pull_error_percent=table.pull_percent,
        source=Source(text=place, date=""),
        note="",
    )


# --------------------------------------------------------------------------- the platform on it


def on(
    platform: Platform,
    image: BaseImage,
    *,
    compiles: bool,
    prefix: str,
    without: tuple[str, ...] = (),
) -> Platform:
    """Return a platform whose image starts from a base: its C library and its Python.

    ``compiles``: the install leaves bytecode; ``prefix`` is where the packages go; ``without`` are
    shared libraries that are known to be missing.
    """
    return replace(
        platform,
        compiles_bytecode=compiles,
        prefix=prefix,
        stacks=tuple(
            replace(_stack(stack, image), missing_libraries=without) for stack in platform.stacks
        ),
        pythons=tuple(_python(release, image) for release in platform.pythons),
    )


def _stack(stack: Stack, image: BaseImage) -> Stack:
    if image.glibc is None and image.musl is None:
        return stack
    return replace(
        stack,
        glibc=image.glibc or (0, 0),
        musl=image.musl,
        status=f"{image.name}: {image.release}",
        source=image.source,
    )


def _python(release: PythonRelease, image: BaseImage) -> PythonRelease:
    if release.minor == image.minor and image.python.count(".") == 2:
        return replace(release, version=image.python)
    return release

"""A container image to size: the platform on its base image, and what the Dockerfile asks for.

The base comes from ``--base``, else from the Dockerfile's FROM, else from the platform's default.
Its Python and its C library become the target's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import BuildError, PlatformError, Refuse, UsageError, give_up
from slugcheck.model import (
    BaseImage,
    BundleKind,
    Distribution,
    Estimate,
    Finding,
    FindingSeverity,
    Inventory,
    Manager,
    Origin,
    Part,
    Platform,
)
from slugcheck.model.options import Options
from slugcheck.packages.known import RUNTIME_LIBRARIES
from slugcheck.platforms import base_images
from slugcheck.project import image, install_commands, target
from slugcheck.project.files import Listing
from slugcheck.project.image import Plan, Wanted
from slugcheck.sizing.slug_parts import BASE, CACHE
from slugcheck.text import mb, printable

_LONGEST_BASE = base_images.LONGEST
_NOTABLE_BYTES = 1_000_000
_QUOTED = 60
_LIBRARIES = ("libGL.so.1", *(library for _, library, _ in RUNTIME_LIBRARIES.values()))
# pip's cache holds every wheel as it was downloaded and the index's page of every project: 1.000 to
# 1.009 of the wheels for flask, requests, numpy and pandas with small pages (pip 26.3, 2026-11-27);
# those of a public index have some ten to hundreds of KB. gzip -6 leaves 0.97 to 0.99 of it.
_PAGE_BYTES, _LARGEST_PAGE_BYTES = 60_000, 300_000
_CACHE_RATIO = 0.98


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One image: ``platform`` and ``options`` as its base makes them.

    ``plan`` and ``wanted`` are None without a Dockerfile, or where nothing of it decides what is
    installed. ``base`` is None where no base is known at all.
    """

    platform: Platform
    options: Options
    base: BaseImage | None
    plan: Plan | None = None
    wanted: Wanted | None = None
    dockerfile: Path | None = None
    notes: tuple[str, ...] = ()

    def kept(self, listing: Listing) -> Listing:
        """Return the files that COPY takes; all of them without a Dockerfile."""
        plan = self.plan
        if plan is None:
            return listing
        taken = plan.taken([member.path for member in listing.files])
        kept = tuple(member for member in listing.files if member.path in taken)
        left = tuple(member for member in listing.files if member.path not in taken)
        return replace(listing, files=kept, ignored=left, left_out_by=f"{plan.name} does not copy")

    @property
    def base_parts(self) -> tuple[Part, ...]:
        """The base image as a part; empty where its size is not known."""
        base = self.base
        if base is None or base.disk_bytes is None or base.pull_bytes is None:
            return ()
        dated = f"as of {base.source.date}" if base.source.date else ""
        return (
            Part(
                name=f"base {printable(base.name)}",
                group=BASE,
                installed=_within(base.disk_bytes, base.error_percent),
                slug=_within(base.pull_bytes, base.pull_error_percent),
                note="; ".join(filter(None, (dated, base.note))),
            ),
        )

    def parts(self, found: Sequence[tuple[Distribution, Inventory]]) -> tuple[Part, ...]:
        """Return what else the layers hold: uv, caches, and wheels that are copied as files."""
        plan = self.plan
        if plan is None:
            return ()
        sizes = {d.name: d.artifact.size or inventory.file_bytes for d, inventory in found}
        downloads = sum(sizes.values())
        parts = []
        if plan.uv and not (self.base is not None and "astral-sh/uv" in self.base.name):
            uv = base_images.known().uv
            parts.append(_part("uv", uv.installed_bytes, uv.slug_bytes, uv.error_percent))
        if kept := [sizes[name] for name in self._kept_in_cache(sizes)]:
            value = sum(kept) + _PAGE_BYTES * len(kept)
            high = sum(kept) + _LARGEST_PAGE_BYTES * len(kept)
            parts.append(_cached("pip's cache", value, sum(kept), high))
        if any(one.copies for one in plan.installs) and found:
            plain = sum(entry.size for _, inventory in found for entry in inventory.entries)
            packed = sum(entry.compressed for _, inventory in found for entry in inventory.entries)
            parts.append(_part("uv's cache", plain, packed, 5.0))
        if any(one.caches for one in plan.wheels) and downloads:
            parts.append(_cached("wheels copied as files", downloads, downloads, downloads))
        return tuple(parts)

    def refuse_verification(self) -> None:
        """Refuse to verify what no single command installs.

        :raises UsageError: the Dockerfile installs several files, or packages by name.
        """
        if self.wanted is not None and self.wanted.text is not None:
            name = self.wanted.file
            message = f"--verify repeats one install of one file, and {name} has more than that"
            hint = "name the requirements file: slugcheck requirements.txt --platform docker"
            raise UsageError(message, hint=hint)

    def _kept_in_cache(self, names: Collection[str]) -> Iterator[str]:
        """Yield the distributions that stay in pip's cache.

        Where some installs turn it off, those are the ones that the others name.
        """
        installs = self.plan.installs if self.plan else ()
        caching = [one for one in installs if one.caches]
        named = all(one.names and not (one.files or one.projects) for one in caching)
        if not caching or len(caching) == len(installs) or not named:
            yield from names if caching else ()
            return
        wanted = {install_commands.name_of(name) for one in caching for name in one.names}
        yield from (name for name in names if name in wanted)

    def findings(self, parts: Sequence[Part]) -> tuple[Finding, ...]:
        """Return findings on the caches among the parts of a size."""
        plan = self.plan
        caches = {part.name: part for part in parts if part.group == CACHE}
        part = caches.get("pip's cache")
        if plan is None or part is None or part.installed.low < _NOTABLE_BYTES:
            return ()
        line = next(one.line for one in plan.installs if one.caches)
        return (
            Finding(
                code="pip-cache",
                severity=FindingSeverity.WARNING,
                subject="pip",
                sentence=f"pip's cache stays in the image: about {mb(part.installed.value)} MB",
                fix="RUN pip install --no-cache-dir …",
                saves_bytes=part.installed.low,
                saves_slug_bytes=part.slug.low,
                saves_bundle_bytes=part.installed.low,
                origin=Origin(file=plan.name, line=line),
            ),
        )


def _part(name: str, installed: int, slug: int, percent: float) -> Part:
    return Part(
        name=name,
        group=CACHE,
        installed=_within(installed, percent),
        slug=_within(slug, percent),
        note="",
    )


def _within(value: int, percent: float) -> Estimate[int]:
    if not percent:
        return Estimate[int].measured(value)
    margin = int(value * percent / 100)
    return Estimate[int].predicted(value, value - margin, value + margin)


def _cached(name: str, value: int, low: int, high: int) -> Part:
    packed = (int(size * _CACHE_RATIO) for size in (value, low, high))
    return Part(
        name=name,
        group=CACHE,
        installed=Estimate[int].predicted(value, low, high),
        slug=Estimate[int].predicted(*packed),
        note="",
    )


# --------------------------------------------------------------------------- made of the options


def of(options: Options, platform: Platform, refuse: Refuse = give_up) -> Container | None:
    """Return the image of a run, None for a platform that takes none.

    ``refuse`` is given the error of a base image whose Python is not known.

    :raises UsageError: an option about images is given for another platform, or is invalid, or the
        Dockerfile cannot be read.
    :raises PlatformError: --python is another than that of the base.
    """
    if platform.bundle.kind is not BundleKind.IMAGE:
        for name in options.of_image:
            message = f"{name} is for container images, and {platform.title} takes none"
            raise UsageError(message, hint="add --platform docker")
        return None
    path = _dockerfile(options)
    plan = None
    if path is not None:
        context = options.path if options.is_folder else options.path.parent
        plan = image.read(path, context, options.within, named=_within_of(path, options))
    stack = _stack(options, platform, plan)
    options = replace(options, stack=stack)
    notes = list(plan.notes) if plan else []
    arch = next((s.arch for s in platform.stacks if s.name == stack), platform.stacks[0].arch)
    base = _base(options, platform, plan, arch, notes)
    wanted = image.wanted(plan) if plan else None
    if wanted is not None:
        notes += wanted.notes
    elif plan is not None:
        notes.append(f"{plan.name}: installs no packages that slugcheck can read")
    if base is not None and base.disk_bytes is None:
        notes.append(
            f"the size of the base image {printable(base.name)} is not known: the figures are of "
            "the layers on it; add --base-size SIZE"
        )
    if base is not None:
        options = _with_python(options, platform, base, refuse)
    compiles = platform.compiles_bytecode if wanted is None else wanted.compiles
    prefix = platform.prefix if wanted is None else wanted.location
    if base is not None:
        bare = plan is not None and plan.bare and base_images.is_bare(base)
        platform = base_images.on(
            platform, base, compiles=compiles, prefix=prefix, without=_LIBRARIES if bare else ()
        )
    else:
        platform = replace(platform, compiles_bytecode=compiles, prefix=prefix)
        if not platform.default_base:
            notes.append("no base image is known, so none is counted: add --base python:3.12-slim")
    if wanted is not None:
        options = replace(
            options,
            extras=wanted.extras,
            groups=wanted.groups,
            default_groups=wanted.development,
        )
    return Container(
        platform=platform, options=options, base=base, plan=plan, wanted=wanted,
        dockerfile=path, notes=tuple(notes),
    )  # fmt: skip


def _within_of(path: Path, options: Options) -> Path:
    """Return the folder that a Dockerfile is read from: one that the user named may be anywhere."""
    return options.within if reading.belongs(path, options.within) else Path("/")


def _dockerfile(options: Options) -> Path | None:
    if options.dockerfile is not None:
        if not reading.is_file(options.dockerfile, _within_of(options.dockerfile, options)):
            shown = printable(str(options.dockerfile))
            raise UsageError(f"--dockerfile {shown}: no such file", hint="name a Dockerfile")
        return options.dockerfile
    if not options.is_folder:
        return None
    return image.find(options.path, options.within)


def _stack(options: Options, platform: Platform, plan: Plan | None) -> str | None:
    """Return the stack of the options, else the one of the architecture that FROM names."""
    if options.stack or plan is None or not plan.arch:
        return options.stack
    return next((s.name for s in platform.stacks if s.arch == plan.arch), None)


def _base(
    options: Options, platform: Platform, plan: Plan | None, arch: str, notes: list[str]
) -> BaseImage | None:
    given = options.base or (plan.base if plan else None)
    if given is None and plan is not None:
        notes.append(
            f"{plan.name}:{plan.base_line}: FROM {printable(plan.written[:_QUOTED])} uses a "
            "variable without a value: add --base IMAGE"
        )
    if given is None and platform.default_base:
        given = platform.default_base.replace("{minor}", _minor(options, platform))
    if given is None:
        return None
    if len(given) > _LONGEST_BASE or not given.strip() or any(c.isspace() for c in given):
        message = f"{printable(given[:_QUOTED])!r} is not the name of a base image"
        raise UsageError(message, hint="write it as python:3.12-slim")
    found = base_images.find(given, arch)
    if options.base_size is not None:
        return base_images.of_size(found, options.base_size, "--base-size")
    return found


def _minor(options: Options, platform: Platform) -> str:
    """Return the Python that the options or the project ask for, else the platform's default."""
    folder = options.path if options.is_folder else options.path.parent
    if options.text is not None:
        return (options.python or platform.default_python)[:4]
    chosen = target.choose(
        platform,
        python=options.python,
        python_origin=options.python_origin,
        folder=folder,
        manager=Manager.PIP,
        top=options.within,
        refuse=lambda _: None,
    )
    return chosen.minor


def _with_python(options: Options, platform: Platform, base: BaseImage, refuse: Refuse) -> Options:
    """Return the options with the base's Python.

    :raises PlatformError: they ask for another one.
    """
    minor = base.minor
    if not minor:
        return options
    if options.python is not None and ".".join(options.python.split(".")[:2]) != minor:
        message = (
            f"{options.python_origin} {options.python} is not the Python of the base image "
            f"{printable(base.name)}, which has {minor}"
        )
        hint = f"leave out {options.python_origin}, or use --base python:{options.python}-slim"
        raise PlatformError(message, hint=hint)
    if minor not in {release.minor for release in platform.pythons}:
        first, last = platform.pythons[0].minor, platform.pythons[-1].minor
        older = reading.minor_key(minor) < reading.minor_key(first)
        minor = first if older else last
        message = (
            f"the base image {printable(base.name)} has Python {base.python}; slugcheck sizes for "
            f"{first} to {last}"
        )
        hint = f"use python:{minor}-slim"
        refuse(BuildError(message, hint=hint, instead=f"sized with Python {minor}", refused=False))
        return replace(options, python=minor, python_origin=f"FROM {printable(base.name)}")
    if options.python is not None:
        return options
    version = base.python if base.python.count(".") == 2 else minor
    return replace(options, python=version, python_origin=f"FROM {printable(base.name)}")

"""Steps of the build beside the install: NLTK's downloader and hooks.

Source: heroku-buildpack-python v351 (2026-08-18): bin/compile, bin/steps/nltk,
lib/hooks.sh. ``static_files`` predicts collectstatic. The cloud-native buildpack has neither hooks
nor NLTK's step (heroku/buildpacks-python f81d0dc1, 2026-08-06, src/main.rs).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from slugcheck import reading
from slugcheck.model import Buildpack, Estimate, Part, Project, Unsized, figures
from slugcheck.project import manager, nltk_data
from slugcheck.project.manager import Absent
from slugcheck.project.processes import procfile
from slugcheck.sizing import slug_parts
from slugcheck.text import listed, plural, printable

_HOOKS = ("bin/pre_compile", "bin/post_compile")
_VERSION_FILES = ("runtime.txt", ".python-version")
_NLTK = "nltk.txt"
_DESCRIPTOR = "project.toml"  # of Cloud Native Buildpacks
_LONGEST = 200
_SPACY = re.compile(rb"\bspacy[ \t]+download[ \t]+([a-z]{2,3}_[a-z0-9_]{1,60})")
_NAMED = 3


def notes(
    project: Project,
    absent: Absent,
    names: Collection[str],
    buildpack: Buildpack = Buildpack.CLASSIC,
) -> tuple[str, ...]:
    """Return notes on what the build does that the figures do not include.

    ``absent`` says why a path will not be in the build, ``names`` are the distributions by their
    normalized names.

    :raises MeasureError: the Procfile cannot be read.
    """
    return tuple(_notes(project, absent, names, buildpack))


def _notes(
    project: Project, absent: Absent, names: Collection[str], buildpack: Buildpack
) -> Iterator[str]:
    if buildpack is Buildpack.CLASSIC:
        yield from _of_classic(project, absent, names)
    else:
        yield from _of_cloud_native(project, absent)
    yield from _of_both(project, absent)


def _of_classic(project: Project, absent: Absent, names: Collection[str]) -> Iterator[str]:
    yield from _version_files(project, absent)
    for hook in _HOOKS:
        if _is_file(project, absent, hook):
            yield f"the build runs {hook}; what it adds or removes is not counted"
            yield from _spacy_models(project, hook)
    if "nltk" in names and _is_file(project, absent, _NLTK) and not _nltk(project):
        yield f"{_NLTK} is empty: the build downloads no NLTK data"


def _of_cloud_native(project: Project, absent: Absent) -> Iterator[str]:
    """Yield notes on what only the classic buildpack reads, and what another tool may remove."""
    for name in (*_HOOKS, _NLTK):
        if _is_file(project, absent, name):
            yield f"the cloud-native buildpack does not use {name}"
    if _is_file(project, absent, ".slugignore"):
        yield "the cloud-native buildpack does not use .slugignore: list files in project.toml"
    if _is_file(project, absent, _DESCRIPTOR):
        yield f"{_DESCRIPTOR} may exclude files from the build; they are counted all the same"


def _of_both(project: Project, absent: Absent) -> Iterator[str]:
    if manager.installs_itself(project):
        yield (
            f"{project.manager} also installs the project itself as a link to its folder: a few "
            "small files are not counted, and the build runs its build backend"
        )
    if _is_file(project, absent, "package.json"):
        yield (
            "not counted: Node.js packages of package.json, which the build installs if the app "
            "uses Heroku's Node.js buildpack or sets no buildpack"
        )
    if absent("Procfile") is None:
        yield from procfile(project.folder, project.top).notes


def _spacy_models(project: Project, hook: str) -> Iterator[str]:
    """Yield a note on spaCy's models that a hook downloads, which a wheel's URL would size."""
    try:
        script = reading.read(project.folder / hook, within=project.top, limit=reading.SMALL_FILE)
    except (OSError, reading.Refused):
        return
    names = dict.fromkeys(match[1].decode() for match in _SPACY.finditer(script))
    if names:
        yield (
            f"{hook} downloads {listed(list(names), _NAMED)}, which is not counted: to count it, "
            "require the URL of the model's wheel instead"
        )


def nltk_parts(project: Project, absent: Absent, names: Collection[str]) -> tuple[Part, ...]:
    """Return the part of the slug that the build's NLTK downloader adds for nltk.txt."""
    packages = nltk_data.download(_wanted_data(project, absent, names)).packages
    if not packages:
        return ()
    count = plural(len(packages), "package")
    slug = figures.total([package.slug for package in packages], systematic_percent=0.0)
    installed = sum(package.installed_bytes for package in packages)
    return (
        Part(
            name=f"NLTK data ({_NLTK})",
            group=slug_parts.NLTK,
            installed=Estimate.predicted(installed, installed, installed),
            slug=slug,
            note=f"{count}, sizes of {nltk_data.index_date()}",
        ),
    )


def unmeasured(project: Project, absent: Absent, names: Collection[str]) -> tuple[Unsized, ...]:
    """Return what the build downloads into the slug without a known size."""
    unknown = nltk_data.download(_wanted_data(project, absent, names)).unknown
    if not unknown:
        return ()
    shown = printable(", ".join(unknown))
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    reason = f"the build downloads NLTK data ({shown}) into the slug; its size is unknown"
    return (Unsized(name=_NLTK, version=None, reason=reason),)


def _wanted_data(project: Project, absent: Absent, names: Collection[str]) -> tuple[str, ...]:
    if "nltk" not in names or not _is_file(project, absent, _NLTK):
        return ()
    return _nltk(project)


def _version_files(project: Project, absent: Absent) -> Iterator[str]:
    if _is_file(project, absent, "runtime.txt"):
        yield "runtime.txt is deprecated: use a .python-version file instead"
    for name in _VERSION_FILES:
        why = absent(name)
        if why is not None and reading.destination(project.folder / name, project.top):
            yield f"{name} has no effect on the build: {why}"


def _nltk(project: Project) -> tuple[str, ...]:
    """Return the names of NLTK's data: one a line, as the build hands them on."""
    try:
        path = project.folder / _NLTK
        data = reading.read(path, within=project.top, limit=reading.SMALL_FILE)
    except OSError:
        return ("unreadable here",)
    lines = data.decode("utf-8", "replace").split("\n")
    return tuple(line.strip() for line in lines if line.strip())


def _is_file(project: Project, absent: Absent, name: str) -> bool:
    return absent(name) is None and reading.is_file(project.folder / name, project.top)

"""What a source archive depends on, as it states it without being run.

The first place that can be trusted wins, in this order: PKG-INFO, since metadata 2.2 says which
fields are static; an egg-info is what setuptools itself wrote when the archive was made; then
``[project]``, an older PKG-INFO that names dependencies, Poetry's and Flit's own tables, setup.cfg,
and last the literals of setup.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.markers import InvalidMarker
from packaging.metadata import RawMetadata
from packaging.utils import canonicalize_name

from slugcheck import syntax
from slugcheck.index import poetry
from slugcheck.index.project import Project
from slugcheck.index.stubs import repair_requirement, repair_specifier


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMetadata:
    """What a project says of itself without being run.

    ``requires`` are valid PEP 508 lines, extras included as markers. ``origin`` names the file
    they come from. ``notes`` say what was left out.
    """

    requires: tuple[str, ...]
    extras: tuple[str, ...]
    requires_python: str | None
    origin: str
    notes: tuple[str, ...] = ()


class Unstated(Exception):
    """A place has dependencies, but not in a form that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class _Found:
    requires: Sequence[str]
    python: object
    origin: str
    extras: Sequence[str] = ()
    notes: Sequence[str] = ()


def read_metadata(project: Project) -> SourceMetadata:
    """Return the metadata from the first place that states the dependencies.

    :raises Unstated: no place states them in a form that can be read without running code.
    """
    reasons: list[str] = []
    for place in (
        _static_pkg_info, _egg_info, _pyproject, _old_pkg_info, _poetry, _flit, _setup_cfg,
        _setup_py,
    ):  # fmt: skip
        try:
            found = place(project)
        except Unstated as reason:
            reasons.append(str(reason))
            continue
        if found is not None:
            return _checked(found)
    raise Unstated(reasons[-1] if reasons else "it states no dependencies, nor that it has none")


def _static_pkg_info(project: Project) -> _Found | None:
    info = project.pkg_info
    version = tuple(
        int(n) for n in info.get("metadata_version", "0")[:9].split(".") if n.isdecimal()
    )
    dynamic = {field.lower() for field in info.get("dynamic", [])}
    if version < (2, 2) or dynamic & {"requires-dist", "provides-extra"}:
        return None
    return _from_pkg_info(info, "PKG-INFO")


def _old_pkg_info(project: Project) -> _Found | None:
    # Flit, Poetry and others wrote the dependencies here long before metadata 2.2
    info = project.pkg_info
    return _from_pkg_info(info, "PKG-INFO") if info.get("requires_dist") else None


def _from_pkg_info(info: RawMetadata, origin: str) -> _Found:
    return _Found(
        info.get("requires_dist", []),
        info.get("requires_python"),
        origin,
        info.get("provides_extra", []),
    )


def _egg_info(project: Project) -> _Found | None:
    if project.egg_info is None:
        return None
    text = project.egg_text("requires.txt") or ""
    lines, extras = _requires_txt(text)
    return _Found(lines, project.pkg_info.get("requires_python"), "requires.txt", extras)


def _requires_txt(text: str) -> tuple[list[str], list[str]]:
    """Read setuptools' requires.txt: lines under ``[extra]``, ``[:marker]`` or both."""
    lines: list[str] = []
    extras: list[str] = []
    extra = marker = ""
    for line in (raw.strip() for raw in text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = (part.strip() for part in line[1:-1].partition(":"))
            if extra and extra not in extras:
                extras.append(extra)
        elif line and not line.startswith("#"):
            lines.append(_with_markers(line, extra, marker))
    return lines, extras


def _with_markers(line: str, extra: str, marker: str) -> str:
    """Return a dependency limited to an extra and a marker, beside what it says itself."""
    repaired = repair_requirement(line)
    if repaired is None:
        # reported later; whether only an extra wants it decides how
        return f'{line} ; extra == "{canonicalize_name(extra)}"' if extra else line
    requirement = syntax.requirement(repaired)
    conditions = [str(requirement.marker)] if requirement.marker else []
    conditions += [marker] if marker else []
    conditions += [f'extra == "{canonicalize_name(extra)}"'] if extra else []
    if not conditions:
        return repaired
    joined = " and ".join(f"({c})" if " or " in c else c for c in conditions)
    try:
        requirement.marker = syntax.marker(joined)
    except InvalidMarker:
        return f"{line} ; {joined}"
    return str(requirement)


def _pyproject(project: Project) -> _Found | None:
    table = project.table("project")
    if not table:
        return None
    if {"dependencies", "optional-dependencies"} & set(_texts(table.get("dynamic"))):
        raise Unstated("pyproject.toml says that its dependencies are computed at build time")
    lines = list(_texts(table.get("dependencies")))
    extras = project.table("project", "optional-dependencies")
    lines += [_with_markers(line, extra, "") for extra in extras for line in _texts(extras[extra])]
    return _Found(lines, table.get("requires-python"), "pyproject.toml", tuple(extras))


def _poetry(project: Project) -> _Found | None:
    table = project.table("tool", "poetry")
    if not table:
        return None
    try:
        lines, python = poetry.requirements(table)
    except ValueError as error:
        raise Unstated(f"pyproject.toml (Poetry): {error}") from None
    return _Found(lines, python, "pyproject.toml", tuple(project.table("tool", "poetry", "extras")))


def _flit(project: Project) -> _Found | None:
    table = project.table("tool", "flit", "metadata")
    if not table:
        return None
    lines = list(_texts(table.get("requires")))
    extras = project.table("tool", "flit", "metadata", "requires-extra")
    lines += [_with_markers(line, extra, "") for extra in extras for line in _texts(extras[extra])]
    return _Found(lines, table.get("requires-python"), "pyproject.toml", tuple(extras))


def _setup_cfg(project: Project) -> _Found | None:
    text = project.cfg("options", "install_requires")
    if not text and (not project.cfg("metadata", "name") or "setup.py" in project.tree.sizes):
        return None
    if text.startswith("file:"):
        raise Unstated("setup.cfg takes its dependencies from another file")
    lines = list(_listed(text))
    extras: list[str] = []
    section = "options.extras_require"
    if project.setup_cfg.has_section(section):
        extras = project.setup_cfg.options(section)
        lines += [
            _with_markers(line, *_extra_and_marker(extra))
            for extra in extras
            for line in _listed(project.setup_cfg.get(section, extra))
        ]
    python = project.cfg("options", "python_requires")
    return _Found(lines, python, "setup.cfg", [e for e in extras if not e.startswith(":")])


def _setup_py(project: Project) -> _Found | None:
    if "setup.py" not in project.tree.sizes:
        return None
    call = project.setup_call
    if call is None:
        raise Unstated("its setup.py cannot be read as Python 3, or calls no setup()")
    if call.is_unknown("install_requires"):
        raise Unstated("its setup.py computes the dependencies")
    if call.has("pbr"):
        raise Unstated("it takes its dependencies from another file (pbr)")
    lines = list(call.texts("install_requires"))
    extras = []
    for key, value in call.table("extras_require").items():
        extra, marker = _extra_and_marker(key)
        extras += [extra] if extra else []
        lines += [_with_markers(line, extra, marker) for line in _texts(value)]
    notes = ["its extras are computed and not known"] if "extras_require" in call.unknown else []
    return _Found(lines, call.values.get("python_requires"), "setup.py", extras, notes)


def _extra_and_marker(key: str) -> tuple[str, str]:
    extra, _, marker = (part.strip() for part in key.partition(":"))
    return extra, marker


def _listed(text: str) -> Iterator[str]:
    """Yield the items of a setup.cfg list: one a line, or parted by semicolons."""
    for line in text.splitlines() if "\n" in text else text.split(";"):
        if line.strip() and not line.strip().startswith("#"):
            yield line.strip()


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(line.strip() for line in value.splitlines() if line.strip())
    if isinstance(value, list | tuple):
        return tuple(item for item in value if isinstance(item, str))
    return ()


def _checked(found: _Found) -> SourceMetadata:
    """Repair each line; one that cannot be is fatal unless only an extra asks for it."""
    requires: list[str] = []
    notes = list(found.notes)
    for line in found.requires:
        repaired = repair_requirement(line)
        if repaired is not None:
            requires.append(repaired)
        elif "extra ==" in line:
            notes.append(f"left out of its extras: {line!r}, which no tool can read")
        else:
            raise Unstated(f"{found.origin} names {line!r}, which no tool can read")
    python = found.python if isinstance(found.python, str) else None
    return SourceMetadata(
        requires=tuple(dict.fromkeys(requires)),
        extras=tuple(dict.fromkeys(canonicalize_name(extra) for extra in found.extras)),
        requires_python=repair_specifier(python) or None if python else None,
        origin=found.origin,
        notes=tuple(notes),
    )

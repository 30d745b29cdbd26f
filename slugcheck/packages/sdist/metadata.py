"""The metadata of a source tree as stated without running it, and the wheel's metadata folder.

The dependencies come from the first place that can be trusted: PKG-INFO, since metadata 2.2 says
which fields are static; an egg-info, which setuptools itself wrote into the archive; then
``[project]``, an older PKG-INFO that lists dependencies, Poetry's and Flit's own tables, setup.cfg,
and finally the literals in setup.py.
"""

from __future__ import annotations

import configparser
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.markers import InvalidMarker
from packaging.metadata import RawMetadata
from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.model import Entry
from slugcheck.packages.locks import poetry
from slugcheck.packages.sdist.archive import deflated_bytes
from slugcheck.packages.sdist.project_files import Project, read_config, texts
from slugcheck.packages.stub_wheels import repair_requirement, repair_specifier

Scripts = tuple[tuple[str, str], ...]
_WHEEL_BYTES = 92  # as setuptools writes it for a pure-Python wheel
_RECORD_ROW_BYTES = len(",sha256=") + 43 + len(",") + len("\n")  # beside the path and the size
_RECORD_RATIO = 0.6  # deflate of a RECORD: its hashes do not compress
# files of an egg-info that a wheel's metadata folder does not take over as they are
_REPLACED = frozenset(
    {"PKG-INFO", "requires.txt", "SOURCES.txt", "not-zip-safe", "entry_points.txt"}
    | {"dependency_links.txt"}
)
_MOST_LINES = 5_000  # of dependencies, extras' included; reading one takes some 60 microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMetadata:
    """What a project says of itself without being run.

    ``requires`` are valid PEP 508 lines, extras included as markers. ``notes`` say what was left
    out.
    """

    requires: tuple[str, ...]
    extras: tuple[str, ...]
    requires_python: str | None
    notes: tuple[str, ...] = ()


class Unstated(Exception):
    """A file has dependencies, but not in a readable form; the message says why."""


@dataclass(frozen=True, slots=True)
class _Stated:
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
            stated = place(project)
        except Unstated as reason:
            reasons.append(str(reason))
            continue
        if stated is not None:
            return _checked(stated)
    raise Unstated(reasons[-1] if reasons else "it does not state its dependencies")


def _static_pkg_info(project: Project) -> _Stated | None:
    info = project.pkg_info
    version = tuple(
        int(n) for n in info.get("metadata_version", "0")[:9].split(".") if n.isdecimal()
    )
    dynamic = {field.lower() for field in info.get("dynamic", [])}
    if version < (2, 2) or dynamic & {"requires-dist", "provides-extra"}:
        return None
    return _from_pkg_info(info, "PKG-INFO")


def _old_pkg_info(project: Project) -> _Stated | None:
    # Flit, Poetry and others wrote the dependencies here long before metadata 2.2
    info = project.pkg_info
    return _from_pkg_info(info, "PKG-INFO") if info.get("requires_dist") else None


def _from_pkg_info(info: RawMetadata, origin: str) -> _Stated:
    return _Stated(
        info.get("requires_dist", []),
        info.get("requires_python"),
        origin,
        info.get("provides_extra", []),
    )


def _egg_info(project: Project) -> _Stated | None:
    if project.egg_info is None:
        return None
    text = project.egg_text("requires.txt") or ""
    lines, extras = _requires_txt(text)
    return _Stated(lines, project.pkg_info.get("requires_python"), "requires.txt", extras)


def _bounded(lines: Iterable[str]) -> list[str]:
    """Return the lines of dependencies.

    :raises Unstated: they are more than any real project has.
    """
    taken = list(itertools.islice(lines, _MOST_LINES + 1))
    if len(taken) > _MOST_LINES:
        raise Unstated(f"it names more than {_MOST_LINES:,} dependencies")
    return taken


def _requires_txt(text: str) -> tuple[list[str], list[str]]:
    """Read setuptools' requires.txt: lines under ``[extra]``, ``[:marker]`` or both."""
    lines: list[str] = []
    extras: list[str] = []
    extra = marker = ""
    for line in _bounded(line for raw in text.splitlines() if (line := raw.strip())):
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = (part.strip() for part in line[1:-1].partition(":"))
            if extra and extra not in extras:
                extras.append(extra)
        elif not line.startswith("#"):
            lines.append(_with_markers(line, extra, marker))
    return lines, extras


def _with_markers(line: str, extra: str, marker: str) -> str:
    """Return a dependency limited to an extra and a marker, beside what it says itself."""
    repaired = repair_requirement(line)
    if repaired is None:
        # reported later; whether only an extra wants it decides how
        return f'{line} ; extra == "{canonicalize_name(extra)}"' if extra else line
    requirement = reading.requirement(repaired)
    conditions = [str(requirement.marker)] if requirement.marker else []
    conditions += [marker] if marker else []
    conditions += [f'extra == "{canonicalize_name(extra)}"'] if extra else []
    if not conditions:
        return repaired
    joined = " and ".join(f"({c})" if " or " in c else c for c in conditions)
    try:
        requirement.marker = reading.marker(joined)
    except InvalidMarker:
        return f"{line} ; {joined}"
    return str(requirement)


def _pyproject(project: Project) -> _Stated | None:
    table = project.table("project")
    if not table:
        return None
    if {"dependencies", "optional-dependencies"} & set(texts(table.get("dynamic"))):
        raise Unstated("pyproject.toml says that its dependencies are computed at build time")
    extras = project.table("project", "optional-dependencies")
    return _with_extras(table, texts(table.get("dependencies")), extras)


def _with_extras(
    table: Mapping[str, Any], lines: Iterable[str], extras: Mapping[str, Any]
) -> _Stated:
    more = (_with_markers(line, extra, "") for extra in extras for line in texts(extras[extra]))
    requires = [*lines, *_bounded(more)]
    return _Stated(requires, table.get("requires-python"), "pyproject.toml", tuple(extras))


def _poetry(project: Project) -> _Stated | None:
    table = project.table("tool", "poetry")
    if not table:
        return None
    try:
        lines, python = poetry.requirements(table)
    except ValueError as error:
        raise Unstated(f"pyproject.toml (Poetry): {error}") from None
    return _Stated(
        lines, python, "pyproject.toml", tuple(project.table("tool", "poetry", "extras"))
    )


def _flit(project: Project) -> _Stated | None:
    table = project.table("tool", "flit", "metadata")
    if not table:
        return None
    extras = project.table("tool", "flit", "metadata", "requires-extra")
    return _with_extras(table, texts(table.get("requires")), extras)


def _setup_cfg(project: Project) -> _Stated | None:
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
        lines += _bounded(
            _with_markers(line, *_extra_and_marker(extra))
            for extra in extras
            for line in _listed(project.setup_cfg.get(section, extra))
        )
    python = project.cfg("options", "python_requires")
    return _Stated(lines, python, "setup.cfg", [e for e in extras if not e.startswith(":")])


def _setup_py(project: Project) -> _Stated | None:
    if "setup.py" not in project.tree.sizes:
        return None
    call = project.setup_call
    if call is None:
        raise Unstated("its setup.py is not Python 3, or does not call setup()")
    if call.is_unknown("install_requires"):
        raise Unstated("its setup.py computes the dependencies")
    if call.has("pbr"):
        raise Unstated("it takes its dependencies from another file (pbr)")
    lines = list(call.texts("install_requires"))
    extras = []
    for key, value in call.table("extras_require").items():
        extra, marker = _extra_and_marker(key)
        extras += [extra] if extra else []
        lines += _bounded(_with_markers(line, extra, marker) for line in texts(value))
    notes = (
        ["its extras are unknown: setup.py computes them"]
        if "extras_require" in call.unknown
        else []
    )
    return _Stated(lines, call.values.get("python_requires"), "setup.py", extras, notes)


def _extra_and_marker(key: str) -> tuple[str, str]:
    extra, _, marker = (part.strip() for part in key.partition(":"))
    return extra, marker


def _listed(text: str) -> Iterator[str]:
    """Yield the items of a setup.cfg list: one a line, or parted by semicolons."""
    for line in text.splitlines() if "\n" in text else text.split(";"):
        if line.strip() and not line.strip().startswith("#"):
            yield line.strip()


def _checked(stated: _Stated) -> SourceMetadata:
    """Repair each line; an irreparable one is fatal unless only an extra requires it."""
    requires: list[str] = []
    notes = list(stated.notes)
    for line in _bounded(stated.requires):
        repaired = repair_requirement(line)
        if repaired is not None:
            requires.append(repaired)
        elif "extra ==" in line:
            notes.append(f"left out of its extras: the invalid dependency {line!r}")
        else:
            raise Unstated(f"{stated.origin} has the invalid dependency {line!r}")
    python = stated.python if isinstance(stated.python, str) else None
    return SourceMetadata(
        requires=tuple(dict.fromkeys(requires)),
        extras=tuple(dict.fromkeys(canonicalize_name(extra) for extra in stated.extras)),
        requires_python=repair_specifier(python) or None if python else None,
        notes=tuple(notes),
    )


def dist_info_entries(
    project: Project, metadata: SourceMetadata, folder: str, payload: Iterable[Entry]
) -> Iterator[Entry]:
    """Yield the files of ``folder`` (``name-version.dist-info``), RECORD last."""
    made = [
        _text(f"{folder}/METADATA", _metadata_text(project, metadata)),
        Entry(path=f"{folder}/WHEEL", size=_WHEEL_BYTES, compressed=_WHEEL_BYTES),
    ]
    points = _entry_points_text(project)
    if points:
        made.append(_text(f"{folder}/entry_points.txt", points.encode(errors="replace")))
    made += [
        _text(f"{folder}/{path.rpartition('/')[2]}", content)
        for path, content in project.tree.texts.items()
        if project.egg_info and path.rpartition("/")[0] == project.egg_info
        if path.rpartition("/")[2] not in _REPLACED
    ]
    yield from made
    rows = sum(_row_bytes(entry) for entry in (*payload, *made))
    size = rows + len(f"{folder}/RECORD,,\n")
    yield Entry(path=f"{folder}/RECORD", size=size, compressed=int(size * _RECORD_RATIO))


def _text(path: str, content: bytes) -> Entry:
    return Entry(path=path, size=len(content), compressed=deflated_bytes(content))


def _row_bytes(entry: Entry) -> int:
    return (
        len(entry.path.encode(errors="surrogateescape")) + len(str(entry.size)) + _RECORD_ROW_BYTES
    )


def _metadata_text(project: Project, metadata: SourceMetadata) -> bytes:
    places = ("PKG-INFO", f"{project.egg_info}/PKG-INFO")
    text = next((project.tree.texts[p] for p in places if p in project.tree.texts), b"")
    if not project.pkg_info.get("requires_dist"):
        text += "".join(f"Requires-Dist: {line}\n" for line in metadata.requires).encode()
        text += "".join(f"Provides-Extra: {extra}\n" for extra in metadata.extras).encode()
    return text


def scripts_of(project: Project) -> tuple[Scripts, Scripts]:
    """Return the console and the GUI scripts as (name, ``module:attribute``) pairs."""
    groups = _groups(project)
    return tuple(groups.get("console_scripts", {}).items()), tuple(
        groups.get("gui_scripts", {}).items()
    )


def _groups(project: Project) -> dict[str, dict[str, str]]:
    """Return the entry points by group, from the first place that states any."""
    texts = (
        project.egg_text("entry_points.txt") or "",
        _text_keyword(project),
        project.cfg("options", "entry_points"),
    )
    for groups in (*map(_parsed, texts), _cfg_groups(project), _keyword_groups(project)):
        if groups:
            return groups
    pyproject_groups = {
        "console_scripts": _pyproject_scripts(project, "scripts"),
        "gui_scripts": _pyproject_scripts(project, "gui-scripts"),
    }
    return {group: scripts for group, scripts in pyproject_groups.items() if scripts}


def _parsed(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    if not read_config(parser, text):
        return {}
    return {group: dict(parser.items(group)) for group in parser.sections()}


def _text_keyword(project: Project) -> str:
    value = project.setup_keywords.values.get("entry_points")
    return "\n".join(line.strip() for line in value.splitlines()) if isinstance(value, str) else ""


def _keyword_groups(project: Project) -> dict[str, dict[str, str]]:
    table = project.setup_keywords.table("entry_points")
    return {
        group: dict(_pairs([lines] if isinstance(lines, str) else lines))
        for group, lines in table.items()
    }


def _cfg_groups(project: Project) -> dict[str, dict[str, str]]:
    section = "options.entry_points"
    if not project.setup_cfg.has_section(section):
        return {}
    return {
        group: dict(_pairs(project.setup_cfg.get(section, group).splitlines()))
        for group in project.setup_cfg.options(section)
    }


def _pairs(lines: object) -> Iterator[tuple[str, str]]:
    for line in lines if isinstance(lines, list | tuple) else ():
        name, equals, value = str(line).partition("=")
        if equals:
            yield name.strip(), value.strip()


def _pyproject_scripts(project: Project, key: str) -> dict[str, str]:
    for table in (
        project.table("project", key),
        project.table("tool", "poetry", key),
        project.table("tool", "flit", key),
    ):
        if table:
            return {name: value for name, value in table.items() if isinstance(value, str)}
    return {}


def _entry_points_text(project: Project) -> str:
    stated = project.egg_text("entry_points.txt")
    if stated is not None:
        return stated
    blocks = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in scripts.items())])
        for group, scripts in _groups(project).items()
    ]
    return "\n\n".join(blocks) + "\n" if blocks else ""

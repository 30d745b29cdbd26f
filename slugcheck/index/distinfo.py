"""The metadata folder that a wheel built from a source tree would have, and its entry points."""

from __future__ import annotations

import configparser
from collections.abc import Iterable, Iterator

from slugcheck.index.project import Project, read_config
from slugcheck.index.setuppy import SetupCall
from slugcheck.index.srcmeta import SourceMetadata
from slugcheck.index.unpack import deflated_bytes
from slugcheck.model import Entry

Scripts = tuple[tuple[str, str], ...]

_WHEEL_BYTES = 92  # as setuptools writes it for a pure-Python wheel
_RECORD_ROW_BYTES = len(",sha256=") + 43 + len(",") + len("\n")  # beside the path and the size
_RECORD_RATIO = 0.6  # deflate of a RECORD: its hashes do not compress
# files of an egg-info that a wheel's metadata folder does not take over as they are
_REPLACED = frozenset(
    {"PKG-INFO", "requires.txt", "SOURCES.txt", "not-zip-safe", "entry_points.txt"}
    | {"dependency_links.txt"}
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


# --------------------------------------------------------------------------- entry points


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
    found = {
        "console_scripts": _pyproject_scripts(project, "scripts"),
        "gui_scripts": _pyproject_scripts(project, "gui-scripts"),
    }
    return {group: scripts for group, scripts in found.items() if scripts}


def _parsed(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    if not read_config(parser, text):
        return {}
    return {group: dict(parser.items(group)) for group in parser.sections()}


def _call(project: Project) -> SetupCall:
    return project.setup_call or SetupCall()


def _text_keyword(project: Project) -> str:
    value = _call(project).values.get("entry_points")
    return "\n".join(line.strip() for line in value.splitlines()) if isinstance(value, str) else ""


def _keyword_groups(project: Project) -> dict[str, dict[str, str]]:
    table = _call(project).table("entry_points")
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

"""Why pip takes no wheel with some metadata: another Python, or a requirement that is none."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement
from packaging.specifiers import InvalidSpecifier

from slugcheck import reading
from slugcheck.model import Inventory

_SHOWN = 60  # characters of an invalid requirement


def python_allowed(requires_python: str | None, python: str) -> bool:
    """Return True when a Requires-Python allows a Python; one that is unreadable does."""
    try:
        wanted = reading.specifiers(requires_python or "")
    except InvalidSpecifier:
        return True
    return wanted.contains(python, prereleases=True)


def requires_another_python(requires_python: str | None) -> str:
    """Return in words that a version's metadata refuses the target's Python."""
    return f"its metadata requires Python {requires_python}"


def refused_metadata(inventory: Inventory, python: str) -> str:
    """Return why pip takes no wheel with this metadata on a Python, "" if it does.

    Since 24.1 pip ignores versions with a Requires-Dist that is not PEP 508 (pip's
    ``_check_metadata_consistency``); uv repairs such lines, and ignores upper bounds of
    Requires-Python.
    """
    if not python_allowed(inventory.requires_python, python):
        return requires_another_python(inventory.requires_python)
    for line in inventory.requires_dist:
        try:
            reading.requirement(line)
        except InvalidRequirement:
            return f"its metadata has the invalid requirement {line[:_SHOWN]!r}, which pip refuses"
    return ""

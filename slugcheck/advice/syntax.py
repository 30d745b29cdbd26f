"""Edits as text, in the syntax of the project's package manager."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.advice.edits import Edit
from slugcheck.errors import SlugcheckError
from slugcheck.model import Buildpack, Manager, SizeReport
from slugcheck.packages.locks.pins import items, read_bytes, table, text, toml
from slugcheck.packages.requirements import pyproject
from slugcheck.project.app import Subject

_NAME = re.compile(r"[A-Za-z0-9._-]+")
# The tool that writes a lock again once its project file has changed.
_LOCK = {
    Manager.UV: "uv lock",
    Manager.POETRY: "poetry lock",
    Manager.PIPENV: "pipenv lock",
}
_ADD = {Manager.UV: "uv add", Manager.POETRY: "poetry add", Manager.PIPENV: "pipenv install"}
_REMOVE = {
    Manager.UV: "uv remove",
    Manager.POETRY: "poetry remove",
    Manager.PIPENV: "pipenv uninstall",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How a project says what it needs.

    ``manager`` is whose syntax counts, ``file`` the name of the file to change. ``versions`` are
    those resolved, by name; ``direct`` the names that the project lists itself, ``markers`` their
    markers. ``document`` is the parsed pyproject.toml or Pipfile; empty for pip's files.
    """

    manager: Manager
    file: str
    versions: Mapping[str, str]
    direct: Collection[str]
    markers: Mapping[str, str] = field(default_factory=dict)
    indexes: Collection[str] = field(default=(), repr=False)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    hashed: bool = False
    has_hooks: bool = True  # whether the build runs bin/post_compile
    python_origin: str = ""

    def text(self, edit: Edit) -> str:
        """Return the lines that make an edit: of a file, or commands."""
        if self.manager is Manager.PIP:
            lines = list(self._pip(edit))
        elif edit.index_url:
            lines = list(self._with_index(edit, edit.index_url))
        else:
            lines = list(self._commands(edit))
        lines += self._dropped(edit)
        lines += self._python(edit)
        return "\n".join(lines)

    # ------------------------------------------------------------------ pip

    def _pip(self, edit: Edit) -> Iterator[str]:
        in_pyproject = self.file.endswith(".toml")
        new = [(line, self.markers.get(old, "")) for old, line in edit.replace]
        new += [(line, "") for line in edit.add if not edit.drop]
        if in_pyproject and (new or edit.remove):
            where = "in pyproject.toml, dependencies"
            if self.file != pyproject.NAME:
                where = f"in what {self.file} is made from, then make it again"
            yield f"# {where}:"
        if edit.index_url and edit.index_url not in self.indexes:
            yield f"--extra-index-url {edit.index_url}"
        for line, marker in new:
            whole = f"{line} ; {marker}" if marker else line
            yield f'"{whole.replace(chr(34), chr(39))}",' if in_pyproject else whole
        yield from (f"# remove: {self._pin(name)}" for name in edit.remove)
        if self.hashed and new:
            yield "# then add the hashes of all lines again: pip-compile --generate-hashes"

    def _pin(self, name: str) -> str:
        version = self.versions.get(name)
        return f"{name}=={version}" if version else name

    # ------------------------------------------------------------------ uv, Poetry, Pipenv

    def _commands(self, edit: Edit) -> Iterator[str]:
        new = [_name(line) for _, line in edit.replace]
        gone = [old for old, _ in edit.replace if old not in new] + list(edit.remove)
        if gone:
            yield f"{_REMOVE[self.manager]} {' '.join(gone)}"
        lines = [line for _, line in edit.replace]
        if self._overrides or not edit.drop:
            lines += edit.add
        if lines:
            yield f"{_ADD[self.manager]} {' '.join(map(_quoted, lines))}"

    def _with_index(self, edit: Edit, url: str) -> Iterator[str]:
        lines = [line for _, line in edit.replace] + list(edit.add)
        known = self._index_name(url)
        index = known or _new_name(url)
        file = "Pipfile" if self.manager is Manager.PIPENV else "pyproject.toml"
        yield f"# in {file}:"
        if self.manager is Manager.UV:
            yield "[tool.uv.sources]"
            yield from (f'{_name(line)} = {{ index = "{index}" }}' for line in lines)
            if not known:
                yield "[[tool.uv.index]]"
                yield from (f'name = "{index}"', f'url = "{url}"', "explicit = true")
            # the index decides the build, so the plain version is enough
            plain = [line.partition("+")[0] for line in lines]
            missing = [line for line in plain if self._must_be_written(line)]
            yield "# then run:"
            if edit.remove:
                yield f"uv remove {' '.join(edit.remove)}"
            yield f"uv add {' '.join(map(_quoted, missing))}" if missing else "uv lock"
            return
        if self.manager is Manager.POETRY:
            if not known:
                yield "[[tool.poetry.source]]"
                yield from (f'name = "{index}"', f'url = "{url}"', 'priority = "explicit"')
            yield "[tool.poetry.dependencies]"
            key = "source"
        else:
            if not known:
                yield "[[source]]"
                yield from (f'name = "{index}"', f'url = "{url}"', "verify_ssl = true")
            yield "[packages]"
            key = "index"
        for line in lines:
            wanted = reading.requirement(line)
            version = str(wanted.specifier)
            if self.manager is Manager.POETRY:
                version = version.removeprefix("==")
            yield f'{wanted.name} = {{ version = "{version}", {key} = "{index}" }}'
        yield "# then run:"
        if edit.remove:
            yield f"{_REMOVE[self.manager]} {' '.join(edit.remove)}"
        yield _LOCK[self.manager]

    def _must_be_written(self, line: str) -> bool:
        """Whether uv's dependencies need a line: it is not listed, or names another build."""
        name = _name(line)
        version = self.versions.get(name, "")
        wanted = str(reading.requirement(line).specifier).removeprefix("==")
        return name not in self.direct or "+" in version or wanted != version

    def _index_name(self, url: str) -> str | None:
        """Return the name that the project gives an index, None where it does not have it."""
        places: dict[Manager, object] = {
            Manager.UV: table(self.document, "tool", "uv").get("index"),
            Manager.POETRY: table(self.document, "tool", "poetry").get("source"),
            Manager.PIPENV: self.document.get("source"),
        }
        for index in map(table, items(places.get(self.manager))):
            name = text(index.get("name"))
            if text(index.get("url")).rstrip("/") == url.rstrip("/") and _NAME.fullmatch(name):
                return name
        return None

    # ------------------------------------------------------------------ the rest

    @property
    def _overrides(self) -> bool:
        """Whether the manager can leave out what another distribution requires."""
        return self.manager is Manager.UV

    def _dropped(self, edit: Edit) -> Iterator[str]:
        if not edit.drop:
            return
        if self._overrides:
            overrides = ", ".join(f"\"{name} ; sys_platform == 'never'\"" for name in edit.drop)
            yield "# in pyproject.toml, then run `uv lock`:"
            yield "[tool.uv]"
            yield f"override-dependencies = [{overrides}]"
            return
        # pip cannot leave out a dependency of another distribution, so it is replaced afterwards
        after = self.manager.value.capitalize() if self.manager is Manager.POETRY else "pip"
        yield (
            f"# in bin/post_compile, which the buildpack runs after {after}:"
            if self.has_hooks
            else "# in the build command, after the install:"
        )
        program = "pip"
        if self.manager is Manager.POETRY:  # it brings no pip
            yield "python -m ensurepip"
            program = "python -m pip"
        # both write the same files, so the one that stays is installed last
        lines = edit.add or tuple(line for _, line in edit.replace)
        yield f"{program} uninstall --yes {' '.join([*edit.drop, *map(_name, lines)])}"
        if lines:
            yield f"{program} install --no-deps {' '.join(lines)}"

    def _python(self, edit: Edit) -> Iterator[str]:
        if edit.python is None:
            return
        if self.manager is Manager.PIPENV:
            yield "# in Pipfile, then run `pipenv lock`:"
            yield "[requires]"
            yield f'python_version = "{edit.python}"'
            return
        old = self.python_origin == "runtime.txt"
        yield f"# in .python-version{', and delete runtime.txt' if old else ''}:"
        yield edit.python


def of(subject: Subject, sizes: SizeReport) -> Written:
    """Return how the project of a check says what it needs."""
    document: Mapping[str, Any] = {}
    path, manager = subject.lock or subject.path, subject.manager
    if subject.project is not None:
        path = subject.project.dependency_file
    if manager is not Manager.PIP or path.name == pyproject.NAME:
        name = "Pipfile" if manager is Manager.PIPENV else pyproject.NAME
        document = _document(path.parent / name, subject.top)
    if manager is Manager.PIP:  # a pyproject.toml that was named by itself
        own = table(document, "tool")
        manager = Manager.UV if "uv" in own else Manager.POETRY if "poetry" in own else manager
    read = subject.requirements
    lines = read.requirements if read is not None else ()
    return Written(
        manager=manager,
        file=path.name,
        versions={d.name: d.distribution.version for d in sizes.distributions},
        direct={d.name for d in sizes.distributions if d.distribution.direct},
        markers={line.name: line.marker for line in lines if line.marker},
        indexes=read.options.extra_index_urls if read is not None else (),
        document=document,
        hashed=any(line.hashes for line in lines),
        has_hooks=sizes.target.platform.buildpack is Buildpack.CLASSIC,
        python_origin=sizes.target.python_origin,
    )


def _document(path: Path, top: Path) -> Mapping[str, Any]:
    """Return a project file parsed; empty where it cannot be read, which others report."""
    try:
        return toml(path, read_bytes(path, top))
    except SlugcheckError:
        return {}


def _name(line: str) -> str:
    return canonicalize_name(reading.requirement(line).name)


def _quoted(line: str) -> str:
    return f'"{line}"' if re.search(r"[<>\[*;! ]", line) else line


def _new_name(url: str) -> str:
    """Return a name for an index: pytorch-cpu of download.pytorch.org/whl/cpu."""
    host, *folders = url.partition("://")[2].rstrip("/").split("/")
    words = [word for word in host.partition(":")[0].split(".") if word not in ("www", "download")]
    return "-".join([words[0] if words else "index", *folders[-1:]])

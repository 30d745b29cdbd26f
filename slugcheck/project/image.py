"""What a Dockerfile puts into its image: the base, the installs and the copied files.

The last stage counts, with the stages that it is built from and those that it copies from. The
result says what to size (``Plan``) and what could not be read; nothing is run or fetched.
"""

from __future__ import annotations

import itertools
import posixpath
import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import UsageError
from slugcheck.model import Manager
from slugcheck.project import dockerfile, dockerignore, install_commands
from slugcheck.project.dockerfile import Dockerfile, Instruction, assignments, unquoted, words
from slugcheck.project.dockerignore import Patterns
from slugcheck.project.globs import Budget, TooCostlyError
from slugcheck.project.install_commands import SYSTEM, Install, Surroundings
from slugcheck.text import listed, plural, printable

NAMES = ("Dockerfile", "Containerfile")
_IGNORE = ".dockerignore"
_NAMED = 4
_SHOWN = 70  # characters of a command in a note
_UV_IMAGE = re.compile(r"^ghcr\.io/astral-sh/uv(?:[:@]|$)")
_REMOTE = re.compile(r"^(?:[a-z]+://|git@)")
_LOCKS = {Manager.UV: "uv.lock", Manager.POETRY: "poetry.lock", Manager.PIPENV: "Pipfile.lock"}
_MOST_HELD = 1_000  # files copied, installs and wheels of a stage; real ones have some dozen
_STEPS_PER_LOOK = 20  # of the budget, for a file that is looked for on the disk
_STEPS_PER_COPY, _CHARACTERS_PER_STEP = 20, 16  # of what is taken from another stage, and its path
_PACKAGES = re.compile(r"/(?:lib|site-packages|dist-packages)(?:/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """Sources of the context that COPY or ADD takes, and where they go in the image."""

    sources: tuple[str, ...]  # relative to the context, without leading ./
    target: str  # absolute
    into: bool  # the target is a folder
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the image is made of.

    ``base`` is the image that FROM names, None where a variable of it has no value (``written`` is
    it as it is written). ``installs`` are those whose packages are in the image, in their order.
    ``wheels`` are the installs whose wheels are in a layer as files, too.
    """

    name: str  # of the file, for messages
    context: Path
    base: str | None
    written: str
    base_line: int
    arch: str  # "x86_64", "aarch64", or "" where FROM does not say it
    installs: tuple[Install, ...]
    wheels: tuple[Install, ...]
    copied: tuple[Copied, ...]
    ignored: Patterns
    uv: bool
    bare: bool  # nothing is added to the base's system that could hold a shared library
    notes: tuple[str, ...]

    def taken(self, paths: Collection[str]) -> frozenset[str]:
        """Return those files of the context that are in the image.

        :raises UsageError: to find out takes too long.
        """
        budget = Budget(len(paths))
        try:
            return frozenset(path for path in paths if self._takes(path.split("/"), budget))
        except TooCostlyError:
            message = f"{self.name} or its {_IGNORE} takes too long to match"
            raise UsageError(message, hint="use fewer *, ** and COPY instructions") from None

    def _takes(self, names: Sequence[str], budget: Budget) -> bool:
        if self.ignored.excludes(names, budget):
            return False
        return any(_takes(copied, names, budget) for copied in self.copied)


@dataclass(slots=True)
class _Stage:
    """A stage after its instructions."""

    where: Surroundings
    installs: list[Install] = field(default_factory=list)
    wheels: list[Install] = field(default_factory=list)
    exports: dict[str, Install] = field(default_factory=dict)
    copied: list[Copied] = field(default_factory=list)
    mounted: list[Copied] = field(default_factory=list)  # shown to one RUN, in no layer
    system: list[str] = field(default_factory=list)
    others: list[tuple[int, str]] = field(default_factory=list)
    owners: list[tuple[int, str]] = field(default_factory=list)
    conditional: list[int] = field(default_factory=list)  # lines of installs that may not run
    foreign: list[str] = field(default_factory=list)  # copied from elsewhere: not counted
    remote: list[str] = field(default_factory=list)
    uv: bool = False

    @property
    def held(self) -> int:
        """How much it holds: what later instructions may go through one by one."""
        return sum(map(len, (self.installs, self.wheels, self.exports, self.copied, self.mounted)))


def find(folder: Path, top: Path) -> Path | None:
    """Return the Dockerfile of a folder, None if it has none.

    :raises Refused: it is a link out of the checkout.
    """
    return next((folder / name for name in NAMES if reading.is_file(folder / name, top)), None)


def read(path: Path, context: Path, top: Path, *, named: Path | None = None) -> Plan:
    """Return what a Dockerfile makes of a context folder; no file outside of ``top`` is read.

    ``named`` is the folder that the Dockerfile itself may be in, by default ``top``.

    :raises UsageError: it cannot be read, or Docker would refuse it.
    """
    parsed = dockerfile.parse(_text(path, named or top), printable(path.name))
    try:
        return _Builder(parsed, context, top, path).plan()
    except TooCostlyError:
        message = f"{parsed.name} takes too long to follow"
        raise UsageError(message, hint="use fewer COPY and RUN instructions in it") from None


def _text(path: Path, top: Path) -> str:
    try:
        data = reading.read(path, within=top, limit=reading.SMALL_FILE)
        return data.decode("utf-8")
    except UnicodeDecodeError:
        message = f"{printable(str(path))} is not UTF-8 text"
        raise UsageError(message, hint="save it as UTF-8") from None
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="name a Dockerfile with --dockerfile") from None


class _Builder:
    """The stages of one file, each worked out once and only if the image needs it."""

    def __init__(self, parsed: Dockerfile, context: Path, top: Path, path: Path) -> None:
        self._parsed = parsed
        self._context = context
        self._top = top
        self._notes: list[str] = []
        self._stages: dict[int, _Stage] = {}
        self._budget = Budget()
        self._ignored = self._patterns(path)

    def _patterns(self, path: Path) -> Patterns:
        own = path.with_name(f"{path.name}{_IGNORE}")
        for place in (own, self._context / _IGNORE):
            if not reading.leaves(place, self._top) and reading.is_file(place, self._top):
                patterns, beyond = dockerignore.parse(_text(place, self._top))
                if beyond:
                    self._notes.append(
                        f"{printable(place.name)}: {plural(beyond, 'line')} too long or too many, "
                        "ignored"
                    )
                return patterns
        return Patterns(())

    def plan(self) -> Plan:
        """Return the plan of the last stage."""
        last = len(self._parsed.stages) - 1
        stage = self._stage(last)
        root = self._root(last)
        base = self._parsed.stages[root]
        installs = stage.installs
        self._notes += self._remarks(stage, installs)
        machine = base.platform.rpartition("/")[2] if base.platform else ""
        return Plan(
            name=self._parsed.name,
            context=self._context,
            base=base.base,
            written=base.written,
            base_line=base.line,
            arch={"arm64": "aarch64", "amd64": "x86_64"}.get(machine, ""),
            installs=tuple(installs),
            wheels=tuple(stage.wheels),
            copied=tuple(stage.copied),
            ignored=self._ignored,
            uv=stage.uv,
            bare=not (stage.system or stage.others or stage.foreign or stage.remote),
            notes=tuple(self._notes),
        )

    def _root(self, number: int) -> int:
        """Return the first stage that a stage is built on."""
        while True:
            base = self._parsed.stages[number].base
            above = self._parsed.find(base or "", before=number)
            if above is None:
                return number
            number = above

    def _stage(self, number: int) -> _Stage:
        if number in self._stages:
            return self._stages[number]
        written = self._parsed.stages[number]
        above = self._parsed.find(written.base or "", before=number)
        values, workdir = dockerfile.inherited(written.base)
        stage = _Stage(where=Surroundings(values=values, workdir=workdir, budget=self._budget))
        if above is not None:
            parent = self._stage(above)
            self._budget.spend(parent.held)
            stage = replace(
                parent,
                where=replace(
                    parent.where,
                    values=dict(parent.where.values),
                    venvs=set(parent.where.venvs),
                ),
                installs=list(parent.installs), wheels=list(parent.wheels),
                exports=dict(parent.exports), copied=list(parent.copied),
                system=list(parent.system), others=list(parent.others),
                owners=list(parent.owners), foreign=list(parent.foreign),
                remote=list(parent.remote), conditional=list(parent.conditional),
            )  # fmt: skip
        stage.uv |= bool(_UV_IMAGE.match(written.base or ""))
        self._stages[number] = stage
        for instruction in written.instructions:
            self._apply(instruction, stage, number)
            if stage.held > _MOST_HELD:  # stages that copy all of another twice double each time
                place = f"{self._parsed.name}:{instruction.line}"
                message = f"{place}: more than {_MOST_HELD:,} files and installs in one stage"
                raise UsageError(message, hint="use fewer COPY and RUN instructions in it")
        return stage

    # ----------------------------------------------------------------- instructions

    def _apply(self, instruction: Instruction, stage: _Stage, number: int) -> None:
        where = stage.where
        match instruction.name:
            case "ARG":
                for name, value in assignments(instruction.text):
                    self._set(where, name, value, self._parsed.arguments.get(name))
            case "ENV":
                for name, value in assignments(instruction.text):
                    self._set(where, name, value, None)
            case "WORKDIR":
                folder = _expanded(instruction.text.strip(), where)
                if folder:
                    where.workdir = where.path(folder)
            case "COPY" | "ADD":
                self._copy(instruction, stage, number)
            case "RUN":
                self._run(instruction, stage, number)
            case _:
                pass

    def _set(self, where: Surroundings, name: str, value: str | None, known: str | None) -> None:
        if value is not None:
            expanded = _expanded(value, where)
            if expanded is not None:
                where.set(name, expanded)
        elif known is not None:
            where.set(name, known)

    def _run(self, instruction: Instruction, stage: _Stage, number: int) -> None:
        mounts = [_mount(value) for value in instruction.values("mount")]
        cached = [m.get("target", m.get("dst", "")) for m in mounts if m.get("type") == "cache"]
        for mount in mounts:
            self._bind(mount, stage, number)
        form = instruction.form
        if form is not None:
            text = " ".join(map(_quoted, form))
        else:
            text = "\n".join([
                re.sub(r"<<-?\s*['\"]?\w+['\"]?", "", instruction.text),
                *(heredoc.text for heredoc in instruction.heredocs),
            ]) if instruction.heredocs else instruction.text  # fmt: skip
        where = stage.where
        found = install_commands.read(text, where, line=instruction.line, mounts=cached)
        stage.exports |= found.exports
        stage.conditional += [instruction.line for _ in found.conditional]
        for install in found.installs:
            for resolved in (
                self._resolved(install, stage) if not install.from_wheels else [install]
            ):
                self._add(resolved, stage)
        stage.system += found.system
        stage.uv |= found.uv
        stage.others += [(instruction.line, text) for text in found.others]
        there = [one.location for one in stage.installs]
        there += [copied.target for copied in stage.copied]
        self._budget.spend(len(there) * len(found.owners))
        stage.owners += [
            (instruction.line, folder)
            for folder in found.owners
            if any(_covers(folder, place) for place in there)
        ]

    def _add(self, install: Install, stage: _Stage) -> None:
        if install.from_wheels:
            built = [one for one in stage.wheels if _covers(one.location, install.from_wheels)]
            stage.installs += [
                replace(one, line=install.line, wheels=False, location=install.location,
                        compiles=install.compiles, caches=False)
                for one in built
            ]  # fmt: skip
            if not built:
                stage.others.append((install.line, install.text))
        else:
            stage.installs += [] if install.wheels else [install]
            # ``caches`` of wheels: they are in a layer as files
            stage.wheels += [replace(install, caches=True)] if install.wheels else []

    def _bind(self, mount: dict[str, str], stage: _Stage, number: int) -> None:
        """Note files that a mount shows to one RUN; they are in no layer."""
        if mount.get("type", "bind") != "bind":
            return
        target = stage.where.path(mount.get("target", mount.get("dst", "")) or "/")
        source = mount.get("source", mount.get("src", "")) or "."
        if "from" in mount:
            other = self._parsed.find(mount["from"], before=number)
            if other is not None:
                built = self._stage(other)
                self._budget.spend(built.held)
                stage.wheels += [
                    replace(one, location=self._moved(one.location, source, target), caches=False)
                    for one in built.wheels if _covers(source, one.location)
                ]  # fmt: skip
            return
        stage.mounted.append(Copied(sources=(_relative(source),), target=target, into=False))

    # ----------------------------------------------------------------- COPY and ADD

    def _copy(self, instruction: Instruction, stage: _Stage, number: int) -> None:
        raw = instruction.form or tuple(
            word for word in words(instruction.text) if not word.startswith("<<")
        )
        parts = [_expanded(word, stage.where, strict=True) for word in raw]
        origin = _expanded(instruction.flag("from"), stage.where) or ""
        if not parts or parts[-1] is None or (None in parts[:-1] and not origin):
            stage.others.append((instruction.line, f"{instruction.name} {instruction.text}"))
            return
        *sources, target = [part or "" for part in parts]
        place = stage.where.path(target)
        if origin:
            self._copy_from(origin, sources, place, target, stage, number)
            return
        local = [source for source in sources if not _REMOTE.match(source)]
        stage.remote += [source for source in sources if _REMOTE.match(source)]
        if not local:
            return
        into = target.endswith(("/", "/.")) or target in (".", "..") or len(local) > 1
        exclude = tuple(_expanded(v, stage.where) or "" for v in instruction.values("exclude"))
        stage.copied.append(
            Copied(sources=tuple(map(_relative, local)), target=place, into=into, exclude=exclude)
        )

    def _copy_from(
        self, origin: str, sources: Sequence[str], place: str, target: str, stage: _Stage,
        number: int,
    ) -> None:  # fmt: skip
        other = self._parsed.find(origin, before=number)
        if other is None:
            if _UV_IMAGE.match(origin):
                stage.uv = True
            else:
                stage.foreign.append(f"{', '.join(sources)} of {origin}")
            return
        built = self._stage(other)
        self._budget.spend(built.held * len(sources))
        unknown = []
        for source in sources:
            path = posixpath.normpath(posixpath.join("/", source))
            taken = [one for one in built.installs if _holds(path, one.location)]
            wheels = [one for one in built.wheels if _covers(path, one.location)]
            self._budget.spend(_STEPS_PER_COPY * len(taken))
            stage.installs += [replace(one, caches=False, copies=False) for one in taken]
            stage.wheels += [
                replace(one, location=self._moved(one.location, path, place), caches=True)
                for one in wheels
            ]
            exported = {
                self._moved_file(written, path, place, target): one
                for written, one in built.exports.items() if _covers(path, written)
            }  # fmt: skip
            stage.exports |= exported
            inside = self._of_stage(built, path, place, target)
            stage.copied += inside
            stage.uv |= built.uv and posixpath.basename(path) in ("uv", "bin")
            if not (taken or wheels or exported or inside or _is_bin(path)):
                unknown.append(source)
        if unknown:
            stage.foreign.append(f"{', '.join(unknown)} of stage {origin}")

    def _of_stage(self, built: _Stage, path: str, place: str, target: str) -> list[Copied]:
        """Return the files of the context that another stage copied below a path."""
        into = target.endswith("/")
        found = []
        for copied in built.copied:
            if _covers(path, copied.target):
                found.append(replace(copied, target=self._moved(copied.target, path, place)))
            elif _covers(copied.target, path) and copied.sources in (("",), (".",)):
                inside = posixpath.relpath(path, copied.target)
                found.append(Copied(sources=(inside,), target=place, into=into))
        return found

    def _moved(self, path: str, source: str, target: str) -> str:
        """Return where a path below a copied folder goes."""
        if not _covers(source, path):
            return target
        rest = path[len(source.rstrip("/")) :].lstrip("/")
        self._budget.spend(_STEPS_PER_COPY + (len(target) + len(rest)) // _CHARACTERS_PER_STEP)
        return posixpath.join(target, rest) if rest else target

    def _moved_file(self, path: str, source: str, place: str, target: str) -> str:
        if path == source:
            return (
                posixpath.join(place, posixpath.basename(path)) if target.endswith("/") else place
            )
        return self._moved(path, source, place)

    # ----------------------------------------------------------------- what a file is

    def _resolved(self, install: Install, stage: _Stage) -> Iterator[Install]:
        """Yield an install with its files as paths in the context.

        A requirements file that a command has written from a lock becomes an install of that lock.
        """
        files: list[str] = []
        missing: list[str] = []
        for path in install.files:
            if (lock := stage.exports.get(path)) is not None:
                yield from self._resolved(
                    replace(
                        lock, line=install.line, location=install.location, caches=install.caches,
                        compiles=install.compiles, wheels=install.wheels,
                    ),
                    stage,
                )  # fmt: skip
            elif (found := self._in_context(path, stage)) is not None:
                files.append(found)
            else:
                missing.append(posixpath.basename(path))
        projects: list[tuple[str, tuple[str, ...]]] = []
        for folder, extras in install.projects:
            found = self._in_context(posixpath.join(folder, "pyproject.toml"), stage)
            if found is None:
                missing.append(f"the project in {folder}")
            else:
                projects.append((found, extras))
        if install.lock:
            name = _LOCKS[install.manager]
            found = self._in_context(posixpath.join(install.folder, name), stage)
            files, missing = ([found], []) if found else ([], [name])
        unknown = "; ".join(filter(None, (install.unknown, ", ".join(missing))))
        if files or install.names or projects or install.options or unknown:
            yield replace(
                install, files=tuple(files), projects=tuple(projects), unknown=unknown,
                lock=install.lock and bool(files),
            )  # fmt: skip

    def _in_context(self, path: str, stage: _Stage) -> str | None:
        """Return the file of the context that a path of the image comes from, None if unknown.

        Where no COPY tells it, a file of that name at the context's root is taken.
        """
        for copied in reversed((*stage.copied, *stage.mounted)):
            for source in copied.sources:
                for candidate in _candidates(copied, source, path):
                    if self._exists(candidate):
                        return candidate
        name = posixpath.basename(path)
        return name if self._exists(name) else None

    def _exists(self, path: str) -> bool:
        self._budget.spend(_STEPS_PER_LOOK)
        if not path or self._ignored.excludes(path.split("/"), self._budget):
            return False
        try:
            return reading.is_file(self._context / path, self._top)
        except UsageError:
            return False

    # ----------------------------------------------------------------- remarks

    def _remarks(self, stage: _Stage, installs: Sequence[Install]) -> Iterator[str]:
        name = self._parsed.name
        if stage.system:
            system = listed(list(dict.fromkeys(map(printable, stage.system))), _NAMED)
            yield f"{name}: packages of the system are not counted: {system}"
        if stage.foreign:
            foreign = listed(list(map(printable, stage.foreign)), _NAMED)
            yield f"{name}: copied from another image, not counted: {foreign}"
        if stage.remote:
            remote = listed([printable(_without_query(url)) for url in stage.remote], _NAMED)
            yield f"{name}: ADD downloads this, not counted: {remote}"
        unread = [(line, text) for line, text in stage.others]
        unread += [(one.line, one.text) for one in installs if one.unknown]
        if unread:
            shown = [f"line {line}: {printable(text)[:_SHOWN]}" for line, text in unread]
            yield f"{name}: not understood, so not counted: {listed(shown, _NAMED)}"
        tools = dict.fromkeys(tool for one in installs for tool in one.tools)
        if tools and any(one.lock for one in installs):
            yield f"{name}: {listed(list(map(printable, tools)))} itself is not counted"
        if stage.conditional:
            lines = listed([f"line {n}" for n in dict.fromkeys(stage.conditional)], _NAMED)
            yield (
                f"{name}: {lines}: an install depends on a condition that is not known; the else "
                "branch is counted"
            )
        owners = dict.fromkeys(stage.owners)
        for line, folder in itertools.islice(owners, _NAMED):
            yield (
                f"{name}: line {line}: changing owner or mode of {printable(folder)[:_SHOWN]} "
                "writes its files into a layer again, which is not counted; use COPY --chown"
            )
        if len(owners) > _NAMED:
            yield f"{name}: {len(owners) - _NAMED} more of these are not counted either"


def _expanded(text: str, where: Surroundings, *, strict: bool = False) -> str | None:
    """Return text with its variables replaced and its quotes removed."""
    filled = where.filled(text, strict=strict)
    return None if filled is None else unquoted(filled)


def _mount(value: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in value.split(","))
    return {key.strip(): text.strip() for key, _, text in pairs}


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\"'\"'") + "'"


def _relative(source: str) -> str:
    """Return a source relative to the context; "" is the context itself."""
    clean = posixpath.normpath(source).lstrip("/")
    return "" if clean == "." else clean


def _covers(path: str, inside: str) -> bool:
    """Return whether an absolute path is another or a folder above it."""
    return inside == path or inside.startswith(f"{path.rstrip('/')}/")


def _holds(path: str, location: str) -> bool:
    """Return whether copying a path takes the packages that were installed at a location."""
    if _covers(path, location):
        return True
    return _covers(location, path) and _PACKAGES.search(path[len(location) :]) is not None


def _is_bin(path: str) -> bool:
    return posixpath.basename(path) == "bin"


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def _takes(copied: Copied, names: Sequence[str], budget: Budget) -> bool:
    if any(_matches(excluded, names, budget) for excluded in copied.exclude):
        return False
    return any(source in ("", ".") or _matches(source, names, budget) for source in copied.sources)


def _matches(written: str, names: Sequence[str], budget: Budget) -> bool:
    found = dockerignore.pattern(written)
    return found is not None and found.matches(names, budget)


def _candidates(copied: Copied, source: str, path: str) -> Iterator[str]:
    if not _covers(copied.target, path):
        return
    rest = path[len(copied.target.rstrip("/")) :].lstrip("/")
    if not rest:
        yield source
    elif source in ("", "."):
        yield rest
    elif set(source) & set("*?["):
        yield posixpath.join(posixpath.dirname(source), rest)
    else:
        yield posixpath.join(source, rest)
        if posixpath.basename(source) == rest:
            yield source


# --------------------------------------------------------------------------- what to size


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What decides what is installed: a file of the context, or ``lines`` that stand for several.

    ``lines`` are those of a requirements file, by the line of the Dockerfile that asks for them.
    ``development``: the default groups of a uv.lock are installed too.
    """

    manager: Manager
    file: str
    lines: tuple[tuple[int, str], ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    development: bool = False
    compiles: bool = True
    location: str = SYSTEM
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str | None:
        """The lines as a text with the numbers of the Dockerfile; None for a file."""
        if not self.lines:
            return None
        placed: list[str] = []
        for number, line in self.lines:
            placed += [""] * (number - 1 - len(placed))
            placed.append(" ".join(line.split("\n")))
        return "\n".join(placed) + "\n"


def wanted(plan: Plan) -> Wanted | None:
    """Return what to size of a plan, None where it installs nothing that could be read."""
    known = [one for one in plan.installs if one.files or one.names or one.projects]
    locks = [one for one in known if one.lock]
    if locks:
        lock, notes = locks[-1], list[str]()
        same = [one for one in locks if one.files == lock.files]
        others = [one for one in known if one not in same and not _only_tools(one)]
        if others:
            lines = listed([f"line {one.line}" for one in others], _NAMED)
            notes.append(f"{plan.name}: only {lock.files[0]} is counted, not what {lines} installs")
        if lock.development and lock.manager is not Manager.UV:
            notes.append(
                f"{plan.name}: line {lock.line} installs development dependencies too, which are "
                "not counted"
            )
        return Wanted(
            manager=lock.manager,
            file=lock.files[0],
            extras=lock.extras,
            groups=lock.groups,
            development=lock.development,
            compiles=any(one.compiles for one in same),
            location=lock.location,
            notes=tuple(notes),
        )
    if not known:
        return None
    files = list(dict.fromkeys(path for one in known for path in one.files))
    projects = list(dict.fromkeys(item for one in known for item in one.projects))
    names = [(one.line, name) for one in known for name in one.names]
    options = list(dict.fromkeys((one.line, line) for one in known for line in one.options))
    first = known[0]
    base = Wanted(
        manager=Manager.UV if all(one.manager is Manager.UV for one in known) else Manager.PIP,
        file=plan.name,
        groups=tuple(group for one in known for group in one.groups),
        extras=tuple(extra for one in known for extra in one.extras),
        compiles=any(one.compiles for one in known),
        location=first.location,
    )
    if len(files) == 1 and not (projects or names or options):
        return replace(base, file=files[0])
    if len(projects) == 1 and not (files or names or options):
        return replace(base, file=projects[0][0], extras=(*base.extras, *projects[0][1]))
    mixed = len({one.options for one in known}) > 1
    asked = [(line, _extra(option) if mixed else option) for line, option in options]
    for one in known:
        asked += [(one.line, f"-r {shlex.quote(path)}") for path in one.files]
    unique = dict.fromkeys(sorted([*asked, *names], key=lambda item: item[0]))
    left = tuple(
        f"{plan.name}: only the lines for requirements are counted, not {path}"
        for path, _ in projects
    )
    if mixed and any(option.startswith("--index-url") for _, option in options):
        left = (*left, f"{plan.name}: installs from several indexes are resolved together")
    return replace(base, lines=tuple(unique), notes=left)


def _extra(option: str) -> str:
    """Return an option for one install as it may stand for all: its index beside the others'."""
    name, _, value = option.partition(" ")
    first = name in ("--index-url", "-i", "--default-index", "--index")
    return f"--extra-index-url {value}" if first else option


def _only_tools(install: Install) -> bool:
    return (
        bool(install.names)
        and not install.files
        and not install.projects
        and (len(install.tools) == len(install.names))
    )

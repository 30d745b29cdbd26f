"""What the shell commands of a Dockerfile's RUN install, read as far as their text goes.

Nothing is run. Known are pip, uv, Poetry and Pipenv, with the flags that decide what is installed,
where, and what stays beside it; apt-get and apk by the names that they install. Any other command
is handed back as it is written.
"""

from __future__ import annotations

import itertools
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from slugcheck.model import Manager
from slugcheck.project.dockerfile import filled
from slugcheck.project.globs import Budget, TooCostlyError

_LONGEST = 200_000  # characters of one RUN that are looked at
_MOST_WORDS = 20_000
_MOST_VARIABLES = 1_000  # real images have some dozen
_DEEPEST = 8  # sh -c "sh -c …"
_TRUE = frozenset({"1", "true", "yes", "on", "t", "y"})
_PYTHON = re.compile(r"^(?:.*/)?(?:python|pypy)3?(?:\.\d+)?$")
_PIP = re.compile(r"^(?P<folder>.*/)?pip3?(?:\.\d+)?$")
_ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")
_SYSTEM_NAME = re.compile(r"[a-z0-9][a-z0-9+.:=~_-]{0,100}")
_SEPARATOR = frozenset("();|&")
_OPENERS = frozenset({"if", "while", "until", "for", "case"})
_CLOSERS = frozenset({"fi", "done", "esac"})
_KEYWORDS = frozenset({"then", "do", "else", "elif", "{", "}", "!", "time", "exec", "sudo", "env"})
# Commands that neither install packages nor add anything of size.
_HARMLESS = frozenset(
    "[ [[ : addgroup adduser apt apt-get apk cat chgrp chmod chown cd echo exit export false find "
    "getent grep groupadd head hash id install ldconfig ln ls mkdir printf pwd rm rmdir set sh "
    "sleep source stat sync tail tee test touch tr true type umask unset update-ca-certificates "
    "useradd usermod wait which whoami . localedef locale-gen dpkg-reconfigure passwd chpasswd"
    .split()
)  # fmt: skip
_PIP_WITH_VALUE = frozenset(
    "-c --constraint -i --index-url --extra-index-url -f --find-links -t --target --prefix --root "
    "--src --python-version --platform --implementation --abi --progress-bar --timeout --retries "
    "--trusted-host --cache-dir --log --no-binary --only-binary --upgrade-strategy --report "
    "--config-settings -C --global-option --exists-action --proxy --cert --client-cert --python "
    "--group --use-feature --use-deprecated --root-user-action -w --wheel-dir -d --dest --extra "
    "--index --default-index --link-mode --refresh-package --python-platform -p --torch-backend "
    "--index-strategy --keyring-provider --resolution --prerelease --exclude-newer --override "
    "-b --build --color --directory --project --config-file".split()
)
_TOOLS = frozenset({"poetry", "pipenv", "uv", "virtualenv", "pip-tools", "pdm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """One install: ``files`` are requirement files as written, ``names`` lines for one.

    ``projects`` are folders that are installed, with their extras. ``lock``: the lock of
    ``manager`` in ``folder`` decides. ``location`` is the prefix that the packages go to, or the
    folder of the wheels with ``wheels``. ``caches``: the installer's cache stays in the layer.
    ``unknown`` says what of it could not be read. Paths are absolute.
    """

    line: int
    manager: Manager
    text: str
    location: str
    folder: str
    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    projects: tuple[tuple[str, tuple[str, ...]], ...] = ()
    options: tuple[str, ...] = ()  # lines for a requirements file: --index-url and the like
    lock: bool = False
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    development: bool = False  # the lock's default groups are installed too
    compiles: bool = True
    caches: bool = True
    copies: bool = False  # uv's cache holds a second copy of the files
    wheels: bool = False
    from_wheels: str = ""
    unknown: str = ""
    tools: tuple[str, ...] = ()


@dataclass(slots=True)
class Surroundings:
    """Where a RUN's commands run: the variables, the folder, and the environment in use.

    ``budget`` is that of the whole file: what variables are replaced by, and paths, may be long and
    stand in each other.
    """

    values: dict[str, str]
    workdir: str
    budget: Budget = field(default_factory=Budget)
    venvs: set[str] = field(default_factory=set)
    # installs under a condition that is not known, and whether they count all the same
    doubtful: list[tuple[bool, Install]] = field(default_factory=list)

    def flag(self, name: str) -> bool:
        """Return whether a variable is set to a true value."""
        return self.values.get(name, "").lower() in _TRUE

    def path(self, written: str) -> str:
        """Return an absolute path without dots.

        :raises TooCostlyError: the budget is used up.
        """
        path = posixpath.join(self.workdir, written)
        self.budget.spend(len(path))
        return posixpath.normpath(path)

    def set(self, name: str, value: str) -> None:
        """Set a variable.

        :raises TooCostlyError: there are more than in any real image.
        """
        self.values[name] = value
        if len(self.values) > _MOST_VARIABLES:
            raise TooCostlyError

    def filled(self, text: str, *, strict: bool = False) -> str | None:
        """Return text with its variables replaced; see ``dockerfile.filled``.

        :raises TooCostlyError: the budget is used up.
        """
        out = filled(text, self.values, strict=strict)
        if out is not None and "$" in text:
            self.budget.spend(len(out))
        return out

    @property
    def prefix(self) -> str:
        """Where pip installs: the active virtual environment, else the image's Python."""
        if active := self.values.get("VIRTUAL_ENV"):
            return self.path(active)
        for folder in self.values.get("PATH", "").split(":")[:50]:
            above = posixpath.dirname(folder)
            if posixpath.basename(folder) == "bin" and self.path(above) in self.venvs:
                return self.path(above)
        return SYSTEM


SYSTEM = "/usr/local"  # the prefix of the official images' Python


@dataclass(slots=True)
class Findings:
    """What RUN does: installs, Debian's or Alpine's packages, files written from a lock, the rest.

    ``conditional`` are the installs under a condition that is not known; of those only the last
    branch is among ``installs``.
    ``exports`` are requirement files that a command writes from a lock, by path. ``others`` are
    the commands that are not understood.
    """

    installs: list[Install] = field(default_factory=list)
    conditional: list[Install] = field(default_factory=list)
    system: list[str] = field(default_factory=list)
    exports: dict[str, Install] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)  # folders whose files chown or chmod rewrites
    uv: bool = False  # a copy of uv was installed by its own script


def read(
    text: str, where: Surroundings, *, line: int, mounts: Sequence[str] = (), deep: int = 0
) -> Findings:
    """Return what the commands of one RUN do; changes of variables hold in it only.

    The environments that it creates are added to those of ``where``.

    ``mounts`` are the folders of its cache mounts, which are in no layer. ``deep`` is how many
    shells are around it.

    :raises TooCostlyError: the budget of ``where`` is used up.
    """
    found = Findings()
    here = replace(where, values=dict(where.values), doubtful=[])
    words = None if len(text) > _LONGEST or deep > _DEEPEST else _split(text)
    if words is None:
        found.others.append(text)
        return found
    cleans_cache = bool(
        re.search(r"rm\s+-[rRf]+\s[^;&|]*(?:\.cache|/root/\.cache)|pip3?\s+cache\s+purge", text)
    )
    cleans_bytecode = bool(
        re.search(r"find\s[^;&|]*(?:__pycache__|\.pyc|\*\.py\[co\])", text)
    ) and ("-delete" in text or "rm " in text)
    mounted = any(".cache" in folder or "pip" in folder for folder in mounts)
    blocks: list[_Block] = []
    for command in _commands(words):
        rest = _inside(command, blocks, here)
        if not rest or any(block.active is False for block in blocks):
            continue
        before = len(found.installs)
        _one(rest, here, found, line=line, deep=deep)
        for block in blocks[-1:]:
            if block.active is None:
                block.installs += [(block.branch, one) for one in found.installs[before:]]
    for counts, one in here.doubtful:
        found.conditional.append(one)
        if not counts:
            found.installs.remove(one)
    found.installs = [
        replace(
            install,
            caches=install.caches and not (mounted or cleans_cache),
            copies=install.copies and not (mounted or cleans_cache),
            compiles=install.compiles and not cleans_bytecode,
        )
        for install in found.installs
    ]
    return found


@dataclass(slots=True)
class _Block:
    """An if, a loop or a case. ``active``: whether its present branch runs, None if unknown.

    ``known`` is whether a branch before is known to have run.
    """

    word: str
    active: bool | None = None
    known: bool = False
    branch: int = 0
    has_else: bool = False
    installs: list[tuple[int, Install]] = field(default_factory=list)


def _inside(command: list[str], blocks: list[_Block], here: Surroundings) -> list[str]:
    """Return a command without the words of the shell's control flow, following that."""
    while command and command[0] in _KEYWORDS | _OPENERS | _CLOSERS:
        word, command = command[0], command[1:]
        if word in _OPENERS:
            blocks.append(_Block(word))
            if word in ("for", "case"):
                return []
        if word in ("if", "elif") and blocks:
            block = blocks[-1]
            block.branch += word == "elif"
            truth = _truth(command, here)
            if block.known:
                block.active = False
            else:
                block.active = truth
                block.known = truth is True
            return []
        if word == "else" and blocks:
            block = blocks[-1]
            block.branch += 1
            block.has_else = True
            # unknown: one branch of several is taken to run, the last
            block.active = False if block.known else block.active if block.active is None else True
        elif word in _CLOSERS and blocks:
            block = blocks.pop()
            last = block.branch if block.has_else else -1
            here.doubtful += [(branch == last, one) for branch, one in block.installs]
            return []
    return command


def _truth(words: Sequence[str], here: Surroundings) -> bool | None:
    """Return what a test such as ``[ "$DEV" = true ]`` says; None where it is not known."""
    if not words or words[0] not in ("[", "[[", "test"):
        return None
    filled_in = [here.filled(word, strict=True) for word in words[1:] if word not in ("]", "]]")]
    if None in filled_in:
        return None
    match filled_in:
        case [left, ("=" | "=="), right]:
            return left == right
        case [left, ("!=" | "-ne"), right]:
            return left != right
        case [left, "-eq", right]:
            return left == right
        case ["-n", text]:
            return bool(text)
        case ["-z", text]:
            return not text
        case [text]:
            return bool(text)
        case _:
            return None


def _split(text: str) -> list[str] | None:
    """Return words and operators; None where a quote stays open, or there are too many."""
    lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for word in lexer:
            words.append(word)
            if len(words) > _MOST_WORDS:
                return None
    except ValueError:
        return None
    return words


def _commands(words: Sequence[str]) -> Iterator[list[str]]:
    command: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
            if command and command[-1] == ">":
                command.append(word)
            continue
        if word and set(word) <= _SEPARATOR:
            if command:
                yield command
            command = []
        elif word and set(word) <= set("<>&"):
            if command and command[-1] in ("1", "2"):
                command.pop()
                skip = True
            elif word.startswith(">"):
                command.append(">")
                skip = True
            else:
                skip = True
        else:
            command.append(word)
    if command:
        yield command


def _one(command: list[str], here: Surroundings, found: Findings, *, line: int, deep: int) -> None:
    """Read one simple command."""
    target = ""
    if ">" in command:
        at = command.index(">")
        target = command[at + 1] if at + 1 < len(command) else ""
        command = command[:at]
    before = list(itertools.takewhile(_ASSIGNMENT.match, command))
    command = command[len(before) :]
    local = replace(here, values=dict(here.values)) if before and command else here
    for assignment in before:
        name, _, value = assignment.partition("=")
        local.set(name, here.filled(value) or "")
    if not command:
        return
    words = [local.filled(word, strict=True) for word in command]
    known = [word if word is not None else "" for word in words]
    shown = shlex.join(command)
    reader = _Reader(local, found, line=line, shown=shown, deep=deep)
    reader.unknown = [raw for raw, word in zip(command, words, strict=True) if word is None]
    name = posixpath.basename(known[0])
    if name == "cd" and len(known) > 1:
        here.workdir = here.path(known[1])
    elif name == "export":
        for word in known[1:]:
            key, equals, value = word.partition("=")
            if equals:
                here.set(key, value)
    elif name in (".", "source") and len(known) > 1 and known[1].endswith("/bin/activate"):
        here.set("VIRTUAL_ENV", here.path(known[1].removesuffix("/bin/activate")))
    else:
        reader.command(known, target)


@dataclass(slots=True)
class _Reader:
    """One command, as its own words say."""

    here: Surroundings
    found: Findings
    line: int
    shown: str
    deep: int = 0
    unknown: list[str] = field(default_factory=list)

    def command(self, words: list[str], target: str) -> None:
        """Read the command; ``target`` is the file that its output goes to."""
        name = posixpath.basename(words[0])
        if _PYTHON.match(words[0]) and words[1:2] == ["-m"] and len(words) > 2:
            module, rest = words[2], words[3:]
            if module == "pip":
                self._pip(rest, self._of_interpreter(words[0]))
            elif module in ("venv", "virtualenv"):
                self._venv(rest)
            elif module in ("poetry", "pipenv", "uv"):
                self.command([module, *rest], target)
            else:
                self.found.others.append(self.shown)
        elif match := _PIP.match(words[0]):
            self._pip(words[1:], self._of_interpreter(match[0]))
        elif name == "uv":
            self._uv(words[1:], target)
        elif name == "poetry":
            self._poetry(words[1:], target)
        elif name == "pipenv":
            self._pipenv(words[1:], target)
        elif name in ("virtualenv", "pyvenv"):
            self._venv(words[1:])
        elif name in ("apt-get", "apt", "apk", "microdnf", "dnf", "yum"):
            self._system(words[1:])
        elif name in ("chown", "chmod") and any(w in ("-R", "--recursive") for w in words):
            plain = [word for word in words[1:] if not word.startswith("-")]
            self.found.owners += [self.here.path(word) for word in plain[1:]]
        elif name in ("sh", "bash") and words[1:2] in (["-c"], ["-lc"], ["-ec"]) and len(words) > 2:
            self.here.budget.spend(len(words[2]))
            inner = read(words[2], self.here, line=self.line, deep=self.deep + 1)
            self.found.installs += inner.installs
            self.found.system += inner.system
            self.found.others += inner.others
        elif name == "curl" and "astral.sh/uv" in self.shown:
            self.found.uv = True
        elif name not in _HARMLESS:
            self.found.others.append(self.shown)

    def _of_interpreter(self, path: str) -> str:
        """Return the prefix of a path such as /opt/venv/bin/pip, "" for a bare name."""
        folder = posixpath.dirname(path)
        if posixpath.basename(folder) == "bin":
            return self.here.path(posixpath.dirname(folder))
        return ""

    def _venv(self, words: Sequence[str]) -> None:
        plain = [word for word in words if not word.startswith("-")]
        if plain:
            self.here.venvs.add(self.here.path(plain[-1]))

    def _system(self, words: Sequence[str]) -> None:
        plain = [word for word in words if not word.startswith("-") and word]
        if plain[:1] in (["install"], ["add"]):
            self.found.system += [word for word in plain[1:] if _SYSTEM_NAME.fullmatch(word)]

    # ----------------------------------------------------------------- pip, uv pip

    def _pip(self, words: Sequence[str], prefix: str, manager: Manager = Manager.PIP) -> None:
        flags, plain = _flags(words, _PIP_WITH_VALUE)
        verb, *plain = plain or [""]
        if verb not in ("install", "wheel", "sync"):
            if verb not in ("", "cache", "config", "list", "check", "freeze", "show", "uninstall",
                            "debug", "--version", "compile"):  # fmt: skip
                self.found.others.append(self.shown)
            return
        here, uv = self.here, manager is Manager.UV
        location = prefix or here.prefix
        if uv and not prefix and "VIRTUAL_ENV" not in here.values:
            system = "--system" in flags or here.flag("UV_SYSTEM_PYTHON")
            active = here.prefix if here.prefix != SYSTEM else here.path(".venv")
            location = SYSTEM if system else active
        for flag in ("--prefix", "--target", "-t"):
            if flag in flags:
                location = here.path(flags[flag][-1])
        if "--user" in flags:
            location = posixpath.join(here.values.get("HOME", "/root"), ".local")
        wheels = verb == "wheel"
        if wheels:
            location = here.path(([*flags.get("-w", []), *flags.get("--wheel-dir", []), "."])[0])
        files = [*flags.get("-r", []), *flags.get("--requirement", [])]
        if verb == "sync":
            files, plain = list(plain), []
        names, projects, from_wheels = [], [], ""
        for word in [*plain, *flags.get("-e", []), *flags.get("--editable", [])]:
            base, _, extras = word.partition("[")
            if _is_path(base) and not base.endswith((".whl", ".gz", ".zip")) and "*" not in base:
                chosen = tuple(e.strip() for e in extras.rstrip("]").split(",") if e.strip())
                projects.append((here.path(base), chosen))
            elif "://" not in word and ("/" in word or word.endswith(".whl")) and "@" not in word:
                from_wheels = posixpath.dirname(here.path(word))
            elif word:
                names.append(word)
        upgrades = "-U" in flags or "--upgrade" in flags
        present = {"pip", "setuptools", "wheel"}  # in the image already, unless it is upgraded
        names = [name for name in names if upgrades or name.lower() not in present]
        index = [f"{flag} {value}" for flag in _INDEX for value in flags.get(flag, []) if value]
        links = [*flags.get("-f", []), *flags.get("--find-links", [])]
        index += [f"--find-links {link}" for link in links if "://" in link]
        index += ["--pre"] if "--pre" in flags else []
        groups = [group.rpartition(":")[2] for group in flags.get("--group", [])]
        if uv:
            compiles = "--compile-bytecode" in flags or "--compile" in flags
            compiles = compiles or here.flag("UV_COMPILE_BYTECODE")
        else:
            compiles = not ("--no-compile" in flags or here.flag("PIP_NO_COMPILE"))
        self._add(
            manager=manager,
            location=location,
            files=tuple(map(here.path, files)),
            names=tuple(names),
            projects=tuple(projects),
            options=tuple(index),
            groups=tuple(groups),
            extras=tuple(flags.get("--extra", [])),
            compiles=compiles and not wheels,
            # pip takes any prefix of a flag; the variable turns the cache off whatever its value
            caches=not (
                uv
                or any(flag.startswith("--no-cache") for flag in flags)
                or "PIP_NO_CACHE_DIR" in here.values
            ),
            copies=uv and self._uv_copies(flags),
            wheels=wheels,
            from_wheels=from_wheels,
            tools=tuple(name for name in names if name_of(name) in _TOOLS),
        )

    def _uv_copies(self, flags: Mapping[str, list[str]]) -> bool:
        """Whether uv's cache stays in the layer as a second copy, not as hard links."""
        if "--no-cache" in flags or "-n" in flags or self.here.flag("UV_NO_CACHE"):
            return False
        mode = (flags.get("--link-mode") or [self.here.values.get("UV_LINK_MODE", "")])[0]
        return mode == "copy"

    def _add(self, **fields: object) -> None:
        unknown = ", ".join(self.unknown)
        install = Install(
            line=self.line,
            text=self.shown,
            folder=self.here.workdir,
            unknown=f"{unknown} has no value" if unknown else "",
            **fields,  # type: ignore[arg-type]
        )
        asks = install.files or install.names or install.projects or install.lock
        if asks or install.from_wheels or install.groups or install.unknown:
            self.found.installs.append(install)

    # ----------------------------------------------------------------- uv, Poetry, Pipenv

    def _uv(self, words: Sequence[str], target: str) -> None:
        flags, plain = _flags(words, _UV_VALUES)
        verb = plain[0] if plain else ""
        at = next((n for n, word in enumerate(words) if word == verb), 0)
        if verb == "pip":
            self._pip(words[at + 1 :], "", Manager.UV)
        elif verb == "venv":
            self.here.venvs.add(self.here.path(plain[1] if len(plain) > 1 else ".venv"))
        elif verb in ("sync", "export"):
            folder = [*flags.get("--directory", []), *flags.get("--project", []), "."][0]
            environment = self.here.values.get("UV_PROJECT_ENVIRONMENT", ".venv")
            only = flags.get("--only-group", [])
            no_default = {"--no-dev", "--no-default-groups", "--only-group"} & flags.keys()
            lock = Install(
                line=self.line,
                manager=Manager.UV,
                text=self.shown,
                location=self.here.path(environment),
                folder=self.here.path(folder),
                lock=True,
                groups=(*flags.get("--group", []), *only),
                extras=(*flags.get("--extra", []),
                        *(["*"] if "--all-extras" in flags else [])),
                development=not (no_default or self.here.flag("UV_NO_DEV")),
                compiles=bool({"--compile-bytecode", "--compile"} & flags.keys())
                or self.here.flag("UV_COMPILE_BYTECODE"),
                caches=False,
                copies=self._uv_copies(flags),
                    unknown=", ".join(self.unknown),
            )  # fmt: skip
            if verb == "sync":
                self.found.installs.append(lock)
            elif out := _output(flags, target, ("-o", "--output-file")):
                self.found.exports[self.here.path(out)] = lock
        elif verb not in ("", "python", "cache", "lock", "self", "--version", "version"):
            self.found.others.append(self.shown)

    def _poetry(self, words: Sequence[str], target: str) -> None:
        flags, plain = _flags(words, _POETRY_VALUES)
        verb = plain[0] if plain else ""
        only = _listed(flags, "--only")
        without = _listed(flags, "--without")
        main_only = only == ["main"] or "--no-dev" in flags or "--only=main" in words
        main_only = main_only or "dev" in without
        extras = _listed(flags, "--extras") + _listed(flags, "-E")
        inside = self.here.flag("POETRY_VIRTUALENVS_IN_PROJECT")
        created = self.here.values.get("POETRY_VIRTUALENVS_CREATE", "").lower() not in (
            "false",
            "0",
        )
        location = self.here.path(".venv") if inside and created else self.here.prefix
        lock = Install(
            line=self.line,
            manager=Manager.POETRY,
            text=self.shown,
            location=location,
            folder=self.here.workdir,
            lock=True,
            groups=tuple(group for group in (*_listed(flags, "--with"), *only) if group != "main"),
            extras=tuple(extras),
            development=not main_only and verb != "export",
            compiles="--compile" in flags,
            caches=False,
            unknown=", ".join(self.unknown),
        )
        if verb in ("install", "sync"):
            self.found.installs.append(lock)
        elif verb == "export":
            if out := _output(flags, target, ("-o", "--output")):
                self.found.exports[self.here.path(out)] = lock
        elif verb not in ("", "config", "lock", "cache", "self", "check", "env", "--version"):
            self.found.others.append(self.shown)

    def _pipenv(self, words: Sequence[str], target: str) -> None:
        flags, plain = _flags(words, frozenset({"--python", "--categories", "-r"}))
        verb = plain[0] if plain else ""
        lock = Install(
            line=self.line,
            manager=Manager.PIPENV,
            text=self.shown,
            location=self.here.prefix if "--system" in flags else self.here.path(".venv"),
            folder=self.here.workdir,
            lock=True,
            development="--dev" in flags or "-d" in flags,
            compiles=not self.here.flag("PIP_NO_COMPILE"),
            caches="PIP_NO_CACHE_DIR" not in self.here.values,
        )
        if verb in ("install", "sync"):
            self.found.installs.append(lock)
        elif verb == "requirements" and target:
            self.found.exports[self.here.path(target)] = lock
        elif verb not in ("", "lock", "verify", "--version"):
            self.found.others.append(self.shown)


_INDEX = ("--index-url", "-i", "--default-index", "--extra-index-url", "--index")
_UV_VALUES = frozenset(
    "--group --only-group --no-group --extra --package --python -p --link-mode --format -o "
    "--output-file --directory --project --color --config-file --index --default-index "
    "--index-url --extra-index-url --prune --no-install-package".split()
)
_POETRY_VALUES = frozenset(
    "--only --without --with --extras -E -f --format -o --output --directory -C --project -P"
    .split()
)  # fmt: skip


def _flags(
    words: Sequence[str], with_value: frozenset[str]
) -> tuple[dict[str, list[str]], list[str]]:
    """Return flags with their values, and the other words."""
    flags: dict[str, list[str]] = {}
    plain: list[str] = []
    named = with_value | {"-r", "--requirement", "-e", "--editable"}
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            plain.append(word)
            continue
        name, equals, value = word.partition("=")
        if equals and word.startswith("--"):
            flags.setdefault(name, []).append(value)
        elif word in named:
            flags.setdefault(word, []).append(next(rest, ""))
        elif not word.startswith("--") and word[:2] in named and len(word) > 2:
            flags.setdefault(word[:2], []).append(word[2:])
        else:
            flags.setdefault(word, [])
            if not word.startswith("--"):
                for letter in word[1:]:
                    flags.setdefault(f"-{letter}", [])
    return flags, plain


def _listed(flags: Mapping[str, list[str]], name: str) -> list[str]:
    return " ".join(flags.get(name, [])).replace(",", " ").split()


def _output(flags: Mapping[str, list[str]], target: str, names: Sequence[str]) -> str:
    return next((flags[name][-1] for name in names if flags.get(name)), target)


def _is_path(word: str) -> bool:
    return word in (".", "..") or word.startswith(("./", "../", "/"))


def name_of(requirement: str) -> str:
    """Return the normalized name at the start of a requirement."""
    return re.split(r"[\s\[<>=!~;@]", requirement, maxsplit=1)[0].lower().replace("_", "-")

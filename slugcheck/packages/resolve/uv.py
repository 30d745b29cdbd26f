"""Runs ``uv pip compile`` for the target and interprets its output.

Only this module starts uv for a resolution. uv never builds anything: full resolutions use
``--no-build``; the one run that leaves builds enabled (``direct_only``) asks for no metadata
(``--no-deps`` on names and versions), which needs no build. A canary test keeps this true.
``in_project`` with ``lock`` may still run a build backend, so only locks/uv.py uses it, for
projects with static metadata, in a copy of what the lock depends on.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from slugcheck.errors import MeasureError, NetworkError, ResolutionError
from slugcheck.model import IndexOptions, PythonRelease, Target
from slugcheck.packages.index.urls import default_index, netrc_counts, split_credentials
from slugcheck.platforms.tags import uv_platform
from slugcheck.running import child, temporary
from slugcheck.running.child import Bounds, Ended
from slugcheck.text import keep_secret, printable, without_credentials

if TYPE_CHECKING:
    from packaging.pylock import Pylock

# What of the caller's UV_* settings may reach uv: how to get at packages, never what to choose.
_KEPT_UV_SETTINGS = frozenset(
    "UV_CACHE_DIR UV_NATIVE_TLS "
    "UV_SYSTEM_CERTS UV_KEYRING_PROVIDER UV_INSECURE_HOST UV_CONFIG_FILE UV_NO_CONFIG "
    "UV_HTTP_TIMEOUT UV_HTTP_RETRIES UV_CONCURRENT_DOWNLOADS".split()
)
# Of indexes that the user's own uv.toml names; it is the only place that uv still takes names from.
_INDEX_CREDENTIALS = re.compile(r"UV_INDEX_[A-Z0-9_]+_(?:USERNAME|PASSWORD)$")
# uv fills ${NAME} into the URLs of any METADATA it reads, and repeats them in its errors: what it
# does not need is not there. Names of this list hold no secrets.
_KEPT_PLAIN = re.compile(
    r"(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|APPDATA|LOCALAPPDATA|"
    r"USERPROFILE|XDG_\w+|NETRC|SSL_CERT_FILE|SSL_CERT_DIR|SSL_CLIENT_CERT|NO_PROXY|no_proxy|"
    r"RUST_LOG|RUST_BACKTRACE)$"
)
_PROXY = re.compile(r"(?:HTTPS?|ALL)_PROXY$", re.IGNORECASE)
_KEYRING = re.compile(
    r"(?:PYTHON_KEYRING|AWS|GOOGLE|CLOUDSDK|AZURE|ARTIFACTS|VSS|DBUS)_\w+$|CLOUDSDK\w*$"
)

# uv waits 30 s and tries three more times by default: two minutes for one dead server.
_HTTP_TIMEOUT_SECONDS = "15"
_HTTP_RETRIES = "1"
# How long uv trusts an index page, and the metadata of a file, without asking again. The default
# index says so itself, and its files never change; most other indexes say nothing, and uv would ask
# anew in every run. A private index may get a release that is waited for, and a file another
# content.
_DEFAULT_TRUST = 'api = "max-age=600", files = "max-age=365000000, immutable"'
_PUBLIC_TRUST = 'api = "max-age=600", files = "max-age=600"'
_PRIVATE_TRUST = 'api = "max-age=60", files = "max-age=60"'
# A fix that is tried is worth a few seconds, whatever its index does.
_HURRIED = {"UV_HTTP_TIMEOUT": "5", "UV_HTTP_RETRIES": "0"}
_RUN_TIMEOUT_SECONDS = 300.0
_INSTALL_SECONDS = 1800
_SHOWN = 300  # characters of a reason

_FINDING = threading.Lock()
_LONGEST_WORD, _LONGEST_TEXT = 300, 200_000  # characters of uv's messages that are looked into
_QUOTED_BYTES = re.compile(r"(?:expected|actual):? 0x[0-9a-fA-F]+")
# name{sys_platform != 'win32'}==1.0: a requirement that has a marker where it comes from
_MARKED = re.compile(r"(?<=[A-Za-z0-9\]])\{[^{}\n]{1,500}\}")
_HTTP_URL = re.compile(r"https?://[^\s;#]+", re.IGNORECASE)
_NAME = r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
_NO_WHEEL = re.compile(
    _NAME + r"(?:\[[^\]]*\])?(?:[<>=!~][^\s]*)?\s+(?:has|have) no (?:usable wheels|wheels with)"
)
_NO_WHEEL_HINT = re.compile(
    r"(?:Wheels are required for|wheels for|Wheels are available for) `" + _NAME + "`"
)
# of a version whose Requires-Python refuses the target's
_OTHER_PYTHON = re.compile(
    _NAME + r"(?:\[[^\]]*\])?(?:[<>=!~][^\s]*)? depends on (?:one of: )?Python[<>=!~]"
)
_DEPENDS = re.compile(r"depends on " + _NAME + r"(?:\[[^\]]*\])?(?P<spec>[<>=!~][^\s]*)?")
_NO_VERSION = re.compile(
    r"there is no version of " + _NAME + r"(?:\[[^\]]*\])?==(?P<version>[^\s,]+)"
)
_NOT_FOUND = re.compile(
    _NAME + r" was not found in (?:the package registry|the cache|the provided)"
)
_NETWORK = re.compile(
    r"error sending request|Request failed after|Failed to fetch|dns error|Connection refused|"
    r"operation timed out|HTTP status (?:client|server) error|tls handshake|certificate",
    re.IGNORECASE,
)
_NETWORK_HINT = "check the connection, the index URL and any proxy; --offline uses only the cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverSettings:
    """How the user wants uv run. ``exclude_newer`` is a date or timestamp, as uv takes it.

    ``hurried``: a server that does not answer soon is given up on. ``refresh``: every index is
    asked again. ``cache`` is the folder of its cache, None for the one that it finds itself.
    """

    hurried: bool = False
    offline: bool = False
    no_cache: bool = False
    refresh: bool = False
    cache: Path | None = None
    exclude_newer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What uv says when there is no solution, in parts.

    ``without_wheel`` are the distributions that have nothing to install without building;
    ``wanted`` the specifiers that others put on them.
    """

    text: str
    without_wheel: tuple[str, ...]
    wanted: Mapping[str, str]
    missing_versions: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]
    network: bool


class Uv:
    """uv for one target and one set of index options."""

    def __init__(
        self, *, target: Target, options: IndexOptions, settings: ResolverSettings
    ) -> None:
        self._program = find_uv()
        self._target = target
        self._options = options
        self._settings = settings

    @property
    def fingerprint(self) -> str:
        """What the settings add to the choice of versions, as text."""
        more = "".join(f" {url}" for url in self._target.python.indexes)
        chosen = f"{self._settings.exclude_newer} {self._options.prerelease}"
        return f"{chosen} {self._options.no_binary}{more}"

    def for_python(self, release: PythonRelease) -> Uv:
        """Return the same for another Python of the platform."""
        target = replace(self._target, python=release, python_version=release.version)
        return Uv(target=target, options=self._options, settings=self._settings)

    def compile(
        self,
        lines: Sequence[str],
        *,
        constraints: Sequence[str] = (),
        excludes: Sequence[str] = (),
        find_links: Sequence[Path] = (),
        direct_only: bool = False,
        offline: bool = False,
        seconds: float | None = None,
        lowest: bool = False,
    ) -> Pylock | Failure:
        """Resolve ``lines`` for the target.

        ``direct_only`` resolves without dependencies and lets source archives be chosen where the
        options allow them (none is built or read). ``excludes`` are left out of the resolution
        wherever they are asked for. ``offline`` asks uv's own cache only, as the setting does.
        ``seconds`` is for trials that may be given up. ``lowest`` takes the lowest version that
        the lines themselves allow.

        :raises LateError: it takes longer than ``seconds``.
        :raises NetworkError: an index cannot be reached or refuses.
        :raises ResolutionError: uv cannot run at all.
        """
        with temporary.Folder() as folder:
            offline = offline or self._settings.offline
            arguments = self._arguments(
                folder, lines, constraints, excludes, find_links, offline=offline
            )
            arguments += ["--format", "pylock.toml", "--no-deps" if direct_only else "--no-build"]
            if direct_only:
                for name in self._options.only_binary:
                    arguments += ["--only-binary", name]
            arguments += ["--resolution", "lowest-direct"] if lowest else []
            done = self._run(arguments, folder, seconds=seconds)
        if done.code == 0:
            from slugcheck.packages.locks import pylock

            try:
                return pylock.parsed(done.output)
            except ValueError as error:
                message = f"the resolver's answer cannot be read: {error}"
                raise ResolutionError(message) from None
        return _failure(done.errors)

    def obstacle(
        self,
        lines: Sequence[str],
        *,
        prefer: Mapping[str, str],
        constraints: Sequence[str] = (),
        excludes: Sequence[str] = (),
        find_links: Sequence[Path] = (),
    ) -> Failure | None:
        """Return what stands in the way of resolving ``lines``, None when nothing does.

        ``prefer`` are versions by name that uv starts from, which spares it to find everything
        else anew: a resolution that takes 20 s from nothing takes less than one from there.

        :raises NetworkError: an index cannot be reached or refuses.
        """
        with temporary.Folder() as folder:
            arguments = self._arguments(
                folder, lines, constraints, excludes, find_links, offline=self._settings.offline
            )
            # uv takes its preferences from the file that it is to write
            output = folder / "preferred.txt"
            write_private(output, [f"{name}=={version}" for name, version in prefer.items()])
            arguments += ["--output-file", str(output), "--no-build"]
            done = self._run(arguments, folder)
        return _failure(done.errors) if done.code != 0 else None

    def in_project(self, folder: Path, arguments: Sequence[str], *, settings: Path) -> Ended:
        """Run a subcommand on a copy of a project; nothing is built, and no server is asked.

        ``settings`` is the only configuration file that counts: neither the user's nor one that
        lies above the folder.

        :raises NetworkError: it gives no answer in time.
        :raises ResolutionError: uv cannot run at all.
        """
        command = [self._program, *arguments, "--no-build", "--no-python-downloads"]
        command += ["--color", "never", "--python", sys.executable]
        command += ["--offline", "--config-file", str(settings)]
        command += self._cache_arguments()
        return self._run(command, folder, project_environment(os.environ))

    def _arguments(
        self,
        folder: Path,
        lines: Sequence[str],
        constraints: Sequence[str],
        excludes: Sequence[str],
        find_links: Sequence[Path],
        *,
        offline: bool,
    ) -> list[str]:
        # Index URLs go into files and not on the command line, where `ps` would show them.
        inputs, settings = folder / "requirements.in", folder / "uv.toml"
        # else uv would look for a project above
        (folder / "pyproject.toml").touch()
        # trust would take precedence over a wish to ask, and what is trusted no more could not be
        # used offline; where the user names a file of settings, no other counts
        trusting = not (offline or self._settings.refresh or os.environ.get("UV_CONFIG_FILE"))
        written = trusted_indexes(self._options) if trusting else []
        # even where it is empty, else uv would look for one above; the user's own counts besides
        write_private(settings, written)
        options = option_lines(self._options, find_links, indexes=not written)
        write_private(inputs, [*options, *lines])
        arguments = [
            self._program, "pip", "compile", str(inputs),
            "--quiet", "--no-header", "--no-annotate", "--color", "never",
            "--no-python-downloads",
            # else uv asks every Python on this machine for the target's version, which takes
            # longer than resolving; nothing is built with the one named
            "--python", sys.executable,
            "--index-strategy", "unsafe-best-match",  # pip looks at all indexes alike
            "--python-version", self._target.python_version,
            "--python-platform", uv_platform(self._target.stack, self._target.minor),
        ]  # fmt: skip
        for option, names in (("--constraints", constraints), ("--excludes", excludes)):
            if names:
                path = folder / f"{option[2:]}.txt"
                write_private(path, names)
                arguments += [option, str(path)]
        for host in self._options.trusted_hosts:
            arguments += ["--allow-insecure-host", host]
        if self._options.prerelease:
            arguments += ["--prerelease", "allow"]
        if self._settings.exclude_newer:
            arguments += ["--exclude-newer", self._settings.exclude_newer]
        arguments += self._cache_arguments()
        if written and _without_config(os.environ):
            arguments += ["--config-file", str(settings)]
        arguments += ["--offline"] if offline else []
        arguments += ["--refresh"] if self._settings.refresh and not offline else []
        return arguments

    def _cache_arguments(self) -> list[str]:
        if self._settings.no_cache:
            return ["--no-cache"]
        return ["--cache-dir", str(self._settings.cache)] if self._settings.cache else []

    def _run(
        self,
        arguments: list[str],
        folder: Path,
        environ: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Ended:
        if environ is None:
            environ = clean_environment(os.environ)
            if not self._netrc_counts(folder):
                environ["NETRC"] = os.devnull
            environ |= _HURRIED if self._settings.hurried else {}
        # what a killed uv leaves goes with the run's folder
        environ = {**environ, "TMPDIR": str(folder), "TMP": str(folder), "TEMP": str(folder)}
        try:
            return child.run(
                arguments,
                label="uv, the resolver,",
                cwd=folder,  # away from any pyproject.toml or uv.toml of the project under check
                environment=environ,
                bounds=Bounds(seconds=_RUN_TIMEOUT_SECONDS if seconds is None else seconds),
            )
        except child.LateError:
            if seconds is not None:
                raise
            message = f"the resolver gave no answer within {_RUN_TIMEOUT_SECONDS:.0f} s"
            raise NetworkError(message, hint=_NETWORK_HINT) from None
        except child.MemoryBoundError as error:
            hint = "pin more versions exactly, so that the resolver has less to try"
            raise child.MemoryBoundError(str(error), hint=hint) from None
        except OSError as error:
            message = f"uv, the resolver, could not be started: {error.strerror or error}"
            raise ResolutionError(message, hint="reinstall it: pip install uv") from None

    def _netrc_counts(self, folder: Path) -> bool:
        """Whether passwords of netrc may go to every server that the lines name.

        uv would send them to any port of a host.
        """
        named = _HTTP_URL.findall((folder / "requirements.in").read_text(encoding="utf-8"))
        indexes = (self._options.index_url or "", *self._options.extra_index_urls)
        named += filter(_HTTP_URL.match, indexes)
        return all(netrc_counts(url, self._options.named_origins) for url in named)


def find_uv() -> str:
    """Return the path of the uv that was installed with slugcheck.

    :raises ResolutionError: it is not there.
    """
    from uv import find_uv_bin

    try:
        # it asks sysconfig, which answers a second thread before it has filled its own table
        with _FINDING:
            return find_uv_bin()
    except FileNotFoundError:
        message = "uv, the resolver, is not installed with slugcheck"
        raise ResolutionError(message, hint="install it: pip install uv") from None


def version() -> str:
    """Return uv's version, from its package metadata."""
    from importlib.metadata import version as installed

    return f"uv {installed('uv')}"


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for uv: what it needs to reach an index, and nothing that chooses.

    uv fills ``${NAME}`` into URLs of the metadata it reads. So a proxy goes by its lower-case name,
    which uv fills in nowhere, and the values that it cannot do without are masked in all output.
    """
    kept, secret = _plain(environ), {}
    for key, value in environ.items():
        if key in _KEPT_UV_SETTINGS:
            kept[key] = value
        elif _PROXY.match(key):
            kept.setdefault(key.lower(), value)
        elif _INDEX_CREDENTIALS.match(key) or (_KEYRING.match(key) and _uses_keyring(environ)):
            secret[key] = value
    keep_secret(value for key, value in secret.items() if not key.endswith("_USERNAME"))
    kept |= {key.lower(): value for key, value in environ.items() if key.endswith("_proxy")}
    kept |= {**secret, "UV_PYTHON_DOWNLOADS": "never"}
    kept.setdefault("UV_HTTP_TIMEOUT", _HTTP_TIMEOUT_SECONDS)
    kept.setdefault("UV_HTTP_RETRIES", _HTTP_RETRIES)
    return kept


def project_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for uv in a checked project: no credentials, no settings."""
    kept = _plain(environ)
    if "UV_CACHE_DIR" in environ:
        kept["UV_CACHE_DIR"] = environ["UV_CACHE_DIR"]
    return {**kept, "UV_PYTHON_DOWNLOADS": "never", "NETRC": os.devnull}


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in environ.items() if _KEPT_PLAIN.match(key)}
    return {**kept, "PATH": child.safe_path(kept["PATH"])} if "PATH" in kept else kept


def _uses_keyring(environ: Mapping[str, str]) -> bool:
    """Return whether the user has uv ask a keyring, whose programs need variables of their own."""
    if environ.get("UV_KEYRING_PROVIDER"):
        return True
    named = environ.get("UV_CONFIG_FILE")
    return _mentioned(b"keyring-provider", [Path(named)] if named else _own_settings(environ))


def _own_settings(environ: Mapping[str, str]) -> list[Path]:
    """Return where uv looks for the settings of the user and of the machine."""
    if sys.platform == "win32":
        folders = [Path(environ[name]) for name in ("APPDATA", "PROGRAMDATA") if name in environ]
    else:
        own = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '')}/.config"
        system = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
        folders = [Path(folder) for folder in (own, *system, "/etc")]
    return [folder / "uv" / "uv.toml" for folder in folders]


def _without_config(environ: Mapping[str, str]) -> bool:
    """Whether the user has uv read no settings, as uv understands the variable."""
    value = environ.get("UV_NO_CONFIG", "").lower()
    return value in ("y", "yes", "t", "true", "on", "1")


def _mentioned(word: bytes, paths: Iterable[Path]) -> bool:
    for path in paths:
        with contextlib.suppress(OSError):
            if word in path.read_bytes():
                return True
    return False


def trusted_indexes(options: IndexOptions, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the lines of a uv.toml that name the indexes, and how long their answers hold.

    None where there are none to name: where the user's own settings name indexes, these say what
    the default one is.
    """
    if options.no_index:
        return []
    own = not _without_config(environ) and _mentioned(b"index", _own_settings(environ))
    default = None if own else default_index()
    main = options.index_url or default
    lines = []
    for url in (*options.extra_index_urls, *filter(None, [main])):
        place = url if "://" in url else Path(url).absolute().as_uri()
        private = split_credentials(url)[1] is not None
        trust = _PRIVATE_TRUST if private else _PUBLIC_TRUST
        if default is not None and url.rstrip("/") == default.rstrip("/"):
            trust = _DEFAULT_TRUST
        lines += ["[[index]]", f"url = {json.dumps(literal(place), ensure_ascii=False)}"]
        lines += [f"cache-control = {{ {trust} }}"]
    return [*lines, "default = true"] if main else lines


def option_lines(
    options: IndexOptions, find_links: Iterable[Path] = (), *, indexes: bool = True
) -> list[str]:
    """Return a requirements file's lines for the places that packages come from.

    Without ``indexes``, which something else names, they are the folders and pages of links.
    """
    lines = []
    if options.no_index:
        lines.append("--no-index")
    elif options.index_url and indexes:
        lines.append(f"--index-url {literal(options.index_url)}")
    if indexes:
        lines += [f"--extra-index-url {literal(url)}" for url in options.extra_index_urls]
    places = (*options.find_links, *map(str, find_links))
    lines += [f"--find-links {literal(place)}" for place in places]
    return lines


def literal(place: str) -> str:
    """Return a URL or path in which uv finds no ``${NAME}`` to fill in from the environment."""
    if "$" not in place:
        return place
    if "://" not in place:
        return Path(place).absolute().as_uri()
    return place.replace("$", "%24")


def write_private(path: Path, lines: Iterable[str]) -> None:
    """Write a file that only this user may read: an index URL may hold a password."""
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def install_wheels(
    lines: Iterable[str], options: IndexOptions, arguments: Sequence[str], *, folder: Path
) -> None:
    """Install from wheels only, so that no code of the packages runs.

    ``lines`` are of a requirements file, and ``arguments`` say where they are installed; the file
    is in ``folder``, a private one, as long as it takes.

    :raises MeasureError: quotes uv.
    """
    listed = folder / "list.txt"
    write_private(listed, [*option_lines(options), *lines])
    command = [find_uv(), "pip", "install", "--quiet", "--no-config", "--color", "never"]
    command += ["--no-build", "--no-python-downloads", *arguments, "--requirement", str(listed)]
    for host in options.trusted_hosts:
        command += ["--allow-insecure-host", host]
    try:
        done = child.run(
            command, label="installing", environment=clean_environment(os.environ),
            bounds=Bounds(seconds=_INSTALL_SECONDS, memory=None), merged=True,
        )  # fmt: skip
    except child.LateError:
        raise MeasureError(f"installing took longer than {_INSTALL_SECONDS} s") from None
    except OSError as error:
        raise MeasureError(f"uv cannot be started: {error.strerror}") from None
    finally:
        listed.unlink()
    if done.code != 0:
        reason = printable(without_credentials(" ".join(done.output.split())))[:_SHOWN]
        raise MeasureError(f"uv pip install failed: {reason or 'no reason given'}")


def _failure(stderr: str) -> Failure:
    failure = understand(stderr)
    if failure.network:
        raise NetworkError(_network_sentence(failure.text), hint=_NETWORK_HINT)
    return failure


def understand(stderr: str) -> Failure:
    """Parse uv's error text; credentials in URLs are removed first."""
    # uv quotes the first bytes of a file that is no archive, whatever file that is
    text = _QUOTED_BYTES.sub("", without_credentials(stderr))
    text = _MARKED.sub("", text)
    # names of packages are short, and looking for one begins anew at each of a word's characters
    flat = " ".join(word[:_LONGEST_WORD] for word in text[:_LONGEST_TEXT].split())
    names = [match["name"] for match in _NO_WHEEL.finditer(flat)]
    names += [match["name"] for match in _NO_WHEEL_HINT.finditer(flat)]
    names += [match["name"] for match in _OTHER_PYTHON.finditer(flat)]
    names += _listed_ranges(flat)
    wanted: dict[str, str] = {}
    for match in _DEPENDS.finditer(flat):
        if match["spec"]:
            name = canonicalize_name(match["name"])
            wanted[name] = ",".join(filter(None, (wanted.get(name), match["spec"].rstrip(".,"))))
    return Failure(
        text=_shorten(text),
        without_wheel=tuple(dict.fromkeys(canonicalize_name(name) for name in names)),
        wanted=wanted,
        missing_versions=tuple(
            (canonicalize_name(m["name"]), m["version"]) for m in _NO_VERSION.finditer(flat)
        ),
        unknown=tuple(canonicalize_name(m["name"]) for m in _NOT_FOUND.finditer(flat)),
        network="No solution found" not in text and bool(_NETWORK.search(text)),
    )


def _listed_ranges(flat: str) -> list[str]:
    # "all of: x<1 x>2 have no usable wheels" names the distribution before each range
    groups = re.findall(r"all of: ((?:[A-Za-z0-9._-]+[<>=!~]\S*+ ?)+)have no usable wheels", flat)
    return [re.split(r"[<>=!~]", group.split()[0])[0] for group in groups]


def _shorten(text: str) -> str:
    """Return uv's reason without its head and build advice: the cause, then the hints."""
    kept: list[str] = []
    for line in text.splitlines():
        if line.startswith("warning:") or not line.strip():
            continue
        if "building from source is disabled" in line:
            continue
        kept.append(re.sub(r"^\s*(?:error|cause):\s*", "", line).strip())
    if kept and kept[0].startswith("No solution found"):
        kept = kept[1:]
    return "\n".join(kept)


def _network_sentence(text: str) -> str:
    where = re.search(r"https?://[^\s`()]+", text)
    place = f" at {where.group().rstrip(').,')}" if where else ""
    for pattern, sentence in (
        (r"\b401\b", f"the index{place} requires a user name and password (401)"),
        (r"\b403\b", f"the index{place} refuses access (403)"),
        (r"certificate|tls", f"the TLS certificate of the index{place} is not trusted"),
        (
            r"dns error|failed to lookup",
            f"the host of the index{place} cannot be resolved (DNS)",
        ),
        (r"Connection refused", f"the index{place} cannot be reached: connection refused"),
        (r"timed out|timeout", f"the index{place} does not answer in time"),
    ):
        if re.search(pattern, text, re.IGNORECASE):
            return sentence
    return f"the index{place} cannot be used: {text.splitlines()[-1] if text else 'no answer'}"

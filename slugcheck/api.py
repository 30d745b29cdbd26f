"""The Python API: ``check``, ``check_targets`` and ``compare``, which the commands call too.

All return frozen records (``slugcheck.model``) and raise ``SlugcheckError`` or one of its
subclasses. They print nothing, never end the process, and install no signal handlers. Temporary
folders and child processes are gone when a call returns or raises, at the latest when the
interpreter exits.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from packaging.utils import InvalidName, canonicalize_name

from slugcheck.errors import UsageError
from slugcheck.model import FindingSeverity, IndexOptions, Report
from slugcheck.model.options import RUNTIME, Options
from slugcheck.reading import STDIN
from slugcheck.text import parse_size, printable

if TYPE_CHECKING:
    from slugcheck.check import Progress
    from slugcheck.model.comparison import Comparison
    from slugcheck.model.document.report import ReportDocument
    from slugcheck.model.matrix import Matrix

StrPath = str | os.PathLike[str]


class Arguments(TypedDict, total=False):
    """What ``check`` and ``compare`` share; ``check`` explains each."""

    platform: str | None
    python: str | None
    stack: str | None
    dyno: str | None
    base: str | None
    base_size: int | str | None
    dockerfile: StrPath | None
    entry: str | None
    tier: str | None
    arch: str | None
    bytecode: bool | None
    provided: bool | Collection[str]
    layers: Collection[StrPath]
    config: StrPath | None
    limits: Mapping[str, str] | Iterable[tuple[str, str]] | None
    allow_unsized: Collection[str] | Literal["all"]
    models: Collection[StrPath]
    remote_models: bool
    index_url: str | None
    extra_index_urls: Collection[str]
    find_links: Collection[StrPath]
    env: Collection[str]
    exclude_newer: str | None
    offline: bool
    refresh: bool
    cache: bool
    build: bool


class CheckArguments(Arguments, total=False):
    """What ``check`` takes beside the path, the text and the base.

    ``check_targets`` takes the same but one platform, one Python, a real install and an audit.
    """

    extras: Collection[str]
    groups: Collection[str]
    verify: bool
    rehearsal: StrPath | None
    audit: bool
    audit_service: Literal["osv", "pypi"] | None
    audit_url: str | None
    fail_on: Literal["error", "warning"]
    settings: Literal["base", "head"]


def check(
    path: StrPath = ".",
    *,
    text: str | None = None,
    against: str | None = None,
    **arguments: Unpack[CheckArguments],
) -> Report:
    """Size a project or a requirements file and check it against the platform's limits.

    :param path: a project folder, a requirements file, or a lock file; ``"-"`` is standard input.
    :param text: the lines of a requirements file, in place of a path.
    :param against: a base to compare with: a git revision, a file, a folder, or a saved report.
    :param platform: where it is deployed, such as ``"aws-lambda"``; by default what the settings
        say, else ``"heroku"``.
    :param python: the target's Python, such as ``"3.12"``; by default what the project says.
    :param stack: the operating system image, such as ``"heroku-24"``.
    :param dyno: the machine size, such as ``"standard-1x"``.
    :param base: the base image of a container, such as ``"python:3.12-slim"``; by default the
        Dockerfile's.
    :param base_size: bytes on disk of a base image that is not known, or a text like ``"120MB"``.
    :param dockerfile: the Dockerfile to read; by default the folder's.
    :param entry: what the web process runs, such as ``"app:app"`` or ``"main.py"``, for the RAM
        floor; by default what the Procfile says.
    :param tier: the tier of the platform's size limit, such as ``"large"`` on Vercel; by default
        what the project's files say.
    :param arch: the processor, ``"x86_64"`` or ``"arm64"``; by default the platform's first.
    :param bytecode: whether installed packages have bytecode; by default as on the platform.
    :param provided: names of distributions that the platform's runtime has, and the bundle
        therefore leaves out; ``True`` for all that slugcheck knows of.
    :param layers: layers of AWS Lambda: archives, folders, or unpacked sizes such as ``"50MB"``.
    :param config: a settings file to use instead of the project's own.
    :param extras: extras of a ``pyproject.toml`` to include.
    :param groups: dependency groups of a ``pyproject.toml`` to include.
    :param limits: further budgets, such as ``{"slug": "300M", "build": "10m"}``.
    :param allow_unsized: names of distributions that may stay without a size, or ``"all"``.
    :param models: model files to count: paths, globs, and ``s3://``, ``gs://``, ``https://`` URLs.
    :param remote_models: whether the project's settings may name models on servers.
    :param index_url: the package index to use instead of the default one.
    :param extra_index_urls: further package indexes.
    :param find_links: folders or pages with wheels.
    :param env: names of environment variables that the project's files may use as ``${NAME}``.
    :param exclude_newer: ignore files uploaded after this date, such as ``"2026-11-01"``.
    :param offline: use only what is in the caches.
    :param refresh: ask every index again; by default, what one said is trusted for ten minutes.
    :param cache: whether caches are read and written; they are by default.
    :param build: allow building source archives, which runs code of the packages.
    :param verify: install and compress for real, which downloads everything.
    :param rehearsal: a result of ``slugcheck rehearse``, saved as JSON, to judge RAM, boot and
        build by.
    :param audit: look up known vulnerabilities; needs ``slugcheck[audit]``.
    :param audit_service: where to look them up; ``"osv"`` by default.
    :param audit_url: the address of an OSV service, such as a mirror.
    :param fail_on: which findings make the command fail: ``"error"`` (default) or ``"warning"``.
    :param settings: whose settings decide if the base is a git revision: ``"base"`` (default), or
        ``"head"``.
    :return: the report. ``report.verdicts`` holds one verdict for each budget, and
        ``report.sizes`` the totals in bytes.
    :raises UsageError: an argument, a settings file or the input file is wrong.
    :raises MeasureError: it could not be measured, for example because there is no resolution.
    """
    return run_check(_options(path, text, arguments), against)


def check_targets(
    path: StrPath = ".",
    *,
    platforms: Collection[str] = (),
    pythons: Collection[str] = (),
    text: str | None = None,
    against: str | None = None,
    **arguments: Unpack[CheckArguments],
) -> Matrix:
    """Check one project for every combination of some platforms and Pythons.

    What does not depend on the target is read once. The other arguments mean what they mean for
    ``check``, and hold for every target; ``verify`` and ``audit`` are for one target.

    :param platforms: where it may be deployed, such as ``["heroku", "vercel"]``.
    :param pythons: the Pythons, such as ``["3.12", "3.13"]``.
    :return: one result for each combination, in that order: its report, or why it has none. A
        platform that does not offer a Python is a result, too.
    :raises UsageError: an argument, a settings file or the input file is wrong, there are more than
        24 combinations, or none of them is possible.
    """
    for name, plural in (("platform", "platforms"), ("python", "pythons")):
        if arguments.get(name) is not None:
            raise UsageError(f"check_targets takes {plural}, not {name}")
    return run_targets(_options(path, text, arguments), platforms, pythons, against)


def compare(
    *paths: StrPath,
    labels: Collection[str] = (),
    bench: Collection[StrPath] = (),
    **arguments: Unpack[Arguments],
) -> Comparison:
    """Size two or more candidates and compare them; the first is the reference.

    The other arguments mean what they mean for ``check``, and hold for every candidate that is
    measured.

    :param paths: requirements files, project folders, or reports saved as JSON.
    :param labels: names for the candidates, in their order.
    :param bench: results saved by ``slugcheck bench``, joined to the candidates.
    :return: sizes, savings, the lines to change, and a recommendation.
    :raises UsageError: an argument or a file is wrong, or there are fewer than two candidates.
    :raises MeasureError: a candidate could not be measured; the message names it.
    """
    _refuse_unknown(arguments, Arguments)
    options = [options_of(path, **arguments) for path in paths]
    return run_compare(options, labels=labels, bench=bench)[0]


def _options(path: StrPath, text: str | None, arguments: CheckArguments) -> Options:
    if text is not None and path != ".":
        raise UsageError("check takes a path or a text, not both")
    return replace(options_of(STDIN if text is not None else path, **arguments), text=text)


# --------------------------------------------------------------------------- for the commands


def run_check(
    options: Options, against: str | None = None, progress: Progress | None = None
) -> Report:
    """Return the report of one run; the base ``against`` is measured meanwhile.

    :raises SlugcheckError: something is wrong, or could not be measured.
    """
    from slugcheck.check import SILENT, Check
    from slugcheck.policy import gates

    progress = progress or SILENT
    with ExitStack() as stack:
        # the check itself reports a missing path
        there = options.path == STDIN or options.path.exists()
        base = None
        if against is not None and there:
            from slugcheck.against import Base

            base = Base(options, against)
        run = stack.enter_context(Check(options, ruling=base.ruling() if base else None))
        if base is not None:
            stack.enter_context(base)
        report = run.run(progress)
        if base is None:
            return gates.with_increase(report, run.rules, None)
        with progress.status(f"measuring {base.label}"):
            return base.compared(report, run)


def run_targets(
    options: Options,
    platforms: Collection[str],
    pythons: Collection[str],
    against: str | None = None,
    progress: Progress | None = None,
) -> Matrix:
    """Return what came of every combination; ``options`` hold for all of them.

    :raises SlugcheckError: something is wrong.
    """
    from slugcheck.check import SILENT
    from slugcheck.matrix import Targets, combinations

    for name, given in (("platforms", platforms), ("pythons", pythons)):
        if isinstance(given, str):  # each of its letters would count
            raise UsageError(f"{name} must be a list of strings, not a string")
    for option, feature in ((options.verify, "--verify"), (options.audit, "--audit")):
        if option:
            message = f"{feature} is for one target"
            raise UsageError(message, hint="name one platform and one Python")
    every = combinations(options, tuple(platforms), tuple(pythons))
    with (
        Targets(every, against) as run,
        (progress or SILENT).progress("checking targets") as bar,
    ):
        for done in run.measure():
            bar.update(done, len(every))
        return run.matrix


def run_compare(
    options: Collection[Options],
    *,
    labels: Collection[str] = (),
    bench: Collection[StrPath] = (),
    progress: Progress | None = None,
) -> tuple[Comparison, tuple[ReportDocument, ...]]:
    """Return the comparison, and the candidates' reports as documents.

    :raises SlugcheckError: something is wrong, or could not be measured.
    """
    from slugcheck.check import SILENT
    from slugcheck.compare import SideBySide, join, load
    from slugcheck.compare import compare as compared
    from slugcheck.compare import labels as labels_of

    if len(options) < 2:
        message = "compare needs at least two candidates"
        raise UsageError(message, hint="slugcheck compare requirements_a.txt requirements_b.txt")
    results = [load(Path(name)) for name in bench]
    names = labels_of([candidate_options.path for candidate_options in options], tuple(labels))
    with SideBySide(tuple(options), names) as run:
        with (progress or SILENT).progress("measuring candidates") as bar:
            for done in run.measure():
                bar.update(done, len(options))
        candidates = run.candidates
    comparison = compared(candidates)
    reports = tuple(candidate.report for candidate in candidates)
    return (join(comparison, candidates, results) if results else comparison), reports


def options_of(path: StrPath, **arguments: Unpack[CheckArguments]) -> Options:
    """Return the arguments of ``check``, checked; one that is left out has its default.

    :raises UsageError: an argument is wrong.
    """
    _refuse_unknown(arguments, CheckArguments)
    path = _existing(Path(path))
    for name in _LISTS:
        if isinstance(arguments.get(name), str):  # each of its letters would count
            raise UsageError(f"{name} must be a list of strings, not a string")
    allowed = arguments.get("allow_unsized", ())
    if isinstance(allowed, str) and allowed != "all":
        raise UsageError('allow_unsized must be a list of names, or "all"')
    names = () if isinstance(allowed, str) else tuple(allowed)
    for name, choices in {"fail_on": ("error", "warning"), "settings": ("base", "head")}.items():
        if arguments.get(name, choices[0]) not in choices:
            raise UsageError(f"{name} must be {' or '.join(map(repr, choices))}")
    limits = arguments.get("limits") or ()
    extras, groups = tuple(arguments.get("extras", ())), tuple(arguments.get("groups", ()))
    if (extras or groups) and path.name != "pyproject.toml":
        option = f"--extra {extras[0]}" if extras else f"--group {groups[0]}"
        message = f"extras and groups need a pyproject.toml, and this is {path}"
        raise UsageError(message, hint=f"slugcheck check pyproject.toml {option}")
    if arguments.get("verify") and path.name in ("-", "pyproject.toml"):
        message = "--verify installs a requirements file, a lock file, or a project's folder"
        raise UsageError(message, hint="name one of these")
    if arguments.get("exclude_newer"):
        from slugcheck.packages.index.pages import cutoff

        cutoff(str(arguments["exclude_newer"]))  # uv's own refusal would come late, and as exit 3
    options = Options(
        path=path,
        platform=arguments.get("platform"),
        stack=arguments.get("stack"),
        python=arguments.get("python"),
        python_origin="python",
        dyno=arguments.get("dyno"),
        base=arguments.get("base"),
        base_size=_size(arguments.get("base_size")),
        dockerfile=Path(file) if (file := arguments.get("dockerfile")) is not None else None,
        entry=arguments.get("entry"),
        tier=arguments.get("tier"),
        tier_origin="tier",
        arch=arguments.get("arch"),
        bytecode=arguments.get("bytecode"),
        provided=_provided(arguments.get("provided", ())),
        layers=tuple(os.fspath(layer) for layer in arguments.get("layers", ())),
        index=index_options(
            arguments.get("index_url"),
            arguments.get("extra_index_urls", ()),
            arguments.get("find_links", ()),
        ),
        extras=extras,
        groups=groups,
        env=tuple(arguments.get("env", ())),
        exclude_newer=arguments.get("exclude_newer"),
        offline=arguments.get("offline", False),
        refresh=arguments.get("refresh", False),
        use_cache=arguments.get("cache", True),
        allow_unsized=tuple(name for name in names if name != "all"),
        allow_all_unsized=allowed == "all" or "all" in names,
        limits=tuple(limits.items() if isinstance(limits, Mapping) else limits),
        build=arguments.get("build", False),
        models=tuple(os.fspath(model) for model in arguments.get("models", ())),
        remote_models=arguments.get("remote_models", False),
        config=Path(config) if (config := arguments.get("config")) is not None else None,
        verify=arguments.get("verify", False),
        rehearsal=Path(file) if (file := arguments.get("rehearsal")) is not None else None,
        fail_on=FindingSeverity(arguments.get("fail_on", "error")),
        head_decides=arguments.get("settings") == "head",
    )
    if arguments.get("audit"):
        from slugcheck.advice.audit import service

        chosen = service(arguments.get("audit_service"), arguments.get("audit_url"))
        return replace(options, audit=chosen)
    return options


_LISTS = (
    "models", "env", "find_links", "extra_index_urls", "extras", "groups", "provided", "layers",
)  # fmt: skip


def _provided(given: bool | Collection[str]) -> tuple[str, ...]:
    if isinstance(given, bool):
        return (RUNTIME,) if given else ()
    for name in given:
        try:
            canonicalize_name(name, validate=True)
        except InvalidName:
            message = f"provided: {printable(name[:60])!r} is not the name of a package"
            raise UsageError(message, hint="name packages only, such as boto3") from None
    return tuple(given)


def index_options(
    index_url: str | None = None,
    extra_index_urls: Collection[str] = (),
    find_links: Collection[StrPath] = (),
) -> IndexOptions:
    """Return the places that packages come from; folders are relative to the current one."""
    places = [os.fspath(place) for place in find_links]
    return IndexOptions(
        index_url=index_url,
        extra_index_urls=tuple(extra_index_urls),
        find_links=tuple(p if "://" in p else str(Path(p).resolve()) for p in places),
    )


def _refuse_unknown(arguments: Mapping[str, object], kind: type) -> None:
    """Refuse a misspelled argument, as any function does."""
    if unknown := sorted(arguments.keys() - kind.__annotations__):
        raise TypeError(f"unexpected keyword argument {unknown[0]!r}")


def _size(value: int | str | None) -> int | None:
    """Return a size in bytes.

    :raises UsageError: it is not one.
    """
    if value is None or isinstance(value, int):
        return value
    try:
        return parse_size(value)
    except ValueError as error:
        raise UsageError(f"--base-size: {error}", hint="write it as 120MB") from None


def _existing(path: Path) -> Path:
    """Return a path that the system can look up; one that is not there is refused later.

    :raises UsageError: it cannot, for example because a name is too long.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{printable(str(path))[:60]} cannot be read: {reason}") from None
    return path

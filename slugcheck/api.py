"""The Python API: ``slugcheck.check`` and ``slugcheck.compare``.

Both return frozen records (``slugcheck.model``) and raise ``SlugcheckError`` or one of its
subclasses. They print nothing, never end the process, and install no signal handlers. Temporary
folders and child processes are gone when a call returns or raises, at the latest when the
interpreter exits.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Literal

from slugcheck.errors import UsageError
from slugcheck.model import Comparison, IndexOptions, Report
from slugcheck.model.options import Options

StrPath = str | os.PathLike[str]


def check(
    path: StrPath = ".",
    *,
    platform: str | None = None,
    python: str | None = None,
    stack: str | None = None,
    dyno: str | None = None,
    config: StrPath | None = None,
    limits: Mapping[str, str] | None = None,
    allow_unsized: Collection[str] | Literal["all"] = (),
    models: Collection[StrPath] = (),
    remote_models: bool = False,
    index_url: str | None = None,
    extra_index_urls: Collection[str] = (),
    find_links: Collection[StrPath] = (),
    env: Collection[str] = (),
    exclude_newer: str | None = None,
    offline: bool = False,
    cache: bool = True,
    build: bool = False,
    verify: bool = False,
    audit: bool = False,
    audit_service: Literal["osv", "pypi"] | None = None,
    audit_url: str | None = None,
    against: str | None = None,
    settings: Literal["base", "head"] = "base",
) -> Report:
    """Size a project or a requirements file and check it against the platform's limits.

    :param path: a project folder, a requirements file, or a lock file.
    :param platform: where it is deployed, such as ``"aws-lambda"``; by default what the settings
        say, else ``"heroku"``.
    :param python: the target's Python, such as ``"3.12"``; by default what the project says.
    :param stack: the operating system image, such as ``"heroku-24"``.
    :param dyno: the machine size, such as ``"standard-1x"``.
    :param config: a settings file to use instead of the project's own.
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
    :param cache: whether caches are read and written.
    :param build: allow building source archives, which runs code of the packages.
    :param verify: install and compress for real, which downloads everything.
    :param audit: look up known vulnerabilities; needs ``slugcheck[audit]``.
    :param audit_service: where to look them up; ``"osv"`` by default.
    :param audit_url: the address of an OSV service, such as a mirror.
    :param against: a base to compare with: a git revision, a file, a folder, or a saved report.
    :param settings: whose settings decide if the base is a git revision.
    :return: the report. ``report.verdicts`` holds one verdict for each budget, and
        ``report.sizes`` the totals in bytes.
    :raises UsageError: an argument, a settings file or the input file is wrong.
    :raises MeasureError: it could not be measured, for example because there is no resolution.
    """
    options = _options(
        path, platform=platform, python=python, stack=stack, dyno=dyno, config=config,
        limits=limits, allow_unsized=allow_unsized, models=models, remote_models=remote_models,
        index_url=index_url, extra_index_urls=extra_index_urls, find_links=find_links, env=env,
        exclude_newer=exclude_newer, offline=offline, cache=cache, build=build,
    )  # fmt: skip
    options = replace(options, verify=verify, head_decides=settings == "head")
    if audit:
        from slugcheck.advice.audit import service

        options = replace(options, audit=service(audit_service, audit_url))
    return _report(options, against)


def _report(options: Options, against: str | None) -> Report:
    from slugcheck.against import Base
    from slugcheck.check import Check
    from slugcheck.policy import gates

    with ExitStack() as stack:
        base = Base(options, against) if against is not None and options.path.exists() else None
        run = stack.enter_context(Check(options, ruling=base.ruling() if base else None))
        if base is not None:
            stack.enter_context(base)
        run.resolve()
        for _ in run.read():
            pass
        if options.verify:
            run.verify(lambda _: None)
        run.audit()
        report = run.report()
        if base is None:
            return gates.with_increase(report, run.rules, None)
        return base.compared(report, run)


def compare(
    *paths: StrPath,
    labels: Collection[str] = (),
    bench: Collection[StrPath] = (),
    platform: str | None = None,
    python: str | None = None,
    stack: str | None = None,
    dyno: str | None = None,
    config: StrPath | None = None,
    limits: Mapping[str, str] | None = None,
    allow_unsized: Collection[str] | Literal["all"] = (),
    models: Collection[StrPath] = (),
    remote_models: bool = False,
    index_url: str | None = None,
    extra_index_urls: Collection[str] = (),
    find_links: Collection[StrPath] = (),
    env: Collection[str] = (),
    exclude_newer: str | None = None,
    offline: bool = False,
    cache: bool = True,
    build: bool = False,
) -> Comparison:
    """Size two or more candidates and compare them; the first is the reference.

    The arguments that are not listed here mean what they mean for ``check``, and hold for every
    candidate that is measured.

    :param paths: requirements files, project folders, or reports saved as JSON.
    :param labels: names for the candidates, in their order.
    :param bench: results saved by ``slugcheck bench``, joined to the candidates.
    :return: sizes, savings, the lines to change, and a recommendation.
    :raises UsageError: an argument or a file is wrong, or there are fewer than two candidates.
    :raises MeasureError: a candidate could not be measured; the message names it.
    """
    from slugcheck.compare import SideBySide, join, load
    from slugcheck.compare import compare as compared
    from slugcheck.compare import labels as labels_of

    if len(paths) < 2:
        raise UsageError("compare needs at least two candidates")
    results = [load(Path(name)) for name in bench]
    options = [
        _options(
            path, platform=platform, python=python, stack=stack, dyno=dyno, config=config,
            limits=limits, allow_unsized=allow_unsized, models=models,
            remote_models=remote_models, index_url=index_url, extra_index_urls=extra_index_urls,
            find_links=find_links, env=env, exclude_newer=exclude_newer, offline=offline,
            cache=cache, build=build,
        )
        for path in paths
    ]  # fmt: skip
    names = labels_of([one.path for one in options], tuple(labels))
    with SideBySide(options, names) as run:
        for _ in run.measure():
            pass
        candidates = run.candidates
    comparison = compared(candidates)
    return join(comparison, candidates, results) if results else comparison


def _options(
    path: StrPath,
    *,
    platform: str | None,
    python: str | None,
    stack: str | None,
    dyno: str | None,
    config: StrPath | None,
    limits: Mapping[str, str] | None,
    allow_unsized: Collection[str] | Literal["all"],
    models: Collection[StrPath],
    remote_models: bool,
    index_url: str | None,
    extra_index_urls: Collection[str],
    find_links: Collection[StrPath],
    env: Collection[str],
    exclude_newer: str | None,
    offline: bool,
    cache: bool,
    build: bool,
) -> Options:
    """Return the arguments as the commands have them.

    :raises UsageError: a date is not one, or a single string stands where several are expected.
    """
    if exclude_newer is not None:
        from slugcheck.packages.index.pages import cutoff

        cutoff(exclude_newer)
    several = {"models": models, "env": env, "find_links": find_links}
    for name, value in {**several, "extra_index_urls": extra_index_urls}.items():
        if isinstance(value, str):  # each of its letters would count
            raise UsageError(f"{name} must be a list of strings, not a string")
    everything = isinstance(allow_unsized, str)
    if everything and allow_unsized != "all":
        raise UsageError('allow_unsized must be a list of names, or "all"')
    return Options(
        path=_existing(Path(path)),
        platform=platform,
        stack=stack,
        python=python,
        python_origin="python",
        dyno=dyno,
        index=IndexOptions(
            index_url=index_url,
            extra_index_urls=tuple(extra_index_urls),
            find_links=tuple(_place(os.fspath(place)) for place in find_links),
        ),
        env=tuple(env),
        exclude_newer=exclude_newer,
        offline=offline,
        use_cache=cache,
        allow_unsized=() if everything else tuple(allow_unsized),
        allow_all_unsized=everything,
        limits=tuple((limits or {}).items()),
        build=build,
        models=tuple(os.fspath(model) for model in models),
        remote_models=remote_models,
        config=None if config is None else Path(config),
    )


def _existing(path: Path) -> Path:
    """Return a path that the system can look up; one that is not there is refused later.

    :raises UsageError: it cannot, for example because a name is too long.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except (OSError, ValueError) as error:
        from slugcheck.text import printable

        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{printable(str(path))[:60]} cannot be read: {reason}") from None
    return path


def _place(text: str) -> str:
    return text if "://" in text else str(Path(text).resolve())

"""The indexes that packages come from: command line, environment and requirements file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

from slugcheck import reading
from slugcheck.errors import NetworkError, UsageError
from slugcheck.model import IndexOptions, Requirement, RequirementSet, Unsized
from slugcheck.model.options import Options, used
from slugcheck.packages.index.urls import origin_of, redact
from slugcheck.packages.known import PYTORCH_INDEX, TORCH_FAMILY
from slugcheck.packages.requirements import files, pyproject
from slugcheck.text import keep_secret, shown_value

# Where uv and pip take indexes from; Heroku hands PIP_EXTRA_INDEX_URL to the build.
_DEFAULT_INDEX = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
_EXTRA_INDEXES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")


def read_requirements(options: Options, name: str | None = None) -> RequirementSet:
    """Read the file with the options of the command line added; only on a pipe must it hold any.

    ``name`` is what messages call the file, by default as the options show it.

    :raises RequirementsError: the file cannot be read, or pip's grammar refuses it.
    :raises UsageError: an index URL or a folder of wheels is invalid.
    """
    more = configured(options)
    requirements = files.read(
        options.path,
        text=options.text,
        within=options.within,
        cwd_name=name or options.shown_path,
        # nothing on a pipe is a command that failed before it, rather than a wish for nothing
        empty=(options.text is None or name is not None) and options.path != reading.STDIN,
        variables=options.variables,
        selection=pyproject.Selection(extras=options.extras, groups=options.groups),
    )
    own = requirements.options
    # the file may not weaken the way to a server that gets the user's credentials
    named = more.index_url or more.extra_index_urls or more.find_links
    trusted = () if named else tuple(host for host in own.trusted_hosts if "*" not in host)
    for url in filter(None, (own.index_url, *own.extra_index_urls)):
        _check_url(url)
    return replace(
        requirements,
        options=replace(
            own,
            index_url=options.index.index_url or own.index_url or more.index_url,
            extra_index_urls=(*more.extra_index_urls, *own.extra_index_urls),
            find_links=(*more.find_links, *own.find_links),
            trusted_hosts=trusted,
            named_origins=more.named_origins,
        ),
    )


def configured(options: Options, environ: Mapping[str, str] = os.environ) -> IndexOptions:
    """Return the indexes of the command line and the environment, checked.

    :raises UsageError: one of them is not a URL, or not a folder.
    """
    given = options.index
    default = next(filter(None, (environ.get(name) for name in _DEFAULT_INDEX)), None)
    extra = [url for name in _EXTRA_INDEXES for url in environ.get(name, "").split()]

    def filled(url: str) -> str:
        return _filled(url, environ)

    index_options = replace(
        given,
        index_url=filled(given.index_url or _named(default or "", environ)) or None,
        extra_index_urls=tuple(
            map(filled, (*given.extra_index_urls, *(_named(url, environ) for url in extra)))
        ),
        find_links=tuple(map(filled, given.find_links)),
    )
    for url in filter(None, (index_options.index_url, *index_options.extra_index_urls)):
        _check_url(url)
    for place in index_options.find_links:
        if "://" in place:
            _check_url(place)
        elif not Path(place).exists():
            message = f"--find-links {place}: no such folder"
            raise UsageError(message, hint="name a folder of wheels, or a page that links to them")
    places = (
        index_options.index_url or "",
        *index_options.extra_index_urls,
        *index_options.find_links,
    )
    origins = (origin_of(place) for place in places if place.startswith(("http:", "https:")))
    return replace(index_options, named_origins=tuple(dict.fromkeys(origins)))


def _named(text: str, environ: Mapping[str, str]) -> str:
    """Return the URL of an index of the environment, which uv lets have a name: name=https://...

    As in uv, UV_INDEX_NAME_USERNAME and UV_INDEX_NAME_PASSWORD belong to it.
    """
    if "=" not in text.partition("://")[0]:
        return text
    name, _, url = text.partition("=")
    upper = re.sub(r"[^A-Z0-9]", "_", name.upper())
    user = environ.get(f"UV_INDEX_{upper}_USERNAME", "")
    password = environ.get(f"UV_INDEX_{upper}_PASSWORD", "")
    scheme, separator, rest = url.partition("://")
    if not (user or password) or "@" in rest:
        return url
    return f"{scheme}{separator}{quote(user, safe='')}:{quote(password, safe='')}@{rest}"


def _filled(url: str, environ: Mapping[str, str]) -> str:
    """Return an index URL of the command line or the environment with its variables filled in.

    Whoever wrote the command line says which server it is for, so no --env is needed.

    :raises UsageError: a variable is not set.
    """
    for name in used(url):
        value = environ.get(name)
        if not value:
            message = f"the index URL {shown_value(url)!r} uses ${{{name}}}, which is not set"
            raise UsageError(message, hint=f"set {name}, or write the URL without it")
        keep_secret([value])
        url = url.replace(f"${{{name}}}", value)
    return url


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https", "file") and "@" not in parts.path
        sound = sound and (parts.port is None or parts.port >= 0) and "%00" not in url
        sound = sound and (bool(parts.hostname) or parts.scheme == "file")
    except ValueError:
        sound = False
    if not sound:
        message = f"invalid index URL {shown_value(url)!r}"
        hint = "write https://host/simple/; in a password, write / as %2F and @ as %40"
        raise UsageError(message, hint=hint)


def reachable(index: IndexOptions, error: NetworkError) -> tuple[IndexOptions, str] | None:
    """Return the options without the places that an error is about, and the first of these.

    None if the error is about none of them, or about the index that everything else comes from.
    """
    named = str(error)

    def lost(place: str) -> bool:
        return "://" in place and f"{origin_of(place)}/" in f"{named}/"

    if index.index_url is not None and lost(index.index_url):
        return None
    extra = tuple(url for url in index.extra_index_urls if not lost(url))
    links = tuple(place for place in index.find_links if not lost(place))
    gone = [
        place
        for place in (*index.extra_index_urls, *index.find_links)
        if place not in extra and place not in links
    ]
    return (replace(index, extra_index_urls=extra, find_links=links), gone[0]) if gone else None


def only_there(place: str, requirements: Iterable[Requirement]) -> tuple[Unsized, ...]:
    """Return what cannot be sized without an index: the default one has something else.

    That is what is pinned to a local version such as ``+cpu``, and all of PyTorch's family where
    it is PyTorch's own index: the default one has its builds for GPUs.
    """
    family = TORCH_FAMILY if origin_of(place) == origin_of(PYTORCH_INDEX) else ()
    reason = f"its index, {redact(place)}, cannot be used"
    lines = {
        requirement.name: requirement
        for requirement in requirements
        if requirement.url is None and ("+" in requirement.specifier or requirement.name in family)
    }
    named = (
        Unsized(
            name=requirement.name,
            version=requirement.specifier.removeprefix("==") or None,
            reason=reason,
            origin=requirement.origin,
        )
        for requirement in lines.values()
    )
    others = (
        Unsized(name=name, version=None, reason=reason) for name in family if name not in lines
    )
    return (*named, *others)

"""Writes the generated pages of the documentation: ``python docs/generate.py``.

``docs/platforms.md`` comes from the platforms' TOML files and ``docs/settings.md`` from the names
that ``slugcheck.toml`` takes. ``docs/schemas``, which the wheel contains too, has the JSON Schemas of
the documents and of the settings. With ``--screens`` the commands marked ``<!-- screen -->`` in README.md
and docs/ run again and their output is replaced; that needs the package index.
"""

# Its sentences are the pages' own, and it is a script that prints.
# ruff: noqa: E501, RUF001, T201

from __future__ import annotations

import html
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from slugcheck import platforms, reading
from slugcheck.model import (
    BaseImage,
    Dyno,
    FunctionRule,
    Limit,
    Platform,
    PythonRelease,
    Severity,
    Source,
    Stack,
    Tier,
)
from slugcheck.model.document import saved
from slugcheck.model.platform import arch_name
from slugcheck.platforms import base_images
from slugcheck.policy import limits, settings
from slugcheck.render.views import platforms as platforms_view
from slugcheck.text import MIB, mb

ROOT = Path(__file__).resolve().parent.parent
_NOTICE = "<!-- Written by `python docs/generate.py`; do not edit. -->\n"
_SCREEN = re.compile(r"(<!-- screen -->\n```console\n\$ ([^\n]+)\n)(.*?)```\n", re.DOTALL)
T = TypeVar("T")


def pages() -> dict[str, str]:
    """Return the generated pages by file name."""
    return {"platforms.md": _platforms(), "settings.md": _settings()}


def schemas() -> dict[str, str]:
    """Return the JSON Schemas by file name, relative to docs/."""
    kinds = {f"{kind}-{saved.SCHEMA}": saved.schema(kind) for kind in saved.KINDS}
    return {
        f"schemas/{name}.json": json.dumps(schema, indent=2) + "\n"
        for name, schema in (kinds | {"settings": _settings_schema()}).items()
    }


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([_cell(c) for c in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    """Return text for a cell; what is in backquotes is shown as it is."""
    parts = text.replace("|", "\\|").split("`")
    parts[::2] = [html.escape(part, quote=False) for part in parts[::2]]
    return "`".join(parts)


# --------------------------------------------------------------------------- platforms

_PLATFORMS_HEAD = """\
# Platforms

slugcheck knows these platforms. Pass a name to `--platform`, or set `platform` in
[the settings](settings.md). `slugcheck platforms NAME` prints the same facts.

Every value has a source and the date when that source was read. {first_hand}
Limits change: if one is out of date, please open an issue, or [use a file of your own](#your-own-platform).
A *default* is what slugcheck takes where neither you nor the project says otherwise.

A *fail* limit is a budget and decides the exit code. A *warn* limit is reported and does not fail the
check. A *note* is the platform's own limit beside a stricter budget: what is over it is rejected, so it
fails the check as well, even if you raise the budget. A *rehearsed* limit, on boot time or RAM, is judged
by what [`slugcheck rehearse`](rehearse.md) measured. Without that, slugcheck warns where the imports alone exceed it.

M is MiB (2^20 bytes), as Heroku and Vercel use it. MB is 10^6 bytes.

"""
_BASE_IMAGES_HEAD = """\
## Base images

What `FROM` brings, for amd64; `slugcheck/platforms/base_images.toml` has the sizes for arm64 too. A tag
is rebuilt every few weeks, so each figure has an interval. ≈ marks an estimate: the size of another image, or
what is to pull by the usual share of the size on disk. [Container images](images.md) says how an
image is counted.

"""
_OWN_PLATFORM = """\
## Your own platform

Write a file like this one, and pass its name, which has to end in `.toml`:

```console
slugcheck requirements.txt --platform ./our-cluster.toml
```

`slugcheck platforms ./our-cluster.toml` shows what slugcheck reads in it. All mistakes of a file are
reported at once, each with the path of its value. In `slugcheck.toml`, `platform = "our-cluster.toml"` is
relative to the settings file and has to stay inside the checkout.

```toml
name = "our-cluster"
title = "Our cluster"
about = "Images that the platform team builds, on its own machines."
installer = "pip"              # installs the packages
compiles_bytecode = true       # whether installing leaves .pyc files
gpu = false                    # whether CUDA has a use there
prefix = "/opt/venv"           # where Python's lib/ and bin/ are
default_stack = "debian-12"
default_python = "3.12"
default_dyno = "small"         # leave it out where no size is usual

# What counts against the size limit. The kinds:
#   gzip-tar       the whole app as a tar, compressed by gzip -6
#   zip            the whole app as a zip
#   unzipped       every file, uncompressed
#   site-packages  the files in site-packages, uncompressed, except those that stripped names
#   image          the layers of a container image, uncompressed
[bundle]
kind = "site-packages"
about = "the files in site-packages, without bytecode and type stubs, and the project's own files"
stripped = ["__pycache__", "*.pyc", "*.pyi"]   # names of files and folders; only with site-packages
source = "wiki"

# A source that several rows name. A row may have source and date of its own instead.
# second_hand = true: from somebody who does not run the platform.
[sources]
wiki = { text = "wiki.example.com/platform, Limits", date = "2026-11-01" }

# How long SIGTERM leaves a process before SIGKILL, for slugcheck rehearse. 30 s where it is not known.
[grace_period]
seconds = 20
source = "wiki"

# Systems to choose with --stack. Wheels have to fit glibc and arch (x86_64 or aarch64).
[[stacks]]
name = "debian-12"
glibc = "2.36"
arch = "x86_64"
status = "recommended"
missing_libraries = ["libGL.so.1"]   # what the packages you use would need and do not find
source = "wiki"

[[stacks]]
name = "debian-12-arm"
glibc = "2.36"
arch = "aarch64"
status = "on trial"
source = "wiki"

# Versions to choose with --python. status is supported or deprecated.
[[pythons]]
minor = "3.11"
version = "3.11.16"
status = "deprecated"
source = "wiki"

[[pythons]]
minor = "3.12"
version = "3.12.14"
status = "supported"
source = "wiki"
parts = [                      # what the platform adds to the bundle, Python itself for example
  { name = "Python 3.12.14", installed_bytes = 52_000_000, slug_bytes = 18_000_000, error_percent = 5, source = "wiki" },
]

# figure: bundle (with gzip-tar: slug), installed, download, checkout, ram in bytes; build, boot in
# seconds. severity: fail decides the exit code, warn does not; note is the platform's own limit,
# which is rejected above a stricter fail.
[[limits]]
name = "bundle"
figure = "bundle"
value = 300_000_000
unit = "bytes"
severity = "fail"
text = "300 MB"
message = "Ask #platform for more"     # added where it does not fit
source = "wiki"

[[limits]]
name = "build"
figure = "build"
value = 600
unit = "seconds"
severity = "warn"
text = "10 minutes"
source = "an e-mail of the platform team"
date = "2026-10-12"
second_hand = true

# Machine sizes to choose with --dyno. workers are the processes that share the memory.
[[dynos]]
name = "small"
ram_bytes = 536_870_912
workers = 2
source = "wiki"
```

Where Python is Pyodide, a stack has `arch = "wasm32"` and no `glibc`. `wheels_only = true` says that
nothing is built from source, `calls_functions = true` that no process of the app's own listens (so that
`rehearse` refuses it, unless an `[invocation]` says how functions are called, as in
`slugcheck/platforms/aws-lambda.toml`), and `indexes = ["https://…"]` in a row of `pythons` adds package indexes;
`slugcheck/platforms/cloudflare-workers.toml` uses all four.
"""


def _platforms() -> str:
    known = [platforms.load(name) for name in platforms.names()]
    overview = _table(
        ("name", "platform", "size limit", "of", "default Python"),
        (_overview(platform) for platform in known),
    )
    sections = "\n".join(_platform(platform) for platform in known)
    if "\\*" in overview:
        overview += "\n\\* second-hand: the platform itself does not say it.\n"
    text = (
        _NOTICE
        + _PLATFORMS_HEAD.format(first_hand=platforms_view.FIRST_HAND)
        + overview
        + "\n"
        + sections
        + "\n"
    )
    return text + _BASE_IMAGES_HEAD + _base_images() + "\n" + _OWN_PLATFORM


def _base_images() -> str:
    known = base_images.known()
    head = ("image", "release", "Python", "on disk, MB", "±", "to pull, MB", "±", "source")
    return _table(head, (_base_image(base_images.find(name)) for name in known.images))


def _base_image(image: BaseImage) -> Iterable[str]:
    disk, pull = image.disk_bytes or 0, image.pull_bytes or 0
    like = "≈ " if image.note else ""
    pulled = "amd64" in base_images.known().images[image.name].pull
    source = f"{image.note}: {_source(image.source)}" if image.note else _source(image.source)
    libc = f"glibc {image.glibc[0]}.{image.glibc[1]}" if image.glibc else "musl"
    return (
        f"`{image.name}`",
        f"{image.release}, {libc}",
        image.python,
        f"{like}{mb(disk)}",
        f"{image.error_percent:g} %",
        f"{like if pulled else '≈ '}{mb(pull)}",
        f"{image.pull_error_percent:g} %",
        source,
    )


def _overview(platform: Platform) -> Iterable[str]:
    return (
        f"`{platform.name}`",
        platform.title,
        platforms_view.size_limit(platform).replace("*", "\\*"),
        platforms_view.COUNTED[platform.bundle.kind],
        platform.default_python,
    )


def _counts(platform: Platform) -> str:
    rule = platform.bundle
    names = _names(rule.stripped)
    stripped = f"; not counted: {names}" if names else ""
    text = f"Counts {rule.about}{stripped}.\nSource: {_source(rule.source)}\n"
    if rule.layers:
        text += f"\nUp to {rule.layers} layers (`--layer`).\n"
    if rule.provided:
        source = f"Source: {_source(rule.provided_source)}\n" if rule.provided_source else ""
        text += f"\nThe runtime has {_names(rule.provided)} (`--provided`).\n{source}"
    if platform.aliases:
        aliases = _names([alias.name for alias in platform.aliases])
        text += f"\nAn older name is {aliases}.\n"
    return text


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _platform(platform: Platform) -> str:
    blocks = [f"## {platform.title}\n", f"`--platform {platform.name}`. {platform.about}\n"]
    blocks.append(_counts(platform))
    if platform.limits:
        blocks.append(
            _table(("limit", "of", "value", "kind", "source"), map(_limit, platform.limits))
        )
    else:
        blocks.append("slugcheck knows no limits of this platform.\n")
    if platform.tiers:
        head = ("tier (`--tier`)", "applies", "value", "means", "source")
        blocks.append(_table(head, map(_tier, platform.tiers)))
    if platform.function is not None:
        blocks.append(_function(platform.function))
    if platform.grace_period is not None:
        period = platform.grace_period
        blocks.append(
            f"Shutdown: {platforms_view.shutdown(period)}. Source: {_source(period.source)}\n"
        )
    if platform.invocation is not None:
        said = platforms_view.invocation(platform.invocation)
        blocks.append(f"Functions: {said}. Source: {_source(platform.invocation.source)}\n")
    blocks.append(_rows("stack", platform.stacks, lambda stack: _stack(stack, platform)))
    if platform.retired_stacks:
        head = ("retired stack", "end-of-life since", "source")
        retired = ((f"`{s.name}`", s.since, _source(s.source)) for s in platform.retired_stacks)
        blocks.append(_table(head, retired))
    blocks.append(_rows("python", platform.pythons, lambda release: _python(release, platform)))
    sized = {_source(part.source) for release in platform.pythons for part in release.parts}
    if sized:
        blocks.append(
            "Sources of these sizes:\n\n" + "".join(f"- {text}\n" for text in sorted(sized))
        )
    for stack in platform.stacks:
        if stack.build_image is not None:
            packages = ", ".join(f"`{package}`" for package in stack.build_image.packages)
            source = f"Source: {_cell(_source(stack.build_image.source))}\n"
            title = (
                f"Installed for builds on {stack.name}, of the packages that slugcheck looks for"
            )
            blocks.append(f'??? note "{title}"\n\n{_indented(packages)}\n\n{_indented(source)}')
    if platform.dynos:
        head = ("machine", "memory", "killed at", "workers", "USD a month")
        table = _table(head, (_dyno(dyno, platform) for dyno in platform.dynos))
        used = dict.fromkeys(_source(dyno.source) for dyno in platform.dynos)
        sources = "\n".join(f"Source: {_cell(source)}\n" for source in used)
        blocks.append(
            f'??? note "Machine sizes (`--dyno`)"\n\n{_indented(table)}\n{_indented(sources)}'
        )
    return "\n".join(blocks)


def _rows(kind: str, rows: Iterable[object], row: Callable[..., Iterable[str]]) -> str:
    heads = {
        "stack": ("stack", "glibc", "architecture", "status", "missing libraries", "source"),
        "python": ("Python", "newest release", "status", "what the platform adds", "source"),
    }
    return _table(heads[kind], (row(fact) for fact in rows))


def _limit(limit: Limit) -> Iterable[str]:
    unit = "bytes" if limit.unit == "bytes" else "s"
    kind = "rehearsed" if limit.figure in platforms_view.RUNNING else _KINDS[limit.severity]
    exact = f"{limit.value:,} {unit}"
    value = limit.text if limit.text == exact else f"{limit.text} ({exact})"
    value += f" since {limit.since}" if limit.since else ""
    value += f", for {', '.join(f'`{dyno}`' for dyno in limit.dynos)}" if limit.dynos else ""
    return f"`{limit.name}`", limit.figure, value, kind, _source(limit.source)


_KINDS = {Severity.FAIL: "fail", Severity.WARN: "warn", Severity.NOTE: "note"}


def _stack(stack: Stack, platform: Platform) -> Iterable[str]:
    default = " (default)" if stack.name == platform.default_stack else ""
    libc = platforms_view.libc(stack).removeprefix("glibc ")
    missing = ", ".join(stack.missing_libraries) or "–"
    return (
        f"`{stack.name}`{default}",
        libc,
        ", ".join(map(arch_name, stack.arches)),
        stack.status,
        missing,
        _source(stack.source),
    )


def _python(release: PythonRelease, platform: Platform) -> Iterable[str]:
    default = " (default)" if release.minor == platform.default_python else ""
    added = [
        f"{part.name}: {mb(part.installed_bytes)} MB, gzip {mb(part.slug_bytes)} MB "
        f"±{part.error_percent:g} %{f' ({part.note})' if part.note else ''}"
        for part in release.parts
    ]
    parts = "; ".join([*added, *(f"wheels of {url}" for url in release.indexes)])
    source = _source(release.source)
    status = f"{release.status}, on `{release.stack}`" if release.stack else release.status
    return f"{release.minor}{default}", release.version, status, parts or "–", source


def _tier(tier: Tier) -> Iterable[str]:
    value = f"{tier.text} ({tier.value:,} bytes)"
    tool = f"; {mb(tier.tool_bytes)} MB of it go to what installs the rest"
    about = f"{tier.about}{tool if tier.tool_bytes else ''}"
    return f"`{tier.name}`", platforms_view.when(tier), value, about, _source(tier.source)


def _function(rule: FunctionRule) -> str:
    ignored, excluded = (
        ", ".join(f"`{pattern}`" for pattern in patterns)
        for patterns in (rule.ignored, rule.excluded)
    )
    return (
        f"Of a project folder, `{rule.config}` and `{rule.ignore_file}` are read.\n"
        f"Not uploaded: {ignored}.\nNot in the function: {excluded}.\n"
        f"Source: {_source(rule.source)}\n"
    )


def _dyno(dyno: Dyno, platform: Platform) -> Iterable[str]:
    default = " (default)" if dyno.name == platform.default_dyno else ""
    price = "–" if dyno.usd_per_month is None else f"{dyno.usd_per_month:g}"
    memory, killed = (f"{size // MIB:,} MiB" for size in (dyno.ram_bytes, dyno.r15_bytes))
    return f"`{dyno.name}`{default}", memory, killed, str(dyno.workers), price


def _source(source: Source) -> str:
    second_hand = "; second-hand" if source.second_hand else ""
    return f"{source.text} ({source.date}{second_hand})"


def _indented(text: str) -> str:
    return "".join(
        f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True)
    )


# --------------------------------------------------------------------------- settings

_SETTINGS_HEAD = """\
# Settings

slugcheck reads `slugcheck.toml`, or the table `[tool.slugcheck]` of `pyproject.toml`. It looks in the
folder that it checks and then in the folders above, up to the top of the git checkout. The first
folder that has settings wins. A folder that has them in both files is an error.

`slugcheck init` measures the project and writes a commented `slugcheck.toml`. In a terminal it asks which
limit the team wants, and `--budget` answers for scripts: `slugcheck` (500M on Heroku, the default),
`platform` (1000M, Heroku's own limit), or `tight` (today's size plus 25 %).

- Command line options override settings.
- `--config FILE` uses another file in place of the project's.
- With `--against REVISION` the settings of the *base* decide, so that a change cannot loosen its own
  gate. `--settings head` uses the settings of the change instead.
- slugcheck reports all mistakes at once, each with its path, before it touches the network.
- Paths are relative to the settings file and have to stay inside the checkout. A file outside the
  checkout that you pass with `--config` is your own: it may name any file.

```toml
platform = "heroku"
python = "3.12"
models = ["models/*.onnx"]

[budgets]
slug = "450M"
increase = "10MB"         # with both, a change fails only beyond both
increase_percent = 5
"package.numpy" = { limit = "100MB", message = "ask the platform team" }
vulnerabilities = 0       # with --audit

[deny]
torch = "use onnxruntime"

[[ignore]]
code = "opencv-gui"
reason = "bin/post_compile replaces it"
expires = 2027-05-31
```

Editors that know JSON Schema complete and check the file (taplo, Even Better TOML for VS Code). Copy
[settings.json](schemas/settings.json) beside it, and name it in the first line:

```toml
#:schema ./settings.json
platform = "heroku"
```

The installed package has the schema too, as `slugcheck/schemas/settings.json`. slugcheck itself checks
more than a schema can, such as the names of packages and limits.

In `pyproject.toml` the same tables are `[tool.slugcheck]`, `[tool.slugcheck.budgets]`,
`[tool.slugcheck.deny]` and `[[tool.slugcheck.ignore]]`.

"""
# setting -> (what it takes, what it does)
_SETTINGS = {
    "platform": ("string", "Where the app is deployed: a name of [Platforms](platforms.md), or the "
                 "path of a platform file, relative to the settings file. Default: `heroku`."),
    "stack": ("string", "Operating system image, such as `heroku-24`. Default: the platform's."),
    "python": ("string", "Python of the target, such as `\"3.12\"` or `\"3.12.4\"`. Default: "
               "`.python-version` or `runtime.txt` beside the file, else the platform's default."),
    "dyno": ("string", "Machine size, such as `standard-1x`. Default: the platform's."),
    "base": ("string", "Base image of a container, such as `python:3.12-slim`. Default: the "
             "Dockerfile's `FROM`, else the platform's; see [Container images](images.md)."),
    "tier": ("string", "Tier of the platform's size limit, such as Vercel's `large`. Default: "
             "what the project's files say."),
    "arch": ("string", "Processor of the target: `x86_64` (or `amd64`) or `arm64` (or `aarch64`), "
             "where the platform has both. Default: the platform's first."),
    "bytecode": ("boolean", "Whether installed packages have bytecode. Default: as on the "
                 "platform. On Heroku it cannot be `false`."),
    "provided": ("true or list of strings", "Distributions that the platform's runtime has and "
                 "the bundle leaves out. `true`: all that slugcheck knows of, such as `boto3` and "
                 "what it requires on AWS Lambda. They are listed and count nothing."),
    "layers": ("list of strings", "Layers of AWS Lambda, which count with the bundle: zip archives "
               "and folders, or unpacked sizes such as `50MB`."),
    "models": ("list of strings", "Model files that are deployed with the app: paths, globs, or "
               "addresses. An address on a server (`s3://`, `gs://`, `https://`) is ignored unless "
               "you pass `--remote-models` or the settings are those of the base."),
    "allow_unsized": ("list of strings", "Distributions that may stay unsized."),
    "rehearsal": ("string", "A result of `slugcheck rehearse` saved as JSON, relative to this file: "
                  "RAM, boot and build are judged by what it measured. Those of the base of a pull "
                  "request are not read, since the change could bring its own."),
    "budgets": ("table", "Limits; see [Budgets](#budgets)."),
    "deny": ("list or table", "Distributions that must not be installed, such as `[\"torch\"]` or "
             "`\"tensorflow>=2\" = \"too large\"` with the reason that is shown."),
    "ignore": ("list of tables", "Findings that you accept for a time; see [Ignore](#ignore)."),
}  # fmt: skip
_BUDGETS = {
    "slug": "compressed slug",
    "bundle": "what the platform counts against its limit ([Platforms](platforms.md)); on Heroku "
    "the slug",
    "installed": "unpacked size, with bytecode",
    "zipped": "the zip archive of dependencies, app files and models, as it is uploaded",
    "download": "wheels that the installer downloads",
    "checkout": "files that git checks out",
    "build": "predicted duration of the build, such as `10m`",
    "ram": "memory of all workers once they have their imports ([the least](projects.md#ram) that the "
    "app takes)",
    "boot": "CPU seconds of a worker's imports, such as `10s`",
    "increase": "what a change may add, with `--against`",
    "increase_percent": "the same in percent; with both, a change fails only beyond both",
    "package_increase": "what a change may add to any single distribution",
    "vulnerabilities": "known vulnerabilities, with `--audit`; 0 is a limit too",
    "package.NAME": "one distribution",
}
_BUDGET_KEYS = {
    "limit": "The limit itself. Required.",
    "message": "Shown when the limit is exceeded.",
    "on": "`slug` or `installed`: the figure that a package or an increase is measured in. Default: "
    "the figure of the platform's own limit for increases, `installed` for packages.",
}
_IGNORE_KEYS = {
    "code": "Code of the finding as the JSON report shows it, or one of its ids (such as a CVE). "
    "Required.",
    "subject": "Only for this distribution.",
    "reason": "Why you accept it. Required.",
    "expires": "Last day on which it is ignored, such as `2027-05-31`. Required.",
}


def _budget_names() -> list[str]:
    return [*limits.FIGURES, *limits._OTHERS, "package.NAME"]


def _settings() -> str:
    names = [*settings._PLAIN, *settings._TABLES]
    budgets = _budget_names()
    described = _complete(_SETTINGS, names)
    blocks = [
        _NOTICE + _SETTINGS_HEAD.rstrip() + "\n",
        "## All settings\n",
        _table(("setting", "takes", "meaning"), ((f"`{k}`", *described[k]) for k in names)),
        "## Budgets\n",
        "Sizes take `M` (MiB, as Heroku prints it), `MB` (10^6 bytes), `MiB`, `GB`. Times take `s`, "
        "`m`, `h`. A budget\nreplaces the platform's own limit of that name. The names of the "
        "platform's other limits, such as\n`heroku-warning`, work too. On the command line: "
        "`--limit slug=300M`.\n",
        _rows_of("budget", _complete(_BUDGETS, budgets), budgets),
        'A budget is a value, or a table: `slug = { limit = "450M", message = "ask us" }`.\n',
        _rows_of("key", _complete(_BUDGET_KEYS, settings._BUDGET_KEYS), settings._BUDGET_KEYS),
        "## Ignore\n",
        "An ignored finding stays in the report, marked as ignored. After its last day it counts "
        "again.\n",
        _rows_of("key", _complete(_IGNORE_KEYS, settings._IGNORE_KEYS), settings._IGNORE_KEYS),
    ]
    return "\n".join(blocks)


def _settings_schema() -> dict[str, Any]:
    budgets = {**_complete(_BUDGETS, _budget_names())}
    one_package = {"description": budgets.pop("package.NAME"), **_BUDGET}
    tables = {
        "budgets": {
            "type": "object",
            "properties": {
                **{name: {"description": about, **_BUDGET} for name, about in budgets.items()},
                "package": {"type": "object", "additionalProperties": one_package},
            },
            "patternProperties": {r"^package\.": one_package},
            "additionalProperties": _BUDGET,  # the limits of a platform, which may be one's own
        },
        "deny": {
            "anyOf": [_STRINGS, {"type": "object", "additionalProperties": {"type": "string"}}]
        },
        "ignore": {
            "type": "array",
            "items": _object(_IGNORE_KEYS, {"expires": {"format": "date"}}, optional={"subject"}),
        },
    }
    takes = {
        "string": {"type": "string", "minLength": 1},
        "list of strings": _STRINGS,
        "boolean": {"type": "boolean"},
        "true or list of strings": {"anyOf": [{"type": "boolean"}, _STRINGS]},
    }
    more = {"python": {"pattern": f"^{reading.PYTHON_VERSION.pattern}$"}}
    described = _complete(_SETTINGS, [*settings._PLAIN, *settings._TABLES])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "slugcheck.toml",
        "type": "object",
        "properties": {
            name: {"description": _LINKED.sub(r"\1", about)}
            | (tables.get(name) or takes[kind])
            | more.get(name, {})
            for name, (kind, about) in described.items()
        },
        "additionalProperties": False,
    }


def _object(
    described: Mapping[str, str], more: Mapping[str, Any], *, optional: set[str]
) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            key: {"description": about, "type": "string", **more.get(key, {})}
            for key, about in described.items()
        },
        "required": [key for key in described if key not in optional],
        "additionalProperties": False,
    }


_LINKED = re.compile(r"\[([^]]*)\]\([^)]*\)")
_STRINGS = {"type": "array", "items": {"type": "string", "minLength": 1}}
_LIMIT = {"type": ["string", "number"]}
_BUDGET = {
    "anyOf": [
        _LIMIT,
        _object(
            _BUDGET_KEYS, {"limit": _LIMIT, "on": {"enum": limits._ON}}, optional={"message", "on"}
        ),
    ]
}


def _rows_of(title: str, described: Mapping[str, str], names: Iterable[str]) -> str:
    return _table((title, "meaning"), ((f"`{name}`", described[name]) for name in names))


def _complete(described: Mapping[str, T], names: Iterable[str]) -> Mapping[str, T]:
    """Return the descriptions; they have to be those of the names that the code takes."""
    if differing := set(described) ^ set(names):
        sys.exit(f"docs/generate.py describes other settings than the code: {sorted(differing)}")
    return described


# --------------------------------------------------------------------------- screens


def _screens(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(_SCREEN.sub(_again, text), encoding="utf-8")


def _again(match: re.Match[str]) -> str:
    environment = os.environ | {"COLUMNS": "80", "PYTHONUTF8": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = shlex.split(match[2])
    subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, check=False
    )  # fills caches
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode > 1:
        print(f"failed, so its output stays: {match[2]}")
        return match[0]
    return f"{match[1]}{done.stdout.rstrip()}\n```\n"


def main() -> None:
    """Write the pages, and with ``--screens`` the marked output too."""
    for name, text in (pages() | schemas()).items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8")
    if "--screens" in sys.argv[1:]:
        for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
            _screens(path)


if __name__ == "__main__":
    main()

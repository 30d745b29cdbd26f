"""What ``slugcheck platforms`` shows: an overview, and one platform with every source. Pure.

A platform may come from a user's own file, so its texts are shown as they are and steer nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from slugcheck.model import (
    BundleKind,
    BundleRule,
    FunctionRule,
    GracePeriod,
    Invocation,
    Limit,
    Platform,
    PythonRelease,
    RetiredStack,
    Severity,
    Source,
    Stack,
    Tier,
    TierWhen,
)
from slugcheck.model.platform import arch_name
from slugcheck.render.view import (
    Block,
    Column,
    Kind,
    Line,
    Paragraph,
    Row,
    Section,
    Span,
    Stacked,
    Style,
    Table,
    View,
    line,
)
from slugcheck.text import MIB, listed, mb, plural

_MEANING = {
    Severity.FAIL: "the check fails above it",
    Severity.WARN: "reported above it, does not fail the check",
    Severity.NOTE: "more is rejected",
}


# What a platform counts, in a word or two.
COUNTED = {
    BundleKind.GZIP_TAR: "compressed slug",
    BundleKind.ZIP: "zipped files",
    BundleKind.UNZIPPED: "unzipped files",
    BundleKind.SITE_PACKAGES: "counted files",
    BundleKind.IMAGE: "image on disk",
}
# Figures that only a running app shows: a rehearsal measures them.
RUNNING = ("boot", "ram")
FIRST_HAND = (
    "Sources are the platform's own words or code, or measured, where they do not say "
    "otherwise: second-hand, assumed, common knowledge, not verified."
)
_WIDE = 110  # characters from which the overview has room for titles


def view(platforms: Sequence[Platform], *, detailed: bool = False) -> View:
    """Return a line for each platform; with ``detailed`` all that is known of each."""
    if not detailed:
        return View(tuple(_overview(platforms)))
    sections = [section for platform in platforms for section in _sections(platform)]
    return View((*sections, _section("", Paragraph((line(FIRST_HAND, Style.DIM),)))))


def size_limit(platform: Platform) -> str:
    """Return what limits the size in a few words: "500M, cap 1000M", "2 GiB advised", "none known".

    A limit that the platform itself does not state has an asterisk.
    """
    about = [limit for limit in platform.limits if limit.figure == platform.size_figure]
    firm = [
        f"{limit.text}{_mark(limit)}{_plan(limit)}"
        for limit in about
        if limit.severity is Severity.FAIL
    ]
    own = [f"cap {limit.text}{_mark(limit)}" for limit in about if limit.severity is Severity.NOTE]
    advised = [f"{limit.text} advised{_mark(limit)}" for limit in about[:1]]
    return ", ".join([*firm[:1], *own[:1]] or advised) or "none known"


def _mark(limit: Limit) -> str:
    return "*" if limit.source.second_hand else ""


def _plan(limit: Limit) -> str:
    return f" ({', '.join(limit.dynos)})" if limit.dynos else ""


def _overview(platforms: Sequence[Platform]) -> Iterator[Section]:
    columns = (
        Column(head="name", kind=Kind.STATE),
        Column(head="platform", wide_only=_WIDE),
        Column(head="size limit"),
        Column(head="of"),
        Column(head="memory", kind=Kind.FIGURE, wide_only=_WIDE),
        Column(head="Python", kind=Kind.FIGURE),
    )
    limits = [size_limit(platform) for platform in platforms]
    rows = (
        Row(
            cells=(
                line(platform.name, Style.ACCENT),
                line(platform.title),
                line(limit),
                line(COUNTED[platform.bundle.kind]),
                line(_memory(platform)),
                line(platform.default_python),
            )
        )
        for platform, limit in zip(platforms, limits, strict=True)
    )
    yield _section("", Table(columns=columns, rows=tuple(rows)))
    more = [line("slugcheck platforms NAME shows all limits, sources and choices of one")]
    if any(re.search(r"\dM\b", limit) for limit in limits):
        more.append(line("M is MiB (2^20 bytes)", Style.DIM))
    if any("*" in limit for limit in limits):
        more.append(line("* second-hand: the platform itself does not say it", Style.DIM))
    yield _section("", Paragraph(tuple(more)))


def _memory(platform: Platform) -> str:
    """Return the memory of the default machine size, "" where none is the default."""
    usual = [dyno for dyno in platform.dynos if dyno.name == platform.default_dyno]
    return f"{usual[0].ram_bytes // MIB:,} MiB" if usual else ""


def _section(heading: str, *blocks: Block) -> Section:
    return Section(heading=line(heading, Style.STRONG), blocks=blocks, rank=0)


def _sections(platform: Platform) -> Iterator[Section]:
    title = (Span(platform.name, Style.STRONG), Span(f" ({platform.title})"))
    yield _section("", Paragraph((title, line(platform.about, Style.DIM))))
    yield _section("counts", Paragraph(_counts(platform.bundle)))
    if platform.limits:
        yield _section("limits", _entries([_limit(limit) for limit in platform.limits]))
    else:
        yield _section("limits", Paragraph((line("none known"),)))
    if platform.tiers:
        yield _section("tiers", _entries([_tier(tier) for tier in platform.tiers]))
    if platform.function is not None:
        yield _section("project folders", Paragraph(_function(platform.function)))
    if platform.grace_period is not None:
        period = platform.grace_period
        yield _section("shutdown", Paragraph((line(shutdown(period)), _source(period.source))))
    if platform.invocation is not None:
        said, source = invocation(platform.invocation), platform.invocation.source
        yield _section("functions", Paragraph((line(said), _source(source))))
    stacks = {stack.name: _stack(stack, platform) for stack in platform.stacks}
    stacks |= {stack.name: _retired(stack) for stack in platform.retired_stacks}
    sources = [stack.source for stack in platform.stacks]
    sources += [stack.source for stack in platform.retired_stacks]
    yield _section("stacks", *_choices(stacks, sources))
    releases = {release.minor: _python(release, platform) for release in platform.pythons}
    sources = [release.source for release in platform.pythons]
    parts = {_source(part.source): None for release in platform.pythons for part in release.parts}
    sizes = (Paragraph((line("sizes:"), *parts)),) if parts else ()
    yield _section("Pythons", *_choices(releases, sources), *sizes)
    if platform.dynos:
        used = dict.fromkeys(_source(dyno.source) for dyno in platform.dynos)
        yield _section("machine", _machines(platform), Paragraph(tuple(used)))


def _source(source: Source) -> Line:
    second_hand = "; second-hand" if source.second_hand else ""
    return line(f"{source.text} ({source.date}{second_hand})", Style.DIM)


def _counts(rule: BundleRule) -> tuple[Line, ...]:
    lines = [line(rule.about)]
    if rule.stripped:
        lines.append(line(f"not counted: {', '.join(rule.stripped)}"))
    if rule.layers:
        lines.append(line(f"up to {rule.layers} layers (--layer)"))
    lines.append(_source(rule.source))
    if rule.provided:
        lines.append(line(f"in the runtime already: {', '.join(rule.provided)} (--provided)"))
        lines += [_source(rule.provided_source)] if rule.provided_source else []
    return tuple(lines)


# --------------------------------------------------------------------------- name, facts, source


def _entries(rows: Sequence[Row]) -> Table:
    return Table(columns=(Column(head="name", kind=Kind.STATE), Column()), rows=tuple(rows))


def _entry(name: str, lines: Sequence[str], *sources: Source) -> Row:
    facts = Stacked((*map(line, lines), *map(_source, sources)))
    return Row(cells=(line(name, Style.ACCENT), facts))


def _choices(rows: Mapping[str, Sequence[str]], sources: Sequence[Source]) -> Iterator[Block]:
    """Yield what to choose from; a source that all have stands once, below them."""
    common = len(rows) > 1 and len(set(sources)) == 1
    named = zip(rows.items(), sources, strict=True)
    yield _entries(
        [_entry(name, lines, *(() if common else (source,))) for (name, lines), source in named]
    )
    if common:
        yield Paragraph((_source(sources[0]),))


def _limit(limit: Limit) -> Row:
    exact = f"{limit.value:,} {'bytes' if limit.unit == 'bytes' else 's'}"
    value = limit.text if limit.text == exact else f"{limit.text} ({exact})"
    figure = "" if limit.name == limit.figure else f" of {limit.figure}"
    figure += f" since {limit.since}" if limit.since else ""
    figure += f" for {', '.join(limit.dynos)}" if limit.dynos else ""
    meaning = _MEANING[limit.severity]
    if limit.figure in RUNNING:
        meaning = "judged by what slugcheck rehearse measured"
    return _entry(limit.name, (f"{value}{figure}: {meaning}",), limit.source)


_WHEN = {
    TierWhen.NO_LOCK: "with a custom install command",
    TierWhen.LOCK: "by default",
    TierWhen.LARGE: "with large functions (VERCEL_SUPPORT_LARGE_FUNCTIONS=1)",
}


def when(tier: Tier) -> str:
    """Return in words when a tier applies."""
    return _WHEN[tier.when]


def _tier(tier: Tier) -> Row:
    value = f"{tier.text} ({tier.value:,} bytes) of bundle {when(tier)}: {tier.about}"
    tool = f"what installs the rest takes {mb(tier.tool_bytes)} MB of it" if tier.tool_bytes else ""
    return _entry(tier.name, tuple(filter(None, (value, tool))), tier.source)


def _function(rule: FunctionRule) -> tuple[Line, ...]:
    return (
        line(f"read: {rule.config} (installCommand, excludeFiles) and {rule.ignore_file}"),
        line(f"not uploaded: {', '.join(rule.ignored)}"),
        line(f"not in the function: {', '.join(rule.excluded)}"),
        _source(rule.source),
    )


def shutdown(period: GracePeriod) -> str:
    """Return how a platform ends a process."""
    return f"SIGTERM, then SIGKILL after {period.seconds} s"


def invocation(limits: Invocation) -> str:
    """Return what a platform allows a function, and the processor that comes with its memory."""
    return (
        f"an invocation times out after {limits.timeout_seconds} s by default and "
        f"{limits.most_timeout_seconds} s at most, and answers with at most "
        f"{limits.answer_bytes:,} bytes; /tmp has {limits.disk_bytes // MIB} MiB by default; "
        f"{limits.vcpu_bytes // MIB:,} MiB of memory come with one vCPU"
    )


def libc(stack: Stack) -> str:
    """Return a stack's C library: "glibc 2.39"."""
    return "Pyodide" if stack.is_pyodide else f"glibc {stack.glibc[0]}.{stack.glibc[1]}"


def _stack(stack: Stack, platform: Platform) -> Sequence[str]:
    default = ", the default" if stack.name == platform.default_stack else ""
    arches = listed([arch_name(arch) for arch in stack.arches])
    lines = [f"{libc(stack)}, {arches}, {stack.status}{default}"]
    if stack.missing_libraries:
        lines.append(f"without {', '.join(stack.missing_libraries)}")
    if (image := stack.build_image) is not None:
        tools = [package for package in image.packages if not package.endswith("-dev")]
        headers = plural(len(image.packages) - len(tools), "library", "libraries")
        lines.append(f"builds find {', '.join(tools)}, and the headers of {headers}")
    return lines


def _retired(stack: RetiredStack) -> Sequence[str]:
    return (f"retired: end-of-life since {stack.since}",)


def _python(release: PythonRelease, platform: Platform) -> Sequence[str]:
    default = ", the default" if release.minor == platform.default_python else ""
    parts = (
        f"{part.name}: {mb(part.installed_bytes)} MB, gzip {mb(part.slug_bytes)} MB "
        f"±{part.error_percent:g} %{f', {part.note}' if part.note else ''}"
        for part in release.parts
    )
    stack = f", on {release.stack}" if release.stack else ""
    first = f"{release.version}, {release.status}{default}{stack}"
    indexes = (f"wheels also from {url}" for url in release.indexes)
    return first, *indexes, *parts


# --------------------------------------------------------------------------- machines


def _machines(platform: Platform) -> Table:
    heads = ("memory, MiB", "killed at, MiB", "workers", "$/month")
    columns = (
        Column(head="name", kind=Kind.STATE),
        *(Column(head=head, kind=Kind.FIGURE) for head in heads),
    )
    rows = []
    for dyno in platform.dynos:
        default = " (default)" if dyno.name == platform.default_dyno else ""
        price = "" if dyno.usd_per_month is None else f"{dyno.usd_per_month:g}"
        sizes = (line(f"{size // MIB:,}") for size in (dyno.ram_bytes, dyno.r15_bytes))
        name = line(f"{dyno.name}{default}", Style.ACCENT)
        rows.append(Row(cells=(name, *sizes, line(str(dyno.workers)), line(price))))
    return Table(columns=columns, rows=tuple(rows))

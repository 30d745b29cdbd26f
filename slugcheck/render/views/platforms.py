"""What ``slugcheck platforms`` shows: every limit with its source and date. Pure.

A platform may come from a user's own file, so its texts are shown as they are and steer nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slugcheck.model import (
    BundleRule,
    Limit,
    Platform,
    PythonRelease,
    RetiredStack,
    Severity,
    Source,
    Stack,
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
    Severity.WARN: "the platform warns above it",
    Severity.NOTE: "more is rejected",
}


def view(platforms: Sequence[Platform], *, detailed: bool = False) -> View:
    """Return the platforms' limits; with ``detailed`` also stacks, Pythons and machine sizes."""
    sections = [
        section for platform in platforms for section in _sections(platform, detailed=detailed)
    ]
    if not detailed:
        more = line("slugcheck platforms NAME shows stacks, Pythons and machine sizes")
        sections.append(_section("", Paragraph((more,))))
    return View(tuple(sections))


def _section(heading: str, *blocks: Block) -> Section:
    return Section(heading=line(heading, Style.STRONG), blocks=blocks, rank=0)


def _sections(platform: Platform, *, detailed: bool) -> Iterator[Section]:
    title = (Span(platform.name, Style.STRONG), Span(f" ({platform.title})"))
    yield _section("", Paragraph((title, line(platform.about, Style.DIM))))
    yield _section("limits", _entries([_limit(limit) for limit in platform.limits]))
    if not detailed:
        return
    yield _section("counts", Paragraph(_counts(platform.bundle)))
    stacks = [_stack(stack, platform) for stack in platform.stacks]
    stacks += [_retired(stack) for stack in platform.retired_stacks]
    yield _section("stacks", _entries(stacks))
    releases = [_python(release, platform) for release in platform.pythons]
    yield _section("Pythons", _entries(releases))
    if platform.dynos:
        sources = dict.fromkeys(_source(dyno.source) for dyno in platform.dynos)
        yield _section("machine", _machines(platform), Paragraph(tuple(sources)))


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


def _entry(name: str, lines: Sequence[str], source: Source) -> Row:
    facts = Stacked((*(line(text) for text in lines), _source(source)))
    return Row(cells=(line(name, Style.ACCENT), facts))


def _limit(limit: Limit) -> Row:
    exact = f"{limit.value:,} {'bytes' if limit.unit == 'bytes' else 's'}"
    value = limit.text if limit.text == exact else f"{limit.text} ({exact})"
    figure = "" if limit.name == limit.figure else f" of {limit.figure}"
    figure += f" since {limit.since}" if limit.since else ""
    meaning = "shown only: measuring it would mean running the app"
    if limit.figure not in ("boot", "ram"):
        meaning = _MEANING[limit.severity]
    if limit.severity is Severity.WARN and limit.figure != "slug":
        meaning = "reported above it, and no failure"
    return _entry(limit.name, (f"{value}{figure}: {meaning}",), limit.source)


def _stack(stack: Stack, platform: Platform) -> Row:
    default = ", the default" if stack.name == platform.default_stack else ""
    arches = listed([arch_name(arch) for arch in stack.arches])
    lines = [f"glibc {stack.glibc[0]}.{stack.glibc[1]}, {arches}, {stack.status}{default}"]
    if stack.missing_libraries:
        lines.append(f"without {', '.join(stack.missing_libraries)}")
    if (image := stack.build_image) is not None:
        tools = [package for package in image.packages if not package.endswith("-dev")]
        headers = plural(len(image.packages) - len(tools), "library", "libraries")
        lines.append(f"builds find {', '.join(tools)}, and the headers of {headers}")
    return _entry(stack.name, lines, stack.source)


def _retired(stack: RetiredStack) -> Row:
    return _entry(stack.name, (f"retired: end-of-life since {stack.since}",), stack.source)


def _python(release: PythonRelease, platform: Platform) -> Row:
    default = ", the default" if release.minor == platform.default_python else ""
    parts = (
        f"{part.name}: {mb(part.installed_bytes)} MB, gzip {mb(part.slug_bytes)} MB "
        f"±{part.error_percent:g} %{f', {part.note}' if part.note else ''}"
        for part in release.parts
    )
    stack = f", on {release.stack}" if release.stack else ""
    first = f"{release.version}, {release.status}{default}{stack}"
    return _entry(release.minor, (first, *parts), release.source)


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

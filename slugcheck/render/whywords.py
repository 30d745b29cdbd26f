"""What the renderings of ``slugcheck why`` say alike: rows and sentences, in their order.

Nothing here is escaped: each rendering makes text safe for its own place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slugcheck.model import DistributionSize, MeasuredSaving, Need, Origin, Remedy, Why
from slugcheck.render import figures
from slugcheck.render.words import listed, plural
from slugcheck.text import mb

_NAMED = 3
_MOST_ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRow:
    """One line of what the distribution takes with what it brings."""

    name: str
    version: str
    installed: str
    slug: str
    files: str
    remark: str
    total: bool = False


# --------------------------------------------------------------------------- the distribution


def by_slug(why: Why) -> bool:
    """Whether the platform's limit is about the slug."""
    return figures.counts_slug(why.report.sizes)


def packed(why: Why) -> str:
    """Return what the second column of sizes is called."""
    return "slug" if by_slug(why) else "gzipped"


def title(why: Why) -> tuple[str, str]:
    """Return the distribution with its version, and where it is."""
    version = why.size.distribution.version if why.size else ""
    if why.unsized is not None:
        version = why.unsized.version or ""
    extras = f"[{','.join(why.asked_extras)}]" if why.asked_extras else ""
    return f"{shown_name(why)}{extras} {version}".strip(), f"in {why.report.path}"


def shown_name(why: Why) -> str:
    """Return the name; one without a size may have one that is no name of a distribution."""
    return why.unsized.name if why.unsized is not None else why.name


def run_words(why: Why) -> tuple[str, ...]:
    """Return what was looked at, and what it took."""
    sizes = why.report.sizes
    direct = sum(1 for one in sizes.distributions if one.distribution.direct)
    tried = sum(1 for one in why.remedies if not is_untried(one))
    said = [f"{plural(len(sizes.distributions), 'distribution')}, {direct} direct"]
    if tried:
        said.append(f"{plural(tried, 'changed file')} resolved and sized")
    return (*said, f"{why.report.seconds:.1f} s")


def is_untried(one: Remedy) -> bool:
    """Whether a change was left out, and did not fail."""
    return not isinstance(one.outcome, MeasuredSaving) and not one.outcome.tried


def absence(why: Why) -> str:
    """Return that it is not installed, in words."""
    target = why.report.sizes.target
    return f"{why.name} is not installed on {target.platform.title} with Python {target.minor}"


# --------------------------------------------------------------------------- who asks


def need_by(need: Need) -> str:
    """Return who asks: a distribution with its extra and version, or a line of the file."""
    if not need.by:
        return str(need.origin) if need.origin else "the file"
    extra = f"[{need.extra}]" if need.extra else ""
    return f"{need.by}{extra} {need.version}".strip()


def place(origin: Origin, why: Why) -> str:
    """Return where a line is: ":3", with the file where it is an included one."""
    own = origin.file == why.report.path
    return f":{origin.line}" if own else str(origin)


def path(steps: Sequence[str], arrow: str) -> str:
    """Return a path; "the file itself" where it has no steps in between."""
    return f" {arrow} ".join(steps)


def more_paths(count: int) -> str:
    """Return how many paths are not shown."""
    return f"and {count:,} more as short" if count else ""


# --------------------------------------------------------------------------- what it brings


def size_rows(why: Why, *, everything: bool) -> Iterator[SizeRow]:
    """Yield the distribution, what goes with it, what stays for others, and the sum that goes."""
    if why.size is None or why.brings is None:
        return
    yield _size_row(why.size, "")
    alone = why.brings.exclusive
    shown = alone if everything or len(alone) <= _MOST_ROWS + 1 else alone[:_MOST_ROWS]
    yield from (_size_row(one, "needed for it alone") for one in shown)
    if rest := alone[len(shown) :]:
        yield _rest_row(rest, "needed for it alone")
    freed = why.brings.freed
    if alone:
        yield SizeRow(
            name="all that goes with it", version="", installed=mb(freed.installed_bytes),
            slug=mb(freed.slug_bytes), files="", remark=share(why), total=True,
        )  # fmt: skip
    if why.brings.shared:
        remark = "needed by others, too"
        few = everything or len(why.brings.shared) <= _NAMED
        if few:
            yield from (_size_row(one, remark) for one in why.brings.shared)
        else:
            yield _rest_row(why.brings.shared, remark)


def share(why: Why) -> str:
    """Return what goes with the distribution as a share of all that counts."""
    if why.brings is None:
        return ""
    sizes = why.report.sizes
    freed = why.brings.freed
    own = freed.slug_bytes if by_slug(why) else freed.installed_bytes
    whole = figures.counted(sizes).value
    what = "the slug" if by_slug(why) else "all that is installed"
    return f"{100 * own / whole:.1f} % of {what}" if whole else ""


def _size_row(one: DistributionSize, remark: str) -> SizeRow:
    return SizeRow(
        name=one.name,
        version=one.distribution.version,
        installed=mb(one.installed_bytes),
        slug=mb(one.slug.value),
        files=f"{one.files + one.bytecode_files:,}",
        remark=remark,
    )


def _rest_row(rest: Sequence[DistributionSize], remark: str) -> SizeRow:
    names = listed([one.name for one in rest], _NAMED)
    return SizeRow(
        name=names,
        version="",
        installed=mb(sum(one.installed_bytes for one in rest)),
        slug=mb(sum(one.slug.value for one in rest)),
        files=f"{sum(one.files + one.bytecode_files for one in rest):,}",
        remark=remark,
    )

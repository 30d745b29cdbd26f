"""Which other Python has wheels for what the target must build or cannot install."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from slugcheck.index.asked import Asked
from slugcheck.index.standin import StandIn
from slugcheck.index.uv import Failure, Uv
from slugcheck.model import Target
from slugcheck.running import temporary


def newest_with_wheels(
    uv: Uv,
    asked: Asked,
    *,
    target: Target,
    minors: Collection[str],
    stand_ins: Sequence[StandIn],
    excludes: Collection[str],
) -> str | None:
    """Return the newest of ``minors``, the target's apart, that installs all without a compiler.

    What has no wheel for any Python is left out of the question. One resolution for each Python,
    the newest first.

    :raises NetworkError: an index cannot be reached.
    """
    never = [n for n in built_natively(stand_ins) if not _has_wheels(n, stand_ins)]
    without = (*never, *excludes)
    with temporary.Folder() as folder:
        for stand_in in stand_ins:
            if not _is_native(stand_in):  # pure Python is built by any of them
                stand_in.write_stub(folder)
        for release in reversed(target.platform.pythons):
            if release.minor not in minors or release.minor == target.minor:
                continue
            answer = uv.for_python(release).compile(
                asked.lines(without=without),
                constraints=asked.constraints(),
                excludes=without,
                find_links=(folder,),
            )
            if not isinstance(answer, Failure):
                return release.minor
    return None


def built_natively(stand_ins: Iterable[StandIn]) -> tuple[str, ...]:
    """Return the names that need a compiler."""
    return tuple(dict.fromkeys(made.name for made in stand_ins if _is_native(made)))


def any_has_wheels(stand_ins: Sequence[StandIn]) -> bool:
    """Return whether something that needs a compiler here has a wheel for another Python."""
    return any(_has_wheels(name, stand_ins) for name in built_natively(stand_ins))


def _is_native(stand_in: StandIn) -> bool:
    return stand_in.source_build is not None and stand_in.source_build.native


def _has_wheels(name: str, stand_ins: Iterable[StandIn]) -> bool:
    builds = (made.source_build for made in stand_ins if made.name == name)
    return any(build is not None and build.newest_python_with_wheel for build in builds)

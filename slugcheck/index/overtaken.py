"""What pip would take where builds are allowed, and uv without builds passes over.

uv with builds disabled goes back to an older version where the newest has only a source archive,
and where one of its dependencies has. pip does neither. So after a resolution the versions that
nobody pins are held against the newest that is allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from slugcheck.index.resolve import Resolved, Resolver
from slugcheck.index.uv import Failure

if TYPE_CHECKING:
    from packaging.pylock import Pylock

_MOST_TRIED_ALONE = 4


class SettlingResolver(Resolver):
    """A resolver that looks again at what it has resolved."""

    def newer(self, resolved: Resolved) -> frozenset[str]:
        """Return the names that the file does not pin and of which something newer exists.

        What the distributions ask of each other is left out, so these are only candidates for
        ``overtaken``; that makes it possible to ask while the distributions are still being read.
        """
        found = _versions(resolved)
        names = [name for name in found if not self._asked.is_pinned(name)]
        if not names:
            return frozenset()
        answer = self._look_again(self._asked.loose_lines(names, {}))
        if isinstance(answer, Failure):
            return frozenset(names)
        newest: dict[str, str] = {p.name: str(p.version) for p in answer.packages}
        return frozenset(name for name in names if newest.get(name) != found[name])

    def overtaken(
        self,
        resolved: Resolved,
        names: Collection[str],
        requires: Mapping[str, Iterable[str]],
    ) -> Resolved | None:
        """Return a new resolution where pip would have chosen otherwise, else None.

        ``names`` are those that ``newer`` gave, ``requires`` the Requires-Dist lines of everything
        resolved.
        """
        answer = self._look_again(self._asked.loose_lines(names, requires))
        before = self._progress()
        if not isinstance(answer, Failure):
            self._stand_in_for_sources(answer)
            self._free(answer, _versions(resolved))
        return None if self._progress() == before else self._settled()

    def _free(self, answer: Pylock, found: Mapping[str, str]) -> None:
        """Make stand-ins for what alone keeps a newer version out: sources behind its wheel."""
        pins = [
            f"{package.name}=={package.version}"
            for package in answer.packages
            if found.get(package.name) != str(package.version)
        ]
        alone = [[pin] for pin in pins[:_MOST_TRIED_ALONE]] if len(pins) > 1 else []
        for tried in [pins, *alone] if pins else []:
            if self._is_freed(tried, found):
                return

    def _is_freed(self, pins: Sequence[str], found: Mapping[str, str]) -> bool:
        learnt = False
        while True:
            failure = self._uv.obstacle(
                self._asked.lines(without=self._excluded),
                prefer=found,
                constraints=(*self._asked.constraints(), *pins),
                excludes=self._excludes(),
                find_links=(self._folder,),
            )
            if failure is None or not self._mend(failure, only_sources=True):
                return learnt
            learnt = True

    def _look_again(self, lines: Sequence[str]) -> Pylock | Failure:
        """Ask about versions alone; the pages were read a moment ago, so first without network."""
        answer = self._compile(lines, direct_only=True, offline=True)
        return self._compile(lines, direct_only=True) if isinstance(answer, Failure) else answer


def _versions(resolved: Resolved) -> dict[str, str]:
    return {d.name: d.version for d in resolved.resolution.distributions}

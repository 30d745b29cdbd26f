"""The figures of distributions that one run has computed, for sizing nearly the same set again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slugcheck.model import Distribution, Inventory
    from slugcheck.sizer import Sized
    from slugcheck.sizing.installed import Layout


class SizeMemory:
    """Figures by inventory and layout. Thread-safe."""

    def __init__(self) -> None:
        """Know nothing yet."""
        # the inventory itself is kept: the number of one that is gone may be given to another
        self._known: dict[int, tuple[Inventory, Layout, Sized]] = {}

    def recall(
        self, distribution: Distribution, inventory: Inventory, layout: Layout
    ) -> Sized | None:
        """Return the figures of a distribution, None if they are not known."""
        kept, its_layout, sized = self._known.get(id(inventory), (None, None, None))
        if kept is not inventory or its_layout != layout or sized is None:
            return None
        own = sized.distribution
        same = own.name == distribution.name and own.source_build == distribution.source_build
        return sized if same and own.version == distribution.version else None

    def remember(self, sized: Sized, layout: Layout) -> None:
        """Keep figures."""
        self._known[id(sized.inventory)] = (sized.inventory, layout, sized)

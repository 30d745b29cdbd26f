"""The table of measured imports, ``footprints.json``.

``benchmarks/import_footprints.py`` writes that file, docs/memory.md says how it is measured. It is
read once, when first needed.

The table is a graph. A node stands for modules of one distribution that always load together, and
has what they take themselves. It leads to the nodes that they import, whether or not these can be
imported: a node counts only where its distribution is installed, and with it those that the node
needs. So optional imports count where there is something to import.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Collection, Iterable, Mapping
from importlib import resources

import msgspec

from slugcheck import reading
from slugcheck.errors import MeasureError

STANDARD_LIBRARY = 0  # the number of its distribution
_START_NODES = 2  # of a name, one after another, before those of its distribution
_FILE = "footprints.json"
_HINT = "reinstall slugcheck"
# Two threads that read values of a type for the first time at once end msgspec 0.22 with a
# segmentation fault.
_LOADING = threading.Lock()


class Errors(msgspec.Struct, frozen=True, kw_only=True):
    """Half widths of 90 % intervals, as shares of what they belong to.

    ``table`` is the doubt of a sum of measured imports, with ``added`` KiB besides. ``version`` is
    that of one distribution, by what of the version differs from the measured one: "patch",
    "minor" (for each step) and "major" (which is the most). ``python`` is that of the sum, by the
    target's minor version of Python; "" stands for any that is not listed. ``seconds`` is that of
    the CPU time.
    """

    table: float
    added: float
    version: Mapping[str, float]
    python: Mapping[str, float]
    seconds: float


class Python(msgspec.Struct, frozen=True, kw_only=True):
    """What another Python takes, against the one that the table was measured with.

    ``version`` is the measured one, ``interpreter`` what it takes itself, in the table's units.
    ``standard`` are factors on the anonymous and the file-backed memory of the standard library's
    modules, ``packages`` those on the memory of distributions.
    """

    version: str
    interpreter: tuple[int, int, int]
    standard: tuple[float, float]
    packages: tuple[float, float]


class Regression(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of a distribution that was not measured, from what its wheel says.

    Its own KiB are ``base + native * MB of shared libraries + source * MB of Python``; ``shared``
    is the file-backed share of what the libraries take. The truth lies between ``low`` and ``high``
    times that. Of what it requires ``required`` is taken for imported, a share of the memory; the
    truth lies between ``required_low`` and ``required_high``. ``seconds`` are CPU seconds per MiB.
    """

    base: float
    native: float
    source: float
    shared: float
    low: float
    high: float
    required: float
    required_low: float
    required_high: float
    seconds: float


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The data file. Memory is in KiB, CPU time in units of 10 microseconds.

    ``nodes`` are ``[distribution, anonymous, file-backed, CPU time, needs, imported nodes…]``: a
    distribution is a number in ``distributions``, and ``needs`` one in ``needs``.
    ``names`` are nodes by the first part of a module's name and the rest of it. ``mains`` are the
    nodes of what an app imports of each distribution. ``aliases`` are distributions that hold the
    same modules as a measured one. ``pythons`` are other Pythons, by minor version.
    """

    date: str
    python: str
    machine: str
    interpreter: tuple[int, int, int]
    distributions: tuple[tuple[str, str], ...]
    needs: tuple[tuple[int, ...], ...]
    nodes: tuple[tuple[int, ...], ...]
    names: Mapping[str, Mapping[str, int]]
    mains: Mapping[str, tuple[int, ...]]
    aliases: Mapping[str, str]
    pythons: Mapping[str, Python]
    errors: Errors
    regression: Regression

    def on(self, minor: str) -> Python:
        """Return what a Python takes, or the newest measured one below it; else the oldest.

        The table's own Python has factors of 1.
        """
        own = Python(
            version=self.python, interpreter=self.interpreter, standard=(1, 1), packages=(1, 1)
        )
        pythons = {self.minor: own, **self.pythons}
        return pythons[reading.nearest_minor(pythons, minor)]

    @property
    def minor(self) -> str:
        """The minor version of the Python that the table was measured with."""
        return self.python.rpartition(".")[0]

    def find(self, name: str) -> int | None:
        """Return the node of a dotted name, or of the longest part of it that is known."""
        top, _, rest = name.partition(".")
        below = self.names.get(top)
        if below is None:
            return None
        while rest and rest not in below:
            rest = rest.rpartition(".")[0]
        return below.get(rest)

    def owners(self, name: str, node: int) -> frozenset[int]:
        """Return the distributions of which one has to be installed for a name to load.

        ``node`` is what ``find`` returned. A name that is not the standard library's may start at a
        node that is: it takes nothing itself, and what it leads to decides.
        """
        if name.partition(".")[0] in sys.stdlib_module_names:
            return frozenset({self.nodes[node][0]})
        level = {node}
        for _ in range(_START_NODES + 1):
            if found := {self.nodes[number][0] for number in level} - {STANDARD_LIBRARY}:
                return frozenset(found)
            level = {target for number in level for target in self.nodes[number][5:]}
        return frozenset({STANDARD_LIBRARY})

    def reach(self, starts: Iterable[int], installed: Collection[int]) -> dict[int, int]:
        """Return the nodes that load, each with the one that led there first (itself: a start).

        ``installed`` are numbers of distributions. The search goes breadth first, so that a path
        back is a shortest one.
        """
        nodes, needs = self.nodes, self.needs
        there = [number in installed for number in range(len(self.distributions))]
        met = [all(there[number] for number in some) for some in needs]
        led: dict[int, int] = {}
        level = [(start, start) for start in starts]
        while level:
            following: list[tuple[int, int]] = []
            for number, came in level:
                if number in led:
                    continue
                node = nodes[number]
                if there[node[0]] and met[node[4]]:
                    led[number] = came
                    following += [(target, number) for target in node[5:]]
            level = following
        return led


def load() -> Table:
    """Return the table that this slugcheck ships with.

    :raises MeasureError: the file is missing or damaged.
    """
    with _LOADING:
        return _load()


@functools.cache
def _load() -> Table:
    try:
        content = resources.files("slugcheck.memory").joinpath(_FILE).read_bytes()
    except OSError as error:
        message = f"the table of measured imports cannot be read: {error.strerror or error}"
        raise MeasureError(message, hint=_HINT) from None
    return parse(content)


def parse(content: bytes) -> Table:
    """Return a table from the content of its file.

    :raises MeasureError: the content is damaged.
    """
    try:
        table = msgspec.json.decode(content, type=Table)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"the table of measured imports is damaged: {error}"
        raise MeasureError(message, hint=_HINT) from None
    return table

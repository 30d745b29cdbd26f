"""The least that a worker needs in memory: what its imports take, united over all of them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from slugcheck.memory import footprints
from slugcheck.memory.footprints import STANDARD_LIBRARY, Python, Table
from slugcheck.model import Entry, Estimate
from slugcheck.model.memory import MemoryPart, UnknownImport, WorkerFloor

_KIB = 1024
_TICKS = 100_000  # the table's unit of CPU time, in a second
_LONGEST_CHAIN = 50  # distributions that one says led to another
_TESTS = frozenset({"test", "tests", "testing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A resolved distribution, as far as its memory depends on it.

    ``name`` is canonical. ``requires`` are canonical names of the distributions that it requires
    on the target, its extras' included. ``entries`` are the files of its wheel; they are needed for
    a distribution that no one has measured, and empty where they are not known.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()


def floor(
    imports: Collection[str],
    installed: Collection[Installed],
    *,
    python: str = "3.11",
    table: Table | None = None,
    provider: Callable[[str], str | None] = lambda _: None,
) -> WorkerFloor:
    """Return what one worker needs once it has imported what it imports when it starts.

    ``imports`` are dotted names of modules, or of what is imported from one: ``flask``,
    ``sklearn.ensemble``, ``google.cloud.storage``, ``celery.Celery``; not the app's own modules.
    ``installed`` are all distributions of the resolution: a module that another one imports only if
    it is there counts only where its distribution is among them.
    ``python`` is the target's minor version. ``provider`` returns the canonical name of the
    distribution that holds a dotted module, None where none does; it is asked for what the table
    does not know.

    What imports take is united, not added up: a module that two of them load counts once. Memory
    that the app itself takes, and what libraries load when they are first used, is not in it.

    :raises MeasureError: the table of measured imports is missing or damaged.
    """
    table = footprints.load() if table is None else table
    numbers = {name: number for number, (name, _) in enumerate(table.distributions)}
    by_number: dict[int, Installed] = {}
    unmeasured: dict[str, Installed] = {}
    for distribution in installed:
        number = numbers.get(table.aliases.get(distribution.name, distribution.name))
        if number is None:
            unmeasured[distribution.name] = distribution
        else:
            by_number[number] = distribution
    starts = _Starts(table, numbers, by_number, unmeasured, provider)
    for name in imports:
        starts.add(name)
    there = {STANDARD_LIBRARY, *by_number}
    sure = table.reach(starts.nodes, there)
    led = table.reach([*starts.nodes, *starts.implied], there) if starts.implied else sure
    return _united(table, led, sure, starts, by_number, python)


# --------------------------------------------------------------------------- what is imported


class _Starts:
    """Where the search begins, and which distributions have to be estimated."""

    def __init__(
        self,
        table: Table,
        numbers: Mapping[str, int],
        by_number: Mapping[int, Installed],
        unmeasured: Mapping[str, Installed],
        provider: Callable[[str], str | None],
    ) -> None:
        self._table, self._numbers, self._provider = table, numbers, provider
        self._by_number, self._unmeasured = by_number, unmeasured
        self.nodes: dict[int, tuple[str, ...]] = {}  # each with the chain that led to it
        self.implied: dict[int, tuple[str, ...]] = {}  # what estimated distributions require
        self.estimated: dict[str, tuple[str, ...]] = {}
        self.unknown: list[UnknownImport] = []

    def add(self, name: str) -> None:
        """Take up a name that the app imports."""
        node = self._table.find(name)
        if node is not None:
            owners = self._table.owners(name, node)
            if STANDARD_LIBRARY in owners or not owners.isdisjoint(self._by_number):
                self.nodes.setdefault(node, (name,))
                return
        owned = self._unmeasured.get(self._provider(name) or "")
        if owned is not None:
            self.unknown.append(UnknownImport(name=name, distribution=owned.name))
            self._estimate(owned, (name,))
        elif name.partition(".")[0] not in sys.stdlib_module_names:
            self.unknown.append(UnknownImport(name=name, distribution=None))

    def _estimate(self, distribution: Installed, chain: tuple[str, ...]) -> None:
        """Take a distribution for imported, and what it requires as well."""
        waiting = [(distribution, chain)]
        while waiting:
            one, led = waiting.pop()
            if one.name in self.estimated:
                continue
            self.estimated[one.name] = led
            found: list[tuple[Installed, tuple[str, ...]]] = []
            for name in one.requires:
                further = (*led, name) if len(led) < _LONGEST_CHAIN else led
                number = self._numbers.get(self._table.aliases.get(name, name))
                if number is not None and number in self._by_number:
                    known = self._table.distributions[number][0]
                    for node in self._table.mains.get(known, ()):
                        self.implied.setdefault(node, further)
                elif name in self._unmeasured and name not in self.estimated:
                    found.append((self._unmeasured[name], further))
            waiting += reversed(found)

    @property
    def estimates(self) -> Iterable[tuple[Installed, tuple[str, ...]]]:
        """The distributions to estimate, with what led to them."""
        return ((self._unmeasured[name], chain) for name, chain in self.estimated.items())


# --------------------------------------------------------------------------- what it takes


@dataclass(slots=True)
class _Sum:
    """KiB and CPU time that the nodes of one distribution take, and the first that was reached.

    ``unsure`` is what only the requirements of estimated distributions lead to. Of that a share is
    in the other figures.
    """

    first: int
    anonymous: float = 0
    shared: float = 0
    ticks: float = 0
    unsure: float = 0

    @property
    def bytes(self) -> int:
        return round((self.anonymous + self.shared) * _KIB)


def _sums(
    table: Table, led: Mapping[int, int], sure: Collection[int], python: Python
) -> dict[int, _Sum]:
    sums: dict[int, _Sum] = {}
    for number in led:
        owner, kib, kib_shared, ticks = table.nodes[number][:4]
        factors = python.standard if owner == STANDARD_LIBRARY else python.packages
        anonymous, shared = kib * factors[0], kib_shared * factors[1]
        own = sums.get(owner)
        if own is None:
            own = sums[owner] = _Sum(number)
        share = 1.0
        if number not in sure:
            share = table.regression.required
            own.unsure += anonymous + shared
        own.anonymous += anonymous * share
        own.shared += shared * share
        own.ticks += ticks * share
    return sums


def _united(
    table: Table,
    led: Mapping[int, int],
    sure: Collection[int],
    starts: _Starts,
    by_number: Mapping[int, Installed],
    minor: str,
) -> WorkerFloor:
    python = table.on(minor)
    sums = _sums(table, led, sure, python)
    unsure = sum(own.unsure for own in sums.values())
    standard = sums.pop(STANDARD_LIBRARY, _Sum(0))
    parts = []
    for owner, own in sums.items():
        chain = _chain(table, led, starts, own.first)
        parts.append(_measured(table, owner, by_number[owner], own, chain))
    parts += [_estimated(table, one, chain) for one, chain in starts.estimates]
    parts.sort(key=lambda part: (-part.resident.value, part.name))
    interpreter = sum(python.interpreter[:2]) * _KIB
    anonymous = (python.interpreter[0] + round(standard.anonymous)) * _KIB
    anonymous += sum(part.anonymous_bytes for part in parts)
    seconds = (python.interpreter[2] + standard.ticks) / _TICKS
    seconds += sum(part.import_seconds for part in parts)
    doubts = [_doubt(table, by_number[owner], owner) * own.bytes for owner, own in sums.items()]
    resident = _total(table, interpreter + standard.bytes, parts, doubts, unsure * _KIB, minor)
    factor = 1 + table.errors.seconds
    return WorkerFloor(
        resident=resident,
        anonymous=_scaled(resident, anonymous),
        interpreter_bytes=interpreter,
        standard_library_bytes=standard.bytes,
        parts=tuple(parts),
        import_seconds=Estimate[float].predicted(seconds, seconds / factor, seconds * factor),
        unknown=tuple(starts.unknown),
        measured_on=table.date,
        measured_python=python.version,
    )


def _chain(table: Table, led: Mapping[int, int], starts: _Starts, node: int) -> tuple[str, ...]:
    """Return what led to a node: the name that the app imports, then distributions."""
    path = [node]
    while led[path[-1]] != path[-1]:
        path.append(led[path[-1]])
    owners = [table.nodes[step][0] for step in reversed(path)]
    names = [
        table.distributions[owner][0]
        for place, owner in enumerate(owners)
        if owner != STANDARD_LIBRARY and place and owner != owners[place - 1]
    ]
    start = path[-1]
    first = starts.nodes[start] if start in starts.nodes else starts.implied[start]
    return (*first, *names)


def _measured(
    table: Table, owner: int, distribution: Installed, own: _Sum, chain: tuple[str, ...]
) -> MemoryPart:
    doubt = _doubt(table, distribution, owner)
    model = table.regression
    fewer = (model.required - model.required_low) * own.unsure * _KIB
    more = (model.required_high - model.required) * own.unsure * _KIB
    low = (own.bytes - fewer) / (1 + doubt)
    high = (own.bytes + more) * (1 + doubt)
    return MemoryPart(
        name=distribution.name,
        version=distribution.version,
        resident=Estimate[int].predicted(own.bytes, max(0, math.floor(low)), math.ceil(high)),
        anonymous_bytes=round(own.anonymous * _KIB),
        import_seconds=own.ticks / _TICKS,
        measured_version=table.distributions[owner][1],
        chain=chain,
    )


def _doubt(table: Table, distribution: Installed, owner: int) -> float:
    """Return the error that another version than the measured one may make, as a share."""
    kind, steps = distance(distribution.version, table.distributions[owner][1])
    doubt = table.errors.version.get(kind, 0.0)
    return min(doubt * steps, table.errors.version["major"])


def distance(version: str, measured: str) -> tuple[str, int]:
    """Return what differs between two versions, and by how much where that is known.

    What differs is "major", "minor", "patch", or "" for nothing.
    """
    ours, theirs = (text.partition("+")[0].split(".") for text in (version, measured))
    if ours == theirs:
        return "", 0
    for place, kind in enumerate(("major", "minor")):
        one, other = ours[place : place + 1], theirs[place : place + 1]
        if one != other:
            known = all(digits[:1] and digits[0].isdecimal() for digits in (one, other))
            short = known and max(len(one[0]), len(other[0])) < 9
            return kind, abs(int(one[0]) - int(other[0])) if short else 99
    return "patch", 1


def file_bytes(entries: Iterable[Entry]) -> tuple[int, int]:
    """Return the bytes of a wheel's shared libraries and of its Python sources, without tests."""
    native = source = 0
    for entry in entries:
        if entry.path.endswith(".py"):
            if not _TESTS.intersection(entry.path.split("/")):
                source += entry.size
        elif entry.path.endswith(".so") or ".so." in entry.path.rpartition("/")[2]:
            native += entry.size
    return native, source


def _estimated(table: Table, distribution: Installed, chain: tuple[str, ...]) -> MemoryPart:
    """Return the estimate for a distribution that nobody measured, from its files."""
    native, source = file_bytes(distribution.entries)
    model = table.regression
    libraries = model.native * native / 1e6
    value = round((model.base + libraries + model.source * source / 1e6) * _KIB)
    return MemoryPart(
        name=distribution.name,
        version=distribution.version,
        resident=Estimate[int].predicted(
            value, math.floor(value * model.low), math.ceil(value * model.high)
        ),
        anonymous_bytes=value - round(model.shared * libraries * _KIB),
        import_seconds=model.seconds * value / 2**20,
        measured_version=None,
        chain=chain,
    )


def _total(
    table: Table,
    rest: int,
    parts: Collection[MemoryPart],
    doubts: Iterable[float],
    unsure: float,
    minor: str,
) -> Estimate[int]:
    """Return the sum of everything.

    Errors of estimates are independent, and add in quadrature. Those of other versions (``doubts``,
    in bytes) add up: packages grow over the years, so that old ones are all smaller. What is
    ``unsure``, in bytes, is so all together.
    """
    value = rest + sum(part.resident.value for part in parts)
    measured = rest + sum(part.resident.value for part in parts if part.measured)
    minors, model = table.errors.python, table.regression
    other = 0.0
    if minor != table.minor:
        other = minors.get(minor, minors.get("", 0.0))
    shared = table.errors.table * measured, table.errors.added * _KIB, other * value, sum(doubts)
    estimates = [part.resident for part in parts if not part.measured]
    low = math.hypot(
        *shared,
        *(estimate.value - estimate.low for estimate in estimates),
        (model.required - model.required_low) * unsure,
    )
    high = math.hypot(
        *shared,
        *(estimate.high - estimate.value for estimate in estimates),
        (model.required_high - model.required) * unsure,
    )
    return Estimate[int].predicted(value, max(0, math.floor(value - low)), math.ceil(value + high))


def _scaled(whole: Estimate[int], value: int) -> Estimate[int]:
    """Return a part of a figure with the same doubt, in proportion."""
    if not whole.value:
        return Estimate[int].predicted(value, value, value)
    share = value / whole.value
    return Estimate[int].predicted(
        value, math.floor(whole.low * share), math.ceil(whole.high * share)
    )

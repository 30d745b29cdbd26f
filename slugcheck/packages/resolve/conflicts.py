"""Finds which lines of a file conflict, and the fewest to loosen, by trying with uv.

uv's reason names the lines that its proof uses. They are tried alone, then without one after
another, until each is needed for the conflict (a deletion filter). Each line that is left is tried
with another version in the whole file; the first that resolves is loosened. All of this is bounded:
a file may have been written to take for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeGuard

from packaging.version import InvalidVersion, Version

from slugcheck import reading
from slugcheck.errors import NetworkError, ResolutionError
from slugcheck.model import Obstacle, Origin, Requirement, Target, Unsized
from slugcheck.packages.known import (
    BUILD_FAILURES,
    PYTORCH_INDEX,
    PYTORCH_LABEL,
    build_failures,
)
from slugcheck.packages.requirements.applicable import Requested, applies, resolver_line
from slugcheck.packages.resolve import reasons
from slugcheck.packages.resolve.reasons import PYTHON, Need
from slugcheck.packages.resolve.uv import Failure
from slugcheck.running.child import ChildError
from slugcheck.text import listed

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from slugcheck.packages.index.pages import Pages

# A run takes 0.1 to 0.4 s once uv has the metadata; nine real files needed 4 to 14 for a conflict.
MOST_RUNS = 25
MOST_SECONDS = 12.0
_AT_ONCE = 2
_MOST_TROUBLES = 40
_MOST_STARTS = 50  # lines of one conflict that a sentence is looked for
_SHOWN_LINES = 5
_SHOWN_VERSIONS = 5
_MOST_FIXES = 8
_FIRST_HINT = "--verbose shows the resolver's whole reason"


class Compile(Protocol):
    """Resolves some of the lines of a file and of its constraints."""

    def __call__(
        self, lines: Sequence[Requirement], constraints: Sequence[Requirement], seconds: float, /
    ) -> Pylock | Failure:
        """Return the resolution, or why there is none.

        :raises ChildError: it took longer than ``seconds``, or too much memory.
        """
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """A line that limits versions: a requirement, or a constraint of ``-c``."""

    requirement: Requirement
    constraint: bool = False

    @property
    def name(self) -> str:
        """The canonical name of the distribution."""
        return self.requirement.name

    @property
    def pin(self) -> str | None:
        """The one version that it allows, None if it allows several."""
        clauses = reading.specifiers(self.requirement.specifier)
        exact = [c.version for c in clauses if c.operator in ("==", "===")]
        return exact[0] if exact and reading.is_exact(clauses) else None

    @property
    def text(self) -> str:
        """The line as the resolver understands it."""
        return resolver_line(self.requirement)

    def with_specifier(self, specifier: str) -> Requirement:
        """Return the requirement with other versions; hashes are of the old ones."""
        return replace(self.requirement, specifier=specifier, hashes=(), url=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A line with what was resolved in its place; None where it was left out."""

    line: Line
    now: Requirement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that pip refuses, and the changes that get past it.

    ``fix`` are lines to paste; "" for those that the changes come to.
    """

    sentence: str
    changes: tuple[Change, ...]
    origin: Origin | None
    fix: str = ""
    left_out: tuple[str, ...] = ()  # names of what no line can be loosened for
    python: bool = False  # another Python would do

    def obstacle(self, versions: Mapping[str, str]) -> Obstacle:
        """Return it with the versions that came out, by name."""
        changes = [
            change
            for change in _from_first_to_last(self.changes)
            # else it was opened, and the same version came out
            if change.now is None or change.line.pin != versions.get(change.line.name, "")
        ]
        fix = self.fix
        if not fix and len(changes) <= _MOST_FIXES:
            lines = (_fix(change, versions, self.origin) for change in changes)
            fix = "\n".join(filter(None, lines))
        return Obstacle(
            sentence=self.sentence,
            fix=fix,
            instead=_instead(changes, self.left_out, versions),
            origin=self.origin,
        )


def _from_first_to_last(changes: Sequence[Change]) -> list[Change]:
    """Return one change for each line, where a line was changed again."""
    by_line = {change.line.requirement: change for change in changes}
    later = {change.now for change in changes}
    first = [change for change in changes if change.line.requirement not in later]
    ends = []
    for change in first:
        end = change
        for _ in changes:
            if end.now is None or end.now not in by_line:
                break
            end = by_line[end.now]
        ends.append(replace(change, now=end.now))
    return ends


def _fix(change: Change, versions: Mapping[str, str], shown: Origin | None) -> str:
    line, origin = change.line, change.line.requirement.origin
    version = versions.get(line.name)
    place = f"line {origin.line}" if shown and origin.file == shown.file else str(origin)
    if change.now is None:
        return f"# delete {place}: {_shown(line)}"
    if version is None:
        return ""
    marker = f" ; {line.requirement.marker}" if line.requirement.marker else ""
    pinned = Line(replace(line.requirement, specifier=f"=={version}"))
    return f"{pinned.text}{marker}  # {place}"


def _instead(
    changes: Sequence[Change], left_out: Sequence[str], versions: Mapping[str, str]
) -> str:
    parts = [f"without {listed(left_out)}"] if left_out else []
    if len(changes) > _SHOWN_LINES:
        parts.append(f"with {len(changes)} lines loosened")
        changes = ()
    for change in changes:
        name, line = change.line.name, change.line.requirement.origin.line
        version = versions.get(name)
        kind = "left out" if change.now is None else "loosened"
        parts.append(
            f"without {name}" if version is None else f"with {name} {version} (line {line} {kind})"
        )
    return f"sized {listed(parts, len(parts))}" if parts else ""


class PartialRuns:
    """Runs of uv on parts of a file, two at a time, until a bound is reached."""

    def __init__(
        self,
        compile_: Compile,
        learn: Callable[[Failure], bool],
        *,
        runs: int = MOST_RUNS,
        seconds: float = MOST_SECONDS,
    ) -> None:
        """Prepare; ``learn`` gives what has no wheel a stand-in, and says whether it could."""
        self._compile = compile_
        self._learn = learn
        self._runs = runs
        self._seconds = seconds
        self._late = False

    @property
    def exhausted(self) -> bool:
        """Whether a bound was reached, so that something was not tried."""
        return self._late or self._runs <= 0 or self._seconds <= 0

    def run(
        self, *choices: Sequence[Line], wheels_only: bool = False
    ) -> list[Pylock | Failure | None]:
        """Resolve each choice of lines; None for one that no answer was got of.

        With ``wheels_only`` nothing that has to be built is read for it.
        """
        before = time.monotonic()
        tried = choices[: max(0, self._runs)] if self._seconds > 0 else ()
        self._runs -= len(choices)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = list(pool.map(self._once, tried))
        if not wheels_only:  # one after the other, so that each run sees the same stand-ins
            pairs = zip(tried, answers, strict=True)
            answers = [self._with_stand_ins(lines, answer) for lines, answer in pairs]
        self._seconds -= time.monotonic() - before
        return [*answers, *[None] * (len(choices) - len(answers))]

    def _with_stand_ins(
        self, lines: Sequence[Line], answer: Pylock | Failure | None
    ) -> Pylock | Failure | None:
        while isinstance(answer, Failure) and answer.without_wheel and self._runs > 0:
            if not self._learn(answer):
                break
            self._runs -= 1
            answer = self._once(lines)
        return answer

    def _once(self, lines: Sequence[Line]) -> Pylock | Failure | None:
        requirements = [line.requirement for line in lines if not line.constraint]
        constraints = [line.requirement for line in lines if line.constraint]
        try:
            return self._compile(requirements, constraints, self._seconds)
        except ChildError:
            self._late = True
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Lines that conflict, with uv's reason; ``minimal``: none of them can be left out."""

    lines: tuple[Line, ...]
    failure: Failure
    minimal: bool


def core_of(lines: Sequence[Line], failure: Failure, trials: PartialRuns) -> Core:
    """Return a smallest set of the lines that has no solution; ``failure`` is of them all.

    Where lines contradict each other, a failure that is for want of a wheel proves nothing: pip
    would build from source.
    """
    wants_wheels = bool(failure.without_wheel)

    def fails(answer: Pylock | Failure | None) -> TypeGuard[Failure]:
        return isinstance(answer, Failure) and (wants_wheels or not answer.without_wheel)

    failing, reason = tuple(lines), failure
    needed: set[Line] = set()
    doubtful = False
    while True:
        named = _named(failing, reason)
        if named and len(named) < len(failing):
            (answer,) = trials.run(named)
            if fails(answer):
                failing, reason = named, answer
                continue
            if answer is None:  # what uv names is the next best
                return Core(lines=named, failure=reason, minimal=False)
        open_ = [line for line in reversed(failing) if line not in needed]
        if len(failing) == 1 or not open_:
            return Core(lines=failing, failure=reason, minimal=not doubtful)
        pair = open_[:_AT_ONCE]
        parts = [tuple(line for line in failing if line != left_out) for left_out in pair]
        for left_out, part, answer in zip(pair, parts, trials.run(*parts), strict=True):
            if fails(answer):
                failing, reason = part, answer
                break
            doubtful = doubtful or answer is None
            needed.add(left_out)


def _named(lines: Sequence[Line], failure: Failure) -> tuple[Line, ...]:
    names = reasons.names_in(failure.text)
    return tuple(line for line in lines if line.name in names)


# --------------------------------------------------------------------------- in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A conflict in one sentence. ``victims`` are the names that others put limits on."""

    sentence: str
    origin: Origin
    victims: frozenset[str]
    python: bool = False  # another Python would do


def explain(core: Core, target: Target) -> Explanation:
    """Return why the lines of a core conflict."""
    needs = reasons.needs_in(core.failure.text)
    targets = frozenset(need.target for need in needs)
    lines = core.lines[:_MOST_STARTS]
    met = _meeting(lines, needs, core.failure)
    ordered, clauses = _clauses(lines, needs, met)
    shown = [_placed(line, ordered[0]) + clause for line, clause in clauses]
    first, others = shown[0], shown[1:]
    if others:
        comma = "," if clauses[0][1] else ""
        sentence = f"{first}{comma} conflicts with {listed(others, _SHOWN_LINES)}"
    else:
        sentence = first.replace(", which needs", " needs", 1)
    if met == PYTHON:
        sentence += f"; the target has Python {target.minor} ({target.python_origin})"
    else:
        sentence += _shortage(met, core, target)
    if sentence == _placed(ordered[0], ordered[0]):  # nothing is known of its reason
        sentence += " cannot be installed: something that it requires has no version that fits"
    return Explanation(
        sentence=sentence,
        origin=ordered[0].requirement.origin,
        victims=targets,
        python=met == PYTHON or bool(core.failure.without_wheel),
    )


def _meeting(lines: Sequence[Line], needs: Sequence[Need], failure: Failure) -> str | None:
    """Return the name that the lines disagree about: one of theirs, or one they all need."""
    names = {line.name for line in lines}
    by_end = reasons.reached(names, needs)
    short = {*failure.without_wheel, *failure.unknown, *reasons.unavailable_in(failure.text)}
    short |= {name for name, _ in failure.missing_versions}
    several = len(lines) > 1

    def rank(name: str) -> tuple[bool, ...]:
        limited = name in names and len(by_end[name]) > 1
        return (name == PYTHON or limited or several, limited, name == PYTHON, name in short)

    ends = [name for name in by_end if by_end[name] == frozenset(names)]
    if not several:
        ends = [name for name in ends if name == PYTHON or name in short]
    if not ends:  # the most of them, then
        ends = [name for name in by_end if name in names and len(by_end[name]) > 1]
    # of names alike, the one that comes first in the reason
    return max(ends, key=lambda name: (rank(name), len(by_end[name])), default=None)


def _clauses(
    lines: Sequence[Line], needs: Sequence[Need], met: str | None
) -> tuple[list[Line], list[tuple[Line, str]]]:
    """Return the lines, the one that all disagree with first, and what each of them needs."""
    ordered = sorted(lines, key=lambda line: line.name != met)
    pins = [line.pin for line in ordered if line.name == met and line.pin]
    clauses = []
    for line in ordered:
        steps: tuple[Need, ...] | None = ()
        if met is not None and line.name != met:
            steps = reasons.chain(line.name, met, needs, pin=pins[0] if pins else None)
            steps = steps or reasons.chain(line.name, met, needs)
        clauses.append((line, reasons.shown_chain(steps or ())))
    return ordered, clauses


def _shortage(met: str | None, core: Core, target: Target) -> str:
    """Return what there is too little of on the index, where that is behind a conflict."""
    failure = core.failure
    if met is None:
        return ""
    if len(core.lines) == 1 and met == core.lines[0].name and met in failure.without_wheel:
        return f" has no wheel for Python {target.minor}"
    if met in failure.unknown:
        return f", and no index has {met}"
    missing = dict(failure.missing_versions)
    if met in missing:
        return f": there is no {met} {missing[met]}"
    if met in failure.without_wheel:
        return f"; {met} has no wheel for Python {target.minor} in those versions"
    if len(core.lines) == 1 and met in reasons.unavailable_in(failure.text):
        return f"; no index has such a version of {met}"
    return ""


def _placed(line: Line, first: Line) -> str:
    origin = line.requirement.origin
    if line == first:
        return f"{origin} {_shown(line)}"
    if origin.file == first.requirement.origin.file:
        return f"line {origin.line} {_shown(line)}"
    return f"{origin} {_shown(line)}"


def _shown(line: Line) -> str:
    if line.requirement.url is not None:
        return f"{line.name} {line.pin} (a URL)"
    return line.text


# --------------------------------------------------------------------------- getting past


@dataclass(slots=True)
class Diagnosis:
    """What was found wrong with a file so far, and how each was got past.

    ``whole`` are uv's reasons in full, for those who want to read them.
    """

    target: Target
    trials: PartialRuns
    pages: Callable[[], Pages]
    excluded: Callable[[], Collection[str]]
    learn: Callable[[Failure], bool]  # gets past what has no wheel, in the file
    fails: Callable[[str, str], bool]  # whether the build of a name's version is known to fail
    troubles: list[Trouble] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)
    _lines_are_there: bool = False
    _solution: Pylock | None = None
    _given_up: int | None = None  # the number of the trouble that opens all that is left

    def get_past(self, requested: Requested, failure: Failure) -> Requested | None:
        """Return what to resolve instead; None when there is nothing left to change.

        :raises NetworkError: an index cannot be reached.
        """
        if len(self.troubles) >= _MOST_TROUBLES:
            return None
        if failure.text not in self.whole:
            self.whole.append(failure.text)
        changes = self._absent(requested, failure)
        if changes:
            self._lines_are_there = False  # there may be more of them
        else:
            changes = self._conflict(requested, failure)
        return requested.replaced(_as_mapping(changes)) if changes else None

    def take_solution(self) -> Pylock | None:
        """Return the resolution of the last change, once, where it was tried in the whole file."""
        solution, self._solution = self._solution, None
        return solution

    def wants_lines(self, failure: Failure) -> bool:
        """Whether the lines have to be resolved by themselves, without what they need.

        That was done unless something was found to be absent since.
        """
        wanted = not self._lines_are_there and not _is_absent(failure)
        self._lines_are_there = wanted
        return wanted

    # ----------------------------------------------------------------- what is not there

    def _absent(self, requested: Requested, failure: Failure) -> tuple[Change, ...]:
        missing = dict(failure.missing_versions)
        lines = [
            line
            for line in self._lines(requested)
            if not line.constraint
            and (line.name in failure.unknown or line.pin == missing.get(line.name, "-"))
        ]
        local = [line for line in lines if "+" in (line.pin or "")]
        if local:
            every = [line for line in self._lines(requested) if "+" in (line.pin or "")]
            lacking = [line for line in every if line in local or not self._has(line)]
            return self._note(self._local(lacking))
        return self._note(*(self._missing(line) for line in lines))

    def _note(self, *troubles: Trouble) -> tuple[Change, ...]:
        self.troubles += troubles
        return tuple(change for trouble in troubles for change in trouble.changes)

    def _has(self, line: Line) -> bool:
        return reading.version(line.pin or "0") in self._known(line.name)

    def _unavailable(self, core: Core) -> Trouble | None:
        """Return the trouble for a range that no version on the index is in."""
        (line,) = core.lines
        needs = reasons.needs_in(core.failure.text)
        short = line.name in reasons.unavailable_in(core.failure.text)
        if not short or line.constraint or any(need.source == line.name for need in needs):
            return None
        return self._missing(line)

    def _missing(self, line: Line) -> Trouble:
        origin = line.requirement.origin
        known = self._versions(line.name)
        if not known:
            return Trouble(
                sentence=f"{origin} {line.text}: no index has it",
                changes=(Change(line=line, now=None),),
                origin=origin,
                fix="# check the spelling, or add your private index: --extra-index-url URL",
            )
        clauses = reading.specifiers(line.requirement.specifier)
        wanted = line.pin or min((clause.version for clause in clauses), default="")
        nearest = reasons.nearest(known, wanted)
        shown = ", ".join(str(v) for v in _around(known, wanted))
        now = line.with_specifier(f"=={nearest}") if nearest else None
        return Trouble(
            sentence=f"{origin} {line.text}: no such version; the nearest are {shown}",
            changes=(Change(line=line, now=now),),
            origin=origin,
        )

    def _versions(self, name: str) -> Sequence[Version]:
        """Return what pip could take, sorted.

        :raises NetworkError: the index asks for a password, which uv calls "not found", too.
        """
        return sorted({file.version for file in self.pages().files(name) if not file.yanked})

    def _known(self, name: str) -> Sequence[Version]:
        try:
            return self._versions(name)
        except NetworkError:
            return ()

    def _local(self, lines: Sequence[Line]) -> Trouble:
        changes = []
        for line in lines:
            public, _, label = (line.pin or "").partition("+")
            # the default index's own build is one for CUDA, which is not what +cpu asks for
            same = label != "cpu" and reading.version(public) in self._known(line.name)
            now = line.with_specifier(f"=={public}") if same else None
            changes.append(Change(line=line, now=now))
        return Trouble(
            sentence=missing_local_versions(lines),
            changes=tuple(changes),
            origin=lines[0].requirement.origin,
            fix=_local_fix(lines, self.target),
        )

    def without_cpu_builds(self) -> Iterator[Unsized]:
        """Yield what is left out wherever it is required: pins to a build for CPUs.

        The default index has builds for CUDA under their names, which is not what they ask for.
        """
        for trouble in self.troubles:
            for change in trouble.changes:
                if change.now is None and (change.line.pin or "").endswith("+cpu"):
                    yield Unsized(
                        name=change.line.name,
                        version=change.line.pin,
                        reason="none of the file's indexes has it",
                        origin=change.line.requirement.origin,
                    )

    # ----------------------------------------------------------------- line against line

    def _conflict(self, requested: Requested, failure: Failure) -> tuple[Change, ...]:
        lines = self._lines(requested)
        if self.trials.exhausted:
            return self._give_up(lines, failure)
        core = core_of(lines, failure, self.trials)
        alone = core.lines[0].name if len(core.lines) == 1 else None
        if alone in core.failure.without_wheel and self.learn(core.failure):
            return ()
        explanation = explain(core, self.target)
        direct = [line for line in core.lines if not line.constraint]
        if len(core.lines) == 1 and (trouble := self._unavailable(core)) is not None:
            return self._note(trouble)
        if len(direct) > 1 and len({line.name for line in core.lines}) == 1:
            changes = _all_but_newest(direct)
        else:
            change = self._loosened(lines, core, explanation)
            changes = (change,) if change is not None else ()
        before = self._already_loosened(core)
        if not changes and before is None:
            return self._give_up(lines, failure)
        changes = changes or (Change(line=core.lines[-1], now=None),)
        if before is not None:  # loosening one line was not enough
            trouble = self.troubles[before]
            self.troubles[before] = replace(trouble, changes=(*trouble.changes, *changes))
            return changes
        sentence = explanation.sentence
        if not core.minimal:
            sentence += "; not every line was tried"
        return self._note(
            Trouble(
                sentence=sentence,
                changes=changes,
                origin=explanation.origin,
                python=explanation.python,
            )
        )

    def _already_loosened(self, core: Core) -> int | None:
        """Return the number of the trouble whose change is part of a conflict."""
        now = {line.requirement for line in core.lines}
        for number, trouble in enumerate(self.troubles):
            if any(change.now in now for change in trouble.changes if change.now is not None):
                return number
        return None

    def _loosened(
        self, lines: Sequence[Line], core: Core, explanation: Explanation
    ) -> Change | None:
        """Return the change of one line with which the whole file resolves, or the best there is.

        What others need comes first: it is in the file for them. Then newer versions come before
        older ones.
        """
        ranked = sorted(
            (line for line in core.lines if self._is_limited(line)),
            key=lambda line: (
                line.requirement.url is not None,
                line.constraint,
                line.name not in explanation.victims,
            ),
        )
        second = None
        for line in ranked:
            options = [f">={line.pin}", ""] if line.pin and "+" not in line.pin else [""]
            changes = [Change(line=line, now=self._opened(line, option)) for option in options]
            parts = [_with(lines, change) for change in changes]
            answers = self.trials.run(*parts, wheels_only=True)
            for change, answer in zip(changes, answers, strict=True):
                if answer is None or isinstance(answer, Failure):
                    continue
                versions: dict[str, str] = {p.name: str(p.version) for p in answer.packages}
                if not self.fails(line.name, versions.get(line.name, "")):
                    self._solution = answer
                    return change
            last = answers[-1]
            # a failure that does not name the line is another conflict
            elsewhere = isinstance(last, Failure) and not _named([line], last)
            if second is None and elsewhere:
                second = changes[-1]
        if second is None and ranked:
            second = Change(line=ranked[0], now=self._opened(ranked[0]))
        return second

    def _opened(self, line: Line, specifier: str = "") -> Requirement:
        """Return a line with more versions, but for those that are known to fail."""
        failing = [f"!={version}" for version in self._failing(line.name)]
        return line.with_specifier(",".join(filter(None, [specifier, *failing])))

    def _is_limited(self, line: Line) -> bool:
        specifier = line.requirement.specifier
        if not specifier or line.name not in BUILD_FAILURES:
            return bool(specifier)
        return specifier != self._opened(line).specifier

    def _failing(self, name: str) -> Sequence[Version]:
        """Return the versions whose build fails, as far as no archive has to be read for that.

        Those with wheels are not among them: one may fit.
        """
        if name not in BUILD_FAILURES:
            return ()
        try:
            files = self.pages().files(name)
        except NetworkError:
            return ()
        minor = int(self.target.minor.partition(".")[2])
        wheels = {file.version for file in files if file.filename.endswith(".whl")}
        return sorted(
            version
            for version in {file.version for file in files} - wheels
            if any(first <= minor for first, _ in build_failures(name, version))
        )

    def _give_up(self, lines: Sequence[Line], failure: Failure) -> tuple[Change, ...]:
        """Open the versions of all lines that uv has named so far; the next time, of all.

        Where no line limits versions any more, leave one out.
        """
        limited = [line for line in lines if self._is_limited(line)]
        names = reasons.names_in("\n".join([*self.whole, failure.text]))
        named = [line for line in limited if line.name in names]
        opened = named if named and self._given_up is None else limited
        changes = tuple(Change(line=line, now=self._opened(line)) for line in opened)
        if not opened:
            opened = [*_named([line for line in lines if not line.constraint], failure)]
            changes = tuple(Change(line=line, now=None) for line in opened[-1:])
        if not changes:
            return ()
        if self._given_up is not None:
            before = self.troubles[self._given_up]
            self.troubles[self._given_up] = replace(before, changes=(*before.changes, *changes))
            return changes
        core = Core(lines=_named(limited, failure) or tuple(opened), failure=failure, minimal=False)
        explanation = explain(core, self.target)
        sentence = f"{explanation.sentence}; there may be more, not every line was tried"
        if len(core.lines) > _SHOWN_LINES:
            sentence = (
                f"{explanation.origin.file}: {len(core.lines)} lines conflict in ways that were "
                "not taken apart"
            )
        self._given_up = len(self.troubles)
        return self._note(
            Trouble(
                sentence=sentence,
                changes=changes,
                origin=explanation.origin,
                python=explanation.python,
            )
        )

    def _lines(self, requested: Requested) -> list[Line]:
        without = set(self.excluded())
        direct = [
            Line(requirement)
            for name, requirements in requested.direct.items()
            if name not in without
            for requirement in requirements
        ]
        return direct + [
            Line(requirement, constraint=True)
            for requirement in requested.requirements.constraints
            if requirement.name
            and requirement.specifier
            and applies(requirement.marker, requested.environment)
        ]

    # ----------------------------------------------------------------- results

    def error(self, requested: Requested, failure: Failure) -> ResolutionError:
        """Return the error for a file of which nothing can be sized, in one sentence."""
        if not self.troubles:
            return unsolvable(failure, self._lines(requested), self.target)
        return refusal([trouble.obstacle({}) for trouble in self.troubles], self.whole)


def refusal(obstacles: Sequence[Obstacle], whole: Sequence[str]) -> ResolutionError:
    """Return the error for what pip refuses; ``whole`` are the resolver's reasons."""
    first, more = obstacles[0], len(obstacles) - 1
    return ResolutionError(
        f"{first.sentence}; and {more} more" if more else first.sentence,
        hint="; ".join(line.removeprefix("# ") for line in first.fix.splitlines()) or _FIRST_HINT,
        detail="\n".join(whole),
    )


def unsolvable(failure: Failure, lines: Sequence[Line], target: Target) -> ResolutionError:
    """Return the error of a failure as it is, without trying anything."""
    named = _named(lines, failure)
    if not named:
        message, hint = "the requirements have no solution", _FIRST_HINT
    else:
        core = Core(lines=named, failure=failure, minimal=False)
        message, hint = explain(core, target).sentence, _hint(named)
    return ResolutionError(message, hint=hint, detail=failure.text)


def _hint(lines: Sequence[Line]) -> str:
    changeable = [line for line in lines if line.requirement.specifier]
    if not changeable:
        return _FIRST_HINT
    shown = [f"{_shown(line)} ({line.requirement.origin})" for line in changeable]
    return f"change {'one of ' if len(shown) > 1 else ''}{listed(shown, _SHOWN_LINES)}"


def _is_absent(failure: Failure) -> bool:
    return bool(failure.unknown or failure.missing_versions)


def _with(lines: Sequence[Line], change: Change) -> list[Line]:
    now = change.now
    return [
        line if line != change.line or now is None else replace(line, requirement=now)
        for line in lines
    ]


def _as_mapping(changes: Iterable[Change]) -> dict[Requirement, Requirement | None]:
    return {change.line.requirement: change.now for change in changes}


def _all_but_newest(lines: Sequence[Line]) -> tuple[Change, ...]:
    """Return one name's lines left out but for the one with the newest version."""
    kept = max(lines, key=lambda line: reading.version(line.pin or "0"))
    return tuple(Change(line=line, now=None) for line in lines if line != kept)


def _around(known: Sequence[Version], wanted: str) -> Sequence[Version]:
    try:
        below = sum(1 for version in known if version < reading.version(wanted))
    except InvalidVersion:
        return known[-_SHOWN_VERSIONS:]
    start = max(0, min(below - _SHOWN_VERSIONS // 2, len(known) - _SHOWN_VERSIONS))
    return known[start : start + _SHOWN_VERSIONS]


def missing_local_versions(lines: Sequence[Line]) -> str:
    """Return the sentence for local versions that no index in the file carries."""
    names = listed([f"{line.requirement.origin} {line.text}" for line in lines])
    return (
        f"none of the file's indexes has {names}: "
        "the default index has no local versions (those with a + in them)"
    )


def _local_fix(lines: Sequence[Line], target: Target) -> str:
    """Return the lines that bring local versions of PyTorch; elsewhere the index is unknown."""
    labels = {(line.pin or "").rpartition("+")[2] for line in lines}
    known = sorted(label for label in labels if PYTORCH_LABEL.match(label))
    if not known:
        return "--extra-index-url URL  # of the index that has it"
    label = "cpu" if "cpu" in known or not target.platform.gpu else known[0]
    index = f"--extra-index-url {PYTORCH_INDEX}/{label}"
    if known == [label]:
        return index
    pins = [line.text.rpartition("+")[0] + f"+{label}" for line in lines]
    return "\n".join([index, *pins])

"""What a report is compared with: a file, a folder, a saved report, or a git revision.

A revision's files are written to a temporary folder and read there by the same machinery: the work
tree is not touched. What cannot be measured is told as such, and never taken for nothing.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from slugcheck import compare, document, gates, saved
from slugcheck.check import Check
from slugcheck.credentials import shown_value
from slugcheck.errors import SlugcheckError, UsageError
from slugcheck.escape import printable
from slugcheck.model import Difference, Report, Rules
from slugcheck.options import Options
from slugcheck.project import revision
from slugcheck.project.revision import Revision
from slugcheck.saved import Document

_REPORT_HINT = "name a file, a folder, a saved report or a git revision such as origin/main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The base as a document, or why there is none; ``rules`` of a base that has its own."""

    document: Document | None
    problem: str | None = None
    notes: tuple[str, ...] = ()
    rules: Rules | None = None


class Base:
    """The base of one run, used as a context manager, which measures it meanwhile."""

    def __init__(self, options: Options, name: str) -> None:
        """Find what ``name`` stands for; nothing is measured yet.

        :raises UsageError: it is no file, no folder and no revision, or no report of slugcheck.
        """
        self.label = printable(shown_value(name))
        self._options = replace(options, verify=False)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._document: Document | None = None
        self._revision: Revision | None = None
        self._pool = ThreadPoolExecutor(1)
        self._found: Future[Measured] | None = None
        if not name.strip():  # such as an unset variable of a CI system
            raise UsageError("--against is empty", hint=_REPORT_HINT)
        path = Path(name)
        folder = options.path if options.is_folder else options.path.parent
        if path.is_file():
            self._of_file(path)
            return
        self._revision = revision.find(folder, name) if folder.is_dir() else None
        if self._revision is None and path.is_dir():
            self._options = replace(self._options, path=path)
        elif self._revision is None:
            raise self._unknown(name)

    def _of_file(self, path: Path) -> None:
        text = saved.text_of(path)
        if text is None:
            self._options = replace(self._options, path=path)
        else:
            self._document = saved.loads(text, self.label)

    def _unknown(self, name: str) -> UsageError:
        hint = _REPORT_HINT
        remote, slash, branch = name.partition("/")
        plain = shown_value(name) == name
        if slash and branch and plain and not name.startswith((".", "/")):
            hint = (
                f"fetch it first: git fetch {remote} {branch}; in a GitHub workflow, give "
                "actions/checkout fetch-depth: 0"
            )
        return UsageError(f"--against {self.label}: no such file and no such revision", hint=hint)

    def __enter__(self) -> Base:
        """Begin to measure, beside whatever the caller does."""
        self._found = self._pool.submit(self.measure)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._temporary is not None:
            self._temporary.cleanup()

    def compared(self, report: Report, rules: Rules) -> Report:
        """Return the report with its difference to the base, and what that adds judged."""
        assert self._found is not None, "used outside of its with"  # noqa: S101 - a caller's slip
        found = difference(report, rules, self, self._found.result())
        return gates.with_increase(report, rules, found)

    def measure(self) -> Measured:
        """Return the base measured; what stands in the way is a value with its reason."""
        if self._document is not None:
            return Measured(document=self._document)
        try:
            options, notes = self._prepared()
            with Check(options) as run:
                report = run.whole()
        except SlugcheckError as error:
            return Measured(document=None, problem=self._problem(error))
        own = run.rules if self._revision is not None else None
        return Measured(document=document.as_saved(report, self.label), notes=notes, rules=own)

    def _problem(self, error: SlugcheckError) -> str:
        """Say what stood in the way, with the base's own paths: the temporary ones tell nothing."""
        said = str(error)
        if self._temporary is not None:
            said = said.replace(f"{self._temporary.name}/", "").replace(self._temporary.name, ".")
        return f"{self.label} was not measured: {said}"

    def _prepared(self) -> tuple[Options, tuple[str, ...]]:
        found = self._revision
        if found is None:
            return self._options, ()
        self._temporary = tempfile.TemporaryDirectory(prefix="slugcheck-base-")
        place = Path(self._temporary.name)
        notes = revision.write(found, place)
        own = self._options
        inside = place / found.prefix
        path = inside if own.is_folder else inside / own.path.name
        if not path.exists():
            shown = printable(f"{found.prefix}{own.path.name}" if not own.is_folder else "it")
            raise UsageError(f"{shown} is not in {found.commit[:12]}")
        return replace(own, path=path, settings_top=place, config=self._config(place)), notes

    def _config(self, place: Path) -> Path | None:
        """Return the base's version of a settings file that was named, if it has one."""
        named, found = self._options.config, self._revision
        if named is None or found is None:
            return named
        try:
            inside = place / named.resolve().relative_to(found.top.resolve())
        except ValueError:
            return named
        return inside if inside.is_file() else named


def difference(report: Report, rules: Rules, base: Base, found: Measured) -> Difference:
    """Return what is between a report and its base."""
    if found.document is None:
        return Difference(
            label=base.label, base=None, changes=(), parts=(), installed_bytes=0, slug_bytes=0,
            problem=found.problem,
        )  # fmt: skip
    own = compare.difference(
        document.as_saved(report, "this report"), found.document, label=base.label
    )
    notes = (*own.notes, *found.notes, *_of_rules(rules, found.rules, base.label))
    return replace(own, notes=notes)


def _of_rules(own: Rules, base: Rules | None, label: str) -> tuple[str, ...]:
    """Say which budgets are not those of the base: a change may have loosened its own gate."""
    if base is None:
        return ()
    now, then = _judged(own), _judged(base)
    names = [n for n in sorted({*now, *then}) if now.get(n) != then.get(n)]
    if not names:
        return ()
    shown = ", ".join(
        f"{n} {now.get(n, 'not set')} (there {then.get(n, 'not set')})" for n in names
    )
    return (f"budgets are not those of {label}: {shown}",)


def _judged(rules: Rules) -> dict[str, str]:
    found = {limit.name: limit.text for limit in rules.limits}
    found |= {f"package.{limit.name}": limit.text for limit in rules.packages}
    if rules.increase is not None:
        found["increase"] = rules.increase.text
    if rules.package_increase is not None:
        found["package_increase"] = rules.package_increase.text
    if rules.denied:
        found["deny"] = ", ".join(sorted(f"{one.name}{one.specifier}" for one in rules.denied))
    if rules.ignores:
        found["ignore"] = ", ".join(sorted(one.code for one in rules.ignores))
    return found

"""The base of ``--against``: a file, a folder, a saved report or a git revision.

A revision's files are written to a temporary folder and checked there in the same way; the work
tree is not touched. A base that cannot be measured has a reason, and never counts as empty.

The settings of a revision decide, so that a change cannot loosen its own gate
(``policy.base_settings``). The settings of other bases are unknown: the change's own decide then,
and a note says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from slugcheck import reading
from slugcheck.check import SILENT, Check
from slugcheck.compare import difference as difference_of
from slugcheck.errors import MeasureError, SlugcheckError, UsageError
from slugcheck.model import Author, BundleKind, Difference, Obstacle, Report, Settings
from slugcheck.model.document.report import ReportDocument
from slugcheck.model.document.saved import content_of, loads, text_of
from slugcheck.model.options import Options
from slugcheck.model.to_document.report import report_document
from slugcheck.packages.shared import SharedPackages
from slugcheck.policy import base_settings, gates
from slugcheck.project import git
from slugcheck.project.git import Revision
from slugcheck.project.shared import SharedProject
from slugcheck.running import child, temporary
from slugcheck.sizing.slug_parts import BASE
from slugcheck.text import printable, shown_value

_REPORT_HINT = "name a file, a folder, a saved report or a git revision such as origin/main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The base's report, or the reason why it has none."""

    report: ReportDocument | None
    problem: str | None = None
    notes: tuple[str, ...] = ()


class Base:
    """The base of one run; as a context manager it is measured in the background."""

    def __init__(self, options: Options, name: str, packages: SharedPackages | None = None) -> None:
        """Find out what ``name`` is; nothing is measured yet.

        ``packages`` are those of a run for several targets.

        :raises UsageError: it is not a file, folder, revision or report of slugcheck.
        """
        self.label = printable(shown_value(name))
        self._given = options
        self._packages = packages
        self._settings: Settings | None = None
        self._options = replace(options, verify=False, audit=None, top=None)
        self._temporary: temporary.Folder | None = None
        self._report: ReportDocument | None = None
        self._revision: Revision | None = None
        self._pool = ThreadPoolExecutor(1)
        self._measurement: Future[Measured] | None = None
        if not name.strip():  # such as an unset variable of a CI system
            raise UsageError("--against is empty", hint=_REPORT_HINT)
        path = Path(name)
        folder = options.path if options.is_folder else options.path.parent
        child.distrust(options.path)
        # first, since a change may bring a file that is called origin/main
        self._revision = git.find(options.path, name, options.within)
        if self._revision is not None:
            self._refuse_the_changes_own(options)
            return
        if path.is_file() and (path.suffix or reading.dot_git(folder.resolve()) is None):
            self._of_file(path)
        elif path.is_dir():
            self._options = replace(self._options, path=path, text=None)
        else:
            raise self._unknown(name)

    def _refuse_the_changes_own(self, options: Options) -> None:
        """Refuse options that name files of the change: it would loosen its own gate with them."""
        platform = Path(options.platform or "")
        if platform.suffix == ".toml" and reading.belongs(platform, options.within):
            message = f"--platform {printable(str(platform))} is a file of the change itself"
            hint = 'with --against a revision, name it in the settings: platform = "FILE.toml"'
            raise UsageError(message, hint=hint)
        config = options.config
        if config is not None and reading.belongs(config, options.within):
            place = Path(os.path.abspath(config))  # noqa: PTH100 - resolve() would follow links
            while place.resolve().is_relative_to(options.within) and place != options.within:
                if place.is_symlink():
                    message = f"--config {printable(str(config))} leads through a link"
                    raise UsageError(message, hint="name the file that it leads to")
                place = place.parent

    @property
    def is_saved(self) -> bool:
        """Whether it is a saved report, and so for one target."""
        return self._report is not None

    def ruling(self) -> Settings | None:
        """Return the settings of a revision, which decide; None where the change's own do.

        :raises MeasureError: they cannot be read.
        """
        if self._revision is None or self._given.head_decides:
            return None
        self._settings = base_settings.of_revision(self._given, self._revision, self.label)
        return self._settings

    def _of_file(self, path: Path) -> None:
        text = text_of(path)
        if text is None:
            self._options = replace(self._options, path=path, text=None)
        else:
            self._report = loads(ReportDocument, text, self.label)

    def _unknown(self, name: str) -> UsageError:
        hint = _REPORT_HINT
        remote, slash, branch = name.partition("/")
        plain = shown_value(name) == name
        if slash and branch and plain and not name.startswith((".", "/")):
            hint = (
                f"fetch it first: git fetch {remote} {branch}; in a GitHub workflow, set "
                "fetch-depth: 0 for actions/checkout"
            )
        return UsageError(f"--against {self.label}: no such file or revision", hint=hint)

    def __enter__(self) -> Base:
        """Start to measure in the background."""
        self._measurement = self._pool.submit(self.measure)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._temporary is not None:
            self._temporary.close()

    def compared(self, report: Report, run: Check) -> Report:
        """Return the report with its difference from the base, judged."""
        assert self._measurement is not None, "used outside of its with"  # noqa: S101 - a caller's slip
        measured = self._measurement.result()
        base_difference = difference(report, self, measured)
        report = replace(
            report,
            notes=(
                *report.notes,
                *self._of_settings(run.settings),
                *self._of_rehearsal(run.rehearsal),
            ),
            obstacles=(*report.obstacles, *self._of_image(report, measured)),
        )
        return gates.with_increase(report, run.rules, base_difference)

    def _of_image(self, report: Report, measured: Measured) -> Iterator[Obstacle]:
        """Yield what is in the way where only the base's base image has a known size.

        Without the base image, what was over a limit would be far below it.
        """
        image = report.sizes.target.platform.bundle.kind is BundleKind.IMAGE
        judged = any(verdict.gates for verdict in report.verdicts)
        then = measured.report.parts if measured.report else ()
        counted = next((part for part in then if part.group == BASE), None)
        known = any(part.group == BASE for part in report.sizes.parts)
        if image and judged and counted and not known:
            yield Obstacle(
                sentence="the size of this change's base image is not known, and "
                f"{self.label} counts {counted.name}",
                fix="add --base-size SIZE",
                instead="sized without a base image",
                refused=False,
            )

    def _of_settings(self, own: Settings) -> tuple[str, ...]:
        """Return notes on how a change alters its base's settings, or that they are unknown."""
        if own.author is Author.USER:
            return ()
        if self._revision is not None and self._given.head_decides:
            try:
                theirs = base_settings.of_revision(self._given, self._revision, self.label)
            except MeasureError as error:
                return (str(error),)
            return base_settings.changes(theirs, own, self.label, decides=False) if theirs else ()
        if self._settings is not None:
            return base_settings.changes(self._settings, own, self.label, decides=True)
        if not (own.budgets or own.denied or own.ignores or own.allow_unsized or own.rehearsal):
            return ()
        return (
            f"using this change's own settings: {self.label} is not a revision, so the settings of "
            "the base are unknown (use --against origin/main)",
        )

    def _of_rehearsal(self, file: Path | None) -> Iterator[str]:
        """Yield a note where the change may have brought the rehearsal that it is judged by."""
        revision, within = self._revision, self._given.within
        if file is None or revision is None or not reading.belongs(file, within):
            return
        place, top = Path(file).resolve(), revision.top.resolve()
        inside = place.is_relative_to(top)
        then = git.content(revision, place.relative_to(top).as_posix()) if inside else None
        if then != content_of(file):
            shown = printable(str(file))
            yield f"RAM, boot and build are judged by {shown}, which differs in {self.label}"

    def measure(self) -> Measured:
        """Measure the base; an error becomes ``problem``."""
        if self._report is not None:
            return Measured(report=self._report)
        try:
            options, notes = self._prepared()
            with (
                SharedProject(self._packages) as shared,
                Check(options, advise=False, strict=True, shared=shared) as run,
            ):
                report = run.run(SILENT)
        except SlugcheckError as error:
            return Measured(report=None, problem=self._problem(error))
        obstacles = (self._with_own_paths(obstacle.text) for obstacle in report.obstacles)
        in_the_way = (f"{self.label} was not measured as it is: {text}" for text in obstacles)
        return Measured(report=report_document(report), notes=(*notes, *in_the_way))

    def _problem(self, error: SlugcheckError) -> str:
        return f"{self.label} was not measured: {self._with_own_paths(str(error))}"

    def _with_own_paths(self, text: str) -> str:
        """Return a text with the base's own paths in place of the temporary ones."""
        if self._temporary is None:
            return text
        place = str(self._temporary.path)
        return text.replace(f"{place}/", "").replace(place, ".")

    def _prepared(self) -> tuple[Options, tuple[str, ...]]:
        revision = self._revision
        if revision is None:
            return self._options, ()
        self._temporary = temporary.Folder()
        place = self._temporary.path.resolve()
        notes = git.write(revision, place)
        own = replace(self._options, named=self._given.path)
        inside = place / revision.prefix
        path = inside if own.is_folder else inside / own.path.name
        if not path.exists():
            name = "the folder" if own.is_folder else f"{revision.prefix}{own.path.name}"
            raise UsageError(f"{printable(name)} is not in {revision.commit[:12]}")
        config = self._config(place)
        # models that the base names are merged already
        return replace(own, path=path, top=place, config=config, remote_models=True), notes

    def _config(self, place: Path) -> Path | None:
        """Return the base's version of the settings file of ``--config``; the user's own stays."""
        named, revision = self._options.config, self._revision
        if named is None or revision is None or not reading.belongs(named, self._given.within):
            return named
        inside = reading.real(named, self._given.within).relative_to(revision.top.resolve())
        return place / inside if reading.is_file(place / inside, place) else None


def difference(report: Report, against: Base, measured: Measured) -> Difference:
    """Return the difference between a report and its base."""
    if measured.report is None:
        return Difference(
            label=against.label, base=None, changes=(), parts=(), installed_bytes=0, slug_bytes=0,
            bundle_bytes=0, problem=measured.problem,
        )  # fmt: skip
    own = difference_of(report_document(report), measured.report, label=against.label)
    return replace(own, notes=(*own.notes, *measured.notes))

"""Predicts what Vercel printed: public messages of builds that were too large for a function.

    python -m benchmarks.vercel_logs [CASE ...]

The cases are in vercel_logs.json. Each list of requirements is resolved as of its day and sized as
slugcheck sizes anything for Vercel; nothing is installed. The messages say MB and mean MiB. They
count the project's own files too, which are not here: ``app`` says what is known of them, and the
uv.lock that Vercel writes beside a requirements.txt adds up to half a MiB.

A case marked good or very good must be within 1 %. One marked fair has a reason why it need not be:
its versions, its day or its files are not known.

Needs the package index. Exit code 1 when a good case is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slugcheck
from slugcheck.model import Report

MIB = 2**20
_DATA = Path(__file__).parent / "vercel_logs.json"
_LIMIT = 1.0  # percent
_GOOD = ("very good", "good")
HEAD = "| case | day | as of | packages | printed, MiB | predicted | off | quality | app, remarks |"


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """One case and its bundle, in MiB, without the project's own files."""

    case: Mapping[str, Any]
    packages: int
    bundle_mib: float
    unsized: tuple[str, ...]

    @property
    def off(self) -> float:
        """Percent that the prediction is above what was printed."""
        printed = float(self.case["printed_mib"])
        return 100 * (self.bundle_mib - printed) / printed

    @property
    def is_good(self) -> bool:
        """Whether the case is certain enough to be held against."""
        return self.case["quality"] in _GOOD

    @property
    def holds(self) -> bool:
        """Whether a good case is within the limit, with every package sized."""
        return not self.is_good or (abs(self.off) <= _LIMIT and not self.unsized)


def predict(case: Mapping[str, Any]) -> Predicted:
    """Resolve and size the lines of one case."""
    return of_report(
        case,
        slugcheck.check(
            text="\n".join(case["requirements"]) + "\n",
            platform="vercel",
            python=case["python"],
            exclude_newer=case["as_of"],
        ),
    )


def of_report(case: Mapping[str, Any], report: Report) -> Predicted:
    """Return the prediction that a report of the case's lines holds."""
    return Predicted(
        case=case,
        packages=len(report.sizes.distributions),
        bundle_mib=report.sizes.bundle.value / MIB,
        unsized=tuple(unsized.name for unsized in report.sizes.unsized),
    )


def row(predicted: Predicted) -> str:
    """Return the line of a case in the table."""
    case = predicted.case
    remarks = [f"app: {case['app']}", case["remark"]]
    if predicted.unsized:
        remarks.append(f"without {', '.join(predicted.unsized)}")
    return (
        f"| {case['id']} | {case['day']} | {case['as_of']} | {predicted.packages} | "
        f"{case['printed_mib']:.2f} | {predicted.bundle_mib:.2f} | {predicted.off:+.2f} % | "
        f"{case['quality']} | {'; '.join(remarks)} |"
    )


def summary(cases: Sequence[Predicted]) -> str:
    """Say how many good cases are within the limit."""
    good = [case for case in cases if case.is_good]
    within = sum(case.holds for case in good)
    return f"- good and very good: {within} of {len(good)} within {_LIMIT:.0f} %"


def main() -> int:
    """Print the table; return 1 when a good case is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE")
    wanted = parser.parse_args().cases
    cases = json.loads(_DATA.read_text("utf-8"))["cases"]
    done = [predict(case) for case in cases if not wanted or case["id"] in wanted]
    print(f"{HEAD}\n|{'---|' * HEAD.count(' | ')}---|")
    print("\n".join(map(row, done)))
    print(f"\n{summary(done)}")
    return 0 if all(case.holds for case in done) else 1


if __name__ == "__main__":
    sys.exit(main())

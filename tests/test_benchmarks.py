"""The benchmarks' own arithmetic: nobody looks twice at a table that a script prints."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from benchmarks import heroku_logs, vercel_logs
from benchmarks.accuracy import RUNS, Leaver, shipped
from benchmarks.heroku_logs import Predicted, allowance, derived_mib, rows
from benchmarks.sets import SETS
from slugcheck.model import Estimate

LOGS = json.loads(Path(heroku_logs.__file__).with_suffix(".json").read_text("utf-8"))["cases"]


def log(name: str, printed: float, packages: float, **more: Any) -> Predicted:
    case = {
        "id": name, "python": "3.6", "group": "old", "installed": ["x==1"], "printed_mib": printed,
        "reinstalled_mib": printed, "app_code": "negligible", "exact_list": True, **more,
    }  # fmt: skip
    size = round(packages * 2**20)
    doubt = Estimate.predicted(size, round(0.98 * size), round(1.02 * size))
    return Predicted(case=case, packages_mib=packages, doubt=doubt, missing=(), from_source=())


def test_every_log_has_what_the_prediction_needs() -> None:
    assert len(LOGS) == 36
    assert len({case["id"] for case in LOGS}) == 36
    for case in LOGS:
        assert case["printed_mib"] > 20
        assert all("==" in pin for pin in case["installed"])


def test_an_allowance_is_the_mean_rest_of_the_group() -> None:
    ground = [log("a", 45.0, 2.0), log("b", 47.0, 2.0), log("c", 90.0, 2.0, group="other")]
    assert allowance(ground[0], ground) == pytest.approx(44.0)
    assert allowance(log("d", 1.0, 1.0, group="none"), ground) is None


def test_a_log_that_is_off_without_a_reason_is_missed() -> None:
    found = [log("a", 45.0, 2.0), log("b", 45.0, 2.0), log("c", 60.0, 2.0)]
    assert [row.missed for row in rows(found)] == [True, True, True]


@pytest.mark.parametrize(
    "last",
    [
        log("c", 65.0, 3.9, app_code="SIGNIFICANT: git push 20 MiB"),
        log("c", 65.0, 30.0, app_code="small", reinstalled_mib=73.0),
    ],
)
def test_app_code_and_a_reinstall_that_is_off_alike_explain_it(last: Predicted) -> None:
    found = [log("a", 45.0, 2.0), log("b", 45.0, 2.0), last]
    row = list(rows(found))[2]
    assert row.off is not None
    assert abs(row.off) > row.limit
    assert not row.missed


def test_todays_runtime_stands_on_no_log() -> None:
    assert derived_mib("3.13 (slim)") == pytest.approx(16.6, abs=0.1)
    assert derived_mib("3.6.3-3.6.15") is None


def test_a_set_is_left_out_of_what_predicts_it() -> None:
    data = shipped()
    name = next(name for name, versions in data["known"].items() if len(versions) > 1)
    version, *others = data["known"][name]
    leaver = Leaver(None)
    own = leaver.without({name: version}, every_version=False).known[name]
    assert sorted(one.version for one in own) == sorted(others)
    assert name not in leaver.without({name: version}, every_version=True).known
    assert leaver.seen({name: version, "no-such-thing": "1"}) == 1


def test_the_corpus_is_what_it_claims() -> None:
    assert {name for name, _ in RUNS} == set(SETS)
    assert len(SETS) >= 12
    assert {minor for _, minor in RUNS} == {"3.10", "3.11", "3.12", "3.13"}


# --------------------------------------------------------------------------- Vercel

MESSAGES = json.loads(Path(vercel_logs.__file__).with_suffix(".json").read_text("utf-8"))["cases"]


def message(quality: str, predicted: float, *unsized: str) -> vercel_logs.Predicted:
    case = {**MESSAGES[0], "printed_mib": 1000.0, "quality": quality}
    return vercel_logs.Predicted(case=case, packages=1, bundle_mib=predicted, unsized=unsized)


def test_every_message_has_what_the_prediction_needs_and_what_is_not_known() -> None:
    assert len(MESSAGES) == len({case["id"] for case in MESSAGES}) == 6
    for case in MESSAGES:
        assert f"({case['printed_mib']:.2f} MB)" in case["printed"]
        assert date.fromisoformat(case["as_of"]) < date.fromisoformat("2026-11-01")
        assert case["quality"] in ("very good", "good", "fair")
        assert case["app"]
        assert case["remark"]
        assert all(map(Requirement, case["requirements"]))


def test_a_good_message_must_be_within_one_percent_and_a_fair_one_need_not() -> None:
    assert message("good", 1010.0).holds
    assert message("very good", 990.0).holds
    assert not message("good", 1010.1).holds
    assert not message("very good", 989.0).holds
    assert not message("good", 1000.0, "torch").holds
    assert message("fair", 500.0).holds
    some = [message("good", 1000.0), message("good", 1100.0), message("fair", 1.0)]
    assert vercel_logs.summary(some) == "- good and very good: 1 of 2 within 1 %"
    assert "| 1000.00 | 500.00 | -50.00 % | fair |" in vercel_logs.row(message("fair", 500.0))

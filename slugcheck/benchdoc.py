"""The result of a bench run as JSON: versioned like a report's, keys sorted, all raw samples in it.

Bytes, seconds, and milliseconds or nanoseconds where a name says so.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from slugcheck.credentials import without_credentials
from slugcheck.model.bench import StackResult, Summary
from slugcheck.model.benchresult import BenchResult
from slugcheck.saved import SCHEMA

Json = dict[str, Any]


def dumps(found: BenchResult) -> str:
    """Return a result as JSON text."""
    return json.dumps(to_document(found), indent=2, sort_keys=True, allow_nan=False)


def to_document(found: BenchResult) -> Json:
    """Return a result as plain values."""
    return {
        "schema": SCHEMA,
        "kind": "bench",
        "tool": {"name": "slugcheck", "version": found.tool_version},
        "platform": found.platform,
        "dyno": found.dyno,
        "stacks": [_stack(one) for one in found.stacks],
        "agreement": _agreement(found),
        "ratio": asdict(found.ratio) if found.ratio else None,
        "contrasts": [asdict(one) for one in found.contrasts],
        "dynos": [
            {
                "names": list(one.names),
                "ram_bytes": one.dyno.ram_bytes,
                "killed_at_bytes": one.dyno.r15_bytes,
                "workers_started": one.dyno.workers,
                "fits": [asdict(fit) for fit in one.fits],
            }
            for one in found.dynos
        ],
        "boots": [asdict(one) for one in found.boots],
        "trials": [asdict(one) | {"emulated": one.emulated} for one in found.trials],
        "variants": [asdict(one) for one in found.variants],
        "findings": [asdict(one) for one in found.findings],
        "conclusion": asdict(found.conclusion),
        "host": asdict(found.host),
        "conditions": asdict(found.conditions),
        "notes": [without_credentials(note) for note in found.notes],
    }


def _agreement(found: BenchResult) -> Json | None:
    one = found.agreement
    if one is None:
        return None
    return {**asdict(one), "max_abs": _finite(one.max_abs), "max_rel": _finite(one.max_rel)} | {
        "outputs": [
            asdict(o) | {"absolute": _finite(o.absolute), "relative": _finite(o.relative)}
            for o in one.outputs
        ]
    }


def _finite(value: float | None) -> float | None:
    """JSON has no infinity, which is what NaN against a number comes to."""
    return None if value is None or value in (float("inf"), float("-inf")) else value


def _stack(one: StackResult) -> Json:
    return {
        **asdict(one.stack),
        "model": without_credentials(one.stack.model),
        "failure": without_credentials(one.failure) if one.failure else None,
        "doubts": list(one.doubts),
        "summary": _summary(one.summary) if one.summary else None,
        "samples": [asdict(sample) for sample in one.samples],
        "cold_starts": [asdict(start) for start in one.cold_starts],
    }


def _summary(one: Summary) -> Json:
    return {
        "rss_bytes": {stage: asdict(value) for stage, value in one.rss.items()},
        "anon_bytes": {stage: asdict(value) for stage, value in one.anon.items()},
        "pss_bytes": asdict(one.pss) if one.pss else None,
        "uss_bytes": asdict(one.uss) if one.uss else None,
        "import_seconds": asdict(one.import_seconds),
        "load_seconds": asdict(one.load_seconds),
        "first_seconds": asdict(one.first_seconds),
        "cold_start_seconds": asdict(one.cold_seconds) if one.cold_seconds else None,
        "cold_start_evicted_seconds": asdict(one.evicted_seconds) if one.evicted_seconds else None,
        "cpu_ms": asdict(one.cpu_ms),
        "latency": asdict(one.latency),
        "threads": one.threads,
    }

"""A comparison as JSON: versioned like a report's, keys sorted, sizes as int bytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from slugcheck.credentials import without_credentials
from slugcheck.model import Comparison, Migration, Setup
from slugcheck.saved import SCHEMA, Document

Json = dict[str, Any]


def dumps(found: Comparison, documents: tuple[Document, ...]) -> str:
    """Return a comparison as JSON text; ``documents`` are what it was made from."""
    return json.dumps(to_document(found, documents), indent=2, sort_keys=True, allow_nan=False)


def to_document(found: Comparison, documents: tuple[Document, ...]) -> Json:
    """Return a comparison as plain values."""
    labels = [setup.label for setup in found.stacks]
    return {
        "schema": SCHEMA,
        "tool": {"name": "slugcheck", "version": found.tool_version},
        "target": asdict(documents[0].target),
        "stacks": [
            _setup(setup, document) for setup, document in zip(found.stacks, documents, strict=True)
        ],
        "differences": [
            {
                "name": row.name,
                "versions": dict(zip(labels, row.versions, strict=True)),
                "installed_bytes": dict(zip(labels, row.installed_bytes, strict=True)),
                "slug_bytes": dict(zip(labels, row.slug_bytes, strict=True)),
            }
            for row in found.shared
        ],
        "migrations": [_migration(one) for one in found.migrations],
        "savings": asdict(found.savings) if found.savings else None,
        "recommendation": {
            "label": found.recommendation.label,
            "because": list(found.recommendation.because),
        },
        "footprints": {
            label: asdict(one) if one else None
            for label, one in zip(labels, found.footprints, strict=False)
        },
        "notes": [without_credentials(note) for note in found.notes],
    }


def _setup(setup: Setup, document: Document) -> Json:
    return {
        "label": setup.label,
        "path": setup.path,
        "totals": asdict(document.totals),
        "status": str(setup.status),
        "room_bytes": setup.room_bytes,
        "saved_installed_bytes": setup.saved_installed_bytes,
        "saved_slug_bytes": setup.saved_slug_bytes,
        "saved_percent": setup.saved_percent,
        "verdicts": [asdict(verdict) for verdict in document.verdicts],
        "models": [asdict(model) for model in document.models],
        "unsized": [asdict(one) for one in document.unsized],
    }


def _migration(one: Migration) -> Json:
    steps = None if one.steps is None else [
        {
            "kind": str(step.kind),
            "before": without_credentials(step.before),
            "after": without_credentials(step.after),
        }
        for step in one.steps
    ]  # fmt: skip
    return {"from": one.from_label, "to": one.to_label, "steps": steps}

"""Finds and sizes the distribution that could replace another one."""

from __future__ import annotations

from slugcheck import reading, sizer
from slugcheck.advice.findings import Equivalent
from slugcheck.errors import MeasureError
from slugcheck.model import Artifact, Distribution, Target
from slugcheck.packages.index.choice import Chooser
from slugcheck.packages.index.inventories import Inventories
from slugcheck.packages.index.pages import FileKind, Pages
from slugcheck.sizing.installed import layout_of


def find(
    name: str, version: str, *, target: Target, pages: Pages, chooser: Chooser, store: Inventories
) -> Equivalent | None:
    """Return one version of a distribution with its sizes on the target.

    None if it has no wheel for the target or cannot be read: the finding then has no saving.
    """
    try:
        file = chooser.best_for(name, pages.files(name), reading.version(version))
        if file is None or file.kind is not FileKind.WHEEL:
            return None
        artifact = Artifact(
            filename=file.filename, url=file.url, size=file.size, sha256=file.sha256
        )
        inventory = store.inventory(artifact)
    except MeasureError:
        return None
    distribution = Distribution(name=name, version=version, artifact=artifact, direct=True)
    sized = sizer.size_one(distribution, inventory, layout_of(target))
    return Equivalent(
        name=name,
        version=version,
        installed_bytes=sized.plain.value + sized.bytecode.value,
        slug_bytes=sized.slug.value,
    )

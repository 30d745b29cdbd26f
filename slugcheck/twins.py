"""Finds and sizes the distribution that could stand in for another, for the advice."""

from __future__ import annotations

from slugcheck import sizer, syntax
from slugcheck.advise import Twin
from slugcheck.errors import MeasureError
from slugcheck.index.choice import Chooser
from slugcheck.index.pages import FileKind, Pages
from slugcheck.index.warehouse import Warehouse
from slugcheck.installed import layout_of
from slugcheck.model import Artifact, Distribution, Target


def find(
    name: str, version: str, *, target: Target, pages: Pages, chooser: Chooser, stock: Warehouse
) -> Twin | None:
    """Return one version of a distribution with its sizes on the target.

    None when it has no wheel for the target, or cannot be read: the advice then goes without a
    figure.
    """
    try:
        file = chooser.best_for(name, pages.files(name), syntax.version(version))
        if file is None or file.kind is not FileKind.WHEEL:
            return None
        artifact = Artifact(
            filename=file.filename, url=file.url, size=file.size, sha256=file.sha256
        )
        inventory = stock.inventory(artifact)
    except MeasureError:
        return None
    twin = Distribution(name=name, version=version, artifact=artifact, direct=True)
    sized = sizer.size_one(twin, inventory, layout_of(target))
    return Twin(
        name=name,
        version=version,
        installed_bytes=sized.plain.value + sized.bytecode.value,
        slug_bytes=sized.slug.value,
    )

"""The sizes of model files: on disk, and in the slug."""

from __future__ import annotations

from slugcheck.model import ModelFile, ModelPlace
from slugcheck.models import compress
from slugcheck.models.find import Found, Local


def measure(found: Found, *, offline: bool = False) -> tuple[ModelFile, ...]:
    """Return every model file, measured.

    :raises MeasureError: one cannot be read, or a server does not give it.
    :raises UsageError: what reads from that kind of server is not installed.
    """
    models = [_local(one) for one in found.local]
    if found.remote:
        from slugcheck.models.remote import read

        for named in found.remote:
            models += read(named.text, offline=offline)
    return tuple(models)


def _local(one: Local) -> ModelFile:
    content = one.member.content if one.member is not None else None
    if content is not None:
        slug, method = compress.of_bytes(content)
    else:
        slug, method = compress.of_file(one.path, one.size)
    return ModelFile(
        path=one.shown,
        bytes=one.size,
        slug=slug,
        place=ModelPlace.APP if one.member is not None else ModelPlace.LOCAL,
        method=method,
    )

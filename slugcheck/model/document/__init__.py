"""Saved documents: the JSON of reports, matrices, comparisons, ``why`` and bench results.

One module for each kind, with a record for each object of the JSON that has the names of the JSON.
``model.to_document`` makes the documents, ``saved`` writes their text and reads it back with every
type checked, and ``compare`` works on them. ``docs/schemas`` has their JSON Schemas.

A field with a default may be missing from an older document. A new field needs a default; one
renamed or removed needs another ``SCHEMA``. Schema history:

1. the first.

Sizes are int bytes, seconds are float. Everything but ``transfer`` follows from the file, the
target, the index and slugcheck's version; a distribution's ``via`` says how its wheel was read,
which a cache changes. Artefacts are named by filename, never by URL.
"""

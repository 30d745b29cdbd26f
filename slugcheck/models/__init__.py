"""Model files: those among the app's files, those named with --model or in the settings.

find.py says which files they are, remote.py reads those on servers, compress.py measures what each
takes in the slug. Nothing is ever loaded or unpickled.
"""

from slugcheck.models.find import Found, Named, find, is_model
from slugcheck.models.measure import measure

__all__ = ["Found", "Named", "find", "is_model", "measure"]

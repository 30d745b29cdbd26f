"""The program: ``slugcheck``, and ``python -m slugcheck``. Importing it is starting it.

``-m`` puts the current folder on the import path, and a checkout may hold a ``click.py``: it is
taken off before anything is imported from there. What Python itself imports before this line cannot
be helped here; the ``slugcheck`` command and ``python -P -m slugcheck`` never have it.
"""

import _signal  # type: ignore[import-not-found]  # signal takes a millisecond
import os
import sys

# Until the handlers are there an interruption ends the process without a traceback.
if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

if __name__ == "__main__" and not getattr(sys.flags, "safe_path", False):
    try:
        _here = {"", os.getcwd()}  # noqa: PTH109 - pathlib is not imported yet
    except OSError:
        _here = {""}
    sys.path[:] = [place for place in sys.path if place not in _here]

from slugcheck.cli import main

if __name__ == "__main__":
    main()

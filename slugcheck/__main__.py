"""``python -m slugcheck``.

``-m`` puts the current folder on the import path, and a checkout may hold a ``click.py``: it is
taken off before anything is imported from there. What Python itself imports before this line cannot
be helped here; the ``slugcheck`` command and ``python -P -m slugcheck`` never have it.
"""

import sys

if __name__ == "__main__":
    import os  # Python has it already

    try:
        _here = {"", os.getcwd()}  # noqa: PTH109 - pathlib is not imported yet
    except OSError:
        _here = {""}
    if not getattr(sys.flags, "safe_path", False):
        sys.path[:] = [place for place in sys.path if place not in _here]

    from slugcheck.cli import main

    main()

"""What each package manager's installer writes of its own into an installed distribution.

Compared byte for byte with real installs of Flask and Gunicorn on Python 3.11 (2026-11-24): pip
26.3, uv 0.13.9, Poetry 2.4.1 and Pipenv 2026.7.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slugcheck.model import Manager


class Requested(StrEnum):
    """Which distributions get an (empty) file REQUESTED."""

    DIRECT = "direct"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """The habits of one installer.

    ``script`` is the text of a console script with {python}, {module}, {first} and {function};
    ``row_end`` ends each row of RECORD; ``bytecode_rows`` says whether RECORD lists bytecode.
    """

    name: str  # the content of the file INSTALLER
    script: str
    row_end: str
    bytecode_rows: bool
    requested: Requested
    interpreter: str = "python"  # its name in the first line of a script


# The script of each is in pip/_internal/operations/install/wheel.py, in uv-install-wheel's
# get_script and in installer/scripts.py.
_PIP = Installer(
    name="pip\n",
    script=(
        "#!{python}\nimport sys\nfrom {module} import {first}\nif __name__ == '__main__':\n"
        "    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit({function}())\n"
    ),
    row_end="\r\n",
    bytecode_rows=True,
    requested=Requested.DIRECT,
)
_UV = Installer(
    name="uv",
    script=(
        "#!{python}\n# -*- coding: utf-8 -*-\nimport sys\nfrom {module} import {first}\n"
        'if __name__ == "__main__":\n    if sys.argv[0].endswith("-script.pyw"):\n'
        "        sys.argv[0] = sys.argv[0][:-11]\n"
        '    elif sys.argv[0].endswith(".exe"):\n        sys.argv[0] = sys.argv[0][:-4]\n'
        "    sys.exit({function}())\n"
    ),
    row_end="\n",
    bytecode_rows=False,
    requested=Requested.ALL,
)
_POETRY = Installer(
    name="Poetry 2.4.1",
    script=(
        "#!{python}\n# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom {module} import {first}\n"
        'if __name__ == "__main__":\n'
        '    sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])\n'
        "    sys.exit({function}())\n"
    ),
    row_end="\n",
    bytecode_rows=False,
    requested=Requested.NONE,
)
_PIPENV = Installer(
    name=_PIP.name,
    script=_PIP.script,
    row_end=_PIP.row_end,
    bytecode_rows=True,
    requested=Requested.ALL,
    interpreter="python3",
)
_BY_MANAGER = {
    Manager.PIP: _PIP,
    Manager.UV: _UV,
    Manager.POETRY: _POETRY,
    Manager.PIPENV: _PIPENV,
}


def of(manager: Manager) -> Installer:
    """Return the habits of a package manager's installer."""
    return _BY_MANAGER[manager]

"""Print the bytecode size of every source in the wheels named on standard input, one per line.

Run by each interpreter that is calibrated for, 3.10 and newer, so only the standard library and
nothing of slugcheck is used. Sources are compiled in memory and never executed. A line of output is
``{"wheel": path, "sizes": {member: bytes or null}}``; the bytes are those of the ``.pyc`` file less
its source path, null stands for a source that does not compile.
"""

import json
import marshal
import sys
import warnings
import zipfile

_HEADER = 16
_PATH = "/p"


def bytecode_bytes(source: bytes) -> "int | None":
    """Return the size of the ``.pyc`` of a source, less its path; None if it does not compile."""
    try:
        code = compile(source, _PATH, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return _HEADER + len(marshal.dumps(code)) - len(_PATH)


def main() -> None:
    """Answer each line of standard input."""
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        path = line.rstrip("\n")
        with zipfile.ZipFile(path) as wheel:
            sources = [name for name in wheel.namelist() if name.endswith(".py")]
            sizes = {name: bytecode_bytes(wheel.read(name)) for name in sources}
        print(json.dumps({"wheel": path, "sizes": sizes}), flush=True)


if __name__ == "__main__":
    main()

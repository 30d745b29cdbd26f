"""The optional dependencies: what a command or an option needs beyond ``pip install slugcheck``."""

from __future__ import annotations

from importlib.util import find_spec

from slugcheck.errors import UsageError

# extra -> the modules that it installs, with the names of their distributions
_MODULES = {
    "audit": {"pip_audit": "pip-audit", "cvss": "cvss"},
    "bench": {"onnxruntime": "onnxruntime", "numpy": "numpy"},
    "plot": {"matplotlib": "matplotlib"},
    "rehearse": {"h11": "h11", "httpx": "httpx", "psutil": "psutil", "dotenv": "python-dotenv"},
    "remote": {"fsspec": "fsspec", "s3fs": "s3fs", "gcsfs": "gcsfs"},
}


def require(extra: str, feature: str, *modules: str) -> None:
    """Check that an extra is installed; importing nothing, it takes well under a millisecond.

    ``feature`` is what needs it, as the user wrote it: ``slugcheck bench``, ``--audit``. With
    ``modules`` only these of the extra's modules count.

    :raises UsageError: a module is missing; the message is the line that installs it.
    """
    distributions = _MODULES[extra]
    missing = [distributions[name] for name in modules or distributions if find_spec(name) is None]
    if missing:
        names = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
        raise UsageError(f"{feature} needs {names}: pip install 'slugcheck[{extra}]'")

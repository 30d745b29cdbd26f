"""slugcheck: does this app fit the place it is deployed to, and what to change if it does not.

The Python API::

    import slugcheck

    report = slugcheck.check("requirements.txt", platform="heroku", python="3.12")
    for verdict in report.verdicts:
        print(verdict.status, verdict.sentence)

Everything else is loaded at its first use: ``import slugcheck`` takes a millisecond or two.
"""

from __future__ import annotations

import sys
from types import ModuleType

from slugcheck.version import __version__

TYPE_CHECKING = False  # type checkers take it for true; importing typing takes longer than the rest
if TYPE_CHECKING:
    from slugcheck.api import check, check_targets, compare
    from slugcheck.errors import (
        BuildError,
        MeasureError,
        NetworkError,
        PlatformError,
        RequirementsError,
        ResolutionError,
        SlugcheckError,
        UsageError,
        WheelError,
    )
    from slugcheck.model import (
        Distribution,
        Estimate,
        Finding,
        FindingSeverity,
        Limit,
        Report,
        Severity,
        SizeReport,
        Status,
        Target,
        Unsized,
        Verdict,
    )
    from slugcheck.model.comparison import Comparison
    from slugcheck.model.matrix import Matrix, TargetResult

__all__ = [
    "BuildError",
    "Comparison",
    "Distribution",
    "Estimate",
    "Finding",
    "FindingSeverity",
    "Limit",
    "Matrix",
    "MeasureError",
    "NetworkError",
    "PlatformError",
    "Report",
    "RequirementsError",
    "ResolutionError",
    "Severity",
    "SizeReport",
    "SlugcheckError",
    "Status",
    "Target",
    "TargetResult",
    "Unsized",
    "UsageError",
    "Verdict",
    "WheelError",
    "__version__",
    "check",
    "check_targets",
    "compare",
]

_FUNCTIONS = frozenset({"check", "compare"})
_ELSEWHERE = {
    "check": "api",
    "check_targets": "api",
    "compare": "api",
    "Comparison": "model.comparison",
    "Matrix": "model.matrix",
    "TargetResult": "model.matrix",
}


if not TYPE_CHECKING:  # for type checkers a name is there or not

    def __getattr__(name: str) -> object:
        """Load a public name from its module."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module = _ELSEWHERE.get(name, "errors" if name.endswith("Error") else "model")
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """This package as a module whose functions keep their names.

    Importing a submodule sets it as an attribute of its package: the modules ``slugcheck.check``
    and ``slugcheck.compare`` would replace the functions.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _FUNCTIONS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

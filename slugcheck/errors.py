"""The errors slugcheck reports itself; each class owns its exit code and may carry a hint.

Exit codes: 0 every budget holds; 1 a budget is exceeded (never an error); 2 usage or
configuration; 3 could not measure; 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar


class SlugcheckError(Exception):
    """Base of all expected failures. ``hint`` says how to fix it, on a line of its own."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(SlugcheckError):
    """The command line, a settings file or the input file is wrong."""

    exit_code = 2


class RequirementsError(UsageError):
    """The requirements file cannot be read, or pip's grammar refuses a line of it."""


class PlatformError(UsageError):
    """A platform file, or a stack, Python or dyno that its platform does not have."""


class MeasureError(SlugcheckError):
    """Something stood in the way of measuring; exit 3."""


class BuildError(MeasureError):
    """The platform's build will fail on the project before anything is installed.

    ``instead`` says what is sized by a caller that goes on all the same, such as "sized with Python
    3.10"; "" if that changes nothing. Without ``refused`` the platform may take the project.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, instead: str = "", refused: bool = True
    ) -> None:
        super().__init__(message, hint=hint)
        self.instead = instead
        self.refused = refused


# What a function that can go on after a BuildError does with it.
Refuse = Callable[[BuildError], None]


def give_up(error: BuildError) -> None:
    """Raise it: the choice of a caller that does not go on."""
    raise error


class ResolutionError(MeasureError):
    """The resolver found no solution, or could not run. ``detail`` is its own reason, whole."""

    def __init__(self, message: str, *, hint: str | None = None, detail: str = "") -> None:
        super().__init__(message, hint=hint)
        self.detail = detail


class NetworkError(MeasureError):
    """A server could not be reached, refused, or answered with something unusable."""


class WheelError(MeasureError):
    """A wheel is not a readable ZIP archive, or its directory contradicts itself."""


class WrongHashError(ResolutionError):
    """None of the wheels that fit has a hash that the file allows."""

    def __init__(self, name: str, version: str) -> None:
        super().__init__(
            f"none of the hashes for {name} matches a file that fits the target",
            hint="add the hashes of all its files: uv pip compile --generate-hashes",
        )
        self.name = name
        self.version = version

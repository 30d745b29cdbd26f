"""The error for hashes in a requirements file that no suitable file has."""

from __future__ import annotations

from slugcheck.errors import ResolutionError


class WrongHashError(ResolutionError):
    """None of the wheels that fit has a hash that the file allows."""

    def __init__(self, name: str, version: str) -> None:
        super().__init__(
            f"none of the hashes for {name} matches a file that fits the target",
            hint="add the hashes of all its files: uv pip compile --generate-hashes",
        )
        self.name = name
        self.version = version

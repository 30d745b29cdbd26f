"""Running slugcheck's command line in-process, with its streams and exit code."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from slugcheck.cli import run
from tests.support.schemas import read


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON on stdout, as its schema describes it."""
        return read(self.out)()

    def one(self, name: str) -> Any:
        """The distribution of that name in a JSON report."""
        found = [d for d in self.document["distributions"] if d["name"] == name]
        assert len(found) == 1, f"{name}: {[d['name'] for d in self.document['distributions']]}"
        return found[0]


def slugcheck(*arguments: object) -> Done:
    """Run ``slugcheck ARGUMENTS``."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture
def requirements(tmp_path: Path) -> Any:
    """A function that writes a requirements file and returns its path."""

    def write(text: str | bytes, name: str = "requirements.txt") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write

"""Fixtures for all tests; they live with what they serve."""

import gc
import os
import sys

import pytest

from tests.support.caches import asked_interpreter, no_secrets_kept, private_caches
from tests.support.commands import requirements
from tests.support.server import package_server, plain_network

__all__ = [
    "asked_interpreter",
    "no_secrets_kept",
    "package_server",
    "plain_network",
    "private_caches",
    "requirements",
]


# Each of hundreds of processes would compile slugcheck anew, and each worker these tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Each file runs on one worker: the longest begin first, or one of them is left over in the end.
_LONGEST = (
    "test_bench_torch.py", "test_network.py", "test_parsers.py", "test_bench.py", "test_kits.py",
    "test_endings.py", "test_rehearse.py", "test_verify.py", "test_builds.py",
    "test_verify_build.py", "test_audit.py", "test_output.py", "test_models_remote.py",
    "test_matrix.py", "test_verify_network.py", "test_vercel.py", "test_whole.py", "test_why.py",
)  # fmt: skip
_PLACES = {name: place for place, name in enumerate(_LONGEST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _PLACES.get(item.path.name, len(_PLACES)))


def pytest_collection_finish() -> None:
    """Leave what importing and collecting made out of every later collection of garbage."""
    gc.collect()
    gc.freeze()

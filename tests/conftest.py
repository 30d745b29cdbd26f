"""Fixtures for all tests; they live with what they serve."""

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
    "test_bench_torch.py", "test_parsers.py", "test_network.py", "test_bench.py", "test_kits.py",
    "test_endings.py", "test_rehearse.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in _LONGEST)

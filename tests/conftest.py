"""Fixtures for all tests; they live with what they serve."""

import gc
import os
import sys

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


def pytest_xdist_auto_num_workers() -> int:
    """Run three for two cores: a third of the time, tests wait for a server or another process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) * 3 // 2


def pytest_collection_finish() -> None:
    """Look for garbage as rarely as the program does, and not in what was made until now."""
    gc.set_threshold(50_000)
    gc.collect()
    gc.freeze()

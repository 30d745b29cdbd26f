"""Fixtures for all tests; they live with what they serve."""

from tests.support.caches import no_secrets_kept, private_caches, shared_uv_cache
from tests.support.commands import requirements
from tests.support.server import package_server, plain_network

__all__ = [
    "no_secrets_kept",
    "package_server",
    "plain_network",
    "private_caches",
    "requirements",
    "shared_uv_cache",
]

"""Fixtures for all tests; they live with the test server."""

from tests.support.commands import requirements
from tests.support.server import package_server, plain_network

__all__ = ["package_server", "plain_network", "requirements"]

"""Locks of uv, Poetry and Pipenv, each read from its own pins and hashes."""

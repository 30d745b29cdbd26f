"""Reaching packages: requirements files, lock files, indexes, source archives, resolution."""

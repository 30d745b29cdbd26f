"""Everything about reaching packages: requirements, resolving, ranges, archives, the cache.

Knows no budgets and no rendering.
"""

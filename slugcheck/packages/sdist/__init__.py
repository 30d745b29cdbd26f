"""sdist."""

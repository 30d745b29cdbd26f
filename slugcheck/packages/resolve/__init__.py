"""Resolution with uv for one target, and stand-ins for what has no wheel."""

"""Lock files of uv, Poetry and Pipenv and pylock.toml, read for one target."""

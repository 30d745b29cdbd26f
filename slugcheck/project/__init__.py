"""What would be deployed: package manager, Python version, app files, models, git."""

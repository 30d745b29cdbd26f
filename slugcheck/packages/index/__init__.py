"""Package indexes: HTTP, project pages, wheel directories, and the inventory cache."""

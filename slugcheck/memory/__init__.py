"""What a worker needs in memory after its imports, from a table of measured imports."""

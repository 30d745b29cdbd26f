"""Requirements files in pip's grammar, and which of their lines apply to a target."""

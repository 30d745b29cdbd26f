"""The size models: installed files, bytecode, compression, build time."""

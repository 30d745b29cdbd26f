"""Source archives, read without running them: metadata, contents, native code."""

"""One view per command: what a screen says, in which order, and which rows fold."""

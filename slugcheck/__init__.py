"""slugcheck: does this app fit the place it is deployed to, and what to change if it does not."""

__version__ = "0.1.0"

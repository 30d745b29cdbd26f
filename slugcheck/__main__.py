"""``python -m slugcheck``."""

from slugcheck.cli import main

main()

"""Attacks on slugcheck from the project under check, by class."""

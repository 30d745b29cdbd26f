"""Attacks by class: everything in the checked project and on its indexes is an attacker's."""

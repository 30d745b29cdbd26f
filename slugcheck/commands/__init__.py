"""The command line's commands, one module each: parse, call, render, exit. No arithmetic.

Each module has ``command``, a click command; ``cli.py`` lists them and loads one when it is asked
for. What takes long to import is imported inside the functions.
"""

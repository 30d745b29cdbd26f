"""Child processes, temporary folders, the run's deadline, and clean ends.

``child`` is the one way to start a program, ``temporary`` the one way to a temporary folder,
``deadline`` ends a run that takes too long, and ``ending`` knows all of it, so that whatever ends
the run, a signal or an error, nothing runs on and nothing is left behind.
"""

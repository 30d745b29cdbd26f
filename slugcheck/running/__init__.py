"""Child processes, temporary folders, the run's deadline, and a clean end.

Programs are started only through ``child``, temporary folders are made only by ``temporary``,
``deadline`` ends a run that takes too long, and ``ending`` knows all of them, so that whatever ends
the run, a signal or an error, nothing keeps running and nothing is left behind.
"""

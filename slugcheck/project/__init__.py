"""The project folder, read as the platform's build reads it.

manager.py finds the package manager, pyversion.py the Python version, installs.py what the install
command refuses, hooks.py what the build does that is not measured, processes.py the Procfile;
files.py lists the app's own files as a push and ``.slugignore`` leave them.
"""

from slugcheck.project.manager import Absent, read, read_plainly

__all__ = ["Absent", "read", "read_plainly"]

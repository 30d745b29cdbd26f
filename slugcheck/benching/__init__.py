"""The parts of ``slugcheck bench``: what is run, how it is started, what its figures say.

Nothing here imports torch or onnxruntime: only workers do, in processes of their own. numpy is
imported where outputs are compared, after all that takes files out of the page cache, since a file
that this process has mapped stays in it.
"""

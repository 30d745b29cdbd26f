"""The parts of ``slugcheck bench``: what is run, how it is started, what its figures say.

Nothing here imports torch or onnxruntime: only workers do, in processes of their own. numpy is
imported where outputs are compared, after everything was measured, since a file that this process
has mapped cannot leave the page cache.
"""

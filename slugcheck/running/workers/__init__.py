"""Scripts that run by path, in processes of their own and mostly in other environments.

They import nothing of slugcheck, and only they import torch and onnxruntime. Their own modules are
called ``bench_…``, so that none of the user's can be mistaken for them. What they say goes as JSON,
one value a line, to whoever started them.
"""

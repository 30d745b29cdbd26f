"""Makes the documents of ``model.document`` from what the commands return.

Texts that may quote an address lose its credentials here.
"""

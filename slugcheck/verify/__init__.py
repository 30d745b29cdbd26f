"""``--verify``: repeat the platform's build in a temporary folder and measure it.

Installs the packages with the build's own package manager, including bytecode, then compresses them
with the app's files and models into a real gzip -6 tar. Building source archives runs their code,
so this happens only on request. Nothing is left behind.
"""

from slugcheck.verify.plan import Plan
from slugcheck.verify.run import verify

__all__ = ["Plan", "verify"]

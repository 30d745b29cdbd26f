"""What the local index has for tests of comparisons: light, heavy, old and new."""

from __future__ import annotations

import random

from tests.support.server import PackageServer

NATIVE = "cp312-cp312-manylinux_2_17_x86_64"


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that no compressor makes smaller."""
    return random.Random(seed).randbytes(size)


def fill(server: PackageServer) -> PackageServer:
    """Put a framework in two versions, a library that two need, and a heavy one into the index."""
    server.add_wheel("framework", "1.0", {"framework/__init__.py": "x = 1\n" * 500})
    server.add_wheel(
        "framework",
        "2.0",
        {"framework/__init__.py": "x = 1\n" * 900, "framework/b.bin": noise(9_000)},
    )
    server.add_wheel("webapp", "1.0", {"webapp.py": "y = 2\n" * 50}, requires=("framework",))
    server.add_wheel("tensors", "3.0", {"tensors.so": noise(1_500_000)}, tag=NATIVE)
    server.add_wheel(
        "heavy", "5.0", {"heavy/core.so": noise(3_000_000, 2)}, tag=NATIVE, requires=("tensors",)
    )
    server.add_wheel("light", "1.1", {"light.so": noise(200_000, 3)}, tag=NATIVE)
    return server

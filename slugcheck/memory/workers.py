"""What the processes of an app take together, by how its server starts them. Bytes."""

from __future__ import annotations

from slugcheck.model import Estimate
from slugcheck.model.memory import WorkerFloor

# Of the memory that a forked worker has from the process that forked it, what is its own by the
# time it serves, since reference counts are written: least, likely and most. Without --preload two
# gunicorn workers of a Flask app with ONNX Runtime took 115 MiB as PSS, 12 % of the server's own
# memory copied each (2026-11-27). With it four workers of PyTorch or ONNX Runtime copied 6 to 12 %
# of all (2026-11-24).
_COPIED = (0.0, 0.12, 0.4)


def together(
    worker: WorkerFloor, workers: int, server: WorkerFloor | None, *, forks: bool, preload: bool
) -> Estimate[int]:
    """Return what all processes have in memory; pages of files, which they share, count once.

    ``server`` is what the process that starts the workers imports itself, None where the worker is
    the only process. Where it ``forks`` they share what it has, which is all with ``preload``.
    """
    if server is None:
        return worker.resident
    own, files = worker.anonymous, worker.resident.value - worker.anonymous.value
    master = own if preload else server.anonymous

    def total(worker_bytes: int, master_bytes: int, copied: float) -> int:
        shared = round(master_bytes * (1 - copied)) if forks else 0
        return files + master_bytes + workers * max(0, worker_bytes - shared)

    least, likely, most = _COPIED
    return Estimate[int].predicted(
        total(own.value, master.value, likely),
        total(own.low, master.low, least),
        total(own.high, master.high, most),
    )

"""The measuring machine: facts that a reader needs and anyone may see."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

from slugcheck.model.bench import Host


def describe() -> Host:
    """Return this machine's facts; its name is hashed, since results are shared."""
    try:
        load = os.getloadavg()[0]
    except (OSError, AttributeError):
        load = None
    processor = _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine()
    memory = _field("/proc/meminfo", "MemTotal")
    facts = (platform.node(), processor, str(os.cpu_count()), platform.machine())
    return Host(
        identity=hashlib.sha256("|".join(facts).encode()).hexdigest()[:12],
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        processor=processor,
        cores=_cores(),
        memory_bytes=int(memory.split()[0]) * 1024 if memory else None,
        load=load,
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _field(path: str, name: str) -> str:
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() == name:
                    return value.strip()
    except OSError:
        return ""
    return ""

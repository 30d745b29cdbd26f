"""Several runs in one cache at the same time, one of them killed half way: no figure changes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import stock
from tests.support.server import PackageServer, Quirk

STOCK = "webapp==1.0\nheavy==5.0\nlight==1.1\n"


def start(index: PackageServer, path: Path, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "slugcheck", str(path), "--python", "3.12", "--format", "json"]
    return subprocess.Popen(
        [*command, "--index-url", index.index_url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "SLUGCHECK_CACHE_DIR": str(cache)},
    )  # fmt: skip


def figures(process: subprocess.Popen[str]) -> Any:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    document = json.loads(out)
    sizes = {d["name"]: (d["installed_bytes"], d["slug_bytes"]) for d in document["distributions"]}
    return sizes, document["totals"]["slug_bytes"]


@pytest.fixture
def index(package_server: PackageServer, private_caches: Path) -> PackageServer:
    return stock.fill(package_server)


@pytest.mark.slow
def test_runs_at_once_and_a_killed_one_leave_a_cache_that_is_right(
    index: PackageServer, tmp_path: Path
) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(STOCK)
    beside = tmp_path.with_name(f"{tmp_path.name}-caches")  # not in what is checked
    truth = figures(start(index, path, beside / "apart"))
    shared = beside / "shared"
    slow = [name for name in index._files if name.startswith(("heavy", "tensors"))]
    for name in slow:
        index.set_quirk(name, Quirk.SLOW)
    before = len(index.hits_of(slow[0]))
    runs = [start(index, path, shared) for _ in range(3)]
    deadline = time.monotonic() + 60
    # in the middle of reading: the first slow wheel has been asked for, and not answered
    while len(index.hits_of(slow[0])) == before and runs[0].poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    runs[0].send_signal(signal.SIGKILL)
    runs[0].communicate(timeout=60)
    assert runs[0].returncode == -signal.SIGKILL
    assert [figures(run) for run in runs[1:]] == [truth, truth]
    assert figures(start(index, path, shared)) == truth  # and from what they left in the cache

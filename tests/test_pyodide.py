"""Cloudflare Workers: wheels for Pyodide or without native code, from Pyodide's own index too."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.utils import parse_wheel_filename

from slugcheck import platforms
from slugcheck.errors import PlatformError
from slugcheck.platforms import tags
from slugcheck.project import target
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer
from tests.support.wheels import make_wheel

PYODIDE = "pyodide_2025_0_wasm32"
LINUX = "manylinux_2_28_x86_64"


def workers(*, index: str = "") -> str:
    """Return the platform's file with another index, none by default."""
    text = (resources.files(platforms) / "cloudflare-workers.toml").read_text(encoding="utf-8")
    return re.sub(r"^indexes = .*$", f"indexes = [{index}]", text, flags=re.MULTILINE)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "workers.toml"
    path.write_text(workers())
    return path


def check(server: PackageServer, place: Path, lines: str) -> Done:
    path = place.parent / "requirements.txt"
    path.write_text(lines)
    return slugcheck(path, "--index-url", server.index_url, "--platform", place)


def joined(text: str) -> str:
    return " ".join(text.split())


# --------------------------------------------------------------------------- what runs there


def test_wheels_for_pyodide_and_pure_ones_are_sized(
    package_server: PackageServer, plain_network: None, place: Path
) -> None:
    pure = {"tool/__init__.py": "y = 2\n" * 50_000}
    package_server.add_wheel("tool", "1.0", pure)
    package_server.add_wheel(
        "fast", "1.0", {"fast.so": bytes(2_000_000)}, tag=f"cp313-cp313-{PYODIDE}",
        requires=["tool; sys_platform == 'emscripten'", "gone; sys_platform == 'linux'"],
    )  # fmt: skip
    package_server.add_wheel(
        "fast", "1.0", {"fast.so": bytes(7_000_000)}, tag=f"cp313-cp313-{LINUX}"
    )
    done = check(package_server, place, "fast\n")
    assert done.code == 0, done.err
    last = done.out.strip().splitlines()[-1]
    # fast for Pyodide, tool without bytecode and what pywrangler adds
    assert re.match(r"✓ FITS Cloudflare Workers: 2\.[34]M of 64M, ", last)
    assert "Python 3.13.2 (default) · emscripten wasm32" in joined(done.out)


def test_a_distribution_with_wheels_for_linux_only_cannot_run_there(
    package_server: PackageServer, plain_network: None, place: Path
) -> None:
    package_server.add_wheel(
        "native", "2.0", {"native.so": bytes(3_000_000)}, tag=f"cp313-cp313-{LINUX}"
    )
    package_server.add_sdist("native", "2.0", {"native/__init__.py": ""})
    done = check(package_server, place, "native==2.0\n")
    assert done.code == 1
    last = joined(done.out.strip().split("\n\n")[-1])
    assert last.startswith("✗ WILL FAIL: native 2.0 (")
    why = "it has no wheel for Pyodide's Python 3.13, nor one in pure Python"
    assert f"cannot run there: {why}" in last


def test_an_older_version_that_runs_is_taken(
    package_server: PackageServer, plain_network: None, place: Path
) -> None:
    package_server.add_wheel("mixed", "1.0", {"mixed.py": "y = 2\n"})
    package_server.add_wheel("mixed", "2.0", {"mixed.so": b"x"}, tag=f"cp313-cp313-{LINUX}")
    package_server.add_sdist("mixed", "3.0", {"mixed.py": "y = 2\n"})
    done = check(package_server, place, "mixed\n")
    assert done.code == 0, done.err
    assert "mixed 1.0 " in done.out


def test_nothing_is_said_of_cuda(
    package_server: PackageServer, plain_network: None, place: Path
) -> None:
    package_server.add_wheel("nvidia-cublas-cu12", "12.0", {"x.txt": "y"})
    done = check(package_server, place, "nvidia-cublas-cu12\n")
    assert done.code == 0, done.err
    assert "CUDA" not in done.out
    assert "GPU" not in done.out


# --------------------------------------------------------------------------- Pyodide's index


def test_the_platforms_index_counts_beside_the_usual_one(
    package_server: PackageServer, plain_network: None, place: Path, tmp_path: Path
) -> None:
    with PackageServer() as own:
        wheel = {"native.so": bytes(1_000_000)}
        own.add_wheel("native", "1.0", wheel, tag=f"cp313-cp313-{PYODIDE}")
        package_server.add_wheel("native", "1.0", wheel, tag=f"cp313-cp313-{LINUX}")
        place.write_text(workers(index=f'"{own.index_url}"'))
        done = check(package_server, place, "native\n")
    assert done.code == 0, done.err
    assert re.match(r"✓ FITS Cloudflare Workers: 1(\.\d)?M of", done.out.strip().splitlines()[-1])


def test_without_the_platforms_index_nothing_is_judged(
    package_server: PackageServer, plain_network: None, place: Path
) -> None:
    package_server.add_wheel("native", "1.0", {"n.so": b"x"}, tag=f"cp313-cp313-{LINUX}")
    place.write_text(workers(index='"http://127.0.0.1:9/simple"'))
    done = check(package_server, place, "native\n")
    assert done.code == 3
    assert "127.0.0.1:9" in done.err
    assert "cannot run there" not in done.out + done.err


@pytest.mark.parametrize(
    "index", ["file:///etc", "https://me:pw@example.com/simple", "https://x/${TOKEN}", "simple"]
)
def test_an_index_is_an_address_without_a_password(index: str) -> None:
    with pytest.raises(PlatformError, match=r"pythons\[0\]\.indexes must be addresses like"):
        platforms.parse(workers(index=f'"{index}"'), "w.toml")


# --------------------------------------------------------------------------- for the resolver


@pytest.mark.parametrize(("python", "year"), [("3.12", "2024"), ("3.13", "2025")])
def test_uv_takes_the_wheels_that_slugcheck_says_fit(
    tmp_path: Path, python: str, year: str
) -> None:
    """Against the real uv: each wheel is taken by both or by neither."""
    chosen = target.choose(platforms.load("cloudflare-workers"), python=python)
    minor = python.replace(".", "")
    own = tags.supported_tags(chosen)
    for number, tag in enumerate(
        (f"cp{minor}-cp{minor}-pyodide_{year}_0_wasm32", f"cp39-abi3-pyodide_{year}_0_wasm32",
         f"py3-none-pyodide_{year}_0_wasm32", "py3-none-any", f"cp{minor}-cp{minor}-{LINUX}",
         f"cp{minor}-cp{minor}-pyodide_2023_0_wasm32", f"cp{minor}-cp{minor}-linux_wasm32",
         f"cp311-cp311-pyodide_{year}_0_wasm32")
    ):  # fmt: skip
        wheel = make_wheel(f"probe{number}", "1.0", {"x.py": ""}, tag=tag)
        (tmp_path / wheel.filename).write_bytes(wheel.content)
        (tmp_path / "in.txt").write_text(f"probe{number}\n")
        command = [sys.executable, "-m", "uv", "pip", "compile", "--no-config", "--no-index",
                   "--no-build", "--no-python-downloads", "--python", sys.executable,
                   "--find-links", str(tmp_path), str(tmp_path / "in.txt"),
                   "--python-version", chosen.python_version,
                   "--python-platform", tags.uv_platform(chosen.stack, chosen.minor)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        fits = not parse_wheel_filename(wheel.filename)[3].isdisjoint(own)
        assert fits == (done.returncode == 0), tag
        assert fits == (number < 4), tag


def test_markers_are_evaluated_as_on_emscripten() -> None:
    environment = tags.marker_environment(target.choose(platforms.load("cloudflare-workers")))
    assert Marker(
        "sys_platform == 'emscripten' and platform_system == 'Emscripten' "
        "and platform_machine == 'wasm32' and os_name == 'posix'"
    ).evaluate(environment)


def test_a_later_python_is_not_said_to_be_missing_there() -> None:
    with pytest.raises(PlatformError) as caught:
        target.choose(platforms.load("cloudflare-workers"), python="3.14")
    assert str(caught.value) == (
        "slugcheck cannot resolve for Cloudflare Workers with Python 3.14 yet (--python); "
        "it can for 3.12, 3.13"
    )


def test_a_python_without_wheels_for_pyodide_is_a_mistake() -> None:
    text = workers().replace(
        'minor = "3.12"\nversion = "3.12.7"', 'minor = "3.11"\nversion = "3.11.7"'
    )
    with pytest.raises(PlatformError) as caught:
        platforms.parse(text, "w.toml")
    assert str(caught.value) == "w.toml: pythons[0].minor must be one of 3.12, 3.13 on wasm32"

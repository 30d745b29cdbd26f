"""How long the platform's build takes, predicted from bytes and file counts.

A prediction with a wide interval: machines and networks differ by a factor of two either way. The
rates are fitted to real installs (two runs of five sets on two shared cores, 33 to 202 MB of
wheels) whose own spread was a factor of two; a build machine has two cores as well.
"""

from __future__ import annotations

from slugcheck.model import Estimate, SizeReport

# pip: download and unpack, and compile; 25 to 41 distributions took 5.7 to 29.4 s.
_SECONDS_PER_DISTRIBUTION = 0.08
_DOWNLOAD_BYTES_PER_SECOND = 40e6
_UNPACK_BYTES_PER_SECOND = 120e6
_BYTECODE_BYTES_PER_SECOND = 8e6
# gzip -6 of an installed tree: 3 to 54 s for 79 to 884 MB.
_GZIP_BYTES_PER_SECOND = 25e6
# Fetching and unpacking Python, pip's bootstrap, the buildpack's own steps, launching: real build
# logs of small apps take about this long.
_FIXED_SECONDS = 25.0
_PURE_BUILD_SECONDS = 6.0  # an isolated build environment with setuptools, then the wheel
_NATIVE_BUILD_SECONDS = (20.0, 90.0, 900.0)  # least, likely, most: one file of C to all of pandas
_SPREAD = 2.0


def predict(sizes: SizeReport) -> Estimate[float]:
    """Return seconds of a clean build (no cache) of what the report sizes."""
    seconds = _FIXED_SECONDS
    seconds += len(sizes.distributions) * _SECONDS_PER_DISTRIBUTION
    seconds += sizes.download_bytes / _DOWNLOAD_BYTES_PER_SECOND
    seconds += sizes.plain_bytes / _UNPACK_BYTES_PER_SECOND
    seconds += sizes.bytecode_bytes / _BYTECODE_BYTES_PER_SECOND
    if sizes.target.platform.size_figure == "slug":
        seconds += sizes.installed.value / _GZIP_BYTES_PER_SECOND
    builds = [d.distribution.source_build for d in sizes.distributions]
    native = sum(1 for build in builds if build is not None and build.native)
    seconds += _PURE_BUILD_SECONDS * sum(
        1 for build in builds if build is not None and not build.native
    )
    least, likely, most = (each * native for each in _NATIVE_BUILD_SECONDS)
    return Estimate.predicted(seconds + likely, seconds / _SPREAD + least, seconds * _SPREAD + most)


def assumptions() -> tuple[str, ...]:
    """Return what the prediction assumes, in words."""
    least, likely, most = _NATIVE_BUILD_SECONDS
    return (
        "a clean build without cache on two cores",
        f"download {_DOWNLOAD_BYTES_PER_SECOND / 1e6:.0f} MB/s, unpacking "
        f"{_UNPACK_BYTES_PER_SECOND / 1e6:.0f} MB/s, bytecode "
        f"{_BYTECODE_BYTES_PER_SECOND / 1e6:.0f} MB/s, gzip {_GZIP_BYTES_PER_SECOND / 1e6:.0f} MB/s",
        f"{_FIXED_SECONDS:.0f} s for Python, pip and the platform's own steps",
        f"each native source build {likely:.0f} s ({least:.0f} to {most:.0f})",
        f"within a factor of {_SPREAD:.0f} either way",
    )

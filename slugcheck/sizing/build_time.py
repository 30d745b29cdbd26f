"""The time of the platform's build, predicted from sizes and source builds.

A prediction with a wide interval, since machines and networks differ: the rates are fitted to real
installs on two shared cores whose own spread was a factor of two. Heroku's build machine is a
Performance-M with two cores (help.heroku.com FB5GGE5Y). A clean build is predicted, without cache.
"""

from __future__ import annotations

from slugcheck.model import DistributionSize, Estimate, Kind, SizeReport

# pip on five sets of 10 to 41 distributions, 33 to 202 MB of wheels, compiled: 5.7 to 29.4 s,
# two runs each (2026-11-23). tests/test_buildtime.py holds the prediction against them.
_SECONDS_PER_DISTRIBUTION = 0.08
_DOWNLOAD_BYTES_PER_SECOND = 40e6
_UNPACK_BYTES_PER_SECOND = 120e6
_BYTECODE_BYTES_PER_SECOND = 8e6
# gzip -6 of the same sets as installed, 97 to 865 MB: 3 to 54 s.
_GZIP_BYTES_PER_SECOND = 25e6
# Python's archive, pip's bootstrap, the buildpack's other steps and the launch: an allowance, not
# measured, and small compared with the limit.
_FIXED_SECONDS = 25.0
_SPREAD = 2.0

# `pip wheel` of a source archive in its isolated environment, twelve projects on two busy cores
# (2026-11-23): 4 and 8 s for pure Python; 10.5 to 63 s for 0.04 to 5.5 MB of compiled code.
_PURE_BUILD_SECONDS = 6.0
_NATIVE_BUILD_SECONDS = 11.0
_NATIVE_SECONDS_PER_BYTE = 8e-6
# Projects as large as pandas were not measured. With 50 MB of compiled code the rate says 7 min;
# on Heroku that has run into the 15 minutes (heroku-buildpack-python#1232).
_NATIVE_SPREAD = 3.0


def predict(sizes: SizeReport, *, fixed: float = _FIXED_SECONDS) -> Estimate[float]:
    """Return seconds of a clean build of everything that has a size.

    ``fixed`` are seconds for the platform's own steps, 0 for installing and compressing only.
    """
    install = fixed + _install_seconds(sizes)
    native = sum(native_seconds(package) for package in sizes.distributions)
    return Estimate.predicted(
        install + native,
        install / _SPREAD + native / _NATIVE_SPREAD,
        install * _SPREAD + native * _NATIVE_SPREAD,
    )


def from_measured(seconds: float) -> Estimate[float]:
    """Return seconds of a clean build if installing and compressing took ``seconds`` here.

    The platform's own steps are added; its machine and network differ from this one's.
    """
    whole = seconds + _FIXED_SECONDS
    return Estimate.predicted(whole, whole / _SPREAD, whole * _SPREAD)


def _install_seconds(sizes: SizeReport) -> float:
    """Return seconds for everything except native builds and the platform's own steps."""
    seconds = len(sizes.distributions) * _SECONDS_PER_DISTRIBUTION
    seconds += sizes.download_bytes / _DOWNLOAD_BYTES_PER_SECOND
    seconds += sizes.plain_bytes / _UNPACK_BYTES_PER_SECOND
    seconds += sizes.bytecode_bytes / _BYTECODE_BYTES_PER_SECOND
    if sizes.counts_slug:
        seconds += sizes.installed.value / _GZIP_BYTES_PER_SECOND
    builds = [package.distribution.source_build for package in sizes.distributions]
    pure = sum(1 for build in builds if build is not None and not build.native)
    return seconds + pure * _PURE_BUILD_SECONDS


def native_seconds(package: DistributionSize) -> float:
    """Return seconds to build one distribution; 0 unless it is native and has no wheel."""
    build = package.distribution.source_build
    if build is None or not build.native:
        return 0.0
    return _NATIVE_BUILD_SECONDS + package.by_kind.get(Kind.NATIVE, 0) * _NATIVE_SECONDS_PER_BYTE


def assumptions(*, gzips: bool = True) -> tuple[str, ...]:
    """Return the assumptions of the prediction, in words; ``gzips``: the platform makes a slug."""
    return (
        "a clean build without cache, on two cores",
        f"{_SECONDS_PER_DISTRIBUTION} s for each distribution, "
        f"download {_rate(_DOWNLOAD_BYTES_PER_SECOND)}, "
        f"unpacking {_rate(_UNPACK_BYTES_PER_SECOND)}, "
        f"bytecode {_rate(_BYTECODE_BYTES_PER_SECOND)}: fitted to real installs",
        *([f"gzip of the slug {_rate(_GZIP_BYTES_PER_SECOND)}"] if gzips else []),
        f"{_FIXED_SECONDS:.0f} s for Python, pip and the platform's own steps: "
        "an allowance, not measured",
        f"{_PURE_BUILD_SECONDS:.0f} s for each source build of pure Python",
        f"{_NATIVE_BUILD_SECONDS:.0f} s for each native source build, and "
        f"{_NATIVE_SECONDS_PER_BYTE * 1e6:.0f} s for each MB of code it compiles, "
        f"within a factor of {_NATIVE_SPREAD:.0f} either way",
        f"everything else within a factor of {_SPREAD:.0f} either way",
    )


def _rate(bytes_per_second: float) -> str:
    return f"{bytes_per_second / 1e6:.0f} MB/s"

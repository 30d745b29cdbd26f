"""GPU code on a platform that has no GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from slugcheck.advice.phrases import origin
from slugcheck.model import DistributionSize, Finding, FindingSeverity, SizeReport, Target
from slugcheck.packages.known import CPU_TWINS, GPU_ONLY, PYTORCH_INDEX, TORCH_FAMILY
from slugcheck.text import listed, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """The measured size of a distribution that could replace another one."""

    name: str
    version: str
    installed_bytes: int
    slug_bytes: int


FindTwin = Callable[[str, str], Twin | None]  # (name, version) -> its size, None if not there


def gpu_findings(sizes: SizeReport, find_twin: FindTwin) -> Iterable[Finding]:
    """Yield the packages that need a GPU, with their CPU versions, on a platform without one."""
    if sizes.target.platform.gpu:
        return
    gpu = {d.name: d for d in sizes.distributions if GPU_ONLY.match(d.name)}
    installed = {d.name: d for d in sizes.distributions}
    if "torch" in installed and any("torch" in _pullers(d, gpu) for d in gpu.values()):
        yield _torch(installed, gpu, sizes.target)
        gpu = {n: d for n, d in gpu.items() if "torch" not in _pullers(d, gpu)}
    for name, twin_name in CPU_TWINS.items():
        if name in installed:
            own = {n: d for n, d in gpu.items() if name in _pullers(d, gpu)}
            yield from _swap_for_twin(installed[name], twin_name, own, find_twin, sizes.target)
            gpu = {n: d for n, d in gpu.items() if n not in own}
    direct = [d for d in gpu.values() if d.distribution.direct]
    if direct:
        yield _gpu_direct(direct, sizes)


def _pullers(one: DistributionSize, gpu: dict[str, DistributionSize]) -> frozenset[str]:
    """Return the distributions that require a GPU one, directly or through other GPU ones."""
    seen: set[str] = set()
    waiting = list(one.required_by)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(gpu[name].required_by if name in gpu else ())
    return frozenset(seen)


def _torch(
    installed: dict[str, DistributionSize], gpu: dict[str, DistributionSize], target: Target
) -> Finding:
    gone = [d for d in gpu.values() if "torch" in _pullers(d, gpu)]
    lines = [f"--extra-index-url {PYTORCH_INDEX}/cpu"]
    for name in TORCH_FAMILY:
        if name in installed:
            version = installed[name].distribution.version.partition("+")[0]
            lines.append(f"{name}=={version}+cpu")
    names = listed([d.name for d in gone])
    return Finding(
        code="cuda-on-cpu",
        severity=FindingSeverity.ERROR,
        subject="torch",
        sentence=(
            f"torch from the default index requires {plural(len(gone), 'GPU-only package')} "
            f"({names}), but {target.platform.title} has no GPU; the real saving is larger: torch "
            "itself shrinks too"
        ),
        fix="\n".join(lines),
        saves_bytes=sum(d.installed_bytes for d in gone),
        saves_slug_bytes=sum(d.slug.value for d in gone),
        origin=origin(installed["torch"]),
    )


def _swap_for_twin(
    one: DistributionSize,
    twin_name: str,
    gpu: dict[str, DistributionSize],
    find_twin: FindTwin,
    target: Target,
) -> Iterable[Finding]:
    version = one.distribution.version
    twin = find_twin(twin_name, version)
    if twin is None and not gpu:
        return  # the version has no CPU build, and requires nothing that is for a GPU only
    gone = [one, *gpu.values()] if twin else list(gpu.values())
    saves = sum(d.installed_bytes for d in gone) - (twin.installed_bytes if twin else 0)
    saves_slug = sum(d.slug.value for d in gone) - (twin.slug_bytes if twin else 0)
    if saves <= 0:
        return
    extra = f" and requires {listed(list(gpu))}" if gpu else ""
    fix = f"{twin_name}=={twin.version}" if twin else f"{twin_name}  # choose one of its versions"
    yield Finding(
        code="cuda-on-cpu",
        severity=FindingSeverity.ERROR,
        subject=one.name,
        sentence=(
            f"{one.name} {version} contains GPU code{extra}, but {target.platform.title} has no "
            f"GPU; replace {one.name} with {twin_name}, the same library without it"
        ),
        fix=fix,
        saves_bytes=saves,
        saves_slug_bytes=saves_slug,
        origin=origin(one),
    )


def _gpu_direct(direct: Sequence[DistributionSize], sizes: SizeReport) -> Finding:
    names = [d.name for d in direct]
    lines = [f"# remove: {d.name}=={d.distribution.version}" for d in direct]
    return Finding(
        code="cuda-on-cpu",
        severity=FindingSeverity.ERROR,
        subject=names[0],
        sentence=(
            f"{listed(names)} {'is' if len(names) == 1 else 'are'} for NVIDIA GPUs only, but "
            f"{sizes.target.platform.title} has no GPU: remove the line"
            + ("" if len(names) == 1 else "s")
        ),
        fix="\n".join(lines),
        saves_bytes=sum(d.installed_bytes for d in direct),
        saves_slug_bytes=sum(d.slug.value for d in direct),
        origin=origin(direct[0]),
    )

"""Pictures: a bench run's memory and latency, a rehearsal's memory over time. Takes matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from slugcheck.model.bench import STAGES, BenchResult, StackResult
from slugcheck.model.rehearsal import ProcessRun, RehearsalResult
from slugcheck.text import MIB, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".png")
_NAMES = {
    "baseline": "Python", "import": "import", "load": "model loaded", "first": "first inference",
    "steady": "steady", "peak": "peak above it",
}  # fmt: skip
# Distinguishable for colour-blind readers: Okabe and Ito, 2008.
_COLOURS = ("#999999", "#0072B2", "#56B4E9", "#E69F00", "#F0E442", "#D55E00")


def draw(result: BenchResult, suffix: str) -> bytes:
    """Return the picture of a bench run as the bytes of an SVG or PNG file."""
    figure = _figure()
    left, right = figure.subplots(1, 2)
    stacks = [runtime for runtime in result.stacks if runtime.summary]
    _memory(left, result, stacks)
    _latency(right, stacks)
    figure.suptitle(_title(result), fontsize=11)
    return _bytes(figure, suffix)


def _figure() -> Figure:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    matplotlib.rcdefaults()  # a matplotlibrc in the current folder could have LaTeX run
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def _bytes(figure: Figure, suffix: str) -> bytes:
    stream = io.BytesIO()
    kind = suffix.lower().removeprefix(".")
    # no date in the file: the same result gives the same bytes
    more: dict[str, Any] = {"metadata": {"Date": None}} if kind == "svg" else {"dpi": 150}
    figure.savefig(stream, format=kind, **more)
    return stream.getvalue()


def _memory(axes: Axes, result: BenchResult, stacks: list[StackResult]) -> None:
    """Bars that grow by what each stage adds, to the peak; a mark where anonymous memory ends."""
    names = [_name(runtime) for runtime in stacks]
    bottoms = [0.0] * len(stacks)
    for stage, colour in zip((*STAGES, "peak"), _COLOURS, strict=True):
        tops = [
            max(_mib(runtime, stage), bottom)
            for runtime, bottom in zip(stacks, bottoms, strict=True)
        ]
        heights = [top - bottom for top, bottom in zip(tops, bottoms, strict=True)]
        axes.bar(names, heights, bottom=bottoms, color=colour, label=_NAMES[stage], width=0.55)
        bottoms = tops
    for place, (runtime, top) in enumerate(zip(stacks, bottoms, strict=True)):
        axes.annotate(f"{top:,.0f}", (place, top), ha="center", va="bottom")
        anon = runtime.summary.peak_anon if runtime.summary else None
        if anon:
            axes.hlines(anon / MIB, place - 0.33, place + 0.33, colors="black", linestyles=":")
    if result.chosen is not None:
        dyno = result.chosen.dyno
        share = dyno.r14_bytes / MIB / max(dyno.workers, 1)
        label = f"{result.dyno}: {dyno.r14_bytes // MIB} MiB / {dyno.workers} workers"
        if share < 4 * max(bottoms, default=1.0):
            axes.axhline(share, color="#CC3311", linestyle="--", linewidth=1, label=label)
    axes.set_ylabel("RSS of a worker, MiB (dotted: anonymous)")
    axes.set_title("memory by stage", fontsize=10)
    axes.margins(y=0.12)
    axes.legend(fontsize=7, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _mib(runtime: StackResult, stage: str) -> float:
    spread = runtime.summary.rss.get(stage) if runtime.summary else None
    return spread.median / MIB if spread else 0.0


def _latency(axes: Axes, stacks: list[StackResult]) -> None:
    """How many inferences were done within a time: the whole distribution, tail included."""
    for runtime, colour in zip(stacks, ("#0072B2", "#D55E00"), strict=False):
        times = sorted(value / 1e6 for sample in runtime.samples for value in sample.wall_ns)
        shares = [100 * (n + 1) / len(times) for n in range(len(times))]
        noisy = " (noisy)" if runtime.summary and runtime.summary.latency.noisy else ""
        label = f"{_name(runtime)}, {len(times)}{noisy}"
        axes.step(times, shares, where="post", color=colour, label=label)
    axes.set_xlabel("milliseconds")
    axes.set_ylabel("% of inferences done within")
    axes.set_title("latency", fontsize=10)
    axes.set_xlim(left=0)
    axes.set_ylim(0, 101)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7, frameon=False, loc="best")
    axes.spines[["top", "right"]].set_visible(False)


def _title(result: BenchResult) -> str:
    runtimes = " against ".join(runtime.stack.label for runtime in result.stacks)
    models = ", ".join(dict.fromkeys(runtime.stack.model for runtime in result.stacks))
    return _text(f"{runtimes}: {models}")


def _name(runtime: StackResult) -> str:
    return _text(f"{runtime.stack.label} {runtime.stack.version}".strip())


def _text(text: str) -> str:
    """Return text that matplotlib does not read as mathematics."""
    return printable(text).replace("$", r"\$")


# --------------------------------------------------------------------------- a rehearsal


def draw_memory(result: RehearsalResult, suffix: str) -> bytes:
    """Return a rehearsal's memory over time as the bytes of an SVG or PNG file."""
    figure = _figure()
    places = figure.subplots(1, len(result.processes), squeeze=False)[0]
    for axes, process in zip(places, result.processes, strict=True):
        _over_time(axes, result, process)
    size = f" on {result.dyno}" if result.dyno else ""
    figure.suptitle(_text(f"{result.path}: memory{size}"), fontsize=11)
    return _bytes(figure, suffix)


def _over_time(axes: Axes, result: RehearsalResult, process: ProcessRun) -> None:
    times = [sample.seconds for sample in process.series]
    resident = [sample.resident_bytes / MIB for sample in process.series]
    anonymous = [sample.anonymous_bytes / MIB for sample in process.series]
    axes.fill_between(times, anonymous, color="#56B4E9", alpha=0.4, label="anonymous")
    axes.plot(times, resident, color="#0072B2", label="resident, shared pages once")
    top = max([*resident, 1.0])
    quota = (result.ram_bytes or 0) / MIB
    if 0 < quota < 3 * top:
        axes.axhline(quota, color="#D55E00", linestyle="--", label=f"{quota:.0f} MiB")
        top = max(top, quota)
    marks: dict[str, float | None] = {}
    if (boot := process.boot) is not None:
        ready = "init done" if process.is_function else "listens"
        marks = {ready: boot.bound_seconds, "answers": boot.answered_seconds}
    if process.load is not None and process.shutdown is not None and times:
        end = process.shutdown
        marks["SIGTERM"] = times[-1] - (end.limit_seconds if end.seconds is None else end.seconds)
    for name, moment in marks.items():
        if moment is not None:
            axes.axvline(moment, color="#999999", linewidth=1)
            axes.annotate(name, (moment, top), rotation=90, va="top", ha="right", fontsize=8)
    axes.set(xlabel="seconds after the start", ylabel="MiB", title=_text(process.name))
    axes.set_ylim(bottom=0, top=1.1 * top)
    axes.legend(loc="best", fontsize=8)

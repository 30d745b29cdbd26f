"""``slugcheck bench``: runtimes measured on the same model."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slugcheck import extras
from slugcheck.commands import options
from slugcheck.errors import UsageError
from slugcheck.render.formats import FORMATS, outputs
from slugcheck.terminal import Terminal

if TYPE_CHECKING:
    from slugcheck.benching.plan import BenchOptions
    from slugcheck.model.memory import RamFloor

_INSTALL_LIMIT = "1GB"
_SECONDS = 3 * 3600  # a worker may take 15 minutes, and there are dozens
_LEAST_BYTES = 16 * 2**20  # Python alone takes 10

MODEL = (
    click.option(
        "--onnx", type=click.Path(path_type=Path), metavar="FILE", help="A model for ONNX Runtime."
    ),
    click.option(
        "--torch",
        metavar="FILE|MODULE:FUNCTION",
        help="A model for PyTorch: TorchScript, an exported .pt2, or a function that makes it, "
        "such as models.py:build, which RUNS that file.",
    ),
    click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="[NAME=]SHAPE|FILE",
        help="What to give the model: a shape such as 1x3x640x640 (or 1x8:int64), a .npy file or a "
        "picture. Default: what the model's signature says. Repeatable.",
    ),
    click.option("--batch", type=click.IntRange(1, 4096), help="Size of a dynamic first axis."),
)
WHERE = (
    click.option(
        "--python",
        "pythons",
        multiple=True,
        metavar="[onnx=|torch=]INTERPRETER",
        help="Interpreter that has the runtime. Default: slugcheck's own.",
    ),
    click.option(
        "--requirements",
        "-r",
        multiple=True,
        metavar="[onnx=|torch=]FILE",
        help="Requirements file to install into an environment for the runtime.",
    ),
    click.option(
        "--install",
        is_flag=True,
        help="Install each runtime into an environment of its own, from wheels, and keep it.",
    ),
    click.option(
        "--install-limit",
        metavar="SIZE",
        default=_INSTALL_LIMIT,
        show_default=True,
        help="Maximum download for one environment.",
    ),
)
HOW = (
    click.option(
        "--threads",
        type=click.IntRange(0, 256),
        default=1,
        show_default=True,
        help="Threads of each worker; 0 is the runtime's default.",
    ),
    click.option(
        "--processes",
        type=click.IntRange(1, 100),
        default=6,
        show_default=True,
        help="Fresh processes per runtime; a 95 % interval needs at least six.",
    ),
    click.option(
        "--runs",
        type=click.IntRange(1, 100_000),
        default=30,
        show_default=True,
        help="Timed inferences in each process, after the warm-up.",
    ),
    click.option(
        "--variants", is_flag=True, help="Also measure settings that change memory use. Slow."
    ),
    click.option(
        "--memory-limit",
        "limits",
        multiple=True,
        metavar="SIZE",
        help="Also run each runtime under this memory limit, such as 512M. Repeatable.",
    ),
    *options.budgets("peak_rss or peak_anon (300M), cpu_ms, import or cold_start (seconds)", "run"),
    click.option(
        "--time-limit",
        metavar="TIME",
        default="60s",
        show_default=True,
        help="Maximum time of a worker under a memory limit.",
    ),
)
TARGET = (
    click.option(
        "--platform",
        metavar="NAME",
        default="heroku",
        show_default=True,
        help="Platform whose machine sizes to compare with.",
    ),
    click.option(
        "--app",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="FOLDER",
        help="Project that loads the model: what its own imports take in memory is shown too.",
    ),
    click.option(
        "--dyno",
        metavar="SIZE",
        help="Machine size the model must fit, such as standard-1x. Exit code 1 if no runtime "
        "fits.",
    ),
)


@click.command("bench", short_help="Measure runtimes: RAM, cold start, latency.")
@options.with_options(
    MODEL,
    WHERE,
    HOW,
    TARGET,
    options.PLACES,
    options.plots("memory by stage, and latency"),
    options.writing("machine size"),
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    format_: str | None,
    files: tuple[str, ...],
    plots: tuple[Path, ...],
    all_rows: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Run the same model on PyTorch and ONNX Runtime, and measure what each costs.

    Without a model, a small built-in detector is used. PyTorch is measured if the interpreter has
    it, or with --install.

    Exit code: 0 measured; 1 a --limit is exceeded, or no runtime fits --dyno; 2 wrong usage; 3 a
    runtime could not be measured, or the outputs differ.
    """
    from slugcheck.bench import Bench
    from slugcheck.benching import judgement
    from slugcheck.model.to_document.bench import bench_document
    from slugcheck.render import plot
    from slugcheck.render.views import bench as views

    terminal = Terminal(quiet=quiet)
    options.require_linux("slugcheck bench")
    extras.require("bench", "slugcheck bench")
    options.start_clock(given, usual=_SECONDS)
    wanted = outputs(format_, files, FORMATS)
    options.check_plots(plots)
    options_ = _options(given)
    app = _app(given["app"], options_, terminal) if given["app"] is not None else None
    with Bench(options_) as run:
        with terminal.steps() as say:
            run.prepare(say, terminal.note)
        with terminal.progress("measuring") as bar:
            for done, total in run.measure():
                bar.update(done, total)
        result = replace(run.result(), app=app)
    shown, document = partial(views.view, result), partial(bench_document, result)
    options.write_view(wanted, terminal, shown, document, all_rows=all_rows)
    for path in plots:
        terminal.write_file(path, plot.draw(result, path.suffix), option="--plot")
    ctx.exit(judgement.exit_code(result))


def _app(folder: Path, given: BenchOptions, terminal: Terminal) -> RamFloor | None:
    """Return what the imports of the app in a folder take.

    :raises SlugcheckError: it could not be measured.
    """
    from slugcheck import api
    from slugcheck.model.options import Options

    options_ = Options(
        path=folder, platform=given.platform, dyno=given.dyno, index=given.index, env=given.env,
        exclude_newer=given.exclude_newer, offline=given.offline, refresh=given.refresh,
        use_cache=given.use_cache,
    )  # fmt: skip
    return api.run_check(options_, None, terminal).ram


def _options(given: dict[str, Any]) -> BenchOptions:
    from slugcheck import api
    from slugcheck.benching.plan import BenchOptions

    return BenchOptions(
        onnx=given["onnx"],
        torch=given["torch"],
        pythons=given["pythons"],
        requirements=given["requirements"],
        install=given["install"],
        install_limit=options.size_of(given["install_limit"], "--install-limit"),
        inputs=given["inputs"],
        batch=given["batch"],
        threads=given["threads"],
        runs=given["runs"],
        processes=given["processes"],
        platform=given["platform"],
        dyno=given["dyno"],
        memory_limits=tuple(
            options.size_of(text, "--memory-limit", least=_LEAST_BYTES) for text in given["limits"]
        ),
        limits=given["budgets"],
        baseline=given["baseline"],
        time_limit=_seconds(given["time_limit"]),
        variants=given["variants"],
        index=api.index_options(given["index_url"], given["extra_index_urls"], given["find_links"]),
        env=given["env"],
        exclude_newer=given["exclude_newer"],
        offline=given["offline"],
        refresh=given["refresh"],
        use_cache=given["cache"],
    )


def _seconds(text: str) -> float:
    from slugcheck.text import parse_seconds

    try:
        seconds = parse_seconds(text)
    except ValueError as error:
        raise UsageError(f"--time-limit: {error}") from None
    if seconds < 1:
        raise UsageError(f"--time-limit {text}: a worker needs at least a second")
    return float(seconds)

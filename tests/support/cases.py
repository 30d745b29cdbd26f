"""The reports that every rendering is tried on, from a small one that fits to a hostile one."""

from __future__ import annotations

from dataclasses import replace

from slugcheck.model import BundleKind, Estimate, FindingSeverity, Overlap, Report
from tests.support import apps, reports


def onnx() -> Report:
    """Fits, with room."""
    return reports.report(reports.measured("onnx"), path="requirements_onnx.txt")


def cuda() -> Report:
    """Does not fit, by far; two distributions write the same files."""
    return reports.report(
        reports.measured("cuda"),
        path="requirements.txt",
        overlaps=(
            Overlap(
                names=("opencv-python", "opencv-python-headless"),
                files=79,
                bytes=75_344_568,
                slug_bytes=28_106_321,
                example="lib/python3.11/site-packages/cv2/cv2.abi3.so",
            ),
            Overlap(
                names=("nvidia-cublas-cu12", "nvidia-nccl-cu12", "nvidia-nvtx-cu12"),
                files=1, bytes=0, slug_bytes=22, example="nvidia/__init__.py",
            ),
        ),
        findings=(
            reports.finding(
                "cuda-on-cpu",
                FindingSeverity.ERROR,
                "torch",
                "torch from the default index brings 13 GPU-only distributions (nvidia-cublas-cu12,"
                " nvidia-cuda-cupti-cu12, nvidia-cuda-nvrtc-cu12 and 10 more), and Heroku has no"
                " GPU",
                "--extra-index-url https://wheels.example/a/rather/long/path/that/is/never/wrapped"
                "/whl/cpu\ntorch==2.5.1+cpu\ntorchvision==0.20.1+cpu",
                saves=(3_455_985_328, 2_089_786_048),
            ),
            reports.finding(
                "two-opencvs",
                FindingSeverity.WARNING,
                "opencv-python",
                "opencv-python and opencv-python-headless both write the folder cv2",
                "# in bin/post_compile:\n    pip uninstall --yes opencv-python",
            ),
        ),
        build=Estimate.predicted(429.4, 214.7, 858.8),
    )  # fmt: skip


WINDOWS = "its wheels are for Windows only, and there is no source archive, so pip fails"
GIT = "it comes from a version control system; its size is known only after a build"


def source() -> Report:
    """Built from source in part, and not all could be sized."""
    builds = {
        "pandas": reports.source_build("Cython and C built by its setup.py", 0.5, 1.2),
        "psycopg2": reports.source_build("C built by its setup.py", 0.4, 1.6),
        "sklearn": reports.source_build("pure Python", 0.97, 1.02, native=False),
    }
    rows = [
        replace(
            row,
            distribution=replace(
                row.distribution,
                source_build=builds.get(row.name),
                extras=("standard",) if row.name == "uvicorn" else (),
            ),
        )
        for row in reports.measured("source")
    ]
    return reports.report(
        rows,
        on=reports.target(origin="default"),
        unsized=(
            reports.missing("mylib", None, GIT, 8),
            reports.missing("pywin32", "306", WINDOWS, 5),
            reports.missing("pywinpty", "2.0.13", WINDOWS, 6),
        ),
        notes=("the cache folder cannot be written, so nothing was kept",),
        build=Estimate.predicted(233.0, 67.0, 1906.0),
        percent=9.9,
    )


def whole() -> Report:
    """A project folder with models, verified."""
    return apps.with_app(
        onnx(),
        apps.app(("static/img/", 120, 12_300_000, 11_900_000), ("app/", 31, 210_000, 52_000)),
        [apps.model(f"models/{name}.onnx") for name in ("pests", "diseases")]
        + [apps.model("models/large.safetensors", 1_258_291_200, 1_100_000_000, 2)],
        apps.options(),
        apps.verification(),
    )


def hostile() -> Report:
    """Every text from outside tries to be more than text."""
    red, override = "\x1b[31;1mred\x1b[0m", "\u202eevil"
    report = reports.report(
        (
            reports.distribution("[bold]x[/bold]", direct=True, extras=("standard", "[red]")),
            reports.distribution("evil|name`code`", required_by=("[bold]x[/bold]", "<img src=x>")),
            reports.distribution(f"::error::{red}", override, required_by=("@everyone #1",)),
            reports.distribution("uvicorn", extras=("standard",), direct=True),
        ),
        path=f"../{override}/::set-output name=x::y/{red}.txt",
        parts=(*reports.RUNTIME, reports.part("[i]x|y`", "other", 1_000, 500, "x\ny")),
        unsized=(
            reports.missing(
                "::error file=a::b",
                "1|2",
                "https://user:s3cret@host.example/x failed:\r\n::warning::no\n\x07</details>",
                9,
            ),
        ),
        overlaps=(
            Overlap(
                names=("[bold]x[/bold]", "evil|name`code`"),
                files=1, bytes=200_000, slug_bytes=60_000, example="a\x1b]0;title\x07b|c",
            ),
        ),
        findings=(
            reports.finding(
                "a`b|c",
                FindingSeverity.ERROR,
                "x",
                "see http://user:s3cret@host.example/ @everyone <script>alert(1)</script>",
                "```\n::error::fix\n  x[a,b]==1.0 ; python_version < '3'\n$(rm)\x1b[2J",
            ),
        ),
        notes=("##[command]note", "# heading", "::debug::x"),
    )  # fmt: skip
    return apps.with_app(
        report,
        apps.app((f"{red}|[bold]/", 2, 100_000, 50_000), ("<b>`x`</b>\n::error::/", 1, 1_000, 500)),
        [apps.model("models/[b]*.onnx", 9_000_000, 8_000_000), apps.model(f"{override}|<script>")],
        apps.options(title="[red]git|`slug`\x1b[2J"),
        apps.verification(
            installer="pip [bold]", command="pip install https://u:s3cret@host.example/x |`"
        ),
    )


def crowd(count: int = 200) -> Report:
    """Very many distributions, some with very long names and many parents."""
    parents = tuple(f"parent-{number}" for number in range(30))
    rows = [
        reports.distribution(
            f"a-distribution-whose-name-has-exactly-sixty-characters-{number:05d}",
            slug=9_000_000 - 40_000 * number,
            direct=number % 20 == 0,
            required_by=parents[: number % 31],
        )
        for number in range(count)
    ]
    return reports.report(rows, percent=35.0)


def functions() -> Report:
    """A platform whose limit is about installed bytes."""
    return reports.report(
        reports.measured("onnx"),
        on=reports.target(title="Functions", kind=BundleKind.UNZIPPED),
        parts=(),
        percent=1.0,
    )


def empty() -> Report:
    """A file that asks for nothing, on a platform that limits nothing and adds nothing."""
    return reports.report((), parts=(), limits=())


CASES = {
    "onnx": onnx,
    "whole": whole,
    "cuda": cuda,
    "source": source,
    "hostile": hostile,
    "crowd": crowd,
    "functions": functions,
    "empty": empty,
}

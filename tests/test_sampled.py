import io
import os
import py_compile
import random
import subprocess
import tarfile
import zlib
from pathlib import Path

import pytest

from slugcheck.model import Entry, Estimate
from slugcheck.sizing import bytecode, calibration, compression, sampled

MINOR = bytecode.running_minor()
SITE = "app/.heroku/python/lib/python3.11/site-packages"


def module(seed: int, lines: int = 120) -> str:
    """Return a source of its own: other names and numbers for each seed."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmnop", k=8)) for _ in range(30)]
    return "".join(
        f"def {rng.choice(words)}_{n}({rng.choice(words)}, b={rng.randint(0, 10**6)}):\n"
        f"    return {rng.choice(words)}.{rng.choice(words)}(b, '{rng.choice(words)}')\n"
        for n in range(lines)
    )


def distribution(texts: list[str]) -> list[tuple[Entry, bytes]]:
    return [
        (
            Entry(
                path=f"a/m{n:04}.py", size=len(text), compressed=len(zlib.compress(text.encode()))
            ),
            text.encode(),
        )
        for n, text in enumerate(texts)
    ]


def packed(runs: list[list[tuple[Entry, bytes]]]) -> sampled.Packed | None:
    shown = sampled.compile_runs(runs)
    return shown.packed if shown else None


def test_a_sample_compresses_as_tar_and_gzip_compress_the_installed_files(tmp_path: Path) -> None:
    files = distribution([module(seed) for seed in range(20)])
    folder = tmp_path / SITE / "a"
    (folder / "__pycache__").mkdir(parents=True)
    for entry, text in files:
        path = tmp_path / SITE / entry.path
        path.write_bytes(text)
        os.utime(path, (1_700_000_000, 1_700_000_000))
        made = folder / "__pycache__" / f"{path.stem}.cpython-311.pyc"
        py_compile.compile(str(path), cfile=str(made), dfile=f"/{SITE}/{entry.path}", doraise=True)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(folder.rglob("*.py*"), key=lambda path: path.parts):
            tar.add(path, f"./{path.relative_to(tmp_path / 'app')}")
    gzipped = subprocess.run(["gzip", "-6"], input=archive.getvalue(), capture_output=True)
    found = packed([files])
    assert found is not None
    assert compression.GZIP_SAMPLE * found.packed_bytes == pytest.approx(
        len(gzipped.stdout), rel=0.005
    )
    assert found.bytecode_bytes == sum(made.stat().st_size for made in folder.rglob("*.pyc"))


def test_sources_that_are_all_alike_show_a_smaller_share_of_the_slug() -> None:
    alike = [module(1) + f"# {n}\n" for n in range(40)]
    for texts, low, high in ((alike, 0.0, 0.4), ([module(n) for n in range(40)], 0.6, 1.5)):
        files = distribution(texts)
        _, factor = sampled.factors([entry for entry, _ in files], [files])
        assert factor is not None
        assert low < factor < high


def test_of_a_large_sample_every_few_runs_are_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [[file] for file in distribution([module(n) for n in range(8)])]
    everything = packed(runs)
    assert everything is not None
    assert len(everything.paths) == 8
    whole = everything.bytecode_bytes + sum(len(text) for run in runs for _, text in run)
    monkeypatch.setattr(sampled, "_PACKED", whole // 4 + 1)
    some = packed(runs)
    assert some is not None
    assert some.paths == ("a/m0000.py", "a/m0004.py")


def nested(depth: int) -> str:
    """Return a source whose bytecode doubles with each level: "finally" is compiled twice."""
    text = "x = 1"
    for _ in range(depth):
        text = "try:\n y()\nfinally:\n" + "".join(f" {line}\n" for line in text.splitlines())
    return text


def test_a_source_that_compiles_to_far_more_than_itself_is_not_compressed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = distribution([nested(9)])
    size = sum(len(text) for _, text in run)
    assert packed([run]) is not None
    monkeypatch.setattr(sampled, "_PACKED", 2 * size)
    shown = sampled.compile_runs([run])
    assert shown is not None
    assert (shown.sizes[0][0] or 0) > 4 * size
    assert shown.packed is None


def test_a_source_that_takes_the_compiler_gigabytes_is_left_out_and_no_other() -> None:
    shown = sampled.compile_runs([distribution([nested(20), nested(18), module(1)])])
    assert shown is not None
    (deepest, deep, plain), packed = shown.sizes[0], shown.packed
    assert (deepest, deep) == (None, None)
    assert plain
    assert packed is not None
    assert packed.paths == ("a/m0002.py",)


def test_a_sample_that_takes_too_long_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "_SECONDS", 0.01)
    run = distribution([nested(16)])
    assert sampled.factors([entry for entry, _ in run], [run]) == (None, None)


def test_large_sources_are_compiled_and_not_compressed() -> None:
    huge, small = distribution(["x = 1\n" * 50_000, module(1)])
    shown = sampled.compile_runs([[huge, small]])
    assert shown is not None
    assert all(shown.sizes[0])
    assert shown.packed is not None
    assert shown.packed.paths == ("a/m0001.py",)
    assert packed([[huge]]) is None


# --------------------------------------------------------------------------- what it is for


def slug(
    files: list[Entry], factor: float | None, name: str | None = None, version: str | None = None
) -> Estimate[int]:
    made = bytecode.class_prediction(files, minor=MINOR, prefix="/p")
    known = Estimate[int].measured(made)
    return compression.predict(files, known, minor=MINOR, factor=factor, name=name, version=version)


MODULES = [Entry(path=f"a/m{n}.py", size=5000, compressed=1400) for n in range(1500)]


def test_a_sample_corrects_the_slug_and_narrows_its_interval() -> None:
    model, less, nearly = slug(MODULES, None), slug(MODULES, 0.5), slug(MODULES, 1.02)
    assert less.value == pytest.approx(model.value / 2, rel=0.01)
    assert nearly.percent < less.percent < model.percent  # files much alike are doubted more


def test_another_version_counts_beside_the_sample_of_a_large_distribution_alone() -> None:
    for files, half in ((MODULES, True), (MODULES[:300], False)):
        sample, other = slug(files, 0.5).value, slug(files, None, "django", "0.9").value
        both = slug(files, 0.5, "django", "0.9").value
        assert both == pytest.approx((sample * other) ** 0.5 if half else sample, rel=0.01)


def test_a_sample_corrects_the_sources_and_their_bytecode_alone() -> None:
    data = [Entry(path=f"a/d{n}.json", size=9000, compressed=900) for n in range(500)]
    gained = slug(MODULES, None).value - slug(MODULES, 0.5).value
    beside = slug([*MODULES, *data], None).value - slug([*MODULES, *data], 0.5).value
    assert beside == pytest.approx(gained, rel=0.01)


def test_a_sample_does_not_count_beside_a_measured_version_or_little_python() -> None:
    version = calibration.load().known["django"][-1].version
    assert slug(MODULES, 0.5, "django", version) == slug(MODULES, None, "django", version)
    data = [Entry(path=f"a/d{n}.json", size=9000, compressed=6000) for n in range(5000)]
    assert slug([*MODULES, *data], 0.5) == slug([*MODULES, *data], None)

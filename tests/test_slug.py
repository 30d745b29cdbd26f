import importlib.metadata
import io
import marshal
import tarfile
import zlib
from pathlib import Path

import pytest

from slugcheck.model import Basis, Entry, Estimate
from slugcheck.sizing import bytecode, calibration, compression
from slugcheck.sizing.kinds import SlugGroup

NO_BYTECODE = Estimate[int].measured(0)


def installed(name: str) -> tuple[list[Entry], dict[str, bytes]]:
    """Return the files of an installed distribution, as entries of a wheel and as bytes."""
    entries, data = [], {}
    for file in importlib.metadata.files(name) or ():
        path = Path(str(file.locate()))
        if file.suffix == ".pyc" or ".." in file.parts or not path.is_file():
            continue
        content = path.read_bytes()
        data[file.as_posix()] = content
        compressed = len(zlib.compress(content, 6))
        entries.append(Entry(path=file.as_posix(), size=len(content), compressed=compressed))
    return entries, data


def compiled(data: dict[str, bytes]) -> dict[str, bytes]:
    return {
        f"{path[:-3]}.pyc": bytes(16) + marshal.dumps(compile(source, path, "exec"))
        for path, source in data.items()
        if path.endswith(".py")
    }


def gzipped(data: dict[str, bytes]) -> int:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(data):
            info = tarfile.TarInfo(path)
            info.size = len(data[path])
            tar.addfile(info, io.BytesIO(data[path]))
    return len(zlib.compress(buffer.getvalue(), 6))


@pytest.mark.parametrize("name", ["rich", "click", "hypothesis", "packaging"])
def test_the_true_share_of_real_packages_lies_in_the_interval(name: str) -> None:
    entries, data = installed(name)
    plain = compression.predict(entries, NO_BYTECODE, minor="3.11")
    assert plain.low <= gzipped(data) <= plain.high
    pyc = compiled(data)
    known = Estimate[int].measured(sum(map(len, pyc.values())))
    whole = compression.predict(entries, known, minor="3.11")
    assert whole.basis is Basis.PREDICTED
    assert whole.low <= gzipped(data | pyc) <= whole.high


def sources(count: int, *, size: int = 5000, compressed: int = 1300) -> list[Entry]:
    return [
        Entry(path=f"a/m{number}.py", size=size, compressed=compressed) for number in range(count)
    ]


def test_bytecode_adds_its_share_and_its_doubt() -> None:
    files = sources(200)
    model = bytecode.class_prediction(files, minor="3.11", prefix="")
    without = compression.predict(files, NO_BYTECODE, minor="3.11")
    sure = compression.predict(files, Estimate[int].measured(model), minor="3.11")
    doubtful = compression.predict(
        files, Estimate.predicted(model, model // 2, model * 2), minor="3.11"
    )
    assert 0.25 * model < sure.value - without.value < 0.45 * model
    assert doubtful.value == sure.value
    assert doubtful.low < sure.low < sure.high < doubtful.high


def test_many_small_files_take_less_than_they_did_in_the_archive() -> None:
    small = sources(1000, size=1000, compressed=400)
    large = sources(1, size=1_000_000, compressed=400_000)
    small_share = compression.predict(small, NO_BYTECODE, minor="3.11").value
    large_share = compression.predict(large, NO_BYTECODE, minor="3.11").value
    assert small_share < 0.9 * large_share
    assert large_share == pytest.approx(400_000, rel=0.01)


def test_native_code_and_images_keep_their_compressed_size() -> None:
    files = [Entry(path="a/b.so", size=90_000_000, compressed=30_000_000)]
    assert compression.predict(files, NO_BYTECODE, minor="3.11").value == pytest.approx(
        3e7, rel=0.01
    )


@pytest.mark.parametrize("megabytes", [20, 500, 2000])
def test_a_wheel_of_native_code_has_a_narrow_interval(megabytes: int) -> None:
    size = megabytes * 10**6
    files = [Entry(path="a/b.so", size=3 * size, compressed=size)]
    files += [Entry(path=f"a/m{number}.pyi", size=4000, compressed=1200) for number in range(50)]
    found = compression.predict(files, NO_BYTECODE, minor="3.11")
    assert found.value == pytest.approx(size, rel=0.005)
    assert found.percent <= 1.0


def test_thousands_of_small_files_have_a_wide_interval() -> None:
    small = [Entry(path=f"a/{n}.json", size=3000, compressed=900) for n in range(5000)]
    one_file = [Entry(path="a/all.json", size=15_000_000, compressed=4_500_000)]
    many, single = (compression.predict(f, NO_BYTECODE, minor="3.11") for f in (small, one_file))
    assert many.percent > 10
    assert single.percent < 1


def test_thousands_of_sources_may_be_much_alike() -> None:
    clients, library = (
        compression.predict(sources(count), NO_BYTECODE, minor="3.11") for count in (3000, 300)
    )
    assert clients.low / clients.value < 0.7 < 0.8 < library.low / library.value
    assert clients.high / clients.value == pytest.approx(library.high / library.value, rel=0.01)
    native = Entry(path="a/b.so", size=300_000_000, compressed=100_000_000)
    beside = compression.predict([*sources(3000), native], NO_BYTECODE, minor="3.11")
    assert beside.percent < 1


def test_native_code_beside_bytecode_leaves_only_the_bytecodes_doubt() -> None:
    files = sources(300)
    made = Estimate[int].measured(bytecode.class_prediction(files, minor="3.11", prefix=""))
    native = Entry(path="a/b.so", size=300_000_000, compressed=100_000_000)
    alone = compression.predict(files, made, minor="3.11")
    beside = compression.predict([*files, native], made, minor="3.11")
    doubt, whole = alone.high - alone.value, beside.high - beside.value
    assert doubt < whole < doubt + 0.01 * native.compressed


def test_empty_files_still_have_their_headers() -> None:
    empty = [Entry(path=f"a/{number}/__init__.py", size=0, compressed=2) for number in range(100)]
    found = compression.predict(empty, NO_BYTECODE, minor="3.11")
    assert 100 * 30 < found.value < 100 * 512


def test_a_stored_file_is_taken_at_its_groups_ratio_and_doubted_more() -> None:
    size = 10_000_000
    stored = [Entry(path="a/b.so", size=size, compressed=size, stored=True)]
    ratio = calibration.load().ratios[SlugGroup.REST]
    deflated = [Entry(path="a/b.so", size=size, compressed=round(size * ratio))]
    said, other = (compression.predict(f, NO_BYTECODE, minor="3.11") for f in (stored, deflated))
    assert said.value == pytest.approx(other.value, rel=0.001)
    assert said.percent > other.percent


def test_a_known_version_is_believed_more_than_another_and_that_more_than_none() -> None:
    files = sources(500)
    known = calibration.load().known["django"][-1]

    def predict(name: str | None, version: str | None) -> Estimate[int]:
        return compression.predict(files, NO_BYTECODE, minor="3.11", name=name, version=version)

    same, other, none = (
        predict("Django", known.version), predict("django", "0.9"), predict(None, None)
    )  # fmt: skip
    assert same.percent < other.percent < none.percent
    assert same.value == pytest.approx(none.value * known.slug, rel=0.001)


def test_a_factor_does_not_move_native_code() -> None:
    native = Entry(path="a/b.so", size=300_000_000, compressed=100_000_000)
    known = calibration.load().known["google-ads"][-1]
    found = compression.predict(
        [*sources(5), native], NO_BYTECODE, minor="3.11", name="google-ads", version=known.version
    )
    assert known.slug < 0.9
    assert found.value == pytest.approx(1e8, rel=0.005)


def test_repetitive_bytecode_of_a_known_distribution_counts_half() -> None:
    files = sources(500)
    model = bytecode.class_prediction(files, minor="3.11", prefix="")

    def share(factor: int) -> int:
        return compression.predict(
            files, Estimate[int].measured(factor * model), minor="3.11", name="sympy",
            model_bytecode=model,
        ).value  # fmt: skip

    unknown = [
        compression.predict(files, Estimate[int].measured(f * model), minor="3.11").value
        for f in (1, 2)
    ]
    assert share(2) / share(1) < unknown[1] / unknown[0]


@pytest.mark.parametrize("minor", ["3.10", "3.12", "3.13", "3.14", "3.15"])
def test_other_pythons_compress_their_bytecode_to_nearly_as_much(minor: str) -> None:
    files = sources(300)

    def share(minor: str) -> int:
        made = bytecode.predict("a", files, minor=minor, prefix="/p", factor=None).estimate
        return compression.predict(files, made, minor=minor).value

    plain = compression.predict(files, NO_BYTECODE, minor=minor).value
    ratio = (share(minor) - plain) / (share("3.11") - plain)
    assert 0.55 < ratio < 1.15


def test_an_empty_distribution_weighs_nothing() -> None:
    assert compression.predict([], NO_BYTECODE, minor="3.11").value == 0

"""AWS Lambda: what its package holds, on which Python and processor, and what can be left out."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slugcheck import platforms
from slugcheck.api import check as api_check
from slugcheck.errors import PlatformError, UsageError
from slugcheck.model import Platform
from slugcheck.platforms import tags
from slugcheck.policy import settings
from slugcheck.project import target
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")
MIB = 2**20
LIBRARY = b"\x7fELF" + bytes(200_000)


@pytest.fixture(scope="module")
def place() -> Platform:
    return platforms.load("aws-lambda")


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    """Boto3 with what it requires, and an app's library that shares one of those."""
    server = package_server
    sources = {"a.py": "def f():\n    return [n for n in range(9)]\n" * 400}

    def add(name: str, size: int, requires: tuple[str, ...] = (), **more: Any) -> None:
        folder = name.replace("-", "_")
        files = {f"{folder}/{path}": text for path, text in sources.items()}
        server.add_wheel(
            name, "1.0", files | {f"{folder}/data.bin": bytes(size)}, requires=requires, **more
        )

    add("boto3", 1_000, ("botocore", "s3transfer"))
    add("botocore", 30 * MIB, ("jmespath", "urllib3", "python-dateutil"))
    add("s3transfer", 5_000, ("botocore",))
    add("jmespath", 5_000)
    add("urllib3", 5_000)
    add("python-dateutil", 5_000, ("six",))
    add("six", 5_000)
    add("frames", 40 * MIB, ("python-dateutil",))
    for processor, size in (("x86_64", 1), ("aarch64", 2)):
        server.add_wheel(
            "speedups",
            "1.0",
            {"speedups.so": LIBRARY * size},
            tag=f"cp312-cp312-manylinux_2_34_{processor}",
        )
    return server


@pytest.fixture
def check(index: PackageServer, requirements: Write) -> Callable[..., Done]:
    def run(lines: str, *more: object, python: str = "3.12", platform: str = "aws-lambda") -> Done:
        path = requirements(lines.replace(" ", "\n") + "\n")
        given = ("--platform", platform) if platform else ()
        flags = ("--python", python, *given, "--index-url", index.index_url, "--format", "json")
        return slugcheck(path, *flags, *more)

    return run


# --------------------------------------------------------------------------- Python and stack


@pytest.mark.parametrize(
    ("python", "stack", "glibc"),
    [("3.10", "al2", (2, 26)), ("3.11", "al2", (2, 26)), ("3.12", "al2023", (2, 34)),
     ("3.14", "al2023", (2, 34))],
)  # fmt: skip
def test_the_stack_follows_from_the_python(
    place: Platform, python: str, stack: str, glibc: tuple[int, int]
) -> None:
    chosen = target.choose(place, python=python)
    assert (chosen.stack.name, chosen.stack.glibc) == (stack, glibc)


def test_a_stack_that_is_given_stays_whatever_the_python(place: Platform) -> None:
    chosen = target.choose(place, python="3.11", stack="al2023")
    newest = place.pythons[-1]
    assert chosen.stack.name == chosen.with_python(newest, "").stack.name == "al2023"
    assert target.choose(place, python="3.12", stack="al2").stack.glibc == (2, 26)


def test_another_python_is_tried_on_its_own_stack_and_the_same_processor(place: Platform) -> None:
    chosen = target.choose(place, python="3.11", arch="arm64")
    other = chosen.with_python(place.pythons[-1], "tried")
    assert (other.stack.name, other.stack.arch, other.minor) == ("al2023", "aarch64", "3.14")
    assert (other.python_origin, other.python_version) == ("tried", place.pythons[-1].version)


def test_the_older_name_is_the_same_platform_with_its_older_python(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    (tmp_path / "slugcheck.toml").write_text('platform = "aws-lambda-al2"\nstack = "al2"\n')
    path = requirements("six\n")
    done = slugcheck(path, "--index-url", index.index_url, "--format", "json")
    assert done.code == 0, done.err
    chosen = done.document["target"]
    assert (chosen["platform"], chosen["stack"], chosen["python"]) == ("aws-lambda", "al2", "3.11")
    assert any("aws-lambda-al2 is now part of aws-lambda" in n for n in done.document["notes"])


# --------------------------------------------------------------------------- processor


@pytest.mark.parametrize("name", ["arm64", "aarch64", "ARM64"])
def test_wheels_of_the_processor_are_sized(check: Callable[..., Done], name: str) -> None:
    usual, arm = check("speedups"), check("speedups", "--arch", name)
    assert usual.one("speedups")["filename"].endswith("_x86_64.whl")
    assert arm.one("speedups")["filename"].endswith("_aarch64.whl")
    assert arm.document["target"]["arch"] == "aarch64"
    sizes = [done.one("speedups")["bundle_bytes"] for done in (usual, arm)]
    assert sizes[1] - sizes[0] == pytest.approx(len(LIBRARY), abs=100)


def test_markers_and_the_resolver_see_the_processor(place: Platform) -> None:
    arm = target.choose(place, python="3.12", arch="arm64")
    assert tags.marker_environment(arm)["platform_machine"] == "aarch64"
    assert tags.uv_platform(arm.stack) == "aarch64-manylinux_2_34"
    assert target.choose(place, arch="amd64").stack.arch == "x86_64"


def test_a_processor_that_a_platform_does_not_have_is_refused(check: Callable[..., Done]) -> None:
    done = check("six", "--arch", "arm64", platform="heroku")
    assert done.code == 2
    assert "Heroku has no architecture 'arm64': it has x86_64" in done.err
    assert check("six", "--arch", "mips").code == 2


def test_settings_choose_the_processor_and_a_wrong_one_is_a_mistake(
    check: Callable[..., Done], tmp_path: Path
) -> None:
    file = tmp_path / "slugcheck.toml"
    file.write_text('platform = "aws-lambda"\narch = "arm64"\n')
    assert check("speedups", platform="").document["target"]["arch"] == "aarch64"
    # it says nothing about another platform
    assert check("six", platform="heroku").document["target"]["arch"] == "x86_64"
    file.write_text('platform = "heroku"\narch = "arm64"\nbytecode = false\nprovided = true\n')
    wrong = check("six", platform="")
    assert wrong.code == 2
    for said in (
        "arch: Heroku has no architecture 'arm64'; choose x86_64",
        "bytecode: Heroku's buildpack always compiles bytecode",
        "provided: Heroku installs every package",
    ):
        assert said in wrong.err


# --------------------------------------------------------------------------- bytecode


def test_a_package_has_no_bytecode_unless_it_is_asked_for(
    check: Callable[..., Done], tmp_path: Path
) -> None:
    plain, compiled = check("six"), check("six", "--bytecode")
    assert plain.one("six")["bytecode_bytes"] == 0
    more = compiled.one("six")["bytecode_bytes"]
    assert more > 0
    grown = compiled.document["totals"]["bundle_bytes"] - plain.document["totals"]["bundle_bytes"]
    assert more < grown < more + 200  # and its row in RECORD
    (tmp_path / "slugcheck.toml").write_text('platform = "aws-lambda"\nbytecode = true\n')
    assert check("six", platform="").one("six")["bytecode_bytes"] == more
    assert check("six", "--no-bytecode", platform="").one("six")["bytecode_bytes"] == 0


def test_bytecode_can_be_left_out_except_on_heroku(check: Callable[..., Done]) -> None:
    there = check("six", "--no-bytecode", platform="fly")
    assert (there.code, there.one("six")["bytecode_bytes"]) == (0, 0)
    refused = check("six", "--no-bytecode", platform="heroku")
    assert refused.code == 2
    assert "Heroku's buildpack always compiles bytecode" in refused.err
    assert check("six", "--bytecode", platform="heroku").code == 0


# --------------------------------------------------------------------------- in the runtime


def test_what_the_runtime_provides_is_listed_and_counts_nothing(
    check: Callable[..., Done],
) -> None:
    whole = check("boto3 frames")
    done = check("boto3 frames", "--provided")
    rows = {row["name"]: row for row in done.document["distributions"]}
    provided = {name for name, row in rows.items() if row["provided_bytes"] is not None}
    assert provided == {
        "boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3",
    }  # fmt: skip
    assert rows.keys() == {row["name"] for row in whole.document["distributions"]}
    for name in provided:
        counted = [rows[name][f"{kind}_bytes"] for kind in ("installed", "slug", "bundle")]
        assert (counted, rows[name]["files"]) == ([0, 0, 0], 0)
        assert rows[name]["provided_bytes"] == whole.one(name)["installed_bytes"]
    totals = done.document["totals"]
    assert totals["bundle_bytes"] == totals["installed_bytes"] == rows["frames"]["bundle_bytes"]
    assert totals["zipped_bytes"] < whole.document["totals"]["zipped_bytes"]
    roots = {root["name"]: root for root in done.document["roots"]}
    assert roots["boto3"]["exclusive_bundle_bytes"] == roots["frames"]["shared_bundle_bytes"] == 0
    assert all(cause["bundle_bytes"] == 0 for cause in done.document["causes"])


def test_names_are_left_to_the_runtime_one_by_one(check: Callable[..., Done]) -> None:
    done = check("boto3 frames", "--provided", "Botocore", "--provided", "other")
    left = [d["name"] for d in done.document["distributions"] if d["provided_bytes"] is not None]
    assert left == ["botocore"]
    notes = "\n".join(done.document["notes"])
    assert "nothing to leave to the runtime: other is not required" in notes
    assert "in the runtime too, but counted: boto3, jmespath" in notes


def test_the_screen_names_what_is_in_the_runtime(index: PackageServer, requirements: Write) -> None:
    path = requirements("boto3\nframes\n")
    flags = ("--platform", "aws-lambda", "--python", "3.12", "--index-url", index.index_url)
    shown = slugcheck("--provided", path, *flags)  # a path behind it is no name
    assert shown.code == 0, shown.err
    assert "in the runtime: 7" in shown.out
    assert "not counted: 31.6 MB" in shown.out
    assert "boto3 1.0" not in shown.out  # no row of its own
    assert "\nzipped " not in shown.out  # a soft limit that holds
    every = slugcheck(path, *flags, "--provided", "--all", "-v")
    assert every.out.count("in the runtime") == 8  # seven rows, and the count above
    assert "boto3 1.0" in every.out
    assert "\nzipped " in every.out


def test_a_runtime_without_a_known_list_needs_names(check: Callable[..., Done]) -> None:
    bare = check("six", "--provided", platform="fly")
    assert bare.code == 2
    assert "slugcheck knows no packages that Fly.io's runtime provides" in bare.err
    assert check("six", "--provided", "six", platform="fly").one("six")["bundle_bytes"] == 0
    heroku = check("six", "--provided", "six", platform="heroku")
    assert heroku.code == 2
    assert "Heroku installs every package" in heroku.err


def test_settings_and_the_api_leave_packages_to_the_runtime(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    file, path = tmp_path / "slugcheck.toml", requirements("boto3\n")
    for written in ("true", '["runtime"]', '["boto3", "botocore"]'):
        file.write_text(f'platform = "aws-lambda"\nprovided = {written}\n')
        report = api_check(path, python="3.12", index_url=index.index_url)
        assert len(report.sizes.provided) == (2 if "boto3" in written else 7)
    file.write_text('platform = "aws-lambda"\nprovided = "boto3"\n')
    with pytest.raises(UsageError, match=r"provided must be true, or a list of names"):
        api_check(path, index_url=index.index_url)
    file.unlink()
    report = api_check(path, platform="aws-lambda", provided=True, index_url=index.index_url)
    assert len(report.sizes.provided) == 7
    with pytest.raises(UsageError, match="not the name of a package"):
        api_check(path, platform="aws-lambda", provided=["a b"], index_url=index.index_url)


# --------------------------------------------------------------------------- layers


def layer(path: Path, *sizes: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("python")
        for number, size in enumerate(sizes):
            archive.writestr(f"python/{number}.bin", bytes(size))
    return path


def test_layers_count_as_they_are_unpacked(check: Callable[..., Done], tmp_path: Path) -> None:
    folder = tmp_path / "layer"
    (folder / "python").mkdir(parents=True)
    (folder / "python" / "a.py").write_bytes(bytes(70_000))
    archive = layer(tmp_path / "l.zip", 500_000, 1_000)
    before = check("six").document["totals"]
    done = check("six", "--layer", archive, "--layer", folder, "--layer", "2MB")
    parts = [p for p in done.document["parts"] if p["group"] == "layers"]
    assert [part["installed_bytes"] for part in parts] == [501_000, 70_000, 2_000_000]
    grown = done.document["totals"]["bundle_bytes"] - before["bundle_bytes"]
    assert grown == 2_571_000
    assert done.document["totals"]["zipped_bytes"] == before["zipped_bytes"]  # uploaded apart


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["no.zip"], "no.zip: no such file or folder, and not a size"),
        (["broken.zip"], "broken.zip: it is not a ZIP archive, or its end is cut off"),
        (["1MB"] * 6, "AWS Lambda (zip) allows 5 layers, not 6"),
    ],
)
def test_a_layer_that_cannot_be_counted_is_refused(
    check: Callable[..., Done],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    said: str,
) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\3\4" + bytes(100))
    monkeypatch.chdir(tmp_path)
    done = check("six", *(word for text in flags for word in ("--layer", text)))
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_layers_are_lambdas_only(check: Callable[..., Done]) -> None:
    done = check("six", "--layer", "1MB", platform="heroku")
    assert done.code == 2
    assert "Heroku has no layers" in done.err


def test_layers_of_settings_stay_in_the_checkout(
    check: Callable[..., Done], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = layer(tmp_path_factory.mktemp("outside") / "l.zip", 1_000)
    (tmp_path / ".git").mkdir()
    (tmp_path / "link.zip").symlink_to(outside)
    layer(tmp_path / "own.zip", 3_000)
    file = tmp_path / "slugcheck.toml"
    file.write_text('platform = "aws-lambda"\nlayers = ["own.zip", "5MB"]\n')
    parts = check("six", platform="").document["parts"]
    assert sum(part["installed_bytes"] for part in parts) == 5_003_000
    assert check("six", platform="heroku").code == 0  # layers of another platform
    for named in ("link.zip", str(outside)):
        file.write_text(f'platform = "aws-lambda"\nlayers = [{json.dumps(named)}]\n')
        done = check("six", platform="")
        assert done.code == 2
        assert "outside the checkout" in done.err


# --------------------------------------------------------------------------- the zip archive


@pytest.mark.slow
def test_a_large_zip_warns_that_it_needs_s3_and_still_fits(
    index: PackageServer, check: Callable[..., Done]
) -> None:
    noise = index.add_wheel("noise", "1.0", {"noise.bin": _noise(60_000_000)})
    done = check("noise")
    assert done.code == 0
    verdict = next(v for v in done.document["verdicts"] if v["budget"] == "zipped")
    assert (verdict["status"], verdict["gates"], verdict["limit"]) == ("warn", False, 50 * MIB)
    assert "Amazon S3" in verdict["sentence"]
    assert verdict["measured"] == pytest.approx(len(noise.content), rel=0.001)
    limited = check("six", "--limit", "zipped=1kB")
    assert limited.code == 0  # it stays what the platform says of it


def _noise(size: int) -> bytes:
    import random

    return random.Random(7).randbytes(size)


def test_the_predicted_zip_is_the_one_that_zipfile_writes(
    index: PackageServer, check: Callable[..., Done]
) -> None:
    sources = {
        f"pkg/m{n}.py": "".join(f"def f{n + k}(x):\n    return {k * k} + {n}\n" for k in range(900))
        for n in range(40)
    }
    wheel = index.add_wheel("pkg", "1.0", sources)
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as unpacked:
        members = {name: unpacked.read(name) for name in unpacked.namelist()}
    target_file = io.BytesIO()
    with zipfile.ZipFile(target_file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    totals = check("pkg").document["totals"]
    size = len(target_file.getvalue()) + 400  # INSTALLER, REQUESTED, and their headers
    assert totals["zipped_bytes"] == pytest.approx(size, rel=0.01)
    assert totals["zipped_low_bytes"] < size < totals["zipped_high_bytes"]


# --------------------------------------------------------------------------- advice


def finding(done: Done, code: str) -> Any:
    return next((found for found in done.document["findings"] if found["code"] == code), None)


def test_a_tight_bundle_is_told_what_the_runtime_saves(check: Callable[..., Done]) -> None:
    tight = ("--limit", "bundle=80M")
    told = finding(check("boto3 frames", *tight), "in-the-runtime")
    before = check("boto3 frames").document["totals"]["bundle_bytes"]
    after = check("boto3 frames", "--provided").document["totals"]["bundle_bytes"]
    assert told["saves_bundle_bytes"] == before - after
    assert (told["then_bytes"], told["then_status"]) == (after, "pass")
    assert told["fix"].endswith("--platform aws-lambda --python 3.12 --provided")
    for lines, more in (
        ("boto3 frames", ()),
        ("frames", tight),
        ("boto3 frames", (*tight, "--provided")),
    ):
        assert finding(check(lines, *more), "in-the-runtime") is None


def test_a_package_that_fits_only_without_bytecode_is_told_so(
    index: PackageServer, check: Callable[..., Done]
) -> None:
    source = "\n".join(f"def f{n}(a, b):\n    return a + b * {n}" for n in range(4_000))
    index.add_wheel("code", "1.0", {f"code/m{n}.py": source for n in range(8)})
    plain = check("code").document["totals"]["bundle_bytes"]
    tight = ("--limit", f"bundle={plain + 10_000}B")
    told = finding(check("code", *tight), "bytecode-over-limit")
    assert told["severity"] == "warning"
    assert "--no-compile" in told["fix"]
    assert check("code", *tight).code == 0
    assert finding(check("code", *tight, "--no-bytecode"), "bytecode-over-limit") is None
    assert finding(check("code", "--limit", f"bundle={2 * plain}B"), "bytecode-over-limit") is None


def test_symbols_that_strip_removes_are_estimated(
    index: PackageServer, check: Callable[..., Done]
) -> None:
    files = {"spacy/a.so": bytes(10_000_000), "spacy.libs/b.so": bytes(50_000_000)}
    index.add_wheel("spacy", "3.8.99", files)
    told = finding(check("spacy", "--limit", "bundle=60M"), "unstripped-libraries")
    assert "about 8.4M, between 8M and 9M (an estimate, not measured)" in told["sentence"]
    assert "-not -path '*.libs/*'" in told["fix"]
    assert told["saves_bytes"] is told["then_bytes"] is None
    assert finding(check("spacy"), "unstripped-libraries") is None


# --------------------------------------------------------------------------- the rest


def test_an_image_may_have_ten_gib(check: Callable[..., Done]) -> None:
    done = check("six", platform="aws-lambda-image")
    verdict = next(v for v in done.document["verdicts"] if v["budget"] == "bundle")
    assert verdict["limit"] == 10 * 2**30
    assert done.one("six")["bytecode_bytes"] > 0
    assert any("no base image is known" in note for note in done.document["notes"])
    assert check("six", "--layer", "1MB", platform="aws-lambda-image").code == 2


def test_init_writes_what_was_chosen(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("boto3\n")
    flags = ("--platform", "aws-lambda", "--arch", "arm64", "--bytecode", "--provided")
    done = slugcheck("init", path, "--index-url", index.index_url, *flags, "--layer", "3MB")
    assert done.code == 0, done.err
    own = settings.load(tmp_path)
    assert (own.platform, own.arch, own.bytecode) == ("aws-lambda", "arm64", True)
    assert (own.provided, own.layers) == (("runtime",), ("3MB",))


def test_a_wrong_platform_file_is_told_what_fits(place: Platform) -> None:
    text = (Path(platforms.__file__).parent / "aws-lambda.toml").read_text()
    wrong = (
        text.replace('arch = ["x86_64", "arm64"]', 'arch = ["x86_64", "mips"]', 1)
        .replace('stack = "al2"\n', 'stack = "al3"\n', 1)
        .replace("bundle.layers = 5", "bundle.layers = -1")
    )
    with pytest.raises(PlatformError) as caught:
        platforms.parse(wrong, "aws-lambda.toml")
    told = str(caught.value)
    for said in (
        "stacks[0].arch must be one or more of x86_64, arm64, amd64, aarch64",
        "pythons[0].stack must be one of al2, al2023",
        "bundle.layers must be a whole number of at least 0",
    ):
        assert said in told

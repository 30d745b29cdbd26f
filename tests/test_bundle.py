"""What a platform counts, against trees that are really packed."""

from __future__ import annotations

import gzip
import io
import random
import re
import string
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from slugcheck import platforms
from slugcheck.model import BundleKind, Entry, Estimate
from slugcheck.sizing import bundle, stripping
from slugcheck.sizing import zipped as archives
from slugcheck.sizing.installed import Layout
from tests.support import apps
from tests.support.commands import slugcheck
from tests.support.server import PackageServer

LAYOUT = Layout(prefix="/function/virtualenv", python="/usr/bin/python3", minor="3.13")
RULE = platforms.load("digitalocean-functions").bundle


def tree(files: int, seed: int) -> dict[str, bytes]:
    """Return modules as a distribution has them: many small ones, some large."""
    drawn = random.Random(seed)
    words = [
        "".join(drawn.choices(string.ascii_lowercase, k=drawn.randint(2, 9))) for _ in "x" * 400
    ]
    made = {}
    for number in range(files):
        lines = min(int(drawn.paretovariate(0.8) * 6), 1_500)
        text = "\n".join(" ".join(drawn.choices(words, k=7)) for _ in range(lines))
        path = f"{LAYOUT.site_packages}/package/{drawn.choice(words)}_{number}.py"
        made[path] = text.encode()
    return made


def zipped(files: Mapping[str, bytes]) -> int:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return len(out.getvalue())


def deflated(content: bytes) -> int:
    packer = zlib.compressobj(6, wbits=-15)
    return len(packer.compress(content) + packer.flush())


def tarred(files: Mapping[str, bytes]) -> int:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return len(gzip.compress(out.getvalue(), 6))


@pytest.mark.parametrize(("files", "seed"), [(40, 1), (200, 2), (600, 3)])
def test_a_zip_is_larger_than_the_tar_by_its_files(files: int, seed: int) -> None:
    made = tree(files, seed)
    entries = [
        Entry(path=path, size=len(content), compressed=deflated(content))
        for path, content in made.items()
    ]
    slug, none = Estimate[int].measured(tarred(made)), Estimate[int].measured(0)
    archived = archives.of_distribution(entries, (), none, LAYOUT)
    assert slug.value < archived.low <= zipped(made) <= archived.high
    compiled = archives.of_distribution(entries, entries, none, LAYOUT)
    assert compiled.value >= archived.value + files * 76  # the headers of bytecode alone

    def counted(kind: BundleKind) -> Estimate[int]:
        rule = replace(RULE, kind=kind)
        return bundle.of_distribution(entries, rule, LAYOUT, none, none, slug=slug, zipped=archived)

    assert (counted(BundleKind.ZIP), counted(BundleKind.GZIP_TAR)) == (archived, slug)


def test_a_zip_is_the_sum_of_what_is_shown(
    package_server: PackageServer, plain_network: None, tmp_path: Path
) -> None:
    package_server.add_wheel(
        "webapp", "1.0", {f"webapp/{n}.py": "y = 2\n" * 100 for n in range(50)}
    )
    path = tmp_path / "requirements.txt"
    path.write_text("webapp==1.0\n")
    places = ("--platform", "digitalocean-functions", "--format", "json")
    document = slugcheck(path, "--index-url", package_server.index_url, *places).document
    (only,) = document["distributions"]
    totals = document["totals"]
    assert only["bundle_bytes"] > only["slug_bytes"] + 100 * 60  # of the headers, beside a tar's
    assert totals["bundle_bytes"] == only["bundle_bytes"]
    assert totals["bundle_low_bytes"] < totals["bundle_bytes"] < totals["bundle_high_bytes"]


# --------------------------------------------------------------------------- where nothing limits


def last_line(server: PackageServer, folder: Path, platform: str, data: bytes) -> tuple[int, str]:
    server.add_wheel("webapp", "1.0", {"webapp/data.bin": data})
    path = folder / "requirements.txt"
    path.write_text("webapp==1.0\n")
    index = ("--index-url", server.index_url, "--refresh")
    done = slugcheck(path, *index, "--platform", platform)
    return done.code, " ".join(done.out.strip().split("\n\n")[-1].split())


def test_a_size_that_is_only_advised_does_not_fail(
    package_server: PackageServer, plain_network: None, tmp_path: Path
) -> None:
    text = (resources.files(platforms) / "digitalocean-app-platform.toml").read_text()
    (tmp_path / "ours.toml").write_text(text.replace("value = 2_147_483_648", "value = 2_097_152"))
    place = str(tmp_path / "ours.toml")
    code, line = last_line(package_server, tmp_path, place, bytes(1_000_000))
    assert (code, line) == (0, "✓ FITS DigitalOcean App Platform: 1M, within the advised 2 GiB")
    code, line = last_line(package_server, tmp_path, place, bytes(4_000_000))
    assert (code, line) == (
        0,
        "! NO SIZE LIMIT: 3.9M, over the advised 2 GiB. Larger images are likely to fail to build "
        "or deploy",
    )


def test_a_build_that_takes_too_long_is_said_and_does_not_fail(
    package_server: PackageServer, plain_network: None, tmp_path: Path
) -> None:
    text = (resources.files(platforms) / "azure-functions.toml").read_text()
    (tmp_path / "ours.toml").write_text(text.replace("value = 60\n", "value = 1\n"))
    code, line = last_line(package_server, tmp_path, str(tmp_path / "ours.toml"), b"x")
    assert code == 0
    assert line.startswith("! NO SIZE LIMIT: 0.1 MB; Azure Functions has no size limit that")
    assert re.search(r"; build about \d:\d\d is over 0:01 \(.*\)\. Build locally instead: ", line)


# --------------------------------------------------------------------------- project folders


def project(server: PackageServer, folder: Path, model: bytes) -> Path:
    server.add_wheel("webapp", "1.0", {"webapp/__init__.py": "y = 2\n"})
    (folder / "requirements.txt").write_text("webapp==1.0\n")
    (folder / "models").mkdir()
    (folder / "models" / "m.onnx").write_bytes(model)
    return folder


@pytest.mark.slow
def test_models_count_zipped_in_the_advice_on_where_to_keep_them(
    package_server: PackageServer, plain_network: None, tmp_path: Path
) -> None:
    folder = project(package_server, tmp_path, bytes(60_000_000))
    place = ("--platform", "digitalocean-functions", "--format", "json")
    document = slugcheck(folder, "--index-url", package_server.index_url, *place).document
    assert document["totals"]["all_installed_bytes"] > 60_000_000
    assert document["totals"]["bundle_bytes"] < 1_000_000
    sizes = {option["title"]: option["slug_bytes"] for option in document["storage"]}
    assert sizes["in git and in the package"] == document["totals"]["bundle_bytes"]
    assert sizes["object storage, fetched at boot"] < 100_000


@pytest.mark.parametrize("name", ["heroku-fir", "google-cloud-functions-gen2"])
def test_a_dockerfile_says_nothing_where_a_buildpack_makes_the_image(
    package_server: PackageServer, plain_network: None, tmp_path: Path, name: str
) -> None:
    folder = project(package_server, tmp_path, bytes(1_000))
    place = ("--index-url", package_server.index_url, "--platform", name)
    before = slugcheck(folder, *place)
    assert before.code == 0, before.err
    (folder / "Dockerfile").write_text("FROM python:3.11-slim\nRUN pip install other==2.0\n")
    after = slugcheck(folder, *place)
    assert after.code == 0, after.err
    assert after.out.splitlines()[-1] == before.out.splitlines()[-1]
    for word in ("python:3.11-slim", "base image", "--base"):
        assert word not in after.out + after.err


# --------------------------------------------------------------------------- installed files

VERCEL = platforms.load("vercel").bundle
SITE = "lib/python3.13/site-packages"


@pytest.mark.parametrize(
    ("path", "of_vercel"),
    [
        (f"{SITE}/web/app.py", True),
        (f"{SITE}/web/__pycache__/app.cpython-313.pyc", False),
        (f"{SITE}/web/py.typed", False),
        (f"{SITE}/web-1.0.dist-info/WHEEL", False),
        (f"{SITE}/web-1.0.dist-info/METADATA", True),
        ("bin/web", False),
    ],
)
def test_which_installed_files_count(path: str, of_vercel: bool) -> None:
    assert bundle.counts(path, VERCEL, LAYOUT) is of_vercel
    assert bundle.counts(path, replace(VERCEL, kind=BundleKind.UNZIPPED), LAYOUT)


@pytest.mark.parametrize(
    ("kind", "plain", "bytecode", "expected"),
    [
        (BundleKind.UNZIPPED, (600, 600, 600), (300, 300, 300), Estimate[int].measured(900)),
        (
            BundleKind.UNZIPPED,
            (600, 600, 600),
            (300, 200, 500),
            Estimate[int].predicted(900, 800, 1_100),
        ),
        (
            BundleKind.UNZIPPED,
            (600, 500, 600),
            (300, 300, 300),
            Estimate[int].predicted(900, 800, 900),
        ),
        (
            BundleKind.IMAGE,
            (600, 600, 700),
            (300, 300, 300),
            Estimate[int].predicted(900, 900, 1_000),
        ),
        (BundleKind.SITE_PACKAGES, (600, 600, 600), (300, 200, 400), Estimate[int].measured(400)),
        (
            BundleKind.SITE_PACKAGES,
            (600, 300, 1_200),
            (300, 200, 400),
            Estimate[int].predicted(400, 200, 800),
        ),
    ],
)
def test_what_counts_of_a_distribution_has_the_interval_of_its_files(
    kind: BundleKind,
    plain: tuple[int, int, int],
    bytecode: tuple[int, int, int],
    expected: Estimate[int],
) -> None:
    def figure(ends: tuple[int, int, int]) -> Estimate[int]:
        value, low, high = ends
        exact = low == value == high
        return Estimate[int].measured(value) if exact else Estimate[int].predicted(*ends)

    files = [
        Entry(path=f"{SITE}/web/app.py", size=400, compressed=100),
        Entry(path=f"{SITE}/web/py.typed", size=50, compressed=50),
        Entry(path="bin/web", size=150, compressed=100),
    ]
    found = bundle.of_distribution(
        files, replace(VERCEL, kind=kind), LAYOUT, figure(plain), figure(bytecode),
        slug=figure((1, 1, 1)), zipped=figure((2, 2, 2)),
    )  # fmt: skip
    assert found == expected


def test_a_distribution_without_files_takes_nothing() -> None:
    unsure = Estimate[int].predicted(0, 0, 10)
    found = bundle.of_distribution(
        [], VERCEL, LAYOUT, unsure, unsure, slug=unsure, zipped=unsure
    )  # fmt: skip
    assert (found.value, found.low, found.high) == (0, 0, 0)


# --------------------------------------------------------------------------- archives and strip


def test_an_archive_is_the_sum_of_its_files_and_headers() -> None:
    module = Entry(path=f"{SITE}/a.py", size=1_000, compressed=400)
    bytecode = Estimate[int].predicted(300, 200, 500)
    found = archives.of_distribution([module], (), bytecode, LAYOUT)
    headers = 30 + 46 + 2 * len("a.py")
    assert found.value == 400 + 105 + headers
    assert found.low == 392 + 60 + headers
    assert found.high == 408 + 200 + headers + 100


def test_an_archive_of_an_app_has_its_models_and_an_end() -> None:
    model = apps.model(path="m.bin", size=900, slug=500, percent=10)
    own = replace(apps.app(), files=2, slug_bytes=1_000)
    found = archives.of_app(own, [model])
    headers = 22 + 3 * (76 + 80)
    assert (found.value, found.low) == (1_500 + headers, 1_000 + model.slug.low + headers)
    assert found.high == 1_300 + model.slug.high + headers
    empty = archives.of_app(None, ())
    assert (empty.low, empty.value, empty.high) == (22, 22, 22)


@pytest.mark.parametrize(
    ("name", "version", "low", "value", "high"),
    [
        ("lxml", "6.1.3", 0.0, 0.0, 0.0),
        ("numpy", "2.4.6", 0.06102, 0.06102, 0.06102),
        ("numpy", "9.0", 0.01102, 0.06102, 0.11102),  # of another version
        ("lxml", "9.0", 0.0, 0.0, 0.05),
        ("aiohttp", "9.0", 0.79817, 0.84817, 0.89817),  # of the newest that is known
        ("never-measured", "1.0", 0.0, 0.29, 0.89),
    ],
)
def test_what_strip_takes_off_is_a_share_of_the_libraries(
    name: str, version: str, low: float, value: float, high: float
) -> None:
    entries = [
        Entry(path=path, size=10**9, compressed=1)
        for path in ("x/core.so", "x.libs/libfoo.so", "x/core.py")
    ]
    found = stripping.predict(name, version, entries)
    shares = [round(size / 10**9, 5) for size in (found.low, found.value, found.high)]
    assert shares == [low, value, high]
    assert stripping.predict(name, version, entries[1:]).value == 0

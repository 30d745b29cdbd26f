"""Container images from end to end: base, layers, Dockerfile, and what platforms make of them."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.tags import Tag

from slugcheck import api, platforms
from slugcheck.errors import UsageError
from slugcheck.model import Source
from slugcheck.packages.resolve.uv import clean_environment, find_uv
from slugcheck.platforms import base_images, tags
from slugcheck.project import image
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer
from tests.support.stock import noise
from tests.support.verifying import MINOR, own_caches, temporary, uv_cache

__all__ = ["own_caches", "temporary", "uv_cache"]

pytestmark = pytest.mark.usefixtures("own_caches")

GLIBC_240 = "cp312-cp312-manylinux_2_40_x86_64"
GLIBC_236 = "cp312-cp312-manylinux_2_36_x86_64"
MUSL = "cp312-cp312-musllinux_1_2_x86_64"
ARM = "cp312-cp312-manylinux_2_28_aarch64"


@pytest.fixture(scope="module")
def index() -> Iterator[PackageServer]:
    with PackageServer() as server:
        server.add_wheel("webapp", "1.0", {"webapp/__init__.py": "x = 1\n" * 2_000})
        server.add_wheel("extra", "2.0", {"extra.py": "y = 2\n" * 100})
        server.add_wheel("big", "1.0", {"big.bin": noise(3_000_000)})
        server.add_wheel("leaning", "1.0", {"leaning.py": "z = 3\n"}, requires=["big"])
        for tag, size in ((GLIBC_240, 41), (GLIBC_236, 36), (MUSL, 12), (ARM, 64)):
            server.add_wheel("native", "1.0", {"native.so": noise(size * 1_000)}, tag=tag)
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "requirements.txt").write_text("webapp==1.0\n")
    (folder / "main.py").write_text("print('hello')\n" * 100)
    return folder


def write(folder: Path, text: str, name: str = "Dockerfile") -> None:
    (folder / name).write_text(text)


def check(server: PackageServer, path: Path, *more: object, platform: str = "docker") -> Done:
    flags = ("--platform", platform, "--index-url", server.index_url, "--format", "json")
    return slugcheck(path, *flags, *more)


def parts(document: Any) -> dict[str, int]:
    return {part["name"]: part["installed_bytes"] for part in document["parts"]}


# --------------------------------------------------------------------------- base images


def test_every_base_image_has_a_size_a_source_and_a_past_day() -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    names = list(base_images.known().images)
    for minor in ("3.10", "3.11", "3.12", "3.13", "3.14"):
        assert {f"python:{minor}", f"python:{minor}-slim", f"python:{minor}-alpine"} < set(names)
    for name in names:
        found = base_images.find(name)
        assert found.disk_bytes is not None
        assert found.pull_bytes is not None
        assert 0.3 < found.pull_bytes / found.disk_bytes < 0.45, name
        assert 0 < found.error_percent <= 12
        assert datetime.date.fromisoformat(found.source.date) <= today
        assert len(found.source.text) > 20


@pytest.mark.parametrize(
    ("reference", "python", "release", "disk"),
    [
        ("python:3.12-slim", "3.12.14", "trixie", 119_250_000),
        ("docker.io/library/python:3.12-slim@sha256:0123", "3.12.14", "trixie", 119_250_000),
        ("python:3.12.14-slim-trixie", "3.12.14", "trixie", 119_250_000),
        ("python:3.12-slim-bookworm", "3.12.14", "bookworm", 124_300_000),
        ("python:3.11.4-slim", "3.11.4", "bookworm", 124_300_000),  # of before trixie
        ("python:slim", "3.14.7", "trixie", 119_460_000),
        ("python", "3.14.7", "trixie", 1_110_000_000),
        ("python:3.12-alpine3.20", "3.12.14", "Alpine", 48_890_000),
        ("python:3.12-bookworm", "3.12", "bookworm", None),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "3.12.14", "bookworm", 163_040_344),
        ("tiangolo/uvicorn-gunicorn-fastapi:python3.11", "3.11", "", None),
        ("public.ecr.aws/lambda/python:3.12", "3.12", "", None),
        ("nvidia/cuda:12.4.1-runtime-ubuntu22.04", "", "", None),
        ("localhost:5000/python:3.12", "3.12", "", None),
    ],
)
def test_what_a_reference_names(
    reference: str, python: str, release: str, disk: int | None
) -> None:
    found = base_images.find(reference)
    assert (found.python, found.disk_bytes) == (python, disk)
    assert release in found.release
    assert bool(found.release) is bool(release)


def test_arm64_is_an_estimate_with_a_wider_interval() -> None:
    amd64, arm64 = (base_images.find("python:3.12-slim", arch) for arch in ("x86_64", "aarch64"))
    assert arm64.pull_bytes == 43_464_443
    assert arm64.disk_bytes == 120_013_245  # amd64's by the ratio of the pull sizes
    assert arm64.error_percent > amd64.error_percent
    assert "amd64" in arm64.note


@pytest.mark.parametrize(
    ("reference", "arch", "errors"),
    [
        ("python:3.12-slim", "x86_64", (6.0, 6.0)),
        ("python:3.12-slim", "aarch64", (8.0, 6.0)),  # its pull size is known
        ("python:3.12-alpine", "aarch64", (8.0, 8.0)),
        ("python:3.12.1-slim", "x86_64", (10.0, 10.0)),  # sized as a later patch release
        ("python:3.12-alpine3.20", "aarch64", (10.0, 10.0)),
    ],
)
def test_what_is_sized_as_another_image_has_a_wider_interval(
    reference: str, arch: str, errors: tuple[float, float]
) -> None:
    found = base_images.find(reference, arch)
    assert (found.error_percent, found.pull_error_percent) == errors


def test_musl_has_its_own_wheels() -> None:
    stack = base_images.on(
        platforms.load("docker"), base_images.find("python:3.12-alpine"), compiles=True, prefix="/x"
    ).stacks[0]
    assert tags.uv_platform(stack) == "x86_64-unknown-linux-musl"
    known = tags.tags_for(stack, "3.12")
    assert Tag("cp312", "cp312", "musllinux_1_1_x86_64") in known
    assert not any("manylinux" in tag.platform for tag in known)


@pytest.mark.parametrize(
    ("base", "size", "glibc", "musl"),
    [
        ("python:3.12-slim", 41_000, "2.41", ""),
        ("python:3.12-slim-bookworm", 36_000, "2.36", ""),
        ("python:3.12-alpine", 12_000, "", "1.2"),
    ],
)
def test_the_base_decides_which_wheel_fits(
    index: PackageServer, tmp_path: Path, base: str, size: int, glibc: str, musl: str
) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("native==1.0\n")
    done = check(index, path, "--base", base)
    assert done.code == 0, done.err
    target = done.document["target"]
    assert (target["glibc"], target["musl"], target["base"]["name"]) == (glibc, musl, base)
    assert size <= done.one("native")["installed_bytes"] < size + 2_000


def test_from_names_the_architecture(index: PackageServer, project: Path) -> None:
    (project / "requirements.txt").write_text("native==1.0\n")
    write(
        project,
        "FROM --platform=linux/arm64 python:3.12-slim\nRUN pip install -r requirements.txt\n",
    )
    done = check(index, project)
    assert done.document["target"]["arch"] == "aarch64"
    assert done.one("native")["installed_bytes"] > 64_000


# --------------------------------------------------------------------------- the image


def test_the_image_is_the_base_and_its_layers(index: PackageServer, project: Path) -> None:
    write(
        project,
        "FROM python:3.12-slim\nCOPY . /app\n"
        "RUN pip install --no-cache-dir -r /app/requirements.txt\n",
    )
    found = check(index, project).document
    totals, base = found["totals"], found["target"]["base"]
    assert base["disk_bytes"] == 119_250_000
    assert base["date"] == "2026-08-25"
    layers = totals["installed_bytes"] + totals["app_bytes"]
    assert totals["bundle_bytes"] == 119_250_000 + layers
    packed = totals["dependencies_slug_bytes"] + totals["app_slug_bytes"]
    assert totals["slug_bytes"] == 43_188_023 + packed  # what is pulled
    assert totals["bytecode_bytes"] > 0
    assert found["target"]["python_full"] == "3.12.14"
    assert found["target"]["python_origin"] == "FROM python:3.12-slim"


def test_without_a_dockerfile_the_slim_image_of_the_project_s_python(
    index: PackageServer, project: Path
) -> None:
    (project / ".python-version").write_text("3.11\n")
    assert check(index, project).document["target"]["base"]["name"] == "python:3.11-slim"
    (project / "slugcheck.toml").write_text('platform = "docker"\nbase = "python:3.13-alpine"\n')
    (project / ".python-version").unlink()
    done = slugcheck(project, "--index-url", index.index_url, "--format", "json")
    assert done.document["target"]["base"]["name"] == "python:3.13-alpine"
    assert done.document["target"]["python"] == "3.13"


def test_bytecode_and_cache_follow_the_command(index: PackageServer, project: Path) -> None:
    (project / "requirements.txt").write_text("webapp\nbig\n")
    command = "FROM python:3.12-slim\nRUN pip install {flags} -r requirements.txt\n"
    write(project, command.format(flags=""))
    full = check(index, project).document
    cached = parts(full)["pip's cache"]
    assert full["totals"]["download_bytes"] < cached < full["totals"]["download_bytes"] + 500_000
    assert [f["code"] for f in full["findings"]] == ["pip-cache"]
    assert full["findings"][0]["origin"] == {"file": "Dockerfile", "line": 2}
    write(project, command.format(flags="--no-cache-dir --no-compile"))
    lean = check(index, project).document
    assert lean["totals"]["bytecode_bytes"] == 0 < full["totals"]["bytecode_bytes"]
    assert "pip's cache" not in parts(lean)
    assert lean["findings"] == []


@pytest.mark.parametrize(
    ("runs", "least", "most"),
    [
        ("RUN pip install leaning\n", 3_000_000, 4_000_000),  # and what it requires
        (
            "RUN pip install --no-cache-dir big\nRUN pip install extra\n",
            200, 500_000,
        ),
    ],
)  # fmt: skip
def test_the_cache_holds_what_the_installs_that_keep_it_name(
    index: PackageServer, project: Path, runs: str, least: int, most: int
) -> None:
    write(project, f"FROM python:3.12-slim\n{runs}")
    assert least < parts(check(index, project).document)["pip's cache"] < most


def test_the_size_of_a_base_has_an_interval(index: PackageServer, project: Path) -> None:
    write(project, "FROM python:3.12-slim\nCOPY . .\nRUN pip install -r requirements.txt\n")
    base = check(index, project).document["parts"][0]
    assert base["basis"] == "predicted"
    assert (base["installed_low_bytes"], base["installed_high_bytes"]) == (112_095_000, 126_405_000)


def test_variables_of_arg_and_env_are_filled_in(project: Path) -> None:
    write(
        project,
        "FROM python:3.12-slim\nARG NAME=requirements\n"
        "ENV PIP_NO_CACHE_DIR=1 FILE=$NAME.txt\nCOPY . .\nRUN pip install -r $FILE\n",
    )
    (install,) = image.read(project / "Dockerfile", project, project.resolve()).installs
    assert (install.files, install.caches) == (("requirements.txt",), False)


def test_a_requirements_file_that_is_not_sent_to_docker_installs_nothing(project: Path) -> None:
    write(project, "FROM python:3.12-slim\nCOPY . .\nRUN pip install -r requirements.txt\n")
    write(project, "requirements.txt\n", ".dockerignore")
    plan = image.read(project / "Dockerfile", project, project.resolve())
    assert image.wanted(plan) is None


def test_what_is_installed_beside_a_lock_is_noted_unless_it_is_a_tool(project: Path) -> None:
    (project / "uv.lock").write_text("")
    write(
        project,
        "FROM python:3.12-slim\nCOPY . .\nRUN pip install uv\nRUN uv sync --frozen\n"
        "RUN pip install flask\n",
    )
    wanted = image.wanted(image.read(project / "Dockerfile", project, project.resolve()))
    assert wanted is not None
    assert wanted.notes[0] == "Dockerfile: only uv.lock is counted, not what line 5 installs"


def test_packages_on_the_line_and_several_files(index: PackageServer, project: Path) -> None:
    (project / "more.txt").write_text("big==1.0\n")
    write(
        project,
        "FROM python:3.12-slim\nWORKDIR /srv\nCOPY *.txt ./\n\n"
        "RUN pip install -r requirements.txt \\\n    -r more.txt extra\n",
    )
    done = check(index, project)
    names = {one["name"] for one in done.document["distributions"]}
    assert names == {"webapp", "big", "extra"}
    assert done.one("extra")["origins"][0]["file"].endswith("Dockerfile")
    assert done.one("extra")["origins"][0]["line"] >= 5
    assert done.one("webapp")["origins"][0]["file"].endswith("requirements.txt")


def test_copy_and_dockerignore_decide_which_files_count(
    index: PackageServer, project: Path
) -> None:
    (project / "data").mkdir()
    (project / "data" / "big.dat").write_bytes(noise(400_000))
    (project / "src").mkdir()
    (project / "src" / "a.py").write_bytes(b"#" * 50_000)
    (project / "src" / "b.log").write_bytes(b"#" * 70_000)
    write(
        project,
        "FROM python:3.12-slim\nCOPY requirements.txt src ./\n"
        "RUN pip install -r requirements.txt\n",
    )
    write(project, "**/*.log\n", ".dockerignore")
    found = check(index, project).document
    assert found["totals"]["app_bytes"] == 50_000 + len("webapp==1.0\n")
    assert found["app"]["ignored_bytes"] > 470_000
    write(project, "data\n!data/big.dat\n", "Dockerfile.dockerignore")  # comes first
    write(project, "FROM python:3.12-slim\nCOPY . .\nRUN pip install -r requirements.txt\n")
    assert check(index, project).document["totals"]["app_bytes"] > 520_000


def test_only_what_reaches_the_last_stage_counts(index: PackageServer, project: Path) -> None:
    (project / "dev.txt").write_text("big\n")
    write(
        project,
        "ARG V=3.12\nFROM python:${V} AS build\nWORKDIR /b\nCOPY . .\n"
        "RUN apt-get update && apt-get install -y gcc\n"
        "RUN pip install -r dev.txt && pip install --prefix=/install -r requirements.txt\n"
        "FROM python:${V}-slim\nCOPY --from=build /install /usr/local\n"
        "COPY --from=build /b/main.py /app/\nCOPY --from=ghcr.io/astral-sh/uv:0.9 /uv /bin/\n",
    )
    found = check(index, project).document
    assert [one["name"] for one in found["distributions"]] == ["webapp"]
    assert found["target"]["base"]["name"] == "python:3.12-slim"
    assert found["totals"]["app_bytes"] == (project / "main.py").stat().st_size
    assert set(parts(found)) == {"base python:3.12-slim", "app files", "uv"}
    assert not any("gcc" in note for note in found["notes"])


def test_wheels_of_a_builder_are_installed_and_count_where_they_are_copied(
    index: PackageServer, project: Path
) -> None:
    (project / "requirements.txt").write_text("big\n")
    build = (
        "FROM python:3.12 AS build\nCOPY requirements.txt .\n"
        "RUN pip wheel --wheel-dir /wheels -r requirements.txt\nFROM python:3.12-slim\n"
    )
    write(
        project,
        build + "COPY --from=build /wheels /wheels\nRUN pip install --no-cache-dir /wheels/*\n",
    )
    copied = check(index, project).document
    assert parts(copied)["wheels copied as files"] > 3_000_000
    mount = (
        "RUN --mount=type=bind,from=build,source=/wheels,target=/w pip install --no-cache /w/*\n"
    )
    write(project, build + mount)
    mounted = check(index, project).document
    assert [one["name"] for one in mounted["distributions"]] == ["big"]
    assert "wheels copied as files" not in parts(mounted)


def test_what_cannot_be_counted_is_said(index: PackageServer, project: Path) -> None:
    write(
        project,
        "FROM python:3.12-slim AS tool\nRUN make /out\nFROM python:3.12-slim\n"
        "RUN apt-get install -y libpq5 && python manage.py collectstatic\n"
        "ADD https://example.org/model.bin?token=secret /m\nCOPY --from=tool /out /out\n"
        "COPY . /app\nRUN pip install -r /app/requirements.txt\nRUN chown -R app /app\n",
    )
    done = check(index, project)
    notes = "\n".join(done.document["notes"])
    assert "packages of the system are not counted: libpq5" in notes
    assert "line 4: python manage.py collectstatic" in notes
    assert "ADD downloads this, not counted: https://example.org/model.bin" in notes
    assert "secret" not in done.out
    assert "/out of stage tool" in notes
    assert "line 9: changing owner or mode of /app" in notes


def test_an_unknown_base_counts_the_layers_or_the_size_that_is_given(
    index: PackageServer, project: Path
) -> None:
    write(
        project, "FROM example.org/base:python3.12\nCOPY . .\nRUN pip install -r requirements.txt\n"
    )
    found = check(index, project).document
    assert found["target"]["base"]["disk_bytes"] is None
    layers = found["totals"]["bundle_bytes"]
    assert layers < 1_000_000
    assert any("is not known: the figures are of the layers" in note for note in found["notes"])
    given = check(index, project, "--base-size", "120MB").document
    assert given["totals"]["bundle_bytes"] == layers + 120_000_000
    assert "(size not known, not counted)" in slugcheck(
        project, "--platform", "docker", "--index-url", index.index_url
    ).out.replace("\n", " ")


def test_a_base_with_a_python_that_is_too_old_is_an_obstacle(
    index: PackageServer, project: Path
) -> None:
    write(project, "FROM python:3.8-slim\nRUN pip install -r requirements.txt\n")
    done = check(index, project)
    assert done.code == 3
    (obstacle,) = done.document["obstacles"]
    assert "has Python 3.8" in obstacle["sentence"]
    assert done.document["target"]["python"] == "3.10"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--base", "python:3.12-slim", "--python", "3.13"), "is not the Python of the base"),
        (("--base", "not an image"), "is not the name of a base image"),
        (("--base-size", "many"), "--base-size"),
        (("--dockerfile", "missing"), "no such file"),
        (("--platform", "heroku", "--base", "python:3.12"), "is for container images"),
    ],
)
def test_wrong_options_are_one_line_on_stderr(
    index: PackageServer, project: Path, flags: tuple[str, ...], message: str
) -> None:
    done = check(index, project, *flags)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_dockerfile_elsewhere_and_one_that_docker_refuses(
    index: PackageServer, project: Path
) -> None:
    (project / "deploy").mkdir()
    write(
        project / "deploy", "FROM python:3.11-slim\nCOPY . .\nRUN pip install -r requirements.txt\n"
    )
    found = check(index, project, "--dockerfile", project / "deploy" / "Dockerfile").document
    assert found["target"]["python"] == "3.11"
    write(project, "FROM python:3.12\nINSTALL x\n")
    done = check(index, project)
    assert (done.code, "Dockerfile:2: unknown instruction 'INSTALL'" in done.err) == (2, True)
    write(project, "RUN x\n" + "#" * 2**20)
    assert check(index, project).code == 2


def test_no_file_outside_of_the_checkout_is_read(project: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("FROM python:3.12\n")
    (project / "Dockerfile").symlink_to(secret)
    with pytest.raises(UsageError, match="outside"):
        image.read(project / "Dockerfile", project, project.resolve())
    (project / "Dockerfile").unlink()
    write(project, "FROM python:3.12\nCOPY ../secret /s\nRUN pip install -r ../secret\n")
    plan = image.read(project / "Dockerfile", project, project.resolve())
    assert image.wanted(plan) is None


def test_a_hostile_dockerfile_is_cheap(project: Path) -> None:
    many = "".join(
        f"FROM s{n - 1 if n else 'x'} AS s{n}\nCOPY --from=s{n - 1} / /\n" for n in range(190)
    )
    write(project, many + "COPY a b\n" * 800 + "RUN pip install " + "a " * 15_000 + "\n")
    plan = image.read(project / "Dockerfile", project, project.resolve())
    assert len(plan.installs) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "FROM a AS s0\nCOPY x y\n" + "".join(
                f"FROM a AS s{n}\n" + f"COPY --from=s{n - 1} / /\n" * 2 for n in range(1, 60)
            ),
            "Dockerfile:32: more than 1,000 files and installs in one stage",
        ),
        ("FROM a\n" + "COPY a b\n" * 1_001, "Dockerfile:1002: more than 1,000 files and installs"),
        (
            "FROM a\n" + "COPY *x b/\n" * 900 + "RUN pip install -r b/r.txt\n" * 60,
            "Dockerfile takes too long to follow",
        ),
        (
            "FROM a AS b\n" + "COPY a b\n" * 900 + "FROM a\nCOPY --from=b "
            + "/b/a " * 2_000 + "/c\n",
            "Dockerfile takes too long to follow",
        ),
        (
            "FROM a AS b\nRUN " + "pip wheel c -w /w; " * 900 + "\nFROM a\nRUN "
            + "--mount=from=b,source=/,target=/w " * 28_000 + "ls\n",
            "Dockerfile takes too long to follow",
        ),
        ("FROM a\nENV a=x\n" + "ENV a=$a$a\n" * 12
            + "ENV " + " ".join(f"b{n}=$a" for n in range(90_000)) + "\n",
            "Dockerfile takes too long to follow"),
        ("ARG " + " ".join(f"b{n}=1" for n in range(90_000)) + "\nFROM a\n",
            "Dockerfile:1: more than 1,000 arguments before FROM"),
        ("FROM a\nENV a=x\n" + "ENV a=$a$a\n" * 12
            + ("RUN pip install " + "x$a " * 19_000 + "\n") * 12,
            "Dockerfile takes too long to follow"),
        ("FROM a\n" + f"WORKDIR {'a' * 200}\n" * 4_900, "Dockerfile takes too long to follow"),
        ("FROM a\nENV X='" + 'sh -c "\\$X";' * 700 + "'\nRUN sh -c '$X'\n",
            "Dockerfile takes too long to follow"),
        ("FROM a\n" + "COPY a b\n" * 900 + "RUN chown -R x " + "/f " * 2_000 + "\n",
            "Dockerfile takes too long to follow"),
    ],
    ids=["stages double", "many copies", "files looked for", "many sources", "many mounts",
         "variables", "arguments", "long words", "folders", "shells of shells", "many owners"],
)  # fmt: skip
def test_a_dockerfile_that_would_take_for_ever_is_refused(
    project: Path, text: str, message: str
) -> None:
    write(project, text)
    with pytest.raises(UsageError, match=re.escape(message)):
        image.read(project / "Dockerfile", project, project.resolve())


def test_a_variable_that_runs_itself_ends(project: Path) -> None:
    write(project, "FROM a\nENV X='sh -c \"\\$X\"'\nRUN sh -c '$X'\n")
    plan = image.read(project / "Dockerfile", project, project.resolve())
    assert "not understood" in plan.notes[0]


def test_what_a_note_quotes_is_short(project: Path) -> None:
    write(project, "FROM a\nCOPY . .\n" + "RUN chown -R a /\n" * 30)
    plan = image.read(project / "Dockerfile", project, project.resolve())
    assert sum(map(len, plan.notes)) < 2_000
    assert "more of these" in plan.notes[-1]


def test_ignoring_that_would_take_for_ever_is_refused(project: Path) -> None:
    write(project, "FROM a\nCOPY . .\n")
    write(project, "".join(f"**/x{n}*/**/y*/**/z*\n" for n in range(1_000)), ".dockerignore")
    plan = image.read(project / "Dockerfile", project, project.resolve())
    deep = "/".join(["x1y"] * 60)
    with pytest.raises(UsageError, match=r"or its \.dockerignore takes too long to match"):
        plan.taken([f"{deep}/{n}" for n in range(1_000)])


def test_a_comparison_shows_the_base_image_and_its_change(
    index: PackageServer, project: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(project, other)
    install = "COPY . .\nRUN pip install --no-cache-dir -r requirements.txt\n"
    write(project, f"FROM python:3.12-slim\n{install}")
    write(other, f"FROM python:3.12\n{install}")
    flags = ("--platform", "docker", "--index-url", index.index_url)
    shown = slugcheck("compare", other, project, *flags).out
    assert "base image" in shown
    assert "1,110.0" in shown
    change = slugcheck(other, *flags, "--against", project, "--format", "json").document
    assert 990_700_000 < change["base"]["bundle_bytes"] < 990_800_000  # the change


def test_a_base_image_of_unknown_size_does_not_pass_where_the_old_one_counted(
    index: PackageServer, project: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(project, other)
    install = "COPY . .\nRUN pip install --no-cache-dir -r requirements.txt\n"
    write(project, f"FROM python:3.12\n{install}")
    write(other, f"FROM internal/python:1\n{install}")
    flags = ("--platform", "docker", "--index-url", index.index_url, "--limit", "bundle=500MB")
    assert slugcheck(project, *flags).code == 1
    done = slugcheck(other, *flags, "--against", project)
    assert done.code == 3, done.out
    assert "the size of this change's base image is not known" in " ".join(done.out.split())
    assert slugcheck(other, *flags, "--base-size", "100MB", "--against", project).code == 0


def test_an_index_that_a_variable_without_a_value_names_is_told(
    index: PackageServer, project: Path
) -> None:
    install = "RUN pip install -i $INDEX -r requirements.txt\n"
    write(project, f"FROM python:3.12-slim\nARG INDEX\nCOPY . .\n{install}")
    done = check(index, project)
    assert done.code == 0, done.err
    assert any("$INDEX" in note for note in done.document["notes"])


def test_a_library_that_a_bare_image_lacks_is_an_error(index: PackageServer, project: Path) -> None:
    index.add_wheel("pyzbar", "0.1", {"pyzbar.py": "x = 1\n"})
    (project / "requirements.txt").write_text("pyzbar\n")
    install = "RUN pip install --no-cache-dir -r requirements.txt\n"
    write(project, f"FROM python:3.12-slim\nCOPY . .\n{install}")
    done = check(index, project)
    (finding,) = done.document["findings"]
    assert (done.code, finding["code"]) == (1, "missing-library")
    assert "libzbar.so.0, which python:3.12-slim does not have" in finding["sentence"]
    assert finding["fix"] == "RUN apt-get update && apt-get install -y libzbar0"
    more = "RUN apt-get update && apt-get install -y zbar-tools\n"  # it may bring the library
    for text in (f"FROM python:3.12-slim\n{more}{install}", f"FROM python:3.12\n{install}"):
        write(project, text)
        assert check(index, project).document["findings"] == []


# --------------------------------------------------------------------------- locks


def test_uv_sync_takes_the_groups_that_the_dockerfile_names(
    index: PackageServer, project: Path
) -> None:
    (project / "requirements.txt").unlink()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["webapp"]\n[dependency-groups]\nprod = ["extra"]\ndev = ["big"]\n'
        f'[[tool.uv.index]]\nurl = "{index.index_url}"\ndefault = true\n'
    )
    subprocess.run(
        [find_uv(), "lock", "--no-cache", "--directory", str(project)],
        check=True, env=clean_environment(os.environ), capture_output=True,
    )  # fmt: skip
    for flags, names in (
        ("--no-dev", {"webapp"}),
        ("--no-dev --group prod", {"webapp", "extra"}),
        ("", {"webapp", "big"}),
    ):
        write(
            project,
            "FROM ghcr.io/astral-sh/uv:python3.11-bookworm-slim\nWORKDIR /app\n"
            "RUN --mount=type=bind,source=uv.lock,target=uv.lock \\\n"
            f"  uv sync --frozen {flags}\n",
        )
        found = check(index, project).document
        assert {one["name"] for one in found["distributions"]} == names
        assert found["totals"]["bytecode_bytes"] == 0


# --------------------------------------------------------------------------- platforms


@pytest.mark.parametrize(
    ("platform", "flags", "limit"),
    [
        ("fly", (), 8_000_000_000),
        ("railway", (), 4_000_000_000),
        ("railway", ("--dyno", "hobby"), 100_000_000_000),
        ("railway-trial", (), 4_000_000_000),
        ("huggingface-spaces", (), 50_000_000_000),
        ("render", (), None),
        ("cloud-run", (), None),
        ("azure-container-apps", (), 8_000_000_000),
        ("docker", ("--limit", "bundle=100MB"), 100_000_000),
    ],
)
def test_the_limits_hold_for_base_and_layers(
    index: PackageServer, project: Path, platform: str, flags: tuple[str, ...], limit: int | None
) -> None:
    write(
        project,
        "FROM python:3.12-slim\nCOPY . .\nRUN pip install --no-cache-dir -r requirements.txt\n",
    )
    done = check(index, project, *flags, platform=platform)
    verdicts = [v for v in done.document["verdicts"] if v["budget"] == "bundle"]
    assert [v["limit"] for v in verdicts] == ([] if limit is None else [limit])
    assert done.code == (1 if limit == 100_000_000 else 0)
    assert done.document["totals"]["bundle_bytes"] > 119_250_000


def test_where_no_base_is_known_it_says_so(index: PackageServer, project: Path) -> None:
    found = check(index, project, platform="railway").document
    assert found["target"]["base"] is None
    assert any("no base image is known" in note for note in found["notes"])


def test_the_python_api_takes_the_same(index: PackageServer, project: Path) -> None:
    report = api.check(
        project, platform="docker", base="python:3.12-slim", index_url=index.index_url
    )
    assert report.sizes.target.base is not None
    assert report.sizes.bundle.value > 119_250_000
    assert isinstance(report.sizes.target.base.source, Source)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gzip") is None, reason="needs gzip")
def test_verify_installs_as_the_dockerfile_does(
    index: PackageServer, project: Path, temporary: Path
) -> None:
    write(
        project,
        f"FROM python:{MINOR}-slim\nCOPY . .\nRUN pip install --no-compile -r requirements.txt\n",
    )
    done = check(index, project, "--verify")
    assert done.code == 0, done.err
    found = done.document["verify"]
    assert found["bytecode_bytes"] == 0
    assert found["error_percent"]["installed"] == 0
    assert found["command"].endswith("--no-compile")
    totals = done.document["totals"]
    base = done.document["target"]["base"]["disk_bytes"]
    assert totals["bundle_bytes"] > base + found["installed_bytes"]
    write(project, f"FROM python:{MINOR}-slim\nRUN pip install -r requirements.txt extra\n")
    refused = check(index, project, "--verify")
    assert (refused.code, "--verify repeats one install" in refused.err) == (2, True)

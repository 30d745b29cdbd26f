"""``slugcheck check`` for several targets: each as it would be alone, and nothing read twice."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import slugcheck as api
from slugcheck import platforms as known
from slugcheck.model.matrix import Outcome
from tests.support import stock
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer, Quirk
from tests.support.wheels import make_wheel
from tests.test_against import git

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")
SETUP = "from setuptools import setup\nsetup(name='pure', version='1.0')\n"
COMPILED = (
    "from setuptools import Extension, setup\n"
    "setup(name='compiled', version='1.0', ext_modules=[Extension('c', ['c.c'])])\n"
)
SEVERAL = ("heroku", "aws-lambda", "fly", "google-cloud-functions", "railway-trial")


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    """An index with pure and native wheels for two Pythons, and a source archive."""
    server = stock.fill(package_server)
    for minor, size in (("312", 40_000), ("313", 50_000)):
        tag = f"cp{minor}-cp{minor}-manylinux_2_17_x86_64"
        server.add_wheel("native", "1.0", {"native.so": stock.noise(size, size)}, tag=tag)
    server.add_sdist("pure", "1.0", {"pure.py": "z = 3\n" * 40}, setup_py=SETUP)
    server.add_sdist("compiled", "1.0", {"c.c": "int x;\n" * 40}, setup_py=COMPILED)
    for minor in ("312", "314"):
        tag = f"cp{minor}-cp{minor}-manylinux_2_17_x86_64"
        server.add_wheel("compiled", "1.0", {"c.so": stock.noise(9_000)}, tag=tag)
    server.forget_hits()
    return server


def named(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (f"--{option}", value)]


def check(
    index: PackageServer,
    path: object,
    *more: object,
    platforms: Iterable[str] = SEVERAL,
    pythons: Iterable[str] = ("3.12", "3.13"),
) -> Done:
    targets = [*named("platform", platforms), *named("python", pythons)]
    return slugcheck("check", path, *targets, "--index-url", index.index_url, *more)


def whole(index: PackageServer, path: object, *more: object, **targets: Any) -> Any:
    """The document of several targets."""
    return check(index, path, *more, "--format", "json", **targets).document


def outcomes(document: Any) -> dict[str, str]:
    return {f"{row['platform']} {row['python']}": row["outcome"] for row in document["matrix"]}


def comparable(report: Any) -> Any:
    """A report without what depends on the run: its traffic, and how each wheel was read."""
    rows = [{**row, "via": ""} for row in report["distributions"]]
    return {**report, "distributions": rows, "transfer": None}


# --------------------------------------------------------------------------- as each is alone


@pytest.mark.parametrize(
    ("text", "pythons"),
    [
        ("webapp==1.0\nnative\nlight==1.1\n", ("3.12",)),
        # which Python has a wheel depends on those that the platform offers
        ("webapp==1.0\npure\ncompiled\n", ("3.13",)),
        ("framework==1.0\nframework>=2\nwebapp\n", ("3.12",)),  # a conflict
    ],
)
def test_each_report_is_that_of_the_target_alone(
    index: PackageServer, requirements: Write, text: str, pythons: tuple[str, ...]
) -> None:
    path, platforms = requirements(text), ("heroku", "fly", "google-cloud-functions")
    document = whole(index, path, "--no-cache", platforms=platforms, pythons=pythons)
    assert len(document["targets"]) == len(platforms) * len(pythons)
    for target in document["targets"]:
        place = target["target"]
        alone = slugcheck(
            path, "--platform", place["platform"], "--python", place["python"],
            "--index-url", index.index_url, "--format", "json",
        )  # fmt: skip
        assert target["exit_code"] == alone.code
        assert comparable(target["report"]) == comparable(alone.document), place


def test_each_platform_reads_a_folder_in_its_own_way(index: PackageServer, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    (folder / ".heroku" / "python").mkdir(parents=True)
    (folder / ".heroku" / "python" / "x").write_text("")
    (folder / "requirements.txt").write_text("webapp==1.0\n")
    (folder / ".python-version").write_text("3.12\n")
    (folder / "app.py").write_text("print(1)\n")
    git(folder, "init")
    git(folder, "add", ".")
    document = whole(index, folder, platforms=("heroku", "fly"), pythons=())
    assert outcomes(document) == {"heroku 3.12": "unknown", "fly 3.12": "fits"}
    for target in document["targets"]:
        assert target["report"]["app"]["files"] == 4
        name = target["target"]["platform"]
        flags = ("--platform", name, "--index-url", index.index_url, "--format", "json")
        alone = slugcheck(folder, *flags).document
        assert comparable(target["report"]) == comparable(alone)


def test_standard_input_is_read_once_for_all_targets(index: PackageServer, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "slugcheck", "-", "--index-url", index.index_url]
    command += [*named("platform", ("heroku", "fly")), *named("python", ("3.12", "3.13"))]
    done = subprocess.run(
        [*command, "--format", "json"], input="webapp==1.0\n", cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    targets = json.loads(done.stdout)["targets"]
    assert [t["report"]["totals"]["distributions"] for t in targets] == [2, 2, 2, 2]


def test_one_of_each_is_the_report_as_ever(index: PackageServer, requirements: Write) -> None:
    path = requirements("webapp==1.0\n")
    twice = ("--platform", "fly", "--platform", "fly", "--python", "3.12")
    done = slugcheck(path, *twice, "--index-url", index.index_url, "--format", "json")
    assert done.document["target"]["platform"] == "fly"


# --------------------------------------------------------------------------- nothing twice


def reads(index: PackageServer) -> Counter[tuple[str, str | None]]:
    """How often each span of each wheel, and each source archive, was asked for.

    The resolver may read wheels as a whole, for their metadata.
    """
    asked = ((hit.path.rsplit("/", 1)[-1], hit.range) for hit in index.hits)
    return Counter(
        hit
        for hit in asked
        if hit[0].endswith(".tar.gz") or (hit[0].endswith(".whl") and hit[1] is not None)
    )


@pytest.mark.parametrize("flags", [(), ("--no-cache",)])
def test_no_wheel_is_read_twice(
    index: PackageServer, requirements: Write, flags: tuple[str, ...]
) -> None:
    # what has no hash is in no cache on the disk
    index.add(make_wheel("unhashed", "1.0", {"u.py": "u = 1\n"}), says_hash=False)
    path = requirements("webapp==1.0\nnative\nunhashed\npure==1.0\n")
    document = whole(index, path, *flags)
    assert set(outcomes(document).values()) == {"fits"}
    seen = reads(index)
    assert max(seen.values()) == 1, seen
    assert {name for name, _ in seen} == {
        "webapp-1.0-py3-none-any.whl",
        "framework-2.0-py3-none-any.whl",
        "native-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
        "native-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
        "unhashed-1.0-py3-none-any.whl",
        "pure-1.0.tar.gz",
    }
    reports = [target["report"]["transfer"] for target in document["targets"]]
    assert sum(transfer["requests"] for transfer in reports) == document["transfer"]["requests"]
    assert document["transfer"]["cached"] > 0


def test_a_wheel_that_cannot_be_read_is_asked_for_by_one_target_only(
    index: PackageServer, requirements: Write
) -> None:
    index.set_quirk("webapp-1.0-py3-none-any.whl", Quirk.FORBIDDEN)
    path = requirements("webapp==1.0\n")
    once = slugcheck(
        path, "--platform", "fly", "--python", "3.12", "--index-url", index.index_url, "--no-cache"
    )
    assert once.code == 3
    alone = reads(index)
    index.forget_hits()
    done = check(index, path, "--no-cache", "--format", "json")
    assert done.code == 3
    assert reads(index) == alone
    unsized = [target["report"]["unsized"][0]["name"] for target in done.document["targets"]]
    assert set(unsized) == {"webapp"}


def test_targets_that_ask_the_same_resolve_once(index: PackageServer, requirements: Write) -> None:
    path = requirements("webapp==1.0\nnative\n")
    alike = ("fly", "google-cloud-functions", "railway-trial", "pythonanywhere-free")

    def pages(platforms: Iterable[str]) -> int:
        index.forget_hits()
        # so that each resolution asks for them anew
        flags = ("--no-cache", "--refresh")
        assert check(index, path, *flags, platforms=platforms, pythons=("3.12",)).code == 0
        return sum(hit.path.startswith("/simple/native") for hit in index.hits)

    assert pages(alike) == pages(alike[:2])
    assert pages(("heroku", "aws-lambda", "fly")) > pages(alike)


def test_no_cache_leaves_nothing_behind(
    index: PackageServer, requirements: Write, private_caches: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert check(index, requirements("webapp==1.0\n"), "--no-cache").code == 0
    assert not private_caches.exists()
    assert [path for path in folder.rglob("*") if path.is_file()] == []


# --------------------------------------------------------------------------- exit codes


FITTING, OVER = "webapp==1.0\n", "heavy==5.0\n"
UNSIZED = "git+https://127.0.0.1:9/x.git#egg=odd\n"


@pytest.mark.parametrize(
    ("text", "flags", "code", "expected"),
    [
        (FITTING, (), 0, {"fits"}),
        (FITTING, ("--limit", "bundle=15M"), 1, {"fits", "fails"}),  # Heroku's Python alone
        (FITTING + UNSIZED, (), 3, {"unknown"}),
        (FITTING + UNSIZED, ("--limit", "bundle=15M"), 1, {"unknown", "fails"}),
        (FITTING + UNSIZED, ("--allow-unsized", "odd"), 0, {"fits"}),
        (FITTING, ("--dyno", "standard-1x"), 0, {"fits", "impossible"}),
        (FITTING, ("--stack", "heroku-22", "--limit", "bundle=1M"), 1, {"fails", "impossible"}),
    ],
)
def test_the_exit_code_is_that_of_the_worst_target(
    index: PackageServer,
    requirements: Write,
    text: str,
    flags: tuple[str, ...],
    code: int,
    expected: set[str],
) -> None:
    path = requirements(text)
    targets = {"platforms": ("heroku", "fly"), "pythons": ("3.12",)}
    done = check(index, path, *flags, "--format", "json", **targets)
    assert done.code == code, done.err
    assert done.document["exit_code"] == code
    assert set(outcomes(done.document).values()) == expected


def test_what_a_platform_does_not_offer_is_a_row_with_its_reason(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements(FITTING)
    done = check(index, path, platforms=("heroku", "vercel"), pythons=("3.10", "3.12"))
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("✓ FITS 3 of 4 targets: ")
    assert "not offered: vercel (3.10)" in " ".join(lines[:3])
    row = next(number for number, line in enumerate(lines) if "not offered  " in line)
    assert lines[row].split()[:2] == ["vercel", "3.10"]
    assert "Vercel (Python function) does not offer Python 3.10 (--python)" in lines[row + 1]
    lone = whole(index, path, platforms=("heroku", "vercel"), pythons=("3.10",))
    assert [target["report"] is None for target in lone["targets"]] == [False, True]


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ({"platforms": ("vercel",), "pythons": ("3.10", "3.11")}, "does not offer Python 3.11"),
        ({"platforms": ("heroku", "flyy")}, "no platform is called 'flyy'"),
        ({"pythons": ("3.12", "latest")}, "'latest' is not a Python version"),
        ({"pythons": ("3.10", "3.11", "3.12", "3.13", "3.14")}, "25 combinations"),
    ],
)
def test_what_cannot_be_at_all_is_a_usage_error(
    index: PackageServer, requirements: Write, targets: Any, said: str
) -> None:
    done = check(index, requirements(FITTING), **targets)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert index.hits == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('python = "3.10"\n', "vercel: Vercel (Python function) does not offer Python 3.10"),
        ('platform = "vercel"\nstack = "none"\n', "no stack 'none'"),
        ("[budgets]\nheroku-cap = '1M'\n", "vercel: "),
        ("[budgets]\nslug = 3\n", "did you mean slug=3M?"),
    ],
)
def test_the_project_takes_no_target_out_of_the_matrix(
    index: PackageServer, requirements: Write, text: str, said: str
) -> None:
    path = requirements(FITTING)
    path.with_name("slugcheck.toml").write_text(text)
    done = check(index, path, platforms=("heroku", "vercel"), pythons=())
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_what_is_wrong_with_all_targets_is_said_of_none(
    index: PackageServer, requirements: Write
) -> None:
    done = check(index, requirements("webapp==\n"))
    assert done.code == 2
    assert "heroku" not in done.err
    missing = check(index, "nowhere.txt")
    assert missing.code == 2
    assert missing.err.startswith("error: nowhere.txt does not exist")


@pytest.mark.parametrize("flag", ["--verify", "--audit"])
def test_what_is_for_one_target_is_refused(
    index: PackageServer, requirements: Write, flag: str
) -> None:
    if flag == "--verify" and not sys.platform.startswith("linux"):
        pytest.skip("--verify needs Linux")
    done = check(index, requirements(FITTING), flag)
    assert done.code == 2
    assert f"{flag} is for one target" in done.err


@pytest.mark.parametrize("command", [("compare", "a.txt", "b.txt"), ("why", "x"), ("init",)])
@pytest.mark.parametrize("option", ["--platform", "--python"])
def test_other_commands_take_one_target(command: tuple[str, ...], option: str) -> None:
    done = slugcheck(*command, option, "3.12", option, "3.13")
    assert done.code == 2
    assert f"{option} is given 2 times" in done.err
    assert "only slugcheck check takes several" in done.err


def test_a_target_that_cannot_be_measured_does_not_end_the_run(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("light==1.1\nnosuchthing==1.0\n")
    targets = {"platforms": ("heroku", "fly"), "pythons": ("3.12",)}
    done = check(index, path, "--format", "json", **targets)
    assert done.code == 3
    assert set(outcomes(done.document).values()) == {"unknown"}


# --------------------------------------------------------------------------- against a base


def test_every_target_is_held_against_its_own_base(index: PackageServer, tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init")
    (repo / "requirements.txt").write_text("webapp==1.0\n")
    (repo / "slugcheck.toml").write_text('[budgets]\nincrease = "1MB"\n')
    git(repo, "add", ".")
    git(repo, "commit", "-m", "base")
    (repo / "requirements.txt").write_text("webapp==1.0\nheavy==5.0\n")
    (repo / "slugcheck.toml").write_text('[budgets]\nincrease = "1GB"\n')  # the base's decide
    done = check(
        index, repo, "--against", "HEAD", "--format", "json",
        platforms=("heroku", "fly"), pythons=("3.12",),
    )  # fmt: skip
    assert done.code == 1
    for target in done.document["targets"]:
        report = target["report"]
        assert target["outcome"] == "fails"
        assert report["base"]["totals"]["distributions"] == 2
        assert {change["name"] for change in report["changes"]} == {"heavy", "tensors"}
        verdict = next(v for v in report["verdicts"] if v["budget"] == "increase")
        assert verdict["status"] == "fail"
    assert max(reads(index).values()) == 1


def test_a_saved_report_is_no_base_for_several_targets(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path, saved = requirements(FITTING), tmp_path / "saved.json"
    slugcheck(path, "--index-url", index.index_url, "-o", saved)
    done = check(index, path, "--against", saved)
    assert done.code == 2
    assert "a saved report is for one target" in done.err
    check(index, path, "-o", tmp_path / "matrix.json", platforms=("heroku", "fly"), pythons=())
    matrix = slugcheck(path, "--index-url", index.index_url, "--against", tmp_path / "matrix.json")
    assert matrix.code == 2
    assert "matrix.json has several targets" in matrix.err


# --------------------------------------------------------------------------- the Python API


def test_the_api_returns_a_result_for_each_combination(
    index: PackageServer, requirements: Write
) -> None:
    matrix = api.check_targets(
        requirements(FITTING),
        platforms=["heroku", "vercel"],
        pythons=["3.11", "3.12"],
        index_url=index.index_url,
    )
    assert isinstance(matrix, api.Matrix)
    assert [(t.platform, t.python, t.outcome) for t in matrix.targets] == [
        ("heroku", "3.11", Outcome.FITS),
        ("heroku", "3.12", Outcome.FITS),
        ("vercel", "3.11", Outcome.IMPOSSIBLE),
        ("vercel", "3.12", Outcome.FITS),
    ]
    assert [t.report is None for t in matrix.targets] == [False, False, True, False]
    assert "does not offer Python 3.11" in matrix.targets[2].problem
    assert matrix.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"platform": "heroku"}, "takes platforms, not platform"),
        ({"python": "3.12"}, "takes pythons, not python"),
        ({"platforms": "heroku"}, "platforms must be a list of strings"),
        ({"pythons": "3.12"}, "pythons must be a list of strings"),
    ],
)
def test_the_api_refuses_one_target_in_the_place_of_several(
    requirements: Write, arguments: Any, said: str
) -> None:
    with pytest.raises(api.UsageError, match=said):
        api.check_targets(requirements(FITTING), **arguments)


def test_the_document_has_the_figures_of_the_reports(
    index: PackageServer, requirements: Write
) -> None:
    document = whole(index, requirements(FITTING), platforms=("heroku", "fly"))
    for row, target in zip(document["matrix"], document["targets"], strict=True):
        totals = target["report"]["totals"]
        assert row["bundle_bytes"] == totals["bundle_bytes"]
        assert row["installed_bytes"] == totals["all_installed_bytes"]
        assert row["size_figure"] == target["report"]["target"]["size_figure"]
        assert (row["platform"], row["python"]) == (
            target["target"]["platform"], target["target"]["python"],
        )  # fmt: skip
    assert json.dumps(document, sort_keys=True, indent=2) is not None


def test_a_wrong_python_is_repeated_up_to_60_characters(index: PackageServer) -> None:
    done = check(index, "nowhere.txt", pythons=("3.12", "x" * 100))
    assert done.code == 2
    assert "'" + "x" * 60 + "'" in done.err


def test_pythons_alone_are_those_of_the_settings_platform_or_the_default(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements(FITTING)
    found = whole(index, path, platforms=(), pythons=("3.12", "3.13"))
    assert set(outcomes(found)) == {"heroku 3.12", "heroku 3.13"}
    text = (resources.files(known) / "fly.toml").read_text()
    path.with_name("ours.toml").write_text(text.replace('name = "fly"', 'name = "ours"'))
    path.with_name("slugcheck.toml").write_text('platform = "ours.toml"\n')
    found = whole(index, path, platforms=(), pythons=("3.12", "3.13"))
    assert set(outcomes(found)) == {"ours 3.12", "ours 3.13"}


def test_a_lock_that_no_target_can_use_is_a_usage_error(
    index: PackageServer, tmp_path: Path
) -> None:
    (tmp_path / "poetry.lock").write_text("[[package\n")
    (tmp_path / "pyproject.toml").write_text("[tool.poetry]\nname = 'a'\n")
    options = ("--format", "json")
    done = check(index, tmp_path / "poetry.lock", *options, platforms=("fly", "heroku"), pythons=())
    assert done.code == 2
    assert {row["outcome"] for row in done.document["matrix"]} == {"unknown"}

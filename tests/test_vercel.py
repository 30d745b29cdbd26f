"""Vercel's own rule: what counts, the tier that applies, and the folder as Vercel builds it."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from slugcheck import platforms
from slugcheck.errors import PlatformError
from slugcheck.model import TierWhen
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer
from tests.test_app_files import noise, repository, write

Write = Callable[..., Path]
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
MIB = 2**20
OWN_TEXT = resources.files(platforms).joinpath("vercel.toml").read_text("utf-8")
APP: dict[str, str | bytes] = {"app.py": "app = 1\n", "requirements.txt": "webapp==1.0\n"}


@pytest.fixture(scope="module")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture(autouse=True)
def own_caches(
    tmp_path: Path, uv_cache: Path, plain_network: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(tmp_path.with_name(f"{tmp_path.name}-cache")))
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    """A web app with everything that Vercel strips or does not see, and three larger packages."""
    server = package_server
    server.add_wheel(
        "webapp",
        "1.0",
        {
            "webapp/__init__.py": "y = 2\n" * 100,
            "webapp/__init__.pyi": "y: int\n" * 300,
            "webapp/py.typed": "partial\n",
            "webapp/old.pyc": bytes(700),
            "webapp/__pycache__/x.bin": bytes(900),
            "webapp/data.bin": noise(3000),
        },
        entry_points={"console_scripts": {"webapp": "webapp:main"}},
        data={
            "scripts/tool": "#!python\nprint()\n",
            "data/share/webapp/big.bin": noise(50_000),
            "purelib/extra.py": "z = 3\n",
        },
    )
    for name, size in (("alpha", 60_000), ("beta", 40_000), ("gamma", 20_000)):
        server.add_wheel(name, "1.0", {f"{name}/data.bin": noise(size)})
    return server


def check(server: PackageServer, path: Path, *more: str, platform: str = "vercel") -> Done:
    return slugcheck(
        path, "--platform", platform, "--index-url", server.index_url, "--format", "json", *more
    )


def own_platform(tmp_path: Path, *changes: tuple[str, str]) -> str:
    """Vercel's file with changes, under a name of its own."""
    text = OWN_TEXT
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    path = tmp_path / "changed.toml"
    path.write_text(text)
    return str(path)


def verdict(done: Done, name: str = "bundle") -> Any:
    return next(v for v in done.document["verdicts"] if v["budget"] == name)


def notes(done: Done) -> str:
    return "\n".join(done.document["notes"])


def runtime_bytes() -> int:
    (part,) = platforms.load("vercel").pythons[0].parts
    return part.installed_bytes


# --------------------------------------------------------------------------- what counts


def counted_by_vercel(site: Path) -> int:
    """Vercel's rule, written from its source and not from ours, over what is really there."""
    total: dict[str, int] = {}
    for record in site.glob("*.dist-info/RECORD"):
        with record.open(newline="") as lines:
            for path, _, size in csv.reader(lines):
                inside = os.path.relpath(os.path.normpath(site / path), site)
                names = inside.split("/")
                if names[0] == ".." or "__pycache__" in names or not (site / inside).exists():
                    continue
                if names[-1].endswith((".pyc", ".pyi")):
                    continue
                if names[-1] in {"py.typed", "WHEEL", "INSTALLER", "direct_url.json"}:
                    continue
                total[inside] = int(size) if size else (site / inside).stat().st_size
    return sum(total.values())


def test_the_bundle_is_what_vercels_rule_counts_after_a_real_uv_sync(
    tmp_path: Path, index: PackageServer, requirements: Write
) -> None:
    app = tmp_path / "app"
    write(app, {
        "pyproject.toml": '[project]\nname = "app"\nversion = "1"\n'
        f'requires-python = "~={MINOR}.0"\ndependencies = ["webapp==1.0", "alpha"]\n',
    })  # fmt: skip
    venv = tmp_path / "venv"
    environment = dict(os.environ, VIRTUAL_ENV=str(venv))
    for command in (
        ["venv", "-q", "--python", sys.executable, str(venv)],
        ["lock", "-q", "--python", str(venv / "bin/python"), "--default-index", index.index_url],
        ["sync", "-q", "--active", "--no-dev", "--locked", "--no-editable", "--default-index",
         index.index_url],
    ):  # fmt: skip
        subprocess.run(
            [find_uv_bin(), *command], cwd=app, env=environment, check=True, capture_output=True
        )
    truth = counted_by_vercel(venv / f"lib/python{MINOR}/site-packages")

    here = ".".join(map(str, sys.version_info[:3]))
    platform = own_platform(
        tmp_path,
        ('minor = "3.12"', f'minor = "{MINOR}"'),
        ('version = "3.12.14"', f'version = "{here}"'),
        ('default_python = "3.12"', f'default_python = "{MINOR}"'),
    )
    path = requirements("webapp==1.0\nalpha\n")
    document = check(index, path, platform=platform).document
    assert document["totals"]["bundle_bytes"] == truth + runtime_bytes()
    assert document["totals"]["bytecode_bytes"] == 0


def test_what_leaves_site_packages_and_what_is_stripped_does_not_count(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel(
        "native",
        "1.0",
        {"native.py": "x = 1\n"},
        data={"headers/native.h": "#define X 1\n" * 900, "data/lib/libnative.so": noise(9000)},
    )
    native = check(index, requirements("native\n")).one("native")
    assert native["bundle_bytes"] < 1_000
    assert native["installed_bytes"] > 19_000
    row = check(index, requirements("webapp==1.0\n")).one("webapp")
    counted = 600 + 3000 + len("z = 3\n")  # __init__.py, data.bin, extra.py
    metadata = row["bundle_bytes"] - counted  # METADATA, entry_points.txt, RECORD
    assert 0 < metadata < 2_000
    assert row["installed_bytes"] > row["bundle_bytes"] + 50_000


def test_vercels_glibc_takes_wheels_for_manylinux_2_31(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("new", "1.0", {"new.so": b"1"}, tag="cp312-cp312-manylinux_2_31_x86_64")
    index.add_wheel("newer", "1.0", {"newer.so": b"1"}, tag="cp312-cp312-manylinux_2_35_x86_64")
    assert check(index, requirements("new\n")).code == 0
    assert check(index, requirements("newer\n")).code == 1


# --------------------------------------------------------------------------- tiers


VARIABLE = '{"build": {"env": {"VERCEL_SUPPORT_LARGE_FUNCTIONS": "%s"}}}'


@pytest.mark.parametrize(
    ("files", "megabytes"),
    [
        ({}, 500),
        ({"vercel.json": '{"installCommand": "pip install -r requirements.txt"}'}, 225),
        ({"vercel.json": '{"installCommand": "  "}'}, 500),
        ({"vercel.json": '{"installCommand": "x", "framework": "fastapi"}'}, 225),
        ({"vercel.json": '{"installCommand": "npm ci", "framework": "nextjs"}'}, 500),
        ({"vercel.json": '{"installCommand": "npm ci"}', "package.json": "{}"}, 500),
        ({"vercel.json": '{"installCommand": "x", "builds": []}'}, 500),
        ({"vercel.json": VARIABLE % "1"}, 5120),
        ({"vercel.json": VARIABLE % "0"}, 500),
    ],
)
def test_the_folder_decides_on_the_tier(
    tmp_path: Path, index: PackageServer, files: dict[str, str | bytes], megabytes: int
) -> None:
    done = check(index, write(tmp_path / "app", {**APP, **files}))
    assert done.code == 0, done.err
    assert verdict(done)["limit"] == megabytes * MIB
    tier = {225: "function", 500: "cold-start", 5120: "large"}[megabytes]
    assert done.document["target"]["tier"] == tier
    if megabytes != 500:
        assert "vercel.json" in verdict(done)["headline"]


def test_an_install_script_of_pyproject_is_a_custom_install_command(
    tmp_path: Path, index: PackageServer
) -> None:
    project = (
        '[project]\nname = "app"\nversion = "1"\ndependencies = ["webapp"]\n'
        '[tool.vercel.scripts]\n{} = "pip install ."\n'
    )
    app = write(tmp_path / "app", {"pyproject.toml": project.format("install")})
    done = check(index, app)
    assert verdict(done)["limit"] == 225 * MIB
    assert "[tool.vercel.scripts] in pyproject.toml" in verdict(done)["headline"]
    assert "decides what is installed; sized from pyproject.toml" in notes(done)
    write(app, {"pyproject.toml": project.format("build")})
    assert verdict(check(index, app))["limit"] == 500 * MIB


def test_a_bare_requirements_file_has_the_tier_of_a_lock_since_vercel_writes_one(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("webapp==1.0\n")
    requirements('{"installCommand": "x"}', "vercel.json")  # of another folder's build
    assert verdict(check(index, path))["limit"] == 500 * MIB


def test_a_change_that_raises_the_limit_is_told(index: PackageServer, tmp_path: Path) -> None:
    before = write(tmp_path / "before", APP)
    after = write(tmp_path / "after", {**APP, "vercel.json": VARIABLE % "1"})
    done = check(index, after, "--against", str(before))
    assert "another limit applies: the tier cold-start in" in " ".join(done.out.split())


@pytest.mark.parametrize("named", ["function", "cold-start", "large"])
def test_the_user_may_name_the_tier(index: PackageServer, requirements: Write, named: str) -> None:
    path = requirements("webapp==1.0\n")
    tiers = {tier.name: tier.value for tier in platforms.load("vercel").tiers}
    done = check(index, path, "--tier", named)
    assert verdict(done)["limit"] == tiers[named]
    assert f"--tier {named}" in verdict(done)["headline"]
    requirements(f'platform = "vercel"\ntier = "{named}"\n', "slugcheck.toml")
    of_settings = slugcheck(path, "--index-url", index.index_url, "--format", "json")
    assert verdict(of_settings)["limit"] == tiers[named]
    assert "slugcheck.toml" in verdict(of_settings)["headline"]


def test_an_unknown_tier_is_refused_with_those_there_are(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("webapp==1.0\n")
    done = check(index, path, "--tier", "huge")
    assert done.code == 2
    assert "no tier 'huge'" in done.err
    assert "function, cold-start, large" in done.err
    long = check(index, path, "--tier", "x" * 100)
    assert f"has no tier '{'x' * 60}'\n" in long.err
    on_heroku = check(index, path, "--tier", "large", platform="heroku")
    assert on_heroku.code == 2
    assert "one size limit only" in on_heroku.err
    requirements('platform = "vercel"\ntier = "huge"\n', "slugcheck.toml")
    of_settings = slugcheck(path)
    assert of_settings.code == 2
    assert "tier: Vercel (Python function) has no tier 'huge'" in of_settings.err


# a function of 150 kB, of which 10 kB are uv; up to 250 kB with what is installed at cold starts
TINY = (
    ("value = 235_929_600", "value = 150_000"),
    ("function_bytes = 235_929_600", "function_bytes = 150_000"),
    ("tool_bytes = 56_290_744", "tool_bytes = 10_000"),
    ("value = 524_288_000", "value = 250_000"),
    ("value = 5_368_709_120", "value = 400_000"),
    ("installed_bytes = 1_719_000", "installed_bytes = 5_000"),
    ("error_percent = 2", "error_percent = 0"),
)


def test_what_does_not_fit_is_installed_at_every_cold_start_and_said_to_be(
    tmp_path: Path, index: PackageServer, requirements: Write
) -> None:
    """60 + 40 kB are bundled beside runtime and uv; 50 kB have no room, 20 kB have."""
    index.add_wheel("delta", "1.0", {"delta/data.bin": noise(50_000)})
    platform = own_platform(tmp_path, *TINY)
    done = check(index, requirements("alpha\nbeta\ngamma\ndelta\n"), platform=platform)
    assert done.code == 0
    split = done.document["function"]
    assert split["bundled"] == ["alpha", "delta", "gamma"]
    assert split["installed"] == ["beta"]
    assert split["installed_bytes"] == done.one("beta")["bundle_bytes"]
    assert split["fixed_bytes"] == 15_000
    assert (
        split["function_bytes"] + split["installed_bytes"] - 10_000
        == (done.document["totals"]["bundle_bytes"])
    )
    function = verdict(done, "function")
    assert (function["status"], function["gates"]) == ("warn", False)
    assert "1 package, is installed at every cold start: beta" in function["sentence"]
    assert "is installed at every cold start" in verdict(done)["headline"]


def test_the_largest_are_bundled_first_and_smaller_ones_into_the_room_left(
    tmp_path: Path, index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("delta", "1.0", {"delta/data.bin": noise(45_000)})
    platform = own_platform(tmp_path, *TINY)
    path = requirements("alpha\nbeta\ngamma\ndelta\n")
    split = check(index, path, platform=platform).document["function"]
    assert split["bundled"] == ["alpha", "delta", "gamma"]
    assert split["installed"] == ["beta"]


def test_a_bundle_that_fits_or_is_too_large_is_not_split(
    tmp_path: Path, index: PackageServer, requirements: Write
) -> None:
    platform = own_platform(tmp_path, *TINY)
    fits = check(index, requirements("alpha\nbeta\n"), platform=platform)
    assert fits.document["function"] is None
    assert [v["budget"] for v in fits.document["verdicts"]].count("function") == 0
    index.add_wheel("vast", "1.0", {"vast/data.bin": noise(300_000)})
    large = check(index, requirements("alpha\nvast\n"), platform=platform)
    assert large.code == 1
    assert large.document["function"] is None
    headline = verdict(large)["headline"]
    assert "installed at every cold start" in headline
    assert "large functions: --tier large" in headline
    with_large = check(index, requirements("alpha\nvast\n"), "--tier", "large", platform=platform)
    assert with_large.code == 0
    custom = check(index, requirements("alpha\nbeta\nvast\n"), "--tier", "function",
                   platform=platform)  # fmt: skip
    assert "otherwise up to 500M" in verdict(custom)["headline"]


def test_what_cannot_be_installed_at_a_cold_start_must_fit_into_the_function(
    tmp_path: Path, index: PackageServer
) -> None:
    """Files of the app, wheels named by their URL, and what has no wheel."""
    limits = (("value = 250_000", "value = 900_000"), ("value = 400_000", "value = 950_000"))
    platform = own_platform(tmp_path, *TINY, *limits)
    app = write(tmp_path / "app", {
        "requirements.txt": "beta\ngamma\n", "model.bin": noise(230_000),
    })  # fmt: skip
    done = check(index, app, platform=platform)
    function = verdict(done, "function")
    assert done.code == 0  # Vercel lets it be 100 KiB larger
    assert function["status"] == "warn"
    write(app, {"model.bin": noise(245_000)})
    done = check(index, app, platform=platform)
    assert done.code == 1
    function = verdict(done, "function")
    assert (function["status"], function["gates"]) == ("fail", True)
    assert "must be in the function" in function["sentence"]

    url = index.file_url("alpha-1.0-py3-none-any.whl")
    write(app, {"requirements.txt": f"alpha @ {url}\nbeta\ngamma\n", "model.bin": noise(40_000)})
    split = check(index, app, platform=platform).document["function"]
    assert split["fixed"] == ["alpha"]
    assert split["installed"] == ["beta"]


def test_packages_of_another_index_stay_in_the_function(
    tmp_path: Path, index: PackageServer, requirements: Write
) -> None:
    with PackageServer() as private:
        private.add_wheel("secret", "1.0", {"secret/data.bin": noise(30_000)})
        platform = own_platform(tmp_path, *TINY)
        path = requirements(f"--extra-index-url {private.index_url}\nsecret\nalpha\nbeta\ngamma\n")
        document = check(index, path, platform=platform).document
    assert document["function"]["fixed"] == ["secret"]
    assert document["function"]["installed"] == ["gamma"]


# --------------------------------------------------------------------------- the platform's file


def test_the_tiers_have_values_cases_sources_and_dates() -> None:
    tiers = {tier.when: tier for tier in platforms.load("vercel").tiers}
    values = {when: tier.value // MIB for when, tier in tiers.items()}
    assert values == {TierWhen.NO_LOCK: 225, TierWhen.LOCK: 500, TierWhen.LARGE: 5120}
    assert tiers[TierWhen.LOCK].function_bytes == 225 * MIB
    for tier in tiers.values():
        assert tier.source.text.startswith("vercel/vercel 17d9eba")
        assert re.fullmatch(r"2026-\d\d-\d\d", tier.source.date)
        assert tier.about


def test_all_mistakes_in_tiers_and_rules_are_told_at_once() -> None:
    wrong = (
        OWN_TEXT.replace('when = "large"', 'when = "lock"')
        .replace('name = "large"', 'name = "function"')
        .replace("function_bytes = 235_929_600", "function_bytes = 900_000_000")
        .replace('ignore_file = ".vercelignore"', "ignore_file = 3")
        .replace('"**/public/**"', "7")
    )
    with pytest.raises(PlatformError) as caught:
        platforms.parse(wrong, "vercel.toml")
    lines = str(caught.value).splitlines()
    for expected in (
        "vercel.toml: tiers has 'function' 2 times",
        "vercel.toml: tiers must have one row for when = 'lock', not 2",
        "vercel.toml: tiers must have one row for when = 'large', not 0",
        "vercel.toml: tiers[1].function_bytes must not be more than the value, 524,288,000",
        "vercel.toml: function.ignore_file must be a string, not 3",
        "vercel.toml: function.excluded must be a list of strings, not ['.git/**', '.gitignore',",
    ):
        assert any(line.startswith(expected) for line in lines), (expected, lines)
    with pytest.raises(PlatformError, match="limits must have one of the figure bundle, of 524,28"):
        platforms.parse(OWN_TEXT.replace("value = 524_288_000\nunit", "value = 5\nunit"), "v.toml")
    with pytest.raises(PlatformError, match=r"tiers\[1\]\.tool_bytes must be less than function"):
        platforms.parse(OWN_TEXT.replace("= 56_290_744", "= 956_290_744"), "v.toml")


def test_slugcheck_platforms_shows_the_tiers_and_the_rules_of_a_folder() -> None:
    shown = " ".join(slugcheck("platforms", "vercel").out.split())
    assert "function 225M (235,929,600 bytes) of bundle with a custom install command" in shown
    assert "cold-start 500M (524,288,000 bytes) of bundle by default" in shown
    assert "large 5120M (5,368,709,120 bytes) of bundle with large functions" in shown
    assert "dependency-externalizer.ts" in shown
    assert "**/public/**" in shown
    assert ".vercelignore" in shown


# --------------------------------------------------------------------------- the folder


def test_the_app_counts_without_what_vercel_and_the_project_leave_out(
    tmp_path: Path, index: PackageServer
) -> None:
    app = repository(tmp_path / "app", {
        **APP,
        "public/logo.dat": noise(9000),
        "web/public/logo.dat": noise(8000),
        "data/x.dat": noise(7000),
        "Docs/guide.md": "x" * 600,
        "docs/keep.md": "x" * 30,
        "package-lock.json": "{}" * 400,
        "kept.dat": noise(123),
        ".vercelignore": "# ours\nDOCS\n!docs/keep.md\n",
        "vercel.json": '{"functions": {"app.py": {"excludeFiles": "{data,none}/**"}}}',
        ".slugignore": "kept.dat\n",
        "Procfile": "release: python x.py\nweb: uvicorn app\n",
    })  # fmt: skip
    done = check(index, app)
    assert done.code == 0, done.err
    kept = ("app.py", "requirements.txt", "kept.dat", ".vercelignore", "vercel.json",
            ".slugignore", "Procfile")  # fmt: skip
    assert done.document["app"]["bytes"] == sum((app / name).stat().st_size for name in kept)
    assert done.document["app"]["files"] == len(kept)
    ignored = 9000 + 8000 + 7000 + 600 + 30 + 800
    assert done.document["app"]["ignored_bytes"] == ignored
    everything = done.out.lower()
    assert "heroku" not in everything
    assert "slugignore" not in notes(done)
    assert "Procfile" not in notes(done)
    table = slugcheck(app, "--platform", "vercel", "--index-url", index.index_url).out
    assert "not in the function: 6 files" in " ".join(table.split())


def test_an_ignore_file_that_git_does_not_track_has_no_effect(
    tmp_path: Path, index: PackageServer
) -> None:
    app = repository(tmp_path / "app", {**APP, "big.dat": noise(5000)})
    write(app, {".vercelignore": "big.dat\n"})
    done = check(index, app)
    assert done.document["app"]["bytes"] > 5000
    assert ".vercelignore has no effect on a push: git does not track it" in notes(done)


def test_a_dependency_file_that_is_ignored_is_not_found(
    tmp_path: Path, index: PackageServer
) -> None:
    app = repository(tmp_path / "app", {**APP, ".vercelignore": "requirements.txt\n"})
    done = check(index, app)
    assert done.code == 2
    assert "no dependency file that Vercel (Python function) reads" in done.err


def test_of_several_functions_the_largest_counts(tmp_path: Path, index: PackageServer) -> None:
    functions = {
        "api/a.py": {"excludeFiles": "{small,large}.dat"},
        "api/b.py": {"excludeFiles": "small.dat"},
        "api/page.js": {"excludeFiles": "**"},
    }
    app = write(tmp_path / "app", {
        **APP, "api/a.py": "a = 1\n", "api/b.py": "b = 1\n", "api/c.py": "c = 1\n",
        "api/_lib.py": "x = 1\n", "api/page.js": "", "small.dat": noise(1000),
        "large.dat": noise(9000), "vercel.json": json.dumps({"functions": functions}),
    })  # fmt: skip
    done = check(index, app)
    assert done.document["app"]["ignored_bytes"] == 1000
    assert "2 functions have excludeFiles: counted is api/b.py, the largest" in notes(done)
    assert "no excludeFiles for api/c.py: the bundle of a function there is larger" in notes(done)


def test_what_is_not_understood_of_the_configuration_is_said(
    tmp_path: Path, index: PackageServer
) -> None:
    functions = {
        "app.py": {"excludeFiles": "!(app|lib)/**"},
        "*.py": {"excludeFiles": ["data/**"]},
        "x.py": 5,
        "api/**": None,
    }
    app = write(tmp_path / "app", {
        **APP, "vercel.ts": "export const config = {}", "data/x.dat": noise(2000),
        "vercel.json": json.dumps({"functions": functions, "services": {}}),
    })  # fmt: skip
    done = check(index, app)
    assert done.code == 0
    assert done.document["app"]["ignored_files"] == 0
    for expected in (
        "excludeFiles !(app|lib)/** of app.py is not understood and leaves nothing out here",
        "excludeFiles of *.py must be a string, so it is ignored",
        "services are not read",
        "vercel.ts is a program and is not run",
    ):
        assert expected in notes(done)
    write(app, {"vercel.json": '{"functions": {"app.py": {"excludeFiles": "./data/**"}}}'})
    assert "excludeFiles ./data/** of app.py matches no file" in notes(check(index, app))


def test_exclude_files_of_builds_count_too(tmp_path: Path, index: PackageServer) -> None:
    builds = [
        {"src": "app.py", "use": "@vercel/python", "config": {"excludeFiles": "data/**"}},
        {"src": "*.js", "use": "@vercel/node", "config": {"excludeFiles": "**"}},
        7,
    ]
    app = write(tmp_path / "app", {
        **APP, "data/x.dat": noise(2000), "vercel.json": json.dumps({"builds": builds}),
    })  # fmt: skip
    assert check(index, app).document["app"]["ignored_bytes"] == 2000


# --------------------------------------------------------------------------- dependency files

PROJECT = '[project]\nname = "app"\nversion = "1"\ndependencies = ["alpha"]\n'


def names(done: Done) -> set[str]:
    return {row["name"] for row in done.document["distributions"]}


def test_pyproject_comes_before_requirements(tmp_path: Path, index: PackageServer) -> None:
    app = write(tmp_path / "app", {**APP, "pyproject.toml": PROJECT})
    done = check(index, app)
    assert names(done) == {"alpha"}
    assert "installs from pyproject.toml and does not read requirements.txt" in notes(done)
    assert done.document["subject"]["dependency_file"] == "pyproject.toml"


def test_a_pyproject_without_a_project_table_fails_the_build(
    tmp_path: Path, index: PackageServer
) -> None:
    app = write(tmp_path / "app", {**APP, "pyproject.toml": "[tool.ruff]\nline-length = 100\n"})
    done = check(index, app)
    assert done.code == 3
    (obstacle,) = done.document["obstacles"]
    assert "it has no [project] table" in obstacle["sentence"]
    assert obstacle["instead"] == "sized from requirements.txt"
    assert names(done) == {"webapp"}


def test_a_poetry_project_without_a_project_table_is_sized_from_its_lock(
    tmp_path: Path, index: PackageServer
) -> None:
    from tests.support.projects import POETRY, poetry_package, poetry_project

    wheel = index.add_wheel("poem", "1.0", {"poem.py": "x = 1\n"})
    app = tmp_path / "app"
    poetry_project(app, [poetry_package("poem", "1.0", [wheel])])
    done = check(index, app)
    assert done.code == 3
    (obstacle,) = done.document["obstacles"]
    assert "reads pyproject.toml, not poetry.lock, and it has no [project]" in obstacle["sentence"]
    assert names(done) == {"poem"}
    (app / "poetry.lock").unlink()
    nothing = check(index, app)
    assert nothing.code == 3
    assert "it has no [project] table" in nothing.err
    write(app, {"poetry.lock": "", "pyproject.toml": f"{PROJECT}{POETRY}"})
    resolved = check(index, app)
    assert names(resolved) == {"alpha"}
    assert "does not read poetry.lock: uv resolves pyproject.toml anew" in notes(resolved)


def test_a_pylock_is_no_uv_lock(tmp_path: Path, index: PackageServer) -> None:
    app = write(tmp_path / "app", {"pyproject.toml": PROJECT, "pylock.toml": "lock-version = '1'"})
    done = check(index, app)
    assert done.code == 3
    assert "a pylock.toml, but no uv.lock" in done.document["obstacles"][0]["sentence"]


@pytest.mark.parametrize(
    "name", ["requirements.frozen.txt", "requirements-frozen.txt", "requirements.in",
             "requirements/prod.txt"],
)  # fmt: skip
def test_requirements_of_other_names_are_found(
    tmp_path: Path, index: PackageServer, name: str
) -> None:
    app = write(tmp_path / "app", {name: "alpha\n"})
    assert names(check(index, app)) == {"alpha"}
    write(app, {"requirements.txt": "beta\n"})
    first = "alpha" if "frozen" in name else "beta"
    assert names(check(index, app)) == {first}


def test_a_uv_lock_is_taken_as_it_is_even_if_it_is_out_of_date(
    tmp_path: Path, index: PackageServer
) -> None:
    project = PROJECT.replace('version = "1"', 'version = "1"\nrequires-python = ">=3.12"')
    app = write(tmp_path / "app", {"pyproject.toml": project})
    command = [find_uv_bin(), "lock", "-q", "--python", sys.executable, "--default-index"]
    here = project.replace(">=3.12", f">={MINOR}")
    write(app, {"pyproject.toml": here})
    subprocess.run([*command, index.index_url], cwd=app, check=True, capture_output=True)
    write(app, {"pyproject.toml": here.replace('"alpha"', '"alpha", "beta"')})
    done = check(index, app)
    assert done.code == 0, done.err
    assert names(done) == {"alpha"}
    assert check(index, app, platform="fly").code == 3


def test_a_project_that_is_a_package_is_said_to_be_there_twice(
    tmp_path: Path, index: PackageServer
) -> None:
    build = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    app = write(tmp_path / "app", {"pyproject.toml": PROJECT + build})
    assert "its modules are in the function twice, and counted once" in notes(check(index, app))


# --------------------------------------------------------------------------- Python


@pytest.mark.parametrize(
    ("files", "python", "origin"),
    [
        ({}, "3.12", "default"),
        ({".python-version": "3.13\n"}, "3.13", ".python-version"),
        ({".python-version": "# ours\n3.14.2\n"}, "3.14", ".python-version"),
        ({".python-version": "cpython@3.13\n"}, "3.13", ".python-version"),
        ({".python-version": ">=3.13\n"}, "3.14", ".python-version"),
        ({".python-version": "3.9\n3.13\n"}, "3.13", ".python-version"),
        ({".python-version": ">=3.10\n"}, "3.12", ".python-version"),
        ({"runtime.txt": "python-3.13.1\n"}, "3.12", "default"),
        ({".python-version": "3.10\n"}, "3.12", "default"),
    ],
)
def test_python_is_what_vercel_takes(
    tmp_path: Path, index: PackageServer, files: dict[str, str | bytes], python: str, origin: str
) -> None:
    done = check(index, write(tmp_path / "app", {**APP, **files}))
    assert done.code == 0, done.err
    assert done.document["target"]["python"] == python
    assert done.document["target"]["python_origin"].endswith(origin)
    # the patch release is Vercel's own
    newest = {release.minor: release.version for release in platforms.load("vercel").pythons}
    assert done.document["target"]["python_full"] == newest[python]
    assert ("does not read runtime.txt" in notes(done)) == ("runtime.txt" in files)
    ignored = "ignores Python 3.10" in notes(done)
    assert ignored == (files.get(".python-version") == "3.10\n")


@pytest.mark.parametrize(
    ("requires", "python"), [(">=3.13", "3.14"), ("~=3.13", "3.13"), (">=3.9", "3.12"),
                             ("==3.13.*", "3.13"), (">=3.12.4", "3.12")],
)  # fmt: skip
def test_python_of_pyproject_counts_after_the_version_file(
    tmp_path: Path, index: PackageServer, requires: str, python: str
) -> None:
    text = PROJECT.replace('version = "1"', f'version = "1"\nrequires-python = "{requires}"')
    app = write(tmp_path / "app", {"pyproject.toml": text})
    target = check(index, app).document["target"]
    assert (target["python"], target["python_origin"]) == (python, "pyproject.toml")
    write(app, {".python-version": "3.12\n"})
    assert check(index, app).document["target"]["python"] == "3.12"


def test_a_project_that_refuses_every_python_of_vercel_fails(
    tmp_path: Path, index: PackageServer
) -> None:
    text = PROJECT.replace('version = "1"', 'version = "1"\nrequires-python = "<3.12"')
    done = check(index, write(tmp_path / "app", {"pyproject.toml": text}))
    assert done.code == 3
    sentence = done.document["obstacles"][0]["sentence"]
    assert "offers Python 3.12 to 3.14, and requires-python is <3.12" in sentence


def test_python_of_a_pipfile_lock_counts_where_vercel_has_it(
    tmp_path: Path, index: PackageServer
) -> None:
    from tests.support.projects import pipenv_entry, pipenv_project

    app = tmp_path / "app"
    wheel = index.add_wheel("piped", "1.0", {"piped.py": "x = 1\n"})
    lock = pipenv_project(app, index.index_url, {"piped": pipenv_entry("1.0", [wheel])})
    for wanted, python in (("3.13", "3.13"), ("3.9", "3.12")):
        content = json.loads(lock.read_text())
        content["_meta"]["requires"] = {"python_version": wanted}
        lock.write_text(json.dumps(content))
        done = check(index, app)
        assert names(done) == {"piped"}
        assert done.document["target"]["python"] == python


def test_a_version_file_without_a_version_fails_the_build(
    tmp_path: Path, index: PackageServer
) -> None:
    done = check(index, write(tmp_path / "app", {**APP, ".python-version": "# none\n"}))
    assert done.code == 3
    assert "no Python version in .python-version" in done.document["obstacles"][0]["sentence"]


# --------------------------------------------------------------------------- hostile files


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"functions": {"a": ' * 5_000,
        "not json",
        "[1, 2]",
        '"text"',
        b"\xff\xfe\x00",
        '{"installCommand": ' + "9" * 5_000 + "}",
    ],
)
def test_a_configuration_that_is_not_valid_fails_the_build(
    tmp_path: Path, index: PackageServer, content: str | bytes
) -> None:
    done = check(index, write(tmp_path / "app", {**APP, "vercel.json": content}))
    assert done.code == 3
    (obstacle,) = done.document["obstacles"]
    assert "vercel.json" in obstacle["sentence"]
    assert obstacle["instead"] == "sized without vercel.json"


@pytest.mark.parametrize(
    "table",
    [
        {"functions": 5, "builds": "x", "build": [], "installCommand": 7},
        {"functions": [], "builds": {"a": 1}, "build": {"env": []}},
        {"functions": {"app.py": []}, "builds": [None, [], {"use": 3}, {"use": "@vercel/python"}]},
        {"build": {"env": {"VERCEL_SUPPORT_LARGE_FUNCTIONS": 1}}, "framework": {}},
    ],
)
def test_odd_types_are_ignored(
    tmp_path: Path, index: PackageServer, table: dict[str, object]
) -> None:
    done = check(index, write(tmp_path / "app", {**APP, "vercel.json": json.dumps(table)}))
    assert done.code == 0, done.err
    assert verdict(done)["limit"] == 500 * MIB


def test_what_is_too_large_or_leads_out_of_the_folder_is_refused(
    tmp_path: Path, index: PackageServer
) -> None:
    app = write(tmp_path / "app", {**APP, "vercel.json": " " * (2 * MIB)})
    done = check(index, app)
    assert done.code == 2
    assert "vercel.json" in done.err
    (tmp_path / "secret.json").write_text('{"installCommand": "secret"}')
    (app / "vercel.json").unlink()
    (app / "vercel.json").symlink_to(tmp_path / "secret.json")
    linked = check(index, app)
    assert "secret" not in linked.out
    (app / "vercel.json").unlink()
    (app / "vercel.json").mkdir()
    assert check(index, app).code == 0
    write(app, {".vercelignore": "x" * 5_000})
    longer = check(index, app)
    assert longer.code == 2
    assert ".vercelignore:1: a pattern of 5,000 characters" in longer.err
    write(app, {".vercelignore": "x\n" * 20_000})
    assert check(index, app).code == 2


def test_globs_that_explode_end_with_an_error(tmp_path: Path, index: PackageServer) -> None:
    many = {f"d{n}/" * 20 + "f.py": "x" for n in range(40)}
    exploding = "{a,b}" * 30
    app = write(tmp_path / "app", {
        **APP, **many,
        "vercel.json": json.dumps({"functions": {"app.py": {"excludeFiles": exploding}}}),
    })  # fmt: skip
    done = check(index, app)
    assert done.code == 2
    assert "takes too long to match" in done.err
    stars = {"functions": {"**/*": {"excludeFiles": "**/*a*a*a*a*a*a*a*a*a*a*a*b/" * 40}}}
    write(app, {"vercel.json": json.dumps(stars), ".vercelignore": "**/" * 1000 + "*a*" * 300})
    assert check(index, app).code in (0, 2)  # and it ends


def test_names_in_notes_cannot_steer_a_terminal(tmp_path: Path, index: PackageServer) -> None:
    functions = {
        "\x1b[31mapp.py": {"excludeFiles": ["x"]},
        "app.py": {"excludeFiles": "+(\x1b[2J)"},
    }
    app = write(tmp_path / "app", {**APP, "vercel.json": json.dumps({"functions": functions})})
    out = slugcheck(app, "--platform", "vercel", "--index-url", index.index_url).out
    assert "\x1b" not in out

"""Platforms as data: what the built-in files say, and what a wrong file is told."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from slugcheck import platforms
from slugcheck.errors import PlatformError
from slugcheck.model import BundleKind, Platform, PythonRelease, RuntimePart, Severity
from slugcheck.render import terminal
from slugcheck.render.views.platforms import view

ALL = platforms.names()
FOLDER = Path(platforms.__file__).parent
# platforms for whose size no limit is known that stops a deployment
UNLIMITED = {"docker", "render", "cloud-run", "azure-container-apps", "heroku-fir",
             "google-cloud-functions-gen2", "azure-functions",
             "digitalocean-app-platform"}  # fmt: skip
ADVISED = {"azure-container-apps", "digitalocean-app-platform"}
MIB = 2**20


@pytest.fixture(scope="module")
def heroku() -> Platform:
    return platforms.load("heroku")


# --------------------------------------------------------------------------- the built-in files


def test_heroku_comes_first_and_the_rest_by_name() -> None:
    assert ALL[0] == "heroku"
    assert list(ALL[1:]) == sorted(ALL[1:])
    assert {"aws-lambda", "vercel", "google-cloud-functions", "pythonanywhere-free", "fly",
            "railway-trial"} < set(ALL)  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_every_built_in_platform_is_whole(name: str) -> None:
    platform = platforms.load(name)
    assert platform.name == name
    gating = [
        limit
        for limit in platform.limits
        if limit.severity is Severity.FAIL and limit.figure == platform.size_figure
    ]
    assert bool(gating) is (name not in UNLIMITED)
    assert platform.default_stack in {stack.name for stack in platform.stacks}
    assert platform.default_python in {release.minor for release in platform.pythons}


@pytest.mark.parametrize("name", ALL)
def test_every_constant_has_a_source_and_a_day_that_is_past(name: str) -> None:
    platform = platforms.load(name)
    sources = {limit.source for limit in platform.limits}
    sources |= {stack.source for stack in platform.stacks}
    sources |= {dyno.source for dyno in platform.dynos}
    sources |= {platform.bundle.source}
    for release in platform.pythons:
        sources |= {release.source, *(part.source for part in release.parts)}
    today = datetime.datetime.now(datetime.UTC).date()
    for source in sources:
        assert len(source.text) > 10
        assert datetime.date(2012, 1, 1) < datetime.date.fromisoformat(source.date) <= today
    for limit in platform.limits:
        assert type(limit.value) is int


def test_what_is_unknown_says_so() -> None:
    texts = {s.name: s.source.text for s in platforms.load("heroku").stacks}
    assert "unverified" in texts["heroku-26"]
    for name in ("fly", "azure-functions", "digitalocean-functions"):
        (stack,) = platforms.load(name).stacks
        assert (2, 17) <= stack.glibc <= (2, 28)
        assert "assumption" in stack.source.text


@pytest.mark.parametrize(
    ("name", "bytes_"),
    [("heroku", 524_288_000), ("aws-lambda", 262_144_000), ("vercel", 524_288_000),
     ("google-cloud-functions", 500_000_000), ("pythonanywhere-free", 536_870_912),
     ("fly", 8_000_000_000), ("railway-trial", 4_000_000_000),
     ("huggingface-spaces", 50_000_000_000), ("streamlit", 50_000_000_000),
     ("digitalocean-functions", 48_000_000), ("cloudflare-workers", 67_108_864)],
)  # fmt: skip
def test_size_limits_in_bytes(name: str, bytes_: int) -> None:
    platform = platforms.load(name)
    gating = [
        limit.value
        for limit in platform.limits
        if limit.figure == platform.size_figure and limit.severity is Severity.FAIL
    ]
    assert gating == [bytes_]


@pytest.mark.parametrize(
    ("dyno", "bytes_"),
    [(None, 4 * 10**9), ("free", 4 * 10**9), ("Hobby", 100 * 10**9), ("pro", None)],
)
def test_a_limit_of_a_plan_holds_for_that_plan_only(dyno: str | None, bytes_: int | None) -> None:
    platform = platforms.for_dyno(platforms.load("railway"), dyno)
    assert [limit.value for limit in platform.limits] == ([] if bytes_ is None else [bytes_])


def test_a_limit_for_a_plan_that_is_not_there_is_a_mistake() -> None:
    text = (FOLDER / "railway.toml").read_text().replace('dynos = ["hobby"]', 'dynos = ["x"]')
    with pytest.raises(PlatformError, match="machine size 'x', which is not in dynos"):
        platforms.parse(text, "railway.toml")


def test_heroku_limits(heroku: Platform) -> None:
    assert {limit.name: (limit.value, limit.severity, limit.text) for limit in heroku.limits} == {
        "slug": (500 * MIB, Severity.FAIL, "500M"),
        "heroku-cap": (1000 * MIB, Severity.NOTE, "1000M"),
        "heroku-warning": (300 * MIB, Severity.WARN, "300M"),
        "checkout": (10**9, Severity.FAIL, "1 GB"),
        "build": (900, Severity.FAIL, "15 minutes"),
        "boot": (60, Severity.FAIL, "60 s"),
    }


# cores as nproc sees them on Cedar
CORES = {"eco": 8, "basic": 8, "standard-1x": 8, "standard-2x": 8, "performance-m": 2,
         "performance-l": 8, "performance-l-ram": 4, "performance-xl": 8,
         "performance-2xl": 16}  # fmt: skip


def test_heroku_starts_as_many_workers_as_its_buildpack_computes(heroku: Platform) -> None:
    by_name = {dyno.name: dyno for dyno in heroku.dynos}
    for name, cores in CORES.items():
        dyno = by_name[name]
        assert dyno.workers == min(cores * 2 + 1, dyno.ram_bytes // MIB // 256), name


def test_heroku_kills_at_twice_the_quota_or_at_the_quota(heroku: Platform) -> None:
    for dyno in heroku.dynos:
        share = dyno.r15_bytes / dyno.r14_bytes
        if dyno.name.startswith(("private-", "shield-")):
            assert share == 1
        elif dyno.name.endswith(("-ram", "xl")):
            assert 1.15 < share <= 1.2  # said as whole GB: 74 for 62
        else:
            assert share == 2


def test_the_dynos_of_fir_say_their_memory_and_are_killed_there() -> None:
    fir = platforms.load("heroku-fir").dynos
    assert len(fir) == 17
    for dyno in fir:
        match = re.fullmatch(r"dyno-(\d+)c-([\d.]+)gb", dyno.name)
        assert match
        assert dyno.cores == int(match[1])
        assert dyno.ram_bytes == dyno.r15_bytes == float(match[2]) * 2**30
        assert dyno.workers == 1


def test_fir_is_an_image_on_arm_without_pip_and_cedar_has_none_of_its_dynos() -> None:
    fir, cedar = platforms.load("heroku-fir"), platforms.load("heroku")
    assert fir.bundle.kind is BundleKind.UNZIPPED
    assert {stack.name: stack.arch for stack in fir.stacks} == {
        "heroku-24": "aarch64", "heroku-26": "aarch64", "heroku-22-amd64": "x86_64",
        "heroku-24-amd64": "x86_64", "heroku-26-amd64": "x86_64",
    }  # fmt: skip
    assert {release.minor: release.version for release in fir.pythons} == {
        "3.10": "3.10.20", "3.11": "3.11.15", "3.12": "3.12.13", "3.13": "3.13.15",
        "3.14": "3.14.7",
    }  # fmt: skip
    assert {part.name.split()[0] for r in fir.pythons for part in r.parts} == {"Python"}
    assert not {dyno.name for dyno in fir.dynos} & {dyno.name for dyno in cedar.dynos}


def with_pip(release: PythonRelease) -> list[RuntimePart]:
    return [part for part in release.parts if not part.managers or "pip" in part.managers]


def test_an_empty_slug_is_as_large_as_the_runtimes_that_were_measured(heroku: Platform) -> None:
    """Against runtime, pip and setuptools compressed together, which saves up to 1 %."""
    together = {"3.10": (49_344_107, 18_123_209), "3.11": (60_140_758, 21_843_112),
                "3.12": (57_670_854, 20_200_343), "3.13": (49_202_147, 17_412_470)}  # fmt: skip
    for release in heroku.pythons:
        if release.minor in together:
            installed, slug = together[release.minor]
            parts = with_pip(release)
            assert sum(p.installed_bytes for p in parts) == pytest.approx(installed, 0.001)
            assert sum(p.slug_bytes for p in parts) == pytest.approx(slug, 0.01)
    names = {r.minor: [p.name.split()[0] for p in with_pip(r)] for r in heroku.pythons}
    assert names["3.12"] == ["Python", "pip", "setuptools"]
    assert names["3.13"] == names["3.14"] == ["Python", "pip"]


def test_the_python_that_was_not_measured_has_the_wider_error(heroku: Platform) -> None:
    *measured, newest = heroku.pythons
    assert newest.minor == "3.14"
    assert min(p.error_percent for p in newest.parts) > max(
        p.error_percent for r in measured for p in r.parts
    )
    assert "3.13" in newest.parts[0].note


# --------------------------------------------------------------------------- a user's own file

OWN = """
name = "shed"
title = "The shed"
about = "A box under the desk."
bundle = { kind = "unzipped", about = "all of it", source = "us" }
installer = "pip"
compiles_bytecode = true
gpu = true
prefix = "/srv/app"
default_stack = "box"
default_python = "3.12"

sources.us = { text = "we measured it", date = 2026-11-01 }

[[stacks]]
name = "box"
glibc = "2.31"
arch = "x86_64"
status = "works"
source = "us"

[[pythons]]
minor = "3.12"
version = "3.12.4"
status = "supported"
source = "us"

[[limits]]
name = "installed"
figure = "installed"
value = 1_000_000
unit = "bytes"
severity = "fail"
text = "1 MB"
source = "a note on the box"
date = "2026-10-31"
"""


def test_a_users_own_platform(tmp_path: Path) -> None:
    path = tmp_path / "shed.toml"
    path.write_text(OWN)
    platform = platforms.load(str(path))
    assert (platform.name, platform.default_dyno, platform.dynos) == ("shed", None, ())
    assert platform.stacks[0].source.text == "we measured it"
    assert platform.stacks[0].source.date == "2026-11-01"
    assert platform.limits[0].source.text == "a note on the box"
    assert platform == platforms.load_file(path)


def test_all_mistakes_of_a_file_are_told_at_once_each_with_its_path() -> None:
    wrong = (
        OWN.replace('title = "The shed"\n', "")
        .replace('glibc = "2.31"', "glibc = 2.31")
        .replace("value = 1_000_000", 'value = "1 MB"')
        .replace('severity = "fail"', 'severty = "fail"')
        .replace('unit = "bytes"', 'unit = "seconds"')
        .replace('version = "3.12.4"', 'version = "3.11.4"')
        .replace('default_python = "3.12"', 'default_python = "3.9"')
        .replace('date = "2026-10-31"', 'date = "yesterday"')
        .replace("gpu = true", "gpu = 1")
    )
    with pytest.raises(PlatformError) as caught:
        platforms.parse(wrong, "shed.toml")
    lines = str(caught.value).splitlines()
    for expected in (
        "shed.toml: title is missing; it must be a string",
        "shed.toml: stacks[0].glibc must be a string, not 2.31",
        "shed.toml: limits[0].value must be a whole number of at least 1, not '1 MB'",
        "shed.toml: limits[0].severity is missing; it must be one of fail, warn, note",
        "shed.toml: limits[0].severty is unknown; did you mean severity?",
        "shed.toml: limits[0].unit must be 'bytes' for the figure 'installed'",
        "shed.toml: pythons[0].version must be like 3.12.4, not '3.11.4'",
        "shed.toml: default_python must be one of 3.12, not '3.9'",
        "shed.toml: limits[0].date must be a date like 2026-11-23, not 'yesterday'",
        "shed.toml: gpu must be true or false, not 1",
    ):
        assert expected in lines
    assert len(lines) == 10
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("value = 1_000_000", "value = -5"), "limits[0].value"),
        (("value = 1_000_000", "value = true"), "limits[0].value"),
        (("value = 1_000_000", "value = 1e6"), "limits[0].value"),
        (('source = "us"', 'source = "them"'), "stacks[0].date is missing"),
        (('date = 2026-11-01', 'date = 2026'), "sources.us.date"),
        (('[[stacks]]', '[stacks]'), "stacks must be a list of tables"),
        (('[[limits]]', '[[limits]]\nname = "x"\n[[limits]]'), "limits[0].figure is missing"),
        (('prefix = "/srv/app"', 'prefix = "srv"'), "prefix must be like"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_bad_value(change: tuple[str, str], said: str) -> None:
    assert change[0] in OWN
    with pytest.raises(PlatformError) as caught:
        platforms.parse(OWN.replace(*change), "shed.toml")
    assert f"shed.toml: {said}" in str(caught.value)


DYNO = """
[[dynos]]
name = "small"
ram_bytes = 1_000
r15_bytes = 2_000
workers = 2
usd_per_month = 0.5
cores = 1
shared = true
source = "us"
"""


def test_a_machine_size_has_its_bounds_and_their_defaults() -> None:
    full = platforms.parse(OWN + DYNO, "shed.toml").dynos[0]
    assert (full.ram_bytes, full.r14_bytes, full.r15_bytes) == (1_000, 1_000, 2_000)
    assert (full.workers, full.usd_per_month, full.cores, full.shared) == (2, 0.5, 1, True)
    bare = '[[dynos]]\nname = "small"\nram_bytes = 1_000\nsource = "us"\n'
    least = platforms.parse(OWN + bare, "shed.toml").dynos[0]
    assert (least.r14_bytes, least.r15_bytes, least.workers) == (1_000, 1_000, 1)
    assert (least.usd_per_month, least.cores, least.shared) == (None, None, False)
    equal = platforms.parse(OWN + DYNO.replace("2_000", "1_000"), "shed.toml").dynos[0]
    assert equal.r15_bytes == 1_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"small"', '"Small"'), "dynos[0].name must be like standard-1x, in lower case"),
        (("ram_bytes = 1_000", "ram_bytes = 0"),
         "dynos[0].ram_bytes must be a whole number of at least 1, not 0"),
        (("r15_bytes = 2_000", "r15_bytes = 999"),
         "dynos[0].r15_bytes must be a whole number of at least 1,000, not 999"),
        (("workers = 2", "workers = 0"),
         "dynos[0].workers must be a whole number of at least 1, not 0"),
        (("= 0.5", "= -0.5"), "dynos[0].usd_per_month must be a number that is not negative, not"),
        (("= 0.5", "= nan"), "dynos[0].usd_per_month must be a number that is not negative, not"),
        (("= 0.5", "= true"), "dynos[0].usd_per_month must be a number that is not negative, not"),
        (("shared = true", "shared = 1"), "dynos[0].shared must be true or false, not 1"),
        (('gpu = true', 'gpu = true\ndefault_dyno = "large"'),
         "default_dyno must be one of small, not 'large'"),
        (('status = "works"', 'status = "works"\nmissing_libraries = "x"'),
         "stacks[0].missing_libraries must be a list of strings, not 'x'"),
        (('arch = "x86_64"', 'arch = "sparc"'),
         "stacks[0].arch must be one or more of x86_64, arm64, amd64, aarch64, wasm32, not"),
        (("[[pythons]]", "[[pythongs]]"), "pythons must have at least 1"),
    ],
)  # fmt: skip
def test_each_kind_of_value_is_told_what_it_must_be(change: tuple[str, str], said: str) -> None:
    text = OWN + DYNO
    assert change[0] in text
    with pytest.raises(PlatformError) as caught:
        platforms.parse(text.replace(change[0], change[1], 1), "shed.toml")
    assert f"shed.toml: {said}" in str(caught.value)
    assert caught.value.hint == "'Your own platform' in docs/platforms.md shows a whole file"


def test_the_same_name_twice_is_a_mistake() -> None:
    stack = OWN[OWN.index("[[stacks]]") : OWN.index("[[pythons]]")]
    with pytest.raises(PlatformError, match="stacks has 'box' 2 times"):
        platforms.parse(OWN + stack, "shed.toml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=r"none\.toml: .*No such file"):
        platforms.load(str(tmp_path / "none.toml"))
    (tmp_path / "wide.toml").write_bytes(OWN.encode("utf-16"))
    with pytest.raises(PlatformError, match="not UTF-8"):
        platforms.load_file(tmp_path / "wide.toml")
    with pytest.raises(PlatformError, match=r"shed\.toml: not valid TOML: .*line 2"):
        platforms.parse('name = "x"\nname = "y"\n', "shed.toml")


def test_an_unknown_platform_is_told_the_nearest() -> None:
    with pytest.raises(PlatformError, match="no platform is called 'herokku'") as caught:
        platforms.load("herokku")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("did you mean heroku? ")
    assert "railway-trial" in caught.value.hint


# --------------------------------------------------------------------------- shown


def render(known: Sequence[Platform], *, width: int, color: bool, detailed: bool = False) -> str:
    return terminal.write(view(known, detailed=detailed), width=width, color=color)


def shown(*names: str, detailed: bool = False) -> str:
    return render(
        [platforms.load(name) for name in names], width=80, color=False, detailed=detailed
    )


def joined(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [80, 120])
def test_the_overview_has_a_line_for_each_platform(width: int) -> None:
    text = render([platforms.load(name) for name in ALL], width=width, color=False)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    for name in ALL:
        platform = platforms.load(name)
        (row,) = (row for row in lines if row.startswith(f"{name} "))
        assert row.endswith(f" {platform.default_python}")
        for limit in platform.limits:
            dyno = platform.default_dyno
            if limit.dynos and dyno not in limit.dynos:
                continue  # of another plan
            if limit.figure == platform.size_figure and limit.severity is not Severity.WARN:
                assert limit.text.split(" (")[0] in row
        assert ("none known" in row) == (name in UNLIMITED - ADVISED)
        if width > 110:
            assert platform.title.split()[0] in row
    assert "slugcheck platforms NAME" in text


def test_the_overview_says_what_counts_and_what_is_second_hand() -> None:
    text = shown("heroku", "vercel", "digitalocean-app-platform", "digitalocean-functions")
    rows = {row.split()[0]: " ".join(row.split()[1:]) for row in text.splitlines()[1:5]}
    assert rows["heroku"] == "500M, cap 1000M compressed slug 3.14"
    assert rows["digitalocean-functions"] == "48 MB zipped zipped files 3.13"
    assert rows["digitalocean-app-platform"] == "2 GiB advised image on disk 3.13"
    assert "second-hand" not in text
    heard = platforms.parse(OWN.replace('"2026-10-31"', '"2026-10-31"\nsecond_hand = true'), "s")
    heard = replace(heard, limits=(replace(heard.limits[0], figure="bundle"),))
    text = render([heard], width=80, color=False)
    assert "1 MB*" in text
    assert "* second-hand: the platform itself does not say it" in text


def test_the_overview_explains_m_where_it_is_used_and_names_the_plan_of_a_limit() -> None:
    assert "M is MiB" in shown("heroku")
    assert "M is MiB" not in shown("aws-lambda", "pythonanywhere-free")
    assert "4 GB image (trial, free)" in shown("railway")


def test_railway_has_the_memory_of_one_replica() -> None:
    dynos = {dyno.name: dyno.ram_bytes for dyno in platforms.load("railway").dynos}
    assert (dynos["hobby"], dynos["pro"]) == (8 * 2**30, 24 * 2**30)
    assert (
        platforms.load("railway-trial").default_python
        == "3.13"
        == (platforms.load("railway").default_python)
    )


@pytest.mark.parametrize("name", ALL)
def test_what_a_platform_adds_is_shown_with_the_source_of_its_size(name: str) -> None:
    text = squeezed(shown(name, detailed=True))
    for release in platforms.load(name).pythons:
        for part in release.parts:
            assert squeezed(f"{part.source.text} ({part.source.date}") in text


def test_a_limit_on_boot_is_judged_by_a_rehearsal() -> None:
    text = joined(shown("heroku", detailed=True))
    assert "60 s: judged by what slugcheck rehearse measured" in text


@pytest.mark.parametrize("name", ALL)
def test_every_limit_is_shown_with_its_source_and_date_at_80_columns(name: str) -> None:
    text = shown(name, detailed=True)
    platform = platforms.load(name)
    for limit in platform.limits:
        assert f"{limit.value:,}" in text or limit.text == f"{limit.value} s"
    sources = [platform.bundle.source]
    for rows in (platform.limits, platform.stacks, platform.pythons, platform.dynos):
        sources += [row.source for row in rows]
    for source in sources:
        hand = "; second-hand" if source.second_hand else ""
        # a word that is longer than its column is broken, at any character
        assert squeezed(f"{source.text} ({source.date}{hand})") in squeezed(text)


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", ALL)
def test_one_platform_is_shown_with_all_it_has(name: str) -> None:
    text = shown(name, detailed=True)
    assert max(map(len, text.splitlines())) <= 80
    platform = platforms.load(name)
    for stack in platform.stacks:
        libc = f"glibc {stack.glibc[0]}.{stack.glibc[1]}"
        assert ("Pyodide" if stack.is_pyodide else libc) in text
    for release in platform.pythons:
        assert release.version in text
    for dyno in platform.dynos:
        assert re.search(rf"^{re.escape(dyno.name)} .* {dyno.ram_bytes // MIB:,} ", text, re.M)


def test_the_defaults_and_what_a_limit_means_are_said_in_words() -> None:
    text = shown("heroku", detailed=True)
    assert "heroku-24  glibc 2.39, x86_64, available, the default" in text
    assert "standard-1x (default)" in text
    assert "500M (524,288,000 bytes): the check fails above it" in text
    own = "1000M (1,048,576,000 bytes) of slug since 2026-03-19: more is rejected"
    assert own in " ".join(text.split())
    assert "heroku-18  retired: end-of-life since 2023-05-01" in text
    assert "setuptools 70.3.0: 6.7 MB, gzip 2.3 MB ±3 %" in text


def test_texts_of_a_users_file_steer_nothing() -> None:
    hostile = OWN.replace("The shed", "[bold]red[/bold]\\u001b[31m \\u202e").replace(
        'text = "1 MB"', 'text = "1 MB [link=x]y[/link]"'
    )
    platform = platforms.parse(hostile, "shed.toml")
    text = render([platform], width=80, color=False, detailed=True)
    assert "[bold]red[/bold]" in text
    assert "1 MB [link=x]y[/link]" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\x1b[" in render([platform], width=80, color=True)

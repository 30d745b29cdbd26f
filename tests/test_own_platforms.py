"""Users' own platform files: the example of the docs, mistakes, and what commands say of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from slugcheck import platforms
from slugcheck.errors import PlatformError
from slugcheck.model import BundleKind
from slugcheck.policy import settings
from tests.support.commands import slugcheck
from tests.support.server import PackageServer
from tests.test_platforms import OWN

DOCS = Path(__file__).parent.parent / "docs" / "platforms.md"


def example() -> str:
    """Return the whole file that the documentation shows."""
    section = DOCS.read_text(encoding="utf-8").partition("## Your own platform\n")[2]
    (text,) = re.findall(r"^```toml\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return str(text)


def mistakes(text: str) -> list[str]:
    with pytest.raises(PlatformError) as caught:
        platforms.parse(text, "shed.toml")
    return [line.removeprefix("shed.toml: ") for line in str(caught.value).splitlines()]


# --------------------------------------------------------------------------- the example


def test_the_example_of_the_documentation_is_whole() -> None:
    text = example()
    platform = platforms.parse(text, "our-cluster.toml")
    assert platform.bundle.kind is BundleKind.SITE_PACKAGES
    assert platform.bundle.stripped == ("__pycache__", "*.pyc", "*.pyi")
    assert [stack.arch for stack in platform.stacks] == ["x86_64", "aarch64"]
    assert {limit.name: limit.source.second_hand for limit in platform.limits} == {
        "bundle": False,
        "build": True,
    }
    for kind in BundleKind:
        assert re.search(rf"^#   {kind} +\w", text, re.MULTILINE), kind
    for key in ("name", "title", "about", "installer", "compiles_bytecode", "gpu", "prefix",
                "default_stack", "default_python", "default_dyno"):  # fmt: skip
        assert re.search(rf"^{key} = ", text, re.MULTILINE), key


@pytest.mark.slow
def test_the_example_is_used(
    package_server: PackageServer, plain_network: None, tmp_path: Path
) -> None:
    package_server.add_wheel("webapp", "1.0", {"webapp/data.bin": bytes(320_000_000)})
    place, lines = tmp_path / "our cluster.toml", tmp_path / "requirements.txt"
    place.write_text(example())
    lines.write_text("webapp==1.0\n")
    done = slugcheck(lines, "--index-url", package_server.index_url, "--platform", place)
    assert done.code == 1, done.err
    last = " ".join(done.out.strip().split("\n\n")[-1].split())
    assert last.startswith("✗ OVER BUDGET: 372.1 MB of 300 MB. Ask #platform for more; next: ")
    # the command that it suggests can be run as it is
    assert f"--platform '{place}'".replace(" ", "") in last.replace(" ", "")


# --------------------------------------------------------------------------- mistakes


def test_all_mistakes_of_a_bundle_are_told_at_once() -> None:
    table = (
        'bundle = { kind = "zipp", abut = "x", stripped = "*.pyc", provided = [1], '
        'source = "us", second_hand = 1 }'
    )
    wrong = re.sub("^bundle = .*", table, OWN, flags=re.MULTILINE)
    wrong = wrong.replace("sources.us =", 'sources.them = { txt = "x", date = 5 }\nsources.us =')
    assert mistakes(wrong) == [
        "bundle.kind must be one of gzip-tar, zip, unzipped, site-packages, image, not 'zipp'",
        "bundle.stripped must be a list of strings, not '*.pyc'",
        "bundle.about is missing; it must be a string",
        "bundle.second_hand must be true or false, not 1",
        "bundle.provided must be a list of strings, not [1]",
        "bundle.abut is unknown; did you mean about?",
        "sources.them.text is missing; it must be a string",
        "sources.them.date must be a date like 2026-11-23, not 5",
        "sources.them.txt is unknown; did you mean text?",
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", ["bundle is missing; it must be a table with a kind, one of gzip-tar, zip, unzipped, "
              "site-packages, image"]),
        ("bundle = 3", ["bundle must be a table, not 3"]),
        ('bundle = { about = "x", source = "us" }',
         ["bundle.kind is missing; it must be one of gzip-tar, zip, unzipped, site-packages, "
          "image"]),
        ('bundle = { kind = "image", about = "x", source = "them" }',
         ["bundle.date is missing; write a date like 2026-11-23, or name a row of [sources] as "
          "the source"]),
        ('bundle = { kind = "image", about = "x", source = "us", stripped = ["*.pyc"] }',
         ["bundle.stripped goes with the kind site-packages only"]),
        ('bundle = { kind = "image", about = "x", date = "2026-11-01" }',
         ["bundle.source is missing; it must be a string"]),
    ],
)  # fmt: skip
def test_a_mistake_of_a_bundle_has_its_path(table: str, said: list[str]) -> None:
    assert mistakes(re.sub("^bundle = .*", table, OWN, flags=re.MULTILINE)) == said


@pytest.mark.parametrize(
    ("former", "kind", "figure"),
    [("slug", "gzip-tar", "slug"), ("installed", "unzipped", "bundle")],
)
def test_a_file_of_slugcheck_0_1_is_told_what_to_write(former: str, kind: str, figure: str) -> None:
    old = re.sub("^bundle = .*", f'size_figure = "{former}"', OWN, flags=re.MULTILINE)
    assert mistakes(old.replace("gpu = true", "gpu = true\nbuildpack = true")) == [
        f'size_figure is no longer read: write a table [bundle] with kind = "{kind}", about, '
        f'source and date, and figure = "{figure}" in the limit of the size',
        "buildpack must be one of classic, cloud-native, not true",
    ]


def test_of_thousands_of_mistakes_the_first_are_told_and_each_is_short() -> None:
    found = mistakes("".join(f"unknown{n} = 1\n" for n in range(30_000)))
    assert len(found) == 21
    assert found[-1].startswith("and 29,99")
    rows = "".join(f"[[stacks]]\nname = '{'s' * 90}{n}'\n" for n in range(300))
    rows += "".join("[[pythons]]\nstack = 'none'\n" for _ in range(300))
    assert max(map(len, mistakes(rows))) < 500
    assert "stacks must have at most 1,000" in mistakes("[[stacks]]\n" * 1_001)
    assert all(len(line) < 500 for line in mistakes(f"{'k' * 9_000} = 1\n"))


@pytest.mark.parametrize(("key", "most"), [("title", 100), ("about", 1_000)])
def test_a_text_that_fills_screens_is_refused(key: str, most: int) -> None:
    text = re.sub(
        rf'^{key} = ".*"', f'{key} = "{"x" * (most + 1)}"', example(), count=1, flags=re.MULTILINE
    )
    (line,) = mistakes(text)
    assert line.startswith(f"{key} must be at most {most:,} characters long, not 'xxx")
    assert len(line) < 200
    platforms.parse(text.replace("x" * (most + 1), "x" * most), "shed.toml")


def test_a_slugs_limit_is_about_the_slug() -> None:
    wrong = OWN.replace('kind = "unzipped"', 'kind = "gzip-tar"').replace(
        'figure = "installed"', 'figure = "bundle"'
    )
    assert mistakes(wrong) == ["limits[0].figure must be 'slug', since bundle.kind is gzip-tar"]


def test_a_row_may_say_that_a_shared_source_is_second_hand() -> None:
    own = OWN.replace('status = "works"', 'status = "works"\nsecond_hand = true')
    platform = platforms.parse(own, "shed.toml")
    assert platform.stacks[0].source.second_hand
    assert not platform.pythons[0].source.second_hand


# --------------------------------------------------------------------------- init


def test_init_names_the_file_as_settings_do(
    package_server: PackageServer, plain_network: None, tmp_path: Path
) -> None:
    package_server.add_wheel("webapp", "1.0", {"webapp/data.bin": b"x"})
    (tmp_path / "places").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "app").mkdir()
    place, lines = tmp_path / "places" / "ours.toml", tmp_path / "app" / "requirements.txt"
    place.write_text(example())
    lines.write_text("webapp==1.0\n")
    flags = ("--index-url", package_server.index_url, "--platform", place)
    done = slugcheck("init", lines, *flags)
    assert done.code == 0, done.err
    text = (tmp_path / "app" / "slugcheck.toml").read_text()
    assert 'platform = "../places/ours.toml"' in text
    assert '# python = "3.12"  # the platform\'s default' in text
    own = settings.load(tmp_path / "app", top=tmp_path)
    assert own.described is not None
    assert own.described.name == "our-cluster"


def test_init_does_not_name_a_file_that_settings_may_not(
    package_server: PackageServer, plain_network: None, tmp_path: Path
) -> None:
    (tmp_path / "app" / ".git").mkdir(parents=True)
    place, lines = tmp_path / "ours.toml", tmp_path / "app" / "requirements.txt"
    place.write_text(example())
    lines.write_text("webapp==1.0\n")
    done = slugcheck("init", lines, "--platform", place)
    assert done.code == 2
    assert "is outside of the checkout, so settings cannot name it" in done.err
    assert not (tmp_path / "app" / "slugcheck.toml").exists()

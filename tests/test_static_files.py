"""What collectstatic adds to the slug, from Django projects that are read and never run.

The rules are Django's and WhiteNoise's own; ``benchmarks/static_files.py`` runs the real
collectstatic, and the numbers of the network test come from its table.
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.static_files import write_project
from slugcheck.model import Artifact, Distribution, Entry, Inventory, Part
from slugcheck.project import files, static_files
from slugcheck.project import manager as managers
from slugcheck.project.static_files import Collected
from tests.support.commands import slugcheck
from tests.support.server import PackageServer

BASE_CSS = b"".join(b".rule%d { color: red; width: %dpx }\n" % (n, n % 7) for n in range(900))
LOGO = b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<path d='M0 0L1 1'/>" * 40 + b"</svg>"
SITE_JS = b"".join(b"var name%d = %d;\n" % (n, n * n) for n in range(2_000))
PHOTO = bytes((7 * n * n) % 251 for n in range(60_000))
SHOP_CSS = b".shop { color: blue }\n" * 50

SETTINGS = """
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
INSTALLED_APPS = ["django.contrib.admin", "django.contrib.staticfiles", "shop.apps.ShopConfig"]
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "assets"]
"""
MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")\n'
OWN: dict[str, str | bytes] = {
    "manage.py": MANAGE,
    "requirements.txt": "django\n",
    "site_/__init__.py": "",
    "site_/settings.py": SETTINGS,
    "shop/__init__.py": "",
    "shop/static/shop/shop.css": SHOP_CSS,
    "shop/static/shop/.hidden": b"ignored by collectstatic",
    "assets/site.js": SITE_JS,
    "assets/photo.jpg": PHOTO,
}
ADMIN = {
    "django/contrib/admin/static/admin/base.css": BASE_CSS,
    "django/contrib/admin/static/admin/logo.svg": LOGO,
}
WHEEL = {"django/__init__.py": b"", "django/contrib/admin/__init__.py": b"", **ADMIN}
COLLECTED = (BASE_CSS, LOGO, SHOP_CSS, SITE_JS, PHOTO)
ALL_BYTES = sum(map(len, COLLECTED))
MANIFEST_STORAGE = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
WHITENOISE_STORAGE = "whitenoise.storage.CompressedManifestStaticFilesStorage"


def package(
    name: str, version: str, members: Mapping[str, bytes]
) -> tuple[Distribution, Inventory]:
    artifact = Artifact(filename=f"{name}.whl", url="https://example.org/", size=1, sha256=None)
    entries = tuple(
        Entry(path=path, size=len(data), compressed=len(zlib.compress(data, 6)) - 6)
        for path, data in members.items()
    )
    return (
        Distribution(name=name, version=version, artifact=artifact, direct=True),
        Inventory(
            filename=f"{name}.whl", sha256=None, file_bytes=1, dist_info=f"{name}.dist-info",
            entries=entries, requires_dist=(), provides_extra=(), requires_python=None,
            console_scripts=(), gui_scripts=(), via="local",
        ),
    )  # fmt: skip


def project(
    folder: Path, settings: str = "", more: Mapping[str, str | bytes] | None = None
) -> Path:
    """Write the project; ``settings`` come after the usual ones, ``more`` are other files."""
    contents: dict[str, str | bytes] = {**OWN, "site_/settings.py": SETTINGS + settings}
    contents |= more or {}
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def collected(
    folder: Path, *packages: str, version: str = "5.2.8", wheel: Mapping[str, bytes] = WHEEL
) -> Collected:
    listing = files.listing(folder)
    known = managers.read(folder, absent=listing.absent)
    reader = static_files.StaticFiles(known, listing.files, listing.absent)
    others = [package(name, "1.0", {f"{name}/__init__.py": b""}) for name in packages]
    return reader.collected([package("django", version, wheel), *others], minor="3.12")


def part(folder: Path, *packages: str, version: str = "5.2.8") -> Part:
    outcome = collected(folder, *packages, version=version)
    assert outcome.part is not None, outcome.notes
    return outcome.part


def storage(name: str) -> str:
    return f'\nSTORAGES = {{"staticfiles": {{"BACKEND": "{name}"}}}}\n'


# --------------------------------------------------------------------------- which files


def test_files_of_apps_and_folders_are_copied_once(tmp_path: Path) -> None:
    found = part(project(tmp_path))
    assert found.installed.value == ALL_BYTES
    assert (found.installed.low, found.installed.high) == (ALL_BYTES, ALL_BYTES)
    packed = sum(len(zlib.compress(data, 6)) for data in COLLECTED[:-1]) + len(PHOTO)
    assert abs(found.slug.value - packed) < 0.1 * packed
    assert found.note == "5 files"


def test_the_first_finder_that_has_a_path_wins(tmp_path: Path) -> None:
    folder = project(tmp_path, more={"assets/admin/base.css": b"own"})
    assert part(folder).installed.value == ALL_BYTES - len(BASE_CSS) + len(b"own")


def test_items_that_are_set_by_odd_keys_change_nothing_else(tmp_path: Path) -> None:
    more = (
        "D = {}\nD[{}] = 1\nD[[]][0] = 2\nD[unknown][3] = 1\nD[0]['x'] = 1\n"
        "CACHES = {}\nCACHES[unknown] = 3\nNONE[1] = 2\n"
    )
    assert part(project(tmp_path, more)).installed.value == ALL_BYTES


def test_an_app_that_is_not_installed_brings_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path, 'INSTALLED_APPS.remove("django.contrib.admin")\n')
    assert part(folder).installed.value == ALL_BYTES - len(BASE_CSS) - len(LOGO)


def test_a_folder_with_a_prefix_and_one_that_is_missing(tmp_path: Path) -> None:
    more = 'STATICFILES_DIRS = [("pre", BASE_DIR / "assets"), BASE_DIR / "frontend/dist"]\n'
    outcome = collected(project(tmp_path, more))
    assert outcome.part is not None
    assert outcome.part.installed.value == ALL_BYTES
    assert any("STATICFILES_DIRS names frontend/dist" in note for note in outcome.notes)


def test_files_that_are_pushed_in_static_root_are_not_counted_twice(tmp_path: Path) -> None:
    more: dict[str, str | bytes] = {
        "staticfiles/admin/base.0123456789ab.css": BASE_CSS,
        "staticfiles/site.js": SITE_JS,
    }
    left = ALL_BYTES - len(BASE_CSS) - len(SITE_JS)
    assert part(project(tmp_path, more=more)).installed.value == left


def test_apps_below_a_folder_that_manage_py_adds_to_the_path(tmp_path: Path) -> None:
    manage = (
        "import os, sys\nfrom pathlib import Path\n"
        "def main():\n"
        '    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")\n'
        '    sys.path.append(str(Path(__file__).parent / "apps"))\n'
    )
    own: dict[str, str | bytes] = {
        "manage.py": manage,
        "apps/blog/__init__.py": "",
        "apps/blog/static/b.txt": b"abc",
    }
    folder = project(tmp_path, 'INSTALLED_APPS += ["blog"]\n', own)
    assert part(folder).installed.value == ALL_BYTES + 3


# --------------------------------------------------------------------------- which copies


def test_a_manifest_leaves_a_second_copy_and_its_json(tmp_path: Path) -> None:
    found = part(project(tmp_path, storage(MANIFEST_STORAGE)))
    assert 2 * ALL_BYTES < found.installed.value < 2 * ALL_BYTES + 1_000
    assert found.slug.value < 2 * part(project(tmp_path)).slug.value + 1_000
    assert found.note == "5 files with hashed copies"


def gzipped(data: bytes) -> int:
    """The size of WhiteNoise's .gz, by its own rule: none unless it is 5 % smaller."""
    size = len(gzip.compress(data, 9, mtime=0))
    return size if size <= 0.95 * len(data) else 0


def test_whitenoise_leaves_gz_files_of_what_shrinks_and_skips_images(tmp_path: Path) -> None:
    found = part(project(tmp_path, storage(WHITENOISE_STORAGE)), "whitenoise")
    shrunk = sum(gzipped(data) for data in COLLECTED if data is not PHOTO)
    manifest = 450
    truth = 2 * (ALL_BYTES + shrunk) + manifest
    assert found.installed.low <= truth <= found.installed.high
    assert found.note == "5 files with hashed copies and .gz"


def test_a_gz_file_is_kept_if_it_saves_five_percent(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(20_000)
    compressed = storage("whitenoise.storage.CompressedStaticFilesStorage")
    folder = project(tmp_path, compressed)
    before = part(folder, "whitenoise").installed.value
    (folder / "assets/noise.dat").write_bytes(noise)
    assert part(folder, "whitenoise").installed.value - before == len(noise)
    half = noise[:10_000] + bytes(10_000)  # deflates to about half
    (folder / "assets/noise.dat").write_bytes(half)
    assert part(folder, "whitenoise").installed.value - before > 1.4 * len(half)


def test_brotli_is_compressed_too_if_it_is_installed(tmp_path: Path) -> None:
    folder = project(tmp_path, storage(WHITENOISE_STORAGE))
    plain, more = part(folder, "whitenoise"), part(folder, "whitenoise", "brotli")
    assert more.note == "5 files with hashed copies and .gz and .br"
    shrunk = 2 * sum(gzipped(data) for data in COLLECTED if data is not PHOTO)
    assert 0.6 * shrunk < more.installed.value - plain.installed.value < shrunk


def test_only_hashed_files_and_other_extensions(tmp_path: Path) -> None:
    folder = project(tmp_path, storage(WHITENOISE_STORAGE))
    both = part(folder, "whitenoise").installed.value
    only = project(
        tmp_path, storage(WHITENOISE_STORAGE) + "WHITENOISE_KEEP_ONLY_HASHED_FILES = True\n"
    )
    assert abs(2 * part(only, "whitenoise").installed.value - both) < 1_000
    # the storage without a manifest has no hashed files to keep
    plain = storage("whitenoise.storage.CompressedStaticFilesStorage")
    kept = part(
        project(tmp_path, plain + "WHITENOISE_KEEP_ONLY_HASHED_FILES = True\n"), "whitenoise"
    )
    assert kept.installed.value == part(project(tmp_path, plain), "whitenoise").installed.value
    none = project(
        tmp_path,
        storage(WHITENOISE_STORAGE)
        + 'WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("css", "js", "svg", "jpg")\n',
    )
    assert abs(part(none, "whitenoise").installed.value - 2 * ALL_BYTES) < 1_000


@pytest.mark.parametrize(
    ("version", "copies"), [("3.2.25", 2), ("4.2.26", 2), ("5.0.1", 2), ("5.1", 1), ("5.2.8", 1)]
)
def test_staticfiles_storage_counts_up_to_django_50(
    tmp_path: Path, version: str, copies: int
) -> None:
    folder = project(tmp_path, f'STATICFILES_STORAGE = "{MANIFEST_STORAGE}"\n')
    outcome = collected(folder, version=version)
    assert outcome.part is not None
    assert round(outcome.part.installed.value / ALL_BYTES) == copies
    ignored = f"STATICFILES_STORAGE has no effect with Django {version}: set STORAGES"
    assert (ignored in outcome.notes) is (copies == 1)


def test_django_heroku_sets_root_and_storage(tmp_path: Path) -> None:
    more = "STATIC_ROOT = None\nimport django_heroku\ndjango_heroku.settings(locals())\n"
    found = part(project(tmp_path, more), "whitenoise", version="3.2.25")
    assert found.note == "5 files with hashed copies and .gz"
    off = more.replace("locals()", "locals(), staticfiles=False")
    assert collected(project(tmp_path, off), "whitenoise", version="3.2.25").part is None


@pytest.mark.parametrize("backend", ["storages.backends.s3.S3Storage", "site_.stores.StaticBucket"])
def test_files_that_go_to_a_bucket_are_not_in_the_slug(tmp_path: Path, backend: str) -> None:
    own = (
        "from storages.backends import s3boto3\n"
        "class Base(s3boto3.S3Boto3Storage):\n    location = 'static'\n"
        "class StaticBucket(Base):\n    pass\n"
    )
    folder = project(tmp_path, storage(backend), {"site_/stores.py": own})
    outcome = collected(folder, "whitenoise")
    assert outcome.part is None
    assert outcome.notes == ()


# --------------------------------------------------------------------------- uncertain


def test_a_variable_widens_the_interval_to_what_it_can_be(tmp_path: Path) -> None:
    more = (
        "import os\n"
        'if os.environ.get("BUCKET"):\n'
        '    STORAGES = {"staticfiles": {"BACKEND": "storages.backends.s3.S3Storage"}}\n'
        "else:\n"
        f'    STORAGES = {{"staticfiles": {{"BACKEND": "{MANIFEST_STORAGE}"}}}}\n'
    )
    outcome = collected(project(tmp_path, more))
    assert outcome.part is not None
    assert outcome.part.slug.low == 0
    assert outcome.part.installed.value > 2 * ALL_BYTES  # without the variable
    assert any("site_.settings takes STORAGES from variables" in note for note in outcome.notes)


def test_a_deployed_app_is_taken_not_to_debug(tmp_path: Path) -> None:
    more = (
        'from decouple import config\nDEBUG = config("DEBUG", default=True, cast=bool)\n'
        f"if not DEBUG:\n    {storage(MANIFEST_STORAGE).strip()}\n"
    )
    found = part(project(tmp_path, more))
    assert found.installed.value > 2 * ALL_BYTES
    assert found.installed.low == ALL_BYTES


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("class Prod(Configuration):\n    STATIC_ROOT = 'x'\n", "the settings are classes"),
        ("from .gone import *\n", "site_.gone is not among the project's files"),
        ("from split_settings.tools import include\ninclude('a.py')\n", "split over files"),
    ],
)
def test_settings_that_cannot_be_read_count_from_none_to_everything(
    tmp_path: Path, more: str, said: str
) -> None:
    outcome = collected(project(tmp_path, more), "whitenoise")
    assert outcome.part is not None
    assert outcome.part.slug.low == 0
    certain = part(project(tmp_path, storage(WHITENOISE_STORAGE)), "whitenoise")
    assert outcome.part.slug.high >= certain.slug.value
    assert any(note.startswith("static files are uncertain: ") and said in note
               for note in outcome.notes)  # fmt: skip


def test_local_settings_that_are_not_pushed_are_passed_over(tmp_path: Path) -> None:
    more = "try:\n    from .local import *\nexcept ImportError:\n    pass\n"
    found = part(project(tmp_path, more))
    assert (found.installed.low, found.installed.high) == (ALL_BYTES, ALL_BYTES)


@pytest.mark.parametrize(
    "more",
    [
        "import os\nif os.environ.get('A'):\n    STORAGES = {'x': {}}\nelse:\n    STORAGES = {}\n"
        f"STORAGES['staticfiles'] = {{'BACKEND': '{MANIFEST_STORAGE}'}}\n",
        "from some_library.settings import *\n" + storage(MANIFEST_STORAGE),
        "INSTALLED_APPS = list(filter(None, [*INSTALLED_APPS, '' if DEBUG else None]))\n"
        + storage(MANIFEST_STORAGE),
    ],
)
def test_what_does_not_matter_leaves_the_figure_certain(tmp_path: Path, more: str) -> None:
    outcome = collected(project(tmp_path, more))
    assert outcome.part is not None
    assert outcome.part.installed.low > 1.99 * ALL_BYTES
    assert not any("uncertain" in note for note in outcome.notes)


def test_settings_for_development_are_named_where_others_exist(tmp_path: Path) -> None:
    more: dict[str, str | bytes] = {
        "manage.py": MANAGE.replace("site_.settings", "site_.dev"),
        "site_/dev.py": "from .settings import *\n",
        "site_/production.py": "from .settings import *\n" + storage(MANIFEST_STORAGE),
    }
    outcome = collected(project(tmp_path, more=more))
    assert outcome.notes == (
        "static files are those of site_.dev, which manage.py names; if the app runs with "
        "site_.production, set DJANGO_SETTINGS_MODULE in app.json",
    )
    app_json = '{"env": {"DJANGO_SETTINGS_MODULE": {"value": "site_.production"}}}'
    outcome = collected(project(tmp_path, more={**more, "app.json": app_json}))
    assert outcome.part is not None
    assert outcome.part.installed.value > 2 * ALL_BYTES
    assert outcome.notes == ()


# --------------------------------------------------------------------------- not run, or failing


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("STATIC_ROOT = None\n", "no STATIC_ROOT"),
        (
            'INSTALLED_APPS.remove("django.contrib.staticfiles")\n',
            "INSTALLED_APPS lacks django.contrib.staticfiles",
        ),
        ("STORAGES = {}\n", 'no STORAGES["staticfiles"]'),
    ],
)
def test_a_collectstatic_that_fails_the_build_is_a_finding(
    tmp_path: Path, more: str, said: str
) -> None:
    outcome = collected(project(tmp_path, more))
    assert outcome.part is None
    assert outcome.finding is not None
    assert outcome.finding.sentence == (
        f"the build runs manage.py collectstatic, which will fail: {said} in site_.settings"
    )
    assert ("STATIC_ROOT =" in outcome.finding.fix) is (said == "no STATIC_ROOT")
    assert "heroku config:set DISABLE_COLLECTSTATIC=1" in outcome.finding.fix
    disabled = {"app.json": '{"env": {"DISABLE_COLLECTSTATIC": "1"}}'}
    assert collected(project(tmp_path, more, disabled)).finding is None


def test_a_failure_that_a_variable_can_avoid_is_no_finding(tmp_path: Path) -> None:
    more = 'import os\nSTATIC_ROOT = os.environ.get("ROOT")\n'
    assert collected(project(tmp_path, more)).finding is None


def test_nothing_is_counted_where_collectstatic_does_not_run(tmp_path: Path) -> None:
    folder = project(tmp_path)
    reader = static_files.StaticFiles
    listing = files.listing(folder)
    known = managers.read(folder, absent=listing.absent)
    flask = [package("flask", "3.0", {"flask/__init__.py": b""})]
    assert (
        reader(known, listing.files, listing.absent).collected(flask, minor="3.12") == Collected()
    )
    (folder / ".heroku").mkdir()
    (folder / ".heroku/collectstatic_disabled").touch()
    assert collected(folder) == Collected()


@pytest.mark.parametrize(("place", "runs"), [("a/b/manage.py", True), ("a/b/c/manage.py", False)])
def test_manage_py_is_looked_for_three_levels_deep(tmp_path: Path, place: str, runs: bool) -> None:
    folder = project(tmp_path)
    (folder / "manage.py").unlink()
    (folder / place).parent.mkdir(parents=True)
    (folder / place).write_text(MANAGE)
    assert (collected(folder).part is not None) is runs


@pytest.mark.parametrize("value", ['"1"', '{"value": "1", "description": "x"}'])
def test_app_json_that_disables_it_is_a_hint(tmp_path: Path, value: str) -> None:
    text = f'{{"env": {{"DISABLE_COLLECTSTATIC": {value}}}}}'
    outcome = collected(project(tmp_path, more={"app.json": text}))
    assert outcome.part is None
    (note,) = outcome.notes
    assert note.startswith("app.json sets DISABLE_COLLECTSTATIC: no static files are counted")


def test_static_root_outside_of_the_app_is_not_in_the_slug(tmp_path: Path) -> None:
    assert collected(project(tmp_path, 'STATIC_ROOT = "/tmp/static"\n')).part is None


# --------------------------------------------------------------------------- hostile


@pytest.mark.parametrize(
    "more",
    [
        "A = [1]\n" + "A = A + A\n" * 200,
        "A = 'x'\n" + "A = A + A\n" * 200,
        "A = " + "[" * 90 + "]" * 90 + "\n",
        "A = " + "-" * 60_000 + "1\n",
        "A = " + "+".join(["[1]"] * 30_000) + "\n",
        "import os\n" + "".join(
            f"if os.environ.get('{n}'):\n    A{n % 9} = {n}\n" for n in range(3_000)
        ),
        "from site_.settings import *\n",
        "for a in b:\n" + "    for c in d:\n        pass\n" * 5_000,
    ],
)  # fmt: skip
def test_settings_written_to_take_forever_are_read_in_bounds(tmp_path: Path, more: str) -> None:
    assert collected(project(tmp_path, more)).part is not None


def test_settings_that_go_on_and_on_are_not_followed_to_the_end(tmp_path: Path) -> None:
    more = "A=1 if 1 else 1\n" * 12_000 + "STATIC_ROOT = None\n"
    outcome = collected(project(tmp_path, more))
    assert outcome.part is not None
    assert outcome.part.slug.low == 0
    assert any("too large to follow" in note for note in outcome.notes)


def test_settings_outside_of_the_checkout_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "outside.py"
    secret.write_text('STATIC_ROOT = "/app/secret"\n')
    folder = project(tmp_path / "app")
    (folder / "site_/settings.py").unlink()
    (folder / "site_/settings.py").symlink_to(secret)
    outcome = collected(folder)
    assert outcome.part is not None
    assert outcome.part.slug.low == 0
    assert not any("secret" in note for note in outcome.notes)


def test_names_of_the_settings_are_shown_short_and_without_controls(tmp_path: Path) -> None:
    more = f'INSTALLED_APPS += ["x{"y" * 5_000}\\x1b[31m", "\\x1b[31m"]\n'
    (note,) = collected(project(tmp_path, more)).notes
    assert "\x1b" not in note
    assert len(note) < 400


# --------------------------------------------------------------------------- whole


def test_the_part_is_in_the_total_and_on_the_screen(
    tmp_path: Path, package_server: PackageServer, plain_network: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(tmp_path / "cache"))
    package_server.add_wheel("django", "5.2.8", dict(WHEEL))
    folder = project(tmp_path / "app", more={".python-version": "3.12\n"})
    where = (folder, "--index-url", package_server.index_url)
    done = slugcheck(*where, "--format", "json")
    document = json.loads(done.out)
    (own,) = [row for row in document["parts"] if row["group"] == "static"]
    assert own["installed_bytes"] == ALL_BYTES
    saved = tmp_path / "base.json"
    saved.write_text(done.out)
    (folder / "assets/new.js").write_bytes(SITE_JS)
    grown = json.loads(slugcheck(*where, "--format", "json", "--against", saved).out)
    (change,) = [row for row in grown["base"]["parts"] if row["name"] == "static files"]
    assert change["installed_bytes"] == len(SITE_JS)
    shown = slugcheck(*where).out
    assert "static files (collectstatic)" in shown
    elsewhere = slugcheck(*where, "--platform", "fly", "--format", "json")
    assert not [r for r in json.loads(elsewhere.out)["parts"] if r["group"] == "static"]


def test_an_interval_wider_than_the_figure_is_called_uncertain(
    tmp_path: Path, package_server: PackageServer, plain_network: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(tmp_path / "cache"))
    package_server.add_wheel("django", "5.2.8", dict(WHEEL))
    folder = project(tmp_path / "app", "from .gone import *\n", {".python-version": "3.12\n"})
    settings = folder / "site_/settings.py"
    settings.write_text("from .gone import *\n")
    done = slugcheck(folder, "--index-url", package_server.index_url)
    rows = [row for row in done.out.splitlines() if "(collectstatic)" in row and "~" in row]
    (row,) = rows
    assert row.rstrip().endswith("uncertain")
    assert "static files are uncertain: site_.gone is not among the project's files" in done.out


@pytest.mark.network
def test_real_packages_come_within_five_percent_of_a_real_collectstatic(tmp_path: Path) -> None:
    requirements = ("Django==5.2.8", "whitenoise==6.11.0", "djangorestframework==3.16.1")
    write_project(tmp_path, requirements, WHITENOISE_STORAGE)
    done = slugcheck(tmp_path, "--format", "json")
    (own,) = [r for r in json.loads(done.out)["parts"] if r["group"] == "static"]
    # what Django 5.2.8 left, measured by benchmarks/static_files.py
    assert own["installed_bytes"] == pytest.approx(9_753_218, rel=0.01)
    assert own["slug_bytes"] == pytest.approx(4_580_733, rel=0.05)

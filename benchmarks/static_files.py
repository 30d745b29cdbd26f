"""Runs Django's real collectstatic on generated projects and compares it with the prediction.

    python -m benchmarks.static_files

Each project installs the packages below in an environment of its own (uv, from the package index)
and is collected with each storage. The slug is the gzip -6 tar of STATIC_ROOT, twice: sorted by
name, and in the order in which the folder is read, as ``tar czf`` of a build does. The prediction
comes from ``slugcheck FOLDER --format json``. Exit code 1 if a size is outside its interval.
"""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_REQUIREMENTS = {
    "Django 5.2": ("Django==5.2.8", "whitenoise==6.11.0", "djangorestframework==3.16.1"),
    "with Brotli": (
        "Django==5.2.8",
        "whitenoise==6.11.0",
        "brotli==1.2.0",
        "django-jazzmin==3.0.1",
    ),
    "Django 4.2": ("Django==4.2.26", "whitenoise==6.6.0", "django-crispy-forms==2.3"),
}
_APPS = {
    "djangorestframework": "rest_framework",
    "django-jazzmin": "jazzmin",
    "django-crispy-forms": "crispy_forms",
}
_STORAGES = {
    "copies": "django.contrib.staticfiles.storage.StaticFilesStorage",
    "manifest": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    "compressed": "whitenoise.storage.CompressedStaticFilesStorage",
    "compressed manifest": "whitenoise.storage.CompressedManifestStaticFilesStorage",
}
_SETTINGS = """\
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "x"
DEBUG = False
INSTALLED_APPS = [
    {apps}
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles", "shop",
]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "assets"]
STORAGES = {{"staticfiles": {{"BACKEND": "{storage}"}}}}
"""
_MANAGE = """\
import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")
execute_from_command_line(sys.argv)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What collectstatic left: files, bytes, and bytes of the two tars."""

    files: int
    bytes: int
    sorted_slug: int
    read_slug: int


def write_project(folder: Path, requirements: tuple[str, ...], storage: str) -> None:
    """Write a Django project with an app and static files of its own."""
    dice = random.Random(14)
    names = {requirement.partition("==")[0] for requirement in requirements}
    apps = " ".join(f'"{module}",' for name, module in _APPS.items() if name in names)
    words = [f"word{number}" for number in range(400)]
    script = "\n".join(f"var {dice.choice(words)} = {dice.random()};" for _ in range(4000))
    rules = "\n".join(
        f".{dice.choice(words)} {{ background: url('logo.svg'); width: {dice.randint(0, 99)}px }}"
        for _ in range(800)
    )
    files: dict[str, str | bytes] = {
        "manage.py": _MANAGE,
        "site_/__init__.py": "",
        "site_/settings.py": _SETTINGS.format(apps=apps, storage=storage),
        "shop/__init__.py": "",
        "shop/static/shop/shop.css": rules,
        "shop/static/shop/logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>" * 40,
        "assets/js/site.js": script,
        "assets/img/photo.jpg": dice.randbytes(300_000),
        "assets/robots.txt": "x",
        "requirements.txt": "\n".join(requirements) + "\n",
        ".python-version": "3.12\n",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def collect(folder: Path, python: Path) -> Truth:
    """Run collectstatic and weigh what it left."""
    command = [str(python), "manage.py", "collectstatic", "--noinput"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    root = folder / "staticfiles"
    sizes = [path.stat().st_size for path in root.rglob("*") if path.is_file()]
    return Truth(
        files=len(sizes),
        bytes=sum(sizes),
        sorted_slug=_packed(folder, "--sort=name"),
        read_slug=_packed(folder),
    )


def _packed(folder: Path, *more: str) -> int:
    command = ["tar", "-cf", "-", *more, "staticfiles"]
    tar = subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout
    return len(gzip.compress(tar, 6))


def _predicted(folder: Path) -> dict[str, int]:
    command = [sys.executable, "-m", "slugcheck", str(folder), "--format", "json"]
    answer = subprocess.run(command, capture_output=True, check=False, text=True)
    parts = json.loads(answer.stdout)["parts"]
    return next(part for part in parts if part["group"] == "static")


def _rows() -> Iterator[tuple[str, bool]]:
    for title, requirements in _REQUIREMENTS.items():
        with tempfile.TemporaryDirectory() as place:
            environment = Path(place, "env")
            python = environment / "bin/python"
            subprocess.run(["uv", "venv", "-q", str(environment)], check=True)
            install = ["uv", "pip", "install", "-q", "--python", str(python), *requirements]
            subprocess.run(install, check=True)
            for kind, storage in _STORAGES.items():
                project = Path(place, kind.replace(" ", "-"))
                write_project(project, requirements, storage)
                predicted = _predicted(project)
                truth = collect(project, python)
                yield _row(title, kind, predicted, truth)


def _row(title: str, kind: str, predicted: dict[str, int], truth: Truth) -> tuple[str, bool]:
    within = predicted["installed_low_bytes"] <= truth.bytes <= predicted["installed_high_bytes"]
    slugs = (truth.sorted_slug, truth.read_slug)
    within &= (
        predicted["slug_low_bytes"] <= min(slugs) <= max(slugs) <= predicted["slug_high_bytes"]
    )
    offs = [100 * (predicted["slug_bytes"] - slug) / slug for slug in slugs]
    off = 100 * (predicted["installed_bytes"] - truth.bytes) / truth.bytes
    return (
        f"| {title} | {kind} | {truth.files} | {truth.bytes:,} | {off:+.2f} % | "
        f"{truth.sorted_slug:,} | {offs[0]:+.1f} % | {truth.read_slug:,} | {offs[1]:+.1f} % | "
        f"{'yes' if within else 'NO'} |",
        within,
    )


def main() -> int:
    """Print the table; return 1 if a size is outside its interval."""
    print(
        "| project | storage | files | bytes | off | slug, sorted | off | as read | off | within |"
    )
    print(f"|{'---|' * 10}")
    missed = False
    for text, within in _rows():
        print(text, flush=True)
        missed |= not within
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())

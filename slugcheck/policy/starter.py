"""A first settings file for a project: limits a quarter above what it comes to today."""

from __future__ import annotations

import json

from slugcheck.model import Report, Severity
from slugcheck.text import MB, MIB, heroku_m, mb

# Room for a year of ordinary growth, and little enough that a heavy package is noticed.
ROOM_PERCENT = 25
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100)


def settings_text(report: Report, *, given: dict[str, str | None]) -> str:
    """Return a commented ``slugcheck.toml``.

    ``given`` are platform, stack, python and dyno as they were asked for on the command line.
    """
    sizes = report.sizes
    target = sizes.target
    slug, installed = sizes.slug.value, sizes.installed.value
    chosen = [
        _line("platform", target.platform.name, "see `slugcheck platforms`", True),
        _line("stack", target.stack.name, "", given.get("stack") is not None),
        _line("python", target.minor, f"by default: {target.python_origin}",
              given.get("python") is not None),
    ]  # fmt: skip
    if target.dyno is not None:
        chosen.append(_line("dyno", target.dyno.name, "", given.get("dyno") is not None))
    budgets = []
    if target.platform.size_figure == "slug":
        limit = _limit(report, "slug")
        budgets += [f"# {_today(heroku_m(slug), limit)}", f'slug = "{_in_m(slug, limit)}"']
    limit = _limit(report, "installed")
    budgets += [f"# {_today(f'{mb(installed)} MB', limit)}"]
    budgets += [f'installed = "{_in_mb(installed, limit)}"']
    return _TEXT.format(chosen="\n".join(chosen), budgets="\n".join(budgets), room=ROOM_PERCENT)


def _line(key: str, value: str, comment: str, said: bool) -> str:
    line = f"{key} = {json.dumps(value)}"
    return ("" if said else "# ") + line + (f"  # {comment}" if comment else "")


def _limit(report: Report, figure: str) -> int | None:
    """Return the platform's own limit of a figure."""
    own = (
        limit.value
        for limit in report.sizes.target.platform.limits
        if limit.figure == figure and limit.severity is Severity.FAIL
    )
    return next(own, None)


def _today(shown: str, limit: int | None) -> str:
    return f"today {shown}" + (f", and the platform takes {heroku_m(limit)}" if limit else "")


def _in_m(value: int, limit: int | None) -> str:
    return f"{min(_roomy(value, MIB), limit // MIB if limit else _roomy(value, MIB))}M"


def _in_mb(value: int, limit: int | None) -> str:
    return f"{min(_roomy(value, MB), limit // MB if limit else _roomy(value, MB))}MB"


def _roomy(value: int, unit: int) -> int:
    """Return the value with its room in whole units, rounded up to a number that reads well."""
    wanted = -(-value * (100 + ROOM_PERCENT) // (100 * unit))
    step = max((step for step in _STEPS if step * 50 <= wanted), default=1)
    return -(-wanted // step) * step


_TEXT = """\
# What this project may come to. slugcheck reads it from the folder that it checks, or from one
# above it in the same git checkout. Flags on the command line count for more.

{chosen}
# models = ["models/*.onnx", "s3://bucket/model.onnx"]  # what goes into the slug beside the app

# Sizes in M (MiB, as Heroku prints them), MB (10^6 bytes), GB. Today's size and {room} % of room.
[budgets]
{budgets}

# What a change may add, against --against origin/main. With both, only beyond both it fails.
increase = "10MB"
increase_percent = 5

# More that can be limited:
# build = "10m"
# package_increase = "20MB"          # what any single distribution may add
# "package.numpy" = "100MB"          # one distribution, installed
# "package.torch" = {{ limit = "200MB", on = "slug", message = "use onnxruntime" }}
# vulnerabilities = 0                # with --audit

# Distributions that may not be installed, with the reason that is shown:
# [deny]
# torch = "use onnxruntime"
# "tensorflow>=2" = "too large"

# Findings that are known and accepted, until a day:
# [[ignore]]
# code = "opencv-gui"
# subject = "opencv-python"
# reason = "bin/post_compile replaces it"
# expires = 2027-05-31
"""

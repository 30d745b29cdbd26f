"""A first settings file for a project, with limits a quarter above its present sizes."""

from __future__ import annotations

import json

from slugcheck.model import Report, Severity
from slugcheck.text import MB, MIB, heroku_m, mb

# Enough for a year of ordinary growth, and little enough to catch a heavy package.
MARGIN_PERCENT = 25
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100)


def settings_text(report: Report, *, given: dict[str, str | None]) -> str:
    """Return a commented ``slugcheck.toml``.

    ``given`` are the platform, stack, python and dyno of the command line.
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
    return _TEXT.format(chosen="\n".join(chosen), budgets="\n".join(budgets), margin=MARGIN_PERCENT)


def _line(key: str, value: str, comment: str, active: bool) -> str:
    line = f"{key} = {json.dumps(value)}"
    return ("" if active else "# ") + line + (f"  # {comment}" if comment else "")


def _limit(report: Report, figure: str) -> int | None:
    """Return the platform's own limit of a figure."""
    own = (
        limit.value
        for limit in report.sizes.target.platform.limits
        if limit.figure == figure and limit.severity is Severity.FAIL
    )
    return next(own, None)


def _today(shown: str, limit: int | None) -> str:
    return f"today {shown}" + (f"; the platform allows {heroku_m(limit)}" if limit else "")


def _in_m(value: int, limit: int | None) -> str:
    return f"{min(_with_margin(value, MIB), limit // MIB if limit else _with_margin(value, MIB))}M"


def _in_mb(value: int, limit: int | None) -> str:
    return f"{min(_with_margin(value, MB), limit // MB if limit else _with_margin(value, MB))}MB"


def _with_margin(value: int, unit: int) -> int:
    """Return the value with its margin in whole units, rounded up to a round number."""
    wanted = -(-value * (100 + MARGIN_PERCENT) // (100 * unit))
    step = max((step for step in _STEPS if step * 50 <= wanted), default=1)
    return -(-wanted // step) * step


_TEXT = """\
# Size limits of this project, read by slugcheck. It looks in the folder that it checks, then in
# its parents up to the top of the git checkout. Flags on the command line override this file.

{chosen}
# models = ["models/*.onnx"]  # model files to add to the slug

# Sizes in M (MiB, as Heroku prints them), MB (10^6 bytes), GB. Today's size plus {margin} %.
[budgets]
{budgets}

# What a change may add, compared with --against origin/main. It fails only if it is over both.
increase = "10MB"
increase_percent = 5

# Other limits:
# build = "10m"
# package_increase = "20MB"          # what a single package may add
# "package.numpy" = "100MB"          # one package, installed
# "package.torch" = {{ limit = "200MB", on = "slug", message = "use onnxruntime" }}
# vulnerabilities = 0                # with --audit

# Packages that may not be installed, with the reason to show:
# [deny]
# torch = "use onnxruntime"
# "tensorflow>=2" = "too large"

# Findings to ignore until a date:
# [[ignore]]
# code = "opencv-gui"
# subject = "opencv-python"
# reason = "bin/post_compile replaces it"
# expires = 2027-05-31
"""

"""How platforms start, watch and stop an app: what a rehearsal repeats, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

from slugcheck.errors import UsageError
from slugcheck.model import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one platform. ``codes``: its log has codes such as R14.

    ``grace_seconds`` is what SIGTERM leaves before SIGKILL; ``source`` says where that is from.
    """

    codes: bool
    grace_seconds: float
    source: str


# devcenter dynos, "Shutdown": SIGTERM to all processes, SIGKILL after 30 s, logged as R12.
_HEROKU = Rules(codes=True, grace_seconds=30.0, source="devcenter dynos: shutdown")
_GRACES = {
    # cloud.google.com/run/docs/container-contract: SIGTERM, then SIGKILL after 10 s
    "cloud-run": (10.0, "Cloud Run's container contract, second-hand"),
    # render.com/docs/deploys: maxShutdownDelaySeconds, 30 s by default
    "render": (30.0, "Render's deploys page, second-hand"),
    # fly.io/docs/reference/configuration: kill_timeout, 5 s by default
    "fly": (5.0, "Fly's configuration page, second-hand"),
}
_USUAL = (30.0, "Kubernetes' default, for want of the platform's own figure")
# Where the platform names no limit: then a rehearsal waits as long and judges nothing by it.
BOOT_WAIT_SECONDS = 300.0


# They call a function, and no process of the app's own listens there.
_FUNCTIONS = frozenset(
    "aws-lambda aws-lambda-image azure-functions cloudflare-workers digitalocean-functions "
    "google-cloud-functions google-cloud-functions-gen2 vercel".split()
)


def of(platform: Platform) -> Rules:
    """Return the rules of a platform.

    :raises UsageError: it starts no process that listens.
    """
    if platform.name in _FUNCTIONS:
        message = (
            f"{platform.title} calls functions; rehearse starts processes that listen on $PORT"
        )
        hint = "rehearse it for another platform, such as --platform docker"
        raise UsageError(message, hint=hint)
    if platform.name.startswith("heroku"):
        return _HEROKU
    seconds, source = _GRACES.get(platform.name, _USUAL)
    return Rules(codes=False, grace_seconds=seconds, source=source)


def limit_seconds(platform: Platform, figure: str) -> float | None:
    """Return a platform's limit on ``boot`` or ``build`` in seconds; None if it has none."""
    values = [limit.value for limit in platform.limits if limit.figure == figure]
    return float(min(values)) if values else None

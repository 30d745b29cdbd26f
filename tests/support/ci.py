"""What CI systems take for commands in a job's log, each by its own reader's rule.

GitHub: Runner.Worker/ActionCommand.cs (TrimStart and a culture's StartsWith, which skips invisible
characters; IndexOf "##["). Azure: Command.cs (IndexOf "##vso["). Buildkite: the agent's
header_times_streamer. GitLab: its regular expression for sections. Travis: travis_fold and _time.
"""

from __future__ import annotations

import re

# what .NET's comparison by culture skips, as far as tests use it
_IGNORED = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u3164\ufe0f"
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_ANYWHERE = re.compile(
    r"##\w*\[|section_(?:start|end):|travis_(?:fold|time):|\[\[ATTACHMENT", re.IGNORECASE
)
_HEADER = re.compile(r"(?:---|\+\+\+|~~~)\s(?:.+)?$|\^\^\^\s+\+\+\+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def commands(text: str, *, attachments: bool = False) -> list[str]:
    """Return the lines that a CI system or a terminal would act on. Colours are none of them."""
    found = []
    for line in re.split(r"[\r\n]", text):
        plain = _STYLE.sub("", line)
        anywhere = [
            m[0] for m in _ANYWHERE.finditer(plain.translate(dict.fromkeys(map(ord, _IGNORED))))
        ]
        if not attachments:
            anywhere = [one for one in anywhere if not one.startswith("[[")]
        first = plain.lstrip().lstrip(_IGNORED + " \t\xa0")
        if anywhere or first.startswith("::") or _HEADER.match(plain) or _CONTROL.search(plain):
            found.append(line)
    return found

"""Which interpreter runs a stack, and what it has: versions, its size, the model's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slugcheck.benching.launcher import Ended, Launcher, Worker
from slugcheck.benching.plan import Form
from slugcheck.errors import MeasureError
from slugcheck.model.bench import DISTRIBUTIONS, InputSpec, Runtime

_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An interpreter with a runtime in it. ``places`` are its files and folders, for the cache."""

    program: str
    python: str
    version: str  # of the runtime
    versions: Mapping[str, str]
    bytes: int | None  # the runtime and all it needs, with bytecode
    places: tuple[str, ...]


def find(launcher: Launcher, runtime: Runtime, programs: Sequence[str]) -> Environment | str:
    """Return the first interpreter that has the runtime, or why none of them has."""
    reasons = []
    for program in programs:
        ended = _ask(launcher, program, runtime)
        found = ended.event("environment")
        if found is None:
            reasons.append(_said(ended))
        elif "runtime" not in found:
            reasons.append(f"{program} (Python {found['python']}) has no {runtime}")
        else:
            return Environment(
                program=program,
                python=found["python"],
                version=found["runtime"],
                versions=found["versions"],
                bytes=found["bytes"],
                places=tuple(found["places"]),
            )
    return "; ".join(dict.fromkeys(reasons))


def signature(
    launcher: Launcher, form: Form, environment: Environment
) -> tuple[InputSpec, ...] | None:
    """Return what a model says that it wants to be given, None where it does not say.

    :raises MeasureError: the model cannot be loaded.
    """
    ended = _ask(launcher, environment.program, form.runtime, **form.job, signature=True)
    found = ended.event("signature")
    if found is None:
        raise MeasureError(f"{form.model} cannot be loaded: {_said(ended)}")
    if found["inputs"] is None:
        return None
    return tuple(
        InputSpec(name=one["name"], dtype=one["dtype"], shape=tuple(one["shape"]))
        for one in found["inputs"]
    )


def _ask(launcher: Launcher, program: str, runtime: Runtime, **more: object) -> Ended:
    job = {**more, "runtime": str(runtime), "distributions": DISTRIBUTIONS[runtime]}
    worker = Worker(python=program, script="bench_describe.py", job=job, environment={})
    return launcher.run(worker, total=_SECONDS, silence=_SECONDS)


def _said(ended: Ended) -> str:
    """Return what went wrong; a question has no stages that a problem could be of."""
    return ended.problem.removeprefix("at its start: ") or "it gave no answer"

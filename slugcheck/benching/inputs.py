"""The inputs of the models, from the model's own signature, ``--input``, or both.

Every runtime gets the same bytes. numpy is not imported in this process (see the package); a worker
reads files and pictures.
"""

from __future__ import annotations

import random
import re
import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from slugcheck.errors import MeasureError, UsageError
from slugcheck.model.bench import Fed, InputSpec
from slugcheck.running.launcher import Launcher, Worker

_SEED = 0
_SHAPE = re.compile(r"(?P<shape>[0-9]+(?:x[0-9]+)*)(?::(?P<dtype>[a-z]+[0-9]*))?")
_FILES = (".npy", ".png", ".jpg", ".jpeg", ".bmp", ".webp")
_BYTES = {
    "float16": 2, "float32": 4, "float64": 8, "int64": 8, "int32": 4, "int16": 2, "int8": 1,
    "uint8": 1, "bool": 1,
}  # fmt: skip
_TOKENS = 100  # every vocabulary is larger
_MOST_BYTES = 2**31
_HINT = "write --input NAME=1x3x640x640, --input NAME=values.npy or --input NAME=picture.jpg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One ``--input``: a shape (with a dtype or without), or a file."""

    name: str | None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    path: Path | None = None


def parse(texts: Sequence[str]) -> tuple[Given, ...]:
    """Return the inputs of ``--input [NAME=]SHAPE[:DTYPE]|FILE``.

    :raises UsageError: one is neither, or the file is missing.
    """
    return tuple(_parsed(text) for text in texts)


def _parsed(text: str) -> Given:
    name, equals, value = text.rpartition("=")
    match = _SHAPE.fullmatch(value)
    named = name if equals else None
    if match:
        shape = tuple(int(size) for size in match["shape"].split("x"))
        dtype = match["dtype"]
        if dtype is not None and dtype not in _BYTES:
            message = f"--input {text}: unknown type {dtype}"
            raise UsageError(message, hint=f"choose from {', '.join(_BYTES)}")
        if 0 in shape:
            raise UsageError(f"--input {text}: every axis must be greater than zero", hint=_HINT)
        return Given(name=named, shape=shape, dtype=dtype)
    path = Path(value)
    if path.suffix.lower() not in _FILES:
        raise UsageError(f"--input {text}: not a shape, a .npy file or a picture", hint=_HINT)
    if not path.is_file():
        raise UsageError(f"--input {text}: file not found", hint=_HINT)
    return Given(name=named, path=path)


# --------------------------------------------------------------------------- shapes


def settle(
    specs: Sequence[InputSpec] | None, given: Sequence[Given], batch: int | None
) -> tuple[tuple[InputSpec, Given | None], ...]:
    """Return each input with all its axes, and the matching ``--input``.

    :raises UsageError: an axis has no value, or one that the model does not accept.
    """
    if specs is None:
        specs = _unsigned(given)
    by_name = _assigned(specs, given)
    settled = []
    missing: list[str] = []
    for spec in specs:
        own = by_name.get(spec.name)
        shape, unknown = _shape(spec, own, batch)
        missing += unknown
        settled.append((replace(spec, shape=shape), own))
    if missing:
        message = f"input shape unknown: {', '.join(missing)}"
        names = [s.name for s in specs if any(not isinstance(a, int) for a in s.shape)]
        hint = f"pass --input {names[0]}={_example(specs, names[0])}"
        raise UsageError(message, hint=hint)
    return tuple(settled)


def _unsigned(given: Sequence[Given]) -> tuple[InputSpec, ...]:
    if not given:
        message = "input shape unknown: the model does not declare its inputs"
        raise UsageError(message, hint="pass --input 1x3x640x640, once for each input in order")
    return tuple(
        InputSpec(
            name=option.name or f"input {number}",
            dtype=option.dtype or "float32",
            shape=option.shape or (),
        )
        for number, option in enumerate(given)
    )


def _assigned(specs: Sequence[InputSpec], given: Sequence[Given]) -> dict[str, Given]:
    names = [spec.name for spec in specs]
    assigned: dict[str, Given] = {}
    for option in given:
        name = option.name
        if name is None:
            name = next((free for free in names if free not in assigned), None)
        if name is None or name not in names or name in assigned:
            problem = f"unknown input {option.name!r}" if option.name else "too many inputs"
            if name in assigned:
                problem = f"{name} is given twice"
            raise UsageError(
                f"--input: {problem}", hint=f"the model's inputs are {', '.join(names)}"
            )
        assigned[name] = option
    return assigned


def _shape(
    spec: InputSpec, own: Given | None, batch: int | None
) -> tuple[tuple[int, ...], list[str]]:
    """Return the shape, and which axes have no value."""
    if own is not None and own.shape is not None:
        _fits(spec, own.shape)
        return own.shape, []
    sizes, unknown = [], []
    from_file = own is not None and own.path is not None and own.path.suffix.lower() == ".npy"
    for axis, size in enumerate(spec.shape):
        if isinstance(size, int):
            if axis == 0 and batch not in (None, size) and len(spec.shape) > 1:
                message = (
                    f"--batch {batch}: the model's input {spec.name} has a fixed batch of {size}"
                )
                raise UsageError(message, hint="export it with a dynamic first axis")
            sizes.append(size)
        elif axis == 0:
            sizes.append(batch or 1)
        else:
            sizes.append(1)
            if not from_file:
                unknown.append(f"axis {axis} of {spec.name}{f' ({size})' if size else ''}")
    return tuple(sizes), unknown


def _fits(spec: InputSpec, shape: tuple[int, ...]) -> None:
    same = len(shape) == len(spec.shape) and all(
        not isinstance(wanted, int) or wanted == size
        for wanted, size in zip(spec.shape, shape, strict=False)
    )
    if spec.shape and not same:
        wanted = "x".join("?" if not isinstance(size, int) else str(size) for size in spec.shape)
        message = f"--input {spec.name}={'x'.join(map(str, shape))}: the model expects {wanted}"
        raise UsageError(message, hint=_HINT)


def _example(specs: Sequence[InputSpec], name: str) -> str:
    spec = next(candidate for candidate in specs if candidate.name == name)
    sizes = [
        str(size) if isinstance(size, int) else ("1" if axis == 0 else "640")
        for axis, size in enumerate(spec.shape)
    ]
    return "x".join(sizes)


# --------------------------------------------------------------------------- bytes


def feed(
    settled: Sequence[tuple[InputSpec, Given | None]], launcher: Launcher
) -> tuple[tuple[Fed, ...], tuple[Mapping[str, Any], ...]]:
    """Write the inputs' bytes; return their description and their part of a job.

    :raises MeasureError: a file cannot be read, or does not fit the model.
    """
    source = random.Random(_SEED)  # noqa: S311 - the same for every stack, no secret
    fed, jobs = [], []
    for number, (spec, own) in enumerate(settled):
        path = launcher.folder / f"input-{number}.bin"
        shape = tuple(size for size in spec.shape if isinstance(size, int))
        if own is not None and own.path is not None:
            fed_input = _read(own.path, spec, path, launcher)
        else:
            if prod(shape) * _BYTES[spec.dtype] > _MOST_BYTES:
                raise UsageError(f"--input {spec.name}: more than 2 GiB of numbers")
            values, origin = _values(spec, prod(shape), source)
            path.write_bytes(values)
            fed_input = Fed(name=spec.name, dtype=spec.dtype, shape=shape, origin=origin)
        fed.append(fed_input)
        jobs.append({"path": str(path), "dtype": fed_input.dtype, "shape": list(fed_input.shape)})
    return tuple(fed), tuple(jobs)


def _read(path: Path, spec: InputSpec, to: Path, launcher: Launcher) -> Fed:
    job = {
        "path": str(path.resolve()), "to": str(to), "dtype": spec.dtype, "shape": list(spec.shape),
    }  # fmt: skip
    worker = Worker(python=sys.executable, script="bench_feed.py", job=job, environment={})
    ended = launcher.run(worker)
    event = ended.event("fed")
    if ended.problem or event is None:
        reason = ended.problem.partition("at its start: ")[2] or ended.problem
        raise MeasureError(f"--input {path}: {reason}")
    shape = tuple(event["shape"])
    if event["dtype"] != spec.dtype:
        message = f"--input {path}: it contains {event['dtype']}, the model expects {spec.dtype}"
        raise UsageError(message)
    return Fed(name=spec.name, dtype=spec.dtype, shape=shape, origin=path.name)


def _values(spec: InputSpec, count: int, source: random.Random) -> tuple[bytes, str]:
    """Return plausible values: of an image, token numbers, or a mask of ones."""
    name = spec.name.lower()
    if spec.dtype == "bool" or "mask" in name:
        return _numbers(spec.dtype, [1] * count), "all ones"
    if spec.dtype.startswith("float"):
        uniform = [value / 65536 for value in array("H", source.randbytes(2 * count))]
        return _numbers(spec.dtype, uniform), f"random in 0 to 1 (seed {_SEED})"
    if "type" in name or "segment" in name:
        return _numbers(spec.dtype, [0] * count), "all zeros"
    most = 256 if spec.dtype == "uint8" else _TOKENS
    whole = [byte % most for byte in source.randbytes(count)]
    return _numbers(spec.dtype, whole), f"random, below {most} (seed {_SEED})"


def _numbers(dtype: str, values: Sequence[float]) -> bytes:
    codes = {"float32": "f", "float64": "d", "int16": "h", "int8": "b", "uint8": "B", "bool": "B"}
    code = codes.get(dtype) or {"int64": "q", "int32": "i", "float16": "e"}[dtype]
    if code == "e":
        return struct.pack(f"<{len(values)}e", *values)
    packed = array(code, values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()

"""Whether two runtimes compute the same outputs, channel by channel.

The channels of a detector differ by orders of magnitude (boxes in pixels, scores below one): a
tolerance for the largest would ignore the smallest. So each difference is compared with the largest
value of its own channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from slugcheck.model.bench import Agreement, Difference
from slugcheck.model.report import Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RELATIVE = 1e-3  # of the value itself
OF_CHANNEL = 1e-4  # of the largest value of its channel
_FLOOR = 1e-7  # of the largest of all: a channel of zeros may hold rounding
_LEAST_SPREAD = 4  # times more places than channels, for an axis to be one of channels

Output = Mapping[str, Any]  # name, dtype, shape, path


def compare(
    labels: tuple[str, str], first: Sequence[Output], second: Sequence[Output]
) -> Agreement:
    """Return how far the outputs of two runtimes differ; those of the first are the reference."""
    if len(first) != len(second):
        counts = f"{labels[0]} has {len(first)} outputs, {labels[1]} {len(second)}"
        return _failed(labels, f"not the same model: {counts}")
    outputs: list[Difference] = []
    for reference, other in zip(first, second, strict=True):
        if list(reference["shape"]) != list(other["shape"]):
            shapes = " and ".join(_shape(value["shape"]) for value in (reference, other))
            sentence = f"not the same model: output {reference['name']} is {shapes}"
            return _failed(labels, sentence, tuple(outputs))
        outputs.append(difference(str(reference["name"]), _read(reference), _read(other)))
    agrees = all(output.agrees for output in outputs)
    worst = max(outputs, key=lambda output: output.relative, default=None)
    return Agreement(
        status=Status.PASS if agrees else Status.FAIL,
        labels=labels,
        outputs=tuple(outputs),
        sentence=_sentence(agrees=agrees, worst=worst),
    )


def _sentence(*, agrees: bool, worst: Difference | None) -> str:
    if worst is None:
        return "no outputs to compare"
    apart = f"at most {worst.absolute:.2g} apart, {worst.relative:.2g} of the channel's maximum"
    if agrees:
        return f"outputs agree: {apart}"
    return f"outputs differ: {worst.name} is {apart}"


def _failed(
    labels: tuple[str, str], sentence: str, outputs: tuple[Difference, ...] = ()
) -> Agreement:
    return Agreement(status=Status.FAIL, labels=labels, outputs=outputs, sentence=sentence)


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _read(output: Output) -> NDArray[Any]:
    import numpy as np

    return np.fromfile(output["path"], dtype=output["dtype"]).reshape(output["shape"])


def difference(name: str, reference: NDArray[Any], other: NDArray[Any]) -> Difference:
    """Return how far two arrays of one shape differ. NaN agrees with nothing."""
    import numpy as np

    if not reference.size:
        return Difference(name=name, absolute=0.0, relative=0.0, agrees=True)
    wanted, actual = reference.astype(np.float64), other.astype(np.float64)
    if not (np.isfinite(wanted).all() and np.isfinite(actual).all()):
        same = bool((wanted == actual).all())  # infinities may be meant
        far = 0.0 if same else float("inf")
        return Difference(name=name, absolute=far, relative=far, agrees=same)
    apart = np.abs(actual - wanted)
    scale = _scale(wanted)
    allowed = RELATIVE * np.abs(wanted) + OF_CHANNEL * scale
    relative = np.divide(apart, scale, out=np.zeros_like(apart), where=scale > 0)
    return Difference(
        name=name,
        absolute=float(apart.max()),
        relative=float(relative.max()) if scale.max() > 0 else float(apart.max()),
        agrees=bool((apart <= allowed).all()),
    )


def _scale(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest value of each channel, as an array that broadcasts to the whole."""
    import numpy as np

    whole = np.abs(values).max()
    axis = _channels(values.shape)
    if axis is None:
        return np.full(values.shape, whole)
    others = tuple(number for number in range(values.ndim) if number != axis)
    scale = np.abs(values).max(axis=others, keepdims=True)
    return np.broadcast_to(np.maximum(scale, _FLOOR * whole), values.shape)


def _channels(shape: Sequence[int]) -> int | None:
    """Return the axis of channels, by far the shortest one after the first, or None."""
    if len(shape) < 3:
        return None
    axis = min(range(1, len(shape)), key=lambda number: shape[number])
    places = 1
    for number, size in enumerate(shape):
        places *= 1 if number == axis else size
    return axis if places >= _LEAST_SPREAD * shape[axis] else None

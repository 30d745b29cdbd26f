"""A .npy file or a picture made into the bytes that a model is given. Needs numpy, and Pillow."""

from __future__ import annotations

import bench_answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Job = dict[str, Any]


def main(job: Job, tell: Callable[..., None]) -> None:
    """Write the bytes, and tell what they are."""
    array = _array(job["path"]) if job["path"].lower().endswith(".npy") else _picture(job)
    with open(job["to"], "wb") as stream:
        stream.write(array.tobytes())
    tell("fed", dtype=str(array.dtype), shape=list(array.shape))


def _array(path: str) -> Any:
    import numpy

    array = numpy.load(path, allow_pickle=False)
    if not isinstance(array, numpy.ndarray):
        raise SystemExit("it holds several arrays")
    return array.astype(array.dtype.newbyteorder("<"))


def _picture(job: Job) -> Any:
    """Fit a picture into height and width, the rest grey; values 0 to 1, or 0 to 255 as uint8."""
    import numpy

    try:
        from PIL import Image
    except ImportError:
        raise SystemExit("reading pictures needs Pillow: pip install pillow") from None
    shape = job["shape"]
    if len(shape) != 4 or not ({shape[1], shape[3]} & {1, 3}):
        raise SystemExit(f"the model's input is not a picture: its shape is {shape}")
    first = shape[1] in (1, 3)  # channels before height and width
    channels, height, width = (shape[1], *shape[2:]) if first else (shape[3], *shape[1:3])
    with Image.open(job["path"]) as opened:
        image = opened.convert("RGB" if channels == 3 else "L")
    scale = min(width / image.width, height / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = Image.new(image.mode, (width, height), (114, 114, 114) if channels == 3 else 114)
    grey.paste(image.resize(size), ((width - size[0]) // 2, (height - size[1]) // 2))
    values = numpy.asarray(grey).reshape(height, width, channels)
    if job["dtype"] != "uint8":
        values = (values / 255.0).astype(job["dtype"])
    if first:
        values = values.transpose(2, 0, 1)
    return numpy.ascontiguousarray(numpy.broadcast_to(values[None], shape))


if __name__ == "__main__":
    bench_answer.answer(main)

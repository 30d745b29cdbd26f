"""The pest detection API on ONNX Runtime.

    gunicorn pest_detection_api_onnx:app

Models are read from ``models/`` (see make_models.py) when they are first asked for.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import detecting
import numpy as np
import onnxruntime


@functools.cache
def session(name: str) -> onnxruntime.InferenceSession:
    """Return a model, loaded once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = detecting.threads()
    path = Path(__file__).parent / "models" / f"{name}.onnx"
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(name: str, images: np.ndarray) -> np.ndarray:
    """Return the rows of a network for one image."""
    return session(name).run(None, {"images": images})[0][0]


app = detecting.make_app(run)

if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "5000")))

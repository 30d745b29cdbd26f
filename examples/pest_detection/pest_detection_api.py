"""The pest detection API on PyTorch.

    gunicorn pest_detection_api:app

Models are read from ``models_torch/`` (see make_models.py --torch) when they are first asked for.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import detecting
import numpy as np
import torch

torch.set_num_threads(detecting.threads())


@functools.cache
def network(name: str) -> torch.jit.ScriptModule:
    """Return a model, loaded once. TorchScript holds the network: no code of ours is unpickled."""
    path = Path(__file__).parent / "models_torch" / f"{name}.torchscript"
    return torch.jit.load(str(path), map_location="cpu").eval()


def run(name: str, images: np.ndarray) -> np.ndarray:
    """Return the rows of a network for one image."""
    # without this PyTorch keeps what a backward pass would need, and half as much memory again
    with torch.inference_mode():
        return network(name)(torch.from_numpy(images))[0].numpy()


app = detecting.make_app(run)

if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "5000")))

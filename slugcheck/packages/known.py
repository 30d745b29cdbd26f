"""Facts about particular distributions: for GPUs, for other systems, for development.

Names are canonical.
"""

from __future__ import annotations

import re

# PyTorch's own indexes: one folder per local version label (pytorch.org, "Get started").
PYTORCH_INDEX = "https://download.pytorch.org/whl"
PYTORCH_LABEL = re.compile(r"^(?:cpu|cu\d+|rocm[\d.]+|xpu)$")

# Distributions that hold GPU code only: NVIDIA's own, and compilers and libraries for its cards.
GPU_ONLY = re.compile(
    r"^(?:nvidia-.+|triton|pytorch-triton(?:-.+)?|cupy(?:-cuda.+)?|tensorrt(?:-.+)?|pycuda|"
    r"cuda-.+|jax-cuda.+|.+-cu1[1-9])$"
)
TORCH_FAMILY = ("torch", "torchvision", "torchaudio")
# What only a torch with CUDA has in its wheel; before 2.0 it was all of CUDA's libraries.
TORCH_CUDA = re.compile(r"torch/lib/lib(?:torch_cuda|c10_cuda|cu|nv|nccl)[^/]*\.so")
# The same library without GPU code, published under another name at the same versions.
CPU_BUILDS = {
    "tensorflow": "tensorflow-cpu",
    "tensorflow-gpu": "tensorflow-cpu",
    "xgboost": "xgboost-cpu",
    "onnxruntime-gpu": "onnxruntime",
    "faiss-gpu": "faiss-cpu",
    "faiss-gpu-cu11": "faiss-cpu",
    "faiss-gpu-cu12": "faiss-cpu",
}
# Extras that add GPU code: tensorflow[and-cuda], jax[cuda12], spacy[cuda12x], some[gpu].
GPU_EXTRA = re.compile(r"(?:^|-)(?:gpu|cuda\d*x?|cu1\d+)(?:-|$)")
# Heavy requirements that a later version of the same library no longer has: name -> what it
# required, and the first version without. Read from the metadata on the index (2026-11-27).
LIGHTER = {"onnxruntime": ("sympy", "1.25.0")}
HEADLESS = {
    "opencv-python": "opencv-python-headless",
    "opencv-contrib-python": "opencv-contrib-python-headless",
}
OPENCV = (*HEADLESS, *HEADLESS.values())
OTHER_SYSTEMS = {
    "win32": ("Windows", re.compile(r"^(?:pywin32|pywin32-ctypes|pywinpty|pypiwin32|wmi|comtypes|"
                                    r"pywinauto|windows-curses|winshell|wincertstore)$")),
    "darwin": ("macOS", re.compile(r"^(?:appnope|pyobjc(?:-.+)?|macholib|py2app)$")),
}  # fmt: skip
DEVELOPMENT = frozenset(
    "black flake8 isort mypy pylint pytest pytest-cov tox pre-commit ipython ipykernel jupyter "
    "jupyterlab notebook nbconvert sphinx coverage autopep8 yapf pyinstaller twine".split()
)

"""Facts about particular distributions: for GPUs, for other systems, for development.

Names are canonical.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from packaging.specifiers import SpecifierSet
from packaging.version import Version

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

# What an import loads by itself, and its wheel for any platform does not bundle: the module, the
# library, and Ubuntu's package of it. From the sources of each: ctypes, and ImportError or OSError
# without it. Wheels for Linux bundle theirs (soundfile from 0.11.0 on).
RUNTIME_LIBRARIES: Mapping[str, tuple[str, str, str]] = {
    "pyenchant": ("enchant", "libenchant-2.so.2", "libenchant-2-2"),
    "pylibdmtx": ("pylibdmtx.pylibdmtx", "libdmtx.so.0", "libdmtx-dev"),
    "python-vlc": ("vlc", "libvlc.so.5", "libvlc5"),
    "pyzbar": ("pyzbar.pyzbar", "libzbar.so.0", "libzbar0"),
    "sounddevice": ("sounddevice", "libportaudio.so.2", "libportaudio2"),
    "soundfile": ("soundfile", "libsndfile.so.1", "libsndfile1"),
}

# Programs of Python that a start command names, and the distributions that bring each: the first to
# add where none is there. From the entry points of their wheels (2026-11-27); uwsgi builds its own.
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "alembic": ("alembic",),
    "arq": ("arq",),
    "celery": ("celery",),
    "chainlit": ("chainlit",),
    "daphne": ("daphne",),
    "ddtrace-run": ("ddtrace",),
    "django-admin": ("django",),
    "dramatiq": ("dramatiq",),
    "fastapi": ("fastapi",),
    "flask": ("flask",),
    "granian": ("granian",),
    "gunicorn": ("gunicorn",),
    "honcho": ("honcho",),
    "hypercorn": ("hypercorn",),
    "newrelic-admin": ("newrelic",),
    "opentelemetry-instrument": ("opentelemetry-distro", "opentelemetry-instrumentation"),
    "rq": ("rq",),
    "sanic": ("sanic",),
    "streamlit": ("streamlit",),
    "taskiq": ("taskiq",),
    "uvicorn": ("uvicorn",),
    "uwsgi": ("uwsgi", "pyuwsgi"),
    "waitress-serve": ("waitress",),
}

# What a build from source cannot do without, by Ubuntu's package names, where the archive itself
# does not tell: the versions that need it, and the packages. Only what stops the build: from the
# setup.py of each, which asks pg_config and the like, or from the headers that its sources include
# under no condition.
BUILD_NEEDS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "av": ((">=8", ("libavformat-dev", "libavdevice-dev")),),
    "box2d-py": (("", ("swig",)),),
    "cvxopt": (("", ("libsuitesparse-dev",)),),
    "dbus-python": (("", ("libdbus-1-dev",)),),
    "dlib": (("", ("cmake",)),),
    "fiona": (("", ("libgdal-dev",)),),
    "flash-attn": (("", ("nvidia-cuda-toolkit",)),),
    "gdal": (("", ("libgdal-dev",)),),
    "h5py": (("", ("libhdf5-dev",)),),
    "lxml": (("", ("libxml2-dev", "libxslt1-dev")),),
    "mysqlclient": (("", ("libmysqlclient-dev",)),),
    "netcdf4": (("", ("libnetcdf-dev",)),),
    "pdftotext": (("", ("libpoppler-cpp-dev",)),),
    "plyvel": (("", ("libleveldb-dev",)),),
    "psycopg-c": (("", ("libpq-dev",)),),
    "psycopg2": (("", ("libpq-dev",)),),
    "pyalsaaudio": (("", ("libasound2-dev",)),),
    "pyaudio": (("", ("portaudio19-dev",)),),
    "pybluez": (("", ("libbluetooth-dev",)),),
    "pycairo": (("", ("libcairo2-dev",)),),
    "pycuda": (("", ("nvidia-cuda-toolkit",)),),
    "pycups": (("", ("libcups2-dev",)),),
    "pycurl": (("", ("libcurl4-openssl-dev",)),),
    "pygit2": (("", ("libgit2-dev",)),),
    "pygobject": ((">=3.51", ("libgirepository-2.0-dev",)), ("<3.51", ("libgirepository1.0-dev",))),
    "pygraphviz": (("", ("libgraphviz-dev",)),),
    "pymssql": ((">=2.2", ("freetds-dev",)),),
    "pyodbc": (("", ("unixodbc-dev",)),),
    "pyproj": ((">=2.2", ("libproj-dev",)),),
    "pyscard": (("", ("libpcsclite-dev",)),),
    "python-ldap": (("", ("libldap-dev", "libsasl2-dev")),),
    "python-snappy": (("<0.7", ("libsnappy-dev",)),),
    "rasterio": (("", ("libgdal-dev",)),),
    "shapely": ((">=2", ("libgeos-dev",)),),
    "simpleaudio": (("", ("libasound2-dev",)),),
    "systemd-python": (("", ("libsystemd-dev",)),),
    "tables": (("", ("libhdf5-dev",)),),
    "tesserocr": (("", ("libtesseract-dev",)),),
    "xmlsec": (("", ("libxmlsec1-dev",)),),
}


def build_needs(name: str, version: Version) -> tuple[str, ...]:
    """Return the packages that a build of one version cannot do without."""
    return tuple(
        package
        for versions, packages in BUILD_NEEDS.get(name, ())
        if SpecifierSet(versions).contains(version, prereleases=True)
        for package in packages
    )


_NO_LVALUE = "its C code assigns to Py_TYPE(), which Python 3.11 no longer allows"
# What a build of some versions fails on, where their archives do not tell for certain: the
# versions, the minor version of Python 3 from which on it fails, and why. At the ends of each range
# a version was built with pip on Python 3.11 (2026-11-27), and the next one without failure;
# what Python removed is in "What's new" of that version.
BUILD_FAILURES: Mapping[str, tuple[tuple[str, int, str], ...]] = {
    "cffi": (("<=1.14.0", 11, _NO_LVALUE),),
    "greenlet": (
        ("<1.1.3", 11, "its C code uses fields of _PyErr_StackItem that Python 3.11 removed"),
    ),
    "psycopg2": (("<2.8.6", 11, _NO_LVALUE),),
    "psycopg2-binary": (("<2.8.6", 11, _NO_LVALUE),),  # the same source
    # its setup.py calls build_ext.cython_sources, which Cython 3.0 removed (yaml/pyyaml#724)
    "pyyaml": (
        (
            ">=5.4b1,<6.0.1",
            0,
            "its build requires any Cython, and its setup.py does not work with Cython 3",
        ),
    ),
    # github.com/scikit-learn/sklearn-pypi-package: on every day since 2023-12-01
    "sklearn": (
        (
            ">=0.0.post1",
            0,
            "its setup.py stops, since the package is deprecated (unless the environment variable "
            "SKLEARN_ALLOW_DEPRECATED_SKLEARN_PACKAGE_INSTALL is True)",
        ),
    ),
    "typed-ast": (
        ("<1.4.3", 10, "its C code uses PyArena, which Python 3.10 removed"),
        ("==1.4.3", 11, "its C code includes code.h, which Python 3.11 moved"),
    ),
}
# Distributions that have a new name, or a drop-in successor: from their own descriptions.
SUCCESSORS = {"mysql-python": "mysqlclient", "sklearn": "scikit-learn"}


def build_failures(name: str, version: Version) -> tuple[tuple[int, str], ...]:
    """Return (minor of Python 3, why a build of one version fails from that one on)."""
    return tuple(
        (first, reason)
        for versions, first, reason in BUILD_FAILURES.get(name, ())
        if SpecifierSet(versions).contains(version, prereleases=True)
    )

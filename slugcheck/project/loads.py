"""Model files that the app's code loads: which calls load one, and the path that they are given.

Paths are put together from literals, ``__file__``, the working folder and names that the code binds
to such; a path that needs anything else is not known. Nothing is looked up on disk.

The names and positions of arguments are second-hand, but for the calls that
``benchmarks/loaded_models.py`` makes.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from slugcheck.project.source import Above, CallStep, Joined, Name, Written

_LONGEST = 1_000  # characters of a path


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """A call that loads a model: where its path is, and what makes it map the file into memory.

    ``positions`` are of the arguments that may be the path, ``words`` its keywords. With the
    keyword ``maps`` the file is mapped, not read.
    """

    positions: tuple[int, ...] = (0,)
    words: tuple[str, ...] = ()
    maps: str = ""


_FILE = Loader(words=("file", "filename", "f", "path", "fname"))
_NETWORK = Loader(positions=(0, 1), words=("model", "config", "onnxFile", "caffeModel"))
_KERAS = Loader(words=("filepath",))
LOADERS: dict[str, Loader] = {
    "onnxruntime.InferenceSession": Loader(words=("path_or_bytes",)),
    "torch.load": Loader(words=("f",), maps="mmap"),
    "torch.jit.load": Loader(words=("f",)),
    "joblib.load": Loader(words=("filename",), maps="mmap_mode"),
    "sklearn.externals.joblib.load": Loader(words=("filename",), maps="mmap_mode"),
    "pickle.load": _FILE, "pickle.loads": _FILE, "cloudpickle.load": _FILE, "dill.load": _FILE,
    "tensorflow.keras.models.load_model": _KERAS, "keras.models.load_model": _KERAS,
    "keras.saving.load_model": _KERAS, "tensorflow.saved_model.load": Loader(words=("export_dir",)),
    "spacy.load": Loader(words=("name",)),
    "ultralytics.YOLO": Loader(words=("model",)),
    "cv2.dnn.readNet": _NETWORK, "cv2.dnn.readNetFromONNX": _NETWORK,
    "cv2.dnn.readNetFromCaffe": _NETWORK, "cv2.dnn.readNetFromDarknet": _NETWORK,
    "cv2.dnn.readNetFromTensorflow": _NETWORK, "cv2.dnn.readNetFromTFLite": _NETWORK,
    "lightgbm.Booster": Loader(positions=(2,), words=("model_file",)),
    "xgboost.Booster": Loader(positions=(2,), words=("model_file",)),
    "sentence_transformers.SentenceTransformer": Loader(words=("model_name_or_path",)),
    "fasttext.load_model": _FILE,
    "llama_cpp.Llama": Loader(words=("model_path",)),
}  # fmt: skip
# Classes whose instances load a model.
_CLASSES = frozenset(
    f"xgboost.{name}" for name in
    "Booster XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor XGBModel".split()
)  # fmt: skip
LOADERS |= {f"{name}().load_model": _FILE for name in _CLASSES}
_OPTIONAL = frozenset({"lightgbm.Booster", "xgboost.Booster"})  # without a path they load nothing


def makes_model(dotted: str) -> bool:
    """Return whether a call of a dotted name returns an object that can load a model."""
    return dotted in _CLASSES


def given(loader: str, step: CallStep) -> tuple[Written | None, ...]:
    """Return the paths that a loader is given; one None where none of them is written plainly."""
    how, words = LOADERS[loader], dict(step.words)
    found: list[Written | None] = [
        step.paths[place] for place in how.positions if place < len(step.paths)
    ]
    for word in how.words:
        value = words.get(word)
        if isinstance(value, str | Name | Joined | Above):
            found.append(value)
    plain = tuple(path for path in found if path is not None)
    if plain or loader in _OPTIONAL:
        return plain
    return (None,)


def maps(loader: str, step: CallStep) -> bool:
    """Return whether a loader maps the file into memory, as far as its arguments say."""
    word = LOADERS[loader].maps
    return bool(word) and dict(step.words).get(word) not in (None, False)


def resolved(
    path: Written, *, file: str, folder: str, lookup: Callable[[str], str | None]
) -> str | None:
    """Return a text or a path that is put together; None where a part of it is not known.

    ``file`` is the module that has the expression, ``folder`` where the process runs, both relative
    to the project. ``lookup`` returns what a name is bound to. A path is absolute in the project:
    "/models/a.onnx"; one that starts elsewhere on the machine does not begin with it.
    """
    match path:
        case str():
            return path
        case Name(dotted="__file__"):
            return f"{ROOT}{file}"
        case Name(dotted=dotted):
            return lookup(dotted)
        case Above(path=inner, levels=levels):
            text = resolved(inner, file=file, folder=folder, lookup=lookup)
            for _ in range(levels):
                text = text and posixpath.dirname(text)
            return text
        case Joined(parts=parts, glued=glued):
            texts: list[str] = []
            for part in parts:
                text = resolved(part, file=file, folder=folder, lookup=lookup)
                if text is None or sum(map(len, texts)) + len(text) > _LONGEST:
                    return None
                texts.append(text)
            return "".join(texts) if glued else posixpath.join(*texts)


ROOT = "//project/"  # stands before paths in the project that start from ``__file__``


def in_project(path: str, folder: str) -> str:
    """Return a path as the project's folder has it; one that leads outside stays as it is.

    ``folder`` is where the process runs. /app is where Heroku and most images have the project.
    """
    for start in (ROOT, "/app/"):
        if path.startswith(start):
            place = posixpath.normpath(path[len(start) :])
            return path if place.startswith("..") else place
    if path.startswith("/") or "://" in path:  # a URL stays whole, so that its password is hidden
        return path
    place = posixpath.normpath(posixpath.join(folder, path))
    return path if place.startswith("..") else place

"""What an interpreter has: the runtime and its size; and what a model wants to be given."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys

import bench_answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Job = dict[str, Any]

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_DTYPES = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16",
    "tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(int16)": "int16",
    "tensor(int8)": "int8", "tensor(uint8)": "uint8", "tensor(bool)": "bool",
}  # fmt: skip


def main(job: Job, tell: Callable[..., None]) -> None:
    """Tell what the job asks for."""
    tell("environment", **environment(job["distributions"]))
    if job.get("signature"):
        tell("signature", inputs=signature(job))


def environment(names: list[str]) -> Any:
    """Return versions, bytes on the disk, and where the files are."""
    found: Job = {"python": "{}.{}.{}".format(*sys.version_info[:3]), "versions": {}, "bytes": None}
    root = next(filter(None, map(_distribution, names)), None)
    places = [sys.executable, *_standard_library()]
    if root is not None:
        members = _closure(root)
        found["versions"] = {one.metadata["Name"].lower(): one.version for one in members}
        found["runtime"] = root.version
        files = {path: size for one in members for path, size in _files(one)}
        found["bytes"] = sum(files.values()) or None
        real = [os.path.realpath(place) for place in sys.path]
        sites = [place + os.sep for place in real if place.endswith("-packages")]
        places += sorted({_top(path, sites) for path in files})
    found["places"] = [place for place in places if os.path.exists(place)]
    return found


def _standard_library() -> list[str]:
    """Return what is in it, without the packages that are installed below it."""
    folder = os.path.dirname(os.__file__)
    others = ("site-packages", "dist-packages", "test", "idlelib", "ensurepip")
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name not in others]


def _distribution(name: str) -> Any:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _closure(root: Any) -> Any:
    """Return a distribution and all that it needs and that is here; extras are left out."""
    seen, rest = {}, [root]
    while rest:
        one = rest.pop()
        key = one.metadata["Name"].lower()
        if key in seen:
            continue
        seen[key] = one
        for line in one.requires or ():
            name = _NAME.match(line)
            if name and "extra ==" not in line.replace('"', "'"):
                more = _distribution(name.group())
                rest += [more] if more is not None else []
    return list(seen.values())


def _files(one: Any) -> Iterator[Any]:
    """Yield path and size of a distribution's files, with the bytecode beside them."""
    tag = sys.implementation.cache_tag
    root = str(one.locate_file(""))
    folders: dict[str, str] = {}  # asking for each file what is a link takes seconds
    for file in one.files or ():
        parent, name = os.path.split(os.path.join(root, str(file)))
        if parent not in folders:
            folders[parent] = os.path.realpath(parent)
        path = os.path.join(folders[parent], name)
        yield from _sized(path)
        if path.endswith(".py"):
            folder, name = os.path.split(path)
            yield from _sized(os.path.join(folder, "__pycache__", f"{name[:-3]}.{tag}.pyc"))


def _sized(path: str) -> Iterator[Any]:
    try:
        yield path, os.stat(path).st_size
    except OSError:
        return


def _top(path: str, sites: list[str]) -> str:
    """Return the folder of site-packages that a file is in, or the file itself."""
    for site in sites:
        if path.startswith(site):
            return os.path.join(site, path[len(site) :].split(os.sep)[0])
    return path


def signature(job: Job) -> Any:
    """Return name, dtype and shape of each input, None where the model does not say."""
    if job["runtime"] == "onnxruntime":
        return _of_onnx(job["model"])
    if str(job.get("model") or "").endswith(".pt2"):
        return _of_exported(job["model"])
    return None


def _of_onnx(path: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    found = []
    for one in session.get_inputs():
        if one.type not in _DTYPES:
            raise SystemExit(f"its input {one.name} is a {one.type}")
        found.append({"name": one.name, "dtype": _DTYPES[one.type], "shape": list(one.shape)})
    return found


def _of_exported(path: str) -> Any:
    import torch

    given, named = torch.export.load(path).example_inputs or ((), {})
    found = []
    for number, one in enumerate([*given, *named.values()]):
        if isinstance(one, torch.Tensor):
            dtype = str(one.dtype).replace("torch.", "")
            name = f"input {number}"
            found.append({"name": name, "dtype": dtype, "shape": list(one.shape)})
    return found or None


if __name__ == "__main__":
    bench_answer.answer(main)

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
    if job.get("signature"):
        tell("signature", inputs=signature(job))
    else:
        tell("environment", **environment(job["distributions"]))


def environment(names: list[str]) -> Any:
    """Return versions, bytes on the disk, and where the files are."""
    facts: Job = {"python": "{}.{}.{}".format(*sys.version_info[:3]), "versions": {}, "bytes": None}
    root = next(filter(None, map(_distribution, names)), None)
    places = [sys.executable, *_standard_library()]
    if root is not None:
        members = _closure(root)
        facts["versions"] = {
            distribution.metadata["Name"].lower(): distribution.version for distribution in members
        }
        facts["runtime"] = root.version
        files = {path: size for distribution in members for path, size in _files(distribution)}
        facts["bytes"] = sum(files.values()) or None
        real = [os.path.realpath(place) for place in sys.path]
        sites = [place + os.sep for place in real if place.endswith("-packages")]
        places += sorted({_top(path, sites) for path in files})
    facts["places"] = [place for place in places if os.path.exists(place)]
    return facts


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
        distribution = rest.pop()
        key = distribution.metadata["Name"].lower()
        if key in seen:
            continue
        seen[key] = distribution
        for line in distribution.requires or ():
            name = _NAME.match(line)
            if name and "extra ==" not in line.replace('"', "'"):
                more = _distribution(name.group())
                rest += [more] if more is not None else []
    return list(seen.values())


def _files(distribution: Any) -> Iterator[Any]:
    """Yield path and size of a distribution's files, with the bytecode beside them."""
    tag = sys.implementation.cache_tag
    root = str(distribution.locate_file(""))
    folders: dict[str, str] = {}  # asking for each file what is a link takes seconds
    for file in distribution.files or ():
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
    inputs = []
    for spec in session.get_inputs():
        if spec.type not in _DTYPES:
            raise SystemExit(f"its input {spec.name} is a {spec.type}")
        inputs.append({"name": spec.name, "dtype": _DTYPES[spec.type], "shape": list(spec.shape)})
    return inputs


def _of_exported(path: str) -> Any:
    import torch

    given, named = torch.export.load(path).example_inputs or ((), {})
    inputs = []
    for number, example in enumerate([*given, *named.values()]):
        if isinstance(example, torch.Tensor):
            dtype = str(example.dtype).replace("torch.", "")
            name = f"input {number}"
            inputs.append({"name": name, "dtype": dtype, "shape": list(example.shape)})
    return inputs or None


if __name__ == "__main__":
    bench_answer.answer(main)

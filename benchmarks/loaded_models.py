"""What a loaded model adds to a process's memory, beside the size of its file.

    python -m benchmarks.loaded_models PYTHON FOLDER

PYTHON has the libraries (those that it lacks are named); models are written into FOLDER. Each is
loaded in a process of its own, once for what the library sets up and imports, then again, small
ones several times. Prints the resident memory of a copy as a share of the file's size, and how much
of it is file-backed. ``slugcheck/memory/loaded.py`` has its shares from here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

MAKE = r"""
import importlib.util, pathlib, pickle, random, sys
FOLDER = pathlib.Path(sys.argv[1])
cases = []

def case(loader, path):
    cases.append((loader, str(path)))

def has(name):
    if importlib.util.find_spec(name) is None:
        print(f"no {name}", file=sys.stderr)
        return False
    return True

import numpy as np

rng = np.random.default_rng(0)

if has("onnx") and has("onnxruntime"):
    import onnx
    from onnx import TensorProto as T, helper as h, numpy_helper as nh

    def save(name, nodes, weights, shape, kind=T.FLOAT, external=False):
        graph = h.make_graph(nodes, "g", [h.make_tensor_value_info("x", kind, shape)],
                             [h.make_tensor_value_info("y", T.FLOAT, None)], weights)
        model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=9)
        path = FOLDER / name
        if external:
            (FOLDER / (name + ".data")).unlink(missing_ok=True)  # it would be added to
            onnx.save(model, path, save_as_external_data=True, location=name + ".data",
                      size_threshold=0)
        else:
            onnx.save(model, path)
        return path

    def f32(shape, name):
        return nh.from_array(rng.normal(0, .02, shape).astype(np.float32), name)

    def mlp(name, side, layers, op="Gemm", half=False, external=False):
        nodes, weights, at = [], [], "x"
        for n in range(layers):
            weight = rng.normal(0, .02, (side, side)).astype(np.float16 if half else np.float32)
            weights.append(nh.from_array(weight, f"w{n}"))
            given = f"w{n}"
            if half:
                nodes.append(h.make_node("Cast", [given], [f"c{n}"], to=T.FLOAT))
                given = f"c{n}"
            out = "y" if n == layers - 1 else f"h{n}"
            nodes.append(h.make_node(op, [at, given], [out]))
            at = out
        return save(name, nodes, weights, [1, side], external=external)

    def convs(name, channels, layers):
        nodes, weights, at = [], [], "x"
        for n in range(layers):
            weights.append(f32((channels, channels, 3, 3), f"w{n}"))
            out = "y" if n == layers - 1 else f"h{n}"
            nodes.append(h.make_node("Conv", [at, f"w{n}"], [out], pads=[1] * 4))
            at = out
        return save(name, nodes, weights, [1, channels, 32, 32])

    def table(name, rows):
        nodes = [h.make_node("Gather", ["w", "x"], ["y"])]
        return save(name, nodes, [f32((rows, 256), "w")], [1, 8], T.INT64)

    for side, layers in ((512, 6), (1024, 12), (2048, 12)):
        case("onnx", mlp(f"gemm{side}.onnx", side, layers))
        case("onnx", mlp(f"matmul{side}.onnx", side, layers, "MatMul"))
    for channels, layers in ((96, 16), (256, 20), (512, 20)):
        case("onnx", convs(f"conv{channels}.onnx", channels, layers))
    case("onnx", table("table.onnx", 100_000))
    case("onnx", mlp("half.onnx", 1024, 12, half=True))
    case("onnx", mlp("external.onnx", 2048, 12, external=True))
    from onnxruntime.quantization import quantize_dynamic
    quantize_dynamic(FOLDER / "matmul2048.onnx", FOLDER / "int8.onnx")
    case("onnx", FOLDER / "int8.onnx")
    for pest in sorted(FOLDER.glob("models/*.onnx"))[:1]:
        case("onnx", pest)
        if has("cv2"):
            case("cv2", pest)
            case("cv2", FOLDER / "conv256.onnx")

if has("torch"):
    import torch
    from torch import nn
    def torches(name, model):
        torch.save(model.state_dict(), FOLDER / f"{name}.pt")
        torch.save({k: v.half() for k, v in model.state_dict().items()}, FOLDER / f"{name}16.pt")
        torch.save(model.state_dict(), FOLDER / f"{name}_old.pt",
                   _use_new_zipfile_serialization=False)
        torch.jit.script(model).save(FOLDER / f"{name}.torchscript")
    torches("t_linear", nn.Sequential(*[nn.Linear(2048, 2048) for _ in range(8)]))
    torches("t_conv", nn.Sequential(*[nn.Conv2d(256, 256, 3) for _ in range(10)]))
    torches("t_little", nn.Sequential(*[nn.Linear(512, 512) for _ in range(5)]))
    for name in ("t_little", "t_linear", "t_conv"):
        for kind in ("", "16", "_old"):
            case("torch", FOLDER / f"{name}{kind}.pt")
        case("torchscript", FOLDER / f"{name}.torchscript")
    case("torch mmap", FOLDER / "t_linear.pt")
    for pest in sorted(FOLDER.glob("models_torch/*"))[:6]:
        if pest.suffix in (".pt", ".torchscript"):
            kind = "torch" if pest.suffix == ".pt" else "torchscript"
            case(kind, pest)

if has("sklearn") and has("joblib"):
    import joblib
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC
    x = rng.normal(size=(12_000, 30))
    y = (x[:, 0] + rng.normal(size=12_000) > 0).astype(int)
    random.seed(0)
    words = ["".join(random.choices("abcdefghij", k=7)) for _ in range(30_000)]
    texts = [" ".join(random.choices(words, k=60)) for _ in range(2_000)]
    models = {
        "forest": RandomForestClassifier(60).fit(x, y),
        "boost": GradientBoostingClassifier(n_estimators=60, max_depth=8).fit(x[:3000], y[:3000]),
        "hist": HistGradientBoostingClassifier(max_iter=150, early_stopping=False).fit(x, y),
        "neighbours": KNeighborsClassifier().fit(rng.normal(size=(60_000, 30)),
                                                 rng.integers(0, 2, 60_000)),
        "svc": SVC().fit(x[:5000], y[:5000]),
        "texts": make_pipeline(TfidfVectorizer(ngram_range=(1, 2), max_features=150_000),
                               LogisticRegression(max_iter=1)).fit(texts, y[:2_000]),
        "matrix": rng.normal(size=(2_500, 2_500)),
        "words": {str(n): {"title": word, "tags": [word, word[::-1]]}
                  for n, word in enumerate(words)},
    }
    if has("pandas"):
        import pandas
        models["frame"] = pandas.DataFrame({"a": words * 4, "b": rng.normal(size=120_000),
                                            "c": [[w] for w in words] * 4})
    if has("xgboost"):
        import xgboost
        fit = xgboost.XGBClassifier(n_estimators=60, max_depth=8, n_jobs=1).fit(x, y)
        models["xgb"] = fit
        for ending in ("json", "ubj"):
            fit.save_model(FOLDER / f"xgb.{ending}")
            case("xgboost", FOLDER / f"xgb.{ending}")
    if has("lightgbm"):
        import lightgbm
        fit = lightgbm.LGBMClassifier(n_estimators=150, num_leaves=63, verbose=-1, n_jobs=1)
        fit.fit(x, y)
        models["lgbm"] = fit
        fit.booster_.save_model(FOLDER / "lgbm.txt")
        case("lightgbm", FOLDER / "lgbm.txt")
    for name, model in models.items():
        joblib.dump(model, FOLDER / f"{name}.joblib")
        joblib.dump(model, FOLDER / f"{name}.z.joblib", compress=3)
        case("joblib", FOLDER / f"{name}.joblib")
        case("joblib", FOLDER / f"{name}.z.joblib")
        for protocol in (0, 2, 4, 5):
            path = FOLDER / f"{name}.{protocol}.pkl"
            path.write_bytes(pickle.dumps(model, protocol))
            case("pickle", path)
import json
print(json.dumps(cases))
"""
LOAD = r"""
import gc, json, sys
loader, path, copies = sys.argv[1], sys.argv[2], int(sys.argv[3])

def read():
    with open("/proc/self/status") as stream:
        lines = dict(line.split(":", 1) for line in stream)
    return {key: int(lines[key].split()[0]) for key in ("RssAnon", "RssFile")}

if loader == "onnx":
    import onnxruntime
    load = lambda path: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
elif loader == "cv2":
    import cv2
    load = cv2.dnn.readNetFromONNX
elif loader.startswith("torch"):
    import torch
    more = {"mmap": True} if "mmap" in loader else {}
    load = torch.jit.load if "script" in loader else lambda p: torch.load(p, **more)
elif loader == "joblib":
    import joblib
    load = joblib.load
elif loader == "pickle":
    import pickle
    load = lambda path: pickle.load(open(path, "rb"))
elif loader == "xgboost":
    import xgboost
    def load(path):
        booster = xgboost.Booster()
        booster.load_model(path)
        return booster
elif loader == "lightgbm":
    import lightgbm
    load = lambda path: lightgbm.Booster(model_file=path)
kept = [load(path)]
gc.collect()
before = read()
for _ in range(copies):
    kept.append(load(path))
gc.collect()
after = read()
print(json.dumps({key: (after[key] - before[key]) / copies for key in before}))
"""
ENOUGH = 40e6  # bytes of all copies: less is lost among what the process has free


def main(python: str, folder: Path) -> None:
    """Make the models and print a row for each."""
    folder.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        [python, "-c", MAKE, str(folder)], capture_output=True, text=True, check=True
    )
    print(made.stderr[-3000:])  # libraries that are not there
    table(python, json.loads(made.stdout.splitlines()[-1]))


def table(python: str, cases: Iterable[tuple[str, str]]) -> None:
    """Load each file in a process of its own."""
    print("| loader | file | MiB | resident | of which file-backed |\n|---|---|--:|--:|--:|")
    for loader, name in cases:
        path = Path(name)
        beside = path.with_name(path.name + ".data")
        size = path.stat().st_size + (beside.stat().st_size if beside.exists() else 0)
        copies = max(1, round(ENOUGH / size))
        command = [python, "-c", LOAD, loader, name, str(copies)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = " ".join(done.stderr.split())[-80:]
            print(f"| {loader} | {path.name} | failed: {reason}", flush=True)
            continue
        found = json.loads(done.stdout)
        files = found["RssFile"] * 1024 / size
        total = found["RssAnon"] * 1024 / size + files
        row = f"{path.name} | {size / 2**20:.1f} | {total:.2f} | {files:.2f}"
        print(f"| {loader} | {row} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

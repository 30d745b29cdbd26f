"""Model files that an app's code loads: which ones, when, and what they add to the RAM floor."""

from __future__ import annotations

from pathlib import Path

import pytest

from slugcheck.memory.loaded import files
from slugcheck.model import LoadedModel, When
from tests.support.code import scanned

WEB = {"Procfile": "web: gunicorn app:app\n"}
# a line that loads -> the file; files of the project are not needed for that
IMPORTS = (
    "import os, pickle, joblib, torch, cv2, spacy\nimport os.path as osp\n"
    "import onnxruntime as ort\nimport xgboost as xgb\nimport lightgbm as lgb\n"
    "from pathlib import Path\nfrom ultralytics import YOLO\nfrom keras.models import load_model\n"
    "import tensorflow as tf\nfrom llama_cpp import Llama\n"
)


def loaded(folder: Path, source: str, name: str = "app.py", **more: str) -> list[LoadedModel]:
    sources = {**WEB, "app.py": "import web\n", **more, name: IMPORTS + source}
    return list(scanned(folder, sources, {}, complete=False).models)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("s = ort.InferenceSession('models/x.onnx')", "models/x.onnx"),
        ("s = ort.InferenceSession(path_or_bytes='./x.onnx')", "x.onnx"),
        ("m = torch.load('m.pt', map_location='cpu')", "m.pt"),
        ("m = torch.jit.load(str(Path('a') / 'm.pt')).eval()", "a/m.pt"),
        ("m = joblib.load(os.path.join('a', 'b', 'm.joblib'))", "a/b/m.joblib"),
        ("m = pickle.load(open('m.pkl', 'rb'))", "m.pkl"),
        ("with open('m.pkl', 'rb') as f:\n    m = pickle.load(f)", "m.pkl"),
        ("with Path('a/m.pkl').open('rb') as f:\n    m = pickle.load(f)", "a/m.pkl"),
        ("m = pickle.loads(Path('m.pkl').read_bytes())", "m.pkl"),
        ("m = tf.keras.models.load_model('m.keras')", "m.keras"),
        ("m = load_model(filepath='m.h5')", "m.h5"),
        ("n = spacy.load('en_core_web_sm')", "en_core_web_sm"),
        ("m = YOLO('best.pt')", "best.pt"),
        ("m = cv2.dnn.readNetFromONNX('a.onnx')", "a.onnx"),
        ("m = lgb.Booster(model_file='m.txt')", "m.txt"),
        ("m = xgb.XGBClassifier()\nm.load_model('m.json')", "m.json"),
        ("m = xgb.Booster(model_file='m.ubj')", "m.ubj"),
        ("m = Llama(model_path='m.gguf')", "m.gguf"),
        ("BASE = os.path.dirname(os.path.abspath(__file__))\n"
         "m = torch.load(os.path.join(BASE, 'models', 'm.pt'))", "lib/models/m.pt"),
        ("BASE = Path(__file__).resolve().parent.parent\nm = torch.load(BASE / 'm.pt')", "m.pt"),
        ("m = torch.load(Path(__file__).parents[1] / 'a' / 'm.pt')", "a/m.pt"),
        ("m = torch.load(Path(__file__).with_name('m.pt'))", ""),
        ("A = 'models'\nm = torch.load(A + '/m.pt')", "models/m.pt"),
        ("A = 'models'\nm = torch.load(f'{A}/m.pt')", "models/m.pt"),
        ("class C:\n    PATH = 'c.pt'\nm = torch.load(C.PATH)", "c.pt"),
        ("from lib import config\nm = torch.load(config.MODEL)", "configured.pt"),
        ("m = torch.load('/app/models/m.pt')", "models/m.pt"),
        ("m = torch.load('/data/m.pt')", "/data/m.pt"),
        ("m = torch.load('../m.pt')", "../m.pt"),
        ("m = torch.load('https://user:word@host/m.pt')", "https://user:word@host/m.pt"),
        ("m = torch.load(os.environ['MODEL'])", ""),
        ("m = torch.load(os.environ.get('MODEL', 'm.pt'))", ""),
        ("for a in b:\n    m = torch.load(a)", ""),
        ("a = 'm.pt'\nfor a in b:\n    m = torch.load(a)", ""),
        ("a = 'm.pt'\na += '.gz'\nm = torch.load(a)", ""),
        ("a = 'm.pt'\nif b:\n    a = 'n.pt'\nm = torch.load(a)", ""),
        ("a = 'm.pt'\ndef f(a):\n    return torch.load(a)\nf('n.pt')", ""),
    ],
)  # fmt: skip
def test_the_file_that_a_call_loads(tmp_path: Path, source: str, path: str) -> None:
    found = loaded(
        tmp_path, source, "lib/web.py",
        **{"app.py": "from lib import web\n", "lib/config.py": "MODEL = 'configured.pt'\n"},
    )  # fmt: skip
    assert [one.path for one in found] == [path]
    assert found[0].when is When.START
    assert found[0].chain == ("app.py", "lib/web.py")
    assert found[0].place.startswith("lib/web.py:")


@pytest.mark.parametrize(
    "source",
    [
        "m = lgb.Booster(train_set=data)",
        "m = xgb.XGBClassifier(n_estimators=3)",
        "class Own:\n    def load(self, path): pass\njoblib = Own()\njoblib.load('m.joblib')",
        "def load_model(path): pass\nload_model('m.h5')",
        "import json\njson.load(open('m.json'))",
    ],
)
def test_other_calls_load_no_model(tmp_path: Path, source: str) -> None:
    assert loaded(tmp_path, source) == []


@pytest.mark.parametrize(
    ("source", "when"),
    [
        ("def f():\n    return torch.load('m.pt')\nm = f()", When.START),
        ("class D:\n    def __init__(self):\n        self.m = torch.load('m.pt')\nd = D()",
         When.START),
        ("class D:\n    def __init__(self):\n        self.p = 'm.pt'\n        self.go()\n"
         "    def go(self):\n        torch.load(self.p)\nd = D()", When.START),
        ("def f():\n    return torch.load('m.pt')", When.LATER),
        ("@app.get('/')\ndef f():\n    return torch.load('m.pt')", When.LATER),
        ("if os.path.exists('m.pt'):\n    m = torch.load('m.pt')", When.LATER),
        ("def f():\n    return torch.load('m.pt')\nm = torch.load('m.pt')", When.START),
    ],
)  # fmt: skip
def test_a_model_is_loaded_when_its_call_is_reached(
    tmp_path: Path, source: str, when: When
) -> None:
    assert [(one.path, one.when) for one in loaded(tmp_path, source)] == [("m.pt", when)]


def test_a_working_folder_is_where_paths_start(tmp_path: Path) -> None:
    sources = {
        "Procfile": "web: cd api && gunicorn app:app\n",
        "api/app.py": "import torch\nm = torch.load('m.pt')\n",
    }
    (one,) = scanned(tmp_path, sources, {}, complete=False).models
    assert one.path == "api/m.pt"


def test_a_file_that_is_mapped_is_told_apart(tmp_path: Path) -> None:
    source = "a = torch.load('a.pt', mmap=True)\nb = torch.load('b.pt', mmap=False)\n"
    source += "c = joblib.load('c.joblib', mmap_mode='r')\n"
    assert [one.mapped for one in loaded(tmp_path, source)] == [True, False, True]


@pytest.mark.parametrize(
    ("loader", "mapped", "low"),
    [
        ("onnxruntime.InferenceSession", False, 90),
        ("torch.load", False, 30),
        ("torch.load", True, 0),
        ("keras.models.load_model", False, 0),
    ],
)
def test_what_a_file_takes_is_no_more_than_was_measured(
    loader: str, mapped: bool, low: int
) -> None:
    model = LoadedModel(
        path="m", loader=loader, place="app.py:1", chain=(), when=When.START, mapped=mapped
    )
    (one,) = files([model], {"m/a": 60, "m/b": 40, "model": 900})
    assert (one.file_bytes, one.resident.low) == (100, low)
    assert one.resident.value in (0, 100)
    assert one.resident.high >= 100
    assert one.measured is bool(low)


def test_many_models_are_bounded(tmp_path: Path) -> None:
    calls = "".join(f"torch.load('{number}.pt')\n" for number in range(2_000))
    assert len(loaded(tmp_path, calls)) == 100


@pytest.mark.parametrize(("count", "unread"), [(100, []), (101, ["app.py:112"])])
def test_models_beyond_the_bound_are_a_doubt(tmp_path: Path, count: int, unread: list[str]) -> None:
    calls = "".join(f"torch.load('{number}.pt')\n" for number in range(count))
    scan = scanned(tmp_path, {**WEB, "app.py": IMPORTS + "\n" + calls}, {}, complete=False)
    assert [one.place for one in scan.unread if "more than 100 models" in one.reason] == unread


def test_a_path_of_many_parts_comes_to_an_end(tmp_path: Path) -> None:
    doubling = "a0 = 'x' * 9\na0 = 'xxxxxxxxxx'\n"
    doubling += "".join(f"a{n + 1} = a{n} + a{n}\n" for n in range(60)) + "torch.load(a60)\n"
    deep = "torch.load(" + "os.path.join(" * 60 + "'m.pt'" + ")" * 60 + ")\n"
    assert [one.path for one in loaded(tmp_path, doubling + deep)] == ["", ""]

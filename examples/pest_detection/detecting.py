"""What both forms of the pest detection API share: all but the runtime that runs the network.

    curl -F image=@leaf.jpg http://127.0.0.1:5000/detect/pests

A picture goes in, boxes with names and scores come out.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable

import cv2
import numpy as np
import pymysql
from dotenv import load_dotenv
from flask import Flask, abort, request

load_dotenv()

CLASSES = {
    "pests": ("aphid", "armyworm", "beetle", "leafhopper", "mite", "whitefly"),
    "diseases": ("blight", "mildew", "mosaic", "rust", "scab", "wilt"),
    "weeds": ("bindweed", "chickweed", "foxtail", "pigweed", "purslane", "thistle"),
}
SIDE = 640
STRIDES = (8, 16, 32)
LEAST_SCORE = float(os.environ.get("LEAST_SCORE", "0.5"))
MOST = 20
OVERLAP = 0.5


def threads() -> int:
    """Return how many threads a network may use: a small dyno has no second core to itself."""
    return int(os.environ.get("THREADS", "1"))


@functools.cache
def centres() -> tuple[np.ndarray, np.ndarray]:
    """Return the middle of every cell of the three scales, in pixels, and its stride."""
    points, strides = [], []
    for stride in STRIDES:
        places = (np.arange(SIDE // stride) + 0.5) * stride
        y, x = np.meshgrid(places, places, indexing="ij")
        points.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full(x.size, stride))
    return np.concatenate(points), np.concatenate(strides)


def prepared(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a picture as the network takes it, and by how much it was shrunk."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    small = cv2.resize(picture, (round(width * scale), round(height * scale)))
    canvas = np.full((SIDE, SIDE, 3), 114, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    return canvas[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255, scale


def detections(rows: np.ndarray, names: tuple[str, ...], scale: float) -> list[dict[str, object]]:
    """Return what the network's rows say: the best box where several overlap."""
    points, strides = centres()
    scores = 1 / (1 + np.exp(-rows[:, 4:]))
    reach = np.exp(np.clip(rows[:, :4], -4, 4)) * strides[:, None]  # left, top, right, bottom
    corners = np.concatenate([points - reach[:, :2], points + reach[:, 2:]], axis=1) / scale
    best = scores.max(axis=1)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), best.tolist(), LEAST_SCORE, OVERLAP)
    return [
        {
            "name": names[int(scores[index].argmax())],
            "score": round(float(best[index]), 4),
            "box": [round(float(value), 1) for value in corners[index]],
        }
        for index in np.array(kept).ravel()[:MOST]
    ]


def store(name: str, found: list[dict[str, object]]) -> None:
    """Keep what was found, where a database is configured."""
    if host := os.environ.get("MYSQL_HOST"):
        login = {
            key: os.environ[f"MYSQL_{key.upper()}"] for key in ("user", "password", "database")
        }
        with pymysql.connect(host=host, **login) as connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO detections (model, found) VALUES (%s, %s)", (name, json.dumps(found))
            )
            connection.commit()


def make_app(run: Callable[[str, np.ndarray], np.ndarray]) -> Flask:
    """Return the API. ``run`` takes a model's name and images, and returns the network's rows."""
    app = Flask(__name__)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/detect/<name>")
    def detect(name: str) -> dict[str, object]:
        if name not in CLASSES:
            abort(404, f"there is no model {name}; there are {', '.join(CLASSES)}")
        if "image" not in request.files:
            abort(400, "send the picture as the form field image")
        data = np.frombuffer(request.files["image"].read(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        if picture is None:
            abort(400, "this is no picture that can be read")
        images, scale = prepared(picture)
        found = detections(run(name, images), CLASSES[name], scale)
        store(name, found)
        return {"model": name, "detections": found}

    return app

"""Folders as the commands write them, made in milliseconds: figures from made-up scores, files in the true form."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from gafas.bundle import load_bundle, save_manifest
from gafas.datasets.splits import split_files, split_to_json
from gafas.files import csv_text
from gafas.learn.results import write_predictions
from gafas.scoring.detail import detail
from gafas.scoring.metrics import evaluate, to_json
from gafas.values import SPLIT_NAMES, Dataset, Sample

CONFIG = {"recipe": "notebook", "seed": 7, "input_size": 8, "batch_size": 10, "split": "file", "threshold": 0.5}
NETWORK = {
    "input_size": 128,
    "features": [4, 4, 1280],
    "backbone_layers": 154,
    "parameters": 2259265,
    "trainable": {"frozen": [2, 1281], "tuned": [56, 1862721]},
}
HISTORY = {
    "accuracy": [0.6, 0.8, 0.9],
    "loss": [0.7, 0.5, 0.2],
    "val_accuracy": [0.6, 0.7, 0.9],
    "val_loss": [0.7, 0.5, 0.3],
    "initial": {"val_loss": 0.8, "val_accuracy": 0.5},
    "fine_tune_at": 2,
}


def scores_of(samples: list[Sample]) -> list[float]:
    """Return scores of which about one in ten is on the wrong side."""
    rng = np.random.default_rng(3)
    return [round(float(rng.uniform(0.35, 1) if s.target else rng.uniform(0, 0.6)), 6) for s in samples]


def figures_of(samples: list[Sample], scores: list[float]) -> dict[str, Any]:
    return to_json(evaluate([sample.target for sample in samples], scores, threshold=0.5))


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def data_record(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "synthetic": dataset.synthetic,
        "root": str(dataset.root),
        "classes": None,
        "skip_unknown": False,
    }


def make_run(folder: Path, dataset: Dataset, bundle: Path) -> Path:
    """Write the folder of a run of recipe ``notebook``."""
    samples = list(dataset.at("full"))
    split = split_files(samples, seed=7)
    scores = dict(zip((s.path for s in samples), scores_of(samples), strict=True))
    parts = {name: [s for s in samples if s.path in split.part(name)] for name in SPLIT_NAMES}
    figures = {name: figures_of(part, [scores[s.path] for s in part]) for name, part in parts.items()}
    counts = {name: len(part) for name, part in parts.items()}
    weights = {"kind": "packaged", "file": "some.weights.h5"}
    record = {"name": "notebook", "config": CONFIG, "data": data_record(dataset), "weights": weights, "split": counts}
    write(folder / "config.json", record)
    write(folder / "metrics.json", {"frozen": figures, "tuned": figures, "seconds": {"frozen": 1.0, "tuned": 2.0}})
    write(folder / "history.json", HISTORY)
    write(folder / "network.json", NETWORK)
    write(folder / "split.json", split_to_json(split))
    rows = [(s, scores[s.path], name) for name, part in parts.items() for s in part]
    write_predictions(folder / "predictions.csv", rows)
    shutil.copytree(bundle, folder / "bundle")
    return folder


def export(folder: Path) -> None:
    """Say in the manifest of a run that one format was exported."""
    import dataclasses

    bundle = load_bundle(folder)
    one = {"file": "model.onnx", "size": 1_234_567, "max_difference": 3e-7, "labels_changed": 0, "n": 38}
    exports = {"onnx": {**one, "ms_per_image": 1.25}}
    save_manifest(bundle.folder, dataclasses.replace(bundle.manifest, exports=exports))


def make_evaluation(folder: Path, dataset: Dataset, *, model: str = "tiny") -> Path:
    """Write what ``gafas evaluate -o`` writes."""
    samples = list(dataset.at("full"))
    scores = scores_of(samples)
    metrics = {
        "model": model,
        "data": dataset.name,
        "synthetic": dataset.synthetic,
        "split": "all",
        "seed": 0,
        **figures_of(samples, scores),
        **detail(samples, scores, threshold=0.5, rng=np.random.default_rng(0)),
        "by_resolution": {},
        "eyewear": None,
        "eyeglasses": None,
        "unclear": None,
        "robustness": {"as they are": figures_of(samples, scores), "rotation +20°": figures_of(samples, scores)},
        "failed": {"gone.pgm": "empty"},
    }
    write(folder / "metrics.json", metrics)
    write_predictions(folder / "predictions.csv", [(s, p, "") for s, p in zip(samples, scores, strict=True)])
    return folder


def make_crossval(folder: Path, dataset: Dataset) -> Path:
    """Write the folder of a cross-validation, one person at a time."""
    samples = list(dataset.at("full"))
    scores = scores_of(samples)
    persons = sorted({str(s.person) for s in samples})
    by = detail(samples, scores, threshold=0.5, rng=np.random.default_rng(0))["by"]
    extra = {"recipe": "notebook", "persons": len(persons), "folds": len(persons), "seconds": 9.5, "by": by}
    write(folder / "metrics.json", {**figures_of(samples, scores), **extra, "interval_over_persons": [0.8, 0.95]})
    write(folder / "config.json", {"config": CONFIG, "folds": "person", "data": data_record(dataset)})
    lines = [(s.path, s.person, s.label, p, s.person) for s, p in zip(samples, scores, strict=True)]
    (folder / "predictions.csv").write_text(csv_text(("path", "person", "label", "probability", "fold"), lines))
    return folder

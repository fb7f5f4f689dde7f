"""One way to train every recipe: parts in, something that predicts and can be saved out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.bundle import KERAS, ONNX, Bundle, Manifest, save_manifest
from gafas.files import write_folder_beside
from gafas.learn.config import NotebookConfig, PcaConfig
from gafas.learn.pictures import Pictures
from gafas.learn.results import licences
from gafas.learn.runs import Run
from gafas.learn.weights import WeightsSource
from gafas.scoring.metrics import evaluate, to_json
from gafas.values import SPLIT_NAMES, SplitName

Parts = dict[SplitName, Pictures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A trained model of any recipe.

    Attributes
    ----------
    architecture : str
    stages : dict
        Stage name → split part → metrics, in the order of training; the last stage is the model.
    seconds : dict
        Stage name → training time.
    predict : callable
        Pictures → P(sunglasses), (n,).
    save : callable
        Writes the model files into a bundle's folder.
    details : dict
        What the recipe's pictures need, beside the figures.
    """

    architecture: str
    stages: dict[str, Any]
    seconds: dict[str, float]
    predict: Callable[[Pictures], NDArray[np.float64]]
    save: Callable[[Path], None]
    details: dict[str, Any] = field(default_factory=dict)


def train_recipe(run: Run, parts: Parts, weights: WeightsSource, listener: Any) -> Trained:
    """Train what the run's config asks for; errors as the recipe's own function.

    Parameters
    ----------
    listener : callable
        Told of each batch, where the recipe has batches; see `gafas.learn.train.Progress`.
    """
    if isinstance(run.config, PcaConfig):
        return _train_pca(run.config, parts)
    if isinstance(run.config, NotebookConfig):
        return _train_notebook(run, run.config, parts, weights, listener)
    raise TypeError(f"no trainer for {type(run.config).__name__}")


def _train_notebook(run: Run, config: NotebookConfig, parts: Parts, weights: WeightsSource, listener: Any) -> Trained:
    from gafas.learn import train
    from gafas.learn.backend import backend_name
    from gafas.learn.export import save_onnx
    from gafas.learn.model import ARCHITECTURE, describe

    network = train.train_network(run, config, parts, weights, listener=listener)
    state = run.read_state()

    def save(folder: Path) -> None:
        network.inference.save(folder / KERAS)
        # The conversion to ONNX goes through TensorFlow; other backends export in a second step.
        if backend_name() == "tensorflow":
            save_onnx(network.inference, folder / ONNX)

    return Trained(
        architecture=ARCHITECTURE,
        stages=state.stages,
        seconds=state.seconds,
        predict=lambda pictures: train.predict(network.inference, pictures),
        save=save,
        details={"history": train.history_to_json(state, config), "network": describe(network)},
    )


def _train_pca(config: PcaConfig, parts: Parts) -> Trained:
    import time

    from gafas.learn import pca

    started = time.perf_counter()
    model = pca.fit_pca(config, parts["train"])
    seconds = time.perf_counter() - started
    metrics = {
        name: to_json(evaluate(parts[name].targets, model.predict(parts[name].images), threshold=config.threshold))
        for name in SPLIT_NAMES
    }
    return Trained(
        architecture=pca.ARCHITECTURE,
        stages={"fitted": metrics},
        seconds={"fitted": seconds},
        predict=lambda pictures: model.predict(pictures.images),
        save=lambda folder: pca.save_onnx(model, folder / ONNX),
        details={"pca": model},
    )


def save_bundle(run: Run, trained: Trained) -> Bundle:
    """Write the run's bundle: model files and manifest, complete or not at all.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    config, data = run.config, run.record["data"]
    stage = list(trained.stages)[-1]
    manifest = Manifest(
        name=f"gafas-{run.record['name']}",
        architecture=trained.architecture,
        input_size=(config.input_size, config.input_size),
        threshold=config.threshold,
        training={
            **{key: run.record.get(key) for key in ("config", "weights", "split")},
            # Where the data lay on the machine that trained is nobody's business.
            "data": {key: value for key, value in data.items() if key != "root"},
        },
        metrics={"stage": stage, **trained.stages[stage]},
        licences=licences(data, run.record.get("weights")),
    )
    # Written again by a resumed run: what stands there is of the same run.
    with write_folder_beside(run.bundle, overwrite=True) as folder:
        trained.save(folder)
        save_manifest(folder, manifest)
    return Bundle(run.bundle, manifest)

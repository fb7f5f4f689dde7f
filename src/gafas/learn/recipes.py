"""One way to train every recipe: parts in, something that predicts and can be saved out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.bundle import KERAS, ONNX, Bundle, Manifest, save_manifest
from gafas.datasets.blocks import split_blocks
from gafas.datasets.splits import split_files, split_persons
from gafas.files import write_folder_beside
from gafas.learn.config import AdaptConfig, Config, GafasConfig, NanoConfig, NotebookConfig, PcaConfig
from gafas.learn.pictures import Pictures, load_pictures
from gafas.learn.portraits import Portraits
from gafas.learn.results import licences, score_parts
from gafas.learn.runs import Run
from gafas.learn.weights import WeightsSource
from gafas.values import Dataset, Sample, Split, SplitName

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
    threshold : float
        P(sunglasses) from which the label is ``sunglasses``.
    manifest : dict
        More of what the bundle's manifest says.
    details : dict
        What the recipe's pictures need, beside the figures.
    """

    architecture: str
    stages: dict[str, Any]
    seconds: dict[str, float]
    predict: Callable[[Pictures], NDArray[np.float64]]
    save: Callable[[Path], None]
    threshold: float
    manifest: dict[str, Any] = field(default_factory=dict)
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
    if isinstance(run.config, GafasConfig):
        return _train_gafas(run, run.config, parts, weights, listener)
    if isinstance(run.config, AdaptConfig):
        return _train_adapt(run.config, parts, listener)
    if isinstance(run.config, NotebookConfig):
        return _train_notebook(run, run.config, parts, weights, listener)
    raise TypeError(f"no trainer for {type(run.config).__name__}")


def _train_notebook(run: Run, config: NotebookConfig, parts: Parts, weights: WeightsSource, listener: Any) -> Trained:
    from gafas.learn import train
    from gafas.learn.model import ARCHITECTURE, describe

    network = train.train_network(run, config, parts, weights, listener=listener)
    state = run.read_state()

    return Trained(
        architecture=ARCHITECTURE,
        stages=state.stages,
        seconds=state.seconds,
        predict=lambda pictures: train.predict(network.inference, pictures),
        save=_saver(network.inference),
        threshold=config.threshold,
        details={"history": train.history_to_json(state, config), "network": describe(network)},
    )


def _train_gafas(run: Run, config: GafasConfig, parts: Parts, weights: WeightsSource, listener: Any) -> Trained:
    from gafas.learn import face_model, face_train, nano
    from gafas.learn.glasses import read_overlays
    from gafas.learn.train import predict
    from gafas.learn.wearing import OUTPUTS

    overlays = run.record.get("overlays")
    pasted = read_overlays(Path(overlays)) if overlays else ()
    faces: dict[SplitName, Portraits] = {name: _portraits(part) for name, part in parts.items()}
    network, calibration = face_train.train_faces(run, config, faces, weights, pasted, listener=listener)
    state = run.read_state()
    architecture = face_model.ARCHITECTURE
    if isinstance(config, NanoConfig):
        architecture = nano.ARCHITECTURE.format(width=config.width, channels=config.channels)

    return Trained(
        architecture=architecture,
        stages=state.stages,
        seconds=state.seconds,
        predict=lambda pictures: predict(network.inference, pictures),
        save=_saver(network.inference, half=True),
        threshold=calibration.thresholds[0],
        manifest={
            "outputs": OUTPUTS,
            "region": "face",
            "margin": config.margin,
            "eyeglasses_threshold": calibration.thresholds[1],
            "temperature": calibration.temperatures[0],
        },
        details={
            "history": face_train.history_to_json(state),
            "training": {"calibration": asdict(calibration)},
        },
    )


def _train_adapt(config: AdaptConfig, parts: Parts, listener: Any) -> Trained:
    import time

    from gafas.learn import adapt
    from gafas.learn.backend import make_deterministic
    from gafas.learn.train import predict

    make_deterministic(config.seed)
    started = time.perf_counter()
    adapted = adapt.adapt(config, _portraits(parts["train"]), listener=listener)
    seconds = time.perf_counter() - started
    model = adapted.network.inference

    def ask(pictures: Pictures) -> NDArray[np.float64]:
        return predict(model, pictures)

    return Trained(
        architecture=adapt.ARCHITECTURE,
        stages={"adapted": score_parts(parts, ask, threshold=config.threshold)},
        seconds={"adapted": seconds},
        predict=ask,
        save=_saver(model, half=True),
        threshold=config.threshold,
        manifest={"region": "face", "margin": config.margin},
        details={"training": {"way": adapted.way, "inner_log_loss": adapted.losses}},
    )


def _saver(model: Any, *, half: bool = False) -> Callable[[Path], None]:
    """Return what writes a Keras model into a bundle's folder; `half` rounds the weights of its ONNX to float16."""
    from gafas.learn.backend import backend_name
    from gafas.learn.model_files import save_onnx

    def save(folder: Path) -> None:
        model.save(folder / KERAS)
        # The conversion to ONNX goes through TensorFlow; other backends export in a second step.
        if backend_name() == "tensorflow":
            save_onnx(model, folder / ONNX, half=half)

    return save


def _portraits(part: Pictures) -> Portraits:
    if not isinstance(part, Portraits):
        raise TypeError(f"expected Portraits, got {type(part).__name__}")
    return part


def load_for(
    config: Config, dataset: Dataset, samples: Sequence[Sample], *, skip_broken: bool = False
) -> tuple[Pictures, tuple[str, ...]]:
    """Load what the recipe trains on: whole pictures, or faces; see `load_pictures` and `load_portraits`."""
    if isinstance(config, GafasConfig | AdaptConfig):
        from gafas.learn.portraits import load_portraits

        return load_portraits(dataset, samples, size=config.input_size, margin=config.margin, skip_broken=skip_broken)
    return load_pictures(dataset, samples, size=config.input_size, skip_broken=skip_broken)


def split_for(config: Config, samples: Sequence[Sample]) -> Split:
    """Draw the split that the config asks for; errors as the functions of `gafas.datasets.splits`."""
    if config.split == "person":
        return split_persons(samples, seed=config.seed, batch_size=config.batch_size)
    if config.split == "block":
        return split_blocks(samples, seed=config.seed, batch_size=config.batch_size)
    return split_files(
        samples,
        seed=config.seed,
        validation=config.validation_fraction,
        test_count=config.test_count or None,
        batch_size=config.batch_size,
    )


def _train_pca(config: PcaConfig, parts: Parts) -> Trained:
    import time

    from gafas.learn import pca

    started = time.perf_counter()
    model = pca.fit_pca(config, parts["train"])
    seconds = time.perf_counter() - started

    def ask(pictures: Pictures) -> NDArray[np.float64]:
        return model.predict(pictures.images)

    return Trained(
        architecture=pca.ARCHITECTURE,
        stages={"fitted": score_parts(parts, ask, threshold=config.threshold)},
        seconds={"fitted": seconds},
        predict=ask,
        save=lambda folder: pca.save_onnx(model, folder / ONNX),
        threshold=config.threshold,
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
        threshold=trained.threshold,
        **trained.manifest,
        training={
            **{key: run.record.get(key) for key in ("config", "weights", "split")},
            **trained.details.get("training", {}),
            # Where the data lay on the machine that trained is nobody's business.
            "data": {key: value for key, value in data.items() if key != "root"},
        },
        metrics={"stage": stage, **trained.stages[stage]},
        licences=licences(data, run.record.get("weights"), overlays=run.record.get("overlays")),
    )
    # Written again by a resumed run: what stands there is of the same run.
    with write_folder_beside(run.bundle, overwrite=True) as folder:
        trained.save(folder)
        saved = save_manifest(folder, manifest)
    return replace(saved, folder=run.bundle)

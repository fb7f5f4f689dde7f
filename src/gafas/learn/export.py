"""A trained Keras model to SavedModel, TFLite and ONNX, each compared with the original on real pictures."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.bundle import KERAS, ONNX, ONNX_INT8, SAVED_MODEL, TFLITE, TFLITE_FULL, Bundle, save_manifest
from gafas.errors import ExportError, UsageError
from gafas.files import write_folder_beside
from gafas.imaging import Rgb
from gafas.learn.backend import quiet, require_tensorflow
from gafas.learn.dynamic_range import correct_biases
from gafas.learn.model_files import load_keras, save_int8, save_onnx, save_saved_model, save_tflite
from gafas.runtime.backends import open_model

FORMATS = {
    "saved_model": SAVED_MODEL,
    "tflite": TFLITE,
    "tflite-full": TFLITE_FULL,
    "onnx": ONNX,
    "onnx-int8": ONNX_INT8,
    "keras": KERAS,
}
"""Names on the command line → names in the bundle."""

MAX_DIFFERENCE = 1e-4
"""Largest |Δ probability| that a float format may show."""

MIN_UNCHANGED = 0.99
"""Share of labels that the quantised formats must keep."""

_QUANTIZED = {"tflite", "onnx-int8"}

_BATCHES = (32, 7, 1)
Score = Callable[[Rgb], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How one exported format agrees with Keras.

    Attributes
    ----------
    size : int
        Bytes on disk, all files together.
    max_difference : float
        Largest |Δ probability| over all images and batch sizes.
    labels_changed, n : int
        Labels that differ from Keras's at the bundle's threshold, of `n` images.
    ms_per_image : float
        Median of single-image calls, milliseconds, on the machine that exported.
    batch_sizes : tuple of int
        That the images were scored with.
    """

    format: str
    file: str
    size: int
    max_difference: float
    labels_changed: int
    n: int
    ms_per_image: float
    batch_sizes: tuple[int, ...]

    @property
    def problem(self) -> str | None:
        """Why the format is refused, or ``None``."""
        if self.format in _QUANTIZED:
            if self.labels_changed > (1 - MIN_UNCHANGED) * self.n:
                return f"{self.labels_changed} of {self.n} labels changed, at most 1 % may"
            return None
        if self.max_difference > MAX_DIFFERENCE:
            return f"|Δ probability| {self.max_difference:.2e}, at most {MAX_DIFFERENCE:.0e} may be"
        if self.labels_changed:
            return f"{self.labels_changed} of {self.n} labels changed, none may"
        return None


def parse_formats(words: str) -> tuple[str, ...]:
    """Return the formats of a comma-separated list.

    Raises
    ------
    UsageError
        An unknown format.
    """
    formats = tuple(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        got = ", ".join(unknown) or "nothing"
        raise UsageError(f"--format: expected some of {','.join(FORMATS)}, got {got}")
    return formats


def export_bundle(
    bundle: Bundle, formats: Sequence[str], images: Rgb, *, calibration: Rgb
) -> tuple[Bundle, list[Comparison]]:
    """Add the formats that agree with Keras to a bundle that holds ``model.keras``.

    Parameters
    ----------
    bundle : Bundle
    formats : sequence of str
        Keys of `FORMATS`.
    images : uint8 array (n, height, width, 3)
        Real pictures, of the model's input size, to compare on.
    calibration : uint8 array (m, height, width, 3)
        Training pictures, by which ``tflite`` corrects what rounding shifts and ``onnx-int8`` chooses its scales.

    Returns
    -------
    Bundle, list of Comparison
        The bundle as it is now, and how each format agrees; one with a `Comparison.problem` was refused.
        See `require_agreement`.

    Raises
    ------
    BundleError
        The bundle has no ``model.keras``.
    UsageError
        Keras does not run on TensorFlow.
    """
    require_tensorflow("export")
    model = load_keras(bundle.file(KERAS))
    reference = _keras_score(model)
    comparisons = []
    with write_folder_beside(bundle.folder, overwrite=True) as folder:
        shutil.copytree(bundle.folder, folder, dirs_exist_ok=True)
        # Inside, so that one disk has to have the room, and whoever is killed leaves nothing elsewhere.
        made = folder / ".made"
        made.mkdir()
        for name in formats:
            source = model
            if name == "tflite":
                source = load_keras(bundle.file(KERAS))
                correct_biases(source, calibration)
            score = _export_one(source, name, made, calibration)
            comparisons.append(_compare(name, made, score, reference, images, bundle.manifest.threshold))
        agreeing = [comparison for comparison in comparisons if comparison.problem is None]
        for comparison in agreeing:
            _replace(made / comparison.file, folder / comparison.file)
        shutil.rmtree(made)
        exports = {**bundle.manifest.exports, **{c.format: asdict(c) for c in agreeing}}
        saved = save_manifest(folder, replace(bundle.manifest, exports=exports))
    return replace(saved, folder=bundle.folder), comparisons


def require_agreement(comparisons: Sequence[Comparison]) -> None:
    """Fail if a format was refused.

    Raises
    ------
    ExportError
        Names each format that does not agree with Keras, and by how much.
    """
    problems = [f"{c.format}: {c.problem}" for c in comparisons if c.problem]
    if problems:
        raise ExportError("not exported, for it disagrees with the trained model: " + "; ".join(problems))


def _replace(new: Path, old: Path) -> None:
    if old.is_dir():
        shutil.rmtree(old)
    shutil.move(new, old)


def _export_one(model: Any, name: str, folder: Path, calibration: Rgb) -> Score:
    target = folder / FORMATS[name]
    with quiet():
        if name == "keras":
            model.save(target)
            return _keras_score(load_keras(target))
        if name == "onnx":
            save_onnx(model, target)
        elif name == "onnx-int8":
            save_int8(model, target, calibration)
        elif name == "saved_model":
            save_saved_model(model, target)
            return _saved_model_score(target)
        else:
            save_tflite(model, target, optimize=name == "tflite")
        backend = open_model(target, threads=0)
    return lambda images: backend.probabilities(images)[:, 0].astype(np.float64)


def _saved_model_score(path: Path) -> Score:
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    if "serving_default" not in loaded.signatures:
        raise ExportError(f"{path}: expected the signature serving_default, got {list(loaded.signatures)}")
    serve = loaded.signatures["serving_default"]
    return lambda images: serve(image=tf.constant(images, tf.float32))["sunglasses"].numpy()[:, 0].astype(np.float64)


def _keras_score(model: Any) -> Score:
    import tensorflow as tf

    # One graph for every batch size; Keras's own predict functions trace anew for each call or size.
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    graph = tf.function(lambda image: model(image, training=False), input_signature=signature)
    return lambda images: np.asarray(graph(images.astype(np.float32)))[:, 0].astype(np.float64)


def _compare(name: str, folder: Path, score: Score, reference: Score, images: Rgb, threshold: float) -> Comparison:
    want = _in_batches(reference, images, _BATCHES[0])
    difference, changed = 0.0, 0
    for size in _BATCHES:
        # Small batches are slow and only have to show that the graph takes them.
        part = images if size == _BATCHES[0] else images[: 3 * size]
        got = _in_batches(score, part, size)
        difference = max(difference, float(np.abs(got - want[: len(got)]).max()))
        changed = max(changed, int(((got >= threshold) != (want[: len(got)] >= threshold)).sum()))
    path = folder / FORMATS[name]
    files = [f for f in path.rglob("*") if f.is_file()] if path.is_dir() else [path]
    return Comparison(
        format=name,
        file=FORMATS[name],
        size=sum(f.stat().st_size for f in files),
        max_difference=difference,
        labels_changed=changed,
        n=len(images),
        ms_per_image=_milliseconds(score, images[:1]),
        batch_sizes=_BATCHES,
    )


def _in_batches(score: Score, images: Rgb, size: int) -> NDArray[np.float64]:
    return np.concatenate([score(images[i : i + size]) for i in range(0, len(images), size)])


def _milliseconds(score: Score, image: Rgb, *, calls: int = 30) -> float:
    score(image)
    seconds = []
    for _ in range(calls):
        started = time.perf_counter()
        score(image)
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)

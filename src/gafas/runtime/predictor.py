"""Images in, verdicts out: the Python face of gafas. Light: no training framework is imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gafas.bundle import ONNX, TFLITE, TFLITE_FULL, Bundle, load_bundle
from gafas.errors import BundleError, UsageError
from gafas.imaging import Rgb, decode, read_image, stack
from gafas.runtime.backends import Backend, open_model
from gafas.values import LABELS, FaceBox, Label, Verdict

Runtime = Literal["auto", "onnx", "litert", "litert-full"]
RUNTIMES: tuple[Runtime, ...] = ("auto", "onnx", "litert", "litert-full")
_FILES = {"onnx": ONNX, "litert": TFLITE, "litert-full": TFLITE_FULL}


class Predictor:
    """Says who wears sunglasses.

    Parameters
    ----------
    backend : Backend
        Turns batches into probabilities.
    threshold : float
        P(sunglasses) from which the label is ``sunglasses``.
    name : str
        Of the model, for people.

    Raises
    ------
    UsageError
        The threshold is not in [0, 1].
    """

    def __init__(self, backend: Backend, *, threshold: float = 0.5, name: str = "model") -> None:
        if not 0 <= threshold <= 1:
            raise UsageError(f"threshold: expected 0 to 1, got {threshold}")
        self.backend = backend
        self.threshold = threshold
        self.name = name

    def label(self, probability: float) -> Label:
        """Return the label at the threshold."""
        return LABELS[int(probability >= self.threshold)]

    def predict(self, image: Rgb | bytes | str | Path) -> tuple[Verdict, ...]:
        """Judge one image.

        Parameters
        ----------
        image : array, bytes or path
            ``uint8`` RGB array (height, width, 3), an encoded picture, or a file.

        Returns
        -------
        tuple of Verdict
            One for each region; the whole image is one.

        Raises
        ------
        ImageError
            The picture cannot be read.
        UsageError
            The array is not ``uint8`` (height, width, 3).
        """
        return self.predict_batch([as_image(image)])[0]

    def predict_batch(self, images: Sequence[Rgb]) -> list[tuple[Verdict, ...]]:
        """Judge decoded images (as `as_image` returns) of any sizes, classified together.

        Returns
        -------
        list of tuple of Verdict
            One tuple for each image, in their order.
        """
        scores = self.score(images)
        return [(self._whole(image, score),) for image, score in zip(images, scores, strict=True)]

    def score(self, images: Sequence[Rgb]) -> NDArray[np.float32]:
        """Return the probabilities (n, outputs) of whole images of any sizes."""
        return self.backend.probabilities(stack(list(images), self.backend.input_size))

    def _whole(self, image: Rgb, score: NDArray[np.float32]) -> Verdict:
        height, width = image.shape[:2]
        probability = float(score[0])
        eyeglasses = float(score[1]) if len(score) > 1 else None
        return Verdict("whole", FaceBox(0, 0, width, height), probability, eyeglasses, self.label(probability))


def as_image(image: Rgb | bytes | str | Path) -> Rgb:
    """Return an image as the array that everything below works on.

    Raises
    ------
    ImageError
        The bytes or the file are not a readable picture.
    UsageError
        An array of another dtype or shape.
    """
    if isinstance(image, bytes):
        return decode(image)
    if isinstance(image, str | Path):
        return read_image(image)
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise UsageError(f"image: expected a uint8 array (height, width, 3), bytes or a path, got {got}")
    if image.size == 0:
        raise UsageError(f"image: expected at least one pixel, got shape {image.shape}")
    return image


def load_predictor(
    bundle: str | Path, *, threads: int = 1, threshold: float | None = None, runtime: Runtime = "auto"
) -> Predictor:
    """Load a bundle, checking its hashes.

    Parameters
    ----------
    bundle : path
        A bundle or a run folder.
    threads : int
        For one operator; 0 takes all cores.
    threshold : float or None
        ``None`` takes the bundle's.
    runtime : {"auto", "onnx", "litert", "litert-full"}
        ``auto`` takes ``model.onnx``, else what the bundle has; ``litert`` runs ``model.tflite``,
        ``litert-full`` runs ``model-full.tflite``.

    Raises
    ------
    BundleError
        The bundle is damaged, too new, or has no file for that runtime.
    MissingExtraError
        LiteRT is asked for and not installed.
    UsageError
        An unknown runtime, or a threshold outside [0, 1].
    """
    if runtime not in RUNTIMES:
        raise UsageError(f"--runtime: expected one of {', '.join(RUNTIMES)}, got {runtime}")
    loaded = load_bundle(bundle)
    path = loaded.file(_FILES[runtime]) if runtime != "auto" else _any_model(loaded)
    backend = open_model(path, threads=threads, input_size=loaded.manifest.input_size)
    chosen = loaded.manifest.threshold if threshold is None else threshold
    return Predictor(backend, threshold=chosen, name=loaded.manifest.name)


def _any_model(bundle: Bundle) -> Path:
    for name in (ONNX, TFLITE_FULL, TFLITE):
        if name in bundle.manifest.files:
            return bundle.file(name)
    raise BundleError(
        f"{bundle.folder}: has neither {ONNX} nor {TFLITE}; make them with: "
        f"KERAS_BACKEND=tensorflow gafas export {bundle.folder.parent} --format onnx"
    )

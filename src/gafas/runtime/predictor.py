"""Images in, verdicts out: the Python face of gafas. Light: no training framework is imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gafas.bundle import ONNX, ONNX_INT8, SHIPPED, TFLITE, TFLITE_FULL, Bundle, load_bundle
from gafas.errors import BundleError, UsageError
from gafas.imaging import Rgb, decode, read_image
from gafas.runtime.backends import Backend, open_model
from gafas.runtime.faces import DETECTOR_SIZE, MARGIN, MIN_FACE, FaceDetector, cut_patch
from gafas.runtime.machine import resolve_precision
from gafas.values import LABELS, FaceBox, Label, Verdict

Runtime = Literal["auto", "onnx", "litert", "litert-full"]
RUNTIMES: tuple[Runtime, ...] = ("auto", "onnx", "litert", "litert-full")
_FILES = {"onnx": ONNX, "litert": TFLITE, "litert-full": TFLITE_FULL}

Region = Literal["whole", "face"]
REGIONS = ("auto", "face", "whole")
"""What a caller may ask for; ``auto`` is what the model was trained on."""

_CROPS = 8
"""Regions in one run of the graph: more take no less time for each on a CPU, and 3.4 MB of memory more."""


class Detector(Protocol):
    """Something that finds faces."""

    def detect(self, image: Rgb) -> tuple[FaceBox, ...]:
        """Return the faces of an upright image, none where there is none."""
        ...


class Predictor:
    """Says who wears sunglasses.

    Parameters
    ----------
    backend : Backend
        Turns batches into probabilities.
    threshold : float
        P(sunglasses) from which the label is ``sunglasses``.
    eyeglasses_threshold : float or None
        P(eyeglasses) from which clear glasses are said to be worn; ``None`` is 0.5.
    outputs : tuple of str
        The attributes that the backend's columns stand for, ``sunglasses`` first.
    region : {"whole", "face"}
        Whether whole images are judged, or squares around each face.
    margin : float
        The square's side, in long sides of the face's box.
    detector : Detector or None
        Finds the faces; needed for ``region="face"``, and to judge faces now and then with ``region="whole"``.
    name : str
        Of the model, for people.

    Raises
    ------
    UsageError
        A threshold is not in [0, 1], the region is unknown, or faces are asked for without a detector.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        threshold: float = 0.5,
        eyeglasses_threshold: float | None = None,
        outputs: tuple[str, ...] = ("sunglasses",),
        region: Region = "whole",
        margin: float = MARGIN,
        detector: Detector | None = None,
        name: str = "model",
    ) -> None:
        for value in (threshold, 0.5 if eyeglasses_threshold is None else eyeglasses_threshold):
            if not 0 <= value <= 1:
                raise UsageError(f"threshold: expected 0 to 1, got {value}")
        if region not in {"whole", "face"}:
            raise UsageError(f"region: expected whole or face, got {region}")
        if region == "face" and detector is None:
            raise UsageError("region face: expected a detector, got none; pass detector=FaceDetector()")
        self.backend = backend
        self.threshold = threshold
        self.outputs = outputs
        self.eyeglasses_threshold = 0.5 if eyeglasses_threshold is None else eyeglasses_threshold
        self.region: Region = region
        self.margin = margin
        self.name = name
        self._detector = detector

    @property
    def knows_eyeglasses(self) -> bool:
        """Whether the verdicts say something of clear glasses."""
        return "eyeglasses" in self.outputs

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
            One for each face, the most surely found first; one for the whole image where no face is found or faces
            are not looked for.

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
            One tuple for each image, in their order; see `predict`.

        Raises
        ------
        BundleError
            The graph cannot run, or gives fewer attributes than the bundle says.
        """
        boxes = [self.find(image) for image in images]
        patches = (patch for image, found in zip(images, boxes, strict=True) for patch in self.cut(image, found))
        return self.judge(boxes, patches)

    @property
    def regions(self) -> tuple[Region, ...]:
        """What `find` can be asked for."""
        return ("whole",) if self._detector is None else ("face", "whole")

    def find(self, image: Rgb, *, region: Region | None = None) -> tuple[FaceBox, ...]:
        """Return the regions of an image that are judged: its faces, else the whole; the first step of `predict`.

        Parameters
        ----------
        region : {"whole", "face"} or None
            One of `regions`; ``None`` is what the predictor was made for.
        """
        looks = (region or self.region) == "face"
        faces = self._detector.detect(image) if looks and self._detector is not None else ()
        return faces or (whole_image(image),)

    def cut(self, image: Rgb, boxes: Iterable[FaceBox]) -> Iterator[Rgb]:
        """Yield what the model sees of each region, of the backend's `input_size`: the second step of `predict`."""
        return (self._patch(image, box) for box in boxes)

    def judge(self, boxes: Sequence[tuple[FaceBox, ...]], patches: Iterable[Rgb]) -> list[tuple[Verdict, ...]]:
        """Classify the regions of many images: the last step of `predict`.

        Parameters
        ----------
        boxes : sequence of tuple of FaceBox
            What `find` gave for each image.
        patches : iterable of uint8 array (height, width, 3)
            What `cut` gave for all of them, in the same order; taken as they are needed.

        Raises
        ------
        BundleError
            As `predict_batch`.
        """
        scores = iter(self._classify(patches))
        return [tuple(self._verdict(box, next(scores)) for box in found) for found in boxes]

    def score(self, images: Sequence[Rgb]) -> NDArray[np.float32]:
        """Score each image once: its main face, which is the largest, else the whole image.

        Returns
        -------
        float32 array (n, outputs)
        """
        return self._classify(self._patch(image, max(self.find(image), key=lambda box: box.area)) for image in images)

    def _patch(self, image: Rgb, box: FaceBox) -> Rgb:
        face = None if box.confidence is None else box
        return cut_patch(image, face, self.backend.input_size, margin=self.margin)

    def _classify(self, patches: Iterable[Rgb]) -> NDArray[np.float32]:
        scores = [np.zeros((0, len(self.outputs)), dtype=np.float32)]
        for chunk in chunks(patches, _CROPS):
            some = self.backend.probabilities(np.stack(chunk))
            if some.shape[1] < len(self.outputs):
                names = ", ".join(self.outputs)
                raise BundleError(f"{self.name}: expected a graph that gives {names}, got {some.shape[1]} output")
            scores.append(some[:, : len(self.outputs)])
        return np.concatenate(scores)

    def _verdict(self, box: FaceBox, score: NDArray[np.float32]) -> Verdict:
        probability = float(score[0])
        eyeglasses = float(score[self.outputs.index("eyeglasses")]) if self.knows_eyeglasses else None
        region: Region = "whole" if box.confidence is None else "face"
        return Verdict(region, box, probability, eyeglasses, self.label(probability))


def whole_image(image: Rgb) -> FaceBox:
    """Return the box of an image as a whole: nothing was detected there."""
    return FaceBox(0, 0, image.shape[1], image.shape[0])


def chunks(patches: Iterable[Rgb], size: int) -> Iterator[list[Rgb]]:
    """Yield lists of `size` patches, the last one shorter; never more of them are held."""
    chunk: list[Rgb] = []
    for patch in patches:
        chunk.append(patch)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


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
    bundle: str | Path = SHIPPED,
    *,
    threads: int = 1,
    threshold: float | None = None,
    runtime: Runtime = "auto",
    region: str = "auto",
    precision: str = "auto",
    detector_size: int = DETECTOR_SIZE,
    min_face: int = MIN_FACE,
    thorough: bool = False,
) -> Predictor:
    """Load a bundle, checking its hashes.

    Parameters
    ----------
    bundle : path
        A bundle, a run folder, or the name of a bundle that the package carries.
    threads : int
        For one operator; 0 takes all cores.
    threshold : float or None
        ``None`` takes the bundle's.
    runtime : {"auto", "onnx", "litert", "litert-full"}
        ``auto`` takes ``model.onnx``, else what the bundle has; ``litert`` runs ``model.tflite``,
        ``litert-full`` runs ``model-full.tflite``.
    region : {"auto", "face", "whole"}
        ``auto`` judges what the model was trained on: each face, or the whole image. ``face`` looks for faces in any
        case. Where no face is found, the whole image is judged.
    precision : {"auto", "float32", "int8"}
        ``int8`` runs ``model-int8.onnx``, and the detector's quick look with int8. ``auto`` does so on processors
        where int8 was measured to be faster, as far as the bundle has it. With LiteRT the runtime decides.
    detector_size, min_face, thorough
        See `FaceDetector`.

    Raises
    ------
    BundleError
        The bundle is damaged, too new, or has no file for that runtime or precision.
    MissingExtraError
        LiteRT is asked for and not installed.
    UsageError
        An unknown runtime, precision or region, a number out of its range, or int8 asked of LiteRT.
    """
    if runtime not in RUNTIMES:
        raise UsageError(f"--runtime: expected one of {', '.join(RUNTIMES)}, got {runtime}")
    loaded = load_bundle(bundle)
    manifest = loaded.manifest
    path = _model_file(loaded, runtime, precision)
    chosen = resolve_region(region, trained_on=manifest.region)
    detector = FaceDetector(
        size=detector_size, min_face=min_face, threads=threads, precision=precision, thorough=thorough
    )
    with ThreadPoolExecutor(1) as pool:
        # Graphs are opened outside of Python's lock: two at once take the time of one.
        opening = pool.submit(open_model, path, threads=threads, input_size=manifest.input_size)
        if chosen == "face":
            detector.open()
        backend = opening.result()
    return Predictor(
        backend,
        threshold=manifest.threshold if threshold is None else threshold,
        eyeglasses_threshold=manifest.eyeglasses_threshold,
        outputs=manifest.outputs,
        region=chosen,
        margin=manifest.margin,
        detector=detector,
        name=manifest.name,
    )


def _model_file(bundle: Bundle, runtime: Runtime, precision: str) -> Path:
    int8 = resolve_precision(precision) == "int8"
    if runtime not in {"auto", "onnx"}:
        if precision == "int8":
            raise UsageError(f"--precision int8 is for ONNX Runtime, got --runtime {runtime}")
        return bundle.file(_FILES[runtime])
    if int8 and (precision == "int8" or ONNX_INT8 in bundle.manifest.files):
        return bundle.file(ONNX_INT8)
    return bundle.file(ONNX) if runtime == "onnx" else _any_model(bundle)


def resolve_region(asked: str, *, trained_on: str) -> Region:
    """Return what is judged when `asked` is asked of a model.

    Raises
    ------
    UsageError
        Not one of `REGIONS`.
    """
    if asked not in REGIONS:
        raise UsageError(f"--region: expected one of {', '.join(REGIONS)}, got {asked}")
    wanted = trained_on if asked == "auto" else asked
    return "face" if wanted == "face" else "whole"


def _any_model(bundle: Bundle) -> Path:
    for name in (ONNX, ONNX_INT8, TFLITE_FULL, TFLITE):
        if name in bundle.manifest.files:
            return bundle.file(name)
    raise BundleError(
        f"{bundle.folder}: has neither {ONNX} nor {TFLITE}; make them with: "
        f"KERAS_BACKEND=tensorflow gafas export {bundle.folder.parent} --format onnx"
    )

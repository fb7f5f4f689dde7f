"""Find faces with CenterFace: boxes and five landmarks. Light: NumPy, Pillow and ONNX Runtime.

Source: Xu, Y., Yan, W., Yang, G., Luo, J., Li, T., and He, J. (2020). CenterFace: Joint Face Detection and
Alignment Using Face as Point. Scientific Programming, 2020, 7845384.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gafas.errors import BundleError, UsageError
from gafas.imaging import Rgb, crop, resize
from gafas.values import FaceBox

DETECTOR = "centerface.float16.onnx"

DETECTOR_SIZE = 640
"""Long side, in pixels, to which large images are shrunk before the search."""

MIN_FACE = 8
"""Faces whose long side is below this many pixels of the image are not reported: nothing can be seen on them."""

THRESHOLD = 0.4
"""Confidence from which a detection counts as a face."""

MAX_FACES = 1000
"""The most confident ones are kept, so that a hostile image cannot take all memory."""

MARGIN = 1.3
"""The classifier sees a square whose side is this many times the box's long side."""

_LEAST_SIZE = 128
_STRIDE = 4
_MULTIPLE = 32
_OVERLAP = 0.3

# Where the first look finds nothing: a search at other sizes accepts less confident faces,
# but only those that fill much of the picture, as in a portrait.
_SECOND_SIZES = (128, 256, 384)
_SECOND_THRESHOLD = 0.1
_SECOND_SHARE = 0.25


class FaceDetector:
    """Finds every face of an image.

    Parameters
    ----------
    size : int
        Long side to which an image is shrunk; smaller images keep their size, but for those below 128 pixels,
        which are enlarged.
    min_face : int
        Shortest long side of a face, in pixels of the image.
    threshold : float
        Confidence from which a detection counts.
    threads : int
        For one operator; 0 takes all cores.

    Raises
    ------
    UsageError
        A parameter is out of range.
    BundleError
        The installation's detector file is missing or damaged.
    """

    def __init__(
        self,
        *,
        size: int = DETECTOR_SIZE,
        min_face: int = MIN_FACE,
        threshold: float = THRESHOLD,
        threads: int = 1,
    ) -> None:
        if not 64 <= size <= 4096:
            raise UsageError(f"--detector-size: expected 64 to 4096 pixels, got {size}")
        if min_face < 1:
            raise UsageError(f"--min-face: expected at least 1 pixel, got {min_face}")
        if not 0 < threshold < 1:
            raise UsageError(f"face threshold: expected between 0 and 1, got {threshold}")
        self.size, self.min_face, self.threshold = size, min_face, threshold
        self._session = _open_session(threads)

    def detect(self, image: Rgb) -> tuple[FaceBox, ...]:
        """Return the faces, the most confident first; none where none is found.

        Parameters
        ----------
        image : uint8 array (height, width, 3), RGB, upright
        """
        long_side = max(image.shape[:2])
        first = min(self.size, max(long_side, _LEAST_SIZE))
        faces = self._search(image, first, self.threshold)
        if not faces:
            faces = self._look_again(image)
        return faces

    def _look_again(self, image: Rgb) -> tuple[FaceBox, ...]:
        """Search for the one face of a portrait that the first look missed: turned up, dark, blurred."""
        best: FaceBox | None = None
        least = _SECOND_SHARE * min(image.shape[:2])
        for size in _SECOND_SIZES:
            for face in self._search(image, min(size, self.size), _SECOND_THRESHOLD):
                confident = best is None or (face.confidence or 0) > (best.confidence or 0)
                if confident and max(face.width, face.height) >= least:
                    best = face
        return () if best is None else (best,)

    def _search(self, image: Rgb, long_side: int, threshold: float) -> tuple[FaceBox, ...]:
        height, width = image.shape[:2]
        factor = long_side / max(height, width)
        rows, columns = max(1, round(height * factor)), max(1, round(width * factor))
        # The graph halves five times; what is added at the right and below stays black.
        canvas = np.zeros((_round_up(rows), _round_up(columns), 3), dtype=np.uint8)
        canvas[:rows, :columns] = resize(image, (rows, columns))
        heatmap, size, offset, landmarks = (
            np.asarray(output)[0] for output in self._session.run(None, {"image": canvas[None]})
        )
        r, c = np.nonzero(heatmap[0] >= threshold)
        scores = heatmap[0, r, c]
        if len(scores) > 4 * MAX_FACES:
            strongest = np.argsort(-scores, kind="stable")[: 4 * MAX_FACES]
            r, c, scores = r[strongest], c[strongest], scores[strongest]
        # The network gives log sizes in cells, and landmarks as parts of the box; vertical before horizontal.
        tall, wide = np.exp(size[:, r, c].clip(-20, 8)) * _STRIDE
        top = (r + offset[0, r, c] + 0.5) * _STRIDE - tall / 2
        left = (c + offset[1, r, c] + 0.5) * _STRIDE - wide / 2
        boxes = np.stack([left, top, left + wide, top + tall], axis=1)
        points = np.stack(
            [
                landmarks[1::2, r, c] * wide + left,
                landmarks[0::2, r, c] * tall + top,
            ],
            axis=2,
        )
        scale = np.array([width / columns, height / rows])
        boxes, points = boxes * np.tile(scale, 2), points.transpose(1, 0, 2) * scale
        kept = [i for i in suppress(boxes, scores, overlap=_OVERLAP) if self._is_face(boxes[i], width, height)]
        return tuple(_face(boxes[i], scores[i], points[i], width, height) for i in kept[:MAX_FACES])

    def _is_face(self, box: NDArray[np.float64], width: int, height: int) -> bool:
        x0, y0, x1, y1 = box
        # Of a face cut by the border the visible part must still be a face's worth.
        inside = max(0.0, min(x1, width) - max(x0, 0)) * max(0.0, min(y1, height) - max(y0, 0))
        return bool(max(x1 - x0, y1 - y0) >= self.min_face and inside >= 0.25 * (x1 - x0) * (y1 - y0))


def _round_up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _open_session(threads: int):  # type: ignore[no-untyped-def]  # ONNX Runtime is imported late
    import onnxruntime

    path = Path(str(resources.files("gafas") / "assets" / DETECTOR))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Plans of memory are kept for every shape of input, and pictures come in many: 60 MB for two threads.
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class.
        raise BundleError(f"{path}: the face detector cannot be loaded: {error}; install gafas again") from error


def _face(box: NDArray[np.float64], score: np.float32, points: NDArray[np.float64], width: int, height: int) -> FaceBox:
    x0, y0, x1, y1 = (round(float(value)) for value in box)
    x0, y0 = max(0, x0), max(0, y0)
    return FaceBox(
        x0,
        y0,
        max(x0 + 1, min(x1, width)),
        max(y0 + 1, min(y1, height)),
        confidence=round(float(score), 4),
        landmarks=tuple((round(float(x), 1), round(float(y), 1)) for x, y in points),
    )


def suppress(boxes: NDArray[np.float64], scores: NDArray[np.float32], *, overlap: float) -> list[int]:
    """Non-maximum suppression: of boxes that overlap, the most confident one stays.

    Parameters
    ----------
    boxes : array (n, 4)
        x0, y0, x1, y1.
    scores : array (n,)
    overlap : float
        Intersection over union from which two boxes are the same face.

    Returns
    -------
    list of int
        Of the boxes that stay, the most confident first.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = (high - low).clip(0).prod(axis=1)
        order = order[shared < overlap * (areas[best] + areas[order] - shared)]
    return kept


def cut_patch(image: Rgb, box: FaceBox | None, size: tuple[int, int], *, margin: float) -> Rgb:
    """Return what the model sees at `size` ``(height, width)``: the square around a face, or the whole image."""
    return resize(image if box is None else face_crop(image, box, margin=margin), size)


def face_crop(image: Rgb, box: FaceBox, *, margin: float = MARGIN) -> Rgb:
    """Cut out the square that the classifier sees: centred on the box, its side `margin` times the long side.

    What lies outside the image repeats its border.
    """
    side = max(1, round(max(box.width, box.height) * margin))
    x0 = round((box.x0 + box.x1 - side) / 2)
    y0 = round((box.y0 + box.y1 - side) / 2)
    return crop(image, x0, y0, x0 + side, y0 + side)

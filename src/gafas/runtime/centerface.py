"""The face detector's network: one image at one size in, boxes with landmarks out. See `gafas.runtime.faces`.

Source: Xu, Y., Yan, W., Yang, G., Luo, J., Li, T., and He, J. (2020). CenterFace: Joint Face Detection and
Alignment Using Face as Point. Scientific Programming, 2020, 7845384.
"""

from __future__ import annotations

import threading
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.errors import BundleError
from gafas.imaging import Rgb, resize
from gafas.runtime.sessions import open_session
from gafas.values import FaceBox

FLOAT32 = "centerface.float16.onnx"
"""Weights stored as float16, calculates with float32."""

INT8 = "centerface.int8.onnx"
"""Calculates with int8 but for its first and last layers."""

MAX_FACES = 1000
"""The most confident ones are kept, so that a hostile image cannot take all memory."""

_STRIDE = 4
_MULTIPLE = 32
_OVERLAP = 0.3


class CenterFace:
    """One of the two files, opened when it is first needed; may be called from several threads.

    Parameters
    ----------
    name : str
        `FLOAT32` or `INT8`.
    threads : int
        For one operator; 0 takes all cores.
    """

    def __init__(self, name: str, *, threads: int = 1) -> None:
        self.name, self.threads = name, threads
        self._session: Any = None
        self._lock = threading.Lock()

    def open(self) -> None:
        """Open the file now.

        Raises
        ------
        BundleError
            The installation's detector file is missing or damaged.
        """
        with self._lock:
            if self._session is None:
                self._session = _open_session(self.name, self.threads)

    def search(self, image: Rgb, long_side: int, *, threshold: float, min_face: int) -> tuple[FaceBox, ...]:
        """Return the faces that are found when the image is brought to a long side, the most confident first.

        Parameters
        ----------
        image : uint8 array (height, width, 3), RGB, upright
        long_side : int
            Of the image that the network sees, in pixels.
        threshold : float
            Confidence from which a detection counts.
        min_face : int
            Shortest long side of a face, in pixels of the image.

        Raises
        ------
        BundleError
            The installation's detector file is missing or damaged.
        """
        height, width = image.shape[:2]
        factor = long_side / max(height, width)
        rows, columns = max(1, round(height * factor)), max(1, round(width * factor))
        # The graph halves five times; what is added at the right and below stays black.
        canvas = np.zeros((_round_up(rows), _round_up(columns), 3), dtype=np.uint8)
        canvas[:rows, :columns] = resize(image, (rows, columns))
        boxes, scores, points = _decode(self._run(canvas), threshold)
        scale = np.array([width / columns, height / rows])
        boxes, points = boxes * np.tile(scale, 2), points * scale
        kept = [i for i in suppress(boxes, scores, overlap=_OVERLAP) if _is_face(boxes[i], width, height, min_face)]
        return tuple(_face(boxes[i], scores[i], points[i], width, height) for i in kept[:MAX_FACES])

    def _run(self, canvas: Rgb) -> list[NDArray[np.float32]]:
        self.open()
        return [np.asarray(output)[0] for output in self._session.run(None, {"image": canvas[None]})]


def _decode(
    outputs: list[NDArray[np.float32]], threshold: float
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float64]]:
    """Return boxes (n, 4), confidences (n,) and landmarks (n, 5, 2) in pixels of the network's input."""
    heatmap, size, offset, landmarks = outputs
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
    points = np.stack([landmarks[1::2, r, c] * wide + left, landmarks[0::2, r, c] * tall + top], axis=2)
    return boxes, scores, points.transpose(1, 0, 2)


def _is_face(box: NDArray[np.float64], width: int, height: int, min_face: int) -> bool:
    x0, y0, x1, y1 = box
    # Of a face cut by the border the visible part must still be a face's worth.
    inside = max(0.0, min(x1, width) - max(x0, 0)) * max(0.0, min(y1, height) - max(y0, 0))
    return bool(max(x1 - x0, y1 - y0) >= min_face and inside >= 0.25 * (x1 - x0) * (y1 - y0))


def _round_up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _open_session(name: str, threads: int) -> Any:
    path = Path(str(resources.files("gafas") / "assets" / name))
    try:
        return open_session(path, threads=threads)
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

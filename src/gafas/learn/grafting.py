"""The eyes of one photograph in the face of another, with what they wear.

A network that sees the same thousand photographs again and again learns them by heart: this hair, this collar, so
sunglasses. With the eyes of somebody else in it, a photograph no longer tells its own label, and real glasses are seen
on many faces.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gafas.imaging import Rgb
from gafas.learn.views import eyes_of
from gafas.values import FaceBox

_REACH = (1.2, 0.8)
"""Half the size of what is taken over, in distances between the eyes: a frame is about two of them wide."""

_GAIN = (0.5, 2.0)


def graft(host: Rgb, host_box: FaceBox, donor: Rgb, donor_box: FaceBox, random: np.random.Generator) -> Rgb:
    """Return the host's photograph with the donor's eye region, laid over its own and matched in brightness.

    Parameters
    ----------
    host, donor : uint8 array (height, width, 3)
    host_box, donor_box : FaceBox
        Without landmarks nothing is done, and the very array `host` comes back.

    Returns
    -------
    uint8 array, of the host's shape
    """
    if host_box.landmarks is None or donor_box.landmarks is None:
        return host
    left, right = eyes = np.array(eyes_of(host_box))
    matrix = _similarity(np.array(eyes_of(donor_box)), eyes)
    height, width = host.shape[:2]
    laid = cv2.warpAffine(
        donor, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    distance = max(2.0, float(np.hypot(*(right - left))))
    middle = (left + right) / 2
    angle = float(np.degrees(np.arctan2(*(right - left)[::-1])))
    mask = np.zeros((height, width), dtype=np.float32)
    size = [2 * reach * distance * random.uniform(0.95, 1.05) for reach in _REACH]
    corners = cv2.boxPoints(((float(middle[0]), float(middle[1])), (size[0], size[1]), angle))
    cv2.fillConvexPoly(mask, corners.round().astype(np.int32), 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), distance * random.uniform(0.05, 0.12))[..., None]
    # The skin below the eyes is what both show.
    below = np.array(host_box.landmarks[2])
    gain = (_around(host, below, 0.3 * distance) + 4) / (_around(laid, below, 0.3 * distance) + 4)
    laid = (laid * gain.clip(*_GAIN)).clip(0, 255)
    return np.asarray((host + (laid - host) * mask).round(), dtype=np.uint8)


def _similarity(from_: NDArray[np.float64], to: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the turn, scale and shift, as a (2, 3) matrix, that takes two points to two others."""
    a = complex(*(from_[1] - from_[0]))
    factor = complex(*(to[1] - to[0])) / (a if abs(a) > 1 else 1)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, to[0] - turn @ from_[0]])


def _around(image: NDArray[np.generic], point: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Mean colour of the square around a point; of the whole image where the point lies outside."""
    (x0, y0), (x1, y1) = (np.maximum(0, np.round(point + step)).astype(int) for step in (-radius, radius + 1))
    part = image[y0:y1, x0:x1]
    return np.asarray((part if part.size else image).mean(axis=(0, 1), dtype=np.float64))

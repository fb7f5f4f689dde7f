"""Find faces: a quick look first, a thorough one where that may have missed some. Cut them out.

Light: NumPy, Pillow and ONNX Runtime. The network is in `gafas.runtime.centerface`.
"""

from __future__ import annotations

from gafas.errors import UsageError
from gafas.imaging import Rgb, crop, resize
from gafas.runtime.centerface import FLOAT32, INT8, CenterFace
from gafas.runtime.machine import resolve_precision
from gafas.values import FaceBox

DETECTOR_SIZE = 640
"""Long side, in pixels, to which large images are shrunk before the search."""

MIN_FACE = 8
"""Faces whose long side is below this many pixels of the image are not reported: nothing can be seen on them."""

THRESHOLD = 0.4
"""Confidence from which a detection counts as a face."""

MARGIN = 1.3
"""The classifier sees a square whose side is this many times the box's long side."""

_LEAST_SIZE = 128

_QUICK_SIZE = 320
"""Long side for the quick look."""

_SMALL = 32
"""Where the quick look finds a face with a long side below this, in pixels that it sees, there may be smaller ones."""

_HINT = 0.15
"""Confidence from which a small detection of the quick look is reason enough for the thorough one."""

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
    precision : {"auto", "float32", "int8"}
        Of the quick look.
    thorough : bool
        Look at `size` at once: slower, and sure to find small faces beside large ones. Otherwise a quick look at a
        long side of 320 pixels comes first, and decides where it finds faces and none of them is small.

    Raises
    ------
    UsageError
        A parameter is out of range.
    """

    def __init__(
        self,
        *,
        size: int = DETECTOR_SIZE,
        min_face: int = MIN_FACE,
        threshold: float = THRESHOLD,
        threads: int = 1,
        precision: str = "auto",
        thorough: bool = False,
    ) -> None:
        if not 64 <= size <= 4096:
            raise UsageError(f"--detector-size: expected 64 to 4096 pixels, got {size}")
        if min_face < 1:
            raise UsageError(f"--min-face: expected at least 1 pixel, got {min_face}")
        if not 0 < threshold < 1:
            raise UsageError(f"face threshold: expected between 0 and 1, got {threshold}")
        self.size, self.min_face, self.threshold, self.thorough = size, min_face, threshold, thorough
        self._network = CenterFace(FLOAT32, threads=threads)
        int8 = resolve_precision(precision) == "int8"
        self._quick = CenterFace(INT8, threads=threads) if int8 else self._network

    def open(self) -> None:
        """Open the network of the first look, which otherwise opens with the first image.

        Raises
        ------
        BundleError
            The installation's detector file is missing or damaged.
        """
        (self._network if self.thorough else self._quick).open()

    def detect(self, image: Rgb) -> tuple[FaceBox, ...]:
        """Return the faces, the most confident first; none where none is found.

        Parameters
        ----------
        image : uint8 array (height, width, 3), RGB, upright

        Raises
        ------
        BundleError
            The installation's detector file is missing or damaged.
        """
        size = min(self.size, max(*image.shape[:2], _LEAST_SIZE))
        return self._glance(image, size) or self._search(self._network, image, size) or self._look_again(image)

    def _glance(self, image: Rgb, size: int) -> tuple[FaceBox, ...]:
        """Return the faces of the quick look if none of them is small; nothing where the thorough look must decide."""
        quick = min(size, _QUICK_SIZE)
        # The same network at the same size would find the same again.
        if self.thorough or (self._quick is self._network and quick == size):
            return ()
        found = self._search(self._quick, image, quick, threshold=min(_HINT, self.threshold))
        small = _SMALL * max(image.shape[:2]) / quick
        if any(max(face.width, face.height) < small for face in found):
            return ()
        return tuple(face for face in found if (face.confidence or 0) >= self.threshold)

    def _search(
        self, network: CenterFace, image: Rgb, size: int, *, threshold: float | None = None
    ) -> tuple[FaceBox, ...]:
        return network.search(image, size, threshold=threshold or self.threshold, min_face=self.min_face)

    def _look_again(self, image: Rgb) -> tuple[FaceBox, ...]:
        """Search for the one face of a portrait that the first look missed: turned up, dark, blurred."""
        best: FaceBox | None = None
        least = _SECOND_SHARE * min(image.shape[:2])
        for size in _SECOND_SIZES:
            for face in self._search(self._network, image, min(size, self.size), threshold=_SECOND_THRESHOLD):
                confident = best is None or (face.confidence or 0) > (best.confidence or 0)
                if confident and max(face.width, face.height) >= least:
                    best = face
        return () if best is None else (best,)


def cut_patch(image: Rgb, box: FaceBox | None, size: tuple[int, int], *, margin: float) -> Rgb:
    """Return what the model sees at `size` ``(height, width)``: the square around a face, or the whole image."""
    return resize(image if box is None else face_crop(image, box, margin=margin), size)


def face_crop(image: Rgb, box: FaceBox, *, margin: float = MARGIN) -> Rgb:
    """Cut out the square that the classifier sees: centred on the box, its side `margin` times the long side.

    What lies outside the image repeats its border.
    """
    return crop(image, *face_square(box, margin=margin))


def face_square(box: FaceBox, *, margin: float = MARGIN) -> tuple[int, int, int, int]:
    """Return where `face_crop` cuts: x0, y0, x1, y1 in pixels of the image, over whose border it may reach."""
    side = max(1, round(max(box.width, box.height) * margin))
    x0 = round((box.x0 + box.x1 - side) / 2)
    y0 = round((box.y0 + box.y1 - side) / 2)
    return x0, y0, x0 + side, y0 + side

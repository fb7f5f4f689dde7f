"""Faces followed from frame to frame: which box is whose, and where it is between two detections. Pure.

Association by the overlap of predicted and detected boxes, as in SORT (Bewley et al. 2016, *Simple online and realtime
tracking*), the best pairs first instead of the Hungarian method. Motion by an alpha-beta filter (the steady state of
SORT's Kalman filter) with alpha = 1: a detection is believed, only the speed is smoothed. The speed fades while nothing
is detected, as in the damped trend of Gardner and McKenzie 1985: faces turn back more often than they leave.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gafas.values import FaceBox

Boxes = NDArray[np.float64]
"""(n, 4): x0, y0, x1, y1 in pixels."""

LEAST_OVERLAP = 0.3
"""Intersection over union from which boxes belong together; SORT's."""

_NEAR = 1.0
"""Where boxes overlap less: distance of centres, in mean long sides, up to which they still belong together."""

_LIKE = 0.6
"""Smaller by larger long side, at least, for such a pair: a face beside another one is not its next place."""

FORGET_SECONDS = 1.0
FORGET_MISSED = 3
"""A track ends when at least so many detections in a row, over at least that time, have not found it."""

_FADE = 0.5
"""Seconds in which a speed that is not confirmed fades to 1/e."""

_SPEED = 0.1
"""Seconds over which half of a new speed is believed: between neighbouring frames a detector's jitter looks fast."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A face on one frame.

    Attributes
    ----------
    track : int
        From 1; the same for the same face.
    box : FaceBox
        Where it is; with the confidence of its last detection, and with landmarks only where it was detected now.
    detected : bool
        False where the place is predicted.
    """

    track: int
    box: FaceBox
    detected: bool


class _Track:
    """One face: centre, logarithms of its sides, and how fast all four change."""

    def __init__(self, number: int, box: FaceBox, seconds: float) -> None:
        self.number, self.box, self.seconds = number, box, seconds
        self.missed = 0
        self._state = _state_of(box)
        self._speed = np.zeros(4)

    def at(self, seconds: float) -> NDArray[np.float64]:
        """Return the predicted state."""
        return self._state + self._speed * _faded(seconds - self.seconds)

    def see(self, box: FaceBox, seconds: float) -> None:
        """Take a detection."""
        passed = _faded(seconds - self.seconds)
        if passed > 0:
            missing = _state_of(box) - self.at(seconds)
            self._speed = self._speed + missing / (passed + _SPEED)
        self.box, self.seconds, self.missed = box, seconds, 0
        self._state = _state_of(box)


class Tracker:
    """Gives faces their numbers; one for each film."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._given = 0

    def update(self, faces: Sequence[FaceBox], seconds: float) -> tuple[Tracked, ...]:
        """Take what was detected on a frame, and return it with its tracks, in the same order.

        Parameters
        ----------
        seconds : float
            When; not before the time of the last call.
        """
        pairs = match(_boxes_at(self._tracks, seconds), np.array([_corners(face) for face in faces]).reshape(-1, 4))
        known = {face: self._tracks[track] for track, face in pairs}
        for track in self._tracks:
            track.missed += 1
        for face, track in known.items():
            track.see(faces[face], seconds)
        for face in set(range(len(faces))) - known.keys():
            self._given += 1
            known[face] = _Track(self._given, faces[face], seconds)
            self._tracks.append(known[face])
        self._tracks = [track for track in self._tracks if not _is_lost(track, seconds)]
        return tuple(Tracked(known[face].number, box, detected=True) for face, box in enumerate(faces))

    def predict(self, seconds: float, shape: tuple[int, int]) -> tuple[Tracked, ...]:
        """Return where the faces of the last detection are by now, as far as they are inside the frame.

        Parameters
        ----------
        shape : (int, int)
            Height and width of the frame, at whose border boxes are cut.
        """
        seen = [track for track in self._tracks if not track.missed]
        boxes = _boxes_at(seen, seconds).round().astype(int)
        height, width = shape
        boxes[:, 0::2] = boxes[:, 0::2].clip(0, width)
        boxes[:, 1::2] = boxes[:, 1::2].clip(0, height)
        return tuple(
            Tracked(
                track.number,
                FaceBox(int(box[0]), int(box[1]), int(box[2]), int(box[3]), track.box.confidence),
                detected=False,
            )
            for track, box in zip(seen, boxes, strict=True)
            if box[2] > box[0] and box[3] > box[1]
        )


def match(tracks: Boxes, faces: Boxes) -> list[tuple[int, int]]:
    """Pair tracks with detections, the best pairs first; each is in one pair at most.

    Overlapping boxes come before those that are only near and alike: a fast face, or a long time between detections.

    Returns
    -------
    list of (track, face)
    """
    overlap = overlaps(tracks, faces)
    distance, likeness = _distances(tracks, faces)
    near = (distance <= _NEAR) & (likeness >= _LIKE)
    # From -1 to 0 for near pairs, above for overlapping ones.
    score = np.where(overlap >= LEAST_OVERLAP, overlap, np.where(near, -distance, -np.inf))
    pairs: list[tuple[int, int]] = []
    while score.size and np.isfinite(score.max()):
        track, face = divmod(int(score.argmax()), score.shape[1])
        pairs.append((track, face))
        score[track, :] = -np.inf
        score[:, face] = -np.inf
    return pairs


def overlaps(one: Boxes, other: Boxes) -> NDArray[np.float64]:
    """Return intersection over union of each box of `one` (n, 4) with each of `other` (m, 4): (n, m)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    common = (high - low).clip(0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)]
    union: NDArray[np.float64] = areas[0][:, None] + areas[1][None, :] - common
    return np.asarray(common / np.maximum(union, 1e-9))


def _distances(one: Boxes, other: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return distances of centres in mean long sides, and smaller by larger long side; both (n, m)."""
    centres = [(boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (one, other)]
    sides = [(boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0) for boxes in (one, other)]
    apart = np.linalg.norm(centres[0][:, None] - centres[1][None, :], axis=2)
    mine, theirs = np.maximum(sides[0][:, None], 1e-9), np.maximum(sides[1][None, :], 1e-9)
    return apart / ((mine + theirs) / 2), np.minimum(mine, theirs) / np.maximum(mine, theirs)


def _is_lost(track: _Track, seconds: float) -> bool:
    return track.missed >= FORGET_MISSED and seconds - track.seconds >= FORGET_SECONDS


def _faded(passed: float) -> float:
    """Return for how many seconds at full speed a fading speed has moved."""
    return _FADE * -math.expm1(-max(0.0, passed) / _FADE)


def _corners(box: FaceBox) -> tuple[int, int, int, int]:
    return box.x0, box.y0, box.x1, box.y1


def _state_of(box: FaceBox) -> NDArray[np.float64]:
    sides = math.log(max(1, box.width)), math.log(max(1, box.height))
    return np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, *sides])


def _boxes_at(tracks: Sequence[_Track], seconds: float) -> Boxes:
    states = np.array([track.at(seconds) for track in tracks]).reshape(-1, 4)
    halves = np.exp(states[:, 2:]) / 2
    return np.concatenate([states[:, :2] - halves, states[:, :2] + halves], axis=1)

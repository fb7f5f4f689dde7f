"""Frames in, answers out: faces detected now and then, followed in between, and judged on every frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from gafas.errors import UsageError
from gafas.runtime.predictor import Predictor, whole_image
from gafas.runtime.rows import COLUMNS, Row, row_of
from gafas.runtime.smoothing import Smoother
from gafas.runtime.tracking import Tracked, Tracker
from gafas.runtime.video import FilmFrame
from gafas.values import Verdict

DETECT_EVERY = 1
"""Frames from one detection to the next: the most that loses less than a point of faces and labels where people walk
through the picture; ``benchmarks/video.py`` measures it."""

SMOOTH = 0.5
"""Time constant of the probabilities, in seconds."""

FILM_COLUMNS = (*COLUMNS, "frame", "time_s", "track")
"""Of a film's rows, in every format."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is said of one region of one frame.

    Attributes
    ----------
    verdict : Verdict
        Its probabilities are smoothed over the track.
    track : int or None
        ``None`` for a whole frame.
    detected : bool
        False where the place of the face is predicted.
    """

    verdict: Verdict
    track: int | None
    detected: bool


@dataclass(frozen=True, slots=True, eq=False)
class FrameAnswer:
    """One frame and what was seen on it: at least one sighting."""

    frame: FilmFrame
    sightings: tuple[Sighting, ...]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What `gafas.runtime.annotate.annotate` draws."""
        return tuple(sighting.verdict for sighting in self.sightings)


def judge_frames(
    predictor: Predictor,
    frames: Iterable[FilmFrame],
    *,
    detect_every: int = DETECT_EVERY,
    smooth: float = SMOOTH,
) -> Iterator[FrameAnswer]:
    """Judge the frames of one film in their order, one at a time.

    Parameters
    ----------
    detect_every : int
        Faces are looked for as soon as so many frames of the film have passed since the last look; in between their
        places are predicted. Frames that were left out count.
    smooth : float
        Time constant in seconds of the average over each track; 0 for none. See `gafas.runtime.smoothing`.

    Raises
    ------
    UsageError
        A number is out of its range.
    BundleError
        The graph cannot run.
    """
    if detect_every < 1:
        raise UsageError(f"--detect-every: expected at least 1, got {detect_every}")
    if not 0 <= smooth < float("inf"):
        raise UsageError(f"--smooth: expected 0 or more seconds, got {smooth}")
    tracker, smoother = Tracker(), Smoother(smooth)
    looked: int | None = None
    for frame in frames:
        if looked is None or frame.number - looked >= detect_every:
            looked = frame.number
            faces = [box for box in predictor.find(frame.image) if box.confidence is not None]
            places = tracker.update(faces, frame.seconds)
        else:
            places = tracker.predict(frame.seconds, frame.image.shape[:2])
        yield FrameAnswer(frame, _judge(predictor, frame, places, smoother))


def _judge(
    predictor: Predictor, frame: FilmFrame, places: tuple[Tracked, ...], smoother: Smoother
) -> tuple[Sighting, ...]:
    boxes = tuple(place.box for place in places) or (whole_image(frame.image),)
    (verdicts,) = predictor.judge([boxes], predictor.cut(frame.image, boxes))
    tracks: list[tuple[int | None, bool]] = [(place.track, place.detected) for place in places] or [(None, True)]
    return tuple(
        Sighting(_smoothed(predictor, verdict, track, frame.seconds, smoother), track, detected)
        for verdict, (track, detected) in zip(verdicts, tracks, strict=True)
    )


def _smoothed(predictor: Predictor, verdict: Verdict, track: int | None, at: float, smoother: Smoother) -> Verdict:
    known = [value for value in (verdict.sunglasses, verdict.eyeglasses) if value is not None]
    sunglasses, *rest = map(float, smoother.smooth(track, at, np.array(known)))
    return replace(
        verdict, sunglasses=sunglasses, eyeglasses=rest[0] if rest else None, label=predictor.label(sunglasses)
    )


def film_records(path: str, answer: FrameAnswer) -> list[dict[str, Any]]:
    """Return a record for each region of a frame, with `FILM_COLUMNS`; ``face_confidence`` only where detected."""
    frame = answer.frame
    records = []
    for sighting in answer.sightings:
        record = asdict(row_of(path, sighting.verdict))
        if not sighting.detected:
            record["face_confidence"] = None
        records.append(record | {"frame": frame.number, "time_s": round(frame.seconds, 3), "track": sighting.track})
    return records


def error_record(path: str, error: str, *, read: int = 0, seconds: float = 0.0) -> dict[str, Any]:
    """Return the record of a film that failed: `frame` and `time_s` are those of the last frame that was read."""
    place = (read - 1, round(seconds, 3)) if read else (None, None)
    return asdict(Row(path=path, status="error", error=error)) | dict(
        zip(FILM_COLUMNS[-3:], (*place, None), strict=True)
    )

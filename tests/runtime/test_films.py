"""Frames to answers: how often faces are looked for, what stands in the rows, and that labels hold still."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from gafas.errors import UsageError
from gafas.imaging import Rgb
from gafas.runtime.backends import ConstantBackend, Probabilities
from gafas.runtime.faces import FaceDetector
from gafas.runtime.films import FILM_COLUMNS, FrameAnswer, error_record, film_records, judge_frames
from gafas.runtime.predictor import Predictor
from gafas.runtime.rows import COLUMNS
from gafas.values import FaceBox
from tests.films import Seeing, frames_of, greys, moving


class Noisy:
    """P(sunglasses) and P(eyeglasses) of a person with sunglasses, in bad light: log-odds of 0.8, noise of 2."""

    input_size = (4, 4)

    def __init__(self) -> None:
        self._random = np.random.default_rng(2)

    def probabilities(self, images: Rgb) -> Probabilities:
        logits = 0.8 + 2 * self._random.standard_normal((len(images), 2))
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def walk(n: int, row: int = 0) -> FaceBox:
    return FaceBox(2 * n, 100 * row, 2 * n + 60, 100 * row + 60, 0.9)


def walking(*rows: int) -> Seeing:
    """A detector of faces that go 2 pixels to the right with each grey; frames are those of `greys` with step 1."""
    return Seeing(lambda image: tuple(walk(int(image[0, 0, 0]), row) for row in rows))


def judge(detector: Seeing, count: int = 40, **settings: float) -> list[FrameAnswer]:
    predictor = Predictor(ConstantBackend(0.9), region="face", detector=detector)
    return list(judge_frames(predictor, frames_of(greys(count, size=(220, 300), step=1)), **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(("every", "looks"), [(1, 40), (2, 20), (5, 8), (100, 1)])
def test_faces_are_looked_for_every_k_frames(every: int, looks: int) -> None:
    detector = walking(0, 1)
    answers = judge(detector, detect_every=every)
    assert detector.looks == looks
    for answer in answers:
        assert [sighting.track for sighting in answer.sightings] == [1, 2]
        assert {sighting.detected for sighting in answer.sightings} == {answer.frame.number % every == 0}
        assert all(verdict.region == "face" and verdict.label == "sunglasses" for verdict in answer.verdicts)


def test_the_frames_between_are_followed() -> None:
    for answer in judge(walking(0), detect_every=5)[15:]:
        assert answer.verdicts[0].box.x0 == pytest.approx(2 * answer.frame.number, abs=3)


def test_frames_that_were_left_out_count() -> None:
    detector = walking(0)
    predictor = Predictor(ConstantBackend(0.9), region="face", detector=detector)
    frames = [frame for frame in frames_of(greys(40, size=(220, 300), step=1)) if frame.number % 10 == 0]
    assert len(list(judge_frames(predictor, frames, detect_every=5))) == detector.looks == 4


def test_without_a_face_the_whole_frame_is_judged() -> None:
    answers = judge(Seeing(lambda _: ()), 7, detect_every=3)
    for answer in answers:
        (sighting,) = answer.sightings
        assert (sighting.track, sighting.verdict.region) == (None, "whole")
        assert sighting.verdict.box == FaceBox(0, 0, 300, 220)


def test_a_model_of_whole_images_looks_for_no_faces() -> None:
    predictor = Predictor(ConstantBackend(0.2))
    answers = list(judge_frames(predictor, frames_of(greys(3))))
    assert [answer.sightings[0].verdict.label for answer in answers] == ["no_sunglasses"] * 3


def changes(answers: list[FrameAnswer]) -> int:
    labels = [answer.verdicts[0].label for answer in answers]
    return sum(one != other for one, other in itertools.pairwise(labels))


def test_a_label_does_not_flicker() -> None:
    """300 frames of noise at 25 frames a second."""

    def run(smooth: float) -> list[FrameAnswer]:
        outputs = ("sunglasses", "eyeglasses")
        predictor = Predictor(Noisy(), outputs=outputs, region="face", detector=walking(0))
        return list(judge_frames(predictor, frames_of(greys(300, step=0)), smooth=smooth))

    raw, smooth = run(0), run(0.5)
    assert changes(raw) > 100
    assert changes(smooth) < changes(raw) / 10
    for answer in smooth:
        (verdict,) = answer.verdicts
        assert verdict.label == ("sunglasses" if verdict.sunglasses >= 0.5 else "no_sunglasses")
        assert verdict.eyeglasses is not None
        assert 0 < verdict.eyeglasses < 1


def test_the_records() -> None:
    answers = judge(walking(0), 7, detect_every=5)
    records = [record for answer in answers for record in film_records("a.mp4", answer)]
    assert [tuple(record) for record in records] == [FILM_COLUMNS] * 7
    assert (*COLUMNS, "frame", "time_s", "track") == FILM_COLUMNS
    assert records[5] | {"x0": 0, "x1": 0} == {
        "path": "a.mp4",
        "status": "ok",
        "error": None,
        "region": "face",
        "x0": 0,
        "y0": 0,
        "x1": 0,
        "y1": 60,
        "face_confidence": 0.9,
        "sunglasses": 0.9,
        "eyeglasses": None,
        "label": "sunglasses",
        "frame": 5,
        "time_s": 0.2,
        "track": 1,
    }
    assert [record["face_confidence"] for record in records] == [0.9, None, None, None, None, 0.9, None]


def test_the_record_of_an_error() -> None:
    record = error_record("a.mp4", "broken", read=12, seconds=0.44)
    assert tuple(record) == FILM_COLUMNS
    assert {key: value for key, value in record.items() if value is not None} == {
        "path": "a.mp4",
        "status": "error",
        "error": "broken",
        "frame": 11,
        "time_s": 0.44,
    }
    assert error_record("a.mp4", "broken")["frame"] is None


@pytest.mark.parametrize("settings", [{"detect_every": 0}, {"smooth": -1}, {"smooth": float("nan")}])
def test_numbers_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="expected"):
        judge(walking(0), **settings)


def test_drawn_persons_keep_their_numbers() -> None:
    """The real detector on two persons who walk to the right."""
    detector = FaceDetector()
    predictor = Predictor(ConstantBackend(0.9), region="face", detector=detector)
    scenes = list(moving(25, faces=2, speed=4))
    answers = list(judge_frames(predictor, frames_of(image for image, _ in scenes), detect_every=5))
    for answer, (_, corners) in zip(answers, scenes, strict=True):
        found = {sighting.track: sighting.verdict.box for sighting in answer.sightings}
        assert set(found) == {1, 2}
        rows = sorted(found.values(), key=lambda box: box.y0)
        for box, (x, y) in zip(rows, corners, strict=True):
            assert x - 15 < (box.x0 + box.x1) / 2 - 55 < x + 15
            assert y - 10 < (box.y0 + box.y1) / 2 - 55 < y + 30

"""Which box is whose, and where it is in between: pure, so made of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gafas.runtime.tracking import FORGET_SECONDS, Tracked, Tracker, match, overlaps
from gafas.values import FaceBox

SHAPE = (480, 640)
STEP = 0.04


def box(x: float, y: float, side: float = 80) -> FaceBox:
    return FaceBox(round(x), round(y), round(x + side), round(y + side), 0.9, ((x, y),) * 5)


def numbers(tracked: tuple[Tracked, ...]) -> list[int]:
    return [one.track for one in tracked]


def overlap(one: FaceBox, other: FaceBox) -> float:
    corners = [np.array([[b.x0, b.y0, b.x1, b.y1]], dtype=float) for b in (one, other)]
    return float(overlaps(*corners)[0, 0])


def test_faces_keep_their_numbers_whatever_their_order() -> None:
    tracker = Tracker()
    for n in range(50):
        faces = [box(5 * n, 100), box(600 - 5 * n, 250), box(300, 380)]
        shift = n % 3
        turned = faces[shift:] + faces[:shift]
        expected = [1, 2, 3][shift:] + [1, 2, 3][:shift]
        assert numbers(tracker.update(turned, n * STEP)) == expected


def test_what_is_detected_is_given_as_it_is() -> None:
    tracker = Tracker()
    tracker.update([box(0, 0)], 0)
    (face,) = tracker.update([box(3, 1)], STEP)
    assert face == Tracked(1, box(3, 1), detected=True)


@pytest.mark.parametrize("every", [2, 5, 10])
def test_a_steady_walk_is_predicted(every: int) -> None:
    tracker = Tracker()
    least = 1.0
    for n in range(100):
        true, at = box(3 * n, 100 + n), n * STEP
        if n % every == 0:
            tracker.update([true], at)
        elif n > 3 * every:
            (face,) = tracker.predict(at, SHAPE)
            assert (face.track, face.detected, face.box.confidence, face.box.landmarks) == (1, False, 0.9, None)
            least = min(least, overlap(face.box, true))
    assert least > 0.75
    # Without any speed the box would stay behind by up to 9 frames of 3 pixels.
    assert least > overlap(box(0, 0), box(3 * (every - 1), every - 1)) or every == 2


def test_a_face_that_comes_nearer_grows() -> None:
    tracker = Tracker()
    for n in range(0, 40, 5):
        tracker.update([box(200 - n, 200 - n, 80 + 2 * n)], n * STEP)
    (face,) = tracker.predict(39 * STEP, SHAPE)
    assert face.box.width > 80 + 2 * 35
    assert overlap(face.box, box(161, 161, 158)) > 0.9


def test_a_jump_of_more_than_half_a_face_is_still_the_same_face() -> None:
    tracker = Tracker()
    tracker.update([box(100, 100)], 0)
    assert numbers(tracker.update([box(152, 100)], 0.4)) == [1]
    assert overlap(box(100, 100), box(152, 100)) < 0.3


def test_a_face_of_another_size_beside_it_is_another_face() -> None:
    tracker = Tracker()
    tracker.update([box(100, 100)], 0)
    assert numbers(tracker.update([box(160, 120, 30)], 0.4)) == [2]


def test_a_face_that_is_missed_now_and_then_keeps_its_number() -> None:
    tracker = Tracker()
    seen = [numbers(tracker.update([] if n % 4 == 1 else [box(2 * n, 100)], n * STEP)) for n in range(80)]
    assert {number for one in seen for number in one} == {1}


def test_a_face_that_was_not_found_is_not_predicted() -> None:
    tracker = Tracker()
    tracker.update([box(100, 100), box(300, 300)], 0)
    tracker.update([box(100, 100)], 5 * STEP)
    assert numbers(tracker.predict(6 * STEP, SHAPE)) == [1]


@pytest.mark.parametrize(("away", "number"), [(0.9 * FORGET_SECONDS, 1), (1.5 * FORGET_SECONDS, 2)])
def test_a_face_that_is_away_for_long_comes_back_as_a_new_one(away: float, number: int) -> None:
    tracker = Tracker()
    tracker.update([box(100, 100)], 0)
    for at in np.arange(STEP, away, STEP):
        tracker.update([], float(at))
    assert numbers(tracker.update([box(102, 100)], away)) == [number]


def test_rare_detections_forget_no_sooner() -> None:
    """Two seconds between detections: one that misses the face is no reason to lose it."""
    tracker = Tracker()
    for at, faces in ((0, [box(100, 100)]), (2, []), (4, [box(100, 100)])):
        last = tracker.update(faces, at)
    assert numbers(last) == [1]


def test_boxes_are_cut_at_the_border_and_gone_beyond_it() -> None:
    tracker = Tracker()
    for n in range(5):
        tracker.update([box(520 + 20 * n, 10)], n * STEP)
    (face,) = tracker.predict(6 * STEP, SHAPE)
    assert face.box.x1 == 640
    tracker.update([box(639, 10)], 6 * STEP)
    assert tracker.predict(20 * STEP, SHAPE) == ()


def test_nothing_at_all() -> None:
    tracker = Tracker()
    assert tracker.update([], 0) == ()
    assert tracker.predict(1, SHAPE) == ()


def test_the_same_time_twice() -> None:
    """Some films have frames without a time of their own."""
    tracker = Tracker()
    tracker.update([box(100, 100)], 1)
    assert numbers(tracker.update([box(110, 100)], 1)) == [1]
    (face,) = tracker.predict(1, SHAPE)
    assert face.box.x0 == 110


PLACES = st.lists(st.tuples(*[st.integers(0, 200)] * 2, *[st.integers(1, 100)] * 2), max_size=6)


def array(places: list[tuple[int, ...]]) -> np.ndarray:
    return np.array([(x, y, x + w, y + h) for x, y, w, h in places], dtype=float).reshape(-1, 4)


@settings(deadline=None, max_examples=60)
@given(PLACES, PLACES)
def test_each_is_in_one_pair_and_the_best_pair_comes_first(
    one: list[tuple[int, ...]], other: list[tuple[int, ...]]
) -> None:
    mine, theirs = array(one), array(other)
    pairs = match(mine, theirs)
    assert len({track for track, _ in pairs}) == len({face for _, face in pairs}) == len(pairs)
    found = overlaps(mine, theirs)
    assert found.shape == (len(one), len(other))
    assert ((found >= 0) & (found <= 1)).all()
    if found.size and found.max() >= 0.3:
        assert found[pairs[0]] == found.max()


def test_overlap_by_hand() -> None:
    assert overlaps(array([(0, 0, 10, 10)]), array([(5, 0, 10, 10), (20, 0, 5, 5)])).tolist() == [[50 / 150, 0]]

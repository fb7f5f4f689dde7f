"""Maps of evidence on hand-made cases: what points where, and what the answer hangs on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gafas.errors import DataError, UsageError
from gafas.scoring.explanations import centre_prior, deletion_area, hits_band, insertion_area

WHITE = np.full((4, 5, 3), 255, np.uint8)
BLACK = np.zeros((4, 5, 3), np.uint8)


def peak(x: int, y: int, height: int = 40, width: int = 50) -> NDArray[np.float64]:
    values = np.zeros((height, width))
    values[y, x] = 1
    return values


def share_of_white(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray((pictures == 255).mean(axis=(1, 2, 3)))


def top_left_is_white(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(pictures[:, 0, 0, 0] / 255)


@pytest.mark.parametrize(
    ("x", "y", "hit"),
    [(20, 10, True), (15, 13, True), (15, 14, False), (7, 10, True), (6, 10, False), (33, 10, True), (34, 10, False)],
)
def test_a_point_hits_where_it_is_near_the_line_between_the_eyes(x: int, y: int, hit: bool) -> None:
    assert hits_band(peak(x, y), [(10, 10), (30, 10)], reach=3) is hit
    # Which eye comes first does not matter.
    assert hits_band(peak(x, y), [(30, 10), (10, 10)], reach=3) is hit


def test_the_band_leans_with_the_head() -> None:
    leaning = [(10.0, 10.0), (20.0, 20.0)]
    assert hits_band(peak(15, 15), leaning, reach=1)
    assert not hits_band(peak(15, 12), leaning, reach=2)
    assert hits_band(peak(15, 12), leaning, reach=2.2)  # 3 / √2 = 2.12


def test_in_a_profile_both_eyes_may_be_one_point() -> None:
    assert hits_band(peak(12, 10), [(10, 10), (10, 10)], reach=2)
    assert not hits_band(peak(13, 10), [(10, 10), (10, 10)], reach=2)


def test_taking_away_pixel_by_pixel_falls_in_a_straight_line() -> None:
    any_order = np.random.default_rng(0).random((4, 5))
    assert deletion_area(share_of_white, WHITE, any_order, blank=BLACK, steps=20) == pytest.approx(0.5)
    assert insertion_area(share_of_white, WHITE, any_order, blank=BLACK, steps=20) == pytest.approx(0.5)


def test_who_marks_what_counts_is_better() -> None:
    right, wrong = peak(0, 0, 4, 5), -peak(0, 0, 4, 5)
    # 20 steps: the score falls in the first of them, or in the last.
    assert deletion_area(top_left_is_white, WHITE, right, blank=BLACK) == pytest.approx(0.5 / 20)
    assert deletion_area(top_left_is_white, WHITE, wrong, blank=BLACK) == pytest.approx(1 - 0.5 / 20)
    assert insertion_area(top_left_is_white, WHITE, right, blank=BLACK) == pytest.approx(1 - 0.5 / 20)
    assert insertion_area(top_left_is_white, WHITE, wrong, blank=BLACK) == pytest.approx(0.5 / 20)


def test_the_picture_stays_as_it_was() -> None:
    picture = WHITE.copy()
    deletion_area(share_of_white, picture, peak(0, 0, 4, 5), blank=BLACK)
    assert (picture == WHITE).all()


def test_the_centre_prior_is_highest_in_the_middle() -> None:
    prior = centre_prior((5, 7))
    assert int(prior.argmax()) == 2 * 7 + 3
    np.testing.assert_allclose(prior, prior[::-1, ::-1])
    assert centre_prior((1, 1)).tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        (np.zeros((0, 3)), r"expected a map \(height, width\), got \(0, 3\)"),
        (np.zeros(3), r"expected a map \(height, width\), got \(3,\)"),
        (np.array([[1.0, np.nan]]), "expected numbers, got 1 that are none"),
    ],
)
def test_no_map(evidence: NDArray[np.float64], message: str) -> None:
    with pytest.raises(DataError, match=message):
        hits_band(evidence, [(0, 0), (1, 1)], reach=1)


def test_what_does_not_fit() -> None:
    with pytest.raises(UsageError, match="expected two points"):
        hits_band(peak(0, 0), [(0, 0)], reach=1)
    with pytest.raises(UsageError, match=r"expected pictures \(40, 50, 3\), got \(4, 5, 3\) and \(4, 5, 3\)"):
        deletion_area(share_of_white, WHITE, peak(0, 0), blank=BLACK)
    with pytest.raises(UsageError, match="expected 1 or more, got 0"):
        deletion_area(share_of_white, WHITE, peak(0, 0, 4, 5), blank=BLACK, steps=0)

    def one(pictures: Any) -> float:
        return 1.0

    with pytest.raises(UsageError, match=r"expected one value for each of 21 pictures, got \(\)"):
        insertion_area(one, WHITE, peak(0, 0, 4, 5), blank=BLACK)

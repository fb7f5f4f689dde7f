"""Averages over time: steady, quick enough, and independent of the frame rate."""

from __future__ import annotations

import numpy as np
import pytest

from gafas.runtime.smoothing import Smoother


def run(values: list[float], *, seconds: float, step: float = 0.04) -> list[float]:
    smoother = Smoother(seconds)
    return [float(smoother.smooth(1, n * step, np.array([value]))[0]) for n, value in enumerate(values)]


def changes(values: list[float]) -> int:
    labels = np.array(values) >= 0.5
    return int((labels[1:] != labels[:-1]).sum())


def test_what_does_not_change_stays() -> None:
    assert run([0.7] * 20, seconds=0.5) == pytest.approx([0.7] * 20)


def test_none_is_none() -> None:
    values = [0.0, 1.0, 0.3]
    assert run(values, seconds=0) == values


def test_labels_change_far_less_on_noise() -> None:
    """Log-odds of 0.5 with noise of 2, 25 frames a second: about every fourth frame says the other thing."""
    random = np.random.default_rng(3)
    noisy = list(1 / (1 + np.exp(-(0.5 + 2 * random.standard_normal(2000)))))
    raw, smooth = changes(noisy), changes(run(noisy, seconds=0.5))
    assert raw > 700
    assert smooth < raw / 8


def test_a_change_comes_through_soon() -> None:
    """Glasses are put on: at equal log-odds the label follows after ln 2 time constants."""
    smooth = run([0.05] * 100 + [0.95] * 100, seconds=0.5)
    after = next(n for n, value in enumerate(smooth[100:]) if value >= 0.5)
    assert after * 0.04 == pytest.approx(0.5 * np.log(2), abs=0.05)


def test_the_first_frame_does_not_outweigh_the_next_ones() -> None:
    smooth = run([0.9, 0.1, 0.1], seconds=1e6)
    assert smooth[1] == pytest.approx(0.5, abs=1e-3)
    assert smooth[2] < 0.5


def test_the_frame_rate_does_not_matter() -> None:
    slow = run([0.1] * 25 + [0.9] * 5, seconds=0.5, step=0.1)[-1]
    fast = run([0.1] * 250 + [0.9] * 50, seconds=0.5, step=0.01)[-1]
    assert slow == pytest.approx(fast, abs=0.05)


def test_a_long_absence_forgets() -> None:
    smoother = Smoother(0.5)
    for n in range(50):
        smoother.smooth("a", n * 0.04, np.array([0.99]))
    assert smoother.smooth("a", 60.0, np.array([0.2]))[0] == pytest.approx(0.2)


def test_one_frame_that_is_too_sure_does_not_decide() -> None:
    smooth = run([0.02] * 25 + [1.0], seconds=0.5)
    assert smooth[-1] < 0.5
    assert np.isfinite(run([0.0, 1.0], seconds=0.5)).all()


def test_tracks_and_outputs_stand_alone() -> None:
    smoother = Smoother(10)
    smoother.smooth(1, 0, np.array([0.9, 0.1]))
    assert smoother.smooth(2, 0, np.array([0.2, 0.3])) == pytest.approx([0.2, 0.3])
    assert smoother.smooth(1, 0, np.array([0.9, 0.1])) == pytest.approx([0.9, 0.1])


def test_faces_of_long_ago_are_let_go() -> None:
    smoother = Smoother(0.5)
    for n in range(1000):
        smoother.smooth(n, n * 0.04, np.array([0.5]))
    assert len(smoother._past) < 260


def test_a_clock_that_goes_back_does_no_harm() -> None:
    smoother = Smoother(0.5)
    smoother.smooth(1, 5, np.array([0.4]))
    assert smoother.smooth(1, 4, np.array([0.4]))[0] == pytest.approx(0.4)

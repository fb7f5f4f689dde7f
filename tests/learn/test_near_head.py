"""A head near a known one: what the pull does, and how its strength is chosen."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the train extra is not installed")
pytest.importorskip("sklearn", reason="the train extra is not installed")

from gafas.learn.near_head import STRENGTHS, Head, choose_strength, fit_near
from gafas.scoring.metrics import log_loss

RANDOM = np.random.default_rng(3)
COUNT = 40
TRUE = np.zeros(COUNT)
TRUE[:4] = 2.0, -1.0, 1.0, 0.5
FEATURES = RANDOM.normal(0.5, np.linspace(0.5, 2.0, COUNT), (400, COUNT))
TARGETS = (RANDOM.random(400) < 1 / (1 + np.exp(-(FEATURES @ TRUE - 1)))).astype(np.int64)
NOTHING = Head(np.zeros(COUNT), 0.0)


def test_a_strong_pull_gives_the_known_kernel_back() -> None:
    known = Head(np.linspace(-0.3, 0.3, COUNT), -5.0)
    near = fit_near(known, FEATURES, TARGETS, strength=1e6)
    assert near.kernel == pytest.approx(known.kernel, abs=1e-4)
    assert near.probabilities(FEATURES).mean() == pytest.approx(TARGETS.mean(), abs=1e-3)


def test_a_weak_pull_towards_zero_is_ridge_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    mean, spread = FEATURES.mean(axis=0), FEATURES.std(axis=0) + 1e-3
    ridge = LogisticRegression(C=1 / (0.01 * len(TARGETS)), tol=1e-8).fit((FEATURES - mean) / spread, TARGETS)
    near = fit_near(NOTHING, FEATURES, TARGETS, strength=0.01)
    assert near.kernel * spread == pytest.approx(ridge.coef_[0], abs=2e-3)


def test_a_head_that_is_right_is_kept_and_one_that_is_wrong_is_left() -> None:
    right, wrong = Head(TRUE, -1.0), Head(-TRUE, 1.0)
    groups = [f"person {i // 20}" for i in range(len(TARGETS))]
    plain = np.ones(len(TARGETS), dtype=bool)
    few = slice(0, 60)
    kept = choose_strength(right, FEATURES[few], TARGETS[few], groups[few], plain[few])
    left = choose_strength(wrong, FEATURES[few], TARGETS[few], groups[few], plain[few])
    assert kept == STRENGTHS[-1]
    assert left < kept / 10
    near = fit_near(right, FEATURES[few], TARGETS[few], strength=kept)
    alone = fit_near(NOTHING, FEATURES[few], TARGETS[few], strength=STRENGTHS[0])
    rest = slice(60, None)
    losses = [log_loss(TARGETS[rest], head.probabilities(FEATURES[rest])) for head in (near, alone)]
    assert losses[0] < losses[1]


def test_random_views_are_fitted_but_not_judged() -> None:
    # The second half are "views" with wrong labels: judged, they would ask for another strength.
    features, targets = np.concatenate([FEATURES, FEATURES]), np.concatenate([TARGETS, 1 - TARGETS])
    groups = [f"person {i // 40}" for i in range(len(TARGETS))] * 2
    plain = np.arange(len(targets)) < len(TARGETS)
    assert choose_strength(Head(TRUE, -1.0), features, targets, groups, plain) == STRENGTHS[-1]

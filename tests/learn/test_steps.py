"""Steps that are traced once, and the optimizer with one operation a variable: Keras's own numbers."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest

pytest.importorskip("keras", reason="extra train is not installed")

from gafas.learn.backend import backend_name, keras
from gafas.learn.fitting import agreement
from gafas.learn.rmsprop import make_rmsprop
from gafas.learn.steps import make_steps


def _model(optimizer: Any) -> Any:
    layers = [
        keras.layers.Dense(7, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
        keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=2)),
    ]
    inputs = keras.Input((5,))
    model = keras.Model(inputs, layers[1](layers[0](inputs)))
    metric = keras.metrics.MeanMetricWrapper(agreement, name="accuracy")
    model.compile(optimizer=optimizer, loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=[metric])
    optimizer.build(model.trainable_variables)
    return model


def _batches() -> list[tuple[Any, Any]]:
    generator = np.random.default_rng(0)
    # The last batch of an epoch is smaller.
    return [
        (generator.normal(size=(size, 5)).astype(np.float32), generator.integers(0, 2, (size, 1)).astype(np.float32))
        for size in (10, 10, 7) * 5
    ]


def _variables(model: Any) -> list[Any]:
    return [keras.ops.convert_to_numpy(variable) for variable in (*model.weights, *model.optimizer.variables)]


def test_steps_are_kerass_own() -> None:
    theirs, ours = (_model(keras.optimizers.RMSprop(0.05)) for _ in range(2))
    take, test = make_steps(ours)
    for inputs, targets in _batches():
        expected = theirs.train_on_batch(inputs, targets, return_dict=True)
        assert take(inputs, targets) == pytest.approx({key: float(value) for key, value in expected.items()}, rel=1e-5)
        expected = theirs.test_on_batch(inputs, targets, return_dict=True)
        assert test(inputs, targets) == pytest.approx({key: float(value) for key, value in expected.items()}, rel=1e-5)


def test_rmsprop_takes_kerass_steps_and_has_its_variables() -> None:
    theirs, ours = _model(keras.optimizers.RMSprop(0.05)), _model(make_rmsprop(0.05))
    start = ours.get_weights()
    for inputs, targets in _batches():
        for model in (theirs, ours):
            model.train_on_batch(inputs, targets)
    assert all(np.abs(now - then).max() > 0.05 for now, then in zip(ours.get_weights(), start, strict=True))
    for expected, value in zip(_variables(theirs), _variables(ours), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(backend_name() != "tensorflow", reason="the other backends take Keras's own steps")
def test_a_smaller_batch_is_not_traced_anew() -> None:
    model = _model(make_rmsprop(0.05))
    take, _ = make_steps(model)
    kind = type(model)
    with mock.patch.object(kind, "call", autospec=True, side_effect=kind.call) as call:
        for inputs, targets in _batches():
            take(inputs, targets)
    # TensorFlow may trace a function twice at its first call, to find the variables that it makes.
    assert call.call_count <= 2

"""Single steps of a small model: Keras's own, traced once where TensorFlow runs them.

Keras traces its step anew for the last batch of an epoch, which is smaller, and that takes as long as dozens of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.learn.backend import backend_name, keras
from gafas.learn.fitting import agreement

Floats = NDArray[np.float32]
Step = Callable[[Floats, Floats], dict[str, float]]
"""Inputs and targets of a batch → its ``loss`` and ``accuracy``."""


def make_steps(model: Any) -> tuple[Step, Step]:
    """Return how a model, of one input and of logits, takes a step and is validated; it may be compiled later.

    Returns
    -------
    tuple of callable
        The step and the validation of one batch, of a model that is compiled by the first call.
    """
    if backend_name() != "tensorflow":
        return (
            lambda inputs, targets: _floats(model.train_on_batch(inputs, targets, return_dict=True)),
            lambda inputs, targets: _floats(model.test_on_batch(inputs, targets, return_dict=True)),
        )
    import tensorflow as tf

    def judge(inputs: Any, targets: Any, *, training: bool) -> tuple[Any, Any]:
        outputs = model(inputs, training=training)
        return model.loss(targets, outputs), keras.ops.mean(agreement(targets, outputs))

    def train(inputs: Any, targets: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            loss, right = judge(inputs, targets, training=True)
        variables = model.trainable_variables
        model.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss, right

    def test(inputs: Any, targets: Any) -> tuple[Any, Any]:
        return judge(inputs, targets, training=False)

    batches = [tf.TensorSpec((None, *shape[1:])) for shape in (model.input_shape, model.output_shape)]

    def traced(step: Callable[[Any, Any], tuple[Any, Any]]) -> Step:
        run = tf.function(step, input_signature=batches, autograph=False)
        return lambda inputs, targets: _floats(dict(zip(("loss", "accuracy"), run(inputs, targets), strict=True)))

    return traced(train), traced(test)


def _floats(logs: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}

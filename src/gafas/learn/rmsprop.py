"""Keras's RMSprop, with one operation for each variable where TensorFlow runs it."""

from __future__ import annotations

from typing import Any

from gafas.learn.backend import backend_name, keras


def make_rmsprop(rate: float) -> Any:
    """Return Keras's RMSprop, or one that takes the same steps up to rounding and has the same variables."""
    kind = _FusedRMSprop if backend_name() == "tensorflow" else keras.optimizers.RMSprop
    return kind(rate, name="rmsprop")


class _FusedRMSprop(keras.optimizers.RMSprop):  # type: ignore[misc]  # Keras ships no types
    """Keras's own takes eight small operations for each of the tuned stage's 56 variables: an eighth of a step."""

    def build(self, variables: Any) -> None:
        import tensorflow as tf

        if not self.built:
            # TensorFlow's operation wants room for a momentum; nothing of it outlives a step.
            self._momenta = [tf.Variable(tf.zeros(variable.shape), trainable=False) for variable in variables]
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        import tensorflow as tf

        place = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable.handle,
            ms=self._velocities[place].value.handle,
            mom=self._momenta[place].handle,
            lr=learning_rate,
            rho=self.rho,
            momentum=0.0,
            epsilon=self.epsilon,
            grad=gradient,
        )

"""Keras, quietly, with a clear word where it is not installed. Other modules import it from here."""

from __future__ import annotations

import os
import warnings

from gafas.errors import MissingExtraError, UsageError

# TensorFlow's C++ start-up notes are for its developers. Whoever wants them sets the variable.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

try:
    with warnings.catch_warnings():
        # Deprecations between TensorFlow, Keras and NumPy are theirs to settle.
        warnings.simplefilter("ignore")
        import keras
except ImportError as error:
    wanted = os.environ.get("KERAS_BACKEND", "tensorflow")
    if wanted == "tensorflow" or "keras" in str(error):
        raise MissingExtraError("training and export", "train") from error
    raise UsageError(f"KERAS_BACKEND={wanted}: {error}; pip install {wanted}, or unset KERAS_BACKEND") from error

__all__ = ["backend_name", "keras", "make_deterministic", "require_tensorflow"]


def backend_name() -> str:
    """Return ``tensorflow``, ``jax`` or ``torch``."""
    return str(keras.backend.backend())


def require_tensorflow(what: str) -> None:
    """Refuse a step that only TensorFlow can do.

    Raises
    ------
    UsageError
        Keras runs on another backend.
    """
    if backend_name() != "tensorflow":
        raise UsageError(
            f"{what} needs Keras on TensorFlow, got {backend_name()}; run it again with KERAS_BACKEND=tensorflow"
        )


def make_deterministic(seed: int) -> None:
    """Seed every global generator and ask for ops whose result does not depend on thread order."""
    keras.utils.set_random_seed(seed)
    if backend_name() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    elif backend_name() == "torch":
        import torch

        torch.use_deterministic_algorithms(True, warn_only=True)

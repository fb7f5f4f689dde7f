"""Keras, quietly, with a clear word where it is not installed. Other modules import it from here."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from gafas.errors import MissingExtraError, UsageError

# TensorFlow's C++ notes are for its developers. Whoever wants them sets the variable.
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_TALKATIVE = _LEVEL in os.environ
os.environ.setdefault(_LEVEL, "3")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' warnings, and what their C++ code writes to standard error, off the terminal.

    What was written comes out after all when the block fails.
    """
    with warnings.catch_warnings(), tempfile.TemporaryFile() as kept:
        # Deprecations between TensorFlow, Keras, NumPy and the converters are theirs to settle.
        warnings.simplefilter("ignore")
        if _TALKATIVE:
            yield
            return
        sys.stderr.flush()
        # TensorFlow writes to the descriptor, before its own log level is read.
        real = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(real, kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)


try:
    with quiet():
        import keras
except ImportError as error:
    wanted = os.environ.get("KERAS_BACKEND", "tensorflow")
    if wanted == "tensorflow" or "keras" in str(error):
        raise MissingExtraError("training and export", "train") from error
    raise UsageError(f"KERAS_BACKEND={wanted}: {error}; pip install {wanted}, or unset KERAS_BACKEND") from error

__all__ = ["backend_name", "keras", "make_deterministic", "quiet", "require_tensorflow"]


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

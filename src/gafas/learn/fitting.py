"""What every epoch-by-epoch training shares: progress reports and checkpoints."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gafas.errors import DataError
from gafas.files import write_beside
from gafas.learn.backend import keras
from gafas.learn.pictures import Pictures
from gafas.learn.runs import Run, State


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands, reported after each batch and each epoch.

    Attributes
    ----------
    stage : str
        ``frozen`` or ``tuned``.
    epoch, epochs : int
        From 1; of all stages together.
    step, steps : int
        Batches of this epoch.
    logs : dict
        Running ``loss`` and ``accuracy``; with ``val_loss`` and ``val_accuracy`` when the epoch has ended.
    """

    stage: str
    epoch: int
    epochs: int
    step: int
    steps: int
    logs: dict[str, float]


Listener = Callable[[Progress], None]


class Reporter(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Passes each batch of one epoch on to a listener."""

    def __init__(self, listener: Listener, stage: str, epoch: int, epochs: int, steps: int) -> None:
        super().__init__()
        self._listener = listener
        self._where = (stage, epoch, epochs)
        self._steps = steps

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Report one batch."""
        values = {key: float(value) for key, value in (logs or {}).items()}
        self._listener(Progress(*self._where, batch + 1, self._steps, values))


def compile_averaged(model: Any, rates: Any, *, averaging: float, weight_decay: float) -> None:
    """Compile a model that ends in logits for AdamW, with a moving average of the weights where `averaging` > 0."""
    optimizer = keras.optimizers.AdamW(
        rates,
        weight_decay=weight_decay,
        use_ema=averaging > 0,
        ema_momentum=averaging,
        # Keras puts the average in place at the end of a fit only if no step has.
        ema_overwrite_frequency=None,
    )
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.MeanMetricWrapper(agreement, name="accuracy")],
    )


def agreement(targets: Any, logits: Any) -> Any:
    """Share of logits on the side of their target; Keras's own accuracy wants targets of 0 and 1, not a teacher's."""
    return keras.ops.mean(keras.ops.cast((targets > 0.5) == (logits > 0), "float32"), axis=-1)


def save_checkpoint(run: Run, state: State, model: Any, epoch: int) -> None:
    """Save weights and optimizer after an epoch; from the moment the state is written, the epoch counts.

    Plain arrays in their order: Keras's own file takes a quarter of a second, a third of a whole epoch.
    """
    folder = run.folder / "checkpoint"
    name = f"epoch-{epoch:03d}.npz"
    with write_beside(folder / name) as temporary, temporary.open("wb") as file:
        np.savez(file, *[keras.ops.convert_to_numpy(variable) for variable in _variables(model)])
    state.epochs_done, state.weights = epoch, name
    run.write_state(state)
    for old in folder.glob("epoch-*"):
        if old.name != name:
            old.unlink()


def load_checkpoint(run: Run, state: State, model: Any) -> None:
    """Bring a compiled model and its optimizer to where the last checkpoint stands.

    Raises
    ------
    DataError
        Its file is missing, damaged or of another network.
    """
    path = run.folder / "checkpoint" / str(state.weights)
    if not path.is_file():
        raise DataError(f"{path}: the checkpoint's weights are missing; start a new run")
    # An optimizer has no variables to load into before it is built.
    model.optimizer.build(model.trainable_variables)
    if path.suffix == ".h5":  # of a run that was begun before gafas wrote arrays
        model.load_weights(path)
        return
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            values = list(arrays.values())
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: expected a checkpoint: {error}; start a new run") from error
    variables = _variables(model)
    if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
        raise DataError(f"{path}: expected {len(variables)} arrays of this network, got others; start a new run")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _variables(model: Any) -> list[Any]:
    return [*model.weights, *model.optimizer.variables]


def check_training_part(train: Pictures, batch_size: int) -> None:
    """Refuse to train on less than one batch or on one class.

    Raises
    ------
    DataError
        Fewer training images than one batch, or a class missing among them.
    """
    if len(train.samples) < batch_size:
        raise DataError(f"training needs at least one batch of {batch_size} images, got {len(train.samples)}")
    if len(set(train.targets.tolist())) < 2:
        raise DataError(f"training needs both classes, got only {train.samples[0].label}")

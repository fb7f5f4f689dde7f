"""How each recipe is trained on one fold and asked about the rest. No Keras at import.

A recipe that is to be compared adds one `FoldRecipe` to `FOLD_RECIPES`. It gets training pictures and pictures of
persons it has never seen, and returns P(sunglasses) of these; the pooled figures cut them at the config's threshold.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gafas.errors import UsageError
from gafas.learn.config import AdaptConfig, Config, NotebookConfig, PcaConfig
from gafas.learn.pictures import Pictures
from gafas.learn.weights import FACES, WeightsSource
from gafas.values import Dataset, Sample


@dataclass(frozen=True, slots=True)
class FoldWork:
    """All that a recipe may look at in one fold.

    Attributes
    ----------
    config : Config
    train : Pictures
    validation : Pictures or None
        Of other persons than `train`, for what the recipe chooses; ``None`` where it chooses nothing.
    held_out : Pictures
        To be predicted, in this order. Nothing may be fitted or chosen on them.
    weights : WeightsSource
        Of the backbone, where the recipe has one.
    seed : int
    """

    config: Config
    train: Pictures
    validation: Pictures | None
    held_out: Pictures
    weights: WeightsSource
    seed: int


class Load(Protocol):
    """Reads what a recipe trains on: whole pictures or faces."""

    def __call__(
        self, config: Config, dataset: Dataset, samples: Sequence[Sample], *, skip_broken: bool
    ) -> tuple[Pictures, tuple[str, ...]]:
        """Return the pictures and the paths that cannot be read; see `gafas.learn.recipes.load_for`."""


def _load(
    config: Config, dataset: Dataset, samples: Sequence[Sample], *, skip_broken: bool
) -> tuple[Pictures, tuple[str, ...]]:
    from gafas.learn.recipes import load_for

    return load_for(config, dataset, samples, skip_broken=skip_broken)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldRecipe:
    """A recipe that can be cross-validated.

    Attributes
    ----------
    run : callable
        Work of one fold → P(sunglasses) of its held-out pictures, (n,). Runs in a process of its own.
    chooses : bool
        Whether something is chosen on validation pictures; the fold then keeps some training persons for it.
    load : callable
        Reads the pictures, once for all folds.
    uses_weights : bool
        Whether the backbone's weights matter.
    weights : str or None
        The only weights that it takes, as `gafas.learn.weights.find_weights` names them; ``None`` for any.
    """

    run: Callable[[FoldWork], NDArray[np.float64]]
    chooses: bool = False
    load: Load = _load
    uses_weights: bool = True
    weights: str | None = None


def _run_pca(work: FoldWork) -> NDArray[np.float64]:
    from gafas.learn.pca import fit_pca

    if not isinstance(work.config, PcaConfig):
        raise TypeError(f"expected PcaConfig, got {type(work.config).__name__}")
    return fit_pca(work.config, work.train).predict(work.held_out.images)


def _run_notebook(work: FoldWork) -> NDArray[np.float64]:
    from gafas.learn import train
    from gafas.learn.backend import keras
    from gafas.learn.runs import Run

    if not isinstance(work.config, NotebookConfig):
        raise TypeError(f"expected NotebookConfig, got {type(work.config).__name__}")
    # Several folds in one process: each starts from nothing.
    keras.utils.clear_session(free_memory=True)
    # The recipe looks at validation pictures after each epoch but chooses nothing by them: some of its own will do.
    seen = Pictures(work.train.samples[: work.config.batch_size], work.train.images[: work.config.batch_size])
    nothing = Pictures((), work.train.images[:0])
    with tempfile.TemporaryDirectory(prefix="gafas-fold-") as folder:
        run = Run(Path(folder), work.config, {})
        network = train.train_network(
            run,
            work.config,
            {"train": work.train, "validation": seen, "test": nothing},
            work.weights,
            listener=lambda _: None,
        )
    return train.predict(network.inference, work.held_out)


def _run_adapt(work: FoldWork) -> NDArray[np.float64]:
    from gafas.learn.adapt import adapt
    from gafas.learn.backbone import run_batches
    from gafas.learn.backend import keras, make_deterministic
    from gafas.learn.portraits import Portraits

    if not isinstance(work.config, AdaptConfig) or not isinstance(work.train, Portraits):
        raise TypeError(f"expected AdaptConfig and Portraits, got {type(work.config).__name__}")
    keras.utils.clear_session(free_memory=True)
    make_deterministic(work.seed)
    # The way is chosen on inner validation that adapt takes from the training persons itself.
    return run_batches(adapt(work.config, work.train).network.inference, work.held_out.images)[:, 0]


FOLD_RECIPES: dict[str, FoldRecipe] = {
    "pca": FoldRecipe(run=_run_pca, uses_weights=False),
    "notebook": FoldRecipe(run=_run_notebook),
    "adapt": FoldRecipe(run=_run_adapt, weights=FACES),
}


def find_fold_recipe(name: str) -> FoldRecipe:
    """Return the recipe of that name.

    Raises
    ------
    UsageError
        It cannot be cross-validated.
    """
    if name not in FOLD_RECIPES:
        raise UsageError(f"--recipe: expected one of {', '.join(FOLD_RECIPES)}, got {name}")
    return FOLD_RECIPES[name]

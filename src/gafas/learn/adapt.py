"""The shipped face model on a data set of one's own: as it is, with a new head, or lightly fine-tuned.

Which of them serves best is chosen on inner validation, person-disjoint where persons are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gafas.bundle import load_bundle, shipped_bundle
from gafas.errors import DataError
from gafas.learn.adapt_views import SeenPictures, Store, View
from gafas.learn.backend import keras
from gafas.learn.config import AdaptConfig
from gafas.learn.face_model import FaceNetwork, build_shipped_network
from gafas.learn.features import FrozenPart, as_array, probabilities, single_cut
from gafas.learn.fitting import Listener, Progress, check_training_part, compile_averaged
from gafas.learn.folded import FoldedLayers
from gafas.learn.near_head import Head, choose_strength, fit_near
from gafas.learn.portraits import Portraits
from gafas.learn.views import ViewConfig
from gafas.scoring.metrics import evaluate
from gafas.values import Sample

ARCHITECTURE = "MobileNetV2 1.0, global average pooling, dropout, dense 1: P(sunglasses); adapted from gafas-base"

WAYS = ("base", "head", "tuned")

VIEWS = ViewConfig(
    turned=0.2,
    nodding=0.2,
    grey=0.2,
    low=0.3,
    blur=0.2,
    noise=0.2,
    jpeg=0.2,
    light=0.5,
    occlude=0.1,
    shade=0.1,
    wide=0.05,
)
"""Milder than for the shipped model: the data set itself shows what its pictures are like."""

_WEIGHT_DECAY = 0.004
_HEAD_VIEWS = 3
_MIDDLING = 0.1
_TUNE_AT = 28
"""From the fourth block on. Mean log loss on inner validation of three folds of CMU: 0.016 from here, 0.017 with all
layers, 0.028 to 0.033 from layer 54 on and 0.028 from layer 98 on; the three blocks before cost half of a step."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """An adapted network and how it came about.

    Attributes
    ----------
    network : FaceNetwork
        With one output, P(sunglasses).
    way : str
        Of `WAYS`, the one that was taken.
    losses : dict
        Way → log loss on inner validation; empty where the way was given.
    """

    network: FaceNetwork
    way: str
    losses: dict[str, float]


def adapt(
    config: AdaptConfig, train: Portraits, *, listener: Listener | None = None, store: Store | None = None
) -> Adapted:
    """Adapt the shipped model to training pictures.

    Parameters
    ----------
    train : Portraits
        All that may be looked at; a part of it is held out while the way is chosen.
    listener : callable or None
        Told when an epoch has ended.
    store : Store or None
        Of an earlier adaptation in this process, on pictures that may be the same.

    Raises
    ------
    DataError
        Too few pictures or one class only.
    BundleError
        The installation's bundle is damaged.
    """
    check_training_part(train, config.batch_size)
    adaptation = _Adaptation(config, train, listener, store or Store())
    way, losses = config.way, dict[str, float]()
    if way == "auto":
        paths = inner_split(train.samples, fraction=config.inner_fraction, seed=config.seed)
        inner, held = (train.take(part) for part in paths)
        for name in WAYS:
            adaptation.fit(name, inner)
            scores = probabilities(adaptation.network.inference, held.images)[:, 0]
            losses[name] = evaluate(held.targets, scores, threshold=config.threshold).loss
        way = min(losses, key=lambda name: losses[name])
    adaptation.fit(way, train)
    return Adapted(adaptation.network, way, losses)


def inner_split(samples: Sequence[Sample], *, fraction: float, seed: int) -> tuple[list[str], list[str]]:
    """Return the paths of inner training and inner validation: whole persons, or files where no person is known.

    Raises
    ------
    DataError
        One part would be without a class.
    """
    known = all(sample.person is not None for sample in samples)
    keys = [str(sample.person) if known else sample.path for sample in samples]
    names = sorted(set(keys))
    count = max(1, round(fraction * len(names)))
    held = set(np.random.default_rng(seed).permutation(names)[:count].tolist())
    parts = [[s for s, key in zip(samples, keys, strict=True) if (key in held) == wanted] for wanted in (False, True)]
    if any(len({sample.label for sample in part}) < 2 for part in parts):
        raise DataError(
            f"{len(names)} {'persons' if known else 'files'} are too few to hold some out with both classes; "
            "add pictures, or choose the way yourself: --set way=head"
        )
    inner, validation = parts
    return [sample.path for sample in inner], [sample.path for sample in validation]


class _Adaptation:
    """One network, fitted in several ways and to several pictures; each fit starts from the shipped weights."""

    def __init__(self, config: AdaptConfig, train: Portraits, listener: Listener | None, store: Store) -> None:
        self.network = build_shipped_network(outputs=1)
        _centre(self.network)
        self._config, self._listener = config, listener
        self._shipped = [as_array(value).copy() for value in self.network.inference.weights]
        backbone = self.network.backbone
        self._cut = single_cut(backbone, _TUNE_AT)
        self._seen = SeenPictures(
            train,
            FrozenPart(backbone, until=self._cut),
            FrozenPart(backbone),
            size=config.input_size,
            margin=config.margin,
            views=VIEWS,
            seed=config.seed,
            store=store,
        )

    def fit(self, way: str, train: Portraits) -> None:
        """Fit the network to pictures that are among those of the constructor."""
        for variable, value in zip(self.network.inference.weights, self._shipped, strict=True):
            variable.assign(value)
        if way == "head":
            self._fit_head(train)
        elif way == "tuned":
            self._tune(train)

    def _fit_head(self, train: Portraits) -> None:
        """Fit a head near the shipped one on plain, mirrored and random views; validation over persons says how near.

        Without two persons there is nothing to validate on, and the pull is a middling one.
        """
        network, places = self.network, self._seen.places(train)
        views: list[View] = ["plain", "mirrored", *range(1, _HEAD_VIEWS + 1)]
        features = np.concatenate([self._seen.features(view, places) for view in views]).astype(np.float64)
        targets = np.tile(train.targets, len(views))
        persons = [sample.person or sample.path for sample in train.samples] * len(views)
        kernel, bias = (np.asarray(value, dtype=np.float64) for value in network.head.get_weights())
        known = Head(kernel[:, 0], float(bias[0]))
        strength = _MIDDLING
        if len(set(persons)) > 1:
            plain = np.arange(len(targets)) < len(train.samples)
            strength = choose_strength(known, features, targets, persons, plain)
        head = fit_near(known, features, targets, strength=strength)
        network.head.set_weights([head.kernel[:, None], np.array([head.bias])])

    def _tune(self, train: Portraits) -> None:
        """Train the layers after the cut on a new random view of each picture in each epoch."""
        config, backbone = self._config, self.network.backbone
        feed = _Epochs(self._seen, train, config)
        steps = len(feed)
        rates = keras.optimizers.schedules.CosineDecay(
            0.1 * config.learning_rate,
            max(1, steps - steps // 5),
            alpha=0.02,
            warmup_target=config.learning_rate,
            warmup_steps=max(1, steps // 5),
        )
        middle = backbone.layers[self._cut].output
        inputs = keras.Input(middle.shape[1:], name="activations")
        pool, dropout = (self.network.training.get_layer(name) for name in ("pool", "dropout"))
        features = pool(FoldedLayers(middle.name, backbone.layers[self._cut + 1 :])(inputs))
        model = keras.Model(inputs, self.network.head(dropout(features)), name="gafas_tuned_part")
        compile_averaged(model, rates, averaging=config.averaging, weight_decay=_WEIGHT_DECAY)
        if self.network.dropout_state is not None:
            self.network.dropout_state.state.assign([config.seed, 0])
        # One fit for all epochs: one for each would put the average of the weights in place too early.
        fitted = model.fit(feed, shuffle=False, verbose=0)
        if self._listener is not None:
            logs = {key: float(values[-1]) for key, values in fitted.history.items()}
            self._listener(Progress("tuned", config.epochs, config.epochs, steps, steps, logs))


def _centre(network: FaceNetwork) -> None:
    """Shift the head so that the shipped model's threshold lies at P = 0.5, where training puts it too."""
    threshold = load_bundle(shipped_bundle()).manifest.threshold
    kernel, bias = (np.asarray(value) for value in network.head.get_weights())
    network.head.set_weights([kernel, bias - np.log(threshold / (1 - threshold))])


class _Epochs(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """Full batches of all epochs, one after the other; what is left over comes another time."""

    def __init__(self, seen: SeenPictures, train: Portraits, config: AdaptConfig) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=4)
        self._seen, self._config = seen, config
        self._places, self._targets = seen.places(train), train.targets.astype(np.float32)[:, None]
        self._steps = max(1, len(self._places) // config.batch_size)

    def __len__(self) -> int:
        return self._config.epochs * self._steps

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        epoch, step = 1 + index // self._steps, index % self._steps
        order = np.random.default_rng([self._config.seed, epoch]).permutation(len(self._places))
        chosen = order[step * self._config.batch_size : (step + 1) * self._config.batch_size]
        return self._seen.activations(epoch, self._places[chosen]), self._targets[chosen]

"""The shipped face model on a data set of one's own: as it is, with a new head, or lightly fine-tuned.

Which of the first two serves best is chosen on inner validation, person-disjoint where persons are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gafas.bundle import load_bundle, shipped_bundle
from gafas.errors import DataError
from gafas.imaging import Rgb
from gafas.learn.backbone import run_batches
from gafas.learn.backend import keras
from gafas.learn.config import AdaptConfig
from gafas.learn.face_feed import ViewFeed
from gafas.learn.face_model import FaceNetwork, build_shipped_network
from gafas.learn.fitting import Listener, Progress, check_training_part, compile_averaged
from gafas.learn.near_head import Head, choose_strength, fit_near
from gafas.learn.portraits import Portraits
from gafas.learn.views import ViewConfig, random_view
from gafas.scoring.metrics import evaluate
from gafas.values import Sample

ARCHITECTURE = "MobileNetV2 1.0, global average pooling, dropout, dense 1: P(sunglasses); adapted from gafas-base"

WAYS = ("base", "head")
"""Those that compete; ``tuned`` has to be asked for."""

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


@dataclass(frozen=True, slots=True)
class Adapted:
    """An adapted network and how it came about.

    Attributes
    ----------
    network : FaceNetwork
        With one output, P(sunglasses).
    way : str
        ``base``, ``head`` or ``tuned``: the one that was taken.
    losses : dict
        Way → log loss on inner validation; empty where the way was given.
    """

    network: FaceNetwork
    way: str
    losses: dict[str, float]


def adapt(config: AdaptConfig, train: Portraits, *, listener: Listener | None = None) -> Adapted:
    """Adapt the shipped model to training pictures.

    Parameters
    ----------
    train : Portraits
        All that may be looked at; a part of it is held out while the way is chosen.
    listener : callable or None
        Told when an epoch has ended.

    Raises
    ------
    DataError
        Too few pictures or one class only.
    BundleError
        The installation's bundle is damaged.
    """
    check_training_part(train, config.batch_size)
    way, losses = config.way, dict[str, float]()
    if way == "auto":
        paths = inner_split(train.samples, fraction=config.inner_fraction, seed=config.seed)
        inner, held = (train.take(part) for part in paths)
        for name in WAYS:
            network = _fit(config, name, inner, listener)
            scores = run_batches(network.inference, held.images)[:, 0]
            losses[name] = evaluate(held.targets, scores, threshold=config.threshold).loss
        way = min(losses, key=lambda name: losses[name])
    return Adapted(_fit(config, way, train, listener), way, losses)


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


def _fit(config: AdaptConfig, way: str, train: Portraits, listener: Listener | None) -> FaceNetwork:
    network = build_shipped_network(outputs=1)
    _centre(network)
    if way == "head":
        _fit_head(network, train, config)
    elif way == "tuned":
        _tune(network, config, train, listener)
    return network


def _centre(network: FaceNetwork) -> None:
    """Shift the head so that the shipped model's threshold lies at P = 0.5, where training puts it too."""
    threshold = load_bundle(shipped_bundle()).manifest.threshold
    kernel, bias = (np.asarray(value) for value in network.head.get_weights())
    network.head.set_weights([kernel, bias - np.log(threshold / (1 - threshold))])


def _feed(config: AdaptConfig, train: Portraits, epoch: int) -> ViewFeed:
    return ViewFeed(
        train,
        np.arange(len(train.samples)),
        size=config.input_size,
        batch_size=config.batch_size,
        margin=config.margin,
        seed=config.seed,
        epoch=epoch,
        views=VIEWS,
    )


def _fit_head(network: FaceNetwork, train: Portraits, config: AdaptConfig) -> None:
    """Fit a head near the shipped one on plain, mirrored and random views; validation over persons says how near.

    Without two persons there is nothing to validate on, and the pull is a middling one.
    """
    views = [train.images, train.images[:, :, ::-1], *_random_views(train, config)]
    features = np.concatenate([run_batches(network.features, images) for images in views]).astype(np.float64)
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


def _random_views(train: Portraits, config: AdaptConfig) -> Iterator[Rgb]:
    random = np.random.default_rng([config.seed, _HEAD_VIEWS])
    for _ in range(_HEAD_VIEWS):
        yield np.stack(
            [
                random_view(photograph, box, config.input_size, random, VIEWS, margin=config.margin)
                for photograph, box in zip(train.photographs, train.boxes, strict=True)
            ]
        )


def _tune(network: FaceNetwork, config: AdaptConfig, train: Portraits, listener: Listener | None) -> None:
    steps = config.epochs * len(_feed(config, train, 1))
    rates = keras.optimizers.schedules.CosineDecay(
        0.1 * config.learning_rate,
        max(1, steps - steps // 5),
        alpha=0.02,
        warmup_target=config.learning_rate,
        warmup_steps=max(1, steps // 5),
    )
    compile_averaged(network.training, rates, averaging=config.averaging, weight_decay=_WEIGHT_DECAY)
    # One feed for all epochs would show the same views again; one fit for each would average too early.
    feed = _Epochs([_feed(config, train, epoch) for epoch in range(1, config.epochs + 1)])
    fitted = network.training.fit(feed, shuffle=False, verbose=0)
    if listener is not None:
        logs = {key: float(values[-1]) for key, values in fitted.history.items()}
        listener(Progress("tuned", config.epochs, config.epochs, len(feed), len(feed), logs))


class _Epochs(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """Several feeds one after the other, as one."""

    def __init__(self, feeds: Sequence[ViewFeed]) -> None:
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=16)
        self._feeds = feeds

    def __len__(self) -> int:
        return sum(len(feed) for feed in self._feeds)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        place, step = divmod(index, len(self._feeds[0]))
        return self._feeds[place][step]

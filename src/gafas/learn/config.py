"""Recipes as frozen values, stored as JSON with the run. No Keras here: a config is cheap to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from gafas.errors import DataError, UsageError
from gafas.files import read_json

SplitKind = Literal["file", "person", "block"]


def _require(fine: bool, key: str, expected: str, got: object) -> None:
    if not fine:
        raise UsageError(f"{key}: expected {expected}, got {got}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What every recipe has: the pictures' size, the split and the seed.

    Attributes
    ----------
    seed : int
        Of the split, the initial weights, the order of images, augmentation and dropout.
    input_size : int
        Side of the square model input, in pixels.
    batch_size : int
        Images in one training step; also the least number of training images.
    split : {"file", "person", "block"}
        ``file`` deals out files as Keras does, so persons are on both sides; ``person`` deals out persons;
        ``block`` deals out blocks of a hundred consecutive numbers in the file names.
    validation_fraction : float
        Of all files, with ``split="file"``; the test set is taken from it.
    test_count : int
        Files of the fixed test set, with ``split="file"``; 0 takes a fifth of the held-out batches, which is
        the notebook's 30 of 187.
    threshold : float
        P(sunglasses) from which the label is ``sunglasses``.
    """

    recipe: ClassVar[str]

    seed: int = 123456
    input_size: int = 128
    batch_size: int = 10
    split: SplitKind = "file"
    validation_fraction: float = 0.3
    test_count: int = 0
    threshold: float = 0.5

    def __post_init__(self) -> None:
        """Check the values that no later step would catch with a clear word."""
        _require(0 <= self.seed < 2**32, "seed", "0 to 4294967295", self.seed)
        _require(self.batch_size > 0, "batch_size", "at least 1", self.batch_size)
        _require(self.split in {"file", "person", "block"}, "split", "file, person or block", self.split)
        _require(
            0 < self.validation_fraction < 1,
            "validation_fraction",
            "between 0 and 1",
            self.validation_fraction,
        )
        _require(self.test_count >= 0, "test_count", "0 or more", self.test_count)
        _require(0 < self.threshold < 1, "threshold", "between 0 and 1", self.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookConfig(Config):
    """The notebook's two-stage transfer learning.

    Measured on the CMU Face Images, split by file, seeds 123456, 1 and 2: frozen 0.847-0.898 validation
    accuracy (n = 157); tuned 0.955-0.994 validation and 0.833-1.000 test (n = 30).

    Command: ``gafas train --recipe notebook``.

    Attributes
    ----------
    flip, rotation : str, float
        Of the augmentation layers; the rotation is a fraction of a full turn, to both sides.
    epochs, learning_rate : int, float
        Frozen stage: Adam on the head alone.
    fine_tune_epochs, fine_tune_learning_rate, fine_tune_at : int, float, int
        Tuned stage: RMSprop; backbone layers from number `fine_tune_at` up are trained as well.
        6 epochs, although the notebook says 5: its ``initial_epoch`` repeats one.
    """

    recipe: ClassVar[str] = "notebook"

    flip: str = "horizontal"
    rotation: float = 0.2
    dropout: float = 0.2
    epochs: int = 15
    learning_rate: float = 1e-4
    fine_tune_epochs: int = 6
    fine_tune_learning_rate: float = 1e-5
    fine_tune_at: int = 100

    def __post_init__(self) -> None:
        """Check the training values."""
        Config.__post_init__(self)
        _require(
            self.input_size >= 32,
            "input_size",
            "at least 32 (MobileNetV2 halves five times)",
            self.input_size,
        )
        flips = {"horizontal", "vertical", "horizontal_and_vertical"}
        _require(self.flip in flips, "flip", " or ".join(sorted(flips)), self.flip)
        _require(0 <= self.rotation <= 1, "rotation", "0 to 1 turns", self.rotation)
        _require(0 <= self.dropout < 1, "dropout", "0 to below 1", self.dropout)
        _require(self.epochs > 0, "epochs", "at least 1", self.epochs)
        _require(
            self.fine_tune_epochs >= 0,
            "fine_tune_epochs",
            "0 (frozen stage only) or more",
            self.fine_tune_epochs,
        )
        for key in ("learning_rate", "fine_tune_learning_rate"):
            _require(0 < getattr(self, key) < 1, key, "between 0 and 1", getattr(self, key))
        _require(0 <= self.fine_tune_at < 154, "fine_tune_at", "a layer number from 0 to 153", self.fine_tune_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class PcaConfig(Config):
    """Principal components of the grey pixels, then logistic regression: what the notebook talks of.

    Command: ``gafas train --recipe pca``.

    Attributes
    ----------
    variance : float
        As many components are kept as explain this share of the training pixels' variance.
    regularization : float
        Inverse strength C of the logistic regression's L2 penalty.
    """

    recipe: ClassVar[str] = "pca"

    variance: float = 0.95
    regularization: float = 1.0

    def __post_init__(self) -> None:
        """Check the values of the baseline."""
        Config.__post_init__(self)
        _require(self.input_size >= 8, "input_size", "at least 8", self.input_size)
        _require(0 < self.variance < 1, "variance", "between 0 and 1", self.variance)
        _require(self.regularization > 0, "regularization", "above 0", self.regularization)


@dataclass(frozen=True, slots=True, kw_only=True)
class GafasConfig(Config):
    """MobileNetV2 on face crops for two outputs, P(sunglasses) and P(eyeglasses); how the shipped model is made.

    The head is fitted first (logistic regression), then all layers are trained with AdamW,
    a cosine schedule and an exponential moving average of the weights. Bare faces get pasted glasses,
    every view is random: see `gafas.learn.views` and `gafas.learn.wearing`. Temperatures are chosen on random views of
    the validation part, thresholds on its pictures under the conditions of `gafas.learn.conditions`.

    Command: ``gafas train --recipe gafas``.

    Attributes
    ----------
    margin : float
        Side of the square that the model sees, in long sides of the face detector's box.
    epochs, learning_rate : int, float
        Of all layers together; the rate is the schedule's highest.
    cycle : int
        Epochs after which the rate has fallen and starts from its highest again.
    weight_decay, averaging, dropout : float
        Of AdamW; momentum of the weights' moving average; before the head.
    validation_views : int
        Random views of each validation picture, for the temperatures.
    graft, dark, clear, hair, drawn, arms : float
        How often eyes are exchanged and glasses pasted; see `gafas.learn.wearing.PasteConfig`.
    """

    recipe: ClassVar[str] = "gafas"

    input_size: int = 112
    batch_size: int = 32
    split: SplitKind = "block"
    margin: float = 1.5
    epochs: int = 90
    cycle: int = 90
    learning_rate: float = 3e-4
    weight_decay: float = 1e-3
    averaging: float = 0.995
    dropout: float = 0.2
    validation_views: int = 8
    graft: float = 0.4
    dark: float = 0.38
    clear: float = 0.2
    hair: float = 0.06
    drawn: float = 0.5
    arms: float = 0.8

    def __post_init__(self) -> None:
        """Check the training values."""
        Config.__post_init__(self)
        _require(self.input_size >= 32, "input_size", "at least 32 (MobileNetV2 halves five times)", self.input_size)
        _require(1 <= self.margin <= 4, "margin", "1 to 4", self.margin)
        _require(self.epochs > 0, "epochs", "at least 1", self.epochs)
        _require(self.cycle > 0, "cycle", "at least 1", self.cycle)
        _require(0 < self.learning_rate < 1, "learning_rate", "between 0 and 1", self.learning_rate)
        _require(0 <= self.weight_decay < 1, "weight_decay", "0 to below 1", self.weight_decay)
        _require(0 <= self.averaging < 1, "averaging", "0 to below 1", self.averaging)
        _require(0 <= self.dropout < 1, "dropout", "0 to below 1", self.dropout)
        _require(self.validation_views > 0, "validation_views", "at least 1", self.validation_views)
        for key in ("graft", "dark", "clear", "hair", "drawn", "arms"):
            _require(0 <= getattr(self, key) <= 1, key, "0 to 1", getattr(self, key))
        _require(self.dark + self.clear + self.hair <= 1, "dark + clear + hair", "at most 1", self.dark + self.clear)


@dataclass(frozen=True, slots=True, kw_only=True)
class NanoConfig(GafasConfig):
    """A narrower and shorter MobileNetV2 taught by the shipped model: a fifth of its size in 8 bits.

    Sees what recipe ``gafas`` sees; its targets are mixed of the labels and of what the teacher says. See
    `gafas.learn.nano`.

    Command: ``gafas train --recipe nano``.

    Attributes
    ----------
    width : float
        Of MobileNetV2; 1 is the teacher's.
    channels : int
        Of the last convolution.
    trust : float
        The teacher's share in the targets.
    fresh : int
        Epochs with views of their own; later ones show the same views again, every other time mirrored. They are kept
        in memory, 82 MB an epoch with ``celeba_glasses``, since making and judging a view takes as long as learning
        from it.
    """

    recipe: ClassVar[str] = "nano"

    input_size: int = 112
    batch_size: int = 64
    epochs: int = 180
    cycle: int = 180
    learning_rate: float = 2e-3
    averaging: float = 0.998
    dropout: float = 0.0
    width: float = 0.5
    channels: int = 512
    trust: float = 0.7
    fresh: int = 90

    def __post_init__(self) -> None:
        """Check the values of the small network."""
        GafasConfig.__post_init__(self)
        widths = (0.35, 0.5, 0.75, 1.0)
        _require(self.width in widths, "width", "0.35, 0.5, 0.75 or 1", self.width)
        _require(1 <= self.channels <= 1280, "channels", "1 to 1280", self.channels)
        _require(0 <= self.trust <= 1, "trust", "0 to 1", self.trust)
        _require(self.fresh > 0, "fresh", "at least 1", self.fresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptConfig(Config):
    """The shipped face model, adapted to a data set of one's own: P(sunglasses) only.

    Two ways compete on inner validation, whose persons are not in inner training: the shipped model as it is, and a
    new head on its features; the one with the least log loss is then fitted to all training pictures. A third, a light
    fine-tuning of all layers, takes ten times as long and has to be asked for. Input size and margin are the shipped
    model's.

    Command: ``gafas train --recipe adapt``.

    Attributes
    ----------
    way : {"auto", "base", "head", "tuned"}
        ``auto`` lets them compete.
    epochs, learning_rate : int, float
        Of the fine-tuning.
    inner_fraction : float
        Share of the training persons (files, where no person is known) held out to choose the way.
    """

    recipe: ClassVar[str] = "adapt"

    input_size: int = 112
    batch_size: int = 32
    split: SplitKind = "person"
    margin: float = 1.5
    way: str = "auto"
    epochs: int = 5
    learning_rate: float = 1e-4
    averaging: float = 0.97
    inner_fraction: float = 0.2

    def __post_init__(self) -> None:
        """Check the values of the adaptation."""
        Config.__post_init__(self)
        _require(self.way in {"auto", "base", "head", "tuned"}, "way", "auto, base, head or tuned", self.way)
        _require(self.epochs > 0, "epochs", "at least 1", self.epochs)
        _require(0 < self.learning_rate < 1, "learning_rate", "between 0 and 1", self.learning_rate)
        _require(0 <= self.averaging < 1, "averaging", "0 to below 1", self.averaging)
        _require(0 < self.inner_fraction < 1, "inner_fraction", "between 0 and 1", self.inner_fraction)


RECIPES: dict[str, Config] = {
    c.recipe: c for c in (NotebookConfig(), PcaConfig(), GafasConfig(), NanoConfig(), AdaptConfig())
}


def make_config(recipe: str, overrides: Mapping[str, Any]) -> Config:
    """Return a recipe's config with some values replaced; ``None`` means the recipe's own value.

    Text values are converted to the type of the field, so that ``key=value`` words can be passed on.

    Raises
    ------
    UsageError
        An unknown recipe or key, a value of the wrong type or out of range.
    """
    if recipe not in RECIPES:
        raise UsageError(f"recipe: expected one of {', '.join(RECIPES)}, got {recipe}")
    base = RECIPES[recipe]
    known = {f.name: getattr(base, f.name) for f in fields(base)}
    values: dict[str, Any] = {}
    for key, value in overrides.items():
        if value is None:
            continue
        if key not in known:
            raise UsageError(f"{key}: not a setting of recipe {recipe}; it has {', '.join(known)}")
        kind = type(known[key])
        try:
            values[key] = kind(value)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{key}: expected {kind.__name__}, got {value!r}") from error
    return replace(base, **values)


def config_to_json(config: Config) -> dict[str, Any]:
    """Return the config as a JSON object, the recipe's name first."""
    return {"recipe": config.recipe, **asdict(config)}


def read_config(path: Path) -> Config:
    """Read the config from a run's ``config.json``.

    Raises
    ------
    DataError
        The file is missing, damaged or of an unknown recipe.
    """
    try:
        raw = read_json(path)
        return make_config(raw["config"]["recipe"], {k: v for k, v in raw["config"].items() if k != "recipe"})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise DataError(f"{path}: expected a run's configuration, got {type(error).__name__}: {error}") from error

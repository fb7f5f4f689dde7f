"""Recipes: the notebook's own values, overrides, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gafas.errors import DataError, UsageError
from gafas.learn.config import RECIPES, NotebookConfig, config_to_json, make_config, read_config


def test_notebook_recipe_is_the_notebook() -> None:
    config = RECIPES["notebook"]
    assert isinstance(config, NotebookConfig)
    assert (config.input_size, config.batch_size, config.seed, config.validation_fraction) == (128, 10, 123456, 0.3)
    assert (config.flip, config.rotation, config.dropout) == ("horizontal", 0.2, 0.2)
    assert (config.epochs, config.learning_rate) == (15, 1e-4)
    assert (config.fine_tune_epochs, config.fine_tune_learning_rate, config.fine_tune_at) == (6, 1e-5, 100)


def test_overrides_take_words_and_none() -> None:
    config = make_config("notebook", {"epochs": "3", "dropout": "0.5", "seed": None})
    assert isinstance(config, NotebookConfig)
    assert (config.epochs, config.dropout, config.seed) == (3, 0.5, 123456)


@pytest.mark.parametrize(
    ("recipe", "overrides", "message"),
    [
        ("cake", {}, "recipe: expected one of notebook, pca, gafas, nano, adapt, got cake"),
        ("notebook", {"colour": 1}, "colour: not a setting of recipe notebook"),
        ("notebook", {"epochs": "many"}, "epochs: expected int, got 'many'"),
        ("notebook", {"epochs": 0}, "epochs: expected at least 1, got 0"),
        ("notebook", {"input_size": 16}, "input_size: expected at least 32"),
        ("notebook", {"batch_size": 0}, "batch_size"),
        ("notebook", {"learning_rate": 2.0}, "learning_rate"),
        ("notebook", {"dropout": 1.0}, "dropout"),
        ("notebook", {"rotation": -0.1}, "rotation"),
        ("notebook", {"flip": "sideways"}, "flip"),
        ("notebook", {"fine_tune_at": 154}, "fine_tune_at"),
        ("notebook", {"split": "thirds"}, "split: expected file, person or block, got thirds"),
        ("notebook", {"seed": -1}, "seed"),
        ("notebook", {"threshold": 1.0}, "threshold"),
        ("pca", {"variance": 1.0}, "variance"),
        ("pca", {"regularization": 0}, "regularization"),
        ("pca", {"epochs": 3}, "epochs: not a setting of recipe pca"),
    ],
)
def test_wrong_settings_are_named(recipe: str, overrides: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_config(recipe, overrides)


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_config_survives_json(recipe: str, tmp_path: Path) -> None:
    config = make_config(recipe, {"seed": 7, "split": "person"})
    (tmp_path / "config.json").write_text(json.dumps({"config": config_to_json(config)}))
    assert read_config(tmp_path / "config.json") == config


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"config": {"recipe": "cake"}}', '{"config": 3}'])
def test_damaged_config_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(DataError, match="expected a run's configuration"):
        read_config(tmp_path / "config.json")

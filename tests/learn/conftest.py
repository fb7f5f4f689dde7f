"""Small trainings on drawn faces: 32 pixels, random backbone, so that a run takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gafas.cli.training import DataRequest, Job, start_job
from gafas.learn.config import make_config

SMALL = {"input_size": 32, "epochs": 2, "fine_tune_epochs": 2, "seed": 3, "test_count": 8}
MakeJob = Callable[..., Job]


@pytest.fixture(scope="module")
def make_job(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeJob:
    """Start a small job in a folder of its own; keywords replace values of the recipe."""

    def make(name: str, recipe: str = "notebook", **overrides: object) -> Job:
        small = SMALL if recipe == "notebook" else {"input_size": 32, "seed": 3, "test_count": 8}
        config = make_config(recipe, {**small, **overrides})
        request = DataRequest(data=str(synthetic_root))
        return start_job(
            config, request, weights="random", output=tmp_path_factory.mktemp("jobs") / name, overwrite=False
        )

    return make

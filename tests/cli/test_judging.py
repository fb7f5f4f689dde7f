"""Opening a model for evaluation, and one score for each image whatever is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gafas.bundle import ONNX, Manifest, save_manifest
from gafas.cli.judging import judge, open_predictor
from gafas.errors import UsageError
from gafas.imaging import write_image
from gafas.values import Dataset, Sample
from tests.faces import crowd, portrait


def opened(model: Path, **options: Any) -> Any:
    defaults: dict[str, Any] = {
        "runtime": "auto",
        "threads": 1,
        "threshold": None,
        "scale": "probability",
        "positive": "sunglasses",
    }
    return open_predictor(model, **(defaults | options))


@pytest.mark.parametrize(
    ("trained_on", "asked", "expected"),
    [("face", "auto", "face"), ("face", "whole", "whole"), ("whole", "auto", "whole"), ("whole", "face", "face")],
)
def test_the_region_of_a_bundle(bundle: Path, trained_on: str, asked: str, expected: str) -> None:
    save_manifest(bundle, Manifest(name="m", architecture="none", input_size=(8, 8), region=trained_on))
    assert opened(bundle, region=asked).region == expected


@pytest.mark.parametrize(("asked", "expected"), [("auto", "whole"), ("whole", "whole"), ("face", "face")])
def test_a_bare_model_file_judges_the_whole_image_unless_told(bundle: Path, asked: str, expected: str) -> None:
    predictor = opened(bundle / ONNX, region=asked)
    assert predictor.region == expected
    assert predictor.predict(portrait())[0].region == expected


def test_an_unknown_region(bundle: Path) -> None:
    for model in (bundle, bundle / ONNX):
        with pytest.raises(UsageError, match="--region: expected one of auto, face, whole, got nose"):
            opened(model, region="nose")


@pytest.mark.parametrize("region", ["whole", "face"])
def test_one_score_for_each_image(bundle: Path, tmp_path: Path, region: str) -> None:
    pytest.importorskip("gafas.learn.results")
    images = {"one.png": portrait(), "two.png": crowd(1, 2, (120, 128)), "none.png": np.zeros((9, 9, 3), np.uint8)}
    for name, image in images.items():
        write_image(tmp_path / name, image)
    (tmp_path / "broken.png").touch()
    samples = [Sample(name, "sunglasses") for name in (*images, "broken.png")]
    judged = judge(opened(bundle, region=region), Dataset("d", tmp_path, tuple(samples)), samples, {})
    assert len(judged.probabilities) == len(judged.samples) == 3
    assert [path for path, _ in judged.failed] == ["broken.png"]
    assert judged.probabilities[2] > 0.99

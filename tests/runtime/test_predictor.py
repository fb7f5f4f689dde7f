"""The Python face: arrays, bytes and paths in, verdicts out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gafas
from gafas.bundle import ONNX, TFLITE, TFLITE_FULL, Manifest, load_bundle, save_manifest
from gafas.errors import BundleError, ImageError, UsageError
from gafas.imaging import Rgb, encode
from gafas.runtime.backends import ConstantBackend
from gafas.runtime.predictor import Predictor, as_image, load_predictor
from gafas.values import FaceBox, Verdict
from tests.runtime.tiny import TINY_TFLITE


class TwoOutputs:
    """P(sunglasses) and P(eyeglasses), always the same."""

    input_size = (4, 4)

    def probabilities(self, images: Rgb) -> Any:
        return np.tile(np.array([[0.75, 0.25]], np.float32), (len(images), 1))


def grey(brightness: int, height: int = 10, width: int = 20) -> Rgb:
    return np.full((height, width, 3), brightness, np.uint8)


def test_a_verdict_on_the_whole_image() -> None:
    verdict = Predictor(ConstantBackend(0.75)).predict(grey(0))
    assert verdict == (Verdict("whole", FaceBox(0, 0, 20, 10), 0.75, None, "sunglasses"),)


def test_a_model_that_knows_eyeglasses_too() -> None:
    (verdict,) = Predictor(TwoOutputs()).predict(grey(0))
    assert (verdict.sunglasses, verdict.eyeglasses) == (0.75, 0.25)


@pytest.mark.parametrize(
    ("threshold", "label"), [(0, "sunglasses"), (0.75, "sunglasses"), (0.76, "no_sunglasses"), (1, "no_sunglasses")]
)
def test_the_threshold_is_inclusive(threshold: float, label: str) -> None:
    assert Predictor(ConstantBackend(0.75), threshold=threshold).predict(grey(0))[0].label == label


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_thresholds_outside_0_to_1(threshold: float) -> None:
    with pytest.raises(UsageError, match="threshold: expected 0 to 1, got"):
        Predictor(ConstantBackend(0.5), threshold=threshold)


def test_images_of_any_sizes_go_together() -> None:
    verdicts = Predictor(ConstantBackend(0.5)).predict_batch([grey(0, 3, 5), grey(9, 300, 40)])
    assert [(v.box.x1, v.box.y1) for (v,) in verdicts] == [(5, 3), (40, 300)]
    assert Predictor(ConstantBackend(0.5)).predict_batch([]) == []


def test_array_bytes_and_path_are_the_same(bundle: Path, tmp_path: Path) -> None:
    predictor = gafas.load_predictor(bundle)
    image = np.random.default_rng(0).integers(0, 256, (10, 20, 3), dtype=np.uint8)
    data = encode(image, ".png")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    expected = predictor.predict(image)
    assert predictor.predict(data) == predictor.predict(path) == predictor.predict(str(path)) == expected


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (np.zeros((4, 4, 3), np.float32), r"float32 \(4, 4, 3\)"),
        (np.zeros((4, 4), np.uint8), r"uint8 \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"uint8 \(4, 4, 4\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"uint8 \(1, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), "at least one pixel"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_image(image: Any, got: str) -> None:
    with pytest.raises(UsageError, match=f"image: expected .*{got}"):
        as_image(image)


def test_files_and_bytes_that_are_no_image(tmp_path: Path) -> None:
    predictor = Predictor(ConstantBackend(0.5))
    with pytest.raises(ImageError, match=r"gone\.png: cannot be read"):
        predictor.predict(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="not a picture"):
        predictor.predict(b"text")


# Loading


def test_the_bundle_decides_and_can_be_overruled(bundle: Path) -> None:
    save_manifest(bundle, Manifest(name="strict", architecture="none", input_size=(8, 8), threshold=0.9))
    predictor = load_predictor(bundle)
    assert (predictor.threshold, predictor.name) == (0.9, "strict")
    assert load_predictor(bundle.parent / "tiny", threshold=0.1).threshold == 0.1
    assert load_predictor(str(bundle), threshold=0).threshold == 0
    with pytest.raises(UsageError, match="threshold"):
        load_predictor(bundle, threshold=2)


def test_a_run_folder(bundle: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    bundle.rename(run / "bundle")
    assert load_predictor(run).predict(grey(0))[0].label == "sunglasses"


def with_tflite(bundle: Path, name: str) -> None:
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    (bundle / name).write_bytes(TINY_TFLITE)
    save_manifest(bundle, load_bundle(bundle).manifest)


@pytest.mark.parametrize(("name", "runtime"), [(TFLITE, "litert"), (TFLITE_FULL, "litert-full")])
def test_the_runtimes_agree(bundle: Path, name: str, runtime: Any) -> None:
    with_tflite(bundle, name)
    images = [grey(brightness) for brightness in (0, 120, 135, 255)]
    by_onnx = load_predictor(bundle, runtime="onnx").score(images)
    by_litert = load_predictor(bundle, runtime=runtime).score(images)
    np.testing.assert_allclose(by_litert, by_onnx, atol=1e-6)


@pytest.mark.parametrize("name", [TFLITE, TFLITE_FULL])
def test_auto_takes_what_there_is(bundle: Path, name: str) -> None:
    (bundle / ONNX).unlink()
    save_manifest(bundle, Manifest(name="lite", architecture="none", input_size=(8, 8)))
    with pytest.raises(BundleError, match=r"has neither model\.onnx nor model\.tflite"):
        load_predictor(bundle)
    with_tflite(bundle, name)
    assert load_predictor(bundle).predict(grey(0))[0].label == "sunglasses"


def test_a_runtime_whose_file_is_missing(bundle: Path) -> None:
    with pytest.raises(BundleError, match=r"has no model\.tflite, only model\.onnx; make it with: gafas export"):
        load_predictor(bundle, runtime="litert")


def test_an_unknown_runtime(bundle: Path) -> None:
    with pytest.raises(UsageError, match="expected one of auto, onnx, litert, litert-full, got tensorrt"):
        load_predictor(bundle, runtime="tensorrt")  # type: ignore[arg-type]


def test_a_model_of_the_wrong_input_size(bundle: Path) -> None:
    save_manifest(bundle, Manifest(name="wrong", architecture="none", input_size=(128, 128)))
    with pytest.raises(BundleError, match="the graph takes 8×8 pixels, the manifest says 128×128"):
        load_predictor(bundle)


def test_a_changed_model_is_not_even_opened(bundle: Path) -> None:
    (bundle / ONNX).write_bytes(b"something else")
    with pytest.raises(BundleError, match="sha256"):
        load_predictor(bundle)

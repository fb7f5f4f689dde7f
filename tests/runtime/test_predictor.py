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
from gafas.runtime import predictor as predictor_module
from gafas.runtime.backends import ConstantBackend
from gafas.runtime.faces import FaceDetector
from gafas.runtime.predictor import Predictor, as_image, load_predictor
from gafas.values import FaceBox, Verdict
from tests.faces import SEEDS, portrait
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
    (verdict,) = Predictor(TwoOutputs(), outputs=("sunglasses", "eyeglasses")).predict(grey(0))
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


# Faces


class Faces:
    """Finds what it was told, and keeps the images it saw."""

    def __init__(self, *found: FaceBox) -> None:
        self.found, self.seen = found, 0

    def detect(self, image: Rgb) -> tuple[FaceBox, ...]:
        self.seen += 1
        return self.found


class Brightness:
    """P(sunglasses) is the mean brightness; keeps the sizes of its batches."""

    input_size = (4, 4)

    def __init__(self, outputs: int = 1) -> None:
        self.outputs = outputs
        self.batches: list[int] = []

    def probabilities(self, images: Rgb) -> Any:
        assert images.shape[1:] == (4, 4, 3)
        assert images.dtype == np.uint8
        self.batches.append(len(images))
        return np.repeat(images.mean(axis=(1, 2, 3))[:, None] / 255, self.outputs, axis=1).astype(np.float32)


LEFT, RIGHT = FaceBox(0, 0, 10, 10, 0.9), FaceBox(20, 0, 40, 20, 0.6, landmarks=((-5.0, 3.0),) * 5)


def two_sides() -> Rgb:
    image = grey(0, 20, 40)
    image[:, 15:] = 255
    return image


def by_face(*found: FaceBox, **options: Any) -> Predictor:
    return Predictor(Brightness(), region="face", detector=Faces(*found), **options)


def test_a_verdict_for_each_face_in_the_order_found() -> None:
    left, right = by_face(LEFT, RIGHT, margin=1).predict(two_sides())
    assert left == Verdict("face", LEFT, 0, None, "no_sunglasses")
    assert right == Verdict("face", RIGHT, 1, None, "sunglasses")


def test_the_margin_widens_what_is_seen() -> None:
    (verdict,) = by_face(FaceBox(2, 4, 14, 16, 0.9), margin=2).predict(two_sides())
    assert 0 < verdict.sunglasses < 1


def test_where_no_face_is_found_the_whole_image_is_judged() -> None:
    assert by_face().predict(grey(255)) == (Verdict("whole", FaceBox(0, 0, 20, 10), 1, None, "sunglasses"),)


def test_faces_and_whole_images_in_one_batch_keep_their_order() -> None:
    class Some:
        def detect(self, image: Rgb) -> tuple[FaceBox, ...]:
            return (LEFT, RIGHT) if image.shape[1] == 40 else ()

    backend = Brightness()
    predictor = Predictor(backend, region="face", margin=1, detector=Some())
    images = [grey(51), two_sides(), grey(102), two_sides()]
    verdicts = predictor.predict_batch(images)
    assert [[round(v.sunglasses, 3) for v in found] for found in verdicts] == [[0.2], [0, 1], [0.4], [0, 1]]
    assert backend.batches == [6]


def test_hundreds_of_faces_go_in_batches_of_bounded_size() -> None:
    many = [FaceBox(x % 30, x // 30, x % 30 + 3, x // 30 + 3, 0.5) for x in range(300)]
    predictor = by_face(*many)
    assert len(predictor.predict(two_sides())) == 300
    assert isinstance(predictor.backend, Brightness)
    assert max(predictor.backend.batches) <= 64
    assert sum(predictor.backend.batches) == 300


def test_the_score_of_an_image_is_that_of_its_largest_face() -> None:
    images = [two_sides(), two_sides()[:, ::-1].copy()]
    np.testing.assert_allclose(by_face(LEFT, RIGHT, margin=1).score(images), [[1.0], [0.25]], atol=0.02)
    np.testing.assert_allclose(by_face().score([grey(51)]), [[0.2]])
    assert by_face().score([]).shape == (0, 1)


def test_whole_images_need_no_detector() -> None:
    detector = Faces(LEFT)
    (verdict,) = Predictor(Brightness(), region="whole", detector=detector).predict(two_sides())
    assert (verdict.region, detector.seen) == ("whole", 0)
    with pytest.raises(UsageError, match="expected a detector, got none"):
        Predictor(Brightness(), region="face")
    with pytest.raises(UsageError, match="region: expected whole or face, got nose"):
        Predictor(Brightness(), region="nose")  # type: ignore[arg-type]


def test_a_graph_that_gives_less_than_the_bundle_says() -> None:
    predictor = Predictor(Brightness(), outputs=("sunglasses", "eyeglasses"), name="m")
    with pytest.raises(BundleError, match="m: expected a graph that gives sunglasses, eyeglasses, got 1 output"):
        predictor.predict(grey(0))
    # What the bundle does not name is left out.
    assert Predictor(Brightness(3)).score([grey(255)]).shape == (1, 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drawn_face_is_found_cut_out_and_judged(seed: int) -> None:
    canvas = grey(200, 600, 900)
    canvas[300:540, 500:756] = portrait(seed)
    predictor = Predictor(Brightness(), region="face", detector=FaceDetector())
    (verdict,) = predictor.predict(canvas)
    assert verdict.region == "face"
    assert (verdict.box.x0 > 500, verdict.box.x1 < 756, verdict.box.y0 > 300, verdict.box.y1 < 540) == (True,) * 4


# Loading


@pytest.mark.parametrize(
    ("trained_on", "asked", "expected"),
    [
        ("whole", "auto", "whole"),
        ("whole", "face", "face"),
        ("whole", "whole", "whole"),
        ("face", "auto", "face"),
        ("face", "whole", "whole"),
    ],
)
def test_the_region(bundle: Path, trained_on: str, asked: str, expected: str) -> None:
    save_manifest(bundle, Manifest(name="m", architecture="none", input_size=(8, 8), region=trained_on, margin=1.7))
    predictor = load_predictor(bundle, region=asked)
    assert (predictor.region, predictor.margin) == (expected, 1.7)
    assert predictor.predict(portrait())[0].region == expected


def test_the_detector_is_opened_only_where_faces_are_looked_for(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, opened = [], []

    class Opening(Faces):
        def open(self) -> None:
            opened.append(self)

    def make(**options: object) -> Faces:
        made.append(options)
        return Opening()

    monkeypatch.setattr(predictor_module, "FaceDetector", make)
    load_predictor(bundle)
    assert opened == []
    made.clear()
    options = {"min_face": 20, "threads": 2, "precision": "float32", "thorough": True}
    load_predictor(bundle, region="face", detector_size=320, **options)  # type: ignore[arg-type]
    assert made == [{"size": 320, **options}]
    assert len(opened) == 1


def test_an_unknown_region(bundle: Path) -> None:
    with pytest.raises(UsageError, match="--region: expected one of auto, face, whole, got nose"):
        load_predictor(bundle, region="nose")


def test_thresholds_and_outputs_come_from_the_bundle(bundle: Path) -> None:
    manifest = Manifest(
        name="m",
        architecture="none",
        input_size=(8, 8),
        outputs=("sunglasses", "eyeglasses"),
        eyeglasses_threshold=0.3,
    )
    save_manifest(bundle, manifest)
    predictor = load_predictor(bundle)
    assert (predictor.knows_eyeglasses, predictor.eyeglasses_threshold) == (True, 0.3)
    save_manifest(bundle, Manifest(name="m", architecture="none", input_size=(8, 8)))
    predictor = load_predictor(bundle)
    assert (predictor.knows_eyeglasses, predictor.eyeglasses_threshold) == (False, 0.5)


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

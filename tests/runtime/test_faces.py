"""The face detector: sizes, borders, crowds, nonsense, and its recall on real photographs."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gafas.datasets.cmu import read_cmu
from gafas.errors import BundleError, UsageError
from gafas.imaging import Rgb, read_image
from gafas.runtime import centerface, faces
from gafas.runtime.centerface import FLOAT32, INT8, MAX_FACES, suppress
from gafas.runtime.faces import FaceDetector, face_crop
from gafas.values import FaceBox, Resolution
from tests.faces import SEEDS, crowd, portrait


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def inside(face: FaceBox, image: Rgb) -> bool:
    height, width = image.shape[:2]
    return 0 <= face.x0 < face.x1 <= int(width) and 0 <= face.y0 < face.y1 <= int(height)


# Finding


@pytest.mark.parametrize("scale", [0.25, 0.5, 1, 2, 4])
@pytest.mark.parametrize("seed", SEEDS)
def test_small_and_large_images_alike(detector: FaceDetector, seed: int, scale: float) -> None:
    image = portrait(seed, (round(240 * scale), round(256 * scale)))
    (face,) = detector.detect(image)
    (expected,) = detector.detect(portrait(seed))
    assert face.confidence is not None
    assert face.confidence > 0.5
    assert inside(face, image)
    found, wanted = (np.array((f.x0, f.y0, f.x1, f.y1)) for f in (face, expected))
    # Within a sixth of the face.
    assert np.abs(found / scale - wanted).max() < expected.height / 6


def test_landmarks_are_eyes_above_nose_above_mouth_and_right_before_left(detector: FaceDetector) -> None:
    (face,) = detector.detect(portrait())
    assert face.landmarks is not None
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < nose[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_several_faces_the_surest_first(detector: FaceDetector) -> None:
    image = crowd(3, 4, (120, 128))
    found = detector.detect(image)
    assert len(found) == 12
    assert len({(face.x0 // 128, face.y0 // 120) for face in found}) == 12
    confidences = [face.confidence or 0 for face in found]
    assert confidences == sorted(confidences, reverse=True)


def test_hundreds_of_faces() -> None:
    image = crowd(20, 20)
    found = FaceDetector(size=1280).detect(image)
    assert len(found) == 400
    assert all(inside(face, image) for face in found)


def test_the_smallest_face(detector: FaceDetector) -> None:
    image = crowd(3, 4, (120, 128))
    assert FaceDetector(min_face=80).detect(image) == ()
    sizes = [max(face.width, face.height) for face in FaceDetector(min_face=60).detect(image)]
    assert 0 < len(sizes) < 12
    assert min(sizes) >= 59  # rounded


def test_faces_cut_by_the_border(detector: FaceDetector) -> None:
    right = portrait()[:, 120:]
    (face,) = detector.detect(right)
    assert inside(face, right)
    assert face.x0 < 10
    above = portrait()[110:]
    (face,) = detector.detect(above)
    assert face.y0 == 0
    assert face.landmarks is not None
    # An eye above the upper edge stays where it is.
    assert min(y for _, y in face.landmarks) < 0


@pytest.mark.parametrize(
    "shape", [(1, 1), (8, 8), (1, 5000), (5000, 1), (200, 300), (31, 33)], ids=lambda shape: f"{shape[1]}×{shape[0]}"
)
def test_no_face(detector: FaceDetector, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for image in (noise, np.zeros_like(noise), np.full_like(noise, 255)):
        assert detector.detect(image) == ()


def test_a_second_look_finds_the_half_face_that_fills_the_picture(detector: FaceDetector) -> None:
    half = portrait()[:, :125]
    assert detector._search(detector._network, half, 240) == ()
    (face,) = detector.detect(half)
    assert face.height > 0.4 * half.shape[0]


# What the network may give


class Session:
    """Gives the same heat everywhere, boxes of 40 pixels, and landmarks far out."""

    def __init__(self, heat: float, landmark: float = 0.5) -> None:
        self.heat, self.landmark = heat, landmark

    def run(self, _: None, feed: dict[str, Rgb]) -> list[Any]:
        rows, columns = (side // 4 for side in feed["image"].shape[1:3])
        maps = [np.full((1, channels, rows, columns), 0, np.float32) for channels in (1, 2, 2, 10)]
        maps[0][:], maps[1][:], maps[3][:] = self.heat, np.log(10), self.landmark
        return maps


def with_session(monkeypatch: pytest.MonkeyPatch, session: Session, **options: Any) -> FaceDetector:
    monkeypatch.setattr(centerface, "_open_session", lambda name, threads: session)
    return FaceDetector(**options)


def test_a_hostile_image_cannot_ask_for_more_than_a_thousand_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centerface, "suppress", lambda boxes, scores, *, overlap: list(range(len(boxes))))
    found = with_session(monkeypatch, Session(0.9)).detect(np.zeros((640, 640, 3), np.uint8))
    assert len(found) == MAX_FACES


def test_landmarks_out_of_the_image_are_reported_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.zeros((128, 128, 3), np.uint8)
    found = with_session(monkeypatch, Session(0.9, landmark=-9)).detect(image)
    assert found
    for face in found:
        assert inside(face, image)
        assert face.landmarks is not None
        assert min(min(point) for point in face.landmarks) < 0


def test_sizes_that_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    class Huge(Session):
        def run(self, _: None, feed: dict[str, Rgb]) -> list[Any]:
            maps = super().run(None, feed)
            maps[1][:] = 1e30
            return maps

    assert with_session(monkeypatch, Huge(0.9)).detect(np.zeros((64, 64, 3), np.uint8)) == ()


def test_the_network_sees_no_more_than_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = []

    class Watching(Session):
        def run(self, _: None, feed: dict[str, Rgb]) -> list[Any]:
            assert feed["image"].dtype == np.uint8
            shapes.append(feed["image"].shape[1:3])
            return super().run(None, feed)

    detector = with_session(monkeypatch, Watching(0.9), size=200, thorough=True)
    detector.detect(np.zeros((1000, 4000, 3), np.uint8))
    detector.detect(np.zeros((30, 20, 3), np.uint8))
    assert shapes == [(64, 224), (128, 96)]


# The quick look and the thorough one


class Looks(Session):
    """A face of a given long side in what it sees, found with a given confidence; remembers the shapes it was given."""

    def __init__(self, side: float, heat: float = 0.9) -> None:
        super().__init__(0)
        self.side, self.found, self.shapes = side, heat, list[tuple[int, int]]()

    def run(self, _: None, feed: dict[str, Rgb]) -> list[Any]:
        self.shapes.append(feed["image"].shape[1:3])
        maps = super().run(None, feed)
        maps[0][0, 0, 10, 10], maps[1][:] = self.found, np.log(self.side / 4)
        return maps


def looks_of(monkeypatch: pytest.MonkeyPatch, looks: Looks, **options: Any) -> tuple[int, list[tuple[int, int]]]:
    detector = with_session(monkeypatch, looks, **options)
    return len(detector.detect(np.zeros((480, 640, 3), np.uint8))), looks.shapes


def test_a_large_face_needs_the_quick_look_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for precision in ("float32", "int8"):
        assert looks_of(monkeypatch, Looks(60), precision=precision) == (1, [(256, 320)])


def test_a_small_face_asks_for_the_thorough_look(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks_of(monkeypatch, Looks(31)) == (1, [(256, 320), (480, 640)])


def test_the_hint_of_a_small_face_asks_for_the_thorough_look_too(monkeypatch: pytest.MonkeyPatch) -> None:
    count, shapes = looks_of(monkeypatch, Looks(20, heat=0.2))
    assert (count, shapes[:2]) == (0, [(256, 320), (480, 640)])


def test_thorough_means_one_look_at_full_size(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks_of(monkeypatch, Looks(60), thorough=True) == (1, [(480, 640)])


def test_a_small_picture_is_not_searched_twice_by_the_same_network(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(60)
    with_session(monkeypatch, looks, precision="float32").detect(np.zeros((120, 128, 3), np.uint8))
    assert looks.shapes == [(128, 128)]


def test_both_files_find_the_same_faces() -> None:
    image = crowd(2, 3)
    thorough, quick = (FaceDetector(precision=one, thorough=one == "float32") for one in ("float32", "int8"))
    assert len(quick.detect(image)) == len(thorough.detect(image))


@pytest.mark.real_data
def test_the_quick_look_loses_no_face_of_cmu(cmu_root: Path) -> None:
    paths = sorted(cmu_root.rglob("*_open.pgm"))[::6]
    thorough, quick = FaceDetector(thorough=True), FaceDetector(precision="int8")
    for path in paths:
        image = read_image(path)
        want, got = (max(one.detect(image), key=lambda box: box.area) for one in (thorough, quick))
        assert abs(np.log(got.width * got.height / (want.width * want.height))) < 0.3, path


# Suppression

BOXES = st.lists(st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 20)] * 2, st.integers(0, 100)), max_size=12)


def overlap_of(a: Any, b: Any) -> float:
    """Intersection over union, pixel by pixel."""
    grid = np.zeros((2, 60, 60), bool)
    for layer, (x0, y0, x1, y1) in zip(grid, (a, b), strict=True):
        layer[int(y0) : int(y1), int(x0) : int(x1)] = True
    return float((grid[0] & grid[1]).sum() / (grid[0] | grid[1]).sum())


@given(BOXES)
@settings(max_examples=60, deadline=None)
def test_suppression_is_what_it_says(drawn: list[tuple[int, ...]]) -> None:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in drawn], dtype=np.float64).reshape(-1, 4)
    scores = np.array([score for *_, score in drawn], dtype=np.float32)
    expected: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        if all(overlap_of(boxes[index], boxes[other]) < 0.3 for other in expected):
            expected.append(int(index))
    assert suppress(boxes, scores, overlap=0.3) == expected


# Crops


def test_the_crop_is_a_square_around_the_face() -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    square = face_crop(image, FaceBox(40, 30, 60, 70, 0.9), margin=1.5)
    assert np.array_equal(square, image[20:80, 20:80])


def test_a_crop_over_the_border_repeats_it() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    square = face_crop(image, FaceBox(0, 0, 20, 20, 0.9), margin=2)
    assert square.shape == (40, 40, 3)
    assert np.array_equal(square[10:30, 10:30], image)
    assert (square[:10, :10] == image[0, 0]).all()


# The file and the options


@pytest.mark.parametrize("name", [FLOAT32, INT8])
def test_the_files_that_the_package_carries(name: str) -> None:
    import onnxruntime

    path = Path(str(resources.files("gafas") / "assets" / name))
    assert path.stat().st_size <= 4_000_000
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (taken,) = session.get_inputs()
    assert (taken.name, taken.type, taken.shape) == ("image", "tensor(uint8)", ["n", "height", "width", 3])
    assert [output.name for output in session.get_outputs()] == ["heatmap", "size", "offset", "landmarks"]
    maps = [np.asarray(value) for value in session.run(None, {"image": np.zeros((2, 64, 96, 3), np.uint8)})]
    assert [value.shape for value in maps] == [(2, channels, 16, 24) for channels in (1, 2, 2, 10)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 63}, "--detector-size: expected 64 to 4096 pixels, got 63"),
        ({"size": 5000}, "got 5000"),
        ({"min_face": 0}, "--min-face: expected at least 1 pixel, got 0"),
        ({"threshold": 0}, "face threshold: expected between 0 and 1, got 0"),
        ({"threshold": 1}, "got 1"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        FaceDetector(**options)


def test_a_damaged_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "FLOAT32", "gone.onnx")
    with pytest.raises(BundleError, match=r"gone\.onnx: the face detector cannot be loaded: .*; install gafas again"):
        FaceDetector(thorough=True).detect(portrait())


# Real photographs


@pytest.mark.real_data
@pytest.mark.parametrize(("resolution", "least"), [("full", 620), ("half", 610), ("quarter", 580)])
def test_recall_on_the_cmu_photographs(
    detector: FaceDetector, cmu_root: Path, resolution: Resolution, least: int
) -> None:
    """Each of the 624 photographs shows one face; measured: 623, 616 and 589 found."""
    samples = read_cmu(cmu_root).at(resolution)
    assert len(samples) == 624
    assert sum(bool(detector.detect(read_image(cmu_root / sample.path))) for sample in samples) >= least


@pytest.mark.real_data
@pytest.mark.parametrize("kind", ["sunglasses", "eyeglasses", "none"])
def test_recall_and_place_on_colour_photographs(detector: FaceDetector, celeba_root: Path, kind: str) -> None:
    """The eyes of these aligned photographs are at about (69, 111) and (109, 111)."""
    paths = sorted((celeba_root / kind).glob("*.jpg"))[:150]
    right = 0
    for path in paths:
        found = detector.detect(read_image(path))
        eyes = np.array(max(found, key=lambda face: face.width).landmarks[:2]) if found else np.zeros((2, 2))  # type: ignore[index]
        right += bool(np.abs(eyes - [(69, 111), (109, 111)]).max() < 12)
    assert right >= 0.97 * len(paths)

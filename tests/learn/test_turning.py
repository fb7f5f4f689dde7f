"""Turned heads, pasted glasses and random views: geometry that can be checked, and bad input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2", reason="the train extra is not installed")

from gafas.datasets.folder import read_folder
from gafas.errors import DataError
from gafas.imaging import Rgb
from gafas.learn.glasses import Layer, draw_glasses, place, read_overlay, read_overlays, wear
from gafas.learn.portraits import load_portraits, main_face
from gafas.learn.turning import Pose, Worn, turn
from gafas.learn.views import PLAIN, ViewConfig, box_side, eyes_of, occlude, random_view, shade_eyes
from gafas.learn.wearing import TARGETS, PasteConfig, dress
from gafas.runtime.faces import FaceDetector, face_crop
from gafas.values import EYEWEAR, FaceBox

pytestmark = pytest.mark.train

BOX = FaceBox(
    50,
    60,
    130,
    160,
    confidence=0.9,
    landmarks=((70.0, 100.0), (110.0, 100.0), (90.0, 120.0), (75.0, 140.0), (105.0, 140.0)),
)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def photograph() -> Rgb:
    """A pale face with dark eyes on a grey ground."""
    image = np.full((218, 178, 3), 120, np.uint8)
    rows, columns = np.mgrid[:218, :178]
    image[((rows - 110) / 60) ** 2 + ((columns - 90) / 45) ** 2 < 1] = (230, 190, 170)
    for x in (70, 110):
        image[((rows - 100) / 5) ** 2 + ((columns - x) / 8) ** 2 < 1] = (30, 20, 20)
    return image


def _eye_columns(view: np.ndarray) -> np.ndarray:
    """Where the dark eyes are, in columns of the view, within the row of the eyes."""
    dark = view[30:62].mean(axis=2) < 60
    return np.flatnonzero(dark.any(axis=0))


def test_without_a_turn_the_view_is_the_plain_crop(photograph: Rgb) -> None:
    view = turn(photograph, BOX, 130, Pose(zoom=1.3))
    plain = face_crop(photograph, BOX, margin=1.3)
    assert view.shape == (130, 130, 3)
    assert np.abs(view - plain)[10:-10, 10:-10].mean() < 2


def test_mirror_is_the_mirrored_view(photograph: Rgb) -> None:
    pose = Pose(yaw=0.4, pitch=-0.2)
    assert np.allclose(
        turn(photograph, BOX, 96, pose)[:, ::-1], turn(photograph, BOX, 96, replace(pose, mirror=True)), atol=2
    )


def test_a_turned_head_shows_its_far_eye_narrower(photograph: Rgb) -> None:
    frontal = _eye_columns(turn(photograph, BOX, 96, Pose()))
    turned = _eye_columns(turn(photograph, BOX, 96, Pose(yaw=np.deg2rad(50))))
    assert np.ptp(turned) < 0.8 * np.ptp(frontal)


@pytest.mark.parametrize("yaw", [-80, -30, 0, 30, 80])
@pytest.mark.parametrize("pitch", [-55, 0, 30])
def test_every_pose_gives_finite_pixels(photograph: Rgb, random: np.random.Generator, yaw: int, pitch: int) -> None:
    layer = wear(draw_glasses(random), dark=True, random=random)
    worn = Worn(layer, place(layer, eyes_of(BOX), random), (10.0, 10.0, 10.0), 4.0)
    view = turn(photograph, BOX, 64, Pose(yaw=np.deg2rad(yaw), pitch=np.deg2rad(pitch), roll=0.3), worn)
    assert np.isfinite(view).all()
    assert view.min() >= -1
    assert view.max() <= 256


def test_pasted_sunglasses_darken_the_eyes_and_nothing_else(photograph: Rgb) -> None:
    changed = np.zeros((96, 96))
    for seed in range(20):
        random = np.random.default_rng(seed)
        _, worn, target = dress(photograph, BOX, 0, (), random, PasteConfig(dark=1, clear=0, hair=0, arms=0))
        assert target.tolist() == [1, 0]
        changed += np.abs(turn(photograph, BOX, 96, Pose(), worn) - turn(photograph, BOX, 96, Pose())).mean(axis=2) > 5
    rows = changed.sum(axis=1)
    # The eyes lie in row 38 of 96; the mouth in row 77.
    assert 30 <= rows.argmax() <= 46
    assert rows[70:].sum() < 0.05 * rows.sum()


def test_a_turned_head_shows_the_arm_on_the_near_side_only(photograph: Rgb, random: np.random.Generator) -> None:
    matrix = np.array([[90.0, 0.0, 45.0], [0.0, 1.0, 98.0]])
    red = Worn(None, matrix, (255.0, 0.0, 0.0), 6.0)

    def redness(yaw: float) -> np.ndarray:
        view = turn(photograph, BOX, 96, Pose(yaw=np.deg2rad(yaw)), red)
        return np.flatnonzero(((view[..., 0] > 200) & (view[..., 1] < 80)).any(axis=0))

    right, left = redness(-50), redness(50)
    assert len(right) > 10
    assert len(left) > 10
    assert right.mean() > 48 > left.mean()


def test_a_bent_frame_shows_its_near_lens_in_profile(photograph: Rgb) -> None:
    layer = Layer(np.zeros((30, 90, 3), np.float32), np.ones((30, 90), np.float32), ((25.0, 15.0), (65.0, 15.0)))
    matrix = np.array([[1.0, 0.0, 45.0], [0.0, 1.0, 85.0]])

    def covered(wrap: float, yaw: float) -> float:
        pose = Pose(yaw=np.deg2rad(yaw))
        bare = turn(photograph, BOX, 96, pose)
        changed = np.abs(turn(photograph, BOX, 96, pose, Worn(layer, matrix, None, 1.0, wrap)) - bare).mean(axis=2) > 20
        return float(changed.mean())

    assert covered(0.6, 85) > 2 * covered(0.0, 85)
    assert covered(0.6, 0) == pytest.approx(covered(0.0, 0), rel=0.1)


def test_the_square_shrinks_with_the_box_of_a_turned_head() -> None:
    assert box_side(0, 0) == 1
    assert box_side(60, 0) == box_side(-60, 0) < 1
    sides = [box_side(0, pitch) for pitch in (0, -20, -40, -60)]
    assert sides == sorted(sides, reverse=True)
    assert sides[-1] < 0.75


@pytest.mark.real_data
def test_the_detector_agrees_about_turned_heads(celeba_root: Path) -> None:
    dataset = read_folder(celeba_root)
    samples = [sample for sample in dataset.samples if sample.eyewear == "none"][:24]
    portraits, _ = load_portraits(dataset, samples, size=32, margin=1.5)
    detector = FaceDetector(threads=0)
    for yaw, pitch in ((0, 0), (60, 0), (0, -45), (0, 25)):
        sides = []
        for photograph, box in zip(portraits.photographs, portraits.boxes, strict=True):
            pose = Pose(yaw=np.deg2rad(yaw), pitch=np.deg2rad(pitch), zoom=2.6)
            face = main_face(detector.detect(turn(photograph, box, 256, pose).clip(0, 255).astype(np.uint8)))
            if face is not None:
                sides.append(max(face.width, face.height) / 256 * 2.6)
        assert np.median(sides) == pytest.approx(box_side(yaw, pitch), abs=0.08)


def test_glasses_in_the_hair_are_not_worn(photograph: Rgb, random: np.random.Generator) -> None:
    _, worn, target = dress(photograph, BOX, 0, (), random, PasteConfig(dark=0, clear=0, hair=1))
    assert worn is not None
    assert worn.layer is not None
    assert target.tolist() == [0, 0]
    middle = worn.matrix @ [*np.mean(worn.layer.centres, axis=0), 1]
    assert middle[1] < 75


@pytest.mark.parametrize("kind", range(3))
def test_glasses_that_are_worn_keep_their_target(photograph: Rgb, random: np.random.Generator, kind: int) -> None:
    never = PasteConfig(dark=0, clear=0, hair=0)
    image, _, target = dress(photograph, BOX, kind, (), random, never)
    assert image is photograph
    assert target.tolist() == TARGETS[kind].tolist()
    assert target.tolist() == [EYEWEAR[kind] == "sunglasses", EYEWEAR[kind] == "eyeglasses"]


def test_a_view_follows_from_its_seed(photograph: Rgb) -> None:
    views = [
        random_view(photograph, BOX, 48, np.random.default_rng(seed), ViewConfig(), margin=1.5) for seed in (1, 1, 2)
    ]
    assert (views[0] == views[1]).all()
    assert (views[0] != views[2]).any()


def test_views_of_many_seeds_are_pictures(photograph: Rgb) -> None:
    for seed in range(200):
        view = random_view(photograph, BOX, 48, np.random.default_rng(seed), ViewConfig(), margin=1.5)
        assert view.shape == (48, 48, 3)
        assert view.dtype == np.uint8


def test_a_plain_view_stays_near_the_crop(photograph: Rgb, random: np.random.Generator) -> None:
    view = random_view(photograph, BOX, 64, random, replace(PLAIN), margin=1.5)
    assert abs(float(view.mean()) - float(face_crop(photograph, BOX, margin=1.5).mean())) < 12


def test_landmarks_outside_the_image_and_none_at_all(photograph: Rgb, random: np.random.Generator) -> None:
    outside = replace(BOX, landmarks=((-40.0, -10.0), (300.0, 400.0), (0.0, 900.0), (-5.0, 3.0), (2.0, 1.0)))
    for box in (outside, replace(BOX, landmarks=None), FaceBox(0, 0, 1, 1), FaceBox(0, 0, 178, 218)):
        for kind in range(3):
            image, worn, _ = dress(photograph, box, kind, (), random, PasteConfig())
            view = random_view(image, box, 32, random, ViewConfig(), margin=1.5, worn=worn)
            assert view.shape == (32, 32, 3)


def test_shade_and_cover_change_the_picture_but_not_its_shape(photograph: Rgb, random: np.random.Generator) -> None:
    for change in (shade_eyes, occlude):
        changed = [change(photograph, BOX, random) for _ in range(10)]
        assert all(one.shape == photograph.shape and one.dtype == np.uint8 for one in changed)
        assert any((one != photograph).any() for one in changed)


def _overlay(path: Path, *, alpha: int | None = 0) -> Path:
    """Two rings with a bridge, on air of opacity `alpha`; ``None`` leaves the alpha channel out."""
    path.parent.mkdir(exist_ok=True)
    picture = np.zeros((60, 160, 4), np.uint8)
    rows, columns = np.mgrid[:60, :160]
    for x in (40, 120):
        distance = np.hypot(rows - 30, columns - x)
        picture[(distance < 28) & (distance > 22)] = (20, 20, 20, 255)
    picture[28:32, 66:94] = (20, 20, 20, 255)
    if alpha:
        picture[picture[..., 3] == 0] = (255, 255, 255, alpha)
    Image.fromarray(picture if alpha is not None else np.ascontiguousarray(picture[..., :3])).save(path)
    return path


def test_an_overlay_knows_its_lenses(tmp_path: Path) -> None:
    glasses = read_overlay(_overlay(tmp_path / "a.png"), dark=False)
    height, width = glasses.frame.shape
    (lx, ly), (rx, ry) = glasses.centres
    assert lx / width == pytest.approx(28 / 136, abs=0.02)
    assert rx / width == pytest.approx(108 / 136, abs=0.02)
    assert ly / height == pytest.approx(0.5, abs=0.05)
    assert ry == pytest.approx(ly, abs=1)
    assert glasses.lenses[int(ly), int(lx)] == 1
    assert glasses.lenses[:, width // 2].max() == 0


def test_the_same_frame_is_worn_clear_and_dark(tmp_path: Path, random: np.random.Generator) -> None:
    glasses = read_overlay(_overlay(tmp_path / "a.png"), dark=False)
    (x, y), _ = glasses.centres
    spot = (int(y), int(x))
    dark = [wear(glasses, dark=True, random=random).opacity[spot] for _ in range(20)]
    clear = [wear(glasses, dark=False, random=random).opacity[spot] for _ in range(20)]
    assert min(dark) > 0.35
    assert max(clear) < 0.6
    assert np.mean(dark) > 0.7 > 0.3 > np.mean(clear)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: _overlay(path, alpha=None), "transparent parts"),
        (lambda path: _overlay(path, alpha=255), "transparent parts"),
        (lambda path: Image.new("RGBA", (20, 10)).save(path), "every pixel is transparent"),
        (lambda path: path.write_bytes(b"no picture"), "cannot be read"),
    ],
    ids=["no alpha", "opaque", "empty", "not a picture"],
)
def test_bad_overlays_are_named(tmp_path: Path, make: object, message: str) -> None:
    path = tmp_path / "a.png"
    make(path)  # type: ignore[operator]
    with pytest.raises(DataError, match=message) as caught:
        read_overlay(path, dark=True)
    assert str(path) in str(caught.value)


def test_overlays_are_read_from_both_folders(tmp_path: Path) -> None:
    for kind in ("eyeglasses", "sunglasses"):
        _overlay(tmp_path / kind / "a.png")
    assert [one.dark for one in read_overlays(tmp_path)] == [False, True]
    with pytest.raises(DataError, match="got none"):
        read_overlays(tmp_path / "eyeglasses")

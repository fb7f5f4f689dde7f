"""Annotated copies: frames and plates, on pictures of any size, never off the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from gafas.imaging import Rgb
from gafas.runtime import annotate as room
from gafas.runtime.annotate import annotate
from gafas.values import Eyewear, FaceBox, Label, Verdict

GREEN, BLUE, PALE = (colours[0] for colours in (room._COLOURS[worn] for worn in ("sunglasses", "eyeglasses", "none")))


def grey(height: int, width: int) -> Rgb:
    return np.full((height, width, 3), 120, np.uint8)


def face(x0: int, y0: int, x1: int, y1: int, p: float = 0.9, eyeglasses: float | None = None) -> Verdict:
    label: Label = "sunglasses" if p >= 0.5 else "no_sunglasses"
    return Verdict("face", FaceBox(x0, y0, x1, y1, 0.8, ((-50.0, -50.0),) * 5), p, eyeglasses, label)


def whole(image: Rgb, p: float = 0.9) -> Verdict:
    box = FaceBox(0, 0, image.shape[1], image.shape[0])
    return Verdict("whole", box, p, None, "sunglasses" if p >= 0.5 else "no_sunglasses")


def count(image: Rgb, colour: Sequence[int]) -> int:
    return int((image == np.array(colour, np.uint8)).all(axis=-1).sum())


@pytest.mark.parametrize("size", [(120, 128), (480, 640), (3000, 4000)], ids=["128", "640", "4000"])
def test_a_frame_and_a_plate_that_grow_with_the_picture(size: tuple[int, int]) -> None:
    image = grey(*size)
    height, width = size
    box = (width // 4, height // 3, width // 2, height * 2 // 3)
    drawn = annotate(image, [face(*box)])
    assert count(image, (120, 120, 120)) == height * width
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    line = max(1, round(max(size) / 400))
    # The frame's left side, in the middle of the face, and the face itself.
    middle = height // 2
    assert (drawn[middle, box[0] : box[0] + line] == GREEN).all()
    assert (drawn[middle, width * 3 // 8] == 120).all()
    plate = drawn[: box[1] - line]
    assert count(plate, GREEN) > 200
    assert (plate.min(axis=-1) > 180).sum() > 20


def test_colours_say_what_is_worn() -> None:
    image = grey(200, 600)
    for verdict, colour in (
        (face(200, 60, 300, 160), GREEN),
        (face(200, 60, 300, 160, 0.1), PALE),
        (face(200, 60, 300, 160, 0.1, 0.9), BLUE),
        (face(200, 60, 300, 160, 0.1, 0.4), PALE),
    ):
        drawn = annotate(image, [verdict])
        assert [count(drawn, c) > 0 for c in (GREEN, BLUE, PALE)] == [c == colour for c in (GREEN, BLUE, PALE)]
    assert count(annotate(image, [face(200, 60, 300, 160, 0.1, 0.4)], eyeglasses_threshold=0.3), BLUE) > 0


def test_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    draw = room._plate

    def listen(text: str, size: int, worn: Eyewear) -> Rgb:
        said.append(text)
        return draw(text, size, worn)

    monkeypatch.setattr(room, "_plate", listen)
    image = grey(400, 900)
    for verdict in (face(300, 100, 400, 200), face(300, 100, 400, 200, 0.03), face(300, 100, 400, 200, 0.2, 0.88)):
        annotate(image, [verdict])
    annotate(image, [whole(image, 0.03)])
    assert said == ["sunglasses 90 %", "no sunglasses 97 %", "eyeglasses 88 %", "no sunglasses 97 %, whole image"]


@pytest.mark.parametrize(
    "box",
    [(0, 0, 60, 60), (580, 0, 640, 60), (0, 420, 60, 480), (580, 420, 640, 480), (0, 0, 640, 480), (300, 0, 301, 1)],
)
def test_the_plate_is_never_off_the_picture(box: tuple[int, int, int, int]) -> None:
    image = grey(480, 640)
    looks = [room._look(480, 640, face(*box), 0.5)]
    places = list(room._places(looks[0], 480, 640, 640))
    assert places
    for x, y, plate in places:
        assert 0 <= x <= 640 - plate.shape[1]
        assert 0 <= y <= 480 - plate.shape[0]
    assert (annotate(image, [face(*box)]).min(axis=-1) > 180).sum() > 20


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (3, 500), (500, 3), (30, 30)])
def test_pictures_too_small_for_words(size: tuple[int, int]) -> None:
    image = grey(*size)
    assert count(annotate(image, [whole(image)]), GREEN) > 0
    assert count(annotate(image, [face(0, 0, size[1], size[0])]), GREEN) > 0


def test_hundreds_of_faces_keep_their_plates_apart() -> None:
    image = grey(2000, 3000)
    verdicts = [
        face(x, y, x + 40, y + 50, 0.9 if x % 200 else 0.1) for x in range(20, 2900, 100) for y in range(60, 1900, 120)
    ]
    assert len(verdicts) > 400
    drawn = annotate(image, verdicts)
    for verdict in verdicts:
        inner = drawn[verdict.box.y0 + 5 : verdict.box.y1 - 5, verdict.box.x0 + 5 : verdict.box.x1 - 5]
        assert (inner == 120).all()
        above = drawn[verdict.box.y0 - 40 : verdict.box.y0 - 3, verdict.box.x0 : verdict.box.x1]
        assert (above != 120).any()


def test_boxes_that_lie_on_each_other() -> None:
    image = grey(200, 200)
    drawn = annotate(image, [face(50, 60, 150, 160), face(50, 60, 150, 160, 0.1), face(52, 61, 149, 158)])
    assert count(drawn, GREEN) > 0
    assert count(drawn, PALE) > 0


def test_nothing_to_draw() -> None:
    image = grey(20, 30)
    drawn = annotate(image, [])
    assert np.array_equal(drawn, image)
    assert drawn is not image

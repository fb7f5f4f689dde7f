"""Records in gafas's own form and in those of Rekognition and Azure Face."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gafas.errors import UsageError
from gafas.runtime.answers import Answer
from gafas.runtime.eyewear import eyewear_of
from gafas.runtime.faces import FaceDetector
from gafas.runtime.rows import COLUMNS
from gafas.runtime.schemas import SCHEMAS, aws, azure, check_schema, native
from gafas.runtime.sources import Source
from gafas.values import FaceBox, Label, Verdict
from tests.faces import portrait

IMAGE = np.zeros((100, 200, 3), np.uint8)
LANDMARKS = ((30.0, 20.0), (50.0, 20.0), (40.0, 30.0), (32.0, 40.0), (-10.0, 110.0))
SMALL = FaceBox(20, 10, 60, 60, 0.875, LANDMARKS)
LARGE = FaceBox(100, 0, 200, 100, 0.75)


def face(box: FaceBox, sunglasses: float, eyeglasses: float | None, threshold: float = 0.5) -> Verdict:
    label: Label = "sunglasses" if sunglasses >= threshold else "no_sunglasses"
    return Verdict("face", box, sunglasses, eyeglasses, label)


def answer(*verdicts: Verdict) -> Answer:
    return Answer(Source("a.jpg", "a.jpg"), IMAGE, verdicts)


FAILED = Answer(Source("b.jpg", "b.jpg"), error="b.jpg: damaged")
WHOLE = Verdict("whole", FaceBox(0, 0, 200, 100), 0.25, 0.75, "no_sunglasses")


def test_native_records_are_the_rows() -> None:
    records = native(answer(face(SMALL, 0.9, 0.1), face(LARGE, 0.2, None)), 0.5)
    assert [tuple(record) for record in records] == [COLUMNS, COLUMNS]
    assert [record["eyeglasses"] for record in records] == [0.1, None]
    (failed,) = native(FAILED, 0.5)
    assert (failed["status"], failed["error"]) == ("error", "b.jpg: damaged")


def test_rekognition() -> None:
    assert aws(answer(face(SMALL, 0.9, 0.125)), 0.5) == [
        {
            "Path": "a.jpg",
            "FaceDetails": [
                {
                    "BoundingBox": {"Width": 0.2, "Height": 0.5, "Left": 0.1, "Top": 0.1},
                    "Landmarks": [
                        {"Type": "eyeLeft", "X": 0.15, "Y": 0.2},
                        {"Type": "eyeRight", "X": 0.25, "Y": 0.2},
                        {"Type": "nose", "X": 0.2, "Y": 0.3},
                        {"Type": "mouthLeft", "X": 0.16, "Y": 0.4},
                        # Out of the image: said as it is.
                        {"Type": "mouthRight", "X": -0.05, "Y": 1.1},
                    ],
                    "Confidence": 87.5,
                    "Sunglasses": {"Value": True, "Confidence": 90.0},
                    "Eyeglasses": {"Value": False, "Confidence": 87.5},
                }
            ],
        }
    ]


def test_azure() -> None:
    (record,) = azure(answer(face(SMALL, 0.9, 0.1), face(LARGE, 0.1, 0.1)), 0.5)
    assert record["path"] == "a.jpg"
    large, small = record["faces"]
    assert large["faceRectangle"] == {"top": 0, "left": 100, "width": 100, "height": 100}
    assert large["faceLandmarks"] == {}
    assert large["faceAttributes"] == {"glasses": "NoGlasses"}
    assert small["faceAttributes"] == {"glasses": "Sunglasses"}
    assert small["faceLandmarks"]["pupilLeft"] == {"x": 30.0, "y": 20.0}
    assert list(small["faceLandmarks"]) == ["pupilLeft", "pupilRight", "noseTip", "mouthLeft", "mouthRight"]


def test_left_is_left_in_the_picture() -> None:
    image = portrait()
    (found,) = FaceDetector().detect(image)
    one = Answer(Source("a", "a"), image, (face(found, 0.1, 0.1),))
    points = {point["Type"]: point["X"] for point in aws(one, 0.5)[0]["FaceDetails"][0]["Landmarks"]}
    assert points["eyeLeft"] < points["nose"] < points["eyeRight"]
    assert points["mouthLeft"] < points["mouthRight"]
    places = azure(one, 0.5)[0]["faces"][0]["faceLandmarks"]
    assert places["pupilLeft"]["x"] < places["noseTip"]["x"] < places["pupilRight"]["x"]


@pytest.mark.parametrize(
    ("sunglasses", "eyeglasses", "worn", "azure_word"),
    [
        (0.9, 0.1, ("sunglasses", 0.9), "Sunglasses"),
        (0.9, 0.9, ("sunglasses", 0.9), "Sunglasses"),
        (0.25, 0.4, ("eyeglasses", 0.4), "ReadingGlasses"),
        (0.25, 0.3, ("eyeglasses", 0.3), "ReadingGlasses"),
        (0.25, 0.29, ("none", 0.75), "NoGlasses"),
        (0.25, None, ("none", 0.75), None),
    ],
)
def test_what_is_worn(sunglasses: float, eyeglasses: float | None, worn: Any, azure_word: str | None) -> None:
    verdict = face(SMALL, sunglasses, eyeglasses)
    assert eyewear_of(verdict, eyeglasses_threshold=0.3) == worn
    if azure_word is not None:
        (record,) = azure(answer(verdict), 0.3)
        assert record["faces"][0]["faceAttributes"] == {"glasses": azure_word}


def test_a_confidence_is_that_of_its_value() -> None:
    (record,) = aws(answer(face(SMALL, 0.4, 0.4, threshold=0.3)), 0.45)
    (detail,) = record["FaceDetails"]
    assert detail["Sunglasses"] == {"Value": True, "Confidence": 40.0}
    assert detail["Eyeglasses"] == {"Value": False, "Confidence": 60.0}


def test_a_whole_image_is_no_face_and_is_not_lost() -> None:
    assert aws(answer(WHOLE), 0.5) == [
        {
            "Path": "a.jpg",
            "FaceDetails": [],
            "WholeImage": {
                "Sunglasses": {"Value": False, "Confidence": 75.0},
                "Eyeglasses": {"Value": True, "Confidence": 75.0},
            },
        }
    ]
    assert azure(answer(WHOLE), 0.5) == [
        {"path": "a.jpg", "faces": [], "wholeImage": {"faceAttributes": {"glasses": "ReadingGlasses"}}}
    ]


def test_a_failed_image_has_its_record() -> None:
    assert aws(FAILED, 0.5) == [{"Path": "b.jpg", "Error": "b.jpg: damaged", "FaceDetails": []}]
    assert azure(FAILED, 0.5) == [{"path": "b.jpg", "error": "b.jpg: damaged", "faces": []}]


@pytest.mark.parametrize("name", SCHEMAS)
def test_records_are_json(name: str) -> None:
    for one in (answer(face(SMALL, 0.9, 0.1), face(LARGE, 1.0, 0.0)), answer(WHOLE), FAILED):
        for record in SCHEMAS[name](one, 0.5):
            assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_a_model_that_does_not_know_eyeglasses_has_no_such_record() -> None:
    with pytest.raises(ValueError, match="needs P"):
        aws(answer(face(SMALL, 0.9, None)), 0.5)


@pytest.mark.parametrize(
    ("schema", "kind", "knows", "message"),
    [
        ("gcp", "json", True, "--schema: expected one of native, aws, azure, got gcp"),
        ("aws", "csv", True, "--schema aws: expected --format json or jsonl, got csv"),
        ("azure", None, True, "--schema azure: expected --format json or jsonl, got table"),
        (
            "aws",
            "json",
            False,
            "expected a model that knows sunglasses and eyeglasses, got tiny, .*; leave --schema out",
        ),
    ],
)
def test_schemas_that_do_not_go(schema: str, kind: str | None, knows: bool, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_schema(schema, kind, knows_eyeglasses=knows, model="tiny")


def test_schemas_that_go() -> None:
    for kind in ("json", "jsonl"):
        assert check_schema("aws", kind, knows_eyeglasses=True, model="m") is aws
    assert check_schema("native", None, knows_eyeglasses=False, model="m") is native

"""Answers as records: gafas's own rows, or in the shapes of Amazon Rekognition and Azure Face. Pure.

Sources: Amazon Rekognition API Reference, FaceDetail, Landmark, Sunglasses and Eyeglasses. Azure AI Face REST API 1.0,
Detect: faceRectangle, faceLandmarks and the attribute glasses. Both name left and right as seen in the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from gafas.errors import UsageError
from gafas.runtime.answers import Answer
from gafas.runtime.eyewear import eyewear_of
from gafas.runtime.rows import rows_of
from gafas.values import FaceBox, Verdict

Record = dict[str, Any]
Schema = Callable[[Answer, float], list[Record]]

# In the order of FaceBox.landmarks, which begins with the person's right eye: the left one in the picture.
_AWS_LANDMARKS = ("eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight")
_AZURE_LANDMARKS = ("pupilLeft", "pupilRight", "noseTip", "mouthLeft", "mouthRight")
_AZURE_GLASSES = {"none": "NoGlasses", "eyeglasses": "ReadingGlasses", "sunglasses": "Sunglasses"}


def native(answer: Answer, _: float) -> list[Record]:
    """Return a record for each row; see `gafas.runtime.rows.Row`."""
    return [asdict(row) for row in rows_of(answer)]


def aws(answer: Answer, eyeglasses_threshold: float) -> list[Record]:
    """Return one record for the image: ``FaceDetails`` as Rekognition's DetectFaces gives them.

    Boxes and landmarks are shares of the image's width and height, confidences are percent: each is that of its
    ``Value``, so it may fall below 50 where a threshold is not 0.5. An image that was judged as a whole has no
    ``FaceDetails``; its attributes stand in ``WholeImage``, which Rekognition does not have.
    """
    if answer.error is not None:
        return [{"Path": answer.source.path, "Error": answer.error, "FaceDetails": []}]

    def attributes(verdict: Verdict) -> Record:
        return {
            "Sunglasses": _claim(verdict.label == "sunglasses", verdict.sunglasses),
            "Eyeglasses": _claim(_eyeglasses(verdict) >= eyeglasses_threshold, _eyeglasses(verdict)),
        }

    faces = [
        {**_aws_place(verdict.box, *answer.size), **attributes(verdict)}
        for verdict in answer.verdicts
        if verdict.region == "face"
    ]
    whole = [attributes(verdict) for verdict in answer.verdicts if verdict.region == "whole"]
    record = {"Path": answer.source.path, "FaceDetails": faces}
    return [record | {"WholeImage": whole[0]} if whole else record]


def azure(answer: Answer, eyeglasses_threshold: float) -> list[Record]:
    """Return one record for the image: ``faces`` as Azure Face's Detect gives them, the largest first.

    Places are pixels. An image that was judged as a whole has no ``faces``; its attribute stands in ``wholeImage``,
    which Azure does not have.
    """
    if answer.error is not None:
        return [{"path": answer.source.path, "error": answer.error, "faces": []}]

    def attributes(verdict: Verdict) -> Record:
        worn, _ = eyewear_of(verdict, eyeglasses_threshold=eyeglasses_threshold)
        return {"faceAttributes": {"glasses": _AZURE_GLASSES[worn]}}

    found = [verdict for verdict in answer.verdicts if verdict.region == "face"]
    found.sort(key=lambda verdict: -verdict.box.area)
    whole = [attributes(verdict) for verdict in answer.verdicts if verdict.region == "whole"]
    record = {
        "path": answer.source.path,
        "faces": [{**_azure_place(verdict.box), **attributes(verdict)} for verdict in found],
    }
    return [record | {"wholeImage": whole[0]} if whole else record]


SCHEMAS: dict[str, Schema] = {"native": native, "aws": aws, "azure": azure}


def check_schema(schema: str, kind: str | None, *, knows_eyeglasses: bool, model: str) -> Schema:
    """Return the schema of that name.

    Parameters
    ----------
    kind : str or None
        The format of the output; ``None`` is a table.

    Raises
    ------
    UsageError
        No such schema, or it does not go with the format or the model.
    """
    if schema not in SCHEMAS:
        raise UsageError(f"--schema: expected one of {', '.join(SCHEMAS)}, got {schema}")
    if schema != "native" and kind not in {"json", "jsonl"}:
        raise UsageError(f"--schema {schema}: expected --format json or jsonl, got {kind or 'table'}")
    if schema != "native" and not knows_eyeglasses:
        raise UsageError(
            f"--schema {schema}: expected a model that knows sunglasses and eyeglasses, got {model}, "
            "which knows sunglasses only; leave --schema out"
        )
    return SCHEMAS[schema]


def _eyeglasses(verdict: Verdict) -> float:
    if verdict.eyeglasses is None:
        raise ValueError("this schema needs P(eyeglasses)")
    return verdict.eyeglasses


def _claim(value: bool, probability: float) -> Record:
    return {"Value": value, "Confidence": round(100 * (probability if value else 1 - probability), 4)}


def _aws_place(box: FaceBox, height: int, width: int) -> Record:
    return {
        "BoundingBox": {
            "Width": round(box.width / width, 6),
            "Height": round(box.height / height, 6),
            "Left": round(box.x0 / width, 6),
            "Top": round(box.y0 / height, 6),
        },
        "Landmarks": [
            {"Type": name, "X": round(x / width, 6), "Y": round(y / height, 6)}
            for name, (x, y) in zip(_AWS_LANDMARKS, box.landmarks or (), strict=False)
        ],
        "Confidence": round(100 * (box.confidence or 0), 2),
    }


def _azure_place(box: FaceBox) -> Record:
    return {
        "faceRectangle": {"top": box.y0, "left": box.x0, "width": box.width, "height": box.height},
        "faceLandmarks": {
            name: {"x": x, "y": y} for name, (x, y) in zip(_AZURE_LANDMARKS, box.landmarks or (), strict=False)
        },
    }

"""The shapes of requests and answers, for ``/openapi.json``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from gafas.server.bodies import MULTIPART
from gafas.server.uploads import FIELD

Probability = Annotated[float, Field(ge=0, le=1)]


class Query(BaseModel):
    """What a request asks of all of its images."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    region: Literal["auto", "face", "whole"] = Field(
        "auto",
        description="face: look for faces, and take the whole image where there is none. whole: the whole image. "
        "auto: what the model was trained on.",
    )
    threshold: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="P(sunglasses) from which the label is sunglasses. Default: the model's own."
    )
    schema_: Literal["native", "aws", "azure"] = Field(
        "native",
        alias="schema",
        description="aws, azure: each result in the form of Amazon Rekognition or Azure Face.",
    )
    explain: bool = Field(
        False, description="Add to the first 16 faces of each image what the score rests on; for schema native only."
    )


class Problem(BaseModel):
    """Why something failed."""

    code: str = Field(description="For programs.", examples=["too_large"])
    message: str = Field(description="For people.")


class ErrorAnswer(BaseModel):
    """The answer to a request that is not served."""

    error: Problem


class Explanation(BaseModel):
    """What a score rests on, as a picture."""

    attribute: str
    method: str
    box: list[int] = Field(description="x0, y0, x1, y1 of the picture in pixels of the image; may reach outside.")
    width: int
    height: int
    png: str = Field(
        description="Base64 of an 8-bit grey PNG: 128 no evidence, 255 strongest for, 0 strongest against."
    )


class Face(BaseModel):
    """One face, or the whole image."""

    region: Literal["face", "whole"]
    box: list[int] = Field(description="x0, y0, x1, y1 in pixels of the upright image; x1, y1 exclusive.")
    face_confidence: Probability | None = Field(description="The detector's; null for the whole image.")
    sunglasses: Probability = Field(description="P(sunglasses).")
    eyeglasses: Probability | None = Field(description="P(clear eyeglasses); null where the model does not know.")
    label: Literal["sunglasses", "no_sunglasses"]
    explanation: Explanation | None


class Result(BaseModel):
    """One image."""

    name: str | None = Field(description="As it was sent; null for a body that is one image.")
    status: Literal["ok", "error"]
    error: Problem | None
    width: int | None
    height: int | None
    faces: list[Face]


class ModelSummary(BaseModel):
    """The model in a few words."""

    name: str
    outputs: list[str]
    threshold: Probability
    eyeglasses_threshold: Probability | None


class PredictAnswer(BaseModel):
    """One result for each image, in their order; with schema aws or azure, results have that service's shape."""

    model: ModelSummary
    threshold: Probability
    results: list[Result | dict[str, Any]]


class Limits(BaseModel):
    """What this server takes."""

    body_bytes: int
    image_bytes: int
    image_pixels: int
    files: int
    queue: int
    seconds: float
    requests_per_minute: int | None = Field(description="From one address; null is no limit.")


class ModelAnswer(ModelSummary):
    """The model, its figures, and the limits of this server."""

    architecture: str | None
    labels: list[str]
    region: Literal["face", "whole"]
    regions: list[Literal["face", "whole"]]
    input_size: list[int] = Field(description="Height and width in pixels.")
    explains: bool = Field(description="Whether explain can be asked for.")
    metrics: dict[str, dict[str, Any]] = Field(description="Sets of figures, each with n and 95 % intervals.")
    licences: list[str]
    limits: Limits
    formats: list[str]
    version: str


class StatusAnswer(BaseModel):
    """Health."""

    status: str


_EXAMPLE = {
    "model": {"name": "gafas-base", "outputs": ["sunglasses", "eyeglasses"], "threshold": 0.4747,
              "eyeglasses_threshold": 0.6426},
    "threshold": 0.4747,
    "results": [
        {"name": "a.jpg", "status": "ok", "error": None, "width": 640, "height": 480,
         "faces": [{"region": "face", "box": [210, 96, 330, 256], "face_confidence": 0.91, "sunglasses": 0.998,
                    "eyeglasses": 0.002, "label": "sunglasses", "explanation": None}]},
        {"name": "notes.txt", "status": "error", "width": None, "height": None, "faces": [],
         "error": {"code": "not_an_image", "message": "not a picture in a known format"}},
    ],
}  # fmt: skip

_REFUSALS = {
    400: "The body is empty or no form.",
    401: "The key is missing or wrong.",
    408: "The body took too long.",
    413: "Too large, too many pixels or too many files.",
    415: "Not an image, or a content type that is not taken.",
    422: "A parameter, a form field or the one image is not as it must be.",
    429: "Too many requests from one address.",
    503: "Too much to do at the moment, or the work took too long.",
}
_RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documents of these errors."""
    return {
        status: {"model": ErrorAnswer, "description": _REFUSALS[status]}
        | ({"headers": _RETRY} if status in {429, 503} else {})
        for status in statuses
    }


_IMAGE_FAILS = {413, 415, 422}
"""A body that is one image answers with these in the shape of a result, too."""


def predict_responses() -> dict[int | str, dict[str, Any]]:
    """Return the documents of every answer of ``POST /v1/predict``."""
    found = refusals(*_REFUSALS)
    for status in _IMAGE_FAILS:
        found[status]["model"] = ErrorAnswer | PredictAnswer
    return {200: {"model": PredictAnswer, "description": "One result for each image."}, **found}


def add_examples(app: FastAPI) -> None:
    """Put an example into the app's description. FastAPI leaves out every null of an example that it is given."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        responses = document["paths"]["/v1/predict"]["post"]["responses"]
        responses["200"]["content"]["application/json"]["example"] = _EXAMPLE
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documents say to do


PREDICT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A form with one or more images, or one image as it is.",
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "additionalProperties": False,
                    "properties": {
                        FIELD: {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
                    },
                }
            },
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}

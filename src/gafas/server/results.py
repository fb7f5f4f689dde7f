"""What is known of each image, in the shape of an answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Literal

from gafas.runtime.answers import Answer
from gafas.runtime.predictor import Predictor
from gafas.runtime.schemas import SCHEMAS
from gafas.runtime.sources import Source
from gafas.server.looking import Failure, Judged, Looked
from gafas.values import LABELS, Verdict

SchemaName = Literal["native", "aws", "azure"]

STATUSES = {"not_an_image": 415, "too_many_pixels": 413, "too_large": 413, "broken_image": 422}
"""What a body that is one image answers when the image fails."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One image of a request: its name as the client calls it, and what became of it."""

    name: str | None
    judged: Judged

    @property
    def failure(self) -> Failure | None:
        """Why it failed, if it did."""
        return self.judged.looked.failure


def too_large(name: str | None, limit: int) -> Outcome:
    """Return the outcome of an image that was skipped for its size in bytes."""
    message = f"expected at most {limit:,} bytes, got more; make the image smaller"
    return Outcome(name, Judged(Looked(failure=Failure("too_large", message))))


def answer_of(
    predictor: Predictor, outcomes: Sequence[Outcome], *, threshold: float | None, schema: SchemaName
) -> dict[str, Any]:
    """Return the body of an answer.

    Parameters
    ----------
    threshold : float or None
        P(sunglasses) from which a region is labelled ``sunglasses``; ``None`` is the model's.
    """
    limit = predictor.threshold if threshold is None else threshold
    labelled = [_label(outcome, limit) for outcome in outcomes]
    shape = _native if schema == "native" else _foreign(schema, predictor.eyeglasses_threshold)
    return {"model": model_of(predictor), "threshold": limit, "results": [shape(outcome) for outcome in labelled]}


def model_of(predictor: Predictor) -> dict[str, Any]:
    """Return the model in a few words."""
    return {
        "name": predictor.name,
        "outputs": list(predictor.outputs),
        "threshold": predictor.threshold,
        "eyeglasses_threshold": predictor.eyeglasses_threshold if predictor.knows_eyeglasses else None,
    }


def _label(outcome: Outcome, threshold: float) -> Outcome:
    verdicts = tuple(
        replace(verdict, label=LABELS[int(verdict.sunglasses >= threshold)]) for verdict in outcome.judged.verdicts
    )
    return replace(outcome, judged=replace(outcome.judged, verdicts=verdicts))


def _native(outcome: Outcome) -> dict[str, Any]:
    failure, shape = outcome.failure, outcome.judged.looked.shape
    return {
        "name": outcome.name,
        "status": "ok" if failure is None else "error",
        "error": None if failure is None else {"code": failure.code, "message": failure.message},
        "width": shape[1] if shape else None,
        "height": shape[0] if shape else None,
        "faces": [
            _face(verdict, explanation)
            for verdict, explanation in zip_longest(outcome.judged.verdicts, outcome.judged.explanations)
        ],
    }


def _face(verdict: Verdict, explanation: dict[str, Any] | None) -> dict[str, Any]:
    box = verdict.box
    return {
        "region": verdict.region,
        "box": [box.x0, box.y0, box.x1, box.y1],
        "face_confidence": None if box.confidence is None else round(box.confidence, 4),
        "sunglasses": round(verdict.sunglasses, 6),
        "eyeglasses": None if verdict.eyeglasses is None else round(verdict.eyeglasses, 6),
        "label": verdict.label,
        "explanation": explanation,
    }


def _foreign(schema: SchemaName, eyeglasses_threshold: float) -> Any:
    to_records = SCHEMAS[schema]

    def shape(outcome: Outcome) -> dict[str, Any]:
        failure = outcome.failure
        name = outcome.name or "image"
        answer = Answer(
            Source(name, name),
            verdicts=outcome.judged.verdicts,
            error=None if failure is None else failure.message,
            shape=outcome.judged.looked.shape,
        )
        (record,) = to_records(answer, eyeglasses_threshold)
        return record

    return shape

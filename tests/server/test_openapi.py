"""The description of the interface holds, and the server bears requests made of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from gafas.server.app import create_app
from gafas.server.settings import Settings
from tests.server.tools import files, make_predictor, picture, serving

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
jsonschema_rs = pytest.importorskip("jsonschema_rs", reason="schemathesis is not installed")

API = schemathesis.openapi.from_asgi("/openapi.json", create_app(make_predictor(), settings=Settings(rate=0)))


@API.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))  # fmt: skip
def test_requests_made_of_the_description(case: Any) -> None:
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    # That bytes are a picture cannot be said in the description: one in ten thousand random ones is.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


@pytest.mark.anyio
async def test_the_examples_are_of_the_described_form() -> None:
    async with serving() as client:
        document = (await client.get("/openapi.json")).json()
        answer = (await client.post("/v1/predict", files=files(("a.png", picture()), ("b", b"x")))).json()
        model = (await client.get("/v1/model")).json()
    predict = document["paths"]["/v1/predict"]["post"]
    described = predict["responses"]["200"]["content"]["application/json"]
    assert {"400", "401", "408", "413", "415", "422", "429", "503"} <= predict["responses"].keys()
    assert {"multipart/form-data", "image/*"} <= predict["requestBody"]["content"].keys()
    for value in (described["example"], answer):
        validate(document, "PredictAnswer", value)
        for result in value["results"]:
            validate(document, "Result", result)
    validate(document, "ModelAnswer", model)
    assert {parameter["name"] for parameter in predict["parameters"]} == {"region", "threshold", "schema", "explain"}


def validate(document: Any, name: str, value: Any) -> None:
    schema = {**document["components"]["schemas"][name], "components": document["components"]}
    jsonschema_rs.validate(schema, value)

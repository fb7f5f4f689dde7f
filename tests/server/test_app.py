"""The routes, in this process."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from gafas.bundle import Manifest
from gafas.server.app import create_app
from gafas.server.settings import Settings
from tests.server.tools import Darkness, client_of, files, make_predictor, picture, serving

pytestmark = pytest.mark.anyio

FACE_KEYS = ["region", "box", "face_confidence", "sunglasses", "eyeglasses", "label", "explanation"]


async def test_each_image_has_a_result_in_its_order() -> None:
    wide = picture(10, (10, 20))
    async with serving() as client:
        answer = await client.post(
            "/v1/predict", files=files(("tall.png", picture(10)), ("no.txt", b"text"), ("wide.png", wide))
        )
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["model", "threshold", "results"]
    assert body["model"] == {"name": "darkness", "outputs": ["sunglasses", "eyeglasses"], "threshold": 0.6,
                             "eyeglasses_threshold": 0.7}  # fmt: skip
    tall, text, both = body["results"]
    assert [result["name"] for result in body["results"]] == ["tall.png", "no.txt", "wide.png"]
    assert list(tall) == ["name", "status", "error", "width", "height", "faces"]
    assert (tall["status"], tall["error"], tall["width"], tall["height"]) == ("ok", None, 10, 20)
    assert tall["faces"] == [
        {"region": "whole", "box": [0, 0, 10, 20], "face_confidence": None, "sunglasses": 0.960784,
         "eyeglasses": 0.096078, "label": "sunglasses", "explanation": None}
    ]  # fmt: skip
    assert (text["status"], text["width"], text["faces"]) == ("error", None, [])
    assert text["error"]["code"] == "not_an_image"
    assert [face["box"] for face in both["faces"]] == [[0, 0, 10, 10], [10, 0, 20, 10]]
    assert all(list(face) == FACE_KEYS for face in both["faces"])


async def test_a_body_that_is_one_image() -> None:
    async with serving() as client:
        for headers in ({"Content-Type": "image/png"}, {"Content-Type": "application/octet-stream"}, {}):
            answer = await client.post("/v1/predict", content=picture(250), headers=headers)
            assert answer.status_code == 200
            (result,) = answer.json()["results"]
            assert result["name"] is None
            assert result["faces"][0]["label"] == "no_sunglasses"


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"text", "image/jpeg", 415, "not_an_image"),
        (picture()[:50], "image/png", 422, "broken_image"),
    ],
)
async def test_one_image_that_fails_answers_with_a_status_and_a_result(
    content: bytes, kind: str, status: int, code: str
) -> None:
    async with serving() as client:
        answer = await client.post("/v1/predict", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    (result,) = answer.json()["results"]
    assert result["status"] == "error"
    assert result["error"]["code"] == code


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("threshold=2", "threshold"),
        ("threshold=nan", "threshold"),
        ("threshold=x", "threshold"),
        ("region=nose", "region"),
        ("schema=google", "schema"),
        ("explain=perhaps", "explain"),
        ("treshold=0.5", "treshold"),
        ("url=http://example.org/a.jpg", "url"),
        ("path=/etc/passwd", "path"),
    ],
)
async def test_wrong_queries(query: str, words: str) -> None:
    async with serving() as client:
        answer = await client.post(f"/v1/predict?{query}", files=files(("a.png", picture())))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_parameter"
    assert words in answer.json()["error"]["message"]
    assert list(answer.json()) == ["error"]


async def test_threshold_and_region_are_those_of_the_request() -> None:
    image = files(("a.png", picture(100, (10, 20))))
    async with serving() as client:
        usual = (await client.post("/v1/predict", files=image)).json()
        low = (await client.post("/v1/predict?threshold=0.55", files=image)).json()
        whole = (await client.post("/v1/predict?region=whole", files=image)).json()
    assert (usual["threshold"], low["threshold"]) == (0.6, 0.55)
    assert low["model"]["threshold"] == 0.6
    assert {face["label"] for face in usual["results"][0]["faces"]} == {"sunglasses"}
    assert [face["region"] for face in whole["results"][0]["faces"]] == ["whole"]
    async with serving() as client:
        high = (await client.post("/v1/predict?threshold=0.7", files=image)).json()
    assert {face["label"] for face in high["results"][0]["faces"]} == {"no_sunglasses"}


async def test_the_shapes_of_other_services() -> None:
    sent = files(("wide.png", picture(10, (10, 20))), ("no.txt", b"text"))
    async with serving() as client:
        aws = (await client.post("/v1/predict?schema=aws", files=sent)).json()["results"]
        azure = (await client.post("/v1/predict?schema=azure", files=sent)).json()["results"]
        raw = await client.post("/v1/predict?schema=aws", content=b"text")
    assert [result["Path"] for result in aws] == ["wide.png", "no.txt"]
    assert aws[0]["FaceDetails"][1]["BoundingBox"] == {"Width": 0.5, "Height": 1.0, "Left": 0.5, "Top": 0.0}
    assert aws[0]["FaceDetails"][0]["Sunglasses"]["Value"] is True
    assert "Error" in aws[1]
    assert azure[0]["faces"][0]["faceAttributes"] == {"glasses": "Sunglasses"}
    assert raw.status_code == 415
    assert "Error" in raw.json()["results"][0]


async def test_explanations_are_small_grey_pictures() -> None:
    import base64
    import io

    from PIL import Image

    wide = files(("wide.png", picture(10, (10, 20))), ("no", b"text"), ("tall.png", picture(10)))
    async with serving(make_predictor(Darkness(explains=True))) as client:
        first, failed, second = (await client.post("/v1/predict?explain=true", files=wide)).json()["results"]
        plain = (await client.post("/v1/predict", files=wide)).json()["results"][0]
    assert failed["status"] == "error"
    assert [face["explanation"] for face in plain["faces"]] == [None, None]
    explanation = first["faces"][0]["explanation"]
    assert list(explanation) == ["attribute", "method", "box", "width", "height", "png"]
    # A face's square is 1.3 times its box; a whole image is what it is.
    assert explanation["box"] == [-2, -2, 11, 11]
    assert second["faces"][0]["explanation"]["box"] == [0, 0, 10, 20]
    with Image.open(io.BytesIO(base64.b64decode(explanation["png"]))) as picture_of_it:
        assert (picture_of_it.mode, picture_of_it.size) == ("L", (explanation["width"], explanation["height"]))


async def test_evidence_becomes_grey() -> None:
    import numpy as np

    from gafas.server.explaining import to_grey

    assert to_grey(np.array([[2.0, 1.0, 0.0, -1.0, -2.0]], np.float32)).tolist() == [[255, 192, 128, 64, 0]]
    assert to_grey(np.array([[-4.0, 1.0]], np.float32)).tolist() == [[0, 160]]
    assert to_grey(np.zeros((2, 2), np.float32)).tolist() == [[128, 128], [128, 128]]


async def test_what_a_model_cannot_do_is_refused() -> None:
    async with serving(make_predictor(detector=False, outputs=1)) as client:
        image = files(("a.png", picture()))
        for query, word in (("schema=aws", "eyeglasses"), ("region=face", "region"), ("explain=true", "explain")):
            answer = await client.post(f"/v1/predict?{query}", files=image)
            assert answer.status_code == 422
            assert word in answer.json()["error"]["message"]
        answer = await client.post("/v1/predict", files=image)
        assert answer.json()["model"]["eyeglasses_threshold"] is None
        assert answer.json()["results"][0]["faces"][0]["eyeglasses"] is None


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/predict", 405, "method_not_allowed"),
        ("DELETE", "/", 405, "method_not_allowed"),
        ("GET", "/nothing/secret.jpg", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/redoc", 404, "not_found"),
        ("GET", "/static/nothing.js", 404, "not_found"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
        ("GET", "/static/..%2fapp.py", 404, "not_found"),
    ],
)
async def test_every_error_has_one_shape(method: str, path: str, status: int, code: str) -> None:
    async with serving() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"]["code"] == code
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"", "image/jpeg", 400, "empty_body"),
        (b"x", "application/json", 415, "unsupported_content_type"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "unsupported_content_type"),
        (b"x", "multipart/form-data", 400, "bad_multipart"),
        (b"x", "multipart/form-data; boundary=b", 400, "bad_multipart"),
        (b"--b--\r\n", "multipart/form-data; boundary=b", 422, "no_files"),
    ],
)
async def test_bodies_that_are_not_taken(content: bytes, kind: str, status: int, code: str) -> None:
    async with serving() as client:
        answer = await client.post("/v1/predict", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_the_model_and_the_limits_are_told() -> None:
    figures = {"n": 624, "accuracy": 0.984, "interval": [0.97, 0.99], "calibration": {"bins": []}, "by": {}}
    manifest = Manifest(name="darkness", architecture="mean", input_size=(8, 8), licences=("free",),
                        metrics={"CMU": figures, "odd": {"accuracy": 1}, "bare": 3})  # fmt: skip
    app = create_app(make_predictor(), manifest=manifest, settings=Settings(max_files=3, rate=0))
    async with client_of(app) as client:
        body = (await client.get("/v1/model")).json()
    assert body["metrics"] == {"CMU": {"n": 624, "accuracy": 0.984, "interval": [0.97, 0.99]}}
    assert body["architecture"] == "mean"
    assert body["licences"] == ["free"]
    assert body["limits"] == {"body_bytes": 33554432, "image_bytes": 16777216, "image_pixels": 50000000, "files": 3,
                              "queue": 64, "seconds": 30.0, "requests_per_minute": None}  # fmt: skip
    assert body["regions"] == ["face", "whole"]
    async with serving() as client:
        assert (await client.get("/v1/model")).json()["metrics"] == {}


async def test_headers_of_every_answer() -> None:
    async with serving() as client:
        for path in ("/", "/v1/model", "/nothing", "/static/index.html", "/healthz", "/v1/predict"):
            answer = await client.get(path)
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self';")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "camera=(self)" in answer.headers["Permissions-Policy"]
            assert "access-control-allow-origin" not in answer.headers
            assert ("no-store" in answer.headers.get("Cache-Control", "")) == path.startswith("/v1/")


async def test_the_page_is_checked_for_changes_and_sent_once() -> None:
    async with serving() as client:
        first = await client.get("/")
        assert first.headers["Content-Type"] == "text/html; charset=utf-8"
        again = await client.get("/", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert first.headers["Cache-Control"] == "no-cache"
        assert (await client.head("/")).status_code == 200


async def test_other_pages_may_call_only_where_they_are_named() -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST",
               "Access-Control-Request-Headers": "x-api-key"}  # fmt: skip
    async with serving(cors=("https://a.example",), api_key="k") as client:
        assert (await client.options("/v1/predict", headers=headers)).status_code == 200
        # Errors too, or the page could not read what was wrong.
        answer = await client.get("/v1/model", headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, "https://a.example")
        other = await client.get("/v1/model", headers={"Origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers
    async with serving() as client:
        assert (await client.options("/v1/predict", headers=headers)).status_code == 405


def numbers(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def test_metrics_count() -> None:
    async with serving() as client:
        await client.post("/v1/predict", files=files(("a.png", picture()), ("b", b"text"), ("c.png", picture(250))))
        await client.post("/v1/predict", content=b"text")
        await client.get("/nothing/secret")
        answer = await client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    found = numbers(answer.text)
    assert found['gafas_requests_total{route="/v1/predict",status="200"}'] == 1
    assert found['gafas_requests_total{route="/v1/predict",status="415"}'] == 1
    assert found['gafas_requests_total{route="unmatched",status="404"}'] == 1
    assert found['gafas_images_total{result="ok"}'] == 2
    assert found['gafas_images_total{result="not_an_image"}'] == 2
    assert found['gafas_faces_total{label="sunglasses",region="whole"}'] == 1
    assert found['gafas_faces_total{label="no_sunglasses",region="whole"}'] == 1
    assert found["gafas_pending_images"] == 0
    assert found["gafas_held_bytes"] == 0
    assert found['gafas_request_seconds_count{route="/v1/predict"}'] == 2
    assert found["gafas_batch_regions_sum"] == 2
    assert "secret" not in answer.text


async def test_logs_hold_no_names(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "gafas"):
        async with serving(Darkness_that_fails()) as client:
            await client.post(
                "/v1/predict?threshold=0.123", files=files(("secret.jpg", picture()), ("secret.txt", b""))
            )
            await client.get("/secret/secret.jpg")
            await client.request("SECRET", "/secret")
    # What an error itself says of the graph is the operator's, not the client's: it is not looked at here.
    lines = [{**record.__dict__, "exc_info": None, "exc_text": None, "args": None} for record in caplog.records
             if record.name == "gafas.server"]  # fmt: skip
    text = json.dumps(lines, default=str)
    assert [line["status"] for line in lines if "status" in line] == [500, 404, 404]
    assert "secret" not in text.lower()
    assert "0.123" not in text


def Darkness_that_fails() -> Any:
    class FailsLater(Darkness):
        def probabilities(self, images: Any) -> Any:
            self.fails = len(self.batches) >= 2
            return super().probabilities(images)

    return make_predictor(FailsLater())


async def test_a_fault_of_ours_is_500_in_the_same_shape() -> None:
    async with serving(Darkness_that_fails()) as client:
        answer = await client.post("/v1/predict", content=picture())
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "internal_error"
        assert "secret" not in answer.text
        assert (await client.get("/healthz")).status_code == 200


async def test_ready_only_after_an_image_was_judged() -> None:
    app = create_app(make_predictor(), settings=replace(Settings(), rate=0))
    import httpx

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200
    async with client_of(app) as client:
        assert (await client.get("/readyz")).json() == {"status": "ready"}
    backend = Darkness(fails=True)
    with pytest.raises(RuntimeError):
        async with serving(make_predictor(backend)):
            pass

"""What a request may weigh and how long it may take."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from gafas.errors import UsageError
from gafas.server import wrapping
from gafas.server.app import create_app
from gafas.server.settings import Settings
from tests.server.tools import Darkness, bomb, client_of, files, make_predictor, picture, serving

pytestmark = pytest.mark.anyio
JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapping, "_LINGER", 0.5)


async def endless(chunk: bytes, sent: list[int], pause: float = 0) -> AsyncIterator[bytes]:
    while True:
        sent.append(len(chunk))
        yield chunk
        await asyncio.sleep(pause)


@pytest.mark.parametrize("kind", ["image/jpeg", "multipart/form-data; boundary=cut"])
async def test_a_body_without_length_is_cut_off(kind: str) -> None:
    sent: list[int] = []
    async with serving(max_body=100_000, max_image=100_000) as client:
        first = b"--cut\r\nContent-Disposition: form-data; name=files\r\n\r\n" if "cut" in kind else b""

        async def body() -> AsyncIterator[bytes]:
            yield first
            async for chunk in endless(b"x" * 10_000, sent):
                yield chunk

        answer = await client.post("/v1/predict", content=body(), headers={"Content-Type": kind})
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"
    assert answer.headers["Connection"] == "close"


async def test_a_length_that_is_too_large_is_refused_unread() -> None:
    sent: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        sent.append(1)
        await asyncio.sleep(30)
        yield b""

    async with serving(max_image=1000) as client:
        start = time.monotonic()
        answer = await client.post("/v1/predict", content=body(), headers={**JPEG, "Content-Length": "1001"})
    assert answer.status_code == 413
    # Some time goes into throwing away what its sender has sent already.
    assert time.monotonic() - start < 5
    assert len(sent) <= 1


async def test_an_image_that_is_too_large_in_bytes() -> None:
    small, large = picture(), picture(10, (400, 400), ".bmp")
    async with serving(max_image=len(large) - 1) as client:
        answer = await client.post("/v1/predict", files=files(("large.bmp", large), ("small.png", small)))
        raw = await client.post("/v1/predict", content=large, headers=JPEG)
    assert answer.status_code == 200
    first, second = answer.json()["results"]
    assert (first["name"], first["error"]["code"], first["faces"]) == ("large.bmp", "too_large", [])
    assert second["status"] == "ok"
    assert raw.status_code == 413


async def test_too_many_files() -> None:
    async with serving(max_files=3) as client:
        four = await client.post("/v1/predict", files=files(*[("a.png", picture())] * 4))
        three = await client.post("/v1/predict", files=files(*[("a.png", picture())] * 3))
    assert (four.status_code, four.json()["error"]["code"]) == (413, "too_many_files")
    assert three.status_code == 200


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (20_000, 20_000), (10_000, 10_000)])
async def test_image_bombs(size: tuple[int, int]) -> None:
    async with serving() as client:
        start = time.monotonic()
        form = await client.post("/v1/predict", files=files(("bomb.png", bomb(*size)), ("a.png", picture())))
        raw = await client.post("/v1/predict", content=bomb(*size), headers=JPEG)
    assert time.monotonic() - start < 5
    codes = [result["error"] and result["error"]["code"] for result in form.json()["results"]]
    assert codes == ["too_many_pixels", None]
    assert (raw.status_code, raw.json()["results"][0]["error"]["code"]) == (413, "too_many_pixels")


async def test_ten_thousand_by_ten_thousand_real_pixels() -> None:
    buffer = io.BytesIO()
    pixels = np.zeros((10_000, 10_000), np.uint8)
    # Without them it would be taken for an image bomb.
    pixels[:600] = np.random.default_rng(0).integers(0, 256, (600, 10_000), np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    data = buffer.getvalue()
    del buffer
    async with serving() as client:
        assert (await client.post("/v1/predict", content=data, headers=JPEG)).status_code == 413
    async with serving(max_pixels=10**8) as client:
        answer = await client.post("/v1/predict", content=data, headers=JPEG)
        assert answer.status_code == 200
        (result,) = answer.json()["results"]
        assert (result["width"], result["height"]) == (10_000, 10_000)


async def test_a_slow_body_ends_with_408() -> None:
    async with serving(timeout=0.5) as client:
        answer = await client.post("/v1/predict", content=endless(b"x", [], 0.05), headers=JPEG)
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "body_timeout")
    assert answer.headers["Connection"] == "close"


async def test_work_that_takes_too_long_ends_with_503_and_is_dropped() -> None:
    backend = Darkness()
    app = create_app(make_predictor(backend), settings=Settings(timeout=0.5, rate=0))
    async with client_of(app) as client:
        backend.go.clear()
        answer = await client.post("/v1/predict", files=files(*[("a.png", picture())] * 8))
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "work_timeout")
        assert answer.headers["Retry-After"] == "1"
        backend.go.set()
        assert (await client.post("/v1/predict", content=picture())).status_code == 200


async def test_a_full_queue_answers_503_at_once() -> None:
    backend = Darkness()
    async with serving(make_predictor(backend), queue=2, max_files=2) as client:
        backend.go.clear()
        inside = asyncio.create_task(client.post("/v1/predict", files=files(*[("a.png", picture())] * 2)))
        await asyncio.sleep(0.3)
        refused = await client.post("/v1/predict", content=picture())
        backend.go.set()
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "queue_full")
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await inside).status_code == 200


async def test_memory_for_bodies_is_bounded_and_given_back() -> None:
    go = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 60_000
        await go.wait()

    async with serving(max_body=80_000, max_image=80_000, memory=100_000) as client:
        inside = asyncio.create_task(client.post("/v1/predict", content=body(), headers=JPEG))
        await asyncio.sleep(0.2)
        refused = await client.post("/v1/predict", content=b"x" * 50_000, headers=JPEG)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_memory")
        go.set()
        assert (await inside).status_code == 415
        assert (await client.post("/v1/predict", content=b"x" * 80_000, headers=JPEG)).status_code == 415
        assert "gafas_held_bytes 0.0" in (await client.get("/metrics")).text


async def test_a_client_that_goes_away_takes_its_work_along() -> None:
    """Spoken to without httpx, which cannot hang up in this process."""
    backend = Darkness()
    app = create_app(make_predictor(backend), settings=Settings(rate=0))
    async with client_of(app) as client:
        backend.go.clear()
        blocker = asyncio.create_task(client.post("/v1/predict", content=picture()))
        await asyncio.sleep(0.2)
        gone = asyncio.Event()
        sent: list[Any] = []
        messages = iter([{"type": "http.request", "body": picture(), "more_body": False}])

        async def receive() -> Any:
            for message in messages:
                return message
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/predict", "raw_path": b"/v1/predict", "headers": [],
                 "query_string": b"", "http_version": "1.1", "client": ("a", 1), "server": ("x", 80), "scheme": "http",
                 "root_path": ""}  # fmt: skip
        call = asyncio.create_task(app(scope, receive, send))
        await asyncio.sleep(0.2)
        assert "gafas_pending_images 2.0" in (await client.get("/metrics")).text
        gone.set()
        await call
        page = (await client.get("/metrics")).text
        assert "gafas_pending_images 1.0" in page
        assert 'gafas_requests_total{route="/v1/predict",status="499"} 1.0' in page
        backend.go.set()
        assert (await blocker).status_code == 200
        await asyncio.sleep(0.1)
    # Two for warming up, one for who stayed.
    assert sum(backend.batches) == 3


async def test_nothing_is_written_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    for name in ("SpooledTemporaryFile", "TemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    large = picture(10, (1500, 1500), ".bmp")
    assert len(large) > 2**20
    async with serving() as client:
        body = httpx.Request("POST", "http://x/v1/predict", files=files(("a.bmp", large))).read()
        kind = "multipart/form-data; boundary=" + body[2 : body.index(b"\r\n")].decode()
        answer = await client.post("/v1/predict", content=body, headers={"Content-Type": kind})
    assert answer.json()["results"][0]["status"] == "ok"


@pytest.mark.parametrize(
    "wrong",
    [{"max_files": 0}, {"queue": 3, "max_files": 4}, {"timeout": 0}, {"rate": -1}, {"memory": 1000}, {"threads": 0}],
    ids=str,
)
def test_limits_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Settings(**wrong)

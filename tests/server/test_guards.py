"""Keys and rates."""

from __future__ import annotations

import pytest

from gafas.server.guards import _CLIENTS, RateGuard, _network
from gafas.server.refusals import Refusal
from tests.server.tools import files, picture, serving

pytestmark = pytest.mark.anyio
KEY = "a long kéy"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "wrong"},
        {"X-API-Key": ""},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer a long"},
        {"Authorization": "Bearer", "X-API-Key": KEY[:-1]},
    ],
    ids=str,
)
async def test_a_wrong_key_opens_nothing(headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    async with serving(api_key=KEY) as client:
        for method, path in (("POST", "/v1/predict"), ("GET", "/v1/model"), ("GET", "/metrics")):
            answer = await client.request(method, path, headers=raw)
            assert answer.status_code == 401, path
            assert answer.json()["error"]["code"] == "unauthorized"
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        # A key is asked for before anything else is said, even of a query that is wrong.
        assert (await client.post("/v1/predict?threshold=7", headers=raw)).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"authorization": f"bearer  {KEY}"}]
)
async def test_the_right_key_opens(headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    async with serving(api_key=KEY) as client:
        assert (await client.get("/v1/model", headers=raw)).status_code == 200
        assert (await client.get("/metrics", headers=raw)).status_code == 200
        assert (await client.post("/v1/predict", headers=raw, files=files(("a.png", picture())))).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/openapi.json", "/static/index.html"])
async def test_what_holds_no_secret_is_open(path: str) -> None:
    async with serving(api_key=KEY) as client:
        assert (await client.get(path)).status_code == 200


async def test_the_key_is_nowhere_to_be_read() -> None:
    from gafas.server.settings import Settings

    assert KEY not in repr(Settings(api_key=KEY))
    async with serving(api_key=KEY) as client:
        answer = await client.get("/v1/model", headers=[(b"X-API-Key", KEY.encode())])
        assert KEY not in answer.text
        assert KEY not in (await client.get("/openapi.json")).text


def test_a_bucket_of_requests() -> None:
    now = [0.0]
    guard = RateGuard(6, clock=lambda: now[0])
    for _ in range(6):
        guard.take("a")
    with pytest.raises(Refusal) as refused:
        guard.take("a")
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"] == "10"
    guard.take("b")
    now[0] = 10.0
    guard.take("a")
    with pytest.raises(Refusal):
        guard.take("a")
    now[0] = 1000.0
    for _ in range(6):
        guard.take("a")
    with pytest.raises(Refusal):
        guard.take("a")


def test_addresses_are_forgotten() -> None:
    guard = RateGuard(1)
    for number in range(_CLIENTS + 50):
        guard.take(str(number))
    assert len(guard._buckets) == _CLIENTS


def test_one_network_is_one_client() -> None:
    assert _network("2001:db8::1") == _network("2001:db8::ffff:2") != _network("2001:db8:0:1::1")
    assert _network("10.0.0.1") != _network("10.0.0.2")
    assert _network("testclient") == "testclient"


async def test_too_many_requests() -> None:
    async with serving(rate=3) as client:
        statuses = [(await client.get("/v1/model")).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        refused = await client.post("/v1/predict", content=picture())
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) == 20
        # Whoever watches the server is not locked out.
        assert (await client.get("/healthz")).status_code == 200

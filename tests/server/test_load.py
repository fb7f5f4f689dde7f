"""A thousand uploads at the same time: everybody is answered, memory is bounded, the server lives."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from pathlib import Path

import httpx
import pytest

from gafas.imaging import encode
from tests.faces import portrait
from tests.server.conftest import Serve
from tests.server.tools import files

pytestmark = pytest.mark.anyio
UPLOADS = 1000


def peak_megabytes(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


async def _upload(client: httpx.AsyncClient, number: int, image: bytes) -> httpx.Response:
    return await client.post("/v1/predict", files=files((f"{number}.bmp", image)))


async def test_a_thousand_uploads_at_once(serve: Serve) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4 * UPLOADS:
        pytest.skip(f"this process may open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = serve("--rate", 0)
    image = encode(portrait(size=(140, 145)), ".bmp")
    limits = httpx.Limits(max_connections=UPLOADS)
    try:
        async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=240) as client:
            answers = await asyncio.gather(*(_upload(client, number, image) for number in range(UPLOADS)))
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) <= {200, 503}
        assert statuses[200] >= 20
        assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
        names = {answer.json()["results"][0]["name"] for answer in answers if answer.status_code == 200}
        assert len(names) == statuses[200]
        # Alive, with nothing left over. On a connection of its own: the server may be closing those that were idle.
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            assert (await _upload(client, -1, image)).status_code == 200
            page = (await client.get("/metrics")).text
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "gafas_pending_images 0.0" in page
    assert "gafas_held_bytes 0.0" in page
    if Path("/proc/self/status").is_file():
        assert peak_megabytes(server.process.pid) < 800
    assert server.stop() == 0
    assert "Traceback" not in server.lines()

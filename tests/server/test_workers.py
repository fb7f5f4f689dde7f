"""Workers and their supervisor, servers that end under load, and clients that read nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psutil
import pytest
import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from gafas.errors import BundleError, OutputError
from gafas.imaging import encode
from gafas.server import metering, protocol, running
from gafas.server.settings import Settings
from tests.faces import portrait
from tests.server.conftest import Serve, Server
from tests.server.test_process import PREDICT, connect, read_all
from tests.server.tools import picture
from tests.waiting import wait_for


def workers_of(server: Server) -> set[int]:
    found = set()
    for child in psutil.Process(server.process.pid).children():
        # One that has just died has no command line any more.
        with suppress(psutil.NoSuchProcess):
            if "resource_tracker" not in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


def counted(server: Server, name: str, page: str = "") -> float:
    page = page or httpx.get(f"{server.url}/metrics", timeout=60).text
    return sum(float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(name))


def _pending_of(server: Server, count: int) -> bool:
    page = httpx.get(f"{server.url}/metrics", timeout=60).text
    pending = counted(server, "gafas_pending_images", page)
    return pending > 0 and pending + counted(server, "gafas_images_total", page) == count


def runs(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_crashed_worker_is_replaced_and_its_counts_stay(serve: Serve, tmp_path: Path) -> None:
    # A supervisor that is killed leaves its folder behind.
    server = serve("--workers", 2, TMPDIR=str(tmp_path))
    first = wait_for(lambda: len(found := workers_of(server)) == 2 and found)

    def predict(count: int) -> None:
        for _ in range(count):
            assert httpx.post(f"{server.url}/v1/predict", content=picture(), timeout=60).status_code == 200

    predict(6)
    assert counted(server, 'gafas_images_total{result="ok"}') == 6
    victim, other = sorted(first)
    psutil.Process(victim).kill()
    # The other one goes on meanwhile.
    predict(3)
    second = wait_for(lambda: len(found := workers_of(server)) == 2 and victim not in found and found)
    assert other in second
    predict(6)
    assert counted(server, 'gafas_images_total{result="ok"}') == 15
    # Which was written by the dead one alone if it had been at work; it holds nothing now.
    assert counted(server, "gafas_pending_images") == 0
    log = server.lines()
    assert log.count("worker replaced") == 1
    assert "Traceback" not in log
    # Without their supervisor they end, and set the port free.
    server.process.kill()
    wait_for(lambda: not any(runs(worker) for worker in second))
    with pytest.raises(OSError, match="refused"):
        connect(server)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_end_under_load(serve: Serve, workers: int) -> None:
    """All that was accepted is answered: images that wait, a body that is half here, and one that never comes."""
    server = serve("--workers", workers, "--timeout", 60, "--queue", 500, "--rate", 0)
    image = encode(portrait(size=(480, 512)), ".png")
    head, count = PREDICT + f"Content-Length: {len(image)}\r\n\r\n".encode(), 40
    if workers == 2:
        wait_for(lambda: len(workers_of(server)) == 2)
    with ExitStack() as stack:
        idle, half, never, *busy = (stack.enter_context(connect(server)) for _ in range(count + 3))
        for connection in (half, never):
            connection.sendall(head + image[:1000])
        wait_for(lambda: counted(server, "gafas_held_bytes") >= 2000)
        for connection in busy:
            connection.sendall(head + image)
        # All have been read, and some wait.
        wait_for(lambda: _pending_of(server, count))
        server.process.terminate()
        assert read_all(idle) == b""
        half.sendall(image[1000:])
        answers = [read_all(connection) for connection in (half, *busy)]
        assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * (count + 1)
        assert all(b'"status":"ok"' in answer for answer in answers)
    assert server.process.wait(60) == 0
    with pytest.raises(OSError, match="refused"):
        connect(server)
    assert "Traceback" not in server.lines()


@pytest.fixture
def lonely(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], tuple[str, int]]]:
    """Start the protocol around an app, in a thread of this process."""
    monkeypatch.setattr(protocol, "READ_SECONDS", 0.5)
    servers: list[tuple[uvicorn.Server, Thread, socket.socket]] = []

    def start(app: Any) -> tuple[str, int]:
        opened = running.listen("127.0.0.1", 0)
        config = uvicorn.Config(app, http=protocol.PatientProtocol, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, args=([opened],))
        thread.start()
        servers.append((server, thread, opened))
        return "127.0.0.1", int(opened.getsockname()[1])

    yield start
    for server, thread, opened in servers:
        server.should_exit = True
        thread.join(20)
        opened.close()


SIZE = 20_000_000


async def large(scope: Any, receive: Any, send: Any) -> None:
    """An answer that no buffer of the system takes in at once."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(SIZE).encode())]})
    for _ in range(200):
        await send({"type": "http.response.body", "body": b"x" * (SIZE // 200), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def test_who_reads_nothing_is_cut_off_and_who_reads_slowly_is_not(lonely: Callable[[Any], tuple[str, int]]) -> None:
    address = lonely(large)
    with socket.create_connection(address, timeout=20) as deaf, socket.create_connection(address, timeout=20) as slow:
        for connection in (deaf, slow):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        found, start = b"", time.monotonic()
        while chunk := slow.recv(2_000_000):
            found += chunk
            time.sleep(0.1)
        assert time.monotonic() - start > 2 * protocol.READ_SECONDS
        assert len(found.partition(b"\r\n\r\n")[2]) == SIZE
        assert len(read_all(deaf)) < SIZE


class _Broken:
    """A plan whose model cannot judge."""

    settings = Settings()

    def __call__(self) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            if self.settings.queue:
                raise BundleError("the graph cannot run")
            yield

        return FastAPI(lifespan=lifespan)


def test_a_server_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(running, "LOGGING", None)
    plan: Any = _Broken()
    with running.listen("127.0.0.1", 0) as opened, pytest.raises(BundleError, match="has not started"):
        running.run(plan, opened, workers=1, proxy=None, started=lambda: None)
    assert "the graph cannot run" in caplog.text


def test_workers_that_cannot_start_end_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor that gave up leaves the exit code of its worker behind."""

    class Worker:
        exitcode = STARTUP_FAILURE

    class GivenUp:
        processes = (Worker(),)

        def __init__(self, *_: Any, **__: Any) -> None: ...

        def run(self) -> None: ...

    monkeypatch.setattr(running, "Supervisor", GivenUp)
    with running.listen("127.0.0.1", 0) as opened, pytest.raises(BundleError, match="has not started"):
        running.run(_Broken(), opened, workers=2, proxy=None, started=lambda: None)  # type: ignore[arg-type]


def test_nowhere_to_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(**_: Any) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.TemporaryDirectory", nowhere)
    with pytest.raises(OutputError, match="or --workers 1"), metering.shared_counters():
        pass

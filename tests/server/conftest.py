"""Servers as they are in earnest: processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")
pytest.importorskip("uvicorn", reason="the serve extra is not installed")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Server:
    """A running `gafas serve`, its address and its log."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    def lines(self) -> str:
        return self.log.read_text(encoding="utf-8")


Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start `gafas serve` on a free port and wait until it answers."""
    started: list[Server] = []

    def start(*words: object, slow: float = 0, **environment: str) -> Server:
        log = tmp_path / f"server{len(started)}.log"
        # A model that takes its time, for tests of what happens meanwhile.
        lines = ["import sys, time", "import gafas.runtime.backends as b", "run = b.OnnxBackend.probabilities",
                 f"b.OnnxBackend.probabilities = lambda self, images: (time.sleep({slow}), run(self, images))[1]",
                 "from gafas.cli import main", "sys.argv[0] = 'gafas'", "main()"]  # fmt: skip
        run = ["-c", "\n".join(lines)] if slow else ["-m", "gafas"]
        with log.open("w", encoding="utf-8") as stream:
            process = subprocess.Popen(
                [sys.executable, *run, "serve", "--port", "0", "--threads", "2", *map(str, words)],
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                stdout=subprocess.DEVNULL,
                stderr=stream,
                text=True,
            )
        server = Server(process, "", log)
        started.append(server)
        server.url = _wait_for_address(server)
        return server

    yield start
    for server in started:
        server.process.kill()
        server.process.wait(10)


def _wait_for_address(server: Server) -> str:
    import time
    import urllib.request

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.lines()
        words = server.lines().split()
        url = next((word for word in words if word.startswith("http://")), None)
        try:
            if url is not None and urllib.request.urlopen(f"{url}/readyz", timeout=5).status == 200:
                return url
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"no answer: {server.lines()}")

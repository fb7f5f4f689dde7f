"""The server under many clients, against one call inside a process.

    python benchmarks/serve.py
    python benchmarks/serve.py --clients 1 8 64 256 --seconds 20 --json serve.json

The reference decodes and judges one image after the other with ``Predictor.predict``, one thread. Then ``gafas serve``
runs as a process of its own, without rate limit, and each client sends the same images, one request after the other,
over a connection that stays open. The clients run on the same machine and take their share of its cores. With more
clients than the queue has places, some requests are answered 503; their share is shown, and times are those of
answered images only. After a 503 a client waits the second that ``Retry-After`` asks for.

The images are photographs of CelebA from ``$GAFAS_DATA``; without it, drawn ones.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import gafas
from common import cores, finish, markdown
from gafas.datasets.synthetic import draw_synthetic

_PATIENCE = 60.0


def find_images(folder: Path, count: int) -> tuple[list[bytes], str]:
    """Return encoded images and what they are."""
    found = sorted(Path(os.environ.get("GAFAS_DATA") or folder).glob("celeba_glasses/*/*.jpg"))[
        :: max(1, 1000 // count)
    ]
    kind = "CelebA"
    if not found:
        found, kind = sorted(draw_synthetic(folder / "drawn", persons=2, size=(120, 128)).rglob("*.pgm")), "drawn"
    return [path.read_bytes() for path in found[:count]], kind


@dataclass(slots=True)
class Load:
    """What clients saw: milliseconds of each answered image, and how many answers had which status.

    Attributes
    ----------
    busy : float
        Seconds of processor time of the process that judged.
    """

    clients: int
    seconds: float = 0.0
    busy: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def row(self) -> list[str]:
        """Return a row of the table."""
        total = sum(self.statuses.values())
        return [
            f"{self.clients} clients" if self.clients > 1 else "1 client",
            f"{self.statuses[200] / self.seconds:.1f}",
            f"{percentile(self.milliseconds, 50):.1f}",
            f"{percentile(self.milliseconds, 99):.1f}",
            f"{1000 * self.busy / self.statuses[200]:.1f}",
            f"{self.statuses[503] / total:.3f}",
            f"{total}",
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the figures, without every single time."""
        return {
            "clients": self.clients, "seconds": self.seconds, "answers": dict(sorted(self.statuses.items())),
            "processor_ms": 1000 * self.busy / self.statuses[200],
            "images_per_second": self.statuses[200] / self.seconds,
            "p50_ms": percentile(self.milliseconds, 50), "p99_ms": percentile(self.milliseconds, 99),
        }  # fmt: skip


def percentile(values: Sequence[float], share: int) -> float:
    """Return the value below which `share` per cent lie: always one that was measured."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def call_in_process(images: Sequence[bytes], seconds: float) -> Load:
    """Judge one image after the other in this process."""
    predictor = gafas.load_predictor(threads=1)
    for image in images[:8]:
        predictor.predict(image)
    load = Load(1)
    start, busy = time.perf_counter(), time.process_time()
    for image in cycle(images):
        begun = time.perf_counter()
        predictor.predict(image)
        load.milliseconds.append(1000 * (time.perf_counter() - begun))
        load.statuses[200] += 1
        load.seconds = time.perf_counter() - start
        if load.seconds > seconds:
            load.busy = time.process_time() - busy
            return load
    raise SystemExit("no images")


@contextlib.contextmanager
def server(folder: Path, *options: str) -> Iterator[tuple[int, int]]:
    """Run ``gafas serve`` on a free port and give the port and the number of its process; it must end well."""
    log = folder / "server.log"
    words = [sys.executable, "-m", "gafas", "serve", "--port", "0", "--rate", "0", *options]
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(words, stderr=stream)
    try:
        deadline = time.monotonic() + _PATIENCE
        while "http://" not in (text := log.read_text(encoding="utf-8")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{' '.join(words)}: does not start: {text}")
            time.sleep(0.05)
        yield int(text.partition("http://127.0.0.1:")[2].split()[0]), process.pid
    finally:
        process.terminate()
        code = process.wait()
    if code:
        text = log.read_text(encoding="utf-8")[-2000:]
        raise SystemExit(f"{' '.join(words)}: exit code {code} after SIGTERM: {text}")


def busy_of(process: int) -> float:
    """Return the seconds of processor time that a process has used; 0 where the system does not tell."""
    record = Path(f"/proc/{process}/stat")
    if not record.is_file():
        return 0.0
    # After the name, which may hold blanks: state, then user and system time as the 12th and 13th.
    words = record.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


async def ask(port: int, requests: Sequence[bytes], load: Load, until: float) -> None:
    """Be one client: bare HTTP, as a client's library would take more time than the server."""
    reader, writer = await connect(port)
    for request in cycle(requests):
        begun = time.perf_counter()
        if begun > until:
            break
        writer.write(request)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
        status = int(head.split()[1])
        load.statuses[status] += 1
        if status == 200:
            load.milliseconds.append(1000 * (time.perf_counter() - begun))
        else:
            await asyncio.sleep(1)
        if b"connection: close" in head:
            writer.close()
            reader, writer = await connect(port)
    writer.close()


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection; a new server may not listen yet."""
    for _ in range(100):
        with contextlib.suppress(ConnectionError):
            return await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.1)
    raise SystemExit(f"port {port}: no answer")


async def measure(port: int, process: int, images: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Let so many clients ask for so long."""
    head = (
        "POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n"
    )
    requests = [head.format(len(image)).encode() + image for image in images]
    load = Load(clients)
    start, busy = time.perf_counter(), busy_of(process)
    shifted = [requests[number % len(requests) :] + requests[: number % len(requests)] for number in range(clients)]
    await asyncio.gather(*(ask(port, mine, load, start + seconds) for mine in shifted))
    load.seconds, load.busy = time.perf_counter() - start, busy_of(process) - busy
    if not load.milliseconds or set(load.statuses) - {200, 503}:
        raise SystemExit(f"{clients} clients: answers {dict(load.statuses)}")
    return load


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64, 256], help="at a time (1 8 64 256)")
    parser.add_argument("--images", type=int, default=100, help="different images (100)")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement (10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--smoke", action="store_true", help="few images, short: does it run?")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.clients, arguments.images, arguments.seconds = [1, 80], 4, 1.0
    with tempfile.TemporaryDirectory() as name:
        images, kind = find_images(Path(name), arguments.images)
        reference = call_in_process(images, arguments.seconds)
        with server(Path(name)) as (port, process):
            asyncio.run(measure(port, process, images, 1, 1.0))
            loads = [
                asyncio.run(measure(port, process, images, clients, arguments.seconds)) for clients in arguments.clients
            ]
    rows = [
        ["in this process, one thread", *reference.row()[1:5], "", reference.row()[-1]],
        *(load.row() for load in loads),
    ]
    table = markdown(["", "images/s", "p50, ms", "p99, ms", "processor, ms/image", "share of 503", "answers"], rows)
    payload = {"kind": kind, "images": len(images), "server_threads": cores(), "in_process": reference.to_json(),
               "served": [load.to_json() for load in loads]}  # fmt: skip
    finish("serve", f"{len(images)} images: {kind}\n\n{table}", payload, arguments.json)


if __name__ == "__main__":
    main()

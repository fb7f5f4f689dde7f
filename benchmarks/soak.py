"""The server under good and hostile clients for a long time: whether its memory and files grow.

    make soak SECONDS=600
    python benchmarks/soak.py --seconds 600 --json soak.json

Runs ``gafas serve`` as a process of its own, without rate limit and with 10 s for a body, and clients of three groups
beside it: good ones (photographs of several sizes, forms, explanations, the page), bad ones (broken images, no images,
cut-off and wrong forms, wrong types, bodies too large or without end, bombs, absurd heads and paths, clients that hang
up) and slow ones (bodies and heads byte by byte, clients that say or read nothing). Every kind has answers that it may
get. Every few seconds resident memory and open files of the server's processes are counted.

Exit code 1, with the reasons on standard error, where

- an answer is not one of its kind's, or is 5xx but not 503; the log holds a traceback;
- memory or open files grow: the least-squares slope after the warm-up, at the lower end of its 95 % interval, makes
  more than 5 % of the memory, or more than 5 files, over the time that was measured;
- when the clients have gone, files are open that were not before they came, or images or bodies are held;
- the server does not end with 0 on SIGTERM.

The images are photographs of CelebA from ``$GAFAS_DATA``; without it, drawn ones. The clients run on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from scipy import stats

from common import finish, markdown  # isort: skip  # its neighbours
from serve import find_images, percentile, server  # isort: skip
from soak_clients import BUSY, Kind, Shop, kinds, predict  # isort: skip
from gafas.server.settings import MEGABYTE

CLIENTS = {"good": 4, "bad": 3, "slow": 10}
MEMORY_SHARE, FILES = 0.05, 5.0
"""What may be gained over the measured time: a share of the memory, and files."""

_PATIENCE = 180.0
"""Seconds after the end in which every client must have its answer."""

_GONE = 40.0
"""Seconds in which a server must have let go of its clients' connections."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A quantity over time.

    Attributes
    ----------
    first, middle, last : float
        Median of the first, middle and last fifth of the samples.
    slope, low, high : float
        By least squares, with its 95 % interval, per hour.
    gained : float
        At least so much over the measured time: its sign is that of a sure growth.
    """

    first: float
    middle: float
    last: float
    slope: float
    low: float
    high: float
    gained: float


def growth(seconds: Sequence[float], values: Sequence[float]) -> Growth:
    """Fit a line to at least five samples."""
    line = stats.linregress(seconds, values)
    reach = float(stats.t.ppf(0.975, len(values) - 2) * line.stderr)
    low, high = float(line.slope) - reach, float(line.slope) + reach
    fifth = max(1, len(values) // 5)
    centre = (len(values) - fifth) // 2
    parts = (values[:fifth], values[centre : centre + fifth], values[-fifth:])
    first, middle, last = (float(statistics.median(part)) for part in parts)
    return Growth(
        first, middle, last, 3600 * float(line.slope), 3600 * low, 3600 * high, low * (seconds[-1] - seconds[0])
    )


@dataclass(slots=True)
class Samples:
    """Memory (bytes) and open files of a server with all its processes, at seconds since the start."""

    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    files: list[float] = field(default_factory=list)

    def take(self, process: psutil.Process, at: float) -> None:
        """Count now."""
        memory, files = usage(process)
        self.seconds.append(at)
        self.memory.append(memory)
        self.files.append(files)


@dataclass(slots=True)
class Seen:
    """What clients saw: answers by kind, and milliseconds of good requests answered 200."""

    answers: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    milliseconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def usage(process: psutil.Process) -> tuple[float, float]:
    """Return resident bytes and open files of a process and those that it started."""
    family = [process, *process.children(recursive=True)]
    return float(sum(one.memory_info().rss for one in family)), float(sum(one.num_fds() for one in family))


async def be_a_client(shop: Shop, group: Sequence[Kind], seen: Seen, until: float) -> None:
    """Ask one thing after another."""
    while time.monotonic() < until:
        (kind,) = shop.random.choices(group, [one.weight for one in group])
        begun = time.perf_counter()
        try:
            answer = await kind.send(shop)
        except (OSError, httpx.HTTPError, TimeoutError) as error:
            answer = type(error).__name__
        seen.answers[kind.name][answer] += 1
        if answer == "200" and kind.group == "good":
            seen.milliseconds[kind.name].append(1000 * (time.perf_counter() - begun))
        if answer == BUSY:
            await asyncio.sleep(1)


async def soak(
    shop: Shop, process: psutil.Process, *, seconds: float, warm: float, step: float, patience: float, workers: int
) -> tuple[Seen, Samples, list[str]]:
    """Let all clients ask for so long; return what they saw, what was counted after the warm-up, and what is left."""
    await _wake(shop, workers)
    _, files_before = usage(process)
    if warm > step:
        # The largest pictures come seldom: what they take must not look like growth when they do.
        for image in (shop.large, *shop.medium):
            await asyncio.gather(*(predict(shop, image) for _ in range(4)))
    seen, samples = Seen(), Samples()
    start = time.monotonic()
    clients = [
        asyncio.ensure_future(be_a_client(shop, [one for one in kinds() if one.group == group], seen, start + seconds))
        for group, count in CLIENTS.items()
        for _ in range(count)
    ]
    await asyncio.sleep(warm)
    while time.monotonic() < start + seconds:
        samples.take(process, time.monotonic() - start)
        await asyncio.sleep(step)
    # Slow ones take as long as the server has patience.
    _, late = await asyncio.wait(clients, timeout=patience)
    for client in late:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    await shop.http.aclose()
    return seen, samples, await _left_over(shop, process, files_before)


async def _wake(shop: Shop, workers: int) -> None:
    """Have every worker answer: the files of its counters are opened with its first answer, and stay open."""
    async with httpx.AsyncClient(base_url=shop.http.base_url, timeout=shop.http.timeout) as http:
        await asyncio.gather(*(predict(shop, shop.image(), http=http) for _ in range(8 * workers)))
    # The server notices a little later that they have hung up.
    await asyncio.sleep(1)


async def _left_over(shop: Shop, process: psutil.Process, files_before: float) -> list[str]:
    files, deadline = float("inf"), time.monotonic() + _GONE
    while files > files_before and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        _, files = usage(process)
    found = [f"{files:g} files are open, expected {files_before:g} as before"] if files > files_before else []
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"http://127.0.0.1:{shop.port}/metrics")).text
    wanted = ("gafas_pending_images 0.0", "gafas_held_bytes 0.0")
    return found + [f"/metrics: expected {line}" for line in wanted if line not in page]


def growing(grown: dict[str, Growth]) -> list[str]:
    """Return what grows beyond its bound."""
    wrong = []
    memory, files = grown["memory"], grown["files"]
    if memory.gained > MEMORY_SHARE * memory.first:
        wrong.append(f"memory grows: at least {memory.gained / MEGABYTE:.1f} MB while it was measured")
    if files.gained > FILES:
        wrong.append(f"open files grow: at least {files.gained:.1f} while they were measured")
    return wrong


def judge(seen: Seen, log: str) -> list[str]:
    """Return wrong answers and faults in the log."""
    wrong = []
    for kind in kinds():
        for answer, count in seen.answers[kind.name].items():
            if answer not in kind.want:
                wrong.append(f"{kind.name}: {count} × {answer}, expected {' or '.join(sorted(kind.want))}")
    if "Traceback" in log:
        wrong.append(f"the log holds tracebacks: {log[log.index('Traceback') :][:2000]}")
    return wrong


def tables(seen: Seen, grown: dict[str, Growth]) -> str:
    """Return requests by kind and answer, and growth, as Markdown."""
    rows: list[list[object]] = []
    for kind in kinds():
        times = seen.milliseconds.get(kind.name)
        answers = ", ".join(f"{answer}: {count:,}" for answer, count in sorted(seen.answers[kind.name].items()))
        spans = [f"{percentile(times, share):.0f}" for share in (50, 99)] if times else ["", ""]
        rows.append([f"{kind.group}: {kind.name}", sum(seen.answers[kind.name].values()), *spans, answers])
    requests = markdown(["requests", "n", "p50, ms", "p99, ms", "answers: n"], rows)
    every = [one for times in seen.milliseconds.values() for one in times]
    total = sum(counter.total() for counter in seen.answers.values())
    failed = sum(
        count for counter in seen.answers.values() for answer, count in counter.items()
        if answer.startswith("5") and answer != BUSY
    )  # fmt: skip
    words = (
        f"{total:,} requests, {failed} answered 5xx but not 503. Good ones answered 200: {len(every):,}, "
        f"p50 {percentile(every, 50):.0f} ms, p99 {percentile(every, 99):.0f} ms."
    )
    kept = []
    for name, unit, one in (("memory, MB", MEGABYTE, grown["memory"]), ("open files", 1, grown["files"])):
        parts = [f"{value / unit:.1f}" for value in (one.first, one.middle, one.last, one.slope)]
        kept.append([name, *parts, f"{one.low / unit:.1f} to {one.high / unit:.1f}"])
    held = markdown(["", "start", "middle", "end", "slope an hour", "95 % interval"], kept)
    return f"{requests}\n\n{words}\n\n{held}"


def main() -> None:
    """Parse, soak, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="of load, the warm-up included (60)")
    parser.add_argument("--warm", type=float, help="of warm-up (a fifth, 120 at most)")
    parser.add_argument("--step", type=float, default=5, help="from one sample to the next (5)")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--smoke", action="store_true", help="a few seconds, whatever it grows: does it run?")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.seconds, arguments.warm, arguments.step = 6.0, 0.5, 0.5
    warm = arguments.warm if arguments.warm is not None else min(120.0, arguments.seconds / 5)
    if (arguments.seconds - warm) / arguments.step < 5:
        parser.error("expected time for at least 5 samples after the warm-up: more --seconds or a smaller --step")
    # A server that has just begun does grow.
    patience, body = (3.0, "4") if arguments.smoke else (_PATIENCE, "10")
    words = ("--timeout", body, "--workers", str(arguments.workers))
    with tempfile.TemporaryDirectory() as name:
        images, kind = find_images(Path(name), 100)
        with server(Path(name), *words) as (port, number):
            shop = Shop(port, images, most=32 * MEGABYTE)
            seen, samples, left = asyncio.run(
                soak(
                    shop, psutil.Process(number), seconds=arguments.seconds, warm=warm, step=arguments.step,
                    patience=patience, workers=arguments.workers,
                )
            )  # fmt: skip
        log = Path(name, "server.log").read_text(encoding="utf-8")
    grown = {"memory": growth(samples.seconds, samples.memory), "files": growth(samples.seconds, samples.files)}
    wrong = left + judge(seen, log) + ([] if arguments.smoke else growing(grown))
    intro = f"{arguments.seconds:g} s, measured after {warm:g} s, {len(samples.seconds)} samples; images: {kind}"
    payload: dict[str, Any] = {
        "answers": {one: dict(counter) for one, counter in seen.answers.items()}, "wrong": wrong,
        "seconds": samples.seconds, "memory_bytes": samples.memory, "open_files": samples.files,
    }  # fmt: skip
    finish("soak", f"{intro}\n\n{tables(seen, grown)}", payload, arguments.json)
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()

"""Images of all requests through a few threads: each is looked at alone, then they are classified together.

Belongs to one event loop, which never waits for pixels. No background task: every end of a step begins the next.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from gafas.runtime.predictor import Predictor
from gafas.server.looking import Judged, Looked, Looker, Wish
from gafas.server.refusals import busy
from gafas.values import Verdict

_BATCH = 8
"""Regions from which a batch is begun while images wait: more in one run of the graph take no less time for each."""

_LARGEST = 64
"""Regions after which no further image joins a batch."""

_AHEAD = 2
"""Steps that are handed to each thread: one is done, one lies ready."""

_PATIENCE = 0.05
"""Seconds after which a batch is begun although it is small."""


@dataclass(slots=True, eq=False)
class _Job:
    """One image on its way; whoever waits for it holds `done`."""

    data: bytes
    wish: Wish
    done: asyncio.Future[Judged]
    looked: Looked = field(default_factory=Looked)
    since: float = 0.0


class Engine:
    """Judges images within a bounded queue.

    Parameters
    ----------
    predictor : Predictor
        Classifies.
    looker : Looker
        Decodes, finds and cuts.
    threads : int
        Images worked on at the same time.
    queue : int
        Images that wait or are worked on, all together.
    on_batch : callable or None
        Told how many regions are classified together.
    on_pending : callable or None
        Told how many images wait or are worked on, when that changes.
    """

    def __init__(
        self,
        predictor: Predictor,
        looker: Looker,
        *,
        threads: int,
        queue: int,
        on_batch: Callable[[int], object] | None = None,
        on_pending: Callable[[int], object] | None = None,
    ) -> None:
        self._predictor, self._looker = predictor, looker
        self._threads, self._queue = threads, queue
        self._on_batch, self._on_pending = on_batch, on_pending
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[_Job] = deque()
        self._looked: deque[_Job] = deque()
        self._unexplained: deque[tuple[_Job, Judged]] = deque()
        self._busy = 0
        self.pending = 0
        """Images that wait or are worked on."""

    def check_room(self, images: int = 1) -> None:
        """Raise a `Refusal` (503) where the queue has no room for so many images."""
        if self.pending + images > self._queue:
            raise busy("queue_full", f"{self.pending} of {self._queue} images wait")

    async def judge(self, images: Sequence[bytes], wish: Wish) -> list[Judged]:
        """Judge the images of one request; when the caller is cancelled, what has not begun is dropped.

        Raises
        ------
        Refusal
            503: the queue is full.
        BundleError
            The graph cannot run.
        """
        self.check_room(len(images))
        loop = asyncio.get_running_loop()
        jobs = [_Job(data, wish, loop.create_future()) for data in images]
        self._count(len(jobs))
        for job in jobs:
            job.done.add_done_callback(self._count_down)
        self._waiting.extend(jobs)
        self._advance()
        try:
            return list(await asyncio.gather(*(job.done for job in jobs)))
        finally:
            self._drop(jobs)

    def close(self) -> None:
        """Let the threads end; the next image would begin new ones."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _count_down(self, _: asyncio.Future[Judged]) -> None:
        self._count(-1)

    def _count(self, more: int) -> None:
        self.pending += more
        if self._on_pending is not None:
            self._on_pending(self.pending)

    def _drop(self, jobs: Sequence[_Job]) -> None:
        for job in jobs:
            job.done.cancel()
        self._waiting = deque(job for job in self._waiting if not job.done.done())
        self._looked = deque(job for job in self._looked if not job.done.done())
        self._unexplained = deque(pair for pair in self._unexplained if not pair[0].done.done())

    def _advance(self) -> None:
        """Give every thread something to do, and one step more, so that it need not wait for the event loop."""
        while self._busy < _AHEAD * self._threads and (self._waiting or self._looked or self._unexplained):
            if self._is_batch():
                self._classify()
            elif self._unexplained:
                self._explain()
            else:
                self._look()

    def _is_batch(self) -> bool:
        if not self._looked or not self._waiting:
            return bool(self._looked)
        regions = sum(len(job.looked.boxes) for job in self._looked)
        return regions >= _BATCH or time.monotonic() - self._looked[0].since > _PATIENCE

    def _look(self) -> None:
        job = self._waiting.popleft()
        data, job.data = job.data, b""

        def end(result: Looked) -> None:
            job.looked, job.since = result, time.monotonic()
            if result.failure is not None:
                _give(job, Judged(result))
            elif not job.done.done():
                self._looked.append(job)

        self._run([job], end, self._looker.look, data, job.wish)

    def _classify(self) -> None:
        jobs: list[_Job] = []
        regions = 0
        while self._looked and (not jobs or regions + len(self._looked[0].looked.boxes) <= _LARGEST):
            jobs.append(self._looked.popleft())
            regions += len(jobs[-1].looked.boxes)
        if self._on_batch is not None:
            self._on_batch(regions)

        def end(results: list[tuple[Verdict, ...]]) -> None:
            for job, verdicts in zip(jobs, results, strict=True):
                judged = Judged(job.looked, verdicts)
                if job.wish.explain and not job.done.done():
                    self._unexplained.append((job, judged))
                else:
                    _give(job, judged)

        patches = [patch for job in jobs for patch in job.looked.patches]
        self._run(jobs, end, self._predictor.judge, [job.looked.boxes for job in jobs], patches)

    def _explain(self) -> None:
        job, judged = self._unexplained.popleft()

        def end(explanations: tuple[dict[str, Any], ...]) -> None:
            _give(job, replace(judged, explanations=explanations))

        self._run([job], end, self._looker.explain, job.looked)

    def _run(self, jobs: Sequence[_Job], end: Callable[[Any], None], step: Callable[..., Any], *words: Any) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="gafas-server")
        self._busy += 1
        running = asyncio.get_running_loop().run_in_executor(self._pool, step, *words)

        def ended(future: asyncio.Future[Any]) -> None:
            self._busy -= 1
            error = asyncio.CancelledError() if future.cancelled() else future.exception()
            if error is None:
                end(future.result())
            else:
                for job in jobs:
                    if not job.done.done():
                        job.done.set_exception(error)
            self._advance()

        running.add_done_callback(ended)


def _give(job: _Job, judged: Judged) -> None:
    if not job.done.done():
        job.done.set_result(judged)

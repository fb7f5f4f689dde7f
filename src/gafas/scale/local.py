"""The local engine: a pool of processes, each with one worker and one core."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from gafas.errors import GafasError
from gafas.scale.blocks import Block
from gafas.scale.parts import Tally
from gafas.scale.worker import BlockWorker, Work

_LOG = logging.getLogger(__name__)

_AHEAD = 2
"""Blocks handed out for each process: one is judged, the next one waits."""

_DEATHS = 3
"""How often the processes may be killed while a block is under way, until it is taken for the cause."""

_worker: BlockWorker | None = None


def run_local(work: Work, blocks: Iterable[Block], *, workers: int) -> Iterator[Tally]:
    """Judge blocks on this machine and yield what each came to, in no order.

    Where a process is killed from outside, others take its place and judge what was under way anew.

    Parameters
    ----------
    work : Work
    blocks : iterable of Block
        Taken as they are needed.
    workers : int
        Processes; with 1 all is done in this one.

    Raises
    ------
    GafasError
        Processes could not start or were killed over the same block, or as `BlockWorker` and its `run` raise.
    """
    if workers == 1:
        worker = BlockWorker(work)
        yield from map(worker.run, blocks)
        return
    remaining = iter(blocks)
    waiting: deque[Block] = deque()
    deaths: Counter[int] = Counter()
    while True:
        begun: dict[Future[Tally], Block] = {}
        pool = _open_pool(work, workers)
        try:
            yield from _hand_out(pool, begun, waiting, remaining, ahead=_AHEAD * workers)
        except BrokenProcessPool as error:
            finished, lost = _sort_out(begun)
            yield from map(Future.result, finished)
            deaths.update(block.number for block in lost)
            if any(deaths[block.number] >= _DEATHS for block in lost):
                raise GafasError(
                    f"workers could not start or were killed from outside {_DEATHS} times over the same images, "
                    "perhaps for want of memory; go on with: --resume"
                ) from error
            _LOG.warning("a worker was killed from outside; others take its place, %d blocks begin anew", len(lost))
            waiting.extend(lost)
        else:
            return
        finally:
            # After an error or Ctrl-C nobody waits for blocks under way: they are judged again.
            for process in multiprocessing.active_children():
                process.terminate()
            # The pool's own thread is waited for: Python, at its end, would write into the pipe that it closes.
            pool.shutdown(cancel_futures=True)


def _hand_out(
    pool: ProcessPoolExecutor,
    begun: dict[Future[Tally], Block],
    waiting: deque[Block],
    remaining: Iterator[Block],
    *,
    ahead: int,
) -> Iterator[Tally]:
    """Have all blocks judged, those that wait first; `begun` always holds what is under way."""
    while True:
        waiting.extend(islice(remaining, max(0, ahead - len(begun) - len(waiting))))
        while waiting and len(begun) < ahead:
            future = pool.submit(_run, waiting[0])
            begun[future] = waiting.popleft()
        if not begun:
            return
        for future in wait(begun, return_when=FIRST_COMPLETED).done:
            tally = future.result()
            del begun[future]
            yield tally


def _open_pool(work: Work, workers: int) -> ProcessPoolExecutor:
    # Not forked: threads of ONNX Runtime and pyarrow do not survive that.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(work,))


def _sort_out(begun: Mapping[Future[Tally], Block]) -> tuple[list[Future[Tally]], list[Block]]:
    """Return what a broken pool has still finished, or failed for a reason of its own, and the blocks that it lost."""
    wait(begun)
    lost = [future for future in begun if isinstance(future.exception(), BrokenProcessPool)]
    return [future for future in begun if future not in lost], [begun[future] for future in lost]


def _start(work: Work) -> None:
    """Build the worker of this process."""
    global _worker  # one for each process, and only an initializer can make it
    # Ctrl-C is for the process that hands out blocks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = BlockWorker(work)


def _end_with_parent() -> None:
    """End this process when its parent is killed: it would wait for ever for more blocks."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(block: Block) -> Tally:
    if _worker is None:
        raise GafasError("the worker of this process was not built")
    return _worker.run(block)

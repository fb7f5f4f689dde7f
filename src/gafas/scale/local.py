"""The local engine: a pool of processes, each with one worker and one core."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from gafas.errors import GafasError
from gafas.scale.blocks import Block
from gafas.scale.parts import Tally
from gafas.scale.worker import BlockWorker, Work

_AHEAD = 2
"""Blocks handed out for each process: one is judged, the next one waits."""

_worker: BlockWorker | None = None


def run_local(work: Work, blocks: Iterable[Block], *, workers: int) -> Iterator[Tally]:
    """Judge blocks on this machine and yield what each came to, in no order.

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
        A process was killed from outside, or as `BlockWorker` and its `run` raise.
    """
    if workers == 1:
        worker = BlockWorker(work)
        yield from map(worker.run, blocks)
        return
    remaining = iter(blocks)
    # Not forked: threads of ONNX Runtime and pyarrow do not survive that.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(work,))
    try:
        begun = {pool.submit(_run, block) for block in islice(remaining, _AHEAD * workers)}
        while begun:
            finished, begun = wait(begun, return_when=FIRST_COMPLETED)
            yield from map(Future.result, finished)
            begun |= {pool.submit(_run, block) for block in islice(remaining, len(finished))}
    except BrokenProcessPool as error:
        raise GafasError(
            "a worker could not start or was killed from outside, perhaps for want of memory; go on with: --resume"
        ) from error
    finally:
        # After an error or Ctrl-C nobody waits for blocks under way: they are judged again.
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()


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

"""The engine on Ray Data: an actor for each worker, on one machine or on a cluster."""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from gafas.errors import GafasError, MissingExtraError, UsageError
from gafas.scale.blocks import Block, block_from_json
from gafas.scale.parts import Tally
from gafas.scale.worker import BlockWorker, Work

_RAY_BLOCKS = 20_000
"""Ray's own blocks, at most: each is a task, and each task is remembered by the one who hands them out."""

_OUTPUT_BYTES = 2**20
"""What a task gives, at most. Ray Data holds tasks back that might fill its memory, and reckons with 128 MB of each."""

_HOST_AND_PORT = re.compile(r"(?:ray://)?(?P<host>[^:/]+):(?P<port>\d+)")
_KNOCK = 10.0
_THREADS = ("StreamingExecutor", "Prefetcher", "iter_threaded", "ray-data-")
"""How the names of Ray Data's threads begin that end with an iteration, though nobody waits for them."""

_PATIENCE = 10.0
"""Seconds for each of them."""

_RAISED = re.compile(r"[\w.]*(?:Error|Exception)\b.*: .")


class RayWorker:
    """The worker as Ray Data calls it.

    What gafas raises on purpose is handed on as an answer: Ray would try again what cannot succeed.
    """

    def __init__(self, work: Work) -> None:
        self._worker: BlockWorker | None = None
        self._problem = ""
        try:
            self._worker = BlockWorker(work)
        except GafasError as error:
            self._problem = str(error)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Judge the blocks of a batch, and give what each came to."""
        answers = [self._answer(block_from_json(str(text))) for text in batch["block"]]
        return {name: [answer[name] for answer in answers] for name in ("images", "failed", "rows", "problem")}

    def _answer(self, block: Block) -> dict[str, Any]:
        tally, problem = Tally(), self._problem
        if self._worker is not None:
            try:
                tally = self._worker.run(block)
            except GafasError as error:
                problem = str(error)
        return {"images": tally.images, "failed": tally.failed, "rows": tally.rows, "problem": problem}


def run_ray(
    work: Work, blocks: Sequence[Block], *, workers: int | None = None, address: str | None = None
) -> Iterator[Tally]:
    """Judge blocks with Ray and yield what each came to, in no order.

    Parameters
    ----------
    workers : int or None
        Actors, each with one core; ``None`` takes all cores that the cluster has.
    address : str or None
        Of a running cluster; ``None`` starts Ray on this machine, or takes ``$RAY_ADDRESS``.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    GafasError
        No cluster at that address, or as `BlockWorker` and its `run` raise.
    """
    with connected(address, workers) as ray:
        count = min(workers or cores(ray), len(blocks))
        rows = ray.data.from_items(
            [{"block": block.to_json()} for block in blocks],
            override_num_blocks=min(len(blocks), _RAY_BLOCKS),
        ).map_batches(
            RayWorker,
            fn_constructor_args=(work,),
            batch_size=1,
            num_cpus=1,
            # Not a fixed size: a job goes on with what is left of a cluster.
            compute=ray.data.ActorPoolStrategy(
                min_size=1, max_size=count, initial_size=count, max_tasks_in_flight_per_actor=1
            ),
        )
        try:
            with closing(iter(rows.iter_rows())) as judged:
                for row in judged:
                    if row["problem"]:
                        raise GafasError(str(row["problem"]))
                    yield Tally(1, int(row["images"]), int(row["failed"]), int(row["rows"]))
        except ray.exceptions.RayError as error:
            raise GafasError(f"Ray: {_cause(error)}") from error


def cores(ray: Any) -> int:
    """Return how many cores the cluster has now."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


@contextmanager
def connected(address: str | None, workers: int | None) -> Iterator[Any]:
    """Join a cluster, or start Ray here, for as long as the block lasts; gives the module.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    UsageError
        There is no cluster at that address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError("--engine ray", "scale") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = _OUTPUT_BYTES
    address = address or os.environ.get("RAY_ADDRESS")
    options: dict[str, Any] = {} if address else {"num_cpus": workers or os.cpu_count(), "include_dashboard": False}
    started = not ray.is_initialized()
    try:
        if started:
            _check_address(address or "")
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **options)
    except (OSError, RuntimeError, ValueError) as error:
        if address is None:
            raise UsageError(f"Ray does not start on this machine: {error}; leave out: --engine ray") from error
        raise UsageError(
            f"--address {address}: no Ray cluster answers there; start one with: ray start --head ({error})"
        ) from error
    try:
        yield ray
    finally:
        if started:
            _wait_for_threads()
            ray.shutdown()


def _wait_for_threads() -> None:
    """Wait for what Ray Data has begun beside: a thread that asks anything of Ray after its end ends this process."""
    for thread in threading.enumerate():
        if thread.name.startswith(_THREADS):
            thread.join(_PATIENCE)


def _check_address(address: str) -> None:
    """Knock at a host and port: Ray itself would go on knocking for minutes."""
    found = _HOST_AND_PORT.fullmatch(address)
    if found is not None:
        socket.create_connection((found["host"], int(found["port"])), timeout=_KNOCK).close()


def _cause(error: BaseException) -> str:
    """Return the first cause in one line: Ray tells it in several tracebacks."""
    lines = [line for line in str(error).splitlines() if _RAISED.match(line)]
    return lines[-1] if lines else type(error).__name__

"""The engine on Ray Data: an actor for each worker, on one machine or on a cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gafas.errors import GafasError, MissingExtraError, UsageError
from gafas.scale.blocks import Block, block_from_json
from gafas.scale.parts import Tally
from gafas.scale.worker import BlockWorker, Work

_RAY_BLOCKS = 20_000
"""Ray's own blocks, at most: each is a task, and each task is remembered by the one who hands them out."""

_OUTPUT_BYTES = 2**20
"""What a task gives, at most. Ray Data holds tasks back that might fill its memory, and reckons with 128 MB of each."""


class RayWorker:
    """The worker as Ray Data calls it."""

    def __init__(self, work: Work) -> None:
        self._worker = BlockWorker(work)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[int]]:
        """Judge the blocks of a batch, and give what each came to."""
        tallies = [self._worker.run(block_from_json(str(text))) for text in batch["block"]]
        return {
            "images": [tally.images for tally in tallies],
            "failed": [tally.failed for tally in tallies],
            "rows": [tally.rows for tally in tallies],
        }


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
        count = min(workers or int(ray.cluster_resources().get("CPU", 1)), len(blocks))
        rows = ray.data.from_items(
            [{"block": block.to_json()} for block in blocks],
            override_num_blocks=min(len(blocks), _RAY_BLOCKS),
        ).map_batches(
            RayWorker,
            fn_constructor_args=(work,),
            batch_size=1,
            num_cpus=1,
            # Not a fixed size: a pool that loses a node goes on with what is left, and grows again.
            compute=ray.data.ActorPoolStrategy(
                min_size=1, max_size=count, initial_size=count, max_tasks_in_flight_per_actor=1
            ),
        )
        try:
            for row in rows.iter_rows():
                yield Tally(1, int(row["images"]), int(row["failed"]), int(row["rows"]))
        except ray.exceptions.RayError as error:
            raise GafasError(f"Ray: {_cause(error)}") from error


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
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"--address {address}: no Ray cluster answers there; start one with: ray start --head ({error})"
        ) from error
    try:
        yield ray
    finally:
        if started:
            ray.shutdown()


def _cause(error: BaseException) -> str:
    """Return the first cause in one line: Ray wraps it in several tracebacks."""
    while (inner := getattr(error, "cause", None) or error.__cause__) is not None and inner is not error:
        error = inner
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__

"""Counters of a server for Prometheus. In a registry of their own: one process may hold several apps.

With several processes they lie in files of `shared_counters`, and whichever process is asked adds them up.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gafas.errors import OutputError
from gafas.server.results import Outcome

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Meters:
    """Counts requests, images and faces; no label holds anything that a client chose."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("gafas_requests", "Requests answered.", ("route", "status"), registry=self._registry)
        self._seconds = Histogram(
            "gafas_request_seconds",
            "From the end of a request's head to the start of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._images = Counter(
            "gafas_images", "Images answered: ok or the code of the error.", ("result",), registry=self._registry
        )
        self._faces = Counter("gafas_faces", "Regions judged.", ("region", "label"), registry=self._registry)
        self._batch = Histogram(
            "gafas_batch_regions", "Regions classified together.", buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self._registry,
        )  # fmt: skip
        # Of workers that live: what a dead one held is held no more.
        self._pending = Gauge(
            "gafas_pending_images", "Images that wait or are worked on.", registry=self._registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._held = Gauge(
            "gafas_held_bytes", "Bytes of bodies in memory.", registry=self._registry, multiprocess_mode="livesum"
        )

    def show_pending(self, images: int) -> None:
        """Say how many images wait or are worked on."""
        self._pending.set(images)

    def show_held(self, count: int) -> None:
        """Say how many bytes of bodies are in memory."""
        self._held.set(count)

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is the pattern, never the path."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_batch(self, regions: int) -> None:
        """Count one run of the classifier."""
        self._batch.observe(regions)

    def count_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Count the images of one answer."""
        for outcome in outcomes:
            self._images.labels("ok" if outcome.failure is None else outcome.failure.code).inc()
            for verdict in outcome.judged.verdicts:
                self._faces.labels(verdict.region, verdict.label).inc()

    def page(self) -> bytes:
        """Return the text that Prometheus reads."""
        if _FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


@contextmanager
def shared_counters() -> Iterator[Path]:
    """Let processes that are started inside count together, in files of a folder that is removed at the end.

    Raises
    ------
    OutputError
        There is nowhere to write.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="gafas-")
    except OSError as error:
        raise OutputError(
            f"several workers count in a temporary folder: {error}; set $TMPDIR, or --workers 1"
        ) from error
    with folder as name:
        os.environ[_FOLDER] = name
        try:
            yield Path(name)
        finally:
            del os.environ[_FOLDER]
